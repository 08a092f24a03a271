"""Real data of several environments with mechanisms of any smooth shape: fitted, simulated, and beside other methods.

Each stable variable is regressed on its parents over the rows of all environments (`fourier_regression`); what is left
over is its noise, drawn anew, so noise is taken to be additive and independent of the parents.  Predictors and worst
cases are then those of `simulated_search`: the mutable variables are set, all that descends from them is made anew,
and worst domains are climbed to, lower bounds.  A mutable variable without bounds in the model ranges over its values
in the data: beyond them no fit is to be trusted.

Other methods are fitted in the same functions (`linear_methods` on Fourier features of all inputs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.program import AnyMechanism, Model
from ...semantics.environments.environment_rows import EnvironmentRows
from ...semantics.environments.fourier_regression import FourierFit, fourier_regression
from ...semantics.environments.invariance_tests import same_curve
from ...semantics.environments.invariant_subsets import invariant_subsets
from ...semantics.environments.linear_methods import LinearFit, Moments, anchor_regression, group_robust
from ..predictors.fitted_predictor import FittedPredictor
from ..predictors.linear_selection import AnyValue
from ..predictors.predictor_search import PredictorSearch, Scored
from ..predictors.simulated_ascent import climb
from ..predictors.simulated_selection import Regressed, SimulatedAdversary, SimulatedSelection
from .estimated_model import Blankets, invariant_diagram
from .table_baselines import Compared

Floats = NDArray[np.float64]
RIDGE = 1e-4
MOST_SUBSETS = 64


def regressed_selection(
    model: Model,
    blankets: Blankets,
    rows: EnvironmentRows,
    outcome: str,
    features: Sequence[str],
    mutable: Sequence[str],
    seed: int = 0,
) -> SimulatedSelection:
    """The model of the rows; mutable variables range over the bounds that the model gives, else over the data.

    Raises `SutureError` S492 where variables share hidden causes.
    """
    if blankets.shared:
        name = min(blankets.shared)
        message = f"{name} shares a hidden cause, and mechanisms of any shape are fitted one by one"
        raise SutureError(Diagnostic("S492", message, help="observe the common cause, or leave curved out"))
    stable: dict[str, Regressed] = {}
    choices: dict[str, Any] = {}
    for name, given in blankets.given.items():
        values = np.concatenate(rows.column(name))
        if name in mutable:
            choices[name] = _ranging(model, name, given, values)
        else:
            causes = np.concatenate(rows.columns(given))
            fit = fourier_regression(causes, values, seed=seed)
            stable[name] = Regressed(name, given, fit, values - fit.predict(causes))
    diagram = invariant_diagram(model.diagram, blankets, outcome, features, mutable)
    return SimulatedSelection(diagram, blankets.given, stable, (SimulatedAdversary(None, choices),), (), seed)


def _ranging(model: Model, name: str, given: tuple[str, ...], values: Floats) -> AnyValue:
    own = model.mechanisms.get(name)
    if isinstance(own, AnyMechanism) and own.low is not None:
        return AnyValue(name, given, own.low, own.high)
    return AnyValue(name, given, float(values.min()), float(values.max()))


def fitted_squares(rows: EnvironmentRows, outcome: str, predictor: Any) -> tuple[tuple[str, float], ...]:
    """The mean squared error of a fitted predictor in each environment's rows."""
    assert isinstance(predictor, FittedPredictor)
    return _squares(rows, outcome, predictor.inputs, predictor.fit)


def _squares(
    rows: EnvironmentRows, outcome: str, inputs: Sequence[str], fit: FourierFit
) -> tuple[tuple[str, float], ...]:
    pairs = zip(rows.columns(inputs), rows.column(outcome), strict=True)
    errors = [float(((values - fit.predict(causes)) ** 2).mean()) for causes, values in pairs]
    return tuple(zip(rows.names, errors, strict=True))


def compare_curved(
    found: PredictorSearch, model: SimulatedSelection, rows: EnvironmentRows, gamma: float
) -> tuple[Compared, ...]:
    """Every method beside what the search found, on the rows and in the worst domains found: lower bounds."""
    methods = list(_methods(found, model, rows, gamma))
    inputs = [own for _, own, _, _ in methods]
    reached = [climb(model, adversary, inputs, [fit for _, _, fit, _ in methods]) for adversary in model.adversaries]
    return tuple(
        Compared(
            name,
            tuple(own),
            _squares(rows, model.outcome, own, fit),
            max(float(each[place].risk) for each in reached),
            None,
            note,
        )
        for place, (name, own, fit, note) in enumerate(methods)
    )


Fitted = tuple[str, tuple[str, ...], FourierFit, str | None]


def _methods(
    found: PredictorSearch, model: SimulatedSelection, rows: EnvironmentRows, gamma: float
) -> Iterator[Fitted]:
    outcome = model.outcome
    features = (*model.diagram.stable, *model.diagram.mutable)
    values = np.concatenate(rows.column(outcome))

    def fit(inputs: Sequence[str]) -> FourierFit:
        return fourier_regression(np.concatenate(rows.columns(inputs)), values, seed=model.seed)

    everything = fit(features)
    yield "constant", (), fit(()), None
    yield "all features", features, everything, None
    if len(rows.names) > 1:
        common = invariant_subsets(
            features, lambda own: same_curve(rows.columns(own), rows.column(outcome))[1], most=MOST_SUBSETS
        )
        note = None if common.complete else f"the {common.tried} smallest subsets were tried"
        yield "invariant prediction", common.common, fit(common.common), note
    yield (
        "anchor regression",
        features,
        _on_features(rows, outcome, features, everything, _anchored(gamma)),
        (f"gamma {gamma:g}"),
    )
    yield "group robust", features, _on_features(rows, outcome, features, everything, _robust), None
    whole = set(model.diagram.class_with(model.diagram.stable_mask).boundary)
    full = next(each for each in found.classes if set(each.members.boundary) == whole)
    for name, each in (
        ("stable set", full),
        ("graph surgery", min(found.classes, key=lambda own: _pooled(rows, own))),
        ("best subset, minimax", found.chosen),
    ):
        assert isinstance(each.predictor, FittedPredictor)
        yield name, each.predictor.inputs, each.predictor.fit, None


def _anchored(gamma: float) -> Callable[[Moments], LinearFit]:
    return lambda moments: anchor_regression(moments, gamma, RIDGE)


def _robust(moments: Moments) -> LinearFit:
    return group_robust(moments, RIDGE)


def _on_features(
    rows: EnvironmentRows,
    outcome: str,
    features: Sequence[str],
    shape: FourierFit,
    method: Callable[[Moments], LinearFit],
) -> FourierFit:
    """A linear method on the features of another fit."""
    designs = [shape.features(own) for own in rows.columns(features)]
    made = method(Moments.of(designs, rows.column(outcome)))
    return FourierFit(
        shape.scale, shape.frequencies, shape.phases, np.concatenate([[made.constant], made.slopes]), float("nan")
    )


def _pooled(rows: EnvironmentRows, scored: Scored) -> float:
    total = sum(risk * len(own) for (_, risk), own in zip(scored.given, rows.rows, strict=True))
    return round(total / rows.count, 12)
