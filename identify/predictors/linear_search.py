"""Which invariance to transfer in linear-Gaussian models: every invariant predictor is safe, and the whole set is best.

Theorem.  Let the stable mechanisms be affine with independent normal noise, and the mechanisms of M be anything,
nonlinear, random and unbounded ones included.  With x_M set, every variable is a sum of noises and of multiples of
x_M, so f(x_S', x_M) = E[Y | x_S', do(x_M)] is affine; and since E[Y - f | do(x_M)] = 0 for every x_M, in the residual
Y - f(X_S', x_M) the coefficient of x_M is zero: the residual is a sum of noises alone, the same in every domain.  Hence

1. the risk of an invariant predictor is Var(Y | X_S', do(X_M)) in every domain: no domain is worse than another;
2. more stable features never hurt, so the whole stable set is the best subset;
3. where M may be constant, no predictor at all has a smaller worst case: with M constant the best prediction is
   E[Y | x_S, do(x_M)], whose risk this is.
4. An affine predictor whose residual keeps a coefficient of x_M has unbounded worst risk where M is unbounded.

So the condition on the graph is not needed here, nor is any bound on M, and what Liu et al. (2023) search for by
gradients is settled by linear algebra.  Where mechanisms are restricted so that M always answers to the outcome (named
domains, coefficients in intervals) predictors that use this may be better than every invariant one: the minimax over
affine predictors is then found by cutting planes (`linear_game.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from ...dsl.formula import Formula, Kernel, Sum, Symbol, Term, ValueOf, fresh_name, product, terms
from ...semantics.real.gaussian import Gaussian, conditional
from ...semantics.real.gaussian import product as matrix_product
from ...semantics.semiring import Array
from .affine_predictor import AffinePredictor
from .linear_game import minimax_affine
from .linear_selection import AnyValue, LinearAdversary, LinearDomain, LinearSelection
from .predictor_search import Minimax, PredictorSearch, Scored
from .selection_diagram import InvariantClass
from .simulated_selection import SimulatedSelection

MOST_EXACT = 200
MOST_CLASSES = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """E[Y | x_T, do(x_M)] as coefficients of the inputs and a constant, and Var(Y | X_T, do(X_M))."""

    constant: Any
    boundary: Array
    effects: Array
    variance: Any


def search_linear(model: LinearSelection, classes: int = MOST_CLASSES) -> PredictorSearch:
    """The best invariant predictor of a linear-Gaussian model: every class is scored up to a number of them.

    The first is that of the whole stable set, which none can beat, so the search is complete however many there are.
    """
    found = list(islice(model.diagram.classes(), classes + 1))
    if model.numbers.exact and len(found) > MOST_EXACT:
        model = model.as_floats()
    counted = len(found) if len(found) <= classes else None
    scored = [score(model, each) for each in found[:classes]]
    scored.sort(key=lambda each: (_rank(each.worst), len(each.members.boundary)))
    best = scored[0]
    return PredictorSearch(
        model, "squared_loss", model.diagram.condition, tuple(scored), _minimax(model, best), best.worst, counted
    )


def _rank(worst: Any) -> Any:
    """Floats that differ by rounding are equal, so that the smaller set is chosen."""
    return worst if isinstance(worst, Fraction) else round(float(worst), 12)


def conditional_mean(model: LinearSelection, boundary: Sequence[str]) -> Conditional:
    """The mean and the variance of the outcome given a set of stable features when the mutable variables are set."""
    system, field = model.cut, model.numbers
    rows = np.stack([system.rows[name] for name in (*boundary, model.outcome)])
    loadings = rows[:, : len(system.noises)]
    covariance = matrix_product(field, loadings, loadings.T)
    joint = Gaussian(rows[:, len(system.noises) : -1], rows[:, -1], covariance)
    made = conditional(joint, len(boundary), field)
    effects = made.matrix[0, : len(system.inputs)]
    return Conditional(made.mean[0], made.matrix[0, len(system.inputs) :], effects, made.covariance[0, 0])


def score(model: LinearSelection, members: InvariantClass) -> Scored:
    """The predictor of a class and its risk, the same in every domain."""
    found = conditional_mean(model, members.boundary)
    effects = dict(zip(model.cut.inputs, found.effects, strict=True))
    read = [effects[name] for name in members.inputs]
    predictor = AffinePredictor(
        model.outcome,
        (*members.boundary, *members.inputs),
        found.constant,
        (*found.boundary, *read),
        mean_formula(model, members),
    )
    given = tuple((str(each.name), float(found.variance)) for each in model.given)
    return Scored(members, predictor, found.variance, found.variance, _constant(model), given)


def _constant(model: LinearSelection) -> LinearDomain:
    """A domain of the first adversary; with free mechanisms constant it is one in which no predictor does better."""
    place = next((number for number, each in enumerate(model.adversaries) if each.free), 0)
    return LinearDomain(place, tuple(_simplest(model.adversaries[place])))


def _simplest(adversary: LinearAdversary) -> list[tuple[str, str]]:
    return [
        (name, f":= {choice.middle}" if isinstance(choice, AnyValue) else choice.texts[0])
        for name, choice in adversary.choices.items()
    ]


def mean_formula(model: LinearSelection | SimulatedSelection, members: InvariantClass) -> Formula:
    """What a class predicts with: the mean of P(Y | x_T, do(x_M)).

    Mutable variables that nothing here descends from need not be set.
    """
    whole = model.diagram.whole
    cut = whole.mask(model.changing)
    above = whole.members(whole.ancestors(whole.mask((model.outcome, *members.boundary)), cut=cut))
    do = terms(name for name in model.diagram.mutable if name in above)
    symbol = Symbol(fresh_name(model.outcome, set()), model.outcome)
    kernel = Kernel((Term(model.outcome, symbol),), terms(members.boundary), do)
    return Sum((symbol,), product((ValueOf(Term(model.outcome, symbol)), kernel)))


def _minimax(model: LinearSelection, best: Scored) -> Minimax:
    """The least worst risk of all predictors: that of the best subset where mechanisms may be constant."""
    if model.unrestricted:
        return Minimax(best.worst, best.worst, best.predictor, None)
    return minimax_affine(model, best)
