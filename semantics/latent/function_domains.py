"""Latent models given as JAX functions: f_d from noises to latents in each domain, g from latents to what is seen.

f_d is autoregressive: latent j depends on noises 1..j and rises, or falls, with noise j.  g is a bijection between
vectors of one length.  Neither needs to come with its inverse: f_d is undone coordinate by coordinate, by bisection on
noise j once the noises before it are known; g by damped Newton steps, unless an inverse is given.  All of it is
vectorised over samples and compiled once.

What can be checked of functions is checked on random noises: that derivatives of f_d are lower triangular with a
diagonal of one sign, that the determinant of g's derivative keeps its sign, and that what is seen gives the noise back.
The message names the latent and the domain.  A check on samples is evidence, not a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ..networks.devices import precision
from .latent_worlds import NORMAL, Noise

Floats: TypeAlias = Any
Function: TypeAlias = Callable[[Any], Any]
"""A JAX function of one vector."""

CASES = 256
BISECTIONS = 70
DOUBLINGS = 30
NEWTON = 40
HALVINGS = 8
TOLERANCE = 1e-6
LEAST_SLOPE = 1e-12
MOST_SLOPES = 4_000_000
"""Entries of all derivatives that a check looks at, for 16 samples or more."""


@dataclass(frozen=True)
class FunctionDomains:
    """A latent model of functions: `mechanisms` are the f_d, `observation` is g, `recovering` its inverse if known.

    `observed` and `nodes` name what is seen and the latents; noises are standard normal.  `compiled` is shared by a
    model and what it is in some of its domains.
    """

    observed: tuple[str, ...]
    nodes: tuple[str, ...]
    domains: tuple[str, ...]
    mechanisms: tuple[Function, ...]
    observation: Function
    recovering: Function | None = None
    undone: tuple[Function | None, ...] = ()
    compiled: dict[object, Function] = field(default_factory=dict, compare=False, repr=False)

    @property
    def size(self) -> int:
        """The number of latents."""
        return len(self.nodes)

    @property
    def laws(self) -> tuple[Noise, ...]:
        """The laws of the noises."""
        return (NORMAL,) * self.size

    @property
    def numerical(self) -> tuple[str, ...]:
        """What is inverted numerically, in words."""
        undone = self.undone or (None,) * len(self.domains)
        found = [f"the mechanisms of {domain}" for domain, own in zip(self.domains, undone, strict=True) if own is None]
        return (*found, *(() if self.recovering else ("the observation",)))

    def position(self, domain: str) -> int:
        """The place of a domain."""
        return self.domains.index(domain)

    def within(self, domains: Sequence[str]) -> FunctionDomains:
        """The model in some of its domains, in the order given."""
        places = [self.position(domain) for domain in domains]
        undone = tuple(self.undone[place] for place in places) if self.undone else ()
        kept = tuple(self.mechanisms[place] for place in places)
        return replace(self, domains=tuple(domains), mechanisms=kept, undone=undone)

    def seen(self, domain: int, noise: Floats) -> Floats:
        """What is seen, `cases size`, from noises of the same shape."""
        own = self.mechanisms[domain]
        return self.rows(("seen", own), lambda e: self.observation(own(e)), noise)

    def latents(self, seen: Floats) -> Floats:
        """The latents behind what is seen; nan where none is found."""
        return self.rows("latents", self.recovering or _newton(self.observation), seen)

    def noise(self, domain: int, seen: Floats) -> Floats:
        """The noises behind what is seen in a domain; nan where none is found."""
        return self.rows(self._undoing(domain), self.back(domain), self.latents(seen))

    def transport(self, start: int, end: int, seen: Floats) -> Floats:
        """What samples of one domain, `cases size`, would have been in another."""
        return self.seen(end, self.noise(start, seen))

    def counterfactual(self, sample: Sequence[Any], start: str, end: str) -> tuple[float, ...] | None:
        """What one sample would have been in another domain; None where no noise is found that gives the sample."""
        seen = np.array([[float(value) for value in sample]])
        noise = self.noise(self.position(start), seen)
        again = self.seen(self.position(start), noise)
        if not np.isfinite(noise).all() or not np.allclose(again, seen, rtol=1e-6, atol=1e-8):
            return None
        return tuple(float(value) for value in self.seen(self.position(end), noise)[0])

    def back(self, domain: int) -> Function:
        """f_d^-1 as a JAX function."""
        given = self.undone[domain] if self.undone else None
        return given or _bisected(self.mechanisms[domain], self.size)

    def _undoing(self, domain: int) -> object:
        return "noise", self.mechanisms[domain], self.undone[domain] if self.undone else None

    def rows(self, key: object, function: Function, values: Floats) -> Floats:
        """A function on every row of a matrix, in float64; compiled once, for so many rows as a check has."""
        import jax

        given = np.asarray(values, dtype=np.float64)
        with precision():
            if key not in self.compiled:
                self.compiled[key] = jax.jit(jax.vmap(function))
            made = [self._some(key, given[begin : begin + CASES]) for begin in range(0, max(len(given), 1), CASES)]
        return np.concatenate(made)

    def _some(self, key: object, rows: Floats) -> Floats:
        filled = np.zeros((CASES, rows.shape[1]))
        filled[: len(rows)] = rows
        return np.asarray(self.compiled[key](filled))[: len(rows)]

    def intervened(self) -> tuple[str, ...]:
        """The latents whose mechanism differs from the first domain's: where f_0^-1 f_d moves a noise."""
        noise = standard(self.size)
        moved: set[int] = set()
        for domain in range(1, len(self.domains)):
            latents = self.rows(self.mechanisms[domain], self.mechanisms[domain], noise)
            again = self.rows(self._undoing(0), self.back(0), latents)
            off = np.abs(again - noise) > TOLERANCE * (1 + np.abs(noise))
            moved |= {place for place in range(self.size) if off[:, place].mean() > 0.02}
        return tuple(self.nodes[place] for place in sorted(moved))


def function_domains(
    mechanisms: Mapping[str, Function],
    observation: Function,
    size: int,
    recovering: Function | None = None,
    inverses: Mapping[str, Function] | None = None,
    observed: Sequence[str] | None = None,
    latents: Sequence[str] | None = None,
) -> FunctionDomains:
    """The latent model of some JAX functions, checked on random standard normal noises.

    `mechanisms` map noises of length `size` to latents, one a domain; `observation` maps latents to what is seen;
    `recovering` and `inverses` are their inverses where known; names are X1 .. and Z1 .. where none are given.  Raises
    `SutureError` S461 where a function is not autoregressive or not invertible, naming latent and domain, S103 where an
    inverse belongs to no domain.
    """
    from .linear_matrices import given_names

    for domain in inverses or {}:
        if domain not in mechanisms:
            help = did_you_mean(domain, list(mechanisms)) or f"there is {one_of(list(mechanisms))}"
            raise SutureError(Diagnostic("S103", f"an inverse is given for '{domain}', which is no domain", help=help))
    undone = tuple((inverses or {}).get(domain) for domain in mechanisms)
    names = given_names(observed, "X", size), given_names(latents, "Z", size)
    model = FunctionDomains(*names, tuple(mechanisms), tuple(mechanisms.values()), observation, recovering, undone)
    if not mechanisms:
        raise _refused("there is no domain", "give mechanisms, one function a domain")
    noise = standard(size, cases=int(np.clip(MOST_SLOPES // size**2, 16, CASES)))
    for place in range(len(model.domains)):
        _triangular(model, place, noise)
        _recovered(model, place, noise)
    return model


def standard(size: int, seed: int = 17, cases: int = CASES) -> Floats:
    """Standard normal noises, `cases size`."""
    return np.random.default_rng(seed).normal(size=(cases, size))


def canonical_functions(model: FunctionDomains, names: Mapping[str, str] | None = None) -> FunctionDomains:
    """The canonical form: latents are the first domain's noises, intervened ones last, f'_d = P f_0^-1 f_d P^-1.

    `names` says what the noise of each latent is called; U_Z1 for Z1 where it is not given.  What stays fixed is the
    identity by construction, not by calculation.
    """
    import jax.numpy as jnp

    moved = [model.nodes.index(node) for node in model.intervened()]
    order = np.array([*(place for place in range(model.size) if place not in moved), *moved], dtype=int)
    place_of = np.argsort(order)
    fixed = np.isin(order, np.array(moved, dtype=int), invert=True)
    named = [model.nodes[place] for place in order]
    nodes = tuple(f"U_{name}" if names is None else names[name] for name in named)
    back = model.back(0)

    def mechanism(domain: int) -> Function:
        def apply(noise: Any) -> Any:
            made = back(model.mechanisms[domain](noise[place_of]))[order]
            return jnp.where(fixed, noise, made)

        def identity(noise: Any) -> Any:
            return noise

        return apply if domain else identity

    def undo(domain: int) -> Function:
        def apply(latents: Any) -> Any:
            made = model.back(domain)(model.mechanisms[0](latents[place_of]))[order]
            return jnp.where(fixed, latents, made)

        return apply

    def observation(latents: Any) -> Any:
        return model.observation(model.mechanisms[0](latents[place_of]))

    def recovering(seen: Any) -> Any:
        latents = (model.recovering or _newton(model.observation))(seen)
        return back(latents)[order]

    places = range(len(model.domains))
    return FunctionDomains(
        model.observed,
        nodes,
        model.domains,
        tuple(map(mechanism, places)),
        observation,
        recovering,
        tuple(map(undo, places)),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Inverses


def _bisected(mechanism: Function, size: int) -> Function:
    """The inverse of an autoregressive function, coordinate after coordinate."""
    import jax
    import jax.numpy as jnp

    def inverse(latents: Any) -> Any:
        def coordinate(place: Any, noise: Any) -> Any:
            def at(value: Any) -> Any:
                return mechanism(noise.at[place].set(value))[place]

            sense = jnp.where(at(1.0) >= at(-1.0), 1.0, -1.0)

            def over(value: Any) -> Any:
                return sense * (at(value) - latents[place]) > 0

            def widened(_: Any, ends: Any) -> Any:
                low, high = ends
                return jnp.where(over(low), 2 * low, low), jnp.where(over(high), high, 2 * high)

            def halved(_: Any, ends: Any) -> Any:
                low, high = ends
                middle = (low + high) / 2
                return jnp.where(over(middle), low, middle), jnp.where(over(middle), middle, high)

            ends = jax.lax.fori_loop(0, DOUBLINGS, widened, (jnp.asarray(-1.0), jnp.asarray(1.0)))
            low, high = jax.lax.fori_loop(0, BISECTIONS, halved, ends)
            found = (low + high) / 2
            close = jnp.abs(at(found) - latents[place]) <= TOLERANCE * (1 + jnp.abs(latents[place]))
            return noise.at[place].set(jnp.where(close, found, jnp.nan))

        return jax.lax.fori_loop(0, size, coordinate, jnp.zeros_like(latents))

    return inverse


def _newton(observation: Function) -> Function:
    """The inverse of a bijection by damped Newton steps from zero; nan where they do not settle."""
    import jax
    import jax.numpy as jnp

    slope = jax.jacfwd(observation)

    def inverse(seen: Any) -> Any:
        def gap(latents: Any) -> Any:
            return jnp.linalg.norm(observation(latents) - seen)

        def step(_: Any, latents: Any) -> Any:
            move = jnp.linalg.solve(slope(latents), observation(latents) - seen)
            tried = jnp.stack([latents - move * 0.5**power for power in range(HALVINGS)])
            gaps = jax.vmap(gap)(tried)
            best = tried[jnp.nanargmin(jnp.where(jnp.isfinite(gaps), gaps, jnp.inf))]
            return jnp.where(gap(latents) == 0, latents, best)

        found = jax.lax.fori_loop(0, NEWTON, step, jnp.zeros_like(seen))
        settled = gap(found) <= TOLERANCE * (1 + jnp.linalg.norm(seen))
        return jnp.where(settled, found, jnp.nan)

    return inverse


# ---------------------------------------------------------------------------------------------------------------------
# Checks


def _triangular(model: FunctionDomains, domain: int, noise: Floats) -> None:
    import jax

    with precision():
        slopes = np.asarray(jax.jit(jax.vmap(jax.jacfwd(model.mechanisms[domain])))(noise))
    if slopes.shape[1:] != (model.size, model.size):
        raise _refused(f"f in {model.domains[domain]} gives {slopes.shape[1]} latents from {model.size} noises", None)
    for place in range(model.size):
        later = np.abs(slopes[:, place, place + 1 :])
        if later.size and later.max() > LEAST_SLOPE * np.abs(slopes).max():
            other = place + 1 + int(np.argmax(later.max(axis=0)))
            own, later_one = model.nodes[place], model.nodes[other]
            text = f"{own} in domain {model.domains[domain]} depends on the noise of {later_one}, which comes after it"
            raise _refused(text, "a latent may depend on its own noise and those before it alone")
        own = slopes[:, place, place]
        if not (np.all(own > LEAST_SLOPE) or np.all(own < -LEAST_SLOPE)):
            case = noise[int(np.argmin(np.abs(own)))]
            shown = ", ".join(f"{value:.4g}" for value in case)
            text = (
                f"{model.nodes[place]} in domain {model.domains[domain]} is not invertible in its noise near ({shown})"
            )
            raise _refused(text, "it must rise all along with its noise, or fall all along")


def _recovered(model: FunctionDomains, domain: int, noise: Floats) -> None:
    seen = model.seen(domain, noise)
    if seen.shape != noise.shape:
        raise _refused(f"what is seen has {seen.shape[1]} entries, and there are {model.size} latents", None)
    latents = model.latents(seen)
    wanted = model.rows(model.mechanisms[domain], model.mechanisms[domain], noise)
    if (np.abs(latents - wanted) <= TOLERANCE * (1 + np.abs(wanted))).all(axis=1).mean() < 0.98:
        text = f"the latents cannot be recovered from what is seen in domain {model.domains[domain]}"
        raise _refused(text, "the observation must be a bijection; give its inverse where Newton's method fails")
    again = model.noise(domain, seen)
    off = np.abs(again - noise) > 10 * TOLERANCE * (1 + np.abs(noise))
    if off.any(axis=1).mean() > 0.02:
        place = int(np.argmax(off.mean(axis=0)))
        raise _refused(f"the noise of {model.nodes[place]} cannot be recovered in {model.domains[domain]}", None)


def _refused(text: str, help: str | None) -> SutureError:
    return SutureError(Diagnostic("S461", text, None, "", help))


# ---------------------------------------------------------------------------------------------------------------------
# Equivalence


@dataclass(frozen=True, slots=True)
class Difference:
    """A sample of the first domain and its two images in another, and by how much they differ at most (relative)."""

    domain: str
    sample: tuple[float, ...]
    images: tuple[tuple[float, ...], tuple[float, ...]]
    gap: float


def difference(first: FunctionDomains, second: FunctionDomains, cases: int = 1000) -> Difference | float:
    """Where two models of one size and the same domains answer differently on random samples; else the largest gap.

    Raises `ValueError` where sizes or domains differ.
    """
    if first.size != second.size or first.domains != second.domains:
        raise ValueError("two models are compared over the same domains and observations of one length")
    seen = first.seen(0, standard(first.size, 23, cases))
    worst = 0.0
    for place, domain in enumerate(first.domains[1:], 1):
        one, two = first.transport(0, place, seen), second.transport(0, place, seen)
        gaps = np.abs(one - two).max(axis=1) / (1 + np.abs(one).max(axis=1))
        gaps = np.where(np.isfinite(one).all(axis=1), np.nan_to_num(gaps, nan=np.inf), 0.0)
        worst = max(worst, float(np.quantile(gaps, 0.98)))
        if worst > TOLERANCE * 10:
            case = int(np.argsort(gaps)[int(0.98 * len(gaps))])
            images = _row(one, case), _row(two, case)
            return Difference(domain, _row(seen, case), images, float(gaps[case]))
    return worst


def _row(values: Floats, case: int) -> tuple[float, ...]:
    return tuple(float(value) for value in values[case])
