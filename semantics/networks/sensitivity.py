"""How an answer depends on the entries of the mechanisms: derivatives, and tornado tables.

The probability of an event given evidence is N / D, and both N and D are linear in the entries of each row of a
mechanism that occurs once in the network (Castillo, Gutierrez and Hadi 1997; Coupe and van der Gaag 2002, "Properties
of sensitivity analysis of Bayesian belief networks"). A row sums to one, so an entry does not change alone: under
proportional covariation the others of its row keep their proportions (they share equally where the entry is one).
Then N(t) = N + (t - entry) N', the same for D, and the answer is a ratio of two linear functions of the entry: it is
monotone where D is above zero, so its range over an interval is found at the ends, exactly (as a limit where the
evidence becomes impossible there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.formula import Term
from ...dsl.formula_text import term_text
from ..factors import Array, NamedTable
from .compiled import Purpose
from .inference import Do, FiniteEngine, Given, Parameters
from .patterns import Source
from .preparing import Known, known_of, pattern_of, term_of

VANISHING = 1e-12


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """The probability of an event, and its derivatives by every entry of every mechanism that it depends on.

    The tables have the batch axes, then those of the mechanism (parents.., own values).  `proportional` lets the other
    entries of a row keep their proportions, `plain` keeps them as they are (the event's probability being divided by
    that of all that could happen instead, which then sums to more or less than one).
    """

    value: NamedTable
    plain: Mapping[str, NamedTable]
    proportional: Mapping[str, NamedTable]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a tornado: an entry P(variable = label | case) of a mechanism, and the answer as it varies.

    `low` and `high` are the answers at the ends of the interval of the entry, `entry_low` and `entry_high`.
    """

    mechanism: str
    case: Mapping[str, str]
    label: str
    entry: float
    entry_low: float
    entry_high: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far the answer moves."""
        return abs(self.high - self.low)


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """A probability and its derivatives by the mechanisms' entries, times two to the power of `exponent`."""

    value: Array
    slopes: Mapping[str, Array]
    exponent: Array


def sensitivity(
    engine: FiniteEngine, event: Mapping[str, Any], given: Given = None, do: Do = None, parameters: Parameters = None
) -> Sensitivity:
    """The derivatives of P(event | given, do(do)); the arguments are those of `FiniteEngine.posterior`.

    Raises `SutureError` S488 for an event without values or one that the evidence fixes already.
    """
    known, opened, above, below = _ratio(engine, event, given, do, parameters)
    shift = np.exp2(above.exponent - below.exponent)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = above.value / below.value * shift
    plain: dict[str, Array] = {}
    for name, slope in above.slopes.items():
        inner = slope.ndim - value.ndim
        with np.errstate(invalid="ignore", divide="ignore"):
            change = slope * _wide(shift, inner) - _wide(value, inner) * below.slopes[name]
            plain[name] = change / _wide(below.value, inner)
    entries = {name: engine.entries(known, name) for name in plain}
    proportional = {name: covaried(slope, entries[name]) for name, slope in plain.items()}
    return Sensitivity(
        engine.table(known, value, (), opened),
        {name: engine.table(known, slope, _axes(engine, name), opened) for name, slope in plain.items()},
        {name: engine.table(known, slope, _axes(engine, name), opened) for name, slope in proportional.items()},
    )


def tornado(
    engine: FiniteEngine,
    event: Mapping[str, str],
    given: Mapping[str, str] | None = None,
    do: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    spread: float = 0.1,
) -> tuple[Bar, ...]:
    """How P(event | given, do(do)) moves as each entry of a mechanism varies, the others of its row in proportion.

    An entry t runs from t (1 - spread) to t (1 + spread), at most 1; entries of 0 and 1 are taken for structure and
    stay. The bars are ordered by width, the widest first.  Raises `SutureError` as `sensitivity` does, and S488 for
    batches, a spread that is not above 0, or worlds that use a mechanism twice.
    """
    if not spread > 0:
        raise SutureError(Diagnostic("S488", f"a spread of {spread} is not above 0", help="0.1 means ten per cent"))
    known, _, above, below = _ratio(engine, event, given, do, parameters)
    if known.lengths:
        message = f"a tornado is drawn for one case, and there is an axis '{next(iter(known.lengths))}'"
        raise SutureError(Diagnostic("S488", message, help="ask for one case at a time"))
    bars: list[Bar] = []
    shift = float(np.exp2(above.exponent - below.exponent))
    for name, slope in above.slopes.items():
        entries = engine.entries(known, name)
        up, down = covaried(slope, entries), covaried(below.slopes[name], entries)
        names = _axes(engine, name)
        for place in zip(*np.nonzero((entries > 0) & (entries < 1)), strict=True):
            entry = float(entries[place])
            ends = max(0.0, entry * (1 - spread)), min(1.0, entry * (1 + spread))
            low, high = (
                _at(above.value, float(up[place]), below.value, float(down[place]), end - entry) * shift for end in ends
            )
            labels = [own[int(number)] for (_, own), number in zip(names, place, strict=True)]
            case = {parent: label for (parent, _), label in zip(names[:-1], labels, strict=False)}
            bars.append(Bar(name, case, labels[-1], entry, *ends, low, high))
    return tuple(sorted(bars, key=lambda bar: (-bar.width, bar.mechanism, tuple(bar.case.values()), bar.label)))


def _at(above: Array, up: float, below: Array, down: float, change: float) -> float:
    """The ratio of two linear functions; where the lower one comes to zero, so does the upper, and it is the limit."""
    bottom = float(below) + change * down
    if abs(bottom) <= VANISHING * float(below):
        return float(up) / float(down)
    return (float(above) + change * up) / bottom


def covaried(slopes: Array, entries: Array) -> Array:
    """Derivatives under proportional covariation from those by single entries; rows lie along the last axis.

    >>> covaried(np.array([1.0, 0.0, 0.0]), np.array([0.25, 0.5, 0.25])).round(3).tolist()
    [1.0, -0.5, -0.333]
    """
    weighted = (slopes * entries).sum(axis=-1, keepdims=True) - slopes * entries
    rest = 1.0 - entries
    others = max(1, entries.shape[-1] - 1)
    equal = (slopes.sum(axis=-1, keepdims=True) - slopes) / others
    return slopes - np.where(rest > 0, weighted / np.where(rest > 0, rest, 1.0), equal)


# ---------------------------------------------------------------------------------------------------------------------
# Numerator and denominator


def _ratio(
    engine: FiniteEngine, event: Mapping[str, Any], given: Given, do: Do, parameters: Parameters
) -> tuple[Known, tuple[str, ...], _Linear, _Linear]:
    """What is known, the open interventions, and the probabilities of event with evidence and of evidence."""
    if not event:
        raise SutureError(Diagnostic("S488", "an event is needed", help='name its values: {"Cancer": "yes"}'))
    under, opened = engine.spread(known_of(engine.model, given, do, parameters))
    asked = known_of(engine.model, event, None, None)
    for term in event:
        if term_of(term, engine.model) in (*under.observed, *under.weighted):
            message = f"{term_text(term_of(term, engine.model))} is part of the event and of the evidence"
            raise SutureError(Diagnostic("S488", message, help="leave it out of one of them"))
    if asked.lengths or asked.weighted or len(asked.observed) < len(event):
        raise SutureError(Diagnostic("S488", "an event has one value for each of its variables", help="give labels"))
    both = replace(under, observed={**under.observed, **asked.observed})
    return under, opened, _linear(engine, both, (), under), _linear(engine, under, tuple(asked.observed), under)


def _linear(engine: FiniteEngine, known: Known, reached: Sequence[Term], base: Known) -> _Linear:
    """The probability of what is known and its derivatives, over all batch axes; the network has the reached terms."""
    network = engine.network(pattern_of(known, reached=reached), known)
    names = [entry.name for entry in network.entries if entry.source is Source.MECHANISM]
    if len(set(names)) < len(names):
        raise SutureError(Diagnostic("S488", "a mechanism occurs in several worlds", help="ask within one world"))
    found = engine.answered(network, Purpose.GRADIENT, known)
    values = engine.widened(base, found.form, found.values)
    exponent = engine.widened(base, found.form, found.evidence)
    slopes: dict[str, Array] = {}
    start = 1
    for name in network.mechanisms:
        shape = engine.shape_of(name)
        size = int(np.prod(shape, dtype=np.int64))
        slopes[name] = values[..., start : start + size].reshape(*values.shape[:-1], *shape)
        start += size
    return _Linear(values[..., 0], slopes, exponent)


def _axes(engine: FiniteEngine, name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The variables along a mechanism's array, with their labels."""
    diagram = engine.model.diagram
    box = next(each for each in diagram.boxes if each.name == name)
    wires = [diagram.wires[wire] for wire in (*box.inputs, *box.outputs)]
    return [(wire.name, engine.model.labels[wire.type]) for wire in wires]


def _wide(values: Array, count: int) -> Array:
    """An array with axes of length one added at the end."""
    return values.reshape([*np.shape(values), *([1] * count)])
