"""Reading the text formats: LALR parsers from the grammars beside this module, syntax errors in the user's words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.lexer import PatternStr

from ..diagnostics import Diagnostic, SutureError
from ..files import whole
from ..grammar import load_parser
from ..layout import token_span
from ..parser import LONGEST
from ..source import Source, Span
from ..syntax_errors import span_at

STARTS: Mapping[str, tuple[str, ...]] = {
    "dagitty": ("graph", "statements"), "dot": ("graph",), "lavaan": ("model",), "bif": ("network",), "gml": ("pairs",),
    "net": ("network",),
}  # fmt: skip
WORDS: Mapping[str, str] = {
    "NAME": "a name", "WORD": "a name", "STRING": "quoted text", "NUMBER": "a number", "NUMBERS": "numbers",
    "ARROW": "an arrow", "KIND": "'dag'", "KEY": "a key", "HTML": "an HTML text", "_SEPARATOR": "the end of the line",
    "OPERATOR": "'~', '~~' or '=~'", "$END": "the end of the text", "DEFAULTS": "'node', 'edge' or 'graph'",
    "PROPERTY": "'property'", "_BLOCK": "a block", "CONSTRAINT": "a constraint", "DATA": "a table", "MODIFIED": "'*'",
}  # fmt: skip
INSTEAD: Mapping[str, Mapping[str, str]] = {
    "dagitty": {"=>": "an arrow is written '->'"},
    "dot": {
        "<-": "in DOT an edge points to the right, A -> B; a bidirected one is A -> B [dir=both]",
        "=>": "an edge is written '->'",
    },
    "lavaan": {"->": "lavaan writes y ~ x; arrows are dagitty's", "-": "a name with a hyphen is no name in R"},
    "bif": {},
    "gml": {},
    "net": {},
}
HYPHEN = "a name that holds a hyphen or a blank stands in double quotes"
# Networks hold their probabilities: the largest that are passed around have five million characters.
NETWORKS = ("bif", "net")
LONGEST_NETWORK = 50_000_000
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Word:
    """A name or a value of the text, unquoted, with its place."""

    text: str
    span: Span


@cache
def _parser(format: str) -> Lark:
    return load_parser(f"exchange/{format}.lark", STARTS[format])


def parsed(format: str, source: Source, start: str | None = None) -> Tree[Token]:
    """The parse tree of a text in `format`.

    Raises `SutureError`: S004 for a text beyond the longest, S020 where the text is not in the format.
    """
    check_length(source, LONGEST_NETWORK if format in NETWORKS else LONGEST)
    parser = _parser(format)
    try:
        return parser.parse(source.text, start=start or STARTS[format][0])
    except UnexpectedInput as error:
        raise SutureError(_syntax_error(format, parser, error, source.text), source) from None


def check_length(source: Source, longest: int = LONGEST_NETWORK) -> None:
    """Refuse a text beyond the longest: raises `SutureError` (S004)."""
    if len(source.text) > longest:
        message = f"a graph has at most {longest:,} characters; this one has {len(source.text):,}"
        raise SutureError(Diagnostic("S004", message, whole(source), "too long"), source)


def _syntax_error(format: str, parser: Lark, error: UnexpectedInput, text: str) -> Diagnostic:
    if isinstance(error, UnexpectedToken):
        start = len(text.rstrip()) if error.token.type == "$END" else error.token.start_pos or 0
        found = "" if error.token.type == "$END" else str(error.token)
    else:
        start = max(error.pos_in_stream or 0, 0)
        found = text[start : start + 1]
    expected = _expected(parser, _accepts(error))
    place = span_at(text, start, start + max(1, len(found)))
    if found == '"' and text[start] == '"':
        return Diagnostic("S020", f"this is not {NAMES[format]}: quoted text is not closed", place, "opened here")
    label = f"expected {expected}" if expected else "not part of the format here"
    message = f"this is not {NAMES[format]}: unexpected {_quoted(found)}"
    return Diagnostic("S020", message, place, label, _suggestion(format, text, start))


NAMES: Mapping[str, str] = {
    "dagitty": "a dagitty graph", "dot": "a DOT graph", "lavaan": "a lavaan model", "bif": "a BIF network",
    "gml": "a GML graph", "net": "a NET network",
}  # fmt: skip


def _accepts(error: UnexpectedInput) -> Collection[str]:
    parser = getattr(error, "interactive_parser", None)
    return parser.accepts() if parser is not None else ()


def _expected(parser: Lark, accepted: Collection[str]) -> str:
    phrases = sorted({WORDS.get(name) or _literal(parser, name) for name in accepted})
    if not 0 < len(phrases) < 7:
        return ""
    return " or ".join(filter(None, [", ".join(phrases[:-1]), phrases[-1]]))


def _literal(parser: Lark, name: str) -> str:
    pattern = parser.get_terminal(name).pattern
    return f"'{pattern.value}'" if isinstance(pattern, PatternStr) else f"'{name.strip('_').lower()}'"


def _quoted(found: str) -> str:
    if not found:
        return "end of the text"
    if not found.isprintable():
        found = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in found[:SHOWN])
    return f"'{found}'" if len(found) <= SHOWN else f"'{found[:SHOWN]}…'"


def _suggestion(format: str, text: str, start: int) -> str | None:
    instead = INSTEAD[format]
    pieces = (text[start : start + 2], text[max(start - 1, 0) : start + 1], text[start : start + 1])
    near = next((instead[piece] for piece in pieces if piece in instead), None)
    if near is None and text[start : start + 1] == "-" and text[start - 1 : start].isalnum():
        return HYPHEN
    return near


def word(token: Token, text: str | None = None) -> Word:
    """A token with its place, its text perhaps unquoted."""
    return Word(str(token) if text is None else text, token_span(token))


def together(first: Span, last: Span) -> Span:
    """The place from one span to another on the same line; the last one where they are on different lines."""
    return first.to(last) if first.line == last.line and first.start <= last.start else last


def children(tree: Tree[Token], *rules: str) -> list[Tree[Token]]:
    """The parts of a rule that are instances of the given rules."""
    return [part for part in tree.children if isinstance(part, Tree) and part.data in rules]
