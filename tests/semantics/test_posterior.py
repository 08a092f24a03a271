"""One posterior: against brute force over every joint state, at every corner of its interface."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Kernel, Term
from suture.semantics.distribution import ModelDistribution
from suture.semantics.evaluate import evaluate
from suture.semantics.networks.marginals import all_marginals, explanation
from suture.semantics.networks.posterior import posterior
from suture.semantics.random_models import random_model
from suture.semantics.stochastic import FiniteModel

from .brute_posterior import conditional


@st.composite
def models(draw: st.DrawFn) -> FiniteModel:
    """Up to six variables of one to three values, some mechanisms with zeros."""
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = draw(st.integers(1, 6))
    parents = {
        f"V{n}": tuple(f"V{m}" for m in sorted(generator.choice(n, min(n, int(generator.integers(0, 3))), False)))
        for n in range(count)
    }
    cardinalities = {name: int(generator.integers(1, 4)) for name in parents}
    model = random_model(model_diagram(parents), generator, cardinalities)
    arrays = dict(model.arrays)
    for name, array in arrays.items():
        if generator.random() < 0.4:
            kept = np.where(generator.random(array.shape) < 0.4, 0.0, array)
            total = kept.sum(axis=-1, keepdims=True)
            arrays[name] = np.where(total > 0, kept / np.where(total > 0, total, 1), array)
    return FiniteModel(model.diagram, model.labels, arrays)


@settings(max_examples=300, deadline=None, database=None)
@given(models(), st.data())
def test_agrees_with_enumeration(model: FiniteModel, data: st.DataObject) -> None:
    names = sorted(model.arrays)
    some = st.lists(st.sampled_from(names), max_size=3, unique=True)
    targets = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    label = {name: data.draw(st.sampled_from(model.labels[name])) for name in names}
    evidence = {name: label[name] for name in data.draw(some)}
    do = {name: data.draw(st.sampled_from([None, *model.labels[name]])) for name in data.draw(some)}
    expected = conditional(model, targets, evidence, do)
    if np.isnan(expected).all():
        with pytest.raises(SutureError) as caught:
            posterior(model, targets, evidence, do)
        assert caught.value.diagnostics[0].code == "S424"
        return
    found = posterior(model, targets, evidence, do)
    assert found.variables == (*targets, *(name for name in do if do[name] is None))
    assert found.values == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_the_same_question_at_other_values() -> None:
    """What is kept with the model must not keep the values."""
    model = random_model(model_diagram({"A": (), "B": ("A",), "C": ("A", "B")}), np.random.default_rng(0))
    for a, c in product("01", repeat=2):
        found = posterior(model, ["B"], {"C": c}, {"A": a})
        assert found.values == pytest.approx(conditional(model, ["B"], {"C": c}, {"A": a}))


def test_evidence_far_away_that_is_impossible() -> None:
    """P(Y | B=1) where B is separate from Y and never 1: not determined, although Y knows nothing of it."""
    arrays = {"Y": np.array([0.3, 0.7]), "A": np.array([1.0, 0.0]), "B": np.array([[1.0, 0.0], [0.5, 0.5]])}
    labels = dict.fromkeys("YAB", ("0", "1"))
    model = FiniteModel(model_diagram({"Y": (), "A": (), "B": ("A",)}), labels, arrays)
    with pytest.raises(SutureError) as caught:
        posterior(model, ["Y"], {"B": "1"})
    assert caught.value.render() == (
        "error[S424]: P(Y | B=1) is not determined: the condition B=1 has probability 0\n"
        "  = help: ask for values that occur, or give the model more support"
    )
    assert posterior(model, ["Y"], {"B": "0"}).values == pytest.approx([0.3, 0.7])


def test_misuse() -> None:
    model = random_model(model_diagram({"Smoke": (), "Tar": ("Smoke",)}), np.random.default_rng(0))
    with pytest.raises(SutureError) as caught:
        posterior(model, ["Smoek"])
    assert caught.value.render() == "error[S104]: unknown variable 'Smoek'\n  = help: did you mean 'Smoke'?"
    with pytest.raises(SutureError) as caught:
        posterior(model, ["Tar"], {"Smoke": "2"})
    assert caught.value.render() == "error[S420]: Smoke has no value '2'\n  = help: the values of Smoke are 0, 1"


@pytest.mark.parametrize("strong", [0.5, 1.0])
def test_leaves_that_speak_for_one_value_and_then_for_another(strong: float) -> None:
    """Half of a hub's leaves favour one value, half the other, each beyond float64: by symmetry nothing is learned."""
    leaves = [f"V{number}" for number in range(2000)]
    diagram = model_diagram({"R": (), **dict.fromkeys(leaves, ("R",))})
    arrays = {"R": np.array([0.3, 0.7])}
    for place, leaf in enumerate(leaves):
        rows = [[strong, 1 - strong], [strong / 3, 1 - strong / 3]]
        arrays[leaf] = np.array(rows if place < 1000 else rows[::-1])
    model = FiniteModel(diagram, dict.fromkeys(("R", *leaves), ("0", "1")), arrays)
    seen = dict.fromkeys(leaves, "0")
    assert posterior(model, ["R"], seen).values == pytest.approx([0.3, 0.7], abs=1e-9)
    assert all_marginals(model, seen)["R"].values == pytest.approx([0.3, 0.7], abs=1e-9)
    best = explanation(model, seen)
    assert best.labels["R"] == "1"
    expected = np.log(0.7) + 1000 * (np.log(strong) + np.log(strong / 3))
    assert best.log_probability == pytest.approx(expected, rel=1e-12)
    kernel = Kernel((Term("R"),), tuple(Term(leaf, "0") for leaf in leaves))
    assert evaluate(kernel, ModelDistribution(model)).values == pytest.approx([0.3, 0.7], abs=1e-9)


@pytest.mark.parametrize("tiny", [1e-60, 1e-120, 1e-200])
def test_a_likely_value_that_is_ruled_out_late(tiny: float) -> None:
    """A chain of likelihoods that all but rule out the one value that a last, certain factor leaves."""
    names = [f"V{number}" for number in range(30)]
    last = "Z"
    diagram = model_diagram({"R": (), **dict.fromkeys(names, ("R",)), last: ("R",)})
    arrays = {"R": np.array([1 / 3, 1 / 3, 1 / 3])}
    for name in names:
        arrays[name] = np.array([[1.0, 0.0], [tiny, 1 - tiny], [2 * tiny, 1 - 2 * tiny]])
    arrays[last] = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    model = FiniteModel(diagram, {"R": ("0", "1", "2"), **dict.fromkeys((*names, last), ("0", "1"))}, arrays)
    seen = {**dict.fromkeys(names, "0"), last: "0"}
    expected = np.array([0.0, 1.0, 2.0**30]) / (1 + 2.0**30)
    assert posterior(model, ["R"], seen).values == pytest.approx(expected, abs=1e-9)
    assert all_marginals(model, seen)["R"].values == pytest.approx(expected, abs=1e-9)
    assert explanation(model, seen).labels["R"] == "2"
    kernel = Kernel((Term("R"),), tuple(Term(name, label) for name, label in seen.items()))
    assert evaluate(kernel, ModelDistribution(model)).values == pytest.approx(expected, abs=1e-9)
