"""Covariate adjustment: whether a set is valid and why not, all minimal sets, one of minimum size, the optimal one.

A set Z is valid for the effect of X on Y where P(y | do(x)) is the sum over z of P(y | x, z) P(z) in every model over
the graph, latent variables included.  It is so exactly where no proper causal path affects a member of Z, and Z
separates X and Y in the proper back-door graph.  So valid sets are separators, and the algorithms for separators serve:
any question of existence in linear time, all minimal sets with polynomial delay, a minimum by disjoint paths.  A
mediator is never in a valid set.

Sets may be asked to `include` variables and to use `only` some; minimal then means that nothing else can be left out.

Sources: Shpitser, VanderWeele, Robins (2010), "On the validity of covariate adjustment for estimating causal effects",
UAI (latent variables included); van der Zander, Liskiewicz, Textor (2019), "Separators and adjustment sets in causal
graphs", Artificial Intelligence 270, the constructive back-door criterion (arXiv 1803.00116); Richardson and Spirtes
(2002) for the augmented graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias, assert_never

from ..graph import CausalGraph, bits
from ..open_paths import Path, directed_path, joined, open_path
from .effect import Effect, effect_of, known
from .optimal_adjustment import optimal
from .separators import Adjacency, augmented, eliminated, minimal_separators, minimum_separator, without

LIMIT = 1_000

# ---------------------------------------------------------------------------------------------------------------------
# Why a set is not valid


@dataclass(frozen=True, slots=True)
class Asked:
    """The variable is a treatment or an outcome itself."""

    variable: str


@dataclass(frozen=True, slots=True)
class Mediator:
    """The variable lies on a causal path: adjusting for it takes away part of the effect."""

    variable: str
    path: Path


@dataclass(frozen=True, slots=True)
class Affected:
    """A causal path affects the variable: adjusting for it takes away part of the effect, or opens paths."""

    variable: str
    path: Path


@dataclass(frozen=True, slots=True)
class Opened:
    """A collider with the member of the set, itself or a descendant, by which conditioning opens it."""

    collider: str
    member: str


@dataclass(frozen=True, slots=True)
class StaysOpen:
    """A path that is no proper causal path and that the set leaves open, with the colliders that the set opens."""

    path: Path
    opened: tuple[Opened, ...] = ()


Unusable: TypeAlias = Asked | Mediator | Affected
Reason: TypeAlias = Unusable | StaysOpen


def reason_text(reason: Reason) -> str:
    """A reason as a sentence without a full stop.

    >>> reason_text(StaysOpen(Path(("X", "C", "Y"), ("<->", "<->")), (Opened("C", "C"),)))
    'X <-> C <-> Y is open: conditioning on C opens the collider C'
    """
    match reason:
        case Asked(variable):
            return f"{variable} is a treatment or an outcome itself"
        case Mediator(variable, path):
            return f"{variable} lies on the causal path {path.text}"
        case Affected(variable, path):
            return f"{variable} is affected along {path.text}"
        case StaysOpen(path, ()):
            return f"{path.text} is open"
        case StaysOpen(path, opened):
            return f"{path.text} is open: conditioning on {' and on '.join(map(_opening, opened))}"
        case _:
            assert_never(reason)


def _opening(opened: Opened) -> str:
    if opened.collider == opened.member:
        return f"{opened.member} opens the collider {opened.collider}"
    return f"{opened.member}, a descendant of {opened.collider}, opens the collider {opened.collider}"


def invalidity(
    graph: CausalGraph, treatments: Iterable[str], outcomes: Iterable[str], covariates: Iterable[str]
) -> tuple[Reason, ...]:
    """Why a set of covariates is not valid, a reason for each member at fault or an open path; nothing where it is.

    Raises `SutureError` for names that the graph does not have.

    >>> from ...dsl.diagram import model_diagram
    >>> graph = CausalGraph.of(model_diagram({"X": (), "M": ("X",), "Y": ("M",)}))
    >>> [reason_text(reason) for reason in invalidity(graph, ["X"], ["Y"], ["M"])]
    ['M lies on the causal path X -> M -> Y']
    """
    effect, chosen = effect_of(graph, treatments, outcomes), known(graph, covariates)
    faults: tuple[Reason, ...] = tuple(why_unusable(effect, position) for position in bits(chosen & ~effect.usable))
    if faults:
        return faults
    bias = bias_path(effect, chosen)
    return () if bias is None else (bias,)


def is_valid(effect: Effect, covariates: int) -> bool:
    """Whether a set of covariates is valid, in linear time."""
    outside = covariates & ~effect.usable
    return not outside and effect.back_door.separated(effect.treatments, effect.outcomes, covariates)


def why_unusable(effect: Effect, position: int) -> Unusable:
    """Why a variable cannot be used."""
    graph, bit = effect.graph, 1 << position
    if effect.asked & bit:
        return Asked(graph.names[position])
    if effect.causal & bit:
        before = directed_path(graph, effect.treatments, bit)
        after = directed_path(graph, bit, effect.outcomes, effect.treatments)
        assert before is not None
        assert after is not None
        return Mediator(graph.names[position], joined(before, after))
    after = directed_path(graph, effect.causal, bit)
    assert after is not None
    before = directed_path(graph, effect.treatments, graph.mask([after.nodes[0]]))
    assert before is not None
    return Affected(graph.names[position], joined(before, after))


def bias_path(effect: Effect, covariates: int) -> StaysOpen | None:
    """A shortest path of the back-door graph that the covariates leave open; None where they leave none."""
    path = open_path(effect.back_door, effect.treatments, effect.outcomes, covariates)
    return None if path is None else StaysOpen(path, openings(effect.back_door, path, covariates))


def openings(graph: CausalGraph, path: Path, given: int) -> tuple[Opened, ...]:
    """The colliders of an open path, each with a given variable that opens it: the collider itself or the nearest."""
    found = []
    for collider in path.colliders:
        bit = graph.mask([collider])
        below = None if bit & given else directed_path(graph, bit, given)
        found.append(Opened(collider, collider if below is None else below.nodes[-1]))
    return tuple(found)


# ---------------------------------------------------------------------------------------------------------------------
# Finding valid sets


@dataclass(frozen=True, slots=True)
class _Search:
    """Where separators are sought: the augmented graph on the variables that may be used, between X and Y."""

    effect: Effect
    include: int
    usable: int
    adjacency: Adjacency

    def sets(self) -> Iterator[int]:
        """All minimal valid sets, those near the outcomes first."""
        found = minimal_separators(self.adjacency, self.effect.outcomes, self.effect.treatments)
        return (self.include | separator for separator in found)

    def minimum(self) -> int | None:
        """A valid set as small as any."""
        found = minimum_separator(self.adjacency, self.effect.outcomes, self.effect.treatments)
        return None if found is None else self.include | found


def search(effect: Effect, include: int = 0, only: int | None = None) -> _Search | None:
    """The search for valid sets that hold `include` and use only `only`; None where `include` itself is forbidden."""
    usable = effect.usable if only is None else effect.usable & only
    if include & ~effect.usable:
        return None
    graph = effect.back_door
    within = graph.ancestors(effect.asked | include)
    adjacency = without(augmented(graph, within), include)
    hidden = within & ~(usable | include | effect.asked)
    return _Search(effect, include, usable | include, eliminated(adjacency, hidden))


def minimal_sets(
    graph: CausalGraph,
    treatments: Iterable[str],
    outcomes: Iterable[str],
    include: Iterable[str] = (),
    only: Iterable[str] | None = None,
) -> Iterator[tuple[str, ...]]:
    """All minimal valid adjustment sets, one after the other with polynomial delay; none where no set is valid.

    Raises `SutureError` for names that the graph does not have.

    >>> from ...dsl.diagram import model_diagram
    >>> diagram = model_diagram({"A": (), "B": ("A",), "X": ("A",), "Y": ("X", "B")})
    >>> list(minimal_sets(CausalGraph.of(diagram), ["X"], ["Y"]))
    [('B',), ('A',)]
    """
    effect = effect_of(graph, treatments, outcomes)
    started = search(effect, known(graph, include), None if only is None else known(graph, only))
    return iter(()) if started is None else (graph.members(found) for found in started.sets())


# ---------------------------------------------------------------------------------------------------------------------
# Why no set is valid


def refusal(effect: Effect, include: int = 0, only: int | None = None) -> str | None:
    """Why no set that holds `include` and uses only `only` is valid, with the paths; None where one is."""
    started = search(effect, include, only)
    if started is None:
        faults = [reason_text(why_unusable(effect, position)) for position in bits(include & ~effect.usable)]
        return "no valid set: " + "; ".join(faults)
    graph = effect.back_door
    largest = graph.ancestors(effect.asked | include) & started.usable
    last = bias_path(effect, largest)
    if last is None:
        return None
    closable = started.usable
    never = open_path(graph, effect.treatments, effect.outcomes, include, closed=closable)
    if never is not None:
        forced = _forced(effect, never, include)
        return f"no set blocks {never.text}{forced}{_hidden_on(effect, never, closable)}"
    first = bias_path(effect, include)
    assert first is not None, "a path is open given all covariates, and none is without them"
    return f"no set blocks every path: {first.path.text} has to be blocked, and then {reason_text(last)}"


def _forced(effect: Effect, path: Path, include: int) -> str:
    """Where a path is open only because of what a set has to include, that it is so."""
    opened = openings(effect.back_door, path, include)
    return f" (conditioning on {' and on '.join(map(_opening, opened))})" if opened else ""


def _hidden_on(effect: Effect, path: Path, usable: int) -> str:
    """The variables of a path at which it could be blocked if they were allowed, with the reason why they are not."""
    graph = effect.graph
    inner = graph.mask(name for name in path.nodes[1:-1] if name not in path.colliders) & ~usable & ~effect.asked
    barred, left_out = inner & effect.forbidden, inner & ~effect.forbidden
    notes = []
    if barred:
        notes.append(f"the effect itself changes {', '.join(graph.members(barred))}")
    if left_out:
        notes.append(f"{', '.join(graph.members(left_out))} may not be used")
    return f" ({'; '.join(notes)})" if notes else ""


# ---------------------------------------------------------------------------------------------------------------------
# The answer


@dataclass(frozen=True, slots=True)
class AdjustmentSets:
    """The minimal valid sets (smallest first), one of minimum size, and the optimal one.

    `sets` and `minimum` are None where no set is valid, and `reason` says why; `optimal` is None where the graph alone
    does not determine one, and `optimal_reason` says why.  `complete` is false where there are more minimal sets.
    """

    treatments: tuple[str, ...]
    outcomes: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...] | None
    minimum: tuple[str, ...] | None
    optimal: tuple[str, ...] | None
    reason: str | None = None
    optimal_reason: str | None = None
    complete: bool = True

    def to_dict(self) -> dict[str, list[list[str]] | list[str] | None]:
        """The value of an `adjust` statement as JSON-ready data."""
        return {
            "sets": None if self.sets is None else [list(members) for members in self.sets],
            "minimum": None if self.minimum is None else list(self.minimum),
            "optimal": None if self.optimal is None else list(self.optimal),
        }

    def lines(self) -> tuple[str, ...]:
        """The answer in words, one fact a line."""
        if self.sets is None or self.minimum is None:
            return ("no valid adjustment set", str(self.reason))
        count = len(self.sets)
        more = "" if self.complete else f" (the first {count} found, there are more)"
        title = f"{count} minimal valid set{'' if count == 1 else 's'}{more}: {', '.join(map(braces, self.sets))}"
        best = (
            f"optimal  {braces(self.optimal)}" if self.optimal is not None else f"no optimal set: {self.optimal_reason}"
        )
        return (title, f"minimum  {braces(self.minimum)}", best)


def braces(members: tuple[str, ...]) -> str:
    """A set of names, `{A, B}`."""
    return "{" + ", ".join(members) + "}"


def adjustment_sets(
    graph: CausalGraph,
    treatments: Iterable[str],
    outcomes: Iterable[str],
    include: Iterable[str] = (),
    only: Iterable[str] | None = None,
    limit: int = LIMIT,
) -> AdjustmentSets:
    """The valid adjustment sets for the effect of `treatments` on `outcomes`, at most `limit` minimal ones listed.

    Raises `SutureError` for names that the graph does not have, or that are named twice.

    >>> from ...dsl.diagram import model_diagram
    >>> diagram = model_diagram({"A": (), "B": ("A",), "X": ("A",), "Y": ("X", "B")})
    >>> adjustment_sets(CausalGraph.of(diagram), ["X"], ["Y"]).to_dict()
    {'sets': [['A'], ['B']], 'minimum': ['B'], 'optimal': ['B']}
    """
    effect = effect_of(graph, treatments, outcomes)
    must, may = known(graph, include), None if only is None else known(graph, only)
    asked = graph.members(effect.treatments), graph.members(effect.outcomes)
    started, reason = search(effect, must, may), refusal(effect, must, may)
    if started is None or reason is not None:
        return AdjustmentSets(*asked, None, None, None, reason, reason)
    minimum = started.minimum()
    found = list(islice(started.sets(), limit + 1))
    assert minimum is not None
    best = optimal(effect, must, may)
    listed = sorted(found[:limit], key=lambda mask: (mask.bit_count(), tuple(bits(mask))))
    return AdjustmentSets(
        *asked,
        tuple(graph.members(mask) for mask in listed),
        graph.members(minimum),
        None if best.members is None else graph.members(best.members),
        optimal_reason=best.reason,
        complete=len(found) <= limit,
    )


def largest_set(effect: Effect) -> int:
    """All ancestors of the effect's variables that an adjustment may use: valid wherever any set is."""
    return effect.back_door.ancestors(effect.asked) & effect.usable


def minimum_set(effect: Effect, only: int | None = None) -> int | None:
    """A valid set as small as any that uses only `only`; None where none is valid."""
    started = search(effect, 0, only)
    return None if started is None else started.minimum()
