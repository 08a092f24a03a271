"""Finite latent models: one observation that is one to one, in each domain an autoregressive permutation of states.

A state is a value of every noise (or of every node), numbered in mixed radix with the last node fastest.  Noises,
nodes and domains are in order; node j has as many values as its noise, and for each value of the nodes before it, its
mechanism permutes its values.  So f_d is a permutation of the states, and every formula of the linear case holds with
composition for products (Zhou et al. 2024):

    T_{d->e} = g f_e f_d^-1 g^-1        f'_d = P f_0^-1 f_d P^-1        g' = g f_0 P^-1

**The least number of intervened latents.**  An orbit of the group that the T_{0->d} generate lies in one value of the
nodes that no domain touches, so it has at most the product of the intervened sizes.  For binary nodes this is sharp:
k_min = log2 of the largest orbit.  The T_{0->d} permute a tree of intervened bits, so they generate a 2-group; each
orbit has 2^a states, and has a chain of block systems that halve (every subgroup of a 2-group has a chain up to the
group in steps of index 2); orbits of sizes 2^a <= 2^k fill blocks of 2^k, largest first, without gaps, and a bit that
no map moves on an orbit may stand above its chain.  So log2 of the largest orbit many bits suffice.  Among xor-linear
models (h1, h2 linear over GF(2)) the least number is the GF(2) rank of [M_d - I | t_d], which may be larger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import lcm, prod
from typing import Any, TypeAlias

import numpy as np

from .exact_linear import gf2_rank

States: TypeAlias = Any
"""An integer array over states."""


@dataclass(frozen=True)
class FiniteDomains:
    """A finite latent model: `mechanisms[d, s]` is the state of the nodes for the state s of the noises.

    `observation[s]` is the number of what is seen, in mixed radix over the labels of the observed variables; it is one
    to one, and not every combination of labels need be seen.  `weights` are each noise's probabilities (Fractions, or
    closed forms where the model has parameters).
    """

    observed: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    nodes: tuple[str, ...]
    sizes: tuple[int, ...]
    domains: tuple[str, ...]
    observation: States
    mechanisms: States
    weights: tuple[tuple[Any, ...], ...]

    @property
    def states(self) -> int:
        """The number of states."""
        return len(self.observation)

    @cached_property
    def inverses(self) -> States:
        """The inverse permutation of each mechanism."""
        return np.argsort(self.mechanisms, axis=1)

    @cached_property
    def recovering(self) -> States:
        """The state of the nodes for each combination of observed labels; -1 for what is never seen."""
        made = np.full(prod(map(len, self.labels)), -1)
        made[self.observation] = np.arange(self.states)
        return made

    def position(self, domain: str) -> int:
        """The place of a domain."""
        return self.domains.index(domain)

    def seen(self, domain: int) -> States:
        """What is seen for each state of the noises."""
        return self.observation[self.mechanisms[domain]]

    def transport(self, start: int, end: int) -> States:
        """The counterfactual map on numbers of what is seen; -1 where nothing is."""
        made = np.full(len(self.recovering), -1)
        made[self.seen(start)] = self.seen(end)
        return made

    def number(self, sample: Sequence[str]) -> int:
        """The number of a combination of labels."""
        places = [labels.index(label) for labels, label in zip(self.labels, sample, strict=True)]
        return int(np.ravel_multi_index(places, tuple(map(len, self.labels)))) if places else 0

    def sample(self, number: int) -> tuple[str, ...]:
        """The labels of a number."""
        places = np.unravel_index(number, tuple(map(len, self.labels)))
        return tuple(labels[int(place)] for labels, place in zip(self.labels, places, strict=True))

    def counterfactual(self, sample: Sequence[str], start: str, end: str) -> tuple[str, ...] | None:
        """What a sample of one domain would have been in another; None where the sample is never seen."""
        image = int(self.transport(self.position(start), self.position(end))[self.number(sample)])
        return None if image < 0 else self.sample(image)

    def digits(self, states: States) -> States:
        """The values of the nodes in each state, `nodes states`."""
        return np.array(np.unravel_index(states, self.sizes)).reshape(len(self.sizes), -1)

    def recovered(self, domain: int) -> States:
        """[f_d^-1]: for each state of the nodes the values of their noises, `nodes states`."""
        return self.digits(self.inverses[domain])

    def reads(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that each node reads in some domain."""
        rows = [self.recovered(domain) for domain in range(len(self.domains))]
        return tuple(
            tuple(other for other in range(place) if any(self.depends(row[place], other) for row in rows))
            for place in range(len(self.nodes))
        )

    def sees(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that each observed variable depends on."""
        places = np.unravel_index(self.observation, tuple(map(len, self.labels)))
        return tuple(
            tuple(place for place in range(len(self.nodes)) if self.depends(np.asarray(own), place)) for own in places
        )

    def depends(self, values: States, place: int) -> bool:
        """Whether values over the states of the nodes change with one node, the others being equal."""
        table = values.reshape(self.sizes)
        return bool((table != table.take([0], axis=place)).any())

    def renamed(self, nodes: tuple[str, ...]) -> FiniteDomains:
        """The model with other names for its nodes."""
        return replace(self, nodes=nodes)

    def intervened(self) -> tuple[str, ...]:
        """The nodes whose mechanism, as a function of the nodes before it, differs between some domains."""
        rows = [self.recovered(domain) for domain in range(len(self.domains))]
        return tuple(
            node for place, node in enumerate(self.nodes) if any((row[place] != rows[0][place]).any() for row in rows)
        )

    def law(self, domain: int) -> Mapping[int, Any]:
        """The probability of each number that is seen in a domain."""
        noise = self.noise_law()
        return dict(zip(self.seen(domain).tolist(), noise, strict=True))

    def noise_law(self) -> list[Any]:
        """The probability of each state of the noises."""
        counted = self.noise_counts()
        if counted is not None:
            counts, total = counted
            return [Fraction(count, total) for count in counts]
        made: list[Any] = [1]
        for weights in self.weights:
            made = [before * weight for before in made for weight in weights]
        return made

    def noise_counts(self) -> tuple[States, int] | None:
        """The probabilities of the states of the noises as integers over one denominator; None with parameters."""
        if not all(isinstance(weight, (int, Fraction)) for weights in self.weights for weight in weights):
            return None
        made, total = np.array([1], dtype=object), 1
        for weights in self.weights:
            below = lcm(*(Fraction(weight).denominator for weight in weights))
            own = np.array([int(weight * below) for weight in weights], dtype=object)
            made, total = np.multiply.outer(made, own).reshape(-1), total * below
        return made, total


# ---------------------------------------------------------------------------------------------------------------------
# Changing coordinates


@dataclass(frozen=True)
class Relabelling:
    """A change that all domains share: `latents[s]` is h1 of the nodes' state s, `noise[s]` is h2 of the new noise's
    state s (the old noise it stands for)."""

    latents: States
    noise: States


def relabelled(
    model: FiniteDomains, change: Relabelling, nodes: tuple[str, ...], sizes: tuple[int, ...], weights: tuple[Any, ...]
) -> FiniteDomains:
    """The model in the new coordinates: g' = g h1^-1, f'_d = h1 f_d h2."""
    back = np.argsort(change.latents)
    return replace(
        model,
        nodes=nodes,
        sizes=sizes,
        observation=model.observation[back],
        mechanisms=change.latents[model.mechanisms[:, change.noise]],
        weights=weights,
    )


def normalised(model: FiniteDomains) -> tuple[FiniteDomains, Relabelling]:
    """The model whose latents are the noises of the first domain (f'_0 = id), with the change that leads there."""
    change = Relabelling(model.inverses[0], np.arange(model.states))
    return relabelled(model, change, model.nodes, model.sizes, model.weights), change


def absorbed(model: FiniteDomains, place: int) -> tuple[FiniteDomains, Relabelling]:
    """The model in which one shared latent is the noise it was made of: h1 recovers it by the shared mechanism."""
    values = model.digits(np.arange(model.states))
    values[place] = model.recovered(0)[place]
    change = Relabelling(np.ravel_multi_index(tuple(values), model.sizes), np.arange(model.states))
    return relabelled(model, change, model.nodes, model.sizes, model.weights), change


def permuted(model: FiniteDomains, order: Sequence[int]) -> tuple[FiniteDomains, Relabelling]:
    """The model with nodes and noises in another order."""
    sizes = tuple(model.sizes[place] for place in order)
    old = np.transpose(np.arange(model.states).reshape(model.sizes), order).reshape(-1)
    change = Relabelling(np.argsort(old), old)
    nodes, weights = tuple(model.nodes[i] for i in order), tuple(model.weights[i] for i in order)
    return relabelled(model, change, nodes, sizes, weights), change


def last_order(model: FiniteDomains) -> tuple[int, ...]:
    """The stable order with the intervened nodes last."""
    moved = set(model.intervened())
    places = range(len(model.nodes))
    return (*(i for i in places if model.nodes[i] not in moved), *(i for i in places if model.nodes[i] in moved))


# ---------------------------------------------------------------------------------------------------------------------
# The least number of intervened latents


@dataclass(frozen=True)
class Fewest:
    """How few intervened latents will do: between `least` and `most`, with the reason in words.

    `orbit` is the largest orbit; `gf2` the GF(2) rank where the model is xor-linear, else None.
    """

    least: int
    most: int
    orbit: int
    gf2: int | None


def fewest(model: FiniteDomains) -> Fewest:
    """Bounds on the least number of intervened latents of an equivalent model whose latents have the same sizes."""
    moved = [size for node, size in zip(model.nodes, model.sizes, strict=True) if node in model.intervened()]
    orbit = max((len(each) for each in orbits(model)), default=1)
    rank = xor_rank(model)
    if set(model.sizes) == {2}:
        exact = orbit.bit_length() - 1
        return Fewest(exact, exact, orbit, rank)
    return Fewest(_fewest_factors(model.sizes, orbit), len(moved), orbit, rank)


def _fewest_factors(sizes: Sequence[int], orbit: int) -> int:
    """How many of the sizes are needed for a product of at least `orbit`."""
    product, count = 1, 0
    for size in sorted(sizes, reverse=True):
        if product >= orbit:
            break
        product, count = product * size, count + 1
    return count


def movers(model: FiniteDomains) -> States:
    """The maps f_0^-1 f_d on states of the noises, one a domain; conjugate to the T_{0->d}."""
    return model.inverses[0][model.mechanisms]


def orbits(model: FiniteDomains) -> tuple[tuple[int, ...], ...]:
    """The orbits, on states of the noises, of the group that the counterfactual maps generate."""
    leader = np.arange(model.states)
    maps = movers(model)
    while True:
        lower = leader.copy()
        for mover in maps:
            np.minimum.at(lower, mover, leader)
            lower = np.minimum(lower, lower[mover])
        lower = lower[lower]
        if (lower == leader).all():
            break
        leader = lower
    groups: dict[int, list[int]] = {}
    for state, first in enumerate(leader.tolist()):
        groups.setdefault(first, []).append(state)
    return tuple(map(tuple, groups.values()))


def xor_rank(model: FiniteDomains) -> int | None:
    """The GF(2) rank of what the counterfactual maps add, where every one is affine over GF(2); else None."""
    if set(model.sizes) != {2}:
        return None
    bits = model.digits(np.arange(model.states))
    columns: list[States] = []
    for mover in movers(model):
        images = model.digits(mover)
        constant = images[:, 0]
        units = [1 << (len(model.nodes) - 1 - place) for place in range(len(model.nodes))]
        linear = np.array([images[:, unit] ^ constant for unit in units]).T
        if ((linear @ bits + constant[:, None]) % 2 != images).any():
            return None
        columns += [linear ^ np.eye(len(units), dtype=int), constant[:, None]]
    return gf2_rank(np.concatenate(columns, axis=1))
