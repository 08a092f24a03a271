"""Tables of pgmpy and pyAgrum as distributions of a draft; a float is taken at the shortest decimal that spells it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from ..probability_tables import NotADistribution, numbers_of_rows
from .graph import Distribution, Draft


def pgmpy_tables(draft: Draft, graph: Any, names: Callable[[Any], str]) -> None:
    """Take the tables of a pgmpy network; the first axis of one is the child, and its columns run over the parents.

    Raises `SutureError` (S202, S207) where a column is no distribution.
    """
    if not callable(getattr(graph, "get_cpds", None)):
        return
    tables = [table for table in graph.get_cpds() if hasattr(table, "state_names") and hasattr(table, "get_values")]
    if len(tables) < len(graph.get_cpds()):
        draft.dropped["distributions that are no tables"] = None
    for table in tables:
        for node, states in table.state_names.items():
            if draft.nodes[names(node)].labels is None:
                draft.values(names(node), [str(state) for state in states])
    for table in tables:
        child, *parents = map(names, table.variables)
        columns = zip(*table.get_values().tolist(), strict=True)
        _take(draft, child, parents, columns)


def pyagrum_tables(draft: Draft, graph: Any, named: Mapping[int, str]) -> None:
    """Take the tables of a pyAgrum network.

    Raises `SutureError` (S202, S207) where a row is no distribution.
    """
    for number, child in named.items():
        table = graph.cpt(number)
        parents = [name for name in table.names if name != child]
        shown = [[str(label) for label in graph.variable(name).labels()] for name in parents]
        rows = (_row(table, parents, cells) for cells in product(*shown))
        _take(draft, child, parents, rows)


def _row(table: Any, parents: Sequence[str], cells: Sequence[str]) -> Sequence[float]:
    chosen = table[dict(zip(parents, cells, strict=True))] if parents else table
    return [float(weight) for weight in chosen.tolist()]


def _take(
    draft: Draft,
    child: str,
    parents: Sequence[str],
    rows: Iterable[Sequence[float]],
) -> None:
    """Take a table whose rows run over the cases of the parents, the last parent fastest."""
    taken = [draft.nodes[parent].labels or () for parent in parents]
    written = [_written(draft, child, row) for row in rows]
    try:
        numbers, _ = numbers_of_rows(taken, len(draft.nodes[child].labels or ()), written)
    except NotADistribution as error:
        text = f"the probabilities of a row of {child} sum to {float(error.total):.6g}, not to 1"
        raise draft.refuse("S202", text, None) from None
    draft.distributions[child] = Distribution(tuple(parents), numbers)


def _written(draft: Draft, child: str, row: Sequence[float]) -> list[str]:
    if not all(0 <= weight <= 1 for weight in row):
        raise draft.refuse("S207", f"a table of {child} holds what is not a probability: {list(row)}", None)
    return [repr(float(weight)) for weight in row]
