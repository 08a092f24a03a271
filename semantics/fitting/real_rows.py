"""The rows of a data set over real variables, as an array: what a fit to samples takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ...dsl.labels import number
from ...dsl.program import Data, Frame, Inline
from ...dsl.source import Span
from ..data.data_files import open_file
from ..data.frames import frame_columns
from ..data.tables import Columns, missing, quoted

Floats = Any


def real_rows(
    data: Data, columns: Sequence[str], folder: str | Path = ".", frames: Mapping[str, Any] | None = None
) -> Floats:
    """The named columns of a program's data set, `rows columns`; a relative path is taken from `folder`, a table of
    Python from `frames`, by its name.

    Raises `SutureError` S301 where a column is absent, S302 for a cell that is no number, S309 for one that is missing,
    and what `open_file` and `frame_columns` raise.
    """
    rows: list[tuple[Any, ...]]
    if isinstance(data.origin, Inline):
        name, span = data.name, data.span
        _require(columns, data.origin.columns, name, span)
        places = [data.origin.columns.index(column) for column in columns]
        rows = [tuple(row[place] for place in places) for row in data.origin.rows]
    elif isinstance(data.origin, Frame):
        name, span = data.origin.name, data.origin.span
        table = Columns(name, frame_columns(data.origin, frames or {}))
        _require(columns, table.columns, name, span)
        rows = list(zip(*(table.raw(column).tolist() for column in columns), strict=True))
    else:
        table = open_file(Path(folder) / data.origin.path, data.origin.span)
        name, span = table.name, data.origin.span
        _require(columns, table.columns, name, span)
        rows = table.query(f"SELECT {', '.join(map(quoted, columns))} FROM rows")
    try:
        made = np.array(rows, dtype=float).reshape(len(rows), len(columns))
    except (TypeError, ValueError):
        made = None
    if made is None or not np.isfinite(made).all():
        return _slowly(rows, columns, name, span)
    return made


def _require(columns: Sequence[str], found: Sequence[str], name: str, span: Span | None) -> None:
    for column in columns:
        if column not in found:
            help = did_you_mean(column, found) or f"its columns are {one_of(list(found))}"
            raise SutureError(Diagnostic("S301", f"{name} has no column '{column}'", span, "", help))


def _slowly(rows: Sequence[Sequence[Any]], columns: Sequence[str], name: str, span: Span | None) -> Floats:
    """Cell by cell: fractions are read, and the first cell that is no number is named."""
    made = np.empty((len(rows), len(columns)))
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if missing(value):
                text = f"column {columns[column]} of {name} has a missing value in row {place + 1}"
                raise SutureError(Diagnostic("S309", text, span, "", "leave those rows out"))
            exact = number(str(value).strip())
            if exact is None:
                text = f"'{value}' in column {columns[column]} of {name} is not a number (row {place + 1})"
                raise SutureError(Diagnostic("S302", text, span, "", f"{columns[column]} is real"))
            made[place, column] = float(exact)
    return made
