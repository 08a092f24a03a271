"""Pictures keep their marks apart and show the diagram they were made from, judged by their coordinates alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawing.geometry import clashes, of, on_foot, seen
from drawing.pictures import BOW, FRONT_DOOR, KNOWN, NAPKIN, random_cut, random_model
from hypothesis import given, settings
from strategies import diagrams

from suture.dsl.diagram import Box, Diagram, Kind, cut, prune
from suture.dsl.drawing import causal_graph_scene, cut_scene, diagram_scene, surgery_scene
from suture.dsl.drawing.scene import Arrowhead, Disc, Dot, Ground, Plate, Role, Scene, Strand, Text, Tone, Triangle


def assert_shows(scene: Scene, diagram: Diagram) -> None:
    """The picture's wires, read from coordinates, join the same ports in the same order as the diagram's."""
    read = seen(scene)
    number: dict[int, int] = {}
    pairs = [
        (found, meant)
        for foot_and_top, box in zip(read.boxes, diagram.boxes, strict=True)
        for side, wires in zip(foot_and_top, (box.inputs, box.outputs), strict=True)
        for found, meant in zip(side, wires, strict=True)
    ]
    pairs += zip(read.inputs, diagram.inputs, strict=True)
    pairs += zip(read.outputs, diagram.outputs, strict=True)
    for found, meant in pairs:
        assert number.setdefault(found, meant) == meant
        assert read.names[found] == diagram.wires[meant].name
    assert len(set(number.values())) == len(number), "one wire was drawn as two"
    uses = [len(diagram.consumers[wire]) + diagram.outputs.count(wire) for wire in range(len(diagram.wires))]
    assert read.dots == sum(count > 1 for count in uses)
    assert read.grounds == sum(count == 0 for count in uses)


@pytest.mark.parametrize("diagram", KNOWN.values(), ids=KNOWN.keys())
def test_known_diagrams_are_clear_and_faithful(diagram: Diagram) -> None:
    scene = diagram_scene(diagram)
    assert list(clashes(scene)) == []
    assert_shows(scene, diagram)


@pytest.mark.parametrize("seed", range(40))
def test_random_models_are_clear_and_faithful(seed: int) -> None:
    diagram = random_model(1 + seed, seed)
    scene = diagram_scene(diagram)
    assert list(clashes(scene)) == []
    assert_shows(scene, diagram)


@pytest.mark.slow
def test_a_crowded_model_is_clear_though_graphviz_is_held_back() -> None:
    diagram = random_model(100, 1, degree=8)
    scene = diagram_scene(diagram)
    assert list(clashes(scene)) == []
    assert_shows(scene, diagram)


@settings(max_examples=60)
@given(diagrams(most_boxes=8))
def test_any_diagram_is_clear_and_faithful(diagram: Diagram) -> None:
    scene = diagram_scene(diagram)
    assert list(clashes(scene)) == []
    assert_shows(scene, diagram)


@pytest.mark.parametrize("seed", range(30))
def test_surgery_is_clear(seed: int) -> None:
    diagram = random_model(2 + seed // 2, seed)
    assert list(clashes(surgery_scene(diagram, random_cut(diagram, seed)))) == []


@pytest.mark.parametrize("seed", range(20))
def test_causal_graph_labels_are_clear(seed: int) -> None:
    diagram = random_model(2 + seed // 2, seed)
    scene = causal_graph_scene(diagram)
    assert [clash for clash in clashes(scene) if not clash.startswith("outside")] == []
    assert len(of(scene, Disc)) == len(diagram.wires)
    assert len(of(scene, Arrowhead)) == sum(len(set(box.inputs)) for box in diagram.boxes)


def test_the_checks_see_what_is_wrong() -> None:
    plate = Plate(10, 10, 40, 30)
    behind = Strand((30, 5), (((30, 60),),), title="w")
    label = Text(60, 30, "label", Role.WIRE)
    dot, over = Dot(80, 80), Strand((70, 80), (((70, 80), (90, 80), (90, 80)),))
    scene = Scene(100, 100, (plate, behind, label, Text(62, 31, "other", Role.WIRE), dot, over), "wrong")
    found = " ".join(clashes(scene))
    assert "behind" in found
    assert "labels:" in found
    assert "runs over" in found
    assert "label on an outline" in found


# ---------------------------------------------------------------------------------------------------------------------
# What surgery shows


def tones(scene: Scene, *kinds: type[Plate | Triangle | Dot | Ground]) -> list[Tone]:
    return [mark.tone for mark in of(scene, *kinds)]


def test_cut_shows_a_red_state_and_a_ghost_with_its_wires() -> None:
    scene = cut_scene(FRONT_DOOR, {"S": "yes"})
    outlines = of(scene, Plate, Triangle)
    ghosts = [mark for mark in outlines if mark.tone is Tone.GHOST]
    assert [mark.title for mark in ghosts] == ["S: mechanism of S given H (removed)"]
    states = [mark for mark in outlines if mark.tone is Tone.CUT]
    assert [mark.title for mark in states] == ["S cut: set to yes"]
    assert [text.content for text in of(scene, Text) if text.tone is Tone.CUT] == ["yes"]
    faint = [strand for strand in of(scene, Strand) if strand.tone is Tone.GHOST]
    assert [strand.title for strand in faint] == ["H"]
    assert isinstance(ghosts[0], Plate)
    assert on_foot(faint[0].end, ghosts[0])
    assert states[0].y < ghosts[0].y, "the state stands above what it replaced"
    assert tones(scene, Dot).count(Tone.GHOST) == 1, "the copy that only the ghost needs"


def test_a_cause_that_nothing_reads_any_more_is_a_ghost_too() -> None:
    model = cut_scene(BOW, {"X": None, "Y": None})
    assert sorted(mark.title for mark in of(model, Plate, Triangle) if mark.tone is Tone.GHOST) == [
        "X: mechanism of X given X<->Y (removed)",
        "X<->Y: mechanism of X<->Y (removed)",
        "Y: mechanism of Y given X, X<->Y (removed)",
    ]
    assert Tone.LATENT not in [strand.tone for strand in of(model, Strand)]


def test_without_ghosts_former_parents_end_in_the_ground() -> None:
    scene = diagram_scene(cut(BOW, {"X": None, "Y": "1"}))
    assert [ground.title for ground in of(scene, Ground)] == ["X<->Y discarded"]


def test_ghosts_may_be_given_by_hand() -> None:
    after = cut(BOW, ["X"])
    scene = diagram_scene(after, ghosts=[BOW.boxes[1]])
    assert tones(scene, Plate, Triangle) == [Tone.STATE, Tone.CUT, Tone.PLAIN, Tone.GHOST]
    assert list(clashes(scene)) == []


@pytest.mark.parametrize("diagram", [FRONT_DOOR, NAPKIN, BOW, *(random_model(9, seed) for seed in range(5))])
def test_before_is_the_diagram_and_nothing_moves(diagram: Diagram) -> None:
    name = [wire.name for wire in diagram.wires if not wire.latent][1]
    scene = surgery_scene(diagram, {name: "1"})
    half = next(text.x for text in of(scene, Text) if text.role is Role.JOINER)
    before = Scene(half, scene.height, tuple(mark for mark in scene.marks if _middle(mark) < half), "before")
    after = [mark for mark in scene.marks if _middle(mark) > half]
    whole = prune(diagram)
    moved = sorted(whole.boxes, key=lambda box: box.name == name)
    assert_shows(before, replace(whole, boxes=tuple(moved)))
    places = {mark.title.removesuffix(" (removed)"): mark for mark in after if isinstance(mark, Plate | Triangle)}
    shifts = {round(places[mark.title].x - mark.x, 6) for mark in of(before, Plate, Triangle) if mark.title in places}
    assert len(shifts) == 1
    assert all(mark.y == places[mark.title].y for mark in of(before, Plate, Triangle))


def _middle(mark: object) -> float:
    return mark.start[0] if isinstance(mark, Strand) else mark.x  # type: ignore[attr-defined,no-any-return]


# ---------------------------------------------------------------------------------------------------------------------
# Causal graphs


def test_causal_graph_draws_common_causes_as_arcs() -> None:
    scene = causal_graph_scene(NAPKIN)
    assert sorted(text.content for text in of(scene, Text)) == ["W₁", "W₂", "X", "Y"]
    arcs = [strand for strand in of(scene, Strand) if strand.tone is Tone.LATENT]
    assert sorted(arc.title for arc in arcs) == [
        "W1<->X: unobserved common cause",
        "W1<->Y: unobserved common cause",
    ]
    assert len(of(scene, Arrowhead)) == 3 + 2 * 2


def test_causal_graph_draws_named_latents_as_dashed_nodes() -> None:
    scene = causal_graph_scene(FRONT_DOOR)
    assert [disc.title for disc in of(scene, Disc) if disc.tone is Tone.LATENT] == ["H, unobserved"]
    assert len(of(scene, Arrowhead)) == 4


def test_causal_graph_after_surgery() -> None:
    scene = causal_graph_scene(cut(NAPKIN, {"X": "1"}))
    assert [plate.title for plate in of(scene, Plate)] == ["X, set by intervention"]
    assert "X = 1" in [text.content for text in of(scene, Text)]
    assert len(of(scene, Arrowhead)) == 2 + 2, "W1 -> W2, X -> Y, and one arc; a cause cut off is not drawn"


def test_teeth_are_plates_even_without_inputs() -> None:
    scene = diagram_scene(KNOWN["comb"])
    assert [mark.title for mark in of(scene, Plate) if mark.tone is Tone.TOOTH] == [
        "tooth f1 of a comb, from nothing to S' and M",
        "tooth f2 of a comb, from T, M to C",
    ]
    assert Box("f1", (), (3, 4), Kind.TOOTH) in KNOWN["comb"].boxes
    assert tones(scene, Ground) == [Tone.PLAIN]
