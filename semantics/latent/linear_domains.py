"""Linear and affine latent models: one invertible observation, in each domain an autoregressive affine map of noise.

    z = F_d e + b_d        x = G z + c        e independent, with the variances `variances`

Zhou et al. (ICLR 2024).  Entries are Fractions where the model is rational, floats otherwise.  What is computed:

    counterfactual   T_{d->e} x = G F_e F_d^-1 G^-1 (x - c - G b_d) + G b_e + c
    canonical form   interventions last: M_d = F_0^-1 F_d, then F'_d = P M_d P^T, b'_d = P F_0^-1 (b_d - b_0),
                     G' = G F_0 P^T, c' = G b_0 + c; it keeps counterfactuals and, noises being only renamed, laws
    minimal k        the rank of [M_d - I | F_0^-1 (b_d - b_0)] over all d, attained by an orthogonal change of basis

The last is proved so.  Every T_{0->d} - id has its image, moved by G' to the canonical coordinates, inside V, the span
of those columns; a model with k intervened nodes has images of dimension k at most, hence k >= dim V.  Lower triangular
M_d keep each W_i, the span of the coordinates from i on, and keep V, hence each V & W_i.  A basis orthogonal for the
noise's law, adapted to this flag of V and then extended, makes every M_d lower triangular with identity rows outside V.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from . import exact_linear as linear
from .exact_linear import Matrix
from .latent_worlds import NORMAL, Noise

AGREE = 1e-9
"""Floats agree up to this, relative to their size; Fractions agree exactly."""


@dataclass(frozen=True)
class LinearDomains:
    """A linear latent model: `mechanisms` are the F_d, `shifts` the b_d, one a domain, in the order of `nodes`."""

    observed: tuple[str, ...]
    nodes: tuple[str, ...]
    domains: tuple[str, ...]
    observation: Matrix
    offset: Matrix
    mechanisms: tuple[Matrix, ...]
    shifts: tuple[Matrix, ...]
    laws: tuple[Noise, ...]
    variances: tuple[Any, ...]

    @property
    def size(self) -> int:
        """The number of latents, which is that of observed variables."""
        return len(self.nodes)

    @cached_property
    def exact(self) -> bool:
        """Whether all entries are Fractions."""
        arrays = (self.observation, self.offset, *self.mechanisms, *self.shifts)
        return all(linear.is_exact(array) for array in arrays if array.size)

    @cached_property
    def recovering(self) -> Matrix:
        """The inverse of the observation."""
        return linear.inverse(self.observation)

    @cached_property
    def inverses(self) -> tuple[Matrix, ...]:
        """The inverse of each F_d."""
        return tuple(map(linear.inverse, self.mechanisms))

    @cached_property
    def relative(self) -> tuple[tuple[Matrix, Matrix], ...]:
        """M_d and F_0^-1 (b_d - b_0): each domain seen from the first."""
        back = self.inverses[0]
        return tuple(
            (linear.product(back, own), linear.product(back, shift - self.shifts[0])) for own, shift in self._pairs
        )

    @property
    def _pairs(self) -> tuple[tuple[Matrix, Matrix], ...]:
        return tuple(zip(self.mechanisms, self.shifts, strict=True))

    def position(self, domain: str) -> int:
        """The place of a domain."""
        return self.domains.index(domain)

    def transport(self, start: int, end: int) -> tuple[Matrix, Matrix]:
        """The counterfactual map from one domain to another as a matrix and a constant: x becomes `A x + a`."""
        change = linear.product(self.observation, self.mechanisms[end], self.inverses[start], self.recovering)
        origin = self.observation @ self.shifts[start] + self.offset
        target = self.observation @ self.shifts[end] + self.offset
        return change, target - change @ origin

    def counterfactual(self, sample: Sequence[Any], start: str, end: str) -> tuple[Any, ...]:
        """What a sample of one domain would have been in another."""
        change, constant = self.transport(self.position(start), self.position(end))
        return tuple(change @ linear.vector(list(sample)) + constant)

    def mean(self, domain: int) -> Matrix:
        """The mean of what is seen in a domain, noises having mean zero."""
        return self.observation @ self.shifts[domain] + self.offset

    def mixing(self, domain: int) -> Matrix:
        """G F_d: what each noise adds to what is seen."""
        return linear.product(self.observation, self.mechanisms[domain])

    def covariance(self, domain: int) -> Matrix:
        """The covariance of what is seen in a domain, noises having the variances given."""
        mixing = self.mixing(domain)
        return linear.product(mixing * np.array(self.variances, dtype=mixing.dtype), mixing.T)

    def reads(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that each node reads in some domain."""
        return tuple(
            tuple(other for other in range(place) if any(counts(own[place, other]) for own in self.inverses))
            for place in range(self.size)
        )

    def sees(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that each observed variable depends on."""
        return tuple(tuple(place for place in range(self.size) if counts(row[place])) for row in self.observation)

    def renamed(self, nodes: tuple[str, ...]) -> LinearDomains:
        """The model with other names for its nodes."""
        return replace(self, nodes=nodes)

    def intervened(self) -> tuple[str, ...]:
        """The nodes whose mechanism, as a function of the nodes before it, differs between some domains."""
        rows = [
            np.concatenate([back, -(back @ b)[:, None]], 1) for back, b in zip(self.inverses, self.shifts, strict=True)
        ]
        return tuple(
            node for place, node in enumerate(self.nodes) if any(not agree(row[place], rows[0][place]) for row in rows)
        )


def uniform(model: LinearDomains) -> LinearDomains:
    """The model with floats throughout, where any of its arrays holds floats."""
    arrays = (model.observation, model.offset, *model.mechanisms, *model.shifts)
    return model if all(linear.is_exact(array) for array in arrays if array.size) else as_floats(model)


def as_floats(model: LinearDomains) -> LinearDomains:
    """The model with float64 entries."""
    return replace(
        model,
        observation=linear.floats(model.observation),
        offset=linear.floats(model.offset),
        mechanisms=tuple(map(linear.floats, model.mechanisms)),
        shifts=tuple(map(linear.floats, model.shifts)),
        variances=tuple(map(float, model.variances)),
    )


def counts(number: Any) -> bool:
    """Whether a number is not zero, up to rounding where it is a float."""
    return number != 0 if isinstance(number, (int, Fraction)) else abs(number) > 1e-12


def agree(first: Matrix, second: Matrix) -> bool:
    """Whether two arrays are equal: exactly where both are of Fractions, else up to rounding."""
    if linear.is_exact(first) and linear.is_exact(second):
        return bool((first == second).all())
    left, right = linear.floats(first), linear.floats(second)
    size = max(1.0, float(np.abs(left).max(initial=0)), float(np.abs(right).max(initial=0)))
    return bool(np.abs(left - right).max(initial=0) <= AGREE * size)


# ---------------------------------------------------------------------------------------------------------------------
# Changing coordinates


@dataclass(frozen=True)
class Change:
    """A change of coordinates that all domains share: z' = h1 z + s, and noise e = h2 e'.

    It keeps every counterfactual, whatever h1, s and h2 are, as long as they are invertible.
    """

    latents: Matrix
    shift: Matrix
    noise: Matrix


def changed(
    model: LinearDomains,
    change: Change,
    nodes: tuple[str, ...],
    laws: tuple[Noise, ...],
    variances: tuple[Any, ...],
) -> LinearDomains:
    """The model in the new coordinates: g' = g h1^-1, f'_d = h1 f_d h2."""
    observation = linear.product(model.observation, linear.inverse(change.latents))
    return replace(
        model,
        nodes=nodes,
        observation=observation,
        offset=model.offset - observation @ change.shift,
        mechanisms=tuple(linear.product(change.latents, own, change.noise) for own in model.mechanisms),
        shifts=tuple(change.latents @ shift + change.shift for shift in model.shifts),
        laws=laws,
        variances=variances,
    )


def permutation(order: Sequence[int], exact: bool) -> Matrix:
    """The matrix that puts coordinate `order[i]` in place i."""
    return linear.identity(len(order), exact)[list(order)]


def normalised(model: LinearDomains) -> tuple[LinearDomains, Change]:
    """The model whose latents are the noises of the first domain (f'_0 = id), with the change that leads there."""
    back = model.inverses[0]
    change = Change(back, -(back @ model.shifts[0]), linear.identity(model.size, model.exact))
    return changed(model, change, model.nodes, model.laws, model.variances), change


def absorbed(model: LinearDomains, place: int) -> tuple[LinearDomains, Change]:
    """The model in which one shared latent is the noise it was made of: h1 recovers it by the shared mechanism."""
    latents = linear.identity(model.size, model.exact)
    latents[place] = model.inverses[0][place]
    shift = linear.vector([0] * model.size) if model.exact else np.zeros(model.size)
    shift[place] = -(latents[place] @ model.shifts[0])
    change = Change(latents, shift, linear.identity(model.size, model.exact))
    return changed(model, change, model.nodes, model.laws, model.variances), change


def permuted(model: LinearDomains, order: Sequence[int]) -> tuple[LinearDomains, Change]:
    """The model with latents and noises in another order."""
    swap = permutation(order, model.exact)
    change = Change(swap, linear.vector([0] * model.size) if model.exact else np.zeros(model.size), swap.T)
    laws, variances = tuple(model.laws[i] for i in order), tuple(model.variances[i] for i in order)
    return changed(model, change, tuple(model.nodes[i] for i in order), laws, variances), change


def last_order(model: LinearDomains) -> tuple[int, ...]:
    """The stable order with the intervened nodes last."""
    moved = set(model.intervened())
    places = range(model.size)
    return (*(i for i in places if model.nodes[i] not in moved), *(i for i in places if model.nodes[i] in moved))


# ---------------------------------------------------------------------------------------------------------------------
# The least number of intervened latents


def moving(model: LinearDomains) -> Matrix:
    """The columns of M_d - I and F_0^-1 (b_d - b_0) over all domains: what interventions add, in the noises' space."""
    unit = linear.identity(model.size, model.exact)
    columns = [np.concatenate([own - unit, shift[:, None]], axis=1) for own, shift in model.relative]
    return np.concatenate(columns, axis=1)


def minimal_k(model: LinearDomains) -> int:
    """The least number of intervened latents of a counterfactually equivalent linear model."""
    return linear.rank(moving(model))


def minimal(model: LinearDomains) -> tuple[LinearDomains, Change]:
    """An equivalent model with the least number of intervened latents, last, and the change from `normalised(model)`.

    The new noises are orthogonal combinations of the old; their variances are those of the combinations, so that the
    entries stay rational.  The distribution is kept where all noises are normal.
    """
    base, _ = normalised(model)
    basis = adapted_basis(moving(base).T, base.variances)
    size, k = base.size, linear.rank(moving(base))
    spread = _diagonal(base.variances, base.exact)
    # The columns of `to_old` are the new axes: old coordinates are `to_old` times new ones, latents and noises alike.
    to_old = basis.T
    to_new = linear.inverse(to_old)
    variances = tuple(linear.product(to_new, spread, to_new.T).diagonal())
    shift = linear.vector([0] * size) if base.exact else np.zeros(size)
    names = tuple(_rotated_name(place, size, k, base.nodes) for place in range(size))
    change = Change(to_new, shift, to_old)
    return changed(base, change, names, (NORMAL,) * size, variances), change


def _rotated_name(place: int, size: int, k: int, taken: Sequence[str]) -> str:
    name = f"V{place + 1}" if place < size - k else f"K{place + 1 - size + k}"
    while name in taken:
        name += "_"
    return name


def _diagonal(entries: Sequence[Any], exact: bool) -> Matrix:
    unit = linear.identity(len(entries), exact)
    return unit * np.array([Fraction(entry) if exact else float(entry) for entry in entries], dtype=unit.dtype)


def adapted_basis(rows: Matrix, variances: Sequence[Any]) -> Matrix:
    """Rows that span the space: first a complement, then a basis of the span V of `rows` along the flag V & W_i.

    Orthogonal in the inner product in which independent noises of the given variances have independent combinations:
    <u, v> = sum u_i v_i / variance_i.
    """
    size = rows.shape[1]
    exact = linear.is_exact(rows)
    weight = [1 / Fraction(v) if exact else 1 / float(v) for v in variances]
    # In echelon form leading places increase: each row spans, with the rows below it, V & W_i from its place i on.
    inner = _orthogonal(linear.row_space(rows)[::-1], weight)
    outer = _complement(inner, weight, size, exact)
    made = [*outer, *inner[::-1]]
    return np.array(made, dtype=rows.dtype if exact else np.float64).reshape(size, size)


def _orthogonal(vectors: Sequence[Matrix], weight: Sequence[Any], against: Sequence[Matrix] = ()) -> list[Matrix]:
    """Gram and Schmidt in the weighted inner product, vectors that vanish left out."""
    made: list[Matrix] = []
    scale = np.array(weight, dtype=object if isinstance(weight[0], Fraction) else np.float64)
    for each in vectors:
        rest = each
        for other in (*against, *made):
            rest = rest - other * ((rest * scale) @ other / ((other * scale) @ other))
        if any(abs(entry) > (0 if isinstance(entry, Fraction) else linear.TOLERANCE) for entry in rest):
            made.append(rest)
    return made


def _complement(inner: Sequence[Matrix], weight: Sequence[Any], size: int, exact: bool) -> list[Matrix]:
    """Orthogonal vectors that complete `inner` to a basis, from the coordinates in order."""
    return _orthogonal(list(linear.identity(size, exact)), weight, inner)
