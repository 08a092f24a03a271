"""Estimates: the value of an identified formula on data, by plugging in observed shares."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .answer import Answer
from .answer_data import Status
from .answering import arbitrary, hidden_note, with_outcome, with_value
from .dsl.diagram import Diagram
from .dsl.formula import Formula, node_terms, probability, product, subformulas, sum_over
from .dsl.formula_text import text
from .evidence import Evidence
from .identify.derivation import Identified, Outcome, Source

if TYPE_CHECKING:
    from .semantics.factors import NamedTable

Identify = Callable[[Formula, Diagram, str | None, tuple[Source, ...]], Outcome]


def estimated(identify: Identify, head: Answer, query: Formula, known: Evidence, method: str | None) -> Answer:
    """The answer to an estimate: identify with what the sources measure, certify, evaluate."""
    from .semantics.evaluate import evaluation, require_determined

    found = identify(query, known.diagram, method, known.sources)
    answer = with_outcome(head, found, query)
    answer = replace(answer, notes=(*answer.notes, *hidden_note(known)))
    if not isinstance(found, Identified):
        return answer
    extra = arbitrary(found.formula, query)
    closed, chosen = found.formula, ()
    if extra and known.plain:
        closed = averaged(found.formula, query)
        chosen = (f"the estimate averages over the observed {', '.join(extra)}",)
    done = evaluation(closed, known.distribution(), (*order(query), *(() if known.plain else extra)))
    if bool(done.table.undetermined.all()):
        require_determined(done, head.query or text(query))
    table = done.table
    if extra and not known.plain:
        table, chosen = at_some_value(table, extra)
    notes = tuple(f"not determined by the data: {gap.text()}" for gap in done.gaps)
    return with_value(replace(answer, status=Status.VALUE, notes=answer.notes + chosen + notes), table)


def at_some_value(table: NamedTable, extra: tuple[str, ...]) -> tuple[NamedTable, tuple[str, ...]]:
    """The table at the first value of the arbitrary variables at which most of it is determined, and a note."""
    labels = {name: table.labels[table.variables.index(name)] for name in extra}
    places = [dict(zip(extra, values, strict=True)) for values in itertools.product(*labels.values())]
    best = min(places, key=lambda place: int(table.fixed(place).undetermined.sum()))
    shown = ", ".join(f"{name} = {label}" for name, label in best.items())
    return table.fixed(best), (f"estimated at {shown}; any value would do",)


def averaged(formula: Formula, query: Formula) -> Formula:
    """The formula with variables of arbitrary value averaged over their observed distribution.

    That changes nothing in truth, and spares the data a choice.
    """
    extra = arbitrary(formula, query)
    return sum_over(extra, product((probability(extra), formula))) if extra else formula


def order(query: Formula) -> tuple[str, ...]:
    """The variables of the answer's table, in the order in which the query names them."""
    named = [t.variable for node in subformulas(query) for t in node_terms(node) if t.value is None]
    return tuple(dict.fromkeys(named))
