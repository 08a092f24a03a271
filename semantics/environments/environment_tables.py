"""Finite data of several environments: distinct rows, and how often each environment has them.

A row that occurs is kept once with its weight in every environment, so that a table over any variables is one product
with a sparse matrix, for all environments and for all bootstrap samples of them at once.  Samples are drawn within each
environment (Efron and Tibshirani 1993, chapter 6, stratified): the number of its rows stays what it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError, one_of
from ..data.empirical import Empirical
from ..semiring import Array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentTables:
    """`rows[r, v]` is the place of a value among the labels of a variable, `weights[.., e, r]` how often environment e
    has the row; axes before are samples drawn from it.
    """

    names: tuple[str, ...]
    variables: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    rows: NDArray[np.intp]
    weights: Floats

    @property
    def totals(self) -> Floats:
        """The weight of each environment."""
        return self.weights.sum(axis=-1)

    @property
    def counted(self) -> bool:
        """Whether weights are numbers of rows, so that samples can be drawn and tests made."""
        return bool((self.weights == np.round(self.weights)).all())

    def shape(self, variables: Sequence[str]) -> tuple[int, ...]:
        """The number of labels of each variable."""
        return tuple(len(self.labels[name]) for name in variables)

    def table(self, variables: Sequence[str]) -> Floats:
        """The weight of every combination of the variables' values: axes (samples.., environments, variables..)."""
        from scipy.sparse import csr_matrix

        shape = self.shape(variables)
        size = math.prod(shape)
        places = [self.variables.index(name) for name in variables]
        codes = np.ravel_multi_index(tuple(self.rows[:, places].T), shape) if places else np.zeros(len(self.rows), int)
        count = len(self.rows)
        spread = csr_matrix((np.ones(count), (codes, np.arange(count))), (size, count))
        flat = (spread @ self.weights.reshape(-1, count).T).T
        return np.ascontiguousarray(flat).reshape(*self.weights.shape[:-1], *shape)

    def resampled(self, draws: int, generator: np.random.Generator) -> EnvironmentTables:
        """Bootstrap samples of every environment, an axis `draws` before the environments."""
        made = np.stack(
            [generator.multinomial(round(own.sum()), own / own.sum(), size=draws) for own in self.weights], axis=1
        )
        return replace(self, weights=made.astype(np.float64))


def environment_tables(tables: Mapping[str, Empirical], variables: Sequence[str]) -> EnvironmentTables:
    """The tables of named environments over the same variables.

    Raises `SutureError` S308 where one has no column for a variable, S491 where its values are not those of the others,
    S603 where the variables have too many combinations of values.
    """
    first = next(iter(tables.values()))
    labels = {name: first.labels(name) for name in variables}
    found: list[Array] = []
    for environment, table in tables.items():
        for name in variables:
            if table.labels(name) != labels[name]:
                _refuse(name, environment, table.labels(name), next(iter(tables)), labels[name])
        found.append(np.asarray(table.weights(variables)).astype(np.float64))
    stacked = np.stack(found)
    flat = stacked.reshape(len(found), -1)
    seen = np.flatnonzero(flat.sum(axis=0) > 0)
    shape = tuple(len(labels[name]) for name in variables)
    rows = np.stack(np.unravel_index(seen, shape), axis=-1) if shape else np.zeros((len(seen), 0), dtype=np.intp)
    return EnvironmentTables(tuple(tables), tuple(variables), labels, rows.astype(np.intp), flat[:, seen])


def _refuse(name: str, environment: str, own: Sequence[str], other: str, theirs: Sequence[str]) -> None:
    message = f"{name} has the values {one_of(list(own))} in {environment}, and {one_of(list(theirs))} in {other}"
    raise SutureError(Diagnostic("S491", message, help=f"declare the values of {name} in the model"))


def conditionals(counts: Array, smoothing: float = 0.0) -> tuple[Floats, NDArray[np.bool_]]:
    """P(last axis | the others) from counts, each raised by `smoothing`, and the rows that hold nothing: uniform.

    >>> rows, empty = conditionals(np.array([[3.0, 1.0], [0.0, 0.0]]))
    >>> rows.tolist(), empty.tolist()
    ([[0.75, 0.25], [0.5, 0.5]], [False, True])
    """
    raised: Any = np.asarray(counts, dtype=np.float64) + smoothing
    totals = raised.sum(axis=-1, keepdims=True)
    empty = totals[..., 0] <= 0
    return np.where(totals > 0, raised / np.where(totals > 0, totals, 1.0), 1 / raised.shape[-1]), empty
