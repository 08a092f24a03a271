"""What may stand at a place of a program that is being written: read from the words before it, whatever follows.

The text is cut into statements as for error messages (`recovery.py`), so that what is wrong elsewhere does not matter,
and the words of one statement tell what kind of thing comes next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from .cursor_clauses import (
    ARROWS,
    CLAUSE_WORDS,
    CLOSED,
    CLOSING,
    OPENING,
    ORDER,
    WANTING,
    Expect,
    last_clause,
    of_source,
    wanted_by,
)
from .recovery import Chunk, chunks
from .syntax_errors import STATEMENTS
from .vocabulary import EFFECTS

TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"[^"\n]*"?)|(?P<word>[^\W\d]\w*)|(?P<number>\d[\w.]*)'
    r"|(?P<mark><->|->|<-|↔|→|←|:=|=>|\.\.|<=|>=|==|!=|_\|\|_|[^\s\w])|(?P<end>\n)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or mark of a program with its place."""

    text: str
    kind: str
    start: int

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Situation:
    """A place in a text: the word there from `start` to `end`, and what may stand in its place.

    `head` is the first word of the statement, `model` the model it names, `variable` the one whose value is expected;
    `names` are the variables that a model being written has so far, `used` the words already there in the same list.
    """

    start: int
    end: int
    expects: tuple[Expect, ...] = ()
    head: str = ""
    model: str | None = None
    variable: str | None = None
    names: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()
    clauses: tuple[str, ...] = ()


def tokens(text: str, shift: int = 0) -> tuple[Token, ...]:
    """The words and marks of a text, comments left out; `shift` is added to their places."""
    found: list[Token] = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "comment":
            found.append(Token(match.group(), kind, match.start() + shift))
    return tuple(found)


def situation(text: str, place: int) -> Situation | None:
    """What may stand at a place; None inside a comment and where only something new can.

    >>> found = situation("identify P(Y | do(X", 19)
    >>> found.expects, found.head
    ((<Expect.VARIABLE: 'variable'>,), 'identify')
    """
    start, end = word_at(text, place)
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if "#" in re.sub(r'"[^"]*"', "", line):
        return None
    chunk = _chunk(text, start)
    if chunk is None:
        return Situation(start, end, (Expect.STATEMENT,))
    before = list(tokens(text[chunk.start : start], chunk.start))
    if before and before[-1].kind == "string" and not (len(before[-1].text) > 1 and before[-1].text.endswith('"')):
        return _in_string(before, start, end)
    while before and before[0].text in ("\n", ";"):
        before.pop(0)
    if not before:
        return Situation(start, end, (Expect.STATEMENT,))
    after = tokens(text[end : max(chunk.end, end)], end)
    return _Reader(before, list(after), start, end).read()


def word_at(text: str, place: int) -> tuple[int, int]:
    """Where the word starts and ends that a place is in, or right behind."""
    start = end = place
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return start, end


def _chunk(text: str, place: int) -> Chunk | None:
    """The statement that a place is in; None between statements."""
    found = None
    for chunk in chunks(text[:place] + "\x00" + text[place:]):
        if chunk.start <= place <= chunk.end:
            found = chunk
    if found is not None:
        found.end = max(found.start, found.end - 1)
    return found


def _in_string(before: Sequence[Token], start: int, end: int) -> Situation | None:
    """A path after `from`; other quoted text is the user's own."""
    opening = before[-1]
    if len(before) > 1 and before[-2].text == "from":
        return Situation(opening.start + 1, end, (Expect.FILE,), before[0].text)
    return None


@dataclass
class _Reader:
    """The words of one statement before and behind a place."""

    before: list[Token]
    after: list[Token]
    start: int
    end: int

    def read(self) -> Situation | None:
        head = self.before[0].text
        if head not in STATEMENTS:
            return self._found(())
        body = self._body()
        if body is not None:
            return {"model": self._item, "domain": self._replacement, "data": self._row}[head](body)
        flat = [token for token in self.before if token.kind != "end"]
        return self._line(flat)

    # -- helpers

    def _found(self, expects: Sequence[Expect], variable: str | None = None, used: Sequence[str] = ()) -> Situation:
        return Situation(
            self.start,
            self.end,
            tuple(expects),
            self.before[0].text,
            self._model(),
            variable,
            self._names(),
            frozenset(used),
        )

    def _model(self) -> str | None:
        """The model that the statement names, before the place or behind it."""
        every = [token.text for token in (*self.before, Token("\x00", "", 0), *self.after)]
        match self.before[0].text:
            case "model":
                return every[1] if len(every) > 1 and every[1] != "\x00" else None
            case "data" | "domain":
                return every[3] if len(every) > 3 and every[2] == "of" else None
            case "show" | "canonicalise" | "equivalent" | "fit":
                return every[1] if len(every) > 1 and every[1] != "\x00" else None
            case "assert" if every[2:3] == [":"]:
                return every[1]
            case _:
                pass
        depth = 0
        for place, word in enumerate(every[:-1]):
            depth += (word in OPENING) - (word in CLOSING)
            if word == "in" and depth == 0 and every[place + 1] != "\x00" and not of_source(every[:place]):
                return every[place + 1]
        return None

    def _names(self) -> tuple[str, ...]:
        """The variables that a model being written has so far."""
        if self.before[0].text == "data":
            return self._columns()
        if self.before[0].text != "model":
            return ()
        found: list[str] = []
        for line in _lines([*self.before, *self.after]):
            names = takewhile(lambda token: token.text not in (":", "~", ":="), line)
            found += [token.text for token in names if token.kind == "word" and token.text not in ("latent", "mutable")]
        here = self.start
        written = [token.text for token in (*self.before, *self.after) if token.start != here]
        return tuple(name for name in dict.fromkeys(found) if name in written)

    def _columns(self) -> tuple[str, ...]:
        """The column of weights that a data set names, and the columns of its first row."""
        every = [*self.before, *self.after]
        weight = [second.text for first, second in pairwise(every) if first.text == "weight" and second.kind == "word"]
        header = next((line for line in _lines(every) if line), [])
        columns = [token.text for token in header if token.kind == "word"]
        return tuple(dict.fromkeys([*weight, *columns]))

    def _body(self) -> list[Token] | None:
        """The words of the innermost line of the block that the place is in; None outside a block."""
        if self.before[0].text not in ("model", "domain", "data"):
            return None
        depth, line = 0, list[Token]()
        for token in self.before:
            if depth == 1 and token.text in ("\n", ";"):
                line = []
                continue
            if depth > 0:
                line.append(token)
            depth += (token.text in OPENING) - (token.text in CLOSING)
            if depth == 0:
                line = []
        return line if depth > 0 else None

    # -- inside blocks

    def _item(self, line: list[Token]) -> Situation:
        words = [token.text for token in line if token.kind != "end"]
        if not words:
            return self._found((Expect.ITEM, Expect.VARIABLE))
        if words[0] in ("latent", "mutable"):
            words = words[1:]
        if ":=" in words or "~" in words:
            return self._mechanism(words, words[0] if words else None)
        if ":" in words:
            return self._found((Expect.MECHANISM,) if words[-1] == ":" else ())
        if not words or words[-1] in (*ARROWS, ",", "{"):
            return self._found((Expect.VARIABLE,), used=words)
        return self._found(())

    def _replacement(self, line: list[Token]) -> Situation:
        words = [token.text for token in line if token.kind != "end"]
        return self._mechanism(words, words[0]) if words else self._found((Expect.VARIABLE,))

    def _mechanism(self, words: list[str], variable: str | None) -> Situation:
        place = next((place for place, word in enumerate(words) if word in ("~", ":=")), len(words))
        if place == len(words):
            return self._found(())
        inside = words[place + 1 :]
        if words[place] == ":=":
            return self._equation(inside)
        if not inside:
            return self._found((Expect.FAMILY,))
        if inside[0] == "{":
            return self._found((Expect.VALUE,), variable, inside) if inside[-1] in ("{", ",") else self._found(())
        if inside[0] == "table":
            return self._table(inside)
        return self._equation(inside[2:]) if len(inside) > 1 else self._found(())

    def _equation(self, inside: list[str]) -> Situation:
        last = inside[-1] if inside else ""
        if last in ("==", "!=", "=") and len(inside) > 1:
            return self._found((Expect.VALUE, Expect.VARIABLE), inside[-2])
        if last in ("then", "else"):
            return self._found((Expect.VALUE, Expect.VARIABLE, Expect.FUNCTION), self._own())
        if not last or last in (
            "+",
            "-",
            "*",
            "/",
            "^",
            "(",
            ",",
            "<",
            ">",
            "<=",
            ">=",
            "if",
            "and",
            "or",
            "not",
            "xor",
        ):
            return self._found((Expect.VARIABLE, Expect.FUNCTION))
        return self._found((Expect.OPERATOR,))

    def _own(self) -> str | None:
        """The variable whose mechanism the place is in."""
        line = [token.text for token in self._body() or () if token.kind == "word"]
        return next((word for word in line if word not in ("latent", "mutable")), None)

    def _table(self, inside: list[str]) -> Situation:
        if "(" in inside and ")" not in inside:
            return self._found((Expect.VARIABLE,), used=inside)
        if "{" not in inside:
            return self._found(())
        parents = (
            [word for word in inside[inside.index("(") + 1 : inside.index(")")] if word != ","] if ")" in inside else []
        )
        depth, row = 0, list[Token]()
        for token in self.before:
            depth += (token.text in OPENING) - (token.text in CLOSING)
            row = [] if depth == 2 and token.text in ("\n", ";", "{") else [*row, token]
        cells = [token.text for token in row]
        column = cells.count(",")
        if "=>" in cells or column >= len(parents) or (cells and cells[-1] != ","):
            return self._found(())
        return self._found((Expect.VALUE,), parents[column])

    def _row(self, line: list[Token]) -> Situation:
        words = [token.text for token in line]
        header = next((found for found in _lines([*self.before, *self.after]) if found), [])
        columns = [token.text for token in header if token.text != ","]
        if words and words[-1] != ",":
            return self._found(())
        if not header or header[0].start >= (line[0].start if line else self.start):
            return self._found((Expect.VARIABLE, Expect.COLUMN), used=words)
        column = words.count(",")
        return self._found((Expect.VALUE,), columns[column]) if column < len(columns) else self._found(())

    # -- statements in one line

    def _line(self, flat: list[Token]) -> Situation:
        words = [token.text for token in flat]
        opened = _innermost(words)
        if opened is None:
            return self._outside(words)
        before, inside = words[:opened], words[opened + 1 :]
        match words[opened]:
            case "[" if before and before[-1] in ("P", "E"):
                return self._found((Expect.DOMAIN, Expect.DATA)) if not inside else self._found(())
            case "[":
                return self._world(inside)
            case "(" if before and before[-1] == "do":
                return self._events(inside, ())
            case "(" if before and before[-1] in EFFECTS:
                return self._effect(inside)
            case "(" if before and (before[-1] in ("P", "E") or before[-1] == "]"):
                return self._probability(inside, before[-1] == "E" or "E" in before[-4:-3])
            case "{":
                return self._group(before, inside)
            case _:
                return self._expression(inside)

    def _events(self, inside: list[str], more: tuple[Expect, ...]) -> Situation:
        last = inside[-1] if inside else ""
        if last == "=" and len(inside) > 1:
            if inside[-2] == "domain":
                return self._found((Expect.DOMAIN,))
            return self._found((Expect.VALUE,), _valued(inside[:-1]))
        if last in ("", ",", "|", "="):
            return self._found((Expect.VARIABLE, *more), used=_plain(inside))
        return self._found(())

    def _probability(self, inside: list[str], expectation: bool) -> Situation:
        given = "|" in inside
        more = (Expect.DO, Expect.IN_DOMAIN) if given else ()
        if expectation and not given and inside and inside[-1] in ("+", "-", "*", "/", "("):
            return self._found((Expect.VARIABLE,))
        return self._events(inside, more)

    def _world(self, inside: list[str]) -> Situation:
        last = inside[-1] if inside else ""
        if last == "~":
            return self._found((Expect.DOMAIN,))
        if last == "=" and len(inside) > 1:
            return self._found((Expect.VALUE, Expect.VARIABLE), inside[-2])
        return self._found((Expect.VARIABLE,) if last in ("", ",") else (), used=_plain(inside))

    def _effect(self, inside: list[str]) -> Situation:
        last = inside[-1] if inside else ""
        if last == ":" or (last in ARROWS and ":" in inside):
            return self._found((Expect.VALUE,), inside[0])
        if last in ARROWS:
            return self._found((Expect.VARIABLE,), used=_plain(inside))
        return self._events(inside, (Expect.DO,) if "|" in inside else ())

    def _group(self, before: list[str], inside: list[str]) -> Situation:
        if inside and inside[-1] != ",":
            return self._found(())
        kind = Expect.DOMAIN if before and before[-1] == "over" else Expect.VARIABLE
        return self._found((kind,), used=inside)

    def _expression(self, inside: list[str]) -> Situation:
        ready = not inside or inside[-1] in ("+", "-", "*", "/", "^", "(", ",", "<", ">", "<=", ">=", "==", "!=", "not")
        return self._found((Expect.EXPRESSION,) if ready else ())

    def _outside(self, words: list[str]) -> Situation:
        """Outside of all brackets: what the last clause wants, or which clause may come."""
        if words[0] == "assert" and "identify" in words:
            words = words[words.index("identify") :]
        clause = last_clause(words)
        if words[-1] in CLOSED or (
            words[-1] not in WANTING and words[-1] != words[0] and words[-1] not in CLAUSE_WORDS
        ):
            return self._clauses(words)
        if words[-1] == "=" and words[0] in ("counterfactual", "cause") and len(words) > 1:
            return self._found((Expect.VALUE,), words[-2])
        wanted = wanted_by(words[0], clause, words)
        return self._found(wanted, used=_plain(words[1:]))

    def _clauses(self, words: list[str]) -> Situation:
        own = self._found((Expect.CLAUSE,))
        order = ORDER.get(words[0], ())
        left = tuple(dict.fromkeys(word for word in order if words.count(word) < order.count(word)))
        return Situation(own.start, own.end, own.expects, own.head, own.model, clauses=left)


def _lines(words: Sequence[Token]) -> Iterator[list[Token]]:
    """The lines of the block of a statement, deeper brackets included in theirs."""
    depth, line = 0, list[Token]()
    for token in words:
        if token.text in CLOSING:
            depth -= 1
        if depth == 1 and token.text in ("\n", ";"):
            yield line
            line = []
        elif depth >= 1:
            line.append(token)
        if token.text in OPENING:
            depth += 1
    yield line


def _innermost(words: Sequence[str]) -> int | None:
    """Where the innermost bracket opens that is still open."""
    stack: list[int] = []
    for place, word in enumerate(words):
        if word in OPENING:
            stack.append(place)
        elif word in CLOSING and stack:
            stack.pop()
    return stack[-1] if stack else None


def _valued(inside: Sequence[str]) -> str:
    """The variable whose value is given next: `Y` of `Y[X = 1]`."""
    if inside[-1] != "]":
        return inside[-1]
    depth = 0
    for place in range(len(inside) - 1, -1, -1):
        depth += (inside[place] == "]") - (inside[place] == "[")
        if depth == 0:
            return inside[place - 1] if place else inside[-1]
    return inside[-1]


def _plain(inside: Sequence[str]) -> tuple[str, ...]:
    """The names of a list, without what stands in brackets, is in another world, or is a value."""
    depth, found = 0, list[str]()
    for place, word in enumerate(inside):
        depth += (word in OPENING) - (word in CLOSING)
        beside = (inside[place - 1] if place else "", inside[place + 1] if place + 1 < len(inside) else "")
        if depth == 0 and word.isidentifier() and beside[0] != "=" and beside[1] != "[":
            found.append(word)
    return tuple(found)
