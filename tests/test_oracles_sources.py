"""The oracles of several sources against one another: recursion, gradients, plain loops, published verdicts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pytest
from oracles.graphs import Graph, Query
from oracles.models import random_model_of
from oracles.sources import Known, follows, published_known, random_domains, tables_of
from oracles.tangents import query_moves_alone
from oracles.verdict import conditionally_identifiable
from strategies import random_problem
from strategies_sources import KINDS, random_sources_problem

BOW = Graph(("X", "Y"), (("X", "Y"),), (("X", "Y"),))


def moves(graph: Graph, query: Query, known: Collection[Known], generator: np.random.Generator, values: int) -> bool:
    """Whether the query moves alone in a random model whose hidden causes have that many values.

    Where domains differ, few values may tie the query down.
    """
    hidden = set(graph.with_latents()) - set(graph.nodes)
    target = random_model_of(graph, generator, dict.fromkeys(hidden, values))
    return query_moves_alone(random_domains(target, known, generator), query, known, generator)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("conditions", [0, 2])
def test_verdicts_are_those_of_the_gradients(kind: str, conditions: int) -> None:
    """What follows does not move alone; what does not follow does, so that no model can make it follow."""
    generator = np.random.default_rng(51)
    seen: set[bool] = set()
    for _ in range(150):
        graph, query, known = random_sources_problem(generator, kind, 4, conditions=conditions)
        verdict = follows(graph, query, known)
        few = moves(graph, query, known, generator, 3)
        assert not (verdict and few), (graph, query, known)
        assert verdict or few or moves(graph, query, known, generator, 9), (graph, query, known)
        seen.add(verdict)
    assert seen == {True, False}


def test_the_observation_alone_gives_the_verdicts_of_the_older_recursion() -> None:
    generator = np.random.default_rng(52)
    for _ in range(300):
        graph, query = random_problem(generator, conditions=2)
        assert follows(graph, query, [Known(None)]) is conditionally_identifiable(graph, query)


def test_the_published_verdicts(cases: Callable[[str], Any]) -> None:
    found = [case for case in cases("identification.json") if case["kind"] in ("surrogate", "transport")]
    assert len(found) == 10
    for case in found:
        query = Query(tuple(case["query"]["outcome"]), tuple(case["query"]["do"]), tuple(case["query"]["given"]))
        verdict = follows(Graph.of_case(case), query, published_known(case["query"]))
        assert verdict is case["identifiable"], case["name"]


def test_tables_are_those_of_the_loop() -> None:
    generator = np.random.default_rng(53)
    for kind in KINDS:
        graph, _, known = random_sources_problem(generator, kind, 4)
        domains = random_domains(random_model_of(graph, generator), known, generator)
        fast, slow = tables_of(domains, known), tables_of(domains, known, by_loop=True)
        assert fast.arrays.keys() == slow.arrays.keys()
        assert all(np.allclose(fast.arrays[key], slow.arrays[key], atol=1e-14) for key in fast.arrays)


def test_domains_differ_where_they_are_said_to_and_nowhere_else() -> None:
    generator = np.random.default_rng(54)
    target = random_model_of(BOW, generator)
    domains = random_domains(target, [Known("a", (), ("Y",)), Known("b", ("X",), ("Y",))], generator)
    for name in ("a", "b"):
        model = domains.of(name)
        assert model.tables["X"] is target.tables["X"]
        assert not np.allclose(model.tables["Y"], target.tables["Y"])
    assert domains.of(None) is target


def test_tables_refuse_what_is_not_known() -> None:
    generator = np.random.default_rng(55)
    known = [Known(None), Known("a", ("X",))]
    tables = tables_of(random_domains(random_model_of(BOW, generator), known, generator), known)
    with pytest.raises(ValueError, match="no distribution"):
        tables.of(None).surgery(["X"])
    with pytest.raises(ValueError, match="no distribution"):
        tables.of("a").surgery([])


def test_the_bow_by_hand() -> None:
    """Only the experiment on X gives its effect, and only where Y has the same mechanism."""
    query = Query(("Y",), ("X",))
    assert not follows(BOW, query, [Known(None)])
    assert follows(BOW, query, [Known(None, ("X",))])
    assert follows(BOW, query, [Known("a", ("X",), ("X",))])
    assert not follows(BOW, query, [Known("a", ("X",), ("Y",))])
    assert not follows(BOW, query, [Known("a", (), ("X",)), Known(None, ("Y",))])
