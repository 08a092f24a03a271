"""Measured peaks of memory against the plan's own estimate, on random networks of a fixed seed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from suture.semantics.networks.backward import forward, marginals
from suture.semantics.networks.contraction import execute
from suture.semantics.networks.plan import make_plan

OVERHEAD = 1 << 16
"""What numpy's reductions hold for themselves, whatever the size of the array."""


def network(seed: int) -> tuple[Any, list[np.ndarray]]:
    """Tables of a random network of 25 to 40 variables with three to eight values and up to three parents nearby."""
    generator = np.random.default_rng(seed)
    count = int(generator.integers(25, 40))
    sizes = tuple(int(size) for size in generator.integers(3, 9, count))
    operands = []
    for child in range(count):
        near = [axis for axis in range(max(0, child - 6), child) if generator.random() < 0.45][:3]
        operands.append((*near, child))
    arrays = [generator.random([sizes[axis] for axis in own]) for own in operands]
    return make_plan(tuple(operands), sizes, (int(generator.integers(0, count)),)), arrays


def peak(run: Callable[[], object]) -> int:
    run()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seed", range(30))
def test_the_measured_peak_is_within_two_of_the_estimate(seed: int) -> None:
    plan, arrays = network(seed)
    measured = peak(lambda: execute(plan, arrays, scaled=False))
    assert measured <= 2 * plan.bytes + OVERHEAD
    assert measured >= plan.bytes / 2 - OVERHEAD


def test_some_of_these_networks_are_large_enough_to_tell() -> None:
    assert sum(network(seed)[0].bytes > 4 * OVERHEAD for seed in range(30)) >= 10


@pytest.mark.parametrize("seed", range(8))
def test_all_marginals_hold_no_more_than_their_estimate(seed: int) -> None:
    plan, arrays = network(seed)
    measured = peak(lambda: marginals(forward(plan, arrays, scaled=False)))
    assert measured <= 2 * plan.traced_bytes + OVERHEAD
