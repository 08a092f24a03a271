"""Formulas as text: what is printed reads back to an equal formula, whatever the formula."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_formulas import FORMULAS, NAMES, kernels

from suture.dsl.diagnostics import SutureError
from suture.dsl.formula import (
    Formula,
    Ratio,
    Sum,
    canonical,
    equal,
    negative,
    plus,
    probability,
    product,
    substitute,
    sum_over,
)
from suture.dsl.formula_latex import latex
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text, unicode_text


@given(FORMULAS)
@settings(max_examples=60)
def test_text_reads_back(formula: Formula) -> None:
    spelled = text(formula)
    assert text(read_formula(spelled)) == spelled


@given(kernels(), kernels(), st.sampled_from(NAMES))
def test_sums_products_and_quotients_read_back_equal(first: Formula, second: Formula, name: str) -> None:
    formula = Ratio(sum_over([name], product([first, second])), plus([first, negative(second)]))
    assert equal(read_formula(text(formula)), formula)


@given(FORMULAS)
def test_unicode_reads_back_too(formula: Formula) -> None:
    assert text(read_formula(unicode_text(formula))) == text(formula)


@given(FORMULAS)
def test_latex_balances_its_braces(formula: Formula) -> None:
    spelled = latex(formula).replace("\\{", "").replace("\\}", "")
    assert spelled.count("{") == spelled.count("}")


@given(FORMULAS)
def test_canonical_is_idempotent(formula: Formula) -> None:
    once = canonical(formula)
    assert canonical(once) == once


def test_substitution_does_not_capture() -> None:
    # sum{x} P(X=x) P(Y | X=x, Z) with Z set to a symbol called x must keep the two apart.
    inner = sum_over(["X"], product([probability(["X"]), probability(["Y"], ["X", "Z"])]))
    assert isinstance(inner, Sum)
    outer = sum_over(["Z"], inner)
    spelled = text(outer)
    assert spelled == "sum{z} sum{x} P(X=x) P(Y | X=x, Z=z)"
    assert equal(substitute(inner, {"Z": "x"}), read_formula('sum{x1: X} P(X=x1) P(Y | X=x1, Z="x")'))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("P(Y | do(X=1), Z)", "P(Y | do(X=1), Z)"),
        ("sum{t} P(T=t | S) sum{s} P(S=s) P(C | S=s, T=t)", "sum{t} P(T=t | S) sum{s} P(S=s) P(C | S=s, T=t)"),
        ("P[trial](Y | do(X))", "P[trial](Y | do(X))"),
        ("P(Ward[Ward ~ rural] = B | Age = old)", "P(Ward[Ward ~ rural]=B | Age=old)"),
        ("sum{y} y P(Y=y | do(X=1)) - 1/2", "sum{y} y P(Y=y | do(X=1)) - 1/2"),
    ],
)
def test_known_spellings(formula: str, expected: str) -> None:
    assert text(read_formula(formula)) == expected


@pytest.mark.parametrize("broken", ["", "P(", "sum{t P(A)", "P(A) +", "sum{t} P(A)", "P(A))", "§"])
def test_what_is_no_formula_is_one_diagnostic(broken: str) -> None:
    with pytest.raises(SutureError) as error:
        read_formula(broken)
    assert [diagnostic.code for diagnostic in error.value.diagnostics] == ["S007"]
    assert "error[S007]" in error.value.render()


def test_a_long_sum_and_a_deep_quotient_read_back() -> None:
    deep: Formula = probability(["Y"])
    for number in range(1500):
        deep = Ratio(deep, probability([f"X{number}"]))
    assert equal(read_formula(text(deep)), deep)
