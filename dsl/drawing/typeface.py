"""How names are written in pictures and how wide they come out.

Widths are those of a wide serif italic, in units of the font size, so that a label fits its place in whatever serif
face the reader has.  They are grouped in classes: precise to about a tenth of a letter, never much too small.
"""

from __future__ import annotations

import re
import unicodedata

_CLASSES = (
    (0.32, "ijl.,:;'|!I `"),
    (0.42, 'ftJ()[]{}-/\\"'),
    (0.52, "rsz_*?"),
    (0.60, "aceovxy"),
    (0.66, "bdghknpqu0123456789$L"),
    (0.75, "ABEFKPRSTVXYZ"),
    (0.88, "CDGHNOQUw=<>+~#&^%"),
    (1.04, "mMW@"),
)
_WIDTH = {letter: width for width, letters in _CLASSES for letter in letters}
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUBSCRIPTS = {chr(lowered): chr(digit) for digit, lowered in _LOWERED.items()}
"""The ordinary digit of each subscript digit."""
_INDEXED = re.compile(r"([^\W\d_])_?(\d{1,3})(['*]*)\Z")


def text_width(content: str, size: float) -> float:
    """An upper estimate in pixels of the width of `content` set in a serif italic of `size` pixels.

    >>> text_width("", 14), text_width("Smoke", 10) < text_width("Smoking", 10)
    (0, True)
    """
    return sum(_letter_width(letter) for letter in content) * size


def _letter_width(letter: str) -> float:
    if letter in SUBSCRIPTS or letter == "′":
        return 0.42
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    unknown = 0.68 if letter.islower() else 0.9
    return _WIDTH.get(letter) or _WIDTH.get(unicodedata.normalize("NFD", letter)[0], unknown)


def written(name: str) -> str:
    """A name as pictures show it: an index as a subscript, primes and arrows as such.

    >>> written("W1"), written("S'"), written("X<->Y"), written("Age65")
    ('W₁', 'S′', 'X↔Y', 'Age65')
    """
    return "↔".join(_written(part) for part in name.split("<->"))


def _written(name: str) -> str:
    indexed = _INDEXED.match(name)
    if indexed:
        name = indexed[1] + indexed[2].translate(_LOWERED) + indexed[3]
    return name.replace("'", "′")
