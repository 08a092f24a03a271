"""A model as a networkx graph."""

from __future__ import annotations

from typing import Any

from ..diagnostics import Diagnostic, SutureError
from ..program import Model
from .model_edges import arrows, common_causes, named


def to_networkx(model: Model) -> Any:
    """The model's graph as a networkx `DiGraph`; latent nodes have a true `latent`.

    `X <-> Y` becomes a latent node called `X<->Y` with an arrow to each, so that networkx' own d-separation is right.
    Raises `SutureError` (S605) where networkx is not installed.
    """
    try:
        from networkx import DiGraph
    except ImportError:
        message = "graphs of networkx need networkx, which is not installed"
        raise SutureError(Diagnostic("S605", message, help="pip install networkx")) from None
    graph: Any = DiGraph(name=model.name)
    for name, latent in named(model):
        graph.add_node(name, latent=latent)
    graph.add_edges_from(arrows(model))
    for first, second in common_causes(model):
        hidden = f"{first}<->{second}"
        graph.add_node(hidden, latent=True)
        graph.add_edges_from([(hidden, first), (hidden, second)])
    return graph
