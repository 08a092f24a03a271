"""Computing queries from programs: exact rationals, closed forms, published numbers, worlds, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from suture.dsl.diagnostics import SutureError
from suture.semantics.compute import EXACT_BUDGET, as_floats, compute_formula, finite_model
from suture.semantics.distribution import ModelDistribution
from suture.semantics.evaluate import evaluate
from suture.semantics.semiring import PROBABILITY, RATIONAL

from . import brute
from .programs import message, program, tables, values

SQUAD = """
model Squad {{
  latent U : {{0, 1}} ~ Bernoulli({p})
  latent W : {{0, 1}} ~ Bernoulli({q})
  C : {{0, 1}} := U
  A : {{0, 1}} := C or W
  B : {{0, 1}} := C
  D : {{0, 1}} := A or B
}}
compute P(D[A = 0] = {dead} | D = 1)
"""


@pytest.fixture
def expected(cases: Callable[[str], Any]) -> Callable[[str], dict[str, float]]:
    """The expected numbers of a known case."""
    known = {case["id"]: case["expected"] for case in cases("numeric.json")["cases"]}
    return lambda name: known[name]


def test_firing_squad(expected: Callable[[str], dict[str, float]]) -> None:
    assert values(SQUAD.format(p="0.5", q="0", dead=1)) == [Fraction(1)]
    assert expected("firing_squad_det_cf")["value"] == 1.0
    (nervous,) = values(SQUAD.format(p="0.6", q="0.3", dead=0))
    assert nervous == Fraction(1, 6)
    assert float(nervous) == pytest.approx(expected("firing_squad_prob_p0.6_q0.3")["value"], abs=1e-9)


def test_firing_squad_in_closed_form() -> None:
    """Pearl (2009), 7.1.2: (1 - p) q / (1 - (1 - p)(1 - q))."""
    import sympy

    p, q = sympy.symbols("p q")
    (found,) = values(SQUAD.format(p="p", q="q", dead=0))
    assert sympy.simplify(found - (1 - p) * q / (1 - (1 - p) * (1 - q))) == 0


def test_front_door_table_of_pearl(expected: Callable[[str], dict[str, float]]) -> None:
    """The front-door formula on a model given as a joint: X and Z with their shares, Y by both."""
    text = """
    model Joint {
      X : {0, 1} ~ Bernoulli(0.5)
      Z : {0, 1} ~ table (X) { 0 => 0.95, 0.05 ; 1 => 0.05, 0.95 }
      Y : {0, 1} ~ table (X, Z) { 0, 0 => 0.9, 0.1 ; 1, 0 => 0.1, 0.9 ; 0, 1 => 0.95, 0.05 ; 1, 1 => 0.15, 0.85 }
    }
    compute P(Y = 1 | X = 1), P(Y = 1 | X = 0)
    """
    case = expected("frontdoor_smoking_tar")
    assert [float(value) for value in values(text)] == pytest.approx([case["naive1"], case["naive0"]], abs=1e-12)
    made = program(text)
    model = made.models["Joint"]
    from suture.dsl.formula_reader import read_formula

    door = read_formula("sum{z} P(Z=z | X) sum{x} P(X=x) P(Y=1 | X=x, Z=z)")
    found = compute_formula(door, model).table
    assert [float(value) for value in found.values] == pytest.approx([case["do0"], case["do1"]], abs=1e-12)


def test_simpson_and_the_drug(expected: Callable[[str], dict[str, float]]) -> None:
    """Book of Why, ch. 6: women control 1/20, drug 3/40; men control 12/40, drug 8/20."""
    case = expected("simpson_drug_D_heart")
    found = values(
        """
        model Drug {
          Gender : {woman, man} ~ {woman: 1/2, man: 1/2}
          Drug : {0, 1} ~ table (Gender) { woman => 1/3, 2/3 ; man => 2/3, 1/3 }
          Attack : {0, 1} ~ table (Gender, Drug) {
            woman, 0 => 19/20, 1/20 ; woman, 1 => 37/40, 3/40 ; man, 0 => 28/40, 12/40 ; man, 1 => 12/20, 8/20
          }
        }
        compute P(Attack = 1 | do(Drug = 1)), P(Attack = 1 | do(Drug = 0)), P(Attack = 1 | Drug = 1)
        compute P(Attack = 1 | Drug = 0), ate(Drug -> Attack), ett(Drug -> Attack), atu(Drug -> Attack)
        """
    )
    keys = ("do1", "do0", "naive1", "naive0", "ate", "att", "atu")
    assert [float(value) for value in found] == pytest.approx([case[key] for key in keys], abs=1e-9)
    assert found[0] == Fraction(19, 80)


def test_the_vaccine() -> None:
    """By hand: the dead were frail and exposed and would live; infected and spared is not being frail."""
    text = """
    model Vaccine {
      latent Frail   : {0, 1} ~ Bernoulli(0.30)
      latent Exposed : {0, 1} ~ Bernoulli(0.60)
      Vaccinated : {0, 1} ~ Bernoulli(0.50)
      Infected   : {0, 1} := Exposed and (not Vaccinated or Frail)
      Outcome    : {alive, dead} := if Infected and Frail and not Vaccinated then dead else alive
    }
    compute P(Outcome[Vaccinated = 1] = alive | Vaccinated = 0, Outcome = dead)
    compute P(Infected[Vaccinated = 1] = 0 | Vaccinated = 0, Infected = 1)
    compute P(Outcome[Vaccinated = 0] = dead, Outcome[Vaccinated = 1] = alive)
    """
    assert values(text) == [Fraction(1), Fraction(7, 10), Fraction(18, 100)]


def test_nested_worlds_give_natural_effects() -> None:
    """By hand: directly Y follows V1, through M it follows V2, and together it is 1 unless both are 0."""
    text = """
    model Mediated {
      latent V1, V2 : {0, 1} ~ Bernoulli(1/3)
      X : {0, 1} ~ Bernoulli(1/2)
      M : {0, 1} := X and V2
      Y : {0, 1} := (X and V1) or M
    }
    compute nde(X -> Y, M), nie(X -> Y, M), ate(X -> Y)
    compute E(Y[X = 1, M = M[X = 0]] - Y[X = 0])
    """
    assert values(text) == [Fraction(1, 3), Fraction(1, 3), 1 - Fraction(4, 9), Fraction(1, 3)]


MODEL = """
model Ward {
  latent S : {mild, severe} ~ {mild: 0.7, severe: 0.3}
  A : {young, old} ~ {young: 0.6, old: 0.4}
  L : {low, high} ~ table (S) { mild => 0.9, 0.1 ; severe => 0.2, 0.8 }
  R : {no, yes} ~ table (S, A) { mild, _ => 0.95, 0.05 ; severe, young => 0.65, 0.35 ; severe, old => 0.4, 0.6 }
  W : {a, b} ~ table (L, R) { low, _ => 0.8, 0.2 ; high, no => 0.4, 0.6 ; high, yes => 0.1, 0.9 }
}
domain rural of Ward { W ~ table (L, R) { _, _ => 0.5, 0.5 } ; L ~ table (S) { _ => 0.25, 0.75 } }
domain city of Ward {}
"""


def test_tables_with_wildcards_agree_with_brute_force() -> None:
    tables_of = tables(MODEL + "compute P(R, W | do(L), A)")[0]
    made = program(MODEL + "compute P(W)")
    model = as_floats(finite_model(made.models["Ward"], _query(MODEL + "compute P(W, R, A, L)")))
    for cells, entry in tables_of.rows():
        at = dict(zip(tables_of.variables, cells, strict=True))
        below = brute.probability(model, {"A": at["A"]}, {"L": at["L"]})
        above = brute.probability(model, {name: at[name] for name in "RWA"}, {"L": at["L"]})
        assert float(entry) == pytest.approx(above / below, abs=1e-12)
        assert isinstance(entry, Fraction)


def _query(text: str) -> Any:
    statement: Any = program(text).statements[0]
    return statement.queries[0].formula


def test_domains_and_swapped_mechanisms() -> None:
    found = values(
        MODEL
        + """
        compute P(W[W ~ rural] = b | domain = city, A = old, L = high, R = no)
        compute P(W = b | domain = rural), P(L = high | domain = rural), P(L = high | domain = city)
        compute P(L[. ~ rural] = high), P(W[L ~ rural] = b | domain = city, A = old)
        """
    )
    high_city = Fraction(7, 10) * Fraction(1, 10) + Fraction(3, 10) * Fraction(8, 10)
    assert found[:5] == [Fraction(1, 2), Fraction(1, 2), Fraction(3, 4), high_city, Fraction(3, 4)]
    readmitted = Fraction(7, 10) * Fraction(1, 20) + Fraction(3, 10) * Fraction(6, 10)
    in_b = Fraction(1, 4) * Fraction(2, 10)
    in_b += Fraction(3, 4) * ((1 - readmitted) * Fraction(6, 10) + readmitted * Fraction(9, 10))
    assert found[5] == in_b


def test_closed_forms() -> None:
    import sympy

    p, q = sympy.symbols("p q")
    found = tables(
        """
        model M {
          A : {0, 1} ~ Bernoulli(p)
          B : {0, 1} ~ table (A) { 0 => 1 - q, q ; 1 => q, 1 - q }
        }
        compute P(B = 1), P(A = 1 | B = 1), P(B | do(A)), ate(A -> B), P(A = 1, B = 1) - P(A = 1 | B = 1) * P(B = 1)
        """
    )
    assert sympy.expand(found[0].item() - (p * (1 - q) + (1 - p) * q)) == 0
    assert str(found[1].item()) == "p*(1 - q)/(-2*p*q + p + q)"
    assert [str(entry) for _, entry in found[2].rows()] == ["1 - q", "q", "q", "1 - q"]
    assert sympy.expand(found[3].item() - (1 - 2 * q)) == 0
    assert found[4].item() == 0


def test_irrational_functions_stay_exact() -> None:
    import sympy

    (found,) = values("model M { A : {0, 1} ~ Bernoulli(exp(-1)) }\ncompute P(A = 0)")
    assert sympy.simplify(found - (1 - sympy.exp(-1))) == 0


def test_expectations_of_numeric_labels() -> None:
    text = """
    model M {
      D : 0..2 ~ {0: 1/4, 1: 1/2, 2: 1/4}
      F : {-1, 1} ~ table (D) { 0 => 0.9, 0.1 ; 1 => 0.7, 0.3 ; 2 => 0.5, 0.5 }
    }
    compute E(D), E(2*D*F - 1), E(F | D = 2), E(F | do(D = 0))
    """
    product = Fraction(1, 2) * (Fraction(3, 10) - Fraction(7, 10)) + 0
    assert values(text) == [Fraction(1), 2 * product - 1, Fraction(0), Fraction(-8, 10)]


def test_only_what_the_query_depends_on_is_needed() -> None:
    text = """
    model Part {
      latent H
      X : {0, 1}
      H -> X
      Y : {0, 1} ~ table (X) { 0 => 1, 0 ; 1 => 0.25, 0.75 }
    }
    compute P(Y = 1 | do(X = 1)), P(Y[X = 1] = 1)
    """
    assert values(text) == [Fraction(3, 4), Fraction(3, 4)]


def test_large_models_are_evaluated_in_floats_and_agree_with_the_exact_ones() -> None:
    lines = ["V0 : 0..3 ~ {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4}"]
    for number in range(1, 12):
        first, second = f"V{number - 1}", f"V{max(0, number - 2)}"
        parents = first if first == second else f"{first}, {second}"
        cells = "_" if first == second else "_, _"
        row = f"{cells} => 0.4, 0.3, 0.2, 0.1"
        lines.append(f"V{number} : 0..3 ~ table ({parents}) {{ {'0' + cells[1:]} => 0.1, 0.2, 0.3, 0.4 ; {row} }}")
    text = "model Big {\n" + "\n".join(lines) + "\n}\n"
    (small,) = values(text + "compute P(V3 = 1)")
    assert isinstance(small, Fraction)
    (large,) = tables(text + "compute P(V11, V10, V9, V8, V7, V5, V3, V1)")
    assert large.values.dtype == np.float64
    made = program(text + "compute P(V11 = 0)")
    exact = finite_model(made.models["Big"], _query(text + "compute P(V3 = 1)"))
    assert exact.semiring is RATIONAL
    assert as_floats(exact).semiring is PROBABILITY
    floats = evaluate(_query(text + "compute P(V3 = 1)"), ModelDistribution(as_floats(exact)))
    assert floats.item() == pytest.approx(float(small), abs=1e-14)
    assert large.values.sum(axis=(0, 1, 2, 3, 4, 5, 7))[1] == pytest.approx(float(small), abs=1e-12)
    assert EXACT_BUDGET.flops < 10**6


# ---------------------------------------------------------------------------------------------------------------------
# Messages


def test_missing_mechanisms_are_all_named() -> None:
    text = "model M { A : {0, 1} ; B, C : {no, yes} ; A -> B ; B -> C }\ncompute P(B = yes)"
    assert message(text) == (
        "error[S428]: this needs the mechanism of A, which model M does not give\n"
        " --> t.suture:1:11\n"
        "  |\n"
        "1 | model M { A : {0, 1} ; B, C : {no, yes} ; A -> B ; B -> C }\n"
        "  |           ^ no mechanism\n"
        "  = help: write A ~ {..: 0.5, ..: 0.5}, or := and an equation; from data, use 'estimate'\n"
        "\n"
        "error[S428]: this needs the mechanism of B, which model M does not give\n"
        " --> t.suture:1:24\n"
        "  |\n"
        "1 | model M { A : {0, 1} ; B, C : {no, yes} ; A -> B ; B -> C }\n"
        "  |                        ^ no mechanism\n"
        "  = help: write B ~ table (A) { .. }, or := and an equation; from data, use 'estimate'"
    )


def test_missing_values() -> None:
    assert message("model M { X -> Y }\ncompute P(Y = 1)") == (
        "error[S427]: the values of X are not given in model M\n"
        " --> t.suture:1:11\n"
        "  |\n"
        "1 | model M { X -> Y }\n"
        "  |           ^ no values\n"
        "  = help: declare them: X : {no, yes}\n"
        "\n"
        "error[S427]: the values of Y are not given in model M\n"
        " --> t.suture:1:16\n"
        "  |\n"
        "1 | model M { X -> Y }\n"
        "  |                ^ no values\n"
        "  = help: declare them: Y : {no, yes}"
    )


def test_a_finite_variable_with_a_real_cause() -> None:
    assert message("model M { X : real := noise ; Y : {0, 1} := X > 0 }\ncompute P(Y = 1)") == (
        "error[S455]: Y has finitely many values and depends on X, which is real\n"
        " --> t.suture:1:31\n"
        "  |\n"
        "1 | model M { X : real := noise ; Y : {0, 1} := X > 0 }\n"
        "  |                               ^ not conditional Gaussian\n"
        "  = help: what comes after Y is no mixture of normal laws; set it, do(Y = ..), or make X finite"
    )


def test_a_sum_over_a_real_variable() -> None:
    from suture.dsl.formula_reader import read_formula

    made = program("model M { X : real := noise ; Y : real := X + noise }")
    with pytest.raises(SutureError) as caught:
        compute_formula(read_formula("sum{x} P(X=x) P(Y=1 | X=x)"), made.models["M"])
    assert caught.value.render() == (
        "error[S426]: a sum over X, which is real, is an integral, and none is computed here\n"
        "  = help: ask for expectations, E(..), or sum over finite variables"
    )


def test_an_impossible_condition() -> None:
    text = "model M { X : {0, 1} ~ Bernoulli(0) ; Y : {0, 1} := X }\ncompute P(Y = 1 | X = 1)"
    assert message(text) == (
        "error[S424]: P(Y = 1 | X = 1) is not determined: P(Y=1 | X=1): the condition X=1 has probability 0\n"
        " --> t.suture\n"
        "  = help: ask for values that occur, or give the model more support"
    )


def test_a_table_keeps_the_rows_that_are_determined() -> None:
    text = "model M { X : {0, 1} ~ Bernoulli(0) ; Y : {0, 1} := X }\ncompute P(Y = 1 | X)"
    assert [entry for _, entry in tables(text)[0].rows()] == [Fraction(0), None]
