"""Queries: surface arithmetic over P(..), E(..) and named effects becomes a formula over kernels of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

from . import tree
from .diagnostics import Note, did_you_mean
from .effects import Contrast, effect_formula
from .expectation import Moment, Polynomial, expected
from .formula import ONE, ZERO, Constant, Formula, Kernel, Term, kernels, negative, plus, product, ratio
from .labels import number
from .program import Finite, Model, Query, Variable
from .scope import Scope
from .source import Span
from .syntax_text import expression_text

MOST_MOMENTS = 256
MOST_POWER = 20


@dataclass
class QueryResolver:
    """Queries about one model; names of other queries are replaced by what they stand for."""

    scope: Scope
    model: Model
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
                return self._effect(node)
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
        if name in self.inside:
            chain = " -> ".join([*self.inside[self.inside.index(name) :], name])
            note = Note(definition.name.span, "defined here")
            self.scope.report("S408", f"query '{name}' refers to itself: {chain}", node.span, "", None, (note,))
            return None
        self.inside.append(name)
        try:
            return self.formula(definition.expression)
        finally:
            self.inside.pop()

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
        result = known[0]
        for operator, part, operand in zip(node.operators, known[1:], node.operands[1:], strict=True):
            combined = self._combined(operator, result, part, operand.span)
            if combined is None:
                return None
            result = combined
        return result

    def _combined(self, operator: str, left: Formula, right: Formula, place: Span) -> Formula | None:
        match operator:
            case "+":
                return _sum(left, right)
            case "-":
                return _sum(left, _negated(right))
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
        given = self._given(node.given, node.source)
        terms = [term for term in outcomes if term]
        if given is None or len(terms) < len(node.outcomes):
            return None
        return self._kernel(terms, given, node.span)

    def _misplaced_do(self, part: tree.Do) -> None:
        self.scope.report("S411", "'do(..)' stands before the bar", part.span, "", "write P(.. | do(..))")

    def _kernel(self, outcomes: Sequence[Term], given: Given, place: Span) -> Kernel | None:
        """The kernel, once no variable of one world stands in it twice (S402)."""
        seen: set[tuple[str, tuple[Term, ...]]] = set()
        fixed = {(term.variable, ()) for term in given.do}
        for term in (*given.do, *given.terms, *outcomes):
            key = (term.variable, term.world)
            if key in seen:
                where = "set by do(..) and asked for" if key in fixed else "named"
                text = f"{term.variable} is {where} twice in one query"
                if key in fixed:
                    text = f"{term.variable} is set by do(..), and cannot also be asked for or given"
                self.scope.report("S402", text, place, "", "leave one of the two out")
                return None
            seen.add(key)
        return Kernel(tuple(outcomes), given.terms, given.do, given.source)

    def _given(self, parts: Sequence[tree.Given], source: tree.Name | None) -> Given | None:
        terms: list[Term | None] = []
        do: list[Term | None] = []
        names = [part.domain for part in parts if isinstance(part, tree.InDomain)]
        for part in parts:
            match part:
                case tree.Event():
                    terms.append(self.event(part))
                case tree.Do(events):
                    do.extend(self.do_term(event) for event in events)
                case tree.InDomain():
                    continue
                case _:
                    assert_never(part)
        origin, sound = self._source(source, names)
        if not sound or None in terms or None in do:
            return None
        return Given(tuple(term for term in terms if term), tuple(term for term in do if term), origin)

    def _source(self, source: tree.Name | None, domains: Sequence[tree.Name]) -> tuple[str | None, bool]:
        """The named source of a kernel, and whether all is well with it."""
        if len(domains) + (source is not None) > 1:
            place = domains[-1].span
            self.scope.report("S412", "a probability has one source", place, "a second one", "leave one of them out")
            return None, False
        if source is not None:
            return source.text, self._known_source(source)
        if domains:
            return domains[0].text, self.scope.domain_named(domains[0], self.model.name) is not None
        return None, True

    def _known_source(self, source: tree.Name) -> bool:
        if (self.model.name, source.text) in self.scope.domains:
            return True
        data = self.scope.data.get(source.text)
        if data is None:
            known = [*self.scope.data, *(name for owner, name in self.scope.domains if owner == self.model.name)]
            self.scope.unknown("S106", "data set or domain", source, known)
        elif data.model != self.model.name:
            text = f"'{source.text}' is data of model {data.model}, not of {self.model.name}"
            self.scope.report("S407", text, source.span, "another model's")
        return data is not None and data.model == self.model.name

    # -- terms

    def event(self, event: tree.Event) -> Term | None:
        """The term of an event, its variable, value and worlds checked."""
        name = event.variable.variable if isinstance(event.variable, tree.World) else event.variable
        variable = self.scope.known_variable(name, self.model)
        world = self.world(event.variable) if isinstance(event.variable, tree.World) else ()
        if variable is None or world is None:
            return None
        value = None if event.value is None else self.scope.known_label(event.value, variable)
        return None if event.value is not None and value is None else Term(name.text, value, world)

    def do_term(self, event: tree.Event) -> Term | None:
        """The term of an intervention: a plain variable of this world."""
        if isinstance(event.variable, tree.World):
            text = "do(..) sets variables of this world"
            self.scope.report("S410", text, event.span, "a variable of another world", "set it in the brackets instead")
            return None
        return self.event(event)

    def world(self, world: tree.World) -> tuple[Term, ...] | None:
        """The interventions of a world."""
        settings = [self._setting(setting) for setting in world.settings]
        known = [setting for setting in settings if setting is not None]
        if len(known) < len(settings):
            return None
        names = [setting.variable for setting in known]
        for name, term, setting in zip(names, known, world.settings, strict=True):
            own = name == world.variable.text and term.swap is None
            if names.count(name) > 1 or own:
                what = "set twice in one world" if names.count(name) > 1 else "asked for in a world that sets it"
                self.scope.report("S402", f"{name} is {what}", setting.span, "", "leave this out")
                return None
        return tuple(known)

    def _setting(self, setting: tree.Setting) -> Term | None:
        match setting:
            case tree.Swap(variable, domain):
                known = variable.text == "." or self.scope.known_variable(variable, self.model) is not None
                found = self.scope.domain_named(domain, self.model.name)
                return Term(variable.text, swap=domain.text) if known and found else None
            case tree.Assign(name, tree.World() as nested):
                return self._nested(name, nested)
            case tree.Assign(name, None):
                return Term(name.text) if self.scope.known_variable(name, self.model) else None
            case tree.Assign(name, tree.Label() as value):
                variable = self.scope.known_variable(name, self.model)
                label = self.scope.known_label(value, variable) if variable else None
                return None if label is None else Term(name.text, label)
            case _:
                raise AssertionError(setting)

    def _nested(self, name: tree.Name, nested: tree.World) -> Term | None:
        if nested.variable.text != name.text:
            text = f"{name.text} can only take the value that {name.text} itself has in another world"
            help = f"write {name.text} = {name.text}[..]"
            self.scope.report("S410", text, nested.span, f"this is {nested.variable.text}", help)
            return None
        variable = self.scope.known_variable(name, self.model)
        world = self.world(nested)
        return None if variable is None or world is None else Term(name.text, None, world)

    # -- expectations

    def _expectation(self, node: tree.Expectation) -> Formula | None:
        given = self._given(node.given, node.source)
        body = self.polynomial(node.body)
        if given is None or body is None:
            return None
        for moment in body:
            if self._kernel(tuple(dict.fromkeys(moment.terms)), given, node.span) is None:
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
        if term is None or not self._numeric(self.model.by_name[term.variable], event.span):
            return None
        return (Moment(Fraction(1), (term,)),)

    def _numeric(self, variable: Variable, place: Span) -> bool:
        """Whether a variable's values are numbers (S404)."""
        if not isinstance(variable.values, Finite):
            return True
        strange = [label for label in variable.values.labels if number(label) is None]
        if strange:
            last = variable.values.labels[-1]
            text = f"the values of {variable.name} are not numbers: {', '.join(strange[:4])}"
            help = f"ask for a probability, P({variable.name} = {last})"
            self.scope.report("S404", text, place, "has no expectation", help)
        return not strange

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

    # -- named effects

    def _effect(self, node: tree.Effect) -> Formula | None:
        contrast = self._contrast(node)
        if contrast is None:
            return None
        made = effect_formula(node.kind, contrast)
        for kernel in kernels(made):
            place = Given(kernel.given, kernel.do, kernel.source)
            if self._kernel(kernel.outcomes, place, node.span) is None:
                return None
        return made

    def _contrast(self, node: tree.Effect) -> Contrast | None:
        treatment = self.scope.known_variable(node.treatment, self.model)
        outcome = self.event(node.outcome)
        mediators = [self.event(mediator) for mediator in node.mediators]
        given = self._given(node.given, None)
        levels = treatment and self._levels(node, treatment)
        if treatment is None or outcome is None or levels is None or given is None or None in mediators:
            return None
        known = tuple(mediator for mediator in mediators if mediator)
        measured = self._outcome(node, outcome)
        between = self._mediators(node, treatment.name, outcome.variable, known)
        if given.do:
            self.scope.report("S411", f"{node.kind}(..) sets {treatment.name} itself", node.span, "no do(..) here")
            return None
        if measured is None or between is None or not self._distinct(node, treatment.name, measured, between):
            return None
        return Contrast(treatment.name, levels[0], levels[1], measured, self._other(measured), between, given.terms)

    def _distinct(self, node: tree.Effect, treatment: str, outcome: Term, mediators: Sequence[Term]) -> bool:
        names = [treatment, outcome.variable, *(mediator.variable for mediator in mediators)]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            text = f"{repeated} has two roles in one effect"
            self.scope.report("S402", text, node.span, "", "treatment, outcome and mediators are different variables")
        return repeated is None

    def _levels(self, node: tree.Effect, treatment: Variable) -> tuple[str, str] | None:
        """The two values of the treatment that are compared, low first (S405 where the program does not tell)."""
        if node.low is not None and node.high is not None:
            low = self.scope.known_label(node.low, treatment)
            high = self.scope.known_label(node.high, treatment)
            return None if low is None or high is None else (low, high)
        match treatment.values:
            case Finite((low, high)):
                return low, high
            case Finite(labels):
                text = f"{treatment.name} has {len(labels)} values: say which two to compare"
                low, high = labels[0], labels[-1]
            case None:
                text = f"the values of {treatment.name} are not declared: say which two to compare"
                low, high = "0", "1"
            case _:
                text = f"{treatment.name} is real: say which two values to compare"
                low, high = "0", "1"
        outcome = expression_text(tree.Reference(_event_name(node.outcome)))
        help = f"write {node.kind}({treatment.name}: {low} -> {high}, {outcome})"
        self.scope.report("S405", text, node.treatment.span, "", help)
        return None

    def _outcome(self, node: tree.Effect, outcome: Term) -> Term | None:
        """The outcome with its value: the last of two where none is written, none where an expectation is meant."""
        variable = self.model.by_name[outcome.variable]
        if outcome.world:
            self.scope.report("S410", "a named effect has its own worlds", node.outcome.span, "a world of its own")
            return None
        if outcome.value is not None:
            return outcome
        if isinstance(variable.values, Finite) and len(variable.values.labels) == 2:
            return Term(outcome.variable, variable.values.labels[-1])
        if node.kind in ("pn", "ps", "pns"):
            text = f"{node.kind} needs an event of the outcome"
            help = f"write {node.kind}(.. -> {outcome.variable} = ..)"
            self.scope.report("S405", text, node.outcome.span, "no value", help)
            return None
        return outcome if self._numeric(variable, node.outcome.span) else None

    def _other(self, outcome: Term) -> str | None:
        """The other value of an outcome that has two."""
        labels = self.model.labels(outcome.variable)
        if labels is None or len(labels) != 2 or outcome.value is None:
            return None
        return labels[0] if outcome.value == labels[1] else labels[1]

    def _mediators(
        self, node: tree.Effect, treatment: str, outcome: str, written: tuple[Term, ...]
    ) -> tuple[Term, ...] | None:
        """The mediators of nde and nie (by default, the children of the treatment on its paths), or of cde."""
        if node.kind == "cde":
            if not written or any(mediator.value is None for mediator in written):
                text = "a controlled direct effect needs the mediators and the values they are held at"
                help = f"write cde({treatment} -> {outcome}, M = 0)"
                self.scope.report("S405", text, node.span, "", help)
                return None
            return written
        if node.kind not in ("nde", "nie"):
            if written:
                text = f"{node.kind} has no mediators"
                self.scope.report("S405", text, node.mediators[0].span, "not expected", "cde, nde and nie have")
            return None if written else ()
        for mediator, event in zip(written, node.mediators, strict=True):
            if mediator.value is not None or mediator.world:
                text = f"the mediators of {node.kind} take their natural values"
                self.scope.report("S405", text, event.span, "no value here", f"write {mediator.variable} alone")
                return None
        return written or self._natural_mediators(node, treatment, outcome)

    def _natural_mediators(self, node: tree.Effect, treatment: str, outcome: str) -> tuple[Term, ...] | None:
        causes = self._causes(outcome)
        found = tuple(
            Term(name)
            for name in self.model.observed
            if name != outcome and name in causes and treatment in self.model.parents(name)
        )
        if not found:
            text = f"no observed variable mediates between {treatment} and {outcome}"
            self.scope.report("S405", text, node.span, "", "a natural effect needs one")
        return found or None

    def _causes(self, name: str) -> set[str]:
        """A variable and all its causes, direct or not."""
        found, waiting = {name}, [name]
        while waiting:
            for cause in self.model.parents(waiting.pop()):
                if cause not in found:
                    found.add(cause)
                    waiting.append(cause)
        return found


@dataclass(frozen=True, slots=True)
class Given:
    """What stands after the bar."""

    terms: tuple[Term, ...]
    do: tuple[Term, ...]
    source: str | None


def _event_name(event: tree.Event) -> str:
    return event.variable.text if isinstance(event.variable, tree.Name) else event.variable.variable.text


def _negated(formula: Formula) -> Formula:
    return Constant(-formula.value) if isinstance(formula, Constant) else negative(formula)


def _sum(left: Formula, right: Formula) -> Formula:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(left.value + right.value)
    return plus((left, right))


def _times(left: Formula, right: Formula) -> Formula:
    """A product, constants multiplied out and put in front."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(left.value * right.value)
    if ZERO in (left, right):
        return ZERO
    return product((right, left)) if isinstance(right, Constant) else product((left, right))
