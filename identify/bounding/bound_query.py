"""Queries as polynomials in what is unknown: probabilities of events of response types, one factor a district.

A counterfactual event is the disjoint union, over the values of every variable in every world it depends on, of events
that fix one response a copy of a variable; latent wires of different districts are independent, so the probability of
each is a product over districts (Shpitser and Pearl 2007 and Correa, Lee, Bareinboim 2021, counterfactual factors).  A
factor that the data determine becomes a number, and what is left are monomials in unknown events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product as combinations
from numbers import Number
from typing import Any, TypeAlias, assert_never

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Diagram, Kind
from ...dsl.formula import (
    Constant,
    Formula,
    Kernel,
    Plus,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    ValueOf,
    kernels,
    node_terms,
    subformulas,
)
from ...dsl.formula_text import term_text
from ...dsl.labels import number
from ...dsl.worlds import in_world, parallel_worlds
from ...semantics.distribution import position_of
from .response_types import Event, Layout, Response

Monomial: TypeAlias = tuple[Event, ...]
Polynomial: TypeAlias = Mapping[Monomial, Any]
Known: TypeAlias = Callable[[Event], Any]

MOST_CASES = 200_000
ONE: Polynomial = {(): Fraction(1)}


class NotLinear(Exception):
    """The query is no quotient of sums of products of unknown probabilities; the argument says why."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """A polynomial over another."""

    above: Polynomial
    below: Polynomial


def constant(value: Any) -> Quotient:
    """A number as a quotient."""
    return Quotient(_clean({(): value}), ONE)


def is_number(polynomial: Polynomial) -> bool:
    """Whether nothing unknown is left."""
    return not any(polynomial)


def as_number(polynomial: Polynomial) -> Any:
    """The number of a polynomial without unknowns."""
    return polynomial.get((), Fraction(0))


def _clean(polynomial: Mapping[Monomial, Any]) -> Polynomial:
    return {monomial: weight for monomial, weight in polynomial.items() if weight}


def _added(first: Polynomial, second: Polynomial) -> Polynomial:
    found = dict(first)
    for monomial, weight in second.items():
        found[monomial] = found[monomial] + weight if monomial in found else weight
    return _clean(found)


def _times(first: Polynomial, second: Polynomial) -> Polynomial:
    found: dict[Monomial, Any] = {}
    for (one, left), (other, right) in combinations(first.items(), second.items()):
        monomial = tuple(sorted((*one, *other)))
        found[monomial] = found[monomial] + left * right if monomial in found else left * right
    return _clean(found)


def added(first: Quotient, second: Quotient) -> Quotient:
    """The sum of two quotients; raises `NotLinear` where their denominators are unknown and differ."""
    left, right = divided(first), divided(second)
    if left.below == right.below:
        return Quotient(_added(left.above, right.above), left.below)
    if not is_number(left.below) and not is_number(right.below):
        raise NotLinear("it adds quotients with different unknown denominators")
    above = _added(_times(left.above, right.below), _times(right.above, left.below))
    return Quotient(above, _times(left.below, right.below))


def times(first: Quotient, second: Quotient) -> Quotient:
    """The product of two quotients."""
    return Quotient(_times(first.above, second.above), _times(first.below, second.below))


def divided(quotient: Quotient) -> Quotient:
    """The quotient with a denominator of one, where that is a number (and not the name of one)."""
    below = as_number(quotient.below)
    if not is_number(quotient.below) or not isinstance(below, Number) or quotient.below == ONE:
        return quotient
    number: Any = below
    return Quotient({monomial: weight / number for monomial, weight in quotient.above.items()}, ONE)


# ---------------------------------------------------------------------------------------------------------------------
# Formulas


@dataclass(frozen=True)
class QueryReader:
    """Reads formulas over a layout; `known` gives the number of an event of one district, or None."""

    layout: Layout
    known: Known
    text: str = "the query"

    def read(self, formula: Formula, free: Mapping[str, str] | None = None) -> Quotient:
        """The formula as a quotient of polynomials; `free` gives labels to the bare names in it.

        Raises `NotLinear`, or `SutureError`: S420 no such value, S424 an impossible condition, S603 too many cases.
        """
        return self._value(formula, {}, free or {})

    def _value(self, node: Formula, scope: Mapping[Symbol, str], free: Mapping[str, str]) -> Quotient:
        match node:
            case Constant(value):
                return constant(value)
            case ValueOf(term):
                return constant(self._number(self._placed(term, scope, free)))
            case Kernel():
                return self._kernel(node, scope, free)
            case Product(factors):
                result = constant(Fraction(1))
                for factor in factors:
                    result = times(result, self._value(factor, scope, free))
                return result
            case Plus(summands):
                result = constant(Fraction(0))
                for summand in summands:
                    result = added(result, self._value(summand, scope, free))
                return result
            case Sum(binders, body):
                result = constant(Fraction(0))
                for case in combinations(*(self.labels(symbol.variable) for symbol in binders)):
                    inner = {**scope, **dict(zip(binders, case, strict=True))}
                    result = added(result, self._value(body, inner, free))
                return result
            case Ratio(numerator, denominator):
                return self._ratio(self._value(numerator, scope, free), self._value(denominator, scope, free))
            case _:
                assert_never(node)

    def labels(self, variable: str) -> tuple[str, ...]:
        """The labels of a variable."""
        return self.layout.labels[self.layout.graph.index[variable]]

    def _number(self, term: Term) -> Fraction:
        value = number(str(term.value))
        if value is None:
            message = f"'{term.value}' of {term.variable} is not a number"
            raise SutureError(
                Diagnostic("S425", message, help=f"ask for a probability, or give {term.variable} numbers")
            )
        return value

    def _placed(self, term: Term, scope: Mapping[Symbol, str], free: Mapping[str, str]) -> Term:
        """The term with a label for its value; worlds alike."""
        if term.swap is not None:
            raise NotLinear("it swaps mechanisms between domains")
        world = tuple(self._intervention(part, scope, free) for part in term.world)
        return replace(term, value=self._label(term, scope, free), world=world)

    def _label(self, term: Term, scope: Mapping[Symbol, str], free: Mapping[str, str]) -> str:
        if isinstance(term.value, Symbol):
            return scope[term.value]
        label = free[free_name(term)] if term.value is None else term.value
        position_of(label, term.variable, self.labels(term.variable))
        return label

    def _intervention(self, term: Term, scope: Mapping[Symbol, str], free: Mapping[str, str]) -> Term:
        if term.world:
            return replace(term, world=tuple(self._intervention(part, scope, free) for part in term.world))
        return self._placed(term, scope, free)

    def _kernel(self, kernel: Kernel, scope: Mapping[Symbol, str], free: Mapping[str, str]) -> Quotient:
        if kernel.source is not None:
            raise NotLinear(f"it names the source {kernel.source}")
        do = [self._placed(term, scope, free) for term in kernel.do]
        outcomes, given = (
            [in_world(self._placed(term, scope, free), do) for term in terms]
            for terms in (kernel.outcomes, kernel.given)
        )
        above = Quotient(self.chance((*outcomes, *given)), ONE)
        return self._ratio(above, Quotient(self.chance(tuple(given)), ONE)) if given else above

    def _ratio(self, above: Quotient, below: Quotient) -> Quotient:
        if not below.above:
            message = f"{self.text} is not determined: its condition has probability 0"
            raise SutureError(Diagnostic("S424", message, help="ask for values that occur"))
        return divided(Quotient(_times(above.above, below.below), _times(above.below, below.above)))

    def chance(self, terms: tuple[Term, ...]) -> Polynomial:
        """The probability that all terms hold, each in its world."""
        found: dict[Monomial, Any] = {}
        for case in cases(self.layout, terms):
            weight: Any = Fraction(1)
            unknown: list[Event] = []
            for event in self._by_district(case):
                value = self.known(event)
                if value is None:
                    unknown.append(event)
                else:
                    weight = weight * value
            monomial = tuple(sorted(unknown))
            found[monomial] = found[monomial] + weight if monomial in found else weight
        return _clean(found)

    def _by_district(self, case: Mapping[Response, int]) -> Iterator[Event]:
        for district in self.layout.districts:
            event = tuple(sorted(item for item in case.items() if district >> item[0][0] & 1))
            if event:
                yield event


def free_name(term: Term) -> str:
    """The name of a term without value: what a query is a function of."""
    return term_text(replace(term, value=None))


def free_terms(formula: Formula) -> tuple[Term, ...]:
    """The terms without value that a query is a function of, in the order they occur, each name once."""
    found: dict[str, Term] = {}
    for node in subformulas(formula):
        inner = {id(part) for term in node_terms(node) for part in term.world if part.world}
        for term in node_terms(node):
            if term.value is None and id(term) not in inner and term.swap is None:
                found.setdefault(free_name(term), term)
    return tuple(found.values())


def set_variables(formula: Formula) -> frozenset[str]:
    """The variables that some world of the formula sets."""
    inside = (part.variable for node in subformulas(formula) for term in node_terms(node) for part in term.world)
    return frozenset(inside) | {term.variable for kernel in kernels(formula) for term in kernel.do}


# ---------------------------------------------------------------------------------------------------------------------
# Counterfactual events


def cases(layout: Layout, terms: tuple[Term, ...]) -> list[dict[Response, int]]:
    """The disjoint cases of a counterfactual event: the response of every copy of a variable it depends on.

    Raises `SutureError` S603 beyond `MOST_CASES`.
    """
    worlds = parallel_worlds(layout.plain, terms)
    diagram = worlds.diagram
    required: dict[int, int] = {}
    for term, wire in zip(terms, worlds.wires, strict=True):
        labels = layout.labels[layout.graph.index[term.variable]]
        place = position_of(str(term.value), term.variable, labels)
        if required.setdefault(wire, place) != place:
            return []
    found: list[tuple[dict[int, int], dict[Response, int]]] = [({}, {})]
    for box in _live(diagram):
        wire = box.outputs[0]
        position = layout.graph.index[diagram.wires[wire].type]
        wanted = required.get(wire)
        if box.kind is Kind.POINT:
            place = position_of(str(box.value), layout.graph.names[position], layout.labels[position])
            found = [({**values, wire: place}, known) for values, known in found if wanted in (None, place)]
        else:
            found = [
                ({**values, wire: value}, {**known, response: value})
                for values, known in found
                for response in [(position, tuple(values[below] for below in box.inputs))]
                for value in ([known[response]] if response in known else range(layout.sizes[position]))
                if wanted in (None, value)
            ]
        if len(found) > MOST_CASES:
            message = f"the query depends on more than {MOST_CASES:,} cases of the variables it is over"
            raise SutureError(Diagnostic("S603", message, help="fix some of them at a value, or leave them out"))
    return [known for _, known in found]


def _live(diagram: Diagram) -> list[Any]:
    from ...dsl.diagram import live_boxes

    live = live_boxes(diagram)
    return [diagram.boxes[number] for number in diagram.order if number in live]
