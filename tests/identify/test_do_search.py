"""Partial inputs: a search for a do-calculus proof, against every rule used on every set, and against surgery."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.answers import TOLERANCE, models_of
from oracles.do_closure import Closure, Distribution, part_of
from oracles.formulas import evaluate, largest_error, value_at
from oracles.graphs import Graph, Query
from oracles.paths import morally_separated
from oracles.sources import Domains
from oracles.verdict import conditionally_identifiable
from strategies import diagram_of, kernel_of, problems, seeds
from strategies_inputs import Problem, inputs_problems, random_distribution
from tampering import tampered, with_step

from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Formula, Kernel, Term, equal, kernels, probability
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text
from suture.identify.algorithms import identify
from suture.identify.certify import CertificationError
from suture.identify.derivation import Derivation, Identified, Outcome, Undecided
from suture.identify.do_proofs.do_rewriting import same_formula
from suture.identify.do_proofs.do_rules import READ
from suture.identify.do_proofs.do_search import SearchBudget, distributions, search
from suture.identify.do_proofs.do_search_check import certify_search, replay_search
from suture.identify.do_proofs.do_search_space import connected
from suture.identify.graph import CausalGraph, bits

Cases = Callable[[str], Any]


def kernel(distribution: Distribution) -> Kernel:
    parts = (distribution.outcomes, distribution.given, distribution.do)
    return probability(*(sorted(names) for names in parts))


def distribution(kernel: Kernel) -> Distribution:
    sets = (kernel.outcomes, kernel.given, kernel.do)
    return Distribution(*(frozenset(term.variable for term in part) for part in sets))


def asked(query: Query) -> Distribution:
    return Distribution(frozenset(query.outcomes), frozenset(query.given), frozenset(query.treatments))


def faults(outcome: Outcome, graph: Graph, query: Query, inputs: Sequence[Kernel], count: int = 2) -> tuple[str, ...]:
    """What is wrong with a formula: its proof, kernels that no input gives, its value on random models."""
    if not isinstance(outcome, Identified):
        return ()
    found = replay_search(outcome.derivation, kernel_of(query), diagram_of(graph), inputs, outcome.formula)
    known = [distribution(one) for one in inputs]
    parts = map(distribution, kernels(outcome.formula))
    found += tuple(f"{part} is not at hand" for part in parts if not any(part_of(part, one) for one in known))
    models = models_of(graph, np.random.default_rng(5), count)
    error = max(largest_error(outcome.formula, model, query) for model in models)
    return found if error <= TOLERANCE else (*found, f"the formula is off by {error:.2g}")


def found(outcome: Outcome) -> Formula:
    assert isinstance(outcome, Identified), outcome
    return outcome.formula


def reason(outcome: Outcome) -> str:
    assert isinstance(outcome, Undecided), outcome
    return outcome.reason


# ---------------------------------------------------------------------------------------------------------------------
# Known examples, their formulas worked out by hand

FRONT_DOOR = Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "Y"),))
BACK_DOOR = Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y")))
MEDIATED = Graph(("X", "Z", "Y"), (("X", "Z"), ("Z", "Y"), ("X", "Y")))
HIDDEN_CHAIN = Graph(("X", "Z", "Y"), (("X", "Z"), ("Z", "Y")), (("X", "Z"), ("Z", "Y")))
NAPKIN = Graph(("W", "Z", "X", "Y"), (("W", "Z"), ("Z", "X"), ("X", "Y")), (("W", "X"), ("W", "Y")))
COVARIATE = Graph(("Z", "X", "Y"), (("Z", "Y"), ("X", "Y")), (("X", "Y"),))

KNOWN = [
    (FRONT_DOOR, ["P(X, M)", "P(Y | M, X)"], "sum{m} P(M=m | X) sum{x} P(X=x) P(Y | M=m, X=x)"),
    (FRONT_DOOR, ["P(M | X)", "P(X)", "P(Y | M, X)"], "sum{m} P(M=m | X) sum{x} P(X=x) P(Y | M=m, X=x)"),
    (FRONT_DOOR, ["P(M | X)", "P(Y | do(M))"], "sum{m} P(M=m | X) P(Y | do(M=m))"),
    (BACK_DOOR, ["P(Z)", "P(Y | X, Z)"], "sum{z} P(Z=z) P(Y | X, Z=z)"),
    (MEDIATED, ["P(Z | X)", "P(Y | do(X), Z)"], "sum{z} P(Z=z | X) P(Y | Z=z, do(X))"),
    (HIDDEN_CHAIN, ["P(Z | do(X))", "P(Y | do(Z))"], None),
    (FRONT_DOOR, ["P(M | do(X))", "P(Y | do(M))"], "sum{m} P(M=m | do(X)) P(Y | do(M=m))"),
    (COVARIATE, ["P(Z)", "P(Y | Z, do(X))"], "sum{z} P(Z=z) P(Y | Z=z, do(X))"),
    (
        NAPKIN,
        ["P(W)", "P(X, Y | W, Z)"],
        "sum{w} (P(W=w) P(X, Y | W=w, Z)) / (sum{w_2} P(W=w_2) P(X | W=w_2, Z))",
    ),
    (FRONT_DOOR, ["P(M | X)", "P(Y | M, X)"], None),
    (BACK_DOOR, ["P(Y | X, Z)"], None),
    (BACK_DOOR, ["P(X, Y)", "P(Z)"], None),
]


def read(kernels: Iterable[str]) -> list[Kernel]:
    read = [read_formula(one) for one in kernels]
    assert all(isinstance(one, Kernel) for one in read)
    return [one for one in read if isinstance(one, Kernel)]


@pytest.mark.parametrize(("graph", "inputs", "expected"), KNOWN, ids=[" and ".join(inputs) for _, inputs, _ in KNOWN])
def test_known_example(graph: Graph, inputs: list[str], expected: str | None) -> None:
    query, given = Query(("Y",), ("X",)), read(inputs)
    outcome = search(kernel_of(query), diagram_of(graph), given)
    if expected is None:
        assert reason(outcome).startswith("no proof by do-calculus exists from these inputs")
    else:
        assert faults(outcome, graph, query, given, count=5) == ()
        wanted = read_formula(expected)
        assert (
            max(largest_error(wanted, model, query) for model in models_of(graph, np.random.default_rng(1), 5)) < 1e-9
        )
        assert sorted(map(distribution, kernels(found(outcome))), key=str) == sorted(
            map(distribution, kernels(wanted)), key=str
        )


def test_named_inputs_are_named_in_the_formula() -> None:
    trial, survey = replace(probability("Y", "Z", "X"), source="trial"), replace(probability("Z"), source="survey")
    query, diagram = Query(("Y",), ("X",)), diagram_of(COVARIATE)
    outcome = search(kernel_of(query), diagram, [trial, survey])
    assert {one.source for one in kernels(found(outcome))} == {"trial", "survey"}
    assert [step.rule for step in outcome.derivation.steps].count(READ) == 2
    assert replay_search(outcome.derivation, kernel_of(query), diagram, [trial, survey], found(outcome)) == ()
    for model in models_of(COVARIATE, np.random.default_rng(2), 3):
        world = Domains(model, {"trial": model, "survey": model})
        value = value_at(evaluate(found(outcome), world), ["Y", "X"], model)
        assert np.abs(value - model.truth(query)).max() < 1e-9
    swapped = [replace(trial, source="survey"), replace(survey, source="trial")]
    assert replay_search(outcome.derivation, kernel_of(query), diagram, swapped, found(outcome)) != ()


def test_the_certificate_holds_and_a_wrong_formula_has_none() -> None:
    query, diagram, inputs = probability("Y", do="X"), diagram_of(BACK_DOOR), read(["P(Z)", "P(Y | X, Z)", "P(X)"])
    outcome = certify_search(search(query, diagram, inputs), query, diagram, inputs)
    assert isinstance(outcome, Identified)
    assert outcome.check is not None
    assert outcome.check.models == 20
    assert outcome.check.max_error < 1e-9
    wrong = replace(outcome, formula=read_formula("sum{z} P(Z=z) sum{x} P(X=x) P(Y | X=x, Z=z)"))
    with pytest.raises(CertificationError, match=r"the derivation proves another formula; the formula is off by"):
        certify_search(wrong, query, diagram, inputs)


def test_a_query_at_values() -> None:
    query = Kernel((Term("Y", "1"),), (), (Term("X", "0"),))
    outcome = search(query, diagram_of(FRONT_DOOR), read(["P(X, M)", "P(Y | M, X)"]))
    assert equal(found(outcome), read_formula("sum{m} P(M=m | X=0) sum{x} P(X=x) P(Y=1 | X=x, M=m)"))
    assert certify_search(outcome, query, diagram_of(FRONT_DOOR), read(["P(X, M)", "P(Y | M, X)"])) != outcome


# ---------------------------------------------------------------------------------------------------------------------
# From the whole distribution: the verdict and the value that comb disintegration gives


def test_every_published_case_of_seven_variables(cases: Cases) -> None:
    wrong, met = {}, 0
    for case in cases("identification.json"):
        if case["kind"] in ("id", "idc", "surrogate") and len(case["nodes"]) <= 7:
            met += 1
            graph, query = (
                Graph.of_case(case),
                Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given"))),
            )
            sets = case["query"].get("experiments", [[]])
            inputs = [probability([name for name in case["nodes"] if name not in done], do=done) for done in sets]
            outcome = search(kernel_of(query), diagram_of(graph), inputs)
            found = list(faults(outcome, graph, query, inputs))
            if isinstance(outcome, Identified) is not case["identifiable"]:
                found.append("wrong verdict")
            if found:
                wrong[case["name"]] = found
    assert not wrong
    assert met == 39


@given(problems(most=5, conditions=1))
@settings(max_examples=40)
def test_from_the_whole_distribution_it_agrees_with_combs(problem: tuple[Graph, Query]) -> None:
    graph, query = problem
    inputs = [probability(graph.nodes)]
    outcome = search(kernel_of(query), diagram_of(graph), inputs)
    assert isinstance(outcome, Identified) is conditionally_identifiable(graph, query)
    assert isinstance(outcome, Identified) is isinstance(identify(kernel_of(query), diagram_of(graph)), Identified)
    assert faults(outcome, graph, query, inputs) == ()


# ---------------------------------------------------------------------------------------------------------------------
# From parts of distributions


@given(inputs_problems(most=4))
@settings(max_examples=120)
def test_it_finds_a_proof_exactly_where_the_rules_on_all_sets_do(problem: Problem) -> None:
    graph, query, known = problem
    inputs = [kernel(one) for one in known]
    outcome = search(kernel_of(query), diagram_of(graph), inputs)
    assert isinstance(outcome, Identified) is (asked(query) in Closure(graph).close(known))
    assert faults(outcome, graph, query, inputs) == ()


@given(inputs_problems(most=6))
@settings(max_examples=60)
def test_every_formula_is_right(problem: Problem) -> None:
    graph, query, known = problem
    inputs = [kernel(one) for one in known]
    assert faults(search(kernel_of(query), diagram_of(graph), inputs), graph, query, inputs) == ()


@given(inputs_problems(most=5), seeds)
@settings(max_examples=30)
def test_more_inputs_never_turn_yes_into_no(problem: Problem, seed: int) -> None:
    graph, query, known = problem
    inputs = [kernel(one) for one in known]
    more = [*inputs, kernel(random_distribution(np.random.default_rng(seed), graph))]
    before, after = (search(kernel_of(query), diagram_of(graph), some) for some in (inputs, more))
    assert isinstance(after, Identified) or not isinstance(before, Identified)


@given(inputs_problems(most=5), seeds)
@settings(max_examples=30)
def test_names_order_and_superfluous_variables_change_nothing(problem: Problem, seed: int) -> None:
    graph, query, known = problem
    inputs = [kernel(one) for one in known]
    generator = np.random.default_rng(seed)
    larger = Graph((*graph.nodes, "Idle"), (*graph.directed, (graph.nodes[0], "Idle")), graph.bidirected)
    mixed = [inputs[int(place)] for place in generator.permutation(len(inputs))]
    before = search(kernel_of(query), diagram_of(graph), inputs)
    after = search(kernel_of(query), diagram_of(larger.shuffled(generator)), mixed)
    assert type(before) is type(after)
    assert faults(after, graph, query, inputs) == ()
    names = dict(zip(graph.nodes, reversed([f"A{number}" for number in range(len(graph.nodes))]), strict=True))
    parts = ([names[name] for name in part] for part in (query.outcomes, query.given, query.treatments))
    renamed = [
        probability(*([names[term.variable] for term in part] for part in (one.outcomes, one.given, one.do)))
        for one in inputs
    ]
    assert type(search(probability(*parts), diagram_of(graph.renamed(names)), renamed)) is type(before)


@given(problems(most=6), st.data())
@settings(max_examples=60)
def test_connections_are_those_of_the_mutilated_graph(problem: tuple[Graph, Query], data: st.DataObject) -> None:
    graph, _ = problem
    mask = st.integers(0, (1 << len(graph.nodes)) - 1)
    causal = CausalGraph.of(diagram_of(graph))
    start = data.draw(st.integers(0, len(graph.nodes) - 1))
    given_mask = data.draw(mask) & ~(1 << start)
    into, out = data.draw(mask), data.draw(mask)
    found = connected(causal, start, given_mask, into, out)
    parents = graph.cut_into(causal.members(into)).cut_out_of(causal.members(out)).with_latents()
    for position in bits(causal.everything & ~given_mask & ~(1 << start)):
        ends = [causal.names[start]], [causal.names[position]]
        assert bool(found >> position & 1) is not morally_separated(parents, *ends, causal.members(given_mask))


# ---------------------------------------------------------------------------------------------------------------------
# Proofs that were tampered with

PROVED = [(graph, inputs) for graph, inputs, expected in KNOWN if expected is not None]


def same(one: Derivation, other: Derivation) -> bool:
    """Whether two derivations differ in the order of terms inside kernels at most."""
    pairs = list(zip(one.steps, other.steps, strict=True))
    sides = ((a.before, b.before) for a, b in pairs), ((a.after, b.after) for a, b in pairs)
    reasons = all((a.rule, a.because) == (b.rule, b.because) for a, b in pairs)
    return reasons and all(same_formula(*pair) for side in sides for pair in side)


@pytest.mark.parametrize(("graph", "inputs"), PROVED, ids=[" and ".join(inputs) for _, inputs in PROVED])
def test_a_tampered_proof_is_rejected(graph: Graph, inputs: list[str]) -> None:
    query, diagram, known = probability("Y", do="X"), diagram_of(graph), read(inputs)
    outcome = search(query, diagram, known)
    formula, derivation = found(outcome), outcome.derivation
    for number in range(len(derivation.steps)):
        assert replay_search(with_step(derivation, number, None), query, diagram, known, formula), number
    changed = [(how, other) for how, other in tampered(derivation, graph) if not same(other, derivation)]
    assert len(changed) > 20
    accepted = [how for how, other in changed if not replay_search(other, query, diagram, known, formula)]
    assert accepted == []
    for place in range(len(known)):
        fewer = known[:place] + known[place + 1 :]
        assert replay_search(derivation, query, diagram, fewer, formula)[0].startswith("no input gives")


# ---------------------------------------------------------------------------------------------------------------------
# What is refused, and where it ends

LARGE = Graph(
    tuple(f"V{number}" for number in range(9)),
    tuple((f"V{number}", f"V{number + 1}") for number in range(8)),
    tuple((f"V{number}", f"V{number + 1}") for number in range(8)),
)


def test_a_search_without_end_says_why_it_cannot_answer() -> None:
    outcome = search(probability("Y", do="X"), diagram_of(BACK_DOOR), read(["P(Y | X, Z)"]))
    assert reason(outcome) == (
        "no proof by do-calculus exists from these inputs: all 4 distributions that the rules reach were searched, "
        "which does not show that the query cannot be identified"
    )
    reached = Closure(BACK_DOOR).close([Distribution(frozenset("Y"), frozenset("XZ"))])
    assert len(reached) == 4


def test_budgets_end_the_search_and_say_so() -> None:
    query, diagram, inputs = probability(["V8"], do=["V0"]), diagram_of(LARGE), [probability(LARGE.nodes)]
    budgets = {
        "300 distributions expanded": SearchBudget(expanded=300),
        "400 distributions stored": SearchBudget(stored=400),
        "0.01 s of CPU time": SearchBudget(seconds=0.01),
    }
    for limit, budget in budgets.items():
        start = time.process_time()
        why = reason(search(query, diagram, inputs, budget))
        assert time.process_time() - start < 1
        assert why.startswith(f"the search by do-calculus ended at its budget of {limit}: ")
        assert why.endswith(f" of at most {4**9 - 3**9} distributions were searched")


def test_a_search_over_too_many_variables_is_not_started() -> None:
    names = [f"V{number}" for number in range(20)]
    diagram = model_diagram({name: names[:place] for place, name in enumerate(names)})
    why = reason(search(probability([names[-1]], do=[names[0]]), diagram, [probability(names)]))
    assert why == (
        "the search by do-calculus would be among 1.1e+12 distributions over 20 variables; it is not started beyond "
        "14 variables"
    )


def test_variables_that_do_not_matter_do_not_count() -> None:
    names = [f"V{number}" for number in range(40)]
    diagram = model_diagram({name: names[max(0, place - 1) : place] for place, name in enumerate(names)})
    assert text(found(search(probability(["V2"], do=["V1"]), diagram, [probability(names)]))) == "P(V2 | V1)"


def test_the_number_of_distributions() -> None:
    assert [distributions(variables) for variables in (1, 2)] == [1, 7]


@pytest.mark.parametrize(
    ("query", "inputs", "why"),
    [
        ("P(Y | do(X))", ["P(Z, X)"], "Y is no outcome of any input, so nothing is known of how it varies"),
        ("P(Y | do(Q))", ["P(X, Y)"], "Q is not an observed variable of the model"),
        (
            "P(Y | do(X))",
            ["P(Y | do(X=1))"],
            "an input is known at one value of a variable only; a search needs it at all of them",
        ),
        ("P(Y | do(X))", ["P(Y[X=1])"], "a search by do-calculus is about one world"),
        ("P(Y | Y, do(X))", ["P(X, Y)"], "a distribution has one outcome or more, and names every variable once"),
    ],
)
def test_what_the_search_is_not_about(query: str, inputs: list[str], why: str) -> None:
    (kernel,) = read([query])
    assert reason(search(kernel, diagram_of(BACK_DOOR), read(inputs))) == why


def test_an_interrupt_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    query, diagram, inputs = probability(["V8"], do=["V0"]), diagram_of(LARGE), [probability(LARGE.nodes)]
    clock = iter([0.0])

    def interrupted() -> float:
        try:
            return next(clock)
        except StopIteration:
            raise KeyboardInterrupt from None

    with monkeypatch.context() as patched:
        patched.setattr(time, "process_time", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search(query, diagram, inputs)
    budget = SearchBudget(expanded=300)
    assert search(query, diagram, inputs, budget) == search(query, diagram, inputs, budget)
