"""Where each name of a program is defined and used: what editors need for jumps, references and renaming.

Names are found in the surface tree alone, so that a program whose numbers do not add up has them too.  What a name
means depends on the statement it stands in: a variable belongs to a model, a domain to a model, all else to the
program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import assert_never

from . import tree
from .source import Span


class Kind(Enum):
    """What a name stands for."""

    MODEL = "model"
    VARIABLE = "variable"
    DOMAIN = "domain"
    DATA = "data set"
    QUERY = "query"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that has a name; `model` is that of a variable or a domain, and None for all else."""

    kind: Kind
    name: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a symbol is named; `defines` where that is what introduces it."""

    symbol: Symbol
    span: Span
    defines: bool = False


def occurrences(program: tree.Program, queries: Mapping[str, str] | None = None) -> tuple[Occurrence, ...]:
    """Every place of every name, in the order of the text.

    `queries` tells the model of a query where there are several models, by the query's name.

    >>> from .parser import parse
    >>> from .source import Source
    >>> found = occurrences(parse(Source("model M { X -> Y }\\nidentify P(Y | do(X))")))
    >>> [(each.symbol.name, each.span.start, each.defines) for each in found]
    [('M', 6, True), ('X', 10, True), ('Y', 15, True), ('Y', 30, False), ('X', 37, False)]
    """
    names = _Names.of(program, queries or {})
    found = chain.from_iterable(names.statement(statement) for statement in program.statements)
    placed = {each.span.start: each for each in sorted(found, key=lambda each: (each.span.start, each.defines))}
    return tuple(placed[start] for start in sorted(placed) if placed[start].span.end > placed[start].span.start)


def symbol_at(found: Iterable[Occurrence], place: int) -> Occurrence | None:
    """The occurrence that covers a character, or ends right before it."""
    touching = [each for each in found if each.span.start <= place <= each.span.end]
    return next((each for each in touching if place < each.span.end), touching[0] if touching else None)


def variables_of(model: tree.Model) -> tuple[str, ...]:
    """The names of a model's variables: those it declares, and where it declares none those of its arrows."""
    declared = [name.text for item in model.items if isinstance(item, tree.Declaration) for name in item.names]
    drawn = [
        name.text
        for item in model.items
        if isinstance(item, tree.Edges)
        for group in item.groups
        for name in group.names
    ]
    return tuple(dict.fromkeys(declared or drawn))


@dataclass(frozen=True)
class _Names:
    """What the definitions of a program introduce, and the walk over everything that names it."""

    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    data: frozenset[str] = frozenset()
    queries: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    asked: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, program: tree.Program, asked: Mapping[str, str]) -> _Names:
        variables = dict[str, tuple[str, ...]]()
        derived = dict[str, str]()
        data, queries, answers = set[str](), set[str](), set[str]()
        for statement in program.statements:
            match statement:
                case tree.Model(name):
                    variables.setdefault(name.text, variables_of(statement))
                case tree.Data(name):
                    data.add(name.text)
                case tree.Query(name):
                    queries.add(name.text)
                case tree.Canonicalise(model, _, tree.Name(text)) | tree.Fit(model=model, name=tree.Name(text)):
                    derived[text] = model.text
                case tree.Identify(name=tree.Name(text)) | tree.Estimate(name=tree.Name(text)):
                    answers.add(text)
                case tree.Bound(name=tree.Name(text)):
                    answers.add(text)
                case _:
                    pass
        return cls(variables, derived, frozenset(data), frozenset(queries), frozenset(answers), asked)

    # -- scopes

    def _root(self, model: str | None) -> str | None:
        """The model of the program that a model is, or that it was made from."""
        for _ in range(len(self.derived)):
            if model is None or model in self.variables or model not in self.derived:
                break
            model = self.derived[model]
        return model

    def _only(self, named: tree.Name | None) -> str | None:
        """The model that a statement is about: the one it names, or the only one there is."""
        if named is not None:
            return self._root(named.text)
        return next(iter(self.variables)) if len(self.variables) == 1 else None

    # -- single names

    def _model(self, name: tree.Name | None, defines: bool = False) -> Iterator[Occurrence]:
        if name is not None:
            yield Occurrence(Symbol(Kind.MODEL, name.text), name.span, defines)

    def _named(self, kind: Kind, name: tree.Name | None, defines: bool = False) -> Iterator[Occurrence]:
        if name is not None:
            yield Occurrence(Symbol(kind, name.text), name.span, defines)

    def _domain(self, name: tree.Name | None, model: str | None, defines: bool = False) -> Iterator[Occurrence]:
        if name is not None:
            yield Occurrence(Symbol(Kind.DOMAIN, name.text, model), name.span, defines)

    def _variable(
        self, name: tree.Name | tree.Reference | tree.Label, model: str | None, defines: bool = False
    ) -> Iterator[Occurrence]:
        text = name.name if isinstance(name, tree.Reference) else name.text
        if model is not None and text in self.variables.get(model, ()):
            yield Occurrence(Symbol(Kind.VARIABLE, text, model), name.span, defines)

    # -- statements

    def statement(self, statement: tree.Statement) -> Iterator[Occurrence]:
        """The names in one statement."""
        match statement:
            case tree.Model():
                yield from self._model(statement.name, True)
                yield from self._items(statement)
            case tree.Domain(name, model, replacements):
                yield from self._domain(name, model.text, True)
                yield from self._model(model)
                for part in replacements:
                    yield from self._variable(part.variable, model.text)
                    yield from self._mechanism(part.mechanism, model.text)
            case tree.Data():
                yield from self._data(statement)
            case tree.Query(name, expression):
                yield from self._named(Kind.QUERY, name, True)
                yield from self._expression(expression, self.asked.get(name.text, self._only(None)))
            case _:
                yield from self._action(statement)

    def _items(self, model: tree.Model) -> Iterator[Occurrence]:
        declares = any(isinstance(item, tree.Declaration) for item in model.items)
        drawn = set[str]()
        for item in model.items:
            match item:
                case tree.Declaration(names, _, _, mechanism):
                    for name in names:
                        yield from self._variable(name, model.name.text, True)
                    if mechanism is not None:
                        yield from self._mechanism(mechanism, model.name.text)
                case tree.Edges(groups):
                    for name in chain.from_iterable(group.names for group in groups):
                        yield from self._variable(name, model.name.text, not declares and name.text not in drawn)
                        drawn.add(name.text)
                case tree.Mutable(names):
                    for name in names:
                        yield from self._variable(name, model.name.text)

    def _mechanism(self, mechanism: tree.Mechanism, model: str) -> Iterator[Occurrence]:
        match mechanism:
            case tree.TableMechanism(parents, rows):
                for parent in parents:
                    yield from self._variable(parent, model)
                weights = chain.from_iterable(row.weights for row in rows)
            case tree.WeightsMechanism(pairs):
                weights = (weight for _, weight in pairs)
            case tree.FamilyMechanism(_, arguments):
                weights = iter(arguments)
            case tree.EquationMechanism(expression):
                weights = iter((expression,))
            case tree.AnyMechanism() | tree.NumbersMechanism():
                weights = iter(())
            case _:
                assert_never(mechanism)
        for weight in weights:
            yield from self._expression(weight, model)

    def _data(self, data: tree.Data) -> Iterator[Occurrence]:
        model = data.model.text
        yield from self._named(Kind.DATA, data.name, True)
        yield from self._model(data.model)
        if data.do is not None:
            yield from self._events(data.do.events, model)
        yield from self._domain(data.domain, model)
        if isinstance(data.origin, tree.InlineTable) and data.origin.rows:
            for cell in data.origin.rows[0].cells:
                if cell.span.end - cell.span.start == len(cell.text):
                    yield from self._variable(cell, model)

    def _action(self, action: tree.Action) -> Iterator[Occurrence]:
        match action:
            case tree.Identify(query, named, sources, _, name) | tree.Bound(query, named, sources, name):
                yield from self._asking((query,), named)
                yield from self._sources(sources, self._only(named))
                yield from self._named(Kind.ANSWER, name, True)
            case tree.Estimate(query, named, sources, _, name):
                yield from self._asking((query,), named)
                yield from self._sources(sources, None)
                yield from self._named(Kind.ANSWER, name, True)
            case tree.Compute(queries, named):
                yield from self._asking(queries, named)
            case tree.Independent(first, second, given, named):
                yield from self._variables((first, second, *given), named)
            case tree.Adjust(left, right, named, sources):
                yield from self._variables((*left.names, *right.names), named)
                yield from self._sources(sources, self._only(named))
            case tree.Show(model, do, worlds):
                yield from self._model(model)
                yield from self._events(do.events if do else (), self._root(model.text))
                if worlds is not None:
                    yield from self._expression(worlds, self._root(model.text))
            case tree.Search(outcome, features, named, domains, sources=sources):
                yield from self._variables((outcome, *features), named)
                yield from self._sources(sources, self._only(named))
                for domain in domains:
                    yield from self._domain(domain, self._only(named))
            case tree.Assert(named, claim):
                yield from self._claim(named, claim)
            case _:
                yield from self._across(action)

    def _across(
        self, action: tree.Canonicalise | tree.Equivalent | tree.Counterfactual | tree.Fit | tree.Cause
    ) -> Iterator[Occurrence]:
        """The names in statements about several domains, and about causes."""
        match action:
            case tree.Canonicalise(model, domains, name):
                yield from self._model(model)
                yield from self._model(name, True)
                for domain in domains:
                    yield from self._domain(domain, self._root(model.text))
            case tree.Equivalent(first, second, domains):
                yield from chain(self._model(first), self._model(second))
                for domain in domains:
                    yield from self._domain(domain, self._root(first.text))
            case tree.Counterfactual(sample, named, start, end):
                yield from self._variables((part.variable for part in sample), named)
                for domain in (start, end):
                    yield from self._domain(domain, self._only(named))
            case tree.Fit(model, sources, _, _, name):
                yield from self._model(model)
                yield from self._sources(sources, None)
                yield from self._model(name, True)
            case tree.Cause(cause, effect, named, context):
                yield from self._variables((part.variable for part in (*cause, *effect, *context)), named)
            case _:
                assert_never(action)

    def _claim(self, named: tree.Name | None, claim: tree.Expression | tree.Identify) -> Iterator[Occurrence]:
        yield from self._model(named)
        if isinstance(claim, tree.Identify):
            yield from self._action(claim)
        else:
            yield from self._expression(claim, self._only(named))

    def _asking(self, queries: Iterable[tree.Expression], named: tree.Name | None) -> Iterator[Occurrence]:
        yield from self._model(named)
        for query in queries:
            yield from self._expression(query, self._only(named))

    def _variables(self, names: Iterable[tree.Name], named: tree.Name | None) -> Iterator[Occurrence]:
        yield from self._model(named)
        for name in names:
            yield from self._variable(name, self._only(named))

    def _sources(
        self, sources: Iterable[tree.DistributionSource | tree.Name], model: str | None
    ) -> Iterator[Occurrence]:
        for source in sources:
            if isinstance(source, tree.Name):
                yield from self._named(Kind.DATA, source)
            else:
                yield from self._expression(source.distribution, model)
                yield from self._domain(source.domain, model)

    # -- expressions

    def _events(self, events: Iterable[tree.Given], model: str | None) -> Iterator[Occurrence]:
        for event in events:
            match event:
                case tree.Event(variable):
                    world = isinstance(variable, tree.World)
                    yield from self._expression(variable, model) if world else self._variable(variable, model)
                case tree.Do(inner):
                    yield from self._events(inner, model)
                case tree.InDomain(domain):
                    yield from self._domain(domain, model)

    def _expression(self, expression: tree.Expression, model: str | None) -> Iterator[Occurrence]:
        match expression:
            case tree.Reference(name):
                variable = list(self._variable(expression, model))
                if variable or name not in self.queries | self.answers:
                    yield from variable
                else:
                    kind = Kind.QUERY if name in self.queries else Kind.ANSWER
                    yield Occurrence(Symbol(kind, name), expression.span)
            case tree.World(variable, settings):
                yield from self._variable(variable, model)
                for setting in settings:
                    yield from self._setting(setting, model)
            case tree.Probability(outcomes, given, source):
                yield from self._events((*outcomes, *given), model)
                yield from self._source_of(source, model)
            case tree.Expectation(body, given, source):
                yield from self._expression(body, model)
                yield from self._events(given, model)
                yield from self._source_of(source, model)
            case tree.Effect():
                yield from self._variable(expression.treatment, model)
                yield from self._events((expression.outcome, *expression.mediators, *expression.given), model)
            case _:
                for part in _parts(expression):
                    yield from self._expression(part, model)

    def _source_of(self, source: tree.Name | None, model: str | None) -> Iterator[Occurrence]:
        """The `trial` of `P[trial](..)`: a data set or a domain."""
        if source is not None and source.text in self.data:
            yield from self._named(Kind.DATA, source)
        else:
            yield from self._domain(source, model)

    def _setting(self, setting: tree.Setting, model: str | None) -> Iterator[Occurrence]:
        yield from self._variable(setting.variable, model)
        if isinstance(setting, tree.Swap):
            yield from self._domain(setting.domain, model)
        elif isinstance(setting.value, tree.World):
            yield from self._expression(setting.value, model)


def _parts(expression: tree.Expression) -> tuple[tree.Expression, ...]:
    """The expressions right inside one that is built by operators."""
    match expression:
        case tree.Unary(_, operand):
            return (operand,)
        case tree.Arithmetic(_, operands) | tree.Logic(_, operands) | tree.Comparison(_, operands):
            return operands
        case tree.Conditional(condition, first, second):
            return (condition, first, second)
        case tree.Call(_, arguments):
            return arguments
        case _:
            return ()
