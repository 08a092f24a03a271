"""Vertices of a polyhedron by the double description method, in whole numbers.

Source: Motzkin, Raiffa, Thompson, Thrall (1953), with the combinatorial test of adjacency of Fukuda and Prodon (1996).
A ray is kept as a tuple of integers without common factor, with a mask of the inequalities that are tight on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

Vector = tuple[int, ...]


def vertices(
    rows: Sequence[Sequence[int]], right: Sequence[int], most: int = 20_000
) -> tuple[tuple[tuple[Fraction, ...], ...], tuple[Vector, ...]] | None:
    """The vertices and the extreme rays of {y : rows y <= right}, in lexicographic order; None beyond `most` rays.

    Raises `ValueError` where the polyhedron contains a line.

    >>> vertices([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])[0]
    ((Fraction(0, 1), Fraction(0, 1)), (Fraction(0, 1), Fraction(1, 1)), (Fraction(1, 1), Fraction(0, 1)))
    """
    width = len(rows[0])
    cone = [(*(-entry for entry in row), bound) for row, bound in zip(rows, right, strict=True)]
    rays = extreme_rays([*cone, (*([0] * width), 1)], most)
    if rays is None:
        return None
    found = sorted(tuple(Fraction(entry, ray[-1]) for entry in ray[:-1]) for ray in rays if ray[-1])
    return tuple(found), tuple(sorted(ray[:-1] for ray in rays if not ray[-1]))


def extreme_rays(inequalities: Sequence[Vector], most: int = 20_000) -> tuple[Vector, ...] | None:
    """The extreme rays of the pointed cone {x : every inequality . x >= 0}; None where more than `most` turn up.

    Raises `ValueError` where the cone contains a line.
    """
    width = len(inequalities[0])
    start, rays = _simplicial(inequalities, width)
    whole = sum(1 << number for number in start)
    tight = {ray: whole & ~(1 << missing) for ray, missing in rays.items()}
    for number, inequality in enumerate(inequalities):
        if number in start:
            continue
        sides = {ray: dot(inequality, ray) for ray in tight}
        above = [ray for ray, side in sides.items() if side > 0]
        below = [ray for ray, side in sides.items() if side < 0]
        new: dict[Vector, int] = {}
        for positive in above:
            for negative in below:
                common = tight[positive] & tight[negative]
                if common.bit_count() >= width - 2 and _adjacent(common, positive, negative, tight):
                    mixed = zip(positive, negative, strict=True)
                    ray = primitive([sides[positive] * other - sides[negative] * one for one, other in mixed])
                    new[ray] = common | 1 << number
        kept = {ray: zero | (sides[ray] == 0) << number for ray, zero in tight.items() if sides[ray] >= 0}
        tight = kept | new
        if len(tight) > most:
            return None
    return tuple(tight)


def _adjacent(common: int, one: Vector, other: Vector, tight: dict[Vector, int]) -> bool:
    """Whether no third ray is tight wherever both are."""
    return not any(common & ~zero == 0 for ray, zero in tight.items() if ray is not one and ray is not other)


def _simplicial(inequalities: Sequence[Vector], width: int) -> tuple[tuple[int, ...], dict[Vector, int]]:
    """A cone cut out by independent inequalities alone: their numbers, and each ray with the one not tight on it."""
    chosen: list[int] = []
    basis: list[list[Fraction]] = []
    for number, inequality in enumerate(inequalities):
        row = [Fraction(entry) for entry in inequality]
        for other in basis:
            lead = next(place for place, entry in enumerate(other) if entry)
            row = [entry - row[lead] / other[lead] * step for entry, step in zip(row, other, strict=True)]
        if any(row):
            basis.append(row)
            chosen.append(number)
    if len(chosen) < width:
        raise ValueError("the cone contains a line")
    inverse = _inverse([[Fraction(entry) for entry in inequalities[number]] for number in chosen])
    rays = {_whole([row[place] for row in inverse]): number for place, number in enumerate(chosen)}
    return tuple(chosen), rays


def _inverse(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    size = len(matrix)
    work = [[*row, *(Fraction(int(i == place)) for place in range(size))] for i, row in enumerate(matrix)]
    for place in range(size):
        swap = next(row for row in range(place, size) if work[row][place])
        work[place], work[swap] = work[swap], work[place]
        lead = work[place][place]
        work[place] = [entry / lead for entry in work[place]]
        for row in range(size):
            factor = work[row][place]
            if row != place and factor:
                work[row] = [entry - factor * other for entry, other in zip(work[row], work[place], strict=True)]
    return [row[size:] for row in work]


def dot(first: Sequence[int], second: Sequence[int]) -> int:
    """The inner product."""
    return sum(one * other for one, other in zip(first, second, strict=True))


def primitive(vector: Sequence[int]) -> Vector:
    """The vector divided by the greatest common divisor of its entries.

    >>> primitive([4, -6])
    (2, -3)
    """
    common = gcd(*vector)
    return tuple(entry // common for entry in vector) if common > 1 else tuple(vector)


def _whole(vector: Sequence[Fraction]) -> Vector:
    scale = lcm(*(entry.denominator for entry in vector))
    return primitive([int(entry * scale) for entry in vector])
