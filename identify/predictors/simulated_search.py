"""Which invariance to transfer where mechanisms are not linear: predictors and adversaries by simulation.

The predictor of a class, E[Y | x_T, do(x_M)], is made as it is defined: the mutable variables are set to values drawn
over their bounds, *everything* that descends from them is made anew, and the outcome is regressed on the class's inputs
in these rows (ridge on random Fourier features, `fourier_regression`).  Its worst domain is climbed to by gradients
(`simulated_ascent`), so that every worst case here is a lower bound.  Only where the condition on the graph holds is it
proved which class is best: then the whole stable set is, since its claim needs no more of the mechanisms than that they
may ignore the outcome, and constants may.

`spread` of a predictor is the root mean square difference of two such fits to independent rows, over the square root of
two: what is due to the sampling of rows.  What is due to the features alone is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from ...semantics.environments.fourier_regression import FourierFit, fourier_regression
from .fitted_predictor import FittedPredictor
from .linear_search import mean_formula
from .predictor_search import PredictorSearch, Scored
from .selection_diagram import InvariantClass
from .simulated_ascent import Climbed, climb, squared_losses
from .simulated_selection import SimulatedDomain, SimulatedSelection

ROWS = 8_000
FEATURES = 100
COMPARED = 4_000
MOST_CLASSES = 64


def search_simulated(model: SimulatedSelection, classes: int = MOST_CLASSES) -> PredictorSearch:
    """The invariant predictor whose worst known domain is least bad, among so many classes.

    Raises `SutureError` S499 where a simulated variable is not a finite number.
    """
    found = list(islice(model.diagram.classes(), classes + 1))
    counted = len(found) if len(found) <= classes else None
    found = found[:classes]
    inputs = [(*each.boundary, *each.inputs) for each in found]
    fits = fitted(model, inputs, 1)
    reached = [climb(model, adversary, inputs, fits) for adversary in model.adversaries]
    scored = [
        _scored(model, each, fit, [own[place] for own in reached])
        for place, (each, fit) in enumerate(zip(found, fits, strict=True))
    ]
    settled = model.diagram.condition.holds and model.unrestricted
    full = scored[0]
    scored.sort(key=lambda each: (not (settled and each is full), each.worst, len(each.members.boundary)))
    scored[0] = _with_spread(model, scored[0])
    floor = scored[0].worst if settled else None
    return PredictorSearch(model, "squared_loss", model.diagram.condition, tuple(scored), None, floor, counted)


def fitted(model: SimulatedSelection, inputs: Sequence[Sequence[str]], stream: int) -> list[FourierFit]:
    """E[Y | inputs] in rows where the mutable variables are set at random, for several sets of inputs."""
    rows = model.set_at_random(ROWS, stream)
    columns = [np.stack([rows[name] for name in names], axis=1) if names else np.empty((ROWS, 0)) for names in inputs]
    return [fourier_regression(each, rows[model.outcome], FEATURES, model.seed) for each in columns]


def _scored(model: SimulatedSelection, members: InvariantClass, fit: FourierFit, reached: Sequence[Climbed]) -> Scored:
    """A class with the worst of the domains that were found."""
    place = max(range(len(reached)), key=lambda number: reached[number].risk)
    names = (*members.boundary, *members.inputs)
    predictor = FittedPredictor(model.outcome, names, fit, mean_formula(model, members))
    given = tuple(
        (
            str(each.name),
            float(squared_losses(model.in_domain(each, COMPARED * 5, 31), model.outcome, names, fit).mean()),
        )
        for each in model.given
    )
    worst = reached[place]
    return Scored(members, predictor, worst.risk, None, SimulatedDomain(place, worst.mechanisms), given, worst.error)


def _with_spread(model: SimulatedSelection, scored: Scored) -> Scored:
    """The class with what is known of the error of its predictor."""
    predictor = scored.predictor
    assert isinstance(predictor, FittedPredictor)
    other = fitted(model, [predictor.inputs], 2)[0]
    rows = model.set_at_random(COMPARED, 3)
    names = predictor.inputs
    columns = np.stack([rows[name] for name in names], axis=1) if names else np.empty((COMPARED, 0))
    difference = predictor.fit.predict(columns) - other.predict(columns)
    spread = float((difference**2).mean() / 2) ** 0.5
    better = FittedPredictor(predictor.outcome, names, predictor.fit, predictor.formula, spread)
    return Scored(scored.members, better, scored.worst, scored.upper, scored.domain, scored.given, scored.error)
