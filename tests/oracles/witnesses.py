"""Pairs of models judged by plain enumeration, state by state in exact rationals.

Nothing here uses the library's own check: tables are read off the pair, every state of every variable is visited, and a
domain is the model with the tables that the pair gives for what differs there.  The printed program is run besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

import suture
from suture.dsl.diagram import Diagram
from suture.dsl.formula import Kernel, kernel_terms
from suture.dsl.printer import format_source
from suture.dsl.source import Source
from suture.identify.witnesses.model_pair import ConcreteModel, ModelPair

from .sources import Known

State = tuple[str, ...]


def enumerated(model: ConcreteModel, names: Sequence[str], do: Mapping[str, str]) -> dict[State, Fraction]:
    """P(names | do) by visiting every state of all variables: the definition of surgery."""
    every = [wire.name for wire in model.diagram.wires]
    rows: dict[str, dict[State, tuple[Fraction, ...]]] = {}
    for name, table in model.tables.items():
        assert set(table.reads) <= set(model.parents(name)), f"{name} reads what is no parent of it"
        states = list(product(*(model.labels[parent] for parent in table.reads)))
        assert len(states) == len(table.rows)
        assert all(sum(row) == 1 and min(row) > 0 and len(row) == len(model.labels[name]) for row in table.rows)
        rows[name] = dict(zip(states, table.rows, strict=True))
    found: dict[State, Fraction] = defaultdict(Fraction)
    partial: dict[State, Fraction] = {(): Fraction(1)}
    order = [every[model.diagram.boxes[box].outputs[0]] for box in model.diagram.order]
    for place, name in enumerate(order):
        grown: dict[State, Fraction] = {}
        for state, weight in partial.items():
            known = dict(zip(order[:place], state, strict=True))
            if name in do:
                grown[(*state, do[name])] = weight
                continue
            row = rows[name][tuple(known[parent] for parent in model.tables[name].reads)]
            for label, chance in zip(model.labels[name], row, strict=True):
                grown[(*state, label)] = weight * chance
        partial = grown
    for state, weight in partial.items():
        known = dict(zip(order, state, strict=True))
        found[tuple(known[name] for name in names)] += weight
    return dict(found)


def value(model: ConcreteModel, query: Kernel) -> Fraction:
    """The query, all values fixed, by enumeration."""
    do = {term.variable: str(term.value) for term in query.do}
    event = [(term.variable, str(term.value)) for term in (*query.outcomes, *query.given)]
    joint = enumerated(model, [name for name, _ in event], do)
    given = len(query.outcomes)
    state = tuple(label for _, label in event)
    return joint[state] / sum(weight for other, weight in joint.items() if other[given:] == state[given:])


def complaints(
    pair: ModelPair, diagram: Diagram, query: Kernel, experiments: Iterable[Collection[str]] = ((),)
) -> list[str]:
    """What is wrong with a witness against experiments in the domain asked about; nothing where it holds."""
    return complaints_from(pair, diagram, query, [Known(None, tuple(cut)) for cut in experiments])


def complaints_from(pair: ModelPair, diagram: Diagram, query: Kernel, known: Iterable[Known]) -> list[str]:
    """What is wrong with a witness against distributions, some of other domains; nothing where it holds."""
    found = [f"{model.name} has another diagram" for model in (pair.first, pair.second) if model.diagram != diagram]
    if pair.first.labels != pair.second.labels:
        found.append("the labels differ")
    found += [fault for one in known for fault in _disagreement(pair, one)]
    asked = [(term.variable, term.value) for term in kernel_terms(query)]
    shown = {term.variable: term.value for term in kernel_terms(pair.query)}
    if [name for name, _ in asked] != list(shown) or any(label not in (None, shown[name]) for name, label in asked):
        found.append(f"the query shown is another one: {pair.query}")
    values = [value(model, pair.query) for model in (pair.first, pair.second)]
    if values != [pair.first_value, pair.second_value]:
        found.append(f"the values are {values}")
    if values[0] == values[1]:
        found.append("the query does not differ")
    return found


def _disagreement(pair: ModelPair, known: Known, unnamed: str = "other") -> list[str]:
    """Whether a distribution is one thing in the first system and another in the second."""
    first, second = pair.first, pair.second
    if known.differs:
        (domain,) = (one for one in pair.domains if one.name == (known.name or unnamed))
        if not set(domain.tables) <= set(known.differs):
            return [f"more than {known.differs} differs in {known.name}"]
        first, second = (replace(model, tables={**model.tables, **domain.tables}) for model in (first, second))
    observed = [wire.name for wire in first.diagram.wires if not wire.latent]
    found = []
    for values in product(*(first.labels[name] for name in known.do)):
        do = dict(zip(known.do, values, strict=True))
        names = [name for name in observed if name not in do]
        if enumerated(first, names, do) != enumerated(second, names, do):
            found.append(f"they differ in {known.name} under do({do})")
    return found


def assert_program_shows_it(pair: ModelPair) -> None:
    """The printed program is formatted, and its statements come in pairs: equal ones, and the query at last."""
    assert format_source(Source(pair.program)) == pair.program
    values = [answer.to_dict()["exact"] for answer in suture.run(pair.program)]
    assert None not in values
    assert values[:-2:2] == values[1:-2:2]
    assert [Fraction(number) for number in values[-2:]] == [pair.first_value, pair.second_value]
    assert pair.first_value != pair.second_value
