"""What an answer says it needs is enough: wherever that much is above zero, the formula is defined and true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.answers import TOLERANCE
from oracles.formulas import evaluate, largest_error
from oracles.graphs import Graph, Query
from oracles.models import LatentModel, random_model_of
from strategies import diagram_of, kernel_of, problems, seeds

from suture.identify.algorithms import identify
from suture.identify.derivation import Identified

Problem = tuple[Graph, Query]

LANDMARKS: dict[str, Problem] = {
    "back door": (Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y"))), Query(("Y",), ("X",))),
    "front door": (Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "Y"),)), Query(("Y",), ("X",))),
    "napkin": (
        Graph(("W", "Z", "X", "Y"), (("W", "Z"), ("Z", "X"), ("X", "Y")), (("W", "X"), ("W", "Y"))),
        Query(("Y",), ("X",)),
    ),
    "conditional": (
        Graph(("C", "X", "M", "Y"), (("X", "M"), ("M", "Y"), ("C", "X"), ("C", "Y")), (("X", "Y"),)),
        Query(("Y",), ("X",), ("C",)),
    ),
}


def with_zeros(graph: Graph, generator: np.random.Generator) -> LatentModel:
    """A random model some of whose probabilities are zero, and some of whose variables never take some value."""
    model = random_model_of(graph, generator, dict.fromkeys(graph.nodes, 3))
    tables = {}
    for name, table in model.tables.items():
        gone = generator.random(table.shape) < 0.1
        if generator.random() < 0.2:
            gone[..., int(generator.integers(table.shape[-1]))] = True
        gone &= ~gone.all(axis=-1, keepdims=True)
        kept = np.where(gone, 0, table)
        tables[name] = kept / kept.sum(axis=-1, keepdims=True)
    return LatentModel(model.parents, model.latent, model.sizes, tables)


def claims_hold(outcome: Identified, query: Query, model: LatentModel) -> bool | None:
    """Whether the formula is true on the model; None where the model does not meet the requirements."""
    if any((evaluate(needed.formula, model).array <= 0).any() for needed in outcome.requires):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        return largest_error(outcome.formula, model, query) < TOLERANCE


@pytest.mark.parametrize("name", LANDMARKS)
def test_what_a_landmark_needs_is_enough(name: str) -> None:
    graph, query = LANDMARKS[name]
    outcome = identify(kernel_of(query), diagram_of(graph))
    assert isinstance(outcome, Identified)
    generator = np.random.default_rng(41)
    judged = [claims_hold(outcome, query, with_zeros(graph, generator)) for _ in range(200)]
    assert True in judged
    assert None in judged
    assert False not in judged


@given(problems(5), seeds)
@settings(max_examples=150)
def test_what_an_answer_needs_is_enough(problem: Problem, seed: int) -> None:
    graph, query = problem
    outcome = identify(kernel_of(query), diagram_of(graph))
    if isinstance(outcome, Identified):
        generator = np.random.default_rng(seed)
        assert False not in [claims_hold(outcome, query, with_zeros(graph, generator)) for _ in range(5)]
