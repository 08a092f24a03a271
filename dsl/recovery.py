"""Several syntax errors in one run: the text is cut into statements by brackets and line ends, each parsed alone.

This is the slow path, taken only when the whole text does not parse.  A word that starts a statement, at the start of a
line, ends whatever was left open before it, so that a missing brace is reported where the next statement begins and at
the brace itself.  The body of a block that does not parse is cut further, into its lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from .diagnostics import Diagnostic, Note
from .syntax_errors import STATEMENTS, span_at

PARTS = re.compile(
    r'(?P<skip>"[^"\n]*"|#[^\n]*|[^\W\d_]\w*(?=\s*\[))|(?P<word>[^\W\d]\w*)|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<end>[\n;])'
)
COMMENT = re.compile(r"#[^\n]*")
PAIRS = {"(": ")", "{": "}", "[": "]"}
STARTERS = frozenset(STATEMENTS)
CONTINUES = re.compile(
    r"(?:\s|#[^\n]*(?![^\n]))*(?:[+*/^|,<>:~≤≥≠·−→←↔⫫]|=(?!>)|!=|-(?:[ \t]|>)|(?:and|or|xor|then|else)\b)"
)
OPEN_ENDED = re.compile(r"(?:[-+*/^=<>,|:~]|\b(?:and|or|xor|not|if|then|else))[ \t\r]*(?:#[^\n]*)?$")
MOST = 20

Try = Callable[[str, str, int], Diagnostic | None]


@dataclass(slots=True)
class Chunk:
    """A stretch of text that should be one statement, with what its brackets say."""

    start: int
    end: int = 0
    problem: Diagnostic | None = None
    breaks: list[int] = field(default_factory=list)
    opening: int | None = None
    closing: int | None = None


def diagnose(text: str, attempt: Try, rule: str = "statement") -> tuple[Diagnostic, ...]:
    """Every syntax error of `text`, at most `MOST`; each of its lines should be an instance of `rule`.

    `attempt(rule, part, shift)` parses a part of the text and says what is wrong with it.
    """
    found: list[Diagnostic] = []
    for chunk in chunks(text):
        found += _problems(chunk, text, attempt, rule)
        if len(found) >= MOST:
            break
    return tuple(sorted(found[:MOST], key=lambda problem: problem.span.start if problem.span else 0))


def _problems(chunk: Chunk, text: str, attempt: Try, rule: str) -> list[Diagnostic]:
    if chunk.problem is not None:
        return [chunk.problem]
    part = text[chunk.start : chunk.end]
    if not COMMENT.sub("", part).strip():
        return []
    first = attempt(rule, part, chunk.start)
    if first is None or chunk.opening is None or chunk.closing is None:
        return [] if first is None else [first]
    line = {"model": "item", "domain": "replacement", "data": "data_row"}.get(part.split(None, 1)[0])
    if line is None:
        return [first]
    header = attempt(rule, text[chunk.start : chunk.opening] + _empty_block(line), chunk.start)
    inner = [header] if header is not None else []
    for start, end in _pieces(chunk, text):
        problem = attempt(line, text[start:end], start)
        if problem is not None:
            inner.append(problem)
    return inner or [first]


def _empty_block(rule: str) -> str:
    return "{}" if rule != "data_row" else "{a}"


def _pieces(chunk: Chunk, text: str) -> Iterator[tuple[int, int]]:
    """The lines of a block, without surrounding blanks."""
    opening, closing = chunk.opening or 0, chunk.closing or 0
    edges = [opening, *(place for place in chunk.breaks if opening < place < closing), closing]
    for left, right in pairwise(edges):
        start, end = left + 1, right
        while start < end and text[start].isspace():
            start += 1
        if start < end and text[start] != "#":
            yield start, end


def chunks(text: str) -> tuple[Chunk, ...]:
    """The stretches of `text` that should be statements."""
    return tuple(chunk for chunk in _Cutter(text).cut() if text[chunk.start : chunk.end].strip())


@dataclass
class _Cutter:
    """One walk over the brackets, words and line ends of a text."""

    text: str
    done: list[Chunk] = field(default_factory=list)
    stack: list[int] = field(default_factory=list)
    chunk: Chunk = field(default_factory=lambda: Chunk(0))
    fresh: bool = True

    def cut(self) -> list[Chunk]:
        for match in PARTS.finditer(self.text):
            kind = match.lastgroup
            if kind == "end":
                self._line_end(match.start(), match.group())
                continue
            if kind == "word" and self.fresh and match.group() in STARTERS and not self._names_domain(match.end()):
                self._finish(match.start(), match.end())
            elif kind == "open":
                self._open(match.start())
            elif kind == "close":
                self._close(match.start(), match.group())
            if not (kind == "skip" and match.group().startswith("#")):
                self.fresh = False
        self._finish(len(self.text), len(self.text))
        return self.done

    def _names_domain(self, end: int) -> bool:
        """Whether a word is the `domain` of `domain = city`, not of a definition."""
        return bool(re.match(r"\s*=", self.text[end : end + 20]))

    def _line_end(self, place: int, mark: str) -> None:
        if mark == "\n" and self._goes_on(place):
            self.fresh = True
            return
        if not self.stack:
            self._finish(place, place)
            self.chunk.start = place + 1
        elif len(self.stack) == 1:
            self.chunk.breaks.append(place)
        self.fresh = self.fresh or mark == "\n" or not self.stack

    def _goes_on(self, place: int) -> bool:
        """Whether the line that ends at `place` goes on in the next one: an operator ends it, or starts the next."""
        if CONTINUES.match(self.text, place):
            return True
        line = self.text[self.text.rfind("\n", 0, place) + 1 : place]
        return len(line) < 10_000 and bool(OPEN_ENDED.search(line))

    def _open(self, place: int) -> None:
        if not self.stack and self.text[place] == "{" and self.chunk.opening is None:
            self.chunk.opening = place
        self.stack.append(place)

    def _close(self, place: int, mark: str) -> None:
        while self.stack and PAIRS[self.text[self.stack[-1]]] != mark and self._matches_below(mark):
            self._unclosed(self.stack.pop(), place, place + 1, mark)
        if not self.stack or PAIRS[self.text[self.stack[-1]]] != mark:
            self._report(_unopened(self.text, place, mark))
            return
        opening = self.stack.pop()
        if not self.stack and opening == self.chunk.opening:
            self.chunk.closing = place

    def _matches_below(self, mark: str) -> bool:
        return any(PAIRS[self.text[opening]] == mark for opening in self.stack)

    def _finish(self, end: int, stop: int) -> None:
        """End the chunk at `end`; brackets still open are reported at the word up to `stop`."""
        if self.stack:
            word = self.text[end:stop]
            self._unclosed(self.stack[-1], end, max(stop, end + 1), word)
            self.stack.clear()
        self.chunk.end = end
        self.done.append(self.chunk)
        self.chunk = Chunk(end)

    def _unclosed(self, opening: int, start: int, end: int, found: str) -> None:
        mark = self.text[opening]
        what = f"before '{found}'" if found else "at the end of the file"
        problem = Diagnostic(
            "S012",
            f"missing '{PAIRS[mark]}' {what}",
            span_at(self.text, start, end),
            f"expected '{PAIRS[mark]}'",
            None,
            (Note(span_at(self.text, opening, opening + 1), f"this '{mark}' is not closed"),),
        )
        self._report(problem)

    def _report(self, problem: Diagnostic) -> None:
        if self.chunk.problem is None:
            self.chunk.problem = problem


def _unopened(text: str, place: int, mark: str) -> Diagnostic:
    return Diagnostic("S013", f"'{mark}' closes nothing", span_at(text, place, place + 1), "no bracket is open here")
