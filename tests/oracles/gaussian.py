"""Linear-Gaussian models by brute force, sharing no code with the library: joint laws, paths, units.

A model is a list of equations in causal order: `X = constant + sum(coefficient * parent) + spread * noise`.  The joint
law comes from solving the equations at once, conditioning from the textbook formula with numpy's pseudo-inverse,
covariances a second time from Wright's tracing rules, counterfactuals from abduction, action and prediction on the
noises of a unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Equation:
    name: str
    constant: Fraction
    coefficients: Mapping[str, Fraction]
    spread: Fraction


@dataclass(frozen=True)
class LinearModel:
    equations: tuple[Equation, ...]

    @property
    def names(self) -> list[str]:
        return [equation.name for equation in self.equations]

    def text(self, latent: Sequence[str] = ()) -> str:
        """The model as a program."""
        lines = [f"  {'latent ' * (e.name in latent)}{e.name} : real := {_right(e)}" for e in self.equations]
        return "\n".join(["model M {", *lines, "}"])

    def unit(self, noises: Mapping[str, Fraction], do: Mapping[str, Fraction] | None = None) -> dict[str, Fraction]:
        """What one unit with these noises is, some variables set."""
        found: dict[str, Fraction] = {}
        for equation in self.equations:
            value = equation.constant + equation.spread * noises[equation.name]
            value += sum((k * found[parent] for parent, k in equation.coefficients.items()), Fraction(0))
            found[equation.name] = (do or {}).get(equation.name, value)
        return found

    def affine(self, do: Mapping[str, Fraction] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Offsets and noise loadings of all variables under do: values = offsets + loadings @ noises."""
        size, place = len(self.equations), {name: n for n, name in enumerate(self.names)}
        weights, constants, spreads = np.zeros((size, size)), np.zeros(size), np.zeros((size, size))
        for row, equation in enumerate(self.equations):
            if do and equation.name in do:
                constants[row] = float(do[equation.name])
                continue
            constants[row] = float(equation.constant)
            spreads[row, row] = float(equation.spread)
            for parent, coefficient in equation.coefficients.items():
                weights[row, place[parent]] = float(coefficient)
        total = np.linalg.inv(np.eye(size) - weights)
        return total @ constants, total @ spreads

    def joint(self, do: Mapping[str, Fraction] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of all variables under do."""
        offsets, loadings = self.affine(do)
        return offsets, loadings @ loadings.T

    def abducted(self, seen: Mapping[str, Fraction]) -> tuple[np.ndarray, np.ndarray]:
        """The law of a unit's noises once some of its variables are seen."""
        offsets, loadings = self.affine()
        rows = [self.names.index(name) for name in seen]
        size = len(self.equations)
        return condition(np.zeros(size), np.eye(size), loadings[rows], offsets[rows], [float(v) for v in seen.values()])

    def counterfactual(
        self, targets: Sequence[tuple[str, Mapping[str, Fraction]]], seen: Mapping[str, Fraction]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The joint law of variables in worlds of their own, for a unit of which some variables are seen."""
        mean, covariance = self.abducted(seen)
        offsets, loadings = [], []
        for name, do in targets:
            own_offsets, own_loadings = self.affine(do)
            offsets.append(own_offsets[self.names.index(name)])
            loadings.append(own_loadings[self.names.index(name)])
        rows = np.array(loadings)
        return np.array(offsets) + rows @ mean, rows @ covariance @ rows.T


def _right(equation: Equation) -> str:
    parts = [f"{_number(equation.constant)}"]
    parts += [f"({_number(k)})*{parent}" for parent, k in equation.coefficients.items()]
    if equation.spread:
        parts.append(f"({_number(equation.spread)})*noise")
    return " + ".join(parts)


def _number(value: Fraction) -> str:
    return f"({value})" if value < 0 else str(value)


def condition(
    mean: np.ndarray, covariance: np.ndarray, rows: np.ndarray, offsets: np.ndarray, values: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """The law of a normal vector x given that rows @ x + offsets has the values."""
    seen = rows @ covariance @ rows.T
    gain = covariance @ rows.T @ np.linalg.pinv(seen, rcond=1e-10)
    deviation = np.array(values) - (rows @ mean + offsets)
    return mean + gain @ deviation, covariance - gain @ rows @ covariance


def conditional(
    mean: np.ndarray, covariance: np.ndarray, targets: Sequence[int], seen: Mapping[int, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The law of some coordinates of a normal vector given others."""
    rows = np.eye(len(mean))[list(seen)]
    new_mean, new_covariance = condition(mean, covariance, rows, np.zeros(len(seen)), list(seen.values()))
    return new_mean[list(targets)], new_covariance[np.ix_(list(targets), list(targets))]


# ---------------------------------------------------------------------------------------------------------------------
# Wright (1921): a covariance is the sum over treks, each a pair of directed paths from a common source


def traced(model: LinearModel, first: str, second: str) -> Fraction:
    """The covariance of two variables by enumeration of treks."""
    total = Fraction(0)
    for equation in model.equations:
        variance = equation.spread**2
        left = sum(paths(model, equation.name, first), Fraction(0))
        right = sum(paths(model, equation.name, second), Fraction(0))
        total += variance * left * right
    return total


def paths(model: LinearModel, start: str, end: str) -> Iterator[Fraction]:
    """The products of coefficients along every directed path."""
    if start == end:
        yield Fraction(1)
    for equation in model.equations:
        coefficient = equation.coefficients.get(start)
        if coefficient is not None:
            for rest in paths(model, equation.name, end):
                yield coefficient * rest
