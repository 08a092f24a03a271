"""Completion and inspection in cells: what the language offers where a cell is suture's, and Python elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from shells import Shell, shell_with_suture

import suture
from suture.jupyter_ext import load_ipython_extension, unload_ipython_extension
from suture.jupyter_ext.cell_text import part_of

MODEL = """%%suture
model Smoking {
  latent Gene
  Smoke, Tar, Cancer : {no, yes}
  Gene -> Smoke -> Tar -> Cancer
  Gene -> Cancer
}
query effect = P(Cancer = yes | do(Smoke = yes))"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with shell_with_suture() as made:
        made.good(MODEL)
        yield made


def offered(shell: Shell, text: str, behind: str = "") -> list[str]:
    """What a front end offers at the end of `text` in a cell, each as the text before the cursor would become."""
    with provisionalcompleter():
        found = list(shell.shell.Completer.completions(text + behind, len(text)))
    return [text[: each.start] + each.text for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%%suture\nidentify P(Ca", ["%%suture\nidentify P(Cancer"]),
        ("%%suture -o x\nidentify P(Cancer = ", ["no", "yes"]),
        ("%%suture\nidentify P(Cancer | do(", ["Smoke", "Tar", "Cancer", "Gene"]),
        ("%%suture\nestimate eff", ["%%suture\nestimate effect"]),
        ("%%suture\nidentify effect by back", ["%%suture\nidentify effect by backdoor"]),
        ("%suture ident", ["%suture identify"]),
        ("x = 1\n%suture identify P(Tar = ", ["no", "yes"]),
        (
            "%%suture\nmodel M { First -> Second }\nidentify P(Sec",
            ["%%suture\nmodel M { First -> Second }\nidentify P(Second"],
        ),
        ("%%suture --format j", ["%%suture --format json"]),
        ("%%suture --m", ["%%suture --memory"]),
        ("%suture -i fra", ["%suture -i frame"]),
        ("%%suture\nestimate effect from fra", ["%%suture\nestimate effect from frame"]),
    ],
)
def test_what_is_offered(shell: Shell, text: str, expected: list[str]) -> None:
    shell.names["frame"] = pd.DataFrame({"Smoke": ["no"]})
    shell.names["free"] = 3
    found = offered(shell, text)
    if len(expected) > 1 or not expected[0].startswith("%"):
        expected = [text + each for each in expected]
    assert found == expected


def test_what_stands_behind_the_cursor_does_not_matter(shell: Shell) -> None:
    assert offered(shell, "%%suture\nidentify P(Ca", " = yes | do(Smoke)) in Smoking") == [
        "%%suture\nidentify P(Cancer"
    ]


def test_python_is_left_alone(shell: Shell) -> None:
    shell.names["Cancer_rate"] = 0.5
    assert offered(shell, "Cancer_r") == ["Cancer_rate"]
    assert "Cancer" not in offered(shell, "print(Ca")
    assert offered(shell, "%%suture\nidentify P(Cancer_r") == ["%%suture\nidentify P(Cancer_r"]


def test_nothing_breaks_in_an_unfinished_cell(shell: Shell) -> None:
    cell = "%%suture\nmodel M { A -> \nidentify P(B | do(A = ) in ((\n}} # x"
    for place in range(len(cell) + 1):
        offered(shell, cell[:place], cell[place:])


@pytest.mark.parametrize(
    ("cell", "place", "text"),
    [
        ("%%suture\nshow M", 12, "        \nshow M"),
        ("a = 1\n%suture show M\nb = 2", 18, "              show M"),
        ("a = 1\n%suture show M\nb = 2", 2, None),
        ("found = %suture show M", 20, "                show M"),
        ("%%sutures\nshow M", 12, None),
    ],
)
def test_the_part_of_a_cell_keeps_its_places(cell: str, place: int, text: str | None) -> None:
    found = part_of(cell, place)
    assert (found and found.text) == text
    if text is not None:
        assert cell.startswith(text.strip(), text.index("show"))


# ---------------------------------------------------------------------------------------------------------------------
# Inspection


class Kernel:
    """As much of a kernel as inspection needs."""

    def do_inspect(self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()) -> dict[str, Any]:
        return {"status": "ok", "found": False, "data": {"asked": code, "place": cursor_pos}, "metadata": {}}


@pytest.fixture
def kernel(shell: Shell) -> Kernel:
    made = Kernel()
    unload_ipython_extension(shell.shell)
    setattr(shell.shell, "kernel", made)  # noqa: B010
    load_ipython_extension(shell.shell)
    shell.good(MODEL)
    return made


def test_a_variable_is_described_where_it_stands(kernel: Kernel) -> None:
    cell = "%%suture\nidentify P(Cancer | do(Smoke)) in Smoking"
    reply = kernel.do_inspect(cell, cell.index("Smoke)") + 2)
    assert reply["found"]
    assert reply["data"]["text/plain"] == (
        "Smoke: observed variable of Smoking\n  values   {no, yes}\n  causes   Gene\n  effects  Tar"
    )
    assert reply["data"]["text/html"].startswith("<p><strong>Smoke: observed variable of Smoking</strong></p><dl>")
    assert set(reply["data"]) == {"text/plain", "text/markdown", "text/html"}


@pytest.mark.parametrize(
    ("word", "title"),
    [
        ("identify", "identify: statement"),
        ("Cancer", "Cancer: observed variable of Smoking"),
        ("in Smoking", None),
        ("Smoking", "Smoking: model"),
    ],
)
def test_words_and_models_are_described(kernel: Kernel, word: str, title: str | None) -> None:
    cell = "%%suture\nidentify P(Cancer | do(Smoke)) in Smoking"
    reply = kernel.do_inspect(cell, cell.index(word) + len(word) - 1)
    assert reply["data"]["text/plain"].split("\n")[0] == (title or "Smoking: model")


def test_python_goes_to_the_kernel_as_before(kernel: Kernel, shell: Shell) -> None:
    assert kernel.do_inspect("print", 3)["data"] == {"asked": "print", "place": 3}
    unload_ipython_extension(shell.shell)
    assert kernel.do_inspect("%%suture\nshow M", 12)["data"]["place"] == 12


def test_a_name_can_be_described_without_a_cell(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.good("%suture describe effect identify")
    told = capsys.readouterr().out
    assert told.startswith(
        "effect: query about Smoking\n  asks  P(Cancer = yes | do(Smoke = yes))\nidentify: statement\n"
    )
    assert "nothing is called 'Nobody'" in str(shell.run("%suture describe Nobody").error)


def test_models_handed_over_are_known(shell: Shell) -> None:
    shell.names["bow"] = suture.Model("First -> Second ; First <-> Second")
    shell.good("%%suture -i bow\nidentify P(Second | do(First)) in bow")
    assert offered(shell, "%%suture\nshow bo") == ["%%suture\nshow bow"]
