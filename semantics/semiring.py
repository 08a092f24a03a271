"""Semirings: what the entries of arrays are, and how they are multiplied and summed.

A contraction sums products, and needs no more of its entries than a commutative semiring: the same plan gives
probabilities, their logarithms, the most probable case, the support, exact rationals and closed forms in parameters
(Aji and McEliece 2000, "The generalized distributive law").  The vocabulary is closed:

| | entries | sum | product | zero, one |
|---|---|---|---|---|
| `PROBABILITY` | float64 | + | x | 0, 1 |
| `LOGARITHM` | logarithms of probabilities | log(exp a + exp b) | + | -inf, 0 |
| `MAXIMUM` | float64, at least zero | max | x | 0, 1 |
| `TROPICAL` | logarithms of probabilities | max | + | -inf, 0 |
| `BOOLEAN` | bool | or | and | False, True |
| `RATIONAL` | `Fraction` in object arrays | + | x | 0, 1 |
| `symbolic.ClosedForm` | rational functions in parameters | + | x | 0, 1 |

Every one of them divides by what is not zero, so quotients of contractions have a meaning too.  `of` takes
probabilities there; between the first two and into `BOOLEAN` it respects sums and products, into the maxima products
alone.  The operations run on numpy, and but for exact entries on jax.numpy, whichever `space` is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

BLOCK = 1 << 18
"""Entries that a product without a fast routine may hold at once beyond its result."""


class Semiring(ABC):
    """What the entries of arrays are; instances hold no state that changes."""

    name: str
    exact: bool = False
    dtype: type = np.float64
    scaled: bool = False
    """Whether a power of two can be taken out of every entry, so that long products do not underflow."""

    @abstractmethod
    def number(self, value: Fraction) -> Any:
        """An entry for a rational number."""

    @abstractmethod
    def times(self, left: Array, right: Array, space: Any = np) -> Array:
        """The product entry by entry, axes broadcast."""

    @abstractmethod
    def plus(self, left: Array, right: Array, space: Any = np) -> Array:
        """The sum entry by entry, axes broadcast."""

    @abstractmethod
    def total(self, values: Array, axes: tuple[int, ...], space: Any = np) -> Array:
        """The sum over some axes."""

    @abstractmethod
    def over(self, left: Array, right: Array) -> Array:
        """The quotient entry by entry, where no divisor is zero."""

    def matrix(self, left: Array, right: Array, space: Any = np) -> Array:
        """Products of matrices: of shapes (.., rows, inner) and (.., inner, columns), giving (.., rows, columns).

        In numpy by blocks of the inner axis, so that little more than the result is held at once.
        """
        inner, cells = left.shape[-1], math.prod(left.shape) * right.shape[-1]
        block = inner if space is not np or cells <= BLOCK else max(1, inner * BLOCK // cells)
        made = self._block(left, right, 0, block, space)
        for start in range(block, inner, block):
            made = self.plus(made, self._block(left, right, start, start + block, space), space)
        return made

    def _block(self, left: Array, right: Array, start: int, end: int, space: Any) -> Array:
        wide, tall = left[..., :, start:end, None], right[..., None, start:end, :]
        return self.total(self.times(wide, tall, space), (-2,), space)

    def is_zero(self, values: Array) -> NDArray[np.bool_]:
        """Which entries are zero; rounding never makes a positive sum of products zero."""
        return np.asarray(values == self.number(Fraction(0)), dtype=np.bool_)

    def is_one(self, values: Array) -> NDArray[np.bool_]:
        """Which entries are one."""
        return np.asarray(values == self.number(Fraction(1)), dtype=np.bool_)

    def of(self, probabilities: Array, space: Any = np) -> Array:
        """Probabilities, as floats, as entries."""
        return probabilities

    def result(self, values: Array) -> Array:
        """The entries in the form a caller sees."""
        return values

    def array(self, values: Sequence[Fraction]) -> Array:
        """A vector of rational numbers."""
        made = np.empty(len(values), dtype=self.dtype)
        for place, value in enumerate(values):
            made[place] = self.number(value)
        return made

    def as_array(self, values: Any) -> Array:
        """`values` as an array of this semiring, a bare entry as an array without axes."""
        if isinstance(values, np.ndarray):
            return values
        made = np.empty((), dtype=self.dtype)
        made[()] = values
        return made

    def divide(self, numerator: Array, denominator: Array) -> tuple[Array, NDArray[np.bool_]]:
        """The quotient, zero where the denominator is, and which entries those are."""
        undetermined = np.asarray(self.is_zero(denominator))
        safe = np.where(undetermined, self.as_array(self.number(Fraction(1))), denominator)
        zero = self.as_array(self.number(Fraction(0)))
        return self.as_array(np.where(undetermined, zero, self.over(numerator, safe))), undetermined


class Field(Semiring):
    """Ordinary sums and products."""

    def times(self, left: Array, right: Array, space: Any = np) -> Array:
        """a b."""
        return left * right

    def plus(self, left: Array, right: Array, space: Any = np) -> Array:
        """a + b."""
        return left + right

    def total(self, values: Array, axes: tuple[int, ...], space: Any = np) -> Array:
        """The sum."""
        return values.sum(axis=axes)

    def over(self, left: Array, right: Array) -> Array:
        """a / b."""
        return left / right

    def matrix(self, left: Array, right: Array, space: Any = np) -> Array:
        """The matrix product."""
        return left.dot(right) if left.ndim == right.ndim == 2 else space.matmul(left, right)


class Probability(Field):
    """float64."""

    name = "probability"
    scaled = True

    def number(self, value: Fraction) -> float:
        """The nearest float."""
        return float(value)


class Rational(Field):
    """Exact rationals, as `Fraction` in object arrays."""

    name = "rational"
    exact = True
    dtype = object

    def number(self, value: Fraction) -> Fraction:
        """The number itself."""
        return Fraction(value)

    def of(self, probabilities: Array, space: Any = np) -> Array:
        """Each float exactly."""
        return self.as_array(np.vectorize(Fraction, otypes=[object])(probabilities))


class _Logs(Semiring):
    """Logarithms of probabilities, whose product is the sum."""

    def number(self, value: Fraction) -> float:
        """The logarithm."""
        return math.log(value) if value else -math.inf

    def times(self, left: Array, right: Array, space: Any = np) -> Array:
        """a + b."""
        return left + right

    def over(self, left: Array, right: Array) -> Array:
        """a - b."""
        return left - right

    def of(self, probabilities: Array, space: Any = np) -> Array:
        """Their logarithms."""
        with np.errstate(divide="ignore"):
            return space.log(probabilities)


class Logarithm(_Logs):
    """Logarithms, summed as the probabilities they stand for."""

    name = "logarithm"

    def plus(self, left: Array, right: Array, space: Any = np) -> Array:
        """log(exp a + exp b)."""
        return space.logaddexp(left, right)

    def total(self, values: Array, axes: tuple[int, ...], space: Any = np) -> Array:
        """The logarithm of the sum, the largest taken out first."""
        top = values.max(axis=axes, keepdims=True)
        top = space.where(space.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore"):
            made = space.log(space.exp(values - top).sum(axis=axes, keepdims=True)) + top
        return made.squeeze(axis=axes)


class Tropical(_Logs):
    """Logarithms of probabilities, of which the largest is taken: the most probable case."""

    name = "tropical"

    def plus(self, left: Array, right: Array, space: Any = np) -> Array:
        """max(a, b)."""
        return space.maximum(left, right)

    def total(self, values: Array, axes: tuple[int, ...], space: Any = np) -> Array:
        """The largest."""
        return values.max(axis=axes)


class Maximum(Semiring):
    """Probabilities, of which the largest is taken: the most probable case."""

    name = "maximum"
    scaled = True

    def number(self, value: Fraction) -> float:
        """The nearest float."""
        return float(value)

    def times(self, left: Array, right: Array, space: Any = np) -> Array:
        """a b."""
        return left * right

    def plus(self, left: Array, right: Array, space: Any = np) -> Array:
        """max(a, b)."""
        return space.maximum(left, right)

    def total(self, values: Array, axes: tuple[int, ...], space: Any = np) -> Array:
        """The largest."""
        return values.max(axis=axes)

    def over(self, left: Array, right: Array) -> Array:
        """a / b."""
        return left / right


class Boolean(Semiring):
    """What is possible."""

    name = "boolean"
    exact = True
    dtype = np.bool_

    def number(self, value: Fraction) -> bool:
        """Whether it is not zero."""
        return bool(value)

    def times(self, left: Array, right: Array, space: Any = np) -> Array:
        """a and b."""
        return left & right

    def plus(self, left: Array, right: Array, space: Any = np) -> Array:
        """a or b."""
        return left | right

    def total(self, values: Array, axes: tuple[int, ...], space: Any = np) -> Array:
        """Whether any is true."""
        return space.any(values, axis=axes)

    def over(self, left: Array, right: Array) -> Array:
        """a, since the only divisor is true."""
        return left & right

    def of(self, probabilities: Array, space: Any = np) -> Array:
        """Their support."""
        return probabilities > 0


PROBABILITY = Probability()
LOGARITHM = Logarithm()
MAXIMUM = Maximum()
TROPICAL = Tropical()
BOOLEAN = Boolean()
RATIONAL = Rational()
NUMERIC: tuple[Semiring, ...] = (PROBABILITY, LOGARITHM, MAXIMUM, TROPICAL, BOOLEAN)
"""Those whose entries are numbers of the machine."""
