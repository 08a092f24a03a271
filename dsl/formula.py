"""Formulas: what is asked, what is known, and every expression in between.

One type serves for queries (`P(Cancer | do(Smoke))`), estimands (no `do` left) and the terms of a derivation.  The
nodes form a closed set, so functions over them are `match` statements with a final `assert_never`; printers live in
`formula_text.py` and `formula_latex.py`, the reader in `formula_reader.py`.

A `Term` names a variable and what stands for its value: nothing (the bare name: the formula is a function of it), a
label of its domain (`Smoke=yes`), or a `Symbol` bound by an enclosing `Sum` (`Tar=t`).  Binders are real: symbols are
compared up to renaming (`canonical`), and substitution renames them where they would capture (`substitute`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import zip_longest
from operator import attrgetter, is_
from typing import TypeAlias, TypeVar, assert_never

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """A bound variable, ranging over the values of `variable`."""

    name: str
    variable: str


@dataclass(frozen=True, slots=True)
class Term:
    """A variable at a value: None is the bare name, a string a label, a `Symbol` a bound variable.

    `world` holds the interventions of a counterfactual term `Y[X=1]`, themselves terms; it is empty otherwise.  Inside
    a world, `swap` names the domain that lends its mechanism (`Lab ~ rural`); the variable `.` then means all that
    differ.
    """

    variable: str
    value: str | Symbol | None = None
    world: tuple[Term, ...] = ()
    swap: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, exact."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class ValueOf:
    """The number that a term's value stands for, as expectations need it."""

    term: Term


@dataclass(frozen=True, slots=True)
class Kernel:
    """`P(outcomes | given, do(do))`, of the named source (a data set or a domain; None is the one at hand).

    Without `do` and worlds it is read off a joint distribution; with them it stands for what surgery on the model
    gives.
    """

    outcomes: tuple[Term, ...]
    given: tuple[Term, ...] = ()
    do: tuple[Term, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product of two or more factors, in the order they are written."""

    factors: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A quotient; evaluating it needs a denominator above zero."""

    numerator: Formula
    denominator: Formula


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of `body` over all values of the bound symbols."""

    binders: tuple[Symbol, ...]
    body: Formula


@dataclass(frozen=True, slots=True)
class Plus:
    """A sum of two or more terms."""

    terms: tuple[Formula, ...]


Formula: TypeAlias = Constant | ValueOf | Kernel | Product | Ratio | Sum | Plus

ONE = Constant(Fraction(1))
ZERO = Constant(Fraction(0))


def is_number(formula: Formula, value: int) -> bool:
    """Whether the formula is this constant."""
    return isinstance(formula, Constant) and formula.value == value


# ---------------------------------------------------------------------------------------------------------------------
# Construction


def terms(names: Iterable[str]) -> tuple[Term, ...]:
    """Bare terms, one a name."""
    return tuple(Term(name) for name in names)


def probability(outcomes: Iterable[str], given: Iterable[str] = (), do: Iterable[str] = ()) -> Kernel:
    """`P(outcomes | given, do(do))` as a function of all its names.

    >>> probability(["Y"], do=["X"])
    Kernel(outcomes=(Term(variable='Y', value=None, world=()),), given=(), do=(Term(variable='X', value=None, world=()),), source=None)
    """  # noqa: E501
    return Kernel(terms(outcomes), terms(given), terms(do))


def product(factors: Iterable[Formula]) -> Formula:
    """The product, flattened, without factors of one."""
    flat: list[Formula] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
    flat = [factor for factor in flat if not is_number(factor, 1)]
    if not flat:
        return ONE
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def ratio(numerator: Formula, denominator: Formula) -> Formula:
    """The quotient; the numerator alone where the denominator is one, a number where both are."""
    if isinstance(numerator, Constant) and isinstance(denominator, Constant) and denominator.value:
        return Constant(numerator.value / denominator.value)
    return numerator if is_number(denominator, 1) else Ratio(numerator, denominator)


def plus(summands: Iterable[Formula]) -> Formula:
    """The sum, flattened, without zeros."""
    flat: list[Formula] = []
    for summand in summands:
        flat.extend(summand.terms if isinstance(summand, Plus) else (summand,))
    flat = [summand for summand in flat if not is_number(summand, 0)]
    if not flat:
        return ZERO
    return flat[0] if len(flat) == 1 else Plus(tuple(flat))


def negative(formula: Formula) -> Formula:
    """Minus the formula."""
    if isinstance(formula, Constant):
        return Constant(-formula.value)
    return product((Constant(Fraction(-1)), formula))


def sum_over(names: Iterable[str], body: Formula) -> Formula:
    """The sum of `body` over the free variables `names`, each bound by a fresh symbol."""
    chosen = list(names)
    if not chosen:
        return body
    taken = value_names(body)
    binders = []
    for name in chosen:
        symbol = Symbol(fresh_name(name, taken), name)
        taken.add(symbol.name)
        binders.append(symbol)
    # Fresh names are bound nowhere in the body, so nothing captures them.
    return Sum(tuple(binders), _with_values(body, {symbol.variable: symbol for symbol in binders}))


def fresh_name(variable: str, taken: Collection[str]) -> str:
    """A symbol's name for `variable`: its initial, else its lower-case form, else that with a number.

    >>> fresh_name("Tar", set()), fresh_name("Tar", {"t"}), fresh_name("X1", {"x1"})
    ('t', 'tar', 'x1_2')
    """
    lower = variable.lower() if variable.lower() != variable else variable + "_"
    candidates = [variable[0].lower(), lower] if variable.isalpha() and lower != variable + "_" else [lower]
    for name in candidates:
        if name not in taken and name != variable:
            return name
    number = 2
    while f"{lower}_{number}" in taken:
        number += 1
    return f"{lower}_{number}"


# ---------------------------------------------------------------------------------------------------------------------
# Traversal


def children(formula: Formula) -> tuple[Formula, ...]:
    """The formulas directly below."""
    match formula:
        case Kernel() | Constant() | ValueOf():
            return ()
        case Product(factors):
            return factors
        case Ratio(numerator, denominator):
            return (numerator, denominator)
        case Sum(_, body):
            return (body,)
        case Plus(summands):
            return summands
        case _:
            assert_never(formula)


def with_children(formula: Formula, below: tuple[Formula, ...]) -> Formula:
    """The same node over other children, rebuilt by the flattening constructors."""
    match formula:
        case Constant() | ValueOf() | Kernel():
            return formula
        case Product():
            return product(below)
        case Ratio():
            return ratio(*below)
        case Sum(binders, _):
            return Sum(binders, below[0])
        case Plus():
            return plus(below)
        case _:
            assert_never(formula)


def subformulas(formula: Formula) -> Iterator[Formula]:
    """The formula and everything below it, each before its children."""
    stack = [formula]
    while stack:
        node = stack.pop()
        yield node
        below = children(node)
        if below:
            stack.extend(reversed(below))


def fold(formula: Formula, combine: Callable[[Formula, tuple[Result, ...]], Result]) -> Result:
    """Compute a result for every node from those of its children, without recursion: deep formulas are welcome."""
    order: list[tuple[Formula, int]] = []
    stack = [formula]
    while stack:
        node = stack.pop()
        below = children(node)
        order.append((node, len(below)))
        if below:
            stack.extend(below)
    results: list[Result] = []
    for node, count in reversed(order):
        if count:
            arguments = tuple(results[-count:])
            del results[-count:]
            results.append(combine(node, arguments))
        else:
            results.append(combine(node, ()))
    return results[0]


def rebuild(formula: Formula, change: Callable[[Formula], Formula]) -> Formula:
    """Apply `change` to every node from the leaves up."""

    def combine(node: Formula, below: tuple[Formula, ...]) -> Formula:
        if not below:
            return change(node)
        unchanged = all(map(is_, below, children(node)))
        return change(node if unchanged else with_children(node, below))

    return fold(formula, combine)


def kernel_terms(kernel: Kernel) -> tuple[Term, ...]:
    """Every term of the kernel, outcomes first."""
    return kernel.outcomes + kernel.given + kernel.do


_world: Callable[[Term], tuple[Term, ...]] = attrgetter("world")


def node_terms(formula: Formula) -> tuple[Term, ...]:
    """The terms written at this node itself, those inside worlds included."""
    match formula:
        case Kernel():
            top = kernel_terms(formula)
        case ValueOf(term):
            top = (term,)
        case _:
            return ()
    if not any(map(_world, top)):
        return top
    every: list[Term] = []
    stack = list(reversed(top))
    while stack:
        term = stack.pop()
        every.append(term)
        stack.extend(reversed(term.world))
    return tuple(every)


def kernels(formula: Formula) -> tuple[Kernel, ...]:
    """The kernels of the formula from left to right, repeats included."""
    return tuple(node for node in subformulas(formula) if isinstance(node, Kernel))


def free_variables(formula: Formula) -> frozenset[str]:
    """Variables that occur bare: the formula is a function of their values."""
    terms = [term for node in subformulas(formula) for term in node_terms(node)]
    return frozenset([term.variable for term in terms if term.value is None and term.swap is None])


def symbols(formula: Formula) -> frozenset[Symbol]:
    """Every symbol that occurs, bound or used."""
    found: set[Symbol] = set()
    for node in subformulas(formula):
        if isinstance(node, Sum):
            found.update(node.binders)
        found.update(term.value for term in node_terms(node) if isinstance(term.value, Symbol))
    return frozenset(found)


def labels(formula: Formula) -> set[str]:
    """Every label of a value that occurs."""
    return {term.value for node in subformulas(formula) for term in node_terms(node) if isinstance(term.value, str)}


def value_names(formula: Formula) -> set[str]:
    """Every name that stands for a value: those of symbols, bound or used, and labels."""
    found: set[str] = set()
    for node in subformulas(formula):
        if isinstance(node, Sum):
            found.update(symbol.name for symbol in node.binders)
        for term in node_terms(node):
            if term.value is not None:
                found.add(term.value.name if isinstance(term.value, Symbol) else term.value)
    return found


def variables(formula: Formula) -> frozenset[str]:
    """Every variable that occurs in any role."""
    return frozenset(term.variable for node in subformulas(formula) for term in node_terms(node))


def free_symbols(formula: Formula) -> frozenset[Symbol]:
    """Symbols used outside the scope of their binder; a closed formula has none."""

    def own(node: Formula) -> frozenset[Symbol]:
        return frozenset([term.value for term in node_terms(node) if isinstance(term.value, Symbol)])

    def combine(node: Formula, below: tuple[frozenset[Symbol], ...]) -> frozenset[Symbol]:
        if not below:
            return own(node)
        free = below[0].union(*below[1:])
        return free.difference(node.binders) if isinstance(node, Sum) else free

    return own(formula) if isinstance(formula, Kernel) else fold(formula, combine)


# ---------------------------------------------------------------------------------------------------------------------
# Binders


def map_terms(formula: Formula, change: Callable[[Term], Term]) -> Formula:
    """The formula with every term (inside worlds too, from the inside out) replaced by `change` of it."""

    def deep(terms: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple([change(replace(term, world=deep(term.world)) if term.world else term) for term in terms])

    def node(part: Formula) -> Formula:
        match part:
            case ValueOf(term):
                return ValueOf(*deep((term,)))
            case Kernel(outcomes, given, do, source):
                return Kernel(deep(outcomes), deep(given), deep(do), source)
            case _:
                return part

    return rebuild(formula, node)


def substitute(formula: Formula, values: Mapping[str, str | Symbol | None]) -> Formula:
    """The formula with each bare variable in `values` set to its label or symbol.

    Binders of the formula that would capture an inserted symbol are renamed first.
    """
    if not values:
        return formula
    inserted = {value.name for value in values.values() if isinstance(value, Symbol)}
    return _with_values(_avoid(formula, inserted) if inserted else formula, values)


def _with_values(formula: Formula, values: Mapping[str, str | Symbol | None]) -> Formula:
    """The formula with each bare variable in `values` set, whether its binders capture the value or not."""

    def change(term: Term) -> Term:
        if term.value is None and term.swap is None and term.variable in values:
            return Term(term.variable, values[term.variable], term.world)
        return term

    return map_terms(formula, change)


def _avoid(formula: Formula, names: set[str]) -> Formula:
    """Rename every binder whose name is among `names`."""
    bound = {symbol for node in subformulas(formula) if isinstance(node, Sum) for symbol in node.binders}
    clash = sorted(symbol for symbol in bound if symbol.name in names)
    if not clash:
        return formula
    taken = names | value_names(formula)
    renaming = {}
    for symbol in clash:
        fresh = Symbol(fresh_name(symbol.variable, taken), symbol.variable)
        taken.add(fresh.name)
        renaming[symbol] = fresh
    return rename_symbols(formula, renaming)


def rename_symbols(formula: Formula, renaming: Mapping[Symbol, Symbol]) -> Formula:
    """The formula with binders and uses of the symbols renamed alike; the caller picks names that capture nothing."""

    def binder(node: Formula) -> Formula:
        if isinstance(node, Sum):
            return Sum(tuple(renaming.get(symbol, symbol) for symbol in node.binders), node.body)
        return node

    def change(term: Term) -> Term:
        if isinstance(term.value, Symbol) and term.value in renaming:
            return replace(term, value=renaming[term.value])
        return term

    return rebuild(map_terms(formula, change), binder)


def replace_formula(formula: Formula, old: Formula, new: Formula) -> Formula:
    """The formula with every occurrence of `old` replaced by `new`, binders of `new` renamed apart from the context."""
    apart = _avoid(new, {symbol.name for symbol in symbols(formula)})
    return rebuild(formula, lambda node: apart if node == old else node)


def canonical(formula: Formula) -> Formula:
    """The formula with its symbols named anew, so that two formulas equal up to names of binders become equal.

    Names follow the variable and are kept short: a symbol is named after its variable, numbered only where the name is
    already in scope, a label of the formula or the bare variable itself spelled alike.
    """
    reserved = labels(formula) | free_variables(formula)
    return _canonical(formula, {}, reserved)


def _canonical(formula: Formula, scope: Mapping[Symbol, Symbol], reserved: set[str]) -> Formula:
    """`formula` with symbols renamed by `scope`; explicit stack, since derived formulas may be deep."""
    results: list[Formula] = []
    work: list[tuple[Formula, Mapping[Symbol, Symbol], Sum | None, bool]] = [(formula, scope, None, False)]
    while work:
        node, names, renamed, done = work.pop()
        below = children(node)
        if done:
            arguments = tuple(results.pop() for _ in below)[::-1]
            results.append(with_children(renamed or node, arguments))
        elif not below:
            results.append(_rename_terms(node, names))
        else:
            inner, fresh = names, None
            if isinstance(node, Sum):
                taken = reserved | {symbol.name for symbol in names.values()}
                extended = dict(names)
                for symbol in node.binders:
                    new = Symbol(fresh_name(symbol.variable, taken), symbol.variable)
                    taken = taken | {new.name}
                    extended[symbol] = new
                inner = extended
                fresh = Sum(tuple(extended[symbol] for symbol in node.binders), node.body)
            work.append((node, names, fresh, True))
            work.extend((child, inner, None, False) for child in reversed(below))
    return results[0]


def _rename_terms(node: Formula, names: Mapping[Symbol, Symbol]) -> Formula:
    def change(term: Term) -> Term:
        return (
            replace(term, value=names[term.value]) if isinstance(term.value, Symbol) and term.value in names else term
        )

    return map_terms(node, change)


def equal(first: Formula, second: Formula) -> bool:
    """Whether the formulas are the same up to names of bound symbols; depth costs no stack."""
    left, right = subformulas(canonical(first)), subformulas(canonical(second))
    return all(a is not None and b is not None and _head(a) == _head(b) for a, b in zip_longest(left, right))


def _head(formula: Formula) -> tuple[object, ...]:
    """What a node says by itself, its children left out but counted."""
    match formula:
        case Constant() | ValueOf() | Kernel():
            return (formula,)
        case Sum(binders, _):
            return (Sum, binders)
        case _:
            return (type(formula), len(children(formula)))
