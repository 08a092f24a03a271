"""What an editor is told of an open program, in the words of its protocol: one function a feature, from a document.

Nothing here keeps a state or waits.  Every place goes through `Text`, which counts as editors do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lsprotocol import types

from ..dsl import completion as dsl_completion
from ..dsl import tree
from ..dsl.diagnostics import Diagnostic
from ..dsl.explanations import explain
from ..dsl.highlighting import Hue, pieces
from ..dsl.hover import describe
from ..dsl.mending import mend
from ..dsl.occurrences import Kind, Occurrence, Symbol
from ..dsl.source import Source, Span
from ..dsl.statement_text import statement_text
from .open_documents import Document, folder_of, suggestion
from .text_positions import Place, Text, units

SYMBOL_KINDS = {
    Kind.MODEL: types.SymbolKind.Class,
    Kind.VARIABLE: types.SymbolKind.Variable,
    Kind.DOMAIN: types.SymbolKind.Namespace,
    Kind.DATA: types.SymbolKind.Array,
    Kind.QUERY: types.SymbolKind.Function,
    Kind.ANSWER: types.SymbolKind.Constant,
}
ITEM_KINDS = {
    dsl_completion.Kind.KEYWORD: types.CompletionItemKind.Keyword,
    dsl_completion.Kind.FUNCTION: types.CompletionItemKind.Function,
    dsl_completion.Kind.MODEL: types.CompletionItemKind.Class,
    dsl_completion.Kind.DOMAIN: types.CompletionItemKind.Module,
    dsl_completion.Kind.DATA: types.CompletionItemKind.Field,
    dsl_completion.Kind.QUERY: types.CompletionItemKind.Reference,
    dsl_completion.Kind.VARIABLE: types.CompletionItemKind.Variable,
    dsl_completion.Kind.VALUE: types.CompletionItemKind.EnumMember,
    dsl_completion.Kind.FILE: types.CompletionItemKind.File,
}
# What the pieces of a text are, in the words of the protocol; space, signs and errors have no colour of their own.
TOKENS = {
    Hue.COMMENT: types.SemanticTokenTypes.Comment,
    Hue.STRING: types.SemanticTokenTypes.String,
    Hue.NUMBER: types.SemanticTokenTypes.Number,
    Hue.KEYWORD: types.SemanticTokenTypes.Keyword,
    Hue.FUNCTION: types.SemanticTokenTypes.Function,
    Hue.DEFINITION: types.SemanticTokenTypes.Class,
    Hue.VARIABLE: types.SemanticTokenTypes.Variable,
    Hue.VALUE: types.SemanticTokenTypes.EnumMember,
    Hue.OPERATOR: types.SemanticTokenTypes.Operator,
}
LEGEND = types.SemanticTokensLegend([kind.value for kind in TOKENS.values()], [])
RUN = "suture.run"
EXPLAIN = "suture.explain"


def position(place: Place) -> types.Position:
    """A place in the protocol's type."""
    return types.Position(place.line, place.character)


def place_of(position: types.Position) -> Place:
    """A place from the protocol's type."""
    return Place(position.line, position.character)


def range_of(text: Text, start: int, end: int) -> types.Range:
    """The characters from `start` to `end` as a range."""
    return types.Range(position(text.place(start)), position(text.place(end)))


def range_of_span(text: Text, span: Span | None) -> types.Range:
    """The range of a span; the first character where there is none."""
    return range_of(text, 0, 1) if span is None else range_of(text, span.start, max(span.end, span.start))


# ---------------------------------------------------------------------------------------------------------------------
# Errors and their mending


def diagnostics(document: Document, pages: Path | None) -> list[types.Diagnostic]:
    """Every error of a program; `pages` is the folder with a page for each code, where there is one."""
    return [_diagnostic(document, problem, pages) for problem in document.problems]


def _diagnostic(document: Document, problem: Diagnostic, pages: Path | None) -> types.Diagnostic:
    parts = [problem.message, *([f"help: {problem.help}"] if problem.help else [])]
    page = None if pages is None else page_of(pages, problem.code)
    return types.Diagnostic(
        range=range_of_span(document.text, problem.span),
        message="\n".join(parts),
        severity=types.DiagnosticSeverity.Error,
        code=problem.code,
        code_description=None if page is None else types.CodeDescription(page.as_uri()),
        source="suture",
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(document.uri, range_of_span(document.text, note.span)), note.label
            )
            for note in problem.notes
        ]
        or None,
    )


def page_of(folder: Path, code: str) -> Path | None:
    """The file with the explanation of a code, written at the first use; None where it cannot be."""
    path = folder / f"{code}.md"
    text = explain(code)
    if text is None:
        return None
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {text}", encoding="utf-8")
    except OSError:
        return None
    return path.absolute()


def code_actions(document: Document, wanted: types.Range, pages: Path | None) -> list[types.CodeAction]:
    """What can be done about the errors in a range: the suggestion put in place, the page of the code shown."""
    start, end = (document.text.offset(place_of(place)) for place in (wanted.start, wanted.end))
    actions: list[types.CodeAction] = []
    for problem in document.problems:
        span = problem.span
        if span is None or span.start > end or span.end < start:
            continue
        told = _diagnostic(document, problem, pages)
        name = suggestion(problem)
        if name is not None and _mends(document, problem, name):
            edit = types.TextEdit(told.range, name)
            title = f"Write '{name}' instead of '{document.text.text[span.start : span.end]}'"
            actions.append(
                types.CodeAction(
                    title, types.CodeActionKind.QuickFix, [told], True, edit=types.WorkspaceEdit({document.uri: [edit]})
                )
            )
        command = types.Command(f"Explain {problem.code}", EXPLAIN, arguments=[problem.code])
        actions.append(types.CodeAction(command.title, types.CodeActionKind.QuickFix, [told], command=command))
    return actions


def _mends(document: Document, problem: Diagnostic, name: str) -> bool:
    """Whether that error is gone once the suggestion stands in its place."""
    span = problem.span
    assert span is not None
    text = document.source.text
    after = mend(Source(text[: span.start] + name + text[span.end :]))
    return not any(each.code == problem.code and each.message == problem.message for each in after.problems)


# ---------------------------------------------------------------------------------------------------------------------
# Formatting


def formatting(document: Document) -> list[types.TextEdit]:
    """The edits that bring a program into canonical form, line by line; none where it does not parse."""
    formatted = document.formatted()
    if formatted is None or formatted == document.text.text:
        return []
    old, new = document.text.text.splitlines(keepends=True), formatted.splitlines(keepends=True)
    # Splitting at every line end that Unicode knows would count lines as no editor does.
    if document.text.lines - 1 not in (len(old), len(old) - 1) or len(old) > 5_000:
        return [types.TextEdit(range_of(document.text, 0, len(document.text.text)), formatted)]
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [
        types.TextEdit(range_of(document.text, starts[first], starts[last]), "".join(new[low:high]))
        for tag, first, last, low, high in difflib.SequenceMatcher(None, old, new, False).get_opcodes()
        if tag != "equal"
    ]


# ---------------------------------------------------------------------------------------------------------------------
# What may be written, and what is


def completion(document: Document, offset: int) -> types.CompletionList:
    """What may stand at a place, the likeliest first."""
    known, folder = document.mended.program, folder_of(document.uri)
    found = dsl_completion.complete(document.source.text, offset, known, (), folder)
    spot = range_of(document.text, found.start, max(found.end, offset))
    items = [
        types.CompletionItem(
            each.text,
            kind=ITEM_KINDS[each.kind],
            detail=each.detail or None,
            documentation=each.meaning or None,
            sort_text=f"{number:04}",
            filter_text=each.text,
            text_edit=types.TextEdit(spot, each.text),
        )
        for number, each in enumerate(found.suggestions)
    ]
    return types.CompletionList(False, items)


def hover(document: Document, offset: int, answers: Mapping[int, str]) -> types.Hover | None:
    """What stands at a place; on the first word of a statement that was run, what came of it too."""
    found = describe(document.source.text, offset, document.mended.program)
    if found is None:
        return None
    line = document.text.place(found.start).line + 1
    first = any(action.span.start == found.start for action in actions_of(document))
    answer = f"\n\n```text\n{answers[line]}\n```" if first and line in answers else ""
    content = types.MarkupContent(types.MarkupKind.Markdown, found.markdown + answer)
    return types.Hover(content, range_of(document.text, found.start, found.end))


def tokens(document: Document) -> types.SemanticTokens:
    """The colours of a program: five numbers a piece, its place counted from the piece before (LSP 3.17)."""
    kinds = list(TOKENS)
    line = column = 0
    data: list[int] = []
    for piece in pieces(document.source.text):
        if piece.hue not in TOKENS:
            continue
        place = document.text.place(piece.start)
        ahead = place.character - column if place.line == line else place.character
        data += [place.line - line, ahead, units(piece.text), kinds.index(piece.hue), 0]
        line, column = place.line, place.character
    return types.SemanticTokens(data)


# ---------------------------------------------------------------------------------------------------------------------
# Names


def definition(document: Document, offset: int) -> list[types.Location]:
    """Where the name at a place is defined."""
    found = document.occurrence_at(offset)
    places = () if found is None else document.places_of(found.symbol)
    return [_location(document, each) for each in places if each.defines]


def references(document: Document, offset: int, declaration: bool) -> list[types.Location]:
    """Everywhere the name at a place stands, its definition included where that is wanted."""
    found = document.occurrence_at(offset)
    places = () if found is None else document.places_of(found.symbol)
    return [_location(document, each) for each in places if declaration or not each.defines]


def highlights(document: Document, offset: int) -> list[types.DocumentHighlight]:
    """Everywhere the name at a place stands, to be marked."""
    found = document.occurrence_at(offset)
    places = () if found is None else document.places_of(found.symbol)
    kinds = {True: types.DocumentHighlightKind.Write, False: types.DocumentHighlightKind.Read}
    return [types.DocumentHighlight(_range(document, each), kinds[each.defines]) for each in places]


def _location(document: Document, occurrence: Occurrence) -> types.Location:
    return types.Location(document.uri, _range(document, occurrence))


def _range(document: Document, occurrence: Occurrence) -> types.Range:
    return range_of(document.text, occurrence.span.start, occurrence.span.end)


def renamed(document: Document, offset: int, name: str) -> types.WorkspaceEdit | str:
    """The edits that give what is named at a place another name, or in words why it cannot have that name."""
    found = document.occurrence_at(offset)
    if found is None:
        return "there is no name here that can be changed"
    symbol, places = found.symbol, document.places_of(found.symbol)
    if not any(each.defines for each in places):
        return f"{symbol.kind.value} '{symbol.name}' is not defined in this program"
    wrong = _refused(document, symbol, name)
    if wrong is not None:
        return wrong
    return types.WorkspaceEdit({document.uri: [types.TextEdit(_range(document, each), name) for each in places]})


def _refused(document: Document, symbol: Symbol, name: str) -> str | None:
    """Why a symbol cannot have a name; None where it can."""
    try:
        read = mend(Source(f"model {name} {{ X -> Y }}")).tree.statements
    except RecursionError:
        read = ()
    if len(read) != 1 or not isinstance(read[0], tree.Model) or read[0].name.text != name:
        return f"'{name}' is no name: write a letter, then letters, digits and _, and no keyword"
    scope = [each.symbol for each in document.occurrences]
    model = symbol.model if symbol.kind in (Kind.VARIABLE, Kind.DOMAIN) else None
    taken = [each for each in scope if each.name == name and each.model == model]
    if name != symbol.name and taken:
        return f"the name '{name}' is taken: it is a {taken[0].kind.value}"
    return None


def symbols(document: Document) -> list[types.DocumentSymbol]:
    """The outline of a program: its definitions and statements, a model with its variables."""
    return [made for statement in document.mended.tree.statements if (made := _outline(document, statement))]


def _outline(document: Document, statement: tree.Statement) -> types.DocumentSymbol | None:
    whole = range_of_span(document.text, statement.span)
    match statement:
        case tree.Model(name):
            return _entry(document, name, Kind.MODEL, whole, "", _variables(document, statement))
        case tree.Domain(name, model):
            return _entry(document, name, Kind.DOMAIN, whole, f"of {model.text}")
        case tree.Data(name, model):
            return _entry(document, name, Kind.DATA, whole, f"of {model.text}")
        case tree.Query(name):
            return _entry(document, name, Kind.QUERY, whole, "")
        case _:
            text = statement_text(statement)
            title = text if len(text) <= 60 else f"{text[:59]}…"
            return types.DocumentSymbol(title, types.SymbolKind.Event, whole, whole)


def _variables(document: Document, model: tree.Model) -> list[types.DocumentSymbol]:
    found = [each for each in document.occurrences if each.defines and each.symbol.kind is Kind.VARIABLE]
    mine = [each for each in found if each.symbol.model == model.name.text]
    latent = {
        name.text for item in model.items if isinstance(item, tree.Declaration) and item.latent for name in item.names
    }
    return [
        types.DocumentSymbol(
            each.symbol.name,
            types.SymbolKind.Variable,
            _range(document, each),
            _range(document, each),
            "latent" if each.symbol.name in latent else None,
        )
        for each in mine
    ]


def _entry(
    document: Document,
    name: tree.Name,
    kind: Kind,
    whole: types.Range,
    detail: str,
    inner: list[types.DocumentSymbol] | None = None,
) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name.text, SYMBOL_KINDS[kind], whole, range_of_span(document.text, name.span), detail or None, children=inner
    )


def folds(document: Document) -> list[types.FoldingRange]:
    """Statements of several lines, which can be folded away."""
    ranges = [range_of_span(document.text, statement.span) for statement in document.mended.tree.statements]
    return [types.FoldingRange(each.start.line, each.end.line) for each in ranges if each.end.line > each.start.line]


# ---------------------------------------------------------------------------------------------------------------------
# Statements to run


def actions_of(document: Document) -> Iterator[tree.Action]:
    """The statements that can be answered."""
    for statement in document.mended.tree.statements:
        if not isinstance(statement, tree.Model | tree.Domain | tree.Data | tree.Query):
            yield statement


def lenses(document: Document, verdicts: Sequence[tuple[int, str]]) -> list[types.CodeLens]:
    """A lens over each statement that runs it; `verdicts` are what came of those that were, by their lines."""
    known = dict(verdicts)
    found: list[types.CodeLens] = []
    for action in actions_of(document):
        place = range_of_span(document.text, action.span)
        title = known.get(action.span.line)
        command = types.Command("run" if title is None else f"{title} (run again)", RUN)
        command.arguments = [document.uri, action.span.line]
        found.append(types.CodeLens(types.Range(place.start, place.start), command))
    return found
