"""The causal graph against the latent projection by paths, and its separations against paths in the mutilated graph."""

from __future__ import annotations

import numpy as np
from oracles.graphs import projection, random_graph
from oracles.paths import d_separated
from strategies import diagram_of, random_dag, random_sets
from strategies_sources import some_of

from suture.dsl.diagram import model_diagram
from suture.identify.graph import CausalGraph, bits


def edges(graph: CausalGraph) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The arrows and the arcs, by name; an arc once, its ends sorted."""
    names = graph.names
    arrows = {(names[parent], names[child]) for child, mask in enumerate(graph.parents) for parent in bits(mask)}
    arcs = {(names[one], names[other]) for one, mask in enumerate(graph.siblings) for other in bits(mask)}
    assert arcs == {(other, one) for one, other in arcs}
    return arrows, {(one, other) for one, other in arcs if one < other}


def test_the_causal_graph_is_the_latent_projection() -> None:
    generator = np.random.default_rng(31)
    for _ in range(400):
        parents, latent = random_dag(generator, int(generator.integers(1, 9)))
        expected = projection(parents, latent)
        graph = CausalGraph.of(model_diagram(parents, latent))
        assert edges(graph) == (set(expected.directed), set(expected.bidirected))
        place = {name: position for position, name in enumerate(graph.names)}
        assert sorted(place) == sorted(expected.nodes)
        assert all(place[tail] < place[head] for tail, head in expected.directed)
        hidden = some_of(generator, graph.names, 2)
        less = projection(parents, {*latent, *hidden})
        assert edges(graph.without(graph.mask(hidden))) == (set(less.directed), set(less.bidirected))


def test_a_diagram_keeps_its_causal_graph() -> None:
    diagram = model_diagram({"X": (), "Y": ("X",)})
    assert CausalGraph.of(diagram) is CausalGraph.of(diagram)
    again = model_diagram({"X": (), "Y": ("X",)})
    assert again == diagram
    assert hash(again) == hash(diagram)


def test_separations_are_those_of_paths_once_edges_are_cut() -> None:
    generator = np.random.default_rng(32)
    held = 0
    for _ in range(1500):
        mixed = random_graph(generator, int(generator.integers(3, 7)), generator.uniform(0.2, 0.5), 0.2)
        first, second, given = random_sets(generator, mixed.nodes)
        cut, cut_out = some_of(generator, mixed.nodes, 2), some_of(generator, mixed.nodes, 2)
        expected = d_separated(mixed.cut_into(cut).cut_out_of(cut_out).with_latents(), first, second, given)
        graph = CausalGraph.of(diagram_of(mixed))
        masks = [graph.mask(names) for names in (first, second, given, cut, cut_out)]
        assert graph.separated(*masks) == expected, (mixed, first, second, given, cut, cut_out)
        held += expected
    assert 300 < held < 1200
