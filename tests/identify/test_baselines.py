"""What other methods predict, against their definitions computed another way, and cases known in advance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from suture.semantics.environments.invariance_tests import same_regression
from suture.semantics.environments.invariant_subsets import invariant_subsets
from suture.semantics.environments.linear_methods import (
    Moments,
    anchor_regression,
    group_robust,
    least_squares,
    risks_of,
)

Floats = NDArray[np.float64]


def environments(seed: int, count: int = 3, rows: int = 60) -> tuple[list[Floats], list[Floats]]:
    """Causes whose means and slopes differ between environments."""
    generator = np.random.default_rng(seed)
    causes = [generator.normal(shift, 1 + shift, size=(rows, 2)) for shift in range(count)]
    values = [own @ [1.0, -0.5 * place] + generator.normal(size=rows) for place, own in enumerate(causes)]
    return causes, values


def test_least_squares_on_all_rows() -> None:
    causes, values = environments(0)
    design = np.column_stack([np.ones(180), np.concatenate(causes)])
    expected = np.linalg.lstsq(design, np.concatenate(values), rcond=None)[0]
    fit = least_squares(Moments.of(causes, values))
    assert [fit.constant, *fit.slopes] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 7.0, 1000.0])
def test_anchor_regression_is_least_squares_of_transformed_rows(gamma: float) -> None:
    """The definition: all rows, centred, moved by I - (1 - sqrt(gamma)) times the projection on the anchors."""
    causes, values = environments(1)
    x, y = np.concatenate(causes), np.concatenate(values)
    x, y = x - x.mean(axis=0), y - y.mean()
    anchors = np.kron(np.eye(3), np.ones((60, 1)))
    projection = anchors @ np.linalg.pinv(anchors)
    moved = np.eye(180) - (1 - np.sqrt(gamma)) * projection
    expected = np.linalg.lstsq(moved @ x, moved @ y, rcond=None)[0]
    assert anchor_regression(Moments.of(causes, values), gamma).slopes.tolist() == pytest.approx(expected.tolist())


def test_anchor_regression_agrees_with_ivmodels() -> None:
    pytest.importorskip("ivmodels")
    from ivmodels.models.anchor_regression import AnchorRegression  # pyright: ignore

    causes, values = environments(1)
    anchors = np.kron(np.eye(3), np.ones((60, 1)))[:, :2]
    peer: Any = AnchorRegression(gamma=5).fit(np.concatenate(causes), np.concatenate(values), Z=anchors)
    fit = anchor_regression(Moments.of(causes, values), 5.0)
    assert fit.slopes.tolist() == pytest.approx(np.ravel(peer.coef_).tolist(), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_group_robust_fit_has_the_least_worst_mean_square(seed: int) -> None:
    """Against a search over the coefficients themselves, with the worst environment as a constraint."""
    causes, values = environments(seed)

    def worst(fit: Floats) -> float:
        return max(float(((y - fit[0] - x @ fit[1:]) ** 2).mean()) for x, y in zip(causes, values, strict=True))

    found = group_robust(Moments.of(causes, values))
    constraints = [
        {"type": "ineq", "fun": lambda z, x=x, y=y: z[0] - ((y - z[1] - x @ z[2:]) ** 2).mean()}
        for x, y in zip(causes, values, strict=True)
    ]
    start = np.array([50.0, 0.0, 0.0, 0.0])
    known: Any = minimize(lambda z: z[0], start, constraints=constraints, method="SLSQP", options={"maxiter": 500})
    assert worst(np.array([found.constant, *found.slopes])) == pytest.approx(float(known.x[0]), rel=1e-5)


def test_the_group_robust_slope_lies_in_the_middle() -> None:
    """Two environments without noise, slopes 0 and 2 of the same cause: 1 is best for the worst."""
    x = np.array([[-1.0], [1.0]])
    fit = group_robust(Moments.of([x, x], [np.zeros(2), 2 * x[:, 0]]))
    assert fit.slopes.tolist() == pytest.approx([1.0], abs=1e-6)


def test_risks_of_environments_are_mean_squares() -> None:
    causes, values = environments(2)
    fit = np.array([0.3, 1.0, -1.0])
    expected = [((y - fit[0] - x @ fit[1:]) ** 2).mean() for x, y in zip(causes, values, strict=True)]
    assert risks_of(Moments.of(causes, values).second(), fit).tolist() == pytest.approx(expected)


def sample(seed: int, shift: float, rows: int = 400) -> dict[str, Floats]:
    """A -> Y -> B and A -> C: interventions move A, B and C, never Y."""
    generator = np.random.default_rng(seed)
    a = generator.normal(shift, 1, rows)
    y = a + 0.5 * generator.normal(size=rows)
    b = y - 2 * shift + generator.normal(size=rows)
    return {"A": a, "Y": y, "B": b, "C": a - 2 * shift + generator.normal(size=rows)}


def test_invariant_prediction_finds_the_cause() -> None:
    data = [sample(seed, shift) for seed, shift in enumerate((0.0, 2.0, -1.5))]

    def p_value(chosen: tuple[str, ...]) -> float:
        causes = [np.column_stack([own[name] for name in chosen]) if chosen else np.empty((400, 0)) for own in data]
        return same_regression(causes, [own["Y"] for own in data])[1]

    found = invariant_subsets(["A", "B", "C"], p_value)
    assert found.common == ("A",)
    assert found.complete
    assert found.accepted >= 1


def test_invariant_prediction_agrees_with_causalicp() -> None:
    icp: Any = pytest.importorskip("causalicp")
    data = [sample(seed, shift) for seed, shift in enumerate((0.0, 2.0, -1.5))]
    arrays = [np.column_stack([own[name] for name in ("A", "B", "C", "Y")]) for own in data]
    peer = icp.fit(arrays, 3, alpha=0.05, verbose=False)
    assert peer.estimate == {0}


def test_no_accepted_subset_has_nothing_in_common() -> None:
    found = invariant_subsets(["A", "B"], lambda chosen: 0.0)
    assert (found.common, found.accepted, found.tried) == ((), 0, 4)


def test_a_search_over_too_many_subsets_says_so() -> None:
    found = invariant_subsets([f"V{place}" for place in range(12)], lambda chosen: 0.0, most=50)
    assert not found.complete
    assert found.tried == 50
