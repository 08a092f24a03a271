"""A predictor of a real outcome that is affine in its inputs, and how columns of real numbers are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.formula import Formula
from ...dsl.labels import number
from ...semantics.data.empirical import columns_of
from ...semantics.data.tables import Columns, missing, no_column

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AffinePredictor:
    """`intercept + sum(coefficient * input)`, the mean of `outcome`; Fractions where the model is rational.

    `formula` is what it is in the model's distributions, None for a predictor that no formula gives.
    """

    outcome: str
    inputs: tuple[str, ...]
    intercept: Any
    coefficients: tuple[Any, ...]
    formula: Formula | None = None
    loss: str = "squared_loss"

    @property
    def equation(self) -> str:
        """The predictor in the language, numbers to six digits.

        >>> AffinePredictor("Y", ("X", "M"), 0, (0.5, -2)).equation
        '0.5*X - 2*M'
        """
        pairs = [(float(each), name) for each, name in zip(self.coefficients, self.inputs, strict=True)]
        terms = [(value, f"{abs(value):.6g}*{name}") for value, name in pairs if f"{value:.6g}" not in ("0", "-0")]
        start = float(self.intercept)
        if start != 0 or not terms:
            terms.insert(0, (start, f"{abs(start):.6g}"))
        head = f"-{terms[0][1]}" if terms[0][0] < 0 else terms[0][1]
        return head + "".join(f" {'-' if value < 0 else '+'} {text}" for value, text in terms[1:])

    def predict(self, data: Any) -> Any:
        """The predictions for `data` in float64: a dict of numbers gives one, a table one a row.

        `data` is a dict of numbers or of columns, or a pandas, polars, pyarrow or DuckDB table; columns that are no
        inputs are left alone.  Raises `SutureError` S308 where an input has no column, S302 for what is no number.
        """
        rows, alone = real_columns(self.inputs, data)
        found = float(self.intercept) + rows @ np.array([float(each) for each in self.coefficients])
        return float(found[0]) if alone else found


def real_columns(names: Sequence[str], data: Any) -> tuple[Floats, bool]:
    """The named columns of `data` as an array of rows by columns, and whether it is one row given by numbers.

    Raises `SutureError` S308 where a column is absent, S302 for a cell that is no number, S309 for one that is missing.
    """
    alone = False
    name, found = "data", dict[str, Any]()
    if isinstance(data, Mapping) and all(isinstance(each, str) or np.ndim(each) == 0 for each in data.values()):
        alone, name = True, "the case"
        found = {str(key): [value] for key, value in data.items()}
    else:
        found = columns_of(data)
    rows = Columns(name, found or {"": [0]})
    columns: list[Floats] = []
    for each in names:
        if each not in rows.columns:
            raise SutureError(no_column(each, rows.name, rows.columns))
        columns.append(_numbers(each, found[each], name))
    length = len(columns[0]) if columns else rows.length
    return np.stack(columns, axis=1) if columns else np.zeros((length, 0)), alone


def _numbers(column: str, values: Any, name: str) -> Floats:
    """A column as finite floats; text that spells numbers is read."""
    try:
        made = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        made = np.array([_cell(column, value, name, place) for place, value in enumerate(values)], dtype=np.float64)
    if not np.isfinite(made).all():
        place = int(np.flatnonzero(~np.isfinite(made))[0])
        text = f"column {column} of {name} has no finite number in row {place + 1}"
        raise SutureError(Diagnostic("S309", text, help="leave those rows out"))
    return made


def _cell(column: str, value: Any, name: str, place: int) -> float:
    exact = number(str(value).strip())
    if missing(value) or exact is None:
        text = f"'{value}' in column {column} of {name} is not a number (row {place + 1})"
        raise SutureError(Diagnostic("S302", text, help=f"{column} is real"))
    return float(exact)
