"""Counting columns of every kind agrees with counting rows one by one; nothing large is copied."""

from __future__ import annotations

import math
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.semantics.data import coding
from suture.semantics.data.empirical import columns_of
from suture.semantics.data.tables import Columns

KINDS: dict[str, Callable[[Any, int], Any]] = {
    "int8": lambda generator, rows: generator.integers(-128, 128, rows).astype(np.int8),
    "uint8": lambda generator, rows: generator.integers(0, 3, rows).astype(np.uint8),
    "int64": lambda generator, rows: generator.choice([-(2**62), 5 - 2**62, 40_000 - 2**62], rows),
    "uint64": lambda generator, rows: generator.choice(np.array([2**64 - 1, 2**64 - 9], dtype=np.uint64), rows),
    "far apart": lambda generator, rows: generator.choice([-(2**60), 0, 2**60], rows),
    "bool": lambda generator, rows: generator.integers(0, 2, rows).astype(bool),
    "float": lambda generator, rows: generator.choice([0.5, -1.0, 3.0, 1e300], rows),
    "texts": lambda generator, rows: generator.choice(["a", "bb", " c "], rows),
    "objects": lambda generator, rows: generator.choice(np.array(["a", 1, 2.5, True], dtype=object), rows),
    "list": lambda generator, rows: [f"v{n}" for n in generator.integers(0, 4, rows)],
}


def plain(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value.item() if isinstance(value, np.generic) else value


def counted(columns: Sequence[Sequence[Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(map(plain, row)) for row in zip(*columns, strict=True))


def told(table: Columns, names: Sequence[str], weight: str | None = None) -> dict[tuple[Any, ...], Any]:
    """Every combination that the table counts above zero."""
    counts = table.counts(names, weight)
    values = [table.values(name) for name in names]
    return {
        tuple(own[place] for own, place in zip(values, cell, strict=True)): counts[cell]
        for cell in np.ndindex(counts.shape)
        if counts[cell]
    }


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=0, max_size=3), st.integers(0, 40), st.integers(0, 10**6))
def test_counts_of_every_kind(kinds: list[str], rows: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    columns = {f"{kind} {place}": KINDS[kind](generator, rows) for place, kind in enumerate(kinds)}
    table = Columns("data", columns or {"only": [0] * rows})
    if rows or not columns:
        expected = counted(list(columns.values())) if columns else Counter({(): rows} if rows else {})
        assert told(table, list(columns)) == expected


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_counts_do_not_depend_on_the_chunk(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that first occur in a late chunk are found too."""
    monkeypatch.setattr(coding, "CHUNK", chunk)
    generator = np.random.default_rng(chunk)
    columns = {kind: make(generator, 50) for kind, make in KINDS.items() if kind != "int8"}
    columns["late"] = np.array([0] * 40 + [2] * 9 + [1])
    columns["late float"] = np.array([0.5] * 40 + [-2.0] * 9 + [0.75])
    table = Columns("data", columns)
    for names in (["uint8", "float", "late"], ["late float", "texts"], list(columns)[:4]):
        assert told(table, names) == counted([columns[name] for name in names])


def test_more_values_than_one_byte_beside_columns_of_one_value() -> None:
    """256 values, the whole range of a byte, after a column with one."""
    columns: dict[str, Any] = {
        "one": np.zeros(600, dtype=np.uint8),
        "many": np.arange(600) % 256,
        "two": np.arange(600) // 300,
    }
    table = Columns("data", columns)
    assert told(table, ["one", "many"]) == counted([columns["one"], columns["many"]])
    assert told(table, ["many", "two"]) == counted([columns["many"], columns["two"]])


def test_many_different_floats() -> None:
    values = np.random.default_rng(0).random(30_000)
    assert len(coding.coded_sorted(values, 100).values) == 30_000


def test_not_a_number_is_one_value_that_comes_last() -> None:
    found = coding.coded_sorted(np.array([np.nan, 1.0, np.nan, -1.0]), 10)
    assert found.values[:2] == (-1.0, 1.0)
    assert math.isnan(found.values[2])
    assert found.codes().tolist() == [2, 1, 2, 0]


TABLE = {"x": ["a", "b", "a", " b", "c"], "n": [1, 2, 2, 1, 1], "t": [True, False, True, True, True]}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).astype({"x": "category"}),
        pd.DataFrame(TABLE).astype({"x": "category"}).iloc[:5],
        pd.DataFrame(TABLE).astype({"x": "string", "n": "Int64"}),
        pl.DataFrame(TABLE),
        pl.DataFrame(TABLE).with_columns(pl.col("x").cast(pl.Categorical)),
        pl.concat([pl.DataFrame(TABLE)[:2], pl.DataFrame(TABLE)[2:]], rechunk=False),
        pa.table(TABLE),
        pa.concat_tables([pa.table(TABLE).slice(0, 3), pa.table(TABLE).slice(3)]),
        pa.table({**TABLE, "x": pa.array(TABLE["x"]).dictionary_encode()}),
        pa.concat_tables([pa.table({"x": pa.array(part).dictionary_encode(), "n": n, "t": t}) for part, n, t in [
            (["a", "b", "a"], [1, 2, 2], [True, False, True]), ([" b", "c"], [1, 1], [True, True])]]),
        pa.RecordBatch.from_pydict(TABLE),
    ],
)  # fmt: skip
def test_frames_are_counted_as_their_rows(frame: Any) -> None:
    table = Columns("data", columns_of(frame))
    expected = counted([TABLE["x"], TABLE["n"], TABLE["t"]])
    assert told(table, ["x", "n", "t"]) == expected
    assert sorted(table.values("x")) == ["a", "b", "c"]


def test_missing_texts_of_frames() -> None:
    texts = ["a", None, "b", None]
    for frame in (
        pd.DataFrame({"x": texts}),
        pd.DataFrame({"x": pd.Categorical(texts)}),
        pl.DataFrame({"x": texts}),
        pa.table({"x": texts}),
    ):
        table = Columns("data", columns_of(frame))
        assert set(table.values("x")) == {"a", "b", None}
        assert table.occurrences("x", None) == (2, 2)


def test_categories_that_do_not_occur_are_no_values() -> None:
    frame = pd.DataFrame({"x": pd.Categorical(["b", "b"], categories=["a", "b", "c"])})
    assert Columns("data", columns_of(frame)).values("x") == ("b",)


def test_whole_weights_are_exact() -> None:
    big = 10**15
    table = Columns("data", {"x": np.array([0, 1, 1]), "n": np.array([big, 1, 2])})
    assert table.counts(["x"], "n").tolist() == [Fraction(big), Fraction(3)]
    huge = Columns("data", {"x": [0, 1, 1], "n": [2**60, 2**60, 1]})
    assert huge.counts(["x"], "n").tolist() == [Fraction(2**60), Fraction(2**60 + 1)]


def test_numbers_are_not_copied() -> None:
    """A million rows of eight columns: counting them takes a chunk of memory, not the rows."""
    generator = np.random.default_rng(0)
    columns: dict[str, Any] = {f"c{n}": generator.integers(0, 3, 1_000_000).astype(np.uint8) for n in range(7)}
    columns["wide"] = generator.integers(5, 7, 1_000_000)
    table = Columns("data", columns)
    tracemalloc.start()
    counts = table.counts(list(columns), None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.sum() == 1_000_000
    assert peak < 8_000_000
