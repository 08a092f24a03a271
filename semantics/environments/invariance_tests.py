"""Tests of one mechanism against the environment: is P(variable | its causes) the same everywhere?

Finite variables: in each case of the causes a table of environments by values, and G = 2 sum O log(O / E) over all of
them (Agresti 2013, section 3.2), chi-squared with the summed degrees of freedom where every expected count is at least
five, else against tables with the same margins drawn at random in every case, which is exact for any counts up to the
number of draws.

Real variables, with least squares on the causes: whether constants and slopes are the same (Chow 1960, an F test of
nested regressions), and whether residuals are as wide (Brown and Forsythe 1974); the smaller of the two p-values,
doubled.  Its null distribution needs residuals near normal, or many rows, and a mean that is linear in the causes.

Several variables at once: Holm's (1979) step-down, with which the probability that any stable mechanism at all is
called changing is at most the level, however the tests depend on each other.  What no test sees: a mechanism that these
environments happen to share, a change too small for so many rows, a change behind hidden common causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fourier_regression import fourier_regression

Floats = NDArray[np.float64]
DRAWS = 1999
ENOUGH = 5.0
"""The least expected count for which G is taken as chi-squared."""


@dataclass(frozen=True, slots=True)
class MechanismTest:
    """The test of one variable given others: its p-value, and the same for several tests at once (`adjusted`)."""

    variable: str
    given: tuple[str, ...]
    statistic: str
    p_value: float
    adjusted: float = 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those at most a level errs anywhere with at most that probability.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    found, largest = [0.0] * count, 0.0
    for rank, place in enumerate(sorted(range(count), key=lambda number: p_values[number])):
        largest = max(largest, min(1.0, (count - rank) * p_values[place]))
        found[place] = largest
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Finite variables


def independence(counts: Floats, generator: np.random.Generator, draws: int = DRAWS) -> tuple[str, float]:
    """How the test was made, and its p-value, for counts with axes (environments, cases.., values)."""
    table = counts.reshape(counts.shape[0], -1, counts.shape[-1])
    strata = [kept for case in range(table.shape[1]) if min((kept := _filled(table[:, case])).shape) > 1]
    if not strata:
        return "nothing to compare", 1.0
    expected = [_expected(each) for each in strata]
    value = sum(_statistic(each, mean) for each, mean in zip(strata, expected, strict=True))
    if min(float(mean.min()) for mean in expected) >= ENOUGH:
        from scipy.stats import chi2

        freedom = sum((each.shape[0] - 1) * (each.shape[1] - 1) for each in strata)
        return f"G = {value:.4g}, {freedom} degrees of freedom", float(chi2.sf(value, freedom))
    drawn = np.zeros(draws)
    for each, mean in zip(strata, expected, strict=True):
        drawn += _drawn_statistics(each, mean, draws, generator)
    reached = int((drawn >= value - 1e-9 * max(1.0, value)).sum())
    return f"G = {value:.4g}, {draws} tables of the same margins", (1 + reached) / (1 + draws)


def _filled(table: Floats) -> Floats:
    """Environments and values that occur in this case."""
    return table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]


def _expected(table: Floats) -> Floats:
    return np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()


def _statistic(table: Floats, expected: Floats) -> float:
    ratio = np.where(table > 0, table / expected, 1.0)
    return float(2 * (table * np.log(ratio)).sum())


def _drawn_statistics(table: Floats, expected: Floats, draws: int, generator: np.random.Generator) -> Floats:
    """G of random tables with the margins of this one."""
    from scipy.stats import random_table

    rows, columns = table.sum(axis=1).astype(np.int64), table.sum(axis=0).astype(np.int64)
    made = random_table(rows, columns).rvs(size=draws, random_state=generator).reshape(draws, *table.shape)
    ratio = np.where(made > 0, made / expected, 1.0)
    return 2 * (made * np.log(ratio)).sum(axis=(1, 2))


# ---------------------------------------------------------------------------------------------------------------------
# Real variables


def same_regression(causes: Sequence[Floats], effects: Sequence[Floats]) -> tuple[str, float]:
    """How the test was made, and its p-value; one array `rows causes`, and one of values, an environment."""
    from scipy.stats import f as fisher

    designs = [np.column_stack([np.ones(len(own)), own]) for own in causes]
    together, apart = np.concatenate(designs), [_residuals(x, y) for x, y in zip(designs, effects, strict=True)]
    pooled = _residuals(together, np.concatenate(effects))
    freedom = sum(int(np.linalg.matrix_rank(each)) for each in designs)
    more, left = freedom - int(np.linalg.matrix_rank(together)), len(together) - freedom
    inner, outer = float(sum((each**2).sum() for each in apart)), float((pooled**2).sum())
    if more <= 0 or left <= 0:
        return "nothing to compare", 1.0
    ratio = np.inf if inner <= 1e-300 else (outer - inner) / more / (inner / left)
    means = 1.0 if outer <= 1e-300 else float(fisher.sf(ratio, more, left))
    widths = same_width(apart)
    return f"F = {ratio:.4g} ({more}, {left}); widths p = {widths:.3g}", min(1.0, 2 * min(means, widths))


def same_curve(causes: Sequence[Floats], effects: Sequence[Floats]) -> tuple[str, float]:
    """The same where the mean is no straight line: what a smooth fit to all rows leaves is tested so."""
    together = np.concatenate(causes)
    fit = fourier_regression(together, np.concatenate(effects))
    left = [values - fit.predict(own) for own, values in zip(causes, effects, strict=True)]
    return same_regression(causes, left)


def same_width(residuals: Sequence[Floats]) -> float:
    """The p-value of Brown and Forsythe's test: an analysis of variance of distances to the median."""
    kept = [np.abs(each - np.median(each)) for each in residuals if len(each) > 1]
    return analysis_of_variance(kept)


def analysis_of_variance(groups: Sequence[Floats]) -> float:
    """The p-value of equal means of the groups."""
    from scipy.stats import f as fisher

    count, total = len(groups), sum(len(each) for each in groups)
    if count < 2 or total <= count:
        return 1.0
    middle = np.concatenate(groups).mean()
    between = sum(len(each) * (each.mean() - middle) ** 2 for each in groups) / (count - 1)
    within = sum(((each - each.mean()) ** 2).sum() for each in groups) / (total - count)
    if within <= 0:
        return 1.0 if between <= 0 else 0.0
    return float(fisher.sf(between / within, count - 1, total - count))


def _residuals(design: Floats, values: Floats) -> Floats:
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
