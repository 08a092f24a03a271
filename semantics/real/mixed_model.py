"""Models with finite and real variables, in any number of parallel worlds: what is finite, linear, neither.

A conditional Gaussian model has finite variables with finite parents, and real variables that are linear in their real
parents and their own noise, with coefficients that may depend on finite parents (Lauritzen, "Graphical Models", 1996,
section 6.1).  Given the finite variables, all real ones are jointly normal.  `split` takes the diagram of the worlds a
query asks for apart into the two; `Linear` writes real wires as sums of independent noises, walking back from the wire
along its causes (Wright's path coefficients), so that no matrix of all variables is ever formed.

The noise of an equation is the unit's own, one and the same in every world and under the mechanism of every domain; a
`~ Normal(..)` says only how often, so it cannot stand in two worlds at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from typing import Any, TypeAlias

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Box, Diagram, Kind, live_boxes
from ...dsl.formula import Term
from ...dsl.formula_text import term_text
from ...dsl.labels import number
from ...dsl.program import AnyMechanism, Domain, Equation, Mechanism, Model, Real
from ...dsl.worlds import Worlds, parallel_worlds
from ..budget import Budget
from ..distribution import position_of
from ..factors import Factor, one_hot
from ..mechanisms import finite_labels, mechanism_array
from ..needs import Needed, given_mechanisms, missing_mechanism
from ..networks.contraction import contract
from ..semiring import PROBABILITY, RATIONAL, Array, Field
from .affine import Affine, affine_mechanism, dimension
from .gaussian import product as matrix_product
from .gaussian import zeros
from .gaussian_law import Number

Source: TypeAlias = Hashable
"""An independent noise of variance one."""

Node: TypeAlias = tuple[int, int]
"""A component of the vector on a wire."""


@dataclass(frozen=True)
class MixedModel:
    """The mechanisms of a program's model that a query needs, by the names of their boxes; `variables` says whose."""

    model: Model
    mechanisms: Mapping[str, Mechanism]
    variables: Mapping[str, str]
    _arrays: dict[str, Array] = field(default_factory=dict, repr=False, compare=False)
    _forms: dict[tuple[str, tuple[str, ...]], Affine] = field(default_factory=dict, repr=False, compare=False)

    def is_real(self, variable: str) -> bool:
        """Whether a variable is real."""
        return isinstance(self.model.by_name[variable].values, Real)

    def labels(self, variable: str) -> tuple[str, ...]:
        """The labels of a finite variable; raises `SutureError` S427 where it has no values."""
        return finite_labels(self.model, variable)

    def array(self, name: str) -> Array:
        """The array of a finite mechanism; raises `SutureError` S428 and what reading it raises."""
        if name not in self._arrays:
            made = mechanism_array(self.model, self.variables[name], self.mechanisms[name])
            if made is None:
                raise SutureError(missing_mechanism(self.model, self.variables[name], name))
            self._arrays[name] = made
        return self._arrays[name]

    def form(self, name: str, labels: tuple[str, ...]) -> Affine:
        """The affine form of a real mechanism at labels of the finite parents of its variable, in their order."""
        if (name, labels) not in self._forms:
            variable = self.variables[name]
            finite = [parent for parent in self.model.parents(variable) if not self.is_real(parent)]
            fixed = dict(zip(finite, labels, strict=True))
            self._forms[name, labels] = affine_mechanism(self.model, variable, self.mechanisms[name], fixed)
        return self._forms[name, labels]


def mixed_model(model: Model, need: Needed, domains: Mapping[str, Domain]) -> MixedModel:
    """What a query needs; raises `SutureError` S427 and S428 for all that is missing."""
    mechanisms = given_mechanisms(model, need, domains)
    given = {name for name, mechanism in mechanisms.items() if not isinstance(mechanism, AnyMechanism)}
    problems = [missing_mechanism(model, variable, name) for name, variable in need.boxes.items() if name not in given]
    for name in need.variables:
        if model.by_name[name].values is None:
            try:
                finite_labels(model, name)
            except SutureError as error:
                problems.extend(error.diagnostics)
    if problems:
        raise SutureError(tuple(problems))
    return MixedModel(model, mechanisms, dict(need.boxes))


# ---------------------------------------------------------------------------------------------------------------------
# Worlds, taken apart


@dataclass(frozen=True)
class Split:
    """The worlds of some terms: live boxes that are finite and real, and the finite wires that the real ones read."""

    mixed: MixedModel
    worlds: Worlds
    finite: tuple[Box, ...]
    real: tuple[Box, ...]
    switches: tuple[int, ...]

    @property
    def diagram(self) -> Diagram:
        """The diagram of all worlds."""
        return self.worlds.diagram

    def variable(self, wire: int) -> str:
        """The variable whose values a wire carries."""
        return self.diagram.wires[wire].type

    def finite_table(self, axes: Sequence[int], events: Mapping[int, str], budget: Budget | None = None) -> Array:
        """The joint probability of the finite wires `axes` and of `events` (labels on wires).

        Entries are Fractions, SymPy expressions where there are parameters, or floats where rationals cost too much.
        """
        arrays = {box.name: self.mixed.array(box.name) for box in self.finite if box.kind is Kind.MECHANISM}
        semiring, arrays = _semiring(arrays)
        factors = [self._factor(box, arrays, semiring) for box in self.finite]
        for wire, label in events.items():
            labels = self.mixed.labels(self.variable(wire))
            place = position_of(label, self.variable(wire), labels)
            factors.append(Factor((wire,), one_hot(len(labels), place, semiring)))
        factors.append(Factor((), semiring.as_array(semiring.number(Fraction(1)))))
        return semiring.result(contract(factors, axes, budget, semiring))

    def _factor(self, box: Box, arrays: Mapping[str, Array], semiring: Field) -> Factor:
        if box.kind is Kind.MECHANISM:
            return Factor((*box.inputs, *box.outputs), arrays[box.name])
        labels = self.mixed.labels(self.variable(box.outputs[0]))
        place = position_of(str(box.value), self.variable(box.outputs[0]), labels)
        return Factor(box.outputs, one_hot(len(labels), place, semiring))

    def form(self, box: Box, cell: Mapping[int, str]) -> Affine:
        """The affine form of a real mechanism in a cell of the finite wires."""
        labels = tuple(cell[wire] for wire in box.inputs if not self.mixed.is_real(self.variable(wire)))
        return self.mixed.form(box.name, labels)

    def box(self, wire: int) -> Box | None:
        """The box that produces a wire; None for an open input."""
        place = self.diagram.producer.get(wire)
        return None if place is None else self.diagram.boxes[place]

    def value(self, wire: int) -> Number:
        """The number that an intervention sets a real wire to; the variable's own name where it is left open."""
        box = self.box(wire)
        if box is None:
            import sympy

            return sympy.Symbol(self.variable(wire))
        return real_value(str(box.value))


def _semiring(arrays: Mapping[str, Array]) -> tuple[Field, dict[str, Array]]:
    entries = [entry for array in arrays.values() for entry in array.flat]
    if all(isinstance(entry, Fraction) for entry in entries):
        exact = len(entries) <= MOST_EXACT_ENTRIES
        return (
            (RATIONAL, dict(arrays)) if exact else (PROBABILITY, {n: a.astype(np.float64) for n, a in arrays.items()})
        )
    if all(isinstance(entry, (float, Fraction)) for entry in entries):
        return PROBABILITY, {name: array.astype(np.float64) for name, array in arrays.items()}
    from ..symbolic import ClosedForm

    closed = ClosedForm(entries)
    return closed, {name: closed.elements(array) for name, array in arrays.items()}


def real_value(label: str) -> Fraction:
    """The number that a value of a real variable spells; the resolver has seen that it is one."""
    value = number(label)
    if value is None:
        raise ValueError(f"not a number: {label!r}")
    return value


MOST_EXACT_ENTRIES = 20_000
"""Tables with more probabilities than this are multiplied as floats."""


def split(mixed: MixedModel, terms: Sequence[Term]) -> Split:
    """The worlds of the terms, taken apart.

    Raises `SutureError`: S455 a finite variable with a real cause, S421 a mechanism that is no function in two worlds.
    """
    worlds = parallel_worlds(mixed.model.diagram, terms)
    diagram = worlds.diagram
    live = [diagram.boxes[place] for place in sorted(live_boxes(diagram))]
    finite = tuple(box for box in live if not mixed.is_real(diagram.wires[box.outputs[0]].type))
    real = tuple(box for box in live if mixed.is_real(diagram.wires[box.outputs[0]].type))
    for box in finite:
        for wire in box.inputs:
            if mixed.is_real(diagram.wires[wire].type):
                raise SutureError(_real_cause(mixed, box, diagram.wires[wire].type))
    read = {wire for box in real for wire in box.inputs if not mixed.is_real(diagram.wires[wire].type)}
    made = Split(mixed, worlds, finite, real, tuple(sorted(read)))
    _require_functions(made, terms)
    return made


def _real_cause(mixed: MixedModel, box: Box, cause: str) -> Diagnostic:
    variable = mixed.variables[box.name]
    message = f"{variable} has finitely many values and depends on {cause}, which is real"
    hint = (
        f"what comes after {variable} is no mixture of normal laws; set it, do({variable} = ..), or make {cause} finite"
    )
    return Diagnostic("S455", message, mixed.model.by_name[variable].span, "not conditional Gaussian", hint)


def _require_functions(made: Split, terms: Sequence[Term]) -> None:
    """Refuse a mechanism that is needed in two worlds at once and is no function of a unit: S421."""
    for variable, boxes in sorted(made.worlds.copies().items()):
        if all(_is_function(made.mixed, name) for name in boxes):
            continue
        help = f"write {variable} with := and put its randomness into a latent variable"
        if made.mixed.is_real(variable):
            help = f"write {variable} := mean + deviation*noise: then the noise is the unit's own in every world"
        shown = ", ".join(map(term_text, terms))
        message = f"P({shown}) needs {variable} in {len(boxes)} worlds at once, and its mechanism is not a function"
        raise SutureError(Diagnostic("S421", message, help=help))


def _is_function(mixed: MixedModel, name: str) -> bool:
    if mixed.is_real(mixed.variables[name]):
        return isinstance(mixed.mechanisms[name], Equation)
    return all(entry in (0, 1) for entry in mixed.array(name).flat)


# ---------------------------------------------------------------------------------------------------------------------
# Real wires as sums of noises


def element(numbers: Field, value: Number) -> Any:
    """A number as an element of the field; closed forms must be among those that the field was made from."""
    if isinstance(value, Fraction):
        return numbers.number(value)
    made: Any = numbers
    return float(value) if numbers is PROBABILITY else made.element(value)


@dataclass(frozen=True)
class Linear:
    """The real wires of the worlds in one cell of the finite ones, over a field."""

    split: Split
    cell: Mapping[int, str]
    numbers: Field
    _forms: dict[int, _Form] = field(default_factory=dict, repr=False, compare=False)

    def joint(self, wires: Sequence[int]) -> tuple[Array, Array, tuple[int, ...]]:
        """Mean and covariance of the vectors on some wires, one after the other, and how long each is."""
        lengths = tuple(self.length(wire) for wire in wires)
        nodes = [(wire, place) for wire, length in zip(wires, lengths, strict=True) for place in range(length)]
        rows = [self.row(node) for node in nodes]
        sources = {source: place for place, source in enumerate(dict.fromkeys(s for row in rows for s in row.noises))}
        loadings = zeros(self.numbers, len(rows), len(sources))
        mean = zeros(self.numbers, len(rows))
        for place, row in enumerate(rows):
            mean[place] = row.constant
            for source, coefficient in row.noises.items():
                loadings[place, sources[source]] = coefficient
        return mean, matrix_product(self.numbers, loadings, loadings.T), lengths

    def length(self, wire: int) -> int:
        """The number of components of the vector on a wire."""
        return dimension(self.split.mixed.model, self.split.variable(wire))

    def row(self, node: Node) -> _Row:
        """One component of a wire as a constant and independent noises: its causes are put in, the latest first."""
        weights: dict[Node, Any] = {node: self.numbers.number(Fraction(1))}
        waiting = [(-self._place(node[0]), node)]
        found = _Row(self.numbers.number(Fraction(0)), {})
        while waiting:
            _, here = heappop(waiting)
            weight = weights.pop(here)
            form = self._form(here[0])
            found.constant = found.constant + weight * form.constant
            if form.source is not None:
                source = (form.source, here[1])
                before = found.noises.get(source)
                found.noises[source] = weight * form.noise if before is None else before + weight * form.noise
            for wire, coefficient, vector in form.causes:
                cause = (wire, here[1] if vector else 0)
                if cause not in weights:
                    heappush(waiting, (-self._place(wire), cause))
                    weights[cause] = weight * coefficient
                else:
                    weights[cause] = weights[cause] + weight * coefficient
        return found

    def _place(self, wire: int) -> int:
        """Where the producer of a wire stands; boxes of parallel worlds come after what feeds them."""
        return self.split.diagram.producer.get(wire, -1)

    def _form(self, wire: int) -> _Form:
        if wire not in self._forms:
            self._forms[wire] = self._read(wire)
        return self._forms[wire]

    def _read(self, wire: int) -> _Form:
        """The mechanism that produces a wire, its numbers as elements of the field."""
        split, zero = self.split, self.numbers.number(Fraction(0))
        box = split.box(wire)
        if box is None or box.kind is Kind.POINT:
            return _Form(element(self.numbers, split.value(wire)), (), None, zero)
        form = split.form(box, self.cell)
        parents = dict(zip(split.mixed.model.parents(split.variable(wire)), box.inputs, strict=True))
        causes = tuple(
            (parents[name], element(self.numbers, coefficient), self.length(parents[name]) > 1)
            for name, coefficient in form.coefficients
        )
        equation = isinstance(split.mixed.mechanisms[box.name], Equation)
        source = None if form.noise == 0 else split.variable(wire) if equation else wire
        return _Form(element(self.numbers, form.constant), causes, source, element(self.numbers, form.noise))


@dataclass(frozen=True, slots=True)
class _Form:
    """A mechanism over a field: causes are wires with their coefficients, and whether they are vectors."""

    constant: Any
    causes: tuple[tuple[int, Any, bool], ...]
    source: Source | None
    noise: Any


@dataclass(slots=True)
class _Row:
    """A component of a wire: a constant and the coefficients of independent noises."""

    constant: Any
    noises: dict[Source, Any]
