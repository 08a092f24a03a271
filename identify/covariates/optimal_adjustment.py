"""The optimal adjustment set: the valid one whose estimate varies least whatever the distribution, where one exists.

Write C for the causal variables (mediators and outcomes).  What explains them and is not changed by the effect helps:
the parents of C, then what latent variables join to C or, along rows of colliders, to what was taken already, with the
parents of those.  A collider is taken only where that is free: it is an ancestor of what is asked (or has to be
included), or separated from the treatment by such ancestors.  Without latent variables these are the parents of C
alone, and the set is optimal for any number of treatments and outcomes.  With them it is optimal exactly under two
conditions (or where no other set is valid):

1. no variable that was left out beside the rows of colliders is in another valid set together with its row;
2. whatever was taken beyond the parents of C and still depends on the treatment had to be taken, because a row of
   ancestors leads from it to C.

Otherwise which of two sets is better depends on the strength of the arrows, and the graph alone cannot tell.  Optimal
means least asymptotic variance in linear models, and for one treatment in a wide class of other estimators; for several
outcomes, of every weighted sum of the effects on them.  Such a sum is an outcome of its own, below the others, which
changes neither what is valid nor the two conditions.

With latent variables and several treatments no necessary condition is known to us.  There the set is said to be optimal
where it is the only valid one, or where a row of comparisons leads to it from every other valid set.

Sources: Henckel, Perkovic, Maathuis (2022), JRSS B 84 (arXiv 1907.02435); Rotnitzky and Smucler (2020), JMLR
21; Runge (2021), NeurIPS, theorem 3 (arXiv 2102.10324).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..graph import CausalGraph, bits
from .effect import Effect

# How many rows of colliders may be looked at before the question is left open.
BUDGET = 2_000
# With how many covariates, and by how many comparisons, the candidate is set against every valid set.
COMPARED = 10
COMPARISONS = 20_000


@dataclass(frozen=True, slots=True)
class Optimal:
    """The optimal set as a mask, or None with the reason why the graph does not determine one."""

    members: int | None
    reason: str | None = None


class _BudgetSpentError(Exception):
    """Too many rows of colliders."""


def optimal(effect: Effect, include: int = 0, only: int | None = None) -> Optimal:
    """The optimal one of the valid sets that hold `include` and otherwise use only `only`.

    At least one set has to be valid.
    """
    if effect.outcomes & ~effect.causal:
        names = effect.graph.members(effect.outcomes & ~effect.causal)
        return Optimal(None, f"no treatment affects {', '.join(names)}, so there is no effect to estimate")
    usable = effect.usable if only is None else effect.usable & (only | include)
    task = _task(effect, include, usable)
    if not task.colliders and not task.left_out:
        return Optimal(task.members)
    if effect.treatments.bit_count() > 1:
        return _for_several_treatments(task)
    try:
        decided = task.is_optimal()
    except _BudgetSpentError:
        return Optimal(None, f"whether one exists was not decided within {BUDGET} rows of colliders")
    if decided or task.is_only_valid_set():
        return Optimal(task.members)
    return Optimal(None, "which valid set is best depends on the strength of the arrows, not on the graph alone")


def _for_several_treatments(task: _Task) -> Optimal:
    """The candidate where it is the only valid set, or comparisons show it no worse than each other one."""
    if task.is_only_valid_set():
        return Optimal(task.members)
    better = task.is_best_by_comparison()
    if better is None:
        return Optimal(None, "with several treatments and latent variables there are too many valid sets to compare")
    if not better:
        return Optimal(None, "with several treatments and latent variables no set is known to be best")
    return Optimal(task.members)


@dataclass(frozen=True, slots=True)
class _Task:
    """The candidate set with its parts, in the graph where whatever may not be used is latent."""

    effect: Effect
    include: int
    usable: int
    free: int
    parents: int
    colliders: int
    members: int
    left_out: int

    def is_optimal(self) -> bool:
        """The two conditions; raises `_BudgetSpentError` where too many rows would have to be looked at."""
        return self._rest_is_needed() and not self._other_row_is_valid()

    def _rest_is_needed(self) -> bool:
        """Condition 2."""
        effect, rows = self.effect, self._needed_rows()
        for position in bits(self.members & ~self.parents & ~self.include):
            joined = self.effect.graph.siblings[position]
            if joined & (effect.causal | rows) or effect.graph.children[position] & rows:
                continue
            if not effect.graph.separated(effect.treatments, 1 << position, self.members & ~(1 << position)):
                return False
        return True

    def _needed_rows(self) -> int:
        """The colliders among the free ancestors that a row of such joins to a causal variable."""
        graph, found, pending = self.effect.graph, 0, self.effect.causal
        while pending:
            low = pending & -pending
            pending ^= low
            new = graph.siblings[low.bit_length() - 1] & self.colliders & self.free & ~found
            found |= new
            pending |= new
        return found

    def _other_row_is_valid(self) -> bool:
        """Whether condition 1 fails.

        A row can only be in a valid set if every part of it can, so a row that is invalid is not followed further.
        """
        graph = self.effect.graph
        pending = [(position, 1 << position) for position in reversed(list(bits(self.left_out)))]
        looked = 0
        while pending:
            last, row = pending.pop()
            looked += 1
            if looked > BUDGET:
                raise _BudgetSpentError
            if not self._exists_with(self.include | row):
                continue
            if graph.siblings[last] & self.effect.causal:
                return True
            more = graph.siblings[last] & self.colliders & ~row
            pending.extend((position, row | 1 << position) for position in bits(more))
        return False

    def is_best_by_comparison(self) -> bool | None:
        """Whether steps from each valid set lead to the candidate, none of them for the worse; None beyond the budget.

        A step is for the better where `_no_worse` says so.  Steps are looked for backwards from the candidate.
        """
        free = list(bits(self.usable & ~self.include))
        if len(free) > COMPARED:
            return None
        chosen = (self.include | sum(1 << free[place] for place in bits(number)) for number in range(1 << len(free)))
        left = [one for one in chosen if one != self.members and self._is_valid(one)]
        pending, looked = [self.members], 0
        while pending and left:
            better = pending.pop()
            looked += len(left)
            if looked > COMPARISONS:
                return None
            worse = [one for one in left if self._no_worse(better, one)]
            left = [one for one in left if one not in worse]
            pending += worse
        return not left

    def _no_worse(self, first: int, second: int) -> bool:
        """Whether one valid set is shown to be no worse than another, whatever the distribution.

        Y is separated from what only the second has, by X and the first, and X from what only the first has, by the
        second.  Henckel, Perkovic, Maathuis prove it (theorem 3.4) from these two facts alone.
        """
        effect, graph = self.effect, self.effect.graph
        return graph.separated(effect.outcomes, second & ~first, first | effect.treatments) and graph.separated(
            effect.treatments, first & ~second, second
        )

    def _is_valid(self, covariates: int) -> bool:
        effect = self.effect
        return effect.back_door.separated(effect.treatments, effect.outcomes, covariates)

    def _exists_with(self, include: int, usable: int | None = None) -> bool:
        """Whether a valid set holds `include`."""
        effect, may = self.effect, self.usable if usable is None else usable
        return self._is_valid((effect.back_door.ancestors(effect.asked | include) & may) | include)

    def is_only_valid_set(self) -> bool:
        """Whether no other set is valid at all."""
        missing = any(self._exists_with(self.include | 1 << place) for place in bits(self.usable & ~self.members))
        return not missing and not any(
            self._exists_with(self.include, self.usable & ~(1 << place)) for place in bits(self.members & ~self.include)
        )


def _task(effect: Effect, include: int, usable: int) -> _Task:
    kept = usable | effect.asked | effect.forbidden
    graph = projected(effect.graph, kept)
    effect = replace(effect, graph=graph, back_door=projected(effect.back_door, kept))
    free = graph.ancestors(effect.asked | include) & usable
    parents = graph.parents_of(effect.causal) & usable
    colliders, refused = _collider_rows(effect, free, usable)
    members = parents | colliders | (graph.parents_of(colliders) & usable) | include
    return _Task(effect, include, usable, free, parents, colliders, members, refused & ~members)


def _collider_rows(effect: Effect, free: int, usable: int) -> tuple[int, int]:
    """The colliders that rows from the causal variables take in, and the usable ones beside them that are refused."""
    graph, found, refused, pending = effect.graph, 0, 0, effect.causal
    while pending:
        low = pending & -pending
        pending ^= low
        for position in bits(graph.siblings[low.bit_length() - 1] & usable & ~(found | refused)):
            bit = 1 << position
            if free & bit or graph.separated(effect.treatments, bit, free):
                found |= bit
                pending |= bit
            else:
                refused |= bit
    return found, refused


def projected(graph: CausalGraph, kept: int) -> CausalGraph:
    """The graph when all but the `kept` variables are latent; those stay in it without an edge.

    >>> graph = projected(CausalGraph(("U", "X", "Y"), (0, 1, 1), (0, 0, 0)), 0b110)
    >>> graph.parents, graph.siblings
    ((0, 0, 0), (0, 4, 2))
    """
    parents, siblings = list(graph.parents), list(graph.siblings)
    for position in bits(graph.everything & ~kept):
        bit = 1 << position
        below = sum(1 << place for place, mask in enumerate(parents) if mask & bit)
        for child in bits(below):
            parents[child] = parents[child] & ~bit | parents[position]
            for other in bits((siblings[position] | below) & ~bit & ~(1 << child)):
                siblings[child] |= 1 << other
                siblings[other] |= 1 << child
        parents[position] = siblings[position] = 0
        siblings = [mask & ~bit for mask in siblings]
    return CausalGraph(graph.names, tuple(parents), tuple(siblings))
