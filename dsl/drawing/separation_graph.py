"""The causal graph in which a separation was read, or a path that stays open.

What the separation cuts is dotted, what is given is washed, and the two sides have a double frame of their own words;
the arrows of an open path are heavy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from ..diagram import Diagram
from .causal_graph import Edge, Vertex, drawn, graph_of
from .scene import Scene, Tone


def separation_scene(
    diagram: Diagram,
    first: Sequence[str],
    second: Sequence[str],
    given: Sequence[str],
    cut: Collection[str] = (),
    cut_out: Collection[str] = (),
    arrows: Collection[tuple[str, str]] = (),
) -> Scene:
    """The graph without the arrows into `cut`, out of `cut_out`, and without single `arrows`, which are dotted.

    Raises `SutureError` (S601, S602) where Graphviz is missing or fails.
    """
    vertices, edges = graph_of(diagram)
    name = [wire.name for wire in diagram.wires]

    def gone(edge: Edge) -> bool:
        tail, head = name[edge.tail], name[edge.head]
        if edge.arc:
            return tail in cut or head in cut
        return head in cut or tail in cut_out or (tail, head) in arrows

    kept = [replace(edge, tone=Tone.GHOST, title=f"{edge.title}: cut") if gone(edge) else edge for edge in edges]
    marked = [_marked(vertex, name[vertex.wire], first, second, given) for vertex in vertices]
    sides = f"{_set(first)} and {_set(second)}"
    condition = f" given {_set(given)}" if given else ""
    return drawn(marked, kept, f"Causal graph in which {sides} are separated{condition}")


def open_path_scene(diagram: Diagram, path: str, given: Sequence[str]) -> Scene:
    """The graph with a path in words, `X <- Z -> Y`, drawn heavy.

    Raises `SutureError` (S601, S602) where Graphviz is missing or fails.
    """
    vertices, edges = graph_of(diagram)
    name = [wire.name for wire in diagram.wires]
    steps = {frozenset(pair) for pair in _steps(path)}
    heavy = [
        replace(edge, tone=Tone.CUT, title=f"{edge.title}: on the open path")
        if frozenset((name[edge.tail], name[edge.head])) in steps and edge.arc == (_arc(path, name, edge))
        else edge
        for edge in edges
    ]
    marked = [_marked(vertex, name[vertex.wire], (), (), given) for vertex in vertices]
    return drawn(marked, heavy, f"Causal graph with the open path {path}")


def _steps(path: str) -> list[tuple[str, str]]:
    names = re.split(r"\s*(?:<->|->|<-)\s*", path.strip())
    return list(pairwise(names))


def _arc(path: str, name: Sequence[str], edge: Edge) -> bool:
    """Whether the path takes the arc, where two variables are joined by an arrow and an arc."""
    ends = (name[edge.tail], name[edge.head])
    return any(re.search(rf"(?<!\w){re.escape(a)} <-> {re.escape(b)}(?!\w)", path) for a, b in (ends, ends[::-1]))


def _marked(vertex: Vertex, name: str, first: Sequence[str], second: Sequence[str], given: Sequence[str]) -> Vertex:
    if name in given:
        return replace(vertex, tone=Tone.STATE, fixed=True, title=f"{vertex.title}, given")
    if name in first or name in second:
        return replace(vertex, tone=Tone.TOOTH, title=f"{vertex.title}, to be separated")
    return vertex


def _set(names: Sequence[str]) -> str:
    return "{" + ", ".join(names) + "}"
