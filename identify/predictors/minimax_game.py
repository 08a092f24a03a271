"""The exact minimax over all predictors, with a certificate: cutting planes.

A pool of domains is kept.  The best prediction against the pool, by its dual mixture, gives a lower bound on what any
predictor can reach (the Bayes risk of a mixture of domains); the worst domain for that prediction gives an upper bound,
and joins the pool.  The risk is convex in the prediction and the policies are finitely many, so the two meet; on small
examples after a handful of rounds.  Inputs are the features on which the best prediction for some mixture depends
(`SelectionDiagram.blanket`); others cannot help.

Floats find the saddle.  Where the model is rational, a bound is given exactly if the best subset's risk is the exact
Bayes risk of one of the domains found, or of a mixture of them with small weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...semantics.semiring import PROBABILITY, Array
from .adversary import Policy, worst_policy
from .arena import Arena
from .losses import Floats, Loss, Mixture

ROUNDS = 400
NEGLIGIBLE = 1e-12
GAP = 1e-11
LINEAR_GAP = 1e-9
DENOMINATORS = (1, 2, 12, 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """A domain of the pool: which adversary, and its policy; None stands for all options drawn alike."""

    adversary: int
    policy: Policy | None


@dataclass(frozen=True, slots=True, eq=False)
class Saddle:
    """No predictor reaches a worst case below `lower`; `prediction` has one of `upper`.

    `mixture` are the weights of the domains that prove the lower bound.
    """

    lower: float
    upper: float
    prediction: Floats
    mixture: tuple[tuple[float, Domain], ...]
    rounds: int

    @property
    def closed(self) -> bool:
        """Whether the bounds meet up to rounding."""
        return self.upper - self.lower <= 1e-8 * max(1.0, self.upper)


def worst_of(arena: Arena, costs: Array) -> tuple[Any, Any, Domain]:
    """The worst domain among all adversaries for given losses: what it attains, an upper bound, and the domain."""
    found = [worst_policy(arena.rewards(adversary, costs)) for adversary in arena.model.adversaries]
    place = max(range(len(found)), key=lambda number: (found[number].lower, -number))
    return found[place].lower, max(worst.upper for worst in found), Domain(place, found[place].policy)


def solve(arena: Arena, loss: Loss, start: Sequence[Domain] = (), rounds: int = ROUNDS) -> Saddle:
    """The minimax prediction over the arena's inputs, to rounding or within a number of rounds."""
    floats = arena.as_floats
    adversaries = arena.model.adversaries
    pool = [Domain(number, None) for number in range(len(adversaries))]
    pool += [domain for domain in start if domain.policy]
    tables = [floats.table(adversaries[domain.adversary], domain.policy) for domain in pool]
    best = Saddle(-np.inf, np.inf, np.empty(0), (), 0)
    goal = LINEAR_GAP if loss.name == "zero_one" else GAP
    for count in range(1, rounds + 1):
        mixture = loss.against(tables)
        value = float(loss.least(np.tensordot(mixture.weights, np.stack(tables), 1), PROBABILITY))
        _, reached, domain = worst_of(floats, loss.costs(mixture.prediction, PROBABILITY))
        best = _improved(best, value, float(reached), mixture, pool, count)
        if best.upper - best.lower <= goal * max(1.0, best.upper):
            break
        table = floats.table(adversaries[domain.adversary], domain.policy)
        if any(np.array_equal(table, known) for known in tables):
            break
        pool.append(domain)
        tables.append(table)
    return replace(best, upper=max(best.lower, best.upper))


def _improved(
    best: Saddle, value: float, reached: float, mixture: Mixture, pool: Sequence[Domain], count: int
) -> Saddle:
    """The saddle with the better of two proofs and the better of two predictions."""
    if value > best.lower:
        weighted = zip(mixture.weights.tolist(), pool, strict=True)
        proof = tuple((weight, domain) for weight, domain in weighted if weight > NEGLIGIBLE)
        best = replace(best, lower=value, mixture=proof)
    if reached < best.upper:
        best = replace(best, upper=reached, prediction=mixture.prediction)
    return replace(best, rounds=count)


def exact_lower(arena: Arena, loss: Loss, saddle: Saddle, target: Fraction, extra: Sequence[Domain]) -> bool:
    """Whether some mixture of the domains found has exactly `target` as its Bayes risk, in rational numbers."""
    adversaries = arena.model.adversaries
    domains = [*extra, *(domain for _, domain in saddle.mixture)]
    tables = [arena.table(adversaries[domain.adversary], domain.policy) for domain in domains]
    if any(loss.least(table, arena.semiring) == target for table in tables):
        return True
    mixed = tables[len(extra) :]
    for most in DENOMINATORS:
        weights = [Fraction(weight).limit_denominator(most) for weight, _ in saddle.mixture]
        total = sum(weights)
        if total:
            table = sum(weight / total * table for weight, table in zip(weights, mixed, strict=True))
            if loss.least(np.asarray(table), arena.semiring) == target:
                return True
    return False
