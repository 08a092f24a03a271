"""A selection model estimated from finite data of several environments.

Stable mechanisms are the same in every environment, so each is estimated from all rows together: P(v | blanket of v),
the blanket being what v depends on among its predecessors, its district with that district's parents (Tian and Pearl
2002, lemma 4; Richardson 2003).  Without hidden common causes these are its parents.  The product of these factors over
the stable variables is P(stable | do(mutable)) in every environment, as long as no mutable variable shares a hidden
cause: such a model is refused, since there the prediction would have to be identified first.

A case of the causes that no environment has leaves its row open.  Where no environment whatever could come to that case
any row does; where one could, the data do not tell the prediction there, which is refused unless counts are smoothed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.diagram import Diagram
from ...semantics.environments.environment_tables import EnvironmentTables, conditionals
from ...semantics.semiring import PROBABILITY, Array
from ..graph import CausalGraph
from ..predictors.arena import spread
from ..predictors.selection_diagram import SelectionDiagram
from ..predictors.selection_model import Adversary, SelectionModel, any_row, given_row, near_row

MOST_SHOWN = 3
REACHED = 1e-15


@dataclass(frozen=True, slots=True, eq=False)
class Blankets:
    """What each variable that matters is estimated given: `given[v]`, causes first; `graph` has these as parents.

    `shared` are the variables in the same district as another.
    """

    graph: CausalGraph
    given: Mapping[str, tuple[str, ...]]
    shared: frozenset[str]

    @staticmethod
    def of(diagram: Diagram, outcome: str, features: Sequence[str]) -> Blankets:
        """The blankets of the outcome, the features and the observed variables above them."""
        whole = CausalGraph.of(diagram)
        within = whole.ancestors(whole.mask((outcome, *features)))
        names = whole.members(within)
        masks = {name: whole.blanket(whole.index[name], within) for name in names}
        given = {name: whole.members(mask) for name, mask in masks.items()}
        place = {name: number for number, name in enumerate(names)}
        parents = tuple(sum(1 << place[above] for above in given[name]) for name in names)
        graph = CausalGraph(names, parents, (0,) * len(names))
        districts = [part for part in whole.districts(within) if part & (part - 1)]
        shared = frozenset(name for part in districts for name in whole.members(part))
        return Blankets(graph, given, shared)


def estimated_model(
    diagram: Diagram,
    blankets: Blankets,
    tables: EnvironmentTables,
    outcome: str,
    features: Sequence[str],
    mutable: Sequence[str],
    over: Sequence[str] = (),
    within: Fraction | None = None,
    smoothing: float = 0.0,
) -> SelectionModel:
    """The selection model whose stable mechanisms are those of the data, the `mutable` ones anything; those of one of
    the environments `over`, or within some distance of all environments together.

    Raises `SutureError` S492 where a mutable variable shares a hidden cause, S493 where the data do not tell a row that
    matters.
    """
    require_unshared(blankets, mutable)
    selection = invariant_diagram(diagram, blankets, outcome, features, mutable)
    pooled = {name: tables.table((*given, name)).sum(axis=0) for name, given in blankets.given.items()}
    stable: dict[str, Array] = {}
    empty: dict[str, Array] = {}
    for name, counts in pooled.items():
        if name not in mutable:
            stable[name], empty[name] = conditionals(counts, smoothing)
    labels = {name: tables.labels[name] for name in blankets.given}
    given = tuple(_environment(tables, blankets, mutable, place, pooled) for place in range(len(tables.names)))
    if over:
        made = tuple(each for each in given if each.name in over)
    elif within is not None:
        made = (_near(blankets, mutable, pooled, within),)
    else:
        made = (_anything(blankets, mutable, labels),)
    model = SelectionModel(selection, labels, blankets.given, stable, made, given, PROBABILITY)
    _require_known(model, empty)
    return model


def require_unshared(blankets: Blankets, mutable: Sequence[str]) -> None:
    """Refuse a mutable variable that shares a hidden cause (S492)."""
    hidden = [name for name in mutable if name in blankets.shared]
    if hidden:
        message = f"the mechanism of {hidden[0]} may change and it shares a hidden cause, so data do not tell it apart"
        raise SutureError(Diagnostic("S492", message, help="observe the common cause, or give the model's mechanisms"))


def invariant_diagram(
    diagram: Diagram, blankets: Blankets, outcome: str, features: Sequence[str], mutable: Sequence[str]
) -> SelectionDiagram:
    """The diagram whose classes are those of the model, and whose mechanisms are conditional on blankets."""
    projected = CausalGraph.of(diagram)
    graph = projected.without(projected.everything & ~projected.mask((outcome, *features)))
    stable = tuple(name for name in features if name not in mutable)
    moving = tuple(name for name in features if name in mutable)
    return SelectionDiagram(diagram, blankets.graph, graph, outcome, stable, moving)


def _anything(blankets: Blankets, mutable: Sequence[str], labels: Mapping[str, tuple[str, ...]]) -> Adversary:
    return Adversary(
        None,
        {
            name: any_row(name, given, [len(labels[above]) for above in given], len(labels[name]), PROBABILITY)
            for name, given in blankets.given.items()
            if name in mutable
        },
    )


def _environment(
    tables: EnvironmentTables, blankets: Blankets, mutable: Sequence[str], place: int, pooled: Mapping[str, Array]
) -> Adversary:
    """The mutable mechanisms of one environment; a case that it does not have is as in all of them together."""
    choices: dict[str, Any] = {}
    for name, given in blankets.given.items():
        if name in mutable:
            own, empty = conditionals(tables.table((*given, name))[place])
            both = conditionals(pooled[name])[0]
            choices[name] = given_row(name, given, np.where(empty[..., None], both, own))
    return Adversary(tables.names[place], choices)


def _near(blankets: Blankets, mutable: Sequence[str], pooled: Mapping[str, Array], radius: Fraction) -> Adversary:
    """Mechanisms near those of all environments together."""
    choices: dict[str, Any] = {}
    for name, given in blankets.given.items():
        if name in mutable:
            rows, _ = conditionals(pooled[name])
            exact = np.empty(rows.shape, dtype=object)
            for case in np.ndindex(rows.shape[:-1]):
                entries = [Fraction(float(entry)) for entry in rows[case]]
                exact[case] = [entry / sum(entries) for entry in entries]
            choices[name] = near_row(name, given, exact, radius)
    return Adversary(None, choices)


def _require_known(model: SelectionModel, empty: Mapping[str, Array]) -> None:
    """Refuse rows that no row of data tells and some domain comes to."""
    for name, holes in empty.items():
        if not holes.any():
            continue
        given = model.parents[name]
        lost = np.argwhere(holes & _reachable(model, given))
        if len(lost):
            _refuse(model, name, lost)


def _reachable(model: SelectionModel, names: Sequence[str]) -> Array:
    """Which combinations of values some domain has."""
    if not names:
        return np.ones((), dtype=np.bool_)
    decisions = model.decisions(names)
    read = [parent for each in decisions for parent in model.parents[each]]
    axes = (*names, *(each for each in model.sorted((*decisions, *read)) if each not in names))
    joint = model.joint(axes)
    rest = tuple(range(len(names), len(axes)))
    found = np.zeros(joint.shape[: len(names)], dtype=np.bool_)
    for adversary in model.adversaries:
        values = joint
        for each in decisions:
            choice = adversary.choices[each]
            values = values * spread(choice.mixed().astype(np.float64), (*choice.parents, each), axes)
        found |= np.asarray((values.sum(axis=rest) if rest else values) > REACHED)
    return found


def _refuse(model: SelectionModel, name: str, lost: Array) -> None:
    given = model.parents[name]
    shown = [
        ", ".join(f"{above} = {model.labels[above][place]}" for above, place in zip(given, case, strict=True))
        for case in lost[:MOST_SHOWN]
    ]
    more = f" and {len(lost) - MOST_SHOWN} more cases" if len(lost) > MOST_SHOWN else ""
    message = f"no environment has rows with {' or '.join(shown)}{more}, so the data do not tell {name} there"
    help_text = "merge values or leave the variable out; from Python, smoothing=0.5 adds half a row to each value"
    raise SutureError(Diagnostic("S493", message, help=help_text))
