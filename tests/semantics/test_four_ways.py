"""One question, four evaluators and a list of every state: compiled, numpy, exact rationals and SymPy agree with it.

Random diagrams with hidden variables, evidence and interventions; one probability is a parameter for SymPy, which is
put back into its answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from strategies import random_dag, seeds

from suture import Engine
from suture.dsl.diagram import model_diagram
from suture.dsl.formula import Kernel, Term
from suture.semantics.distribution import ModelDistribution
from suture.semantics.evaluate import evaluate
from suture.semantics.networks.marginals import all_marginals
from suture.semantics.networks.posterior import posterior
from suture.semantics.semiring import RATIONAL
from suture.semantics.stochastic import FiniteModel
from suture.semantics.symbolic import ClosedForm

from .brute import probability as listed

PARAMETER = sympy.Symbol("p")


@dataclass(frozen=True)
class Asked:
    """A model of rationals, a target, evidence and an intervention."""

    model: FiniteModel
    target: str
    evidence: dict[str, str]
    do: dict[str, str]

    def brute(self) -> list[Fraction] | None:
        """P(target | evidence, do), one state after the other; None where the evidence is impossible."""
        total = listed(self.model, self.evidence, self.do)
        labels = self.model.labels[self.target]
        return (
            [listed(self.model, {**self.evidence, self.target: label}, self.do) / total for label in labels]
            if total
            else None
        )

    def kernel(self, label: str) -> Kernel:
        """The probability of one label as a formula."""
        given = tuple(Term(name, value) for name, value in self.evidence.items())
        return Kernel((Term(self.target, label),), given, tuple(Term(name, value) for name, value in self.do.items()))


def asked(seed: int, most: int = 6) -> Asked:
    """A random model of up to `most` variables of one to three values, tables of small fractions, some of them zero."""
    generator = np.random.default_rng(seed)
    parents, latent = random_dag(generator, int(generator.integers(2, most + 1)))
    labels = {name: tuple(f"v{n}" for n in range(int(generator.integers(1, 4)))) for name in parents}
    arrays: dict[str, Any] = {}
    for name, causes in parents.items():
        shape = tuple(len(labels[each]) for each in (*causes, name))
        counts = generator.integers(0, 6, shape)
        counts[..., int(generator.integers(0, shape[-1]))] += 1
        made = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            made[place] = Fraction(int(counts[place]), int(counts[place[:-1]].sum()))
        arrays[name] = made
    model = FiniteModel(model_diagram(parents, latent), labels, arrays, RATIONAL)
    names = [str(name) for name in generator.permutation(list(parents))]
    target, rest = names[0], names[1:]
    cut = int(generator.integers(0, 2))
    chosen = {name: str(generator.choice(labels[name])) for name in rest}
    do = {name: chosen[name] for name in rest[:cut]}
    evidence = {name: chosen[name] for name in rest[cut : cut + int(generator.integers(0, 3))]}
    return Asked(model, target, evidence, do)


def floats(model: FiniteModel) -> FiniteModel:
    return FiniteModel(
        model.diagram, model.labels, {name: array.astype(np.float64) for name, array in model.arrays.items()}
    )


def with_parameter(model: FiniteModel, generator: Any) -> tuple[FiniteModel, Fraction]:
    """The model over a field of closed forms: where a variable has two values, one row of it is p, 1 - p."""
    arrays = {name: array.copy() for name, array in model.arrays.items()}
    binary = [name for name, array in arrays.items() if array.shape[-1] == 2]
    value = Fraction(1)
    if binary:
        rows = arrays[str(generator.choice(binary))].reshape(-1, 2)
        row = rows[int(generator.integers(0, len(rows)))]
        value = row[0]
        row[:] = [PARAMETER, 1 - PARAMETER]
    entries = [entry for array in arrays.values() for entry in array.flat]
    field = ClosedForm(entries)
    made = {name: field.elements(array) for name, array in arrays.items()}
    return replace(model, arrays=made, semiring=field), value


@settings(max_examples=60)
@given(seeds)
def test_numpy_rationals_and_sympy_agree_with_a_list_of_every_state(seed: int) -> None:
    question = asked(seed)
    truth = question.brute()
    if truth is None:
        return
    labels = question.model.labels[question.target]
    exact = ModelDistribution(question.model)
    assert [evaluate(question.kernel(label), exact).item() for label in labels] == truth
    numbers = floats(question.model)
    found = posterior(numbers, [question.target], question.evidence, question.do).values
    assert found == pytest.approx([float(share) for share in truth], abs=1e-12)
    every = all_marginals(numbers, question.evidence, question.do)[question.target].values
    assert every == pytest.approx([float(share) for share in truth], abs=1e-12)
    closed, value = with_parameter(question.model, np.random.default_rng(seed))
    distribution = ModelDistribution(closed)
    for label, share in zip(labels, truth, strict=True):
        form = sympy.sympify(evaluate(question.kernel(label), distribution).item())
        put_back = form.subs(PARAMETER, sympy.Rational(value.numerator, value.denominator))
        assert put_back == sympy.Rational(share.numerator, share.denominator)


@settings(max_examples=8)
@given(seeds)
def test_compiled_answers_agree_with_a_list_of_every_state(seed: int) -> None:
    question = asked(seed, 5)
    truth = question.brute()
    engine = Engine(floats(question.model), path="jax")
    found = np.asarray(engine.posterior(question.target, question.evidence, question.do).values)
    every = np.asarray(engine.marginals(question.evidence, question.do)[question.target].values)
    if truth is None:
        assert np.isnan(found).all()
        assert np.isnan(every).all()
    else:
        assert found == pytest.approx([float(share) for share in truth], abs=1e-12)
        assert every == pytest.approx([float(share) for share in truth], abs=1e-12)
