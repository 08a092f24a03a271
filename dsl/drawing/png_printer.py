"""A scene as PNG, by matplotlib.

Matplotlib needs nothing but pip and brings its own fonts, a serif italic among them, so the picture comes out the same
on a machine without any.  Its drawing backend is used directly: no window, no global state.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, assert_never

from ..diagnostics import Diagnostic, SutureError
from .scene import (
    ARROW_LENGTH,
    ARROW_WIDTH,
    DOT_RADIUS,
    GROUND_BARS,
    SIZE,
    TOOTH_INSET,
    Anchor,
    Arrowhead,
    Disc,
    Dot,
    Ground,
    Mark,
    Plate,
    Point,
    Role,
    Scene,
    Strand,
    Text,
    Tone,
    Triangle,
)
from .svg_printer import AMBER, BLUE, RED

if TYPE_CHECKING:
    from collections.abc import Sequence

INK = "#1f2430"
_OPACITY = {Tone.LATENT: 0.6, Tone.GHOST: 0.42}
_DASHES = {Tone.LATENT: (0, (2.9, 2.1)), Tone.GHOST: (0, (1.0, 2.0))}
_WASH = {Tone.PLAIN: (INK, 0.03), Tone.STATE: (BLUE, 0.13), Tone.CUT: (RED, 0.13), Tone.TOOTH: (AMBER, 0.15)}


def png(scene: Scene, scale: float = 2.0) -> bytes:
    """The scene as a PNG image on white, `scale` image pixels for each pixel of the scene.

    Raises `SutureError` (S605) where matplotlib is missing.
    """
    figure_type, canvas_type = _matplotlib()
    figure = figure_type(figsize=(scene.width / 72, scene.height / 72), dpi=72 * scale, facecolor="white")
    canvas_type(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.axis("off")
    for order, mark in enumerate(scene.marks):
        for artist in _artists(mark):
            artist.set_zorder(order)
            axes.add_artist(artist)
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None, "Title": scene.title})
    return image.getvalue()


def _matplotlib() -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SutureError(
            Diagnostic(
                "S605",
                "PNG pictures need matplotlib, which is not installed",
                help="pip install matplotlib, or write .svg or .tex, which need nothing more",
            )
        ) from error
    return Figure, FigureCanvasAgg


def _artists(mark: Mark) -> list[Any]:
    from matplotlib.patches import Circle, Ellipse, PathPatch, Polygon

    match mark:
        case Strand():
            return [PathPatch(_path(mark), fill=False, **_stroke(mark.tone))]
        case Plate():
            outline = _washed(mark.tone, lambda **ink: _frame(mark, 0.0, ink))
            thin = {"fill": False, "edgecolor": INK, "linewidth": 0.7}
            return [*outline, _frame(mark, TOOTH_INSET, thin)] if mark.tone is Tone.TOOTH else outline
        case Triangle():
            half = mark.width / 2
            corners = [(mark.x - half, mark.y), (mark.x + half, mark.y), (mark.x, mark.y + mark.height)]
            return _washed(mark.tone, lambda **ink: Polygon(corners, closed=True, **ink))
        case Disc():
            return _washed(mark.tone, lambda **ink: Ellipse((mark.x, mark.y), mark.width, mark.height, **ink))
        case Dot():
            return [Circle((mark.x, mark.y), DOT_RADIUS, facecolor=INK, linewidth=0, alpha=_OPACITY.get(mark.tone))]
        case Ground():
            return [_line(bar, mark.tone) for bar in _bars(mark)]
        case Arrowhead():
            ink = RED if mark.tone is Tone.CUT else INK
            return [Polygon(_arrow(mark), closed=True, facecolor=ink, linewidth=0, alpha=_OPACITY.get(mark.tone))]
        case Text():
            return [_text(mark)]
        case _:
            assert_never(mark)


def _frame(plate: Plate, inset: float, ink: dict[str, Any]) -> Any:
    from matplotlib.patches import FancyBboxPatch

    corner, style = (plate.x + inset, plate.y + inset), f"round,pad=0,rounding_size={4.0 - inset / 2}"
    return FancyBboxPatch(corner, plate.width - 2 * inset, plate.height - 2 * inset, style, **ink)


def _washed(tone: Tone, outline: Any) -> list[Any]:
    """The outline twice: filled with its wash, then stroked."""
    colour, opacity = _WASH.get(tone, (INK, 0.0))
    return [
        outline(facecolor=colour, edgecolor="none", alpha=opacity),
        outline(fill=False, joinstyle="round", **_stroke(tone)),
    ]


def _stroke(tone: Tone) -> dict[str, Any]:
    return {
        "edgecolor": RED if tone is Tone.CUT else INK,
        "linewidth": 2.0 if tone is Tone.CUT else 1.4,
        "linestyle": _DASHES.get(tone, "solid"),
        "alpha": _OPACITY.get(tone),
        "capstyle": "round",
    }


def _path(strand: Strand) -> Any:
    from matplotlib.path import Path

    points: list[Point] = [strand.start]
    codes = [Path.MOVETO]
    for piece in strand.pieces:
        points += piece
        codes += [Path.LINETO] if len(piece) == 1 else [Path.CURVE4] * 3
    return Path(points, codes)


def _line(points: Sequence[Point], tone: Tone) -> Any:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    return PathPatch(
        Path(points), fill=False, **(_stroke(Tone.PLAIN) | {"alpha": _OPACITY.get(tone), "linewidth": 1.6})
    )


def _bars(ground: Ground) -> list[list[Point]]:
    return [
        [(ground.x - width / 2, ground.y - rise), (ground.x + width / 2, ground.y - rise)]
        for width, rise in GROUND_BARS
    ]


def _arrow(head: Arrowhead) -> list[Point]:
    back_x, back_y = head.x - ARROW_LENGTH * head.dx, head.y - ARROW_LENGTH * head.dy
    side_x, side_y = -head.dy * ARROW_WIDTH / 2, head.dx * ARROW_WIDTH / 2
    return [(head.x, head.y), (back_x + side_x, back_y + side_y), (back_x - side_x, back_y - side_y)]


def _text(text: Text) -> Any:
    from matplotlib.text import Text as Label

    return Label(
        text.x,
        text.y,
        text.content,
        fontsize=SIZE[text.role],
        fontfamily=["DejaVu Serif", "DejaVu Sans"],
        fontstyle="italic" if text.role in (Role.NAME, Role.WIRE, Role.END) else "normal",
        horizontalalignment="left" if text.anchor is Anchor.START else "center",
        verticalalignment="baseline",
        color=RED if text.tone is Tone.CUT else INK,
        alpha={Tone.LATENT: 0.75, Tone.GHOST: 0.5}.get(text.tone),
        parse_math=False,
    )
