"""Two models by search: change one mechanism of a random model along directions that nothing observed can see.

Every probability of a model is linear in the table of one variable. So, all other tables held fixed, the changes of
that table which leave all given distributions as they are form a linear space, and the question is whether the query
moves along it: linear algebra, first modulo a prime to find a variable for which it does, then in exact rationals. What
a conditional distribution P(A | do(B), C) asks of a change is linear as well.

Random models come over a part of the diagram from which arrows have been left out as long as the query stays out of
reach; the fewer arrows, the fewer equations.  The search may fail where a pair exists: it gives up after a stated
number of attempts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np

from ...dsl.diagram import Diagram
from ...dsl.formula import Kernel
from ...semantics.budget import Budget
from ...semantics.factors import Factor
from ...semantics.networks.contraction import contract
from ...semantics.semiring import RATIONAL, Array
from ..conditional import exchanges
from ..derivation import Source
from ..graph import CausalGraph
from .characters import spread
from .hedge_models import cuts_of, reachable
from .model_pair import ConcreteModel, Known, ProbabilityTable
from .model_pair_check import WORK, factor, upstream

PRIME = 2_147_483_629
STEEP = Fraction(7, 8)
LEANS = tuple(Fraction(number, 4) for number in (-2, -1, 1, 2))
Pair = tuple[ConcreteModel, ConcreteModel]


def search_pairs(
    query: Kernel,
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    known: Sequence[Known],
    attempts: int,
    sources: Sequence[Source] | None,
) -> Iterator[tuple[str, Pair]]:
    """Candidate pairs that agree on what is known and seem to differ on the query, with the variable that is changed.

    At most `attempts` random models are drawn.  Where the known kernels are the whole distributions of `sources`,
    these decide which arrows may be left out; where they are None, arrows are left out at random.  A domain in which
    the changed mechanism is another one says nothing of it.
    """
    draw = random.Random(0)
    part = diagram if sources is None else smallest(diagram, query, sources)
    for attempt in range(attempts):
        chosen = part if sources is not None or attempt % 3 == 0 else thinned(diagram, draw)
        base = random_signs(chosen, labels, 2 + 2 * (attempt % 2), draw)
        for name in changeable(base, query):
            pair = alternative(base, name, query, [one.kernel for one in known if name not in one.differs])
            if pair is not None:
                yield name, (replace(pair[0], diagram=diagram), replace(pair[1], diagram=diagram))


# ---------------------------------------------------------------------------------------------------------------------
# Random models over part of a diagram


def smallest(diagram: Diagram, query: Kernel, sources: Sequence[Source]) -> Diagram:
    """The diagram without inputs of boxes that can be spared with the query still out of reach of the sources."""
    for number in range(len(diagram.boxes)):
        for wire in diagram.boxes[number].inputs:
            less = _without(diagram, number, wire)
            if out_of_reach(CausalGraph.of(less), query, sources):
                diagram = less
    return diagram


def out_of_reach(graph: CausalGraph, query: Kernel, sources: Sequence[Source]) -> bool:
    """Whether some c-component of the query cannot be had from any of the sources.

    Lee, Correa and Bareinboim (2019), theorem 1, and (2020), theorem 1, after the exchanges of a conditional query.
    """
    _, reduced = exchanges(graph, query)
    asked = graph.mask(term.variable for term in (*reduced.outcomes, *reduced.given))
    left = graph.ancestors(asked, graph.everything & ~graph.mask(term.variable for term in reduced.do))
    cuts = cuts_of(graph, sources)
    return not all(reachable(graph, part, cuts) for part in graph.districts(left))


def thinned(diagram: Diagram, draw: random.Random) -> Diagram:
    """The diagram with about a third of the inputs of its boxes left out."""
    for number in range(len(diagram.boxes)):
        for wire in diagram.boxes[number].inputs:
            if draw.random() < 1 / 3:
                diagram = _without(diagram, number, wire)
    return diagram


def _without(diagram: Diagram, number: int, wire: int) -> Diagram:
    box = diagram.boxes[number]
    fewer = replace(box, inputs=tuple(one for one in box.inputs if one != wire))
    return replace(diagram, boxes=(*diagram.boxes[:number], fewer, *diagram.boxes[number + 1 :]))


def random_signs(
    diagram: Diagram, labels: Mapping[str, tuple[str, ...]], states: int, draw: random.Random
) -> ConcreteModel:
    """A random positive model: each variable's label leans to odd or even places, variables with no arrow do not."""
    known = {wire.name: tuple(map(str, range(states))) if wire.latent else labels[wire.name] for wire in diagram.wires}
    tables: dict[str, ProbabilityTable] = {}
    for box in diagram.boxes:
        wire = diagram.wires[box.outputs[0]]
        reads = tuple(dict.fromkeys(diagram.wires[one].name for one in box.inputs))
        count = len(known[wire.name])
        leans = (draw.choice(LEANS) if reads else Fraction(0) for _ in product(*(known[name] for name in reads)))
        tables[wire.name] = ProbabilityTable(reads, tuple(spread(lean, count) for lean in leans))
    return ConcreteModel("First", diagram, known, tables)


def changeable(model: ConcreteModel, query: Kernel) -> list[str]:
    """Observed variables whose tables may move the query: those upstream of it that are not set."""
    do = [term.variable for term in query.do]
    asked = [term.variable for term in (*query.outcomes, *query.given)]
    found = upstream(model, asked, do) - set(do)
    return [
        wire.name
        for wire in model.diagram.wires
        if wire.name in found and not wire.latent and len(model.labels[wire.name]) > 1
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Directions


def alternative(base: ConcreteModel, name: str, query: Kernel, kernels: Sequence[Kernel]) -> Pair | None:
    """Two models that differ from `base` in the table of one variable, in opposite directions."""
    idle = unused(base) - {name}
    moved = derivative(base, name, restricted(query, idle))
    if not np.any(moved):
        return None
    rows = [derivative(base, name, restricted(kernel, idle)) for kernel in kernels]
    equations = np.concatenate(rows) if rows else np.empty((0, moved.shape[1]), dtype=object)
    equations = equations[np.any(equations != 0, axis=1)]
    direction = hidden_direction(equations, moved)
    return None if direction is None else _both_ways(base, name, direction)


def unused(model: ConcreteModel) -> frozenset[str]:
    """Observed variables that read nothing and that nothing reads: independent noise."""
    used = {parent for table in model.tables.values() for parent in table.reads}
    return frozenset(name for name, table in model.tables.items() if name not in used and not table.reads)


def restricted(kernel: Kernel, idle: frozenset[str]) -> Kernel:
    """The kernel without the terms of idle variables: independent factors of every probability."""
    outcomes, given, do = (
        tuple(term for term in part if term.variable not in idle) for part in (kernel.outcomes, kernel.given, kernel.do)
    )
    return Kernel(outcomes, given, do)


def derivative(base: ConcreteModel, name: str, kernel: Kernel) -> Array:
    """How each probability of a kernel moves with each lean of a variable's table: rows cells, columns table rows.

    Rows are integers and only matter up to a factor.  For a conditional kernel the row is that of the quotient.
    """
    outcomes, given, do = ([term.variable for term in part] for part in (kernel.outcomes, kernel.given, kernel.do))
    axes = [*outcomes, *given, *do]
    columns = base.tables[name].reads
    if name in do:
        return np.zeros((1, len(base.tables[name].rows)), dtype=object)
    change = _contracted(base, axes, do, columns, name).reshape(*(len(base.labels[axis]) for axis in axes), -1)
    if not given:
        return change.reshape(-1, change.shape[-1])
    joint = _contracted(base, axes, do, (), None)[..., None]
    summed = tuple(range(len(outcomes)))
    below, change_below = joint.sum(axis=summed, keepdims=True), change.sum(axis=summed, keepdims=True)
    return np.asarray(change * below - joint * change_below).reshape(-1, change.shape[-1])


def _contracted(
    base: ConcreteModel, axes: Sequence[str], do: Sequence[str], columns: Sequence[str], changed: str | None
) -> Array:
    """Integers over `axes` then `columns`, zero where the two disagree; the changed variable counts by its sign."""
    needed = sorted(upstream(base, axes, do) - set(do))
    if changed is not None and changed not in needed:
        return np.zeros([len(base.labels[axis]) for axis in (*axes, *columns)], dtype=object)
    factors = [factor(base, one)[0] for one in needed if one != changed]
    if changed is not None:
        factors.append(Factor((changed,), _integers(_signs(len(base.labels[changed])))))
    factors.extend(Factor((axis,), _integers([1] * len(base.labels[axis]))) for axis in axes)
    factors.extend(Factor((axis, ("column", axis)), _identity(len(base.labels[axis]))) for axis in columns)
    open_axes = (*axes, *(("column", axis) for axis in columns))
    return contract(factors, open_axes, Budget(flops=WORK), RATIONAL)


def _integers(values: Sequence[int]) -> Array:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def _identity(size: int) -> Array:
    return _integers([int(one == other) for one in range(size) for other in range(size)]).reshape(size, size)


def _signs(count: int) -> list[int]:
    """How the chances of `count` labels move with the lean, as integers."""
    pairs = zip(spread(Fraction(1), count), spread(Fraction(-1), count), strict=True)
    return [int((up - down) * (count // 2) * ((count + 1) // 2)) for up, down in pairs]


# ---------------------------------------------------------------------------------------------------------------------
# Linear algebra


def hidden_direction(equations: Array, moved: Array) -> list[Fraction] | None:
    """A vector that all equations send to zero and some row of `moved` does not; None where there is none.

    Found modulo a prime, with as few entries as possible, then solved exactly.

    >>> table = np.array([[1, 1, 0]], dtype=object)
    >>> [str(number) for number in hidden_direction(table, np.array([[0, 1, 0]], dtype=object))]
    ['-1', '1', '0']
    """
    reduced, pivots = reduce_modulo((equations % PRIME).astype(np.int64))
    aims = (moved % PRIME).astype(np.int64)
    best: list[int] | None = None
    for free in sorted(set(range(moved.shape[1])) - set(pivots)):
        vector = np.zeros(moved.shape[1], dtype=np.int64)
        vector[free] = 1
        vector[pivots] = -reduced[: len(pivots), free] % PRIME
        support = [int(place) for place in np.flatnonzero(vector)]
        if (best is None or len(support) < len(best)) and np.any((aims * vector % PRIME).sum(axis=1) % PRIME):
            best = support
    return None if best is None else _exact(equations, best)


def reduce_modulo(matrix: Array) -> tuple[Array, list[int]]:
    """The reduced echelon form modulo the prime, and its pivot columns."""
    matrix, pivots = matrix.copy(), list[int]()
    for column in range(matrix.shape[1]):
        row = len(pivots)
        candidates = np.flatnonzero(matrix[row:, column])
        if not candidates.size:
            continue
        chosen = row + int(candidates[0])
        matrix[[row, chosen]] = matrix[[chosen, row]]
        matrix[row] = matrix[row] * pow(int(matrix[row, column]), -1, PRIME) % PRIME
        others = np.flatnonzero(matrix[:, column])
        others = others[others != row]
        matrix[others] = (matrix[others] - matrix[others, column][:, None] * matrix[row] % PRIME) % PRIME
        pivots.append(column)
    return matrix, pivots


def _exact(equations: Array, support: Sequence[int]) -> list[Fraction] | None:
    """The vector on the support that all equations send to zero, its last entry there being one."""
    rows: list[list[Fraction]] = []
    for raw in dict.fromkeys(tuple(int(row[place]) for place in support) for row in equations):
        row = [Fraction(number) for number in raw]
        for place, other in enumerate(rows):
            if row[place]:
                row = [a - row[place] * b for a, b in zip(row, other, strict=True)]
        if not any(row):
            continue
        lead = next(place for place, number in enumerate(row) if number)
        if lead != len(rows) or lead == len(support) - 1:
            return None
        row = [number / row[lead] for number in row]
        rows = [[a - other[lead] * b for a, b in zip(other, row, strict=True)] for other in rows] + [row]
    if len(rows) != len(support) - 1:
        return None
    vector = [Fraction(0)] * equations.shape[1]
    for place, number in zip(support, [*(-row[-1] for row in rows), Fraction(1)], strict=True):
        vector[place] = number
    return vector


def _both_ways(base: ConcreteModel, name: str, direction: Sequence[Fraction]) -> Pair:
    """The base with its table moved along the direction, as far as it stays positive, and the other way."""
    table, count = base.tables[name], len(base.labels[name])
    leans = [2 * sum(row[::2], Fraction(0)) - 1 for row in table.rows]
    step = min((STEEP - abs(lean)) / abs(move) for lean, move in zip(leans, direction, strict=True) if move)
    models = []
    for title, way in (("First", step), ("Second", -step)):
        rows = tuple(spread(lean + way * move, count) for lean, move in zip(leans, direction, strict=True))
        tables = {**base.tables, name: ProbabilityTable(table.reads, rows)}
        models.append(replace(base, name=title, tables=tables))
    return models[0], models[1]
