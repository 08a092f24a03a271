"""Source text and places in it.

A `Span` is a half-open range of characters, with the line and column a reader would name.  Spans are carried by the
surface tree and by the resolved program, so that every later message can point at what was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """A program's text with the name that messages give it (a path, `<stdin>`, `<text>`)."""

    text: str
    name: str = "<text>"
    _lines: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lines", tuple(self.text.split("\n")))

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1; empty beyond the end."""
        return self._lines[number - 1].rstrip("\r") if 1 <= number <= len(self._lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` (included) to `end` (excluded); `line` and `column` of the start count from 1.

    `source` is the text it is a place in, where that is known: a program may be written in several, cell by cell.
    """

    start: int
    end: int
    line: int
    column: int
    source: Source | None = field(default=None, compare=False, repr=False)

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.start, other.end, self.line, self.column, self.source)
