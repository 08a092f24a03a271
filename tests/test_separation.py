"""d-separation read off a diagram by connectivity agrees with every other way of deciding it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from oracles.models import marginal, random_model
from oracles.paths import Parents, d_separated
from strategies import diagram_of, random_dag, random_problem, random_sets

from suture.dsl.diagram import connected, cut, model_diagram, separated

GRAPHS = 1_500


def test_connectivity_agrees_with_the_definition_by_paths() -> None:
    """Latent variables may be among the named ones too: they are wires like any other."""
    generator = np.random.default_rng(11)
    verdicts: list[bool] = []
    for _ in range(GRAPHS):
        parents, latent = random_dag(generator, int(generator.integers(2, 8)))
        diagram = model_diagram(parents, latent)
        first, second, given = random_sets(generator, tuple(parents))
        expected = d_separated(parents, first, second, given)
        verdicts.append(expected)
        assert separated(diagram, first, second, given) is expected, (parents, first, second, given)
        assert separated(diagram, second, first, given) is expected
        assert connected(diagram, first, second, given) is not expected
    assert 0.2 < np.mean(verdicts) < 0.8


def test_connectivity_agrees_with_networkx() -> None:
    networkx = pytest.importorskip("networkx")
    generator = np.random.default_rng(12)
    for _ in range(2 * GRAPHS):
        parents, latent = random_dag(generator, int(generator.integers(2, 16)))
        graph = networkx.DiGraph([(parent, node) for node in parents for parent in parents[node]])
        graph.add_nodes_from(parents)
        first, second, given = random_sets(generator, tuple(parents))
        expected = networkx.is_d_separator(graph, first, second, given)
        assert separated(model_diagram(parents, latent), first, second, given) is expected


def test_every_statement_on_small_graphs() -> None:
    """Every pair and every conditioning set of some graphs with confounding."""
    generator = np.random.default_rng(13)
    for _ in range(60):
        graph, _ = random_problem(generator, 5, 3)
        diagram, parents = diagram_of(graph), graph.with_latents()
        for one, other in combinations(graph.nodes, 2):
            rest = [node for node in graph.nodes if node not in (one, other)]
            for size in range(len(rest) + 1):
                for given in combinations(rest, size):
                    expected = d_separated(parents, {one}, {other}, given)
                    assert separated(diagram, [one], [other], given) is expected


def test_cut_wires_separate_as_in_the_mutilated_graph() -> None:
    generator = np.random.default_rng(14)
    for _ in range(300):
        parents, latent = random_dag(generator, int(generator.integers(3, 8)))
        chosen = {node for node in parents if generator.random() < 0.3}
        mutilated = {node: () if node in chosen else above for node, above in parents.items()}
        first, second, given = random_sets(generator, tuple(parents))
        diagram = cut(model_diagram(parents, latent), chosen)
        assert separated(diagram, first, second, given) is d_separated(mutilated, first, second, given)


def dependence(parents: Parents, first: set[str], second: set[str], given: set[str], seed: int) -> float:
    """The largest |P(a,b,z)P(z) - P(a,z)P(b,z)| in a random model where every variable is seen."""
    model = random_model(parents, (), np.random.default_rng(seed))
    a, b, z = sorted(first), sorted(second), sorted(given)
    joint = marginal(model.surgery(), model.observed, [*a, *b, *z])
    in_a, in_b = tuple(range(len(a))), tuple(range(len(a), len(a) + len(b)))
    without_a, without_b = joint.sum(axis=in_a, keepdims=True), joint.sum(axis=in_b, keepdims=True)
    neither = joint.sum(axis=in_a + in_b, keepdims=True)
    return float(np.abs(joint * neither - without_a * without_b).max())


def test_separation_is_independence_in_numbers() -> None:
    """Separated sets are independent in every model, connected ones dependent in a random one (faithfulness)."""
    generator = np.random.default_rng(15)
    seen: set[bool] = set()
    for seed in range(150):
        parents, _ = random_dag(generator, int(generator.integers(2, 7)))
        first, second, given = random_sets(generator, tuple(parents))
        holds = separated(model_diagram(parents), first, second, given)
        seen.add(holds)
        found = dependence(parents, first, second, given, seed)
        assert found < 1e-15 if holds else found > 1e-9, (parents, first, second, given)
    assert seen == {True, False}


def test_latent_wires_join_and_observed_ones_are_cut() -> None:
    bow = model_diagram({"U": (), "X": ("U",), "Y": ("U",), "S": ("X", "Y")}, latent=["U"])
    assert not separated(bow, ["X"], ["Y"])
    assert separated(bow, ["X"], ["Y"], ["U"])
    assert not separated(bow, ["X"], ["Y"], ["U", "S"])


def test_separation_takes_single_names_in_any_collection() -> None:
    chain = model_diagram({"A": (), "B": ("A",), "C": ("B",)})
    assert separated(chain, ("A",), frozenset({"C"}), ["B"])
    assert not separated(chain, iter(["A"]), iter(["C"]), iter(()))


def test_a_long_chain_is_decided_without_recursion() -> None:
    names = [f"V{number}" for number in range(5_000)]
    chain = model_diagram({name: tuple(names[max(0, place - 1) : place]) for place, name in enumerate(names)})
    assert not separated(chain, [names[0]], [names[-1]])
    assert separated(chain, [names[0]], [names[-1]], [names[2_500]])
