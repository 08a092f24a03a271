"""Formulas against distributions: against brute force, exactly, in deep formulas, and where positivity fails."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import model_diagram
from suture.dsl.formula import (
    Constant,
    Kernel,
    Plus,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    ValueOf,
    probability,
    sum_over,
)
from suture.dsl.formula import product as times
from suture.semantics.distribution import ModelDistribution
from suture.semantics.evaluate import evaluate, evaluation, require_determined, truth
from suture.semantics.random_models import random_model
from suture.semantics.semiring import RATIONAL
from suture.semantics.stochastic import FiniteModel

from . import brute

GRAPH = model_diagram(
    {"U": (), "A": (), "X": ("A", "U"), "M": ("X",), "Y": ("M", "U", "A"), "Z": ("Y",)}, latent=("U",)
)
CARDINALITIES = {"U": 3, "A": 2, "X": 3, "M": 2, "Y": 2, "Z": 2}
t, s, m = Symbol("t", "M"), Symbol("s", "X"), Symbol("m", "M")


def model(seed: int) -> FiniteModel:
    return random_model(GRAPH, np.random.default_rng(seed), CARDINALITIES)


FRONT_DOOR = Sum(
    (t,),
    times(
        [
            Kernel((Term("M", t),), (Term("X"),)),
            Sum((s,), times([Kernel((Term("X", s),)), Kernel((Term("Y"),), (Term("X", s), Term("M", t)))])),
        ]
    ),
)
FORMULAS = [
    probability(["Y"], ["X"]),
    probability(["Y", "X"], ["A"]),
    probability(["Y"], ["A"], ["X"]),
    probability(["Y", "X"], [], ["X"]),
    probability(["Y"], ["X"], ["M", "X"]),
    probability(["Y"], ["Y"]),
    Kernel((Term("X", "1"), Term("X", s)), (Term("A"),)),
    Kernel((Term("X", "1"), Term("X", "2"))),
    Kernel((Term("Y", "1"),), (Term("X", "2"), Term("A")), (Term("M", "0"),)),
    FRONT_DOOR,
    Sum((s,), times([Kernel((Term("X", s),)), ValueOf(Term("X", s))])),
    Plus((probability(["Y"], ["X"]), times([Constant(Fraction(-1)), probability(["Y"], [], ["X"])]))),
    Ratio(sum_over(["A"], probability(["A", "X", "Y"])), sum_over(["Y", "A"], probability(["A", "X", "Y"]))),
    sum_over(["M", "A"], times([probability(["M"], ["X"]), probability(["Y"], ["M", "A"]), probability(["A"])])),
    Sum((s, t), probability(["Y"])),
    Product((probability(["Y"], ["X"]), ValueOf(Term("X")), ValueOf(Term("M", "1")))),
    Sum((s,), Product((Sum((s,), Kernel((Term("X", s),), (Term("A"),))), Kernel((Term("X", s),))))),
]
FORMULAS[6] = Sum((s,), FORMULAS[6])


@pytest.mark.parametrize("number", range(len(FORMULAS)))
def test_formulas_agree_with_brute_force(number: int) -> None:
    formula, given = FORMULAS[number], model(number)
    table = evaluate(formula, ModelDistribution(given))
    assert set(table.variables) <= {"A", "X", "M", "Y", "Z"}
    for cells, entry in table.rows():
        values = dict(zip(table.variables, cells, strict=True))
        assert entry == pytest.approx(float(brute.value(formula, given, values)), abs=1e-12)


def test_surgery_agrees_with_brute_force_where_the_naive_answer_does_not() -> None:
    given = model(3)
    table = truth(given, probability(["Y"], do=["X"]))
    naive = truth(given, probability(["Y"], ["X"]))
    for cells, entry in table.rows():
        values = dict(zip(table.variables, cells, strict=True))
        assert entry == pytest.approx(brute.probability(given, {"Y": values["Y"]}, {"X": values["X"]}), abs=1e-13)
    assert table.difference(naive) > 1e-3


def test_the_front_door_holds_and_adjusting_for_the_mediator_does_not() -> None:
    given = model(4)
    effect = truth(given, probability(["Y"], do=["X"]))
    wrong = sum_over(["M"], times([probability(["M"]), probability(["Y"], ["X", "M"])]))
    assert evaluate(FRONT_DOOR, ModelDistribution(given)).difference(effect) < 1e-12
    assert evaluate(wrong, ModelDistribution(given)).difference(effect) > 1e-3


def test_exact_evaluation_gives_the_same_rationals_as_brute_force() -> None:
    diagram = model_diagram({"X": (), "Y": ("X",)})
    arrays = {
        "X": np.array([Fraction(1, 3), Fraction(2, 3)], dtype=object),
        "Y": np.array([[Fraction(1, 7), Fraction(6, 7)], [Fraction(3, 5), Fraction(2, 5)]], dtype=object),
    }
    exact = FiniteModel(diagram, {"X": ("0", "1"), "Y": ("0", "1")}, arrays, RATIONAL)
    table = evaluate(Kernel((Term("X", "1"),), (Term("Y", "1"),)), ModelDistribution(exact))
    assert table.item() == Fraction(2 * 2, 3 * 5) / (Fraction(6, 21) + Fraction(4, 15))
    assert isinstance(table.item(), Fraction)


def test_deep_formulas_do_not_exhaust_the_stack() -> None:
    formula = probability(["Y"], ["X"])
    for _ in range(3000):
        formula = Sum((s,), times([Kernel((Term("X", s),)), formula]))
    given = model(5)
    assert evaluate(formula, ModelDistribution(given)).difference(truth(given, probability(["Y"], ["X"]))) < 1e-9


def test_deep_quotients() -> None:
    formula = probability(["Y"])
    for _ in range(1500):
        formula = Ratio(formula, Sum((s,), Kernel((Term("X", s),))))
    given = model(6)
    assert evaluate(formula, ModelDistribution(given)).difference(truth(given, probability(["Y"]))) < 1e-9


def test_bound_symbols_of_one_name_stay_apart() -> None:
    inner = Sum((s,), Kernel((Term("X", s),)))
    given = model(7)
    assert evaluate(Product((inner, inner)), ModelDistribution(given)).item() == pytest.approx(1.0)
    assert evaluate(Sum((s,), Product((inner, inner))), ModelDistribution(given)).item() == pytest.approx(3.0)


# ---------------------------------------------------------------------------------------------------------------------
# Positivity


def impossible() -> FiniteModel:
    """X is never 1; Y follows X."""
    diagram = model_diagram({"X": (), "Y": ("X",), "W": ("X",)})
    arrays = {"X": np.array([1.0, 0.0]), "Y": np.array([[0.25, 0.75], [0.5, 0.5]]), "W": np.eye(2)}
    return FiniteModel(diagram, dict.fromkeys("XYW", ("0", "1")), arrays)


def test_a_condition_of_probability_zero_is_not_determined_and_is_named() -> None:
    done = evaluation(probability(["Y"], ["X"]), ModelDistribution(impossible()))
    assert done.table.variables == ("Y", "X")
    assert np.isnan(done.table.values[:, 1]).all()
    assert done.table.values[:, 0] == pytest.approx([0.25, 0.75])
    assert [gap.text() for gap in done.gaps] == ["P(Y | X): the condition X=1 has probability 0"]
    with pytest.raises(SutureError) as caught:
        require_determined(done, "P(Y | X)")
    assert caught.value.render() == (
        "error[S424]: P(Y | X) is not determined: P(Y | X): the condition X=1 has probability 0\n"
        "  = help: ask for values that occur, or give the model more support"
    )


def test_weight_zero_makes_an_undetermined_cell_irrelevant() -> None:
    x = Symbol("x", "X")
    formula = Sum((x,), Product((Kernel((Term("X", x),)), Kernel((Term("Y"),), (Term("X", x),)))))
    done = evaluation(formula, ModelDistribution(impossible()))
    assert done.table.values == pytest.approx([0.25, 0.75])
    assert done.gaps == ()


def test_an_undetermined_cell_with_weight_is_reported() -> None:
    x = Symbol("x", "X")
    formula = Sum((x,), Product((Constant(Fraction(1, 2)), Kernel((Term("Y", "1"),), (Term("X", x),)))))
    assert evaluate(formula, ModelDistribution(impossible())).item() is None


def test_an_undetermined_cell_is_not_hidden_by_a_sum_of_terms() -> None:
    formula = Plus((Kernel((Term("Y", "1"),), (Term("X", "1"),)), Constant(Fraction(1))))
    assert evaluate(formula, ModelDistribution(impossible())).item() is None


def test_zero_times_undetermined_over_several_axes() -> None:
    x, w = Symbol("x", "X"), Symbol("w", "W")
    weight = Kernel((Term("W", w),), (), (Term("X", "0"),))
    formula = Sum((w,), Product((weight, Kernel((Term("Y", "1"),), (Term("X", "0"), Term("W", w))))))
    assert evaluate(formula, ModelDistribution(impossible())).item() == pytest.approx(0.75)
    formula = Sum((w, x), Product((weight, Kernel((Term("Y", "1"),), (Term("X", x), Term("W", w))))))
    assert evaluate(formula, ModelDistribution(impossible())).item() is None


def test_a_quotient_by_zero_is_not_determined() -> None:
    formula = Ratio(Constant(Fraction(1)), Kernel((Term("X", "1"),)))
    assert evaluate(formula, ModelDistribution(impossible())).item() is None


# ---------------------------------------------------------------------------------------------------------------------
# Messages


def test_the_value_of_a_label_that_is_not_a_number() -> None:
    diagram = model_diagram({"X": ()})
    given = FiniteModel(diagram, {"X": ("no", "yes")}, {"X": np.array([0.5, 0.5])})
    with pytest.raises(SutureError) as caught:
        evaluate(ValueOf(Term("X", "yes")), ModelDistribution(given))
    assert caught.value.render() == (
        "error[S425]: the value 'yes' of X is not a number\n"
        "  = help: an expectation needs numeric values; ask for a probability, P(X = yes)"
    )


def test_a_value_that_a_variable_does_not_have() -> None:
    with pytest.raises(SutureError) as caught:
        evaluate(Kernel((Term("X", "7"),)), ModelDistribution(model(1)))
    assert caught.value.render() == ("error[S420]: X has no value '7'\n  = help: the values of X are 0, 1, 2")


def test_an_unbound_symbol_is_misuse() -> None:
    with pytest.raises(ValueError, match="the symbol s is bound by no sum"):
        evaluate(Kernel((Term("X", s),)), ModelDistribution(model(1)))
