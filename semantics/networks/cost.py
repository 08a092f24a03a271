"""What computing a formula will cost, before any of it is done: the plan of every contraction, from shapes alone.

The networks are those that `distribution.ModelDistribution` contracts, made from the values of the variables; no
mechanism is needed, and no array is filled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...dsl.diagram import Diagram
from ...dsl.formula import Formula, Kernel, Symbol, Term, kernels
from ...dsl.formula_text import kernel_text, term_text
from ...dsl.program import Domain, Model
from ...dsl.worlds import in_world, parallel_worlds
from ..compute import with_domains
from ..distribution import network_factors, symbols_of
from ..needs import labels_of, needed
from ..stochastic import FiniteModel
from .contraction import planned
from .plan import Plan


@dataclass(frozen=True, slots=True)
class Contraction:
    """One contraction of a formula: the probability it gives, its plan, and the names of the plan's axes."""

    text: str
    plan: Plan
    names: tuple[str, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """The variables in the order in which they are summed out."""
        return tuple(self.names[axis] for axis in self.plan.order)


def contractions(formula: Formula, model: Model, domains: Mapping[str, Domain] | None = None) -> list[Contraction]:
    """The contractions that computing a formula takes: of every kernel the joint, and its condition where it has one.

    Equal ones come once.  Raises `SutureError` for variables without finitely many values.
    """
    plain = with_domains(formula, domains or {})
    labels = labels_of(model, needed(model.diagram, plain).variables)
    found: dict[tuple[Term, ...], Contraction] = {}
    for kernel in kernels(plain):
        outcomes, given = (
            [_placed(in_world(t, kernel.do)) for t in terms] for terms in (kernel.outcomes, kernel.given)
        )
        joint = Kernel((*kernel.outcomes, *kernel.given), (), kernel.do, kernel.source)
        for terms, shown in ((outcomes + given, joint), (given, replace(joint, outcomes=kernel.given))):
            if terms and tuple(terms) not in found:
                found[tuple(terms)] = _contraction(model.diagram, labels, terms, kernel_text(shown))
    return list(found.values())


def _contraction(
    diagram: Diagram, labels: Mapping[str, tuple[str, ...]], terms: Sequence[Term], text: str
) -> Contraction:
    worlds = parallel_worlds(diagram, terms)
    shaped = worlds.diagram
    arrays = {
        box.name: np.broadcast_to(1.0, [len(labels[kind]) for kind in shaped.types((*box.inputs, *box.outputs))])
        for box in shaped.boxes
        if all(kind in labels for kind in shaped.types((*box.inputs, *box.outputs)))
    }
    factors = network_factors(FiniteModel(shaped, labels, arrays), worlds, tuple(terms))
    plan = planned(factors, symbols_of(terms))
    axes = dict.fromkeys(axis for factor in factors for axis in factor.axes)
    names = [axis.variable if isinstance(axis, Symbol) else shaped.wires[int(str(axis))].name for axis in axes]
    return Contraction(text, plan, tuple(names))


def _placed(term: Term) -> Term:
    """The term with every bare name, in worlds too, at a symbol of its own, as evaluation places it."""
    value = Symbol(term_text(term), term.variable) if term.value is None else term.value
    return replace(term, value=value, world=tuple(_inside(part) for part in term.world))


def _inside(term: Term) -> Term:
    if term.swap is not None:
        return term
    if term.world:
        return replace(term, world=tuple(_inside(part) for part in term.world))
    return replace(term, value=Symbol(f"={term.variable}", term.variable)) if term.value is None else term
