"""Graphs in GML (Himsolt 1997), as networkx writes and DoWhy reads them: `graph [ directed 1 node [..] edge [..] ]`.

A node is called by its label, or by its id where it has none.  Latent nodes and bidirected edges are marked as in DOT.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape, unescape

from lark import Token, Tree

from ..program import Model
from ..source import Source, Span
from .graph import FALSE, Draft
from .model_edges import arrows, common_causes, named
from .reading import Word, children, parsed, word

LAYOUT = frozenset({"id", "label", "graphics", "x", "y", "w", "h", "LabelGraphics", "key", "source", "target", "name"})

Pair = tuple[Word, Word | Tree[Token]]


def read(source: Source) -> Draft:
    """The graph of a GML text.

    Raises `SutureError`: S020 where the text is not a graph in GML, S021 where it is undirected.
    """
    draft = Draft(source)
    graphs = [value for key, value in _pairs(parsed("gml", source)) if key.text == "graph" and isinstance(value, Tree)]
    if len(graphs) != 1:
        raise draft.refuse("S020", f"expected one graph [ .. ], found {len(graphs)}", None)
    inside = _pairs(graphs[0])
    _check_directed(draft, inside)
    names: dict[str, str] = {}
    for key, value in inside:
        if key.text == "node" and isinstance(value, Tree):
            _take_node(draft, key.span, _pairs(value), names)
    for key, value in inside:
        if key.text == "edge" and isinstance(value, Tree):
            _take_edge(draft, key.span, _pairs(value), names)
    return draft


def _pairs(part: Tree[Token]) -> list[Pair]:
    """The keys and values of a list."""
    if part.data == "list":
        (part,) = children(part, "pairs")
    found: list[Pair] = []
    for pair in children(part, "pair"):
        key, value = pair.children
        assert isinstance(key, Token)
        assert isinstance(value, Tree)
        if value.data == "list":
            found.append((word(key), value))
        else:
            (token,) = value.children
            assert isinstance(token, Token)
            text = unescape(token[1:-1]) if value.data == "string" else str(token)
            found.append((word(key), word(token, text)))
    return found


def _plain(pairs: list[Pair]) -> dict[str, Word]:
    return {key.text: value for key, value in pairs if isinstance(value, Word)}


def _check_directed(draft: Draft, inside: list[Pair]) -> None:
    plain = _plain(inside)
    if "directed" not in plain or plain["directed"].text == "0":
        place = plain["directed"].span if "directed" in plain else None
        text = "an undirected graph does not say what causes what"
        raise draft.refuse("S021", text, place, "undirected", "a causal graph says 'directed 1'")
    if "name" in plain:
        draft.name = plain["name"].text


def _take_node(draft: Draft, place: Span, pairs: list[Pair], names: dict[str, str]) -> None:
    plain = _plain(pairs)
    if "id" not in plain:
        raise draft.refuse("S020", "a node without an id", place, "no id", 'write node [ id 0 label "X" ]')
    name = plain.get("label", plain["id"])
    if plain["id"].text in names or name.text in draft.nodes:
        raise draft.refuse("S101", f"the node {name.text} is given twice", name.span, "again")
    names[plain["id"].text] = draft.node(name.text, name.span)
    for key, value in plain.items():
        if key not in LAYOUT and not draft.mark(name.text, key, value.text):
            draft.dropped[key] = None


def _take_edge(draft: Draft, place: Span, pairs: list[Pair], names: dict[str, str]) -> None:
    plain = _plain(pairs)
    ends: list[str] = []
    for key in ("source", "target"):
        if key not in plain:
            raise draft.refuse("S020", f"an edge without a {key}", place, f"no {key}")
        if plain[key].text not in names:
            raise draft.refuse("S104", f"no node has the id {plain[key].text}", plain[key].span, "not a node")
        ends.append(names[plain[key].text])
    if _is_both(plain):
        draft.common_cause(ends[0], ends[1], place)
    else:
        draft.arrow(ends[0], ends[1], place)
    known = LAYOUT | {"dir", "bidirected", "type", "style"}
    draft.dropped.update(dict.fromkeys(key for key in plain if key not in known))


def _is_both(plain: dict[str, Word]) -> bool:
    marked = "bidirected" in plain and plain["bidirected"].text.lower() not in FALSE
    return marked or any(key in plain and plain[key].text in ("both", "bidirected") for key in ("dir", "type"))


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def write(model: Model) -> str:
    """The model's graph in GML; latent variables are `observed "no"`, as DoWhy reads them."""
    return "".join(f"{line}\n" for line in ("graph [", "  directed 1", *_lines(model), "]"))


def _lines(model: Model) -> Iterator[str]:
    for name, latent in named(model):
        hidden = ' observed "no"' if latent else ""
        yield f"  node [ id {_quoted(name)} label {_quoted(name)}{hidden} ]"
    for tail, head in arrows(model):
        yield f"  edge [ source {_quoted(tail)} target {_quoted(head)} ]"
    for first, second in common_causes(model):
        yield f'  edge [ source {_quoted(first)} target {_quoted(second)} dir "both" ]'


def _quoted(name: str) -> str:
    """A name between quotes; GML is ASCII, and other letters are written as HTML does."""
    return f'"{escape(name).encode("ascii", "xmlcharrefreplace").decode()}"'
