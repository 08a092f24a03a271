"""Bounds for the fewest intervened latents of smooth models, beside ranks by numpy and models with a known least k."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import suture
from suture.semantics.latent.function_domains import FunctionDomains
from suture.semantics.latent.smooth_minimal import FewestSmooth, fewest_smooth

HEAD = """
model M {
  latent Z1 : real := noise
  latent Z2 : real := tanh(Z1) + noise
  latent Z3 : real := tanh(Z1) + Z2 + noise
  X1 : real := Z1
  X2 : real := Z2
  X3 : real := Z3
}
domain a of M {}
"""


@pytest.mark.parametrize(
    ("domain", "bounds", "why"),
    [
        # Both read Z1 alone with another weight: noise moves by (0, 1, 3) tanh(Z1), along one line.
        ("Z2 := 2 * tanh(Z1) + noise ; Z3 := 4 * tanh(Z1) + Z2 + noise", [1, 1], "all noise moves along one line"),
        # Zero noise stays, and there DM - 1 has the rows (0, 0, 0), (1, 0, 0) and (.., 1, 0): rank 2.
        (
            "Z2 := 2 * tanh(Z1) + noise ; Z3 := tanh(Z1) + 2 * tanh(Z2) + noise",
            [2, 2],
            "the rank of the derivatives at a noise that is kept",
        ),
        # No noise stays, and moves are not along one line.
        ("Z2 := tanh(Z1) + noise + 1 ; Z3 := tanh(Z1) + Z2 + noise + exp(Z1)", [1, 2], "what differs"),
        ("Z3 := 2 * tanh(Z1) + Z2 + noise", [1, 1], "what differs"),
    ],
)
def test_smooth_programs(domain: str, bounds: list[int], why: str) -> None:
    answer = suture.LatentModel(f"{HEAD}domain b of M {{ {domain} }}").canonicalise()
    value = answer.to_dict()["value"]
    assert value["minimal_k_bounds"] == bounds
    assert value["minimal_k"] == (bounds[0] if bounds[0] == bounds[1] else None)
    shown = str(bounds[0]) if bounds[0] == bounds[1] else f"between {bounds[0]} and {bounds[1]}"
    assert answer.lines[-1] == f"minimal k       {shown}: {why}"
    assert "rewrites replayed on diagrams; 4 counterfactual maps" in str(answer.check.how)


def linear(matrices: list[Any]) -> FunctionDomains:
    """z = F_d e seen as it is, as functions with their inverses."""
    names = [f"d{place}" for place in range(len(matrices))]
    size = len(matrices[0])
    undone = [np.linalg.inv(own) for own in matrices]
    model = suture.LatentModel.from_functions(
        {name: lambda e, own=own: own @ e for name, own in zip(names, matrices, strict=True)},
        lambda z: z,
        size,
        lambda x: x,
        {name: lambda z, own=own: own @ z for name, own in zip(names, undone, strict=True)},
    ).family()
    assert isinstance(model, FunctionDomains)
    return model


@pytest.mark.parametrize("seed", range(3))
def test_linear_models_have_the_rank(seed: int) -> None:
    """Without shifts the least number is the rank of [F0^-1 F1 - 1 | F0^-1 F2 - 1], which zero noise shows."""
    generator = np.random.default_rng(seed)
    matrices = [np.tril(generator.standard_normal((4, 4)), -1) + np.eye(4) for _ in range(3)]
    for own in matrices[1:]:
        own[: seed + 1] = matrices[0][: seed + 1]
    back = np.linalg.inv(matrices[0])
    rank = np.linalg.matrix_rank(np.concatenate([back @ own - np.eye(4) for own in matrices[1:]], 1))
    found = fewest_smooth(linear(matrices))
    assert (found.least, found.most) == (rank, 3 - seed)
    assert rank == 3 - seed


def test_one_line_of_a_linear_model() -> None:
    """E2 of the design page: two mechanisms differ, and one is enough."""
    first, second = np.array([[1, 0, 0], [1, 1, 0], [2, 0, 1.0]]), np.array([[1, 0, 0], [3, 1, 0], [5, 0, 1.0]])
    assert fewest_smooth(linear([first, second])) == FewestSmooth(1, 1, "all noise moves along one line")
