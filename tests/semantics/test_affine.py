"""Equations as affine forms: against SymPy's polynomials, finite parents fixed at each label, every refusal in full."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.parsing.sympy_parser import parse_expr, rationalize, standard_transformations

from suture.dsl.diagnostics import SutureError
from suture.dsl.program import Model
from suture.semantics.real.affine import Affine, affine_mechanism

from .programs import program

NUMBERS = st.sampled_from(["1", "2", "0.5", "3/4", "1.25", "a", "(1 - a)", "sqrt(2)", "a^2"])


def linear(depth: int) -> st.SearchStrategy[str]:
    """Texts of linear equations in X, W and noise."""
    leaf = st.sampled_from(["X", "W", "noise"]) | NUMBERS
    if not depth:
        return leaf
    below = linear(depth - 1)
    return (
        leaf
        | st.tuples(below, st.sampled_from([" + ", " - "]), below).map("".join).map(lambda text: f"({text})")
        | st.tuples(NUMBERS, st.just("*"), below).map("".join)
        | st.tuples(below, st.just("*"), NUMBERS).map(lambda parts: f"({parts[0]})*{parts[2]}")
        | st.tuples(below, NUMBERS).map(lambda parts: f"({parts[0]})/({parts[1]})")
        | below.map(lambda text: f"-({text})")
        | below.map(lambda text: f"({text})^1")
    )


def model(equation: str, more: str = "") -> Model:
    text = f"model M {{ X, W : real ~ Normal(0, 1) ; {more} Y : real {equation} }}"
    return program(text).models["M"]


@settings(max_examples=150, deadline=None, database=None)
@given(linear(3))
def test_coefficients_are_those_of_the_polynomial(text: str) -> None:
    found = affine_mechanism(model(f":= {text}"), "Y")
    x, w, noise, a = sympy.symbols("X W noise a")
    names: dict[str, Any] = {"X": x, "W": w, "noise": noise, "a": a}
    whole: Any = parse_expr(text.replace("^", "**"), names, (*standard_transformations, rationalize))
    expected = {name: sympy.diff(whole, symbol) for name, symbol in (("X", x), ("W", w), ("noise", noise))}
    at_zero = whole.subs({x: 0, w: 0, noise: 0})
    mine = {"X": found.coefficient("X"), "W": found.coefficient("W"), "noise": found.noise}
    for name, value in expected.items():
        assert sympy.simplify(value - sympy.sympify(mine[name])) == 0
    assert sympy.simplify(at_zero - sympy.sympify(found.constant)) == 0
    assert all(number != 0 for _, number in found.coefficients)


def test_rational_equations_have_rational_coefficients() -> None:
    assert affine_mechanism(model(":= 2*X - W/4 + 0.3*noise + 1"), "Y") == Affine(
        Fraction(1), (("X", Fraction(2)), ("W", Fraction(-1, 4))), Fraction(3, 10)
    )
    assert affine_mechanism(model("~ Normal(1 + 0.5*X, 2)"), "Y") == Affine(
        Fraction(1), (("X", Fraction(1, 2)),), Fraction(2)
    )
    assert affine_mechanism(model(":= X - X + 2*(3*W)"), "Y").variables == ("W",)


ZERO, ONE, TWO = Fraction(0), Fraction(1), Fraction(2)
FINITE = "T : {no, yes} ~ {no: 1/2, yes: 1/2} ; K : 0..2 ~ {0: 1/4, 1: 1/4, 2: 1/2} ;"


@pytest.mark.parametrize(
    ("equation", "labels", "expected"),
    [
        (":= if T = yes then 1 + X else X", {"T": "yes"}, Affine(ONE, (("X", ONE),))),
        (":= if T = yes then 1 + X else X", {"T": "no"}, Affine(ZERO, (("X", ONE),))),
        (":= K*X + (T = yes) + noise", {"T": "yes", "K": "2"}, Affine(ONE, (("X", TWO),), ONE)),
        (":= K*X + (T = yes) + noise", {"T": "no", "K": "0"}, Affine(ZERO, (), ONE)),
        ("~ Normal(K*X, if T = yes then 7 else K)", {"T": "no", "K": "2"}, Affine(ZERO, (("X", TWO),), TWO)),
        (":= if T = yes and K > 1 then X else exp(0)*W", {"T": "yes", "K": "1"}, Affine(ZERO, (("W", ONE),))),
        (":= if T = yes then X*W else X", {"T": "no"}, Affine(ZERO, (("X", ONE),))),
        (":= (K - 1)*exp(K - 1)*X", {"K": "1"}, Affine()),
    ],
)
def test_finite_parents_are_fixed_first(equation: str, labels: dict[str, str], expected: Affine) -> None:
    assert affine_mechanism(model(equation, FINITE), "Y", labels=labels) == expected


def test_a_mechanism_of_a_domain_is_read_alike() -> None:
    made = program("model M { X : real ~ Normal(0, 1) ; Y : real := X + noise }\ndomain d of M { Y := 2*X + 3*noise }")
    found = affine_mechanism(made.models["M"], "Y", made.domains["d"].mechanisms["Y"])
    assert found == Affine(Fraction(0), (("X", Fraction(2)),), Fraction(3))


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


def refusal(equation: str, more: str = "", labels: dict[str, str] | None = None) -> tuple[str, str, str]:
    """The message, what it points at and how, of the error that reading Y's mechanism gives."""
    text = f"model M {{ X, W : real ~ Normal(0, 1) ; {more} Y : real {equation} }}"
    with pytest.raises(SutureError) as caught:
        affine_mechanism(program(text).models["M"], "Y", labels=labels)
    (problem,) = caught.value.diagnostics
    assert problem.span is not None
    return f"{problem.code}: {problem.message}", text[problem.span.start : problem.span.end], problem.label


@pytest.mark.parametrize(
    ("equation", "part", "label"),
    [
        (":= 1 + X*W", "X*W", "a product of parts that vary: X, W"),
        (":= X*noise", "X*noise", "a product of parts that vary: X, noise"),
        (":= 2*(X + 1)^2", "(X + 1)^2", "a power of X"),
        (":= 2^X", "2^X", "a power of X"),
        (":= W + exp(X)", "exp(X)", "exp of X"),
        (":= 1/X", "1/X", "divides by what varies: X"),
        (":= if X > 0 then 1 else 2", "X > 0", "X decides between two equations"),
        (":= if a > 0 then X else W", "a > 0", "a decides between two equations"),
        (":= W + (X > 0)", "X > 0", "a truth value that depends on X"),
        ("~ Normal(max(X, 0), 1)", "max(X, 0)", "max of X"),
    ],
)
def test_what_is_not_linear_is_named(equation: str, part: str, label: str) -> None:
    said, pointed, note = refusal(equation)
    assert said.startswith("S450: the mechanism of Y is not linear: ")
    assert pointed.strip("()") == part.strip("()")
    assert note == label


@pytest.mark.parametrize(
    ("equation", "labels", "said"),
    [
        ("~ Normal(0, X)", {}, "S452: the standard deviation of Y depends on X, and then Y is not jointly normal"),
        ("~ Normal(0, K)", {"K": "0"}, "S452: the standard deviation of Y is 0, which is not above zero"),
        ("~ Normal(0, K - 2)", {"K": "1"}, "S452: the standard deviation of Y is -1, which is not above zero"),
        ("~ Uniform(0, X)", {}, "S451: Y has a Uniform distribution, and this evaluation is exact for normal ones"),
        (":= X/(K - 1)", {"K": "1"}, "S216: division by zero"),
        (":= log(K - 1)*X", {"K": "0"}, "S214: log(0 - 1) is not a real number"),
    ],
)
def test_other_refusals(equation: str, labels: dict[str, str], said: str) -> None:
    assert refusal(equation, FINITE, labels)[0] == said


def test_a_whole_message() -> None:
    text = "model M { X, W : real ~ Normal(0, 1) ; Y : real := 1 + X*W }"
    made = program(text)
    with pytest.raises(SutureError) as caught:
        affine_mechanism(made.models["M"], "Y")
    caught.value.source = made.source
    assert caught.value.render() == (
        "error[S450]: the mechanism of Y is not linear: X * W\n"
        " --> t.suture:1:56\n"
        "  |\n"
        "1 | model M { X, W : real ~ Normal(0, 1) ; Y : real := 1 + X*W }\n"
        "  |                                                        ^^^ a product of parts that vary: X, W\n"
        "  = help: linear means: numbers times parents, plus a number times noise, plus a number"
    )


def test_an_open_mechanism() -> None:
    text = "model M { X : real ~ any }"
    with pytest.raises(SutureError) as caught:
        affine_mechanism(program(text).models["M"], "X")
    assert str(caught.value.diagnostics[0].message) == ("this needs the mechanism of X, which model M does not give")


def test_vectors_are_read_component_by_component() -> None:
    made = program("model M { X, V : real[3] ~ Normal(0, 1) ; S : real := noise ; Y : real[3] := 2*V - S + noise }")
    found = affine_mechanism(made.models["M"], "Y")
    assert found == Affine(Fraction(0), (("V", Fraction(2)), ("S", Fraction(-1))), Fraction(1))


def test_vectors_of_different_lengths() -> None:
    made = program("model M { V : real[3] ~ Normal(0, 1) ; Y : real[2] := 2*V + noise }")
    with pytest.raises(SutureError) as caught:
        affine_mechanism(made.models["M"], "Y")
    assert caught.value.diagnostics[0].code == "S453"
    assert caught.value.diagnostics[0].message == "V has 3 components, and Y has 2"
