"""Positions from Graphviz `dot`, asked through pygraphviz.

Only coordinates are taken; everything visible is drawn by this package.  Graphviz runs inside this process, keeps
global state and prints its warnings on file descriptor 2, so one thread at a time lays out, each time with a fresh
graph, and what is printed there meanwhile is caught.

Source: Gansner, Koutsofios, North, Vo, "A technique for drawing directed graphs" (1993).
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..diagnostics import Diagnostic, SutureError

if TYPE_CHECKING:
    from .scene import Point

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Placement:
    """Centres of the nodes by name, in points with y upwards, and what Graphviz said of each edge by its key."""

    nodes: Mapping[str, Point]
    edges: Mapping[str, str]


def place(text: str) -> Placement:
    """Lay out a graph given in the DOT language with `dot`.

    Raises `SutureError` (S601) where pygraphviz or its libraries are missing, (S602) where Graphviz fails.
    """
    graph_type = _graph_type()
    with _ONE_AT_A_TIME, _caught_warnings() as caught:
        try:
            graph = graph_type(string=text)
            graph.layout(prog="dot")
            return Placement(_node_positions(graph), _edge_routes(graph))
        except (OSError, ValueError, RuntimeError) as error:
            said = caught() or str(error)
            raise SutureError(Diagnostic("S602", f"Graphviz could not lay out the picture: {said}")) from error


def _graph_type() -> Any:
    try:
        from pygraphviz import AGraph
    except ImportError as error:
        raise SutureError(
            Diagnostic(
                "S601",
                f"pictures need pygraphviz, which cannot be loaded: {error}",
                help="pip install pygraphviz; where a system library is missing: apt install graphviz",
            )
        ) from error
    return AGraph


def _node_positions(graph: Any) -> dict[str, Point]:
    return {str(node): _point(node.attr["pos"]) for node in graph.nodes()}


def _edge_routes(graph: Any) -> dict[str, str]:
    return {str(edge.attr["id"]): str(edge.attr["pos"]) for edge in graph.edges() if edge.attr["id"]}


def _point(text: str | None) -> Point:
    if not text:
        raise ValueError("it gave no position to a node")
    x, y = text.split(",")
    return float(x), float(y)


@contextmanager
def _caught_warnings() -> Generator[Any]:
    """Send what is written to file descriptor 2 to a file, and yield a function that reads it."""
    try:
        saved = os.dup(2)
    except OSError:  # no standard error to protect
        yield lambda: ""
        return
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)

        def caught() -> str:
            sink.seek(0)
            return sink.read().decode(errors="replace").strip()

        try:
            yield caught
        finally:
            os.dup2(saved, 2)
            os.close(saved)
