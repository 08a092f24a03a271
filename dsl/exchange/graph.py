"""A graph as other tools write it, before it becomes a model: names are still foreign, places are those of the text.

Readers fill a `Draft` in the order of the text; `program_text.py` makes a program of it.  Nodes are told apart by their
foreign names, edges by their ends and their kind, so that a repeated edge is one edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ..diagnostics import Diagnostic, SutureError
from ..labels import find_label
from ..probability_tables import Numbers
from ..source import Source, Span

LATENT = frozenset({"latent", "unobserved", "hidden"})
ROLES: Mapping[str, str] = {
    "exposure": "exposure", "source": "exposure", "treatment": "exposure", "outcome": "outcome", "target": "outcome",
    "adjusted": "adjusted", "selected": "selected",
}  # fmt: skip
MOST_EDGES = 250_000
UNQUOTABLE = re.compile(r"[\r\n]+")
FALSE = frozenset({"0", "false", "no", "f", "n", ""})


@dataclass(frozen=True, slots=True)
class Node:
    """A variable: its foreign name, whether it is latent, and its values where the format gives them."""

    name: str
    latent: bool = False
    labels: tuple[str, ...] | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from `tail` to `head`, or a hidden common cause of both where `both` holds."""

    tail: str
    head: str
    both: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Case:
    """The distribution in one case of the parents; a cell that is None stands for any value."""

    cells: tuple[str | None, ...]
    weights: tuple[Fraction, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A conditional distribution: cases, read from the top as the rows of a `table` are, or all of its numbers."""

    parents: tuple[str, ...]
    cases: tuple[Case, ...] | Numbers
    span: Span | None = field(default=None, compare=False)


@dataclass
class Draft:
    """What a reader has gathered so far, in the order of the text; `source` is where its places are, if it is text."""

    source: Source | None = None
    name: str | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str, bool], Edge] = field(default_factory=dict)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    drawn: int = 0

    def node(self, name: str, span: Span | None = None) -> str:
        """Take a name as that of a node; returns the name."""
        if name not in self.nodes:
            self.nodes[name] = Node(name, span=span)
        return name

    def hide(self, name: str, hidden: bool = True) -> None:
        """Mark a node as latent."""
        self.nodes[name] = replace(self.nodes[name], latent=hidden)

    def arrow(self, tail: str, head: str, span: Span | None = None) -> None:
        """Take an arrow; its ends become nodes."""
        self.node(tail, span)
        self.node(head, span)
        self.edges.setdefault((tail, head, False), Edge(tail, head, False, span))

    def common_cause(self, first: str, second: str, span: Span | None = None) -> None:
        """Take a bidirected edge; its ends become nodes."""
        self.node(first, span)
        self.node(second, span)
        if (second, first, True) not in self.edges:
            self.edges.setdefault((first, second, True), Edge(first, second, True, span))

    def draw(self, count: int, span: Span | None) -> None:
        """Count edges that are about to be drawn; raises `SutureError` (S004) beyond the most."""
        self.drawn += count
        if self.drawn > MOST_EDGES:
            raise self.refuse("S004", f"a graph has at most {MOST_EDGES:,} edges", span, "too many edges")

    def role(self, name: str, role: str) -> None:
        """Remember that a node is an exposure, an outcome or the like."""
        found = self.roles.setdefault(role, [])
        if name not in found:
            found.append(name)

    def mark(self, name: str, key: str, value: str | None) -> bool:
        """What an attribute that the formats share says of a node; False where it is none of these."""
        word = key.lower()
        switched_on = value is None or value.strip().lower() not in FALSE
        if word in LATENT or word == "observed":
            self.hide(name, switched_on == (word in LATENT))
        elif word in ROLES:
            if switched_on:
                self.role(name, ROLES[word])
        elif word == "style":
            if value is not None and "dashed" in (part.strip() for part in value.lower().split(",")):
                self.hide(name)
        elif word == "label":
            if value and value != name:
                self.named[name] = value
        else:
            return False
        return True

    def values(self, name: str, labels: Iterable[str], span: Span | None = None) -> tuple[str, ...]:
        """Take the values of a node, as the language can quote them; returns them.

        Raises `SutureError` (S209) where two of them are one value.
        """
        found: list[str] = []
        for label in labels:
            text = UNQUOTABLE.sub(" ", label).replace('"', "'")
            if text != label:
                self.notes.append(f'a value of {name} is written "{text}": quotes and line ends cannot stand in one')
            if find_label(found, text) is not None:
                raise self.refuse("S209", f"the value '{text}' of {name} is listed twice", span, "again")
            found.append(text)
        self.nodes[name] = replace(self.nodes[name], labels=tuple(found))
        return tuple(found)

    def refuse(
        self, code: str, message: str, span: Span | None, label: str = "", help: str | None = None
    ) -> SutureError:
        """The error of something in the text that cannot be taken."""
        return SutureError(Diagnostic(code, message, span, label, help), self.source)


def listed(names: Iterable[str], limit: int = 6) -> str:
    """Names between commas, the last after `and`, cut after `limit`.

    >>> listed(["A", "B", "C"])
    'A, B and C'
    """
    every = list(names)
    if len(every) > limit:
        return f"{', '.join(every[:limit])} and {len(every) - limit} more"
    return " and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]]))
