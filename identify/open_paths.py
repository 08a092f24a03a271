"""Paths of a causal graph written out: what keeps two variables dependent, and how one affects another.

`open_path` finds a shortest m-connecting path by the walk over (variable, arrived at a head or a tail) that
`CausalGraph.separated` decides with; a shortest walk is a path.  `directed_path` finds a shortest chain of arrows.

Sources: Richardson and Spirtes (2002) (m-separation); Shachter (1998) for the walk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from .graph import CausalGraph, bits

FORWARD, BACKWARD, BOTH = "->", "<-", "<->"

# A place of the walk: the variable, and whether the path leaves it freely because it came along a tail.
Place: TypeAlias = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Path:
    """Variables along a path; `arrows[i]` joins the i-th and the next, as `->`, `<-` or `<->`."""

    nodes: tuple[str, ...]
    arrows: tuple[str, ...]

    @property
    def text(self) -> str:
        """The path as it is written.

        >>> Path(("X", "U", "Y"), ("<-", "->")).text
        'X <- U -> Y'
        """
        return self.nodes[0] + "".join(
            f" {arrow} {node}" for arrow, node in zip(self.arrows, self.nodes[1:], strict=True)
        )

    @property
    def colliders(self) -> tuple[str, ...]:
        """The inner variables at which two arrowheads meet.

        >>> Path(("X", "C", "Y"), ("->", "<->")).colliders
        ('C',)
        """
        pairs = zip(self.nodes[1:-1], pairwise(self.arrows), strict=True)
        return tuple(node for node, (before, after) in pairs if before != BACKWARD and after != FORWARD)

    @property
    def reversed(self) -> Path:
        """The same path from its other end."""
        turned = {FORWARD: BACKWARD, BACKWARD: FORWARD, BOTH: BOTH}
        return Path(self.nodes[::-1], tuple(turned[arrow] for arrow in reversed(self.arrows)))


def open_path(
    graph: CausalGraph, first: int, second: int, given: int, cut: int = 0, cut_out: int = 0, closed: int | None = None
) -> Path | None:
    """A shortest path between two sets that `given` leaves open, without edges into `cut` and out of `cut_out`.

    `closed` are the variables that no path passes but as a collider; they are `given` unless stated.

    >>> graph = CausalGraph(("A", "B", "C"), (0, 0b1, 0b11), (0b010, 0b001, 0))
    >>> open_path(graph, 0b001, 0b010, 0b100).text
    'A -> B'
    """
    stops = given if closed is None else closed
    opened = ancestors_without(graph, given, cut, cut_out)
    came: dict[Place, tuple[Place, str] | None] = {(position, True): None for position in bits(first)}
    queue = deque(came)
    while queue:
        place = queue.popleft()
        if second >> place[0] & 1:
            return _written(graph, came, place)
        for move, arrow in _moves(graph, place, stops, opened, cut, cut_out):
            if move not in came:
                came[move] = (place, arrow)
                queue.append(move)
    return None


def open_reach(graph: CausalGraph, first: int, given: int, cut: int = 0, cut_out: int = 0) -> int:
    """Every variable that an open path from `first` reaches, without edges into `cut` and out of `cut_out`."""
    opened = ancestors_without(graph, given, cut, cut_out)
    pending: list[Place] = [(position, True) for position in bits(first)]
    seen, reached = set(pending), first
    while pending:
        for move, _ in _moves(graph, pending.pop(), given, opened, cut, cut_out):
            if move not in seen:
                seen.add(move)
                pending.append(move)
                reached |= 1 << move[0]
    return reached


def ancestors_without(graph: CausalGraph, mask: int, cut: int, cut_out: int) -> int:
    """The set with its ancestors, without edges into `cut` and out of `cut_out`."""
    result = pending = mask
    while pending:
        position = pending.bit_length() - 1
        pending ^= 1 << position
        if not cut >> position & 1:
            new = graph.parents[position] & ~cut_out & ~result
            result |= new
            pending |= new
    return result


def _moves(
    graph: CausalGraph, place: Place, stops: int, opened: int, cut: int, cut_out: int
) -> Iterator[tuple[Place, str]]:
    position, free = place
    passes = not stops >> position & 1
    turns = (passes if free else opened >> position & 1) and not cut >> position & 1
    if turns:
        yield from (((parent, True), BACKWARD) for parent in bits(graph.parents[position] & ~cut_out))
    if passes and not cut_out >> position & 1:
        yield from (((child, False), FORWARD) for child in bits(graph.children[position] & ~cut))
    if turns:
        yield from (((sibling, False), BOTH) for sibling in bits(graph.siblings[position] & ~cut))


def directed_path(graph: CausalGraph, sources: int, targets: int, avoid: int = 0) -> Path | None:
    """A shortest path of one or more arrows from `sources` to `targets`, no inner variable of it in `avoid`."""
    came: dict[Place, tuple[Place, str] | None] = {(position, True): None for position in bits(sources)}
    queue = deque(came)
    while queue:
        place = queue.popleft()
        for child in bits(graph.children[place[0]]):
            if targets >> child & 1:
                came[child, False] = (place, FORWARD)
                return _written(graph, came, (child, False))
            if not (avoid | sources) >> child & 1 and (child, True) not in came:
                came[child, True] = (place, FORWARD)
                queue.append((child, True))
    return None


def joined(first: Path, second: Path) -> Path:
    """The first path followed by the second, which starts where it ends."""
    return Path(first.nodes + second.nodes[1:], first.arrows + second.arrows)


def _written(graph: CausalGraph, came: Mapping[Place, tuple[Place, str] | None], last: Place) -> Path:
    nodes, arrows = [graph.names[last[0]]], list[str]()
    step = came[last]
    while step is not None:
        place, arrow = step
        nodes.append(graph.names[place[0]])
        arrows.append(arrow)
        step = came[place]
    return Path(tuple(reversed(nodes)), tuple(reversed(arrows)))
