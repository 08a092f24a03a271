"""Adversaries of a simulated model on a grid: policies that attain a worst case, and a bound above all of them.

Mechanisms take values on a grid in their range, each a function of cells of its parents' values: a limited-memory
influence diagram on simulated noises.  One mechanism at a time is made best against the others, from several starts;
what it reaches is a lower bound, told on fresh noises.  The upper bound lets each mechanism see all noises; it holds
for mechanisms on the grid, up to the sampling of noises.  Ascent (`simulated_ascent`) has no grid and no upper bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..predictors.simulated_selection import SimulatedSelection

Floats = NDArray[np.float64]
Rows = Mapping[str, Floats]
GRID = 9
PARTS = {1: 8, 2: 4, 3: 3}
"""Into how many cells each of so many parents is cut; more parents in two."""
STARTS = 4
ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedWorst:
    """The risk that policies attain (`lower`, with its standard error), and the bound above all of them on the grid."""

    lower: float
    error: float
    upper: float


Cuts = tuple[Floats, ...]
"""For each parent of a mutable variable where its values are cut into cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Every combination of grid values of the mutable variables, made on the same noises.

    `rows` have an axis for noises and one a mutable variable, flat; `cells[m]`, with these axes, is the cell that m's
    parents lie in, which depends on the mutable variables before it alone.
    """

    mutable: tuple[str, ...]
    rows: Rows
    cuts: Mapping[str, Cuts]
    cells: Mapping[str, NDArray[np.intp]]
    shape: tuple[int, ...]

    @staticmethod
    def of(
        model: SimulatedSelection, count: int, seed: int = 0, grid: int = GRID, cuts: Mapping[str, Cuts] | None = None
    ) -> Stage:
        """The stage of `count` noises; cells are those of `cuts`, or by quantiles of these noises."""
        mutable = model.changing
        noise = model.draws(count, seed)
        shape = (count, *(grid,) * len(mutable))
        options = np.meshgrid(*(np.linspace(*model.range(name), grid) for name in mutable), indexing="ij")
        set_to = {name: np.tile(values.ravel(), count) for name, values in zip(mutable, options, strict=True)}
        wide = {name: np.repeat(values, int(np.prod(shape[1:], dtype=int))) for name, values in noise.items()}
        rows = model.made(wide, lambda name, _: set_to[name])
        made = {name: _cuts(rows, model.parents[name]) for name in mutable} if cuts is None else cuts
        cells = {name: _cells(rows, model.parents[name], made[name]).reshape(shape) for name in mutable}
        return Stage(mutable, rows, made, cells, shape)

    def size(self, name: str) -> int:
        """How many cells a mutable variable's parents have."""
        return int(np.prod([len(own) + 1 for own in self.cuts[name]], dtype=int))

    def losses(self, outcome: str, predict: Callable[[Rows], Floats]) -> Floats:
        """The squared losses of a predictor, one axis for noises and one a mutable variable."""
        return ((self.rows[outcome] - predict(self.rows)) ** 2).reshape(self.shape)

    def seen(self, name: str, chosen: Sequence[NDArray[np.intp]]) -> NDArray[np.intp]:
        """The cell that each noise is in when those before have chosen these grid values, noises first."""
        later = [np.zeros_like(chosen[0])] * (len(self.mutable) + 1 - len(chosen))
        return self.cells[name][(*chosen, *later)]


def _cuts(rows: Rows, parents: Sequence[str]) -> Cuts:
    """Each parent cut at quantiles, fewer of them for many parents."""
    parts = PARTS.get(len(parents), 2)
    return tuple(np.quantile(rows[name], np.linspace(0, 1, parts + 1)[1:-1]) for name in parents)


def _cells(rows: Rows, parents: Sequence[str], cuts: Cuts) -> NDArray[np.intp]:
    """A number for the cell of the parents' values."""
    found = np.zeros(len(next(iter(rows.values()))), dtype=np.intp)
    for name, own in zip(parents, cuts, strict=True):
        found = found * (len(own) + 1) + np.searchsorted(own, rows[name])
    return found


def simulated_worst(
    losses: Floats, stage: Stage, fresh: tuple[Floats, Stage] | None = None, seed: int = 0
) -> SimulatedWorst:
    """The worst case of one predictor from its losses on a stage; policies are scored on `fresh` noises, if given."""
    generator = np.random.default_rng(seed)
    best, policy = -np.inf, dict[str, NDArray[np.intp]]()
    for start in range(STARTS):
        own = {name: _first(stage, name, start, generator) for name in stage.mutable}
        value = -np.inf
        for _ in range(ROUNDS):
            for name in stage.mutable:
                own[name] = _reply(losses, stage, own, name)
            reached = float(_played(losses, stage, own).mean())
            if reached <= value + 1e-12:
                break
            value = reached
        if value > best:
            best, policy = value, dict(own)
    told, place = fresh or (losses, stage)
    scored = _played(told, place, policy)
    upper = float(told.reshape(len(told), -1).max(axis=1).mean())
    return SimulatedWorst(float(scored.mean()), float(scored.std() / np.sqrt(len(scored))), upper)


def _first(stage: Stage, name: str, start: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """The policies to start from: the ends of the range, then random ones."""
    size, grid = stage.size(name), stage.shape[1]
    if start < 2:
        return np.full(size, 0 if start else grid - 1, dtype=np.intp)
    return generator.integers(grid, size=size)


def _played(losses: Floats, stage: Stage, policy: Mapping[str, NDArray[np.intp]]) -> Floats:
    """The losses once every mechanism follows its policy."""
    chosen: list[NDArray[np.intp]] = [np.arange(stage.shape[0])]
    for name in stage.mutable:
        chosen.append(policy[name][stage.seen(name, chosen)])
    return losses[tuple(chosen)]


def _reply(losses: Floats, stage: Stage, policy: Mapping[str, NDArray[np.intp]], name: str) -> NDArray[np.intp]:
    """The best policy of one mechanism where the others follow theirs; a cell without noises keeps what it had."""
    count, grid = stage.shape[0], stage.shape[1]
    chosen: list[NDArray[np.intp]] = [np.repeat(np.arange(count), grid)]
    cell = chosen[0]
    for other in stage.mutable:
        seen = stage.seen(other, chosen)
        if other == name:
            cell = seen
            chosen.append(np.tile(np.arange(grid), count))
        else:
            chosen.append(policy[other][seen])
    gains = np.zeros((stage.size(name), grid))
    np.add.at(gains, (cell, np.tile(np.arange(grid), count)), losses[tuple(chosen)])
    return np.where(gains.any(axis=1), gains.argmax(axis=1), policy[name])
