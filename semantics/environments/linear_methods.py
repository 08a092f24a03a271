"""Linear predictors from data of several environments, as others make them: short versions of known methods.

All take one array of causes `rows causes`, one of values and one of weights an environment, and give a constant and
slopes.  Each needs nothing but the moments of the environments.

- Least squares on all rows: empirical risk minimisation.
- Anchor regression with the environments as anchors: least squares within environments plus gamma times between their
  means; gamma = 1 is least squares, gamma = 0 partials the environments out (Rothenhausler, Meinshausen, Buhlmann and
  Peters, JRSS B 2021, equation 5).
- Group distributionally robust regression: the least worst risk over the environments given (Sagawa, Koh, Hashimoto and
  Liang, ICLR 2020), here exactly, by its concave dual: the hardest mixture of the environments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
GAMMA = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """A constant and one slope a cause."""

    constant: float
    slopes: Floats

    def predict(self, causes: Floats) -> Floats:
        """The predictions for rows."""
        return self.constant + causes @ self.slopes


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Means and covariances of (causes, value) in each environment, and the weight of each among all."""

    shares: Floats
    means: Floats
    covariances: Floats

    @staticmethod
    def of(causes: Sequence[Floats], values: Sequence[Floats], weights: Sequence[Floats] | None = None) -> Moments:
        """From rows; without `weights` each row counts one."""
        shares, means, covariances = list[float](), list[Floats](), list[Floats]()
        for place, (own, value) in enumerate(zip(causes, values, strict=True)):
            weight = np.ones(len(value)) if weights is None else weights[place]
            joint = np.column_stack([own, value])
            mean = weight @ joint / weight.sum()
            centred = joint - mean
            shares.append(float(weight.sum()))
            means.append(mean)
            covariances.append((centred * weight[:, None]).T @ centred / weight.sum())
        total = np.array(shares)
        return Moments(total / total.sum(), np.stack(means), np.stack(covariances))

    @property
    def middle(self) -> Floats:
        """The mean of all rows."""
        return self.shares @ self.means

    @property
    def within(self) -> Floats:
        """The covariance inside environments."""
        return np.einsum("e,eij->ij", self.shares, self.covariances)

    @property
    def between(self) -> Floats:
        """The covariance of the environments' means."""
        gaps = self.means - self.middle
        return np.einsum("e,ei,ej->ij", self.shares, gaps, gaps)

    def second(self) -> Floats:
        """E(v v') of v = (1, causes, value) in each environment."""
        joint = np.concatenate([np.ones((len(self.means), 1)), self.means], axis=1)
        made = joint[:, :, None] * joint[:, None, :]
        made[:, 1:, 1:] += self.covariances
        return made


def least_squares(moments: Moments, ridge: float = 0.0) -> LinearFit:
    """Least squares on all rows."""
    return anchor_regression(moments, 1.0, ridge)


def anchor_regression(moments: Moments, gamma: float = GAMMA, ridge: float = 0.0) -> LinearFit:
    """Least squares within environments plus `gamma` times between them."""
    matrix = moments.within + gamma * moments.between
    slopes = _solved(matrix[:-1, :-1] + ridge * np.eye(len(matrix) - 1), matrix[:-1, -1])
    middle = moments.middle
    return LinearFit(float(middle[-1] - middle[:-1] @ slopes), slopes)


def group_robust(moments: Moments, ridge: float = 0.0) -> LinearFit:
    """The fit whose worst mean square over the environments is least."""
    weights = hardest_mixture(moments, ridge)
    made = _at(moments.second(), weights, ridge)
    return LinearFit(float(made[0]), made[1:])


def hardest_mixture(moments: Moments, ridge: float = 0.0) -> Floats:
    """Weights of the environments for which the least mean square is largest."""
    from scipy.optimize import minimize

    second = moments.second()
    count = len(second)
    scale = max(float(second[:, -1, -1].max()), 1e-300)

    def value(weights: Floats) -> tuple[float, Floats]:
        fit = _at(second, weights, ridge)
        risks = risks_of(second, fit)
        penalty = ridge * float(fit[1:] @ fit[1:])
        return -(float(weights @ risks) + penalty) / scale, -risks / scale

    start = np.full(count, 1 / count)
    one = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(count)}
    options = {"maxiter": 500, "ftol": 1e-14}
    done: Any = minimize(
        value, start, jac=True, bounds=[(0, 1)] * count, constraints=one, method="SLSQP", options=options
    )
    weights = np.maximum(done.x, 0)
    return weights / weights.sum()


def risks_of(second: Floats, fit: Floats) -> Floats:
    """The mean square of value - fit (constant first) in each environment, from its second moments."""
    error = np.concatenate([-fit, [1.0]])
    return np.einsum("i,eij,j->e", error, second, error)


def _at(second: Floats, weights: Floats, ridge: float) -> Floats:
    """Constant and slopes that are best for a mixture."""
    mixed = np.einsum("e,eij->ij", weights, second)
    inner = mixed[:-1, :-1] + ridge * np.diag([0.0, *np.ones(len(mixed) - 2)])
    return _solved(inner, mixed[:-1, -1])


def _solved(matrix: Floats, right: Floats) -> Floats:
    """The solution, the shortest where there are many: columns that do not vary get no slope."""
    found: Any = np.linalg.lstsq(matrix, right, rcond=1e-11)[0]
    return found
