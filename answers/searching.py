"""Answers to `search predictor`: the chosen subset and its worst domain, in words, as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..dsl.diagram import Diagram
from ..dsl.formula import Formula, probability
from ..dsl.formula_text import label_text
from ..dsl.program import Model, Program, Search
from ..identify.derivation import Identified, Outcome, WorstDomain
from .answer import Answer
from .answer_data import Estimand, Status
from .report import table_lines

if TYPE_CHECKING:
    from ..identify.predictors.minimax_search import Minimax, PredictorSearch, Scored
    from ..identify.predictors.selection_model import Choice
    from ..semantics.semiring import Array

WIDTH = 78
MOST_LISTED = 5000
NEEDS_NUMBERS = "the graph alone does not tell which subset is best: give the stable mechanisms"
SHOWN = 12
"""Classes that the terminal shows; all of them are in the JSON."""


def searched(
    head: Answer, statement: Search, program: Program, outcome: Callable[[Formula, Diagram], Outcome]
) -> Answer:
    """The answer to a search.  Raises `SutureError` where numbers are missing or the tables are too large."""
    from ..identify.predictors.minimax_search import search
    from ..identify.predictors.minimax_setup import loss_named, selection_model

    model = program.models[statement.model]
    if not any(name in model.mechanisms for name in model.by_name if name not in statement.changing):
        return by_the_graph(head, statement, model, outcome)
    over = [program.domains[_domain_key(program, statement.model, name)] for name in statement.domains]
    every = [domain for domain in program.domains.values() if domain.model == statement.model]
    made = selection_model(
        model,
        statement.outcome,
        statement.features,
        statement.changing,
        over,
        over or every,
        within=statement.within,
    )
    found = search(made, loss_named(statement.loss, made.labels[statement.outcome]))
    return with_search(head, found, outcome, model.diagram)


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
    sizes = [{"boundary": list(each.boundary), "members": each.members, "worst_case": None} for each in classes]
    value = {
        "chosen": list(full.boundary) if settled else None,
        **dict.fromkeys(("worst_case", "minimax", "gap")),
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
        answer = _identified(answer, known)
    return replace(answer, lines=tuple(_graph_lines(value, condition.affected, statement.outcome, settled)))


def _graph_lines(value: dict[str, Any], affected: Sequence[str], outcome: str, settled: bool) -> Iterator[str]:
    """The answer of the graph in words."""
    if settled:
        yield f"{'chosen':<12}{_set(value['chosen'])}: the whole stable set is minimax, by the graph alone"
    elif value["condition"]["holds"]:
        yield f"{'condition':<12}holds, but mechanisms are restricted here, so numbers would decide"
    else:
        edge, made = value["condition"]["edge"], ", ".join(affected)
        yield f"{'condition':<12}fails by {edge}: the full predictor depends on what {made} makes of {outcome}"
    yield f"{'classes':<12}{len(value['classes']):,} that predict alike"
    for each in value["classes"][:SHOWN]:
        yield f"  {_set(each['boundary'])}" + (f" ({each['members']:,} subsets)" if each["members"] > 1 else "")
    if len(value["classes"]) > SHOWN:
        yield f"  … {len(value['classes']) - SHOWN:,} more (all of them with --json)"
    yield "" if settled else f"{'reason':<12}{NEEDS_NUMBERS}"


def _domain_key(program: Program, model: str, name: str) -> str:
    """Domains are found by their name, or by `MODEL.NAME` where two models have one of that name."""
    return name if name in program.domains and program.domains[name].model == model else f"{model}.{name}"


def with_search(
    head: Answer, found: PredictorSearch, outcome: Callable[[Formula, Diagram], Outcome], diagram: Diagram
) -> Answer:
    """The answer that shows what a search found; the predictor's formula is identified in the observed distribution."""
    formula = found.chosen.predictor.formula
    assert formula is not None
    known = outcome(formula, diagram)
    answer = replace(head, estimand=Estimand(formula), method=_method(found), search=found)
    return replace(
        _identified(answer, known),
        value=_value(found),
        exact=_exact(found),
        witness=worst_domain(found, found.chosen, str(head.model)),
        notes=tuple(_notes(found, isinstance(known, Identified))),
        lines=tuple(_lines(found)),
    )


def _identified(answer: Answer, known: Outcome) -> Answer:
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


# ---------------------------------------------------------------------------------------------------------------------
# JSON


def _method(found: PredictorSearch) -> str:
    if found.counted is not None:
        return "all classes of subsets scored"
    return "branch and bound over classes of subsets"


def _value(found: PredictorSearch) -> dict[str, Any]:
    """The JSON of the language page."""
    minimax = found.minimax
    return {
        "chosen": list(found.chosen.members.boundary),
        "worst_case": float(found.chosen.worst),
        "minimax": None if minimax is None else float(minimax.lower),
        "gap": None if found.gap is None else float(found.gap),
        "condition": {"holds": found.condition.holds, "edge": found.condition.edge},
        "classes": [
            {
                "boundary": list(each.members.boundary),
                "members": each.members.members,
                "worst_case": float(each.worst),
            }
            for each in found.classes
        ],
    }


def _exact(found: PredictorSearch) -> dict[str, Any] | None:
    """The rational numbers beside those of the value, where the model is rational."""
    if not isinstance(found.chosen.worst, Fraction):
        return None
    known = found.minimax is not None and found.minimax.exact
    return {
        "worst_case": str(found.chosen.worst),
        "minimax": str(found.minimax.lower) if known and found.minimax is not None else None,
        "gap": str(found.gap) if known else None,
        "classes": [{"boundary": list(each.members.boundary), "worst_case": str(each.worst)} for each in found.classes],
    }


# ---------------------------------------------------------------------------------------------------------------------
# The worst domain


def worst_domain(found: PredictorSearch, scored: Scored, model: str) -> WorstDomain:
    """The domain in which a class's predictor does worst, as a program that runs."""
    adversary = found.model.adversaries[scored.domain.adversary]
    policy = scored.domain.policy or {}
    rows: list[str] = []
    open_ended = False
    for name, choice in adversary.choices.items():
        open_ended |= not choice.fixed
        rows += _mechanism_lines(found, choice, choice.mechanism(_options(choice, policy)), name)
    name = adversary.name if adversary.name is not None and not open_ended else None
    program = "\n".join([f"domain {name or 'worst'} of {model} {{", *rows, "}"])
    return WorstDomain(name, program, float(scored.worst))


def _options(choice: Choice, policy: Any) -> Any:
    return policy.get(choice.axis, choice.allowed.argmax(axis=-1))


def _mechanism_lines(found: PredictorSearch, choice: Choice, mechanism: Array, name: str) -> Iterator[str]:
    """A mechanism as a table; one row for all cases where they are alike."""
    import numpy as np

    labels = found.model.labels
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


def _notes(found: PredictorSearch, identified: bool) -> Iterator[str]:
    chosen = found.chosen
    holes = int(chosen.predictor.undetermined.sum())
    if holes:
        yield f"{holes} of {chosen.predictor.undetermined.size} cases occur in no domain: any prediction would do there"
    if not identified:
        yield "one domain's data alone do not give this predictor; it is computed from the model"
    if not found.complete:
        scored = f"{len(found.classes):,} classes were scored and the budget ended"
        yield f"{scored}: none can be below {float(found.floor):.6g}, and one below the chosen is not excluded"
    if chosen.upper > chosen.worst and float(chosen.upper - chosen.worst) > 1e-9:
        yield f"the worst case lies between {float(chosen.worst):.6g} (attained) and {float(chosen.upper):.6g}"


def _lines(found: PredictorSearch) -> Iterator[str]:
    chosen = found.chosen
    yield f"{'chosen':<12}{_set(chosen.members.boundary)}{_with_inputs(chosen)}"
    yield f"{'worst case':<12}{_number(chosen.worst)}"
    yield from _minimax_lines(found)
    yield f"{'condition':<12}{_condition(found)}"
    yield ""
    yield from _class_lines(found)
    yield ""
    yield from _predictor_lines(chosen)
    yield ""


def _with_inputs(scored: Scored) -> str:
    return f", read together with {', '.join(scored.members.inputs)}" if scored.members.inputs else ""


def _minimax_lines(found: PredictorSearch) -> Iterator[str]:
    minimax = found.minimax
    if minimax is None:
        yield f"{'minimax':<12}not computed: its table is too large"
        return
    yield f"{'minimax':<12}{_minimax_text(found, minimax)}"


def _minimax_text(found: PredictorSearch, minimax: Minimax) -> str:
    known = _number(minimax.lower)
    if minimax.exact or float(found.gap) <= 1e-9:
        return f"{known} over all predictors: none is better"
    if float(minimax.upper) - float(minimax.lower) > 1e-8:
        known = f"between {known} and {_number(minimax.upper)}"
    return f"{known} over all predictors; the gap is {float(found.gap):.6g}"


def _condition(found: PredictorSearch) -> str:
    condition = found.condition
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


def _set(names: Sequence[str]) -> str:
    return "{" + ", ".join(names) + "}"


def _class_lines(found: PredictorSearch) -> Iterator[str]:
    """The classes, best first, with the risk in each domain that the program gives."""
    rows = [["subset", "alike", "worst case", *(name for name, _ in found.chosen.given)]]
    for each in found.classes[:SHOWN]:
        risks = [f"{risk:.6g}" for _, risk in each.given]
        rows.append([_set(each.members.boundary), f"{each.members.members:,}", f"{float(each.worst):.6g}", *risks])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    while len(widths) > 3 and sum(widths) + 2 * len(widths) > WIDTH:
        widths.pop()
    for row in rows:
        yield "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)).rstrip()
    if len(found.classes) > SHOWN:
        yield f"… {len(found.classes) - SHOWN:,} more classes (all of them with --json)"


def _predictor_lines(scored: Scored) -> Iterator[str]:
    predictor = scored.predictor
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
