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
        python = dict(notebook.tokens(notebook.cells()[0]))
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
