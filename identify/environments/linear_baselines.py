"""What others would predict a real outcome with, from the same environments: linear methods, and their worst cases.

The methods are those of `table_baselines`, linear in all features (`linear_methods`, `invariant_subsets` with a test of
equal regressions).  A predictor whose error keeps a multiple of a mutable variable without bounds has no worst case;
with bounds it is that of `worst_affine`, exact or between bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...semantics.environments.environment_rows import EnvironmentRows
from ...semantics.environments.invariance_tests import same_regression
from ...semantics.environments.invariant_subsets import invariant_subsets
from ...semantics.environments.linear_methods import (
    LinearFit,
    Moments,
    anchor_regression,
    group_robust,
    least_squares,
)
from ..predictors.affine_predictor import AffinePredictor
from ..predictors.linear_adversary import worst_affine
from ..predictors.linear_selection import LinearSelection
from ..predictors.predictor_search import PredictorSearch, Scored
from .table_baselines import Compared

Floats = NDArray[np.float64]


def compare_linear(
    found: PredictorSearch, model: LinearSelection, rows: EnvironmentRows, gamma: float
) -> tuple[Compared, ...]:
    """Every method beside what the search found, on the rows and under the search's adversary."""
    return tuple(_judged(model, rows, *method) for method in _methods(found, model, rows, gamma))


def _methods(
    found: PredictorSearch, model: LinearSelection, rows: EnvironmentRows, gamma: float
) -> Iterator[tuple[str, AffinePredictor, str | None]]:
    """Names, predictors and notes."""
    outcome = model.outcome
    features = (*model.diagram.stable, *model.diagram.mutable)
    everything = Moments.of(rows.columns(features), rows.column(outcome))
    yield "constant", _predictor(outcome, (), least_squares(Moments.of(rows.columns(()), rows.column(outcome)))), None
    yield "all features", _predictor(outcome, features, least_squares(everything)), None
    if len(rows.names) > 1:
        yield _invariant(rows, outcome, features)
    anchored = anchor_regression(everything, gamma)
    yield "anchor regression", _predictor(outcome, features, anchored), f"gamma {gamma:g}"
    yield "group robust", _predictor(outcome, features, group_robust(everything)), None
    whole = set(model.diagram.class_with(model.diagram.stable_mask).boundary)
    full = next(each for each in found.classes if set(each.members.boundary) == whole)
    yield "stable set", _affine(full), None
    yield "graph surgery", _affine(min(found.classes, key=lambda each: _pooled(rows, each))), None
    yield "best subset, minimax", _affine(found.chosen), None


def _predictor(outcome: str, inputs: Sequence[str], fit: LinearFit) -> AffinePredictor:
    return AffinePredictor(outcome, tuple(inputs), fit.constant, tuple(map(float, fit.slopes)))


def _affine(scored: Scored) -> AffinePredictor:
    assert isinstance(scored.predictor, AffinePredictor)
    return scored.predictor


def _invariant(rows: EnvironmentRows, outcome: str, features: Sequence[str]) -> tuple[str, AffinePredictor, str | None]:
    """Least squares on what all invariant subsets share."""
    found = invariant_subsets(features, lambda chosen: same_regression(rows.columns(chosen), rows.column(outcome))[1])
    fit = least_squares(Moments.of(rows.columns(found.common), rows.column(outcome)))
    note = None if found.accepted else "no subset is invariant"
    if not found.complete:
        note = f"the {found.tried:,} smallest subsets were tried"
    return "invariant prediction", _predictor(outcome, found.common, fit), note


def _pooled(rows: EnvironmentRows, scored: Scored) -> float:
    """The mean squared error on all rows, rounded: of equals the first is taken."""
    total = sum(risk * len(own) for (_, risk), own in zip(scored.given, rows.rows, strict=True))
    return round(total / rows.count, 12)


def _judged(
    model: LinearSelection, rows: EnvironmentRows, name: str, predictor: AffinePredictor, note: str | None
) -> Compared:
    slopes = np.array(predictor.coefficients, dtype=np.float64)
    pairs = zip(rows.columns(predictor.inputs), rows.column(model.outcome), strict=True)
    errors = [float(((own - predictor.intercept - causes @ slopes) ** 2).mean()) for causes, own in pairs]
    worst = worst_affine(model, predictor)
    made = Compared(
        name,
        predictor.inputs,
        tuple(zip(rows.names, errors, strict=True)),
        float(worst.lower),
        float(worst.upper),
        note,
    )
    if math.isinf(float(worst.lower)):
        why = "its error grows with a mutable variable that has no bounds"
        return replace(made, worst_case=None, upper=None, note=f"{note}; {why}" if note else why)
    return made
