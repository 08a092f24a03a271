"""Graphs of dagitty: `dag { X -> Y ; U [latent] ; X <-> Y }`.

Read to the grammar of dagitty's own parser (Textor et al. 2016, `GraphDotParser.pegjs`), in which a line end separates
nothing and braces group.  A `pdag`, `mag` or `pag` stands for a class of causal graphs, not for one, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..program import Model
from ..source import Source
from ..syntax_errors import span_at
from .graph import Draft
from .model_edges import arrows, common_causes, named
from .reading import children, parsed, together
from .statements import EdgeStatement, NodeStatement, flattened, identifier

BEFORE = re.compile(r"[\s;\ufeff]+|//[^\n]*|/\*.*?\*/|#[^\n]*", re.S)
HEADER = re.compile(r"(?:strict\s+)?(digraph|graph|dag|mag|pdag|pag)\b[^{}]*\{", re.I)
SHORT = {"l": "latent", "u": "unobserved", "e": "exposure", "o": "outcome", "a": "adjusted", "s": "selected"}
LAYOUT = frozenset({"pos", "bb"})
CLASSES = {
    "pdag": "a partially directed graph stands for several causal graphs",
    "mag": "an arrow of a maximal ancestral graph says 'ancestor of', not 'cause of'",
    "pag": "a partial ancestral graph stands for several causal graphs",
}
BARE = re.compile(r"[0-9a-zA-Z_]+")
RESERVED = frozenset({"graph", "node"})


def read(source: Source) -> Draft:
    """The graph of a dagitty text.

    Raises `SutureError`: S020 where the text is not dagitty's, S021 for graphs and edges that are not causal.
    """
    draft = Draft(source)
    header = _header(source.text)
    if header is None:
        statements = parsed("dagitty", source, "statements")
    else:
        tree = parsed("dagitty", source, "graph")
        _check_kind(draft, header)
        (statements,) = children(tree, "statements")
        draft.name = next((identifier(name).text for name in children(tree, "id")), None)
    for statement in flattened(statements, draft):
        if isinstance(statement, NodeStatement):
            _take_node(draft, statement)
        else:
            _take_edge(draft, statement)
    return draft


def _header(text: str) -> re.Match[str] | None:
    """The kind of the graph up to its brace, where the text has one, after blanks and comments."""
    place = 0
    while skipped := BEFORE.match(text, place):
        place = skipped.end()
    return HEADER.match(text, place)


def _check_kind(draft: Draft, header: re.Match[str]) -> None:
    kind = header.group(1).lower()
    if kind in CLASSES:
        place = span_at(header.string, header.start(1), header.end(1))
        help = "choose one causal graph of the class, and write it as a dag"
        raise draft.refuse("S021", f"a {kind} is not a causal graph: {CLASSES[kind]}", place, "not a dag", help)


def _take_node(draft: Draft, statement: NodeStatement) -> None:
    name = draft.node(statement.name.text, statement.name.span)
    for key, value in statement.attributes.items():
        if not draft.mark(name, SHORT.get(key, key), value) and key not in LAYOUT:
            draft.dropped[key] = None


def _take_edge(draft: Draft, edge: EdgeStatement) -> None:
    left, right = edge.left, edge.right
    place = together(left.span, right.span)
    match edge.arrow.text:
        case "->" | "→":
            draft.arrow(left.text, right.text, place)
        case "<-" | "←":
            draft.arrow(right.text, left.text, place)
        case "<->" | "↔":
            draft.common_cause(left.text, right.text, place)
        case arrow:
            text = f"the edge {left.text} {arrow} {right.text} does not say which is the cause"
            help = "write '->', '<-', or '<->' for a hidden common cause"
            raise draft.refuse("S021", text, edge.arrow.span, "neither an arrow nor a hidden cause", help)
    draft.dropped.update(dict.fromkeys(key for key in edge.attributes if key not in LAYOUT))


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def write(model: Model) -> str:
    """The model's graph as dagitty text.

    Raises `SutureError` (S023) for a variable called `graph` or `node`, which dagitty refuses.
    """
    return "".join(f"{line}\n" for line in ("dag {", *_lines(model), "}"))


def _lines(model: Model) -> Iterator[str]:
    for name, latent in named(model, RESERVED, "dagitty"):
        yield f"{_id(name)} [latent]" if latent else _id(name)
    for tail, head in arrows(model):
        yield f"{_id(tail)} -> {_id(head)}"
    for first, second in common_causes(model):
        yield f"{_id(first)} <-> {_id(second)}"


def _id(name: str) -> str:
    return name if BARE.fullmatch(name) else f'"{name}"'
