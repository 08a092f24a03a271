"""A predictor as a usable object: a table over its inputs, a formula, and predictions for rows of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import SutureError
from ...dsl.formula import Formula
from ...semantics.data.empirical import matched, unknown_value
from ...semantics.data.frames import columns_of
from ...semantics.data.tables import Columns, no_column
from ...semantics.factors import NamedTable
from ...semantics.semiring import Array


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """What is predicted of `outcome` for each case of `inputs`.

    `values` has one axis an input; for the losses of distributions a last one for the outcome's labels.  Where
    `undetermined` holds no domain ever has the case, and any value would do.  `formula` is what the values are, None
    for a predictor that no formula in the model's distributions gives.
    """

    outcome: str
    outcome_labels: tuple[str, ...]
    inputs: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    loss: str
    values: Array
    undetermined: NDArray[np.bool_]
    formula: Formula | None = None

    @property
    def table(self) -> NamedTable:
        """The predictions: the mean for the squared loss, else the probability of each value of the outcome.

        Cases that no domain has are nan.
        """
        holes = self.undetermined if self.loss == "squared_loss" else self.undetermined[..., None]
        values = np.where(holes, np.nan, self.values) if bool(self.undetermined.any()) else self.values
        if self.loss == "squared_loss":
            return NamedTable(self.inputs, self.labels, np.asarray(values))
        return NamedTable((*self.inputs, self.outcome), (*self.labels, self.outcome_labels), np.asarray(values))

    def predict(self, data: Any) -> Any:
        """The predictions for `data`: a dict of labels gives one, a table one a row.

        `data` is a dict of labels or of columns, or a pandas, polars, pyarrow or DuckDB table; columns that are no
        inputs are left alone.  The squared loss gives means (float64), the log loss an array of probabilities with one
        column a value of the outcome, the 0-1 loss labels.  Raises `SutureError` S308 where an input has no column,
        S302 for a value that the variable does not have.
        """
        rows, alone = self._rows(data)
        places = tuple(self._places(name, rows) for name in self.inputs)
        found = self.values[places] if places else np.broadcast_to(self.values, (rows.length, *self.values.shape))
        made = self._shown(np.asarray(found))
        return made[0] if alone else made

    def _shown(self, found: Array) -> Array:
        if self.loss == "zero_one":
            return np.array([self.outcome_labels[place] for place in np.argmax(found.astype(np.float64), axis=-1)])
        return found.astype(np.float64)

    def _rows(self, data: Any) -> tuple[Columns, bool]:
        """The columns, and whether they are a single row given by labels."""
        if isinstance(data, Mapping):
            cells: dict[str, Any] = {str(name): value for name, value in data.items()}
            if all(isinstance(value, str) or np.ndim(value) == 0 for value in cells.values()):
                return Columns("the case", {name: [value] for name, value in cells.items()} or {"": [0]}), True
        return Columns("data", columns_of(data)), False

    def _places(self, name: str, rows: Columns) -> NDArray[np.intp]:
        """The place of each row's value among the labels of an input."""
        if name not in rows.columns:
            raise SutureError(no_column(name, rows.name, rows.columns))
        labels = self.labels[self.inputs.index(name)]
        coded = rows.coded(name)
        values = coded.values
        found = [matched(labels, value) for value in values]
        if None in found:
            wrong = values[found.index(None)]
            raise SutureError(unknown_value(rows, name, wrong, labels))
        return np.array(found, dtype=np.intp)[coded.codes()]
