"""Graphs of Python packages, known by their attributes: nothing is imported, so nothing need be installed.

Understood are graphs of networkx and what derives from them (pgmpy, with its tables), mixed graphs of y0 and Ananke,
graphs and models of DoWhy, networks and causal models of pyAgrum (with tables), and drawings of pydot and pygraphviz.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..diagnostics import Diagnostic, SutureError
from ..source import Source
from .formats import import_graph
from .graph import Draft
from .object_tables import pgmpy_tables, pyagrum_tables
from .program_text import Imported, imported

LAYOUT = frozenset({"pos", "weight", "color", "roles", "type", "dir", "bidirected", "causal_mechanism"})
CLASSES = frozenset({"PDAG", "MAG", "PAG", "CPDAG"})


def from_object(graph: Any, name: str | None = None, latent: Collection[str] = ()) -> Imported:
    """The model that a graph of another package says; nodes named in `latent` are hidden as well.

    Text is read as `import_graph` reads it.  Raises `SutureError`: S024 for what is no graph, S021 for a graph that is
    not causal, S204 for a cycle, S202 and S207 for tables that hold no probabilities.
    """
    if isinstance(graph, str | Source):
        return import_graph(graph, None, name)
    for format, accepts, read in KINDS:
        if accepts(graph):
            found = read(graph)
            if isinstance(found, str):
                return import_graph(found, "dot", name)
            _hide(found, latent)
            return imported(found, format, name)
    help = "pass a networkx DiGraph, or the text of a graph"
    raise SutureError(Diagnostic("S024", f"an object of type {type(graph).__name__} is not a graph", help=help))


def _hide(draft: Draft, latent: Collection[str]) -> None:
    for name in latent:
        if name not in draft.nodes:
            raise draft.refuse("S104", f"unknown variable '{name}' in this graph", None)
        draft.hide(name)


@dataclass
class _Names:
    """The names of nodes: of text itself, of a variable of y0 its `name`, of anything else what `str` says."""

    draft: Draft
    owners: dict[str, Hashable] = field(default_factory=dict)

    def __call__(self, node: Any) -> str:
        own = getattr(node, "name", None)
        name = node if isinstance(node, str) else own if isinstance(own, str) else str(node)
        if self.owners.setdefault(name, node) != node:
            raise self.draft.refuse("S101", f"two nodes of the graph are both called '{name}'", None)
        return self.draft.node(name)


def _has(graph: Any, *names: str) -> bool:
    return all(hasattr(graph, name) for name in names)


# ---------------------------------------------------------------------------------------------------------------------
# networkx, pgmpy, DoWhy


def _is_networkx(graph: Any) -> bool:
    return _has(graph, "nodes", "edges", "is_directed") and callable(graph.is_directed)


def _networkx(graph: Any) -> Draft:
    draft = Draft(name=_own_name(graph))
    names = _Names(draft)
    if not graph.is_directed() or type(graph).__name__ in CLASSES:
        text = f"a graph of type {type(graph).__name__} does not say of every edge which end is the cause"
        raise draft.refuse("S021", text, None, help="pass a DiGraph")
    for node, attributes in graph.nodes(data=True):
        _take_node(draft, names(node), attributes)
    for tail, head, attributes in graph.edges(data=True):
        if _is_both(attributes):
            draft.common_cause(names(tail), names(head))
        else:
            draft.arrow(names(tail), names(head))
    for node in sorted(map(names, getattr(graph, "latents", ()))):
        draft.hide(node)
    for role in ("exposures", "outcomes"):
        for node in sorted(map(names, getattr(graph, role, ()))):
            draft.role(node, role[:-1])
    _take_common_causes(draft)
    pgmpy_tables(draft, graph, names)
    return draft


def _own_name(graph: Any) -> str | None:
    name = getattr(graph, "name", None)
    return name if isinstance(name, str) and name else None


def _take_node(draft: Draft, name: str, attributes: Mapping[Any, Any]) -> None:
    for key, value in attributes.items():
        text = None if value is None else str(value)
        if not draft.mark(name, str(key), text) and key not in LAYOUT:
            draft.dropped[str(key)] = None


def _is_both(attributes: Mapping[Any, Any]) -> bool:
    marks = (attributes.get("dir"), attributes.get("type"))
    return bool(attributes.get("bidirected")) or any(mark in ("both", "bidirected") for mark in marks)


def _take_common_causes(draft: Draft) -> None:
    """A latent node called `X<->Y` with the children X and Y alone is what `to_networkx` writes for `X <-> Y`."""
    effects: dict[str, list[str]] = {name: [] for name, node in draft.nodes.items() if node.latent and "<->" in name}
    for edge in draft.edges.values():
        if edge.tail in effects and not edge.both:
            effects[edge.tail].append(edge.head)
        effects.pop(edge.head, None)
    for name, found in effects.items():
        first, _, second = name.partition("<->")
        if sorted(found) == sorted((first, second)) and first != second:
            del draft.nodes[name], draft.edges[name, first, False], draft.edges[name, second, False]
            draft.common_cause(first, second)


def _is_wrapped(graph: Any) -> bool:
    """Whether an object holds a networkx graph, as those of DoWhy do."""
    return not _is_networkx(graph) and any(_is_networkx(inner) or _is_wrapped_once(inner) for inner in _inner(graph))


def _is_wrapped_once(graph: Any) -> bool:
    return any(map(_is_networkx, _inner(graph)))


def _inner(graph: Any) -> Iterator[Any]:
    yield from (getattr(graph, name) for name in ("_graph", "graph") if hasattr(graph, name))


def _wrapped(graph: Any) -> Draft:
    """The graph inside; of a causal model of DoWhy, the one inside its graph."""
    return next(_networkx(found) for inner in _inner(graph) for found in (inner, *_inner(inner)) if _is_networkx(found))


# ---------------------------------------------------------------------------------------------------------------------
# y0, Ananke


def _is_y0(graph: Any) -> bool:
    return _has(graph, "directed", "undirected") and _is_networkx(graph.directed) and _is_networkx(graph.undirected)


def _y0(graph: Any) -> Draft:
    draft = Draft()
    names = _Names(draft)
    for node in graph.directed.nodes():
        names(node)
    for tail, head in graph.directed.edges():
        draft.arrow(names(tail), names(head))
    for first, second in graph.undirected.edges():
        draft.common_cause(names(first), names(second))
    return draft


def _is_ananke(graph: Any) -> bool:
    return _has(graph, "vertices", "di_edges", "bi_edges")


def _ananke(graph: Any) -> Draft:
    """Its edges are sets, so they are taken in the order of their names."""
    draft = Draft()
    names = _Names(draft)
    for vertex in graph.vertices:
        names(vertex)
    if getattr(graph, "ud_edges", None):
        first, second = _sorted_edges(graph.ud_edges)[0]
        raise draft.refuse("S021", f"the edge between {first} and {second} does not say which is the cause", None)
    for tail, head in _sorted_edges(graph.di_edges):
        draft.arrow(names(tail), names(head))
    for first, second in _sorted_edges(graph.bi_edges):
        draft.common_cause(names(first), names(second))
    return draft


def _sorted_edges(edges: Iterable[Sequence[Any]]) -> list[tuple[Any, Any]]:
    return sorted(((edge[0], edge[1]) for edge in edges), key=lambda edge: (str(edge[1]), str(edge[0])))


# ---------------------------------------------------------------------------------------------------------------------
# pyAgrum


def _is_pyagrum(graph: Any) -> bool:
    return _has(graph, "nodes", "arcs", "variable", "cpt") and not _is_networkx(graph)


def _pyagrum(graph: Any) -> Draft:
    draft = Draft()
    every = sorted(graph.nodes())
    named = {number: draft.node(graph.variable(number).name()) for number in every}
    for number in every:
        draft.values(named[number], [str(label) for label in graph.variable(number).labels()])
    for tail, head in sorted(graph.arcs(), key=lambda arc: (arc[1], arc[0])):
        draft.arrow(named[tail], named[head])
    pyagrum_tables(draft, graph, named)
    return draft


def _is_pyagrum_causal(graph: Any) -> bool:
    return _has(graph, "latentVariablesIds", "causalDAG", "observationalBN")


def _pyagrum_causal(graph: Any) -> Draft:
    """Its tables are those of the observed distribution, no mechanisms, so they stay behind."""
    draft = Draft()
    hidden = set(graph.latentVariablesIds())
    dag = graph.causalDAG()
    named: dict[int, str] = {}
    for number in sorted(dag.nodes()):
        named[number] = draft.node(graph.nameFromId(number) if hasattr(graph, "nameFromId") else graph.names()[number])
        if number in hidden:
            draft.hide(named[number])
        else:
            labels = graph.observationalBN().variable(named[number]).labels()
            draft.values(named[number], [str(label) for label in labels])
    for tail, head in sorted(dag.arcs(), key=lambda arc: (arc[1], arc[0])):
        draft.arrow(named[tail], named[head])
    draft.notes.append("the tables describe what is observed, not the mechanisms, and are left out")
    return draft


# ---------------------------------------------------------------------------------------------------------------------
# Drawings


def _is_drawing(graph: Any) -> bool:
    """Whether an object is a graph of pydot or pygraphviz, which say themselves in DOT."""
    return callable(getattr(graph, "to_string", None)) and type(graph).__name__ in ("Dot", "AGraph", "Graph", "Cluster")


def _drawing(graph: Any) -> str:
    return str(graph.to_string())


KINDS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any], Draft | str]], ...] = (
    ("DOT", _is_drawing, _drawing),
    ("y0", _is_y0, _y0),
    ("Ananke", _is_ananke, _ananke),
    ("pyAgrum", _is_pyagrum_causal, _pyagrum_causal),
    ("pyAgrum", _is_pyagrum, _pyagrum),
    ("pgmpy", lambda graph: _is_networkx(graph) and hasattr(graph, "latents"), _networkx),
    ("networkx", _is_networkx, _networkx),
    ("DoWhy", _is_wrapped, _wrapped),
)
