"""The numpy path: a network's results case by case, at once, and in logarithms where float64 has no room.

It needs no compilation, so it is the quicker one for few cases.  Cases that a compiled program found near the edge of
float64 are answered here again with logarithms for entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, assert_never

import numpy as np

from ..semiring import LOGARITHM, PROBABILITY, TROPICAL, Array, Semiring
from .backward import backward, forward, marginals, most_probable
from .compiled import Purpose, Result, given_of, operands
from .contraction import execute
from .patterns import Network, Source
from .preparing import Prepared

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
            value = _logarithm(network, entries, semiring)
            return _normalised(value, len(network.pattern.targets)), float("nan")
        case Purpose.EVIDENCE:
            value = _logarithm(network, entries, semiring)
            return value, float(value)
        case Purpose.MARGINALS:
            return _marginals(network, entries, semiring)
        case Purpose.GRADIENT:
            return _gradient(network, ready, arrays, semiring)
        case _:
            assert_never(purpose)


def _logarithm(network: Network, entries: Sequence[Array], semiring: Semiring) -> Array:
    """The logarithm of the value over the open axes."""
    value, exponent = execute(network.plan, entries, semiring)
    return _logarithms(value, semiring) + exponent * LOG_TWO


def _normalised(logarithms: Array, targets: int) -> Array:
    """Probabilities from logarithms, each column over the targets summing to one; nan where none is possible."""
    outcomes = tuple(range(targets))
    top = logarithms.max(axis=outcomes, keepdims=True)
    with np.errstate(invalid="ignore"):
        values = np.exp(logarithms - top)
    return values / values.sum(axis=outcomes, keepdims=True)


def _marginals(network: Network, entries: Sequence[Array], semiring: Semiring) -> tuple[Array, float]:
    """One pass forward and one back."""
    trace = forward(network.plan, entries, semiring)
    found = marginals(trace, semiring)
    pieces = [found[reached.wire] for reached in network.reached if reached.slot is None]
    tables = [_normalised(_logarithms(piece, semiring), 1) for piece in pieces]
    values = np.concatenate(tables) if tables else np.zeros(0)
    return values, float(_logarithms(trace.operands[-1], semiring) + trace.exponent * LOG_TWO)


def _logarithms(values: Array, semiring: Semiring) -> Array:
    if semiring is LOGARITHM:
        return values
    with np.errstate(divide="ignore"):
        return np.log(values)


def _gradient(network: Network, ready: Prepared, arrays: Sequence[Array], semiring: Semiring) -> tuple[Array, float]:
    """The value and its derivative by every mechanism's entries: by each operand, put where it was sliced from.

    Both are to be multiplied by two to the power of the second result.
    """
    given = given_of(network, ready.form, arrays)
    trace = forward(network.plan, [semiring.of(each) for each in operands(network, given, np)], semiring, scaled=False)
    places = [place for place, entry in enumerate(network.entries) if entry.source is Source.MECHANISM]
    found = backward(trace, places, semiring)
    value, derivatives, shift = trace.operands[-1], [found[place] for place in places], 0.0
    if semiring is LOGARITHM:
        shift = max(float(np.max(each)) for each in [value, *derivatives])
        shift = np.floor(shift / LOG_TWO) if np.isfinite(shift) else 0.0
        value, *derivatives = (np.exp(each - shift * LOG_TWO) for each in [value, *derivatives])
    slopes = {name: np.zeros(np.shape(given.mechanisms[name])) for name in network.mechanisms}
    for place, derivative in zip(places, derivatives, strict=True):
        entry = network.entries[place]
        taken = tuple(slice(None) if slot is None else given.codes[slot] for slot in entry.taken)
        slopes[entry.name][taken] += derivative
    return np.concatenate([value.reshape(1), *(slopes[name].reshape(-1) for name in network.mechanisms)]), float(shift)


def _assignment(network: Network, arrays: Sequence[Array]) -> tuple[Array, float]:
    """The most probable codes of all axes, and the logarithm of their probability."""
    trace = forward(network.plan, [TROPICAL.of(array) for array in arrays], TROPICAL)
    codes = most_probable(trace, TROPICAL)
    every = [codes.get(axis, 0) for axis in range(len(network.sizes))]
    return np.array(every, dtype=np.int32), float(trace.operands[-1])
