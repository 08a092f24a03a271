"""Images of several domains: an invertible latent model whose lens is learned, fitted by maximum likelihood.

Zhou, Bai, Kulinski, Kocaoglu, Inouye: Towards Characterizing Domain Counterfactuals For Invertible Latent Causal Models
(ICLR 2024), section 5, where the lens of images is an autoencoder.  Here it is a bijection (`coupling_lens.py`), so
that counterfactuals compose and go back exactly, whatever was learned.  Behind it stand the designs of `domain_fit.py`:
the latents z_j that differ between domains are linear in those before and in their noise; every other latent is its
noise in all domains, since a lens that can bend anything can take up a mechanism that all domains share.

    canonical   the last k latents differ, and the first domain is the identity
    relaxed     the last k latents differ, in the first domain as well
    dense       every latent of the core differs in each domain

Lens and mechanisms are learned together on batches, with noise added to every pixel anew at each step: images lie on a
surface of few dimensions, on which no density exists, and the noise gives them one.  `noise` is the width at which the
surface is looked at, the one option that matters.

What samples tell: counterfactuals are right where the maps between domains are the only ones of this shape that the
laws allow.  Domains that hardly overlap are told apart by their laws alone, and a lens may pair their samples in more
than one way; `benchmarks/images.py` measures that against true counterfactuals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ...dsl.methods import DESIGNS
from ..latent.function_domains import FunctionDomains, function_domains
from .domain_distances import Distances, distances
from .image_training import ImageOptions, Learned, learned, mean_log_density, mechanism_functions

Floats = Any

FEWEST = 100


@dataclass(frozen=True)
class ImageFit:
    """A fitted model of images, and how it does beside the two trivial maps.

    `model` is a latent model of functions of flat images; `suture.LatentModel.from_fit` asks it everything that latent
    models answer.  `shape` is that of an image, `k` the number of latents that differ, `likelihood` the mean
    log-density, in nats an image with its noise, of training and of held-out images.
    """

    model: FunctionDomains
    design: str
    k: int
    shape: tuple[int, ...]
    likelihood: tuple[float, float]
    distances: Distances

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains."""
        return self.model.domains

    def counterfactual(self, samples: Any, source: str, target: str) -> Floats:
        """What images of one domain, `cases ..` or one image, would have been in another, as an array of that shape.

        Values are not cut to the range of pixels, so that the way back stays exact.  Raises `SutureError` S103 where a
        domain is unknown, S466 where images have another shape.
        """
        seen = np.asarray(samples, dtype=float)
        for name in (source, target):
            if name not in self.domains:
                help = did_you_mean(name, self.domains) or f"there is {one_of(list(self.domains))}"
                raise SutureError(Diagnostic("S103", f"unknown domain '{name}'", help=help))
        if seen.shape[max(seen.ndim - len(self.shape), 0) :] != self.shape or seen.ndim > len(self.shape) + 1:
            message = f"images have shape {self.shape}, and this array has shape {seen.shape}"
            raise SutureError(Diagnostic("S466", message, help="give an array 'cases ..' of such images"))
        flat = seen.reshape(-1, self.model.size)
        moved = self.model.transport(self.model.position(source), self.model.position(target), flat)
        return moved.reshape(seen.shape)


def fit_images(
    samples: Mapping[str, Any] | Sequence[Any], design: str = "canonical", k: int | None = None, **options: Any
) -> ImageFit:
    """An invertible latent model of several domains with a learned lens, fitted to an array `cases ..` of each.

    Domains are named by the mapping's keys, or d0, d1 and so on; samples of any shape are flattened and need not be
    pictures.  `k` latents differ between domains.  Options: `core`, the number of latents that are more than a
    remainder; `noise`, the deviation of what is added to every pixel; `steps` and `batch` of the training; `couplings`
    and `width` of the lens; `rate`; `seed`; `validation`, the share of samples held out.  Raises `SutureError` S466
    where samples do not fit each other or are too few, S467 where design, k or another option is none that there is,
    S603 where the time that `limited` allows is over.
    """
    named = samples if isinstance(samples, Mapping) else {f"d{place}": own for place, own in enumerate(samples)}
    arrays = [_images(str(name), own) for name, own in named.items()]
    names = tuple(map(str, named))
    shape = _one_shape(names, arrays)
    chosen = _options(design, k, options, int(np.prod(shape)))
    flat = [own.reshape(len(own), -1) for own in arrays]
    train, held = _split(flat, chosen)
    found = learned(train, chosen)
    return _result(names, shape, chosen, found, train, held)


def _result(
    names: tuple[str, ...],
    shape: tuple[int, ...],
    options: ImageOptions,
    found: Learned,
    train: Sequence[Floats],
    held: Sequence[Floats],
) -> ImageFit:
    size = int(np.prod(shape))
    forth, back = mechanism_functions(found)
    model = function_domains(
        dict(zip(names, forth, strict=True)),
        found.lens.seen,
        size,
        found.lens.recovered,
        dict(zip(names, back, strict=True)),
    )
    k = options.core if options.k is None else options.k
    both = mean_log_density(found, train, options.noise), mean_log_density(found, held, options.noise)
    return ImageFit(model, options.design, k, shape, both, distances(model, train, held))


# ---------------------------------------------------------------------------------------------------------------------
# What is given


def _images(name: str, samples: Any) -> Floats:
    try:
        array = np.asarray(samples, dtype=float)
    except (TypeError, ValueError):
        raise SutureError(Diagnostic("S466", f"the samples of {name} are not all numbers")) from None
    if array.ndim < 2 or not np.prod(array.shape[1:]):
        message = f"the samples of {name} have shape {array.shape}"
        raise SutureError(Diagnostic("S466", message, help="give an array 'cases ..', one image a case"))
    if len(array) < FEWEST:
        message = f"{name} has {len(array)} images"
        raise SutureError(Diagnostic("S466", message, help=f"at least {FEWEST} are needed in each domain"))
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array.reshape(len(array), -1)).all(1))) + 1
        message = f"the samples of {name} hold a value that is missing or not finite, the first in image {row}"
        raise SutureError(Diagnostic("S466", message, help="leave those images out"))
    return array


def _one_shape(names: Sequence[str], arrays: Sequence[Floats]) -> tuple[int, ...]:
    if len(arrays) < 2:
        message = "a fit compares domains, and there are samples of one only" if arrays else "there are no samples"
        raise SutureError(Diagnostic("S466", message, help="give samples of two domains or more"))
    shape = arrays[0].shape[1:]
    for name, own in zip(names, arrays, strict=True):
        if own.shape[1:] != shape:
            message = f"images of {names[0]} have shape {shape}, those of {name} {own.shape[1:]}"
            raise SutureError(Diagnostic("S466", message, help="domains see the same pixels"))
    return shape


def _options(design: str, k: int | None, given: Mapping[str, Any], size: int) -> ImageOptions:
    known = [name for name in ImageOptions.__dataclass_fields__ if name not in ("design", "k")]
    for name in given:
        if name not in known:
            help = did_you_mean(name, known) or f"there is {', '.join(known)}"
            raise SutureError(Diagnostic("S467", f"unknown option '{name}'", help=help))
    if design not in DESIGNS:
        help = did_you_mean(design, DESIGNS) or f"there is {', '.join(DESIGNS)}"
        raise SutureError(Diagnostic("S467", f"unknown design '{design}'", help=help))
    made = ImageOptions(design, k, **given)
    if (k is None) != (design == "dense"):
        message = "in a dense design every latent differs" if k is not None else "a fit of images does not choose k"
        help = "leave k out" if k is not None else "give k, the number of latents that differ between domains"
        raise SutureError(Diagnostic("S467", message, help=help))
    if not 2 <= made.core < size:
        message = f"core is {made.core}, and images have {size} values"
        raise SutureError(Diagnostic("S467", message, help=f"core lies between 2 and {size - 1}"))
    if k is not None and not 0 <= k <= made.core:
        message = f"k is {k}, and the core has {made.core} latents"
        raise SutureError(Diagnostic("S467", message, help=f"k lies between 0 and {made.core}"))
    counts = (made.steps, made.batch, made.couplings, made.width)
    if min(counts) < 1 or made.noise <= 0 or made.rate <= 0 or not 0 < made.validation < 1:
        message = "steps, batch, couplings and width are at least 1, noise and rate positive, validation a share"
        raise SutureError(Diagnostic("S467", message))
    return made


def _split(arrays: Sequence[Floats], options: ImageOptions) -> tuple[list[Floats], list[Floats]]:
    """Samples to fit and samples held out, drawn with the seed."""
    generator = np.random.default_rng(options.seed)
    orders = [generator.permutation(len(own)) for own in arrays]
    counts = [max(2, round(len(own) * options.validation)) for own in arrays]
    triples = list(zip(arrays, orders, counts, strict=True))
    return [own[order[count:]] for own, order, count in triples], [own[order[:count]] for own, order, count in triples]
