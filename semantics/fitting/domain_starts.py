"""Where to start looking for the lens of a latent model of several domains: rotations of whitened samples.

Once all samples together have covariance 1, u = W x of independent latents has orthogonal rows of W.  Starts are the
eigenvectors of the domains' covariances (whose differences have rank 2k at most where k mechanisms differ), rotations
that make third moments large (the fixed point of FastICA with the cubic contrast, Hyvarinen 1999: a leaky ReLU of a
normal variable is skewed to the right), and random ones.  Signs are chosen so that each coordinate is skewed to the
right, which leaves one of 2^m orthants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Floats = Any

ROUNDS = 60


def rotations(samples: Sequence[Floats], count: int, generator: np.random.Generator) -> Floats:
    """So many starts, `count size size`, for an array `cases size` of each domain, whitened: moments, then random."""
    pooled = np.concatenate(samples)
    size = pooled.shape[1]
    made = [np.linalg.eigh(np.cov(own.T).reshape(size, size) - np.eye(size))[1].T for own in samples[: count // 4]]
    made += [skewed(pooled, random_rotation(size, generator)) for _ in range((count - len(made)) // 2)]
    made += [random_rotation(size, generator) for _ in range(count - len(made))]
    return np.stack([oriented(pooled, each) for each in made[:count]])


def random_rotation(size: int, generator: np.random.Generator) -> Floats:
    """A rotation or reflection, uniformly."""
    square, triangle = np.linalg.qr(generator.standard_normal((size, size)))
    return square * np.sign(np.diag(triangle))


def skewed(samples: Floats, start: Floats) -> Floats:
    """Orthogonal rows whose projections have large third moments, by the symmetric fixed point of FastICA."""
    rotation = start
    for _ in range(ROUNDS):
        moved = ((samples @ rotation.T) ** 2).T @ samples / len(samples)
        left, _, right = np.linalg.svd(moved)
        rotation = left @ right
    return rotation


def oriented(samples: Floats, rotation: Floats) -> Floats:
    """The rows with signs that make third moments positive."""
    third = ((samples @ rotation.T) ** 3).mean(0)
    return rotation * np.where(third < 0, -1.0, 1.0)[:, None]
