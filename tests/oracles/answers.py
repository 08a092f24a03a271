"""Everything that can be wrong with an answer of the library, found without it: verdict, formula, steps, hedge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from suture.dsl.formula import Formula, kernels
from suture.identify.derivation import Derivation, Hedge, Identified, NotIdentified, Outcome

from .formulas import Table, evaluate, largest_error
from .graphs import Graph, Query
from .models import LatentModel, random_model_of
from .verdict import complaints, conditionally_identifiable, unconditional

TOLERANCE = 1e-9


def models_of(graph: Graph, generator: np.random.Generator, count: int) -> tuple[LatentModel, ...]:
    """Random models of the graph: variables have two values, some (one of more than five) have three."""
    found = []
    for _ in range(count):
        more = {node: 3 for node in graph.nodes if generator.random() < 0.3}
        if len(graph.nodes) > 5:
            more = {graph.nodes[int(generator.integers(len(graph.nodes)))]: 3}
        found.append(random_model_of(graph, generator, more))
    return tuple(found)


def faults(outcome: Outcome, graph: Graph, query: Query, models: Sequence[LatentModel]) -> tuple[str, ...]:
    """What is wrong with the answer to the query; nothing where it is right."""
    expected = conditionally_identifiable(graph, query)
    match outcome:
        case Identified(formula, derivation):
            found = formula_faults(formula, query, models) + step_faults(derivation, models)
            return found if expected else ("wrong verdict: identified", *found)
        case NotIdentified(Hedge() as hedge):
            found = hedge_faults(hedge, graph, query)
            return ("wrong verdict: not identified", *found) if expected else found
        case _:
            return (f"no verdict: {outcome}",)


def formula_faults(formula: Formula, query: Query, models: Sequence[LatentModel]) -> tuple[str, ...]:
    """A formula is wrong where it mentions surgery or is far from the truth on some model."""
    if any(kernel.do for kernel in kernels(formula)):
        return (f"wrong formula: uses an experiment: {formula}",)
    worst = max(largest_error(formula, model, query) for model in models)
    return (f"wrong formula: off by {worst:.2g}",) if worst > TOLERANCE else ()


def step_faults(derivation: Derivation, models: Sequence[LatentModel]) -> tuple[str, ...]:
    """Each step claims an equality; those that fail on some model."""
    return tuple(
        f"wrong step {number} ({step.rule.name})"
        for number, step in enumerate(derivation.steps)
        if max(difference(evaluate(step.before, model), evaluate(step.after, model)) for model in models) > TOLERANCE
    )


def difference(first: Table, second: Table) -> float:
    """The largest distance of two tables over all their slots, relative where values are above one."""
    slots = tuple(dict.fromkeys(first.slots + second.slots))
    one, other = first.over(slots), second.over(slots)
    distance = np.abs(one - other) / np.maximum(1, np.maximum(np.abs(one), np.abs(other)))
    return float("inf") if np.isnan(distance).any() else float(distance.max())


def hedge_faults(hedge: Hedge, graph: Graph, query: Query) -> tuple[str, ...]:
    """The hedge's sets judged by the definition, its roots and its record of the query.

    For a query with conditions the hedge belongs to the joint effect that the query stands or falls with.
    """
    query = unconditional(graph, query)
    found = complaints(graph, query.outcomes, query.treatments, hedge.larger, hedge.smaller, hedge.roots)
    childless = {node for node in hedge.smaller if not set(graph.on(hedge.smaller).children(node))}
    tests = {
        "wrong roots": set(hedge.roots) == childless,
        "wrong cut": set(hedge.cut) == set(hedge.larger) & set(query.treatments),
        "wrong outcomes": set(hedge.outcomes) <= set(query.outcomes),
    }
    wrong = found + tuple(name for name, holds in tests.items() if not holds)
    return tuple(f"wrong hedge: {complaint}" for complaint in wrong)
