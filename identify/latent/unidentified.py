"""Why distributions alone do not say what a sample would have been: a second model with the same distributions.

The law of a linear model with normal noise does not change when the sign of a noise is reversed in one domain: F_d
becomes F_d S with S = diag(1, .., -1, .., 1), so G F_d F_d^T G^T stays.  Where that noise moves an intervened latent,
graph, observation and intervention set stay as they are too, but T_{0->d} does not.  (The general case is an orthogonal
factor a domain: distributions know F_d up to F_d Q.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...semantics.latent import exact_linear as linear
from ...semantics.latent.domain_families import Family
from ...semantics.latent.linear_domains import LinearDomains, agree
from ..derivation import Images

OTHER = "the other model"


@dataclass(frozen=True, slots=True)
class Twin:
    """A model with the same distributions in all domains: the noise of `node` reversed in `domain`, and a sample on
    which the two differ."""

    node: str
    domain: str
    model: LinearDomains
    images: Images


def twin(
    model: Family, name: str, sample: Sequence[Any] | None = None, asked: Sequence[str] | None = None
) -> Twin | None:
    """A second model that no data of the domains tell apart; None where nothing is intervened on with normal noise.

    With `sample` (one of the first domain), the two differ on it; with `asked`, in one of these observed variables.
    Verified before it is given: all means and covariances agree, and the images of the sample do not.
    """
    if not isinstance(model, LinearDomains):
        return None
    wanted = [place for place, seen in enumerate(model.observed) if asked is None or seen in asked]
    for node, domain, other in _reversed(model):
        if not _same_laws(model, other):
            continue
        for point in [linear.vector(list(sample))] if sample is not None else _points(model):
            both = [change @ point + constant for change, constant in (m.transport(0, domain) for m in (model, other))]
            if any(not agree(both[0][place : place + 1], both[1][place : place + 1]) for place in wanted):
                shown = [_written(model, values) for values in (point, *both)]
                images = Images(shown[0], model.domains[0], model.domains[domain], (name, OTHER), (shown[1], shown[2]))
                return Twin(node, model.domains[domain], other, images)
    return None


def _reversed(model: LinearDomains) -> Iterator[tuple[str, int, LinearDomains]]:
    """The model with one normal noise of an intervened node reversed in one domain, in every way."""
    moved = set(model.intervened())
    for domain in range(1, len(model.domains)):
        for place, node in enumerate(model.nodes):
            if node in moved and model.laws[place].family == "Normal" and _differs(model, domain, place):
                mechanism = model.mechanisms[domain].copy()
                mechanism[:, place] = -mechanism[:, place]
                mechanisms = (*model.mechanisms[:domain], mechanism, *model.mechanisms[domain + 1 :])
                yield node, domain, replace(model, mechanisms=mechanisms)


def _differs(model: LinearDomains, domain: int, place: int) -> bool:
    """Whether a domain changes the mechanism of a node."""
    back, first = model.inverses[domain][place], model.inverses[0][place]
    same = agree(back, first)
    shift = np.array([back @ model.shifts[domain] - first @ model.shifts[0]], dtype=back.dtype)
    return not (same and agree(shift, shift * 0))


def _same_laws(model: LinearDomains, other: LinearDomains) -> bool:
    """Means and covariances agree in every domain, noises that are not normal being untouched."""
    places = range(len(model.domains))
    return all(
        agree(model.mean(place), other.mean(place)) and agree(model.covariance(place), other.covariance(place))
        for place in places
    )


def _points(model: LinearDomains) -> Iterator[Any]:
    """Unit vectors, and zero."""
    exact = linear.is_exact(model.observation)
    yield from linear.identity(model.size, exact)
    yield linear.vector([0] * model.size) if exact else np.zeros(model.size)


def _written(model: LinearDomains, values: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, linear.text(value)) for name, value in zip(model.observed, values, strict=True))
