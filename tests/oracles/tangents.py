"""A direction in which a model can be moved so that nothing known changes and the query does.

Every distribution of a finite model is a polynomial in its probabilities.  If the gradient of the query is no
combination of the gradients of what is known, at a model drawn at random (where ranks are what they are almost
everywhere), then near it there are others that agree with it on all that is known and not on the query: the query
cannot be identified, whatever the algorithms say.  The converse need not hold where hidden causes have few values.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from .graphs import Query
from .models import Array, LatentModel, marginal
from .sources import Domains, Known

Place = tuple[str | None, str]


def query_moves_alone(domains: Domains, query: Query, known: Collection[Known], generator: np.random.Generator) -> bool:
    """Whether some change of the mechanisms of all domains alters the query in the target and nothing that is known."""
    places = _places(domains.target, known)
    seen = np.concatenate([_rows(domains.of(one.name), one, places) for one in known])
    asked = _query_row(domains.target, query, places, generator)
    left = asked - seen.T @ np.linalg.lstsq(seen.T, asked, rcond=1e-10)[0]
    return bool(np.linalg.norm(left) > 1e-6 * np.linalg.norm(asked))


def _places(target: LatentModel, known: Collection[Known]) -> dict[Place, int]:
    """Where the numbers of each table begin, one table more a variable for each domain in which it differs."""
    tables: dict[Place, None] = {(None, name): None for name in target.parents}
    tables |= {(one.name, name): None for one in known for name in one.differs}
    starts: dict[Place, int] = {}
    total = 0
    for place in tables:
        starts[place] = total
        total += _tangent(target, place[1]).shape[0]
    starts[None, ""] = total
    return starts


def _tangent(target: LatentModel, name: str) -> Array:
    """Changes of a table that keep its rows sums of one: one a row and value but the last, along the first axis."""
    shape = target.tables[name].shape
    rows, size = int(np.prod(shape[:-1])), shape[-1]
    moves = np.zeros((rows, size - 1, rows, size))
    for row in range(rows):
        moves[row, :, row, :-1] = np.eye(size - 1)
        moves[row, :, row, -1] = -1
    return moves.reshape(rows * (size - 1), *shape)


def _changes(target: LatentModel, do: Collection[str], name: str) -> Array:
    """How the distribution after `do` changes with each change of one table, the changes along the first axis."""
    moves = _tangent(target, name)
    if name in do:
        return np.zeros((moves.shape[0], *(target.sizes[other] for other in target.observed)))
    axis = {other: number for number, other in enumerate(target.parents)}
    operands: list[Any] = []
    for other in target.parents:
        if other in do:
            operands += [np.ones(target.sizes[other]), [axis[other]]]
        else:
            table, first = (moves, [len(axis)]) if other == name else (target.tables[other], [])
            operands += [table, [*first, *(axis[parent] for parent in target.parents[other]), axis[other]]]
    shown = [len(axis), *(axis[other] for other in target.observed)]
    return np.einsum(*operands, shown, optimize="greedy")


def _rows(model: LatentModel, one: Known, places: dict[Place, int]) -> Array:
    """The gradient of each number of a known distribution, one a row."""
    count = int(np.prod([model.sizes[name] for name in model.observed]))
    gradient = np.zeros((count, places[None, ""]))
    for name in model.parents:
        start = places[one.name, name] if name in one.differs else places[None, name]
        change = _changes(model, one.do, name)
        gradient[:, start : start + len(change)] = change.reshape(len(change), -1).T
    return gradient


def _query_row(target: LatentModel, query: Query, places: dict[Place, int], generator: np.random.Generator) -> Array:
    """The gradient of a random combination of the query's numbers."""
    names = [*query.outcomes, *query.treatments, *query.given]
    joint = marginal(target.surgery(query.treatments), target.observed, names)
    over = tuple(range(len(query.outcomes)))
    below = joint.sum(axis=over, keepdims=True)
    weights = generator.normal(size=joint.shape)
    row = np.zeros(places[None, ""])
    for name in target.parents:
        change = np.array([marginal(one, target.observed, names) for one in _changes(target, query.treatments, name)])
        shifted = tuple(axis + 1 for axis in over)
        quotient = change / below - joint * change.sum(axis=shifted, keepdims=True) / below**2
        row[places[None, name] :][: len(change)] = (quotient * weights).reshape(len(change), -1).sum(axis=1)
    return row
