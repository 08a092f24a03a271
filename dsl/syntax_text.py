"""The text of expressions, mechanisms and clauses in canonical spacing: parsing it gives the same tree.

Precedence, from the loosest: if, or, xor, and, not, comparison, sum, product, sign, power, atom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import assert_never

from . import tree
from .syntax_errors import KEYWORDS

PLAIN = re.compile(
    r"[^\W\d_]\w*|-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?:/(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)?"
)
IF, OR, XOR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(11)
LOGIC = {"or": OR, "xor": XOR, "and": AND}


def expression_text(node: tree.Expression) -> str:
    """An expression as the formatter writes it."""
    return _at(node, IF)


def operand_text(node: tree.Arithmetic, operand: tree.Expression) -> str:
    """An operand of a sum or product, in parentheses where it needs them."""
    return _at(operand, PRODUCT if node.operators[0] in "+-" else SIGN)


def _at(node: tree.Expression, needed: int) -> str:
    """The text of an expression where one of precedence `needed` may stand, in parentheses if it is looser."""
    text, strength = _written(node)
    return text if strength >= needed else f"({text})"


def _written(node: tree.Expression) -> tuple[str, int]:
    match node:
        case tree.Number(_, text):
            return text, ATOM
        case tree.Text(text):
            return f'"{text}"', ATOM
        case tree.Reference(name):
            return name, ATOM
        case tree.Noise():
            return "noise", ATOM
        case tree.Unary("not", operand):
            return f"not {_at(operand, NOT)}", NOT
        case tree.Unary(_, operand):
            return f"-{_at(operand, SIGN)}", SIGN
        case tree.Arithmetic(operators, operands):
            return _arithmetic(operators, operands)
        case tree.Logic(operator, operands):
            level = LOGIC[operator]
            return f" {operator} ".join(_at(operand, level + 1) for operand in operands), level
        case tree.Comparison(operators, operands):
            return _interleaved([_at(operand, SUM) for operand in operands], operators), COMPARE
        case tree.Conditional(condition, first, second):
            return f"if {_at(condition, IF)} then {_at(first, IF)} else {_at(second, IF)}", IF
        case tree.Call(function, arguments):
            return f"{function.text}({_list(map(expression_text, arguments))})", ATOM
        case tree.Interval():
            return interval_text(node), ATOM
        case tree.World():
            return world_text(node), ATOM
        case tree.Probability(outcomes, given, source):
            return f"P{_source(source)}({_list(map(event_text, outcomes))}{_bar(given)})", ATOM
        case tree.Expectation(body, given, source):
            return f"E{_source(source)}({expression_text(body)}{_bar(given)})", ATOM
        case tree.Effect():
            return _effect(node), ATOM
        case _:
            assert_never(node)


def interval_text(node: tree.Interval) -> str:
    """`[0.5, 1.5]`."""
    return f"[{expression_text(node.low)}, {expression_text(node.high)}]"


def _arithmetic(operators: tuple[str, ...], operands: tuple[tree.Expression, ...]) -> tuple[str, int]:
    if operators[0] == "^":
        return f"{_at(operands[0], ATOM)}^{_at(operands[1], SIGN)}", POWER
    level = SUM if operators[0] in "+-" else PRODUCT
    if level == PRODUCT:
        return _product(operators, operands), level
    return _interleaved([_at(operand, level + 1) for operand in operands], operators), level


def _product(operators: tuple[str, ...], operands: tuple[tree.Expression, ...]) -> str:
    """A product; the quotient of two written numbers is tight, `1/4 * X`."""
    text = _at(operands[0], SIGN)
    for place, operator in enumerate(operators):
        numbers = isinstance(operands[place], tree.Number) and isinstance(operands[place + 1], tree.Number)
        gap = "" if operator == "/" and numbers else " "
        text += f"{gap}{operator}{gap}{_at(operands[place + 1], SIGN)}"
    return text


def _interleaved(operands: Sequence[str], operators: Sequence[str]) -> str:
    pairs = zip(operators, operands[1:], strict=True)
    return operands[0] + "".join(f" {operator} {operand}" for operator, operand in pairs)


def _list(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _source(source: tree.Name | None) -> str:
    return f"[{source.text}]" if source else ""


def _bar(given: tuple[tree.Given, ...]) -> str:
    return f" | {_list(map(event_text, given))}" if given else ""


def event_text(part: tree.Given) -> str:
    """`Y[X = 1] = a`, `do(X = 1)` or `domain = city`."""
    match part:
        case tree.Do(events):
            return f"do({_list(map(event_text, events))})"
        case tree.InDomain(domain):
            return f"domain = {domain.text}"
        case tree.Event(variable, value):
            name = world_text(variable) if isinstance(variable, tree.World) else variable.text
            return f"{name} = {label_text(value)}" if value else name
        case _:
            assert_never(part)


def world_text(world: tree.World) -> str:
    """`Y[X = 1, Lab ~ rural]`."""
    return f"{world.variable.text}[{_list(map(_setting, world.settings))}]"


def _setting(setting: tree.Setting) -> str:
    match setting:
        case tree.Swap(variable, domain):
            return f"{variable.text} ~ {domain.text}"
        case tree.Assign(variable, None):
            return variable.text
        case tree.Assign(variable, tree.World() as world):
            return f"{variable.text} = {world_text(world)}"
        case tree.Assign(variable, tree.Label() as label):
            return f"{variable.text} = {label_text(label)}"
        case _:
            raise AssertionError(setting)


def _effect(node: tree.Effect) -> str:
    outcome = event_text(node.outcome)
    if node.low is not None and node.high is not None:
        contrast = f"{node.treatment.text}: {label_text(node.low)} -> {label_text(node.high)}, {outcome}"
    else:
        contrast = f"{node.treatment.text} -> {outcome}"
    return f"{node.kind}({_list([contrast, *map(event_text, node.mediators)])}{_bar(node.given)})"


def label_text(label: tree.Label) -> str:
    """A label, in quotes where it would not be read back bare."""
    return quoted_label(label.text)


def quoted_label(text: str) -> str:
    """The text of a label, in quotes where it would not be read back bare.

    >>> quoted_label("yes"), quoted_label("-1"), quoted_label("18-25"), quoted_label("in")
    ('yes', '-1', '"18-25"', '"in"')
    """
    return text if PLAIN.fullmatch(text) and text not in KEYWORDS else f'"{text}"'


def values_text(values: tree.Values) -> str:
    """`{no, yes}`, `0..4`, `real` or `real[3]`."""
    match values:
        case tree.LabelSet(labels):
            return f"{{{_list(map(label_text, labels))}}}"
        case tree.Range(low, high):
            return f"{low.text}..{high.text}"
        case tree.Reals(dimension):
            return "real" if dimension is None else f"real[{dimension}]"
        case _:
            assert_never(values)


def names_text(names: Iterable[tree.Name]) -> str:
    """Names between commas."""
    return _list(name.text for name in names)


def group_text(group: tree.Group) -> str:
    """`A` or `{A, B}`."""
    return f"{{{names_text(group.names)}}}" if group.braces else group.names[0].text


def setups_text(setups: Iterable[tree.Setup]) -> str:
    """`X = 1, Y = 2`."""
    return _list(f"{setup.variable.text} = {label_text(setup.value)}" for setup in setups)
