"""The whole text of every diagnostic: each program in `bad/` has beside it what is said of it.

A new one is added by writing both files; `SUTURE_WRITE_BAD=1` writes the second, to be judged before it is kept.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from suture.dsl.diagnostics import SutureError
from suture.dsl.explanations import PAGES
from suture.dsl.parser import parse
from suture.dsl.resolve import resolve
from suture.dsl.source import Source

BAD = Path(__file__).parent / "bad"
PROGRAMS = sorted(BAD.glob("*.suture"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_bad_program_is_told_what_is_wrong(path: Path) -> None:
    source = Source(path.read_text(encoding="utf-8"), path.name)
    with pytest.raises(SutureError) as caught:
        resolve(parse(source), source)
    said = caught.value.render() + "\n"
    expected = path.with_suffix(".txt")
    if os.environ.get("SUTURE_WRITE_BAD"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_every_code_with_an_example_is_among_them() -> None:
    said = {code for path in BAD.glob("*.txt") for code in re.findall(r"error\[(S\d+)\]", path.read_text("utf-8"))}
    assert said >= {code for code, page in PAGES.items() if page.example}
