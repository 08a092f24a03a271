"""All marginals of a finite model at once, and its most probable case, given evidence and interventions.

The known values are sliced out, the network falls into the parts that hang together, and each is contracted once
forward and once back (`backward`), which costs about as much as two or three posteriors, however many variables there
are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..budget import Budget
from ..factors import NamedTable
from ..semiring import LOGARITHM, MAXIMUM, PROBABILITY, TROPICAL, Array, Semiring
from ..stochastic import FiniteModel
from .backward import Trace, forward, marginals, most_probable
from .contraction import Watch, exponentials
from .plan import Plan, check
from .posterior import (
    SAFE,
    Arrangement,
    Label,
    Part,
    Question,
    arrangement,
    impossible,
    positions,
    shown,
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The most probable case: a label of every variable, and the logarithm of its joint probability."""

    labels: Mapping[str, Label]
    log_probability: float


def all_marginals(
    model: FiniteModel,
    given: Mapping[str, Label] | None = None,
    do: Mapping[str, Label] | None = None,
    budget: Budget | None = None,
) -> dict[str, NamedTable]:
    """P(v | given, do) for every variable v, in the order of the model's diagram; known ones are certain.

    Raises `SutureError`: S104 for a name and S420 for a label that the model does not have, S424 where the evidence
    has probability zero, S603 beyond the budget.

    >>> from ...dsl.diagram import model_diagram
    >>> arrays = {"X": np.array([0.5, 0.5]), "Y": np.array([[0.9, 0.1], [0.2, 0.8]])}
    >>> binary = FiniteModel(model_diagram({"X": (), "Y": ("X",)}), {"X": ("0", "1"), "Y": ("0", "1")}, arrays)
    >>> {name: table.values.round(3).tolist() for name, table in all_marginals(binary, {"Y": "1"}).items()}
    {'X': [0.111, 0.889], 'Y': [0.0, 1.0]}
    """
    found, passes, known = _passes(model, given or {}, do or {}, budget, PROBABILITY, LOGARITHM)
    made: dict[int, np.ndarray] = {wire: _certain(model, wire, place) for wire, place in known.items()}
    for part, each in zip(found.every, passes, strict=True):
        for axis, values in each.marginals().items():
            made[part.axes[axis]] = values / values.sum()
    wires = model.diagram.wires
    order = sorted(made)
    return {
        wires[wire].name: NamedTable((wires[wire].name,), (model.labels[wires[wire].type],), made[wire])
        for wire in order
        if wire < len(wires)
    }


def explanation(
    model: FiniteModel,
    given: Mapping[str, Label] | None = None,
    do: Mapping[str, Label] | None = None,
    budget: Budget | None = None,
) -> Explanation:
    """The most probable labels of all variables together, given evidence and interventions (max-product).

    Of several equally probable cases one is taken, always the same.  Raises `SutureError` as `all_marginals` does.
    """
    found, passes, known = _passes(model, given or {}, do or {}, budget, MAXIMUM, TROPICAL)
    at = positions(model, [*(given or {}).items(), *(do or {}).items()])
    places, logarithm = dict(known), sum(math.log(float(piece.at(at))) for piece in found.numbers)
    for part, each in zip(found.every, passes, strict=True):
        logarithm += each.logarithm
        places |= {part.axes[axis]: place for axis, place in most_probable(each.trace, each.semiring).items()}
    wires, labels = model.diagram.wires, model.labels
    named = {wires[wire].name: labels[wires[wire].type][places[wire]] for wire in sorted(places) if wire < len(wires)}
    return Explanation(named, logarithm)


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A part of a network contracted forward, in probabilities where float64 has room for them, else in logarithms."""

    trace: Trace
    semiring: Semiring
    arrays: Sequence[Array]

    @property
    def logarithm(self) -> float:
        """The logarithm of the value."""
        value = float(self.trace.operands[-1])
        if self.semiring in (LOGARITHM, TROPICAL):
            return value
        return (math.log(value) if value > 0 else -math.inf) + int(self.trace.exponent) * math.log(2)

    def marginals(self) -> Mapping[int, Array]:
        """The marginal of every axis, up to a positive factor."""
        if self.semiring is LOGARITHM:
            return {axis: exponentials(values)[0] for axis, values in marginals(self.trace, LOGARITHM).items()}
        watch = Watch()
        found = marginals(self.trace, self.semiring, watch=watch)
        return found if watch.sound else _in_logarithms(self.trace.plan, self.arrays, LOGARITHM).marginals()


def _passes(
    model: FiniteModel,
    given: Mapping[str, Label],
    do: Mapping[str, Label],
    budget: Budget | None,
    semiring: Semiring,
    logarithms: Semiring,
) -> tuple[Arrangement, list[Pass], dict[int, int]]:
    """The parts of the whole network, each contracted forward, and the positions of the known wires."""
    question = Question((), tuple(given), tuple(do), whole=True)
    found = arrangement(model, question)
    places = positions(model, [*given.items(), *do.items()])
    for part in found.every:
        check(part.plan, budget, traced=True)
    passes = [_pass(part, places, semiring, logarithms) for part in found.every]
    certain = all(float(piece.at(places)) > 0 for piece in found.numbers)
    if not certain or any(each.logarithm == -math.inf for each in passes):
        raise impossible(f"P(v | {shown(given)}), for every v,", given)
    position = model.diagram.position
    return found, passes, dict(zip([position[name] for name in question.given + question.do], places, strict=True))


def _pass(part: Part, places: list[int], semiring: Semiring, logarithms: Semiring) -> Pass:
    """The pass forward; scaled, which takes longer, only where it has to be, and in logarithms only where scales do
    not do.
    """
    arrays = part.arrays(places)
    trace = forward(part.plan, arrays, semiring, scaled=False)
    if float(trace.operands[-1]) <= SAFE:
        watch = Watch()
        for array in arrays:
            watch(array)
        trace = forward(part.plan, arrays, semiring, watch=watch)
        if not watch.sound:
            return _in_logarithms(part.plan, arrays, logarithms)
    return Pass(trace, semiring, arrays)


def _in_logarithms(plan: Plan, arrays: Sequence[Array], semiring: Semiring) -> Pass:
    return Pass(forward(plan, [semiring.of(array) for array in arrays], semiring), semiring, arrays)


def _certain(model: FiniteModel, wire: int, place: int) -> np.ndarray:
    values = np.zeros(len(model.labels[model.diagram.wires[wire].type]))
    values[place] = 1.0
    return values
