"""Contraction of networks of factors: the one evaluator behind marginals of models and values of formulas.

`execute` runs a plan (`plan.make_plan`) over arrays of any semiring, in numpy or jax.numpy; `contract` plans and runs
a list of factors.  Long products underflow float64 near 1e-308, so where the semiring allows it every step of a long
plan is scaled by a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np

from ..budget import Budget, meter
from ..factors import Axis, Factor, sizes_of
from ..semiring import LOGARITHM, PROBABILITY, Array, Semiring
from .plan import Axes, Operand, Operation, Plan, Step, check, make_plan

SCALED_LENGTH = 24
TINY = 1e-60
ROOM = 1000.0
"""Binary digits below one that a product of floats may lose without underflow."""
EDGE = 2.0**-500
"""Nonzero numbers above this may be multiplied two by two without underflow."""


@dataclass(slots=True)
class Watch:
    """Whether every nonzero entry seen is above `EDGE`.

    Where that holds of all operands and scaled results, no product of two has underflowed, so every zero is a true one.
    """

    sound: Any = True
    space: Any = np

    def __call__(self, values: Any) -> None:
        """Look at one array of the space."""
        found = self.space.abs(values)
        self.sound = self.sound & ((found == 0.0) | (found > EDGE)).all()


def contract(
    factors: Sequence[Factor],
    open_axes: Sequence[Axis],
    budget: Budget | None = None,
    semiring: Semiring = PROBABILITY,
    space: Any = np,
) -> Array:
    """The sum over all axes but the open ones of the product of the factors, its axes in the order of `open_axes`.

    `space` is the array namespace (numpy, or jax.numpy); without a `budget` the one in force holds.  Raises
    `SutureError` S603 where the cheapest plan exceeds it, `ValueError` where there is no factor or an open axis occurs
    in none.

    >>> state, flip = np.array([0.25, 0.75]), np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> contract([Factor(("x",), state), Factor(("x", "y"), flip)], ["y"])
    array([0.75, 0.25])
    """
    values, exponent = contract_scaled(factors, open_axes, budget, semiring, space)
    return values if space is np and exponent == 0 else space.ldexp(values, exponent)


def contract_scaled(
    factors: Sequence[Factor],
    open_axes: Sequence[Axis],
    budget: Budget | None = None,
    semiring: Semiring = PROBABILITY,
    space: Any = np,
) -> tuple[Array, Any]:
    """As `contract`, the value being the array times two to the power of the returned exponent."""
    plan, arrays = planned(factors, open_axes), [factor.values for factor in factors]
    check(plan, budget)
    if semiring is not PROBABILITY or space is not np:
        return execute(plan, arrays, semiring, space)
    return execute(plan, arrays, scaled=False) if roomy(arrays) else guarded(plan, arrays)


def roomy(arrays: Sequence[Array]) -> bool:
    """Whether no product of one entry of each array can underflow, however it is bracketed."""
    bits = 0.0
    for array in arrays:
        entries = np.abs(array[array != 0.0])
        bits -= min(0.0, math.log2(entries.min())) if entries.size else 0.0
    return bits < ROOM


def guarded(plan: Plan, arrays: Sequence[Array]) -> tuple[Array, int]:
    """A contraction of floats whatever the range of its entries, to be multiplied by two to the returned power.

    Scaled step by step; where even that could lose an entry that matters later, in logarithms: an entry may underflow
    beside a greater one that a later factor sets to zero, so scales alone are not enough.  Negative entries have no
    logarithm; they keep to scales.
    """
    watch = Watch()
    for array in arrays:
        watch(array)
    found = execute(plan, arrays, scaled=True, watch=watch)
    if watch.sound or any(bool((array < 0.0).any()) for array in arrays):
        return found
    return exponentials(execute(plan, [LOGARITHM.of(array) for array in arrays], LOGARITHM)[0])


def exponentials(logarithms: Array) -> tuple[Array, int]:
    """The numbers of these logarithms, to be multiplied by two to the returned power; the largest is near one."""
    top = float(logarithms.max())
    shift = math.floor(top / math.log(2)) if math.isfinite(top) else 0
    return np.asarray(np.exp(logarithms - shift * math.log(2))), shift


def planned(factors: Sequence[Factor], open_axes: Sequence[Axis]) -> Plan:
    """The plan for a network, its operands in the order of the factors; axes are numbered as they first occur."""
    sizes = sizes_of(factors)
    number: dict[Axis, int] = {axis: place for place, axis in enumerate(sizes)}
    missing = [axis for axis in open_axes if axis not in number]
    if missing:
        raise ValueError(f"the open axis {missing[0]!r} occurs in no factor")
    operands: tuple[Axes, ...] = tuple([tuple([number[axis] for axis in factor.axes]) for factor in factors])
    return make_plan(operands, tuple(sizes.values()), tuple([number[axis] for axis in open_axes]))


def execute(
    plan: Plan,
    arrays: Sequence[Array],
    semiring: Semiring = PROBABILITY,
    space: Any = np,
    scaled: bool | None = None,
    watch: Callable[[Any], None] | None = None,
) -> tuple[Array, Any]:
    """Run a plan over one array an operand: the value, to be multiplied by two to the power of the exponent.

    The exponent is a number in numpy, a traced one in jax.numpy, and zero where the semiring does not scale.  `scaled`
    says whether steps are scaled, None where the length of the plan decides; `watch` sees every scaled result.
    """
    operands: list[Any] = [*arrays]
    scaled = semiring.scaled and (len(plan.steps) > SCALED_LENGTH if scaled is None else scaled)
    exponent: Any = 0
    clock = meter()
    for number, step in enumerate(plan.steps):
        if clock.watched:
            clock.tick(number / len(plan.steps))
        value = run_step(step, operands, semiring, space)
        if scaled:
            value, shift = scaled_down(value, space)
            exponent = exponent + shift
            if watch is not None:
                watch(value)
        operands.append(value)
        operands[step.left.number] = None
        if step.right is not None:
            operands[step.right.number] = None
    return operands[-1], exponent


def run_step(step: Step, operands: Sequence[Any], semiring: Semiring, space: Any = np) -> Array:
    """The result of one step."""
    match step.operation:
        case Operation.SUM:
            value = _summed(step, operands[step.left.number], semiring, space)
        case Operation.TIMES:
            assert step.right is not None
            left, right = laid(step.left, operands), laid(step.right, operands)
            value = semiring.times(left, right, space)
        case Operation.MATRIX:
            assert step.right is not None
            left, right = laid(step.left, operands), laid(step.right, operands)
            value = semiring.matrix(left, right, space).reshape(step.shape)
        case _:
            assert_never(step.operation)
    return semiring.as_array(value) if space is np and not step.shape else value


def laid(operand: Operand, operands: Sequence[Any]) -> Any:
    """An operand with its axes in the order and of the lengths that its step wants."""
    values = operands[operand.number]
    if operand.order is not None:
        values = values.transpose(operand.order)
    return values if operand.shape is None else values.reshape(operand.shape)


def _summed(step: Step, values: Any, semiring: Semiring, space: Any) -> Any:
    """Diagonals taken, axes summed out and reordered."""
    for first, second in step.diagonals:
        values = space.diagonal(values, 0, first, second)
    if step.summed:
        values = semiring.total(values, step.summed, space)
    return values if step.left.order is None else values.transpose(step.left.order)


def scaled_down(values: Any, space: Any = np) -> tuple[Any, Any]:
    """The values divided by a power of two that keeps them in range, and its exponent."""
    return _scale(values) if space is np else _scale_traced(values, space)


def _scale(values: Array) -> tuple[Array, int]:
    """The values divided by a power of two that brings the largest near one, where it is very small."""
    largest = float(np.max(np.abs(values)))
    if largest == 0.0 or largest > TINY:
        return values, 0
    shift = math.frexp(largest)[1]
    return np.ldexp(values, -shift), shift


def _scale_traced(values: Any, space: Any) -> tuple[Any, Any]:
    """As `_scale`, on values that are not known yet; a gradient takes the power for a constant."""
    from jax.lax import stop_gradient

    largest = stop_gradient(space.max(space.abs(values)))
    shift = space.where(largest > 0, space.frexp(largest)[1], 0)
    shift = space.maximum(shift, -1000)  # so that the power below is a number even for the smallest floats
    return values * space.exp2(-shift.astype(values.dtype)), shift
