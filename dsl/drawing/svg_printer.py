"""A scene as SVG.

Ink is `currentColor`, so a picture inside a page takes the page's own, light or dark; washes are thin enough for both.
Standing alone or in an `<img>`, where there is no page to take it from, the picture follows the reader's preferred
colour scheme and brings its own paper (`:root` matches only there).  Class names carry a prefix, since styles of
pictures in one page are shared.
"""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import assert_never

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
    Role,
    Scene,
    Strand,
    Text,
    Tone,
    Triangle,
)
from .typeface import SUBSCRIPTS

FONTS = "'STIX Two Text','Latin Modern Roman','DejaVu Serif',Georgia,serif"
_STYLE = (
    "svg.suture:root{color:#1f2430;background:#fff;--suture-bad:#b3261e}"
    "@media(prefers-color-scheme:dark){svg.suture:root{color:#e8e6e1;background:#14161a;--suture-bad:#ff9d94}}"
    ".suture text{stroke:none;fill:currentColor;pointer-events:none}"
    ".suture-name,.suture-wire,.suture-end{font-style:italic}"
)
_OPACITY = {Tone.LATENT: 0.6, Tone.GHOST: 0.42}
_DASHES = {Tone.LATENT: "4 3", Tone.GHOST: "1.5 3"}
RED, BLUE, AMBER = "#d64541", "#5b8def", "#c8963e"
_WASH = {
    Tone.PLAIN: ("currentColor", 0.03),
    Tone.STATE: (BLUE, 0.13),
    Tone.CUT: (RED, 0.13),
    Tone.TOOTH: (AMBER, 0.15),
}


def svg(scene: Scene, inside: bool = False) -> str:
    """The scene as an SVG document, also fit to stand inside an HTML page; `inside` one that has the style already."""
    width, height = _number(scene.width), _number(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="suture" role="img" aria-label="{escape(scene.title)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" fill="none" stroke="currentColor" '
        f'stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" font-family="{FONTS}">'
    )
    body = [_mark(mark) for mark in scene.marks]
    style = [] if inside else [f"<style>{_STYLE}</style>"]
    return "\n".join([head, f"<title>{_escaped(scene.title)}</title>", *style, *body, "</svg>"]) + "\n"


def _mark(mark: Mark) -> str:
    match mark:
        case Strand():
            return _element("path", f'd="{_path(mark)}"{_ink(mark.tone)}', mark.title)
        case Plate():
            inner = f'<rect {_frame(mark, TOOTH_INSET)} stroke-width="0.7"/>' if mark.tone is Tone.TOOTH else ""
            return inner + _element("rect", _frame(mark, 0.0) + _ink(mark.tone) + _wash(mark.tone), mark.title)
        case Triangle():
            half, tip = mark.width / 2, _pair(mark.x, mark.y + mark.height)
            outline = f"M{_pair(mark.x - half, mark.y)} H{_number(mark.x + half)} L{tip} Z"
            return _element("path", f'd="{outline}"{_ink(mark.tone)}{_wash(mark.tone)}', mark.title)
        case Disc():
            radii = f'rx="{_number(mark.width / 2)}" ry="{_number(mark.height / 2)}"'
            shape = f'cx="{_number(mark.x)}" cy="{_number(mark.y)}" {radii}{_ink(mark.tone)}{_wash(mark.tone)}'
            return _element("ellipse", shape, mark.title)
        case Dot():
            place = f'cx="{_number(mark.x)}" cy="{_number(mark.y)}" r="{DOT_RADIUS}"'
            return _element("circle", f'{place} fill="currentColor" stroke="none"{_faded(mark.tone)}', mark.title)
        case Ground():
            return _element("path", f'd="{_bars(mark)}" stroke-width="1.6"{_faded(mark.tone)}', mark.title)
        case Arrowhead():
            return f'<path d="{_arrow(mark)}" fill="{_colour(mark.tone)}" stroke="none"{_faded(mark.tone)}/>'
        case Text():
            return _text(mark)
        case _:
            assert_never(mark)


def _escaped(text: str) -> str:
    """Text between tags, where quotes need no escape."""
    return escape(text, quote=False)


def _element(name: str, attributes: str, title: str) -> str:
    return f"<{name} {attributes}><title>{_escaped(title)}</title></{name}>" if title else f"<{name} {attributes}/>"


def _frame(plate: Plate, inset: float) -> str:
    place = f'x="{_number(plate.x + inset)}" y="{_number(plate.y + inset)}"'
    size = f'width="{_number(plate.width - 2 * inset)}" height="{_number(plate.height - 2 * inset)}"'
    return f'{place} {size} rx="{_number(4.0 - inset / 2)}"'


def _path(strand: Strand) -> str:
    parts = [f"M{_pair(*strand.start)}"]
    for piece in strand.pieces:
        parts.append(("L" if len(piece) == 1 else "C") + " ".join(_pair(x, y) for x, y in piece))
    return " ".join(parts)


def _bars(ground: Ground) -> str:
    return " ".join(f"M{_pair(ground.x - width / 2, ground.y - rise)} h{_number(width)}" for width, rise in GROUND_BARS)


def _arrow(head: Arrowhead) -> str:
    back_x, back_y = head.x - ARROW_LENGTH * head.dx, head.y - ARROW_LENGTH * head.dy
    side_x, side_y = -head.dy * ARROW_WIDTH / 2, head.dx * ARROW_WIDTH / 2
    left, right = _pair(back_x + side_x, back_y + side_y), _pair(back_x - side_x, back_y - side_y)
    return f"M{_pair(head.x, head.y)} L{left} L{right} Z"


def _text(text: Text) -> str:
    anchor = ' text-anchor="middle"' if text.anchor is Anchor.MIDDLE else ""
    place = f'x="{_number(text.x)}" y="{_number(text.y)}" font-size="{_number(SIZE[text.role])}"{anchor}'
    fill = "" if text.tone is not Tone.CUT else f' style="fill:var(--suture-bad,{RED})"'
    # Even a ghost's name can be read: its contrast to the paper is above 4.5, light and dark.
    faded = f' opacity="{0.8 if text.tone is Tone.LATENT else 0.7}"' if text.tone in _OPACITY else ""
    hidden = ' aria-hidden="true"' if text.role is Role.JOINER else ""
    return f'<text class="suture-{text.role.value}" {place}{fill}{faded}{hidden}>{_lowered(text)}</text>'


def _lowered(text: Text) -> str:
    """The content with subscripts set in small ordinary digits, which every face has."""
    size, drop = SIZE[text.role] * 0.72, _number(SIZE[text.role] * 0.18)
    parts: list[str] = []
    for lowered, run in groupby(text.content, lambda letter: letter in SUBSCRIPTS):
        letters = "".join(run)
        if lowered:
            digits = "".join(SUBSCRIPTS[letter] for letter in letters)
            parts.append(f'<tspan dy="{drop}" font-size="{_number(size)}" font-style="normal">{digits}</tspan>')
        else:
            raised = f' dy="-{drop}"' if parts else ""
            parts.append(f"<tspan{raised}>{_escaped(letters)}</tspan>" if raised else _escaped(letters))
    return "".join(parts)


def _ink(tone: Tone) -> str:
    colour = f' stroke="{RED}" stroke-width="2"' if tone is Tone.CUT else ""
    dashes = f' stroke-dasharray="{_DASHES[tone]}"' if tone in _DASHES else ""
    faded = f' stroke-opacity="{_OPACITY[tone]}"' if tone in _OPACITY else ""
    return colour + dashes + faded


def _wash(tone: Tone) -> str:
    if tone not in _WASH:
        return ' fill="currentColor" fill-opacity="0"'
    colour, opacity = _WASH[tone]
    return f' fill="{colour}" fill-opacity="{opacity}"'


def _colour(tone: Tone) -> str:
    return RED if tone is Tone.CUT else "currentColor"


def _faded(tone: Tone) -> str:
    return f' opacity="{_OPACITY[tone]}"' if tone in _OPACITY else ""


def _pair(x: float, y: float) -> str:
    return f"{_number(x)},{_number(y)}"


def _number(value: float) -> str:
    """The number with at most two decimals and no needless zero."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
