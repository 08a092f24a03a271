"""The string diagram after surgery with its c-components drawn as combs: what is known of it from the observed state
alone.

Each c-component becomes teeth joined by a memory wire, which carries whatever the latent wires carried.  The component
that holds the variable which is cut keeps its tooth for it, and that output is discarded, since the wire is fed from
outside.

Source: Jacobs, Kissinger, Zanasi (2018), section 5, the diagrams before equation (7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..dsl.diagram import Box, Diagram, Kind, Wire, prune
from .combs import runs
from .graph import CausalGraph


def comb_diagram(diagram: Diagram, variable: str, value: str | None) -> Diagram | None:
    """The diagram after the cut of `variable` as combs; None where one comb of the observed state does not suffice."""
    graph = CausalGraph.of(diagram)
    if variable not in graph.index:
        return None
    position = graph.index[variable]
    if graph.district(position, graph.everything) & graph.children[position]:
        return None
    builder = _Builder(graph, variable)
    for number, district in enumerate(_first_the_cut(graph, position)):
        builder.comb("fghklmpqrstuvwz"[number % 15], district)
    kind = Kind.UNIFORM if value is None else Kind.POINT
    builder.boxes.append(Box(variable, (), (builder.wire[variable],), kind, value))
    shown = [diagram.wires[wire].name for wire in diagram.outputs if diagram.wires[wire].name in graph.index]
    return prune(Diagram(tuple(builder.wires), tuple(builder.boxes), (), tuple(builder.wire[name] for name in shown)))


def teeth_diagram(diagram: Diagram, teeth: Sequence[Sequence[str]]) -> Diagram:
    """One comb by itself: its teeth from the bottom up, joined by memory; what they read of others comes from outside.

    `teeth` are groups of observed variables in topological order.
    """
    graph = CausalGraph.of(diagram)
    members = graph.mask([name for tooth in teeth for name in tooth])
    builder = _Builder(graph, "")
    builder.teeth("f", [graph.mask(tooth) for tooth in teeth], members)
    outside = [name for name in graph.names if graph.mask([name]) & ~members]
    read = {wire for box in builder.boxes for wire in box.inputs}
    inputs = tuple(builder.wire[name] for name in outside if builder.wire[name] in read)
    outputs = tuple(builder.wire[name] for name in graph.members(members))
    kept = {*inputs, *(wire for box in builder.boxes for wire in (*box.inputs, *box.outputs))}
    number = {wire: place for place, wire in enumerate(sorted(kept))}
    boxes = tuple(
        replace(
            box, inputs=tuple(map(number.__getitem__, box.inputs)), outputs=tuple(map(number.__getitem__, box.outputs))
        )
        for box in builder.boxes
    )
    wires = tuple(builder.wires[wire] for wire in sorted(kept))
    return Diagram(wires, boxes, tuple(number[wire] for wire in inputs), tuple(number[wire] for wire in outputs))


def _first_the_cut(graph: CausalGraph, position: int) -> Iterator[int]:
    """The districts, the one with the cut variable first."""
    own = graph.district(position, graph.everything)
    yield own
    yield from (district for district in graph.districts(graph.everything) if district != own)


@dataclass
class _Builder:
    """Wires and boxes collected so far; every observed variable has its wire from the start."""

    graph: CausalGraph
    cut: str
    wires: list[Wire] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    wire: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.graph.names:
            self.wire[name] = self.add(Wire(name, name))

    def add(self, wire: Wire) -> int:
        """The position of a new wire."""
        self.wires.append(wire)
        return len(self.wires) - 1

    def comb(self, letter: str, district: int) -> None:
        """The teeth of one district, joined by memory."""
        self.teeth(letter, runs(district, self.graph.everything), district)

    def teeth(self, letter: str, teeth: Sequence[int], district: int) -> None:
        """The given teeth of a district, joined by memory."""
        memory: tuple[int, ...] = ()
        for number, tooth in enumerate(teeth, 1):
            read = self.graph.members(self.graph.parents_of(tooth) & ~district)
            outputs = tuple(self.output(name) for name in self.graph.members(tooth))
            last = number == len(teeth)
            onward = () if last else (self.memory(),)
            name = letter if len(teeth) == 1 else f"{letter}{number}"
            inputs = (*(self.wire[parent] for parent in read), *memory)
            self.boxes.append(Box(name, inputs, (*outputs, *onward), Kind.TOOTH))
            memory = onward

    def memory(self) -> int:
        """A new memory wire between two teeth."""
        count = sum(wire.type == "M" for wire in self.wires)
        return self.add(Wire(f"M{count + 1}" if count else "M", "M", latent=True))

    def output(self, name: str) -> int:
        """The wire a tooth puts a variable out on: its own, or one that is discarded where the variable is cut."""
        return self.add(Wire(f"{name}'", name)) if name == self.cut else self.wire[name]
