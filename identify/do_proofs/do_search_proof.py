"""From what a do-calculus search found to a proof: the steps used, the formula, and its simplest form.

The search leaves for every distribution the way it was reached.  The proof reads those ways from the query down to the
inputs, each distribution once, so that the steps used one after the other (`do_rewriting.py`) lead from the query to a
formula in the inputs.  Uses of one rule in a row become one use where the rule allows it.  A rewrite that would make a
kernel which no input gives (the chain rule may) is left out.

Source: Tikka, Hyttinen, Karvanen (2021), Journal of Statistical Software 99.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ...dsl.formula import Formula, Kernel, kernels
from .. import rules, simplify
from ..derivation import Derivation, Rule, Step
from ..graph import CausalGraph
from . import do_rules
from .do_rewriting import Value, replaced
from .do_rules import RULE_1, RULE_2, RULE_3, Scope
from .do_search_space import Space


class Reason(Enum):
    """How a distribution was reached."""

    INPUT = "a conditional of a margin of an input"
    RULE = "rule 1, 2 or 3"
    MARGIN = "a sum over outcomes"
    CONDITIONAL = "a quotient"
    PRODUCT = "a product"


@dataclass(frozen=True, slots=True)
class Origin:
    """How a distribution was reached, and from which ones; of a product the conditional comes first."""

    reason: Reason
    first: int = -1
    second: int = -1


def proof(
    space: Space, origins: Mapping[int, Origin], rank: Mapping[int, int], query: Kernel, inputs: Sequence[Kernel]
) -> tuple[Formula, Derivation]:
    """The formula for the query and its derivation, from the ways in which distributions were reached."""
    sets = (query.outcomes, query.given, query.do)
    goal = space.code(*(space.graph.mask(term.variable for term in part) for part in sets))
    steps = list(_Proof(space, origins, rank, tuple(inputs)).steps(goal))
    bare = space.scope(goal).kernel(space.graph)
    steps += _simplified(space.graph, _used(bare, steps, {}), inputs)
    return _used(query, steps, rules.query_values(query)), Derivation(tuple(steps))


def given_by(kernel: Kernel, inputs: Sequence[Kernel]) -> Kernel | None:
    """The first input of whose margins the kernel is a conditional, its own source among them; None where none is.

    >>> from suture.dsl.formula import probability
    >>> given_by(probability(["Y"], ["X", "Z"]), [probability(["X", "Y"], ["Z"])])
    Kernel(outcomes=(Term(variable='X', value=None, world=()), Term(variable='Y', value=None, world=())), given=(Term(variable='Z', value=None, world=()),), do=(), source=None)
    >>> given_by(probability(["Y"], ["X"]), [probability(["X", "Y"], ["Z"])]) is None
    True
    """  # noqa: E501
    return next((one for one in inputs if one.source == kernel.source and _gives(one, kernel)), None)


def _gives(known: Kernel, kernel: Kernel) -> bool:
    outcomes, given, do = _sides(kernel)
    known_outcomes, known_given, known_do = _sides(known)
    return do == known_do and known_given <= given <= known_given | known_outcomes and outcomes <= known_outcomes


def _sides(kernel: Kernel) -> tuple[set[str], set[str], set[str]]:
    outcomes, given, do = ({term.variable for term in part} for part in (kernel.outcomes, kernel.given, kernel.do))
    return outcomes, given, do


def _used(formula: Formula, steps: Sequence[Step], fixed: Mapping[str, Value]) -> Formula:
    """What the steps, used one after the other wherever their left side stands, make of the formula."""
    for step in steps:
        formula, _ = replaced(formula, step.before, step.after, fixed)
    return formula


# ---------------------------------------------------------------------------------------------------------------------
# The steps that the search used


@dataclass(frozen=True, slots=True)
class _Proof:
    """The ways in which distributions were reached, and the order in which they were."""

    space: Space
    origins: Mapping[int, Origin]
    rank: Mapping[int, int]
    inputs: tuple[Kernel, ...]

    def steps(self, goal: int) -> Iterator[Step]:
        """One step for each distribution used that is no input's, every one after those that use it."""
        # A way leads to what was expanded earlier; only the margin below a quotient that is the goal may not have been.
        latest = 2 * self.rank[goal]
        pending, seen = [(-latest, goal)], {goal}
        while pending:
            state = heapq.heappop(pending)[1]
            step, needed = self.step(state)
            if step is not None:
                yield step
            for other in needed:
                if other not in seen:
                    seen.add(other)
                    place = 2 * self.rank[other] if other in self.rank else latest - 1
                    heapq.heappush(pending, (-place, other))

    def step(self, state: int) -> tuple[Step | None, tuple[int, ...]]:
        """The equality that a distribution was reached by, and the distributions on its right side."""
        graph, scope = self.space.graph, self.space.scope(state)
        origin = self.origins[state]
        match origin.reason:
            case Reason.INPUT:
                return self.read(scope.kernel(graph)), ()
            case Reason.RULE:
                return self.rule(state, origin.first)
            case Reason.MARGIN:
                return self.margin(state, origin.first)
            case Reason.CONDITIONAL:
                moved = scope.given & ~self.space.scope(origin.first).given
                step, _, below = do_rules.conditional(graph, scope, moved)
                return step, (origin.first, self.code(below))
            case Reason.PRODUCT:
                parts = tuple(map(self.space.scope, (origin.second, origin.first)))
                return do_rules.product_step(graph, scope, parts), (origin.first, origin.second)

    def code(self, scope: Scope) -> int:
        return self.space.code(scope.outcomes, scope.given, scope.do)

    def read(self, kernel: Kernel) -> Step | None:
        """An input's kernel under the name of its source; nothing where it has none."""
        names = [one.source for one in self.inputs if _gives(one, kernel)]
        return None if None in names else Step(do_rules.READ, kernel, replace(kernel, source=names[0]))

    def rule(self, state: int, origin: int) -> tuple[Step, tuple[int, ...]]:
        """A use of rule 1, 2 or 3, as far back as one use for several variables leads."""
        step = self.use(state, origin)
        while self.origins[origin].reason is Reason.RULE:
            longer = self.use(state, self.origins[origin].first)
            if longer is None:
                break
            step, origin = longer, self.origins[origin].first
        if step is None:
            raise AssertionError("the search used a rule that does not apply")
        return step, (origin,)

    def use(self, state: int, other: int) -> Step | None:
        """The use of one rule that makes the two distributions equal; None where there is none."""
        graph, left, right = self.space.graph, self.space.scope(state), self.space.scope(other)
        for larger, smaller in ((left, right), (right, left)):
            rule, moved = _rule_between(larger, smaller)
            if rule is not None:
                condition = do_rules.CONDITIONS[rule.name](graph, larger, moved)
                if do_rules.holds(graph, condition):
                    return Step(rule, left.kernel(graph), right.kernel(graph), (condition,))
        return None

    def margin(self, state: int, origin: int) -> tuple[Step, tuple[int, ...]]:
        """A sum over outcomes, over those of sums that follow on it as well."""
        while self.origins[origin].reason is Reason.MARGIN:
            origin = self.origins[origin].first
        scope = self.space.scope(state)
        more = self.space.scope(origin).outcomes & ~scope.outcomes
        return do_rules.total(self.space.graph, scope, more), (origin,)


def _rule_between(larger: Scope, smaller: Scope) -> tuple[Rule | None, int]:
    """The rule by which observations or actions of `larger` go, or actions become observations, and which ones."""
    actions, observed = larger.do & ~smaller.do, larger.given & ~smaller.given
    if smaller.do & ~larger.do:
        return None, 0
    if not actions and observed and not smaller.given & ~larger.given:
        return RULE_1, observed
    if actions and larger.given == smaller.given:
        return RULE_3, actions
    if actions and smaller.given == larger.given | actions:
        return RULE_2, actions
    return None, 0


# ---------------------------------------------------------------------------------------------------------------------
# The simplest form of the formula

REWRITES = tuple(rewrite for rewrite in simplify.REWRITES if rewrite.rule != simplify.SEPARATION)


def _simplified(graph: CausalGraph, formula: Formula, inputs: Sequence[Kernel]) -> list[Step]:
    """Rewrites of the formula, in turn, as long as one changes it into a formula that the inputs give."""
    steps: list[Step] = []
    idle = 0
    while idle < len(REWRITES):
        for rewrite in REWRITES:
            after, _ = rewrite.apply(graph, formula)
            changed = after is not formula and all(given_by(kernel, inputs) for kernel in kernels(after))
            idle = 0 if changed else idle + 1
            if changed:
                steps.append(Step(rewrite.rule, formula, after))
                formula = after
            if idle == len(REWRITES):
                break
    return steps
