"""Random distributions at hand for a random query: experiments, domains, both, named like data sets or like domains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st
from oracles.graphs import Graph, Query, random_graph, random_query
from oracles.sources import Known
from strategies import seeds

from suture.identify.derivation import Source

Problem = tuple[Graph, Query, tuple[Known, ...]]

KINDS = ("experiments", "domains", "both")


def library_sources(known: Iterable[Known]) -> tuple[Source, ...]:
    """The library's form of distributions."""
    return tuple(Source(one.name, one.do, one.differs) for one in known)


def some_of(generator: np.random.Generator, names: Sequence[str], most: int, least: int = 0) -> tuple[str, ...]:
    """From `least` to `most` of the names, in random order."""
    order = [names[int(place)] for place in generator.permutation(len(names))]
    return tuple(order[: int(generator.integers(least, min(most, len(order)) + 1))])


def random_known(generator: np.random.Generator, graph: Graph, query: Query, kind: str) -> tuple[Known, ...]:
    """From one to four distinct distributions of a kind; experiments are on the treatments rather than on the rest.

    Of half of them the plain observation is one; some are named one by one, as data sets are.
    """
    domains: dict[str | None, tuple[str, ...]] = {None: ()}
    if kind != "experiments":
        domains |= {name: _differing(generator, graph) for name in ("a", "b")}
    observed = [Known(None)] if generator.random() < 0.5 else []
    found = dict.fromkeys(observed)
    for _ in range(int(generator.integers(1, 4))):
        name = list(domains)[int(generator.integers(len(domains)))]
        do = () if kind == "domains" and generator.random() < 0.6 else _experiment(generator, graph, query)
        found[Known(name, do, domains[name])] = None
    distinct = {(one.name, frozenset(one.do)): one for one in found}
    listed = [list(distinct.values())[int(place)] for place in generator.permutation(len(distinct))]
    if generator.random() < 0.3:
        return tuple(Known(f"s{place}", one.do, one.differs) for place, one in enumerate(listed))
    return tuple(listed)


def _differing(generator: np.random.Generator, graph: Graph) -> tuple[str, ...]:
    return some_of(generator, graph.nodes, max(1, len(graph.nodes) // 2))


def _experiment(generator: np.random.Generator, graph: Graph, query: Query) -> tuple[str, ...]:
    """What an experiment sets: seldom an outcome, since such an experiment says least."""
    likely = [name for name in graph.nodes if name not in query.outcomes or generator.random() < 0.1]
    return some_of(generator, likely, min(3, len(graph.nodes) - 1))


def random_sources_problem(
    generator: np.random.Generator, kind: str, most: int = 6, smallest: int = 3, conditions: int = 0
) -> Problem:
    """A random mixed graph, query and distributions; hidden causes are common: observation alone seldom does."""
    size = int(generator.integers(smallest, most + 1))
    graph = random_graph(generator, size, generator.uniform(0.3, 0.7), generator.uniform(0.2, 0.6))
    query = random_query(generator, graph, conditions=conditions)
    return graph, query, random_known(generator, graph, query, kind)


@st.composite
def sources_problems(draw: st.DrawFn, most: int = 6, conditions: int = 1) -> Problem:
    """A random problem of any kind."""
    generator = np.random.default_rng(draw(seeds))
    return random_sources_problem(generator, draw(st.sampled_from(KINDS)), most, conditions=conditions)
