"""Front-door sets against the criterion by enumeration, numbers on latent models, and what the literature says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.answers import TOLERANCE
from oracles.covariates import Question, minimal, subsets
from oracles.formulas import largest_error
from oracles.graphs import Query, random_graph
from oracles.models import random_model
from strategies import diagram_of, seeds
from strategies_effects import causal_graph, graph_from, mediated_question, question_of, random_question

from suture.dsl.formula import Formula, probability
from suture.dsl.formula_text import text
from suture.identify.covariates.front_door import (
    check_front_door,
    front_door,
    front_door_conditions,
    front_door_faults,
    front_door_formula,
    front_door_outcome,
    front_door_sets,
    front_door_step,
    reason_text,
)
from suture.identify.derivation import Identified, Undecided
from suture.identify.graph import CausalGraph
from suture.identify.rules import RuleError, separation_holds


def drawn(seed: int) -> Question:
    """A question in which front-door sets are common, or any question."""
    generator = np.random.default_rng(seed)
    return mediated_question(generator) if seed % 4 else random_question(generator)


def graph_of(edges: str) -> CausalGraph:
    return CausalGraph.of(diagram_of(graph_from(edges)))


@given(seeds)
@settings(max_examples=400)
def test_the_sets_are_those_of_the_definition(seed: int) -> None:
    question = drawn(seed)
    graph, valid = causal_graph(question), question.front_door_sets()
    listed = list(front_door_sets(graph, question.treatments, question.outcomes))
    assert len(listed) == len(set(listed))
    assert {frozenset(members) for members in listed} == valid
    answer = front_door(graph, question.treatments, question.outcomes)
    assert (answer.minimal is None) is (answer.largest is None) is (answer.reason is not None) is (not valid)
    if answer.minimal is not None and answer.largest is not None:
        assert frozenset(answer.minimal) in minimal(valid)
        assert frozenset(answer.largest) == frozenset[str]().union(*valid)


@given(seeds)
@settings(max_examples=200)
def test_constraints_are_kept(seed: int) -> None:
    question, generator = drawn(seed), np.random.default_rng([seed, 1])
    include = [name for name in question.free if generator.random() < 0.3]
    only = [name for name in question.free if generator.random() < 0.7]
    valid = {one for one in question.front_door_sets() if set(include) <= one <= {*include, *only}}
    graph = causal_graph(question)
    listed = {
        frozenset(members) for members in front_door_sets(graph, question.treatments, question.outcomes, include, only)
    }
    assert listed == valid
    answer = front_door(graph, question.treatments, question.outcomes, include, only)
    assert answer.minimal is None if not valid else frozenset(answer.minimal or ()) in minimal(valid)


@given(seeds)
@settings(max_examples=200)
def test_a_set_serves_exactly_where_no_reason_speaks_against_it(seed: int) -> None:
    question = drawn(seed)
    graph, valid = causal_graph(question), question.front_door_sets()
    kernel = probability(question.outcomes, (), question.treatments)
    for chosen in subsets(question.free):
        assert (not front_door_faults(graph, question.treatments, question.outcomes, chosen)) is (chosen in valid)
        conditions = front_door_conditions(graph, kernel, graph.mask(chosen))
        assert all(separation_holds(graph, condition) for condition in conditions) is (chosen in valid)


@given(seeds)
@settings(max_examples=60)
def test_front_door_sets_give_the_effect(seed: int) -> None:
    generator, question = np.random.default_rng([seed, 2]), drawn(seed)
    graph, query = causal_graph(question), Query(question.outcomes, question.treatments)
    kernel = probability(query.outcomes, (), query.treatments)
    model = random_model(question.parents, question.latent, generator)
    outcome = front_door_outcome(kernel, graph)
    valid = question.front_door_sets()
    assert isinstance(outcome, Identified if valid else Undecided)
    formulas: list[Formula] = [front_door_formula(graph, kernel, graph.mask(chosen)) for chosen in valid]
    for formula in formulas + ([outcome.formula] if isinstance(outcome, Identified) else []):
        assert largest_error(formula, model, query) < TOLERANCE


def test_the_front_door_is_common_among_the_questions_asked_here() -> None:
    share = [any(drawn(seed).front_door_sets()) for seed in range(200)]
    assert sum(share) > 40


def test_smoking() -> None:
    """Pearl (1995), figure 3 and equation 13."""
    graph = graph_of("Smoke -> Tar -> Cancer, Smoke <-> Cancer")
    assert front_door(graph, ["Smoke"], ["Cancer"]).to_dict() == {"minimal": ["Tar"], "largest": ["Tar"]}
    query = probability(["Cancer"], (), ["Smoke"])
    outcome = front_door_outcome(query, graph)
    assert isinstance(outcome, Identified)
    assert outcome.method == "front door"
    assert text(outcome.formula) == "sum{t} P(Tar=t | Smoke) sum{s} P(Cancer | Smoke=s, Tar=t) P(Smoke=s)"
    check_front_door(graph, query, outcome.derivation.steps[0])


def test_a_first_mediator_serves_alone_and_later_ones_only_together() -> None:
    edges = "X -> A -> B, A -> C, B -> Y, C -> Y, A -> D, D -> Y, X <-> Y"
    graph = graph_of(edges)
    valid = question_of(graph_from(edges), ("X",), ("Y",)).front_door_sets()
    assert {frozenset({"A"}), frozenset({"A", "B"}), frozenset({"A", "B", "C"}), frozenset({"B", "C", "D"})} <= valid
    assert {frozenset(one) for one in front_door_sets(graph, ["X"], ["Y"])} == valid


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ("X -> Y", "no variable can stand between X -> Y"),
        (
            "X -> M -> Y, X <-> M",
            "no usable variable on X -> M -> Y: X <-> M is an open back-door path from the treatment to M",
        ),
        (
            "X -> M -> Y, M <-> Y",
            "no usable variable on X -> M -> Y: M <-> Y is a back-door path from M to the outcome that the treatment "
            "leaves open",
        ),
    ],
)
def test_where_no_set_serves_the_reason_is_a_path(edges: str, expected: str) -> None:
    answer = front_door(graph_of(edges), ["X"], ["Y"])
    assert answer.minimal is None
    assert answer.reason == expected


def test_reasons_against_a_set_and_against_a_restriction() -> None:
    graph = graph_of("X -> A -> Y, X -> B -> Y, X <-> Y")
    reasons = front_door_faults(graph, ["X"], ["Y"], ["A"])
    assert [reason_text(reason) for reason in reasons] == ["the effect passes by along X -> B -> Y"]
    answer = front_door(graph, ["X"], ["Y"], only=["A"])
    assert answer.reason == "no usable variable on X -> B -> Y: B may not be used"
    answer = front_door(graph_of("C -> X, X -> A -> Y, C -> Y"), ["X"], ["Y"], include=["C"])
    assert answer.reason == ("no front-door set holds C: X <- C is an open back-door path from the treatment to C")
    (asked,) = front_door_faults(graph, ["X"], ["Y"], ["X"])
    assert reason_text(asked) == "X is a treatment or an outcome itself"


def test_without_an_effect_the_formula_is_the_outcome_alone() -> None:
    graph = graph_of("Y -> X, X -> A")
    outcome = front_door_outcome(probability(["Y"], (), ["X"]), graph)
    assert isinstance(outcome, Identified)
    assert text(outcome.formula) == "P(Y)"


def test_a_step_that_was_tampered_with_is_refused() -> None:
    graph = graph_of("X -> A -> B -> Y, X <-> Y")
    query = probability(["Y"], (), ["X"])
    step, other = (front_door_step(graph, query, graph.mask([name])) for name in ("A", "B"))
    check_front_door(graph, query, step)
    for wrong in (
        replace(step, after=other.after),
        replace(step, because=other.because),
        replace(step, because=step.because[1:]),
        replace(step, because=()),
    ):
        with pytest.raises(RuleError):
            check_front_door(graph, query, wrong)
    with pytest.raises(RuleError, match="does not hold"):
        front_door_step(graph, query, 0)
    with pytest.raises(RuleError, match="is not P"):
        front_door_step(graph, probability(["Y"], ["A"], ["X"]), graph.mask(["A"]))


def test_two_hundred_variables_are_answered() -> None:
    for seed in range(5):
        generator = np.random.default_rng(seed)
        graph = CausalGraph.of(diagram_of(random_graph(generator, 200, 3 / 200, 0.2 / 200)))
        answer = front_door(graph, [graph.names[60]], [graph.names[-1]])
        if answer.minimal is None or answer.largest is None:
            assert answer.reason is not None
            continue
        for members in (answer.minimal, answer.largest):
            assert front_door_faults(graph, [graph.names[60]], [graph.names[-1]], members) == ()
