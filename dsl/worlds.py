"""Parallel worlds: one diagram in which the same units live under several interventions at once.

A counterfactual term `Y[X = 1, M = M[X = 0]]` asks for the wire of Y in a copy of the model whose X is a point state
and whose M is fed from another copy.  All copies share what does not differ between them: a box is built once for each
tuple of wires that feeds it, so exogenous states are shared, and so is every box that no intervention reaches (a box
copied twice with the same inputs is one box followed by a copy, which needs no assumption on a unit's own noise, since
it is the same unit).  Terms with `do` are the same thing with one world.  Where a world takes a mechanism from another
domain, its box is named `Lab ~ rural`.

Source: Jacobs, Kissinger, Zanasi (2018), section 7; Shpitser and Pearl, "What counterfactuals can be tested" (2007),
section 4 (the counterfactual graph and the merging of its nodes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from .diagram import Box, Diagram, Kind, Wire, live_boxes
from .formula import Term

World: TypeAlias = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Worlds:
    """The diagram of all worlds, the wire that carries each term asked for, and the open interventions.

    The diagram's inputs are the wires of `free`: interventions at a symbol or at no value, in that order.
    """

    diagram: Diagram
    wires: tuple[int, ...]
    free: tuple[Term, ...]

    def copies(self) -> dict[str, tuple[str, ...]]:
        """For each wire of the model that occurs several times, the names of the mechanisms that produce it."""
        found: dict[str, list[str]] = {}
        live = live_boxes(self.diagram)
        for number, box in enumerate(self.diagram.boxes):
            if box.kind is Kind.MECHANISM and number in live:
                for wire in box.outputs:
                    found.setdefault(self.diagram.wires[wire].type, []).append(box.name)
        return {name: tuple(boxes) for name, boxes in found.items() if len(boxes) > 1}


def parallel_worlds(diagram: Diagram, terms: Sequence[Term]) -> Worlds:
    """The diagram of the worlds of `terms` over a model's diagram, its outputs the terms in order.

    >>> from .diagram import model_diagram
    >>> model = model_diagram({"U": (), "X": ("U",), "Y": ("X", "U")})
    >>> both = parallel_worlds(model, [Term("Y"), Term("Y", world=(Term("X", "1"),))])
    >>> [wire.name for wire in both.diagram.wires], both.copies()
    (['U', 'X', 'Y', "X'", "Y'"], {'Y': ('Y', 'Y')})
    """
    builder = _Builder(diagram)
    wires = tuple(builder.wire(term) for term in terms)
    inputs = tuple(builder.free)
    made = Diagram(tuple(builder.wires), tuple(builder.boxes), inputs, wires)
    return Worlds(made, wires, tuple(builder.free.values()))


def swapped_name(variable: str, domain: str) -> str:
    """The name of a mechanism's box where it comes from another domain.

    >>> swapped_name("Lab", "rural")
    'Lab ~ rural'
    """
    return f"{variable} ~ {domain}"


def in_world(term: Term, do: Iterable[Term]) -> Term:
    """The term inside the world of `do`: its own interventions come first, and nested worlds lie in that world too."""
    own = tuple(in_world(part, do) if part.world else part for part in term.world)
    fixed = {part.variable for part in own}
    return replace(term, world=own + tuple(part for part in do if part.variable not in fixed))


@dataclass
class _Builder:
    """The worlds under construction; every box is kept under its name and the wires that feed it."""

    model: Diagram
    wires: list[Wire] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    free: dict[int, Term] = field(default_factory=dict)
    made: dict[tuple[object, ...], tuple[int, ...]] = field(default_factory=dict)
    known: dict[World, dict[int, int]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def wire(self, term: Term) -> int:
        """The wire that carries the term in its world."""
        interventions = {part.variable: self.intervention(part) for part in term.world if part.swap is None}
        swaps = {part.variable: part.swap for part in term.world if part.swap is not None}
        world = (tuple(sorted(interventions.items())), tuple(sorted(swaps.items())))
        start = {self.model.position[name]: wire for name, wire in interventions.items()}
        known = self.known.setdefault(world, start)
        return self.instance(self.model.position[term.variable], known, swaps)

    def intervention(self, term: Term) -> int:
        """The wire that an intervention feeds in: another world's, a point state, or an open input."""
        if term.world:
            return self.wire(replace(term, value=None))
        key = ("intervention", term.variable, term.value)
        if key not in self.made:
            wire = self.new_wire(self.model.wires[self.model.position[term.variable]])
            if isinstance(term.value, str):
                self.boxes.append(Box(term.variable, (), (wire,), Kind.POINT, term.value))
            else:
                self.free[wire] = term
            self.made[key] = (wire,)
        return self.made[key][0]

    def instance(self, target: int, known: dict[int, int], swaps: dict[str, str]) -> int:
        """The copy of a model's wire in the world that `known` describes; fills in its ancestors on the way."""
        stack = [target]
        while stack:
            wire = stack[-1]
            if wire in known:
                stack.pop()
                continue
            if wire not in self.model.producer:
                raise ValueError(f"the model's wire {self.model.wires[wire].name!r} is an open input")
            box = self.model.boxes[self.model.producer[wire]]
            missing = [below for below in box.inputs if below not in known]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if box.name in swaps:
                box = replace(box, name=swapped_name(box.name, swaps[box.name]))
            copies = self.copy(box, tuple(known[below] for below in box.inputs))
            for natural, copied in zip(box.outputs, copies, strict=True):
                known.setdefault(natural, copied)
        return known[target]

    def copy(self, box: Box, inputs: tuple[int, ...]) -> tuple[int, ...]:
        """The outputs of the box over these inputs, built where they are not there yet."""
        key = ("box", box.name, box.outputs, inputs)
        if key not in self.made:
            outputs = tuple(self.new_wire(self.model.wires[wire]) for wire in box.outputs)
            self.boxes.append(replace(box, inputs=inputs, outputs=outputs))
            self.made[key] = outputs
        return self.made[key]

    def new_wire(self, like: Wire) -> int:
        """A wire of the same object, primed as often as it takes to have a name of its own."""
        name = like.name
        while name in self.used:
            name += "'"
        self.used.add(name)
        self.wires.append(replace(like, name=name))
        return len(self.wires) - 1
