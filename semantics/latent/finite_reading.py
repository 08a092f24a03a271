"""A program's finite latent model as permutations of states, and permutations as a program.

Every mechanism is run through all values of what it reads; of the nodes', each must be a permutation of the node's
values for every value of the rest, and what is not is named with two noises that cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...dsl import labels as spelling
from ...dsl.constants import Unknown, Value, evaluate, label_value
from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.mechanism_expressions import references, value_label
from ...dsl.program import Equation, Mechanism, Table
from ...dsl.syntax_text import label_text
from ...dsl.tree import Label
from ..mechanisms import entry, matches
from .finite_domains import FiniteDomains, States
from .latent_worlds import LatentWorlds, refused
from .linear_reading import other_lens

MOST_STATES = 1 << 20


def finite_domains(worlds: LatentWorlds) -> FiniteDomains:
    """The permutations of a finite latent model.

    Raises `SutureError`: S461 where a mechanism is no permutation or the observation not one to one, naming it, S460
    where domains see differently, S603 beyond `MOST_STATES` states.
    """
    states = prod(_size(worlds, node) for node in worlds.nodes)
    if states > MOST_STATES:
        text = f"the latents have {states:,} states, more than the {MOST_STATES:,} that are enumerated"
        raise SutureError(Diagnostic("S603", text, worlds.model.span, "too large", "ask for fewer latents or values"))
    runs = [_Run.of(worlds, domain, states) for domain in worlds.domains]
    for domain, run in zip(worlds.domains, runs, strict=True):
        for name in worlds.model.observed:
            if (run.by_state[name] != runs[0].by_state[name]).any():
                raise other_lens(worlds, name, domain)
    labels = tuple(worlds.model.labels(name) or () for name in worlds.model.observed)
    observation = _number(labels, [runs[0].by_state[name] for name in worlds.model.observed])
    sizes = tuple(_size(worlds, node) for node in worlds.nodes)
    weights = tuple(_weights(worlds, node) for node in worlds.nodes)
    mechanisms = np.array([run.nodes for run in runs])
    model = FiniteDomains(
        worlds.model.observed, labels, worlds.nodes, sizes, worlds.domains, observation, mechanisms, weights
    )
    _one_to_one(worlds, model)
    return model


def _size(worlds: LatentWorlds, name: str) -> int:
    return len(worlds.model.labels(name) or ())


def _weights(worlds: LatentWorlds, node: str) -> tuple[Any, ...]:
    """The probabilities of a node's noise: of the tuples of its roots, the last fastest."""
    found: list[Any] = [1]
    for root in worlds.owned[node]:
        entries = [entry(weight) for weight in worlds.laws[root].weights]
        found = [before * each for before in found for each in entries]
    return tuple(found)


def _number(labels: Sequence[Sequence[str]], places: Sequence[States]) -> States:
    sizes = tuple(map(len, labels))
    if prod(sizes) > MOST_STATES * 16:
        text = f"the observed variables have {prod(sizes):,} combinations of values"
        raise SutureError(Diagnostic("S603", text, None, "too large", "observe fewer variables or values"))
    return np.ravel_multi_index(tuple(places), sizes) if places else np.zeros(1, dtype=int)


# ---------------------------------------------------------------------------------------------------------------------
# Running a domain's mechanisms over all states


@dataclass(frozen=True)
class _Run:
    """One domain run twice: `nodes` the nodes' state for each state of the noises, and `by_state` every variable for
    each state of the *nodes*, which shows what is seen apart from how the nodes come about."""

    nodes: States
    by_state: Mapping[str, States]

    @classmethod
    def of(cls, worlds: LatentWorlds, domain: str, states: int) -> _Run:
        sizes = [_size(worlds, node) for node in worlds.nodes]
        digits = np.unravel_index(np.arange(states), sizes) if sizes else ()
        roots = {root for own in worlds.owned.values() for root in own}
        by_noise: dict[str, States] = {}
        by_state: dict[str, States] = {}
        for node, values in zip(worlds.nodes, digits, strict=True):
            by_state[node] = np.asarray(values)
            by_noise |= _split(worlds, node, np.asarray(values))
        for name in worlds.order:
            if name in roots:
                continue
            table = _function(worlds, domain, name)
            if name in worlds.nodes:
                _permutes(worlds, domain, name, table)
            for known in (by_noise, by_state):
                if known is by_noise or name not in worlds.nodes:
                    parents = worlds.mechanisms[domain][name].parents
                    known[name] = (
                        table[tuple(known[parent] for parent in parents)] if parents else np.full(states, table.item())
                    )
        return cls(np.ravel_multi_index(tuple(by_noise[node] for node in worlds.nodes), sizes), by_state)


def _split(worlds: LatentWorlds, node: str, values: States) -> dict[str, States]:
    """The values of the roots that a node owns, for each value of its noise."""
    sizes = [_size(worlds, root) for root in worlds.owned[node]]
    parts = np.unravel_index(values, sizes)
    return {root: np.asarray(part) for root, part in zip(worlds.owned[node], parts, strict=True)}


def _function(worlds: LatentWorlds, domain: str, name: str) -> States:
    """A mechanism as an array of positions of labels, an axis a parent in the mechanism's order."""
    mechanism = worlds.mechanisms[domain][name]
    labels = worlds.model.labels(name) or ()
    domains = [worlds.model.labels(parent) or () for parent in mechanism.parents]
    if prod(map(len, domains)) > MOST_STATES:
        text = f"the mechanism of {name} has {prod(map(len, domains)):,} cases"
        raise SutureError(Diagnostic("S603", text, None, "too large", "let it read fewer variables"))
    made = np.empty([len(own) for own in domains], dtype=int)
    for case in product(*(range(len(own)) for own in domains)):
        chosen = [own[place] for own, place in zip(domains, case, strict=True)]
        made[case] = labels.index(_value(worlds, name, mechanism, chosen, labels))
    return made


def _value(worlds: LatentWorlds, name: str, mechanism: Mechanism, case: Sequence[str], labels: tuple[str, ...]) -> str:
    if isinstance(mechanism, Table):
        row = next(row for row in mechanism.rows if matches(row, case))
        return labels[next(place for place, weight in enumerate(row.weights) if entry(weight) == 1)]
    assert isinstance(mechanism, Equation)
    names: dict[str, Value] = {each.text: each.text for each in references(mechanism.expression)}
    names |= {parent: label_value(label) for parent, label in zip(mechanism.parents, case, strict=True)}
    span = mechanism.expression.span
    try:
        value = evaluate(mechanism.expression, names)
    except Unknown:
        text = f"the mechanism of {name} is no exact function of finite variables"
        raise refused(text, span, "its noise must be a latent variable with finitely many values") from None
    label = value_label(value, labels)
    if label is None:
        text = f"the equation of {name} gives {value}, which is not among its values"
        raise SutureError(Diagnostic("S208", text, span, "not a value", f"the values are {', '.join(labels)}"))
    return label


# ---------------------------------------------------------------------------------------------------------------------
# Checks


def _permutes(worlds: LatentWorlds, domain: str, name: str, table: States) -> None:
    """Each value of what else is read must leave a permutation of the noise; else names two noises that clash."""
    parents = worlds.mechanisms[domain][name].parents
    own = worlds.owned[name]
    unread = [root for root in own if root not in parents]
    if unread:
        text = f"the mechanism of {name} in domain {domain} does not use its noise {unread[0]}"
        raise SutureError(Diagnostic("S461", text, _span(worlds, domain, name), "not invertible", None))
    axes = [place for place, parent in enumerate(parents) if parent not in own]
    last = [parents.index(root) for root in own]
    rows = np.transpose(table, [*axes, *last]).reshape(-1, _size(worlds, name))
    bad = np.flatnonzero((np.sort(rows, axis=1) != np.arange(rows.shape[1])).any(axis=1))
    if len(bad):
        row = rows[bad[0]]
        first, second = _clash(row)
        labels = worlds.model.labels(name) or ()
        sizes = [table.shape[place] for place in axes]
        case = np.unravel_index(bad[0], sizes) if sizes else ()
        given = _case(worlds, [parents[place] for place in axes], [int(each) for each in case])
        noises = [_noise_text(worlds, own, int(each)) for each in (first, second)]
        where = f" when {given}" if given else ""
        text = f"the mechanism of {name} in domain {domain} is not invertible{where}"
        label = f"{noises[0]} and {noises[1]} both give {labels[row[first]]}"
        hint = f"for each value of the rest, {name} must take each of its values once"
        raise SutureError(Diagnostic("S461", text, _span(worlds, domain, name), label, hint))


def _span(worlds: LatentWorlds, domain: str, name: str) -> Any:
    mechanism = worlds.mechanisms[domain][name]
    return mechanism.expression.span if isinstance(mechanism, Equation) else worlds.model.by_name[name].span


def _clash(row: States) -> tuple[int, int]:
    """Two places of equal entries."""
    seen: dict[int, int] = {}
    for place, value in enumerate(row.tolist()):
        if value in seen:
            return seen[value], place
        seen[value] = place
    raise ValueError("all entries differ")


def _case(worlds: LatentWorlds, names: Sequence[str], places: Sequence[int]) -> str:
    return ", ".join(
        f"{name} = {(worlds.model.labels(name) or ())[place]}" for name, place in zip(names, places, strict=True)
    )


def _noise_text(worlds: LatentWorlds, own: Sequence[str], value: int) -> str:
    sizes = [_size(worlds, root) for root in own]
    return _case(worlds, own, [int(place) for place in np.unravel_index(value, sizes)])


def _one_to_one(worlds: LatentWorlds, model: FiniteDomains) -> None:
    if len(np.unique(model.observation)) == model.states:
        return
    first, second = _clash(model.observation)
    states = [
        _case(worlds, model.nodes, [int(each) for each in np.unravel_index(state, model.sizes)])
        for state in (first, second)
    ]
    seen = ", ".join(
        f"{name} = {label}"
        for name, label in zip(model.observed, model.sample(int(model.observation[first])), strict=True)
    )
    text = "the observed variables do not tell the latents apart"
    label = f"({states[0]}) and ({states[1]}) both give {seen}"
    hint = "each state of the latents must give another observation"
    raise SutureError(Diagnostic("S461", text, worlds.model.span, label, hint))


# ---------------------------------------------------------------------------------------------------------------------
# Permutations as a program


def finite_program(model: FiniteDomains, name: str) -> str:
    """A program of the model and its domains, in the language; reading it gives the permutations back.

    Every node j reads a root with the law of its noise; both have the values 0 .. size - 1.
    """
    moved = set(model.intervened())
    roots = {node: _root_name(model, node) for node in model.nodes}
    tables = [_node_tables(model, domain) for domain in range(len(model.domains))]
    reads = {
        node: sorted({place for domain in tables for place in domain[number].reads})
        for number, node in enumerate(model.nodes)
    }
    plain = {node for node in model.nodes if node not in moved and _is_noise(tables[0][model.nodes.index(node)])}
    lines = [f"model {name} {{"]
    for number, node in enumerate(model.nodes):
        law = ", ".join(f"{value}: {_weight(weight)}" for value, weight in enumerate(model.weights[number]))
        lines.append(f"  latent {node if node in plain else roots[node]} ~ {{{law}}}")
    for number, node in enumerate(model.nodes):
        if node not in plain:
            inputs = [*reads[node], number]
            body = _tree_text(model, tables[0][number], inputs, roots[node])
            lines.append(f"  latent {node} : 0..{model.sizes[number] - 1} := {body}")
    lines += [f"  {_observed_line(model, place)}" for place in range(len(model.observed))]
    mutable = ", ".join(node for node in model.nodes if node in moved)
    lines += [f"  mutable {mutable}"] if mutable else []
    lines.append("}")
    for place, domain in enumerate(model.domains):
        changes = [
            f"{node} := {_tree_text(model, tables[place][number], [*reads[node], number], roots[node])}"
            for number, node in enumerate(model.nodes)
            if node in moved and (tables[place][number].values != tables[0][number].values).any()
        ]
        inside = f"{{ {' ; '.join(changes)} }}" if changes else "{}"
        lines.append(f"domain {domain} of {name} {inside}")
    return "\n".join(lines) + "\n"


def _root_name(model: FiniteDomains, node: str) -> str:
    name = f"E_{node}"
    while name in model.nodes or name in model.observed:
        name += "_"
    return name


def _weight(weight: Any) -> str:
    """A probability as the language writes it: rationals as quotients, closed forms with `^` for powers."""
    return str(weight).replace("**", "^")


@dataclass(frozen=True)
class _NodeTable:
    """A node as a function of the nodes before it and its noise (axes), and the places of those that it depends on."""

    values: States
    reads: tuple[int, ...]


def _node_tables(model: FiniteDomains, domain: int) -> list[_NodeTable]:
    """Each node's mechanism, from f_d: states of the nodes before are those that f_d makes of the noises before."""
    states = np.arange(model.states)
    after = model.digits(model.mechanisms[domain])
    noise = model.digits(states)
    made: list[_NodeTable] = []
    for place in range(len(model.nodes)):
        shape = model.sizes[: place + 1]
        table = np.zeros(shape, dtype=int)
        table[(*after[:place], noise[place])] = after[place]
        reads = tuple(axis for axis in range(place) if not (table == table.take([0], axis=axis)).all())
        made.append(_NodeTable(table, reads))
    return made


def _is_noise(table: _NodeTable) -> bool:
    return not table.reads and bool(
        (table.values.reshape(-1, table.values.shape[-1])[0] == np.arange(table.values.shape[-1])).all()
    )


def _tree_text(model: FiniteDomains, table: _NodeTable, inputs: Sequence[int], root: str) -> str:
    """A node's table as an expression of the nodes at `inputs` (the last is its noise)."""
    index = tuple(slice(None) if axis in inputs else 0 for axis in range(table.values.ndim))
    names = [*(model.nodes[place] for place in inputs[:-1]), root]
    return decision(table.values[index], names, [str(value) for value in range(table.values.shape[-1])], True)


def _observed_line(model: FiniteDomains, place: int) -> str:
    labels = model.labels[place]
    values = model.observation
    digits = np.unravel_index(values, tuple(map(len, model.labels)))[place].reshape(model.sizes)
    reads = [axis for axis in range(digits.ndim) if not (digits == digits.take([0], axis=axis)).all()]
    index = tuple(slice(None) if axis in reads else 0 for axis in range(digits.ndim))
    body = decision(digits[index], [model.nodes[axis] for axis in reads], labels, False)
    written = ", ".join(label_text(Label(label)) for label in labels)
    return f"{model.observed[place]} : {{{written}}} := {body}"


def decision(values: States, names: Sequence[str], labels: Sequence[str], every: bool) -> str:
    """An expression that gives `labels[values[..]]` for the values 0, 1, .. of the names: sums and xor where the
    function is one, else nested conditions.  With `every` it names each of the names, read or not.

    >>> decision(np.array([[0, 1], [1, 0]]), ["A", "B"], ["0", "1"], False)
    'A xor B'
    """
    found = _as_xor(values, names, labels) or _nested(values, names, labels)
    idle = [name for name in names if every and name not in _words(found)]
    if not idle:
        return found
    # Parents that only other domains read are named without effect, since a domain may read what the model reads.
    void = " and ".join(f"{name} == {name}" for name in idle)
    return f"if {void} then {found} else {_shown(labels[0])}"


def _words(text: str) -> set[str]:
    return set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in text).split())


def _as_xor(values: States, names: Sequence[str], labels: Sequence[str]) -> str | None:
    """`A`, `1 - A`, `A xor B`, .. where the values are bits and the function is linear over GF(2)."""
    if list(labels) != ["0", "1"] or not names or set(values.shape) != {2}:
        return None
    constant = int(values.flat[0])
    units = [
        int(values[tuple(int(axis == place) for axis in range(values.ndim))]) ^ constant for place in range(values.ndim)
    ]
    bits = np.indices(values.shape)
    linear = sum(unit * bit for unit, bit in zip(units, bits, strict=True)) % 2 ^ constant
    if (linear != values).any() or not any(units):
        return None
    terms = [name for name, unit in zip(names, units, strict=True) if unit]
    if len(terms) == 1:
        return f"1 - {terms[0]}" if constant else terms[0]
    return " xor ".join([*terms, *(["1"] if constant else [])])


def _nested(values: States, names: Sequence[str], labels: Sequence[str]) -> str:
    """Conditions on the first name, then on the next; branches that are equal are one."""
    if values.ndim == 0:
        return _shown(labels[int(values)])
    if (values == values.take([0], axis=0)).all():
        return _nested(values[0], names[1:], labels)
    if values.ndim == 1 and [labels[int(each)] for each in values] == [str(each) for each in range(len(values))]:
        return names[0]
    branches: dict[str, list[int]] = {}
    for value in range(len(values)):
        branches.setdefault(_nested(values[value], names[1:], labels), []).append(value)
    if values.ndim > 1 and len(branches) == 1:
        return next(iter(branches))
    return _chosen(sorted(branches.items(), key=lambda item: len(item[1])), names[0])


def _chosen(branches: Sequence[tuple[str, Sequence[int]]], name: str) -> str:
    """`if A == 0 then .. else if .. else ..`, the commonest branch last."""
    text = branches[-1][0]
    for body, cases in reversed(branches[:-1]):
        condition = " or ".join(f"{name} == {case}" for case in cases)
        text = f"if {condition} then {_inside(body)} else {text}"
    return text


def _inside(body: str) -> str:
    return f"({body})" if body.startswith("if ") else body


def _shown(label: str) -> str:
    """A label inside an expression; a number as it is, in brackets where it is negative."""
    if spelling.number(label) is None:
        return label_text(Label(label))
    return f"({label})" if label.startswith("-") else label
