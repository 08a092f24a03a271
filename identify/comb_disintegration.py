"""Identification by surgery and comb disintegration: cut, take combs, discard, fill the holes.

Query: P(Y | do(X)) for any sets of observed variables, in any model with latent variables.  Sound and complete.

1. Cut X.  Of what is left only the ancestors D of Y matter.
2. D falls into c-components; the answer is the product of their combs, summed over D without Y.
3. Each component C is sought in the c-component S of the uncut diagram that contains it, by `comb_of`: discard what is
   not an ancestor of C, take the comb of the c-component of the rest that contains C, and repeat until C is left, or
   until neither discarding nor disintegrating changes anything: then C and what is left form a hedge.

Where every component needs at most one comb of the observed state and one discard, a single surgery on one comb
suffices, and the method is called comb disintegration; otherwise combs are taken of combs, and it is called iterated.

Sources: Jacobs, Kissinger, Zanasi (2018), theorem 5.3 and section 6 with n-combs for 2-combs; Tian and Pearl (2002),
theorems 2 and 3; completeness Huang and Valtorta (2006), Shpitser and Pearl (2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..dsl.formula import Kernel, variables
from . import rules
from .combs import Comb
from .derivation import (
    OBSERVED,
    Derivation,
    Hedge,
    Identified,
    NotIdentified,
    Obstacle,
    Outcome,
    Source,
    Step,
    Thicket,
)
from .graph import CausalGraph, bits
from .hedge import build_hedge
from .requirements import requirements
from .simplify import simplification, size

SINGLE = "comb disintegration"
ITERATED = "iterated comb disintegration"
SEVERAL = "combs of several sources"


def single_comb_suffices(graph: CausalGraph, query: Kernel) -> bool:
    """The sufficient condition of the surgery paper with n-combs: one set variable, none of its children in its
    c-component.

    Equivalent, for the effect of one variable on all others, to Tian and Pearl's "no latent path from X to a child".
    """
    outcomes, do, _ = rules.needed(graph, query)
    if do.bit_count() != 1:
        return False
    within = graph.ancestors(outcomes)
    position = do.bit_length() - 1
    return not do & within or not graph.district(position, within) & graph.children[position] & within


def identify(query: Kernel, graph: CausalGraph, sources: Sequence[Source] = (OBSERVED,)) -> Outcome:
    """The effect as a formula in the distributions of the sources, or what forbids one; the shorter of two formulas.

    Ancestors that act on the outcomes only through the set variables may be needed (the napkin) or idle: where the
    formula mentions some, the query is identified once more with as many of them hidden as can be.
    """
    found = _identify(query, graph, sources)
    if not isinstance(found, Identified) or tuple(sources) != (OBSERVED,):
        return found
    outcomes, do, left = rules.needed(graph, query)
    idle = graph.ancestors(outcomes) & ~left & ~do
    mentioned = graph.mask(variables(found.formula)) & idle
    return _shorter(found, _hiding(query, graph, idle)) if mentioned else found


# Beyond this many idle ancestors they are hidden together or not at all.
HIDE_LIMIT = 6


def _hiding(query: Kernel, graph: CausalGraph, idle: int) -> Outcome | None:
    """The outcome with all idle ancestors hidden, or else with those of them that can be, one after the other."""
    hidden = idle
    if not _with_hidden(query, graph, idle):
        hidden = 0
        for position in bits(idle) if idle.bit_count() <= HIDE_LIMIT else ():
            if _with_hidden(query, graph, hidden | 1 << position):
                hidden |= 1 << position
    return _with_hidden(query, graph, hidden) if hidden else None


def _with_hidden(query: Kernel, graph: CausalGraph, hidden: int) -> Identified | None:
    smaller, step = rules.hide(graph, query, hidden)
    found = _identify(query, smaller, (OBSERVED,))
    if not isinstance(found, Identified):
        return None
    return replace(found, derivation=Derivation((step, *found.derivation.steps)))


def _shorter(first: Identified, second: Outcome | None) -> Identified:
    return second if isinstance(second, Identified) and size(second.formula) < size(first.formula) else first


def _identify(query: Kernel, graph: CausalGraph, sources: Sequence[Source]) -> Outcome:
    """The effect as a formula in the distributions of the sources, or what forbids one.

    A component is taken from the first source that yields it: an experiment must not set its variables, and where it
    comes from another domain none of its mechanisms may differ (general identifiability and transportability: Lee,
    Correa, Bareinboim 2019 and 2020).  A source more never turns yes into no.
    """
    outcomes, _, left = rules.needed(graph, query)
    cut = rules.cut(graph, query)
    components = rules.components(graph, query, cut.after)
    steps = [cut, components]
    known: list[Comb] = []
    depth = 0
    for component in graph.districts(left):
        attempts = _attempts(graph, component, outcomes, sources)
        chosen = next((found for found in attempts if found.comb is not None), None)
        if chosen is None or chosen.comb is None:
            steps.extend(step for found in attempts for step in found.steps if not _stated(steps, step))
            return NotIdentified(_witness(graph, query, component, attempts), Derivation(tuple(steps)), ITERATED)
        steps.extend(step for step in chosen.steps if not _stated(steps, step))
        known.append(chosen.comb)
        depth = max(depth, sum(step.rule is rules.COMB for step in chosen.steps))
    steps.append(rules.plug(graph, query, known, components.after))
    steps.extend(simplification(graph, steps[-1].after, query, sources))
    formula = steps[-1].after
    return Identified(formula, Derivation(tuple(steps)), _method(graph, query, depth, sources), requirements(formula))


def _method(graph: CausalGraph, query: Kernel, depth: int, sources: Sequence[Source]) -> str:
    """What the procedure amounted to."""
    if tuple(sources) != (OBSERVED,):
        return SEVERAL
    return SINGLE if depth <= 1 and single_comb_suffices(graph, query) else ITERATED


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A component sought in one source: its comb and the steps to it, or where the search got stuck."""

    source: Source
    comb: Comb | None
    steps: tuple[Step, ...] = ()
    stuck: int = 0
    reason: str | None = None


def _attempts(graph: CausalGraph, component: int, outcomes: int, sources: Sequence[Source]) -> list[_Attempt]:
    """The component sought in each source, up to the first that yields it."""
    found: list[_Attempt] = []
    for source in sources:
        found.append(_attempt(graph, component, outcomes, source))
        if found[-1].comb is not None:
            break
    return found


def _attempt(graph: CausalGraph, component: int, outcomes: int, source: Source) -> _Attempt:
    do, differs = graph.mask(source.do), graph.mask(source.differs)
    if component & do:
        return _Attempt(source, None, reason=f"it sets {', '.join(graph.members(component & do))}")
    if component & differs:
        names = ", ".join(graph.members(component & differs))
        return _Attempt(source, None, reason=f"the mechanism of {names} differs there")
    joint = graph.ancestors(component | outcomes & ~do, graph.everything & ~do)
    comb, steps = comb_of(graph, component, joint, source)
    if comb.members != component:
        return _Attempt(source, None, tuple(steps), comb.members)
    if comb.domain is not None:
        comb, step = rules.transport(graph, comb, source)
        steps.append(step)
    return _Attempt(source, comb, tuple(steps))


def _witness(graph: CausalGraph, query: Kernel, component: int, attempts: Sequence[_Attempt]) -> Hedge | Thicket:
    """A hedge where the model was only observed, one obstacle a source otherwise."""
    hedges = [build_hedge(graph, found.stuck, component, query) if found.stuck else None for found in attempts]
    if [found.source for found in attempts] == [OBSERVED] and hedges[0] is not None:
        return hedges[0]
    obstacles = tuple(
        Obstacle(found.source, hedge, found.reason) for found, hedge in zip(attempts, hedges, strict=True)
    )
    outcomes, do, _ = rules.needed(graph, query)
    return Thicket(graph.members(component), obstacles, graph.members(do), graph.members(outcomes))


def comb_of(graph: CausalGraph, component: int, joint: int, source: Source = OBSERVED) -> tuple[Comb, list[Step]]:
    """The comb of `component` from the distribution of the ancestral set `joint` in a source, with the steps to it.

    Where the search is stuck, the comb has other members than `component`, and the two form a hedge.
    """
    first = (component & -component).bit_length() - 1
    comb, step = rules.comb_of_joint(graph, joint, graph.district(first, joint), source)
    steps = [step]
    while comb.members != component:
        ancestral = graph.ancestors(component, comb.members)
        if ancestral == comb.members:
            break
        comb, step = rules.discard(graph, comb, ancestral)
        steps.append(step)
        district = graph.district(first, ancestral)
        if district != ancestral:
            comb, step = rules.comb_of_comb(graph, comb, district)
            steps.append(step)
    return comb, steps


def _stated(steps: list[Step], step: Step) -> bool:
    """Whether the same comb is there already: two components may start from the same one."""
    return any(
        other.rule is step.rule and other.before == step.before and other.because == step.because for other in steps
    )
