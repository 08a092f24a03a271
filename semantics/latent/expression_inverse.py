"""Expressions inverted piece by piece: `z = 2*exp(noise) + X` becomes `noise = log((z - X)/2)`.

An expression in which the unknown occurs once is a chain of operations, each undone by its own inverse: sums, products
with what is not zero, odd powers, powers of a positive number, exp, log, sqrt, tanh, sigmoid.  `min` and `max` of
increasing functions of the unknown are increasing, and their inverse is the `max` or `min` of the inverses; a
conditional on the unknown, such as a leaky ReLU, is inverted by the branch whose inverse meets the condition.  The
result is an expression of the language again.  That a factor is not zero, that branches fit together, is not decided
here: `smooth_domains.py` checks every inverse on numbers, and monotonicity where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from ...dsl import tree
from ...dsl.constants import constant
from ...dsl.diagnostics import SutureError

ONE = tree.Number(Fraction(1), "1")
TWO = tree.Number(Fraction(2), "2")
ZERO = tree.Number(Fraction(0), "0")


def inverted(node: tree.Expression, unknown: tree.Expression, value: tree.Expression) -> tree.Expression | None:
    """The unknown (a reference, or the noise) as an expression of `value`, which `node` equals; None if no rule fits.

    >>> from ...dsl.syntax_text import expression_text
    >>> z, noise = tree.Reference("z"), tree.Noise()
    >>> twice = tree.Arithmetic(("*",), (TWO, call("exp", noise)))
    >>> expression_text(inverted(twice, noise, z))
    'log(z / 2)'
    """
    if node == unknown:
        return value
    match node:
        case tree.Unary("-", operand):
            return inverted(operand, unknown, negative(value))
        case tree.Arithmetic(operators):
            if operators[0] == "^":
                return _power(node, unknown, value)
            return _sum(node, unknown, value) if operators[0] in "+-" else _product(node, unknown, value)
        case tree.Conditional():
            return _conditional(node, unknown, value)
        case tree.Call(function, arguments):
            return _call(function.text, arguments, unknown, value)
        case _:
            return None


def contains(node: tree.Expression, unknown: tree.Expression) -> bool:
    """Whether the unknown stands in an expression."""
    return any(part == unknown for part in subexpressions(node))


def subexpressions(node: tree.Expression) -> Iterator[tree.Expression]:
    """An expression and all its parts, from the outside in."""
    yield node
    for part in parts(node):
        yield from subexpressions(part)


def parts(node: tree.Expression) -> tuple[tree.Expression, ...]:
    """The expressions that an expression is directly made of."""
    match node:
        case tree.Unary(_, operand):
            return (operand,)
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            return operands
        case tree.Conditional(condition, first, second):
            return condition, first, second
        case tree.Call(_, arguments):
            return arguments
        case _:
            return ()


def substituted(node: tree.Expression, given: Mapping[tree.Expression, tree.Expression]) -> tree.Expression:
    """The expression with some of its parts replaced."""
    if node in given:
        return given[node]
    match node:
        case tree.Unary(_, operand):
            return replace(node, operand=substituted(operand, given))
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            return replace(node, operands=tuple(substituted(operand, given) for operand in operands))
        case tree.Conditional(condition, first, second):
            made = [substituted(part, given) for part in (condition, first, second)]
            return replace(node, condition=made[0], first=made[1], second=made[2])
        case tree.Call(_, arguments):
            return replace(node, arguments=tuple(substituted(argument, given) for argument in arguments))
        case _:
            return node


# ---------------------------------------------------------------------------------------------------------------------
# Making expressions


def call(name: str, *arguments: tree.Expression) -> tree.Expression:
    """A function applied."""
    return tree.Call(tree.Name(name), arguments)


def negative(node: tree.Expression) -> tree.Expression:
    """Minus an expression."""
    return node.operand if isinstance(node, tree.Unary) and node.operator == "-" else tree.Unary("-", node)


def _joined(operator: str, left: tree.Expression, right: tree.Expression) -> tree.Expression:
    """Two operands in one node, in the flat form that the parser makes."""
    family = "+-" if operator in "+-" else "*/"
    if operator != "^" and isinstance(left, tree.Arithmetic) and left.operators[0] in family:
        return tree.Arithmetic((*left.operators, operator), (*left.operands, right))
    return tree.Arithmetic((operator,), (left, right))


# ---------------------------------------------------------------------------------------------------------------------
# One operation undone


def _only(node: tree.Arithmetic, unknown: tree.Expression) -> int | None:
    """The place of the one operand with the unknown; None where there are several."""
    places = [place for place, operand in enumerate(node.operands) if contains(operand, unknown)]
    return places[0] if len(places) == 1 else None


def _sum(node: tree.Arithmetic, unknown: tree.Expression, value: tree.Expression) -> tree.Expression | None:
    place = _only(node, unknown)
    if place is None:
        return None
    signs = ("+", *node.operators)
    rest = value
    for other, (sign, operand) in enumerate(zip(signs, node.operands, strict=True)):
        if other != place:
            rest = _joined("-" if sign == "+" else "+", rest, operand)
    return inverted(node.operands[place], unknown, rest if signs[place] == "+" else negative(rest))


def _product(node: tree.Arithmetic, unknown: tree.Expression, value: tree.Expression) -> tree.Expression | None:
    place = _only(node, unknown)
    if place is None:
        return None
    signs = ("*", *node.operators)
    others = [pair for other, pair in enumerate(zip(signs, node.operands, strict=True)) if other != place]
    if signs[place] == "*":
        rest = value
        for sign, operand in others:
            rest = _joined("/" if sign == "*" else "*", rest, operand)
    else:
        rest = others[0][1]
        for sign, operand in others[1:]:
            rest = _joined(sign, rest, operand)
        rest = _joined("/", rest, value)
    return inverted(node.operands[place], unknown, rest)


def _power(node: tree.Arithmetic, unknown: tree.Expression, value: tree.Expression) -> tree.Expression | None:
    base, exponent = node.operands
    if contains(base, unknown) and contains(exponent, unknown):
        return None
    if contains(exponent, unknown):
        return inverted(exponent, unknown, _joined("/", call("log", value), call("log", base)))
    try:
        power = constant(exponent)
    except SutureError:
        return None
    if power is None or power == 0:
        return None
    root = tree.Arithmetic(("/",), (ONE, exponent))
    if power.denominator == 1 and power.numerator % 2 == 0:
        return None
    if power.denominator != 1:
        return inverted(base, unknown, tree.Arithmetic(("^",), (value, root)))
    odd = tree.Conditional(
        tree.Comparison((">=",), (value, ZERO)),
        tree.Arithmetic(("^",), (value, root)),
        tree.Unary("-", tree.Arithmetic(("^",), (negative(value), root))),
    )
    return inverted(base, unknown, value if power == 1 else odd)


def _call(
    name: str, arguments: tuple[tree.Expression, ...], unknown: tree.Expression, value: tree.Expression
) -> tree.Expression | None:
    if name in ("min", "max"):
        return _extreme(name, arguments, unknown, value)
    undone: Mapping[str, tree.Expression] = {
        "exp": call("log", value),
        "log": call("exp", value),
        "sqrt": tree.Arithmetic(("^",), (value, TWO)),
        "sigmoid": call("log", _joined("/", value, _joined("-", ONE, value))),
        "tanh": _joined("/", call("log", _joined("/", _joined("+", ONE, value), _joined("-", ONE, value))), TWO),
    }
    return inverted(arguments[0], unknown, undone[name]) if name in undone else None


def _extreme(
    name: str, arguments: tuple[tree.Expression, ...], unknown: tree.Expression, value: tree.Expression
) -> tree.Expression | None:
    """The inverse of the largest (least) of functions that all increase, or all decrease, in the unknown."""
    if not all(contains(argument, unknown) for argument in arguments):
        return None
    directions = {direction(argument, unknown) for argument in arguments}
    inverses = [inverted(argument, unknown, value) for argument in arguments]
    made = tuple(each for each in inverses if each is not None)
    if len(directions) != 1 or None in directions or len(made) < len(inverses):
        return None
    rising = directions == {1}
    return call({"max": "min", "min": "max"}[name] if rising else name, *made)


def _conditional(node: tree.Conditional, unknown: tree.Expression, value: tree.Expression) -> tree.Expression | None:
    """Inverted branch by branch; where the unknown decides, the first branch's inverse is tried in the condition."""
    first, second = (inverted(branch, unknown, value) for branch in (node.first, node.second))
    if first is None or second is None:
        return None
    return tree.Conditional(substituted(node.condition, {unknown: first}), first, second)


# ---------------------------------------------------------------------------------------------------------------------
# Signs and directions


def sign(node: tree.Expression) -> int | None:
    """1 where an expression is above zero whatever its variables are, -1 where below, None where that is not plain."""
    try:
        number = constant(node)
    except SutureError:
        return None
    if number is not None:
        return (number > 0) - (number < 0) or None
    match node:
        case tree.Call(function) if function.text in ("exp", "sigmoid"):
            return 1
        case tree.Unary("-", operand):
            inner = sign(operand)
            return None if inner is None else -inner
        case tree.Arithmetic(operators, operands) if operators[0] in "*/":
            signs = [sign(operand) for operand in operands]
            return None if None in signs else (-1) ** signs.count(-1)
        case tree.Arithmetic(operators, operands) if operators[0] in "+-":
            signs = [sign(operands[0]) or _not_negative(operands[0])]
            for operator, operand in zip(operators, operands[1:], strict=True):
                own = sign(operand) or _not_negative(operand)
                signs.append(own if operator == "+" else -own)
            settled = any(sign(operand) is not None for operand in operands)
            return signs[0] if settled and len(set(signs)) == 1 and signs[0] else None
        case tree.Arithmetic(("^",), (base, _)):
            return 1 if sign(base) == 1 else None
        case _:
            return None


def _not_negative(node: tree.Expression) -> int:
    """1 where an expression is a square or an absolute value, else 0."""
    match node:
        case tree.Arithmetic(("^",), (_, exponent)):
            power = constant(exponent)
            return int(power is not None and power.denominator == 1 and power.numerator % 2 == 0)
        case tree.Call(function) if function.text in ("abs", "sqrt"):
            return 1
        case _:
            return 0


def direction(node: tree.Expression, unknown: tree.Expression) -> int | None:
    """1 where an expression rises with the unknown whatever else is, -1 where it falls, None if that is not plain."""
    if node == unknown:
        return 1
    match node:
        case tree.Unary("-", operand):
            return _times(-1, direction(operand, unknown))
        case tree.Arithmetic(operators, operands) if operators[0] in "+-":
            found = {
                _times(1 if sign == "+" else -1, direction(operand, unknown))
                for sign, operand in zip(("+", *operators), operands, strict=True)
                if contains(operand, unknown)
            }
            return found.pop() if len(found) == 1 else None
        case tree.Arithmetic(operators, operands) if operators[0] in "*/":
            place = _only(node, unknown)
            others = [sign(operand) for other, operand in enumerate(operands) if other != place]
            if place is None or None in others or ("*", *operators)[place] == "/":
                return None
            return _times((-1) ** others.count(-1), direction(operands[place], unknown))
        case tree.Arithmetic(("^",), (base, exponent)) if not contains(exponent, unknown):
            power = constant(exponent)
            odd = power is not None and power.denominator == 1 and power.numerator % 2 == 1 and power > 0
            return direction(base, unknown) if odd else None
        case tree.Call(function, arguments) if function.text in ("exp", "log", "sqrt", "tanh", "sigmoid", "min", "max"):
            found = {direction(argument, unknown) for argument in arguments if contains(argument, unknown)}
            return found.pop() if len(found) == 1 else None
        case _:
            return None


def _times(sign: int, other: int | None) -> int | None:
    return None if other is None else sign * other
