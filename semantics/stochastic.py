"""Finite stochastic semantics: models as arrays, diagrams as column-stochastic matrices.

A `FiniteModel` is a functor out of the free Markov category on a diagram, given on generators: labels for every object
and an array for every box, with one axis an input and one an output, in their order, summing to one over the outputs.
`FiniteStochastic` is the vocabulary of Stoch (Fritz 2020, example 2.5) on matrices; it runs on any array namespace, so
the law tests cover numpy and jax.numpy alike.  `tensor` gives the same meaning of a diagram by a planned contraction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ..dsl.diagram import Box, Diagram, Kind
from .base import Semantics
from .budget import Budget
from .factors import Factor, one_hot
from .networks.contraction import contract
from .semiring import PROBABILITY, Array, Semiring


@dataclass(frozen=True)
class FiniteModel:
    """A diagram with `labels` of every object and an array of every mechanism, by box name.

    `arrays[name]` has the shape (inputs.., outputs..) and sums to one over its outputs; entries are of `semiring`.
    A box without an array may not be evaluated.  Raises `ValueError` where an array has another shape.
    """

    diagram: Diagram
    labels: Mapping[str, tuple[str, ...]]
    arrays: Mapping[str, Array]
    semiring: Semiring = PROBABILITY

    def __post_init__(self) -> None:
        for box in self.diagram.boxes:
            if box.kind in (Kind.MECHANISM, Kind.TOOTH) and box.name in self.arrays:
                expected = self.shape((*box.inputs, *box.outputs))
                found = self.arrays[box.name].shape
                if found != expected:
                    raise ValueError(f"box {box.name!r} needs an array of shape {expected}, got {found}")

    def shape(self, wires: Sequence[int]) -> tuple[int, ...]:
        """The number of values on each of the diagram's wires."""
        return tuple(len(self.labels[kind]) for kind in self.diagram.types(wires))

    def array(self, box: Box, kind: str) -> Array:
        """The array of one box; `kind` is the object on its first output, which states need."""
        return box_array(box, kind, self.labels, self.arrays, self.semiring)

    @cached_property
    def deterministic(self) -> frozenset[str]:
        """Names of the boxes whose entries are all zero or one: functions of their inputs."""
        return frozenset(name for name, array in self.arrays.items() if self._is_function(array))

    def _is_function(self, array: Array) -> bool:
        return bool(np.all(self.semiring.is_zero(array) | self.semiring.is_one(array)))

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What has been worked out for questions asked of the model before (`posterior.arrangement`)."""
        return {}

    def over(self, diagram: Diagram) -> FiniteModel:
        """The same functor on another diagram over the same boxes."""
        return replace(self, diagram=diagram)


def box_array(
    box: Box, kind: str, labels: Mapping[str, tuple[str, ...]], arrays: Mapping[str, Array], semiring: Semiring
) -> Array:
    """The array of a box: what is given for a mechanism or a tooth, the uniform or point vector for a state."""
    match box.kind:
        case Kind.MECHANISM | Kind.TOOTH:
            if box.name not in arrays:
                raise ValueError(f"no array is given for the box {box.name!r}")
            return arrays[box.name]
        case Kind.UNIFORM:
            size = len(labels[kind])
            return semiring.array([Fraction(1, size)] * size)
        case Kind.POINT:
            return one_hot(len(labels[kind]), labels[kind].index(str(box.value)), semiring)


def network(model: FiniteModel) -> list[Factor]:
    """One factor a box of the model's diagram, its axes the positions of the wires."""
    diagram = model.diagram
    return [
        Factor((*box.inputs, *box.outputs), model.array(box, diagram.wires[box.outputs[0]].type))
        for box in diagram.boxes
        if box.outputs
    ]


def tensor(model: FiniteModel, diagram: Diagram | None = None, budget: Budget | None = None) -> Array:
    """The meaning of a diagram as an array with one axis an open input, then one an output, by a planned contraction.

    Raises `SutureError` S603 beyond the budget.
    """
    chosen = model if diagram is None else model.over(diagram)
    shape, factors = chosen.diagram, network(chosen)
    sides = {"in": shape.inputs, "out": shape.outputs}
    open_axes = [(side, place) for side, wires in sides.items() for place in range(len(wires))]
    for (side, place), wire in zip(open_axes, (*shape.inputs, *shape.outputs), strict=True):
        factors.append(Factor((wire, (side, place)), _identity(chosen, shape.wires[wire].type)))
    one = chosen.semiring.as_array(chosen.semiring.number(Fraction(1)))
    return contract([*factors, Factor((), one)], open_axes, budget, chosen.semiring)


def _identity(model: FiniteModel, kind: str) -> Array:
    size = len(model.labels[kind])
    return np.stack([one_hot(size, place, model.semiring) for place in range(size)])


# ---------------------------------------------------------------------------------------------------------------------
# Matrices


@dataclass(frozen=True)
class FiniteStochastic(Semantics[Any]):
    """The Markov category of finite sets and stochastic matrices, `matrix[y, x]` being the probability of y given x.

    `labels` are the values of every object, `arrays` the boxes with axes (inputs.., outputs..), `space` the array
    namespace: numpy, or jax.numpy inside `jax.enable_x64(True)`.
    """

    labels: Mapping[str, tuple[str, ...]]
    arrays: Mapping[str, Array]
    space: Any = np

    def size(self, types: Sequence[str]) -> int:
        """The number of values of a product of objects."""
        return math.prod(len(self.labels[name]) for name in types)

    def wire(self, types: Sequence[str]) -> Any:
        """The identity matrix."""
        return self.space.eye(self.size(types))

    def box(self, box: Box, domain: Sequence[str], codomain: Sequence[str]) -> Any:
        """The box's array with its outputs as rows and its inputs as columns."""
        kind = codomain[0] if codomain else ""
        values = self.space.asarray(box_array(box, kind, self.labels, self.arrays, PROBABILITY))
        return values.reshape(self.size(domain), self.size(codomain)).T

    def then(self, first: Any, second: Any) -> Any:
        """The matrix product."""
        return second @ first

    def beside(self, first: Any, second: Any) -> Any:
        """The Kronecker product."""
        return self.space.kron(first, second)

    def swap(self, first: str, second: str) -> Any:
        """The permutation of a product."""
        left, right = self.size([first]), self.size([second])
        return (
            self.space.eye(left * right)
            .reshape(left, right, left * right)
            .transpose(1, 0, 2)
            .reshape(left * right, left * right)
        )

    def copy(self, type: str) -> Any:
        """The diagonal."""
        size = self.size([type])
        one = self.space.eye(size)
        return (one[:, None, :] * one[None, :, :]).reshape(size * size, size)

    def discard(self, type: str) -> Any:
        """A row of ones."""
        return self.space.ones((1, self.size([type])))

    def disintegrate(self, joint: Any, first: Sequence[str], second: Sequence[str]) -> Any:
        """The conditional of `second` given `first`; uniform in columns of probability zero."""
        left, right = self.size(first), self.size(second)
        table = joint.reshape(left, right)
        total = table.sum(axis=1, keepdims=True)
        safe = self.space.where(total > 0, total, 1.0)
        return self.space.where(total > 0, table / safe, 1.0 / right).T

    def equal(self, first: Any, second: Any) -> bool:
        """Equal within 1e-9 in every entry."""
        return first.shape == second.shape and bool(self.space.allclose(first, second, rtol=0.0, atol=1e-9))
