"""A search for a predictor of a real outcome from data of several environments: linear mechanisms, normal noise.

Each stable mechanism is the least squares regression on its blanket over the rows of all environments, and what is left
over is its noise.  In such a model every invariant predictor has the same risk in every domain and the whole stable set
is the best of them (`linear_search`), so what the data have to tell is how large that risk is, and what it is worth
beside other methods.  Linearity is an assumption.  Losses are in the squared units of the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.program import AnyMechanism, Model
from ...semantics.budget import meter
from ...semantics.environments.environment_rows import EnvironmentRows, regressions
from ...semantics.environments.invariance_tests import MechanismTest, holm, same_curve, same_regression
from ...semantics.real.affine import Affine
from ...semantics.semiring import PROBABILITY
from ..predictors.affine_predictor import AffinePredictor
from ..predictors.linear_search import search_linear
from ..predictors.linear_selection import AnyValue, Corners, LinearAdversary, LinearSelection
from ..predictors.linear_setup import require_reals
from ..predictors.predictor_search import PredictorSearch, Scored
from ..predictors.simulated_search import search_simulated
from .bootstrapping import MOST_CLASSES, Bootstrap
from .curved_mechanisms import compare_curved, fitted_squares, regressed_selection
from .detecting import Detection
from .environment_search import DEFAULT_OPTIONS, EnvironmentFindings, Options, detected_mutable
from .estimated_model import Blankets, invariant_diagram, require_unshared
from .linear_baselines import compare_linear

Floats = NDArray[np.float64]


def search_real(
    model: Model,
    outcome: str,
    features: Sequence[str],
    mutable: Sequence[str],
    data: Mapping[str, Floats],
    variables: Sequence[str],
    over: Sequence[str] = (),
    options: Options = DEFAULT_OPTIONS,
) -> tuple[PredictorSearch, EnvironmentFindings]:
    """The best invariant predictor by the rows of named environments, each `rows variables`.

    Where `mutable` is empty, the mechanisms that differ are detected.  Raises `SutureError` S479 where a variable is no
    real number, and S492 to S496 as searches over finite variables do.
    """
    blankets = Blankets.of(model.diagram, outcome, features)
    require_reals(model, outcome, blankets.given)
    rows = EnvironmentRows(tuple(data), tuple(variables), tuple(data.values()))
    _require_rows(rows, blankets)
    detection = detect_real(rows, blankets, options.level, options.curved) if len(data) > 1 else None
    chosen = tuple(mutable) if mutable else detected_mutable(detection, outcome, features)
    if options.curved:
        return _curved(model, blankets, rows, outcome, features, chosen, detection, bool(mutable), over, options)
    selection = linear_model(model, blankets, rows, outcome, features, chosen, over)
    found = search_linear(selection)
    found = replace(found, classes=tuple(_in_environments(rows, each, outcome) for each in found.classes))
    sampled = bootstrap_linear(selection, rows, found.classes, options) if options.draws > 0 else None
    compared = compare_linear(found, selection, rows, options.gamma) if options.compared else ()
    counts = tuple((name, float(len(own))) for name, own in zip(rows.names, rows.rows, strict=True))
    return found, EnvironmentFindings(counts, chosen, not mutable, detection, sampled, compared)


def _curved(
    model: Model,
    blankets: Blankets,
    rows: EnvironmentRows,
    outcome: str,
    features: Sequence[str],
    mutable: Sequence[str],
    detection: Detection | None,
    said: bool,
    over: Sequence[str],
    options: Options,
) -> tuple[PredictorSearch, EnvironmentFindings]:
    """The same with mechanisms of any shape, by simulation of what was fitted."""
    if over:
        message = "environments are searched over where mechanisms are straight lines, and these are curved"
        raise SutureError(Diagnostic("S497", message, help="leave out 'over', or curved"))
    selection = regressed_selection(model, blankets, rows, outcome, features, mutable, options.seed)
    found = search_simulated(selection)
    own = tuple(replace(each, given=fitted_squares(rows, outcome, each.predictor)) for each in found.classes)
    found = replace(found, classes=own)
    compared = compare_curved(found, selection, rows, options.gamma) if options.compared else ()
    counts = tuple((name, float(len(each))) for name, each in zip(rows.names, rows.rows, strict=True))
    return found, EnvironmentFindings(counts, tuple(mutable), not said, detection, None, compared)


def needed_variables(model: Model, outcome: str, features: Sequence[str]) -> tuple[str, ...]:
    """The variables whose columns such a search reads."""
    return tuple(Blankets.of(model.diagram, outcome, features).given)


def _require_rows(rows: EnvironmentRows, blankets: Blankets) -> None:
    """Refuse environments without rows, and regressions with more coefficients than rows (S493)."""
    for name, own in zip(rows.names, rows.rows, strict=True):
        if not len(own):
            raise SutureError(Diagnostic("S493", f"environment {name} has no rows", help="leave it out"))
    name, given = max(blankets.given.items(), key=lambda pair: len(pair[1]))
    if rows.count < len(given) + 3:
        message = f"{rows.count} rows do not tell {name} from {len(given)} causes"
        raise SutureError(Diagnostic("S493", message, help="add rows, or leave variables out"))


def detect_real(rows: EnvironmentRows, blankets: Blankets, level: float, curved: bool = False) -> Detection:
    """Every variable's regression on its blanket against the environment, Holm's correction over all."""
    found: list[MechanismTest] = []
    test = same_curve if curved else same_regression
    for name, given in blankets.given.items():
        meter().tick()
        how, p_value = test(rows.columns(given), rows.column(name))
        found.append(MechanismTest(name, given, how, p_value))
    adjusted = holm([test.p_value for test in found])
    return Detection(tuple(replace(each, adjusted=p) for each, p in zip(found, adjusted, strict=True)), level)


# ---------------------------------------------------------------------------------------------------------------------
# The model


def linear_model(
    model: Model,
    blankets: Blankets,
    rows: EnvironmentRows,
    outcome: str,
    features: Sequence[str],
    mutable: Sequence[str],
    over: Sequence[str] = (),
) -> LinearSelection:
    """The linear model of the rows; mutable mechanisms are anything that the model leaves open, or those of the
    environments `over`.

    Raises `SutureError` S492 where a mutable variable shares a hidden cause.
    """
    require_unshared(blankets, mutable)
    second = rows.second()
    forms = {name: _form(second, rows, name, given) for name, given in blankets.given.items()}
    stable = {name: form for name, form in forms.items() if name not in mutable}
    moving = [name for name in blankets.given if name in mutable]
    free = LinearAdversary(None, {name: _anything(model, name, blankets.given[name]) for name in moving})
    given = tuple(
        _environment(EnvironmentRows((name,), rows.variables, (own,)), blankets, moving)
        for name, own in zip(rows.names, rows.rows, strict=True)
    )
    made = tuple(each for each in given if each.name in over) if over else (free,)
    diagram = invariant_diagram(model.diagram, blankets, outcome, features, mutable)
    return LinearSelection(diagram, blankets.given, stable, made, given, PROBABILITY)


def _form(second: Floats, rows: EnvironmentRows, name: str, given: Sequence[str]) -> Affine:
    """One variable's regression."""
    places = [rows.variables.index(above) + 1 for above in given]
    found, variance = regressions(second, places, rows.variables.index(name) + 1)
    slopes = tuple(zip(given, map(float, found[1:]), strict=True))
    return Affine(float(found[0]), slopes, float(np.sqrt(variance)))


def _anything(model: Model, name: str, given: tuple[str, ...]) -> AnyValue:
    own = model.mechanisms.get(name)
    return AnyValue(name, given, own.low, own.high) if isinstance(own, AnyMechanism) else AnyValue(name, given)


def _environment(own: EnvironmentRows, blankets: Blankets, moving: Sequence[str]) -> LinearAdversary:
    """The mutable mechanisms of one environment."""
    forms = {name: _form(own.second(), own, name, blankets.given[name]) for name in moving}
    choices = {name: Corners(name, blankets.given[name], (form,), (_text(form),)) for name, form in forms.items()}
    return LinearAdversary(own.names[0], choices)


def _text(form: Affine) -> str:
    """A regression in the language."""
    slopes = "".join(f" {'-' if slope < 0 else '+'} {abs(slope):.6g}*{name}" for name, slope in form.coefficients)
    return f":= {form.constant:.6g}{slopes} + {form.noise:.6g}*noise"


# ---------------------------------------------------------------------------------------------------------------------
# Losses, and how sure they are


def _in_environments(rows: EnvironmentRows, scored: Scored, outcome: str) -> Scored:
    assert isinstance(scored.predictor, AffinePredictor)
    return replace(scored, given=mean_squares(rows, outcome, scored.predictor))


def mean_squares(rows: EnvironmentRows, outcome: str, predictor: AffinePredictor) -> tuple[tuple[str, float], ...]:
    """The mean squared error of a predictor in each environment's rows."""
    slopes = np.array([float(each) for each in predictor.coefficients])
    pairs = zip(rows.columns(predictor.inputs), rows.column(outcome), strict=True)
    errors = [((own - float(predictor.intercept) - causes @ slopes) ** 2).mean() for causes, own in pairs]
    return tuple(zip(rows.names, map(float, errors), strict=True))


def bootstrap_linear(
    model: LinearSelection, rows: EnvironmentRows, classes: Sequence[Scored], options: Options
) -> Bootstrap:
    """Var(Y | x_T, do(x_M)) of each class on bootstrap samples, all of them at once."""
    second = rows.resampled(options.draws, np.random.default_rng(options.seed))
    covariance = _set_covariance(model, rows, second)
    place = {name: number for number, name in enumerate(model.order)}
    outcome = place[model.outcome]
    worst: list[Floats] = []
    for each in classes[:MOST_CLASSES]:
        given = [place[name] for name in each.members.boundary]
        inner, across = covariance[:, given][:, :, given], covariance[:, given, outcome]
        slopes = (np.linalg.pinv(inner, rcond=1e-12, hermitian=True) @ across[..., None])[..., 0]
        worst.append(covariance[:, outcome, outcome] - (slopes * across).sum(axis=1))
    return Bootstrap(np.stack(worst, axis=1), 0.95)


def _set_covariance(model: LinearSelection, rows: EnvironmentRows, second: Floats) -> Floats:
    """The covariance of the variables when the mutable ones are set, on each sample."""
    order = model.order
    loads = np.zeros((len(second), len(order), len(order)))
    place: dict[str, Any] = {name: number for number, name in enumerate(order)}
    for name in order:
        if name in model.stable:
            given = model.parents[name]
            causes = [rows.variables.index(above) + 1 for above in given]
            found, variance = regressions(second, causes, rows.variables.index(name) + 1)
            above = [place[each] for each in given]
            loads[:, place[name]] = (found[:, 1:, None] * loads[:, above]).sum(axis=1)
            loads[:, place[name], place[name]] = np.sqrt(variance)
    return loads @ loads.transpose(0, 2, 1)
