"""`search predictor` from text to answer: words, JSON, witnesses that run, errors with their text, the library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from oracles.invariance import Transfer, random_transfer

import suture
from suture.answers.answer import Answer, Status
from suture.answers.searching import with_search
from suture.dsl.diagnostics import render
from suture.dsl.program import Search
from suture.dsl.source import Source
from suture.engine import Session, read
from suture.identify.predictors.minimax_search import Budget, search
from suture.identify.predictors.minimax_setup import loss_named, selection_model
from suture.identify.predictors.predictor import Predictor
from suture.semantics.compute import compute_formula

HOSPITAL = (Path(__file__).resolve().parent.parent / "examples" / "hospital.suture").read_text(encoding="utf-8")


def hospital() -> Transfer:
    """The example, written out by hand: 0 and 1 are the first and second label."""
    tables = {
        "Severity": [0.7, 0.3],
        "Age": [0.6, 0.4],
        "Lab": [[0.9, 0.1], [0.2, 0.8]],
        "Readmit": [[[0.95, 0.05], [0.95, 0.05]], [[0.65, 0.35], [0.40, 0.60]]],
        "Ward": [[[0.8, 0.2], [0.8, 0.2]], [[0.4, 0.6], [0.1, 0.9]]],
        "Stay": [[[0.9, 0.1], [0.6, 0.4]], [[0.7, 0.3], [0.2, 0.8]]],
    }
    parents = {
        "Severity": (),
        "Age": (),
        "Lab": ("Severity",),
        "Readmit": ("Severity", "Age"),
        "Ward": ("Lab", "Readmit"),
        "Stay": ("Ward", "Readmit"),
    }
    return Transfer(parents, frozenset({"Severity"}), dict.fromkeys(parents, 2), tables, "Readmit", ("Ward",))


def first(text: str) -> suture.Answer:
    answer = suture.run(text)[0]
    assert answer.error is None, answer.error
    return answer


def test_the_example_of_the_hospital() -> None:
    answer = first(HOSPITAL)
    truth = hospital()
    worst = {s: truth.worst(truth.invariant_losses(s, "squared_loss")) for s in truth.subsets()}
    value = answer.to_dict()["value"]
    assert value["condition"] == {"holds": False, "edge": "Readmit -> Stay"}
    assert {tuple(each["boundary"]): each["worst_case"] for each in value["classes"]} == pytest.approx(worst)  # type: ignore[arg-type]
    assert [each["members"] for each in value["classes"]] == [1] * 8
    assert tuple(value["chosen"]) == min(worst, key=lambda subset: worst[subset])
    assert value["worst_case"] == pytest.approx(min(worst.values()))
    assert value["gap"] == pytest.approx(value["worst_case"] - value["minimax"])
    assert value["gap"] > 0


def test_the_risk_in_each_given_domain() -> None:
    answer, truth = first(HOSPITAL), hospital()
    assert answer.search is not None
    rural = truth._joint({"Ward": np.full((2, 2, 2), 0.5)})  # pyright: ignore[reportPrivateUsage]
    for each in answer.search.classes:
        losses = truth.invariant_losses(each.members.boundary, "squared_loss")
        city = truth._joint({})  # pyright: ignore[reportPrivateUsage]
        expected = {"city": float((city * losses).sum()), "rural": float((rural * losses).sum())}
        assert dict(each.given) == pytest.approx(expected)


def test_the_formula_gives_the_predictor_from_one_domain() -> None:
    """The estimand is in the observed distribution: computed there, it is the predictor's table."""
    answer = first(HOSPITAL)
    assert answer.estimand is not None
    assert isinstance(answer.predictor, Predictor)
    assert answer.check is not None
    assert answer.derivation.steps
    source = Source(HOSPITAL)
    table = compute_formula(answer.estimand.formula, read(source).models["Hospital"]).table
    assert sorted(table.variables) == sorted(answer.predictor.inputs)
    assert table.difference(answer.predictor.table) < 1e-12


def test_the_worst_domain_runs() -> None:
    """Searched over the witness alone, the chosen subset has the worst case that was claimed."""
    answer = first(HOSPITAL)
    witness = answer.to_dict()["witness"]
    assert witness["kind"] == "worst domain"
    again = HOSPITAL.replace("minimax", "over {worst} minimax") + witness["program"]
    value = first(again).to_dict()["value"]
    risks = {tuple(each["boundary"]): each["worst_case"] for each in value["classes"]}
    assert risks[tuple(answer.to_dict()["value"]["chosen"])] == pytest.approx(witness["risk"])
    assert witness["risk"] == pytest.approx(answer.to_dict()["value"]["worst_case"])


def test_over_named_domains_the_worst_of_them_counts() -> None:
    truth = hospital()
    answer = first(HOSPITAL.replace("minimax", "over {city, rural} minimax"))
    rural = truth._joint({"Ward": np.full((2, 2, 2), 0.5)})  # pyright: ignore[reportPrivateUsage]
    city = truth._joint({})  # pyright: ignore[reportPrivateUsage]
    for each in answer.to_dict()["value"]["classes"]:
        losses = truth.invariant_losses(tuple(each["boundary"]), "squared_loss")
        assert each["worst_case"] == pytest.approx(max(float((city * losses).sum()), float((rural * losses).sum())))
    # The witness is one of the domains, and no predictor beats the best for their hardest mixture.
    value = answer.to_dict()["value"]
    assert answer.to_dict()["witness"]["name"] in ("city", "rural")
    mixed = max(truth.least(share * city + (1 - share) * rural, "squared_loss") for share in np.linspace(0, 1, 2001))
    assert value["minimax"] == pytest.approx(mixed, abs=1e-7)
    assert value["minimax"] >= mixed - 1e-12


def test_over_an_open_domain_is_over_everything() -> None:
    anything = first(HOSPITAL).to_dict()["value"]
    for names in ("unseen", "city, unseen"):
        found = first(HOSPITAL.replace("minimax", f"over {{{names}}} minimax")).to_dict()["value"]
        assert found["classes"] == anything["classes"]
        assert found["minimax"] == pytest.approx(anything["minimax"], abs=1e-11)


def test_json_has_the_keys_of_the_language_page() -> None:
    found = json.loads(json.dumps(first(HOSPITAL).to_dict()))
    assert found["statement"] == "search"
    assert found["status"] == "value"
    assert list(found["value"]) == [
        "chosen", "worst_case", "kind", "upper", "minimax", "gap", "among", "condition", "classes",
    ]  # fmt: skip
    assert list(found["value"]["classes"][0]) == ["boundary", "members", "worst_case", "kind"]
    assert found["exact"]["classes"][-1] == {"boundary": [], "worst_case": "1411/10000"}


@pytest.mark.parametrize("loss", ["squared_loss", "log_loss", "zero_one"])
@pytest.mark.parametrize("seed", range(6))
def test_every_line_fits_the_terminal(seed: int, loss: str) -> None:
    made = random_transfer(np.random.default_rng(seed))
    features = ", ".join(made.features)
    answer = first(made.program(f"search predictor of {made.outcome} from {{{features}}} minimax {loss}"))
    assert max(len(line) for line in str(answer).split("\n")) <= 80
    assert "Traceback" not in str(answer)
    assert answer._repr_html_()


# ---------------------------------------------------------------------------------------------------------------------
# Domains named over


TWO = """model Two {
  Y : {0, 1} ~ Bernoulli(0.3)
  M : {0, 1} ~ table (Y) { 0 => 0.5, 0.5 ; 1 => 0.1, 0.9 }
  W : {0, 1} ~ table (Y) { 0 => 0.6, 0.4 ; 1 => 0.2, 0.8 }
}
domain same of Two {}
domain other of Two { M ~ table (Y) { 0 => 0.2, 0.8 ; 1 => 0.7, 0.3 } }
"""


def test_what_no_named_domain_changes_is_stable() -> None:
    value = first(TWO + "search predictor of Y from {M, W} over {same, other} minimax squared_loss").to_dict()["value"]
    assert value["chosen"] == ["W"]
    assert value["condition"]["holds"]


def test_what_differs_in_some_domain_is_mutable() -> None:
    value = first(TWO + "search predictor of Y from {M, W} minimax squared_loss").to_dict()["value"]
    assert [each["boundary"] for each in value["classes"]] == [["W"], []]


# ---------------------------------------------------------------------------------------------------------------------
# Errors


def told(text: str) -> str:
    source = Source(text, "t.suture")
    with pytest.raises(suture.SutureError) as error:
        suture.run(source)
    return render(error.value.diagnostics[0], source)


ERRORS = [
    (
        "model M { X, Y : {0, 1} ; Y -> X }\nsearch predictor of Y from {X} minimax log_loss",
        """\
error[S470]: every mechanism of model M stays the same in all domains
 --> t.suture:2:1
  |
2 | search predictor of Y from {X} minimax log_loss
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing changes
  = help: say what may: mutable X, in the model
""",
    ),
    (
        "model M { X, Y : {0, 1} ; Y -> X }\ndomain a of M {}\n"
        "search predictor of Y from {X} over {a} minimax log_loss",
        """\
error[S470]: no mechanism differs in a
 --> t.suture:3:1
  |
3 | search predictor of Y from {X} over {a} minimax log_loss
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing changes
  = help: name a domain that changes something
""",
    ),
    (
        "model M { X, Y : {0, 1} ; X -> Y ; mutable Y }\nsearch predictor of Y from {X} minimax log_loss",
        """\
error[S471]: the mechanism of Y may change, so nothing about it carries over
 --> t.suture:2:21
  |
2 | search predictor of Y from {X} minimax log_loss
  |                     ^ mutable
  = help: predict a variable whose mechanism stays the same
""",
    ),
    (
        "model M { W, X, Y : {0, 1} ; Y -> W -> X ; mutable W }\nsearch predictor of Y from {X} minimax log_loss",
        """\
error[S472]: the mechanism of W may change, and the predictor does not read W
 --> t.suture:2:1
  |
2 | search predictor of Y from {X} minimax log_loss
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: add W: what carries over is the prediction given do(W)
""",
    ),
    (
        "model M { latent W : {0, 1} ; X, Y : {0, 1} ; Y -> W -> X ; mutable W }\n"
        "search predictor of Y from {X} minimax log_loss",
        """\
error[S472]: the mechanism of W may change and W is latent, so no prediction carries over
 --> t.suture:2:1
  |
2 | search predictor of Y from {X} minimax log_loss
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: make W observed, or keep its mechanism
""",
    ),
    (
        "model M { X : {0, 1} ; Y : {low, middle, high} ; Y -> X ; mutable X }\n"
        "search predictor of Y from {X} minimax squared_loss",
        """\
error[S473]: squared_loss needs numbers, and the values of Y are low, middle, high
 --> t.suture:2:40
  |
2 | search predictor of Y from {X} minimax squared_loss
  |                                        ^^^^^^^^^^^^ of words
  = help: use log_loss or zero_one
""",
    ),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors_with_their_whole_text(text: str, message: str) -> None:
    assert told(text).rstrip() == message.rstrip()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("model M { Z, Y : {0, 1} ~ Bernoulli(0.1) ; X : {0, 1} ; V : {0, 1} ; Y -> {V, X} ; mutable X }\n"
         "search predictor of Y from {X, V} minimax log_loss", "S428"),
        ("model M { Y : {0, 1} ~ Bernoulli(p) ; X : {0, 1} ; Y -> X ; mutable X }\n"
         "search predictor of Y from {X} minimax log_loss", "S474"),
        ("model M { Y : {0, 1} ~ Bernoulli(0.1) ; X ; Y -> X ; mutable X }\n"
         "search predictor of Y from {X} minimax log_loss", "S427"),
    ],
)  # fmt: skip
def test_errors_that_only_running_shows(text: str, code: str) -> None:
    (answer,) = suture.run(text)
    assert answer.error is not None
    assert answer.error.code == code
    assert str(answer.to_dict()["query"]).startswith("predictor of Y from {X")


# ---------------------------------------------------------------------------------------------------------------------
# Without numbers


def test_a_graph_alone_settles_what_its_condition_settles() -> None:
    answer = first(
        "model M { Y -> M -> X ; Y -> Z ; mutable M }\nsearch predictor of Y from {M, X, Z} minimax squared_loss"
    )
    value = answer.to_dict()["value"]
    assert answer.status is suture.Status.VALUE
    assert value["chosen"] == ["Z"]
    assert value["worst_case"] is None
    assert [(each["boundary"], each["members"]) for each in value["classes"]] == [(["Z"], 2), ([], 2)]
    assert answer.estimand is not None
    assert answer.estimand.text == "P(Y | Z)"
    assert "chosen      {Z}: the whole stable set is minimax, by the graph alone" in str(answer)


def test_a_graph_alone_does_not_decide_the_rest() -> None:
    text = "model M { Y -> M -> X ; Y -> X ; mutable M }\nsearch predictor of Y from {M, X} minimax squared_loss"
    answer = first(text)
    assert answer.status is suture.Status.UNDECIDED
    assert answer.to_dict()["value"]["chosen"] is None
    assert answer.to_dict()["value"]["condition"] == {"holds": False, "edge": "Y -> X"}
    assert "fails by Y -> X" in str(answer)
    assert answer.estimand is None


def test_an_unfinished_search_says_what_it_knows() -> None:
    program = read(Source(HOSPITAL))
    statement = program.statements[0]
    assert isinstance(statement, Search)
    made = selection_model(program.models["Hospital"], "Readmit", statement.features, ["Ward"])
    found = search(made, loss_named("squared_loss", ("no", "yes")), Budget(0, 0))
    assert not found.complete
    head = Answer("search", Status.VALUE, 1, None, "Hospital", statement.text)
    answer = with_search(head, found, Session(program).outcome, program.models["Hospital"].diagram)
    assert any("none can be below 0.110304" in note for note in answer.notes)


# ---------------------------------------------------------------------------------------------------------------------
# The library


def model() -> suture.Model:
    return suture.Model(HOSPITAL[HOSPITAL.index("model") : HOSPITAL.index("domain")])


def test_the_library_says_the_same() -> None:
    answer = model().search_predictor("Readmit", ["Age", "Lab", "Ward", "Stay"])
    assert answer.to_dict()["value"] == first(HOSPITAL).to_dict()["value"]
    assert answer.line is None or answer.line == 0


def test_the_predictor_predicts_rows_of_any_table() -> None:
    pandas = pytest.importorskip("pandas")
    predictor = model().search_predictor("Readmit").predictor
    assert isinstance(predictor, Predictor)
    rows = {"Age": ["old", "young"], "Lab": ["low", "high"], "Stay": ["long", "short"], "Ward": ["B", "A"], "n": [1, 2]}
    truth = hospital()
    expected = truth.conditional(truth.cut, predictor.inputs)[0]
    wanted = [expected[1, 0, 1, 1, 1], expected[0, 1, 1, 0, 0]]
    assert predictor.predict(rows).tolist() == pytest.approx(wanted)
    assert predictor.predict(pandas.DataFrame(rows)).tolist() == pytest.approx(wanted)
    case = {name: values[0] for name, values in rows.items()}
    assert predictor.predict(case) == pytest.approx(wanted[0])
    table = predictor.table.at(Age="old", Lab="low", Stay="long", Ward="B")
    assert float(table.item()) == pytest.approx(wanted[0])


def test_predictions_of_the_other_losses() -> None:
    rows = {"Age": ["old", "young"], "Lab": ["high", "low"], "Stay": ["long", "short"], "Ward": ["A", "A"]}
    shares = model().search_predictor("Readmit", loss="log_loss").predictor
    words = model().search_predictor("Readmit", loss="zero_one").predictor
    assert shares is not None
    assert words is not None
    assert shares.predict(rows).shape == (2, 2)
    assert shares.predict(rows).sum(axis=1).tolist() == pytest.approx([1, 1])
    truth = hospital()
    likely = truth.conditional(truth.cut, words.inputs)
    labels = {"Age": ["young", "old"], "Lab": ["low", "high"], "Ward": ["A", "B"], "Stay": ["short", "long"]}
    for row, label in enumerate(words.predict(rows).tolist()):
        at = {name: own.index(rows[name][row]) for name, own in labels.items() if name in words.inputs}
        chance = [likely[tuple({**at, "Readmit": value}.get(name, 0) for name in truth.parents)] for value in (0, 1)]
        assert label == ("yes" if chance[1] > chance[0] else "no")


def test_a_predictor_of_nothing_is_a_constant() -> None:
    text = "Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ; Y -> M ; mutable M"
    predictor = suture.Model(text).search_predictor("Y").predictor
    assert predictor is not None
    assert predictor.inputs == ()
    assert predictor.predict({"M": ["0", "1", "1"]}).tolist() == [0.2] * 3
    assert predictor.predict({}) == 0.2


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ({"Age": ["old"]}, "S308"),
        ({"Age": ["old"], "Lab": ["low"], "Stay": ["long"], "Ward": ["C"]}, "S302"),
        (3, "S314"),
    ],
)
def test_rows_that_do_not_fit(rows: object, code: str) -> None:
    predictor = model().search_predictor("Readmit").predictor
    assert predictor is not None
    with pytest.raises(suture.SutureError) as error:
        predictor.predict(rows)
    assert error.value.diagnostics[0].code == code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"outcome": "Ward"}, "S471"),
        ({"outcome": "Readmit", "features": ["Age", "Stay"]}, "S472"),
        ({"outcome": "Readmit", "mutable": []}, "S470"),
        ({"outcome": "Readmit", "mutable": ["Wrad"]}, "S104"),
        ({"outcome": "Readmit", "loss": "absolute"}, "S107"),
        ({"outcome": "Severity"}, "S401"),
        ({"outcome": "Readmit", "within": 2}, "S475"),
        ({"outcome": "Readmit", "within": "a little"}, "S475"),
    ],
)
def test_calls_that_do_not_fit(options: dict[str, object], code: str) -> None:
    with pytest.raises(suture.SutureError) as error:
        model().search_predictor(**options)  # type: ignore[arg-type]
    assert error.value.diagnostics[0].code == code
