"""Real data of several environments: rows of numbers, their second moments, and bootstrap samples of these.

A regression, a covariance and a mean square need nothing but second moments of (1, variables).  Those of a bootstrap
sample are weighted sums over rows, so all samples of an environment are one matrix product; samples are drawn within
each environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CHUNK = 1 << 22
"""Entries of the weights of samples that are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentRows:
    """`rows[e]` is an array `rows variables`."""

    names: tuple[str, ...]
    variables: tuple[str, ...]
    rows: tuple[Floats, ...]

    def columns(self, chosen: Sequence[str]) -> list[Floats]:
        """Some variables in each environment, an array `rows variables` each."""
        places = [self.variables.index(name) for name in chosen]
        return [own[:, places] for own in self.rows]

    def column(self, name: str) -> list[Floats]:
        """One variable in each environment."""
        return [own[:, self.variables.index(name)] for own in self.rows]

    @property
    def count(self) -> int:
        """The number of all rows."""
        return sum(len(own) for own in self.rows)

    def second(self) -> Floats:
        """The sum over all rows of v v', v = (1, variables)."""
        return np.sum([own.T @ own for own in map(with_one, self.rows)], axis=0)

    def resampled(self, draws: int, generator: np.random.Generator) -> Floats:
        """The same of bootstrap samples of every environment: axes (draws, 1 and variables, 1 and variables)."""
        size = len(self.variables) + 1
        total = np.zeros((draws, size * size))
        for own in self.rows:
            joint = with_one(own)
            outer = (joint[:, :, None] * joint[:, None, :]).reshape(len(own), -1)
            even = np.full(len(own), 1 / len(own))
            step = max(1, CHUNK // len(own))
            for start in range(0, draws, step):
                stop = min(start + step, draws)
                total[start:stop] += generator.multinomial(len(own), even, size=stop - start) @ outer
        return total.reshape(draws, size, size)


def with_one(rows: Floats) -> Floats:
    """The rows with a column of ones before them."""
    return np.concatenate([np.ones((len(rows), 1)), rows], axis=1)


def regressions(second: Floats, causes: Sequence[int], effect: int) -> tuple[Floats, Floats]:
    """The constant and slopes of one variable on others, and the variance left over, from sums of squares.

    `second` has axes (samples.., 1 and variables, 1 and variables), its first entry the number of rows; `causes` and
    `effect` are places in it.  The variance is divided by the rows less the coefficients.
    """
    places = [0, *causes]
    inner, across = second[..., places, :][..., places], second[..., places, effect]
    found: Any = (np.linalg.pinv(inner, rcond=1e-12, hermitian=True) @ across[..., None])[..., 0]
    left = second[..., effect, effect] - (found * across).sum(axis=-1)
    freedom = np.maximum(second[..., 0, 0] - len(places), 1.0)
    return found, np.maximum(left, 0.0) / freedom
