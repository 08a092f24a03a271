"""Conditional laws in conditional Gaussian models: finite mixtures of normal laws, exactly.

Each cell of the finite variables that the real ones depend on gives one normal law of all that is asked and observed.
Observing real values conditions each (`gaussian.eliminate`) and reweighs the cells by the densities they give to what
was observed.  Where a cell's observed variables are tied to one another (noise-free equations, one unit in two worlds),
its law lives on a plane, and a density is one on that plane: a cell whose plane holds what was observed has all the
weight against cells of higher dimension, and cells of one plane are weighed by their densities on it.  What lies where
two different planes meet has probability zero under each, and is refused rather than answered by a convention.

Weights are exact where the densities agree or one cell is left, closed forms where few cells are, floats otherwise.

Source: Lauritzen and Jensen, "Stable local computation with conditional Gaussian distributions" (2001); for the
densities on planes, Rao, "Linear Statistical Inference" (1973), section 8a.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Kind
from ...dsl.formula import Term
from ...dsl.formula_text import term_text
from ..budget import meter
from ..semiring import PROBABILITY, RATIONAL, Array, Field
from .affine import dimension, exact
from .gaussian import AGREEMENT, Elimination, eliminate, image, zeros
from .gaussian_law import Component, Number, simplest
from .mixed_model import Linear, MixedModel, Split, element, real_value, split

MOST_COMPONENTS = 20_000
"""Cells of the finite variables that an answer may be a mixture over."""

MOST_STEPS = 20_000_000
"""Coefficients that may be put in along causes, over all cells."""

EXACT_STEPS = 1_000_000
"""Rational models are computed in floats beyond this much work, a step along n causes counting n: numbers grow."""

MOST_EXACT_STEPS = 100_000_000
"""Up to this much work floats that leave a variance in doubt give way to rationals."""

CLOSED_WEIGHTS = 4
"""Cells whose weights after real observations are given in closed form; of rational models, more are in floats."""


@dataclass(frozen=True, slots=True)
class Case:
    """One cell: its weight (they sum to one), the labels of the finite terms, the normal law of the real ones."""

    labels: tuple[str, ...]
    law: Component


@dataclass(frozen=True, slots=True)
class Posterior:
    """The law of some terms given others: `finite` and `real` are their places, a vector has several coordinates."""

    finite: tuple[int, ...]
    real: tuple[int, ...]
    lengths: tuple[int, ...]
    cases: tuple[Case, ...]


class Impossible(Exception):
    """What is conditioned on has probability zero; the message says why."""


def posterior(mixed: MixedModel, outcomes: Sequence[Term], given: Sequence[Term]) -> Posterior:
    """The law of the outcomes, whatever their values, given terms at values or, for real ones, at none.

    Terms carry their worlds.  Raises `Impossible`, and `SutureError`: S421, S455 (`split`), S450 to S453 where a
    mechanism is not linear and normal, S456 where what is observed decides nothing, S603 beyond the budget.
    """
    worlds = split(mixed, [*outcomes, *given])
    wires = worlds.worlds.wires
    asked, seen = wires[: len(outcomes)], wires[len(outcomes) :]
    real = tuple(place for place, term in enumerate(outcomes) if mixed.is_real(term.variable))
    finite = tuple(place for place in range(len(outcomes)) if place not in real)
    events = {wire: str(term.value) for wire, term in zip(seen, given, strict=True) if not mixed.is_real(term.variable)}
    cells = _cells(worlds, [asked[place] for place in finite], events, given)
    evidence = [(wire, term) for wire, term in zip(seen, given, strict=True) if mixed.is_real(term.variable)]
    targets = [asked[place] for place in real]
    numbers, exactly = _numbers(worlds, cells, evidence, len(targets) + len(evidence))
    found = _each(worlds, cells, numbers, evidence, targets)
    if exactly is not None and any(isinstance(one, str) or one.elimination.tied for one in found):
        numbers, found = exactly, _each(worlds, cells, exactly, evidence, targets)
    possible = [one for one in found if isinstance(one, _Conditioned)]
    if not possible:
        raise Impossible(next(str(one) for one in found if isinstance(one, str)))
    if len(possible) < len(found):
        _require_values(evidence)
    kept = _kept(possible, numbers)
    lengths = tuple(dimension(mixed.model, outcomes[place].variable) for place in real)
    merged: dict[tuple[Any, ...], Number] = {}
    for one, weight in zip(kept, _weights(kept, numbers), strict=True):
        key = (tuple(one.cell.labels[asked[place]] for place in finite), *one.law(numbers))
        merged[key] = merged[key] + weight if key in merged else weight
    shares = _shares(list(merged.values()))
    cases = [Case(key[0], Component(share, *key[1:])) for key, share in zip(merged, shares, strict=True)]
    return Posterior(finite, real, lengths, tuple(cases))


# ---------------------------------------------------------------------------------------------------------------------
# Cells


@dataclass(frozen=True, slots=True)
class _Cell:
    """Labels on finite wires, with the probability of them and of the finite observations."""

    labels: Mapping[int, str]
    weight: Number


def _cells(worlds: Split, asked: Iterable[int], events: Mapping[int, str], given: Sequence[Term]) -> tuple[_Cell, ...]:
    """The cells that are possible, over the finite wires that matter."""
    axes = tuple(dict.fromkeys([*worlds.switches, *asked]))
    labels = [worlds.mixed.labels(worlds.variable(wire)) for wire in axes]
    table = worlds.finite_table(axes, events)
    places = np.argwhere(np.asarray(table != 0))
    if not len(places):
        raise Impossible("has probability 0")
    if worlds.real and len(places) > MOST_COMPONENTS:
        names = ", ".join(dict.fromkeys(worlds.variable(wire) for wire in axes))
        message = (
            f"this is a mixture of {len(places):,} normal laws, one a case of {names}; the most is {MOST_COMPONENTS:,}"
        )
        raise SutureError(Diagnostic("S603", message, help="set or observe some of them"))
    return tuple(
        _Cell({wire: own[place] for wire, own, place in zip(axes, labels, at, strict=True)}, table[tuple(at)])
        for at in places
    )


def _numbers(
    worlds: Split, cells: Sequence[_Cell], evidence: Sequence[tuple[int, Term]], rows: int
) -> tuple[Field, Field | None]:
    """The field to compute in: rationals, closed forms where there are parameters, floats where rationals cost much.

    With floats come the rationals to fall back on where it matters whether a variance is zero.
    Raises `SutureError` S603 where the work is beyond the budget.
    """
    entries: list[Number] = [cell.weight for cell in cells]
    edges = 0
    for box in worlds.real:
        wire = box.outputs[0]
        if box.kind is not Kind.MECHANISM:
            entries.append(worlds.value(wire))
            continue
        forms = {id(form): form for form in (worlds.form(box, cell.labels) for cell in cells)}.values()
        for form in forms:
            entries += [form.constant, form.noise, *(number for _, number in form.coefficients)]
        edges += 1 + max(len(form.coefficients) for form in forms)
    entries += [worlds.value(wire) for wire in worlds.diagram.inputs]
    entries += [observed(term) for _, term in evidence]
    steps = len(cells) * (max(1, rows) * edges + rows**3)
    if steps > MOST_STEPS:
        message = f"this evaluation takes about {steps:.1e} steps, more than {MOST_STEPS:.0e}"
        raise SutureError(Diagnostic("S603", message, help="ask for fewer variables at once, or set some of them"))
    work = len(cells) * (max(1, rows) * edges**2 + rows**4)
    if work <= EXACT_STEPS or any(getattr(entry, "free_symbols", None) for entry in entries):
        return field_of(entries), None
    rational = work <= MOST_EXACT_STEPS and all(isinstance(entry, Fraction) for entry in entries)
    return PROBABILITY, RATIONAL if rational else None


def field_of(entries: Sequence[Number]) -> Field:
    """The field that numbers lie in: rationals, floats, or closed forms in whatever they contain."""
    if all(isinstance(entry, Fraction) for entry in entries):
        return RATIONAL
    if any(isinstance(entry, float) for entry in entries):
        return PROBABILITY
    from ..symbolic import ClosedForm

    return ClosedForm(entries)


def observed(term: Term) -> Number:
    """The number that a real term is observed at, or the symbol that stands for it."""
    if isinstance(term.value, str):
        return real_value(term.value)
    if term.value is None:
        raise ValueError(f"{term_text(term)} is observed at no value")
    import sympy

    return sympy.Symbol(term.value.name)


# ---------------------------------------------------------------------------------------------------------------------
# One cell


@dataclass(frozen=True, slots=True, eq=False)
class _Conditioned:
    """The normal law of the targets in one cell given what is observed, and how that was observed.

    `observed` is the covariance of the observed coordinates before, `deviations` what was seen less its mean.
    """

    cell: _Cell
    mean: Array
    covariance: Array
    observed: Array
    deviations: Array
    elimination: Elimination

    def law(self, numbers: Field) -> tuple[tuple[Number, ...], tuple[tuple[Number, ...], ...]]:
        """Mean and covariance with their entries as a caller sees them."""
        rows = tuple(tuple(exact_numbers(row, numbers)) for row in self.covariance)
        return tuple(exact_numbers(self.mean, numbers)), rows

    @property
    def rank(self) -> int:
        """The dimension of the plane on which what is observed lives."""
        return len(self.elimination.basis)

    def density(self, basis: Sequence[int], numbers: Field) -> tuple[Any, Any]:
        """Exponent q and volume v of the density exp(-q/2) / sqrt(v) on the coordinates `basis` of the plane.

        In floats the volume's logarithm, since a product of many variances may leave their range.
        """
        done = self.elimination
        if done.basis != tuple(basis):
            done = eliminate(self.observed, basis, numbers)
        return exponent_and_volume(done, self.deviations, numbers)


def exponent_and_volume(done: Elimination, deviations: Array, numbers: Field) -> tuple[Any, Any]:
    """q and v of the density exp(-q/2) / sqrt(v) (2 pi)^(-rank/2) at deviations from the mean; in floats log v."""
    exponent, volume = numbers.number(Fraction(0)), numbers.number(Fraction(1 if numbers.exact else 0))
    for innovation, variance in zip(done.innovations(deviations), done.variances, strict=True):
        exponent = exponent + innovation * innovation / variance
        volume = volume * variance if numbers.exact else volume + math.log(variance)
    return exponent, volume


def exact_numbers(values: Array, numbers: Field) -> list[Number]:
    """Elements of a field as a caller sees them: Fractions where they are rational, closed forms, floats."""
    if not numbers.exact:
        return [float(value) for value in values]
    return [exact(value) for value in numbers.result(values)]


def _each(
    worlds: Split, cells: Sequence[_Cell], numbers: Field, evidence: Sequence[tuple[int, Term]], targets: Sequence[int]
) -> list[_Conditioned | str]:
    """Every cell in turn, within the time that is allowed."""
    clock, found = meter(), list[_Conditioned | str]()
    for place, cell in enumerate(cells):
        clock.tick(place / len(cells))
        found.append(_cell(worlds, cell, numbers, evidence, targets))
    return found


def _cell(
    worlds: Split, cell: _Cell, numbers: Field, evidence: Sequence[tuple[int, Term]], targets: Sequence[int]
) -> _Conditioned | str:
    """The targets given what is observed, in one cell; a string says why it cannot be observed there."""
    linear = Linear(worlds, cell.labels, numbers)
    mean, covariance, lengths = linear.joint([*(wire for wire, _ in evidence), *targets])
    terms = [term for (_, term), length in zip(evidence, lengths, strict=False) for _ in range(length)]
    count = len(terms)
    values = zeros(numbers, count)
    for place, term in enumerate(terms):
        values[place] = element(numbers, observed(term))
    deviations = values - mean[:count]
    done = eliminate(covariance, range(count), numbers)
    after = mean + image(numbers, done.loadings, done.innovations(deviations))
    for place in done.tied:
        size = abs(covariance[place, place]) ** 0.5 + abs(values[place]) if not numbers.exact else 0.0
        if not agrees(after[place] - values[place], size, numbers):
            (found,) = exact_numbers(after[place : place + 1], numbers)
            return f"cannot happen: {term_text(replace(terms[place], value=None, world=()))} is {found} there"
    left = done.covariance[count:, count:]
    return _Conditioned(cell, after[count:], left, covariance[:count, :count], deviations, done)


def agrees(difference: Any, size: float, numbers: Field) -> bool:
    """Whether a difference is zero: exactly, or for floats beside numbers of this size."""
    if numbers.exact:
        return bool(numbers.is_zero(numbers.as_array(difference)))
    return bool(abs(difference) <= AGREEMENT * (size + 1e-300))


# ---------------------------------------------------------------------------------------------------------------------
# Weights


def _require_values(evidence: Sequence[tuple[int, Term]]) -> None:
    """Refuse values left open where some case admits single values of them alone: raises `SutureError` S456.

    An answer for values in general position would be silent about these, which may well have all the probability.
    """
    left_open = [term.variable for _, term in evidence if not isinstance(term.value, str)]
    if left_open:
        message = f"{left_open[0]} has single values in some cases of the finite variables and any in others"
        hint = f"no one formula covers both; give it a value: {left_open[0]} = .."
        raise SutureError(Diagnostic("S456", message, help=hint))


def _kept(found: Sequence[_Conditioned], numbers: Field) -> list[_Conditioned]:
    """The cells among which the weight is shared: those whose plane has the least dimension.

    Raises `SutureError` S456 where what is observed lies where different planes meet.
    """
    if len({one.rank for one in found}) <= 1 and all(one.rank == len(one.deviations) for one in found):
        return list(found)
    least = min(one.rank for one in found)
    first = next(one for one in found if one.rank == least)
    for other in found:
        both = eliminate(first.observed + other.observed, range(len(first.deviations)), numbers)
        if len(both.basis) != other.rank:
            message = "what is observed has probability zero in every case of the finite variables, and decides nothing"
            hint = (
                "in two cases the observed variables are tied to one another in different ways; observe fewer of them"
            )
            raise SutureError(Diagnostic("S456", message, help=hint))
    return [one for one in found if one.rank == least]


def _weights(kept: Sequence[_Conditioned], numbers: Field) -> list[Number]:
    """The weight of each cell, given what is observed, up to a common factor."""
    priors = [one.cell.weight for one in kept]
    basis = kept[0].elimination.basis
    densities = [one.density(basis, numbers) for one in kept]
    first = densities[0]
    if all(agrees(q - first[0], 0.0, numbers) and agrees(v - first[1], 0.0, numbers) for q, v in densities):
        return priors
    if not numbers.exact or (numbers is RATIONAL and len(kept) > CLOSED_WEIGHTS):
        return _float_weights(priors, densities)
    return _closed_weights(priors, densities, numbers)


def vector(entries: Sequence[Any], numbers: Field) -> Array:
    """Elements of a field as an array."""
    made = zeros(numbers, len(entries))
    for place, entry in enumerate(entries):
        made[place] = entry
    return made


def _shares(weights: Sequence[Number]) -> list[Number]:
    """Weights as shares of their sum."""
    if len(weights) == 1:
        return [Fraction(1)]
    total = sum(weights[1:], weights[0])
    if isinstance(total, (Fraction, float)):
        return [weight / total for weight in weights]
    return [simplest(weight / total) for weight in weights]


def _float_weights(priors: Sequence[Number], densities: Sequence[tuple[Any, Any]]) -> list[Number]:
    """Weights in floats; logarithms keep densities far out in the tails apart."""
    logs = [
        math.log(float(prior)) - float(exponent) / 2 - logarithm(volume) / 2
        for prior, (exponent, volume) in zip(priors, densities, strict=True)
    ]
    top = max(logs)
    return [math.exp(each - top) for each in logs]


def logarithm(volume: Any) -> float:
    """The logarithm of a volume, which in floats it is already; a rational may be too small or large for a float."""
    if isinstance(volume, Fraction):
        return math.log(volume.numerator) - math.log(volume.denominator)
    return float(volume)


def _closed_weights(priors: Sequence[Number], densities: Sequence[tuple[Any, Any]], numbers: Field) -> list[Number]:
    """Weights in closed form, in units of that of the first cell."""
    import sympy

    (first, unit), *_ = densities
    weights: list[Number] = []
    for prior, (exponent, volume) in zip(priors, densities, strict=True):
        power, ratio = exact_numbers(vector([(first - exponent) / 2, unit / volume], numbers), numbers)
        odds = sympy.sympify(simplest(sympy.sympify(prior) / sympy.sympify(priors[0])))
        weights.append(odds * sympy.exp(power) * sympy.sqrt(ratio))
    return weights
