"""Concrete models with explicit hidden causes, and the truth they imply, by enumeration.

Every array over the observed variables has one axis a variable, in the order of `LatentModel.observed`.  Nothing here
is shared with the library's own semantics.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graphs import Graph, Query

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LatentModel:
    """Parents, sizes and a table for each variable: axes are its parents in order, then the variable itself."""

    parents: Mapping[str, Sequence[str]]
    latent: frozenset[str]
    sizes: Mapping[str, int]
    tables: Mapping[str, Array]
    cache: dict[frozenset[str], Array] = field(default_factory=dict, compare=False)

    @property
    def observed(self) -> tuple[str, ...]:
        return tuple(name for name in self.parents if name not in self.latent)

    def of(self, name: str | None) -> LatentModel:
        """The model itself, which is of one domain only."""
        if name is not None:
            raise ValueError(f"no domain {name} in a single model")
        return self

    def surgery(self, treatments: Collection[str] = ()) -> Array:
        """P(the others | do(treatments)) as a function of all observed values, by truncated factorisation."""
        key = frozenset(treatments)
        if key not in self.cache:
            self.cache[key] = self._truncated(key)
        return self.cache[key]

    def _truncated(self, treatments: frozenset[str]) -> Array:
        axis = {name: number for number, name in enumerate(self.parents)}
        operands: list[Any] = []
        for name in self.parents:
            if name in treatments:
                operands += [np.ones(self.sizes[name]), [axis[name]]]
            else:
                operands += [self.tables[name], [*(axis[parent] for parent in self.parents[name]), axis[name]]]
        return np.einsum(*operands, [axis[name] for name in self.observed], optimize="greedy")

    def truth(self, query: Query) -> Array:
        """P(outcomes | do(treatments), given), axes outcomes, treatments, given."""
        names = [*query.outcomes, *query.treatments, *query.given]
        table = marginal(self.surgery(query.treatments), self.observed, names)
        return table / table.sum(axis=tuple(range(len(query.outcomes))), keepdims=True)


def marginal(table: Array, names: Sequence[str], keep: Sequence[str]) -> Array:
    """The table summed over all axes but `keep`, which come in that order."""
    gone = tuple(place for place, name in enumerate(names) if name not in keep)
    rest = [name for name in names if name in keep]
    return np.transpose(table.sum(axis=gone), [rest.index(name) for name in keep])


def enumerated(model: LatentModel, treatments: Collection[str] = ()) -> Array:
    """The same as `LatentModel.surgery`, state by state in a plain loop: the oracle of the oracle."""
    names = tuple(model.parents)
    result = np.zeros([model.sizes[name] for name in model.observed])
    for values in product(*(range(model.sizes[name]) for name in names)):
        state = dict(zip(names, values, strict=True))
        weight = 1.0
        for name in names:
            if name not in treatments:
                weight *= model.tables[name][(*(state[parent] for parent in model.parents[name]), state[name])]
        result[tuple(state[name] for name in model.observed)] += weight
    return result


def random_model(
    parents: Mapping[str, Sequence[str]],
    latent: Iterable[str],
    generator: np.random.Generator,
    sizes: Mapping[str, int] | None = None,
) -> LatentModel:
    """Independent random tables, every probability at least one hundredth over the number of values.

    Latent variables have three values and observed ones two unless `sizes` says otherwise.
    """
    hidden = frozenset(latent)
    chosen = {name: 3 if name in hidden else 2 for name in parents} | dict(sizes or {})
    tables = {}
    for name, above in parents.items():
        rows = generator.dirichlet(np.ones(chosen[name]), size=[chosen[parent] for parent in above])
        tables[name] = 0.99 * rows + 0.01 / chosen[name]
    return LatentModel(dict(parents), hidden, chosen, tables)


def random_model_of(
    graph: Graph, generator: np.random.Generator, sizes: Mapping[str, int] | None = None
) -> LatentModel:
    """A random model of a graph, one latent root for each bidirected edge (of two values where there are many)."""
    parents = graph.with_latents()
    latent = set(parents) - set(graph.nodes)
    fewer = dict.fromkeys(latent, 2 if len(latent) > 5 else 3)
    return random_model(parents, latent, generator, fewer | dict(sizes or {}))
