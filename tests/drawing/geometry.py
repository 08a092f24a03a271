"""What a picture shows, read from its coordinates alone: which marks touch, and which diagram it is a picture of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from suture.dsl.drawing.scene import (
    DOT_RADIUS,
    Disc,
    Dot,
    Ground,
    Mark,
    Plate,
    Point,
    Rectangle,
    Role,
    Scene,
    Strand,
    Text,
    Triangle,
    extent,
)

T = TypeVar("T")
NEAR = 0.6
OUTLINES = (Plate, Triangle, Disc)


def of(scene: Scene, *kinds: type[T]) -> list[T]:
    return [mark for mark in scene.marks if isinstance(mark, kinds)]


def sampled(strand: Strand, step: float = 1.5) -> list[Point]:
    """Points on the path, no two neighbours much farther apart than `step` pixels."""
    points = [strand.start]
    for piece in strand.pieces:
        control = [points[-1], *piece]
        length = sum(math.dist(a, b) for a, b in pairwise(control))
        count = max(1, math.ceil(length / step))
        start = control
        points += [_casteljau(start, k / count) for k in range(1, count + 1)]
    return points


def _casteljau(control: list[Point], t: float) -> Point:
    while len(control) > 1:
        control = [((1 - t) * a[0] + t * b[0], (1 - t) * a[1] + t * b[1]) for a, b in pairwise(control)]
    return control[0]


def inside(point: Point, mark: Mark, slack: float = NEAR) -> bool:
    """Whether the point lies within an outline, more than `slack` pixels from its rim (roughly)."""
    x, y = point
    match mark:
        case Plate():
            return (
                mark.x + slack < x < mark.x + mark.width - slack and mark.y + slack < y < mark.y + mark.height - slack
            )
        case Triangle():
            depth = (y - mark.y) / mark.height
            half = mark.width / 2 * (1 - depth)
            return slack < y - mark.y < mark.height - slack and abs(x - mark.x) < half - slack
        case Disc():
            return ((x - mark.x) / (mark.width / 2 - slack)) ** 2 + ((y - mark.y) / (mark.height / 2 - slack)) ** 2 < 1
        case _:
            raise TypeError(mark)


def inside_rectangle(point: Point, area: Rectangle, slack: float = 0.3) -> bool:
    x, y = point
    return area.left + slack < x < area.right - slack and area.top + slack < y < area.bottom - slack


def clashes(scene: Scene) -> Iterator[str]:
    """Every pair of marks that should keep clear of each other and does not."""
    yield from _text_clashes(scene)
    yield from _outline_clashes(scene)
    for strand in of(scene, Strand):
        points = sampled(strand)
        yield from _strand_clashes(scene, strand, points)
    for mark in scene.marks:
        area = extent(mark)
        if area.left < 0 or area.top < 0 or area.right > scene.width or area.bottom > scene.height:
            yield f"outside the picture: {mark}"


def _text_clashes(scene: Scene) -> Iterator[str]:
    texts = of(scene, Text)
    for place, text in enumerate(texts):
        area = extent(text)
        yield from (f"labels: {text} {other}" for other in texts[place + 1 :] if area.overlaps(extent(other), 0.2))
        for mark in of(scene, Plate, Triangle, Disc):
            if area.overlaps(extent(mark), 0.2) and not (text.role is Role.NAME and holds(mark, area)):
                yield f"label on an outline: {text} {mark}"
        for knot in of(scene, Dot, Ground):
            if area.overlaps(extent(knot), 0.2):
                yield f"label on a dot or ground: {text} {knot}"


def holds(mark: Mark, area: Rectangle) -> bool:
    """Whether the whole rectangle lies within the outline; the lower line of a label in a triangle is its baseline."""
    bottom = area.bottom if not isinstance(mark, Triangle) else area.bottom - 0.3 * (area.bottom - area.top)
    corners = [(x, y) for x in (area.left, area.right) for y in (area.top, bottom)]
    return all(inside(corner, mark, 0.0) for corner in corners)


def _outline_clashes(scene: Scene) -> Iterator[str]:
    marks = of(scene, Plate, Triangle, Disc, Dot, Ground)
    for place, mark in enumerate(marks):
        for other in marks[place + 1 :]:
            if extent(mark).overlaps(extent(other), 0.2):
                yield f"outlines: {mark} {other}"


def _strand_clashes(scene: Scene, strand: Strand, points: list[Point]) -> Iterator[str]:
    hull = extent(strand)
    hull = Rectangle(hull.left - 6, hull.top - 6, hull.right + 6, hull.bottom + 6)
    near = Scene(scene.width, scene.height, tuple(m for m in scene.marks if hull.overlaps(extent(m))), "near")
    yield from _near_clashes(near, strand, points)


def _near_clashes(scene: Scene, strand: Strand, points: list[Point]) -> Iterator[str]:
    for mark in of(scene, *OUTLINES):
        if any(inside(point, mark) for point in points):
            yield f"wire {strand.title} behind {mark}"
    for text in of(scene, Text):
        area = extent(text)
        if any(inside_rectangle(point, area) for point in points):
            yield f"wire {strand.title} through the label {text}"
    for knot in of(scene, Dot, Ground):
        centre = (knot.x, knot.y)
        if min(math.dist(strand.start, centre), math.dist(strand.end, centre)) < NEAR:
            continue
        reach = DOT_RADIUS + 1.0 if isinstance(knot, Dot) else 5.0
        if any(math.dist(point, centre) < reach for point in points):
            yield f"wire {strand.title} runs over {knot}"


# ---------------------------------------------------------------------------------------------------------------------
# The diagram that a picture shows


@dataclass(frozen=True, slots=True)
class Seen:
    """Boxes in the order they were painted with the wires at their lower and upper sides, and the open ends.

    Wires are numbered as they are found; ends are read from left to right.
    """

    boxes: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    names: tuple[str, ...]
    dots: int
    grounds: int


def seen(scene: Scene) -> Seen:
    """Read the picture of a string diagram without ghosts."""
    strands = of(scene, Strand)
    boxes = of(scene, Plate, Triangle)
    knots: dict[Point, int] = {}
    wires: list[int] = []
    for number, strand in enumerate(strands):
        start = next((knot for knot in knots if math.dist(knot, strand.start) < NEAR), None)
        wires.append(number if start is None else wires[knots[start]])
        if any(math.dist((dot.x, dot.y), strand.end) < NEAR for dot in of(scene, Dot)):
            knots[strand.end] = number
    below: list[list[tuple[float, int]]] = [[] for _ in boxes]
    above: list[list[tuple[float, int]]] = [[] for _ in boxes]
    inputs: list[tuple[float, int]] = []
    outputs: list[tuple[float, int]] = []
    for number, strand in enumerate(strands):
        if not any(math.dist(knot, strand.start) < NEAR for knot in knots):
            place = next((k for k, box in enumerate(boxes) if on_top(strand.start, box)), None)
            (inputs if place is None else above[place]).append((strand.start[0], wires[number]))
        if strand.end in knots or any(math.dist((g.x, g.y), strand.end) < NEAR for g in of(scene, Ground)):
            continue
        place = next((k for k, box in enumerate(boxes) if on_foot(strand.end, box)), None)
        (outputs if place is None else below[place]).append((strand.end[0], wires[number]))
    return Seen(
        tuple((_ordered(foot), _ordered(top)) for foot, top in zip(below, above, strict=True)),
        _ordered(inputs),
        _ordered(outputs),
        tuple(strand.title for strand in strands),
        len(of(scene, Dot)),
        len(of(scene, Ground)),
    )


def _ordered(ends: list[tuple[float, int]]) -> tuple[int, ...]:
    return tuple(wire for _, wire in sorted(ends))


def on_top(point: Point, box: Plate | Triangle) -> bool:
    left = box.x if isinstance(box, Plate) else box.x - box.width / 2
    return abs(point[1] - box.y) < NEAR and left < point[0] < left + box.width


def on_foot(point: Point, box: Plate | Triangle) -> bool:
    if isinstance(box, Triangle):
        return False
    return abs(point[1] - box.y - box.height) < NEAR and box.x < point[0] < box.x + box.width
