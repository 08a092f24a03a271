"""An interval of numbers as a bar on an axis: the sharp bounds of a probability, of a difference of probabilities."""

from __future__ import annotations

from .scene import SIZE, Mark, Plate, Role, Scene, Strand, Text, Tone, framed
from .typeface import text_width

LENGTH = 360.0
THICK = 16.0


def interval_scene(low: float, high: float, title: str) -> Scene:
    """The bar from `low` to `high` on an axis that holds 0 to 1, or -1 to 1 where one of them is below zero."""
    start, end = (-1.0 if low < 0 else 0.0), 1.0
    start, end = min(start, low), max(end, high)
    scale = LENGTH / (end - start)
    left, right = (low - start) * scale, (high - start) * scale
    bar = Plate(left, 0.0, max(right - left, 2.0), THICK, Tone.STATE, f"{low:.6g} to {high:.6g}")
    marks: list[Mark] = [Strand((0.0, 26.0), (((LENGTH, 26.0),),), Tone.PLAIN, "axis"), bar]
    for number in range(5):
        x = LENGTH * number / 4
        marks.append(Strand((x, 26.0), (((x, 31.0),),)))
        marks.append(Text(x, 43.0, f"{start + (end - start) * number / 4:.3g}", Role.WIRE))
    marks += _ends(left, right, f"{low:.4g}", f"{high:.4g}")
    return framed(marks, title)


def _ends(left: float, right: float, low: str, high: str) -> list[Mark]:
    """The numbers above the ends of the bar, in one text where two would touch."""
    room = (text_width(low, SIZE[Role.WIRE]) + text_width(high, SIZE[Role.WIRE])) / 2 + 8.0
    if low == high:
        return [Text(left, -6.0, low, Role.WIRE)]
    if right - left < room:
        return [Text((left + right) / 2, -6.0, f"{low} to {high}", Role.WIRE)]
    return [Text(left, -6.0, low, Role.WIRE), Text(right, -6.0, high, Role.WIRE)]
