"""From the surface tree to the resolved program: every name, value and arity is checked once, here.

Definitions come first, in an order that does not matter to the reader: models, domains, data, then queries and actions.
What is wrong is collected, so that one run tells all; a definition that failed is remembered as broken, so that its
uses are not reported again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from . import tree
from .diagnostics import Diagnostic, SutureError
from .parser import parse, parse_expression, parse_inside
from .program import Data, Domain, Inline, Model, Program, Query, Search, Statement
from .resolve_data import resolve_data
from .resolve_models import resolve_domain, resolve_model
from .resolve_queries import QueryResolver
from .resolve_statements import StatementResolver
from .scope import Handed, Scope
from .source import Source, Span

Definition = TypeVar("Definition")
Network: TypeAlias = Callable[[tree.Model], Model]


def resolve(
    program: tree.Program, source: Source, network: Network | None = None, handed: Handed | None = None
) -> Program:
    """The resolved program; `network` reads the model that a statement `model M from "file"` names, and `handed` are
    models and tables that come from outside.

    Domains are found by their name; one whose name another model's domain has too, by `MODEL.NAME`.  A query of a
    program with several models is resolved for the first model that has all its names.
    Raises `SutureError` with every problem; what is wrong inside a network's file comes first and alone.
    """
    scope = Scope(source)
    if handed is not None:
        _take(scope, handed)
    _definitions(scope, program, network)
    queries = _queries(scope)
    statements = tuple(_statements(scope, program))
    if scope.problems:
        raise SutureError(sorted(scope.problems, key=_place), source)
    return Program(source, scope.models, _domains(scope), scope.data, queries, statements)


def read_model(text: str) -> Model:
    """The model that a text describes: the inside of a model, named `Model`, or a whole `model NAME { .. }`.

    Raises `SutureError` where the text is not one model.

    >>> read_model("X -> M -> Y ; X <-> Y").observed
    ('X', 'M', 'Y')
    """
    source = Source(text)
    program = parse(source) if text.split(None, 1)[:1] == ["model"] else _anonymous(source)
    if len(program.statements) != 1 or not isinstance(program.statements[0], tree.Model):
        problem = Diagnostic("S019", "expected one model", help="write arrows, X -> Y ; X <-> Y, or model M { .. }")
        raise SutureError(problem, source)
    return next(iter(resolve(program, source).models.values()))


def _anonymous(source: Source) -> tree.Program:
    """The inside of a model as a program with one model, called `Model`."""
    items = parse_inside(source)
    return tree.Program((tree.Model(tree.Name("Model"), items, span=Span(0, len(source.text), 1, 1)),))


def read_query(text: str, model: Model) -> Query:
    """The query that a text spells, about `model`.

    Raises `SutureError` where the text is not a query about it.

    >>> read_query("P(Y | do(X))", read_model("X -> Y")).text
    'P(Y | do(X))'
    """
    source = Source(text)
    expression = parse_expression(source)
    scope = Scope(source, models={model.name: model})
    query = QueryResolver(scope, model).query(expression)
    if query is None:
        raise SutureError(sorted(scope.problems, key=_place), source)
    return query


def read_domain(name: str, text: str, model: Model) -> Domain:
    """The domain of `model` that a text spells, the inside of `domain NAME of M { .. }`.

    Raises `SutureError` where the text is not that.

    >>> list(read_domain("rural", "X ~ any", read_model("Y -> X ; mutable X")).mechanisms)
    ['X']
    """
    source = Source(f"domain {name} of {model.name} {{ {text} }}")
    (statement,) = parse(source).statements
    assert isinstance(statement, tree.Domain)
    scope = Scope(source, models={model.name: model}, kinds={model.name: ("model", Span(0, 0, 0, 0))})
    found = resolve_domain(scope, statement)
    if found is None:
        raise SutureError(sorted(scope.problems, key=_place), source)
    return found


def read_search(
    text: str,
    model: Model,
    domains: Sequence[Domain] = (),
    over: Sequence[str] = (),
    environments: Sequence[str] = (),
) -> Search:
    """The search for a predictor that a text spells, about `model` and its domains, `over` some of them.

    `environments` name data sets that it is made from.  Raises `SutureError` where the text is no such statement.

    >>> read_search("search predictor of Y from {X} minimax log_loss", read_model("Y -> X ; mutable X")).changing
    ('X',)
    """
    source = Source(text)
    program = parse(source)
    scope = Scope(source, models={model.name: model}, kinds={model.name: ("model", Span(0, 0, 0, 0))})
    scope.domains = {(model.name, domain.name): domain for domain in domains}
    scope.data = {name: Data(name, model.name, Inline((), ())) for name in environments}
    action = program.statements[0]
    assert isinstance(action, tree.Search)
    whole = Span(0, len(text), 1, 1)
    sources = tuple(tree.Name(name, whole) for name in environments)
    action = replace(action, sources=sources, domains=tuple(tree.Name(name, whole) for name in over))
    found = StatementResolver(scope).resolve(action)
    if not isinstance(found, Search):
        raise SutureError(sorted(scope.problems, key=_place), source)
    return found


def _place(problem: Diagnostic) -> int:
    return problem.span.start if problem.span else 0


# ---------------------------------------------------------------------------------------------------------------------
# Definitions


def _take(scope: Scope, handed: Handed) -> None:
    """What is handed over is there before the program is read."""
    scope.models.update(handed.models)
    scope.kinds.update({name: ("model", model.span or tree.NOWHERE) for name, model in handed.models.items()})
    scope.frames = handed.frames


def _definitions(scope: Scope, program: tree.Program, network: Network | None) -> None:
    """Models, then domains, then data; all names are taken first, so that order in the file does not matter."""
    mine = [statement for statement in program.statements if _define(scope, statement)]
    for model in (statement for statement in mine if isinstance(statement, tree.Model)):
        made = resolve_model(scope, model) if model.origin is None else _from_file(scope, model, network)
        _keep(scope, scope.models, model.name, made)
    for domain in (statement for statement in mine if isinstance(statement, tree.Domain)):
        made = resolve_domain(scope, domain)
        if made is None:
            scope.broken.add(domain.name.text)
        else:
            scope.domains[made.model, made.name] = made
    for data in (statement for statement in mine if isinstance(statement, tree.Data)):
        _keep(scope, scope.data, data.name, resolve_data(scope, data))
    for fit in (statement for statement in mine if isinstance(statement, tree.Fit)):
        if fit.name is not None:
            own = [scope.data[source.text] for source in fit.sources if source.text in scope.data]
            scope.derived[fit.name.text] = fit.model.text, tuple(data.domain or data.name for data in own)


def _from_file(scope: Scope, model: tree.Model, network: Network | None) -> Model | None:
    """The model in a file, or None with a problem noted; errors inside the file are raised as they are."""
    place = model.origin.span if model.origin else model.span
    if network is None:
        text = "a model from a file needs a program, which has a folder"
        scope.report("S019", text, place, "not here", "in Python, write Model.from_file")
        return None
    try:
        return network(model)
    except SutureError as error:
        if error.source is not None:
            raise
        scope.take(error)
        return None


def _keep(scope: Scope, place: dict[str, Definition], name: tree.Name, definition: Definition | None) -> None:
    if definition is None:
        scope.broken.add(name.text)
    else:
        place[name.text] = definition


def _define(scope: Scope, statement: tree.Statement) -> bool:
    """Take the name a statement introduces; whether it is new, or the statement introduces none."""
    match statement:
        case tree.Model(name):
            return scope.define(name, "model")
        case tree.Domain(name, model):
            return _define_domain(scope, name, model)
        case tree.Data(name):
            return scope.define(name, "data set")
        case tree.Query(name):
            new = scope.define(name, "query")
            if new:
                scope.queries[name.text] = statement
            return new
        case tree.Canonicalise(model, domains, tree.Name() as name):
            if scope.define(name, "model made by canonicalise"):
                scope.derived[name.text] = model.text, tuple(domain.text for domain in domains)
        case tree.Fit(name=tree.Name() as name):
            scope.define(name, "model made by fit")
        case tree.Identify(_, _, _, _, tree.Name() as name) | tree.Bound(_, _, _, tree.Name() as name):
            scope.define(name, "answer")
        case tree.Estimate(_, _, _, _, tree.Name() as name):
            scope.define(name, "answer")
        case _:
            pass
    return True


def _define_domain(scope: Scope, name: tree.Name, model: tree.Name) -> bool:
    """Domains of two models may share a name; two of one model may not."""
    key = tree.Name(f"{model.text}.{name.text}", name.span)
    return scope.define(key, "domain")


def _domains(scope: Scope) -> dict[str, Domain]:
    names = [name for _, name in scope.domains]
    return {
        name if names.count(name) == 1 else f"{model}.{name}": domain for (model, name), domain in scope.domains.items()
    }


# ---------------------------------------------------------------------------------------------------------------------
# Queries and actions


def _queries(scope: Scope) -> dict[str, Query]:
    """Every defined query, resolved for the only model, or for the only model that has all of its names."""
    found: dict[str, Query] = {}
    for name, definition in scope.queries.items():
        query = _fitting(scope, definition)
        if query is not None:
            found[name] = query
    return found


def _fitting(scope: Scope, definition: tree.Query) -> Query | None:
    """The query for the first model it fits; where it fits none, the problems it has with the nearest are noted."""
    attempts: list[list[Diagnostic]] = []
    for model in scope.models.values():
        before = len(scope.problems)
        query = QueryResolver(scope, model, [definition.name.text]).query(definition.expression, definition.name.text)
        if query is not None:
            return query
        attempts.append(scope.problems[before:])
        del scope.problems[before:]
    scope.broken.add(definition.name.text)
    if len(scope.models) < len(scope.names_of("model")):
        return None
    if attempts:
        scope.take(SutureError(min(attempts, key=len)))
    else:
        StatementResolver(scope).model(None, definition.span)
    return None


def _statements(scope: Scope, program: tree.Program) -> Iterator[Statement]:
    resolver = StatementResolver(scope)
    for statement in program.statements:
        if isinstance(statement, tree.Model | tree.Domain | tree.Data | tree.Query):
            continue
        made = resolver.resolve(statement)
        if made is not None:
            yield made
