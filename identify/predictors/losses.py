"""Losses: the best prediction for a distribution, what it costs, and the best prediction against a pool of domains.

Tables have one row a cell (a case of the predictor's inputs) and one column a value of the outcome.  A prediction is an
array with one row a cell: a number for the squared loss, a distribution over the outcome's values for the others (log
loss in nats; 0-1 loss counts the probability that the prediction, drawn from it, is wrong).

`against` solves min over predictions of the largest risk over finitely many domains, and by its dual the mixture of
these domains whose best prediction is hardest: max over mixtures of the Bayes risk, concave and homogeneous, whose
gradient is the risk in each domain.  A logarithmic barrier on the mixture with Newton steps solves it for the smooth
losses: at barrier m the duality gap is m times the number of domains (Boyd and Vandenberghe 2004, section 11.2.2).  For
the 0-1 loss it is a linear program.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.labels import number
from ...semantics.semiring import PROBABILITY, Array, Semiring

Floats = NDArray[np.float64]
BARRIERS = tuple(10.0**-power for power in range(1, 15))
NEWTON_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """The hardest mixture of a pool of domains: its weights, and the prediction that is best for it."""

    weights: Floats
    prediction: Floats


class Loss(ABC):
    """What a wrong prediction costs."""

    name: str
    rational: bool
    """Whether rational tables have rational predictions and risks."""

    @abstractmethod
    def best(self, table: Array, semiring: Semiring) -> tuple[Array, NDArray[np.bool_]]:
        """The best prediction in each cell, and the cells of probability zero, where any would do."""

    @abstractmethod
    def costs(self, prediction: Array, semiring: Semiring) -> Array:
        """The loss in each cell at each value of the outcome."""

    @abstractmethod
    def against(self, pool: Sequence[Floats]) -> Mixture:
        """The best prediction for the worst of a pool of tables, with the mixture that proves it."""

    def risk(self, table: Array, prediction: Array, semiring: Semiring) -> Any:
        """The expected loss."""
        return (table * self.costs(prediction, semiring)).sum()

    def least(self, table: Array, semiring: Semiring) -> Any:
        """The risk of the best prediction."""
        return self.risk(table, self.best(table, semiring)[0], semiring)


# ---------------------------------------------------------------------------------------------------------------------
# Squared loss


def outcome_numbers(labels: Sequence[str]) -> tuple[Fraction, ...] | None:
    """The numbers that an outcome's labels stand for: their own, or 0 and 1 for two words; None otherwise.

    >>> outcome_numbers(("no", "yes"))
    (Fraction(0, 1), Fraction(1, 1))
    """
    own = [number(label) for label in labels]
    found = tuple(value for value in own if value is not None)
    if len(found) == len(labels):
        return found
    return (Fraction(0), Fraction(1)) if len(labels) == 2 else None


class SquaredLoss(Loss):
    """(y - f)^2; the best prediction is the mean."""

    name, rational = "squared_loss", True

    def __init__(self, numbers: Sequence[Fraction]) -> None:
        self.numbers = tuple(numbers)

    def best(self, table: Array, semiring: Semiring) -> tuple[Array, NDArray[np.bool_]]:
        """The mean; zero where the cell has no probability."""
        return semiring.divide((table * semiring.array(self.numbers)).sum(axis=-1), table.sum(axis=-1))

    def costs(self, prediction: Array, semiring: Semiring) -> Array:
        """The squared differences."""
        return (semiring.array(self.numbers) - prediction[:, None]) ** 2

    def against(self, pool: Sequence[Floats]) -> Mixture:
        """By the barrier; the Bayes risk of a mixture is its mean square less what its means explain."""
        values = np.array([float(value) for value in self.numbers])
        tables = np.stack(pool)
        mass, first = tables.sum(axis=-1), tables @ values
        second = (tables @ values**2).sum(axis=-1)

        def at(weights: Floats) -> Point:
            total = weights @ mass
            used = total > 0
            prediction = np.divide(weights @ first, total, out=np.zeros_like(total), where=used)

            def curvature() -> Floats:
                spread = first[:, used] - mass[:, used] * prediction[used]
                return -2 * (spread / total[used]) @ spread.T

            return Point(prediction, second - 2 * first @ prediction + mass @ prediction**2, curvature)

        return hardest(len(pool), at)


# ---------------------------------------------------------------------------------------------------------------------
# Losses of distributions


class LogLoss(Loss):
    """-log f(y); the best prediction is the conditional distribution."""

    name, rational = "log_loss", False

    def best(self, table: Array, semiring: Semiring) -> tuple[Array, NDArray[np.bool_]]:
        """The conditional distribution; uniform where the cell has no probability."""
        totals = table.sum(axis=-1)
        undetermined = np.asarray(totals == 0)
        shares = np.where(undetermined[:, None], 1 / table.shape[1], table)
        return shares / shares.sum(axis=-1)[:, None], undetermined

    def costs(self, prediction: Array, semiring: Semiring) -> Array:
        """Minus the logarithms; zero where the prediction excludes what no domain produces."""
        return -np.log(np.where(prediction > 0, prediction, 1.0))

    def against(self, pool: Sequence[Floats]) -> Mixture:
        """By the barrier; the Bayes risk of a mixture is its conditional entropy."""
        tables = np.stack(pool)
        mass = tables.sum(axis=-1)
        flat = tables.reshape(len(pool), -1)

        def at(weights: Floats) -> Point:
            joint = np.tensordot(weights, tables, 1)
            prediction = self.best(joint, PROBABILITY)[0]

            def curvature() -> Floats:
                whole, total = joint.reshape(-1), joint.sum(axis=-1)
                seen, used = whole > 0, total > 0
                inner = (flat[:, seen] / whole[seen]) @ flat[:, seen].T
                return (mass[:, used] / total[used]) @ mass[:, used].T - inner

            return Point(prediction, flat @ self.costs(prediction, PROBABILITY).reshape(-1), curvature)

        return hardest(len(pool), at)


class ZeroOneLoss(Loss):
    """One for a wrong value; the best prediction is a most probable value, the first of several."""

    name, rational = "zero_one", True

    def best(self, table: Array, semiring: Semiring) -> tuple[Array, NDArray[np.bool_]]:
        """All weight on the first most probable value."""
        chosen = first_largest(table, semiring.exact)
        point = np.stack([semiring.array(row) for row in _identity(table.shape[1])])
        return point[chosen], np.asarray(semiring.is_zero(table.sum(axis=-1)))

    def costs(self, prediction: Array, semiring: Semiring) -> Array:
        """The probability of any other value."""
        return semiring.number(Fraction(1)) - prediction

    def against(self, pool: Sequence[Floats]) -> Mixture:
        """A linear program: minimise t where no domain's risk is above t; its multipliers are the mixture."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_matrix, eye, hstack, kron

        tables = np.stack(pool)
        count, cells, values = tables.shape
        risks = hstack([csr_matrix(-tables.reshape(count, -1)), csr_matrix(-np.ones((count, 1)))])
        ones = hstack([kron(eye(cells), np.ones((1, values))), csr_matrix((cells, 1))])
        goal = np.zeros(cells * values + 1)
        goal[-1] = 1
        bounds = [(0, None)] * (cells * values) + [(None, None)]
        tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
        limits = -tables.reshape(count, -1).sum(axis=1)
        done: Any = linprog(goal, risks.tocsr(), limits, ones.tocsr(), np.ones(cells), bounds, "highs", options=tight)
        weights = np.maximum(-done.ineqlin.marginals, 0)
        prediction = np.maximum(done.x[:-1].reshape(cells, values), 0)
        return Mixture(weights / weights.sum(), prediction / prediction.sum(axis=1)[:, None])


def _identity(size: int) -> list[list[Fraction]]:
    return [[Fraction(int(row == column)) for column in range(size)] for row in range(size)]


def first_largest(values: Array, exact: bool) -> NDArray[np.intp]:
    """Where the largest entry of the last axis stands, the first of several; floats that differ by rounding are
    equal."""
    slack = 0 if exact else 1e-13
    near = values >= values.max(axis=-1, keepdims=True) - slack
    return np.asarray(near.astype(np.int8).argmax(axis=-1))


# ---------------------------------------------------------------------------------------------------------------------
# The barrier


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The best prediction for a mixture, the risk in each domain (the gradient), and the Hessian when it is wanted."""

    prediction: Floats
    risks: Floats
    curvature: Callable[[], Floats]


def hardest(count: int, at: Callable[[Floats], Point]) -> Mixture:
    """Maximise a concave homogeneous function of mixture weights."""
    weights = np.full(count, 1 / count)
    if count == 1:
        return Mixture(weights, at(weights).prediction)
    for barrier in BARRIERS:
        for _ in range(NEWTON_STEPS):
            point = at(weights)
            step, decrement = _newton(weights, point.risks, point.curvature(), barrier)
            shrink = np.max(-step / weights)
            length = 1.0 if shrink < 0.95 else 0.95 / shrink
            weights = _ascend(weights, step, length, barrier, at)
            if decrement < 1e-3 * barrier:
                break
    return Mixture(weights, at(weights).prediction)


def _newton(weights: Floats, risks: Floats, curvature: Floats, barrier: float) -> tuple[Floats, float]:
    """The Newton step within the simplex in the scale of the weights, and the increase it promises."""
    count = len(weights)
    gradient = (risks - risks.max()) * weights + barrier
    matrix = curvature * weights[:, None] * weights[None, :] - barrier * np.eye(count)
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = matrix
    system[:count, count] = system[count, :count] = weights
    solved = np.linalg.lstsq(system, np.concatenate([-gradient, [0.0]]), rcond=None)[0][:count]
    return solved * weights, float(-solved @ matrix @ solved)


def _ascend(weights: Floats, step: Floats, length: float, barrier: float, at: Callable[[Floats], Point]) -> Floats:
    """The weights after the longest of a few fractions of the step that does not lower the barrier function."""

    def value(place: Floats) -> float:
        return float(place @ at(place).risks) + barrier * float(np.log(place).sum())

    before = value(weights)
    for _ in range(12):
        after = weights + length * step
        after = after / after.sum()
        if value(after) >= before - 1e-16:
            return after
        length /= 2
    return weights
