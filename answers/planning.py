"""What an answer will cost, as an answer of its own: the plans of its contractions, shown before any of them runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING, Any

from ..dsl.formula import Formula
from ..dsl.program import Domain, Model
from ..semantics.budget import amount, duration, meter
from .answer import Answer
from .answer_data import Status

if TYPE_CHECKING:
    from ..semantics.networks.cost import Contraction


def planned_answer(model: Model, query: str, formula: Formula, domains: Mapping[str, Domain]) -> Answer:
    """The cost of computing a formula in a model, without computing it; its mechanisms need not be given.

    Raises `SutureError` for variables without finitely many values.
    """
    from ..semantics.networks.cost import contractions

    found = contractions(formula, model, domains)
    within = all(_fits(one) for one in found)
    value = {"contractions": [_data(one) for one in found], "within_budget": within}
    lines = [line for one in found for line in _lines(one)]
    if not within:
        lines.append(f"more than the budget of {amount(meter().budget.bytes)}: this would be refused (S603)")
    return Answer("plan", Status.VALUE, None, None, model.name, query, value=value, lines=tuple(lines))


def _fits(found: Contraction) -> bool:
    plan, budget = found.plan, meter().budget
    timely = budget.seconds is None or plan.seconds <= budget.seconds
    return plan.bytes <= budget.bytes and plan.flops <= budget.flops and timely


def _data(found: Contraction) -> dict[str, Any]:
    plan = found.plan
    return {
        "probability": found.text,
        "factors": len(plan.operands),
        "variables": len(plan.sizes),
        "steps": len(plan.steps),
        "multiplications": plan.flops,
        "bytes": plan.bytes,
        "largest": plan.largest,
        "width": plan.width,
        "seconds": plan.seconds,
        "order": list(found.order),
    }


def _lines(found: Contraction) -> list[str]:
    plan, width = found.plan, log2(found.plan.largest)
    return [
        f"{found.text}: {_count(len(plan.operands), 'factor')} over {_count(len(plan.sizes), 'variable')}",
        f"  multiplications  {plan.flops:,}",
        f"  memory           {amount(plan.bytes)}",
        f"  largest          {plan.largest:,} entries over {_count(plan.width, 'axis', 'axes')}, 2^{width:.1f}",
        f"  time             about {duration(plan.seconds)} in floats",
        *_order(found.order),
    ]


def _order(names: Sequence[str]) -> list[str]:
    """The order of elimination, broken into lines of a width that a terminal shows."""
    if not names:
        return ["  summed out       nothing"]
    lines, line = list[str](), "  summed out      "
    for place, name in enumerate(names):
        word = f" {name}{',' if place < len(names) - 1 else ''}"
        if len(line) + len(word) > 76:
            lines.append(line)
            line = " " * 18
        line += word
    return [*lines, line]


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
