"""The statements of DOT and of dagitty, which share their shape: nodes, edges and groups in braces.

A group stands for all the nodes named in it; defaults hold from where they are given to the end of their group.  The
walk keeps its own stack, so that nesting costs none of Python's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product

from lark import Token, Tree

from ..layout import LIMIT
from .graph import Draft
from .reading import Word, children, word

Attributes = Mapping[str, str | None]
CONTINUED = re.compile(r'\\(?:\r?\n|")')


@dataclass(frozen=True, slots=True)
class NodeStatement:
    """A node with the attributes it is given here."""

    name: Word
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class EdgeStatement:
    """One edge with its attributes; `arrow` as written."""

    left: Word
    arrow: Word
    right: Word
    attributes: Attributes


@dataclass
class _Group:
    """The nodes named so far in a pair of braces, and the defaults that hold there."""

    nodes: dict[str, Word] = field(default_factory=dict)
    node_defaults: dict[str, str | None] = field(default_factory=dict)
    edge_defaults: dict[str, str | None] = field(default_factory=dict)
    depth: int = 0

    def inner(self) -> _Group:
        return _Group({}, dict(self.node_defaults), dict(self.edge_defaults), self.depth + 1)


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a group: its nodes belong to the group around it too."""

    group: _Group
    outer: _Group


@dataclass(frozen=True, slots=True)
class _Join:
    """The moment at which every end of an edge is known."""

    edge: Tree[Token]
    ends: tuple[_Group, ...]


def flattened(statements: Tree[Token], draft: Draft) -> Iterator[NodeStatement | EdgeStatement]:
    """Every node and every single edge, in the order of the text, groups and defaults resolved.

    Raises `SutureError`: S005 for groups nested too deeply, S004 for edges beyond the most.
    """
    return _Walk(draft).steps(statements)


@dataclass
class _Walk:
    """One walk over the statements of a text, with its own stack."""

    draft: Draft
    waiting: list[tuple[Tree[Token] | _End | _Join, _Group]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def steps(self, statements: Tree[Token]) -> Iterator[NodeStatement | EdgeStatement]:
        self._push(statements, _Group())
        while self.waiting:
            part, group = self.waiting.pop()
            if isinstance(part, _End):
                part.outer.nodes.update(part.group.nodes)
            elif isinstance(part, _Join):
                yield from self._edges(part, group)
            elif part.data == "subgraph":
                self._enter(part, group.inner(), group)
            elif part.data == "edge":
                self._edge(part, group)
            elif part.data == "id":
                yield self._node(identifier(part), group, {})
            elif part.data == "node":
                yield self._node(identifier(children(part, "id")[0]), group, attributes(part))
            elif part.data == "defaults":
                _set_defaults(part, group)

    def _push(self, statements: Tree[Token], group: _Group) -> None:
        parts = [part for part in statements.children if isinstance(part, Tree)]
        self.waiting.extend((part, group) for part in reversed(parts))

    def _enter(self, part: Tree[Token], inner: _Group, outer: _Group) -> None:
        """Walk what stands in braces, or a single name, as a group of its own."""
        if inner.depth > LIMIT:
            text = f"groups in braces are nested more than {LIMIT} levels deep"
            raise self.draft.refuse("S005", text, None)
        self.waiting.append((_End(inner, outer), outer))
        if part.data == "id":
            self.waiting.append((part, inner))
        else:
            self._push(children(part, "statements")[0], inner)

    def _edge(self, part: Tree[Token], group: _Group) -> None:
        """Walk the ends of an edge in their order, and join them afterwards."""
        ends = [(end, group.inner()) for end in children(part, "id", "subgraph")]
        self.waiting.append((_Join(part, tuple(inner for _, inner in ends)), group))
        for end, inner in reversed(ends):
            self._enter(end, inner, group)

    def _node(self, name: Word, group: _Group, own: Attributes) -> NodeStatement:
        """A node named in a group; defaults hold for nodes that are new."""
        group.nodes.setdefault(name.text, name)
        defaults = {} if name.text in self.seen else group.node_defaults
        self.seen.add(name.text)
        return NodeStatement(name, {**defaults, **own})

    def _edges(self, join: _Join, group: _Group) -> Iterator[EdgeStatement]:
        arrows = [word(token) for token in join.edge.children if isinstance(token, Token)]
        own = {**group.edge_defaults, **attributes(join.edge)}
        for (left, right), arrow in zip(pairwise(join.ends), arrows, strict=True):
            self.draft.draw(len(left.nodes) * len(right.nodes), arrow.span)
            for first, second in product(left.nodes.values(), right.nodes.values()):
                yield EdgeStatement(first, arrow, second, own)


def _set_defaults(part: Tree[Token], group: _Group) -> None:
    kind = str(part.children[0]).lower()
    if kind != "graph":
        chosen = group.node_defaults if kind == "node" else group.edge_defaults
        chosen.update(attributes(part))


def attributes(part: Tree[Token]) -> dict[str, str | None]:
    """The attributes of a statement, keys in lower case; one written without a value has None."""
    found: dict[str, str | None] = {}
    for several in children(part, "attributes"):
        for one in children(several, "attribute"):
            key, *value = [identifier(end).text for end in children(one, "id")]
            found[key.lower()] = value[0] if value else None
    return found


def identifier(part: Tree[Token]) -> Word:
    """A name: bare, or quoted text without its quotes, the parts of a broken one put together."""
    tokens = [token for token in part.children if isinstance(token, Token)]
    if tokens[0].type != "STRING":
        return word(tokens[0])
    return word(tokens[0], "".join(map(unquoted, tokens)))


def unquoted(token: Token) -> str:
    """Quoted text without quotes; of the backslashes only those before a quote or a line end count."""
    return CONTINUED.sub(lambda found: '"' if found.group() == '\\"' else "", token[1:-1])
