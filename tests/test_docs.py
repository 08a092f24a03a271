"""The pages: generated ones are current, every link leads somewhere, every block in them does what the page shows."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def module(name: str) -> ModuleType:
    """A module of the folder `docs`, which is no package."""
    if str(DOCS) not in sys.path:
        sys.path.insert(0, str(DOCS))
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


blocks, reference, notebooks, build = map(module, ("blocks", "reference", "notebooks", "build"))
PAGES = build.pages()


NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_page_holds(page: Path) -> None:
    assert [*build.broken_links(page), *build.broken_blocks(page, slow=False)] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_slow_blocks_of_a_page_hold(page: Path) -> None:
    if not any(block.slow for block in blocks.blocks(page.read_text(encoding="utf-8"))):
        pytest.skip("no block of this page is slow")
    assert list(build.broken_blocks(page)) == []


def test_generated_pages_are_current() -> None:
    assert build.stale() == [], "run `make docs`"


def test_every_page_can_be_found_from_the_front_page() -> None:
    assert build.unreachable() == []


def test_the_tutorial_runs_as_a_notebook_and_shows_what_is_kept() -> None:
    import nbformat

    (page,) = notebooks.PAGES
    kept = nbformat.read(notebooks.file_of(page), as_version=4)
    assert notebooks.shown(notebooks.executed(page)) == notebooks.shown(kept)


def test_blocks_become_cells() -> None:
    page = (
        "<!-- one session: x -->\n# Title\n\nText.\n\n## One\nSay:\n```suture\nmodel M { X -> Y }\n```\n"
        "```answer\n...\n```\n<!-- drawn by: show M -->\n![M](m.svg)\n```python\nx = 1\n```\n"
        "<details>\n\n```suture\nmodel N { A }\n```\n</details>\n\n## Two\n"
    )
    assert notebooks.cells(page) == [
        ("markdown", "# Title\n\nText."),
        ("code", "%load_ext suture.jupyter_ext"),
        ("markdown", "## One\nSay:"),
        ("code", "%%suture\nmodel M { X -> Y }"),
        ("code", "x = 1"),
        ("markdown", "<details>\n\n```suture\nmodel N { A }\n```\n</details>"),
        ("markdown", "## Two"),
    ]


def test_the_page_on_architecture_has_the_tower_that_is_tested() -> None:
    house = ast.parse((ROOT / "tests" / "test_house.py").read_text(encoding="utf-8"))
    (tower,) = (
        ast.literal_eval(node.value)
        for node in house.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TOWER"
    )
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    shown = [line.strip().split("  ")[0].split(", ") for line in page.splitlines() if line.startswith("    ")]
    assert shown == [sorted(set(parts) - {"suture"}) for parts in reversed(tower)]


# ---------------------------------------------------------------------------------------------------------------------
# The reference


def test_every_form_of_the_language_is_in_the_reference() -> None:
    assert reference.missing(ROOT) == [], "say what it means in docs/reference.md"


GRAMMAR = r"""
// ---- first things ----
_sep: _NEWLINE | ";"
?statement: show | let
show: _SHOW name (block | _FROM STRING) -> shown
    | _SHOW "*" [_IN name]
block: "{" _sep* (item (_sep+ item)* _sep*)? "}"
// ---- second things ----
item: name ("," name)*
_SHOW: /show\b/
_FROM: /from\b/
_IN.2: /in(?=[ ])/
name: NAME
NAME: /[a-z]+/
STRING: /"[^"]*"/
RIGHT: "->" | "→"
"""


def test_productions_become_readable() -> None:
    grammar = reference.Grammar.of(GRAMMAR)
    assert grammar.ebnf("show") == 'show = "show" name (block | "from" STRING) | "show" "*" ["in" name]'
    assert grammar.ebnf("block") == 'block = "{" item* "}"'
    assert grammar.choices("statement") == ["show", "let"]
    assert grammar.used("show") == ["name", "block"]
    assert grammar.keywords("show") == ["show", "from", "in"]
    assert grammar.sections["item"] == "second things"


def test_errors_are_told_beside_the_statement_that_gives_them(tmp_path: Path) -> None:
    bad = tmp_path / "tests" / "dsl" / "bad"
    bad.mkdir(parents=True)
    (bad / "one.suture").write_text("model M { A -> B }\nquery q = P(A) ; show N\n")
    (bad / "one.txt").write_text("error[S102]: unknown model\n --> one.suture:2:23\n  |\n")
    assert reference.errors_by_statement(tmp_path, {"model", "query", "show"}) == {"show": ["S102"]}


# ---------------------------------------------------------------------------------------------------------------------
# What is seen where a page is wrong


def test_a_broken_link_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# Here I am\n```sh\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](gone.md) [b](other.md#here-i-am) [c](other.md#elsewhere) ![d](gone.svg) [e](https://example.org/x)"
        " [f](other.md#no-heading)"
    )
    assert list(build.broken_links(page)) == [
        "page.md: gone.md does not exist",
        "page.md: other.md#elsewhere has no such heading",
        "page.md: gone.svg does not exist",
        "page.md: other.md#no-heading has no such heading",
    ]


def test_a_page_that_nothing_links_to_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "README.md").write_text("[a](docs/a.md)")
    for name, text in {"a.md": "[b](b.md)", "b.md": "", "c.md": "[a](a.md)"}.items():
        (docs / name).write_text(text)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "DOCS", docs)
    assert build.unreachable() == [docs / "c.md"]


def faults(text: str) -> list[str]:
    return list(blocks.faults("page.md", text, ROOT / "examples"))


def test_a_broken_program_is_seen() -> None:
    (fault,) = faults("```suture\nmodel M { X -> Y }\n```\n\n```suture\nmodel M { A : {0, 1} ; A -> Bee }\n```\n")
    assert "page.md, block 2:1" in fault
    assert "'Bee'" in fault


def test_a_refusal_that_does_not_happen_is_seen() -> None:
    assert faults("```suture\nmodel M { X -> X }\n```\n```refused\nerror[S205]: ...\n```\n") != []
    assert (
        faults("```suture\nmodel M { X -> X }\n```\n```refused\n...\n  |           ^^^^^^ an arrow to itself\n```\n")
        == []
    )
    assert faults("```suture\nmodel M { X -> Y }\n```\n```refused\nerror\n```\n") != []


@pytest.mark.parametrize(
    ("excerpt", "shown"),
    [
        ("a\nb\nc\n", True),
        ("a\n...\nc\n", True),
        ("a\n...\n", True),
        ("...\nb\n", False),
        ("a\nc\n", False),
        ("a.\nb\n", False),
    ],
)
def test_an_answer_may_be_shown_in_part(excerpt: str, shown: bool) -> None:
    assert blocks.shows(excerpt, "a\nb\nc") is shown


def test_a_wrong_answer_is_seen() -> None:
    program = "```suture\nmodel M { X : {0, 1} ~ {0: 1/4, 1: 3/4} }\ncompute P(X = 1) in M\n```\n"
    assert faults(program + "```answer\n...\n  0.75  = 3/4\n...\n```\n") == []
    assert len(faults(program + "```answer\n...\n  0.25  = 1/4\n...\n```\n")) == 1


def test_python_that_fails_or_prints_something_else_is_seen() -> None:
    assert faults("```python\nx = 2\n```\n```python\nprint(x)\n```\n```output\n2\n```\n") == []
    first, second = faults("```python\nprint(3)\n```\n```output\n2\n```\n```python\n1 / 0\n```\n")
    assert first == "page.md, block 2: this is not what happens, but:\n3\n"
    assert second == "page.md, block 3: ZeroDivisionError: division by zero"


def test_a_picture_that_is_not_what_is_drawn_is_seen(tmp_path: Path) -> None:
    page = "```suture\nmodel M { X -> Y }\n```\n<!-- drawn by: show M -->\n![M](pictures/m.svg)\n"

    def found(text: str, write: bool = False) -> list[str]:
        return list(blocks.faults("page.md", text, ROOT / "examples", here=tmp_path, write=write))

    assert found(page) == ["page.md: pictures/m.svg is not what is drawn now; run `make docs`"]
    assert found(page, write=True) == []
    assert found(page) == []
    assert len(found(page.replace("X -> Y", "X -> Z"))) == 1
    assert len(found(page.replace("show M", "independent X, Y"))) == 1
    assert (
        found(
            "```python\nimport suture\nm = suture.Model('X -> Y')\n```\n"
            + page.split("```\n", 1)[1].replace("drawn by: show M", "drawn by python: m.show()")
        )
        == []
    )


def test_a_slow_block_is_left_out_with_what_it_shows() -> None:
    text = "```python slow\nprint(3)\n```\n```output\n4\n```\n```python\nprint(5)\n```\n```output\n5\n```\n"
    assert list(blocks.faults("page.md", text, ROOT / "examples", slow=False)) == []
    assert len(faults(text)) == 1


def test_a_cell_that_shows_something_else_is_seen() -> None:
    page = "```ipython\n%load_ext suture.jupyter_ext\n```\n```ipython\nx = 2\nx + 1\n```\n```output\n3\n```\n"
    assert faults(page) == []
    assert len(faults(page.replace("\n3\n", "\n4\n"))) == 1
    said = "error[S109]: there is no model in this program"
    wrong = f"```ipython\n%suture independent X, Y\n```\n```output\n{said}\n...\n```\n"
    assert faults(page + wrong) == []


def test_a_command_that_prints_something_else_is_seen() -> None:
    program = "```suture m.suture\nmodel M { X : {0, 1} ~ {0: 1/4, 1: 3/4} }\nassert M: P(X = 1) == 1/4\n```\n"
    ran = "```console\n$ suture test m.suture\n...\n0 passed, 1 failed\n$ echo $?\n1\n```\n"
    assert faults(program + ran) == []
    (fault,) = faults(program + ran.replace("0 passed, 1 failed", "1 passed, 0 failed"))
    assert "'$ suture test m.suture' prints something else" in fault
    (fault,) = faults(program + ran.replace("?\n1\n", "?\n0\n"))
    assert "echo" in fault
    assert len(faults("```console\n$ rm -r x\n```\n")) == 1
