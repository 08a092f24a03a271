"""Simplification of estimands to the form a textbook gives them, as named rewrite steps.

Each `Rewrite` is a rule with a function from formula to formula that keeps the value in every model over the graph.
Those of `REWRITES` are probability theory or a separation read from the graph; they run in order until none changes
anything.  The last rule, `back door`, replaces the whole formula where covariates exist that block every back-door path
and the adjustment formula is shorter.

Sources: Pearl (1995), theorem 1 (back door); Tikka and Karvanen (2017), "Simplifying probabilistic expressions in
causal inference", JMLR 18 (the aim; the rules here are simpler).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from ..dsl.formula import (
    ONE,
    Formula,
    Kernel,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    equal,
    free_symbols,
    fresh_name,
    kernel_terms,
    kernels,
    product,
    ratio,
    rebuild,
    rename_symbols,
    subformulas,
    substitute,
    sum_over,
    symbols,
    terms,
)
from .derivation import OBSERVED, Rule, Separated, SideCondition, Source, Step
from .graph import CausalGraph, bits
from .rules import observational, query_values, separation_holds

FUSE = Rule("fuse sums", "a sum of a sum is one sum", "arithmetic")
FACTOR = Rule("factor out", "what does not depend on the bound variables stands in front of the sum", "distributivity")
MARGINAL = Rule("marginal", "a distribution summed over one of its outcomes is that of the others", "probability")
CANCEL = Rule("conditional", "P(A, B | C) / P(B | C) is P(A | B, C), and equal factors cancel", "probability")
CHAIN = Rule("chain rule", "P(A | B, C) P(B | C) is P(A, B | C)", "probability")
SEPARATION = Rule(
    "separation",
    "a condition that is d-separated from the outcomes by the other conditions may go",
    "Pearl 1988, the global Markov property",
)
BACK_DOOR = Rule(
    "back door",
    "covariates that no set variable affects and that block every back-door path: adjust for them",
    "Pearl 1995, theorem 1",
)

# Beyond this many kernels a separation test for every condition costs more than a shorter formula is worth.
SEPARATION_LIMIT = 60
# Beyond this many candidate covariates the search for a minimal back-door set is not tried.
COVARIATE_LIMIT = 80


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A rule and its function, which returns an equal formula and the side conditions it used."""

    rule: Rule
    apply: Callable[[CausalGraph, Formula], tuple[Formula, tuple[SideCondition, ...]]]
    # What it does to one node that is no kernel; None where it acts on kernels, by what the graph says.
    change: Callable[[Formula], Formula] | None = None


def simplification(
    graph: CausalGraph, formula: Formula, query: Kernel | None = None, sources: Sequence[Source] = (OBSERVED,)
) -> tuple[Step, ...]:
    """The steps that lead from a formula to its simplest form; none where it is simple already.

    With the query the back-door form is tried at last, where a source observed the queried domain.
    """
    steps = _rewritten(graph, formula, minimal=query is not None)
    formula = steps[-1].after if steps else formula
    source = observational(sources)
    if query is not None and source is not None:
        step = back_door(graph, query, formula, source)
        if step is not None:
            steps += [step, *_rewritten(graph, step.after)]
    return tuple(steps)


def _rewritten(graph: CausalGraph, formula: Formula, minimal: bool = False) -> list[Step]:
    """The steps of the rewrites, in turn, until a whole round of them changes nothing.

    In a `minimal` formula no condition can go, so separations are tried only once something else has changed.
    """
    steps: list[Step] = []
    inner, idle = _inner(formula), 0
    for rewrite in cycle(REWRITES):
        idle += 1
        if idle > len(REWRITES):
            break
        # Mostly no node changes, and then the formula need not be built again to see it.
        if rewrite.change is not None and all(rewrite.change(node) is node for node in inner):
            continue
        if minimal and not steps and rewrite.rule is SEPARATION:
            continue
        after, because = rewrite.apply(graph, formula)
        if after is not formula:
            steps.append(Step(rewrite.rule, formula, after, because))
            formula, inner, idle = after, _inner(after), 0
    return steps


def _inner(formula: Formula) -> list[Formula]:
    """The nodes of a formula that are no kernels."""
    return [node for node in subformulas(formula) if not isinstance(node, Kernel)]


# ---------------------------------------------------------------------------------------------------------------------
# Sums


def factors(formula: Formula) -> tuple[Formula, ...]:
    """The factors of a product; any other formula is its own only factor."""
    return formula.factors if isinstance(formula, Product) else (formula,)


def _plain(rule: Rule, change: Callable[[Formula], Formula]) -> Rewrite:
    """A rewrite of single nodes, applied everywhere, that needs nothing of the graph."""
    return Rewrite(rule, lambda graph, formula: (rebuild(formula, change), ()), change)


def _fuse(node: Formula) -> Formula:
    if isinstance(node, Sum) and isinstance(node.body, Sum):
        inner = _renamed_apart(node.body, node.binders)
        return Sum(node.binders + inner.binders, inner.body)
    return node


def _renamed_apart(inner: Sum, outer: Sequence[Symbol]) -> Sum:
    """`inner` with its binders renamed where an outer one is called the same."""
    names = {symbol.name for symbol in outer}
    if names.isdisjoint(symbol.name for symbol in inner.binders):
        return inner
    taken = names | {symbol.name for symbol in symbols(inner)}
    renaming: dict[Symbol, Symbol] = {}
    for symbol in inner.binders:
        if symbol.name in names:
            renaming[symbol] = Symbol(fresh_name(symbol.variable, taken), symbol.variable)
            taken.add(renaming[symbol].name)
    renamed = rename_symbols(inner, renaming)
    assert isinstance(renamed, Sum)
    return renamed


def _factor_out(node: Formula) -> Formula:
    """Put factors without bound variables in front, and push a binder into the only factor that mentions it, if a
    sum.
    """
    if not isinstance(node, Sum):
        return node
    parts = list(factors(node.body))
    uses = [free_symbols(part) for part in parts]
    kept: list[Symbol] = []
    for symbol in node.binders:
        places = [place for place, use in enumerate(uses) if symbol in use]
        if len(places) == 1 and len(parts) > 1 and isinstance(parts[places[0]], Sum):
            parts[places[0]] = _fuse(Sum((symbol,), parts[places[0]]))
            uses[places[0]] -= {symbol}
        else:
            kept.append(symbol)
    inside = [part for part, use in zip(parts, uses, strict=True) if not use.isdisjoint(kept)]
    outside = [part for part, use in zip(parts, uses, strict=True) if use.isdisjoint(kept)]
    if len(kept) == len(node.binders) and (not outside or not inside):
        return node
    return product((*outside, Sum(tuple(kept), product(inside)) if kept else ONE))


def _marginalise(node: Formula) -> Formula:
    """Drop every binder that occurs once, as an outcome of a factor that is a kernel, until none is left.

    A factor that is summed to one frees the symbols of its conditions, so the places of every symbol are kept up to
    date.
    """
    if not isinstance(node, Sum):
        return node
    parts = list(factors(node.body))
    places: dict[Symbol, set[int]] = {symbol: set() for symbol in node.binders}
    for place, part in enumerate(parts):
        for symbol in free_symbols(part) & places.keys():
            places[symbol].add(place)
    pending = [symbol for symbol in reversed(node.binders) if len(places[symbol]) == 1]
    dropped: set[Symbol] = set()
    while pending:
        symbol = pending.pop()
        (place,) = places[symbol] or (None,)
        if symbol in dropped or place is None or not _is_only_outcome(parts[place], symbol):
            continue
        before = free_symbols(parts[place])
        parts[place] = _without_outcome(parts[place], symbol)
        dropped.add(symbol)
        for freed in sorted((before - free_symbols(parts[place])) & places.keys()):
            places[freed].discard(place)
            if len(places[freed]) == 1:
                pending.append(freed)
    if not dropped:
        return node
    binders = tuple(symbol for symbol in node.binders if symbol not in dropped)
    return Sum(binders, product(parts)) if binders else product(parts)


def _is_only_outcome(part: Formula, symbol: Symbol) -> bool:
    if not isinstance(part, Kernel) or any(term.world for term in kernel_terms(part)):
        return False
    elsewhere = [term for term in (*part.given, *part.do) if term.value == symbol]
    return sum(term.value == symbol for term in part.outcomes) == 1 and not elsewhere


def _without_outcome(part: Formula, symbol: Symbol) -> Formula:
    assert isinstance(part, Kernel)
    outcomes = tuple(term for term in part.outcomes if term.value != symbol)
    return replace(part, outcomes=outcomes) if outcomes else ONE


# ---------------------------------------------------------------------------------------------------------------------
# Products and quotients


def cancelled(node: Formula) -> Formula:
    """Take equal factors out of a quotient, and read quotients of kernels as conditionals."""
    if isinstance(node, Product):
        return _cancel_beside(node)
    if not isinstance(node, Ratio):
        return node
    above, below = list(factors(node.numerator)), list(factors(node.denominator))
    for part in list(below):
        match = next((other for other in above if equal(other, part)), None)
        if match is not None:
            above.remove(match)
            below.remove(part)
            continue
        for place, other in enumerate(above):
            conditional = _conditional(other, part)
            if conditional is not None:
                above[place] = conditional
                below.remove(part)
                break
    if len(below) == len(factors(node.denominator)):
        return node
    return ratio(product(above), product(below))


def _cancel_beside(node: Product) -> Formula:
    """A f/A is f, for a factor A beside a quotient; quotients first, since sums are dear to compare."""
    parts = list(node.factors)
    for place, part in enumerate(parts):
        if isinstance(part, Ratio):
            other = next((i for i, factor in enumerate(parts) if equal(factor, part.denominator)), None)
            if other is not None:
                parts[place] = part.numerator
                del parts[other]
                return product(parts)
    return node


def _conditional(above: Formula, below: Formula) -> Formula | None:
    """P(A | B, C) for P(A, B | C) above P(B | C)."""
    if not isinstance(above, Kernel) or not isinstance(below, Kernel):
        return None
    alike = set(above.given) == set(below.given) and above.do == below.do and above.source == below.source
    if not alike or not set(below.outcomes) < set(above.outcomes):
        return None
    left = tuple(term for term in above.outcomes if term not in below.outcomes)
    return replace(above, outcomes=left, given=below.outcomes + above.given)


def _chain(node: Formula) -> Formula:
    """Join P(A | B, C) and P(B | C) wherever both are factors of one product."""
    if not isinstance(node, Product):
        return node
    parts: list[Formula] = list(node.factors)
    while True:
        pair = _chain_pair(parts)
        if pair is None:
            return node if len(parts) == len(node.factors) else product(parts)
        first, second = pair
        early, late = parts[first], parts[second]
        assert isinstance(early, Kernel)
        assert isinstance(late, Kernel)
        parts[first] = replace(early, outcomes=early.outcomes + late.outcomes)
        del parts[second]


def _chain_pair(parts: Sequence[Formula]) -> tuple[int, int] | None:
    """Places of P(B | C) and P(A | B, C) among the factors."""
    by_scope: dict[tuple[frozenset[Term], tuple[Term, ...], str | None], int] = {}
    sizes = {len(part.given) for part in parts if isinstance(part, Kernel)}
    for place, part in enumerate(parts):
        if isinstance(part, Kernel) and len(part.outcomes) + len(part.given) in sizes:
            by_scope.setdefault((frozenset(part.outcomes + part.given), part.do, part.source), place)
    for place, part in enumerate(parts):
        if isinstance(part, Kernel) and by_scope:
            early = by_scope.get((frozenset(part.given), part.do, part.source))
            if early is not None and early != place:
                return early, place
    return None


# ---------------------------------------------------------------------------------------------------------------------
# What the graph says


def _separate(graph: CausalGraph, formula: Formula) -> tuple[Formula, tuple[SideCondition, ...]]:
    """Drop conditions of do-free kernels that the others separate from the outcomes."""
    if len(kernels(formula)) > SEPARATION_LIMIT:
        return formula, ()
    used: list[SideCondition] = []

    def node(part: Formula) -> Formula:
        if not isinstance(part, Kernel) or part.do or part.source or any(t.world for t in kernel_terms(part)):
            return part
        given = list(part.given)
        for term in part.given:
            rest = [other for other in given if other != term]
            condition = _separation(part.outcomes, term, rest)
            if term in given and separation_holds(graph, condition):
                given = rest
                used.append(condition)
        return replace(part, given=tuple(given)) if len(given) < len(part.given) else part

    after = rebuild(formula, node)
    return after, tuple(dict.fromkeys(used))


def _separation(outcomes: Sequence[Term], dropped: Term, rest: Sequence[Term]) -> Separated:
    names = tuple(term.variable for term in outcomes)
    return Separated(names, (dropped.variable,), tuple(term.variable for term in rest))


def back_door(graph: CausalGraph, query: Kernel, formula: Formula, source: Source = OBSERVED) -> Step | None:
    """The step to the adjustment formula, where covariates for it exist and it is shorter than `formula`.

    None are looked for where `formula` is no longer than the adjustment formula without any.
    """
    if size(formula) <= size(adjustment_formula(graph, query, 0, source)):
        return None
    covariates = back_door_set(graph, query)
    if covariates is None:
        return None
    after = adjustment_formula(graph, query, covariates, source)
    if size(after) >= size(formula):
        return None
    return Step(BACK_DOOR, formula, after, back_door_conditions(graph, query, covariates))


def adjustment_formula(graph: CausalGraph, query: Kernel, covariates: int, source: Source = OBSERVED) -> Formula:
    """The sum over z of P(y | x, z) P(z)."""
    outcomes = [term.variable for term in query.outcomes]
    do, names = [term.variable for term in query.do], graph.members(covariates)
    kernel = Kernel(terms(outcomes), terms((*do, *names)), (), source.name)
    body = sum_over(names, product((kernel, Kernel(terms(names), (), (), source.name)))) if names else kernel
    return substitute(body, query_values(query))


def back_door_conditions(graph: CausalGraph, query: Kernel, covariates: int) -> tuple[Separated, ...]:
    """The two separations of the back-door criterion: nothing set affects the covariates; they block the rest."""
    outcomes = tuple(term.variable for term in query.outcomes)
    do, names = tuple(term.variable for term in query.do), graph.members(covariates)
    blocked = Separated(outcomes, do, names, cut_out=do)
    return (Separated(names, do, (), cut=do), blocked) if names else (blocked,)


def back_door_set(graph: CausalGraph, query: Kernel) -> int | None:
    """A minimal set that satisfies the back-door criterion; None where none exists or too many candidates do."""
    outcomes = graph.mask(term.variable for term in query.outcomes)
    do = graph.mask(term.variable for term in query.do)
    if not do:
        return None
    candidates = graph.ancestors(outcomes | do) & ~graph.descendants(do) & ~outcomes
    if candidates.bit_count() > COVARIATE_LIMIT or not graph.separated(outcomes, do, candidates, cut_out=do):
        return None
    for position in list(bits(candidates)):
        smaller = candidates & ~(1 << position)
        if graph.separated(outcomes, do, smaller, cut_out=do):
            candidates = smaller
    return candidates


def size(formula: Formula) -> int:
    """How much there is to read: kernels, their terms, binders and quotients."""
    size = 0
    for node in subformulas(formula):
        if isinstance(node, Kernel):
            size += 1 + len(kernel_terms(node))
        elif isinstance(node, Sum):
            size += len(node.binders)
        elif isinstance(node, Ratio):
            size += 2
    return size


REWRITES = (
    _plain(FUSE, _fuse),
    _plain(FACTOR, _factor_out),
    _plain(MARGINAL, _marginalise),
    _plain(CANCEL, cancelled),
    Rewrite(SEPARATION, _separate),
    _plain(CHAIN, _chain),
)
