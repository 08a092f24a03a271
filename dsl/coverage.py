"""Which cases a table's rows cover, wildcards and all, without listing the cases.

Cases are split on one parent after the other; rows that cannot match are dropped on the way, and cases that leave the
same rows at the same parent are treated as one.  Answers are patterns: a label for each parent, or None for any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Pattern: TypeAlias = tuple[str | None, ...]
Left: TypeAlias = tuple[int, ...]
Branches: TypeAlias = tuple[tuple[str | None, Left], ...]
MOST_STATES = 200_000


def uncovered(labels: Sequence[Sequence[str]], rows: Sequence[Pattern], limit: int = 8) -> tuple[Pattern, ...]:
    """Up to `limit` patterns of cases that no row matches; `labels` are those of each parent.

    A table with more than `MOST_STATES` different situations is taken to be covered.

    >>> uncovered([("low", "high"), ("no", "yes")], [("low", None), ("high", "no")])
    (('high', 'yes'),)
    """
    everything = tuple(range(len(rows)))
    levels = _levels(labels, rows, everything)
    found: dict[Left, tuple[Pattern, ...]] = {}
    for place in range(len(labels), -1, -1):
        rest: Pattern = (None,) * (len(labels) - place)
        below, found = found, {}
        for left, branches in levels[place].items() if place < len(levels) else ():
            missing = [(label, *tail) for label, next_left in branches for tail in below.get(next_left, ())]
            found[left] = (rest,) if not left else tuple(missing[:limit])
    return found.get(everything, ())


def _levels(labels: Sequence[Sequence[str]], rows: Sequence[Pattern], everything: Left) -> list[dict[Left, Branches]]:
    """For each parent the sets of rows that may be left before it, each with where every label leads."""
    levels: list[dict[Left, Branches]] = []
    here: dict[Left, Branches] = {everything: ()}
    states = 0
    for place, own in enumerate(labels):
        here = {left: () if _settled(left, rows, place) else _split(left, own, rows, place) for left in here}
        states += len(here)
        levels.append(here)
        if states > MOST_STATES:
            return []
        here = {left: () for branches in here.values() for _, left in branches}
    return [*levels, here]


def _settled(left: Left, rows: Sequence[Pattern], place: int) -> bool:
    """Whether no row is left, or one that matches whatever comes."""
    return not left or any(all(cell is None for cell in rows[number][place:]) for number in left)


def _split(left: Left, labels: Sequence[str], rows: Sequence[Pattern], place: int) -> Branches:
    """Where each label of one parent leads; one branch for any label where no row left asks for it."""
    if all(rows[number][place] is None for number in left):
        return ((None, left),)
    return tuple((label, tuple(n for n in left if rows[n][place] in (None, label))) for label in labels)


def hidden(labels: Sequence[Sequence[str]], rows: Sequence[Pattern], number: int) -> bool:
    """Whether every case of row `number` is matched by an earlier row, so that it is never read."""
    row = rows[number]
    inside = [own if cell is None else (cell,) for own, cell in zip(labels, row, strict=True)]
    earlier = [
        other
        for other in rows[:number]
        if all(a is None or b is None or a == b for a, b in zip(other, row, strict=True))
    ]
    return bool(earlier) and not uncovered(inside, earlier, 1)
