"""Formulas in SymPy: structure kept, and with numbers put in for the kernels the value of the formula."""

from __future__ import annotations

import itertools
from fractions import Fraction

import sympy

from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_sympy import to_sympy

# First scenario of the surgery paper: P(Smoke, Tar, Cancer), by hand in rationals.
CELLS = dict(zip(itertools.product(("no", "yes"), repeat=3), (50, 10, 1, 2, 10, 5, 2, 20), strict=True))
NAMES = ("Smoke", "Tar", "Cancer")


def share(**event: str) -> Fraction:
    cells = [n for cell, n in CELLS.items() if all(cell[NAMES.index(name)] == value for name, value in event.items())]
    return Fraction(sum(cells), 100)


def test_the_front_door_formula_has_the_value_of_the_table() -> None:
    formula = read_formula("sum{t} P(Tar=t | Smoke=yes) sum{s} P(Smoke=s) P(Cancer=yes | Smoke=s, Tar=t)")
    expression = to_sympy(formula, {"Tar": ("no", "yes"), "Smoke": ("no", "yes")})
    values = {}
    for call in expression.atoms(sympy.core.function.AppliedUndef):
        names = call.func.__name__.removeprefix("P(").removesuffix(")").replace(" | ", ", ").split(", ")
        event = dict(zip(names, map(str, call.args), strict=True))
        outcome = names[0]
        given = {name: value for name, value in event.items() if name != outcome}
        values[call] = sympy.Rational(share(**event) / share(**given))
    assert expression.subs(values) == sympy.Rational(4013, 7400)


def test_without_labels_sums_stay_sums() -> None:
    expression = to_sympy(read_formula("sum{z} P(Y | X, Z=z) P(Z=z)"))
    assert isinstance(expression, sympy.Sum)
    assert expression.free_symbols == {sympy.Symbol("Y"), sympy.Symbol("X"), sympy.Symbol("n_Z", integer=True)}


def test_expectations_are_numbers_times_kernels() -> None:
    expression = to_sympy(read_formula("sum{y} y P(Y=y) - 1/2"), {"Y": ("0", "1", "2")})
    kernel = sympy.Function("P(Y)")
    one, two = kernel(sympy.Symbol("1")), kernel(sympy.Symbol("2"))
    assert sympy.expand(expression - (one + 2 * two - sympy.Rational(1, 2))) == 0


def test_a_quotient_and_a_source() -> None:
    expression = to_sympy(read_formula("P[trial](Y | do(X=1)) / P(Z)"))
    assert str(expression) == "P[trial](Y | do(X))(Y, 1)/P(Z)(Z)"
