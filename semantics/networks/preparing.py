"""From evidence, interventions and mechanisms as a user writes them to a network and the arrays that come into it.

The pattern (what is known, not at which values) is told from the values here: evidence known in every case slices, one
with missing values comes in as weights, which are ones where nothing was seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from ...dsl.formula import Kernel, Term
from ...dsl.formula_text import term_text
from ..factors import Array
from ..stochastic import FiniteModel
from .batches import AxisNames, Batch, Likelihood, Packed, lengths, packed, settings, weights_of
from .compiled import Form
from .patterns import Network, Pattern, intervention_name, slot_name

TOLERANCE = 1e-6
SAFE_BITS = 900.0
MOST_BITS = 480.0


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Evidence as weights of a variable's values, of shape (axes.., values), and their `smallness`."""

    axes: AxisNames
    values: Array
    bits: float


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a question is asked under, checked and packed; each value with its batch axes.

    `lengths` has every batch axis in the order in which they were named, `outcomes` how many entries of each mechanism
    sum to one together.
    """

    observed: Mapping[Term, Packed]
    weighted: Mapping[Term, Weights]
    fixed: Mapping[str, Packed]
    opened: tuple[str, ...]
    mechanisms: Mapping[str, tuple[AxisNames, Array]]
    lengths: Mapping[str, int]
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network with its inputs; `bits` bounds how far its smallest product lies below one, as a power of two."""

    network: Network
    form: Form
    arrays: tuple[Any, ...]
    lengths: Mapping[str, int]
    bits: float

    @property
    def scaled(self) -> bool:
        """Whether some product could leave the range of float64."""
        return self.bits > SAFE_BITS

    @property
    def cases(self) -> int:
        """The number of places of all the batch axes together."""
        return int(np.prod([self.lengths[axis] for axis in self.form.batch], dtype=np.int64))


# ---------------------------------------------------------------------------------------------------------------------
# Terms and values


def term_of(text: str | Term, model: FiniteModel) -> Term:
    """A variable's name, or a counterfactual term as the language writes it: `Y[X = 1]`.

    Raises `SutureError` S104 for an unknown name.
    """
    if isinstance(text, Term):
        return text
    if text in model.diagram.position:
        return Term(text)
    if "[" in text:
        from ...dsl.formula_reader import read_formula

        formula = read_formula(f"P({text})")
        if isinstance(formula, Kernel) and len(formula.outcomes) == 1 and not formula.given:
            (term,) = formula.outcomes
            for name in _names(term):
                _wire(name, model)
            return term
    _wire(text, model)
    return Term(text)


def _names(term: Term) -> Iterable[str]:
    yield term.variable
    for part in term.world:
        yield from _names(part)


def _wire(name: str, model: FiniteModel) -> int:
    position = model.diagram.position
    if name not in position:
        raise SutureError(Diagnostic("S104", f"unknown variable '{name}'", help=did_you_mean(name, position)))
    return position[name]


def labels_of(term: Term, model: FiniteModel) -> tuple[str, ...]:
    """The labels of a term's variable."""
    return model.labels[model.diagram.wires[model.diagram.position[term.variable]].type]


def known_of(
    model: FiniteModel,
    given: Any,
    do: Mapping[str, Any] | Sequence[str] | None,
    parameters: Mapping[str, Any] | None,
) -> Known:
    """Everything that a question is asked under.

    Raises `SutureError`: S104, S420 for names and labels that are not there, S480 where axes differ in length, S481 and
    S485 for weights and mechanisms that are none, S486 for an intervention with a missing value or an axis named like
    a variable.
    """
    observed: dict[Term, Packed] = {}
    weighted: dict[Term, Weights] = {}
    for name, value in settings(given).items():
        term = term_of(name, model)
        labels = labels_of(term, model)
        if isinstance(value, Likelihood):
            axes, values = weights_of(name, value, labels)
            weighted[term] = Weights(axes, values, smallness(values))
            continue
        codes = packed(name, value, labels)
        if codes.complete:
            observed[term] = codes
        elif codes.axes:
            weighted[term] = Weights(codes.axes, _indicators(codes.codes, len(labels)), 0.0)
    fixed, opened = _interventions(model, do)
    mechanisms = {name: _mechanism(model, name, value) for name, value in (parameters or {}).items()}
    parts = [(term_text(term), each.axes, each.codes.shape) for term, each in observed.items()]
    parts += [(term_text(term), each.axes, each.values.shape) for term, each in weighted.items()]
    parts += [(intervention_name(name), each.axes, each.codes.shape) for name, each in fixed.items()]
    parts += [(f"the mechanism of {name}", axes, values.shape) for name, (axes, values) in mechanisms.items()]
    found = lengths(parts)
    for axis in found:
        if axis in model.diagram.position:
            message = f"the axis '{axis}' has the name of a variable"
            raise SutureError(Diagnostic("S486", message, help="give the axis a name of its own"))
    outcomes = {box.name: math.prod(model.shape(box.outputs)) for box in model.diagram.boxes if box.name in mechanisms}
    return Known(observed, weighted, fixed, opened, mechanisms, found, outcomes)


def _indicators(codes: Array, count: int) -> Array:
    """One at the code, ones where nothing was seen (whose code is -1, the last row)."""
    return np.take(np.vstack([np.eye(count), np.ones(count)]), codes, axis=0)


def _interventions(
    model: FiniteModel, do: Mapping[str, Any] | Sequence[str] | None
) -> tuple[dict[str, Packed], tuple[str, ...]]:
    """Interventions at values, and those left open (named alone, or at None)."""
    if isinstance(do, str):
        do = (do,)
    values: dict[str, Any] = {} if do is None else dict(do) if isinstance(do, Mapping) else dict.fromkeys(do)
    fixed: dict[str, Packed] = {}
    for name, value in values.items():
        _wire(name, model)
        if value is None:
            continue
        fixed[name] = packed(name, value, labels_of(Term(name), model))
        if not fixed[name].complete:
            message = f"an intervention on {name} has a missing value"
            raise SutureError(Diagnostic("S486", message, help="leave such cases out: an intervention sets a value"))
    return fixed, tuple(name for name in values if name not in fixed)


def _mechanism(model: FiniteModel, name: str, value: Any) -> tuple[AxisNames, Array]:
    """The entries of a mechanism with its batch axes, of the right shape; `checked` looks at those that are used."""
    boxes = {box.name: box for box in model.diagram.boxes}
    if name not in boxes:
        raise SutureError(Diagnostic("S104", f"no mechanism is named '{name}'", help=did_you_mean(name, boxes)))
    axes, raw = (value.axes, value.values) if isinstance(value, Batch) else ((), value)
    values = np.asarray(raw, dtype=np.float64)
    box = boxes[name]
    shape = model.shape((*box.inputs, *box.outputs))
    if values.shape[len(axes) :] != shape or values.ndim != len(axes) + len(shape):
        wanted = ", ".join([*axes, *map(str, shape)])
        message = f"the mechanism of {name} has the shape {values.shape}, not ({wanted})"
        hint = "one dimension for each axis, each parent and the variable itself, in this order"
        raise SutureError(Diagnostic("S485", message, help=hint))
    return axes, values


def checked(name: str, values: Array, outcomes: int) -> float:
    """The `smallness` of a mechanism's entries, which must be at least zero; each row of `outcomes` sums to one.

    Raises `SutureError` S485 where they do not.
    """
    # A product with ones sums short rows at the speed of memory; what is not a number fails both comparisons.
    lowest = float(values.min(initial=1.0))
    totals = values.reshape(-1, outcomes) @ np.ones(outcomes)
    if lowest >= 0 and totals.min(initial=1.0) >= 1 - TOLERANCE and totals.max(initial=1.0) <= 1 + TOLERANCE:
        return bits_of(lowest) if lowest > 0 else smallness(values)
    message = f"the mechanism of {name} has entries that are not probabilities"
    hint = "entries are at least 0, and sum to 1 in each case of the parents"
    raise SutureError(Diagnostic("S485", message, help=hint))


# ---------------------------------------------------------------------------------------------------------------------
# Inputs


def pattern_of(known: Known, targets: Sequence[Term] = (), reached: Sequence[Term] = ()) -> Pattern:
    """The pattern of a question under what is known."""
    return Pattern(
        tuple(targets),
        tuple(known.observed),
        tuple(known.weighted),
        tuple(reached),
        tuple(known.fixed),
        known.opened,
    )


def prepared(
    network: Network,
    known: Known,
    base: Callable[[str], Array],
    bits: Callable[[str], float],
    resident: Callable[[str], Any] | None = None,
) -> Prepared:
    """The inputs of a network in the form that programs take.

    `base` gives the array of a mechanism that `known` leaves as it is, `bits` how far its smallest entry lies below
    one, and `resident` a copy of it where programs run.
    """
    batch = _batch(network, known)
    mechanisms, arrays, total = [], [], 0.0
    for name in network.mechanisms:
        axes, values = known.mechanisms.get(name, ((), None))
        if values is None:
            total += bits(name)
            arrays.append(base(name) if resident is None else resident(name))
        else:
            total += checked(name, values, known.outcomes[name])
            values = ordered(values, axes, batch)
            arrays.append(values)
        mechanisms.append(tuple(axis for axis in batch if axis in axes))
    codes, code_arrays = _codes(network, known, batch)
    weights, weight_arrays, more = _weights(network, known, batch)
    form = Form(batch, tuple(mechanisms), codes, weights)
    return Prepared(network, form, (*arrays, *code_arrays, *weight_arrays), known.lengths, total + more)


def _batch(network: Network, known: Known) -> AxisNames:
    """The axes that the network's inputs have, in the order in which they were named."""
    slots = {slot.name for slot in network.slots}
    used = {axis for name in network.mechanisms for axis in known.mechanisms.get(name, ((), None))[0]}
    for name, packed_values in codes_by_name(known).items():
        used.update(packed_values.axes if name in slots else ())
    for weights in known.weighted.values():
        used.update(weights.axes)
    return tuple(axis for axis in known.lengths if axis in used)


def codes_by_name(known: Known) -> dict[str, Packed]:
    """The codes that come in, by the names of their slots."""
    found = {slot_name(term): each for term, each in known.observed.items()}
    return found | {intervention_name(name): each for name, each in known.fixed.items()}


def ordered(values: Array, axes: AxisNames, batch: AxisNames) -> Array:
    """An array with its batch axes in the order of all of them."""
    wanted = [axes.index(axis) for axis in batch if axis in axes]
    if wanted == list(range(len(axes))):
        return values
    return values.transpose([*wanted, *range(len(axes), values.ndim)])


def _codes(
    network: Network, known: Known, batch: AxisNames
) -> tuple[tuple[tuple[AxisNames, tuple[int, ...]], ...], list[Array]]:
    """The codes of the slots, those with the same axes in one array."""
    by_name = codes_by_name(known)
    groups: dict[AxisNames, list[tuple[int, Array]]] = {}
    for number, slot in enumerate(network.slots):
        if slot.code is None:
            found = by_name[slot.name]
            own = tuple(axis for axis in batch if axis in found.axes)
            groups.setdefault(own, []).append((number, ordered(found.codes, found.axes, batch)))
    form = tuple((axes, tuple(number for number, _ in members)) for axes, members in groups.items())
    return form, [np.stack([codes for _, codes in members], axis=-1) for members in groups.values()]


def _weights(
    network: Network, known: Known, batch: AxisNames
) -> tuple[tuple[tuple[AxisNames, tuple[str, ...]], ...], list[Array], float]:
    """The weights, those with the same axes in one array, and the bits of their smallest entries."""
    groups: dict[AxisNames, list[tuple[str, Array]]] = {}
    total = 0.0
    by_name = {slot_name(term): each for term, each in known.weighted.items()}
    for name in network.weighted:
        found = by_name[name]
        own = tuple(axis for axis in batch if axis in found.axes)
        groups.setdefault(own, []).append((name, ordered(found.values, found.axes, batch)))
        total += found.bits
    form = tuple((axes, tuple(name for name, _ in members)) for axes, members in groups.items())
    return form, [np.concatenate([values for _, values in members], axis=-1) for members in groups.values()], total


def smallness(values: Array) -> float:
    """How far from one the entries lie that are not zero, as a power of two; beyond `MOST_BITS` it is infinite.

    >>> smallness(np.array([0.0, 0.25, 1.0]))
    2.0
    """
    lowest, highest = float(values.min(initial=1.0)), float(values.max(initial=1.0))
    if lowest == 0.0:
        lowest = float(np.min(values, initial=1.0, where=values > 0))
    return max(bits_of(lowest), bits_of(1.0 / max(highest, 1.0)))


def bits_of(lowest: float) -> float:
    """How far below one a number lies, as a power of two; infinite beyond `MOST_BITS`."""
    found = -math.log2(lowest)
    return found if found <= MOST_BITS else math.inf
