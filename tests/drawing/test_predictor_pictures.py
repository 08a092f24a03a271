"""Pictures of searches: bars as long as risks, marks where risks are, squares at what may change, one heavy edge."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawing.geometry import of

import suture
from suture.dsl.diagram import model_diagram
from suture.dsl.drawing import Bar, Scene, png, risk_scene, selection_scene, svg, tikz
from suture.dsl.drawing.scene import Disc, Dot, Plate, Role, Strand, Text, Tone

HOSPITAL = Path(__file__).resolve().parent.parent.parent / "examples" / "hospital.suture"
BARS = [
    Bar("{A, B}", 0.12, (("city", 0.1), ("rural", 0.06)), True),
    Bar("{A}", 0.24, (("city", 0.2), ("rural", 0.24)), False),
    Bar("{}", 0.3, (("city", 0.15), ("rural", 0.0)), False),
]


def titled(scene: Scene, kind: type, start: str) -> list:
    return [mark for mark in of(scene, kind) if mark.title.startswith(start)]


def test_bars_and_marks_are_to_scale() -> None:
    scene = risk_scene(BARS, 0.09, "loss", "Risks")
    plates = [titled(scene, Plate, f"{bar.label}: worst case")[0] for bar in BARS]
    scale = plates[0].width / 0.12
    origin = plates[0].x
    assert [plate.width / scale for plate in plates] == pytest.approx([0.12, 0.24, 0.3])
    assert [plate.tone is Tone.TOOTH for plate in plates] == [True, False, False]
    dots = [titled(scene, Dot, f"{bar.label} in city")[0] for bar in BARS]
    rings = [titled(scene, Disc, f"{bar.label} in rural")[0] for bar in BARS]
    assert [(dot.x - origin) / scale for dot in dots] == pytest.approx([0.1, 0.2, 0.15])
    assert [(ring.x - origin) / scale for ring in rings] == pytest.approx([0.06, 0.24, 0.0])
    assert [dot.y for dot in dots] == pytest.approx([plate.y + plate.height / 2 for plate in plates])
    (line,) = titled(scene, Strand, "minimax")
    assert (line.start[0] - origin) / scale == pytest.approx(0.09)
    assert line.tone is Tone.LATENT


def test_the_axis_covers_every_bar_with_round_ticks() -> None:
    scene = risk_scene(BARS, None, "loss", "Risks")
    ticks = [text.content for text in of(scene, Text) if text.role is Role.WIRE and text.y > 3 * 30 + 20]
    assert ticks[:4] == ["0", "0.1", "0.2", "0.3"]


def test_a_risk_of_nothing_is_drawn() -> None:
    scene = risk_scene([Bar("{}", 0.0, (), True)], 0.0, "loss", "Risks")
    assert svg(scene)
    assert tikz(scene)


def test_the_selection_diagram_marks_what_may_change() -> None:
    diagram = model_diagram({"C": (), "Y": ("C",), "M": ("Y",), "W": ("C",), "X": ("Y", "M", "W")})
    scene = selection_scene(diagram, "Y", ["M", "W"], ["M", "X"], "Y -> X")
    squares = titled(scene, Plate, "the mechanism of")
    assert len(squares) == 2
    heavy = [strand for strand in of(scene, Strand) if strand.tone is Tone.CUT]
    assert [strand.title for strand in heavy] == ["Y causes X: breaks the condition"]
    labels = {text.content for text in of(scene, Text)}
    assert {"Y (Y)", "M (M)", "W (M)", "X (K)", "C", "S"} <= labels
    washed = {disc.title for disc in of(scene, Disc) if disc.tone is Tone.STATE}
    assert washed == {"M, mutable, answers to the outcome", "X, follows what answers to the outcome"}


def test_the_answer_shows_both() -> None:
    answer = suture.run(HOSPITAL.read_text(encoding="utf-8"))[0]
    picture = answer.picture()
    assert picture is not None
    assert len(titled(picture, Plate, "the mechanism of Ward differs")) == 1
    assert len([plate for plate in of(picture, Plate) if "worst case" in plate.title]) == 8
    assert png(picture).startswith(b"\x89PNG")
    assert answer.svg() == svg(picture)
    assert "<svg" in answer._repr_html_()
