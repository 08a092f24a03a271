"""Plans of contractions as data: which operands to join in which order, how each is laid out, and what it costs.

A network is a list of operands over numbered axes; its value is the sum, over every axis that is not open, of their
product.  A `Plan` is made from axes and lengths alone, so it is cached by shape, can be shown, and can be refused
before anything is computed.  Nothing here holds an array; `contraction.execute` runs a plan in any semiring.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from math import prod
from typing import NamedTuple

from ...dsl.diagnostics import Diagnostic, SutureError
from ..budget import Budget, amount, duration, meter
from .planners import Axes, Join, Network, cheapest

BYTES = 8
SECONDS_A_STEP = 2.5e-6
SECONDS_A_FLOP = 4e-10


class Operation(Enum):
    """What a step does with its operands once they are laid out."""

    SUM = "sum"
    TIMES = "times"
    MATRIX = "matrix"


# Steps are made by the thousand for plans that run once, and a named tuple is made four times as fast as a dataclass.
class Operand(NamedTuple):
    """An operand of a step: its number, and the axes and lengths it is brought to (None: as it is).

    The factors are operands 0, 1, ..; the result of step k is operand `number of factors + k`.
    """

    number: int
    order: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None


class Step(NamedTuple):
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

    `flops` counts multiplications, `peak` the most entries of intermediate results and copies alive at once, `largest`
    the entries of the largest intermediate result, and `width` the most axes of one.
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
    def order(self) -> Axes:
        """The axes in the order in which they are summed out."""
        axes = list(self.operands)
        gone: list[int] = []
        for step in self.steps:
            before = axes[step.left.number] + (axes[step.right.number] if step.right else ())
            gone += [axis for axis in dict.fromkeys(before) if axis not in step.axes]
            axes.append(step.axes)
        return tuple(gone)

    @property
    def traced_bytes(self) -> int:
        """The peak where every result is kept and a pass goes back over the steps, for entries of eight bytes."""
        return (sum([prod(step.shape) for step in self.steps]) + 3 * self.largest + self.peak) * BYTES

    @property
    def seconds(self) -> float:
        """About how long numpy takes on one core of today: a constant a step, and one a multiplication.

        Within a factor of three for 192 posteriors of 24 public networks; other semirings take longer, exact ones much.
        """
        return SECONDS_A_STEP * len(self.steps) + SECONDS_A_FLOP * self.flops

    @property
    def bytes(self) -> int:
        """The peak of memory of intermediate results, for entries of eight bytes."""
        return self.peak * BYTES


def check(plan: Plan, budget: Budget | None = None, traced: bool = False) -> None:
    """Refuse a plan beyond the budget (None: the one in force): raises `SutureError` S603 with the estimate.

    `traced` is for a pass that keeps every result and goes back.
    """
    budget = meter().budget if budget is None else budget
    late = budget.seconds is not None and plan.seconds > budget.seconds
    memory = plan.traced_bytes if traced else plan.bytes
    if memory <= budget.bytes and plan.flops <= budget.flops and not late:
        return
    need = f"{amount(memory)} of memory and {plan.flops:.1e} multiplications"
    limit = f"{amount(budget.bytes)} and {budget.flops:.0e}"
    if budget.seconds is not None:
        need += f", about {duration(plan.seconds)}"
        limit = f"{amount(budget.bytes)}, {budget.flops:.0e} and {duration(budget.seconds)}"
    raise SutureError(
        Diagnostic(
            "S603",
            f"this evaluation needs {need}, more than the budget of {limit}",
            help="ask for fewer variables at once, or fix some of them at a value",
        )
    )


@lru_cache(maxsize=2048)
def make_plan(operands: tuple[Axes, ...], sizes: tuple[int, ...], open_axes: Axes, uses: int = 1) -> Plan:
    """The cheapest plan found for operands with these axes; equal shapes get the same plan.

    The more `uses` a plan is made for, the longer a cheaper one is looked for.
    Raises `ValueError` where there is no operand or an open axis occurs in none.
    """
    if not operands:
        raise ValueError("a contraction needs at least one factor")
    network = Network(operands, sizes, open_axes)
    missing = set(open_axes).difference(*operands)
    if missing:
        raise ValueError(f"the open axis {min(missing)} occurs in no factor")
    draft = cheapest(network, uses)
    layout = _Layout(network)
    for join in draft.joins:
        layout.take(join)
    return layout.plan(draft.work)


# ---------------------------------------------------------------------------------------------------------------------
# Layout: in which order the axes of every operand lie


class _Layout:
    """The steps of a draft, the order of axes and the memory of every operand followed along.

    An intermediate result keeps whatever order its step gives most cheaply: that of the larger operand where entries
    are multiplied, batch, rows and columns where matrices are.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.sizes = network.sizes
        self.axes = list(network.operands)
        self.shapes = [self.lengths(own) for own in network.operands]
        self.volumes = [prod(shape) for shape in self.shapes]
        self.steps: list[Step] = []
        self.owned = [0] * len(self.axes)
        self.alive = self.peak = 0
        self.largest, self.width = 1, 0

    def lengths(self, axes: Axes) -> tuple[int, ...]:
        """The lengths of these axes."""
        sizes = self.sizes
        return tuple([sizes[axis] for axis in axes])

    def plan(self, work: int) -> Plan:
        """The finished plan, the last result brought to the order asked for."""
        open_axes = self.network.open_axes
        if not self.steps or self.axes[-1] != open_axes:
            self.sum(len(self.axes) - 1, 0, open_axes)
        network = self.network
        steps = tuple(self.steps)
        return Plan(network.operands, network.sizes, open_axes, steps, work, self.peak, self.largest, self.width)

    def take(self, join: Join) -> None:
        """One join as a step."""
        if join.right is None:
            self.sum(join.left, join.summed)
        elif join.summed:
            self.matrix(join.left, join.right, join.summed)
        else:
            self.times(join.left, join.right)

    def sum(self, number: int, summed: int, order: Axes | None = None) -> None:
        """Diagonals taken, axes summed out."""
        current, diagonals = list(self.axes[number]), list[tuple[int, int]]()
        for axis in dict.fromkeys(current):
            while current.count(axis) > 1:
                first = current.index(axis)
                second = current.index(axis, first + 1)
                diagonals.append((first, second))
                current = [*current[:first], *current[first + 1 : second], *current[second + 1 :], axis]
        places = tuple([place for place, axis in enumerate(current) if summed >> axis & 1])
        rest = tuple([axis for axis in current if not summed >> axis & 1])
        axes = rest if order is None else order
        operand = Operand(number, None if axes == rest else tuple([rest.index(axis) for axis in axes]))
        self.add(Step(Operation.SUM, operand, None, axes, self.lengths(axes), tuple(diagonals), places), 0)

    def times(self, left: int, right: int) -> None:
        """Entry by entry, in the order of the larger operand; leading axes of the smaller broadcast by themselves."""
        if self.volumes[left] < self.volumes[right]:
            left, right = right, left
        own, other, sizes = self.axes[left], self.axes[right], self.sizes
        extra = tuple([axis for axis in other if axis not in own])
        axes, shape = own, self.shapes[left]
        padded = None
        if extra:
            axes, padded, shape = own + extra, shape + (1,) * len(extra), shape + tuple([sizes[axis] for axis in extra])
        present = tuple([axis for axis in axes if axis in other])
        skipped = axes.index(present[0]) if present else len(axes)
        order = None if present == other else tuple([other.index(axis) for axis in present])
        widened = None
        if len(present) < len(axes) - skipped:
            widened = tuple([sizes[axis] if axis in other else 1 for axis in axes[skipped:]])
        step = Step(Operation.TIMES, Operand(left, None, padded), Operand(right, order, widened), axes, shape)
        self.add(step, self.volumes[right] if order and widened else 0)

    def matrix(self, left: int, right: int, summed: int) -> None:
        """Batches of matrices: what both have and keep, what one has, what both have and is summed out."""
        first, second, sizes = self.axes[left], self.axes[right], self.sizes
        batch, rows, inner = list[int](), list[int](), list[int]()
        count = height = depth = 1
        for axis in first:
            if summed >> axis & 1:
                inner.append(axis)
                depth *= sizes[axis]
            elif axis in second:
                batch.append(axis)
                count *= sizes[axis]
            else:
                rows.append(axis)
                height *= sizes[axis]
        columns = [axis for axis in second if axis not in first]
        length = self.volumes[right] // (count * depth)
        head = (count,) if batch else ()
        above = self.laid(left, (*batch, *rows, *inner), (*head, height, depth))
        below = self.laid(right, (*batch, *inner, *columns), (*head, depth, length))
        axes = (*batch, *rows, *columns)
        step = Step(Operation.MATRIX, above, below, axes, tuple([sizes[axis] for axis in axes]))
        copied = self.volumes[left] if above.order and above.shape and _scattered(first, batch, rows, inner) else 0
        if below.order and below.shape and _scattered(second, batch, inner, columns):
            copied += self.volumes[right]
        self.add(step, copied)

    def laid(self, number: int, axes: Axes, shape: tuple[int, ...]) -> Operand:
        """An operand with its axes in this order, grouped into these lengths."""
        own = self.axes[number]
        if own == axes:
            return Operand(number, None, None if shape == self.shapes[number] else shape)
        sizes = self.sizes
        lengths = tuple([sizes[axis] for axis in axes])
        return Operand(number, tuple([own.index(axis) for axis in axes]), None if shape == lengths else shape)

    def add(self, step: Step, copied: int) -> None:
        """Append a step, with the entries of its operands that have to be copied to be laid out."""
        made = prod(step.shape)
        view = step.operation is Operation.SUM and not step.summed
        own = self.owned[step.left.number] if view else made
        if not view:
            self.alive += made
            self.peak = max(self.peak, self.alive + copied)
            for operand in (step.left, step.right):
                if operand is not None:
                    self.alive -= self.owned[operand.number]
        self.largest, self.width = max(self.largest, made), max(self.width, len(step.axes))
        self.steps.append(step)
        self.axes.append(step.axes)
        self.shapes.append(step.shape)
        self.volumes.append(made)
        self.owned.append(own)


def _scattered(own: Axes, *groups: list[int]) -> bool:
    """Whether bringing some group of axes together takes a copy: they do not lie one after the other already."""
    for group in groups:
        if len(group) > 1:
            place = own.index(group[0])
            if own[place : place + len(group)] != tuple(group):
                return True
    return False
