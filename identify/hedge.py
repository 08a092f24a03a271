"""Hedges: the graphical witness that an effect cannot be identified.

Two sets of variables, `smaller` inside `larger`, each held together by latent wires, with the same roots; only the
larger meets the variables that are set.  Then two models exist that agree on everything observed and differ on what
surgery does.

Sources: Shpitser and Pearl (2006), definitions 5 and 6 and theorem 4, with the roots taken in the graph where the
arrows into the set variables are cut (corollary 3 of that paper is wrong as stated, see arXiv 2307.03750).
"""

from __future__ import annotations

from ..dsl.formula import Kernel
from .derivation import Hedge
from .graph import CausalGraph, bits
from .rules import needed


def build_hedge(graph: CausalGraph, larger: int, smaller: int, query: Kernel) -> Hedge:
    """The hedge of a stuck identification, restricted to the part of `larger` that the smaller set needs."""
    outcomes, do, _ = needed(graph, query)
    return Hedge(
        graph.members(larger),
        graph.members(smaller),
        graph.members(roots(graph, smaller)),
        graph.members(larger & do),
        graph.members(outcomes),
    )


def roots(graph: CausalGraph, members: int) -> int:
    """The members without children among the members."""
    result = 0
    for position in bits(members):
        if not graph.children[position] & members:
            result |= 1 << position
    return result


def hedge_faults(graph: CausalGraph, hedge: Hedge, query: Kernel) -> tuple[str, ...]:
    """What is wrong with a claimed hedge for a query; nothing where it holds.  Independent of the search that found
    it.
    """
    outcomes, do, left = needed(graph, query)
    larger, smaller, base = graph.mask(hedge.larger), graph.mask(hedge.smaller), graph.mask(hedge.roots)
    faults = []
    if smaller & ~larger or smaller == larger:
        faults.append("the smaller set is not a proper part of the larger")
    if not larger & do:
        faults.append("the larger set does not meet the variables that are set")
    if smaller & do:
        faults.append("the smaller set meets the variables that are set")
    if not base or base & ~smaller:
        faults.append("the roots are not part of the smaller set")
    for name, members in (("larger", larger), ("smaller", smaller)):
        if len(graph.districts(members)) != 1:
            faults.append(f"the {name} set is not held together by latent wires")
        if graph.ancestors(base, members) != members:
            faults.append(f"a member of the {name} set does not lead to the roots within it")
    if base & ~graph.ancestors(outcomes, graph.everything, cut=do):
        faults.append("a root does not lead to the outcomes once the set variables are cut")
    if graph.mask(hedge.cut) != larger & do or graph.mask(hedge.outcomes) != outcomes or left & base != base:
        faults.append("the hedge is stated for another query")
    return tuple(faults)
