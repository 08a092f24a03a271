"""A predictor of a real outcome that was fitted to rows, simulated ones or data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...dsl.formula import Formula
from ...semantics.environments.fourier_regression import FourierFit
from .affine_predictor import real_columns


@dataclass(frozen=True, slots=True, eq=False)
class FittedPredictor:
    """A nonlinear function of the inputs, the mean of `outcome`.

    `formula` is what it is an estimate of; `spread` the standard error of its values on average over the rows it was
    fitted to, as two fits to independent rows show it, None where that was not asked for.
    """

    outcome: str
    inputs: tuple[str, ...]
    fit: FourierFit
    formula: Formula | None = None
    spread: float | None = None
    loss: str = "squared_loss"

    def predict(self, data: Any) -> Any:
        """The predictions for `data` in float64: a dict of numbers gives one, a table one a row.

        `data` is a dict of numbers or of columns, or a pandas, polars, pyarrow or DuckDB table; columns that are no
        inputs are left alone.  Raises `SutureError` S308 where an input has no column, S302 for what is no number.
        """
        rows, alone = real_columns(self.inputs, data)
        found = self.fit.predict(rows)
        return float(found[0]) if alone else found
