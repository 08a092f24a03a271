"""Many cases answered from a table of evidence: for every row, how likely each value of each variable is then."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from ..dsl.diagnostics import Diagnostic, SutureError

if TYPE_CHECKING:
    from ..inference import Engine

PIECE = 1 << 14
"""Cases that are answered together: enough to keep a compiled program busy, few enough to print as they come."""


@dataclass
class Cases:
    """What is asked: evidence and interventions at one value each, and a table of more evidence with a row a case.

    Blank cells of `columns` are no evidence.  An intervention without a value stands for every value in turn.
    Raises `SutureError` S490 for a variable that is given twice.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    do: Mapping[str, str | None] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        twice = [name for name in self.columns if name in self.given]
        if twice:
            message = f"{twice[0]} is given at one value, and by a column of the cases"
            raise SutureError(Diagnostic("S490", message, help="leave one of the two out"))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def pieces(self) -> Iterator[tuple[int, dict[str, object]]]:
        """The evidence of some cases at a time, with the number of cases before."""
        if not self.columns:
            yield 0, dict(self.given)
        for start in range(0, len(self), PIECE):
            part = {name: [*values[start : start + PIECE]] for name, values in self.columns.items()}
            yield start, {**self.given, **part}


def read_columns(path: str) -> dict[str, list[str | None]]:
    """The columns of a CSV or Parquet file as labels; blank cells are None.  Raises `SutureError` as `open_file`."""
    from ..semantics.data.data_files import open_file

    relation = open_file(Path(path))
    rows = relation.query("SELECT * FROM rows")
    texts = [[None if cell is None or str(cell) == "" else str(cell) for cell in row] for row in rows]
    return {name: list(values) for name, values in zip(relation.columns, zip(*texts, strict=True), strict=True)}


def write_probabilities(
    engine: Engine,
    cases: Cases,
    variables: Sequence[str],
    out: TextIO,
    advanced: Callable[[float], None] | None = None,
) -> list[int]:
    """A CSV table on `out`: a line a case, a column a value of a variable.  The cases that are impossible, from one.

    Their cells are empty.  `advanced` is told how far it is, from 0 to 1.  Raises `SutureError` for what does not fit
    the model.
    """
    names = list(variables) or list(engine.model.diagram.position)
    opened = [name for name, label in cases.do.items() if label is None]
    writer = csv.writer(out, lineterminator="\n")
    impossible: list[int] = []
    for start, given in cases.pieces():
        found = engine.marginals(given, dict(cases.do), variables=names)
        evidence = found.evidence
        if start == 0:
            heads = [f"{name}={label}" for name in names for label in found.labels[name]]
            writer.writerow(["case", *(f"do({name})" for name in opened), *heads])
        own = evidence.values.ndim - len(opened)
        tables = [found[name].values for name in names]
        for place in np.ndindex(*evidence.values.shape):
            number = start + 1 + (place[0] if own else 0)
            settings = [labels[at] for labels, at in zip(evidence.labels[own:], place[own:], strict=True)]
            cells = [value for table in tables for value in table[place].tolist()]
            writer.writerow([number, *settings, *("" if value != value else repr(value) for value in cells)])
            if not np.isfinite(evidence.values[place]) and number not in impossible[-1:]:
                impossible.append(number)
        if advanced is not None:
            advanced(min(1.0, (start + PIECE) / max(1, len(cases))))
    return impossible
