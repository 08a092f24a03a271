"""The library face: same words, same answers, plain data, safe to embed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import pytest

import suture

FRONT_DOOR = "X -> M -> Y ; X <-> Y"
FRONT_DOOR_FORMULA = "sum{m} P(M=m | X) sum{x} P(X=x) P(Y | X=x, M=m)"


def formula(answer: suture.Answer) -> str:
    assert answer.estimand is not None
    return answer.estimand.text


def largest_error(answer: suture.Answer) -> float:
    assert answer.check is not None
    assert answer.check.max_error is not None
    return answer.check.max_error


def test_identify_front_door() -> None:
    answer = suture.Model(FRONT_DOOR).identify("P(Y | do(X))")
    assert answer.status is suture.Status.IDENTIFIED
    assert answer.estimand.text == FRONT_DOOR_FORMULA
    assert answer.check.max_error < 1e-12
    assert answer.derivation.steps[0].rule.name == "cut"


def test_the_face_and_the_language_agree() -> None:
    (from_text,) = suture.run(f"model Model {{ {FRONT_DOOR} }}\nidentify P(Y | do(X))")
    from_face = suture.Model(FRONT_DOOR).identify("P(Y | do(X))")
    left, right = from_text.to_dict(), from_face.to_dict()
    for part in ("line", "seconds"):
        left.pop(part), right.pop(part)
    assert left == right


def test_answers_are_json_ready() -> None:
    found = suture.run(f"model M {{ {FRONT_DOOR} }}\nidentify P(Y | do(X))\nindependent X, Y given {{M}}")
    assert json.loads(json.dumps(found.to_dict()))["answers"][1]["witness"] == {"kind": "open path", "path": "X <-> Y"}


def test_representations() -> None:
    answer = suture.Model(FRONT_DOOR).identify("P(Y | do(X))")
    assert "\\sum_{m}" in answer._repr_latex_()
    assert "<details>" in answer._repr_html_()
    assert FRONT_DOOR_FORMULA in str(answer)
    assert suture.Model(FRONT_DOOR)._repr_svg_().startswith("<svg")


def test_negative_answer_has_a_hedge() -> None:
    answer = suture.Model("X -> Y ; X <-> Y").identify("P(Y | do(X))")
    assert answer.status is suture.Status.NOT_IDENTIFIED
    witness = answer.to_dict()["witness"]
    assert (witness["larger"], witness["smaller"]) == (["X", "Y"], ["Y"])


def test_a_contrast_is_identified_as_a_whole() -> None:
    answer = suture.Model("Z : {0, 1} ; X : {0, 1} ; Y : {0, 1} ; Z -> X -> Y ; Z -> Y").identify("ate(X -> Y)")
    assert answer.status is suture.Status.IDENTIFIED
    assert answer.check.max_error < 1e-12


def test_two_hedged_parts_are_undecided_not_denied() -> None:
    answer = suture.Model("X -> Y ; X <-> Y").identify("P(Y = 1 | do(X = 1)) - P(Y = 1 | do(X = 0))")
    assert answer.status is suture.Status.UNDECIDED
    assert "cancel" in answer.reason


def test_estimate_from_python_columns_matches_adjustment_by_hand() -> None:
    # Charig et al. 1986: adjusted success of open surgery, 357/700 * 81/87 + 343/700 * 192/263.
    rows = [
        ("small", "open", "yes", 81), ("small", "open", "no", 6),
        ("small", "key", "yes", 234), ("small", "key", "no", 36),
        ("large", "open", "yes", 192), ("large", "open", "no", 71),
        ("large", "key", "yes", 55), ("large", "key", "no", 25),
    ]  # fmt: skip
    stone, treatment, success, count = (list(column) for column in zip(*rows, strict=True))
    data = {"S": stone, "T": treatment, "Y": success, "n": count}
    model = suture.Model("S -> T -> Y ; S -> Y")
    answer = model.estimate("P(Y = yes | do(T = open))", data, weight="n")
    assert answer.value == pytest.approx(357 / 700 * 81 / 87 + 343 / 700 * 192 / 263, abs=1e-12)


def test_a_variable_the_data_lack_is_taken_as_latent() -> None:
    # Without S the back door stays open: the answer must be no, not the naive ratio.
    data = {"T": ["a", "a", "b", "b"], "Y": ["0", "1", "0", "1"]}
    answer = suture.Model("S -> T -> Y ; S -> Y").estimate("P(Y = 1 | do(T = a))", data)
    assert answer.status is suture.Status.NOT_IDENTIFIED
    assert any("taken as latent" in note for note in answer.notes)


def test_errors_are_raised_with_their_diagnostics() -> None:
    with pytest.raises(suture.SutureError) as error:
        suture.Model(FRONT_DOOR).identify("P(Why | do(X))")
    assert error.value.diagnostics[0].code == "S104"


def test_from_networkx() -> None:
    graph = nx.DiGraph([("U", "X"), ("U", "Y"), ("X", "M"), ("M", "Y")])
    answer = suture.Model.from_networkx(graph, latent=["U"]).identify("P(Y | do(X))")
    assert answer.estimand.text == FRONT_DOOR_FORMULA


def test_threads_do_not_disturb_each_other() -> None:
    texts = [FRONT_DOOR, "X -> Y", "Z -> X -> Y ; Z -> Y", "W -> Z -> X -> Y ; W <-> X ; W <-> Y"] * 4
    alone = [suture.Model(text).identify("P(Y | do(X))").estimand.text for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: suture.Model(text).identify("P(Y | do(X))").estimand.text, texts))
    assert together == alone


def test_the_public_names_are_there() -> None:
    assert set(suture.__all__) <= set(dir(suture))
    with pytest.raises(AttributeError):
        _ = suture.nothing


def test_the_front_door_has_pearls_proof() -> None:
    """Pearl 1995, section 4.3: rule 2 for M, rules 2 and 3 for Y, rule 3 for X, each with its mutilated graph."""
    answer = suture.Model(FRONT_DOOR).identify("P(Y | do(X))", by="do_calculus")
    assert formula(answer) == FRONT_DOOR_FORMULA
    rules = [step.rule.name for step in answer.derivation.steps]
    assert rules.count("rule 2") == 3
    assert rules.count("rule 3") == 2
    assert largest_error(answer) < 1e-12


def test_parts_of_distributions_are_searched() -> None:
    text = f"model Model {{ {FRONT_DOOR} }}\n"
    text += "identify P(Y | do(X)) from P(X, M), P(Y | M, X)\nidentify P(Y | do(X)) from P(X, M)\n"
    found, missing = suture.run(text)
    assert found.status is suture.Status.IDENTIFIED
    assert found.method == "do-calculus search"
    assert largest_error(found) < 1e-12
    assert missing.status is suture.Status.UNDECIDED


@pytest.mark.parametrize(
    ("model", "method", "expected"),
    [
        (FRONT_DOOR, "frontdoor", "identified"),
        (FRONT_DOOR, "backdoor", "undecided"),
        ("Z -> X -> Y ; Z -> Y", "adjustment", "identified"),
        ("Z -> X -> Y ; Z -> Y", "frontdoor", "undecided"),
        ("X -> Y ; X <-> Y", "do_calculus", "not_identified"),
    ],
)
def test_methods_answer_or_say_why_not(model: str, method: str, expected: str) -> None:
    answer = suture.Model(model).identify("P(Y | do(X))", by=method)
    assert answer.status.value == expected
    assert answer.estimand or answer.reason or answer.witness
