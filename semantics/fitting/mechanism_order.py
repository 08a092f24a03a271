"""The best causal order of normal latents over several domains, with at most k mechanisms that differ: exactly.

For normal latents the likelihood of an order is a product over mechanisms, and a mechanism's factor depends on the set
of latents before it alone, so that a dynamic program over sets (Silander and Myllymaki, UAI 2006) finds the best of all
m! orders, all sets of intervened mechanisms and all ways of sharing at once: 2^m m steps for every k.  Each is scored
by BIC, half of log N a parameter, which prefers mechanisms that share more, hence the order in which less changes
between domains: where only the likelihood counts, two neighbours that both change can stand either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..latent.latent_worlds import NORMAL
from ..latent.linear_domains import LinearDomains
from .leaky_likelihood import Shared

MOST_LATENTS = 14
DOUBT = 5.0
"""Structures whose BIC differs by less are not told apart: odds of 150 to 1."""
Floats = Any


@dataclass(frozen=True, eq=False)
class Moments:
    """Samples of each domain: `counts`, `means`, of shape `domains size`, and `covariances`, `domains size size`."""

    counts: Floats
    means: Floats
    covariances: Floats

    @property
    def size(self) -> int:
        """The number of latents."""
        return self.means.shape[1]

    @property
    def domains(self) -> int:
        """The number of domains."""
        return len(self.counts)

    @property
    def shares(self) -> Floats:
        """The share of each domain in all samples."""
        return self.counts / self.counts.sum()

    def within(self) -> Floats:
        """The mean covariance inside domains."""
        return np.einsum("d,dij->ij", self.shares, self.covariances)

    def total(self) -> Floats:
        """The covariance of all samples together."""
        gaps = self.means - self.shares @ self.means
        return self.within() + np.einsum("d,di,dj->ij", self.shares, gaps, gaps)


def moments_of(samples: Sequence[Floats]) -> Moments:
    """The moments of one array `cases size` a domain."""
    counts = np.array([float(len(own)) for own in samples])
    means = np.stack([own.mean(0) for own in samples])
    return Moments(counts, means, np.stack([np.cov(own.T, bias=True).reshape(2 * own.shape[1:]) for own in samples]))


@dataclass(frozen=True)
class Structure:
    """Latents in causal order, how much of the mechanism at each place is shared, and the BIC: lower is better."""

    order: tuple[int, ...]
    sharing: tuple[Shared, ...]
    score: float

    @property
    def intervened(self) -> int:
        """The number of mechanisms that differ."""
        return sum(shared is not Shared.SAME for shared in self.sharing)


def parameters(before: int, domains: int, shared: Shared) -> int:
    """The number of parameters of a mechanism with so many latents before it.

    >>> [parameters(2, 3, shared) for shared in Shared]
    [4, 6, 10, 12]
    """
    match shared:
        case Shared.SAME:
            return before + 2
        case Shared.CONSTANT:
            return before + domains + 1
        case Shared.WEIGHTS:
            return domains * (before + 1) + 1
        case Shared.ALL:
            return domains * (before + 2)


def scores(given: Moments, before: Sequence[int]) -> Floats:
    """BIC of every latent's mechanism after those `before`, for each way of sharing: `4 size`, nan where it is one."""
    rest = [place for place in range(given.size) if place not in before]
    stack = np.concatenate([given.covariances, given.within()[None], given.total()[None]])
    chosen = list(before)
    left = np.diagonal(stack, axis1=1, axis2=2)[:, rest].copy()
    if chosen:
        across = stack[:, chosen][:, :, rest]
        left -= (across * np.linalg.solve(stack[:, chosen][:, :, chosen], across)).sum(1)
    left = np.maximum(left, 1e-300)
    own, within, total = left[:-2], left[-2], left[-1]
    logs = [np.log(total), np.log(within), np.log(given.shares @ own), given.shares @ np.log(own)]
    count = given.counts.sum()
    found = np.full((4, given.size), np.nan)
    for shared in Shared:
        charge = parameters(len(chosen), given.domains, shared) * np.log(count)
        found[shared, rest] = 0.5 * (count * logs[shared] + charge)
    return found


def score(given: Moments, order: Sequence[int], sharing: Sequence[Shared]) -> float:
    """BIC of one order and way of sharing."""
    return float(sum(scores(given, order[:place])[sharing[place], order[place]] for place in range(given.size)))


def swapped(given: Moments, structure: Structure, place: int) -> Structure:
    """The structure with the latents at `place` and the next in the other order, the same mechanisms intervened on."""
    order = list(structure.order)
    order[place : place + 2] = order[place + 1], order[place]
    sharing = list(structure.sharing)
    sharing[place : place + 2] = sharing[place + 1], sharing[place]
    for here in (place, place + 1):
        if sharing[here] is not Shared.SAME:
            column = scores(given, order[:here])[:, order[here]]
            sharing[here] = Shared(1 + int(np.argmin(column[1:])))
    return Structure(tuple(order), tuple(sharing), score(given, order, sharing))


def rivals(given: Moments, structure: Structure) -> tuple[Structure, ...]:
    """Structures about as good, with two neighbours that both change in the other order: within `DOUBT` of BIC.

    Their counterfactuals are others, and samples do not tell which are right.
    """
    changed = [shared is not Shared.SAME for shared in structure.sharing]
    pairs = [place for place in range(given.size - 1) if changed[place] and changed[place + 1]]
    others = [swapped(given, structure, place) for place in pairs]
    return tuple(other for other in others if other.score < structure.score + DOUBT)


def best_structures(given: Moments, most: int, last: bool = False) -> tuple[Structure, ...]:
    """For each number of differing mechanisms from 0 to `most`, the best structure with exactly so many.

    With `last` those that differ stand after all others.
    """
    size = given.size
    tables = [scores(given, members(mask, size)) for mask in range(1 << size)]
    best: list[list[tuple[float, int, int, Shared] | None]] = [[None] * (most + 1) for _ in range(1 << size)]
    best[0][0] = (0.0, 0, 0, Shared.SAME)
    for mask, own in enumerate(best):
        for used, here in enumerate(own):
            if here is None:
                continue
            for place in range(size):
                if mask >> place & 1:
                    continue
                column = tables[mask][:, place]
                changed = Shared(1 + int(np.argmin(column[1:])))
                for shared in (Shared.SAME, changed):
                    more = used + (shared is not Shared.SAME)
                    if more > most or (last and used and shared is Shared.SAME):
                        continue
                    value = here[0] + float(column[shared])
                    there = best[mask | 1 << place]
                    known = there[more]
                    if known is None or value < known[0] - 1e-9:
                        there[more] = (value, used, place, shared)
    return tuple(_traced(best, size, used) for used in range(most + 1))


def members(mask: int, size: int) -> tuple[int, ...]:
    """The places of a set that is written as bits."""
    return tuple(place for place in range(size) if mask >> place & 1)


def _traced(best: Sequence[Sequence[Any]], size: int, used: int) -> Structure:
    mask, order, sharing = (1 << size) - 1, list[int](), list[Shared]()
    total = best[mask][used][0]
    while mask:
        _, before, place, shared = best[mask][used]
        order.append(place)
        sharing.append(shared)
        mask, used = mask & ~(1 << place), before
    return Structure(tuple(order[::-1]), tuple(sharing[::-1]), float(total))


# ---------------------------------------------------------------------------------------------------------------------
# The model of a structure


def fitted(
    given: Moments, structure: Structure, domains: tuple[str, ...], nodes: tuple[str, ...], observed: tuple[str, ...]
) -> LinearDomains:
    """The most likely linear model with that structure; `nodes` and `observed` name the latents in causal order."""
    size = given.size
    weights = np.zeros((given.domains, size, size))
    constants, scales = np.zeros((given.domains, size)), np.zeros((given.domains, size))
    for place, (latent, shared) in enumerate(zip(structure.order, structure.sharing, strict=True)):
        before = list(structure.order[:place])
        own, constant, variance = _mechanism(given, before, latent, shared)
        weights[:, place, :place], constants[:, place], scales[:, place] = own, constant, np.sqrt(variance)
    through = np.linalg.inv(np.eye(size) - weights)
    mechanisms = through * scales[:, None, :]
    shifts = (through @ constants[:, :, None])[..., 0]
    return LinearDomains(
        observed,
        nodes,
        domains,
        np.eye(size),
        np.zeros(size),
        tuple(mechanisms),
        tuple(shifts),
        (NORMAL,) * size,
        (1.0,) * size,
    )


def _mechanism(given: Moments, before: list[int], latent: int, shared: Shared) -> tuple[Floats, Floats, Floats]:
    """Weights `domains before`, constants and residual variances `domains` of the most likely mechanism."""
    pooled = {Shared.SAME: given.total(), Shared.CONSTANT: given.within()}
    tied = shared in pooled
    covariances = np.repeat(pooled[shared][None], given.domains, 0) if tied else given.covariances
    inner = covariances[:, before][:, :, before]
    weights = np.linalg.solve(inner, covariances[:, before, latent][..., None])[..., 0]
    variance = covariances[:, latent, latent] - (weights * covariances[:, before, latent]).sum(1)
    middle = given.shares @ given.means
    means = np.repeat(middle[None], given.domains, 0) if shared is Shared.SAME else given.means
    constants = means[:, latent] - (weights * means[:, before]).sum(1)
    if shared is Shared.WEIGHTS:
        variance = np.repeat(given.shares @ variance, given.domains)
    return weights, constants, variance
