"""What data say of each district: the factors Q[D] of every distribution at hand, as tables.

A distribution P(V | do(Z)) is the product over the districts D of the graph without Z of factors Q[D], each a function
of D and of what D reads from outside, and each the product over D of P(d | its Markov blanket before it, do(Z)) (Tian
and Pearl 2002).  Q[D] is the probability that the response types of D answer so; that is all the data say of them.
Data need not measure every variable: one without a measured descendant drops out, one all of whose children lie in its
own district is summed over inside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product as combinations
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.formula import Formula, Kernel, Symbol, Term, free_variables, product, substitute, sum_over, terms
from ...semantics.data.empirical import Empirical
from ...semantics.distribution import Distribution, position_of, symbols_of
from ...semantics.evaluate import evaluate
from ...semantics.factors import Factor, NamedTable, one_hot
from ...semantics.networks.contraction import contract
from ...semantics.semiring import PROBABILITY, RATIONAL, Array, Semiring
from ..graph import CausalGraph, bits
from .response_types import Layout, Question, diagram_of

MOST_CELLS = 1 << 18
ROUNDING = 1e-6


@dataclass(frozen=True)
class Evidence:
    """A distribution at hand: of `variables`, under `do`, where the mechanisms of `differs` are others.

    `name` is how kernels refer to it; None is the distribution of the model itself.
    """

    distribution: Distribution | None
    variables: tuple[str, ...]
    do: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    name: str | None = None


def from_data(data: Empirical, differs: Sequence[str] = (), name: str | None = None) -> Evidence:
    """The evidence of a data set, experimental where it was loaded so."""
    return Evidence(data, data.variables, data.do, tuple(differs), name)


def from_table(table: NamedTable, do: Sequence[str] = (), semiring: Semiring | None = None) -> Evidence:
    """The evidence of a table of probabilities P(the other variables | do(do)), one axis a variable.

    Raises `SutureError` S442 where an entry is negative or the entries at some values of `do` do not sum to one.
    """
    return Evidence(Tabulated(table, tuple(do), semiring or _semiring_of(table)), table.variables, tuple(do))


def _semiring_of(table: NamedTable) -> Semiring:
    exact = table.values.dtype == object and all(isinstance(entry, Fraction | int) for entry in table.values.flat)
    return RATIONAL if exact else PROBABILITY


@dataclass(frozen=True)
class Tabulated:
    """The distribution that a table of probabilities gives; see `from_table`."""

    table: NamedTable
    do: tuple[str, ...]
    semiring: Semiring

    def __post_init__(self) -> None:
        names = ", ".join(self.table.variables)
        gone = tuple(place for place, name in enumerate(self.table.variables) if name not in self.do)
        least = min(map(float, self.table.values.flat))
        if not least >= 0:
            message = f"one of the probabilities of {names} is {least:.6g}"
            raise SutureError(Diagnostic("S442", message, help="probabilities lie between 0 and 1"))
        totals = np.asarray(self.table.values.sum(axis=gone), dtype=np.float64)
        worst = float(totals.flat[np.argmax(np.abs(totals - 1))])
        if abs(worst - 1) > ROUNDING:
            at = f", at some value of {', '.join(self.do)}" if self.do else ""
            asked = f"P({', '.join(name for name in self.table.variables if name not in self.do)}"
            asked += f" | do({', '.join(self.do)}))" if self.do else ")"
            message = f"the probabilities of {names} sum to {worst:.6g}, not 1{at}"
            raise SutureError(Diagnostic("S442", message, help=f"give {asked}; for counts, divide by their sum"))

    def labels(self, variable: str) -> tuple[str, ...]:
        """The labels along the variable's axis."""
        return tuple(self.table.labels[self.table.variables.index(variable)])

    def joint(self, terms: Sequence[Term], source: str | None = None) -> Factor:
        """The probability of the terms, all in the world that the table is of; raises `SutureError` S422 otherwise."""
        worlds = {term.world for term in terms} or {()}
        setting = next(iter(worlds))
        if len(worlds) > 1 or sorted(part.variable for part in setting) != sorted(self.do):
            raise SutureError(Diagnostic("S422", "a table of probabilities answers for the world it is of alone"))
        factors = [Factor(self.table.variables, self.semiring.as_array(self.table.values))]
        for term in (*terms, *setting):
            labels = self.labels(term.variable)
            if isinstance(term.value, Symbol):
                tie = np.stack([one_hot(len(labels), place, self.semiring) for place in range(len(labels))])
                factors.append(Factor((term.variable, term.value), tie))
            else:
                place = position_of(str(term.value), term.variable, labels)
                factors.append(Factor((term.variable,), one_hot(len(labels), place, self.semiring)))
        axes = symbols_of([*terms, *setting])
        return Factor(axes, contract(factors, axes, semiring=self.semiring))


# ---------------------------------------------------------------------------------------------------------------------
# Factors


@dataclass(frozen=True)
class DistrictFactor:
    """Q[members] with the `hidden` ones summed out, as a formula and a table with axes (outside.., visible..).

    Entries are nan where the data do not determine them; `values` is None where only the form is wanted.
    """

    members: int
    hidden: int
    outside: tuple[int, ...]
    formula: Formula
    values: Array | None = None
    source: str | None = None

    @cached_property
    def visible(self) -> tuple[int, ...]:
        """The members that are measured, in causal order."""
        return tuple(bits(self.members & ~self.hidden))

    def questions(self, layout: Layout) -> Iterator[Question]:
        """One question for each combination of what the members read from outside."""
        for case in combinations(*(range(layout.sizes[position]) for position in self.outside)):
            yield Question(tuple(bits(self.members)), tuple(zip(self.outside, case, strict=True)))

    def seen(self, answer: tuple[int, ...]) -> tuple[int, ...]:
        """The measured part of an answer."""
        places = {member: place for place, member in enumerate(bits(self.members))}
        return tuple(answer[places[member]] for member in self.visible)

    def cell(self, question: Question, seen: tuple[int, ...]) -> Any:
        """The probability of measured values in a question; None where it is not determined."""
        if self.values is None:
            raise ValueError("the factor has no numbers")
        value = self.values[(*(value for _, value in question.given), *seen)]
        return None if value != value else value

    def cell_formula(self, layout: Layout, values: Mapping[int, int]) -> Formula:
        """The formula at the labels of the given positions, other variables, on which it does not depend, at any."""
        index = layout.graph.index
        free = sorted(index[name] for name in free_variables(self.formula))
        return substitute(self.formula, {layout.graph.names[p]: layout.labels[p][values.get(p, 0)] for p in free})


def district_factors(layout: Layout, evidence: Evidence, district: int) -> tuple[DistrictFactor, ...]:
    """The factors that a distribution gives within a district of the whole graph, in causal order.

    Where the mechanism of a member differs, what it and its descendants within the factor do is left aside.
    """
    reach, found = _reach(layout, evidence, district), list[DistrictFactor]()
    for part in reach.parts:
        if part & ~reach.hidden and is_linear(layout.graph, part, reach.hidden, reach.kept):
            factor = _factor(layout, evidence, part, reach.do, reach.hidden)
            same = part & ~layout.graph.descendants(part & reach.differs, part)
            kept = factor if same == part else marginal(layout, factor, same) if same else None
            found += [kept] if kept is not None else []
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a distribution says of a district: the variables it sets, lacks, and has with other mechanisms.

    `kept` are those with a measured descendant, `parts` the districts among them that lie within the given one.
    """

    do: int
    hidden: int
    differs: int
    kept: int
    parts: tuple[int, ...]


def _reach(layout: Layout, evidence: Evidence, district: int) -> _Reach:
    graph = layout.graph
    do, measured, differs = (
        graph.mask(name for name in names if name in graph.index)
        for names in (evidence.do, evidence.variables, evidence.differs)
    )
    kept = graph.ancestors(measured & ~do, graph.everything & ~do)
    parts = tuple(part for part in graph.districts(kept) if part & ~district == 0)
    return _Reach(do, kept & ~measured, differs, kept, parts)


def is_linear(graph: CausalGraph, part: int, hidden: int, kept: int) -> bool:
    """Whether unmeasured variables stay within the district: none is read from outside, none is read outside."""
    outward = any(graph.children[position] & kept & ~part for position in bits(part & hidden))
    return not outward and not graph.outside_parents(part) & hidden


def leaves_out(layout: Layout, evidence: Evidence, district: int) -> bool:
    """Whether a distribution says something of a district that its factors, linear in response types, do not say."""
    graph, reach = layout.graph, _reach(layout, evidence, district)
    for part in reach.parts:
        below = graph.descendants(part & reach.differs, part)
        if (
            not is_linear(graph, part, reach.hidden, reach.kept)
            or below & ~reach.differs
            or (below and part & reach.hidden)
        ):
            return True
    return False


def marginal(layout: Layout, factor: DistrictFactor, members: int) -> DistrictFactor | None:
    """Q[members] from a factor of more, where they are ancestral in it and nothing is hidden; else None."""
    graph = layout.graph
    if members & ~factor.members or factor.hidden:
        return None
    if graph.ancestors(members, factor.members) != members:
        return None
    if members == factor.members:
        return factor
    gone = [position for position in factor.visible if not members >> position & 1]
    outside = tuple(bits(graph.outside_parents(members)))
    formula = _summed(factor.formula, layout.graph.members(factor.members & ~members))
    axes = (*factor.outside, *factor.visible)
    if factor.values is None:
        return DistrictFactor(members, 0, outside, formula, None, factor.source)
    summed = factor.values.sum(axis=tuple(axes.index(position) for position in gone))
    rest = [position for position in axes if position not in gone]
    unused = tuple(
        place for place, position in enumerate(rest) if position in factor.outside and position not in outside
    )
    values = np.asarray(first_determined(np.asarray(summed, dtype=object), unused), dtype=object)
    return DistrictFactor(members, 0, outside, formula, values, factor.source)


def _summed(formula: Formula, names: Sequence[str]) -> Formula:
    """The formula summed over variables, which a single kernel drops."""
    if isinstance(formula, Kernel):
        outcomes = tuple(term for term in formula.outcomes if term.variable not in names)
        return Kernel(outcomes, formula.given, formula.do, formula.source)
    return sum_over(names, formula)


def first_determined(values: Array, axes: Sequence[int]) -> Array:
    """The values with some axes left out, on which they do not depend: the first entry that is a number."""
    moved = np.moveaxis(values, axes, range(len(axes)))
    shape = moved.shape[len(axes) :]
    slices = moved.reshape(-1, *shape)
    made = np.array(slices[0], dtype=object)
    for other in slices[1:]:
        made = np.where(made == made, made, other)
    return made


def _factor(layout: Layout, evidence: Evidence, part: int, do: int, hidden: int) -> DistrictFactor:
    graph = layout.graph
    seen = CausalGraph.of(diagram_of(graph, do, hidden))
    within = seen.everything & ~seen.mask(graph.members(do))
    kernels = []
    for name in graph.members(part & ~hidden):
        before = seen.members(seen.blanket(seen.index[name], within))
        kernels.append(Kernel(terms([name]), terms(before), graph.terms(do), evidence.name))
    outside = tuple(bits(graph.outside_parents(part)))
    made = DistrictFactor(part, part & hidden, outside, joined(kernels), None, evidence.name)
    if evidence.distribution is None:
        return made
    values = _table(layout, evidence.distribution, kernels, made, do)
    return DistrictFactor(part, part & hidden, outside, made.formula, values, evidence.name)


def joined(kernels: Sequence[Kernel]) -> Formula:
    """The product of the kernels, a run of the chain rule written as one kernel."""
    runs: list[Kernel] = []
    for kernel in kernels:
        last = runs[-1] if runs else None
        if last is not None and set(kernel.given) == {*last.outcomes, *last.given}:
            runs[-1] = Kernel((*last.outcomes, *kernel.outcomes), last.given, last.do, last.source)
        else:
            runs.append(kernel)
    return product(runs)


def _table(
    layout: Layout, distribution: Distribution, kernels: Sequence[Kernel], factor: DistrictFactor, do: int
) -> Array:
    """The factor's table, the mean over those set variables that it does not depend on."""
    names, axes = layout.graph.names, (*factor.outside, *factor.visible)
    shape = [layout.sizes[position] for position in axes]
    cells = math.prod(shape)
    if cells > MOST_CELLS:
        text = f"the factor of {{{', '.join(layout.graph.members(factor.members))}}} has {cells:,} entries"
        raise SutureError(
            Diagnostic("S603", f"{text}, more than {MOST_CELLS:,}", help="leave variables out of the model")
        )
    plain = product(Kernel(kernel.outcomes, kernel.given, kernel.do) for kernel in kernels)
    free = [position for position in axes if not do >> position & 1]
    total: Array = np.full(shape, Fraction(0), dtype=object)
    count: Array = np.zeros(shape, dtype=np.int64)
    zero: Array = np.full((), Fraction(0), dtype=object)
    for setting in combinations(*(range(layout.sizes[position]) for position in bits(do))):
        chosen = dict(zip(bits(do), setting, strict=True))
        found = _under(layout, distribution, plain, chosen, [names[position] for position in free])
        if found is not None:
            place = tuple(chosen[position] if do >> position & 1 else slice(None) for position in axes)
            sure = found == found
            total[place] = total[place] + np.where(sure, found, zero)
            count[place] = count[place] + sure
    return _mean(total, count)


def _mean(total: Array, count: Array) -> Array:
    made: Array = np.full(total.shape, float("nan"), dtype=object)
    for place in np.ndindex(*total.shape):
        if count[place] == 1:
            made[place] = total[place]
        elif count[place]:
            made[place] = total[place] / int(count[place])
    return made


def _under(
    layout: Layout, distribution: Distribution, formula: Formula, setting: Mapping[int, int], order: Sequence[str]
) -> Array | None:
    """The formula's table at one setting of the experiment; None where the experiment has no such setting."""
    labelled = {layout.graph.names[position]: layout.labels[position][value] for position, value in setting.items()}
    try:
        table = evaluate(substitute(formula, labelled), distribution, order)
    except SutureError as error:
        if error.diagnostics[0].code == "S431":
            return None
        raise
    return np.asarray(table.values, dtype=object)
