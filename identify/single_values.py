"""Sources that are known at one value only: a sample selected by S = 1, an experiment done at X = 0.

A proof that holds at all values holds at the known one.  So the search is given the sources as if they were known at
all values, and what it finds is used only where every occurrence of such a variable may stand at its known value: the
query has it there, or the formula is the same for every value of it.  Sound; not complete.

This covers recovery from selection bias, with or without outside data: P(.. | S = 1) is a source like any other.
Source: Bareinboim, Tian, Pearl (2014), "Recovering from selection bias in causal and statistical inference".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..dsl.formula import Formula, Kernel, Term, free_variables, node_terms, subformulas, substitute
from .derivation import Identified, Outcome, Undecided


class SeveralValues(Exception):
    """A variable is fixed at different values by different sources; the message says which."""


def at_all_values(sources: Sequence[Kernel]) -> tuple[tuple[Kernel, ...], Mapping[str, str]]:
    """The sources as if known at all values of what they are conditioned on or set, and the values at which they are.

    Raises `SeveralValues` where two sources are known at different values of one variable.
    """
    known: dict[str, str] = {}
    for kernel in sources:
        for term in (*kernel.given, *kernel.do):
            if isinstance(term.value, str) and known.setdefault(term.variable, term.value) != term.value:
                raise SeveralValues(
                    f"{term.variable} is {known[term.variable]} in one source and {term.value} in another"
                )
    bare = tuple(replace(kernel, given=_bare(kernel.given), do=_bare(kernel.do)) for kernel in sources)
    return bare, known


def _bare(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(replace(term, value=None) if isinstance(term.value, str) else term for term in terms)


def at_known_values(outcome: Outcome, query: Formula, known: Mapping[str, str]) -> Outcome:
    """The outcome with its formula at the known values; undecided where it needs others."""
    if not isinstance(outcome, Identified):
        return outcome
    formula = outcome.formula
    other = _needed_elsewhere(formula, query, known)
    if other is not None:
        reason = f"a source is known at {other} = {known[other]} alone, and the proof found needs other values"
        return Undecided(reason, outcome.derivation, outcome.method)
    return replace(outcome, formula=substitute(formula, dict(known)))


def _needed_elsewhere(formula: Formula, query: Formula, known: Mapping[str, str]) -> str | None:
    """A variable that the formula has at other values than the known one."""
    asked = free_variables(query)
    for node in subformulas(formula):
        for term in node_terms(node):
            label = known.get(term.variable)
            if label is None or term.value == label:
                continue
            if term.value is not None or term.variable in asked:
                return term.variable
    return None
