"""Mechanisms within intervals of probabilities: another linear program, the program's text, other statements."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from oracles.invariance import Transfer, random_transfer
from scipy.optimize import linprog

import suture
from suture.dsl.printer import format_source
from suture.dsl.resolve import read_model
from suture.dsl.source import Source
from suture.identify.predictors.minimax_search import search
from suture.identify.predictors.minimax_setup import loss_named, selection_model

LOSSES = ("squared_loss", "zero_one")


def intervals(transfer: Transfer, generator: np.random.Generator) -> tuple[str, Any]:
    """One mutable variable with a table of intervals: its text, and the ends of every row."""
    name = next(iter(transfer.mutable))
    size = transfer.sizes[name]
    cases = list(product(*(range(transfer.sizes[parent]) for parent in transfer.parents[name])))
    ends: dict[tuple[int, ...], list[tuple[Fraction, Fraction]]] = {}
    rows: list[str] = []
    for case in cases:
        centre = generator.dirichlet([1] * size)
        reach = generator.uniform(0, 0.4, size=size)
        own = [
            (max(Fraction(0), Fraction(f"{c - r:.2f}")), min(Fraction(1), Fraction(f"{c + r + 0.01:.2f}")))
            for c, r in zip(centre, reach, strict=True)
        ]
        ends[case] = own
        cells = ", ".join(map(str, case))
        rows.append(f"{cells} => " + ", ".join(f"[{float(low)}, {float(high)}]" for low, high in own))
    return f"table ({', '.join(transfer.parents[name])}) {{ " + " ; ".join(rows) + " }", ends


@pytest.mark.parametrize("seed", range(24))
def test_the_worst_case_is_that_of_the_linear_program(seed: int) -> None:
    """Per case of the parents, scipy maximises the expected loss over the rows that the intervals allow."""
    generator = np.random.default_rng(seed)
    transfer = random_transfer(generator)
    while len(transfer.mutable) > 1:
        transfer = random_transfer(generator)
    name = next(iter(transfer.mutable))
    table, ends = intervals(transfer, generator)
    lines = transfer.program().strip().split("\n")
    place = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{name} :"))
    lines[place] = lines[place].split("~")[0] + f"~ {table}"
    loss = LOSSES[seed % 2]
    model = read_model("\n".join(lines))
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable)
    found = search(made, loss_named(loss, made.labels[transfer.outcome]))
    for each in found.classes:
        losses = transfer.invariant_losses(each.members.boundary, loss)
        assert float(each.worst) == pytest.approx(_program(transfer, name, ends, losses), abs=1e-8)
        assert each.upper == each.worst


def _program(transfer: Transfer, name: str, ends: Any, losses: Any) -> float:
    """The sum over cases of the largest expected loss; `cut` draws the mutable variable evenly."""
    weights = np.asarray(transfer.cut * losses, dtype=float) * transfer.sizes[name]
    axes = [transfer.axis[parent] for parent in transfer.parents[name]] + [transfer.axis[name]]
    rest = tuple(place for place in range(weights.ndim) if place not in axes)
    order = sorted(axes)
    summed = weights.sum(axis=rest).transpose([order.index(axis) for axis in axes])
    total = 0.0
    for case, own in ends.items():
        bounds = [(float(low), float(high)) for low, high in own]
        done = linprog(-summed[case], A_eq=[[1.0] * len(own)], b_eq=[1.0], bounds=bounds)
        total -= done.fun
    return total


def test_a_domain_with_intervals_is_searched_over_and_within_is_written() -> None:
    head = """
model H { Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ~ table (Y) { 0 => 0.5, 0.5 ; 1 => 0.4, 0.6 } ; mutable M
X : {0, 1} ~ table (Y, M) { _, 0 => 1/2, 1/2 ; 1, 1 => 0.1, 0.9 ; 0, 1 => 0.8, 0.2 } }
domain near of H { M ~ table (Y) { 0 => [0.4, 0.6], [0.4, 0.6] ; 1 => [0.3, 0.5], [0.5, 0.7] } }
"""
    over = suture.run(head + "search predictor of Y from {M, X} over {near} minimax squared_loss")[0].to_dict()
    near = suture.run(head + "search predictor of Y from {M, X} minimax squared_loss within 0.1")[0].to_dict()
    assert over["error"] is None
    assert over["value"]["worst_case"] == near["value"]["worst_case"]
    anything = suture.run(head + "search predictor of Y from {M, X} minimax squared_loss")[0].to_dict()
    worst = {tuple(each["boundary"]): each["worst_case"] for each in anything["value"]["classes"]}
    inside = {tuple(each["boundary"]): each["worst_case"] for each in over["value"]["classes"]}
    assert inside[("X",)] < worst[("X",)]
    from_python = suture.Model(head.split("domain")[0]).search_predictor("Y", within="0.1").to_dict()
    assert from_python["value"]["worst_case"] == near["value"]["worst_case"]


def test_intervals_are_formatted_and_read_back() -> None:
    text = """model M {
  B : {0, 1} ~ Bernoulli([0.2, 0.4])
  C : {a, b} ~ table (B) { 0 => [0.1, 0.2], [1/2, 0.9] ; 1 => 0.3, 0.7 }
  W : real ~ any in [-2, 2]
  V : real := [0.5, 1.5]*W - [0, 1] + noise
  U : real ~ Normal([0, 1]*V, [1, 2])
  mutable B, C, W, V, U
}
search predictor of C from {B} in M minimax squared_loss within 1/10
"""
    once = format_source(Source(text))
    assert format_source(Source(once)) == once
    for piece in ("any in [-2, 2]", "[0.5, 1.5] * W - [0, 1] + noise", "Normal([0, 1] * V, [1, 2])", "within 1/10"):
        assert piece.replace(" ", "") in once.replace(" ", "")


@pytest.mark.parametrize(
    "statement",
    ["compute P(X = 1)", "compute P(X = 1, Y = 1)", "assert P(X = 1) > 0.1"],
)
def test_what_needs_one_number_says_so(statement: str) -> None:
    head = "model M { X : {0, 1} ~ Bernoulli([0.2, 0.4]) ; Y : {0, 1} ~ table (X) { _ => 0.5, 0.5 } }\n"
    (answer,) = suture.run(head + statement)
    assert answer.error is not None
    assert answer.error.code == "S477"
    assert answer.error.message == "an interval is given here, and one number is needed"
