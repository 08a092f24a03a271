"""Witnesses over several domains, judged by enumerating every model of both systems and by running the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from oracles.graphs import Graph, Query
from oracles.sources import Known, follows, published_known
from oracles.witnesses import assert_program_shows_it, complaints_from
from strategies import diagram_of, kernel_of
from strategies_sources import library_sources, random_sources_problem

import suture
from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Kernel, Term, probability
from suture.identify.algorithms import identify
from suture.identify.derivation import NotIdentified, Source
from suture.identify.witnesses.model_pair import ModelPair, NoWitness, ProbabilityTable
from suture.identify.witnesses.witness import WitnessBudget, verified
from suture.identify.witnesses.witness_domains import witness_of_domains

BOW = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
CHAIN = Graph(("X", "W", "Y"), (("X", "W"), ("W", "Y")), (("X", "Y"),))
EFFECT = Query(("Y",), ("X",))


def ask(graph: Graph, query: Query, known: Sequence[Known], **options: Any) -> ModelPair | NoWitness:
    kernel, diagram, sources = kernel_of(query), diagram_of(graph), library_sources(known)
    outcome = identify(kernel, diagram, None, sources)
    found = outcome.witness if isinstance(outcome, NotIdentified) else None
    return witness_of_domains(found, kernel, diagram, sources, **options)


def shown(graph: Graph, query: Query, known: Sequence[Known]) -> ModelPair:
    """The pair, checked against all that is known."""
    pair = ask(graph, query, known)
    assert isinstance(pair, ModelPair), (graph, query, known, pair)
    assert complaints_from(pair, diagram_of(graph), kernel_of(query), known) == [], (graph, query, known)
    return pair


# ---------------------------------------------------------------------------------------------------------------------
# Published and random queries


def test_every_published_negative(cases: Callable[[str], Any]) -> None:
    names = set[str]()
    for case in cases("identification.json"):
        if case["kind"] in ("transport", "surrogate") and not case["identifiable"]:
            query = Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given")))
            assert_program_shows_it(shown(Graph.of_case(case), query, published_known(case["query"])))
            names.add(case["name"])
    assert names == {"zid_2", "zid_3_noexp", "gid_two_exp", "transport_bow_S_at_Y"}


@pytest.mark.parametrize("conditions", [0, 2])
@pytest.mark.parametrize("kind", ["domains", "both"])
def test_random_negatives(kind: str, conditions: int) -> None:
    generator = np.random.default_rng(71 + conditions)
    asked, missing = 0, []
    while asked < 40:
        graph, query, known = random_sources_problem(generator, kind, 5, conditions=conditions)
        if len(graph.bidirected) > 5 or follows(graph, query, known):
            continue
        asked += 1
        pair = ask(graph, query, known)
        if isinstance(pair, NoWitness):
            missing.append((graph, query, known))
            continue
        assert complaints_from(pair, diagram_of(graph), kernel_of(query), known) == [], (graph, query, known)
        if asked % 4 == 0:
            assert_program_shows_it(pair)
    assert len(missing) <= 0.05 * asked, missing


def test_what_follows_has_no_witness() -> None:
    generator = np.random.default_rng(81)
    asked = 0
    while asked < 40:
        graph, query, known = random_sources_problem(generator, "both", 5, conditions=asked % 2)
        if follows(graph, query, known):
            asked += 1
            pair = ask(graph, query, known, budget=WitnessBudget(attempts=4))
            assert pair == NoWitness("no pair of models was found in 4 random models"), (graph, query, known)


# ---------------------------------------------------------------------------------------------------------------------
# By hand


def test_an_outcome_that_differs_in_the_trial() -> None:
    """The bow of Pearl and Bareinboim (2011): the trial's own Y is noise; the rest is the witness of the bow itself."""
    pair = shown(BOW, EFFECT, [Known(None), Known("trial", ("X",), ("Y",))])
    assert (pair.first_value, pair.second_value) == (Fraction(1, 2), (1 + Fraction(49, 64)) / 2)
    (trial,) = pair.domains
    assert trial.name == "trial"
    assert trial.tables == {"Y": ProbabilityTable((), ((Fraction(1, 2), Fraction(1, 2)),))}
    assert [agreement.kernel.source for agreement in pair.agreements] == [None, "trial"]
    assert "each with a variant for trial, agree on P(X, Y), P[trial](Y | do(X)), yet" in pair.text()
    data = pair.to_dict()
    assert data["domains"] == [{"name": "trial", "tables": {"Y": {"reads": [], "rows": [["1/2", "1/2"]]}}}]
    assert [item["on"] for item in data["agree"]] == ["P(X, Y)", "P[trial](Y | do(X))"]
    assert "domain trial_of_First of First {" in pair.program
    assert_program_shows_it(pair)


def test_a_domain_that_differs_where_nobody_asks_is_the_same_there() -> None:
    """X differs elsewhere, and the hedge is around Y: the other domain may as well be the one asked about."""
    pair = shown(BOW, EFFECT, [Known("away", (), ("X",))])
    (away,) = pair.domains
    assert away.tables == {"X": pair.first.tables["X"]}
    assert pair.first.tables["X"] == pair.second.tables["X"]
    assert_program_shows_it(pair)


def test_domains_that_differ_in_different_members_of_one_component() -> None:
    """Neither domain lends {A, B}, for different reasons, and both are one system with the domain asked about."""
    graph = Graph(("X", "A", "B"), (("X", "A"), ("A", "B")), (("A", "B"),))
    known = [Known("a", (), ("A",)), Known("b", (), ("B",)), Known("b", ("X",), ("B",))]
    query = Query(("A", "B"), ("X",))
    assert not follows(graph, query, known)
    pair = shown(graph, query, known)
    assert [(domain.name, tuple(domain.tables)) for domain in pair.domains] == [("a", ("A",)), ("b", ("B",))]
    assert len(pair.agreements) == 3
    assert_program_shows_it(pair)


def test_a_domain_of_nothing_but_noise() -> None:
    """All that the trial measures is noise in both systems: no entry is left to compare."""
    graph = Graph(("X", "Y"), (("X", "Y"),))
    pair = shown(graph, EFFECT, [Known("trial", ("X",), ("Y",))])
    assert [(item.checked, item.noise) for item in pair.agreements] == [(0, ("X", "Y"))]
    assert_program_shows_it(pair)


def test_nothing_but_another_domain_without_a_name() -> None:
    pair = shown(CHAIN, EFFECT, [Known(None, (), ("W",))])
    assert [domain.name for domain in pair.domains] == ["other"]
    assert "domain other_of_Second of Second {" in pair.program
    assert_program_shows_it(pair)


def test_names_of_domains_that_look_alike_in_print() -> None:
    known = [Known("H.away", (), ("Y",)), Known("H_away", ("X",), ("Y",))]
    pair = shown(BOW, EFFECT, known)
    for name in ("H_away_1_of_First", "H_away_2_of_First", "H_away_1_of_Second", "H_away_2_of_Second"):
        assert f"domain {name} of " in pair.program
    assert_program_shows_it(pair)


def test_labels_that_are_keywords_are_quoted() -> None:
    labels = {"X": ("none", "in"), "Y": ("domain", "yes")}
    query = Kernel((Term("Y", "domain"),), (), (Term("X", "in"),))
    pair = witness_of_domains(None, query, diagram_of(BOW), (Source(None), Source("d", (), ("Y",))), labels=labels)
    assert isinstance(pair, ModelPair)
    assert 'yet P(Y="domain" | do(X="in")) is 1/2' in pair.text()
    assert pair.to_dict()["query"] == 'P(Y="domain" | do(X="in"))'
    assert_program_shows_it(pair)


# ---------------------------------------------------------------------------------------------------------------------
# In a program


def test_a_query_about_another_domain() -> None:
    """Only the model itself was observed, and W differs in the domain asked about."""
    answers = suture.run(
        "model M { X -> W -> Y ; X <-> Y }\n"
        "domain other of M { W ~ any }\n"
        "identify P(Y | do(X), domain = other) in M from P(X, W, Y)\n"
    )
    pair = answers[0].models
    assert isinstance(pair, ModelPair)
    assert [(domain.name, tuple(domain.tables)) for domain in pair.domains] == [("M", ("W",))]
    assert [agreement.kernel for agreement in pair.agreements] == [replace(probability(["X", "W", "Y"]), source="M")]
    assert_program_shows_it(pair)


def test_an_answer_from_domains_shows_its_models() -> None:
    answers = suture.run(
        "model M { X -> Y ; X <-> Y }\n"
        "domain away of M { Y ~ any }\n"
        "identify P(Y | do(X)) in M from P(X, Y), P(Y | do(X)) in away\n"
    )
    printed = str(answers[0])
    assert "two models over the same diagram, each with a variant for away, agree on" in " ".join(printed.split())
    assert "compute P(Y | domain = away_of_Second, do(X)) in Second" in printed


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


def test_a_tampered_domain_is_not_verified() -> None:
    query = probability(["Y"], do=["X"])
    pair = shown(BOW, EFFECT, [Known(None), Known("trial", ("X",), ("Y",))])
    kernels = [agreement.kernel for agreement in pair.agreements]

    def again(rows: tuple[tuple[Fraction, ...], ...], reads: tuple[str, ...] = ()) -> ModelPair | None:
        trial = replace(pair.domains[0], tables={"Y": ProbabilityTable(reads, rows)})
        return verified(pair.first, pair.second, query, kernels, "again", (trial,))

    half, third = (Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 3), Fraction(2, 3))
    assert again((half,)) == replace(pair, construction="again")
    assert again((third,)) is not None, "any mechanism of its own hides what the models disagree about"
    assert again(((Fraction(1), Fraction(0)),)) is None, "zeros"
    same = replace(pair.domains[0], tables={})
    assert verified(pair.first, pair.second, query, kernels, "", (same,)) is None, "the trial would tell"


def test_reasons_of_the_budget() -> None:
    """W is noise in the pair: four combinations of X and Y are left."""
    known = [Known("away", (), ("W",)), Known(None)]
    graph = Graph(("X", "W", "Y"), (("X", "W"), ("W", "Y"), ("X", "Y")), (("X", "Y"),))
    assert ask(graph, EFFECT, known, budget=WitnessBudget(table_rows=4)) == NoWitness(
        "the table of Y would have 8 rows; models are built up to 4"
    )
    assert ask(graph, EFFECT, known, budget=WitnessBudget(entries=3, searched_inputs=3)) == NoWitness(
        "the models have 4 combinations of values, and up to 3 are enumerated;"
        " random models are searched up to 3 arrows, latent ones included, and the diagram has 5"
    )


def test_parities_that_are_not_built_are_said() -> None:
    """L passes on to Y both the sign of X and the coin of U: four states, which with U and X make sixteen entries."""
    diagram = model_diagram({"U": (), "X": ("U",), "L": ("U", "X"), "Y": ("L",)}, ["U", "L"])
    query, sources = probability(["Y"], do=["X"]), (Source(None),)
    assert isinstance(witness_of_domains(None, query, diagram, sources, WitnessBudget(table_rows=16)), ModelPair)
    refused = witness_of_domains(None, query, diagram, sources, WitnessBudget(table_rows=15, searched_inputs=0))
    assert refused == NoWitness(
        "a table of the parities would have 16 rows; models are built up to 15;"
        " random models are searched up to 0 arrows, latent ones included, and the diagram has 4"
    )
