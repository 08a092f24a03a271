"""What the writers of networks share: values, and the rows of every table as exact decimal text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from ..constants import Unknown, constant, evaluate, label_value
from ..diagnostics import Diagnostic, SutureError
from ..mechanism_expressions import references, value_label
from ..probabilities import number_text
from ..program import AnyMechanism, Equation, Family, Model, Table
from ..rows import NumberRows
from .model_edges import common_causes

MOST_CASES = 100_000


@dataclass(frozen=True)
class NetworkWriter:
    """A model on its way into a format that wants a finite set of values for each variable.

    Every method raises `SutureError` (S023) where the format cannot say the model.
    """

    format: str
    model: Model

    def __post_init__(self) -> None:
        for first, second in common_causes(self.model):
            help = "declare the common cause as a latent variable with values"
            raise self.refused(f"{first} <-> {second} has no values", help)

    def refused(self, fact: str, help: str) -> SutureError:
        """The error of a model that the format cannot say."""
        return SutureError(Diagnostic("S023", f"{self.format} cannot say this model: {fact}", help=help))

    def labels(self, name: str) -> tuple[str, ...]:
        """The values of a variable."""
        labels = self.model.labels(name)
        if labels is None:
            raise self.refused(f"{name} has no finite set of values", f"declare them: {name} : {{no, yes}}")
        return labels

    def causes_first(self) -> tuple[str, ...]:
        """The variables, each after its parents."""
        diagram = self.model.diagram
        return tuple(diagram.wires[wire].name for box in diagram.order for wire in diagram.boxes[box].outputs)

    def complete_rows(self, name: str) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
        """As `rows`, for a format in which no table may be missing."""
        if self.model.mechanisms.get(name) is None or isinstance(self.model.mechanisms[name], AnyMechanism):
            raise self.refused(f"{name} has no mechanism", f"write {name} ~ table ..")
        return self.rows(name)

    def rows(self, name: str) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
        """Each case of the parents, the last one fastest, with the probabilities; none for a missing mechanism."""
        mechanism = self.model.mechanisms.get(name)
        domains = [self.labels(parent) for parent in self.model.parents(name)]
        if mechanism is None or isinstance(mechanism, AnyMechanism):
            return
        if isinstance(mechanism, Table) and isinstance(mechanism.rows, NumberRows):
            numbers = mechanism.rows.numbers
            for place, cells in enumerate(product(*domains)):
                yield cells, list(map(_decimal, numbers.exact(place)))
            return
        if prod(map(len, domains)) > MOST_CASES:
            raise self.refused(f"the table of {name} has more than {MOST_CASES:,} cases", "give it fewer parents")
        for cells in product(*domains):
            yield cells, list(map(_decimal, self._weights(name, cells)))

    def _weights(self, name: str, cells: tuple[str, ...]) -> list[Fraction]:
        """The distribution of a variable in one case of its parents."""
        match self.model.mechanisms[name]:
            case Table(_, rows):
                row = next(
                    row
                    for row in rows
                    if all(want in (None, cell) for want, cell in zip(row.cells, cells, strict=True))
                )
                weights = [constant(weight) for weight in row.weights]
            case Equation() as equation:
                weights = list(self._point(name, equation, cells))
            case Family() | AnyMechanism():
                weights = [None]
        if None in weights:
            help = "put numbers in the place of parameters and noise"
            raise self.refused(f"the mechanism of {name} has no exact numbers", help)
        return [weight for weight in weights if weight is not None]

    def _point(self, name: str, equation: Equation, cells: tuple[str, ...]) -> Iterator[Fraction | None]:
        """All weight on the value that an equation gives; None where it has no exact value."""
        names = {reference.text: label_value(reference.text) for reference in references(equation.expression)}
        names |= {parent: label_value(cell) for parent, cell in zip(equation.parents, cells, strict=True)}
        labels = self.labels(name)
        try:
            chosen = value_label(evaluate(equation.expression, names), labels)
        except Unknown:
            chosen = None
        for label in labels:
            yield None if chosen is None else Fraction(label == chosen)


def _decimal(weight: Fraction) -> str:
    text = number_text(weight)
    return repr(float(weight)) if "/" in text else text
