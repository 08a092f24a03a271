"""The positivity a formula needs: conditions of its conditionals and denominators of its quotients are above zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..dsl.formula import (
    Formula,
    Kernel,
    Ratio,
    Symbol,
    Term,
    free_symbols,
    free_variables,
    kernels,
    map_terms,
    subformulas,
    terms,
    variables,
)
from .derivation import Positive


def requirements(formula: Formula) -> tuple[Positive, ...]:
    """The distributions that must be above zero, only the largest ones, then the denominators, in order of the formula.

    >>> from suture.dsl.formula_reader import read_formula
    >>> from suture.dsl.formula_text import text
    >>> [text(need.formula) for need in requirements(read_formula("sum{t} P(T=t | S) sum{s} P(S=s) P(C | S=s, T=t)"))]
    ['P(S, T)']
    """
    wanted: dict[tuple[frozenset[str], tuple[tuple[Term, ...], str | None]], Kernel] = {}
    for kernel in kernels(formula):
        if kernel.given:
            need = _condition(kernel)
            names = frozenset([term.variable for term in need.outcomes])
            wanted.setdefault((names, (need.do, need.source)), need)
    largest = [
        need
        for (names, place), need in wanted.items()
        if not any(names < others and place == elsewhere for others, elsewhere in wanted)
    ]
    return tuple(dict.fromkeys(map(Positive, (*largest, *_denominators(formula)))))


def _condition(kernel: Kernel) -> Kernel:
    """The distribution of a kernel's conditions, at all values."""
    names = dict.fromkeys(term.variable for term in kernel.given)
    do = dict.fromkeys(term.variable for term in kernel.do)
    return Kernel(terms(names), (), terms(do), kernel.source)


def _denominators(formula: Formula) -> Iterator[Formula]:
    """What stands below each quotient, at all values of the symbols that an outer sum binds."""
    for node in subformulas(formula):
        if not isinstance(node, Ratio):
            continue
        below = node.denominator
        outer = free_symbols(below)
        if {symbol.variable for symbol in outer} & free_variables(below):
            # Two values of one variable occur: positivity of everything that is mentioned is enough.
            yield Kernel(terms(sorted(variables(below))))
        else:
            yield map_terms(below, lambda term, outer=outer: _bare(term, outer))


def _bare(term: Term, outer: frozenset[Symbol]) -> Term:
    return replace(term, value=None) if term.value in outer else term
