"""The doors to the widget: `explore` from Python, `%suture explore QUERY [in MODEL] [from DATA]` from a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.formula import Formula
from ..dsl.program import Estimate, Identify
from ..dsl.program import Model as ResolvedModel
from ..dsl.resolve import read_query
from ..dsl.source import Source
from ..engine import Session
from ..library import Model
from ..semantics.data.empirical import Empirical, from_columns
from .exploration import Exploration, one_kernel

if TYPE_CHECKING:
    from .widget import Explorer

WORD = "explore"


def explore(
    model: Model | str, query: str, data: Any = None, weight: str | None = None, **parameters: float
) -> Explorer:
    """A widget that shows `query` about `model` and lets the reader change it: click a box to observe or set it.

    With `data` (a pandas, polars, pyarrow or DuckDB table or a dict of columns, `weight` the column of row counts) the
    answer's number is estimated; without, it is computed where every mechanism is given.  A model's parameters get
    sliders that start at `parameters`.  Raises `SutureError` where the query is not one distribution (S611), does not
    fit the model, or anywidget is not installed (S605).
    """
    face = Model(model) if isinstance(model, str) else model
    formula = read_query(query, face.resolved).formula
    table = None if data is None else from_columns(data, face.resolved, weight)
    return _widget(face.resolved, formula, query, table, "data", parameters)


def explored(text: str, session: Session, place: str = "explore") -> Explorer:
    """The widget of `explore QUERY [in MODEL] [from DATA]`, in a session's names; messages call the text `place`.

    Raises `SutureError` as `identify` or `estimate` with the same words does.
    """
    rest = text.strip().removeprefix(WORD)
    source = Source(f"{'estimate' if _from_data(rest) else 'identify'}{rest}", place)
    (statement, *_) = session.enter(source)
    if isinstance(statement, Estimate):
        table: Empirical | None = session.table(statement.sources[0])
        named = statement.sources[0]
    elif isinstance(statement, Identify) and not statement.sources:
        table, named = None, "data"
    else:
        raise SutureError(Diagnostic("S611", "explore takes one query, and data that answer it"), source)
    query = statement.query
    return _widget(session.program.models[query.model], query.formula, query.text, table, named, {})


def _from_data(text: str) -> bool:
    return " from " in f" {text} "


def _widget(
    model: ResolvedModel, formula: Formula, written: str, table: Any, source: str, parameters: dict[str, float]
) -> Explorer:
    exploration = Exploration(model, table, source)
    state = exploration.start(one_kernel(formula, written), parameters)
    try:
        from .widget import Explorer
    except ImportError:
        help = "pip install 'suture[notebook]', or anywidget alone"
        raise SutureError(Diagnostic("S605", "the widget needs anywidget, which is not installed", help=help)) from None
    return Explorer(exploration, state)
