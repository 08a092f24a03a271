"""Queries about linear-Gaussian programs against brute force: joint laws, path tracing, units, SymPy.

Evidence is what a unit drawn with rational noises shows, so that it is possible also where equations have no noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.gaussian import Equation, LinearModel, conditional, traced
from strategies_gaussian import NUMBERS, linear_models, noises

from suture.semantics.real import conditional_gaussian
from suture.semantics.real.gaussian_law import Law

from .programs import message, values

FRONT = """
model Front {
  latent U : real ~ Normal(0, 1)
  X : real := U + noise
  M : real := 2*X + noise
  Y : real := 3*M - 4*U + 1 + 2*noise
}
"""


def number(value: Fraction) -> str:
    return str(value)


def law(program: str) -> Law:
    (found,) = values(program)
    assert isinstance(found, Law)
    return found


def same(found: Law, mean: np.ndarray, covariance: np.ndarray) -> None:
    (component,) = found.components
    assert component.weight == 1
    assert [float(each) for each in component.mean] == pytest.approx(list(mean), abs=1e-7, rel=1e-7)
    assert [float(each) for row in component.covariance for each in row] == pytest.approx(
        list(covariance.ravel()), abs=1e-7, rel=1e-7
    )
    assert found.exact


# ---------------------------------------------------------------------------------------------------------------------
# By hand


def test_an_effect_by_hand() -> None:
    """Y = 3(2X + e) - 4U + 1 + 2e': under do(X = x) mean 6x + 1, variance 9 + 16 + 4."""
    (found,) = values(FRONT + "compute P(Y | do(X = 2))")
    assert found.components[0].mean == (Fraction(13),)
    assert found.components[0].covariance == ((Fraction(29),),)
    assert str(found) == "Y ~ Normal(13, 5.38516)  = Normal(13, sqrt(29))"


def test_seeing_is_not_doing_by_hand() -> None:
    """Seeing X = 2 tells of U = 1 on average, so Y is 12 - 4 + 1."""
    assert values(FRONT + "compute E(Y | X = 2), E(Y | do(X = 2)), E(U | X = 2)") == [9, 13, 1]


def test_effects_and_moments_by_hand() -> None:
    found = values(
        FRONT
        + """
        compute E(Y[X = 1] - Y[X = 0]), ate(X: 0 -> 1, Y), ett(X: 0 -> 1, Y), E(M^2) - E(M)^2, E(X*U) - E(X)*E(U)
        compute E(M | do(X)), E((Y - 3*M)^2) - E(Y - 3*M)^2, E(Y | do(X = -1.5)), E(X^4), E(X^3*U)
        compute nie(X: 0 -> 1, Y), nde(X: 0 -> 1, Y), cde(X: 0 -> 1, Y, M = 2)
        """
    )
    x = sympy.Symbol("X")
    assert found == [6, 6, 6, 9, 1, 2 * x, 20, -8, 12, 6, 6, 0, 0]


def test_a_unit_by_hand() -> None:
    """X = 1, M = 3, Y = 10: e = 1, and U lies half way to X on average; with X = 0, M is 1 and Y is 10 - 6."""
    found = values(FRONT + "compute E(M[X = 0] | X = 1, M = 3, Y = 10), E(Y[X = 0] | X = 1, M = 3, Y = 10)")
    assert found == [1, 4]
    assert str(law(FRONT + "compute P(Y[X = 0] | X = 1, M = 3, Y = 10)")) == "Y[X=0] ~ always 4"


def test_a_density_by_hand() -> None:
    """At its mean the density of Normal(13, sqrt 29) is 1 / sqrt(2 pi 29)."""
    (found,) = values(FRONT + "compute P(Y = 13 | do(X = 2))")
    assert float(found) == pytest.approx(1 / math.sqrt(2 * math.pi * 29), rel=1e-12)


def test_a_value_that_is_certain_has_a_probability() -> None:
    text = "model M { X : real ~ Normal(0, 1) ; Y : real := 2*X + 1 }\n"
    assert values(text + "compute P(Y = 5 | do(X = 2)), P(Y = 4 | X = 2), P(Y[X = 1] = 3 | Y = 9)") == [1, 0, 1]


# ---------------------------------------------------------------------------------------------------------------------
# Random models


@settings(max_examples=60, deadline=None, database=None)
@given(linear_models())
def test_joint_law(model: LinearModel) -> None:
    found = law(f"{model.text()}\ncompute P({', '.join(model.names)})")
    same(found, *model.joint())
    rows = zip(model.names, found.components[0].covariance, strict=True)
    assert all(
        entry == traced(model, one, other) for one, row in rows for other, entry in zip(model.names, row, strict=True)
    )


@settings(max_examples=80, deadline=None, database=None)
@given(st.data())
def test_doing_and_seeing(data: st.DataObject) -> None:
    """P(targets | do(..), seen) in a model with latents, against the mutilated joint law and the textbook formula."""
    model = data.draw(linear_models(3))
    names = data.draw(st.permutations(model.names))
    cuts = data.draw(st.integers(0, 2))
    do = {name: data.draw(NUMBERS) for name in names[:cuts]}
    unit = model.unit(data.draw(noises(model)), do)
    seen = names[cuts : cuts + data.draw(st.integers(0, 2))]
    targets = [name for name in names if name not in do and name not in seen]
    if not targets:
        return
    mean, covariance = model.joint(do)
    place = model.names.index
    expected = conditional(
        mean, covariance, [place(name) for name in targets], {place(n): float(unit[n]) for n in seen}
    )
    conditions = [f"do({', '.join(f'{n} = {number(v)}' for n, v in do.items())})"] if do else []
    conditions += [f"{name} = {number(unit[name])}" for name in seen]
    bar = f" | {', '.join(conditions)}" if conditions else ""
    latent = [name for name in model.names[:1] if name not in do]
    same(law(f"{model.text(latent)}\ncompute P({', '.join(targets)}{bar})"), *expected)


@settings(max_examples=80, deadline=None, database=None)
@given(st.data())
def test_units(data: st.DataObject) -> None:
    """P(Y[..], Z[..] | seen) against abduction of the noises, action, prediction."""
    model = data.draw(linear_models(3))
    unit = model.unit(data.draw(noises(model)))
    seen = {name: unit[name] for name in model.names if data.draw(st.booleans())}
    targets: list[tuple[str, Mapping[str, Fraction]]] = []
    for _ in range(data.draw(st.integers(1, 2))):
        target, *others = data.draw(st.permutations(model.names))
        targets.append((target, {name: data.draw(NUMBERS) for name in others[: data.draw(st.integers(1, 2))]}))
    if len(targets) == 2 and targets[0] == targets[1]:
        targets.pop()
    worlds = [f"{name}[{', '.join(f'{n} = {number(v)}' for n, v in do.items())}]" for name, do in targets]
    conditions = ", ".join(f"{name} = {number(value)}" for name, value in seen.items())
    found = law(f"{model.text()}\ncompute P({', '.join(worlds)}{' | ' * bool(seen)}{conditions})")
    same(found, *model.counterfactual(targets, seen))


@settings(max_examples=40, deadline=None, database=None)
@given(st.data())
def test_a_unit_that_is_known_whole(data: st.DataObject) -> None:
    """With every variable of a unit seen, each world has one value, the one that its noises give."""
    model = data.draw(linear_models(3, noisy=True))
    drawn = data.draw(noises(model))
    unit = model.unit(drawn)
    changed, target = data.draw(st.permutations(model.names))[:2]
    value = data.draw(NUMBERS)
    conditions = ", ".join(f"{name} = {number(each)}" for name, each in unit.items())
    (found,) = values(f"{model.text()}\ncompute E({target}[{changed} = {number(value)}] | {conditions})")
    assert found == model.unit(drawn, {changed: value})[target]


def test_nested_worlds() -> None:
    """X -> M -> Y, X -> Y: direct and indirect effects are products of coefficients."""
    text = """
    model Mediated { X : real ~ Normal(1, 1) ; M : real := 2*X + noise ; Y : real := 5*X + 3*M + noise }
    compute E(Y[X = 1, M = M[X = 0]] - Y[X = 0]), E(Y[X = 0, M = M[X = 1]] - Y[X = 0]), E(Y[X = 1] - Y[X = 0])
    compute E(Y[X = 1, M = M[X = 0]] | X = 2, M = 5, Y = 20)
    """
    # The unit: M's noise is 1, Y's is -5; M[X = 0] is 1, so Y is 5 + 3 - 5.
    assert values(text) == [5, 6, 11, 3]


# ---------------------------------------------------------------------------------------------------------------------
# Parameters


def test_closed_forms() -> None:
    """The instrument's ratio, and ordinary least squares with a confounder."""
    text = """
    model IV {
      latent U : real ~ Normal(0, u)
      Z : real ~ Normal(0, z)
      X : real := a*Z + c*U + noise
      Y : real := b*X + d*U + noise
    }
    query cov_zy = E(Z*Y) - E(Z)*E(Y)
    query cov_zx = E(Z*X) - E(Z)*E(X)
    compute cov_zy/cov_zx, E(Y | do(X)), E(Y | X), E(Y | X = 1) - E(Y | X = 0), E(Y[X = x1] | X = 1, Z = 0, Y = 0)
    """
    text = text.replace("x1", "0")
    ratio, doing, seeing, slope, unit = values(text)
    a, b, c, d, u, z, x = sympy.symbols("a b c d u z X")
    ols = b + c * d * u**2 / (a**2 * z**2 + c**2 * u**2 + 1)
    assert sympy.simplify(ratio - b) == 0
    assert sympy.simplify(doing - b * x) == 0
    assert sympy.simplify(seeing - ols * x) == 0
    assert sympy.simplify(slope - ols) == 0
    assert sympy.simplify(unit + b) == 0


def test_irrational_numbers_and_ties_between_them() -> None:
    """Y and W are functions of X by way of sqrt(2) and sqrt(8), so one determines the other."""
    text = """
    model M { X : real ~ Normal(0, 1) ; Y : real := sqrt(2)*X ; W : real := sqrt(8)*X + 1 ; V : real := Y + noise }
    compute E(W | Y = 1), E(V | Y = 2, W = 5), P(Y)
    """
    first, second, third = values(text)
    assert (first, second) == (3, 2)
    assert third.components[0].covariance == ((2,),)
    assert "cannot happen: W is 5 there" in message(text + "compute E(V | Y = 2, W = 4)")


def test_a_law_in_a_parameter() -> None:
    (found,) = values("model M { X : real ~ Normal(m, s) ; Y : real := 2*X + noise }\ncompute P(Y | X)")
    assert found.to_dict()["mean"] == [None]
    assert found.to_dict(exact=True)["mean"] == ["2*X"]
    assert str(found) == "Y ~ Normal(2*X, 1)"


# ---------------------------------------------------------------------------------------------------------------------
# Domains


def test_mechanisms_of_domains() -> None:
    text = """
    model Clinic { S : real ~ Normal(0, 1) ; L : real := S + noise ; Y : real := 2*L - S + noise ; mutable L, S }
    domain rural of Clinic { L := 3*S + 1 + 2*noise }
    domain city of Clinic { S ~ Normal(5, 2) }
    compute E(Y | domain = rural), E(Y[L ~ rural] | S = 1, L = 2, Y = 3)
    compute E(L^2 | domain = rural) - E(L | domain = rural)^2
    compute E(Y | domain = city), E(Y[L ~ rural] | domain = city, S = 1, L = 2, Y = 3)
    """
    # L's noise is 1 and Y's is 0: with the rural mechanism L is 3 + 1 + 2, Y is 12 - 1.
    assert values(text) == [2, 11, 13, 5, 11]


# ---------------------------------------------------------------------------------------------------------------------
# Size


def chain(length: int, coefficient: str = "0.9") -> str:
    lines = ["  V0 : real ~ Normal(1, 1)"]
    lines += [f"  V{n} : real := {coefficient}*V{n - 1} + 0.1*noise" for n in range(1, length)]
    return "\n".join(["model Long {", *lines, "}"])


def test_a_long_chain_is_computed_in_floats() -> None:
    length, a = 1000, 0.99
    text = (
        chain(length, "0.99")
        + "\ncompute E(V999), E(V999*V998) - E(V999)*E(V998), E(V999 | V500 = 2), E(V10 | V0 = 1, V20 = 1)"
    )
    mean, product, after, between = values(text)
    variances = [1.0]
    for _ in range(1, length):
        variances.append(a * a * variances[-1] + 0.01)
    assert mean == pytest.approx(a**999, rel=1e-9)
    assert product == pytest.approx(a * variances[998], rel=1e-9)
    assert after == pytest.approx(2 * a**499, rel=1e-9)
    forward, back = variances_between(a, 10), a**10
    # V10 given both ends: precision-weighted, from V0 on the left and V20 on the right.
    expected = (back / forward + back / forward) / (1 / forward + back**2 / forward)
    assert between == pytest.approx(expected, rel=1e-9)
    assert all(isinstance(each, (float, Fraction)) for each in (mean, product, after, between))


def variances_between(a: float, steps: int) -> float:
    total = 0.0
    for _ in range(steps):
        total = a * a * total + 0.01
    return total


def test_a_large_sparse_model_against_its_joint_law() -> None:
    """Three hundred variables with up to three causes each, some without noise; five seen, two asked about."""
    generator = np.random.default_rng(5)
    equations: list[Equation] = []
    for place in range(300):
        causes = generator.choice(place, size=min(place, int(generator.integers(0, 4))), replace=False) if place else []
        coefficients = {f"V{cause}": Fraction(int(generator.integers(-3, 4)), 4) for cause in causes}
        spread = Fraction(int(generator.integers(0, 4)) if len(coefficients) else 1, 2)
        equations.append(Equation(f"V{place}", Fraction(1, 2), {n: k for n, k in coefficients.items() if k}, spread))
    model = LinearModel(tuple(equations))
    mean, covariance = model.joint()
    seen = {place: float(mean[place]) + 0.5 for place in (40, 111, 170, 222, 290) if covariance[place, place] > 0.1}
    expected_mean, expected_covariance = conditional(mean, covariance, [299, 150], seen)
    bar = ", ".join(f"V{place} = {value!r}" for place, value in seen.items())
    (found,) = values(f"{model.text()}\ncompute P(V299, V150 | {bar})")
    (component,) = found.components
    assert list(component.mean) == pytest.approx(list(expected_mean), rel=1e-8, abs=1e-8)
    assert list(np.ravel(component.covariance)) == pytest.approx(list(expected_covariance.ravel()), rel=1e-8, abs=1e-8)


def test_many_observations() -> None:
    """Sixty noisy readings of one number: the mean of prior and readings, weighed by precision."""
    readings = "\n".join(f"  R{n} : real := S + 2*noise" for n in range(60))
    seen = ", ".join(f"R{n} = {n % 7}" for n in range(60))
    (found,) = values(f"model M {{\n  S : real ~ Normal(0, 3)\n{readings}\n}}\ncompute E(S | {seen})")
    total = sum(n % 7 for n in range(60))
    assert float(found) == pytest.approx((total / 4) / (1 / 9 + 60 / 4), rel=1e-12)


@settings(max_examples=60, deadline=None, database=None)
@given(st.data())
def test_floats_agree_with_rationals(data: st.DataObject) -> None:
    """The same queries with no work allowed in rationals: one run falls back on them where ties are seen, one never."""
    model = data.draw(linear_models(3))
    unit = model.unit(data.draw(noises(model)))
    seen = {name: unit[name] for name in model.names if data.draw(st.booleans())}
    targets = [name for name in model.names if name not in seen]
    if not targets:
        return
    conditions = ", ".join(f"{name} = {number(value)}" for name, value in seen.items())
    asked = f"{model.text()}\ncompute P({', '.join(targets)}{' | ' * bool(seen)}{conditions})"
    exact = law(asked).components[0]
    limits = {"EXACT_STEPS": -1, "MOST_EXACT_STEPS": data.draw(st.sampled_from([-1, 10**8]))}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in limits.items():
            patched.setattr(conditional_gaussian, name, value)
        floats = law(asked).components[0]
    assert list(floats.mean) == pytest.approx([float(each) for each in exact.mean], abs=1e-7, rel=1e-7)
    for row, expected in zip(floats.covariance, exact.covariance, strict=True):
        assert list(row) == pytest.approx([float(each) for each in expected], abs=1e-7)


def test_a_small_noise_in_a_large_model_is_no_tie() -> None:
    """A reading with a noise of 1e-8 beside a spread of 1 is far off what it reads, and says so exactly."""
    text = (chain(400, "0.9") + "\n").replace(
        "\n}", "\n  R : real := V399 + 0.00000001*noise\n  S : real := V399 + noise\n}"
    )
    (found,) = values(text + "compute E(S | V399 = 1, R = 1.1)")
    assert float(found) == pytest.approx(1)
    tied = text.replace("0.00000001*noise", "1")
    assert "cannot happen: R is 2 there" in message(tied + "compute E(S | V399 = 1, R = 1.1)")


# ---------------------------------------------------------------------------------------------------------------------
# Known cases


def test_known_cases(cases: Callable[[str], Any]) -> None:
    known = {case["id"]: case["expected"] for case in cases("numeric.json")["cases"]}
    unadjusted, adjusted = values(
        """
        model Bias {
          latent U1, U2 : real ~ Normal(0, 1)
          X : real := U1 + noise
          M : real := U1 + U2 + noise
          Y : real := U2 + noise
        }
        compute E(Y | X = 1) - E(Y | X = 0), E(Y | X = 1, M = 0) - E(Y | X = 0, M = 0)
        """
    )
    assert [float(unadjusted), float(adjusted)] == [known["m_bias_linear"]["unadj"], known["m_bias_linear"]["adj"]]
    (total,) = values(
        """
        model Door {
          latent U : real := noise
          X : real := 0.6*U + noise
          M : real := 0.8*X + noise
          Y : real := 0.5*M + 0.9*U + noise
        }
        compute ate(X: 0 -> 1, Y)
        """
    )
    assert float(total) == known["frontdoor_linear"]["value"]
    ett, naive = values(
        """
        model Treated {
          X : {0, 1} ~ Bernoulli(1/2)
          Z : {0, 1} ~ Bernoulli(if X = 1 then 0.8 else 0.2)
          Y : real := 2*X + 3*Z + noise
        }
        compute cde(X -> Y, Z = 0), E(Y | X = 1) - E(Y | X = 0)
        """
    )
    assert [float(ett), float(naive)] == [known["ett_linear"]["ETT"], known["ett_linear"]["naive"]]


def test_encouragement() -> None:
    """Pearl, Glymour and Jewell, Causal Inference in Statistics (2016), section 4.2.3: Joe's exam."""
    text = """
    model Encouragement { X : real := noise ; H : real := 0.5*X + noise ; Y : real := 0.7*X + 0.4*H + noise }
    compute E(Y[H = 2] | X = 0.5, H = 1, Y = 1.5)
    """
    assert values(text) == [Fraction("1.9")]


# ---------------------------------------------------------------------------------------------------------------------
# Vectors


def test_vectors_component_by_component() -> None:
    text = """
    model M { V : real[2] ~ Normal(1, 2) ; S : real := noise ; Y : real[2] := 3*V + S + noise }
    compute P(Y), P(Y | do(V = 0)), P(S | Y = 0)
    """
    both, set_to, scalar = values(text)
    assert both.variables == ("Y.1", "Y.2")
    assert both.components[0].mean == (3, 3)
    assert both.components[0].covariance == ((38, 1), (1, 38))
    assert set_to.components[0].covariance == ((2, 1), (1, 2))
    # Two readings of S with variance 37, mean 3 each: S is (-3 - 3)/37 over (1 + 2/37).
    assert scalar.components[0].mean == (Fraction(-6, 37) / (1 + Fraction(2, 37)),)


# ---------------------------------------------------------------------------------------------------------------------
# Refusals

TIED = "model M {\n  X : real ~ Normal(0, 1)\n  Y : real := 2*X + 1\n  Z : real ~ Normal(X, 1)\n}\n"


def test_what_cannot_happen() -> None:
    assert message(TIED + "compute E(Z | X = 1, Y = 4)") == (
        "error[S424]: E(Z | X = 1, Y = 4) is not determined: P(Z=z | X=1, Y=4): the condition X=1, Y=4 cannot happen: "
        "Y is 3 there\n"
        " --> t.suture\n"
        "  = help: ask for values that occur, or give the model more support"
    )


def test_a_density_where_there_is_none() -> None:
    assert message(TIED + "compute P(X = 1, Y = 3)") == (
        "error[S457]: P(X=1, Y=3) has no density: some of its variables are functions of the others\n"
        " --> t.suture\n"
        "  = help: ask for fewer of them"
    )


def test_a_normal_mechanism_in_two_worlds() -> None:
    assert message(TIED + "compute E(Z[X = 1] | Z = 2)") == (
        "error[S421]: P(Z[X=1], Z=2) needs Z in 2 worlds at once, and its mechanism is not a function\n"
        " --> t.suture\n"
        "  = help: write Z := mean + deviation*noise: then the noise is the unit's own in every world"
    )


def test_laws_are_not_added() -> None:
    assert message(TIED + "compute P(Z | do(X = 1)) - P(Z | do(X = 0))") == (
        "error[S457]: P(Z | do(X=1)) is a law, and laws are not added, multiplied or compared\n"
        " --> t.suture\n"
        "  = help: ask for a number: E(Z), or P(Z = ..)"
    )


def test_a_law_and_a_density() -> None:
    assert message(TIED + "compute P(X, Z = 2)") == (
        "error[S457]: P(X, Z=2) asks for the law of X and for a density at Z=2\n"
        " --> t.suture\n"
        "  = help: give each real variable before the bar a value, or none; what is known comes after the bar"
    )


def test_a_vector_has_no_expectation() -> None:
    assert message("model M { V : real[2] ~ Normal(1, 2) }\ncompute E(V)") == (
        "error[S457]: V is a vector, and an expectation is a number\n --> t.suture\n  = help: ask for its law: P(V)"
    )


def test_a_data_set_is_no_model() -> None:
    text = "model M { X : real := noise }\ndata seen of M { X ; 1 ; 2 }\n"
    assert message(text + "compute E[seen](X)").startswith("error[S423]")


def test_a_mechanism_that_is_missing() -> None:
    assert message("model M { X : real ; Y : real := X + noise }\ncompute E(Y)") == (
        "error[S428]: this needs the mechanism of X, which model M does not give\n"
        " --> t.suture:1:11\n"
        "  |\n"
        "1 | model M { X : real ; Y : real := X + noise }\n"
        "  |           ^ no mechanism\n"
        "  = help: write X ~ Normal(mean, standard deviation), or := and an equation; from data, use 'estimate'"
    )


@pytest.mark.parametrize("query", ["E(Y | do(X = 1))", "P(Y | do(X = 1))", "P(Y = 2 | do(X = 1))"])
def test_a_mechanism_that_is_not_needed(query: str) -> None:
    """What is set needs no mechanism."""
    found: Any = values("model M { X : real ; Y : real := X + noise }\ncompute " + query)
    assert len(found) == 1
