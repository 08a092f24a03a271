"""The positivity that a formula needs: the conditions of its conditionals must have probability above zero."""

from __future__ import annotations

from ..dsl.formula import Formula, kernels, probability
from .derivation import Positive


def requirements(formula: Formula) -> tuple[Positive, ...]:
    """The distributions that must be above zero, only the largest ones, in the order of the formula.

    >>> from suture.dsl.formula_reader import read_formula
    >>> needs = requirements(read_formula("sum{t} P(T=t | S) sum{s} P(S=s) P(C | S=s, T=t)"))
    >>> [term.variable for term in needs[0].kernel.outcomes], len(needs)
    (['S', 'T'], 1)
    """
    wanted = [
        tuple(dict.fromkeys(term.variable for term in kernel.given)) for kernel in kernels(formula) if kernel.given
    ]
    unique: dict[frozenset[str], tuple[str, ...]] = {}
    for names in wanted:
        unique.setdefault(frozenset(names), names)
    largest = [names for key, names in unique.items() if not any(key < other for other in unique)]
    return tuple(Positive(probability(names)) for names in largest)
