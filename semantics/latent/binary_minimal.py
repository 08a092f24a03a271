"""A binary latent model with the least number of intervened latents, built from the orbits of its counterfactual maps.

The maps generate a 2-group (`finite_domains.py`).  On an orbit there is a system of two blocks: colours that every map
keeps or swaps.  The maps that keep them (generated as Schreier's lemma says, at index two) act on one block as a
transitive 2-group again, and the other block is its image, so the orbit is halved down to single states; halves,
quarters and so on of the list are blocks, and the place in the list, written in binary, gives bits on which every map
acts autoregressively.  Lists of orbits, the longest first, one after the other, number all states.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from .finite_domains import FiniteDomains, Relabelling, States, movers, normalised, orbits, relabelled

Permutation: TypeAlias = tuple[int, ...]
FAIR = (Fraction(1, 2), Fraction(1, 2))


def binary_minimal(model: FiniteDomains) -> tuple[FiniteDomains, Relabelling]:
    """An equivalent model of bits with the fewest intervened latents, last, and the change from `normalised(model)`.

    It answers every counterfactual alike.  Under the old law its bits are in general not independent, so it is given
    fair noise: its distribution is another.  Raises `ValueError` where a node has not two values.
    """
    if set(model.sizes) != {2}:
        raise ValueError("every node must have two values")
    base, _ = normalised(model)
    maps = movers(base)
    old = np.array([state for orbit in sorted(orbits(base), key=len, reverse=True) for state in halving(orbit, maps)])
    nodes = tuple(f"B{place + 1}" for place in range(len(base.nodes)))
    change = Relabelling(np.argsort(old), old)
    return relabelled(base, change, nodes, base.sizes, (FAIR,) * len(nodes)), change


def halving(orbit: Sequence[int], maps: States) -> list[int]:
    """The states of an orbit in an order whose halves, quarters, .. are blocks of the group that the maps generate."""
    where = {state: place for place, state in enumerate(orbit)}
    generators = [tuple(where[int(mover[state])] for state in orbit) for mover in maps]
    return [orbit[place] for place in _halved(len(orbit), _distinct(generators))]


def _halved(size: int, generators: Sequence[Permutation]) -> list[int]:
    """As `halving`, for a transitive 2-group on the points 0..size-1."""
    if size == 1:
        return [0]
    colour = _two_blocks(size, generators)
    left = [point for point in range(size) if colour[point] == colour[0]]
    place = {point: number for number, point in enumerate(left)}
    inside = [tuple(place[each[point]] for point in left) for each in _keeping(generators, colour)]
    first = [left[number] for number in _halved(len(left), _distinct(inside))]
    swap = next(each for each in generators if colour[each[0]] != colour[0])
    return [*first, *(swap[point] for point in first)]


def _distinct(generators: Sequence[Permutation]) -> list[Permutation]:
    return [each for each in dict.fromkeys(generators) if each != tuple(range(len(each)))]


def _two_blocks(size: int, generators: Sequence[Permutation]) -> list[int]:
    """A colour, 0 or 1, for each point, such that every generator keeps or swaps the colours, and both occur.

    Along a spanning tree the colour of a point is the parity of some generators' signs (a mask); every other edge says
    that a mask has even parity.  A solution that is not zero exists because the group is a 2-group.
    """
    masks: dict[int, int] = {0: 0}
    waiting, odd = [0], list[int]()
    while waiting:
        point = waiting.pop()
        for number, generator in enumerate(generators):
            image, mask = generator[point], masks[point] ^ 1 << number
            if image not in masks:
                masks[image] = mask
                waiting.append(image)
            else:
                odd.append(mask ^ masks[image])
    signs = _even_with(odd, len(generators))
    return [(masks[point] & signs).bit_count() % 2 for point in range(size)]


def _even_with(masks: Sequence[int], width: int) -> int:
    """A non-zero number of `width` bits that shares an even number of bits with every mask (linear over GF(2))."""
    pivots: dict[int, int] = {}
    for mask in masks:
        rest = mask
        for bit, row in pivots.items():
            rest = rest ^ row if rest >> bit & 1 else rest
        if rest:
            bit = rest.bit_length() - 1
            pivots = {other: row ^ rest if row >> bit & 1 else row for other, row in pivots.items()} | {bit: rest}
    free = next(bit for bit in range(width) if bit not in pivots)
    return 1 << free | sum(1 << bit for bit, row in pivots.items() if row >> free & 1)


def _keeping(generators: Sequence[Permutation], colour: Sequence[int]) -> list[Permutation]:
    """Generators of the maps that keep the colours (Schreier's lemma at index two)."""
    keeping = [each for each in generators if colour[each[0]] == colour[0]]
    swapping = [each for each in generators if colour[each[0]] != colour[0]]
    first = swapping[0]
    back = _inverse(first)
    made = [*keeping, *(_compose(back, _compose(each, first)) for each in keeping)]
    made += [_compose(each, first) for each in swapping]
    made += [_compose(back, each) for each in swapping[1:]]
    return _distinct(made)


def _compose(after: Permutation, before: Permutation) -> Permutation:
    return tuple(after[image] for image in before)


def _inverse(permutation: Permutation) -> Permutation:
    made = [0] * len(permutation)
    for place, image in enumerate(permutation):
        made[image] = place
    return tuple(made)
