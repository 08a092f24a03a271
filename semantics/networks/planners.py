"""Planners: in which order to join the operands of a contraction, and what that costs; integers alone, no arrays.

Finding the cheapest order is hard (Arnborg, Corneil, Proskurowski 1987), and no rule finds it everywhere, so several
are tried while a try costs less than it may save:

- elimination by min-fill, by weighted min-fill and by min-weight (Kjaerulff 1990), also with random ties
  (Fishelson and Geiger 2003), by seeds, so that the same shape gets the same plan;
- greedy pairing by the growth of memory (Gray and Kourtis 2021, section 3.2).

A set of axes is an integer with a bit for each, which makes a try a few microseconds an operand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import combinations
from math import log2
from random import Random
from typing import TypeAlias

from ..budget import meter

Axes: TypeAlias = tuple[int, ...]

TRY_WORK = 20_000
"""Multiplications that take as long as one try takes for one operand."""
STEP_WORK = 600
"""Multiplications that take less time than the step they are in costs anyway."""
FEW = 16
TRIES = 32
MOST_PAIRS = 20_000
NOISE = 0.2


@dataclass(frozen=True, slots=True)
class Network:
    """What is planned: the axes of every operand, the length of every axis, the axes that stay."""

    operands: tuple[Axes, ...]
    sizes: tuple[int, ...]
    open_axes: Axes


@dataclass(frozen=True, slots=True)
class Join:
    """Two operands multiplied (`right` None: one alone) and some axes, as a set of bits, summed out."""

    left: int
    right: int | None
    summed: int


def bits(mask: int) -> Iterator[int]:
    """The axes of a set, in order.

    >>> list(bits(0b1101))
    [0, 2, 3]
    """
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def cheapest(network: Network, uses: int = 1) -> Draft:
    """The cheapest finished draft that the planners find, while another try costs less than the `uses` may save."""
    if len(network.operands) <= FEW:
        quick = by_users(network)
        if quick.work <= STEP_WORK * len(network.operands):
            return quick
    best = by_elimination(network, min_weight)
    spent = price = TRY_WORK * (len(network.operands) + 8) // uses
    for planner in _others(network):
        if best.work < spent:
            break
        spent += price
        found = planner()
        if found.cost < best.cost:
            best = found
    return best


def _others(network: Network) -> Iterator[Callable[[], Draft]]:
    """The planners after the first, in the order in which they are worth trying."""
    yield partial(by_elimination, network, min_fill)
    if _pairs(network) <= MOST_PAIRS:
        yield partial(by_pairs, network)
    for seed in range(TRIES):
        yield partial(by_elimination, network, min_fill if seed % 4 < 3 else weighted_min_fill, Random(seed))


def _pairs(network: Network) -> int:
    """An upper bound of the pairs of operands that share an axis: greedy pairing looks at every one."""
    users = [0] * len(network.sizes)
    for own in network.operands:
        for axis in set(own):
            users[axis] += 1
    return sum(number * (number - 1) // 2 for number in users)


# ---------------------------------------------------------------------------------------------------------------------
# Drafts


class Draft:
    """A plan under construction: the live operands as sets of axes, who uses each axis, and the joins so far.

    `work` counts multiplications, `cost` entries read or written as well.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.sizes = network.sizes
        self.kept = 0
        for axis in network.open_axes:
            self.kept |= 1 << axis
        self.masks: list[int] = []
        self.volumes: list[int] = []
        self.users: list[set[int]] = [set() for _ in network.sizes]
        self.live: dict[int, None] = {}
        self.joins: list[Join] = []
        self.work = self.cost = 0
        for own in network.operands:
            self._read(own)
        for number, own in enumerate(network.operands):
            self._reduce(number, own)

    def _read(self, own: Axes) -> None:
        mask, volume = 0, 1
        for axis in own:
            mask |= 1 << axis
            volume *= self.sizes[axis]
        self._add(mask, volume)

    def _add(self, mask: int, volume: int) -> int:
        number = len(self.masks)
        self.masks.append(mask)
        self.volumes.append(volume)
        self.live[number] = None
        users = self.users
        while mask:
            low = mask & -mask
            users[low.bit_length() - 1].add(number)
            mask ^= low
        return number

    def _reduce(self, number: int, own: Axes) -> None:
        """Diagonals and axes that only one operand has go first, so that a join meets neither."""
        mask, lonely = self.masks[number], 0
        for axis in own:
            if len(self.users[axis]) == 1 and not self.kept >> axis & 1:
                lonely |= 1 << axis
        if not lonely and mask.bit_count() == len(own):
            return
        self.work += self.volumes[number]
        self.joins.append(Join(number, None, lonely))
        del self.live[number]
        for axis in bits(mask):
            self.users[axis].discard(number)
        self._add(mask & ~lonely, self.volume(mask & ~lonely))

    def volume(self, mask: int) -> int:
        """The number of entries over a set of axes."""
        volume = 1
        for axis in bits(mask):
            volume *= self.sizes[axis]
        return volume

    def join(self, left: int, right: int) -> int:
        """Multiply two live operands and sum out what nobody else uses; the number of the result."""
        first, second, summed, shared, gone = self.masks[left], self.masks[right], 0, 1, 1
        number, sizes, users = len(self.masks), self.sizes, self.users
        rest = first | second
        while rest:
            low = rest & -rest
            axis = low.bit_length() - 1
            rest ^= low
            using = users[axis]
            using.discard(left)
            using.discard(right)
            if first & low and second & low:
                shared *= sizes[axis]
                if not using and not self.kept & low:
                    summed |= low
                    gone *= sizes[axis]
                    continue
            using.add(number)
        self.masks.append((first | second) & ~summed)
        union = self.volumes[left] * self.volumes[right] // shared
        self.volumes.append(union // gone)
        del self.live[left], self.live[right]
        self.live[number] = None
        self.joins.append(Join(left, right, summed))
        self.work += union
        self.cost += union + self.volumes[left] + self.volumes[right] + self.volumes[number]
        return number

    def gather(self, numbers: list[int]) -> int:
        """Join some live operands, the two smallest first; the number of the result."""
        if len(numbers) == 2:
            return self.join(*numbers)
        heap = [(self.volumes[number], number) for number in numbers]
        heapify(heap)
        while len(heap) > 1:
            joined = self.join(heappop(heap)[1], heappop(heap)[1])
            heappush(heap, (self.volumes[joined], joined))
        return heap[0][1]

    def finish(self) -> Draft:
        """Join what is left."""
        if len(self.live) > 1:
            self.gather(list(self.live))
        return self


# ---------------------------------------------------------------------------------------------------------------------
# Elimination


class Graph:
    """The graph of axes that meet in an operand: sets of neighbours, and the logarithm of the number of their entries.

    `near[a]` are the neighbours of axis a and `weights[a]` their weight.
    """

    def __init__(self, draft: Draft) -> None:
        self.near = [0] * len(draft.sizes)
        self.logs = [log2(size) for size in draft.sizes]
        for number in draft.live:
            mask = rest = draft.masks[number]
            while rest:
                low = rest & -rest
                self.near[low.bit_length() - 1] |= mask ^ low
                rest ^= low
        self.weights = [self.weight(mask) for mask in self.near]

    def weight(self, mask: int) -> float:
        """The logarithm of the number of entries over a set of axes."""
        weight, logs = 0.0, self.logs
        while mask:
            low = mask & -mask
            weight += logs[low.bit_length() - 1]
            mask ^= low
        return weight

    def eliminate(self, axis: int) -> int:
        """Join the neighbours of an axis to a clique and take it away; the clique."""
        near, weights, log = self.near, self.weights, self.logs[axis]
        clique = rest = near[axis]
        gone = ~(1 << axis)
        while rest:
            low = rest & -rest
            rest ^= low
            one = low.bit_length() - 1
            own = near[one]
            new = clique & ~own & ~low
            weights[one] += self.weight(new) - log if new else -log
            near[one] = (own | new) & gone
        return clique

    def around(self, axis: int) -> int:
        """The axes that are near both ends of an edge that the neighbours of an axis lack."""
        near, found = self.near, 0
        rest = near[axis]
        while rest:
            low = rest & -rest
            rest ^= low
            own = near[low.bit_length() - 1]
            for other in bits(rest & ~own):
                found |= own & near[other]
        return found


Rank: TypeAlias = tuple[float, float, int]


def min_weight(graph: Graph, axis: int) -> Rank:
    """The logarithm of the number of entries over an axis and its neighbours."""
    return graph.weights[axis] + graph.logs[axis], 0.0, axis


def min_fill(graph: Graph, axis: int) -> Rank:
    """The number of edges that the neighbours of an axis lack, twice; then the size of the clique."""
    near = graph.near
    others = rest = near[axis]
    missing = 0
    while rest:
        low = rest & -rest
        rest ^= low
        missing += (others & ~near[low.bit_length() - 1]).bit_count() - 1
    return missing, graph.weights[axis], axis


def weighted_min_fill(graph: Graph, axis: int) -> Rank:
    """The edges that the neighbours of an axis lack, each by the logarithms of the lengths of both its ends."""
    others, missing = graph.near[axis], 0.0
    for one in bits(others):
        lacking = others & ~graph.near[one] & ~(1 << one)
        if lacking:
            missing += graph.logs[one] * graph.weight(lacking)
    return missing, graph.weights[axis], axis


def by_elimination(network: Network, score: Callable[[Graph, int], Rank], ties: Random | None = None) -> Draft:
    """Sum out one axis after the other, the one of least score first, joining the operands that use it.

    With `ties`, scores are blurred a little and equal ones go by chance.
    """
    draft = Draft(network)
    graph = Graph(draft)
    far, clock = score is not min_weight, meter()

    def rank(axis: int) -> Rank:
        if ties is None:
            return score(graph, axis)
        return score(graph, axis)[0] * (1 + NOISE * ties.random()), ties.random(), axis

    current = {axis: rank(axis) for axis, users in enumerate(draft.users) if users and not draft.kept >> axis & 1}
    heap = list(current.values())
    heapify(heap)
    while heap:
        best = heappop(heap)
        axis = best[2]
        if current.get(axis) is not best:
            continue
        del current[axis]
        clock.tick()
        users = draft.users[axis]
        if users:
            draft.gather(sorted(users))
        rest = graph.around(axis) if far else 0
        rest |= graph.eliminate(axis)
        while rest:
            low = rest & -rest
            rest ^= low
            changed = low.bit_length() - 1
            if changed in current:
                found = rank(changed)
                if found != current[changed]:
                    current[changed] = found
                    heappush(heap, found)
    return draft.finish()


def by_users(network: Network) -> Draft:
    """Sum out the axes with the fewest operands first, as counted at the start: poor, but quick."""
    draft = Draft(network)
    counts = sorted([(len(users), axis) for axis, users in enumerate(draft.users) if not draft.kept >> axis & 1])
    for _, axis in counts:
        if draft.users[axis]:
            draft.gather(sorted(draft.users[axis]))
    return draft.finish()


# ---------------------------------------------------------------------------------------------------------------------
# Greedy pairing


def by_pairs(network: Network) -> Draft:
    """Join the two operands with a common axis whose result grows memory least, until none share an axis."""
    draft, clock = Draft(network), meter()
    volumes, masks, users, kept = draft.volumes, draft.masks, draft.users, draft.kept

    def offer(left: int, right: int) -> tuple[int, int, int]:
        shared = gone = 1
        for axis in bits(masks[left] & masks[right]):
            shared *= draft.sizes[axis]
            if len(users[axis]) == 2 and not kept >> axis & 1:
                gone *= draft.sizes[axis]
        return volumes[left] * volumes[right] // (shared * gone) - volumes[left] - volumes[right], left, right

    pairs = {pair for using in users for pair in combinations(sorted(using), 2)}
    heap = [offer(left, right) for left, right in sorted(pairs)]
    heapify(heap)
    while heap:
        _, left, right = heappop(heap)
        if left not in draft.live or right not in draft.live:
            continue
        clock.tick()
        joined = draft.join(left, right)
        partners = {number for axis in bits(masks[joined]) for number in users[axis]} - {joined}
        for partner in sorted(partners):
            heappush(heap, offer(partner, joined))
    return draft.finish()
