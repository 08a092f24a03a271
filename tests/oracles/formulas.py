"""The value of a formula on an explicit model, from the definition of each node alone.

A value is a table over *slots*: a bare variable (the formula is a function of it) or a bound symbol.  A kernel with
`do` is what truncated factorisation of the model gives, so whole derivations can be evaluated and not only estimands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from suture.dsl.formula import Constant, Formula, Kernel, Plus, Product, Ratio, Sum, Symbol, Term, ValueOf

from .graphs import Query
from .models import Array, LatentModel, marginal

Slot = str | Symbol


class Joint(Protocol):
    """A distribution over observed variables, after surgery on some of them."""

    @property
    def observed(self) -> tuple[str, ...]: ...

    def surgery(self, treatments: Collection[str]) -> Array: ...


class World(Protocol):
    """What gives a kernel its value: a model, models of several domains, or tables of what is known of them."""

    @property
    def sizes(self) -> Mapping[str, int]: ...

    def of(self, name: str | None) -> Joint: ...


@dataclass(frozen=True)
class Table:
    """An array with one named axis a slot."""

    slots: tuple[Slot, ...]
    array: Array

    def over(self, slots: Sequence[Slot]) -> Array:
        """The array broadcast over more slots, in the given order."""
        here = [slot for slot in slots if slot in self.slots]
        moved = np.transpose(self.array, [self.slots.index(slot) for slot in here])
        shape = iter(moved.shape)
        return moved.reshape([next(shape) if slot in self.slots else 1 for slot in slots])


def evaluate(formula: Formula, model: World, labels: Mapping[str, Sequence[str]] | None = None) -> Table:
    """The formula's value for all values of its free variables; a variable's labels are `0`, `1`, .. unless given."""
    match formula:
        case Constant(value):
            return Table((), np.asarray(float(value)))
        case Kernel():
            return _kernel(formula, model, labels or {})
        case Product(factors):
            return _fold(np.multiply, [evaluate(factor, model, labels) for factor in factors])
        case Plus(terms):
            return _fold(np.add, [evaluate(term, model, labels) for term in terms])
        case Ratio(numerator, denominator):
            return _fold(np.divide, [evaluate(numerator, model, labels), evaluate(denominator, model, labels)])
        case Sum(binders, body):
            return _summed(binders, evaluate(body, model, labels), model)
        case ValueOf():
            raise ValueError("an expectation is no probability")


def _fold(operation: np.ufunc, parts: Sequence[Table]) -> Table:
    slots = tuple(dict.fromkeys(slot for part in parts for slot in part.slots))
    array = parts[0].over(slots)
    for part in parts[1:]:
        array = operation(array, part.over(slots))
    return Table(slots, array)


def _summed(binders: Sequence[Symbol], body: Table, model: World) -> Table:
    """A binder that the body does not use still counts once for each value."""
    unused = [symbol for symbol in binders if symbol not in body.slots]
    times = int(np.prod([model.sizes[symbol.variable] for symbol in unused]))
    axes = tuple(place for place, slot in enumerate(body.slots) if slot in binders)
    return Table(tuple(slot for slot in body.slots if slot not in binders), body.array.sum(axis=axes) * times)


def _kernel(kernel: Kernel, model: World, labels: Mapping[str, Sequence[str]]) -> Table:
    terms = (*kernel.outcomes, *kernel.given, *kernel.do)
    names = [term.variable for term in terms]
    if any(term.world for term in terms) or len(set(names)) != len(names):
        raise ValueError(f"not a plain kernel: {kernel}")
    joint = model.of(kernel.source)
    table = marginal(joint.surgery([term.variable for term in kernel.do]), joint.observed, names)
    if kernel.given:
        table = table / table.sum(axis=tuple(range(len(kernel.outcomes))), keepdims=True)
    slots = tuple(_slot(term) for term in terms if not isinstance(term.value, str))
    return Table(slots, table[tuple(_index(term, labels) for term in terms)])


def _slot(term: Term) -> Slot:
    if isinstance(term.value, Symbol):
        assert term.value.variable == term.variable, f"{term.value} stands for another variable in {term}"
        return term.value
    return term.variable


def _index(term: Term, labels: Mapping[str, Sequence[str]]) -> int | slice:
    if not isinstance(term.value, str):
        return slice(None)
    names = labels.get(term.variable)
    return int(term.value) if names is None else list(names).index(term.value)


def value_at(table: Table, free: Sequence[str], model: LatentModel) -> Array:
    """The table over exactly the `free` variables then the rest of its own, symbols not allowed."""
    if any(isinstance(slot, Symbol) for slot in table.slots):
        raise ValueError("a symbol is used outside the scope of its binder")
    rest = [slot for slot in table.slots if slot not in free]
    array = table.over([*free, *rest])
    shape = [model.sizes[str(slot)] for slot in (*free, *rest)]
    return np.broadcast_to(array, shape)


def largest_error(formula: Formula, model: LatentModel, query: Query) -> float:
    """How far the formula is from surgery on the model, at the worst values of all its free variables.

    Other variables may be free in it (the napkin's own estimand has one): every value of theirs must give the truth.
    """
    found = value_at(evaluate(formula, model), [*query.outcomes, *query.treatments, *query.given], model)
    truth = model.truth(query)
    truth = truth.reshape(truth.shape + (1,) * (found.ndim - truth.ndim))
    difference = np.abs(found - truth)
    return float("inf") if np.isnan(difference).any() else float(difference.max())
