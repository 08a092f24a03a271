"""How close maps between domains come, without knowing the truth: beside the two trivial maps, and to the laws.

Effectiveness: the energy distance (Szekely and Rizzo 2013) between samples moved into a domain and samples of it; its
expectation is zero only where the laws agree.  It cannot tell two maps apart that give the same laws, so that it
refutes a map and never proves one.  Reversibility is a true round trip, from the image back; composition goes through a
third domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Protocol

import numpy as np

Floats = Any
Map = Callable[[int, int, Floats], Floats]

MOST_ROWS = 500
MOST_PAIRS = 12


class Transports(Protocol):
    """A model that moves samples from one domain to another, by their places."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains."""
        ...

    def transport(self, start: int, end: int, seen: Floats, /) -> Floats:
        """What samples of one domain, `cases size`, would have been in another."""
        ...


@dataclass(frozen=True)
class Distances:
    """Means over ordered pairs of domains of the energy distance to the target domain, and the laws of maps.

    `model` is the fitted map, `identity` leaves samples as they are, `shift` adds the difference of the domains' means;
    `round_trip` and `composition` are the largest absolute gaps.
    """

    model: float
    identity: float
    shift: float
    round_trip: float
    composition: float


def shift_by_means(samples: Sequence[Floats]) -> Map:
    """The map that adds the difference of the domains' means."""
    means = [own.mean(0) for own in samples]
    return lambda start, end, seen: seen + means[end] - means[start]


def stay(start: int, end: int, seen: Floats) -> Floats:
    """The map that changes nothing."""
    del start, end
    return seen


def distances(model: Transports, train: Sequence[Floats], held: Sequence[Floats]) -> Distances:
    """The distances on samples held out; the means are those of `train`."""
    few = [own[:MOST_ROWS] for own in held]
    pairs = list(permutations(range(len(few)), 2))[:MOST_PAIRS]

    def mean(moved: Map) -> float:
        return float(np.mean([energy_distance(moved(start, end, few[start]), few[end]) for start, end in pairs]))

    back = [model.transport(end, start, model.transport(start, end, few[start])) - few[start] for start, end in pairs]
    through = [_composed(model, start, end, few[start]) for start, end in pairs]
    return Distances(
        mean(model.transport),
        mean(stay),
        mean(shift_by_means(train)),
        max(float(np.abs(gap).max()) for gap in back),
        max(through),
    )


def _composed(model: Transports, start: int, end: int, seen: Floats) -> float:
    """The largest gap between going at once and going through each other domain."""
    at_once = model.transport(start, end, seen)
    gaps = [
        np.abs(model.transport(other, end, model.transport(start, other, seen)) - at_once).max()
        for other in range(len(model.domains))
    ]
    return float(max(gaps))


def energy_distance(first: Floats, second: Floats) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of two samples, `cases size` each, without bias.

    >>> energy_distance(np.array([[0.0], [2.0]]), np.array([[0.0], [2.0]]))
    -2.0
    """

    from scipy.spatial.distance import cdist

    def mean(left: Floats, right: Floats, own: bool) -> float:
        return float(cdist(left, right).sum() / (len(left) * (len(right) - own)))

    return 2 * mean(first, second, False) - mean(first, first, True) - mean(second, second, True)
