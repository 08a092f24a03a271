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

from ..dsl.formula import Kernel
from . import rules
from .combs import Comb
from .derivation import Derivation, Identified, NotIdentified, Outcome, Step
from .graph import CausalGraph
from .hedge import build_hedge
from .requirements import requirements
from .simplify import simplification

SINGLE = "comb disintegration"
ITERATED = "iterated comb disintegration"


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


def identify(query: Kernel, graph: CausalGraph) -> Outcome:
    """The effect as a formula in the observed distribution, or the hedge that forbids one."""
    outcomes, _, left = rules.needed(graph, query)
    steps = [rules.cut(graph, query), rules.components(graph, query)]
    joint = graph.ancestors(outcomes)
    known: list[Comb] = []
    depth = 0
    for component in graph.districts(left):
        comb, found = comb_of(graph, component, joint)
        steps.extend(step for step in found if not _stated(steps, step))
        if comb.members != component:
            hedge = build_hedge(graph, comb.members, component, query)
            return NotIdentified(hedge, Derivation(tuple(steps)), ITERATED)
        known.append(comb)
        depth = max(depth, sum(step.rule is rules.COMB for step in found))
    steps.append(rules.plug(graph, query, known))
    steps.extend(simplification(graph, steps[-1].after, query))
    formula = steps[-1].after
    method = SINGLE if depth <= 1 and single_comb_suffices(graph, query) else ITERATED
    return Identified(formula, Derivation(tuple(steps)), method, requirements(formula))


def comb_of(graph: CausalGraph, component: int, joint: int) -> tuple[Comb, list[Step]]:
    """The comb of `component` from the joint distribution of the ancestral set `joint`, with the steps that lead to it.

    Where the search is stuck, the comb has other members than `component`, and the two form a hedge.
    """
    first = (component & -component).bit_length() - 1
    comb, step = rules.comb_of_joint(graph, joint, graph.district(first, joint))
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
