"""Everything that can be wrong with an answer from several distributions, found without the library."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from suture.dsl.formula import Formula
from suture.dsl.formula_text import text
from suture.identify.derivation import Derivation, Hedge, Identified, NotIdentified, Outcome, Thicket

from .answers import TOLERANCE, difference, hedge_faults, models_of
from .formulas import evaluate
from .graphs import Graph, Query
from .sources import Domains, Known, error_from, follows, random_domains, tables_of, unreadable
from .verdict import complaints, unconditional


def domains_of(
    graph: Graph, known: Collection[Known], generator: np.random.Generator, count: int
) -> tuple[Domains, ...]:
    """Random models of the queried domain and of every other that is known."""
    return tuple(random_domains(model, known, generator) for model in models_of(graph, generator, count))


def source_faults(
    outcome: Outcome, graph: Graph, query: Query, known: Collection[Known], worlds: Sequence[Domains]
) -> tuple[str, ...]:
    """What is wrong with the answer to the query from the distributions; nothing where it is right."""
    expected = follows(graph, query, known)
    match outcome:
        case Identified(formula, derivation):
            found = formula_faults(formula, query, known, worlds) + step_faults(derivation, worlds)
            return found if expected else ("wrong verdict: identified", *found)
        case NotIdentified(witness):
            found = witness_faults(witness, graph, query, known)
            return ("wrong verdict: not identified", *found) if expected else found
        case _:
            return (f"no verdict: {outcome}",)


def formula_faults(
    formula: Formula, query: Query, known: Collection[Known], worlds: Sequence[Domains]
) -> tuple[str, ...]:
    """A formula is wrong where it uses what is not known, or is far from the truth when read off what is."""
    missing = unreadable(formula, known)
    if missing:
        return tuple(f"wrong formula: uses {text(kernel)}" for kernel in missing)
    worst = max(error_from(formula, tables_of(world, known), world.target, query) for world in worlds)
    return (f"wrong formula: off by {worst:.2g}",) if not worst <= TOLERANCE else ()


def step_faults(derivation: Derivation, worlds: Sequence[Domains]) -> tuple[str, ...]:
    """Each step claims an equality between what surgery on the domains gives; those that fail in some world."""
    return tuple(
        f"wrong step {number} ({step.rule.name})"
        for number, step in enumerate(derivation.steps)
        if not max(difference(evaluate(step.before, world), evaluate(step.after, world)) for world in worlds)
        <= TOLERANCE
    )


def witness_faults(witness: Hedge | Thicket, graph: Graph, query: Query, known: Collection[Known]) -> tuple[str, ...]:
    """A hedge speaks for the plain observation alone; a thicket must hold an obstacle for every distribution."""
    if isinstance(witness, Hedge):
        alone = all(not one.do and not one.differs for one in known)
        return hedge_faults(witness, graph, query) if alone else ("wrong hedge: it speaks of one distribution only",)
    joint = unconditional(graph, query)
    component = frozenset(witness.component)
    left = graph.cut_into(joint.treatments).ancestors(joint.outcomes) - set(joint.treatments)
    found = () if component in graph.on(left).districts() else ("wrong thicket: no district of what is left",)
    for one in known:
        found += tuple(f"wrong thicket: {fault} for {one}" for fault in _obstacle_faults(witness, graph, joint, one))
    return found


def _obstacle_faults(witness: Thicket, graph: Graph, joint: Query, one: Known) -> tuple[str, ...]:
    """What is missing from the obstacle to one distribution (Lee, Correa, Bareinboim 2019, definition 5).

    Either the distribution sets a member of the component or has another mechanism for it, or there is a hedge around
    the component in what the experiment leaves.
    """
    parts = [part for part in witness.obstacles if (part.source.name, set(part.source.do)) == (one.name, set(one.do))]
    if len(parts) != 1:
        return (f"{len(parts)} obstacles",)
    hedge = parts[0].hedge
    if hedge is None:
        touched = set(witness.component) & {*one.do, *one.differs}
        return () if touched else ("refused though it neither sets nor changes the component",)
    found = complaints(graph, joint.outcomes, joint.treatments, hedge.larger, hedge.smaller, hedge.roots)
    found += () if set(hedge.smaller) == set(witness.component) else ("the hedge is around something else",)
    return found + (() if not set(hedge.larger) & set(one.do) else ("the hedge holds what the experiment sets",))
