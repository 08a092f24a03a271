"""The notebook as a reader sees it: JupyterLab in a headless Chromium.  Screenshots go to `out/browser`.

Run by `make browser`, which installs what is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed; `make browser` installs it")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed; `make browser` installs it")

from browser import lab
from browser.lab import Keys, Notebook, Server

pytestmark = [pytest.mark.browser]
ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "out" / "browser"
SMOKING = (ROOT / "examples" / "smoking.suture").read_text(encoding="utf-8")
LOAD = "%load_ext suture.jupyter_ext"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    reason = lab.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("jupyterlab") / "notebooks"
    folder.mkdir()
    with lab.served(folder) as running:
        yield running


@pytest.fixture(scope="session")
def driver(server: Server) -> Iterator[Any]:
    with lab.browser() as chromium:
        yield chromium


@pytest.fixture
def notebook(server: Server, driver: Any) -> Notebook:
    return Notebook(driver, server)


def write(server: Server, name: str, *cells: str | tuple[str, str]) -> str:
    """A notebook of code cells, and of Markdown cells where a pair says so."""
    kinds = [cell if isinstance(cell, tuple) else ("code", cell) for cell in cells]
    extra = {"code": {"outputs": [], "execution_count": None}, "markdown": {}}
    told = [
        {"cell_type": kind, "id": f"cell{number}", "metadata": {}, "source": source, **extra[kind]}
        for number, (kind, source) in enumerate(kinds)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = json.dumps({"cells": told, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    (server.folder / name).write_text(text, encoding="utf-8")
    return name


def colours(page: Notebook, names: dict[str, str]) -> dict[str, str]:
    """The colours that the theme gives to kinds of tokens, by CodeMirror's variables."""
    read = (
        "const probe = document.body.appendChild(document.createElement('i'));"
        "const found = Object.fromEntries(Object.entries(arguments[0]).map(([k, v]) => {"
        "probe.style.color = `var(--jp-mirror-editor-${v}-color)`; return [k, getComputedStyle(probe).color]; }));"
        "probe.remove(); return found;"
    )
    return page.script(read, names)


# Which of the theme's colours each piece of the example takes.
EXPECTED = {
    "%%suture -o answers": "meta",
    "# Does smoking cause cancer, when the genotype is never seen?": "comment",
    "model": "keyword",
    "latent": "keyword",
    "identify": "keyword",
    "Smoking": "def",
    "effect": "def",
    "P": "builtin",
    "yes": "atom",
    "0.5": "number",
    "->": "operator",
}


def test_cells_take_the_colours_of_the_theme(server: Server, notebook: Notebook) -> None:
    name = write(server, "colours.ipynb", "for y in range(3): pass  # Python", f"%%suture -o answers\n{SMOKING}")
    notebook.start(name)
    seen: dict[str, dict[str, str]] = {}
    for theme in lab.THEMES:
        notebook.theme(theme)
        wanted = colours(notebook, EXPECTED)
        first: dict[str, str] = {}
        for text, colour in notebook.tokens(notebook.cells()[1]):
            first.setdefault(text, colour)
        seen[theme] = {piece: first.get(piece, "nothing") for piece in EXPECTED}
        assert seen[theme] == wanted
        python = notebook.until(
            "Python's colours", lambda: "for" in (t := dict(notebook.tokens(notebook.cells()[0]))) and t
        )
        assert python["for"] == wanted["model"]
        notebook.shot(SHOTS / f"colours-{theme}.png")
    assert seen["light"] != seen["dark"]


def test_a_cell_changes_its_language_while_it_is_typed(server: Server, notebook: Notebook) -> None:
    notebook.start(write(server, "typed.ipynb", "query = 1"))
    cell = notebook.cells()[0]
    assert "query" not in dict(notebook.tokens(cell))
    notebook.select(0)
    notebook.keys(Keys.CONTROL, Keys.HOME)
    notebook.keys("%%suture\n")
    keyword = colours(notebook, {"keyword": "keyword"})["keyword"]
    notebook.until("a keyword", lambda: dict(notebook.tokens(cell)).get("query") == keyword)


def test_suture_files_and_fences_are_coloured(server: Server, notebook: Notebook) -> None:
    (server.folder / "smoking.suture").write_text(SMOKING, encoding="utf-8")
    notebook.open("smoking.suture")
    editor = notebook.one(".jp-FileEditor")
    keyword = colours(notebook, {"keyword": "keyword"})["keyword"]
    notebook.until("a keyword", lambda: dict(notebook.tokens(editor)).get("model") == keyword)
    known = "return window.jupyterapp.docRegistry.getFileTypesForPath('a.suture').map(t => [t.name, t.icon.name])"
    assert notebook.script(known)[0] == ["suture", "suture:program"]
    notebook.shot(SHOTS / "file.png")
    notebook.start(write(server, "fence.ipynb", ("markdown", "```suture\nmodel M { X : {no, yes} }\n```")))
    fence = notebook.one(".jp-RenderedMarkdown pre")
    rendered = (
        "return Array.from(arguments[0].querySelectorAll('span')).map(s => [s.textContent, getComputedStyle(s).color])"
    )
    notebook.until("a coloured fence", lambda: ["model", keyword] in notebook.script(rendered, fence))


def test_nothing_of_the_extension_fails_in_the_console(server: Server, notebook: Notebook) -> None:
    notebook.console()
    notebook.start(write(server, "quiet.ipynb", "%%suture\nmodel M { X -> Y }", ("markdown", "text"), "x = 1"))
    assert [line for line in notebook.console() if "suture" in line and "/doc/" not in line] == []
    assert [line for line in notebook.console() if line.startswith("SEVERE") and "parser" in line] == []


def test_the_wheel_installs_an_enabled_extension(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "out", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, copy, ignore=ignored)
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=copy, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "wheel")
    (data,) = (tmp_path / "wheel").glob("*.data/data/share/jupyter")
    # Put where user data are looked for, which goes before what is installed beside the tests.
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"],
        env=os.environ | {"JUPYTER_PATH": str(data), "JUPYTER_PREFER_ENV_PATH": "0", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = done.stdout + done.stderr
    (place,) = [block for block in told.split("\n/")[0:] if str(data).lstrip("/") in block]
    assert "suture v0.1.0" in place
    assert "enabled" in place.split("suture v0.1.0")[1].split("\n")[0]
    assert "OK" in place.split("suture v0.1.0")[1].split("\n")[0]


# ---------------------------------------------------------------------------------------------------------------------
# Magics


def test_a_cell_answers_with_a_formula_a_picture_and_a_number(server: Server, notebook: Notebook) -> None:
    notebook.start(write(server, "answers.ipynb", LOAD, f"%%suture -o answers\n{SMOKING}", "answers[2].value"))
    notebook.run(0)
    cell = notebook.run(1)
    assert notebook.all(".jp-OutputArea-output svg.suture[role='img']", cell)
    shown = notebook.one(".jp-OutputArea", cell).text
    assert "identified" in shown
    assert "comb disintegration" in shown
    assert "0.542297" in shown
    assert notebook.all("details summary", cell)
    assert notebook.all("math", cell) or notebook.all("mjx-container", cell), "formulas are typeset"
    value = notebook.one(".jp-OutputArea-output", notebook.run(2)).text
    assert float(value) == pytest.approx(4013 / 7400)
    for theme in lab.THEMES:
        notebook.theme(theme)
        notebook.shot(SHOTS / f"answers-{theme}.png")
        for number, output in enumerate(notebook.all(".jp-OutputArea-child", cell)):
            notebook.shot_of(output, SHOTS / f"answers-{theme}-{number}.png")
    assert too_wide(notebook) == []


def too_wide(page: Notebook) -> list[str]:
    """Outputs whose content is cut off at the right without a way to scroll to it."""
    read = (
        "return Array.from(document.querySelectorAll('.jp-OutputArea-output'))"
        ".filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden')"
        ".map(e => e.textContent.slice(0, 60))"
    )
    return page.script(read)


def test_a_wrong_name_fails_the_cell_with_a_caret(server: Server, notebook: Notebook) -> None:
    wrong = "%%suture\nmodel M { Cause -> Effect }\nidentify P(Efect | do(Cause))"
    notebook.start(write(server, "wrong.ipynb", LOAD, wrong, "reached = True"))
    notebook.activate(0)
    notebook.command("notebook:run-all-cells")
    notebook.until("the failure", lambda: notebook.prompt(notebook.cells()[1]) == "[2]:")
    cell = notebook.cells()[1]
    error = notebook.one(
        "[data-mime-type='application/vnd.jupyter.stderr'], .jp-RenderedText[data-mime-type*='error']", cell
    )
    lines = error.text.split("\n")
    assert lines[0].startswith("error[S104]: unknown variable 'Efect'")
    assert "did you mean 'Effect'?" in error.text
    caret = next(line for line in lines if "^^^^^" in line)
    above = lines[lines.index(caret) - 1]
    assert above[caret.index("^") :].startswith("Efect")
    assert "Traceback" not in error.text
    # The run stopped at the cell that failed.
    assert notebook.prompt(notebook.cells()[2]) == "[ ]:"
    notebook.shot(SHOTS / "wrong-name.png")


def test_completion_and_tooltip(server: Server, notebook: Notebook) -> None:
    program = "%%suture\nmodel Smoking { Smoke, Cancer : {no, yes} ; Smoke -> Cancer }"
    notebook.start(write(server, "typing.ipynb", LOAD, program, "%%suture\nidentify P(Can"))
    notebook.run(0)
    notebook.run(1)
    notebook.select(2)
    notebook.keys(Keys.TAB)
    cell = notebook.cells()[2]
    notebook.until(
        "the name completed",
        lambda: "P(Cancer" in notebook.one(".cm-content", cell).text or notebook.all(".jp-Completer-item"),
    )
    notebook.shot(SHOTS / "completion.png")
    if notebook.all(".jp-Completer-item"):
        assert "Cancer" in [item.text.split("\n")[0] for item in notebook.all(".jp-Completer-match")]
        notebook.keys(Keys.ENTER)
    notebook.until("the name completed", lambda: "P(Cancer" in notebook.one(".cm-content", cell).text)
    notebook.keys(Keys.SHIFT, Keys.TAB)
    tooltip = notebook.one(".jp-Tooltip-content")
    assert "Cancer" in tooltip.text
    notebook.shot(SHOTS / "tooltip.png")


# ---------------------------------------------------------------------------------------------------------------------
# The widget

FRONT_DOOR = """%%suture
model Smoking {
  latent Gene
  Smoke, Tar, Cancer : {no, yes}
  Gene -> Smoke -> Tar -> Cancer
  Gene -> Cancer
}
data survey of Smoking weight share {
  Smoke, Tar, Cancer, share
  no,  no,  no,  0.5  ; no,  no,  yes, 0.1 ; no,  yes, no,  0.01 ; no,  yes, yes, 0.02
  yes, no,  no,  0.1  ; yes, no,  yes, 0.05 ; yes, yes, no,  0.02 ; yes, yes, yes, 0.2
}"""
DRIFT = """from suture.jupyter_ext import explore
widget = explore('''model Drift {
  Cloudy : {no, yes} ~ Bernoulli(p)
  Rain : {no, yes} ~ table (Cloudy) { no => 0.9, 0.1 ; yes => 1 - q, q }
  Wet : {no, yes} ~ table (Rain) { no => 0.8, 0.2 ; yes => 0.1, 0.9 }
}''', "P(Wet = yes)", p=0.5, q=0.5)
widget"""


def said(notebook: Notebook, part: str) -> str:
    return notebook.until(part, lambda: [notebook.one(f".suture-explorer .su-{part}").text])[0]


def press(notebook: Notebook, name: str) -> None:
    spot = f".suture-explorer [data-variable='{name}']"
    notebook.until(f"a press of {name}", lambda: [notebook.one(spot).click()])


def test_clicking_the_diagram_changes_surgery_and_answer(server: Server, notebook: Notebook) -> None:
    explore = "%suture explore P(Cancer = yes) in Smoking from survey"
    notebook.start(write(server, "explore.ipynb", LOAD, FRONT_DOOR, explore))
    notebook.run(0)
    notebook.run(1)
    cell = notebook.run(2)
    assert float(said(notebook, "number")) == pytest.approx(0.37)
    assert not notebook.all(".suture-explorer [data-chip='Smoke']")
    # Observed: 0.25 of 0.37 smokers have cancer; set: the front door's 4013/7400.
    press(notebook, "Smoke")
    notebook.until("the observed answer", lambda: said(notebook, "question") == "P(Cancer=yes | Smoke=yes)")
    assert float(said(notebook, "number")) == pytest.approx(0.25 / 0.37, abs=1e-6)
    press(notebook, "Smoke")
    notebook.until("the answer after surgery", lambda: said(notebook, "question") == "P(Cancer=yes | do(Smoke=yes))")
    assert float(said(notebook, "number")) == pytest.approx(4013 / 7400, abs=1e-6)
    assert "comb disintegration" in said(notebook, "verdict")
    assert "after do(Smoke = yes)" in notebook.one(".su-picture svg").text
    # The still is there for later and hidden for now.
    assert [each.is_displayed() for each in notebook.all(".suture-still", cell)] == [False]
    for theme in lab.THEMES:
        notebook.theme(theme)
        notebook.shot(SHOTS / f"explore-{theme}.png")
    # From the keyboard: free again.
    notebook.script("document.querySelector(\".suture-explorer [data-variable='Smoke']\").focus()")
    notebook.keys(Keys.ENTER)
    notebook.until("the free answer", lambda: said(notebook, "question") == "P(Cancer=yes)")
    assert notebook.script("return document.activeElement.getAttribute('data-variable')") == "Smoke"


def test_a_refusal_and_a_mistake_are_told_in_words(server: Server, notebook: Notebook) -> None:
    bow = "from suture.jupyter_ext import explore\nexplore('X -> Y ; X <-> Y', 'P(Y)')"
    notebook.start(write(server, "refusal.ipynb", bow))
    notebook.run(0)
    press(notebook, "X")
    press(notebook, "X")
    notebook.until("the refusal", lambda: "not identifiable" in said(notebook, "verdict"))
    assert said(notebook, "question") == "P(Y | do(X))"
    notebook.shot(SHOTS / "refusal.png")


def test_a_slider_moves_the_answer(server: Server, notebook: Notebook) -> None:
    notebook.start(write(server, "slider.ipynb", DRIFT, "widget.question, widget.answers[1].value"))
    notebook.run(0)
    # Rain: (0.1 + 0.5) / 2 = 0.3; wet: 0.2 + 0.7 * 0.3.
    assert float(said(notebook, "number")) == pytest.approx(0.41)
    slide = (
        "const input = document.querySelector(\".suture-explorer input[name='q']\");"
        "for (const value of arguments[0]) { input.value = value; input.dispatchEvent(new Event('input')); }"
    )
    notebook.script(slide, [round(0.5 + step / 100, 2) for step in range(1, 41)])
    notebook.until("the last value's answer", lambda: said(notebook, "number") == "0.55")
    notebook.until("rest", lambda: not notebook.all(".suture-explorer[aria-busy]"))
    assert said(notebook, "number") == "0.55"
    notebook.shot(SHOTS / "slider.png")
    value = notebook.one(".jp-OutputArea-output", notebook.run(1)).text
    assert value.startswith("('P(Wet=yes)', 0.55")


def test_a_saved_widget_is_readable_without_a_kernel(server: Server, notebook: Notebook) -> None:
    notebook.start(write(server, "saved.ipynb", LOAD, FRONT_DOOR, "%suture explore P(Cancer = yes | do(Smoke = yes))"))
    for number in range(3):
        notebook.run(number)
    notebook.one(".suture-explorer")
    press(notebook, "Tar")
    notebook.until("the answer", lambda: said(notebook, "question") == "P(Cancer=yes | do(Smoke=yes), Tar=yes)")
    notebook.until(
        "a new still",
        lambda: "Tar=yes" in notebook.script("return document.querySelector('.suture-still').textContent"),
    )
    saved = notebook.save()
    bundles = [output["data"] for output in saved["cells"][2]["outputs"]]
    assert "P(Cancer=yes | do(Smoke=yes), Tar=yes)" in "".join(bundles[-1]["text/html"])
    assert "identified" in "".join(bundles[-1]["text/plain"])
    saved["metadata"]["kernelspec"]["name"] = "none"
    (server.folder / "cold.ipynb").write_text(json.dumps(saved), encoding="utf-8")
    notebook.open("cold.ipynb")
    still = notebook.one(".suture-still")
    notebook.until("the still to be seen", still.is_displayed)
    # Not trusted, as from a colleague: JupyterLab takes drawings out of it, an image stays.
    assert len(notebook.all(".suture-still")) == 1
    image = notebook.one(".suture-still img")
    assert notebook.script("return arguments[0].complete && arguments[0].naturalWidth > 100", image)
    notebook.shot(SHOTS / "without-a-kernel.png")
