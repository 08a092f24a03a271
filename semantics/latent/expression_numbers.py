"""Expressions of real mechanisms evaluated in floats, for many cases at once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from ...dsl import tree
from ...dsl.constants import one_number_needed, shown
from ...dsl.diagnostics import Diagnostic, SutureError

Floats: TypeAlias = Any
"""A float array, one entry a case."""

ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow,
}  # fmt: skip
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
LOGIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor,
}  # fmt: skip
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "sigmoid": lambda value: 0.5 * (1.0 + np.tanh(0.5 * value)),
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "mod": np.mod,
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
}


def numbers(node: tree.Expression, values: Mapping[str, Floats], noise: Floats | None = None) -> Floats:
    """The value of an expression in every case, truth as 1; nan where it has none, as the log of a negative number.

    Raises `SutureError` S460 for a name without a value, which is a parameter.
    """
    with np.errstate(all="ignore"):
        return np.asarray(_number(node, values, noise), dtype=float)


def _number(node: tree.Expression, values: Mapping[str, Floats], noise: Floats | None) -> Any:
    match node:
        case tree.Number(value):
            return float(value)
        case tree.Reference(name) if name in values:
            return values[name]
        case tree.Reference(name):
            text = f"the parameter {name} has no value, and this needs numbers"
            raise SutureError(Diagnostic("S460", text, node.span, "", "give it a value"))
        case tree.Noise() if noise is not None:
            return noise
        case tree.Unary("not", operand):
            return np.logical_not(_number(operand, values, noise))
        case tree.Unary(_, operand):
            return -_number(operand, values, noise)
        case tree.Arithmetic(operators, operands):
            parts = [_number(operand, values, noise) for operand in operands]
            result = parts[0]
            for sign, part in zip(operators, parts[1:], strict=True):
                result = ARITHMETIC[sign](np.asarray(result, dtype=float), part)
            return result
        case tree.Logic(sign, operands):
            return reduce(LOGIC[sign], [_number(operand, values, noise) for operand in operands])
        case tree.Comparison(operators, operands):
            parts = [_number(operand, values, noise) for operand in operands]
            pairs = zip(operators, parts, parts[1:], strict=False)
            return reduce(np.logical_and, [COMPARISONS[sign](left, right) for sign, left, right in pairs])
        case tree.Conditional(condition, first, second):
            return np.where(*(_number(part, values, noise) for part in (condition, first, second)))
        case tree.Call(function, arguments) if function.text in FUNCTIONS:
            return FUNCTIONS[function.text](*(_number(argument, values, noise) for argument in arguments))
        case tree.Interval():
            raise SutureError(one_number_needed(node))
        case _:
            text = f"{shown(node)} is not a number"
            raise SutureError(Diagnostic("S214", text, node.span, "in a mechanism", "use numbers and variables"))
