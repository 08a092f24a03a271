"""A picture as plain data: marks with coordinates, ready for any printer.

Coordinates are pixels at scale one, x to the right and y downwards; a scene fills the rectangle from (0, 0) to
(`width`, `height`).  Layout makes scenes (`strings.py`, `causal_graph.py`), printers read them (`svg_printer.py`,
`tikz_printer.py`, `png_printer.py`), so the three formats show the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias, assert_never

from .typeface import text_width

Point: TypeAlias = tuple[float, float]
Piece: TypeAlias = tuple[Point, ...]
"""One piece of a path: its end point alone (a straight line), or two control points and the end (a cubic)."""


class Tone(Enum):
    """How a mark is inked.  Every tone differs from the others by dash, width or shape too, never by colour alone."""

    PLAIN = "plain"
    STATE = "state"
    LATENT = "latent"
    CUT = "cut"
    GHOST = "ghost"
    TOOTH = "tooth"


class Role(Enum):
    """What a text is for, which fixes its size and slant."""

    NAME = "name"
    WIRE = "wire"
    END = "end"
    CAPTION = "caption"
    JOINER = "joiner"


SIZE = {Role.NAME: 14.0, Role.WIRE: 10.5, Role.END: 13.0, Role.CAPTION: 13.0, Role.JOINER: 22.0}
"""Font size of each role in pixels."""

DOT_RADIUS = 3.6
TOOTH_INSET = 2.6
"""How far inside a tooth's outline its second one runs."""
ARROW_LENGTH = 7.5
ARROW_WIDTH = 6.0
GROUND_BARS = ((18.0, 0.0), (11.0, 3.4), (4.4, 6.8))
"""Width of each bar of the ground symbol and its height above the end of the wire."""


class Anchor(Enum):
    """Which point of a text its x coordinate names."""

    START = "start"
    MIDDLE = "middle"


@dataclass(frozen=True, slots=True)
class Strand:
    """A wire or an edge: a path from `start` through its pieces."""

    start: Point
    pieces: tuple[Piece, ...]
    tone: Tone = Tone.PLAIN
    title: str = ""

    @property
    def end(self) -> Point:
        """The last point of the path."""
        return self.pieces[-1][-1] if self.pieces else self.start


@dataclass(frozen=True, slots=True)
class Plate:
    """A rounded box with its upper left corner at (`x`, `y`)."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone = Tone.PLAIN
    title: str = ""


@dataclass(frozen=True, slots=True)
class Triangle:
    """A state: a triangle standing on its tip, the middle of its flat upper side at (`x`, `y`)."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone = Tone.STATE
    title: str = ""


@dataclass(frozen=True, slots=True)
class Disc:
    """A node of a causal graph: an ellipse around (`x`, `y`)."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone = Tone.PLAIN
    title: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A copy, around (`x`, `y`)."""

    x: float
    y: float
    tone: Tone = Tone.PLAIN
    title: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """A discard: the ground symbol above the wire's end at (`x`, `y`)."""

    x: float
    y: float
    tone: Tone = Tone.PLAIN
    title: str = ""


@dataclass(frozen=True, slots=True)
class Arrowhead:
    """A filled arrowhead with its tip at (`x`, `y`), pointing along the unit vector (`dx`, `dy`)."""

    x: float
    y: float
    dx: float
    dy: float
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `y` is its baseline."""

    x: float
    y: float
    content: str
    role: Role
    anchor: Anchor = Anchor.MIDDLE
    tone: Tone = Tone.PLAIN


Mark: TypeAlias = Strand | Plate | Triangle | Disc | Dot | Ground | Arrowhead | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """Marks in the order they are painted, with the size of the picture and what it shows in words."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Rectangle:
    """An upright rectangle, `left <= right` and `top <= bottom`."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Rectangle, slack: float = 0.0) -> bool:
        """Whether the two share more than `slack` pixels in both directions."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > slack and along > slack


def moved(mark: Mark, dx: float, dy: float) -> Mark:
    """The mark shifted by (`dx`, `dy`)."""
    match mark:
        case Strand():
            pieces = tuple(tuple((x + dx, y + dy) for x, y in piece) for piece in mark.pieces)
            return replace(mark, start=(mark.start[0] + dx, mark.start[1] + dy), pieces=pieces)
        case Plate() | Triangle() | Disc() | Dot() | Ground() | Arrowhead() | Text():
            return replace(mark, x=mark.x + dx, y=mark.y + dy)
        case _:
            assert_never(mark)


def extent(mark: Mark) -> Rectangle:
    """The rectangle a mark covers; for a path that of its control points, which contains the path."""
    match mark:
        case Strand():
            points = [mark.start, *(point for piece in mark.pieces for point in piece)]
            xs, ys = [x for x, _ in points], [y for _, y in points]
            return Rectangle(min(xs), min(ys), max(xs), max(ys))
        case Plate():
            return Rectangle(mark.x, mark.y, mark.x + mark.width, mark.y + mark.height)
        case Triangle():
            return Rectangle(mark.x - mark.width / 2, mark.y, mark.x + mark.width / 2, mark.y + mark.height)
        case Disc():
            half, rise = mark.width / 2, mark.height / 2
            return Rectangle(mark.x - half, mark.y - rise, mark.x + half, mark.y + rise)
        case Dot():
            radius = DOT_RADIUS
            return Rectangle(mark.x - radius, mark.y - radius, mark.x + radius, mark.y + radius)
        case Ground():
            half = GROUND_BARS[0][0] / 2
            return Rectangle(mark.x - half, mark.y - GROUND_BARS[-1][1], mark.x + half, mark.y)
        case Arrowhead():
            half = ARROW_LENGTH
            return Rectangle(mark.x - half, mark.y - half, mark.x + half, mark.y + half)
        case Text():
            return _text_extent(mark)
        case _:
            assert_never(mark)


def _text_extent(text: Text) -> Rectangle:
    size = SIZE[text.role]
    width = text_width(text.content, size)
    left = text.x if text.anchor is Anchor.START else text.x - width / 2
    return Rectangle(left, text.y - 0.75 * size, left + width, text.y + 0.22 * size)


def framed(marks: Sequence[Mark], title: str, margin: float = 12.0) -> Scene:
    """The scene of the given marks, moved so that `margin` pixels are free all around."""
    extents = [extent(mark) for mark in marks]
    left = min((area.left for area in extents), default=0.0)
    top = min((area.top for area in extents), default=0.0)
    right = max((area.right for area in extents), default=0.0)
    bottom = max((area.bottom for area in extents), default=0.0)
    shifted = tuple(moved(mark, margin - left, margin - top) for mark in marks)
    return Scene(right - left + 2 * margin, bottom - top + 2 * margin, shifted, title)


def row_scene(
    scenes: Sequence[Scene], joiners: Iterable[str] = (), captions: Iterable[str] = (), title: str = ""
) -> Scene:
    """The scenes side by side on one bottom line, a joiner such as `↦` between neighbours and a caption under each.

    Missing joiners and captions are left out; a title is made of the scenes' own where none is given.
    """
    signs, legends = list(joiners), list(captions)
    tallest = max((scene.height for scene in scenes), default=0.0)
    marks: list[Mark] = []
    x = 0.0
    for place, scene in enumerate(scenes):
        if place:
            sign = signs[place - 1] if place <= len(signs) else ""
            marks.append(Text(x + 14.0, tallest / 2 + 6.0, sign, Role.JOINER))
            x += 28.0
        legend = legends[place] if place < len(legends) else ""
        room = max(scene.width, text_width(legend, SIZE[Role.CAPTION]) + 16.0)
        marks += [moved(mark, x + (room - scene.width) / 2, tallest - scene.height) for mark in scene.marks]
        marks.append(Text(x + room / 2, tallest + 18.0, legend, Role.CAPTION))
        x += room
    written = tuple(mark for mark in marks if not (isinstance(mark, Text) and not mark.content))
    height = tallest + (30.0 if any(legends) else 0.0)
    return Scene(x, height, written, title or "; ".join(scene.title for scene in scenes))
