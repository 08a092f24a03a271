"""Expectations over finite variables: by linearity, sums over joint probabilities of the variables in each term.

`E(2*X*Y | Z)` is `2 sum{x, y} x y P(X=x, Y=y | Z)`; a variable in two worlds is two variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from .formula import Constant, Formula, Kernel, Sum, Symbol, Term, ValueOf, fresh_name, plus, product


@dataclass(frozen=True, slots=True)
class Moment:
    """A coefficient times variables, each a term without value; a variable may repeat."""

    coefficient: Fraction
    terms: tuple[Term, ...] = ()

    def scaled(self, factor: Fraction) -> Moment:
        """The moment times a number."""
        return Moment(self.coefficient * factor, self.terms)

    def times(self, other: Moment) -> Moment:
        """The product of two moments."""
        return Moment(self.coefficient * other.coefficient, self.terms + other.terms)


Polynomial: TypeAlias = tuple[Moment, ...]


def expected(
    body: Polynomial, given: Sequence[Term] = (), do: Sequence[Term] = (), source: str | None = None
) -> Formula:
    """The expectation of a polynomial as a formula."""
    return plus(_expected(moment, given, do, source) for moment in body)


def _expected(moment: Moment, given: Sequence[Term], do: Sequence[Term], source: str | None) -> Formula:
    if not moment.terms or moment.coefficient == 0:
        return Constant(moment.coefficient)
    used = {name for term in (*given, *do, *moment.terms) for name in names_in(term)}
    symbols: dict[Term, Symbol] = {}
    for term in dict.fromkeys(moment.terms):
        name = fresh_name(term.variable, used)
        used.add(name)
        symbols[term] = Symbol(name, term.variable)
    numbers = [ValueOf(Term(term.variable, symbols[term])) for term in moment.terms]
    outcomes = tuple(replace(term, value=symbol) for term, symbol in symbols.items())
    kernel = Kernel(outcomes, tuple(given), tuple(do), source)
    total = Sum(tuple(symbols.values()), product([*numbers, kernel]))
    return product((Constant(moment.coefficient), total))


def names_in(term: Term) -> set[str]:
    """The labels and variables that a term mentions, which a new symbol had better not be called."""
    own = {term.variable} | ({term.value} if isinstance(term.value, str) else set())
    return own.union(*(names_in(part) for part in term.world))
