"""Adjustment from a selected sample: covariates that remove confounding and selection bias, some known outside it too.

The sample shows P(.. | S = s); the laws of some covariates may be known for everyone besides.  A pair of a set Z, and
a part T of it that is known for everyone, is admissible where P(y | do(x)) is in every model over the graph

    the sum over z of P(y | x, z, S = s) P(z minus t | t, S = s) P(t).

It is so exactly where no proper causal path affects a member of Z, Z and S separate X and Y in the proper back-door
graph, and T separates Y and S there.  Within the ancestors of X, Y and S both separations persist when Z grows, so the
minimal sets are the minimal ones among unions of two minimal separators, one for each separation.  Where nothing is
known outside they are listed with polynomial delay; otherwise lazily, with at most `BUDGET` unions looked at.

S may be one variable or several, and anything but a treatment, an outcome, or what the effect changes on its way.

Sources: Bareinboim, Tian, Pearl (2014), AAAI (selection and the back door); Correa and Bareinboim (2017), AAAI (the
criterion without, and with all, of Z known outside); Correa, Tian, Bareinboim (2018), AAAI (adjustment pairs,
theorem 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ..graph import CausalGraph, bits
from ..open_paths import open_path
from .adjustment import LIMIT, StaysOpen, braces, openings, reason_text, refusal, search
from .effect import Effect, effect_of, known
from .separators import augmented, eliminated, minimal_separators

# Unions of two separators that are looked at before the listing is called incomplete.
BUDGET = 20_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Covariates, and those of them whose distribution is taken from outside the sample, all from one source."""

    covariates: tuple[str, ...]
    outside: tuple[str, ...] = ()
    source: int | None = None

    def text(self) -> str:
        """`{A, B}`, or `{A, B} with P(A) known for everyone`."""
        suffix = f" with P({', '.join(self.outside)}) of everyone" if self.outside else ""
        return braces(self.covariates) + suffix


@dataclass(frozen=True, slots=True)
class SelectedTask:
    """An effect, the variables that the sample was selected by, and the sets of which the law is known outside."""

    effect: Effect
    selected: int
    outside: tuple[int, ...]

    @property
    def usable(self) -> int:
        """The variables that may be covariates."""
        return self.effect.usable & ~self.selected

    def admissible(self, covariates: int, outside: int) -> bool:
        """Whether the pair meets the criterion (theorem 1), whichever source knows the second set."""
        effect, graph = self.effect, self.effect.back_door
        fits = not covariates & ~self.usable and not outside & ~covariates
        return (
            fits
            and graph.separated(effect.treatments, effect.outcomes, covariates | self.selected)
            and graph.separated(effect.outcomes, self.selected, outside)
        )

    def part_outside(self, covariates: int) -> tuple[int, int | None] | None:
        """A small part of the covariates that parts outcomes and selection, with the source that knows it.

        None where no source knows such a part.  For covariates among the ancestors of what is named.
        """
        graph, outcomes = self.effect.back_door, self.effect.outcomes
        near = graph.ancestors(outcomes | self.selected)
        found: list[tuple[int, int | None]] = []
        for place, law in enumerate(self.outside or (0,)):
            part = covariates & law & near
            if graph.separated(outcomes, self.selected, part):
                for position in list(bits(part)):
                    smaller = part & ~(1 << position)
                    part = smaller if graph.separated(outcomes, self.selected, smaller) else part
                found.append((part, place if part else None))
        return min(found, key=lambda one: (one[0].bit_count(), one[1] or 0), default=None)

    def parts(self) -> Iterator[int]:
        """The minimal sets known outside that part outcomes and selection, those of each source in turn."""
        graph, outcomes = self.effect.back_door, self.effect.outcomes
        within = graph.ancestors(outcomes | self.selected)
        adjacency = augmented(graph, within)
        for law in self.outside or (0,):
            around = eliminated(adjacency, within & ~(law & self.usable | outcomes | self.selected))
            yield from minimal_separators(around, outcomes, self.selected)

    def unions(self) -> Iterator[int]:
        """Admissible sets of covariates, every minimal one among them, some more than once."""
        for part in self.parts():
            started = search(self.effect, self.selected | part)
            if started is not None:
                yield from (found & ~self.selected for found in started.sets())

    def is_minimal(self, covariates: int) -> bool:
        """Whether no admissible set is left when a covariate is left out."""
        effect, graph = self.effect, self.effect.back_door
        for position in bits(covariates):
            less = covariates & ~(1 << position)
            blocked = graph.separated(effect.treatments, effect.outcomes, less | self.selected)
            if blocked and self.part_outside(less) is not None:
                return False
        return True

    def minimum(self) -> int | None:
        """An admissible set as small as any, of `LIMIT` parts known outside at most."""
        best: int | None = None
        for part in islice(self.parts(), LIMIT):
            if best is not None and part.bit_count() >= best.bit_count():
                continue
            started = search(self.effect, self.selected | part)
            found = None if started is None else started.minimum()
            if found is not None:
                smaller = found & ~self.selected
                best = smaller if best is None or smaller.bit_count() < best.bit_count() else best
        return best

    def pair(self, covariates: int) -> Pair:
        """The covariates with what of them is taken from outside."""
        chosen = self.part_outside(covariates)
        assert chosen is not None, "the covariates are admissible"
        names = self.effect.graph.members
        return Pair(names(covariates), names(chosen[0]), chosen[1])


def selected_task(
    graph: CausalGraph,
    treatments: Iterable[str],
    outcomes: Iterable[str],
    selected: Iterable[str],
    outside: Iterable[Iterable[str]] = (),
) -> SelectedTask:
    """The task, names checked; raises `SutureError` for those that the graph does not have, or that are named twice."""
    effect = effect_of(graph, treatments, outcomes)
    laws = tuple(known(graph, (name for name in law if name in graph.index)) for law in outside)
    return SelectedTask(effect, known(graph, selected), laws)


# ---------------------------------------------------------------------------------------------------------------------
# Why there is none


def selection_refusal(task: SelectedTask) -> str | None:
    """Why no set is admissible: the path that selection leaves between outcome and sample, or that no set blocks."""
    chosen = task.effect.graph.members(task.selected)
    confounded = None if task.selected & ~task.effect.usable else refusal(task.effect, task.selected)
    reasons = [_still_selected(task, ", ".join(chosen)), confounded]
    return "; ".join(reason for reason in reasons if reason is not None) or None


def _still_selected(task: SelectedTask, chosen: str) -> str | None:
    """Why no source outside the sample knows what parts the outcomes from the selection."""
    if next(task.parts(), None) is not None:
        return None
    graph, outcomes = task.effect.back_door, task.effect.outcomes
    closable = 0
    for law in task.outside:
        closable |= law & task.usable
    never = open_path(graph, outcomes, task.selected, 0, closed=closable)
    if never is not None:
        inner = graph.mask(name for name in never.nodes[1:-1] if name not in never.colliders) & task.usable
        wish = f" (the distribution of {' or '.join(graph.members(inner))} among everyone would help)" if inner else ""
        return f"the outcome bears on the selection by {chosen} along {never.text}{wish}"
    largest = graph.ancestors(outcomes | task.selected) & closable
    last = open_path(graph, outcomes, task.selected, largest)
    if last is None:
        return f"no one source knows {', '.join(graph.members(largest))} together, outside the sample"
    first = open_path(graph, outcomes, task.selected, 0)
    assert first is not None, "a path is open given all covariates, and none is without them"
    opened = reason_text(StaysOpen(last, openings(graph, last, largest)))
    return f"the outcome bears on the selection by {chosen}: {first.text} has to be blocked, and then {opened}"


# ---------------------------------------------------------------------------------------------------------------------
# The answer


@dataclass(frozen=True, slots=True)
class SelectedAdjustment:
    """The minimal admissible sets (smallest first), each with what is taken from outside, and one of minimum size.

    `sets` and `minimum` are None where there is none, and `reason` says why.  `complete` is false where there may be
    more minimal sets; the minimum is then the smallest found.
    """

    sets: tuple[Pair, ...] | None
    minimum: Pair | None
    reason: str | None = None
    complete: bool = True


def selected_adjustment(task: SelectedTask, limit: int = LIMIT) -> SelectedAdjustment:
    """The admissible sets of a task, at most `limit` minimal ones listed.

    >>> from ...dsl.diagram import model_diagram
    >>> graph = CausalGraph.of(model_diagram({"Z": (), "S": ("Z",), "X": ("Z",), "Y": ("X", "Z")}))
    >>> answer = selected_adjustment(selected_task(graph, ["X"], ["Y"], ["S"], [["Z"]]))
    >>> [pair.text() for pair in answer.sets or ()]
    ['{Z} with P(Z) of everyone']
    >>> selected_adjustment(selected_task(graph, ["X"], ["Y"], ["S"])).reason
    'the outcome bears on the selection by S along Y <- Z -> S (the distribution of Z among everyone would help)'
    """
    smallest = task.minimum()
    if smallest is None:
        return SelectedAdjustment(None, None, selection_refusal(task))
    found, seen, complete = list[int](), set[int](), True
    for looked, covariates in enumerate(task.unions()):
        if looked == BUDGET or len(found) > limit:
            complete = False
            break
        if covariates not in seen and task.is_minimal(covariates):
            found.append(covariates)
        seen.add(covariates)
    complete = complete and len(found) <= limit
    listed = sorted(found[:limit], key=lambda mask: (mask.bit_count(), tuple(bits(mask))))
    return SelectedAdjustment(tuple(map(task.pair, listed)), task.pair(smallest), complete=complete)
