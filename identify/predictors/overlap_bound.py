"""A lower bound on what any predictor can reach, where the table of all features is too large to write down.

Let the mutable mechanisms be fixed, so that there is one distribution, and let every variable be seen.  With
p(x, y) the joint probability, the least expected squared loss is

    E Var(Y | X) = sum over pairs y < y' of (y - y')^2 sum_x p(x, y) p(x, y') / p(x)
                >= sum over pairs y < y' of (y - y')^2 (sum_x sqrt(p(x, y) p(x, y')))^2,

by the inequality of Cauchy and Schwarz, since the p(x) sum to one.  The inner sum, the overlap of two distributions
(Bhattacharyya 1943), is one of products: the square root of a product of mechanisms is a product of square roots.  So
it is contracted as a query is, at the cost of the graph's width and not of a table over all features.  Features that
are left out, and what has only such below it, are summed out before; others that are left out are taken as seen, which
only lowers the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ...dsl.diagnostics import SutureError
from ...semantics.factors import Factor
from ...semantics.networks.contraction import contract
from ...semantics.semiring import Array
from .losses import Loss, SquaredLoss
from .selection_model import SelectionModel


def overlap_bound(model: SelectionModel, loss: Loss, features: Sequence[str]) -> float:
    """No predictor of these features has a smaller worst risk; zero where nothing is known so, as of other losses.

    The mutable mechanisms draw each of their options alike.
    """
    if not isinstance(loss, SquaredLoss):
        return 0.0
    numbers = [float(value) for value in loss.numbers]
    needed = model.ancestors((*features, model.outcome), cut=False)
    tables = {name: _table(model, name) for name in needed}
    total = 0.0
    try:
        for first, second in combinations(range(len(numbers)), 2):
            factors = [_overlap(model, name, tables[name], first, second) for name in needed]
            total += (numbers[first] - numbers[second]) ** 2 * float(contract(factors, ())) ** 2
    except SutureError as error:
        if error.diagnostics[0].code != "S603":
            raise
        return 0.0
    return total


def _table(model: SelectionModel, name: str) -> Array:
    """A mechanism in floats, axes (parents.., values)."""
    adversary = model.adversaries[0]
    made = adversary.choices[name].mixed() if name in adversary.choices else model.stable[name]
    return np.asarray(made, dtype=np.float64)


def _overlap(model: SelectionModel, name: str, table: Array, first: int, second: int) -> Factor:
    """The square root of the product of a mechanism at two values of the outcome; itself where it does not read it."""
    axes = (*model.parents[name], name)
    if model.outcome not in axes:
        return Factor(axes, table)
    place = axes.index(model.outcome)
    values = np.sqrt(np.take(table, first, axis=place) * np.take(table, second, axis=place))
    return Factor(tuple(axis for axis in axes if axis != model.outcome), values)
