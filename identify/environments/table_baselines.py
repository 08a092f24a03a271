"""What others would predict a finite outcome with, from the same environments.

- constant: the best prediction that reads nothing.
- all features: empirical risk minimisation, the best prediction from all features on all rows.
- stable set: E[Y | all stable features, do(mutable)], not searched.
- graph surgery: of the predictions that carry over the one with the least risk in the data, as the estimator of
  Subbaswamy, Schulam and Saria (AISTATS 2019, "Preventing failures due to dataset shift") picks among the stable
  conditional interventional distributions.
- invariant prediction: the best prediction from what all invariant subsets share (`invariant_subsets`).
- anchor regression: least squares on indicators of the features' values (`linear_methods`); squared loss only.
- group robust: the least worst risk over the environments given, any function of all features (Sagawa et al., ICLR
  2020), here a finite game solved to rounding.

A case of the features that no environment has is predicted as the constant does.  For the log loss half a row is added
to each value (Krichevsky and Trofimov 1981), since a probability of zero may cost everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...semantics.environments.environment_tables import EnvironmentTables
from ...semantics.environments.invariance_tests import independence
from ...semantics.environments.invariant_subsets import LEVEL, invariant_subsets
from ...semantics.environments.linear_methods import GAMMA, Moments, anchor_regression
from ...semantics.semiring import PROBABILITY, Array
from ..predictors.arena import Arena
from ..predictors.losses import Loss, SquaredLoss
from ..predictors.minimax_game import worst_of
from ..predictors.predictor import Predictor
from ..predictors.predictor_search import PredictorSearch, Scored
from ..predictors.selection_model import SelectionModel

Floats = NDArray[np.float64]
SAME = 1e-9
ICP_DRAWS = 499


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A method's risk in each environment given, and under the adversary: attained, and at most `upper`."""

    name: str
    inputs: tuple[str, ...]
    risks: tuple[tuple[str, float], ...]
    worst_case: float | None
    upper: float | None
    note: str | None = None

    @property
    def worst_given(self) -> float | None:
        """The largest of the risks in the environments given."""
        return max((risk for _, risk in self.risks), default=None)

    @property
    def exact(self) -> bool:
        """Whether the worst case is known, not only bounded from below."""
        return self.worst_case is not None and self.upper is not None and self.upper - self.worst_case <= SAME


@dataclass(frozen=True, slots=True, eq=False)
class _Method:
    name: str
    inputs: tuple[str, ...]
    prediction: Array
    note: str | None = None


def compare(
    found: PredictorSearch,
    tables: EnvironmentTables,
    loss: Loss,
    gamma: float = GAMMA,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[Compared, ...]:
    """Every method beside what the search found, on the environments of `tables` and under the search's adversary.

    `tables` hold the outcome and all features; weights may be rows or probabilities.
    """
    return tuple(_judged(found, tables, loss, method) for method in _methods(found, tables, loss, gamma, level, seed))


def finite_model(found: PredictorSearch) -> SelectionModel:
    """The model of a search over finite variables; raises `SutureError` S494 where it is another."""
    if not isinstance(found.model, SelectionModel):
        message = "other methods are put beside searches over finite variables, and these are real"
        raise SutureError(Diagnostic("S494", message, help="leave out 'compare'"))
    return found.model


def _methods(
    found: PredictorSearch, tables: EnvironmentTables, loss: Loss, gamma: float, level: float, seed: int
) -> Iterator[_Method]:
    model = finite_model(found)
    features = (*model.diagram.stable, *model.diagram.mutable)
    nothing = _fitted(loss, tables, model.outcome, ())
    yield _Method("constant", (), nothing)
    yield _Method("all features", features, _fitted(loss, tables, model.outcome, features))
    yield from _invariant(found, tables, loss, level, seed)
    if isinstance(loss, SquaredLoss):
        anchored = _anchor(loss, tables, model.outcome, features, gamma)
        yield _Method("anchor regression", features, anchored, f"gamma {gamma:g}")
    yield _Method("group robust", features, _robust(loss, tables, model.outcome, features))
    full = next((each for each in found.classes if set(each.members.boundary) == _whole(found)), None)
    if full is not None:
        yield _of_class("stable set", full)
    surgery = min(found.classes, key=lambda each: _pooled(found, tables, loss, each))
    yield _of_class("graph surgery", surgery)
    yield _of_class("best subset, minimax", found.chosen)
    best = None if found.minimax is None else found.minimax.predictor
    if isinstance(best, Predictor):
        flat = best.values.astype(np.float64).reshape(_shape(found, best.inputs, loss))
        yield _Method("best of all, minimax", best.inputs, flat)


def _shape(found: PredictorSearch, inputs: Sequence[str], loss: Loss) -> tuple[int, ...]:
    model = finite_model(found)
    size = model.size(inputs)
    return (size,) if isinstance(loss, SquaredLoss) else (size, len(model.labels[model.outcome]))


def _whole(found: PredictorSearch) -> set[str]:
    """The boundary of the class of all stable features."""
    diagram = finite_model(found).diagram
    return set(diagram.class_with(diagram.stable_mask).boundary)


def _of_class(name: str, scored: Scored) -> _Method:
    assert isinstance(scored.predictor, Predictor)
    values = scored.predictor.values.astype(np.float64)
    size = int(np.prod([len(labels) for labels in scored.predictor.labels], dtype=int))
    flat = values.reshape(size) if scored.predictor.loss == "squared_loss" else values.reshape(size, -1)
    return _Method(name, scored.predictor.inputs, flat)


# ---------------------------------------------------------------------------------------------------------------------
# Fits


def _counts(tables: EnvironmentTables, outcome: str, inputs: Sequence[str]) -> Floats:
    """Axes (environments, cells, values of the outcome)."""
    return tables.table((*inputs, outcome)).reshape(len(tables.names), -1, len(tables.labels[outcome]))


def _fitted(loss: Loss, tables: EnvironmentTables, outcome: str, inputs: Sequence[str]) -> Array:
    """The best prediction on all rows; the constant's where a cell has none."""
    return _best(loss, _counts(tables, outcome, inputs).sum(axis=0))


def _best(loss: Loss, pooled: Floats) -> Array:
    smooth = 0.5 if loss.name == "log_loss" else 0.0
    constant = loss.best(pooled.sum(axis=0)[None] + smooth, PROBABILITY)[0]
    best = loss.best(pooled + smooth, PROBABILITY)[0]
    empty = pooled.sum(axis=-1) <= 0
    return np.where(empty if best.ndim == 1 else empty[:, None], constant, best)


def _invariant(
    found: PredictorSearch, tables: EnvironmentTables, loss: Loss, level: float, seed: int
) -> Iterator[_Method]:
    """Invariant causal prediction: tests where weights are rows, else exact equality of the conditionals."""
    model = finite_model(found)
    outcome = model.outcome
    features = (*model.diagram.stable, *model.diagram.mutable)
    if len(tables.names) < 2:
        return
    generator = np.random.default_rng(seed)

    def p_value(chosen: tuple[str, ...]) -> float:
        counts = tables.table((*chosen, outcome))
        return independence(counts, generator, ICP_DRAWS)[1] if tables.counted else float(_same(counts))

    subsets = invariant_subsets(features, p_value, level)
    note = None if subsets.accepted else "no subset is invariant"
    if not subsets.complete:
        note = f"the {subsets.tried:,} smallest subsets were tried"
    yield _Method("invariant prediction", subsets.common, _fitted(loss, tables, outcome, subsets.common), note)


def _same(counts: Floats) -> bool:
    """Whether the conditional distributions of the last axis agree in all environments that have the case."""
    flat = counts.reshape(len(counts), -1, counts.shape[-1])
    totals = flat.sum(axis=-1, keepdims=True)
    shares = flat / np.where(totals > 0, totals, 1.0)
    seen = totals > 0
    low = np.where(seen, shares, np.inf).min(axis=0)
    high = np.where(seen, shares, -np.inf).max(axis=0)
    return bool((high - low <= SAME).all())


def _anchor(loss: SquaredLoss, tables: EnvironmentTables, outcome: str, inputs: Sequence[str], gamma: float) -> Array:
    """Least squares on indicators of all values but the first of each feature."""
    cells = np.stack(np.unravel_index(np.arange(int(np.prod(tables.shape(inputs)))), tables.shape(inputs)), axis=-1)
    design = _indicators(cells, tables.shape(inputs))
    counts = _counts(tables, outcome, inputs)
    numbers = np.array([float(value) for value in loss.numbers])
    width = counts.shape[-1]
    rows = np.repeat(design, width, axis=0)
    values = np.tile(numbers, len(design))
    shares = [own.reshape(-1) for own in counts]
    moments = Moments.of([rows] * len(counts), [values] * len(counts), shares)
    return anchor_regression(moments, gamma).predict(design)


def _indicators(cells: NDArray[np.intp], shape: Sequence[int]) -> Floats:
    parts = [(cells[:, place, None] == np.arange(1, size)).astype(np.float64) for place, size in enumerate(shape)]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(cells), 0))


def _robust(loss: Loss, tables: EnvironmentTables, outcome: str, inputs: Sequence[str]) -> Array:
    """The best prediction for the worst of the environments."""
    counts = _counts(tables, outcome, inputs)
    smooth = 0.5 / counts.shape[1] if loss.name == "log_loss" else 0.0
    pool = [(own + smooth) / (own + smooth).sum() for own in counts]
    pooled = counts.sum(axis=0)
    empty = pooled.sum(axis=-1) <= 0
    made = loss.against(pool).prediction
    plain = _best(loss, pooled)
    return np.where(empty if made.ndim == 1 else empty[:, None], plain, made)


# ---------------------------------------------------------------------------------------------------------------------
# Risks


def empirical_risks(
    tables: EnvironmentTables, loss: Loss, outcome: str, inputs: Sequence[str], prediction: Array
) -> tuple[tuple[str, float], ...]:
    """The mean loss in each environment."""
    counts = _counts(tables, outcome, inputs)
    costs = _costs(loss, prediction)
    risks = (counts * costs).sum(axis=(1, 2)) / counts.sum(axis=(1, 2))
    return tuple(zip(tables.names, map(float, risks), strict=True))


def _costs(loss: Loss, prediction: Array) -> Array:
    return loss.costs(np.asarray(prediction, dtype=np.float64), PROBABILITY)


def _pooled(found: PredictorSearch, tables: EnvironmentTables, loss: Loss, scored: Scored) -> float:
    """The mean loss of a class's prediction on all rows, rounded: of equals the first is taken."""
    method = _of_class("", scored)
    counts = _counts(tables, finite_model(found).outcome, method.inputs).sum(axis=0)
    return round(float((counts * _costs(loss, method.prediction)).sum() / counts.sum()), 12)


def _judged(found: PredictorSearch, tables: EnvironmentTables, loss: Loss, method: _Method) -> Compared:
    model = finite_model(found)
    risks = empirical_risks(tables, loss, model.outcome, method.inputs, method.prediction)
    arena = Arena.of(model, method.inputs).as_floats
    lower, upper, _ = worst_of(arena, _costs(loss, method.prediction))
    return Compared(method.name, method.inputs, risks, float(lower), float(upper), method.note)
