"""Estimates: the value of an identified formula on data, by plugging in observed shares."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..dsl.diagnostics import SutureError
from ..dsl.diagram import Diagram
from ..dsl.formula import Formula, kernels, node_terms, probability, product, subformulas, substitute, sum_over
from ..dsl.formula_text import text
from ..dsl.program import Model, Real
from ..identify.derivation import Identified, Outcome, Source
from .answer import Answer
from .answer_data import Status
from .answering import arbitrary, hidden_note, with_outcome, with_value
from .evidence import Evidence

if TYPE_CHECKING:
    from ..semantics.distribution import Distribution
    from ..semantics.evaluate import Evaluation

# Combinations of values that are tried for variables of arbitrary value.
PLACES = 256

Identify = Callable[[Formula, Diagram, str | None, tuple[Source, ...]], Outcome]


def estimated(identify: Identify, head: Answer, query: Formula, known: Evidence, method: str | None) -> Answer:
    """The answer to an estimate: identify with what the sources measure, certify, evaluate."""
    from ..semantics.evaluate import evaluation, require_determined

    found = identify(query, known.diagram, method, known.sources)
    answer = with_outcome(head, found, query)
    answer = replace(answer, notes=(*answer.notes, *hidden_note(known)))
    if not isinstance(found, Identified):
        return answer
    formula, extra = found.formula, arbitrary(found.formula, query)
    if extra and known.plain:
        done = evaluation(averaged(formula, query), known.distribution(), order(query))
        chosen: tuple[str, ...] = (f"the estimate averages over the observed {', '.join(extra)}",)
    elif extra:
        done, chosen = at_some_value(formula, extra, known.distribution(), order(query))
    else:
        done, chosen = evaluation(formula, known.distribution(), order(query)), ()
    if bool(done.table.undetermined.all()):
        require_determined(done, head.query or text(query))
    notes = tuple(f"not determined by the data: {gap.text()}" for gap in done.gaps)
    return with_value(replace(answer, status=Status.VALUE, notes=answer.notes + chosen + notes), done.table)


def real_note(answer: Answer, model: Model) -> Answer:
    """The answer with a note on real variables that the estimate conditions on: only equal values are compared."""
    if answer.estimand is None:
        return answer
    given = [term.variable for kernel in kernels(answer.estimand.formula) for term in (*kernel.given, *kernel.do)]
    real = [name for name in dict.fromkeys(given) if isinstance(model.by_name[name].values, Real)]
    if not real:
        return answer
    verb = "is" if len(real) == 1 else "are"
    note = f"{', '.join(real)} {verb} real: rows are compared where the values are equal, and no line is fitted"
    return replace(answer, notes=(*answer.notes, note))


def at_some_value(
    formula: Formula, extra: tuple[str, ...], data: Distribution, order: Sequence[str]
) -> tuple[Evaluation, tuple[str, ...]]:
    """The formula at the first value of the arbitrary variables at which the data determine most of it, and a note.

    Values that an experiment never had are passed over; where it had none that would do, its diagnostic is raised.
    """
    from ..semantics.evaluate import evaluation

    found: list[tuple[int, Evaluation, dict[str, str]]] = []
    refused: SutureError | None = None
    every = itertools.product(*(data.labels(name) for name in extra))
    for values in itertools.islice(every, PLACES):
        place = dict(zip(extra, values, strict=True))
        try:
            done = evaluation(substitute(formula, place), data, order)
        except SutureError as error:
            refused = refused or error
            continue
        found.append((int(done.table.undetermined.sum()), done, place))
        if found[-1][0] == 0:
            break
    if not found:
        assert refused is not None
        raise refused
    _, done, place = min(found, key=lambda each: each[0])
    shown = ", ".join(f"{name} = {label}" for name, label in place.items())
    return done, (f"estimated at {shown}; any value would do",)


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
