"""Writes `tutorial.ipynb` from `tutorial.md`, and runs it: one text, as a page and as a notebook.

A `suture` block becomes a cell that starts with `%%suture`, a `python` block a cell of Python.  What the page shows of
their answers, and the pictures that it draws, are left out, since the cells show them.  What stands in `<details>`, the
answers of exercises, stays text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import blocks

DOCS = Path(__file__).resolve().parent
PAGES = (DOCS / "tutorial.md",)
DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
HEADING = re.compile(r"^(?=## )", re.MULTILINE)
LOADING = "%load_ext suture.jupyter_ext"
# Errors of checks are rounding, which differs from machine to machine.
ROUNDING = re.compile(r"\d(?:\.\d+)?e-\d+")


def file_of(page: Path) -> Path:
    """The notebook of a page."""
    return page.with_suffix(".ipynb")


def cells(text: str) -> list[tuple[str, str]]:
    """The cells of a page, in order: `markdown` or `code`, and the source."""
    hidden: list[str] = []

    def hide(match: re.Match[str]) -> str:
        hidden.append(match[0])
        return f"\0{len(hidden) - 1}\0"

    text = DETAILS.sub(hide, text.split("-->\n", 1)[1] if text.startswith(blocks.SESSION) else text)
    text = blocks.PICTURE.sub("", text)
    found: list[tuple[str, str]] = []
    place = 0
    for match in blocks.FENCE.finditer(text):
        found += written(text[place : match.start()])
        place = match.end()
        if match[1] == "suture":
            found.append(("code", f"%%suture\n{match[3].strip()}"))
        elif match[1] == "python":
            found.append(("code", match[3].strip()))
        elif match[1] not in blocks.SHOWN:
            found.append(("markdown", match[0]))
    found += written(text[place:])
    found.insert(1, ("code", LOADING))
    return [(kind, re.sub(r"\0(\d+)\0", lambda mark: hidden[int(mark[1])], source)) for kind, source in found]


def written(text: str) -> list[tuple[str, str]]:
    """Text as cells, one from each heading on."""
    return [("markdown", part.strip()) for part in HEADING.split(text) if part.strip()]


def notebook(page: Path) -> Any:
    """The notebook of a page, its cells not run."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    made: list[Any] = []
    for number, (kind, source) in enumerate(cells(page.read_text(encoding="utf-8")), 1):
        make = new_code_cell if kind == "code" else new_markdown_cell
        made.append(make(source, id=f"cell-{number}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def executed(page: Path) -> Any:
    """The notebook of a page with what its cells show; raises `nbclient.exceptions.CellExecutionError`."""
    from nbclient import NotebookClient

    made = notebook(page)
    client = NotebookClient(made, timeout=120, record_timing=False, resources={"metadata": {"path": str(page.parent)}})
    client.execute()
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            for kind, data in output.get("data", {}).items():
                if kind.endswith("json"):
                    timeless(data)
    made.metadata.pop("widgets", None)
    made.metadata["language_info"] = {"name": "python"}
    return made


def timeless(answer: Any) -> None:
    """Leave out of an answer's JSON how long it took, which differs from run to run."""
    if isinstance(answer, dict) and "seconds" in answer:
        answer["seconds"] = 0


def write(page: Path) -> None:
    """Run the notebook of a page and write it with what it shows."""
    import nbformat

    file_of(page).write_text(nbformat.writes(executed(page)) + "\n", encoding="utf-8")


def stale(page: Path) -> bool:
    """Whether the notebook has other cells than its page, or cells without answers."""
    import nbformat

    if not file_of(page).exists():
        return True
    kept: Any = nbformat.read(file_of(page), as_version=4)
    sources = [(cell.cell_type, cell.source) for cell in kept.cells]
    return sources != cells(page.read_text(encoding="utf-8")) or not any(cell.get("outputs") for cell in kept.cells)


def shown(made: Any) -> list[list[str]]:
    """What the cells of a notebook that was run show as text, rounding errors left out."""
    return [
        [ROUNDING.sub("e", output.get("data", {}).get("text/plain", "")) for output in cell.outputs]
        for cell in made.cells
        if cell.cell_type == "code"
    ]
