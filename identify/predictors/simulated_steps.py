"""Mechanisms that are steps: a value for each cell of the parents, made best one mechanism at a time.

The cells are between quantiles of the parents' values.  Given the other mechanisms, the mean loss at every value of a
grid is found for each cell, and the best taken: within steps on the grid the best reply, whatever the shape of the
risk.  It finds what gradients do not, mechanisms that jump to and fro; with several mutable variables it is a local
search from where the gradients ended.  Either way it is a mechanism, so that its risk is a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .linear_selection import AnyValue
from .simulated_selection import SimulatedAdversary, SimulatedSelection

Floats = NDArray[np.float64]
CELLS = {0: 1, 1: 32, 2: 8}
"""Into how many cells each of so many parents is cut; mechanisms with more parents are left to the ascent."""
GRID = 17
ROUNDS = 2
ROWS = 8_000
STREAM = 26


class Played(Protocol):
    """A mechanism of an adversary."""

    def value(self, rows: Mapping[str, Any], count: int) -> Floats:
        """The variable in every row."""
        ...

    @property
    def text(self) -> str:
        """The mechanism in the language."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """`values[cell of the first parent, ..]`; `cuts` are the thresholds between the cells of each parent."""

    choice: AnyValue
    cuts: tuple[Floats, ...]
    values: Floats

    def cells(self, rows: Mapping[str, Any]) -> tuple[Any, ...]:
        """Where every row lies."""
        pairs = zip(self.choice.parents, self.cuts, strict=True)
        return tuple(np.searchsorted(cuts, rows[parent], side="right") for parent, cuts in pairs)

    def value(self, rows: Mapping[str, Any], count: int) -> Floats:
        """The variable in every row."""
        if not self.cuts:
            return np.full(count, float(self.values))
        return np.asarray(self.values[self.cells(rows)])

    @property
    def text(self) -> str:
        """The mechanism in the language, as nested conditions."""
        return f":= {_tree(self.choice.parents, self.cuts, self.values)}"


def _tree(parents: Sequence[str], cuts: Sequence[Floats], values: Floats) -> str:
    """The value of the cells as a balanced tree of conditions."""
    if np.all(values == values.flat[0]):
        return f"{float(values.flat[0]):.6g}"
    if len(values) == 1:
        return _tree(parents[1:], cuts[1:], values[0])
    middle = len(values) // 2
    below = _tree(parents, [cuts[0][: middle - 1], *cuts[1:]], values[:middle])
    above = _tree(parents, [cuts[0][middle:], *cuts[1:]], values[middle:])
    if below == above:
        return below
    parts = [f"({part})" if part.startswith("if") else part for part in (below, above)]
    return f"if {parents[0]} < {cuts[0][middle - 1]:.6g} then {parts[0]} else {parts[1]}"


def stepped(
    model: SimulatedSelection,
    adversary: SimulatedAdversary,
    start: Mapping[str, Played],
    losses: Callable[[Mapping[str, Floats]], Floats],
) -> dict[str, Played]:
    """The mechanisms after each in turn was made the best steps against the others; `losses` are a predictor's."""
    current = dict(start)
    for _ in range(ROUNDS if len(adversary.free) > 1 else 1):
        for name in adversary.free:
            choice = adversary.choices[name]
            assert isinstance(choice, AnyValue)
            if len(choice.parents) in CELLS:
                current[name] = _best_reply(model, adversary, current, choice, losses)
    return current


def _best_reply(
    model: SimulatedSelection,
    adversary: SimulatedAdversary,
    current: Mapping[str, Played],
    choice: AnyValue,
    losses: Callable[[Mapping[str, Floats]], Floats],
) -> Steps:
    """The best steps of one mechanism against the others."""
    name = choice.variable
    plain = _rows(model, adversary, current)
    count = CELLS[len(choice.parents)]
    quantiles = np.arange(1, count) / count
    cuts = tuple(_rounded(np.quantile(plain[parent], quantiles)) for parent in choice.parents)
    empty = Steps(choice, cuts, np.zeros((count,) * len(cuts)))
    places = empty.cells(plain)
    flat = np.ravel_multi_index(places, empty.values.shape) if cuts else np.zeros(ROWS, dtype=np.intp)
    grid = _rounded(np.linspace(float(choice.low or 0), float(choice.high or 0), GRID))
    totals = np.stack(
        [
            np.bincount(
                flat,
                losses(_rows(model, adversary, {**current, name: Steps(choice, (), np.array(value))})),
                empty.values.size,
            )
            for value in grid
        ]
    )
    return Steps(choice, cuts, grid[totals.argmax(axis=0)].reshape(empty.values.shape))


def _rows(model: SimulatedSelection, adversary: SimulatedAdversary, played: Mapping[str, Played]) -> dict[str, Floats]:
    return model.in_domain(adversary, ROWS, STREAM, lambda name, rows: played[name].value(rows, ROWS))


def _rounded(values: Floats) -> Floats:
    """The values to the digits that are printed."""
    return np.array([float(f"{value:.6g}") for value in values])
