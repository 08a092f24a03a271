"""The selection diagram: a causal graph in which a square points at every mechanism that differs between domains.

Labels say what is the outcome (Y), mutable (M), and follows what is mutable and answers to the outcome (K); what
answers is washed, and the edge by which the full predictor comes to depend on it is drawn heavy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ..diagram import Diagram
from .causal_graph import Edge, Vertex, drawn, graph_of
from .scene import Scene, Tone


def selection_scene(
    diagram: Diagram, outcome: str, mutable: Sequence[str], affected: Collection[str], broken: str | None
) -> Scene:
    """The causal graph with selection squares; `broken` is an edge in words, `Y -> X` or `X <-> Z`.

    Raises `SutureError` (S601, S602) where Graphviz is missing or fails.
    """
    vertices, edges = graph_of(diagram)
    position = diagram.position
    ends = _ends(broken)
    marked = [_marked(vertex, diagram, outcome, mutable, affected) for vertex in vertices]
    heavy = [_heavy(edge, [position.get(name) for name in ends]) for edge in edges]
    squares: list[Vertex] = []
    for number, name in enumerate(mutable):
        wire = len(diagram.wires) + number
        squares.append(Vertex(wire, "S", Tone.PLAIN, True, f"the mechanism of {name} differs between domains"))
        heavy.append(Edge(wire, position[name], Tone.PLAIN, False, f"selects the mechanism of {name}"))
    title = f"Selection diagram of {outcome}: {', '.join(mutable)} may change"
    return drawn([*marked, *squares], heavy, f"{title}; broken by {broken}" if broken else title)


def _ends(broken: str | None) -> tuple[str, ...]:
    """The variables at the ends of an edge in words."""
    return () if broken is None else tuple(broken.replace("<->", "->").split(" -> "))


def _marked(
    vertex: Vertex, diagram: Diagram, outcome: str, mutable: Sequence[str], affected: Collection[str]
) -> Vertex:
    name = diagram.wires[vertex.wire].name
    if name == outcome:
        return replace(vertex, tone=Tone.TOOTH, label=f"{vertex.label} (Y)", title=f"{name}, the outcome")
    if name in mutable:
        tone, more = (Tone.STATE, ", answers to the outcome") if name in affected else (vertex.tone, "")
        return replace(vertex, tone=tone, label=f"{vertex.label} (M)", title=f"{name}, mutable{more}")
    if name in affected:
        title = f"{name}, follows what answers to the outcome"
        return replace(vertex, tone=Tone.STATE, label=f"{vertex.label} (K)", title=title)
    return vertex


def _heavy(edge: Edge, ends: Sequence[int | None]) -> Edge:
    """The breaking edge in the tone of a cut, others as they are."""
    if edge.tail in ends and edge.head in ends and len(ends) == 2:
        return replace(edge, tone=Tone.CUT, title=f"{edge.title}: breaks the condition")
    return edge
