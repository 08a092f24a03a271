"""Whether an interventional distribution can be identified, and what counts as a proof that it cannot.

`identifiable` is the recursion of Shpitser and Pearl, "Identification of Joint Interventional Distributions in
Recursive Semi-Markovian Causal Models" (AAAI 2006), figure 3, on plain sets and for the verdict alone.  `complaints`
checks a claimed hedge against definitions 4 to 6 of the same paper.
"""

from __future__ import annotations

from collections.abc import Iterable

from .graphs import Graph, Query
from .paths import morally_separated


def identifiable(graph: Graph, outcomes: Iterable[str], treatments: Iterable[str]) -> bool:
    """Whether P(outcomes | do(treatments)) is the same in all models of the graph that agree on P(nodes)."""
    y, x, v = frozenset(outcomes), frozenset(treatments), frozenset(graph.nodes)
    if not x:
        return True
    upstream = graph.ancestors(y)
    if v - upstream:
        return identifiable(graph.on(upstream), y, x & upstream)
    idle = (v - x) - graph.cut_into(x).ancestors(y)
    if idle:
        return identifiable(graph, y, x | idle)
    parts = graph.on(v - x).districts()
    if len(parts) > 1:
        return all(identifiable(graph, part, v - part) for part in parts)
    (part,) = parts
    whole = graph.districts()
    if whole == {v}:
        return False
    if part in whole:
        return True
    around = next(district for district in whole if part < district)
    return identifiable(graph.on(around), y, x & around)


def unconditional(graph: Graph, query: Query) -> Query:
    """The joint effect that is identifiable exactly if P(outcomes | do(treatments), given) is.

    Shpitser and Pearl, "Identification of Conditional Interventional Distributions" (UAI 2006), figure 6: conditions
    that rule 2 allows to be set become treatments, the others outcomes.
    """
    for moved in query.given:
        rest = tuple(name for name in query.given if name != moved)
        mutilated = graph.cut_into(query.treatments).cut_out_of([moved]).with_latents()
        if morally_separated(mutilated, query.outcomes, [moved], {*query.treatments, *rest}):
            return unconditional(graph, Query(query.outcomes, (*query.treatments, moved), rest))
    return Query((*query.outcomes, *query.given), query.treatments)


def conditionally_identifiable(graph: Graph, query: Query) -> bool:
    """Whether P(outcomes | do(treatments), given) is identifiable."""
    joint = unconditional(graph, query)
    return identifiable(graph, joint.outcomes, joint.treatments)


def complaints(
    graph: Graph,
    outcomes: Iterable[str],
    treatments: Iterable[str],
    larger: Iterable[str],
    smaller: Iterable[str],
    roots: Iterable[str],
) -> tuple[str, ...]:
    """What keeps the two node sets from spanning a hedge for the query; empty where they do span one.

    Two c-forests with the common roots R exist on nested sets exactly if each set is one district of its subgraph and
    each of its nodes has a directed path to R inside it: let every node keep one arrow on a shortest such path (inside
    the smaller set where it lies there) and every root none.
    """
    x, y = frozenset(treatments), frozenset(outcomes)
    big, small, base = frozenset(larger), frozenset(smaller), frozenset(roots)
    tests = {
        "unknown nodes": big <= frozenset(graph.nodes),
        "the smaller set is not properly inside the larger": bool(small) and small < big,
        "the roots are empty or outside the smaller set": bool(base) and base <= small,
        "the larger set is not one district": graph.on(big).districts() == {big},
        "the smaller set is not one district": graph.on(small).districts() == {small},
        "a node of the larger set does not reach the roots inside it": graph.on(big).ancestors(base) == big,
        "a node of the smaller set does not reach the roots inside it": graph.on(small).ancestors(base) == small,
        "the larger set avoids the treatments": bool(big & x),
        "the smaller set meets the treatments": not small & x,
        "a root does not reach the outcomes": base <= graph.cut_into(x).ancestors(y),
    }
    return tuple(complaint for complaint, holds in tests.items() if not holds)
