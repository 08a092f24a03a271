"""Nonlinear regression: ridge on random Fourier features and the inputs themselves.

The features approximate a Gaussian kernel (Rahimi and Recht, NIPS 2007); the inputs beside them, without a penalty, let
the fit go on in a straight line where there are no rows.  Length scale and penalty are those of least generalised
cross-validation (Golub, Heath and Wahba 1979).  Inputs are scaled by the rows of the fit, and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEATURES = 120
LENGTHS = (1.0, 3.0)
"""Length scales in units of the square root of the number of inputs, each with a standard deviation of one."""
PENALTIES = tuple(10.0**power for power in range(-7, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Means and standard deviations of the rows that something was learned from."""

    mean: Floats
    deviation: Floats

    @staticmethod
    def of(rows: Floats) -> Scale:
        """Of an array `rows columns`; a column that does not vary keeps its unit."""
        deviation: Any = rows.std(axis=0)
        return Scale(rows.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def apply(self, rows: Floats) -> Floats:
        """Other rows in these units."""
        return (rows - self.mean) / self.deviation


@dataclass(frozen=True, slots=True, eq=False)
class FourierFit:
    """A fitted function of inputs `rows inputs`; `error` is the variance that cross-validation expects."""

    scale: Scale
    frequencies: Floats
    phases: Floats
    coefficients: Floats
    error: float

    def predict(self, inputs: Floats) -> Floats:
        """The values for rows."""
        return _design(self.scale.apply(inputs), self.frequencies, self.phases) @ self.coefficients

    def features(self, inputs: Floats) -> Floats:
        """What the function is linear in: the scaled inputs and the waves, `rows features`."""
        return _design(self.scale.apply(inputs), self.frequencies, self.phases)[:, 1:]

    def value(self, inputs: Any, space: Any) -> Any:
        """The values for rows in numpy or jax.numpy, so that gradients run through them."""
        units = (inputs - self.scale.mean) / self.scale.deviation
        free = 1 + units.shape[-1]
        straight = self.coefficients[0] + units @ self.coefficients[1:free]
        return straight + space.cos(units @ self.frequencies + self.phases) @ self.coefficients[free:]


def fourier_regression(inputs: Floats, values: Floats, features: int = FEATURES, seed: int = 0) -> FourierFit:
    """The fit of values to inputs; without inputs the mean."""
    scale = Scale.of(inputs)
    units, size = scale.apply(inputs), inputs.shape[1]
    generator = np.random.default_rng(seed)
    draws = generator.normal(size=(size, features if size else 0))
    phases = generator.uniform(0, 2 * np.pi, draws.shape[1])
    fits = [_fitted(scale, units, values, draws / (length * np.sqrt(max(size, 1))), phases) for length in LENGTHS]
    return min(fits, key=lambda fit: fit.error)


def _fitted(scale: Scale, units: Floats, values: Floats, frequencies: Floats, phases: Floats) -> FourierFit:
    """The penalty of least generalised cross-validation, by one eigendecomposition."""
    design = _design(units, frequencies, phases)
    free, count = 1 + units.shape[1], len(values)
    plain, waves = design[:, :free], design[:, free:]
    base = np.linalg.lstsq(plain, values, rcond=None)[0]
    left = values - plain @ base
    # What the inputs explain of the features is taken out, so that the penalty does not touch the straight part.
    through = np.linalg.lstsq(plain, waves, rcond=None)[0]
    waves = waves - plain @ through
    weights, axes = np.linalg.eigh(waves.T @ waves / count)
    weights, moment = np.maximum(weights, 0.0), axes.T @ (waves.T @ left) / count
    total = float(left @ left) / count
    best = (np.inf, PENALTIES[0])
    for penalty in PENALTIES:
        shrunk = moment / (weights + penalty)
        rest = total - 2 * float(moment @ shrunk) + float(weights @ shrunk**2)
        freedom = free + float((weights / (weights + penalty)).sum())
        score = rest / max(1 - freedom / count, 1e-6) ** 2
        best = min(best, (score, penalty))
    own = axes @ (moment / (weights + best[1]))
    coefficients = np.concatenate([base - through @ own, own])
    return FourierFit(scale, frequencies, phases, coefficients, float(best[0]))


def _design(units: Floats, frequencies: Floats, phases: Floats) -> Floats:
    # Cosines of single precision are several times as fast, and far more exact than a regression needs.
    waves = np.cos((units @ frequencies + phases).astype(np.float32)).astype(np.float64)
    return np.concatenate([np.ones((len(units), 1)), units, waves], axis=1)
