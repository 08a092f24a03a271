"""Data sets: columns, cells and weights of inline tables against the model; experiments and domains they come from."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from . import tree
from .diagnostics import did_you_mean, one_of
from .formula import Term
from .labels import number
from .program import Data, File, Frame, Inline, Model
from .resolve_queries import QueryResolver
from .scope import Scope, count


def resolve_data(scope: Scope, data: tree.Data) -> Data | None:
    """The checked data set, or None with its problems noted."""
    before = len(scope.problems)
    model = scope.model_named(data.model)
    if model is None:
        return None
    domain = data.domain and scope.domain_named(data.domain, model.name)
    do = _experiment(scope, data, model)
    origin = _origin(scope, data, model)
    if len(scope.problems) > before or (data.domain and not domain):
        return None
    weight = data.weight.text if data.weight else None
    return Data(data.name.text, model.name, origin, weight, do, domain.name if domain else None, data.span)


def _origin(scope: Scope, data: tree.Data, model: Model) -> Inline | File | Frame:
    match data.origin:
        case tree.FilePath(path, place):
            return File(path, place)
        case tree.Name(name, place):
            return Frame(name, place)
        case tree.InlineTable() as table:
            return _inline(scope, table, data.weight, model)


def _experiment(scope: Scope, data: tree.Data, model: Model) -> tuple[Term, ...]:
    """The variables that were set, each once and observed."""
    resolver = QueryResolver(scope, model)
    found: dict[str, Term] = {}
    for event in data.do.events if data.do else ():
        term = resolver.do_term(event)
        if term is None:
            continue
        if term.variable in found:
            scope.report("S402", f"{term.variable} is set twice in one experiment", event.span, "again")
        if model.by_name[term.variable].latent:
            text = f"{term.variable} is latent in model {model.name}, so an experiment cannot set it"
            scope.report("S401", text, event.span, "latent")
        found[term.variable] = term
    return tuple(found.values())


def _inline(scope: Scope, table: tree.InlineTable, weight: tree.Name | None, model: Model) -> Inline:
    if not table.rows:
        scope.report("S306", "this table is empty", table.span, "no columns", "the first row names the columns")
        return Inline((), ())
    header, *rows = table.rows
    columns = tuple(cell.text for cell in header.cells)
    _check_columns(scope, header, weight, model)
    if not rows:
        scope.report("S306", "this table has no rows", header.span, "only its columns are named")
    checked = tuple(_row(scope, row, columns, weight, model) for row in rows)
    return Inline(columns, checked, tuple(row.span for row in rows))


def _check_columns(scope: Scope, header: tree.DataRow, weight: tree.Name | None, model: Model) -> None:
    columns = [cell.text for cell in header.cells]
    name = weight.text if weight else None
    for place, cell in enumerate(header.cells):
        variable = model.by_name.get(cell.text)
        if cell.text in columns[:place]:
            scope.report("S307", f"column '{cell.text}' is listed twice", cell.span, "again")
        elif variable is None and cell.text != name:
            known = [*model.observed, *([name] if name else [])]
            help = did_you_mean(cell.text, known) or _column_advice(model, name)
            scope.report("S301", f"column '{cell.text}' is not in model {model.name}", cell.span, "not declared", help)
        elif variable is not None and variable.latent:
            text = f"column '{cell.text}' is latent in model {model.name}, so no data set can hold it"
            scope.report("S301", text, cell.span, "latent")
    if weight is not None and name not in columns:
        help = did_you_mean(weight.text, columns) or f"the columns are {one_of(columns)}"
        scope.report("S303", f"there is no column '{name}' for the weights", weight.span, "not a column", help)


def _column_advice(model: Model, weight: str | None) -> str:
    if weight is None:
        return "if it holds counts, write 'weight' and its name before the table"
    return f"the variables are {one_of(model.observed)}"


def _row(
    scope: Scope, row: tree.DataRow, columns: Sequence[str], weight: tree.Name | None, model: Model
) -> tuple[str, ...]:
    if len(row.cells) != len(columns):
        text = f"this row has {count(len(row.cells), 'cell')} for {count(len(columns), 'column')}"
        scope.report("S305", text, row.span, "", f"the columns are {', '.join(columns)}")
        return tuple(cell.text for cell in row.cells)
    return tuple(_cell(scope, cell, column, weight, model) for cell, column in zip(row.cells, columns, strict=True))


def _cell(scope: Scope, cell: tree.Label, column: str, weight: tree.Name | None, model: Model) -> str:
    """The cell with its label spelled as the variable declares it."""
    if weight is not None and column == weight.text:
        value = number(cell.text)
        if value is None or value < Fraction(0):
            what = "not a number" if value is None else "below zero"
            scope.report("S304", f"the weight '{cell.text}' is {what}", cell.span, what)
        return cell.text
    variable = model.by_name.get(column)
    if variable is None:
        return cell.text
    before = len(scope.problems)
    label = scope.known_label(cell, variable)
    if len(scope.problems) > before:
        # A cell is told apart from a label in a query: the mistake may be in the data or in the declaration.
        problem = scope.problems.pop()
        text = f"'{cell.text}' in column {column} is not a declared value"
        scope.report("S302", text, cell.span, problem.label, problem.help)
    return label or cell.text
