"""Blocks of response types: the independent unknowns that a query depends on, with what the data say of each.

Questions of the data and events of the query that share a response belong to one block; blocks of one district may go
together in any way, and districts are independent, so distributions of different blocks are chosen freely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

from ...dsl.diagnostics import Diagnostic, SutureError
from .bound_program import LinearProgram
from .district_factors import DistrictFactor
from .response_types import (
    Ask,
    Event,
    Layout,
    Question,
    Response,
    Type,
    asks,
    enumerate_types,
    estimate_types,
    holds,
)

MOST_TYPES = 200_000
MOST_QUESTIONS = 20_000


@dataclass(frozen=True)
class Row:
    """One fact of the data: the probability that the measured members take these values in a question."""

    factor: DistrictFactor
    question: Question
    seen: tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """Types that data and query can tell apart, one column each; row 0 says that their probabilities sum to one."""

    district: int
    types: tuple[Type, ...]
    rows: tuple[Row, ...]
    columns: tuple[Mapping[int, int], ...]
    right: tuple[Any, ...]
    events: tuple[Event, ...]

    @cached_property
    def members(self) -> Mapping[Event, tuple[int, ...]]:
        """The types that each event consists of."""
        return {
            event: tuple(place for place, known in enumerate(self.types) if holds(event, known))
            for event in self.events
        }

    def cost(self, weights: Mapping[Event, Any]) -> tuple[Any, ...]:
        """The cost of each type where events have weights."""
        total: list[Any] = [Fraction(0)] * len(self.types)
        for event, weight in weights.items():
            for place in self.members[event]:
                total[place] = total[place] + weight
        return tuple(total)

    def program(self, weights: Mapping[Event, Any]) -> LinearProgram:
        """The linear program that minimises the weighted probability of events."""
        return LinearProgram(self.columns, self.right, self.cost(weights))


def blocks(
    layout: Layout,
    facts: Callable[[int], Sequence[DistrictFactor]],
    events: Iterable[Event],
    most: int = MOST_TYPES,
    every: bool = False,
) -> tuple[Block, ...]:
    """The blocks that the events belong to, by district and first event; with `every`, all others after them.

    `facts` gives the factors of a district.  Raises `SutureError` S603 with an estimate where types are too many.
    """
    found, others = list[Block](), list[Block]()
    wanted = tuple(events)
    for district in layout.districts:
        own = sorted({event for event in wanted if district >> event[0][0][0] & 1})
        if own or every:
            asked = _questions(layout, facts(district))
            for questions, part in _components(layout, asked, own):
                if part or every:
                    (found if part else others).append(_block(layout, district, questions, part, most))
    return (*found, *others)


def _questions(layout: Layout, factors: Sequence[DistrictFactor]) -> list[tuple[DistrictFactor, Question]]:
    found: list[tuple[DistrictFactor, Question]] = []
    for factor in factors:
        for question in factor.questions(layout):
            found.append((factor, question))
            if len(found) > MOST_QUESTIONS:
                names = ", ".join(layout.graph.members(factor.members))
                message = f"{{{names}}} read more than {MOST_QUESTIONS:,} combinations of values from outside"
                raise SutureError(
                    Diagnostic("S603", message, help="give their parents fewer values, or leave some out")
                )
    return found


def _components(
    layout: Layout, asked: Sequence[tuple[DistrictFactor, Question]], events: Sequence[Event]
) -> list[tuple[list[tuple[DistrictFactor, Question]], list[Event]]]:
    """Questions and events in groups that share no response, those with events first."""
    touched = [question.responses(layout) for _, question in asked]
    touched += [{response for response, _ in event} for event in events]
    leader = list(range(len(touched)))

    def find(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    first: dict[Response, int] = {}
    for place, responses in enumerate(touched):
        for response in sorted(responses):
            leader[find(place)] = find(first.setdefault(response, place))
    groups: dict[int, tuple[list[tuple[DistrictFactor, Question]], list[Event]]] = {}
    for place, event in enumerate(events, len(asked)):
        groups.setdefault(find(place), ([], []))[1].append(event)
    for place, pair in enumerate(asked):
        groups.setdefault(find(place), ([], []))[0].append(pair)
    return list(groups.values())


def _block(
    layout: Layout,
    district: int,
    asked: Sequence[tuple[DistrictFactor, Question]],
    events: Sequence[Event],
    most: int,
) -> Block:
    tree = asks(layout, [question for _, question in asked], events)
    types = enumerate_types(layout, tree, most)
    if types is None:
        raise SutureError(_too_many(layout, district, tree, most))
    rows = [row for factor, question in asked for row in _rows(layout, factor, question)]
    number = {(row.question, row.factor.members, row.seen): place for place, row in enumerate(rows, 1)}
    kept: dict[tuple[tuple[int, ...], tuple[bool, ...]], Type] = {}
    for known in types:
        facts = [(question, f.members, f.seen(question.answer(layout, known))) for f, question in asked]
        told = tuple(number[fact] for fact in facts if fact in number)
        kept.setdefault((told, tuple(holds(event, known) for event in events)), known)
    columns = tuple(dict.fromkeys((0, *told), 1) for told, _ in kept)
    right = (Fraction(1), *(_share(row) for row in rows))
    return Block(district, tuple(kept.values()), tuple(rows), columns, right, tuple(events))


def _rows(layout: Layout, factor: DistrictFactor, question: Question) -> Iterator[Row]:
    """The facts that the data determine in one question."""
    for seen in product(*(range(layout.sizes[position]) for position in factor.visible)):
        if factor.values is None or factor.cell(question, seen) is not None:
            yield Row(factor, question, seen)


def _share(row: Row) -> Any:
    return None if row.factor.values is None else row.factor.cell(row.question, row.seen)


def _too_many(layout: Layout, district: int, tree: Sequence[Ask], most: int) -> Diagnostic:
    """S603 with an estimate of the number of types."""
    names = ", ".join(layout.graph.members(district))
    about = estimate_types(layout, tree)
    message = f"sharp bounds need about {about:.1e} response types of {{{names}}}, more than {most:,}"
    hint = "leave variables out of the model, give them fewer values, or ask for fewer worlds at once"
    return Diagnostic("S603", message, help=hint)
