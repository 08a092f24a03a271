"""Vertex separators of undirected graphs: all minimal ones lazily, and one of minimum size.

A graph is a tuple of masks, the neighbours of each vertex.  The separators of two sets of variables in a causal graph
are those of its augmented graph on their ancestors, where variables that an unbroken row of colliders joins are
neighbours; vertices that may not be in a separator are eliminated first.

Minimal separators are listed by growing the source: a set A that holds the source is closed if it is the component of
the source when its own neighbourhood is removed, and that neighbourhood is minimal; closed sets and minimal separators
are the same thing.  Every closed set is reached once, and each costs at most one flood for every neighbour, so the
delay is polynomial.  Sets close to the source come first.

Sources: van der Zander, Liskiewicz, Textor (2019), "Separators and adjustment sets in causal graphs", Artificial
Intelligence 270 (arXiv 1803.00116); Takata (2010), "Space-optimal, backtracking algorithms to list
the minimal vertex separators of a graph"; Menger (1927) by augmenting paths for the minimum.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from ..graph import CausalGraph, bits

Adjacency: TypeAlias = tuple[int, ...]


def augmented(graph: CausalGraph, within: int) -> Adjacency:
    """The augmented (moral) graph of the ancestral set `within`: vertices outside it have no neighbours.

    Two variables are neighbours where a path joins them whose inner variables are all colliders: each district and
    what points into it are neighbours of each other (Richardson and Spirtes 2002).
    """
    adjacency = [0] * len(graph.names)
    for district in graph.districts(within):
        _join(adjacency, (district | graph.parents_of(district)) & within)
    return tuple(adjacency)


def eliminated(adjacency: Adjacency, hidden: int) -> Adjacency:
    """The graph without the `hidden` vertices, where those that they connected are neighbours."""
    result = [0 if hidden >> vertex & 1 else around & ~hidden for vertex, around in enumerate(adjacency)]
    rest = hidden
    while rest:
        component = reach(adjacency, rest & -rest, ~hidden)
        rest &= ~component
        _join(result, neighbours(adjacency, component))
    return tuple(result)


def without(adjacency: Adjacency, removed: int) -> Adjacency:
    """The graph without the `removed` vertices and their edges."""
    return tuple(0 if removed >> vertex & 1 else around & ~removed for vertex, around in enumerate(adjacency))


def _join(adjacency: list[int], group: int) -> None:
    for vertex in bits(group):
        adjacency[vertex] |= group & ~(1 << vertex)


def neighbours(adjacency: Adjacency, mask: int) -> int:
    """The vertices next to the set and not in it."""
    result = 0
    for vertex in bits(mask):
        result |= adjacency[vertex]
    return result & ~mask


def reach(adjacency: Adjacency, start: int, avoid: int) -> int:
    """The set with everything that paths outside `avoid` join to it."""
    result = pending = start
    while pending:
        low = pending & -pending
        pending ^= low
        new = adjacency[low.bit_length() - 1] & ~avoid & ~result
        result |= new
        pending |= new
    return result


def closest_separator(adjacency: Adjacency, source: int, target: int) -> int | None:
    """The minimal separator next to the source; None where source and target are neighbours."""
    around = neighbours(adjacency, source)
    if around & target:
        return None
    return neighbours(adjacency, reach(adjacency, target, around))


def minimal_separators(adjacency: Adjacency, source: int, target: int) -> Iterator[int]:
    """Every minimal set of vertices whose removal parts source from target, each once, those near the source first.

    >>> path = (0b0010, 0b0101, 0b1010, 0b0100)  # 0 - 1 - 2 - 3
    >>> list(minimal_separators(path, 0b0001, 0b1000))
    [2, 4]
    """
    # A place of the search: a set that the source's side must hold, and vertices that it must not.
    pending = [(source, 0)]
    while pending:
        grown, outside = pending.pop()
        separator = closest_separator(adjacency, grown, target)
        if separator is None:
            continue
        side = reach(adjacency, source, separator)
        if side & outside:
            continue
        yield separator
        branches = []
        for vertex in bits(separator & ~outside):
            branches.append((side | 1 << vertex, outside))
            outside |= 1 << vertex
        pending.extend(reversed(branches))


# The ends of the network of `minimum_separator`; other places of it are (vertex, whether it was passed).
START, END = (-1, True), (-2, False)
Place: TypeAlias = tuple[int, bool]


def minimum_separator(adjacency: Adjacency, source: int, target: int) -> int | None:
    """A separator with as few vertices as any, the one closest to the source; None where the two are neighbours.

    As many vertex-disjoint paths as possible are laid, each found by a search that may take back parts of earlier ones;
    the vertices that the last search enters and does not pass are the separator.

    >>> minimum_separator((0b0110, 0b1001, 0b1001, 0b0110), 0b0001, 0b1000)
    6
    """
    if neighbours(adjacency, source) & target:
        return None
    before: dict[int, int] = {}
    while True:
        came = _search(adjacency, source, target, before)
        if END not in came:
            return sum(1 << vertex for vertex, passed in came if not passed and (vertex, True) not in came)
        _lay(before, came)


def _search(adjacency: Adjacency, source: int, target: int, before: dict[int, int]) -> dict[Place, Place]:
    """Where each place that the residual network reaches was come to from; `before` holds the paths laid so far."""
    came = {START: START}
    queue = deque([START])
    inner = ~(source | target)
    while queue and END not in came:
        place = queue.popleft()
        for move in _moves(adjacency, source, target, before, inner, place):
            if move not in came:
                came[move] = place
                queue.append(move)
    return came


def _moves(
    adjacency: Adjacency, source: int, target: int, before: dict[int, int], inner: int, place: Place
) -> Iterator[Place]:
    vertex, passed = place
    if not passed:
        # A vertex that lies on a path cannot be passed again; the path before it can be taken back.
        if vertex not in before:
            yield vertex, True
        elif before[vertex] >= 0:
            yield before[vertex], True
        return
    around = neighbours(adjacency, source) if place == START else adjacency[vertex]
    if around & target:
        yield END
    yield from ((other, False) for other in bits(around & inner))
    if vertex in before:
        yield vertex, False


def _lay(before: dict[int, int], came: dict[Place, Place]) -> None:
    """Add the path that reached the end, and take back what it went backwards along."""
    route = [END]
    while route[-1] != START:
        route.append(came[route[-1]])
    added: list[tuple[int, int]] = []
    for (vertex, passed), (earlier, earlier_passed) in pairwise(route):
        if vertex != earlier and earlier_passed and not passed:
            added.append((vertex, earlier))
        elif vertex != earlier:
            del before[earlier]
    before.update((vertex, earlier) for vertex, earlier in added if vertex >= 0)
