"""A finite model in which some mechanisms may change: the stable mechanisms as factors, and what an adversary may
choose.

A mutable mechanism is a choice, for each case of its parents, among finitely many rows (distributions of the variable):
all point masses where any mechanism is possible, the corners of a polytope where probabilities lie in intervals, the
one given row where a domain fixes it.  Corners suffice, since for a fixed predictor the risk is linear in each row.

Several `Adversary`s stand side by side where named domains are searched over: the worst of them counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...semantics.factors import Axis, Factor
from ...semantics.networks.contraction import contract
from ...semantics.semiring import Array, Semiring
from .selection_diagram import SelectionDiagram

MOST_VALUES = 10
"""Values of a variable whose probabilities lie in intervals: their polytope has up to `n 2^(n - 1)` corners."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What an adversary may make of one mechanism: `rows[case.., option]` is a distribution over the variable's values.

    Where `allowed[case.., option]` is false there is no such option.  `free` says that the options are the values.
    """

    variable: str
    parents: tuple[str, ...]
    rows: Array
    allowed: NDArray[np.bool_]
    free: bool

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return self.rows.shape[-2] == 1

    @property
    def axis(self) -> Axis:
        """The axis of the options: the variable's own where these are its values."""
        return self.variable if self.free else ("option", self.variable)

    def mechanism(self, policy: Array) -> Array:
        """The mechanism that a policy (an option for each case) makes: axes (parents.., values)."""
        places = np.asarray(policy, dtype=np.intp)[..., None, None]
        return np.take_along_axis(self.rows, places, axis=-2)[..., 0, :]

    def mixed(self) -> Array:
        """The mechanism that draws each allowed option alike."""
        count = self.allowed.sum(axis=-1)
        total = np.where(self.allowed[..., None], self.rows, self.rows * 0).sum(axis=-2)
        return total / count[..., None].astype(total.dtype)


def any_row(variable: str, parents: tuple[str, ...], cases: Sequence[int], size: int, semiring: Semiring) -> Choice:
    """The choice of any mechanism."""
    rows = np.empty((*cases, size, size), dtype=semiring.dtype)
    rows[...] = semiring.number(Fraction(0))
    for value in range(size):
        rows[..., value, value] = semiring.number(Fraction(1))
    return Choice(variable, parents, rows, np.ones((*cases, size), dtype=np.bool_), True)


def given_row(variable: str, parents: tuple[str, ...], mechanism: Array) -> Choice:
    """The choice of one given mechanism, axes (parents.., values)."""
    rows = mechanism[..., None, :]
    return Choice(variable, parents, rows, np.ones(rows.shape[:-1], dtype=np.bool_), False)


def near_row(variable: str, parents: tuple[str, ...], mechanism: Array, radius: Fraction) -> Choice:
    """The choice of any mechanism whose probabilities differ from the given ones by at most `radius`."""
    zero, one = Fraction(0), Fraction(1)
    low, high = np.empty_like(mechanism), np.empty_like(mechanism)
    for place, entry in np.ndenumerate(mechanism):
        low[place], high[place] = max(Fraction(entry) - radius, zero), min(Fraction(entry) + radius, one)
    return between_rows(variable, parents, low, high)


def between_rows(variable: str, parents: tuple[str, ...], low: Array, high: Array) -> Choice:
    """The choice of any mechanism whose probabilities lie between two arrays of Fractions, axes (parents.., values).

    The options of a case are the corners of its polytope, so the largest risk over them is that of the linear program.
    Raises `SutureError` S603 where a variable has so many values that its corners are too many to list.
    """
    size = low.shape[-1]
    if size > MOST_VALUES:
        message = f"intervals of probabilities are for up to {MOST_VALUES} values, and {variable} has {size}"
        raise SutureError(Diagnostic("S603", message, help="join values, or let the mechanism be any"))
    cases = list(np.ndindex(*low.shape[:-1]))
    found = {case: corners(list(zip(low[case], high[case], strict=True))) for case in cases}
    most = max(map(len, found.values()))
    rows = np.empty((*low.shape[:-1], most, size), dtype=object)
    allowed = np.zeros((*low.shape[:-1], most), dtype=np.bool_)
    for case, made in found.items():
        for option in range(most):
            rows[(*case, option)] = made[min(option, len(made) - 1)]
            allowed[(*case, option)] = option < len(made)
    return Choice(variable, parents, rows, allowed, False)


def corners(ends: Sequence[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, ...]]:
    """The corners of the distributions between given ends: all entries but one at an end of their interval.

    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> [tuple(map(str, corner)) for corner in corners([(Fraction(0), Fraction(3, 10)), (half, one)])]
    [('0', '1'), ('3/10', '7/10')]
    """
    found: set[tuple[Fraction, ...]] = set()
    for free, (low, high) in enumerate(ends):
        for others in product(*(set(ends[place]) for place in range(len(ends)) if place != free)):
            rest = 1 - sum(others, Fraction(0))
            if low <= rest <= high:
                found.add((*others[:free], rest, *others[free:]))
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Adversary:
    """The domains among which one adversary picks; `name` is that of a named domain, else None."""

    name: str | None
    choices: Mapping[str, Choice]


@dataclass(frozen=True)
class SelectionModel:
    """A selection diagram with the numbers of its stable mechanisms.

    `parents` are those of every variable, `stable` the mechanisms that never change, axes (parents.., values);
    `given` are the domains that the program spells out, for comparison.
    """

    diagram: SelectionDiagram
    labels: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]
    stable: Mapping[str, Array]
    adversaries: tuple[Adversary, ...]
    given: tuple[Adversary, ...]
    semiring: Semiring

    @property
    def outcome(self) -> str:
        """The variable to predict."""
        return self.diagram.outcome

    @cached_property
    def changing(self) -> frozenset[str]:
        """The variables whose mechanisms change."""
        return frozenset(self.adversaries[0].choices)

    @cached_property
    def unrestricted(self) -> bool:
        """Whether some adversary may make any mechanism: only then does the condition on the graph settle anything."""
        return any(all(choice.free for choice in each.choices.values()) for each in self.adversaries)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All variables, causes first."""
        return self.diagram.whole.names

    def size(self, names: Iterable[str]) -> int:
        """The number of cases of some variables."""
        return math.prod(len(self.labels[name]) for name in names)

    def ancestors(self, names: Iterable[str], cut: bool) -> tuple[str, ...]:
        """The variables with their ancestors, causes first; where `cut`, those of changing mechanisms do not count."""
        whole = self.diagram.whole
        mask = whole.ancestors(whole.mask(names), cut=whole.mask(self.changing) if cut else 0)
        return whole.members(mask)

    def decisions(self, names: Iterable[str]) -> tuple[str, ...]:
        """The changing mechanisms that the joint distribution of some variables depends on, causes first."""
        return tuple(name for name in self.ancestors(names, cut=False) if name in self.changing)

    def factors(self, axes: Sequence[str]) -> list[Factor]:
        """The mechanisms whose product is P(axes | do(changing)) once the rest is summed out."""
        needed = [name for name in self.ancestors(axes, cut=True) if name not in self.changing]
        found = [Factor((*self.parents[name], name), self.stable[name]) for name in needed]
        covered = {axis for factor in found for axis in factor.axes}
        ones = [Factor((name,), self.ones(name)) for name in axes if name not in covered]
        return found + ones

    def ones(self, name: str) -> Array:
        """A vector of ones over a variable's values."""
        made = np.empty(len(self.labels[name]), dtype=self.semiring.dtype)
        made[...] = self.semiring.number(Fraction(1))
        return made

    def joint(self, axes: Sequence[str]) -> Array:
        """P(axes | do(changing)) with its axes in that order; changing variables that matter must be among them.

        Raises `SutureError` S603 beyond the budget.
        """
        return contract(self.factors(axes), axes, semiring=self.semiring)

    def sorted(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names, each once, causes first."""
        chosen = set(names)
        return tuple(name for name in self.order if name in chosen)
