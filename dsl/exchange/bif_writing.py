"""A model as a Bayesian network in the Interchange Format: every variable needs its values.

Mechanisms become tables, those without exact numbers (parameters, noise) are refused; a variable without a mechanism
gets its parents alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod

from ..constants import Unknown, constant, evaluate, label_value
from ..diagnostics import Diagnostic, SutureError
from ..mechanism_expressions import references, value_label
from ..probabilities import number_text
from ..program import AnyMechanism, Equation, Family, Model, Table
from .model_edges import common_causes

BARE = re.compile(r"[^\W]+")
MOST_CASES = 100_000


def write(model: Model) -> str:
    """The model in BIF.

    Raises `SutureError` (S023): a variable without finitely many values, a nameless common cause, a mechanism without
    exact numbers.
    """
    for first, second in common_causes(model):
        raise _refused(
            f"{first} <-> {second} has no values", "declare the common cause as a latent variable with values"
        )
    return "".join(f"{line}\n" for line in _lines(model))


def _refused(fact: str, help: str) -> SutureError:
    return SutureError(Diagnostic("S023", f"BIF cannot say this model: {fact}", help=help))


def _lines(model: Model) -> Iterator[str]:
    yield f"network {_quoted(model.name)} {{"
    yield "}"
    for variable in model.variables:
        labels = _labels(model, variable.name)
        yield f"variable {_quoted(variable.name)} {{"
        yield f"  type discrete [ {len(labels)} ] {{ {', '.join(map(_quoted, labels))} }};"
        if variable.latent:
            yield "  property latent = yes ;"
        yield "}"
    for variable in model.variables:
        parents = model.parents(variable.name)
        bar = f" | {', '.join(map(_quoted, parents))}" if parents else ""
        yield f"probability ( {_quoted(variable.name)}{bar} ) {{"
        yield from _rows(model, variable.name)
        yield "}"


def _labels(model: Model, name: str) -> tuple[str, ...]:
    labels = model.labels(name)
    if labels is None:
        raise _refused(f"{name} has no finite set of values", f"declare them: {name} : {{no, yes}}")
    return labels


def _quoted(text: str) -> str:
    return text if BARE.fullmatch(text) else f'"{text}"'


def _rows(model: Model, name: str) -> Iterator[str]:
    parents = model.parents(name)
    domains = [_labels(model, parent) for parent in parents]
    if model.mechanisms.get(name) is None or isinstance(model.mechanisms[name], AnyMechanism):
        return
    if prod(map(len, domains)) > MOST_CASES:
        raise _refused(f"the table of {name} has more than {MOST_CASES:,} cases", "give it fewer parents")
    for cells in product(*domains):
        weights = ", ".join(map(_decimal, _weights(model, name, cells)))
        yield f"  ( {', '.join(map(_quoted, cells))} ) {weights};" if cells else f"  table {weights};"


def _decimal(weight: Fraction) -> str:
    text = number_text(weight)
    return repr(float(weight)) if "/" in text else text


def _weights(model: Model, name: str, cells: tuple[str, ...]) -> list[Fraction]:
    """The distribution of a variable in one case of its parents."""
    match model.mechanisms[name]:
        case Table(_, rows):
            row = next(
                row for row in rows if all(want in (None, cell) for want, cell in zip(row.cells, cells, strict=True))
            )
            weights = [constant(weight) for weight in row.weights]
        case Equation() as equation:
            weights = list(_point(model, name, equation, cells))
        case Family() | AnyMechanism():
            weights = [None]
    if None in weights:
        raise _refused(
            f"the mechanism of {name} has no exact numbers", "put numbers in the place of parameters and noise"
        )
    return [weight for weight in weights if weight is not None]


def _point(model: Model, name: str, equation: Equation, cells: tuple[str, ...]) -> Iterator[Fraction | None]:
    """All weight on the value that an equation gives; None where it has no exact value."""
    names = {reference.text: label_value(reference.text) for reference in references(equation.expression)}
    names |= {parent: label_value(cell) for parent, cell in zip(equation.parents, cells, strict=True)}
    labels = _labels(model, name)
    try:
        chosen = value_label(evaluate(equation.expression, names), labels)
    except Unknown:
        chosen = None
    for label in labels:
        yield None if chosen is None else Fraction(label == chosen)
