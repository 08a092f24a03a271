"""From the parser's tree to the surface tree: one method of `Builder` a rule, called from the leaves up.

Walking is iterative, so depth costs no stack.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from lark import Token, Tree
from lark.tree import Meta

from . import tree
from .diagnostics import Diagnostic, SutureError
from .layout import token_span
from .source import Source, Span

Clause = tuple[str, Any, Span]
ASCII = {"→": "->", "←": "<-", "↔": "<->", "≤": "<=", "≥": ">=", "≠": "!=", "=": "==", "−": "-", "·": "*"}
MAX_DIGITS = 400
MAX_EXPONENT = 400


def plain(token: Token) -> str:
    """An operator or arrow in ASCII."""
    return ASCII.get(str(token), str(token))


def exact(token: Token) -> Fraction:
    """The number a token spells.

    Raises `SutureError` (S017) where it has hundreds of digits.
    """
    mantissa, _, exponent = token.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or abs(int(exponent[:6] or 0)) > MAX_EXPONENT:
        problem = Diagnostic("S017", "a number this long or this large cannot be read", token_span(token), "too long")
        raise SutureError(problem)
    return Fraction(str(token))


def build(parsed: Tree[Token], source: Source | None = None) -> Any:
    """The surface node of a parsed rule, its places in `source` where that is given."""
    builder = Builder(source)
    results: list[Any] = []
    waiting: list[tuple[Tree[Token] | Token | None, bool]] = [(parsed, False)]
    while waiting:
        node, done = waiting.pop()
        if not isinstance(node, Tree):
            results.append(node)
        elif done:
            first = len(results) - len(node.children)
            parts = results[first:]
            del results[first:]
            results.append(getattr(builder, node.data)(node.meta, *parts))
        else:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(node.children))
    return results[0]


class Builder:
    """Surface nodes from parsed rules; every method takes the rule's place and its parts."""

    def __init__(self, source: Source | None) -> None:
        self.source = source

    def place(self, meta: Meta) -> Span:
        """The place that a rule covers."""
        if meta.empty:
            return tree.NOWHERE
        return Span(meta.start_pos, meta.end_pos, meta.line, meta.column, self.source)

    def token_place(self, token: Token) -> Span:
        """Where a token stands."""
        return token_span(token, self.source)

    def program(self, meta: Meta, *statements: tree.Statement) -> tree.Program:
        return tree.Program(statements)

    # -- models and domains

    def model(
        self, meta: Meta, name: tree.Name, block: tuple[tuple[tree.Item, ...], Span] | tree.FilePath
    ) -> tree.Model:
        if isinstance(block, tree.FilePath):
            return tree.Model(name, (), block, span=self.place(meta))
        items, braces = block
        return tree.Model(name, items, None, braces, self.place(meta))

    def inside(self, meta: Meta, *items: tree.Item) -> tuple[tree.Item, ...]:
        return items

    def block(self, meta: Meta, *items: tree.Item) -> tuple[tuple[tree.Item, ...], Span]:
        return items, self.place(meta)

    def declaration(
        self,
        meta: Meta,
        latent: Token | None,
        names: tuple[tree.Name, ...],
        values: tree.Values | None,
        mechanism: tree.Mechanism | None,
    ) -> tree.Declaration:
        return tree.Declaration(names, latent is not None, values, mechanism, self.place(meta))

    def names(self, meta: Meta, *names: tree.Name) -> tuple[tree.Name, ...]:
        return names

    variables = names

    def mutable(self, meta: Meta, names: tuple[tree.Name, ...]) -> tree.Mutable:
        return tree.Mutable(names, self.place(meta))

    def edges(self, meta: Meta, *parts: Any) -> tree.Edges:
        return tree.Edges(tuple(parts[::2]), tuple(map(plain, parts[1::2])), self.place(meta))

    def single(self, meta: Meta, name: tree.Name) -> tree.Group:
        return tree.Group((name,), False, self.place(meta))

    def several(self, meta: Meta, names: tuple[tree.Name, ...]) -> tree.Group:
        return tree.Group(names, True, self.place(meta))

    def label_set(self, meta: Meta, *labels: tree.Label) -> tree.LabelSet:
        return tree.LabelSet(labels, self.place(meta))

    def range(self, meta: Meta, low: tree.Label, high: tree.Label) -> tree.Range:
        return tree.Range(low, high, self.place(meta))

    def integer(self, meta: Meta, *tokens: Token) -> tree.Label:
        return tree.Label(_integer("".join(map(plain, tokens)), self.place(meta)), self.place(meta))

    def reals(self, meta: Meta, dimension: Token | None) -> tree.Reals:
        if dimension is None:
            return tree.Reals(None, self.place(meta))
        number = int(_integer(str(dimension), self.token_place(dimension)))
        if not 1 <= number <= 1_000_000:
            raise SutureError(Diagnostic("S017", "a vector has 1 to 1,000,000 entries", self.token_place(dimension)))
        return tree.Reals(number, self.place(meta))

    def table(self, meta: Meta, parents: tuple[tree.Name, ...] | None, *rows: tree.Row) -> tree.TableMechanism:
        return tree.TableMechanism(parents or (), rows, self.place(meta))

    def row(
        self, meta: Meta, cells: tuple[tree.Label | None, ...] | None, weights: tuple[tree.Expression, ...]
    ) -> tree.Row:
        return tree.Row(cells or (), weights, self.place(meta))

    def cells(self, meta: Meta, *cells: tree.Label | Token) -> tuple[tree.Label | None, ...]:
        return tuple(cell if isinstance(cell, tree.Label) else None for cell in cells)

    def weights(self, meta: Meta, *weights: tuple[tree.Label, tree.Expression]) -> tree.WeightsMechanism:
        return tree.WeightsMechanism(weights, self.place(meta))

    def weight(self, meta: Meta, label: tree.Label, value: tree.Expression) -> tuple[tree.Label, tree.Expression]:
        return label, value

    def family(
        self, meta: Meta, name: tree.Name, arguments: tuple[tree.Expression, ...] | None
    ) -> tree.FamilyMechanism:
        return tree.FamilyMechanism(name, arguments or (), self.place(meta))

    def any(self, meta: Meta, interval: tree.Interval | None) -> tree.AnyMechanism:
        return tree.AnyMechanism(interval, self.place(meta))

    def equation(self, meta: Meta, expression: tree.Expression) -> tree.EquationMechanism:
        return tree.EquationMechanism(expression, self.place(meta))

    def domain(
        self,
        meta: Meta,
        name: tree.Name,
        model: tree.Name,
        replacements: tuple[tuple[tree.Replacement, ...], Span],
    ) -> tree.Domain:
        return tree.Domain(name, model, replacements[0], replacements[1], self.place(meta))

    def replacements(self, meta: Meta, *items: tree.Replacement) -> tuple[tuple[tree.Replacement, ...], Span]:
        return items, self.place(meta)

    def replacement(self, meta: Meta, name: tree.Name, mechanism: tree.Mechanism) -> tree.Replacement:
        return tree.Replacement(name, mechanism, self.place(meta))

    # -- data

    def data(self, meta: Meta, name: tree.Name, model: tree.Name, *parts: Any) -> tree.Data:
        origin = next(part for part in parts if isinstance(part, tree.InlineTable | tree.FilePath | tree.Name))
        clauses: dict[str, Any] = {}
        for clause, value, place in (part for part in parts if isinstance(part, tuple)):
            if clause in clauses:
                raise SutureError(Diagnostic("S018", "this clause is written twice", place, "a second time"))
            clauses[clause] = value
        return tree.Data(
            name, model, origin, clauses.get("weight"), clauses.get("do"), clauses.get("domain"), self.place(meta)
        )

    def weight_clause(self, meta: Meta, name: tree.Name) -> Clause:
        return "weight", name, self.place(meta)

    def under_clause(self, meta: Meta, do: tree.Do) -> Clause:
        return "do", do, self.place(meta)

    def domain_clause(self, meta: Meta, name: tree.Name) -> Clause:
        return "domain", name, self.place(meta)

    def inline(self, meta: Meta, *rows: tree.DataRow) -> tree.InlineTable:
        return tree.InlineTable(rows, self.place(meta))

    def data_row(self, meta: Meta, *cells: tree.Label) -> tree.DataRow:
        return tree.DataRow(cells, self.place(meta))

    def path(self, meta: Meta, path: Token) -> tree.FilePath:
        return tree.FilePath(path[1:-1], self.place(meta))

    # -- queries and actions

    def query(self, meta: Meta, name: tree.Name, expression: tree.Expression) -> tree.Query:
        return tree.Query(name, expression, self.place(meta))

    def identify(
        self,
        meta: Meta,
        query: tree.Expression,
        model: tree.Name | None,
        sources: tuple[tree.DistributionSource | tree.Name, ...] | None,
        method: tree.Name | None,
        name: tree.Name | None,
    ) -> tree.Identify:
        return tree.Identify(query, model, sources or (), method, name, self.place(meta))

    def estimate(
        self,
        meta: Meta,
        query: tree.Expression,
        model: tree.Name | None,
        sources: tuple[tree.Name, ...] | None,
        method: tree.Name | None,
        name: tree.Name | None,
        interval: Token | None,
    ) -> tree.Estimate:
        level = None if interval is None else tree.Number(exact(interval), str(interval), self.token_place(interval))
        return tree.Estimate(query, model, sources or (), method, name, level, self.place(meta))

    def compute(self, meta: Meta, queries: tuple[tree.Expression, ...], model: tree.Name | None) -> tree.Compute:
        return tree.Compute(queries, model, self.place(meta))

    def bound(
        self,
        meta: Meta,
        query: tree.Expression,
        model: tree.Name | None,
        sources: tuple[tree.DistributionSource | tree.Name, ...] | None,
        name: tree.Name | None,
    ) -> tree.Bound:
        return tree.Bound(query, model, sources or (), name, self.place(meta))

    def sources(self, meta: Meta, *sources: tree.DistributionSource | tree.Name) -> tuple[Any, ...]:
        return sources

    def distribution(
        self, meta: Meta, distribution: tree.Probability, domain: tree.Name | None
    ) -> tree.DistributionSource:
        return tree.DistributionSource(distribution, domain, self.place(meta))

    def independent(
        self,
        meta: Meta,
        first: tree.Name,
        second: tree.Name,
        given: tuple[tree.Name, ...] | None,
        model: tree.Name | None,
    ) -> tree.Independent:
        return tree.Independent(first, second, given or (), model, self.place(meta))

    def braced_names(self, meta: Meta, names: tuple[tree.Name, ...] | None) -> tuple[tree.Name, ...]:
        return names or ()

    def name_set(self, meta: Meta, names: tuple[tree.Name, ...]) -> tuple[tree.Name, ...]:
        return names

    def adjust(
        self,
        meta: Meta,
        treatment: tree.Group,
        arrow: Token,
        outcome: tree.Group,
        model: tree.Name | None,
        sources: tuple[tree.DistributionSource | tree.Name, ...] | None,
    ) -> tree.Adjust:
        return tree.Adjust(treatment, outcome, model, sources or (), self.place(meta))

    def show(self, meta: Meta, model: tree.Name, do: tree.Do | None, worlds: tree.Expression | None) -> tree.Show:
        return tree.Show(model, do, worlds, self.place(meta))

    def search(
        self,
        meta: Meta,
        outcome: tree.Name,
        features: tuple[tree.Name, ...],
        model: tree.Name | None,
        sources: tuple[tree.Name, ...] | None,
        domains: tuple[tree.Name, ...] | None,
        loss: tree.Name,
        within: tree.Expression | None,
        compared: Token | None,
    ) -> tree.Search:
        place, beside = self.place(meta), bool(compared)
        return tree.Search(outcome, features, model, domains or (), loss, within, sources or (), beside, place)

    def canonicalise(
        self, meta: Meta, model: tree.Name, domains: tuple[tree.Name, ...], name: tree.Name | None
    ) -> tree.Canonicalise:
        return tree.Canonicalise(model, domains, name, self.place(meta))

    def equivalent(
        self, meta: Meta, first: tree.Name, second: tree.Name, domains: tuple[tree.Name, ...]
    ) -> tree.Equivalent:
        return tree.Equivalent(first, second, domains, self.place(meta))

    def counterfactual(
        self,
        meta: Meta,
        sample: tuple[tree.Setup, ...],
        model: tree.Name | None,
        start: tree.Name,
        end: tree.Name,
    ) -> tree.Counterfactual:
        return tree.Counterfactual(sample, model, start, end, self.place(meta))

    def fit(
        self,
        meta: Meta,
        model: tree.Name,
        sources: tuple[tree.Name, ...],
        design: tree.Name,
        k: Token | None,
        name: tree.Name | None,
    ) -> tree.Fit:
        few = None if k is None else tree.Number(exact(k), str(k), self.token_place(k))
        return tree.Fit(model, sources, design, few, name, self.place(meta))

    def cause(
        self,
        meta: Meta,
        cause: tuple[tree.Setup, ...],
        effect: tuple[tree.Setup, ...],
        model: tree.Name | None,
        context: tuple[tree.Setup, ...],
    ) -> tree.Cause:
        return tree.Cause(cause, effect, model, context, self.place(meta))

    def setups(self, meta: Meta, *setups: tree.Setup) -> tuple[tree.Setup, ...]:
        return setups

    def setup(self, meta: Meta, name: tree.Name, value: tree.Label) -> tree.Setup:
        return tree.Setup(name, value, self.place(meta))

    def assertion(self, meta: Meta, model: tree.Name | None, claim: tree.Expression | tree.Identify) -> tree.Assert:
        return tree.Assert(model, claim, self.place(meta))

    def in_model(self, meta: Meta, name: tree.Name | None) -> tree.Name | None:
        return name

    # -- expressions

    def question(self, meta: Meta, expression: tree.Expression) -> tree.Expression:
        return expression

    def expressions(self, meta: Meta, *expressions: tree.Expression) -> tuple[tree.Expression, ...]:
        return expressions

    def conditional(
        self, meta: Meta, condition: tree.Expression, first: tree.Expression, second: tree.Expression
    ) -> tree.Conditional:
        return tree.Conditional(condition, first, second, self.place(meta))

    def disjunction(self, meta: Meta, *parts: Any) -> tree.Logic:
        return tree.Logic(str(parts[1]), parts[::2], self.place(meta))

    exclusive = disjunction
    conjunction = disjunction

    def unary(self, meta: Meta, *parts: Any) -> tree.Unary:
        operator = "-" if len(parts) == 2 else "not"
        return tree.Unary(operator, parts[-1], self.place(meta))

    def comparison(self, meta: Meta, *parts: Any) -> tree.Comparison:
        return tree.Comparison(tuple(map(plain, parts[1::2])), parts[::2], self.place(meta))

    def sum(self, meta: Meta, *parts: Any) -> tree.Arithmetic:
        return tree.Arithmetic(tuple(map(plain, parts[1::2])), parts[::2], self.place(meta))

    product = sum
    power = sum

    def number(self, meta: Meta, token: Token) -> tree.Number:
        return tree.Number(exact(token), str(token), self.place(meta))

    def text(self, meta: Meta, token: Token) -> tree.Text:
        return tree.Text(token[1:-1], self.place(meta))

    def reference(self, meta: Meta, name: tree.Name) -> tree.Reference:
        return tree.Reference(name.text, self.place(meta))

    def noise(self, meta: Meta) -> tree.Noise:
        return tree.Noise(self.place(meta))

    def call(self, meta: Meta, function: tree.Name, arguments: tuple[tree.Expression, ...]) -> tree.Call:
        return tree.Call(function, arguments, self.place(meta))

    def interval(self, meta: Meta, low: tree.Expression, high: tree.Expression) -> tree.Interval:
        return tree.Interval(low, high, self.place(meta))

    def world(self, meta: Meta, variable: tree.Name, settings: tuple[tree.Setting, ...]) -> tree.World:
        return tree.World(variable, settings, self.place(meta))

    def settings(self, meta: Meta, *settings: tree.Setting) -> tuple[tree.Setting, ...]:
        return settings

    def assign(self, meta: Meta, variable: tree.Name, value: tree.Label | tree.World | None) -> tree.Assign:
        return tree.Assign(variable, value, self.place(meta))

    def swap(self, meta: Meta, variable: tree.Name, domain: tree.Name) -> tree.Swap:
        return tree.Swap(variable, domain, self.place(meta))

    def every(self, meta: Meta) -> tree.Name:
        return tree.Name(".", self.place(meta))

    def probability(
        self,
        meta: Meta,
        source: tree.Name | None,
        outcomes: tuple[tree.Event | tree.Do, ...],
        given: tuple[tree.Given, ...] | None,
    ) -> tree.Probability:
        return tree.Probability(outcomes, given or (), source, self.place(meta))

    def expectation(
        self, meta: Meta, source: tree.Name | None, body: tree.Expression, given: tuple[tree.Given, ...] | None
    ) -> tree.Expectation:
        return tree.Expectation(body, given or (), source, self.place(meta))

    def events(self, meta: Meta, *events: Any) -> tuple[Any, ...]:
        return events

    only_events = events
    givens = events

    def event(self, meta: Meta, variable: tree.Name | tree.World, value: tree.Label | None) -> tree.Event:
        return tree.Event(variable, value, self.place(meta))

    def do(self, meta: Meta, events: tuple[tree.Event, ...]) -> tree.Do:
        return tree.Do(events, self.place(meta))

    def in_domain(self, meta: Meta, domain: tree.Name) -> tree.InDomain:
        return tree.InDomain(domain, self.place(meta))

    def effect(
        self,
        meta: Meta,
        kind: Token,
        contrast: tuple[tree.Name, tree.Label | None, tree.Label | None, tree.Event],
        mediators: tuple[tree.Event, ...] | None,
        given: tuple[tree.Given, ...] | None,
    ) -> tree.Effect:
        treatment, low, high, outcome = contrast
        return tree.Effect(str(kind), treatment, low, high, outcome, mediators or (), given or (), self.place(meta))

    def plain_contrast(self, meta: Meta, treatment: tree.Name, arrow: Token, outcome: tree.Event) -> tuple[Any, ...]:
        return treatment, None, None, outcome

    def leveled_contrast(
        self,
        meta: Meta,
        treatment: tree.Name,
        low: tree.Label,
        arrow: Token,
        high: tree.Label,
        outcome: tree.Event,
    ) -> tuple[Any, ...]:
        return treatment, low, high, outcome

    # -- names and labels

    def name(self, meta: Meta, token: Token) -> tree.Name:
        return tree.Name(_normal(token), self.token_place(token))

    variable = name

    def word_label(self, meta: Meta, token: Token) -> tree.Label:
        return tree.Label(_normal(token), self.token_place(token))

    def quoted_label(self, meta: Meta, token: Token) -> tree.Label:
        return tree.Label(_normal(token)[1:-1], self.token_place(token))

    def number_label(self, meta: Meta, *parts: Token | None) -> tree.Label:
        numbers = [part for part in parts if part is not None and part.type == "NUMBER"]
        values = [exact(number) for number in numbers]
        if len(values) == 2 and values[1] == 0:
            raise SutureError(
                Diagnostic("S017", "a fraction needs a denominator above zero", self.token_place(numbers[1]))
            )
        return tree.Label("".join(plain(part) for part in parts if part is not None), self.place(meta))


def _normal(token: Token) -> str:
    """A name in Unicode's composed form, so that two spellings of one letter are one name."""
    if token.isascii():
        return str(token)
    from unicodedata import normalize

    return normalize("NFC", token)


def _integer(text: str, place: Span) -> str:
    if len(text) > 18 or not text.lstrip("-").isdigit():
        raise SutureError(Diagnostic("S017", f"expected a whole number, found {text[:20]}", place, "not whole"))
    return text
