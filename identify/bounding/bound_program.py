"""Linear programs over response types, solved by HiGHS and made exact where the numbers are.

The optimum that floating point finds is a vertex, so it is given by which columns are tight; solving for that vertex
and for its multipliers in rationals, and checking both against every column, proves the value by weak duality.  A
quotient of linear forms is made linear by Charnes and Cooper (1962).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Number: TypeAlias = Any
Column: TypeAlias = Mapping[int, Number]

TOLERANCE = 1e-10
MOST_EXACT = 20_000


@dataclass(frozen=True)
class LinearProgram:
    """Minimise cost . p where `columns` give the rows of A p = bounds, and p >= 0."""

    columns: tuple[Column, ...]
    right: tuple[Number, ...]
    cost: tuple[Number, ...]


@dataclass(frozen=True)
class Optimum:
    """The least cost, a vertex that has it, and whether both are exact rationals checked by duality."""

    value: Number
    point: tuple[Number, ...]
    exact: bool


def minimise(program: LinearProgram) -> Optimum | None:
    """The optimum; None where no point is feasible.  Raises `ValueError` where the cost has no least value."""
    found = _highs(program)
    return None if found is None else _optimum(program, *found)


def minimise_each(programs: Sequence[LinearProgram]) -> tuple[Optimum | None, ...]:
    """The optimum of each program, all solved side by side in one call; None where no point is feasible."""
    if len(programs) < 2:
        return tuple(map(minimise, programs))
    found = _highs(_beside(programs))
    if found is None:
        return tuple(map(minimise, programs))
    point, multipliers = found
    points = np.split(point, np.cumsum([len(each.columns) for each in programs])[:-1])
    duals = np.split(multipliers, np.cumsum([len(each.right) for each in programs])[:-1])
    return tuple(_optimum(*parts) for parts in zip(programs, points, duals, strict=True))


def _beside(programs: Sequence[LinearProgram]) -> LinearProgram:
    """The programs as one, which share no row and no column."""
    columns: list[Column] = []
    start = 0
    for each in programs:
        columns += [{start + row: entry for row, entry in column.items()} for column in each.columns]
        start += len(each.right)
    right = tuple(entry for each in programs for entry in each.right)
    return LinearProgram(tuple(columns), right, tuple(cost for each in programs for cost in each.cost))


def _optimum(program: LinearProgram, point: NDArray[np.float64], multipliers: NDArray[np.float64]) -> Optimum:
    """The optimum in rationals where it can be proved so, else in floats."""
    exact = _certified(program, point, multipliers) if _is_exact(program) else None
    if exact is not None:
        return exact
    value = float(np.dot([float(cost) for cost in program.cost], point))
    return Optimum(value, tuple(map(float, point)), False)


def _matrix(program: LinearProgram) -> Any:
    from scipy.sparse import csc_array

    data = [float(entry) for column in program.columns for entry in column.values()]
    rows = [row for column in program.columns for row in column]
    starts = np.cumsum([0, *(len(column) for column in program.columns)])
    return csc_array((data, rows, starts), shape=(len(program.right), len(program.columns)))


def _highs(program: LinearProgram) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    from scipy.optimize import linprog

    options = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    right = np.array([float(entry) for entry in program.right])
    cost = np.array([float(entry) for entry in program.cost])
    found = linprog(cost, A_eq=_matrix(program), b_eq=right, bounds=(0, None), method="highs-ds", options=options)
    if found.status == 2:
        return None
    if found.status != 0:
        raise ValueError(f"the linear program has no optimum: {found.message}")
    return np.asarray(found.x), np.asarray(found.eqlin.marginals)


def nearest(program: LinearProgram) -> tuple[float, tuple[float, ...]]:
    """The right side nearest to the program's that some p >= 0 reaches, and the most by which an entry differs.

    Row 0, which says that probabilities sum to one, is kept.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    matrix = csr_array(_matrix(program))
    right = np.array([float(entry) for entry in program.right])
    slack = csr_array(np.ones((len(right) - 1, 1)))
    soft, bound = matrix[1:], right[1:]
    sides = vstack([hstack([soft, -slack]), hstack([-soft, -slack])])
    first = hstack([matrix[:1], csr_array((1, 1))])
    cost = np.append(np.zeros(len(program.columns)), 1.0)
    found = linprog(cost, sides, np.concatenate([bound, -bound]), first, right[:1], bounds=(0, None), method="highs")
    reached = matrix @ found.x[:-1]
    return float(found.fun), tuple(map(float, reached))


# ---------------------------------------------------------------------------------------------------------------------
# Exact certificates


def _is_exact(program: LinearProgram) -> bool:
    if len(program.columns) > MOST_EXACT:
        return False
    numbers = (*program.right, *program.cost, *(entry for column in program.columns for entry in column.values()))
    return all(isinstance(number, Fraction | int) for number in numbers)


def _certified(program: LinearProgram, point: NDArray[np.float64], multipliers: NDArray[np.float64]) -> Optimum | None:
    """The vertex in rationals with its proof; None where rounding hid which columns are tight."""
    reduced = np.array([float(cost) for cost in program.cost]) - _matrix(program).T @ multipliers
    tight = [int(place) for place in np.argsort(-point, kind="stable") if abs(reduced[place]) < 1e-7]
    support = [place for place in tight if point[place] > 1e-9]
    duals = solve([(dict(program.columns[place]), program.cost[place]) for place in tight])
    shares = solve(_rows(program, support)) or solve(_rows(program, tight))
    if duals is None or shares is None or any(share < 0 for share in shares.values()):
        return None
    if any(_price(column, duals) > cost for column, cost in zip(program.columns, program.cost, strict=True)):
        return None
    value = sum((shares.get(place, Fraction(0)) * program.cost[place] for place in shares), Fraction(0))
    proof = sum((duals.get(row, Fraction(0)) * right for row, right in enumerate(program.right)), Fraction(0))
    whole = tuple(shares.get(place, Fraction(0)) for place in range(len(program.columns)))
    return Optimum(value, whole, True) if value == proof else None


def _price(column: Column, duals: Mapping[int, Fraction]) -> Fraction:
    return sum((entry * duals[row] for row, entry in column.items() if row in duals), Fraction(0))


def _rows(program: LinearProgram, places: Sequence[int]) -> list[tuple[dict[int, Number], Number]]:
    """A p = bounds over the given columns alone, row by row."""
    rows: list[dict[int, Number]] = [{} for _ in program.right]
    for place in places:
        for row, entry in program.columns[place].items():
            rows[row][place] = entry
    return list(zip(rows, program.right, strict=True))


def solve(equations: Sequence[tuple[Mapping[int, Number], Number]]) -> dict[int, Fraction] | None:
    """A rational solution of linear equations, unknowns that nothing fixes at zero; None where there is none.

    >>> solve([({0: 1, 1: 1}, 3), ({0: 1, 1: -1}, 1)])
    {1: Fraction(1, 1), 0: Fraction(2, 1)}
    """
    pivots: dict[int, tuple[dict[int, Fraction], Fraction]] = {}
    for given, total in equations:
        row, right = reduce(given, total, pivots)
        if row:
            pivot = next(iter(row))
            lead = row.pop(pivot)
            pivots[pivot] = {place: entry / lead for place, entry in row.items()}, right / lead
        elif right != 0:
            return None
    found: dict[int, Fraction] = {}
    for pivot, (row, right) in reversed(pivots.items()):
        found[pivot] = right - sum((entry * found.get(place, Fraction(0)) for place, entry in row.items()), Fraction(0))
    return found


def reduce(
    given: Mapping[int, Number], total: Number, pivots: Mapping[int, tuple[Mapping[int, Fraction], Fraction]]
) -> tuple[dict[int, Fraction], Fraction]:
    """An equation without the pivots of earlier ones, which are in the order they were found."""
    row = {place: Fraction(entry) for place, entry in given.items() if entry}
    right = Fraction(total)
    for pivot, (other, value) in pivots.items():
        factor = row.pop(pivot, None)
        if factor is not None:
            right -= factor * value
            for place, entry in other.items():
                row[place] = row.get(place, Fraction(0)) - factor * entry
                if not row[place]:
                    del row[place]
    return row, right


# ---------------------------------------------------------------------------------------------------------------------
# Quotients


def quotient_program(
    parts: Sequence[LinearProgram], below: Sequence[Sequence[Number]], above: Number, under: Number
) -> LinearProgram:
    """The program of (costs . p + above) / (below . p + under) over the parts side by side (Charnes and Cooper 1962).

    Its columns are those of the parts in order, all scaled by the last one; the denominator, never negative, is one.
    """
    columns: list[Column] = []
    scale: dict[int, Number] = {}
    start = 1
    for part, weights in zip(parts, below, strict=True):
        for column, weight in zip(part.columns, weights, strict=True):
            columns.append({**({0: weight} if weight else {}), **{start + row: entry for row, entry in column.items()}})
        scale |= {start + row: -entry for row, entry in enumerate(part.right) if entry}
        start += len(part.right)
    columns.append({**({0: under} if under else {}), **scale})
    right = (Fraction(1), *([Fraction(0)] * (start - 1)))
    return LinearProgram(tuple(columns), right, (*(cost for part in parts for cost in part.cost), above))
