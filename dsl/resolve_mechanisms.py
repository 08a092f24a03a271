"""Mechanisms: tables, distributions and equations checked against the values of their variable and its parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product, repeat
from math import prod

from . import tree
from .constants import FUNCTIONS, Unknown, Value, constant, evaluate, label_value
from .coverage import Pattern, hidden, uncovered
from .diagnostics import Note, SutureError, did_you_mean, one_of
from .mechanism_expressions import (
    at_ends,
    calls,
    exact_number,
    intervals,
    mechanism_names,
    never_one,
    references,
    specialise,
    uses_noise,
    value_label,
)
from .program import AnyMechanism, Equation, Family, Finite, Mechanism, Real, Table, Variable
from .resolve_intervals import ends, equation_intervals, probability_ends
from .rows import NumberRows, Row
from .scope import Scope, count
from .source import Span

MOST_CASES = 4096
REAL_FAMILIES: Mapping[str, int] = {
    "Normal": 2, "Uniform": 2, "Laplace": 2, "Logistic": 2, "Exponential": 1,
}  # fmt: skip
FAMILIES = ("Bernoulli", *REAL_FAMILIES)
SCALE_LAST = ("Normal", "Laplace", "Logistic", "Exponential")


@dataclass
class MechanismResolver:
    """Mechanisms of one model; `fallback` gives the parents of `~ any`, which no mechanism names."""

    scope: Scope
    model: str
    variables: Mapping[str, Variable]

    def resolve(self, name: str, mechanism: tree.Mechanism, fallback: Sequence[str]) -> Mechanism | None:
        """The checked mechanism of a variable, or None with its problems noted."""
        before = len(self.scope.problems)
        child = self.variables[name]
        match mechanism:
            case tree.TableMechanism():
                made: Mechanism | None = self._table(child, mechanism)
            case tree.NumbersMechanism():
                made = self._numbers(child, mechanism)
            case tree.WeightsMechanism():
                made = self._weights(child, mechanism)
            case tree.FamilyMechanism():
                made = self._family(child, mechanism)
            case tree.EquationMechanism():
                made = self._equation(child, mechanism)
            case tree.AnyMechanism():
                made = self._any(child, mechanism, tuple(fallback))
        return made if len(self.scope.problems) == before else None

    def _any(self, child: Variable, mechanism: tree.AnyMechanism, parents: tuple[str, ...]) -> AnyMechanism | None:
        if mechanism.interval is None:
            return AnyMechanism(parents)
        if not isinstance(child.values, Real):
            text = f"an interval of values is for real variables, and {child.name} is none"
            hint = f"write {child.name} ~ any, or intervals of probabilities in a table"
            self.scope.report("S476", text, mechanism.interval.span, "does not fit", hint)
            return None
        known = ends(self.scope, mechanism.interval)
        return known and AnyMechanism(parents, *known)

    # -- tables

    def _table(self, child: Variable, mechanism: tree.TableMechanism) -> Table | None:
        labels = self._labels(child, mechanism.span, "a table")
        parents = [self._parent(parent, child) for parent in mechanism.parents]
        self._no_repeats(mechanism.parents)
        known = [self._labels(parent, mechanism.span, "a table") for parent in parents if parent]
        if labels is None or None in parents or None in known:
            return None
        domains = [own for own in known if own is not None]
        names = tuple(parent.text for parent in mechanism.parents)
        rows = [self._row(row, labels, names) for row in mechanism.rows]
        sound = [row for row in rows if row is not None]
        if len(sound) == len(rows):
            self._coverage(child, names, domains, sound, mechanism)
        return Table(names, tuple(sound))

    def _row(self, row: tree.Row, labels: Sequence[str], parents: tuple[str, ...]) -> Row | None:
        before = len(self.scope.problems)
        cells: Pattern = ()
        if len(row.cells) != len(parents):
            text = f"this row has {count(len(row.cells), 'cell')} for {count(len(parents), 'parent')}"
            hint = f"one label or '_' for each of: {', '.join(parents)}" if parents else "leave the cells out"
            self.scope.report("S206", text, row.span, "before '=>'", hint)
        else:
            cells = tuple(
                cell and self.scope.known_label(cell, self.variables[parent])
                for cell, parent in zip(row.cells, parents, strict=True)
            )
        self._check_weights(row.weights, labels, row.span)
        return None if len(self.scope.problems) > before else Row(cells, row.weights, row.span)

    def _check_weights(self, weights: Sequence[tree.Expression], labels: Sequence[str], place: Span) -> None:
        if len(weights) != len(labels):
            text = f"this row has {count(len(weights), 'probability')} for {count(len(labels), 'value')}"
            self.scope.report("S206", text, place, "", f"one probability for each of: {one_of(labels)}")
            return
        before = len(self.scope.problems)
        if any(any(True for _ in intervals(weight)) for weight in weights):
            probability_ends(self.scope, weights, place)
            return
        values = [self._probability(weight) for weight in weights]
        if len(self.scope.problems) == before:
            self._check_sum(weights, values)

    def _check_sum(self, weights: Sequence[tree.Expression], values: Sequence[Fraction | None]) -> None:
        place = weights[0].span.to(weights[-1].span)
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            if sum(known) != 1:
                text = f"the probabilities of this row sum to {_decimal(sum(known, Fraction(0)))}, not to 1"
                self.scope.report("S202", text, place, f"sum {_decimal(sum(known, Fraction(0)))}")
        elif never_one(weights):
            text = "the probabilities of this row do not sum to 1"
            self.scope.report("S202", text, place, "not 1 for every parameter")

    def _probability(self, weight: tree.Expression) -> Fraction | None:
        """The exact value of a probability where it has one, its names checked as parameters."""
        for name in references(weight):
            self._parameter(name)
        self._functions(weight)
        self._no_noise(weight)
        value = self._constant(weight)
        if value is not None and not 0 <= value <= 1:
            text = f"{_decimal(value)} is not a probability"
            self.scope.report("S207", text, weight.span, "not between 0 and 1")
        return value

    def _coverage(
        self,
        child: Variable,
        parents: tuple[str, ...],
        domains: Sequence[Sequence[str]],
        rows: Sequence[Row],
        mechanism: tree.TableMechanism,
    ) -> None:
        patterns = [row.cells for row in rows]
        missing = uncovered(domains, patterns)
        if missing:
            text = f"the table of {child.name} does not cover every case of {', '.join(parents) or 'no parents'}"
            listed = " ; ".join(map(_pattern_text, missing[:6])) + (" ; .." if len(missing) > 6 else "")
            hint = f"add rows for: {listed}" if parents else "add a row: => .."
            self.scope.report("S203", text, mechanism.span, "rows are missing", hint)
        for number, row in enumerate(rows):
            if len(rows) <= 400 and row.span and hidden(domains, patterns, number):
                text = "this row is never read: the rows above it match all of its cases"
                self.scope.report("S213", text, row.span, "comes too late", "put it higher, or leave it out")

    def _numbers(self, child: Variable, mechanism: tree.NumbersMechanism) -> Table:
        """A table that its reader has checked against the values of these variables."""
        names = tuple(parent.text for parent in mechanism.parents)
        values = [self.variables[name].values for name in (*names, child.name)]
        found = tuple(own.labels for own in values if isinstance(own, Finite))
        numbers = mechanism.numbers
        if found[:-1] != numbers.domains or len(found[-1]) != numbers.width:
            raise ValueError(f"the numbers of {child.name} are for other values")
        return Table(names, NumberRows(numbers))

    # -- distributions

    def _weights(self, child: Variable, mechanism: tree.WeightsMechanism) -> Table | None:
        labels = self._labels(child, mechanism.span, "a distribution over values")
        if labels is None:
            return None
        weights: dict[str, tree.Expression] = {}
        for label, weight in mechanism.weights:
            found = self.scope.known_label(label, child)
            if found in weights:
                self.scope.report("S209", f"the value '{found}' has two probabilities", label.span, "again")
            elif found is not None:
                weights[found] = weight
        missing = [label for label in labels if label not in weights]
        if missing and len(weights) == len(mechanism.weights):
            text = f"no probability is given for {one_of(missing)}"
            self.scope.report("S203", text, mechanism.span, f"the values of {child.name} are {one_of(labels)}")
        elif not missing:
            self._check_weights([weights[label] for label in labels], labels, mechanism.span)
        return Table((), (Row((), tuple(weights.get(label, _ZERO) for label in labels), mechanism.span),))

    def _family(self, child: Variable, mechanism: tree.FamilyMechanism) -> Mechanism | None:
        name = mechanism.family.text
        if name not in FAMILIES:
            help = (
                did_you_mean(name, FAMILIES) or f"there is {', '.join(FAMILIES)}; also table, any and {{label: p, ..}}"
            )
            self.scope.report("S111", f"unknown distribution '{name}'", mechanism.family.span, "not known", help)
            return None
        wanted = REAL_FAMILIES.get(name, 1)
        if len(mechanism.arguments) != wanted:
            text = f"{name} takes {count(wanted, 'argument')}, not {len(mechanism.arguments)}"
            self.scope.report("S210", text, mechanism.span, "", _ARGUMENTS[name])
            return None
        parents = self._argument_parents(child, mechanism)
        if name == "Bernoulli":
            return self._bernoulli(child, mechanism, parents)
        if not isinstance(child.values, Real):
            values = "finitely many values" if child.values else "no values declared"
            text = f"{name} is a distribution of real numbers, and {child.name} has {values}"
            self.scope.report("S210", text, mechanism.span, "does not fit", f"declare {child.name} : real")
        scale = self._scale(mechanism)
        if name in SCALE_LAST and scale is not None and scale <= 0:
            text = f"{_decimal(scale)} is not above zero"
            self.scope.report("S207", text, mechanism.arguments[-1].span, f"the scale of {name}", _ARGUMENTS[name])
        return Family(name, parents, mechanism.arguments)

    def _argument_parents(self, child: Variable, mechanism: tree.FamilyMechanism) -> tuple[str, ...]:
        parents: dict[str, None] = {}
        for argument in mechanism.arguments:
            self._functions(argument)
            self._no_noise(argument)
        labels = self._all_labels(mechanism_names(mechanism), child)
        for name in mechanism_names(mechanism):
            if name.text in self.variables:
                parent = self._parent(name, child)
                parents.update({parent.name: None} if parent else {})
            elif name.text not in labels:
                self._parameter(name)
        return tuple(parents)

    def _bernoulli(self, child: Variable, mechanism: tree.FamilyMechanism, parents: tuple[str, ...]) -> Table | None:
        labels = self._labels(child, mechanism.span, "Bernoulli")
        if labels is None:
            return None
        if len(labels) != 2:
            text = f"Bernoulli is for two values, and {child.name} has {len(labels)}"
            self.scope.report("S210", text, mechanism.span, "does not fit", "use {label: probability, ..} or a table")
            return None
        known = [self._labels(self.variables[parent], mechanism.span, "a Bernoulli table") for parent in parents]
        domains = [own for own in known if own is not None]
        if len(domains) < len(known) or prod(map(len, domains)) > MOST_CASES:
            if len(domains) == len(known):
                text = f"more than {MOST_CASES:,} cases of {', '.join(parents)}"
                self.scope.report("S210", text, mechanism.span, "too many cases")
            return None
        rows = [self._bernoulli_row(mechanism, parents, case) for case in product(*domains)]
        return Table(parents, tuple(row for row in rows if row))

    def _bernoulli_row(
        self, mechanism: tree.FamilyMechanism, parents: tuple[str, ...], case: tuple[str, ...]
    ) -> Row | None:
        """The row of one case of the parents: their labels put into the probability."""
        argument = specialise(mechanism.arguments[0], dict(zip(parents, case, strict=True)))
        if isinstance(argument, tree.Interval):
            return self._bernoulli_interval(argument, case)
        try:
            value = constant(argument)
        except SutureError as error:
            self.scope.take(error)
            return None
        if value is None:
            rest: tree.Expression = tree.Arithmetic(("-",), (_ONE, argument), argument.span)
            return Row(case, (rest, argument), mechanism.span)
        if not 0 <= value <= 1:
            when = f" when {_case_text(parents, case)}" if parents else ""
            text = f"{_decimal(value)} is not a probability"
            self.scope.report("S207", text, mechanism.arguments[0].span, f"not between 0 and 1{when}")
        return Row(case, (exact_number(1 - value, argument.span), exact_number(value, argument.span)), mechanism.span)

    def _bernoulli_interval(self, interval: tree.Interval, case: tuple[str, ...]) -> Row | None:
        """The row of an interval of probabilities of the second value."""
        if not probability_ends(self.scope, (interval, tree.Interval(_ZERO, _ONE, interval.span)), interval.span):
            return None
        low, high = ends(self.scope, interval) or (Fraction(0), Fraction(1))
        place = interval.span
        rest = tree.Interval(exact_number(1 - high, place), exact_number(1 - low, place), place)
        return Row(case, (rest, interval), place)

    def _scale(self, mechanism: tree.FamilyMechanism) -> Fraction | None:
        """The last argument of a family where it is a number; of an interval the lower end, which has to fit too."""
        for argument in mechanism.arguments:
            if not equation_intervals(self.scope, argument):
                return None
        last = mechanism.arguments[-1]
        return self._constant(at_ends(last, repeat(False)))

    # -- equations

    def _equation(self, child: Variable, mechanism: tree.EquationMechanism) -> Equation | None:
        expression = mechanism.expression
        before = len(self.scope.problems)
        self._functions(expression)
        parents: dict[str, None] = {}
        labels = self._all_labels(mechanism_names(mechanism), child)
        for name in mechanism_names(mechanism):
            if name.text in self.variables:
                parent = self._parent(name, child)
                parents.update({parent.name: None} if parent else {})
            elif name.text not in labels and not (isinstance(child.values, Real) and name.text[0].islower()):
                self._unknown_in_equation(name, labels)
        made = Equation(tuple(parents), expression, uses_noise(expression))
        if child.values is None:
            text = f"the values of {child.name} are not declared, and its equation needs them"
            self.scope.report("S210", text, mechanism.span, "", f"declare them: {child.name} : {{0, 1}} or real")
        elif isinstance(child.values, Real):
            equation_intervals(self.scope, expression)
        elif not made.uses_noise and len(self.scope.problems) == before:
            self._check_values(child.name, child.values.labels, made)
        return made

    def _unknown_in_equation(self, name: tree.Name, labels: set[str]) -> None:
        help = did_you_mean(name.text, [*self.variables, *labels])
        text = f"unknown variable '{name.text}' in model {self.model}"
        self.scope.report("S104", text, name.span, "neither a variable nor a value", help)

    def _check_values(self, child: str, labels: Sequence[str], equation: Equation) -> None:
        """Run through the cases of the parents where they are few, and see that each gives a value of the child."""
        domains = [self.variables[parent].values for parent in equation.parents]
        finite = [own.labels for own in domains if isinstance(own, Finite)]
        if len(finite) < len(domains) or prod(map(len, finite)) > MOST_CASES:
            return
        for case in product(*finite):
            names: dict[str, Value] = {name.text: name.text for name in references(equation.expression)}
            names |= {parent: label_value(label) for parent, label in zip(equation.parents, case, strict=True)}
            try:
                value = evaluate(equation.expression, names)
            except Unknown:
                return
            except SutureError as error:
                self._in_case(error, equation, case)
                return
            if value_label(value, labels) is None:
                self._outside(child, labels, equation, case, value)
                return

    def _in_case(self, error: SutureError, equation: Equation, case: tuple[str, ...]) -> None:
        """Note the problems of an equation with the case of its parents in which they show."""
        when = f" when {_case_text(equation.parents, case)}" if case else ""
        self.scope.take(SutureError(replace(part, label=f"{part.label}{when}") for part in error.diagnostics))

    def _outside(
        self, child: str, labels: Sequence[str], equation: Equation, case: tuple[str, ...], value: Value
    ) -> None:
        given = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
        when = f" when {_case_text(equation.parents, case)}" if case else ""
        text = f"the equation of {child} gives {given}{when}"
        hint = f"the values of {child} are {one_of(labels)}"
        if isinstance(value, bool) and len(labels) == 2:
            hint += f"; write: if .. then {labels[1]} else {labels[0]}"
        self.scope.report("S208", text, equation.expression.span, "not a value", hint)

    # -- names

    def _parent(self, name: tree.Name, child: Variable) -> Variable | None:
        if name.text == child.name:
            text = f"{child.name} cannot be its own cause"
            self.scope.report("S205", text, name.span, "refers to itself")
            return None
        if name.text not in self.variables:
            self.scope.unknown_variable(name, self.model, self.variables)
        return self.variables.get(name.text)

    def _no_repeats(self, names: Sequence[tree.Name]) -> None:
        seen: dict[str, tree.Name] = {}
        for name in names:
            if name.text in seen:
                note = Note(seen[name.text].span, "first here")
                self.scope.report("S101", f"'{name.text}' is listed twice", name.span, "again", None, (note,))
            seen.setdefault(name.text, name)

    def _parameter(self, name: tree.Name) -> None:
        """A name inside a probability: a parameter if it is undeclared and lower-case."""
        if name.text in self.variables:
            text = f"a probability cannot depend on {name.text} here"
            hint = f"list it as a parent: table ({name.text}) {{ .. }}"
            self.scope.report("S217", text, name.span, "a variable", hint)
        elif not name.text[0].islower():
            self.scope.unknown_variable(name, self.model, self.variables)

    def _functions(self, node: tree.Expression) -> None:
        for call in calls(node):
            self._function(call)

    def _function(self, call: tree.Expression) -> None:
        if not isinstance(call, tree.Call):
            text = "a mechanism is made of its parents, values, numbers and functions"
            self.scope.report("S218", text, call.span, "does not belong in a mechanism")
            return
        name = call.function
        if name.text not in FUNCTIONS:
            help = did_you_mean(name.text, FUNCTIONS) or f"there is {one_of(sorted(FUNCTIONS), 20)}"
            self.scope.report("S111", f"unknown function '{name.text}'", name.span, "not known", help)
        elif FUNCTIONS[name.text] not in (None, len(call.arguments)):
            text = f"{name.text} takes {count(FUNCTIONS[name.text] or 1, 'argument')}, not {len(call.arguments)}"
            self.scope.report("S210", text, call.span)

    def _no_noise(self, node: tree.Expression) -> None:
        if uses_noise(node):
            text = "'noise' belongs in an equation, after ':='"
            self.scope.report("S218", text, node.span, "not in a distribution")

    def _constant(self, node: tree.Expression) -> Fraction | None:
        try:
            return constant(node)
        except SutureError as error:
            self.scope.take(error)
            return None

    def _labels(self, variable: Variable, place: Span, what: str) -> tuple[str, ...] | None:
        match variable.values:
            case Finite(labels):
                return labels
            case None:
                text = f"{what} needs the values of {variable.name}, which are not declared"
                self.scope.report("S210", text, place, "", f"declare them: {variable.name} : {{no, yes}}")
            case Real():
                text = f"{what} needs finitely many values, and {variable.name} is real"
                self.scope.report("S210", text, place, "does not fit")
        return None

    def _all_labels(self, names: Sequence[tree.Name], child: Variable) -> set[str]:
        """The labels that may stand in an expression: those of the child and of the variables it mentions."""
        shown = [child, *(self.variables[name.text] for name in names if name.text in self.variables)]
        return {label for variable in shown if isinstance(variable.values, Finite) for label in variable.values.labels}


_ONE = tree.Number(Fraction(1), "1")
_ZERO = tree.Number(Fraction(0), "0")
_ARGUMENTS = {
    "Bernoulli": "Bernoulli(probability of the second value)",
    "Normal": "Normal(mean, standard deviation)",
    "Uniform": "Uniform(low, high)",
    "Laplace": "Laplace(mean, scale)",
    "Logistic": "Logistic(mean, scale)",
    "Exponential": "Exponential(rate)",
}


def _decimal(value: Fraction | int) -> str:
    """A rational number for a message: a short decimal where it is one, else a quotient.

    >>> _decimal(Fraction(11, 10)), _decimal(Fraction(1, 3))
    ('1.1', '1/3')
    """
    exact = Fraction(value)
    text = f"{float(exact):.10g}" if abs(exact) < 10**15 else str(exact)
    return text if "e" not in text and Fraction(text) == exact else str(exact)


def _pattern_text(pattern: Pattern) -> str:
    return ", ".join("_" if cell is None else cell for cell in pattern)


def _case_text(names: Sequence[str], case: Sequence[str]) -> str:
    return ", ".join(f"{name} = {label}" for name, label in zip(names, case, strict=True))
