"""Fitted latent models of several domains, against scipy, least squares, enumeration and the true counterfactuals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from latent_samples import drawn
from scipy.optimize import minimize, rosen
from scipy.stats import multivariate_normal

from suture import SutureError, fit_designs, fit_domains
from suture.semantics.budget import Budget, limited
from suture.semantics.fitting.domain_distances import distances, energy_distance
from suture.semantics.fitting.domain_fit import DomainFit, padded
from suture.semantics.fitting.leaky_domains import LeakyDomains
from suture.semantics.fitting.mechanism_order import best_structures, fitted, moments_of, parameters, rivals
from suture.semantics.latent.linear_domains import LinearDomains
from suture.semantics.networks.devices import precision

Floats = Any


def leaky_model(generator: np.random.Generator, size: int, domains: int) -> LeakyDomains:
    """A model with random matrices, all mechanisms different."""
    from suture.semantics.latent.latent_worlds import NORMAL

    names = tuple(f"Z{place}" for place in range(size))
    latents = LinearDomains(
        names,
        names,
        tuple(f"d{place}" for place in range(domains)),
        np.eye(size),
        np.zeros(size),
        tuple(np.tril(generator.standard_normal((size, size)), -1) + np.eye(size) for _ in range(domains)),
        tuple(generator.standard_normal(size) for _ in range(domains)),
        (NORMAL,) * size,
        (1.0,) * size,
    )
    return LeakyDomains(latents, generator.standard_normal((size, size)), generator.standard_normal(size))


def jacobian(function: Callable[[Floats], Floats], point: Floats, step: float = 1e-6) -> Floats:
    """Central differences: `outputs inputs`."""
    moves = step * np.eye(len(point))
    return np.stack([(function(point + move) - function(point - move)) / (2 * step) for move in moves], axis=-1)


# ---------------------------------------------------------------------------------------------------------------------
# The likelihood


def test_density_is_the_change_of_variables() -> None:
    generator = np.random.default_rng(3)
    model = leaky_model(generator, 3, 2)
    for domain in range(2):
        seen = model.drawn(domain, generator.standard_normal((20, 3)))
        law = multivariate_normal(model.latents.shifts[domain], model.latents.covariance(domain))
        for point, found in zip(seen, model.log_density(domain, seen), strict=True):
            volume = np.linalg.slogdet(jacobian(lambda x: model.recovered(x[None])[0], point))[1]
            assert found == pytest.approx(law.logpdf(model.recovered(point[None])[0]) + volume, abs=1e-6)


def explained(samples: list[Floats], sharing: tuple[int, ...]) -> float:
    """Minus the mean log-likelihood of y under triangular normal laws, by least squares on written-out designs."""
    total, count = 0.0, sum(map(len, samples))
    for place, shared in enumerate(sharing):
        ones = [np.ones((len(own), 1)) for own in samples]
        before = [own[:, :place] for own in samples]
        target = np.concatenate([own[:, place] for own in samples])
        block = np.zeros((count, len(samples)))
        wide = np.zeros((count, len(samples) * place))
        row = 0
        for domain, own in enumerate(samples):
            block[row : row + len(own), domain] = 1
            wide[row : row + len(own), domain * place : (domain + 1) * place] = before[domain]
            row += len(own)
        narrow = np.concatenate(before)
        design = {0: [np.concatenate(ones), narrow], 1: [block, narrow], 2: [block, wide], 3: [block, wide]}[shared]
        matrix = np.concatenate(design, 1)
        rest = (target - matrix @ np.linalg.lstsq(matrix, target)[0]) ** 2
        if shared < 3:
            total += count * np.log(2 * np.pi * np.e * rest.mean()) / 2
        else:
            parts = np.split(rest, np.cumsum([len(own) for own in samples])[:-1])
            total += sum(len(part) * np.log(2 * np.pi * np.e * part.mean()) / 2 for part in parts)
    return total / count


@pytest.mark.parametrize("sharing", [(3, 3, 3), (0, 0, 0), (1, 2, 0), (2, 3, 1)])
def test_profile_likelihood_is_that_of_least_squares(sharing: tuple[int, ...]) -> None:
    """Rows of W of length 1, so that the term that fixes the scale of latents is zero; a kink as good as sharp."""
    import jax.numpy as jnp

    from suture.semantics.fitting.leaky_likelihood import loss

    generator = np.random.default_rng(5)
    samples = [generator.standard_normal((40 + 10 * d, 3)) @ generator.standard_normal((3, 3)) + d for d in range(3)]
    unmixing = generator.standard_normal((3, 3))
    unmixing /= np.linalg.norm(unmixing, axis=1)[:, None]
    shift, order = generator.standard_normal(3), (2, 0, 1)
    values = [own @ unmixing.T + shift for own in samples]
    latents = [np.where(own > 0, own, 2 * own)[:, order] for own in values]
    doubled = sum((own < 0).sum() for own in values) / sum(map(len, values))
    expected = explained(latents, sharing) - np.log(2) * doubled - np.linalg.slogdet(unmixing)[1]
    with precision():
        point = jnp.concatenate([unmixing.ravel(), shift])
        own, weights = map(jnp.asarray, padded(samples))
        found = loss(point, own, weights, jnp.asarray(order), jnp.asarray(sharing), 1e-9)
    assert float(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("sharing", [(3, 3, 3), (0, 1, 2)])
def test_gradient_is_that_of_finite_differences(sharing: tuple[int, ...]) -> None:
    import jax
    import jax.numpy as jnp

    from suture.semantics.fitting.leaky_likelihood import loss

    generator = np.random.default_rng(7)
    given = padded([generator.standard_normal((30, 3)), 1 + generator.standard_normal((50, 3))])
    with precision():
        own, weights, order, shared = map(jnp.asarray, (*given, np.array([1, 2, 0]), np.array(sharing)))

        def here(each: Any) -> Any:
            return loss(each, own, weights, order, shared, 0.3)

        point = generator.standard_normal(12)
        found = jax.grad(here)(jnp.asarray(point))
        expected = jacobian(lambda each: np.array(here(jnp.asarray(each))), point)
    assert np.allclose(found, expected, atol=1e-7)


def test_rounded_kink_tells_its_own_derivative() -> None:
    from suture.semantics.fitting.leaky_likelihood import rounded

    with precision():
        for value in (-2.0, -0.1, 0.0, 0.2, 3.0):
            slope = (rounded(value + 1e-6, 0.3)[0] - rounded(value - 1e-6, 0.3)[0]) / 2e-6
            assert float(rounded(value, 0.3)[1]) == pytest.approx(np.log(float(slope)), abs=1e-8)


def test_lbfgs_finds_what_scipy_finds() -> None:
    import jax
    import jax.numpy as jnp

    from suture.semantics.fitting.descent import lbfgs

    def valley(x: Any) -> Any:
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    starts = 1 + 0.5 * np.random.default_rng(1).standard_normal((4, 3))
    with precision():
        points, values = jax.vmap(lambda start: lbfgs(valley, start, 80))(jnp.asarray(starts))
    for start, point, value in zip(starts, points, values, strict=True):
        best = minimize(rosen, start, method="BFGS")
        assert np.allclose(point, best.x, atol=1e-3)
        assert float(value) == pytest.approx(best.fun, abs=1e-6)


def test_adam_solves_least_squares() -> None:
    import jax
    import jax.numpy as jnp

    from suture.semantics.fitting.descent import adam

    generator = np.random.default_rng(1)
    matrix, target = generator.standard_normal((8, 3)), generator.standard_normal(8)
    starts = generator.standard_normal((4, 3))
    with precision():
        points, values = jax.vmap(lambda start: adam(lambda x: jnp.sum((matrix @ x - target) ** 2), start, 3000))(
            jnp.asarray(starts)
        )
    best = np.linalg.lstsq(matrix, target)
    assert np.allclose(points, best[0], atol=1e-2)
    assert np.allclose(values, best[1], atol=1e-4)


# ---------------------------------------------------------------------------------------------------------------------
# Order and sharing


@pytest.mark.parametrize("last", [False, True])
def test_best_structures_are_those_of_enumeration(last: bool) -> None:
    generator = np.random.default_rng(11)
    samples = [generator.standard_normal((60, 3)) @ generator.standard_normal((3, 3)) for _ in range(2)]
    count = sum(map(len, samples))
    best: dict[int, float] = {}
    for order in permutations(range(3)):
        for sharing in product(range(4), repeat=3):
            changed = [place for place, shared in enumerate(sharing) if shared]
            if last and changed != list(range(3 - len(changed), 3)):
                continue
            values = [own[:, order] for own in samples]
            constant = 3 * np.log(2 * np.pi * np.e) / 2
            charge = sum(parameters(p, 2, shared) for p, shared in enumerate(map(sharing_of, sharing)))
            total = count * (explained(values, sharing) - constant) + charge * np.log(count) / 2
            best[len(changed)] = min(best.get(len(changed), np.inf), total)
    found = best_structures(moments_of(samples), 3, last)
    assert [each.score for each in found] == pytest.approx([best[k] for k in range(4)])
    assert [each.intervened for each in found] == [0, 1, 2, 3]


def sharing_of(number: int) -> Any:
    from suture.semantics.fitting.leaky_likelihood import Shared

    return Shared(number)


def test_model_of_a_structure_has_the_moments_where_all_is_free() -> None:
    generator = np.random.default_rng(2)
    samples = [generator.standard_normal((50, 3)) @ generator.standard_normal((3, 3)) for _ in range(2)]
    given = moments_of(samples)
    structure = best_structures(given, 3)[3]
    free = type(structure)(structure.order, (sharing_of(3),) * 3, 0.0)
    model = fitted(given, free, ("a", "b"), ("A", "B", "C"), ("A", "B", "C"))
    for domain, own in enumerate(samples):
        chosen = own[:, structure.order]
        assert np.allclose(model.mean(domain), chosen.mean(0))
        assert np.allclose(model.covariance(domain), np.cov(chosen.T, bias=True))


def test_orders_that_samples_do_not_tell_are_rivals() -> None:
    """Where all of two neighbours changes, both orders have one likelihood; where scales stay, they have not."""
    generator = np.random.default_rng(8)

    def samples(scales: tuple[float, ...]) -> list[Floats]:
        made: list[Floats] = []
        for domain, scale in enumerate(scales):
            noise = generator.standard_normal((4000, 3))
            one = noise[:, 0]
            two = (0.5 + domain) * one + scale * noise[:, 1]
            made.append(np.stack([one, two, (1 - 2 * domain) * two + domain * one + noise[:, 2] / scale], 1))
        return made

    for scales, count in (((1.0, 3.0), 1), ((1.0, 1.0), 0)):
        given = moments_of(samples(scales))
        structure = best_structures(given, 2)[2]
        found = rivals(given, structure)
        assert len(found) == count
        for other in found:
            assert sorted(other.order) == [0, 1, 2]
            assert other.order != structure.order
            models = [fitted(given, each, ("a", "b"), ("A", "B", "C"), ("A", "B", "C")) for each in (structure, other)]
            back = [np.argsort(each.order) for each in (structure, other)]
            for domain in range(2):
                first, second = (m.covariance(domain)[np.ix_(p, p)] for m, p in zip(models, back, strict=True))
                assert np.allclose(first, second, rtol=0.05, atol=0.05)


# ---------------------------------------------------------------------------------------------------------------------
# Recovery


@pytest.fixture(scope="module")
def easy() -> tuple[dict[str, Floats], dict[tuple[str, str], Floats], DomainFit]:
    samples, truth = drawn(4, 2000)
    return samples, truth, fit_domains(samples, "canonical", restarts=4)


def gap(fit: DomainFit, samples: dict[str, Floats], truth: dict[tuple[str, str], Floats]) -> float:
    return max(
        float(((fit.counterfactual(samples[a], a, b) - there) ** 2).mean()) for (a, b), there in truth.items() if a != b
    )


def test_counterfactuals_are_recovered(easy: Any) -> None:
    """Squared error below 0.01, where leaving samples as they are is off by more than 0.5."""
    samples, truth, fit = easy
    assert fit.k == 1
    assert gap(fit, samples, truth) < 0.01
    assert min(((samples[a] - there) ** 2).mean() for (a, b), there in truth.items() if a != b) > 0.5


def test_canonical_design_is_in_canonical_form(easy: Any) -> None:
    latents = easy[2].model.latents
    assert np.allclose(latents.mechanisms[0], np.eye(3))
    assert np.allclose(latents.shifts[0], 0)
    for mechanism, shift in zip(latents.mechanisms, latents.shifts, strict=True):
        assert np.allclose(mechanism[:2], np.eye(3)[:2])
        assert np.allclose(shift[:2], 0)
    assert latents.intervened() == (latents.nodes[-1],)


def test_maps_compose_and_go_back(easy: Any) -> None:
    samples, _, fit = easy
    own = samples["old"][:50]
    there = fit.counterfactual(own, "old", "new")
    assert np.allclose(fit.counterfactual(there, "new", "old"), own)
    assert np.allclose(fit.counterfactual(there, "new", "far"), fit.counterfactual(own, "old", "far"))
    assert np.allclose(fit.counterfactual(own, "old", "old"), own)
    assert np.array_equal(fit.counterfactual(own[0], "old", "new"), fit.counterfactual(own[:1], "old", "new")[0])
    assert fit.distances.round_trip < 1e-9
    assert fit.distances.composition < 1e-9


@pytest.mark.parametrize(
    ("design", "optimiser"), [("relaxed", "lbfgs"), pytest.param("canonical", "adam", marks=pytest.mark.slow)]
)
def test_other_design_and_minimiser_recover_as_well(design: str, optimiser: str) -> None:
    samples, truth = drawn(4, 2000)
    fit = fit_domains(samples, design, 1, restarts=4, optimiser=optimiser)
    assert gap(fit, samples, truth) < 0.01


def test_dense_design_fits_the_laws(easy: Any) -> None:
    """Every domain's law is matched as well as by the sparse design, to what its parameters may overfit."""
    samples, _, sparse = easy
    fit = fit_domains(samples, "dense", restarts=4)
    assert fit.likelihood[0] > sparse.likelihood[0] - 0.01
    assert fit.k == 3


def test_trivial_maps_are_measured_by_numpy() -> None:
    generator = np.random.default_rng(9)
    model = leaky_model(generator, 2, 2)
    samples = [model.drawn(domain, generator.standard_normal((30, 2))) for domain in range(2)]
    found = distances(model, samples, samples)
    moved = [samples[0] + samples[1].mean(0) - samples[0].mean(0), samples[1] + samples[0].mean(0) - samples[1].mean(0)]
    slow = [slow_distance(samples[0], samples[1]), slow_distance(samples[1], samples[0])]
    assert found.identity == pytest.approx(np.mean(slow))
    assert found.shift == pytest.approx(
        np.mean([slow_distance(moved[0], samples[1]), slow_distance(moved[1], samples[0])])
    )
    assert energy_distance(samples[0], samples[1]) == pytest.approx(slow[0])


def slow_distance(first: Floats, second: Floats) -> float:
    """The energy distance pair by pair."""
    across = np.mean([np.linalg.norm(a - b) for a in first for b in second])
    within = [
        np.mean([np.linalg.norm(a - b) for i, a in enumerate(own) for j, b in enumerate(own) if i != j])
        for own in (first, second)
    ]
    return float(2 * across - within[0] - within[1])


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


def many(size: int = 2, cases: int = 50) -> Floats:
    return np.random.default_rng(0).standard_normal((cases, size))


@pytest.mark.parametrize(
    ("samples", "options", "text"),
    [
        ([many()], {}, "S466: a fit compares domains, and there are samples of one only"),
        ([], {}, "S466: there are no samples"),
        ([many(), many(3, 80)], {}, "S466: the samples of d0 have 2 variables, those of d1 3"),
        ([many(), many(2, 39)], {}, "S466: d1 has 39 samples of 2 variables"),
        ({"a": many(), "b": [["x", 1]]}, {}, "S466: the samples of b are not all numbers"),
        ([many(), many()[0]], {}, "S466: the samples of d1 have shape (2,)"),
        (
            [many(), np.where(many() > 1, np.nan, many())],
            {},
            "S466: the samples of d1 hold a value that is missing or not finite, the first in row 4",
        ),
        (
            [many(), many() @ np.array([[1.0, 2.0], [1.0, 2.0]])],
            {},
            "S466: in d1 one variable is a linear function of others, or does not vary",
        ),
        ([many(15, 400)] * 2, {}, "S466: a fit goes through all sets of latents, and 15 variables have too many"),
        ([many()] * 2, {"design": "canonica"}, "S467: unknown design 'canonica'"),
        ([many()] * 2, {"optimiser": "sgd"}, "S467: unknown optimiser 'sgd'"),
        ([many()] * 2, {"k": 3}, "S467: k is 3, and there are 2 latents"),
        ([many()] * 2, {"design": "dense", "k": 1}, "S467: in a dense design every mechanism differs"),
        ([many()] * 2, {"restarts": 0}, "S467: restarts is at least 1, and validation a share between 0 and 1"),
    ],
)
def test_what_cannot_be_fitted_is_refused(samples: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(SutureError) as refused:
        fit_domains(samples, **options)
    problem = refused.value.diagnostics[0]
    assert f"{problem.code}: {problem.message}" == text


def test_fit_keeps_to_the_time_allowed() -> None:
    with limited(Budget(seconds=0.0)), pytest.raises(SutureError, match="took longer than the budget") as refused:
        fit_domains([many(), many()])
    assert refused.value.diagnostics[0].code == "S603"


def test_fit_tells_how_far_it_is() -> None:
    told: list[float] = []
    with limited(Budget(), told.append):
        fit_domains([many(), many() + 1], restarts=3)
    assert told == sorted(told)
    # Three lenses, each looked for and then finished.
    assert len(told) == 6


def test_designs_together_are_those_fitted_one_by_one(easy: Any) -> None:
    samples, _, alone = easy
    canonical, dense = fit_designs(samples, [("canonical", None), ("dense", None)], restarts=4)
    assert canonical.structure == alone.structure
    assert np.array_equal(canonical.model.mixing, alone.model.mixing)
    assert canonical.likelihood == alone.likelihood
    assert (dense.design, dense.k) == ("dense", 3)
    assert fit_designs(samples, []) == ()


def test_fitted_model_refuses_what_it_does_not_know(easy: Any) -> None:
    samples, _, fit = easy
    with pytest.raises(SutureError, match="unknown domain 'nwe'"):
        fit.counterfactual(samples["old"], "old", "nwe")
    with pytest.raises(SutureError, match=r"samples have 3 values each, and this array has shape \(5,\)"):
        fit.counterfactual(np.zeros(5), "old", "new")
