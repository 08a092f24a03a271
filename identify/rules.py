"""The rules of surgery and combs, as values and as functions that build their steps.

This is the small trusted core.  Each function checks the side conditions of its rule on the graph, raises `RuleError`
where one fails, and returns the step with those conditions recorded.  Algorithms decide which rule to use; `replay.py`
calls the same functions on what a step records and compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..dsl.formula import (
    Formula,
    Kernel,
    Symbol,
    kernel_terms,
    probability,
    product,
    ratio,
    substitute,
    sum_over,
    terms,
)
from . import combs
from .combs import Comb, surgery_kernel
from .derivation import (
    OBSERVED,
    Ancestral,
    AnyValue,
    Components,
    Hidden,
    Invariant,
    Rule,
    Separated,
    SideCondition,
    Source,
    Step,
    Teeth,
)
from .graph import CausalGraph

CUT = Rule(
    "cut",
    "the boxes of the variables set from outside give way to states; boxes on which no outcome depends are dropped",
    "Jacobs, Kissinger, Zanasi 2018, definition 4.1; Fritz 2020, definition 2.1",
)
COMPONENTS = Rule(
    "components",
    "what latent wires hold together stays together: the diagram is the product of its c-components",
    "Tian and Pearl 2002, lemma 2",
)
COMB = Rule(
    "comb",
    "a c-component is an n-comb, and its teeth are the conditionals of the state it is disintegrated from",
    "Jacobs, Kissinger, Zanasi 2018, theorem 5.3; Tian and Pearl 2002, lemma 4",
)
DISCARD = Rule(
    "discard",
    "outputs that no other box of the comb reads are discarded",
    "Fritz 2020, definition 2.1; Tian and Pearl 2002, lemma 3",
)
PLUG = Rule(
    "plug",
    "each component gives way to its comb, and the holes are filled with the values that are set",
    "Jacobs, Kissinger, Zanasi 2018, section 6",
)

OBSERVE = Rule("observe", "without surgery the query is read off the observed distribution", "definition")
EXCHANGE = Rule(
    "exchange",
    "observing and setting a variable is the same where it is separated from the outcomes once its arrows out are cut",
    "Pearl 1995, rule 2 of the do-calculus",
)
CONDITION = Rule(
    "condition", "P(Y | do(X), Z) is P(Y, Z | do(X)) divided by its sum over Y", "definition of conditionals"
)

TRANSPORT = Rule(
    "transport",
    "boxes whose mechanisms are the same in both domains do the same in both",
    "Bareinboim and Pearl 2014; Lee, Correa, Bareinboim 2020",
)

HIDE = Rule(
    "hide",
    "what may be discarded may be discarded first: a distribution determines those of fewer variables",
    "Fritz 2020, definition 2.1; Tikka and Karvanen 2018 (pruning)",
)

RULES = (TRANSPORT, HIDE, CUT, COMPONENTS, COMB, DISCARD, PLUG, OBSERVE, EXCHANGE, CONDITION)


class RuleError(Exception):
    """A side condition that does not hold; a bug in an algorithm, or a derivation that was tampered with."""


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise RuleError(reason)


def query_values(query: Kernel) -> Mapping[str, str | Symbol | None]:
    """The values that a query fixes, by variable."""
    return {term.variable: term.value for term in kernel_terms(query) if term.value is not None}


def needed(graph: CausalGraph, query: Kernel) -> tuple[int, int, int]:
    """The masks of outcomes, of variables set, and of the boxes left after surgery (the outcomes' ancestors)."""
    outcomes = graph.mask([term.variable for term in query.outcomes])
    do = graph.mask([term.variable for term in query.do])
    return outcomes, do, graph.ancestors(outcomes, graph.everything & ~do)


def cut(graph: CausalGraph, query: Kernel) -> Step:
    """P(Y | do(X)) as the sum over the boxes that are left of what they do."""
    _require_plain(query)
    outcomes, _, left = needed(graph, query)
    after = sum_over(graph.members(left & ~outcomes), _kernel_like(graph, left, query))
    condition = Ancestral(graph.members(left), graph.names, tuple(term.variable for term in query.do))
    return Step(CUT, query, substitute(after, query_values(query)), (condition,))


def _require_own(query: Kernel) -> None:
    """The query is about the model itself, in one world."""
    _require(query.source is None, "the query is about another source")
    _require(not any(term.world for term in kernel_terms(query)), "the query has terms in other worlds")


def _require_plain(query: Kernel) -> None:
    """Surgery is on P(Y | do(X)) itself: nothing given, no other source, no other world, every variable named once."""
    names = [term.variable for term in kernel_terms(query)]
    _require(bool(query.outcomes), "the query has no outcome")
    _require(not query.given, "the query has conditions")
    _require_own(query)
    _require(len(set(names)) == len(names), "the query names a variable twice")


def hide(graph: CausalGraph, query: Kernel, hidden: int) -> tuple[CausalGraph, Step]:
    """The graph in which variables that the query does not name are latent, and the step that says so."""
    _require_plain(query)
    outcomes, do, _ = needed(graph, query)
    _require(hidden != 0 and not hidden & (outcomes | do), "a variable of the query cannot be hidden")
    return graph.without(hidden), Step(HIDE, query, query, (Hidden(graph.members(hidden)),))


def _kernel_like(graph: CausalGraph, members: int, query: Kernel) -> Kernel:
    """Q[members], its outcomes in the order of the query where they are asked for."""
    asked = [term.variable for term in query.outcomes]
    names = asked + [name for name in graph.members(members) if name not in asked]
    return Kernel(terms(names), (), graph.terms(graph.outside_parents(members)))


def components(graph: CausalGraph, query: Kernel, before: Formula | None = None) -> Step:
    """The boxes that are left after the cut, as the product of their c-components; `before` is the cut's right side."""
    outcomes, do, left = needed(graph, query)
    groups = graph.districts(left)
    _require(graph.outside_parents(left) & ~do == 0, "a box reads a wire that is neither left nor set")
    after = sum_over(graph.members(left & ~outcomes), product(surgery_kernel(graph, group) for group in groups))
    condition = Components(tuple(map(graph.members, groups)), graph.members(left))
    return Step(COMPONENTS, before or cut(graph, query).after, substitute(after, query_values(query)), (condition,))


def comb_of_joint(graph: CausalGraph, within: int, district: int, source: Source = OBSERVED) -> tuple[Comb, Step]:
    """The comb of a district of an ancestral set, from the joint distribution of a source."""
    space = graph.everything & ~graph.mask(source.do)
    _require(within & ~space == 0, "the set the comb is taken from holds what the experiment set")
    _require(graph.ancestors(within, space) == within, "the set the comb is taken from is not ancestral")
    _require_district(graph, district, within)
    comb = combs.disintegrate_joint(graph, within, district, source)
    return comb, _comb_step(graph, comb, within, source)


def transport(graph: CausalGraph, known: Comb, source: Source) -> tuple[Comb, Step]:
    """The comb of another domain as that of the queried one, where none of its mechanisms differs."""
    _require(known.domain is not None and known.domain == source.name, "the comb is not of that source")
    _require(known.members & graph.mask(source.differs) == 0, "a mechanism of the comb differs between the domains")
    before, after = surgery_kernel(graph, known.members), surgery_kernel(graph, known.members, known.domain)
    condition = Invariant(graph.members(known.members), str(source.name))
    return replace(known, domain=None), Step(TRANSPORT, before, after, (condition,))


def comb_of_comb(graph: CausalGraph, known: Comb, district: int) -> tuple[Comb, Step]:
    """The comb of a district of the sub-graph on a comb's members."""
    _require_district(graph, district, known.members)
    comb = combs.disintegrate(graph, known, district)
    return comb, _comb_step(graph, comb, known.members)


def _require_district(graph: CausalGraph, district: int, within: int) -> None:
    _require(district != 0 and district & ~within == 0, "the component is not part of the set it is taken from")
    first = (district & -district).bit_length() - 1
    _require(graph.district(first, within) == district, "the component is not a whole c-component of that set")


def _comb_step(graph: CausalGraph, comb: Comb, within: int, source: Source | None = None) -> Step:
    teeth = tuple(map(graph.members, combs.runs(comb.members, within)))
    name, do = (comb.domain, ()) if source is None else (source.name, source.do)
    condition = Teeth(graph.members(comb.members), teeth, graph.members(within), name, do)
    before = surgery_kernel(graph, comb.members, comb.domain)
    return Step(COMB, before, comb.formula, _with_any_value(graph, comb, [condition]))


def discard(graph: CausalGraph, known: Comb, ancestral: int) -> tuple[Comb, Step]:
    """The comb of an ancestral subset of a comb's members."""
    _require(ancestral & ~known.members == 0, "the set kept is not part of the comb")
    _require(graph.ancestors(ancestral, known.members) == ancestral, "the set kept is not ancestral in the comb")
    comb = combs.discard(graph, known, ancestral)
    condition = Ancestral(graph.members(ancestral), graph.members(known.members))
    before = surgery_kernel(graph, ancestral, comb.domain)
    return comb, Step(DISCARD, before, comb.formula, _with_any_value(graph, comb, [condition]))


def _with_any_value(graph: CausalGraph, comb: Comb, conditions: list[SideCondition]) -> tuple[SideCondition, ...]:
    """The conditions, with the variables that the formula mentions though the comb does not read them."""
    free = combs.mentioned(graph, comb.formula)
    extra = free & ~(comb.members | graph.outside_parents(comb.members))
    return (*conditions, AnyValue(graph.members(extra))) if extra else tuple(conditions)


def plug(graph: CausalGraph, query: Kernel, known: Iterable[Comb], before: Formula | None = None) -> Step:
    """The components give way to their combs; `before` is the right side of the step to components."""
    outcomes, _, left = needed(graph, query)
    by_members = {comb.members: comb for comb in known if comb.domain is None}
    groups = graph.districts(left)
    _require(all(group in by_members for group in groups), "a component has no comb yet")
    body = product(by_members[group].formula for group in groups)
    after: Formula = substitute(sum_over(graph.members(left & ~outcomes), body), query_values(query))
    return Step(PLUG, before or components(graph, query).after, after)


# ---------------------------------------------------------------------------------------------------------------------
# Queries without surgery, and queries with conditions


def observational(sources: Iterable[Source]) -> Source | None:
    """The first source that only observed the queried domain."""
    return next((source for source in sources if not source.do and not source.differs), None)


def observe(graph: CausalGraph, query: Kernel, sources: Iterable[Source] = (OBSERVED,)) -> Step:
    """A query without surgery is read off the observed distribution."""
    _require_own(query)
    source = observational(sources)
    if source is None:
        raise RuleError("no source only observed the queried domain")
    _require(not query.do, "the query sets variables from outside")
    _require(all(term.variable in graph.index for term in kernel_terms(query)), "the query names what is not observed")
    return Step(OBSERVE, query, replace(query, source=source.name))


def exchange(graph: CausalGraph, query: Kernel, variable: str) -> Step:
    """A condition becomes a set variable where the two cannot be told apart: rule 2 of the do-calculus, right to
    left.
    """
    _require_own(query)
    do = tuple(term.variable for term in query.do)
    rest = tuple(term.variable for term in query.given if term.variable != variable)
    moved = tuple(term for term in query.given if term.variable == variable)
    _require(len(moved) == 1, "the variable is not a condition of the query")
    outcomes = tuple(term.variable for term in query.outcomes)
    condition = Separated(outcomes, (variable,), (*do, *rest), cut=do, cut_out=(variable,))
    _require(separation_holds(graph, condition), "the separation that rule 2 needs does not hold")
    given = tuple(term for term in query.given if term.variable != variable)
    return Step(EXCHANGE, query, replace(query, given=given, do=query.do + moved), (condition,))


def separation_holds(graph: CausalGraph, condition: Separated) -> bool:
    """Whether the separation can be read from the graph, after the cuts it names."""
    first, second, given = graph.mask(condition.first), graph.mask(condition.second), graph.mask(condition.given)
    if first & second or (first | second) & given:
        return False
    if condition.arrows:
        graph = graph.without_arrows(condition.arrows)
    return graph.separated(first, second, given, graph.mask(condition.cut), graph.mask(condition.cut_out))


def joint_kernel(query: Kernel) -> Kernel:
    """The effect on outcomes and conditions together, as a function of all of them."""
    return probability(
        [term.variable for term in (*query.outcomes, *query.given)], do=[term.variable for term in query.do]
    )


def condition(query: Kernel, joint: Formula) -> Step:
    """P(Y | do(X), Z) from the formula of P(Y, Z | do(X)): divided by its sum over Y."""
    _require(bool(query.given), "the query has no conditions")
    _require_own(query)
    below = sum_over([term.variable for term in query.outcomes], joint)
    return Step(CONDITION, query, substitute(ratio(joint, below), query_values(query)))
