"""What a semantics is: a functor from string diagrams to matrices, written as the vocabulary of a Markov category.

A semantics interprets a type (an object) as a finite set, and a morphism as a column-stochastic matrix: `matrix[y, x]`
is the probability of y given x, so composition is the matrix product in the order `second @ first`, and each column
sums to one.  Products of types are ordered with the last type varying fastest.

`interpret` folds any diagram through these operations and is written once; it is the definition, not the fast path
(its cost grows with the number of wires side by side; `contraction.py` evaluates the same diagrams by a plan).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Generic, TypeVar

from ..dsl.diagram import Box, Diagram

Matrix = TypeVar("Matrix")


class Semantics(ABC, Generic[Matrix]):
    """The vocabulary of a Markov category over `Matrix`; the law tests run over every subclass."""

    @abstractmethod
    def wire(self, types: Sequence[str]) -> Matrix:
        """The identity on a product of types."""

    @abstractmethod
    def box(self, box: Box, domain: Sequence[str], codomain: Sequence[str]) -> Matrix:
        """The meaning of one box between products of types."""

    @abstractmethod
    def then(self, first: Matrix, second: Matrix) -> Matrix:
        """`first` followed by `second`."""

    @abstractmethod
    def beside(self, first: Matrix, second: Matrix) -> Matrix:
        """Both in parallel, `first` on the left."""

    @abstractmethod
    def swap(self, first: str, second: str) -> Matrix:
        """The exchange of two wires."""

    @abstractmethod
    def copy(self, type: str) -> Matrix:
        """One wire to two."""

    @abstractmethod
    def discard(self, type: str) -> Matrix:
        """One wire to none."""

    @abstractmethod
    def disintegrate(self, joint: Matrix, first: Sequence[str], second: Sequence[str]) -> Matrix:
        """From a state on `first` x `second` the conditional `first -> second`.

        Columns of probability zero, where the conditional is not determined, are uniform.
        """

    @abstractmethod
    def equal(self, first: Matrix, second: Matrix) -> bool:
        """Whether two matrices are equal, up to rounding where entries are floating-point."""


def interpret(semantics: Semantics[Matrix], diagram: Diagram) -> Matrix:
    """The matrix of a diagram, from its open inputs to its outputs: one box after the other, wires carried along."""
    row = list(diagram.inputs)
    uses = Counter([wire for box in diagram.boxes for wire in box.inputs] + list(diagram.outputs))
    matrix = semantics.wire(diagram.types(row))
    for number in diagram.order:
        box = diagram.boxes[number]
        matrix, row = _bring(semantics, diagram, matrix, row, box.inputs, uses)
        rest = row[: len(row) - len(box.inputs)]
        meaning = semantics.box(box, diagram.types(box.inputs), diagram.types(box.outputs))
        matrix = semantics.then(matrix, semantics.beside(semantics.wire(diagram.types(rest)), meaning))
        matrix, row = _drop(semantics, diagram, matrix, [*rest, *box.outputs], uses)
    matrix, row = _drop(semantics, diagram, matrix, row, uses)
    return _bring(semantics, diagram, matrix, row, diagram.outputs, uses)[0]


def _drop(
    semantics: Semantics[Matrix], diagram: Diagram, matrix: Matrix, row: list[int], uses: Counter[int]
) -> tuple[Matrix, list[int]]:
    """Discard the wires that nothing uses any more."""
    for wire in [wire for wire in row if not uses[wire]]:
        place = row.index(wire)
        gone = semantics.discard(diagram.wires[wire].type)
        matrix = _layer(semantics, diagram, matrix, row[:place], gone, row[place + 1 :])
        row = [*row[:place], *row[place + 1 :]]
    return matrix, row


def _bring(
    semantics: Semantics[Matrix],
    diagram: Diagram,
    matrix: Matrix,
    row: list[int],
    wanted: Sequence[int],
    uses: Counter[int],
) -> tuple[Matrix, list[int]]:
    """Move the wanted wires to the right end in order, each copied first where it is used again later."""
    for wire in wanted:
        place = row.index(wire)
        uses[wire] -= 1
        if uses[wire]:
            kind = diagram.wires[wire].type
            matrix = _layer(semantics, diagram, matrix, row[:place], semantics.copy(kind), row[place + 1 :])
            row = [*row[: place + 1], wire, *row[place + 1 :]]
            place += 1
        while place < len(row) - 1:
            first, second = diagram.types(row[place : place + 2])
            exchange = semantics.swap(first, second)
            matrix = _layer(semantics, diagram, matrix, row[:place], exchange, row[place + 2 :])
            row[place], row[place + 1] = row[place + 1], row[place]
            place += 1
    return matrix, row


def _layer(
    semantics: Semantics[Matrix],
    diagram: Diagram,
    matrix: Matrix,
    left: Sequence[int],
    middle: Matrix,
    right: Sequence[int],
) -> Matrix:
    """`matrix` followed by `middle` between bare wires."""
    beside = semantics.beside(semantics.wire(diagram.types(left)), middle)
    return semantics.then(matrix, semantics.beside(beside, semantics.wire(diagram.types(right))))
