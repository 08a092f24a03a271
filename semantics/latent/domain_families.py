"""The one question asked of latent models of several domains, answered by whichever kind of model it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from ...dsl.diagnostics import SutureError
from ...dsl.program import Domain, Model
from .finite_domains import FiniteDomains
from .finite_reading import finite_domains
from .function_domains import FunctionDomains
from .latent_worlds import latent_worlds
from .linear_domains import LinearDomains
from .linear_reading import linear_domains
from .smooth_domains import SmoothDomains
from .smooth_reading import smooth_domains

Family: TypeAlias = LinearDomains | FiniteDomains | SmoothDomains | FunctionDomains


def family_of(model: Model, domains: Sequence[tuple[str, Domain]]) -> Family:
    """The latent model that a program's model and the given domains are: finite, linear, or of invertible pieces.

    Raises `SutureError` (S460, S461 and those of single mechanisms) where it is none, naming the mechanism.
    """
    worlds = latent_worlds(model, domains)
    if worlds.finite:
        return finite_domains(worlds)
    try:
        return linear_domains(worlds)
    except SutureError as error:
        if error.diagnostics[0].code != "S450":
            raise
    return smooth_domains(worlds)


def in_domains(family: Family, domains: tuple[str, ...]) -> Family:
    """The model in some of its domains, in the order given."""
    places = [family.domains.index(domain) for domain in domains]
    match family:
        case FiniteDomains():
            return replace(family, domains=domains, mechanisms=family.mechanisms[places])
        case LinearDomains():
            return replace(
                family,
                domains=domains,
                mechanisms=tuple(family.mechanisms[place] for place in places),
                shifts=tuple(family.shifts[place] for place in places),
            )
        case FunctionDomains():
            return family.within(domains)
        case SmoothDomains():
            return replace(
                family,
                domains=domains,
                mechanisms=tuple(family.mechanisms[place] for place in places),
                inverses=tuple(family.inverses[place] for place in places),
            )
