"""Posteriors by listing every joint state of a model: arrays over targets, then over interventions left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from suture.semantics.stochastic import FiniteModel

from .brute import states


def conditional(
    model: FiniteModel, targets: Sequence[str], given: Mapping[str, str], do: Mapping[str, str | None]
) -> np.ndarray:
    """P(targets | given, do), nan where the condition has probability zero."""
    free = [name for name in do if do[name] is None]
    labels = model.labels
    made = np.zeros([len(labels[name]) for name in (*targets, *free)])
    for setting in product(*(labels[name] for name in free)):
        chosen = {
            **{name: label for name, label in do.items() if label is not None},
            **dict(zip(free, setting, strict=True)),
        }
        for state, weight in states(model, chosen):
            if all(state[name] == label for name, label in given.items()):
                place = tuple(labels[name].index(state[name]) for name in targets)
                made[(*place, *(labels[name].index(label) for name, label in zip(free, setting, strict=True)))] += (
                    weight
                )
    total = made.sum(axis=tuple(range(len(targets))))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, made / total, np.nan) if given else made
