"""Exact evaluation of concrete models, and the check every pair of models passes before it is shown.

Probabilities are integers over one denominator a model, so every comparison is exact.  A variable that reads nothing,
that nothing reads, and whose table is the same in both models is an independent factor of every distribution; it is
left out of the enumeration, which is what keeps large diagrams with a small hedge within reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...dsl.formula import Kernel, Term, kernel_terms
from ...semantics.budget import Budget
from ...semantics.factors import Factor
from ...semantics.networks.contraction import contract
from ...semantics.semiring import RATIONAL, Array
from .model_pair import Agreement, ConcreteModel

WORK = 1 << 24


@dataclass(frozen=True, slots=True)
class Scaled:
    """Integers with one axis a variable; the probabilities are these over `denominator`."""

    values: Array
    denominator: int

    def fraction(self, place: tuple[int, ...]) -> Fraction:
        """One entry."""
        return Fraction(int(self.values[place]), self.denominator)


def factor(model: ConcreteModel, name: str) -> tuple[Factor, int]:
    """A variable's table as integers with the axes it reads and its own, and their denominator."""
    table = model.tables[name]
    denominator = math.lcm(*(weight.denominator for row in table.rows for weight in row))
    values = np.empty(sum(map(len, table.rows)), dtype=object)
    values[:] = [int(weight * denominator) for row in table.rows for weight in row]
    shape = [len(model.labels[axis]) for axis in (*table.reads, name)]
    return Factor((*table.reads, name), values.reshape(shape)), denominator


def upstream(model: ConcreteModel, names: Iterable[str], do: Iterable[str] = ()) -> set[str]:
    """What the named variables depend on through the tables, themselves included, once `do` is set."""
    cut, seen = set(do), set[str]()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            if name not in cut:
                stack.extend(model.tables[name].reads)
    return seen


def evaluate(model: ConcreteModel, names: Sequence[str], do: Sequence[str] = ()) -> Scaled:
    """P(names | do(do)) as a function of all of them, one axis each: `names`, then `do`.

    Raises `SutureError` S603 where enumeration is beyond the budget.
    """
    found = [factor(model, name) for name in sorted(upstream(model, names, do) - set(do))]
    factors = [one for one, _ in found]
    open_axes = (*names, *do)
    for name in open_axes:
        ones = np.empty(len(model.labels[name]), dtype=object)
        ones[:] = 1
        factors.append(Factor((name,), ones))
    return Scaled(
        contract(factors, open_axes, Budget(flops=WORK), RATIONAL), math.prod(denominator for _, denominator in found)
    )


# ---------------------------------------------------------------------------------------------------------------------
# Comparing two models


def noise(first: ConcreteModel, second: ConcreteModel) -> frozenset[str]:
    """Observed variables that are the same independent noise in both models."""
    used = {name for model in (first, second) for table in model.tables.values() for name in table.reads}
    return frozenset(
        wire.name
        for wire in first.diagram.wires
        if not wire.latent
        and wire.name not in used
        and not first.tables[wire.name].reads
        and first.tables[wire.name] == second.tables[wire.name]
    )


def cells(model: ConcreteModel, names: Iterable[str]) -> int:
    """How many combinations of labels the variables have."""
    return math.prod(len(model.labels[name]) for name in names)


def agreement(first: ConcreteModel, second: ConcreteModel, kernel: Kernel) -> Agreement | None:
    """The agreement of two models in a distribution, checked entry by entry, or None where some entry differs.

    Where all outcomes are the same noise in both, no entry is left to be compared.
    """
    idle = noise(first, second)
    outcomes, given, do = (
        [term.variable for term in part if term.variable not in idle]
        for part in (kernel.outcomes, kernel.given, kernel.do)
    )
    mentioned = {term.variable for term in kernel_terms(kernel)}
    skipped = tuple(wire.name for wire in first.diagram.wires if wire.name in idle & mentioned)
    if not outcomes:
        return Agreement(kernel, 0, skipped)
    one, other = evaluate(first, outcomes + given, do), evaluate(second, outcomes + given, do)
    left, right = one.values * other.denominator, other.values * one.denominator
    if given:
        left, right = one.values * _without(other, len(outcomes)), other.values * _without(one, len(outcomes))
    if not bool(np.all(left == right)):
        return None
    return Agreement(kernel, cells(first, [*outcomes, *given, *do]), skipped)


def _without(scaled: Scaled, outcomes: int) -> Array:
    """The integers summed over the first axes, kept with length one."""
    return np.asarray(scaled.values.sum(axis=tuple(range(outcomes)), keepdims=True))


def widest(first: ConcreteModel, second: ConcreteModel, query: Kernel) -> tuple[Kernel, Fraction, Fraction] | None:
    """The values of the query's variables at which the models differ most, with both numbers; None if nowhere.

    Variables that the query fixes keep their labels.
    """
    idle = noise(first, second)
    parts = (query.outcomes, query.given, query.do)
    outcomes, given, do = ([term.variable for term in part if term.variable not in idle] for part in parts)
    if not outcomes:
        return None
    one, other = (
        _conditional(evaluate(model, outcomes + given, do), len(outcomes), len(given)) for model in (first, second)
    )
    choices = {term.variable: _choices(first, term) for part in parts for term in part}
    axes = [*outcomes, *given, *do]
    place = _furthest(one, other, [choices[name] for name in axes])
    if one[place] == other[place]:
        return None
    found = {name: chosen[0] for name, chosen in choices.items()} | dict(zip(axes, place, strict=True))
    apart = math.prod(
        (first.tables[term.variable].rows[0][found[term.variable]] for term in query.outcomes if term.variable in idle),
        start=Fraction(1),
    )

    def fixed(part: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(Term(term.variable, first.labels[term.variable][found[term.variable]]) for term in part)

    return Kernel(fixed(query.outcomes), fixed(query.given), fixed(query.do)), one[place] * apart, other[place] * apart


def _choices(model: ConcreteModel, term: Term) -> list[int]:
    """The places of the labels that a term of the query may take."""
    labels = model.labels[term.variable]
    return [labels.index(term.value)] if isinstance(term.value, str) else list(range(len(labels)))


def _conditional(joint: Scaled, outcomes: int, given: int) -> Array:
    """Fractions: the joint over its denominator, or over what it sums to where there are conditions."""
    below = _without(joint, outcomes) if given else np.full((1,) * joint.values.ndim, joint.denominator, dtype=object)
    values = np.empty(joint.values.shape, dtype=object)
    values[...] = np.frompyfunc(Fraction, 2, 1)(joint.values, below)
    return values


def _furthest(first: Array, second: Array, ranges: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The place of the largest difference, the earliest of equals."""
    block = np.ix_(*ranges)
    gaps = np.abs(first[block] - second[block])
    best = max(range(gaps.size), key=lambda flat: (gaps.flat[flat], -flat))
    inner = np.unravel_index(best, gaps.shape)
    return tuple(values[int(place)] for values, place in zip(ranges, inner, strict=True))
