"""Probabilities as written by other tools: rounded to some digits, so that rows sum to one only nearly.

The language wants rows that sum to exactly one.  A row that is off by no more than rounding to six digits gives the
rest to its largest probability; one off by up to a hundredth is scaled; anything else is an error.  The same rule in
float64 serves large tables, whose exact numbers are made only where they are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction

ROUNDING = Fraction(1, 10**6)
FLOATING = Fraction(1, 10**12)
TOLERANCE = Fraction(1, 100)
NEAR = 1e-9
DIGITS = Context(prec=40)


def settled(weights: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """The weights, summing to exactly one; None where they are too far from it.

    >>> [str(weight) for weight in settled([Fraction("0.333333")] * 3)]
    ['166667/500000', '333333/1000000', '333333/1000000']
    """
    total = sum(weights, Fraction(0))
    if abs(total - 1) > TOLERANCE:
        return None
    if abs(total - 1) > ROUNDING:
        return tuple(weight / total for weight in weights)
    largest = max(range(len(weights)), key=lambda place: weights[place])
    return tuple(weight + (1 - total) * (place == largest) for place, weight in enumerate(weights))


def settled_floats(weights: Sequence[float], written: Sequence[str]) -> tuple[Sequence[float], float] | None:
    """As `settled`, in float64, with the distance of the sum from one; `written` are the numbers as text.

    A sum next to one of the rule's limits is settled exactly, so that both forms always take the same side.

    >>> settled_floats([0.3, 0.6], ["0.3", "0.6"]), settled_floats([0.25, 0.75], ["0.25", "0.75"])
    (None, ([0.25, 0.75], 0.0))
    """
    total = math.fsum(weights)
    off = abs(total - 1.0)
    if off <= 1e-16:
        return weights, off
    if min(abs(off - float(limit)) for limit in (ROUNDING, TOLERANCE)) < NEAR:
        exact = settled([Fraction(number) for number in written])
        return ([float(weight) for weight in exact], off) if exact else None
    if off > TOLERANCE:
        return None
    if off > ROUNDING:
        return [weight / total for weight in weights], off
    made = list(weights)
    made[made.index(max(made))] += 1.0 - total
    return made, off


def number_text(value: Fraction) -> str:
    """A number between zero and one as the language writes it: a decimal where that is exact, else a quotient.

    >>> number_text(Fraction(1, 4)), number_text(Fraction(1, 3)), number_text(Fraction(1, 10**9))
    ('0.25', '1/3', '1e-9')
    """
    decimal = DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))
    if Fraction(decimal) != value:
        return f"{value.numerator}/{value.denominator}"
    decimal = decimal.normalize(DIGITS)
    return f"{decimal:f}" if decimal == 0 or decimal.adjusted() >= -5 else f"{decimal:e}"
