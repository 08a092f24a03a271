"""Domains that a program spells out, as environments: their exact distributions in the place of data."""

from __future__ import annotations

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...semantics.environments.environment_tables import EnvironmentTables
from ..predictors.arena import Arena
from ..predictors.minimax_setup import loss_named
from ..predictors.predictor_search import PredictorSearch
from .table_baselines import Compared, compare, finite_model


def compare_domains(found: PredictorSearch) -> tuple[Compared, ...]:
    """Other methods beside a search, given the distributions of the domains spelled out, each with the same weight.

    Raises `SutureError` S494 where there is none, or variables are real.
    """
    model = finite_model(found)
    if not model.given:
        message = "other methods learn from domains, and none is spelled out"
        raise SutureError(Diagnostic("S494", message, help="add one: domain city of M {}; or search from data"))
    features = (*model.diagram.stable, *model.diagram.mutable)
    arena = Arena.of(model, features).as_floats
    names = (*features, model.outcome)
    shape = tuple(len(model.labels[name]) for name in names)
    weights = np.stack([arena.table(each, {}).reshape(-1) for each in model.given])
    seen = np.flatnonzero(weights.sum(axis=0) > 0)
    rows = np.stack(np.unravel_index(seen, shape), axis=-1).astype(np.intp)
    domains = tuple(str(each.name) for each in model.given)
    labels = {name: model.labels[name] for name in names}
    loss = loss_named(found.loss, model.labels[model.outcome])
    return compare(found, EnvironmentTables(domains, names, labels, rows, weights[:, seen]), loss)
