"""A scene as TikZ, in a document of its own that also stands as an input of another (`standalone`).

One pixel of the scene is three quarters of a point, so that a picture comes out at the size it has on a screen.
"""

from __future__ import annotations

from itertools import groupby
from typing import assert_never

from .scene import (
    ARROW_LENGTH,
    ARROW_WIDTH,
    DOT_RADIUS,
    GROUND_BARS,
    SIZE,
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

UNIT = 0.75
_PREAMBLE = r"""\documentclass[tikz,border=2pt]{standalone}
\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{\usepackage{fix-cm}}
\begin{document}
"""
_STYLES = """x={unit}pt, y=-{unit}pt, line width={line}pt, line cap=round, line join=round,
  plain/.style={{}}, state/.style={{}}, tooth/.style={{double}},
  latent/.style={{dash pattern=on 3pt off 2.4pt, draw=black!60}},
  ghost/.style={{dash pattern=on .8pt off 2pt, draw=black!50}},
  cut/.style={{draw=suturered, line width={heavy}pt}}"""
_COLOURS = r"""\definecolor{suturered}{HTML}{D64541}
\definecolor{sutureblue}{HTML}{5B8DEF}
\definecolor{sutureamber}{HTML}{C8963E}
"""
_FILL = {
    Tone.PLAIN: "fill=black!3",
    Tone.STATE: "fill=sutureblue!13",
    Tone.CUT: "fill=suturered!13",
    Tone.TOOTH: "fill=sutureamber!15",
    Tone.LATENT: "fill=none",
    Tone.GHOST: "fill=none",
}
_INK = {Tone.GHOST: "black!42", Tone.LATENT: "black!65", Tone.CUT: "suturered"}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "'": r"\textquotesingle{}",
    "′": r"\ensuremath{'}",
    "↔": r"\ensuremath{\leftrightarrow}",
    "↦": r"\ensuremath{\mapsto}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "×": r"\ensuremath{\times}",
}
_GREEK = {
    **dict(
        zip(
            "αβγδεζηθικ",
            ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
            strict=True,
        )
    ),
    **dict(
        zip("λμνξπρςστυ", ("lambda", "mu", "nu", "xi", "pi", "rho", "varsigma", "sigma", "tau", "upsilon"), strict=True)
    ),
    **dict(
        zip("φχψωΓΔΘΛΞΠ", ("phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi"), strict=True)
    ),
    **dict(zip("ΣΥΦΨΩ", ("Sigma", "Upsilon", "Phi", "Psi", "Omega"), strict=True)),
}


def tikz(scene: Scene, *, document: bool = True) -> str:
    """The scene as LaTeX: a document that compiles alone, or the `tikzpicture` (and its colours) without one.

    Letters outside Latin and Greek need LuaLaTeX or XeLaTeX and a font that has them.
    """
    styles = _STYLES.format(unit=UNIT, line=_number(1.4 * UNIT), heavy=_number(2.0 * UNIT))
    body = [f"  {_mark(mark)}" for mark in scene.marks]
    picture = "\n".join([f"{_COLOURS}\\begin{{tikzpicture}}[{styles}]", *body, "\\end{tikzpicture}\n"])
    comment = "% " + " ".join(scene.title.split()) + "\n"
    return comment + (f"{_PREAMBLE}{picture}\\end{{document}}\n" if document else picture)


def _mark(mark: Mark) -> str:
    match mark:
        case Strand():
            return rf"\draw[{mark.tone.value}] {_path(mark)};"
        case Plate():
            corner = _pair(mark.x + mark.width, mark.y + mark.height)
            rounded = f"rounded corners={_number(4 * UNIT)}pt"
            return (
                rf"\draw[{mark.tone.value}, {_FILL[mark.tone]}, {rounded}] {_pair(mark.x, mark.y)} rectangle {corner};"
            )
        case Triangle():
            half, tip = mark.width / 2, _pair(mark.x, mark.y + mark.height)
            side = f"{_pair(mark.x - half, mark.y)} -- {_pair(mark.x + half, mark.y)}"
            return rf"\draw[{mark.tone.value}, {_FILL[mark.tone]}] {side} -- {tip} -- cycle;"
        case Disc():
            radii = f"x radius={_number(mark.width / 2)}, y radius={_number(mark.height / 2)}"
            return rf"\draw[{mark.tone.value}, {_FILL[mark.tone]}] {_pair(mark.x, mark.y)} circle [{radii}];"
        case Dot():
            return rf"\fill[{_ink(mark.tone)}] {_pair(mark.x, mark.y)} circle [radius={DOT_RADIUS}];"
        case Ground():
            return rf"\draw[{_ink(mark.tone)}] {_bars(mark)};"
        case Arrowhead():
            return rf"\fill[{_ink(mark.tone)}] {_arrow(mark)} -- cycle;"
        case Text():
            return _text(mark)
        case _:
            assert_never(mark)


def _path(strand: Strand) -> str:
    parts = [_pair(*strand.start)]
    for piece in strand.pieces:
        if len(piece) == 1:
            parts.append(f"-- {_pair(*piece[0])}")
        else:
            first, second, end = (_pair(*point) for point in piece)
            parts.append(f".. controls {first} and {second} .. {end}")
    return " ".join(parts)


def _bars(ground: Ground) -> str:
    return " ".join(
        f"{_pair(ground.x - width / 2, ground.y - rise)} -- {_pair(ground.x + width / 2, ground.y - rise)}"
        for width, rise in GROUND_BARS
    )


def _arrow(head: Arrowhead) -> str:
    back_x, back_y = head.x - ARROW_LENGTH * head.dx, head.y - ARROW_LENGTH * head.dy
    side_x, side_y = -head.dy * ARROW_WIDTH / 2, head.dx * ARROW_WIDTH / 2
    left, right = _pair(back_x + side_x, back_y + side_y), _pair(back_x - side_x, back_y - side_y)
    return f"{_pair(head.x, head.y)} -- {left} -- {right}"


def _text(text: Text) -> str:
    size = SIZE[text.role] * UNIT
    anchor = "base west" if text.anchor is Anchor.START else "base"
    slant = r"\itshape" if text.role in (Role.NAME, Role.WIRE, Role.END) else ""
    font = rf"\fontsize{{{_number(size)}pt}}{{{_number(1.2 * size)}pt}}\selectfont{slant}"
    options = f"anchor={anchor}, inner sep=0pt, text={_ink(text.tone)}, font={{{font}}}"
    return rf"\node[{options}] at {_pair(text.x, text.y)} {{{tex(text.content)}}};"


def tex(content: str) -> str:
    """Text for LaTeX: special characters escaped, subscripts and Greek letters as mathematics.

    >>> print(tex("W₁ & α_b"))
    W\\ensuremath{_{1}} \\& \\ensuremath{\\alpha}\\_b
    """
    parts: list[str] = []
    for lowered, run in groupby(content, lambda letter: letter in SUBSCRIPTS):
        letters = "".join(run)
        if lowered:
            parts.append(rf"\ensuremath{{_{{{''.join(SUBSCRIPTS[letter] for letter in letters)}}}}}")
        else:
            parts += [_letter(letter) for letter in letters]
    return "".join(parts)


def _letter(letter: str) -> str:
    return rf"\ensuremath{{\{_GREEK[letter]}}}" if letter in _GREEK else _ESCAPES.get(letter, letter)


def _ink(tone: Tone) -> str:
    return _INK.get(tone, "black")


def _pair(x: float, y: float) -> str:
    return f"({_number(x)},{_number(y)})"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
