"""Where a learned lens starts: the linear latent model that fits the first two moments of each domain best.

Of whitened components y with mean and covariance (m_d, S_d) in domain d, those directions come first in which domains
agree, the last eigenvectors of the sum over domains of (m_d - m)(m_d - m)' + (S_d - S) S^-1 (S_d - S); the k directions
in which they differ most come last.  Each coordinate is then cleared of those before it in the first domain, so that
this domain is standard normal, and the mechanisms of the others are regressions (`mechanism_order.py` does the same
where latents are known).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .mechanism_order import Moments

Floats = Any


@dataclass(frozen=True)
class LinearStart:
    """z = `turn` y + `offset`; mechanisms undone, e = exp(s_d) z + W_d z + b_d, as `scales`, `weights`, `shifts`."""

    turn: Floats
    offset: Floats
    scales: Floats
    weights: Floats
    shifts: Floats


def linear_start(given: Moments, k: int, rows: Floats) -> LinearStart:
    """The start for moments of each domain; mechanisms stay at zero where `rows`, `domains size`, is zero."""
    turn, offset = _standard(given, _directions(given), k)
    means = given.means @ turn.T + offset
    covariances = turn @ given.covariances @ turn.T
    scales, weights, shifts = (np.zeros(shape) for shape in (rows.shape, (*rows.shape, rows.shape[1]), rows.shape))
    for domain, place in zip(*np.nonzero(rows), strict=True):
        weight, constant, deviation = _regressed(means[domain], covariances[domain], int(place))
        scales[domain, place] = -np.log(deviation)
        weights[domain, place, :place] = -weight / deviation
        shifts[domain, place] = -constant / deviation
    return LinearStart(turn, offset, scales, weights, shifts)


def _directions(given: Moments) -> Floats:
    """Orthogonal rows, those in which domains differ most last."""
    middle, within = given.shares @ given.means, given.within()
    gaps, turns = given.means - middle, given.covariances - within
    differ = np.einsum("d,di,dj->ij", given.shares, gaps, gaps)
    differ += np.einsum("d,dij,jk,dkl->il", given.shares, turns, np.linalg.inv(within), turns)
    return np.linalg.eigh(differ)[1].T


def _standard(given: Moments, rows: Floats, k: int) -> tuple[Floats, Floats]:
    """The map that makes rows uncorrelated and standard, the first ones over all domains, the last k in the first."""
    size = given.size
    middle, total = given.shares @ given.means, given.total()
    turn, offset = np.zeros((size, size)), np.zeros(size)
    for place in range(size):
        first = place >= size - k
        mean, spread = (given.means[0], given.covariances[0]) if first else (middle, total)
        chosen = np.concatenate([turn[:place], rows[place : place + 1]])
        moments = chosen @ mean + np.concatenate([offset[:place], [0.0]]), chosen @ spread @ chosen.T
        weight, constant, deviation = _regressed(*moments, place)
        turn[place] = (rows[place] - weight @ turn[:place]) / deviation
        offset[place] = -(constant + weight @ offset[:place]) / deviation
    return turn, offset


def _regressed(mean: Floats, covariance: Floats, place: int) -> tuple[Floats, float, float]:
    """Weights of the coordinates before, the constant and the deviation of what remains."""
    across = covariance[:place, place]
    weight = np.linalg.solve(covariance[:place, :place], across) if place else across
    deviation = np.sqrt(max(covariance[place, place] - weight @ across, 1e-12))
    return weight, float(mean[place] - weight @ mean[:place]), float(deviation)
