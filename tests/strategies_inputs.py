"""Random parts of distributions, P(A | C, do(B)), for a random query."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from oracles.do_closure import Distribution
from oracles.graphs import Graph, Query, random_graph, random_query
from strategies import seeds

Problem = tuple[Graph, Query, tuple[Distribution, ...]]


def random_distribution(generator: np.random.Generator, graph: Graph) -> Distribution:
    """Each variable an outcome, a condition, set or left out; actions are few."""
    while True:
        roles = generator.choice(4, size=len(graph.nodes), p=(0.45, 0.25, 0.12, 0.18))
        sets = [
            frozenset(node for node, role in zip(graph.nodes, roles, strict=True) if role == kind) for kind in range(3)
        ]
        if sets[0]:
            return Distribution(*sets)


def random_inputs_problem(
    generator: np.random.Generator, most: int = 5, smallest: int = 3, conditions: int = 1
) -> Problem:
    """A random mixed graph and query, with from one to four parts of distributions."""
    size = int(generator.integers(smallest, most + 1))
    graph = random_graph(generator, size, generator.uniform(0.2, 0.7), generator.uniform(0.0, 0.4))
    query = random_query(generator, graph, most=2, conditions=conditions)
    count = int(generator.integers(1, 5))
    return graph, query, tuple(dict.fromkeys(random_distribution(generator, graph) for _ in range(count)))


@st.composite
def inputs_problems(draw: st.DrawFn, most: int = 5) -> Problem:
    """A random problem."""
    return random_inputs_problem(np.random.default_rng(draw(seeds)), most)
