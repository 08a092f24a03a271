"""Expressions of mechanisms: what they mention, and what is left of them once some variables are fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from . import tree
from .constants import Unknown, Value, evaluate, label_value
from .diagnostics import SutureError
from .labels import find_label
from .source import Span

PROBES = (Fraction(1, 3), Fraction(2, 7), Fraction(5, 11), Fraction(3, 13), Fraction(7, 17), Fraction(1, 19))


def mechanism_names(mechanism: tree.Mechanism) -> tuple[tree.Name, ...]:
    """Every name that stands in a mechanism where a parent may stand, in order, repeats left out."""
    match mechanism:
        case tree.TableMechanism(parents, _) | tree.NumbersMechanism(parents, _):
            found = list(parents)
        case tree.EquationMechanism(expression):
            found = list(references(expression))
        case tree.FamilyMechanism(_, arguments):
            found = [name for argument in arguments for name in references(argument)]
        case _:
            found = []
    return tuple({name.text: name for name in reversed(found)}[text] for text in dict.fromkeys(n.text for n in found))


def references(node: tree.Expression) -> Iterator[tree.Name]:
    """The names an expression of a mechanism refers to."""
    match node:
        case tree.Reference(name, place):
            yield tree.Name(name, place)
        case tree.World(variable, _):
            yield variable
        case tree.Unary(_, operand):
            yield from references(operand)
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            for operand in operands:
                yield from references(operand)
        case tree.Conditional(condition, first, second):
            for part in (condition, first, second):
                yield from references(part)
        case tree.Call(_, arguments):
            for argument in arguments:
                yield from references(argument)
        case _:
            return


def uses_noise(node: tree.Expression) -> bool:
    """Whether `noise` stands in an expression."""
    match node:
        case tree.Noise():
            return True
        case tree.Unary(_, operand):
            return uses_noise(operand)
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            return any(map(uses_noise, operands))
        case tree.Conditional(condition, first, second):
            return any(map(uses_noise, (condition, first, second)))
        case tree.Call(_, arguments):
            return any(map(uses_noise, arguments))
        case _:
            return False


def calls(node: tree.Expression) -> Iterator[tree.Expression]:
    """Calls inside an expression, and whatever cannot stand in a mechanism at all."""
    match node:
        case tree.Call(_, arguments):
            yield node
            for argument in arguments:
                yield from calls(argument)
        case tree.Unary(_, operand):
            yield from calls(operand)
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            for operand in operands:
                yield from calls(operand)
        case tree.Conditional(condition, first, second):
            for part in (condition, first, second):
                yield from calls(part)
        case tree.World() | tree.Probability() | tree.Expectation() | tree.Effect():
            yield node
        case _:
            return


def intervals(node: tree.Expression) -> Iterator[tree.Interval]:
    """The intervals in an expression, from left to right."""
    match node:
        case tree.Interval():
            yield node
        case tree.Unary(_, operand):
            yield from intervals(operand)
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            for operand in operands:
                yield from intervals(operand)
        case tree.Conditional(condition, first, second):
            for part in (condition, first, second):
                yield from intervals(part)
        case tree.Call(_, arguments):
            for argument in arguments:
                yield from intervals(argument)
        case _:
            return


def straight_intervals(node: tree.Expression) -> Iterator[tree.Interval]:
    """The intervals that stand in sums and products alone, in whose numbers the expression is affine one by one."""
    match node:
        case tree.Interval():
            yield node
        case tree.Unary("-", operand):
            yield from straight_intervals(operand)
        case tree.Arithmetic(operators, operands) if "^" not in operators:
            for sign, operand in zip(("+", *operators), operands, strict=True):
                if sign != "/":
                    yield from straight_intervals(operand)
        case _:
            return


def at_ends(node: tree.Expression, ends: Iterator[bool]) -> tree.Expression:
    """The expression with each interval, from left to right, at its higher end where `ends` says so, else its lower."""
    match node:
        case tree.Interval(low, high):
            return high if next(ends) else low
        case tree.Unary(_, operand):
            return replace(node, operand=at_ends(operand, ends))
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            return replace(node, operands=tuple(at_ends(operand, ends) for operand in operands))
        case tree.Conditional(condition, first, second):
            made = [at_ends(part, ends) for part in (condition, first, second)]
            return replace(node, condition=made[0], first=made[1], second=made[2])
        case tree.Call(_, arguments):
            return replace(node, arguments=tuple(at_ends(argument, ends) for argument in arguments))
        case _:
            return node


def specialise(node: tree.Expression, labels: Mapping[str, str]) -> tree.Expression:
    """The expression with the given variables fixed to labels, and computed where that leaves no name."""
    match node:
        case tree.Reference(name, place) if name in labels:
            value = label_value(labels[name])
            return tree.Text(value, place) if isinstance(value, str) else exact_number(Fraction(value), place)
        case tree.Unary(_, operand):
            return replace(node, operand=specialise(operand, labels))
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            return replace(node, operands=tuple(specialise(operand, labels) for operand in operands))
        case tree.Conditional(condition, first, second):
            return _chosen(node, specialise(condition, labels), specialise(first, labels), specialise(second, labels))
        case tree.Call(_, arguments):
            return replace(node, arguments=tuple(specialise(argument, labels) for argument in arguments))
        case _:
            return node


def _chosen(
    node: tree.Conditional, condition: tree.Expression, first: tree.Expression, second: tree.Expression
) -> tree.Expression:
    """A conditional whose condition is settled is one of its branches."""
    names: dict[str, Value] = {name.text: name.text for name in references(condition)}
    try:
        settled = evaluate(condition, names)
    except (Unknown, SutureError):
        return replace(node, condition=condition, first=first, second=second)
    return first if settled in (True, "true") else second


def value_label(value: Value, labels: Sequence[str]) -> str | None:
    """The label among `labels` that a computed value is; a truth value is 0 or 1, or `false` or `true`."""
    if isinstance(value, bool):
        named = find_label(labels, "true" if value else "false")
        return named if named is not None else find_label(labels, str(int(value)))
    return find_label(labels, str(value))


def never_one(weights: Sequence[tree.Expression]) -> bool:
    """Whether probabilities with parameters miss the sum 1 at some values of the parameters that they allow.

    The sum is a rational function; where it is 1 at several points in general position, it is taken to be 1.
    """
    names = sorted({name.text for weight in weights for name in references(weight)})
    for shift in range(3):
        values: dict[str, Value] = {
            name: PROBES[(place + shift) % len(PROBES)] / (1 + place // len(PROBES)) for place, name in enumerate(names)
        }
        try:
            total = sum(Fraction(value) for value in (evaluate(weight, values) for weight in weights) if value != "")
        except (Unknown, SutureError, ValueError):
            continue
        if total != 1:
            return True
    return False


def exact_number(value: Fraction, place: Span) -> tree.Expression:
    """A rational number as an expression."""
    above = tree.Number(Fraction(abs(value.numerator)), str(abs(value.numerator)), place)
    if value.denominator == 1:
        made: tree.Expression = above
    else:
        below = tree.Number(Fraction(value.denominator), str(value.denominator), place)
        made = tree.Arithmetic(("/",), (above, below), place)
    return tree.Unary("-", made, place) if value < 0 else made
