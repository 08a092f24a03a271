"""Invertible latent models fitted to samples of several domains: what would a sample have been in another domain?

Zhou, Bai, Kulinski, Kocaoglu, Inouye: Towards Characterizing Domain Counterfactuals For Invertible Latent Causal Models
(ICLR 2024).  The model is x = G lrelu(y) + c with y = F_d e + b_d, F_d = (I - L_d)^-1 S_d triangular in some order, e
standard normal.  Designs: `dense`, every mechanism free in each domain, in the order in which latents were found;
`relaxed`, only the last k mechanisms differ; `canonical`, any k mechanisms differ, and the result is brought into the
canonical form (f_0 = id, identity in front, interventions last, the lens G lrelu(H z + h) + c), which by their theorem
every model with k intervened mechanisms has.

The fit is maximum likelihood in three steps, none of which can be caught where theirs is: (1) W = G^-1 and c by descent
of the profile likelihood with its kinks rounded, from many starts (`leaky_likelihood.py`, `domain_starts.py`); no
mechanism is a parameter there.  (2) Order, intervened mechanisms and what each keeps, exactly (`mechanism_order.py`).
(3) W and c again, given that structure.  Starts that did best are compared by the likelihood of samples held out, k
by BIC where it is not given.

What this rests on: noises are normal, and the kinks of G lrelu are where the data are; a latent that is always on one
side of its kink is not told from the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from ...dsl.methods import DESIGNS
from ..budget import meter
from ..latent.linear_domains import last_order, normalised, permuted
from ..networks.devices import precision
from .domain_distances import Distances, distances
from .domain_starts import rotations
from .leaky_domains import LeakyDomains, unleaky
from .mechanism_order import MOST_LATENTS, Moments, Structure, best_structures, fitted, moments_of, rivals, score

Floats = Any

OPTIMISERS = ("lbfgs", "adam")
FIRST = ((1.0, 30), (0.3, 30), (0.1, 30))
THEN = ((0.1, 30), (0.03, 30))
AGAIN = ((0.05, 20), (0.02, 20))
ADAM_STEPS = 10
FIRST_ROWS = 1000
FEWEST_ROWS = 300
MOST_ROWS = 3000
"""Rows that starts are descended on: at most so many of a domain, but for many domains so many of all together."""
FINALISTS = 3
ROUNDS = 3


@dataclass(frozen=True)
class Start:
    """How one start ended: the loss on a part of the samples and, where it was followed up, the validation likelihood.

    Both are nats a sample; the first is to be small, the second large.
    """

    loss: float
    validation: float | None


@dataclass(frozen=True)
class DomainFit:
    """A fitted model, what was chosen on the way, and how it does beside the two trivial maps.

    `scores` holds the BIC of the best structure for each number of differing mechanisms (empty for `dense`),
    `likelihood` the mean log-density of training and of held-out samples.  `doubtful` is how far counterfactuals move,
    as the root of the mean square over samples held out, where two mechanisms that both change stand in the other order
    and samples allow that as well; None where they do not.
    """

    model: LeakyDomains
    design: str
    structure: Structure
    scores: tuple[float, ...]
    likelihood: tuple[float, float]
    starts: tuple[Start, ...]
    distances: Distances
    doubtful: float | None

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains."""
        return self.model.domains

    @property
    def k(self) -> int:
        """The number of mechanisms that differ between domains."""
        return self.structure.intervened

    def counterfactual(self, samples: Any, source: str, target: str) -> Floats:
        """What samples of one domain, `cases size` or `size`, would have been in another, as an array of that shape.

        Raises `SutureError` S103 where a domain is unknown, S466 where the array has another width.
        """
        seen = np.asarray(samples, dtype=float)
        start, end = self._place(source), self._place(target)
        if seen.ndim not in (1, 2) or seen.shape[-1] != len(self.model.offset):
            message = f"samples have {len(self.model.offset)} values each, and this array has shape {seen.shape}"
            raise SutureError(Diagnostic("S466", message, help="give an array 'cases variables'"))
        return self.model.transport(start, end, np.atleast_2d(seen)).reshape(seen.shape)

    def _place(self, name: str) -> int:
        if name not in self.domains:
            help = did_you_mean(name, self.domains) or f"there is {', '.join(self.domains)}"
            raise SutureError(Diagnostic("S103", f"unknown domain '{name}'", help=help))
        return self.model.position(name)


@dataclass(frozen=True)
class Options:
    """How to fit: see `fit_domains`."""

    design: str = "canonical"
    k: int | None = None
    restarts: int = 16
    seed: int = 0
    optimiser: str = "lbfgs"
    validation: float = 0.2


def fit_domains(
    samples: Mapping[str, Any] | Sequence[Any],
    design: str = "canonical",
    k: int | None = None,
    *,
    restarts: int = 16,
    seed: int = 0,
    optimiser: str = "lbfgs",
    validation: float = 0.2,
) -> DomainFit:
    """An invertible latent model of several domains, fitted to an array `cases size` of each.

    Domains named by the mapping's keys, or d0, d1 and so on.  `k` mechanisms at most differ; where it is not given,
    BIC chooses.  `validation` is the share of samples held out to choose among starts.  Raises `SutureError` S466
    where samples do not fit each other or are too few, S467 where design, k or another option is none that there is,
    S603 where the time that `limited` allows is over.
    """
    return fit_designs(
        samples, [(design, k)], restarts=restarts, seed=seed, optimiser=optimiser, validation=validation
    )[0]


def fit_designs(
    samples: Mapping[str, Any] | Sequence[Any],
    choices: Sequence[tuple[str, int | None]],
    *,
    restarts: int = 16,
    seed: int = 0,
    optimiser: str = "lbfgs",
    validation: float = 0.2,
) -> tuple[DomainFit, ...]:
    """What `fit_domains` gives for each (design, k), at the cost of one search: no design is a parameter of the search.

    Options and errors are those of `fit_domains`.
    """
    named = samples if isinstance(samples, Mapping) else {f"d{place}": own for place, own in enumerate(samples)}
    arrays = [checked(name, own) for name, own in named.items()]
    names = tuple(map(str, named))
    each = [Options(design, k, restarts, seed, optimiser, validation) for design, k in choices]
    _check_together(names, arrays)
    for own in each:
        _check_options(own, arrays[0].shape[1])
    if not each:
        return ()
    train, held = _split(arrays, each[0])
    search = _searched(train, each[0])
    return tuple(_Fitting(names, own, train, held, search).result() for own in each)


def checked(name: str, samples: Any) -> Floats:
    """One domain's samples as an array of floats; raises `SutureError` S466."""
    try:
        array = np.asarray(samples, dtype=float)
    except (TypeError, ValueError):
        raise SutureError(Diagnostic("S466", f"the samples of {name} are not all numbers")) from None
    if array.ndim != 2 or not array.shape[1]:
        message = f"the samples of {name} have shape {array.shape}"
        raise SutureError(Diagnostic("S466", message, help="give an array 'cases variables'"))
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).all(1))) + 1
        message = f"the samples of {name} hold a value that is missing or not finite, the first in row {row}"
        raise SutureError(Diagnostic("S466", message, help="leave those rows out"))
    return array


def _check_together(names: Sequence[str], arrays: Sequence[Floats]) -> None:
    if len(arrays) < 2:
        message = "a fit compares domains, and there are samples of one only" if arrays else "there are no samples"
        raise SutureError(Diagnostic("S466", message, help="give samples of two domains or more"))
    size = arrays[0].shape[1]
    for name, own in zip(names, arrays, strict=True):
        if own.shape[1] != size:
            message = f"the samples of {names[0]} have {size} variables, those of {name} {own.shape[1]}"
            raise SutureError(Diagnostic("S466", message, help="domains see the same variables"))
        if len(own) < 20 * size:
            message = f"{name} has {len(own)} samples of {size} variables"
            raise SutureError(Diagnostic("S466", message, help=f"at least {20 * size} are needed in each domain"))
        spread = np.cov(own.T).reshape(size, size)
        if np.linalg.matrix_rank(spread, hermitian=True) < size:
            message = f"in {name} one variable is a linear function of others, or does not vary"
            raise SutureError(Diagnostic("S466", message, help="leave that variable out"))
    if size > MOST_LATENTS:
        message = f"a fit goes through all sets of latents, and {size} variables have too many"
        raise SutureError(Diagnostic("S466", message, help=f"at most {MOST_LATENTS} variables"))


def _check_options(options: Options, size: int) -> None:
    words = (("design", options.design, DESIGNS), ("optimiser", options.optimiser, OPTIMISERS))
    for kind, word, known in words:
        if word not in known:
            help = did_you_mean(word, known) or f"there is {', '.join(known)}"
            raise SutureError(Diagnostic("S467", f"unknown {kind} '{word}'", help=help))
    if options.k is not None and options.design == "dense":
        raise SutureError(Diagnostic("S467", "in a dense design every mechanism differs", help="leave k out"))
    if options.k is not None and not 0 <= options.k <= size:
        message = f"k is {options.k}, and there are {size} latents"
        raise SutureError(Diagnostic("S467", message, help=f"k lies between 0 and {size}"))
    if options.restarts < 1 or not 0 < options.validation < 1:
        message = "restarts is at least 1, and validation a share between 0 and 1"
        raise SutureError(Diagnostic("S467", message))


def _split(arrays: Sequence[Floats], options: Options) -> tuple[list[Floats], list[Floats]]:
    """Samples to fit and samples to choose by, drawn with the seed."""
    generator = np.random.default_rng(options.seed)
    train: list[Floats] = []
    held: list[Floats] = []
    for own in arrays:
        order = generator.permutation(len(own))
        count = max(1, round(len(own) * options.validation))
        held.append(own[order[:count]])
        train.append(own[order[count:]])
    return train, held


@dataclass(frozen=True)
class _Lens:
    """u = W (x - middle) whitened and shifted: `matrix` takes x to u, `shift` is added."""

    matrix: Floats
    shift: Floats

    def latents(self, seen: Floats) -> Floats:
        return unleaky(seen @ self.matrix.T + self.shift)


@dataclass(frozen=True)
class _Candidate:
    """What one start led to: the model with its structure, and models that the samples allow as well."""

    model: LeakyDomains
    structure: Structure
    scores: tuple[float, ...]
    others: tuple[LeakyDomains, ...]


@dataclass(frozen=True)
class _Search:
    """Lenses found with every mechanism free: `points` of the starts that did `best`, followed up on all samples.

    `white` are the samples x as `whiten (x - middle)`; `losses` belong to all starts.  `again` holds what descents with
    a structure came to, since several designs often ask for the same.
    """

    middle: Floats
    whiten: Floats
    white: Sequence[Floats]
    losses: Floats
    best: Floats
    points: Sequence[Floats]
    again: dict[tuple[bytes, Structure], Floats] = field(default_factory=dict[tuple[bytes, Structure], Floats])

    def refined(self, point: Floats, structure: Structure, optimiser: str) -> Floats:
        """A lens descended once more, given the structure of the mechanisms behind it."""
        key = point.tobytes(), replace(structure, score=0.0)
        if key not in self.again:
            self.again[key] = _descended(point[None], self.white, structure, AGAIN, optimiser)[0][0]
        return self.again[key]


def _searched(train: Sequence[Floats], options: Options) -> _Search:
    """Every start descended on a part of the samples, the best on all of them; losses that are no number last."""
    pooled = np.concatenate(train)
    middle = pooled.mean(0)
    whiten = np.linalg.inv(np.linalg.cholesky(np.cov(pooled.T).reshape(2 * pooled.shape[1:])))
    white = [(own - middle) @ whiten.T for own in train]
    rows = min(FIRST_ROWS, max(FEWEST_ROWS, MOST_ROWS // len(white)))
    part = [own[:rows] for own in white]
    size = pooled.shape[1]
    squares = rotations(part, options.restarts, np.random.default_rng(options.seed + 1))
    starts = np.concatenate([squares.reshape(len(squares), -1), np.zeros((len(squares), size))], 1)
    points, losses = _descended(starts, part, None, FIRST, options.optimiser)
    losses = np.where(np.isfinite(losses), losses, np.inf)
    best = np.argsort(losses)[:FINALISTS]
    ends: list[Floats] = []
    for done, point in enumerate(points[best], 1):
        meter().tick(done / (2 * len(best) + 1))
        ends.append(_descended(point[None], white, None, THEN, options.optimiser)[0][0])
    return _Search(middle, whiten, white, losses, best, ends)


def _descended(
    starts: Floats,
    samples: Sequence[Floats],
    structure: Structure | None,
    stages: Sequence[tuple[float, int]],
    optimiser: str,
) -> tuple[Floats, Floats]:
    """Points and losses after the stages; every mechanism is free where no structure is given."""
    from .leaky_likelihood import Shared, descend

    size = samples[0].shape[1]
    order = range(size) if structure is None else structure.order
    sharing = [Shared.ALL] * size if structure is None else structure.sharing
    if optimiser == "adam":
        stages = [(width, steps * ADAM_STEPS) for width, steps in stages]
    values, weights = padded(samples)
    with precision():
        points, losses = descend(starts, values, weights, order, sharing, stages, optimiser)
        return np.asarray(points), np.asarray(losses)


@dataclass(frozen=True)
class _Fitting:
    """One fit: the samples to fit and those held out, one array a domain each, and the search that designs share."""

    names: tuple[str, ...]
    options: Options
    train: Sequence[Floats]
    held: Sequence[Floats]
    search: _Search

    def result(self) -> DomainFit:
        """All steps."""
        best, losses = self.search.best, self.search.losses
        candidates: list[_Candidate] = []
        for done, point in enumerate(self.search.points, 1):
            meter().tick((len(best) + done) / (2 * len(best) + 1))
            candidates.append(self._finished(point))
        validations = [self._likelihood(each.model, self.held) for each in candidates]
        chosen = candidates[int(np.argmax(validations))]
        model = chosen.model
        followed = dict(zip(best.tolist(), validations, strict=True))
        return DomainFit(
            self._shaped(model),
            self.options.design,
            chosen.structure,
            chosen.scores,
            (self._likelihood(model, self.train), max(validations)),
            tuple(Start(float(losses[place]), followed.get(place)) for place in np.argsort(losses).tolist()),
            distances(model, self.train, self.held),
            self._moved(model, chosen.others),
        )

    def _moved(self, model: LeakyDomains, others: Sequence[LeakyDomains]) -> float | None:
        """How far counterfactuals of held-out samples differ between the model and others, at most."""
        pairs = list(permutations(range(len(self.held)), 2))

        def gap(other: LeakyDomains) -> float:
            moves = [other.transport(a, b, self.held[a]) - model.transport(a, b, self.held[a]) for a, b in pairs]
            return float(np.mean([(move**2).mean() for move in moves])) ** 0.5

        return max((gap(other) for other in others), default=None)

    def _finished(self, point: Floats) -> _Candidate:
        """One lens: structure, lens again, until the structure stays."""
        white, middle, whiten = self.search.white, self.search.middle, self.search.whiten
        structure, scores, given = self._structured(white, point)
        for _ in range(ROUNDS):
            if self.options.design == "dense":
                break
            point = self.search.refined(point, structure, self.options.optimiser)
            before = structure
            structure, scores, given = self._structured(white, point)
            if (structure.order, structure.sharing) == (before.order, before.sharing):
                break
        lens = _lens(point, white[0].shape[1])
        unmixing = lens.matrix @ whiten
        shift = lens.shift - unmixing @ middle
        mixing = np.linalg.inv(unmixing)
        nodes = tuple(f"Z{place + 1}" for place in range(given.size))

        def model(own: Structure) -> LeakyDomains:
            latents = fitted(given, own, self.names, nodes, nodes)
            return LeakyDomains(latents, mixing[:, list(own.order)], -mixing @ shift)

        others = () if self.options.design == "dense" else rivals(given, structure)
        return _Candidate(model(structure), structure, scores, tuple(map(model, others)))

    def _structured(self, white: Sequence[Floats], point: Floats) -> tuple[Structure, tuple[float, ...], Moments]:
        from .leaky_likelihood import Shared

        lens = _lens(point, white[0].shape[1])
        given = moments_of([lens.latents(own) for own in white])
        if self.options.design == "dense":
            order, sharing = tuple(range(given.size)), (Shared.ALL,) * given.size
            return Structure(order, sharing, score(given, order, sharing)), (), given
        most = given.size if self.options.k is None else self.options.k
        found = best_structures(given, most, last=self.options.design == "relaxed")
        return min(found, key=lambda each: each.score), tuple(each.score for each in found), given

    def _likelihood(self, model: LeakyDomains, samples: Sequence[Floats]) -> float:
        """The mean log-density of samples."""
        return float(np.concatenate([model.log_density(place, own) for place, own in enumerate(samples)]).mean())

    def _shaped(self, model: LeakyDomains) -> LeakyDomains:
        """The model as its design has it: in canonical form for `canonical`."""
        if self.options.design != "canonical":
            return model
        base, _ = normalised(model.latents)
        return replace(model, latents=permuted(base, last_order(base))[0])


def _lens(point: Floats, size: int) -> _Lens:
    return _Lens(point[: size * size].reshape(size, size), point[size * size :])


def padded(samples: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Arrays of several lengths as one, `domains cases size`, with weights `domains cases` that sum to 1."""
    longest = max(map(len, samples))
    values = np.zeros((len(samples), longest, samples[0].shape[1]))
    weights = np.zeros((len(samples), longest))
    for place, own in enumerate(samples):
        values[place, : len(own)], weights[place, : len(own)] = own, 1.0
    return values, weights / weights.sum()
