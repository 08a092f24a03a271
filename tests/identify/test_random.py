"""Random graphs and queries: every answer against truths found without the library, and what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.answers import faults, models_of
from oracles.graphs import Graph, Query, projection, random_query
from oracles.models import random_model
from strategies import diagram_of, kernel_of, problems, random_dag, random_problem, seeds

from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Formula, Kernel, canonical, equal, rebuild, variables
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text
from suture.identify.algorithms import identify
from suture.identify.certify import certify
from suture.identify.derivation import Hedge, Identified, NotIdentified, Outcome
from suture.identify.replay import replay

Problem = tuple[Graph, Query]


def answer(graph: Graph, query: Query) -> Outcome:
    return identify(kernel_of(query), diagram_of(graph))


def wrong_answers(seed: int, count: int, most: int, conditions: int) -> tuple[list[object], float]:
    """Every wrong answer among some random problems, and the share of identifiable ones."""
    generator = np.random.default_rng(seed)
    wrong: list[object] = []
    identified = 0
    for _ in range(count):
        graph, query = random_problem(generator, most, conditions=conditions)
        outcome = answer(graph, query)
        identified += isinstance(outcome, Identified)
        found = faults(outcome, graph, query, models_of(graph, generator, 2))
        if found:
            wrong.append((graph, query, found))
    return wrong, identified / count


@pytest.mark.parametrize(("seed", "count", "most"), [(31, 300, 5), (32, 300, 8)])
def test_random_queries_are_answered_rightly(seed: int, count: int, most: int) -> None:
    wrong, share = wrong_answers(seed, count, most, conditions=0)
    assert not wrong
    assert 0.4 < share < 0.95


@pytest.mark.parametrize(("seed", "count", "most"), [(33, 200, 5), (34, 150, 7)])
def test_random_queries_with_conditions_are_answered_rightly(seed: int, count: int, most: int) -> None:
    wrong, share = wrong_answers(seed, count, most, conditions=2)
    assert not wrong
    assert 0.4 < share < 0.95


def test_any_latent_variables_are_projected_away_rightly() -> None:
    """Latent variables with causes, chains of them, several children: judged on models of the unprojected diagram."""
    generator = np.random.default_rng(35)
    verdicts: set[bool] = set()
    for _ in range(300):
        parents, latent = random_dag(generator, int(generator.integers(4, 9)))
        graph = projection(parents, latent)
        if len(graph.nodes) >= 2:
            query = random_query(generator, graph, conditions=1)
            outcome = identify(kernel_of(query), model_diagram(parents, latent))
            verdicts.add(isinstance(outcome, Identified))
            models = [random_model(parents, latent, generator) for _ in range(2)]
            assert faults(outcome, graph, query, models) == (), (parents, latent, query)
    assert verdicts == {True, False}


@given(problems(7, conditions=1))
@settings(max_examples=150)
def test_every_derivation_replays(problem: Problem) -> None:
    graph, query = problem
    outcome = answer(graph, query)
    if isinstance(outcome, Identified):
        assert replay(outcome.derivation, kernel_of(query), diagram_of(graph)) == ()
        assert replay(outcome.derivation, kernel_of(query), diagram_of(graph), outcome.formula) == ()


@given(problems(5, conditions=1))
@settings(max_examples=25)
def test_every_answer_is_certified(problem: Problem) -> None:
    graph, query = problem
    outcome = certify(answer(graph, query), kernel_of(query), diagram_of(graph), models=3)
    if isinstance(outcome, Identified):
        assert outcome.check is not None
        assert outcome.check.models == 3
        assert outcome.check.max_error is not None
        assert outcome.check.max_error < 1e-10
    else:
        assert isinstance(outcome, NotIdentified)


@given(problems(8, conditions=1))
@settings(max_examples=150)
def test_every_formula_is_read_back_from_its_text(problem: Problem) -> None:
    outcome = answer(*problem)
    if isinstance(outcome, Identified):
        steps = [side for step in outcome.derivation.steps for side in (step.before, step.after)]
        for formula in (outcome.formula, *steps):
            assert equal(read_formula(text(formula)), formula)


# ---------------------------------------------------------------------------------------------------------------------
# What must not change an answer


def listed_alike(formula: Formula) -> Formula:
    """The formula with the terms of every kernel in one order: conditions may be listed as the query lists them."""

    def node(part: Formula) -> Formula:
        if isinstance(part, Kernel):
            outcomes, given, do = (tuple(sorted(terms, key=str)) for terms in (part.outcomes, part.given, part.do))
            return Kernel(outcomes, given, do)
        return part

    return rebuild(canonical(formula), node)


def assert_same_answer(first: Outcome, second: Outcome) -> None:
    """The same verdict, and the same formula up to names and listing or the same hedge."""
    match first, second:
        case Identified(formula), Identified(other):
            assert listed_alike(formula) == listed_alike(other)
        case NotIdentified(Hedge() as hedge), NotIdentified(Hedge() as twin):
            assert (set(hedge.larger), set(hedge.smaller)) == (set(twin.larger), set(twin.smaller))
        case _:
            pytest.fail(f"{type(first).__name__} became {type(second).__name__}")


@given(problems(7, conditions=2), seeds)
@settings(max_examples=150)
def test_the_order_of_treatments_and_conditions_does_not_matter(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)

    def mixed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names[int(place)] for place in generator.permutation(len(names)))

    other = Query(query.outcomes, mixed(query.treatments), mixed(query.given))
    first, second = answer(graph, query), answer(graph, other)
    if not query.given:
        assert_same_answer(first, second)
    assert type(first) is type(second)
    assert faults(second, graph, other, models_of(graph, generator, 1)) == ()


@given(problems(7, conditions=1), seeds)
@settings(max_examples=150)
def test_the_order_in_which_a_model_is_written_does_not_matter(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    second = answer(graph.shuffled(generator), query)
    assert type(answer(graph, query)) is type(second)
    assert faults(second, graph, query, models_of(graph, generator, 1)) == ()


@given(problems(7, conditions=1), seeds)
@settings(max_examples=150)
def test_names_do_not_matter(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    places = generator.permutation(len(graph.nodes))
    names = {node: f"N{place}" for node, place in zip(graph.nodes, places, strict=True)}
    other = Query(*(tuple(names[node] for node in part) for part in (query.outcomes, query.treatments, query.given)))
    second = answer(graph.renamed(names), other)
    assert type(answer(graph, query)) is type(second)
    assert faults(second, graph.renamed(names), other, models_of(graph.renamed(names), generator, 1)) == ()


def with_superfluous(graph: Graph, query: Query, generator: np.random.Generator) -> Graph:
    """The graph with a descendant of the outcome, a lone variable, and a descendant of both, confounded with others."""
    arrows = [(node, "Sink") for node in graph.nodes if generator.random() < 0.7]
    arrows += [(query.outcomes[0], "Sink"), ("Sink", "Last")]
    arcs = [("Last", node) for node in graph.nodes if generator.random() < 0.5]
    nodes = [*graph.nodes, "Sink", "Lone", "Last"]
    order = [nodes[int(place)] for place in generator.permutation(len(nodes))]
    return Graph(tuple(order), graph.directed + tuple(dict.fromkeys(arrows)), graph.bidirected + tuple(arcs))


@given(problems(5, conditions=1), seeds)
@settings(max_examples=150)
def test_superfluous_variables_do_not_matter(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    larger = with_superfluous(graph, query, generator)
    first, second = answer(graph, query), answer(larger, query)
    assert type(first) is type(second)
    if isinstance(second, Identified):
        assert variables(second.formula) <= set(graph.nodes)
    assert faults(second, graph, query, models_of(graph, generator, 1)) == ()


@given(problems(7, conditions=1))
@settings(max_examples=60)
def test_the_same_question_gets_the_same_answer_twice(problem: Problem) -> None:
    graph, query = problem
    assert answer(graph, query) == answer(graph, query)


# ---------------------------------------------------------------------------------------------------------------------
# Textbook formulas, found by the names of what they use


def used(formula: Formula) -> set[str]:
    return set(variables(formula))


def test_a_confounder_is_adjusted_for_and_nothing_else() -> None:
    graph = Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y")))
    outcome = answer(graph, Query(("Y",), ("X",)))
    assert isinstance(outcome, Identified)
    assert used(outcome.formula) == {"X", "Y", "Z"}


def test_what_has_no_effect_is_left_out() -> None:
    graph = Graph(("Y", "X"), (("Y", "X"),), (("X", "Y"),))
    outcome = answer(graph, Query(("Y",), ("X",)))
    assert isinstance(outcome, Identified)
    assert used(outcome.formula) == {"Y"}
