"""From a program's model and domains of real variables with mechanisms of any shape to one that is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from ...dsl.constants import evaluate
from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.mechanism_expressions import intervals, references
from ...dsl.program import AnyMechanism, Domain, Equation, Family, Mechanism, Model
from ...semantics.needs import missing_mechanism
from .linear_selection import AnyValue
from .linear_setup import ANY, corner_mechanisms, expressions, has_intervals, left_open, mechanism_text, require_reals
from .selection_diagram import SelectionDiagram
from .simulated_selection import Given, SimulatedAdversary, SimulatedSelection

MOST_CORNERS = 64
NOT_LINEAR = ("S450", "S451", "S452")
"""Diagnostics that say a model of real variables is not linear with normal noise."""


def simulated_selection(
    model: Model,
    outcome: str,
    features: Sequence[str],
    changing: Sequence[str],
    domains: Sequence[Domain] = (),
    given: Iterable[Domain] = (),
    seed: int = 0,
) -> SimulatedSelection:
    """As `linear_selection`, for mechanisms of any shape; intervals of numbers are tried at their ends.

    Raises `SutureError`: S479 a variable that is no real number, S428 no mechanism, S474 a parameter, S498 a mutable
    variable without bounds, S603 too many ends.
    """
    diagram = SelectionDiagram.of(model.diagram, outcome, features, changing)
    whole = diagram.whole
    needed = whole.members(whole.ancestors(whole.mask((outcome, *features))))
    require_reals(model, outcome, needed)
    parents = {name: model.parents(name) for name in needed}
    moving = tuple(name for name in needed if name in changing)
    stable: dict[str, Given] = {}
    for name in needed:
        if name not in moving:
            stable[name] = _stable(model, name)
    adversaries = [each for domain in (domains or (None,)) for each in _adversaries(model, moving, domain)]
    known = [each for domain in given for each in [_spelled_out(model, moving, domain)] if each is not None]
    return SimulatedSelection(diagram, parents, stable, tuple(adversaries), tuple(known), seed)


def _stable(model: Model, name: str) -> Given:
    """The one mechanism of a stable variable."""
    mechanism = model.mechanisms.get(name)
    if mechanism is None or isinstance(mechanism, AnyMechanism):
        raise SutureError(missing_mechanism(model, name, name))
    if has_intervals(mechanism):
        evaluate(next(each for expression in expressions(mechanism) for each in intervals(expression)), {})
    (made,) = _choices(model, name, mechanism)
    assert isinstance(made, Given)
    return made


def _adversaries(model: Model, moving: Sequence[str], domain: Domain | None) -> list[SimulatedAdversary]:
    """What a domain says, or what the model leaves open; one for each combination of ends of intervals."""
    options: dict[str, list[AnyValue | Given]] = {}
    for name in moving:
        own = model.mechanisms.get(name)
        mechanism = left_open(own) if domain is None else domain.mechanisms.get(name, own)
        if mechanism is None:
            raise SutureError(missing_mechanism(model, name, name))
        options[name] = _choices(model, name, mechanism)
    made = list(product(*options.values()))
    if len(made) > MOST_CORNERS:
        message = f"the intervals of {', '.join(moving)} have {len(made):,} combinations of ends"
        raise SutureError(Diagnostic("S603", message, help=f"at most {MOST_CORNERS} are tried: give fewer intervals"))
    name = None if domain is None else domain.name
    return [SimulatedAdversary(name, dict(zip(options, each, strict=True))) for each in made]


def _choices(model: Model, name: str, mechanism: Mechanism) -> list[AnyValue | Given]:
    """What may become of one mechanism."""
    if isinstance(mechanism, AnyMechanism):
        if mechanism.low is None:
            raise SutureError(_unbounded(model, name))
        return [AnyValue(name, model.parents(name), mechanism.low, mechanism.high)]
    _require_numbers(model, name, mechanism)
    found: list[AnyValue | Given] = []
    for each in corner_mechanisms(mechanism):
        assert isinstance(each, Equation | Family)
        found.append(Given(name, each, mechanism_text(each)))
    return found


def _unbounded(model: Model, name: str) -> Diagnostic:
    message = f"the model is not linear, and {name} may take any value: its worst domain has no bound to look within"
    help_text = f"bound the values: {name} ~ any in [-2, 2], in the model or in a domain that is searched over"
    return Diagnostic("S498", message, model.by_name[name].span, "without bounds", help_text)


def _require_numbers(model: Model, name: str, mechanism: Mechanism) -> None:
    """Refuse parameters (S474)."""
    mentioned = {each.text for expression in expressions(mechanism) for each in references(expression)}
    if mentioned - set(model.by_name):
        message = f"the mechanism of {name} has parameters, and the worst case needs numbers"
        raise SutureError(Diagnostic("S474", message, model.by_name[name].span, help="give every parameter a value"))


def _spelled_out(model: Model, moving: Sequence[str], domain: Domain) -> SimulatedAdversary | None:
    """A domain that gives every changing mechanism, in numbers."""
    own: Mapping[str, Mechanism] = {**model.mechanisms, **domain.mechanisms}
    try:
        choices = {name: _choices(model, name, own.get(name, ANY)) for name in moving}
    except SutureError:
        return None
    if any(len(each) > 1 or not isinstance(each[0], Given) for each in choices.values()):
        return None
    return SimulatedAdversary(domain.name, {name: each[0] for name, each in choices.items()})
