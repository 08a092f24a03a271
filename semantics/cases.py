"""The numpy path: a network's results case by case, at once, and in logarithms where float64 has no room.

It needs no compilation, so it is the quicker one for few cases.  Cases that a compiled program found near the edge of
float64 are answered here again with logarithms for entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, assert_never

import numpy as np

from .compiled import Purpose, Result, best_codes, given_of, operands
from .contraction import execute, run_step
from .patterns import Network, Source
from .plan import make_plan
from .preparing import Prepared
from .semiring import LOGARITHM, PROBABILITY, TROPICAL, Array, Semiring

LOG_TWO = float(np.log(2.0))


def cases_on_numpy(ready: Prepared, purpose: Purpose, found: Result | None = None) -> Result:
    """The results of every case; where some are `found`, of those that are not sound alone, in logarithms."""
    shape = tuple(ready.lengths[axis] for axis in ready.form.batch)
    semiring = LOGARITHM if ready.scaled else PROBABILITY
    values = None if found is None else found.values.copy()
    evidence = np.empty(shape) if found is None else found.evidence.copy()
    for place in np.ndindex(*shape):
        if found is not None and found.sound[place]:
            continue
        arrays = [_at(np.asarray(array), place, axes, ready) for array, axes in _inputs(ready)]
        own, total = _case(ready.network, purpose, ready, arrays, semiring)
        if values is None:
            values = np.empty((*shape, *own.shape), dtype=own.dtype)
        values[place] = own
        evidence[place] = total
    if values is None:
        values = np.empty((*shape, 0))
    return Result(values, evidence, np.ones(shape, dtype=np.bool_))


def _inputs(ready: Prepared) -> Iterator[tuple[Any, tuple[str, ...]]]:
    yield from zip(ready.arrays, ready.form.axes, strict=True)


def _at(array: Array, place: Sequence[int], axes: Sequence[str], ready: Prepared) -> Array:
    """An input at one place of the batch axes that it has."""
    return array[tuple(number for number, axis in zip(place, ready.form.batch, strict=True) if axis in axes)]


def _case(
    network: Network, purpose: Purpose, ready: Prepared, arrays: Sequence[Array], semiring: Semiring
) -> tuple[Array, float]:
    """The values of one case and the logarithm of its evidence (a binary exponent for a gradient)."""
    given = given_of(network, ready.form, arrays)
    if purpose is Purpose.ASSIGNMENT:
        return _assignment(network, operands(network, given, np))
    entries = [semiring.of(array) for array in operands(network, given, np)]
    match purpose:
        case Purpose.CONDITIONAL:
            value, _ = _logarithm(network, entries, semiring)
            return _normalised(value, len(network.pattern.targets)), float("nan")
        case Purpose.EVIDENCE:
            value, _ = _logarithm(network, entries, semiring)
            return value, float(value)
        case Purpose.MARGINALS:
            total = float(_logarithm(network, entries, semiring)[0])
            pieces = [
                _normalised(_reached(network, entries, reached.entry, semiring), 1)
                for reached in network.reached
                if reached.entry is not None
            ]
            values = np.concatenate(pieces) if pieces else np.zeros(0)
            return np.where(np.isfinite(total), values, np.nan), total
        case Purpose.GRADIENT:
            return _gradient(network, ready, arrays)
        case _:
            assert_never(purpose)


def _logarithm(network: Network, entries: Sequence[Array], semiring: Semiring) -> tuple[Array, int]:
    value, exponent = execute(network.plan, entries, semiring)
    if semiring is LOGARITHM:
        return value, 0
    with np.errstate(divide="ignore"):
        return np.log(value) + exponent * LOG_TWO, 0


def _normalised(logarithms: Array, targets: int) -> Array:
    """Probabilities from logarithms, each column over the targets summing to one; nan where none is possible."""
    outcomes = tuple(range(targets))
    top = logarithms.max(axis=outcomes, keepdims=True)
    with np.errstate(invalid="ignore"):
        values = np.exp(logarithms - top)
    return values / values.sum(axis=outcomes, keepdims=True)


def _reached(network: Network, entries: Sequence[Array], place: int, semiring: Semiring) -> Array:
    plan = make_plan(network.plan.operands, network.sizes, network.plan.operands[place])
    value, exponent = execute(plan, entries, semiring)
    if semiring is LOGARITHM:
        return value
    with np.errstate(divide="ignore"):
        return np.log(value) + exponent * LOG_TWO


def _gradient(network: Network, ready: Prepared, arrays: Sequence[Array]) -> tuple[Array, float]:
    """The value and its derivative by every mechanism's entries: by each operand, put where it was sliced from.

    Both are to be multiplied by two to the power of the second result.
    """
    given = given_of(network, ready.form, arrays)
    entries = operands(network, given, np)
    value, shift = execute(network.plan, entries)
    slopes = {name: np.zeros(np.shape(given.mechanisms[name])) for name in network.mechanisms}
    for place, entry in enumerate(network.entries):
        if entry.source is Source.MECHANISM:
            rest = [np.ones(np.shape(each)) if number == place else each for number, each in enumerate(entries)]
            plan = make_plan(network.plan.operands, network.sizes, network.plan.operands[place])
            slope, exponent = execute(plan, rest)
            taken = tuple(slice(None) if slot is None else given.codes[slot] for slot in entry.taken)
            slopes[entry.name][taken] += np.ldexp(slope, exponent - shift)
    return np.concatenate([value.reshape(1), *(slopes[name].reshape(-1) for name in network.mechanisms)]), float(shift)


def _assignment(network: Network, arrays: Sequence[Array]) -> tuple[Array, float]:
    """The most probable codes of all axes, and the logarithm of their probability."""
    plan = network.plan
    results: list[Any] = [TROPICAL.of(array) for array in arrays]
    axes: list[tuple[int, ...]] = list(plan.operands)
    for step in plan.steps:
        results.append(run_step(step, results, TROPICAL))
        axes.append(step.axes)
    codes = best_codes(plan, results, axes, np)
    every = [int(codes.get(axis, 0)) for axis in range(len(network.sizes))]
    return np.array(every, dtype=np.int32), float(results[-1])
