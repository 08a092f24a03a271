"""The rows of a data set grouped for a likelihood: equal ones counted, those with the same values missing together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ..factors import Array
from .batches import CASE, UNSEEN, Packed

MOST_PATTERNS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Distinct rows of one group: codes of the columns, of shape (rows,), and how often each row occurs."""

    codes: Mapping[str, Packed]
    counts: Array


def row_weights(values: Any, name: str | None) -> Array | None:
    """The weights of the rows; None where there are none.

    Raises `SutureError` S489 for a column that does not exist or holds anything but numbers of at least zero.
    """
    if name is None:
        return None
    if values is None:
        raise SutureError(Diagnostic("S489", f"the data have no column '{name}' for the weights"))
    weights = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        message = f"column {name} holds weights that are not numbers of at least 0"
        raise SutureError(Diagnostic("S489", message, help="give every row a weight, 0 to leave it out"))
    return weights


def grouped(columns: Mapping[str, Packed], weights: Array | None) -> Iterator[Rows]:
    """The distinct rows, by the pattern of what is missing; beyond a few patterns all the others go together."""
    names = list(columns)
    if not names:
        return
    table = np.stack(np.broadcast_arrays(*(np.atleast_1d(each.codes) for each in columns.values())), axis=-1)
    rows, inverse = _distinct(table)
    counts = np.bincount(inverse, weights=weights, minlength=len(rows)).astype(np.float64)
    rows, counts = rows[counts > 0], counts[counts > 0]
    patterns, which = _distinct(rows != UNSEEN)
    sizes = np.bincount(which, minlength=len(patterns))
    alone = np.argsort(-sizes, kind="stable")[: MOST_PATTERNS if len(patterns) > MOST_PATTERNS else None]
    for number in alone:
        seen = patterns[number]
        chosen = which == number
        kept = {name: Packed((CASE,), rows[chosen, n]) for n, name in enumerate(names) if seen[n]}
        yield Rows(kept, counts[chosen])
    rest = ~np.isin(which, alone)
    if rest.any():
        yield Rows({name: Packed((CASE,), rows[rest, n]) for n, name in enumerate(names)}, counts[rest])


def _distinct(table: Array) -> tuple[Array, Array]:
    """The distinct rows of a table, and for each row which of them it is; rows are compared as bytes."""
    lines = np.ascontiguousarray(table)
    keys = lines.view(np.dtype((np.void, lines.dtype.itemsize * lines.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return lines[first], inverse


def weighted_sum(values: Array, place: int, counts: Array) -> Array:
    """The sum along an axis, each place as often as it counts."""
    return np.tensordot(values, counts, axes=(place, 0))


def without(items: Sequence[Any], place: int) -> tuple[Any, ...]:
    """A sequence without one of its items."""
    return (*items[:place], *items[place + 1 :])
