"""Which cases a table's rows cover, wildcards and all, without listing the cases.

Cases are split on one parent after the other; rows that cannot match are dropped on the way, and a set of rows seen
before at the same parent is not split again.  Answers are patterns: a label for each parent, or None for any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Pattern: TypeAlias = tuple[str | None, ...]
MOST_STEPS = 200_000


def uncovered(labels: Sequence[Sequence[str]], rows: Sequence[Pattern], limit: int = 8) -> tuple[Pattern, ...]:
    """Up to `limit` patterns of cases that no row matches; `labels` are those of each parent.

    >>> uncovered([("low", "high"), ("no", "yes")], [("low", None), ("high", "no")])
    (('high', 'yes'),)
    """
    found: list[Pattern] = []
    covered: set[tuple[int, tuple[int, ...]]] = set()
    waiting: list[tuple[Pattern, tuple[int, ...]]] = [((), tuple(range(len(rows))))]
    steps = 0
    while waiting and len(found) < limit and steps < MOST_STEPS:
        prefix, left = waiting.pop()
        steps += 1
        place = len(prefix)
        if not left:
            found.append(prefix + (None,) * (len(labels) - place))
        elif place < len(labels) and (place, left) not in covered:
            if not any(all(cell is None for cell in rows[number][place:]) for number in left):
                waiting.extend(_split(prefix, left, labels[place], rows))
            covered.add((place, left))
    return tuple(found)


def _split(
    prefix: Pattern, left: tuple[int, ...], labels: Sequence[str], rows: Sequence[Pattern]
) -> list[tuple[Pattern, tuple[int, ...]]]:
    """The cases one parent further, in reverse so that the first label is looked at first."""
    place = len(prefix)
    if all(rows[number][place] is None for number in left):
        return [((*prefix, None), left)]
    return [
        ((*prefix, label), tuple(number for number in left if rows[number][place] in (None, label)))
        for label in reversed(labels)
    ]


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
