"""Why distributions alone do not say what a sample would have been: a second model with the same distributions.

The law of a linear model with normal noise does not change when the sign of a noise is reversed in one domain: F_d
becomes F_d S with S = diag(1, .., -1, .., 1), so G F_d F_d^T G^T stays.  Where that noise moves an intervened latent,
graph, observation and intervention set stay as they are too, but T_{0->d} does not.  (The general case is an orthogonal
factor a domain: distributions know F_d up to F_d Q.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..semantics.domain_families import Family
from ..semantics.linear_domains import LinearDomains, agree
from .derivation import Comparison, Images
from .domain_equivalence import equivalent


@dataclass(frozen=True, slots=True)
class Twin:
    """A model with the same distributions in all domains: the noise of `node` reversed in `domain`, and a sample on
    which the two differ."""

    node: str
    domain: str
    model: LinearDomains
    images: Images


def twin(model: Family, name: str) -> Twin | None:
    """A second model that no data of the domains tell apart; None where nothing is intervened on with normal noise.

    Verified before it is given: all means and covariances agree, and the images of the sample do not.
    """
    if not isinstance(model, LinearDomains):
        return None
    for domain in range(1, len(model.domains)):
        for node in model.intervened():
            place = model.nodes.index(node)
            if model.laws[place].family == "Normal" and _differs(model, domain, place):
                return _reversed(model, domain, place, name)
    return None


def _differs(model: LinearDomains, domain: int, place: int) -> bool:
    return not agree(model.inverses[domain][place], model.inverses[0][place]) or not agree(
        model.shifts[domain], model.shifts[0]
    )


def _reversed(model: LinearDomains, domain: int, place: int, name: str) -> Twin | None:
    mechanism = model.mechanisms[domain].copy()
    mechanism[:, place] = -mechanism[:, place]
    mechanisms = (*model.mechanisms[:domain], mechanism, *model.mechanisms[domain + 1 :])
    other = replace(model, mechanisms=mechanisms)
    found = equivalent(model, other, (name, "the other model"))
    if found.counterfactual or not found.distribution or not isinstance(found.witness, Comparison):
        return None
    images = found.witness.counterfactual
    return Twin(model.nodes[place], model.domains[domain], other, images) if isinstance(images, Images) else None
