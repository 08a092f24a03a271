"""Linear algebra over any field whose elements Python can add and divide: Fractions exactly, floats with pivoting.

Matrices are numpy arrays, of objects where the entries are Fractions.  Sizes are those of latent models (tens), where
elimination in Fractions takes milliseconds and needs no further library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, TypeAlias

import numpy as np

Matrix: TypeAlias = Any
"""A numpy array of Fractions (dtype object) or of floats, `rows columns`."""

TOLERANCE = 1e-9
"""Floats smaller than this, relative to the largest entry, count as zero in ranks and pivots."""


class Singular(Exception):
    """The matrix has no inverse."""


def matrix(rows: Iterable[Iterable[Any]]) -> Matrix:
    """Rows as a matrix: of Fractions where every entry is rational (an int counts), else of floats."""
    entries = [list(row) for row in rows]
    if all(isinstance(entry, (int, Fraction)) for row in entries for entry in row):
        made = np.empty((len(entries), len(entries[0]) if entries else 0), dtype=object)
        for place, row in enumerate(entries):
            made[place, :] = [Fraction(entry) for entry in row]
        return made
    return np.array([[float(entry) for entry in row] for row in entries])


def vector(entries: Sequence[Any]) -> Matrix:
    """Entries as a vector of Fractions or of floats, as `matrix`."""
    return matrix([entries])[0] if len(entries) else np.empty(0, dtype=object)


def is_exact(array: Matrix) -> bool:
    """Whether the entries are Fractions."""
    return array.dtype == object


def identity(size: int, exact: bool) -> Matrix:
    """The identity matrix, of Fractions or of floats."""
    return matrix([[int(row == column) for column in range(size)] for row in range(size)]) if exact else np.eye(size)


def floats(array: Matrix) -> Matrix:
    """The entries as floats."""
    return array.astype(np.float64)


def product(*factors: Matrix) -> Matrix:
    """The product of matrices (the last may be a vector); of Fractions over common denominators, in integers.

    Python multiplies integers tens of times faster than it does Fractions, which look for common factors each time.

    >>> product(matrix([[1, 2], [0, 1]]), vector([Fraction(1, 2), 3]))[0]
    Fraction(13, 2)
    """
    *others, made = factors
    for left in reversed(others):
        if not (is_exact(left) and is_exact(made)):
            made = left.astype(float) @ made.astype(float)
            continue
        (above, below), (right, under) = _integers(left), _integers(made)
        made = _fractions(above @ right, below * under)
    return made


def _integers(array: Matrix) -> tuple[Matrix, int]:
    """Fractions as integers over their common denominator."""
    below = lcm(*(entry.denominator for entry in array.flat))
    whole = np.array([entry.numerator * (below // entry.denominator) for entry in array.flat], dtype=object)
    return whole.reshape(array.shape), below


def _fractions(whole: Matrix, below: int) -> Matrix:
    made = np.empty(whole.shape, dtype=object)
    made.reshape(-1)[:] = [Fraction(entry, below) for entry in whole.flat]
    return made


def inverse(square: Matrix) -> Matrix:
    """The inverse matrix; of Fractions by elimination in integers (Bareiss 1968).  Raises `Singular`.

    >>> inverse(matrix([[1, 2], [0, 4]]))[0, 1]
    Fraction(-1, 2)
    """
    size = len(square)
    if not is_exact(square):
        if size and np.linalg.matrix_rank(square, TOLERANCE * max(1e-300, float(np.abs(square).max()))) < size:
            raise Singular
        return np.linalg.inv(square)
    whole, below = _integers(square)
    work = np.concatenate([whole, np.eye(size, dtype=int).astype(object)], axis=1)
    last = 1
    for column in range(size):
        row = next((row for row in range(column, size) if work[row, column] != 0), None)
        if row is None:
            raise Singular
        # Bareiss: every division is exact, and entries stay minors of the matrix.
        if row != column:
            work[[column, row]] = work[[row, column]]
        pivot = work[column, column]
        for other in range(size):
            if other != column:
                work[other] = (work[other] * pivot - work[column] * work[other, column]) // last
        last = pivot
    return _fractions(work[:, size:] * below, last) if size else square


def echelon(rows: Matrix, columns: int | None = None) -> tuple[Matrix, tuple[int, ...]]:
    """The reduced row echelon form and its pivot columns, pivots sought in the first `columns` columns."""
    work = rows.copy()
    width = rows.shape[1] if columns is None else columns
    scale = 0.0 if is_exact(rows) or not rows.size else TOLERANCE * max(1e-300, float(np.abs(rows).max()))
    pivots: list[int] = []
    for column in range(width):
        row = len(pivots)
        if row == len(work):
            break
        sizes = [abs(entry) for entry in work[row:, column]]
        best = max(range(len(sizes)), key=sizes.__getitem__) if scale else _first(sizes)
        if best is None or sizes[best] <= scale:
            continue
        work[[row, row + best]] = work[[row + best, row]]
        work[row] = work[row] / work[row, column]
        for other in range(len(work)):
            if other != row and work[other, column] != 0:
                work[other] = work[other] - work[other, column] * work[row]
        pivots.append(column)
    return work, tuple(pivots)


def _first(sizes: Sequence[Any]) -> int | None:
    """In exact arithmetic any pivot will do; the first keeps the numbers small."""
    return next((place for place, size in enumerate(sizes) if size != 0), None)


def rank(rows: Matrix) -> int:
    """The rank; of floats, up to `TOLERANCE`."""
    return len(echelon(rows)[1]) if rows.size else 0


def row_space(rows: Matrix) -> Matrix:
    """A basis of the row space, as rows in reduced echelon form."""
    reduced, pivots = echelon(rows)
    return reduced[: len(pivots)]


def gf2_rank(rows: Matrix) -> int:
    """The rank of a matrix of zeros and ones over the field of two elements.

    >>> gf2_rank(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]))
    2
    """
    masks = [int("".join(map(str, row)) or "0", 2) for row in (rows.astype(int) % 2).tolist()]
    found = 0
    while masks:
        pivot = masks.pop()
        if pivot:
            found += 1
            low = pivot & -pivot
            masks = [mask ^ pivot if mask & low else mask for mask in masks]
    return found


def text(number: Any) -> str:
    """A number as the language writes it: a Fraction exactly, a float with all its digits.

    >>> text(Fraction(-1, 2)), text(0.1)
    ('-1/2', '0.1')
    """
    return str(number) if isinstance(number, (int, Fraction)) else repr(float(number))
