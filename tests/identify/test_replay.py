"""What replay accepts is true, and what was tampered with is refused.

Soundness is judged by evaluating the accepted derivation on random models; nothing here knows the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from oracles.answers import TOLERANCE, difference, formula_faults, models_of, step_faults
from oracles.formulas import evaluate
from oracles.graphs import Graph, Query
from oracles.models import LatentModel
from strategies import diagram_of, kernel_of, problems, seeds
from tampering import tampered, with_another_edge, with_step

from suture.dsl.diagram import Diagram
from suture.dsl.formula import Kernel, Term, equal, free_variables, probability, substitute
from suture.identify.algorithms import identify
from suture.identify.derivation import (
    Derivation,
    Identified,
)
from suture.identify.replay import replay

Problem = tuple[Graph, Query]

FRONT_DOOR = (Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "Y"),)), Query(("Y",), ("X",)))
NAPKIN = (
    Graph(("W", "Z", "X", "Y"), (("W", "Z"), ("Z", "X"), ("X", "Y")), (("W", "X"), ("W", "Y"))),
    Query(("Y",), ("X",)),
)
CONDITIONAL = (Graph(("X", "Z", "Y"), (("X", "Z"), ("Z", "Y")), (("X", "Y"),)), Query(("Y",), ("X",), ("Z",)))
BACK_DOOR = (Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y"))), Query(("Y",), ("X",)))
LANDMARKS = {"front door": FRONT_DOOR, "napkin": NAPKIN, "conditional": CONDITIONAL, "back door": BACK_DOOR}


def answer(problem: Problem) -> tuple[Identified, Kernel, Diagram]:
    """The answer to an identifiable problem; others are left out."""
    kernel, diagram = kernel_of(problem[1]), diagram_of(problem[0])
    outcome = identify(kernel, diagram)
    if not isinstance(outcome, Identified):
        reject()
    return outcome, kernel, diagram


def accepted_and_false(
    derivation: Derivation, query: Query, kernel: Kernel, diagram: Diagram, models: tuple[LatentModel, ...]
) -> bool:
    """Whether replay takes the derivation for a proof of its last line although that is not what the query is."""
    formula = derivation.steps[-1].after if derivation.steps else kernel
    if replay(derivation, kernel, diagram, formula):
        return False
    return bool(formula_faults(formula, query, models) or step_faults(derivation, models))


@pytest.mark.parametrize("name", LANDMARKS)
def test_no_tampered_landmark_is_accepted(name: str) -> None:
    problem = LANDMARKS[name]
    outcome, kernel, diagram = answer(problem)
    changes = list(tampered(outcome.derivation, problem[0]))
    assert len(changes) > 20
    accepted = [how for how, other in changes if replay(other, kernel, diagram, outcome.formula) == ()]
    assert accepted == []


@given(problems(6, conditions=1), seeds)
@settings(max_examples=80)
def test_no_tampered_derivation_is_accepted(problem: Problem, seed: int) -> None:
    generator = np.random.default_rng(seed)
    outcome, kernel, diagram = answer(problem)
    changes = list(tampered(outcome.derivation, problem[0]))
    chosen = [changes[int(place)] for place in generator.choice(len(changes), min(60, len(changes)), replace=False)]
    accepted = [how for how, other in chosen if replay(other, kernel, diagram, outcome.formula) == ()]
    assert accepted == []


@given(problems(6, conditions=1))
@settings(max_examples=80)
def test_a_dropped_step_leaves_no_false_proof(problem: Problem) -> None:
    graph, query = problem
    outcome, kernel, diagram = answer(problem)
    models = models_of(graph, np.random.default_rng(1), 2)
    count = len(outcome.derivation.steps)
    for number in range(count):
        other = with_step(outcome.derivation, number, None)
        assert not accepted_and_false(other, query, kernel, diagram, models)
        assert replay(other, kernel, diagram, outcome.formula) != () or number not in moving(outcome.derivation)


def moving(derivation: Derivation) -> set[int]:
    """The steps whose sides differ: a product of one component, say, is written as it stood."""
    return {number for number, step in enumerate(derivation.steps) if not equal(step.before, step.after)}


@pytest.mark.parametrize("name", LANDMARKS)
def test_every_step_of_a_landmark_is_needed(name: str) -> None:
    outcome, kernel, diagram = answer(LANDMARKS[name])
    assert len(moving(outcome.derivation)) > 3
    for number in moving(outcome.derivation):
        shorter = with_step(outcome.derivation, number, None)
        assert replay(shorter, kernel, diagram, outcome.formula) != (), outcome.derivation.steps[number].rule.name


def test_a_comb_of_a_comb_may_have_ancestral_members() -> None:
    """{B, C} is left of {A, B, C} after a discard and ancestral besides: both combs of it are proofs."""
    graph = Graph(("A", "B", "C", "D"), (("A", "D"), ("B", "C"), ("C", "D")), (("A", "B"), ("A", "C")))
    outcome, kernel, diagram = answer((graph, Query(("C", "D"), ("B", "A"))))
    assert replay(outcome.derivation, kernel, diagram, outcome.formula) == ()


@given(problems(6, conditions=1), seeds)
@settings(max_examples=250)
def test_a_proof_for_another_graph_is_accepted_only_where_it_is_true(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    outcome, kernel, _ = answer(problem)
    other = with_another_edge(graph, generator)
    models = models_of(other, generator, 3)
    assert not accepted_and_false(outcome.derivation, query, kernel, diagram_of(other), models)


def test_a_proof_is_refused_once_a_confounder_is_added() -> None:
    """The front door with M <-> Y beside it is not identifiable: no proof may pass."""
    (graph, _), (outcome, kernel, _) = FRONT_DOOR, answer(FRONT_DOOR)
    spoilt = Graph(graph.nodes, graph.directed, (*graph.bidirected, ("M", "Y")))
    assert replay(outcome.derivation, kernel, diagram_of(spoilt)) != ()


# ---------------------------------------------------------------------------------------------------------------------
# Proofs of something else


@given(problems(6, conditions=1), problems(6, conditions=1))
@settings(max_examples=80)
def test_a_proof_of_one_query_is_none_of_another(problem: Problem, another: Problem) -> None:
    """Accepted for another query only where its last line answers that query too."""
    graph, _ = problem
    query = another[1]
    assume({*query.outcomes, *query.treatments, *query.given} <= set(graph.nodes))
    outcome, _, diagram = answer(problem)
    models = models_of(graph, np.random.default_rng(2), 2)
    assert not accepted_and_false(outcome.derivation, query, kernel_of(query), diagram, models)


SAYING_MORE: dict[str, Callable[[Kernel, Term], Kernel]] = {
    "a condition": lambda kernel, spare: replace(kernel, given=(spare,)),
    "a source": lambda kernel, spare: replace(kernel, source="trial"),
    "a world": lambda kernel, spare: replace(kernel, outcomes=(replace(kernel.outcomes[0], world=(spare,)),)),
    "an outcome twice": lambda kernel, spare: replace(kernel, outcomes=kernel.outcomes * 2),
    "a treatment": lambda kernel, spare: replace(kernel, do=(*kernel.do, spare)),
    "an outcome": lambda kernel, spare: replace(kernel, outcomes=(*kernel.outcomes, spare)),
    "an outcome that is set": lambda kernel, spare: replace(kernel, outcomes=(*kernel.outcomes, *kernel.do)),
}


@pytest.mark.parametrize("what", SAYING_MORE)
@pytest.mark.parametrize(("name", "spare"), [("front door", "M"), ("back door", "Z"), ("napkin", "W")])
def test_a_proof_is_refused_for_a_kernel_that_says_more(name: str, spare: str, what: str) -> None:
    """What is put into the query, and into the steps that start from it, does not slip through the cut."""
    outcome, kernel, diagram = answer(LANDMARKS[name])
    other = SAYING_MORE[what](kernel, Term(spare, "1"))
    steps = tuple(
        replace(step, before=other if equal(step.before, kernel) else step.before) for step in outcome.derivation.steps
    )
    assert replay(Derivation(steps), other, diagram) != ()
    assert replay(outcome.derivation, other, diagram) != ()


@pytest.mark.parametrize("name", LANDMARKS)
def test_an_empty_derivation_proves_nothing(name: str) -> None:
    outcome, kernel, diagram = answer(LANDMARKS[name])
    assert replay(Derivation(), kernel, diagram) != ()
    assert replay(Derivation(), kernel, diagram, outcome.formula) != ()


def test_a_wrong_formula_is_not_what_the_derivation_proves() -> None:
    outcome, kernel, diagram = answer(FRONT_DOOR)
    assert replay(outcome.derivation, kernel, diagram, probability(["Y"], ["X"])) != ()


def test_variables_unknown_to_the_diagram_are_refused_without_a_traceback() -> None:
    outcome, kernel, _ = answer(FRONT_DOOR)
    smaller = diagram_of(Graph(("X", "Y"), (("X", "Y"),)))
    assert replay(outcome.derivation, kernel, smaller) != ()


# ---------------------------------------------------------------------------------------------------------------------
# Values


@pytest.mark.parametrize("name", LANDMARKS)
def test_labels_spelt_like_bound_symbols_are_not_captured(name: str) -> None:
    """Values called x, y, m, w, z .. as binders would be: the formula still means what the query asks."""
    graph, query = LANDMARKS[name]
    (model,) = models_of(graph, np.random.default_rng(3), 1)
    spellings = [node.lower() for node in graph.nodes]
    labels = {node: (spellings * 3)[place : place + 3] for place, node in enumerate(graph.nodes)}
    names = (*query.outcomes, *query.treatments, *query.given)
    truth = model.truth(query)
    for place in range(2):
        fixed = {node: Term(node, labels[node][place]) for node in names}
        outcomes, given_terms, do = (
            tuple(fixed[node] for node in part) for part in (query.outcomes, query.given, query.treatments)
        )
        kernel = Kernel(outcomes, given_terms, do)
        outcome = identify(kernel, diagram_of(graph))
        assert isinstance(outcome, Identified)
        found = evaluate(outcome.formula, model, labels).array
        assert np.allclose(found, truth[(place,) * len(names)], atol=1e-12)
        assert replay(outcome.derivation, kernel, diagram_of(graph), outcome.formula) == ()


@given(problems(6, conditions=1), seeds)
@settings(max_examples=80)
def test_fixed_values_give_the_entry_of_the_table(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    names = (*query.outcomes, *query.treatments, *query.given)
    values = {node: int(generator.integers(2)) for node in names if generator.random() < 0.7}
    general = kernel_of(query)
    kernel = substitute(general, {node: str(value) for node, value in values.items()})
    assert isinstance(kernel, Kernel)
    outcome = identify(kernel, diagram_of(graph))
    assume(isinstance(outcome, Identified))
    assert isinstance(outcome, Identified)
    model = models_of(graph, generator, 1)[0]
    expected = evaluate(general, model)
    at = tuple(values.get(str(slot), slice(None)) for slot in expected.slots)
    rest = tuple(slot for slot in expected.slots if slot not in values)
    found = evaluate(outcome.formula, model)
    assert difference(found, replace(expected, slots=rest, array=expected.array[at])) < TOLERANCE
    assert not set(values) & free_variables(outcome.formula)
    assert step_faults(outcome.derivation, [model]) == ()
