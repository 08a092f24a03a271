"""A learned invertible lens for images and other long vectors: principal components, then affine couplings.

Couplings are Real NVP's (Dinh, Sohl-Dickstein, Bengio, ICLR 2017): one part of a vector is scaled and shifted by what a
small network makes of the other part, so that inverse and determinant are at hand.  Images lie near a surface of few
dimensions, and that shapes the lens.  Of the principal components of all samples the first m are the *core*, those that
follow, up to `SHARE` of the variance, are the *detail*, and the others are left alone.  Three steps, each a bijection:

    core   <- core * exp(s(detail)) + t(detail)         an encoder: the core bends to what the detail knows
    detail <- (detail - h(core)) * exp(-r(core))        a decoder: what the core does not tell of the detail remains
    core   <- couplings and rotations, a linear map     the core in coordinates in which domains are simple

So this is an autoencoder whose remainder is kept, and nothing is lost: x = g(z) with z = (remainder, core), of the
length of x.  All networks start at zero, where the lens is linear, and the linear map at the end says where it starts
(`linear_start.py`).  Functions act on one vector, in JAX; the parameters are a tree of arrays, so that they can be
learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

Floats: TypeAlias = Any
Tree: TypeAlias = Any
"""Arrays in dicts and lists, as JAX has them."""

SHARE = 0.995
"""The share of the variance that core and detail have."""
LARGEST = 2.0
"""The largest logarithm of a scale that a coupling can give."""


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of samples: `mean`, `basis` with a component a column, `scales` with the noise added.

    `core` components come first, then `detail`, then those that no network sees.
    """

    mean: Floats
    basis: Floats
    scales: Floats
    core: int
    detail: int

    @property
    def used(self) -> int:
        """How many components networks see."""
        return self.core + self.detail

    def whitened(self, seen: Any) -> Any:
        """Components of unit variance, of one sample or of many."""
        return (seen - self.mean) @ self.basis / self.scales

    def mixed(self, white: Any) -> Any:
        """The inverse of `whitened`."""
        return (white * self.scales) @ self.basis.T + self.mean


def components_of(samples: Floats, core: int, noise: float) -> Components:
    """The components of all samples, `cases size`, in which noise of that deviation is added to every coordinate."""
    values, basis = np.linalg.eigh(np.cov(samples.T).reshape(2 * samples.shape[1:]))
    values, basis = np.maximum(values[::-1], 0), basis[:, ::-1]
    enough = int(np.searchsorted(np.cumsum(values) / values.sum(), SHARE)) + 1
    # A coupling needs something to couple with.
    used = min(max(enough, core + 1), len(values))
    return Components(samples.mean(0), basis, np.sqrt(values + noise**2), core, used - core)


@dataclass(frozen=True, eq=False)
class CouplingLens:
    """The lens: x to z = (what is left alone, remainder of the detail, core), and back.

    `turn` and `offset` are the linear map at the end, `core core` and `core`.
    """

    components: Components
    rotations: Sequence[Floats]
    turn: Floats
    offset: Floats
    parameters: Tree

    @property
    def half(self) -> int:
        """How many coordinates of the core a coupling leaves as they are."""
        return self.components.core // 2

    def with_parameters(self, parameters: Tree) -> CouplingLens:
        """The same lens with other parameters."""
        return replace(self, parameters=parameters)

    def recovered(self, seen: Any) -> Any:
        """z from x, one vector each."""
        white = self.components.whitened(seen)
        used = self.components.used
        latents, _ = self.forward(white[:used])
        return jnp.concatenate([white[used:], latents])

    def seen(self, latents: Any) -> Any:
        """x from z, one vector each."""
        alone = self.components.scales.shape[0] - self.components.used
        white = jnp.concatenate([self.backward(latents[alone:]), latents[:alone]])
        return self.components.mixed(white)

    def forward(self, white: Any) -> tuple[Any, Any]:
        """Remainder and core from the components that networks see, and the logarithm of the determinant."""
        parameters, size = self.parameters, self.components.core
        core, detail = white[:size], white[size:]
        shift, scale = _affine(parameters["encoder"], detail)
        core = core * jnp.exp(scale) + shift
        volume = scale.sum()
        shift, scale = _affine(parameters["decoder"], core)
        detail = (detail - shift) * jnp.exp(-scale)
        volume -= scale.sum()
        for network, rotation in zip(parameters["couplings"], self.rotations, strict=True):
            turned = rotation @ core
            kept, moved = turned[: self.half], turned[self.half :]
            shift, scale = _affine(network, kept)
            core = jnp.concatenate([kept, moved * jnp.exp(scale) + shift])
            volume += scale.sum()
        volume += np.linalg.slogdet(self.turn)[1].astype(self.turn.dtype)
        return jnp.concatenate([detail, self.turn @ core + self.offset]), volume

    def backward(self, latents: Any) -> Any:
        """The inverse of `forward`."""
        parameters, size = self.parameters, self.components.detail
        detail, core = latents[:size], np.linalg.inv(self.turn) @ (latents[size:] - self.offset)
        for network, rotation in zip(reversed(parameters["couplings"]), reversed(self.rotations), strict=True):
            kept, moved = core[: self.half], core[self.half :]
            shift, scale = _affine(network, kept)
            core = rotation.T @ jnp.concatenate([kept, (moved - shift) * jnp.exp(-scale)])
        shift, scale = _affine(parameters["decoder"], core)
        detail = detail * jnp.exp(scale) + shift
        shift, scale = _affine(parameters["encoder"], detail)
        return jnp.concatenate([(core - shift) * jnp.exp(-scale), detail])


def starting_lens(
    components: Components, turn: Floats, offset: Floats, couplings: int, width: int, generator: np.random.Generator
) -> CouplingLens:
    """A lens that is linear, z = turn y + offset on the core; hidden layers of that width are drawn at random."""
    core, detail = components.core, components.detail
    half = core // 2
    parameters = {
        "encoder": _network([detail, width, width, 2 * core], generator),
        "decoder": _network([core, width, width, 2 * detail], generator),
        "couplings": [_network([half, width, width, 2 * (core - half)], generator) for _ in range(couplings)],
    }
    rotations = [np.linalg.qr(generator.standard_normal((core, core)))[0] for _ in range(couplings)]
    through = np.eye(core)
    for rotation in rotations:
        through = rotation @ through
    return CouplingLens(components, rotations, turn @ through.T, offset, parameters)


def cast(tree: Tree, kind: Any) -> Tree:
    """All arrays in another precision."""
    return jax.tree.map(lambda array: np.asarray(array, dtype=kind), tree)


def _network(sizes: Sequence[int], generator: np.random.Generator) -> Tree:
    """Weights and biases of a network; the last layer is zero."""
    layers: list[Tree] = []
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        last = place == len(sizes) - 2
        weights = np.zeros((inputs, outputs)) if last else generator.standard_normal((inputs, outputs))
        layers.append({"weights": weights * np.sqrt(2 / inputs), "biases": np.zeros(outputs)})
    return layers


def _affine(network: Tree, values: Any) -> tuple[Any, Any]:
    """Shifts and logarithms of scales that a network makes of a vector."""
    for layer in network[:-1]:
        values = jax.nn.silu(values @ layer["weights"] + layer["biases"])
    made = values @ network[-1]["weights"] + network[-1]["biases"]
    shift, scale = jnp.split(made, 2)
    return shift, LARGEST * jnp.tanh(scale / LARGEST)
