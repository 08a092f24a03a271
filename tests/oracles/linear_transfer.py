"""Random linear-Gaussian selection models in plain numpy: predictors by regression, risks by moments or simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

Floats = Any


@dataclass(frozen=True)
class LinearTransfer:
    """`weights[name]` are the coefficients of a variable's parents, `constants` and `scales` the rest of its equation.

    Names are in causal order; latent ones are no features; the mechanisms of `mutable` may be anything.
    """

    parents: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, tuple[float, ...]]
    constants: Mapping[str, float]
    scales: Mapping[str, float]
    latent: frozenset[str]
    outcome: str
    mutable: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(name for name in self.parents if name != self.outcome and name not in self.latent)

    @property
    def stable(self) -> tuple[str, ...]:
        return tuple(name for name in self.features if name not in self.mutable)

    def subsets(self) -> list[tuple[str, ...]]:
        return [chosen for size in range(len(self.stable) + 1) for chosen in combinations(self.stable, size)]

    def equation(self, name: str) -> str:
        terms = [
            f"({weight!r})*{parent}" for weight, parent in zip(self.weights[name], self.parents[name], strict=True)
        ]
        scale = [f"{self.scales[name]!r}*noise"] if self.scales[name] else []
        return f":= {' + '.join([f'({self.constants[name]!r})', *terms, *scale])}"

    def program(self, mechanisms: Mapping[str, str] = {}, end: str = "") -> str:
        """The model as text; a mutable mechanism is `~ any` unless it is given."""
        lines = [
            f"  {parent} -> {name}" for name, own in self.parents.items() for parent in own if name in self.mutable
        ]
        for name in self.parents:
            mechanism = mechanisms.get(name, "~ any") if name in self.mutable else self.equation(name)
            lines.append(f"  {'latent ' if name in self.latent else ''}{name} : real {mechanism}")
        return "\n".join(["model M {", *lines, f"  mutable {', '.join(self.mutable)}", "}", end])

    def simulate(
        self, policies: Mapping[str, Callable[[dict[str, Floats], Any], Floats]], rows: int, seed: int
    ) -> dict[str, Floats]:
        """Rows of the altered model: each mutable variable is what its policy makes of its parents."""
        generator = np.random.default_rng(seed)
        made: dict[str, Floats] = {}
        for name, own in self.parents.items():
            if name in policies:
                made[name] = policies[name]({parent: made[parent] for parent in own}, generator)
                continue
            value = np.full(rows, self.constants[name])
            for weight, parent in zip(self.weights[name], own, strict=True):
                value = value + weight * made[parent]
            made[name] = value + self.scales[name] * generator.standard_normal(rows)
        return made

    def moments(self, own: Mapping[str, tuple[float, tuple[float, ...], float]]) -> tuple[Floats, Floats]:
        """Mean and covariance of all variables where each mutable one has (constant, weights, scale)."""
        names = list(self.parents)
        matrix, constant, scale = np.zeros((len(names),) * 2), np.zeros(len(names)), np.zeros(len(names))
        for place, name in enumerate(names):
            start, weights, deviation = own.get(name, (self.constants[name], self.weights[name], self.scales[name]))
            constant[place], scale[place] = start, deviation
            for weight, parent in zip(weights, self.parents[name], strict=True):
                matrix[place, names.index(parent)] = weight
        inverse = np.linalg.inv(np.eye(len(names)) - matrix)
        return inverse @ constant, inverse @ np.diag(scale**2) @ inverse.T

    def regression(self, inputs: Sequence[str]) -> tuple[float, Floats, float]:
        """Intercept, coefficients and residual variance of the outcome where mutable variables are set at random.

        Setting each to independent standard normal noise makes E[Y | x, do(m)] an ordinary regression.
        """
        noise = {name: (0.0, (0.0,) * len(self.parents[name]), 1.0) for name in self.mutable}
        mean, covariance = self.moments(noise)
        names = list(self.parents)
        here = [names.index(name) for name in inputs]
        y = names.index(self.outcome)
        weights = np.linalg.lstsq(covariance[np.ix_(here, here)], covariance[here, y], rcond=None)[0]
        left = covariance[y, y] - covariance[y, here] @ weights
        return float(mean[y] - mean[here] @ weights), weights, float(left)


def random_linear(generator: np.random.Generator, most: int = 6) -> LinearTransfer:
    """A random model of 3 to `most` variables and perhaps a latent one, with one to three mutable mechanisms."""
    count = int(generator.integers(3, most + 1))
    names = [f"V{number}" for number in range(count)]
    hidden = ["L"] if generator.random() < 0.5 else []
    order = [*hidden, *names]
    parents = {name: tuple(o for o in order[:at] if generator.random() < 0.5) for at, name in enumerate(order)}
    outcome = names[int(generator.integers(0, count - 1))]
    others = [name for name in names if name != outcome]
    some = int(generator.integers(1, min(3, len(others)) + 1))
    mutable = tuple(sorted(generator.choice(others, some, replace=False).tolist()))
    weights = {name: tuple(np.round(generator.normal(size=len(own)), 2).tolist()) for name, own in parents.items()}
    constants = {name: float(np.round(generator.normal(), 2)) for name in order}
    scales = {name: float(np.round(generator.uniform(0.3, 1.5), 2)) for name in order}
    return LinearTransfer(parents, weights, constants, scales, frozenset(hidden), outcome, mutable)
