"""The value of a formula against a distribution, as a table over its free variables.

Sums of products stay lazy until a quotient, a sum of terms or the end needs their value, and are then contracted by
plan, so the order of evaluation is the planner's and the full joint is never formed.  No recursion: depth costs
nothing.

Positivity.  A conditional probability whose condition has probability zero, and any quotient with denominator zero, is
not determined.  A product with such a cell is not determined unless another factor is zero there (weight zero: the cell
does not matter), a sum is not determined where one of its products is not.  Cells that are not determined at the end
are nan, and `gaps` names the conditions that caused them; nothing is ever put in their place.  The bookkeeping costs
nothing where every denominator is positive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.formula import (
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
    children,
)
from ..dsl.formula_text import kernel_text, term_text
from ..dsl.worlds import in_world
from .budget import Budget, meter
from .distribution import Distribution, ModelDistribution, position_of, symbols_of
from .factors import Factor, NamedTable, aligned
from .networks.contraction import contract, contract_scaled
from .semiring import Array
from .stochastic import FiniteModel

FREE = "="


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One factor of a product: values over symbols, and which of them are not determined (values are zero there).

    The values count times two to the power of `exponent`.
    """

    axes: tuple[Symbol, ...]
    values: Array
    undetermined: NDArray[np.bool_] | None = None
    exponent: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """A product of parts, to be summed over the `bound` symbols."""

    parts: tuple[Part, ...]
    bound: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A kernel whose condition has probability zero, and the labels at which it does (the first few).

    `fact` says so of the condition, or what stands against it.
    """

    kernel: Kernel
    cells: tuple[tuple[tuple[str, str], ...], ...]
    fact: str = "has probability 0"

    def text(self) -> str:
        """The gap in words.

        >>> Gap(Kernel((Term("Y"),), (Term("X"),)), ((("X", "1"),),)).text()
        'P(Y | X): the condition X=1 has probability 0'
        """
        events = " and ".join(", ".join(f"{name}={label}" for name, label in cell) for cell in self.cells)
        return f"{kernel_text(self.kernel)}: the condition {events} {self.fact}"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A table, the gaps that left cells of it undetermined (none where every cell is a number), what else to know."""

    table: NamedTable
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


def evaluate(
    formula: Formula,
    distribution: Distribution,
    order: Sequence[str] | None = None,
    budget: Budget | None = None,
) -> NamedTable:
    """The table of the formula over its free variables, nan where it is not determined.

    `order` fixes the variables of the table; those the formula lacks are constant in it.  Raises `SutureError` for
    what the distribution cannot answer and beyond the budget, `ValueError` where a symbol is bound by no sum.
    """
    return evaluation(formula, distribution, order, budget).table


def evaluation(
    formula: Formula,
    distribution: Distribution,
    order: Sequence[str] | None = None,
    budget: Budget | None = None,
) -> Evaluation:
    """As `evaluate`, with the reasons why cells are not determined."""
    run = _Evaluation(distribution, budget)
    values: list[Lazy] = []
    work: list[tuple[Formula, bool]] = [(formula, False)]
    clock = meter()
    while work:
        clock.tick()
        node, entered = work.pop()
        below = children(node)
        if below and not entered:
            run.enter(node)
            work.append((node, True))
            work.extend((child, False) for child in reversed(below))
            continue
        arguments = values[len(values) - len(below) :]
        del values[len(values) - len(below) :]
        values.append(run.value(node, arguments))
    table = run.table(run.settled(values[0]), order)
    gaps = tuple(run.gaps.values()) if bool(table.undetermined.any()) else ()
    return Evaluation(table, gaps)


def truth(model: FiniteModel, kernel: Kernel, order: Sequence[str] | None = None) -> NamedTable:
    """What the model says of a kernel, by surgery on its diagram: what formulas are checked against."""
    return evaluate(kernel, ModelDistribution(model), order)


def require_determined(done: Evaluation, formula_text: str) -> NamedTable:
    """The table, where every cell is determined; raises `SutureError` S424 naming the conditions otherwise."""
    if not bool(done.table.undetermined.any()):
        return done.table
    reasons = "; ".join(gap.text() for gap in done.gaps) or "a denominator is 0"
    message = f"{formula_text} is not determined: {reasons}"
    raise SutureError(Diagnostic("S424", message, help="ask for values that occur, or give the model more support"))


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """One run: fresh names for bound symbols, display names for free ones, gaps on the way."""

    distribution: Distribution
    budget: Budget | None
    numbers: count[int] = field(default_factory=count)
    scope: dict[Symbol, list[Symbol]] = field(default_factory=dict)
    used: set[Symbol] = field(default_factory=set)
    shown: dict[Symbol, str] = field(default_factory=dict)
    gaps: dict[Kernel, Gap] = field(default_factory=dict)

    def enter(self, node: Formula) -> None:
        """Bind the symbols of a sum under fresh names, before its body is evaluated."""
        if isinstance(node, Sum):
            for symbol in node.binders:
                fresh = Symbol(f"{symbol.name} {next(self.numbers)}", symbol.variable)
                self.scope.setdefault(symbol, []).append(fresh)

    def value(self, node: Formula, below: list[Lazy]) -> Lazy:
        """The value of one node from the values of its children."""
        match node:
            case Constant(number):
                return Lazy((self.scalar(number),))
            case ValueOf(term):
                return Lazy((self.number_of(term),))
            case Kernel():
                return Lazy((self.kernel(node),))
            case Product():
                parts = tuple(part for lazy in below for part in lazy.parts)
                return Lazy(parts, tuple(symbol for lazy in below for symbol in lazy.bound))
            case Sum(binders, _):
                return self.summed(binders, below[0])
            case Ratio():
                return Lazy((self.quotient(self.settled(below[0]), self.settled(below[1])),))
            case Plus():
                return Lazy((self.added([self.settled(lazy) for lazy in below]),))
            case _:
                assert_never(node)

    # Leaves

    def scalar(self, number: Fraction) -> Part:
        """A constant."""
        semiring = self.distribution.semiring
        return Part((), semiring.as_array(semiring.number(number)))

    def number_of(self, term: Term) -> Part:
        """The numbers that the values of a term stand for."""
        placed = self.placed(term, None)
        labels = self.distribution.labels(term.variable)
        if isinstance(placed.value, Symbol):
            numbers = [number_of_label(label, term.variable) for label in labels]
            return Part((placed.value,), self.distribution.semiring.array(numbers))
        position_of(str(placed.value), term.variable, labels)
        return self.scalar(number_of_label(str(placed.value), term.variable))

    def kernel(self, kernel: Kernel) -> Part:
        """P(outcomes | given, do): the joint over the probability of the condition."""
        several = _worlds_of_bare(kernel)
        outcomes = [self.placed(in_world(term, kernel.do), several) for term in kernel.outcomes]
        given = [self.placed(in_world(term, kernel.do), several) for term in kernel.given]
        top = self.joint([*outcomes, *given], kernel.source)
        if not given:
            return top
        condition = self.joint(given, kernel.source)
        part = self.quotient(top, condition)
        if part.undetermined is not None:
            self.note(kernel, given, condition)
        return part

    def joint(self, terms: list[Term], source: str | None) -> Part:
        """What the distribution answers, asked with numbered symbols, so that equal questions look alike to it."""
        numbered = {symbol: Symbol(str(place), symbol.variable) for place, symbol in enumerate(symbols_of(terms))}
        found = self.distribution.joint([_renamed(term, numbered) for term in terms], source)
        original = {new: old for old, new in numbered.items()}
        axes = tuple(original[axis] for axis in found.axes if isinstance(axis, Symbol))
        return Part(axes, found.values, None, found.exponent)

    def placed(self, term: Term, several: set[str] | None) -> Term:
        """The term with every bare name, in worlds too, at a free symbol."""
        value = term.value
        if isinstance(value, Symbol):
            value = self.bound(value)
        elif value is None:
            name = term_text(term) if several and term.variable in several else term.variable
            value = self.free(name, term.variable)
        return replace(term, value=value, world=tuple(self.intervention(part) for part in term.world))

    def bound(self, symbol: Symbol) -> Symbol:
        """The fresh name of a bound symbol."""
        if not self.scope.get(symbol):
            raise ValueError(f"the symbol {symbol.name} is bound by no sum")
        fresh = self.scope[symbol][-1]
        self.used.add(fresh)
        return fresh

    def intervention(self, term: Term) -> Term:
        """As `placed`, for a term inside a world, where a bare name in a world of its own is that world's value."""
        if term.swap is not None:
            return term
        if term.world:
            return replace(term, world=tuple(self.intervention(part) for part in term.world))
        if isinstance(term.value, Symbol):
            return replace(term, value=self.bound(term.value))
        return replace(term, value=self.free(term.variable, term.variable)) if term.value is None else term

    def free(self, name: str, variable: str) -> Symbol:
        """The symbol of a free variable, told from bound ones by its name."""
        symbol = Symbol(FREE + name, variable)
        self.shown.setdefault(symbol, name)
        return symbol

    def note(self, kernel: Kernel, given: list[Term], condition: Part) -> None:
        """Keep the first conditions of probability zero, for the message."""
        zero = np.asarray(self.distribution.semiring.is_zero(condition.values))
        cells = []
        for place in np.argwhere(zero)[:3]:
            at = dict(zip(condition.axes, map(int, place), strict=True))
            labels = [(_term_name(term), self.label(term, at)) for term in given]
            cells.append(tuple(labels))
        self.gaps.setdefault(kernel, Gap(kernel, tuple(cells)))

    def label(self, term: Term, at: dict[Symbol, int]) -> str:
        """The label of a term at a place of the axes."""
        if isinstance(term.value, Symbol):
            return self.distribution.labels(term.variable)[at[term.value]]
        return str(term.value)

    # Operations

    def summed(self, binders: tuple[Symbol, ...], body: Lazy) -> Lazy:
        """The body summed over the binders, later; a binder that is not used counts its values."""
        fresh = tuple(self.scope[symbol].pop() for symbol in reversed(binders))
        unused = [symbol for symbol in fresh if symbol not in self.used]
        counts = [math.prod(len(self.distribution.labels(symbol.variable)) for symbol in unused)] if unused else []
        parts = body.parts + tuple(self.scalar(Fraction(number)) for number in counts)
        return Lazy(parts, body.bound + tuple(symbol for symbol in fresh if symbol in self.used))

    def quotient(self, top: Part, bottom: Part) -> Part:
        """The quotient cell by cell, with the cells that are not determined."""
        axes = top.axes + tuple(axis for axis in bottom.axes if axis not in top.axes)
        first, second = (aligned(Factor(part.axes, part.values), axes) for part in (top, bottom))
        values, missing = self.distribution.semiring.divide(first, second)
        missing = np.broadcast_to(missing, values.shape)
        for part in (top, bottom):
            if part.undetermined is not None:
                missing = missing | aligned(Factor(part.axes, part.undetermined), axes)
        return Part(axes, values, missing if bool(missing.any()) else None, top.exponent - bottom.exponent)

    def added(self, parts: Sequence[Part]) -> Part:
        """The sum of parts, over the symbols of any of them; not determined where one is not."""
        axes = tuple(sorted({axis for part in parts for axis in part.axes}))
        exponent = max(part.exponent for part in parts)
        values, *others = (aligned(Factor(part.axes, _scaled(part, exponent)), axes) for part in parts)
        for more in others:
            values = self.distribution.semiring.as_array(values + more)
        masks = [aligned(Factor(p.axes, p.undetermined), axes) for p in parts if p.undetermined is not None]
        if not masks:
            return Part(axes, values, None, exponent)
        missing = np.zeros(values.shape, dtype=np.bool_)
        for mask in masks:
            missing = missing | mask
        return Part(axes, values, missing, exponent)

    def settled(self, lazy: Lazy) -> Part:
        """The value of a lazy product: one array over its free symbols."""
        if len(lazy.parts) == 1 and not lazy.bound:
            return lazy.parts[0]
        bound = set(lazy.bound)
        axes = tuple(sorted({axis for part in lazy.parts for axis in part.axes} - bound))
        factors = [Factor(part.axes, part.values) for part in lazy.parts]
        values, exponent = contract_scaled(factors, axes, self.budget, self.distribution.semiring)
        exponent += sum(part.exponent for part in lazy.parts)
        if all(part.undetermined is None for part in lazy.parts):
            return Part(axes, values, None, exponent)
        missing = self.missing(lazy.parts, axes)
        if not bool(missing.any()):
            return Part(axes, values, None, exponent)
        zero = self.distribution.semiring.as_array(self.distribution.semiring.number(Fraction(0)))
        return Part(axes, np.where(missing, zero, values), missing, exponent)

    def missing(self, parts: tuple[Part, ...], axes: tuple[Symbol, ...]) -> NDArray[np.bool_]:
        """Cells where some product of the sum has an undetermined factor and no factor that is zero."""
        weights = [self.possible(part) for part in parts]
        found = np.zeros([len(self.distribution.labels(axis.variable)) for axis in axes], dtype=np.bool_)
        for place, part in enumerate(parts):
            if part.undetermined is not None:
                masked = Factor(part.axes, part.undetermined.astype(np.float64))
                factors = [*weights[:place], masked, *weights[place + 1 :]]
                found = found | (contract(factors, axes, self.budget) > 0)
        return found

    def possible(self, part: Part) -> Factor:
        """One where a part is not zero or not determined, scaled so that long products cannot overflow."""
        marks = ~np.asarray(self.distribution.semiring.is_zero(part.values))
        if part.undetermined is not None:
            marks = marks | part.undetermined
        return Factor(part.axes, marks.astype(np.float64) / max(1, marks.size))

    def table(self, part: Part, order: Sequence[str] | None) -> NamedTable:
        """The part as a table over its free variables, in order of first use or as asked."""
        by_name = {name: symbol for symbol, name in self.shown.items()}
        names = [name for symbol, name in self.shown.items() if symbol in part.axes] if order is None else list(order)
        left_out = [self.shown[axis] for axis in part.axes if self.shown[axis] not in names]
        if left_out:
            raise ValueError(f"the formula is a function of {left_out[0]} too")
        symbols = tuple(by_name.get(name, Symbol(FREE + name, name)) for name in names)
        labels = tuple(self.distribution.labels(symbol.variable) for symbol in symbols)
        shape = tuple(map(len, labels))
        values = self.distribution.semiring.result(aligned(Factor(part.axes, _scaled(part, 0)), symbols))
        values = np.array(np.broadcast_to(values, shape))
        if part.undetermined is not None:
            missing = aligned(Factor(part.axes, part.undetermined), symbols)
            values[np.broadcast_to(missing, shape)] = float("nan")
        return NamedTable(tuple(names), labels, values)


def number_of_label(label: str, variable: str) -> Fraction:
    """The number a label stands for; raises `SutureError` S425 where it is none.

    >>> number_of_label("-0.5", "X")
    Fraction(-1, 2)
    """
    try:
        return Fraction(label)
    except (ValueError, ZeroDivisionError):
        message = f"the value '{label}' of {variable} is not a number"
        help_text = f"an expectation needs numeric values; ask for a probability, P({variable} = {label})"
        raise SutureError(Diagnostic("S425", message, help=help_text)) from None


def _renamed(term: Term, renaming: Mapping[Symbol, Symbol]) -> Term:
    """The term with its symbols, those in worlds included, replaced."""
    value = renaming[term.value] if isinstance(term.value, Symbol) else term.value
    return replace(term, value=value, world=tuple(_renamed(part, renaming) for part in term.world))


def _term_name(term: Term) -> str:
    return term_text(replace(term, value=None, world=tuple(_unplaced(part) for part in term.world)))


def _unplaced(term: Term) -> Term:
    """A term inside a world as it was written: free symbols bare again."""
    world = tuple(_unplaced(part) for part in term.world)
    free = isinstance(term.value, Symbol) and term.value.name.startswith(FREE)
    return replace(term, value=None if free else term.value, world=world)


def _worlds_of_bare(kernel: Kernel) -> set[str]:
    """Variables that stand bare in several worlds of one kernel; their axes are named with the world."""
    worlds: dict[str, set[tuple[Term, ...]]] = {}
    for term in kernel.outcomes + kernel.given:
        if term.value is None:
            worlds.setdefault(term.variable, set()).add(term.world)
    return {variable for variable, found in worlds.items() if len(found) > 1}


def _scaled(part: Part, exponent: int) -> Array:
    """The values of a part in units of two to the power of `exponent`."""
    return part.values if part.exponent == exponent else np.ldexp(part.values, part.exponent - exponent)
