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
from typing import NamedTuple, TypeAlias

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from ..budget import Budget
from ..distribution import position_of
from ..factors import NamedTable
from ..semiring import Array
from ..stochastic import FiniteModel
from .contraction import execute, guarded
from .plan import Axes, Plan, check, make_plan

MOST_ARRANGEMENTS = 512
WHOLE_USES = 4
"""Contractions that the plan of a whole network is made for: forward, back, and those of other evidence."""
SAFE = 1e-250
"""Sums of a network of probabilities above this have lost nothing to underflow.

Every variable is summed together with its own mechanism, so the contraction of all that is not in an intermediate
result is at most one, and an entry that underflows would have added less than 1e-307 to the sum.
"""
Label: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model, values left out: variables by name.

    `given` and `do` are known at a value each, in this order; `free` are interventions at every value.  With `whole`
    the question is about every variable, and no part of the network is left out.
    """

    targets: tuple[str, ...]
    given: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    whole: bool = False


class Piece(NamedTuple):
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
    """Pieces that hang together, the plan that contracts them, and the wire that each axis of the plan stands for."""

    pieces: tuple[Piece, ...]
    plan: Plan
    axes: Axes

    def arrays(self, known: Sequence[int]) -> list[Array]:
        """The pieces at the known values."""
        return [piece.at(known) for piece in self.pieces]

    def value(self, known: Sequence[int], budget: Budget | None, summed: int = 0) -> Array:
        """Their contraction at the known values, up to a positive factor; `summed` leading axes are outcomes.

        Raises `SutureError` S603.
        """
        check(self.plan, budget)
        arrays = self.arrays(known)
        values = execute(self.plan, arrays, scaled=False)[0]
        if float(values.sum(axis=tuple(range(summed))).min()) > SAFE:
            return values
        return guarded(self.plan, arrays)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """How a question is answered: `main` has the targets and the free interventions as its axes.

    `aside` and `numbers` are the parts of the evidence that say nothing about the targets; they matter only where they
    are impossible, so those that cannot be are left out.
    """

    main: Part
    aside: tuple[Part, ...]
    numbers: tuple[Piece, ...]

    @property
    def every(self) -> tuple[Part, ...]:
        """All the parts."""
        return (self.main, *self.aside)

    def possible(self, known: Sequence[int], budget: Budget | None) -> bool:
        """Whether the evidence that says nothing about the targets has a positive probability."""
        return all(float(piece.at(known)) > 0 for piece in self.numbers) and all(
            float(part.value(known, budget)) > 0 for part in self.aside
        )


def posterior(
    model: FiniteModel,
    targets: Sequence[str],
    given: Mapping[str, Label] | None = None,
    do: Mapping[str, Label | None] | None = None,
    budget: Budget | None = None,
) -> NamedTable:
    """P(targets | given, do) over the targets, then over the interventions without a value, in float64.

    Columns whose condition has probability zero are nan.  Raises `SutureError`: S104 for a name and S420 for a label
    that the model does not have, S424 where no column is determined, S603 beyond the budget.

    >>> from ...dsl.diagram import model_diagram
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
    values = found.main.value(known, budget, len(targets))
    if given:
        values = _normalised(values, len(targets), found.possible(known, budget))
        if bool(np.isnan(values).all()):
            raise impossible(f"P({', '.join(targets)} | {shown(given)})", given)
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


def shown(given: Mapping[str, Label]) -> str:
    """Evidence as text."""
    return ", ".join(f"{name}={label}" for name, label in given.items())


def impossible(what: str, given: Mapping[str, Label]) -> SutureError:
    """S424: the evidence has probability zero."""
    message = f"{what} is not determined: the condition {shown(given)} has probability 0"
    return SutureError(Diagnostic("S424", message, help="ask for values that occur, or give the model more support"))


# ---------------------------------------------------------------------------------------------------------------------
# Arranging


def arrangement(model: FiniteModel, question: Question) -> Arrangement:
    """How a question is answered, kept with the model; raises `SutureError` S104 for an unknown name."""
    found = model.kept.get(question)
    if found is None:
        if len(model.kept) >= MOST_ARRANGEMENTS:
            model.kept.clear()
        found = model.kept[question] = _Arranging(model, question).arrangement()
    return found


class Skeleton:
    """What every question reads of a model: lengths and producers of wires, wires and arrays of boxes."""

    def __init__(self, model: FiniteModel) -> None:
        diagram = model.diagram
        if diagram.inputs:
            raise ValueError("a diagram with open inputs has no joint distribution")
        self.model = model
        self.lengths = [len(model.labels[wire.type]) for wire in diagram.wires]
        self.producer = [diagram.producer[wire] for wire in range(len(diagram.wires))]
        self.inputs = [box.inputs for box in diagram.boxes]
        self.outputs = [box.outputs for box in diagram.boxes]
        self._arrays: dict[int, tuple[Array, bool]] = {}

    def array(self, number: int) -> tuple[Array, bool]:
        """The array of a box, and whether all its entries are above zero."""
        if number not in self._arrays:
            diagram = self.model.diagram
            array = self.model.array(diagram.boxes[number], diagram.wires[self.outputs[number][0]].type)
            self._arrays[number] = array, bool((array > 0).all())
        return self._arrays[number]


class _Arranging:
    """The network of a question: which boxes it needs, which wires are known, and the parts it falls into.

    `pieces` come with their axes, which are wires or numbers beyond them, and with whether they may be zero.
    """

    def __init__(self, model: FiniteModel, question: Question) -> None:
        self.model = model
        self.whole = question.whole
        if Skeleton not in model.kept:
            model.kept[Skeleton] = Skeleton(model)
        self.skeleton: Skeleton = model.kept[Skeleton]
        self.fresh: list[int] = []
        self.pieces: list[tuple[Piece, Axes, bool]] = []
        self.given, self.do, self.free, self.targets = (
            [self.wire(name) for name in names]
            for names in (question.given, question.do, question.free, question.targets)
        )
        self.cut = {*self.do, *self.free}
        self.known = {wire: place for place, wire in enumerate(self.do, len(self.given))}
        for place, wire in enumerate(self.given):
            self.observe(wire, place)

    def wire(self, name: str) -> int:
        """The wire of a variable."""
        position = self.model.diagram.position
        if name not in position:
            message = f"unknown variable '{name}'"
            raise SutureError(Diagnostic("S104", message, help=did_you_mean(name, position)))
        return position[name]

    def length(self, axis: int) -> int:
        """The length of a wire or of a fresh axis."""
        lengths = self.skeleton.lengths
        return lengths[axis] if axis < len(lengths) else self.fresh[axis - len(lengths)]

    def new(self, wire: int) -> int:
        """A fresh axis as long as a wire's."""
        self.fresh.append(self.skeleton.lengths[wire])
        return len(self.skeleton.lengths) + len(self.fresh) - 1

    def tie(self, wire: int, places: tuple[int | None, ...] | None, axes: Axes) -> None:
        """A piece that is one where two values of a wire agree."""
        self.pieces.append((Piece(np.eye(self.skeleton.lengths[wire]), places), axes, True))

    def observe(self, wire: int, place: int) -> None:
        """Evidence slices its wire; on one that an intervention holds it says whether the two agree."""
        if wire in self.known:
            self.tie(wire, (self.known[wire], place), ())
        elif wire in self.cut:
            self.tie(wire, (None, place), (wire,))
        else:
            self.known[wire] = place

    def arrangement(self) -> Arrangement:
        """The parts of the network and their plans."""
        for number in self.needed():
            self.add(number)
        outcome = tuple([self.axis(wire, place) for place, wire in enumerate(self.targets)])
        present = {axis for _, axes, _ in self.pieces for axis in axes}
        for axis in dict.fromkeys((*outcome, *self.free)):
            if axis not in present:
                self.pieces.append((Piece(np.ones(self.length(axis)), None), (axis,), False))
        return self.parted((*outcome, *self.free))

    def needed(self) -> list[int]:
        """The boxes that targets and evidence depend on once the wires intervened on are cut."""
        producer, inputs, cut = self.skeleton.producer, self.skeleton.inputs, self.cut
        found, stack = set[int](), [*self.given, *self.targets]
        if self.whole:
            stack = list(range(len(producer)))
        while stack:
            wire = stack.pop()
            if wire not in cut:
                number = producer[wire]
                if number not in found:
                    found.add(number)
                    stack.extend(inputs[number])
        return sorted(found)

    def add(self, number: int) -> None:
        """The piece of one box; an output that is cut off is summed out."""
        known, wires = self.known, self.skeleton.inputs[number] + self.skeleton.outputs[number]
        if not self.cut.isdisjoint(self.skeleton.outputs[number]):
            outputs = [self.new(wire) if wire in self.cut else wire for wire in self.skeleton.outputs[number]]
            wires = (*self.skeleton.inputs[number], *outputs)
        array, positive = self.skeleton.array(number)
        if known.keys().isdisjoint(wires):
            self.pieces.append((Piece(array, None), wires, not positive))
        else:
            places = tuple([known.get(wire) for wire in wires])
            axes = tuple([wire for wire in wires if wire not in known])
            self.pieces.append((Piece(array, places), axes, not positive))

    def axis(self, wire: int, place: int) -> int:
        """The axis of a target: its wire, or one tied to it where the wire is known, free or asked for before."""
        if wire in self.known:
            fresh = self.new(wire)
            self.tie(wire, (self.known[wire], None), (fresh,))
        elif wire in self.cut or wire in self.targets[:place]:
            fresh = self.new(wire)
            self.tie(wire, None, (wire, fresh))
        else:
            return wire
        return fresh

    def parted(self, open_axes: Axes) -> Arrangement:
        """The pieces that hang together with an open axis, and the parts of the others that may be zero."""
        users: dict[int, list[int]] = {}
        for number, (_, axes, _) in enumerate(self.pieces):
            for axis in axes:
                users.setdefault(axis, []).append(number)
        seen = [False] * len(self.pieces)
        main = self._reached(open_axes, users, seen)
        aside: list[Part] = []
        for axis in users:
            found = self._reached((axis,), users, seen)
            if found and (self.whole or any(self.pieces[number][2] for number in found)):
                aside.append(self.part(found, ()))
        numbers = [piece for piece, axes, zero in self.pieces if (zero or self.whole) and not axes]
        return Arrangement(self.part(main, open_axes), tuple(aside), tuple(numbers))

    def _reached(self, axes: Axes, users: Mapping[int, list[int]], seen: list[bool]) -> list[int]:
        """The pieces not seen yet that hang together with the axes, in order; they are seen now."""
        found: list[int] = []
        stack = list(axes)
        done = set(stack)
        while stack:
            for number in users[stack.pop()]:
                if not seen[number]:
                    seen[number] = True
                    found.append(number)
                    for axis in self.pieces[number][1]:
                        if axis not in done:
                            done.add(axis)
                            stack.append(axis)
        return sorted(found)

    def part(self, numbers: Sequence[int], open_axes: Axes) -> Part:
        """Some pieces with their plan, axes numbered as they first occur, so that equal shapes are planned once."""
        found = [self.pieces[number] for number in numbers] or [(Piece(np.ones(()), None), (), False)]
        place: dict[int, int] = {}
        for _, axes, _ in found:
            for axis in axes:
                if axis not in place:
                    place[axis] = len(place)
        operands = tuple([tuple([place[axis] for axis in axes]) for _, axes, _ in found])
        sizes = tuple([self.length(axis) for axis in place])
        plan = make_plan(operands, sizes, tuple([place[axis] for axis in open_axes]), WHOLE_USES if self.whole else 1)
        return Part(tuple([piece for piece, _, _ in found]), plan, tuple(place))
