"""Answers to `bound`: numbers from data, closed forms where only the distributions are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.formula import Formula, Term, node_terms, subformulas
from ..dsl.formula_text import text
from ..dsl.program import Bound, Model, Program, Real
from ..identify.derivation import Undecided
from .answer import Answer
from .answer_data import Status
from .answering import hidden_note
from .evidence import Evidence, Question, evidence

if TYPE_CHECKING:
    from ..identify.bounding.bounds import Bounds, BoundsTable
    from ..identify.bounding.symbolic_bounds import ClosedForm, SymbolicBounds
    from ..semantics.data.empirical import Empirical


def bounded(
    head: Answer, statement: Bound, asked: Question, program: Program, load: Callable[[str], Empirical]
) -> Answer:
    """The bounds on a query from its sources.

    Raises `SutureError` where values are missing, the data contradict the model, or the problem is beyond the budget.
    """
    model = program.models[statement.query.model]
    _require_finite(asked, model, statement)
    known = evidence(program, model, asked, statement.sources, load, statement.span)
    if known.tables and len(known.tables) < len(known.sources):
        message = "bounds are from data sets or from named distributions, not from both at once"
        raise SutureError(Diagnostic("S501", message, statement.span, "names both"))
    if known.tables:
        return _from_data(head, asked, known, model)
    answer = _in_closed_form(head, asked, known, model)
    return replace(answer, notes=(*answer.notes, *hidden_note(known)))


def _require_finite(asked: Question, model: Model, statement: Bound) -> None:
    """Refuse real variables in a query: S426."""
    named = {term.variable for node in subformulas(asked.formula) for term in node_terms(node)}
    real = [variable for variable in model.variables if variable.name in named and isinstance(variable.values, Real)]
    if real:
        message = f"bounds are taken over finitely many values, and {real[0].name} is real"
        hint = f"give it finitely many values, as in {real[0].name} : 0..4"
        raise SutureError(Diagnostic("S426", message, statement.span, "asks for bounds", hint))


def _from_data(head: Answer, asked: Question, known: Evidence, model: Model) -> Answer:
    from ..identify.bounding.bounds import Bounds, Setting, bounds
    from ..identify.bounding.district_factors import from_data

    tables = zip(known.sources, known.tables.values(), strict=True)
    data = [from_data(table, source.differs, source.name) for source, table in tables]
    setting = Setting(models=True, closed_forms=True)
    found = bounds(asked.formula, model.diagram, data, _labels(model), setting)
    if isinstance(found, Undecided):
        return _undecided(head, found)
    return _numbers(head, found) if isinstance(found, Bounds) else _table(head, found)


def _labels(model: Model) -> dict[str, tuple[str, ...]]:
    """The declared values of every finite variable."""
    declared = {variable.name: model.labels(variable.name) for variable in model.variables}
    return {name: labels for name, labels in declared.items() if labels is not None}


def _undecided(head: Answer, found: Undecided) -> Answer:
    return replace(head, status=Status.UNDECIDED, method=found.method or None, reason=found.reason)


def _numbers(head: Answer, found: Bounds) -> Answer:
    exact = f"[{found.low}, {found.high}]" if found.exact else None
    lines = [f"[{float(found.low):.6g}, {float(found.high):.6g}]{f'  = {exact}' if exact else ''}"]
    lines += _forms(found.low_form, found.high_form)
    models = {"low": found.low_model, "high": found.high_model} if found.low_model else None
    return replace(
        head,
        status=Status.BOUNDS,
        bounds=(float(found.low), float(found.high)),
        exact=exact,
        method=f"{found.method}, {'sharp' if found.sharp else 'not known to be sharp'}",
        lines=tuple(lines),
        notes=(*found.reasons, *found.notes),
        attaining=models,
    )


def _table(head: Answer, found: BoundsTable) -> Answer:
    method = found.rows[0][1].method if found.rows else ""
    kind = "sharp" if found.sharp else "not known to be sharp"
    notes = tuple(dict.fromkeys(note for _, row in found.rows for note in (*row.reasons, *row.notes)))
    lines = tuple(found.text.split("\n"))
    return replace(
        head, status=Status.BOUNDS, value=found.to_dict(), method=f"{method}, {kind}", lines=lines, notes=notes
    )


def _in_closed_form(head: Answer, asked: Question, known: Evidence, model: Model) -> Answer:
    from ..identify.bounding.symbolic_bounds import symbolic_bounds

    rows: list[tuple[tuple[str, ...], SymbolicBounds]] = []
    names, labels = _free(asked.formula), _labels(model)
    missing = next((term.variable for term in names.values() if term.variable not in labels), None)
    if missing is not None:
        message = f"the values of {missing} are not given"
        raise SutureError(Diagnostic("S427", message, help=f"declare them: {missing} : {{no, yes}}"))
    for case in product(*(labels[term.variable] for term in names.values())):
        free = dict(zip(names, case, strict=True))
        found = symbolic_bounds(asked.formula, known.diagram, labels, known.sources, free)
        if isinstance(found, Undecided):
            return _undecided(head, found)
        rows.append((case, found))
    return _closed(head, tuple(names), rows)


def _free(formula: Formula) -> dict[str, Term]:
    """What a query is a function of, by name."""
    from ..identify.bounding.bound_query import free_name, free_terms

    return {free_name(term): term for term in free_terms(formula)}


def _closed(head: Answer, names: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], SymbolicBounds]]) -> Answer:
    """Closed forms, one block a case of a query that is a function; where both ends are one, that it is identified."""
    lines: list[str] = []
    for case, found in rows:
        heading = [", ".join(map(" = ".join, zip(names, case, strict=True)))] if names else []
        lines += [*heading, *(f"  {line}" if names else line for line in _forms(found.low, found.high))]
    value = {"variables": list(names), "rows": [{"labels": list(case), **found.to_dict()} for case, found in rows]}
    known = all(found.low.text == found.high.text for _, found in rows)
    notes = ("both ends are the same: the query is identified, and `identify` gives its formula",) if known else ()
    return replace(
        head,
        status=Status.BOUNDS,
        value=value if names else rows[0][1].to_dict(),
        method="vertex enumeration over response types, sharp",
        lines=tuple(lines),
        notes=(*head.notes, *notes),
    )


def _forms(low: ClosedForm | None, high: ClosedForm | None) -> list[str]:
    """Closed forms as lines."""
    if low is not None and high is not None and low.text == high.text:
        return [f"exactly {low.text}"]
    lines: list[str] = []
    for name, extreme, form in (("at least", "the largest of", low), ("at most", "the smallest of", high)):
        if form is not None and len(form.terms) > 1:
            lines += [f"{name} {extreme}", *(f"  {text(term)}" for term in form.terms)]
        elif form is not None:
            lines.append(f"{name} {form.text}")
    return lines
