"""The pages: generated ones are current, every link leads somewhere, every program in them reads and resolves."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "docs" / "build.py"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """docs/build.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_hold() -> None:
    done = subprocess.run([sys.executable, BUILD, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_link_is_seen(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# Here I am\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](gone.md) [b](other.md#here-i-am) [c](other.md#elsewhere) ![d](gone.svg) [e](https://example.org/x)"
    )
    assert list(build.broken_links(page)) == [
        "page.md: gone.md does not exist",
        "page.md: other.md#elsewhere has no such heading",
        "page.md: gone.svg does not exist",
    ]


def test_a_broken_program_is_seen(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```suture\nmodel M { X -> Y }\n```\n\n```suture\nmodel M { A : {0, 1} ; A -> Bee }\n```\n")
    (fault,) = build.broken_programs(page)
    assert "page.md, block 2:1" in fault
    assert "'Bee'" in fault


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
def test_an_answer_may_be_shown_in_part(build: ModuleType, excerpt: str, shown: bool) -> None:
    assert build.shows(excerpt, "a\nb\nc") is shown


def test_a_wrong_answer_is_seen(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    program = "```suture\nmodel M { X : {0, 1} ~ {0: 1/4, 1: 3/4} }\ncompute P(X = 1) in M\n```\n"
    page.write_text(program + "```answer\n...\n  0.75  = 3/4\n...\n```\n")
    assert list(build.wrong_answers(page)) == []
    page.write_text(program + "```answer\n...\n  0.25  = 1/4\n...\n```\n")
    assert len(list(build.wrong_answers(page))) == 1


def test_python_that_fails_or_prints_something_else_is_seen(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 2\n```\n```python\nprint(x)\n```\n```output\n2\n```\n")
    assert list(build.failing_python(page)) == []
    page.write_text("```python\nprint(3)\n```\n```output\n2\n```\n```python\n1 / 0\n```\n")
    assert list(build.failing_python(page)) == [
        "page.md, block 2: this is not what the program before it prints:\n3\n",
        "page.md, block 3: ZeroDivisionError: division by zero",
    ]
