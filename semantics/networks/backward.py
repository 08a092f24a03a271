"""All marginals of a network at once: one pass forward over a plan, one pass back over the same steps.

The sum over all axes of a product of operands is linear in each operand; its derivative in one of them is the
contraction of all the others.  Running the steps of a plan in reverse gives all those derivatives for about twice the
work of the value (Baur and Strassen 1983; Darwiche 2003, "A differential approach to inference in Bayesian networks",
section 4), and an operand times its derivative, summed to one axis, is that axis' marginal.  Nothing but sums and
products is used, so the same pass gives max-marginals in the semiring of maxima, and supports in the boolean one.

`most_probable` follows the maxima back instead, which settles ties too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, assert_never

import numpy as np

from ..budget import meter
from ..semiring import PROBABILITY, Array, Semiring
from .contraction import laid, run_step, scaled_down
from .plan import Operand, Operation, Plan, Step


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A contraction with every result kept: `operands` are the arrays, then the results of the steps.

    The value of the network is the last one times two to the power of `exponent`; `scaled` says whether that may be
    anything but zero.
    """

    plan: Plan
    operands: tuple[Any, ...]
    exponent: Any
    scaled: bool = True


def forward(
    plan: Plan,
    arrays: Sequence[Array],
    semiring: Semiring = PROBABILITY,
    space: Any = np,
    scaled: bool = True,
    watch: Callable[[Any], None] | None = None,
) -> Trace:
    """Run a plan and keep every intermediate result, each scaled by a power of two of its own.

    Not `scaled`, results stay as they are; `watch` sees every scaled one.
    """
    operands: list[Any] = [*arrays]
    exponent: Any = 0
    clock = meter()
    for number, step in enumerate(plan.steps):
        if clock.watched:
            clock.tick(number / len(plan.steps) / 2)
        value = run_step(step, operands, semiring, space)
        if scaled and semiring.scaled:
            value, shift = scaled_down(value, space)
            exponent = exponent + shift
            if watch is not None:
                watch(value)
        operands.append(value)
    return Trace(plan, tuple(operands), exponent, scaled and semiring.scaled)


def backward(
    trace: Trace,
    wanted: Collection[int] | None = None,
    semiring: Semiring = PROBABILITY,
    space: Any = np,
    watch: Callable[[Any], None] | None = None,
) -> Mapping[int, Any]:
    """The derivative of the sum of a network's value in each of the wanted operands (None: those given to the plan).

    Each is an array like its operand, up to a positive factor where the trace is scaled: a derivative is then only
    compared with itself.  Operands are numbered as in the plan, results of steps included; `watch` sees every
    derivative of a scaled trace.
    """
    plan, given, clock = trace.plan, len(trace.plan.operands), meter()
    needed = _ancestors(plan, range(given) if wanted is None else wanted)
    shape = np.shape(trace.operands[-1])
    one = semiring.as_array(semiring.number(Fraction(1)))
    found: dict[int, Any] = {len(trace.operands) - 1: space.broadcast_to(space.asarray(one), shape)}
    for number, step in reversed(list(enumerate(plan.steps, given))):
        above = found.get(number)
        if above is None:
            continue
        if clock.watched:
            clock.tick(1 - (number - given) / len(plan.steps) / 2)
        for operand in (step.left, step.right):
            if operand is not None and operand.number in needed:
                value = _derivative(step, operand, above, trace.operands, semiring, space)
                value = scaled_down(value, space)[0] if trace.scaled else value
                if trace.scaled and watch is not None:
                    watch(value)
                found[operand.number] = value
        if wanted is None or number not in wanted:
            del found[number]
    return found


def _ancestors(plan: Plan, wanted: Collection[int]) -> set[int]:
    """The operands on the way from the last result to the wanted ones."""
    consumer = {
        operand.number: number
        for number, step in enumerate(plan.steps, len(plan.operands))
        for operand in (step.left, step.right)
        if operand is not None
    }
    found: set[int] = set()
    for number in wanted:
        current: int | None = number
        while current is not None and current not in found:
            found.add(current)
            current = consumer.get(current)
    return found


def _derivative(
    step: Step, operand: Operand, above: Any, operands: Sequence[Any], semiring: Semiring, space: Any
) -> Any:
    """The derivative in one operand of a step, from that in its result."""
    lengths = np.shape(operands[operand.number])
    match step.operation:
        case Operation.SUM:
            return _spread(step, above, lengths, semiring, space)
        case Operation.TIMES:
            assert step.right is not None
            other = step.right if operand is step.left else step.left
            value = _fitted(semiring.times(above, laid(other, operands), space), operand, lengths, semiring, space)
        case Operation.MATRIX:
            assert step.right is not None
            left, right = laid(step.left, operands), laid(step.right, operands)
            above = above.reshape((*left.shape[:-1], right.shape[-1]))
            if operand is step.left:
                value = semiring.matrix(above, right.swapaxes(-1, -2), space)
            else:
                value = semiring.matrix(left.swapaxes(-1, -2), above, space)
        case _:
            assert_never(step.operation)
    return _restored(value, operand, lengths)


def _fitted(value: Any, operand: Operand, lengths: tuple[int, ...], semiring: Semiring, space: Any) -> Any:
    """A product summed over the axes along which the operand was broadcast."""
    shape = _laid_shape(operand, lengths)
    missing = value.ndim - len(shape)
    padded = (1,) * missing + shape
    axes = tuple([place for place, length in enumerate(padded) if length == 1 and value.shape[place] > 1])
    return semiring.total(value, axes, space) if axes else value


def _laid_shape(operand: Operand, lengths: tuple[int, ...]) -> tuple[int, ...]:
    if operand.shape is not None:
        return operand.shape
    return lengths if operand.order is None else tuple([lengths[place] for place in operand.order])


def _restored(value: Any, operand: Operand, lengths: tuple[int, ...]) -> Any:
    """An array laid out as a step wanted an operand, back in the operand's own order and lengths."""
    if operand.order is None:
        return value.reshape(lengths)
    return value.reshape([lengths[place] for place in operand.order]).transpose(_inverse(operand.order))


def _inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=lambda place: order[place])


def _spread(step: Step, above: Any, lengths: tuple[int, ...], semiring: Semiring, space: Any) -> Any:
    """The derivative in an operand whose axes were summed out: the same all along them, zero off a diagonal."""
    inner = list(lengths)
    for first, second in step.diagonals:
        inner = [*inner[:first], *inner[first + 1 : second], *inner[second + 1 :], inner[first]]
    value = above if step.left.order is None else above.transpose(_inverse(step.left.order))
    thin = [1 if place in step.summed else length for place, length in enumerate(inner)]
    value = space.broadcast_to(value.reshape(thin), inner)
    for first, second in reversed(step.diagonals):
        value = space.expand_dims(space.moveaxis(value, -1, first), second)
        size = value.shape[first]
        shape = [size if place in (first, second) else 1 for place in range(value.ndim)]
        value = space.where(space.eye(size, dtype=bool).reshape(shape), value, semiring.number(Fraction(0)))
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Marginals


def marginals(
    trace: Trace,
    semiring: Semiring = PROBABILITY,
    space: Any = np,
    watch: Callable[[Any], None] | None = None,
) -> Mapping[int, Any]:
    """For each axis the sum over all others of the network's product, up to a positive factor of its own.

    An axis is read off where it is summed out, from the smaller of the operands that have it.  `watch` as in
    `backward`.
    """
    source = _sources(trace.plan)
    derivatives = backward(trace, set(source.values()), semiring, space, watch)
    axes = _axes_of(trace.plan)
    found: dict[int, Any] = {}
    products: dict[int, Any] = {}
    for axis, number in source.items():
        if number not in products:
            products[number] = semiring.times(trace.operands[number], derivatives[number], space)
        places = tuple([place for place, other in enumerate(axes[number]) if other != axis])
        values = semiring.total(products[number], places, space) if places else products[number]
        while values.ndim > 1:
            values = space.diagonal(values)
        found[axis] = values
    return found


def _axes_of(plan: Plan) -> list[tuple[int, ...]]:
    """The axes of every operand, results of steps included."""
    return [*plan.operands, *(step.axes for step in plan.steps)]


def _sources(plan: Plan) -> dict[int, int]:
    """For every axis the operand its marginal is read off."""
    axes, found = _axes_of(plan), dict[int, int]()

    def entries(number: int) -> int:
        return prod([plan.sizes[axis] for axis in axes[number]])

    for step in plan.steps:
        operands = [operand.number for operand in (step.left, step.right) if operand is not None]
        for axis in {axis for number in operands for axis in axes[number]}.difference(step.axes):
            having = [number for number in operands if axis in axes[number]]
            found[axis] = min(having, key=lambda number: (entries(number), number))
    found |= dict.fromkeys(axes[-1], len(axes) - 1)
    return {axis: found[axis] for axis in sorted(found)}


# ---------------------------------------------------------------------------------------------------------------------
# The most probable case


def most_probable(trace: Trace, semiring: Semiring) -> Mapping[int, int]:
    """A position on every axis at which the product is greatest, from a forward pass in a semiring of maxima.

    Each step's maximum is followed back to where it was reached; of equal ones the first is taken.
    """
    plan, axes = trace.plan, _axes_of(trace.plan)
    chosen: dict[int, int] = {}
    top = trace.operands[-1]
    for axis, place in zip(axes[-1], np.unravel_index(int(np.argmax(top)), np.shape(top)), strict=True):
        chosen[axis] = int(place)
    for step in reversed(plan.steps):
        operands = [operand.number for operand in (step.left, step.right) if operand is not None]
        free = sorted({axis for number in operands for axis in axes[number]} - chosen.keys())
        if not free:
            continue
        product = semiring.as_array(semiring.number(Fraction(1)))
        for number in operands:
            product = semiring.times(product, _restricted(trace.operands[number], axes[number], chosen, free))
        best = np.unravel_index(int(np.argmax(product)), product.shape)
        for axis, place in zip(free, best, strict=True):
            chosen[axis] = int(place) if product.shape[free.index(axis)] > 1 else 0
    return chosen


def _restricted(values: Array, axes: Sequence[int], chosen: Mapping[int, int], free: Sequence[int]) -> Array:
    """An operand at the chosen positions, its other axes in the order of `free`, of length one where it lacks one."""
    rest = [axis for axis in axes if axis not in chosen]
    part = values[tuple([chosen.get(axis, slice(None)) for axis in axes])]
    names = sorted(set(rest))
    lined = np.einsum(part, [names.index(axis) for axis in rest], list(range(len(names))))
    size = dict(zip(names, lined.shape, strict=True))
    return lined.reshape([size.get(axis, 1) for axis in free])
