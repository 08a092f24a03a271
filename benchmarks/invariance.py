"""Which invariance to transfer, on the synthetic system of Liu et al. (ICML 2023): every method in one table.

Twenty environments e, in which two mechanisms have a factor alpha = e - 10.5; the system's formulas are those of the
paper's public code.  In each split ten environments at random are trained on.  A method sees their rows, scaled by
their own means and deviations, and nothing else; its mean squared error is then told, in units of the training
outcome's variance,

- in the environments trained on, the worst of them;
- in the ten others, the mean and the worst of them;
- beyond the range of training: alpha = -20, -15, 15, 20, the worst of them;
- against an adversary that makes X9 and X10 any functions of their causes with values in one and a half times the range
  of training: at least (policies found, scored on fresh noises) and at most (each sees every noise; on a grid).

A constant has 1.  Fits are ridge on random Fourier features throughout, so that methods differ in what they read and
weigh, not in what they can express.  `best subset` is chosen from the training rows alone: the class with the least
lower bound of the worst case in the model estimated from them.  `stable set, known` is the predictor of the whole
stable set by the system's own formulas, nothing estimated: what there is to be had from what carries over.

    python benchmarks/invariance.py [--splits 10] [--rows 500] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suture.dsl.program import Model
from suture.dsl.resolve import read_model
from suture.identify.environments.curved_mechanisms import regressed_selection
from suture.identify.environments.estimated_model import Blankets
from suture.identify.environments.grid_adversary import Stage, simulated_worst
from suture.identify.predictors.selection_diagram import InvariantClass
from suture.identify.predictors.simulated_search import fitted as invariant_fits
from suture.identify.predictors.simulated_selection import SimulatedSelection
from suture.identify.predictors.simulated_setup import simulated_selection
from suture.semantics.environments.environment_rows import EnvironmentRows
from suture.semantics.environments.fourier_regression import FourierFit, Scale, fourier_regression
from suture.semantics.environments.invariance_tests import same_regression
from suture.semantics.environments.invariant_subsets import invariant_subsets
from suture.semantics.environments.linear_methods import Moments, anchor_regression, group_robust

Floats = NDArray[np.float64]
Rows = Mapping[str, Floats]
Predict = Callable[[Rows], Floats]
FEATURES = tuple(f"X{number}" for number in range(1, 11))
MUTABLE = ("X9", "X10")
DEVIATION = 0.1
WIDER = 1.5
BEYOND = (-20.0, -15.0, 15.0, 20.0)
CHOOSING = 200
JUDGING = 800
RIDGE = 1e-4


SYSTEM = """model System {{
  Y, X6, X8 : real ~ Normal(0, 0.1)
  X9 : real ~ any in [{X9[0]}, {X9[1]}]
  X5 : real := sigmoid(0.84*X6) + 0.1*noise
  X7 : real := -1.52*X8 + 0.1*noise
  X1 : real := sigmoid(0.63*Y - 0.58*X9 + 1.51*X6 + 1.13*X5) + 0.1*noise
  X3 : real := tanh(-0.95*X1) + 0.1*noise
  X2 : real := tanh(1.47*X3 - 0.64*X8) + 0.1*noise
  X10 : real ~ any in [{X10[0]}, {X10[1]}]
  X4 : real := sigmoid(1.42*X2 + 0.99*X7 + 0.72*X8) + 0.1*noise
  Y -> X9
  {{X5, X3, X8}} -> X10
  mutable X9, X10
}}"""
MUTABLE_FORMULAS: dict[str, Callable[[Rows], Floats]] = {
    "X9": lambda v: np.tanh(1.91 * v["Y"]),
    "X10": lambda v: np.tanh(-1.2 * v["X5"] + 1.33 * v["X3"] + 0.64 * v["X8"]),
}
Ranges = Mapping[str, tuple[float, float]]


def sigmoid(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))


def program(ranges: Ranges) -> Model:
    """The system with its mutable mechanisms left open within ranges."""
    return read_model(SYSTEM.format(**ranges))


def true_model(ranges: Ranges) -> SimulatedSelection:
    return simulated_selection(program(ranges), "Y", FEATURES, MUTABLE)


WIDE = true_model({"X9": (-1.0, 1.0), "X10": (-1.0, 1.0)})
COLUMNS_READ = WIDE.order


def environment(alpha: float, count: int, stream: int) -> dict[str, Floats]:
    """Rows of one environment."""
    draws = WIDE.draws(count, stream)
    return WIDE.made(draws, lambda name, rows: alpha * MUTABLE_FORMULAS[name](rows) + DEVIATION * draws[name])


# ---------------------------------------------------------------------------------------------------------------------
# Methods


@dataclass(frozen=True)
class Method:
    """A predictor of the scaled outcome from unscaled rows."""

    name: str
    predict: Predict


def fitted(name: str, inputs: Sequence[str], rows: Rows, outcome: Floats) -> Method:
    """Least squares on Fourier features of some inputs."""
    return of_fit(name, inputs, fourier_regression(columns(rows, inputs), outcome))


def of_fit(name: str, inputs: Sequence[str], fit: FourierFit) -> Method:
    return Method(name, lambda rows: fit.predict(columns(rows, inputs)))


def columns(rows: Rows, names: Sequence[str]) -> Floats:
    """Some variables as an array `rows variables`."""
    return np.stack([rows[name] for name in names], axis=1) if names else np.empty((len(rows["Y"]), 0))


def featured(name: str, train: Sequence[Rows], outcomes: Sequence[Floats], fit: Callable[[Moments], Any]) -> Method:
    """A linear method on the Fourier features of all inputs."""
    scale = Scale.of(np.concatenate([columns(own, FEATURES) for own in train]))
    generator = np.random.default_rng(0)
    draws = generator.normal(size=(len(FEATURES), 160)) / np.sqrt(len(FEATURES))
    phases = generator.uniform(0, 2 * np.pi, 160)

    def design(rows: Rows) -> Floats:
        units = scale.apply(columns(rows, FEATURES))
        return np.concatenate([units, np.cos((units @ draws + phases).astype(np.float32))], axis=1)

    found = fit(Moments.of([design(own) for own in train], outcomes))
    return Method(name, lambda rows: found.predict(design(rows)))


def invariant_prediction(train: Sequence[Rows], outcomes: Sequence[Floats], rows: Rows, outcome: Floats) -> Method:
    """The common part of the subsets whose linear regressions are the same in all environments."""

    def p_value(chosen: tuple[str, ...]) -> float:
        return same_regression([columns(own, chosen) for own in train], outcomes)[1]

    found = invariant_subsets(FEATURES, p_value)
    return fitted("invariant prediction", found.common, rows, outcome)


def classes() -> tuple[InvariantClass, ...]:
    """The classes of the 256 subsets, that of the whole stable set first."""
    diagram = WIDE.diagram
    found = tuple(diagram.classes())
    assert sum(each.members for each in found) == 256
    assert len(found) == 45
    assert not diagram.condition.holds
    assert diagram.condition.edge == "Y -> X1"
    return found


def invariant_methods(train: Sequence[Rows], outcomes: Sequence[Floats], seed: int) -> list[Method]:
    """The whole stable set, graph surgery's choice, and ours, all from the training rows."""
    scaled = [{**own, "Y": outcome} for own, outcome in zip(train, outcomes, strict=True)]
    rows = EnvironmentRows(
        tuple(map(str, range(len(train)))), COLUMNS_READ, tuple(columns(own, COLUMNS_READ) for own in scaled)
    )
    model = program(wider(train))
    blankets = Blankets.of(model.diagram, "Y", FEATURES)
    selection = regressed_selection(model, blankets, rows, "Y", FEATURES, MUTABLE, seed)
    members = classes()
    inputs = [(*each.boundary, *each.inputs) for each in members]
    methods = [of_fit("", *pair) for pair in zip(inputs, invariant_fits(selection, inputs, 1), strict=True)]
    stage = Stage.of(selection, CHOOSING, seed)
    worst = [simulated_worst(stage.losses("Y", each.predict), stage).lower for each in methods]
    together = {name: np.concatenate([own[name] for own in scaled]) for name in COLUMNS_READ}
    pooled = [float(((together["Y"] - each.predict(together)) ** 2).mean()) for each in methods]
    best = int(np.argmin(worst))
    print(f"    chosen {{{', '.join(members[best].boundary)}}}", file=sys.stderr)
    chosen = {"stable set": 0, "graph surgery": int(np.argmin(pooled)), "best subset, minimax": best}
    return [Method(name, methods[place].predict) for name, place in chosen.items()]


def wider(train: Sequence[Rows]) -> dict[str, tuple[float, float]]:
    """One and a half times the range of training of each mutable variable."""
    found: dict[str, tuple[float, float]] = {}
    for name in MUTABLE:
        values = np.concatenate([own[name] for own in train])
        middle, half = (values.max() + values.min()) / 2, (values.max() - values.min()) / 2
        found[name] = float(middle - WIDER * half), float(middle + WIDER * half)
    return found


def stable_mean(rows: Rows) -> Floats:
    """E[Y | all stable features, do(X9, X10)] by the formulas themselves, one integral over Y a row.

    With the mutable variables set, Y bears on X1 alone, so only X1 and what else X1 comes from tell of it.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    other = -0.58 * rows["X9"] + 1.51 * rows["X6"] + 1.13 * rows["X5"]
    gaps = (rows["X1"][:, None] - sigmoid(0.63 * DEVIATION * nodes + other[:, None])) / DEVIATION
    logs = np.log(weights) - gaps**2 / 2
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return DEVIATION * (shares @ nodes) / shares.sum(axis=1)


# ---------------------------------------------------------------------------------------------------------------------
# Splits


COLUMNS = ("training, worst", "others, mean", "others, worst", "beyond", "adversary, at least", "at most")


def split(number: int, rows: int, seed: int) -> dict[str, list[float]]:
    """Every method's numbers in one split."""
    generator = np.random.default_rng([seed, number])
    first = 1000 * seed + 100 * number
    data = [environment(place - 9.5, rows, first + place) for place in range(20)]
    order = generator.permutation(20)
    train, others = [data[place] for place in order[:10]], [data[place] for place in order[10:]]
    beyond = [environment(alpha, rows, first + 20 + place) for place, alpha in enumerate(BEYOND)]
    scale = Scale.of(np.concatenate([own["Y"] for own in train])[:, None])

    def outcome(own: Rows) -> Floats:
        return scale.apply(own["Y"][:, None])[:, 0]

    outcomes = [outcome(own) for own in train]
    together = {name: np.concatenate([own[name] for own in train]) for name in COLUMNS_READ}
    whole = np.concatenate(outcomes)
    methods = [
        Method("constant", lambda own: np.zeros(len(own["Y"]))),
        fitted("all features", FEATURES, together, whole),
        invariant_prediction(train, outcomes, together, whole),
        featured("anchor regression", train, outcomes, lambda moments: anchor_regression(moments, 10.0, RIDGE)),
        featured("group robust", train, outcomes, lambda moments: group_robust(moments, RIDGE)),
        *invariant_methods(train, outcomes, number),
        Method("stable set, known", _scaled(stable_mean, scale)),
    ]
    ranges = wider(train)
    stage = Stage.of(true_model(ranges), JUDGING, seed=1)
    fresh = Stage.of(true_model(ranges), JUDGING, seed=2, cuts=stage.cuts)
    found: dict[str, list[float]] = {}
    for method in methods:
        errors = [
            [float(((outcome(own) - method.predict(own)) ** 2).mean()) for own in group]
            for group in (train, others, beyond)
        ]
        losses = [
            ((outcome(each.rows) - method.predict(each.rows)) ** 2).reshape(each.shape) for each in (stage, fresh)
        ]
        worst = simulated_worst(losses[0], stage, (losses[1], fresh))
        found[method.name] = [
            max(errors[0]),
            float(np.mean(errors[1])),
            max(errors[1]),
            max(errors[2]),
            worst.lower,
            worst.upper,
        ]
    return found


def _scaled(predict: Predict, scale: Scale) -> Predict:
    """A prediction of the outcome as it is, in units of the training rows."""
    return lambda rows: scale.apply(predict(rows)[:, None])[:, 0]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Every method on the paper's synthetic system.")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--rows", type=int, default=500, help="rows an environment")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    start = time.process_time()
    splits = [split(number, options.rows, options.seed) for number in range(options.splits)]
    print(f"{options.splits} splits of 20 environments, {options.rows} rows each; 256 subsets in 45 classes")
    print("mean squared error, 1 for the variance of training: mean (deviation) worst of the splits\n")
    print(f"{'method':<22}" + "".join(f"{name:>26}" for name in COLUMNS))
    for name in splits[0]:
        table = np.array([each[name] for each in splits])
        cells = [f"{own.mean():.4g} ({own.std():.3g}) {own.max():.4g}" for own in table.T]
        print(f"{name:<22}" + "".join(f"{cell:>26}" for cell in cells))
    print(f"\n{time.process_time() - start:.0f} CPU seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
