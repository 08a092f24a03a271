"""The planned contraction: against numpy's einsum, on large networks, at the edge of float64, and within a budget."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Kernel, Term, probability
from suture.semantics.budget import Budget, amount
from suture.semantics.evaluate import truth
from suture.semantics.factors import Factor
from suture.semantics.networks.contraction import contract, contract_scaled, planned
from suture.semantics.networks.plan import make_plan
from suture.semantics.random_models import random_model
from suture.semantics.semiring import RATIONAL


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Factor], list[int]]:
    """A few factors over up to six axes of length one to three, diagonals and disconnected parts included."""
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    sizes = [int(size) for size in generator.integers(1, 4, size=6)]
    factors = []
    for _ in range(draw(st.integers(1, 6))):
        axes = tuple(int(axis) for axis in generator.integers(0, 6, size=generator.integers(0, 4)))
        factors.append(Factor(axes, generator.random([sizes[axis] for axis in axes])))
    every = sorted({axis for factor in factors for axis in factor.axes if isinstance(axis, int)})
    return factors, [axis for axis in reversed(every) if generator.random() < 0.4]


@settings(max_examples=300, deadline=None, database=None)
@given(networks())
def test_agrees_with_einsum(network: tuple[list[Factor], list[int]]) -> None:
    factors, open_axes = network
    operands: list[Any] = [piece for factor in factors for piece in (factor.values, list(factor.axes))]
    expected: Any = np.einsum(*operands, open_axes, optimize=False)
    assert contract(factors, open_axes) == pytest.approx(expected, abs=1e-12)
    exact = [Factor(f.axes, np.vectorize(Fraction, otypes=[object])(f.values)) for f in factors]
    assert contract(exact, open_axes, semiring=RATIONAL).astype(float) == pytest.approx(expected, abs=1e-12)


def test_large_operands_take_the_matrix_path() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random((5, 40, 60)), generator.random((5, 60, 30, 2))
    made = contract([Factor(("b", "i", "k"), first), Factor(("b", "k", "j", "gone"), second)], ["j", "b", "i"])
    assert made == pytest.approx(np.einsum("bik,bkjg->jbi", first, second))


def test_jax_runs_the_same_plan() -> None:
    import jax
    import jax.numpy as jnp

    factors = [Factor(("x",), np.array([0.25, 0.75])), Factor(("x", "y"), np.array([[0.9, 0.1], [0.2, 0.8]]))]
    with jax.enable_x64(True):
        arrays: list[Any] = [jnp.asarray(factor.values) for factor in factors]
        moved = [Factor(factor.axes, array) for factor, array in zip(factors, arrays, strict=True)]
        assert np.asarray(contract(moved, ["y"], space=jnp)) == pytest.approx([0.375, 0.625], abs=1e-15)


def chain(length: int, width: int, seed: int = 0) -> dict[str, tuple[str, ...]]:
    generator = np.random.default_rng(seed)
    parents: dict[str, tuple[str, ...]] = {}
    for place in range(length):
        near = generator.integers(max(0, place - width), place, 2).tolist() if place else []
        parents[f"V{place}"] = tuple(f"V{number}" for number in sorted(set(near)))
    return parents


def test_a_network_of_six_hundred_nodes_is_answered() -> None:
    model = random_model(model_diagram(chain(600, 4)), np.random.default_rng(1))
    table = truth(model, probability(["V599"], do=["V590"]))
    assert table.values.sum(axis=0) == pytest.approx([1.0, 1.0])


def test_evidence_far_below_the_range_of_floats() -> None:
    """P(V0 | 899 values) on a chain, against the forward-backward recursion with its own scaling."""
    length = 900
    model = random_model(
        model_diagram({f"V{n}": (f"V{n - 1}",) if n else () for n in range(length)}), np.random.default_rng(2)
    )
    seen = tuple(Term(f"V{n}", str(n % 2)) for n in range(1, length))
    table = truth(model, Kernel((Term("V0"),), seen))
    forward = model.arrays["V0"] * model.arrays["V1"][:, 1]
    assert table.values == pytest.approx(forward / forward.sum(), abs=1e-12)
    joint = contract_scaled([Factor((n,), np.array([1e-200, 1e-200])) for n in range(40)], [])
    assert np.log2(float(joint[0])) + joint[1] == pytest.approx(40 * (np.log2(1e-200) + 1))


def test_a_hub_with_a_thousand_leaves() -> None:
    """P(R | every leaf is 0): the products of the leaves' columns, in logarithms."""
    leaves = [f"V{n}" for n in range(1000)]
    model = random_model(model_diagram({"R": (), **dict.fromkeys(leaves, ("R",))}), np.random.default_rng(4))
    table = truth(model, Kernel((Term("R"),), tuple(Term(leaf, "0") for leaf in leaves)))
    logs = np.log(model.arrays["R"]) + sum(np.log(model.arrays[leaf][:, 0]) for leaf in leaves)
    expected = np.exp(logs - np.logaddexp(*logs))
    assert table.values == pytest.approx(expected, rel=1e-9)


def test_min_fill_keeps_a_chain_narrow_whatever_the_order_of_its_boxes() -> None:
    names = list(range(200))
    np.random.default_rng(3).shuffle(names)
    factors = [Factor((n, n + 1), np.full((2, 2), 0.5)) for n in names]
    plan = planned(factors, [0])
    assert plan.flops < 200 * 8 * 2


def test_the_order_of_elimination_takes_leaves_before_the_hub() -> None:
    star = tuple((0, leaf) for leaf in range(1, 8))
    order = make_plan(star, (2,) * 8, ()).order
    assert order.index(0) >= 6


def test_a_plan_beyond_the_budget_is_refused_with_its_estimate() -> None:
    parents = {f"X{n}": () for n in range(40)}
    model = random_model(model_diagram({**parents, "Z": ("X0",)}), np.random.default_rng(0))
    with pytest.raises(SutureError) as caught:
        truth(model, probability([f"X{n}" for n in range(40)]))
    message = caught.value.diagnostics[0]
    assert message.code == "S603"
    assert message.message.endswith("more than the budget of 4.0 GiB and 1e+12")
    assert message.help == "ask for fewer variables at once, or fix some of them at a value"


def test_budgets_bound_work_too() -> None:
    factors = [Factor(("x", "y"), np.ones((10, 10))), Factor(("y", "z"), np.ones((10, 10)))]
    with pytest.raises(SutureError) as caught:
        contract(factors, ["x", "z"], Budget(flops=999))
    assert caught.value.render() == (
        "error[S603]: this evaluation needs 800.0 B of memory and 1.0e+03 multiplications, more than the budget of "
        "4.0 GiB and 1e+03\n  = help: ask for fewer variables at once, or fix some of them at a value"
    )
    assert contract(factors, ["x", "z"], Budget(flops=1000))[0, 0] == 10


def test_misuse() -> None:
    with pytest.raises(ValueError, match="at least one factor"):
        contract([], [])
    with pytest.raises(ValueError, match="occurs in no factor"):
        contract([Factor(("x",), np.ones(2))], ["y"])
    with pytest.raises(ValueError, match="has length 2 and 3"):
        contract([Factor(("x",), np.ones(2)), Factor(("x",), np.ones(3))], [])


def test_amounts() -> None:
    assert [amount(count) for count in (12, 2048, 3 << 30, 1 << 60)] == ["12.0 B", "2.0 KiB", "3.0 GiB", "1024.0 PiB"]
