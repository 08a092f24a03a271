"""Every rewrite keeps the value of any formula in every model, whether or not an algorithm would write that formula."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from oracles.answers import TOLERANCE, difference, models_of
from oracles.formulas import evaluate
from oracles.graphs import Graph
from strategies import diagram_of, random_problem, seeds

from suture.dsl.formula import Constant, Formula, Kernel, Sum, Symbol, Term, equal, plus, product, ratio, subformulas
from suture.identify.graph import CausalGraph
from suture.identify.simplify import REWRITES, Rewrite, simplification

Scope = dict[str, list[Symbol]]


class Writer:
    """Writes random formulas over a few variables: few enough that factors often have terms in common."""

    def __init__(self, generator: np.random.Generator, names: tuple[str, ...], experiments: bool) -> None:
        self.generator = generator
        self.names = names
        self.experiments = experiments
        self.count = 0

    def chance(self, probability: float) -> bool:
        return bool(self.generator.random() < probability)

    def some(self, least: int, most: int) -> list[str]:
        number = int(self.generator.integers(least, most + 1))
        return [str(name) for name in self.generator.permutation(self.names)[:number]]

    def term(self, name: str, scope: Scope) -> Term:
        if name in scope and self.chance(0.8):
            return Term(name, scope[name][int(self.generator.integers(len(scope[name])))])
        return Term(name, "1" if self.chance(0.15) else None)

    def kernel(self, scope: Scope) -> Formula:
        chosen = [self.term(name, scope) for name in self.some(1, len(self.names))]
        first = int(self.generator.integers(1, min(2, len(chosen)) + 1))
        rest = chosen[first:]
        split = len(rest) if not self.experiments or self.chance(0.6) else int(self.generator.integers(len(rest) + 1))
        return Kernel(tuple(chosen[:first]), tuple(rest[:split]), tuple(rest[split:]))

    def sum(self, scope: Scope, depth: int) -> Formula:
        inner = {name: list(symbols) for name, symbols in scope.items()}
        binders: list[Symbol] = []
        for name in self.some(1, 2):
            shadowed = inner.get(name, [])
            self.count += not (shadowed and self.chance(0.2))
            symbol = shadowed[0] if shadowed and self.chance(0.1) else Symbol(f"{name.lower()}_{self.count}", name)
            inner.setdefault(name, []).append(symbol)
            binders.append(symbol)
        return Sum(tuple(dict.fromkeys(binders)), self.formula(inner, depth - 1))

    def formula(self, scope: Scope, depth: int) -> Formula:
        if depth == 0 or self.chance(0.15):
            return self.kernel(scope)
        parts = [self.formula(scope, depth - 1) for _ in range(int(self.generator.integers(2, 4)))]
        choice = self.generator.random()
        if choice < 0.4:
            return self.sum(scope, depth)
        if choice < 0.7:
            return product(parts)
        if choice < 0.9:
            return ratio(parts[0], parts[1])
        return plus([*parts[:1], Constant(Fraction(1, 2))])


def drawn(seed: int, experiments: bool) -> tuple[Graph, Formula, np.random.Generator]:
    generator = np.random.default_rng(seed)
    graph, _ = random_problem(generator, 4, 3)
    writer = Writer(generator, graph.nodes[:3], experiments)
    return graph, writer.formula({}, int(generator.integers(1, 4))), generator


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.rule.name)
@pytest.mark.parametrize("experiments", [False, True])
def test_a_rewrite_keeps_the_value(rewrite: Rewrite, experiments: bool) -> None:
    applied = 0
    for seed in range(400):
        graph, formula, generator = drawn(seed, experiments)
        after, _ = rewrite.apply(CausalGraph.of(diagram_of(graph)), formula)
        if not equal(after, formula):
            applied += 1
            model = models_of(graph, generator, 1)[0]
            assert difference(evaluate(formula, model), evaluate(after, model)) < TOLERANCE, (graph, formula, after)
    assert applied > 5


@pytest.mark.parametrize("rewrite", [part for part in REWRITES if part.change], ids=lambda part: part.rule.name)
def test_a_formula_changes_exactly_where_one_of_its_nodes_does(rewrite: Rewrite) -> None:
    change, changed = rewrite.change, 0
    assert change is not None
    for seed in range(400):
        graph, formula, _ = drawn(seed, experiments=True)
        inner = [node for node in subformulas(formula) if not isinstance(node, Kernel)]
        after, _ = rewrite.apply(CausalGraph.of(diagram_of(graph)), formula)
        assert (after is formula) == all(change(node) is node for node in inner)
        changed += after is not formula
    assert 5 < changed < 395


@given(seeds)
@settings(max_examples=300)
def test_simplification_ends_and_keeps_the_value(seed: int) -> None:
    graph, formula, generator = drawn(seed, experiments=False)
    steps = simplification(CausalGraph.of(diagram_of(graph)), formula)
    model = models_of(graph, generator, 1)[0]
    current = formula
    for step in steps:
        assert equal(step.before, current)
        current = step.after
    assert difference(evaluate(formula, model), evaluate(current, model)) < TOLERANCE
    assert simplification(CausalGraph.of(diagram_of(graph)), current) == ()
