"""Networks for pyAgrum and pgmpy, made from our arrays, so that both sides work on the very same numbers.

(pyAgrum reads BIF in single precision, and both leave rounded rows as they are: files cannot be compared to 1e-10.)
An intervention is made by hand: the arcs into the variable are cut and its table is a point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from suture.dsl.exchange import import_file
from suture.semantics.compute import float_model
from suture.semantics.stochastic import FiniteModel


def repository() -> dict[str, Path]:
    """The networks of the public repository by name, where pgmpy, which ships them, is installed; else none."""
    found = find_spec("pgmpy")
    if found is None or not found.submodule_search_locations:
        return {}
    folder = Path(next(iter(found.submodule_search_locations))) / "utils" / "example_models"
    return {path.name.removesuffix(".bif.gz"): path for path in sorted(folder.glob("*.bif.gz"))}


@dataclass(frozen=True)
class Tables:
    """A network as plain tables: for each variable its labels, its parents and an array (parents.., values)."""

    labels: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]
    arrays: Mapping[str, np.ndarray]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables, each after its parents."""
        found: dict[str, None] = {}
        while len(found) < len(self.parents):
            found |= dict.fromkeys(n for n, own in self.parents.items() if n not in found and set(own) <= set(found))
        return tuple(found)

    def after(self, do: Mapping[str, str]) -> Tables:
        """The network once variables are set: without the arcs into them."""
        points = {name: np.array([float(label == value) for label in self.labels[name]]) for name, value in do.items()}
        return replace(self, parents={**self.parents, **dict.fromkeys(do, ())}, arrays={**self.arrays, **points})

    def sample(self, generator: Any) -> dict[str, str]:
        """A case drawn from the network: evidence taken from it is possible."""
        places: dict[str, int] = {}
        for name in self.order:
            row = self.arrays[name][tuple(places[parent] for parent in self.parents[name])]
            places[name] = int(generator.choice(len(row), p=row / row.sum()))
        return {name: self.labels[name][place] for name, place in places.items()}


def tables_of(path: Path) -> tuple[FiniteModel, Tables]:
    """A network of a file, as ours and as plain tables."""
    model = import_file(path).model
    finite = float_model(model)
    parents = {name: model.parents(name) for name in model.by_name}
    return finite, Tables(finite.labels, parents, finite.arrays)


def pyagrum_network(tables: Tables) -> Any:
    """The network for pyAgrum."""
    pyagrum = import_module("pyagrum")
    made = pyagrum.BayesNet()
    for name, labels in tables.labels.items():
        made.add(pyagrum.LabelizedVariable(name, name, list(labels)))
    for name, parents in tables.parents.items():
        for parent in parents:
            made.addArc(parent, name)
    for name, parents in tables.parents.items():
        table = made.cpt(name)
        axes = [(*parents, name).index(each) for each in reversed(table.names)]
        table[:] = np.ascontiguousarray(tables.arrays[name].transpose(axes))
    return made


def pyagrum_marginals(network: Any, given: Mapping[str, str], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Posteriors of several variables, by lazy propagation."""
    pyagrum = import_module("pyagrum")
    engine = pyagrum.LazyPropagation(network)
    engine.setEvidence(dict(given))
    engine.makeInference()
    return {name: engine.posterior(name).toarray() for name in names}


def pgmpy_network(tables: Tables) -> Any:
    """The network for pgmpy."""
    factors, models = import_module("pgmpy.factors.discrete"), import_module("pgmpy.models")
    made = models.DiscreteBayesianNetwork()
    made.add_nodes_from(tables.parents)
    made.add_edges_from((parent, name) for name, parents in tables.parents.items() for parent in parents)
    for name, parents in tables.parents.items():
        size = len(tables.labels[name])
        made.add_cpds(
            factors.TabularCPD(
                name,
                size,
                tables.arrays[name].reshape(-1, size).T,
                list(parents),
                [len(tables.labels[parent]) for parent in parents],
                {each: list(tables.labels[each]) for each in (name, *parents)},
            )
        )
    return made


def pgmpy_posterior(network: Any, given: Mapping[str, str], name: str, labels: Sequence[str]) -> np.ndarray:
    """The posterior of one variable, by variable elimination, in the order of its labels."""
    inference = import_module("pgmpy.inference")
    found = inference.VariableElimination(network).query([name], evidence=dict(given), show_progress=False)
    return np.array([found.values[found.state_names[name].index(label)] for label in labels])
