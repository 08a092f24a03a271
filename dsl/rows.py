"""Rows of finite mechanisms: as written in a program, or those of a large table, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias, overload

from . import tree
from .probabilities import number_text
from .probability_tables import Numbers
from .source import Span


def weight(value: Fraction) -> tree.Expression:
    """A probability as an expression of the surface tree."""
    text = number_text(value)
    above, _, below = text.partition("/")
    if not below:
        return tree.Number(value, text)
    parts = tuple(tree.Number(Fraction(part), part) for part in (above, below))
    return tree.Arithmetic(("/",), parts)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a label or None (any) for each parent, and one weight a label of the child."""

    cells: tuple[str | None, ...]
    weights: tuple[tree.Expression, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class NumberRows(Sequence[Row]):
    """The rows of a large table, each made when it is asked for; equal to a tuple of the same rows."""

    numbers: Numbers

    def __len__(self) -> int:
        return len(self.numbers.written)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        every = range(len(self))[place]
        return self._row(every) if isinstance(every, int) else tuple(map(self._row, every))

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    def _row(self, place: int) -> Row:
        return Row(self.numbers.cells(place), tuple(map(weight, self.numbers.exact(place))))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, NumberRows):
            return self.numbers == other.numbers or tuple(self) == tuple(other)
        return isinstance(other, tuple) and tuple(self) == other

    def __hash__(self) -> int:
        return hash(tuple(self))


Rows: TypeAlias = tuple[Row, ...] | NumberRows


def written_out(mechanism: tree.NumbersMechanism) -> tree.TableMechanism:
    """A table of numbers as the table that a program would write."""
    rows = tuple(
        tree.Row(tuple(None if cell is None else tree.Label(cell) for cell in row.cells), row.weights)
        for row in NumberRows(mechanism.numbers)
    )
    return tree.TableMechanism(mechanism.parents, rows, mechanism.span)
