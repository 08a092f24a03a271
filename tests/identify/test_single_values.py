"""Sources known at one value: samples selected by S = 1, experiments done at one value of X.

The verdicts and formulas for selection are those of Bareinboim, Tian and Pearl (2014): selection by the treatment alone
is harmless, selection by the outcome is not, and selection by a confounder needs its distribution from elsewhere.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import suture

SELECTION = {
    "by the treatment": ("X -> Y ; X -> S", "P(X, Y | S = 1)", "P(Y | X, S=1)"),
    "by the outcome": ("X -> Y ; Y -> S", "P(X, Y | S = 1)", None),
    "by a cause of the treatment": ("W1 -> X ; W2 -> X -> Y ; W2 -> S", "P(W1, W2, X, Y | S = 1)", "P(Y | X, S=1)"),
    "by a confounder": ("Z -> X -> Y ; Z -> Y ; Z -> S", "P(Z, X, Y | S = 1)", None),
    "by a confounder known elsewhere": (
        "Z -> X -> Y ; Z -> Y ; Z -> S",
        "P(Z, X, Y | S = 1), P(Z)",
        "sum{z} P(Z=z) P(Y | Z=z, X, S=1)",
    ),
}


@pytest.mark.parametrize("name", SELECTION)
def test_recovery_from_selection(name: str) -> None:
    model, sources, expected = SELECTION[name]
    (answer,) = suture.run(f"model M {{ {model} }}\nidentify P(Y | do(X)) from {sources}")
    if expected is None:
        assert answer.status is suture.Status.UNDECIDED
    else:
        assert answer.estimand is not None
        assert answer.estimand.text == expected


def test_the_recovered_formula_is_the_effect() -> None:
    """sum over z of P(z) P(y | x, z, S=1) by enumeration of a random model, against truncated factorisation."""
    generator = np.random.default_rng(5)
    z, x = generator.dirichlet([1, 1]), generator.dirichlet([1, 1], size=2)
    y, s = generator.dirichlet([1, 1], size=(2, 2)), generator.dirichlet([1, 1], size=2)
    joint = {(a, b, c, d): z[a] * x[a, b] * y[a, b, c] * s[a, d] for a, b, c, d in itertools.product((0, 1), repeat=4)}
    for b in (0, 1):
        truth = sum(z[a] * y[a, b, 1] for a in (0, 1))
        selected = {a: joint[a, b, 1, 1] / (joint[a, b, 0, 1] + joint[a, b, 1, 1]) for a in (0, 1)}
        assert sum(z[a] * selected[a] for a in (0, 1)) == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize(("value", "status"), [("0", "identified"), ("1", "undecided")])
def test_an_experiment_at_one_value_tells_that_value_alone(value: str, status: str) -> None:
    text = f"model Bow {{ X -> Y ; X <-> Y }}\nidentify P(Y | do(X = {value})) from P(Y | do(X = 0))"
    (answer,) = suture.run(text)
    assert answer.status.value == status


def test_sources_at_two_values_are_refused() -> None:
    text = "model M { X -> Y ; X -> S }\nidentify P(Y | do(X)) from P(X, Y | S = 1), P(X | S = 0)"
    (answer,) = suture.run(text)
    assert answer.error is not None
    assert answer.error.code == "S501"
