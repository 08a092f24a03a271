"""Random formulas on models with impossible events, exactly, against the rules of positivity by recursion."""

from __future__ import annotations

from fractions import Fraction
from itertools import product as cartesian

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Constant, Formula, Kernel, Plus, Product, Ratio, Sum, Symbol, Term
from suture.semantics.distribution import ModelDistribution
from suture.semantics.evaluate import evaluate
from suture.semantics.semiring import RATIONAL
from suture.semantics.stochastic import FiniteModel

from . import brute

NAMES: tuple[str, ...] = ("A", "B", "C")
GRAPH = model_diagram({"A": (), "B": ("A",), "C": ("A", "B")})
SYMBOLS = {name: (Symbol(f"{name.lower()}1", name), Symbol(f"{name.lower()}2", name)) for name in NAMES}


def sparse_model(seed: int) -> FiniteModel:
    """Rational mechanisms in which about every third entry is zero."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for place, name in enumerate(NAMES):
        counts = generator.integers(1, 5, size=(2,) * (place + 1)) * (generator.random((2,) * (place + 1)) < 0.65)
        counts[..., 0] += counts.sum(axis=-1) == 0
        totals = counts.sum(axis=-1, keepdims=True)
        arrays[name] = np.vectorize(lambda n, d: Fraction(int(n), int(d)), otypes=[object])(counts, totals)
    return FiniteModel(GRAPH, dict.fromkeys(NAMES, ("0", "1")), arrays, RATIONAL)


def kernels(scope: tuple[Symbol, ...]) -> st.SearchStrategy[Formula]:
    def term(name: str) -> st.SearchStrategy[Term]:
        bound = [symbol for symbol in scope if symbol.variable == name]
        return st.sampled_from([Term(name), Term(name, "0"), Term(name, "1"), *(Term(name, s) for s in bound)])

    def kernel(roles: tuple[int, ...]) -> st.SearchStrategy[Formula]:
        parts = [st.tuples(*(term(n) for n, role in zip(NAMES, roles, strict=True) if role == r)) for r in range(3)]
        return st.builds(Kernel, *parts)

    roles = [roles for roles in cartesian(range(4), repeat=3) if 0 in roles]
    return st.sampled_from(roles).flatmap(kernel)


def formulas(depth: int, scope: tuple[Symbol, ...] = ()) -> st.SearchStrategy[Formula]:
    """Formulas of positive constants and kernels; binders may shadow one another."""
    if depth == 0:
        return st.one_of(kernels(scope), st.sampled_from([Constant(Fraction(1, 2)), Constant(Fraction(3))]))
    below = formulas(depth - 1, scope)
    pair = st.tuples(below, below)

    def summed(symbol: Symbol) -> st.SearchStrategy[Formula]:
        return st.builds(Sum, st.just((symbol,)), formulas(depth - 1, (*scope, symbol)))

    return st.one_of(
        kernels(scope),
        st.builds(Product, pair),
        st.builds(Plus, pair),
        st.builds(Ratio, below, below),
        st.sampled_from([symbol for both in SYMBOLS.values() for symbol in both]).flatmap(summed),
    )


def value(formula: Formula, model: FiniteModel, free: dict[str, str], bound: dict[Symbol, str]) -> Fraction | None:
    """The rules: None is not determined; zero times it is zero; any other operation on it is it."""
    match formula:
        case Product(factors):
            found = [value(factor, model, free, bound) for factor in factors]
            if 0 in found:
                return Fraction(0)
            known = [factor for factor in found if factor is not None]
            return known[0] * known[1] if len(known) == 2 else None
        case Plus(terms):
            return _total([value(term, model, free, bound) for term in terms])
        case Sum((symbol,), body):
            return _total([value(body, model, free, {**bound, symbol: label}) for label in ("0", "1")])
        case Ratio(top, bottom):
            above, below = value(top, model, free, bound), value(bottom, model, free, bound)
            return above / below if above is not None and below else None
        case _:
            found = brute.value_in(formula, model, free, bound)
            return None if found != found else Fraction(found)


def _total(found: list[Fraction | None]) -> Fraction | None:
    known = [each for each in found if each is not None]
    return sum(known, Fraction(0)) if len(known) == len(found) else None


@settings(max_examples=150)
@given(st.integers(0, 10**6), formulas(3))
def test_undetermined_cells_are_exactly_those_of_the_rules(seed: int, formula: Formula) -> None:
    model = sparse_model(seed)
    table = evaluate(formula, ModelDistribution(model))
    for cells, entry in table.rows():
        free = {**dict.fromkeys(NAMES, "0"), **dict(zip(table.variables, cells, strict=True))}
        assert entry == value(formula, model, free, {})
