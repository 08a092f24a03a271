"""Programs written from random problems: the model, its domains, a data set with the exact numbers of each source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from oracles.graphs import Graph, Query
from oracles.models import Array, LatentModel, marginal


def model_text(graph: Graph, sizes: Mapping[str, int], name: str = "M") -> str:
    """The graph as a model whose variables have the values 0, 1, ..; every mechanism may differ between domains."""
    lines = [f"  {node} : {{{', '.join(map(str, range(sizes[node])))}}}" for node in graph.nodes]
    lines += [f"  {tail} -> {head}" for tail, head in graph.directed]
    lines += [f"  {first} <-> {second}" for first, second in graph.bidirected]
    return "\n".join([f"model {name} {{", *lines, f"  mutable {', '.join(graph.nodes)}", "}"])


def domain_text(domain: str, differs: Iterable[str], name: str = "M") -> str:
    """A domain in which some mechanisms are any."""
    return f"domain {domain} of {name} {{ {' ; '.join(f'{node} ~ any' for node in differs)} }}"


def data_text(
    data: str,
    model: LatentModel,
    generator: np.random.Generator,
    do: Sequence[str] = (),
    domain: str | None = None,
    without: Collection[str] = (),
    name: str = "M",
) -> str:
    """A data set with a row for each state, weighted by its exact probability in the (domain's) model.

    What an experiment sets was set to its values with random frequencies, which say nothing.
    """
    seen = [node for node in model.observed if node not in without]
    table = _drawn(model, generator, do)
    shares = marginal(table, model.observed, seen)
    rows = [
        ", ".join([*map(str, place), repr(float(shares[place]))])
        for place in product(*(range(model.sizes[node]) for node in seen))
    ]
    mixed = [rows[int(place)] for place in generator.permutation(len(rows))]
    under = f" under do({', '.join(do)})" if do else ""
    within = f" in {domain}" if domain is not None else ""
    columns = ", ".join([*seen, "weight_"])
    return f"data {data} of {name} weight weight_{under}{within} {{ {columns} ; {' ; '.join(mixed)} }}"


def _drawn(model: LatentModel, generator: np.random.Generator, do: Sequence[str]) -> Array:
    """The distribution of what is seen in an experiment whose settings were drawn at random."""
    table = model.surgery(do)
    for node in do:
        shape = [1] * table.ndim
        shape[model.observed.index(node)] = model.sizes[node]
        table = table * generator.dirichlet(np.full(model.sizes[node], 5.0)).reshape(shape)
    return table


def query_text(query: Query, domain: str | None = None) -> str:
    """The query as the language writes it."""
    given = [f"do({', '.join(query.treatments)})"] if query.treatments else []
    given += query.given
    given += [f"domain = {domain}"] if domain is not None else []
    return f"P({', '.join(query.outcomes)} | {', '.join(given)})" if given else f"P({', '.join(query.outcomes)})"
