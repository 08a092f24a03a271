"""Distributions of data: published tables, every kind of table, exactness, and every way a table can be wrong."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suture.dsl.diagnostics import SutureError
from suture.dsl.formula_reader import read_formula
from suture.dsl.program import Data, File, Model
from suture.dsl.resolve import read_model
from suture.semantics.data.empirical import Empirical, from_columns, load, natural_order
from suture.semantics.evaluate import evaluate, evaluation
from suture.semantics.semiring import PROBABILITY, RATIONAL

from .programs import program

SMOKING = """
model Smoking {{
  latent Gene
  Smoke, Tar, Cancer : {{no, yes}}
  Gene -> Smoke -> Tar -> Cancer
  Gene -> Cancer
}}
data survey of Smoking weight share {{
  Smoke, Tar, Cancer, share
  {rows}
}}
"""
FRONT_DOOR = read_formula("sum{t} P(Tar=t | Smoke) sum{s} P(Smoke=s) P(Cancer=yes | Smoke=s, Tar=t)")
SCENARIOS = {
    ".5 .1 .01 .02 .1 .05 .02 .2": ((0.1905, 0.6757), (0.2535, 0.5423)),
    ".14 .05 .16 .05 .1 .21 .1 .19": ((0.25, 0.6667), (0.4994, 0.5004)),
    ".3 .05 .2 .05 .05 .05 .25 .05": ((0.1667, 0.25), (0.2444, 0.2114)),
}


def survey(shares: str) -> Empirical:
    cells = itertools.product(("no", "yes"), repeat=3)
    rows = " ; ".join(f"{', '.join(cell)}, 0{share}" for cell, share in zip(cells, shares.split(), strict=True))
    made = program(SMOKING.format(rows=rows))
    return load(made.data["survey"], made.models["Smoking"])


@pytest.mark.parametrize("shares", SCENARIOS)
def test_the_three_scenarios_of_the_surgery_paper(shares: str) -> None:
    naive, effect = SCENARIOS[shares]
    data = survey(shares)
    plain = evaluate(read_formula("P(Cancer=yes | Smoke)"), data)
    door = evaluate(FRONT_DOOR, data)
    assert [float(value) for value in plain.values] == pytest.approx(naive, abs=6e-5)
    assert [float(value) for value in door.values] == pytest.approx(effect, abs=6e-5)
    assert all(isinstance(value, Fraction) for value in door.values)


def test_the_first_scenario_in_exact_rationals() -> None:
    """sum_t P(t | s=1) sum_s P(s) P(c | s, t), written out with the fractions of the paper's table."""
    counts = map(Fraction, ("50", "10", "1", "2", "10", "5", "2", "20"))
    joint = dict(zip(itertools.product((0, 1), repeat=3), counts, strict=True))
    total = sum(joint.values())

    def p(**at: int) -> Fraction:
        places = {"s": 0, "t": 1, "c": 2}
        return (
            sum((w for cell, w in joint.items() if all(cell[places[n]] == v for n, v in at.items())), Fraction(0))
            / total
        )

    expected = sum(p(s=1, t=t) / p(s=1) * sum(p(s=s) * p(s=s, t=t, c=1) / p(s=s, t=t) for s in (0, 1)) for t in (0, 1))
    assert evaluate(FRONT_DOOR, survey(next(iter(SCENARIOS)))).at(Smoke="yes").item() == expected


KIDNEY = {  # Charig et al. 1986: stone, treatment, successes, failures
    ("small", "open"): (81, 6),
    ("large", "open"): (192, 71),
    ("small", "puncture"): (234, 36),
    ("large", "puncture"): (55, 25),
}
ADMISSIONS = {  # Bickel et al. 1975, the six largest departments: admitted and rejected men, then women
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}


def test_kidney_stones(cases: Callable[[str], Any]) -> None:
    known = {case["id"]: case["expected"] for case in cases("numeric.json")["cases"]}
    rows = [(*cell, out, n) for cell, pair in KIDNEY.items() for out, n in zip(("yes", "no"), pair, strict=True)]
    names = ("Stone", "Treatment", "Success", "n")
    table = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    data = from_columns(table, read_model("Stone -> Treatment -> Success ; Stone -> Success"), "n")
    adjusted = evaluate(read_formula("sum{s} P(Success=yes | Treatment=open, Stone=s) P(Stone=s)"), data)
    weighted = read_formula("sum{s} (P(Success=yes, Treatment=open, Stone=s) / P(Treatment=open | Stone=s))")
    expected = known["ipw_equals_adjustment"]["value"]
    assert float(adjusted.item()) == pytest.approx(expected, abs=1e-9)
    assert evaluate(weighted, data).item() == adjusted.item()


def test_berkeley_admissions(cases: Callable[[str], Any]) -> None:
    known = {case["id"]: case["expected"] for case in cases("numeric.json")["cases"]}["berkeley_admissions"]
    cells = [(sex, out) for sex in ("male", "female") for out in ("yes", "no")]
    rows = [(*cell, d, n) for d, four in ADMISSIONS.items() for cell, n in zip(cells, four, strict=True)]
    table = {name: [row[place] for row in rows] for place, name in enumerate(("Sex", "Admit", "Dept", "n"))}
    data = from_columns(table, read_model("Sex -> Dept -> Admit ; Sex -> Admit"), "n")

    def number(text: str) -> float:
        return float(evaluate(read_formula(text), data).item())

    direct = "P(Admit=yes | Sex=female, Dept=d) - P(Admit=yes | Sex=male, Dept=d)"
    found = {
        "p_female": number("P(Admit=yes | Sex=female)"),
        "p_male": number("P(Admit=yes | Sex=male)"),
        "TE": number("P(Admit=yes | Sex=female) - P(Admit=yes | Sex=male)"),
        "avg_CDE": number(f"sum{{d}} P(Dept=d) ({direct})"),
        "NDE": number(f"sum{{d}} P(Dept=d | Sex=male) ({direct})"),
        "NIE": number("sum{d} P(Admit=yes | Sex=male, Dept=d) (P(Dept=d | Sex=female) - P(Dept=d | Sex=male))"),
    }
    assert found == pytest.approx(known, abs=1e-9)


# ---------------------------------------------------------------------------------------------------------------------
# Every kind of table gives the same numbers

DECLARED = read_model("model M { X : {0, 1} ; Y : {no, yes} ; Z : 0..2 ; X -> Y ; Z -> Y }")


def columns(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {
        "X": generator.integers(0, 2, rows),
        "Y": np.array(["no", "yes"])[generator.integers(0, 2, rows)],
        "Z": generator.integers(0, 3, rows),
    }


def share(cells: dict[str, np.ndarray], **at: Any) -> Fraction:
    chosen = np.ones(len(cells["X"]), dtype=bool)
    for name, value in at.items():
        chosen &= cells[name] == value
    return Fraction(int(chosen.sum()), len(chosen))


def as_pandas(cells: dict[str, np.ndarray]) -> Any:
    return pytest.importorskip("pandas").DataFrame(cells)


def as_polars(cells: dict[str, np.ndarray]) -> Any:
    return pytest.importorskip("polars").DataFrame(cells)


def as_arrow(cells: dict[str, np.ndarray]) -> Any:
    return pytest.importorskip("pyarrow").table(cells)


def as_duckdb(cells: dict[str, np.ndarray]) -> Any:
    return pytest.importorskip("duckdb").from_arrow(as_arrow(cells))


def as_lists(cells: dict[str, np.ndarray]) -> Any:
    return {name: values.tolist() for name, values in cells.items()}


@pytest.mark.parametrize("shape", [dict, as_lists, as_pandas, as_polars, as_arrow, as_duckdb])
def test_tables_of_python(shape: Callable[[dict[str, np.ndarray]], Any]) -> None:
    cells = columns(200)
    data = from_columns(shape(cells), DECLARED)
    found = evaluate(read_formula("P(Y=yes, X=1 | Z)"), data)
    for (label,), value in found.rows():
        assert value == share(cells, Y="yes", X=1, Z=int(label)) / share(cells, Z=int(label))


def write_csv(path: Path, cells: dict[str, np.ndarray], separator: str = ",") -> None:
    lines = [separator.join(cells)] + [separator.join(map(str, row)) for row in zip(*cells.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def file(folder: Path, name: str, model: Model = DECLARED, weight: str | None = None) -> Empirical:
    return load(Data("d", model.name, File(name), weight), model, folder)


@pytest.mark.parametrize("kind", ["csv", "semicolon.csv", "tab.tsv", "gz", "parquet"])
def test_files(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    cells, path = columns(300, 1), tmp_path / f"d.{kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow.parquet").write_table(as_arrow(cells), path)
    elif kind == "gz":
        path = tmp_path / "d.csv.gz"
        write_csv(tmp_path / "plain.csv", cells)
        path.write_bytes(gzip.compress((tmp_path / "plain.csv").read_bytes()))
    else:
        write_csv(path, cells, {"csv": ",", "semicolon.csv": ";", "tab.tsv": "\t"}[kind])
    data = file(tmp_path, path.name)
    assert evaluate(read_formula("P(Y=yes | X=1, Z=2)"), data).item() == (
        share(cells, Y="yes", X=1, Z=2) / share(cells, X=1, Z=2)
    )
    assert data.labels("X") == ("0", "1")


def test_spellings_of_a_value_are_one_value(tmp_path: Path) -> None:
    rows = 'X,Y,Z\r\n1," yes ",2\r\n1.0,yes,2.0\r\n0,"no",0\r\n'
    (tmp_path / "d.csv").write_text("\ufeff" + rows, encoding="utf-8")
    data = file(tmp_path, "d.csv")
    assert evaluate(read_formula("P(X=1, Y=yes, Z=2)"), data).item() == Fraction(2, 3)
    booleans = from_columns({"X": [True, False], "Y": [True, False], "Z": [0.0, 1.0]}, DECLARED)
    assert evaluate(read_formula("P(X=1, Y=yes, Z=0)"), booleans).item() == Fraction(1, 2)


def test_weights_written_as_numbers_stay_exact(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("X,Y,Z,n\n1,yes,0,0.1\n0,yes,0,2e-1\n0,no,1,1/4\n0,no,1,0\n", encoding="utf-8")
    data = file(tmp_path, "d.csv", weight="n")
    assert data.semiring is RATIONAL
    assert evaluate(read_formula("P(X=1)"), data).item() == Fraction(1, 10) / (Fraction(3, 10) + Fraction(1, 4))
    floats = from_columns({"X": [1, 0], "Y": ["no", "yes"], "Z": [0, 0], "w": [0.25, 0.5]}, DECLARED, "w")
    assert floats.semiring is PROBABILITY
    assert evaluate(read_formula("P(X=1)"), floats).item() == pytest.approx(1 / 3)


def test_many_different_weights_are_summed_by_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suture.semantics.data.tables.MOST_WEIGHTS", 10)
    cells = columns(100)
    weights = np.arange(1, 101) / 7
    write_csv(tmp_path / "d.csv", {**cells, "w": weights})
    data = file(tmp_path, "d.csv", weight="w")
    assert data.semiring is PROBABILITY
    assert evaluate(read_formula("P(X=1)"), data).item() == pytest.approx(
        weights[cells["X"] == 1].sum() / weights.sum()
    )
    write_csv(tmp_path / "e.csv", {**cells, "w": np.where(np.arange(100) == 70, -1.0, weights)})
    assert problem(lambda: file(tmp_path, "e.csv", weight="w")).startswith(
        "error[S304]: the weight '-1.0' in row 71 of e.csv is below zero"
    )


def test_a_symbolic_variable_takes_its_values_from_the_data() -> None:
    model = read_model("A -> B")
    data = from_columns({"A": ["10", "9", "9", "9"], "B": ["b10", "b9", "b9", "b10"]}, model)
    assert (data.labels("A"), data.labels("B")) == (("9", "10"), ("b9", "b10"))
    assert evaluate(read_formula("P(B=b9 | A=9)"), data).item() == Fraction(2, 3)


def test_natural_order() -> None:
    assert natural_order({"x10", "x9", "2", "10", "1.5", "X1", "2.0"}) == ("1.5", "2", "10", "X1", "x9", "x10")


def test_a_variable_that_comes_twice_is_tied_to_itself() -> None:
    cells = columns(60, 2)
    data = from_columns(cells, DECLARED)
    assert evaluate(read_formula("P(X=1 | X=1)"), data).item() == 1
    assert evaluate(read_formula("P(X=1 | X=0)"), data).item() == 0
    assert evaluate(read_formula("sum{a, b} P(X=a, X=b)"), data).item() == 1
    assert evaluate(read_formula("sum{a} P(X=a, X=1, Y=yes)"), data).item() == share(cells, X=1, Y="yes")


def test_conditionals_glue_back_to_the_joint() -> None:
    """Disintegration in the empirical semantics, exactly."""
    data = from_columns(columns(80, 3), DECLARED)
    glued = evaluate(read_formula("P(X) P(Y | X) P(Z | X, Y)"), data)
    joint = evaluate(read_formula("P(X, Y, Z)"), data)
    assert glued.variables == joint.variables
    assert (glued.values == joint.values).all()


def test_only_the_tables_of_the_formula_are_counted() -> None:
    data = from_columns(columns(50), DECLARED)
    evaluate(read_formula("sum{z} P(Y | X=1, Z=z) P(Z=z)"), data)
    assert set(data._tables) == {("X", "Y", "Z"), ("X", "Z"), ("Z",), ()}


def test_forty_columns_need_no_joint_table() -> None:
    generator = np.random.default_rng(0)
    names = [f"V{n}" for n in range(40)]
    model = read_model(" -> ".join(names))
    data = from_columns({name: generator.integers(0, 2, 500) for name in names}, model)
    chain = "".join(f"sum{{v{n}}} P(V{n}=v{n} | V{n - 1}=v{n - 1}) " for n in range(2, 39))
    formula = read_formula(f"sum{{v1}} P(V1=v1 | V0=1) {chain} P(V39=1 | V38=v38)")
    assert 0 < evaluate(formula, data).item() < 1
    with pytest.raises(SutureError) as caught:
        evaluate(read_formula(f"P({', '.join(names)})"), data)
    assert caught.value.diagnostics[0].code == "S603"


def test_an_experiment_answers_its_own_do_and_nothing_else() -> None:
    cells = columns(120, 5)
    made = program(
        "model M { X : {0, 1} ; Y : {no, yes} ; Z : 0..2 ; X -> Y ; Z -> Y }\n"
        "data trial of M under do(X) { X, Y, Z ; "
        + " ; ".join(", ".join(map(str, row)) for row in zip(*cells.values(), strict=True))
        + " }"
    )
    data = load(made.data["trial"], made.models["M"])
    expected = share(cells, X=1, Y="yes", Z=0) / share(cells, X=1, Z=0)
    assert evaluate(read_formula("P(Y=yes | do(X=1), Z=0)"), data).item() == expected
    assert problem(lambda: evaluate(read_formula("P(Y=yes | X=1)"), data)) == (
        "error[S422]: the data trial cannot tell P(Y=yes, X=1): the experiment set X\n"
        "  = help: it answers P(.. | do(X)), and nothing without that"
    )


def test_data_answer_for_their_own_name_and_domain() -> None:
    made = program(
        "model M { X, Y : {no, yes} ; X -> Y ; mutable X }\n"
        "domain rural of M { X ~ {no: 0.5, yes: 0.5} }\n"
        "data away of M in rural { X, Y ; no, yes ; yes, yes }"
    )
    data = load(made.data["away"], made.models["M"])
    for source in ("away", "rural"):
        assert evaluate(read_formula(f"P[{source}](X=yes)"), data).item() == Fraction(1, 2)
    assert problem(lambda: evaluate(read_formula("P[city](X=yes)"), data)) == (
        "error[S423]: there is no distribution named 'city' here\n  = help: the data at hand are away"
    )


def test_positivity_is_reported() -> None:
    data = from_columns({"X": [0, 0], "Y": ["no", "yes"], "Z": [0, 1]}, DECLARED)
    done = evaluation(read_formula("sum{z} P(Y=yes | X=1, Z=z) P(Z=z)"), data)
    assert done.table.item() is None
    assert done.gaps[0].text() == (
        "P(Y=yes | X=1, Z=z): the condition X=1, Z=0 and X=1, Z=1 and X=1, Z=2 has probability 0"
    )


# ---------------------------------------------------------------------------------------------------------------------
# What can be wrong


def problem(action: Callable[[], Any]) -> str:
    with pytest.raises(SutureError) as caught:
        action()
    return caught.value.render()


GOOD = "X,Y,Z\n0,no,0\n1,yes,1\n"
FILES: dict[str, tuple[str, str]] = {
    "empty": ("", "error[S306]: d.csv is empty\n  = help: the first row of a CSV file names its columns"),
    "blank": ("\n", "error[S306]: d.csv is empty\n  = help: the first row of a CSV file names its columns"),
    "only a header": ("X,Y,Z\n", "error[S306]: d.csv has no rows"),
    "ends in the middle": (
        GOOD + "1,no",
        "error[S305]: line 4 of d.csv has 2 cells for 3 columns\n"
        "  = help: the file may end in the middle of a row, or a cell with a separator in it lacks quotes",
    ),
    "too many cells": (
        "X,Y,Z\n0,no,0,5\n1,yes,1\n",
        "error[S305]: line 2 of d.csv has 4 cells for 3 columns\n"
        "  = help: the file may end in the middle of a row, or a cell with a separator in it lacks quotes",
    ),
    "open quote": (
        GOOD + '1,"no,2\n',
        "error[S312]: line 4 of d.csv opens a quote that is never closed\n"
        "  = help: the file may end in the middle; a quote inside a quoted cell is written twice",
    ),
    "misspelt column": (
        GOOD.replace("X,", "XX,").replace("XX", "Zz").replace(",Z\n", ",Q\n"),
        "error[S301]: column 'Zz' of d.csv is not in model M\n  = help: did you mean 'Z'?",
    ),
    "counts without weight": (
        "X,Y,Z,n\n0,no,0,17\n",
        "error[S301]: column 'n' of d.csv is not in model M\n  = help: if it holds counts, say so: weight n",
    ),
    "nothing of the model": (
        "a1,b1\n0,1\n",
        "error[S308]: d.csv has none of the variables of model M\n"
        "  = help: its columns are a1, b1; the variables are X, Y, Z",
    ),
    "column twice": ("X,Y,X\n0,no,0\n", "error[S307]: column 'X' is listed twice in d.csv"),
    "unknown label": (
        GOOD + "1,yess,2\n0,yess,2\n",
        "error[S302]: 'yess' in column Y of d.csv is not a declared value (row 3, 1 more row)\n"
        "  = help: did you mean 'yes'?",
    ),
    "missing cells": (
        GOOD + "1,,2\n,NA,2\n",
        "error[S309]: column X of d.csv has 1 missing value, the first in row 4\n"
        "  = help: leave those rows out, or give missing its own value\n\n"
        "error[S309]: column Y of d.csv has 2 missing values, the first in row 3\n"
        "  = help: leave those rows out, or give missing its own value",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_wrong_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    content, expected = FILES[name]
    Path("d.csv").write_text(content, encoding="utf-8")
    assert problem(lambda: file(Path(), "d.csv")) == expected


def test_files_that_are_not_there_or_no_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    here = Path()
    Path("survey.csv").write_text(GOOD, encoding="utf-8")
    Path("folder").mkdir()
    Path("latin.csv").write_bytes(b"X,Y,Z\n0,\xe9,1\n")
    Path("cut.csv.gz").write_bytes(gzip.compress(GOOD.encode() * 500)[:60])
    assert problem(lambda: file(here, "survy.csv")) == (
        "error[S310]: there is no file survy.csv\n  = help: did you mean 'survey.csv'?"
    )
    assert problem(lambda: file(here, "folder")) == (
        "error[S311]: folder is a directory, not a data file\n  = help: name a CSV or Parquet file"
    )
    assert problem(lambda: file(here, "latin.csv")) == (
        "error[S312]: latin.csv is not UTF-8 text\n  = help: save the file as UTF-8"
    )
    assert problem(lambda: file(here, "cut.csv.gz")).startswith("error[S312]: cut.csv.gz cannot be read as a table")


def test_a_parquet_file_that_ends_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("pyarrow.parquet").write_table(as_arrow(columns(5000)), "d.parquet")
    whole = Path("d.parquet").read_bytes()
    Path("cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert problem(lambda: file(Path(), "cut.parquet")) == (
        "error[S312]: cut.parquet is not a complete Parquet file\n"
        "  = help: it may be cut off in the middle: fetch or write it again"
    )
    Path("torn.parquet").write_bytes(whole[:200] + bytes(400) + whole[600:])
    assert problem(lambda: file(Path(), "torn.parquet")).startswith(
        "error[S312]: torn.parquet cannot be read as a table"
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("-1", "error[S304]: the weight '-1' in row 2 of d.csv is below zero\n"),
        ("many", "error[S304]: the weight 'many' in row 2 of d.csv is not a number\n"),
        ("", "error[S309]: column n of d.csv has a missing weight in row 2\n"),
        ("nan", "error[S309]: column n of d.csv has a missing weight in row 2\n"),
        ("inf", "error[S304]: the weight 'inf' in row 2 of d.csv is not a number\n"),
    ],
)
def test_wrong_weights(cell: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text(f"X,Y,Z,n\n0,no,0,3\n1,no,0,{cell}\n", encoding="utf-8")
    assert problem(lambda: file(Path(), "d.csv", weight="n")).startswith(expected)


def test_wrong_weights_in_memory() -> None:
    good: dict[str, Any] = {"X": [0, 1], "Y": ["no", "yes"], "Z": [0, 0]}
    for weights, expected in (
        ([1.0, -2.0], "error[S304]: the weight '-2.0' in row 2 of data is below zero"),
        ([1.0, float("nan")], "error[S309]: column n of data has a missing weight in row 2"),
        ([1, None], "error[S309]: column n of data has a missing weight in row 2"),
        ([0, 0], "error[S306]: the weights of data sum to zero"),
    ):
        wrong = {**good, "n": weights}
        assert problem(lambda wrong=wrong: from_columns(wrong, DECLARED, "n")).startswith(expected)
    assert problem(lambda: from_columns(good, DECLARED, "m")) == (
        "error[S303]: data has no column 'm' for the weights\n  = help: the columns are X, Y, Z"
    )


def test_missing_values_of_pandas_and_polars() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    expected = "error[S309]: column X of data has 1 missing value, the first in row 2\n"
    for gap in (
        pandas.DataFrame({"X": pandas.array([1, None], dtype="Int64"), "Y": ["no", "yes"]}),
        pandas.DataFrame({"X": [1, float("nan")], "Y": ["no", "yes"]}),
        polars.DataFrame({"X": [1, None], "Y": ["no", "yes"]}),
        {"X": np.array([1.0, np.nan]), "Y": ["no", "yes"]},
    ):
        assert problem(lambda gap=gap: from_columns(gap, DECLARED)).startswith(expected)


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "a[1]*.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "a1x.csv").write_text("wrong", encoding="utf-8")
    assert evaluate(read_formula("P(X=1)"), file(tmp_path, "a[1]*.csv")).item() == Fraction(1, 2)


def test_what_is_no_table() -> None:
    assert problem(lambda: from_columns({"X": 1}, DECLARED)) == (
        "error[S314]: column X does not hold one value a row\n"
        "  = help: give one list or array of values for each column"
    )
    assert problem(lambda: from_columns({"X": np.zeros((2, 2)), "Y": ["no", "yes"]}, DECLARED)).startswith(
        "error[S314]: column X does not hold one value a row"
    )
    assert problem(lambda: from_columns("survey.csv", DECLARED)) == (
        "error[S314]: a str is not a table\n"
        "  = help: give a dict of columns, or a pandas, polars, pyarrow or DuckDB table"
    )
    assert problem(lambda: from_columns({"X": [0, 1], "Y": ["no"]}, DECLARED)) == (
        "error[S305]: the columns of data differ in length: X has 2, Y has 1"
    )
    assert problem(lambda: from_columns({"X": [], "Y": []}, DECLARED)) == "error[S306]: data has no rows"


def test_a_column_of_measurements_is_no_finite_variable() -> None:
    wide = {"A": [f"{n / 8}" for n in range(10_001)], "B": ["0"] * 10_001}
    assert problem(lambda: from_columns(wide, read_model("A -> B"))) == (
        "error[S313]: column A of data has more than 10,000 different values\n"
        "  = help: a finite variable is meant here: group the values first"
    )


def test_variables_and_worlds_that_the_data_do_not_hold() -> None:
    data = from_columns({"X": [0, 1], "Y": ["no", "yes"]}, DECLARED)
    assert data.variables == ("X", "Y")
    assert problem(lambda: evaluate(read_formula("P(Z=1)"), data)) == (
        "error[S308]: data has no column for Z\n  = help: its columns are X, Y"
    )
    assert problem(lambda: evaluate(read_formula("P(Y=yes | do(X=1))"), data)) == (
        "error[S422]: the data data cannot tell P(Y[X=1]=yes): they were observed, not set\n"
        "  = help: identify the query first, or use data of an experiment"
    )
    assert problem(lambda: evaluate(read_formula("P(Y=maybe)"), data)) == (
        "error[S420]: Y has no value 'maybe'\n  = help: the values of Y are no, yes"
    )
