"""String diagrams as acyclic hypergraphs.

A `Diagram` is a morphism of the free Markov category on some boxes.  Its wires are the vertices of a hypergraph and its
boxes the edges.  Every wire has exactly one producer (a box, or an open input) and any number of consumers: none is a
discard, two or more a copy, so the laws of the copy comonoid hold by construction.  What is left of equality in a
Markov category is that a box all of whose outputs are discarded is itself a discard; `normal_form` applies that until
nothing changes and renumbers, and two diagrams are equal (`same`) exactly when their normal forms coincide.

A causal model is a diagram too: a box and a wire for each variable, latent wires marked, observed wires as outputs.

Sources: Jacobs, Kissinger, Zanasi, "Causal Inference by String Diagram Surgery" (2018), sections 2 to 4; Fritz,
"A synthetic approach to Markov kernels" (2020), definition 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property


class Kind(Enum):
    """What a box stands for: the generator of a model, or what surgery and comb disintegration put in its place."""

    MECHANISM = "mechanism"
    UNIFORM = "uniform"
    POINT = "point"
    TOOTH = "tooth"


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire: `name` tells it from others, `type` is the variable whose values it carries (its object)."""

    name: str
    type: str
    latent: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A box with its wires in order, as positions in the diagram's `wires`; `value` is the label of a point state."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kind: Kind = Kind.MECHANISM
    value: str | None = None


@dataclass(frozen=True)
class Diagram:
    """An acyclic hypergraph from `inputs` to `outputs` (positions in `wires`; an output may repeat, an input may not).

    `boxes` may come in any order.  Raises `ValueError` where a wire has no producer or two, or a cycle exists.
    """

    wires: tuple[Wire, ...] = ()
    boxes: tuple[Box, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        produced = list(self.inputs)
        for box in self.boxes:
            produced.extend(box.outputs)
        if sorted(produced) != list(range(len(self.wires))):
            raise ValueError("every wire needs exactly one producer: a box or an open input")
        used = [wire for box in self.boxes for wire in box.inputs] + list(self.outputs)
        if any(not 0 <= wire < len(self.wires) for wire in used):
            raise ValueError("a box or an output uses a wire that does not exist")
        if len(self.order) != len(self.boxes):
            raise ValueError("the boxes form a cycle")

    @cached_property
    def producer(self) -> Mapping[int, int]:
        """The box that produces each wire; open inputs are absent."""
        return {wire: number for number, box in enumerate(self.boxes) for wire in box.outputs}

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For each wire the boxes that consume it, once for each use."""
        uses: list[list[int]] = [[] for _ in self.wires]
        for number, box in enumerate(self.boxes):
            for wire in box.inputs:
                uses[wire].append(number)
        return tuple(map(tuple, uses))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Positions of the boxes such that each comes after those it depends on, earliest position first.

        Boxes on a cycle are missing from it.
        """
        from heapq import heapify, heappop, heappush

        producer = self.producer
        waiting = [sum(wire in producer for wire in box.inputs) for box in self.boxes]
        ready = [number for number, count in enumerate(waiting) if count == 0]
        heapify(ready)
        order = []
        while ready:
            number = heappop(ready)
            order.append(number)
            for wire in self.boxes[number].outputs:
                for consumer in self.consumers[wire]:
                    waiting[consumer] -= 1
                    if waiting[consumer] == 0:
                        heappush(ready, consumer)
        return tuple(order)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """The position of each wire by its name; of wires with one name, the last."""
        return {wire.name: number for number, wire in enumerate(self.wires)}

    @cached_property
    def views(self) -> dict[type, object]:
        """What other layers work out from the whole diagram, one of a type, kept so that it is worked out once."""
        return {}

    def types(self, wires: Iterable[int]) -> tuple[str, ...]:
        """The objects that the given wires carry."""
        return tuple(self.wires[wire].type for wire in wires)

    @property
    def domain(self) -> tuple[str, ...]:
        """The objects on the open inputs."""
        return self.types(self.inputs)

    @property
    def codomain(self) -> tuple[str, ...]:
        """The objects on the outputs."""
        return self.types(self.outputs)


# ---------------------------------------------------------------------------------------------------------------------
# Building


def model_diagram(
    parents: Mapping[str, Sequence[str]], latent: Collection[str] = (), outputs: Sequence[str] | None = None
) -> Diagram:
    """The diagram of a causal model: one box and one wire a variable, in the order of `parents`.

    >>> d = model_diagram({"X": (), "Y": ("X",)})
    >>> d.codomain, d.boxes[1].inputs
    (('X', 'Y'), (0,))
    """
    position = {name: number for number, name in enumerate(parents)}
    wires = tuple(Wire(name, name, name in latent) for name in parents)
    boxes = tuple(Box(name, tuple(position[parent] for parent in parents[name]), (position[name],)) for name in parents)
    shown = [name for name in parents if name not in latent] if outputs is None else outputs
    return Diagram(wires, boxes, (), tuple(position[name] for name in shown))


def identity(*types: str) -> Diagram:
    """Bare wires of the given objects."""
    every = tuple(range(len(types)))
    return Diagram(tuple(Wire(name, name) for name in types), (), every, every)


def box(name: str, domain: Sequence[str], codomain: Sequence[str], kind: Kind = Kind.MECHANISM) -> Diagram:
    """One box between the given objects."""
    split = len(domain)
    wires = tuple(Wire(name, name) for name in (*domain, *codomain))
    inputs, outputs = tuple(range(split)), tuple(range(split, len(wires)))
    return Diagram(wires, (Box(name, inputs, outputs, kind),), inputs, outputs)


def copy(type: str) -> Diagram:
    """One wire in, the same wire out twice."""
    return Diagram((Wire(type, type),), (), (0,), (0, 0))


def discard(type: str) -> Diagram:
    """One wire in, nothing out."""
    return Diagram((Wire(type, type),), (), (0,), ())


def swap(first: str, second: str) -> Diagram:
    """Two wires in, the same two out in the other order."""
    return Diagram((Wire(first, first), Wire(second, second)), (), (0, 1), (1, 0))


def state(type: str, value: str | None = None) -> Diagram:
    """The point state at `value`, or the uniform state where none is given."""
    kind = Kind.UNIFORM if value is None else Kind.POINT
    return Diagram((Wire(type, type),), (Box(type, (), (0,), kind, value),), (), (0,))


def then(first: Diagram, second: Diagram) -> Diagram:
    """`first` followed by `second`: the outputs of the one are the inputs of the other.

    Raises `ValueError` where the objects differ.
    """
    if first.codomain != second.domain:
        raise ValueError(f"cannot compose: {first.codomain} is not {second.domain}")
    renumber = dict(zip(second.inputs, first.outputs, strict=True))
    fresh = [number for number in range(len(second.wires)) if number not in renumber]
    renumber.update({number: len(first.wires) + place for place, number in enumerate(fresh)})
    return Diagram(
        first.wires + tuple(second.wires[number] for number in fresh),
        first.boxes + tuple(_renumbered(box, renumber) for box in second.boxes),
        first.inputs,
        tuple(renumber[wire] for wire in second.outputs),
    )


def beside(first: Diagram, second: Diagram) -> Diagram:
    """The two diagrams in parallel, `first` on the left."""
    shift = {number: number + len(first.wires) for number in range(len(second.wires))}
    return Diagram(
        first.wires + second.wires,
        first.boxes + tuple(_renumbered(box, shift) for box in second.boxes),
        first.inputs + tuple(shift[wire] for wire in second.inputs),
        first.outputs + tuple(shift[wire] for wire in second.outputs),
    )


def _renumbered(box: Box, renumber: Mapping[int, int]) -> Box:
    inputs = tuple(renumber[wire] for wire in box.inputs)
    return replace(box, inputs=inputs, outputs=tuple(renumber[wire] for wire in box.outputs))


# ---------------------------------------------------------------------------------------------------------------------
# Rewriting


def restrict_outputs(diagram: Diagram, names: Iterable[str]) -> Diagram:
    """The diagram whose outputs are the wires with the given names; all others are discarded."""
    return replace(diagram, outputs=tuple(diagram.position[name] for name in names))


def live_boxes(diagram: Diagram) -> frozenset[int]:
    """Positions of the boxes on which some output depends."""
    seen: set[int] = set()
    stack = [diagram.producer[wire] for wire in diagram.outputs if wire in diagram.producer]
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            stack.extend(diagram.producer[w] for w in diagram.boxes[number].inputs if w in diagram.producer)
    return frozenset(seen)


def prune(diagram: Diagram) -> Diagram:
    """The diagram without its dead boxes (naturality of discard), names and order kept."""
    live = live_boxes(diagram)
    keep_boxes = [box for number, box in enumerate(diagram.boxes) if number in live]
    keep_wires = sorted({*diagram.inputs, *(wire for box in keep_boxes for wire in box.outputs)})
    renumber = {wire: place for place, wire in enumerate(keep_wires)}
    return Diagram(
        tuple(diagram.wires[wire] for wire in keep_wires),
        tuple(_renumbered(box, renumber) for box in keep_boxes),
        tuple(renumber[wire] for wire in diagram.inputs),
        tuple(renumber[wire] for wire in diagram.outputs),
    )


def normal_form(diagram: Diagram) -> Diagram:
    """The representative of the diagram's equality class: no dead box, boxes and wires numbered from the outputs down.

    Wires are renamed after their objects, since a name is not part of the morphism.  Every live box can be reached
    downwards from the outputs, and outputs and box inputs are ordered, so one walk fixes the numbering.
    """
    walk: list[int] = []
    seen: set[int] = set()
    stack = [diagram.producer[wire] for wire in reversed(diagram.outputs) if wire in diagram.producer]
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            walk.append(number)
            below = diagram.boxes[number].inputs
            stack.extend(diagram.producer[wire] for wire in reversed(below) if wire in diagram.producer)
    wires = list(diagram.inputs) + [wire for number in walk for wire in diagram.boxes[number].outputs]
    renumber = {wire: place for place, wire in enumerate(wires)}
    return Diagram(
        tuple(Wire(diagram.wires[wire].type, diagram.wires[wire].type) for wire in wires),
        tuple(_renumbered(diagram.boxes[number], renumber) for number in walk),
        tuple(range(len(diagram.inputs))),
        tuple(renumber[wire] for wire in diagram.outputs),
    )


def same(first: Diagram, second: Diagram) -> bool:
    """Whether the two diagrams are equal in every Markov category."""
    return normal_form(first) == normal_form(second)


def cut(diagram: Diagram, variables: Mapping[str, str | None] | Iterable[str]) -> Diagram:
    """Surgery: each box that produces a wire of one of the variables gives way to a state on that wire.

    `variables` maps names to values (a point state), or to None (the uniform state); a bare collection means uniform.
    A box with further outputs stays for them, and what it produced on the cut wire is discarded (named with a prime).
    Boxes that lose all their consumers stay, dead, until `prune`.  Idempotent; cuts of different variables commute.
    """
    values = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables)
    wires, boxes, states = list(diagram.wires), list[Box](), list[Box]()
    for box in diagram.boxes:
        severed = [wire for wire in box.outputs if wires[wire].name in values]
        new = [_state_box(wires[wire], wire, values[wires[wire].name]) for wire in severed]
        if len(box.outputs) == 1:
            boxes.extend(new or (box,))
            continue
        discarded = {wire: len(wires) + place for place, wire in enumerate(severed)}
        wires.extend(replace(wires[wire], name=wires[wire].name + "'") for wire in severed)
        boxes.append(replace(box, outputs=tuple(discarded.get(wire, wire) for wire in box.outputs)))
        states.extend(new)
    return replace(diagram, wires=tuple(wires), boxes=tuple(boxes + states))


def _state_box(wire: Wire, position: int, value: str | None) -> Box:
    """The uniform or point state on a wire, named after its object as `state` names it."""
    return Box(wire.type, (), (position,), Kind.UNIFORM if value is None else Kind.POINT, value)


def open_wires(diagram: Diagram, names: Sequence[str]) -> Diagram:
    """Surgery that leaves the cut wires open: they become inputs, in the order of `names`, fed from outside."""
    positions = tuple(diagram.position[name] for name in names)
    boxes = tuple(box for box in diagram.boxes if not set(box.outputs) & set(positions))
    return Diagram(diagram.wires, boxes, diagram.inputs + positions, diagram.outputs)


def split_wires(diagram: Diagram, names: Sequence[str]) -> Diagram:
    """A single-world intervention: each named wire is split after its copy.

    The natural value stays an output; every box that read it reads a new open input instead, named with a prime.
    """
    new = {diagram.position[name]: len(diagram.wires) + place for place, name in enumerate(names)}
    added = tuple(replace(diagram.wires[old], name=diagram.wires[old].name + "'") for old in new)
    boxes = tuple(replace(box, inputs=tuple(new.get(wire, wire) for wire in box.inputs)) for box in diagram.boxes)
    return Diagram(diagram.wires + added, boxes, diagram.inputs + tuple(new.values()), diagram.outputs)


def observe(diagram: Diagram, names: Sequence[str]) -> Diagram:
    """A model's diagram when only the named wires are seen: they are the outputs, every other wire becomes latent."""
    seen = {diagram.position[name] for name in names}
    wires = tuple(replace(wire, latent=wire.latent or place not in seen) for place, wire in enumerate(diagram.wires))
    return replace(restrict_outputs(diagram, names), wires=wires)


# ---------------------------------------------------------------------------------------------------------------------
# Connectivity


def components(diagram: Diagram, severed: Callable[[Wire], bool]) -> tuple[frozenset[int], ...]:
    """The boxes grouped by what still hangs together once the wires for which `severed` holds are cut.

    Groups come in the order of their first box.
    """
    leader = list(range(len(diagram.boxes)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    for number, wire in enumerate(diagram.wires):
        if severed(wire):
            continue
        ends = list(diagram.consumers[number])
        if number in diagram.producer:
            ends.append(diagram.producer[number])
        for end in ends[1:]:
            first, second = sorted((find(ends[0]), find(end)))
            leader[second] = first
    groups: dict[int, set[int]] = {}
    for number in range(len(diagram.boxes)):
        groups.setdefault(find(number), set()).add(number)
    return tuple(frozenset(group) for group in groups.values())


def connected(diagram: Diagram, first: Iterable[str], second: Iterable[str], given: Iterable[str] = ()) -> bool:
    """Whether some wire of `first` hangs together with some wire of `second` once the `given` wires are cut.

    All other outputs are discarded first.  For a model's diagram this is d-connection: outputs outside the three sets
    are discarded, dead boxes dropped, the given wires severed (Fritz and Klingler 2022, theorem 34).
    """
    left, right, cut_names = set(first), set(second), set(given)
    kept = prune(restrict_outputs(diagram, [*sorted(left | right | cut_names)]))
    severed = {kept.position[name] for name in cut_names}
    reach = _reachable(kept, [kept.position[name] for name in left - cut_names], severed)
    return any(kept.position[name] in reach for name in right - cut_names)


def _reachable(diagram: Diagram, start: Iterable[int], severed: Collection[int]) -> set[int]:
    """Wires that hang together with the `start` wires when the severed ones join nothing."""
    reach, boxes = set(start), set[int]()
    stack = list(reach)
    while stack:
        wire = stack.pop()
        ends = list(diagram.consumers[wire])
        if wire in diagram.producer:
            ends.append(diagram.producer[wire])
        for number in ends:
            if number in boxes:
                continue
            boxes.add(number)
            for other in (*diagram.boxes[number].inputs, *diagram.boxes[number].outputs):
                if other not in reach and other not in severed:
                    reach.add(other)
                    stack.append(other)
    return reach


def separated(diagram: Diagram, first: Iterable[str], second: Iterable[str], given: Iterable[str] = ()) -> bool:
    """d-separation read off the diagram by connectivity: the opposite of `connected`."""
    return not connected(diagram, first, second, given)


def twin(diagram: Diagram, interventions: Mapping[str, str | None], mark: str = "*") -> Diagram:
    """Two worlds side by side that share their exogenous states (boxes without inputs), the second one cut.

    Wires of the second world carry `mark` after their name; its outputs come after those of the first.
    """
    cut_off = cut(diagram, interventions)
    shared = {wire for box in diagram.boxes if not box.inputs for wire in box.outputs}
    shared -= {number for number, wire in enumerate(diagram.wires) if wire.name in interventions}
    shared |= set(diagram.inputs)
    copied = [box for box in cut_off.boxes if shared.isdisjoint(box.outputs)]
    own = sorted(wire for box in copied for wire in box.outputs)
    renumber = {number: number for number in shared}
    renumber.update({number: len(diagram.wires) + place for place, number in enumerate(own)})
    wires = tuple(replace(cut_off.wires[number], name=cut_off.wires[number].name + mark) for number in own)
    boxes = diagram.boxes + tuple(_renumbered(box, renumber) for box in copied)
    outputs = diagram.outputs + tuple(renumber[wire] for wire in diagram.outputs)
    return Diagram(diagram.wires + wires, boxes, diagram.inputs, outputs)
