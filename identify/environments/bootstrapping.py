"""How far the worst cases are told by the data: every class again on bootstrap samples of the environments.

In a sample each stable mechanism is estimated anew, with it the predictor of each class, and the worst domain for that
predictor.  Where at most one mechanism changes freely, all samples are done at once: the worst case is a sum over the
cases of its causes of the largest entry.  With several, the exact search is made in each sample.

Intervals are percentiles.  A row of a mechanism that a sample does not have is taken from the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...semantics.budget import meter
from ...semantics.environments.environment_tables import EnvironmentTables, conditionals
from ...semantics.factors import Factor
from ...semantics.networks.contraction import contract
from ...semantics.semiring import PROBABILITY, Array
from ..predictors.arena import Arena, spread
from ..predictors.losses import Loss
from ..predictors.minimax_game import worst_of
from ..predictors.predictor_search import Scored
from ..predictors.selection_model import Adversary, SelectionModel

DRAWS = 200
MOST_CLASSES = 64
CELLS = 1 << 22
"""Entries of tables held at once."""
LEVEL = 0.95
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """`worst[draw, class]` is the worst case of each class on each sample; of the classes given, best first."""

    worst: Floats
    level: float

    @property
    def draws(self) -> int:
        """The number of samples."""
        return len(self.worst)

    def interval(self, place: int) -> tuple[float, float]:
        """The interval of one class's worst case."""
        tail = (1 - self.level) / 2
        low, high = np.quantile(self.worst[:, place], [tail, 1 - tail])
        return float(low), float(high)

    @property
    def wins(self) -> Floats:
        """The share of samples in which each class is best; of equals the first."""
        best = np.argmin(np.round(self.worst, 12), axis=1)
        return np.bincount(best, minlength=self.worst.shape[1]) / self.draws


def bootstrap(
    model: SelectionModel,
    tables: EnvironmentTables,
    classes: Sequence[Scored],
    loss: Loss,
    draws: int = DRAWS,
    seed: int = 0,
    smoothing: float = 0.0,
    level: float = LEVEL,
) -> Bootstrap:
    """The worst cases of classes on `draws` samples of the environments."""
    samples = tables.resampled(draws, np.random.default_rng(seed))
    stable = {name: _estimated(model, samples, name, smoothing) for name in model.stable}
    clock, chosen, worst = meter(), classes[:MOST_CLASSES], list[Floats]()
    for number, each in enumerate(chosen):
        clock.tick(number / len(chosen))
        worst.append(_worst(model, stable, each, loss, draws))
    return Bootstrap(np.stack(worst, axis=1), level)


def _estimated(model: SelectionModel, samples: EnvironmentTables, name: str, smoothing: float) -> Floats:
    """A mechanism on every sample: axes (draws, causes.., values)."""
    rows, empty = conditionals(samples.table((*model.parents[name], name)).sum(axis=1), smoothing)
    return np.where(empty[..., None], model.stable[name], rows)


def _worst(model: SelectionModel, stable: Mapping[str, Floats], scored: Scored, loss: Loss, draws: int) -> Floats:
    """The worst case of one class on each sample, as many samples at once as fit."""
    arena = Arena.of(model, (*scored.members.boundary, *scored.members.inputs))
    step = max(1, CELLS // max(1, arena.values.size))
    parts = [slice(start, min(start + step, draws)) for start in range(0, draws, step)]
    return np.concatenate([_worst_part(arena, stable, loss, part) for part in parts])


def _worst_part(arena: Arena, stable: Mapping[str, Floats], loss: Loss, part: slice) -> Floats:
    values = _joint(arena, stable, part)
    count, shape = len(values), arena.shape
    flat = values.reshape(count, *shape, -1).sum(axis=-1)
    best, _ = loss.best(flat.reshape(-1, shape[1]), PROBABILITY)
    costs = loss.costs(best, PROBABILITY).reshape(count, *shape)
    found = [_against(arena, each, values, costs) for each in arena.model.adversaries]
    return np.max(found, axis=0)


def _joint(arena: Arena, stable: Mapping[str, Floats], part: slice) -> Floats:
    """P(axes of the arena | do(changing)) on every sample."""
    factors: list[Factor] = []
    for factor in arena.model.factors(arena.axes):
        name = str(factor.axes[-1])
        known = len(factor.axes) == 1 and name in arena.model.changing
        factors.append(factor if known else Factor(("draw", *factor.axes), stable[name][part]))
    count = len(range(*part.indices(len(next(iter(stable.values()))))))
    if not any("draw" in factor.axes for factor in factors):
        factors.append(Factor(("draw",), np.ones(count)))
    return np.asarray(contract(factors, ("draw", *arena.axes)))


def _against(arena: Arena, adversary: Adversary, values: Floats, costs: Floats) -> Floats:
    """The largest risk on every sample that one adversary can make."""
    choices = [adversary.choices[name] for name in arena.decisions]
    if sum(not choice.fixed for choice in choices) > 1 or any(not (each.free or each.fixed) for each in choices):
        found: list[float] = []
        for pair in zip(values, costs, strict=True):
            meter().tick()
            found.append(_exactly(arena, adversary, *pair))
        return np.array(found)
    head = tuple(len(arena.model.labels[name]) for name in (*arena.inputs, arena.model.outcome))
    rewards = values * costs.reshape(len(values), *head, *(1,) * (values.ndim - 1 - len(head)))
    for choice in choices:
        if choice.fixed:
            own = choice.rows[..., 0, :].astype(np.float64)
            rewards = rewards * spread(own, (*choice.parents, choice.variable), arena.axes)
    free = [choice for choice in choices if not choice.fixed]
    kept = [axis for choice in free for axis in (*choice.parents, choice.variable)]
    gone = tuple(place + 1 for place, axis in enumerate(arena.axes) if axis not in kept)
    left = rewards.sum(axis=gone) if gone else rewards
    if not free:
        return left.reshape(len(values))
    axes = [axis for axis in arena.axes if axis in kept]
    best: Any = left.max(axis=axes.index(free[0].variable) + 1)
    return best.reshape(len(values), -1).sum(axis=1)


def _exactly(arena: Arena, adversary: Adversary, values: Array, costs: Array) -> float:
    model = replace(arena.model, adversaries=(adversary,))
    own = Arena(model, arena.inputs, arena.axes, arena.decisions, values, PROBABILITY)
    return float(worst_of(own, costs)[0])
