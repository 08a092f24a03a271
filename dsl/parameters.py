"""The parameters of a model: lower-case names in its probabilities, and the model at given values of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from . import tree
from .constants import constant
from .diagnostics import Diagnostic, SutureError, did_you_mean
from .mechanism_expressions import references, specialise
from .program import Family, Mechanism, Model, Table
from .resolve_mechanisms import SCALE_LAST
from .rows import Row


def parameters(model: Model) -> tuple[str, ...]:
    """The parameters of a model's mechanisms, in the order in which they first occur.

    >>> from .resolve import read_model
    >>> parameters(read_model("model M { X : {0, 1} ~ Bernoulli(p) ; Y : {0, 1} ~ Bernoulli(q * p) }"))
    ('p', 'q')
    """
    found: dict[str, None] = {}
    for mechanism in model.mechanisms.values():
        for expression in _expressions(mechanism):
            found.update((name.text, None) for name in references(expression) if name.text not in _names(mechanism))
    return tuple(found)


def probability_parameters(model: Model) -> frozenset[str]:
    """Those parameters that stand in the probabilities of finite variables."""
    tables = {name: each for name, each in model.mechanisms.items() if isinstance(each, Table)}
    return frozenset(parameters(replace(model, mechanisms=tables)))


def with_parameters(model: Model, values: Mapping[str, Fraction]) -> Model:
    """The model with numbers in place of parameters.

    Raises `SutureError`: S610 for a name that is no parameter, S207 or S202 where a row is then no distribution.

    >>> from .resolve import read_model
    >>> model = read_model("model M { X : {0, 1} ~ Bernoulli(p) ; Y : {0, 1} ~ Bernoulli(q * p) }")
    >>> parameters(with_parameters(model, {"p": Fraction(1, 2)}))
    ('q',)
    """
    known = parameters(model)
    for name in values:
        if name not in known:
            message = f"'{name}' is no parameter of model {model.name}"
            raise SutureError(Diagnostic("S610", message, help=did_you_mean(name, known)))
    labels = {name: str(value) for name, value in values.items()}
    mechanisms = {name: _at(name, each, labels) for name, each in model.mechanisms.items()}
    return replace(model, mechanisms=mechanisms)


def _expressions(mechanism: Mechanism) -> tuple[tree.Expression, ...]:
    match mechanism:
        case Family():
            return mechanism.arguments
        case Table():
            return tuple(weight for row in _rows(mechanism) for weight in row.weights)
        case _:
            return ()


def _rows(table: Table) -> tuple[Row, ...]:
    """The rows that a program wrote; those of a network file have numbers alone."""
    return table.rows if isinstance(table.rows, tuple) else ()


def _names(mechanism: Mechanism) -> tuple[str, ...]:
    return mechanism.parents if isinstance(mechanism, Family) else ()


def _at(variable: str, mechanism: Mechanism, labels: Mapping[str, str]) -> Mechanism:
    if isinstance(mechanism, Family):
        arguments = tuple(specialise(each, labels) for each in mechanism.arguments)
        _check_scale(variable, mechanism.name, arguments, labels)
        return replace(mechanism, arguments=arguments)
    if not isinstance(mechanism, Table) or not _rows(mechanism):
        return mechanism
    rows = [replace(row, weights=tuple(specialise(each, labels) for each in row.weights)) for row in _rows(mechanism)]
    for row in rows:
        _check(variable, row, labels)
    return replace(mechanism, rows=tuple(rows))


def _check_scale(variable: str, family: str, arguments: Sequence[tree.Expression], labels: Mapping[str, str]) -> None:
    """Refuse a scale that is not above zero."""
    scale = constant(arguments[-1]) if family in SCALE_LAST else None
    if scale is not None and scale <= 0:
        message = f"at {_where(labels)} the scale of {variable} is {float(scale):.6g}"
        raise SutureError(Diagnostic("S207", message, arguments[-1].span, "not above zero"))


def _check(variable: str, row: Row, labels: Mapping[str, str]) -> None:
    """Refuse a row whose numbers are no distribution."""
    numbers = [constant(weight) for weight in row.weights]
    for number in numbers:
        if number is not None and not 0 <= number <= 1:
            message = f"at {_where(labels)} a probability of {variable} is {float(number):.6g}"
            raise SutureError(Diagnostic("S207", message, row.span, "not between 0 and 1"))
    known = [number for number in numbers if number is not None]
    if len(known) == len(numbers) and sum(known) != 1:
        message = f"at {_where(labels)} the probabilities of {variable} sum to {float(sum(known)):.6g}, not to 1"
        raise SutureError(Diagnostic("S202", message, row.span, "not 1"))


def _where(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {float(Fraction(value)):.6g}" for name, value in labels.items())
