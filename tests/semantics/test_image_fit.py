"""Learned lenses: bijections with the volume of their derivative, and counterfactuals of pictures drawn two ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import suture
from suture import SutureError, fit_images
from suture.semantics.budget import Budget, limited
from suture.semantics.fitting.coupling_lens import CouplingLens, components_of, starting_lens
from suture.semantics.fitting.image_fit import ImageFit
from suture.semantics.fitting.image_training import Learned, free_rows, mean_log_density, mechanism_functions
from suture.semantics.fitting.linear_start import linear_start
from suture.semantics.fitting.mechanism_order import moments_of
from suture.semantics.networks.devices import precision

Floats = Any


def bent_lens(generator: np.random.Generator, size: int = 6, core: int = 3) -> CouplingLens:
    """A lens far from linear: its last layers are random too."""
    import jax

    turn, offset = generator.standard_normal((core, core)), generator.standard_normal(core)
    components = components_of(generator.standard_normal((200, size)), core, 0.1)
    lens = starting_lens(components, turn, offset, 3, 5, generator)
    moved = jax.tree.map(lambda array: array + 0.3 * generator.standard_normal(array.shape), lens.parameters)
    return lens.with_parameters(moved)


def by_differences(function: Any, point: Floats, step: float = 1e-5) -> Floats:
    moves = step * np.eye(len(point))
    return np.stack([np.asarray(function(point + m)) - np.asarray(function(point - m)) for m in moves], -1) / (2 * step)


def test_lens_is_undone() -> None:
    import jax

    generator = np.random.default_rng(1)
    lens = bent_lens(generator)
    with precision():
        forth, back = jax.jit(jax.vmap(lens.seen)), jax.jit(jax.vmap(lens.recovered))
        points = generator.standard_normal((5, 6))
        assert np.allclose(forth(back(points)), points, atol=1e-10)
        assert np.allclose(back(forth(points)), points, atol=1e-10)
        # It is not linear.
        assert not np.allclose(back(points) + back(-points), 2 * back(0 * points))


def test_density_is_the_change_of_variables() -> None:
    """Of the whole map from pictures to noises, its derivative taken numerically."""
    import jax

    generator = np.random.default_rng(2)
    lens = bent_lens(generator)
    core = 3
    found = Learned(
        lens,
        0.5 * generator.standard_normal((2, core)),
        np.tril(generator.standard_normal((2, core, core)), -1),
        generator.standard_normal((2, core)),
    )
    forth, back = mechanism_functions(found)
    tiny = 1e-9
    with precision():
        for domain in range(2):
            noise = generator.standard_normal(6)
            seen = np.asarray(jax.jit(lambda e, d=domain: lens.seen(forth[d](e)))(noise))
            undone = jax.jit(lambda x, d=domain: back[d](lens.recovered(x)))
            assert np.allclose(undone(seen), noise, atol=1e-9)
            slopes = by_differences(undone, seen)
            wanted = -0.5 * noise @ noise - 3 * np.log(2 * np.pi) + np.linalg.slogdet(slopes)[1]
            pair: list[Floats] = [np.zeros((0, 6)), np.zeros((0, 6))]
            pair[domain] = seen[None]
            assert mean_log_density(found, pair, tiny) == pytest.approx(wanted, abs=1e-5)


def test_linear_start_makes_every_domain_standard() -> None:
    """Linear models: noises of every domain become uncorrelated and standard where all rows may differ."""
    generator = np.random.default_rng(3)
    mixing = generator.standard_normal((4, 4))
    samples: list[Floats] = []
    for domain in range(3):
        mechanism, shift = np.eye(4), np.zeros(4)
        mechanism[3], shift[3] = (0, 0, 0, 1 + domain), 2 * domain
        samples.append((generator.standard_normal((4000, 4)) @ mechanism.T + shift) @ mixing.T)
    pooled = np.concatenate(samples)
    whiten = np.linalg.inv(np.linalg.cholesky(np.cov(pooled.T)))
    white = [(own - pooled.mean(0)) @ whiten.T for own in samples]
    # One mechanism differs, in place and spread: one row is enough.
    for k, rows in ((4, free_rows("dense", 3, 4, None)), (1, free_rows("canonical", 3, 4, 1))):
        start = linear_start(moments_of(white), k, rows)
        for place, own in enumerate(white):
            latents = own @ start.turn.T + start.offset
            noise = np.exp(start.scales[place]) * latents + latents @ start.weights[place].T + start.shifts[place]
            assert np.allclose(noise.mean(0), 0, atol=0.1)
            assert np.allclose(np.cov(noise.T), np.eye(4), atol=0.1)


# ---------------------------------------------------------------------------------------------------------------------
# A strip on which a spot stands


PIXELS = 10
PLACES = {"west": (-0.2, 0.25), "east": (0.2, 0.35)}


def strips(noise: Floats, domain: str) -> Floats:
    """A soft spot on ten pixels, `cases 2 5`: where it stands differs between domains, how bright it is does not."""
    middle, spread = PLACES[domain]
    where = middle + spread * noise[:, :1]
    bright = np.exp(0.2 * noise[:, 1:])
    return (bright * np.exp(-(((np.linspace(-1, 1, PIXELS) - where) / 0.6) ** 2))).reshape(-1, 2, 5)


@pytest.fixture(scope="module")
def strip_fit() -> ImageFit:
    """One fit for all tests."""
    generator = np.random.default_rng(3)
    samples = {name: strips(generator.standard_normal((1500, 2)), name) for name in PLACES}
    return fit_images(samples, "canonical", 1, core=4, noise=0.1, steps=500, couplings=4, width=32)


def test_counterfactuals_of_pictures_are_close_to_the_truth(strip_fit: ImageFit) -> None:
    noise = np.random.default_rng(4).standard_normal((400, 2))
    seen = {name: strips(noise, name) for name in PLACES}
    for start, end in (("west", "east"), ("east", "west")):
        moved = strip_fit.counterfactual(seen[start], start, end)
        error = np.mean((moved - seen[end]) ** 2)
        stay = np.mean((seen[start] - seen[end]) ** 2)
        shift = np.mean((seen[start] + seen[end].mean(0) - seen[start].mean(0) - seen[end]) ** 2)
        assert error < 0.75 * min(stay, shift)


def test_pictures_go_back_exactly(strip_fit: ImageFit) -> None:
    """A true round trip, from the counterfactual; and nothing happens on the way from a domain to itself."""
    seen = strips(np.random.default_rng(5).standard_normal((50, 2)), "west")
    there = strip_fit.counterfactual(seen, "west", "east")
    assert np.allclose(strip_fit.counterfactual(there, "east", "west"), seen, atol=1e-9)
    assert np.allclose(strip_fit.counterfactual(seen, "west", "west"), seen, atol=1e-9)
    assert np.allclose(strip_fit.counterfactual(seen[0], "west", "east"), there[0], atol=1e-9)


def test_fit_of_pictures_is_in_canonical_form(strip_fit: ImageFit) -> None:
    family = strip_fit.model
    noise = np.random.default_rng(6).standard_normal((20, PIXELS))
    assert np.array_equal(family.rows(family.mechanisms[0], family.mechanisms[0], noise), noise)
    assert family.intervened() == (f"Z{PIXELS}",)
    assert strip_fit.distances.model < min(strip_fit.distances.shift, strip_fit.distances.identity)


def test_fit_of_pictures_is_a_latent_model(strip_fit: ImageFit) -> None:
    model = suture.LatentModel.from_fit(strip_fit)
    seen = strips(np.random.default_rng(7).standard_normal((3, 2)), "west")
    moved = strip_fit.counterfactual(seen, "west", "east")
    assert np.allclose(model.transport(seen, "west", "east"), moved, atol=1e-9)
    sample = dict(zip(model.observed, seen[0].ravel().tolist(), strict=True))
    answer = model.counterfactual(sample, "west", "east")
    assert np.allclose(answer.to_dict()["value"]["rows"], [moved[0].ravel()], atol=1e-9)
    assert answer.check is not None
    assert answer.check.max_error < 1e-9
    assert answer.notes == ()
    value = model.canonicalise().to_dict()["value"]
    assert (value["intervened"], value["minimal_k"]) == (["Z10"], 1)


def test_what_the_fit_of_pictures_does_not_know(strip_fit: ImageFit) -> None:
    for samples, source, text in (
        (np.zeros((3, 2, 5)), "north", "S103: unknown domain 'north'"),
        (np.zeros((3, 5, 2)), "west", "S466: images have shape (2, 5), and this array has shape (3, 5, 2)"),
        (np.zeros(()), "west", "S466: images have shape (2, 5), and this array has shape ()"),
    ):
        with pytest.raises(SutureError) as caught:
            strip_fit.counterfactual(samples, source, "east")
        (problem,) = caught.value.diagnostics
        assert f"{problem.code}: {problem.message}" == text


GOOD = np.random.default_rng(0).standard_normal((100, 4))


@pytest.mark.parametrize(
    ("samples", "options", "text"),
    [
        ([GOOD], {"k": 1}, "S466: a fit compares domains, and there are samples of one only"),
        ([GOOD, GOOD[:, :3]], {"k": 1}, "S466: images of d0 have shape (4,), those of d1 (3,)"),
        ([GOOD, GOOD[:50]], {"k": 1}, "S466: d1 has 50 images"),
        ([GOOD, GOOD[0]], {"k": 1}, "S466: the samples of d1 have shape (4,)"),
        ([GOOD, np.full((100, 4), np.nan)], {"k": 1}, "first in image 1"),
        ([GOOD, GOOD], {"core": 2}, "S467: a fit of images does not choose k"),
        ([GOOD, GOOD], {"design": "dense", "k": 1}, "S467: in a dense design every latent differs"),
        ([GOOD, GOOD], {"design": "canonicle", "k": 1}, "S467: unknown design 'canonicle'"),
        ([GOOD, GOOD], {"k": 1, "stepz": 1}, "S467: unknown option 'stepz'"),
        ([GOOD, GOOD], {"k": 1, "core": 4}, "S467: core is 4, and images have 4 values"),
        ([GOOD, GOOD], {"k": 3, "core": 2}, "S467: k is 3, and the core has 2 latents"),
        ([GOOD, GOOD], {"k": 1, "core": 2, "noise": 0}, "S467: steps, batch, couplings and width are at least 1"),
    ],
)
def test_pictures_that_cannot_be_fitted_are_refused(samples: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(SutureError) as caught:
        fit_images(samples, **options)
    (problem,) = caught.value.diagnostics
    assert text in f"{problem.code}: {problem.message}"


def test_fit_of_pictures_keeps_to_the_time_allowed() -> None:
    with limited(Budget(seconds=1e-9)), pytest.raises(SutureError) as caught:
        fit_images([GOOD, GOOD], k=1, core=2)
    assert caught.value.diagnostics[0].code == "S603"
