"""The face of exact inference: a `suture.Engine` for a model whose mechanisms are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .dsl.diagnostics import Diagnostic, SutureError
from .library import Model
from .semantics.budget import Budget
from .semantics.compute import float_model
from .semantics.factors import NamedTable
from .semantics.networks.inference import Do, FiniteEngine, Given, Parameters, Path
from .semantics.networks.pairwise import Pair, pairwise
from .semantics.networks.sensitivity import Bar, Sensitivity, sensitivity, tornado
from .semantics.stochastic import FiniteModel


class Engine(FiniteEngine):
    """Exact answers from a model, one case or a great many: posteriors, all marginals, likelihoods, sensitivities.

    `model` is a `Model` whose variables have finitely many values (mechanisms may be missing where no question needs
    them, or where they come as parameters), or a `FiniteModel`.  `path` is `auto`, `numpy` (at once) or `jax`
    (compiled); `device` is what compiled programs run on: `cpu`, `gpu`, `cpu:1`, `all`; `budget` bounds the memory and
    the multiplications of one contraction (None: the one in force, see `suture.limited`).

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
        budget: Budget | None = None,
    ) -> None:
        super().__init__(_finite(model), path, device, budget)

    def pairwise(
        self,
        given: Given = None,
        do: Do = None,
        parameters: Parameters = None,
        pairs: Iterable[Pair] | None = None,
    ) -> dict[Pair, NamedTable]:
        """P(a, b | given, do(do)) of every arrow a -> b, or of the named pairs, by one pass back.

        Pairs that no mechanism holds take one more, over the values of their first variables.  The arguments are those
        of `marginals`.
        """
        return pairwise(self, given, do, parameters, pairs)

    def sensitivity(
        self, event: Mapping[str, str], given: Given = None, do: Do = None, parameters: Parameters = None
    ) -> Sensitivity:
        """The derivatives of P(event | given, do(do)) by every entry of every mechanism that it depends on.

        `proportional` lets the other entries of a row keep their proportions, as they must sum to one; `plain` is the
        derivative by the entry alone.  The arguments are those of `posterior`.  Raises `SutureError` S488 for an event
        without values, or one that the evidence fixes already.
        """
        return sensitivity(self, event, given, do, parameters)

    def tornado(
        self,
        event: Mapping[str, str],
        given: Mapping[str, str] | None = None,
        do: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        spread: float = 0.1,
    ) -> tuple[Bar, ...]:
        """How far P(event | given, do(do)) moves as each entry varies by a fraction `spread`: the widest first.

        Exact, since the answer is a ratio of two linear functions of an entry.  Raises `SutureError` S488 as
        `sensitivity` does, and for batches.
        """
        return tornado(self, event, given, do, parameters, spread)


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
