"""The likelihood of x = G lrelu(y) + c with y normal in each domain, as a function of W = G^-1 and c alone.

Given u = W x + t and y = lrelu^-1(u), the best normal laws of y, with some mechanisms shared between domains, are known
in closed form from the covariances of y; what they leave is a sum over mechanisms of the logarithms of residual
variances (the profile likelihood).  `Shared` says how much of a mechanism all domains share, and `costs` gives that
logarithm for each mechanism and each way of sharing, from one Cholesky factor a domain and two for all.

The likelihood of the leaky ReLU jumps whenever a sample crosses a kink, and its gradient knows nothing of the jumps:
that is why descents on it stop anywhere.  Here the kink is rounded, lrelu^-1(u) = u - t softplus(-u / t) in units of
the spread of u, whose log-determinant log(1 + sigmoid(-u / t)) has a gradient; t goes to zero in stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from ..budget import meter
from .descent import adam, lbfgs

GAUGE = 1e-3
"""The weight of the term that keeps latents near unit variance, of which the likelihood does not depend."""


class Shared(IntEnum):
    """How much of a mechanism y_j = weights . y_before + constant + scale * noise differs between domains."""

    SAME = 0
    CONSTANT = 1
    WEIGHTS = 2
    ALL = 3


def moments(values: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Shares `domains`, means `domains size` and covariances `domains size size` of weighted samples."""
    shares = weights.sum(1)
    means = jnp.einsum("dn,dni->di", weights, values) / shares[:, None]
    centred = values - means[:, None]
    return shares, means, jnp.einsum("dn,dni,dnj->dij", weights, centred, centred) / shares[:, None, None]


def costs(shares: Any, means: Any, covariances: Any) -> Any:
    """The logarithm of each mechanism's residual variance, mean over domains, for each way of sharing: `4 size`."""
    within = jnp.einsum("d,dij->ij", shares, covariances)
    middle = shares @ means
    gaps = means - middle
    total = within + jnp.einsum("d,di,dj->ij", shares, gaps, gaps)
    own = jnp.diagonal(jnp.linalg.cholesky(covariances), axis1=-2, axis2=-1) ** 2
    pooled = [jnp.log(jnp.diagonal(jnp.linalg.cholesky(each)) ** 2) for each in (total, within)]
    return jnp.stack([*pooled, jnp.log(shares @ own), shares @ jnp.log(own)])


def rounded(values: Any, width: Any) -> tuple[Any, Any]:
    """The inverse leaky ReLU with its kink rounded over `width`, and the logarithm of its derivative."""
    scaled = -values / width
    return values - width * jax.nn.softplus(scaled), jnp.log1p(jax.nn.sigmoid(scaled))


def loss(point: Any, samples: Any, weights: Any, order: Any, sharing: Any, width: Any) -> Any:
    """Minus the profile log-likelihood a sample, in nats, of the model with its kink rounded.

    `point` holds W by rows, then t.  `samples` are `domains cases size` with overall covariance 1; `weights`, of shape
    `domains cases`, sum to 1 and are zero for padding.  `order` puts latents in causal order, `sharing` holds a
    `Shared` for each place.
    """
    size = samples.shape[-1]
    unmixing, shift = point[: size * size].reshape(size, size), point[size * size :]
    spreads = jnp.sqrt(jnp.sum(unmixing**2, 1))
    values, stretch = rounded(samples @ unmixing.T + shift, width * spreads)
    shares, means, covariances = moments(values[..., order], weights)
    table = costs(shares, means, covariances)
    chosen = jnp.take_along_axis(table, sharing[None, :], 0).sum()
    normal = 0.5 * (chosen + size * (1 + jnp.log(2 * jnp.pi)))
    volume = jnp.sum(weights[..., None] * stretch) + jnp.linalg.slogdet(unmixing)[1]
    return normal - volume + GAUGE * jnp.mean(jnp.log(spreads) ** 2)


@partial(jax.jit, static_argnames=("steps", "optimiser"))
def _stage(
    points: Any, samples: Any, weights: Any, order: Any, sharing: Any, width: Any, steps: int, optimiser: str
) -> tuple[Any, Any]:
    minimise = {"lbfgs": lbfgs, "adam": adam}[optimiser]

    def one(point: Any) -> tuple[Any, Any]:
        return minimise(lambda each: loss(each, samples, weights, order, sharing, width), point, steps)

    return jax.vmap(one)(points)


def descend(
    points: Any,
    samples: Any,
    weights: Any,
    order: Sequence[int],
    sharing: Sequence[int],
    stages: Sequence[tuple[float, int]],
    optimiser: str = "lbfgs",
) -> tuple[Any, Any]:
    """All starts, `starts parameters`, through stages of (width of the kink, steps): points and losses.

    Call it inside `precision()`.  Raises `SutureError` S603 where the time allowed is over.
    """
    places, shared = jnp.asarray(order), jnp.asarray([int(each) for each in sharing])
    values = jnp.full(len(points), jnp.inf)
    for width, steps in stages:
        meter().tick()
        points, values = _stage(points, samples, weights, places, shared, width, steps, optimiser)
    return points, values
