"""The pass back over a plan: derivatives, all marginals, the most probable case; against listing every state."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagnostics import SutureError
from suture.semantics.networks.backward import backward, forward, marginals, most_probable
from suture.semantics.networks.marginals import all_marginals, explanation
from suture.semantics.networks.plan import make_plan
from suture.semantics.semiring import BOOLEAN, LOGARITHM, MAXIMUM, PROBABILITY, TROPICAL, Semiring
from suture.semantics.stochastic import FiniteModel

from .brute import states
from .brute_posterior import conditional
from .networks import Shape, brute_force, shapes
from .test_posterior import models


@settings(max_examples=150, deadline=None, database=None)
@given(shapes(), st.sampled_from([PROBABILITY, LOGARITHM, MAXIMUM, TROPICAL, BOOLEAN]))
def test_a_derivative_is_the_contraction_of_all_the_others(shape: Shape, semiring: Semiring) -> None:
    """Put each unit array in the place of an operand: the values of those networks are the derivative."""
    arrays = [semiring.of(array) for array in shape.arrays]
    plan = make_plan(shape.operands, shape.sizes, ())
    found = backward(forward(plan, arrays, semiring), None, semiring)
    for number, array in enumerate(arrays):
        expected = np.empty(array.shape, dtype=semiring.dtype)
        for place in np.ndindex(*array.shape):
            unit = semiring.as_array(semiring.of(np.zeros(array.shape)))
            unit[place] = semiring.of(np.ones(()))
            expected[place] = brute_force(shape, [*arrays[:number], unit, *arrays[number + 1 :]], (), semiring)
        axes = shape.operands[number]
        if len(set(axes)) == len(axes):
            assert np.asarray(found[number]).astype(float) == pytest.approx(expected.astype(float), rel=1e-9)
        else:  # off a diagonal nothing is read
            assert np.broadcast_to(found[number], array.shape).astype(float) == pytest.approx(expected.astype(float))


@settings(max_examples=150, deadline=None, database=None)
@given(shapes(), st.sampled_from([PROBABILITY, LOGARITHM, MAXIMUM, TROPICAL, BOOLEAN]))
def test_marginals_in_every_semiring(shape: Shape, semiring: Semiring) -> None:
    arrays = [semiring.of(array) for array in shape.arrays]
    found = marginals(forward(make_plan(shape.operands, shape.sizes, ()), arrays, semiring), semiring)
    assert sorted(found) == sorted({axis for own in shape.operands for axis in own})
    for axis, values in found.items():
        expected = brute_force(shape, arrays, (axis,), semiring)
        assert np.asarray(values).astype(float) == pytest.approx(expected.astype(float), rel=1e-9)


@settings(max_examples=150, deadline=None, database=None)
@given(shapes(), st.sampled_from([MAXIMUM, TROPICAL]))
def test_the_most_probable_case_reaches_the_maximum(shape: Shape, semiring: Semiring) -> None:
    arrays = [semiring.of(array) for array in shape.arrays]
    chosen = most_probable(forward(make_plan(shape.operands, shape.sizes, ()), arrays, semiring), semiring)
    reached = math.prod(
        float(array[tuple(chosen[axis] for axis in own)])
        for own, array in zip(shape.operands, shape.arrays, strict=True)
    )
    best = max(
        math.prod(
            float(array[tuple(place[axis] for axis in own)])
            for own, array in zip(shape.operands, shape.arrays, strict=True)
        )
        for place in product(*map(range, shape.sizes))
    )
    assert reached == pytest.approx(best, rel=1e-12)


@settings(max_examples=150, deadline=None, database=None)
@given(models(), st.data())
def test_all_marginals_agree_with_enumeration(model: FiniteModel, data: st.DataObject) -> None:
    evidence, do = drawn(model, data), drawn(model, data)
    expected = {name: conditional(model, [name], evidence, dict(do)) for name in model.arrays}
    if any(np.isnan(values).any() for values in expected.values()):
        with pytest.raises(SutureError) as caught:
            all_marginals(model, evidence, do)
        assert caught.value.diagnostics[0].code == "S424"
        return
    found = all_marginals(model, evidence, do)
    assert list(found) == [wire.name for wire in model.diagram.wires]
    for name, table in found.items():
        assert table.values == pytest.approx(expected[name], abs=1e-12)


@settings(max_examples=150, deadline=None, database=None)
@given(models(), st.data())
def test_explanations_agree_with_enumeration(model: FiniteModel, data: st.DataObject) -> None:
    evidence, do = drawn(model, data), drawn(model, data)
    fitting = [
        (float(weight), state)
        for state, weight in states(model, do)
        if all(state[name] == label for name, label in evidence.items())
    ]
    best = max((weight for weight, _ in fitting), default=0.0)
    if best == 0:
        with pytest.raises(SutureError) as caught:
            explanation(model, evidence, do)
        assert caught.value.diagnostics[0].code == "S424"
        return
    found = explanation(model, evidence, do)
    assert math.exp(found.log_probability) == pytest.approx(best, rel=1e-9)
    assert next(weight for weight, state in fitting if state == dict(found.labels)) == pytest.approx(best, rel=1e-9)


def drawn(model: FiniteModel, data: st.DataObject) -> dict[str, str]:
    """Some variables with labels."""
    names = data.draw(st.lists(st.sampled_from(sorted(model.arrays)), max_size=2, unique=True))
    return {name: data.draw(st.sampled_from(model.labels[name])) for name in names}


def test_marginals_far_below_the_range_of_floats() -> None:
    """A hidden chain of 3,000 steps seen through noise, against the forward-backward recursion, scaled at each step."""
    length = 3000
    generator = np.random.default_rng(0)
    move, see = generator.dirichlet([1, 1], 2), generator.dirichlet([1, 1, 1, 1], 2) * 1e-3
    seen = generator.integers(0, 4, length)
    operands = [(0,), *((n, n + 1) for n in range(length - 1)), *((n,) for n in range(length))]
    arrays: list[Any] = [np.array([0.4, 0.6]), *[move] * (length - 1), *[see[:, value] for value in seen]]
    trace = forward(make_plan(tuple(operands), (2,) * length, ()), arrays)
    ahead, behind = [np.array([0.4, 0.6]) * see[:, seen[0]]], [np.ones(2)]
    for n in range(1, length):
        ahead.append((ahead[-1] / ahead[-1].sum()) @ move * see[:, seen[n]])
        behind.append(move @ (behind[-1] / behind[-1].sum() * see[:, seen[length - n]]))
    found = marginals(trace)
    for n in range(length):
        expected = ahead[n] * behind[length - 1 - n]
        assert found[n] / found[n].sum() == pytest.approx(expected / expected.sum(), abs=1e-12)
    logarithm = sum(np.log(step.sum()) for step in ahead)
    assert np.log(float(trace.operands[-1])) + int(trace.exponent) * np.log(2) == pytest.approx(logarithm)
