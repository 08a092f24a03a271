"""The face of exact inference: a `suture.Engine` for a model whose mechanisms are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .dsl.diagnostics import Diagnostic, SutureError
from .library import Model
from .semantics.compute import float_model
from .semantics.inference import FiniteEngine, Path
from .semantics.plan import DEFAULT_BUDGET, Budget
from .semantics.stochastic import FiniteModel


class Engine(FiniteEngine):
    """Exact answers from a model, one case or a great many: posteriors, all marginals, likelihoods, sensitivities.

    `model` is a `Model` whose variables have finitely many values (mechanisms may be missing where no question needs
    them, or where they come as parameters), or a `FiniteModel`.  `path` is `auto`, `numpy` (at once) or `jax`
    (compiled); `device` is what compiled programs run on: `cpu`, `gpu`, `cpu:1`, `all`; `budget` bounds the memory and
    the multiplications of one contraction.

    Raises `SutureError` S426 and S427 for variables without finitely many values, S487 for what is no model.

    >>> model = Model("model M { Rain : {no, yes} ~ {no: 0.8, yes: 0.2} ; Wet : {no, yes} ~ table (Rain) "
    ...               "{ no => 0.9, 0.1 ; yes => 0.2, 0.8 } ; Rain -> Wet }")
    >>> Engine(model).posterior("Rain", given={"Wet": ["no", "yes"]}).values.round(4).tolist()
    [[0.9474, 0.0526], [0.3333, 0.6667]]
    """

    def __init__(
        self,
        model: Model | FiniteModel,
        path: Path = "auto",
        device: str | Sequence[Any] | None = None,
        budget: Budget = DEFAULT_BUDGET,
    ) -> None:
        super().__init__(_finite(model), path, device, budget)


def _finite(model: object) -> FiniteModel:
    """The mechanisms in float64."""
    match model:
        case Model():
            return float_model(model.resolved)
        case FiniteModel():
            return model
        case _:
            hint = 'give a suture.Model, such as Model.from_file("alarm.bif")'
            raise SutureError(Diagnostic("S487", f"a {type(model).__name__} is not a model", help=hint))
