"""SVG, TikZ and PNG of one scene: well formed, accessible, at home on light and dark pages, the same every time."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import process_time

import pytest
from drawing.geometry import of
from drawing.pictures import COMB, FRONT_DOOR, KNOWN, LONG_NAMES, NAPKIN, random_model

from suture.dsl.diagnostics import SutureError
from suture.dsl.drawing import (
    Bar,
    Scene,
    causal_graph_scene,
    comb_scene,
    diagram_scene,
    png,
    risk_scene,
    row_scene,
    selection_scene,
    surgery_scene,
    svg,
    tikz,
)
from suture.dsl.drawing.graphviz import place
from suture.dsl.drawing.scene import SIZE, Arrowhead, Dot, Plate, Role, Strand, Text, Tone, Triangle
from suture.dsl.drawing.typeface import text_width

NS = "{http://www.w3.org/2000/svg}"
SCENES = {
    **{name: diagram_scene(diagram) for name, diagram in KNOWN.items()},
    "surgery": surgery_scene(NAPKIN, {"X": "<1 & 2>"}),
    "graph": causal_graph_scene(NAPKIN),
    "selection": selection_scene(FRONT_DOOR, "S", ["T"], ["T", "C"], "S <-> C"),
    "risks": risk_scene(
        [
            Bar("{A}", 0.12, (("city", 0.1), ("rural", 0.12)), True),
            Bar("{}", 0.3, (("city", 0.2), ("rural", 0.3)), False),
        ],
        0.11,
        "loss & <more>",
        "Risks",
    ),
}
SHAPES = {f"{NS}rect", f"{NS}ellipse", f"{NS}circle", f"{NS}path"}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_svg_is_well_formed_and_accessible(scene: Scene) -> None:
    root = ElementTree.fromstring(svg(scene))
    assert root.tag == f"{NS}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == scene.title == root.findtext(f"{NS}title")
    titled = [element.findtext(f"{NS}title") for element in root if element.tag in SHAPES]
    assert sorted(title for title in titled if title) == sorted(
        mark.title for mark in scene.marks if not isinstance(mark, Text | Arrowhead) and mark.title
    )
    assert all(mark.title for mark in scene.marks if not isinstance(mark, Text | Arrowhead))
    shown = ["".join(element.itertext()) for element in root.iter(f"{NS}text")]
    plain = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
    assert shown == [text.content.translate(plain) for text in of(scene, Text)]


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_svg_takes_its_ink_from_the_page(scene: Scene) -> None:
    root = ElementTree.fromstring(svg(scene))
    assert root.get("stroke") == "currentColor"
    assert root.get("fill") == "none"
    for element in root.iter():
        assert element.get("color") is None
        assert element.get("stroke") in (None, "currentColor", "none", "#d64541")
        washed = element.get("fill") not in (None, "currentColor", "none")
        assert not washed or float(element.get("fill-opacity") or 1) < 0.2, "a wash must show either paper through"


def test_svg_alone_follows_the_preferred_scheme_and_a_page_is_left_alone() -> None:
    style = ElementTree.fromstring(svg(SCENES["bow"])).findtext(f"{NS}style") or ""
    assert "@media(prefers-color-scheme:dark){svg.suture:root{" in style
    rules = re.findall(r"([^{}]+)\{[^{}]*(?:color|background):[^{}]*\}", style.replace("currentColor", ""))
    assert rules
    assert all(rule.endswith(":root") or "suture" in rule for rule in rules)
    assert all(":root" in rule for rule in re.findall(r"([^{}]+)\{[^{}]*background[^{}]*\}", style))


def without_colour(text: str) -> str:
    return re.sub(r'\s(?:fill|stroke|fill-opacity|style)="[^"]*"|<title>[^<]*</title>', "", text)


def test_tones_differ_by_more_than_colour() -> None:
    def shape(mark: Plate | Triangle | Strand) -> str:
        lines = svg(Scene(50, 50, (mark,), "one")).splitlines()
        return without_colour("".join(lines[3:-1]))

    plates = [shape(Plate(0, 0, 30, 30, tone)) for tone in (Tone.PLAIN, Tone.CUT, Tone.GHOST, Tone.TOOTH, Tone.LATENT)]
    triangles = [shape(Triangle(20, 0, 30, 30, tone)) for tone in (Tone.STATE, Tone.CUT, Tone.GHOST)]
    wires = [shape(Strand((0, 0), (((0, 9),),), tone)) for tone in (Tone.PLAIN, Tone.LATENT, Tone.GHOST)]
    for kinds in (plates, triangles, wires):
        assert len(set(kinds)) == len(kinds)


def test_same_diagram_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "from drawing.pictures import NAPKIN, random_model; from suture.dsl.drawing import *\n"
        "for d in (NAPKIN, random_model(12, 1)):\n"
        "    scene = surgery_scene(d, {d.wires[-1].name: None})\n"
        "    print(svg(scene), tikz(scene), svg(causal_graph_scene(d)))"
    )
    tests = Path(__file__).resolve().parent.parent
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(tests), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert len(runs) == 1
    assert len(next(iter(runs))) > 10_000


def test_threads_draw_the_same() -> None:
    diagrams = [random_model(size, 7) for size in (5, 9, 13, 17)] * 2
    alone = [svg(diagram_scene(diagram)) for diagram in diagrams]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda diagram: svg(diagram_scene(diagram)), diagrams)) == alone


def test_graphviz_warnings_stay_off_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    warned = 'digraph { a [label="a very long label indeed", fixedsize=true, width=.1]; a -> a:nosuchport }'
    assert place(warned).nodes
    with pytest.raises(SutureError) as caught:
        place("digraph { a -> ")
    assert caught.value.render().startswith("error[S602]: Graphviz could not lay out the picture:")
    print("still there", file=sys.stderr)
    assert capfd.readouterr().err == "still there\n"


def test_missing_pygraphviz_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(SutureError) as caught:
        diagram_scene(FRONT_DOOR)
    assert caught.value.render() == (
        "error[S601]: pictures need pygraphviz, which cannot be loaded: "
        "import of pygraphviz halted; None in sys.modules\n"
        "  = help: pip install pygraphviz; where a system library is missing: apt install graphviz"
    )


def test_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SutureError) as caught:
        png(SCENES["bow"])
    assert caught.value.render() == (
        "error[S605]: PNG pictures need matplotlib, which is not installed\n"
        "  = help: pip install matplotlib, or write .svg or .tex, which need nothing more"
    )


def test_unknown_variables_of_a_cut() -> None:
    with pytest.raises(SutureError) as caught:
        surgery_scene(LONG_NAMES, {"Weight": None, "Größen": "1"})
    assert caught.value.render() == (
        "error[S104]: unknown variable 'Weight' in the diagram\n\n"
        "error[S104]: unknown variable 'Größen' in the diagram\n  = help: did you mean 'Größe'?"
    )


def test_a_comb_needs_a_tooth() -> None:
    assert "as a comb of teeth f1, f2 with g in its holes" in comb_scene(COMB).title
    with pytest.raises(ValueError, match="TOOTH"):
        comb_scene(FRONT_DOOR)


def test_row_puts_scenes_side_by_side_on_one_line() -> None:
    first, second = SCENES["bow"], SCENES["napkin"]
    row = row_scene([first, second], ["="], ["one", "a caption that is wider than the picture over it"])
    assert row.title == f"{first.title}; {second.title}"
    assert len(row.marks) == len(first.marks) + len(second.marks) + 3
    assert row.width > first.width + second.width
    lowest = [max(mark.y + mark.height for mark in of(scene, Triangle)) for scene in (first, second)]
    drops = [scene.height - low for scene, low in zip((first, second), lowest, strict=True)]
    assert drops == pytest.approx([12.0, 12.0])
    sign = next(text for text in of(row, Text) if text.role is Role.JOINER)
    left = [mark for mark in row.marks if isinstance(mark, Plate) and mark.x < sign.x]
    assert len(left) == len(of(first, Plate))


@pytest.mark.parametrize("name", ["long names", "surgery", "comb", "graph"])
def test_tikz_compiles(name: str, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (tmp_path / "picture.tex").write_text(tikz(SCENES[name]), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if "standalone.cls' not found" in done.stdout:
        pytest.skip("the LaTeX class standalone is not installed")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Output written on picture.pdf (1 page" in done.stdout


def test_tikz_without_a_document_is_the_picture_alone() -> None:
    text = tikz(SCENES["bow"], document=False)
    assert "documentclass" not in text
    assert text.count(r"\begin{tikzpicture}") == text.count(r"\end{tikzpicture}") == 1
    assert text in tikz(SCENES["bow"]).replace("\\end{document}\n", "").replace(_preamble(), "")


def _preamble() -> str:
    whole = tikz(SCENES["bow"])
    return whole[whole.index("\\documentclass") : whole.index("\\definecolor")]


@pytest.mark.parametrize("name", ["surgery", "comb", "graph", "nothing"])
def test_png_shows_the_picture(name: str) -> None:
    image = pytest.importorskip("matplotlib.image", reason="matplotlib is not installed")
    data = png(SCENES[name], scale=1.5)
    pixels = image.imread(io.BytesIO(data), format="png")
    assert pixels.shape[0] == pytest.approx(1.5 * SCENES[name].height, abs=1.5)
    assert pixels.shape[1] == pytest.approx(1.5 * SCENES[name].width, abs=1.5)
    ink = pixels[..., :3].min(axis=2) < 0.5
    for dot in of(SCENES[name], Dot):
        if dot.tone is Tone.PLAIN:
            assert ink[round(1.5 * dot.y), round(1.5 * dot.x)]
    assert not ink[:3].any(), "the margin is free"
    assert png(SCENES[name], scale=1.5) == data


def test_width_estimate_holds_for_a_wide_face() -> None:
    fonts = pytest.importorskip("matplotlib.font_manager", reason="matplotlib is not installed")
    path = pytest.importorskip("matplotlib.textpath").TextPath
    face = fonts.FontProperties(family="DejaVu Serif", style="italic")
    names = ["Smoke", "Cancer", "ReadmissionWithinThirtyDays", "W₁", "X↔Y", "MMMM", "illi", "GENE_42", "Größe", "αβ"]
    for name in names:
        real = path((0, 0), name, size=SIZE[Role.NAME], prop=face).get_extents().width
        assert 0.9 * real < text_width(name, SIZE[Role.NAME]) < 1.35 * real + 3.0, name


def test_time_grows_gently_with_size() -> None:
    def seconds(size: int) -> float:
        times = []
        for seed in range(3):
            diagram = random_model(size, seed, degree=1.2)
            start = process_time()
            svg(diagram_scene(diagram))
            times.append(process_time() - start)
        return min(times)

    seconds(5)
    assert seconds(100) < 60 * seconds(25), "four times the boxes; cubic growth would be 64 times"
