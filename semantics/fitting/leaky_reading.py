"""Latent models seen through a leaky ReLU and a matrix, written as programs of the language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..latent.linear_reading import affine_text, linear_program
from .leaky_domains import LEAK, LeakyDomains


def leaky_program(model: LeakyDomains, name: str, observed: Sequence[str]) -> str:
    """A program of the model and its domains; the latents before the leaky ReLU are Z1, Z2 .., their noises and the
    latents of a canonical form K1, K2 .. , and the leaky ReLU of Z1 is U1.

    Reading it gives, as smooth mechanisms, the same counterfactuals.
    """
    latents, size = model.latents, len(model.offset)
    direct = bool(np.array_equal(latents.observation, np.eye(size))) and not latents.offset.any()
    nodes = _names("Z" if direct else "K", size, observed)
    seen = _names("Z", size, observed)
    bent = _names("U", size, observed)
    lens: list[str] = []
    if not direct:
        for place, one in enumerate(seen):
            text = affine_text(latents.offset[place], latents.observation[place], nodes)
            lens.append(f"latent {one} : real := {text}")
    lens += [f"latent {one} : real := max({own}, {LEAK}*{own})" for one, own in zip(bent, seen, strict=True)]
    for place, one in enumerate(observed):
        lens.append(f"{one} : real := {affine_text(model.offset[place], model.mixing[place], bent)}")
    return linear_program(latents.renamed(nodes), name, lens)


def _names(letter: str, size: int, taken: Sequence[str]) -> tuple[str, ...]:
    while any(f"{letter}{place + 1}" in taken for place in range(size)):
        letter += letter[0]
    return tuple(f"{letter}{place + 1}" for place in range(size))
