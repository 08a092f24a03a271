"""Formulas come in the form in which the literature prints them, and idle variables do not spoil it.

The expected formulas are those of the papers named, written in suture's order of factors (topological, set variables
apart); the numbers are checked elsewhere, by brute force.
"""

from __future__ import annotations

import pytest

import suture
from suture.dsl.formula import equal
from suture.dsl.formula_reader import read_formula

BOOK = {
    # Pearl 1995, theorem 1 and theorem 2.
    "back door": ("Z -> X -> Y ; Z -> Y", "P(Y | do(X))", "sum{z} P(Z=z) P(Y | Z=z, X)"),
    "front door": ("X -> Z -> Y ; X <-> Y", "P(Y | do(X))", "sum{z} P(Z=z | X) sum{x} P(X=x) P(Y | X=x, Z=z)"),
    # Pearl 1995, figure 4 (causal graph of the back-door example): adjust for X4 and X5 or X3.
    "back door of many": (
        "X1 -> X3 -> X ; X1 -> X4 ; X2 -> X4 -> X ; X2 -> X5 -> Y ; X4 -> Y ; X -> X6 -> Y",
        "P(Y | do(X))",
        "sum{x4, x5} P(Y | X, X4=x4, X5=x5) P(X4=x4, X5=x5)",
    ),
    # Pearl and Mackenzie 2018, the napkin.
    "napkin": (
        "W -> Z -> X -> Y ; W <-> X ; W <-> Y",
        "P(Y | do(X))",
        "(sum{w} P(W=w) P(X, Y | W=w, Z)) / (sum{w} P(W=w) P(X | W=w, Z))",
    ),
    # Shpitser and Pearl 2006 (1206.6876): no rule-3 shortcut to P(Y | Z).
    "conditional front door": ("X -> Z -> Y ; X <-> Y", "P(Y | do(X), Z)", "sum{x} P(X=x) P(Y | X=x, Z)"),
    "no effect": ("Y -> X", "P(Y | do(X))", "P(Y)"),
    "randomised": ("X -> Y", "P(Y | do(X))", "P(Y | X)"),
    "M-bias": ("A -> X -> Y ; A -> M ; B -> M ; B -> Y", "P(Y | do(X))", "P(Y | X)"),
}


@pytest.mark.parametrize("name", BOOK)
def test_the_form_of_the_book(name: str) -> None:
    model, query, expected = BOOK[name]
    answer = suture.Model(model).identify(query)
    assert answer.estimand is not None
    assert answer.estimand.text == expected


IDLE = {
    "an ancestor of the treatment": ("front door", "W -> X"),
    "a chain of them": ("front door", "V -> W -> X"),
    "a child of the outcome": ("front door", "Y -> W"),
    "a child of all": ("front door", "{X, Z, Y} -> W"),
    "a stranger": ("front door", "W"),
    "an instrument": ("back door", "W -> X"),
    "a descendant of the napkin": ("napkin", "{X, Y} -> D"),
}


@pytest.mark.parametrize("what", IDLE)
def test_idle_variables_change_nothing(what: str) -> None:
    name, extra = IDLE[what]
    model, query, expected = BOOK[name]
    arrows = extra if "->" in extra else f"{extra} -> {extra}2"
    answer = suture.Model(f"{model} ; {arrows}").identify(query)
    assert answer.estimand is not None
    assert equal(answer.estimand.formula, read_formula(expected))


def test_every_rewrite_is_a_named_step_with_its_source() -> None:
    answer = suture.Model(BOOK["back door of many"][0]).identify("P(Y | do(X))")
    rules = [step.rule for step in answer.derivation.steps]
    assert [rule.name for rule in rules][:2] == ["cut", "components"]
    assert "back door" in [rule.name for rule in rules]
    assert all(rule.statement and rule.source for rule in rules)
