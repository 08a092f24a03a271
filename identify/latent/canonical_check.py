"""Checks of changes of coordinates that know only what they must satisfy: g' h1 = g, f'_d = h1 f_d h2, autoregressive.

Nothing here calls the code that made the change; exact models are checked exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...semantics.latent import exact_linear as linear
from ...semantics.latent.finite_domains import FiniteDomains, Relabelling
from ...semantics.latent.linear_domains import Change, LinearDomains
from ..certify import CertificationError

TOLERANCE = 1e-8


def check_change(before: object, after: object, change: object, keeps_law: bool) -> float:
    """The largest error of a change; raises `CertificationError` where it does not hold."""
    match before, after, change:
        case LinearDomains(), LinearDomains(), Change():
            return _linear(before, after, change, keeps_law)
        case FiniteDomains(), FiniteDomains(), Relabelling():
            return _finite(before, after, change, keeps_law)
        case _:
            raise CertificationError("a change between models of two kinds")


def check_maps(before: object, after: object) -> float:
    """The largest difference between the counterfactual maps of two models, from the first domain to every other."""
    match before, after:
        case LinearDomains(), LinearDomains():
            pairs = [(before.transport(0, d), after.transport(0, d)) for d in range(len(before.domains))]
            return max(
                _require(_gap(one, two), "a counterfactual map changed")
                for a, b in pairs
                for one, two in zip(a, b, strict=True)
            )
        case FiniteDomains(), FiniteDomains():
            for domain in range(len(before.domains)):
                same = (before.transport(0, domain) == after.transport(0, domain)).all()
                _require(0.0 if same else 1.0, "a counterfactual map changed")
            return 0.0
        case _:
            raise CertificationError("models of two kinds")


def _linear(before: LinearDomains, after: LinearDomains, change: Change, keeps_law: bool) -> float:
    gaps = [
        (_gap(linear.product(after.observation, change.latents), before.observation), "g' h1 is not g"),
        (_gap(after.observation @ change.shift + after.offset, before.offset), "g' h1 is not g in its constant"),
    ]
    for domain in range(len(before.domains)):
        moved = linear.product(change.latents, before.mechanisms[domain], change.noise)
        shifted = change.latents @ before.shifts[domain] + change.shift
        gaps.append((_gap(after.mechanisms[domain], moved), "f'_d is not h1 f_d h2"))
        gaps.append((_gap(after.shifts[domain], shifted), "f'_d is not h1 f_d h2 in its constant"))
        upper = np.triu(np.ones((after.size, after.size), dtype=bool), 1)
        gaps.append((_largest(after.mechanisms[domain][upper]), "f'_d is not autoregressive"))
    if keeps_law:
        gaps += _linear_law(before, after, change)
    return max(_require(gap, fault) for gap, fault in gaps)


def _linear_law(before: LinearDomains, after: LinearDomains, change: Change) -> list[tuple[float, str]]:
    """Covariances of the noises agree; where some noise is not normal, noises are only renamed."""
    spread = np.array(after.variances, dtype=change.noise.dtype)
    old = linear.product(change.noise * spread, change.noise.T)
    wanted = np.array(np.diag(np.array(before.variances, dtype=object)), dtype=object)
    gaps = [(_gap(old, wanted), "the noise has another covariance")]
    if any(law.family != "Normal" for law in before.laws):
        place = [int(np.argmax(np.abs(row.astype(float)))) for row in change.noise]
        unit = np.eye(before.size)[place]
        gaps.append((_gap(change.noise, unit), "noise that is not normal was mixed"))
        renamed = tuple(after.laws[each] for each in place) == before.laws
        gaps.append((0.0 if renamed else 1.0, "a noise has another law"))
    return gaps


def _finite(before: FiniteDomains, after: FiniteDomains, change: Relabelling, keeps_law: bool) -> float:
    states = np.arange(before.states)
    for each in (change.latents, change.noise):
        _require(0.0 if (np.sort(each) == states).all() else 1.0, "a map is no permutation")
    same = (after.observation[change.latents] == before.observation).all()
    _require(0.0 if same else 1.0, "g' h1 is not g")
    for domain in range(len(before.domains)):
        moved = change.latents[before.mechanisms[domain][change.noise]]
        _require(0.0 if (after.mechanisms[domain] == moved).all() else 1.0, "f'_d is not h1 f_d h2")
        _require(0.0 if _autoregressive(after, domain) else 1.0, "f'_d is not autoregressive")
    if keeps_law:
        same = _same_law(before, after, change.noise)
        _require(0.0 if same else 1.0, "the noise has another law")
    return 0.0


def _same_law(before: FiniteDomains, after: FiniteDomains, noise: Any) -> bool:
    """Whether each new state of the noises is as probable as the old one that it stands for."""
    one, two = before.noise_counts(), after.noise_counts()
    if one is not None and two is not None:
        return bool((one[0][noise] * two[1] == two[0] * one[1]).all())
    old, new = before.noise_law(), after.noise_law()
    return all(old[int(noise[state])] == new[state] for state in range(before.states))


def _autoregressive(model: FiniteDomains, domain: int) -> bool:
    """Whether the first j nodes depend on the first j noises alone, for every j."""
    image = model.mechanisms[domain]
    rest = model.states
    for size in model.sizes:
        rest //= size
        prefix = image // rest
        if (prefix.reshape(-1, rest) != prefix.reshape(-1, rest)[:, :1]).any():
            return False
    return True


def _gap(first: Any, second: Any) -> float:
    return _largest(np.asarray(first) - np.asarray(second))


def _largest(array: Any) -> float:
    return max((abs(float(entry)) for entry in np.asarray(array).flat), default=0.0)


def _require(gap: float, fault: str) -> float:
    if not gap <= TOLERANCE:
        raise CertificationError(f"{fault}: off by {gap:.2g}")
    return gap
