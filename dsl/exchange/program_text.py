"""From a graph of another tool to the text of a program with one model, and the model itself.

Variables are declared in the order in which the graph names them, so that a typing slip in what is added later is an
error.  A distribution becomes a `table`; everything that was changed or left out stands above the model as a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from .. import tree
from ..diagnostics import Diagnostic, SutureError
from ..parser import LONGEST
from ..printer import format_program
from ..probability_tables import Numbers
from ..program import Model
from ..resolve import resolve
from ..resolve_models import find_cycle
from ..rows import weight
from ..source import Source, Span
from .graph import Draft, Node, listed
from .names import change_notes, is_name, language_names, nearest_name, shown

WIDTH = 88
LONGEST_CYCLE = 12


@dataclass(frozen=True)
class Imported:
    """A model from elsewhere: the model, what was changed or left out, and the program that says it."""

    notes: tuple[str, ...]
    model: Model = field(repr=False)
    format: str
    _program: tree.Program = field(compare=False, repr=False)
    _source: Source | None = field(compare=False, repr=False)

    @cached_property
    def program_text(self) -> str:
        """The text of the program, notes above it as comments.

        Raises `SutureError` S004 where it is beyond the longest: such a model is used by `model M from "file"`.
        """
        comments = "".join(f"# {line}\n" for line in (f"imported from {self.format}", *self.notes))
        text = comments + format_program(self._program)
        if len(text) > LONGEST:
            message = f"the program would have {len(text):,} characters; the longest has {LONGEST:,}"
            help = f'leave the numbers where they are: model {self.model.name} from "FILE"'
            raise SutureError(Diagnostic("S004", message, help=help), self._source)
        return text

    def to_dict(self) -> dict[str, object]:
        """The import as JSON-ready data."""
        return {"program": self.program_text, "notes": list(self.notes), "model": self.model.name}


def imported(draft: Draft, format: str, name: str | None = None) -> Imported:
    """The program of a draft; the model is called `name`, else as the graph is, else `Imported`.

    Raises `SutureError`: S204 for a cycle, S205 for an arrow from a variable to itself.
    """
    _check_arrows(draft)
    names = language_names(draft.nodes)
    model_name, notes = _model_name(draft, name)
    notes += [*change_notes(names), *_role_notes(draft, names), *draft.notes, *_left_out(draft, names)]
    model = tree.Model(tree.Name(model_name), tuple(_items(draft, names)), span=Span(0, 0, 1, 1))
    program = tree.Program((model,))
    resolved = resolve(program, Source("", "<imported>")).models[model_name]
    resolved = replace(resolved, notes=tuple(notes))
    return Imported(tuple(notes), resolved, format, program, draft.source)


def _model_name(draft: Draft, asked: str | None) -> tuple[str, list[str]]:
    wanted = asked or draft.name or "Imported"
    if is_name(wanted):
        return wanted, []
    name = nearest_name(wanted)
    return name, [f"the model {shown(wanted)} is called {name}"]


# ---------------------------------------------------------------------------------------------------------------------
# Checks


def _check_arrows(draft: Draft) -> None:
    for edge in draft.edges.values():
        if edge.tail == edge.head:
            raise draft.refuse("S205", f"{shown(edge.tail)} cannot be its own cause", edge.span, "an edge to itself")
    parents = _parents(draft)
    cycle = find_cycle(parents)
    if cycle is None:
        return
    edge = draft.edges.get((cycle[-1], cycle[0], False))
    place = edge.span if edge else draft.distributions[cycle[0]].span
    shortened = cycle if len(cycle) <= LONGEST_CYCLE else (*cycle[:LONGEST_CYCLE], "..")
    text = f"the causes form a cycle: {' -> '.join((*shortened, cycle[0]))}"
    help = "a cause that both share is a bidirected edge" if len(cycle) == 2 else "a variable cannot cause itself"
    raise draft.refuse("S204", text, place, "closes the cycle", help)


def _parents(draft: Draft) -> dict[str, list[str]]:
    """The causes of each node, in the order of the text; a distribution's own come first."""
    found: dict[str, dict[str, None]] = {name: {} for name in draft.nodes}
    for name, distribution in draft.distributions.items():
        found[name] = dict.fromkeys(distribution.parents)
    for edge in draft.edges.values():
        if not edge.both:
            found[edge.head][edge.tail] = None
    return {name: list(causes) for name, causes in found.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Notes


def _role_notes(draft: Draft, names: Mapping[str, str]) -> list[str]:
    roles = {role: [names[name] for name in found] for role, found in draft.roles.items()}
    notes = [f"{role}: {', '.join(found)}" for role, found in roles.items()]
    causes, effects = roles.get("exposure"), roles.get("outcome")
    if causes and effects:
        notes.append(f"the effect to ask for: P({', '.join(effects)} | do({', '.join(causes)}))")
    if roles.get("selected"):
        notes.append(f"the data were selected by {listed(roles['selected'])}: condition on it in the queries")
    return notes


def _left_out(draft: Draft, names: Mapping[str, str]) -> list[str]:
    labels = [f"{names[name]} is labelled {shown(label)}" for name, label in draft.named.items()]
    dropped = [f"left out, since a model does not hold them: {', '.join(draft.dropped)}"] if draft.dropped else []
    return labels + dropped


# ---------------------------------------------------------------------------------------------------------------------
# The model


def _items(draft: Draft, names: Mapping[str, str]) -> Iterator[tree.Item]:
    for _, group in groupby(draft.nodes.values(), key=lambda node: _kind(draft, node)):
        yield from _declarations(draft, list(group), names)
    drawn = {name: causes for name, causes in _parents(draft).items() if causes and name not in draft.distributions}
    for causes, group in groupby(drawn, key=lambda name: drawn[name]):
        for effects in _lines([names[name] for name in group], WIDTH // 2):
            for part in _lines([names[cause] for cause in causes], WIDTH // 2):
                yield tree.Edges((_group(part), _group(effects)), ("->",))
    for edge in draft.edges.values():
        if edge.both:
            yield tree.Edges((_group([names[edge.tail]]), _group([names[edge.head]])), ("<->",))


def _kind(draft: Draft, node: Node) -> tuple[object, ...]:
    """What nodes that are declared together share; a node with a distribution is declared alone."""
    return node.latent, node.labels, node.name if node.name in draft.distributions else None


def _declarations(draft: Draft, nodes: Sequence[Node], names: Mapping[str, str]) -> Iterator[tree.Declaration]:
    first = nodes[0]
    values = tree.LabelSet(tuple(map(tree.Label, first.labels))) if first.labels else None
    mechanism = _table(draft, first.name, names)
    for part in _lines([names[node.name] for node in nodes]):
        yield tree.Declaration(tuple(map(tree.Name, part)), first.latent, values, mechanism)


def _table(draft: Draft, name: str, names: Mapping[str, str]) -> tree.Mechanism | None:
    distribution = draft.distributions.get(name)
    if distribution is None:
        return None
    labels = draft.nodes[name].labels or ()
    if isinstance(distribution.cases, Numbers):
        return _numbers_table(distribution.cases, [names[parent] for parent in distribution.parents], labels)
    if not distribution.parents and len(distribution.cases) == 1:
        weights = map(weight, distribution.cases[0].weights)
        return tree.WeightsMechanism(tuple(zip(map(tree.Label, labels), weights, strict=True)))
    rows = tuple(
        tree.Row(
            tuple(None if cell is None else tree.Label(cell) for cell in case.cells), tuple(map(weight, case.weights))
        )
        for case in distribution.cases
    )
    return tree.TableMechanism(tuple(tree.Name(names[parent]) for parent in distribution.parents), rows)


def _numbers_table(numbers: Numbers, parents: Sequence[str], labels: Sequence[str]) -> tree.Mechanism:
    if parents:
        return tree.NumbersMechanism(tuple(map(tree.Name, parents)), numbers)
    weights = map(weight, numbers.exact(0))
    return tree.WeightsMechanism(tuple(zip(map(tree.Label, labels), weights, strict=True)))


def _group(names: Sequence[str]) -> tree.Group:
    return tree.Group(tuple(map(tree.Name, names)), len(names) > 1)


def _lines(names: Sequence[str], width: int = WIDTH) -> Iterator[list[str]]:
    """The names in portions that fit on a line."""
    part: list[str] = []
    room = width
    for name in names:
        if part and room < len(name) + 2:
            yield part
            part, room = [], width
        part.append(name)
        room -= len(name) + 2
    if part:
        yield part
