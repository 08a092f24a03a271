"""Expressions of real mechanisms evaluated in floats, for many cases at once, by numpy or by jax.numpy."""

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
LOGIC = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}
PLAIN = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "abs", "floor", "ceil", "round", "mod")
"""Functions that numpy and jax.numpy have under their own names."""


def _called(name: str, values: list[Any], space: Any) -> Any:
    match name:
        case "sigmoid":
            return 0.5 * (1.0 + space.tanh(0.5 * values[0]))
        case "min":
            return reduce(space.minimum, values)
        case "max":
            return reduce(space.maximum, values)
        case _:
            return getattr(space, name)(*values)


def numbers(
    node: tree.Expression, values: Mapping[str, Floats], noise: Floats | None = None, space: Any = np
) -> Floats:
    """The value of an expression in every case, truth as 1; nan where it has none, as the log of a negative number.

    `space` is numpy or jax.numpy.  Raises `SutureError` S460 for a name without a value, which is a parameter.
    """
    with np.errstate(all="ignore"):
        return space.asarray(_number(node, values, noise, space), dtype=float)


def _number(node: tree.Expression, values: Mapping[str, Floats], noise: Floats | None, space: Any) -> Any:
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
            return space.logical_not(_number(operand, values, noise, space))
        case tree.Unary(_, operand):
            return -_number(operand, values, noise, space)
        case tree.Arithmetic(operators, operands):
            parts = [_number(operand, values, noise, space) for operand in operands]
            result = parts[0]
            for sign, part in zip(operators, parts[1:], strict=True):
                result = ARITHMETIC[sign](space.asarray(result, dtype=float), part)
            return result
        case tree.Logic(sign, operands):
            return reduce(getattr(space, LOGIC[sign]), [_number(operand, values, noise, space) for operand in operands])
        case tree.Comparison(operators, operands):
            parts = [_number(operand, values, noise, space) for operand in operands]
            pairs = zip(operators, parts, parts[1:], strict=False)
            return reduce(space.logical_and, [COMPARISONS[sign](left, right) for sign, left, right in pairs])
        case tree.Conditional(condition, first, second):
            return space.where(*(_number(part, values, noise, space) for part in (condition, first, second)))
        case tree.Call(function, arguments) if function.text in (*PLAIN, "sigmoid", "min", "max"):
            made = [space.asarray(_number(argument, values, noise, space), dtype=float) for argument in arguments]
            return _called(function.text, made, space)
        case tree.Interval():
            raise SutureError(one_number_needed(node))
        case _:
            text = f"{shown(node)} is not a number"
            raise SutureError(Diagnostic("S214", text, node.span, "in a mechanism", "use numbers and variables"))
