"""Evidence for many cases as tables of other libraries, texts and categories alike; a missing value is no evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from suture import Engine, Model

MODEL = """model M {
  Rain : {no, yes} ~ {no: 0.8, yes: 0.2}
  Wet : {no, yes} ~ table (Rain) { no => 0.9, 0.1 ; yes => 0.2, 0.8 }
}"""
SEEN = ["no", "yes", None]


@pytest.mark.parametrize(
    "table",
    [
        {"Wet": SEEN},
        {"Wet": pd.Series(SEEN)},
        {"Wet": pd.Series(SEEN, dtype="category")},
        {"Wet": pa.array(SEEN)},
        pd.DataFrame({"Wet": SEEN}),
        pd.DataFrame({"Wet": pd.Categorical(SEEN, categories=["yes", "maybe", "no"])}),
        pl.DataFrame({"Wet": SEEN}),
        pa.table({"Wet": pa.array(SEEN).dictionary_encode()}),
    ],
)
def test_tables_of_evidence(table: Any) -> None:
    """Bayes' rule by hand: .72/.76 and .08/.24, and the prior where nothing was seen."""
    found = Engine(Model(MODEL), path="numpy").posterior("Rain", table).values
    assert np.asarray(found)[:, 1] == pytest.approx([0.04 / 0.76, 0.16 / 0.24, 0.2], abs=1e-12)
