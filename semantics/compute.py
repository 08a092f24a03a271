"""Queries computed from a model whose mechanisms are given: observational, interventional and counterfactual.

The answer is exact where that is affordable: a closed form where the model has parameters, rationals where the numbers
are rational (they are as written: 0.3 is 3/10) and the contraction is small, float64 otherwise.  Only the mechanisms
that the query depends on need to be given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ..dsl.diagnostics import SutureError
from ..dsl.formula import Formula, Kernel, Term, rebuild
from ..dsl.program import Domain, Mechanism, Model, Query, Real, Table
from ..dsl.rows import NumberRows
from .budget import Budget
from .distribution import ModelDistribution
from .evaluate import Evaluation, evaluation, require_determined
from .factors import NamedTable
from .mechanisms import mechanism_array, mechanism_floats
from .needs import given_mechanisms, labels_of, missing_mechanism, needed
from .semiring import PROBABILITY, RATIONAL, Array, Semiring
from .stochastic import FiniteModel

EXACT_BUDGET = Budget(bytes=1 << 22, flops=50_000)


def compute(
    query: Query, model: Model, domains: Mapping[str, Domain] | None = None, budget: Budget | None = None
) -> NamedTable:
    """The query's table over its free variables: Fractions, SymPy expressions, or floats where the model is large.

    Entries that condition on an impossible event are nan; where no entry is determined, that is an error (S424).
    Raises `SutureError` naming what is missing (S427, S428), where worlds need functions (S421), beyond the budget
    (S603).
    """
    done = compute_formula(query.formula, model, domains, budget)
    if bool(done.table.undetermined.all()):
        return require_determined(done, query.text)
    return done.table


def compute_formula(
    formula: Formula, model: Model, domains: Mapping[str, Domain] | None = None, budget: Budget | None = None
) -> Evaluation:
    """As `compute`, for a formula and with the gaps of its undetermined entries."""
    plain = with_domains(formula, domains or {})
    if any(isinstance(variable.values, Real) for variable in model.variables):
        need = needed(model.diagram, plain)
        if any(isinstance(model.by_name[name].values, Real) for name in need.variables):
            from .real.gaussian_query import mixed_evaluation

            return mixed_evaluation(plain, model, need, domains or {})
    finite = finite_model(model, plain, domains)
    if finite.semiring is RATIONAL:
        try:
            return evaluation(plain, ModelDistribution(finite, EXACT_BUDGET), None, EXACT_BUDGET)
        except SutureError as error:
            if error.diagnostics[0].code != "S603":
                raise
            finite = as_floats(finite)
    return evaluation(plain, ModelDistribution(finite, budget), None, budget)


def with_domains(formula: Formula, domains: Mapping[str, Domain]) -> Formula:
    """The formula with the domain of each kernel, and swaps of everything (`. ~ rural`), as swaps of mechanisms."""

    def node(part: Formula) -> Formula:
        if not isinstance(part, Kernel):
            return part
        ambient = _lent(str(part.source), domains) if part.source in domains else ()
        outcomes, given = (
            tuple(_settled(term, ambient, domains) for term in terms) for terms in (part.outcomes, part.given)
        )
        fixed = {term.variable for term in part.do}
        do = part.do + tuple(term for term in ambient if term.variable not in fixed)
        return Kernel(outcomes, given, do, None if part.source in domains else part.source)

    return rebuild(formula, node)


def _lent(name: str, domains: Mapping[str, Domain]) -> tuple[Term, ...]:
    """Swaps of every mechanism in which a domain differs."""
    return tuple(Term(variable, swap=name) for variable in domains[name].mechanisms)


def _settled(term: Term, ambient: tuple[Term, ...], domains: Mapping[str, Domain]) -> Term:
    """The term with `. ~ rural` spelled out, and without swaps that change nothing."""
    around = {each.variable for each in ambient}
    own = {each.variable for each in term.world}
    world: list[Term] = []
    for each in term.world:
        if each.swap is None:
            world.append(_settled(each, ambient, domains))
        elif each.variable == ".":
            names = dict.fromkeys([*domains[each.swap].mechanisms, *(other.variable for other in ambient)])
            world += [Term(name, swap=each.swap) for name in names if name not in own]
        elif each.variable in domains[each.swap].mechanisms or each.variable in around:
            world.append(each)
    return replace(term, world=tuple(world))


# ---------------------------------------------------------------------------------------------------------------------
# From the program's model to arrays


def finite_model(model: Model, formula: Formula, domains: Mapping[str, Domain] | None = None) -> FiniteModel:
    """The part of a program's model that a formula depends on, exact where its entries are.

    Tables of more numbers than an exact evaluation could work through are read as float64 at once.
    Raises `SutureError` for all values and mechanisms that are missing.
    """
    need = needed(model.diagram, formula)
    labels = labels_of(model, need.variables)
    given = given_mechanisms(model, need, domains or {})
    arrays = None
    if _entries(given.values()) > EXACT_BUDGET.flops:
        arrays = {name: mechanism_floats(model, need.boxes[name], mechanism) for name, mechanism in given.items()}
    if arrays is None or any(array is None for array in arrays.values()):
        arrays = {name: mechanism_array(model, need.boxes[name], mechanism) for name, mechanism in given.items()}
    missing = [name for name in need.boxes if arrays.get(name) is None]
    if missing:
        raise SutureError(tuple(missing_mechanism(model, need.boxes[name], name) for name in missing))
    made = {name: array for name, array in arrays.items() if array is not None}
    semiring, elements = _in_semiring(made)
    return FiniteModel(model.diagram, labels, elements, semiring)


def _entries(mechanisms: Iterable[Mechanism]) -> int:
    """How many numbers the tables hold that came as numbers."""
    rows = [mechanism.rows for mechanism in mechanisms if isinstance(mechanism, Table)]
    return sum(math.prod(own.numbers.shape) for own in rows if isinstance(own, NumberRows))


def float_model(model: Model) -> FiniteModel:
    """All of a program's model in float64: every variable's labels, and the array of every mechanism that has numbers.

    Raises `SutureError` for a variable without finitely many values.
    """
    labels = labels_of(model, [variable.name for variable in model.variables])
    arrays = {name: mechanism_floats(model, name, mechanism) for name, mechanism in model.mechanisms.items()}
    return FiniteModel(model.diagram, labels, {name: array for name, array in arrays.items() if array is not None})


def _in_semiring(arrays: Mapping[str, Array]) -> tuple[Semiring, dict[str, Array]]:
    """Floats and rationals stay what they are; anything else makes every entry a closed form."""
    if arrays and all(array.dtype == np.float64 for array in arrays.values()):
        return PROBABILITY, dict(arrays)
    entries = [entry for array in arrays.values() for entry in array.flat]
    if all(isinstance(entry, Fraction) for entry in entries):
        return RATIONAL, dict(arrays)
    from .symbolic import ClosedForm

    field = ClosedForm(entries)
    return field, {name: field.elements(array) for name, array in arrays.items()}


def as_floats(model: FiniteModel) -> FiniteModel:
    """The model with float64 entries."""
    arrays = {name: array.astype(np.float64) for name, array in model.arrays.items()}
    return FiniteModel(model.diagram, model.labels, arrays, PROBABILITY)
