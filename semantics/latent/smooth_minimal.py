"""How few intervened latents a smooth latent model can have: bounds, from its maps of noise M_d = f_0^-1 f_d.

An equivalent model with k intervened latents has in canonical form (Zhou et al., ICLR 2024) maps that leave all but k
coordinates of the noise as they are, so that m - k functions u of the noise, with independent derivatives, are kept by
every M_d: u(M_d(e)) = u(e).

    above   where all moves M_d(e) - e are along one line, a rotation of the noise puts that line last, and M_d rises or
            falls along it, being one to one: k = 1.  A rotation keeps the law of normal noises.
    below   where p = M_d(p), the derivative of u at p takes every column of DM_d(p) - 1 to zero, so that these columns,
            those of all domains that keep p together, have rank k at most.  Of a linear model without shifts that is
            the exact number.

Both are read off random noises and numerical derivatives: evidence, not a proof.  The bound from below is about
models that a differentiable change of noise relates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .function_domains import FunctionDomains
from .smooth_domains import SmoothDomains, drawn

Floats = Any
Map = Callable[[Floats], Floats]

MOST_LATENTS = 14
CASES = 256
STARTS = 12
ROUNDS = 12
STEP = 1e-5
KEPT = 1e-8
SAME_LINE = 1e-6
RANK = 1e-3


@dataclass(frozen=True, slots=True)
class FewestSmooth:
    """Between which numbers the least number of intervened latents lies, and what says so."""

    least: int
    most: int
    why: str


def fewest_smooth(model: SmoothDomains | FunctionDomains) -> FewestSmooth:
    """Bounds for the least number of intervened latents of any equivalent model.

    >>> from .function_domains import function_domains
    >>> both = {"a": lambda e: e, "b": lambda e: 2 * e}
    >>> fewest_smooth(function_domains(both, lambda z: z, 2, lambda x: x))
    FewestSmooth(least=2, most=2, why='the rank of the derivatives at a noise that is kept')
    """
    most = len(model.intervened())
    size = len(model.nodes)
    if most <= 1 or size > MOST_LATENTS:
        return FewestSmooth(min(most, 1), most, "what differs")
    with np.errstate(all="ignore"):
        maps = [_noise_map(model, domain) for domain in range(1, len(model.domains))]
        noise = drawn(model.laws, CASES, 51)
        if _on_one_line([own(noise) - noise for own in maps]):
            return FewestSmooth(1, 1, "all noise moves along one line")
        starts = np.concatenate([np.zeros((1, size)), noise[: STARTS - 1]])
        rank = max((_rank(maps, point) for own in maps for point in _kept(own, starts)), default=0)
    if rank <= 1:
        return FewestSmooth(1, most, "what differs")
    return FewestSmooth(min(rank, most), most, "the rank of the derivatives at a noise that is kept")


def _noise_map(model: SmoothDomains | FunctionDomains, domain: int) -> Map:
    return lambda noise: model.noise(0, model.seen(domain, noise))


def _on_one_line(moves: list[Floats]) -> bool:
    """Whether all moves, `cases size` each, are multiples of one vector."""
    rows = np.concatenate(moves)
    rows = rows[np.isfinite(rows).all(1)]
    found = np.linalg.svd(rows, compute_uv=False)
    return len(rows) > CASES // 2 and bool(found[1] <= SAME_LINE * found[0])


def _kept(own: Map, starts: Floats) -> Floats:
    """Noises that a map leaves as they are, by Newton's method from each start: `found size`."""
    points = starts
    for _ in range(ROUNDS):
        gaps = own(points) - points
        slopes = _slopes(own, points) - np.eye(points.shape[1])
        sound = np.isfinite(gaps).all(1) & np.isfinite(slopes).all((1, 2))
        points, gaps, slopes = points[sound], gaps[sound], slopes[sound]
        if not len(points):
            return points
        points = points - (np.linalg.pinv(slopes, rcond=RANK) @ gaps[..., None])[..., 0]
    return points[np.abs(own(points) - points).max(1) <= KEPT]


def _rank(maps: list[Floats], point: Floats) -> int:
    """The rank of DM_d - 1, of all domains that keep the point, side by side; 0 where a derivative is none."""
    kept = [own for own in maps if np.abs(own(point[None]) - point).max() <= KEPT]
    columns: list[Floats] = []
    for own in kept:
        wide, narrow = _slopes(own, point[None])[0], _slopes(own, point[None], STEP / 4)[0]
        one_side = (own(point + STEP * np.eye(len(point))) - own(point[None])).T / STEP
        # At a kink the two sides differ, and there is no derivative.
        if not np.allclose(wide, narrow, atol=RANK) or not np.allclose(wide, one_side, atol=RANK):
            return 0
        columns.append(wide - np.eye(len(point)))
    joined = np.concatenate(columns, axis=1)
    return int(np.linalg.matrix_rank(joined, tol=RANK * (1 + np.linalg.norm(joined, 2))))


def _slopes(own: Map, points: Floats, step: float = STEP) -> Floats:
    """Derivatives by central differences, `points size size`."""
    count, size = points.shape
    moves = step * np.eye(size)
    ends = [own((points[:, None] + sign * moves).reshape(-1, size)).reshape(count, size, size) for sign in (1, -1)]
    return np.swapaxes(ends[0] - ends[1], 1, 2) / (2 * step)
