"""Do-calculus proofs: they exist for every answer, each step is true, and the checker refuses what is not.

Truth is judged on random models with latent variables (`oracles`), separations by listing paths, the proofs of the
textbook by what the textbook says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from oracles.answers import formula_faults, models_of, step_faults
from oracles.graphs import Graph, Query
from oracles.models import LatentModel
from oracles.paths import morally_separated
from strategies import diagram_of, kernel_of, problems, random_problem, seeds

from suture.dsl.diagram import Diagram
from suture.dsl.formula import (
    Formula,
    Kernel,
    Symbol,
    equal,
    free_variables,
    kernels,
    map_terms,
    probability,
    product,
    rename_symbols,
    substitute,
    sum_over,
    symbols,
)
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text
from suture.identify import simplify
from suture.identify.algorithms import identify, identify_formula
from suture.identify.derivation import (
    OBSERVED,
    Derivation,
    Identified,
    NotIdentified,
    Separated,
    Source,
    Step,
    Undecided,
)
from suture.identify.do_proofs import do_calculus, do_rules
from suture.identify.do_proofs.do_calculus import NotTranslated, derive
from suture.identify.do_proofs.do_identity import identical
from suture.identify.do_proofs.do_replay import is_do_calculus, replay_do
from suture.identify.do_proofs.do_rewriting import replaced, same_formula
from suture.identify.do_proofs.do_rules import Scope, bridge
from suture.identify.graph import CausalGraph

Problem = tuple[Graph, Query]

FRONT_DOOR = (Graph(("X", "Z", "Y"), (("X", "Z"), ("Z", "Y")), (("X", "Y"),)), Query(("Y",), ("X",)))
NAPKIN = (
    Graph(("W", "Z", "X", "Y"), (("W", "Z"), ("Z", "X"), ("X", "Y")), (("W", "X"), ("W", "Y"))),
    Query(("Y",), ("X",)),
)
CONDITIONAL = (Graph(("X", "Z", "Y"), (("X", "Z"), ("Z", "Y")), (("X", "Y"),)), Query(("Y",), ("X",), ("Z",)))
BACK_DOOR = (Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y"))), Query(("Y",), ("X",)))
# A component whose tooth does not hold together: the factors of V3 and V2 are joined after V4's has come between them.
JOINED = (
    Graph(
        ("V0", "V1", "V2", "V3", "V4"),
        (("V3", "V4"), ("V3", "V1"), ("V0", "V4"), ("V0", "V1"), ("V4", "V2"), ("V4", "V1")),
        (("V2", "V3"), ("V0", "V2"), ("V1", "V4")),
    ),
    Query(("V4",), ("V0",), ("V2", "V3")),
)
# What does not depend on the variable summed out has to be freed of it before it may stand in front.
DISTRIBUTED = (
    Graph(
        ("V0", "V1", "V2", "V3", "V4", "V5", "V6"),
        (("V5", "V4"), ("V5", "V6"), ("V3", "V0"), ("V3", "V6"), ("V4", "V2"), ("V0", "V1")),
        (("V4", "V5"), ("V0", "V5"), ("V1", "V5"), ("V3", "V4"), ("V2", "V6")),
    ),
    Query(("V2", "V6", "V4"), ("V1", "V3", "V0")),
)
# The kernel P(V5 | do(V1)) stands for a tooth of one comb and is on the way to another tooth of a second one.
SHARED = (
    Graph(
        ("V0", "V1", "V2", "V3", "V4", "V5", "V6"),
        (("V5", "V6"), ("V5", "V1"), ("V5", "V4"), ("V6", "V4"), ("V6", "V0"), ("V3", "V1"), ("V1", "V0")),
        (("V2", "V5"), ("V1", "V2"), ("V0", "V5"), ("V3", "V6"), ("V0", "V3")),
    ),
    Query(("V0",), ("V2", "V1"), ("V5",)),
)
LANDMARKS = {
    "front door": FRONT_DOOR,
    "napkin": NAPKIN,
    "conditional": CONDITIONAL,
    "back door": BACK_DOOR,
    "joined": JOINED,
    "distributed": DISTRIBUTED,
}
PROVED = {**LANDMARKS, "shared": SHARED}


def proof(problem: Problem) -> tuple[Identified, Derivation, Kernel, Diagram]:
    """The answer to an identifiable problem with its do-calculus proof; other problems are left out."""
    kernel, diagram = kernel_of(problem[1]), diagram_of(problem[0])
    outcome = identify(kernel, diagram)
    if not isinstance(outcome, Identified):
        reject()
    return outcome, derive(outcome, kernel, diagram), kernel, diagram


def faults_of(
    derivation: Derivation, outcome: Identified, query: Query, models: tuple[LatentModel, ...]
) -> tuple[str, ...]:
    """Steps and formulas that some model contradicts."""
    return step_faults(derivation, models) + formula_faults(outcome.formula, query, models)


def written(derivation: Derivation) -> list[tuple[str, str, str]]:
    return [(step.rule.name, text(step.before), text(step.after)) for step in derivation.steps]


# ---------------------------------------------------------------------------------------------------------------------
# Proofs of the textbook


def test_the_front_door_is_proved_as_in_the_book() -> None:
    """Causality, section 3.4.3: P(z | do x) by rule 2, P(y | do z) by the back door, P(y | z, do x) by rules 2, 3."""
    _, derivation, _, _ = proof(FRONT_DOOR)
    expected = [
        ("total probability", "P(Y | do(X))", "sum{z} P(Z=z, Y | do(X))"),
        ("product rule", "P(Z, Y | do(X))", "P(Z | do(X)) P(Y | do(X), Z)"),
        ("rule 2", "P(Z | do(X))", "P(Z | X)"),
        ("rule 2", "P(Y | do(X), Z)", "P(Y | do(X, Z))"),
        ("rule 3", "P(Y | do(X, Z))", "P(Y | do(Z))"),
        ("total probability", "P(Y | do(Z))", "sum{x} P(X=x, Y | do(Z))"),
        ("product rule", "P(X, Y | do(Z))", "P(X | do(Z)) P(Y | do(Z), X)"),
        ("rule 3", "P(X | do(Z))", "P(X)"),
        ("rule 2", "P(Y | do(Z), X)", "P(Y | X, Z)"),
    ]
    assert written(derivation) == expected


def test_the_separations_of_the_front_door_are_those_of_the_book() -> None:
    """The sub-graphs of Causality, figure 3.6: cut out of X; into X and out of Z; into X and Z; into Z; out of Z."""
    _, derivation, _, _ = proof(FRONT_DOOR)
    used = [condition for step in derivation.steps for condition in step.because]
    assert used == [
        Separated(("Z",), ("X",), (), (), ("X",)),
        Separated(("Y",), ("Z",), ("X",), ("X",), ("Z",)),
        Separated(("Y",), ("X",), ("Z",), ("X", "Z")),
        Separated(("X",), ("Z",), (), ("Z",)),
        Separated(("Y",), ("Z",), ("X",), (), ("Z",)),
    ]


def test_the_back_door_is_proved_as_in_the_book() -> None:
    """Causality, section 3.3.1: the covariates are not affected (rule 3), and given them setting is observing."""
    _, derivation, _, _ = proof(BACK_DOOR)
    assert written(derivation) == [
        ("total probability", "P(Y | do(X))", "sum{z} P(Z=z, Y | do(X))"),
        ("product rule", "P(Z, Y | do(X))", "P(Z | do(X)) P(Y | do(X), Z)"),
        ("rule 3", "P(Z | do(X))", "P(Z)"),
        ("rule 2", "P(Y | do(X), Z)", "P(Y | Z, X)"),
    ]


def test_the_napkin_sets_the_instrument_too() -> None:
    _, derivation, _, _ = proof(NAPKIN)
    first = written(derivation)[:3]
    assert first == [
        ("rule 3", "P(Y | do(X))", "P(Y | do(Z, X))"),
        ("rule 2", "P(Y | do(Z, X))", "P(Y | do(Z), X)"),
        ("definition of a conditional", "P(Y | do(Z), X)", "P(X, Y | do(Z)) / P(X | do(Z))"),
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Every answer has a proof, and every step of it is true


def assert_proved(problem: Problem, models: tuple[LatentModel, ...]) -> None:
    outcome, derivation, kernel, diagram = proof(problem)
    assert is_do_calculus(derivation)
    assert replay_do(derivation, kernel, diagram, outcome.formula) == ()
    assert faults_of(derivation, outcome, problem[1], models) == ()


@pytest.mark.parametrize("name", PROVED)
def test_every_landmark_is_proved(name: str) -> None:
    assert_proved(PROVED[name], models_of(PROVED[name][0], np.random.default_rng(4), 3))


def test_every_published_case_is_proved(cases: Callable[[str], Any]) -> None:
    proved = 0
    for case in cases("identification.json"):
        if case["kind"] in ("id", "idc") and case["identifiable"]:
            graph = Graph.of_case(case)
            query = Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given")))
            assert_proved((graph, query), models_of(graph, np.random.default_rng(proved), 3))
            proved += 1
    assert proved >= 20


@pytest.mark.parametrize(("seed", "count", "most", "conditions"), [(41, 300, 5, 0), (42, 300, 6, 2), (43, 100, 7, 1)])
def test_random_answers_are_proved(seed: int, count: int, most: int, conditions: int) -> None:
    generator = np.random.default_rng(seed)
    proved = 0
    for _ in range(count):
        graph, query = random_problem(generator, most, conditions=conditions)
        if isinstance(identify(kernel_of(query), diagram_of(graph)), Identified):
            assert_proved((graph, query), models_of(graph, generator, 2))
            proved += 1
    assert proved > count / 2


@given(problems(9, conditions=2))
@settings(max_examples=300)
def test_every_proof_replays(problem: Problem) -> None:
    outcome, derivation, kernel, diagram = proof(problem)
    assert replay_do(derivation, kernel, diagram, outcome.formula) == ()
    assert replay_do(derivation, kernel, diagram) == ()


@given(problems(5, conditions=1))
@settings(max_examples=150)
def test_every_separation_holds_by_the_moral_graph(problem: Problem) -> None:
    graph, _ = problem
    _, derivation, _, _ = proof(problem)
    for step in derivation.steps:
        for condition in step.because:
            assert isinstance(condition, Separated)
            mutilated = graph.cut_into(condition.cut).cut_out_of(condition.cut_out)
            assert morally_separated(mutilated.with_latents(), condition.first, condition.second, condition.given)


@given(problems(7, conditions=1))
@settings(max_examples=100)
def test_the_steps_lead_from_the_query_to_the_formula(problem: Problem) -> None:
    """Used by plain replacement of terms; and every step is read back from its text."""
    outcome, derivation, kernel, _ = proof(problem)
    reached: Formula = kernel
    for step in derivation.steps:
        reached, _ = replaced(reached, step.before, step.after)
        for side in (step.before, step.after):
            assert equal(read_formula(text(side)), side)
    assert same_formula(reached, outcome.formula)


@given(problems(6, conditions=1), seeds)
@settings(max_examples=100)
def test_fixed_values_are_put_in(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    names = (*query.outcomes, *query.treatments, *query.given)
    values = {name: str(int(generator.integers(2))) for name in names if generator.random() < 0.7}
    kernel = substitute(kernel_of(query), values)
    assert isinstance(kernel, Kernel)
    outcome = identify(kernel, diagram_of(graph))
    if not isinstance(outcome, Identified):
        reject()
    derivation = derive(outcome, kernel, diagram_of(graph))
    assert replay_do(derivation, kernel, diagram_of(graph), outcome.formula) == ()


def test_a_long_chain_has_a_proof() -> None:
    """A chain of 120 variables, every third of them confounded with the next but one: nothing recurses."""
    names = tuple(f"V{number}" for number in range(120))
    arrows = tuple(pairwise(names))
    graph = Graph(names, arrows, tuple((names[i], names[i + 2]) for i in range(0, 117, 3)))
    assert replay_of(graph, Query(("V119",), ("V1",))) == ()


def replay_of(graph: Graph, query: Query) -> tuple[str, ...]:
    outcome, derivation, kernel, diagram = proof((graph, query))
    return replay_do(derivation, kernel, diagram, outcome.formula)


# ---------------------------------------------------------------------------------------------------------------------
# Other sources, other answers


@given(problems(6, conditions=1), seeds)
@settings(max_examples=150)
def test_experiments_are_read_off(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    sources = [OBSERVED] if generator.random() < 0.6 else []
    for number in range(2):
        do = tuple(name for name in graph.nodes if generator.random() < 0.4)
        sources += [Source(f"trial{number}", do)] if do else []
    kernel, diagram = kernel_of(query), diagram_of(graph)
    outcome = identify(kernel, diagram, None, tuple(sources))
    if not isinstance(outcome, Identified):
        reject()
    derivation = derive(outcome, kernel, diagram)
    assert replay_do(derivation, kernel, diagram, outcome.formula, sources) == ()
    named = [step for step in derivation.steps if step.rule == do_rules.READ]
    used = {kernel.source for kernel in kernels(outcome.formula)} - {None}
    if used:
        assert named
        assert replay_do(derivation, kernel, diagram, outcome.formula) != ()


def test_another_domain_is_refused_with_a_reason() -> None:
    graph = Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y")))
    sources = (Source("there", ("X",), ("Z",)), OBSERVED)
    kernel = probability(["Y"], do=["X"])
    outcome = identify(kernel, diagram_of(graph), None, (sources[0], Source("here")))
    assert isinstance(outcome, Identified)
    with pytest.raises(NotTranslated, match="transport"):
        derive(outcome, kernel, diagram_of(graph))
    assert not do_calculus.accepts(kernel, CausalGraph.of(diagram_of(graph)), sources)


@given(problems(6, conditions=1))
@settings(max_examples=80)
def test_the_algorithm_gives_the_same_verdict_and_formula(problem: Problem) -> None:
    graph, query = problem
    kernel, causal = kernel_of(query), CausalGraph.of(diagram_of(graph))
    assert do_calculus.accepts(kernel, causal)
    found, other = do_calculus.identify(kernel, causal), identify(kernel, diagram_of(graph))
    assert type(found) is type(other)
    assert not isinstance(found, Undecided)
    if isinstance(found, Identified) and isinstance(other, Identified):
        assert found.formula == other.formula
        assert found.method == "do-calculus"
        assert replay_do(found.derivation, kernel, diagram_of(graph), found.formula) == ()
    elif isinstance(found, NotIdentified) and isinstance(other, NotIdentified):
        assert found.witness == other.witness


def test_what_asks_for_no_surgery_is_read_off() -> None:
    kernel, diagram = probability(["Y"], ["X"]), diagram_of(FRONT_DOOR[0])
    for sources, count in (((OBSERVED,), 0), ((Source("survey"),), 1)):
        outcome = identify(kernel, diagram, None, sources)
        assert isinstance(outcome, Identified)
        derivation = derive(outcome, kernel, diagram)
        assert len(derivation.steps) == count
        assert replay_do(derivation, kernel, diagram, outcome.formula, sources) == ()
        assert replay_do(outcome.derivation, kernel, diagram, outcome.formula, sources) == ()


def test_what_asks_for_no_surgery_is_not_accepted() -> None:
    causal = CausalGraph.of(diagram_of(FRONT_DOOR[0]))
    assert not do_calculus.accepts(probability(["Y"], ["X"]), causal)


@pytest.mark.parametrize(
    "query",
    [
        "P(Y=1 | do(X=1)) - P(Y=1 | do(X=0))",
        "P(Y | do(Z)) - P(Y | do(X))",
        "P(Y | do(X)) P(X | do(Z))",
        "P(Y=1 | do(X=1)) - P(Y=1)",
    ],
)
def test_arithmetic_is_proved_kernel_by_kernel(query: str) -> None:
    graph, diagram = FRONT_DOOR[0], diagram_of(FRONT_DOOR[0])
    formula = read_formula(query)
    outcome = identify_formula(formula, diagram)
    assert isinstance(outcome, Identified)
    steps: list[Step] = []
    for kernel in dict.fromkeys(kernels(formula)):
        found = identify(kernel, diagram)
        assert isinstance(found, Identified)
        steps.extend(derive(found, kernel, diagram).steps)
    derivation = Derivation(tuple(steps))
    assert step_faults(derivation, models_of(graph, np.random.default_rng(5), 2)) == ()
    assert replay_do(derivation, formula, diagram, outcome.formula) == ()
    assert replay_do(derivation, formula, diagram, probability(["Y"], ["X"])) != ()


# ---------------------------------------------------------------------------------------------------------------------
# Tampering


def with_step(derivation: Derivation, number: int, step: Step | None) -> Derivation:
    """The derivation with one step replaced, or dropped."""
    put = () if step is None else (step,)
    return replace(derivation, steps=derivation.steps[:number] + put + derivation.steps[number + 1 :])


def swapped(formula: Formula, first: str, second: str) -> Formula:
    """The formula with the two variables exchanged everywhere, what sums range over included."""
    names = {first: second, second: first}
    ranges = {symbol: Symbol(symbol.name, names.get(symbol.variable, symbol.variable)) for symbol in symbols(formula)}
    moved = map_terms(formula, lambda term: replace(term, variable=names.get(term.variable, term.variable)))
    return rename_symbols(moved, ranges)


def changed_separations(condition: Separated, graph: Graph) -> Iterator[Separated]:
    """The separation with one name more or less in one of its sets."""
    for part in ("first", "second", "given", "cut", "cut_out"):
        names: tuple[str, ...] = getattr(condition, part)
        for place in range(len(names)):
            yield replace(condition, **{part: names[:place] + names[place + 1 :]})
        for name in graph.nodes:
            if name not in names:
                yield replace(condition, **{part: (*names, name)})


def changed_steps(step: Step, graph: Graph) -> Iterator[Step]:
    """The step with variables of a side exchanged, another rule, or a condition of a kernel dropped."""
    for first, second in combinations(graph.nodes, 2):
        for side in ("before", "after"):
            formula: Formula = getattr(step, side)
            if not equal(swapped(formula, first, second), formula):
                yield replace(step, **{side: swapped(formula, first, second)})
        yield replace(step, before=swapped(step.before, first, second), after=swapped(step.after, first, second))
    for rule in (*do_rules.DO_RULES, *do_rules.PROBABILITY_RULES, *(part.rule for part in simplify.REWRITES)):
        if rule != step.rule:
            yield replace(step, rule=rule)
    if isinstance(step.after, Kernel):
        for place in range(len(step.after.given)):
            given = step.after.given[:place] + step.after.given[place + 1 :]
            yield replace(step, after=replace(step.after, given=given))


def accepted_and_false(
    derivation: Derivation, query: Query, kernel: Kernel, diagram: Diagram, models: tuple[LatentModel, ...]
) -> bool:
    """Whether the checker takes the derivation for a proof of what it leads to, although some model contradicts it."""
    reached: Formula = kernel
    for step in derivation.steps:
        reached, _ = replaced(reached, step.before, step.after)
    if replay_do(derivation, kernel, diagram, reached):
        return False
    return bool(formula_faults(reached, query, models) or step_faults(derivation, models))


@pytest.mark.parametrize("name", LANDMARKS)
def test_a_changed_side_condition_is_refused(name: str) -> None:
    graph = LANDMARKS[name][0]
    outcome, derivation, kernel, diagram = proof(LANDMARKS[name])
    changes = 0
    for number, step in enumerate(derivation.steps):
        for place, condition in enumerate(step.because):
            assert isinstance(condition, Separated)
            others = [(*step.because[:place], *step.because[place + 1 :]), (*step.because, condition)]
            for other in changed_separations(condition, graph):
                others.append((*step.because[:place], other, *step.because[place + 1 :]))
            for because in others:
                tampered = with_step(derivation, number, replace(step, because=because))
                assert replay_do(tampered, kernel, diagram, outcome.formula) != (), (number, because)
                changes += 1
        if not step.because:
            made_up = replace(step, because=(Separated(("X",), ("Y",), ()),))
            assert replay_do(with_step(derivation, number, made_up), kernel, diagram, outcome.formula) != ()
    assert changes > 15


@pytest.mark.parametrize("name", LANDMARKS)
def test_every_step_is_needed(name: str) -> None:
    outcome, derivation, kernel, diagram = proof(LANDMARKS[name])
    assert len(derivation.steps) > 2
    for number in range(len(derivation.steps)):
        shorter = with_step(derivation, number, None)
        assert replay_do(shorter, kernel, diagram, outcome.formula) != (), derivation.steps[number]


LONG = ("joined", "distributed")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in LANDMARKS]
)
def test_a_changed_step_of_a_landmark_is_refused_or_true(name: str) -> None:
    problem = LANDMARKS[name]
    _, derivation, kernel, diagram = proof(problem)
    models = models_of(problem[0], np.random.default_rng(6), 2)
    for number, step in enumerate(derivation.steps):
        for other in changed_steps(step, problem[0]):
            assert not accepted_and_false(with_step(derivation, number, other), problem[1], kernel, diagram, models)


@given(problems(6, conditions=1), seeds)
@settings(max_examples=40)
def test_no_tampered_proof_is_accepted_unless_true(problem: Problem, seed: int) -> None:
    generator = np.random.default_rng(seed)
    graph, query = problem
    _, derivation, kernel, diagram = proof(problem)
    models = models_of(graph, generator, 2)
    changes = [(number, other) for number, step in enumerate(derivation.steps) for other in changed_steps(step, graph)]
    for place in generator.choice(len(changes), min(25, len(changes)), replace=False):
        number, other = changes[int(place)]
        assert not accepted_and_false(with_step(derivation, number, other), query, kernel, diagram, models)
    for number in range(len(derivation.steps)):
        shorter = with_step(derivation, number, None)
        assert not accepted_and_false(shorter, query, kernel, diagram, models)


@given(problems(6, conditions=1), seeds)
@settings(max_examples=150)
def test_a_proof_for_another_graph_is_accepted_only_where_it_is_true(problem: Problem, seed: int) -> None:
    graph, query = problem
    generator = np.random.default_rng(seed)
    _, derivation, kernel, _ = proof(problem)
    pairs = [pair for pair in combinations(graph.nodes, 2) if pair not in graph.bidirected]
    pairs = [pair for pair in pairs if pair[::-1] not in graph.bidirected]
    if not pairs:
        reject()
    more = Graph(graph.nodes, graph.directed, (*graph.bidirected, pairs[int(generator.integers(len(pairs)))]))
    assert not accepted_and_false(derivation, query, kernel, diagram_of(more), models_of(more, generator, 2))


def test_a_proof_is_refused_once_a_confounder_is_added() -> None:
    outcome, derivation, kernel, _ = proof(FRONT_DOOR)
    graph = FRONT_DOOR[0]
    more = Graph(graph.nodes, graph.directed, (*graph.bidirected, ("X", "Z")))
    faults = replay_do(derivation, kernel, diagram_of(more), outcome.formula)
    assert faults == ("step 3 (rule 2): the separation does not hold in the mutilated diagram",)


def test_names_that_are_not_observed_are_refused() -> None:
    outcome, derivation, kernel, diagram = proof(FRONT_DOOR)
    step = replace(derivation.steps[0], after=swapped(derivation.steps[0].after, "Z", "X<->Y"))
    assert replay_do(with_step(derivation, 0, step), kernel, diagram, outcome.formula) == (
        "step 1 (total probability): X<->Y is not an observed variable of the diagram",
    )


def test_values_of_another_variable_are_refused() -> None:
    outcome, derivation, kernel, diagram = proof(FRONT_DOOR)
    after = map_terms(derivation.steps[0].after, lambda term: replace(term, variable="X") if term.value else term)
    tampered = with_step(derivation, 0, replace(derivation.steps[0], after=after))
    assert replay_do(tampered, kernel, diagram, outcome.formula) == (
        "step 1 (total probability): a variable takes the values of another",
    )


def test_an_unknown_rule_is_refused() -> None:
    outcome, derivation, kernel, diagram = proof(BACK_DOOR)
    rule = replace(do_rules.TOTAL, statement="anything goes")
    tampered = with_step(derivation, 0, replace(derivation.steps[0], rule=rule))
    assert replay_do(tampered, kernel, diagram, outcome.formula) == (
        "step 1 (total probability): the rule is not known",
    )


def test_a_comb_derivation_is_none_of_the_do_calculus() -> None:
    outcome, _, kernel, diagram = proof(NAPKIN)
    assert not is_do_calculus(outcome.derivation)
    assert replay_do(outcome.derivation, kernel, diagram, outcome.formula) != ()


def test_rule_three_cuts_only_what_is_no_ancestor_of_what_is_given() -> None:
    """X -> Z -> Y with X <-> Y: X is an ancestor of Z, so arrows into it stay, and rule 3 does not drop do(X)."""
    graph = CausalGraph.of(diagram_of(CONDITIONAL[0]))
    scope = Scope(graph.mask("Y"), graph.mask("Z"), graph.mask("X"))
    assert do_rules.action_separated(graph, scope, graph.mask("X")) == Separated(("Y",), ("X",), ("Z",))
    assert bridge(graph, scope, replace(scope, do=0)) is None
    before, after = probability("Y", "Z", "X"), probability("Y", "Z")
    for condition in (Separated(("Y",), ("X",), ("Z",)), Separated(("Y",), ("X",), ("Z",), ("X",))):
        step = Step(do_rules.RULE_3, before, after, (condition,))
        assert replay_do(Derivation((step,)), before, diagram_of(CONDITIONAL[0]), after) != ()


# ---------------------------------------------------------------------------------------------------------------------
# Identities of probability theory


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("P(X, Y)", "P(X) P(Y | X)", True),
        ("P(X, Y)", "P(X) P(Y)", False),
        ("P(Y | X)", "P(X, Y) / P(X)", True),
        ("P(Y | X)", "P(Y)", False),
        ("sum{x} P(X=x) P(Y | X=x)", "P(Y)", True),
        ("sum{x} P(X=x) P(Y | X=x, Z)", "P(Y | Z)", False),
        ("sum{x} P(X=x | Z) P(Y | X=x, Z)", "P(Y | Z)", True),
        ("sum{x} P(Y, X=x)", "P(Y, X=1) + P(Y, X=0)", False),
        ("sum{x} P(Y | X=x)", "P(Y)", False),
        ("P(Y | do(X))", "P(Y | X)", False),
        ("sum{z} P(Y, Z=z | do(X))", "P(Y | do(X))", True),
        ("P(Y=1 | X)", "P(Y=0 | X)", False),
        ("P(Y) / (P(X) - P(X))", "P(Y) / (P(X) - P(X))", False),
        ("P(Y=1) P(X | Y=1) / P(X)", "P(Y=1 | X)", True),
    ],
)
def test_identities_are_told_from_what_needs_a_graph(first: str, second: str, expected: bool) -> None:
    assert identical(read_formula(first), read_formula(second)) is expected


def test_what_is_too_large_is_not_decided_by_evaluation() -> None:
    names = [f"V{number}" for number in range(20)]
    joint = probability(names)
    assert identical(sum_over(names[:1], joint), probability(names[1:])) is None


def test_large_rewrites_are_checked_by_rewriting_again() -> None:
    """A chain of twenty variables, each confounded with the next but one: beyond what is evaluated."""
    names = tuple(f"V{number}" for number in range(20))
    graph = Graph(names, tuple(pairwise(names)), tuple(zip(names[::2], names[2::2], strict=False)))
    outcome, derivation, kernel, diagram = proof((graph, Query(names[5:10], (names[2],), (names[19],))))
    rewrites = [number for number, step in enumerate(derivation.steps) if step.rule in do_calculus.REWRITES]
    assert rewrites
    assert replay_do(derivation, kernel, diagram, outcome.formula) == ()
    for number in rewrites:
        step = derivation.steps[number]
        assert identical(step.before, step.after) is None
        other = replace(step, after=product((step.after, probability([names[0]]))))
        assert replay_do(with_step(derivation, number, other), kernel, diagram, outcome.formula) != ()


# ---------------------------------------------------------------------------------------------------------------------
# Replacement of terms


@pytest.mark.parametrize(
    ("formula", "before", "after", "expected", "count"),
    [
        ("P(A | B)", "P(A | B)", "P(A)", "P(A)", 1),
        ("sum{b} P(A | B=b) P(B=b)", "P(A | B)", "P(A | B, C)", "sum{b} P(A | B=b, C) P(B=b)", 1),
        ("sum{c} P(A | B=1) P(C=c)", "P(A | B)", "P(A | B, C)", "sum{c} P(A | B=1, C=c) P(C=c)", 1),
        ("P(A) P(B) P(C | A)", "P(A) P(C | A)", "P(A, C)", "P(A, C) P(B)", 1),
        ("sum{a} P(A) P(C | A=a)", "P(A) P(C | A)", "P(A, C)", "sum{a} P(A) P(C | A=a)", 0),
        ("P(B | A, C)", "P(B | C, A)", "P(B)", "P(B)", 1),
        ("P(B | do(A))", "P(B | A)", "P(B)", "P(B | do(A))", 0),
        ("P(A) / P(A | B)", "P(A)", "P(A | B)", "P(A | B) / P(A | B)", 1),
        ("sum{b} P(A, B=b)", "P(A)", "P(A, C)", "sum{b} P(A, B=b)", 0),
        ("sum{a} P(B | A=a)", "P(B | A)", "sum{a} P(B, A=a)", "sum{a: A} sum{a2} P(B, A=a2)", 1),
    ],
)
def test_instances_are_replaced(formula: str, before: str, after: str, expected: str, count: int) -> None:
    found, times = replaced(read_formula(formula), read_formula(before), read_formula(after))
    assert same_formula(found, read_formula(expected))
    assert times == count


def test_a_step_that_changes_nothing_ends() -> None:
    joint = read_formula("P(A) P(B) P(C | A)")
    found, _ = replaced(joint, read_formula("P(A) P(B)"), read_formula("P(A) P(B)"))
    assert same_formula(found, joint)
    assert free_variables(found) == {"A", "B", "C"}
