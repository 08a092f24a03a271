"""A linear-Gaussian model in which some mechanisms may change, and every variable as a sum of noises and set values.

Stable mechanisms are affine in their parents with independent normal noise.  A mutable mechanism is either `AnyValue`,
any function of the parents into an interval (or into all real numbers), random ones included; or `Corners`, one of
finitely many linear mechanisms: the corners of a box where coefficients lie in intervals, one where a domain gives it.
Corners suffice, since for a fixed affine predictor the residual is affine in each coefficient, hence the risk convex.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from ...semantics.real.affine import Affine, Number
from ...semantics.semiring import PROBABILITY, RATIONAL, Array, Field
from .selection_diagram import SelectionDiagram


@dataclass(frozen=True, slots=True)
class AnyValue:
    """Any function of the parents with values from `low` to `high`; None where there is no bound."""

    variable: str
    parents: tuple[str, ...]
    low: Number | None = None
    high: Number | None = None

    @property
    def bounded(self) -> bool:
        """Whether the values are bounded."""
        return self.low is not None and self.high is not None

    @property
    def middle(self) -> Number:
        """The middle of the interval; zero where there is no bound."""
        return Fraction(0) if self.low is None or self.high is None else (self.low + self.high) / 2

    @property
    def half(self) -> Number:
        """Half the length of the interval."""
        return Fraction(0) if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Corners:
    """One of several linear mechanisms; `texts` are these in the language."""

    variable: str
    parents: tuple[str, ...]
    forms: tuple[Affine, ...]
    texts: tuple[str, ...]

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return len(self.forms) == 1


Freedom: TypeAlias = AnyValue | Corners


@dataclass(frozen=True, slots=True)
class LinearAdversary:
    """The domains among which one adversary picks; `name` is that of a named domain, else None."""

    name: str | None
    choices: Mapping[str, Freedom]

    @property
    def free(self) -> tuple[str, ...]:
        """The variables whose mechanism may be any function."""
        return tuple(name for name, choice in self.choices.items() if isinstance(choice, AnyValue))

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return not self.free and self.corners == 1

    @property
    def corners(self) -> int:
        """How many combinations of corners there are."""
        count = 1
        for choice in self.choices.values():
            count *= len(choice.forms) if isinstance(choice, Corners) else 1
        return count

    def combinations(self) -> Iterable[dict[str, int]]:
        """Every combination of corners: which one for each variable that has them."""
        owned = {name: choice for name, choice in self.choices.items() if isinstance(choice, Corners)}
        for places in product(*(range(len(choice.forms)) for choice in owned.values())):
            yield dict(zip(owned, places, strict=True))


@dataclass(frozen=True, slots=True)
class LinearDomain:
    """A domain of an adversary: its changing mechanisms as text, `:= 0` for example."""

    adversary: int
    mechanisms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class LinearSystem:
    """Variables as sums: `rows[variable]` has a coefficient for each of `noises` (independent, variance one), one for
    each of `inputs` (variables whose values are set), and the constant last.
    """

    noises: tuple[str, ...]
    inputs: tuple[str, ...]
    rows: Mapping[str, Array]

    def noise(self, row: Array) -> Array:
        """The part of a row that is random."""
        return row[: len(self.noises)]

    def effects(self, row: Array) -> Array:
        """What the set values do."""
        return row[len(self.noises) : -1]


@dataclass(frozen=True)
class LinearSelection:
    """A selection diagram with the affine forms of its stable mechanisms.

    `parents` are those of every variable that matters; `given` are the domains that the program spells out.  Numbers
    are Fractions where all of them are rational, else floats.
    """

    diagram: SelectionDiagram
    parents: Mapping[str, tuple[str, ...]]
    stable: Mapping[str, Affine]
    adversaries: tuple[LinearAdversary, ...]
    given: tuple[LinearAdversary, ...]
    numbers: Field

    @property
    def outcome(self) -> str:
        """The variable to predict."""
        return self.diagram.outcome

    @cached_property
    def changing(self) -> tuple[str, ...]:
        """The variables whose mechanisms change, causes first."""
        return tuple(name for name in self.order if name in self.adversaries[0].choices)

    @cached_property
    def unrestricted(self) -> bool:
        """Whether some adversary may make every mechanism any function, constants included."""
        return any(len(each.free) == len(each.choices) for each in self.adversaries)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables that matter, causes first."""
        return tuple(name for name in self.diagram.whole.names if name in self.parents)

    @cached_property
    def cut(self) -> LinearSystem:
        """The model with every mutable variable set from outside."""
        return self.system({})

    def system(self, mechanisms: Mapping[str, Affine]) -> LinearSystem:
        """The variables where some mutable mechanisms are linear and the other mutable variables are set."""
        forms = {**self.stable, **mechanisms}
        noises = tuple(name for name in self.order if name in forms and forms[name].noise != 0)
        inputs = tuple(name for name in self.order if name not in forms)
        places = {source: place for place, source in enumerate([("noise", name) for name in noises])}
        places |= {("value", name): len(noises) + place for place, name in enumerate(inputs)}
        size = len(noises) + len(inputs) + 1
        rows: dict[str, Array] = {}
        for name in self.order:
            row = self.zeros(size)
            if name in forms:
                form = forms[name]
                for parent, coefficient in form.coefficients:
                    row = row + rows[parent] * self.number(coefficient)
                row[-1] = row[-1] + self.number(form.constant)
                if form.noise != 0:
                    row[places["noise", name]] = self.number(form.noise)
            else:
                row[places["value", name]] = self.number(Fraction(1))
            rows[name] = row
        return LinearSystem(noises, inputs, rows)

    def number(self, value: Number) -> Any:
        """A number as an entry of rows."""
        return value if self.numbers.exact else float(value)

    def zeros(self, *shape: int) -> Array:
        """Zeros of the kind of number in use."""
        made = np.empty(shape, dtype=self.numbers.dtype)
        made[...] = self.numbers.number(Fraction(0))
        return made

    def as_floats(self) -> LinearSelection:
        """The model in float64."""
        return LinearSelection(self.diagram, self.parents, self.stable, self.adversaries, self.given, PROBABILITY)


def field_of(forms: Iterable[Affine]) -> Field:
    """Exact rationals where every number is one, else floats."""
    every = (value for form in forms for value in (form.constant, form.noise, *(each for _, each in form.coefficients)))
    return RATIONAL if all(isinstance(value, Fraction) for value in every) else PROBABILITY


def chosen(adversary: LinearAdversary, places: Mapping[str, int]) -> dict[str, Affine]:
    """The linear mechanisms of a combination of corners."""
    found: dict[str, Affine] = {}
    for name, place in places.items():
        choice = adversary.choices[name]
        assert isinstance(choice, Corners)
        found[name] = choice.forms[place]
    return found


def texts(adversary: LinearAdversary, places: Mapping[str, int]) -> list[tuple[str, str]]:
    """The mechanisms of a combination of corners in the language."""
    found: list[tuple[str, str]] = []
    for name, place in places.items():
        choice = adversary.choices[name]
        assert isinstance(choice, Corners)
        found.append((name, choice.texts[place]))
    return found


def held(adversary: LinearAdversary) -> list[tuple[str, Number]]:
    """Mechanisms that may be any function, each constant at the middle of its values."""
    return [(name, choice.middle) for name, choice in adversary.choices.items() if isinstance(choice, AnyValue)]
