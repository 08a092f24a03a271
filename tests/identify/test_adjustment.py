"""Adjustment sets against the definition by enumeration, numbers on latent models, and what the literature says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from oracles.answers import TOLERANCE
from oracles.covariates import Question, best_in_linear_models, minimal, subsets
from oracles.formulas import largest_error
from oracles.graphs import Graph, Query, random_graph
from oracles.models import random_model
from strategies import diagram_of, seeds
from strategies_effects import (
    causal_graph,
    graph_from,
    question_of,
    random_joint_question,
    random_optimality_question,
    random_question,
)

from suture.dsl.diagnostics import SutureError
from suture.dsl.formula import probability
from suture.dsl.formula_text import text
from suture.identify.covariates.adjustment import (
    AdjustmentSets,
    Affected,
    Asked,
    Mediator,
    StaysOpen,
    adjustment_sets,
    invalidity,
    minimal_sets,
    reason_text,
)
from suture.identify.covariates.adjustment_steps import (
    adjustment_outcome,
    adjustment_step,
    back_door_outcome,
    check_adjustment,
)
from suture.identify.covariates.effect import effect_of
from suture.identify.covariates.optimal_adjustment import optimal
from suture.identify.covariates.separators import minimal_separators, minimum_separator
from suture.identify.derivation import Identified, Undecided
from suture.identify.graph import CausalGraph
from suture.identify.rules import RuleError
from suture.identify.simplify import adjustment_formula


def sets_of(answer: AdjustmentSets) -> set[frozenset[str]]:
    assert answer.sets is not None
    found = [frozenset(members) for members in answer.sets]
    assert len(found) == len(set(found))
    return set(found)


def graph_of(edges: str) -> CausalGraph:
    return CausalGraph.of(diagram_of(graph_from(edges)))


# ---------------------------------------------------------------------------------------------------------------------
# Against enumeration


@given(seeds)
@settings(max_examples=400)
def test_the_sets_are_those_of_the_definition(seed: int) -> None:
    question = random_question(np.random.default_rng(seed))
    valid = question.adjustment_sets()
    answer = adjustment_sets(causal_graph(question), question.treatments, question.outcomes)
    if not valid:
        assert answer.to_dict() == {"sets": None, "minimum": None, "optimal": None}
        assert answer.reason is not None
        return
    assert sets_of(answer) == minimal(valid)
    assert answer.minimum is not None
    assert frozenset(answer.minimum) in valid
    assert len(answer.minimum) == min(map(len, valid))
    assert answer.optimal is None or frozenset(answer.optimal) in valid
    assert answer.reason is None
    assert answer.complete


@given(seeds)
@settings(max_examples=200)
def test_constraints_are_kept(seed: int) -> None:
    generator = np.random.default_rng(seed)
    question = random_question(generator)
    include = [name for name in question.free if generator.random() < 0.3]
    only = [name for name in question.free if generator.random() < 0.7]
    valid = {one for one in question.adjustment_sets() if set(include) <= one <= {*include, *only}}
    answer = adjustment_sets(causal_graph(question), question.treatments, question.outcomes, include, only)
    assert (answer.sets is None) is (not valid)
    if valid:
        assert answer.minimum is not None
        assert sets_of(answer) == minimal(valid)
        assert len(answer.minimum) == min(map(len, valid))
        assert answer.optimal is None or frozenset(answer.optimal) in valid


@given(seeds)
@settings(max_examples=150)
def test_a_set_is_valid_exactly_where_no_reason_speaks_against_it(seed: int) -> None:
    question = random_question(np.random.default_rng(seed))
    graph, valid = causal_graph(question), question.adjustment_sets()
    for chosen in subsets(question.free):
        reasons = invalidity(graph, question.treatments, question.outcomes, chosen)
        assert (not reasons) is (chosen in valid)


@given(seeds)
@settings(max_examples=150)
def test_sets_are_listed_lazily_and_once(seed: int) -> None:
    question = random_question(np.random.default_rng(seed))
    graph = causal_graph(question)
    listed = list(minimal_sets(graph, question.treatments, question.outcomes))
    assert len(listed) == len(set(listed))
    assert list(islice(minimal_sets(graph, question.treatments, question.outcomes), 2)) == listed[:2]
    short = adjustment_sets(graph, question.treatments, question.outcomes, limit=1)
    assert short.complete is (len(listed) <= 1)
    assert short.sets is None or set(short.sets) == set(listed[:1])


@given(seeds)
@settings(max_examples=300)
def test_separators_are_those_of_enumeration(seed: int) -> None:
    generator = np.random.default_rng(seed)
    graph: nx.Graph[int] = nx.gnp_random_graph(int(generator.integers(3, 9)), generator.uniform(0.2, 0.8), seed=seed)
    adjacency = tuple(sum(1 << int(other) for other in graph[node]) for node in sorted(graph))
    last = len(adjacency) - 1
    cuts = {
        sum(1 << int(name[1:]) for name in chosen)
        for chosen in subsets([f"v{node}" for node in range(1, last)])
        if not nx.has_path(graph.subgraph(set(graph) - {int(name[1:]) for name in chosen}), 0, last)
    }
    smallest = {one for one in cuts if not any(other != one and other & one == other for other in cuts)}
    listed = list(minimal_separators(adjacency, 1, 1 << last))
    assert sorted(listed) == sorted(smallest)
    found = minimum_separator(adjacency, 1, 1 << last)
    assert (found is None) is (not cuts)
    if found is not None:
        assert found in cuts
        assert found.bit_count() == min(one.bit_count() for one in cuts)


def test_a_minimum_of_a_large_graph_is_as_large_as_the_number_of_disjoint_paths() -> None:
    for seed in range(5):
        graph: nx.Graph[int] = nx.gnp_random_graph(60, 0.12, seed=seed)
        graph.remove_edges_from([(0, 59)])
        adjacency = tuple(sum(1 << int(other) for other in graph[node]) for node in sorted(graph))
        found = minimum_separator(adjacency, 1, 1 << 59)
        assert found is not None
        assert found.bit_count() == nx.node_connectivity(graph, 0, 59)


# ---------------------------------------------------------------------------------------------------------------------
# Against numbers


@given(seeds)
@settings(max_examples=40)
def test_valid_sets_give_the_effect_and_invalid_ones_do_not(seed: int) -> None:
    generator = np.random.default_rng(seed)
    question = random_question(generator, most=5)
    graph, valid = causal_graph(question), question.adjustment_sets()
    query = Query(question.outcomes, question.treatments)
    models = [random_model(question.parents, question.latent, generator) for _ in range(3)]
    for chosen in subsets(question.free):
        formula = adjustment_formula(graph, probability(query.outcomes, (), query.treatments), graph.mask(chosen))
        errors = [largest_error(formula, model, query) for model in models]
        assert max(errors) < TOLERANCE if chosen in valid else max(errors) > TOLERANCE


def test_the_optimal_set_has_the_least_variance_and_exists_exactly_where_one_set_does() -> None:
    generator = np.random.default_rng(7)
    found, refused = 0, 0
    while found < 40 or refused < 6:
        question, include = random_optimality_question(generator)
        graph, valid = causal_graph(question), {one for one in question.adjustment_sets() if include <= one}
        best = optimal(effect_of(graph, question.treatments, question.outcomes), graph.mask(include))
        if best.members is None:
            assert best_in_linear_models(question, valid, generator, 400) == set(), (question, include)
            refused += 1
        elif found < 40:
            left = best_in_linear_models(question, valid, generator, 60)
            assert frozenset(graph.members(best.members)) in left, (question, include)
            found += 1


def test_joint_effects_have_an_optimal_set_where_one_is_best_for_every_coefficient() -> None:
    """Several treatments or outcomes: what is called optimal is best, and where none is, none is best."""
    generator = np.random.default_rng(11)
    found, refused = 0, 0
    while found < 60 or refused < 3:
        question = random_joint_question(generator)
        graph, valid = causal_graph(question), question.adjustment_sets()
        best = optimal(effect_of(graph, question.treatments, question.outcomes))
        if best.members is None:
            assert best_in_linear_models(question, valid, generator, 400) == set(), question
            refused += 1
        else:
            left = best_in_linear_models(question, valid, generator, 40)
            assert frozenset(graph.members(best.members)) in left, question
            found += 1


def test_a_joint_effect_with_latent_variables_has_an_optimal_set() -> None:
    """C and D explain the outcome by latent causes and are free of both treatments; A has to be taken."""
    answer = adjustment_sets(graph_of("A -> X1, A -> Y, X1 -> Y, X2 -> Y, C <-> Y, C <-> D"), ["X1", "X2"], ["Y"])
    assert answer.optimal is not None
    assert set(answer.optimal) == {"A", "C", "D"}
    answer = adjustment_sets(graph_of("X -> Y1, X -> Y2, C <-> Y1, B -> Y2"), ["X"], ["Y1", "Y2"])
    assert answer.optimal is not None
    assert set(answer.optimal) == {"B", "C"}


def test_too_many_sets_to_compare_leave_the_optimal_one_open() -> None:
    noise = ", ".join(f"N{n} -> M{n}, M{n} -> Y" for n in range(6))
    answer = adjustment_sets(graph_of(f"X1 -> Y, X2 -> Y, C <-> Y, {noise}"), ["X1", "X2"], ["Y"])
    assert answer.sets == ((),)
    assert answer.optimal is None
    assert answer.optimal_reason == (
        "with several treatments and latent variables there are too many valid sets to compare"
    )


# ---------------------------------------------------------------------------------------------------------------------
# Derivations


@given(seeds)
@settings(max_examples=150)
def test_outcomes_are_true_and_there_exactly_where_a_set_is_valid(seed: int) -> None:
    generator = np.random.default_rng(seed)
    question = random_question(generator, most=5)
    graph, valid = causal_graph(question), question.adjustment_sets()
    kernel = probability(question.outcomes, (), question.treatments)
    query = Query(question.outcomes, question.treatments)
    unaffected = {one for one in valid if not one & affected(question)}
    for outcome, expected in (
        (adjustment_outcome(kernel, graph), valid),
        (back_door_outcome(kernel, graph), unaffected),
    ):
        assert isinstance(outcome, Identified if expected else Undecided)
        if isinstance(outcome, Identified):
            model = random_model(question.parents, question.latent, generator)
            assert largest_error(outcome.formula, model, query) < TOLERANCE


def affected(question: Question) -> set[str]:
    """What the treatments affect."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(question.parents)
    graph.add_edges_from((parent, node) for node, above in question.parents.items() for parent in above)
    return {node for start in question.treatments for node in nx.descendants(graph, start)}


def test_a_joint_effect_can_need_a_covariate_that_one_treatment_affects() -> None:
    edges = "X1 -> A -> B -> X2, X1 <-> X2, B <-> Y, X1 -> Y, X2 -> Y"
    graph = graph_of(edges)
    question = question_of(graph_from(edges), ("X1", "X2"), ("Y",))
    assert question.adjustment_sets() == {frozenset({"A", "B"})}
    kernel = probability(["Y"], (), ["X1", "X2"])
    refused = back_door_outcome(kernel, graph)
    assert isinstance(refused, Undecided)
    assert refused.reason == (
        "every valid set holds a variable that a treatment affects, as A, B; adjustment allows it"
    )
    outcome = adjustment_outcome(kernel, graph)
    assert isinstance(outcome, Identified)
    assert text(outcome.formula) == "sum{a, b} P(Y | X1, X2, A=a, B=b) P(A=a, B=b)"
    check_adjustment(graph, kernel, outcome.derivation.steps[0])
    model = random_model(question.parents, question.latent, np.random.default_rng(0))
    assert largest_error(outcome.formula, model, Query(("Y",), ("X1", "X2"))) < TOLERANCE


def test_a_step_that_was_tampered_with_is_refused() -> None:
    graph = graph_of("A -> X -> Y, A -> Y, B -> Y, A -> B")
    query = probability(["Y"], (), ["X"])
    step = adjustment_step(graph, query, graph.mask(["A"]))
    check_adjustment(graph, query, step)
    other = adjustment_step(graph, query, graph.mask(["A", "B"]))
    tampered = [
        replace(step, after=other.after),
        replace(step, because=other.because),
        replace(step, because=()),
        replace(step, before=probability(["Y"], (), ["B"])),
        replace(step, rule=replace(step.rule, name="back door")),
    ]
    for wrong in tampered:
        with pytest.raises(RuleError):
            check_adjustment(graph, query, wrong)
    with pytest.raises(RuleError, match="leave a path open"):
        adjustment_step(graph, query, graph.mask(["B"]))


def test_queries_of_another_kind_are_refused_with_a_reason() -> None:
    graph = graph_of("A -> X -> Y, A -> Y")
    for query in (probability(["Y"], ["A"], ["X"]), probability(["Y"], ["X"])):
        outcome = adjustment_outcome(query, graph)
        assert isinstance(outcome, Undecided)
        assert "without conditions" in outcome.reason
        with pytest.raises(RuleError):
            adjustment_step(graph, query, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Known examples

# Pearl (2009), "Causality", figure 3.4.
PEARL = "X1 -> X3 -> Xi, X1 -> X4, X2 -> X4 -> Xi, X2 -> X5 -> Xj, X4 -> Xj, Xi -> X6 -> Xj"

# Shrier and Platt (2008), BMC Medical Research Methodology 8:70, figure 2.
WARM_UP = """Coach -> Motivation -> WarmUp, Coach -> Fitness, Genetics -> Fitness, Genetics -> Fatigue
Genetics -> ConnectiveTissue, Fitness -> Pregame -> WarmUp, Fitness -> Fatigue, ConnectiveTissue -> Fatigue
ConnectiveTissue -> TissueWeakness -> Injury, Motivation -> PreviousInjury, Fatigue -> Intragame, Fatigue -> Injury
ContactSport -> Intragame, ContactSport -> PreviousInjury, WarmUp -> Intragame -> Injury"""


def test_pearl_figure_3_4() -> None:
    """Section 3.3.1: {X3, X4} and {X4, X5} meet the back-door criterion, {X4} and {X6} do not."""
    graph = graph_of(PEARL)
    answer = adjustment_sets(graph, ["Xi"], ["Xj"])
    assert {frozenset({"X3", "X4"}), frozenset({"X4", "X5"})} <= sets_of(answer)
    assert sets_of(answer) == minimal(question_of(graph_from(PEARL), ("Xi",), ("Xj",)).adjustment_sets())
    (only_x4,) = invalidity(graph, ["Xi"], ["Xj"], ["X4"])
    assert reason_text(only_x4) == (
        "Xi <- X3 <- X1 -> X4 <- X2 -> X5 -> Xj is open: conditioning on X4 opens the collider X4"
    )
    (only_x6,) = invalidity(graph, ["Xi"], ["Xj"], ["X6"])
    assert isinstance(only_x6, Mediator)
    assert reason_text(only_x6) == "X6 lies on the causal path Xi -> X6 -> Xj"


def test_warm_up_exercises() -> None:
    """Three sets are those of Ruiz de Villa (2025), "Causal Inference for Data Science", section 7.2."""
    graph = graph_of(WARM_UP)
    answer = adjustment_sets(graph, ["WarmUp"], ["Injury"])
    published = {
        frozenset({"Coach", "Fitness"}),
        frozenset({"Coach", "Pregame"}),
        frozenset({"Fitness", "Genetics"}),
    }
    assert published <= sets_of(answer)
    assert sets_of(answer) == minimal(question_of(graph_from(WARM_UP), ("WarmUp",), ("Injury",)).adjustment_sets())
    assert answer.minimum is not None
    assert len(answer.minimum) == 2
    # Parents of Intragame and Injury that the warm-up does not change (Henckel et al. 2022).
    assert answer.optimal is not None
    assert set(answer.optimal) == {"ContactSport", "Fatigue", "TissueWeakness"}


def test_the_m_graph_needs_no_covariate_and_its_collider_is_refused() -> None:
    """The M of Greenland, Pearl, Robins (1999)."""
    graph = CausalGraph.of(diagram_of(graph_from("X -> Y, X <-> M, M <-> Y")))
    assert adjustment_sets(graph, ["X"], ["Y"]).sets == ((),)
    (reason,) = invalidity(graph, ["X"], ["Y"], ["M"])
    assert isinstance(reason, StaysOpen)
    assert reason_text(reason) == "X <-> M <-> Y is open: conditioning on M opens the collider M"


def test_a_descendant_of_a_collider_opens_it_too() -> None:
    graph = graph_of("X -> Y, X <-> M, M <-> Y, M -> D")
    (reason,) = invalidity(graph, ["X"], ["Y"], ["D"])
    assert reason_text(reason) == ("X <-> M <-> Y is open: conditioning on D, a descendant of M, opens the collider M")


def test_reasons_name_the_mediator_and_what_it_affects() -> None:
    graph = graph_of("X -> M -> Y, M -> D, A -> X, A -> Y")
    reasons = invalidity(graph, ["X"], ["Y"], ["M", "D", "Y", "A"])
    assert {type(reason) for reason in reasons} == {Mediator, Affected, Asked}
    assert {reason_text(reason) for reason in reasons} == {
        "M lies on the causal path X -> M -> Y",
        "D is affected along X -> M -> D",
        "Y is a treatment or an outcome itself",
    }


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ("X -> Y, X <-> Y", "no set blocks X <-> Y"),
        ("Y -> X", "no set blocks X <- Y"),
        ("X -> M -> Y, X <-> M", "no set blocks X <-> M -> Y (the effect itself changes M)"),
        (
            "X -> Y, C -> X, C -> Y, X <-> C, C <-> Y",
            "no set blocks every path: X <- C -> Y has to be blocked, and then X <-> C <-> Y is open: "
            "conditioning on C opens the collider C",
        ),
    ],
)
def test_where_no_set_is_valid_the_reason_is_a_path(edges: str, expected: str) -> None:
    answer = adjustment_sets(graph_of(edges), ["X"], ["Y"])
    assert answer.sets is None
    assert answer.reason == expected


def test_the_reason_says_what_a_restriction_costs() -> None:
    graph = graph_of("A -> X -> Y, A -> Y")
    answer = adjustment_sets(graph, ["X"], ["Y"], only=[])
    assert answer.reason == "no set blocks X <- A -> Y (A may not be used)"
    answer = adjustment_sets(graph_of("X -> M -> Y"), ["X"], ["Y"], include=["M"])
    assert answer.reason == "no valid set: M lies on the causal path X -> M -> Y"


def test_without_an_effect_nothing_is_optimal() -> None:
    answer = adjustment_sets(graph_of("Y -> X, A -> Y"), ["X"], ["A"])
    assert answer.sets == (("Y",),)
    assert answer.optimal is None
    assert answer.optimal_reason == "no treatment affects A, so there is no effect to estimate"


def test_the_answer_in_words() -> None:
    answer = adjustment_sets(graph_of("A -> B -> Y, A -> X -> Y"), ["X"], ["Y"])
    assert answer.lines() == ("2 minimal valid sets: {A}, {B}", "minimum  {B}", "optimal  {B}")
    answer = adjustment_sets(graph_of("X -> Y, X <-> Y"), ["X"], ["Y"])
    assert answer.lines() == ("no valid adjustment set", "no set blocks X <-> Y")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda graph: adjustment_sets(graph, ["X"], ["Z"]), "[S104] unknown variable 'Z'"),
        (lambda graph: adjustment_sets(graph, ["X"], ["X", "Y"]), "[S402] X is named twice"),
        (lambda graph: invalidity(graph, ["X"], ["Y"], ["Tar"]), "[S104] unknown variable 'Tar'"),
    ],
)
def test_wrong_names_are_said(call: Callable[[CausalGraph], object], message: str) -> None:
    with pytest.raises(SutureError) as raised:
        call(graph_of("X -> Y"))
    assert str(raised.value) == message


def test_order_and_names_do_not_matter() -> None:
    generator = np.random.default_rng(5)
    for _ in range(60):
        question = random_question(generator)
        hidden = sorted(question.latent)
        graph = Graph(tuple(question.parents), tuple((p, n) for n, above in question.parents.items() for p in above))
        names = {node: f"W{place}" for place, node in enumerate(generator.permutation(graph.nodes))}
        mixed = graph.shuffled(generator).renamed(names)
        parents = {node: mixed.parents(node) for node in mixed.nodes}
        other = Question(
            parents,
            frozenset(names[node] for node in hidden),
            tuple(names[node] for node in question.treatments),
            tuple(names[node] for node in question.outcomes),
        )
        one = adjustment_sets(causal_graph(question), question.treatments, question.outcomes)
        two = adjustment_sets(causal_graph(other), other.treatments, other.outcomes)
        assert (one.sets is None) is (two.sets is None)
        if one.sets is not None:
            assert {frozenset(names[name] for name in members) for members in one.sets} == sets_of(two)
            assert (one.optimal is None) is (two.optimal is None)
            assert one.optimal is None or {names[name] for name in one.optimal} == set(two.optimal or ())


def test_two_hundred_variables_are_answered() -> None:
    for seed in range(5):
        generator = np.random.default_rng(seed)
        graph = CausalGraph.of(diagram_of(random_graph(generator, 200, 3 / 200, 0.5 / 200)))
        answer = adjustment_sets(graph, [graph.names[60]], [graph.names[-1]], limit=50)
        if answer.sets is None:
            assert answer.reason is not None
            continue
        found = [*answer.sets, answer.minimum, answer.optimal]
        for members in (members for members in found if members is not None):
            assert invalidity(graph, [graph.names[60]], [graph.names[-1]], members) == ()
