"""The library face of latent models: programs, matrices, JAX functions; the same words and answers as the language."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import suture
from suture.dsl.diagnostics import SutureError
from suture.identify.derivation import Comparison, Images
from suture.semantics.latent.function_domains import FunctionDomains, standard

LENS = (
    (Path(__file__).parents[1] / "examples" / "canonical.suture").read_text(encoding="utf-8").split("canonicalise")[0]
)


def lens() -> suture.LatentModel:
    return suture.LatentModel(LENS)


def said(error: pytest.ExceptionInfo[SutureError]) -> str:
    (problem,) = error.value.diagnostics
    return f"{problem.code}: {problem.message}"


def test_the_same_words_give_the_same_answers() -> None:
    model = lens()
    asked = "canonicalise Lens over {d0, d1, d2}\ncounterfactual X1 = 1, X2 = 2, X3 = 3 in Lens from d0 to d2"
    form, sample = suture.run(LENS + asked)
    mine = [model.canonicalise(), model.counterfactual({"X1": 1, "X2": 2, "X3": 3}, "d0", "d2")]
    for one, two in zip((form, sample), mine, strict=True):
        left, right = one.to_dict(), two.to_dict()
        for key in ("line", "seconds"):
            left.pop(key), right.pop(key)
        assert left == right


def test_canonical_form_as_a_model() -> None:
    model = lens()
    last = model.canonical(name="Last")
    assert last.domains == ("d0", "d1", "d2")
    answer = model.equivalent(last)
    assert answer.to_dict()["value"] == {"counterfactual": True, "distribution": True}
    again = last.canonical()
    assert again.equivalent(model).status is suture.Status.HOLDS


def test_arrays_of_samples() -> None:
    samples = np.array([[1, 2, 3], [0, 0, 0]])
    moved = lens().transport(samples, "d0", "d1")
    assert moved.tolist() == [[-2, -1, 2], [0, 0, 0]]


def test_matrices() -> None:
    """E2 by its matrices."""
    first, second = [[1, 0, 0], [1, 1, 0], [2, 0, 1]], [[1, 0, 0], [3, 1, 0], [5, 0, 1]]
    model = suture.LatentModel.from_matrices(np.eye(3, dtype=int), {"a": first, "b": second})
    row = model.counterfactual({"X1": 1, "X2": Fraction(1, 2), "X3": 0}, "a", "b").exact
    assert row == {"variables": ["X1", "X2", "X3"], "rows": [["1", "5/2", "3"]]}
    assert model.canonicalise().to_dict()["value"]["minimal_k"] == 1


@pytest.mark.parametrize(
    ("mechanisms", "message"),
    [
        ({"a": [[1, 1], [0, 1]]}, "S461: the mechanism of a is not lower triangular"),
        ({"a": [[1, 0], [0, 0]]}, "S461: the mechanism of a has no inverse"),
        ({"a": [[1, 0, 0], [0, 1, 0]]}, "S461: the mechanism of a is not 2 by 2"),
    ],
)
def test_matrices_that_are_refused(mechanisms: dict[str, Any], message: str) -> None:
    with pytest.raises(SutureError) as caught:
        suture.LatentModel.from_matrices([[1, 0], [0, 1]], mechanisms)
    assert said(caught) == message


def test_labels_in_any_spelling() -> None:
    model = suture.LatentModel(
        "model M { latent E ~ Bernoulli(0.5) ; X : {0, 1} := E }\ndomain a of M {}\ndomain b of M { X := 1 - E }"
    )
    for one in (1, "1", 1.0, Fraction(1)):
        assert model.counterfactual({"X": one}, "a", "b").to_dict()["value"]["rows"] == [[0]]


def test_one_domain_changes_nothing() -> None:
    value = lens().canonicalise(["d0"]).to_dict()["value"]
    assert (value["intervened"], value["last"], value["minimal_k"]) == ([], [], 0)


def test_names_and_samples_that_are_refused() -> None:
    model = lens()
    for sample, start, message in (
        ({"X1": 1, "X2": 2}, "d0", "S464: the sample does not give X3"),
        ({"X1": 1, "X2": 2, "X4": 3}, "d0", "S104: unknown variable 'X4' in model Lens"),
        ({"X1": 1, "X2": 2, "X3": "much"}, "d0", "S201: 'much' is not a value of X3"),
        ({"X1": 1, "X2": 2, "X3": float("nan")}, "d0", "S201: 'nan' is not a value of X3"),
        ({"X1": 1, "X2": 2, "X3": 3}, "d9", "S103: unknown domain of Lens: 'd9'"),
    ):
        with pytest.raises(SutureError) as caught:
            model.counterfactual(sample, start, "d1")
        assert said(caught) == message


# ---------------------------------------------------------------------------------------------------------------------
# JAX functions


SIZE = 3
GENERATOR = np.random.default_rng(2)
LENSES = GENERATOR.normal(size=(SIZE, SIZE)) + 2 * np.eye(SIZE)
WEIGHTS = np.tril(GENERATOR.normal(size=(SIZE, SIZE)), -1)


def mechanism(domain: int) -> Any:
    """z_j = leaky(noise + weights z), with other noise for latent 1 in domain 1."""
    import jax.numpy as jnp

    scale = np.array([1.0, 2.5, 1.0]) if domain else np.ones(SIZE)

    def apply(noise: Any) -> Any:
        latents: list[Any] = []
        for place in range(SIZE):
            value = scale[place] * noise[place] + sum(WEIGHTS[place, i] * z for i, z in enumerate(latents))
            latents.append(jnp.where(value > 0, value, 0.5 * value))
        return jnp.stack(latents)

    return apply


def observation(latents: Any) -> Any:
    import jax.numpy as jnp

    return jnp.tanh(jnp.asarray(LENSES) @ latents / 4) + jnp.asarray(LENSES) @ latents


def by_numpy(domain: int, noise: Any) -> Any:
    """The same functions, written for numpy."""
    scale = [1.0, 2.5, 1.0] if domain else [1.0] * SIZE
    latents: list[float] = []
    for place in range(SIZE):
        value = scale[place] * noise[place] + sum(WEIGHTS[place, i] * z for i, z in enumerate(latents))
        latents.append(value if value > 0 else 0.5 * value)
    mixed = LENSES @ np.array(latents)
    return np.tanh(mixed / 4) + mixed


@pytest.fixture(scope="module")
def model() -> suture.LatentModel:
    """Compiled once for all tests."""
    return suture.LatentModel.from_functions({"a": mechanism(0), "b": mechanism(1)}, observation, SIZE)


def test_functions_are_inverted(model: suture.LatentModel) -> None:
    noise = standard(SIZE, seed=8, cases=40)
    seen = np.array([by_numpy(0, each) for each in noise])
    wanted = np.array([by_numpy(1, each) for each in noise])
    assert np.allclose(model.transport(seen, "a", "b"), wanted, atol=1e-8)
    assert np.allclose(model.transport(wanted, "b", "a"), seen, atol=1e-8)
    assert (model.observed, model.domains) == (("X1", "X2", "X3"), ("a", "b"))


def test_functions_answer_as_programs_do(model: suture.LatentModel) -> None:
    noise = standard(SIZE, seed=8, cases=1)[0]
    seen, wanted = by_numpy(0, noise), by_numpy(1, noise)
    answer = model.counterfactual(dict(zip(model.observed, seen.tolist(), strict=True)), "a", "b").to_dict()
    assert answer["status"] == "value"
    assert np.allclose(answer["value"]["rows"], [wanted], atol=1e-8)
    assert answer["check"]["max_error"] < 1e-7
    assert answer["notes"] == [
        "inverted numerically: the mechanisms of a",
        "inverted numerically: the mechanisms of b",
        "inverted numerically: the observation",
    ]
    value = model.canonicalise().to_dict()["value"]
    assert (value["intervened"], value["last"], value["minimal_k"]) == (["Z2"], ["U_Z2"], 1)
    for bad, start, message in (
        ({"X1": 0, "X2": 0}, "a", "S464: the sample does not give X3"),
        ({"X1": 0, "X2": 0, "X3": 0}, "c", "S103: unknown domain of Functions: 'c'"),
    ):
        with pytest.raises(SutureError) as caught:
            model.counterfactual(bad, start, "b")
        assert said(caught) == message


def test_canonical_form_of_functions(model: suture.LatentModel) -> None:
    last = model.canonical()
    form = last.family()
    assert isinstance(form, FunctionDomains)
    assert form.nodes == ("U_Z1", "U_Z3", "U_Z2")
    assert form.intervened() == ("U_Z2",)
    noise = standard(SIZE, seed=9, cases=40)
    # Canonical latents 0..2 are latents 0, 2, 1.
    seen = np.array([by_numpy(1, each) for each in noise])
    assert np.allclose(form.seen(1, noise[:, [0, 2, 1]]), seen, atol=1e-8)
    assert last.domains == model.domains


def test_functions_beside_a_program() -> None:
    """Linear mechanisms as functions are those of the program."""
    import jax.numpy as jnp

    program = suture.LatentModel.from_matrices([[1, 1], [0, 1]], {"old": [[1, 0], [2, 1]], "new": [[3, 0], [6, 1]]})
    functions = suture.LatentModel.from_functions(
        {"old": lambda e: jnp.array([e[0], 2 * e[0] + e[1]]), "new": lambda e: jnp.array([3 * e[0], 6 * e[0] + e[1]])},
        lambda z: jnp.array([z[0] + z[1], z[1]]),
        2,
    )
    assert functions.equivalent(program).value == {"counterfactual": True, "distribution": True}
    other = suture.LatentModel.from_matrices([[1, 1], [0, 1]], {"old": [[1, 0], [2, 1]], "new": [[3, 0], [6, 2]]})
    answer = functions.equivalent(other)
    assert answer.value == {"counterfactual": False, "distribution": False}
    assert isinstance(answer.witness, Comparison)
    images = answer.witness.counterfactual
    assert isinstance(images, Images)
    shown = [[float(value) for _, value in image] for image in (images.sample, *images.images)]
    assert np.allclose(program.transport([shown[0]], "old", "new"), shown[1])
    assert np.allclose(other.transport([shown[0]], "old", "new"), shown[2])


def test_functions_that_are_refused() -> None:
    import jax.numpy as jnp

    cases: list[tuple[Any, Any, str]] = [
        (lambda e: e[::-1], observation, "Z1 in domain a depends on the noise of Z3, which comes after it"),
        (lambda e: e.at[2].set(e[2] ** 2), observation, "Z3 in domain a is not invertible in its noise near"),
        (mechanism(0), lambda z: z**2, "the latents cannot be recovered from what is seen in domain a"),
        (mechanism(0), lambda z: jnp.concatenate([z, z]), "what is seen has 6 entries, and there are 3 latents"),
    ]
    for own, lens_function, message in cases:
        with pytest.raises(SutureError) as caught:
            suture.LatentModel.from_functions({"a": own}, lens_function, SIZE)
        assert message in said(caught)
