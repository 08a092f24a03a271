"""Equations over real variables as affine forms: a constant, a coefficient a parent, and one for the own noise.

`Z := 2*X - Y + noise` is `0 + 2 X - 1 Y + 1 noise`, and `Z ~ Normal(1 + 0.5*X, 2)` is `1 + 1/2 X + 2 noise`; noise is
normal with mean 0 and variance 1.  Numbers are exact: Fractions, or SymPy expressions where an equation has parameters
or irrational constants (`sqrt(2)*X`).  Finite parents are fixed at labels first, so that `if T = yes then 2*X else X`
is one affine form for each label of T.  The form is that of the text: `X*Y - X*Y` counts as a product of variables.

A vector `real[3]` is read component by component: numbers and scalar parents stand for each component, and the noise of
each component is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from ...dsl import tree
from ...dsl.constants import Unknown, Value, as_number, evaluate, shown
from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.mechanism_expressions import references, specialise, uses_noise
from ...dsl.program import AnyMechanism, Equation, Family, Finite, Mechanism, Model, Real, Table
from ..mechanisms import closed_form

Number: TypeAlias = Any
"""A Fraction, or a SymPy expression that is no rational number."""

LINEAR = "linear means: numbers times parents, plus a number times noise, plus a number"


@dataclass(frozen=True, slots=True)
class Affine:
    """`constant + sum(coefficient * parent) + noise * (own noise)`; coefficients that are zero are left out.

    >>> Affine(Fraction(1), (("X", Fraction(2)),), Fraction(0)).coefficient("X")
    Fraction(2, 1)
    """

    constant: Number = Fraction(0)
    coefficients: tuple[tuple[str, Number], ...] = ()
    noise: Number = Fraction(0)

    @property
    def variables(self) -> tuple[str, ...]:
        """The parents that the form depends on, in the order they are first written."""
        return tuple(name for name, _ in self.coefficients)

    @property
    def is_constant(self) -> bool:
        """Whether neither a parent nor the noise matters."""
        return not self.coefficients and self.noise == 0

    def coefficient(self, name: str) -> Number:
        """What a parent is multiplied by; zero where it does not occur."""
        return dict(self.coefficients).get(name, Fraction(0))

    def scaled(self, factor: Number) -> Affine:
        """The form times a number."""
        terms = {name: number * factor for name, number in self.coefficients}
        return _affine(self.constant * factor, terms, self.noise * factor)

    def plus(self, other: Affine) -> Affine:
        """The sum of two forms."""
        terms = dict(self.coefficients)
        for name, number in other.coefficients:
            terms[name] = terms[name] + number if name in terms else number
        return _affine(self.constant + other.constant, terms, self.noise + other.noise)


def affine(
    name: str, expression: tree.Expression, variables: Iterable[str], labels: Mapping[str, Value] | None = None
) -> Affine:
    """An expression of a mechanism of `name` as an affine form in `variables` and `noise`.

    Other names are parameters, but for those in `labels`, which have the values given there.  Raises `SutureError` S450
    at the first subexpression that is not linear, S214 and S216 where it computes with what is no number.

    >>> from ...dsl.tree import Arithmetic, Noise, Number, Reference
    >>> half = Arithmetic(("*",), (Number(Fraction("0.5"), "0.5"), Reference("X")))
    >>> affine("Y", Arithmetic(("+",), (half, Noise())), ["X"])
    Affine(constant=Fraction(0, 1), coefficients=(('X', Fraction(1, 2)),), noise=Fraction(1, 1))
    """
    return _Reader(name, frozenset(variables), labels or {}).form(expression)


def affine_mechanism(
    model: Model, name: str, mechanism: Mechanism | None = None, labels: Mapping[str, str] | None = None
) -> Affine:
    """The mechanism of a real variable as an affine form, its finite parents fixed at `labels`.

    `mechanism` stands for the model's own where another is meant, such as that of a domain.  Raises `SutureError`: S450
    not linear, S451 no normal distribution, S452 a standard deviation that is not a number above zero, S453 vectors of
    different lengths, S428 no mechanism, and `KeyError` where a finite parent is not fixed.
    """
    fixed = labels or {}
    given = model.mechanisms.get(name) if mechanism is None else mechanism
    variable = model.by_name[name]
    if given is None or isinstance(given, AnyMechanism):
        message = f"this needs the mechanism of {name}, which model {model.name} does not give"
        hint = f"write {name} := and an equation, or {name} ~ Normal(mean, standard deviation)"
        raise SutureError(Diagnostic("S428", message, variable.span, "no mechanism", hint))
    _require_lengths(model, name, given.parents)
    reals = [parent for parent in given.parents if not isinstance(model.by_name[parent].values, Finite)]
    finite = {parent: fixed[parent] for parent in given.parents if parent not in reals}
    values = _label_values(model, finite)

    def form(expression: tree.Expression) -> Affine:
        return affine(name, specialise(expression, finite), reals, values)

    match given:
        case Equation(_, expression):
            return form(expression)
        case Family("Normal", _, (mean, deviation)):
            return form(mean).plus(Affine(noise=_deviation(name, form(deviation), deviation)))
        case Family(family, _, arguments):
            message = f"{name} has a {family} distribution, and this evaluation is exact for normal ones"
            hint = "use Normal(mean, standard deviation), or an equation that is linear in its parents and noise"
            span = arguments[0].span if arguments else variable.span
            raise SutureError(Diagnostic("S451", message, span, "not normal", hint))
        case Table():
            message = f"{name} has a table of finitely many values, and an affine form is asked for"
            raise SutureError(Diagnostic("S451", message, variable.span, "not a real variable"))


def dimension(model: Model, name: str) -> int:
    """The number of components of a real variable, one unless it is a vector."""
    values = model.by_name[name].values
    return values.dimension if isinstance(values, Real) else 1


def _require_lengths(model: Model, name: str, parents: Sequence[str]) -> None:
    """A parent has as many components as its child, or one."""
    own = dimension(model, name)
    for parent in parents:
        length = dimension(model, parent)
        if length not in (1, own):
            message = f"{parent} has {length} components, and {name} has {own}"
            hint = "a vector may depend on vectors of its own length and on single numbers"
            raise SutureError(Diagnostic("S453", message, model.by_name[name].span, "does not fit", hint))


def _label_values(model: Model, fixed: Mapping[str, str]) -> dict[str, Value]:
    """The labels that may stand in an expression, as themselves."""
    return {label: label for parent in fixed for label in model.labels(parent) or ()}


def _deviation(name: str, form: Affine, written: tree.Expression) -> Number:
    """The standard deviation of a normal distribution as a number above zero, or with parameters."""
    if not form.is_constant:
        depends = ", ".join(form.variables)
        message = f"the standard deviation of {name} depends on {depends}, and then {name} is not jointly normal"
        hint = "let it be a number, a parameter, or depend on finite variables only"
        raise SutureError(Diagnostic("S452", message, written.span, f"depends on {depends}", hint))
    if _never_positive(form.constant):
        message = f"the standard deviation of {name} is {form.constant}, which is not above zero"
        hint = f"for a variable without noise, write {name} := and the mean"
        raise SutureError(Diagnostic("S452", message, written.span, "not above zero", hint))
    return form.constant


def _never_positive(number: Number) -> bool:
    return number <= 0 if isinstance(number, Fraction) else bool(number.is_nonpositive)


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def _affine(constant: Number, terms: Mapping[str, Number], noise: Number) -> Affine:
    numbers = {name: exact(number) for name, number in terms.items()}
    return Affine(exact(constant), tuple((name, each) for name, each in numbers.items() if each != 0), exact(noise))


def exact(value: Any) -> Number:
    """A SymPy expression as a Fraction where it is a rational number."""
    if isinstance(value, Fraction):
        return value
    import sympy

    made: Any = sympy.sympify(value)
    return Fraction(int(made.p), int(made.q)) if made.is_Rational and made.is_finite else made


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one expression; `labels` are names that stand for a value."""

    name: str
    variables: Collection[str]
    labels: Mapping[str, Value] = field(default_factory=dict)

    def form(self, node: tree.Expression) -> Affine:
        """The affine form of a subexpression."""
        if not self.varies(node):
            return Affine(self.constant(node))
        match node:
            case tree.Reference(name):
                return Affine(coefficients=((name, Fraction(1)),))
            case tree.Noise():
                return Affine(noise=Fraction(1))
            case tree.Unary("-", operand):
                return self.form(operand).scaled(Fraction(-1))
            case tree.Arithmetic():
                return self.arithmetic(node)
            case tree.Conditional(condition):
                decides = self.what(condition) or ", ".join(name.text for name in references(condition))
                raise self.not_linear(condition, f"{decides} decides between two equations")
            case tree.Call(function):
                raise self.not_linear(node, f"{function.text} of {self.what(node)}")
            case _:
                raise self.not_linear(node, f"a truth value that depends on {self.what(node)}")

    def varies(self, node: tree.Expression) -> bool:
        """Whether a variable or the noise stands in a subexpression."""
        return uses_noise(node) or any(name.text in self.variables for name in references(node))

    def what(self, node: tree.Expression) -> str:
        """The variables and the noise of a subexpression, for a message."""
        names = [name.text for name in references(node) if name.text in self.variables]
        return ", ".join(dict.fromkeys([*names, *(["noise"] if uses_noise(node) else [])]))

    def not_linear(self, node: tree.Expression, label: str) -> SutureError:
        message = f"the mechanism of {self.name} is not linear: {shown(node)}"
        return SutureError(Diagnostic("S450", message, node.span, label, LINEAR))

    def constant(self, node: tree.Expression) -> Number:
        """The number of a subexpression without variables: exact, or a closed form in parameters."""
        try:
            return as_number(evaluate(node, self.labels), node.span)
        except Unknown:
            value = exact(closed_form(node))
        if not isinstance(value, Fraction) and (value.is_finite is False or value.is_extended_real is False):
            message = f"{shown(node)} is not a real number"
            raise SutureError(Diagnostic("S214", message, node.span, "in a mechanism", "use numbers and parameters"))
        return value

    def arithmetic(self, node: tree.Arithmetic) -> Affine:
        """Sums of forms, and products, quotients and powers in which one part varies at most."""
        result = self.form(node.operands[0])
        for sign, operand in zip(node.operators, node.operands[1:], strict=True):
            result = self.steps[sign](self, node, result, operand)
        return result

    def add(self, _: tree.Arithmetic, left: Affine, right: tree.Expression) -> Affine:
        return left.plus(self.form(right))

    def subtract(self, _: tree.Arithmetic, left: Affine, right: tree.Expression) -> Affine:
        return left.plus(self.form(right).scaled(Fraction(-1)))

    def multiply(self, node: tree.Arithmetic, left: Affine, right: tree.Expression) -> Affine:
        other = self.form(right)
        if other.is_constant:
            return left.scaled(other.constant)
        if left.is_constant:
            return other.scaled(left.constant)
        raise self.not_linear(node, f"a product of parts that vary: {self.what(node)}")

    def divide(self, node: tree.Arithmetic, left: Affine, right: tree.Expression) -> Affine:
        other = self.form(right)
        if not other.is_constant:
            raise self.not_linear(node, f"divides by what varies: {self.what(right)}")
        if other.constant == 0:
            raise SutureError(Diagnostic("S216", "division by zero", right.span, "this is zero"))
        return left.scaled(1 / other.constant)

    def power(self, node: tree.Arithmetic, left: Affine, right: tree.Expression) -> Affine:
        if not self.varies(right) and self.constant(right) == 1:
            return left
        raise self.not_linear(node, f"a power of {self.what(node)}")

    @property
    def steps(self) -> Mapping[str, Callable[[_Reader, tree.Arithmetic, Affine, tree.Expression], Affine]]:
        """What each operator does."""
        return {"+": _Reader.add, "-": _Reader.subtract, "*": _Reader.multiply, "/": _Reader.divide, "^": _Reader.power}
