"""Whether two latent models answer every domain counterfactual alike, and whether they have the same distributions.

Zhou et al. (ICLR 2024): models are counterfactually equivalent when all their maps T_{d->e} agree, which is so exactly
when domain-independent invertible h1, h2 exist with g' = g h1^-1 and f'_d = h1 f_d h2; then h1 = g'^-1 g and
h2 = f_0^-1 h1^-1 f'_0 are such a pair.  Canonical forms are not unique, so the maps are compared and never the forms;
since T_{d->e} = T_{0->e} T_{0->d}^-1, those from the first domain suffice.

Distributions are another matter: f_1 = -id has the law of f_1 = id and other counterfactuals, h2 = diag(2, 1, ..) keeps
counterfactuals and changes laws.  For finite models laws are compared exactly.  For linear ones, A_d = G F_d and A'_d
give one law exactly when Q = A_d^-1 A'_d takes one independent noise to the other: means agree; a noise that is not
normal goes to one noise of its own family, with the factor 1, or -1 where its law is symmetric (Darmois 1953,
Skitovich 1953; Comon 1994, theorem 11); and on normal noises Q is orthogonal for their variances.
Models of invertible pieces are compared on random samples, and their answers say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...semantics.latent import exact_linear as linear
from ...semantics.latent.domain_families import Family
from ...semantics.latent.finite_domains import FiniteDomains
from ...semantics.latent.function_domains import FunctionDomains
from ...semantics.latent.linear_domains import LinearDomains, agree, as_floats, counts
from ...semantics.latent.linear_reading import MEANS, law_variance
from ...semantics.latent.smooth_domains import SmoothDomains, drawn, log_density
from ..derivation import Check, Comparison, Images, OtherLaw, SharedMaps

MOST_LISTED = 64
CASES = 2000
DENSITIES = 200
SYMMETRIC = ("Normal", "Laplace", "Logistic", "Uniform")
AGREE = 1e-6

Sample: TypeAlias = tuple[tuple[str, str], ...]
Continuous: TypeAlias = SmoothDomains | LinearDomains | FunctionDomains


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, with its witness; `reason` where the two cannot be compared at all."""

    counterfactual: bool
    distribution: bool
    witness: Comparison | None
    check: Check | None
    reason: str | None = None


def equivalent(first: Family, second: Family, names: tuple[str, str]) -> Verdict:
    """Compare two models over the same domains.  Every witness is verified before it is given."""
    if set(first.observed) != set(second.observed):
        missing = sorted(set(first.observed) ^ set(second.observed))
        return Verdict(False, False, None, None, f"they observe other variables: only one has {', '.join(missing)}")
    match first, second:
        case FiniteDomains(), FiniteDomains():
            return _finite(first, second, names)
        case LinearDomains(), LinearDomains():
            return _linear(first, _in_order(second, first.observed), names)
        case (
            (SmoothDomains() | LinearDomains() | FunctionDomains()),
            (SmoothDomains() | LinearDomains() | FunctionDomains()),
        ):
            return _smooth(first, second, names)
        case _:
            return Verdict(False, False, None, None, "one is finite and the other is not")


# ---------------------------------------------------------------------------------------------------------------------
# Linear models


def _in_order(model: LinearDomains, observed: Sequence[str]) -> LinearDomains:
    from dataclasses import replace

    places = [model.observed.index(name) for name in observed]
    return replace(model, observed=tuple(observed), observation=model.observation[places], offset=model.offset[places])


def _linear(first: LinearDomains, second: LinearDomains, names: tuple[str, str]) -> Verdict:
    if first.exact != second.exact:
        first, second = as_floats(first), as_floats(second)
    images = _linear_images(first, second, names)
    laws = [_linear_law(first, second, domain, names) for domain in range(len(first.domains))]
    other = next((law for law in laws if law is not None), None)
    exact = first.exact and second.exact
    if images is not None:
        check = Check(2, 0.0, None, "the images were computed twice, through the matrices and through the noise")
        return Verdict(False, other is None, Comparison(images, other), check)
    maps, error = _linear_maps(first, second)
    shown = Comparison(SharedMaps(*maps, keeps_law=other is None), other)
    how = f"g' h1 = g and f'[d] = h1 f[d] h2 in {len(first.domains)} domains, {'exactly' if exact else 'in floats'}"
    return Verdict(True, other is None, shown, Check(2, error, None, how))


def _linear_images(first: LinearDomains, second: LinearDomains, names: tuple[str, str]) -> Images | None:
    """A sample whose images differ: zero, or a unit vector."""
    for domain in range(1, len(first.domains)):
        (A, a), (B, b) = first.transport(0, domain), second.transport(0, domain)
        if agree(A, B) and agree(a, b):
            continue
        zero = linear.vector([0] * first.size) if linear.is_exact(A) else np.zeros(first.size)
        units = [zero, *linear.identity(first.size, linear.is_exact(A))]
        best = max(units, key=lambda x: max(abs(entry) for entry in (A - B) @ x + a - b))
        start, end = first.domains[0], first.domains[domain]
        both = [_through_noise(model, best, domain) for model in (first, second)]
        for model, image in zip((first, second), both, strict=True):
            change, constant = model.transport(0, domain)
            assert agree(change @ best + constant, image)
        return Images(_written(first, best), start, end, names, (_written(first, both[0]), _written(first, both[1])))
    return None


def _through_noise(model: LinearDomains, sample: Any, domain: int) -> Any:
    """The counterfactual by hand: recover latents, recover noise, make latents anew, look at them."""
    latents = model.recovering @ (sample - model.offset)
    noise = model.inverses[0] @ (latents - model.shifts[0])
    return model.observation @ (model.mechanisms[domain] @ noise + model.shifts[domain]) + model.offset


def _written(model: LinearDomains, values: Any) -> Sample:
    return tuple((name, linear.text(value)) for name, value in zip(model.observed, values, strict=True))


def _linear_maps(first: LinearDomains, second: LinearDomains) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], float]:
    """h1 and h2 (with their constants) in words, and the largest error of what they must satisfy."""
    h1 = linear.product(second.recovering, first.observation)
    s1 = second.recovering @ (first.offset - second.offset)
    back = linear.product(first.inverses[0], linear.inverse(h1))
    h2 = linear.product(back, second.mechanisms[0])
    s2 = back @ (second.shifts[0] - s1) - first.inverses[0] @ first.shifts[0]
    gaps = [
        linear.product(second.observation, h1) - first.observation,
        second.observation @ s1 + second.offset - first.offset,
    ]
    for domain in range(len(first.domains)):
        own = first.mechanisms[domain]
        gaps.append(linear.product(h1, own, h2) - second.mechanisms[domain])
        gaps.append(h1 @ (own @ s2 + first.shifts[domain]) + s1 - second.shifts[domain])
    error = max(abs(float(entry)) for gap in gaps for entry in np.asarray(gap).flat)
    latents = _map_text(second.nodes, h1, first.nodes, s1)
    noise = _map_text([f"e_{n}" for n in first.nodes], h2, [f"e'_{n}" for n in second.nodes], s2)
    return (latents, noise), error


def _map_text(targets: Sequence[str], matrix: Any, sources: Sequence[str], constant: Any) -> tuple[str, ...]:
    made: list[str] = []
    for target, row, shift in zip(targets, matrix, constant, strict=True):
        terms = [
            source if entry == 1 else f"-{source}" if entry == -1 else f"{linear.text(entry)}*{source}"
            for entry, source in zip(row, sources, strict=True)
            if counts(entry)
        ]
        terms += [linear.text(shift)] if counts(shift) or not terms else []
        made.append(f"{target} = {' + '.join(terms)}".replace("+ -", "- "))
    return tuple(made)


def _linear_law(first: LinearDomains, second: LinearDomains, domain: int, names: tuple[str, str]) -> OtherLaw | None:
    """What tells the laws of two models in a domain apart; None where they are one."""
    name = first.domains[domain]
    means = first.mean(domain), second.mean(domain)
    if not agree(*means):
        return _first_entry(name, "the mean of {0}", first.observed, means, names)
    spreads = first.covariance(domain), second.covariance(domain)
    if not agree(*spreads):
        return _first_entry(name, "the covariance of {0} and {1}", first.observed, spreads, names)
    if _same_noises(first, second, linear.product(linear.inverse(first.mixing(domain)), second.mixing(domain))):
        return None
    what = "the noise behind it, up to what a law determines,"
    kinds = tuple(", ".join(law.family for law in model.laws) for model in (first, second))
    return OtherLaw(name, what, names, (kinds[0], kinds[1]))


def _first_entry(
    domain: str, what: str, observed: Sequence[str], pair: tuple[Any, Any], names: tuple[str, str]
) -> OtherLaw:
    left, right = pair
    place = np.unravel_index(int(np.argmax(np.abs(linear.floats(left) - linear.floats(right)))), left.shape)
    text = what.format(*(observed[int(axis)] for axis in place))
    return OtherLaw(domain, text, names, (linear.text(left[place]), linear.text(right[place])))


def _same_noises(first: LinearDomains, second: LinearDomains, mixing: Any) -> bool:
    """Whether `mixing` of the second model's noises has the law of the first one's, covariances being equal."""
    for column, law in enumerate(second.laws):
        if law.family == "Normal":
            continue
        rows = [row for row in range(first.size) if counts(mixing[row, column])]
        if len(rows) != 1 or first.laws[rows[0]] != law:
            return False
        factor = float(mixing[rows[0], column])
        if not (abs(factor - 1) < 1e-9 or (abs(factor + 1) < 1e-9 and law.family in SYMMETRIC)):
            return False
        if any(counts(mixing[rows[0], other]) for other in range(second.size) if other != column):
            return False
    others = [law.family for law in first.laws if law.family != "Normal"]
    return len(others) == sum(law.family != "Normal" for law in second.laws)


# ---------------------------------------------------------------------------------------------------------------------
# Finite models


def _finite(first: FiniteDomains, second: FiniteDomains, names: tuple[str, str]) -> Verdict:
    second = _aligned(second, first)
    laws = [_finite_law(first, second, domain, names) for domain in range(len(first.domains))]
    other = next((law for law in laws if law is not None), None)
    if first.labels != second.labels:
        return Verdict(False, False, None, None, "their observed variables have other values")
    images = _finite_images(first, second, names)
    if images is not None:
        check = Check(2, 0.0, None, "every observation was followed through both models")
        return Verdict(False, other is None, Comparison(images, other), check)
    h1 = second.recovering[first.observation]
    back = np.argsort(h1)
    h2 = first.inverses[0][back[second.mechanisms[0]]]
    sound = (second.observation[h1] == first.observation).all() and all(
        (h1[first.mechanisms[d][h2]] == second.mechanisms[d]).all() for d in range(len(first.domains))
    )
    assert sound, "the witness does not hold"
    maps = SharedMaps(
        tuple(_state_map(first, second, h1, "", "")), tuple(_state_map(second, first, h2, "e'_", "e_")), other is None
    )
    how = f"g' h1 = g and f'[d] = h1 f[d] h2 in {len(first.domains)} domains, at all {first.states} states"
    return Verdict(True, other is None, Comparison(maps, other), Check(2, 0.0, None, how))


def _aligned(model: FiniteDomains, like: FiniteDomains) -> FiniteDomains:
    """The model with observed variables in the order of another, and labels where they are the same set."""
    from dataclasses import replace

    own = np.unravel_index(model.observation, tuple(map(len, model.labels)))
    places = [model.observed.index(name) for name in like.observed]
    labels, columns = list[tuple[str, ...]](), list[Any]()
    for place, wanted in zip(places, like.labels, strict=True):
        given = model.labels[place]
        if set(given) == set(wanted):
            columns.append(np.array([wanted.index(label) for label in given])[own[place]])
            labels.append(wanted)
        else:
            columns.append(own[place])
            labels.append(given)
    observation = np.ravel_multi_index(tuple(columns), tuple(map(len, labels)))
    return replace(model, observed=like.observed, labels=tuple(labels), observation=observation)


def _finite_images(first: FiniteDomains, second: FiniteDomains, names: tuple[str, str]) -> Images | None:
    for domain in range(len(first.domains)):
        one, two = first.transport(0, domain), second.transport(0, domain)
        different = np.flatnonzero(one != two)
        if len(different):
            seen = int(different[0])
            both = tuple(_labelled(first, int(image[seen])) for image in (one, two))
            start, end = first.domains[0], first.domains[domain]
            return Images(_labelled(first, seen), start, end, names, (both[0], both[1]))
    return None


def _labelled(model: FiniteDomains, number: int) -> Sample:
    if number < 0:
        return (("it", "cannot be observed"),)
    return tuple(zip(model.observed, model.sample(number), strict=True))


def _state_map(source: FiniteDomains, target: FiniteDomains, states: Any, left: str, right: str) -> Iterator[str]:
    """A permutation of states as lines `(nodes of the source) -> (nodes of the target)`."""
    names = f"({', '.join(left + n for n in source.nodes)}) to ({', '.join(right + n for n in target.nodes)})"
    if len(states) > MOST_LISTED:
        yield f"{names}: a permutation of {len(states)} states"
        return
    before, after = source.digits(np.arange(len(states))).T, target.digits(states).T
    pairs = zip(before.tolist(), after.tolist(), strict=True)
    yield f"{names}: " + " ".join(f"{''.join(map(str, a))}:{''.join(map(str, b))}" for a, b in pairs)


def _finite_law(first: FiniteDomains, second: FiniteDomains, domain: int, names: tuple[str, str]) -> OtherLaw | None:
    one, two = first.law(domain), second.law(domain)
    for number in sorted({*one, *two}):
        left, right = one.get(number, 0), two.get(number, 0)
        if left != right and _differ(left, right):
            seen = ", ".join(f"{name} = {label}" for name, label in _labelled(first, number))
            return OtherLaw(first.domains[domain], f"P({seen})", names, (str(left), str(right)))
    return None


def _differ(left: Any, right: Any) -> bool:
    """Whether two closed forms differ, once simplified."""
    gap: Any = left - right
    if hasattr(gap, "free_symbols"):
        import sympy

        return sympy.simplify(gap) != 0
    return gap != 0


# ---------------------------------------------------------------------------------------------------------------------
# Models of invertible pieces


def _seen(model: Family, domain: int, noise: Any) -> Any:
    if isinstance(model, (SmoothDomains, FunctionDomains)):
        return model.seen(domain, noise)
    assert isinstance(model, LinearDomains)
    scale, means = _scales(model)
    return ((noise - means) * scale) @ linear.floats(model.mixing(domain)).T + linear.floats(model.mean(domain))


def moved(model: Family, start: int, end: int, seen: Any) -> Any:
    """Samples of one domain, `cases observed`, in another; nan where no noise gives them."""
    if isinstance(model, (SmoothDomains, FunctionDomains)):
        return model.transport(start, end, seen)
    assert isinstance(model, LinearDomains)
    change, constant = model.transport(start, end)
    return seen @ linear.floats(change).T + linear.floats(constant)


def _smooth(first: Continuous, second: Continuous, names: tuple[str, str]) -> Verdict:
    with np.errstate(all="ignore"):
        return _on_samples(first, second, names)


def _on_samples(first: Continuous, second: Continuous, names: tuple[str, str]) -> Verdict:
    """Counterfactuals of random samples side by side, then densities."""
    order = [second.observed.index(name) for name in first.observed]
    back = np.argsort(order)
    noise = drawn(first.laws, CASES, 21)
    worst = 0.0
    images: Images | None = None
    for domain in range(1, len(first.domains)):
        seen = _seen(first, 0, noise)
        one = moved(first, 0, domain, seen)
        two = moved(second, 0, domain, seen[:, back])[:, order]
        gaps = np.abs(one - two).max(axis=1) / (1 + np.abs(one).max(axis=1))
        gaps = np.where(np.isfinite(one).all(axis=1), np.nan_to_num(gaps, nan=np.inf), 0.0)
        size = float(np.quantile(gaps, 0.98))
        worst = max(worst, size)
        if size > AGREE and images is None:
            place = int(np.argmax(np.where(gaps > AGREE, -np.abs(seen).sum(axis=1), -np.inf)))
            shown = [_decimal(first.observed, row[place]) for row in (seen, one, two)]
            images = Images(shown[0], first.domains[0], first.domains[domain], names, (shown[1], shown[2]))
    other = _smooth_law(first, second, names, order)
    how = f"compared on {CASES} random samples and {DENSITIES} densities a domain: evidence, not a proof"
    check = Check(2, worst, None, how)
    if images is not None:
        return Verdict(False, other is None, Comparison(images, other), check)
    return Verdict(True, other is None, Comparison(None, other), check)


def _decimal(names: Sequence[str], values: Any) -> Sample:
    return tuple((name, f"{float(value):.10g}") for name, value in zip(names, values, strict=True))


def _smooth_law(first: Continuous, second: Continuous, names: tuple[str, str], order: Any) -> OtherLaw | None:
    """A sample at which the log densities differ, by the change of variables with numerical derivatives."""
    for domain, name in enumerate(first.domains):
        seen = _seen(first, domain, drawn(first.laws, DENSITIES, 31))
        one = _density(first, domain, seen)
        two = _density(second, domain, seen[:, np.argsort(order)])
        gaps = np.where(np.isfinite(one), np.nan_to_num(np.abs(one - two), nan=np.inf), 0.0)
        # A derivative taken across a kink is wrong, and few are.
        if (gaps > 1e-3 * (1 + np.abs(one))).mean() > 0.03:
            place = int(np.argmax(gaps > 1e-3 * (1 + np.abs(one))))
            case = ", ".join(f"{n} = {v}" for n, v in _decimal(first.observed, seen[place]))
            return OtherLaw(name, f"the log density at {case}", names, (f"{one[place]:.6g}", f"{two[place]:.6g}"))
    return None


def _density(model: Continuous, domain: int, seen: Any) -> Any:
    noise = _noise(model, domain, seen)
    slopes = np.empty((len(seen), seen.shape[1], seen.shape[1]))
    for column in range(seen.shape[1]):
        step = 1e-6 * (1 + np.abs(seen[:, column]))
        moved = [seen.copy(), seen.copy()]
        moved[0][:, column] += step
        moved[1][:, column] -= step
        ends = [_noise(model, domain, each) for each in moved]
        slopes[:, :, column] = (ends[0] - ends[1]) / (2 * step)[:, None]
    sound = np.isfinite(slopes).all(axis=(1, 2))
    volume = np.full(len(seen), np.nan)
    volume[sound] = np.linalg.slogdet(slopes[sound])[1]
    return sum(log_density(law, noise[:, place]) for place, law in enumerate(model.laws)) + volume


def _noise(model: Continuous, domain: int, seen: Any) -> Any:
    """The standard noises behind samples."""
    if isinstance(model, (SmoothDomains, FunctionDomains)):
        return model.noise(domain, seen)
    back = linear.floats(linear.inverse(model.mixing(domain)))
    scale, means = _scales(model)
    return (seen - linear.floats(model.mean(domain))) @ back.T / scale + means


def _scales(model: LinearDomains) -> tuple[Any, Any]:
    """What a linear model's noises are as multiples of standard ones, and the means of those."""
    variances = [float(own) / float(law_variance(law)) for own, law in zip(model.variances, model.laws, strict=True)]
    means = [float(MEANS.get(law.family, 0)) for law in model.laws]
    return np.sqrt(np.array(variances)), np.array(means)
