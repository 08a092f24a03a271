"""A search for a predictor from data of several environments: what may change, numbers, search, intervals, comparison.

The mutable variables are those given, or those that tests call changing (`detecting`); given ones are tested as well,
and so is whatever is taken to be stable, since the data may contradict it.  Mechanisms are estimated
(`estimated_model`) and searched as any others; every class has its mean loss in each environment, and an interval
around its worst case (`bootstrapping`).  Losses are in the units of the data: nothing is scaled by an environment's own
moments, which would make a constant look best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Diagram
from ...semantics.data.empirical import Empirical
from ...semantics.environments.environment_tables import EnvironmentTables, environment_tables
from ...semantics.environments.linear_methods import GAMMA
from ..predictors.losses import Loss
from ..predictors.minimax_search import search
from ..predictors.predictor import Predictor
from ..predictors.predictor_search import PredictorSearch, Scored
from .bootstrapping import DRAWS, Bootstrap, bootstrap
from .detecting import LEVEL, Detection, detect, one_environment
from .estimated_model import Blankets, estimated_model
from .table_baselines import Compared, compare, empirical_risks, finite_model


@dataclass(frozen=True, slots=True)
class Options:
    """How data are used: `smoothing` is added to every count, `draws` bootstrap samples are made, tests are made at
    `level`, anchor regression at `gamma`; `compared` asks for other methods beside, `curved` for mechanisms of real
    variables that are no straight lines.
    """

    compared: bool = False
    smoothing: float = 0.0
    draws: int = DRAWS
    level: float = LEVEL
    gamma: float = GAMMA
    seed: int = 0
    curved: bool = False


DEFAULT_OPTIONS = Options()


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentFindings:
    """What data add to a search: the weight of each environment, what may change and why, how sure the numbers are.

    `detection` holds the tests of the mechanisms, None where there are none; `detected` says that `mutable` is what
    they found.  `bootstrap` is None where weights are no numbers of rows.
    """

    environments: tuple[tuple[str, float], ...]
    mutable: tuple[str, ...]
    detected: bool
    detection: Detection | None
    bootstrap: Bootstrap | None
    compared: tuple[Compared, ...] = ()

    @property
    def contradicted(self) -> tuple[str, ...]:
        """Variables taken to be stable whose mechanisms the tests call changing."""
        found = () if self.detection is None else self.detection.changing
        return tuple(name for name in found if name not in self.mutable)


def search_environments(
    diagram: Diagram,
    outcome: str,
    features: Sequence[str],
    mutable: Sequence[str],
    data: Mapping[str, Empirical],
    loss: Loss,
    over: Sequence[str] = (),
    within: Fraction | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> tuple[PredictorSearch, EnvironmentFindings]:
    """The best invariant predictor by the data of named environments, with what the data tell of it.

    Where `mutable` is empty, the mechanisms that differ are detected.  Raises `SutureError` S491 to S496, and S308
    where an environment does not have a variable.
    """
    blankets = Blankets.of(diagram, outcome, features)
    tables = environment_tables(data, tuple(blankets.given))
    detection = _detection(tables, blankets, options, required=not mutable)
    chosen = tuple(mutable) if mutable else detected_mutable(detection, outcome, features)
    model = estimated_model(diagram, blankets, tables, outcome, features, chosen, over, within, options.smoothing)
    found = search(model, loss)
    found = replace(found, classes=tuple(_in_environments(found, tables, loss, each) for each in found.classes))
    sampled = None
    if tables.counted and options.draws > 0:
        sampled = bootstrap(model, tables, found.classes, loss, options.draws, options.seed, options.smoothing)
    compared = compare(found, tables, loss, options.gamma, seed=options.seed) if options.compared else ()
    rows = tuple(zip(tables.names, map(float, tables.totals), strict=True))
    return found, EnvironmentFindings(rows, chosen, not mutable, detection, sampled, compared)


def _detection(tables: EnvironmentTables, blankets: Blankets, options: Options, required: bool) -> Detection | None:
    """The tests; None where they cannot be made and need not be."""
    if not required and (len(tables.names) < 2 or not tables.counted):
        return None
    return detect(tables, blankets, options.level, options.seed)


def detected_mutable(detection: Detection | None, outcome: str, features: Sequence[str]) -> tuple[str, ...]:
    """The mechanisms that tests call changing.

    Raises `SutureError` S494 where there are no tests, S495 where the outcome's mechanism changes, S472 where the
    predictor does not read one that does, S496 where none does.
    """
    if detection is None:
        raise one_environment()
    changing = detection.changing
    if outcome in changing:
        test = detection.of(outcome)
        message = f"the mechanism of {outcome} differs between the environments (p = {test.adjusted:.2g})"
        help_text = "nothing about it carries over; a cause of it may be missing from the model"
        raise SutureError(Diagnostic("S495", message, help=help_text))
    unread = [name for name in changing if name not in features]
    if unread:
        message = f"the mechanism of {unread[0]} differs between the environments, and the predictor does not read it"
        help_text = f"add {unread[0]}: what carries over is the prediction given do({unread[0]})"
        raise SutureError(Diagnostic("S472", message, help=help_text))
    if not changing:
        message = "no mechanism differs between these environments as far as tests tell"
        help_text = (
            f"where one may differ elsewhere, say which: mutable {features[0] if features else 'X'}, in the model"
        )
        raise SutureError(Diagnostic("S496", message, help=help_text))
    return changing


def _in_environments(found: PredictorSearch, tables: EnvironmentTables, loss: Loss, scored: Scored) -> Scored:
    """The class with its mean loss in each environment's rows."""
    predictor = scored.predictor
    assert isinstance(predictor, Predictor)
    size = finite_model(found).size(predictor.inputs)
    flat = np.asarray(predictor.values, dtype=np.float64)
    flat = flat.reshape(size) if predictor.loss == "squared_loss" else flat.reshape(size, -1)
    return replace(scored, given=empirical_risks(tables, loss, predictor.outcome, predictor.inputs, flat))
