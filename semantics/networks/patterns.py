"""Patterns of questions to a finite model as networks of operands without arrays: what is compiled and batched.

A pattern names what is open (targets, open interventions), what is observed, what is weighted by soft evidence and
what is intervened on; it does not say at which values, nor what the mechanisms' entries are.  So one network serves
every evidence set with the same pattern of observed variables, every value of an intervention and every parameter set:
labels come in as codes that slice the mechanisms (hard evidence removes an axis before anything is planned), soft
evidence as vectors, mechanisms as arrays.

An open intervention stays an open index: one contraction then gives the whole stochastic matrix X -> Y (surgery as in
Jacobs, Kissinger, Zanasi 2018, with the cut wire left open).  Counterfactual terms are answered in parallel worlds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Diagram, Kind, live_boxes
from ...dsl.formula import Symbol, Term
from ...dsl.formula_text import term_text
from ...dsl.worlds import Worlds, in_world, parallel_worlds
from ..distribution import position_of
from .plan import Plan, make_plan

USES = 4
"""Contractions that a plan is looked for as if for: an engine keeps its patterns."""


class Source(Enum):
    """Where the array of an operand comes from."""

    MECHANISM = "mechanism"
    WEIGHTS = "weights"
    ONES = "ones"
    UNIFORM = "uniform"
    POINT = "point"
    TIE = "tie"
    MATCH = "match"


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that slices: of an observed term or an intervention; `code` is a label's place that never changes."""

    name: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One operand: the array of `source` (of the mechanism or the weights of that name) over `axes`.

    `taken` has an item an axis of the array: None where it stays, else the number of the slot that slices it.  A
    `POINT` is one at the code of its slot, a `TIE` one on the diagonal, a `MATCH` one where its slots agree; a
    `UNIFORM` state has `length` values.
    """

    source: Source
    name: str
    axes: tuple[int, ...]
    taken: tuple[int | None, ...] = ()
    length: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is asked, without values: terms by how they come in, interventions by name.

    `reached` terms are part of the network, but not open: what a backward pass then asks about.
    """

    targets: tuple[Term, ...] = ()
    observed: tuple[Term, ...] = ()
    weighted: tuple[Term, ...] = ()
    reached: tuple[Term, ...] = ()
    fixed: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a reached term is found: its wire, and the slot that slices it, if one does."""

    wire: int
    slot: int | None = None


@dataclass(frozen=True)
class Network:
    """The operands of a pattern over numbered wires, and the plan of their contraction.

    The plan's open axes are the targets, then the open interventions.  `reached` has an item a reached term.
    """

    pattern: Pattern
    slots: tuple[Slot, ...]
    entries: tuple[Entry, ...]
    sizes: tuple[int, ...]
    open_axes: tuple[int, ...]
    reached: tuple[Reached, ...]

    @cached_property
    def plan(self) -> Plan:
        """How the operands are contracted."""
        return make_plan(tuple(entry.axes for entry in self.entries), self.sizes, self.open_axes, USES)

    @cached_property
    def mechanisms(self) -> tuple[str, ...]:
        """Names of the mechanisms that the answer depends on."""
        return tuple(dict.fromkeys(entry.name for entry in self.entries if entry.source is Source.MECHANISM))

    @cached_property
    def weighted(self) -> Mapping[str, int]:
        """The names of the weights that come in, and how many each has."""
        return {
            entry.name: self.sizes[entry.axes[0]] if entry.axes else entry.length
            for entry in self.entries
            if entry.source is Source.WEIGHTS
        }

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What two networks that are computed in the same way have in common."""
        return (self.slots, self.entries, self.sizes, self.open_axes, self.reached, len(self.pattern.targets))

    @cached_property
    def digest(self) -> str:
        """The key as a short text."""
        return hashlib.sha256(repr(self.key).encode()).hexdigest()

    def needed(self, positive: frozenset[str]) -> Network:
        """Without the parts that say nothing about the open axes and cannot be zero: they cancel in a conditional.

        `positive` are the mechanisms all of whose entries are above zero.
        """
        group = components([entry.axes for entry in self.entries], len(self.sizes))
        wanted = {group[axis] for axis in self.open_axes}
        doubtful = {
            group[entry.axes[0]]
            for entry in self.entries
            if entry.axes and not (entry.source is Source.MECHANISM and entry.name in positive)
        }

        def matters(entry: Entry) -> bool:
            if entry.axes:
                return group[entry.axes[0]] in wanted | doubtful
            return not (entry.source is Source.MECHANISM and entry.name in positive)

        kept = tuple(entry for entry in self.entries if matters(entry))
        return replace(self, entries=kept or (Entry(Source.ONES, "", ()),))


def slot_name(term: Term) -> str:
    """The name under which the code or the weights of a term come in."""
    return term_text(term)


def intervention_name(variable: str) -> str:
    """The name under which the code of an intervention comes in."""
    return f"do({variable})"


def network_of(diagram: Diagram, labels: Mapping[str, tuple[str, ...]], pattern: Pattern) -> Network:
    """The network of a pattern over a model's diagram.

    Raises `SutureError` S420 where a world sets a variable to a value that it does not have.
    """
    return _Builder(diagram, labels, pattern).network()


def worlds_of(diagram: Diagram, pattern: Pattern) -> tuple[Worlds, tuple[Term, ...]]:
    """The worlds of a pattern's terms, and the terms in the order of the worlds' wires."""
    do = [Term(name, Symbol(name, name)) for name in (*pattern.opened, *pattern.fixed)]
    terms = (*pattern.targets, *pattern.observed, *pattern.weighted, *pattern.reached)
    asked = [in_world(term, do) for term in terms]
    open_wires = [Term(name, None, (Term(name, Symbol(name, name)),)) for name in pattern.opened]
    return parallel_worlds(diagram, [*asked, *open_wires]), terms


class _Builder:
    """The network under construction: the slots, what slices each wire, and the operands so far."""

    def __init__(self, diagram: Diagram, labels: Mapping[str, tuple[str, ...]], pattern: Pattern) -> None:
        self.worlds, self.terms = worlds_of(diagram, pattern)
        self.diagram = self.worlds.diagram
        self.labels = labels
        self.pattern = pattern
        self.slots: list[Slot] = []
        self.fixed: dict[int, int] = {}
        self.entries: list[Entry] = []
        self.sizes = [len(labels[wire.type]) for wire in self.diagram.wires]

    def network(self) -> Network:
        """Interventions slice first, then what is observed; then every live box gives an operand."""
        self._intervene()
        wires = dict(zip(self.terms, self.worlds.wires, strict=False))
        for term in self.pattern.observed:
            self._observe(wires[term], self._slot(Slot(slot_name(term))))
        opened = [self._open(wire) for wire in self.worlds.wires[len(self.terms) :]]
        targets = [self._target(wires[term], opened) for term in self.pattern.targets]
        for term in self.pattern.weighted:
            self._weigh(term, wires[term])
        self._boxes()
        reached = tuple(self._reach(wires[term]) for term in self.pattern.reached)
        self._cover([*opened, *targets])
        open_axes = (*targets, *opened)
        return Network(self.pattern, tuple(self.slots), tuple(self.entries), tuple(self.sizes), open_axes, reached)

    def _slot(self, slot: Slot) -> int:
        if slot not in self.slots:
            self.slots.append(slot)
        return self.slots.index(slot)

    def _intervene(self) -> None:
        """Point states of the terms' own worlds, then the interventions that come in as codes."""
        for box in self.diagram.boxes:
            if box.kind is Kind.POINT:
                (wire,) = box.outputs
                kind = self.diagram.wires[wire].type
                code = position_of(str(box.value), kind, self.labels[kind])
                self.fixed[wire] = self._slot(Slot(f"{kind}={box.value}", code))
        for wire, term in zip(self.diagram.inputs, self.worlds.free, strict=True):
            if term.variable in self.pattern.fixed:
                self.fixed[wire] = self._slot(Slot(intervention_name(term.variable)))

    def _observe(self, wire: int, slot: int) -> None:
        """A code slices the wire; a wire that is sliced already is matched with it."""
        if wire in self.fixed:
            self.entries.append(Entry(Source.MATCH, "", (), (self.fixed[wire], slot)))
        else:
            self.fixed[wire] = slot

    def _open(self, wire: int) -> int:
        """The axis of an open intervention; one that is observed as well keeps an axis of its own."""
        if wire not in self.fixed:
            return wire
        return self._point(wire)

    def _target(self, wire: int, taken: list[int]) -> int:
        """The axis of a target: its wire's, or a new one where that is sliced or open already."""
        if wire in self.fixed:
            return self._point(wire)
        if wire not in taken and wire not in self.used:
            self.used.add(wire)
            return wire
        axis = self._axis(wire)
        self.entries.append(Entry(Source.TIE, "", (wire, axis)))
        return axis

    @cached_property
    def used(self) -> set[int]:
        """Wires that are some target's axis."""
        return set()

    def _point(self, wire: int) -> int:
        axis = self._axis(wire)
        self.entries.append(Entry(Source.POINT, "", (axis,), (self.fixed[wire],)))
        return axis

    def _axis(self, wire: int) -> int:
        self.sizes.append(self.sizes[wire])
        return len(self.sizes) - 1

    def _weigh(self, term: Term, wire: int) -> None:
        slot = self.fixed.get(wire)
        axes = () if slot is not None else (wire,)
        self.entries.append(Entry(Source.WEIGHTS, slot_name(term), axes, (slot,), self.sizes[wire]))

    def _reach(self, wire: int) -> Reached:
        return Reached(wire, self.fixed.get(wire))

    def _boxes(self) -> None:
        for number in sorted(live_boxes(self.diagram)):
            box = self.diagram.boxes[number]
            if box.kind is Kind.POINT:
                continue
            wires = (*box.inputs, *box.outputs)
            taken = tuple(self.fixed.get(wire) for wire in wires)
            axes = tuple(wire for wire in wires if wire not in self.fixed)
            if box.kind is Kind.UNIFORM:
                self.entries.append(Entry(Source.UNIFORM, box.name, axes, (), self.sizes[wires[0]]))
            else:
                self.entries.append(Entry(Source.MECHANISM, box.name, axes, taken))

    def _cover(self, axes: Sequence[int]) -> None:
        """An open axis that no operand has is covered by ones, and a network without operands is one."""
        present = {axis for entry in self.entries for axis in entry.axes}
        for axis in dict.fromkeys(axes):
            if axis not in present:
                self.entries.append(Entry(Source.ONES, "", (axis,)))
        if not self.entries:
            self.entries.append(Entry(Source.ONES, "", ()))


def require_functions(deterministic: frozenset[str], diagram: Diagram, pattern: Pattern) -> None:
    """Refuse what needs a random mechanism in two worlds at once: raises `SutureError` S421."""
    worlds, terms = worlds_of(diagram, pattern)
    for name, boxes in sorted(worlds.copies().items()):
        if not all(box in deterministic for box in boxes):
            shown = ", ".join(map(term_text, terms))
            message = f"P({shown}) needs {name} in {len(boxes)} worlds at once, and its mechanism is not a function"
            help_text = f"write {name} with := and put its randomness into a latent variable"
            raise SutureError(Diagnostic("S421", message, help=help_text))


def components(edges: Sequence[tuple[int, ...]], count: int) -> list[int]:
    """For each axis a number of the connected component it lies in, axes of one edge being connected.

    >>> components([(0, 1), (2,), (1, 3)], 4)
    [0, 0, 2, 0]
    """
    root = list(range(count))

    def find(axis: int) -> int:
        while root[axis] != axis:
            root[axis] = root[root[axis]]
            axis = root[axis]
        return axis

    for axes in edges:
        for axis in axes[1:]:
            root[find(axis)] = find(axes[0])
    return [find(axis) for axis in range(count)]
