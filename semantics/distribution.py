"""Distributions that formulas are evaluated against: of a model by surgery, and several under names of sources.

A distribution answers one question: the joint probability of some terms, as an array with one axis a symbol.  A term at
a label is an event; a term at a symbol is an axis; a term in a world (`do` included) is answered by a model through
parallel worlds and refused by what only knows what was observed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from ..dsl.diagnostics import Diagnostic, SutureError, one_of
from ..dsl.diagram import Kind, live_boxes
from ..dsl.formula import Symbol, Term
from ..dsl.formula_text import term_text
from ..dsl.worlds import Worlds, parallel_worlds
from .budget import Budget
from .factors import Axis, Factor, one_hot
from .networks.contraction import contract_scaled
from .semiring import Array, Semiring
from .stochastic import FiniteModel


class Distribution(Protocol):
    """What formulas are evaluated against."""

    @property
    def semiring(self) -> Semiring:
        """What the entries of its arrays are."""
        ...

    def labels(self, variable: str) -> tuple[str, ...]:
        """The values of a variable, in order; raises `SutureError` where it has none."""
        ...

    def joint(self, terms: Sequence[Term], source: str | None = None) -> Factor:
        """P(terms) of the named source, with one axis for each distinct symbol in the terms and their worlds.

        Every value is a label or a symbol, but for terms inside worlds that stand for another world's value.
        Raises `SutureError` where the distribution cannot tell.
        """
        ...


def symbols_of(terms: Sequence[Term]) -> tuple[Symbol, ...]:
    """The distinct symbols of the terms and their worlds, in the order they occur."""
    found: dict[Symbol, None] = {}
    stack = list(reversed(terms))
    while stack:
        term = stack.pop()
        if isinstance(term.value, Symbol):
            found[term.value] = None
        stack.extend(reversed(term.world))
    return tuple(found)


def position_of(label: str, variable: str, labels: tuple[str, ...]) -> int:
    """The place of a label among the values of a variable; raises `SutureError` S420 where it is none of them."""
    if label not in labels:
        message = f"{variable} has no value '{label}'"
        raise SutureError(Diagnostic("S420", message, help=f"the values of {variable} are {one_of(labels)}"))
    return labels.index(label)


# ---------------------------------------------------------------------------------------------------------------------
# Models


@dataclass(frozen=True)
class ModelDistribution:
    """The distribution of a finite model; worlds are answered by surgery on its diagram."""

    model: FiniteModel
    budget: Budget | None = None
    _known: dict[tuple[Term, ...], Factor] = field(default_factory=dict, repr=False, compare=False)

    @property
    def semiring(self) -> Semiring:
        """The semiring of the model."""
        return self.model.semiring

    def labels(self, variable: str) -> tuple[str, ...]:
        """The labels of the variable in the model."""
        return self.model.labels[variable]

    def joint(self, terms: Sequence[Term], source: str | None = None) -> Factor:
        """The terms' joint probability in parallel worlds; raises `SutureError` S420, S421 or S603."""
        if source is not None:
            raise SutureError(unknown_source(source, ()))
        key = tuple(terms)
        if key not in self._known:
            self._known[key] = self._joint(key)
        return self._known[key]

    def _joint(self, terms: tuple[Term, ...]) -> Factor:
        worlds = parallel_worlds(self.model.diagram, terms)
        require_functions(self.model, worlds, terms)
        factors = network_factors(self.model, worlds, terms)
        axes = symbols_of(terms)
        return Factor(axes, *contract_scaled(factors, axes, self.budget, self.semiring))


def require_functions(model: FiniteModel, worlds: Worlds, terms: Sequence[Term]) -> None:
    """Refuse terms that need a random mechanism in two worlds at once: raises `SutureError` S421.

    How such a mechanism behaves jointly in two worlds is not determined by its probabilities.
    """
    for name, boxes in sorted(worlds.copies().items()):
        if all(box in model.deterministic for box in boxes):
            continue
        shown = ", ".join(term_text(term) for term in terms)
        raise SutureError(
            Diagnostic(
                "S421",
                f"P({shown}) needs {name} in {len(boxes)} worlds at once, and its mechanism is not a function",
                help=f"write {name} with := and put its randomness into a latent variable",
            )
        )


def network_factors(model: FiniteModel, worlds: Worlds, terms: tuple[Term, ...]) -> list[Factor]:
    """What is contracted for the joint probability of terms: labels sliced, symbols as axes, other axes wires."""
    return _Network(model, worlds).factors(terms)


class _Network:
    """The factors of a diagram of parallel worlds with the terms' labels sliced and their symbols as axes."""

    def __init__(self, model: FiniteModel, worlds: Worlds) -> None:
        self.model = model
        self.worlds = worlds
        self.fixed: dict[int, int] = {}
        self.named: dict[int, Axis] = {}
        self.extra: list[Factor] = []

    def size(self, wire: int) -> int:
        return len(self.labels(wire))

    def labels(self, wire: int) -> tuple[str, ...]:
        return self.model.labels[self.worlds.diagram.wires[wire].type]

    def factors(self, terms: tuple[Term, ...]) -> list[Factor]:
        """Every factor: one a live box that is not a point state, and those that tie axes to one another."""
        diagram = self.worlds.diagram
        self._feed()
        for term, wire in zip(terms, self.worlds.wires, strict=True):
            self._observe(term, wire)
        for number in sorted(live_boxes(diagram)):
            box = diagram.boxes[number]
            if box.kind is not Kind.POINT:
                values = self.model.array(box, diagram.wires[box.outputs[0]].type)
                self.extra.append(self._sliced(values, (*box.inputs, *box.outputs)))
        for symbol in symbols_of(terms):
            size = len(self.model.labels[symbol.variable])
            self.extra.append(Factor((symbol,), self.model.semiring.array([Fraction(1)] * size)))
        return self.extra or [self._number(1)]

    def _feed(self) -> None:
        """Point states become slices, open interventions axes."""
        diagram = self.worlds.diagram
        for box in diagram.boxes:
            if box.kind is Kind.POINT:
                wire = box.outputs[0]
                self.fixed[wire] = position_of(str(box.value), diagram.wires[wire].type, self.labels(wire))
        for wire, term in zip(diagram.inputs, self.worlds.free, strict=True):
            self.named[wire] = term.value

    def _observe(self, term: Term, wire: int) -> None:
        """One term: its label slices its wire, its symbol names the wire's axis, or ties it to what is there."""
        if isinstance(term.value, Symbol):
            self._name(wire, term.value)
            return
        place = position_of(str(term.value), term.variable, self.labels(wire))
        if wire in self.fixed:
            self.extra.append(self._number(int(self.fixed[wire] == place)))
        elif wire in self.named:
            self.extra.append(Factor((self.named[wire],), one_hot(self.size(wire), place, self.model.semiring)))
            self.fixed[wire] = place
        else:
            self.fixed[wire] = place

    def _name(self, wire: int, symbol: Symbol) -> None:
        semiring, size = self.model.semiring, self.size(wire)
        if wire in self.fixed:
            self.extra.append(Factor((symbol,), one_hot(size, self.fixed[wire], semiring)))
        elif wire not in self.named:
            self.named[wire] = symbol
        elif self.named[wire] != symbol:
            ones: Array = semiring.array([Fraction(int(i == j)) for i in range(size) for j in range(size)])
            self.extra.append(Factor((self.named[wire], symbol), ones.reshape(size, size)))

    def _sliced(self, values: Array, wires: tuple[int, ...]) -> Factor:
        place = tuple(self.fixed.get(wire, slice(None)) for wire in wires)
        axes = tuple(self.named.get(wire, wire) for wire in wires if wire not in self.fixed)
        return Factor(axes, self.model.semiring.as_array(values[place]))

    def _number(self, value: int) -> Factor:
        return Factor((), self.model.semiring.as_array(self.model.semiring.number(Fraction(value))))


# ---------------------------------------------------------------------------------------------------------------------
# Several sources


@dataclass(frozen=True)
class Sources:
    """A distribution at hand (`None`) and others by name, all in one semiring; kernels say which they are of."""

    named: Mapping[str, Distribution]
    main: Distribution

    @property
    def semiring(self) -> Semiring:
        """The semiring of the distribution at hand."""
        return self.main.semiring

    def labels(self, variable: str) -> tuple[str, ...]:
        """The labels in the distribution at hand."""
        return self.main.labels(variable)

    def joint(self, terms: Sequence[Term], source: str | None = None) -> Factor:
        """The joint probability in the named source; raises `SutureError` S423 where there is none of that name."""
        if source is None:
            return self.main.joint(terms)
        if source not in self.named:
            raise SutureError(unknown_source(source, tuple(self.named)))
        return self.named[source].joint(terms)


def unknown_source(source: str, names: Sequence[str]) -> Diagnostic:
    """S423: a kernel of a source that is not there."""
    known = f"the sources are {one_of(tuple(names))}" if names else "evaluate it against the sources it names"
    return Diagnostic("S423", f"there is no distribution named '{source}' here", help=known)
