"""Input that is hostile, damaged or empty: an answer or a diagnostic, never a traceback, and never late."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutations import programs, survives

from suture.dsl.diagnostics import SutureError
from suture.dsl.files import decode, read_file
from suture.dsl.parser import parse, parse_expression
from suture.dsl.resolve import read_model, read_query, resolve
from suture.dsl.source import Source

EXAMPLES = [
    path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parents[2] / "examples").glob("*.suture"))
]
BAD = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "bad").glob("*.suture"))]


def codes(text: str) -> list[str]:
    source = Source(text)
    with pytest.raises(SutureError) as caught:
        resolve(parse(source), source)
    assert caught.value.render()
    return [problem.code for problem in caught.value.diagnostics]


@pytest.mark.parametrize("text", ["", "\n", " \t \r\n", "# only a comment", ";;;\n;", "\ufeff", "# a\n  # b"])
def test_nothing_is_a_program(text: str) -> None:
    source = Source(text)
    assert resolve(parse(source), source).statements == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * 10_000_000, "S004"),
        ("query q = 1" + " + 1" * 2_500_000, "S004"),
        ("x" * 1_000_000, "S011"),
        ("query q = " + "(" * 100_000 + "1" + ")" * 100_000, "S005"),
        ("query q = " + "(" * 100_000, "S012"),
        ("query q = 1" + ")" * 100_000, "S013"),
        ("query q = " + "-" * 100_000 + "1", "S005"),
        ("model M { X : {0, 1} := " + "not " * 30_000 + "X }", "S005"),
        ("model M { X := " + "if X then 1 else " * 10_000 + "0 }", "S005"),
        ("query q = " + "2 ^ " * 10_000 + "2", "S005"),
        ("query q = P(Y" + "[Y = Y" * 5_000 + "]" * 5_000 + ")", "S005"),
        ("[" * 100_000, "S012"),
        ("query q = P(Y)\x00", "S014"),
        ("\x00" * 1000, "S014"),
        ("query q = " + "9" * 5000, "S017"),
        ("query q = 1e" + "9" * 5000, "S017"),
        ("model M { X : 0..1000000000000 }", "S209"),
        ("model M { X : 0.." + "9" * 5000 + " }", "S017"),
        ("model M { X : 0..1.5 }", "S017"),
        ("model M { X : real[0] }", "S017"),
        ("model M { X : real[99999999999999999999] }", "S017"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_monsters_get_one_diagnostic(text: str, expected: str) -> None:
    assert codes(text)[0] == expected
    assert len(codes(text)) == 1


def test_long_flat_programs_are_fine() -> None:
    text = "model M { X : {0, 1} }\nquery q = 1" + " + P(X = 1)" * 2000 + "\n" + "compute q\n" * 500
    source = Source(text)
    assert len(resolve(parse(source), source).statements) == 500


def test_long_chain_of_arrows() -> None:
    assert len(read_model(" -> ".join(f"V{number}" for number in range(3000))).variables) == 3000


def test_long_cycle_is_found() -> None:
    chain = " -> ".join(f"V{number}" for number in range(3000))
    with pytest.raises(SutureError, match="S204"):
        read_model(f"{chain} -> V0")


def test_chain_of_queries_is_inlined() -> None:
    links = "\n".join(f"query q{number} = q{number + 1}" for number in range(150))
    source = Source(f"model M {{ X -> Y }}\n{links}\nquery q150 = P(Y)\nidentify q0")
    assert len(resolve(parse(source), source).queries) == 151


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_do_not_matter(ending: str) -> None:
    text = ending.join(EXAMPLES[-1].split("\n"))
    assert parse(Source(text)) == parse(Source(EXAMPLES[-1]))


def test_places_after_tabs_and_carriage_returns() -> None:
    source = Source("model M {\r\n\tX -> \r\n}\r\n")
    with pytest.raises(SutureError) as caught:
        parse(source)
    problem = caught.value.diagnostics[0]
    assert problem.span is not None
    assert (problem.span.line, problem.code) == (2, "S010") or problem.span.line == 3


@pytest.mark.parametrize(
    "text", ["", "P(", "P(Y", "1 +", "X -> Y", "query q = 1", "P(Y) P(X)", '"', "\x00", "do(X)", "P()"]
)
def test_queries_that_are_none(text: str) -> None:
    with pytest.raises(SutureError) as caught:
        read_query(text, read_model("X -> Y"))
    assert caught.value.render()


def test_expression_places_count_from_the_text() -> None:
    with pytest.raises(SutureError) as caught:
        parse_expression(Source("  P(Y | )"))
    assert caught.value.diagnostics[0].span is not None
    assert caught.value.diagnostics[0].span.column == 9


def test_mutated_programs_never_end_in_a_traceback() -> None:
    results = [survives(text) for text in programs(EXAMPLES * 8 + BAD, 400, seed=1)]
    assert results.count(True) >= 4, "mutations that leave hardly any program whole test only the parser"
    assert results.count(False) >= 100


# ---- files


def test_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.suture").write_bytes("\ufeffshow M".encode())
    source = read_file(tmp_path / "a.suture")
    assert source.text == "show M"
    assert source.name == str(tmp_path / "a.suture")


def test_missing_file(tmp_path: Path) -> None:
    (tmp_path / "smoking.suture").write_text("")
    with pytest.raises(SutureError) as caught:
        read_file(tmp_path / "smokin.suture")
    assert caught.value.render() == (
        f"error[S001]: {tmp_path}/smokin.suture does not exist\n  = help: did you mean 'smoking.suture'?"
    )


def test_directory_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(SutureError) as caught:
        read_file(tmp_path)
    assert caught.value.render() == (f"error[S002]: {tmp_path} is a directory, not a file\n  = help: name a file")


def test_path_that_cannot_be(tmp_path: Path) -> None:
    for path in ("a\x00b", str(tmp_path / ("x" * 5000))):
        with pytest.raises(SutureError, match="S002"):
            read_file(path)


def test_not_utf8() -> None:
    with pytest.raises(SutureError) as caught:
        decode(b"model M {\n  Stra\xdfe -> Y\n}", "m.suture")
    assert caught.value.render() == (
        "error[S003]: m.suture is not UTF-8 text: byte 0xdf at offset 16, line 2\n"
        " --> m.suture\n  = help: save the file as UTF-8"
    )


def test_utf16_is_recognised() -> None:
    with pytest.raises(SutureError, match="S003") as caught:
        decode("show M".encode("utf-16"), "m.suture")
    assert caught.value.diagnostics[0].help == "it looks like UTF-16: save the file as UTF-8"


def test_old_line_ends() -> None:
    assert decode(b"show M\rshow N", "m.suture").text == "show M\nshow N"
