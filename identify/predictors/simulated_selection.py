"""A model of real variables with mechanisms of any shape, some of which may change within bounds: it is simulated.

Mechanisms are equations in their parents and normal noise, or families of laws whose parameters depend on the parents;
each is a function of the parents and one standard draw.  So the same draws can be kept while mutable mechanisms change
(common random numbers), and everything that descends from them is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.program import Equation, Family
from ...semantics.environments.fourier_regression import FourierFit
from ...semantics.latent.expression_numbers import numbers
from .linear_selection import AnyValue
from .selection_diagram import SelectionDiagram

Floats = NDArray[np.float64]
Rows = Mapping[str, Any]
Draw = Callable[[np.random.Generator, int], Floats]
DRAWS: Mapping[str, Draw] = {
    "Normal": lambda generator, count: generator.standard_normal(count),
    "Uniform": lambda generator, count: generator.uniform(size=count),
    "Laplace": lambda generator, count: generator.laplace(size=count),
    "Logistic": lambda generator, count: generator.logistic(size=count),
    "Exponential": lambda generator, count: generator.exponential(size=count),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A mechanism that is one given equation or family; `text` is it in the language."""

    variable: str
    mechanism: Equation | Family
    text: str

    def draws(self, generator: np.random.Generator, count: int) -> Floats:
        """Standard draws of its noise."""
        law = "Normal" if isinstance(self.mechanism, Equation) else self.mechanism.name
        return DRAWS[law](generator, count)

    def value(self, rows: Rows, draw: Any, space: Any = np) -> Any:
        """The variable from its parents and a standard draw of its noise."""
        match self.mechanism:
            case Equation(_, expression):
                return space.broadcast_to(numbers(expression, rows, draw, space), draw.shape)
            case Family("Uniform", _, (low, high)):
                below, above = numbers(low, rows, space=space), numbers(high, rows, space=space)
                return below + (above - below) * draw
            case Family("Exponential", _, (rate,)):
                return draw / numbers(rate, rows, space=space)
            case Family(_, _, (centre, scale)):
                return numbers(centre, rows, space=space) + numbers(scale, rows, space=space) * draw
            case _:
                raise ValueError(f"no such family: {self.mechanism}")


@dataclass(frozen=True, slots=True, eq=False)
class Regressed:
    """A mechanism that was fitted to rows: a function of its causes, and as noise what the fit leaves of them."""

    variable: str
    parents: tuple[str, ...]
    fit: FourierFit
    residuals: Floats

    def draws(self, generator: np.random.Generator, count: int) -> Floats:
        """Residuals, drawn with replacement."""
        return generator.choice(self.residuals, count)

    def value(self, rows: Rows, draw: Any, space: Any = np) -> Any:
        """The variable from its causes and a residual."""
        if not self.parents:
            return self.fit.coefficients[0] + draw
        causes = space.stack([space.broadcast_to(rows[name], draw.shape) for name in self.parents], axis=-1)
        return self.fit.value(causes, space) + draw


@dataclass(frozen=True, slots=True)
class SimulatedAdversary:
    """What may become of the mutable mechanisms: values within bounds, or one given mechanism."""

    name: str | None
    choices: Mapping[str, AnyValue | Given]

    @property
    def free(self) -> tuple[str, ...]:
        """The variables whose mechanism may be any function within bounds."""
        return tuple(name for name, choice in self.choices.items() if isinstance(choice, AnyValue))

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return not self.free


@dataclass(frozen=True, slots=True)
class SimulatedDomain:
    """A domain of an adversary: its changing mechanisms as text."""

    adversary: int
    mechanisms: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SimulatedSelection:
    """A selection diagram with the stable mechanisms as functions.

    `parents` are those of every variable that matters; `given` are the domains that the program spells out; `seed`
    that of all draws.
    """

    diagram: SelectionDiagram
    parents: Mapping[str, tuple[str, ...]]
    stable: Mapping[str, Given | Regressed]
    adversaries: tuple[SimulatedAdversary, ...]
    given: tuple[SimulatedAdversary, ...]
    seed: int = 0

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

    def draws(self, count: int, stream: int) -> dict[str, Floats]:
        """Standard draws for every variable; each stream has its own."""
        generator = np.random.default_rng((self.seed, stream))
        found: dict[str, Floats] = {}
        for name in self.order:
            own = self.stable.get(name)
            found[name] = generator.standard_normal(count) if own is None else own.draws(generator, count)
        return found

    def made(self, draws: Rows, chosen: Callable[[str, Rows], Any], space: Any = np) -> dict[str, Any]:
        """Every variable from standard draws; mutable ones as `chosen` from what comes before them."""
        rows: dict[str, Any] = {}
        for name in self.order:
            own = self.stable.get(name)
            rows[name] = chosen(name, rows) if own is None else own.value(rows, draws[name], space)
        return rows

    def set_at_random(self, count: int, stream: int) -> dict[str, Floats]:
        """Rows in which every mutable variable is set, whatever its parents are: the law of do(x_M).

        Values are drawn by the arcsine law over the bounds of all adversaries, more of them near the ends, where
        adversaries go.  Raises `SutureError` S473 where a variable of the rows is not a number.
        """
        generator = np.random.default_rng((self.seed, stream, 1))
        ranges = {name: self.range(name) for name in self.changing}

        def chosen(name: str, _: Rows) -> Floats:
            low, high = ranges[name]
            return low + (high - low) * generator.beta(0.5, 0.5, size=count)

        rows = self.made(self.draws(count, stream), chosen)
        for name, values in rows.items():
            if not np.isfinite(values).all():
                message = f"{name} is not a finite number in {int((~np.isfinite(values)).sum()):,} of {count:,} rows"
                help_text = "look for a division by zero, or the log or root of what is negative"
                raise SutureError(Diagnostic("S499", message, help=help_text))
        return rows

    def range(self, name: str) -> tuple[float, float]:
        """The values of a mutable variable over all adversaries; of given mechanisms those that it mostly takes."""
        ends: list[tuple[float, float]] = []
        for adversary in (*self.adversaries, *self.given):
            choice = adversary.choices[name]
            if isinstance(choice, AnyValue):
                assert choice.low is not None
                assert choice.high is not None
                ends.append((float(choice.low), float(choice.high)))
            else:
                values = self.in_domain(adversary, 4000, 7)[name]
                low, high = np.quantile(values, [0.001, 0.999])
                ends.append((float(low), float(high)))
        return min(low for low, _ in ends), max(high for _, high in ends)

    def in_domain(
        self, adversary: SimulatedAdversary, count: int, stream: int, chosen: Callable[[str, Rows], Any] | None = None
    ) -> dict[str, Floats]:
        """Rows of a domain: given mechanisms as they are, free ones as `chosen`, else at the middle of their bounds."""
        draws = self.draws(count, stream)

        def value(name: str, rows: Rows) -> Any:
            choice = adversary.choices[name]
            if isinstance(choice, Given):
                return choice.value(rows, draws[name])
            return np.full(count, float(choice.middle)) if chosen is None else chosen(name, rows)

        return self.made(draws, value)
