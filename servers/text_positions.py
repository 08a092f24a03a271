"""Places in a text as the protocol of editors counts them: lines from 0, and UTF-16 units in a line.

A line ends at a line feed, a carriage return, or both, and nowhere else (Language Server Protocol 3.17, "Text
Documents"); a character beyond the Basic Multilingual Plane counts as two units.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Place:
    """A line, counted from 0, and the UTF-16 units before a place in it."""

    line: int
    character: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text whose places can be told in characters from its start, or as editors do.

    >>> text = Text("a = '😀'\\r\\nb")
    >>> text.place(6), text.offset(Place(0, 7)), text.offset(Place(1, 0))
    (Place(line=0, character=7), 6, 9)
    """

    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", (0, *(match.end() for match in LINE_END.finditer(self.text))))

    @property
    def lines(self) -> int:
        """How many lines there are; the text that ends in a line end has an empty last one."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """The line of that number, counted from 0, without its end; empty beyond the last."""
        if not 0 <= number < self.lines:
            return ""
        end = self._starts[number + 1] if number + 1 < self.lines else len(self.text)
        return self.text[self._starts[number] : end].rstrip("\r\n")

    def offset(self, place: Place) -> int:
        """The characters before a place; one beyond a line or the text is taken as its end."""
        if place.line < 0:
            return 0
        if place.line >= self.lines:
            return len(self.text)
        start, line, left = self._starts[place.line], self.line(place.line), place.character
        if line.isascii():
            return start + max(0, min(left, len(line)))
        for position, mark in enumerate(line):
            if left <= 0:
                return start + position
            left -= 2 if ord(mark) > 0xFFFF else 1
        return start + len(line)

    def place(self, offset: int) -> Place:
        """The place that has so many characters before it."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        return Place(line, units(self.text[self._starts[line] : offset]))

    def replaced(self, start: Place, end: Place, new: str) -> Text:
        """The text with another between two places."""
        first, last = sorted((self.offset(start), self.offset(end)))
        return Text(self.text[:first] + new + self.text[last:])


def units(text: str) -> int:
    """The UTF-16 units of a text."""
    return len(text) if text.isascii() else len(text) + sum(ord(mark) > 0xFFFF for mark in text)
