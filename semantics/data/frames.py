"""Columns of other libraries, taken as they are stored: categories by their codes, numbers without a copy.

Recognised by what an object can do, so that no library is imported here: pandas and polars series, Arrow arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..semiring import Array
from .coding import Coded, coded_categories

TEXTS = ("string", "large_string", "string_view", "dictionary")
NUMBERS = ("int", "uint", "float", "double", "bool", "halffloat")


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
