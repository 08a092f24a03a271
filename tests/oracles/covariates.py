"""Which covariates serve for an effect, from the published definitions: paths enumerated, subsets enumerated.

Graphs are dictionaries from every variable, latent ones included, to its parents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray

from .paths import Parents, descendants, is_open, morally_separated, simple_paths


def subsets(names: Sequence[str]) -> Iterator[frozenset[str]]:
    """All subsets, smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def minimal(sets: Collection[frozenset[str]]) -> set[frozenset[str]]:
    """The sets without a proper subset among them."""
    return {one for one in sets if not any(other < one for other in sets)}


@dataclass(frozen=True)
class Question:
    """The effect of some observed variables on others, in a graph with latent variables."""

    parents: Parents
    latent: frozenset[str]
    treatments: tuple[str, ...]
    outcomes: tuple[str, ...]

    @property
    def free(self) -> tuple[str, ...]:
        """The observed variables that the question does not name."""
        gone = {*self.latent, *self.treatments, *self.outcomes}
        return tuple(name for name in self.parents if name not in gone)

    def proper_paths(self) -> Iterator[tuple[str, ...]]:
        """Paths from a treatment to an outcome on which only the first variable is a treatment."""
        for start in self.treatments:
            for end in self.outcomes:
                for path in simple_paths(self.parents, start, end):
                    if not set(path[1:]) & set(self.treatments):
                        yield path

    def is_causal(self, path: Sequence[str]) -> bool:
        return all(before in self.parents[after] for before, after in pairwise(path))

    def adjustment_sets(self) -> set[frozenset[str]]:
        """All sets that meet the adjustment criterion (Shpitser, VanderWeele, Robins 2010)."""
        paths = list(self.proper_paths())
        causal = {node for path in paths if self.is_causal(path) for node in path[1:]}
        forbidden = {below for node in causal for below in descendants(self.parents, node)}
        biasing = [path for path in paths if not self.is_causal(path)]
        return {
            chosen
            for chosen in subsets(self.free)
            if not chosen & forbidden and not any(is_open(self.parents, path, chosen) for path in biasing)
        }

    def front_door_sets(self) -> set[frozenset[str]]:
        """All sets that meet the front-door criterion (Pearl 1995, for sets)."""
        return {chosen for chosen in subsets(self.free) if self._is_front_door(chosen)}

    def _is_front_door(self, chosen: frozenset[str]) -> bool:
        if reached(self.parents, self.treatments, chosen) & set(self.outcomes):
            return False
        if not chosen:
            return True
        before, after = (
            without_arrows_out_of(self.parents, self.treatments),
            without_arrows_out_of(self.parents, chosen),
        )
        confounded = not morally_separated(before, self.treatments, chosen, ())
        return not confounded and morally_separated(after, chosen, self.outcomes, self.treatments)

    def instruments(self) -> set[tuple[str, frozenset[str]]]:
        """All pairs of an instrument and what it is conditional on, for one treatment and one outcome.

        Henckel, Buttenschoen, Maathuis (2024); for a lone arrow from treatment to outcome, Pearl (2009), chapter 7.
        """
        (treatment,), (outcome,) = self.treatments, self.outcomes
        below = descendants(self.parents, treatment) - {treatment}
        causal = {node for node in below if outcome in descendants(self.parents, node)}
        forbidden = {node for start in causal for node in descendants(self.parents, start)}
        severed = {
            node: tuple(parent for parent in above if not (parent == treatment and node in causal))
            for node, above in self.parents.items()
        }
        return {
            (name, given)
            for name in self.free
            for given in subsets([other for other in self.free if other != name])
            if not forbidden & {name, *given}
            and morally_separated(severed, [name], [outcome], given)
            and not morally_separated(self.parents, [name], [treatment], given)
        }


def without_arrows_out_of(parents: Parents, cut: Collection[str]) -> Parents:
    return {node: tuple(parent for parent in above if parent not in cut) for node, above in parents.items()}


def reached(parents: Parents, start: Iterable[str], avoid: Collection[str]) -> set[str]:
    """Everything with a directed path from `start` that meets nothing of `avoid`."""
    found = frontier = set(start)
    while frontier:
        frontier = {node for node in parents if set(parents[node]) & frontier and node not in avoid} - found
        found = found | frontier
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Linear models


@dataclass(frozen=True)
class LinearModel:
    """The covariance matrix of a linear Gaussian model over all variables of a graph."""

    names: tuple[str, ...]
    covariance: NDArray[np.float64]

    def variance(self, name: str, given: Iterable[str]) -> float:
        """The variance of a variable given others."""
        at, rest = self.names.index(name), [self.names.index(other) for other in given]
        across = self.covariance[np.ix_([at], rest)]
        explained = across @ np.linalg.solve(self.covariance[np.ix_(rest, rest)], across.T) if rest else 0.0
        return float((self.covariance[at, at] - explained).item())

    def estimation_variance(self, treatment: str, outcome: str, covariates: Collection[str]) -> float:
        """n times the asymptotic variance of the coefficient of the treatment in the regression on it and covariates.

        Henckel, Perkovic, Maathuis (2022).
        """
        return self.variance(outcome, [treatment, *covariates]) / self.variance(treatment, covariates)

    def ratio(self, instrument: str, treatment: str, outcome: str, given: Iterable[str]) -> float:
        """The covariance of instrument and outcome over that of instrument and treatment, given the others."""
        known = tuple(given)
        return self._covariance(instrument, outcome, known) / self._covariance(instrument, treatment, known)

    def _covariance(self, first: str, second: str, given: Sequence[str]) -> float:
        one, two = self.names.index(first), self.names.index(second)
        rest = [self.names.index(name) for name in given]
        if not rest:
            return float(self.covariance[one, two])
        inner = np.linalg.solve(self.covariance[np.ix_(rest, rest)], self.covariance[rest, two])
        return float(self.covariance[one, two] - self.covariance[one, rest] @ inner)


def linear_model(
    parents: Parents, generator: np.random.Generator, coefficients: Mapping[tuple[str, str], float] | None = None
) -> LinearModel:
    """A random linear model: coefficients of either sign, some weak and some strong, noises small and large."""
    names, drawn = tuple(parents), dict(coefficients or {})
    weights = np.zeros((len(names), len(names)))
    for node, above in parents.items():
        for parent in above:
            random = generator.normal() * 10 ** generator.uniform(-1.2, 0.7)
            weights[names.index(node), names.index(parent)] = drawn.get((parent, node), random)
    noise = np.diag(10 ** generator.uniform(-1.3, 1.3, len(names)))
    total = np.linalg.inv(np.eye(len(names)) - weights)
    return LinearModel(names, total @ noise @ total.T)


def total_effect(
    parents: Parents, coefficients: Mapping[tuple[str, str], float], treatment: str, outcome: str
) -> float:
    """The sum over directed paths of the product of their coefficients (Wright 1921)."""
    question = Question(parents, frozenset(), (treatment,), (outcome,))
    paths = [path for path in question.proper_paths() if question.is_causal(path)]
    return float(sum(np.prod([coefficients[pair] for pair in pairwise(path)]) for path in paths))


def best_in_linear_models(
    question: Question, valid: set[frozenset[str]], generator: np.random.Generator, draws: int
) -> set[frozenset[str]]:
    """The valid sets of least asymptotic variance in every one of some random linear models.

    With several treatments or outcomes the variance is least for each coefficient, and for those of a random sum of the
    outcomes.
    """
    several = len(question.outcomes) > 1
    parents = {**question.parents, "(sum)": question.outcomes} if several else question.parents
    outcomes = (*question.outcomes, "(sum)") if several else question.outcomes
    left = set(valid)
    for _ in range(draws):
        model = linear_model(parents, generator)
        for treatment, outcome in product(question.treatments, outcomes):
            others = set(question.treatments) - {treatment}
            spread = {one: np.log(model.estimation_variance(treatment, outcome, one | others)) for one in valid}
            left = {one for one in left if spread[one] < min(spread.values()) + 1e-6}
        if not left:
            break
    return left
