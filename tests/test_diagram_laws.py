"""The laws of a Markov category hold for diagrams, as equalities of diagrams and of the matrices they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.graphs import Graph
from oracles.matrices import meaning
from oracles.models import marginal
from strategies import TYPES, dags, diagram_of, diagrams, model_diagrams, problems, renumbered, seeds, types

from suture.dsl.diagram import (
    Box,
    Diagram,
    Kind,
    Wire,
    beside,
    box,
    components,
    copy,
    cut,
    discard,
    identity,
    model_diagram,
    normal_form,
    open_wires,
    prune,
    restrict_outputs,
    same,
    split_wires,
    state,
    swap,
    then,
    twin,
)

Types = tuple[str, ...]
wire_names = st.lists(st.sampled_from([f"w{number}" for number in range(8)]), max_size=4).map(tuple)


def composite(*parts: Diagram) -> Diagram:
    return reduce(then, parts)


def parallel(*parts: Diagram) -> Diagram:
    return reduce(beside, parts, Diagram())


def discards(objects: Iterable[str]) -> Diagram:
    return parallel(*map(discard, objects))


def exchange(left: Types, right: Types) -> Diagram:
    """Two blocks of wires change places, written as a permutation of outputs."""
    places = (*range(len(left), len(left + right)), *range(len(left)))
    return replace(identity(*left, *right), outputs=tuple(places))


def swaps(left: Types, right: Types) -> Diagram:
    """The same built from swaps of single wires, each wire of `left` carried over all of `right`."""
    result = identity(*left, *right)
    for moved in range(len(left) - 1, -1, -1):
        for passed in range(len(right)):
            before = (*left[:moved], *right[:passed])
            after = (*right[passed + 1 :], *left[moved + 1 :])
            step = parallel(identity(*before), swap(left[moved], right[passed]), identity(*after))
            result = then(result, step)
    return result


def copies(objects: Types) -> Diagram:
    """All wires, then all wires again."""
    every = tuple(range(len(objects)))
    return replace(identity(*objects), outputs=every + every)


@st.composite
def chains(draw: st.DrawFn, length: int) -> tuple[Diagram, ...]:
    """Diagrams each of which can follow the one before."""
    parts = [draw(diagrams())]
    while len(parts) < length:
        parts.append(draw(diagrams(domain=parts[-1].codomain)))
    return tuple(parts)


# ---------------------------------------------------------------------------------------------------------------------
# A symmetric monoidal category


@given(chains(3))
def test_composition_is_associative(parts: tuple[Diagram, ...]) -> None:
    f, g, h = parts
    assert same(then(then(f, g), h), then(f, then(g, h)))


@given(diagrams())
def test_identities_are_units(f: Diagram) -> None:
    assert same(then(identity(*f.domain), f), f)
    assert same(then(f, identity(*f.codomain)), f)
    assert same(beside(Diagram(), f), f)
    assert same(beside(f, Diagram()), f)


@given(diagrams(most_boxes=3), diagrams(most_boxes=3), diagrams(most_boxes=3))
def test_beside_is_associative(f: Diagram, g: Diagram, h: Diagram) -> None:
    assert same(beside(beside(f, g), h), beside(f, beside(g, h)))


@given(chains(2), chains(2))
def test_interchange(left: tuple[Diagram, ...], right: tuple[Diagram, ...]) -> None:
    (f, g), (h, k) = left, right
    assert same(then(beside(f, h), beside(g, k)), beside(then(f, g), then(h, k)))


@given(types, types)
def test_identities_lie_side_by_side(left: Types, right: Types) -> None:
    assert same(beside(identity(*left), identity(*right)), identity(*left, *right))


@given(diagrams(), diagrams())
def test_swap_is_natural(f: Diagram, g: Diagram) -> None:
    crossed = then(beside(f, g), exchange(f.codomain, g.codomain))
    assert same(crossed, then(exchange(f.domain, g.domain), beside(g, f)))


@given(types, types)
def test_swapping_twice_is_nothing(left: Types, right: Types) -> None:
    assert same(then(exchange(left, right), exchange(right, left)), identity(*left, *right))
    assert same(then(swap("A", "B"), swap("B", "A")), identity("A", "B"))


@given(types, types, types)
def test_hexagon(a: Types, b: Types, c: Types) -> None:
    stepwise = then(beside(exchange(a, b), identity(*c)), beside(identity(*b), exchange(a, c)))
    assert same(exchange(a, b + c), stepwise)


@given(types, types)
def test_every_exchange_is_made_of_swaps(left: Types, right: Types) -> None:
    assert same(exchange(left, right), swaps(left, right))


# ---------------------------------------------------------------------------------------------------------------------
# Copy and discard


@pytest.mark.parametrize("object", TYPES)
def test_copy_is_a_commutative_comonoid(object: str) -> None:
    one, double = identity(object), copy(object)
    assert same(then(double, beside(double, one)), then(double, beside(one, double)))
    assert same(then(double, beside(discard(object), one)), one)
    assert same(then(double, beside(one, discard(object))), one)
    assert same(then(double, swap(object, object)), double)


@given(types, types)
def test_copy_and_discard_respect_products(left: Types, right: Types) -> None:
    middle = parallel(identity(*left), exchange(left, right), identity(*right))
    assert same(copies(left + right), then(beside(copies(left), copies(right)), middle))
    assert same(discards(left + right), beside(discards(left), discards(right)))


@given(diagrams())
def test_discard_is_natural(f: Diagram) -> None:
    assert same(then(f, discards(f.codomain)), discards(f.domain))


@pytest.mark.parametrize("domain", [(), ("A",), ("A", "B")])
def test_copy_is_not_natural(domain: Types) -> None:
    f = box("f", domain, ["C"])
    once, twice = then(f, copy("C")), then(copies(domain), beside(f, f))
    assert not same(once, twice)
    assert not np.allclose(meaning(once), meaning(twice))


def test_copy_is_natural_for_wires_alone() -> None:
    f = swap("A", "B")
    assert same(then(f, copies(("B", "A"))), then(copies(("A", "B")), beside(f, f)))


DIFFERENT = {
    "name": (box("f", ["A"], ["B"]), box("g", ["A"], ["B"])),
    "object": (box("f", ["A"], ["B"]), box("f", ["C"], ["B"])),
    "kind": (box("f", (), ["B"]), state("B")),
    "value": (state("B", "0"), state("B", "1")),
    "order of inputs": (box("f", ["A", "A"], ["B"]), then(swap("A", "A"), box("f", ["A", "A"], ["B"]))),
    "order of outputs": (box("f", ["A"], ["B", "B"]), then(box("f", ["A"], ["B", "B"]), swap("B", "B"))),
    "which input": (beside(discard("A"), identity("A")), beside(identity("A"), discard("A"))),
    "unused input": (then(discard("A"), state("B")), state("B")),
    "how often": (box("f", ["A"], ["A"]), then(box("f", ["A"], ["A"]), box("f", ["A"], ["A"]))),
    "shared": (then(box("f", (), ["A"]), copy("A")), beside(box("f", (), ["A"]), box("f", (), ["A"]))),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_different_diagrams_are_not_the_same(what: str) -> None:
    first, second = DIFFERENT[what]
    assert not same(first, second)


# ---------------------------------------------------------------------------------------------------------------------
# The normal form


@given(diagrams())
def test_normal_form_is_idempotent_and_equal_to_the_diagram(f: Diagram) -> None:
    normal = normal_form(f)
    assert normal_form(normal) == normal
    assert same(normal, f)
    assert (normal.domain, normal.codomain) == (f.domain, f.codomain)


@given(diagrams(), seeds)
def test_normal_form_does_not_see_numbering_or_names(f: Diagram, seed: int) -> None:
    generator = np.random.default_rng(seed)
    other = renumbered(f, generator)
    names = generator.permutation(len(other.wires))
    wires = tuple(
        replace(wire, name=f"r{number}", latent=bool(number % 2))
        for number, wire in zip(names, other.wires, strict=True)
    )
    assert normal_form(replace(other, wires=wires)) == normal_form(f)


@given(diagrams())
def test_prune_drops_exactly_the_dead(f: Diagram) -> None:
    pruned = prune(f)
    assert same(pruned, f)
    assert prune(pruned) == pruned
    assert len(pruned.boxes) == len(normal_form(f).boxes)
    kept = {wire.name for wire in pruned.wires}
    assert pruned.wires == tuple(wire for wire in f.wires if wire.name in kept)


@given(diagrams(shuffle=False), diagrams(shuffle=False))
def test_adding_dead_boxes_changes_nothing(f: Diagram, g: Diagram) -> None:
    fed = then(parallel(*(state(object) for object in g.domain)), g)
    assert same(beside(f, then(fed, discards(g.codomain))), f)


@given(dags())
def test_pruning_a_model_keeps_the_ancestors(dag: tuple[dict[str, tuple[str, ...]], frozenset[str]]) -> None:
    parents, latent = dag
    edges = tuple((parent, node) for node in parents for parent in parents[node])
    chosen = sorted(parents)[0]
    kept = prune(restrict_outputs(model_diagram(parents, latent), [chosen]))
    assert {wire.name for wire in kept.wires} == Graph(tuple(parents), edges).ancestors([chosen])


# ---------------------------------------------------------------------------------------------------------------------
# Meaning: equal diagrams are equal matrices


@given(diagrams())
def test_normal_form_and_prune_keep_the_meaning(f: Diagram) -> None:
    assert np.allclose(meaning(normal_form(f)), meaning(f))
    assert np.allclose(meaning(prune(f)), meaning(f))


@given(chains(2))
def test_then_is_the_product_of_matrices(parts: tuple[Diagram, ...]) -> None:
    f, g = parts
    middle = len(f.codomain)
    assert np.allclose(meaning(then(f, g)), np.tensordot(meaning(f), meaning(g), middle))


@given(diagrams(), diagrams())
def test_beside_is_the_product_of_tensors(f: Diagram, g: Diagram) -> None:
    inputs_f, inputs_g = len(f.inputs), len(g.inputs)
    both = np.multiply.outer(meaning(f), meaning(g))
    ends_f = range(inputs_f, inputs_f + len(f.outputs))
    start_g = inputs_f + len(f.outputs)
    order = [*range(inputs_f), *range(start_g, start_g + inputs_g), *ends_f, *range(start_g + inputs_g, both.ndim)]
    assert np.allclose(meaning(beside(f, g)), np.transpose(both, order))


@given(diagrams(("A",), ("A", "B"), most_boxes=2), diagrams(("A",), ("A", "B"), most_boxes=2))
@settings(max_examples=500)
def test_diagrams_are_equal_exactly_where_their_matrices_are(f: Diagram, g: Diagram) -> None:
    """Tables are generic, so different morphisms of the free category do not coincide by accident."""
    assert same(f, g) == np.allclose(meaning(f), meaning(g))


# ---------------------------------------------------------------------------------------------------------------------
# Surgery


@given(chains(2), wire_names)
def test_cutting_respects_then(parts: tuple[Diagram, ...], names: Types) -> None:
    f, g = parts
    assert same(cut(then(f, g), names), then(cut(f, names), cut(g, names)))


@given(diagrams(), diagrams(), wire_names)
def test_cutting_respects_beside(f: Diagram, g: Diagram, names: Types) -> None:
    assert same(cut(beside(f, g), names), beside(cut(f, names), cut(g, names)))


@given(types, types, wire_names)
def test_cutting_fixes_wires_copies_and_swaps(left: Types, right: Types, names: Types) -> None:
    for structural in (identity(*left), exchange(left, right), copies(left), discards(left)):
        assert same(cut(structural, names), structural)


@given(diagrams(), wire_names)
def test_cutting_twice_is_cutting_once(f: Diagram, names: Types) -> None:
    assert same(cut(cut(f, names), names), cut(f, names))


@given(diagrams(), wire_names, wire_names)
def test_cuts_commute(f: Diagram, first: Types, second: Types) -> None:
    one_way, other_way = cut(cut(f, first), second), cut(cut(f, second), first)
    assert same(one_way, other_way)
    assert same(one_way, cut(f, {*first, *second}))


@pytest.mark.parametrize("value", [None, "1"])
def test_a_cut_box_is_a_discard_and_a_state(value: str | None) -> None:
    f = box("f", ["A", "C"], ["B"])
    assert same(cut(f, {"B": value}), then(discards(("A", "C")), state("B", value)))


def test_cutting_one_output_leaves_the_others() -> None:
    f = box("f", ["A"], ["B", "C"])
    expected = then(then(f, beside(discard("B"), identity("C"))), beside(state("B"), identity("C")))
    assert same(cut(f, ["B"]), expected)


@given(diagrams(), wire_names)
def test_cutting_keeps_the_objects(f: Diagram, names: Types) -> None:
    after = cut(f, names)
    assert (after.domain, after.codomain) == (f.domain, f.codomain)


@given(model_diagrams(), st.data())
def test_cutting_a_model_is_truncated_factorisation(model: Diagram, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from([wire.name for wire in model.wires]))
    whole = restrict_outputs(model, [wire.name for wire in model.wires])
    factor = meaning(whole) / np.maximum(_factor(whole, chosen), 1e-300)
    assert np.allclose(meaning(cut(whole, [chosen])), factor / 2)
    opened = meaning(open_wires(whole, [chosen]))
    at = whole.position[chosen]
    for value in range(2):
        expected = np.where(_mask(whole, at, value), factor, 0)
        assert np.allclose(meaning(cut(whole, {chosen: str(value)})), expected)
        assert np.allclose(opened[value], expected)


def _factor(model: Diagram, name: str) -> np.ndarray:
    """P(name | its parents) as a function of all wires, read off the joint table itself."""
    parents = [wire for box in model.boxes if box.name == name for wire in box.inputs]
    joint, axes = meaning(model), [str(number) for number in range(len(model.wires))]
    family = [*map(str, parents), str(model.position[name])]
    table = marginal(joint, axes, family)
    conditional = table / table.sum(axis=-1, keepdims=True)
    operands: list[Any] = [np.ones(joint.shape), [*range(joint.ndim)], conditional, [*map(int, family)]]
    return np.einsum(*operands, [*range(joint.ndim)])


def _mask(model: Diagram, axis: int, value: int) -> np.ndarray:
    shape = [1] * len(model.wires)
    shape[axis] = 2
    return np.broadcast_to((np.arange(2) == value).reshape(shape), [2] * len(model.wires))


@given(model_diagrams(), st.data())
def test_a_split_wire_keeps_the_natural_value(model: Diagram, data: st.DataObject) -> None:
    """Fed its own natural value, the split diagram gives back the joint (consistency of single-world interventions)."""
    chosen = data.draw(st.sampled_from([wire.name for wire in model.wires]))
    whole = restrict_outputs(model, [wire.name for wire in model.wires])
    kernel, joint, at = meaning(split_wires(whole, [chosen])), meaning(whole), whole.position[chosen]
    for value in range(2):
        assert np.allclose(np.take(kernel[value], value, at), np.take(joint, value, at))
        surgery = meaning(cut(whole, {chosen: str(value)})).sum(axis=at)
        assert np.allclose(kernel[value].sum(axis=at), surgery)


@given(model_diagrams(5), st.data())
def test_twin_worlds_are_the_model_and_its_surgery(model: Diagram, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from([wire.name for wire in model.wires]))
    both = twin(model, {chosen: "1"})
    count = len(model.outputs)
    here, there = tuple(range(count)), tuple(range(count, 2 * count))
    assert both.codomain == model.codomain * 2
    assert np.allclose(meaning(both).sum(axis=there), meaning(model))
    assert np.allclose(meaning(both).sum(axis=here), meaning(cut(model, {chosen: "1"})))


@given(diagrams(), wire_names)
def test_each_twin_alone_is_the_diagram_and_its_cut(f: Diagram, names: Types) -> None:
    """For any diagram: open inputs are shared, boxes of several outputs are cut on the named wires alone."""
    both = twin(f, dict.fromkeys(names))
    count = len(f.outputs)
    assert same(replace(both, outputs=both.outputs[:count]), f)
    assert same(replace(both, outputs=both.outputs[count:]), cut(f, names))


def test_twin_worlds_share_their_exogenous_states() -> None:
    """A root's value is the same in both worlds; a value with a parent is drawn anew."""
    both = twin(model_diagram({"U": (), "Y": ("U",)}), {})
    table = meaning(restrict_outputs(both, ["U", "Y", "Y*"]))
    joint = meaning(model_diagram({"U": (), "Y": ("U",)}))
    given_u = joint / joint.sum(axis=1, keepdims=True)
    assert np.allclose(table, np.einsum("uy,uz->uyz", joint, given_u))


@given(problems(8))
def test_components_are_the_districts(problem: tuple[Graph, object]) -> None:
    graph, _ = problem
    diagram = diagram_of(graph)
    groups = components(diagram, lambda wire: not wire.latent)
    named = {frozenset(diagram.boxes[number].name for number in group) for group in groups}
    assert {group & set(graph.nodes) for group in named} == graph.districts()


# ---------------------------------------------------------------------------------------------------------------------
# What cannot be built


def wires(*names: str) -> tuple[Wire, ...]:
    return tuple(Wire(name, name) for name in names)


REFUSED: dict[str, tuple[Callable[[], Diagram], str]] = {
    "no producer": (lambda: Diagram(wires("A"), (), (), (0,)), "exactly one producer"),
    "two producers": (lambda: Diagram(wires("A"), (Box("f", (), (0,)),), (0,)), "exactly one producer"),
    "two boxes": (lambda: Diagram(wires("A"), (Box("f", (), (0,)), Box("g", (), (0,)))), "exactly one producer"),
    "an input twice": (lambda: Diagram(wires("A"), (), (0, 0), ()), "exactly one producer"),
    "producing a wire that is not there": (lambda: Diagram((), (Box("f", (), (0,)),)), "exactly one producer"),
    "using a wire that is not there": (lambda: Diagram(wires("A"), (), (0,), (1,)), "does not exist"),
    "a negative position": (lambda: Diagram(wires("A"), (Box("f", (-1,), ()),), (0,), ()), "does not exist"),
    "a loop": (lambda: Diagram(wires("A"), (Box("f", (0,), (0,)),)), "cycle"),
    "a cycle": (lambda: Diagram(wires("A", "B"), (Box("f", (0,), (1,)), Box("g", (1,), (0,)))), "cycle"),
    "other objects": (lambda: then(identity("A"), identity("B")), "cannot compose"),
    "too few objects": (lambda: then(identity("A"), identity("A", "A")), "cannot compose"),
    "a cyclic model": (lambda: model_diagram({"X": ("Y",), "Y": ("X",)}), "cycle"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_ill_typed_diagrams_cannot_be_built(what: str) -> None:
    build, message = REFUSED[what]
    with pytest.raises(ValueError, match=message):
        build()


def test_composition_needs_matching_objects() -> None:
    with pytest.raises(ValueError, match=r"\('B',\) is not \('A',\)"):
        then(box("f", ["A"], ["B"]), box("f", ["A"], ["B"]))


def test_long_chains_do_not_exhaust_the_stack() -> None:
    names = [f"V{number}" for number in range(3_000)]
    long = model_diagram({name: tuple(names[max(0, place - 1) : place]) for place, name in enumerate(names)})
    last = restrict_outputs(long, [names[-1]])
    assert len(normal_form(last).boxes) == len(names)
    assert len(prune(cut(last, [names[-2]])).boxes) == 2
    assert len(prune(last).wires) == len(names)
    assert cut(last, ["V0"]).boxes[0].kind is Kind.UNIFORM
