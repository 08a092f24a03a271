"""Sharp bounds: published figures, closed forms, brute force over all functions, models that attain them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from oracles.graphs import Graph, Query
from oracles.models import random_model_of
from oracles.response_functions import Functions, extremes, quotient_extremes
from strategies import diagram_of, kernel_of, random_problem, seeds

import suture
from suture.dsl.diagnostics import SutureError
from suture.dsl.formula import Term, kernels
from suture.dsl.program import Model
from suture.dsl.resolve import read_model, read_query
from suture.identify.algorithms import identify
from suture.identify.bounding.bounds import Bounds, BoundsTable, Setting, bounds
from suture.identify.bounding.district_factors import Evidence, from_data, from_table
from suture.identify.derivation import Identified, Undecided
from suture.semantics.data.empirical import from_columns
from suture.semantics.factors import NamedTable

Cases = Callable[[str], Any]
Array = NDArray[Any]

BOW = "X, Y : {0, 1} ; X -> Y ; X <-> Y"
ARROW = "X, Y : {0, 1} ; X -> Y"
IV = "Z, X, Y : {0, 1} ; Z -> X -> Y ; X <-> Y"


def table(names: Sequence[str], values: Any, do: Sequence[str] = ()) -> Evidence:
    array = np.asarray(values)
    labels = tuple(tuple(map(str, range(size))) for size in array.shape)
    return from_table(NamedTable(tuple(names), labels, array), do)


def ask(model: Model | str, query: str, *evidence: Evidence, **how: Any) -> Bounds:
    """Bounds of one number."""
    chosen = read_model(model) if isinstance(model, str) else model
    labels = {name: labels for name in chosen.observed if (labels := chosen.labels(name))}
    found = bounds(read_query(query, chosen).formula, chosen.diagram, evidence, labels, Setting(**how))
    assert isinstance(found, Bounds), found
    return found


def interval(found: Bounds) -> list[float]:
    return [float(found.low), float(found.high)]


def fractions(array: Array, scale: int = 1000) -> Array:
    """The distribution in whole thousandths, exact."""
    counts = np.maximum(np.round(np.asarray(array, float) * scale).astype(int), 1)
    total = int(counts.sum())
    return np.vectorize(lambda count: Fraction(int(count), total), otypes=[object])(counts)


def random_joint(generator: np.random.Generator, shape: Sequence[int]) -> Array:
    return generator.dirichlet(np.full(int(np.prod(shape)), 0.7)).reshape(*shape)


# ---------------------------------------------------------------------------------------------------------------------
# The literature


def manski(p: Array) -> list[float]:
    """Manski (1990): P(x1,y1) + P(x0,y0) - 1 <= ATE <= 1 - P(x1,y0) - P(x0,y1), axes (x, y)."""
    return [float(p[1, 1] + p[0, 0] - 1), float(1 - p[1, 0] - p[0, 1])]


def balke_pearl(p: Array) -> list[float]:
    """Balke and Pearl (1997), equation 13, for p[z, x, y] = P(x, y | z)."""

    def q(y: int, x: int, z: int) -> float:
        return float(p[z, x, y])

    low = max(
        q(1, 1, 1) + q(0, 0, 0) - 1,
        q(1, 1, 0) + q(0, 0, 1) - 1,
        q(1, 1, 0) - q(1, 1, 1) - q(1, 0, 1) - q(0, 1, 0) - q(1, 0, 0),
        q(1, 1, 1) - q(1, 1, 0) - q(1, 0, 0) - q(0, 1, 1) - q(1, 0, 1),
        -q(0, 1, 1) - q(1, 0, 1),
        -q(0, 1, 0) - q(1, 0, 0),
        q(0, 0, 1) - q(0, 1, 1) - q(1, 0, 1) - q(0, 1, 0) - q(0, 0, 0),
        q(0, 0, 0) - q(0, 1, 0) - q(1, 0, 0) - q(0, 1, 1) - q(0, 0, 1),
    )
    high = min(
        1 - q(0, 1, 1) - q(1, 0, 0),
        1 - q(0, 1, 0) - q(1, 0, 1),
        -q(0, 1, 0) + q(0, 1, 1) + q(0, 0, 1) + q(1, 1, 0) + q(0, 0, 0),
        -q(0, 1, 1) + q(1, 1, 1) + q(0, 0, 1) + q(0, 1, 0) + q(0, 0, 0),
        q(1, 1, 1) + q(0, 0, 1),
        q(1, 1, 0) + q(0, 0, 0),
        -q(1, 0, 1) + q(1, 1, 1) + q(0, 0, 1) + q(1, 1, 0) + q(1, 0, 0),
        -q(1, 0, 0) + q(1, 1, 0) + q(0, 0, 0) + q(1, 1, 1) + q(1, 0, 1),
    )
    return [low, high]


def instrument_joint(generator: np.random.Generator) -> Array:
    """P(z, x, y) of a random instrumental model, by drawing how units respond."""
    types = generator.dirichlet(np.full(16, 0.4))
    p, share = np.zeros((2, 2, 2)), generator.uniform(0.2, 0.8)
    for number, weight in enumerate(types):
        x, y = [number & 1, number >> 1 & 1], [number >> 2 & 1, number >> 3 & 1]
        for z in (0, 1):
            p[z, x[z], y[x[z]]] += weight * (share if z else 1 - share)
    return p


def test_published_graphs_with_a_treatment_and_its_outcome(cases: Cases) -> None:
    generator = np.random.default_rng(1)
    found = {case["name"]: Graph.of_case(case) for case in cases("identification.json") if case["kind"] == "bounds"}
    assert set(found) == {"bounds_iv_ate", "bounds_bow_ate"}
    for name, graph in found.items():
        joint = instrument_joint(generator)
        joint = joint if "Z" in graph.nodes else joint.sum(axis=0)
        expected = balke_pearl(joint / joint.sum(axis=(1, 2), keepdims=True)) if "Z" in graph.nodes else manski(joint)
        given = table([each for each in "ZXY" if each in graph.nodes], joint)
        query = read_query("ate(X -> Y)", read_model(IV)).formula
        made = bounds(query, diagram_of(graph), [given])
        assert isinstance(made, Bounds), name
        assert made.sharp
        assert interval(made) == pytest.approx(expected, abs=1e-9)


def test_legal_drug(cases: Cases) -> None:
    """Tian and Pearl (2000): experiments and observations together make the probability of necessity one."""
    expected = {case["id"]: case["expected"] for case in cases("numeric.json")["cases"]}["legal_drug_headache"]
    seen = table("XY", [[Fraction(972, 2000), Fraction(28, 2000)], [Fraction(998, 2000), Fraction(2, 2000)]])
    tried = [[Fraction(986, 1000), Fraction(14, 1000)], [Fraction(984, 1000), Fraction(16, 1000)]]
    for name in ("PN", "PS", "PNS"):
        found = ask(BOW, f"{name.lower()}(X -> Y)", seen, table("XY", tried, ["X"]))
        assert interval(found) == pytest.approx([expected[f"{name}_lo"], expected[f"{name}_hi"]], abs=1e-9)
        assert found.sharp
        assert found.exact


def test_experiments_alone_on_the_legal_drug(cases: Cases) -> None:
    expected = {case["id"]: case["expected"] for case in cases("numeric.json")["cases"]}["legal_drug_exp_only"]
    found = ask(BOW, "pns(X -> Y)", table("XY", [[0.986, 0.014], [0.984, 0.016]], ["X"]))
    assert interval(found) == pytest.approx([expected["PNS_lo"], expected["PNS_hi"]], abs=1e-9)


def compliance(untreated: Sequence[str], treated: Sequence[str]) -> Evidence:
    """P(z, x, y) from P(x, y | z) in the order (x, y) = 00, 01, 10, 11, both arms alike large."""
    rows = [[Fraction(each) / 2 for each in arm] for arm in (untreated, treated)]
    return table("ZXY", np.array(rows, dtype=object).reshape(2, 2, 2))


def test_cholesterol_trial() -> None:
    """The lipid data of Efron and Feldman as in Balke and Pearl (1997): .392 <= ACE <= .780."""
    data = compliance(["0.919", "0.081", "0", "0"], ["0.315", "0.073", "0.139", "0.473"])
    found = ask(IV, "ate(X -> Y)", data)
    assert (found.low, found.high) == (Fraction("0.392"), Fraction("0.780"))
    assert found.exact
    assert found.sharp


def test_vitamin_a_trial() -> None:
    """Sommer et al. as in Balke and Pearl (1997), y = 1 for survival: -.1946 <= ACE <= .0054."""
    data = compliance(["0.0064", "0.9936", "0", "0"], ["0.0028", "0.1972", "0.0010", "0.7990"])
    assert interval(ask(IV, "ate(X -> Y)", data)) == pytest.approx([-0.1946, 0.0054], abs=1e-12)


def test_random_instruments_against_the_eight_terms() -> None:
    generator = np.random.default_rng(2)
    for _ in range(200):
        joint = instrument_joint(generator)
        found = ask(IV, "ate(X -> Y)", table("ZXY", joint))
        expected = balke_pearl(joint / joint.sum(axis=(1, 2), keepdims=True))
        assert interval(found) == pytest.approx(expected, abs=1e-9)


def test_necessity_and_sufficiency_without_confounding() -> None:
    """Tian and Pearl (2000): max(0, P(y|x) - P(y|x')) <= PNS <= min(P(y|x), P(y'|x'))."""
    generator = np.random.default_rng(3)
    for _ in range(10):
        p = fractions(random_joint(generator, (2, 2)))
        treated, untreated = p[1, 1] / p[1].sum(), p[0, 1] / p[0].sum()
        found = ask(ARROW, "pns(X -> Y)", table("XY", p))
        assert (found.low, found.high) == (max(0, treated - untreated), min(treated, 1 - untreated))


def test_data_that_violate_the_instrumental_inequality(cases: Cases) -> None:
    """The sides add up to 1.6, so the two probabilities in them exceed what is possible by 0.3 each."""
    case = next(case for case in cases("numeric.json")["cases"] if case["id"] == "iv_instrumental_inequality")
    assert case["expected"]["holds"] == 0.0
    data = table("ZXY", np.array([[[0.8, 0.0], [0.0, 0.2]], [[0.0, 0.8], [0.0, 0.2]]]) / 2)
    with pytest.raises(SutureError) as caught:
        ask(IV, "ate(X -> Y)", data)
    assert caught.value.render() == (
        "error[S440]: the data contradict the model: no latent causes of {X, Y} give these probabilities\n"
        "  = help: the nearest that some do differ by 0.3; check the arrows, or allow for sampling error"
    )
    nearest = ask(IV, "ate(X -> Y)", data, tolerance=0.31)
    assert nearest.notes == ("the data on {X, Y} were moved by at most 0.3 to the nearest that the model allows",)


# ---------------------------------------------------------------------------------------------------------------------
# Brute force


def brute(
    functions: Functions, query: Callable[[dict[str, int], dict[str, int], dict[str, int]], bool], joint: Array
) -> tuple[float, float]:
    """Extremes of the chance of what a unit does naturally, under do(X = 0) and under do(X = 1)."""
    names = list(functions.parents)
    roots = joint.sum(axis=tuple(place for place, name in enumerate(names) if name not in functions.roots))

    def event(unit: Any, given: Any) -> bool:
        return query(
            functions.run(unit, given), functions.run(unit, given, {"X": 0}), functions.run(unit, given, {"X": 1})
        )

    found = extremes(functions.chance(event, np.ravel(roots)), *functions.facts(joint))
    assert found is not None
    return found


PROXY = "Z, X, Y, W : {0, 1} ; latent U ; U -> {X, Y, W} ; Z -> X -> Y"
CHAIN = "X, M, Y : {0, 1} ; latent U ; U -> {X, M, Y} ; X -> M -> Y"
TERNARY = "X : {0, 1, 2} ; Y : {0, 1} ; X -> Y ; X <-> Y"
SHAPES = {
    PROXY: Functions({"Z": (), "X": ("Z",), "Y": ("X",), "W": ()}, dict.fromkeys("ZXYW", 2), ("Z",)),
    CHAIN: Functions({"X": (), "M": ("X",), "Y": ("M",)}, dict.fromkeys("XMY", 2)),
    TERNARY: Functions({"X": (), "Y": ("X",)}, {"X": 3, "Y": 2}),
    IV: Functions({"Z": (), "X": ("Z",), "Y": ("X",)}, dict.fromkeys("ZXY", 2), ("Z",)),
}
QUERIES: dict[str, Callable[[dict[str, int], dict[str, int], dict[str, int]], bool]] = {
    "P(Y = 1 | do(X = 1))": lambda natural, off, on: on["Y"] == 1,
    "P(Y[X = 1] = 1, Y[X = 0] = 0)": lambda natural, off, on: on["Y"] == 1 and off["Y"] == 0,
    "P(Y[X = 0] = 1, X = 1, Y = 0)": lambda natural, off, on: off["Y"] == 1 and natural["X"] == 1 and natural["Y"] == 0,
}


def model_joint(functions: Functions, generator: np.random.Generator) -> Array:
    """The joint distribution of random units."""
    names = list(functions.parents)
    joint = np.zeros([functions.sizes[name] for name in names])
    settings_ = functions.cases(functions.roots)
    roots = generator.dirichlet(np.ones(len(settings_)))
    for unit, share in zip(functions.units, generator.dirichlet(np.full(len(functions.units), 0.1)), strict=True):
        for weight, given_ in zip(roots, settings_, strict=True):
            joint[tuple(functions.run(unit, given_)[name] for name in names)] += weight * share
    return joint


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("model", SHAPES)
def test_against_every_function(model: str, query: str) -> None:
    functions = SHAPES[model]
    generator = np.random.default_rng(5)
    for _ in range(3):
        joint = model_joint(functions, generator)
        found = ask(model, query, table(list(functions.parents), joint))
        assert found.sharp
        assert interval(found) == pytest.approx(brute(functions, QUERIES[query], joint), abs=1e-7)


def test_a_variable_that_causes_nothing_asked_still_tightens() -> None:
    """W tells of the latent cause, and with Z of how compliance goes together: leaving it out loses."""
    functions = SHAPES[PROXY]
    joint = model_joint(functions, np.random.default_rng(8))
    with_it = ask(PROXY, "ate(X -> Y)", table("ZXYW", joint))
    without = ask(IV, "ate(X -> Y)", table("ZXY", joint.sum(axis=3)))
    assert with_it.high - with_it.low < without.high - without.low - 1e-3


def test_conditional_counterfactual_with_unknown_condition() -> None:
    """The probability of necessity from an experiment and the marginal of X: a quotient of unknowns."""
    functions = Functions({"X": (), "Y": ("X",)}, {"X": 2, "Y": 2})
    generator = np.random.default_rng(9)
    for _ in range(4):
        joint = model_joint(functions, generator)
        units = generator.dirichlet(np.ones(len(functions.units)))
        tried = np.zeros((2, 2))
        for unit, share in zip(functions.units, units, strict=True):
            for x in (0, 1):
                tried[x, functions.run(unit, {}, {"X": x})["Y"]] += share
        margin = joint.sum(axis=1)
        rows, right = functions.facts(tried, ["X"])
        own = np.array([[unit["X"][()] == 1 for unit in functions.units]], dtype=float)
        above = functions.chance(lambda u, r: u["X"][()] == 1 and u["Y"][1,] == 1 and u["Y"][0,] == 0, np.ones(1))
        below = functions.chance(lambda u, r: u["X"][()] == 1 and u["Y"][1,] == 1, np.ones(1))
        expected = quotient_extremes(above, below, np.vstack([rows, own]), np.append(right, margin[1]))
        found = ask(BOW, "pn(X -> Y)", table("XY", tried, ["X"]), table("X", margin))
        assert found.method == "linear-fractional programming over response types"
        assert interval(found) == pytest.approx(expected, abs=1e-6)


# ---------------------------------------------------------------------------------------------------------------------
# Random graphs


def one_effect(generator: np.random.Generator, most: int) -> tuple[Graph, Query, Any]:
    graph, query = random_problem(generator, most, smallest=3)
    kernel = kernel_of(query)
    return graph, query, kernel


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_truth_lies_within_and_identified_queries_collapse(seed: int) -> None:
    generator = np.random.default_rng(seed)
    graph, query, kernel = one_effect(generator, 4)
    model = random_model_of(graph, generator)
    truth = model.truth(query)
    found = bounds(kernel, diagram_of(graph), [table(model.observed, model.surgery())])
    assert isinstance(found, BoundsTable | Bounds | Undecided)
    if isinstance(found, Undecided):
        assert "multiplies unknown" in found.reason
        return
    rows = found.rows if isinstance(found, BoundsTable) else (((), found),)
    names = found.variables if isinstance(found, BoundsTable) else ()
    for labels, row in rows:
        at = dict(zip(names, labels, strict=True))
        actual = truth[tuple(int(at[name]) for name in (*query.outcomes, *query.treatments))]
        assert float(row.low) - 1e-7 <= actual <= float(row.high) + 1e-7
        if isinstance(identify(kernel, diagram_of(graph)), Identified):
            assert interval(row) == pytest.approx([actual, actual], abs=1e-7)


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_names_order_and_superfluous_variables_change_nothing(seed: int) -> None:
    generator = np.random.default_rng(seed)
    joint = instrument_joint(generator)
    extra = generator.uniform(0.1, 0.9, size=(2, 2))
    wide = joint[..., None] * np.stack([1 - extra, extra], axis=-1)[None]
    other = "V, B, A, C : {0, 1} ; A -> B -> C ; {B, C} -> V ; C <-> B"
    plain = ask(IV, "ate(X -> Y)", table("ZXY", joint))
    renamed = ask(other, "ate(B -> C)", table("VABC", np.moveaxis(wide, 3, 0)))
    assert interval(plain) == pytest.approx(interval(renamed), abs=1e-9)


# ---------------------------------------------------------------------------------------------------------------------
# Models that attain


def values_of(program: str, *queries: str) -> list[Any]:
    answers = suture.run(program + "\n" + "\n".join(f"compute {query}" for query in queries))
    assert all(answer.status.value == "value" for answer in answers), [answer.error for answer in answers]
    return [answer.exact if answer.exact is not None else answer.value for answer in answers]


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (BOW, "ate(X -> Y)"),
        (BOW, "pns(X -> Y)"),
        (BOW, "pn(X -> Y)"),
        (TERNARY, "P(Y = 1 | do(X = 2))"),
        (CHAIN, "pns(X -> Y)"),
        ("W, X, Y : {0, 1} ; W -> {X, Y} ; X -> Y ; X <-> Y", "ate(X -> Y)"),
        (ARROW, "pns(X -> Y)"),
    ],
)
def test_models_attain_the_bounds_exactly(model: str, query: str) -> None:
    resolved = read_model(model)
    sizes = [len(resolved.labels(name) or ()) for name in resolved.observed]
    joint = fractions(random_joint(np.random.default_rng(11), sizes))
    found = ask(model, query, table(resolved.observed, joint), models=True)
    assert found.exact
    for program, bound in ((found.low_model, found.low), (found.high_model, found.high)):
        assert program is not None
        value, observed = values_of(program, query, f"P({', '.join(resolved.observed)})")
        assert Fraction(str(value)) == bound
        for labels, share in observed.rows():
            assert share == joint[tuple(map(int, labels))]


def test_models_of_an_instrument_agree_with_the_data() -> None:
    data = compliance(["0.919", "0.081", "0", "0"], ["0.315", "0.073", "0.139", "0.473"])
    found = ask(IV, "ate(X -> Y)", data, models=True)
    assert found.low_model
    value, arm = values_of(found.low_model, "ate(X -> Y)", "P(X = 0, Y = 0 | Z = 1)")
    assert [Fraction(str(value)), Fraction(str(arm))] == [Fraction("0.392"), Fraction("0.315")]


# ---------------------------------------------------------------------------------------------------------------------
# Several sources


def test_an_experiment_tightens_what_observation_leaves() -> None:
    generator = np.random.default_rng(12)
    functions = SHAPES[CHAIN]
    units = generator.dirichlet(np.full(len(functions.units), 0.2))
    joint, tried = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    for unit, share in zip(functions.units, units, strict=True):
        joint[tuple(functions.run(unit, {})[name] for name in "XMY")] += share
        for m in (0, 1):
            done = functions.run(unit, {}, {"M": m})
            tried[done["X"], m, done["Y"]] += share
    seen = table("XMY", joint)
    alone = ask(CHAIN, "P(Y = 1 | do(X = 1))", seen)
    both = ask(CHAIN, "P(Y = 1 | do(X = 1))", seen, table("XMY", tried, ["M"]))
    assert both.low >= alone.low - 1e-12
    assert both.high <= alone.high + 1e-12
    assert both.high - both.low < alone.high - alone.low - 1e-3
    rows, right = (
        np.concatenate(each) for each in zip(functions.facts(joint), functions.facts(tried, ["M"]), strict=True)
    )
    cost = functions.chance(lambda unit, roots: functions.run(unit, roots, {"X": 1})["Y"] == 1, np.ones(1))
    assert interval(both) == pytest.approx(extremes(cost, rows, right), abs=1e-7)


def test_an_experiment_on_the_treatment_settles_its_effect() -> None:
    joint, tried = [[0.2, 0.3], [0.1, 0.4]], [[0.45, 0.55], [0.35, 0.65]]
    found = ask(BOW, "ate(X -> Y)", table("XY", joint), table("XY", tried, ["X"]))
    assert interval(found) == pytest.approx([0.1, 0.1], abs=1e-9)


def test_data_sets_with_weights_and_one_arm_only() -> None:
    """A trial that tried one value of X alone; by hand P(y_1) = .65 and P(y_0) >= P(X=0, Y=1) = .3."""
    model = read_model(BOW)
    seen = from_columns({"X": [0, 0, 1, 1], "Y": [0, 1, 0, 1], "n": [20, 30, 10, 40]}, model, "n", "seen")
    tried = from_columns({"X": [1, 1], "Y": [0, 1], "n": [35, 65]}, model, "n", "tried")
    trial = from_data(replace(tried, do=("X",)))
    found = ask(model, "P(Y = 1 | do(X = 1))", from_data(seen), trial)
    assert (found.low, found.high) == (Fraction(65, 100), Fraction(65, 100))
    other = ask(model, "P(Y = 1 | do(X = 0))", from_data(seen), trial)
    assert (other.low, other.high) == (Fraction(3, 10), Fraction(8, 10))


def test_samples_that_tell_the_same_differently_are_noted() -> None:
    """X is told by both samples; the first is used, and the difference said."""
    seen = table("XY", [[0.2, 0.3], [0.1, 0.4]])
    found = ask(BOW, "P(Y = 1 | do(X = 1))", seen, table("XY", np.array([[0.48, 0.48], [0.52, 0.52]]), ["Y"]))
    assert interval(found) == pytest.approx([0.4, 0.9], abs=1e-9)
    assert found.notes == ("two distributions differ on {X} by up to 0.02; the first is used",)


def test_unmeasured_variables_count_as_latent() -> None:
    joint = [[Fraction(2, 10), Fraction(3, 10)], [Fraction(1, 10), Fraction(4, 10)]]
    found = ask("X, Y : {0, 1} ; M : {0, 1, 2} ; X -> M -> Y ; X <-> Y", "ate(X -> Y)", table("XY", joint))
    assert (found.low, found.high) == (Fraction(-4, 10), Fraction(6, 10))


def test_an_unmeasured_variable_that_is_asked_for() -> None:
    """M lies between X and Y and is not measured: the bounds are those of brute force on P(X, Y) alone."""
    functions = SHAPES[CHAIN]
    joint = model_joint(functions, np.random.default_rng(17)).sum(axis=1)
    answers = [functions.run(unit, {}) for unit in functions.units]
    cells = [(x, y) for x in (0, 1) for y in (0, 1)]
    rows = np.array([[(each["X"], each["Y"]) == cell for each in answers] for cell in cells], dtype=float)
    cost = functions.chance(lambda unit, roots: functions.run(unit, roots, {"M": 1})["Y"] == 1, np.ones(1))
    found = ask(CHAIN, "P(Y = 1 | do(M = 1))", table("XY", joint))
    assert found.sharp
    assert interval(found) == pytest.approx(extremes(cost, rows, np.ravel(joint)), abs=1e-7)


def test_a_domain_with_another_outcome_tells_of_the_treatment_alone() -> None:
    """Where the mechanism of Y differs, P(X, Y) bounds P(Y | do(X = 1)) only by P(X), which bounds nothing."""
    joint = np.array([[0.2, 0.3], [0.1, 0.4]])
    away = replace(table("XY", joint), differs=("Y",))
    found = ask(BOW, "P(Y[X = 1] = 1, X = 1)", away)
    assert interval(found) == pytest.approx([0.0, 0.5], abs=1e-9)
    assert found.sharp
    moved = ask(BOW, "P(Y[X = 1] = 1, X = 1)", replace(table("XY", joint), differs=("X",)))
    assert interval(moved) == pytest.approx([0.0, 1.0], abs=1e-9)
    assert moved.reasons == ("a distribution says more of {X, Y} than is linear in response types",)


def test_a_variable_summed_out_between_districts_is_said_to_be_lost() -> None:
    """P(X, Y) without M couples the district {M} with {X, Y}: not linear, and the bounds say so."""
    model = "X, M, Y : {0, 1} ; X -> M -> Y ; X <-> Y"
    found = ask(model, "P(M = 1 | do(X = 1))", table("XY", [[0.2, 0.3], [0.1, 0.4]]))
    assert interval(found) == [0.0, 1.0]
    assert not found.sharp


# ---------------------------------------------------------------------------------------------------------------------
# Beyond one linear program


def test_a_root_that_shares_a_cause_with_the_treatment_is_an_instrument() -> None:
    joint = instrument_joint(np.random.default_rng(13))
    shared = "Z, X, Y : {0, 1} ; Z <-> X ; X -> Y ; X <-> Y"
    assert interval(ask(shared, "ate(X -> Y)", table("ZXY", joint))) == pytest.approx(
        interval(ask(IV, "ate(X -> Y)", table("ZXY", joint))), abs=1e-9
    )


def test_several_latent_causes_are_said_to_leave_sharpness_open() -> None:
    model = "X, M, Y : {0, 1} ; X -> M -> Y ; X <-> M ; M <-> Y"
    joint = random_joint(np.random.default_rng(14), (2, 2, 2))
    found = ask(model, "P(Y = 1 | do(X = 1))", table("XMY", joint))
    assert not found.sharp
    assert found.reasons == (
        "several latent causes hold {X, M, Y} together, and that they are independent is not used",
    )


TWO = "A, B, C, E : {0, 1} ; A -> B ; A <-> B ; C -> E ; C <-> E ; B -> E"


def test_a_product_of_two_unknown_districts() -> None:
    """P(B=1, E=1 | do(A=1, C=1)) = P(b | do(a)) P(e | do(b, c)): each factor at its own extreme."""
    generator = np.random.default_rng(15)
    graph = Graph(("A", "B", "C", "E"), (("A", "B"), ("C", "E"), ("B", "E")), (("A", "B"), ("C", "E")))
    joint = random_model_of(graph, generator).surgery()
    first = joint.sum(axis=(2, 3))
    second = joint.sum(axis=0)[1] / joint.sum(axis=0)[1].sum()
    low = first[1, 1] * second[1, 1]
    high = (1 - first[1, 0]) * (1 - second[1, 0])
    found = ask(TWO, "P(B = 1, E = 1 | do(A = 1, C = 1))", table("ABCE", joint))
    assert found.sharp
    assert interval(found) == pytest.approx([low, high], abs=1e-7)


def test_a_sum_of_products_is_attained_or_said_not_to_be() -> None:
    """P(e | do(a, c)) mixes P(e | do(b, c)) by P(b | do(a)): extremes at the corners of the three intervals."""
    generator = np.random.default_rng(16)
    graph = Graph(("A", "B", "C", "E"), (("A", "B"), ("C", "E"), ("B", "E")), (("A", "B"), ("C", "E")))
    for _ in range(3):
        joint = random_model_of(graph, generator).surgery()
        ends = [[joint.sum(axis=(2, 3))[1, 1], 1 - joint.sum(axis=(2, 3))[1, 0]]]
        for b in (0, 1):
            within = joint.sum(axis=0)[b] / joint.sum(axis=0)[b].sum()
            ends.append([within[1, 1], 1 - within[1, 0]])
        corners = [p * e1 + (1 - p) * e0 for p in ends[0] for e0 in ends[1] for e1 in ends[2]]
        found = ask(TWO, "P(E = 1 | do(A = 1, C = 1))", table("ABCE", joint))
        assert float(found.low) <= min(corners) + 1e-9
        assert float(found.high) >= max(corners) - 1e-9
        if found.sharp:
            assert interval(found) == pytest.approx([min(corners), max(corners)], abs=1e-7)


def test_a_query_that_is_no_quotient_of_polynomials_is_not_decided() -> None:
    model = read_model(BOW)
    query = read_query("P(Y = 1 | do(X = 1)) * P(Y = 1 | do(X = 0))", model).formula
    found = bounds(query, model.diagram, [table("XY", [[0.2, 0.3], [0.1, 0.4]])])
    assert isinstance(found, Undecided)
    assert found.reason == "no bounds: it multiplies unknowns that depend on the same response types"


def test_a_table_for_a_query_with_bare_names() -> None:
    model = read_model(BOW)
    query = read_query("P(Y | do(X))", model).formula
    found = bounds(query, model.diagram, [table("XY", [[0.2, 0.3], [0.1, 0.4]])])
    assert isinstance(found, BoundsTable)
    assert found.variables == ("Y", "X")
    assert found.sharp
    values = {labels: [round(end, 9) for end in interval(row)] for labels, row in found.rows}
    assert values["1", "1"] == [0.4, 0.9]
    assert values["0", "1"] == [0.1, 0.6]


# ---------------------------------------------------------------------------------------------------------------------
# What is wrong


def message(model: str, query: str, *evidence: Evidence, **how: Any) -> str:
    with pytest.raises(SutureError) as caught:
        ask(model, query, *evidence, **how)
    return caught.value.render()


def test_size_guard_stops_with_an_estimate() -> None:
    """Of X with four binary parents and Y with five there are 2^16 * 2^32 functions; most are told apart."""
    names = [f"A{number}" for number in range(4)]
    model = f"{', '.join(names)}, X, Y : {{0, 1}} ; {{{', '.join(names)}}} -> X -> Y ; X <-> Y"
    shown = message(
        model, "P(Y = 1 | do(X = 1))", table([*names, "X", "Y"], np.full((2,) * 6, 1 / 64)), most_types=10_000
    )
    assert shown.startswith("error[S603]: sharp bounds need about ")
    assert "response types of {X, Y}, more than 10,000" in shown
    about = float(shown.split("about ")[1].split(" ")[0])
    assert 2**16 <= about <= 2**18 + 1


def test_unknown_values_and_impossible_conditions() -> None:
    seen = table("XY", [[0.5, 0.5], [0.0, 0.0]])
    assert "S424" in message(BOW, "P(Y[X = 0] = 1 | X = 1)", seen)
    other = from_table(NamedTable(("X", "Y"), (("a", "b"), ("0", "1")), np.full((2, 2), 0.25)))
    assert message(BOW, "ate(X -> Y)", other) == (
        "error[S441]: X has the values 0, 1 in one place and a, b in another\n"
        "  = help: declare the values of X in the model"
    )
    assert message("X -> Y ; X <-> Y", "P(Y = 1 | do(X = 1))", table("X", [0.5, 0.5])) == (
        "error[S427]: the values of Y are not given\n  = help: declare them: Y : {no, yes}"
    )


def test_a_value_that_never_occurs_leaves_everything_open() -> None:
    """No unit has X = 1: of P(y | do(X = 1)) nothing is known."""
    found = ask(BOW, "P(Y = 1 | do(X = 1))", table("XY", [[0.5, 0.5], [0.0, 0.0]]))
    assert interval(found) == [0.0, 1.0]


def test_tables_that_are_no_distributions_are_refused() -> None:
    with pytest.raises(SutureError) as caught:
        table("XY", [[0.2, 0.3], [0.1, 0.3]])
    assert caught.value.render() == (
        "error[S442]: the probabilities of X, Y sum to 0.9, not 1\n"
        "  = help: give P(X, Y); for counts, divide by their sum"
    )
    with pytest.raises(SutureError, match=r"one of the probabilities of X, Y is -0\.1"):
        table("XY", [[0.7, 0.3], [0.1, -0.1]])
    with pytest.raises(SutureError, match=r"sum to 0\.5, not 1, at some value of Y"):
        table("XY", [[0.24, 0.24], [0.26, 0.26]], ["Y"])


def test_answers_as_data() -> None:
    found = ask(BOW, "ate(X -> Y)", table("XY", fractions(np.array([[0.2, 0.3], [0.1, 0.4]]))), closed_forms=True)
    made = found.to_dict()
    assert made["bounds"] == [-0.4, 0.6]
    assert made["exact"] == ["-2/5", "3/5"]
    assert made["size"] == {"types": 8, "facts": 4}
    assert made["low"]["text"] == "-P(X=0, Y=1) - P(X=1, Y=0)"
    assert found.text == "[-0.4, 0.6], sharp"


def test_terms_of_worlds_are_terms() -> None:
    """What the tests above rely on: the reader's counterfactuals are worlds of terms."""
    first = kernels(read_query("P(Y[X = 1] = 1, Y[X = 0] = 0)", read_model(BOW)).formula)[0].outcomes[0]
    assert first == Term("Y", "1", (Term("X", "1"),))
