"""What a search for a predictor found, in words: the worst domain as a program, the classes, the predictor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, assert_never

from ..dsl.formula_text import label_text
from ..identify.derivation import WorstDomain
from ..identify.predictors.affine_predictor import AffinePredictor
from ..identify.predictors.fitted_predictor import FittedPredictor
from ..identify.predictors.linear_selection import LinearSelection
from ..identify.predictors.predictor import Predictor
from ..identify.predictors.predictor_search import Kind, Minimax, PredictorSearch, Scored
from ..identify.predictors.selection_model import Choice, SelectionModel
from ..identify.predictors.simulated_selection import SimulatedSelection
from ..semantics.semiring import Array
from .report import table_lines
from .search_graph import SHOWN, set_text

WIDTH = 78


def worst_domain(found: PredictorSearch, scored: Scored, model: str) -> WorstDomain:
    """The domain in which a class's predictor does worst, as a program that runs."""
    rows: list[str]
    match found.model:
        case SelectionModel():
            name, rows = _finite_domain(found.model, scored)
        case LinearSelection() | SimulatedSelection():
            adversary = found.model.adversaries[scored.domain.adversary]
            name = adversary.name if adversary.fixed else None
            rows = [f"  {variable} {text}" for variable, text in scored.domain.mechanisms]
        case _:
            assert_never(found.model)
    program = "\n".join([f"domain {name or 'worst'} of {model} {{", *rows, "}"])
    return WorstDomain(name, program, float(scored.worst))


def _finite_domain(model: SelectionModel, scored: Scored) -> tuple[str | None, list[str]]:
    """The name of the domain, None where an adversary made it, and its mechanisms as lines."""
    adversary = model.adversaries[scored.domain.adversary]
    policy = scored.domain.policy or {}
    rows: list[str] = []
    open_ended = False
    for name, choice in adversary.choices.items():
        open_ended |= not choice.fixed
        rows += _mechanism_lines(model, choice, choice.mechanism(_options(choice, policy)), name)
    return adversary.name if not open_ended else None, rows


def _options(choice: Choice, policy: Any) -> Any:
    return policy.get(choice.axis, choice.allowed.argmax(axis=-1))


def _mechanism_lines(model: SelectionModel, choice: Choice, mechanism: Array, name: str) -> Iterator[str]:
    """A mechanism as a table; one row for all cases where they are alike."""
    import numpy as np

    labels = model.labels
    cases = list(np.ndindex(*mechanism.shape[:-1]))
    texts = [", ".join(str(entry) for entry in mechanism[case]) for case in cases]
    yield f"  {name} ~ table ({', '.join(choice.parents)}) {{"
    if len(set(texts)) == 1:
        yield f"    {', '.join('_' for _ in choice.parents)}{' ' if choice.parents else ''}=> {texts[0]}"
    else:
        for case, text in zip(cases, texts, strict=True):
            cells = [label_text(labels[parent][at]) for parent, at in zip(choice.parents, case, strict=True)]
            yield f"    {', '.join(cells)} => {text}"
    yield "  }"


# ---------------------------------------------------------------------------------------------------------------------
# Words


def notes(found: PredictorSearch, identified: bool) -> Iterator[str]:
    """Facts that a reader of the worst case should know."""
    chosen = found.chosen
    if isinstance(chosen.predictor, Predictor):
        holes = int(chosen.predictor.undetermined.sum())
        if holes:
            cases = f"{holes} of {chosen.predictor.undetermined.size} cases"
            yield f"{cases} occur in no domain: any prediction would do there"
    if not identified:
        yield "one domain's data alone do not give this predictor; it is computed from the model"
    if not found.complete and found.floor is not None:
        scored = f"{len(found.classes):,} classes were scored and the budget ended"
        yield f"{scored}: none can be below {float(found.floor):.6g}, and one below the chosen is not excluded"
    if isinstance(chosen.predictor, FittedPredictor):
        yield from _simulated_notes(found, chosen)
    if chosen.kind is Kind.BOUNDS:
        yield f"the worst case lies between {float(chosen.worst):.6g} (attained) and {float(chosen.upper):.6g}"


def _simulated_notes(found: PredictorSearch, chosen: Scored) -> Iterator[str]:
    """What simulation leaves open."""
    predictor = chosen.predictor
    yield f"every worst case here is a lower bound, found by gradient ascent; its standard error is {chosen.error:.2g}"
    if isinstance(predictor, FittedPredictor) and predictor.spread is not None:
        how = "the predictor is a regression on simulated rows"
        yield f"{how}; the standard error of its values is {predictor.spread:.2g}"
    if not found.complete:
        yield "so a class with a larger bound is worse than this number, and the chosen one may be worse than it too"
    if found.counted is None:
        yield f"{len(found.classes)} classes were tried, there are more"


def lines(found: PredictorSearch) -> Iterator[str]:
    """The answer, line by line."""
    chosen = found.chosen
    yield f"{'chosen':<12}{set_text(chosen.members.boundary)}{_with_inputs(chosen)}"
    yield f"{'worst case':<12}{_worst(found, chosen)}"
    yield from _minimax_lines(found)
    yield f"{'condition':<12}{_condition(found)}"
    yield ""
    yield from _class_lines(found)
    yield ""
    yield from _predictor_lines(chosen)
    yield ""


def _worst(found: PredictorSearch, scored: Scored) -> str:
    """The worst case with what is known of it."""
    match scored.kind:
        case Kind.EXACT:
            everywhere = ", the risk in every domain" if isinstance(found.model, LinearSelection) else ""
            return f"{_number(scored.worst)}{everywhere}"
        case Kind.BOUNDS:
            return f"between {_number(scored.worst)} and {_number(scored.upper)}"
        case Kind.LOWER:
            return f"at least {_number(scored.worst)} (a lower bound, found by ascent)"
        case _:
            assert_never(scored.kind)


def _with_inputs(scored: Scored) -> str:
    return f", read together with {', '.join(scored.members.inputs)}" if scored.members.inputs else ""


def _minimax_lines(found: PredictorSearch) -> Iterator[str]:
    minimax = found.minimax
    if minimax is None and isinstance(found.model, SimulatedSelection):
        settled = (
            "the chosen set's worst case, by the graph" if found.complete else "not known: mechanisms are not linear"
        )
        yield f"{'minimax':<12}{settled}"
        return
    if minimax is None:
        yield f"{'minimax':<12}not computed: its table is too large"
        return
    yield f"{'minimax':<12}{_minimax_text(found, minimax)}"


def _minimax_text(found: PredictorSearch, minimax: Minimax) -> str:
    known = _number(minimax.lower)
    if minimax.exact or float(found.gap) <= 1e-9:
        return f"{known} over {minimax.among}: none is better"
    if float(minimax.upper) - float(minimax.lower) > 1e-8:
        known = f"between {known} and {_number(minimax.upper)}"
    return f"{known} over {minimax.among}; the gap is {float(found.gap):.6g}"


def _condition(found: PredictorSearch) -> str:
    condition = found.condition
    if isinstance(found.model, LinearSelection):
        return "not needed: the model is linear, so more stable features never hurt"
    if condition.holds and not found.model.unrestricted:
        return "holds, but mechanisms are restricted here, so the numbers decide"
    if condition.holds:
        return "holds: by the graph alone the whole stable set is minimax"
    affected = ", ".join(condition.affected)
    return f"fails by {condition.edge}: the full predictor depends on what {affected} makes of {found.model.outcome}"


def _number(value: Any) -> str:
    """A number, and the rational one beside it where that is readable."""
    exact = f"  = {value}" if isinstance(value, Fraction) and value.denominator > 1 and len(str(value)) <= 30 else ""
    return f"{float(value):.6g}{exact}"


def _class_lines(found: PredictorSearch) -> Iterator[str]:
    """The classes, best first, with the risk in each domain that the program gives."""
    bounded = any(each.kind is Kind.LOWER for each in found.classes)
    head = "at least" if bounded else "worst case"
    rows = [["subset", "alike", head, *(name for name, _ in found.chosen.given)]]
    for each in found.classes[:SHOWN]:
        risks = [f"{risk:.6g}" for _, risk in each.given]
        rows.append([set_text(each.members.boundary), f"{each.members.members:,}", f"{float(each.worst):.6g}", *risks])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    while len(widths) > 3 and sum(widths) + 2 * len(widths) > WIDTH:
        widths.pop()
    for row in rows:
        yield "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)).rstrip()
    if len(found.classes) > SHOWN:
        yield f"… {len(found.classes) - SHOWN:,} more classes (all of them with --json)"


def _predictor_lines(scored: Scored) -> Iterator[str]:
    match scored.predictor:
        case Predictor():
            yield from _table_lines(scored.predictor)
        case AffinePredictor():
            yield f"the predictor: mean of {scored.predictor.outcome}"
            yield f"  {scored.predictor.equation}"
        case FittedPredictor():
            yield f"the predictor: mean of {scored.predictor.outcome}"
            yield f"  a fitted function of {', '.join(scored.predictor.inputs) or 'nothing'}"
        case _:
            assert_never(scored.predictor)


def _table_lines(predictor: Predictor) -> Iterator[str]:
    of = "mean" if predictor.loss == "squared_loss" else "probability"
    subject = predictor.outcome
    if of == "mean" and len(predictor.outcome_labels) == 2:
        of, subject = "probability", f"{subject} = {predictor.outcome_labels[1]}"
    yield f"the predictor: {of} of {subject}"
    yield from (f"  {line}" for line in table_lines(floats(predictor.table)))


def floats(table: Any) -> Any:
    """The table in float64."""
    import numpy as np

    return replace(table, values=table.values.astype(np.float64))
