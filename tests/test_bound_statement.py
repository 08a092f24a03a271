"""The `bound` statement end to end: published closed forms, numbers worked out by hand, and what is refused."""

from __future__ import annotations

import pytest

import suture

BOW = "model Bow { X, Y : {0, 1} ; X -> Y ; X <-> Y }\n"
DATA = "data d of Bow weight n { X, Y, n ; 0, 0, 30 ; 0, 1, 10 ; 1, 0, 20 ; 1, 1, 40 }\n"


def test_the_bow_has_manskis_bounds() -> None:
    # [P(x1,y1) + P(x0,y0) - 1, 1 - P(x1,y0) - P(x0,y1)] = [.4 + .3 - 1, 1 - .2 - .1].
    (answer,) = suture.run(BOW + DATA + "bound ate(X -> Y) from d")
    assert answer.status is suture.Status.BOUNDS
    assert answer.bounds == pytest.approx((-0.3, 0.7), abs=1e-12)
    assert answer.exact == "[-3/10, 7/10]"
    assert "sharp" in (answer.method or "")
    assert answer.to_dict()["bounds"] == [-0.3, 0.7]


def test_the_attaining_models_attain_and_agree_with_the_data() -> None:
    (answer,) = suture.run(BOW + DATA + "bound P(Y = 1 | do(X = 1)) from d")
    assert answer.bounds is not None
    witness = answer.to_dict()["witness"]
    for end, name in zip(answer.bounds, ("low", "high"), strict=True):
        program = witness[name]
        model = program.split()[1]
        queries = f"\ncompute P(Y = 1 | do(X = 1)) in {model}\ncompute P(X = 1, Y = 1) in {model}\n"
        found = [a.value for a in suture.run(program + queries) if a.statement == "compute"]
        assert found[-2] == pytest.approx(end, abs=1e-9)
        assert found[-1] == pytest.approx(0.4, abs=1e-9)


def test_without_data_the_closed_form() -> None:
    (answer,) = suture.run(BOW + "bound P(Y = 1 | do(X = 1)) in Bow")
    assert answer.lines == ("at least P(X=1, Y=1)", "at most 1 - P(X=1, Y=0)")


def test_what_no_distribution_names_is_latent() -> None:
    """Manski's bounds: with Z out of sight the treatment and the outcome are a bow."""
    text = "model M { X, Z, Y : {0, 1} ; X -> Z -> Y ; X <-> Y }\n"
    (answer,) = suture.run(text + "bound P(Y = 1 | do(X = 1)) from P(X, Y)")
    assert answer.lines == ("at least P(X=1, Y=1)", "at most 1 - P(X=1, Y=0)")
    assert "not measured everywhere: Z; taken as latent" in answer.notes


def test_an_identified_query_has_bounds_that_coincide() -> None:
    text = (
        "model M { X, Y : {0, 1} ; X -> Y }\ndata d of M weight n { X, Y, n ; 0, 0, 3 ; 0, 1, 1 ; 1, 0, 1 ; 1, 1, 4 }\n"
    )
    (answer,) = suture.run(text + "bound P(Y = 1 | do(X = 1)) from d")
    assert answer.bounds == pytest.approx((0.8, 0.8), abs=1e-12)


def test_data_that_contradict_the_model_are_an_error() -> None:
    # Pearl's instrumental inequality: P(X=0, Y=0 | Z=0) + P(X=0, Y=1 | Z=1) may not exceed one.
    text = "model IV { Z, X, Y : {0, 1} ; Z -> X -> Y ; X <-> Y }\n"
    text += "data d of IV weight n { Z, X, Y, n ; 0, 0, 0, 9 ; 0, 1, 1, 1 ; 1, 0, 1, 9 ; 1, 1, 0, 1 }\n"
    (answer,) = suture.run(text + "bound ate(X -> Y) from d")
    assert answer.status is suture.Status.ERROR
    assert answer.error is not None
    assert answer.error.code == "S440"


def test_variables_without_values_are_an_error() -> None:
    (answer,) = suture.run("model B { X -> Y ; X <-> Y }\nbound P(Y = 1 | do(X = 1))")
    assert answer.error is not None
    assert answer.error.code == "S427"


def test_a_function_has_a_closed_form_for_each_of_its_cases() -> None:
    """Manski (1990): under no assumption P(Y = y | do(X = x)) is from P(x, y) to P(x, y) + P(not x)."""
    (answer,) = suture.run(BOW + "bound P(Y = 1 | do(X)) in Bow")
    value = answer.to_dict()["value"]
    assert value["variables"] == ["X"]
    assert [(row["labels"], row["low"]["text"], row["high"]["text"]) for row in value["rows"]] == [
        (["0"], "P(X=0, Y=1)", "1 - P(X=0, Y=0)"),
        (["1"], "P(X=1, Y=1)", "1 - P(X=1, Y=0)"),
    ]
    assert answer.lines[:2] == ("X = 0", "  at least P(X=0, Y=1)")


def test_bounds_of_what_is_identified_say_so() -> None:
    program = "model M { Z, X, Y : {0, 1} ; Z -> {X, Y} ; X -> Y }\nbound P(Y = 1 | do(X = 1))"
    (answer,) = suture.run(program)
    assert answer.lines == ("exactly P(Z=0) P(Y=1 | Z=0, X=1) + P(Z=1) P(Y=1 | Z=1, X=1)",)
    assert answer.notes == ("both ends are the same: the query is identified, and `identify` gives its formula",)


def test_what_a_condition_divides_by_cancels() -> None:
    (answer,) = suture.run("model I { Z, X, Y : {0, 1} ; Z -> X -> Y ; X <-> Y }\nbound P(Y[X = 1] = 1 | Z = 0) in I")
    # Of an instrument Y[X = 1] is independent: the bounds are those without the condition (Balke and Pearl 1997).
    (plain,) = suture.run("model I { Z, X, Y : {0, 1} ; Z -> X -> Y ; X <-> Y }\nbound P(Y = 1 | do(X = 1)) in I")
    assert set(answer.lines) == set(plain.lines)
    assert not any("/" in line for line in answer.lines)


def test_values_that_a_function_needs_are_asked_for() -> None:
    (answer,) = suture.run("model B { X -> Y ; X <-> Y }\nbound P(Y | do(X))")
    assert answer.error is not None
    assert (answer.error.code, answer.error.help) == ("S427", "declare them: Y : {no, yes}")
