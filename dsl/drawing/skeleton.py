"""The joints of a string diagram's picture and the ranks they stand on.

Boxes stand on even ranks, counted from the bottom: network simplex, Graphviz's own, keeps wires short.  What a wire
needs between boxes, a copy dot or the ground symbol of a discard, stands on the odd ranks, so that no wire has to run
behind a box.  A dot stands just below the lowest box it feeds, which keeps the number of parallel wires small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ..diagram import Box, Diagram
from .graphviz import place
from .scene import SIZE, Role
from .shapes import Shape, box_shape
from .typeface import text_width, written

DOT_ROOM = 8.0
GROUND_ROOM = 20.0


class Part(Enum):
    """What a joint is."""

    INPUT = "in"
    OUTPUT = "out"
    BOX = "box"
    DOT = "dot"
    GROUND = "ground"
    BEND = "bend"


@dataclass(frozen=True, slots=True)
class Joint:
    """A point of the picture that wires meet: `number` is the position of its box, wire, input or output."""

    name: str
    part: Part
    number: int
    rank: int
    room: float
    ports_in: int = 1
    ports_out: int = 1


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: a joint by name, and which of its ports."""

    joint: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A stretch of a wire between two joints, upwards.

    A seam is not drawn: it leads from a box that was lost to the one that now stands for it, and keeps the two in line.
    """

    tail: End
    head: End
    wire: int
    ghost: bool = False
    seam: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What is to be drawn: the diagram, its boxes with those shown as ghosts, and their shapes.

    The first boxes are the diagram's own, then come those it has lost; `ghosts` are positions in `boxes`.
    """

    diagram: Diagram
    boxes: tuple[Box, ...]
    ghosts: frozenset[int]
    shapes: tuple[Shape, ...]

    def lost(self, number: int) -> bool:
        """Whether a box is a ghost whose wires another box produces now."""
        return number in self.ghosts and number >= len(self.diagram.boxes)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Joints by name, in the order they were made, and the links between them."""

    joints: Mapping[str, Joint]
    links: tuple[Link, ...]


def figure(diagram: Diagram, ghosts: Sequence[Box] = ()) -> Figure:
    """The figure of a diagram; a ghost that is none of its boxes is added to them, reading the diagram's wires."""
    added = tuple(box for box in ghosts if box not in diagram.boxes)
    boxes = diagram.boxes + added
    faint = frozenset(number for number, box in enumerate(boxes) if box in ghosts)
    labels = tuple(wire_label(diagram, wire) for wire in range(len(diagram.wires)))
    shapes = tuple(box_shape(diagram, box, tuple(labels[wire] for wire in box.outputs)) for box in boxes)
    return Figure(diagram, boxes, faint, shapes)


def wire_label(diagram: Diagram, wire: int) -> str:
    """The label beside a wire where it leaves its box: none where it only runs to an end that names it."""
    if wire not in diagram.producer or (not diagram.consumers[wire] and diagram.outputs.count(wire) == 1):
        return ""
    return written(diagram.wires[wire].name)


def skeleton(drawn: Figure) -> Skeleton:
    """The joints and links of a figure, with ranks."""
    levels = _levels(drawn)
    joints = {joint.name: joint for joint in [*_box_joints(drawn, levels), *_end_joints(drawn, levels)]}
    links: list[Link] = []
    sources = _sources(drawn)
    for wire, uses in enumerate(_uses(drawn)):
        joint, stretch = _wire_parts(drawn, wire, sources[wire], uses, joints)
        if joint is not None:
            joints[joint.name] = joint
        links += stretch
    return Skeleton(joints, (*links, *_seams(drawn, sources)))


def box_name(number: int) -> str:
    """The joint of a box."""
    return f"{Part.BOX.value}{number}"


def _sources(drawn: Figure) -> dict[int, End]:
    """Where each wire starts."""
    sources = {wire: End(f"{Part.INPUT.value}{place}") for place, wire in enumerate(drawn.diagram.inputs)}
    for number, box in enumerate(drawn.diagram.boxes):
        sources.update({wire: End(box_name(number), port) for port, wire in enumerate(box.outputs)})
    return sources


def _uses(drawn: Figure) -> list[list[End]]:
    """Where each wire goes: the ports of boxes, ghosts among them, then the outputs."""
    uses: list[list[End]] = [[] for _ in drawn.diagram.wires]
    for number, box in enumerate(drawn.boxes):
        for port, wire in enumerate(box.inputs):
            uses[wire].append(End(box_name(number), port))
    for place_, wire in enumerate(drawn.diagram.outputs):
        uses[wire].append(End(f"{Part.OUTPUT.value}{place_}"))
    return uses


def _seams(drawn: Figure, sources: Mapping[int, End]) -> list[Link]:
    return [
        Link(End(box_name(number), port), sources[wire], wire, ghost=True, seam=True)
        for number, box in enumerate(drawn.boxes)
        if drawn.lost(number)
        for port, wire in enumerate(box.outputs)
    ]


def _wire_parts(
    drawn: Figure, wire: int, source: End, uses: Sequence[End], joints: Mapping[str, Joint]
) -> tuple[Joint | None, list[Link]]:
    """The dot or ground that a wire needs, if any, and its links."""
    ghosts = {box_name(number) for number in drawn.ghosts}
    dead = source.joint in ghosts or (bool(uses) and all(use.joint in ghosts for use in uses))
    if len(uses) == 1:
        return None, [Link(source, uses[0], wire, dead)]
    if not uses:
        rank = joints[source.joint].rank + 1
        ground = Joint(f"{Part.GROUND.value}{wire}", Part.GROUND, wire, rank, GROUND_ROOM, 1, 0)
        return ground, [Link(source, End(ground.name), wire, dead)]
    rank = min(joints[use.joint].rank for use in uses) - 1
    dot = Joint(f"{Part.DOT.value}{wire}", Part.DOT, wire, rank, DOT_ROOM)
    branches = [Link(End(dot.name), use, wire, dead or use.joint in ghosts) for use in uses]
    return dot, [Link(source, End(dot.name), wire, dead), *branches]


def _box_joints(drawn: Figure, levels: Mapping[str, int]) -> list[Joint]:
    return [
        Joint(name, Part.BOX, number, 2 * levels[name], shape.room, len(shape.inputs), len(shape.outputs))
        for number, shape in enumerate(drawn.shapes)
        for name in (box_name(number),)
    ]


def _end_joints(drawn: Figure, levels: Mapping[str, int]) -> list[Joint]:
    """The open ends: inputs on the lowest rank, outputs on the highest."""
    ends = [(Part.INPUT, place, wire, levels["bottom"]) for place, wire in enumerate(drawn.diagram.inputs)]
    ends += [(Part.OUTPUT, place, wire, levels["top"]) for place, wire in enumerate(drawn.diagram.outputs)]
    return [
        Joint(f"{part.value}{number}", part, number, 2 * level, end_room(drawn.diagram, wire))
        for part, number, wire, level in ends
    ]


def end_room(diagram: Diagram, wire: int) -> float:
    """The width that the name at an open end needs."""
    return max(DOT_ROOM, text_width(written(diagram.wires[wire].name), SIZE[Role.END]))


def _levels(drawn: Figure) -> dict[str, int]:
    """The level of each box, of the `bottom` and of the `top`, by network simplex."""
    sources = _sources(drawn)
    names = ["bottom", *(box_name(number) for number in range(len(drawn.boxes))), "top"]
    edges = [f"bottom -> {name} [weight=0]" for name in names[1:]]
    edges += [f"{name} -> top [weight=0]" for name in names[1:-1]]
    edges += [f"{tail} -> {head} [weight={weight}]" for tail, head, weight in _level_edges(drawn, sources)]
    # Only ranks are asked for here, so order and x coordinates get no effort.
    head = "digraph { nslimit=.01; mclimit=.01; rankdir=BT; splines=false; "
    head += 'node [shape=box, fixedsize=true, width=.1, height=.1, label=""]; '
    placed = place(head + "; ".join([*names, *edges]) + "; }").nodes
    heights = sorted({round(y, 1) for _, y in placed.values()})
    return {name: heights.index(round(placed[name][1], 1)) for name in names}


def _level_edges(drawn: Figure, sources: Mapping[int, End]) -> list[tuple[str, str, int]]:
    """Which box must stand below which, and how strongly they attract each other."""
    edges = []
    for number, box in enumerate(drawn.boxes):
        for wire in box.inputs:
            tail = sources[wire].joint
            edges.append((tail if tail.startswith(Part.BOX.value) else "bottom", box_name(number), 1))
        if number >= len(drawn.diagram.boxes):
            edges += [(box_name(number), sources[wire].joint, 3) for wire in box.outputs]
    return edges
