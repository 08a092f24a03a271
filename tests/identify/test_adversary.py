"""The worst policy: branch and bound, enumeration and the bounds against trying every policy."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from suture.identify.predictors import adversary
from suture.identify.predictors.adversary import Decision, Rewards, worst_policy
from suture.semantics.semiring import PROBABILITY, RATIONAL


def random_rewards(seed: int, exact: bool = False) -> Rewards:
    """Two or three decisions over a few axes; some see each other, some options are missing."""
    generator = np.random.default_rng(seed)
    chance = [f"c{number}" for number in range(int(generator.integers(1, 4)))]
    decisions: list[Decision] = []
    for number in range(int(generator.integers(2, 4))):
        known = [*chance, *(decision.axis for decision in decisions)]
        size = int(generator.integers(0, min(2, len(known)) + 1))
        information = tuple(str(known[place]) for place in sorted(generator.choice(len(known), size, replace=False)))
        allowed = np.ones((2,) * (size + 1), dtype=np.bool_)
        if generator.random() < 0.3:
            allowed[(*(0,) * size, 1)] = False
        decisions.append(Decision(f"d{number}", information, allowed))
    axes = (*chance, *(decision.axis for decision in decisions))
    values = generator.integers(0, 30, size=(2,) * len(axes)) * (generator.random((2,) * len(axes)) < 0.8)
    if exact:
        return Rewards(axes, np.vectorize(Fraction, otypes=[object])(values, 7), tuple(decisions), RATIONAL)
    return Rewards(axes, values / 7, tuple(decisions), PROBABILITY)


def total(rewards: Rewards, policy: dict[object, np.ndarray]) -> float:
    """The reward of a policy, case by case."""
    result = 0.0
    for place in np.ndindex(*rewards.values.shape):
        case = dict(zip(rewards.axes, place, strict=True))
        follows = all(
            policy[each.axis][tuple(case[axis] for axis in each.information)] == case[each.axis]
            for each in rewards.decisions
        )
        result += float(rewards.values[place]) if follows else 0.0
    return result


def brute(rewards: Rewards) -> float:
    """The best of every policy."""
    spaces = []
    for decision in rewards.decisions:
        rows = decision.allowed.reshape(-1, 2)
        options = [np.flatnonzero(row).tolist() for row in rows]
        spaces.append([np.array(made).reshape(decision.allowed.shape[:-1]) for made in product(*options)])
    axes = [decision.axis for decision in rewards.decisions]
    return max(total(rewards, dict(zip(axes, chosen, strict=True))) for chosen in product(*spaces))


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("way", ["enumeration", "branching", "rational"])
def test_the_worst_policy_is_the_worst(seed: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "branching":
        monkeypatch.setattr(adversary, "WORK", 0)
    rewards = random_rewards(seed, way == "rational")
    found = worst_policy(rewards)
    assert found.exact
    assert float(found.lower) == pytest.approx(brute(rewards), abs=1e-9)
    assert total(rewards, dict(found.policy)) == pytest.approx(float(found.lower), abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_bounds_hold_when_the_budget_ends(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adversary, "WORK", 0)
    rewards = random_rewards(seed)
    found = worst_policy(rewards, nodes=1)
    assert float(found.lower) <= brute(rewards) + 1e-9 <= float(found.upper) + 2e-9
    assert total(rewards, dict(found.policy)) == pytest.approx(float(found.lower), abs=1e-9)


def test_some_budgets_leave_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are not trivially equal: among these there are some that one node does not settle."""
    monkeypatch.setattr(adversary, "WORK", 0)
    assert any(not worst_policy(random_rewards(seed), nodes=1).exact for seed in range(30))
