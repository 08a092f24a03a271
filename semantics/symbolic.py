"""Exact symbolic semantics in SymPy: rationals, and closed forms in the parameters of a model.

`SymbolicStochastic` is the vocabulary of a Markov category on SymPy matrices.  `ClosedForm` is the same as a semiring
for the planned contraction: entries are elements of the field of rational functions that a model's entries generate,
so that they stay in lowest terms and zero is recognised.  A denominator counts as zero where it is so for every value
of the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy.polys.fields import FracField, sfield

from ..dsl.diagram import Box
from .base import Semantics
from .semiring import RATIONAL, Array, Field
from .stochastic import box_array


def expression(value: Any) -> sympy.Expr:
    """A Fraction, a float or a SymPy expression as a SymPy expression."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    made = sympy.sympify(value)
    if not isinstance(made, sympy.Expr):
        raise TypeError(f"not an expression: {value!r}")
    return made


class ClosedForm(Field):
    """The field of rational functions in whatever the given expressions contain (parameters, `exp(p)`, ..)."""

    name = "symbolic"
    exact = True
    dtype = object

    def __init__(self, entries: Iterable[Any]) -> None:
        distinct = sorted({expression(entry) for entry in entries} | {sympy.Integer(1)}, key=sympy.default_sort_key)
        made: tuple[FracField, list[Any]] = sfield(distinct)
        self.field = made[0]
        self._elements: dict[sympy.Expr, Any] = dict(zip(distinct, made[1], strict=True))
        self._tied = any(not generator.is_Symbol for generator in self.field.symbols)

    def element(self, entry: Any) -> Any:
        """The field's element for one of the entries the field was made from."""
        return self._elements[expression(entry)]

    def elements(self, values: Array) -> Array:
        """An array of entries as elements of the field."""
        made = np.empty(values.shape, dtype=object)
        for place in np.ndindex(*values.shape):
            made[place] = self.element(values[place])
        return made

    def number(self, value: Fraction) -> Any:
        """The constant of the field."""
        return self.field(value.numerator) / self.field(value.denominator)

    def is_zero(self, values: Array) -> NDArray[np.bool_]:
        """Entries that are zero, in the field or, where its generators are tied to one another, as numbers.

        The field takes `sqrt(2)`, `sqrt(3)` and `sqrt(6)` for independent, so their ties are seen by evaluating at two
        points in general position to sixty digits.
        """
        found = np.asarray(values == self.number(Fraction(0)), dtype=np.bool_)
        if not self._tied or bool(found.all()):
            return found
        made, entries = np.array(found), np.asarray(values)
        for place in np.ndindex(*made.shape):
            entry: Any = entries[place]
            made[place] = made[place] or _vanishes(entry.as_expr())
        return made

    def result(self, values: Array) -> Array:
        """Entries as SymPy expressions, factored where that is shorter."""
        made = np.empty(values.shape, dtype=object)
        for place in np.ndindex(*values.shape):
            entry: Any = values[place]
            made[place] = tidy(entry.as_expr())
        return made


def _vanishes(value: Any) -> bool:
    """Whether an expression is zero at two points in general position, to about fifty digits."""
    names = sorted(value.free_symbols, key=str)
    for start in (7, 29):
        point = {name: sympy.Rational(start + 2 * place, 11 + 3 * place) for place, name in enumerate(names)}
        number: Any = value.subs(point).evalf(60)
        if not number.is_comparable or abs(number) > sympy.Float("1e-50"):
            return False
    return True


def tidy(value: sympy.Expr) -> sympy.Expr:
    """The shortest of a few equal forms.

    >>> p = sympy.Symbol("p")
    >>> tidy(p - p**2), tidy(1 - p)
    (p*(1 - p), 1 - p)
    """
    factor: Any = sympy.factor
    above, below = sympy.fraction(sympy.together(value))
    forms: list[Any] = [value, factor(value)]
    for sign in (1, -1):
        forms.append(_positive(factor(sign * above)) / _positive(factor(sign * below)))
    return min(forms, key=_length)


def _length(form: sympy.Expr) -> tuple[int, int, bool, str]:
    """How much there is to read, minus signs last."""
    text = str(form)
    return int(sympy.count_ops(form)), text.count("-"), text.startswith("-"), text


def _positive(value: sympy.Expr) -> sympy.Expr:
    """`-p*(p - 1)` as `p*(1 - p)`: the sign goes into a factor."""
    sums = [factor for factor in sympy.Mul.make_args(value) if isinstance(factor, sympy.Add)]
    if sums and value.could_extract_minus_sign():
        return sympy.Mul(-value / sums[0], sympy.expand(-sums[0]))
    return value


@dataclass(frozen=True)
class SymbolicStochastic(Semantics[Any]):
    """Stochastic matrices with SymPy entries; `arrays` hold Fractions or expressions, axes (inputs.., outputs..)."""

    labels: Mapping[str, tuple[str, ...]]
    arrays: Mapping[str, Array]

    def size(self, types: Sequence[str]) -> int:
        """The number of values of a product of objects."""
        return math.prod(len(self.labels[name]) for name in types)

    def wire(self, types: Sequence[str]) -> Any:
        """The identity matrix."""
        size = self.size(types)
        return sympy.SparseMatrix(size, size, {(place, place): 1 for place in range(size)})

    def box(self, box: Box, domain: Sequence[str], codomain: Sequence[str]) -> Any:
        """The box's array with its outputs as rows and its inputs as columns."""
        values = box_array(box, codomain[0] if codomain else "", self.labels, self.arrays, RATIONAL)
        table = values.reshape(self.size(domain), self.size(codomain))
        entries = {(row, column): expression(table[column, row]) for column, row in np.ndindex(*table.shape)}
        return sympy.SparseMatrix(*table.T.shape, entries)

    def then(self, first: Any, second: Any) -> Any:
        """The matrix product."""
        return second * first

    def beside(self, first: Any, second: Any) -> Any:
        """The Kronecker product."""
        rows, columns = second.shape
        below = second.todok().items()
        entries = {
            (row * rows + lower, column * columns + right): left_entry * right_entry
            for (row, column), left_entry in first.todok().items()
            for (lower, right), right_entry in below
        }
        return sympy.SparseMatrix(first.shape[0] * rows, first.shape[1] * columns, entries)

    def swap(self, first: str, second: str) -> Any:
        """The permutation of a product."""
        left, right = self.size([first]), self.size([second])
        entries = {(j * left + i, i * right + j): 1 for i in range(left) for j in range(right)}
        return sympy.SparseMatrix(left * right, left * right, entries)

    def copy(self, type: str) -> Any:
        """The diagonal."""
        size = self.size([type])
        return sympy.SparseMatrix(size * size, size, {(place * (size + 1), place): 1 for place in range(size)})

    def discard(self, type: str) -> Any:
        """A row of ones."""
        size = self.size([type])
        return sympy.SparseMatrix(1, size, {(0, place): 1 for place in range(size)})

    def disintegrate(self, joint: Any, first: Sequence[str], second: Sequence[str]) -> Any:
        """The conditional of `second` given `first`; uniform in columns of probability zero."""
        left, right = self.size(first), self.size(second)
        table = joint.reshape(left, right)
        totals = [sympy.cancel(sum(table.row(place), sympy.Integer(0))) for place in range(left)]

        def entry(row: int, column: int) -> Any:
            total = totals[column]
            return sympy.Rational(1, right) if total == 0 else sympy.cancel(table[column, row] / total)

        entries = {(row, column): entry(row, column) for row in range(right) for column in range(left)}
        return sympy.SparseMatrix(right, left, entries)

    def equal(self, first: Any, second: Any) -> bool:
        """Equal as rational functions."""
        return first.shape == second.shape and all(
            sympy.cancel(entry) == 0 for entry in (first - second).todok().values()
        )
