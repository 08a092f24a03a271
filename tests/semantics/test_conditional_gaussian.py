"""Mixtures of normal laws: against enumeration with scipy's densities, numerical integration and finite models.

Enumeration runs over every case of the finite variables; each case is a linear model of `oracles.gaussian`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.gaussian import Equation, LinearModel, conditional
from scipy import integrate, stats
from strategies_gaussian import NUMBERS

from suture.semantics.budget import Budget, limited
from suture.semantics.real import conditional_gaussian
from suture.semantics.real.gaussian_law import Law

from .programs import message, tables, values

TREATED = """
model Ward {
  Sick : {no, yes} ~ {no: 3/4, yes: 1/4}
  Treated : {no, yes} ~ table (Sick) { no => 0.8, 0.2 ; yes => 0.3, 0.7 }
  Age : real ~ Normal(40, 10)
  Pressure : real := 100 + Age/2 + (if Sick = yes then 20 else 0) + 5*noise
  After : real := if Treated = yes then 0.8*Pressure + 2*noise else Pressure + 3*noise
}
"""

# ---------------------------------------------------------------------------------------------------------------------
# By hand and in closed form


def test_effects_by_hand() -> None:
    """Pressure is 120 in the well and 140 in the sick, a quarter of all: 125 on average."""
    found = values(
        TREATED
        + """
        compute E(Pressure), E(After | do(Treated = yes)), E(After | do(Treated = no)), ate(Treated: no -> yes, After)
        compute E(After | Treated = yes), P(Sick = yes | Treated = yes), ett(Treated: no -> yes, After)
        """
    )
    share = Fraction(7, 40) / (Fraction(7, 40) + Fraction(3, 20))
    treated = 120 + 20 * share
    assert found == [125, 100, 125, -25, Fraction(4, 5) * treated, share, -treated / 5]


def test_law_of_total_variance() -> None:
    (found,) = values(TREATED + "compute E(Pressure^2) - E(Pressure)^2")
    assert found == 25 + 25 + 400 * Fraction(3, 16)


def test_the_law_is_a_mixture() -> None:
    (found,) = values(TREATED + "compute P(Pressure)")
    assert [(c.weight, c.mean, c.covariance) for c in found.components] == [
        (Fraction(3, 4), (120,), ((50,),)),
        (Fraction(1, 4), (140,), ((50,),)),
    ]
    assert found.mean == (125,)
    assert found.covariance == ((125,),)
    assert found.lines() == (
        "Pressure ~ 0.75 Normal(120, 7.07107)  = 3/4 Normal(120, 5*sqrt(2))",
        "         + 0.25 Normal(140, 7.07107)  = 1/4 Normal(140, 5*sqrt(2))",
    )


def test_a_test_result_by_bayes() -> None:
    """Densities at 130 are equal, so seeing 130 tells nothing, and seeing 140 is exp(4) times likelier in the sick."""
    even, high = values(TREATED + "compute P(Sick = yes | Pressure = 130), P(Sick = yes | Pressure = 140)")
    assert even == Fraction(1, 4)
    assert float(high) == pytest.approx(math.exp(4) / (3 + math.exp(4)), rel=1e-12)


def test_a_closed_form() -> None:
    """Two normal laws of one variance make the posterior logistic."""
    (found,) = values("model M { T : {0, 1} ~ Bernoulli(p) ; X : real := m*T + noise }\ncompute P(T = 1 | X)")
    p, m, x = sympy.symbols("p m X")
    expected = 1 / (1 + (1 - p) / p * sympy.exp(m**2 / 2 - m * x))
    assert sympy.simplify(found - expected) == 0


def test_far_out_in_the_tails() -> None:
    """Where both densities underflow, their ratio does not."""
    text = "model M { T : {0, 1} ~ Bernoulli(1/2) ; X : real := T + noise }\ncompute P(T = 1 | X = -1000)"
    (found,) = values(text)
    assert float(sympy.log(found)) == pytest.approx(-1000.5, rel=1e-9)


def test_a_table_of_laws_and_of_probabilities() -> None:
    laws, chances, joint = tables(TREATED + "compute P(After | do(Treated)), P(Treated | Pressure = 150), P(Sick, Age)")
    assert laws.variables == ("Treated",)
    assert [labels for labels, _ in laws.rows()] == [("no",), ("yes",)]
    assert all(isinstance(law, Law) for _, law in laws.rows())
    assert sum(float(number) for _, number in chances.rows()) == pytest.approx(1, abs=1e-12)
    assert [law.mass for _, law in joint.rows()] == [Fraction(3, 4), Fraction(1, 4)]


# ---------------------------------------------------------------------------------------------------------------------
# Counterfactuals


def test_a_unit_in_another_world() -> None:
    """Untreated, After is Pressure + 3 e; treated it would have been 0.8 Pressure + 2 e: of that unit e is 1."""
    text = TREATED + "compute E(After[Treated = yes] | Treated = no, Pressure = 130, After = 133)"
    assert values(text) == [Fraction(8, 10) * 130 + 2]


def test_a_finite_world_decides_the_case() -> None:
    """T is a function of a latent, so one unit has it in both worlds; X tells which latent it is."""
    text = """
    model M {
      latent V : {0, 1} ~ Bernoulli(1/3)
      Z : {0, 1} ~ Bernoulli(1/2)
      T : {0, 1} := Z and V
      X : real := 3*T + noise
    }
    compute P(T[Z = 1] = 1 | Z = 0, X = 5), P(T[Z = 1] = 1 | Z = 1, X = 3/2), E(X[Z = 1] | Z = 0, X = 5)
    """
    unseen, seen, unit = values(text)
    assert (unseen, seen) == (Fraction(1, 3), Fraction(1, 3))
    assert unit == 5 + 3 * Fraction(1, 3)


# ---------------------------------------------------------------------------------------------------------------------
# Ties: atoms and planes


ATOM = "model M { T : {0, 1} ~ Bernoulli(1/2) ; X : real := if T = 1 then 2 else noise }\n"


def test_an_atom_outweighs_a_density() -> None:
    assert values(ATOM + "compute P(T = 1 | X = 2), P(T = 1 | X = 1)") == [1, 0]


def test_no_formula_passes_over_an_atom() -> None:
    """P(T = 0 | X) is 1 for all X but 2, which X is in half of all units."""
    assert message(ATOM + "compute P(T = 0 | X)") == (
        "error[S456]: X has single values in some cases of the finite variables and any in others\n"
        " --> t.suture\n"
        "  = help: no one formula covers both; give it a value: X = .."
    )


def test_planes() -> None:
    text = """
    model M {
      T : {0, 1} ~ Bernoulli(1/4)
      X : real ~ Normal(0, 1)
      Y : real := if T = 1 then X else -1*X
      W : real := if T = 1 then X else 2*X + 0*noise
      V : real := X
    }
    """
    assert values(text + "compute P(T = 1 | X = 1, Y = 1), P(T = 1 | X = 1, Y = -1)") == [1, 0]
    assert values(text + "compute P(T = 1 | X = 1, V = 1)") == [Fraction(1, 4)]
    assert "decides nothing" in message(text + "compute P(T = 1 | X = 0, Y = 0)")
    # Of one plane, the line x = v, the densities count: W alone is a number of variance 1 or 4.
    (found,) = values(text + "compute P(T = 1 | W = 2)")
    assert float(found) == pytest.approx(1 / (1 + 3 * math.exp(1.5) / 2), rel=1e-12)


@pytest.mark.parametrize("fallback", [-1, 10**8])
def test_planes_in_floats(monkeypatch: pytest.MonkeyPatch, fallback: int) -> None:
    monkeypatch.setattr(conditional_gaussian, "EXACT_STEPS", -1)
    monkeypatch.setattr(conditional_gaussian, "MOST_EXACT_STEPS", fallback)
    test_an_atom_outweighs_a_density()
    test_planes()
    test_densities_on_one_plane_are_compared_on_it()
    test_a_unit_in_another_world()


def test_densities_on_one_plane_are_compared_on_it() -> None:
    """(A, B) lies on the line B = 2A in both cases, with variances 1 and 9 along it."""
    text = """
    model M {
      T : {0, 1} ~ Bernoulli(1/2)
      A : real := if T = 1 then noise else 3*noise
      B : real := 2*A
    }
    compute P(T = 1 | A = 3, B = 6), P(T = 1 | A = 3), P(T = 1 | B = 6)
    """
    first, second, third = map(float, values(text))
    expected = 1 / (1 + math.exp(4) / 3)
    assert (first, second, third) == pytest.approx((expected, expected, expected), rel=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# Random mixtures by enumeration


@dataclass(frozen=True)
class Mixture:
    """Two finite variables, the second a child of the first, and a linear model a case of them."""

    first: Fraction
    second: tuple[Fraction, Fraction]
    cases: Mapping[tuple[int, int], LinearModel]

    def weight(self, case: tuple[int, int], do: Mapping[str, int]) -> Fraction:
        s, t = case
        chance = (self.first if s else 1 - self.first) if "S" not in do else Fraction(int(do["S"] == s))
        chosen = self.second[s]
        return chance * ((chosen if t else 1 - chosen) if "T" not in do else Fraction(int(do["T"] == t)))

    def text(self) -> str:
        names = self.cases[0, 0].names
        lines = [f"  S : {{0, 1}} ~ Bernoulli({self.first})"]
        rows = " ; ".join(f"{s} => {1 - p}, {p}" for s, p in enumerate(self.second))
        lines.append(f"  T : {{0, 1}} ~ table (S) {{ {rows} }}")
        for place, name in enumerate(names):
            parts = {case: right(self.cases[case].equations[place]) for case in self.cases}
            choice = f"if T = 1 then (if S = 1 then {parts[1, 1]} else {parts[0, 1]})"
            lines.append(f"  {name} : real := {choice} else (if S = 1 then {parts[1, 0]} else {parts[0, 0]})")
        return "\n".join(["model M {", *lines, "}"])


def right(equation: Equation) -> str:
    return LinearModel((equation,)).text().split(":=")[1].split("\n")[0].strip()


@st.composite
def mixtures(draw: st.DrawFn) -> Mixture:
    names = ("X", "Y", "Z")[: draw(st.integers(1, 3))]
    chances = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(2, 3)])
    parents = {name: [parent for parent in names[:place] if draw(st.booleans())] for place, name in enumerate(names)}

    def case() -> LinearModel:
        return LinearModel(
            tuple(
                Equation(name, draw(NUMBERS), {parent: draw(NUMBERS) for parent in parents[name]}, abs(draw(NUMBERS)))
                for name in names
            )
        )

    cases = {(s, t): case() for s, t in product((0, 1), repeat=2)}
    return Mixture(draw(chances), (draw(chances), draw(chances)), cases)


def expected(
    mixture: Mixture, seen: Mapping[str, float], finite: Mapping[str, int], do: Mapping[str, int]
) -> list[tuple[float, np.ndarray, np.ndarray, tuple[int, int]]]:
    """Weights, means and covariances of all real variables in each case, given what is seen."""
    found: list[tuple[float, np.ndarray, np.ndarray, tuple[int, int]]] = []
    for case, model in mixture.cases.items():
        weight = float(mixture.weight(case, do))
        if any({"S": case[0], "T": case[1]}[name] != value for name, value in finite.items()):
            continue
        mean, covariance = model.joint()
        places = [model.names.index(name) for name in seen]
        if places:
            block: Any = covariance[np.ix_(places, places)]
            density = stats.multivariate_normal(mean[places], block)
            weight *= float(density.pdf(list(seen.values())))
        values_seen = dict(zip(places, seen.values(), strict=True))
        new_mean, new_covariance = conditional(mean, covariance, range(len(model.names)), values_seen)
        if weight:
            found.append((weight, new_mean, new_covariance, case))
    total = sum(weight for weight, *_ in found)
    return [(weight / total, mean, covariance, case) for weight, mean, covariance, case in found]


@settings(max_examples=60, deadline=None, database=None)
@given(st.data())
def test_against_enumeration(data: st.DataObject) -> None:
    mixture = data.draw(mixtures())
    names = mixture.cases[0, 0].names
    seen = {name: float(data.draw(NUMBERS)) for name in names if data.draw(st.booleans())}
    role = data.draw(st.sampled_from(["none", "given", "do"]))
    finite = {"S": 1} if role == "given" else {}
    do = {"T": 0} if role == "do" else {}
    parts = expected(mixture, seen, finite, do)
    bar = [f"{name} = {Fraction(value)}" for name, value in [*seen.items(), *finite.items()]]
    bar += [f"do({name} = {value})" for name, value in do.items()]
    given_text = f" | {', '.join(bar)}" if bar else ""
    rest = [name for name in names if name not in seen]
    asked = [f"E({name}{given_text})" for name in rest]
    asked += [f"E({one}*{other}{given_text})" for one in rest for other in rest]
    truth: list[float] = [sum(w * m[names.index(name)] for w, m, _, _ in parts) for name in rest]
    for one in rest:
        for other in rest:
            i, j = names.index(one), names.index(other)
            truth.append(sum(w * (m[i] * m[j] + c[i, j]) for w, m, c, _ in parts))
    if "T" not in do:
        asked.append(f"P(T = 1{given_text})")
        truth.append(sum(w for w, _, _, case in parts if case[1] == 1))
        asked.append(f"E(T{given_text})")
        truth.append(truth[-1])
    if rest and "T" not in do:
        asked.append(f"E(T*{rest[0]}{given_text})")
        truth.append(sum(w * m[names.index(rest[0])] for w, m, _, case in parts if case[1] == 1))
    if not asked:
        return
    found = values(f"{mixture.text()}\ncompute {', '.join(asked)}")
    assert [float(each) for each in found] == pytest.approx(truth, rel=1e-7, abs=1e-9)


@settings(max_examples=60, deadline=None, database=None)
@given(st.data())
def test_units_of_mixtures(data: st.DataObject) -> None:
    """P(Y[T = t, ..] | seen): noises by abduction, then the equations of the other case."""
    mixture = data.draw(mixtures())
    names = mixture.cases[0, 0].names
    seen = {name: data.draw(NUMBERS) for name in names if data.draw(st.booleans())}
    finite = {"T": data.draw(st.integers(0, 1))} if data.draw(st.booleans()) else {}
    target, level = data.draw(st.sampled_from(names)), data.draw(st.integers(0, 1))
    do = {name: data.draw(NUMBERS) for name in names if name != target and data.draw(st.integers(0, 3)) == 0}
    parts = expected(mixture, {name: float(value) for name, value in seen.items()}, finite, {})
    mean = square = 0.0
    for weight, _, _, (s, t) in parts:
        noise_mean, noise_covariance = mixture.cases[s, t].abducted(seen)
        offsets, loadings = mixture.cases[s, level].affine(do)
        row = loadings[names.index(target)]
        center = float(offsets[names.index(target)] + row @ noise_mean)
        mean += weight * center
        square += weight * (center**2 + float(row @ noise_covariance @ row))
    world = ", ".join([f"T = {level}", *(f"{name} = {value}" for name, value in do.items())])
    bar = ", ".join(f"{name} = {value}" for name, value in [*seen.items(), *finite.items()])
    (found,) = values(f"{mixture.text()}\ncompute P({target}[{world}]{' | ' * bool(bar)}{bar})")
    assert float(found.mean[0]) == pytest.approx(mean, rel=1e-7, abs=1e-8)
    assert float(found.covariance[0][0]) == pytest.approx(square - mean**2, rel=1e-6, abs=1e-6)


# ---------------------------------------------------------------------------------------------------------------------
# Numerical integration and finite models


def test_against_numerical_integration() -> None:
    """E(Age | After = 110) and P(Treated = yes | After = 110) by integrals over Age and Pressure."""

    ages, pressures = np.linspace(-40, 120, 321), np.linspace(80, 180, 801)

    def integral(weight: np.ndarray, sick: int, treated: int) -> float:
        mean, spread = (0.8 * pressures, 2) if treated else (pressures, 3)
        chance = (0.25 if sick else 0.75) * ([0.8, 0.2], [0.3, 0.7])[sick][treated]
        around = 100 + ages[:, None] / 2 + 20 * sick
        inner = stats.norm.pdf(pressures[None, :], around, 5) * stats.norm.pdf(110, mean, spread)
        by_age = integrate.simpson(inner, x=pressures, axis=1)
        return chance * float(integrate.simpson(weight * stats.norm.pdf(ages, 40, 10) * by_age, x=ages))

    cases = list(product((0, 1), repeat=2))
    total = sum(integral(np.ones(len(ages)), *case) for case in cases)
    age = sum(integral(ages, *case) for case in cases) / total
    treated = sum(integral(np.ones(len(ages)), sick, 1) for sick in (0, 1)) / total
    found = values(TREATED + "compute E(Age | After = 110), P(Treated = yes | After = 110), P(After = 110)")
    assert [float(each) for each in found] == pytest.approx([age, treated, total], rel=1e-6)


def test_against_a_finite_model_of_cells() -> None:
    """X cut into narrow cells, its law a table of their probabilities: the finite semantics comes to the same."""
    edges = np.linspace(-6, 8, 281)
    middle = (edges[:-1] + edges[1:]) / 2
    cell = int(np.argmin(abs(middle - 1.525)))

    def row(mean: float, spread: float) -> str:
        chances = np.diff(stats.norm.cdf(edges, mean, spread))
        exact = [Fraction(round(float(p) * 10**9), 10**9) for p in chances]
        exact[-1] += 1 - sum(exact, Fraction(0))
        return ", ".join(map(str, exact))

    cells = f"""
    model Cells {{
      T : {{0, 1}} ~ Bernoulli(0.3)
      X : 0..{len(middle) - 1} ~ table (T) {{ 0 => {row(0, 1)} ; 1 => {row(2, 1.5)} }}
    }}
    compute P(T = 1 | X = {cell})
    """
    reals = f"""
    model Reals {{
      T : {{0, 1}} ~ Bernoulli(0.3)
      X : real ~ Normal(2*T, if T = 1 then 1.5 else 1)
    }}
    compute P(T = 1 | X = {middle[cell]:.6f})
    """
    assert float(values(cells)[0]) == pytest.approx(float(values(reals)[0]), abs=2e-4)


# ---------------------------------------------------------------------------------------------------------------------
# Size and refusals


def test_too_many_cases() -> None:
    switches = "\n".join(f"  S{n} : {{0, 1}} ~ Bernoulli(1/2)" for n in range(16))
    total = " + ".join(f"S{n}" for n in range(16))
    text = f"model M {{\n{switches}\n  Y : real := {total} + noise\n}}\ncompute P(Y)"
    assert message(text) == (
        "error[S603]: this is a mixture of 65,536 normal laws, one a case of S0, S1, S2, S3, S4, S5, S6, S7, S8, S9, "
        "S10, S11, S12, S13, S14, S15; the most is 20,000\n"
        " --> t.suture\n"
        "  = help: set or observe some of them"
    )


def test_time_is_kept() -> None:
    with limited(Budget(seconds=0)):
        said = message(TREATED + "compute E(After)")
    assert said.startswith("error[S603]")


def test_cases_that_cannot_happen_are_not_read() -> None:
    """The standard deviation is zero in a case of probability zero alone."""
    text = "model M { K : 0..2 ~ {0: 0, 1: 1/2, 2: 1/2} ; Y : real ~ Normal(1, K) }\n"
    assert values(text + "compute E(Y), E(Y^2) - E(Y)^2") == [1, Fraction(5, 2)]
    assert "the standard deviation of Y is 0" in message(text + "compute E(Y | do(K = 0))")


def test_a_probability_and_a_density() -> None:
    assert message(ATOM + "compute P(X = 2)") == (
        "error[S457]: P(X=2) mixes a probability with a density\n"
        " --> t.suture\n"
        "  = help: in some cases of the finite variables the value is certain, in others one of many; condition on them"
    )


def test_where_planes_meet() -> None:
    text = """model M { T : {0, 1} ~ Bernoulli(1/4) ; X : real ~ Normal(0, 1) ; Y : real := if T = 1 then X else -1*X }
compute P(T = 1 | X = 0, Y = 0)"""
    assert message(text) == (
        "error[S456]: what is observed has probability zero in every case of the finite variables, and decides "
        "nothing\n"
        " --> t.suture\n"
        "  = help: in two cases the observed variables are tied to one another in different ways; observe fewer of them"
    )


def test_a_finite_outcome_that_never_happens_beside_a_law() -> None:
    text = "model M { S : {0, 1} ~ Bernoulli(1/2) ; T : {0, 1} := S ; X : real := noise }\n"
    (found,) = values(text + "compute P(X, T = 1 | S = 0)")
    assert (found.mass, found.mean, found.lines()) == (0, (None,), ("X: probability 0",))
    assert found.to_dict() == {"variables": ["X"], "mean": [None], "covariance": [[None]], "components": []}


def test_a_condition_of_probability_zero_beside_others() -> None:
    """One row of the table has no answer; the others have."""
    (found,) = tables("model M { T : 0..2 ~ {0: 1/2, 1: 0, 2: 1/2} ; X : real := T + noise }\ncompute E(X | T)")
    assert list(found.rows()) == [(("0",), 0), (("1",), None), (("2",), 2)]
