"""Answers to `bound`: numbers from data, closed forms where only the distributions are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .answer import Answer
from .answer_data import Status
from .dsl.diagnostics import Diagnostic, SutureError
from .dsl.formula_text import text
from .dsl.program import Bound, Model, Program
from .evidence import Evidence, Question, evidence
from .identify.derivation import Undecided

if TYPE_CHECKING:
    from .identify.bounds import Bounds, BoundsTable
    from .identify.symbolic_bounds import ClosedForm, SymbolicBounds
    from .semantics.empirical import Empirical


def bounded(
    head: Answer, statement: Bound, asked: Question, program: Program, load: Callable[[str], Empirical]
) -> Answer:
    """The bounds on a query from its sources.

    Raises `SutureError` where values are missing, the data contradict the model, or the problem is beyond the budget.
    """
    model = program.models[statement.query.model]
    known = evidence(program, model, asked, statement.sources, load, statement.span)
    if known.tables and len(known.tables) < len(known.sources):
        message = "bounds are from data sets or from named distributions, not from both at once"
        raise SutureError(Diagnostic("S501", message, statement.span, "names both"))
    return _from_data(head, asked, known, model) if known.tables else _in_closed_form(head, asked, known, model)


def _from_data(head: Answer, asked: Question, known: Evidence, model: Model) -> Answer:
    from .identify.bounds import Bounds, Setting, bounds
    from .identify.district_factors import from_data

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
    from .identify.symbolic_bounds import symbolic_bounds

    found = symbolic_bounds(asked.formula, known.diagram, _labels(model), known.sources)
    if isinstance(found, Undecided):
        return _undecided(head, found)
    return _closed(head, found)


def _closed(head: Answer, found: SymbolicBounds) -> Answer:
    lines = tuple(_forms(found.low, found.high))
    method = "vertex enumeration over response types, sharp"
    return replace(head, status=Status.BOUNDS, value=found.to_dict(), method=method, lines=lines)


def _forms(low: ClosedForm | None, high: ClosedForm | None) -> list[str]:
    """Closed forms as lines."""
    lines: list[str] = []
    for name, extreme, form in (("at least", "the largest of", low), ("at most", "the smallest of", high)):
        if form is not None and len(form.terms) > 1:
            lines += [f"{name} {extreme}", *(f"  {text(term)}" for term in form.terms)]
        elif form is not None:
            lines.append(f"{name} {form.text}")
    return lines
