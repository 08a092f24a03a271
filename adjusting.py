"""Answers to `adjust`: adjustment sets, and where the graph has them front-door sets and instruments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .answer import Answer
from .identify.adjustment import adjustment_sets
from .identify.front_door import front_door
from .identify.graph import CausalGraph
from .identify.instruments import instruments

# Instruments that are named; more say little.
SHOWN = 8


def adjusted(head: Answer, graph: CausalGraph, treatments: Sequence[str], outcomes: Sequence[str]) -> Answer:
    """The answer with all minimal valid sets, a smallest and the optimal one, or the path that no set blocks."""
    found = adjustment_sets(graph, treatments, outcomes)
    notes = tuple(_beside(graph, treatments, outcomes))
    return replace(head, value=found.to_dict(), lines=found.lines(), reason=found.reason, notes=notes)


def _beside(graph: CausalGraph, treatments: Sequence[str], outcomes: Sequence[str]) -> Iterator[str]:
    """Other ways to the effect: a front-door set, and instruments where there is one treatment and one outcome."""
    door = front_door(graph, treatments, outcomes)
    if door.minimal:
        yield f"front-door set: {{{', '.join(door.minimal)}}}"
    if len(treatments) == len(outcomes) == 1:
        found = instruments(graph, treatments[0], outcomes[0])
        if found:
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            named = ", ".join(instrument.text for instrument in found[:SHOWN])
            yield f"instruments (for linear models, and for bounds): {named}{more}"
