"""Replaying rewrites of latent models: each diagram is derived again from the one before by its rule.

The checker knows the rules by what they say of boxes and wires, and nothing of the code that chose them.  A rewrite
that changes all coordinates at once may read less than the diagram says, never more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...dsl.diagram import Diagram
from ..derivation import LawKept, Rewrite, Shared, Unread
from ..rules import RuleError
from .canonical import ABSORB, NORMALISE, RELABEL, ROTATE, STAR, SWAP

Reads = Mapping[str, frozenset[str]]


def replay_rewrites(rewrites: Sequence[Rewrite], domains: Sequence[str], shared: Sequence[str]) -> tuple[str, ...]:
    """Why the rewrites do not lead from the first diagram to the last; nothing where they do.

    `shared` are the latents of the first diagram whose mechanism no domain changes, decided apart from it.
    """
    previous: Diagram | None = None
    for number, rewrite in enumerate(rewrites, 1):
        try:
            if previous is not None and previous != rewrite.before:
                raise RuleError("it does not start where the step before ended")
            _check(rewrite, domains, frozenset(shared))
        except RuleError as error:
            return (f"step {number} ({rewrite.rule.name}): {error}",)
        previous = rewrite.after
    return ()


def _check(rewrite: Rewrite, domains: Sequence[str], shared: frozenset[str]) -> None:
    before, after = reads(rewrite.before), reads(rewrite.after)
    if rewrite.rule == ABSORB:
        _check_absorb(rewrite, before, after, domains, shared)
    elif rewrite.rule == SWAP:
        _check_swap(rewrite, before, after)
    elif rewrite.rule == NORMALISE:
        _check_normalise(rewrite, before, after)
    elif rewrite.rule in (ROTATE, RELABEL):
        if not any(isinstance(condition, LawKept) for condition in rewrite.because):
            raise RuleError("it does not say what becomes of the noise")
    else:
        raise RuleError("the rule is not known")


def reads(diagram: Diagram) -> Reads:
    """What each variable reads, by name."""
    names = [wire.name for wire in diagram.wires]
    return {names[box.outputs[0]]: frozenset(names[wire] for wire in box.inputs) for box in diagram.boxes}


def starred(diagram: Diagram) -> frozenset[str]:
    """The variables whose boxes differ between domains."""
    return frozenset(diagram.wires[box.outputs[0]].name for box in diagram.boxes if box.name.endswith(STAR))


def _check_absorb(
    rewrite: Rewrite, before: Reads, after: Reads, domains: Sequence[str], shared: frozenset[str]
) -> None:
    (condition,) = rewrite.because
    if not isinstance(condition, Shared) or len(condition.members) != 1 or condition.domains != tuple(domains):
        raise RuleError("it does not say which mechanism is shared")
    name = condition.members[0]
    if name in starred(rewrite.before) or name not in shared:
        raise RuleError(f"the mechanism of {name} differs between domains")
    expected = {child: own | before[name] if name in own else own for child, own in before.items()}
    if {**expected, name: frozenset()} != after:
        raise RuleError("the right side is not what absorbing gives")
    _same_boxes(rewrite)


def _check_swap(rewrite: Rewrite, before: Reads, after: Reads) -> None:
    (condition,) = rewrite.because
    if not isinstance(condition, Unread) or condition.second in before[condition.first]:
        raise RuleError("one reads the other")
    if before != after:
        raise RuleError("a swap changes no wire")
    order = [wire.name for wire in rewrite.before.wires]
    place = order.index(condition.second)
    if order[place + 1] != condition.first:
        raise RuleError("the two are no neighbours")
    order[place : place + 2] = condition.first, condition.second
    if order != [wire.name for wire in rewrite.after.wires]:
        raise RuleError("other boxes have moved")
    _same_boxes(rewrite)


def _check_normalise(rewrite: Rewrite, before: Reads, after: Reads) -> None:
    """The latents keep their order and get new names; what is read after must be able to reach before."""
    names = [(w.name, v.name) for w, v in zip(rewrite.before.wires, rewrite.after.wires, strict=True)]
    moved = dict(names)
    if {moved[name] for name in starred(rewrite.before)} < starred(rewrite.after):
        raise RuleError("a shared mechanism came to differ between domains")
    for name, own in before.items():
        reach = _ancestors(before, own)
        allowed = {moved[each] for each in reach} | ({moved[name]} if moved[name] == name else set())
        if name not in starred(rewrite.before) and moved[name] != name:
            allowed = set()
        if not after[moved[name]] <= allowed:
            raise RuleError(f"{moved[name]} reads what could not reach it")


def _ancestors(before: Reads, names: frozenset[str]) -> set[str]:
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(before[name])
    return found


def _same_boxes(rewrite: Rewrite) -> None:
    if starred(rewrite.before) != starred(rewrite.after) or rewrite.before.codomain != rewrite.after.codomain:
        raise RuleError("boxes that differ between domains, or what is seen, have changed")
