"""Exact values of expressions whose names are fixed to labels: equations of finite variables, weights without
parameters.

A value is a rational number, a truth value, or the label of a value that is not a number.  Truth values count as the
numbers 0 and 1, and the numbers 0 and 1, like the labels `true` and `false`, as truth values.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeAlias

from . import tree
from .diagnostics import Diagnostic, SutureError
from .labels import number
from .source import Span
from .syntax_text import expression_text

Value: TypeAlias = Fraction | bool | str

COMPARE: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
EXACT: Mapping[str, Callable[[list[Fraction]], Fraction]] = {
    "abs": lambda values: abs(values[0]),
    "min": min,
    "max": max,
    "floor": lambda values: Fraction(math.floor(values[0])),
    "ceil": lambda values: Fraction(math.ceil(values[0])),
    "round": lambda values: Fraction(round(values[0])),
    "mod": lambda values: values[0] % values[1],
}
INEXACT = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid")
FUNCTIONS: Mapping[str, int | None] = {
    **dict.fromkeys(INEXACT, 1),
    **dict.fromkeys(EXACT, 1),
    "min": None,
    "max": None,
    "mod": 2,
}
MAX_POWER = 64
MAX_BITS = 20_000


class Unknown(Exception):
    """The expression has no exact value: it uses noise, a parameter, or a function such as `exp`."""


def label_value(label: str) -> Value:
    """What a label means in an expression: its number if it is one, else the label."""
    exact = number(label)
    return label if exact is None else exact


def evaluate(node: tree.Expression, names: Mapping[str, Value]) -> Value:
    """The exact value of an expression.

    Raises `Unknown` where it has none, and `SutureError` (S214) where it computes with what is not a number.
    """
    match node:
        case tree.Number(value):
            return value
        case tree.Text(text):
            return label_value(text)
        case tree.Reference(name):
            if name not in names:
                raise Unknown
            return names[name]
        case tree.Unary("not", operand):
            return not truth(evaluate(operand, names), operand.span)
        case tree.Unary(_, operand):
            return -as_number(evaluate(operand, names), operand.span)
        case tree.Arithmetic():
            return _arithmetic(node, names)
        case tree.Logic():
            return _logic(node, names)
        case tree.Comparison(operators, operands):
            values = [(evaluate(operand, names), operand.span) for operand in operands]
            pairs = zip(operators, values, values[1:], strict=False)
            return all(compare(sign, *left, *right) for sign, left, right in pairs)
        case tree.Conditional(condition, first, second):
            chosen = first if truth(evaluate(condition, names), condition.span) else second
            return evaluate(chosen, names)
        case tree.Call():
            return _call(node, names)
        case tree.Interval():
            raise SutureError(one_number_needed(node))
        case _:
            raise Unknown


def one_number_needed(node: tree.Interval) -> Diagnostic:
    """S477: an interval where one number is needed."""
    message = "an interval is given here, and one number is needed"
    help_text = "intervals are for what may change between domains, and 'search predictor' reads them"
    return Diagnostic("S477", message, node.span, "not one number", help_text)


def as_number(value: Value, place: Span) -> Fraction:
    """A value as a number; raises `SutureError` (S214) for a label that is none."""
    if isinstance(value, str):
        raise SutureError(
            Diagnostic("S214", f"'{value}' is not a number", place, "computed with", f"compare instead: .. == {value}")
        )
    return Fraction(value)


def truth(value: Value, place: Span) -> bool:
    """A value as a truth value; raises `SutureError` (S214) for what is none."""
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return value == 1
    if value in ("true", "false"):
        return value == "true"
    raise SutureError(
        Diagnostic("S214", f"'{value}' is not a truth value", place, "used as one", f"compare it: .. == {value}")
    )


def compare(sign: str, left: Value, left_place: Span, right: Value, right_place: Span) -> bool:
    """Whether `left sign right` holds; labels that are not numbers can be equal or not, but have no order."""
    if sign in ("==", "!="):
        same = left == right or _truth_label(left) == _truth_label(right)
        return same == (sign == "==")
    return COMPARE[sign](as_number(left, left_place), as_number(right, right_place))


def _truth_label(value: Value) -> Value:
    """`true` and `false` as truth values, so that they equal the outcome of a comparison."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _arithmetic(node: tree.Arithmetic, names: Mapping[str, Value]) -> Fraction:
    first, *rest = (as_number(evaluate(operand, names), operand.span) for operand in node.operands)
    result = first
    for sign, value, operand in zip(node.operators, rest, node.operands[1:], strict=True):
        match sign:
            case "+":
                result += value
            case "-":
                result -= value
            case "*":
                result *= value
            case "/":
                if value == 0:
                    raise SutureError(Diagnostic("S216", "division by zero", operand.span, "this is zero"))
                result /= value
            case _:
                result = _power(result, value, operand.span)
    return result


def _power(base: Fraction, exponent: Fraction, place: Span) -> Fraction:
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) > MAX_POWER or size * abs(exponent) > MAX_BITS:
        raise Unknown
    if base == 0 and exponent < 0:
        raise SutureError(Diagnostic("S216", "division by zero: a negative power of zero", place))
    return Fraction(base ** int(exponent))


def _logic(node: tree.Logic, names: Mapping[str, Value]) -> bool:
    values = [truth(evaluate(operand, names), operand.span) for operand in node.operands]
    match node.operator:
        case "and":
            return all(values)
        case "or":
            return any(values)
        case _:
            return sum(values) % 2 == 1


def _call(node: tree.Call, names: Mapping[str, Value]) -> Fraction:
    name = node.function.text
    if name not in EXACT:
        raise Unknown
    values = [as_number(evaluate(argument, names), argument.span) for argument in node.arguments]
    if name == "mod" and values[1] == 0:
        raise SutureError(Diagnostic("S216", "division by zero", node.span, "in this remainder"))
    return EXACT[name](values)


def constant(node: tree.Expression) -> Fraction | None:
    """The number of an expression without names, or None where it has no exact one.

    Raises `SutureError` (S214, S216) where it computes with labels or divides by zero.
    """
    try:
        return as_number(evaluate(node, {}), node.span)
    except Unknown:
        return None


def shown(node: tree.Expression) -> str:
    """An expression for a message, cut where it is long."""
    text = expression_text(node)
    return text if len(text) <= 40 else f"{text[:37]}..."
