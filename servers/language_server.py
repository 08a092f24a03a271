"""`suture lsp`: the language server that editors start, speaking the Language Server Protocol 3.17 on stdin and stdout.

Texts are kept by `open_documents`, what is said of them by `language_features`; this module connects both with the
protocol.  A statement that is run is answered by a `Worker`, so that typing never waits for it and it can be stopped.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from ..answers.answer_data import VERSION
from . import language_features as features
from .open_documents import Document, Documents, folder_of
from .text_positions import Place
from .worker import Call, Result, Task, Worker

# A pause in typing after which a program is read again.
PAUSE = 0.15
# What is offered without being asked for, once one of these is typed.
TRIGGERS = "(,=|>~:[{"
# What a statement that is run from an editor may take.
SECONDS = 120.0


class Protocol(LanguageServerProtocol):
    """The protocol of the library; cancellation of a request that has begun is told to the server, and a request whose
    parameters cannot be read is answered with that error, not left without an answer.
    """

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The message in its type."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and "id" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise

    def _handle_cancel_notification(self, msg_id: int | str) -> None:
        super()._handle_cancel_notification(msg_id)
        assert isinstance(self._server, Server)
        self._server.cancelled(msg_id)


class Server(LanguageServer):
    """The server with its documents, and what came of the statements that were run."""

    def __init__(self, pause: float = PAUSE) -> None:
        super().__init__("suture", VERSION, protocol_cls=Protocol)
        self.documents = Documents()
        self.pause = pause
        self.pages = pages_folder(VERSION)
        self.worker = Worker()
        self.verdicts: dict[str, dict[int, str]] = {}
        self.answers: dict[str, dict[int, str]] = {}
        self.dismissed = False
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[int | str, Call] = {}

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Errors go to the log: the request that made one is answered with it, and no window opens."""
        logging.getLogger(__name__).warning("%s: %s", source, error)

    def changed(self, document: Document, at_once: bool = False) -> None:
        """A document has a new text: its errors are told after a pause in typing."""
        self.documents.open[document.uri] = document
        self.verdicts.pop(document.uri, None)
        self.answers.pop(document.uri, None)
        waiting = self._waiting.pop(document.uri, None)
        if waiting is not None:
            waiting.cancel()
        if at_once or self.pause == 0:
            self.publish(document.uri)
        else:
            loop = asyncio.get_running_loop()
            self._waiting[document.uri] = loop.call_later(self.pause, self.publish, document.uri)

    def publish(self, uri: str) -> None:
        """Tell the errors of an open document."""
        document = self.documents.open.get(uri)
        if document is not None:
            found = features.diagnostics(document, self.pages)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, document.version))

    def closed(self, uri: str) -> None:
        """A document is no longer open; nothing is wrong with it any more."""
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self.documents.close(uri)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def at(self, named: types.TextDocumentIdentifier, position: types.Position) -> tuple[Document, int]:
        """The document of a request, and the characters before its place."""
        document = self.documents.get(named.uri)
        return document, document.text.offset(features.place_of(position))

    async def answer(self, document: Document, line: int) -> Result:
        """What comes of the statement on a line; stopped where the request is cancelled."""
        folder = folder_of(document.uri)
        task = Task(document.source.text, document.source.name, folder and str(folder), (line,), SECONDS)
        request, call = self.protocol.msg_id, Call()
        if request is not None:
            self._running[request] = call
        try:
            return await asyncio.get_running_loop().run_in_executor(None, self.worker.run, task, call)
        finally:
            if request is not None:
                self._running.pop(request, None)

    def cancelled(self, request: int | str) -> None:
        """A request is cancelled: what it runs is stopped."""
        call = self._running.pop(request, None)
        if call is not None:
            self.worker.stop(call, "cancelled")


def pages_folder(version: str) -> Path:
    """Where the explanations of errors are written, for editors to open: below the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or ""
    base = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    if not os.access(base if base.exists() else base.parent, os.W_OK):
        base = Path(tempfile.gettempdir())
    return base / "suture" / version / "errors"


def changed_text(document: Document, version: int, changes: list[types.TextDocumentContentChangeEvent]) -> Document:
    """The document after an editor's changes, each of which counts from the text that the one before it left."""
    text = document.text
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = change.range.start, change.range.end
            text = text.replaced(Place(start.line, start.character), Place(end.line, end.character), change.text)
        else:
            text = text.replaced(Place(0, 0), Place(text.lines, 0), change.text)
    return document.with_text(version, text)


def make_server(pause: float = PAUSE) -> Server:
    """A server with all its features, not yet started."""
    server = Server(pause)

    @server.feature(types.SHUTDOWN)
    def dismissed(params: None) -> None:
        server.dismissed = True

    _add_texts(server)
    _add_words(server)
    _add_names(server)
    _add_statements(server)
    return server


def _add_texts(server: Server) -> None:
    """Opening, typing, closing; errors, their mending, formatting."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        server.changed(server.documents.put(item.uri, item.version, item.text), at_once=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def typed(params: types.DidChangeTextDocumentParams) -> None:
        old = server.documents.get(params.text_document.uri)
        server.changed(changed_text(old, params.text_document.version, [*params.content_changes]))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        # Networks that the program names may have changed with it.
        old = server.documents.get(params.text_document.uri)
        server.changed(old.with_text(old.version, old.text), at_once=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        return features.code_actions(document, params.range, server.pages)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        return features.formatting(server.documents.get(params.text_document.uri))


def _add_words(server: Server) -> None:
    """What may be written at a place, and what stands there."""

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=list(TRIGGERS)))
    def completion(params: types.CompletionParams) -> types.CompletionList:
        return features.completion(*server.at(params.text_document, params.position))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        document, offset = server.at(params.text_document, params.position)
        return features.hover(document, offset, server.answers.get(document.uri, {}))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, features.LEGEND)
    def tokens(params: types.SemanticTokensParams) -> types.SemanticTokens:
        return features.tokens(server.documents.get(params.text_document.uri))


def _add_names(server: Server) -> None:
    """Jumps, references, renaming, the outline."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> list[types.Location]:
        return features.definition(*server.at(params.text_document, params.position))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        return features.references(
            *server.at(params.text_document, params.position), params.context.include_declaration
        )

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlights(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        return features.highlights(*server.at(params.text_document, params.position))

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(params: types.PrepareRenameParams) -> types.Range | None:
        document, offset = server.at(params.text_document, params.position)
        found = document.occurrence_at(offset)
        return None if found is None else features.range_of(document.text, found.span.start, found.span.end)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(params: types.RenameParams) -> types.WorkspaceEdit:
        document, offset = server.at(params.text_document, params.position)
        made = features.renamed(document, offset, params.new_name)
        if isinstance(made, str):
            raise JsonRpcInvalidParams(made)
        return made

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outline(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return features.symbols(server.documents.get(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folds(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        return features.folds(server.documents.get(params.text_document.uri))


def _add_statements(server: Server) -> None:
    """Running a statement, explaining an error."""

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        document = server.documents.get(params.text_document.uri)
        return features.lenses(document, list(server.verdicts.get(document.uri, {}).items()))

    @server.command(features.RUN)
    async def run(uri: str, line: int) -> dict[str, Any]:
        document = server.documents.get(uri)
        found = await server.answer(document, line)
        text = found.broken or found.failed or "\n\n".join(found.texts)
        if server.documents.get(uri).version == document.version:
            server.answers.setdefault(uri, {})[line] = text
            server.verdicts.setdefault(uri, {})[line] = verdict(found)
        server.window_log_message(types.LogMessageParams(types.MessageType.Info, text))
        kind = types.MessageType.Info if found.answers else types.MessageType.Warning
        server.window_show_message(types.ShowMessageParams(kind, f"line {line}: {verdict(found)}"))
        if _refreshes(server):
            server.workspace_code_lens_refresh(None)
        return {"answers": [*found.answers], "text": text}

    @server.command(features.EXPLAIN)
    def explain(code: str) -> str:
        from ..dsl.explanations import explain

        page = features.page_of(server.pages, code)
        if page is not None and _shows(server):
            server.window_show_document(types.ShowDocumentParams(page.as_uri()))
        return explain(code) or f"there is no error code {code!r}"


def _refreshes(server: Server) -> bool:
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.code_lens and workspace.code_lens.refresh_support)


def _shows(server: Server) -> bool:
    window = server.client_capabilities.window
    return bool(window and window.show_document and window.show_document.support)


def verdict(found: Result) -> str:
    """What came of a statement, in a few words."""
    if found.failed or found.broken:
        return found.failed or "the program has errors"
    return "; ".join(_verdict(answer) for answer in found.answers) or "there is no statement on this line"


def _verdict(answer: dict[str, Any]) -> str:
    status = answer["status"].replace("_", " ")
    if isinstance(answer["value"], (int, float)):
        return f"{answer['value']:.6g}"
    if answer["bounds"] is not None:
        low, high = answer["bounds"]
        return f"between {low:.6g} and {high:.6g}"
    if status == "error":
        return f"{answer['error']['code']}: {answer['error']['message']}"
    return "answered" if status in ("value", "bounds") else status


def main() -> int:
    """Serve an editor until it goes away; 0 where it said so before, as the protocol wants, else 1."""
    # A request that is refused is answered with the reason; what else the library logs is for those who mend it.
    logging.basicConfig(level=logging.INFO if os.environ.get("SUTURE_DEBUG") else logging.CRITICAL)
    server = make_server()
    # The protocol has standard output for itself: what else is printed goes to standard error.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        server.start_io(sys.stdin.buffer, out)
    finally:
        server.worker.close()
    return 0 if server.dismissed else 1
