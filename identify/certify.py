"""Certification: before an answer is given, its proof is replayed and its formula is evaluated against surgery.

The check draws random finite models with latent variables over the diagram, evaluates the formula in each from the
observed distribution alone, and compares with what surgery on the model gives, at every value of every free variable.
Several models are drawn, since on most random models a wrong formula is off by very little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..dsl.diagnostics import SutureError
from ..dsl.diagram import Diagram, prune, restrict_outputs
from ..dsl.formula import Formula, Kernel, kernels, node_terms, subformulas, variables
from ..dsl.formula_text import text
from .derivation import OBSERVED, Check, Derivation, Hedge, Identified, NotIdentified, Outcome, Source, Thicket
from .graph import CausalGraph
from .hedge import hedge_faults
from .replay import KNOWN_RULES, replay, replay_attempt
from .rules import CUT, needed

if TYPE_CHECKING:
    from numpy.random import Generator

    from ..semantics.distribution import Distribution

TOLERANCE = 1e-9
MODELS = 20
# Kernels times boxes evaluated over all models: what a check may cost before fewer models are drawn.
WORK = 8_000


class CertificationError(Exception):
    """An answer whose own proof or check fails: a bug in suture, never the user's fault."""


def certify(
    outcome: Outcome,
    query: Formula,
    diagram: Diagram,
    models: int = MODELS,
    sources: Sequence[Source] = (OBSERVED,),
) -> Outcome:
    """The outcome with its check filled in; raises `CertificationError` where proof, witness or check does not hold."""
    if isinstance(outcome, Identified):
        _refuse(_faults(outcome, query, diagram, sources), query)
        check = check_formula(query, outcome.formula, diagram, models, sources)
        if check.max_error is not None and not check.max_error <= TOLERANCE:
            _refuse((f"the formula is off by {check.max_error:g} on a random model",), query)
        return replace(outcome, check=check)
    if isinstance(outcome, NotIdentified):
        faults = replay_attempt(outcome.derivation, diagram, sources)
        faults += witness_faults(outcome.witness, outcome.derivation, diagram, sources)
        _refuse(faults, query)
    return outcome


def _faults(outcome: Identified, query: Formula, diagram: Diagram, sources: Sequence[Source]) -> tuple[str, ...]:
    """What the checker of the derivation's kind finds: of surgery and combs, or of the do-calculus."""
    if all(step.rule in KNOWN_RULES for step in outcome.derivation.steps):
        return replay(outcome.derivation, query, diagram, outcome.formula, sources)
    from .do_proofs.do_replay import replay_do

    return replay_do(outcome.derivation, query, diagram, outcome.formula, sources)


def witness_faults(
    witness: Hedge | Thicket, derivation: Derivation, diagram: Diagram, sources: Sequence[Source]
) -> tuple[str, ...]:
    """What is wrong with a witness: each hedge must be one, and every source must have an obstacle."""
    graph, query = CausalGraph.of(diagram), stuck_query(derivation)
    if isinstance(witness, Hedge):
        return hedge_faults(graph, witness, query)
    faults = [fault for part in witness.obstacles if part.hedge for fault in hedge_faults(graph, part.hedge, query)]
    component = set(witness.component)
    if graph.mask(component) not in graph.districts(needed(graph, query)[2]):
        faults.append("what the thicket is about is not a component of the query after surgery")
    for source in sources:
        part = next((part for part in witness.obstacles if part.source == source), None)
        if part is None:
            faults.append("a source has no obstacle")
        elif part.hedge is None and not component & {*source.do, *source.differs}:
            faults.append("a source is refused without a reason")
        elif part.hedge is not None and set(part.hedge.smaller) != component:
            faults.append("a hedge is not around the component")
        elif part.hedge is not None and set(part.hedge.larger) & set(source.do):
            faults.append("a hedge holds what its experiment sets")
    return tuple(faults)


def stuck_query(derivation: Derivation) -> Kernel:
    """The kernel on whose surgery the search got stuck: the query itself, or what exchange and joining made of it."""
    cuts = [step.before for step in derivation.steps if step.rule == CUT]
    if not cuts or not isinstance(cuts[-1], Kernel):
        raise CertificationError("the derivation of a negative answer holds no cut")
    return cuts[-1]


def _refuse(faults: tuple[str, ...], query: Formula) -> None:
    if faults:
        raise CertificationError(f"{text(query)}: {'; '.join(faults)}")


def check_formula(
    query: Formula,
    formula: Formula,
    diagram: Diagram,
    models: int = MODELS,
    sources: Sequence[Source] = (OBSERVED,),
) -> Check:
    """Evaluate query and formula on random models with latent variables; both are closed under the same free variables.

    Fewer models are drawn where the formula is large; none, with the reason, where one evaluation is beyond the budget.
    """
    import numpy as np

    from ..semantics.evaluate import evaluate

    asked = sorted(variables(query) | variables(formula), key=lambda name: diagram.position[name])
    part = prune(restrict_outputs(diagram, asked))
    work = max(1, len(kernels(formula)) * len(part.boxes))
    count = min(models, WORK // work)
    if count == 0:
        reason = f"{len(kernels(formula))} kernels over {len(part.boxes)} boxes are beyond the budget of a check"
        return Check(0, None, reason)
    labels = check_labels(query, formula, part)
    worst = 0.0
    for seed in range(count):
        model = random_sources(part, np.random.default_rng(seed), labels, sources)
        try:
            worst = max(worst, evaluate(query, model).difference(evaluate(formula, model)))
        except SutureError as error:
            return Check(0, None, error.diagnostics[0].message)
    return Check(count, worst)


def random_sources(
    diagram: Diagram, generator: Generator, labels: Mapping[str, tuple[str, ...]], sources: Sequence[Source]
) -> Distribution:
    """A random model of the queried domain, and of each source that differs one with other mechanisms where it does."""
    from ..semantics.distribution import ModelDistribution
    from ..semantics.distribution import Sources as Distributions
    from ..semantics.random_models import random_model

    model = random_model(diagram, generator, labels=labels)
    main = ModelDistribution(model)
    named: dict[str, Distribution] = {}
    for source in sources:
        if source.name is not None and source.name not in named:
            other = random_model(diagram, generator, labels=labels)
            arrays = {name: (other if name in source.differs else model).arrays[name] for name in model.arrays}
            named[source.name] = ModelDistribution(replace(model, arrays=arrays)) if source.differs else main
    return Distributions(named, main) if named else main


def check_labels(query: Formula, formula: Formula, diagram: Diagram) -> Mapping[str, tuple[str, ...]]:
    """Two or more labels for each variable of which a value is mentioned, so that random models know those values."""
    found: dict[str, dict[str, None]] = {}
    for part in (query, formula):
        for node in subformulas(part):
            for term in node_terms(node):
                if isinstance(term.value, str):
                    found.setdefault(term.variable, {})[term.value] = None
    types = {wire.name: wire.type for wire in diagram.wires}
    return {types[name]: (*values, "(other)") for name, values in found.items()}
