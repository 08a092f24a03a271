"""Mechanisms of a program's model as arrays of exact entries: Fractions, or SymPy expressions in its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, assert_never

import numpy as np

from ..dsl import tree
from ..dsl.constants import Unknown, Value, constant, evaluate, label_value, one_number_needed, shown
from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.probability_tables import Numbers
from ..dsl.program import Equation, Finite, Mechanism, Model, Table
from ..dsl.resolve_mechanisms import references, value_label
from ..dsl.rows import NumberRows, Row
from .semiring import Array


def mechanism_array(model: Model, name: str, mechanism: Mechanism) -> Array | None:
    """The array of a finite variable's mechanism, axes (parents as the model orders them.., own values).

    None where it does not say its probabilities (`~ any`, a family of real numbers).  Raises `SutureError` where an
    equation has no value among the labels, or uses noise.
    """
    labels = {each: finite_labels(model, each) for each in (*model.parents(name), name)}
    match mechanism:
        case Table():
            return _table(model, name, mechanism, labels)
        case Equation():
            return _equation(model, name, mechanism, labels)
        case _:
            return None


def mechanism_floats(model: Model, name: str, mechanism: Mechanism) -> Array | None:
    """As `mechanism_array`, in float64; a table that came as numbers is taken as it is, and never made exact.

    None also where an entry has a parameter.
    """
    if isinstance(mechanism, Table) and isinstance(mechanism.rows, NumberRows):
        numbers = mechanism.rows.numbers
        values = np.frombuffer(numbers.floats, dtype=np.float64).reshape(numbers.shape)
        order = [mechanism.parents.index(parent) for parent in model.parents(name)]
        return values.transpose([*order, len(order)])
    exact = mechanism_array(model, name, mechanism)
    if exact is None or not all(isinstance(each, Fraction) for each in exact.flat):
        return None
    return exact.astype(np.float64)


def finite_labels(model: Model, name: str) -> tuple[str, ...]:
    """The labels of a variable; raises `SutureError` S427 where it has none, S426 where it is real."""
    values = model.by_name[name].values
    if isinstance(values, Finite):
        return values.labels
    span = model.by_name[name].span
    if values is None:
        message = f"the values of {name} are not given in model {model.name}"
        raise SutureError(Diagnostic("S427", message, span, "no values", f"declare them: {name} : {{no, yes}}"))
    message = f"{name} is a real variable, and this evaluation is for finite ones"
    raise SutureError(Diagnostic("S426", message, span, "real", f"give it finitely many values: {name} : 0..4"))


def _table(model: Model, name: str, table: Table, labels: Mapping[str, tuple[str, ...]]) -> Array:
    """Each case of the parents takes the weights of the first row that matches it."""
    parents = model.parents(name)
    if isinstance(table.rows, NumberRows):
        return _exact_numbers(table.rows.numbers, [table.parents.index(parent) for parent in parents])
    made = np.empty([len(labels[each]) for each in (*parents, name)], dtype=object)
    for row in reversed(table.rows):  # so that the first row that matches is written last
        cells = dict(zip(table.parents, row.cells, strict=True))
        place = [_place(cells.get(parent), labels[parent]) for parent in parents]
        weights = np.empty(len(row.weights), dtype=object)
        weights[:] = [entry(weight) for weight in row.weights]
        made[tuple(place)] = weights
    return made


def _place(cell: str | None, labels: Sequence[str]) -> int | slice:
    """Where a cell stands among the labels; everywhere where it admits all."""
    return slice(None) if cell is None else labels.index(cell)


def _exact_numbers(numbers: Numbers, order: Sequence[int]) -> Array:
    """The numbers of a table as Fractions, its axes the parents in the given order, then the values."""
    made = np.empty(numbers.shape, dtype=object)
    flat = made.reshape(-1, numbers.width)
    for place in range(len(flat)):
        flat[place] = numbers.exact(place)
    return made.transpose([*order, len(order)])


def matches(row: Row, case: Sequence[str]) -> bool:
    """Whether a row's cells admit the labels of a case."""
    return all(cell is None or cell == label for cell, label in zip(row.cells, case, strict=True))


def _equation(model: Model, name: str, equation: Equation, labels: Mapping[str, tuple[str, ...]]) -> Array:
    """One in the value that the equation gives, zero elsewhere."""
    parents = model.parents(name)
    made = np.full([len(labels[each]) for each in (*parents, name)], Fraction(0), dtype=object)
    names: dict[str, Value] = {each.text: each.text for each in references(equation.expression)}
    for case in product(*(range(len(labels[parent])) for parent in parents)):
        chosen = [labels[parent][number] for parent, number in zip(parents, case, strict=True)]
        names.update({parent: label_value(label) for parent, label in zip(parents, chosen, strict=True)})
        found = _value(model, name, equation, names, labels[name])
        made[(*case, labels[name].index(found))] = Fraction(1)
    return made


def _value(model: Model, name: str, equation: Equation, names: Mapping[str, Value], labels: tuple[str, ...]) -> str:
    span = equation.expression.span
    try:
        value = evaluate(equation.expression, names)
    except Unknown:
        text = f"the equation of {name}, {shown(equation.expression)}, has no exact value"
        help_text = "its noise must be a latent variable with finitely many values"
        raise SutureError(Diagnostic("S429", text, span, "not a function of the parents", help_text)) from None
    label = value_label(value, labels)
    if label is None:
        message = f"the equation of {name} gives {value}, which is not among its values"
        raise SutureError(Diagnostic("S208", message, span, "not a value", f"the values are {', '.join(labels)}"))
    return label


# ---------------------------------------------------------------------------------------------------------------------
# Probabilities


def entry(weight: tree.Expression) -> Any:
    """A probability as a Fraction where it has no parameter and no irrational function, else as a SymPy expression."""
    exact = constant(weight)
    return closed_form(weight) if exact is None else exact


def closed_form(node: tree.Expression) -> Any:
    """An arithmetic expression as a SymPy expression; bare names are its parameters."""
    import sympy

    match node:
        case tree.Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case tree.Reference(name):
            return sympy.Symbol(name)
        case tree.Unary("-", operand):
            return -closed_form(operand)
        case tree.Arithmetic(operators, operands):
            result, *rest = (closed_form(operand) for operand in operands)
            for sign, value in zip(operators, rest, strict=True):
                result = _combined(sign, result, value)
            return result
        case tree.Call(function, arguments):
            return _called(function.text, [closed_form(argument) for argument in arguments])
        case tree.Conditional(condition, first, second):
            return sympy.Piecewise((closed_form(first), closed_form(condition)), (closed_form(second), True))
        case tree.Comparison(operators, operands):
            values = [closed_form(operand) for operand in operands]
            pairs = zip(operators, values, values[1:], strict=False)
            return sympy.And(*(_compared(sign, left, right) for sign, left, right in pairs))
        case tree.Interval():
            raise SutureError(one_number_needed(node))
        case tree.Logic() | tree.Unary() | tree.Text() | tree.Noise() | tree.World():
            return _not_a_number(node)
        case tree.Probability() | tree.Expectation() | tree.Effect():
            return _not_a_number(node)
        case _:
            assert_never(node)


def _not_a_number(node: tree.Expression) -> Any:
    message = f"{shown(node)} is not a number"
    raise SutureError(Diagnostic("S214", message, node.span, "used as a probability", "use numbers and parameters"))


def _combined(sign: str, left: Any, right: Any) -> Any:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case _:
            return left**right


def _compared(sign: str, left: Any, right: Any) -> Any:
    import sympy

    relations = {"<=": sympy.Le, ">=": sympy.Ge, "<": sympy.Lt, ">": sympy.Gt, "==": sympy.Eq, "!=": sympy.Ne}
    return relations[sign](left, right)


def _called(name: str, arguments: list[Any]) -> Any:
    import sympy

    functions = {
        "abs": sympy.Abs,
        "min": sympy.Min,
        "max": sympy.Max,
        "floor": sympy.floor,
        "ceil": sympy.ceiling,
        "mod": sympy.Mod,
        "round": lambda value: sympy.floor(value + sympy.Rational(1, 2)),
        "sigmoid": lambda value: 1 / (1 + sympy.exp(-value)),
    }
    return functions[name](*arguments) if name in functions else getattr(sympy, name)(*arguments)
