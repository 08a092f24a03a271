"""Brute force: probabilities by listing every joint state of a model, with none of the library's evaluators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from suture.dsl.formula import Constant, Formula, Kernel, Plus, Product, Ratio, Sum, Symbol, Term, ValueOf
from suture.semantics.stochastic import FiniteModel

State = dict[str, str]


def states(model: FiniteModel, do: Mapping[str, str]) -> Iterator[tuple[State, Any]]:
    """Every joint state of a model's variables with its probability after `do`."""
    diagram = model.diagram
    names = [wire.name for wire in diagram.wires]
    for values in product(*(model.labels[name] for name in names)):
        state = dict(zip(names, values, strict=True))
        weight: Any = 1
        for box in diagram.boxes:
            name = diagram.wires[box.outputs[0]].name
            if name in do:
                weight = weight * int(state[name] == do[name])
            else:
                place = tuple(model.labels[names[w]].index(state[names[w]]) for w in (*box.inputs, *box.outputs))
                weight = weight * model.arrays[box.name][place]
        yield state, weight


def probability(model: FiniteModel, event: Mapping[str, str], do: Mapping[str, str] | None = None) -> Any:
    """P(event | do)."""
    return sum(w for state, w in states(model, do or {}) if all(state[n] == v for n, v in event.items()))


def value(formula: Formula, model: FiniteModel, values: Mapping[str, str]) -> Any:
    """A formula at values of its free variables, by recursion on its meaning."""
    return value_in(formula, model, dict(values), {})


def value_in(formula: Formula, model: FiniteModel, free: State, bound: dict[Symbol, str]) -> Any:
    """A formula at values of its free variables and of the symbols bound around it."""

    def label(term: Term) -> str:
        if term.value is None:
            return free[term.variable]
        return bound[term.value] if isinstance(term.value, Symbol) else term.value

    def again(part: Formula) -> Any:
        return value_in(part, model, free, bound)

    match formula:
        case Constant(number):
            return number
        case ValueOf(term):
            return float(label(term))
        case Kernel(outcomes, given, do, _):
            fixed = {term.variable: label(term) for term in do}
            condition = [(term.variable, label(term)) for term in given]
            event = [(term.variable, label(term)) for term in outcomes] + condition
            below = _events(model, condition, fixed)
            return _events(model, event, fixed) / below if below else float("nan")
        case Product(factors):
            total: Any = 1
            for factor in factors:
                total = total * again(factor)
            return total
        case Ratio(top, bottom):
            return again(top) / again(bottom)
        case Plus(terms):
            return sum(again(term) for term in terms)
        case Sum(binders, body):
            ranges = [model.labels[symbol.variable] for symbol in binders]
            return sum(
                value_in(body, model, free, {**bound, **dict(zip(binders, chosen, strict=True))})
                for chosen in product(*ranges)
            )


def _events(model: FiniteModel, event: list[tuple[str, str]], do: Mapping[str, str]) -> Any:
    merged: State = {}
    for name, label in event:
        if merged.setdefault(name, label) != label:
            return 0
    return probability(model, merged, do)
