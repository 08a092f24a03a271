"""Random networks of arrays over shared axes, and their value by listing every position of every axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from suture.semantics.semiring import Semiring


@dataclass(frozen=True)
class Shape:
    """Operands with their axes, the length of every axis, and one array of probabilities an operand."""

    operands: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    arrays: tuple[np.ndarray, ...]


@st.composite
def shapes(draw: st.DrawFn, most: int = 6) -> Shape:
    """One to seven operands over up to `most` axes of length one to three, some entries zero, diagonals included."""
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    sizes = tuple(int(size) for size in generator.integers(1, 4, size=most))
    operands = [
        tuple(int(axis) for axis in generator.integers(0, most, size=generator.integers(0, 4)))
        for _ in range(draw(st.integers(1, 7)))
    ]
    used = sorted({axis for own in operands for axis in own})
    number = {axis: place for place, axis in enumerate(used)}
    kept = tuple(tuple(number[axis] for axis in own) for own in operands)
    lengths = tuple(sizes[axis] for axis in used)
    arrays = [generator.random([lengths[axis] for axis in own]) for own in kept]
    arrays = [np.where(generator.random(array.shape) < 0.15, 0.0, array) for array in arrays]
    return Shape(kept, lengths, tuple(arrays))


def brute_force(shape: Shape, arrays: Sequence[Any], open_axes: Sequence[int], semiring: Semiring) -> np.ndarray:
    """The sum of products in a semiring, one position after the other, by its scalar operations alone."""
    made = np.empty([shape.sizes[axis] for axis in open_axes], dtype=semiring.dtype)
    made[...] = semiring.number(Fraction(0))
    for place in product(*map(range, shape.sizes)):
        term = semiring.as_array(semiring.number(Fraction(1)))
        for own, array in zip(shape.operands, arrays, strict=True):
            term = semiring.times(term, semiring.as_array(array[tuple(place[axis] for axis in own)]))
        at = tuple(place[axis] for axis in open_axes)
        made[at] = semiring.as_array(semiring.plus(semiring.as_array(made[at]), semiring.as_array(term)))[()]
    return made
