"""What the widget shows, without a browser: questions made by clicks, their answers, parameters, mistakes."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
import sympy

from suture import Budget, Model, SutureError
from suture.dsl.parameters import parameters, probability_parameters, with_parameters
from suture.dsl.program import Table
from suture.dsl.resolve import read_model, read_query
from suture.jupyter_ext.exploration import Exploration, State, one_kernel
from suture.semantics.data.empirical import from_columns

FRONT_DOOR = """model Smoking {
  latent Gene
  Smoke, Tar, Cancer : {no, yes}
  Gene -> Smoke -> Tar -> Cancer
  Gene -> Cancer
}"""
SHARES = (0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02, 0.2)
DRIFT = """model Drift {
  Rain : {no, yes} ~ Bernoulli(p)
  Wet : {no, yes} ~ table (Rain) { no => 1 - q, q ; yes => 0.1, 0.9 }
}"""


def survey() -> dict[str, list[object]]:
    rows = [(*case, share) for case, share in zip(product(["no", "yes"], repeat=3), SHARES, strict=True)]
    return dict(zip(("Smoke", "Tar", "Cancer", "share"), map(list, zip(*rows, strict=True)), strict=True))


def smoking() -> Exploration:
    model = read_model(FRONT_DOOR)
    return Exploration(model, from_columns(survey(), model, "share"))


@pytest.mark.parametrize(
    ("given", "do", "question", "number"),
    [
        ({}, {}, "P(Cancer=yes)", 0.37),
        ({"Smoke": "yes"}, {}, "P(Cancer=yes | Smoke=yes)", 0.25 / 0.37),
        # Jacobs, Kissinger, Zanasi (arXiv 1811.08338), first scenario.
        ({}, {"Smoke": "yes"}, "P(Cancer=yes | do(Smoke=yes))", 0.5423),
        ({}, {"Smoke": "no"}, "P(Cancer=yes | do(Smoke=no))", 0.2535),
    ],
)
def test_clicks_make_a_question_and_its_answer(
    given: dict[str, str], do: dict[str, str], question: str, number: float
) -> None:
    view = smoking().view(State({"Cancer": "yes"}, given, do))
    assert (view["question"], view["error"]) == (question, None)
    assert view["status"] == "identified"
    assert view["number"] == pytest.approx(number, abs=5e-5)


def test_the_picture_shows_surgery_and_whose_its_boxes_are() -> None:
    plain = smoking().picture(State({"Cancer": None}))
    cut = smoking().picture(State({"Cancer": None}, {}, {"Smoke": "yes"}))
    assert set(plain["places"].values()) == set(cut["places"].values()) == {"Smoke", "Tar", "Cancer"}
    titles = set(re.findall(r"<title>([^<]*)</title>", cut["svg"]))
    assert set(cut["places"]) <= titles
    assert cut["places"]["Smoke cut: set to yes"] == "Smoke"
    assert "after do(Smoke = yes)" in cut["svg"]
    assert "after do" not in plain["svg"]


def test_a_refusal_says_what_forbids_a_formula() -> None:
    view = Exploration(read_model("X -> Y ; X <-> Y")).view(State({"Y": None}, {}, {"X": None}))
    assert (view["status"], view["number"], view["formula"]) == ("not_identified", None, None)
    assert "hedge" in view["reason"]
    assert view["error"] is None


def test_a_function_of_bare_names_is_a_table() -> None:
    rows = smoking().view(State({"Cancer": None}, {}, {"Smoke": None}))["rows"]
    assert set(rows["variables"]) == {"Cancer", "Smoke"}
    at = {tuple(row[:-1]): row[-1] for row in rows["rows"]}
    order = [rows["variables"].index(name) for name in ("Smoke", "Cancer")]
    found = {tuple(key[place] for place in order): value for key, value in at.items()}
    assert found["yes", "yes"] == pytest.approx(0.5423, abs=5e-5)
    assert found["no", "yes"] == pytest.approx(0.2535, abs=5e-5)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.2, 0.9), (0.0, 1.0)])
def test_sliders_move_the_number(p: float, q: float) -> None:
    exploration = Exploration(read_model(DRIFT), patience=Budget(), extra=Budget())
    assert exploration.sliders == ("p", "q")
    view = exploration.view(State({"Wet": "yes"}, {}, {}, {"p": p, "q": q}))
    assert view["number"] == pytest.approx((1 - p) * q + p * 0.9)
    by_hand = sympy.sympify("(1 - p) * q + p * 9/10")
    assert sympy.simplify(sympy.sympify(view["form"]) - by_hand) == 0


def test_a_state_comes_back_from_the_browser_as_it_went() -> None:
    exploration = Exploration(read_model(DRIFT))
    query = one_kernel(read_query("P(Wet = yes | do(Rain))", exploration.model).formula, "")
    state = exploration.start(query, {"p": 0.25})
    assert State.from_dict(state.to_dict()) == state
    assert state == State({"Wet": "yes"}, {}, {"Rain": None}, {"p": 0.25, "q": 0.5})


def test_first_values_make_every_row_a_distribution() -> None:
    three = read_model("model M { X : {a, b, c, d} ~ {a: p, b: q, c: r, d: 1 - p - q - r} }")
    exploration = Exploration(three)
    query = one_kernel(read_query("P(X = d)", three).formula, "")
    assert exploration.start(query, {}).parameters == {"p": 0.25, "q": 0.25, "r": 0.25}


def test_an_impossible_condition_is_told_and_the_picture_stays() -> None:
    sure = read_model("model Sure { X : {no, yes} ~ Bernoulli(0) ; Y : {no, yes} ~ table (X) { _ => 0.5, 0.5 } }")
    view = Exploration(sure).view(State({"Y": "yes"}, {"X": "yes"}))
    assert view["error"] is not None or view["reason"] is not None
    assert view["svg"].startswith("<svg")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("ate(Smoke -> Cancer)", "ate(Smoke -> Cancer) is not one distribution of one world"),
        ("P(Cancer[Smoke = yes] = yes)", "P(Cancer[Smoke = yes] = yes) is not one distribution of one world"),
    ],
)
def test_what_cannot_be_explored_is_refused(query: str, message: str) -> None:
    with pytest.raises(SutureError) as caught:
        one_kernel(read_query(query, read_model(FRONT_DOOR)).formula, query)
    assert caught.value.render() == (
        f"error[S611]: {message}\n  = help: explore one distribution such as P(Y | do(X), Z)"
    )


# ---------------------------------------------------------------------------------------------------------------------
# Parameters


def test_parameters_of_a_model() -> None:
    model = read_model(
        "model M { X : {0, 1} ~ Bernoulli(p) ; Y : {0, 1} ~ table (X) { 0 => 1 - q, q ; 1 => 0.2, 0.8 } ; "
        "T : real ~ Normal(1 + a * X, 2) }"
    )
    assert parameters(model) == ("p", "q", "a")
    assert probability_parameters(model) == {"p", "q"}
    at = with_parameters(model, {"p": Fraction(1, 3), "q": Fraction(3, 10)})
    assert parameters(at) == ("a",)
    assert Model.of(at).compute("P(Y = 1)").value == pytest.approx(2 / 3 * 0.3 + 1 / 3 * 0.8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"r": "1/2"}, "error[S610]: 'r' is no parameter of model Drift"),
        ({"p": "3/2"}, "error[S207]: at p = 1.5 a probability of Rain is -0.5"),
        ({"q": "-1/10"}, "error[S207]: at q = -0.1 a probability of Wet is 1.1"),
    ],
)
def test_values_that_are_no_parameters_or_no_probabilities(values: dict[str, str], message: str) -> None:
    with pytest.raises(SutureError) as caught:
        with_parameters(read_model(DRIFT), {name: Fraction(value) for name, value in values.items()})
    assert caught.value.render().split("\n")[0] == message


def test_scales_below_zero_are_refused() -> None:
    model = read_model("model M { T : real ~ Normal(0, s) }")
    with pytest.raises(SutureError, match=re.escape("at s = -1 the scale of T is -1")):
        with_parameters(model, {"s": Fraction(-1)})


def test_rows_that_miss_one_are_refused() -> None:
    """A program cannot write such a row, a model made in Python can hold it."""
    model = read_model("model M { X : {a, b} ~ {a: p, b: 1 - p} }")
    table = model.mechanisms["X"]
    assert isinstance(table, Table)
    (row,) = table.rows
    twice = replace(row, weights=(row.weights[0], row.weights[0]))
    odd = replace(model, mechanisms={"X": replace(table, rows=(twice,))})
    with pytest.raises(SutureError, match=re.escape("at p = 0.25 the probabilities of X sum to 0.5, not to 1")):
        with_parameters(odd, {"p": Fraction(1, 4)})
