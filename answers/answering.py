"""From what an algorithm found to the answer that shows it: outcomes, tables, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from ..dsl.formula import Formula, Kernel, free_symbols, free_variables, kernels
from ..dsl.program import Model
from ..identify.algorithms import identify
from ..identify.derivation import Identified, NotIdentified, Outcome, Undecided
from ..semantics.real.gaussian_law import Law
from .answer import Answer
from .answer_data import Estimand, Status
from .evidence import Evidence

if TYPE_CHECKING:
    from ..semantics.factors import NamedTable


def with_outcome(head: Answer, outcome: Outcome, query: Formula) -> Answer:
    """The answer that an outcome of identification makes."""
    match outcome:
        case Identified(formula, derivation, method, requires, check):
            return replace(
                head,
                status=Status.IDENTIFIED,
                estimand=Estimand(formula),
                method=method,
                derivation=derivation,
                requires=requires,
                check=check,
                notes=head.notes + any_value_note(formula, query),
            )
        case NotIdentified(witness, derivation, method):
            return replace(
                head, status=Status.NOT_IDENTIFIED, method=method or None, derivation=derivation, witness=witness
            )
        case Undecided(reason, derivation, method):
            return replace(head, status=Status.UNDECIDED, method=method or None, derivation=derivation, reason=reason)
        case _:
            assert_never(outcome)


def with_models(answer: Answer, outcome: Outcome, query: Formula, model: Model, known: Evidence) -> Answer:
    """A negative answer with two models that agree on all sources and differ on the query, or why there are none."""
    if not isinstance(outcome, NotIdentified):
        return answer

    from ..identify.witnesses.model_pair import NoWitness
    from ..identify.witnesses.witness_domains import witness_of_domains

    kernel = _unanswered(query, known)
    if kernel is None or free_symbols(kernel):
        reason = "two models are built for a probability; ask for that part of the query alone"
        return replace(answer, models=NoWitness(reason))
    declared = {name: labels for name in model.observed if (labels := model.labels(name)) is not None}
    found = witness_of_domains(
        outcome.witness, kernel, known.diagram, known.sources, labels=declared, unnamed=model.name
    )
    return replace(answer, models=found)


def _unanswered(query: Formula, known: Evidence) -> Kernel | None:
    """The one kernel of a query that cannot be identified: models that differ on it differ on the whole."""
    if isinstance(query, Kernel):
        return query
    failed = [
        kernel
        for kernel in dict.fromkeys(kernels(query))
        if isinstance(identify(kernel, known.diagram, None, known.sources), NotIdentified)
    ]
    return failed[0] if len(failed) == 1 else None


def any_value_note(formula: Formula, query: Formula) -> tuple[str, ...]:
    """A note where the formula mentions variables on which its value does not depend."""
    extra = arbitrary(formula, query)
    return (f"the value is the same for every value of {', '.join(extra)}",) if extra else ()


def arbitrary(formula: Formula, query: Formula) -> tuple[str, ...]:
    """Variables the formula is a function of and the query is not: any value of theirs may be put in."""
    return tuple(sorted(free_variables(formula) - free_variables(query)))


def hidden_note(known: Evidence) -> tuple[str, ...]:
    """A note on variables that are latent only because some source does not measure them."""
    return (f"not measured everywhere: {', '.join(known.hidden)}; taken as latent",) if known.hidden else ()


def with_value(head: Answer, table: NamedTable) -> Answer:
    """The answer with a number, or a table where the query has free variables; exact entries go beside the floats."""
    if any(isinstance(entry, Law) for _, entry in table.rows()):
        return _with_laws(head, table)
    exact = any(not isinstance(number, float) for _, number in table.rows() if number is not None)
    if not table.variables:
        number = table.item()
        return replace(head, value=as_float(number), exact=str(number) if exact and number is not None else None)
    rows = [as_float(number) for _, number in table.rows()]
    if None in rows and exact and not any(isinstance(row, float) for row in rows):
        return replace(head, exact=table)
    import numpy as np

    floats = np.array([np.nan if row is None else row for row in rows]).reshape(table.values.shape)
    return replace(head, value=replace(table, values=floats), exact=table if exact else None)


def _with_laws(head: Answer, table: NamedTable) -> Answer:
    """The answer with the law of real variables, or with one for each case of finite ones."""
    rows = [(labels, entry) for labels, entry in table.rows()]
    lines: list[str] = []
    for labels, law in rows:
        case = ", ".join(f"{name} = {label}" for name, label in zip(table.variables, labels, strict=True))
        shown = law.lines() if isinstance(law, Law) else ("undetermined",)
        lines += [f"{case}:", *(f"  {line}" for line in shown)] if case else shown
    value, exact = (_laws_dict(table.variables, rows, spelled) for spelled in (False, True))
    is_exact = all(law.exact for _, law in rows if isinstance(law, Law))
    return replace(head, value=value, exact=exact if is_exact else None, lines=tuple(lines))


def _laws_dict(variables: Sequence[str], rows: Sequence[tuple[Sequence[str], Any]], exact: bool) -> dict[str, Any]:
    """Laws as JSON-ready data: one law as itself, several as the rows of a table."""
    made: list[list[Any]] = [[*labels, law.to_dict(exact) if isinstance(law, Law) else None] for labels, law in rows]
    return {"variables": list(variables), "rows": made} if variables else made[0][0]


def as_float(number: Any) -> float | None:
    """An exact number as a float; None for what is not determined or depends on parameters."""
    if number is None or getattr(number, "free_symbols", None):
        return None
    return float(number)
