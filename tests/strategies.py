"""Random diagrams, graphs and queries: Hypothesis strategies, over seeded generators where a whole graph is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from oracles.graphs import Graph, Query, random_graph, random_query

from suture.dsl.diagram import Box, Diagram, Wire, model_diagram
from suture.dsl.formula import Kernel, probability

TYPES = ("A", "B", "C")

types = st.lists(st.sampled_from(TYPES), max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)


# ---------------------------------------------------------------------------------------------------------------------
# Diagrams


@st.composite
def diagrams(
    draw: st.DrawFn,
    domain: Sequence[str] | None = None,
    codomain: Sequence[str] | None = None,
    most_boxes: int = 5,
    shuffle: bool = True,
) -> Diagram:
    """A well-typed diagram: copies, discards, states, effects, boxes of several outputs, names that may repeat.

    Wires are named apart, so that a cut can name one; where `shuffle` holds, wires and boxes come in any order.
    """
    start = draw(types) if domain is None else tuple(domain)
    carried = list(start)
    boxes: list[Box] = []

    def add(name: str, outputs: Sequence[str]) -> None:
        inputs = draw(st.lists(st.integers(0, len(carried) - 1), max_size=3)) if carried else []
        produced = tuple(range(len(carried), len(carried) + len(outputs)))
        carried.extend(outputs)
        boxes.append(Box(name, tuple(inputs), produced))

    for _ in range(draw(st.integers(0, most_boxes))):
        add(draw(st.sampled_from("fgh")), draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2)))
    outputs = _outputs(draw, carried, codomain, add)
    wires = tuple(Wire(f"w{number}", type) for number, type in enumerate(carried))
    whole = Diagram(wires, tuple(boxes), tuple(range(len(start))), outputs)
    return renumbered(whole, np.random.default_rng(draw(seeds))) if shuffle else whole


def _outputs(
    draw: st.DrawFn, carried: list[str], codomain: Sequence[str] | None, add: Callable[[str, Sequence[str]], None]
) -> tuple[int, ...]:
    """Positions of the outputs; a state box is added for a type that no wire carries yet."""
    if codomain is None:
        return tuple(draw(st.lists(st.integers(0, len(carried) - 1), max_size=4))) if carried else ()
    chosen = []
    for type in codomain:
        if type not in carried:
            add("k", [type])
        chosen.append(draw(st.sampled_from([number for number, other in enumerate(carried) if other == type])))
    return tuple(chosen)


def renumbered(diagram: Diagram, generator: np.random.Generator) -> Diagram:
    """The same diagram with its wires and boxes stored in another order, names kept."""
    place = [int(number) for number in generator.permutation(len(diagram.wires))]
    wires = list(diagram.wires)
    for old, new in enumerate(place):
        wires[new] = diagram.wires[old]

    def moved(positions: Iterable[int]) -> tuple[int, ...]:
        return tuple(place[position] for position in positions)

    boxes = [replace(box, inputs=moved(box.inputs), outputs=moved(box.outputs)) for box in diagram.boxes]
    order = generator.permutation(len(boxes))
    return Diagram(
        tuple(wires), tuple(boxes[int(number)] for number in order), moved(diagram.inputs), moved(diagram.outputs)
    )


@st.composite
def model_diagrams(draw: st.DrawFn, most: int = 6) -> Diagram:
    """The diagram of a random causal model: a box a variable, some of the variables latent."""
    parents, latent = draw(dags(most))
    return model_diagram(parents, latent)


# ---------------------------------------------------------------------------------------------------------------------
# Causal graphs and queries


@st.composite
def dags(draw: st.DrawFn, most: int = 6) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The parents of each variable of a random acyclic graph, and which of the variables are latent."""
    size = draw(st.integers(2, most))
    return random_dag(np.random.default_rng(draw(seeds)), size)


def random_dag(generator: np.random.Generator, size: int) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """A random acyclic graph over `V0`, .. in random causal order, each variable latent with probability 1/4."""
    order = [f"V{number}" for number in generator.permutation(size)]
    density = generator.uniform(0.15, 0.7)
    parents = {
        node: tuple(parent for parent in order[:place] if generator.random() < density)
        for place, node in enumerate(order)
    }
    listed = {f"V{number}": parents[f"V{number}"] for number in generator.permutation(size)}
    return listed, frozenset(node for node in order if generator.random() < 0.25)


def random_sets(generator: np.random.Generator, names: Sequence[str]) -> tuple[set[str], set[str], set[str]]:
    """Two disjoint non-empty sets of the names and a third, disjoint from both, that may be empty."""
    order = [names[int(place)] for place in generator.permutation(len(names))]
    first = int(generator.integers(1, max(2, len(order) // 2)))
    second = int(generator.integers(1, max(2, (len(order) - first) // 2 + 1)))
    given = int(generator.integers(0, len(order) - first - second + 1))
    left, rest = order[:first], order[first:]
    return set(left), set(rest[:second]), set(rest[second : second + given])


def random_problem(
    generator: np.random.Generator, most: int = 8, smallest: int = 2, conditions: int = 0
) -> tuple[Graph, Query]:
    """A random mixed graph of at most `most` observed variables, and a random query on it."""
    size = int(generator.integers(smallest, most + 1))
    graph = random_graph(generator, size, generator.uniform(0.2, 0.7), generator.uniform(0.05, 0.5))
    return graph, random_query(generator, graph, conditions=conditions)


@st.composite
def problems(draw: st.DrawFn, most: int = 6, conditions: int = 0) -> tuple[Graph, Query]:
    """A random mixed graph and query."""
    return random_problem(np.random.default_rng(draw(seeds)), most, conditions=conditions)


def diagram_of(graph: Graph) -> Diagram:
    """The library's diagram of a mixed graph: each bidirected edge a latent wire of that name."""
    parents = graph.with_latents()
    return model_diagram(parents, set(parents) - set(graph.nodes), graph.nodes)


def kernel_of(query: Query) -> Kernel:
    """The library's form of a query."""
    return probability(query.outcomes, query.given, query.treatments)
