"""Latent models of invertible pieces: equations that rise or fall with their noise, seen through equations that can be
undone.

z_j = f_dj(z_1 .. z_{j-1}, e_j) is given as an expression of the language, one a node and domain; what is seen are
further expressions that all domains share.  Evaluation is in floats, for many samples at once.  The canonical form
(`canonical_smooth.py`) is made of the same expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...dsl import tree
from .expression_numbers import Floats, numbers
from .latent_worlds import LatentWorlds, Noise
from .recovery import Newton, Part, recover

BISECTIONS = 80
DOUBLINGS = 40


@dataclass(frozen=True)
class SmoothDomains:
    """A latent model of invertible pieces.

    `mechanisms[d]` gives each node as an expression of nodes, `functions` and the noise; `inverses[d]` its noise as an
    expression of the node itself and what it reads, None where it is found numerically.  `functions` are the shared
    ones, in an order in which each reads what is before it, `order` all names likewise; `recovery` finds the nodes.
    """

    observed: tuple[str, ...]
    nodes: tuple[str, ...]
    domains: tuple[str, ...]
    laws: tuple[Noise, ...]
    order: tuple[str, ...]
    mechanisms: tuple[Mapping[str, tree.Expression], ...]
    inverses: tuple[Mapping[str, tree.Expression | None], ...]
    functions: Mapping[str, tree.Expression]
    recovery: tuple[Part, ...]
    worlds: LatentWorlds

    def position(self, domain: str) -> int:
        """The place of a domain."""
        return self.domains.index(domain)

    @cached_property
    def numerical(self) -> tuple[str, ...]:
        """What is inverted numerically, in words."""
        found = [
            f"the mechanism of {node} in {domain}"
            for domain, own in zip(self.domains, self.inverses, strict=True)
            for node in self.nodes
            if own[node] is None
        ]
        found += [f"the equations for {', '.join(p.names)}" for p in self.recovery if isinstance(p, Newton)]
        return tuple(found)

    # -- maps

    def values(self, domain: int, noise: Floats) -> dict[str, Floats]:
        """Every variable, from the noises: `cases nodes`."""
        found: dict[str, Floats] = {}
        shape = noise.shape[:1]
        for name in self.order:
            if name in self.nodes:
                own = noise[:, self.nodes.index(name)]
                made = numbers(self.mechanisms[domain][name], found, own)
            else:
                made = numbers(self.functions[name], found)
            found[name] = np.broadcast_to(made, shape).astype(float)
        return found

    def seen(self, domain: int, noise: Floats) -> Floats:
        """What is seen, from the noises: `cases observed`."""
        found = self.values(domain, noise)
        return np.stack([found[name] for name in self.observed], axis=1)

    def noise(self, domain: int, seen: Floats) -> Floats:
        """The noises, from what is seen; nan where no noise gives it."""
        given = dict(zip(self.observed, seen.T, strict=True))
        found = self.completed(recover(self.recovery, given))
        return np.stack([self.node_noise(domain, node, found) for node in self.nodes], axis=1)

    def completed(self, found: Mapping[str, Floats]) -> dict[str, Floats]:
        """All variables, once the nodes are known."""
        made = dict(found)
        for name in self.order:
            if name not in made:
                value = numbers(self.functions[name], made)
                made[name] = np.broadcast_to(value, np.shape(next(iter(made.values())))).astype(float)
        return made

    def node_noise(self, domain: int, node: str, values: Mapping[str, Floats]) -> Floats:
        """The noise of a node from its value and what it reads."""
        inverse = self.inverses[domain][node]
        shape = np.shape(values[node])
        if inverse is not None:
            return np.broadcast_to(numbers(inverse, values), shape).astype(float)
        return bisected(self.mechanisms[domain][node], values, values[node])

    def transport(self, start: int, end: int, seen: Floats) -> Floats:
        """What samples of one domain, `cases observed`, would have been in another; nan where they cannot occur."""
        return self.seen(end, self.noise(start, seen))

    def counterfactual(self, sample: Sequence[Any], start: str, end: str) -> tuple[float, ...] | None:
        """What one sample would have been in another domain; None where no noise gives the sample."""
        seen = np.array([[float(value) for value in sample]])
        noise = self.noise(self.position(start), seen)
        again = self.seen(self.position(start), noise)
        if not np.isfinite(noise).all() or not np.allclose(again, seen, rtol=1e-6, atol=1e-8):
            return None
        return tuple(float(value) for value in self.seen(self.position(end), noise)[0])

    # -- structure

    def reads(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that each node reads in some domain, through shared functions too."""
        found: list[tuple[int, ...]] = []
        for node in self.nodes:
            names = {name for own in self.mechanisms for name in self.behind(own[node])}
            found.append(tuple(place for place, other in enumerate(self.nodes) if other in names))
        return tuple(found)

    def sees(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that each observed variable depends on."""
        made: list[tuple[int, ...]] = []
        for name in self.observed:
            names = {name} if name in self.nodes else self.behind(self.functions[name])
            made.append(tuple(place for place, node in enumerate(self.nodes) if node in names))
        return tuple(made)

    def behind(self, expression: tree.Expression) -> set[str]:
        """The nodes that an expression depends on, shared functions opened."""
        from ...dsl.mechanism_expressions import references

        found, waiting = set[str](), [name.text for name in references(expression)]
        while waiting:
            name = waiting.pop()
            if name in self.nodes:
                found.add(name)
            elif name in self.functions:
                waiting += [each.text for each in references(self.functions[name])]
        return found

    def intervened(self) -> tuple[str, ...]:
        """The nodes whose noise, as a function of node and what it reads, differs between domains on random samples."""
        values = self.values(0, drawn(self.laws, 256, 11))
        found: list[str] = []
        for node in self.nodes:
            first = self.mechanisms[0][node]
            if all(own[node] == first for own in self.mechanisms):
                continue
            noise = drawn(self.laws, 256, 12)[:, self.nodes.index(node)]
            made = [numbers(own[node], values, noise) for own in self.mechanisms]
            if not all(np.allclose(other, made[0], rtol=1e-9, atol=1e-9, equal_nan=True) for other in made):
                found.append(node)
        return tuple(found)


def drawn(laws: Sequence[Noise], cases: int, seed: int) -> Floats:
    """Random noises of the given laws, `cases nodes`."""
    generator = np.random.default_rng(seed)
    made = [_draw(generator, law.family, cases) for law in laws]
    return np.stack(made, axis=1) if made else np.zeros((cases, 0))


def _draw(generator: np.random.Generator, family: str, cases: int) -> Floats:
    match family:
        case "Laplace":
            return generator.laplace(size=cases)
        case "Logistic":
            return generator.logistic(size=cases)
        case "Uniform":
            return generator.uniform(size=cases)
        case "Exponential":
            return generator.exponential(size=cases)
        case _:
            return generator.normal(size=cases)


def log_density(law: Noise, noise: Floats) -> Floats:
    """The log density of a standard law."""
    with np.errstate(all="ignore"):
        match law.family:
            case "Laplace":
                return -np.abs(noise) - np.log(2)
            case "Logistic":
                return -noise - 2 * np.log1p(np.exp(-noise))
            case "Uniform":
                return np.where((noise >= 0) & (noise <= 1), 0.0, -np.inf)
            case "Exponential":
                return np.where(noise >= 0, -noise, -np.inf)
            case _:
                return -0.5 * noise**2 - 0.5 * np.log(2 * np.pi)


def bisected(mechanism: tree.Expression, values: Mapping[str, Floats], target: Floats) -> Floats:
    """The noise at which a mechanism that is monotone in it takes a value; nan where it does not."""
    shape = np.shape(target)

    def at(noise: Floats) -> Floats:
        return np.broadcast_to(numbers(mechanism, values, noise), shape)

    rising = at(np.full(shape, 1.0)) >= at(np.full(shape, -1.0))
    sign = np.where(rising, 1.0, -1.0)
    low, high = np.full(shape, -1.0), np.full(shape, 1.0)
    for _ in range(DOUBLINGS):
        below = sign * (at(low) - target) > 0
        above = sign * (at(high) - target) < 0
        if not (below | above).any():
            break
        low, high = np.where(below, 2 * low, low), np.where(above, 2 * high, high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        over = sign * (at(middle) - target) > 0
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    found = (low + high) / 2
    close = np.isclose(at(found), target, rtol=1e-6, atol=1e-8)
    return np.where(close, found, np.nan)
