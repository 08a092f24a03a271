"""Empirical semantics: distributions of data sets, from inline tables, files and tables of Python.

P(A, B) is the share of the weight in the rows with these values.  Only the tables that a formula's kernels name are
counted, and each once; the full joint is never formed.  Values are checked against the model when the data are loaded;
a symbolic variable takes its values from the data, in natural order.  Small tables of rational weights are exact.

Data of an experiment under do(X) answer kernels with exactly that `do`, by the share among the rows with that X, and
nothing else; data that were only observed refuse `do` and worlds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ...dsl.formula import Symbol, Term
from ...dsl.formula_text import term_text
from ...dsl.labels import find_label, number
from ...dsl.program import Data, File, Frame, Inline, Model
from ...dsl.source import Span
from ..distribution import position_of, symbols_of
from ..factors import Factor, one_hot
from ..networks.contraction import contract
from ..semiring import PROBABILITY, RATIONAL, Array, Semiring
from .frames import columns_of, frame_columns
from .tables import Columns, Rows, exact_array, missing, no_column

EXACT_CELLS = 4096
COUNTING_NAMES = frozenset({"n", "count", "counts", "freq", "frequency", "weight", "weights", "share", "total"})


@dataclass(frozen=True)
class Empirical:
    """The distribution of a data set; `variables` are those of the model that it holds, `semiring` that of its
    tables.

    `label_values` are the values of each variable, `codes` the place among them of each raw value of its column; `do`
    names the variables that the experiment set.
    """

    name: str
    rows: Rows
    weight: str | None
    label_values: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, tuple[int, ...]]
    semiring: Semiring
    do: tuple[str, ...] = ()
    domain: str | None = None
    _tables: dict[tuple[str, ...], Array] = field(default_factory=dict, repr=False, compare=False)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the model that have a column, in the order of the model."""
        return tuple(self.label_values)

    def labels(self, variable: str) -> tuple[str, ...]:
        """The values of a variable; raises `SutureError` S308 where it has no column."""
        if variable not in self.label_values:
            raise SutureError(no_column(variable, self.name, self.rows.columns))
        return self.label_values[variable]

    def weights(self, variables: Sequence[str]) -> Array:
        """The weight of every combination of the variables' values, one axis a variable; counted once and kept."""
        key = tuple(sorted(variables, key=self.variables.index))
        if key not in self._tables:
            self._tables[key] = self._counted(key)
        return self._tables[key].transpose([key.index(name) for name in variables])

    def _counted(self, variables: tuple[str, ...]) -> Array:
        """From a smaller table that is there already, else from the rows."""
        wider = [key for key in self._tables if set(variables) <= set(key)]
        if wider:
            source = min(wider, key=lambda key: (self._tables[key].size, key))
            gone = tuple(place for place, name in enumerate(source) if name not in variables)
            return self.semiring.as_array(self._tables[source].sum(axis=gone))
        counts = self.rows.counts(variables, self.weight)
        if not self.semiring.exact:
            counts = counts.astype(np.float64)
        elif counts.dtype == np.int64:
            counts = exact_array(counts)
        for axis, name in enumerate(variables):
            counts = _gathered(counts, axis, self.codes[name], len(self.label_values[name]), self.semiring)
        return counts

    def joint(self, terms: Sequence[Term], source: str | None = None) -> Factor:
        """The terms' share of the weight, among the rows of the experiment's setting where there is one.

        Raises `SutureError`: S308 no such column, S420 no such value, S422 worlds that were not observed, S431 rows
        that do not exist, S423 another source.
        """
        if source not in (None, self.name, self.domain):
            help_text = f"the data at hand are {self.name}"
            raise SutureError(Diagnostic("S423", f"there is no distribution named '{source}' here", help=help_text))
        setting = self._setting(terms)
        plain = [replace(term, world=()) for term in terms]
        top = self._table([*plain, *setting])
        bottom = self._table(list(setting))
        values, undetermined = self.semiring.divide(top.values, _broadcast(bottom, top.axes))
        if bool(undetermined.any()):
            self._no_rows(setting)
        return Factor(top.axes, values)

    def _setting(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        """The values at which the experiment's variables were set, the same in every term."""
        worlds = {term.world for term in terms} or {()}
        world = next(iter(worlds))
        names = sorted(part.variable for part in world)
        simple = len(worlds) == 1 and all(part.value is not None and not part.world for part in world)
        if simple and names == sorted(self.do):
            return world
        shown = ", ".join(term_text(term) for term in terms)
        if self.do:
            had = f"the experiment set {', '.join(self.do)}"
            hint = f"it answers P(.. | do({', '.join(self.do)})), and nothing without that"
        else:
            had, hint = "they were observed, not set", "identify the query first, or use data of an experiment"
        raise SutureError(Diagnostic("S422", f"the data {self.name} cannot tell P({shown}): {had}", help=hint))

    def _table(self, terms: list[Term]) -> Factor:
        """The weight of the terms, one axis a symbol: labels sliced, a variable that comes again tied to itself."""
        first: dict[str, Term] = {}
        again: list[Factor] = []
        for term in terms:
            if first.setdefault(term.variable, term) is not term:
                again.append(self._tie(first[term.variable], term))
        places = tuple(self._place(term) for term in first.values())
        axes = tuple(term.value for term in first.values() if isinstance(term.value, Symbol))
        table = Factor(axes, self.semiring.as_array(self.weights(list(first))[places]))
        return (
            Factor(symbols_of(terms), contract([table, *again], symbols_of(terms), semiring=self.semiring))
            if again
            else table
        )

    def _place(self, term: Term) -> int | slice:
        """Where a term's value lies along its axis: everywhere for a symbol."""
        labels = self.labels(term.variable)
        return slice(None) if isinstance(term.value, Symbol) else position_of(str(term.value), term.variable, labels)

    def _tie(self, first: Term, again: Term) -> Factor:
        """One where two terms of one variable agree, over the symbols among their values."""
        size = len(self.labels(first.variable))
        same = np.stack([one_hot(size, place, self.semiring) for place in range(size)])
        axes = tuple(term.value for term in (first, again) if isinstance(term.value, Symbol))
        return Factor(axes, self.semiring.as_array(same[self._place(first), self._place(again)]))

    def _no_rows(self, setting: tuple[Term, ...]) -> None:
        if not setting:
            raise SutureError(Diagnostic("S306", f"the weights of {self.name} sum to zero"))
        shown = ", ".join(term.variable if isinstance(term.value, Symbol) else term_text(term) for term in setting)
        message = f"the data {self.name} have no rows for some value of do({shown})"
        raise SutureError(Diagnostic("S431", message, help="ask for a value that the experiment set"))


def _broadcast(factor: Factor, axes: Sequence[Any]) -> Array:
    moved = factor.values.transpose([factor.axes.index(axis) for axis in axes if axis in factor.axes])
    shape = iter(moved.shape)
    return moved.reshape([next(shape) if axis in factor.axes else 1 for axis in axes])


def _gathered(counts: Array, axis: int, codes: Sequence[int], size: int, semiring: Semiring) -> Array:
    """Raw values along an axis added up into the labels they stand for."""
    moved = np.moveaxis(counts, axis, 0)
    zero = semiring.as_array(semiring.number(Fraction(0)))
    made = np.array(np.broadcast_to(zero, (size, *moved.shape[1:])))
    for row, code in zip(moved, codes, strict=True):
        made[code] = made[code] + row
    return np.moveaxis(made, 0, axis)


# ---------------------------------------------------------------------------------------------------------------------
# Loading


def load(data: Data, model: Model, folder: str | Path = ".", frames: Mapping[str, Any] | None = None) -> Empirical:
    """The distribution of a program's data set; a relative path is taken from `folder`, a table of Python from
    `frames`, by its name.

    Raises `SutureError` S301 to S315 for what is wrong with the table, its columns, values or weights.
    """
    span = data.span
    match data.origin:
        case Inline(names, cells):
            rows: Rows = Columns(data.name, {name: [row[place] for row in cells] for place, name in enumerate(names)})
        case File():
            rows, span = _file(data.origin, Path(folder)), data.origin.span
        case Frame():
            rows, span = Columns(data.origin.name, frame_columns(data.origin, frames or {})), data.origin.span
    do = tuple(term.variable for term in data.do)
    return replace(_checked(data.name, rows, model, data.weight, do, span), domain=data.domain)


def _file(origin: File, folder: Path) -> Rows:
    from .data_files import open_file

    return open_file(folder / origin.path, origin.span)


def from_columns(data: Any, model: Model, weight: str | None = None, name: str = "data") -> Empirical:
    """The distribution of a table of Python: a dict of columns, or a pandas, polars, pyarrow, DuckDB or Ibis table.

    Raises `SutureError` as `load` does, and S314 for what is no table.
    """
    return _checked(name, Columns(name, columns_of(data)), model, weight, (), None)


def _checked(
    name: str, rows: Rows, model: Model, weight: str | None, do: tuple[str, ...], span: Span | None
) -> Empirical:
    """The distribution once columns, weights and values have been checked against the model."""
    _check_columns(rows, model, weight, span)
    found: dict[str, tuple[str, ...]] = {}
    codes: dict[str, tuple[int, ...]] = {}
    problems: list[Diagnostic] = []
    for variable in (each for each in model.observed if each in rows.columns):
        try:
            found[variable], codes[variable] = _values(rows, variable, model, span)
        except SutureError as error:
            problems.extend(error.diagnostics)
    if problems:
        raise SutureError(problems)
    total = rows.counts((), weight)
    if not float(total) > 0:
        text = f"{rows.name} has no rows" if weight is None else f"the weights of {rows.name} sum to zero"
        raise SutureError(Diagnostic("S306", text, span))
    small = math.prod(len(labels) for labels in found.values()) <= EXACT_CELLS
    semiring = RATIONAL if small and total.dtype != np.float64 else PROBABILITY
    return Empirical(name, rows, weight, found, codes, semiring, do)


def _check_columns(rows: Rows, model: Model, weight: str | None, span: Span | None) -> None:
    """Columns that look like a mistake: a variable misspelt, counts without `weight`, none of the model's."""
    if weight is not None and weight not in rows.columns:
        hint = did_you_mean(weight, rows.columns) or f"the columns are {one_of(list(rows.columns))}"
        raise SutureError(Diagnostic("S303", f"{rows.name} has no column '{weight}' for the weights", span, "", hint))
    absent = [name for name in model.observed if name not in rows.columns]
    unknown = [column for column in rows.columns if column not in model.by_name and column != weight]
    for column in unknown:
        near = did_you_mean(column, absent)
        if near is None and weight is None and column.lower() in COUNTING_NAMES:
            near = f"if it holds counts, say so: weight {column}"
        if near is not None:
            message = f"column '{column}' of {rows.name} is not in model {model.name}"
            raise SutureError(Diagnostic("S301", message, span, "", near))
    if len(absent) == len(model.observed):
        message = f"{rows.name} has none of the variables of model {model.name}"
        hint = f"its columns are {one_of(list(rows.columns))}; the variables are {one_of(model.observed)}"
        raise SutureError(Diagnostic("S308", message, span, "", hint))


def _values(rows: Rows, variable: str, model: Model, span: Span | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The labels of a variable and the place among them of every raw value of its column."""
    raw = rows.values(variable)
    declared = model.labels(variable)
    absent = [value for value in raw if missing(value) and (declared is None or str(value) not in declared)]
    if absent:
        counted = [rows.occurrences(variable, value) for value in absent]
        count, first = sum(count for count, _ in counted), min(first for _, first in counted)
        message = f"column {variable} of {rows.name} has {_plural(count, 'missing value')}, the first in row {first}"
        hint = "leave those rows out, or give missing its own value"
        raise SutureError(Diagnostic("S309", message, span, "", hint))
    labels = natural_order({label_text(value) for value in raw}) if declared is None else declared
    codes = [matched(labels, value) for value in raw]
    for value, code in zip(raw, codes, strict=True):
        if code is None:
            raise SutureError(unknown_value(rows, variable, value, labels, span))
    return labels, tuple(code for code in codes if code is not None)


def unknown_value(rows: Rows, variable: str, value: Any, labels: Sequence[str], span: Span | None = None) -> Diagnostic:
    """S302: a value in a column that the variable does not have."""
    count, first = rows.occurrences(variable, value)
    more = f", {_plural(count - 1, 'more row')}" if count > 1 else ""
    message = f"'{label_text(value)}' in column {variable} of {rows.name} is not a declared value (row {first}{more})"
    hint = did_you_mean(label_text(value), labels) or f"the values of {variable} are {one_of(list(labels))}"
    return Diagnostic("S302", message, span, "", hint)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def label_text(value: Any) -> str:
    """A raw value as a label is written: whole numbers without a point, truth values in lower case.

    >>> label_text(1.0), label_text(True), label_text("yes")
    ('1', 'true', 'yes')
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def matched(labels: Sequence[str], value: Any) -> int | None:
    """The place of the label that a raw value stands for; truth values are also 1 and 0, yes and no."""
    spellings = [label_text(value)]
    if isinstance(value, bool | np.bool_):
        spellings += ["1", "yes"] if value else ["0", "no"]
    for spelling in spellings:
        label = find_label(labels, spelling)
        if label is not None:
            return labels.index(label)
    return None


def natural_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels sorted as a reader would: numbers by size, then text with the numbers in it by size.

    >>> natural_order({"10", "9", "a10", "a9", "no"})
    ('9', '10', 'a9', 'a10', 'no')
    """

    def key(label: str) -> tuple[Any, ...]:
        exact = number(label)
        if exact is not None:
            return (0, exact, label)
        pieces = re.split(r"(\d+)", label.lower())
        return (1, [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces], label)

    distinct: dict[Any, str] = {}
    for label in sorted(labels):
        exact = number(label)
        distinct.setdefault(label if exact is None else exact, label)
    return tuple(sorted(distinct.values(), key=key))
