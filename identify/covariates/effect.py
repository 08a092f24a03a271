"""The effect of some variables on others in a causal graph, with what every criterion for covariates needs of it.

A causal path is proper if only its first variable is set.  `causal` are the variables on proper causal paths (their
first one excepted), `forbidden` those that no adjustment may use, because such a path affects them.  The proper
back-door graph lacks the first arrow of every proper causal path: what joins treatments and outcomes in it is bias.

Sources: Shpitser, VanderWeele, Robins (2010) (the adjustment criterion); van der Zander, Liskiewicz,
Textor (2019), (the constructive back-door criterion; arXiv 1803.00116).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from ..graph import CausalGraph, bits


@dataclass(frozen=True, slots=True)
class Effect:
    """Masks of the variables set, of those asked about, on proper causal paths, and forbidden; the back-door graph."""

    graph: CausalGraph
    treatments: int
    outcomes: int
    causal: int
    forbidden: int
    back_door: CausalGraph

    @property
    def asked(self) -> int:
        """Treatments and outcomes."""
        return self.treatments | self.outcomes

    @property
    def usable(self) -> int:
        """The variables that an adjustment may use."""
        return self.graph.everything & ~(self.asked | self.forbidden)


def effect_of(graph: CausalGraph, treatments: Iterable[str], outcomes: Iterable[str]) -> Effect:
    """The effect of `treatments` on `outcomes`.

    Raises `SutureError` where a name is not an observed variable of the graph, is on both sides, or a side is empty.

    >>> chain = CausalGraph(("X", "M", "Y"), (0, 0b001, 0b010), (0, 0, 0))
    >>> chain.members(effect_of(chain, ["X"], ["Y"]).causal)
    ('M', 'Y')
    """
    first, second = known(graph, treatments), known(graph, outcomes)
    if first & second:
        raise SutureError(Diagnostic("S402", f"{graph.members(first & second)[0]} is named twice"))
    if not first or not second:
        raise SutureError(Diagnostic("S402", "an effect needs a treatment and an outcome"))
    into_treatments_cut = graph.descendants(first, cut=first)
    causal = into_treatments_cut & ~first & graph.ancestors(second, within=graph.everything & ~first)
    forbidden = graph.descendants(causal)
    return Effect(graph, first, second, causal, forbidden, _without_first_arrows(graph, first, causal))


def known(graph: CausalGraph, names: Iterable[str]) -> int:
    """The mask of the names; raises `SutureError` S104 for one that is not an observed variable of the graph."""
    listed = list(names)
    for name in listed:
        if name not in graph.index:
            help = did_you_mean(name, graph.names)
            raise SutureError(Diagnostic("S104", f"unknown variable '{name}'", help=help))
    return graph.mask(listed)


def _without_first_arrows(graph: CausalGraph, treatments: int, causal: int) -> CausalGraph:
    parents = list(graph.parents)
    for position in bits(causal):
        parents[position] &= ~treatments
    return replace(graph, parents=tuple(parents))
