"""Which invariance to transfer: the stable subset whose predictor has the least worst risk over all domains.

For each class of subsets with one predictor (`SelectionDiagram.classes`) the predictor E[Y | x_S', do(x_M)], its worst
domain and its risk there; the least of them is chosen.  Beside it the exact minimax over all predictors, which may lie
below every subset.  Where the classes are too many to score one by one, branch and bound: whatever leaves out a feature
cannot do better than the best predictor without it does against the hardest mixture of domains that is known.

Source: Liu, Zheng, Sun, Fang, Wang (ICML 2023), "Which invariance should we transfer?", section 4; their algorithm
enumerates the same classes by exponential tests and climbs to a worst case by gradients; here both are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from ...dsl.diagnostics import SutureError
from ...dsl.formula import Formula, Kernel, Sum, Symbol, Term, ValueOf, fresh_name, product, terms
from ...semantics.semiring import PROBABILITY, Array
from .arena import Arena
from .losses import Loss, SquaredLoss
from .minimax_game import Saddle, exact_lower, solve, worst_of
from .predictor import Predictor
from .predictor_branching import Branching
from .predictor_search import ROUNDING, Minimax, PredictorSearch, Scored
from .selection_diagram import InvariantClass
from .selection_model import SelectionModel

MOST_EXACT = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """How many classes are scored one by one, and beyond that how many places branch and bound may open."""

    classes: int = 5000
    places: int = 2000


DEFAULT_BUDGET = Budget()


def search(model: SelectionModel, loss: Loss, budget: Budget = DEFAULT_BUDGET) -> PredictorSearch:
    """The best invariant predictor of a selection model, within a budget.

    Raises `SutureError` S603 where not even the smallest class fits it.
    """
    diagram = model.diagram
    found = list(islice(diagram.classes(), budget.classes + 1))
    model = _affordable(model, loss, len(found))
    if len(found) <= budget.classes:
        scored = [score(model, loss, each) for each in found]
        saddle = _saddle(model, loss, scored)
        floor, counted = None, len(found)
    else:
        branching = Branching(model, loss, score, budget.places)
        saddle = _saddle(model, loss, branching.first(found[0]))
        floor, counted = branching.run(saddle), None
        scored = branching.scored
    scored.sort(key=lambda each: (_rank(each.worst), len(each.members.boundary)))
    best = scored[0]
    settled = diagram.condition.holds and model.unrestricted and best.members == found[0]
    if floor is None or settled:
        floor = best.worst
    minimax = None if saddle is None else _minimax(model, loss, saddle, best, settled)
    return PredictorSearch(model, loss.name, diagram.condition, tuple(scored), minimax, floor, counted)


def _affordable(model: SelectionModel, loss: Loss, classes: int) -> SelectionModel:
    """The model in floats where rationals would take too long or cannot say the loss."""
    if not model.semiring.exact or (loss.rational and classes <= MOST_EXACT):
        return model
    stable = {name: array.astype(np.float64) for name, array in model.stable.items()}
    return replace(model, stable=stable, semiring=PROBABILITY)


def _rank(worst: Any) -> Any:
    """Floats that differ by rounding are equal, so that the smaller set is chosen."""
    return worst if isinstance(worst, Fraction) else round(float(worst), 12)


# ---------------------------------------------------------------------------------------------------------------------
# One class


def score(model: SelectionModel, loss: Loss, members: InvariantClass) -> Scored:
    """The predictor of a class, its worst domain and its risk there."""
    inputs = (*members.boundary, *members.inputs)
    arena = Arena.of(model, inputs)
    best, holes = loss.best(arena.stable_table, arena.semiring)
    costs = loss.costs(best, arena.semiring)
    worst, upper, domain = worst_of(arena, costs)
    given = tuple((str(each.name), float((arena.table(each, {}) * costs).sum())) for each in model.given)
    predictor = _predictor(model, loss, inputs, best, holes, formula_of(model, loss, members))
    return Scored(members, predictor, worst, upper, domain, given)


def _predictor(
    model: SelectionModel, loss: Loss, inputs: Sequence[str], values: Array, holes: Any, formula: Formula | None
) -> Predictor:
    labels = tuple(model.labels[name] for name in inputs)
    shape = tuple(map(len, labels))
    own = model.labels[model.outcome]
    made = np.asarray(values).reshape(shape if values.ndim == 1 else (*shape, len(own)))
    return Predictor(model.outcome, own, tuple(inputs), labels, loss.name, made, holes.reshape(shape), formula)


def formula_of(model: SelectionModel, loss: Loss, members: InvariantClass) -> Formula:
    """What a class predicts with: E(Y | x_T, do(x_M)) for numbers, P(Y | x_T, do(x_M)) otherwise.

    Mutable variables that nothing here descends from need not be set.  For an outcome of the values 0 and 1, or of two
    words, the mean is the probability of the second.
    """
    outcome, given = model.outcome, terms(members.boundary)
    above = model.ancestors((outcome, *members.boundary), cut=True)
    do = terms(name for name in model.diagram.mutable if name in above)
    labels = model.labels[outcome]
    if not isinstance(loss, SquaredLoss):
        return Kernel((Term(outcome),), given, do)
    if loss.numbers == (0, 1):
        return Kernel((Term(outcome, labels[1]),), given, do)
    symbol = Symbol(fresh_name(outcome, labels), outcome)
    return Sum((symbol,), product((ValueOf(Term(outcome, symbol)), Kernel((Term(outcome, symbol),), given, do))))


# ---------------------------------------------------------------------------------------------------------------------
# All predictors


def _saddle(model: SelectionModel, loss: Loss, scored: Sequence[Scored]) -> Saddle | None:
    """The minimax over all predictors; None where its table is too large."""
    try:
        arena = Arena.of(model, model.diagram.blanket)
    except SutureError:
        return None
    first = sorted(scored, key=lambda each: _rank(each.worst))[:3]
    return solve(arena, loss, [each.domain for each in first])


def _minimax(model: SelectionModel, loss: Loss, saddle: Saddle, best: Scored, settled: bool) -> Minimax:
    """The bounds of the saddle, improved by the best subset; exact where that is proved to be minimax.

    `settled` says that the graph proves it.
    """
    arena = Arena.of(model, model.diagram.blanket)
    holes = np.zeros(arena.shape[0], dtype=np.bool_)
    predictor = _predictor(model, loss, arena.inputs, saddle.prediction, holes, None)
    lower, upper = saddle.lower, min(saddle.upper, float(best.upper))
    lower = min(lower, upper)
    near = isinstance(best.worst, Fraction) and float(best.worst) - lower < 1e-7
    if near and (settled or exact_lower(arena, loss, saddle, best.worst, [best.domain])):
        return Minimax(best.worst, best.worst, best.predictor, saddle)
    if float(best.upper) - lower <= ROUNDING:
        lower = upper = float(best.worst)
    return Minimax(lower, upper, best.predictor if float(best.worst) <= saddle.upper else predictor, saddle)
