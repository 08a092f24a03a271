"""Queries: surface arithmetic over P(..), E(..) and named effects becomes a formula over kernels of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from . import tree
from .diagnostics import Note, did_you_mean
from .expectation import Moment, Polynomial, expected
from .formula import ONE, ZERO, Constant, Formula, negative, plus, product, ratio
from .program import Query
from .resolve_effects import EffectResolver
from .source import Span
from .syntax_text import expression_text

MOST_MOMENTS = 256
MOST_POWER = 20


@dataclass
class QueryResolver(EffectResolver):
    """Queries about one model; names of other queries are replaced by what they stand for."""

    inside: list[str] = field(default_factory=list)

    def query(self, expression: tree.Expression, name: str | None = None) -> Query | None:
        """The checked query of an expression, or None with its problems noted."""
        before = len(self.scope.problems)
        formula = self.formula(expression)
        if formula is None or len(self.scope.problems) > before:
            return None
        asked = expression
        while isinstance(asked, tree.Reference):
            name = name or asked.name
            asked = self.scope.queries[asked.name].expression
        return Query(formula, self.model.name, expression_text(asked), name, expression.span)

    def formula(self, node: tree.Expression) -> Formula | None:
        """The formula of an expression; None where a problem was noted, or a name is broken."""
        match node:
            case tree.Number(value):
                return Constant(value)
            case tree.Reference():
                return self._named(node)
            case tree.Unary("-", operand):
                inner = self.formula(operand)
                return None if inner is None else _negated(inner)
            case tree.Arithmetic():
                return self._arithmetic(node)
            case tree.Probability():
                return self._probability(node)
            case tree.Expectation():
                return self._expectation(node)
            case tree.Effect():
                return self.effect(node)
            case _:
                self._no_query(node)
                return None

    # -- arithmetic

    def _named(self, node: tree.Reference) -> Formula | None:
        name = node.name
        definition = self.scope.queries.get(name)
        if definition is None:
            self._unknown_query(node)
            return None
        known = self.scope.formulas.get((self.model.name, name))
        if known is not None:
            return known
        if name in self.inside:
            chain = " -> ".join([*self.inside[self.inside.index(name) :], name])
            note = Note(definition.name.span, "defined here")
            self.scope.report("S408", f"query '{name}' refers to itself: {chain}", node.span, "", None, (note,))
            return None
        self.inside.append(name)
        try:
            formula = self.formula(definition.expression)
        finally:
            self.inside.pop()
        if formula is not None:
            self.scope.formulas[self.model.name, name] = formula
        return formula

    def _unknown_query(self, node: tree.Reference) -> None:
        if node.name in self.model.by_name:
            text = f"'{node.name}' is a variable, and a query asks for a probability or an expectation"
            self.scope.report("S406", text, node.span, "not a query", f"write P({node.name}) or E({node.name})")
            return
        self.scope.unknown("S105", "query", tree.Name(node.name, node.span), self.scope.queries)

    def _arithmetic(self, node: tree.Arithmetic) -> Formula | None:
        parts = [self.formula(operand) for operand in node.operands]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        if node.operators[0] in ("+", "-"):
            signs = ("+", *node.operators)
            return _sum([part if sign == "+" else _negated(part) for sign, part in zip(signs, known, strict=True)])
        result = known[0]
        for operator, part, operand in zip(node.operators, known[1:], node.operands[1:], strict=True):
            combined = self._combined(operator, result, part, operand.span)
            if combined is None:
                return None
            result = combined
        return result

    def _combined(self, operator: str, left: Formula, right: Formula, place: Span) -> Formula | None:
        match operator:
            case "*":
                return _times(left, right)
            case "/":
                return self._quotient(left, right, place)
            case _:
                return self._power(left, right, place)

    def _quotient(self, left: Formula, right: Formula, place: Span) -> Formula | None:
        if right == ZERO:
            self.scope.report("S216", "division by zero", place, "this is zero")
            return None
        if isinstance(right, Constant):
            return _times(Constant(1 / right.value), left)
        return ratio(left, right)

    def _power(self, base: Formula, exponent: Formula, place: Span) -> Formula | None:
        if not isinstance(exponent, Constant) or exponent.value.denominator != 1 or abs(exponent.value) > MOST_POWER:
            text = f"a power of a query is a whole number up to {MOST_POWER}"
            self.scope.report("S406", text, place, "not such a number")
            return None
        raised: Formula = ONE
        for _ in range(abs(int(exponent.value))):
            raised = _times(raised, base)
        return self._quotient(ONE, raised, place) if exponent.value < 0 else raised

    def _no_query(self, node: tree.Expression) -> None:
        help = "a query is arithmetic over P(..), E(..), named effects such as ate(X -> Y), and other queries"
        label = "not part of a query"
        match node:
            case tree.World(variable, _):
                text = f"'{expression_text(node)}' is a variable, and a query asks for a probability or an expectation"
                help = f"write P({expression_text(node)}) or E({expression_text(node)})"
                label = f"{variable.text} in another world"
            case tree.Call(function, _):
                text = f"unknown function '{function.text}' in a query"
                help = did_you_mean(function.text.lower(), ["ate", "ett", "cde", "nde", "nie", "pns"]) or help
            case tree.Comparison() | tree.Logic():
                text = "a comparison is not a query"
                help = "comparisons stand after 'assert'"
            case _:
                text = f"'{expression_text(node)}' is not part of a query"
        self.scope.report("S406", text, node.span, label, help)

    # -- kernels

    def _probability(self, node: tree.Probability) -> Formula | None:
        outcomes = [self.event(event) for event in node.outcomes if isinstance(event, tree.Event)]
        for part in node.outcomes:
            if isinstance(part, tree.Do):
                self._misplaced_do(part)
        given = self.given(node.given, node.source)
        terms = [term for term in outcomes if term]
        if given is None or len(terms) < len(node.outcomes):
            return None
        return self.kernel(terms, given, node.span)

    def _misplaced_do(self, part: tree.Do) -> None:
        self.scope.report("S411", "'do(..)' stands before the bar", part.span, "", "write P(.. | do(..))")

    # -- expectations

    def _expectation(self, node: tree.Expectation) -> Formula | None:
        given = self.given(node.given, node.source)
        body = self.polynomial(node.body)
        if given is None or body is None:
            return None
        for moment in body:
            if self.kernel(tuple(dict.fromkeys(moment.terms)), given, node.span) is None:
                return None
        return expected(body, given.terms, given.do, given.source)

    def polynomial(self, node: tree.Expression) -> Polynomial | None:
        """The body of an expectation as a sum of coefficients times variables."""
        match node:
            case tree.Number(value):
                return (Moment(value),)
            case tree.Reference(name, place):
                return self._moment(tree.Event(tree.Name(name, place), None, place))
            case tree.World(_, _, place):
                return self._moment(tree.Event(node, None, place))
            case tree.Unary("-", operand):
                inner = self.polynomial(operand)
                return None if inner is None else tuple(moment.scaled(Fraction(-1)) for moment in inner)
            case tree.Arithmetic():
                return self._polynomial_arithmetic(node)
            case tree.Comparison():
                text = "an expectation is taken of numbers, not of comparisons"
                self.scope.report("S406", text, node.span, "a comparison", "ask for a probability: P(Y = 1)")
            case _:
                text = "an expectation is taken of sums and products of variables"
                self.scope.report("S406", text, node.span, "not such a thing")
        return None

    def _moment(self, event: tree.Event) -> Polynomial | None:
        term = self.event(event)
        if term is None or not self.numeric(self.model.by_name[term.variable], event.span):
            return None
        return (Moment(Fraction(1), (term,)),)

    def _polynomial_arithmetic(self, node: tree.Arithmetic) -> Polynomial | None:
        parts = [self.polynomial(operand) for operand in node.operands]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        result: Polynomial | None = known[0]
        for operator, part, operand in zip(node.operators, known[1:], node.operands[1:], strict=True):
            result = None if result is None else self._polynomial_step(operator, result, part, operand.span)
        return result

    def _polynomial_step(self, operator: str, left: Polynomial, right: Polynomial, place: Span) -> Polynomial | None:
        value = right[0].coefficient if len(right) == 1 and not right[0].terms else None
        match operator:
            case "+":
                return self._short((*left, *right), place)
            case "-":
                return self._short((*left, *(moment.scaled(Fraction(-1)) for moment in right)), place)
            case "*":
                return self._short(tuple(a.times(b) for a in left for b in right), place)
            case "/" if value:
                return tuple(moment.scaled(1 / value) for moment in left)
            case "^" if value is not None and value.denominator == 1 and 0 <= value <= MOST_POWER:
                result: Polynomial | None = (Moment(Fraction(1)),)
                for _ in range(int(value)):
                    result = result and self._short(tuple(a.times(b) for a in result for b in left), place)
                return result
            case _:
                what = "divide by a number above zero" if operator == "/" else "raise to a whole number"
                text = "an expectation is taken of sums and products of variables"
                self.scope.report("S406", text, place, what)
                return None

    def _short(self, polynomial: Polynomial, place: Span) -> Polynomial | None:
        if len(polynomial) <= MOST_MOMENTS:
            return polynomial
        text = f"this expands to more than {MOST_MOMENTS} terms"
        self.scope.report("S406", text, place, "too long", "ask for its parts one by one")
        return None


def _negated(formula: Formula) -> Formula:
    return Constant(-formula.value) if isinstance(formula, Constant) else negative(formula)


def _sum(parts: Sequence[Formula]) -> Formula:
    """A sum; one of numbers alone is computed."""
    numbers = [part.value for part in parts if isinstance(part, Constant)]
    return Constant(sum(numbers, Fraction(0))) if len(numbers) == len(parts) else plus(parts)


def _times(left: Formula, right: Formula) -> Formula:
    """A product, constants multiplied out and put in front."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(left.value * right.value)
    if ZERO in (left, right):
        return ZERO
    return product((right, left)) if isinstance(right, Constant) else product((left, right))
