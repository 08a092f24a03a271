"""The numbers of a large finite mechanism, kept as they came: half a million of them are no half a million objects.

`Numbers` holds one text a row, for whoever wants exact rationals, and beside it every number as float64.  Rows that
were rounded are settled by the rule of `probabilities.py`.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from .probabilities import settled, settled_floats

FLOAT64 = "d"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The probabilities of a variable with `width` values, one row for each case of parents with the labels `domains`.

    The last parent varies fastest.  `written` holds each row as text, numbers between blanks; `floats` all of them as
    bytes of float64, each row summing to one.
    """

    domains: tuple[tuple[str, ...], ...]
    width: int
    written: tuple[str, ...]
    floats: bytes = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of labels of each parent, then the number of values."""
        return (*map(len, self.domains), self.width)

    def cells(self, place: int) -> tuple[str, ...]:
        """The case of the parents that a row is about."""
        found: list[str] = []
        for labels in reversed(self.domains):
            place, digit = divmod(place, len(labels))
            found.append(labels[digit])
        return tuple(reversed(found))

    def exact(self, place: int) -> tuple[Fraction, ...]:
        """The probabilities of a row as exact numbers that sum to one."""
        found = settled([Fraction(number) for number in self.written[place].split()])
        assert found is not None
        return found


class NotADistribution(ValueError):
    """A row whose sum is too far from one: its place and its sum."""

    def __init__(self, place: int, total: Fraction) -> None:
        super().__init__(f"row {place} sums to {float(total):.6g}")
        self.place = place
        self.total = total


def numbers_of_rows(
    domains: Sequence[Sequence[str]], width: int, rows: Sequence[Sequence[str]]
) -> tuple[Numbers, float]:
    """The table of rows of decimal numbers, and the largest distance of a row's sum from one.

    Raises `NotADistribution` where a sum is off by more than a hundredth.

    >>> table, off = numbers_of_rows([["no", "yes"]], 2, [["0.5", "0.5"], ["0.25", "0.75"]])
    >>> table.exact(1), off
    ((Fraction(1, 4), Fraction(3, 4)), 0.0)
    """
    floats = array(FLOAT64)
    worst = 0.0
    for place, written in enumerate(rows):
        found = settled_floats([float(number) for number in written], written)
        if found is None:
            raise NotADistribution(place, sum(map(Fraction, written), Fraction(0)))
        floats.extend(found[0])
        worst = max(worst, found[1])
    assert len(rows) == prod(map(len, domains))
    texts = tuple(" ".join(row) for row in rows)
    return Numbers(tuple(map(tuple, domains)), width, texts, floats.tobytes()), worst
