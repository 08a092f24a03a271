"""Tables that can be grouped: rows in memory, CSV and Parquet files through DuckDB.

A table is only ever asked for the distinct values of a column and for counts over a few columns, so files are grouped
by the engine and small arrays come back.  In memory, columns are small numbers and are counted in chunks (`coding.py`).
Weights that are rational stay exact: counts are integers, and written weights (`0.5`, `1/4`) are Fractions.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ...dsl.labels import number
from ..budget import amount, meter
from ..semiring import Array
from .coding import (
    CHUNK,
    Coded,
    coded_categories,
    coded_integers,
    coded_sorted,
    combinations,
    combined,
    unsigned,
)

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "NaT"})
MOST_VALUES = 10_000
MOST_WEIGHTS = 200_000
EXACT = 1 << 53


class Rows(ABC):
    """A table with named columns; raw values are text, numbers or truth values, and None where one is missing."""

    name: str
    columns: tuple[str, ...]
    first_row: int = 1

    @abstractmethod
    def values(self, column: str) -> tuple[Any, ...]:
        """The distinct raw values of a column, in order of first appearance or sorted.

        Raises `SutureError` S313 where there are more than `MOST_VALUES`.
        """

    @abstractmethod
    def occurrences(self, column: str, value: Any) -> tuple[int, int]:
        """How many rows hold the value, and the first of them, counted as a reader of the table would."""

    @abstractmethod
    def counts(self, columns: Sequence[str], weight: str | None) -> Array:
        """The weight of each combination of the columns' `values`: int64 or Fractions where exact, else float64.

        Raises `SutureError` S304 or S309 for a weight that is none, S603 where the array would be too large.
        """

    def shape(self, columns: Sequence[str]) -> tuple[int, ...]:
        """The number of distinct values of each column, refused where their product is beyond memory."""
        shape = tuple(len(self.values(column)) for column in columns)
        need = math.prod(shape) * 8
        if need > meter().budget.bytes:
            message = f"a table over {one_of(list(columns))} needs {amount(need)} of memory"
            limit = f"the budget is {amount(meter().budget.bytes)}: ask for fewer variables at once"
            raise SutureError(Diagnostic("S603", message, help=limit))
        return shape

    def too_many(self, column: str) -> SutureError:
        """S313: more distinct values than a finite variable may have."""
        message = f"column {column} of {self.name} has more than {MOST_VALUES:,} different values"
        return SutureError(Diagnostic("S313", message, help="a finite variable is meant here: group the values first"))

    def bad_weight(self, column: str, value: Any, row: int) -> SutureError:
        """S309 for a missing weight, S304 for one that is no number or below zero."""
        if missing(value):
            message = f"column {column} of {self.name} has a missing weight in row {row}"
            return SutureError(Diagnostic("S309", message, help="give every row a weight, 0 to leave it out"))
        what = "below zero" if _numeric(value) is not None else "not a number"
        message = f"the weight '{value}' in row {row} of {self.name} is {what}"
        return SutureError(Diagnostic("S304", message, help=f"column {column} must hold numbers of at least 0"))


def missing(value: Any) -> bool:
    """Whether a raw value stands for nothing: None, not-a-number, or one of the usual texts."""
    return value is None or (isinstance(value, float) and value != value) or str(value) in MISSING


def _numeric(value: Any) -> Fraction | None:
    """A raw weight as an exact number, or None."""
    if isinstance(value, str):
        return number(value.strip())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return Fraction(value)


# ---------------------------------------------------------------------------------------------------------------------
# In memory


class Columns(Rows):
    """Columns in memory, of one length: lists or arrays of text, numbers or truth values."""

    def __init__(self, name: str, columns: Mapping[str, Sequence[Any] | Array | Coded]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._columns = {column: _plain_column(column, values) for column, values in columns.items()}
        lengths = {
            column: len(values.raw if isinstance(values, Coded) else values) for column, values in self._columns.items()
        }
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{column} has {length}" for column, length in lengths.items())
            raise SutureError(Diagnostic("S305", f"the columns of {name} differ in length: {told}"))
        self.length = next(iter(lengths.values()), 0)
        self._coded: dict[str, Coded] = {}

    def coded(self, column: str) -> Coded:
        """The distinct values of a column and each row's position among them."""
        if column not in self._coded:
            self._coded[column] = _coded(self._columns[column])
        return self._coded[column]

    def values(self, column: str) -> tuple[Any, ...]:
        """The distinct values, refused where they are very many."""
        found = self.coded(column).values
        if len(found) > MOST_VALUES:
            raise self.too_many(column)
        return found

    def occurrences(self, column: str, value: Any) -> tuple[int, int]:
        """How many rows, and the first."""
        coded = self.coded(column)
        places = np.flatnonzero(coded.codes() == coded.values.index(value))
        return len(places), int(places[0]) + self.first_row

    def counts(self, columns: Sequence[str], weight: str | None) -> Array:
        """Counted over combined codes; whole weights are exact."""
        self.shape(columns)
        coded = [self.coded(column) for column in columns]
        if weight is None:
            return combinations(coded, self.length)
        weights = self.weights(weight)
        if weights.dtype == np.float64:
            return combinations(coded, self.length, weights)
        if weights.dtype == np.int64:
            return combinations(coded, self.length, weights).astype(np.int64)
        codes = combined(coded, 0, self.length)
        totals = exact_array(np.zeros(math.prod(len(each.values) for each in coded), dtype=np.int64))
        np.add.at(totals, codes, weights)
        return totals.reshape([len(each.values) for each in coded])

    def raw(self, column: str) -> Array:
        """Every cell of a column, as it came."""
        found = self._columns[column]
        return found.decoded() if isinstance(found, Coded) else found

    def weights(self, column: str) -> Array:
        """The weight of every row: int64 where sums of them are exact in float64, Fractions where they are written as
        text or are larger, else float64.
        """
        values = self.raw(column)
        if values.dtype.kind in "iub" and len(values) and values.min() >= 0 and float(values.sum(dtype=float)) < EXACT:
            return values.astype(np.int64, copy=False)
        if values.dtype.kind == "f":
            wrong = np.flatnonzero(~(values >= 0) | np.isinf(values))
            if len(wrong):
                raise self.bad_weight(column, values[wrong[0]].item(), int(wrong[0]) + self.first_row)
            return values.astype(np.float64)
        made = np.empty(self.length, dtype=object)
        for place, value in enumerate(values.tolist()):
            weight = None if missing(value) else _numeric(value)
            if weight is None or weight < 0:
                raise self.bad_weight(column, value, place + self.first_row)
            made[place] = weight
        return made


def _plain_column(column: str, values: Sequence[Any] | Array | Coded) -> Array | Coded:
    """Values as an array: of numbers, truth values or texts where they are all such, else of objects.

    Raises `SutureError` S314 for what is not one value a row.
    """
    if isinstance(values, Coded):
        return values
    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.ndim == 1 and array.dtype.kind in "iufbU":
        return array
    if isinstance(values, str | bytes) or not hasattr(values, "__len__") or (array is not None and array.ndim != 1):
        hint = "give one list or array of values for each column"
        raise SutureError(Diagnostic("S314", f"column {column} does not hold one value a row", help=hint))
    kinds = {type(value) for value in values}
    if kinds and (kinds <= {int} or kinds <= {float} or kinds == {bool}):
        simple = np.array(values)
        if simple.dtype.kind in "ifb":
            return simple
    made = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        made[place] = value.item() if isinstance(value, np.generic) else value
    return made


def _coded(values: Array | Coded) -> Coded:
    """The column as codes; texts lose blanks around them."""
    if isinstance(values, Coded):
        return values
    if values.dtype.kind in "iub":
        return coded_integers(values)
    if values.dtype.kind == "O" or not len(values):
        return _coded_objects(values)
    found = coded_sorted(values, MOST_VALUES)
    return coded_categories(found.values, found.raw) if values.dtype.kind == "U" else found


def _coded_objects(values: Array) -> Coded:
    """In order of first appearance; missing values become None, texts lose blanks around them."""
    position: dict[Any, int] = {}
    codes = np.empty(len(values), dtype=np.uint32)
    for start in range(0, len(values), CHUNK):
        for place, value in enumerate(values[start : start + CHUNK].tolist(), start):
            plain = value.strip() if isinstance(value, str) else None if missing(value) else value
            plain = plain if isinstance(plain, Hashable) else str(plain)
            codes[place] = position.setdefault(plain, len(position))
    return Coded(tuple(position), codes.astype(unsigned(len(position))))


def exact_array(counts: Array) -> Array:
    """Integers as Fractions."""
    made = np.empty(counts.size, dtype=object)
    made[:] = [Fraction(int(count)) for count in counts.flat]
    return made.reshape(counts.shape)


# ---------------------------------------------------------------------------------------------------------------------
# DuckDB


class Relation(Rows):
    """A relation of a DuckDB connection: a table or view named `rows`."""

    def __init__(self, name: str, connection: Any, columns: Iterable[str], broken: Callable[[str], Diagnostic]) -> None:
        self.name = name
        self.connection = connection
        self.columns = tuple(columns)
        self.broken = broken
        self._values: dict[str, dict[Any, int]] = {}

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, on a cursor of its own, so that threads do not meet.

        A file found to be broken only now raises the `SutureError` that `broken` makes of the engine's words.
        """
        import duckdb

        try:
            return self.connection.cursor().execute(sql, parameters).fetchall()
        except duckdb.Error as error:
            raise SutureError(self.broken(str(error))) from None

    def counted(self, column: str) -> dict[Any, int]:
        """The distinct values of a column, sorted as text, with the number of rows of each."""
        if column not in self._values:
            name = quoted(column)
            found = self.query(f"SELECT {name}, count(*) FROM rows GROUP BY 1 LIMIT {MOST_VALUES + 1}")
            if len(found) > MOST_VALUES:
                raise self.too_many(column)
            self._values[column] = dict(sorted(found, key=lambda pair: (pair[0] is not None, str(pair[0]))))
        return self._values[column]

    def values(self, column: str) -> tuple[Any, ...]:
        """The distinct values, grouped by the engine."""
        return tuple(self.counted(column))

    def occurrences(self, column: str, value: Any) -> tuple[int, int]:
        """How many rows, and the first."""
        return self.counted(column)[value], self.row_where(f"{quoted(column)} IS NOT DISTINCT FROM ?", value)

    def row_where(self, condition: str, *parameters: Any) -> int:
        """The first row for which a condition holds."""
        numbered = "SELECT *, row_number() OVER () AS number_of_row FROM rows"
        found = self.query(f"SELECT min(number_of_row) FROM ({numbered}) WHERE {condition}", *parameters)
        return int(found[0][0])

    def counts(self, columns: Sequence[str], weight: str | None) -> Array:
        """Grouped by the engine, in one query."""
        shape = self.shape(columns)
        chosen = "".join(f"{quoted(column)}, " for column in columns)
        groups = f" GROUP BY {', '.join(str(n + 1) for n in range(len(columns)))}" if columns else ""
        if weight is None:
            found: Iterable[tuple[Any, ...]] = self.query(f"SELECT {chosen}count(*) FROM rows{groups}")
            total: Array = exact_array(np.zeros(shape, dtype=np.int64))
        elif self.exact_weights(weight):
            found = self.query(f"SELECT {chosen}{quoted(weight)}, count(*) FROM rows GROUP BY ALL")
            found = [(*row[:-2], self.weight_values[weight][row[-2]] * row[-1]) for row in found]
            total = exact_array(np.zeros(shape, dtype=np.int64))
        else:
            found = self.query(f"SELECT {chosen}sum(CAST({quoted(weight)} AS DOUBLE)) FROM rows{groups}")
            total = np.zeros(shape)
        position = [{value: place for place, value in enumerate(self.values(column))} for column in columns]
        for *cells, amount_of in found:
            place = tuple(where[cell] for where, cell in zip(position, cells, strict=True))
            total[place] = total[place] + amount_of
        return total

    @cached_property
    def weight_values(self) -> dict[str, dict[Any, Fraction]]:
        """The distinct weights of each column asked for, as exact numbers."""
        return {}

    def exact_weights(self, column: str) -> bool:
        """Whether a column's weights are few enough to be kept exact; each is checked (S304, S309)."""
        name = quoted(column)
        if column not in self.weight_values:
            found = self.query(f"SELECT DISTINCT {name} FROM rows LIMIT {MOST_WEIGHTS + 1}")
            if len(found) > MOST_WEIGHTS:
                self.check_weights(column)
                return False
            known: dict[Any, Fraction] = {}
            for (value,) in found:
                weight = None if missing(value) else _numeric(value)
                if weight is None or weight < 0:
                    row = self.row_where(f"{name} IS NOT DISTINCT FROM ?", value)
                    raise self.bad_weight(column, value, row)
                known[value] = weight
            self.weight_values[column] = known
        return all(isinstance(value, str | int) for value in self.weight_values[column])

    def check_weights(self, column: str) -> None:
        """Refuse a column of many weights of which one is no number of at least zero."""
        wrong = f"coalesce(TRY_CAST({quoted(column)} AS DOUBLE), -1) < 0 OR isnan(TRY_CAST({quoted(column)} AS DOUBLE))"
        found = self.query(f"SELECT {quoted(column)} FROM rows WHERE {wrong} LIMIT 1")
        if found:
            raise self.bad_weight(column, found[0][0], self.row_where(wrong))


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def no_column(name: str, rows_name: str, columns: Sequence[str]) -> Diagnostic:
    """S308: a variable that the data do not hold."""
    hint = did_you_mean(name, columns) or f"its columns are {one_of(list(columns))}"
    return Diagnostic("S308", f"{rows_name} has no column for {name}", help=hint)
