"""Answers to `search predictor` of a model without numbers: what its graph alone tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from ..dsl.diagram import Diagram
from ..dsl.formula import Formula, probability
from ..dsl.program import Model, Search
from ..identify.derivation import Identified, Outcome
from .answer import Answer
from .answer_data import Estimand, Status

MOST_LISTED = 5000
NEEDS_NUMBERS = "the graph alone does not tell which subset is best: give the stable mechanisms"
SHOWN = 12
"""Classes that the terminal shows; all of them are in the JSON."""


def by_the_graph(
    head: Answer, statement: Search, model: Model, outcome: Callable[[Formula, Diagram], Outcome]
) -> Answer:
    """What the graph alone tells of a model without numbers: the classes, and where the condition holds the best."""
    from ..identify.predictors.selection_diagram import SelectionDiagram

    diagram = SelectionDiagram.of(model.diagram, statement.outcome, statement.features, statement.changing)
    classes = list(islice(diagram.classes(), MOST_LISTED))
    condition, full = diagram.condition, classes[0]
    free = not statement.domains and statement.within is None
    settled = condition.holds and free
    unknown = {"worst_case": None, "kind": None}
    sizes = [{"boundary": list(each.boundary), "members": each.members, **unknown} for each in classes]
    value = {
        "chosen": list(full.boundary) if settled else None,
        **dict.fromkeys(("worst_case", "kind", "upper", "minimax", "gap", "among")),
        "condition": {"holds": condition.holds, "edge": condition.edge},
        "classes": sizes,
    }
    answer = replace(head, value=value, method="the graph alone")
    if not settled:
        answer = replace(answer, status=Status.UNDECIDED, reason=NEEDS_NUMBERS)
    else:
        above = diagram.whole.members(diagram.whole.ancestors(diagram.whole.mask((statement.outcome, *full.boundary))))
        do = [name for name in diagram.mutable if name in above]
        formula = probability([statement.outcome], full.boundary, do)
        known = outcome(formula, model.diagram)
        answer = replace(answer, estimand=Estimand(formula), notes=("no mechanism is given, so no risk is computed",))
        answer = identified(answer, known)
    return replace(answer, lines=tuple(_graph_lines(value, condition.affected, statement.outcome, settled)))


def _graph_lines(value: dict[str, Any], affected: Sequence[str], outcome: str, settled: bool) -> Iterator[str]:
    """The answer of the graph in words."""
    if settled:
        yield f"{'chosen':<12}{set_text(value['chosen'])}: the whole stable set is minimax, by the graph alone"
    elif value["condition"]["holds"]:
        yield f"{'condition':<12}holds, but mechanisms are restricted here, so numbers would decide"
    else:
        edge, made = value["condition"]["edge"], ", ".join(affected)
        yield f"{'condition':<12}fails by {edge}: the full predictor depends on what {made} makes of {outcome}"
    yield f"{'classes':<12}{len(value['classes']):,} that predict alike"
    for each in value["classes"][:SHOWN]:
        yield f"  {set_text(each['boundary'])}" + (f" ({each['members']:,} subsets)" if each["members"] > 1 else "")
    if len(value["classes"]) > SHOWN:
        yield f"  … {len(value['classes']) - SHOWN:,} more (all of them with --json)"
    yield "" if settled else f"{'reason':<12}{NEEDS_NUMBERS}"


def identified(answer: Answer, known: Outcome) -> Answer:
    """The answer with the formula in the observed distribution and its proof, where there is one."""
    if not isinstance(known, Identified):
        return answer
    return replace(
        answer,
        estimand=Estimand(known.formula),
        derivation=known.derivation,
        requires=known.requires,
        check=known.check,
    )


def set_text(names: Sequence[str]) -> str:
    """A subset, `{A, B}`."""
    return "{" + ", ".join(names) + "}"
