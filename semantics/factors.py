"""Arrays with named axes, and the tables that answers are made of.

A `Factor` is an array whose axes carry names; contraction and formula evaluation work on nothing else.  What its
entries are says a `Semiring`.  A `NamedTable` is what a caller gets: one axis a free variable, with labels.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from .semiring import Array, Semiring

Axis: TypeAlias = Hashable


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """An array and the names of its axes; a name may occur twice, which stands for the diagonal.

    Its value is `values` times two to the power of `exponent`, so that tiny probabilities do not underflow.
    """

    axes: tuple[Axis, ...]
    values: Array
    exponent: int = 0


def one_hot(size: int, position: int, semiring: Semiring) -> Array:
    """The vector of a point state."""
    return semiring.array([Fraction(int(place == position)) for place in range(size)])


def sizes_of(factors: Sequence[Factor]) -> dict[Axis, int]:
    """The length of every axis that occurs; raises `ValueError` where two factors disagree on one."""
    sizes: dict[Axis, int] = {}
    for factor in factors:
        for axis, size in zip(factor.axes, factor.values.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"axis {axis!r} has length {sizes[axis]} and {size}")
    return sizes


def aligned(factor: Factor, axes: Sequence[Axis]) -> Array:
    """The factor's values with its axes in the order of `axes`, with length one where it lacks an axis."""
    present = [axis for axis in axes if axis in factor.axes]
    moved = factor.values.transpose([factor.axes.index(axis) for axis in present])
    sizes = dict(zip(present, moved.shape, strict=True))
    return moved.reshape([sizes.get(axis, 1) for axis in axes])


# ---------------------------------------------------------------------------------------------------------------------
# Tables


class Places(Sequence[str]):
    """The labels of a batch axis, `0`, `1`, .., without a text for each of them.

    >>> places = Places(1000)
    >>> places[-1], places.index("7"), "1000" in places
    ('999', 7, False)
    """

    def __init__(self, length: int) -> None:
        self._places = range(length)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        found = self._places[place]
        return str(found) if isinstance(found, int) else tuple(map(str, found))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and value.isdecimal() and str(int(value)) == value and int(value) in self._places

    def index(self, value: str, start: int = 0, stop: int | None = None) -> int:
        """The place that a label spells; raises `ValueError` where there is none."""
        if value not in self or not start <= int(value) < (len(self) if stop is None else stop):
            raise ValueError(f"{value!r} is no place")
        return int(value)


@dataclass(frozen=True, slots=True, eq=False)
class NamedTable:
    """A function of finite variables: one axis of `values` a variable, in the order of `labels` along each.

    A batch axis is a variable too, and its labels are its places.

    Entries that are not determined (a condition of probability zero) are nan, in every semiring.
    """

    variables: tuple[str, ...]
    labels: tuple[Sequence[str], ...]
    values: Array

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Which entries are not determined."""
        return np.asarray(self.values != self.values, dtype=np.bool_)

    def item(self) -> Any:
        """The number of a table without variables; None where it is not determined.

        Raises `ValueError` where the table has variables.
        """
        if self.variables:
            raise ValueError(f"the table has variables: {', '.join(self.variables)}")
        value = self.values[()]
        return None if value != value else _plain(value)

    def rows(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Each combination of labels with its entry, the last variable varying fastest; None for undetermined ones."""
        for place in np.ndindex(*self.values.shape):
            value = self.values[place]
            cells = tuple(str(labels[number]) for labels, number in zip(self.labels, place, strict=True))
            yield cells, None if value != value else _plain(value)

    def at(self, **values: str) -> NamedTable:
        """The table with some variables fixed at labels; raises `KeyError` on an unknown name or label.

        >>> table = NamedTable(("X", "Y"), (("a", "b"), ("0", "1")), np.array([[0.1, 0.9], [0.5, 0.5]]))
        >>> table.at(X="a", Y="1").item()
        0.9
        """
        return self.fixed(values)

    def fixed(self, values: Mapping[str, str]) -> NamedTable:
        """As `at`, from a mapping (names of variables need not be Python names)."""
        unknown = [name for name in values if name not in self.variables]
        if unknown:
            raise KeyError(unknown[0])
        place: list[Any] = []
        for name, labels in zip(self.variables, self.labels, strict=True):
            if name in values and values[name] not in labels:
                raise KeyError(values[name])
            place.append(labels.index(values[name]) if name in values else slice(None))
        kept = [number for number, name in enumerate(self.variables) if name not in values]
        chosen = self.values[tuple(place)]
        if not kept:
            made = np.empty((), dtype=self.values.dtype)
            made[()] = chosen
            chosen = made
        return NamedTable(tuple(self.variables[n] for n in kept), tuple(self.labels[n] for n in kept), chosen)

    def difference(self, other: NamedTable) -> float:
        """The largest absolute difference, as functions of all variables of either; infinite where an entry is
        determined in one and not in the other, so that a formula without a value never passes for right.
        """
        axes = self.variables + tuple(name for name in other.variables if name not in self.variables)
        first = aligned(Factor(self.variables, self.values), axes).astype(np.float64)
        second = aligned(Factor(other.variables, other.values), axes).astype(np.float64)
        gap = np.where(np.isnan(first) & np.isnan(second), 0.0, np.abs(first - second))
        return float(np.max(np.where(np.isnan(gap), np.inf, gap), initial=0.0))


def _plain(value: Any) -> Any:
    """A numpy scalar as a Python number; other entries as they are."""
    return value.item() if isinstance(value, np.generic) else value
