"""The plain causal graph of a diagram, as papers on causal inference draw it.

One node a wire, one arrow from each input of a box to each of its outputs.  A latent variable is a dashed node; an
anonymous common cause `X <-> Y` is a dashed arc with two heads.  Variables that surgery set are square, as in
single-world intervention graphs; so are open inputs.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from ..diagram import Diagram, Kind
from .graphviz import place
from .scene import (
    ARROW_LENGTH,
    SIZE,
    Arrowhead,
    Disc,
    Mark,
    Piece,
    Plate,
    Point,
    Role,
    Scene,
    Strand,
    Text,
    Tone,
    framed,
)
from .typeface import text_width, written

NODE_HEIGHT = 28.0
NODE_WIDTH = 32.0


@dataclass(frozen=True, slots=True)
class Vertex:
    """A variable of the graph; `title` says in words what it is."""

    wire: int
    label: str
    tone: Tone
    fixed: bool
    title: str

    @property
    def width(self) -> float:
        """The width of its outline."""
        return max(NODE_WIDTH, text_width(self.label, SIZE[Role.NAME]) + (16.0 if self.fixed else 20.0))


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two wires' vertices, or an arc with two heads that stands for a common cause."""

    tail: int
    head: int
    tone: Tone
    arc: bool
    title: str


def causal_graph_scene(diagram: Diagram) -> Scene:
    """The causal graph of a diagram, left to right.

    Raises `SutureError` (S601, S602) where Graphviz is missing or fails.
    """
    vertices, edges = graph_of(diagram)
    names = ", ".join(diagram.wires[vertex.wire].name for vertex in vertices)
    return drawn(vertices, edges, "Causal graph of " + (names or "nothing"))


def graph_of(diagram: Diagram) -> tuple[list[Vertex], list[Edge]]:
    """The vertices and edges of a diagram's causal graph."""
    causes = _common_causes(diagram)
    vertices = [_vertex(diagram, wire) for wire in range(len(diagram.wires)) if wire not in causes]
    edges = _arrows(diagram, causes) + [
        Edge(ends[0], ends[1], Tone.LATENT, True, f"{diagram.wires[wire].name}: unobserved common cause")
        for wire, ends in causes.items()
        if len(ends) == 2
    ]
    return vertices, edges


def drawn(vertices: list[Vertex], edges: list[Edge], title: str) -> Scene:
    """A graph laid out left to right."""
    placed = place(_program(vertices, edges))
    marks: list[Mark] = []
    for number, edge in enumerate(edges):
        marks += _edge_marks(edge, placed.edges[f"e{number}"])
    for vertex in vertices:
        marks += _vertex_marks(vertex, placed.nodes[f"v{vertex.wire}"])
    return framed(marks, title)


def _common_causes(diagram: Diagram) -> dict[int, tuple[int, ...]]:
    """The anonymous common causes with the variables they join: two, or fewer where surgery cut one off."""
    found: dict[int, tuple[int, ...]] = {}
    for box in diagram.boxes:
        for wire in box.outputs:
            children = sorted({child for reader in diagram.consumers[wire] for child in diagram.boxes[reader].outputs})
            anonymous = diagram.wires[wire].latent and "<->" in diagram.wires[wire].name and not box.inputs
            if anonymous and wire not in diagram.outputs and len(children) <= 2:
                found[wire] = tuple(children)
    return found


def _vertex(diagram: Diagram, wire: int) -> Vertex:
    plain = diagram.wires[wire].name
    name = written(plain)
    if wire not in diagram.producer:
        return Vertex(wire, name, Tone.PLAIN, True, f"{plain}, given from outside")
    box = diagram.boxes[diagram.producer[wire]]
    if box.kind in (Kind.UNIFORM, Kind.POINT):
        label = name if box.value is None else f"{name} = {box.value}"
        return Vertex(wire, label, Tone.CUT, True, f"{plain}, set by intervention")
    if diagram.wires[wire].latent:
        return Vertex(wire, name, Tone.LATENT, False, f"{plain}, unobserved")
    return Vertex(wire, name, Tone.PLAIN, False, plain)


def _arrows(diagram: Diagram, causes: Collection[int]) -> list[Edge]:
    """One arrow a pair of parent and child, in the order of the boxes."""
    found: dict[tuple[int, int], Edge] = {}
    for box in diagram.boxes:
        for parent in box.inputs:
            for child in box.outputs:
                if parent not in causes:
                    tone = Tone.LATENT if diagram.wires[parent].latent else Tone.PLAIN
                    title = f"{diagram.wires[parent].name} causes {diagram.wires[child].name}"
                    found[parent, child] = Edge(parent, child, tone, False, title)
    return list(found.values())


def _program(vertices: list[Vertex], edges: list[Edge]) -> str:
    lines = [
        "digraph { rankdir=LR; nodesep=.38; ranksep=.5;",
        f'node [fixedsize=true, height={NODE_HEIGHT / 72:.4f}, label=""]; edge [arrowsize={ARROW_LENGTH / 10:.2f}];',
    ]
    for vertex in vertices:
        shape = "box" if vertex.fixed else "ellipse"
        lines.append(f"v{vertex.wire} [shape={shape}, width={vertex.width / 72:.4f}];")
    joined = {(edge.tail, edge.head) for edge in edges if not edge.arc}
    for number, edge in enumerate(edges):
        bowed = (
            ", tailport=n, headport=n" if (edge.tail, edge.head) in joined or (edge.head, edge.tail) in joined else ""
        )
        extra = f", dir=both, constraint=false{bowed}" if edge.arc else ""
        lines.append(f'v{edge.tail} -> v{edge.head} [id="e{number}"{extra}];')
    return "\n".join([*lines, "}"])


def _edge_marks(edge: Edge, route: str) -> list[Mark]:
    """The path and arrowheads of an edge from Graphviz's spline: tips marked `s` and `e`, then 3n + 1 points."""
    tips: dict[str, Point] = {}
    points: list[Point] = []
    for word in route.replace("\\\n", "").split():
        parts = word.split(",")
        if parts[0] in ("s", "e"):
            tips[parts[0]] = (float(parts[1]), -float(parts[2]))
        else:
            points.append((float(parts[0]), -float(parts[1])))
    pieces: list[Piece] = [tuple(points[at : at + 3]) for at in range(1, len(points), 3)]
    marks: list[Mark] = [Strand(points[0], tuple(pieces), edge.tone, edge.title)]
    if "e" in tips:
        marks.append(_arrowhead(points[-1], tips["e"], edge.tone))
    if "s" in tips:
        marks.append(_arrowhead(points[0], tips["s"], edge.tone))
    return marks


def _arrowhead(back: Point, tip: Point, tone: Tone) -> Arrowhead:
    dx, dy = tip[0] - back[0], tip[1] - back[1]
    length = math.hypot(dx, dy) or 1.0
    return Arrowhead(tip[0], tip[1], dx / length, dy / length, tone)


def _vertex_marks(vertex: Vertex, centre: Point) -> list[Mark]:
    x, y = centre[0], -centre[1]
    outline: Mark
    if vertex.fixed:
        left, top = x - vertex.width / 2, y - NODE_HEIGHT / 2
        outline = Plate(left, top, vertex.width, NODE_HEIGHT, vertex.tone, vertex.title)
    else:
        outline = Disc(x, y, vertex.width, NODE_HEIGHT, vertex.tone, vertex.title)
    return [outline, Text(x, y + 4.8, vertex.label, Role.NAME)]
