"""Plans of contractions as data: which operands to join in which order, how each is laid out, and what it costs.

A network is a list of operands over numbered axes; its value is the sum, over every axis that is not open, of their
product.  A `Plan` is made from axes and lengths alone, so it is cached by shape, can be shown, and can be refused
before anything is computed.  Nothing here holds an array; `contraction.execute` runs a plan in any semiring.

Two planners run and the cheaper plan is taken: elimination by min-fill (Kjaerulff 1990), and greedy pairing by the
growth of memory (Gray and Kourtis 2021, section 3.2). None of them is best everywhere: on some networks greedy pairing
needs 10^7 times the work of min-fill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import combinations
from typing import TypeAlias

from ..dsl.diagnostics import Diagnostic, SutureError

Axes: TypeAlias = tuple[int, ...]

BYTES = 8
MOST_PAIRS = 20_000


class Operation(Enum):
    """What a step does with its operands once they are laid out."""

    SUM = "sum"
    TIMES = "times"
    MATRIX = "matrix"


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand of a step: its number, and the axes and lengths it is brought to (None: as it is).

    The factors are operands 0, 1, ..; the result of step k is operand `number of factors + k`.
    """

    number: int
    order: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One contraction; its result has `axes` of lengths `shape`.

    `SUM` takes the `diagonals` (pairs of axes, each replaced by one at the end), sums the positions `summed`, then lays
    out.  `TIMES` multiplies entry by entry, `MATRIX` batches of matrices; `right` is None for `SUM` alone.
    """

    operation: Operation
    left: Operand
    right: Operand | None
    axes: Axes
    shape: tuple[int, ...]
    diagonals: tuple[tuple[int, int], ...] = ()
    summed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a contraction of `operands` (their axes) with `sizes` (the length of every axis), and its cost.

    `flops` counts multiplications, `peak` the most entries alive at once, `largest` the entries of the largest
    intermediate result and `width` its axes; `order` is the order in which axes are summed out.
    """

    operands: tuple[Axes, ...]
    sizes: tuple[int, ...]
    open_axes: Axes
    steps: tuple[Step, ...]
    flops: int
    peak: int
    largest: int
    width: int

    @property
    def bytes(self) -> int:
        """The peak of memory of intermediate results, for entries of eight bytes."""
        return self.peak * BYTES


@dataclass(frozen=True, slots=True)
class Budget:
    """What one contraction may cost: bytes of intermediate results and multiplications."""

    bytes: int = 4 << 30
    flops: int = 10**12


DEFAULT_BUDGET = Budget()


def check(plan: Plan, budget: Budget = DEFAULT_BUDGET) -> None:
    """Refuse a plan beyond the budget: raises `SutureError` S603 with the estimate."""
    if plan.bytes <= budget.bytes and plan.flops <= budget.flops:
        return
    need = f"{amount(plan.bytes)} of memory and {plan.flops:.1e} multiplications"
    raise SutureError(
        Diagnostic(
            "S603",
            f"this evaluation needs {need}, more than the budget of {amount(budget.bytes)} and {budget.flops:.0e}",
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


@lru_cache(maxsize=2048)
def make_plan(operands: tuple[Axes, ...], sizes: tuple[int, ...], open_axes: Axes) -> Plan:
    """The cheapest plan found for operands with these axes; equal shapes get the same plan.

    Raises `ValueError` where there is no operand or an open axis occurs in none.
    """
    if not operands:
        raise ValueError("a contraction needs at least one factor")
    missing = set(open_axes).difference(*operands)
    if missing:
        raise ValueError(f"the open axis {min(missing)} occurs in no factor")
    drafts = [_by_elimination(operands, sizes, open_axes)]
    if _pairs(operands, len(sizes)) <= MOST_PAIRS:
        drafts.append(_by_pairs(operands, sizes, open_axes))
    return min(drafts, key=lambda draft: (draft.work + draft.peak, draft.peak)).plan()


def _pairs(operands: tuple[Axes, ...], count: int) -> int:
    """An upper bound of the pairs of operands that share an axis: greedy pairing looks at every one."""
    users = [0] * count
    for own in operands:
        for axis in set(own):
            users[axis] += 1
    return sum(number * (number - 1) // 2 for number in users)


# ---------------------------------------------------------------------------------------------------------------------
# Drafts: which operands are joined


class Draft:
    """A plan under construction: the live operands, how many of them use each axis, and the pairs joined so far."""

    def __init__(self, operands: tuple[Axes, ...], sizes: tuple[int, ...], open_axes: Axes) -> None:
        self.operands = operands
        self.sizes = sizes
        self.open_axes = open_axes
        self.kept = frozenset(open_axes)
        self.live: dict[int, frozenset[int]] = {}
        self.users: dict[int, set[int]] = {axis: set() for axis in range(len(sizes))}
        self.joins: list[tuple[int, int | None, frozenset[int]]] = []
        self.next = len(operands)
        self.work = self.alive = self.peak = 0
        for number, own in enumerate(operands):
            self._add(number, frozenset(own))
        for number, own in enumerate(operands):
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
        self.joins.append((left, right, axes))
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

    def finish(self) -> Draft:
        """Join what is left, smallest first."""
        heap = [(self.size(axes), number) for number, axes in self.live.items()]
        heapify(heap)
        while len(heap) > 1:
            joined = self.join(heappop(heap)[1], heappop(heap)[1])
            heappush(heap, (self.size(self.live[joined]), joined))
        return self

    def plan(self) -> Plan:
        """The finished draft as a plan: every step laid out."""
        layout = _Layout(self.operands, self.sizes)
        for left, right, axes in self.joins:
            if right is None:
                layout.sum(left, axes)
            else:
                layout.join(left, right, axes)
        layout.finish(self.open_axes)
        results = [step.axes for step in layout.steps]
        return Plan(
            self.operands,
            self.sizes,
            self.open_axes,
            tuple(layout.steps),
            self.work,
            self.peak,
            max((layout.size(axes) for axes in results), default=1),
            max(map(len, results), default=0),
        )


def _by_elimination(operands: tuple[Axes, ...], sizes: tuple[int, ...], open_axes: Axes) -> Draft:
    """Sum out one axis after the other, joining the operands that use it, smallest first."""
    draft = Draft(operands, sizes, open_axes)
    for axis in elimination_order(operands, sizes, open_axes):
        heap = [(draft.size(draft.live[number]), number) for number in draft.users[axis]]
        heapify(heap)
        while len(heap) > 1:
            joined = draft.join(heappop(heap)[1], heappop(heap)[1])
            if axis in draft.live[joined]:
                heappush(heap, (draft.size(draft.live[joined]), joined))
    return draft.finish()


def elimination_order(operands: tuple[Axes, ...], sizes: tuple[int, ...], open_axes: Axes) -> Axes:
    """The axes to sum out, each time one whose neighbours lack the fewest edges; ties by the weight of the clique."""
    near: list[set[int]] = [set() for _ in sizes]
    for own in operands:
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


def _by_pairs(operands: tuple[Axes, ...], sizes: tuple[int, ...], open_axes: Axes) -> Draft:
    """Join the two operands with a common axis whose result grows memory least, until none share an axis."""
    draft = Draft(operands, sizes, open_axes)

    def offer(left: int, right: int) -> tuple[int, int, int]:
        union = draft.live[left] | draft.live[right]
        grown = draft.size(draft.result_axes(union, left, right))
        return grown - draft.size(draft.live[left]) - draft.size(draft.live[right]), left, right

    pairs = {pair for users in draft.users.values() for pair in combinations(sorted(users), 2)}
    heap = [offer(left, right) for left, right in sorted(pairs)]
    heapify(heap)
    while heap:
        _, left, right = heappop(heap)
        if left not in draft.live or right not in draft.live:
            continue
        joined = draft.join(left, right)
        partners = {number for axis in draft.live[joined] for number in draft.users[axis]} - {joined}
        for partner in sorted(partners):
            heappush(heap, offer(partner, joined))
    return draft.finish()


# ---------------------------------------------------------------------------------------------------------------------
# Layout: in which order the axes of every operand lie


class _Layout:
    """The steps of a draft, the order of axes of every operand followed along.

    An intermediate result keeps whatever order its step gives most cheaply: that of the larger operand where entries
    are multiplied, batch, rows and columns where matrices are.
    """

    def __init__(self, operands: tuple[Axes, ...], sizes: tuple[int, ...]) -> None:
        self.axes = list(operands)
        self.sizes = sizes
        self.steps: list[Step] = []

    def size(self, axes: Axes) -> int:
        """The number of entries over these axes."""
        return math.prod([self.sizes[axis] for axis in axes])

    def lengths(self, axes: Axes) -> tuple[int, ...]:
        """The lengths of these axes."""
        return tuple([self.sizes[axis] for axis in axes])

    def finish(self, open_axes: Axes) -> None:
        """Bring the last result to the order asked for."""
        last = len(self.axes) - 1
        if not self.steps or self.axes[last] != open_axes:
            self.sum(last, frozenset(open_axes), open_axes)

    def sum(self, number: int, kept: frozenset[int], order: Axes | None = None) -> None:
        """Diagonals taken, axes that are not kept summed out."""
        current, diagonals = list(self.axes[number]), list[tuple[int, int]]()
        for axis in dict.fromkeys(current):
            while current.count(axis) > 1:
                first = current.index(axis)
                second = current.index(axis, first + 1)
                diagonals.append((first, second))
                current = [*current[:first], *current[first + 1 : second], *current[second + 1 :], axis]
        summed = tuple(place for place, axis in enumerate(current) if axis not in kept)
        rest = tuple(axis for axis in current if axis in kept)
        axes = rest if order is None else order
        operand = Operand(number, None if axes == rest else tuple(rest.index(axis) for axis in axes))
        self._add(Step(Operation.SUM, operand, None, axes, self.lengths(axes), tuple(diagonals), summed))

    def join(self, left: int, right: int, kept: frozenset[int]) -> None:
        """Two operands multiplied, and what both have and nobody needs summed out."""
        common = set(self.axes[left]).intersection(self.axes[right])
        if common <= kept:
            self._times(left, right)
        else:
            self._matrix(left, right, common, kept)

    def _times(self, left: int, right: int) -> None:
        if self.size(self.axes[left]) < self.size(self.axes[right]):
            left, right = right, left
        own, other = self.axes[left], self.axes[right]
        extra = tuple(axis for axis in other if axis not in own)
        axes = own + extra
        padded = (*self.lengths(own), *(1 for _ in extra)) if extra else None
        present = [axis for axis in axes if axis in other]
        widened = tuple(self.sizes[axis] if axis in other else 1 for axis in axes)
        while widened and widened[0] == 1 and axes[len(axes) - len(widened)] not in other:
            widened = widened[1:]  # leading axes broadcast by themselves
        self._add(
            Step(
                Operation.TIMES,
                Operand(left, None, padded),
                self._operand(right, tuple(present), widened),
                axes,
                self.lengths(axes),
            )
        )

    def _matrix(self, left: int, right: int, common: set[int], kept: frozenset[int]) -> None:
        first, second = self.axes[left], self.axes[right]
        batch = tuple(axis for axis in first if axis in common and axis in kept)
        inner = tuple(axis for axis in first if axis in common and axis not in kept)
        rows = tuple(axis for axis in first if axis not in common)
        columns = tuple(axis for axis in second if axis not in common)
        head = (self.size(batch),) if batch else ()
        above = (*head, self.size(rows), self.size(inner))
        below = (*head, self.size(inner), self.size(columns))
        axes = batch + rows + columns
        self._add(
            Step(
                Operation.MATRIX,
                self._operand(left, batch + rows + inner, above),
                self._operand(right, batch + inner + columns, below),
                axes,
                self.lengths(axes),
            )
        )

    def _operand(self, number: int, axes: Axes, shape: tuple[int, ...]) -> Operand:
        own = self.axes[number]
        order = None if own == axes else tuple(own.index(axis) for axis in axes)
        return Operand(number, order, None if shape == self.lengths(axes) else shape)

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        self.axes.append(step.axes)
