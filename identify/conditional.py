"""Conditional effects P(Y | do(X), Z): move conditions into the set variables, then divide the joint effect.

While some z in Z can be exchanged (Y separated from z given the rest, once arrows into X and out of z are cut), move it
into X.  What is left is identifiable exactly when P(Y, Z | do(X)) is.  Sound and complete.  No shortcut by rule 3 is
taken: on X -> Z -> Y with X <-> Y it leads astray.

Sources: Shpitser and Pearl (2006), "Identification of conditional interventional distributions", theorems 4 to 6 (arXiv
1206.6876).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dsl.formula import Kernel
from . import comb_disintegration, rules
from .derivation import OBSERVED, Derivation, Identified, NotIdentified, Outcome, Source, Step
from .graph import CausalGraph
from .requirements import requirements
from .simplify import simplification

METHOD = "conditional comb disintegration"


def identify(query: Kernel, graph: CausalGraph, sources: Sequence[Source] = (OBSERVED,)) -> Outcome:
    """The conditional effect as a formula in the distributions of the sources, or what forbids its joint effect."""
    moves, reduced = exchanges(graph, query)
    if not reduced.given:
        inner = comb_disintegration.identify(reduced, graph, sources)
        return _prefixed(moves, inner)
    joint = rules.joint_kernel(reduced)
    inner = comb_disintegration.identify(joint, graph, sources)
    if not isinstance(inner, Identified):
        return _prefixed(moves, inner)
    steps = [*moves, *inner.derivation.steps, rules.condition(reduced, inner.formula)]
    steps.extend(simplification(graph, steps[-1].after))
    formula = steps[-1].after
    return Identified(formula, Derivation(tuple(steps)), METHOD, requirements(formula))


def exchanges(graph: CausalGraph, query: Kernel) -> tuple[list[Step], Kernel]:
    """Every move of a condition into the set variables, and the query that is left."""
    steps: list[Step] = []
    moved = True
    while moved:
        moved = False
        for term in query.given:
            try:
                step = rules.exchange(graph, query, term.variable)
            except rules.RuleError:
                continue
            steps.append(step)
            after = step.after
            assert isinstance(after, Kernel)
            query, moved = after, True
            break
    return steps, query


def _prefixed(moves: list[Step], inner: Outcome) -> Outcome:
    derivation = Derivation((*moves, *inner.derivation.steps))
    match inner:
        case Identified(formula, _, method, needs):
            return Identified(formula, derivation, METHOD if moves else method, needs)
        case NotIdentified(witness):
            return NotIdentified(witness, derivation, METHOD)
        case _:
            return inner
