"""Formulas as SymPy expressions, for those who go on calculating there.

A kernel becomes an undefined function named after it (`P(Tar | Smoke)`) of the values of its terms, in the order they
are written; a value is a symbol named after its label, its bound symbol or, where it is bare, its variable.  Sums are
SymPy sums over positions 0, 1, .. `n_Tar - 1` of the variable's values, or written out where the labels are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from .formula import (
    Constant,
    Formula,
    Kernel,
    Plus,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    ValueOf,
    canonical,
    fold,
    kernel_terms,
)
from .formula_text import kernel_text, term_text
from .labels import number

if TYPE_CHECKING:
    import sympy


def to_sympy(formula: Formula, labels: Mapping[str, Sequence[str]] | None = None) -> sympy.Expr:
    """The formula as a SymPy expression; with `labels` sums over those variables are written out.

    >>> from suture.dsl.formula_reader import read_formula
    >>> to_sympy(read_formula("sum{z} P(Y | X, Z=z) P(Z=z)"), {"Z": ("0", "1")})
    P(Y | X, Z)(Y, X, 0)*P(Z)(0) + P(Y | X, Z)(Y, X, 1)*P(Z)(1)
    """
    known = labels or {}
    return fold(canonical(formula), lambda node, below: _expression(node, below, known))


def _expression(node: Formula, below: tuple[Any, ...], labels: Mapping[str, Sequence[str]]) -> Any:
    import sympy

    match node:
        case Constant(value):
            return sympy.Rational(value.numerator, value.denominator)
        case ValueOf(term):
            return _number(term, labels)
        case Kernel():
            bare = Kernel(_bare(node.outcomes), _bare(node.given), _bare(node.do), node.source)
            return sympy.Function(kernel_text(bare))(*map(_value, kernel_terms(node)))
        case Product():
            return sympy.Mul(*below)
        case Ratio():
            return below[0] / below[1]
        case Sum(binders, _):
            return _summed(below[0], binders, labels)
        case Plus():
            return sympy.Add(*below)
        case _:
            assert_never(node)


def _bare(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(Term(term.variable, None, term.world, term.swap) for term in terms)


def _value(term: Term) -> Any:
    import sympy

    match term.value:
        case None:
            return sympy.Symbol(term_text(term))
        case Symbol():
            return _index(term.value)
        case str() as label:
            return sympy.Symbol(label)
        case _:
            assert_never(term.value)


def _index(symbol: Symbol) -> Any:
    import sympy

    return sympy.Symbol(symbol.name, integer=True)


def _number(term: Term, labels: Mapping[str, Sequence[str]]) -> Any:
    """The number a term stands for: of a label itself, of a bound symbol or a bare variable a function of its value."""
    import sympy

    if isinstance(term.value, str):
        found = number(term.value)
        if found is not None:
            return sympy.Rational(found.numerator, found.denominator)
    return sympy.Function("value")(_value(term))


def _summed(body: Any, binders: tuple[Symbol, ...], labels: Mapping[str, Sequence[str]]) -> Any:
    import sympy

    for symbol in binders:
        index = _index(symbol)
        if symbol.variable in labels:
            body = sympy.Add(*(_at(body, index, label) for label in labels[symbol.variable]))
        else:
            body = sympy.Sum(body, (index, 0, sympy.Symbol(f"n_{symbol.variable}", integer=True) - 1))
    return body


def _at(body: Any, index: Any, label: str) -> Any:
    """The body at one value of a bound symbol, its number put in where it is one."""
    import sympy

    found = number(label)
    here = sympy.Symbol(label)
    if found is not None:
        body = body.subs(sympy.Function("value")(index), sympy.Rational(found.numerator, found.denominator))
    return body.subs(index, here)
