"""The minimax over affine predictors where mechanisms are restricted to linear ones, with a certificate.

In a domain with linear mechanisms the risk of an affine predictor w is the quadratic form w'Q w of the second moments Q
of (outcome, features, 1).  So the minimax is a convex problem over finitely many forms (domains named, corners of
boxes), solved by cutting planes: a pool of domains, the hardest mixture of them by `losses.hardest` (its best
predictor is a regression under mixed moments), the worst domain for that predictor, until the bounds meet.

The lower bound holds for affine predictors.  Within one domain all is jointly normal, so the best predictor of all is
the regression there: the hardest single domain bounds every predictor whatsoever from below, and where that reaches
the upper bound, `among` says so.  Where a mechanism may be any function as well, it is held constant: the lower bound
stays valid, and the upper one is that of the best subset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .affine_predictor import AffinePredictor
from .linear_adversary import worst_affine
from .linear_selection import LinearDomain, LinearSelection, chosen, held, texts
from .losses import Point, hardest
from .predictor_search import Minimax, Scored

Floats = NDArray[np.float64]
ROUNDS = 200
GAP = 1e-11
CLOSE = 1e-8
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LinearSaddle:
    """No affine predictor has a worst case below `lower`; `mixture` are the domains that prove it, with weights."""

    lower: float
    upper: float
    mixture: tuple[tuple[float, LinearDomain], ...]
    rounds: int


def minimax_affine(model: LinearSelection, best: Scored) -> Minimax:
    """The least worst risk of affine predictors, between bounds; `best` is the best subset."""
    forms, domains = _domains(model)
    weights, saddle = _solve(forms, domains)
    names = (*model.diagram.stable, *model.diagram.mutable)
    predictor: Any = AffinePredictor(model.outcome, names, float(weights[-1]), tuple(map(float, weights[:-1])))
    upper = saddle.upper
    if any(adversary.free for adversary in model.adversaries):
        upper = float(worst_affine(model.as_floats(), predictor).upper)
    if float(best.upper) <= upper + CLOSE * max(1.0, upper):
        upper, predictor = min(upper, float(best.upper)), best.predictor
    single = max(_regression(form)[1] for form in forms)
    lower = min(saddle.lower, upper)
    everything = single >= upper - CLOSE * max(1.0, upper)
    return Minimax(lower, upper, predictor, saddle, "all predictors" if everything else "affine predictors")


def _domains(model: LinearSelection) -> tuple[Floats, list[LinearDomain]]:
    """Second moments of (features, outcome, 1) in every domain with linear or constant mechanisms."""
    names = (*model.diagram.stable, *model.diagram.mutable, model.outcome)
    forms: list[Floats] = []
    domains: list[LinearDomain] = []
    for number, adversary in enumerate(model.adversaries):
        constants = dict(held(adversary))
        for places in adversary.combinations():
            system = model.system(chosen(adversary, places))
            rows = np.stack([system.rows[name] for name in names]).astype(np.float64)
            values = np.array([float(constants[name]) for name in system.inputs])
            noises = len(system.noises)
            mean = rows[:, -1] + rows[:, noises:-1] @ values
            moments = np.zeros((len(names) + 1,) * 2)
            moments[:-1, :-1] = rows[:, :noises] @ rows[:, :noises].T + np.outer(mean, mean)
            moments[:-1, -1] = moments[-1, :-1] = mean
            moments[-1, -1] = 1.0
            forms.append(moments)
            own = dict(texts(adversary, places)) | {name: f":= {value}" for name, value in constants.items()}
            domains.append(LinearDomain(number, tuple((name, own[name]) for name in adversary.choices)))
    return np.stack(forms), domains


def _solve(forms: Floats, domains: Sequence[LinearDomain]) -> tuple[Floats, LinearSaddle]:
    """The best weights (features, then the constant) and the proof, by cutting planes."""
    order = [*range(forms.shape[1] - 2), forms.shape[1] - 1]
    outcome = forms.shape[1] - 2
    pool = [int(np.argmax([_regression(form)[1] for form in forms]))]
    lower, upper, rounds = -np.inf, np.inf, 0
    best, proof = np.zeros(len(order)), list[tuple[float, LinearDomain]]()
    while rounds < ROUNDS:
        rounds += 1
        kept = forms[pool]
        inner, cross, square = kept[:, order][:, :, order], kept[:, order, outcome], kept[:, outcome, outcome]

        def at(weights: Floats, inner: Floats = inner, cross: Floats = cross, square: Floats = square) -> Point:
            matrix, vector = np.tensordot(weights, inner, 1), weights @ cross
            found, inverse = _solved(matrix, vector)
            slopes = inner @ found - cross
            risks = square - 2 * cross @ found + np.einsum("i,dij,j->d", found, inner, found)
            return Point(found, risks, lambda: -2 * slopes @ inverse @ slopes.T)

        mixture = hardest(len(pool), at)
        value = float(mixture.weights @ at(mixture.weights).risks)
        risks = _risks(forms, order, outcome, mixture.prediction)
        if value > lower:
            lower = value
            weighted = zip(mixture.weights.tolist(), pool, strict=True)
            proof = [(weight, domains[place]) for weight, place in weighted if weight > NEGLIGIBLE]
        if risks.max() < upper:
            upper, best = float(risks.max()), mixture.prediction
        worst = int(risks.argmax())
        if upper - lower <= GAP * max(1.0, upper) or worst in pool:
            break
        pool.append(worst)
    return best, LinearSaddle(min(lower, upper), upper, tuple(proof), rounds)


def _risks(forms: Floats, order: Sequence[int], outcome: int, weights: Floats) -> Floats:
    """The risk of an affine predictor in every domain."""
    whole = np.zeros(forms.shape[1])
    whole[list(order)] = -weights
    whole[outcome] = 1.0
    return np.einsum("i,dij,j->d", whole, forms, whole)


def _regression(form: Floats) -> tuple[Floats, float]:
    """The best weights in one domain, and their risk."""
    size = form.shape[0]
    order = [*range(size - 2), size - 1]
    found, _ = _solved(form[np.ix_(order, order)], form[order, size - 2])
    return found, float(_risks(form[None], order, size - 2, found)[0])


def _solved(matrix: Floats, vector: Floats) -> tuple[Floats, Floats]:
    """The least solution of the normal equations and a generalised inverse, as constants make them singular."""
    inverse: Any = np.linalg.pinv(matrix, rcond=1e-12, hermitian=True)
    return inverse @ vector, inverse
