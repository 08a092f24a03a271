"""Instruments against their definition by enumeration, the ratio they give in linear models, and known examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.covariates import Question, linear_model, subsets, total_effect
from oracles.graphs import Graph
from strategies import diagram_of, seeds
from strategies_effects import causal_graph, graph_from, question_of, random_question

from suture.dsl.diagnostics import SutureError
from suture.identify.covariates.instruments import (
    Instrument,
    instrument_faults,
    instruments,
    no_instrument_reason,
    reason_text,
)
from suture.identify.graph import CausalGraph


def graph_of(edges: str) -> CausalGraph:
    return CausalGraph.of(diagram_of(graph_from(edges)))


def ancestral(question: Question, name: str, given: frozenset[str]) -> bool:
    """Whether everything given is an ancestor of the instrument, or of the outcome by a path around the effect."""
    (treatment,), (outcome,) = question.treatments, question.outcomes
    directed = [(above, node) for node, parents in question.parents.items() for above in parents]
    whole = Graph(tuple(question.parents), tuple(directed))
    below = {node for node in question.parents if treatment in whole.ancestors([node])} - {treatment}
    causal = below & whole.ancestors([outcome])
    kept = tuple((above, node) for above, node in directed if not (above == treatment and node in causal))
    return given <= Graph(whole.nodes, kept).ancestors([name, outcome])


@given(seeds)
@settings(max_examples=400)
def test_instruments_are_those_of_the_definition(seed: int) -> None:
    question = random_question(np.random.default_rng(seed), single=True)
    graph, valid = causal_graph(question), question.instruments()
    (treatment,), (outcome,) = question.treatments, question.outcomes
    found = instruments(graph, treatment, outcome)
    assert all((one.variable, frozenset(one.given)) in valid for one in found)
    # Each variable that is an instrument given ancestors is there, and where any is one at all, some is.
    assert {one.variable for one in found} == {name for name, given in valid if ancestral(question, name, given)}
    assert bool(found) is bool(valid)
    assert (no_instrument_reason(graph, treatment, outcome) is None) is bool(valid)
    plain = {name for name, given in valid if not given}
    assert {one.variable for one in found if not one.given} == plain
    for one in found:
        redundant = {(one.variable, frozenset(one.given) - {name}) for name in one.given}
        assert not redundant & valid


@given(seeds)
@settings(max_examples=150)
def test_a_pair_serves_exactly_where_no_reason_speaks_against_it(seed: int) -> None:
    question = random_question(np.random.default_rng(seed), most=5, single=True)
    graph, valid = causal_graph(question), question.instruments()
    (treatment,), (outcome,) = question.treatments, question.outcomes
    for name in question.free:
        for given_names in subsets([other for other in question.free if other != name]):
            reasons = instrument_faults(graph, treatment, outcome, name, given_names)
            assert (not reasons) is ((name, given_names) in valid)


@given(seeds)
@settings(max_examples=100)
def test_the_ratio_is_the_effect_in_linear_models(seed: int) -> None:
    generator = np.random.default_rng(seed)
    question = random_question(generator, single=True)
    (treatment,), (outcome,) = question.treatments, question.outcomes
    pairs = [(above, node) for node, parents in question.parents.items() for above in parents]
    coefficients = {pair: float(generator.choice([-1, 1]) * generator.uniform(0.5, 2)) for pair in pairs}
    model = linear_model(question.parents, generator, coefficients)
    truth = total_effect(question.parents, coefficients, treatment, outcome)
    for one in instruments(causal_graph(question), treatment, outcome):
        assert model.ratio(one.variable, treatment, outcome, one.given) == pytest.approx(truth, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        # The instrument of Bowden and Turkington (1984).
        ("Z -> X -> Y, X <-> Y", (Instrument("Z"),)),
        # As in Brito and Pearl (2002): an instrument given the common cause of instrument and outcome.
        ("W -> Z -> X -> Y, W -> Y, X <-> Y", (Instrument("Z", ("W",)),)),
        # A proxy: it moves the treatment through a latent cause of both.
        ("Z <-> X, X -> Y, X <-> Y", (Instrument("Z"),)),
        # Not excluded: the instrument reaches the outcome itself.
        ("Z -> X -> Y, X <-> Y, Z -> Y", ()),
        ("Z -> X -> Y, X <-> Y, Z <-> Y", ()),
        # The instrument works along every causal path at once (Henckel et al. 2024).
        ("Z -> X -> M -> Y, X -> Y, X <-> Y, X <-> M", (Instrument("Z"),)),
    ],
)
def test_known_examples(edges: str, expected: tuple[Instrument, ...]) -> None:
    assert instruments(graph_of(edges), "X", "Y") == expected
    valid = question_of(graph_from(edges), ("X",), ("Y",)).instruments()
    assert {(one.variable, frozenset(one.given)) for one in expected} <= valid


def test_reasons_name_what_is_wrong() -> None:
    graph = graph_of("Z -> X -> M -> Y, X <-> Y, Z <-> Y, A -> C, C <-> Y, C <-> B, B -> X")

    def reason(name: str, *given: str) -> list[str]:
        return [reason_text(fault) for fault in instrument_faults(graph, "X", "Y", name, given)]

    assert reason("Z") == ["Z <-> Y is open beside the effect"]
    assert reason("M") == ["M lies on the causal path X -> M -> Y"]
    assert reason("A") == ["A tells nothing of X"]
    assert reason("B") == []
    assert reason("B", "C") == ["B <-> C <-> Y is open beside the effect, opened by conditioning on C"]
    assert reason("X") == ["X is a treatment or an outcome itself"]
    assert reason("B", "B") == ["B tells nothing of X given {B}"]
    assert reason("B", "M") == ["M lies on the causal path X -> M -> Y"]


def test_where_nothing_is_an_instrument_each_variable_has_its_reason() -> None:
    graph = graph_of("Z -> X -> Y, X <-> Y, Z -> Y, A -> Y")
    assert no_instrument_reason(graph, "X", "Y") == "Z -> Y is open beside the effect; A tells nothing of X"
    nothing = no_instrument_reason(graph_of("X -> Y"), "X", "Y")
    assert nothing == "no observed variable is left beside the treatment, the outcome and what they affect"


def test_instruments_may_be_restricted() -> None:
    graph = graph_of("W -> Z -> X -> Y, W -> Y, X <-> Y, A -> X")
    assert instruments(graph, "X", "Y") == (Instrument("Z", ("W",)), Instrument("A"))
    assert instruments(graph, "X", "Y", only=["Z", "A"]) == (Instrument("A"),)
    assert [one.text for one in instruments(graph, "X", "Y")] == ["Z given {W}", "A"]
    assert instruments(graph, "X", "Y")[0].to_dict() == {"variable": "Z", "given": ["W"]}


def test_wrong_names_are_said() -> None:
    with pytest.raises(SutureError, match=r"\[S104\] unknown variable 'Q'"):
        instruments(graph_of("Z -> X -> Y"), "X", "Q")
    with pytest.raises(SutureError, match=r"\[S402\] X is named twice"):
        instruments(graph_of("Z -> X -> Y"), "X", "X")
