"""Searches by simulation: against exact answers in a linear model, a brute-force adversary, and their own witnesses."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import suture
from suture.answers.answer import Answer
from suture.dsl import tree
from suture.dsl.drawing import svg
from suture.dsl.parser import parse
from suture.dsl.resolve import read_model
from suture.dsl.source import Source
from suture.identify.predictors.linear_search import search_linear
from suture.identify.predictors.linear_setup import linear_selection
from suture.identify.predictors.predictor_search import Kind
from suture.identify.predictors.search_pictures import bar_scene
from suture.identify.predictors.simulated_search import search_simulated
from suture.identify.predictors.simulated_setup import simulated_selection
from suture.semantics.latent.expression_numbers import numbers

CURVED = """
model P {
  Y : real ~ Normal(0, 1)
  W : real ~ any in [-2, 2]
  X : real := tanh(Y + W) + 0.3*noise
  Y -> W
  mutable W
}
domain steady of P { W := 0.5*Y }
search predictor of Y from {X, W} in P minimax squared_loss
"""


@cache
def curved() -> Answer:
    answer = suture.run(CURVED)[0]
    assert answer.error is None, answer.error
    return answer


def mean_given(x: Any, w: Any) -> Any:
    """E[Y | x, do(w)] by quadrature over y."""
    y = np.linspace(-6, 6, 1201)
    weights = norm.pdf(y) * norm.pdf((x[:, None] - np.tanh(y + w[:, None])) / 0.3)
    return weights @ y / weights.sum(axis=1)


def test_the_predictor_is_the_conditional_mean() -> None:
    """Within what two fits say of their error, on rows in which W is set; by quadrature."""
    generator = np.random.default_rng(1)
    y, w = generator.normal(size=3000), generator.uniform(-2, 2, size=3000)
    x = np.tanh(y + w) + 0.3 * generator.normal(size=3000)
    answer = curved()
    assert answer.search is not None
    full = next(each for each in answer.search.classes if each.members.boundary == ("X",))
    error = full.predictor.predict({"X": x, "W": w}) - mean_given(x, w)
    assert np.sqrt((error**2).mean()) < 0.08


def test_the_worst_case_is_near_that_of_brute_force_and_not_above_it() -> None:
    """For each y the best of many w, each risk a mean over noise: no mechanism of Y does more."""
    answer = curved()
    assert answer.search is not None
    y, grid = norm.ppf((np.arange(1200) + 0.5) / 1200), np.linspace(-2, 2, 41)
    noise = norm.ppf((np.arange(30) + 0.5) / 30)
    for each in answer.search.classes:
        at = [values.reshape(-1) for values in np.meshgrid(y, grid, noise, indexing="ij")]
        x = np.tanh(at[0] + at[1]) + 0.3 * at[2]
        losses = (at[0] - each.predictor.predict({"X": x, "W": at[1]})) ** 2
        most = losses.reshape(1200, 41, 30).mean(axis=2).max(axis=1).mean()
        assert each.kind is Kind.LOWER
        assert each.upper is None
        assert each.worst < most + 4 * each.error + 0.01
        assert each.worst > 0.97 * most - 4 * each.error


def test_the_witness_runs_and_has_the_risk_that_is_claimed() -> None:
    answer = curved()
    witness = answer.to_dict()["witness"]
    program = parse(Source(f"model P {{ Y, W, X : real }}\n{witness['program']}"))
    domain = program.statements[1]
    assert isinstance(domain, tree.Domain)
    mechanism = domain.replacements[0].mechanism
    assert isinstance(mechanism, tree.EquationMechanism)
    generator = np.random.default_rng(5)
    y = generator.normal(size=100_000)
    w = np.broadcast_to(numbers(mechanism.expression, {"Y": y}), y.shape)
    assert -2.001 <= w.min() <= w.max() <= 2.001
    x = np.tanh(y + w) + 0.3 * generator.normal(size=len(y))
    losses = (y - answer.predictor.predict({"X": x, "W": w})) ** 2
    assert losses.mean() == pytest.approx(witness["risk"], abs=0.02)


def test_lower_bounds_are_called_so_everywhere() -> None:
    answer = curved()
    assert "at least" in str(answer)
    assert "a lower bound, found by ascent" in str(answer)
    value = answer.to_dict()["value"]
    assert (value["kind"], value["upper"], value["minimax"]) == ("lower bound", None, None)
    assert {each["kind"] for each in value["classes"]} == {"lower bound"}
    assert answer.search is not None
    assert "lower bounds by ascent" in svg(bar_scene(answer.search))
    assert dict(answer.search.chosen.given).keys() == {"steady"}


def test_on_a_linear_model_simulation_agrees_with_linear_algebra() -> None:
    text = """
model L {
  Z : real ~ Normal(0, 1) ; Y : real := Z + noise ; W : real ~ any in [-1, 1] ; Y -> W
  X : real := Y - W + 0.5*noise ; mutable W
}"""
    model = read_model(text)
    exact = search_linear(linear_selection(model, "Y", ("Z", "X", "W"), ("W",)))
    found = search_simulated(simulated_selection(model, "Y", ("Z", "X", "W"), ("W",)))
    truth = {each.members.boundary: each for each in exact.classes}
    rows = np.random.default_rng(2).normal(size=(500, 3))
    data = {"Z": rows[:, 0], "X": rows[:, 0] + 1.2 * rows[:, 1], "W": np.tanh(rows[:, 2])}
    for each in found.classes:
        own = truth[each.members.boundary]
        assert each.worst == pytest.approx(float(own.worst), abs=5 * each.error + 0.05)
        difference = each.predictor.predict(data) - own.predictor.predict(data)
        assert np.sqrt((difference**2).mean()) < 0.15
    assert found.chosen.members.boundary == exact.chosen.members.boundary


def test_a_curved_model_without_bounds_is_refused() -> None:
    (answer,) = suture.run(CURVED.replace(" in [-2, 2]", ""))
    assert answer.error is not None
    assert answer.error.code == "S498"
    assert answer.error.message == (
        "the model is not linear, and W may take any value: its worst domain has no bound to look within"
    )


def test_mechanisms_that_give_no_number_are_named() -> None:
    (answer,) = suture.run(CURVED.replace("tanh(Y + W)", "log(Y)"))
    assert answer.error is not None
    assert answer.error.code == "S499"
    assert answer.error.message.startswith("X is not a finite number in ")
