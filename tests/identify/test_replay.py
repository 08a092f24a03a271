"""What replay accepts is true, and what was tampered with is refused.

Soundness is judged by evaluating the accepted derivation on random models; nothing here knows the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from oracles.answers import TOLERANCE, difference, formula_faults, models_of, step_faults
from oracles.formulas import evaluate
from oracles.graphs import Graph, Query
from oracles.models import LatentModel
from strategies import diagram_of, kernel_of, problems, seeds

from suture.dsl.diagram import Diagram
from suture.dsl.formula import Formula, Kernel, Term, equal, free_variables, map_terms, probability, substitute
from suture.identify.algorithms import identify
from suture.identify.derivation import (
    Ancestral,
    AnyValue,
    Components,
    Derivation,
    Identified,
    Invariant,
    Positive,
    Separated,
    SideCondition,
    Step,
    Teeth,
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


def with_step(derivation: Derivation, number: int, step: Step | None) -> Derivation:
    """The derivation with one step replaced, or dropped."""
    put = () if step is None else (step,)
    return replace(derivation, steps=derivation.steps[:number] + put + derivation.steps[number + 1 :])


def swapped(formula: Formula, first: str, second: str) -> Formula:
    """The formula with the two variables exchanged everywhere, binders aside."""
    names = {first: second, second: first}
    return map_terms(formula, lambda term: replace(term, variable=names.get(term.variable, term.variable)))


# ---------------------------------------------------------------------------------------------------------------------
# Tampering


def shortened(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The names with one left out."""
    for place in range(len(names)):
        yield names[:place] + names[place + 1 :]


def changed_names(names: tuple[str, ...], every: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """One name left out, or one more put in."""
    yield from shortened(names)
    yield from ((*names, name) for name in every if name not in names)


def changed_groups(groups: tuple[tuple[str, ...], ...]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Two groups joined, one group split, one left out."""
    for first, second in combinations(range(len(groups)), 2):
        rest = tuple(group for place, group in enumerate(groups) if place not in (first, second))
        yield (groups[first] + groups[second], *rest)
    for place, group in enumerate(groups):
        yield groups[:place] + groups[place + 1 :]
        if len(group) > 1:
            yield (*groups[:place], group[:1], group[1:], *groups[place + 1 :])


def taken_from_less(condition: Teeth, graph: Graph) -> Iterator[SideCondition]:
    """The comb claimed of a smaller set, where that is false: not ancestral, or not one of its districts."""
    for names in shortened(condition.within):
        rest = graph.on(names)
        if graph.ancestors(names) != frozenset(names) or frozenset(condition.component) not in rest.districts():
            yield replace(condition, within=names)


def changed_condition(condition: SideCondition, graph: Graph) -> Iterator[SideCondition]:
    """The same kind of fact about other variables."""
    every = graph.nodes
    match condition:
        case Ancestral(members, within, cut):
            yield from (replace(condition, members=names) for names in changed_names(members, every))
            yield from (replace(condition, within=names) for names in shortened(within))
            yield from (replace(condition, cut=names) for names in changed_names(cut, every))
        case Components(groups, within):
            yield from (replace(condition, groups=other) for other in changed_groups(groups))
            yield from (replace(condition, within=names) for names in shortened(within))
        case Teeth(component, teeth):
            yield from (replace(condition, component=names) for names in changed_names(component, every))
            yield from (replace(condition, teeth=other) for other in changed_groups(teeth))
            yield from taken_from_less(condition, graph)
        case Separated(first, second, given_names, cut, cut_out):
            yield from (replace(condition, first=names) for names in shortened(first))
            yield from (replace(condition, second=names) for names in shortened(second))
            yield from (replace(condition, given=names) for names in changed_names(given_names, every))
            yield from (replace(condition, cut=names) for names in changed_names(cut, every))
            yield from (replace(condition, cut_out=names) for names in changed_names(cut_out, every))
        case AnyValue(names):
            yield from (AnyValue(other) for other in changed_names(names, every))
        case Invariant(members):
            yield from (replace(condition, members=names) for names in changed_names(members, every))
        case Positive():
            yield from ()


def tampered_steps(step: Step, graph: Graph) -> Iterator[tuple[str, Step]]:
    """One step changed in one place."""
    for first, second in combinations(graph.nodes, 2):
        for side in ("before", "after"):
            formula = step.before if side == "before" else step.after
            other = swapped(formula, first, second)
            if not equal(other, formula):
                yield f"{first} and {second} exchanged {side}", replace(step, **{side: other})
    for place, condition in enumerate(step.because):
        yield "a side condition left out", replace(step, because=step.because[:place] + step.because[place + 1 :])
        for other in changed_condition(condition, graph):
            conditions = (*step.because[:place], other, *step.because[place + 1 :])
            yield f"{condition} became {other}", replace(step, because=conditions)
    yield "another statement", replace(step, rule=replace(step.rule, statement="anything goes"))
    yield "an unknown rule", replace(step, rule=replace(step.rule, name="wishful thinking"))
    yield "a side condition made up", replace(step, because=(*step.because, Ancestral(graph.nodes, ())))


def tampered(derivation: Derivation, graph: Graph) -> Iterator[tuple[str, Derivation]]:
    """The derivation with one step changed in one place, or with the rule of another step."""
    rules = {step.rule for step in derivation.steps}
    for number, step in enumerate(derivation.steps):
        for how, other in tampered_steps(step, graph):
            yield f"step {number}: {how}", with_step(derivation, number, other)
        for rule in sorted(rules - {step.rule}, key=lambda rule: rule.name):
            yield f"step {number}: by {rule.name}", with_step(derivation, number, replace(step, rule=rule))


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


def with_another_edge(graph: Graph, generator: np.random.Generator) -> Graph:
    """The graph with an edge more, one less or one turned into a hidden common cause; still acyclic."""
    directed, arcs = list(graph.directed), list(graph.bidirected)
    choice = generator.random()
    if choice < 0.3 and directed:
        directed.pop(int(generator.integers(len(directed))))
    elif choice < 0.4 and arcs:
        arcs.pop(int(generator.integers(len(arcs))))
    else:
        pairs = [(a, b) for a, b in combinations(graph.nodes, 2) if (a, b) not in arcs and (b, a) not in arcs]
        if choice < 0.7 and pairs:
            arcs.append(pairs[int(generator.integers(len(pairs)))])
        else:
            forward = [(a, b) for a in graph.nodes for b in graph.nodes if a not in graph.ancestors([b])]
            forward = [(a, b) for a, b in forward if b not in graph.ancestors([a])]
            directed += [forward[int(generator.integers(len(forward)))]] if forward else []
    return Graph(graph.nodes, tuple(directed), tuple(arcs))


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
