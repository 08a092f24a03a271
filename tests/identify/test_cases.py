"""The published cases: every verdict, every formula against surgery on random models, every hedge by its definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles.answers import faults, models_of
from oracles.formulas import evaluate
from oracles.graphs import Graph, Query
from oracles.verdict import conditionally_identifiable
from strategies import diagram_of, kernel_of

from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Kernel, Term, kernels, probability, variables
from suture.identify.algorithms import identify
from suture.identify.certify import CertificationError, certify
from suture.identify.derivation import Identified, NotIdentified
from suture.identify.replay import replay

Cases = Callable[[str], Any]
MODELS = 5


def published(cases: Cases) -> list[tuple[str, Graph, Query, bool]]:
    return [
        (case["name"], Graph.of_case(case), query, case["identifiable"])
        for case in cases("identification.json")
        if case["kind"] in ("id", "idc")
        for query in [Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given")))]
    ]


def test_every_published_case(cases: Cases) -> None:
    generator = np.random.default_rng(21)
    wrong: dict[str, object] = {}
    for name, graph, query, verdict in published(cases):
        outcome = identify(kernel_of(query), diagram_of(graph))
        found = list(faults(outcome, graph, query, models_of(graph, generator, MODELS)))
        if isinstance(outcome, Identified) is not verdict:
            found.append(f"published as {'' if verdict else 'not '}identifiable")
        if found:
            wrong[name] = found
    assert not wrong


def test_the_landmarks_are_among_them(cases: Cases) -> None:
    names = {name for name, *_ in published(cases)}
    assert {"napkin", "tian2002_p90", "front_door", "bow", "line7", "kuroki_miyakawa", "verma3"} <= names
    assert len(names) == 35


def test_every_published_derivation_replays(cases: Cases) -> None:
    for name, graph, query, _ in published(cases):
        kernel, diagram = kernel_of(query), diagram_of(graph)
        outcome = identify(kernel, diagram)
        if isinstance(outcome, Identified):
            assert replay(outcome.derivation, kernel, diagram) == (), name


def test_every_published_case_is_certified(cases: Cases) -> None:
    for name, graph, query, verdict in published(cases):
        kernel, diagram = kernel_of(query), diagram_of(graph)
        outcome = certify(identify(kernel, diagram), kernel, diagram, models=5)
        if verdict:
            assert isinstance(outcome, Identified)
            assert outcome.check is not None, name
            assert outcome.check.models == 5, name
            assert outcome.check.max_error is not None, name
            assert outcome.check.max_error < 1e-10, name


def test_the_graph_on_which_a_single_comb_is_not_enough() -> None:
    """The n-comb example: X->B1->C1->B2->C2, X->B2, X<->C1<->C2, for one treatment and all other variables."""
    graph = Graph(
        ("X", "B1", "C1", "B2", "C2"),
        (("X", "B1"), ("B1", "C1"), ("C1", "B2"), ("B2", "C2"), ("X", "B2")),
        (("X", "C1"), ("C1", "C2")),
    )
    query = Query(("B1", "C1", "B2", "C2"), ("X",))
    outcome = identify(kernel_of(query), diagram_of(graph))
    assert isinstance(outcome, Identified)
    assert faults(outcome, graph, query, models_of(graph, np.random.default_rng(22), 3)) == ()


def test_the_hedge_criterion_is_not_applied_as_first_stated() -> None:
    """Z<->X1, X1->Z->X2->Y: a hedge exists for P(z | do(x1)), yet P(y | do(x1, x2)) is P(y | x2)."""
    graph = Graph(("X1", "Z", "X2", "Y"), (("X1", "Z"), ("Z", "X2"), ("X2", "Y")), (("X1", "Z"),))
    query = Query(("Y",), ("X1", "X2"))
    outcome = identify(kernel_of(query), diagram_of(graph))
    assert isinstance(outcome, Identified)
    assert faults(outcome, graph, query, models_of(graph, np.random.default_rng(23), 3)) == ()


def test_without_intervention_the_answer_is_the_joint() -> None:
    graph = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
    query = Query(("Y",), ())
    outcome = identify(kernel_of(query), diagram_of(graph))
    assert isinstance(outcome, Identified)
    assert faults(outcome, graph, query, models_of(graph, np.random.default_rng(24), 3)) == ()


def test_latent_variables_with_causes_and_several_children() -> None:
    """A latent chain and a latent with three children: the same answers as their latent projection."""
    diagram = model_diagram(
        {"U": (), "L": ("U",), "X": ("L",), "M": ("X",), "Y": ("M", "L"), "Z": ("L",)}, latent=["U", "L"]
    )
    projected = Graph(("X", "M", "Y", "Z"), (("X", "M"), ("M", "Y")), (("X", "Y"), ("X", "Z"), ("Y", "Z")))
    for query in (Query(("Y",), ("X",)), Query(("Y", "Z"), ("X",)), Query(("Z",), ("X",)), Query(("Y",), ("M",))):
        outcome = identify(kernel_of(query), diagram)
        assert faults(outcome, projected, query, models_of(projected, np.random.default_rng(25), 3)) == ()


def test_a_latent_mediator_is_projected_away() -> None:
    """X -> L -> Y with L hidden is an arrow X -> Y; with X <-> Y beside it, a bow."""
    hidden = {"X": (), "L": ("X",), "Y": ("L",)}
    assert isinstance(identify(kernel_of(Query(("Y",), ("X",))), model_diagram(hidden, ["L"])), Identified)
    bow = {"U": (), "X": ("U",), "L": ("X",), "Y": ("L", "U")}
    assert isinstance(identify(kernel_of(Query(("Y",), ("X",))), model_diagram(bow, ["L", "U"])), NotIdentified)


def test_only_observed_variables_are_mentioned(cases: Cases) -> None:
    for name, graph, query, _ in published(cases):
        outcome = identify(kernel_of(query), diagram_of(graph))
        if isinstance(outcome, Identified):
            assert variables(outcome.formula) <= set(graph.nodes), name
            assert all(kernel.source is None for kernel in kernels(outcome.formula)), name


@pytest.mark.parametrize("label", ["0", "1"])
def test_fixed_values_are_put_in(label: str) -> None:
    """P(Y=1 | do(X=label)) is the entry of P(Y | do(X)): the formula has no free variable left but those it ignores."""
    graph = Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "Y"),))
    query = Kernel((Term("Y", "1"),), (), (Term("X", label),))
    outcome = identify(query, diagram_of(graph))
    assert isinstance(outcome, Identified)
    (model,) = models_of(graph, np.random.default_rng(26), 1)
    found = evaluate(outcome.formula, model)
    assert found.slots == ()
    assert float(found.array) == pytest.approx(model.truth(Query(("Y",), ("X",)))[1, int(label)], abs=1e-12)
    assert replay(outcome.derivation, query, diagram_of(graph)) == ()


def test_the_reference_verdicts_are_those_of_the_file(cases: Cases) -> None:
    assert all(conditionally_identifiable(graph, query) is verdict for _, graph, query, verdict in published(cases))


def test_a_wrong_answer_is_not_certified() -> None:
    graph = Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "Y"),))
    kernel, diagram = kernel_of(Query(("Y",), ("X",))), diagram_of(graph)
    outcome = identify(kernel, diagram)
    assert isinstance(outcome, Identified)
    with pytest.raises(CertificationError, match="another formula"):
        certify(replace(outcome, formula=probability(["Y"], ["X"])), kernel, diagram)
    with pytest.raises(CertificationError, match="step 1"):
        certify(
            replace(outcome, derivation=replace(outcome.derivation, steps=outcome.derivation.steps[1:])),
            kernel,
            diagram,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"larger": ("Y",)},
        {"smaller": ("X",)},
        {"roots": ()},
        {"smaller": ("X", "Y")},
        {"cut": ()},
        {"outcomes": ("X",)},
    ],
)
def test_a_wrong_hedge_is_not_certified(change: dict[str, tuple[str, ...]]) -> None:
    graph = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
    kernel, diagram = kernel_of(Query(("Y",), ("X",))), diagram_of(graph)
    outcome = identify(kernel, diagram)
    assert isinstance(outcome, NotIdentified)
    assert certify(outcome, kernel, diagram) == outcome
    with pytest.raises(CertificationError):
        certify(replace(outcome, witness=replace(outcome.witness, **change)), kernel, diagram)
