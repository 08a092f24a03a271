"""Tables of other libraries, their columns taken as they are stored: categories by their codes, numbers without a copy.

Recognised by what an object can do, so that no library is imported here: pandas and polars series, Arrow arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from ...dsl.program import Frame
from ..semiring import Array
from .coding import Coded, coded_categories

TEXTS = ("string", "large_string", "string_view", "dictionary")
NUMBERS = ("int", "uint", "float", "double", "bool", "halffloat")

ARROW_METHODS = ("to_pyarrow", "to_arrow_table", "fetch_arrow_table")


def frame_columns(origin: Frame, frames: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the table of Python that a data set names; raises `SutureError` S314 where it is no table, S315
    where there is none of that name.
    """
    frame = frames.get(origin.name)
    if frame is None:
        known = [name for name in frames if is_table(frames[name])]
        text = f"no table of Python was handed over as '{origin.name}'"
        hint = did_you_mean(origin.name, known) or (
            "make it before, or hand it over: suture.run(program, frames={..}); a file's path stands in double quotes"
        )
        raise SutureError(Diagnostic("S315", text, origin.span, "not known", hint))
    try:
        return columns_of(frame)
    except SutureError as error:
        raise SutureError(replace(part, span=origin.span) for part in error.diagnostics) from None


def is_table(value: Any) -> bool:
    """Whether a value of Python can be data: a dict of columns, or something with named columns.

    >>> is_table({"X": [0, 1]}), is_table({}), is_table(3)
    (True, False, False)
    """
    if isinstance(value, Mapping):
        return bool(value) and all(
            hasattr(column, "__len__") and not isinstance(column, str) for column in value.values()
        )
    if isinstance(value, type):
        return False
    named = getattr(value, "columns", None) is not None or getattr(value, "column_names", None) is not None
    return named or any(hasattr(value, method) for method in ARROW_METHODS)


def columns_of(data: Any) -> dict[str, Any]:
    """The columns of a table of Python as arrays or lists; raises `SutureError` S314 where it is none."""
    if isinstance(data, Mapping):
        return {str(column): _cells(values) for column, values in data.items()}
    for method in ARROW_METHODS:
        if hasattr(data, method):
            data = getattr(data, method)()
            break
    names = getattr(data, "column_names", None)
    if names is None:
        names = getattr(data, "columns", None)
    if names is None or isinstance(data, str | bytes):
        kind = type(data).__name__
        hint = "give a dict of columns, or a pandas, polars, pyarrow or DuckDB table"
        raise SutureError(Diagnostic("S314", f"a {kind} is not a table", help=hint))
    named = [str(column) for column in names]
    for place, column in enumerate(named):
        if column in named[:place]:
            raise SutureError(Diagnostic("S307", f"column '{column}' is listed twice"))
    return {column: _cells(data[key]) for column, key in zip(named, names, strict=True)}


def _cells(values: Any) -> Any:
    """One column as an array or a list; text and missing values become plain objects."""
    if isinstance(values, np.ndarray | list | tuple):
        return values
    found = column_of(values)
    if found is not None:
        return found
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method) and not str(getattr(values, "dtype", "")).startswith(("int", "float", "bool")):
            return getattr(values, method)()
    return np.asarray(values)


def column_of(values: Any) -> Coded | Array | None:
    """A column as codes or as an array of its own numbers; None where it is neither text nor complete numbers."""
    if hasattr(values, "dictionary_encode") and hasattr(values, "type"):
        return _of_arrow(values)
    if hasattr(values, "factorize") and hasattr(values, "dtype"):
        return _of_pandas(values)
    if hasattr(values, "to_arrow") and hasattr(values, "null_count"):
        return _of_polars(values)
    return None


def _of_pandas(values: Any) -> Coded | Array | None:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufb":
        return values.to_numpy()
    kind = str(values.dtype)
    if kind == "category":
        return coded_categories(values.cat.categories.tolist(), np.asarray(values.cat.codes))
    if kind not in ("object", "str", "string"):
        return None
    try:
        codes, found = values.factorize()
    except TypeError:
        return None
    return coded_categories(found.tolist(), codes)


def _of_polars(values: Any) -> Coded | Array | None:
    try:
        return _of_arrow(values.to_arrow())
    except ImportError:
        return values.to_numpy() if not values.null_count() and values.dtype.is_numeric() else None


def _of_arrow(values: Any) -> Coded | Array | None:
    kind = str(values.type)
    if kind.startswith(NUMBERS) and not values.null_count:
        pieces = getattr(values, "chunks", [values])
        if len(pieces) == 1:
            return pieces[0].to_numpy(zero_copy_only=False)
        return values.to_numpy()
    if not kind.startswith(TEXTS):
        return None
    coded = values if kind.startswith("dictionary") else values.dictionary_encode()
    if hasattr(coded, "unify_dictionaries"):
        coded = coded.unify_dictionaries()
    pieces = getattr(coded, "chunks", [coded])
    if not pieces:
        return coded_categories((), np.zeros(0, dtype=np.int32))
    codes = [_signed(piece.indices) for piece in pieces]
    return coded_categories(pieces[0].dictionary.to_pylist(), codes[0] if len(codes) == 1 else np.concatenate(codes))


def _signed(indices: Any) -> Array:
    """The codes of an Arrow dictionary, -1 where there is none."""
    if indices.null_count or str(indices.type).startswith("uint"):
        indices = indices.cast("int32").fill_null(-1)
    return indices.to_numpy(zero_copy_only=False)
