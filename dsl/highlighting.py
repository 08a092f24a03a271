"""What colour each piece of a program takes: a tokenizer that never fails, for editors, pages and terminals.

A text being typed is wrong most of the time, so nothing here parses: pieces are found by their looks, and a few facts
carried along (open brackets, the statement's first word, what came just before) tell a variable from a value.
`jupyter_ext/labextension/static/remoteEntry.js` is the same tokenizer for browsers; `tests/test_highlighting.py`
compares the two piece by piece, and both with what the parser finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from .syntax_errors import KEYWORDS, STATEMENTS


class Hue(Enum):
    """What a piece of text is, as far as its colour goes."""

    SPACE = "space"
    MAGIC = "magic"
    COMMENT = "comment"
    STRING = "string"
    NUMBER = "number"
    KEYWORD = "keyword"
    FUNCTION = "function"
    DEFINITION = "definition"
    VARIABLE = "variable"
    VALUE = "value"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    ERROR = "error"


class Piece(NamedTuple):
    """A piece of the text from `start` on, and what it is."""

    start: int
    text: str
    hue: Hue


class Inside(Enum):
    """What an open bracket holds."""

    ROUND = "("
    SQUARE = "["
    NAMES = "names"
    BLOCK = "block"
    LABELS = "labels"
    ROWS = "rows"
    DATA = "data"


@dataclass(slots=True)
class State:
    """What is known where the text read so far ends."""

    brackets: list[Inside] = field(default_factory=list)
    statement: str = ""
    before: str = ""
    """The piece before, spaces and comments aside; empty at the start of a statement, item or row."""
    earlier: str = ""
    """The piece before that one."""
    begun: bool = False
    equals: bool = False
    """Whether a statement's own `=` has been passed."""
    table: bool = False
    """Whether a brace that opens now holds a table's rows."""
    gives: bool = False
    """Whether the `=>` of a row, the `:` of a weight or of a contrast has been passed."""
    outside: list[bool] = field(default_factory=list)
    """The same of the brackets around the innermost."""
    header: bool = False
    """Whether an inline table's first row is still being read."""


NAME = re.compile(r"[^\W\d_]\w*")
# In the order in which they are tried.
PATTERNS = (
    (Hue.SPACE, re.compile(r"[ \t\r\f\u00a0\ufeff]+")),
    (Hue.COMMENT, re.compile(r"#[^\n]*")),
    (Hue.STRING, re.compile(r'"[^"\n]*"?')),
    (Hue.OPERATOR, re.compile(r"\.\.")),
    (Hue.NUMBER, re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")),
    (Hue.OPERATOR, re.compile(r"_\|\|_|<->|->|<-|:=|=>|==|!=|<=|>=|[-<>=+*/^|~→←↔⫫≤≥≠−·]")),
    (Hue.VALUE, re.compile(r"_(?!\w)")),
    (Hue.PUNCTUATION, re.compile(r"[{}()\[\],;:.]")),
)
MAGIC = re.compile(r"\s*(?:%%suture\b[^\n]*|%suture\b)")
SPACES = r"[ \t\r\f\u00a0\ufeff]*"
CALLED = re.compile(rf"{SPACES}\(")
IN_A_WORLD = re.compile(rf"{SPACES}\[")
OF_A_SOURCE = re.compile(rf"{SPACES}\[{SPACES}[^\W\d_]\w*{SPACES}\]{SPACES}\(")
WORD_AFTER = re.compile(r"[ \t]+[^\W\d_]")
NUMBER_AFTER = re.compile(r"[ \t]+\d")
DEFINING = frozenset({"model", "domain", "data", "query", "as"})
RUNS_ON = re.compile(r"[-+*/^=<>,|:~→←↔≤≥≠−·]|<?->|<-|:=|=>|[=!<>]=|and|or|xor|not|if|then|else")
OPENING = {"(": Inside.ROUND, "[": Inside.SQUARE}


def pieces(text: str) -> Iterator[Piece]:
    """The text in pieces, none left out, each with what it is.

    >>> [(piece.text, piece.hue.value) for piece in pieces("X = yes") if piece.hue is not Hue.SPACE]
    [('X', 'variable'), ('=', 'operator'), ('yes', 'value')]
    """
    state, place = State(), 0
    while place < len(text):
        if text[place] == "\n":
            _newline(state)
            length, hue = 1, Hue.SPACE
        else:
            length, hue = _next(text, place, state)
        yield Piece(place, text[place : place + length], hue)
        place += length


def _next(text: str, place: int, state: State) -> tuple[int, Hue]:
    """The length and hue of the piece at `place`, which is no line end."""
    if not state.begun and (magic := MAGIC.match(text, place)):
        state.begun = True
        return magic.end() - place, Hue.MAGIC
    for hue, pattern in PATTERNS:
        if found := pattern.match(text, place):
            if hue is Hue.SPACE or hue is Hue.COMMENT:
                return len(found[0]), hue
            _note(found[0], state)
            return len(found[0]), hue
    if name := NAME.match(text, place):
        hue = _name(name[0], text, name.end(), state)
        _note(name[0], state)
        return len(name[0]), hue
    _note("", state)
    return 1, Hue.ERROR


def _name(name: str, text: str, end: int, state: State) -> Hue:
    """What a word is, by what stands around it; `end` is the place after it."""
    if name in KEYWORDS or _soft(name, text, end, state):
        return Hue.KEYWORD
    if CALLED.match(text, end) or (name in ("P", "E") and OF_A_SOURCE.match(text, end)):
        return Hue.FUNCTION
    if state.before in DEFINING and not (state.before == "domain" and state.brackets):
        return Hue.DEFINITION
    return Hue.VALUE if _labelled(text, end, state) else Hue.VARIABLE


def _soft(name: str, text: str, end: int, state: State) -> bool:
    """Whether a word of `fit`, a name elsewhere, is a keyword here."""
    if state.brackets:
        return False
    if name == "fit":
        return not state.before and WORD_AFTER.match(text, end) is not None
    if state.statement != "fit":
        return False
    after = {"design": WORD_AFTER, "k": NUMBER_AFTER}.get(name)
    return after is not None and after.match(text, end) is not None


def _labelled(text: str, end: int, state: State) -> bool:
    """Whether a name here is one of a variable's values."""
    inside = state.brackets[-1] if state.brackets else None
    match inside:
        case Inside.LABELS | Inside.ROWS:
            return not state.gives
        case Inside.DATA:
            return not state.header
        case _:
            return _compared(inside, state) and not IN_A_WORLD.match(text, end)


def _compared(inside: Inside | None, state: State) -> bool:
    """Whether what came just before asks for a value: `=`, `==` where models and events stand, a contrast's levels."""
    if state.before == "=":
        own = inside is None and state.statement == "query" and not state.equals
        return not own and state.earlier != "domain"
    if state.before in ("==", "!=", "≠"):
        return inside is not None
    if inside is Inside.ROUND:
        return state.gives and state.before in (":", "->", "→")
    return False


def _newline(state: State) -> None:
    """A line end: where neither a bracket nor an operator runs over it, a statement, item or row ends here."""
    if RUNS_ON.fullmatch(state.before):
        return
    if not state.brackets or state.brackets[-1] in (Inside.BLOCK, Inside.ROWS, Inside.DATA):
        _end(state)


def _end(state: State) -> None:
    if state.brackets and state.brackets[-1] is Inside.DATA and state.before not in ("", "{"):
        state.header = False
    state.before = state.earlier = ""
    state.gives = state.table = False


def _note(piece: str, state: State) -> None:
    """Carry on past a piece that is neither space nor comment."""
    state.begun = True
    if not state.brackets:
        if piece in STATEMENTS and (piece != "fit" or not state.before):
            state.statement, state.equals = piece, False
        elif piece and state.before == "=":
            state.equals = True
    if piece == ";":
        _end(state)
        return
    if piece in ("(", "[", "{"):
        _open(piece, state)
    elif piece in (")", "]", "}") and state.brackets:
        state.brackets.pop()
        state.gives = state.outside.pop()
    elif piece == "table":
        state.table = True
    elif piece in ("=>", ":"):
        state.gives = bool(state.brackets) and state.brackets[-1] in (Inside.ROUND, Inside.LABELS, Inside.ROWS)
    elif piece == "," and state.brackets and state.brackets[-1] in (Inside.ROUND, Inside.LABELS):
        state.gives = False
    state.earlier, state.before = state.before, piece


def _open(piece: str, state: State) -> None:
    state.brackets.append(_brace(state) if piece == "{" else OPENING[piece])
    state.outside.append(state.gives)
    state.gives = False
    state.table = state.table and piece != "{"


def _brace(state: State) -> Inside:
    if state.table:
        return Inside.ROWS
    if state.before in (":", "~"):
        return Inside.LABELS
    if not state.brackets and state.statement == "data":
        state.header = True
        return Inside.DATA
    if not state.brackets and state.statement in ("model", "domain"):
        return Inside.BLOCK
    return Inside.NAMES
