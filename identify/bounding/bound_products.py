"""Queries that multiply unknowns of independent blocks: an outer bound, and values that models reach.

The distributions of k blocks are chosen independently, so their joint distribution is a product.  The relaxation keeps
of that only what is linear: given the types of the other blocks, those of each block are distributed as the data allow
(the first level of Sherali and Adams 1990).  For a single product of non-negative factors this is exact.  From the
marginals of its optimum, improving one block at a time reaches values that models have; where both agree the bound is
sharp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from .bound_program import LinearProgram, Optimum, minimise
from .bound_query import Polynomial
from .response_types import Event
from .type_blocks import Block

MOST_COMBINATIONS = 40_000
MOST_ENTRIES = 4_000_000
ROUNDS = 50
Points = tuple[tuple[Any, ...], ...]


def too_large(blocks: Sequence[Block]) -> bool:
    """Whether the relaxation over these blocks is beyond what is tried."""
    combinations = math.prod(len(block.types) for block in blocks)
    return combinations > MOST_COMBINATIONS or combinations * sum(len(b.right) for b in blocks) > MOST_ENTRIES


def outer_bound(blocks: Sequence[Block], polynomial: Polynomial) -> tuple[Any, Points] | None:
    """The least value in the relaxation, and the marginals of its optimum; None where the data contradict a block."""
    program = _relaxation(blocks, polynomial)
    best = minimise(program)
    return None if best is None else (best.value, _marginals(blocks, best))


def _relaxation(blocks: Sequence[Block], polynomial: Polynomial) -> LinearProgram:
    numbers: dict[tuple[int, int, tuple[int, ...]], int] = {}
    columns: list[dict[int, Any]] = []
    holders = [_holders(block) for block in blocks]
    costs = []
    for combination in product(*(range(len(block.types)) for block in blocks)):
        column: dict[int, Any] = {0: 1}
        for place, block in enumerate(blocks):
            others = (*combination[:place], *combination[place + 1 :])
            own = block.columns[combination[place]]
            for row, right in enumerate(block.right[1:], 1):
                entry = own.get(row, 0) - right
                if entry:
                    column[numbers.setdefault((place, row, others), len(numbers) + 1)] = entry
        columns.append(column)
        true = set[Event]().union(*(held[number] for held, number in zip(holders, combination, strict=True)))
        costs.append(sum((weight for events, weight in polynomial.items() if true.issuperset(events)), Fraction(0)))
    right = (Fraction(1), *([Fraction(0)] * len(numbers)))
    return LinearProgram(tuple(columns), right, tuple(costs))


def _holders(block: Block) -> list[frozenset[Event]]:
    """The events that each type is of."""
    members = {event: set(places) for event, places in block.members.items()}
    return [frozenset(event for event, places in members.items() if n in places) for n in range(len(block.types))]


def _marginals(blocks: Sequence[Block], best: Optimum) -> Points:
    totals: list[list[Any]] = [[Fraction(0)] * len(block.types) for block in blocks]
    for combination, share in zip(product(*(range(len(block.types)) for block in blocks)), best.point, strict=True):
        for place, number in enumerate(combination):
            totals[place][number] += share
    return tuple(map(tuple, totals))


def reached(blocks: Sequence[Block], polynomial: Polynomial, start: Points) -> tuple[Any, Points]:
    """The least value found by improving one block at a time from `start`, with the distributions that have it."""
    points, value = list(start), value_at(blocks, polynomial, start)
    for _ in range(ROUNDS):
        before = value
        for place, block in enumerate(blocks):
            weights, rest = _given(blocks, polynomial, points, place)
            best = minimise(block.program(weights))
            if best is not None and best.value + rest < value:
                points[place], value = best.point, best.value + rest
        if not float(value) < float(before) - 1e-12:
            break
    return value, tuple(points)


def value_at(blocks: Sequence[Block], polynomial: Polynomial, points: Points) -> Any:
    """The polynomial where each block has the given distribution."""
    shares = _shares(blocks, points)
    return sum((weight * math.prod(shares[event] for event in events) for events, weight in polynomial.items()), 0)


def _shares(blocks: Sequence[Block], points: Sequence[Sequence[Any]]) -> dict[Event, Any]:
    return {
        event: sum((point[number] for number in places), Fraction(0))
        for block, point in zip(blocks, points, strict=True)
        for event, places in block.members.items()
    }


def _given(
    blocks: Sequence[Block], polynomial: Polynomial, points: Sequence[Sequence[Any]], place: int
) -> tuple[Mapping[Event, Any], Any]:
    """The polynomial as weights of one block's events, the others as they are, and what does not depend on it."""
    shares = _shares(blocks, points)
    weights: dict[Event, Any] = {}
    rest: Any = Fraction(0)
    for events, weight in polynomial.items():
        own = [event for event in events if event in blocks[place].members]
        other = weight * math.prod(shares[event] for event in events if event not in blocks[place].members)
        if own:
            weights[own[0]] = weights.get(own[0], 0) + other
        else:
            rest += other
    return weights, rest
