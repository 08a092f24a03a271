"""Identities of probability theory, decided by evaluating both sides at random points of a prime field.

Two formulas whose kernels are read off the same distributions are equal for all distributions exactly when they are
equal as rational functions of the cells.  So both are evaluated at random cells modulo a prime; by the lemma of
Schwartz and Zippel two different functions of degree d agree at a random point with probability at most d over the
prime.  Nothing is assumed of the diagram: what holds only by a separation is no identity.  Bare variables all take one
value of their own, labels others, and every variable has two values or more.

Source: Schwartz (1980), "Fast probabilistic algorithms for verification of polynomial identities".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

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
    fold,
    kernel_terms,
    kernels,
    node_terms,
    subformulas,
    variables,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.int64]

# Products of two residues fit into 64 bits.
PRIME = 2**31 - 1
# The most cells of a joint distribution, and values of bound variables at once, that are evaluated.
CELLS = 2**16
DRAWS = 2
ATTEMPTS = 5


def identical(first: Formula, second: Formula) -> bool | None:
    """Whether the formulas are equal for all distributions of their kernels; None where they are too large to tell."""
    first, second = canonical(first), canonical(second)
    sizes = _sizes(first, second)
    plain = not any(isinstance(node, ValueOf) for part in (first, second) for node in subformulas(part))
    if not plain or any(_repeats(kernel) for part in (first, second) for kernel in kernels(part)):
        return None
    if max(_cells(sizes, sizes), *(_widest(part, sizes) for part in (first, second))) > CELLS:
        return None
    return all(_agree(first, second, sizes, seed) for seed in range(DRAWS))


def _sizes(*formulas: Formula) -> dict[str, int]:
    """How many values each variable is given: one for the bare name, one for each label, two at least."""
    names = sorted(frozenset[str]().union(*map(variables, formulas)))
    found: dict[str, set[str]] = {name: set() for name in names}
    for formula in formulas:
        for node in subformulas(formula):
            for term in node_terms(node):
                if isinstance(term.value, str):
                    found[term.variable].add(term.value)
    return {name: max(2, 1 + len(values)) for name, values in found.items()}


def _repeats(kernel: Kernel) -> bool:
    """Whether a kernel names a variable twice or in another world: such kernels are not evaluated."""
    names = [term.variable for term in kernel_terms(kernel)]
    return len(set(names)) < len(names) or any(term.world or term.swap for term in kernel_terms(kernel))


def _cells(names: Mapping[str, int] | Sequence[str], sizes: Mapping[str, int]) -> int:
    count = 1
    for name in names:
        count *= sizes[name]
    return count


def _widest(formula: Formula, sizes: Mapping[str, int]) -> int:
    """The most values of bound variables that some node depends on at once, at most."""

    def combine(node: Formula, below: tuple[tuple[frozenset[Symbol], int], ...]) -> tuple[frozenset[Symbol], int]:
        own = frozenset(term.value for term in node_terms(node) if isinstance(term.value, Symbol))
        free = own.union(*(part for part, _ in below))
        widest = max([_cells([symbol.variable for symbol in free], sizes), *(cells for _, cells in below)])
        return free - frozenset(node.binders) if isinstance(node, Sum) else free, widest

    return fold(formula, combine)[1]


@dataclass(frozen=True, slots=True)
class _Table:
    """Residues over the values of symbols."""

    axes: tuple[Symbol, ...]
    values: Array


class _UndefinedError(Exception):
    """A denominator that is zero at the point drawn."""


def _agree(first: Formula, second: Formula, sizes: Mapping[str, int], draw: int) -> bool:
    """Whether the two sides have one value at a random point; another is drawn where a denominator is zero there.

    A denominator that is zero time and again is zero everywhere, and then nothing is equal.
    """
    for attempt in range(ATTEMPTS):
        point = _Point(sizes, draw + DRAWS * attempt)
        try:
            one, other = point.value(first), point.value(second)
        except _UndefinedError:
            continue
        return not one.axes and not other.axes and bool(one.values == other.values)
    return False


class _Point:
    """Random distributions modulo the prime, one for each source and set of variables set from outside."""

    def __init__(self, sizes: Mapping[str, int], seed: int) -> None:
        import numpy as np

        self.sizes = sizes
        self.names = tuple(sizes)
        self.generator = np.random.default_rng(seed)
        self.joints: dict[tuple[str | None, frozenset[str]], Array] = {}
        self.order: dict[str, dict[str, int]] = {}

    def value(self, formula: Formula) -> _Table:
        """The formula at the point."""
        return fold(formula, self.combine)

    def joint(self, source: str | None, do: frozenset[str]) -> Array:
        """Random cells; at every value of `do` they sum to one."""
        key = source, do
        if key not in self.joints:
            cells = self.generator.integers(1, PRIME, size=tuple(self.sizes.values()))
            others = tuple(place for place, name in enumerate(self.names) if name not in do)
            sums = _summed(cells, others, keep=True)
            self.joints[key] = cells * _inverse(sums) % PRIME
        return self.joints[key]

    def combine(self, node: Formula, below: tuple[_Table, ...]) -> _Table:
        """A node from its children."""
        import numpy as np

        match node:
            case Constant(value):
                return _Table((), np.int64(value.numerator) * _inverse(np.array(value.denominator)) % PRIME)
            case Kernel():
                return self.kernel(node)
            case Product():
                return _folded(below, multiply=True)
            case Plus():
                return _folded(below, multiply=False)
            case Ratio():
                return _folded((below[0], _Table(below[1].axes, _inverse(below[1].values))), multiply=True)
            case Sum(binders, _):
                return self.total(binders, below[0])
            case ValueOf():
                raise AssertionError("values of variables are not evaluated")
            case _:
                assert_never(node)

    def total(self, binders: Sequence[Symbol], table: _Table) -> _Table:
        """The sum over the binders; one that the table does not depend on multiplies it by its number of values."""
        count = 1
        for symbol in binders:
            count *= 1 if symbol in table.axes else self.sizes[symbol.variable]
        places = tuple(place for place, symbol in enumerate(table.axes) if symbol in binders)
        left = tuple(symbol for symbol in table.axes if symbol not in binders)
        return _Table(left, _summed(table.values, places) * count % PRIME)

    def kernel(self, kernel: Kernel) -> _Table:
        """A conditional probability: the margin of outcomes and conditions over that of the conditions."""
        do = frozenset(term.variable for term in kernel.do)
        joint = self.joint(kernel.source, do)
        above = self.margin(joint, kernel_terms(kernel))
        if not kernel.given:
            return above
        below = self.margin(joint, (*kernel.given, *kernel.do))
        return _folded((above, _Table(below.axes, _inverse(below.values))), multiply=True)

    def margin(self, joint: Array, kept: Sequence[Term]) -> _Table:
        """The joint at the terms' values, summed over the other variables, with one axis for each symbol."""
        values = {term.variable: term.value for term in kept}
        table = _summed(joint, tuple(place for place, name in enumerate(self.names) if name not in values))
        left = [name for name in self.names if name in values]
        index = tuple(self.index(name, values[name]) for name in left)
        axes = tuple(value for value in (values[name] for name in left) if isinstance(value, Symbol))
        return _Table(axes, table[index])

    def index(self, variable: str, value: str | Symbol | None) -> int | slice:
        """Where a value stands on its variable's axis: the bare name first, labels after it as they are met."""
        if isinstance(value, Symbol):
            return slice(None)
        known = self.order.setdefault(variable, {})
        return 0 if value is None else known.setdefault(value, len(known) + 1)


def _folded(tables: Sequence[_Table], multiply: bool) -> _Table:
    """The product or the sum of tables."""
    result = tables[0]
    for table in tables[1:]:
        axes = tuple(dict.fromkeys(result.axes + table.axes))
        one, other = _aligned(result, axes), _aligned(table, axes)
        result = _Table(axes, (one * other if multiply else one + other) % PRIME)
    return result


def _aligned(table: _Table, axes: Sequence[Symbol]) -> Array:
    """The table's values over the axes, of length one where it does not depend on them."""
    own = [symbol for symbol in axes if symbol in table.axes]
    values = table.values.transpose([table.axes.index(symbol) for symbol in own])
    sizes = dict(zip(own, values.shape, strict=True))
    return values.reshape([sizes.get(symbol, 1) for symbol in axes])


def _summed(values: Array, places: tuple[int, ...], keep: bool = False) -> Array:
    """The sum over some axes, modulo the prime; at most 2**16 terms of 31 bits fit into 64."""
    return values.sum(axis=places, keepdims=keep) % PRIME


def _inverse(values: Array) -> Array:
    """Inverses modulo the prime, by Fermat's little theorem; raises `_UndefinedError` at a zero."""
    import numpy as np

    if not np.all(values % PRIME):
        raise _UndefinedError
    result, power, exponent = np.ones_like(values), values % PRIME, PRIME - 2
    while exponent:
        if exponent & 1:
            result = result * power % PRIME
        power = power * power % PRIME
        exponent >>= 1
    return result
