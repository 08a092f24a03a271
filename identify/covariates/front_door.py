"""Front-door sets: mediators through which the whole effect of X on Y runs, whatever X and Y have in common.

A set Z is a front-door set where it meets every directed path from X to Y, no back-door path from X to Z is open, and X
blocks every back-door path from Z to Y; then P(y | do(x)) is the sum over z of P(z | x) times the sum over x' of
P(y | x', z) P(x').  The largest front-door set that holds some variables and uses only some others is found in linear
time; it is unique, since what one set cannot use no smaller set can.  From that follow all sets, with polynomial
delay, and a minimal one.

Sources: Pearl (1995), theorem 2; Jeong, Tian, Bareinboim (2022), NeurIPS (sets, and the first polynomial algorithm);
Wienöbst, van der Zander, Liskiewicz (2024), AAAI (linear time, delay; arXiv 2211.16468).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from ...dsl.formula import Formula, Kernel, probability, product, substitute, sum_over
from ..derivation import Derivation, Identified, Outcome, Rule, Separated, Step, Undecided
from ..graph import CausalGraph, bits
from ..open_paths import Path, Place, directed_path, open_path, open_reach
from ..requirements import requirements
from ..rules import RuleError, query_values, separation_holds
from .adjustment import Asked
from .adjustment_steps import asks_effect, compare, effect_of_query
from .effect import Effect, effect_of, known

FRONT_DOOR = Rule(
    "front door",
    "mediators that every causal path passes, unconfounded with the treatment, and with the outcome given it",
    "Pearl 1995, theorem 2",
)

# ---------------------------------------------------------------------------------------------------------------------
# Why a set is not a front-door set


@dataclass(frozen=True, slots=True)
class PassesBy:
    """A directed path from treatment to outcome that meets no member of the set."""

    path: Path


@dataclass(frozen=True, slots=True)
class OpenFromTreatment:
    """An open back-door path from a treatment to a member of the set."""

    path: Path


@dataclass(frozen=True, slots=True)
class OpenToOutcome:
    """A back-door path from a member of the set to an outcome that the treatments do not block."""

    path: Path


Reason: TypeAlias = Asked | PassesBy | OpenFromTreatment | OpenToOutcome


def reason_text(reason: Reason) -> str:
    """A reason as a sentence without a full stop.

    >>> reason_text(PassesBy(Path(("X", "Y"), ("->",))))
    'the effect passes by along X -> Y'
    """
    match reason:
        case Asked(variable):
            return f"{variable} is a treatment or an outcome itself"
        case PassesBy(path):
            return f"the effect passes by along {path.text}"
        case OpenFromTreatment(path):
            return f"{path.text} is an open back-door path from the treatment to {path.nodes[-1]}"
        case OpenToOutcome(path):
            return f"{path.text} is a back-door path from {path.nodes[0]} to the outcome that the treatment leaves open"
        case _:
            assert_never(reason)


def front_door_faults(
    graph: CausalGraph, treatments: Iterable[str], outcomes: Iterable[str], mediators: Iterable[str]
) -> tuple[Reason, ...]:
    """Why `mediators` is no front-door set; nothing where it is.

    Raises `SutureError` for names that the graph does not have.

    >>> chain = CausalGraph(("X", "M", "Y"), (0, 0b001, 0b010), (0b100, 0, 0b001))
    >>> front_door_faults(chain, ["X"], ["Y"], ["M"])
    ()
    >>> [reason_text(reason) for reason in front_door_faults(chain, ["X"], ["Y"], [])]
    ['the effect passes by along X -> M -> Y']
    """
    effect, chosen = effect_of(graph, treatments, outcomes), known(graph, mediators)
    asked = tuple(Asked(name) for name in graph.members(chosen & effect.asked))
    if asked:
        return asked
    passing = directed_path(graph, effect.treatments, effect.outcomes, chosen)
    before = open_path(graph, effect.treatments, chosen, 0, cut_out=effect.treatments)
    after = open_path(graph, chosen, effect.outcomes, effect.treatments, cut_out=chosen)
    found: tuple[Reason | None, ...] = (
        None if passing is None else PassesBy(passing),
        None if before is None else OpenFromTreatment(before),
        None if after is None else OpenToOutcome(after),
    )
    return tuple(reason for reason in found if reason is not None)


# ---------------------------------------------------------------------------------------------------------------------
# The largest set


def largest_set(effect: Effect, include: int = 0, only: int | None = None) -> int | None:
    """The largest front-door set that holds `include` and uses only `only`, in linear time; None where none does."""
    kept = candidates(effect, only)
    if include & ~kept or _passes_by(effect, kept):
        return None
    return kept


def candidates(effect: Effect, only: int | None = None) -> int:
    """The largest set that meets the two conditions on back-door paths, whether or not it meets every causal path."""
    graph = effect.graph
    usable = graph.everything & ~effect.asked & (graph.everything if only is None else only)
    confounded = open_reach(graph, effect.treatments, 0, cut_out=effect.treatments)
    walk = _Walk(effect, usable & ~confounded, graph.ancestors(effect.treatments))
    walk.run()
    return walk.kept


def _passes_by(effect: Effect, kept: int) -> bool:
    reached = effect.graph.descendants(effect.treatments, within=effect.graph.everything & ~kept)
    return bool(reached & effect.outcomes)


@dataclass(slots=True)
class _Walk:
    """The walk from the outcomes that drops every candidate to which an open back-door path leads.

    Arrows out of candidates are cut.  A candidate that is dropped gets its arrows back, and the walk goes on along
    them; so every edge is looked at a fixed number of times.  No candidate is an ancestor of a treatment, since that
    would be an open back-door path: what `opened` says of colliders never changes.
    """

    effect: Effect
    kept: int
    opened: int
    seen: set[Place] = field(default_factory=set[Place])
    pending: list[Place] = field(default_factory=list[Place])

    def run(self) -> None:
        """Walk until nothing new is reached."""
        self.pending.extend((position, True) for position in bits(self.effect.outcomes))
        while self.pending:
            place = self.pending.pop()
            if place not in self.seen:
                self.seen.add(place)
                if self.kept >> place[0] & 1:
                    self._drop(place[0])
                self.pending.extend(self._moves(place))

    def _drop(self, position: int) -> None:
        self.kept &= ~(1 << position)
        for child in bits(self.effect.graph.children[position]):
            if any(place in self.seen and self._goes_up(place) for place in ((child, True), (child, False))):
                self.pending.append((position, True))

    def _goes_up(self, place: Place) -> bool:
        position, free = place
        return bool((~self.effect.treatments if free else self.opened) >> position & 1)

    def _moves(self, place: Place) -> Iterator[Place]:
        graph, position = self.effect.graph, place[0]
        if self._goes_up(place):
            yield from ((parent, True) for parent in bits(graph.parents[position] & ~self.kept))
            yield from ((sibling, False) for sibling in bits(graph.siblings[position]))
        if not self.effect.treatments >> position & 1:
            yield from ((child, False) for child in bits(graph.children[position]))


# ---------------------------------------------------------------------------------------------------------------------
# Minimal sets, all sets


def minimal_set(effect: Effect, include: int = 0, only: int | None = None) -> int | None:
    """A front-door set of which no proper part that holds `include` is one; None where there is no set at all."""
    found = largest_set(effect, include, only)
    if found is None:
        return None
    for position in reversed(list(bits(found & ~include))):
        if found >> position & 1:
            smaller = largest_set(effect, include, found & ~(1 << position))
            found = found if smaller is None else smaller
    return found


def front_door_sets(
    graph: CausalGraph,
    treatments: Iterable[str],
    outcomes: Iterable[str],
    include: Iterable[str] = (),
    only: Iterable[str] | None = None,
) -> Iterator[tuple[str, ...]]:
    """All front-door sets, one after the other with polynomial delay; smaller ones tend to come first.

    Raises `SutureError` for names that the graph does not have.

    >>> chain = CausalGraph(("X", "A", "B", "Y"), (0, 0b0001, 0b0010, 0b0100), (0b1000, 0, 0, 0b0001))
    >>> list(front_door_sets(chain, ["X"], ["Y"]))
    [('A',), ('B',), ('A', 'B')]
    """
    effect = effect_of(graph, treatments, outcomes)
    must, may = known(graph, include), graph.everything if only is None else known(graph, only) | known(graph, include)
    return (graph.members(found) for found in _all_sets(effect, must, may))


def _all_sets(effect: Effect, include: int, only: int) -> Iterator[int]:
    """Split on one variable at a time; a part without a front-door set is left at once."""
    pending = [(include, only)]
    while pending:
        must, may = pending.pop()
        largest = largest_set(effect, must, may)
        if largest is None:
            continue
        rest = largest & ~must
        if not rest:
            yield largest
            continue
        last = 1 << (rest.bit_length() - 1)
        pending.append((must | last, largest))
        pending.append((must, largest & ~last))


# ---------------------------------------------------------------------------------------------------------------------
# The answer


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """A minimal front-door set and the largest one; both None where there is none, and `reason` says why."""

    treatments: tuple[str, ...]
    outcomes: tuple[str, ...]
    minimal: tuple[str, ...] | None
    largest: tuple[str, ...] | None
    reason: str | None = None

    def to_dict(self) -> dict[str, list[str] | None]:
        """The answer as JSON-ready data."""
        return {
            "minimal": None if self.minimal is None else list(self.minimal),
            "largest": None if self.largest is None else list(self.largest),
        }


def front_door(
    graph: CausalGraph,
    treatments: Iterable[str],
    outcomes: Iterable[str],
    include: Iterable[str] = (),
    only: Iterable[str] | None = None,
) -> FrontDoor:
    """The minimal and the largest front-door set for an effect, or why there is none.

    Raises `SutureError` for names that the graph does not have.
    """
    effect = effect_of(graph, treatments, outcomes)
    must = known(graph, include)
    may = None if only is None else known(graph, only) | must
    asked = graph.members(effect.treatments), graph.members(effect.outcomes)
    largest, smallest = largest_set(effect, must, may), minimal_set(effect, must, may)
    if largest is None or smallest is None:
        return FrontDoor(*asked, None, None, refusal(effect, must, may))
    return FrontDoor(*asked, graph.members(smallest), graph.members(largest))


def refusal(effect: Effect, include: int = 0, only: int | None = None) -> str:
    """Why no front-door set holds `include` and uses only `only`."""
    kept = candidates(effect, only)
    for position in bits(include & ~kept):
        return f"no front-door set holds {effect.graph.names[position]}: {_against(effect, position, kept, only)}"
    path = directed_path(effect.graph, effect.treatments, effect.outcomes, kept)
    assert path is not None, "the candidates meet every causal path, yet no front-door set was found"
    inner = [effect.graph.index[name] for name in path.nodes[1:-1]]
    if not inner:
        return f"no variable can stand between {path.text}"
    reasons = dict.fromkeys(_against(effect, position, kept, only) for position in inner)
    return f"no usable variable on {path.text}: {'; '.join(reasons)}"


def _against(effect: Effect, position: int, kept: int, only: int | None) -> str:
    """Why a variable is in no front-door set, given the largest set that meets the conditions on back-door paths."""
    graph, bit = effect.graph, 1 << position
    if effect.asked & bit:
        return reason_text(Asked(graph.names[position]))
    if only is not None and not only & bit:
        return f"{graph.names[position]} may not be used"
    before = open_path(graph, effect.treatments, bit, 0, cut_out=effect.treatments)
    if before is not None:
        return reason_text(OpenFromTreatment(before))
    after = open_path(graph, bit, effect.outcomes, effect.treatments, cut_out=kept | bit)
    assert after is not None, f"nothing speaks against {graph.names[position]}"
    return reason_text(OpenToOutcome(after))


# ---------------------------------------------------------------------------------------------------------------------
# The formula


def front_door_outcome(query: Kernel, graph: CausalGraph) -> Outcome:
    """P(Y | do(X)) by a minimal front-door set."""
    if not asks_effect(query):
        return Undecided("the front-door criterion answers P(Y | do(X)) without conditions", method="front door")
    effect = effect_of_query(graph, query)
    mediators = minimal_set(effect)
    if mediators is None:
        return Undecided(f"no front-door set: {refusal(effect)}", method="front door")
    step = front_door_step(graph, query, mediators)
    return Identified(step.after, Derivation((step,)), "front door", requirements(step.after))


def front_door_formula(graph: CausalGraph, query: Kernel, mediators: int) -> Formula:
    """The sum over z of P(z | x) times the sum over x' of P(y | x', z) P(x'); P(y) where there is no mediator."""
    outcomes, do = [term.variable for term in query.outcomes], [term.variable for term in query.do]
    names = graph.members(mediators)
    if not names:
        return substitute(probability(outcomes), query_values(query))
    inner = sum_over(do, product((probability(outcomes, (*do, *names)), probability(do))))
    return substitute(sum_over(names, product((probability(names, do), inner))), query_values(query))


def front_door_conditions(graph: CausalGraph, query: Kernel, mediators: int) -> tuple[Separated, ...]:
    """The separations that the rules of the do-calculus need: X acts on Y through Z alone (rule 3), X and Z are not
    confounded (rule 2), Z does not act on X (rule 3), X blocks what confounds Z and Y (rule 2).
    """
    outcomes, do = (tuple(term.variable for term in part) for part in (query.outcomes, query.do))
    names = graph.members(mediators)
    through = Separated(outcomes, do, names, cut=do + names)
    if not names:
        return (through,)
    return (
        through,
        Separated(names, do, (), cut_out=do),
        Separated(do, names, (), cut=names),
        Separated(outcomes, names, do, cut_out=names),
    )


def front_door_step(graph: CausalGraph, query: Kernel, mediators: int) -> Step:
    """The query by its mediators; raises `RuleError` where the front-door criterion does not hold."""
    if not asks_effect(query):
        raise RuleError("the query is not P(Y | do(X))")
    conditions = front_door_conditions(graph, query, mediators)
    if not all(separation_holds(graph, condition) for condition in conditions):
        raise RuleError("the front-door criterion does not hold")
    return Step(FRONT_DOOR, query, front_door_formula(graph, query, mediators), conditions)


def check_front_door(graph: CausalGraph, query: Kernel, step: Step) -> None:
    """Check that the step proves the query equal to its right side; raises `RuleError` with the reason where not."""
    through = next((c for c in step.because if isinstance(c, Separated) and c.cut), None)
    if through is None:
        raise RuleError("the mediators are not stated")
    compare(step, front_door_step(graph, query, graph.mask(through.given)))
