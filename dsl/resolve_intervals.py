"""Intervals in mechanisms: their ends are numbers, and they stand where a corner decides.

`[0.5, 1.5]` in a mechanism is any number between the ends, for `search predictor` to choose the worst of.  As a
probability it stands alone; in an equation, in sums and products, so that the mechanism is affine in each interval and
the worst choice is at an end of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from . import tree
from .constants import constant
from .diagnostics import SutureError
from .mechanism_expressions import intervals, straight_intervals
from .scope import Scope
from .source import Span


def ends(scope: Scope, interval: tree.Interval) -> tuple[Fraction, Fraction] | None:
    """The two ends of an interval; None with a problem noted (S476)."""
    found: list[Fraction] = []
    for end in (interval.low, interval.high):
        try:
            value = constant(end)
        except SutureError as error:
            scope.take(error)
            return None
        if value is None:
            scope.report("S476", "the ends of an interval are numbers", end.span, "not a number", "write [0.5, 1.5]")
            return None
        found.append(value)
    low, high = found
    if low > high:
        text = f"the interval from {shown(low)} to {shown(high)} is empty"
        scope.report("S476", text, interval.span, "", f"the smaller end comes first: [{shown(high)}, {shown(low)}]")
        return None
    return low, high


def shown(value: Fraction) -> str:
    """A number for a message: short as a decimal, or as a fraction."""
    text = f"{float(value):.10g}"
    return text if "e" not in text and Fraction(text) == value else str(value)


def probability_ends(scope: Scope, weights: Sequence[tree.Expression], place: Span) -> bool:
    """Whether the probabilities of a row with intervals are sound: alone, from 0 to 1, and able to sum to 1 (S478)."""
    low = high = Fraction(0)
    sound = True
    for weight in weights:
        known = _probability_ends(scope, weight)
        sound &= known is not None
        low, high = (low + known[0], high + known[1]) if known else (low, high)
    if sound and not low <= 1 <= high:
        text = f"no probabilities in these intervals sum to 1: they sum to {shown(low)} at least, {shown(high)} at most"
        scope.report("S478", text, place, "never 1")
        return False
    return sound


def _probability_ends(scope: Scope, weight: tree.Expression) -> tuple[Fraction, Fraction] | None:
    if isinstance(weight, tree.Interval):
        known = ends(scope, weight)
    elif any(True for _ in intervals(weight)):
        text = "an interval of probabilities stands alone"
        scope.report("S476", text, weight.span, "computed with", "write [0.2, 0.4]")
        return None
    else:
        try:
            value = constant(weight)
        except SutureError as error:
            scope.take(error)
            return None
        if value is None:
            text = "beside an interval, probabilities are numbers"
            scope.report("S476", text, weight.span, "not a number")
            return None
        known = value, value
    if known is not None and not 0 <= known[0] <= known[1] <= 1:
        text = f"{shown(known[0])} to {shown(known[1])} are not probabilities"
        scope.report("S207", text, weight.span, "not between 0 and 1")
        return None
    return known


def equation_intervals(scope: Scope, expression: tree.Expression) -> bool:
    """Whether the intervals of an equation or of a mean are sound (S476)."""
    straight = [id(each) for each in straight_intervals(expression)]
    sound = True
    for interval in intervals(expression):
        if ends(scope, interval) is None:
            sound = False
        elif id(interval) not in straight:
            text = "an interval in an equation stands in sums and products"
            scope.report("S476", text, interval.span, "not here", "write for example [0.5, 1.5]*X + noise")
            sound = False
    return sound
