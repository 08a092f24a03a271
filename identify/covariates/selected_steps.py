"""Identification from a selected sample by covariates: the formula of an admissible pair as a step with its conditions.

`selected_outcome` answers P(Y | do(X)) from a sample P(.. | S = s) and distributions of everyone, exactly where some
pair of covariates is admissible (`selected_adjustment.py`); what it refuses may be identifiable in another way, so it
never says no.  The checker decides the criterion again from the definition: what proper causal paths affect, and two
separations in the graph without the first arrows of those paths.

Source: Correa, Tian, Bareinboim (2018), AAAI, theorem 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...dsl.formula import Formula, Kernel, Term, kernels, product, substitute, sum_over, terms
from ..derivation import Derivation, Identified, Outcome, Rule, Separated, Source, Step, Undecided
from ..graph import CausalGraph
from ..requirements import requirements
from ..rules import RuleError, query_values, separation_holds
from .adjustment_steps import asks_effect, compare
from .selected_adjustment import Pair, SelectedTask, selected_task, selection_refusal

SELECTED = Rule(
    "selected adjustment",
    "covariates that no proper causal path affects, that block every other proper path in the sample, and of which "
    "those known for everyone part the outcomes from the selection: adjust for them",
    "Correa, Tian, Bareinboim 2018, theorem 1",
)


@dataclass(frozen=True, slots=True)
class Samples:
    """A sample P(V | S = s) that measures treatments, outcomes and covariates, and what is known for everyone."""

    sample: Kernel
    outside: tuple[Kernel, ...] = ()

    @property
    def selected(self) -> tuple[str, ...]:
        """The variables that the sample was selected by."""
        return tuple(term.variable for term in self.sample.given)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The distributions of which these are parts."""
        return tuple(dict.fromkeys(Source(kernel.source) for kernel in (self.sample, *self.outside)))

    def task(self, graph: CausalGraph, query: Kernel) -> SelectedTask:
        """The search for admissible pairs; raises `SutureError` for names that the graph does not have."""
        treatments, outcomes = ([term.variable for term in part] for part in (query.do, query.outcomes))
        outside = ([term.variable for term in law.outcomes] for law in self.outside)
        return selected_task(graph, treatments, outcomes, self.selected, outside)


def selected_outcome(query: Kernel, graph: CausalGraph, samples: Samples) -> Outcome:
    """P(Y | do(X)) by an admissible pair with as few covariates as any; the graph observes what the sample measures."""
    if not asks_effect(query):
        return Undecided("adjustment answers P(Y | do(X)) without conditions", method="adjustment")
    task = samples.task(graph, query)
    covariates = task.minimum()
    if covariates is None:
        return Undecided(str(selection_refusal(task)), method="adjustment")
    return pair_outcome(query, graph, samples, task.pair(covariates))


def pair_outcome(query: Kernel, graph: CausalGraph, samples: Samples, pair: Pair) -> Identified:
    """The query by an admissible pair."""
    step = selected_step(graph, query, samples, pair)
    return Identified(step.after, Derivation((step,)), "adjustment", requirements(step.after))


def selected_formula(query: Kernel, samples: Samples, pair: Pair) -> Formula:
    """The sum over z of P(y | x, z, S = s) P(z minus t | t, S = s) P(t)."""
    selection, source = samples.sample.given, samples.sample.source
    outcomes, do = ([term.variable for term in part] for part in (query.outcomes, query.do))
    inside = [name for name in pair.covariates if name not in pair.outside]
    parts: list[Formula] = [Kernel(terms(outcomes), (*terms((*do, *pair.covariates)), *selection), (), source)]
    if inside:
        parts.append(Kernel(terms(inside), (*terms(pair.outside), *selection), (), source))
    if pair.outside:
        known = samples.outside[pair.source or 0]
        parts.append(Kernel(terms(pair.outside), (), (), known.source))
    body = sum_over(pair.covariates, product(parts)) if pair.covariates else parts[0]
    return substitute(body, query_values(query))


def selected_step(graph: CausalGraph, query: Kernel, samples: Samples, pair: Pair) -> Step:
    """The query as the formula of the pair; raises `RuleError` where the criterion does not hold."""
    if not asks_effect(query):
        raise RuleError("the query is not P(Y | do(X))")
    outcomes, do = (tuple(term.variable for term in part) for part in (query.outcomes, query.do))
    conditions = selected_conditions(graph, outcomes, do, samples.selected, pair)
    if not set(pair.outside) <= set(pair.covariates):
        raise RuleError("what is taken from outside is not among the covariates")
    if set(pair.covariates) & {*_affected(graph, do, outcomes), *do, *outcomes, *samples.selected}:
        raise RuleError("a proper causal path affects a covariate, or the query or the sample names it")
    if not separation_holds(graph, conditions[0]):
        raise RuleError("the covariates leave a path open that is not causal")
    if not separation_holds(graph, conditions[1]):
        raise RuleError("the outcomes depend on the selection")
    return Step(SELECTED, query, selected_formula(query, samples, pair), conditions)


def selected_conditions(
    graph: CausalGraph, outcomes: tuple[str, ...], do: tuple[str, ...], selected: tuple[str, ...], pair: Pair
) -> tuple[Separated, Separated]:
    """The two separations, in the graph without the first arrows of proper causal paths."""
    arrows = _first_arrows(graph, do, outcomes)
    return (
        Separated(outcomes, do, (*pair.covariates, *selected), arrows=arrows),
        Separated(outcomes, selected, pair.outside, arrows=arrows),
    )


def _first_arrows(graph: CausalGraph, do: Sequence[str], outcomes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The arrows from a treatment to what leads to an outcome without passing another treatment."""
    leading = graph.ancestors(graph.mask(outcomes), within=graph.everything & ~graph.mask(do))
    return tuple((name, head) for name in do for head in graph.members(graph.children[graph.index[name]] & leading))


def _affected(graph: CausalGraph, do: Sequence[str], outcomes: Sequence[str]) -> tuple[str, ...]:
    """Everything that a variable on a proper causal path leads to, itself included."""
    untouched = graph.everything & ~graph.mask(do)
    leading = graph.ancestors(graph.mask(outcomes), within=untouched)
    on_paths = graph.descendants(graph.mask(head for _, head in _first_arrows(graph, do, outcomes)), within=untouched)
    return graph.members(graph.descendants(on_paths & leading))


def check_selected(graph: CausalGraph, query: Kernel, step: Step) -> None:
    """Check that the step proves the query equal to its right side; raises `RuleError` with the reason where not.

    The pair is read from the stated separations, the sample and the sources from the kernels of the right side.
    """
    if len(step.because) != 2:
        raise RuleError("the two separations that the rule needs are not stated")
    blocked, free = step.because
    if not isinstance(blocked, Separated) or not isinstance(free, Separated):
        raise RuleError("the two separations that the rule needs are not stated")
    selected = free.second
    covariates = tuple(name for name in blocked.given if name not in selected)
    samples, place = _samples_of(step.after, selected, free.given)
    order = graph.members(graph.mask(covariates))
    compare(step, selected_step(graph, query, samples, Pair(order, graph.members(graph.mask(free.given)), place)))


def _samples_of(formula: Formula, selected: Sequence[str], outside: Sequence[str]) -> tuple[Samples, int | None]:
    """The sample and the distribution outside it that the kernels of a formula were read from."""
    found = kernels(formula)
    inside = [kernel for kernel in found if any(term.variable in selected for term in kernel.given)]
    if not inside:
        raise RuleError("the right side does not use the sample")
    stated: dict[str, Term] = {term.variable: term for term in inside[0].given if isinstance(term.value, str)}
    if not set(selected) <= stated.keys():
        raise RuleError("the right side does not say by which values the sample was selected")
    sample = Kernel((), tuple(stated[name] for name in selected), (), inside[0].source)
    laws = [kernel for kernel in found if kernel not in inside]
    return Samples(sample, tuple(laws[:1])), 0 if outside else None
