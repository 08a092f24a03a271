"""Which pairs of covariates serve in a selected sample, from the published definition, and what their formula comes to.

Correa, Tian, Bareinboim (2018), definition 2 and theorem 1: paths and subsets are enumerated, tables are summed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from .covariates import Question, subsets
from .graphs import Query
from .models import Array, LatentModel, marginal
from .paths import descendants, is_open, morally_separated

Pair = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class SelectionQuestion:
    """An effect, what the sample is selected by, and the covariates whose joint law is known for everyone."""

    effect: Question
    selected: tuple[str, ...]
    outside: frozenset[str]

    @property
    def free(self) -> tuple[str, ...]:
        return tuple(name for name in self.effect.free if name not in self.selected)

    def pairs(self) -> Iterator[Pair]:
        """Every pair that could be meant: a set, and a part of it that is known for everyone."""
        for chosen in subsets(self.free):
            for part in subsets(sorted(chosen & self.outside)):
                yield chosen, part

    def admissible_pairs(self) -> set[Pair]:
        """All pairs that meet the criterion."""
        effect = self.effect
        paths = list(effect.proper_paths())
        causal = {node for path in paths if effect.is_causal(path) for node in path[1:]}
        forbidden = {below for node in causal for below in descendants(effect.parents, node)}
        biasing = [path for path in paths if not effect.is_causal(path)]
        severed = {
            node: tuple(parent for parent in above if not (parent in effect.treatments and node in causal))
            for node, above in effect.parents.items()
        }
        return {
            (chosen, part)
            for chosen, part in self.pairs()
            if not chosen & forbidden
            and morally_separated(severed, effect.outcomes, self.selected, part)
            and not any(is_open(effect.parents, path, {*chosen, *self.selected}) for path in biasing)
        }

    def error(self, model: LatentModel, covariates: Collection[str], outside: Collection[str]) -> float:
        """How far the sum over z of P(y | x, z, S=1) P(z minus t | t, S=1) P(t) is from surgery on a model."""
        effect, query = self.effect, Query(self.effect.outcomes, self.effect.treatments)
        known, rest = sorted(outside), sorted(set(covariates) - set(outside))
        order = [*effect.outcomes, *effect.treatments, *known, *rest]
        table = marginal(model.surgery(()), model.observed, [*self.selected, *order])
        sample: Array = table[(1,) * len(self.selected)]
        first, second = len(effect.outcomes), len(effect.outcomes) + len(effect.treatments)
        outcome = sample / sample.sum(axis=tuple(range(first)), keepdims=True)
        inside = sample.sum(axis=tuple(range(second)), keepdims=True)
        inside = inside / inside.sum(axis=tuple(range(second + len(known), sample.ndim)), keepdims=True)
        everyone = marginal(model.surgery(()), model.observed, known)
        everyone = everyone.reshape((1,) * second + everyone.shape + (1,) * len(rest))
        found = (outcome * inside * everyone).sum(axis=tuple(range(second, sample.ndim)))
        return float(np.abs(found - model.truth(query)).max())
