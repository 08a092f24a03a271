"""Answers to `search predictor .. from data`: what the data add, in words, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.program import AnyMechanism, Model, Program, Real, Search
from .answer import Answer

if TYPE_CHECKING:
    from ..identify.environments.environment_search import EnvironmentFindings, Options
    from ..identify.environments.table_baselines import Compared
    from ..identify.predictors.predictor_search import PredictorSearch
    from ..identify.predictors.simulated_selection import SimulatedSelection
    from ..semantics.data.empirical import Empirical

Rows: TypeAlias = Callable[[str, Sequence[str]], Any]
"""Reads columns of an environment as an array of numbers, `rows columns`."""
WIDTH = 78
SHOWN = 12
"""Classes that the terminal shows; all of them are in the JSON."""


def is_real(model: Model, statement: Search) -> bool:
    """Whether a search is for a predictor of a real outcome."""
    return isinstance(model.by_name[statement.outcome].values, Real)


def rows_of(program: Program, sources: Mapping[str, str], folder: Path) -> Rows:
    """Reads the columns of a program's data sets, by the environments they are of.

    What it gives raises `SutureError` S497 for a table with weights, and what `real_rows` raises.
    """

    def read(name: str, columns: Sequence[str]) -> Any:
        from ..semantics.fitting.real_rows import real_rows

        data = program.data[sources[name]]
        if data.weight is not None:
            message = f"'{data.name}' has weights, and rows of real numbers are taken one by one"
            raise SutureError(Diagnostic("S497", message, data.span, help="give a row a unit"))
        return real_rows(data, columns, folder)

    return read


def rows_of_frames(frames: Mapping[str, Any], weight: str | None) -> Rows:
    """Reads columns of tables of Python.

    What it gives raises `SutureError` S497 where rows have weights, and S302, S308 or S309 for a column.
    """

    def read(name: str, columns: Sequence[str]) -> Any:
        from ..identify.predictors.affine_predictor import real_columns

        if weight is not None:
            message = "rows of real numbers are taken one by one, without weights"
            raise SutureError(Diagnostic("S497", message, help="give a row a unit, and leave weight out"))
        return real_columns(columns, frames[name])[0]

    return read


def found_in_rows(
    statement: Search, model: Model, rows: Rows, options: Options
) -> tuple[PredictorSearch, EnvironmentFindings]:
    """The search for a predictor of a real outcome; `rows` reads the columns named of each environment.

    Raises `SutureError` S497 for what is said of probabilities, and what `search_real` raises.
    """
    from ..identify.environments.real_search import needed_variables, search_real

    if statement.within is not None or statement.loss != "squared_loss":
        what = "'within' speaks of probabilities" if statement.within is not None else f"{statement.loss} is for labels"
        message = f"{what}, and {statement.outcome} is real"
        raise SutureError(Diagnostic("S497", message, help="write: minimax squared_loss"))
    variables = needed_variables(model, statement.outcome, statement.features)
    data = {name: rows(name, variables) for name in statement.environments}
    asked = (model, statement.outcome, statement.features, statement.changing)
    return search_real(*asked, data, variables, statement.domains, options)


def found_in_data(
    statement: Search, model: Model, tables: Mapping[str, Empirical], options: Options
) -> tuple[PredictorSearch, EnvironmentFindings]:
    """The search in the tables of named environments.

    Raises `SutureError` S497 where a feature is real, and what `search_environments` raises.
    """
    from ..identify.environments.environment_search import search_environments
    from ..identify.predictors.minimax_setup import loss_named

    for name in statement.features:
        if isinstance(model.by_name[name].values, Real):
            message = f"{name} is real and {statement.outcome} is not: a search from data is over one kind"
            raise SutureError(Diagnostic("S497", message, help=f"group the values of {name}, and declare the groups"))
    loss = loss_named(statement.loss, next(iter(tables.values())).labels(statement.outcome))
    return search_environments(
        model.diagram,
        statement.outcome,
        statement.features,
        statement.changing,
        tables,
        loss,
        statement.domains,
        statement.within,
        options,
    )


def with_data(answer: Answer, found: PredictorSearch, data: EnvironmentFindings, model: Model) -> Answer:
    """The answer to a search with what the data add to it."""
    assert isinstance(answer.value, Mapping)
    return replace(
        answer,
        method=f"{answer.method}, mechanisms from data",
        value={**answer.value, **_value(answer.value, found, data)},
        lines=(*answer.lines, *_lines(found, data)),
        notes=(*answer.notes, *_notes(found, data, model)),
        environments=data,
    )


def with_compared(answer: Answer, compared: Sequence[Compared]) -> Answer:
    """The answer with other methods beside."""
    assert isinstance(answer.value, Mapping)
    value = {**answer.value, "compare": _compare_value(compared)}
    loose = sum(each.worst_case is not None and not each.exact for each in compared)
    notes = (*answer.notes, f"worst cases of {loose} methods are lower bounds, marked >=") if loose else answer.notes
    return replace(answer, value=value, lines=(*answer.lines, *_compare_lines(compared)), notes=notes)


# ---------------------------------------------------------------------------------------------------------------------
# JSON


def _value(value: Mapping[str, Any], found: PredictorSearch, data: EnvironmentFindings) -> dict[str, Any]:
    """The fields of the language page that data add."""
    made: dict[str, Any] = {
        "classes": [
            {**own, "risks": dict(each.given), **_interval(data, place)}
            for place, (own, each) in enumerate(zip(value["classes"], found.classes, strict=True))
        ],
        "environments": [{"name": name, "rows": rows} for name, rows in data.environments],
        "mutable": list(data.mutable),
        "detected": data.detected,
        "tests": _tests_value(data),
        "level": None if data.detection is None else data.detection.level,
        "samples": None if data.bootstrap is None else data.bootstrap.draws,
    }
    return {**made, "compare": _compare_value(data.compared)} if data.compared else made


def _interval(data: EnvironmentFindings, place: int) -> dict[str, Any]:
    known = data.bootstrap
    if known is None or place >= known.worst.shape[1]:
        return {"interval": None, "wins": None}
    return {"interval": list(known.interval(place)), "wins": float(known.wins[place])}


def _tests_value(data: EnvironmentFindings) -> list[dict[str, Any]] | None:
    if data.detection is None:
        return None
    return [
        {
            "variable": test.variable,
            "given": list(test.given),
            "statistic": test.statistic,
            "p": test.p_value,
            "adjusted": test.adjusted,
        }
        for test in data.detection.tests
    ]


def _compare_value(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    return [
        {
            "method": each.name,
            "inputs": list(each.inputs),
            "risks": dict(each.risks),
            "worst_given": each.worst_given,
            "worst_case": each.worst_case,
            "upper": each.upper,
            "note": each.note,
        }
        for each in compared
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Words


def _lines(found: PredictorSearch, data: EnvironmentFindings) -> Iterator[str]:
    rows = ", ".join(f"{name} ({count:,.10g} rows)" for name, count in data.environments)
    yield f"{'data':<12}{rows}"
    how = "by tests of each mechanism" if data.detected else "as the model says"
    yield f"{'mutable':<12}{', '.join(data.mutable)}: {how}"
    yield ""
    if data.detection is not None:
        yield from _test_lines(data)
        yield ""
    if data.bootstrap is not None:
        yield from _interval_lines(found, data)
        yield ""
    if data.compared:
        yield from _compare_lines(data.compared)


def _test_lines(data: EnvironmentFindings) -> Iterator[str]:
    """A line a mechanism, with whether it differs."""
    assert data.detection is not None
    rows = [["mechanism", "given", "p", "p by Holm", ""]]
    for test in data.detection.tests:
        differs = "differs" if test.adjusted <= data.detection.level else ""
        given = ", ".join(test.given) or "nothing"
        rows.append([test.variable, given, f"{test.p_value:.2g}", f"{test.adjusted:.2g}", differs])
    yield "is each mechanism the same in all environments?"
    yield from table_text(rows)


def _interval_lines(found: PredictorSearch, data: EnvironmentFindings) -> Iterator[str]:
    known = data.bootstrap
    assert known is not None
    rows = [["subset", "worst case", f"{known.level:.0%} interval", "best in"]]
    for place, each in enumerate(found.classes[: min(SHOWN, known.worst.shape[1])]):
        low, high = known.interval(place)
        interval = f"{low:.4g} to {high:.4g}"
        rows.append([_set(each.members.boundary), f"{float(each.worst):.6g}", interval, f"{known.wins[place]:.1%}"])
    yield f"{known.draws} bootstrap samples of the environments"
    yield from table_text(rows)


def _compare_lines(compared: Sequence[Compared]) -> Iterator[str]:
    """A line a method; environments as far as the width goes, those that are worst for some method first."""
    names = [name for name, _ in compared[0].risks]
    rows = [["method", "worst case", "worst given", *names]]
    for each in compared:
        worst = "no bound" if each.worst_case is None else f"{'' if each.exact else '>= '}{each.worst_case:.4g}"
        given = "" if each.worst_given is None else f"{each.worst_given:.4g}"
        rows.append([each.name, worst, given, *(f"{risk:.4g}" for _, risk in each.risks)])
    yield "beside other methods: expected loss in the worst domain, and in those given"
    yield from table_text(rows)
    for each in compared:
        if each.note:
            yield f"  {each.name}: {each.note}"
    yield ""


def table_text(rows: Sequence[Sequence[str]], least: int = 3) -> Iterator[str]:
    """Rows in columns; the last columns are left out where they do not fit, but never the first few."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    while len(widths) > least and sum(widths) + 2 * len(widths) > WIDTH:
        widths.pop()
    for row in rows:
        yield "  " + "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)).rstrip()


def _set(names: Sequence[str]) -> str:
    return "{" + ", ".join(names) + "}"


def _shape(found: PredictorSearch) -> str:
    """What is assumed of the mechanisms of real variables."""
    from ..identify.predictors.simulated_selection import SimulatedSelection

    if isinstance(found.model, SimulatedSelection):
        ranges = [f"{name} from {low:.4g} to {high:.4g}" for name, low, high in _ranges(found.model)]
        return (
            "that mechanisms are smooth with noise that does not depend on their causes is an assumption; worst cases "
            f"are within {', '.join(ranges)}"
        )
    return "that mechanisms are linear with normal noise is an assumption: they are least squares regressions"


def _ranges(model: SimulatedSelection) -> Iterator[tuple[str, float, float]]:
    for name in model.changing:
        yield name, *model.range(name)


def _notes(found: PredictorSearch, data: EnvironmentFindings, model: Model) -> Iterator[str]:
    """What the numbers rest on."""
    if data.detected:
        yield (
            f"that only {', '.join(data.mutable)} may change is an assumption: tests do not see a mechanism that these "
            "environments share and others do not, nor a change too small for so many rows"
        )
    for name in data.contradicted:
        assert data.detection is not None
        said = f"the mechanism of {name} is said to be stable and differs (p = {data.detection.of(name).adjusted:.2g})"
        yield f"the data contradict the model: {said}"
    if data.bootstrap is None:
        yield "no samples are drawn: worst cases have no intervals"
    if isinstance(model.by_name[found.model.outcome].values, Real):
        yield _shape(found)
    if any(not isinstance(mechanism, AnyMechanism) for mechanism in model.mechanisms.values()):
        yield "mechanisms that the model gives are not used: all are estimated from the data"
    yield (
        "losses in environments are those of the rows that the predictors were made from; one above a worst case is "
        "of that environment's rows, and the worst case of mechanisms estimated from all"
    )
