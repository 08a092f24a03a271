"""Latent models of several domains seen through a leaky ReLU and a matrix: x = G lrelu(y) + c.

y are the latents of a linear model of several domains (`linear_domains.py`), as that model sees them: y = H z + h with
z = F_d e + b_d, H = 1 where it is not in canonical form.  The leaky ReLU halves what is below zero.  Everything about
the domains (canonical form, intervened nodes, counterfactuals of y) is that linear model's; this adds the lens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..latent.linear_domains import LinearDomains

LEAK = 0.5
Floats = Any


def leaky(values: Floats) -> Floats:
    """What is below zero halved.

    >>> leaky(np.array([-2.0, 3.0])).tolist()
    [-1.0, 3.0]
    """
    return np.where(values > 0, values, LEAK * values)


def unleaky(values: Floats) -> Floats:
    """The inverse of `leaky`."""
    return np.where(values > 0, values, values / LEAK)


@dataclass(frozen=True)
class LeakyDomains:
    """`latents` with its own names of observed variables, one a latent, `mixing` G, `observed observed`, `offset` c."""

    latents: LinearDomains
    mixing: Floats
    offset: Floats

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains."""
        return self.latents.domains

    @cached_property
    def unmixing(self) -> Floats:
        """G^-1."""
        return np.linalg.inv(self.mixing)

    def position(self, domain: str) -> int:
        """The place of a domain."""
        return self.latents.position(domain)

    def seen(self, latents: Floats) -> Floats:
        """What is seen of y: `cases size` to `cases size`."""
        return leaky(latents) @ self.mixing.T + self.offset

    def recovered(self, seen: Floats) -> Floats:
        """y from what is seen: `cases size` to `cases size`."""
        return unleaky((seen - self.offset) @ self.unmixing.T)

    def drawn(self, domain: int, noise: Floats) -> Floats:
        """What is seen in a domain, from its noises: `cases size` to `cases size`."""
        return self.seen(noise @ self.latents.mixing(domain).T + self.latents.mean(domain))

    def transport(self, start: int, end: int, seen: Floats) -> Floats:
        """What samples of one domain, `cases size`, would have been in another."""
        change, constant = self.latents.transport(start, end)
        return self.seen(self.recovered(seen) @ change.T + constant)

    def log_density(self, domain: int, seen: Floats) -> Floats:
        """The logarithm of the density of each sample of a domain: `cases size` to `cases`."""
        latents = self.recovered(seen)
        spread = np.linalg.cholesky(self.latents.covariance(domain))
        noise = np.linalg.solve(spread, (latents - self.latents.mean(domain)).T)
        size = latents.shape[1]
        volume = np.linalg.slogdet(self.mixing)[1] + np.log(np.diag(spread)).sum()
        halved = (latents <= 0).sum(1) * np.log(LEAK)
        return -0.5 * (noise**2).sum(0) - 0.5 * size * np.log(2 * np.pi) - volume - halved
