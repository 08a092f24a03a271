"""Learning lens and mechanisms of a model of images together: likelihood, batches, and the functions that come of it.

With z = (remainder, core) behind an image, a mechanism undone is e = exp(s_d) z + W_d z + b_d on the core, W_d strictly
lower triangular, so that the log-density is that of a standard normal e, plus s_d, plus the volume of the lens.  A mask
holds rows of s, W and b at zero where a design lets nothing differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..budget import meter
from ..networks.devices import precision
from .coupling_lens import Components, CouplingLens, Tree, cast, components_of, starting_lens
from .descent import adam_on_batches
from .linear_start import linear_start
from .mechanism_order import Moments, moments_of

Floats = Any
Function = Callable[[Any], Any]

CHUNK = 250
"""Steps between two looks at the time allowed."""


@dataclass(frozen=True)
class ImageOptions:
    """How to fit: see `fit_images` of `image_fit.py`."""

    design: str = "canonical"
    k: int | None = None
    core: int = 12
    noise: float = 0.15
    steps: int = 2000
    batch: int = 192
    couplings: int = 6
    width: int = 64
    rate: float = 1.5e-3
    seed: int = 0
    validation: float = 0.1


@dataclass(frozen=True, eq=False)
class Learned:
    """A lens, and the mechanisms undone, `scales domains core`, `weights domains core core`, `shifts domains core`."""

    lens: CouplingLens
    scales: Floats
    weights: Floats
    shifts: Floats


def learned(train: Sequence[Floats], options: ImageOptions) -> Learned:
    """Lens and mechanisms that make the samples of each domain, `cases size`, most likely.

    Raises `SutureError` S603 where the time allowed is over.
    """
    generator = np.random.default_rng(options.seed)
    domains, core = len(train), options.core
    components = components_of(np.concatenate(train), core, options.noise)
    used = components.used
    white = [components.whitened(own)[:, :used] for own in train]
    allowed = free_rows(options.design, domains, core, options.k)
    begin = linear_start(_noisy_moments(white, components, options), core if options.k is None else options.k, allowed)
    lens = starting_lens(components, begin.turn, begin.offset, options.couplings, options.width, generator)
    mechanisms = {"scales": begin.scales, "weights": begin.weights, "shifts": begin.shifts}
    values = np.concatenate(white).astype(np.float32)
    places = np.repeat(np.arange(domains), [len(own) for own in white])
    spread = (options.noise / components.scales[:used]).astype(np.float32)
    mask = allowed.astype(np.float32)
    rotations, turn, offset = cast((lens.rotations, lens.turn, lens.offset), np.float32)
    turning = CouplingLens(components, rotations, turn, offset, None)

    def loss(parameters: Tree, key: Any) -> Any:
        chosen, noised = jax.random.split(key)
        rows = jax.random.randint(chosen, (options.batch,), 0, len(values))
        noise = spread * jax.random.normal(noised, (options.batch, used), jnp.float32)
        batch = jnp.asarray(values)[rows] + noise
        own = turning.with_parameters(parameters["lens"])
        undone = masked(parameters["mechanisms"], mask)
        densities = jax.vmap(lambda white, place: _log_density(own, undone, white, place))
        return -densities(batch, jnp.asarray(places)[rows]).mean()

    start = cast({"lens": lens.parameters, "mechanisms": mechanisms}, np.float32)
    trained = adam_on_batches(loss, start, options.steps, options.rate, options.seed, CHUNK, meter().tick)
    parameters = cast(trained, np.float64)
    undone = masked(parameters["mechanisms"], allowed)
    own = cast(undone, np.float64)
    return Learned(lens.with_parameters(parameters["lens"]), own["scales"], own["weights"], own["shifts"])


def _noisy_moments(white: Sequence[Floats], components: Components, options: ImageOptions) -> Moments:
    """The moments of the core of each domain, with the noise that training adds."""
    core = options.core
    given = moments_of([own[:, :core] for own in white])
    noise = np.diag((options.noise / components.scales[:core]) ** 2)
    return replace(given, covariances=given.covariances + noise)


def free_rows(design: str, domains: int, core: int, k: int | None) -> Floats:
    """1 where a latent's mechanism may differ from its noise, `domains core`.

    >>> free_rows("canonical", 2, 3, 1).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    rows = np.ones((domains, core))
    if design != "dense":
        rows[:, : core - (k or 0)] = 0.0
    if design == "canonical":
        rows[0] = 0.0
    return rows


def masked(mechanisms: Tree, rows: Any) -> Tree:
    """Mechanisms with the rows that a design holds fixed at zero, weights strictly lower triangular."""
    return {
        "scales": mechanisms["scales"] * rows,
        "weights": jnp.tril(mechanisms["weights"], -1) * rows[..., None],
        "shifts": mechanisms["shifts"] * rows,
    }


def _log_density(lens: CouplingLens, mechanisms: Tree, white: Any, place: Any) -> Any:
    """Of the components that networks see; the others add a constant that nothing learned changes."""
    latents, volume = lens.forward(white)
    detail = lens.components.detail
    remainder, core = latents[:detail], latents[detail:]
    scales = mechanisms["scales"][place]
    noise = jnp.exp(scales) * core + mechanisms["weights"][place] @ core + mechanisms["shifts"][place]
    squares = remainder @ remainder + noise @ noise
    return volume + scales.sum() - 0.5 * squares - 0.5 * len(white) * jnp.log(2 * jnp.pi)


def mean_log_density(found: Learned, samples: Sequence[Floats], noise: float) -> float:
    """The mean log-density, in nats, of samples of each domain with fresh noise added: all their coordinates count."""
    components, used = found.lens.components, found.lens.components.used
    generator = np.random.default_rng(1)
    own: list[Floats] = []
    with precision():
        mechanisms = {"scales": found.scales, "weights": found.weights, "shifts": found.shifts}
        undone = jax.tree.map(jnp.asarray, mechanisms)
        density = jax.jit(jax.vmap(lambda row, place: _log_density(found.lens, undone, row, place), (0, None)))
        for place, seen in enumerate(samples):
            white = components.whitened(seen + noise * generator.standard_normal(seen.shape))
            rest = white[:, used:]
            alone = -0.5 * (rest**2).sum(1) - 0.5 * rest.shape[1] * np.log(2 * np.pi)
            own.append(np.asarray(density(white[:, :used], place)) + alone)
    return float(np.concatenate(own).mean() - np.log(components.scales).sum())


def mechanism_functions(found: Learned) -> tuple[list[Function], list[Function]]:
    """f_d from noises to latents in each domain, and their inverses, as JAX functions of one vector."""
    core = found.scales.shape[1]

    def undone(place: int) -> Function:
        matrix = np.diag(np.exp(found.scales[place])) + found.weights[place]
        shift = found.shifts[place]

        def apply(latents: Any) -> Any:
            return jnp.concatenate([latents[:-core], matrix @ latents[-core:] + shift])

        return apply

    def done(place: int) -> Function:
        matrix = np.linalg.inv(np.diag(np.exp(found.scales[place])) + found.weights[place])
        matrix, shift = np.tril(matrix), found.shifts[place]

        def apply(noise: Any) -> Any:
            return jnp.concatenate([noise[:-core], matrix @ (noise[-core:] - shift)])

        return apply

    places = range(len(found.scales))
    return [done(place) for place in places], [undone(place) for place in places]
