"""Models that attain bounds, as programs: a latent variable for each block, whose values are response types.

Each block of response types becomes a latent variable that ranges over the types of positive probability; the mechanism
of a variable reads its parents and the latent variables of the blocks that hold its responses, and is a function.  Run
through the same language, such a program gives the data and the bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from .bound_problem import Problem
from .bound_program import minimise
from .response_types import Response, Type
from .type_blocks import Block, blocks

MOST_ROWS = 4_000


@dataclass(frozen=True, slots=True)
class NoModel:
    """Why no program is written."""

    reason: str


@dataclass(frozen=True)
class Cause:
    """A latent variable: its name, and types with their probabilities."""

    name: str
    types: tuple[tuple[Type, Any], ...]

    @property
    def certain(self) -> bool:
        """Whether only one type occurs."""
        return len(self.types) == 1


def attaining_model(
    problem: Problem, solved: Sequence[Block], points: Sequence[Sequence[Any]], name: str
) -> str | NoModel:
    """The program of a model in which the solved blocks are distributed as `points`, and all else as the data say."""
    layout = problem.layout
    if layout.turned:
        return NoModel(f"no models are written: {', '.join(layout.turned)} stand for their latent causes")
    if problem.hidden:
        return NoModel(f"no models are written: {', '.join(problem.hidden)} are not measured")
    if not all(map(layout.free, layout.districts)):
        return NoModel("no models are written: some variables have several latent causes")
    causes = _causes(problem, solved, points)
    rows = sum(math.prod(layout.sizes[parent] for parent in parents) for parents in layout.parents)
    if rows * max((len(cause.types) for cause in causes), default=1) > MOST_ROWS:
        return NoModel("no models are written: their tables would be too long")
    return _program(problem, causes, name)


def _causes(problem: Problem, solved: Sequence[Block], points: Sequence[Sequence[Any]]) -> list[Cause]:
    """A latent variable for each block of every district."""
    events = [event for block in solved for event in block.events]
    every = blocks(problem.layout, problem.facts, events, every=True)
    known = {block.events: point for block, point in zip(solved, points, strict=True)}
    taken, causes = set(problem.layout.graph.names), list[Cause]()
    for number, block in enumerate(every, 1):
        point = known[block.events] if block.events else _any_point(block)
        shares = _normal([(t, share) for t, share in zip(block.types, point, strict=True) if float(share) > 1e-12])
        name = next(each for each in (f"U{number}", *(f"U{number}_{n}" for n in range(9))) if each not in taken)
        causes.append(Cause(name, shares))
    return causes


def _any_point(block: Block) -> tuple[Any, ...]:
    """Some distribution of the types that agrees with the data, or the nearest."""
    best = minimise(block.program({}))
    if best is not None:
        return best.point
    return (Fraction(1), *([Fraction(0)] * (len(block.types) - 1)))


def _normal(shares: Sequence[tuple[Type, Any]]) -> tuple[tuple[Type, Any], ...]:
    """The shares, the largest made such that they sum to one exactly."""
    exact = [Fraction(share) for _, share in shares]
    largest = max(range(len(exact)), key=exact.__getitem__)
    exact[largest] += 1 - sum(exact)
    return tuple((known, share) for (known, _), share in zip(shares, exact, strict=True))


def _program(problem: Problem, causes: Sequence[Cause], name: str) -> str:
    layout = problem.layout
    holders: dict[Response, Cause] = {}
    for cause in causes:
        for known, _ in cause.types:
            holders.update(dict.fromkeys(known, cause))
    lines = [f"model {name} {{"]
    for cause in causes:
        if not cause.certain:
            shares = ", ".join(f"{place}: {share}" for place, (_, share) in enumerate(cause.types))
            values = ", ".join(str(place) for place in range(len(cause.types)))
            lines.append(f"  latent {cause.name} : {{{values}}} ~ {{{shares}}}")
    lines += [_mechanism(problem, position, holders) for position in range(len(layout.graph.names))]
    return "\n".join([*lines, "}"])


def _mechanism(problem: Problem, position: int, holders: Mapping[Response, Cause]) -> str:
    layout = problem.layout
    cases = list(product(*(range(layout.sizes[parent]) for parent in layout.parents[position])))
    used = {holders[position, case].name: holders[position, case] for case in cases if (position, case) in holders}
    causes = [cause for cause in used.values() if not cause.certain]
    head = f"  {layout.graph.names[position]} : {{{', '.join(layout.labels[position])}}} ~ "
    reads = [*(layout.graph.names[parent] for parent in layout.parents[position]), *(cause.name for cause in causes)]
    if not reads:
        return head + "{" + ", ".join(_shares(layout.labels[position], _value(holders, position, (), 0))) + "}"
    rows = [row for case in cases for row in _rows(problem, position, case, causes, holders)]
    return head + f"table ({', '.join(reads)}) {{ {' ; '.join(rows)} }}"


def _shares(labels: Sequence[str], value: int) -> list[str]:
    return [f"{label}: {int(place == value)}" for place, label in enumerate(labels)]


def _rows(
    problem: Problem, position: int, case: tuple[int, ...], causes: Sequence[Cause], holders: Mapping[Response, Cause]
) -> list[str]:
    """The rows of one case of the parents, one a type of the latent variable that decides it."""
    layout = problem.layout
    cells = [layout.labels[parent][value] for parent, value in zip(layout.parents[position], case, strict=True)]
    own = holders.get((position, case))
    found = []
    for number in range(1 if own is None or own.certain else len(own.types)):
        latent = [str(number) if cause is own else "_" for cause in causes]
        value = _value(holders, position, case, number)
        weights = (str(int(place == value)) for place in range(layout.sizes[position]))
        found.append(f"{', '.join([*cells, *latent])} => {', '.join(weights)}")
    return found


def _value(holders: Mapping[Response, Cause], position: int, case: tuple[int, ...], number: int) -> int:
    """What a type answers; the first value where nothing depends on it."""
    cause = holders.get((position, case))
    return 0 if cause is None else cause.types[number][0].get((position, case), 0)
