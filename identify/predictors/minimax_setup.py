"""From a program's model and domains to a selection model with numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import repeat

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.mechanism_expressions import at_ends, intervals
from ...dsl.program import AnyMechanism, Domain, Mechanism, Model, Table
from ...dsl.rows import NumberRows
from ...semantics.mechanisms import mechanism_array
from ...semantics.needs import labels_of, missing_mechanism
from ...semantics.semiring import PROBABILITY, RATIONAL, Array
from .losses import LogLoss, Loss, SquaredLoss, ZeroOneLoss, outcome_numbers
from .selection_diagram import SelectionDiagram
from .selection_model import Adversary, Choice, SelectionModel, any_row, between_rows, given_row, near_row

RATIONAL_CELLS = 1 << 12


def loss_named(name: str, labels: Sequence[str]) -> Loss:
    """The loss of that name for an outcome with these labels; raises `SutureError` S473 where they are no numbers."""
    if name == "log_loss":
        return LogLoss()
    if name == "zero_one":
        return ZeroOneLoss()
    numbers = outcome_numbers(labels)
    if numbers is None:
        message = f"the squared loss needs an outcome of numbers, and its values are {', '.join(labels)}"
        raise SutureError(Diagnostic("S473", message, help="use log_loss or zero_one, or give the values as numbers"))
    return SquaredLoss(numbers)


def selection_model(
    model: Model,
    outcome: str,
    features: Sequence[str],
    changing: Sequence[str],
    domains: Sequence[Domain] = (),
    given: Iterable[Domain] = (),
    exact: bool = True,
    within: Fraction | None = None,
) -> SelectionModel:
    """The selection model in which the mechanisms of `changing` are any, or those of one of `domains`, or any whose
    probabilities differ from the model's by at most `within`.

    `given` are domains to compare with; those that leave something open are passed over.  Rational where that is
    affordable and `exact`, else float64.  Raises `SutureError` for what is missing (S427, S428) or no number (S474).
    """
    diagram = SelectionDiagram.of(model.diagram, outcome, features, changing)
    whole = diagram.whole
    needed = whole.members(whole.ancestors(whole.mask((outcome, *features))))
    parents = {name: model.parents(name) for name in needed}
    labels = labels_of(model, needed)
    moving = tuple(name for name in needed if name in changing)
    stable = _arrays(model, [name for name in needed if name not in moving], model.mechanisms)
    made = _adversaries(model, moving, domains, labels) if within is None else (_near(model, moving, within),)
    known = [_given(model, moving, domain, labels) for domain in given]
    semiring = RATIONAL if exact and _small(diagram, labels, parents, moving) else PROBABILITY
    if not semiring.exact:
        stable = {name: array.astype(np.float64) for name, array in stable.items()}
    compared = tuple(each for each in known if each is not None)
    return SelectionModel(diagram, labels, parents, stable, made, compared, semiring)


def _small(
    diagram: SelectionDiagram,
    labels: Mapping[str, tuple[str, ...]],
    parents: Mapping[str, tuple[str, ...]],
    moving: Sequence[str],
) -> bool:
    """Whether rational tables over everything a predictor and the adversary look at are small."""
    read = {parent for name in moving for parent in parents[name]}
    axes = {diagram.outcome, *diagram.stable, *diagram.mutable, *read}
    return math.prod(len(labels[name]) for name in axes) <= RATIONAL_CELLS


def _arrays(model: Model, names: Iterable[str], mechanisms: Mapping[str, Mechanism]) -> dict[str, Array]:
    """The mechanisms as arrays of rationals; one error for all that are missing."""
    found: dict[str, Array] = {}
    problems: list[Diagnostic] = []
    for name in names:
        array = mechanism_array(model, name, mechanisms[name]) if name in mechanisms else None
        if array is None:
            problems.append(missing_mechanism(model, name, name))
        elif not all(isinstance(entry, Fraction) for entry in array.flat):
            message = f"the mechanism of {name} has parameters, and the worst case needs numbers"
            problems.append(Diagnostic("S474", message, model.by_name[name].span, help="give every parameter a value"))
        else:
            found[name] = array
    if problems:
        raise SutureError(tuple(problems))
    return found


def _choice(model: Model, name: str, mechanism: Mechanism | None, labels: Mapping[str, tuple[str, ...]]) -> Choice:
    """What may become of one mechanism."""
    parents = model.parents(name)
    if isinstance(mechanism, AnyMechanism):
        cases = [len(labels[parent]) for parent in parents]
        return any_row(name, parents, cases, len(labels[name]), RATIONAL)
    if isinstance(mechanism, Table) and table_intervals(mechanism):
        low, high = (_arrays(model, [name], {name: _at(mechanism, end)})[name] for end in (False, True))
        return between_rows(name, parents, low, high)
    given = {} if mechanism is None else {name: mechanism}
    return given_row(name, parents, _arrays(model, [name], given)[name])


def table_intervals(table: Table) -> bool:
    """Whether a table leaves probabilities open."""
    if isinstance(table.rows, NumberRows):
        return False
    return any(True for row in table.rows for weight in row.weights for _ in intervals(weight))


def _at(table: Table, high: bool) -> Table:
    """A table with its intervals at one end; its rows no longer sum to one."""
    assert not isinstance(table.rows, NumberRows)
    rows = (replace(row, weights=tuple(at_ends(each, repeat(high)) for each in row.weights)) for row in table.rows)
    return Table(table.parents, tuple(rows))


def _left_open(model: Model, name: str) -> Mechanism:
    """What the model leaves open of a mutable mechanism: what it says with intervals, else everything."""
    own = model.mechanisms.get(name)
    if isinstance(own, Table) and table_intervals(own):
        return own
    return AnyMechanism(model.parents(name))


def _adversaries(
    model: Model, moving: Sequence[str], domains: Sequence[Domain], labels: Mapping[str, tuple[str, ...]]
) -> tuple[Adversary, ...]:
    """One that may do anything, or one a named domain."""
    if not domains:
        anything = {name: _choice(model, name, _left_open(model, name), labels) for name in moving}
        return (Adversary(None, anything),)
    return tuple(
        Adversary(domain.name, {name: _choice(model, name, _mechanism(model, domain, name), labels) for name in moving})
        for domain in domains
    )


def _near(model: Model, moving: Sequence[str], within: Fraction) -> Adversary:
    """One that may change the model's own mechanisms a little."""
    arrays = _arrays(model, moving, model.mechanisms)
    return Adversary(None, {name: near_row(name, model.parents(name), arrays[name], within) for name in moving})


def _mechanism(model: Model, domain: Domain, name: str) -> Mechanism | None:
    return domain.mechanisms.get(name, model.mechanisms.get(name))


def _given(
    model: Model, moving: Sequence[str], domain: Domain, labels: Mapping[str, tuple[str, ...]]
) -> Adversary | None:
    """A domain that spells out every changing mechanism, in numbers."""
    choices: dict[str, Choice] = {}
    for name in moving:
        mechanism = _mechanism(model, domain, name)
        if mechanism is None or isinstance(mechanism, AnyMechanism):
            return None
        try:
            choices[name] = _choice(model, name, mechanism, labels)
        except SutureError:
            return None
    fixed = all(choice.fixed for choice in choices.values())
    return Adversary(domain.name, choices) if fixed else None
