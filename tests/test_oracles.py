"""The oracles are right about what is known: published numbers and verdicts, and a slower way of computing each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.formulas import evaluate, largest_error
from oracles.graphs import Graph, Query, projection
from oracles.models import LatentModel, enumerated, random_model, random_model_of
from oracles.paths import d_separated, morally_separated
from oracles.verdict import complaints, conditionally_identifiable, identifiable
from strategies import dags, random_dag, random_problem, random_sets, seeds

from suture.dsl.formula import Formula, Kernel, Sum, Symbol, Term, probability, product, ratio, sum_over

CHAIN = {"A": (), "B": ("A",), "C": ("B",)}
COLLIDER = {"A": (), "B": (), "C": ("A", "B"), "D": ("C",)}
FRONT_DOOR = Graph(("S", "T", "C"), (("S", "T"), ("T", "C")), (("C", "S"),))
BOW = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
NAPKIN = Graph(("W", "Z", "X", "Y"), (("W", "Z"), ("Z", "X"), ("X", "Y")), (("W", "X"), ("W", "Y")))

# Joint distributions over (S, T, C), then P(C=1 | do S=0) and P(C=1 | do S=1) as the surgery paper's example has them.
PUBLISHED = [
    ((0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02, 0.2), (0.2535, 0.5423)),
    ((0.14, 0.05, 0.16, 0.05, 0.1, 0.21, 0.1, 0.19), (0.4994, 0.5004)),
    ((0.3, 0.05, 0.2, 0.05, 0.05, 0.05, 0.25, 0.05), (0.2444, 0.2114)),
]


def front_door() -> Formula:
    inner = sum_over(["S"], product([probability(["S"]), probability(["C"], ["S", "T"])]))
    return sum_over(["T"], product([probability(["T"], ["S"]), inner]))


def napkin() -> Formula:
    def averaged(*outcomes: str) -> Formula:
        return sum_over(["W"], product([probability(outcomes, ["W", "Z"]), probability(["W"])]))

    return ratio(averaged("X", "Y"), averaged("X"))


def observational(joint: tuple[float, ...]) -> LatentModel:
    """A model without structure whose joint over S, T, C is the given one."""
    table = np.array(joint).reshape(2, 2, 2)
    t_given = table.sum(axis=2) / table.sum(axis=(1, 2))[:, None]
    c_given = table / table.sum(axis=2)[..., None]
    tables = {"S": table.sum(axis=(1, 2)), "T": t_given, "C": c_given}
    return LatentModel({"S": (), "T": ("S",), "C": ("S", "T")}, frozenset(), dict.fromkeys("STC", 2), tables)


@pytest.mark.parametrize(("joint", "effects"), PUBLISHED)
def test_the_front_door_formula_gives_the_published_numbers(
    joint: tuple[float, ...], effects: tuple[float, float]
) -> None:
    table = evaluate(front_door(), observational(joint))
    assert table.over(["C", "S"])[1] == pytest.approx(effects, abs=5e-5)


@given(dags(5), seeds)
@settings(max_examples=40)
def test_surgery_equals_the_plain_loop(dag: tuple[dict[str, tuple[str, ...]], frozenset[str]], seed: int) -> None:
    generator = np.random.default_rng(seed)
    parents, latent = dag
    model = random_model(parents, latent, generator)
    cut = [name for name in model.observed if generator.random() < 0.4]
    assert np.allclose(model.surgery(cut), enumerated(model, cut), atol=1e-14)
    assert model.surgery().sum() == pytest.approx(1)


@pytest.mark.parametrize(("graph", "formula"), [(FRONT_DOOR, front_door()), (NAPKIN, napkin())])
def test_textbook_estimands_are_the_truth(graph: Graph, formula: Formula) -> None:
    model = random_model_of(graph, np.random.default_rng(1), dict.fromkeys(graph.nodes, 3))
    query = Query(("C",), ("S",)) if graph is FRONT_DOOR else Query(("Y",), ("X",))
    assert largest_error(formula, model, query) < 1e-13


def test_projection_of_latent_chains_and_forks() -> None:
    """U -> L, L -> X and L -> Y, X -> K -> Z with L, K, U hidden."""
    parents = {"U": (), "L": ("U",), "X": ("L",), "Y": ("L",), "K": ("X",), "Z": ("K", "U")}
    found = projection(parents, ["U", "L", "K"])
    assert found.directed == (("X", "Z"),)
    assert found.bidirected == (("X", "Y"), ("X", "Z"), ("Y", "Z"))


def test_a_wrong_napkin_is_caught() -> None:
    """The slip of two public tools: conditioning P(V) where the current distribution is meant."""
    slip = sum_over(["W"], product([probability(["Y"], ["X", "W", "Z"]), probability(["W"])]))
    models = [random_model_of(NAPKIN, np.random.default_rng(seed)) for seed in range(10)]
    assert max(largest_error(slip, model, Query(("Y",), ("X",))) for model in models) > 1e-3


def test_the_evaluator_reads_terms_binders_and_do() -> None:
    model = random_model_of(BOW, np.random.default_rng(2))
    joint, cut = model.surgery(), model.surgery(["X"])
    fixed = Kernel((Term("Y", "1"),), (Term("X", "0"),))
    assert float(evaluate(fixed, model).array) == pytest.approx(joint[0, 1] / joint[0].sum())
    assert float(evaluate(fixed, model, {"X": ("0", "1"), "Y": ("1", "0")}).array) == pytest.approx(
        joint[0, 0] / joint[0].sum()
    )
    assert np.allclose(evaluate(probability(["Y"], do=["X"]), model).over(["X", "Y"]), cut)
    x = Symbol("x", "X")
    assert float(evaluate(Sum((x,), probability(["X"])), model).over(["X"])[0]) == pytest.approx(2 * joint[0].sum())
    assert float(evaluate(Sum((x,), Kernel((Term("X", x),))), model).array) == pytest.approx(1)


@pytest.mark.parametrize(
    ("parents", "given", "separated"),
    [
        (CHAIN, set(), False),
        (CHAIN, {"B"}, True),
        (COLLIDER, set(), True),
        (COLLIDER, {"C"}, False),
        (COLLIDER, {"D"}, False),
    ],
)
def test_paths_are_blocked_as_in_the_textbook(
    parents: dict[str, tuple[str, ...]], given: set[str], separated: bool
) -> None:
    ends = ("A", "C") if parents is CHAIN else ("A", "B")
    assert d_separated(parents, {ends[0]}, {ends[1]}, given) is separated


def test_verdicts_are_the_published_ones(cases: Callable[[str], Any]) -> None:
    for case in cases("identification.json"):
        if case["kind"] == "id":
            query = case["query"]
            verdict = identifiable(Graph.of_case(case), query["outcome"], query["do"])
            assert verdict is case["identifiable"], case["name"]


def test_verdicts_with_conditions_are_the_published_ones(cases: Callable[[str], Any]) -> None:
    conditional = [case for case in cases("identification.json") if case["kind"] == "idc"]
    assert conditional
    for case in conditional:
        query = Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given")))
        assert conditionally_identifiable(Graph.of_case(case), query) is case["identifiable"], case["name"]


def test_moral_graphs_agree_with_paths() -> None:
    generator = np.random.default_rng(4)
    for _ in range(500):
        parents, _ = random_dag(generator, int(generator.integers(2, 8)))
        first, second, rest = random_sets(generator, tuple(parents))
        assert morally_separated(parents, first, second, rest) is d_separated(parents, first, second, rest)


def tian_pearl(graph: Graph, outcome: str, treatment: str) -> bool:
    """No child of the one treatment shares its district, among the ancestors of the outcome (Tian and Pearl 2002).

    Sufficient (theorem 4); necessary too where all other variables are outcomes (theorem 3).
    """
    upstream = graph.on(graph.ancestors([outcome]))
    district = next((group for group in upstream.districts() if treatment in group), frozenset[str]())
    return not district & set(upstream.children(treatment))


def test_verdicts_agree_with_the_criterion_for_one_treatment() -> None:
    generator = np.random.default_rng(3)
    seen: set[bool] = set()
    for _ in range(400):
        graph, query = random_problem(generator)
        treatment = query.treatments[0]
        if tian_pearl(graph, query.outcomes[0], treatment):
            assert identifiable(graph, query.outcomes[:1], [treatment])
        others = [node for node in graph.nodes if node != treatment]
        district = next(group for group in graph.districts() if treatment in group)
        expected = not district & set(graph.children(treatment))
        assert identifiable(graph, others, [treatment]) is expected
        seen.add(expected)
    assert seen == {True, False}


def test_the_bow_has_a_hedge_and_the_checker_refuses_what_is_none() -> None:
    assert complaints(BOW, "Y", "X", "XY", "Y", "Y") == ()
    front = FRONT_DOOR
    refused = {
        "not one district": complaints(front, "C", "S", "STC", "C", "C"),
        "does not reach the roots": complaints(front, "C", "S", "SC", "C", "C"),
        "properly inside": complaints(BOW, "Y", "X", "XY", "XY", "Y"),
        "empty or outside": complaints(BOW, "Y", "X", "XY", "Y", ""),
        "avoids the treatments": complaints(BOW, "Y", "", "XY", "Y", "Y"),
        "meets the treatments": complaints(BOW, "Y", "XY", "XY", "Y", "Y"),
        "does not reach the outcomes": complaints(
            Graph(("X", "Y", "Z"), (("X", "Y"),), (("X", "Y"),)), "Z", "X", "XY", "Y", "Y"
        ),
        "unknown nodes": complaints(BOW, "Y", "X", "XYQ", "Y", "Y"),
    }
    for expected, found in refused.items():
        assert any(re.search(expected, complaint) for complaint in found), expected
