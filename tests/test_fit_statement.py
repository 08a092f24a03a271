"""The statement `fit`: from files and tables to a model that other statements use; words that stay names elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from latent_samples import drawn

from suture.answers.schema import schema
from suture.dsl.parser import parse
from suture.dsl.printer import format_source
from suture.dsl.source import Source
from suture.engine import run

MODEL = "model Lens { X1, X2, X3 : real }\ndomain old of Lens {}\ndomain new of Lens {}\n"
DATA = 'data first of Lens in old from "old.csv"\ndata second of Lens in new from "new.csv"\n'


def written(folder: Path, cases: int) -> dict[tuple[str, str], np.ndarray]:
    """CSV files of two domains in a folder; the true counterfactuals of their rows."""
    samples, truth = drawn(4, cases)
    for name in ("old", "new"):
        np.savetxt(folder / f"{name}.csv", samples[name], delimiter=",", header="X1,X2,X3", comments="", fmt="%.9g")
    return truth


def test_fitted_model_is_a_program_that_answers(tmp_path: Path) -> None:
    """The image of one row is near the true one, by the statement and by the program that the answer prints."""
    truth = written(tmp_path, 1500)
    samples, _ = drawn(4, 1500)
    row, there = samples["old"][0], truth["old", "new"][0]
    given = ", ".join(f"X{place + 1} = {value:.9g}" for place, value in enumerate(row))
    ask = f"counterfactual {given} in Fitted from old to new"
    fit, image = run(f"{MODEL}{DATA}fit Lens from first, second design canonical k 1 as Fitted\n{ask}", tmp_path)
    assert fit.error is None
    assert fit.value is not None
    assert image.value is not None
    found = image.to_dict()["value"]["rows"][0]
    assert np.abs(there - row).max() > 0.5
    assert np.allclose(found, there, atol=0.15)
    (again,) = run(f"{fit.program}\n{ask}")
    assert np.allclose(again.to_dict()["value"]["rows"][0], found)
    whole = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    Draft202012Validator({"$defs": schema()["$defs"], "$ref": "#/$defs/answer"}).validate(whole)
    value = whole["value"]
    assert value["differs"] == ["the same", "the same", "other weights"]
    assert value["energy_distance"]["fitted"] < value["energy_distance"]["shift_by_means"]
    assert value["energy_distance"]["fitted"] < value["energy_distance"]["identity"]
    text = str(fit)
    for word in ("as fitted", "shift by means", "left as it is", "mechanism 3 of 3: other weights"):
        assert word in text


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("X1,X2\n1,2\n", "S301: new.csv has no column 'X3'"),
        ("X1,X2,X3\n1,2,3\n4,,5\n", "S309: column X2 of new.csv has a missing value in row 2"),
        ("X1,X2,X3\n1,2,3\n4,five,5\n", "S302: 'five' in column X2 of new.csv is not a number (row 2)"),
        ("X1,X2,X3\n1,2,3\n4,1/2,5\n", "S466: new has 2 samples of 3 variables"),
    ],
)
def test_data_that_cannot_be_fitted(tmp_path: Path, second: str, message: str) -> None:
    written(tmp_path, 100)
    (tmp_path / "new.csv").write_text(second, encoding="utf-8")
    (answer,) = run(f"{MODEL}{DATA}fit Lens from first, second design canonical", tmp_path)
    assert answer.error is not None
    assert f"{answer.error.code}: {answer.error.message}" == message


def test_words_of_fit_are_names_elsewhere() -> None:
    text = (
        "model M {\n  fit, design, k : {0, 1}\n  fit -> design -> k\n  k <-> fit\n}\nidentify P(k | do(fit), design)\n"
    )
    assert format_source(Source(text)) == format_source(Source(format_source(Source(text))))
    (answer,) = run(text)
    assert answer.error is None


@pytest.mark.parametrize(
    "text",
    ["fit M from a, b design canonical", "fit M from a design relaxed k 2 as N", "fit fit from k, design design dense"],
)
def test_formatter_keeps_the_statement(text: str) -> None:
    assert format_source(Source(text)).strip() == text
    assert parse(Source(text)) == parse(Source(text.replace(" ", "  ")))
