"""Graphs in DOT, the language of Graphviz, as networkx, pydot, DoWhy and pyAgrum write them.

A dashed node is latent, and so is one with `latent=true`, `hidden=true`, `unobserved=true` or `observed="no"`.  An edge
with `dir=both` is a hidden common cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token

from ..program import Model
from ..source import Source
from .graph import Draft
from .model_edges import arrows, common_causes, named
from .reading import children, parsed, together, word
from .statements import EdgeStatement, NodeStatement, flattened, identifier

LAYOUT = frozenset({
    "arrowhead", "arrowsize", "arrowtail", "bb", "class", "color", "colorscheme", "constraint", "fillcolor",
    "fixedsize", "fontcolor", "fontname", "fontsize", "group", "headport", "height", "id", "labelfontcolor", "len",
    "lp", "margin", "minlen", "penwidth", "peripheries", "pos", "rank", "rankdir", "shape", "splines", "tailport",
    "tooltip", "weight", "width", "xlabel",
})  # fmt: skip
BARE = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
KEYWORDS = frozenset({"node", "edge", "graph", "digraph", "subgraph", "strict"})


def read(source: Source) -> Draft:
    """The graph of a DOT text.

    Raises `SutureError`: S020 where the text is not DOT, S021 for undirected edges.
    """
    draft = Draft(source)
    tree = parsed("dot", source)
    (kind,) = [part for part in tree.children if isinstance(part, Token) and part.type == "KIND"]
    (statements,) = children(tree, "statements")
    draft.name = next((identifier(name).text for name in children(tree, "id")), None)
    if kind.lower() == "graph":
        help = "a causal graph is a digraph { A -> B }"
        raise draft.refuse(
            "S021", "an undirected graph does not say what causes what", word(kind).span, "undirected", help
        )
    for statement in flattened(statements, draft):
        if isinstance(statement, NodeStatement):
            _take_node(draft, statement)
        else:
            _take_edge(draft, statement)
    return draft


def _take_node(draft: Draft, statement: NodeStatement) -> None:
    name = draft.node(statement.name.text, statement.name.span)
    for key, value in statement.attributes.items():
        if key == "label" and value in ("\\N", ""):
            continue
        if not draft.mark(name, key, value) and key not in LAYOUT:
            draft.dropped[key] = None


def _take_edge(draft: Draft, edge: EdgeStatement) -> None:
    left, right, direction = edge.left, edge.right, (edge.attributes.get("dir") or "forward").lower()
    place = together(left.span, right.span)
    if edge.arrow.text == "--" or direction == "none":
        text = f"the edge between {left.text} and {right.text} does not say which is the cause"
        help = f"write {left.text} -> {right.text}, or [dir=both] for a hidden common cause"
        raise draft.refuse("S021", text, place, "undirected", help)
    if direction == "both":
        draft.common_cause(left.text, right.text, place)
    elif direction == "back":
        draft.arrow(right.text, left.text, place)
    else:
        draft.arrow(left.text, right.text, place)
    known = {"dir", "style"} | LAYOUT
    draft.dropped.update(dict.fromkeys(key for key in edge.attributes if key not in known))


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def write(model: Model) -> str:
    """The model's graph in DOT; latent variables and hidden common causes are dashed."""
    return "".join(f"{line}\n" for line in (f"digraph {_id(model.name)} {{", *_lines(model), "}"))


def _lines(model: Model) -> Iterator[str]:
    for name, latent in named(model):
        yield f'  {_id(name)} [observed="no", style=dashed];' if latent else f"  {_id(name)};"
    for tail, head in arrows(model):
        yield f"  {_id(tail)} -> {_id(head)};"
    for first, second in common_causes(model):
        yield f"  {_id(first)} -> {_id(second)} [dir=both, style=dashed];"


def _id(name: str) -> str:
    return name if BARE.fullmatch(name) and name.lower() not in KEYWORDS else f'"{name}"'
