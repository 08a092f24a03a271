"""Every code has a page, and the example of a page triggers that code and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from suture.dsl.diagnostics import SutureError
from suture.dsl.explanations import PAGES, codes, explain
from suture.dsl.parser import parse
from suture.dsl.resolve import resolve
from suture.dsl.source import Source

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("code", [code for code in codes() if PAGES[code].example])
def test_example_triggers_its_code_alone(code: str) -> None:
    source = Source(PAGES[code].example)
    with pytest.raises(SutureError) as caught:
        resolve(parse(source), source)
    assert {problem.code for problem in caught.value.diagnostics} == {code}


@pytest.mark.parametrize("code", codes())
def test_page_reads_well(code: str) -> None:
    page = explain(code)
    assert page is not None
    assert page.startswith(f"{code}: ")
    assert "To mend it: " in page
    assert explain(code.lower()) == page


def test_no_page_for_an_unknown_code() -> None:
    assert explain("S999") is None


def test_every_code_of_the_language_has_a_page() -> None:
    raised = {
        code
        for path in (ROOT / "dsl").rglob("*.py")
        if "explanation" not in path.name
        for code in re.findall(r'"(S\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert raised - {"S601", "S602", "S603"} <= set(codes())
