"""`search predictor .. from data` and `compare`: from text to answer, as JSON, from Python, errors with their text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles.invariance import Transfer
from test_search_statement import HOSPITAL, hospital

import suture
from suture.dsl.diagnostics import render
from suture.dsl.source import Source

ROOT = Path(__file__).resolve().parent.parent
TRANSFER = (ROOT / "examples" / "transfer.suture").read_text(encoding="utf-8")
NAMES = ("city", "rural", "coast")


@pytest.fixture(scope="module")
def answer() -> suture.Answer:
    """What comes of the example."""
    found = suture.run(TRANSFER, ROOT / "examples")[0]
    assert found.error is None, found.error
    return found


def rows_of(name: str) -> list[dict[str, str]]:
    """A table of the example, read by hand."""
    header, *lines = (ROOT / "examples" / "data" / f"readmission-{name}.csv").read_text().split()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def columns_of(name: str) -> dict[str, list[Any]]:
    rows = rows_of(name)
    return {key: [int(row[key]) if key == "n" else row[key] for row in rows] for key in rows[0]}


# ---------------------------------------------------------------------------------------------------------------------
# The example


def test_the_example_finds_what_differs_and_what_carries_over(answer: suture.Answer) -> None:
    """The tables were drawn from a model whose best subset is {Age}, and whose wards differ."""
    value = answer.to_dict()["value"]
    assert value["mutable"] == ["Ward"]
    assert value["detected"] is True
    assert value["chosen"] == ["Age"]
    assert value["environments"] == [
        {"name": name, "rows": sum(int(row["n"]) for row in rows_of(name))} for name in NAMES
    ]
    tests = {each["variable"]: each for each in value["tests"]}
    assert [name for name, each in tests.items() if each["adjusted"] <= value["level"]] == ["Ward"]
    assert tests["Stay"]["given"] == ["Readmit", "Ward"]


def test_risks_of_the_chosen_are_means_over_rows(answer: suture.Answer) -> None:
    """P(Readmit = yes | Age) from all tables, and its squared error in each, counted by hand."""
    rows = [row for name in NAMES for row in rows_of(name)]
    shares = {}
    for age in ("young", "old"):
        own = [row for row in rows if row["Age"] == age]
        total = sum(int(row["n"]) for row in own)
        shares[age] = sum(int(row["n"]) for row in own if row["Readmit"] == "yes") / total
    for name in NAMES:
        errors = [(int(r["n"]), ((r["Readmit"] == "yes") - shares[r["Age"]]) ** 2) for r in rows_of(name)]
        expected = sum(count * error for count, error in errors) / sum(count for count, _ in errors)
        assert answer.to_dict()["value"]["classes"][0]["risks"][name] == pytest.approx(expected)


def test_its_json(answer: suture.Answer) -> None:
    found = json.loads(json.dumps(answer.to_dict()))
    assert found["method"] == "all classes of subsets scored, mechanisms from data"
    assert set(found["value"]) == {
        *("chosen", "worst_case", "kind", "upper", "minimax", "gap", "among", "condition", "classes"),
        *("environments", "mutable", "detected", "tests", "level", "samples", "compare"),
    }
    assert set(found["value"]["classes"][0]) == {
        *("boundary", "members", "worst_case", "kind", "risks", "interval", "wins"),
    }
    assert set(found["value"]["tests"][0]) == {"variable", "given", "statistic", "p", "adjusted"}
    assert set(found["value"]["compare"][0]) == {
        *("method", "inputs", "risks", "worst_given", "worst_case", "upper", "note"),
    }
    assert sum(each["wins"] for each in found["value"]["classes"]) == pytest.approx(1)


def test_no_method_is_below_the_minimax_and_ours_is_at_it(answer: suture.Answer) -> None:
    value = answer.to_dict()["value"]
    worst = {each["method"]: each["worst_case"] for each in value["compare"]}
    assert min(worst.values()) >= value["minimax"] - 1e-9
    assert worst["best subset, minimax"] == pytest.approx(value["worst_case"])
    assert worst["best of all, minimax"] == pytest.approx(value["minimax"], abs=1e-7)
    assert worst["all features"] > worst["constant"]
    given = {each["method"]: each["worst_given"] for each in value["compare"]}
    assert min(given, key=lambda name: given[name]) == "group robust"


def test_it_fits_the_terminal(answer: suture.Answer) -> None:
    text = str(answer)
    assert max(len(line) for line in text.split("\n")) <= 80
    assert "200 bootstrap samples of the environments" in text
    assert "that only Ward may change is an assumption" in text
    assert answer._repr_html_()


def test_the_library_says_the_same(answer: suture.Answer) -> None:
    model = suture.Model(TRANSFER[TRANSFER.index("model") : TRANSFER.index("domain")])
    data = {name: columns_of(name) for name in NAMES}
    again = model.search_predictor("Readmit", data=data, weight="n", compare=True)
    assert again.to_dict()["value"] == answer.to_dict()["value"]
    assert again.environments is not None
    assert again.environments.mutable == ("Ward",)
    assert again.predictor.predict({"Age": "old", "Ward": "A"}) == pytest.approx(0.2965, abs=1e-4)


def test_frames_a_row_a_unit_say_the_same(answer: suture.Answer) -> None:
    pandas = pytest.importorskip("pandas")
    model = suture.Model(TRANSFER[TRANSFER.index("model") : TRANSFER.index("domain")])
    data = {}
    for name in NAMES:
        frame = pandas.DataFrame(columns_of(name))
        data[name] = frame.loc[frame.index.repeat(frame["n"])].drop(columns="n")
    again = model.search_predictor("Readmit", data=data)
    assert again.to_dict()["value"]["classes"] == answer.to_dict()["value"]["classes"]


# ---------------------------------------------------------------------------------------------------------------------
# Comparison without data: the domains that the program spells out


def joints(truth: Transfer) -> dict[str, Any]:
    return {"city": truth._joint({}), "rural": truth._joint({"Ward": np.full((2, 2, 2), 0.5)})}


def test_methods_on_domains_that_are_spelled_out() -> None:
    """Each method's prediction by its definition, from the joint distributions of the whole model."""
    found = suture.run(HOSPITAL.replace("minimax squared_loss", "minimax squared_loss compare"))[0]
    assert found.error is None
    compared = {each["method"]: each for each in found.to_dict()["value"]["compare"]}
    truth = hospital()
    known = joints(truth)
    both = (known["city"] + known["rural"]) / 2

    def check(name: str, losses: Any) -> None:
        assert compared[name]["worst_case"] == pytest.approx(truth.worst(losses)), name
        expected = {domain: float((joint * losses).sum()) for domain, joint in known.items()}
        assert compared[name]["risks"] == pytest.approx(expected), name

    check("constant", truth.losses(truth.conditional(both, ()), "squared_loss"))
    check("all features", truth.losses(truth.conditional(both, truth.features), "squared_loss"))
    check("stable set", truth.invariant_losses(truth.stable, "squared_loss"))
    invariant = {s: truth.invariant_losses(s, "squared_loss") for s in truth.subsets()}
    surgery = min(invariant, key=lambda s: float((both * invariant[s]).sum()))
    check("graph surgery", invariant[surgery])
    hardest = max(
        truth.least(share * known["city"] + (1 - share) * known["rural"], "squared_loss")
        for share in np.linspace(0, 1, 2001)
    )
    assert compared["group robust"]["worst_given"] == pytest.approx(hardest, abs=1e-6)


def test_domains_from_python() -> None:
    model = suture.Model(HOSPITAL[HOSPITAL.index("model") : HOSPITAL.index("domain")])
    domains = {"city": "", "rural": "Ward ~ table (Lab, Readmit) { _, _ => 0.5, 0.5 }"}
    features = ["Age", "Lab", "Ward", "Stay"]
    found = model.search_predictor("Readmit", features, domains=domains, over=["city", "rural"]).to_dict()["value"]
    said = suture.run(HOSPITAL.replace("minimax", "over {city, rural} minimax"))[0].to_dict()["value"]
    assert found == said
    beside = model.search_predictor("Readmit", features, domains=domains, compare=True).to_dict()["value"]
    assert beside["compare"][0]["method"] == "constant"
    assert set(beside["compare"][0]["risks"]) == {"city", "rural"}


# ---------------------------------------------------------------------------------------------------------------------
# Errors

SMALL = """
model M { Y, W, X : {0, 1} ; Y -> W -> X ; Y -> X }
domain city of M {}
data a of M in city weight n { Y, W, X, n ; 0, 0, 0, 20 ; 1, 1, 1, 30 ; 0, 1, 0, 20 ; 1, 0, 1, 10 }
data b of M in city weight n { Y, W, X, n ; 0, 0, 0, 20 ; 1, 1, 1, 30 }
data c of M weight n { Y, W, X, n ; 0, 0, 0, 2 ; 0, 1, 1, 1 ; 1, 1, 1, 300 ; 0, 1, 0, 20 ; 1, 0, 1, 10 }
data e of M under do(W) weight n { Y, W, X, n ; 0, 0, 0, 20 }
"""


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "search predictor of Y from {W, X} from a, b minimax squared_loss",
            """error[S497]: two of these data sets come from domain city
 --> <text>:8:43
  |
8 | search predictor of Y from {W, X} from a, b minimax squared_loss
  |                                           ^ again
  = help: a search takes one data set an environment""",
        ),
        (
            "search predictor of Y from {W, X} from a, e minimax squared_loss",
            """error[S497]: 'e' is an experiment, and a search takes environments as they were observed
 --> <text>:8:43
  |
8 | search predictor of Y from {W, X} from a, e minimax squared_loss
  |                                           ^ not here
  = help: leave it out""",
        ),
        (
            "search predictor of Y from {W, X} from a, c over {rural} minimax squared_loss",
            """error[S103]: unknown environment 'rural'
 --> <text>:8:51
  |
8 | search predictor of Y from {W, X} from a, c over {rural} minimax squared_loss
  |                                                   ^^^^^ not defined
  = help: there is c, city""",
        ),
    ],
)
def test_errors_in_the_statement(statement: str, expected: str) -> None:
    source = Source(SMALL + statement)
    with pytest.raises(suture.SutureError) as error:
        suture.run(source)
    assert render(error.value.diagnostics[0], source) == expected


@pytest.mark.parametrize(
    ("statement", "message", "help"),
    [
        (
            "search predictor of Y from {W, X} from a minimax squared_loss",
            "one environment alone does not tell which mechanisms differ",
            "say which may: mutable X, in the model; or add environments",
        ),
        (
            "search predictor of Y from {W, X} from a, c minimax squared_loss",
            "the mechanism of Y differs between the environments (p = 1.8e-17)",
            "nothing about it carries over; a cause of it may be missing from the model",
        ),
    ],
)
def test_errors_that_the_data_show(statement: str, message: str, help: str) -> None:
    answer = suture.run(SMALL + statement)[0]
    assert answer.error is not None
    assert (answer.error.message, answer.error.help) == (message, help)
    assert answer.error.span is not None


def test_a_budget_stops_it() -> None:
    data = {name: columns_of(name) for name in NAMES}
    model = suture.Model(TRANSFER[TRANSFER.index("model") : TRANSFER.index("domain")])
    with suture.limited(suture.Budget(seconds=0.0)), pytest.raises(suture.SutureError) as error:
        model.search_predictor("Readmit", data=data, weight="n")
    assert error.value.diagnostics[0].code == "S603"


def test_comparison_needs_a_domain() -> None:
    with pytest.raises(suture.SutureError) as error:
        suture.Model("Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ; Y -> M ; mutable M").search_predictor(
            "Y", compare=True
        )
    (problem,) = error.value.diagnostics
    assert problem.message == "other methods learn from domains, and none is spelled out"
    assert problem.help == "add one: domain city of M {}; or search from data"


def test_real_columns_and_unread_changes() -> None:
    rows = {"Y": [0, 1] * 50, "W": [0, 1] * 50, "X": [0, 1] * 50}
    other = {"Y": [0, 1] * 50, "W": [1, 0] * 50, "X": [0, 1] * 50}
    model = suture.Model("Y, W, X : {0, 1} ; Y -> W ; Y -> X")
    with pytest.raises(suture.SutureError) as error:
        model.search_predictor("Y", ["X"], data={"one": rows, "two": other})
    assert "S496" in error.value.diagnostics[0].code
    named = model.search_predictor("Y", data={"one": rows, "two": other}, draws=0)
    assert named.to_dict()["value"]["mutable"] == ["W"]
    assert named.to_dict()["value"]["samples"] is None


def test_a_change_above_the_features_must_be_read() -> None:
    rows = {"Y": [0, 1] * 50, "W": [0, 1] * 50, "X": [0, 1] * 50}
    other = {"Y": [0, 1] * 50, "W": [1, 0] * 50, "X": [1, 0] * 50}
    with pytest.raises(suture.SutureError) as error:
        suture.Model("Y, W, X : {0, 1} ; Y -> W -> X").search_predictor("Y", ["X"], data={"one": rows, "two": other})
    (problem,) = error.value.diagnostics
    assert problem.code == "S472"
    assert problem.message == "the mechanism of W differs between the environments, and the predictor does not read it"
    assert problem.help == "add W: what carries over is the prediction given do(W)"


def test_environments_with_other_values() -> None:
    model = suture.Model("Y -> M ; mutable M")
    one, two = {"Y": [0, 1], "M": [0, 1]}, {"Y": [0, 1], "M": [0, 2]}
    with pytest.raises(suture.SutureError) as error:
        model.search_predictor("Y", data={"one": one, "two": two})
    (problem,) = error.value.diagnostics
    assert problem.message == "M has the values 0, 2 in two, and 0, 1 in one"
    assert problem.help == "declare the values of M in the model"
