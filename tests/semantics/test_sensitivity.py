"""Pairs, likelihoods, derivatives and tornado tables: against enumeration, in exact rationals."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import model_diagrams, seeds

import suture
from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import model_diagram
from suture.semantics.networks.batches import Batch
from suture.semantics.random_models import random_model
from suture.semantics.stochastic import FiniteModel

from . import brute

PATHS = ("numpy", "jax")


def rational(model: FiniteModel) -> dict[str, np.ndarray]:
    """The mechanisms in exact rationals, each row summing to one exactly."""
    made: dict[str, np.ndarray] = {}
    for name, array in model.arrays.items():
        whole = np.vectorize(lambda entry: Fraction(int(entry * 1000) + 1), otypes=[object])(array)
        made[name] = whole / whole.sum(axis=-1, keepdims=True)
    return made


@st.composite
def exact_models(draw: st.DrawFn, most: int = 4) -> tuple[FiniteModel, dict[str, np.ndarray], np.random.Generator]:
    generator = np.random.default_rng(draw(seeds))
    diagram = draw(model_diagrams(most))
    model = random_model(diagram, generator, {wire.name: int(generator.integers(2, 4)) for wire in diagram.wires})
    exact = rational(model)
    floats = {name: array.astype(np.float64) for name, array in exact.items()}
    return FiniteModel(diagram, model.labels, floats), exact, generator


def probability(
    model: FiniteModel, arrays: Mapping[str, np.ndarray], event: Mapping[str, str], do: Mapping[str, str]
) -> Any:
    return brute.probability(FiniteModel(model.diagram, model.labels, arrays), event, do)


def answer(
    model: FiniteModel,
    arrays: Mapping[str, np.ndarray],
    event: Mapping[str, str],
    known: Mapping[str, str],
    do: Mapping[str, str],
) -> Any:
    return probability(model, arrays, {**event, **known}, do) / probability(model, arrays, known, do)


def varied(
    arrays: Mapping[str, np.ndarray], name: str, place: tuple[int, ...], value: Fraction
) -> dict[str, np.ndarray]:
    """The mechanisms with one entry at another value, the others of its row in proportion."""
    changed = arrays[name].copy()
    row = changed[place[:-1]]
    old = row[place[-1]]
    rest = [entry * (1 - value) / (1 - old) for entry in row]
    for number, entry in enumerate(rest):
        changed[(*place[:-1], number)] = value if number == place[-1] else entry
    return {**arrays, name: changed}


def question(
    model: FiniteModel, generator: np.random.Generator
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    names = [str(name) for name in generator.permutation(list(model.diagram.position))]
    pick = {name: str(generator.choice(model.labels[name])) for name in names}
    event, rest = {names[0]: pick[names[0]]}, names[1:]
    known = {name: pick[name] for name in rest[:1] if generator.random() < 0.8}
    do = {name: pick[name] for name in rest[1:2] if generator.random() < 0.5}
    return event, known, do


def check_derivatives(case: tuple[FiniteModel, dict[str, np.ndarray], np.random.Generator], path: Any) -> None:
    """The derivative under proportional covariation against a difference quotient in exact rationals."""
    model, exact, generator = case
    event, known, do = question(model, generator)
    found = suture.Engine(model, path).sensitivity(event, known, do)
    assert found.value.item() == pytest.approx(float(answer(model, exact, event, known, do)), abs=1e-12)
    step = Fraction(1, 10**8)
    for name, array in exact.items():
        for place in np.ndindex(*array.shape):
            if array.shape[-1] == 1 or not 0 < array[place] < 1:
                continue
            up, down = (
                answer(model, varied(exact, name, place, array[place] + sign * step), event, known, do)
                for sign in (1, -1)
            )
            expected = float((up - down) / (2 * step))
            own = found.proportional[name].values[place] if name in found.proportional else 0.0
            assert own == pytest.approx(expected, abs=1e-9)


@settings(max_examples=25)
@given(exact_models())
def test_derivatives_at_once(case: tuple[FiniteModel, dict[str, np.ndarray], np.random.Generator]) -> None:
    check_derivatives(case, "numpy")


@settings(max_examples=4)
@given(exact_models(3))
def test_compiled_derivatives(case: tuple[FiniteModel, dict[str, np.ndarray], np.random.Generator]) -> None:
    check_derivatives(case, "jax")


@settings(max_examples=25)
@given(exact_models())
def test_tornado_bars_are_exact_and_in_order(
    case: tuple[FiniteModel, dict[str, np.ndarray], np.random.Generator],
) -> None:
    model, exact, generator = case
    event, known, do = question(model, generator)
    bars = suture.Engine(model, "numpy").tornado(event, known, do, spread=0.25)
    assert [bar.width for bar in bars] == sorted((bar.width for bar in bars), reverse=True)
    for bar in bars[:12]:
        box = next(box for box in model.diagram.boxes if box.name == bar.mechanism)
        names = [model.diagram.wires[wire].name for wire in (*box.inputs, *box.outputs)]
        labels = {**bar.case, names[-1]: bar.label}
        place = tuple(model.labels[name].index(labels[name]) for name in names)
        entry = exact[bar.mechanism][place]
        assert bar.entry == pytest.approx(float(entry))
        ends: list[tuple[float, Fraction]] = [(bar.low, entry * Fraction(3, 4))]
        ends.append((bar.high, min(Fraction(1), entry * Fraction(5, 4))))
        for own, end in ends:
            if end == 1 and probability(model, varied(exact, bar.mechanism, place, end), known, do) == 0:
                end = 1 - Fraction(1, 10**20)
            value = answer(model, varied(exact, bar.mechanism, place, end), event, known, do)
            assert own == pytest.approx(float(value), abs=1e-12)
        between = answer(model, varied(exact, bar.mechanism, place, entry * Fraction(9, 8)), event, known, do)
        if entry * Fraction(5, 4) <= 1:
            assert min(bar.low, bar.high) - 1e-12 <= float(between) <= max(bar.low, bar.high) + 1e-12


@pytest.mark.parametrize("path", PATHS)
def test_derivatives_of_an_event_of_probability_zero(path: Any) -> None:
    """P(B = 1 | A = 0) is P(B = 1 | A = 0) itself, with the derivative one."""
    arrays = {"A": np.array([0.5, 0.5]), "B": np.array([[1.0, 0.0], [0.3, 0.7]])}
    model = FiniteModel(model_diagram({"A": (), "B": ("A",)}), {"A": ("0", "1"), "B": ("0", "1")}, arrays)
    found = suture.Engine(model, path).sensitivity({"B": "1"}, {"A": ["0", "1"]})
    assert found.value.values == pytest.approx([0.0, 0.7])
    assert found.proportional["B"].variables == ("case", "A", "B")
    assert found.proportional["B"].values[0] == pytest.approx(np.array([[-1.0, 1.0], [0.0, 0.0]]))
    assert found.proportional["B"].values[1] == pytest.approx(np.array([[0.0, 0.0], [-1.0, 1.0]]))


def test_an_event_must_be_one() -> None:
    model = random_model(model_diagram({"A": (), "B": ("A",)}), np.random.default_rng(0))
    engine: Any = suture.Engine(model)
    for call, text in [
        (lambda: engine.sensitivity({}), "error[S488]: an event is needed"),
        (lambda: engine.sensitivity({"B": "1"}, {"B": "0"}), "error[S488]: B is part of the event and of the evidence"),
        (
            lambda: engine.sensitivity({"B": ["0", "1"]}),
            "error[S488]: an event has one value for each",
        ),
        (lambda: engine.tornado({"B": "1"}, spread=0.0), "error[S488]: a spread of 0.0 is not above 0"),
        (lambda: engine.tornado({"B": "1"}, {"A": ["0", "1"]}), "error[S488]: a tornado is drawn for one case"),
        (lambda: engine.log_likelihood({"A": ["0"], "n": [-1]}, weight="n"), "error[S489]: column n holds weights"),
        (lambda: engine.log_likelihood({"A": ["0"]}, weight="n"), "error[S489]: the data have no column 'n'"),
    ]:
        with pytest.raises(SutureError) as caught:
            call()
        assert caught.value.render().startswith(text)


# ---------------------------------------------------------------------------------------------------------------------
# Pairs and likelihoods


@pytest.mark.parametrize(("path", "seed"), [("numpy", 0), ("numpy", 1), ("numpy", 2), ("jax", 3)])
def test_tables_of_all_pairs(path: Any, seed: int) -> None:
    parents = {"A": (), "B": ("A",), "C": ("A",), "D": ("B", "C"), "E": ()}
    generator = np.random.default_rng(seed)
    model = random_model(model_diagram(parents), generator, {"A": 3, "D": 3})
    pairs = list(product(parents, parents))
    known, do = {"D": ["0", "2", None]}, {"C": ["0", "1", "1"]}
    found = suture.Engine(model, path).pairwise(known, do, pairs=pairs)
    for place, (seen, setting) in enumerate(zip(known["D"], do["C"], strict=True)):
        case = {} if seen is None else {"D": seen}
        total = brute.probability(model, case, {"C": setting})
        for a, b in pairs:
            for (i, first), (j, second) in product(enumerate(model.labels[a]), enumerate(model.labels[b])):
                agree = (a != b or first == second) and case.get(a, first) == first and case.get(b, second) == second
                event = {**case, a: first, b: second}
                expected = brute.probability(model, event, {"C": setting}) / total if agree else 0.0
                assert found[a, b].values[place, i, j] == pytest.approx(expected, abs=1e-12)
    assert list(suture.Engine(model, path).pairwise()) == [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")]


@pytest.mark.parametrize(("path", "rows"), [("numpy", 40), ("jax", 60)])
def test_likelihood_of_data_is_the_sum_over_rows(path: Any, rows: int) -> None:
    parents = {"A": (), "B": ("A",), "C": ("A", "B"), "D": ("C",), "E": ("D",)}
    generator = np.random.default_rng(7)
    model = random_model(model_diagram(parents, latent=["A"]), generator, {"C": 3})
    data = {
        name: [None if generator.random() < 0.3 else str(generator.choice(model.labels[name])) for _ in range(rows)]
        for name in "BCDE"
    }
    counts = generator.integers(0, 4, size=rows)
    expected = np.array(
        [
            np.log(brute.probability(model, {name: label for name in "BCDE" if (label := data[name][row]) is not None}))
            for row in range(rows)
        ]
    )
    engine = suture.Engine(model, path)
    assert engine.log_likelihood(data).item() == pytest.approx(expected.sum(), rel=1e-12)
    weighted = engine.log_likelihood({**data, "n": counts}, weight="n")
    assert weighted.item() == pytest.approx((expected * counts).sum(), rel=1e-12)
    sets = generator.dirichlet(np.ones(2), size=(3, 3))
    several = engine.log_likelihood(data, parameters={"B": Batch("draw", sets)})
    assert several.variables == ("draw",)
    for draw in range(3):
        other = FiniteModel(model.diagram, model.labels, {**model.arrays, "B": sets[draw]})
        assert several.values[draw] == pytest.approx(suture.Engine(other, "numpy").log_likelihood(data).item())
    assert engine.log_likelihood({"B": []}).item() == 0.0
