"""Labels of values: which spellings are one value, and which are numbers.

`1`, `1.0` and `2/2` name one value where a domain has one of them; labels that are not numbers are compared as text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

NUMERIC = re.compile(
    r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?:/(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?)?"
)


def number(label: str) -> Fraction | None:
    """The exact number that a label spells, or None.

    >>> number("-1"), number("2.5e-3"), number("1/4"), number("yes")
    (Fraction(-1, 1), Fraction(1, 400), Fraction(1, 4), None)
    """
    if not NUMERIC.fullmatch(label):
        return None
    above, _, below = label.partition("/")
    try:
        return Fraction(above) / Fraction(below) if below else Fraction(above)
    except ZeroDivisionError:
        return None


def find_label(labels: Sequence[str], text: str) -> str | None:
    """The label among `labels` that `text` spells, as text or as a number; None where there is none.

    >>> find_label(("0", "1"), "1.0"), find_label(("no", "yes"), "maybe")
    ('1', None)
    """
    if text in labels:
        return text
    value = number(text)
    if value is None:
        return None
    return next((label for label in labels if number(label) == value), None)
