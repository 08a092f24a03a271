"""Columns in memory as small numbers, and counting their combinations chunk by chunk.

A column of few values is read as what it is: small integers and truth values stay where they are, categories keep the
codes of their library, and only text and floats are coded anew, in one byte or two a row.  Counting combines a chunk of
each column in the processor's cache and adds one `bincount` of it, so that it needs no memory that grows with the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..semiring import Array

CHUNK = 1 << 17
WIDE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The distinct values of a column, and for each row a position among them.

    Row r holds `values[place[raw[r] - low]]`; where `place` is None, `values[raw[r] - low]`.
    """

    values: tuple[Any, ...]
    raw: Array
    low: int = 0
    place: Array | None = None

    def chunk(self, start: int, stop: int, kind: Any) -> Array:
        """The positions of some rows, as integers of `kind`."""
        part = _above(self.raw[start:stop], self.low)
        if self.place is not None:
            part = self.place[part]
        return part.astype(kind, copy=False)

    def codes(self) -> Array:
        """The position of every row."""
        return self.chunk(0, len(self.raw), unsigned(len(self.values)))

    def decoded(self) -> Array:
        """The value of every row, as objects."""
        made = np.empty(len(self.values), dtype=object)
        made[:] = self.values
        return made[self.codes()]


def unsigned(count: int) -> Any:
    """The smallest unsigned integers that number `count` things.

    >>> unsigned(256).__name__, unsigned(257).__name__
    ('uint8', 'uint16')
    """
    return next(kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64) if count <= np.iinfo(kind).max + 1)


def _above(raw: Array, low: int) -> Array:
    """How far each integer lies above `low`: in unsigned arithmetic nothing overflows."""
    if raw.dtype.kind == "u" and not low:
        return raw
    kind: Any = np.dtype(f"u{raw.dtype.itemsize}").type
    return raw.view(kind) - kind(low % (1 << 8 * raw.dtype.itemsize))


def combined(columns: Sequence[Coded], start: int, stop: int) -> Array:
    """The combination of values that each of some rows holds, as one number; the last column varies fastest."""
    kind = unsigned(math.prod(len(column.values) for column in columns))
    if not columns:
        return np.zeros(stop - start, dtype=kind)
    code = columns[0].chunk(start, stop, kind).copy()
    for column in columns[1:]:
        # A column with more values than `kind` can say is the first with more than one: there is nothing to move up.
        size = len(column.values)
        code *= kind(size if size <= np.iinfo(kind).max else 0)
        code += column.chunk(start, stop, kind)
    return code


def combinations(columns: Sequence[Coded], length: int, weights: Array | None = None) -> Array:
    """How many of `length` rows hold each combination of values, one axis a column; with `weights` their sum.

    Counts are int64, sums float64.

    >>> sex, old = coded_integers(np.array([0, 1, 1])), coded_integers(np.array([7, 9, 9]))
    >>> combinations([sex, old], 3).tolist()
    [[1, 0], [0, 2]]
    """
    shape = tuple(len(column.values) for column in columns)
    total = math.prod(shape)
    made = np.zeros(total, dtype=np.int64 if weights is None else np.float64)
    step = max(CHUNK, 4 * total)
    for start in range(0, length, step):
        stop = min(start + step, length)
        code = combined(columns, start, stop)
        part = weights if weights is None else weights[start:stop]
        made += np.bincount(code, weights=part, minlength=total)
    return made.reshape(shape)


# ---------------------------------------------------------------------------------------------------------------------
# Coding


def coded_integers(raw: Array) -> Coded:
    """Integers or truth values, where they lie between few; values ascend."""
    if raw.dtype.kind == "b":
        found = coded_integers(raw.view(np.uint8))
        return Coded(tuple(map(bool, found.values)), found.raw, found.low, found.place)
    if not len(raw):
        return Coded((), raw)
    low, high = _ends(raw)
    if high - low >= WIDE:
        values, codes = np.unique(raw, return_inverse=True)
        return Coded(tuple(values.tolist()), codes.astype(unsigned(len(values))))
    seen = _seen(raw, low, high - low + 1)
    values = np.flatnonzero(seen)
    names = tuple(low + value for value in values.tolist())
    if len(values) == len(seen):
        return Coded(names, raw, low)
    place = np.zeros(len(seen), dtype=unsigned(len(values)))
    place[values] = np.arange(len(values))
    return Coded(names, raw, low, place)


def _ends(raw: Array) -> tuple[int, int]:
    """The least and the greatest integer, each chunk read from memory once."""
    parts = [raw[start : start + CHUNK] for start in range(0, len(raw), CHUNK)]
    ends = [(int(part.min()), int(part.max())) for part in parts]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _seen(raw: Array, low: int, span: int) -> Array:
    """Which integers from `low` on occur; it ends as soon as all of them have been seen."""
    seen = np.zeros(span, dtype=bool)
    for start in range(0, len(raw), CHUNK):
        part = raw[start : start + CHUNK]
        seen[_above(part, low)] = True
        if seen.all():
            break
    return seen


def coded_sorted(raw: Array, most: int) -> Coded:
    """Floats or texts in an array of their own type; values ascend, not-a-number comes last.

    Beyond `most` different values they are sorted all at once, which needs more memory.
    """
    known: Any = np.unique(raw[:CHUNK])
    codes = np.empty(len(raw), dtype=unsigned(most + 1))
    start = 0
    while start < len(raw):
        part = raw[start : start + CHUNK]
        place: Any = np.searchsorted(known, part)
        odd = part[known[np.minimum(place, len(known) - 1)] != part]
        odd = odd[odd == odd] if raw.dtype.kind == "f" and np.isnan(known[-1]) else odd
        if len(odd):
            wider = np.union1d(known, odd)
            if len(wider) > most:
                values, every = np.unique(raw, return_inverse=True)
                return Coded(tuple(values.tolist()), every.astype(unsigned(len(values))))
            moved = np.searchsorted(wider, known).astype(codes.dtype)
            codes[:start] = moved[codes[:start]]
            known = wider
            continue
        codes[start : start + CHUNK] = place
        start += CHUNK
    values = tuple(known.tolist())
    return Coded(values, codes.astype(unsigned(len(values)), copy=False))


def coded_categories(categories: Sequence[Any], codes: Array) -> Coded:
    """A column that its library has coded already, a code below zero where a value is missing.

    Texts lose blanks around them; only categories that occur are values, in the order of the categories.
    """
    plain = [value.strip() if isinstance(value, str) else value for value in categories]
    low = int(codes.min()) if len(codes) else 0
    seen = _seen(codes, min(low, 0), len(plain) - min(low, 0)) if len(codes) else np.zeros(len(plain), dtype=bool)
    order: dict[Any, int] = {}
    place = np.zeros(len(seen), dtype=unsigned(len(seen)))
    for number in np.flatnonzero(seen).tolist():
        code = number + min(low, 0)
        value = plain[code] if code >= 0 else None
        place[number] = order.setdefault(value, len(order))
    same = not min(low, 0) and len(order) == len(place) and bool((place == np.arange(len(place))).all())
    return Coded(tuple(order), codes, min(low, 0), None if same else place)
