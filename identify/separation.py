"""Independence in a model: separation read off the diagram, and an open path where it does not hold.

The verdict comes from connectivity of the pruned and severed diagram (`dsl.diagram.separated`); the path comes from the
classical walk over colliders and non-colliders, so the two check each other.

Sources: Fritz and Klingler (2022), theorem 34; Pearl (1988), section 3.3 (d-separation); Shachter (1998) for the walk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from ..dsl.diagram import Diagram, separated
from .derivation import OpenPath


def independence(diagram: Diagram, first: str, second: str, given: Collection[str]) -> OpenPath | None:
    """None where `first` and `second` are separated by `given`; otherwise an open path between them."""
    if separated(diagram, [first], [second], given):
        return None
    path = open_path(diagram, first, second, given)
    if path is None:
        raise AssertionError(f"{first} and {second} are connected, but no path is open")
    return OpenPath(path)


def open_path(diagram: Diagram, first: str, second: str, given: Collection[str]) -> str | None:
    """A shortest open path as text, such as `X <- U -> Y`; None where every path is blocked."""
    start, goal = diagram.position[first], diagram.position[second]
    known = {diagram.position[name] for name in given}
    opened = _with_ancestors(diagram, known)
    # A place is a wire and whether the path came to it along an arrow's tail (upwards) or is about to start.
    came: dict[tuple[int, bool], tuple[int, bool] | None] = {(start, True): None}
    queue = deque([(start, True)])
    while queue:
        place = queue.popleft()
        if place[0] == goal:
            return _written(diagram, came, place)
        for move in _moves(diagram, place, known, opened):
            if move not in came:
                came[move] = place
                queue.append(move)
    return None


def _moves(
    diagram: Diagram, place: tuple[int, bool], known: Collection[int], opened: Collection[int]
) -> Iterator[tuple[int, bool]]:
    wire, upward = place
    if (upward and wire not in known) or (not upward and wire in opened):
        producer = diagram.producer.get(wire)
        yield from ((parent, True) for parent in (() if producer is None else diagram.boxes[producer].inputs))
    if wire not in known:
        yield from ((child, False) for number in diagram.consumers[wire] for child in diagram.boxes[number].outputs)


def _with_ancestors(diagram: Diagram, wires: Collection[int]) -> set[int]:
    found, stack = set(wires), list(wires)
    while stack:
        producer = diagram.producer.get(stack.pop())
        for parent in () if producer is None else diagram.boxes[producer].inputs:
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    return found


def _written(diagram: Diagram, came: dict[tuple[int, bool], tuple[int, bool] | None], last: tuple[int, bool]) -> str:
    parts: list[str] = []
    place: tuple[int, bool] | None = last
    while place is not None:
        before = came[place]
        parts.append(diagram.wires[place[0]].name)
        if before is not None:
            parts.append(" <- " if place[1] else " -> ")
        place = before
    text = "".join(reversed(parts))
    return _shortened(text)


def _shortened(text: str) -> str:
    """The path with `X <- X<->Y -> Y` written as `X <-> Y`."""
    steps = text.split(" ")
    result: list[str] = []
    for step in steps:
        if "<->" in step and len(step) > 3:
            result[-1] = "<->"
        elif result and result[-1] == "<->" and step == "->":
            continue
        else:
            result.append(step)
    return " ".join(result)
