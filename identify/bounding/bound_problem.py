"""What bounds start from: a layout, and what each distribution at hand says of each of its districts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, one_of
from ...dsl.diagram import Diagram
from ...dsl.formula import Formula, probability, variables
from ...semantics.distribution import Distribution, Sources
from ...semantics.evaluate import evaluate
from ..algorithms import identify
from ..derivation import Identified, Source
from ..graph import bits
from .bound_query import set_variables
from .district_factors import DistrictFactor, Evidence, district_factors, leaves_out, marginal
from .response_types import Event, Layout, layout_of

SAME = 1e-9


@dataclass
class Problem:
    """A layout and the distributions at hand; what they say of a district is worked out when it is asked for.

    `notes` say where distributions tell the same differently.
    """

    layout: Layout
    evidence: tuple[Evidence, ...]
    hidden: tuple[str, ...]
    notes: list[str] = field(default_factory=list)
    _facts: dict[int, list[DistrictFactor]] = field(default_factory=dict)
    _found: dict[int, DistrictFactor | None] = field(default_factory=dict)

    def labels(self, variable: str) -> tuple[str, ...]:
        """The labels of a variable."""
        return self.layout.labels[self.layout.graph.index[variable]]

    def known(self, event: Event) -> Any:
        """The probability of an event of one district, where the data determine it; None elsewhere."""
        world = single_world(self.layout, event)
        if world is None:
            return None
        members = sum(1 << position for (position, _), _ in event)
        factor = self.factor(members)
        if factor is None or factor.values is None:
            return None
        value = factor.values[tuple(world[position] for position in (*factor.outside, *factor.visible))]
        return None if value != value else value

    def facts(self, district: int) -> list[DistrictFactor]:
        """The factors of a district; those that only identification finds join them once they are asked for.

        A factor that follows from an earlier one is left out: data of two samples never agree on it exactly.
        """
        if district not in self._facts:
            self._facts[district] = []
            for each in self.evidence:
                for factor in district_factors(self.layout, each, district):
                    self._add(self._facts[district], factor)
        return self._facts[district]

    def _add(self, known: list[DistrictFactor], factor: DistrictFactor) -> None:
        for earlier in known:
            implied = marginal(self.layout, earlier, factor.members) if not factor.hidden else None
            if implied is not None and (implied.values is None or bool(np.all(implied.values == implied.values))):
                self._compare(implied, factor)
                return
        known.append(factor)

    def _compare(self, implied: DistrictFactor, factor: DistrictFactor) -> None:
        if implied.values is None or factor.values is None:
            return
        gap = np.abs(np.asarray(implied.values, np.float64) - np.asarray(factor.values, np.float64))
        most = float(np.nanmax(gap, initial=0.0))
        if most > SAME:
            names = ", ".join(self.layout.graph.members(factor.members))
            self.notes.append(f"two distributions differ on {{{names}}} by up to {most:.2g}; the first is used")

    def factor(self, members: int) -> DistrictFactor | None:
        """The factor Q[members] of a part of a district, where the data determine it."""
        if members not in self._found:
            self._found[members] = self._factor(members)
        return self._found[members]

    def _factor(self, members: int) -> DistrictFactor | None:
        district = next(part for part in self.layout.districts if part & members)
        for factor in self.facts(district):
            found = marginal(self.layout, factor, members)
            if found is not None:
                return found
        return None if self.layout.free(district) else self._identified(district, members)

    def _identified(self, district: int, members: int) -> DistrictFactor | None:
        """The factor by identification from all distributions that measure every variable, kept as a fact."""
        graph = self.layout.graph
        whole = [each for each in self.evidence if set(graph.names) <= {*each.variables, *each.do}]
        if not whole or any(each.distribution is None for each in whole):
            return None
        outside = graph.outside_parents(members)
        query = probability(graph.members(members), do=graph.members(outside))
        sources = tuple(Source(str(n) if n else None, e.do, e.differs) for n, e in enumerate(whole))
        outcome = identify(query, self.layout.diagram, None, sources)
        if not isinstance(outcome, Identified):
            return None
        given: list[Distribution] = [each.distribution for each in whole if each.distribution is not None]
        order = [*graph.members(outside), *graph.members(members)]
        try:
            named = {str(number): each for number, each in enumerate(given)}
            table = evaluate(outcome.formula, Sources(named, given[0]), order)
        except SutureError:
            return None
        values = np.asarray(table.values, dtype=object)
        found = DistrictFactor(members, 0, tuple(bits(outside)), outcome.formula, values)
        self.facts(district).append(found)
        return found

    def reasons(self, districts: Iterable[int]) -> tuple[str, ...]:
        """Why bounds that depend on the types of these districts may not be sharp."""
        found: list[str] = []
        for district in sorted(districts):
            names = ", ".join(self.layout.graph.members(district))
            if not self.layout.free(district):
                found.append(
                    f"several latent causes hold {{{names}}} together, and that they are independent is not used"
                )
            if any(leaves_out(self.layout, each, district) for each in self.evidence):
                found.append(f"a distribution says more of {{{names}}} than is linear in response types")
        return tuple(found)


def single_world(layout: Layout, event: Event) -> dict[int, int] | None:
    """The values of an event's variables and their parents, if it asks each variable once and all in one world."""
    values = {position: value for (position, _), value in event}
    if len(values) < len(event):
        return None
    for (position, case), _ in event:
        for parent, value in zip(layout.parents[position], case, strict=True):
            if values.setdefault(parent, value) != value:
                return None
    return values


# ---------------------------------------------------------------------------------------------------------------------
# Setting up


def problem_of(
    formula: Formula, diagram: Diagram, evidence: tuple[Evidence, ...], labels: Mapping[str, tuple[str, ...]]
) -> Problem:
    """The problem of a query; variables that are neither measured nor asked for count as latent.

    Raises `SutureError` S427 where a variable has no values, S441 where data and model give it different ones.
    """
    asked = variables(formula)
    measured = {name for each in evidence for name in (*each.variables, *each.do)}
    observed = [diagram.wires[wire].name for wire in diagram.outputs]
    hidden = tuple(name for name in observed if name not in asked and name not in measured)
    fixed = set_variables(formula).union(*((*each.do, *each.differs) for each in evidence))
    shown = [name for name in observed if name not in hidden]
    return Problem(layout_of(diagram, _labels(shown, evidence, labels), fixed, hidden), evidence, hidden)


def _labels(
    names: Sequence[str], evidence: Sequence[Evidence], given: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The labels of each variable, as given or as the first distribution that measures it has them."""
    found = {name: given[name] for name in names if name in given}
    for each in evidence:
        for name in (name for name in (*each.variables, *each.do) if each.distribution and name in names):
            labels = each.distribution.labels(name) if each.distribution else ()
            if found.setdefault(name, labels) != labels:
                message = f"{name} has the values {one_of(found[name])} in one place and {one_of(labels)} in another"
                raise SutureError(Diagnostic("S441", message, help=f"declare the values of {name} in the model"))
    missing = [name for name in names if name not in found]
    if missing:
        message = f"the values of {missing[0]} are not given"
        raise SutureError(Diagnostic("S427", message, help=f"declare them: {missing[0]} : {{no, yes}}"))
    return found
