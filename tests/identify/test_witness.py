"""Witnesses judged by plain enumeration of both models, state by state in exact rationals, and by running the program.

Nothing here uses the library's own check: tables are read off the witness, every state of every variable is visited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from oracles.graphs import Graph, Query
from oracles.verdict import conditionally_identifiable, identifiable, unconditional
from oracles.witnesses import assert_program_shows_it, complaints
from strategies import diagram_of, kernel_of, random_problem

from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Kernel, Term, probability
from suture.identify.algorithms import identify
from suture.identify.derivation import NotIdentified
from suture.identify.graph import CausalGraph
from suture.identify.witnesses.hedge_models import hedge_pair, skeleton, small_hedges
from suture.identify.witnesses.model_pair import ModelPair, NoWitness, ProbabilityTable
from suture.identify.witnesses.witness import WitnessBudget, verified, witness


def ask(graph: Graph, query: Query, **options: Any) -> ModelPair | NoWitness:
    outcome = identify(kernel_of(query), diagram_of(graph))
    found = outcome.witness if isinstance(outcome, NotIdentified) else None
    return witness(found, kernel_of(query), diagram_of(graph), **options)


# ---------------------------------------------------------------------------------------------------------------------
# Published and random queries


def test_every_published_negative(cases: Callable[[str], Any]) -> None:
    names = []
    for case in cases("identification.json"):
        if case["kind"] not in ("id", "idc", "surrogate") or case["identifiable"]:
            continue
        graph = Graph.of_case(case)
        query = Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given")))
        experiments = case["query"].get("experiments", [[]])
        further = tuple(
            probability([node for node in graph.nodes if node not in cut], do=cut) for cut in experiments if cut
        )
        pair = ask(graph, query, sources=further, observed=[] in experiments)
        assert isinstance(pair, ModelPair), case["name"]
        assert complaints(pair, diagram_of(graph), kernel_of(query), experiments) == [], case["name"]
        assert_program_shows_it(pair)
        names.append(case["name"])
    assert len(names) == 13
    assert {"bow", "sp08_1g", "napkin_variant_nonid", "idc_bow_z", "gid_two_exp", "zid_2"} <= set(names)


@pytest.mark.parametrize("conditions", [0, 2])
def test_random_negatives(conditions: int) -> None:
    generator = np.random.default_rng(31 + conditions)
    asked, missing = 0, []
    while asked < 60:
        graph, query = random_problem(generator, 5, conditions=conditions)
        if len(graph.bidirected) > 5 or conditionally_identifiable(graph, query):
            continue
        asked += 1
        pair = ask(graph, query)
        if isinstance(pair, NoWitness):
            missing.append((graph, query))
            continue
        assert complaints(pair, diagram_of(graph), kernel_of(query)) == [], (graph, query)
    assert len(missing) <= 0.05 * asked, missing


def out_of_reach(graph: Graph, query: Query, experiments: Sequence[frozenset[str]]) -> bool:
    """Whether some district of the answer is not identified from any experiment that leaves it alone (gID, 2019)."""
    joint = unconditional(graph, query)
    rest = set(graph.nodes) - set(joint.treatments)
    upstream = graph.on(rest).ancestors(joint.outcomes)

    def reached(part: frozenset[str]) -> bool:
        kept = [frozenset(graph.nodes) - cut for cut in experiments if not cut & part]
        return any(identifiable(graph.on(nodes), part, nodes - part) for nodes in kept)

    return not all(reached(part) for part in graph.on(upstream).districts())


def test_random_negatives_with_experiments() -> None:
    generator = np.random.default_rng(41)
    asked, missing = 0, []
    while asked < 60:
        graph, query = random_problem(generator, 5, smallest=3, conditions=asked % 2)
        experiments = [
            frozenset(map(str, generator.choice(graph.nodes, size=generator.integers(1, 3), replace=False)))
            for _ in range(2)
        ]
        known = [frozenset[str](), *experiments] if generator.random() < 0.7 else experiments
        if len(graph.bidirected) > 5 or not out_of_reach(graph, query, known):
            continue
        asked += 1
        further = tuple(
            probability([node for node in graph.nodes if node not in cut], do=sorted(cut)) for cut in experiments
        )
        pair = ask(graph, query, sources=further, observed=len(known) == 3)
        if isinstance(pair, NoWitness):
            missing.append((graph, query, known))
            continue
        found = complaints(pair, diagram_of(graph), kernel_of(query), [sorted(cut) for cut in known])
        assert found == [], (graph, query, known)
    assert len(missing) <= 0.05 * asked, missing


@pytest.mark.parametrize("conditions", [0, 2])
def test_an_identifiable_query_has_no_witness(conditions: int) -> None:
    generator = np.random.default_rng(51 + conditions)
    asked = 0
    while asked < 25:
        graph, query = random_problem(generator, 5, conditions=conditions)
        if conditionally_identifiable(graph, query):
            asked += 1
            pair = ask(graph, query, budget=WitnessBudget(attempts=4))
            assert isinstance(pair, NoWitness), (graph, query)
            assert pair.reason == "no pair of models was found in 4 random models"


def test_partial_and_conditional_sources() -> None:
    """On the bow, P(Y | X) and P(X) together are P(X, Y); either may be known without the query being so."""
    graph = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
    sources = (probability(["Y"], ["X"]), probability(["X"]))
    pair = ask(graph, Query(("Y",), ("X",)), sources=sources, observed=False)
    assert isinstance(pair, ModelPair)
    assert [agreement.kernel for agreement in pair.agreements] == list(sources)
    assert complaints(pair, diagram_of(graph), probability(["Y"], do=["X"])) == []
    assert_program_shows_it(pair)


# ---------------------------------------------------------------------------------------------------------------------
# Graphs of one's own


def test_a_root_whose_only_way_to_the_outcome_runs_back_through_the_hedge() -> None:
    graph = Graph(("X", "R", "A", "H", "Y"), (("X", "R"), ("R", "A"), ("A", "H"), ("H", "Y")), (("X", "H"), ("R", "H")))
    query = Query(("Y",), ("X",))
    pair = ask(graph, query)
    assert isinstance(pair, ModelPair)
    assert pair.construction == "parities along the hedge"
    assert complaints(pair, diagram_of(graph), kernel_of(query)) == []


@pytest.mark.parametrize(
    ("parents", "latent", "query"),
    [
        pytest.param(
            {"U": (), "X": ("U",), "M": ("U", "X"), "Y": ("U", "M")}, ["U"], Query(("Y",), ("X",)), id="three children"
        ),
        pytest.param(
            {"U": (), "A": ("U",), "B": ("U",), "X": ("A",), "Y": ("X", "B")},
            ["U", "A", "B"],
            Query(("Y",), ("X",)),
            id="latent causes of latent causes",
        ),
        pytest.param(
            {"U": (), "X": ("U",), "L": ("X",), "Y": ("L", "U")},
            ["L", "U"],
            Query(("Y",), ("X",)),
            id="latent mediator",
        ),
        pytest.param(
            {"X": ("L",), "W": (), "L": ("W",), "K": ("X",), "Z": ("K", "L"), "Y": ("Z",)},
            ["L", "K"],
            Query(("Y",), ("X",), ("W",)),
            id="latent with an observed cause",
        ),
        pytest.param(
            {"U": (), "X": ("U",), "Z": ("U", "X"), "W": ("U", "Z"), "Y": ("W", "U")},
            ["U"],
            Query(("Y", "W"), ("X", "Z")),
            id="one cause of all",
        ),
    ],
)
def test_rich_latent_structure(parents: dict[str, tuple[str, ...]], latent: list[str], query: Query) -> None:
    diagram = model_diagram(parents, latent)
    outcome = identify(kernel_of(query), diagram)
    assert isinstance(outcome, NotIdentified)
    pair = witness(outcome.witness, kernel_of(query), diagram)
    assert isinstance(pair, ModelPair), pair
    assert complaints(pair, diagram, kernel_of(query)) == []
    assert_program_shows_it(pair)


def test_declared_labels_and_fixed_values() -> None:
    graph = Graph(("X", "Z", "Y"), (("X", "Z"), ("Z", "Y")), (("X", "Z"), ("Z", "Y")))
    labels = {"X": ("none", "18-25", "high"), "Z": ("a", "b", "c", "d"), "Y": ("no", "yes", "in")}
    kernel = Kernel((Term("Y", "in"),), (Term("Z", "c"),), (Term("X", "18-25"),))
    outcome = identify(kernel, diagram_of(graph))
    assert isinstance(outcome, NotIdentified)
    pair = witness(outcome.witness, kernel, diagram_of(graph), labels=labels)
    assert isinstance(pair, ModelPair)
    assert pair.query == kernel
    assert {name: pair.first.labels[name] for name in labels} == labels
    assert complaints(pair, diagram_of(graph), kernel) == []
    assert_program_shows_it(pair)


def test_labels_that_only_the_query_mentions() -> None:
    graph = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))
    kernel = Kernel((Term("Y", "dead"),), (), (Term("X", "1"),))
    pair = witness(None, kernel, diagram_of(graph))
    assert isinstance(pair, ModelPair)
    assert pair.first.labels["Y"] == ("dead", "other")
    assert pair.first.labels["X"] == ("0", "1")
    assert pair.query == kernel


def test_names_of_printed_latent_variables_do_not_clash() -> None:
    diagram = model_diagram(
        {"X<->Y": (), "U_X_Y": (), "X": ("X<->Y", "U_X_Y"), "Y": ("X", "X<->Y")}, ["X<->Y"], ["U_X_Y", "X", "Y"]
    )
    pair = witness(None, probability(["Y"], do=["X"]), diagram)
    assert isinstance(pair, ModelPair)
    assert "latent U_X_Y_2 " in pair.program
    assert_program_shows_it(pair)


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


def bow() -> ModelPair:
    pair = ask(Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),)), Query(("Y",), ("X",)))
    assert isinstance(pair, ModelPair)
    return pair


def test_the_numbers_of_the_bow_by_hand() -> None:
    """Weights 7/8: in the first model do(x) leaves a fair Y; in the second Y leans by 49/64 whatever X is."""
    pair = bow()
    assert pair.first_value == Fraction(1, 2)
    assert pair.second_value == (1 + Fraction(49, 64)) / 2
    assert pair.difference == Fraction(49, 128)
    data = pair.to_dict()
    assert (data["first"]["value"], data["second"]["value"]) == ("1/2", "113/128")
    assert data["agree"] == [{"on": "P(X, Y)", "entries": 4, "noise": []}]
    assert "yet P(Y=0 | do(X=0)) is 1/2 (0.5) in First and 113/128 (0.8828) in Second" in pair.text()


@pytest.mark.parametrize("row", range(4))
def test_a_tampered_pair_is_not_verified(row: int) -> None:
    pair, query = bow(), probability(["Y"], do=["X"])
    kernels = (probability(["X", "Y"]),)
    assert verified(pair.first, pair.second, query, kernels, "again") == replace(pair, construction="again")
    table = pair.first.tables["Y"]
    rows = tuple((Fraction(1, 3), Fraction(2, 3)) if place == row else old for place, old in enumerate(table.rows))
    changed = replace(pair.first, tables={**pair.first.tables, "Y": ProbabilityTable(table.reads, rows)})
    assert verified(changed, pair.second, query, kernels, "") is None


def test_a_pair_with_zeros_or_without_a_difference_is_not_verified() -> None:
    pair, query = bow(), probability(["Y"], do=["X"])
    kernels = (probability(["X", "Y"]),)
    assert verified(pair.first, pair.first, query, kernels, "") is None
    sure = ProbabilityTable((), ((Fraction(1), Fraction(0)),))
    zero = [replace(model, tables={**model.tables, "X": sure}) for model in (pair.first, pair.second)]
    assert verified(zero[0], zero[1], query, (), "") is None


def test_large_diagrams() -> None:
    """A hedge inside sixty variables is small; one along a chain of forty is beyond enumeration, and said to be."""
    names = [f"V{number}" for number in range(60)]
    arrows = tuple(pairwise(names))
    query = Query((names[41],), (names[40],))
    pair = ask(Graph(tuple(names), arrows, ((names[40], names[41]),)), query)
    assert isinstance(pair, ModelPair)
    assert (pair.first_value, pair.second_value) == (Fraction(1, 2), (1 + Fraction(49, 64)) / 2)
    assert len(pair.agreements[0].noise) == 58
    chain = tuple(zip(names[:40], names[2:42], strict=False))
    long = ask(Graph(tuple(names[:42]), arrows[:41], (*chain, (names[0], names[1]))), Query((names[41],), (names[0],)))
    assert isinstance(long, NoWitness)
    assert long.reason == (
        "the models have 4,398,046,511,104 combinations of values, and up to 65,536 are enumerated;"
        " random models are searched up to 80 arrows, latent ones included, and the diagram has 123"
    )


def test_a_table_beyond_the_budget() -> None:
    causes = [f"C{number}" for number in range(18)]
    graph = Graph(("X", "Y", *causes), (("X", "Y"), *((cause, "Y") for cause in causes)), (("X", "Y"),))
    found = ask(graph, Query(("Y",), ("X",)))
    assert found == NoWitness("the table of Y would have 1,048,576 rows; models are built up to 65,536")


def test_tables_list_only_what_is_read() -> None:
    """Y has thirteen parents, two of which matter: four rows, the others left to `_`."""
    causes = [f"X{place}" for place in range(12)]
    crowd = {"U": (), **dict.fromkeys(causes, ("U",)), "Y": ("U", *causes)}
    pair = witness(None, probability(["Y"], do=["X3"]), model_diagram(crowd, ["U"]))
    assert isinstance(pair, ModelPair)
    assert pair.first.tables["Y"].reads == ("U", "X3")
    assert len(pair.first.tables["Y"].rows) == 4
    assert_program_shows_it(pair)


def test_models_whose_tables_are_longer_than_allowed_are_not_built() -> None:
    """Y reads both its parents and one latent cause here: eight rows."""
    graph = Graph(("X", "Z", "Y"), (("X", "Y"), ("Z", "Y")), (("X", "Z"), ("Z", "Y")))
    diagram, cut = diagram_of(graph), CausalGraph.of(diagram_of(graph))
    ((larger, smaller),) = small_hedges(cut, cut.mask("Y"), cut.mask("X"))
    shape = skeleton(cut, larger, smaller, cut.mask("X"), cut.mask("Y"))
    assert shape is not None
    labels = dict.fromkeys(graph.nodes, ("0", "1"))
    assert not isinstance(hedge_pair(cut, diagram, shape, labels, rows=8), NoWitness)
    refused = hedge_pair(cut, diagram, shape, labels, rows=7)
    assert refused == NoWitness("a table of the parities would have 8 rows; models are built up to 7")


def test_what_is_refused() -> None:
    diagram = diagram_of(Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),)))
    one = witness(None, probability(["Y"], do=["X"]), diagram, labels={"X": ("only",)})
    assert one == NoWitness("X has a single value, so that two models cannot differ by it")
    world = Kernel((Term("Y", None, (Term("X", "1"),)),))
    refused = witness(None, world, diagram)
    assert isinstance(refused, NoWitness)
    assert refused.reason.startswith("witnesses are built for queries P(Y | do(X), Z) of one world")
    assert refused.to_dict() == {"reason": refused.reason}
