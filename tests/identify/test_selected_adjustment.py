"""Adjustment from selected samples against the published definition, enumeration, and numbers on latent models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.answers import TOLERANCE
from oracles.covariates import minimal
from oracles.formulas import largest_error
from oracles.graphs import Query
from oracles.models import random_model
from oracles.selection import SelectionQuestion
from strategies import seeds
from strategies_effects import causal_graph, graph_from, question_of, random_selection_question

import suture
from suture.dsl.formula import Kernel, Term, probability, terms
from suture.identify.certify import CertificationError
from suture.identify.covariates.selected_adjustment import Pair, selected_adjustment, selected_task
from suture.identify.covariates.selected_check import certify_selected
from suture.identify.covariates.selected_steps import (
    Samples,
    check_selected,
    pair_outcome,
    selected_outcome,
    selected_step,
)
from suture.identify.derivation import Identified, Undecided
from suture.identify.graph import CausalGraph
from suture.identify.rules import RuleError


def drawn(seed: int) -> tuple[SelectionQuestion, np.random.Generator]:
    generator = np.random.default_rng(seed)
    return random_selection_question(generator), generator


def graph_of(question: SelectionQuestion) -> CausalGraph:
    return causal_graph(question.effect)


def samples_for(question: SelectionQuestion) -> Samples:
    """What the question takes as known, as distributions."""
    effect = question.effect
    seen = (*effect.treatments, *effect.outcomes, *question.free)
    sample = Kernel(terms(seen), tuple(Term(name, "1") for name in question.selected))
    return Samples(sample, (Kernel(terms(sorted(question.outside))),) if question.outside else ())


# ---------------------------------------------------------------------------------------------------------------------
# Against enumeration and numbers


@given(seeds)
@settings(max_examples=300)
def test_the_sets_are_those_of_the_definition(seed: int) -> None:
    question, _ = drawn(seed)
    effect, admissible = question.effect, question.admissible_pairs()
    task = selected_task(
        graph_of(question), effect.treatments, effect.outcomes, question.selected, [sorted(question.outside)]
    )
    answer = selected_adjustment(task)
    sets = {chosen for chosen, _ in admissible}
    assert (answer.sets is None) is (not sets)
    if answer.sets is None or answer.minimum is None:
        assert answer.reason
        return
    assert answer.complete
    assert {frozenset(pair.covariates) for pair in answer.sets} == minimal(sets)
    assert len(answer.sets) == len(minimal(sets))
    assert all((frozenset(pair.covariates), frozenset(pair.outside)) in admissible for pair in answer.sets)
    assert len(answer.minimum.covariates) == min(map(len, sets))


@given(seeds)
@settings(max_examples=60)
def test_admissible_pairs_give_the_effect_and_others_do_not(seed: int) -> None:
    question, generator = drawn(seed)
    effect, admissible = question.effect, question.admissible_pairs()
    graph, samples = graph_of(question), samples_for(question)
    kernel, query = probability(effect.outcomes, (), effect.treatments), Query(effect.outcomes, effect.treatments)
    models = [random_model(effect.parents, effect.latent, generator) for _ in range(3)]
    for chosen, part in question.pairs():
        errors = [question.error(model, chosen, part) for model in models]
        pair = Pair(graph.members(graph.mask(chosen)), graph.members(graph.mask(part)), 0 if part else None)
        if (chosen, part) in admissible:
            assert max(errors) < TOLERANCE
            outcome = pair_outcome(kernel, graph, samples, pair)
            assert largest_error(outcome.formula, models[0], query) < TOLERANCE
        else:
            assert max(errors) > TOLERANCE
            with pytest.raises(RuleError):
                selected_step(graph, kernel, samples, pair)


@given(seeds)
@settings(max_examples=100)
def test_outcomes_are_there_exactly_where_a_pair_is_and_hold_when_replayed(seed: int) -> None:
    question, _ = drawn(seed)
    effect = question.effect
    graph, samples = graph_of(question), samples_for(question)
    kernel = probability(effect.outcomes, (), effect.treatments)
    outcome = selected_outcome(kernel, graph, samples)
    assert isinstance(outcome, Identified if question.admissible_pairs() else Undecided)
    if isinstance(outcome, Identified):
        check_selected(graph, kernel, outcome.derivation.steps[0])
    else:
        assert outcome.reason


# ---------------------------------------------------------------------------------------------------------------------
# Proofs


def confounded() -> tuple[CausalGraph, Kernel, Samples]:
    graph = causal_graph(question_of(graph_from("Z -> X -> Y, Z -> Y, Z -> S, W -> X, W <-> Y"), ("X",), ("Y",)))
    sample = Kernel(terms(["X", "Y", "Z", "W"]), (Term("S", "1"),))
    return graph, probability(["Y"], (), ["X"]), Samples(sample, (Kernel(terms(["Z"])),))


def test_a_step_that_was_tampered_with_is_refused() -> None:
    graph, query, samples = confounded()
    step = selected_step(graph, query, samples, Pair(("Z", "W"), ("Z",), 0))
    check_selected(graph, query, step)
    blocked, free = step.because
    other = selected_step(graph, query, samples, Pair(("Z", "W"), ("Z", "W"), 0))
    tampered = [
        replace(step, after=other.after),
        replace(step, because=()),
        replace(step, because=(blocked,)),
        replace(step, because=(blocked, replace(free, given=()))),
        replace(step, because=(blocked, replace(free, arrows=(("Z", "S"),)))),
        replace(step, because=(replace(blocked, given=("Z", "S")), free)),
        replace(step, before=probability(["Y"], (), ["W"])),
        replace(step, rule=replace(step.rule, name="adjustment")),
    ]
    for wrong in tampered:
        with pytest.raises(RuleError):
            check_selected(graph, query, wrong)


def test_a_formula_that_uses_more_than_is_known_is_refused() -> None:
    graph, query, samples = confounded()
    diagram = suture.Model("Z -> X -> Y ; Z -> Y ; Z -> S ; W -> X ; W <-> Y").diagram
    outcome = pair_outcome(query, graph, samples, Pair(("Z", "W"), ("Z",), 0))
    assert isinstance(certify_selected(outcome, query, diagram, samples), Identified)
    with pytest.raises(CertificationError, match="no part of what is known"):
        certify_selected(outcome, query, diagram, replace(samples, outside=()))
    other = replace(samples, sample=replace(samples.sample, given=(Term("S", "0"),)))
    with pytest.raises(CertificationError, match="by which the sample was not selected"):
        certify_selected(outcome, query, diagram, other)


# ---------------------------------------------------------------------------------------------------------------------
# Known examples and reasons

# Verdicts of Bareinboim, Tian, Pearl (2014): selection by the treatment is harmless, by the outcome it is not, by a
# confounder it needs the confounder's law from elsewhere; of the last two graphs (Correa, Tian, Bareinboim 2018) parts
# of the covariates are known outside.
KNOWN = {
    "by the treatment": ("X -> Y ; X -> S", "P(X, Y | S = 1)", "P(Y | X, S=1)"),
    "by the outcome": ("X -> Y ; Y -> S", "P(X, Y | S = 1)", None),
    "by a mediator": ("X -> M -> Y ; M -> S", "P(X, M, Y | S = 1), P(M)", None),
    "by a confounder": ("Z -> X -> Y ; Z -> Y ; Z -> S", "P(Z, X, Y | S = 1)", None),
    "by a confounder known for everyone": (
        "Z -> X -> Y ; Z -> Y ; Z -> S",
        "P(Z, X, Y | S = 1), P(Z)",
        "sum{z} P(Y | X, Z=z, S=1) P(Z=z)",
    ),
    "one of two covariates known for everyone": (
        "Z -> X -> Y ; Z -> Y ; Z -> S ; W -> X ; W <-> Y",
        "P(X, Y, Z, W | S = 1), P(Z)",
        "sum{z, w} P(Y | X, Z=z, W=w, S=1) P(W=w | Z=z, S=1) P(Z=z)",
    ),
    "a collider that the selection opens": ("X -> Y ; X -> S ; A -> S ; A -> Y", "P(X, Y | S = 1)", None),
    "a collider that the selection opens, measured": (
        "X -> Y ; X -> S ; A -> S ; A -> Y",
        "P(X, Y, A | S = 1), P(A)",
        "sum{a} P(Y | X, A=a, S=1) P(A=a)",
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_verdicts(name: str) -> None:
    model, sources, expected = KNOWN[name]
    (answer,) = suture.run(f"model M {{ {model} }}\nadjust X -> Y from {sources}")
    assert answer.error is None
    if expected is None:
        assert answer.estimand is None
        assert answer.reason
    else:
        assert answer.estimand is not None
        assert answer.estimand.text == expected
        assert answer.check is not None
        assert answer.check.max_error is not None
        assert answer.check.max_error < TOLERANCE


@pytest.mark.parametrize(
    ("model", "sources", "reason"),
    [
        ("X -> Y ; Y -> S", "P(X, Y | S = 1)", "the outcome bears on the selection by S along Y -> S"),
        (
            "Z -> X -> Y ; Z -> Y ; Z -> S",
            "P(X, Y, Z | S = 1)",
            "the outcome bears on the selection by S along Y <- Z -> S "
            "(the distribution of Z among everyone would help)",
        ),
        (
            "X -> Y ; X <-> Y ; X -> S",
            "P(X, Y | S = 1)",
            "the outcome bears on the selection by S along Y <-> X -> S; no set blocks X <-> Y",
        ),
        (
            "X -> Y ; A -> X ; A -> Y ; A -> S ; B -> Y ; B -> S",
            "P(X, Y, A, B | S = 1), P(A), P(B)",
            "no one source knows A, B together, outside the sample",
        ),
        (
            "X -> Y ; C <-> S ; C <-> Y ; C -> Y ; C -> S",
            "P(X, Y, C | S = 1), P(C)",
            "the outcome bears on the selection by S: Y <- C -> S has to be blocked, and then "
            "Y <-> C <-> S is open: conditioning on C opens the collider C",
        ),
        (
            "X -> Y ; X <-> T ; T -> S ; T <-> Y",
            "P(X, Y, T | S = 1), P(T)",
            "no set blocks X <-> T <-> Y (conditioning on S, a descendant of T, opens the collider T)",
        ),
    ],
)
def test_reasons_name_the_path(model: str, sources: str, reason: str) -> None:
    (answer,) = suture.run(f"model M {{ {model} }}\nadjust X -> Y from {sources}")
    assert answer.error is None
    assert answer.reason == reason
    assert answer.value == dict.fromkeys(("sets", "minimum", "optimal", "outside", "formulas"))


def test_every_set_has_its_formula_and_its_law_from_outside() -> None:
    model = "model N { A -> B -> Y ; A -> X -> Y ; X -> S }\n"
    (answer,) = suture.run(f"{model}adjust X -> Y from P(A, B, X, Y | S = 1), P(A, B)")
    assert answer.value == {
        "sets": [["A"], ["B"]],
        "minimum": ["B"],
        "optimal": None,
        "outside": [["A"], ["B"]],
        "formulas": ["sum{a} P(Y | X, A=a, S=1) P(A=a)", "sum{b} P(Y | X, B=b, S=1) P(B=b)"],
    }
    assert answer.to_dict()["derivation"][0]["because"] == [
        "{Y} _||_ {X} | {B, S} without the arrows X -> Y",
        "{Y} _||_ {S} | {B} without the arrows X -> Y",
    ]


def test_several_treatments_and_two_selections() -> None:
    program = "model M { Z -> {A, B} ; {A, B, Z} -> Y ; A -> S ; Z -> T }\nadjust {A, B} -> Y from "
    first, second = suture.run(program + "P(A, B, Y, Z | S = 1, T = 1), P(Z)\nadjust A -> Y from P(A, Y | S = 1)")
    assert first.estimand is not None
    assert first.estimand.text == "sum{z} P(Y | A, B, Z=z, S=1, T=1) P(Z=z)"
    assert second.reason is not None


def test_the_terminal_shows_set_formula_proof_and_check() -> None:
    (answer,) = suture.run("model M { Z -> X -> Y ; Z -> Y ; Z -> S }\nadjust X -> Y from P(X, Y, Z | S = 1), P(Z)")
    shown = str(answer)
    assert "    sum{z} P(Y | X, Z=z, S=1) P(Z=z)" in shown
    assert "1 minimal valid set: {Z} with P(Z) of everyone" in shown
    assert "because {Y} _||_ {X} | {Z, S} without the arrows X -> Y" in shown
    assert "proof replayed; 20 random models" in shown


# ---------------------------------------------------------------------------------------------------------------------
# Sources


def test_a_source_for_everyone_restricts_the_covariates() -> None:
    model = "model M { A -> B -> Y ; A -> X -> Y }\n"
    both, one, none = suture.run(model + "adjust X -> Y\nadjust X -> Y from P(X, Y, A)\nadjust X -> Y from P(X, Y)")
    assert both.to_dict()["value"]["sets"] == [["A"], ["B"]]
    assert one.value == {"sets": [["A"]], "minimum": ["A"], "optimal": ["A"]}
    assert one.notes[0] == "not in the sample: B; taken as latent"
    assert none.reason == "no set blocks X <-> Y"


def test_a_data_set_can_be_the_sample_or_what_is_known_for_everyone() -> None:
    program = (
        "model M { X, Y, Z, S : {0, 1} ; Z -> X -> Y ; Z -> Y ; Z -> S }\n"
        "data survey of M { X, Y ; 0, 1 ; 1, 0 }\ndata census of M { Z ; 0 ; 1 }\n"
        "adjust X -> Y from survey\nadjust X -> Y from P(X, Y, Z | S = 1), census"
    )
    first, second = suture.run(program)
    assert first.reason == "no set blocks X <-> Y"
    assert second.estimand is not None
    assert second.estimand.text == "sum{z} P(Y | X, Z=z, S=1) P[census](Z=z)"


def test_superfluous_sources_change_nothing_and_are_named() -> None:
    model = "model M { Z -> X -> Y ; Z -> Y ; Z -> S ; X -> V }\nadjust X -> Y from P(X, Y, Z | S = 1), P(Z)"
    (plain,), (more,) = suture.run(model), suture.run(model + ", P(V), P(Z | S = 1), P(Y | do(X))")
    assert plain.value == more.value
    assert more.notes[0] == "of no use for adjustment: P(Z | S=1), P(Y | do(X))"


@pytest.mark.parametrize(
    ("sources", "message", "help"),
    [
        (
            "P(X, Z), P(Y, Z | S = 1)",
            "no source measures X, Y together, so there is no sample to adjust in",
            "write P(X, Y, ..) for everyone or P(X, Y, .. | S = 1) for a sample selected by S",
        ),
        (
            "P(X, Z | Y = 1)",
            "P(X, Z | Y=1) is at one value of Y, so it does not show how X, Y go together",
            "a sample selected by Y itself, as in a case-control study, cannot be adjusted",
        ),
        (
            "P(X, Y, Z | S)",
            "P(X, Y, Z | S) has no value of S",
            "write P(X, Y, Z) for everyone, or S = .. for a sample selected by it",
        ),
        (
            "P(X, Y | do(Z))",
            "P(X, Y | do(Z)) is an experiment, and adjustment is for what was only observed",
            "ask with: identify P(..) from ..",
        ),
        (
            "P(X, Y, S = 1)",
            "P(X, Y, S=1) fixes S before the bar",
            "what a sample was selected by stands after the bar",
        ),
        (
            "P(X, Y | S = 1), P(X, Y, Z)",
            "2 sources measure X, Y together, and an adjustment is made in one sample",
            "name one of them: P(X, Y | S=1) or P(X, Y, Z)",
        ),
    ],
)
def test_sources_that_hold_no_sample_are_refused(sources: str, message: str, help: str) -> None:
    (answer,) = suture.run(f"model M {{ Z -> X -> Y ; Z -> Y ; Z -> S }}\nadjust X -> Y from {sources}")
    assert answer.error is not None
    assert (answer.error.code, answer.error.message, answer.error.help) == ("S417", message, help)


def test_the_library_asks_the_same() -> None:
    model = suture.Model("Z -> X -> Y ; Z -> Y ; Z -> S")
    answer = model.adjust("X", "Y", ["P(X, Y, Z | S = 1)", "P(Z)"])
    assert answer.to_dict()["value"]["outside"] == [["Z"]]
    with pytest.raises(suture.SutureError, match=r"\[S406\] a source is one distribution"):
        model.adjust("X", "Y", "E(X)")
    with pytest.raises(suture.SutureError, match=r"\[S104\]"):
        model.adjust("X", "Q", "P(X, Y)")


def test_many_sets_are_listed_lazily() -> None:
    """Sixty chains of two between X and Y: the listing stops at its limit, and every set listed is valid."""
    chains = ", ".join(f"A{n} -> X, A{n} -> B{n} -> Y" for n in range(60))
    graph = causal_graph(question_of(graph_from(f"X -> Y, X -> S, {chains}"), ("X",), ("Y",)))
    everything = [name for name in graph.names if name not in ("X", "Y", "S")]
    task = selected_task(graph, ["X"], ["Y"], ["S"], [everything])
    answer = selected_adjustment(task, limit=20)
    assert not answer.complete
    assert answer.sets is not None
    assert len(answer.sets) == 20
    for pair in answer.sets:
        assert task.admissible(graph.mask(pair.covariates), graph.mask(pair.outside))


# ---------------------------------------------------------------------------------------------------------------------
# Identify


def test_identify_by_adjustment_from_a_selected_sample() -> None:
    model = "model M { Z -> X -> Y ; Z -> Y ; Z -> S }\nidentify P(Y | do(X)) from "
    (first,) = suture.run(model + "P(X, Y, Z | S = 1), P(Z) by adjustment")
    assert first.status is suture.Status.IDENTIFIED
    assert first.derivation.steps[0].rule.name == "selected adjustment"
    (second,) = suture.run(model + "P(X, Y, Z | S = 1) by adjustment")
    assert second.status is suture.Status.UNDECIDED
    assert "bears on the selection by S along Y <- Z -> S" in (second.reason or "")
    (third,) = suture.run(model + "P(X, Y, Z) by adjustment")
    assert third.estimand is not None
    assert third.estimand.text == "sum{z} P(Y | X, Z=z) P(Z=z)"
    (fourth,) = suture.run(model + "P(X, Y, Z | S = 1), P(Z) by frontdoor")
    assert fourth.reason == "method 'frontdoor' needs distributions of all that is not set"


def test_what_is_too_large_to_search_is_adjusted() -> None:
    """Twenty covariates: the search by do-calculus is not started, the criterion is read from the graph."""
    names = [f"Z{n}" for n in range(20)]
    edges = " ; ".join(f"{name} -> {{X, Y}}" for name in names)
    program = f"model M {{ {edges} ; X -> Y ; Z0 -> S }}\nidentify P(Y | do(X = 1)) from "
    (answer,) = suture.run(f"{program}P(X, Y, {', '.join(names)} | S = 1), P(Z0)")
    assert answer.status is suture.Status.IDENTIFIED
    assert answer.estimand is not None
    assert "P(Z0=z0)" in answer.estimand.text
    assert answer.check is not None


def test_the_reason_of_a_search_says_what_is_in_the_way_of_adjustment() -> None:
    (answer,) = suture.run("model M { X -> Y -> S }\nidentify P(Y | do(X)) from P(X, Y | S = 1)")
    assert answer.reason == (
        "no proof by do-calculus exists from these inputs: all 8 distributions that the rules reach were searched, "
        "which does not show that the query cannot be identified; by adjustment: "
        "the outcome bears on the selection by S along Y -> S"
    )


def test_identify_by_adjustment_needs_a_sample() -> None:
    (answer,) = suture.run("model M { X -> Y }\nidentify P(Y | do(X)) from P(X), P(Y | X) by adjustment")
    assert answer.error is not None
    assert answer.error.message == "P(Y | X) has no value of X"


@pytest.mark.parametrize(
    ("model", "note"),
    [
        (
            "W -> Z -> X -> Y ; W <-> X ; W <-> Y",
            "the effect is identifiable without adjustment: identify P(Y | do(X))",
        ),
        (
            "X -> Y ; X <-> Y",
            "no other formula gives the effect from what is observed; 'bound' says what can be known",
        ),
    ],
)
def test_where_no_set_is_valid_other_ways_are_told(model: str, note: str) -> None:
    """The napkin is identifiable (Pearl and Mackenzie 2018, chapter 7), the bow is not."""
    (answer,) = suture.run(f"model M {{ {model} }}\nadjust X -> Y")
    assert answer.reason
    assert answer.notes[-1] == note
