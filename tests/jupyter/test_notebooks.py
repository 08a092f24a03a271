"""The example notebooks run from top to bottom in a kernel of their own, and can be shown as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def executed(notebook: Any, folder: Path) -> Any:
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def cells(*sources: str) -> Any:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return made


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["gallery", "smoking"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.outputs] == []
    done = executed(notebook, path.parent)
    shown = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    answers = [output.data for output in shown if output.output_type == "display_data"]
    assert len(answers) >= 5
    for data in answers:
        assert {"text/plain", "text/html", "application/vnd.suture.answer+json"} <= set(data)
        assert data["application/vnd.suture.answer+json"]["status"] != "error"
    page, _ = HTMLExporter().from_notebook_node(done)
    assert page.count('class="suture-answer"') == len(answers)


def test_an_error_stops_the_run_with_its_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("X,Y\n0,1\n1,1\n", encoding="utf-8")
    good = 'data rows of M from "rows.csv"\nestimate P(Y = 1 | X = 0) from rows'
    notebook = cells(
        "%load_ext suture.jupyter_ext",
        f"%%suture -o found\nmodel M {{ X, Y : {{0, 1}} ; X -> Y }}\n{good}",
        "assert found.value == 1.0",
        "%%suture\nidentify P(Z | do(X))",
        "never = 1",
    )
    with pytest.raises(CellExecutionError) as caught:
        executed(notebook, tmp_path)
    (told,) = notebook.cells[3].outputs
    assert told.output_type == "error"
    assert told.ename == "CellError"
    assert "\n".join(told.traceback).count("Traceback") == 0
    assert "unknown variable 'Z' in model M" in str(caught.value)
    assert notebook.cells[4].execution_count is None
