"""Sharp bounds on what the data do not determine: linear programs over response types.

Every model over a diagram is, for finite variables, a distribution of response types for each district
(`response_types`), the data fix the probabilities of some events of types (`district_factors`), and the query is
arithmetic over the probabilities of others (`bound_query`).  Its least and greatest value over all models that agree
with the data are those of a linear program, or a linear-fractional one for conditional queries: sharp, since every
distribution of types is a model.  A query that the data determine has bounds that coincide.

Two cases are not linear.  Where the query multiplies unknowns of several independent blocks, the bounds come from a
relaxation and are called sharp if models attain them (`bound_products`).  Where no single latent reaches a whole
district, its types may not go together in every way; bounds that leave this out hold but may not be attained.

Sources: Balke and Pearl, "Bounds on treatment effects from studies with imperfect compliance" (1997); Tian and Pearl,
"Probabilities of causation: bounds and identification" (2000); Sachs, Jonzon, Sjolander, Gabriel, arXiv 2003.10702.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from itertools import product as combinations
from typing import Any

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Diagram
from ...dsl.formula import Formula
from ...dsl.formula_text import text
from ..derivation import Undecided
from .bound_models import attaining_model
from .bound_problem import Problem, problem_of
from .bound_products import outer_bound, reached, too_large
from .bound_program import Optimum, minimise, minimise_each, nearest, quotient_program
from .bound_query import (
    NotLinear,
    Polynomial,
    QueryReader,
    Quotient,
    as_number,
    free_name,
    free_terms,
    is_number,
)
from .district_factors import Evidence
from .response_types import Event
from .symbolic_bounds import ClosedForm, SymbolicBounds, closed_form
from .type_blocks import MOST_TYPES, Block, blocks

CLOSE = 1e-8


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of a query over all models that agree with the data.

    `sharp` says that models attain both; where it is false, `reasons` say why that is not known.  `low` and `high` are
    Fractions where `exact`, proved by duality.  `low_model` and `high_model` are programs of models that attain them,
    where asked for, and `low_form` and `high_form` the bounds as expressions.  `types` and `facts` are the size of the
    linear program.
    """

    low: Fraction | float
    high: Fraction | float
    sharp: bool
    exact: bool
    method: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    types: int = 0
    facts: int = 0
    low_model: str | None = None
    high_model: str | None = None
    low_form: ClosedForm | None = None
    high_form: ClosedForm | None = None

    @property
    def text(self) -> str:
        """The interval in words: `[0.392, 0.78], sharp`."""
        kind = "sharp" if self.sharp else "not known to be sharp"
        return f"[{float(self.low):.6g}, {float(self.high):.6g}], {kind}"

    def to_dict(self) -> dict[str, Any]:
        """The bounds as JSON-ready data; exact values as text beside the floats."""
        return {
            "bounds": [float(self.low), float(self.high)],
            "exact": [str(self.low), str(self.high)] if self.exact else None,
            "sharp": self.sharp,
            "method": self.method,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "size": {"types": self.types, "facts": self.facts},
            "models": None if self.low_model is None else [self.low_model, self.high_model],
            "low": None if self.low_form is None else self.low_form.to_dict(),
            "high": None if self.high_form is None else self.high_form.to_dict(),
        }


@dataclass(frozen=True)
class BoundsTable:
    """Bounds of a query that is a function of variables: one row a combination of labels."""

    variables: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], Bounds], ...]

    @property
    def sharp(self) -> bool:
        """Whether all rows are sharp."""
        return all(found.sharp for _, found in self.rows)

    @property
    def text(self) -> str:
        """One line a row."""
        heads = (", ".join(map("=".join, zip(self.variables, labels, strict=True))) for labels, _ in self.rows)
        return "\n".join(f"{head}: {found.text}" for head, (_, found) in zip(heads, self.rows, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON-ready data."""
        rows = [{"labels": list(labels), **found.to_dict()} for labels, found in self.rows]
        return {"variables": list(self.variables), "rows": rows}


@dataclass(frozen=True)
class Setting:
    """The most types of a block, how far data may contradict the model, and what is wanted besides the numbers."""

    most_types: int = MOST_TYPES
    tolerance: float = 0.0
    models: bool = False
    closed_forms: bool = False


DEFAULT = Setting()


def bounds(
    formula: Formula,
    diagram: Diagram,
    evidence: Sequence[Evidence],
    labels: Mapping[str, tuple[str, ...]] | None = None,
    setting: Setting = DEFAULT,
) -> Bounds | BoundsTable | Undecided:
    """Bounds on a query over a model's diagram from distributions at hand.

    `labels` are the values of the variables; those of measured variables may be left to the data.  A query with bare
    names has a table of bounds.  `Undecided` where the query is no quotient of multilinear forms.
    Raises `SutureError`: S420 no such value, S424 an impossible condition, S427 values that are not given, S440 data
    that contradict the model by more than the tolerance, S603 beyond the budget.
    """
    problem = problem_of(formula, diagram, tuple(evidence), labels or {})
    free = free_terms(formula)
    if not free:
        return _bounds(problem, formula, {}, setting)
    rows: list[tuple[tuple[str, ...], Bounds]] = []
    names = tuple(free_name(term) for term in free)
    for case in combinations(*(problem.labels(term.variable) for term in free)):
        found = _bounds(problem, formula, dict(zip(names, case, strict=True)), setting)
        if isinstance(found, Undecided):
            return found
        rows.append((case, found))
    return BoundsTable(names, tuple(rows))


def _bounds(problem: Problem, formula: Formula, free: Mapping[str, str], setting: Setting) -> Bounds | Undecided:
    reader = QueryReader(problem.layout, problem.known, text(formula))
    try:
        made = _solved(problem, reader.read(formula, free), setting)
    except NotLinear as reason:
        return Undecided(f"no bounds: {reason}", method="linear programming")
    forms = closed_form(formula, problem, free) if setting.closed_forms else None
    return replace(made, low_form=forms.low, high_form=forms.high) if isinstance(forms, SymbolicBounds) else made


def _solved(problem: Problem, query: Quotient, setting: Setting) -> Bounds:
    """Bounds of a quotient over the blocks that it depends on."""
    events = sorted({event for part in (query.above, query.below) for events in part for event in events})
    found = _feasible(problem, blocks(problem.layout, problem.facts, events, setting.most_types), setting)
    search = _Search(tuple(block for block, _ in found), query)
    low, high = search.least(1), search.least(-1)
    reasons = problem.reasons({block.district for block in search.blocks})
    if not low.attained or not high.attained:
        reasons = (*reasons, "the query multiplies unknown factors, and no model was found that attains the bound")
    made = Bounds(
        low.value,
        -high.value,
        not reasons,
        isinstance(low.value, Fraction) and isinstance(high.value, Fraction),
        search.method,
        reasons,
        (*dict.fromkeys(problem.notes), *(note for _, notes in found for note in notes)),
        sum(len(block.types) for block in search.blocks),
        sum(len(block.rows) for block in search.blocks),
    )
    return _with_models(problem, search, made, (low.points, high.points)) if setting.models else made


def _with_models(problem: Problem, search: _Search, made: Bounds, points: tuple[Any, Any]) -> Bounds:
    """The bounds with the programs of two models that attain them, or a note why there are none."""
    if not made.sharp:
        return made
    low, high = (
        attaining_model(problem, search.blocks, chosen, name)
        for chosen, name in zip(points, ("Low", "High"), strict=True)
    )
    if isinstance(low, str) and isinstance(high, str):
        return replace(made, low_model=low, high_model=high)
    reason = next(each.reason for each in (low, high) if not isinstance(each, str))
    return replace(made, notes=(*made.notes, reason))


def _feasible(problem: Problem, found: Sequence[Block], setting: Setting) -> list[tuple[Block, tuple[str, ...]]]:
    """The blocks, their data moved to the nearest that a model may have where that is within the tolerance.

    Raises `SutureError` S440 where it is not.
    """
    points = minimise_each([block.program({}) for block in found])
    return [
        (block, ()) if point is not None else _mended(problem, block, setting)
        for block, point in zip(found, points, strict=True)
    ]


def _mended(problem: Problem, block: Block, setting: Setting) -> tuple[Block, tuple[str, ...]]:
    distance, right = nearest(block.program({}))
    names = ", ".join(problem.layout.graph.members(block.district))
    if distance > setting.tolerance:
        message = f"the data contradict the model: no latent causes of {{{names}}} give these probabilities"
        hint = f"the nearest that some do differ by {distance:.2g}; check the arrows, or allow for sampling error"
        raise SutureError(Diagnostic("S440", message, help=hint))
    note = f"the data on {{{names}}} were moved by at most {distance:.2g} to the nearest that the model allows"
    return replace(block, right=right), (note,)


# ---------------------------------------------------------------------------------------------------------------------
# Optimising


@dataclass(frozen=True)
class Extreme:
    """A least value, distributions of the blocks that have it, and whether they do have it."""

    value: Any
    points: tuple[tuple[Any, ...], ...]
    attained: bool = True


@dataclass(frozen=True)
class _Search:
    """A quotient of polynomials in the events of independent blocks."""

    blocks: tuple[Block, ...]
    query: Quotient

    @property
    def method(self) -> str:
        """What kind of program this is."""
        if not is_number(self.query.below):
            return "linear-fractional programming over response types"
        if any(len(monomial) > 1 for monomial in self.query.above):
            return "relaxation over response types of several districts"
        return "linear programming over response types" if self.blocks else "identification"

    def least(self, sign: int) -> Extreme:
        """The least value of `sign` times the query.  Raises `NotLinear`."""
        above = {events: sign * weight for events, weight in self.query.above.items()}
        if not is_number(self.query.below):
            return self._quotient(above)
        groups = self._clusters()
        single = [places[0] for places in groups if len(places) == 1]
        weights = self._alone(above)
        optima = _required(minimise_each([self.blocks[place].program(weights[place]) for place in single]))
        total, attained = as_number(above) + sum(each.value for each in optima), True
        points = {place: each.point for place, each in zip(single, optima, strict=True)}
        for places in (places for places in groups if len(places) > 1):
            part = self._product(places, self._part(above, places))
            total, attained = total + part.value, attained and part.attained
            points |= dict(zip(places, part.points, strict=True))
        return Extreme(total, tuple(points[place] for place in range(len(self.blocks))), attained)

    @cached_property
    def home(self) -> Mapping[Event, int]:
        """The block of each event."""
        return {event: place for place, block in enumerate(self.blocks) for event in block.events}

    def _clusters(self) -> list[list[int]]:
        """The blocks in groups that some monomial multiplies."""
        leader = list(range(len(self.blocks)))
        for monomial in self.query.above:
            touched = [self.home[event] for event in monomial]
            if len(set(touched)) < len(touched):
                raise NotLinear("it multiplies unknowns that depend on the same response types")
            for one, other in pairwise(touched):
                old, new = leader[one], leader[other]
                leader = [new if each == old else each for each in leader] if old != new else leader
        groups: dict[int, list[int]] = {}
        for place, each in enumerate(leader):
            groups.setdefault(each, []).append(place)
        return sorted(groups.values())

    def _part(self, polynomial: Polynomial, places: Sequence[int]) -> Polynomial:
        """The monomials in the events of some blocks."""
        return {events: weight for events, weight in polynomial.items() if events and self.home[events[0]] in places}

    def _alone(self, polynomial: Polynomial) -> list[dict[Event, Any]]:
        """For each block the weights of its events that stand alone."""
        found: list[dict[Event, Any]] = [{} for _ in self.blocks]
        for events, weight in polynomial.items():
            if len(events) == 1:
                found[self.home[events[0]]][events[0]] = weight
        return found

    def _product(self, places: Sequence[int], part: Polynomial) -> Extreme:
        chosen = [self.blocks[place] for place in places]
        if too_large(chosen):
            raise NotLinear("it multiplies unknown factors of several districts, with too many types to relax")
        found = outer_bound(chosen, part)
        if found is None:
            raise ValueError("a feasible program became infeasible")
        outer, start = found
        inner, points = reached(chosen, part, start)
        return Extreme(outer, points, abs(float(inner) - float(outer)) < CLOSE)

    def _quotient(self, above: Polynomial) -> Extreme:
        below = self.query.below
        if any(len(monomial) > 1 for monomial in (*above, *below)):
            raise NotLinear("it divides by an unknown and multiplies unknown factors")
        self._require_sign(below)
        tops, bottoms = (
            [block.cost(weights) for block, weights in zip(self.blocks, self._alone(part), strict=True)]
            for part in (above, below)
        )
        parts = [replace(b.program({}), cost=top) for b, top in zip(self.blocks, tops, strict=True)]
        best = minimise(quotient_program(parts, bottoms, as_number(above), as_number(below)))
        if best is None:
            message = "the query conditions on an event that no model with these data gives a chance"
            raise SutureError(Diagnostic("S424", message, help="ask for values that occur"))
        return Extreme(best.value, tuple(self._unscaled(best.point)))

    def _require_sign(self, below: Polynomial) -> None:
        """Refuse a denominator that may be negative."""
        weights = self._alone(below)
        parts = [block.program(own) for block, own in zip(self.blocks, weights, strict=True)]
        least = as_number(below) + sum(each.value for each in _required(minimise_each(parts)))
        if float(least) < -CLOSE:
            raise NotLinear("its denominator may be of either sign")

    def _unscaled(self, point: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        start, scale = 0, point[-1]
        for block in self.blocks:
            yield tuple(share / scale for share in point[start : start + len(block.types)])
            start += len(block.types)


def _required(optima: Sequence[Optimum | None]) -> list[Optimum]:
    """The optima of programs that are known to be feasible."""
    found = [best for best in optima if best is not None]
    if len(found) < len(optima):
        raise ValueError("a feasible program became infeasible")
    return found
