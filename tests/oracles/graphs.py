"""Acyclic directed mixed graphs as plain sets, for the oracles alone: the library shares no line with this folder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Graph:
    """Observed `nodes`, arrows `directed` and hidden common causes `bidirected`."""

    nodes: tuple[str, ...]
    directed: tuple[Edge, ...] = ()
    bidirected: tuple[Edge, ...] = ()

    @classmethod
    def of_case(cls, case: Mapping[str, list[list[str]]]) -> Graph:
        """The graph of one known case."""
        return cls(
            tuple(str(node) for node in case["nodes"]),
            tuple((edge[0], edge[1]) for edge in case["directed"]),
            tuple((edge[0], edge[1]) for edge in case["bidirected"]),
        )

    def parents(self, node: str) -> tuple[str, ...]:
        return tuple(tail for tail, head in self.directed if head == node)

    def children(self, node: str) -> tuple[str, ...]:
        return tuple(head for tail, head in self.directed if tail == node)

    def ancestors(self, of: Iterable[str]) -> frozenset[str]:
        """Everything with a directed path into `of`, `of` included."""
        found, frontier = set(of), set(of)
        while frontier:
            frontier = {tail for tail, head in self.directed if head in frontier} - found
            found |= frontier
        return frozenset(found)

    def on(self, keep: Iterable[str]) -> Graph:
        """The induced subgraph."""
        kept = set(keep)
        return Graph(
            tuple(node for node in self.nodes if node in kept),
            tuple(edge for edge in self.directed if kept.issuperset(edge)),
            tuple(edge for edge in self.bidirected if kept.issuperset(edge)),
        )

    def cut_out_of(self, cut: Iterable[str]) -> Graph:
        """The graph without the arrows out of `cut`."""
        gone = set(cut)
        return Graph(self.nodes, tuple(edge for edge in self.directed if edge[0] not in gone), self.bidirected)

    def cut_into(self, cut: Iterable[str]) -> Graph:
        """The graph without any edge with an arrowhead at `cut`."""
        gone = set(cut)
        return Graph(
            self.nodes,
            tuple(edge for edge in self.directed if edge[1] not in gone),
            tuple(edge for edge in self.bidirected if gone.isdisjoint(edge)),
        )

    def districts(self) -> set[frozenset[str]]:
        """The sets of nodes joined by paths of bidirected edges."""
        groups = {node: {node} for node in self.nodes}
        for first, second in self.bidirected:
            if groups[first] is not groups[second]:
                groups[first] |= groups[second]
                for node in groups[second]:
                    groups[node] = groups[first]
        return {frozenset(group) for group in groups.values()}

    def renamed(self, names: Mapping[str, str]) -> Graph:
        def edges(old: tuple[Edge, ...]) -> tuple[Edge, ...]:
            return tuple((names[tail], names[head]) for tail, head in old)

        return Graph(tuple(names[node] for node in self.nodes), edges(self.directed), edges(self.bidirected))

    def shuffled(self, generator: np.random.Generator) -> Graph:
        """The same graph with nodes and edges listed in another order."""

        def mixed(items: tuple[str, ...] | tuple[Edge, ...]) -> list[int]:
            return [int(place) for place in generator.permutation(len(items))]

        return Graph(
            tuple(self.nodes[place] for place in mixed(self.nodes)),
            tuple(self.directed[place] for place in mixed(self.directed)),
            tuple(self.bidirected[place] for place in mixed(self.bidirected)),
        )

    def with_latents(self) -> dict[str, tuple[str, ...]]:
        """The parents of every variable once each bidirected edge is an explicit root, named after the edge."""
        hidden = {f"{first}<->{second}": (first, second) for first, second in self.bidirected}
        parents: dict[str, tuple[str, ...]] = dict.fromkeys(hidden, ())
        for node in self.nodes:
            causes = tuple(name for name, ends in hidden.items() if node in ends)
            parents[node] = self.parents(node) + causes
        return parents


@dataclass(frozen=True, slots=True)
class Query:
    """`P(outcomes | do(treatments), given)`."""

    outcomes: tuple[str, ...]
    treatments: tuple[str, ...]
    given: tuple[str, ...] = ()


def projection(parents: Mapping[str, Sequence[str]], latent: Collection[str]) -> Graph:
    """The mixed graph that a model with latent variables leaves on the observed ones (Verma 1993).

    An arrow for each directed path whose inner variables are latent; an arc where some latent variable has such paths
    to both ends.
    """

    def reached(start: str) -> set[str]:
        """Observed variables at the end of a directed path from `start` through latent ones."""
        found, frontier = set[str](), {start}
        while frontier:
            below = {node for node in parents if frontier & set(parents[node])}
            found |= below - set(latent)
            frontier = below & set(latent)
        return found

    nodes = tuple(node for node in parents if node not in latent)
    arrows = {(node, child) for node in nodes for child in reached(node)}
    arcs = {pair for hidden in latent for pair in combinations(sorted(reached(hidden)), 2)}
    return Graph(nodes, tuple(sorted(arrows)), tuple(sorted(arcs)))


def random_graph(generator: np.random.Generator, size: int, arrows: float, arcs: float) -> Graph:
    """A random graph on `size` nodes: each ordered pair an arrow, each pair an arc, with the given probabilities.

    The nodes are listed in random order, so that the listing says nothing of the causal order.
    """
    order = [f"V{number}" for number in generator.permutation(size)]
    pairs = [(order[i], order[j]) for i in range(size) for j in range(i + 1, size)]
    directed = tuple(pair for pair in pairs if generator.random() < arrows)
    bidirected = tuple(tuple(sorted(pair)) for pair in pairs if generator.random() < arcs)
    nodes = tuple(f"V{number}" for number in range(size))
    return Graph(nodes, directed, tuple((first, second) for first, second in bidirected))


def random_query(generator: np.random.Generator, graph: Graph, most: int = 3, conditions: int = 0) -> Query:
    """Random disjoint sets: from one to `most` outcomes and treatments, at most `conditions` conditions."""
    order = [graph.nodes[place] for place in generator.permutation(len(graph.nodes))]
    treatments = int(generator.integers(1, min(most, len(order) - 1) + 1))
    outcomes = int(generator.integers(1, min(most, len(order) - treatments) + 1))
    rest = order[treatments + outcomes :]
    given = int(generator.integers(0, min(conditions, len(rest)) + 1))
    return Query(tuple(order[treatments : treatments + outcomes]), tuple(order[:treatments]), tuple(rest[:given]))
