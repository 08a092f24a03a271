"""Bounds in closed form: the greatest and the least of finitely many expressions in what the data say.

By duality the least cost of a linear program is the greatest value of its multipliers over the vertices of their
polyhedron, which does not depend on the data.  Each vertex is a term, linear in probabilities that the data give, and
no term may be left out.  The extreme rays of the polyhedron are what the model says of the data: inequalities such as
Pearl's instrumental ones (1995).  Sources: Balke and Pearl (1994, 1997); Sachs et al., arXiv 2003.10702.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product as combinations
from math import lcm
from typing import Any, TypeAlias

from ...dsl.diagnostics import SutureError
from ...dsl.diagram import Diagram
from ...dsl.formula import ONE, ZERO, Constant, Formula, Ratio, plus, product, ratio
from ...dsl.formula_latex import latex
from ...dsl.formula_text import text
from ..derivation import OBSERVED, Source, Undecided
from ..simplify import cancelled
from .bound_problem import Problem, problem_of, single_world
from .bound_program import reduce
from .bound_query import NotLinear, Polynomial, QueryReader, as_number, is_number
from .district_factors import Evidence
from .dual_vertices import vertices
from .response_types import Event, Layout
from .type_blocks import Block, Row, blocks

MOST_TYPES = 400
MOST_ROWS = 40
MOST_TERMS = 2_000
MOST_SHIFTS = 20_000


@dataclass(frozen=True)
class Extremum:
    """`weight` times the greatest (or least) of `terms`."""

    weight: Formula
    terms: tuple[Formula, ...]


@dataclass(frozen=True)
class ClosedForm:
    """A bound: `constant` plus each part's weight times the `sense` ("max" or "min") of its terms."""

    sense: str
    constant: Formula
    parts: tuple[Extremum, ...]

    @property
    def terms(self) -> tuple[Formula, ...]:
        """The terms of a bound of one part, its weight multiplied in and its constant added."""
        if len(self.parts) != 1:
            return ()
        part = self.parts[0]
        return tuple(plus((self.constant, product((part.weight, term)))) for term in part.terms)

    @property
    def text(self) -> str:
        """The bound as text, such as `max{P(Y=1), 1 - P(X=1)}`."""
        return self._written(text, "{sense}{{{terms}}}", " ", ", ")

    @property
    def latex(self) -> str:
        """The bound as LaTeX."""
        return self._written(latex, "\\{sense}\\left\\{{{terms}\\right\\}}", "\\, ", ",\\; ")

    def _written(self, write: Any, shape: str, times: str, comma: str) -> str:
        pieces = [] if self.constant == ZERO and self.parts else [write(self.constant)]
        for part in self.parts:
            terms = comma.join(map(write, part.terms))
            body = shape.format(sense=self.sense, terms=terms) if len(part.terms) > 1 else f"({terms})"
            one = part.weight == ONE
            alone = one and len(part.terms) == 1 and not pieces and len(self.parts) == 1
            weight = f"({write(part.weight)})" if isinstance(part.weight, Ratio) else write(part.weight)
            pieces.append(terms if alone else body if one else f"{weight}{times}{body}")
        return " + ".join(pieces)

    def to_dict(self) -> dict[str, Any]:
        """The bound as JSON-ready data."""
        parts = [{"weight": text(part.weight), "terms": [text(term) for term in part.terms]} for part in self.parts]
        return {"text": self.text, "latex": self.latex, "constant": text(self.constant), "parts": parts}


@dataclass(frozen=True)
class SymbolicBounds:
    """Sharp bounds in closed form, and what the model says of the data: each of `constraints` is at most zero."""

    low: ClosedForm
    high: ClosedForm
    constraints: tuple[Formula, ...]

    def to_dict(self) -> dict[str, Any]:
        """The bounds as JSON-ready data."""
        constraints = [f"{text(each)} <= 0" for each in self.constraints]
        return {"low": self.low.to_dict(), "high": self.high.to_dict(), "constraints": constraints}


def symbolic_bounds(
    formula: Formula,
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    sources: Sequence[Source] = (OBSERVED,),
    free: Mapping[str, str] | None = None,
) -> SymbolicBounds | Undecided:
    """Sharp bounds on a query as expressions in the distributions of `sources`, which measure every variable.

    `free` gives labels to bare names of the query.  `Undecided` where there is no such form, or it is too long.

    >>> from ...dsl.resolve import read_model, read_query
    >>> bow = read_model("X, Y : {0, 1} ; X -> Y ; X <-> Y")
    >>> found = symbolic_bounds(read_query("P(Y = 1 | do(X = 1))", bow).formula, bow.diagram, dict.fromkeys("XY", "01"))
    >>> found.low.text, found.high.text
    ('P(X=1, Y=1)', '1 - P(X=1, Y=0)')
    """
    names = [diagram.wires[wire].name for wire in diagram.outputs]
    chosen = {name: tuple(values) for name, values in labels.items()}
    evidence = tuple(Evidence(None, tuple(names), each.do, each.differs, each.name) for each in sources)
    return closed_form(formula, problem_of(formula, diagram, evidence, chosen), free)


def closed_form(
    formula: Formula, problem: Problem, free: Mapping[str, str] | None = None
) -> SymbolicBounds | Undecided:
    """As `symbolic_bounds`, for a problem, whose numbers are not looked at."""
    forms = tuple(replace(each, distribution=None) for each in problem.evidence)
    problem = Problem(problem.layout, forms, problem.hidden)
    names_of = Names(problem)
    try:
        query = QueryReader(problem.layout, names_of, text(formula)).read(formula, free)
        return _closed(problem, names_of, query.above, query.below)
    except NotLinear as reason:
        return Undecided(f"no closed form: {reason}", method="vertex enumeration")


# ---------------------------------------------------------------------------------------------------------------------
# Weights


@dataclass(frozen=True)
class Weight:
    """A polynomial in what the data give: rational coefficients of products of known events."""

    parts: Mapping[tuple[Event, ...], Fraction]

    def __add__(self, other: object) -> Weight:
        found = dict(self.parts)
        for events, number in weight_of(other).parts.items():
            found[events] = found.get(events, Fraction(0)) + number
        return Weight({events: number for events, number in found.items() if number})

    def __mul__(self, other: object) -> Weight:
        found: dict[tuple[Event, ...], Fraction] = {}
        for one, left in self.parts.items():
            for two, right in weight_of(other).parts.items():
                events = tuple(sorted((*one, *two)))
                found[events] = found.get(events, Fraction(0)) + left * right
        return Weight({events: number for events, number in found.items() if number})

    __radd__ = __add__
    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return bool(self.parts)

    def over(self, other: Weight) -> Fraction | None:
        """The number by which the other is multiplied, if there is one."""
        if self.parts.keys() != other.parts.keys():
            return None
        quotients = {number / other.parts[events] for events, number in self.parts.items()}
        return quotients.pop() if len(quotients) == 1 else None


def weight_of(value: object) -> Weight:
    """A number as a weight; weights as they are.  Raises `TypeError` for anything else."""
    if isinstance(value, Weight):
        return value
    if isinstance(value, Fraction | int):
        return Weight({(): Fraction(value)} if value else {})
    raise TypeError(f"a {type(value).__name__} is not a weight")


@dataclass(frozen=True)
class Names:
    """What stands for an event that the data determine: itself, written as a formula in the end."""

    problem: Problem

    def __call__(self, event: Event) -> Weight | None:
        """The event's name; None where the data do not determine it."""
        found = single_world(self.problem.layout, event)
        members = sum(1 << position for (position, _), _ in event)
        return None if found is None or self.problem.factor(members) is None else Weight({(event,): Fraction(1)})

    def formula(self, weight: Weight) -> Formula:
        """The weight as a formula."""
        return plus(
            product((Constant(number), *map(self._event, events))) for events, number in sorted(weight.parts.items())
        )

    def _event(self, event: Event) -> Formula:
        world = single_world(self.problem.layout, event)
        factor = self.problem.factor(sum(1 << position for (position, _), _ in event))
        if world is None or factor is None:
            raise ValueError("the data do not determine this event")
        return factor.cell_formula(self.problem.layout, world)


# ---------------------------------------------------------------------------------------------------------------------
# From vertices to terms


def _closed(problem: Problem, names: Names, above: Polynomial, below: Polynomial) -> SymbolicBounds:
    """The closed forms of a polynomial over what the data determine."""
    if not is_number(below):
        raise NotLinear("it divides by what the data do not determine")
    if any(len(monomial) > 1 for monomial in above):
        raise NotLinear("it multiplies unknown factors of several districts")
    divisor = names.formula(weight_of(as_number(below)))
    rest = weight_of(as_number(above))
    constant = _over(names.formula(rest), divisor) if rest else ZERO
    pieces = [_block(problem, names, block, above, divisor) for block in _small_blocks(problem, above)]
    low = ClosedForm("max", constant, tuple(piece.low for piece in pieces))
    high = ClosedForm("min", constant, tuple(piece.high for piece in pieces))
    return SymbolicBounds(low, high, tuple(dict.fromkeys(each for piece in pieces for each in piece.constraints)))


def _small_blocks(problem: Problem, above: Polynomial) -> tuple[Block, ...]:
    events = sorted({event for monomial in above for event in monomial})
    try:
        found = blocks(problem.layout, problem.facts, events, MOST_TYPES)
    except SutureError as error:
        raise NotLinear(error.diagnostics[0].message) from error
    reasons = problem.reasons({block.district for block in found})
    if reasons:
        raise NotLinear(reasons[0])
    return found


@dataclass(frozen=True)
class _Piece:
    low: Extremum
    high: Extremum
    constraints: tuple[Formula, ...]


def _over(above: Formula, below: Formula) -> Formula:
    """A quotient with equal factors cancelled."""
    return cancelled(ratio(above, below))


def _block(problem: Problem, names: Names, block: Block, above: Polynomial, divisor: Formula) -> _Piece:
    weights = {events[0]: weight_of(each) for events, each in above.items() if events and events[0] in block.members}
    common, costs = _shared(weights)
    cost = [int(entry) for entry in block.cost(costs)]
    weight = _over(names.formula(common), divisor)
    low, rays = _vertices(block, cost)
    high, _ = _vertices(block, [-entry for entry in cost])
    writer = _Writer(problem.layout, block)
    least = Extremum(weight, tuple(writer.formula(each) for each in low))
    most = Extremum(weight, tuple(writer.formula([-entry for entry in each]) for each in high))
    return _Piece(least, most, writer.constraints(rays))


def _shared(weights: Mapping[Event, Weight]) -> tuple[Weight, dict[Event, Fraction]]:
    """A positive weight of which all are whole multiples, and those multiples."""
    first = next(iter(weights.values()))
    found = {event: weight.over(first) for event, weight in weights.items()}
    numbers = {event: number for event, number in found.items() if number is not None}
    signs = {number > 0 for number in first.parts.values()}
    if len(numbers) < len(found) or len(signs) > 1:
        raise NotLinear("its parts are weighted by different probabilities")
    step = Fraction(1, lcm(*(number.denominator for number in numbers.values())))
    step = step if signs == {True} else -step
    return first * step, {event: number / step for event, number in numbers.items()}


Terms: TypeAlias = tuple[tuple[Fraction, ...], ...]


def _vertices(block: Block, cost: Sequence[int]) -> tuple[Terms, Terms]:
    """The vertices and rays of the multipliers of min cost . p, one entry a row of the block."""
    rows = _independent(block)
    if len(rows) > MOST_ROWS:
        raise NotLinear(f"its program has {len(rows)} independent facts, more than {MOST_ROWS}")
    columns = [[int(column.get(row, 0)) for row in rows] for column in block.columns]
    found = vertices(columns, cost, MOST_TERMS)
    if found is None:
        raise NotLinear(f"it has more than {MOST_TERMS:,} terms")

    def spread(values: Sequence[Fraction | int]) -> tuple[Fraction, ...]:
        by_row = dict(zip(rows, values, strict=True))
        return tuple(Fraction(by_row.get(row, 0)) for row in range(len(block.right)))

    return tuple(map(spread, found[0])), tuple(map(spread, found[1]))


def _independent(block: Block) -> list[int]:
    """Rows of which no one follows from those before it."""
    pivots: dict[int, tuple[dict[int, Fraction], Fraction]] = {}
    kept: list[int] = []
    for number in range(len(block.right)):
        row, _ = reduce({place: c[number] for place, c in enumerate(block.columns) if number in c}, 0, pivots)
        if row:
            pivot = next(iter(row))
            lead = row.pop(pivot)
            pivots[pivot] = {place: entry / lead for place, entry in row.items()}, Fraction(0)
            kept.append(number)
    return kept


@dataclass(frozen=True)
class _Writer:
    """Writes multipliers of a block's rows as formulas, as short as the sums of probabilities to one allow."""

    layout: Layout
    block: Block

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The rows that belong to one question, whose probabilities sum to one."""
        found: dict[tuple[int, Any], list[int]] = {}
        for place, row in enumerate(self.block.rows, 1):
            found.setdefault((row.factor.members, row.question), []).append(place)
        return tuple(map(tuple, found.values()))

    def formula(self, multipliers: Sequence[Fraction]) -> Formula:
        """The expression, positive parts first."""
        short = self.shortest(multipliers)
        cells = [(short[row], self.block.rows[row - 1]) for row in range(1, len(short)) if short[row]]
        parts = [(short[0], ONE)] + [(number, self._cell(row)) for number, row in cells]
        ordered = [part for part in parts if part[0] > 0]
        ordered += [part for part in parts[1:] if part[0] < 0] + [part for part in parts[:1] if part[0] < 0]
        return plus(_scaled(number, cell) for number, cell in ordered)

    def _cell(self, row: Row) -> Formula:
        seen = zip(row.factor.visible, row.seen, strict=True)
        return row.factor.cell_formula(self.layout, {**dict(row.question.given), **dict(seen)})

    def shortest(self, multipliers: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """The multipliers with as few non-zero entries as adding numbers to whole questions leaves."""
        choices = [sorted({multipliers[row] for row in group} | {Fraction(0)}, key=abs) for group in self.groups]
        if math.prod(map(len, choices)) > MOST_SHIFTS:
            choices = [
                [max(options, key=lambda each: sum(multipliers[row] == each for row in group))]
                for options, group in zip(choices, self.groups, strict=True)
            ]
        shifted = (self._shifted(multipliers, shifts) for shifts in combinations(*choices))
        return min(shifted, key=lambda each: (sum(map(bool, each)), sum(map(abs, each)), [entry < 0 for entry in each]))

    def _shifted(self, multipliers: Sequence[Fraction], shifts: Sequence[Fraction]) -> tuple[Fraction, ...]:
        made = list(multipliers)
        for group, shift in zip(self.groups, shifts, strict=True):
            made[0] += shift
            for row in group:
                made[row] -= shift
        return tuple(made)

    def constraints(self, rays: Sequence[Sequence[Fraction]]) -> tuple[Formula, ...]:
        """What the rays say of the data, without what holds of all probabilities."""
        found = [self.shortest(ray) for ray in rays]
        return tuple(self.formula(ray) for ray in found if any(entry > 0 for entry in ray))


def _scaled(number: Fraction, cell: Formula) -> Formula:
    """The cell times a number, a sign apart."""
    if cell == ONE:
        return Constant(number)
    size = cell if abs(number) == 1 else product((Constant(abs(number)), cell))
    return size if number > 0 else product((Constant(Fraction(-1)), size))
