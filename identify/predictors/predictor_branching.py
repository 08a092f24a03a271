"""Branch and bound over classes of subsets, where they are too many to score one by one.

A place of the enumeration leaves some features out for good.  Whatever its classes are, their predictors read the
others alone, so against a mixture of domains none does better than the best of all predictors without those features:
that is the bound.  The mixture is first the hardest for all features; where it does not settle a place, the hardest one
for the features left, found by the same cutting planes.  Where the table of all features is too large for either, the
overlap of the outcome's distributions (`overlap_bound.py`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from ...dsl.diagnostics import SutureError
from ...semantics.semiring import PROBABILITY
from ..graph import bits
from .arena import Arena
from .losses import Loss
from .minimax_game import Saddle, solve
from .overlap_bound import overlap_bound
from .selection_diagram import InvariantClass, Place
from .selection_model import SelectionModel

SLACK = 1e-12
ROUNDS = 6
TRIAL = 12
SHARP_CELLS = 1 << 10
CLIMBS = 12
WORTH = 4
"""Sharper bounds go on while one in `WORTH` settles a place, after a number on trial."""


class HasWorst(Protocol):
    """A class that was scored."""

    @property
    def members(self) -> InvariantClass:
        """The class."""
        ...

    @property
    def worst(self) -> Any:
        """The risk in its worst domain."""
        ...


Result = TypeVar("Result", bound=HasWorst)


@dataclass
class Branching(Generic[Result]):
    """The search: classes `scored` so far, at most so many `places` opened; classes beyond the budget are `skipped`."""

    model: SelectionModel
    loss: Loss
    score: Callable[[SelectionModel, Loss, InvariantClass], Result]
    places: int
    scored: list[Result] = field(default_factory=list[Result])
    skipped: float = np.inf
    sharpened: int = 0
    settled: int = 0
    _seen: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    _arenas: dict[int, Arena | None] = field(default_factory=dict[int, "Arena | None"])
    _bounds: dict[int, float] = field(default_factory=dict[int, float])
    _sharp: dict[int, float] = field(default_factory=dict[int, float])

    def first(self, full: InvariantClass) -> Sequence[Result]:
        """The class of the whole stable set scored, where that is within the budget."""
        self._try(full, 0.0)
        return self.scored

    def _try(self, members: InvariantClass, bound: float) -> None:
        """Score a class, once; one whose table is too large may be as good as its bound."""
        if members.boundary in self._seen:
            return
        self._seen.add(members.boundary)
        try:
            self.scored.append(self.score(self.model, self.loss, members))
        except SutureError as error:
            if error.diagnostics[0].code != "S603":
                raise
            self.skipped = min(self.skipped, bound)

    @property
    def incumbent(self) -> float:
        """The least worst risk so far."""
        return min((float(each.worst) for each in self.scored), default=np.inf)

    def run(self, saddle: Saddle | None) -> float:
        """Open places, the most promising first; no class is better than the number returned.

        Raises `SutureError` S603 where no class at all could be scored.
        """
        if self._bound(0, saddle) < self.incumbent - SLACK:
            self.climb()
        best, count = self.incumbent, 0
        heap: list[tuple[float, int, Place]] = [(self._bound(0, saddle), 0, Place())]
        while heap and count < self.places and heap[0][0] < best - SLACK:
            bound, _, place = heapq.heappop(heap)
            sharper = max(bound, self._sharpened(place.out, saddle, best))
            if sharper >= best - SLACK:
                continue
            found = self.model.diagram.expand(place)
            if isinstance(found, InvariantClass):
                self._try(found, sharper)
                best = min(best, self.incumbent)
                continue
            for below in found:
                count += 1
                heapq.heappush(heap, (max(sharper, self._bound(below.out, saddle)), -count, below))
        if not self.scored:
            self.score(self.model, self.loss, self.model.diagram.class_of(0, 0))
        left = min(self.skipped, heap[0][0] if heap else best)
        return min(best, max(left, self._bound(0, saddle)))

    def climb(self) -> None:
        """From the best class known go to better ones by one feature more or fewer, for a good incumbent."""
        diagram = self.model.diagram
        if not self.scored:
            self._try(diagram.class_with(0), 0.0)
        for _ in range(CLIMBS if self.scored else 0):
            before = self.incumbent
            best = min(self.scored, key=lambda each: float(each.worst))
            here = diagram.graph.mask(best.members.boundary)
            for feature in bits(diagram.stable_mask):
                self._try(diagram.class_with(here ^ 1 << feature), 0.0)
            if self.incumbent >= before - SLACK:
                return

    def _arena(self, out: int) -> Arena | None:
        """The arena of all predictors that do not read the features left out; None where its table is too large."""
        if out not in self._arenas:
            diagram = self.model.diagram
            left = diagram.graph.members((diagram.stable_mask | diagram.mutable_mask) & ~out)
            smaller = diagram.restricted(left)
            try:
                self._arenas[out] = Arena.of(replace(self.model, diagram=smaller), smaller.blanket).as_floats
            except SutureError:
                self._arenas[out] = None
        return self._arenas[out]

    def _bound(self, out: int, saddle: Saddle | None) -> float:
        """The risk of the best predictor without some features against the hardest mixture for all of them."""
        if out not in self._bounds:
            arena = None if saddle is None else self._arena(out)
            self._bounds[out] = (
                self._overlap(out) if arena is None or saddle is None else against(arena, self.loss, saddle)
            )
        return self._bounds[out]

    def _overlap(self, out: int) -> float:
        """A bound that needs no table over all features."""
        diagram = self.model.diagram
        left = diagram.graph.members((diagram.stable_mask | diagram.mutable_mask) & ~out)
        return overlap_bound(self.model, self.loss, left)

    def _sharpened(self, out: int, saddle: Saddle | None, best: float) -> float:
        """The bound by the hardest mixture for the features that are left, as long as such bounds settle places."""
        if out not in self._sharp and self.settled * WORTH >= self.sharpened - TRIAL:
            arena = self._arena(out)
            start = () if saddle is None else [domain for _, domain in saddle.mixture]
            small = arena is not None and arena.shape[0] <= SHARP_CELLS
            self._sharp[out] = solve(arena, self.loss, start, ROUNDS).lower if arena is not None and small else 0.0
            self.sharpened += 1
            self.settled += self._sharp[out] >= best - SLACK
        return self._sharp.get(out, 0.0)


def against(arena: Arena, loss: Loss, saddle: Saddle) -> float:
    """The least risk in the arena against the mixture of a saddle."""
    adversaries = arena.model.adversaries
    tables = [weight * arena.table(adversaries[domain.adversary], domain.policy) for weight, domain in saddle.mixture]
    total = sum(weight for weight, _ in saddle.mixture)
    return float(loss.least(np.asarray(sum(tables)) / total, PROBABILITY))
