"""The worst domain for a predictor: exact where it can be, certified bounds where the budget ends.

For a fixed predictor the risk is W summed over the cases of the mechanisms' parents and their options, each weighted by
the policy: linear in every row, so a worst policy is deterministic.  One mutable mechanism: the sum over its cases of
the largest option.  Several: a limited-memory influence diagram (decisions are mechanisms, information are parents;
Lauritzen and Nilsson 2001), which is NP-hard in general.

- Upper bounds: information arcs.  Let each mechanism see what those before it saw, and solve by dynamic programming;
  more information only helps the adversary.  Where the solution uses no more than the parents, it is the answer.
- Lower bounds: the policy that solution suggests, then one mechanism at a time made best against the others, which is
  also how enumeration closes its last decision.
- Enumeration of the policies of all mechanisms but the one with most, where they are few, that one closed each time.
- Else branch and bound on the row whose options the relaxed solution disagrees on most, until the two meet.

With rational numbers bounds are compared exactly, with floats to 1e-12.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...semantics.factors import Axis
from ...semantics.semiring import Array, Semiring
from .losses import first_largest

NODES = 2000
MOST_ORDERED = 3
ROUNDS = 30
SLACK = 1e-12
WORK = 1 << 20
LOOPS = 16
"""What enumeration may hold at once, in entries, and how often; rationals are left to branch and bound."""

Policy = Mapping[Axis, NDArray[np.intp]]


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A mechanism to choose: the axis of its options, the axes it sees, and which options each case has."""

    axis: Axis
    information: tuple[Axis, ...]
    allowed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rewards:
    """What the adversary gets: `values` over `axes`, at least zero, and the decisions; other axes are chance."""

    axes: tuple[Axis, ...]
    values: Array
    decisions: tuple[Decision, ...]
    semiring: Semiring


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """The risk in the worst domain lies between `lower`, which the policy attains, and `upper`."""

    lower: Any
    upper: Any
    policy: Policy
    nodes: int = 0

    @property
    def exact(self) -> bool:
        """Whether the bounds meet, floats up to rounding."""
        return bool(self.upper - self.lower <= SLACK * max(1.0, float(self.upper)))


def worst_policy(rewards: Rewards, nodes: int = NODES) -> Worst:
    """The policy with the largest total reward, searched for within a number of `nodes` of branch and bound."""
    if not rewards.decisions:
        total = rewards.values.sum()
        return Worst(total, total, {})
    return _Search(rewards).run(nodes)


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """The relaxed value with its best guess at a policy, and the row (decision, case) that is least settled."""

    upper: Any
    policy: Policy
    row: tuple[int, tuple[int, ...]] | None


class _Search:
    """Branch and bound over the rows of policies; a node says which options are left in each row."""

    def __init__(self, rewards: Rewards) -> None:
        self.rewards = rewards
        self.decisions = rewards.decisions
        self.semiring = rewards.semiring
        self.orders = list(_orders(rewards.decisions))
        self.best: Any = None
        self.policy: Policy = {}

    def run(self, nodes: int) -> Worst:
        """Best first, until no node promises more than what is attained or the budget is spent."""
        root = tuple(decision.allowed for decision in self.decisions)
        bound = self._bound(root)
        if bound.row is not None and self._open(bound.upper) and self._enumerated():
            return Worst(self.best, self.best, self.policy, 1)
        heap = [(-bound.upper, 0, root, bound)]
        count = 1
        while heap and count < nodes and self._open(-heap[0][0]):
            _, _, allowed, bound = heapq.heappop(heap)
            if bound.row is None:
                continue
            for below in _branches(allowed, *bound.row):
                made = self._bound(below)
                count += 1
                if self._open(made.upper):
                    heapq.heappush(heap, (-made.upper, count, below, made))
        upper = max([-heap[0][0], self.best]) if heap else self.best
        return Worst(self.best, upper if self._open(upper) else self.best, self.policy, count)

    # -- enumeration

    def _enumerated(self) -> bool:
        """Every policy of all decisions but the largest tried, where they are few enough; whether that was done."""
        *others, last = sorted(self.decisions, key=_policies)
        outer = math.prod(map(_policies, others[:-1]))
        held = _policies(others[-1]) * last.allowed.size
        if self.semiring.exact or outer > LOOPS or held > WORK:
            return False
        values, axes = self.rewards.values, self.rewards.axes
        for chosen in product(*(_listed(decision) for decision in others[:-1])):
            policy = {decision.axis: made for decision, made in zip(others, chosen, strict=False)}
            kept = values
            for decision in others[:-1]:
                kept = np.where(self._taken(decision, policy[decision.axis]), kept, kept * 0)
            self._closed(kept, axes, others[-1], last, policy)
        return True

    def _taken(self, decision: Decision, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Where the decision follows a policy."""
        taken = np.arange(decision.allowed.shape[-1]) == chosen[..., None]
        return np.asarray(_aligned(taken, (*decision.information, decision.axis), self.rewards.axes))

    def _closed(self, values: Array, axes: tuple[Axis, ...], first: Decision, last: Decision, policy: Policy) -> None:
        """All policies of one decision at once, the other made best against each; a better pair becomes the best."""
        own = (*last.information, last.axis)
        made = np.stack(list(_listed(first))).reshape(_policies(first), -1)
        gains: Array | None = None
        for number, case in enumerate(np.ndindex(*first.allowed.shape[:-1])):
            by_option: list[Array] = []
            for option in range(first.allowed.shape[-1]):
                mask = np.zeros(first.allowed.shape, dtype=np.bool_)
                mask[(*case, option)] = True
                kept = np.where(_aligned(mask, (*first.information, first.axis), axes), values, values * 0)
                by_option.append(_moved(*_summed(kept, axes, set(own)), own))
            part = np.stack(by_option)[made[:, number]]
            gains = part if gains is None else gains + part
        assert gains is not None
        gains = np.where(last.allowed, gains, gains * 0)
        totals = np.asarray(gains.max(axis=-1)).reshape(len(made), -1).sum(axis=-1)
        place = int(first_largest(totals, self.semiring.exact))
        if totals[place] > self.best:
            self.best = totals[place]
            chosen = made[place].reshape(first.allowed.shape[:-1])
            self.policy = {**policy, first.axis: chosen, last.axis: self._choice(gains[place], last.allowed)}

    # -- bounds

    def _open(self, upper: Any) -> bool:
        slack = 0 if self.semiring.exact else SLACK * max(1.0, float(upper))
        return bool(upper > self.best + slack)

    def _bound(self, allowed: tuple[NDArray[np.bool_], ...]) -> _Bound:
        """The least relaxed value over a few orders; the policy it suggests may become the best known."""
        masked = self._masked(allowed)
        found = min((self._relaxed(order, masked, allowed) for order in self.orders), key=lambda bound: bound.upper)
        self._improve(found.policy, masked, allowed)
        return found

    def _masked(self, allowed: tuple[NDArray[np.bool_], ...]) -> Array:
        """The rewards, zero where an option is not allowed: rewards are at least zero, so none is missed."""
        values = self.rewards.values
        for decision, mask in zip(self.decisions, allowed, strict=True):
            if not mask.all():
                spread = _aligned(mask, (*decision.information, decision.axis), self.rewards.axes)
                values = np.where(spread, values, values * 0)
        return values

    def _relaxed(self, order: Sequence[int], values: Array, allowed: tuple[NDArray[np.bool_], ...]) -> _Bound:
        """Dynamic programming where each decision of the order sees all that those before it saw and chose."""
        axes = self.rewards.axes
        policy: dict[Axis, NDArray[np.intp]] = {}
        row, doubt = None, 0.0
        for place in reversed(range(len(order))):
            decision, mask = self.decisions[order[place]], allowed[order[place]]
            seen = {axis for number in order[: place + 1] for axis in self.decisions[number].information}
            seen |= {self.decisions[number].axis for number in order[: place + 1]}
            values, axes = _summed(values, axes, seen)
            own = (*decision.information, decision.axis)
            regret = _regret(values, axes, own)
            chosen = _summed(values, axes, set(own))
            policy[decision.axis] = self._choice(_moved(*chosen, own), mask)
            if regret is not None:
                undecided = np.where(mask.sum(axis=-1) > 1, regret, -1.0)
                if undecided.size and float(undecided.max()) > doubt:
                    doubt = float(undecided.max())
                    row = (order[place], np.unravel_index(int(undecided.argmax()), undecided.shape))
            values = np.asarray(values.max(axis=axes.index(decision.axis)))
            axes = tuple(axis for axis in axes if axis != decision.axis)
        total = _summed(values, axes, set())[0]
        settled = None if row is None else (row[0], tuple(int(number) for number in row[1]))
        return _Bound(_entry(total), policy, settled)

    def _choice(self, values: Array, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        return first_largest(np.where(mask, values, values * 0 - 1), self.semiring.exact)

    def _improve(self, policy: Policy, values: Array, allowed: tuple[NDArray[np.bool_], ...]) -> None:
        """One mechanism at a time made best against the others, until nothing changes."""
        current, total = dict(policy), None
        for _ in range(ROUNDS):
            before = total
            for decision, mask in zip(self.decisions, allowed, strict=True):
                own = (*decision.information, decision.axis)
                rest = self._applied(current, values, decision)
                gains = _moved(*_summed(*rest, set(own)), own)
                current[decision.axis] = self._choice(gains, mask)
                total = _entry(np.asarray(np.where(mask, gains, gains * 0).max(axis=-1)).sum())
            if len(self.decisions) == 1 or (before is not None and not total > before):
                break
        if self.best is None or total > self.best:
            self.best, self.policy = total, current

    def _applied(self, policy: Policy, values: Array, but: Decision) -> tuple[Array, tuple[Axis, ...]]:
        """The rewards once all decisions but one follow the policy."""
        for decision in self.decisions:
            if decision is not but:
                values = np.where(self._taken(decision, policy[decision.axis]), values, values * 0)
        return values, self.rewards.axes


def _orders(decisions: Sequence[Decision]) -> Iterator[tuple[int, ...]]:
    """Orders in which information may accumulate: as given, and others that let none see what is decided later."""
    numbers = range(len(decisions))
    if len(decisions) > MOST_ORDERED:
        yield tuple(numbers)
        return
    for order in permutations(numbers):
        later = [{decisions[other].axis for other in order[place + 1 :]} for place in numbers]
        if all(later[place].isdisjoint(decisions[number].information) for place, number in enumerate(order)):
            yield order


def _policies(decision: Decision) -> int:
    """How many deterministic policies a decision has."""
    return math.prod(decision.allowed.sum(axis=-1).reshape(-1).tolist())


def _listed(decision: Decision) -> Iterator[NDArray[np.intp]]:
    """Every deterministic policy of a decision."""
    rows = decision.allowed.reshape(-1, decision.allowed.shape[-1])
    for options in product(*(np.flatnonzero(row).tolist() for row in rows)):
        yield np.array(options, dtype=np.intp).reshape(decision.allowed.shape[:-1])


def _branches(
    allowed: tuple[NDArray[np.bool_], ...], number: int, case: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.bool_], ...]]:
    """One branch an option that the row still has."""
    for option in np.flatnonzero(allowed[number][case]):
        mask = allowed[number].copy()
        mask[case] = False
        mask[(*case, option)] = True
        yield (*allowed[:number], mask, *allowed[number + 1 :])


def _regret(values: Array, axes: tuple[Axis, ...], own: tuple[Axis, ...]) -> NDArray[np.float64] | None:
    """For each case of a decision's own information, what seeing more would gain; None where nothing more is seen."""
    if len(axes) == len(own):
        return None
    floats = values.astype(np.float64)
    informed = _summed(floats.max(axis=axes.index(own[-1])), tuple(a for a in axes if a != own[-1]), set(own))
    blind = _moved(*_summed(floats, axes, set(own)), own).max(axis=-1)
    return np.asarray(_moved(*informed, own[:-1]) - blind)


def _summed(values: Array, axes: tuple[Axis, ...], kept: set[Axis]) -> tuple[Array, tuple[Axis, ...]]:
    gone = tuple(place for place, axis in enumerate(axes) if axis not in kept)
    return np.asarray(values.sum(axis=gone) if gone else values), tuple(axis for axis in axes if axis in kept)


def _moved(values: Array, axes: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> Array:
    return np.asarray(values).transpose([axes.index(axis) for axis in wanted])


def _aligned(values: Array, axes: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> Array:
    """The values with axes in the order wanted, of length one where they have none."""
    present = [axis for axis in wanted if axis in axes]
    moved = _moved(values, axes, tuple(present))
    shape = iter(moved.shape)
    return moved.reshape([next(shape) if axis in axes else 1 for axis in wanted])


def _entry(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) else value
