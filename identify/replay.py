"""Replaying a derivation: every step is derived again from its rule and compared.

The checker knows the rules (`rules.py`, `simplify.py`) and nothing of the algorithm that chose them.  It follows chains
of equalities: a step either starts a chain (a query that is cut, a condition that is exchanged) or goes on from the end
of one; combs are lemmas that `plug` may use once they are proved.  What it accepts is a proof that the query equals the
formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..dsl.diagram import Diagram
from ..dsl.formula import Formula, Kernel, equal, kernel_terms, kernels, replace_formula
from . import rules, simplify
from .combs import Comb
from .covariates.adjustment_steps import ADJUSTMENT, check_adjustment
from .covariates.front_door import FRONT_DOOR, check_front_door
from .covariates.selected_steps import SELECTED, check_selected
from .derivation import OBSERVED, Ancestral, Derivation, Hidden, Invariant, Separated, Source, Step, Teeth
from .graph import CausalGraph
from .rules import RuleError


@dataclass
class _Chain:
    """Equalities that lead from `start` to `end` so far; `cut` is the kernel on which surgery was done, once it was."""

    start: Kernel
    end: Formula
    cut: Kernel | None = None


@dataclass
class _State:
    """What is proved so far.

    `graph` is the whole one until something is hidden, which is so for the chain that hides it; combs belong to it.
    """

    whole: CausalGraph
    graph: CausalGraph
    sources: Sequence[Source]
    chains: list[_Chain] = field(default_factory=list)
    combs: dict[tuple[str | None, int], Comb] = field(default_factory=dict)

    def source(self, name: str | None, do: Iterable[str] = ()) -> Source:
        """The source of that name and those set variables."""
        for source in self.sources:
            if source.name == name and set(source.do) == set(do):
                return source
        raise RuleError("the step uses a distribution that is not among the sources")

    def start_over(self) -> None:
        """Go back to the whole graph, for a new chain; combs of a smaller graph say nothing about it."""
        if self.graph is not self.whole:
            self.graph, self.combs = self.whole, {}

    def chain_at(self, formula: Formula, after_cut: bool = False) -> _Chain:
        """The latest chain (of those on which surgery was done) that ends in the formula, or a new one from a
        kernel.
        """
        for chain in reversed(self.chains):
            if (chain.cut is not None or not after_cut) and equal(chain.end, formula):
                return chain
        if not isinstance(formula, Kernel):
            raise RuleError("the left side is not the right side of an earlier step")
        self.chains.append(_Chain(formula, formula))
        return self.chains[-1]

    def ends_at(self, formula: Formula) -> bool:
        """Whether some chain ends in the formula."""
        return any(equal(chain.end, formula) for chain in self.chains)

    def chain_from(self, kernel: Kernel) -> _Chain | None:
        """The chain that starts from the kernel."""
        return next((chain for chain in self.chains if chain.start == kernel), None)


def replay(
    derivation: Derivation,
    query: Formula,
    diagram: Diagram,
    formula: Formula | None = None,
    sources: Sequence[Source] = (OBSERVED,),
) -> tuple[str, ...]:
    """Why the derivation does not prove that `query` equals `formula`; nothing where it does.

    A query that is arithmetic needs a chain for each of its kernels.  Without `formula` it is enough that every chain
    ends in distributions of the sources.
    """
    graph = CausalGraph.of(diagram)
    state = _State(graph, graph, sources)
    fault = _first_fault(state, derivation)
    if fault is not None:
        return (fault,)
    proved = query
    for kernel in dict.fromkeys(kernels(query)):
        chain = state.chain_from(kernel)
        if chain is None:
            return ("no step starts from the query",)
        if not all(available(part, sources) for part in kernels(chain.end)):
            return ("the derivation does not end in the distributions of the sources",)
        proved = replace_formula(proved, kernel, chain.end)
    if formula is not None and not equal(proved, formula):
        return ("the derivation proves another formula",)
    return ()


def available(kernel: Kernel, sources: Sequence[Source]) -> bool:
    """Whether a kernel can be read off one of the sources."""
    do = {term.variable for term in kernel.do}
    plain = not any(term.world for term in kernel_terms(kernel))
    return plain and any(source.name == kernel.source and set(source.do) == do for source in sources)


def replay_attempt(
    derivation: Derivation, diagram: Diagram, sources: Sequence[Source] = (OBSERVED,)
) -> tuple[str, ...]:
    """Why a step of an unfinished derivation (of a query that is not identified) does not hold; nothing where all
    do.
    """
    graph = CausalGraph.of(diagram)
    fault = _first_fault(_State(graph, graph, sources), derivation)
    return () if fault is None else (fault,)


def _first_fault(state: _State, derivation: Derivation) -> str | None:
    for number, step in enumerate(derivation.steps, 1):
        try:
            _check(state, step)
        except RuleError as error:
            return f"step {number} ({step.rule.name}): {error}"
        except KeyError as error:
            return f"step {number} ({step.rule.name}): {error} is not an observed variable of the diagram"
    return None


def _check(state: _State, step: Step) -> None:
    """Check one step and record what it proves; raises `RuleError` with the reason where it does not hold."""
    checker = CHECKERS.get(step.rule.name)
    if checker is None or step.rule not in KNOWN_RULES:
        raise RuleError("the rule is not known")
    if isinstance(step.before, Kernel) and step.rule in STARTING and not state.ends_at(step.before):
        state.start_over()
    checker(state, step)


def _compare(step: Step, expected: Step) -> None:
    if not equal(step.before, expected.before):
        raise RuleError("the left side is not what the rule applies to")
    if not equal(step.after, expected.after):
        raise RuleError("the right side is not what the rule yields")
    if step.because != expected.because:
        raise RuleError("the side conditions are not those that the rule needs")


def _kernel(formula: Formula) -> Kernel:
    if not isinstance(formula, Kernel):
        raise RuleError("the rule applies to a single kernel")
    return formula


def _cut_kernel(chain: _Chain) -> Kernel:
    if chain.cut is None:
        raise RuleError("no surgery was done on the left side")
    return chain.cut


def _check_hide(state: _State, step: Step) -> None:
    hidden = next((condition for condition in step.because if isinstance(condition, Hidden)), None)
    if hidden is None:
        raise RuleError("the variables that are hidden are not stated")
    state.start_over()
    smaller, expected = rules.hide(state.graph, _kernel(step.before), state.graph.mask(hidden.variables))
    _compare(step, expected)
    state.chain_at(step.before)
    state.graph = smaller


def _check_cut(state: _State, step: Step) -> None:
    query = _kernel(step.before)
    _compare(step, rules.cut(state.graph, query))
    chain = state.chain_at(query)
    chain.end, chain.cut = step.after, query


def _check_components(state: _State, step: Step) -> None:
    chain = state.chain_at(step.before, after_cut=True)
    _compare(step, rules.components(state.graph, _cut_kernel(chain)))
    chain.end = step.after


def _check_comb(state: _State, step: Step) -> None:
    teeth = next((condition for condition in step.because if isinstance(condition, Teeth)), None)
    if teeth is None:
        raise RuleError("the comb's teeth are not stated")
    within, district = state.graph.mask(teeth.within), state.graph.mask(teeth.component)
    _record(state, step, _combs_yielding(state, teeth, within, district))


def _combs_yielding(state: _State, teeth: Teeth, within: int, district: int) -> Iterator[tuple[Comb, Step]]:
    """What the rule yields from every comb and source the step may have meant: the first that fits counts."""
    reason = "no comb and no source yields it"
    for known in (state.combs.get((None, within)), state.combs.get((teeth.source, within))):
        if known is not None and not teeth.do:
            try:
                yield rules.comb_of_comb(state.graph, known, district)
            except RuleError as error:
                reason = str(error)
    try:
        yield rules.comb_of_joint(state.graph, within, district, state.source(teeth.source, teeth.do))
    except RuleError as error:
        raise RuleError(str(error) if reason.startswith("no comb") else reason) from None


def _record(state: _State, step: Step, candidates: Iterable[tuple[Comb, Step]]) -> None:
    """Keep the first candidate that agrees with the step; raises what the last one lacks."""
    fault: RuleError | None = None
    for comb, expected in candidates:
        try:
            _compare(step, expected)
        except RuleError as error:
            fault = error
            continue
        state.combs[comb.domain, comb.members] = comb
        return
    if fault is not None:
        raise fault


def _check_discard(state: _State, step: Step) -> None:
    kept = next((condition for condition in step.because if isinstance(condition, Ancestral)), None)
    if kept is None:
        raise RuleError("the set kept is not stated")
    within, members = state.graph.mask(kept.within), state.graph.mask(kept.members)
    known = [comb for (_, mask), comb in state.combs.items() if mask == within]
    if not known:
        raise RuleError("there is no comb yet to discard from")
    _record(state, step, (rules.discard(state.graph, comb, members) for comb in known))


def _check_transport(state: _State, step: Step) -> None:
    condition = next((condition for condition in step.because if isinstance(condition, Invariant)), None)
    if condition is None:
        raise RuleError("the mechanisms that do not differ are not stated")
    known = state.combs.get((condition.source, state.graph.mask(condition.members)))
    if known is None:
        raise RuleError("there is no comb yet to transport")
    source = next((source for source in state.sources if source.name == condition.source), None)
    if source is None:
        raise RuleError("the step uses a distribution that is not among the sources")
    _record(state, step, (rules.transport(state.graph, known, source),))


def _check_plug(state: _State, step: Step) -> None:
    chain = state.chain_at(step.before, after_cut=True)
    _compare(step, rules.plug(state.graph, _cut_kernel(chain), state.combs.values()))
    chain.end = step.after


def _check_observe(state: _State, step: Step) -> None:
    _compare(step, rules.observe(state.graph, _kernel(step.before), state.sources))
    state.chain_at(step.before).end = step.after


def _check_exchange(state: _State, step: Step) -> None:
    query = _kernel(step.before)
    separation = next((condition for condition in step.because if isinstance(condition, Separated)), None)
    if separation is None or len(separation.second) != 1:
        raise RuleError("the separation that rule 2 needs is not stated")
    _compare(step, rules.exchange(state.graph, query, separation.second[0]))
    state.chain_at(query).end = step.after


def _check_condition(state: _State, step: Step) -> None:
    query = _kernel(step.before)
    joint = state.chain_from(rules.joint_kernel(query))
    if joint is None or not all(available(kernel, state.sources) for kernel in kernels(joint.end)):
        raise RuleError("the joint effect is not proved")
    _compare(step, rules.condition(query, joint.end))
    state.chain_at(query).end = step.after


def _check_rewrite(state: _State, step: Step) -> None:
    rewrite = next(rewrite for rewrite in simplify.REWRITES if rewrite.rule == step.rule)
    after, because = rewrite.apply(state.graph, step.before)
    _compare(step, Step(step.rule, step.before, after, because))
    state.chain_at(step.before).end = step.after


def _check_back_door(state: _State, step: Step) -> None:
    chain = state.chain_at(step.before, after_cut=True)
    query = _cut_kernel(chain)
    blocked = next((c for c in step.because if isinstance(c, Separated) and c.cut_out), None)
    if blocked is None:
        raise RuleError("the separation of the back-door criterion is not stated")
    covariates = state.graph.mask(blocked.given)
    conditions = simplify.back_door_conditions(state.graph, query, covariates)
    if not all(rules.separation_holds(state.graph, condition) for condition in conditions):
        raise RuleError("the back-door criterion does not hold")
    source = rules.observational(state.sources)
    if source is None:
        raise RuleError("no source only observed the queried domain")
    after = simplify.adjustment_formula(state.graph, query, covariates, source)
    _compare(step, Step(simplify.BACK_DOOR, step.before, after, conditions))
    chain.end = step.after


def _check_adjustment(state: _State, step: Step) -> None:
    query = _kernel(step.before)
    check_adjustment(state.graph, query, step)
    state.chain_at(query).end = step.after


def _check_selected(state: _State, step: Step) -> None:
    query = _kernel(step.before)
    check_selected(state.graph, query, step)
    state.chain_at(query).end = step.after


def _check_front_door(state: _State, step: Step) -> None:
    query = _kernel(step.before)
    check_front_door(state.graph, query, step)
    state.chain_at(query).end = step.after


CHECKERS: dict[str, Callable[[_State, Step], None]] = {
    rules.HIDE.name: _check_hide,
    rules.CUT.name: _check_cut,
    rules.COMPONENTS.name: _check_components,
    rules.COMB.name: _check_comb,
    rules.DISCARD.name: _check_discard,
    rules.TRANSPORT.name: _check_transport,
    rules.PLUG.name: _check_plug,
    rules.OBSERVE.name: _check_observe,
    rules.EXCHANGE.name: _check_exchange,
    rules.CONDITION.name: _check_condition,
    simplify.BACK_DOOR.name: _check_back_door,
    ADJUSTMENT.name: _check_adjustment,
    SELECTED.name: _check_selected,
    FRONT_DOOR.name: _check_front_door,
    **{rewrite.rule.name: _check_rewrite for rewrite in simplify.REWRITES},
}
# Rules that apply to a query itself, and so may start a chain.
STARTING = (rules.CUT, rules.EXCHANGE, rules.OBSERVE, ADJUSTMENT, SELECTED, FRONT_DOOR)
KNOWN_RULES = (
    *rules.RULES,
    simplify.BACK_DOOR,
    ADJUSTMENT,
    SELECTED,
    FRONT_DOOR,
    *(rewrite.rule for rewrite in simplify.REWRITES),
)
