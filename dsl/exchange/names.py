"""From names of other tools to names of the language, each change told.

A name of the language starts with a letter and goes on with letters, digits and `_`; keywords are taken.  What other
tools allow (`light-on`, `2nd dose`, `from`) is changed where everyone sees it: nothing is cut off in silence, and two
names never become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from unicodedata import normalize

from ..syntax_errors import KEYWORDS

NAME = re.compile(r"[^\W\d_]\w*")
OTHER = re.compile(r"\W+")
LONGEST = 60


def is_name(text: str) -> bool:
    """Whether a text is a name of the language.

    >>> is_name("Smoke"), is_name("light-on"), is_name("from")
    (True, False, False)
    """
    return bool(NAME.fullmatch(text)) and text not in KEYWORDS


def nearest_name(text: str) -> str:
    """The name of the language nearest to a text.

    >>> [nearest_name(text) for text in ("light-on", "2nd dose", "from", "_x", "-")]
    ['light_on', 'V2nd_dose', 'from_', 'x', 'V']
    """
    name = OTHER.sub("_", normalize("NFC", text)).strip("_")
    if not name or not NAME.fullmatch(name):
        name = f"V{name}"
    return f"{name}_" if name in KEYWORDS else name


def language_names(foreign: Iterable[str]) -> Mapping[str, str]:
    """A name of the language for each foreign name, no two alike; those that are names already stay.

    >>> language_names(["a-b", "a_b", "c"])
    {'a-b': 'a_b_2', 'a_b': 'a_b', 'c': 'c'}
    """
    every = list(foreign)
    taken = {name for name in every if _stays(name)}
    counts: dict[str, int] = {}
    found: dict[str, str] = {}
    for name in every:
        found[name] = name if _stays(name) else _free(nearest_name(name), taken, counts)
        taken.add(found[name])
    return found


def _stays(name: str) -> bool:
    return is_name(name) and normalize("NFC", name) == name


def _free(name: str, taken: set[str], counts: dict[str, int]) -> str:
    free = name
    while free in taken:
        counts[name] = counts.get(name, 1) + 1
        free = f"{name}_{counts[name]}"
    return free


def change_notes(names: Mapping[str, str]) -> list[str]:
    """A line for each name that was changed."""
    return [f"{shown(old)} is written {new}: {_reason(old)}" for old, new in names.items() if old != new]


def _reason(old: str) -> str:
    if old in KEYWORDS:
        return "it is a keyword of the language"
    if is_name(normalize("NFC", old)):
        return "the same letters in Unicode's composed form"
    return "a name is a letter, then letters, digits and '_'"


def shown(name: str) -> str:
    """A foreign name in quotes, on one line, cut where it is very long."""
    text = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name[: LONGEST + 1])
    return f"'{text[:LONGEST]}…'" if len(text) > LONGEST else f"'{text}'"
