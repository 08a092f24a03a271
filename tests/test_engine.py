"""The engine end to end: programs whose data are the exact numbers of a model, so that estimates must be its truth."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles.graphs import Graph, Query, projection, random_graph, random_query
from oracles.models import LatentModel, random_model_of
from oracles.sources import Known, follows, random_domains
from programs_of import data_text, domain_text, model_text, query_text
from strategies_sources import KINDS, random_sources_problem, some_of

from suture import run
from suture.answers.answer import Answer, Answers, Status
from suture.cli import main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

BOW = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
FRONT_DOOR = Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "Y"),))
NAPKIN = Graph(("W", "Z", "X", "Y"), (("W", "Z"), ("Z", "X"), ("X", "Y")), (("W", "X"), ("W", "Y")))
CONFOUNDED = Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y")), (("X", "Y"),))
EFFECT = Query(("Y",), ("X",))


def only(answers: Answers) -> Answer:
    (answer,) = answers
    return answer


def table_of(answer: Answer, query: Query, sizes: dict[str, int]) -> np.ndarray:
    """The value of an answer as an array over outcomes, treatments, conditions; NaN where it is not determined."""
    value: Any = answer.to_dict()["value"]
    names = [*query.outcomes, *query.treatments, *query.given]
    found = np.full([sizes[name] for name in names], -1.0)
    assert sorted(value["variables"]) == sorted(names), value["variables"]
    for *labels, number in value["rows"]:
        at = dict(zip(value["variables"], labels, strict=True))
        found[tuple(int(at[name]) for name in names)] = np.nan if number is None else number
    return found


def assert_true(answer: Answer, query: Query, model: LatentModel) -> None:
    """The answer is the table of what surgery on the model gives."""
    assert answer.status is Status.VALUE, (answer.status, answer.error, answer.reason)
    assert np.allclose(table_of(answer, query, dict(model.sizes)), model.truth(query), rtol=0, atol=1e-9)


# ---------------------------------------------------------------------------------------------------------------------
# Data of experiments and domains


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_from_exact_data_are_the_truth(kind: str) -> None:
    """Random models, experiments and domains: an estimate where it follows from the sources, a witness elsewhere."""
    generator = np.random.default_rng(71)
    statuses: set[Status] = set()
    for _ in range(20):
        graph, query, known = random_sources_problem(generator, kind, 4, conditions=1)
        sizes = {graph.nodes[int(generator.integers(len(graph.nodes)))]: 3}
        target = random_model_of(graph, generator, sizes)
        domains = random_domains(target, known, generator)
        lines = [model_text(graph, target.sizes)]
        named = {one.name: one.differs for one in known if one.name is not None}
        lines += [domain_text(name, differs) for name, differs in named.items()]
        for place, one in enumerate(known):
            lines.append(data_text(f"data{place}", domains.of(one.name), generator, one.do, one.name))
        sources = ", ".join(f"data{place}" for place in range(len(known)))
        answer = only(run("\n".join([*lines, f"estimate {query_text(query)} from {sources}"])))
        statuses.add(answer.status)
        if follows(graph, query, known):
            assert_true(answer, query, target)
        else:
            assert answer.status is Status.NOT_IDENTIFIED, (graph, query, known, answer.error)
            assert answer.value is None
    assert statuses == {Status.VALUE, Status.NOT_IDENTIFIED}


def test_queries_in_another_domain() -> None:
    """What is asked of a domain is estimated from the model's own data, its own, and those of a third."""
    generator = np.random.default_rng(72)
    seen: set[Status] = set()
    for _ in range(30):
        graph = random_graph(generator, int(generator.integers(2, 5)), 0.6, 0.3)
        query = random_query(generator, graph, 2)
        changed = {None: (), "here": some_of(generator, graph.nodes, 2), "there": some_of(generator, graph.nodes, 2)}
        known = []
        for name in changed:
            do = some_of(generator, query.treatments, 2) if generator.random() < 0.5 else ()
            known.append(Known(name, do, tuple({*changed[name], *changed["here"]}) if name != "here" else ()))
        own = random_model_of(graph, generator)
        places = [Known(name, (), changed[name]) for name in changed]
        domains = random_domains(own, places, generator)
        lines = [
            model_text(graph, own.sizes),
            domain_text("here", changed["here"]),
            domain_text("there", changed["there"]),
        ]
        lines += [
            data_text(f"data{place}", domains.of(one.name), generator, one.do, one.name)
            for place, one in enumerate(known)
        ]
        chosen = some_of(generator, ("0", "1", "2"), 3, least=1)
        sources = ", ".join(f"data{place}" for place in chosen)
        answer = only(run("\n".join([*lines, f"estimate {query_text(query, 'here')} from {sources}"])))
        seen.add(answer.status)
        if follows(graph, query, [known[int(place)] for place in chosen]):
            assert_true(answer, query, domains.of("here"))
        else:
            assert answer.status is Status.NOT_IDENTIFIED, (graph, query, known, answer.error)
    assert seen == {Status.VALUE, Status.NOT_IDENTIFIED}


def test_variables_without_a_column_are_latent() -> None:
    generator = np.random.default_rng(73)
    seen: set[Status] = set()
    for _ in range(40):
        graph = random_graph(generator, int(generator.integers(3, 6)), 0.5, 0.25)
        query = random_query(generator, graph, 1)
        rest = [node for node in graph.nodes if node not in (*query.outcomes, *query.treatments)]
        without = some_of(generator, rest, len(rest), least=1)
        model = random_model_of(graph, generator)
        lines = [model_text(graph, model.sizes), data_text("survey", model, generator, without=without)]
        answer = only(run("\n".join([*lines, f"estimate {query_text(query)} from survey"])))
        seen.add(answer.status)
        parents = graph.with_latents()
        shown = projection(parents, (set(parents) - set(graph.nodes)) | set(without))
        if follows(shown, query, [Known(None)]):
            assert_true(answer, query, model)
        else:
            assert answer.status is Status.NOT_IDENTIFIED, (graph, query, without)
        assert any("taken as latent" in note and all(name in note for name in without) for note in answer.notes)
    assert seen == {Status.VALUE, Status.NOT_IDENTIFIED}


def test_variables_that_no_written_source_names_are_latent() -> None:
    generator = np.random.default_rng(78)
    seen: set[tuple[Status, bool]] = set()
    for _ in range(60):
        graph = random_graph(generator, int(generator.integers(3, 6)), 0.5, 0.3)
        query = random_query(generator, graph, 2)
        rest = [node for node in graph.nodes if node not in (*query.outcomes, *query.treatments)]
        without = some_of(generator, rest, len(rest))
        named = [node for node in graph.nodes if node not in without]
        likely = [node for node in named if node not in query.outcomes]
        known = [Known(None, some_of(generator, likely, 1)) for _ in range(int(generator.integers(1, 3)))]
        sources = [query_text(Query(tuple(n for n in named if n not in one.do), one.do)) for one in known]
        text = f"identify {query_text(query)} from {', '.join(dict.fromkeys(sources))}"
        answer = only(run(f"{model_text(graph, dict.fromkeys(graph.nodes, 2))}\n{text}"))
        parents = graph.with_latents()
        shown = projection(parents, (set(parents) - set(graph.nodes)) | set(without))
        expected = follows(shown, query, known)
        assert answer.status is (Status.IDENTIFIED if expected else Status.NOT_IDENTIFIED), (graph, text, answer)
        assert answer.check is not None or not expected
        seen.add((answer.status, any(one.do for one in known)))
    assert len(seen) == 4


def test_what_one_of_two_sources_lacks_is_latent() -> None:
    """The survey measures all, the trial only X and Y: the trial alone answers, with Z latent in both."""
    generator = np.random.default_rng(74)
    model = random_model_of(CONFOUNDED, generator)
    lines = [model_text(CONFOUNDED, model.sizes), data_text("survey", model, generator)]
    lines += [data_text("trial", model, generator, ("X",), without=["Z"]), "estimate P(Y | do(X)) from survey, trial"]
    answer = only(run("\n".join(lines)))
    assert_true(answer, EFFECT, model)
    assert answer.notes == ("not measured everywhere: Z; taken as latent",)


def test_a_survey_here_and_a_trial_elsewhere() -> None:
    """The textbook's transport formula, by hand: sum over z of P_trial(y | do(x), z) P_survey(z)."""
    generator = np.random.default_rng(75)
    model = random_model_of(CONFOUNDED, generator)
    elsewhere = random_domains(model, [Known("away", (), ("Z",))], generator).of("away")
    lines = [model_text(CONFOUNDED, model.sizes), domain_text("away", ["Z"]), data_text("survey", model, generator)]
    lines += [data_text("trial", elsewhere, generator, ("X",), "away"), "estimate P(Y | do(X)) from survey, trial"]
    answer = only(run("\n".join(lines)))
    trial, survey = elsewhere.surgery(["X"]), model.surgery()
    by_hand = np.einsum("zxy,z->yx", trial / trial.sum(axis=2, keepdims=True), survey.sum(axis=(1, 2)))
    assert np.allclose(table_of(answer, EFFECT, dict(model.sizes)), by_hand, rtol=0, atol=1e-9)
    assert_true(answer, EFFECT, model)
    assert answer.estimand is not None
    assert "P[trial](" in answer.estimand.text
    assert "P[survey](" in answer.estimand.text


def test_two_trials_of_one_treatment_each_are_not_one_of_both() -> None:
    graph = Graph(("A", "B", "Y"), (("A", "Y"), ("B", "Y")), (("A", "Y"), ("B", "Y")))
    generator = np.random.default_rng(76)
    model = random_model_of(graph, generator)
    lines = [model_text(graph, model.sizes), *(data_text(f"on_{x}", model, generator, (x,)) for x in "AB")]
    answer = only(run("\n".join([*lines, "estimate P(Y | do(A, B)) from on_A, on_B"])))
    assert answer.status is Status.NOT_IDENTIFIED
    assert "no source says how {Y} behaves" in str(answer)


def test_the_domain_of_a_latent_mechanism_differs_in_what_it_reaches() -> None:
    """U behind X and Y differs elsewhere: a trial elsewhere says nothing of the effect here."""
    text = """
    model M { latent U : {0, 1} ; X, Y : {0, 1} ; U -> X ; U -> Y ; X -> Y ; mutable U }
    domain away of M { U ~ any }
    identify P(Y | do(X)) in M from P(Y | do(X)) in away
    identify P(Y | do(X)) in M from P(Y | do(X)), P(X, Y) in away
    """
    first, second = run(text)
    assert first.status is Status.NOT_IDENTIFIED
    assert second.status is Status.IDENTIFIED


def test_an_experiment_at_one_value_says_nothing_of_another() -> None:
    """Known is only what setting X to 0 does; the bow does not let that tell what setting it to 1 does."""
    text = model_text(BOW, dict.fromkeys("XY", 2))
    answer = only(run(f"{text}\nidentify P(Y | do(X = 1)) in M from P(Y | do(X = 0))"))
    assert answer.status is not Status.IDENTIFIED


# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic and effects


def test_two_models_differ_on_what_was_asked() -> None:
    """Where a difference is not identifiable, the models shown must differ on it: their programs are run to see."""
    text = model_text(BOW, dict.fromkeys("XY", 2))
    asked = "P(Y = 1 | do(X = 1)) - P(Y = 1 | X = 1)"
    answer = only(run(f"{text}\nidentify {asked} in M from P(Y | do(X))"))
    assert answer.status is Status.NOT_IDENTIFIED
    program = answer.to_dict()["witness"]["models"]["program"]
    *_, first, second = run(f"{program}\ncompute {asked} in First\ncompute {asked} in Second\n")
    assert isinstance(first.value, float)
    assert isinstance(second.value, float)
    assert abs(first.value - second.value) > 1e-9


def numbers(text: str) -> list[float]:
    """The values of a program's answers, each a number."""
    found = []
    for answer in run(text):
        assert isinstance(answer.value, float), (answer.status, answer.error)
        found.append(answer.value)
    return found


def test_arithmetic_and_effects_over_two_sources() -> None:
    generator = np.random.default_rng(77)
    model = random_model_of(CONFOUNDED, generator)
    elsewhere = random_domains(model, [Known("away", (), ("Z",))], generator).of("away")
    lines = [model_text(CONFOUNDED, model.sizes), domain_text("away", ["Z"]), data_text("survey", model, generator)]
    lines += [data_text("trial", elsewhere, generator, ("X",), "away")]
    asked = {
        "P(Y = 1 | do(X = 1)) - P(Y = 1 | do(X = 0))": lambda p, q: p - q,
        "ate(X -> Y)": lambda p, q: p - q,
        "E(Y | do(X = 1))": lambda p, q: p,
        "P(Y = 1 | do(X = 1)) / P(Y = 1 | do(X = 0))": lambda p, q: p / q,
        "1 - 2 * P(Y = 1 | do(X = 0)) * P(Y = 1 | do(X = 1))": lambda p, q: 1 - 2 * p * q,
        "(P(Y = 1 | do(X = 1)) + 1/4) / (1 - P(Y = 1 | do(X = 0)))": lambda p, q: (p + 0.25) / (1 - q),
    }
    low, high = model.truth(EFFECT)[1]
    found = numbers("\n".join([*lines, *(f"estimate {text} from survey, trial" for text in asked)]))
    assert found == pytest.approx([value(high, low) for value in asked.values()], abs=1e-9)


def test_observed_parts_are_read_off_the_survey() -> None:
    """A difference of what is seen and what surgery gives: the bias of the naive answer."""
    generator = np.random.default_rng(78)
    model = random_model_of(FRONT_DOOR, generator)
    lines = [model_text(FRONT_DOOR, model.sizes), data_text("survey", model, generator)]
    lines += ["query naive = P(Y = 1 | X = 1)", "query effect = P(Y = 1 | do(X = 1))"]
    (bias,) = numbers("\n".join([*lines, "estimate naive - effect from survey"]))
    joint = model.surgery().sum(axis=1)
    assert bias == pytest.approx(joint[1, 1] / joint[1].sum() - model.truth(EFFECT)[1, 1], abs=1e-9)


def test_values_outside_the_data_scale_are_read_as_numbers() -> None:
    """An expectation weighs labels by what they say: 0, 1, 2 with three values of the outcome."""
    generator = np.random.default_rng(79)
    model = random_model_of(FRONT_DOOR, generator, {"Y": 3})
    lines = [model_text(FRONT_DOOR, model.sizes), data_text("survey", model, generator)]
    (found,) = numbers("\n".join([*lines, "estimate E(Y | do(X = 1)) from survey"]))
    assert found == pytest.approx(float(np.arange(3) @ model.truth(EFFECT)[:, 1]), abs=1e-9)


# ---------------------------------------------------------------------------------------------------------------------
# Arbitrary values and undetermined cells


def test_the_napkin_is_averaged_over_its_arbitrary_value() -> None:
    generator = np.random.default_rng(80)
    model = random_model_of(NAPKIN, generator, {"Z": 3})
    lines = [model_text(NAPKIN, model.sizes), data_text("survey", model, generator)]
    answer = only(run("\n".join([*lines, "estimate P(Y | do(X)) from survey"])))
    assert_true(answer, EFFECT, model)
    assert "the estimate averages over the observed Z" in answer.notes


def test_the_average_is_weighted_by_what_was_observed() -> None:
    """Data that no napkin model fits: the estimates at Z = 0 and Z = 1 differ, and are averaged by P(Z)."""
    joint = np.random.default_rng(81).dirichlet(np.ones(16)).reshape(2, 2, 2, 2)
    rows = " ; ".join(", ".join([*map(str, place), repr(float(joint[place]))]) for place in product(range(2), repeat=4))
    text = f"{model_text(NAPKIN, dict.fromkeys('WZXY', 2))}\ndata d of M weight n {{ W, Z, X, Y, n ; {rows} }}\n"
    (found,) = numbers(text + "estimate P(Y = 1 | do(X = 1)) from d")
    each = [
        sum(joint[w].sum() * joint[w, z, 1, 1] / joint[w, z].sum() for w in range(2))
        / sum(joint[w].sum() * joint[w, z, 1].sum() / joint[w, z].sum() for w in range(2))
        for z in range(2)
    ]
    assert abs(each[0] - each[1]) > 0.01
    assert found == pytest.approx(joint.sum(axis=(0, 2, 3)) @ each, abs=1e-9)


def test_an_arbitrary_value_of_several_sources_is_any() -> None:
    """The effect of X read off an experiment on Z: every z will do, and the answer says which was taken."""
    graph = Graph(("Z", "X", "Y"), (("Z", "X"), ("X", "Y")), (("Z", "X"), ("Z", "Y")))
    generator = np.random.default_rng(82)
    model = random_model_of(graph, generator)
    lines = [model_text(graph, model.sizes), data_text("survey", model, generator)]
    lines += [data_text("trial", model, generator, ("Z",)), "estimate P(Y | do(X)) from survey, trial"]
    answer = only(run("\n".join(lines)))
    assert_true(answer, EFFECT, model)
    assert any(re.search(r"Z = [01]; any value would do", note) for note in answer.notes)


def test_an_arbitrary_value_at_which_the_data_are_silent_is_not_taken() -> None:
    """Nobody with Z = 0 was seen under X = 1, so the trial answers at Z = 1."""
    text = """
    model M { Z, X, Y : {0, 1} ; Z -> X -> Y ; Z <-> X ; Z <-> Y }
    data trial of M weight n under do(Z) { Z, X, Y, n ; 0, 0, 0, 3 ; 0, 0, 1, 1 ; 1, 0, 0, 2 ; 1, 1, 0, 1 ; 1, 1, 1, 3 }
    data survey of M weight n { Z, X, Y, n ; 0, 0, 0, 1 ; 1, 1, 1, 1 }
    estimate P(Y = 1 | do(X = 1)) from trial, survey
    """
    answer = only(run(text))
    assert answer.value == pytest.approx(0.75)
    assert any("Z = 1" in note for note in answer.notes)


def test_a_setting_that_was_never_tried_is_not_needed() -> None:
    """X does nothing to Z, so that what was seen under X = 1 tells P(Z), though X = 0 was never tried."""
    text = """
    model M { Z, X : {0, 1} ; Z -> X }
    data trial of M weight n under do(X) { Z, X, n ; 0, 1, 3 ; 1, 1, 1 }
    estimate P(Z = 1) from trial
    """
    assert only(run(text)).value == pytest.approx(0.25)


def test_cells_without_data_are_not_determined() -> None:
    """Nobody with Z = 1 was untreated: P(Y | do(X = 0)) is unknown and P(Y | do(X = 1)) is not."""
    text = """
    model M { Z, X, Y : {0, 1} ; Z -> X -> Y ; Z -> Y }
    data d of M weight n { Z, X, Y, n ; 0, 0, 0, 2 ; 0, 0, 1, 2 ; 0, 1, 0, 1 ; 0, 1, 1, 3 ; 1, 1, 0, 1 ; 1, 1, 1, 1 }
    estimate P(Y | do(X)) from d
    """
    answer = only(run(text))
    found = table_of(answer, EFFECT, dict.fromkeys("XY", 2))
    assert np.isnan(found[:, 0]).all()
    # P(Z = 0) = 8/10; among the treated 3/4 of them and 1/2 of the others.
    assert found[1, 1] == pytest.approx(0.8 * 0.75 + 0.2 * 0.5)
    assert any("not determined by the data" in note for note in answer.notes)


def test_an_answer_that_is_nowhere_determined_is_an_error() -> None:
    text = """
    model M { Z, X, Y : {0, 1} ; Z -> X -> Y ; Z -> Y }
    data d of M weight n { Z, X, Y, n ; 0, 0, 0, 2 ; 0, 0, 1, 2 ; 1, 1, 0, 1 ; 1, 1, 1, 1 }
    estimate P(Y = 1 | do(X = 1)) from d
    """
    answer = only(run(text))
    assert answer.status is Status.ERROR
    assert answer.error is not None
    assert answer.error.code.startswith("S4")


# ---------------------------------------------------------------------------------------------------------------------
# Assertions and errors

COIN = "model M { A : {0, 1} ~ Bernoulli(1/4) ; B : {0, 1} ~ table (A) { 0 => 0.9, 0.1 ; 1 => 0.2, 0.8 } }\n"


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        # P(A) = 1/4, P(B) = 3/4 * 0.1 + 1/4 * 0.8 = 0.275, P(A | B) = 0.2 / 0.275 = 8/11
        ("P(A = 1) == 1/4", True),
        ("P(A = 1) != 0.25", False),
        ("P(B = 1) == 0.275", True),
        ("P(B = 1 | do(A = 1)) == P(B = 1 | A = 1)", True),
        ("P(A = 1 | B = 1) == 8/11", True),
        ("P(A = 1 | do(B = 1)) < P(A = 1 | B = 1)", True),
        ("0 <= P(A = 1) <= P(B = 1) <= 1", True),
        ("0.3 <= P(B = 1) <= 1", False),
        ("not P(A = 1) > 1/2", True),
        ("P(A = 1) > 1/2 or P(B = 1) > 0.27", True),
        ("P(A = 1) > 1/2 and P(B = 1) > 0.27", False),
        ("M: P(B = 1) >= 0.275", True),
        ("ate(A -> B) == 0.7", True),
        ("identify P(B | do(A)) in M", True),
        ("identify P(B | do(A)) in M from P(A, B)", True),
    ],
)
def test_claims(claim: str, holds: bool) -> None:
    answer = only(run(f"{COIN}assert {claim}"))
    assert answer.status is (Status.HOLDS if holds else Status.FAILS), answer.error


@pytest.mark.parametrize(
    ("sources", "holds"),
    [
        ("P(X, Y)", False),
        ("P(X, Y), P(Y | do(X))", True),
        ("P(X, Y), P(Y | do(X)) in other", False),
        ("P(X, Y), P(Y | do(X)) in same", True),
    ],
)
def test_claims_of_identifiability_from_sources(sources: str, holds: bool) -> None:
    text = f"""{model_text(BOW, dict.fromkeys("XY", 2))}
    domain other of M {{ Y ~ any }}
    domain same of M {{ X ~ any }}
    assert identify P(Y | do(X)) in M from {sources}
    """
    assert only(run(text)).status is (Status.HOLDS if holds else Status.FAILS)


TRIAL = """
model M { Z, X, Y : {0, 1} ; Z -> X -> Y ; Z -> Y ; X <-> Y }
data survey of M weight n { Z, X, Y, n ; 0, 0, 0, 1 ; 0, 1, 1, 1 ; 1, 0, 1, 1 ; 1, 1, 0, 1 }
data trial of M weight n under do(X) { Z, X, Y, n ; 0, 1, 0, 1 ; 0, 1, 1, 1 ; 1, 1, 1, 2 }
data few of M weight n { X, Y, n ; 0, 0, 1 ; 1, 1, 1 }
"""


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("estimate P(Y = 1 | do(X = 0)) from trial", "S431"),
        ("estimate P(Z | do(X = 1)) from few", "S316"),
        ("estimate P(Y | do(X), Z) from survey, few", "S316"),
    ],
)
def test_errors_while_a_statement_runs(statement: str, code: str) -> None:
    """The answer is an error with its place, and other statements are answered all the same."""
    bad, good = run(f"{TRIAL}{statement}\nestimate P(Y = 1 | do(X = 1)) from trial\n")
    assert bad.status is Status.ERROR
    assert bad.error is not None
    assert bad.error.code == code
    assert bad.error.span is not None
    assert bad.line == TRIAL.count("\n") + 1
    # Of those treated in the trial 3 in 4.
    assert good.value == pytest.approx(0.75)


def test_the_same_statement_gives_the_same_answer_twice() -> None:
    generator = np.random.default_rng(83)
    model = random_model_of(NAPKIN, generator)
    text = "\n".join(
        [model_text(NAPKIN, model.sizes), data_text("survey", model, generator), "estimate P(Y | do(X)) from survey"]
    )
    first, second = (replace(only(run(text)), seconds=0.0) for _ in range(2))
    assert first.to_dict() == second.to_dict()
    assert str(first) == str(second)


# ---------------------------------------------------------------------------------------------------------------------
# The examples

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+|/\d+)?(?![\w/]|\.\d| ?%)")


def promised(line: str) -> tuple[list[Fraction], float] | None:
    """The numbers in the comment behind a statement, and half a unit of their last place; None without a comment."""
    statement, mark, comment = line.partition("#")
    if not mark or not statement.strip() or not NUMBER.search(comment):
        return None
    digits = max(len(number.partition(".")[2]) for number in NUMBER.findall(comment))
    difference = re.search(r"(\d\.\d+) - (\d\.\d+)$", comment.strip())
    if difference:
        return [Fraction(difference[1]) - Fraction(difference[2])], 1.0 * 10**-digits
    return [Fraction(number) for number in NUMBER.findall(comment)], 0.5 * 10**-digits


def values_of(answer: Answer) -> list[float]:
    """The numbers of an answer, a table's from its first row to the last; a sample's are one row."""
    value: Any = answer.to_dict()["value"]
    if answer.statement == "counterfactual":
        return value["rows"][0]
    return [row[-1] for row in value["rows"]] if isinstance(value, dict) else [value]


def is_built(answer: Answer) -> bool:
    return answer.error is None or answer.error.code != "S501"


PATHS = [pytest.param(path, id=path.stem) for path in sorted(EXAMPLES.glob("*.suture"))]


@pytest.mark.parametrize("path", PATHS)
def test_every_example_runs_and_keeps_what_its_comments_promise(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    answers = run(text, path.parent)
    lines = text.splitlines()
    for answer in filter(is_built, answers):
        assert answer.status is not Status.ERROR, (answer.line, answer.error)
        assert answer.status is not Status.FAILS, answer.line
        assert answer.line is not None
        expected = promised(lines[answer.line - 1])
        if expected is not None:
            assert values_of(answer) == pytest.approx([float(number) for number in expected[0]], abs=expected[1] * 1.01)


def test_comments_are_read() -> None:
    assert promised("estimate a from b   # 0.1416 in favour of men") == ([Fraction("0.1416")], 0.00005)
    assert promised("estimate a - b from c  # how wrong: 0.5423 - 0.6757") == ([Fraction("-0.1334")], 0.0001)
    assert promised("estimate a from b  # -0.0426, and 0.25") == ([Fraction("-0.0426"), Fraction("0.25")], 0.00005)
    assert promised("compute c # (-3, -2, 5/3)") == ([Fraction(-3), Fraction(-2), Fraction(5, 3)], 0.5)
    assert promised("# 0.5423") is None
    assert promised("estimate a from b  # of 45 % nothing") is None
    assert promised("estimate a from b") is None


def test_the_examples_promise_something() -> None:
    lines = [line for path in EXAMPLES.glob("*.suture") for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(promised(line) is not None for line in lines) >= 15


def told(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, list[float]]:
    """What `suture run --json` prints for an example: the values of each query that is given a number, by its text."""
    assert main(["run", "--json", str(EXAMPLES / f"{name}.suture")]) == 0
    found: dict[str, list[float]] = defaultdict(list)
    for answer in json.loads(capsys.readouterr().out)["answers"]:
        value = answer["value"]
        if value is not None:
            rows = [row[-1] for row in value["rows"]] if isinstance(value, dict) else [value]
            found[answer["name"] or answer["query"]] += rows
    return found


# The surgery paper's three tables: P(S, T, C) in the order 000, 001, .., 111, and P(C = 1 | do(S)) for S = 0, S = 1.
SCENARIOS = [
    ([0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02, 0.2], [0.2535, 0.5423]),
    ([0.14, 0.05, 0.16, 0.05, 0.1, 0.21, 0.1, 0.19], [0.4994, 0.5004]),
    ([0.3, 0.05, 0.2, 0.05, 0.05, 0.05, 0.25, 0.05], [0.2444, 0.2114]),
]


def test_the_three_scenarios_of_smoking(capsys: pytest.CaptureFixture[str]) -> None:
    """Published effects, and the front-door formula worked out on the published tables."""
    found = told(capsys, "scenarios")
    by_hand, seen = [], []
    for joint, _ in SCENARIOS:
        table = np.array(joint).reshape(2, 2, 2)
        tar = table.sum(axis=2) / table.sum(axis=(1, 2))[:, None]
        cancer = np.einsum("s,st->t", table.sum(axis=(1, 2)), table[..., 1] / table.sum(axis=2))
        by_hand += list(tar @ cancer)
        seen += list(table[..., 1].sum(axis=1) / table.sum(axis=(1, 2)))
    assert by_hand == pytest.approx([number for _, effects in SCENARIOS for number in effects], abs=5e-5)
    assert found["effect"] == pytest.approx(by_hand, abs=1e-9)
    assert found["seen"] == pytest.approx(seen, abs=1e-9)


def counts(name: str) -> dict[tuple[str, ...], int]:
    """The rows of an example's table."""
    with open(EXAMPLES / "data" / f"{name}.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


def test_kidney_stones(capsys: pytest.CaptureFixture[str]) -> None:
    """Success by treatment and size as published (81/87, 192/263; 234/270, 55/80), standardised by stone size."""
    table = counts("kidney")
    assert [table["small", "open", "yes"], table["large", "open", "yes"]] == [81, 192]
    assert [table["small", "keyhole", "yes"], table["large", "keyhole", "yes"]] == [234, 55]
    small, large = Fraction(357, 700), Fraction(343, 700)
    opened = small * Fraction(81, 87) + large * Fraction(192, 263)
    keyhole = small * Fraction(234, 270) + large * Fraction(55, 80)
    found = told(capsys, "kidney")
    assert found["open"] == [pytest.approx(float(opened), abs=1e-12)]
    assert found["keyhole"] == [pytest.approx(float(keyhole), abs=1e-12)]
    assert found["naive"] == [pytest.approx(273 / 350 - 289 / 350, abs=1e-12)]
    assert found["open - keyhole"] == [pytest.approx(float(opened - keyhole), abs=1e-12)]


def test_berkeley(capsys: pytest.CaptureFixture[str]) -> None:
    """Admissions of 1973: by sex over all, and by sex within departments weighted by all who applied there."""
    admitted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for (sex, department, admit), number in counts("berkeley").items():
        for key in ((sex, department), (sex, "all"), ("all", department), ("all", "all")):
            admitted[key][0] += number * (admit == "yes")
            admitted[key][1] += number
    share = {key: Fraction(*pair) for key, pair in admitted.items()}
    assert admitted["all", "all"][1] == 4526
    direct = sum(
        Fraction(admitted["all", department][1], 4526) * (share["male", department] - share["female", department])
        for department in "ABCDEF"
    )
    found = told(capsys, "berkeley")
    assert found["overall"] == [pytest.approx(float(share["male", "all"] - share["female", "all"]), abs=1e-12)]
    assert found["men / women"] == [pytest.approx(float(share["male", "all"] / share["female", "all"]), abs=1e-12)]
    assert found["direct"] == [pytest.approx(float(direct), abs=1e-12)]
    each = [share[sex, department] for sex in ("female", "male") for department in "ABCDEF"]
    assert found["each"] == pytest.approx([float(number) for number in each], abs=1e-12)


def test_the_vaccine(capsys: pytest.CaptureFixture[str]) -> None:
    """Both worlds listed: she dies if exposed, frail and not vaccinated; the vaccine fails the frail."""
    weights = {
        (frail, exposed, chosen): (0.3 if frail else 0.7) * (0.6 if exposed else 0.4) * 0.5
        for frail, exposed, chosen in product((False, True), repeat=3)
    }

    def infected(frail: bool, exposed: bool, vaccinated: bool) -> bool:
        return exposed and (not vaccinated or frail)

    def dead(frail: bool, exposed: bool, vaccinated: bool) -> bool:
        return infected(frail, exposed, vaccinated) and frail and not vaccinated

    lost = {state: weight for state, weight in weights.items() if not state[2] and dead(*state)}
    ill = {state: weight for state, weight in weights.items() if not state[2] and infected(*state)}
    saved = sum(weight for state, weight in lost.items() if not dead(*state[:2], True)) / sum(lost.values())
    spared = sum(weight for state, weight in ill.items() if not infected(*state[:2], True)) / sum(ill.values())
    both = sum(weight for state, weight in weights.items() if dead(*state[:2], False) and not dead(*state[:2], True))
    assert (saved, spared, both) == pytest.approx((1, 0.7, 0.18))
    found = told(capsys, "vaccine")
    assert found == {"saved": [pytest.approx(saved)], "spare": [pytest.approx(spared)], "both": [pytest.approx(both)]}


def test_a_ward_of_another_hospital() -> None:
    """In the rural hospital the ward is a coin, whatever is known of the patient."""
    text = (EXAMPLES / "hospital.suture").read_text(encoding="utf-8")
    assert [answer.value for answer in run(text) if answer.name == "moved"] == [pytest.approx(0.5)]
