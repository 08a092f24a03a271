"""Identification by covariates: the adjustment formula as a step with its checked conditions.

`adjustment_outcome` answers P(Y | do(X)) exactly where some set of observed variables is a valid adjustment set,
`back_door_outcome` where one exists that no treatment affects (for a single treatment that is the same).  Neither is
complete for identification: what they refuse may be identifiable in another way, so they never say no.

Sources: Pearl (1995), theorem 1 (back door); Shpitser, VanderWeele, Robins (2010); van der Zander,
Liskiewicz, Textor (2019) (arXiv 1803.00116).
"""

from __future__ import annotations

from ...dsl.formula import Kernel, equal
from .. import rules
from ..derivation import Derivation, Identified, Outcome, Rule, Separated, Step, Undecided
from ..graph import CausalGraph
from ..requirements import requirements
from ..rules import RuleError
from ..simplify import BACK_DOOR, adjustment_formula, back_door_conditions
from .adjustment import is_valid, minimum_set, refusal
from .effect import Effect, effect_of

ADJUSTMENT = Rule(
    "adjustment",
    "covariates that no proper causal path affects and that block every other proper path: adjust for them",
    "Shpitser, VanderWeele, Robins 2010; van der Zander, Liskiewicz, Textor 2019",
)


def adjustment_outcome(query: Kernel, graph: CausalGraph) -> Outcome:
    """P(Y | do(X)) by a smallest valid adjustment set, one that no treatment affects where there is one."""
    if not asks_effect(query):
        return Undecided("adjustment answers P(Y | do(X)) without conditions", method="adjustment")
    effect = effect_of_query(graph, query)
    covariates = minimum_set(effect, graph.everything & ~graph.descendants(effect.treatments))
    covariates = minimum_set(effect) if covariates is None else covariates
    if covariates is None:
        return Undecided(str(refusal(effect)), method="adjustment")
    step = adjustment_step(graph, query, covariates)
    return Identified(step.after, Derivation((step,)), "adjustment", requirements(step.after))


def back_door_outcome(query: Kernel, graph: CausalGraph) -> Outcome:
    """P(Y | do(X)) by a smallest set that satisfies the back-door criterion."""
    if not asks_effect(query):
        return Undecided("the back-door criterion answers P(Y | do(X)) without conditions", method="back door")
    effect = effect_of_query(graph, query)
    unaffected = graph.everything & ~graph.descendants(effect.treatments)
    covariates = minimum_set(effect, unaffected)
    if covariates is None:
        return Undecided(_no_back_door(effect), method="back door")
    cut = rules.cut(graph, query)
    conditions = back_door_conditions(graph, query, covariates)
    step = Step(BACK_DOOR, cut.after, adjustment_formula(graph, query, covariates), conditions)
    return Identified(step.after, Derivation((cut, step)), "back door", requirements(step.after))


def _no_back_door(effect: Effect) -> str:
    wider = minimum_set(effect)
    if wider is None:
        return str(refusal(effect))
    names = ", ".join(effect.graph.members(wider & effect.graph.descendants(effect.treatments)))
    return f"every valid set holds a variable that a treatment affects, as {names}; adjustment allows it"


def asks_effect(query: Kernel) -> bool:
    """Whether the query is P(Y | do(X)) of the model itself, in one world, each variable named once."""
    names = [term.variable for term in (*query.outcomes, *query.do)]
    plain = not any(term.world for term in (*query.outcomes, *query.do)) and query.source is None
    return plain and bool(query.outcomes and query.do) and not query.given and len(set(names)) == len(names)


def effect_of_query(graph: CausalGraph, query: Kernel) -> Effect:
    """The effect that a query asks about."""
    return effect_of(graph, (term.variable for term in query.do), (term.variable for term in query.outcomes))


def adjustment_step(graph: CausalGraph, query: Kernel, covariates: int) -> Step:
    """The query as the sum over the covariates; raises `RuleError` where the adjustment criterion does not hold.

    The conditions name what is separated once the arrows out of the treatments are cut, and, for covariates that no
    treatment affects, that too; the criterion itself is decided again by whoever checks the step.
    """
    if not asks_effect(query):
        raise RuleError("the query is not P(Y | do(X))")
    effect = effect_of_query(graph, query)
    if covariates & ~effect.usable:
        raise RuleError("a proper causal path affects a covariate, or the query itself names it")
    if not is_valid(effect, covariates):
        raise RuleError("the covariates leave a path open that is not causal")
    after = adjustment_formula(graph, query, covariates)
    return Step(ADJUSTMENT, query, after, _conditions(graph, effect, query, covariates))


def _conditions(graph: CausalGraph, effect: Effect, query: Kernel, covariates: int) -> tuple[Separated, ...]:
    conditions = back_door_conditions(graph, query, covariates)
    affected = covariates & graph.descendants(effect.treatments)
    return conditions[-1:] if affected else conditions


def check_adjustment(graph: CausalGraph, query: Kernel, step: Step) -> None:
    """Check that the step proves the query equal to its right side; raises `RuleError` with the reason where not."""
    blocked = next((c for c in step.because if isinstance(c, Separated) and c.cut_out), None)
    if blocked is None:
        raise RuleError("the covariates are not stated")
    compare(step, adjustment_step(graph, query, graph.mask(blocked.given)))


def compare(step: Step, expected: Step) -> None:
    """Raise `RuleError` where the step is not the one that its rule yields."""
    if step.rule != expected.rule:
        raise RuleError("the step names another rule")
    if not equal(step.before, expected.before):
        raise RuleError("the left side is not what the rule applies to")
    if not equal(step.after, expected.after):
        raise RuleError("the right side is not what the rule yields")
    if step.because != expected.because:
        raise RuleError("the side conditions are not those that the rule needs")
