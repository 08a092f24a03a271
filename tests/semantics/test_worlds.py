"""Parallel worlds: against running every unit through its equations, one world after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagnostics import SutureError
from suture.dsl.diagram import Diagram, model_diagram
from suture.dsl.formula import Kernel, Symbol, Term
from suture.dsl.worlds import parallel_worlds
from suture.semantics.distribution import ModelDistribution
from suture.semantics.evaluate import evaluate
from suture.semantics.random_models import random_model
from suture.semantics.stochastic import FiniteModel

GRAPH = model_diagram(
    {"U": (), "V": (), "X": ("U",), "M": ("X", "V"), "W": ("X",), "Y": ("M", "X", "U")}, latent=("U", "V")
)
EXOGENOUS: tuple[str, ...] = ("U", "V")
OBSERVED: tuple[str, ...] = ("X", "M", "W", "Y")


def functional(seed: int, diagram: Diagram = GRAPH) -> FiniteModel:
    """Random exogenous states, random functions everywhere else."""
    generator = np.random.default_rng(seed)
    model = random_model(diagram, generator, {"U": 4, "V": 3})
    arrays = dict(model.arrays)
    for name in OBSERVED:
        shape = arrays[name].shape
        arrays[name] = np.eye(shape[-1])[generator.integers(0, shape[-1], size=shape[:-1])]
    return FiniteModel(diagram, model.labels, arrays)


def run(model: FiniteModel, unit: Mapping[str, str], term: Term) -> str:
    """The value that a unit's variable has in the term's world, by its equations."""
    settings_of = {
        part.variable: run(model, unit, part) if part.world or part.value is None else str(part.value)
        for part in term.world
    }

    def value(name: str) -> str:
        if name in settings_of:
            return settings_of[name]
        if name in unit:
            return unit[name]
        box = next(box for box in GRAPH.boxes if box.name == name)
        place = tuple(model.labels[GRAPH.wires[w].name].index(value(GRAPH.wires[w].name)) for w in box.inputs)
        return model.labels[name][int(np.argmax(model.arrays[name][place]))]

    return value(term.variable)


def brute(model: FiniteModel, kernel: Kernel) -> float:
    """P(outcomes | given) by listing every unit."""
    above = below = 0.0
    for states in product(*(model.labels[name] for name in EXOGENOUS)):
        unit = dict(zip(EXOGENOUS, states, strict=True))
        weight = float(np.prod([model.arrays[n][model.labels[n].index(unit[n])] for n in EXOGENOUS]))
        if all(run(model, unit, term) == term.value for term in kernel.given):
            below += weight
            above += weight * all(run(model, unit, term) == term.value for term in kernel.outcomes)
    return above / below if below else float("nan")


def terms(depth: int = 2) -> st.SearchStrategy[Term]:
    """Terms at a value, in worlds that may feed a variable from another world."""
    value = st.sampled_from(["0", "1"])
    if depth == 0:
        return st.builds(Term, st.sampled_from(OBSERVED), value)

    def world(names: Sequence[str]) -> st.SearchStrategy[tuple[Term, ...]]:
        fixed = {name: st.builds(Term, st.just(name), value) for name in names}
        nested = {name: _nested(name, depth - 1) for name in names}
        return st.tuples(*(st.one_of(fixed[name], nested[name]) for name in names))

    worlds = st.lists(st.sampled_from(OBSERVED), max_size=2, unique=True).flatmap(world)
    return st.builds(_outside, st.sampled_from(OBSERVED), value, worlds)


def _nested(name: str, depth: int) -> st.SearchStrategy[Term]:
    return terms(depth).filter(lambda term: bool(term.world)).map(lambda term: _outside(name, None, term.world))


def _outside(variable: str, value: str | None, world: tuple[Term, ...]) -> Term:
    """A term in the world without what would set the term itself; nested worlds that are left empty go."""
    kept = (part for part in world if part.variable != variable and (part.world or part.value is not None))
    return Term(variable, value, tuple(kept))


@settings(max_examples=120, deadline=None, database=None)
@given(st.integers(0, 10**6), st.lists(terms(), min_size=1, max_size=2), st.lists(terms(), max_size=2))
def test_counterfactuals_agree_with_running_every_unit(seed: int, outcomes: list[Term], condition: list[Term]) -> None:
    model = functional(seed)
    kernel = Kernel(tuple(outcomes), tuple(condition))
    found = evaluate(kernel, ModelDistribution(model)).item()
    expected = brute(model, kernel)
    assert found is None if expected != expected else found == pytest.approx(expected, abs=1e-12)


def test_a_table_over_worlds_has_an_axis_for_each() -> None:
    model = functional(3)
    kernel = Kernel((Term("Y", None, (Term("X", "0"),)), Term("Y", None, (Term("X", "1"),))))
    table = evaluate(kernel, ModelDistribution(model))
    assert table.variables == ("Y[X=0]", "Y[X=1]")
    for (low, high), entry in table.rows():
        single = Kernel((Term("Y", low, (Term("X", "0"),)), Term("Y", high, (Term("X", "1"),))))
        assert entry == pytest.approx(brute(model, single), abs=1e-12)


def test_an_open_intervention_is_an_axis() -> None:
    model = functional(4)
    table = evaluate(Kernel((Term("Y", "1", (Term("X"),)),), (Term("X", "0"),)), ModelDistribution(model))
    assert table.variables == ("X",)
    for (label,), entry in table.rows():
        single = Kernel((Term("Y", "1", (Term("X", label),)),), (Term("X", "0"),))
        assert entry == pytest.approx(brute(model, single), abs=1e-12)


def test_do_and_a_world_of_its_own_meet() -> None:
    model = functional(5)
    both = Kernel((Term("Y", "1", (Term("M", "1"),)),), (), (Term("X", "1"), Term("M", "0")))
    plain = Kernel((Term("Y", "1", (Term("M", "1"), Term("X", "1"))),))
    assert evaluate(both, ModelDistribution(model)).item() == pytest.approx(brute(model, plain), abs=1e-12)


def test_consistency_an_intervention_at_the_natural_value_changes_nothing() -> None:
    model = functional(6)
    given = (Term("X", "1"),)
    natural = Kernel((Term("Y", "1"),), given)
    forced = Kernel((Term("Y", "1", (Term("X", "1"),)),), given)
    assert evaluate(natural, ModelDistribution(model)).item() == pytest.approx(
        evaluate(forced, ModelDistribution(model)).item()
    )


def test_worlds_share_what_no_intervention_reaches() -> None:
    worlds = parallel_worlds(GRAPH, [Term("Y"), Term("Y", None, (Term("M", "1"),)), Term("W", None, (Term("M", "0"),))])
    names = [box.name for box in worlds.diagram.boxes]
    assert sorted(names) == ["M", "M", "M", "U", "V", "W", "X", "Y", "Y"]  # of the three M two are point states
    assert worlds.copies() == {"Y": ("Y", "Y")}
    assert len({wire.name for wire in worlds.diagram.wires}) == len(worlds.diagram.wires)


def test_a_random_mechanism_in_one_world_is_fine_and_in_two_is_refused() -> None:
    model = random_model(GRAPH, np.random.default_rng(0))
    single = Kernel((Term("Y", "1", (Term("X", "1"),)),), (Term("X", "0"),))
    assert 0 < evaluate(single, ModelDistribution(model)).item() < 1
    with pytest.raises(SutureError) as caught:
        evaluate(Kernel((Term("W", "1", (Term("X", "1"),)),), (Term("W", "0"),)), ModelDistribution(model))
    assert caught.value.render() == (
        "error[S421]: P(W[X=1]=1, W=0) needs W in 2 worlds at once, and its mechanism is not a function\n"
        "  = help: write W with := and put its randomness into a latent variable"
    )


def test_long_chains_do_not_exhaust_the_stack() -> None:
    length = 3000
    diagram = model_diagram({f"V{n}": (f"V{n - 1}",) if n else () for n in range(length)})
    worlds = parallel_worlds(diagram, [Term(f"V{length - 1}", Symbol("v", "V"), (Term("V1", "0"),))])
    assert len(worlds.diagram.boxes) == length - 1
