"""`suture infer`: probabilities case by case from a table of evidence; against listing every state."""

from __future__ import annotations

import csv
import io
from itertools import product

import pytest

from suture.cli import main

PROGRAM = """
model Clinic {
  Season : {summer, winter} ~ {summer: 0.5, winter: 0.5}
  Flu    : {no, yes} ~ table (Season) { summer => 0.98, 0.02 ; winter => 0.85, 0.15 }
  Fever  : {no, yes} ~ table (Flu)    { no => 0.95, 0.05 ; yes => 0.2, 0.8 }
  Test   : {neg, pos} ~ table (Flu)   { no => 1, 0 ; yes => 0.3, 0.7 }
  Season -> Flu -> Fever ; Flu -> Test
}
"""
FLU = {"summer": 0.02, "winter": 0.15}
FEVER = {"no": 0.05, "yes": 0.8}
TEST = {"no": 0.0, "yes": 0.7}


def joint(state: dict[str, str], cut: str | None = None) -> float:
    """The probability of a state; with `cut` the box of Flu gives way to that value."""
    season, flu, fever, test = (state[name] for name in ("Season", "Flu", "Fever", "Test"))
    sick = FLU[season] if cut is None else float(cut == "yes")
    return (
        0.5
        * (sick if flu == "yes" else 1 - sick)
        * (FEVER[flu] if fever == "yes" else 1 - FEVER[flu])
        * (TEST[flu] if test == "pos" else 1 - TEST[flu])
    )


def chance(event: dict[str, str], given: dict[str, str], cut: str | None = None) -> float:
    names: list[str] = ["Season", "Flu", "Fever", "Test"]
    states = [dict(zip(names, state, strict=True)) for state in product(FLU, FEVER, FEVER, ("neg", "pos"))]

    def total(wanted: dict[str, str]) -> float:
        held = [state for state in states if wanted.items() <= state.items()]
        return sum(joint(state, cut) for state in held)

    return total({**given, **event}) / total(given)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "clinic.suture").write_text(PROGRAM)
    (tmp_path / "rows.csv").write_text("Fever,Test\nyes,pos\nno,\n,neg\n")
    return str(tmp_path / "clinic.suture"), str(tmp_path / "rows.csv")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("path", ["numpy", "jax"])
def test_each_case_has_its_own_evidence(files, capsys, path) -> None:
    program, rows = files
    assert main(["infer", program, "Flu", "Season", "--cases", rows, "--path", path, "--device", "cpu"]) == 0
    found = table(capsys.readouterr().out)
    evidence = [{"Fever": "yes", "Test": "pos"}, {"Fever": "no"}, {"Test": "neg"}]
    assert [row["case"] for row in found] == ["1", "2", "3"]
    for row, given in zip(found, evidence, strict=True):
        for name, label in [("Flu", "yes"), ("Season", "winter")]:
            assert float(row[f"{name}={label}"]) == pytest.approx(chance({name: label}, given), abs=1e-12)


def test_interventions_at_a_value_and_at_every_value(files, capsys) -> None:
    program, rows = files
    assert main(["infer", program, "Fever", "Season", "--do", "Flu=yes", "--given", "Test=pos"]) == 0
    (row,) = table(capsys.readouterr().out)
    assert float(row["Fever=yes"]) == pytest.approx(0.8)
    assert float(row["Season=winter"]) == pytest.approx(0.5)
    assert main(["infer", program, "Fever", "--do", "Flu", "--cases", rows]) == 0
    output = capsys.readouterr()
    found = table(output.out)
    assert [(row["case"], row["do(Flu)"]) for row in found] == [(c, v) for c in "123" for v in ("no", "yes")]
    assert found[0]["Fever=yes"] == ""
    assert float(found[5]["Fever=yes"]) == pytest.approx(chance({"Fever": "yes"}, {"Test": "neg"}, "yes"))
    assert output.err == "note: the evidence of 1 case(s) has probability 0: 1\n"


def test_all_variables_of_one_case(files, capsys) -> None:
    assert main(["infer", files[0]]) == 0
    (row,) = table(capsys.readouterr().out)
    assert float(row["Flu=yes"]) == pytest.approx(0.085)
    assert [name for name in row if name.endswith("=yes")] == ["Flu=yes", "Fever=yes"]


MISTAKES = {
    "name": (["Fevr"], "error[S104]: unknown variable 'Fevr'\n  = help: did you mean 'Fever'?\n"),
    "label": (["Flu", "--given", "Fever=high"], "error[S420]: Fever has no value 'high'\n"),
    "twice": (["Flu", "--given", "Fever=yes", "--cases", "ROWS"], "error[S490]: Fever is given at one value"),
    "file": (["Flu", "--cases", "no.csv"], "error[S310]: there is no file no.csv\n"),
    "device": (["Flu", "--device", "abacus", "--path", "jax"], "error[S483]: there is no device 'abacus' here\n"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_and_nothing_is_printed(files, capsys, mistake) -> None:
    arguments, message = MISTAKES[mistake]
    program, rows = files
    assert main(["infer", program, *(rows if each == "ROWS" else each for each in arguments)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(message)


def test_evidence_without_a_value_is_refused(files, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["infer", files[0], "Flu", "--given", "Fever"])
    assert capsys.readouterr().err.endswith("argument --given: 'Fever' gives no value; write Fever=value\n")
