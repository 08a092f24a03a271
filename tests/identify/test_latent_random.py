"""Random latent models of several domains, each answer judged by computations that share no code with the library."""

from __future__ import annotations

import numpy as np
import pytest
from latent_judges import finite_form, finite_pair, linear_form, linear_pair, read, smooth_form, smooth_pair
from strategies_latent import random_finite, random_linear

import suture

KINDS = ("same", "other law", "different")


@pytest.mark.parametrize("seed", range(12))
def test_canonical_forms_of_linear_models(seed: int) -> None:
    assert list(linear_form(np.random.default_rng(seed), narrow=seed % 3 == 0)) == []


@pytest.mark.parametrize("seed", range(16))
def test_canonical_forms_of_finite_models(seed: int) -> None:
    assert list(finite_form(np.random.default_rng(seed), binary=seed % 2 == 0)) == []


@pytest.mark.parametrize("seed", range(6))
def test_canonical_forms_of_smooth_models(seed: int) -> None:
    assert list(smooth_form(np.random.default_rng(seed))) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_pairs_of_linear_models(seed: int, kind: str) -> None:
    assert list(linear_pair(np.random.default_rng(seed), kind)) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_pairs_of_finite_models(seed: int, kind: str) -> None:
    assert list(finite_pair(np.random.default_rng(seed), kind)) == []


@pytest.mark.parametrize("kind", ["same", "different"])
@pytest.mark.parametrize("seed", range(4))
def test_pairs_of_smooth_models(seed: int, kind: str) -> None:
    assert list(smooth_pair(np.random.default_rng(seed), kind)) == []


def test_the_judge_runs_programs_by_their_text() -> None:
    """The oracle against values worked out by hand."""
    text = read(
        "model M {\n  latent A : real := 2 * noise\n  latent B : real := A - noise + 1/2\n"
        "  X : real := if A > 1 then (if B > 0 then 1 else 2) else 3\n}\ndomain d of M { A := noise + 1 }\n"
    )
    from fractions import Fraction

    assert text.run("d", {"A": Fraction(1), "B": Fraction(4)}) == {"A": 2, "B": Fraction(-3, 2), "X": 2}
    assert text.run("d", {"A": Fraction(0), "B": Fraction(1)})["X"] == 3


def test_irrational_models_are_answered_in_floats() -> None:
    program = """
model M {
  latent A : real := sqrt(2) * noise
  latent B : real := A + exp(1) * noise
  X : real := A + B
  Y : real := B / 3
}
domain a of M {}
domain b of M { B := 2 * A - noise }
canonicalise M over {a, b} as L
equivalent M, L over {a, b}
counterfactual X = 1, Y = 2 in M from a to b"""
    form, same, sample = suture.run(program)
    assert form.to_dict()["value"]["minimal_k"] == 1
    assert same.to_dict()["value"] == {"counterfactual": True, "distribution": True}
    # B = 6, A = -5, and B's noise is (6 + 5) / e.
    b = 2 * -5 - 11 / np.e
    assert sample.to_dict()["value"]["rows"][0] == pytest.approx([-5 + b, b / 3])
    assert sample.to_dict()["exact"] is None


def test_a_truth_value_is_no_mechanism_of_a_real_variable() -> None:
    program = """
model M { A : real := noise^3 }
domain a of M {}
domain b of M { A := noise xor exp(noise) }
counterfactual A = 1 in M from a to b"""
    (answer,) = suture.run(program)
    assert answer.error is not None
    assert answer.error.code == "S461"
    assert answer.error.message == "the mechanism of A in domain b is not invertible"


def test_equations_that_give_no_number_are_refused() -> None:
    program = "model M { A : real := noise^3 + log(0 - 1) * A0 ; latent A0 : real := 2 }\ndomain a of M {}\n"
    (answer,) = suture.run(f"{program}counterfactual A = 1 in M from a to a")
    assert answer.error is not None
    assert answer.error.code == "S461"


def test_noise_of_other_families() -> None:
    program = """
model M { latent A : real ~ Laplace(1, 2) ; latent B : real ~ Uniform(A, A + 2) ; X : real := A + B ; Y : real := B }
domain a of M {}
domain b of M { A ~ Laplace(0, 3) }
canonicalise M over {a, b} as L
equivalent M, L over {a, b}
counterfactual X = 4, Y = 3 in L from a to b"""
    form, same, sample = suture.run(program)
    assert form.error is None
    assert same.to_dict()["value"] == {"counterfactual": True, "distribution": True}
    # A = 1 with noise 0 and B's noise 1; in b A = 0 and B = 0 + 2 * 1.
    assert sample.to_dict()["exact"]["rows"] == [["2", "2"]]


def test_a_rotation_of_laplace_noise_is_another_law() -> None:
    """Covariances agree, and independent noises that are not normal tell a rotation (Darmois, Skitovich)."""
    program = """
model M { A : real ~ Laplace(0, 1) ; B : real ~ Laplace(0, 1) }
domain a of M {}
model N { latent C : real ~ Laplace(0, 1) ; latent D : real ~ Laplace(0, 1)
  A : real := 3/5 * C + 4/5 * D
  B : real := -4/5 * C + 3/5 * D
}
domain a of N {}
equivalent M, N over {a}"""
    (answer,) = suture.run(program)
    assert answer.to_dict()["value"] == {"counterfactual": True, "distribution": False}
    (answer,) = suture.run(program.replace("~ Laplace(0, 1)", "~ Normal(0, 1)"))
    assert answer.to_dict()["value"] == {"counterfactual": True, "distribution": True}


def test_ten_latents_in_ten_domains() -> None:
    """The size that estimation asks for, exactly."""
    generator = np.random.default_rng(3)
    model = random_linear(generator, most=10)
    while model.size < 10:
        model = random_linear(generator, most=10)
    over = ", ".join(f"d{domain}" for domain in range(len(model.weights)))
    (answer,) = suture.run(f"{model.program()}\ncanonicalise M over {{{over}}}")
    assert answer.error is None
    assert answer.to_dict()["value"]["minimal_k"] == model.rank()


def test_a_binary_model_that_needs_fewer_than_the_rank() -> None:
    """Two bits flipped by two others: the rank over GF(2) is 2, yet orbits have two states, so one bit will do."""
    program = """
model M {
  latent EA ~ Bernoulli(0.2)
  latent EB ~ Bernoulli(0.1)
  latent EC ~ Bernoulli(0.3)
  latent ED ~ Bernoulli(0.4)
  latent A : {0, 1} := EA
  latent B : {0, 1} := EB
  latent C : {0, 1} := (A and not A) xor EC
  latent D : {0, 1} := (B and not B) xor ED
  W : {0, 1} := A
  X : {0, 1} := B
  Y : {0, 1} := C
  Z : {0, 1} := D
}
domain a of M {}
domain b of M { C := A xor EC ; D := B xor ED }
canonicalise M over {a, b}"""
    (answer,) = suture.run(program)
    value = answer.to_dict()["value"]
    assert (value["intervened"], value["minimal_k"]) == (["C", "D"], 1)
    assert (value["largest_orbit"], value["gf2_rank"]) == (2, 2)
    assert "2 among xor-linear models" in str(answer)
    smallest = read(value["minimal_program"])
    assert len({name for own in smallest.domains.values() for name in own}) == 1


def test_a_random_finite_model_is_what_its_program_says() -> None:
    """The generator's brute force against the library's computation of the law, by enumeration of probabilities."""
    model = random_finite(np.random.default_rng(4))
    (answer,) = suture.run(f"{model.program()}\ncompute P(X | domain = d0) in M")
    table = answer.to_dict()
    law = model.law(0)
    assert [float(law[x]) for x in sorted(law)] == pytest.approx([row[-1] for row in table["value"]["rows"]])
