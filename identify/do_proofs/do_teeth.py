"""Where the teeth of combs come from: each tooth as a kernel under surgery, and what it was made of.

The tooth R of the comb of T stands for P(R | members of T before R, do(what T reads from elsewhere)); of the members
before R only those that its formula mentions are kept, the others being separated from R.  A tooth was read off a
source, taken over from another comb, conditioned out of a larger tooth, or summed together from several.

Source: Tian and Pearl (2002), lemmas 3 and 4, read as do-calculus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ...dsl.formula import Formula
from .. import combs
from ..combs import Comb
from ..derivation import Source
from ..graph import CausalGraph
from .do_rules import Scope


@dataclass(frozen=True, slots=True)
class Observed:
    """Read off a source, as the kernel `scope`."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The same tooth in a larger comb."""

    origin: Piece


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A part of a larger tooth: given what precedes it there, the rest summed out."""

    origin: Piece
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Summed:
    """Several teeth multiplied, the variables `gone` summed out; `inside` says which teeth depend on them."""

    origins: tuple[Piece, ...]
    gone: int
    inside: tuple[bool, ...]


Making: TypeAlias = Observed | TakenOver | Conditioned | Summed


@dataclass(frozen=True, slots=True)
class Piece:
    """A tooth: its kernel (all masks over the whole graph), all of the comb's members before it, how it was made."""

    scope: Scope
    before: int
    formula: Formula
    making: Making

    @property
    def whole(self) -> Scope:
        """The kernel given all of the comb's members before the tooth."""
        return Scope(self.scope.outcomes, self.before, self.scope.do)


@dataclass(frozen=True, slots=True)
class Smaller:
    """The graph that combs are taken in, where some variables may be hidden, and its masks over the whole graph."""

    graph: CausalGraph
    whole: CausalGraph

    def lift(self, mask: int) -> int:
        """A mask over the smaller graph as one over the whole graph."""
        return mask if self.graph is self.whole else self.whole.mask(self.graph.members(mask))

    def piece(self, comb: Comb, tooth: combs.Tooth, making: Making) -> Piece:
        """The tooth of a comb with its kernel."""
        earlier = comb.members & ((tooth.outputs & -tooth.outputs) - 1)
        given = earlier & combs.mentioned(self.graph, tooth.formula)
        do = self.graph.outside_parents(comb.members)
        scope = Scope(self.lift(tooth.outputs), self.lift(given), self.lift(do))
        return Piece(scope, self.lift(earlier), tooth.formula, making)


@dataclass(frozen=True, slots=True)
class TracedComb:
    """A comb with the making of each of its teeth."""

    comb: Comb
    pieces: tuple[Piece, ...]


def of_joint(place: Smaller, within: int, district: int, source: Source) -> TracedComb:
    """The comb of a district of an ancestral set, read off a source."""
    comb = combs.disintegrate_joint(place.graph, within, district, source)
    do = place.whole.mask(source.do)
    pieces: list[Piece] = []
    for tooth in comb.teeth:
        position = tooth.outputs.bit_length() - 1
        given = place.graph.blanket(position, within)
        scope = Scope(place.lift(tooth.outputs), place.lift(given), do, source.name)
        pieces.append(place.piece(comb, tooth, Observed(scope)))
    return TracedComb(comb, tuple(pieces))


def of_comb(place: Smaller, known: TracedComb, district: int) -> TracedComb:
    """The comb of a district of the sub-graph on a comb's members."""
    comb = combs.disintegrate(place.graph, known.comb, district)
    makings = _conditioned(place, known, district)
    return _traced(place, comb, makings)


def _conditioned(place: Smaller, known: TracedComb, district: int) -> Iterator[Making]:
    for tooth, piece in zip(known.comb.teeth, known.pieces, strict=True):
        if tooth.outputs & ~district == 0:
            yield TakenOver(piece)
        elif tooth.outputs & district:
            for run in combs.runs(district & tooth.outputs, tooth.outputs):
                before = tooth.outputs & ((run & -run) - 1)
                yield Conditioned(piece, place.lift(before), place.lift(tooth.outputs & ~before & ~run))


def ancestral(place: Smaller, known: TracedComb, kept: int) -> TracedComb:
    """The comb of an ancestral subset of a comb's members."""
    comb = combs.discard(place.graph, known.comb, kept)
    return _traced(place, comb, _summed(place, known, comb, kept))


def _summed(place: Smaller, known: TracedComb, comb: Comb, kept: int) -> Iterator[Making]:
    """How each tooth that is left was made: live teeth are used up in turn, until their outputs are those of it."""
    live = iter(_live(place.graph, known, kept))
    for tooth in comb.teeth:
        group: list[tuple[combs.Tooth, Piece]] = []
        outputs = 0
        while outputs & kept != tooth.outputs:
            group.append(next(live))
            outputs |= group[-1][0].outputs
        gone = outputs & ~kept
        if not gone:
            yield TakenOver(group[0][1])
        else:
            inside = tuple(bool(combs.mentioned(place.graph, part.formula) & gone) for part, _ in group)
            yield Summed(tuple(piece for _, piece in group), place.lift(gone), inside)


def _live(graph: CausalGraph, known: TracedComb, kept: int) -> list[tuple[combs.Tooth, Piece]]:
    """The teeth that put out something kept, or something that a later live tooth reads."""
    found: list[tuple[combs.Tooth, Piece]] = []
    needed = 0
    for tooth, piece in zip(reversed(known.comb.teeth), reversed(known.pieces), strict=True):
        if tooth.outputs & (kept | needed):
            found.append((tooth, piece))
            needed |= combs.mentioned(graph, tooth.formula)
    return found[::-1]


def _traced(place: Smaller, comb: Comb, makings: Iterator[Making]) -> TracedComb:
    return TracedComb(comb, tuple(place.piece(comb, *pair) for pair in zip(comb.teeth, makings, strict=True)))
