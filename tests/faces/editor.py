"""An editor as far as a language server can tell: JSON-RPC messages with their lengths, over a process's pipes."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

URI = "file:///nowhere/program.suture"
PATIENCE = 60


class Editor:
    """A language server that runs, and the messages that come from it."""

    def __init__(self, capabilities: dict[str, Any] | None = None, environment: dict[str, str] | None = None) -> None:
        command = [str(Path(sys.executable).parent / "suture"), "lsp"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        self.told: list[dict[str, Any]] = []
        self.inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.count = 0
        self.version = 0
        threading.Thread(target=self._listen, daemon=True).start()
        self.initialized = self.ask(
            "initialize", {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
        )
        self.tell("initialized", {})

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while header := self.process.stdout.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = self.process.stdout.readline()
            self.inbox.put(json.loads(self.process.stdout.read(length)))
        self.inbox.put(None)

    def send(self, message: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(message) + message)
        self.process.stdin.flush()

    def tell(self, method: str, params: Any) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def start(self, method: str, params: Any) -> int:
        """Send a request; its number."""
        self.count += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.count, "method": method, "params": params}).encode())
        return self.count

    def next(self) -> dict[str, Any]:
        message = self.inbox.get(timeout=PATIENCE)
        assert message is not None, "the server went away: " + (
            self.process.stderr.read().decode()[-3000:] if self.process.stderr else ""
        )
        return message

    def response(self, number: int) -> dict[str, Any]:
        """The response to a request; requests of the server are answered with null, notifications kept."""
        while True:
            message = self.next()
            if "method" in message and "id" in message:
                self.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": None}).encode())
            if "method" in message:
                self.told.append(message)
            elif message.get("id") == number:
                return message

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request; an error of the server fails the test."""
        message = self.response(self.start(method, params))
        assert "error" not in message, message["error"]
        return message["result"]

    def refusal(self, method: str, params: Any) -> str:
        """The message of a request that the server refuses."""
        message = self.response(self.start(method, params))
        assert "error" in message, message
        return message["error"]["message"]

    # -- texts

    def open(self, text: str, uri: str = URI) -> list[dict[str, Any]]:
        """Open a text; the errors that are told of it."""
        self.version += 1
        item = {"uri": uri, "languageId": "suture", "version": self.version, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})
        return self.errors(uri)

    def change(self, changes: list[dict[str, Any]], uri: str = URI) -> list[dict[str, Any]]:
        """Change a text; the errors that are told of it."""
        self.version += 1
        document = {"uri": uri, "version": self.version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        return self.errors(uri)

    def errors(self, uri: str = URI) -> list[dict[str, Any]]:
        """The errors of the newest version of a text, once they are told."""
        while True:
            for message in self.told:
                params = message["params"]
                of_it = message["method"] == "textDocument/publishDiagnostics" and params["uri"] == uri
                if of_it and params.get("version") == self.version:
                    return params["diagnostics"]
            message = self.next()
            if "method" in message:
                self.told.append(message)

    def at(self, line: int, character: int, uri: str = URI) -> dict[str, Any]:
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}

    def quit(self) -> int:
        """Shut down as the protocol says; the exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def place(text: str, wanted: str, nth: int = 0, inside: int = 0) -> tuple[int, int]:
    """Line and UTF-16 column of the nth occurrence of a piece of a text: by encoding it, not by counting characters."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(wanted, start + 1)
    before = text[: start + inside]
    line = before.count("\n")
    return line, len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after edits, the last place first: as an editor applies them, in UTF-16 units."""

    def offset(position: dict[str, int]) -> int:
        lines = text.split("\n")
        before = sum(len(line) + 1 for line in lines[: position["line"]])
        if position["line"] >= len(lines):
            return len(text)
        units = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]]
        return before + len(units.decode("utf-16-le"))

    spots = [(offset(edit["range"]["start"]), offset(edit["range"]["end"]), edit["newText"]) for edit in edits]
    for start, end, new in sorted(spots, reverse=True):
        text = text[:start] + new + text[end:]
    return text
