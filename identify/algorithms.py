"""Which algorithm answers which query: one ordered tuple, the first that accepts is used.

A query is a formula over kernels: `P(Y | do(X))`, or arithmetic of such.  Each kernel is identified by itself; the
answer to the whole puts their formulas in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..dsl.diagram import Diagram
from ..dsl.formula import Formula, Kernel, Plus, Product, Sum, kernel_terms, kernels, replace_formula
from . import comb_disintegration, conditional, rules
from .covariates.adjustment_steps import adjustment_outcome, back_door_outcome
from .covariates.front_door import front_door_outcome
from .derivation import OBSERVED, Derivation, Identified, NotIdentified, Outcome, Positive, Source, Undecided
from .graph import CausalGraph
from .requirements import requirements

Sources: TypeAlias = tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A way to identify a kernel: `keyword` names it in `identify .. by KEYWORD`.

    One that is `asked_for` is used only where it is named: what it cannot answer, another may.
    """

    keyword: str
    accepts: Callable[[Kernel, CausalGraph, Sources], bool]
    identify: Callable[[Kernel, CausalGraph, Sources], Outcome]
    asked_for: bool = False


def _plain(query: Kernel) -> bool:
    return query.source is None and bool(query.outcomes) and not any(term.world for term in kernel_terms(query))


def _observed(query: Kernel, graph: CausalGraph, sources: Sources) -> bool:
    return _plain(query) and not query.do and rules.observational(sources) is not None


def _observe(query: Kernel, graph: CausalGraph, sources: Sources) -> Outcome:
    """A query without surgery is its own formula, in the source that observed it."""
    step = rules.observe(graph, query, sources)
    return Identified(step.after, Derivation((step,)), "observation", requirements(step.after))


def _unconditional(query: Kernel, graph: CausalGraph, sources: Sources) -> bool:
    return _plain(query) and not query.given


def _single_comb(query: Kernel, graph: CausalGraph, sources: Sources) -> bool:
    single = sources == (OBSERVED,) and _unconditional(query, graph, sources)
    return single and comb_disintegration.single_comb_suffices(graph, query)


def _conditional(query: Kernel, graph: CausalGraph, sources: Sources) -> bool:
    return _plain(query) and bool(query.given)


def _observed_effect(query: Kernel, graph: CausalGraph, sources: Sources) -> bool:
    return sources == (OBSERVED,) and _unconditional(query, graph, sources) and bool(query.do)


def _proof_asked(query: Kernel, graph: CausalGraph, sources: Sources) -> bool:
    from .do_proofs.do_calculus import accepts

    return accepts(query, graph, sources)


def _proved(query: Kernel, graph: CausalGraph, sources: Sources) -> Outcome:
    """The same answer as by combs, with its proof in the do-calculus; loaded only where it is asked for."""
    from .do_proofs.do_calculus import identify

    return identify(query, graph, sources)


def _plain_of(method: Callable[[Kernel, CausalGraph], Outcome]) -> Callable[[Kernel, CausalGraph, Sources], Outcome]:
    """A method of the observed distribution as one that is told its sources."""
    return lambda query, graph, sources: method(query, graph)


ALGORITHMS: tuple[Algorithm, ...] = (
    Algorithm("observation", _observed, _observe),
    Algorithm("comb", _single_comb, comb_disintegration.identify),
    Algorithm("combs", _unconditional, comb_disintegration.identify),
    Algorithm("conditional", _conditional, conditional.identify),
    Algorithm("do_calculus", _proof_asked, _proved, asked_for=True),
    Algorithm("adjustment", _observed_effect, _plain_of(adjustment_outcome), asked_for=True),
    Algorithm("backdoor", _observed_effect, _plain_of(back_door_outcome), asked_for=True),
    Algorithm("frontdoor", _observed_effect, _plain_of(front_door_outcome), asked_for=True),
)


def keywords() -> tuple[str, ...]:
    """What may stand after `by`."""
    return tuple(algorithm.keyword for algorithm in ALGORITHMS)


def choose(
    query: Kernel, graph: CausalGraph, keyword: str | None = None, sources: Sources = (OBSERVED,)
) -> Algorithm | None:
    """The first algorithm that accepts the query, among those called `keyword` if one is given."""
    for algorithm in ALGORITHMS:
        named = not algorithm.asked_for if keyword is None else algorithm.keyword == keyword
        if named and algorithm.accepts(query, graph, sources):
            return algorithm
    return None


def identify(query: Kernel, diagram: Diagram, keyword: str | None = None, sources: Sources = (OBSERVED,)) -> Outcome:
    """Identify one kernel from the distributions of the sources, by default what a model's diagram shows."""
    graph = CausalGraph.of(diagram)
    algorithm = choose(query, graph, keyword, sources)
    if algorithm is None:
        return Undecided(_refusal(query, keyword), method=keyword or "")
    return algorithm.identify(query, graph, sources)


def _refusal(query: Kernel, keyword: str | None) -> str:
    if keyword is not None and _plain(query):
        return f"method '{keyword}' does not apply to this query"
    if query.source is not None:
        return "the query names a source that is not among those it is to be identified from"
    return "counterfactual queries are not identified yet"


def identify_formula(
    formula: Formula, diagram: Diagram, keyword: str | None = None, sources: Sources = (OBSERVED,)
) -> Outcome:
    """Identify arithmetic over kernels: each by itself, their formulas in their place.

    Where one kernel alone is not identifiable and enters linearly, the whole is not; where several are not, whether
    they cancel is not decided, and the outcome says so.
    """
    if isinstance(formula, Kernel):
        return identify(formula, diagram, keyword, sources)
    asked = tuple(dict.fromkeys(kernels(formula)))
    outcomes = [identify(kernel, diagram, keyword if kernel.do else None, sources) for kernel in asked]
    undecided = next((outcome for outcome in outcomes if isinstance(outcome, Undecided)), None)
    failed = [outcome for outcome in outcomes if isinstance(outcome, NotIdentified)]
    if undecided is not None:
        return undecided
    if len(failed) == 1 and _is_linear(formula):
        return failed[0]
    if failed:
        reason = "parts of the query are not identifiable, each with a hedge; whether they cancel is not decided"
        return Undecided(reason, failed[0].derivation)
    return _composed(formula, asked, [outcome for outcome in outcomes if isinstance(outcome, Identified)])


def _is_linear(formula: Formula) -> bool:
    """Whether every kernel enters as a term, times numbers at most, and only once."""
    found = kernels(formula)
    if len(set(found)) != len(found):
        return False
    stack = [formula]
    while stack:
        node = stack.pop()
        if isinstance(node, Plus):
            stack.extend(node.terms)
        elif isinstance(node, Sum):
            stack.append(node.body)
        elif isinstance(node, Product):
            if sum(bool(kernels(factor)) for factor in node.factors) > 1:
                return False
            stack.extend(node.factors)
        elif not isinstance(node, Kernel) and kernels(node):
            return False
    return True


def _composed(formula: Formula, asked: Sequence[Kernel], found: Sequence[Identified]) -> Identified:
    answer = formula
    for kernel, outcome in zip(asked, found, strict=True):
        answer = replace_formula(answer, kernel, outcome.formula)
    steps = tuple(step for outcome in found for step in outcome.derivation.steps)
    methods = dict.fromkeys(outcome.method for outcome in found if outcome.method != "observation")
    needs: dict[Positive, None] = dict.fromkeys(need for outcome in found for need in outcome.requires)
    return Identified(answer, Derivation(steps), ", ".join(methods) or "observation", tuple(needs))
