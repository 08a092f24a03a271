"""Proofs tampered with in one place: a side condition, a variable, a rule; and the graphs beside a graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
from oracles.graphs import Graph

from suture.dsl.formula import Formula, equal, map_terms
from suture.identify.derivation import (
    Ancestral,
    AnyValue,
    Components,
    Derivation,
    Hidden,
    Invariant,
    Positive,
    Separated,
    SideCondition,
    Step,
    Teeth,
)


def with_step(derivation: Derivation, number: int, step: Step | None) -> Derivation:
    """The derivation with one step replaced, or dropped."""
    put = () if step is None else (step,)
    return replace(derivation, steps=derivation.steps[:number] + put + derivation.steps[number + 1 :])


def swapped(formula: Formula, first: str, second: str) -> Formula:
    """The formula with the two variables exchanged everywhere, binders aside."""
    names = {first: second, second: first}
    return map_terms(formula, lambda term: replace(term, variable=names.get(term.variable, term.variable)))


# ---------------------------------------------------------------------------------------------------------------------
# Tampering


def shortened(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The names with one left out."""
    for place in range(len(names)):
        yield names[:place] + names[place + 1 :]


def changed_names(names: tuple[str, ...], every: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """One name left out, or one more put in."""
    yield from shortened(names)
    yield from ((*names, name) for name in every if name not in names)


def changed_groups(groups: tuple[tuple[str, ...], ...]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Two groups joined, one group split, one left out."""
    for first, second in combinations(range(len(groups)), 2):
        rest = tuple(group for place, group in enumerate(groups) if place not in (first, second))
        yield (groups[first] + groups[second], *rest)
    for place, group in enumerate(groups):
        yield groups[:place] + groups[place + 1 :]
        if len(group) > 1:
            yield (*groups[:place], group[:1], group[1:], *groups[place + 1 :])


def taken_from_less(condition: Teeth, graph: Graph) -> Iterator[SideCondition]:
    """The comb claimed of a smaller set, where that is false: not ancestral, or not one of its districts."""
    free = graph.on(node for node in graph.nodes if node not in condition.do)
    for names in shortened(condition.within):
        rest = free.on(names)
        if free.ancestors(names) != frozenset(names) or frozenset(condition.component) not in rest.districts():
            yield replace(condition, within=names)


def changed_condition(condition: SideCondition, graph: Graph) -> Iterator[SideCondition]:
    """The same kind of fact about other variables."""
    every = graph.nodes
    match condition:
        case Ancestral(members, within, cut):
            yield from (replace(condition, members=names) for names in changed_names(members, every))
            yield from (replace(condition, within=names) for names in shortened(within))
            yield from (replace(condition, cut=names) for names in changed_names(cut, every))
        case Components(groups, within):
            yield from (replace(condition, groups=other) for other in changed_groups(groups))
            yield from (replace(condition, within=names) for names in shortened(within))
        case Teeth(component, teeth):
            yield from (replace(condition, component=names) for names in changed_names(component, every))
            yield from (replace(condition, teeth=other) for other in changed_groups(teeth))
            yield from taken_from_less(condition, graph)
        case Separated(first, second, given_names, cut, cut_out):
            yield from (replace(condition, first=names) for names in shortened(first))
            yield from (replace(condition, second=names) for names in shortened(second))
            yield from (replace(condition, given=names) for names in changed_names(given_names, every))
            yield from (replace(condition, cut=names) for names in changed_names(cut, every))
            yield from (replace(condition, cut_out=names) for names in changed_names(cut_out, every))
        case AnyValue(names):
            yield from (AnyValue(other) for other in changed_names(names, every))
        case Invariant(members):
            yield from (replace(condition, members=names) for names in changed_names(members, every))
        case Hidden(names):
            yield from (Hidden(other) for other in changed_names(names, every))
        case Positive():
            yield from ()


def tampered_steps(step: Step, graph: Graph) -> Iterator[tuple[str, Step]]:
    """One step changed in one place."""
    for first, second in combinations(graph.nodes, 2):
        for side in ("before", "after"):
            formula = step.before if side == "before" else step.after
            other = swapped(formula, first, second)
            if not equal(other, formula):
                yield f"{first} and {second} exchanged {side}", replace(step, **{side: other})
    for place, condition in enumerate(step.because):
        yield "a side condition left out", replace(step, because=step.because[:place] + step.because[place + 1 :])
        for other in changed_condition(condition, graph):
            conditions = (*step.because[:place], other, *step.because[place + 1 :])
            yield f"{condition} became {other}", replace(step, because=conditions)
    yield "another statement", replace(step, rule=replace(step.rule, statement="anything goes"))
    yield "an unknown rule", replace(step, rule=replace(step.rule, name="wishful thinking"))
    yield "a side condition made up", replace(step, because=(*step.because, Ancestral(graph.nodes, ())))


def tampered(derivation: Derivation, graph: Graph) -> Iterator[tuple[str, Derivation]]:
    """The derivation with one step changed in one place, or with the rule of another step."""
    rules = {step.rule for step in derivation.steps}
    for number, step in enumerate(derivation.steps):
        for how, other in tampered_steps(step, graph):
            yield f"step {number}: {how}", with_step(derivation, number, other)
        for rule in sorted(rules - {step.rule}, key=lambda rule: rule.name):
            yield f"step {number}: by {rule.name}", with_step(derivation, number, replace(step, rule=rule))


def with_another_edge(graph: Graph, generator: np.random.Generator) -> Graph:
    """The graph with an edge more, one less or one turned into a hidden common cause; still acyclic."""
    directed, arcs = list(graph.directed), list(graph.bidirected)
    choice = generator.random()
    if choice < 0.3 and directed:
        directed.pop(int(generator.integers(len(directed))))
    elif choice < 0.4 and arcs:
        arcs.pop(int(generator.integers(len(arcs))))
    else:
        pairs = [(a, b) for a, b in combinations(graph.nodes, 2) if (a, b) not in arcs and (b, a) not in arcs]
        if choice < 0.7 and pairs:
            arcs.append(pairs[int(generator.integers(len(pairs)))])
        else:
            forward = [(a, b) for a in graph.nodes for b in graph.nodes if a not in graph.ancestors([b])]
            forward = [(a, b) for a, b in forward if b not in graph.ancestors([a])]
            directed += [forward[int(generator.integers(len(forward)))]] if forward else []
    return Graph(graph.nodes, tuple(directed), tuple(arcs))
