"""The grammar file: LALR without conflicts, keywords that agree with the code, the cache of its tables."""

from __future__ import annotations

import logging
import re
import stat
from pathlib import Path

import pytest
from lark import Lark
from lark import logger as lark_logger

from suture.dsl import grammar
from suture.dsl.layout import Layout
from suture.dsl.parser import STARTS, parse, parse_expression
from suture.dsl.source import Source
from suture.dsl.syntax_errors import KEYWORDS
from suture.dsl.syntax_text import expression_text

TEXT = (Path(__file__).parents[2] / "dsl" / "suture.lark").read_text(encoding="utf-8")


def test_no_conflicts(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce/reduce conflicts are errors; shift/reduce conflicts are resolved silently, but told to the log."""
    monkeypatch.setattr(lark_logger, "propagate", True)
    before = lark_logger.level
    lark_logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, logger=lark_logger.name):
            Lark(TEXT, parser="lalr", lexer="contextual", start=list(STARTS), postlex=Layout(), debug=True)
    finally:
        lark_logger.setLevel(before)
    assert [record.message for record in caplog.records if "onflict" in record.message] == []


def test_the_conflict_test_would_see_one(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lark_logger, "propagate", True)
    before = lark_logger.level
    lark_logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, logger=lark_logger.name):
            Lark('start: start "+" start | "1"', parser="lalr", debug=True)
    finally:
        lark_logger.setLevel(before)
    assert any("onflict" in record.message for record in caplog.records)


def test_keywords_of_grammar_and_code_agree() -> None:
    reserved = re.search(r"NAME: /\(\?!\(\?:([a-z|]+)\)", TEXT)
    assert reserved is not None
    written = set(re.findall(r"^_?[A-Z]+: /([a-z]+)\\b/$", TEXT, re.MULTILINE))
    assert set(reserved.group(1).split("|")) == written == KEYWORDS


def test_arrow_and_comparison_are_told_apart() -> None:
    assert expression_text(parse_expression(Source("if X<-1 then a else b"))) == "if X < -1 then a else b"
    model = parse(Source("model M { X<-Y }")).statements[0]
    assert model.items[0].arrows == ("<-",)  # type: ignore[union-attr]


def test_unicode_is_read() -> None:
    ascii_text = "model M { X -> Y <-> Z <- W }\nindependent X, W given {Y}\nassert 0 <= P(Y = 1) * 2 - 1"
    symbols = "model M { X → Y ↔ Z ← W }\nindependent X ⫫ W given {Y}\nassert 0 ≤ P(Y = 1) · 2 − 1"
    assert parse(Source(symbols)) == parse(Source(ascii_text))


def test_cache_is_private_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = grammar.cache_folder()
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    grammar.load_parser("suture.lark", STARTS, lexer="contextual", postlex=Layout())
    tables = folder / "suture.tables"
    written = tables.stat().st_mtime_ns
    grammar.load_parser("suture.lark", STARTS, lexer="contextual", postlex=Layout())
    assert tables.stat().st_mtime_ns == written


def test_damaged_cache_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "suture").mkdir(mode=0o700)
    (tmp_path / "suture" / "suture.tables").write_bytes(b"nonsense")
    made = grammar.load_parser("suture.lark", STARTS, lexer="contextual", postlex=Layout())
    assert made.parse("show M", start="program") is not None


def test_folder_open_to_others_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "suture").mkdir()
    (tmp_path / "suture").chmod(0o777)
    assert grammar.cache_folder() is None


def test_no_folder_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert grammar.cache_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert grammar.cache_folder() is None
