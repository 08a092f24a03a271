"""A model of real variables whose mechanisms are regressions on data, for prediction and for adversaries by simulation.

Each stable variable is regressed on its parents over the rows of all environments (`fourier_regression`); what is left
over is its noise, drawn anew from the residuals.  The predictor of a class, E[Y | x_T, do(x_M)], is made as it is
defined: the mutable variables are set to values drawn over their range, *all* that descends from them is made anew with
new noise, and the outcome is regressed on the class's inputs in these rows.  No hidden common causes; noise is taken to
be additive and independent of the parents.

A worst case is over mechanisms with values on a grid in the range, each a function of cells of its parents' values: a
limited-memory influence diagram on simulated noises.  One mechanism at a time is made best against the others, from
several starts; it attains a lower bound.  The upper bound lets each mechanism see all noises and the whole grid; it
holds for mechanisms on the grid, up to the sampling of noises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...semantics.environments.fourier_regression import FourierFit, fourier_regression
from ..predictors.selection_diagram import InvariantClass

Floats = NDArray[np.float64]
Rows = Mapping[str, Floats]
Mechanism = Callable[[Rows, Floats], Floats]
"""A variable from its parents' columns and a column of standardised or residual noise."""
ROWS = 8_000
GRID = 9
PARTS = {1: 8, 2: 4, 3: 3}
"""Into how many cells each of so many parents is cut; more parents in two."""
STARTS = 4
ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class StructuralModel:
    """Variables in causal order with their parents; `mechanisms` of the stable ones, `noises` to draw theirs from.

    `ranges` are the values that a mutable variable may take.
    """

    parents: Mapping[str, tuple[str, ...]]
    mechanisms: Mapping[str, Mechanism]
    noises: Mapping[str, Callable[[int, np.random.Generator], Floats]]
    ranges: Mapping[str, tuple[float, float]]

    def noise(self, count: int, generator: np.random.Generator) -> dict[str, Floats]:
        """Noises of every stable variable for `count` rows."""
        return {name: self.noises[name](count, generator) for name in self.mechanisms}

    def made(self, noise: Rows, chosen: Callable[[str, Rows], Floats]) -> dict[str, Floats]:
        """All variables, the mutable ones as `chosen` from what comes before them."""
        rows: dict[str, Floats] = {}
        for name in self.parents:
            own = self.mechanisms.get(name)
            rows[name] = chosen(name, rows) if own is None else own(rows, noise[name])
        return rows


def regressed_model(
    parents: Mapping[str, tuple[str, ...]],
    environments: Sequence[Rows],
    mutable: Sequence[str],
    ranges: Mapping[str, tuple[float, float]],
    seed: int = 0,
) -> StructuralModel:
    """The model of the rows of all environments together; `parents` in causal order."""
    rows = {name: np.concatenate([own[name] for own in environments]) for name in parents}
    mechanisms: dict[str, Mechanism] = {}
    noises: dict[str, Callable[[int, np.random.Generator], Floats]] = {}
    for name, above in parents.items():
        if name not in mutable:
            fit = fourier_regression(columns(rows, above), rows[name], seed=seed)
            mechanisms[name] = _mechanism(fit, above)
            noises[name] = _residuals(rows[name] - fit.predict(columns(rows, above)))
    return StructuralModel(parents, mechanisms, noises, ranges)


def _mechanism(fit: FourierFit, above: tuple[str, ...]) -> Mechanism:
    return lambda rows, noise: fit.predict(columns(rows, above, len(noise))) + noise


def _residuals(left: Floats) -> Callable[[int, np.random.Generator], Floats]:
    return lambda count, generator: generator.choice(left, count)


def columns(rows: Rows, names: Sequence[str], count: int | None = None) -> Floats:
    """Some variables as an array `rows variables`."""
    length = count if count is not None else len(next(iter(rows.values())))
    return np.stack([rows[name] for name in names], axis=1) if names else np.empty((length, 0))


# ---------------------------------------------------------------------------------------------------------------------
# Predictors


@dataclass(frozen=True, slots=True, eq=False)
class RegressedPredictor:
    """A function of some variables."""

    inputs: tuple[str, ...]
    fit: FourierFit

    def predict(self, rows: Rows) -> Floats:
        """One prediction a row."""
        return self.fit.predict(columns(rows, self.inputs))


def invariant_predictors(
    model: StructuralModel, outcome: str, classes: Sequence[InvariantClass], rows: int = ROWS, seed: int = 0
) -> tuple[RegressedPredictor, ...]:
    """E[Y | x_T, do(x_M)] of each class, by regression on rows in which the mutable variables are set at random."""
    generator = np.random.default_rng(seed)
    noise = model.noise(rows, generator)
    made = model.made(noise, lambda name, _: generator.uniform(*model.ranges[name], size=rows))
    found: list[RegressedPredictor] = []
    for each in classes:
        inputs = (*each.boundary, *each.inputs)
        fit = fourier_regression(columns(made, inputs, rows), made[outcome], seed=seed)
        found.append(RegressedPredictor(inputs, fit))
    return tuple(found)


# ---------------------------------------------------------------------------------------------------------------------
# Adversaries


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
        model: StructuralModel, count: int, seed: int = 0, grid: int = GRID, cuts: Mapping[str, Cuts] | None = None
    ) -> Stage:
        """The stage of `count` noises; cells are those of `cuts`, or by quantiles of these noises."""
        mutable = tuple(name for name in model.parents if name not in model.mechanisms)
        noise = model.noise(count, np.random.default_rng(seed))
        shape = (count, *(grid,) * len(mutable))
        options = np.meshgrid(*(np.linspace(*model.ranges[name], grid) for name in mutable), indexing="ij")
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
