"""Laws of real variables as answers: mixtures of normal laws, their moments, how they are shown and sent.

Entries are Fractions, SymPy expressions in parameters, or floats.  Moments of a normal law are Isserlis' (1918): the
mean of a product is the sum over pairings, single ones left at their means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

Number: TypeAlias = Any
"""A Fraction, a float, or a SymPy expression."""

MOST_LINES = 12
"""Components of a mixture that are shown as text; the JSON has all of them."""

MOST_TIDIED = 400
"""Operations in a closed form up to which shorter forms of it are looked for."""

MOST_EXACT = 30
"""The longest exact form that is shown beside decimals."""


@dataclass(frozen=True, slots=True)
class Component:
    """A normal law with its share of a mixture; shapes: `mean` variables, `covariance` variables by variables."""

    weight: Number
    mean: tuple[Number, ...]
    covariance: tuple[tuple[Number, ...], ...]

    def moment(self, places: Sequence[int]) -> Number:
        """The mean of the product of the variables at `places`, which may repeat.

        >>> Component(Fraction(1), (Fraction(0),), ((Fraction(2),),)).moment([0, 0, 0, 0])
        Fraction(12, 1)
        """

        @cache
        def mean_of(rest: tuple[int, ...]) -> Number:
            if not rest:
                return Fraction(1)
            first, others = rest[0], rest[1:]
            total = self.mean[first] * mean_of(others)
            for number, other in enumerate(others):
                total = total + self.covariance[first][other] * mean_of((*others[:number], *others[number + 1 :]))
            return total

        return mean_of(tuple(sorted(places)))


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """The joint law of some real variables as a mixture of normal laws.

    The weights sum to one; beside finite outcomes, as in `P(T, Y)`, to their probability.  Where that is zero, there
    are no components, and no moments.
    """

    variables: tuple[str, ...]
    components: tuple[Component, ...]

    @property
    def mass(self) -> Number:
        """The sum of the weights."""
        return _total(component.weight for component in self.components)

    @property
    def mean(self) -> tuple[Number | None, ...]:
        """The mean of each variable."""
        if not self.components:
            return (None,) * len(self.variables)
        return tuple(self.moment([place]) for place in range(len(self.variables)))

    @property
    def covariance(self) -> tuple[tuple[Number | None, ...], ...]:
        """The covariance of each pair of variables."""
        places = range(len(self.variables))
        if not self.components:
            return ((None,) * len(places),) * len(places)
        mean = [self.moment([place]) for place in places]
        return tuple(tuple(self.moment([i, j]) - mean[i] * mean[j] for j in places) for i in places)

    def moment(self, places: Sequence[int]) -> Number:
        """The mean of the product of the variables at `places`."""
        return _total(part.weight * part.moment(places) for part in self.components) / self.mass

    @property
    def exact(self) -> bool:
        """Whether no entry is a float."""
        return not any(isinstance(number, float) for part in self.components for number in _numbers(part))

    def lines(self) -> tuple[str, ...]:
        """The law in words, floats to six digits and beside them, where short, what they are exactly."""
        return tuple(_lines(self))

    def __str__(self) -> str:
        return "; ".join(_lines(self))

    def to_dict(self, exact: bool = False) -> dict[str, Any]:
        """The law as JSON-ready data: floats, null where they depend on parameters; or exact entries as text."""
        write = _exact_text if exact else as_float
        return {
            "variables": list(self.variables),
            "mean": [write(number) for number in self.mean],
            "covariance": [[write(number) for number in row] for row in self.covariance],
            "components": [
                {
                    "weight": write(part.weight),
                    "mean": [write(number) for number in part.mean],
                    "covariance": [[write(number) for number in row] for row in part.covariance],
                }
                for part in self.components
            ],
        }


def as_float(number: Number) -> float | None:
    """A number as a float; None where it depends on parameters, or there is none."""
    return None if number is None or getattr(number, "free_symbols", None) else float(number)


def _exact_text(number: Number) -> str | None:
    return None if number is None else str(number)


def simplest(value: Any) -> Number:
    """A SymPy expression in a short form, as a Fraction where it is rational; long ones stay as they are.

    So do exponentials, since `exp(1000)` is factored as a power of `exp(1)`.
    """
    import sympy

    from ..symbolic import tidy

    made: Any = sympy.sympify(value)
    if not made.is_Rational and not made.has(sympy.exp) and sympy.count_ops(made) <= MOST_TIDIED:
        made = tidy(made)
    return Fraction(int(made.p), int(made.q)) if made.is_Rational else made


def _total(numbers: Iterator[Number]) -> Number:
    first = next(numbers, Fraction(0))
    for number in numbers:
        first = first + number
    return first


def _numbers(part: Component) -> Iterator[Number]:
    yield part.weight
    yield from part.mean
    for row in part.covariance:
        yield from row


# ---------------------------------------------------------------------------------------------------------------------
# Words


def _lines(law: Law) -> Iterator[str]:
    """One line a component, the weight first where there are several."""
    names = law.variables[0] if len(law.variables) == 1 else f"({', '.join(law.variables)})"
    if not law.components:
        yield f"{names}: probability 0"
    for place, part in enumerate(law.components[:MOST_LINES]):
        opening = f"{names} ~ " if not place else "+ ".rjust(len(names) + 3)
        plain, exact = (_component(part, write) for write in (decimal, str))
        beside = f"  = {exact}" if law.exact and exact != plain and len(exact) <= MOST_EXACT else ""
        yield f"{opening}{plain}{beside}"
    if len(law.components) > MOST_LINES:
        yield f"… {len(law.components) - MOST_LINES} more components (all of them with --json)"


def _component(part: Component, write: Callable[[Number], str]) -> str:
    share = "" if part.weight == 1 else f"{write(part.weight)} "
    mean = ", ".join(map(write, part.mean))
    if len(part.mean) != 1:
        rows = ", ".join(f"({', '.join(map(write, row))})" for row in part.covariance)
        return f"{share}Normal, mean ({mean}), covariance ({rows})"
    deviation = square_root(part.covariance[0][0])
    return f"{share}always {mean}" if deviation == 0 else f"{share}Normal({mean}, {write(deviation)})"


def square_root(variance: Number) -> Number:
    """The square root: of a float as a float, otherwise exact.

    >>> square_root(Fraction(9, 4)), square_root(Fraction(2))
    (Fraction(3, 2), sqrt(2))
    """
    if isinstance(variance, float):
        return max(variance, 0.0) ** 0.5
    import sympy

    given: Any = variance
    if isinstance(variance, Fraction):
        given = sympy.Rational(variance.numerator, variance.denominator)
    root: Any = sympy.sqrt(sympy.factor(given))
    return Fraction(int(root.p), int(root.q)) if root.is_Rational else root


def decimal(number: Number) -> str:
    """A number to six digits; what depends on parameters as it is written."""
    value = as_float(number)
    return str(number) if value is None else f"{value:.6g}"
