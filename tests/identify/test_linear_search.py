"""Searches in linear-Gaussian models: predictors by regression, risks by simulation under nonlinear mechanisms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.linear_transfer import LinearTransfer, random_linear

import suture
from suture.dsl.resolve import read_model
from suture.identify.predictors.affine_predictor import AffinePredictor
from suture.identify.predictors.linear_search import search_linear
from suture.identify.predictors.linear_setup import linear_selection
from suture.identify.predictors.predictor_search import Kind, PredictorSearch

ROWS = 200_000


def searched(transfer: LinearTransfer) -> PredictorSearch:
    model = read_model(transfer.program())
    return search_linear(linear_selection(model, transfer.outcome, transfer.features, model.mutable))


@pytest.mark.parametrize("seed", range(40))
def test_every_class_predicts_as_regression_with_set_variables_does(seed: int) -> None:
    transfer = random_linear(np.random.default_rng(seed))
    found = searched(transfer)
    seen = 0
    for each in found.classes:
        inputs = (*each.members.boundary, *transfer.mutable)
        intercept, weights, variance = transfer.regression(inputs)
        assert isinstance(each.predictor, AffinePredictor)
        own = dict(zip(each.predictor.inputs, each.predictor.coefficients, strict=True))
        assert float(each.predictor.intercept) == pytest.approx(intercept, abs=1e-9)
        assert [float(own.get(name, 0)) for name in inputs] == pytest.approx(weights.tolist(), abs=1e-9)
        assert float(each.worst) == pytest.approx(variance)
        assert each.kind is Kind.EXACT
        seen += each.members.members
    assert seen == len(transfer.subsets())


def wild(name: str) -> Any:
    """A nonlinear, noisy and wide mechanism of whatever it reads."""

    def policy(parents: dict[str, Any], generator: np.random.Generator) -> Any:
        total = sum(parents.values(), np.zeros(ROWS))
        kind = len(name) + len(parents)
        shapes = (np.sign(total) * 50, 3 * total**2, np.exp(np.clip(total, -5, 5)), np.sin(9 * total) * 20)
        return shapes[kind % 4] + generator.standard_cauchy(ROWS).clip(-100, 100)

    return policy


@pytest.mark.parametrize("seed", range(12))
def test_no_mechanism_changes_the_risk_of_an_invariant_predictor(seed: int) -> None:
    """The theorem: nonlinear, heavy-tailed mechanisms leave the risk of every class as it is."""
    transfer = random_linear(np.random.default_rng(seed))
    found = searched(transfer)
    rows = transfer.simulate({name: wild(name) for name in transfer.mutable}, ROWS, seed)
    for each in found.classes:
        losses = (rows[transfer.outcome] - each.predictor.predict(rows)) ** 2
        assert abs(losses.mean() - float(each.worst)) < 5 * losses.std() / ROWS**0.5 + 1e-9


@pytest.mark.parametrize("seed", range(30))
def test_no_affine_predictor_beats_the_whole_stable_set_where_mechanisms_are_constant(seed: int) -> None:
    """With the mutable variables constant, the best regression on all features has the risk that is claimed."""
    transfer = random_linear(np.random.default_rng(seed))
    found = searched(transfer)
    assert found.minimax is not None
    assert found.minimax.exact
    assert found.gap == 0
    names = list(transfer.parents)
    fixed = {name: (1.5, (0.0,) * len(transfer.parents[name]), 0.0) for name in transfer.mutable}
    _, covariance = transfer.moments(fixed)
    here = [names.index(name) for name in transfer.stable]
    y = names.index(transfer.outcome)
    weights = np.linalg.lstsq(covariance[np.ix_(here, here)], covariance[here, y], rcond=None)[0]
    assert covariance[y, y] - covariance[y, here] @ weights == pytest.approx(float(found.minimax.lower))


def test_a_statement_about_real_variables() -> None:
    """Y ~ N(0, 1), X = Y + W + noise: given x and do(w) the mean is (x - w)/2, the variance 1/2."""
    text = """
model M { Y : real ~ Normal(0, 1) ; W : real ~ any ; Y -> W ; X : real := Y + W + noise ; mutable W }
search predictor of Y from {X, W} minimax squared_loss
"""
    answer = suture.run(text)[0]
    assert answer.error is None
    value = answer.to_dict()["value"]
    assert (value["chosen"], value["worst_case"], value["minimax"], value["kind"]) == (["X"], 0.5, 0.5, "exact")
    assert value["among"] == "all predictors"
    assert answer.to_dict()["exact"]["worst_case"] == "1/2"
    assert isinstance(answer.predictor, AffinePredictor)
    assert answer.predictor.equation == "0.5*X - 0.5*W"
    assert answer.predictor.predict({"X": [3, 1], "W": [1, 1]}).tolist() == [1.0, 0.0]
    assert answer.predictor.predict({"X": 3, "W": 1}) == 1.0
    assert answer.check is not None
    assert "the risk in every domain" in str(answer)


def test_models_that_are_not_searched_are_refused_by_name() -> None:
    head = "model M { T : {0, 1} ~ Bernoulli(0.5) ; Y : real := T + noise ; W : real ~ any ; Y -> W ; mutable W }\n"
    (answer,) = suture.run(head + "search predictor of Y from {T, W} minimax squared_loss")
    assert answer.error is not None
    assert answer.error.code == "S479"
    assert answer.error.message == "Y is real and T is not real: such models are not searched yet"


def test_what_the_model_leaves_open_stays_open_in_a_named_domain() -> None:
    """V may be anything in [-1, 1] in domain a as well, which gives W alone: constants prove the minimax with it."""
    text = """
model M {
  Y : real ~ Normal(0, 1) ; W : real := Y + noise ; V : real ~ any in [-1, 1] ; Y -> V
  X : real := Y + W + V + noise ; mutable W, V
}
domain a of M { W := 0*Y + noise }
search predictor of Y from {X, W, V} over {a} minimax squared_loss
"""
    (answer,) = suture.run(text)
    assert answer.error is None, answer.error
    value = answer.to_dict()["value"]
    assert value["worst_case"] == pytest.approx(0.5)
    assert value["minimax"] == pytest.approx(0.5)
    assert "V := 0" in answer.to_dict()["witness"]["program"]
