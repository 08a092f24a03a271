"""What a semantics is: a functor from string diagrams to matrices, written as the vocabulary of a Markov category.

A semantics interprets a type (an object) as a finite set, and a morphism as a column-stochastic matrix: `matrix[y, x]` is
the probability of y given x, so composition is the matrix product in the order `second @ first`, and each column sums
to one.  Products of types are ordered with the last type varying fastest.

`interpret` folds any diagram through these operations and is written once; it is the definition, not the fast path
(its cost grows with the number of wires side by side; `contraction.py` evaluates the same diagrams by a plan).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
    raise NotImplementedError
