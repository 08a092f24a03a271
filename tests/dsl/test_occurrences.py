"""Where names are defined and used, judged by renaming: a program with another name everywhere asks the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from suture.dsl import tree
from suture.dsl.diagnostics import SutureError
from suture.dsl.mending import mend
from suture.dsl.occurrences import Kind, Occurrence, occurrences, symbol_at
from suture.dsl.parser import parse
from suture.dsl.printer import format_program
from suture.dsl.program_files import read_program
from suture.dsl.source import Source

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.suture"))
NEW = "Renamed_0"


def named(text: str, folder: Path | None = None) -> tuple[Occurrence, ...]:
    program = read_program(Source(text), folder)
    return occurrences(parse(Source(text)), {name: query.model for name, query in program.queries.items()})


def renamed(text: str, found: tuple[Occurrence, ...], one: Occurrence, new: str) -> str:
    for each in sorted(found, key=lambda each: -each.span.start):
        if each.symbol == one.symbol:
            text = text[: each.span.start] + new + text[each.span.end :]
    return text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_name_of_an_example_can_be_renamed(path: Path) -> None:
    """It still reads as many statements, and the former name put back gives the text as it was."""
    text = path.read_text(encoding="utf-8")
    found = named(text, path.parent)
    assert found
    assert all(text[each.span.start : each.span.end] == each.symbol.name for each in found)
    for one in (each for each in found if each.defines):
        other = renamed(text, found, one, NEW)
        program = read_program(Source(other), path.parent)
        assert len(program.statements) == len(read_program(Source(text), path.parent).statements)
        again = named(other, path.parent)
        back = next(each for each in again if each.symbol.name == NEW)
        assert renamed(other, again, back, one.symbol.name) == text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_name_that_is_renamed_is_nowhere_left_behind(path: Path) -> None:
    """Variables of a program with one model, by their looks: every whole word outside comments and quotes goes."""
    text = path.read_text(encoding="utf-8")
    found = named(text, path.parent)
    if len({each.symbol for each in found if each.symbol.kind is Kind.MODEL}) > 1:
        return
    values = set(re.findall(r"\w+", " ".join(re.findall(r"[:~] *\{([^}]*)\}", text))))
    for one in (each for each in found if each.defines and each.symbol.kind is Kind.VARIABLE):
        other = renamed(text, found, one, NEW)
        bare = re.sub(r'#[^\n]*|"[^"\n]*"', "", other)
        assert one.symbol.name in values or not re.search(rf"\b{one.symbol.name}\b", bare), one


def test_names_of_two_models_are_two_things() -> None:
    text = (
        "model M { X -> Y }\nmodel N { X -> Z }\nquery q = P(Z | do(X))\nidentify q in N\nidentify P(Y | do(X)) in M\n"
    )
    found = named(text)
    of_n = next(each for each in found if each.symbol.model == "N" and each.symbol.name == "X")
    assert renamed(text, found, of_n, "W") == text.replace("X -> Z", "W -> Z").replace("P(Z | do(X))", "P(Z | do(W))")


def test_every_kind_of_statement_has_its_names() -> None:
    text = """model M { A, B : {0, 1} ; real1 : real := 2*A + noise ; A -> B ; mutable B }
domain d of M { B ~ table (A) { _ => 1/2, 1/2 } }
domain e of M { B ~ any }
data s of M weight n { A, B, n ; 0, 1, 2 }
data t of M under do(A = 1) in d weight n { A, B, n ; 1, 1, 2 }
query q = P(B[A = 1, B ~ d] = 1 | A = 0) - E(A + B | do(A = 1))
query r = ate(A -> B = 1) + q + P[t](B = 1)
identify P(B | do(A)) from s, P(A, B) in d as found
estimate q from s
compute q, r
bound P(B = 1 | do(A = 1)) from s as sharp
independent A, B given {real1}
adjust A -> B
show M after do(A = 1)
search predictor of B from {A} over {d, e} minimax log_loss
canonicalise M over {d, e} as N
equivalent M, N over {d, e}
counterfactual A = 1, B = 0 in N from d to e
fit M from s, t design canonical k 1 as F
cause A = 1 of B = 1 in M where A = 1
assert q <= r
assert M: found >= 0
"""
    found = occurrences(parse(Source(text)))
    words = re.sub(r'"[^"]*"', "", text)
    for name in ("A", "B", "M", "N", "F", "q", "r", "s", "t", "d", "e", "real1", "found", "sharp"):
        places = {match.start() for match in re.finditer(rf"\b{name}\b", words)}
        assert {each.span.start for each in found if each.symbol.name == name} == places, name
    kinds = {each.symbol.name: each.symbol.kind for each in found}
    assert (kinds["d"], kinds["t"], kinds["N"], kinds["sharp"]) == (Kind.DOMAIN, Kind.DATA, Kind.MODEL, Kind.ANSWER)
    assert {each.symbol.model for each in found if each.symbol.kind in (Kind.VARIABLE, Kind.DOMAIN)} == {"M"}


def test_the_name_at_a_place() -> None:
    found = named("model M { X -> Y }")
    assert [symbol_at(found, place) and symbol_at(found, place).symbol.name for place in (5, 6, 7, 8, 10, 11, 15)] == [
        None, "M", "M", None, "X", "X", "Y"
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Programs with errors


def test_what_is_well_is_read_where_the_rest_is_not() -> None:
    text = """model M {
  X, Y : {no, yes}
  X -> Y
  Y -> -> X
}
model { A }
domain d of M { Z ~ any }
query q = P(Y = yes | do(X = yes))
identify q
compute P(Q)
identify P(
"""
    found = mend(Source(text))
    assert [problem.span.line for problem in found.problems] == [4, 6, 12]
    assert list(found.program.models) == ["M"]
    assert found.program.models["M"].observed == ("X", "Y")
    assert [type(each).__name__ for each in found.program.statements] == ["Identify"]
    assert [each.span.start for each in occurrences(found.tree) if each.symbol.name == "q"] == [
        match.start() for match in re.finditer(r"\bq\b", text)
    ]


def test_a_model_is_read_without_the_line_that_does_not_fit() -> None:
    text = "model M {\n  X, Y : {no, yes}\n  X -> Y\n  Q -> Y\n}\nidentify P(Y | do(X))\n"
    found = mend(Source(text))
    assert [problem.message for problem in found.problems] == ["unknown variable 'Q' in model M"]
    assert found.program.models["M"].parents("Y") == ("X",)
    assert len(found.program.statements) == 1


@settings(max_examples=25)
@given(programs, st.data())
def test_a_program_without_errors_is_read_whole(program: tree.Program, data: st.DataObject) -> None:
    text = format_program(program)
    found = mend(Source(text))
    assert (found.problems == ()) == (not _wrong(text))
    assert found.tree == parse(Source(text))
    if not found.problems:
        assert found.program == read_program(Source(text))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    broken = text[:start] + data.draw(st.text('mXY{}()[]|=~->,;\n"# 0', max_size=6)) + text[end:]
    found = mend(Source(broken))
    for each in occurrences(found.tree):
        assert broken[each.span.start : each.span.end] == each.symbol.name
    assert bool(found.problems) == _wrong(broken)


def _wrong(text: str) -> bool:
    try:
        read_program(Source(text))
    except SutureError:
        return True
    return False
