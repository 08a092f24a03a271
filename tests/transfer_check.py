"""A search for a predictor on a random model, judged by enumeration of every subset and every domain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from oracles.invariance import Transfer

from suture.dsl.resolve import read_model
from suture.identify.predictors.minimax_game import Domain
from suture.identify.predictors.minimax_search import search
from suture.identify.predictors.minimax_setup import loss_named, selection_model
from suture.identify.predictors.predictor import Predictor
from suture.identify.predictors.predictor_search import PredictorSearch, Scored

CLOSE = 1e-9


def searched(transfer: Transfer, loss: str) -> PredictorSearch:
    """What the library finds."""
    model = read_model(transfer.program().strip())
    made = selection_model(model, transfer.outcome, transfer.features, model.mutable)
    return search(made, loss_named(loss, made.labels[transfer.outcome]))


def faults(transfer: Transfer, loss: str, found: PredictorSearch) -> Iterator[str]:
    """What is wrong with it; nothing where all of it is true."""
    truth = {subset: transfer.worst(transfer.invariant_losses(subset, loss)) for subset in transfer.subsets()}
    seen: list[tuple[str, ...]] = []
    for each in found.classes:
        members = list(subsets_of(transfer, each))
        seen += members
        if any(abs(float(each.worst) - truth[subset]) > CLOSE for subset in members):
            yield f"worst case of {each.members.boundary}"
        if abs(float(each.upper) - float(each.worst)) > CLOSE:
            yield f"the bounds of {each.members.boundary} do not meet"
        if predictor_error(transfer, each, loss) > CLOSE:
            yield f"predictor of {each.members.boundary}"
        losses = transfer.invariant_losses(each.members.boundary, loss)
        if abs(float((joint_of(transfer, each.domain) * losses).sum()) - float(each.worst)) > CLOSE:
            yield f"witness of {each.members.boundary}"
    if sorted(seen) != sorted(truth):
        yield "the classes are no partition"
    if abs(float(found.chosen.worst) - min(truth.values())) > CLOSE:
        yield "winner"
    yield from minimax_faults(transfer, found, truth[transfer.stable], loss)


def subsets_of(transfer: Transfer, each: Scored) -> Iterator[tuple[str, ...]]:
    """The subsets of a class, each in the order of the model."""
    for size in range(len(each.members.optional) + 1):
        for extra in combinations(each.members.optional, size):
            yield tuple(name for name in transfer.stable if name in (*each.members.boundary, *extra))


def joint_of(transfer: Transfer, domain: Domain) -> Any:
    """The joint distribution in a domain; rows that do not matter to it take the first value."""
    if domain.policy is None:
        return transfer.cut
    functions: dict[str, Any] = {}
    for name in transfer.mutable:
        cases = [transfer.sizes[parent] for parent in transfer.parents[name]]
        functions[name] = domain.policy.get(name, np.zeros(cases, dtype=int))
    return transfer.domain(functions)


def predictor_error(transfer: Transfer, each: Scored, loss: str) -> float:
    """The largest difference of a predictor from the conditional distribution, wherever that is determined."""
    predictor = each.predictor
    assert isinstance(predictor, Predictor)
    truth = transfer.conditional(transfer.cut, (*each.members.boundary, *transfer.mutable))
    place = transfer.axis[transfer.outcome]
    shape = [1] * len(transfer.axis)
    for name in predictor.inputs:
        shape[transfer.axis[name]] = transfer.sizes[name]
    order = sorted(range(len(predictor.inputs)), key=lambda number: transfer.axis[predictor.inputs[number]])
    if loss == "squared_loss":
        numbers = np.arange(transfer.sizes[transfer.outcome])
        expected = np.moveaxis(truth, place, -1) @ numbers
        made = predictor.values.astype(float).transpose(order).reshape(shape).squeeze(place)
        return float(np.nanmax(np.abs(made - expected), initial=0.0))
    expected = np.moveaxis(truth, place, -1)
    made = predictor.values.astype(float).transpose([*order, len(order)]).reshape([*shape, -1]).squeeze(place)
    if loss == "zero_one":
        return float(np.nanmax(expected.max(axis=-1) - (expected * made).sum(axis=-1), initial=0.0))
    return float(np.nanmax(np.abs(made - expected), initial=0.0))


def minimax_faults(transfer: Transfer, found: PredictorSearch, full: float, loss: str) -> Iterator[str]:
    """The bounds meet; the mixture proves the lower one by enumeration; the condition's claim is true."""
    minimax = found.minimax
    if minimax is None:
        yield "no minimax"
        return
    lower = float(minimax.lower)
    if float(minimax.upper) - lower > 1e-8:
        yield f"the gap does not close: {lower} {minimax.upper}"
    if lower > float(found.chosen.worst) + CLOSE:
        yield "the minimax is above the best subset"
    parts = minimax.saddle.mixture
    mixed = sum(weight * joint_of(transfer, domain) for weight, domain in parts) / sum(weight for weight, _ in parts)
    if abs(transfer.least(np.asarray(mixed), loss) - lower) > 1e-8:
        yield "the mixture does not prove the lower bound"
    if found.condition.holds and max(abs(full - lower), abs(full - float(found.chosen.worst))) > 1e-8:
        yield "the condition holds and its claim does not"
