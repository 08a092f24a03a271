"""Pictures inside a terminal: which protocol it has, and a PNG written in it.

Three protocols are in use: that of kitty (also Ghostty, WezTerm, Konsole), that of iTerm2, and sixel, which old DEC
terminals had and xterm, foot, mlterm and Windows Terminal have again.  The first two take the PNG as it is; sixel takes
colours and rows of six pixels (DEC STD 070, chapter 9).
"""

from __future__ import annotations

import base64
import os
import select
import sys
import time
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

CHUNK = 4096
# Levels of red, green and blue in a sixel picture: 6 * 6 * 6 colours fit the 256 that terminals have.
LEVELS = 6
PATIENCE = 0.3


class Images(Enum):
    """How a terminal shows pictures."""

    KITTY = "kitty"
    ITERM = "iterm"
    SIXEL = "sixel"
    NONE = "none"


def images_by_name(environment: Mapping[str, str]) -> Images | None:
    """What the environment says of the terminal; None where it has to be asked.

    `SUTURE_IMAGES` has the last word: kitty, iterm, sixel or none.

    >>> images_by_name({"TERM": "xterm-kitty"}), images_by_name({"TERM": "dumb"}), images_by_name({"TERM": "xterm"})
    (<Images.KITTY: 'kitty'>, <Images.NONE: 'none'>, None)
    """
    wanted = environment.get("SUTURE_IMAGES", "")
    if wanted in {each.value for each in Images}:
        return Images(wanted)
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term in ("", "dumb", "linux") or term.startswith(("screen", "tmux")):
        return Images.NONE
    if (
        term in ("xterm-kitty", "xterm-ghostty")
        or program in ("ghostty", "WezTerm")
        or "KITTY_WINDOW_ID" in environment
    ):
        return Images.KITTY
    if "KONSOLE_VERSION" in environment:
        return Images.KITTY
    if program == "iTerm.app" or environment.get("LC_TERMINAL") == "iTerm2":
        return Images.ITERM
    return None


def images_of_terminal() -> Images:
    """How the terminal on standard output shows pictures; one that does not say is asked for sixel."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Images.NONE
    found = images_by_name(os.environ)
    if found is not None:
        return found
    return Images.SIXEL if "4" in _attributes() else Images.NONE


def _attributes() -> list[str]:
    """What the terminal answers when asked for its attributes (DA1); nothing where it does not answer at once."""
    try:
        import termios
        import tty
    except ImportError:
        return []
    source = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(source)
    except termios.error:
        return []
    answer, deadline = b"", time.monotonic() + PATIENCE
    try:
        tty.setcbreak(source)
        sys.stdout.write("\x1b[c")
        sys.stdout.flush()
        while not answer.endswith(b"c") and len(answer) < 64:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([source], [], [], left)[0]:
                return []
            answer += os.read(source, 1)
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)
    return answer.decode("ascii", "replace").removeprefix("\x1b[?").removesuffix("c").split(";")


def picture_text(png: bytes, images: Images) -> str:
    """What a terminal has to be sent to show a PNG; nothing where it shows none."""
    match images:
        case Images.KITTY:
            return "".join(_kitty(base64.standard_b64encode(png).decode("ascii"))) + "\n"
        case Images.ITERM:
            content = base64.standard_b64encode(png).decode("ascii")
            return f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:{content}\x07\n"
        case Images.SIXEL:
            return "".join(_sixel(_pixels(png))) + "\n"
        case Images.NONE:
            return ""


def _kitty(content: str) -> Iterator[str]:
    """A PNG in pieces of at most 4096 characters, the first of which says what it is."""
    pieces = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    for number, piece in enumerate(pieces):
        more = int(number < len(pieces) - 1)
        yield f"\x1b_G{'a=T,f=100,' if number == 0 else ''}m={more};{piece}\x1b\\"


def _pixels(png: bytes) -> Any:
    """The colours of a PNG on white, as levels of red, green and blue: an integer array `height width`."""
    import io

    import numpy as np
    from matplotlib.image import imread

    shades = np.asarray(imread(io.BytesIO(png), format="png"), dtype=float)
    if shades.shape[2] == 4:
        opaque = shades[..., 3:]
        shades = shades[..., :3] * opaque + (1 - opaque)
    levels = np.rint(shades * (LEVELS - 1)).astype(int)
    return (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]


def _sixel(pixels: Any) -> Iterator[str]:
    """A picture in sixels: its size, its colours in percent, then bands of six rows, colour by colour."""
    import numpy as np

    height, width = pixels.shape
    used = np.unique(pixels).tolist()
    yield f'\x1bP0;1q"1;1;{width};{height}'
    for number, colour in enumerate(used):
        shares = (colour // LEVELS**2, colour // LEVELS % LEVELS, colour % LEVELS)
        percent = ";".join(str(round(100 * share / (LEVELS - 1))) for share in shares)
        yield f"#{number};2;{percent}"
    weights = 1 << np.arange(6)
    for top in range(0, height, 6):
        band = pixels[top : top + 6]
        for number, colour in enumerate(used):
            columns = ((band == colour) * weights[: len(band), None]).sum(axis=0)
            if columns.any():
                yield f"#{number}{_runs(columns.tolist())}$"
        yield "-"
    yield "\x1b\\"


def _runs(columns: list[int]) -> str:
    """Columns of six pixels as characters, runs of equal ones counted; empty ones at the end left out.

    >>> _runs([1, 1, 1, 1, 0, 63, 0])
    '!4@?~'
    """
    while columns and columns[-1] == 0:
        columns = columns[:-1]
    found: list[str] = []
    start = 0
    for end in range(1, len(columns) + 1):
        if end == len(columns) or columns[end] != columns[start]:
            mark, count = chr(63 + columns[start]), end - start
            found.append(f"!{count}{mark}" if count > 3 else mark * count)
            start = end
    return "".join(found)
