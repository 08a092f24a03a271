"""Tables of pairs of variables, given evidence.

Pairs that lie in one mechanism come from one pass back: a mechanism times the derivative of the logarithm of the
evidence's probability by it is the table of its variables (Darwiche 2003).  Any other pair is P(a | e) P(b | a, e): one
more batch axis over the values of a.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..factors import Array, NamedTable
from .compiled import Purpose
from .inference import Do, FiniteEngine, Given, Parameters
from .patterns import Source
from .preparing import Known, Weights, known_of, pattern_of, term_of

PAIR = "pair"
Pair = tuple[str, str]


def pairwise(
    engine: FiniteEngine,
    given: Given = None,
    do: Do = None,
    parameters: Parameters = None,
    pairs: Iterable[Pair] | None = None,
) -> dict[Pair, NamedTable]:
    """P(a, b | given, do(do)) of every arrow a -> b, or of the named pairs; the arguments are those of `marginals`."""
    known, opened = engine.spread(known_of(engine.model, given, do, parameters))
    asked = [(str(a), str(b)) for a, b in (arrows(engine) if pairs is None else pairs)]
    for name in {name for pair in asked for name in pair}:
        term_of(name, engine.model)
    found = _families(engine, known, opened, asked)
    rest = [pair for pair in asked if pair not in found]
    if rest:
        found |= _conditioned(engine, known, opened, rest)
    return {pair: found[pair] for pair in asked}


def arrows(engine: FiniteEngine) -> list[Pair]:
    """Every pair of a variable and one that its mechanism reads, as (cause, effect)."""
    diagram = engine.model.diagram
    return [
        (diagram.wires[cause].name, diagram.wires[effect].name)
        for box in diagram.boxes
        for effect in box.outputs
        for cause in box.inputs
    ]


def _families(
    engine: FiniteEngine, known: Known, opened: Sequence[str], pairs: Sequence[Pair]
) -> dict[Pair, NamedTable]:
    """The pairs that some mechanism of the network holds."""
    terms = [term_of(name, engine.model) for name in dict.fromkeys(name for pair in pairs for name in pair)]
    network = engine.network(pattern_of(known, reached=terms), known)
    names = [entry.name for entry in network.entries if entry.source is Source.MECHANISM]
    diagram = engine.model.diagram
    axes = {
        box.name: tuple(diagram.wires[wire].name for wire in (*box.inputs, *box.outputs))
        for box in diagram.boxes
        if names.count(box.name) == 1
    }
    home = {pair: next((name for name, own in axes.items() if set(pair) <= set(own)), None) for pair in pairs}
    if not any(home.values()):
        return {}
    answer = engine.answered(network, Purpose.GRADIENT, known)
    values = engine.widened(known, answer.form, answer.values)
    tables: dict[str, Array] = {}
    start = 1
    for name in network.mechanisms:
        shape = engine.shape_of(name)
        size = int(np.prod(shape, dtype=np.int64))
        slope = values[..., start : start + size].reshape(*values.shape[:-1], *shape)
        total = values[..., 0].reshape([*values.shape[:-1], *([1] * len(shape))])
        with np.errstate(invalid="ignore", divide="ignore"):
            tables[name] = engine.entries(known, name) * slope / total
        start += size
    found: dict[Pair, NamedTable] = {}
    for pair, name in home.items():
        if name is not None:
            table = _summed(tables[name], axes[name], pair, len(known.lengths))
            found[pair] = engine.table(known, table, [(each, engine.labels(each)) for each in pair], opened)
    return found


def _summed(table: Array, names: Sequence[str], pair: Pair, batch: int) -> Array:
    """A table of many variables summed to two of them, in the order of the pair; twice the same is its diagonal."""
    chosen = [batch + names.index(name) for name in pair]
    if pair[0] == pair[1]:
        single = table.sum(axis=tuple(place for place in range(batch, table.ndim) if place != chosen[0]))
        return single[..., :, None] * np.eye(single.shape[-1])
    summed = table.sum(axis=tuple(place for place in range(batch, table.ndim) if place not in chosen))
    return summed if chosen[0] < chosen[1] else summed.swapaxes(-1, -2)


def _conditioned(
    engine: FiniteEngine, known: Known, opened: Sequence[str], pairs: Sequence[Pair]
) -> dict[Pair, NamedTable]:
    """P(a | e) P(b | a, e): every value of every a is a place of one more axis."""
    firsts = list(dict.fromkeys(a for a, _ in pairs))
    seconds = list(dict.fromkeys(b for _, b in pairs))
    base = engine.marginals_of(known, opened, firsts)
    sizes = [len(engine.labels(name)) for name in firsts]
    starts = np.cumsum([0, *sizes])
    weighted = dict(known.weighted)
    observed = dict(known.observed)
    for name, start, size in zip(firsts, starts, sizes, strict=False):
        rows = np.ones((int(starts[-1]), size))
        rows[start : start + size] = np.eye(size)
        term = term_of(name, engine.model)
        if term in observed or name in known.fixed:
            continue
        if term in weighted:
            old = weighted[term]
            weighted[term] = Weights((*old.axes, PAIR), old.values[..., None, :] * rows, old.bits)
        else:
            weighted[term] = Weights((PAIR,), rows, 0.0)
    lengths = {**known.lengths, PAIR: int(starts[-1])}
    fine = replace(known, weighted=weighted, lengths=lengths)
    given_first = engine.marginals_of(fine, opened, seconds)
    found: dict[Pair, NamedTable] = {}
    for a, b in pairs:
        start = int(starts[firsts.index(a)])
        weight = base[a].values
        inner: Any = given_first[b].values[..., start : start + weight.shape[-1], :]
        table = np.where(weight[..., None] > 0, weight[..., None] * np.nan_to_num(inner), weight[..., None] * 0.0)
        found[a, b] = engine.table(known, table, [(a, engine.labels(a)), (b, engine.labels(b))], opened)
    return found
