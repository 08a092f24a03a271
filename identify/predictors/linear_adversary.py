"""The worst domain of a linear-Gaussian model for an affine predictor: closed forms, or bounds that are certified.

The residual of an affine predictor is R = a.e + b.m + c: noises e, values m of the mutable variables.

- Where a mechanism is linear with numbers at corners of a box, the risk is |a|^2 + c^2 at each combination of corners.
- Where some b_j is not zero and m_j has no bound, the worst risk is infinite.
- One variable m = pi(parents) with values in [low, high]: the best reply makes R as large as it can, that is with
  Z = E[R at the middle | parents], normal, m is high where b Z > 0 and else low, and with h = |b| (high - low)/2

      max over pi of E R^2 = E(|Z| + h)^2 + Var(R | parents) = E Z^2 + 2 h E|Z| + h^2 + Var(R | parents),

  in which E|Z| is the mean of a folded normal law (Leone, Nelson, Nottingham 1961).
- Several: m_1 pushes R by h_1 s_1, s_1 = 1 or -1, and so on.  Upper bound: each sees all that those before it saw;
  then with V_k(z) = z^2 + rest and V_j-1(z) = E V_j(|z + N(0, v_j)| + h_j), by induction even and convex, the best
  sign is that of the conditional mean of all there is, and the value E V_1(|Z_1| + h_1) is an integral over normal
  laws.  Where each knows enough to act so, it is exact.  Otherwise a lower bound: signs by what each knows itself, or
  constant, the best of all combinations, evaluated exactly (probabilities of quadrants).

Integrals are by Gauss-Legendre quadrature on both sides of the kink; `QUADRATURE` bounds their relative error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...semantics.semiring import Array
from .affine_predictor import AffinePredictor
from .linear_selection import (
    AnyValue,
    LinearAdversary,
    LinearDomain,
    LinearSelection,
    LinearSystem,
    chosen,
    held,
    texts,
)

Floats = NDArray[np.float64]
QUADRATURE = 1e-10
NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)
REACH = 12.0
TINY = 1e-12
STAGES = 3
MOST_COMBINED = 6
MOST_EXACT = 64


@dataclass(frozen=True, slots=True, eq=False)
class LinearWorst:
    """The risk in the worst domain lies between `lower`, which `domain` attains, and `upper`."""

    lower: Any
    upper: Any
    domain: LinearDomain

    @property
    def exact(self) -> bool:
        """Whether the bounds meet, up to the error of the integrals."""
        return math.isinf(self.lower) or float(self.upper - self.lower) <= QUADRATURE * max(1.0, float(self.upper))


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """A bounded mutable variable that the residual depends on: its coefficient, and half the length it may push.

    `known` are noise vectors of what its mechanism can compute from its parents, `spelled` these in the language, and
    `seen` the mutable variables among its parents.
    """

    choice: AnyValue
    coefficient: float
    half: float
    known: Floats
    spelled: tuple[str, ...]
    seen: frozenset[str]

    @property
    def middle(self) -> float:
        """The middle of the values."""
        return float(self.choice.middle)


def worst_affine(model: LinearSelection, predictor: AffinePredictor) -> LinearWorst:
    """The worst domain among all adversaries for an affine predictor of features of the model."""
    found = [_worst(model, place, predictor) for place in range(len(model.adversaries))]
    best = max(found, key=lambda worst: worst.lower)
    return LinearWorst(best.lower, max(worst.upper for worst in found), best.domain)


def _worst(model: LinearSelection, number: int, predictor: AffinePredictor) -> LinearWorst:
    """The worst domain of one adversary: the worst combination of corners, each with the best reply of the rest."""
    adversary = model.adversaries[number]
    model = model.as_floats() if adversary.corners > MOST_EXACT else model
    best: LinearWorst | None = None
    upper: Any = -math.inf
    for places in adversary.combinations():
        system = model.system(chosen(adversary, places))
        lower, above, free = _best_reply(model, system, adversary, residual(model, system, predictor))
        upper = max(upper, above)
        if best is None or lower > best.lower:
            made = dict(texts(adversary, places)) | free
            domain = LinearDomain(number, tuple((name, made[name]) for name in adversary.choices))
            best = LinearWorst(lower, above, domain)
    assert best is not None
    return LinearWorst(best.lower, upper, best.domain)


def residual(model: LinearSelection, system: LinearSystem, predictor: AffinePredictor) -> Array:
    """The outcome less its prediction as a row of the system."""
    row = system.rows[model.outcome].copy()
    for name, coefficient in zip(predictor.inputs, predictor.coefficients, strict=True):
        row = row - system.rows[name] * model.number(coefficient)
    row[-1] = row[-1] - model.number(predictor.intercept)
    return row


def _best_reply(
    model: LinearSelection, system: LinearSystem, adversary: LinearAdversary, row: Array
) -> tuple[Any, Any, dict[str, str]]:
    """A risk that free mechanisms attain, one that none exceeds, and the mechanisms."""
    free = {name: f":= {middle}" for name, middle in held(adversary)}
    effects = dict(zip(system.inputs, system.effects(row), strict=True))
    pushing: list[AnyValue] = []
    for name in system.inputs:
        choice = adversary.choices[name]
        assert isinstance(choice, AnyValue)
        if abs(float(effects[name])) <= (0 if model.numbers.exact else TINY):
            continue
        if not choice.bounded:
            return math.inf, math.inf, free | {name: ":= 1e6"}
        pushing.append(choice)
    noise = system.noise(row)
    if not pushing:
        risk = (noise * noise).sum() + row[-1] * row[-1]
        return risk, risk, free
    middle = row[-1] + sum(effects[choice.variable] * choice.middle for choice in pushing)
    pushes = [_push(system, choice, float(effects[choice.variable])) for choice in pushing]
    revealed = [_revealed(system, adversary, choice) for choice in pushing]
    game = _Pushes(noise.astype(np.float64), float(middle), pushes, revealed)
    lower, signs = game.attained()
    return lower, max(lower, game.upper()), free | signs


def _push(system: LinearSystem, choice: AnyValue, coefficient: float) -> Push:
    """What the mechanism of a variable can compute: parents that depend on no hidden choice of another mechanism."""
    known: list[Floats] = []
    spelled: list[str] = []
    seen = frozenset(parent for parent in choice.parents if parent in system.inputs)
    for parent in choice.parents:
        row = system.rows[parent].astype(np.float64)
        moved = dict(zip(system.inputs, system.effects(row), strict=True))
        if parent in seen or any(moved[name] != 0 and name not in seen for name in moved):
            continue
        known.append(system.noise(row))
        parts = [(parent, 1.0), *((name, -value) for name, value in moved.items() if value != 0)]
        spelled.append(_sum_text(parts, -float(row[-1])))
    size = len(system.noises)
    return Push(
        choice,
        coefficient,
        abs(coefficient) * float(choice.half),
        np.array(known).reshape(len(known), size),
        tuple(spelled),
        seen,
    )


def _revealed(system: LinearSystem, adversary: LinearAdversary, choice: AnyValue) -> Floats:
    """The noise of all that any free mechanism up to this one, causes first, can read."""
    rows: list[Floats] = []
    for name in system.inputs:
        rows += [system.noise(system.rows[parent]).astype(np.float64) for parent in adversary.choices[name].parents]
        if name == choice.variable:
            break
    return np.array(rows).reshape(len(rows), len(system.noises))


def _sum_text(parts: Sequence[tuple[str, float]], constant: float) -> str:
    """A sum in the language; twelve digits, so that it is what was computed."""
    terms = [(value, f"{abs(value):.12g}*{name}" if abs(value) != 1 else name) for name, value in parts if value]
    if constant or not terms:
        terms.append((constant, f"{abs(constant):.12g}"))
    head = f"-{terms[0][1]}" if terms[0][0] < 0 else terms[0][1]
    return head + "".join(f" {'-' if value < 0 else '+'} {text}" for value, text in terms[1:])


# ---------------------------------------------------------------------------------------------------------------------
# Pushes by bounded mechanisms


@dataclass(frozen=True, eq=False)
class _Pushes:
    """R = noise.e + mean + sum of s_j half_j: each sign a function of what its mechanism knows."""

    noise: Floats
    mean: float
    pushes: Sequence[Push]
    revealed: Sequence[Floats]

    def upper(self) -> float:
        """The value where each sees all that was revealed before it; later ones at once where they are many."""
        variances = [_explained(self.noise, rows)[1] for rows in self.revealed]
        halves = [push.half for push in self.pushes]
        if len(halves) > STAGES:
            variances = [*variances[: STAGES - 1], variances[-1]]
            halves = [*halves[: STAGES - 1], sum(halves[STAGES - 1 :])]
        steps = np.diff([0.0, *variances]).clip(min=0)
        rest = float(self.noise @ self.noise) - variances[-1]

        def value(stage: int, at: Floats) -> Floats:
            """The expected square once the mechanisms up to `stage` have pushed the mean to `at`."""
            if stage == len(halves):
                return at**2 + rest
            return _expected(lambda z: value(stage + 1, np.abs(z) + halves[stage]), at, float(steps[stage]) ** 0.5)

        return float(value(0, np.array([self.mean]))[0])

    def attained(self) -> tuple[float, dict[str, str]]:
        """A risk that mechanisms attain, with these: each by its own knowledge, or constant, the best combination."""
        own = [_explained(self.noise, push.known) for push in self.pushes]
        nested = self._nested(own)
        if nested is not None:
            return self.upper(), nested
        kinds = (0, 1, -1) if len(own) <= MOST_COMBINED else (0,)
        best, signs = -math.inf, ()
        for each in product(kinds, repeat=len(own)):
            risk = self._risk([vector for vector, _ in own], each)
            if risk > best + TINY:
                best, signs = risk, each
        found = zip(self.pushes, own, signs, strict=True)
        return best, {push.choice.variable: self._text(push, vector, sign) for push, (vector, _), sign in found}

    def _nested(self, own: Sequence[tuple[Floats, float]]) -> dict[str, str] | None:
        """The mechanisms that attain the upper bound; None where some know too little for that."""
        total = [_explained(self.noise, rows) for rows in self.revealed]
        found: dict[str, str] = {}
        decided: list[tuple[Push, str]] = []
        for push, (vector, variance), (_, all_of_it) in zip(self.pushes, own, total, strict=True):
            if variance < all_of_it - 1e-9 * max(1.0, all_of_it):
                return None
            parts = [self._mean_text(push, vector)]
            for before, rule in decided:
                if before.choice.variable in push.seen:
                    moved = _sum_text(
                        [(before.choice.variable, before.coefficient)], -before.coefficient * before.middle
                    )
                    parts.append(moved)
                elif self._computes(push, before):
                    parts.append(f"(if {rule} >= 0 then {before.half:.12g} else -{before.half:.12g})")
                else:
                    return None
            rule = " + ".join(f"({part})" if place else part for place, part in enumerate(parts))
            decided.append((push, rule))
            found[push.choice.variable] = self._rule(push, rule)
        return found

    def _computes(self, push: Push, before: Push) -> bool:
        """Whether a mechanism can compute all that one before it knows, in the same parents' terms."""
        return not before.seen and all(text in push.spelled for text in before.spelled)

    def _risk(self, vectors: Sequence[Floats], kinds: Sequence[int]) -> float:
        """E R^2 where each sign is that of the mean given its own knowledge (0), or constant."""
        total = float(self.noise @ self.noise) + self.mean**2
        for place, (push, vector, kind) in enumerate(zip(self.pushes, vectors, kinds, strict=True)):
            total += push.half**2 + 2 * push.half * self._with_rest(vector, kind)
            for other in range(place):
                together = self._together(vectors[other], kinds[other], vector, kind)
                total += 2 * push.half * self.pushes[other].half * together
        return total

    def _with_rest(self, vector: Floats, kind: int) -> float:
        """E[R s] without the pushes."""
        return kind * self.mean if kind else float(folded(np.array(self.mean), float(np.linalg.norm(vector))))

    def _together(self, first: Floats, first_kind: int, second: Floats, second_kind: int) -> float:
        """E[s_i s_j]."""
        if first_kind and second_kind:
            return float(first_kind * second_kind)
        if first_kind or second_kind:
            return (first_kind or second_kind) * float(
                _sign_mean(self.mean, float(np.linalg.norm(second if first_kind else first)))
            )
        return _signs_together(self.mean, first, second)

    # -- in the language

    def _text(self, push: Push, vector: Floats, kind: int) -> str:
        if kind:
            high = kind * push.coefficient > 0
            return f":= {push.choice.high if high else push.choice.low}"
        return self._rule(push, self._mean_text(push, vector))

    def _rule(self, push: Push, rule: str) -> str:
        ends = (push.choice.high, push.choice.low)
        above, below = ends if push.coefficient > 0 else ends[::-1]
        return f":= if {rule} >= 0 then {above} else {below}"

    def _mean_text(self, push: Push, vector: Floats) -> str:
        """E[R | what is known] in terms of the parents."""
        if not len(push.known):
            return _sum_text([], self.mean)
        weights = np.linalg.lstsq(push.known.T, vector, rcond=None)[0]
        parts = [
            (f"({text})" if " " in text or text.startswith("-") else text, float(value))
            for text, value in zip(push.spelled, weights, strict=True)
            if abs(value) > TINY
        ]
        return _sum_text(parts, self.mean)


def _explained(noise: Floats, rows: Floats) -> tuple[Floats, float]:
    """The projection of a noise vector on the span of rows, and its squared length."""
    if not len(rows):
        return np.zeros_like(noise), 0.0
    weights = np.linalg.lstsq(rows.T, noise, rcond=None)[0]
    vector = rows.T @ weights
    return vector, float(vector @ vector)


def folded(mean: Floats, deviation: float) -> Floats:
    """E|Z| of Z ~ N(mean, deviation^2)."""
    from scipy.special import erf

    if deviation <= TINY:
        return np.abs(mean)
    spread = deviation * math.sqrt(2 / math.pi) * np.exp(-(mean**2) / (2 * deviation**2))
    return np.asarray(spread + mean * erf(mean / (deviation * math.sqrt(2))))


def _signs_together(mean: float, first: Floats, second: Floats) -> float:
    """E[sign(Z) sign(W)] of two normal variables with one mean, given by their noise: Owen (1956), formula 3.1."""
    from scipy.special import owens_t

    one, two = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    if min(one, two) <= TINY:
        return float(_sign_mean(mean, one)) * float(_sign_mean(mean, two))
    share = float(np.clip(first @ second / (one * two), -1.0, 1.0))
    if mean == 0:
        return 2 / math.pi * math.asin(share)
    left = max(1 - share**2, 1e-30) ** 0.5
    total = owens_t(mean / one, (one / two - share) / left) + owens_t(mean / two, (two / one - share) / left)
    return 1 - 4 * float(total)


def _sign_mean(mean: Any, deviation: float) -> Floats:
    """E sign(Z) of Z ~ N(mean, deviation^2), a zero counting as positive."""
    from scipy.special import erf

    if deviation <= TINY:
        return np.where(np.asarray(mean) >= 0, 1.0, -1.0)
    return np.asarray(erf(np.asarray(mean) / (deviation * math.sqrt(2))))


def _expected(function: Callable[[Floats], Floats], mean: Floats, deviation: float) -> Floats:
    """E function(mean + deviation N) for each of some means, where the function is smooth but at zero."""
    if deviation <= TINY:
        return function(mean)
    kink = np.clip(-mean / deviation, -REACH, REACH)
    edges = np.stack([np.full(len(mean), -REACH), kink, np.full(len(mean), REACH)])
    total = np.zeros(len(mean))
    for low, high in pairwise(edges):
        half = (high - low)[:, None] / 2
        points = low[:, None] + half * (NODES + 1)
        density = np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi)
        values = function((mean[:, None] + deviation * points).reshape(-1)).reshape(points.shape)
        total += (half * WEIGHTS * density * values).sum(axis=1)
    return total
