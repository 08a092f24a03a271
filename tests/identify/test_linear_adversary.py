"""Worst domains of affine predictors: witnesses simulated, random adversaries, grids, another optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
from oracles.linear_transfer import LinearTransfer, random_linear
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm

from suture.dsl import tree
from suture.dsl.parser import parse
from suture.dsl.resolve import read_model
from suture.dsl.source import Source
from suture.identify.predictors.affine_predictor import AffinePredictor
from suture.identify.predictors.linear_adversary import LinearWorst, worst_affine
from suture.identify.predictors.linear_search import search_linear
from suture.identify.predictors.linear_selection import LinearSelection
from suture.identify.predictors.linear_setup import linear_selection
from suture.semantics.latent.expression_numbers import numbers

ROWS = 100_000
Ends = Mapping[str, tuple[float, float]]


def bounded(seed: int) -> tuple[LinearTransfer, Ends, LinearSelection, AffinePredictor]:
    """A random model whose mutable variables lie in intervals, and any affine predictor."""
    generator = np.random.default_rng(seed)
    transfer = random_linear(generator)
    ends = {name: (-float(low), float(high)) for name in transfer.mutable for low, high in [_two(generator)]}
    model = read_model(transfer.program({name: f"~ any in [{low}, {high}]" for name, (low, high) in ends.items()}))
    selection = linear_selection(model, transfer.outcome, transfer.features, model.mutable)
    weights = tuple(np.round(generator.normal(size=len(transfer.features)), 2).tolist())
    return transfer, ends, selection, AffinePredictor(transfer.outcome, transfer.features, 0.4, weights)


def _two(generator: np.random.Generator) -> tuple[Any, Any]:
    return tuple(np.round(generator.uniform(0.5, 2, size=2), 1))


def mechanism(text: str, name: str) -> tree.Expression:
    """The expression of a mechanism as the parser reads it."""
    others = "\n".join(f"V{number} : real ~ any" for number in range(9) if f"V{number}" != name)
    program = parse(Source(f"model W {{\n{others}\nL : real ~ any\n{name} : real {text}\n}}"))
    (model,) = program.statements
    assert isinstance(model, tree.Model)
    made = [item.mechanism for item in model.items if isinstance(item, tree.Declaration)]
    (found,) = (each for each in made if isinstance(each, tree.EquationMechanism))
    return found.expression


def losses(transfer: LinearTransfer, worst: LinearWorst, predictor: AffinePredictor, seed: int) -> Any:
    """The squared losses of a predictor in a simulated witness."""
    made = {name: mechanism(text, name) for name, text in worst.domain.mechanisms}
    rows = transfer.simulate(
        {name: lambda own, _, name=name: np.broadcast_to(numbers(made[name], own), ROWS) for name in made}, ROWS, seed
    )
    return (rows[transfer.outcome] - predictor.predict(rows)) ** 2


@pytest.mark.parametrize("seed", range(40))
def test_the_witness_attains_what_is_claimed(seed: int) -> None:
    transfer, _, selection, predictor = bounded(seed)
    worst = worst_affine(selection, predictor)
    found = losses(transfer, worst, predictor, seed)
    assert abs(found.mean() - worst.lower) < 5 * found.std() / ROWS**0.5 + 1e-9
    assert worst.lower <= worst.upper
    assert worst.exact or len(transfer.mutable) > 1


@pytest.mark.parametrize("seed", range(20))
def test_no_random_adversary_does_more(seed: int) -> None:
    transfer, ends, selection, predictor = bounded(seed)
    worst = worst_affine(selection, predictor)
    generator = np.random.default_rng(seed)
    for _ in range(20):
        weights = {name: generator.normal(size=len(transfer.parents[name])) for name in transfer.mutable}
        shift = {name: generator.normal() for name in transfer.mutable}

        def policy(name: str, weights: Any = weights, shift: Any = shift) -> Any:
            def made(own: Mapping[str, Any], _: Any) -> Any:
                total = sum(
                    (w * v for w, v in zip(weights[name], own.values(), strict=True)), np.full(8000, shift[name])
                )
                return np.where(total > 0, *ends[name][::-1])

            return made

        rows = transfer.simulate({name: policy(name) for name in transfer.mutable}, 8000, seed)
        found = (rows[transfer.outcome] - predictor.predict(rows)) ** 2
        assert found.mean() - 5 * found.std() / 8000**0.5 < worst.upper


@pytest.mark.parametrize("high", [0.5, 3.0])
@pytest.mark.parametrize("weight", [-0.7, 0.2, 2.0])
def test_one_bounded_mutable_variable_against_an_integral(weight: float, high: float) -> None:
    """Y ~ N(1, 2), W any in [-1, high] of Y, X = Y + W + N(0, 0.5); predictor 0.3 X + weight W.

    The adversary's expected gain at each y by scipy's integration of the larger of the two squares.
    """
    text = f"model M {{ Y : real ~ Normal(1, 2) ; W : real ~ any in [-1, {high}] ; Y -> W\n"
    text += "X : real := Y + W + 0.5*noise ; mutable W }"
    selection = linear_selection(read_model(text), "Y", ("X", "W"), ("W",))
    worst = worst_affine(selection, AffinePredictor("Y", ("X", "W"), 0.0, (0.3, weight)))

    def gain(y: float) -> Any:
        squares = [(y - 0.3 * (y + w) - weight * w) ** 2 for w in (-1.0, high)]
        return (max(squares) + (0.3 * 0.5) ** 2) * norm.pdf(y, 1, 2)

    b = -0.3 - weight
    kink = -(b * (high - 1) / 2) / 0.7
    expected = sum(quad(gain, *piece, epsabs=1e-12)[0] for piece in ((-25, kink), (kink, 27)))
    assert worst.lower == pytest.approx(expected, rel=1e-9)
    assert worst.exact


def test_without_bounds_only_residuals_without_the_variable_are_safe() -> None:
    text = "model M { Y : real ~ Normal(0, 1) ; W : real ~ any ; Y -> W ; X : real := Y + W + noise ; mutable W }"
    selection = linear_selection(read_model(text), "Y", ("X", "W"), ("W",))
    assert worst_affine(selection, AffinePredictor("Y", ("X", "W"), 0, (0.5, -0.4))).lower == float("inf")
    safe = worst_affine(selection, AffinePredictor("Y", ("X", "W"), 1, (0.25, -0.25)))
    assert (safe.lower, safe.upper) == pytest.approx((1 + 0.75**2 + 0.25**2,) * 2)


# ---------------------------------------------------------------------------------------------------------------------
# Coefficients in intervals


def boxed(seed: int) -> tuple[LinearTransfer, dict[str, list[tuple[float, float]]], LinearSelection]:
    """A random model whose mutable mechanisms are linear with every coefficient in an interval, 64 corners at most."""
    generator = np.random.default_rng(seed)
    transfer = random_linear(generator, 5)
    while not all(map(transfer.parents.get, transfer.mutable)) or _numbers_open(transfer) > 6:
        transfer = random_linear(generator, 5)
    boxes: dict[str, list[tuple[float, float]]] = {}
    written: dict[str, str] = {}
    for name in transfer.mutable:
        sizes = [tuple(sorted(np.round(generator.normal(size=2), 2).tolist())) for _ in transfer.parents[name]]
        boxes[name] = [(0.5, 0.5), *sizes, (0.4, 0.4)]
        terms = [f"[{low}, {high}]*{parent}" for (low, high), parent in zip(sizes, transfer.parents[name], strict=True)]
        written[name] = f":= {' + '.join(['0.5', *terms, '0.4*noise'])}"
    model = read_model(transfer.program(written))
    return transfer, boxes, linear_selection(model, transfer.outcome, transfer.features, model.mutable)


def _numbers_open(transfer: LinearTransfer) -> int:
    return sum(len(transfer.parents[name]) for name in transfer.mutable)


def risk(transfer: LinearTransfer, own: Mapping[str, Any], intercept: float, weights: Any) -> float:
    """The risk of an affine predictor of all features by the moments of the altered model."""
    mean, covariance = transfer.moments({name: (each[0], each[1:-1], each[-1]) for name, each in own.items()})
    names = list(transfer.parents)
    row = np.zeros(len(names))
    row[names.index(transfer.outcome)] = 1
    for name, weight in zip(transfer.features, weights, strict=True):
        row[names.index(name)] -= weight
    return float(row @ covariance @ row + (row @ mean - intercept) ** 2)


@pytest.mark.parametrize("seed", range(12))
def test_no_coefficients_within_the_intervals_do_more_than_the_worst_corner(seed: int) -> None:
    transfer, boxes, selection = boxed(seed)
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=len(transfer.features))
    worst = worst_affine(selection, AffinePredictor(transfer.outcome, transfer.features, 0.3, tuple(weights)))
    tried = []
    for number in range(400):
        ends = {name: [(low, high) for low, high in box] for name, box in boxes.items()}
        corner = number % 2 == 0
        own = {
            name: [float(generator.choice(each) if corner else generator.uniform(*each)) for each in box]
            for name, box in ends.items()
        }
        tried.append(risk(transfer, own, 0.3, weights))
    assert max(tried) <= float(worst.upper) + 1e-9
    assert max(tried) >= 0.8 * float(worst.lower)
    assert worst.exact


@pytest.mark.parametrize("seed", range(12))
def test_the_minimax_over_affine_predictors_against_another_optimiser(seed: int) -> None:
    transfer, boxes, selection = boxed(seed)
    found = search_linear(selection)
    assert found.minimax is not None
    lower, upper = float(found.minimax.lower), float(found.minimax.upper)
    assert upper - lower <= 1e-7 * max(1, upper)
    ends = [list(product(*(sorted(set(each)) for each in box))) for box in boxes.values()]
    corners = [dict(zip(boxes, each, strict=True)) for each in product(*ends)]
    predictor = found.minimax.predictor
    assert isinstance(predictor, AffinePredictor)
    own = dict(zip(predictor.inputs, map(float, predictor.coefficients), strict=True))
    start = np.array([float(predictor.intercept), *(own.get(name, 0.0) for name in transfer.features)])
    assert max(risk(transfer, each, start[0], start[1:]) for each in corners) == pytest.approx(upper)
    done = minimize(
        lambda v: v[-1],
        [*(start + 0.05), upper + 1],
        constraints=[
            {"type": "ineq", "fun": lambda v, each=each: v[-1] - risk(transfer, each, v[0], v[1:-1])}
            for each in corners
        ],
        method="SLSQP",
        options={"maxiter": 300, "ftol": 1e-12},
    )
    assert done.fun == pytest.approx(lower, rel=1e-4)
    assert lower <= float(found.chosen.worst) + 1e-9
