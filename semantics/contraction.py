"""Contraction of networks of factors by a plan: the one evaluator behind marginals of models and values of formulas.

A network is a list of factors; its value is the sum, over every axis that is not open, of their product.  A `Plan` is a
list of pairwise contractions as data, with its work and its peak of memory, made from axes and lengths alone, so it
is cached by shape and can be refused before anything is computed.  Two planners run and the cheaper plan is taken:
elimination by min-fill (Kjaerulff 1990), and greedy pairing by the growth of memory (Gray and Kourtis 2021, section
3.2). None of them is best everywhere: on some networks greedy pairing needs 10^7 times the work of min-fill.

Long products underflow float64 near 1e-308, so every step of a long plan is scaled by a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import combinations
from typing import Any

import numpy as np

from ..dsl.diagnostics import Diagnostic, SutureError
from .factors import Array, Axis, Factor, sizes_of

BYTES = 8
MATRIX_WORK = 1 << 15
SCALED_LENGTH = 24
MOST_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class Step:
    """Multiply two operands and sum out what is not in `axes`; `right` None sums out axes of one operand alone.

    The factors are operands 0, 1, ..; the result of step k is operand `number of factors + k`.
    """

    left: int
    right: int | None
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a contraction, its multiplications, and the most entries alive at once."""

    steps: tuple[Step, ...]
    work: int
    peak: int

    @property
    def bytes(self) -> int:
        """The peak of memory of intermediate results, for float64 entries."""
        return self.peak * BYTES


@dataclass(frozen=True, slots=True)
class Budget:
    """What one contraction may cost: bytes of intermediate results and multiplications."""

    bytes: int = 4 << 30
    work: int = 10**12


DEFAULT_BUDGET = Budget()


def contract(
    factors: Sequence[Factor], open_axes: Sequence[Axis], budget: Budget = DEFAULT_BUDGET, space: Any = np
) -> Array:
    """The sum over all axes but the open ones of the product of the factors, its axes in the order of `open_axes`.

    `space` is the array namespace (numpy, or jax.numpy).  Raises `SutureError` S603 where the cheapest plan exceeds the
    budget, `ValueError` where there is no factor or an open axis occurs in none.

    >>> state, flip = np.array([0.25, 0.75]), np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> contract([Factor(("x",), state), Factor(("x", "y"), flip)], ["y"])
    array([0.75, 0.25])
    """
    values, exponent = contract_scaled(factors, open_axes, budget, space)
    return values if exponent == 0 else space.ldexp(values, exponent)


def contract_scaled(
    factors: Sequence[Factor], open_axes: Sequence[Axis], budget: Budget = DEFAULT_BUDGET, space: Any = np
) -> tuple[Array, int]:
    """As `contract`, the value being the array times two to the power of the returned exponent."""
    plan, numbered = planned(factors, open_axes)
    check(plan, budget)
    return execute(plan, [factor.values for factor in factors], numbered, space)


def planned(factors: Sequence[Factor], open_axes: Sequence[Axis]) -> tuple[Plan, tuple[tuple[int, ...], ...]]:
    """The plan for a network, and the factors' axes as the numbers it uses."""
    if not factors:
        raise ValueError("a contraction needs at least one factor")
    sizes = sizes_of(factors)
    number: dict[Axis, int] = {axis: place for place, axis in enumerate(sizes)}
    missing = [axis for axis in open_axes if axis not in number]
    if missing:
        raise ValueError(f"the open axis {missing[0]!r} occurs in no factor")
    axes = tuple(tuple(number[axis] for axis in factor.axes) for factor in factors)
    return make_plan(axes, tuple(sizes.values()), tuple(number[axis] for axis in open_axes)), axes


def check(plan: Plan, budget: Budget = DEFAULT_BUDGET) -> None:
    """Refuse a plan beyond the budget: raises `SutureError` S603 with the estimate."""
    if plan.bytes <= budget.bytes and plan.work <= budget.work:
        return
    need = f"{amount(plan.bytes)} of memory and {plan.work:.1e} multiplications"
    raise SutureError(
        Diagnostic(
            "S603",
            f"this evaluation needs {need}, more than the budget of {amount(budget.bytes)} and {budget.work:.0e}",
            help="ask for fewer variables at once, or fix some of them at a value",
        )
    )


def amount(count: int) -> str:
    """A number of bytes in a readable unit.

    >>> amount(3 << 30)
    '3.0 GiB'
    """
    value, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.1f} {units[0]}" if value < 1e4 else f"{value:.1e} {units[0]}"


# ---------------------------------------------------------------------------------------------------------------------
# Planning


@lru_cache(maxsize=2048)
def make_plan(axes: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], open_axes: tuple[int, ...]) -> Plan:
    """The cheapest plan found for operands with these axes; equal shapes get the same plan."""
    plans = [_by_elimination(axes, sizes, open_axes)]
    if _pairs(axes, len(sizes)) <= MOST_PAIRS:
        plans.append(_by_pairs(axes, sizes, open_axes))
    return min(plans, key=lambda plan: (plan.work + plan.peak, plan.peak))


def _pairs(axes: tuple[tuple[int, ...], ...], count: int) -> int:
    """An upper bound of the pairs of operands that share an axis: greedy pairing looks at every one."""
    users = [0] * count
    for own in axes:
        for axis in set(own):
            users[axis] += 1
    return sum(number * (number - 1) // 2 for number in users)


class _Planner:
    """A plan under construction: the live operands, and how many of them use each axis."""

    def __init__(self, axes: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], open_axes: tuple[int, ...]) -> None:
        self.sizes = sizes
        self.open_axes = open_axes
        self.kept = frozenset(open_axes)
        self.live: dict[int, frozenset[int]] = {}
        self.users: dict[int, set[int]] = {axis: set() for axis in range(len(sizes))}
        self.steps: list[Step] = []
        self.next = len(axes)
        self.work = self.alive = self.peak = 0
        for number, own in enumerate(axes):
            self._add(number, frozenset(own))
        for number, own in enumerate(axes):
            rest = self.result_axes(self.live[number], number)
            if len(rest) < len(own):
                self._emit(number, None, rest, frozenset(own))

    def size(self, axes: frozenset[int]) -> int:
        """The number of entries over these axes."""
        return math.prod([self.sizes[axis] for axis in axes])

    def result_axes(self, axes: frozenset[int], *operands: int) -> frozenset[int]:
        """The axes that must stay once the operands are joined: open, or used by another operand."""
        own = len(operands)
        users = self.users
        return frozenset(
            axis
            for axis in axes
            if axis in self.kept or len(users[axis]) > own or any(n not in operands for n in users[axis])
        )

    def join(self, left: int, right: int) -> int:
        """Plan the contraction of two live operands; the number of the result."""
        union = self.live[left] | self.live[right]
        return self._emit(left, right, self.result_axes(union, left, right), union)

    def _emit(self, left: int, right: int | None, axes: frozenset[int], union: frozenset[int]) -> int:
        self.work += self.size(union)
        self.steps.append(Step(left, right, tuple(sorted(axes))))
        number, self.next = self.next, self.next + 1
        self._add(number, axes)
        for operand in (left,) if right is None else (left, right):
            self._drop(operand)
        return number

    def _add(self, number: int, axes: frozenset[int]) -> None:
        self.live[number] = axes
        for axis in axes:
            self.users[axis].add(number)
        self.alive += self.size(axes)
        self.peak = max(self.peak, self.alive)

    def _drop(self, number: int) -> None:
        axes = self.live.pop(number)
        for axis in axes:
            self.users[axis].discard(number)
        self.alive -= self.size(axes)

    def finish(self) -> Plan:
        """Join what is left, smallest first, and put the axes of the result in the order asked for."""
        heap = [(self.size(axes), number) for number, axes in self.live.items()]
        heapify(heap)
        while len(heap) > 1:
            joined = self.join(heappop(heap)[1], heappop(heap)[1])
            heappush(heap, (self.size(self.live[joined]), joined))
        last = heap[0][1]
        if self.steps and self.next - 1 == last:
            self.steps[-1] = Step(self.steps[-1].left, self.steps[-1].right, self.open_axes)
        else:
            self.steps.append(Step(last, None, self.open_axes))
        return Plan(tuple(self.steps), self.work, self.peak)


def _by_elimination(axes: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], open_axes: tuple[int, ...]) -> Plan:
    """Sum out one axis after the other, joining the operands that use it, smallest first."""
    planner = _Planner(axes, sizes, open_axes)
    for axis in elimination_order(axes, sizes, open_axes):
        heap = [(planner.size(planner.live[number]), number) for number in planner.users[axis]]
        heapify(heap)
        while len(heap) > 1:
            joined = planner.join(heappop(heap)[1], heappop(heap)[1])
            if axis in planner.live[joined]:
                heappush(heap, (planner.size(planner.live[joined]), joined))
    return planner.finish()


def elimination_order(
    axes: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], open_axes: tuple[int, ...]
) -> tuple[int, ...]:
    """The axes to sum out, each time one whose neighbours lack the fewest edges; ties by the weight of the clique."""
    near: list[set[int]] = [set() for _ in sizes]
    for own in axes:
        for axis in own:
            near[axis].update(own)
    for axis, others in enumerate(near):
        others.discard(axis)
    kept = set(open_axes)

    def cost(axis: int) -> tuple[int, float]:
        others = near[axis]
        missing = len(others) * (len(others) - 1) - sum(len(near[other] & others) for other in others)
        return missing // 2, sum(math.log(sizes[other]) for other in others)

    current = {axis: cost(axis) for axis in range(len(sizes)) if axis not in kept}
    heap = [(value, axis) for axis, value in current.items()]
    heapify(heap)
    order: list[int] = []
    while heap:
        value, axis = heappop(heap)
        if current.get(axis) != value:
            continue
        del current[axis]
        order.append(axis)
        for changed in _eliminate(axis, near):
            if changed in current:
                current[changed] = cost(changed)
                heappush(heap, (current[changed], changed))
    return tuple(order)


def _eliminate(axis: int, near: list[set[int]]) -> set[int]:
    """Join the neighbours of `axis` into a clique and remove it; the axes whose cost may have changed."""
    others = near[axis]
    changed = set(others)
    for other in others:
        near[other].discard(axis)
    for first, second in combinations(sorted(others), 2):
        if second not in near[first]:
            changed.update(near[first] & near[second])
            near[first].add(second)
            near[second].add(first)
    near[axis] = set()
    return changed


def _by_pairs(axes: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], open_axes: tuple[int, ...]) -> Plan:
    """Join the two operands with a common axis whose result grows memory least, until none share an axis."""
    planner = _Planner(axes, sizes, open_axes)

    def offer(left: int, right: int) -> tuple[int, int, int]:
        union = planner.live[left] | planner.live[right]
        grown = planner.size(planner.result_axes(union, left, right))
        return grown - planner.size(planner.live[left]) - planner.size(planner.live[right]), left, right

    pairs = {pair for users in planner.users.values() for pair in combinations(sorted(users), 2)}
    heap = [offer(left, right) for left, right in sorted(pairs)]
    heapify(heap)
    while heap:
        _, left, right = heappop(heap)
        if left not in planner.live or right not in planner.live:
            continue
        joined = planner.join(left, right)
        partners = {number for axis in planner.live[joined] for number in planner.users[axis]} - {joined}
        for partner in sorted(partners):
            heappush(heap, offer(partner, joined))
    return planner.finish()


# ---------------------------------------------------------------------------------------------------------------------
# Execution


def execute(
    plan: Plan, arrays: Sequence[Array], axes: tuple[tuple[int, ...], ...], space: Any = np
) -> tuple[Array, int]:
    """Run a plan over arrays whose axes are numbered as in the plan: the value and its binary exponent."""
    operands: dict[int, tuple[Array, tuple[int, ...]]] = dict(enumerate(zip(arrays, axes, strict=True)))
    scaled = len(plan.steps) > SCALED_LENGTH and space is np and arrays[0].dtype == np.float64
    exponent, number = 0, len(arrays)
    for step in plan.steps:
        first, first_axes = operands.pop(step.left)
        if step.right is None:
            value = _reduce(first, first_axes, step.axes, space)
        else:
            second, second_axes = operands.pop(step.right)
            value = _pair(first, first_axes, second, second_axes, step.axes, space)
        if scaled:
            value, shift = _scale(value)
            exponent += shift
        operands[number] = (value, step.axes)
        number += 1
    return operands[number - 1][0], exponent


def _scale(values: Array) -> tuple[Array, int]:
    """The values divided by a power of two that brings the largest near one, where it is very small."""
    largest = float(np.max(np.abs(values)))
    if largest == 0.0 or largest > 1e-60:
        return values, 0
    shift = math.frexp(largest)[1]
    return np.ldexp(values, -shift), shift


def _local(axes: Sequence[int], numbers: dict[int, int]) -> list[int]:
    """Axis numbers local to one call, since einsum knows few."""
    return [numbers.setdefault(axis, len(numbers)) for axis in axes]


def _reduce(values: Array, axes: tuple[int, ...], out: tuple[int, ...], space: Any) -> Array:
    """Diagonals taken, axes summed out and reordered."""
    if axes == out:
        return values
    numbers: dict[int, int] = {}
    inner = _local(axes, numbers)
    return _as_array(space.einsum(values, inner, _local(out, numbers)), values, space)


def _pair(
    first: Array,
    first_axes: tuple[int, ...],
    second: Array,
    second_axes: tuple[int, ...],
    out: tuple[int, ...],
    space: Any,
) -> Array:
    """The product of two operands summed to the axes `out`; large ones as a batch of matrix products."""
    large = space is np and first.size * second.size > MATRIX_WORK and first.dtype == np.float64
    if large and len(set(first_axes)) == len(first_axes) and len(set(second_axes)) == len(second_axes):
        return _matrix_pair(first, first_axes, second, second_axes, out)
    numbers: dict[int, int] = {}
    left, right = _local(first_axes, numbers), _local(second_axes, numbers)
    return _as_array(space.einsum(first, left, second, right, _local(out, numbers)), first, space)


def _as_array(value: Any, like: Array, space: Any) -> Array:
    """An array without axes where einsum gave a bare entry."""
    if space is not np or isinstance(value, np.ndarray):
        return value
    made = np.empty((), dtype=like.dtype)
    made[()] = value
    return made


def _matrix_pair(
    first: Array, first_axes: tuple[int, ...], second: Array, second_axes: tuple[int, ...], out: tuple[int, ...]
) -> Array:
    """Axes grouped as batch, left, right and summed, then one matrix product a batch."""
    kept = set(out)
    first, first_axes = _without_lonely(first, first_axes, set(second_axes) | kept)
    second, second_axes = _without_lonely(second, second_axes, set(first_axes) | kept)
    common = set(first_axes) & set(second_axes)
    batch = [axis for axis in out if axis in common]
    summed = [axis for axis in first_axes if axis in common and axis not in kept]
    left = [axis for axis in first_axes if axis not in common]
    right = [axis for axis in second_axes if axis not in common]
    size = dict(zip((*first_axes, *second_axes), (*first.shape, *second.shape), strict=True))

    def grouped(values: Array, axes: tuple[int, ...], *groups: list[int]) -> Array:
        moved = values.transpose([axes.index(axis) for group in groups for axis in group])
        return moved.reshape([math.prod([size[axis] for axis in group]) for group in groups])

    product = grouped(first, first_axes, batch, left, summed) @ grouped(second, second_axes, batch, summed, right)
    made = [*batch, *left, *right]
    return product.reshape([size[axis] for axis in made]).transpose([made.index(axis) for axis in out])


def _without_lonely(values: Array, axes: tuple[int, ...], used: set[int]) -> tuple[Array, tuple[int, ...]]:
    """Axes that occur nowhere else summed out."""
    lonely = tuple(place for place, axis in enumerate(axes) if axis not in used)
    return (values.sum(axis=lonely), tuple(axis for axis in axes if axis in used)) if lonely else (values, axes)
