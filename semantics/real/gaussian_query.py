"""Queries about models with real variables, evaluated: numbers, closed forms, and laws.

A query is arithmetic over `P(..)` and `E(..)`.  `E` of sums and products of variables is a moment of a conditional law,
so variances and covariances are arithmetic of expectations.  `P(Y | ..)` of a bare real Y is its law, which stands
alone; `P(Y = 2 | ..)` is its density there, or the probability where Y has finitely many values there.  A finite
variable left bare makes a table, a real one left bare after the bar or in `do(..)` stands in the answer by its name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product as cases_of
from typing import Any, assert_never

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
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
    map_terms,
    rebuild,
    subformulas,
)
from ...dsl.formula_text import kernel_text, term_text
from ...dsl.program import Domain, Model
from ...dsl.worlds import in_world
from ..distribution import unknown_source
from ..evaluate import Evaluation, Gap, number_of_label
from ..factors import NamedTable
from ..needs import Needed
from ..semiring import RATIONAL
from .conditional_gaussian import (
    CLOSED_WEIGHTS,
    Case,
    Impossible,
    Posterior,
    agrees,
    exact_numbers,
    exponent_and_volume,
    field_of,
    logarithm,
    posterior,
    vector,
)
from .gaussian import eliminate, zeros
from .gaussian_law import Component, Law, Number, simplest
from .mixed_model import MixedModel, element, mixed_model, real_value

MOST_CASES = 10_000
"""Cases of bare finite variables that a table may have."""

MOST_GAPS = 3
"""Conditions that cannot happen of which an answer tells."""

DENSITY = "a density, since {} is real: the probability of a single number is zero"


def mixed_evaluation(formula: Formula, model: Model, need: Needed, domains: Mapping[str, Domain]) -> Evaluation:
    """The table of a formula over its bare finite variables; entries are numbers or laws.

    Raises `SutureError`: S427 and S428 for what is missing, S450 to S457 for what is not conditional Gaussian or asks
    too much of laws, S421 for worlds that need functions, S603 beyond the budget.
    """
    run = _Evaluation(mixed_model(model, need, domains))
    axes = _axes(formula, run.mixed)
    labels = tuple(run.mixed.labels(variable) for variable in axes.values())
    if np.prod([len(own) for own in labels], dtype=object) > MOST_CASES:
        message = f"a table over {', '.join(axes)} has more than {MOST_CASES:,} rows"
        raise SutureError(Diagnostic("S603", message, help="give some of them a value"))
    values = np.empty([len(own) for own in labels], dtype=object)
    for place in np.ndindex(*values.shape):
        case = {name: own[number] for name, own, number in zip(axes, labels, place, strict=True)}
        value = run.top(_at(formula, case))
        values[place] = float("nan") if value is None else value
    if any(isinstance(value, float) and value == value for value in values.flat):
        values = _as_floats(values)
    table = NamedTable(tuple(axes), labels, values)
    gaps = tuple(run.gaps.values())[:MOST_GAPS] if bool(table.undetermined.any()) else ()
    return Evaluation(table, gaps, tuple(run.notes))


def _as_floats(values: Any) -> Any:
    """Numbers as floats where one of them is; laws and closed forms in parameters stay."""
    made = values.copy()
    for place in np.ndindex(*values.shape):
        if isinstance(values[place], Fraction):
            made[place] = float(values[place])
    return made


# ---------------------------------------------------------------------------------------------------------------------
# Bare finite variables


def _axes(formula: Formula, mixed: MixedModel) -> dict[str, str]:
    """Names of the table's axes with their variables, in the order of use; a variable in several worlds has several."""
    found: dict[str, str] = {}
    for node in subformulas(formula):
        if isinstance(node, Kernel):
            several = _in_several_worlds(node)
            for term in (*node.outcomes, *node.given):
                _note_axes(term, node, several, mixed, found)
            for term in node.do:
                if term.value is None and term.swap is None and not mixed.is_real(term.variable):
                    found.setdefault(term.variable, term.variable)
    return found


def _note_axes(term: Term, kernel: Kernel, several: set[str], mixed: MixedModel, found: dict[str, str]) -> None:
    if term.value is None and not mixed.is_real(term.variable):
        found.setdefault(term_text(term) if term.variable in several else term.variable, term.variable)
    for part in in_world(term, kernel.do).world:
        for inner in _settings(part):
            if inner.value is None and not mixed.is_real(inner.variable):
                found.setdefault(inner.variable, inner.variable)


def _settings(term: Term) -> Iterator[Term]:
    """The interventions of a world, those of nested worlds among them, that set a value or none."""
    if term.swap is not None:
        return
    if not term.world:
        yield term
    for part in term.world:
        yield from _settings(part)


def _in_several_worlds(kernel: Kernel) -> set[str]:
    """Variables that stand bare in several worlds of one kernel."""
    worlds: dict[str, set[tuple[Term, ...]]] = {}
    for term in kernel.outcomes + kernel.given:
        if term.value is None:
            worlds.setdefault(term.variable, set()).add(term.world)
    return {variable for variable, found in worlds.items() if len(found) > 1}


def _at(formula: Formula, case: Mapping[str, str]) -> Formula:
    """The formula with its bare finite variables at the labels of a case."""
    if not case:
        return formula

    def node(part: Formula) -> Formula:
        if not isinstance(part, Kernel):
            return part
        several = _in_several_worlds(part)
        outcomes = tuple(_placed(term, case, several) for term in part.outcomes)
        given = tuple(_placed(term, case, several) for term in part.given)
        return Kernel(outcomes, given, tuple(_placed(term, case, set()) for term in part.do), part.source)

    return rebuild(formula, node)


def _placed(term: Term, case: Mapping[str, str], several: set[str]) -> Term:
    """A term of a kernel with its value, and those of its worlds, at the labels of a case."""
    value = term.value
    if value is None and term.swap is None:
        value = case.get(term_text(term) if term.variable in several else term.variable)
    return replace(term, value=value, world=tuple(_inside(part, case) for part in term.world))


def _inside(term: Term, case: Mapping[str, str]) -> Term:
    if term.swap is not None:
        return term
    if term.world:
        return replace(term, world=tuple(_inside(part, case) for part in term.world))
    return replace(term, value=case.get(term.variable)) if term.value is None else term


# ---------------------------------------------------------------------------------------------------------------------
# One case


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """One run: conditional laws are computed once, gaps and notes are kept on the way."""

    mixed: MixedModel
    gaps: dict[Kernel, Gap] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    known: dict[tuple[tuple[Term, ...], tuple[Term, ...]], Posterior | Impossible] = field(default_factory=dict)

    def top(self, formula: Formula) -> Number | Law | None:
        """The value of a formula without bare finite variables; None where it is not determined."""
        if isinstance(formula, Kernel) and self.bare(formula):
            return self.law(formula)
        value = self.value(formula)
        return value if value is None or isinstance(value, (Fraction, float)) else simplest(value)

    def value(self, node: Formula) -> Number | None:
        """A number; None where it is not determined."""
        match node:
            case Constant(number):
                return number
            case Kernel():
                return self.kernel(node)
            case Product(factors):
                return _product([self.value(factor) for factor in factors])
            case Plus(summands):
                return _sum([self.value(summand) for summand in summands])
            case Ratio(numerator, denominator):
                return _ratio(self.value(numerator), self.value(denominator))
            case Sum(binders, body):
                return self.summed(binders, body)
            case ValueOf(term):
                return self.number_of(term)
            case _:
                assert_never(node)

    def number_of(self, term: Term) -> Number:
        """The number that a term's value stands for."""
        if not isinstance(term.value, str):
            raise ValueError(f"{term_text(term)} has no value")
        return (
            real_value(term.value) if self.mixed.is_real(term.variable) else number_of_label(term.value, term.variable)
        )

    def summed(self, binders: tuple[Symbol, ...], body: Formula) -> Number | None:
        """An expectation, or a sum over finite variables."""
        moment = _moment(binders, body)
        if moment is not None:
            return self.expectation(*moment)
        real = [symbol.variable for symbol in binders if self.mixed.is_real(symbol.variable)]
        if real:
            message = f"a sum over {real[0]}, which is real, is an integral, and none is computed here"
            raise SutureError(
                Diagnostic("S426", message, help="ask for expectations, E(..), or sum over finite variables")
            )
        parts: list[Number | None] = []
        for labels in cases_of(*(self.mixed.labels(symbol.variable) for symbol in binders)):
            parts.append(self.value(_bound(body, dict(zip(binders, labels, strict=True)))))
        return _sum(parts)

    # -- kernels

    def bare(self, kernel: Kernel) -> list[Term]:
        """The outcomes that are real and have no value."""
        return [term for term in kernel.outcomes if term.value is None and self.mixed.is_real(term.variable)]

    def conditioned(self, kernel: Kernel) -> Posterior | None:
        """The law of the outcomes whatever their values; None, and a gap, where the condition cannot happen."""
        if kernel.source is not None:
            raise SutureError(unknown_source(kernel.source, ()))
        outcomes = tuple(replace(in_world(term, kernel.do), value=None) for term in kernel.outcomes)
        given = tuple(self.observed(term, kernel) for term in kernel.given)
        key = (outcomes, given)
        if key not in self.known:
            try:
                self.known[key] = posterior(self.mixed, outcomes, given)
            except Impossible as reason:
                self.known[key] = reason
        found = self.known[key]
        if isinstance(found, Posterior):
            return found
        cell = tuple((term_text(replace(term, value=None)), _shown(term)) for term in kernel.given)
        plain = replace(kernel, outcomes=kernel.outcomes)
        self.gaps.setdefault(plain, Gap(plain, (cell,), str(found)))
        return None

    def observed(self, term: Term, kernel: Kernel) -> Term:
        """A term after the bar in its world; a real one without a value stands for itself."""
        value = term.value
        if value is None:
            value = Symbol(term_text(term), term.variable)
        return replace(in_world(term, kernel.do), value=value)

    def law(self, kernel: Kernel) -> Law | None:
        """The joint law of the bare real outcomes, those finite outcomes that have a value happening."""
        bare = self.bare(kernel)
        valued = [term for term in kernel.outcomes if term.value is not None and self.mixed.is_real(term.variable)]
        if valued:
            law, point = bare[0].variable, term_text(valued[0])
            message = f"{kernel_text(kernel)} asks for the law of {law} and for a density at {point}"
            hint = "give each real variable before the bar a value, or none; what is known comes after the bar"
            raise SutureError(Diagnostic("S457", message, help=hint))
        found = self.conditioned(kernel)
        if found is None:
            return None
        names = [
            f"{term_text(term)}.{place + 1}" if length > 1 else term_text(term)
            for term, length in zip(bare, found.lengths, strict=True)
            for place in range(length)
        ]
        cases = tuple(case.law for case in found.cases if _happens(case, found, kernel))
        return Law(tuple(names), cases)

    def kernel(self, kernel: Kernel) -> Number | None:
        """The probability or density of outcomes at values."""
        bare = self.bare(kernel)
        if bare:
            message = f"{kernel_text(kernel)} is a law, and laws are not added, multiplied or compared"
            hint = f"ask for a number: E({bare[0].variable}), or P({bare[0].variable} = ..)"
            raise SutureError(Diagnostic("S457", message, help=hint))
        found = self.conditioned(kernel)
        if found is None:
            return None
        happening = [case for case in found.cases if _happens(case, found, kernel)]
        closed = len(happening) <= CLOSED_WEIGHTS
        densities = [density(case.law, _values(found, kernel), kernel, closed) for case in happening]
        if len({rank for _, rank in densities}) > 1:
            message = f"{kernel_text(kernel)} mixes a probability with a density"
            hint = (
                "in some cases of the finite variables the value is certain, in others one of many; condition on them"
            )
            raise SutureError(Diagnostic("S457", message, help=hint))
        if any(rank for _, rank in densities):
            real = [term.variable for term in kernel.outcomes if self.mixed.is_real(term.variable)]
            self.notes[DENSITY.format(" and ".join(dict.fromkeys(real)))] = None
        return _sum([case.law.weight * value for case, (value, _) in zip(happening, densities, strict=True)])

    def expectation(self, factors: Sequence[Term], kernel: Kernel) -> Number | None:
        """The mean of a product of terms, each an outcome of the kernel."""
        found = self.conditioned(kernel)
        if found is None:
            return None
        for place, length in zip(found.real, found.lengths, strict=True):
            if length > 1:
                name = kernel.outcomes[place].variable
                message = f"{name} is a vector, and an expectation is a number"
                raise SutureError(Diagnostic("S457", message, help=f"ask for its law: P({name})"))
        outcome = {term.value: place for place, term in enumerate(kernel.outcomes)}
        places = [outcome[term.value] for term in factors]
        return _sum([case.law.weight * self.mean(case, found, kernel, places) for case in found.cases])

    def mean(self, case: Case, found: Posterior, kernel: Kernel, places: Sequence[int]) -> Number:
        """The mean of the product of the outcomes at `places` in one case."""
        numbers = [
            number_of_label(case.labels[found.finite.index(place)], kernel.outcomes[place].variable)
            for place in places
            if place in found.finite
        ]
        result = case.law.moment([found.real.index(place) for place in places if place in found.real])
        for number in numbers:
            result = result * number
        return result


def _moment(binders: tuple[Symbol, ...], body: Formula) -> tuple[list[Term], Kernel] | None:
    """A sum that is an expectation: numbers that values stand for, times one kernel whose outcomes they are."""
    factors = body.factors if isinstance(body, Product) else (body,)
    kernels = [factor for factor in factors if isinstance(factor, Kernel)]
    numbers = [factor.term for factor in factors if isinstance(factor, ValueOf)]
    if len(kernels) != 1 or len(numbers) + 1 != len(factors):
        return None
    (kernel,) = kernels
    if sorted(map(str, binders)) != sorted(str(term.value) for term in kernel.outcomes):
        return None
    given = [term for term in (*kernel.given, *kernel.do) if isinstance(term.value, Symbol)]
    inner = [
        part for term in (*kernel.outcomes, *kernel.given) for part in term.world if isinstance(part.value, Symbol)
    ]
    return None if given or inner else (numbers, kernel)


def _bound(body: Formula, values: Mapping[Symbol, str]) -> Formula:
    """The body of a sum with its symbols at labels."""

    def change(term: Term) -> Term:
        return replace(term, value=values.get(term.value, term.value)) if isinstance(term.value, Symbol) else term

    return map_terms(body, change)


def _happens(case: Case, found: Posterior, kernel: Kernel) -> bool:
    """Whether the finite outcomes have their values in a case."""
    return all(kernel.outcomes[place].value == label for place, label in zip(found.finite, case.labels, strict=True))


def _shown(term: Term) -> str:
    return str(term.value) if isinstance(term.value, str) else ".."


# ---------------------------------------------------------------------------------------------------------------------
# Numbers


def _values(found: Posterior, kernel: Kernel) -> list[Fraction]:
    """The numbers that the real outcomes are asked at, one a coordinate."""
    return [
        real_value(str(kernel.outcomes[place].value))
        for place, length in zip(found.real, found.lengths, strict=True)
        for _ in range(length)
    ]


def density(law: Component, values: Sequence[Fraction], kernel: Kernel, closed: bool) -> tuple[Number, int]:
    """The density of a normal law at values, and over how many dimensions; over none it is a probability, 0 or 1.

    In closed form where `closed` and the law is exact.  Raises `SutureError` S457 where variables are tied to one
    another, so that there is no density.
    """
    numbers = field_of([*law.mean, *(entry for row in law.covariance for entry in row)])
    deviations, covariance = zeros(numbers, len(values)), zeros(numbers, len(values), len(values))
    for place, value in enumerate(values):
        deviations[place] = element(numbers, value) - element(numbers, law.mean[place])
        for other, entry in enumerate(law.covariance[place]):
            covariance[place, other] = element(numbers, entry)
    done = eliminate(covariance, range(len(values)), numbers)
    if not done.basis:
        return Fraction(int(all(agrees(each, 1.0, numbers) for each in deviations))), 0
    if done.tied:
        message = f"{kernel_text(kernel)} has no density: some of its variables are functions of the others"
        raise SutureError(Diagnostic("S457", message, help="ask for fewer of them"))
    exponent, volume = exponent_and_volume(done, deviations, numbers)
    rank = len(done.basis)
    if not numbers.exact or (numbers is RATIONAL and not closed):
        scale = rank * math.log(2 * math.pi) + logarithm(volume)
        return math.exp(-(float(exponent) + scale) / 2), rank
    import sympy

    power, square = exact_numbers(vector([exponent / 2, volume], numbers), numbers)
    return sympy.exp(-power) / sympy.sqrt((2 * sympy.pi) ** rank * square), rank


def _sum(parts: Iterable[Number | None]) -> Number | None:
    known = list(parts)
    if any(part is None for part in known):
        return None
    total: Number = Fraction(0)
    for part in known:
        total = total + part
    return total


def _product(parts: Sequence[Number | None]) -> Number | None:
    """A product; zero times what is not determined is zero."""
    if any(part is not None and part == 0 for part in parts):
        return Fraction(0)
    if any(part is None for part in parts):
        return None
    result: Number = Fraction(1)
    for part in parts:
        result = result * part
    return result


def _ratio(above: Number | None, below: Number | None) -> Number | None:
    return None if above is None or below is None or below == 0 else above / below
