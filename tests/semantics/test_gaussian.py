"""Gaussian kernels: conditionals against the textbook formula with a pseudo-inverse, point states, Fritz' example."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import cut, model_diagram, state
from suture.semantics.base import interpret
from suture.semantics.real.gaussian import Gaussian, LinearGaussian, conditional, eliminate
from suture.semantics.semiring import PROBABILITY, RATIONAL, Array, Field
from suture.semantics.symbolic import ClosedForm


def exactly(values: Any) -> Array:
    made = np.empty(np.shape(values), dtype=object)
    for place in np.ndindex(*made.shape):
        made[place] = Fraction(int(np.asarray(values)[place]))
    return made


def drawn(seed: int, inputs: int, outputs: int, rank: int) -> tuple[Array, Array, Array]:
    """Whole-number matrix, mean and covariance of a kernel, of at most the given rank."""
    generator = np.random.default_rng(seed)
    root = generator.integers(-3, 4, size=(outputs, rank))
    return generator.integers(-3, 4, size=(outputs, inputs)), generator.integers(-3, 4, size=outputs), root @ root.T


def kernel(parts: tuple[Array, Array, Array], field: Field) -> Gaussian:
    if field is RATIONAL:
        return Gaussian(*(exactly(part) for part in parts))
    return Gaussian(*(part.astype(np.float64) for part in parts))


@pytest.mark.parametrize("field", [RATIONAL, PROBABILITY], ids=["exact", "floats"])
@settings(max_examples=80, deadline=None, database=None)
@given(st.data())
def test_conditionals_are_those_of_the_pseudo_inverse(field: Field, data: st.DataObject) -> None:
    """Fritz (2020), example 11.8, at a point of the support; singular covariances among them."""
    inputs, first, second = (data.draw(st.integers(0, 2)), data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2)))
    parts = drawn(data.draw(st.integers(0, 10**6)), inputs, first + second, data.draw(st.integers(0, 4)))
    matrix, mean, covariance = (part.astype(np.float64) for part in parts)
    made = conditional(kernel(parts, field), first, field)
    assert made.matrix.shape == (second, inputs + first)
    point = np.random.default_rng(1).normal(size=inputs)
    shift = covariance[:first, :first] @ np.random.default_rng(2).normal(size=first)
    seen = matrix[:first] @ point + mean[:first] + shift
    gain = covariance[first:, :first] @ np.linalg.pinv(covariance[:first, :first], rcond=1e-10)
    expected = matrix[first:] @ point + mean[first:] + gain @ shift
    found = made.matrix.astype(np.float64) @ np.concatenate([point, seen]) + made.mean.astype(np.float64)
    assert found == pytest.approx(expected, abs=1e-6)
    left = covariance[first:, first:] - gain @ covariance[:first, first:]
    assert made.covariance.astype(np.float64) == pytest.approx(left, abs=1e-6)


def test_point_states_and_surgery() -> None:
    diagram = model_diagram({"X": (), "Y": ("X",)})
    parts = {
        "X": Gaussian(exactly(np.zeros((1, 0))), exactly([5]), exactly([[4]])),
        "Y": Gaussian(exactly([[3]]), exactly([1]), exactly([[2]])),
    }
    meaning = LinearGaussian({"X": 1, "Y": 1}, parts, RATIONAL)
    whole = interpret(meaning, diagram)
    assert whole.mean.tolist() == [5, 16]
    assert whole.covariance.tolist() == [[4, 12], [12, 38]]
    done = interpret(meaning, cut(diagram, {"X": "-1.5"}))
    assert done.mean.tolist() == [Fraction(-3, 2), Fraction(-7, 2)]
    assert done.covariance.tolist() == [[0, 0], [0, 2]]
    vector = interpret(LinearGaussian({"V": 3}, {}, RATIONAL), state("V", "2"))
    assert vector.mean.tolist() == [2, 2, 2]


def test_there_is_no_uniform_state() -> None:
    diagram = cut(model_diagram({"X": ()}), ["X"])
    with pytest.raises(SutureError) as caught:
        interpret(LinearGaussian({"X": 1}, {}), diagram)
    assert caught.value.render() == (
        "error[S454]: there is no uniform law on the real numbers, to which X could be set\n"
        "  = help: set it to a number: do(X = 0)"
    )


def test_floats_take_rounding_for_zero_and_small_noise_for_noise() -> None:
    root = np.array([[0.1], [0.7]])
    tied = eliminate(root @ root.T, [0, 1], PROBABILITY)
    assert len(tied.basis) == 1
    noisy = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-8]])
    assert len(eliminate(noisy, [0, 1], PROBABILITY).basis) == 2


def test_closed_forms_know_ties_between_roots() -> None:
    two, three, six = (sympy.sqrt(number) for number in (2, 3, 6))
    field = ClosedForm([two, three, six, sympy.Symbol("p")])
    a, b, c, p = (field.element(entry) for entry in (two, three, six, sympy.Symbol("p")))
    values = np.empty(4, dtype=object)
    values[:] = [a * b - c, p * (a * b - c), a * b - c + p, a * b + c]
    assert field.is_zero(values).tolist() == [True, True, False, False]


def test_long_closed_forms_are_refused() -> None:
    names = sympy.symbols("a:z")
    field = ClosedForm(names)
    whole = np.empty((4, 4), dtype=object)
    elements = [field.element(name) for name in names]
    for i, j in np.ndindex(4, 4):
        whole[i, j] = sum(elements[(i * 5 + k) % 26] * elements[(j * 5 + k) % 26] for k in range(9))
    with pytest.raises(SutureError) as caught:
        eliminate(whole, range(4), field)
    assert caught.value.diagnostics[0].code == "S603"
    assert "has too many terms to be found in good time" in caught.value.render()
