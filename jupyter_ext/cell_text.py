"""Which part of a cell is suture's, for completion and inspection: places stay those of the cell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .call import STATEMENT

CELL = re.compile(r"\s*%%suture\b")
LINE = re.compile(r"^[ \t]*(?:[\w, \t]+=[ \t]*)?%suture\b")


@dataclass(frozen=True, slots=True)
class Part:
    """Text of suture's language with blanks where the cell holds something else; `options` where a place is in those.

    A place of the cell is the same place of `text`.
    """

    text: str
    options: str | None = None


def part_of(cell: str, place: int) -> Part | None:
    """The part of a cell that a place is in, or None where that is Python.

    >>> part_of("%%suture -o x\\nshow M", 16).text
    '             \\nshow M'
    >>> part_of("print(1)", 3) is None
    True
    """
    marked = CELL.match(cell)
    if marked is not None:
        first = cell.find("\n", marked.end())
        if first < 0 or place <= first:
            return Part("", cell[marked.end() : place]) if place >= marked.end() else None
        return Part(" " * first + cell[first:])
    start = cell.rfind("\n", 0, place) + 1
    end = cell.find("\n", place)
    line = cell[start : len(cell) if end < 0 else end]
    found = LINE.match(line)
    if found is None or place < start + found.end():
        return None
    statement = STATEMENT.search(line, found.end())
    begin = found.end() if statement is None else statement.start()
    written = line[found.end() : place - start]
    if statement is None and "-" in written:
        return Part("", written)
    if statement is not None and place - start < begin:
        return Part("", written)
    return Part(" " * (start + begin) + line[begin:])
