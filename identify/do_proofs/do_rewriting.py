"""Using an equality between formulas: wherever an instance of its left side stands, put that of the right side.

The variables of an equality are bare: it holds at all their values.  An instance gives each of them a value: a label,
a symbol bound further out, or the bare variable again.  Kernels are compared as sets of terms, sums up to the names of
what they bind.  A variable that only the right side mentions may take any value, since the left side does not depend on
it; it takes the one it has in that place: that of the innermost sum over it, else the one that the query fixes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias, assert_never

from ...dsl.formula import (
    Constant,
    Formula,
    Kernel,
    Plus,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    ValueOf,
    canonical,
    children,
    equal,
    free_variables,
    product,
    rebuild,
    subformulas,
    substitute,
    with_children,
)

Value: TypeAlias = str | Symbol | None


def replaced(
    formula: Formula, before: Formula, after: Formula, fixed: Mapping[str, Value] | None = None
) -> tuple[Formula, int]:
    """The formula with every instance of `before` replaced by that of `after`, and how many there were."""
    pattern, extra = canonical(before), free_variables(after) - free_variables(before)
    count = 0
    results: list[Formula] = []
    work: list[tuple[Formula, Mapping[str, Value], bool]] = [(canonical(formula), fixed or {}, False)]
    while work:
        node, scope, done = work.pop()
        below = children(node)
        if done:
            results.append(with_children(node, tuple(results.pop() for _ in below)[::-1]))
            continue
        found = _found(pattern, node)
        if found is not None:
            count += 1
            values, others = found
            new = substitute(after, values | {name: scope.get(name) for name in extra})
            whole = product((*others[0], new, *others[1])) if others else new
            # The other factors may hold further instances; each use leaves fewer factors where it leaves a kernel.
            if others and isinstance(new, Kernel):
                work.append((whole, scope, False))
            else:
                results.append(whole)
        elif not below:
            results.append(node)
        else:
            if isinstance(node, Sum):
                scope = {**scope, **{symbol.variable: symbol for symbol in node.binders}}
            work.append((node, scope, True))
            work.extend((child, scope, False) for child in reversed(below))
    return (canonical(results[0]) if count else formula), count


Others: TypeAlias = tuple[tuple[Formula, ...], tuple[Formula, ...]]


def _found(pattern: Formula, node: Formula) -> tuple[dict[str, Value], Others | None] | None:
    """An instance of the pattern that is the node, or some factors of it: then also the factors before and after."""
    values = instance(pattern, node)
    if values is not None:
        return values, None
    if not isinstance(pattern, Product) or not isinstance(node, Product):
        return None
    found = _among(pattern.factors, node.factors)
    if found is None:
        return None
    values, places = found
    left = [(place, factor) for place, factor in enumerate(node.factors) if place not in places]
    first = min(places)
    before, after = ([factor for place, factor in left if (place < first) is early] for early in (True, False))
    return values, (tuple(before), tuple(after))


def _among(wanted: Sequence[Formula], factors: Sequence[Formula]) -> tuple[dict[str, Value], frozenset[int]] | None:
    """Places of an instance of each wanted kernel among the factors, all at the same values."""
    if not all(isinstance(part, Kernel) for part in wanted) or len(wanted) > len(factors):
        return None
    pending: list[tuple[int, dict[str, Value], frozenset[int]]] = [(0, {}, frozenset())]
    while pending:
        count, values, places = pending.pop()
        if count == len(wanted):
            return values, places
        for place in reversed(range(len(factors))):
            more = instance(wanted[count], factors[place]) if place not in places else None
            if more is not None and all(values.get(name, value) == value for name, value in more.items()):
                pending.append((count + 1, values | more, places | {place}))
    return None


def instance(pattern: Formula, formula: Formula) -> dict[str, Value] | None:
    """The values at which the pattern's bare variables make it the formula; None where there are none.

    Both must have their symbols named apart in nested sums, as `canonical` does.
    """
    found = _Match()
    for part, node in zip_longest(subformulas(pattern), subformulas(formula)):
        if part is None or node is None or not found.heads(part, node):
            return None
    return found.values


class _Match:
    """The values found so far, and which symbol of the pattern stands for which of the formula."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.bound: dict[Symbol, Symbol] = {}
        self.inner: set[Symbol] = set()

    def heads(self, part: Formula, node: Formula) -> bool:
        """Whether the two nodes agree, their children aside."""
        match part:
            case Kernel():
                return isinstance(node, Kernel) and self.kernels(part, node)
            case Sum(binders, _):
                return isinstance(node, Sum) and self.sums(binders, node.binders)
            case Constant():
                return part == node
            case ValueOf(term):
                return isinstance(node, ValueOf) and self.terms((term,), (node.term,))
            case Product() | Ratio() | Plus():
                return type(part) is type(node) and len(children(part)) == len(children(node))
            case _:
                assert_never(part)

    def sums(self, binders: tuple[Symbol, ...], others: tuple[Symbol, ...]) -> bool:
        """Pair the symbols of two sums over the same variables, whatever their order."""
        ours, theirs = _by_variable(binders), _by_variable(others)
        if [symbol.variable for symbol in ours] != [symbol.variable for symbol in theirs]:
            return False
        self.bound.update(zip(ours, theirs, strict=True))
        self.inner.update(others)
        return True

    def kernels(self, part: Kernel, node: Kernel) -> bool:
        """Agreement of two kernels, whatever the order of their terms."""
        roles = ((part.outcomes, node.outcomes), (part.given, node.given), (part.do, node.do))
        return part.source == node.source and all(self.terms(ours, theirs) for ours, theirs in roles)

    def terms(self, ours: tuple[Term, ...], theirs: tuple[Term, ...]) -> bool:
        """Agreement of two sets of terms in one world, each variable named once."""
        if len(ours) != len(theirs) or any(term.world or term.swap for term in (*ours, *theirs)):
            return False
        values = {term.variable: term.value for term in theirs}
        if len(values) != len(theirs) or {term.variable for term in ours} != values.keys():
            return False
        return all(self.agree(term, values[term.variable]) for term in ours)

    def agree(self, term: Term, value: Value) -> bool:
        """Agreement of a term of the pattern with the value its variable has in the formula."""
        if isinstance(term.value, Symbol):
            return self.bound.get(term.value) == value
        if term.value is not None:
            return term.value == value
        if isinstance(value, Symbol) and value in self.inner:
            return False
        return self.values.setdefault(term.variable, value) == value


def _by_variable(binders: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    return tuple(sorted(binders, key=lambda symbol: symbol.variable))


def same_formula(first: Formula, second: Formula) -> bool:
    """Whether two formulas are the same up to names and order of bound symbols, and order of terms inside kernels."""
    return equal(rebuild(first, _sorted), rebuild(second, _sorted))


def _variable(term: Term) -> str:
    return term.variable


def _sorted(node: Formula) -> Formula:
    match node:
        case Kernel(outcomes, given, do, source):
            first, second, third = (tuple(sorted(part, key=_variable)) for part in (outcomes, given, do))
            return Kernel(first, second, third, source)
        case Sum(binders, body):
            return Sum(_by_variable(binders), body)
        case _:
            return node
