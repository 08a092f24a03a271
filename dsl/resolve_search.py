"""Searches for predictors: which mechanisms may change, and whether the predictor may read what it has to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from . import tree
from .constants import constant, shown
from .diagnostics import SutureError
from .labels import number
from .program import AnyMechanism, Data, Domain, Finite, Model, Real, Search
from .scope import Scope
from .statement_text import statement_text


def search_statement(scope: Scope, action: tree.Search, model: Model, data: Sequence[Data] = ()) -> Search | None:
    """The checked search, or None with its problems noted (S103, S470 to S473, S497).

    With data, what changes may be left to them.
    """
    named = [scope.domains.get((model.name, name.text)) for name in action.domains]
    over = [domain for domain in named if domain is not None]
    if (len(over) < len(action.domains) and not data) or scope.broken:
        return None
    every = [domain for (owner, _), domain in scope.domains.items() if owner == model.name]
    changing = changing_variables(model, every, () if data else over)
    environments = _environments(scope, action, data)
    if not changing and not data:
        _nothing_changes(scope, action, model)
    if action.outcome.text in changing:
        text = f"the mechanism of {action.outcome.text} may change, so nothing about it carries over"
        scope.report("S471", text, action.outcome.span, "mutable", "predict a variable whose mechanism stays the same")
    features = tuple(name.text for name in action.features)
    _all_read(scope, action, model, changing, features)
    _numbers(scope, action, model)
    domains = tuple(name.text for name in action.domains)
    within = _within(scope, action)
    return Search(
        action.outcome.text,
        features,
        model.name,
        domains,
        changing,
        action.loss.text,
        statement_text(replace(action, model=None)).removeprefix("search "),
        action.span,
        within,
        sources=tuple(each.name for each in data),
        environments=environments,
        compared=action.compared,
    )


def _environments(scope: Scope, action: tree.Search, data: Sequence[Data]) -> tuple[str, ...]:
    """The environments that data sets come from, a data set each: its domain, or its own name (S103, S497)."""
    found = [each.domain or each.name for each in data]
    for place, (each, name) in enumerate(zip(data, action.sources, strict=True)):
        if found[place] in found[:place]:
            text = f"two of these data sets come from domain {found[place]}"
            scope.report("S497", text, name.span, "again", "a search takes one data set an environment")
        if each.do:
            text = f"'{each.name}' is an experiment, and a search takes environments as they were observed"
            scope.report("S497", text, name.span, "not here", "leave it out")
    for name in action.domains if data else ():
        if name.text not in found:
            scope.unknown("S103", "environment", name, found)
    return tuple(found)


def _within(scope: Scope, action: tree.Search) -> Fraction | None:
    """How far probabilities may differ from the model's own: a number from 0 to 1 (S475)."""
    if action.within is None:
        return None
    try:
        radius = constant(action.within)
    except SutureError as error:
        scope.take(error)
        return None
    if radius is None or not 0 <= radius <= 1:
        text = f"probabilities differ by a number from 0 to 1, not by {shown(action.within)}"
        scope.report("S475", text, action.within.span, "", "write for example: within 0.1")
    elif action.domains:
        text = "'within' speaks of the model's own mechanisms, and domains are named as well"
        scope.report("S475", text, action.within.span, "one of the two", "leave out 'over ..' or 'within ..'")
    return radius


def changing_variables(model: Model, domains: Iterable[Domain], over: Sequence[Domain]) -> tuple[str, ...]:
    """The variables whose mechanisms change, in the order of the model.

    What is `~ any` in the model; of named domains what differs in them, otherwise what differs in any of its domains
    and what the model declares `mutable`.
    """
    left_open = {name for name, mechanism in model.mechanisms.items() if isinstance(mechanism, AnyMechanism)}
    if over:
        found = {name for domain in over for name in domain.mechanisms} | left_open
    else:
        found = {name for domain in domains for name in domain.mechanisms}
        found |= left_open
        found |= set(model.mutable)
    return tuple(variable.name for variable in model.variables if variable.name in found)


def _nothing_changes(scope: Scope, action: tree.Search, model: Model) -> None:
    if action.domains:
        text = f"no mechanism differs in {', '.join(name.text for name in action.domains)}"
        scope.report("S470", text, action.span, "nothing changes", "name a domain that changes something")
        return
    text = f"every mechanism of model {model.name} stays the same in all domains"
    names = [name.text for name in action.features if name.text not in model.latent]
    example = names[0] if names else "X"
    scope.report("S470", text, action.span, "nothing changes", f"say what may: mutable {example}, in the model")


def _all_read(
    scope: Scope, action: tree.Search, model: Model, changing: Sequence[str], features: Sequence[str]
) -> None:
    """A predictor that carries over reads every mutable variable that bears on it (S472)."""
    bearing = _with_ancestors(model, {action.outcome.text, *features} & set(model.by_name))
    for name in changing:
        if name in bearing and name not in features and name != action.outcome.text:
            if name in model.latent:
                text = f"the mechanism of {name} may change and {name} is latent, so no prediction carries over"
                help_text = f"make {name} observed, or keep its mechanism"
            else:
                text = f"the mechanism of {name} may change, and the predictor does not read {name}"
                help_text = f"add {name}: what carries over is the prediction given do({name})"
            scope.report("S472", text, action.span, "", help_text)


def _with_ancestors(model: Model, names: set[str]) -> set[str]:
    found, pending = set(names), list(names)
    while pending:
        for parent in model.parents(pending.pop()):
            if parent not in found:
                found.add(parent)
                pending.append(parent)
    return found


def _numbers(scope: Scope, action: tree.Search, model: Model) -> None:
    """The squared loss of words is no number, unless there are two of them: then they count 0 and 1 (S473)."""
    variable = model.by_name.get(action.outcome.text)
    if variable is not None and isinstance(variable.values, Real):
        _real_outcome(scope, action)
    if variable is None or not isinstance(variable.values, Finite) or action.loss.text != "squared_loss":
        return
    labels = variable.values.labels
    if len(labels) != 2 and any(number(label) is None for label in labels):
        text = f"squared_loss needs numbers, and the values of {variable.name} are {', '.join(labels)}"
        scope.report("S473", text, action.loss.span, "of words", "use log_loss or zero_one")


def _real_outcome(scope: Scope, action: tree.Search) -> None:
    """Predictions of real numbers are judged by the squared loss (S473), and have no probabilities to move (S475)."""
    if action.loss.text != "squared_loss":
        text = f"{action.loss.text} is for finitely many values, and {action.outcome.text} is real"
        scope.report("S473", text, action.loss.span, "does not fit", "use squared_loss")
    if action.within is not None:
        text = f"'within' speaks of probabilities, and {action.outcome.text} is real"
        scope.report(
            "S475", text, action.within.span, "does not fit", "write intervals of numbers: W := [0.5, 1.5]*X + noise"
        )
