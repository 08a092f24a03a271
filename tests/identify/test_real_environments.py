"""Searches for predictors of a real outcome from rows of several environments, and mechanisms by regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import suture
from suture.dsl.resolve import read_model
from suture.identify.environments.environment_search import Options
from suture.identify.environments.estimated_model import Blankets
from suture.identify.environments.grid_adversary import Stage, simulated_worst
from suture.identify.environments.real_search import detect_real, linear_model, needed_variables, search_real
from suture.identify.predictors.linear_search import search_linear
from suture.identify.predictors.simulated_selection import Regressed, SimulatedSelection
from suture.identify.predictors.simulated_setup import simulated_selection
from suture.semantics.environments.environment_rows import EnvironmentRows
from suture.semantics.environments.fourier_regression import Scale, fourier_regression
from suture.semantics.environments.invariance_tests import same_curve, same_regression

Floats = NDArray[np.float64]
TEXT = "C, Y, M, X : real ; C -> Y -> M ; {Y, M} -> X"
ORDER = ("C", "Y", "M", "X")


def sample(seed: int, slope: float, shift: float, rows: int = 400) -> dict[str, Floats]:
    """C -> Y with slope 1 and noise .8, M as the environment has it, X = Y - M with noise .5."""
    generator = np.random.default_rng(seed)
    c = generator.normal(size=rows)
    y = c + 0.8 * generator.normal(size=rows)
    m = slope * y + shift + generator.normal(size=rows)
    return {"C": c, "Y": y, "M": m, "X": y - m + 0.5 * generator.normal(size=rows)}


def three(seed: int = 0, rows: int = 400) -> dict[str, dict[str, Floats]]:
    return {
        "a": sample(3 * seed, 1.0, 0.0, rows),
        "b": sample(3 * seed + 1, -1.0, 2.0, rows),
        "c": sample(3 * seed + 2, 2.0, 0.0, rows),
    }


TRUTH = {
    ("C", "X"): 1 / (1 / 0.64 + 1 / 0.25),
    ("X",): 1 / (1 / 1.64 + 1 / 0.25),
    ("C",): 0.64,
    (): 1.64,
}
"""Precisions add up: Y given C has variance .64, alone 1.64, and X + M is Y with noise of variance .25."""


def searched(data: dict[str, dict[str, Floats]], **options: Any) -> tuple[Any, Any]:
    rows = {name: np.column_stack([own[each] for each in ORDER]) for name, own in data.items()}
    mutable = options.pop("mutable", ())
    over = options.pop("over", ())
    made = Options(**options)
    return search_real(read_model(TEXT), "Y", ("C", "M", "X"), mutable, rows, ORDER, over, made)


def test_many_rows_come_near_the_variances_worked_out_by_hand() -> None:
    found, data = searched(three(rows=40_000), draws=60)
    assert {each.members.boundary: float(each.worst) for each in found.classes} == pytest.approx(TRUTH, rel=0.02)
    assert found.chosen.members.boundary == ("C", "X")
    assert data.mutable == ("M",)
    assert data.detected
    for place, each in enumerate(found.classes):
        low, high = data.bootstrap.interval(place)
        assert low < float(each.worst) < high
    assert data.bootstrap.wins[0] == 1.0


def test_a_sample_done_at_once_is_the_model_fitted_to_its_rows() -> None:
    """Each bootstrap sample again, with its rows written out."""
    data = three(rows=50)
    found, findings = searched(data, draws=3, seed=5)
    generator = np.random.default_rng(5)
    counts = [generator.multinomial(50, np.full(50, 1 / 50), size=3) for _ in data]
    model = read_model(TEXT)
    for draw in range(3):
        rows = tuple(
            np.repeat(np.column_stack([own[each] for each in ORDER]), count[draw], axis=0)
            for own, count in zip(data.values(), counts, strict=True)
        )
        blankets = Blankets.of(model.diagram, "Y", ("C", "M", "X"))
        own = linear_model(model, blankets, EnvironmentRows(tuple(data), ORDER, rows), "Y", ("C", "M", "X"), ("M",))
        again = {each.members.boundary: float(each.worst) for each in search_linear(own).classes}
        for place, each in enumerate(found.classes):
            assert findings.bootstrap.worst[draw, place] == pytest.approx(again[each.members.boundary])


def test_risks_in_environments_are_mean_squares_of_predictions() -> None:
    data = three()
    answer = suture.Model(TEXT).search_predictor("Y", data=data, draws=10)
    for each in answer.search.classes:
        for name, own in data.items():
            error = float(((own["Y"] - each.predictor.predict(own)) ** 2).mean())
            assert dict(each.given)[name] == pytest.approx(error)


def test_methods_beside_and_what_has_no_bound() -> None:
    """Least squares on everything reads M as these environments have it, so its error grows with M."""
    data = three()
    answer = suture.Model(TEXT).search_predictor("Y", data=data, compare=True, draws=10)
    compared = {each["method"]: each for each in answer.to_dict()["value"]["compare"]}
    joint = {name: np.concatenate([own[name] for own in data.values()]) for name in ORDER}
    design = np.column_stack([np.ones(1200), joint["C"], joint["M"], joint["X"]])
    fit = np.linalg.lstsq(design, joint["Y"], rcond=None)[0]
    for name, own in data.items():
        error = own["Y"] - np.column_stack([np.ones(400), own["C"], own["M"], own["X"]]) @ fit
        assert compared["all features"]["risks"][name] == pytest.approx(float((error**2).mean()))
    assert compared["all features"]["worst_case"] is None
    assert compared["stable set"]["worst_case"] == pytest.approx(answer.to_dict()["value"]["worst_case"])
    text = str(answer)
    assert "no bound" in text
    assert "linear with normal noise is an assumption" in text
    assert max(map(len, text.split("\n"))) <= 80


def test_bounded_mutable_variables_bound_every_method() -> None:
    text = "C, Y, X : real ; M : real ~ any in [-3, 3] ; C -> Y -> M ; {Y, M} -> X ; mutable M"
    answer = suture.Model(text).search_predictor("Y", data=three(), compare=True, draws=0)
    compared = {each["method"]: each for each in answer.to_dict()["value"]["compare"]}
    best = compared["best subset, minimax"]["worst_case"]
    assert all(each["worst_case"] >= best - 1e-9 for each in compared.values())
    assert answer.to_dict()["value"]["samples"] is None
    assert any("have no intervals" in note for note in answer.notes)


def test_from_a_program(tmp_path: Any) -> None:
    for name, own in three().items():
        lines = [",".join(ORDER), *(",".join(f"{own[each][row]:.12g}" for each in ORDER) for row in range(400))]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    program = f"model R {{ {TEXT} }}\n" + "\n".join(f'data {name} of R from "{name}.csv"' for name in "abc")
    program += "\nsearch predictor of Y from {C, M, X} from a, b, c minimax squared_loss\n"
    said = suture.run(program, tmp_path)[0].to_dict()["value"]
    known = suture.Model(TEXT).search_predictor("Y", data=three()).to_dict()["value"]
    assert said["chosen"] == known["chosen"]
    assert said["worst_case"] == pytest.approx(known["worst_case"])
    assert said["mutable"] == ["M"]


@pytest.mark.slow
def test_tests_of_regressions_err_as_often_as_they_say_and_find_small_changes() -> None:
    """Any of four mechanisms called changing where none is, in 400 pairs of samples: 5 %, and 3.3 % are three standard
    errors.  A slope that moves by .6 at 150 rows each is found nearly always.
    """
    blankets = Blankets.of(read_model(TEXT).diagram, "Y", ("C", "M", "X"))

    def changing(seed: int, slope: float) -> tuple[str, ...]:
        pair = (sample(2 * seed, 1.0, 0.0, 150), sample(2 * seed + 1, slope, 0.0, 150))
        rows = tuple(np.column_stack([own[each] for each in ORDER]) for own in pair)
        return detect_real(EnvironmentRows(("a", "b"), ORDER, rows), blankets, 0.05).changing

    assert sum(bool(changing(seed, 1.0)) for seed in range(400)) <= 400 * 0.083
    assert sum("M" in changing(seed, 1.6) for seed in range(100)) >= 95


@pytest.mark.slow
def test_intervals_of_variances_cover_as_often_as_they_say() -> None:
    hits = dict.fromkeys(TRUTH, 0)
    for seed in range(200):
        found, data = searched(three(seed, 150), draws=200, mutable=("M",), seed=seed)
        for place, each in enumerate(found.classes):
            low, high = data.bootstrap.interval(place)
            hits[each.members.boundary] += low <= TRUTH[each.members.boundary] <= high
    assert min(hits.values()) >= 200 * 0.89, hits


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "log_loss"}, "log_loss is for finitely many values, and Y is real"),
        ({"within": 0.1, "mutable": ["M"]}, "'within' speaks of probabilities, and Y is real"),
        ({"weight": "n"}, "rows of real numbers are taken one by one, without weights"),
        ({"rows": 4}, "4 rows do not tell X from 2 causes"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], message: str) -> None:
    rows = options.pop("rows", None)
    data = three() if rows is None else {"a": sample(0, 1.0, 0.0, rows)}
    with pytest.raises(suture.SutureError) as error:
        suture.Model(TEXT).search_predictor("Y", data=data, **options)
    assert error.value.diagnostics[0].message == message


def test_the_columns_that_are_needed() -> None:
    model = read_model("A, B, Y, M, D : real ; A -> B -> Y -> M -> D")
    assert needed_variables(model, "Y", ("M",)) == ("A", "B", "Y", "M")


# ---------------------------------------------------------------------------------------------------------------------
# Mechanisms by regression


def test_a_curve_is_fitted_and_goes_on_straight() -> None:
    generator = np.random.default_rng(0)
    x = generator.uniform(-2, 2, size=(2000, 2))
    values = np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * generator.normal(size=2000)
    fit = fourier_regression(x, values)
    inside = generator.uniform(-1.8, 1.8, size=(500, 2))
    assert np.abs(fit.predict(inside) - np.sin(2 * inside[:, 0]) - inside[:, 1]).max() < 0.12
    assert fit.error == pytest.approx(0.01, rel=0.15)
    straight = fourier_regression(x, 3 * x[:, 0] - x[:, 1] + 2)
    assert straight.predict(np.array([[20.0, -30.0]]))[0] == pytest.approx(92.0, abs=0.5)


def test_without_inputs_it_is_the_mean() -> None:
    fit = fourier_regression(np.empty((4, 0)), np.array([1.0, 2.0, 3.0, 6.0]))
    assert fit.predict(np.empty((2, 0))).tolist() == pytest.approx([3.0, 3.0])


def test_scale_is_that_of_training() -> None:
    scale = Scale.of(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert scale.apply(np.array([[4.0, 6.0]])).tolist() == [[2.0, 1.0]]


def known_model(reads: str = "Y -> M", low: float = -2.0, high: float = 2.0) -> SimulatedSelection:
    """Y -> M -> X <- Y with X = Y + M + noise: the invariant predictor is (X - M) / 2."""
    text = (
        f"Y : real ~ Normal(0, 1) ; M : real ~ any in [{low}, {high}] ; {reads}\nX : real := Y + M + noise ; mutable M"
    )
    return simulated_selection(read_model(text), "Y", ("M", "X"), ("M",))


def test_the_adversary_finds_the_worst_policy() -> None:
    """For the prediction 0.5 M, M = -2 sign(Y) makes the loss E(|Y| + 1)^2 = 2 + 2 sqrt(2/pi), seeing all no more."""
    stage = Stage.of(known_model(), 4000, seed=1)
    fresh = Stage.of(known_model(), 4000, seed=2, cuts=stage.cuts)
    losses, told = (each.losses("Y", lambda rows: 0.5 * rows["M"]) for each in (stage, fresh))
    found = simulated_worst(losses, stage, (told, fresh))
    truth = 2 + 2 * np.sqrt(2 / np.pi)
    assert abs(found.lower - truth) < 5 * found.error
    assert found.lower <= found.upper
    assert found.upper == pytest.approx(truth, abs=0.15)


def test_a_mechanism_that_reads_nothing_has_one_policy() -> None:
    """M cannot follow Y here: the loss of 0.5 M is at most 1 + 1."""
    stage = Stage.of(known_model(reads=""), 4000, seed=1)
    found = simulated_worst(stage.losses("Y", lambda rows: 0.5 * rows["M"]), stage)
    assert found.lower == pytest.approx(2.0, abs=0.1)
    assert found.upper > 3.0


# ---------------------------------------------------------------------------------------------------------------------
# Curved mechanisms


def curved(seed: int, slope: float, shift: float, rows: int = 500) -> dict[str, Floats]:
    """C -> Y bent, M as the environment has it, X = sin Y - M^2 / 2 with noise."""
    generator = np.random.default_rng(seed)
    c = generator.normal(size=rows)
    y = np.tanh(c) + 0.5 * generator.normal(size=rows)
    m = np.tanh(slope * y) + shift + 0.5 * generator.normal(size=rows)
    return {"C": c, "Y": y, "M": m, "X": np.sin(y) - 0.5 * m**2 + 0.3 * generator.normal(size=rows)}


def test_a_fitted_mechanism_is_its_fit_with_a_residual_in_numpy_and_in_jax() -> None:
    import jax.numpy as jnp

    own = curved(0, 1.0, 0.0)
    causes = np.column_stack([own["Y"], own["M"]])
    fit = fourier_regression(causes, own["X"])
    mechanism = Regressed("X", ("Y", "M"), fit, own["X"] - fit.predict(causes))
    draws = mechanism.draws(np.random.default_rng(0), 500)
    assert set(draws.tolist()) <= set(mechanism.residuals.tolist())
    expected = fit.predict(causes) + draws
    assert np.abs(mechanism.value(own, draws) - expected).max() < 1e-5
    assert np.abs(np.asarray(mechanism.value(own, draws, jnp)) - expected).max() < 1e-3
    alone = fourier_regression(np.empty((500, 0)), own["C"])
    assert Regressed("C", (), alone, draws).value({}, draws)[0] == pytest.approx(own["C"].mean() + draws[0])


def test_a_bent_mechanism_is_no_change() -> None:
    """Lines fitted to a parabola differ between ranges of its cause; what a smooth fit leaves does not."""
    generator = np.random.default_rng(2)
    causes = [generator.normal(shift, 1.0, size=(300, 1)) for shift in (0.0, 1.5)]
    values = [own[:, 0] ** 2 + 0.5 * generator.normal(size=300) for own in causes]
    assert same_regression(causes, values)[1] < 1e-6
    assert same_curve(causes, values)[1] > 0.01
    moved = [values[0], values[1] + 0.4]
    assert same_curve(causes, moved)[1] < 0.05


@pytest.mark.slow
def test_a_search_with_curved_mechanisms() -> None:
    """The set chosen is the stable one, and methods that read M as it came about do far worse where it changes."""
    data = {"a": curved(0, 2.0, 0.0), "b": curved(1, -2.0, 1.0), "c": curved(2, 1.0, 0.0)}
    answer = suture.Model(TEXT).search_predictor("Y", data=data, compare=True, curved=True)
    value = answer.to_dict()["value"]
    assert value["mutable"] == ["M"]
    assert value["chosen"] == ["C", "X"]
    compared = {each["method"]: each for each in value["compare"]}
    spread = float(np.var(np.concatenate([own["Y"] for own in data.values()])))
    assert compared["constant"]["worst_case"] == pytest.approx(spread, rel=0.1)
    assert compared["stable set"]["worst_case"] < 0.25
    assert compared["all features"]["worst_given"] < compared["stable set"]["worst_given"]
    assert compared["all features"]["worst_case"] > 0.4
    assert all(each["upper"] is None for each in compared.values())
    for name, own in data.items():
        error = float(((own["Y"] - answer.predictor.predict(own)) ** 2).mean())
        assert value["classes"][0]["risks"][name] == pytest.approx(error)
    assert "within M from" in " ".join(answer.notes)


def test_curved_searches_say_what_they_cannot() -> None:
    data = {"a": curved(0, 2.0, 0.0, 60), "b": curved(1, -2.0, 1.0, 60)}
    with pytest.raises(suture.SutureError) as error:
        suture.Model(f"{TEXT} ; C <-> X").search_predictor("Y", data=data, mutable=["M"], curved=True)
    assert error.value.diagnostics[0].message == (
        "C shares a hidden cause, and mechanisms of any shape are fitted one by one"
    )
    with pytest.raises(suture.SutureError) as error:
        suture.Model(TEXT).search_predictor("Y", data=data, mutable=["M"], over=["a"], curved=True)
    assert error.value.diagnostics[0].message == (
        "environments are searched over where mechanisms are straight lines, and these are curved"
    )
