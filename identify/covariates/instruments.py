"""Instruments and conditional instruments: variables that move the treatment and reach the outcome through it alone.

Z is an instrument for the effect of X on Y given W where, in the graph without the first arrow of every causal path
from X to Y, W leaves Z and X connected and separates Z and Y, and neither Z nor W is affected by a causal path.  In a
linear model the whole effect is then the covariance of Z and Y given W divided by that of Z and X given W.

Deciding whether a variable is an instrument given some set is NP-hard in general, but a set of ancestors of Z and Y (an
ancestral instrument) is found in polynomial time: the separator closest to Y leaves Z connected to as much as any does.
Wherever a conditional instrument exists for an effect, so does an ancestral one, perhaps for another Z.

Sources: Brito and Pearl (2002); van der Zander, Textor, Liskiewicz (2015), "Efficiently finding conditional instruments
for causal inference", IJCAI; Henckel, Buttenschoen, Maathuis (2024), Biometrika 111 (the
whole effect along several causal paths; arXiv 2208.04697).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from ..graph import CausalGraph, bits
from ..open_paths import Path, open_path
from .adjustment import Affected, Asked, Mediator, Opened, Unusable, openings, why_unusable
from .adjustment import reason_text as covariate_text
from .effect import Effect, effect_of, known
from .separators import augmented, closest_separator, eliminated


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """The variable tells nothing of the treatment."""

    variable: str
    treatment: str
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotExcluded:
    """An open path to the outcome that no causal path of the treatment is part of, and the colliders opened on it."""

    path: Path
    opened: tuple[Opened, ...]


Reason: TypeAlias = Unusable | Irrelevant | NotExcluded


def reason_text(reason: Reason) -> str:
    """A reason as a sentence without a full stop.

    >>> reason_text(Irrelevant("Z", "X", ("W",)))
    'Z tells nothing of X given {W}'
    """
    match reason:
        case Asked() | Mediator() | Affected():
            return covariate_text(reason)
        case Irrelevant(variable, treatment, ()):
            return f"{variable} tells nothing of {treatment}"
        case Irrelevant(variable, treatment, given):
            return f"{variable} tells nothing of {treatment} given {{{', '.join(given)}}}"
        case NotExcluded(path, ()):
            return f"{path.text} is open beside the effect"
        case NotExcluded(path, opened):
            members = ", ".join(dict.fromkeys(part.member for part in opened))
            return f"{path.text} is open beside the effect, opened by conditioning on {members}"
        case _:
            assert_never(reason)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A variable that is an instrument given some others (none for a plain instrument)."""

    variable: str
    given: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The instrument as it is written.

        >>> Instrument("Z", ("W",)).text
        'Z given {W}'
        """
        return f"{self.variable} given {{{', '.join(self.given)}}}" if self.given else self.variable

    def to_dict(self) -> dict[str, str | list[str]]:
        """The instrument as JSON-ready data."""
        return {"variable": self.variable, "given": list(self.given)}


def instrument_faults(
    graph: CausalGraph, treatment: str, outcome: str, variable: str, given: Iterable[str] = ()
) -> tuple[Reason, ...]:
    """Why `variable` is no instrument given the others; nothing where it is.

    Raises `SutureError` for names that the graph does not have.

    >>> graph = CausalGraph(("Z", "X", "Y"), (0, 0b001, 0b011), (0, 0b100, 0b010))
    >>> [reason_text(reason) for reason in instrument_faults(graph, "X", "Y", "Z")]
    ['Z -> Y is open beside the effect']
    """
    effect = effect_of(graph, [treatment], [outcome])
    candidate, conditions = known(graph, [variable]), known(graph, given)
    faults: tuple[Reason, ...] = tuple(
        why_unusable(effect, position) for position in bits((candidate | conditions) & ~effect.usable)
    )
    if candidate & conditions:
        faults += (Irrelevant(variable, treatment, graph.members(conditions)),)
    if faults:
        return faults
    if effect.back_door.separated(candidate, effect.treatments, conditions):
        faults = (Irrelevant(variable, treatment, graph.members(conditions)),)
    path = open_path(effect.back_door, candidate, effect.outcomes, conditions)
    if path is not None:
        faults += (NotExcluded(path, openings(effect.back_door, path, conditions)),)
    return faults


def instruments(
    graph: CausalGraph, treatment: str, outcome: str, only: Iterable[str] | None = None
) -> tuple[Instrument, ...]:
    """Every variable that is an instrument given nothing or given a set of ancestors, with such a set, none redundant.

    `only` restricts both instruments and conditions.  Raises `SutureError` for names that the graph does not have.

    >>> graph = CausalGraph(("W", "Z", "X", "Y"), (0, 1, 0b0010, 0b0101), (0, 0, 0b1000, 0b0100))
    >>> [instrument.text for instrument in instruments(graph, "X", "Y")]
    ['Z given {W}']
    """
    effect = effect_of(graph, [treatment], [outcome])
    usable = effect.usable if only is None else effect.usable & known(graph, only)
    found = ((position, _conditions(effect, 1 << position, usable)) for position in bits(usable))
    return tuple(
        Instrument(graph.names[position], graph.members(given)) for position, given in found if given is not None
    )


def _conditions(effect: Effect, candidate: int, usable: int) -> int | None:
    """A set given which the candidate is an instrument, without a redundant member; None where no ancestral one is."""
    graph = effect.back_door
    within = graph.ancestors(candidate | effect.outcomes)
    hidden = within & ~(usable | candidate | effect.outcomes)
    given = closest_separator(eliminated(augmented(graph, within), hidden), effect.outcomes, candidate)
    if given is None or graph.separated(candidate, effect.treatments, given):
        return None
    for position in bits(given):
        smaller = given & ~(1 << position)
        if _is_instrument(effect, candidate, smaller):
            given = smaller
    return given


def _is_instrument(effect: Effect, candidate: int, given: int) -> bool:
    graph = effect.back_door
    return graph.separated(candidate, effect.outcomes, given) and not graph.separated(
        candidate, effect.treatments, given
    )


def no_instrument_reason(graph: CausalGraph, treatment: str, outcome: str) -> str | None:
    """Why no variable is an instrument, each with what speaks against it; None where one is."""
    if instruments(graph, treatment, outcome):
        return None
    effect = effect_of(graph, [treatment], [outcome])
    names = graph.members(effect.usable)
    if not names:
        return "no observed variable is left beside the treatment, the outcome and what they affect"
    reasons = [reason_text(instrument_faults(graph, treatment, outcome, name)[0]) for name in names]
    return "; ".join(dict.fromkeys(reasons))
