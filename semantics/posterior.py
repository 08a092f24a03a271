"""One posterior of a finite model, without the layer of formulas: the fast path of a single query.

The boxes that neither a target nor the evidence depends on are dropped (barren nodes; Shachter 1986), known values are
sliced out of the arrays, what they separate from the targets falls apart from it and is left out, and only then is the
rest planned.  The arrangement of a question is kept with the model, so that the same question at other values costs
slicing and contraction alone.

An intervention at a value cuts the box and slices its wire; one left open keeps the wire as an axis, so that one
contraction gives the whole stochastic matrix from it to the targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from .contraction import execute
from .distribution import position_of
from .factors import NamedTable
from .plan import DEFAULT_BUDGET, Axes, Budget, Plan, check, make_plan
from .semiring import Array
from .stochastic import FiniteModel

MOST_ARRANGEMENTS = 512
Label: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model, values left out: variables by name.

    `given` and `do` are known at a value each, in this order; `free` are interventions at every value.
    """

    targets: tuple[str, ...]
    given: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    free: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """An array of the network, and for each of its axes which known value it is sliced at (None: it stays).

    `places` is None where nothing is sliced.
    """

    array: Array
    places: tuple[int | None, ...] | None

    def at(self, known: Sequence[int]) -> Array:
        """The array at the positions of the known values."""
        if self.places is None:
            return self.array
        return self.array[tuple([slice(None) if place is None else known[place] for place in self.places])]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Pieces that hang together, and the plan that contracts them."""

    pieces: tuple[Piece, ...]
    plan: Plan

    def value(self, known: Sequence[int], budget: Budget) -> Array:
        """Their contraction at the known values, up to a positive factor.  Raises `SutureError` S603."""
        check(self.plan, budget)
        return execute(self.plan, [piece.at(known) for piece in self.pieces])[0]


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """How a question is answered: `main` has the targets and the free interventions as its axes.

    `aside` and `numbers` are the parts of the evidence that say nothing about the targets; they matter only where they
    are impossible, so those that cannot be are left out.
    """

    main: Part
    aside: tuple[Part, ...]
    numbers: tuple[Piece, ...]

    def possible(self, known: Sequence[int], budget: Budget) -> bool:
        """Whether the evidence that says nothing about the targets has a positive probability."""
        return all(float(piece.at(known)) > 0 for piece in self.numbers) and all(
            float(part.value(known, budget)) > 0 for part in self.aside
        )


def posterior(
    model: FiniteModel,
    targets: Sequence[str],
    given: Mapping[str, Label] | None = None,
    do: Mapping[str, Label | None] | None = None,
    budget: Budget = DEFAULT_BUDGET,
) -> NamedTable:
    """P(targets | given, do) over the targets, then over the interventions without a value, in float64.

    Columns whose condition has probability zero are nan.  Raises `SutureError`: S104 for a name and S420 for a label
    that the model does not have, S424 where no column is determined, S603 beyond the budget.

    >>> from ..dsl.diagram import model_diagram
    >>> arrays = {"X": np.array([0.5, 0.5]), "Y": np.array([[0.9, 0.1], [0.2, 0.8]])}
    >>> binary = FiniteModel(model_diagram({"X": (), "Y": ("X",)}), {"X": ("0", "1"), "Y": ("0", "1")}, arrays)
    >>> posterior(binary, ["X"], {"Y": "1"}).values.round(3).tolist()
    [0.111, 0.889]
    >>> posterior(binary, ["Y"], do={"X": None}).values.tolist()
    [[0.9, 0.2], [0.1, 0.8]]
    """
    given, do = given or {}, do or {}
    fixed = {name: label for name, label in do.items() if label is not None}
    question = Question(tuple(targets), tuple(given), tuple(fixed), tuple(name for name in do if name not in fixed))
    found = arrangement(model, question)
    known = positions(model, [*given.items(), *fixed.items()])
    values = found.main.value(known, budget)
    if given:
        values = _normalised(values, len(targets), found.possible(known, budget))
        if bool(np.isnan(values).all()):
            raise _impossible(targets, given)
    names = (*question.targets, *question.free)
    return NamedTable(names, tuple([model.labels[_type(model, name)] for name in names]), values)


def positions(model: FiniteModel, values: Iterable[tuple[str, Label]]) -> list[int]:
    """Where each label lies among those of its variable; raises `SutureError` S420 where it is none of them."""
    return [position_of(label, name, model.labels[_type(model, name)]) for name, label in values]


def _type(model: FiniteModel, name: str) -> str:
    diagram = model.diagram
    return diagram.wires[diagram.position[name]].type


def _normalised(values: Array, targets: int, possible: bool) -> Array:
    """The conditional from the joint: each column over its sum, nan where that is zero."""
    total = values.sum(axis=tuple(range(targets)))
    if not possible:
        return np.full(values.shape, np.nan)
    if total.ndim == 0 and total > 0:
        return values / total
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, values / total, np.nan)


def _impossible(targets: Sequence[str], given: Mapping[str, Label]) -> SutureError:
    event = ", ".join(f"{name}={label}" for name, label in given.items())
    message = f"P({', '.join(targets)} | {event}) is not determined: the condition {event} has probability 0"
    return SutureError(Diagnostic("S424", message, help="ask for values that occur, or give the model more support"))


# ---------------------------------------------------------------------------------------------------------------------
# Arranging


def arrangement(model: FiniteModel, question: Question) -> Arrangement:
    """How a question is answered, kept with the model; raises `SutureError` S104 for an unknown name."""
    kept = model.arrangements
    if question not in kept:
        if len(kept) >= MOST_ARRANGEMENTS:
            kept.clear()
        kept[question] = _Arranging(model, question).arrangement()
    return kept[question]


class _Arranging:
    """The network of a question: which boxes it needs, which wires are known, and the parts it falls into."""

    def __init__(self, model: FiniteModel, question: Question) -> None:
        self.model = model
        self.question = question
        diagram = model.diagram
        if diagram.inputs:
            raise ValueError("a diagram with open inputs has no joint distribution")
        self.known: dict[int, int] = {}
        self.pieces: list[tuple[Piece, Axes]] = []
        self.fresh = len(diagram.wires)
        self.sizes = [len(model.labels[wire.type]) for wire in diagram.wires]
        self.cut = {self.wire(name) for name in (*question.do, *question.free)}
        for place, name in enumerate(question.do, len(question.given)):
            self.known[self.wire(name)] = place
        for place, name in enumerate(question.given):
            self.observe(self.wire(name), place)

    def wire(self, name: str) -> int:
        """The wire of a variable."""
        position = self.model.diagram.position
        if name not in position:
            message = f"unknown variable '{name}'"
            raise SutureError(Diagnostic("S104", message, help=did_you_mean(name, position)))
        return position[name]

    def observe(self, wire: int, place: int) -> None:
        """Evidence slices its wire; on one that an intervention holds it says whether the two agree."""
        if wire in self.known:
            self.pieces.append((Piece(np.eye(self.sizes[wire]), (self.known[wire], place)), ()))
        elif wire in self.cut:
            self.pieces.append((Piece(np.eye(self.sizes[wire]), (None, place)), (wire,)))
        else:
            self.known[wire] = place

    def arrangement(self) -> Arrangement:
        """The parts of the network and their plans."""
        given = [self.wire(name) for name in self.question.given]
        targets = [self.wire(name) for name in self.question.targets]
        for number in self.needed([*given, *targets]):
            self.add(number)
        outcome = tuple([self.axis(wire, targets[:place]) for place, wire in enumerate(targets)])
        free = tuple([self.wire(name) for name in self.question.free])
        present = {axis for _, axes in self.pieces for axis in axes}
        for axis in dict.fromkeys((*outcome, *free)):
            if axis not in present:
                self.pieces.append((Piece(np.ones(self.sizes[axis]), None), (axis,)))
        return self.parted((*outcome, *free))

    def needed(self, wires: Sequence[int]) -> list[int]:
        """The boxes that some of the wires depend on once those intervened on are cut."""
        diagram, found, stack = self.model.diagram, set[int](), list(wires)
        producer = diagram.producer
        while stack:
            wire = stack.pop()
            if wire not in self.cut and producer[wire] not in found:
                found.add(producer[wire])
                stack.extend(diagram.boxes[producer[wire]].inputs)
        return sorted(found)

    def add(self, number: int) -> None:
        """The piece of one box; an output that is cut off is summed out."""
        diagram, box = self.model.diagram, self.model.diagram.boxes[number]
        array = self.model.array(box, diagram.wires[box.outputs[0]].type)
        outputs = [self.new(wire) if wire in self.cut else wire for wire in box.outputs]
        wires = (*box.inputs, *outputs)
        known = self.known
        places = tuple([known.get(wire) for wire in wires])
        axes = tuple([wire for wire in wires if wire not in known])
        self.pieces.append((Piece(array, None if len(axes) == len(wires) else places), axes))

    def new(self, wire: int) -> int:
        """A fresh axis as long as a wire's."""
        self.sizes.append(self.sizes[wire])
        return len(self.sizes) - 1

    def axis(self, wire: int, before: Sequence[int]) -> int:
        """The axis of a target: its wire, or one tied to it where the wire is known, free or asked for twice."""
        if wire in self.known:
            fresh = self.new(wire)
            self.pieces.append((Piece(np.eye(self.sizes[wire]), (self.known[wire], None)), (fresh,)))
        elif wire in self.cut or wire in before:
            fresh = self.new(wire)
            self.pieces.append((Piece(np.eye(self.sizes[wire]), None), (wire, fresh)))
        else:
            return wire
        return fresh

    def parted(self, open_axes: Axes) -> Arrangement:
        """The pieces that hang together with an open axis, and the others in the parts they form."""
        group = _components([axes for _, axes in self.pieces], len(self.sizes))
        wanted = {group[axis] for axis in open_axes}
        main = [(piece, axes) for piece, axes in self.pieces if axes and group[axes[0]] in wanted]
        others: dict[int, list[tuple[Piece, Axes]]] = {}
        for piece, axes in self.pieces:
            if axes and group[axes[0]] not in wanted:
                others.setdefault(group[axes[0]], []).append((piece, axes))
        aside = [found for found in others.values() if any(not bool((piece.array > 0).all()) for piece, _ in found)]
        numbers = [piece for piece, axes in self.pieces if not axes and not bool((piece.array > 0).all())]
        return Arrangement(self.part(main, open_axes), tuple([self.part(found, ()) for found in aside]), tuple(numbers))

    def part(self, found: Sequence[tuple[Piece, Axes]], open_axes: Axes) -> Part:
        """Pieces with their plan, axes numbered as they first occur, so that equal shapes are planned once."""
        if not found:
            found = [(Piece(np.ones(()), None), ())]
        number: dict[int, int] = {}
        for _, axes in found:
            for axis in axes:
                number.setdefault(axis, len(number))
        operands = tuple([tuple([number[axis] for axis in axes]) for _, axes in found])
        sizes = tuple([self.sizes[axis] for axis in number])
        plan = make_plan(operands, sizes, tuple([number[axis] for axis in open_axes]))
        return Part(tuple([piece for piece, _ in found]), plan)


def _components(edges: Sequence[Axes], count: int) -> list[int]:
    """For each axis the number of the connected component it lies in, axes of one edge being connected."""
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
