"""A model as a Bayesian network in the Interchange Format: every variable needs its values.

Mechanisms become tables, those without exact numbers (parameters, noise) are refused; a variable without a mechanism
gets its parents alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..program import Model
from .network_writing import NetworkWriter

BARE = re.compile(r"[^\W]+")


def write(model: Model) -> str:
    """The model in BIF.

    Raises `SutureError` (S023): a variable without finitely many values, a nameless common cause, a mechanism without
    exact numbers.
    """
    return "".join(f"{line}\n" for line in _lines(model, NetworkWriter("BIF", model)))


def _lines(model: Model, writer: NetworkWriter) -> Iterator[str]:
    yield f"network {_quoted(model.name)} {{"
    yield "}"
    for variable in model.variables:
        labels = writer.labels(variable.name)
        yield f"variable {_quoted(variable.name)} {{"
        yield f"  type discrete [ {len(labels)} ] {{ {', '.join(map(_quoted, labels))} }};"
        if variable.latent:
            yield "  property latent = yes ;"
        yield "}"
    for variable in model.variables:
        parents = model.parents(variable.name)
        bar = f" | {', '.join(map(_quoted, parents))}" if parents else ""
        yield f"probability ( {_quoted(variable.name)}{bar} ) {{"
        for cells, numbers in writer.rows(variable.name):
            weights = ", ".join(numbers)
            yield f"  ( {', '.join(map(_quoted, cells))} ) {weights};" if cells else f"  table {weights};"
        yield "}"


def _quoted(text: str) -> str:
    return text if BARE.fullmatch(text) else f'"{text}"'
