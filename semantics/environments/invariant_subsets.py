"""Invariant causal prediction: the subsets given which the outcome is the same in every environment.

Source: Peters, Buhlmann and Meinshausen, "Causal inference by using invariant prediction" (JRSS B 2016), method I,
with a test of equal regressions for real variables and a test of independence for finite ones.  A subset is accepted
where its test does not reject at the level; what all accepted subsets have in common is called causal, with at most
that probability of error, and may well be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..budget import meter

LEVEL = 0.05
MOST_SUBSETS = 1 << 12


@dataclass(frozen=True, slots=True)
class InvariantSubsets:
    """`common` to all accepted subsets, their number, and whether every subset was tried; None accepted: the
    assumptions fail, and nothing is common.
    """

    common: tuple[str, ...]
    accepted: int
    tried: int
    complete: bool


def invariant_subsets(
    names: Sequence[str], p_value: Callable[[tuple[str, ...]], float], level: float = LEVEL, most: int = MOST_SUBSETS
) -> InvariantSubsets:
    """The intersection of the accepted subsets, smallest subsets first; it ends once that is empty.

    >>> invariant_subsets(["A", "B"], lambda chosen: 1.0 if "A" in chosen else 0.0).common
    ('A',)
    """
    common: frozenset[str] | None = None
    accepted = tried = 0
    for chosen in _subsets(names):
        if common is not None and not common:
            break
        if tried == most:
            return InvariantSubsets(_ordered(names, common), accepted, tried, False)
        meter().tick()
        tried += 1
        # A subset that holds all that is common already cannot change the intersection.
        if common is not None and common <= set(chosen):
            continue
        if p_value(chosen) > level:
            accepted += 1
            common = frozenset(chosen) if common is None else common & set(chosen)
    return InvariantSubsets(_ordered(names, common), accepted, tried, True)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _ordered(names: Sequence[str], common: frozenset[str] | None) -> tuple[str, ...]:
    return tuple(name for name in names if common is not None and name in common)
