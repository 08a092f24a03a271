"""Bounds in closed form, against the literature, against the linear program, and vertices against brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.graphs import Graph
from oracles.models import LatentModel, random_model

from suture.dsl.formula import Formula
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text
from suture.dsl.resolve import read_model, read_query
from suture.identify.bounding.bounds import Bounds, bounds
from suture.identify.bounding.district_factors import from_table
from suture.identify.bounding.dual_vertices import vertices
from suture.identify.bounding.symbolic_bounds import ClosedForm, SymbolicBounds, symbolic_bounds
from suture.identify.derivation import OBSERVED, Source, Undecided
from suture.semantics.distribution import Distribution
from suture.semantics.evaluate import evaluate
from suture.semantics.factors import NamedTable

BOW = "X, Y : {0, 1} ; X -> Y ; X <-> Y"
IV = "Z, X, Y : {0, 1} ; Z -> X -> Y ; X <-> Y"
OBSERVED_CAUSE = "W, X, Y : {0, 1} ; W -> {X, Y} ; X -> Y ; X <-> Y"
PROXY = "Z, X, Y, V : {0, 1} ; latent U ; U -> {X, Y, V} ; Z -> X -> Y"


def closed(model: str, query: str, *sources: Source) -> SymbolicBounds:
    found = found_or_not(model, query, *sources)
    assert isinstance(found, SymbolicBounds), found
    return found


def found_or_not(model: str, query: str, *sources: Source) -> SymbolicBounds | Undecided:
    chosen = read_model(model)
    labels = {name: chosen.labels(name) or () for name in chosen.observed}
    return symbolic_bounds(read_query(query, chosen).formula, chosen.diagram, labels, sources or (OBSERVED,))


def value(form: ClosedForm, distribution: Distribution) -> float:
    def number(formula: Formula) -> float:
        return float(evaluate(formula, distribution).item())

    choose = max if form.sense == "max" else min
    return number(form.constant) + sum(number(p.weight) * choose(map(number, p.terms)) for p in form.parts)


def test_bow() -> None:
    """Manski's bounds on the effect, each side written as shortly as the sum to one allows."""
    found = closed(BOW, "ate(X -> Y)")
    assert found.low.text == "-P(X=0, Y=1) - P(X=1, Y=0)"
    assert found.high.text == "P(X=0, Y=0) + P(X=1, Y=1)"
    assert found.constraints == ()


def test_necessity_and_sufficiency() -> None:
    """Tian and Pearl (2000), equations 17 and 26."""
    plain = closed("X, Y : {0, 1} ; X -> Y", "pns(X -> Y)")
    assert set(map(text, plain.low.terms)) == {"0", "P(Y=0 | X=0) - P(Y=0 | X=1)"}
    assert set(map(text, plain.high.terms)) == {"P(Y=1 | X=1)", "P(Y=0 | X=0)"}
    assert closed(BOW, "pns(X -> Y)").high.text == "P(X=0, Y=0) + P(X=1, Y=1)"


def test_necessity_from_experiment_and_observation() -> None:
    """Tian and Pearl (2000), equation 32, its denominator P(x, y) as the weight."""
    found = closed(BOW, "pn(X -> Y)", OBSERVED, Source("trial", ("X",)))
    trial = "P[trial]"
    assert text(found.low.parts[0].weight) == "1 / P(X=1, Y=1)"
    assert set(map(text, found.low.parts[0].terms)) == {
        "0",
        f"P(X=0, Y=1) + P(X=1, Y=1) - {trial}(Y=1 | do(X=0))",
    }
    assert set(map(text, found.high.parts[0].terms)) == {"P(X=1, Y=1)", f"{trial}(Y=0 | do(X=0)) - P(X=0, Y=0)"}


def test_instrument_has_eight_terms_and_the_instrumental_inequality() -> None:
    found = closed(IV, "ate(X -> Y)")
    assert len(found.low.terms) == len(found.high.terms) == 8
    assert {"P(X=1, Y=1 | Z=1) + P(X=0, Y=0 | Z=0) - 1", "P(X=0, Y=0 | Z=0) + P(X=1, Y=1 | Z=1) - 1"} & set(
        map(text, found.low.terms)
    )
    assert set(map(text, found.constraints)) == {
        f"P(X={x}, Y={y} | Z=0) + P(X={x}, Y={1 - y} | Z=1) - 1" for x in (0, 1) for y in (0, 1)
    }


def test_printed_terms_read_back() -> None:
    for term in closed(IV, "ate(X -> Y)").low.terms:
        assert text(read_formula(text(term))) == text(term)


def random_table(model: str, generator: np.random.Generator) -> NamedTable:
    """The observed distribution of a random model over the text's diagram."""
    chosen = read_model(model)
    parents = {variable.name: chosen.parents(variable.name) for variable in chosen.variables}
    order = [chosen.diagram.boxes[number].name for number in chosen.diagram.order]
    made: LatentModel = random_model({name: parents[name] for name in order}, chosen.latent, generator)
    return NamedTable(made.observed, tuple(("0", "1") for _ in made.observed), made.surgery())


@pytest.mark.parametrize("query", ["ate(X -> Y)", "pns(X -> Y)", "P(Y = 1 | do(X = 0))"])
@pytest.mark.parametrize("model", [BOW, IV, OBSERVED_CAUSE, PROXY])
def test_closed_forms_are_what_the_program_finds(model: str, query: str) -> None:
    generator = np.random.default_rng(4)
    form, chosen = closed(model, query), read_model(model)
    for _ in range(3):
        evidence = from_table(random_table(model, generator))
        found = bounds(read_query(query, chosen).formula, chosen.diagram, [evidence])
        assert isinstance(found, Bounds)
        assert evidence.distribution is not None
        assert value(form.low, evidence.distribution) == pytest.approx(float(found.low), abs=1e-8)
        assert value(form.high, evidence.distribution) == pytest.approx(float(found.high), abs=1e-8)
        assert all(float(evaluate(each, evidence.distribution).item()) <= 1e-9 for each in form.constraints)


def test_an_observed_cause_weighs_the_parts() -> None:
    found = closed(OBSERVED_CAUSE, "ate(X -> Y)")
    assert [text(part.weight) for part in found.low.parts] == ["P(W=0)", "P(W=1)"]
    assert found.low.text == (
        "P(W=0) (-P(X=0, Y=1 | W=0) - P(X=1, Y=0 | W=0)) + P(W=1) (-P(X=0, Y=1 | W=1) - P(X=1, Y=0 | W=1))"
    )


def test_what_has_no_closed_form_says_why() -> None:
    several = found_or_not("X, M, Y : {0, 1} ; X -> M -> Y ; X <-> M ; M <-> Y", "P(Y = 1 | do(X = 1))")
    assert isinstance(several, Undecided)
    assert "several latent causes" in several.reason
    unknown = found_or_not(BOW, "pn(X -> Y)", Source("trial", ("X",)))
    assert isinstance(unknown, Undecided)
    assert unknown.reason == "no closed form: it divides by what the data do not determine"


def test_published_graph_of_the_eight_terms_is_the_instrument() -> None:
    graph = Graph(("Z", "X", "Y"), (("Z", "X"), ("X", "Y")), (("X", "Y"),))
    assert graph.nodes == tuple(read_model(IV).observed)


# ---------------------------------------------------------------------------------------------------------------------
# Vertices


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_vertices_against_all_intersections(seed: int) -> None:
    """Every point where as many independent inequalities as dimensions are tight, and all others hold."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(1, 4))
    rows = [*generator.integers(-3, 4, size=(int(generator.integers(1, 6)), size)), *np.eye(size, dtype=int)]
    rows += [-row for row in np.eye(size, dtype=int)]
    right = [int(entry) for entry in generator.integers(0, 6, size=len(rows))]
    expected = set()
    for chosen in combinations(range(len(rows)), size):
        matrix = np.array([rows[place] for place in chosen], dtype=float)
        if abs(np.linalg.det(matrix)) > 1e-9:
            point = np.linalg.solve(matrix, [right[place] for place in chosen])
            if all(row @ point <= bound + 1e-9 for row, bound in zip(rows, right, strict=True)):
                expected.add(tuple(np.round(point, 6) + 0.0))
    found = vertices([[int(entry) for entry in row] for row in rows], right)
    assert found is not None
    points, rays = found
    assert {tuple(round(float(entry), 6) for entry in point) for point in points} == expected
    assert rays == ()
    assert all(isinstance(entry, Fraction) for point in points for entry in point)


def test_unbounded_polyhedra_have_rays_and_those_with_lines_are_refused() -> None:
    found = vertices([[-1, 0], [0, -1]], [0, 0])
    assert found is not None
    assert found[0] == ((0, 0),)
    assert set(found[1]) == {(1, 0), (0, 1)}
    with pytest.raises(ValueError, match="line"):
        vertices([[1, 0]], [0])
