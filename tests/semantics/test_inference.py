"""The engine on both paths: against enumeration of random models, one case and many."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import model_diagrams, seeds

import suture
from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import Diagram, model_diagram
from suture.semantics.networks.batches import Batch, Likelihood
from suture.semantics.networks.inference import FiniteEngine
from suture.semantics.random_models import random_model
from suture.semantics.stochastic import FiniteModel

from . import brute

PATHS = ("numpy", "jax")


def model_of(diagram: Diagram, seed: int, zeros: bool = False) -> FiniteModel:
    """A random model of two or three values a variable; with `zeros`, some entries are impossible."""
    generator = np.random.default_rng(seed)
    sizes = {wire.name: int(generator.integers(2, 4)) for wire in diagram.wires}
    model = random_model(diagram, generator, sizes)
    if not zeros:
        return model
    arrays = {}
    for name, array in model.arrays.items():
        kept = np.where(generator.random(array.shape) < 0.25, 0.0, array)
        kept[..., 0] += kept.sum(axis=-1) == 0
        arrays[name] = kept / kept.sum(axis=-1, keepdims=True)
    return FiniteModel(model.diagram, model.labels, arrays)


def conditional(
    model: FiniteModel, targets: list[str], known: Mapping[str, str], do: Mapping[str, str]
) -> tuple[np.ndarray, float]:
    """P(targets | known, do) by enumeration, nan where the evidence is impossible, and P(known | do)."""
    shape = [len(model.labels[name]) for name in targets]
    table = np.zeros(shape)
    for state, weight in brute.states(model, do):
        if all(state[name] == label for name, label in known.items()):
            table[tuple(model.labels[name].index(state[name]) for name in targets)] += weight
    total = float(table.sum())
    return (table / total if total > 0 else np.full(shape, np.nan)), total


@st.composite
def asked(draw: st.DrawFn) -> tuple[FiniteModel, np.random.Generator]:
    diagram = draw(model_diagrams(5))
    return model_of(diagram, draw(seeds), draw(st.booleans())), np.random.default_rng(draw(seeds))


def some(generator: np.random.Generator, names: list[str], most: int) -> list[str]:
    chosen = generator.permutation(len(names))[: int(generator.integers(0, min(most, len(names)) + 1))]
    return [names[int(place)] for place in chosen]


def random_case(
    model: FiniteModel, generator: np.random.Generator
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Targets, evidence, interventions at a value and open ones; targets may be among the evidence."""
    names = list(model.diagram.position)
    targets = some(generator, names, 2) or names[:1]
    do = some(generator, names, 2)
    opened = [name for name in do if generator.random() < 0.5]
    return targets, some(generator, names, 3), [name for name in do if name not in opened], opened


def labels_at(model: FiniteModel, generator: np.random.Generator, names: list[str]) -> dict[str, str]:
    return {name: str(generator.choice(model.labels[name])) for name in names}


def check_posterior(model: FiniteModel, generator: np.random.Generator, path: Any) -> None:
    """A posterior at one case against enumeration, every open intervention one by one."""
    targets, seen, fixed, opened = random_case(model, generator)
    known, do = labels_at(model, generator, seen), labels_at(model, generator, fixed)
    engine = FiniteEngine(model, path)
    table = engine.posterior(targets, known, {**do, **dict.fromkeys(opened)})
    assert table.variables == (*targets, *opened)
    for labels in product(*(model.labels[name] for name in opened)):
        setting = dict(zip(opened, labels, strict=True))
        found = table.values[(..., *(model.labels[name].index(label) for name, label in setting.items()))]
        expected, _ = conditional(model, targets, known, {**do, **setting})
        np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=150)
@given(asked())
def test_posteriors_at_once_agree_with_enumeration(case: tuple[FiniteModel, np.random.Generator]) -> None:
    check_posterior(*case, "numpy")


@settings(max_examples=12)
@given(asked())
def test_compiled_posteriors_agree_with_enumeration(case: tuple[FiniteModel, np.random.Generator]) -> None:
    check_posterior(*case, "jax")


def columns_of(
    model: FiniteModel, generator: np.random.Generator, names: list[str], count: int, holes: bool
) -> dict[str, list[str | None]]:
    """Labels for each case, some of them missing where there may be holes."""
    return {
        name: [
            None if holes and generator.random() < 0.3 else str(generator.choice(model.labels[name]))
            for _ in range(count)
        ]
        for name in names
    }


def check_batch(model: FiniteModel, generator: np.random.Generator, path: Any) -> None:
    """Posteriors, marginals, evidence and assignments of several cases against enumeration, case by case."""
    targets, seen, fixed, _ = random_case(model, generator)
    count = int(generator.integers(1, 6))
    known = columns_of(model, generator, seen, count, True)
    do = columns_of(model, generator, fixed, count, False)
    engine = FiniteEngine(model, path)
    table = engine.posterior(targets, known, do)
    marginals = engine.marginals(known, do)
    evidence = engine.evidence(known, do)
    best = engine.most_probable(known, do)
    axes = ("case",) if known or do else ()
    assert table.variables == (*axes, *targets)
    assert evidence.variables == axes
    for place in range(count if axes else 1):
        at = (place,) if axes else ()
        case = {name: label for name, values in known.items() if (label := values[place]) is not None}
        setting = {name: str(values[place]) for name, values in do.items()}
        expected, total = conditional(model, targets, case, setting)
        np.testing.assert_allclose(table.values[at], expected, atol=1e-12)
        with np.errstate(divide="ignore"):
            assert evidence.values[at] == pytest.approx(np.log(total), abs=1e-9)
        for name in model.diagram.position:
            expected, _ = conditional(model, [name], case, setting)
            np.testing.assert_allclose(marginals[name].values[at], expected, atol=1e-12)
        check_assignment(model, case, setting, best, at, total)


def check_assignment(
    model: FiniteModel,
    case: Mapping[str, str],
    setting: Mapping[str, str],
    best: Any,
    at: tuple[int, ...],
    total: float,
) -> None:
    """The assignment has the largest probability that any state has."""
    weights = {
        tuple(state.items()): float(weight)
        for state, weight in brute.states(model, setting)
        if all(state[name] == label for name, label in case.items())
    }
    if total == 0:
        assert (best.codes[at] == -1).all()
        assert np.isnan(best.probability.values[at])
        return
    chosen = {name: model.labels[name][code] for name, code in zip(best.variables, best.codes[at], strict=True)}
    state = tuple((name, chosen[name]) for name in (wire.name for wire in model.diagram.wires))
    assert weights[state] == pytest.approx(max(weights.values()), rel=1e-12)
    assert best.probability.values[at] == pytest.approx(weights[state] / total, rel=1e-9)
    assert best.joint.values[at] == pytest.approx(np.log(weights[state]), abs=1e-9)


@settings(max_examples=100)
@given(asked())
def test_batches_at_once_agree_with_enumeration(case: tuple[FiniteModel, np.random.Generator]) -> None:
    check_batch(*case, "numpy")


@settings(max_examples=8)
@given(asked())
def test_compiled_batches_agree_with_enumeration(case: tuple[FiniteModel, np.random.Generator]) -> None:
    check_batch(*case, "jax")


# ---------------------------------------------------------------------------------------------------------------------
# Axes


CHAIN = model_of(model_diagram({"A": (), "B": ("A",), "C": ("A", "B")}), 3)


@pytest.mark.parametrize("path", PATHS)
def test_axes_of_one_name_go_together_and_others_are_combined(path: Any) -> None:
    engine = FiniteEngine(CHAIN, path)
    labels = CHAIN.labels
    seen = [labels["A"][place] for place in (0, 1, 1)]
    doses = [labels["B"][place] for place in (1, 0)]
    table = engine.posterior("C", {"A": seen}, {"B": Batch("dose", doses)})
    assert table.variables == ("case", "dose", "C")
    assert [list(own)[:3] for own in table.labels[:2]] == [["0", "1", "2"], ["0", "1"]]
    for i, first in enumerate(seen):
        for j, dose in enumerate(doses):
            expected, _ = conditional(CHAIN, ["C"], {"A": first}, {"B": dose})
            assert table.values[i, j] == pytest.approx(expected, abs=1e-12)
            assert table.at(case=str(i), dose=str(j)).values == pytest.approx(expected, abs=1e-12)
    both = engine.posterior("C", {"A": seen[:2]}, {"B": doses})
    assert both.variables == ("case", "C")
    assert both.values == pytest.approx(table.values[[0, 1], [0, 1]], abs=1e-12)


@pytest.mark.parametrize("path", PATHS)
def test_parameter_sets_are_an_axis_too(path: Any) -> None:
    generator = np.random.default_rng(5)
    size = len(CHAIN.labels["B"])
    sets = generator.dirichlet(np.ones(size), size=(4, len(CHAIN.labels["A"])))
    labels = CHAIN.labels["C"]
    engine = FiniteEngine(CHAIN, path)
    table = engine.posterior("A", {"C": Batch("case", labels)}, parameters={"B": Batch("draw", sets)})
    marginals = engine.marginals({"C": Batch("case", labels)}, parameters={"B": Batch("draw", sets)})
    assert table.variables == ("case", "draw", "A")
    for draw in range(4):
        other = FiniteModel(CHAIN.diagram, CHAIN.labels, {**CHAIN.arrays, "B": sets[draw]})
        for case, label in enumerate(labels):
            expected, _ = conditional(other, ["A"], {"C": label}, {})
            assert table.values[case, draw] == pytest.approx(expected, abs=1e-12)
            assert marginals["A"].values[case, draw] == pytest.approx(expected, abs=1e-12)
    unused = engine.posterior("A", parameters={"B": Batch("draw", sets)})
    assert unused.variables == ("draw", "A")
    assert unused.values == pytest.approx(np.tile(CHAIN.arrays["A"], (4, 1)), abs=1e-12)


@pytest.mark.parametrize("path", PATHS)
def test_open_interventions_are_an_axis_of_marginals(path: Any) -> None:
    marginals = FiniteEngine(CHAIN, path).marginals({"C": CHAIN.labels["C"][0]}, do=["B"])
    assert marginals["A"].variables == ("B", "A")
    for place, label in enumerate(CHAIN.labels["B"]):
        expected, total = conditional(CHAIN, ["A"], {"C": CHAIN.labels["C"][0]}, {"B": label})
        assert marginals["A"].at(B=label).values == pytest.approx(expected, abs=1e-12)
        assert marginals.evidence.values[place] == pytest.approx(np.log(total))
        assert marginals["B"].values[place] == pytest.approx(np.eye(len(CHAIN.labels["B"]))[place])


@pytest.mark.parametrize("path", PATHS)
def test_soft_evidence_weighs_the_values(path: Any) -> None:
    weights = np.array([0.2, 1.5, 0.7])[: len(CHAIN.labels["C"])]
    table = FiniteEngine(CHAIN, path).posterior("A", {"C": Likelihood(weights)})
    joint = np.array([[conditional(CHAIN, ["A"], {"C": c}, {})[1] for c in CHAIN.labels["C"]]])
    given_c = np.array([conditional(CHAIN, ["A"], {"C": c}, {})[0] for c in CHAIN.labels["C"]])
    expected = (weights * joint) @ given_c
    assert table.values == pytest.approx((expected / expected.sum()).ravel(), abs=1e-12)


@pytest.mark.parametrize("path", PATHS)
def test_counterfactual_terms_are_answered_in_parallel_worlds(path: Any) -> None:
    model = suture.Model(
        "model M { latent U : 0..3 ~ {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4} ; X : 0..1 ~ {0: 0.3, 1: 0.7} ; "
        "Y : 0..1 := if X == 1 then (if U >= 2 then 1 else 0) else (if U >= 1 then 1 else 0) ; U -> Y ; X -> Y }"
    )
    table = suture.Engine(model, path).posterior(["Y[X = 0]", "Y[X = 1]"], {"X": "1"})
    assert table.variables == ("Y[X=0]", "Y[X=1]")
    assert table.values == pytest.approx(np.array([[0.1, 0.0], [0.2, 0.7]]), abs=1e-12)


def test_the_engine_compiles_once_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    from suture.semantics.networks import inference

    calls: list[str] = []
    compiled_run = inference.run
    engine = FiniteEngine(CHAIN)
    monkeypatch.setattr(inference, "COMPILE_SECONDS", 0.0)
    monkeypatch.setattr(inference, "IMPORT_SECONDS", 0.0)
    monkeypatch.setattr(inference, "COMPILE_SECONDS_A_STEP", 0.01)
    monkeypatch.setattr(inference, "run", lambda *a, **k: calls.append("jax") or compiled_run(*a, **k))
    first = engine.posterior("A", {"C": "0"})
    assert calls == []
    last = first
    while not calls:
        last = engine.posterior("A", {"C": "0"})
    assert calls == ["jax"]
    assert last.values == pytest.approx(first.values, abs=1e-14)


# ---------------------------------------------------------------------------------------------------------------------
# Far below the range of float64


@pytest.mark.parametrize(("path", "count", "weak"), [("numpy", 2000, 0.2), ("jax", 40, 1e-30)])
def test_evidence_that_speaks_for_one_value_and_then_for_another(path: Any, count: int, weak: float) -> None:
    """A hub whose leaves speak for one value in one half, for the other in the other, each half beyond float64."""
    leaves = [f"V{number}" for number in range(count)]
    diagram = model_diagram({"R": (), **dict.fromkeys(leaves, ("R",))})
    base = random_model(diagram, np.random.default_rng(0))
    arrays = {"R": np.array([0.3, 0.7])}
    for place, leaf in enumerate(leaves):
        strong, other = np.array([0.5, 0.5]), np.array([weak, 1.0 - weak])
        arrays[leaf] = np.stack([strong, other] if place < count // 2 else [other, strong])
    engine = FiniteEngine(FiniteModel(diagram, base.labels, arrays), path)
    seen = dict.fromkeys(leaves, "0")
    assert engine.posterior("R", seen).values == pytest.approx([0.3, 0.7], abs=1e-9)
    assert engine.marginals(seen, variables=["R"])["R"].values == pytest.approx([0.3, 0.7], abs=1e-9)
    assert engine.evidence(seen).item() == pytest.approx(count / 2 * np.log(0.5 * weak), rel=1e-12)


@pytest.mark.parametrize("path", PATHS)
def test_a_long_chain_against_forward_and_backward(path: Any) -> None:
    length = 300 if path == "numpy" else 80
    names = [f"V{number}" for number in range(length)]
    diagram = model_diagram({name: (names[place - 1],) if place else () for place, name in enumerate(names)})
    model = random_model(diagram, np.random.default_rng(2), concentration=0.1)
    seen = {name: "0" for place, name in enumerate(names) if place % 2}
    chosen = names[:4]
    marginals = FiniteEngine(model, path).marginals(seen, variables=chosen)
    forward = model.arrays["V0"] * model.arrays["V1"][:, 0]
    assert marginals["V0"].values == pytest.approx(forward / forward.sum(), abs=1e-12)
    middle = model.arrays["V2"][0] * model.arrays["V3"][:, 0]
    assert marginals["V2"].values == pytest.approx(middle / middle.sum(), abs=1e-12)
    assert marginals["V1"].values == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("path", PATHS)
def test_impossible_evidence_is_not_determined(path: Any) -> None:
    arrays = {"A": np.array([0.5, 0.5, 0.0]), "B": np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])}
    model = FiniteModel(model_diagram({"A": (), "B": ("A",)}), {"A": ("0", "1", "2"), "B": ("0", "1")}, arrays)
    engine = FiniteEngine(model, path)
    table = engine.posterior("A", {"B": ["0", "1"]})
    assert table.values[0] == pytest.approx([0.5, 0.5, 0.0])
    assert np.isnan(table.values[1]).all()
    marginals = engine.marginals({"B": ["0", "1", None]})
    assert np.isnan(marginals["A"].values[1]).all()
    assert np.isnan(marginals["B"].values[1]).all()
    assert marginals["A"].values[2] == pytest.approx([0.5, 0.5, 0.0])
    assert engine.evidence({"B": "1"}).item() == -np.inf


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


def refusal(call: Any) -> str:
    with pytest.raises(SutureError) as caught:
        call()
    return caught.value.render()


def test_refusals() -> None:
    engine = FiniteEngine(CHAIN, "numpy")
    assert refusal(lambda: engine.posterior("a")) == "error[S104]: unknown variable 'a'\n  = help: did you mean 'A'?"
    assert refusal(lambda: engine.posterior("A", {"C": ["0", "x"]})).startswith("error[S420]: C has no value 'x'")
    assert refusal(lambda: engine.posterior("A", {"C": ["0", "1"]}, {"B": ["0", "1", "1"]})) == (
        "error[S480]: axis 'case' has 2 places in C and 3 in do(B)\n"
        "  = help: batches on one axis go together place by place; name another axis to combine them all"
    )
    sizes = len(CHAIN.labels["C"])
    assert refusal(lambda: engine.posterior("A", {"C": Likelihood([1.0] * (sizes + 1))})).startswith(
        f"error[S481]: the weights of C have the shape ({sizes + 1},), not ({sizes})"
    )
    assert refusal(lambda: engine.posterior("A", {"C": Likelihood([0.0] * sizes)})) == (
        "error[S481]: the weights of C are not a likelihood\n  = help: give numbers of at least 0, one of them above it"
    )
    assert refusal(lambda: engine.posterior("A", {"C": Batch(("case", "draw"), ["0"])})) == (
        "error[S482]: the values of C have 1 dimensions for 2 named axes\n"
        "  = help: give one dimension for each axis, in their order"
    )
    assert refusal(lambda: engine.posterior("A", parameters={"A": [0.5, 0.6, 0.1][: len(CHAIN.labels["A"])]})) == (
        "error[S485]: the mechanism of A has entries that are not probabilities\n"
        "  = help: entries are at least 0, and sum to 1 in each case of the parents"
    )
    assert refusal(lambda: engine.posterior("A", parameters={"A": [1.0]})).startswith(
        "error[S485]: the mechanism of A has the shape (1,), not ("
    )
    assert refusal(lambda: engine.posterior("A", parameters={"a": [1.0]})).startswith(
        "error[S104]: no mechanism is named 'a'"
    )
    assert refusal(lambda: engine.posterior("A", do={"B": ["0", None]})) == (
        "error[S486]: an intervention on B has a missing value\n"
        "  = help: leave such cases out: an intervention sets a value"
    )
    assert refusal(lambda: engine.posterior("A", {"C": Batch("A", ["0"])})) == (
        "error[S486]: the axis 'A' has the name of a variable\n  = help: give the axis a name of its own"
    )
    assert refusal(lambda: FiniteEngine(CHAIN, "tpu")).startswith("error[S487]: there is no path 'tpu'")  # pyright: ignore[reportArgumentType]
    assert refusal(lambda: suture.Engine(3)).startswith("error[S487]: a int is not a model")  # pyright: ignore[reportArgumentType]
    bare = FiniteModel(CHAIN.diagram, CHAIN.labels, {"A": CHAIN.arrays["A"]})
    assert refusal(lambda: FiniteEngine(bare).posterior("B")) == (
        "error[S428]: this needs the mechanism of B, which the model does not give\n"
        "  = help: give its entries as a parameter, or in the model"
    )
    assert FiniteEngine(bare).posterior("A").values == pytest.approx(CHAIN.arrays["A"])
