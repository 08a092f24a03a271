"""Derivations in words: steps, side conditions and witnesses as a reader of the terminal sees them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from ..dsl.formula_text import kernel_text, text
from .derivation import (
    Ancestral,
    AnyValue,
    Components,
    Hedge,
    OpenPath,
    Positive,
    Separated,
    SideCondition,
    Step,
    Teeth,
    Witness,
)


def names(members: Iterable[str]) -> str:
    """A set of variables in braces."""
    return "{" + ", ".join(members) + "}"


def condition_text(condition: SideCondition) -> str:
    """A side condition as one sentence without a full stop.

    >>> condition_text(Separated(("Y",), ("X",), ("Z",), cut_out=("X",)))
    '{Y} _||_ {X} | {Z} without the arrows out of {X}'
    """
    match condition:
        case Ancestral(members, _, ()):
            return f"no box of {names(members)} reads a wire that is discarded"
        case Ancestral(members, _, cut):
            return f"once {names(cut)} is cut, the outcomes depend on the boxes of {names(members)} alone"
        case Components(groups, _):
            return _components(groups)
        case Teeth(component, teeth, _):
            return _teeth(component, teeth)
        case Separated():
            return _separated(condition)
        case Positive(kernel):
            return f"{kernel_text(kernel)} > 0"
        case AnyValue(variables):
            return f"any value of {', '.join(variables)} will do: the left side does not depend on it"
        case _:
            assert_never(condition)


def _components(groups: tuple[tuple[str, ...], ...]) -> str:
    if len(groups) == 1:
        return f"{names(groups[0])} hangs together by latent wires" if len(groups[0]) > 1 else "one box is left"
    return f"no latent wire joins {' and '.join(map(names, groups))}"


def _teeth(component: tuple[str, ...], teeth: tuple[tuple[str, ...], ...]) -> str:
    if len(component) == 1:
        return f"{names(component)} shares no latent wire with the others: its comb has one tooth"
    listed = ", ".join(map(names, teeth))
    together = f"{names(component)} hangs together by latent wires and to nothing else"
    return f"{together}: its comb has the {'tooth' if len(teeth) == 1 else 'teeth'} {listed}"


def _separated(condition: Separated) -> str:
    given = f" | {names(condition.given)}" if condition.given else ""
    cuts = [f"into {names(condition.cut)}"] if condition.cut else []
    cuts += [f"out of {names(condition.cut_out)}"] if condition.cut_out else []
    without = f" without the arrows {' and '.join(cuts)}" if cuts else ""
    return f"{names(condition.first)} _||_ {names(condition.second)}{given}{without}"


def witness_text(witness: Witness) -> tuple[str, ...]:
    """A witness in sentences, one a line."""
    match witness:
        case Hedge(larger, smaller, roots, cut, _):
            return (
                f"hedge: {names(larger)} around {names(smaller)}, roots {names(roots)}",
                f"both hang together by latent wires and lead to the roots; only the larger holds {names(cut)},",
                f"which is set: what is observed does not say how {names(smaller)} behaves when it is",
            )
        case OpenPath(path):
            return (f"open path: {path}",)
        case _:
            assert_never(witness)


def step_dict(step: Step) -> dict[str, object]:
    """A step as JSON-ready data."""
    return {
        "rule": step.rule.name,
        "statement": step.rule.statement,
        "source": step.rule.source,
        "before": text(step.before),
        "after": text(step.after),
        "because": [condition_text(condition) for condition in step.because],
    }


def witness_dict(witness: Witness) -> dict[str, object]:
    """A witness as JSON-ready data."""
    match witness:
        case Hedge(larger, smaller, roots, cut, outcomes):
            return {
                "kind": "hedge",
                "larger": list(larger),
                "smaller": list(smaller),
                "roots": list(roots),
                "cut": list(cut),
                "outcomes": list(outcomes),
            }
        case OpenPath(path):
            return {"kind": "open path", "path": path}
        case _:
            assert_never(witness)
