"""Worst cases, winners and the minimax over all predictors: known fractions, and enumeration of every domain."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from oracles.invariance import Transfer, random_transfer
from scipy.optimize import linprog
from transfer_check import faults, searched

from suture.dsl.program import Domain, Model
from suture.dsl.resolve import read_model
from suture.identify.predictors.minimax_search import Budget, search
from suture.identify.predictors.minimax_setup import loss_named, selection_model
from suture.identify.predictors.overlap_bound import overlap_bound
from suture.identify.predictors.predictor_search import PredictorSearch


def solved(
    model: Model, outcome: str, features: tuple[str, ...], loss: str, over: tuple[Domain, ...] = ()
) -> PredictorSearch:
    made = selection_model(model, outcome, features, model.mutable, over)
    return search(made, loss_named(loss, made.labels[outcome]))


def worst_cases(found: PredictorSearch) -> dict[str, object]:
    return {" ".join(each.members.boundary): each.worst for each in found.classes}


# ---------------------------------------------------------------------------------------------------------------------
# Models whose answers are known fractions, worked out by hand and by an independent program


def model_a(first: str, second: str) -> Model:
    return read_model(
        "model A { Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ~ any ; Y -> M\n"
        "X : {0, 1} ~ table (Y, M) {\n_, 0 => 1/2, 1/2\n"
        f"1, 1 => 1 - {first}, {first} ; 0, 1 => 1 - {second}, {second} }}\nmutable M }}"
    )


@pytest.mark.parametrize(
    ("first", "second", "worst"),
    [
        ("0.9", "0.2", "6822836/39340125"),
        ("0.8", "0.2", "6149/36125"),
        ("0.9", "0.3", "889844/5151125"),
        ("0.5", "0.1", "2781076/17020125"),
        ("0", "0.7", "2686/15125"),
    ],
)
def test_the_whole_stable_set_may_be_worse_than_nothing(first: str, second: str, worst: str) -> None:
    found = solved(model_a(first, second), "Y", ("M", "X"), "squared_loss")
    assert worst_cases(found) == {"": Fraction(4, 25), "X": Fraction(worst)}
    assert found.chosen.members.boundary == ()
    assert found.minimax is not None
    assert found.minimax.exact
    assert (found.minimax.lower, found.gap) == (Fraction(4, 25), 0)
    assert (found.condition.holds, found.condition.edge) == (False, "Y -> X")


def test_the_worst_mechanism_is_a_witness() -> None:
    found = solved(model_a("0.9", "0.2"), "Y", ("M", "X"), "squared_loss")
    policy = found.classes[1].domain.policy
    assert policy is not None
    assert policy["M"].tolist() == [1, 0]


B = """model B { C : {0, 1} ~ Bernoulli(1/2) ; Y : {0, 1} ~ table (C) { 0 => 0.9, 0.1 ; 1 => 0.7, 0.3 }
M : {0, 1} ~ any ; Y -> M
X1 : {0, 1} ~ table (Y, M) { _, 0 => 1/2, 1/2 ; 1, 1 => 0.1, 0.9 ; 0, 1 => 0.8, 0.2 }
X2 : {0, 1} ~ table (X1) { 0 => 0.8, 0.2 ; 1 => 0.3, 0.7 } ; mutable M }"""
C = """model C { C : {0, 1} ~ Bernoulli(1/2) ; Y : {0, 1} ~ table (C) { 0 => 0.9, 0.1 ; 1 => 0.4, 0.6 }
M : {0, 1} ~ any ; Y -> M ; X : {0, 1} ~ table (M) { 0 => 0.8, 0.2 ; 1 => 0.3, 0.7 }
Z : {0, 1} ~ table (Y) { 0 => 0.7, 0.3 ; 1 => 0.2, 0.8 } ; mutable M }"""
D = """model D { X5 : {0, 1} ~ Bernoulli(0.4) ; Y : {0, 1} ~ Bernoulli(0.2) ; M1 : {0, 1} ~ any ; Y -> M1
X1 : {0, 1} ~ table (Y, M1, X5) {
  _, 0, 0 => 0.5, 0.5 ; _, 0, 1 => 0.6, 0.4
  0, 1, 0 => 0.8, 0.2 ; 0, 1, 1 => 0.7, 0.3 ; 1, 1, 0 => 0.1, 0.9 ; 1, 1, 1 => 0.2, 0.8
}
X3 : {0, 1} ~ table (X1) { 0 => 0.9, 0.1 ; 1 => 0.2, 0.8 } ; M2 : {0, 1} ~ any ; {X3, X5} -> M2 ; mutable M1, M2 }"""
E = """model E { Y : {0, 1} ~ Bernoulli(1/2) ; M : {0, 1} ~ any ; Y -> M
X : {0, 1} ~ table (Y, M) { 1, 0 => 0.7, 0.3 ; 1, 1 => 0.9, 0.1 ; 0, 0 => 0.1, 0.9 ; 0, 1 => 0.3, 0.7 } ; mutable M }"""

KNOWN = [
    (B, ("C", "M", "X1", "X2"), False, 6, 0.15, 0.15, {
        "": 0.16, "C": 0.15, "X1": 0.1734319858, "X2": 0.1645410456, "C X1": 0.1551484152, "C X2": 0.1519263215}),
    (C, ("C", "M", "X", "Z"), True, 4, 0.1305494505, 0.1305494505, {
        "": 0.2275, "C": 0.165, "Z": 0.1756140351, "C Z": 0.1305494505}),
    (D, ("X5", "M1", "X1", "X3", "M2"), False, 5, 0.16, 0.16, {
        "": 0.16, "X1": 0.1720486192, "X3": 0.1665700740, "X5 X1": 0.1716147470, "X5 X3": 0.1665476732}),
    (E, ("M", "X"), False, 2, 23 / 128, 0.1575344024, {"": 0.25, "X": 23 / 128}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "features", "holds", "classes", "best", "minimax", "worst"), KNOWN)
def test_known_models(
    text: str,
    features: tuple[str, ...],
    holds: bool,
    classes: int,
    best: float,
    minimax: float,
    worst: dict[str, float],
) -> None:
    found = solved(read_model(text), "Y", features, "squared_loss")
    assert len(found.classes) == classes
    assert found.condition.holds == holds
    assert {name: float(value) for name, value in worst_cases(found).items()} == pytest.approx(worst, abs=6e-11)  # type: ignore[arg-type]
    assert float(found.chosen.worst) == pytest.approx(best, abs=6e-11)
    assert found.minimax is not None
    assert float(found.minimax.lower) == pytest.approx(minimax, abs=6e-11)
    assert float(found.minimax.upper) == pytest.approx(minimax, abs=6e-11)


def test_members_of_the_classes() -> None:
    found = solved(read_model(B), "Y", ("C", "M", "X1", "X2"), "squared_loss")
    optional = {each.members.boundary: each.members.optional for each in found.classes}
    assert optional["X1",] == ("X2",)
    assert optional["C", "X1"] == ("X2",)
    assert sum(each.members.members for each in found.classes) == 8


def test_exact_fractions_of_the_model_where_no_subset_is_minimax() -> None:
    found = solved(read_model(E), "Y", ("M", "X"), "squared_loss")
    assert worst_cases(found) == {"": Fraction(1, 4), "X": Fraction(23, 128)}
    assert found.minimax is not None
    assert not found.minimax.exact
    assert found.gap > 0.02


# ---------------------------------------------------------------------------------------------------------------------
# Random models, every subset and every domain enumerated


@pytest.mark.parametrize("loss", ["squared_loss", "log_loss", "zero_one"])
@pytest.mark.parametrize("seed", range(25))
def test_random_models_against_enumeration(seed: int, loss: str) -> None:
    transfer = random_transfer(np.random.default_rng(seed))
    assert list(faults(transfer, loss, searched(transfer, loss))) == []


def test_what_is_called_hard_is_hard() -> None:
    """Among the random models are those where no subset is minimax, and those with several mutable variables."""
    made = [random_transfer(np.random.default_rng(seed)) for seed in range(25)]
    found = [searched(each, "squared_loss") for each in made]
    assert sum(float(each.gap) > 1e-6 for each in found) >= 3
    assert sum(len(each.mutable) > 1 for each in made) >= 5
    assert sum(each.condition.holds for each in found) >= 3


@pytest.mark.parametrize("seed", range(12))
def test_branch_and_bound_over_classes_finds_the_winner(seed: int) -> None:
    """With no class scored beforehand the search opens places, and proves its answer."""
    transfer = random_transfer(np.random.default_rng(seed), most=7)
    model = read_model(transfer.program().strip())
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable)
    found = search(made, loss_named("squared_loss", made.labels[transfer.outcome]), Budget(0))
    truth = min(transfer.worst(transfer.invariant_losses(s, "squared_loss")) for s in transfer.subsets())
    assert found.complete
    assert found.counted is None
    assert float(found.chosen.worst) == pytest.approx(truth, abs=1e-9)
    assert float(found.floor) == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_a_budget_that_ends_leaves_a_true_floor(seed: int) -> None:
    transfer = random_transfer(np.random.default_rng(seed), most=7)
    model = read_model(transfer.program().strip())
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable)
    found = search(made, loss_named("squared_loss", made.labels[transfer.outcome]), Budget(0, 1))
    truth = min(transfer.worst(transfer.invariant_losses(s, "squared_loss")) for s in transfer.subsets())
    assert float(found.floor) <= truth + 1e-9 <= float(found.chosen.worst) + 2e-9


# ---------------------------------------------------------------------------------------------------------------------
# Restricted mechanisms


def by_linear_program(transfer: Transfer, subset: tuple[str, ...], base: np.ndarray, radius: float) -> float:
    """The worst risk of a subset's predictor over one mechanism whose entries may move by `radius`, as a program."""
    (name,) = transfer.mutable
    losses = transfer.invariant_losses(subset, "squared_loss")
    gains, bounds = [], []
    for case in np.ndindex(*base.shape):
        unit = np.zeros(base.shape)
        unit[case] = 1
        gains.append(float((transfer._joint({name: unit}) * losses).sum()))  # pyright: ignore[reportPrivateUsage]
        bounds.append((max(0.0, base[case] - radius), min(1.0, base[case] + radius)))
    rows = base.size // base.shape[-1]
    ones = np.kron(np.eye(rows), np.ones(base.shape[-1]))
    done: Any = linprog(-np.array(gains), A_eq=ones, b_eq=np.ones(rows), bounds=bounds)
    return -float(done.fun)


@pytest.mark.parametrize("radius", ["0", "1/10", "2/5", "1"])
@pytest.mark.parametrize("seed", range(10))
def test_mechanisms_near_the_given_one(seed: int, radius: str) -> None:
    generator = np.random.default_rng(seed)
    transfer = random_transfer(generator)
    while len(transfer.mutable) > 1:
        transfer = random_transfer(generator)
    model = read_model(transfer.program().strip())
    near = Fraction(radius)
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable, within=near)
    found = search(made, loss_named("squared_loss", made.labels[transfer.outcome]))
    name = next(iter(transfer.mutable))
    base = np.asarray(transfer.tables[name]).astype(float)
    for each in found.classes:
        truth = by_linear_program(transfer, each.members.boundary, base, float(near))
        assert float(each.worst) == pytest.approx(truth, abs=1e-8)
    assert found.minimax is not None
    assert float(found.minimax.upper) - float(found.minimax.lower) < 1e-8
    if radius == "0":
        own = transfer._joint({})  # pyright: ignore[reportPrivateUsage]
        assert float(found.minimax.lower) == pytest.approx(transfer.least(own, "squared_loss"), abs=1e-9)
    if radius == "1":
        free = searched(transfer, "squared_loss")
        assert float(found.chosen.worst) == pytest.approx(float(free.chosen.worst), abs=1e-9)


def test_several_restricted_mechanisms_at_their_corners() -> None:
    """Two mechanisms: the worst of all products of corners, each tried."""
    generator = np.random.default_rng(5)
    transfer = random_transfer(generator, most=5)
    while len(transfer.mutable) != 2 or transfer.policies > 256 or max(transfer.sizes.values()) > 2:
        transfer = random_transfer(generator, most=5)
    model = read_model(transfer.program().strip())
    near = Fraction(1, 5)
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable, within=near)
    found = search(made, loss_named("squared_loss", made.labels[transfer.outcome]))
    spaces = []
    for name in transfer.mutable:
        base = np.asarray(transfer.tables[name]).astype(float)[..., 0]
        ends = [(max(0.0, value - 0.2), min(1.0, value + 0.2)) for value in base.reshape(-1)]
        tables = [np.array(chosen).reshape(base.shape) for chosen in product(*ends)]
        spaces.append([np.stack([table, 1 - table], axis=-1) for table in tables])
    joints = [
        transfer._joint(dict(zip(transfer.mutable, chosen, strict=True)))  # pyright: ignore[reportPrivateUsage]
        for chosen in product(*spaces)
    ]
    for each in found.classes:
        losses = transfer.invariant_losses(each.members.boundary, "squared_loss")
        assert float(each.worst) == pytest.approx(max(float((joint * losses).sum()) for joint in joints), abs=1e-9)


def test_the_condition_settles_nothing_when_mechanisms_are_restricted() -> None:
    """At radius zero there is one domain, and its own best predictor beats the whole stable set."""
    model = read_model(
        "model M { Y : {0, 1} ~ Bernoulli(1/2) ; M : {0, 1} ~ table (Y) { 0 => 0.9, 0.1 ; 1 => 0.2, 0.8 } ; mutable M }"
    )
    made = selection_model(model, "Y", ("M",), ("M",), within=Fraction(0))
    found = search(made, loss_named("squared_loss", ("0", "1")))
    assert found.condition.holds
    assert float(found.chosen.worst) == 0.25
    assert found.minimax is not None
    # E(Y | M = 0) = 2/11, E(Y | M = 1) = 8/9, and the variance that is left.
    assert float(found.minimax.lower) == pytest.approx(0.55 * (2 / 11) * (9 / 11) + 0.45 * (8 / 9) * (1 / 9), abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_the_overlap_bound_is_below_what_all_predictors_reach(seed: int) -> None:
    """Against enumeration: the least risk with all features when mutable mechanisms are fair coins."""
    transfer = random_transfer(np.random.default_rng(seed))
    model = read_model(transfer.program().strip())
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable)
    bound = overlap_bound(made, loss_named("squared_loss", made.labels[transfer.outcome]), transfer.features)
    assert 0 <= bound <= transfer.least(transfer.cut, "squared_loss") + 1e-12


def test_the_overlap_of_independent_features_is_a_product() -> None:
    """Y -> M and Y -> X1, .., X40: sum_x sqrt(p(x | 0) p(x | 1)) of each X is sqrt(.9 .8) + sqrt(.1 .2)."""
    lines = [f"X{number} : {{0, 1}} ~ table (Y) {{ 0 => 0.9, 0.1 ; 1 => 0.8, 0.2 }}" for number in range(40)]
    text = "\n".join(
        ["model S {", "Y : {0, 1} ~ Bernoulli(0.3)", "M : {0, 1} ~ any ; Y -> M", *lines, "mutable M", "}"]
    )
    model = read_model(text)
    made = selection_model(model, "Y", [f"X{number}" for number in range(40)] + ["M"], ("M",))
    overlap = (0.9 * 0.8) ** 0.5 + (0.1 * 0.2) ** 0.5
    bound = overlap_bound(made, loss_named("squared_loss", ("0", "1")), made.diagram.stable)
    assert bound == pytest.approx(0.3 * 0.7 * overlap**80)
