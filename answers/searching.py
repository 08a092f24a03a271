"""Answers to `search predictor`: the chosen subset and its worst domain, in words, as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dsl.diagnostics import SutureError
from ..dsl.diagram import Diagram
from ..dsl.formula import Formula
from ..dsl.program import Domain, Model, Program, Search
from ..identify.derivation import Identified, Outcome
from .answer import Answer
from .answer_data import Estimand
from .search_graph import by_the_graph, identified
from .searching_data import Rows, found_in_data, found_in_rows, is_real, rows_of, with_compared, with_data

if TYPE_CHECKING:
    from ..identify.environments.environment_search import Options
    from ..identify.predictors.predictor_search import PredictorSearch
    from ..semantics.data.empirical import Empirical


def searched(
    head: Answer,
    statement: Search,
    program: Program,
    outcome: Callable[[Formula, Diagram], Outcome],
    table: Callable[[str], Empirical],
    folder: Path,
) -> Answer:
    """The answer to a search; paths of data are taken from `folder`.

    Raises `SutureError` where numbers are missing or the tables are too large.
    """
    model = program.models[statement.model]
    if statement.sources:
        known = dict(zip(statement.environments, statement.sources, strict=True))
        rows = rows_of(program, known, folder)
        return searched_in_data(head, statement, model, lambda name: table(known[name]), rows, outcome)
    if not any(name in model.mechanisms for name in model.by_name if name not in statement.changing):
        return by_the_graph(head, statement, model, outcome)
    over = [program.domains[_domain_key(program, statement.model, name)] for name in statement.domains]
    every = [domain for domain in program.domains.values() if domain.model == statement.model]
    found = _found(statement, model, over, over or every)
    answer = with_search(head, found, outcome, model.diagram)
    return _compared(answer, found) if statement.compared else answer


def _compared(answer: Answer, found: PredictorSearch) -> Answer:
    """The answer with other methods beside, made from the domains that the program spells out."""
    from ..identify.environments.spelled_out import compare_domains

    return with_compared(answer, compare_domains(found))


def searched_in_data(
    head: Answer,
    statement: Search,
    model: Model,
    table: Callable[[str], Empirical],
    rows: Rows,
    outcome: Callable[[Formula, Diagram], Outcome],
    options: Options | None = None,
) -> Answer:
    """The answer to a search from data of several environments, which `table` and `rows` read by their names.

    Raises `SutureError` as `search_environments` and `search_real` do.
    """
    from ..identify.environments.environment_search import Options

    chosen = options or Options(compared=statement.compared)
    if is_real(model, statement):
        found, data = found_in_rows(statement, model, rows, chosen)
    else:
        tables = {name: table(name) for name in statement.environments}
        found, data = found_in_data(statement, model, tables, chosen)
    head = replace(head, source=", ".join(statement.sources) or "data")
    return with_data(with_search(head, found, outcome, model.diagram), found, data, model)


def _found(statement: Search, model: Model, over: Sequence[Domain], given: Sequence[Domain]) -> PredictorSearch:
    """What a search finds in a model with numbers: a finite one, or one of real variables."""
    from ..identify.predictors.minimax_search import search
    from ..identify.predictors.minimax_setup import loss_named, selection_model

    asked = (model, statement.outcome, statement.features, statement.changing, over, given)
    if is_real(model, statement):
        return _real(asked)
    made = selection_model(*asked, within=statement.within)
    return search(made, loss_named(statement.loss, made.labels[statement.outcome]))


def _real(asked: tuple[Any, ...]) -> PredictorSearch:
    """What a search finds in a model of real variables: by linear algebra, and where that does not do by simulation."""
    from ..identify.predictors.linear_search import search_linear
    from ..identify.predictors.linear_setup import linear_selection
    from ..identify.predictors.simulated_search import search_simulated
    from ..identify.predictors.simulated_setup import NOT_LINEAR, simulated_selection

    try:
        made = linear_selection(*asked)
    except SutureError as error:
        if any(each.code not in NOT_LINEAR for each in error.diagnostics):
            raise
        return search_simulated(simulated_selection(*asked))
    return search_linear(made)


def _domain_key(program: Program, model: str, name: str) -> str:
    """Domains are found by their name, or by `MODEL.NAME` where two models have one of that name."""
    return name if name in program.domains and program.domains[name].model == model else f"{model}.{name}"


def with_search(
    head: Answer, found: PredictorSearch, outcome: Callable[[Formula, Diagram], Outcome], diagram: Diagram
) -> Answer:
    """The answer that shows what a search found; the predictor's formula is identified in the observed distribution."""
    from .search_words import lines, notes, worst_domain

    formula = found.chosen.predictor.formula
    assert formula is not None
    known = outcome(formula, diagram)
    answer = replace(head, estimand=Estimand(formula), method=_method(found), search=found)
    return replace(
        identified(answer, known),
        value=_value(found),
        exact=_exact(found),
        witness=worst_domain(found, found.chosen, str(head.model)),
        notes=tuple(notes(found, isinstance(known, Identified))),
        lines=tuple(lines(found)),
    )


# ---------------------------------------------------------------------------------------------------------------------
# JSON


def _method(found: PredictorSearch) -> str:
    from ..identify.predictors.linear_selection import LinearSelection
    from ..identify.predictors.simulated_selection import SimulatedSelection

    if isinstance(found.model, SimulatedSelection):
        return "simulation: regression for the predictors, gradient ascent for their worst domains"
    if isinstance(found.model, LinearSelection):
        return "linear algebra: the risk of an invariant predictor is the same in every domain"
    if found.counted is not None:
        return "all classes of subsets scored"
    return "branch and bound over classes of subsets"


def _value(found: PredictorSearch) -> dict[str, Any]:
    """The JSON of the language page."""
    minimax = found.minimax
    return {
        "chosen": list(found.chosen.members.boundary),
        "worst_case": float(found.chosen.worst),
        "kind": found.chosen.kind.value,
        "upper": None if found.chosen.upper is None else float(found.chosen.upper),
        "minimax": None if minimax is None else float(minimax.lower),
        "gap": None if found.gap is None else float(found.gap),
        "among": None if minimax is None else minimax.among,
        "condition": {"holds": found.condition.holds, "edge": found.condition.edge},
        "classes": [
            {
                "boundary": list(each.members.boundary),
                "members": each.members.members,
                "worst_case": float(each.worst),
                "kind": each.kind.value,
            }
            for each in found.classes
        ],
    }


def _exact(found: PredictorSearch) -> dict[str, Any] | None:
    """The rational numbers beside those of the value, where the model is rational."""
    if not isinstance(found.chosen.worst, Fraction):
        return None
    known = found.minimax is not None and found.minimax.exact
    return {
        "worst_case": str(found.chosen.worst),
        "minimax": str(found.minimax.lower) if known and found.minimax is not None else None,
        "gap": str(found.gap) if known else None,
        "classes": [{"boundary": list(each.members.boundary), "worst_case": str(each.worst)} for each in found.classes],
    }
