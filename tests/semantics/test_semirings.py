"""Every semiring: its laws, one evaluator against listing every position, and how the semirings agree."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.semantics.networks.contraction import execute
from suture.semantics.networks.plan import make_plan
from suture.semantics.semiring import (
    BOOLEAN,
    LOGARITHM,
    MAXIMUM,
    NUMERIC,
    PROBABILITY,
    RATIONAL,
    TROPICAL,
    Semiring,
)
from suture.semantics.symbolic import ClosedForm

from .networks import Shape, brute_force, shapes

P, Q = sympy.symbols("p q", positive=True)
CLOSED = ClosedForm([P, Q])
EVERY = (*NUMERIC, RATIONAL, CLOSED)


def entries(semiring: Semiring, numbers: Sequence[Fraction]) -> np.ndarray:
    """Entries for some rational numbers; in closed form each times a different monomial."""
    made = semiring.array(numbers)
    if semiring is CLOSED:
        for place in range(len(numbers)):
            made[place] = made[place] * CLOSED.element([P, Q][place % 2])
    return made


def same(first: Any, second: Any, semiring: Semiring) -> bool:
    """Equal; up to rounding in floats."""
    if semiring.exact:
        return bool(np.all(np.asarray(first == second)))
    return np.allclose(np.asarray(first, dtype=float), np.asarray(second, dtype=float), rtol=1e-12, atol=1e-300)


NUMBERS = st.lists(st.fractions(0, 3, max_denominator=50), min_size=3, max_size=3)


@pytest.mark.parametrize("semiring", EVERY, ids=lambda semiring: semiring.name)
@settings(max_examples=50, deadline=None, database=None)
@given(NUMBERS)
def test_laws(semiring: Semiring, numbers: list[Fraction]) -> None:
    a, b, c = (entries(semiring, numbers)[place : place + 1] for place in range(3))
    plus, times = semiring.plus, semiring.times
    zero, one = semiring.array([Fraction(0)]), semiring.array([Fraction(1)])
    for left, right in (
        (plus(a, plus(b, c)), plus(plus(a, b), c)),
        (times(a, times(b, c)), times(times(a, b), c)),
        (plus(a, b), plus(b, a)),
        (times(a, b), times(b, a)),
        (times(a, plus(b, c)), plus(times(a, b), times(a, c))),
        (plus(a, zero), a),
        (times(a, one), a),
        (times(a, zero), zero),
    ):
        assert same(left, right, semiring)
    assert list(semiring.is_zero(zero)) == [True]
    assert list(semiring.is_one(one)) == [True]
    if not semiring.is_zero(b)[0]:
        assert same(semiring.over(times(a, b), b), a, semiring)


@pytest.mark.parametrize("semiring", EVERY, ids=lambda semiring: semiring.name)
@settings(max_examples=25, deadline=None, database=None)
@given(st.data())
def test_matrices_and_totals_are_sums_of_products(semiring: Semiring, data: st.DataObject) -> None:
    rows, inner, columns = (data.draw(st.integers(1, 3)) for _ in range(3))
    numbers = data.draw(st.lists(st.fractions(0, 3, max_denominator=9), min_size=9, max_size=9))
    left = entries(semiring, [numbers[n % 9] for n in range(rows * inner)]).reshape(rows, inner)
    right = entries(semiring, [numbers[(n + 4) % 9] for n in range(inner * columns)]).reshape(inner, columns)
    for pair in ((left, right), (np.stack([left, left]), np.stack([right, right]))):
        made = semiring.matrix(*pair).reshape(-1, rows, columns)
        for row, column in np.ndindex(rows, columns):
            total = semiring.array([Fraction(0)])
            for place in range(inner):
                term = semiring.times(left[row : row + 1, place], right[place : place + 1, column])
                total = semiring.plus(total, term)
            assert all(same(each[row, column], total[0], semiring) for each in made)
    summed = semiring.total(left, (0, 1))
    total = semiring.array([Fraction(0)])
    for entry in left.reshape(-1):
        total = semiring.plus(total, semiring.as_array(entry).reshape(1))
    assert same(summed, total[0], semiring)


def test_long_inner_axes_are_taken_block_by_block() -> None:
    generator = np.random.default_rng(0)
    left, right = generator.random((70, 900)), generator.random((900, 80))
    expected = (left[:, :, None] * right[None]).max(axis=1)
    assert MAXIMUM.matrix(left, right) == pytest.approx(expected, rel=1e-15)
    assert np.exp(LOGARITHM.matrix(np.log(left), np.log(right))) == pytest.approx(left @ right, rel=1e-12)


@pytest.mark.parametrize("semiring", [*NUMERIC, RATIONAL], ids=lambda semiring: semiring.name)
@settings(max_examples=60, deadline=None, database=None)
@given(shape=shapes(5), data=st.data())
def test_the_evaluator_agrees_with_listing_every_position(
    semiring: Semiring, shape: Shape, data: st.DataObject
) -> None:
    arrays = [semiring.as_array(semiring.of(array)) for array in shape.arrays]
    open_axes = tuple(data.draw(st.permutations(range(len(shape.sizes))))[: data.draw(st.integers(0, 2))])
    plan = make_plan(shape.operands, shape.sizes, open_axes)
    found, exponent = execute(plan, arrays, semiring)
    assert exponent == 0
    assert found.shape == tuple(shape.sizes[axis] for axis in open_axes)
    assert same(found, brute_force(shape, arrays, open_axes, semiring), semiring)


@settings(max_examples=60, deadline=None, database=None)
@given(shapes(5))
def test_one_plan_in_all_semirings(shape: Shape) -> None:
    """Logarithms are those of the probabilities, the support is where they are positive, maxima agree."""
    plan = make_plan(shape.operands, shape.sizes, (0,) if shape.sizes else ())

    def value(semiring: Semiring) -> Any:
        return execute(plan, [semiring.as_array(semiring.of(array)) for array in shape.arrays], semiring)[0]

    plain = value(PROBABILITY)
    assert np.exp(value(LOGARITHM)) == pytest.approx(plain, rel=1e-12)
    assert (value(BOOLEAN) == (plain > 0)).all()
    assert np.exp(value(TROPICAL)) == pytest.approx(value(MAXIMUM), rel=1e-12)
    assert value(RATIONAL).astype(float) == pytest.approx(plain, rel=1e-12)


@settings(max_examples=25, deadline=None, database=None)
@given(shapes(4), st.fractions(1, 3, max_denominator=7), st.fractions(1, 3, max_denominator=7))
def test_closed_forms_at_values_are_the_rationals(shape: Shape, p: Fraction, q: Fraction) -> None:
    """Every third entry is p, every third q, the others numbers: evaluate and put values in, or the other way round."""
    plan = make_plan(shape.operands, shape.sizes, (0,) if shape.sizes else ())
    symbolic: list[Any] = []
    rational: list[Any] = []
    for array in shape.arrays:
        closed, plain = np.empty(array.shape, dtype=object), np.empty(array.shape, dtype=object)
        for number, place in enumerate(np.ndindex(*array.shape)):
            constant = Fraction(int(10 * array[place]), 10)
            closed[place] = [CLOSED.element(P), CLOSED.element(Q), CLOSED.number(constant)][number % 3]
            plain[place] = [p, q, constant][number % 3]
        symbolic.append(closed)
        rational.append(plain)
    forms = np.asarray(execute(plan, symbolic, CLOSED)[0]).reshape(-1)
    numbers = np.asarray(execute(plan, rational, RATIONAL)[0]).reshape(-1)
    for form, number in zip(forms, numbers, strict=True):
        value = form.as_expr().subs({P: sympy.Rational(p), Q: sympy.Rational(q)})
        assert value == sympy.Rational(number.numerator, number.denominator)


@pytest.mark.parametrize("semiring", NUMERIC, ids=lambda semiring: semiring.name)
def test_numpy_and_jax_agree(semiring: Semiring) -> None:
    import jax
    import jax.numpy as jnp

    generator = np.random.default_rng(1)
    operands = ((0, 1), (1, 2, 3), (3, 0), (2,), (4, 4), (4,))
    sizes = (2, 3, 4, 2, 3)
    arrays = [semiring.of(generator.random([sizes[axis] for axis in own])) for own in operands]
    plan = make_plan(operands, sizes, (2, 0))
    expected, _ = execute(plan, arrays, semiring)
    with jax.enable_x64(True):
        moved: list[Any] = [jnp.asarray(array) for array in arrays]
        found, exponent = jax.jit(lambda *given: execute(plan, given, semiring, jnp, scaled=True))(*moved)
        scaled = np.asarray(found).astype(float) * 2.0 ** int(exponent)
    assert scaled == pytest.approx(expected.astype(float), rel=1e-12)
