"""What a search for a predictor found, whatever kind of model it was: classes of subsets, worst cases, the minimax.

A worst case is one of three kinds.  `exact`: the bounds meet.  `bounds`: the risk in the worst domain lies between what
a domain attains and what is proved for all.  `lower bound`: a domain attains it, found by ascent, and nothing is proved
for the others.  Whatever the kind, there is a domain that attains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, TypeAlias

from .affine_predictor import AffinePredictor
from .fitted_predictor import FittedPredictor
from .linear_selection import LinearSelection
from .predictor import Predictor
from .selection_diagram import Condition, InvariantClass
from .selection_model import SelectionModel
from .simulated_selection import SimulatedSelection

ROUNDING = 1e-10
"""Bounds that are nearer than this are equal but for the rounding of the saddle."""

AnyPredictor: TypeAlias = Predictor | AffinePredictor | FittedPredictor
"""A predictor of any kind: it has an `outcome`, `inputs`, a `loss`, perhaps a `formula`, and predicts rows of data."""

AnySelection: TypeAlias = SelectionModel | LinearSelection | SimulatedSelection
"""A model with an outcome and mechanisms that may change: finite, real and linear, or real and simulated."""


class Kind(Enum):
    """What is known of a worst case."""

    EXACT = "exact"
    BOUNDS = "bounds"
    LOWER = "lower bound"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A class with its predictor, the risk in its worst domain (`worst`, attained; at most `upper`), and that domain.

    `upper` is None where nothing is proved.  `given` are the risks in the domains that the program spells out, `error`
    the standard error of `worst` where it was simulated.
    """

    members: InvariantClass
    predictor: AnyPredictor
    worst: Any
    upper: Any
    domain: Any
    given: tuple[tuple[str, float], ...]
    error: float = 0.0

    @property
    def kind(self) -> Kind:
        """What is known of the worst case; floats up to rounding."""
        if self.upper is None:
            return Kind.LOWER
        close = float(self.upper) - float(self.worst) <= 1e-9 * max(1.0, float(self.upper))
        return Kind.EXACT if close else Kind.BOUNDS


@dataclass(frozen=True, slots=True, eq=False)
class Minimax:
    """The least worst risk of any predictor lies in [`lower`, `upper`]; Fractions where it is known exactly.

    `among` says of which predictors; `saddle` is what proves the lower bound, for those who want to check it.
    """

    lower: Any
    upper: Any
    predictor: AnyPredictor | None
    saddle: Any
    among: str = "all predictors"

    @property
    def exact(self) -> bool:
        """Whether the value is known as a rational number."""
        return isinstance(self.lower, Fraction) and self.lower == self.upper


@dataclass(frozen=True, slots=True, eq=False)
class PredictorSearch:
    """What was found: `classes` are those that were scored, best first, `chosen` the best.

    No class is better than `floor`, that of the chosen one where the search is `complete`; None where nothing is
    proved.  `minimax` is None where it is beyond the budget, `counted` (the number of classes) where there were too
    many to score each.  `loss` is the name of the loss.
    """

    model: AnySelection
    loss: str
    condition: Condition
    classes: tuple[Scored, ...]
    minimax: Minimax | None
    floor: Any
    counted: int | None

    @property
    def complete(self) -> bool:
        """Whether no class can be better, floats up to rounding."""
        return self.floor is not None and bool(self.floor >= self.chosen.worst - ROUNDING)

    @property
    def chosen(self) -> Scored:
        """The class with the least worst risk, the smallest boundary of equals."""
        return self.classes[0]

    @property
    def gap(self) -> Any:
        """How much the best predictor of all may be better than the best subset; None where that is not known."""
        return None if self.minimax is None else max(self.chosen.worst - self.minimax.lower, self.chosen.worst * 0)
