"""Several distributions at hand: what they are in concrete models, and whether a query follows from them.

A distribution is that of all observed variables in some domain, after some of them are set from outside.  Domains share
every mechanism but those that are said to differ, so models of them share the tables.  `follows` is the recursion of
Lee, Correa and Bareinboim, "General Identifiability with Arbitrary Surrogate Experiments" (UAI 2019), figure 3, with
the condition on selection nodes of the same authors' "General Transportability" (AAAI 2020), figure 3, on plain sets
and for the verdict alone; conditions are moved as in Shpitser and Pearl (UAI 2006), which Kivva, Etesami and Kiyavash,
"On Identifiability of Conditional Causal Effects" (UAI 2023), show to be enough.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from suture.dsl.formula import Formula, Kernel, kernels

from .formulas import evaluate, value_at
from .graphs import Graph, Query
from .models import Array, LatentModel, enumerated
from .verdict import identifiable, unconditional


@dataclass(frozen=True, slots=True)
class Known:
    """The distribution of the named domain (None is the one asked about) once `do` is set; `differs` has other tables.

    Distributions of one domain have one name, or each its own where they are data sets.
    """

    name: str | None
    do: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------------------------
# Verdicts


def follows(graph: Graph, query: Query, known: Collection[Known]) -> bool:
    """Whether the query is the same in all models of the graph that agree on every known distribution."""
    joint = unconditional(graph, query)
    return _follows(graph, frozenset(joint.outcomes), frozenset(joint.treatments), known)


def _follows(graph: Graph, y: frozenset[str], x: frozenset[str], known: Collection[Known]) -> bool:
    v = frozenset(graph.nodes)
    upstream = graph.ancestors(y)
    if v - upstream:
        return _follows(graph.on(upstream), y, x & upstream, known)
    idle = (v - x) - graph.cut_into(x).ancestors(y)
    if idle:
        return _follows(graph, y, x | idle, known)
    parts = graph.on(v - x).districts()
    if len(parts) > 1:
        return all(_follows(graph, part, v - part, known) for part in parts)
    (part,) = parts
    return any(_serves(graph, part, y, x, one) for one in known)


def _serves(graph: Graph, part: frozenset[str], y: frozenset[str], x: frozenset[str], one: Known) -> bool:
    """Whether one distribution alone yields P(y | do(x)), where only `part` is not set."""
    v = frozenset(graph.nodes)
    done = frozenset(one.do) & v
    if not done <= x or part & set(one.differs):
        return False
    return identifiable(graph.on(v - done), y, x - done)


# ---------------------------------------------------------------------------------------------------------------------
# Models of several domains


@dataclass(frozen=True)
class Domains:
    """A model of the domain asked about and, by name, of the others."""

    target: LatentModel
    others: Mapping[str, LatentModel]

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many values each variable has."""
        return self.target.sizes

    def of(self, name: str | None) -> LatentModel:
        """The model of one domain."""
        return self.target if name is None else self.others[name]


def random_domains(target: LatentModel, known: Iterable[Known], generator: np.random.Generator) -> Domains:
    """Models of every domain that is named: fresh tables for what differs, the target's for the rest."""
    others: dict[str, LatentModel] = {}
    for one in known:
        if one.name is not None and one.name not in others:
            tables = dict(target.tables)
            for name in one.differs:
                rows = generator.dirichlet(np.ones(target.sizes[name]), size=tables[name].shape[:-1])
                tables[name] = 0.95 * rows + 0.05 / target.sizes[name]
            others[one.name] = LatentModel(target.parents, target.latent, target.sizes, tables)
    return Domains(target, others)


@dataclass(frozen=True)
class Tables:
    """The known distributions as arrays, and nothing else of the models behind them.

    A name may stand for several, of one domain under different experiments.
    """

    sizes: Mapping[str, int]
    observed: tuple[str, ...]
    arrays: Mapping[tuple[str | None, frozenset[str]], Array]
    name: str | None = None

    def of(self, name: str | None) -> Tables:
        """The same, to be read under this name."""
        return replace(self, name=name)

    def surgery(self, treatments: Collection[str]) -> Array:
        """The array of this name under exactly this experiment."""
        key = (self.name, frozenset(treatments))
        if key not in self.arrays:
            raise ValueError(f"no distribution of {self.name} under do({', '.join(sorted(treatments))})")
        return self.arrays[key]


def tables_of(domains: Domains, known: Iterable[Known], by_loop: bool = False) -> Tables:
    """Each known distribution enumerated in the model of its own domain."""
    arrays = {}
    for one in known:
        model = domains.of(one.name)
        arrays[one.name, frozenset(one.do)] = enumerated(model, one.do) if by_loop else model.surgery(one.do)
    return Tables(domains.sizes, domains.target.observed, arrays)


# ---------------------------------------------------------------------------------------------------------------------
# Formulas


def readable(kernel: Kernel, known: Iterable[Known]) -> bool:
    """Whether the kernel is a conditional of one of the known distributions."""
    setting = frozenset(term.variable for term in kernel.do)
    return any(one.name == kernel.source and frozenset(one.do) == setting for one in known)


def unreadable(formula: Formula, known: Collection[Known]) -> tuple[Kernel, ...]:
    """The kernels of a formula that no known distribution gives."""
    return tuple(kernel for kernel in kernels(formula) if not readable(kernel, known))


def error_from(formula: Formula, tables: Tables, target: LatentModel, query: Query) -> float:
    """How far the formula, read off the tables, is from the truth in the target at the worst values of its variables.

    Variables beyond the query's may be free in it: every value of theirs must give the truth.
    """
    names: Sequence[str] = [*query.outcomes, *query.treatments, *query.given]
    found = value_at(evaluate(formula, tables), names, target)
    truth = target.truth(query)
    difference = np.abs(found - truth.reshape(truth.shape + (1,) * (found.ndim - truth.ndim)))
    return float("inf") if np.isnan(difference).any() else float(difference.max())


def published_known(query: Mapping[str, Any]) -> tuple[Known, ...]:
    """The distributions of a published case: experiments in one domain, or domains, the first the one asked about."""
    domains = query.get("domains") or [{"sel": [], "exps": query["experiments"]}]
    names: tuple[str | None, ...] = (None, *(f"d{number}" for number in range(1, len(domains))))
    return tuple(
        Known(name, tuple(do), tuple(domain["sel"]))
        for name, domain in zip(names, domains, strict=True)
        for do in domain["exps"]
    )
