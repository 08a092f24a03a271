"""Bounds by brute force: a linear program over every tuple of functions, one for each variable.

For models in which the variables are roots of a distribution that is given (`roots`), and all others one district.  No
type is left out, none is merged, and every distribution is got by running the functions: nothing is shared with the
library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Array = NDArray[np.float64]
Unit = dict[str, dict[tuple[int, ...], int]]
World = Mapping[str, int]


@dataclass(frozen=True)
class Functions:
    """Variables in causal order with their parents and sizes; roots have no function."""

    parents: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]
    roots: tuple[str, ...] = ()

    @cached_property
    def units(self) -> list[Unit]:
        """Every way in which a unit may respond."""
        names = [name for name in self.parents if name not in self.roots]
        choices = []
        for name in names:
            arguments = list(product(*(range(self.sizes[parent]) for parent in self.parents[name])))
            values = product(range(self.sizes[name]), repeat=len(arguments))
            choices.append([dict(zip(arguments, row, strict=True)) for row in values])
        return [dict(zip(names, chosen, strict=True)) for chosen in product(*choices)]

    def run(self, unit: Unit, roots: World, do: World | None = None) -> dict[str, int]:
        """What a unit does where the roots and the set variables have these values."""
        values: dict[str, int] = {}
        for name, above in self.parents.items():
            if do and name in do:
                values[name] = do[name]
            elif name in self.roots:
                values[name] = roots[name]
            else:
                values[name] = unit[name][tuple(values[parent] for parent in above)]
        return values

    def cases(self, names: Sequence[str]) -> list[dict[str, int]]:
        """Every combination of values."""
        return [dict(zip(names, row, strict=True)) for row in product(*(range(self.sizes[name]) for name in names))]

    def facts(self, joint: Array, do: Sequence[str] = ()) -> tuple[Array, Array]:
        """Rows and right sides that P(others | do(do)), an array over all variables in order, puts on the units."""
        rows, right = [], []
        names = list(self.parents)
        outer = list(dict.fromkeys([*self.roots, *do]))
        for setting in self.cases(outer):
            place = tuple(setting[name] if name in setting else slice(None) for name in names)
            given = joint[place]
            free = [name for name in names if name not in setting]
            held = {name: value for name, value in setting.items() if name in do}
            answers = [self.run(unit, setting, held) for unit in self.units]
            for case in self.cases(free):
                rows.append([all(answer[name] == value for name, value in case.items()) for answer in answers])
                right.append(given[tuple(case.values())] / given.sum())
        return np.array(rows, dtype=float), np.array(right)

    def chance(self, event: Callable[[Unit, World], bool], weights: Array) -> Array:
        """The cost of each unit of an event, the roots weighted by their distribution over `cases(roots)`."""
        settings = self.cases(self.roots)
        return np.array(
            [
                sum(weight * event(unit, roots) for weight, roots in zip(weights, settings, strict=True))
                for unit in self.units
            ]
        )


def extremes(cost: Array, rows: Array, right: Array) -> tuple[float, float] | None:
    """The least and the greatest of cost . p over distributions p of units; None where there is none."""
    rows, right = np.vstack([rows, np.ones(rows.shape[1])]), np.append(right, 1.0)
    found = [linprog(sign * cost, A_eq=rows, b_eq=right, bounds=(0, None), method="highs") for sign in (1, -1)]
    if any(each.status == 2 for each in found):
        return None
    return float(found[0].fun), -float(found[1].fun)


def quotient_extremes(above: Array, below: Array, rows: Array, right: Array) -> tuple[float, float]:
    """The extremes of a quotient in [0, 1], by bisection on whether above - value * below can be negative."""

    def least(sign: int) -> float:
        low, high = -1.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            found = extremes(sign * above - middle * below, rows, right)
            if found is not None and found[0] < 0:
                high = middle
            else:
                low = middle
        return (low + high) / 2

    return least(1), -least(-1)
