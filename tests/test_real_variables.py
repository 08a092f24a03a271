"""Real variables through the engine, the library and the command: laws as text and JSON, notes, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from strategies_gaussian import EVERYTHING, queries

import suture
from suture.cli import main

MODEL = """
model Pay {
  latent Skill : real ~ Normal(0, 1)
  T : {no, yes} ~ {no: 1/4, yes: 3/4}
  X : real := 2*Skill + noise
  Y : real := X + Skill + (if T = yes then 1 else 0) + noise
}
"""


def shown(statement: str) -> str:
    (answer,) = suture.run(MODEL + statement)
    return str(answer)


def test_a_law_in_words() -> None:
    assert shown("compute P(Y | do(X = 1), T = yes)") == (
        "compute in Pay                                                            line 8\n"
        "  P(Y | do(X = 1), T = yes)\n"
        "  Y ~ Normal(2, 1.41421)  = Normal(2, sqrt(2))"
    )


def test_a_table_of_laws_in_words() -> None:
    assert shown("compute P(Y | do(X = 1, T))") == (
        "compute in Pay                                                            line 8\n"
        "  P(Y | do(X = 1, T))\n"
        "  T = no:\n"
        "    Y ~ Normal(1, 1.41421)  = Normal(1, sqrt(2))\n"
        "  T = yes:\n"
        "    Y ~ Normal(2, 1.41421)  = Normal(2, sqrt(2))"
    )


def test_a_law_of_two_variables_in_words() -> None:
    assert "(Skill, X) ~ Normal, mean (0, 0), covariance ((1, 2), (2, 5))" in shown("compute P(Skill, X)")


def test_a_law_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "pay.suture"
    path.write_text(MODEL + "compute P(Y | do(X = 1)), P(Y | do(X = 1, T)), P(Y | do(X), T = no)\n")
    assert main(["run", "--json", str(path)]) == 0
    one, table, line = json.loads(capsys.readouterr().out)["answers"]
    no = {"weight": 0.25, "mean": [1.0], "covariance": [[2.0]]}
    yes = {"weight": 0.75, "mean": [2.0], "covariance": [[2.0]]}
    assert one["value"] == {
        "variables": ["Y"],
        "mean": [1.75],
        "covariance": [[2.1875]],
        "components": [no, yes],
    }
    assert one["exact"]["covariance"] == [["35/16"]]
    assert table["value"]["variables"] == ["T"]
    assert [row[0] for row in table["value"]["rows"]] == ["no", "yes"]
    assert [row[1]["mean"] for row in table["value"]["rows"]] == [[1.0], [2.0]]
    assert line["value"]["mean"] == [None]
    assert line["exact"]["mean"] == ["X"]


def test_a_density_says_that_it_is_one() -> None:
    (answer,) = suture.run(MODEL + "compute P(X = 0)")
    assert answer.value == pytest.approx(0.17841241161527712, rel=1e-12)  # 1 / sqrt(2 pi 5)
    assert answer.notes == ("a density, since X is real: the probability of a single number is zero",)


def test_the_library() -> None:
    model = suture.Model("model M { X : real ~ Normal(1, 2) ; Y : real := 3*X + noise }")
    answer = model.compute("E(Y[X = 0] | X = 2, Y = 7)")
    assert (answer.value, answer.exact) == (1.0, "1")
    law = model.compute("P(X, Y)").value
    assert isinstance(law, dict)
    assert law["covariance"] == [[4.0, 12.0], [12.0, 37.0]]
    html = model.compute("P(Y | do(X = 0))")._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert "Y ~ Normal(0, 1)" in html


def test_assertions() -> None:
    answers = suture.run(
        MODEL + "assert E(Y | do(X = 1), T = yes) = 2\nassert P(X = 0) > 0.17 and P(X = 0) < 0.18\nassert E(X) > 1"
    )
    assert [answer.status.value for answer in answers] == ["holds", "holds", "fails"]


def test_an_assertion_about_a_law() -> None:
    with pytest.raises(suture.SutureError) as caught:
        suture.run(MODEL + "assert P(Y | do(X = 1)) > 0")
    assert caught.value.diagnostics[0].code == "S413"


def test_a_condition_that_cannot_happen_in_one_row() -> None:
    text = "model M { T : {a, b} ~ {a: 1, b: 0} ; X : real := noise }\ncompute P(X | T)"
    (answer,) = suture.run(text)
    assert answer.to_dict()["value"]["rows"][1] == ["b", None]
    assert "T = b:\n    undetermined" in str(answer)
    assert answer.notes == ("not determined: P(X | T=b): the condition T=b has probability 0",)


DATA = """
data seen of Pay { T, X, Y ; no, 1, 2 ; yes, 1, 4 ; yes, 2, 6 }
"""


def test_an_estimate_says_how_real_conditions_are_compared() -> None:
    alone, joint = suture.run(MODEL + DATA + "estimate E(Y | T = yes) from seen\nestimate E(Y | X = 1) from seen")
    assert (alone.value, joint.value) == (5, 3)
    note = "X is real: rows are compared where the values are equal, and no line is fitted"
    assert note not in alone.notes
    assert note in joint.notes


def test_bounds_are_of_finite_variables() -> None:
    (answer,) = suture.run(MODEL + "bound E(Y | do(X = 1))")
    assert answer.error is not None
    assert answer.error.code == "S426"
    assert answer.error.message == "bounds are taken over finitely many values, and X is real"
    assert answer.error.help == "give it finitely many values, as in X : 0..4"


def test_identification_is_of_diagrams() -> None:
    """A hidden cause of treatment and outcome: real values change nothing."""
    (answer,) = suture.run(MODEL + "identify P(Y | do(X))")
    assert answer.status.value == "not_identified"


@settings(max_examples=150, deadline=None, database=None)
@given(queries())
def test_every_query_is_answered_or_refused_with_a_reason(query: str) -> None:
    try:
        answer = suture.Model(EVERYTHING).compute(query)
    except suture.SutureError:
        return
    assert str(answer)
    json.dumps(answer.to_dict(), allow_nan=False)
