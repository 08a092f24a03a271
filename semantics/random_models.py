"""Random finite models over a diagram, latents included: what every answer is checked on.

Weights are drawn from a Dirichlet distribution, so every mechanism is above zero; wrong formulas that agree with the
truth on one model are told apart on several (on 60 % of random models a wrong napkin formula is off by less than 1e-3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..dsl.diagram import Diagram, Kind
from .stochastic import FiniteModel

FLOOR = 0.02


def random_model(
    diagram: Diagram,
    generator: np.random.Generator,
    cardinalities: Mapping[str, int] | None = None,
    labels: Mapping[str, tuple[str, ...]] | None = None,
    concentration: float = 0.7,
    latent_states: int = 3,
) -> FiniteModel:
    """A model over the diagram with positive random mechanisms, as `numpy.random.Generator` draws them.

    Objects get the given `labels`, else labels "0", "1", .. in the number `cardinalities` says, else two, or
    `latent_states` for latent ones.  Every entry of a mechanism is at least `FLOOR` divided by its number of outcomes.

    >>> from ..dsl.diagram import model_diagram
    >>> model = random_model(model_diagram({"X": (), "Y": ("X",)}), np.random.default_rng(0))
    >>> model.arrays["Y"].sum(axis=1).round(12)
    array([1., 1.])
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for wire in diagram.wires:
        count = (cardinalities or {}).get(wire.type, latent_states if wire.latent else 2)
        given = (labels or {}).get(wire.type)
        chosen[wire.type] = tuple(str(number) for number in range(count)) if given is None else given
    arrays: dict[str, np.ndarray] = {}
    for box in diagram.boxes:
        if box.kind in (Kind.MECHANISM, Kind.TOOTH) and box.name not in arrays:
            domain = [len(chosen[kind]) for kind in diagram.types(box.inputs)]
            codomain = [len(chosen[kind]) for kind in diagram.types(box.outputs)]
            arrays[box.name] = random_mechanism(generator, domain, codomain, concentration)
    return FiniteModel(diagram, chosen, arrays)


def random_mechanism(
    generator: np.random.Generator, domain: list[int], codomain: list[int], concentration: float = 0.7
) -> np.ndarray:
    """A positive random array of shape (domain.., codomain..) that sums to one over the codomain."""
    outcomes = int(np.prod(codomain, dtype=np.int64))
    drawn = generator.dirichlet(np.full(outcomes, concentration), size=tuple(domain))
    return ((1 - FLOOR) * drawn + FLOOR / outcomes).reshape(*domain, *codomain)
