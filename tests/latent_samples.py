"""Samples of several domains with their true counterfactuals, for tests of fits."""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = Any


def drawn(seed: int, cases: int) -> tuple[dict[str, Floats], dict[tuple[str, str], Floats]]:
    """Three latents, the last changed in weights and constant: samples, and their true counterfactuals."""
    generator = np.random.default_rng(seed)
    mixing, names = generator.standard_normal((3, 3)) + 2 * np.eye(3), ("old", "new", "far")
    weights = {"old": (0.8, -0.5, 0.0), "new": (-0.6, 0.7, 1.0), "far": (0.1, 1.2, -0.7)}

    def seen(name: str, noise: Floats) -> Floats:
        first = noise[:, 0]
        second = 0.7 * first + noise[:, 1] + 0.2
        one, two, constant = weights[name]
        latents = np.stack([first, second, one * first + two * second + constant + noise[:, 2]], 1)
        return np.where(latents > 0, latents, latents / 2) @ mixing.T + 1

    noises = {name: generator.standard_normal((cases, 3)) for name in names}
    pairs = [(a, b) for a in names for b in names]
    return {n: seen(n, noises[n]) for n in names}, {(a, b): seen(b, noises[a]) for a, b in pairs}
