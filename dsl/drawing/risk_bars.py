"""Worst-case risks as bars: one a class of subsets, one mark a given domain, the chosen class outlined.

A dashed line is the least worst case of any predictor.  Marks of domains differ by shape, not by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .scene import (
    DOT_RADIUS,
    SIZE,
    Anchor,
    Disc,
    Dot,
    Mark,
    Plate,
    Role,
    Scene,
    Strand,
    Text,
    Tone,
    Triangle,
    framed,
)
from .typeface import text_width

ROW = 30.0
THICK = 18.0
LENGTH = 330.0
GAP = 12.0
TICKS = 5
SHAPES = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A class: its subset in words, the risk in its worst domain, the risks in the given domains."""

    label: str
    worst: float
    given: tuple[tuple[str, float], ...]
    chosen: bool


def risk_scene(bars: Sequence[Bar], minimax: float | None, loss: str, title: str) -> Scene:
    """The bars from top to bottom as given, above an axis of expected loss."""
    longest = max([bar.worst for bar in bars] + [risk for bar in bars for _, risk in bar.given] + [minimax or 0.0])
    step = _step(longest)
    end = step * max(1, math.ceil(longest / step - 1e-9))
    scale = LENGTH / end
    marks: list[Mark] = []
    for place, bar in enumerate(bars):
        marks += _row(bar, place * ROW, scale)
    bottom = len(bars) * ROW
    marks += _axis(bottom, end, step, loss)
    if minimax is not None:
        line = Strand((minimax * scale, -6.0), (((minimax * scale, bottom),),), Tone.LATENT, f"minimax {minimax:.6g}")
        marks += [line, Text(minimax * scale, -11.0, f"minimax {minimax:.4g}", Role.WIRE)]
    names = list(dict.fromkeys(name for bar in bars for name, _ in bar.given))
    marks += _legend(names, bottom + 52.0)
    return framed(marks, title)


def _row(bar: Bar, top: float, scale: float) -> list[Mark]:
    """A class: its subset on the left, the bar, the number at its end, a mark for each domain."""
    middle = top + ROW / 2
    label_width = text_width(bar.label, SIZE[Role.NAME])
    number = f"{bar.worst:.4g}"
    width = max(bar.worst * scale, 1.0)
    # Losses in rows of data may lie above the worst case; the number stands clear of their marks.
    reach = max([width, *(risk * scale + DOT_RADIUS for _, risk in bar.given)])
    title = f"{bar.label}: worst case {bar.worst:.6g}{', chosen' if bar.chosen else ''}"
    tone = Tone.TOOTH if bar.chosen else Tone.STATE
    found: list[Mark] = [
        Text(-GAP - label_width, middle + 4.8, bar.label, Role.NAME, Anchor.START),
        Plate(0.0, middle - THICK / 2, width, THICK, tone, title),
        Text(reach + 8.0, middle + 3.8, number, Role.WIRE, Anchor.START),
    ]
    for place, (name, risk) in enumerate(bar.given):
        found.append(_sign(place, risk * scale, middle, f"{bar.label} in {name}: {risk:.6g}"))
    return found


def _sign(place: int, x: float, y: float, title: str) -> Mark:
    """The mark of a domain: dot, ring, triangle, square, and these dashed."""
    size = 2 * DOT_RADIUS + 1.0
    tone = Tone.PLAIN if place < SHAPES else Tone.LATENT
    match place % SHAPES:
        case 0:
            return Dot(x, y, tone, title)
        case 1:
            return Disc(x, y, size, size, tone, title)
        case 2:
            return Triangle(x, y - size / 2, size, size, tone, title)
        case _:
            return Plate(x - size / 2, y - size / 2, size, size, tone, title)


def _axis(y: float, end: float, step: float, loss: str) -> list[Mark]:
    found: list[Mark] = [
        Strand((0.0, 0.0), (((0.0, y),),), Tone.PLAIN, "no loss"),
        Strand((0.0, y), (((LENGTH, y),),), Tone.PLAIN, f"axis of {loss}"),
    ]
    for number in range(round(end / step) + 1):
        x = number * step / end * LENGTH
        found.append(Strand((x, y), (((x, y + 5.0),),), Tone.PLAIN, f"{number * step:.6g}"))
        found.append(Text(x, y + 17.0, f"{number * step:.6g}", Role.WIRE))
    found.append(Text(LENGTH / 2, y + 34.0, loss, Role.CAPTION))
    return found


def _legend(names: Sequence[str], y: float) -> list[Mark]:
    """What each mark stands for, in one line."""
    found: list[Mark] = []
    x = 0.0
    for place, name in enumerate(names):
        found.append(_sign(place, x + DOT_RADIUS, y - 4.0, f"mark of {name}"))
        found.append(Text(x + 12.0, y, name, Role.WIRE, Anchor.START))
        x += 12.0 + text_width(name, SIZE[Role.WIRE]) + 18.0
    return found


def _step(longest: float) -> float:
    """A round distance of ticks, so that about five reach the end.

    >>> _step(0.17), _step(3.0)
    (0.05, 1.0)
    """
    if longest <= 0:
        return 1.0
    rough = longest / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return float(f"{next(each * power for each in (1, 2, 5, 10) if each * power >= rough * 0.999):.12g}")
