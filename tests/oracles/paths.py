"""d-separation by its definition: list every path, look for one that is open (Pearl 1988, definition 1.2.3).

Beside it the criterion by moral graphs (Lauritzen, Dawid, Larsen, Leimer 1990), for graphs with too many paths to list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

Parents = Mapping[str, Sequence[str]]


def descendants(parents: Parents, node: str) -> set[str]:
    """Everything with a directed path from `node`, itself included."""
    found, frontier = {node}, {node}
    while frontier:
        frontier = {child for child in parents if frontier & set(parents[child])} - found
        found |= frontier
    return found


def simple_paths(parents: Parents, start: str, end: str) -> Iterator[tuple[str, ...]]:
    """Every path from `start` to `end` that visits no node twice, against or along the arrows."""
    adjacent: dict[str, set[str]] = {node: set(parents[node]) for node in parents}
    for node in parents:
        for parent in parents[node]:
            adjacent[parent].add(node)
    stack: list[tuple[str, ...]] = [(start,)]
    while stack:
        path = stack.pop()
        if path[-1] == end:
            yield path
        else:
            stack.extend((*path, node) for node in adjacent[path[-1]] if node not in path)


def is_open(parents: Parents, path: Sequence[str], given: Collection[str]) -> bool:
    """Whether every collider on the path has a descendant in `given` and no other inner node is in it."""
    for before, node, after in zip(path, path[1:], path[2:], strict=False):
        collides = before in parents[node] and after in parents[node]
        if collides and not descendants(parents, node) & set(given):
            return False
        if not collides and node in given:
            return False
    return True


def d_separated(parents: Parents, first: Collection[str], second: Collection[str], given: Collection[str]) -> bool:
    """Whether no path between the (disjoint) sets is open given the third."""
    return not any(
        is_open(parents, path, given) for one in first for other in second for path in simple_paths(parents, one, other)
    )


def morally_separated(
    parents: Parents, first: Collection[str], second: Collection[str], given: Collection[str]
) -> bool:
    """Whether `given` separates the sets in the moral graph of their common ancestors."""
    kept, frontier = set[str](), {*first, *second, *given}
    while frontier:
        kept |= frontier
        frontier = {parent for node in frontier for parent in parents[node]} - kept
    families = [{node, *parents[node]} for node in kept]
    reached, frontier = set[str](), set(first)
    while frontier:
        reached |= frontier
        frontier = {node for family in families if family & frontier for node in family} - reached - set(given)
    return not reached & set(second)
