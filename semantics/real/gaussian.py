"""The Markov category of linear maps with normal noise: `x -> matrix x + mean + N(0, covariance)`.

Objects are spaces of real vectors, `dimensions` says how long; morphisms are `Gaussian`s (Fritz, "A synthetic approach
to Markov kernels", 2020, section 6).  Composition, copying and discarding are linear algebra.  Conditionals exist for
every joint law, also where its covariance is singular (example 11.8 there): what is regressed on is a largest set of
coordinates that are not functions of one another, which is a generalised inverse of the covariance and agrees with its
pseudo-inverse on the support.  Entries are of any field: floats, exact rationals, closed forms in parameters.

There is no uniform state on the real numbers, so a cut that puts one in has no meaning here; point states have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Box, Kind
from ...dsl.labels import number
from ..base import Semantics
from ..budget import meter
from ..semiring import PROBABILITY, Array, Field

TOLERANCE = 1e-12
"""A variance in floats counts as zero below this share of the variance before conditioning: rounding is far smaller."""

AGREEMENT = 1e-8
"""Two floats that ought to be equal may differ by this share of their size and spread."""


MOST_CLOSED = 20_000
"""Closed forms are divided while parameters times terms of the divisor times terms of the longest stay below this."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """A kernel `x -> matrix x + mean + N(0, covariance)`.

    Shapes: `matrix` outputs by inputs, `mean` outputs, `covariance` outputs by outputs.  A state has no inputs.
    """

    matrix: Array
    mean: Array
    covariance: Array

    @property
    def inputs(self) -> int:
        """How many numbers go in."""
        return self.matrix.shape[1]

    @property
    def outputs(self) -> int:
        """How many numbers come out."""
        return self.matrix.shape[0]


def zeros(field: Field, *shape: int) -> Array:
    """An array of zeros of the field."""
    made = np.empty(shape, dtype=field.dtype)
    made[...] = field.number(Fraction(0))
    return made


def identity(field: Field, size: int) -> Array:
    """The identity matrix over the field."""
    made = zeros(field, size, size)
    for place in range(size):
        made[place, place] = field.number(Fraction(1))
    return made


def product(field: Field, left: Array, right: Array) -> Array:
    """The matrix product, zeros of the field where the inner dimension is zero."""
    if not left.shape[1]:
        return zeros(field, left.shape[0], right.shape[1])
    return field.matrix(left, right)


def image(field: Field, matrix: Array, vector: Array) -> Array:
    """A matrix times a vector."""
    return product(field, matrix, vector[:, None])[:, 0]


def deterministic(field: Field, matrix: Array) -> Gaussian:
    """The linear map without noise."""
    return Gaussian(matrix, zeros(field, len(matrix)), zeros(field, len(matrix), len(matrix)))


# ---------------------------------------------------------------------------------------------------------------------
# Conditioning


@dataclass(frozen=True, slots=True, eq=False)
class Elimination:
    """Some coordinates of a normal vector taken out one after the other.

    `basis` are those that are not functions of the ones before, `variances` theirs given the ones before, `loadings`
    (coordinates by basis) how every coordinate moves with each innovation, `covariance` what is left of all of them;
    `tied` are the others, which the basis determines.
    """

    basis: tuple[int, ...]
    tied: tuple[int, ...]
    variances: tuple[Any, ...]
    loadings: Array
    covariance: Array

    def innovations(self, deviations: Array) -> Array:
        """The innovation of each basis coordinate, from the deviations of all coordinates from their means.

        Only the basis coordinates of `deviations` are read; further axes of it are carried along.
        """
        rows: list[Any] = []
        for place, coordinate in enumerate(self.basis):
            value = deviations[coordinate]
            for before in range(place):
                value = value - self.loadings[coordinate, before] * rows[before]
            rows.append(value)
        made = np.empty((len(rows), *deviations.shape[1:]), dtype=deviations.dtype)
        for place, row in enumerate(rows):
            made[place] = row
        return made


def eliminate(covariance: Array, given: Sequence[int], field: Field) -> Elimination:
    """Condition a normal vector on the coordinates `given`, whatever their values; its mean plays no part.

    Exact fields take the coordinates as they come; floats take first the one that keeps most of its variance, so that
    what counts as determined does not hang on rounding.
    """
    left = covariance.copy()
    start = [covariance[place, place] for place in range(len(covariance))]
    waiting, basis, variances, columns = list(given), list[int](), list[Any](), list[Array]()
    while waiting:
        chosen = _next(left, start, waiting, field)
        if chosen is None:
            break
        meter().tick()
        _require_short(left, chosen, field)
        waiting.remove(chosen)
        variance = left[chosen, chosen]
        column = left[:, chosen] / variance
        left = left - column[:, None] * left[chosen][None, :]
        basis.append(chosen)
        variances.append(variance)
        columns.append(column)
    loadings = np.stack(columns, axis=1) if columns else zeros(field, len(covariance), 0)
    return Elimination(tuple(basis), tuple(waiting), tuple(variances), loadings, left)


def _next(left: Array, start: Sequence[Any], waiting: Sequence[int], field: Field) -> int | None:
    """The next coordinate that still varies."""
    if field.exact:
        return next((place for place in waiting if not _is_zero(left[place, place], field)), None)
    shares = [left[place, place] / start[place] if start[place] > 0 else 0.0 for place in waiting]
    best = max(range(len(waiting)), key=lambda place: shares[place])
    return waiting[best] if shares[best] > TOLERANCE else None


def _require_short(left: Array, chosen: int, field: Field) -> None:
    """Refuse to divide by closed forms that would take minutes to bring to lowest terms: S603."""
    if field.name != "symbolic":
        return
    closed: Any = field
    parameters = len(closed.field.gens)
    most = max(_terms(entry) for entry in left.flat)
    if parameters * most * _terms(left[chosen, chosen]) > MOST_CLOSED:
        message = (
            f"the closed form of this answer in {parameters} parameters has too many terms to be found in good time"
        )
        raise SutureError(Diagnostic("S603", message, help="give some of the parameters a number, or observe less"))


def _terms(entry: Any) -> int:
    return len(entry.numer) + len(entry.denom)


def _is_zero(value: Any, field: Field) -> bool:
    return bool(field.is_zero(field.as_array(value)))


def conditional(joint: Gaussian, count: int, field: Field) -> Gaussian:
    """The kernel from the inputs and the first `count` outputs of a kernel to its other outputs.

    Where the first outputs are tied to one another, it is right on their support and extends linearly beyond it.
    """
    done = eliminate(joint.covariance, range(count), field)
    units = zeros(field, joint.outputs, count)
    units[:count] = identity(field, count)
    gain = product(field, done.loadings, done.innovations(units))[count:]
    matrix = joint.matrix[count:] - product(field, gain, joint.matrix[:count])
    mean = joint.mean[count:] - image(field, gain, joint.mean[:count])
    return Gaussian(np.concatenate([matrix, gain], axis=1), mean, done.covariance[count:, count:])


# ---------------------------------------------------------------------------------------------------------------------
# The category


@dataclass(frozen=True)
class LinearGaussian(Semantics[Gaussian]):
    """The vocabulary of a Markov category on `Gaussian`s.

    `dimensions` says how long the vectors of every object are, `kernels` what every mechanism is; their entries are of
    `field`.
    """

    dimensions: Mapping[str, int]
    kernels: Mapping[str, Gaussian]
    field: Field = PROBABILITY

    def size(self, types: Sequence[str]) -> int:
        """The dimension of a product of objects."""
        return sum(self.dimensions[name] for name in types)

    def wire(self, types: Sequence[str]) -> Gaussian:
        """The identity."""
        return deterministic(self.field, identity(self.field, self.size(types)))

    def box(self, box: Box, domain: Sequence[str], codomain: Sequence[str]) -> Gaussian:
        """A mechanism's kernel, or the point state at a number (of a vector: at that number in every component).

        Raises `SutureError` S454 for the uniform state.
        """
        match box.kind:
            case Kind.MECHANISM | Kind.TOOTH:
                if box.name not in self.kernels:
                    raise ValueError(f"no kernel is given for the box {box.name!r}")
                return self.kernels[box.name]
            case Kind.UNIFORM:
                message = f"there is no uniform law on the real numbers, to which {box.name} could be set"
                raise SutureError(Diagnostic("S454", message, help=f"set it to a number: do({box.name} = 0)"))
            case Kind.POINT:
                value = number(str(box.value))
                if value is None:
                    raise ValueError(f"the point state of {box.name!r} is no number: {box.value!r}")
                size = self.size(codomain)
                state = deterministic(self.field, zeros(self.field, size, 0))
                return Gaussian(state.matrix, self.field.array([value] * size), state.covariance)

    def then(self, first: Gaussian, second: Gaussian) -> Gaussian:
        """The composite: noise of the first passes through the second."""
        mean = image(self.field, second.matrix, first.mean) + second.mean
        passed = product(self.field, product(self.field, second.matrix, first.covariance), second.matrix.T)
        return Gaussian(product(self.field, second.matrix, first.matrix), mean, passed + second.covariance)

    def beside(self, first: Gaussian, second: Gaussian) -> Gaussian:
        """The direct sum, with independent noise."""
        mean = np.concatenate([first.mean, second.mean])
        return Gaussian(self._sum(first.matrix, second.matrix), mean, self._sum(first.covariance, second.covariance))

    def _sum(self, first: Array, second: Array) -> Array:
        made = zeros(self.field, first.shape[0] + second.shape[0], first.shape[1] + second.shape[1])
        made[: first.shape[0], : first.shape[1]] = first
        made[first.shape[0] :, first.shape[1] :] = second
        return made

    def swap(self, first: str, second: str) -> Gaussian:
        """The exchange of two blocks."""
        both = identity(self.field, self.size([first, second]))
        left = self.size([first])
        return deterministic(self.field, np.concatenate([both[left:], both[:left]]))

    def copy(self, type: str) -> Gaussian:
        """Two equal blocks."""
        one = identity(self.field, self.size([type]))
        return deterministic(self.field, np.concatenate([one, one]))

    def discard(self, type: str) -> Gaussian:
        """The map to the space of dimension zero."""
        return deterministic(self.field, zeros(self.field, 0, self.size([type])))

    def disintegrate(self, joint: Gaussian, first: Sequence[str], second: Sequence[str]) -> Gaussian:
        """The conditional of `second` given `first`, right on the support of `first`."""
        if self.size(first) + self.size(second) != joint.outputs:
            raise ValueError("the two sides are not the outputs of the joint law")
        return conditional(joint, self.size(first), self.field)

    def equal(self, first: Gaussian, second: Gaussian) -> bool:
        """Equal entries; floats up to 1e-9 of the largest."""
        pairs = [(first.matrix, second.matrix), (first.mean, second.mean), (first.covariance, second.covariance)]
        return all(self._same(left, right) for left, right in pairs)

    def _same(self, left: Array, right: Array) -> bool:
        if left.shape != right.shape:
            return False
        if self.field.exact:
            return bool(np.all(self.field.is_zero(left - right)))
        scale = max(1.0, float(np.max(np.abs(left), initial=0.0)))
        return bool(np.allclose(left, right, rtol=0.0, atol=1e-9 * scale))
