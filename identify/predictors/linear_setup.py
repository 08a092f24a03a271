"""From a program's model and domains of real variables to a linear selection model with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

from ...dsl import tree
from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.mechanism_expressions import at_ends, intervals
from ...dsl.program import AnyMechanism, Domain, Equation, Family, Mechanism, Model, Real
from ...dsl.syntax_text import expression_text
from ...semantics.budget import amount
from ...semantics.needs import missing_mechanism
from ...semantics.real.affine import Affine, affine_mechanism
from .linear_selection import AnyValue, Corners, Freedom, LinearAdversary, LinearSelection, field_of
from .selection_diagram import SelectionDiagram

MOST_CORNERS = 1 << 14
ANY = AnyMechanism(())


def is_real(model: Model, name: str) -> bool:
    """Whether a variable is real."""
    return isinstance(model.by_name[name].values, Real)


def linear_selection(
    model: Model,
    outcome: str,
    features: Sequence[str],
    changing: Sequence[str],
    domains: Sequence[Domain] = (),
    given: Iterable[Domain] = (),
) -> LinearSelection:
    """The selection model in which the mechanisms of `changing` are any that the model leaves open, or those of one of
    `domains`.

    `given` are domains to compare with; those that leave something open are passed over.  Raises `SutureError`: S479 a
    variable that is no real number, S428 no mechanism, S474 a parameter, S450 to S453 what is not linear and normal,
    S603 too many corners.
    """
    diagram = SelectionDiagram.of(model.diagram, outcome, features, changing)
    whole = diagram.whole
    needed = whole.members(whole.ancestors(whole.mask((outcome, *features))))
    require_reals(model, outcome, needed)
    parents = {name: model.parents(name) for name in needed}
    moving = tuple(name for name in needed if name in changing)
    stable = _forms(model, [name for name in needed if name not in moving], model.mechanisms)
    made = tuple(_adversary(model, moving, domain) for domain in (domains or (None,)))
    known = tuple(each for each in (_spelled_out(model, moving, domain) for domain in given) if each is not None)
    every = [form for each in (*made, *known) for choice in each.choices.values() for form in _of(choice)]
    return LinearSelection(diagram, parents, stable, made, known, field_of([*stable.values(), *every]))


def require_reals(model: Model, outcome: str, names: Iterable[str]) -> None:
    """Refuse variables that are no single real number (S479)."""
    for name in names:
        values = model.by_name[name].values
        if not isinstance(values, Real) or values.dimension != 1:
            what = "is a vector" if isinstance(values, Real) else "is not real"
            message = f"{outcome} is real and {name} {what}: such models are not searched yet"
            hint = f"declare {name} : real, or search over what does not depend on it"
            raise SutureError(Diagnostic("S479", message, model.by_name[name].span, what, hint))


def _of(choice: Freedom) -> tuple[Affine, ...]:
    return choice.forms if isinstance(choice, Corners) else ()


def _forms(model: Model, names: Iterable[str], mechanisms: Mapping[str, Mechanism]) -> dict[str, Affine]:
    """The affine forms of mechanisms; one error for all that are missing."""
    wanted = list(names)
    missing = [name for name in wanted if isinstance(mechanisms.get(name, ANY), AnyMechanism)]
    if missing:
        raise SutureError(tuple(missing_mechanism(model, name, name) for name in missing))
    return {name: _number_form(model, name, mechanisms[name]) for name in wanted}


def _number_form(model: Model, name: str, mechanism: Mechanism) -> Affine:
    """An affine form of numbers, irrational ones as floats; raises `SutureError` S474 for parameters."""
    form = affine_mechanism(model, name, mechanism)
    values = (form.constant, form.noise, *(each for _, each in form.coefficients))
    if any(getattr(value, "free_symbols", None) for value in values):
        message = f"the mechanism of {name} has parameters, and the worst case needs numbers"
        raise SutureError(Diagnostic("S474", message, model.by_name[name].span, help="give every parameter a value"))
    if all(isinstance(value, Fraction) for value in values):
        return form
    coefficients = tuple((parent, float(value)) for parent, value in form.coefficients)
    return replace(form, constant=float(form.constant), coefficients=coefficients, noise=float(form.noise))


def _adversary(model: Model, moving: Sequence[str], domain: Domain | None) -> LinearAdversary:
    """One that may do what a domain says, or what the model leaves open where none is meant."""
    choices: dict[str, Freedom] = {}
    corners = 1
    for name in moving:
        own = model.mechanisms.get(name)
        mechanism = left_open(own) if domain is None else domain.mechanisms.get(name, own)
        if mechanism is None:
            raise SutureError(missing_mechanism(model, name, name))
        choices[name] = _choice(model, name, mechanism)
        corners *= max(1, len(_of(choices[name])))
    if corners > MOST_CORNERS:
        message = f"the intervals of {', '.join(moving)} have {corners:,} combinations of ends"
        help_text = f"at most {MOST_CORNERS:,} are tried: give fewer intervals ({amount(corners * 8)})"
        raise SutureError(Diagnostic("S603", message, help=help_text))
    return LinearAdversary(None if domain is None else domain.name, choices)


def left_open(mechanism: Mechanism | None) -> Mechanism:
    """What a model leaves open of a mutable mechanism: what it says with `any` or intervals, else everything."""
    if isinstance(mechanism, AnyMechanism) or (mechanism is not None and has_intervals(mechanism)):
        return mechanism
    return ANY


def has_intervals(mechanism: Mechanism) -> bool:
    """Whether a mechanism of a real variable leaves numbers open."""
    return any(True for expression in expressions(mechanism) for _ in intervals(expression))


def expressions(mechanism: Mechanism) -> tuple[tree.Expression, ...]:
    """What a mechanism of a real variable computes with."""
    match mechanism:
        case Equation(_, expression):
            return (expression,)
        case Family(_, _, arguments):
            return arguments
        case _:
            return ()


def _choice(model: Model, name: str, mechanism: Mechanism) -> Freedom:
    """What may become of one mechanism."""
    if isinstance(mechanism, AnyMechanism):
        return AnyValue(name, model.parents(name), mechanism.low, mechanism.high)
    made = list(corner_mechanisms(mechanism))
    forms = {_number_form(model, name, each): mechanism_text(each) for each in made}
    return Corners(name, model.parents(name), tuple(forms), tuple(forms.values()))


def corner_mechanisms(mechanism: Mechanism) -> Iterator[Mechanism]:
    """The mechanism with each of its intervals at one end, every combination of ends."""
    match mechanism:
        case Equation(_, expression):
            for ends in product((False, True), repeat=sum(1 for _ in intervals(expression))):
                yield replace(mechanism, expression=at_ends(expression, iter(ends)))
        case Family(_, _, arguments):
            for ends in product((False, True), repeat=sum(1 for each in arguments for _ in intervals(each))):
                left = iter(ends)
                yield replace(mechanism, arguments=tuple(at_ends(each, left) for each in arguments))
        case _:
            yield mechanism


def mechanism_text(mechanism: Mechanism) -> str:
    """A mechanism of a real variable in the language."""
    match mechanism:
        case Equation(_, expression):
            return f":= {expression_text(expression)}"
        case Family(family, _, arguments):
            return f"~ {family}({', '.join(map(expression_text, arguments))})"
        case _:
            return "~ any"


def _spelled_out(model: Model, moving: Sequence[str], domain: Domain) -> LinearAdversary | None:
    """A domain that gives every changing mechanism, in numbers."""
    own = {name: domain.mechanisms.get(name, model.mechanisms.get(name)) for name in moving}
    try:
        choices = {name: _choice(model, name, mechanism) for name, mechanism in own.items() if mechanism is not None}
    except SutureError:
        return None
    fixed = all(isinstance(choice, Corners) and choice.fixed for choice in choices.values())
    return LinearAdversary(domain.name, choices) if fixed and len(choices) == len(moving) else None
