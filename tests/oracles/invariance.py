"""Random models of which some mechanisms may change, and the truth about their predictors by enumeration.

The joint distribution is written out over every variable for every deterministic choice of the changing mechanisms, and
every subset of the stable features is tried.  Nothing here is shared with the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Transfer:
    """A model whose `mutable` mechanisms may be anything, an outcome, and the features of its predictors.

    Variables stand in causal order; tables have exact entries, axes the parents and then the variable; the values of a
    variable are 0, 1, ..
    """

    parents: Mapping[str, tuple[str, ...]]
    latent: frozenset[str]
    sizes: Mapping[str, int]
    tables: Mapping[str, Any]
    outcome: str
    mutable: tuple[str, ...]

    @property
    def stable(self) -> tuple[str, ...]:
        return tuple(v for v in self.parents if v not in self.latent and v not in self.mutable and v != self.outcome)

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(v for v in self.parents if v not in self.latent and v != self.outcome)

    @cached_property
    def axis(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.parents)}

    @property
    def policies(self) -> int:
        """How many deterministic domains there are."""
        count = 1
        for name in self.mutable:
            count *= self.sizes[name] ** int(np.prod([self.sizes[parent] for parent in self.parents[name]]))
        return count

    # -- joint distributions over everything, one axis a variable

    def _joint(self, mechanisms: Mapping[str, Floats]) -> Floats:
        operands: list[Any] = []
        for name in self.parents:
            table = mechanisms.get(name)
            if table is None:
                table = np.asarray(self.tables[name]).astype(float)
            operands += [table, [*(self.axis[parent] for parent in self.parents[name]), self.axis[name]]]
        return np.einsum(*operands, list(range(len(self.axis))))

    @cached_property
    def cut(self) -> Floats:
        """The joint distribution when every mutable variable is a fair coin of its own."""
        made: dict[str, Floats] = {}
        for name in self.mutable:
            shape = [self.sizes[parent] for parent in self.parents[name]]
            made[name] = np.full((*shape, self.sizes[name]), 1 / self.sizes[name])
        return self._joint(made)

    @cached_property
    def domains(self) -> list[tuple[dict[str, Any], Floats]]:
        """Every deterministic domain: its functions and its joint distribution."""
        return [(chosen, self._joint(self.as_tables(chosen))) for chosen in self._choices()]

    def _choices(self) -> Iterator[dict[str, Any]]:
        spaces = []
        for name in self.mutable:
            shape = [self.sizes[parent] for parent in self.parents[name]]
            cases = int(np.prod(shape))
            spaces.append(
                [
                    np.array(values, dtype=int).reshape(shape)
                    for values in product(range(self.sizes[name]), repeat=cases)
                ]
            )
        for chosen in product(*spaces):
            yield dict(zip(self.mutable, chosen, strict=True))

    def as_tables(self, functions: Mapping[str, Any]) -> dict[str, Floats]:
        """Functions as tables of zeros and ones."""
        return {name: np.eye(self.sizes[name])[np.asarray(values)] for name, values in functions.items()}

    def domain(self, functions: Mapping[str, Any]) -> Floats:
        """The joint distribution in a domain."""
        return self._joint(self.as_tables(functions))

    # -- predictors as arrays over everything (constant along what they do not read)

    def subsets(self) -> Iterator[tuple[str, ...]]:
        for size in range(len(self.stable) + 1):
            yield from combinations(self.stable, size)

    def _others(self, inputs: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(place for name, place in self.axis.items() if name not in (*inputs, self.outcome))

    def conditional(self, joint: Floats, inputs: tuple[str, ...]) -> Floats:
        """P(outcome | inputs) over everything, nan where the inputs have no probability."""
        table = joint.sum(axis=self._others(inputs), keepdims=True)
        total = table.sum(axis=self.axis[self.outcome], keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return table / total

    def losses(self, distribution: Floats, loss: str) -> Floats:
        """The loss over everything of the best prediction for a conditional distribution; zero where it is nan."""
        place = self.axis[self.outcome]
        size = self.sizes[self.outcome]
        shape = [1] * len(self.axis)
        shape[place] = size
        values = np.arange(size, dtype=float).reshape(shape)
        if loss == "squared_loss":
            found = (values - (distribution * values).sum(axis=place, keepdims=True)) ** 2
        elif loss == "log_loss":
            with np.errstate(divide="ignore"):
                found = -np.log(distribution)
        else:
            largest = np.round(distribution, 12).argmax(axis=place)
            found = np.broadcast_to((values != np.expand_dims(largest, place)).astype(float), distribution.shape)
            found = np.where(np.isnan(distribution), 0.0, found)
        return np.where(np.isfinite(found), found, 0.0)

    def invariant_losses(self, subset: tuple[str, ...], loss: str) -> Floats:
        """The losses of the predictor of a subset of the stable features."""
        return self.losses(self.conditional(self.cut, (*subset, *self.mutable)), loss)

    def worst(self, losses: Floats) -> float:
        """The largest risk over all domains."""
        return max(float((joint * losses).sum()) for _, joint in self.domains)

    def least(self, joint: Floats, loss: str) -> float:
        """The risk of the best of all predictors in one domain."""
        return float((joint * self.losses(self.conditional(joint, self.features), loss)).sum())

    # -- as a program

    def program(self, extra: str = "") -> str:
        """The model as text."""
        lines = ["model Random {"]
        for name in self.parents:
            latent = "latent " if name in self.latent else ""
            values = "{" + ", ".join(map(str, range(self.sizes[name]))) + "}"
            lines.append(f"  {latent}{name} : {values} ~ {self._table(name)}")
        lines.append(f"  mutable {', '.join(self.mutable)}")
        return "\n".join([*lines, "}", extra])

    def _table(self, name: str) -> str:
        table = np.asarray(self.tables[name])
        rows = [
            f"{', '.join(map(str, case))} => {', '.join(map(str, table[case]))}"
            for case in product(*(range(self.sizes[parent]) for parent in self.parents[name]))
        ]
        return f"table ({', '.join(self.parents[name])}) {{ {' ; '.join(rows)} }}"


def random_transfer(generator: np.random.Generator, most: int = 6, domains: int = 1024) -> Transfer:
    """A random model with one to three mutable variables and at most so many deterministic domains."""
    hard = generator.random() < 0.7
    while True:
        size = int(generator.integers(3 if hard else 2, most + 1))
        names = [f"V{number}" for number in range(size)]
        density = generator.uniform(0.5, 0.95) if hard else generator.uniform(0.2, 0.8)
        parents = {
            name: tuple(other for other in names[:place] if generator.random() < density)[-3:]
            for place, name in enumerate(names)
        }
        latent = frozenset(name for name in names if generator.random() < 0.15)
        seen = [name for name in names if name not in latent]
        if len(seen) < 2:
            continue
        outcome = seen[int(generator.integers(min(2, len(seen)) if hard else len(seen)))]
        others = [name for name in seen if name != outcome]
        count = min(int(generator.integers(1, 4)), len(others))
        mutable = tuple(sorted(generator.choice(others, count, replace=False).tolist()))
        # The graph alone settles most models; in the others a stable variable reads the outcome and what answers to it.
        answering = {name for name in mutable if outcome in parents[name]}
        readers = [name for name in others if outcome in parents[name] and answering & set(parents[name])]
        if hard and set(readers) <= set(mutable):
            continue
        sizes = {name: 3 if generator.random() < 0.12 else 2 for name in names}
        tables = {
            name: random_table(generator, [sizes[parent] for parent in parents[name]], sizes[name]) for name in names
        }
        made = Transfer(parents, latent, sizes, tables, outcome, mutable)
        if made.policies <= domains and made.cut.size <= 200:
            return made


def random_table(generator: np.random.Generator, cases: list[int], size: int) -> NDArray[Any]:
    """Rows of fractions, some entries zero now and then."""
    made = np.empty((*cases, size), dtype=object)
    sparse = generator.random() < 0.15
    for case in np.ndindex(*cases):
        while True:
            weights = generator.integers(0 if sparse else 1, 12, size=size)
            if weights.sum():
                break
        for value, weight in enumerate(weights.tolist()):
            made[(*case, value)] = Fraction(int(weight), int(weights.sum()))
    return made
