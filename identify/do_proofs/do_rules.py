"""The rules of the do-calculus and of probability, as values and as functions that build their steps.

Every step is an equality of formulas in bare variables, true at all their values in every model over the graph.  The
three rules of the do-calculus relate kernels P(outcomes | given, do(..)):

1. P(y | do(x), z, w) = P(y | do(x), w)      where Y _||_ Z | X, W once arrows into X are cut;
2. P(y | do(x), do(z), w) = P(y | do(x), z, w)   where Y _||_ Z | X, W once arrows into X and out of Z are cut;
3. P(y | do(x), do(z), w) = P(y | do(x), w)   where Y _||_ Z | X, W once arrows into X and into Z(W) are cut, Z(W) being
   the members of Z that are no ancestors of W once arrows into X are cut.

Each reads in both directions.  What probability adds is total probability, the product rule, the definition of a
conditional and distributivity.

Sources: Pearl (1995), "Causal diagrams for empirical research", theorem 3; Pearl (2009), "Causality", section 3.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ...dsl.formula import Formula, Kernel, product, ratio, sum_over
from ..derivation import Rule, Separated, Step
from ..graph import CausalGraph

RULE_1 = Rule(
    "rule 1",
    "an observation that is separated from the outcomes, once arrows into the set variables are cut, may come or go",
    "Pearl 1995, theorem 3, rule 1 of the do-calculus",
)
RULE_2 = Rule(
    "rule 2",
    "setting and observing are the same where the variable is separated from the outcomes once its arrows out are cut",
    "Pearl 1995, theorem 3, rule 2 of the do-calculus",
)
RULE_3 = Rule(
    "rule 3",
    "a variable set from outside that is separated from the outcomes, once arrows into it are cut, may come or go",
    "Pearl 1995, theorem 3, rule 3 of the do-calculus",
)
TOTAL = Rule("total probability", "P(A | C) is the sum over b of P(A, B=b | C)", "probability")
PRODUCT_RULE = Rule("product rule", "P(A, B | C) is P(A | C) P(B | A, C)", "probability")
CONDITIONAL = Rule("definition of a conditional", "P(A | B, C) is P(A, B | C) / P(B | C)", "probability")
DISTRIBUTE = Rule(
    "distributivity", "what does not depend on the bound variables stands in front of the sum", "arithmetic"
)
READ = Rule(
    "read off", "a source of the queried domain shows what surgery on its set variables gives", "definition of a source"
)

DO_RULES = (RULE_1, RULE_2, RULE_3)
PROBABILITY_RULES = (TOTAL, PRODUCT_RULE, CONDITIONAL, DISTRIBUTE, READ)


@dataclass(frozen=True, slots=True)
class Scope:
    """The kernel P(outcomes | given, do(do)) of bare variables, each set a mask over one graph."""

    outcomes: int
    given: int = 0
    do: int = 0
    source: str | None = None

    def kernel(self, graph: CausalGraph) -> Kernel:
        """The kernel itself, its terms in topological order."""
        outcomes, given, do = (graph.terms(mask) for mask in (self.outcomes, self.given, self.do))
        return Kernel(outcomes, given, do, self.source)


# ---------------------------------------------------------------------------------------------------------------------
# Rules of the do-calculus: each function gives the separation that the rule needs; the larger kernel holds `moved`.


def observation_separated(graph: CausalGraph, larger: Scope, moved: int) -> Separated:
    """What rule 1 needs to delete the observations `moved`."""
    return _separated(graph, larger.outcomes, moved, larger.do | larger.given & ~moved, larger.do)


def exchange_separated(graph: CausalGraph, larger: Scope, moved: int) -> Separated:
    """What rule 2 needs to turn the actions `moved` into observations."""
    rest = larger.do & ~moved
    return _separated(graph, larger.outcomes, moved, rest | larger.given, rest, moved)


def action_separated(graph: CausalGraph, larger: Scope, moved: int) -> Separated:
    """What rule 3 needs to delete the actions `moved`."""
    rest = larger.do & ~moved
    below = moved & ~graph.ancestors(larger.given, cut=rest)
    return _separated(graph, larger.outcomes, moved, rest | larger.given, rest | below)


def _separated(graph: CausalGraph, outcomes: int, moved: int, given: int, cut: int, cut_out: int = 0) -> Separated:
    names = graph.members
    return Separated(names(outcomes), names(moved), names(given), names(cut), names(cut_out))


@dataclass(frozen=True, slots=True)
class Move:
    """One use of a rule: the variables it moves, and how the kernel changes; `back` reads the rule right to left."""

    rule: Rule
    moved: int
    back: bool

    def after(self, scope: Scope) -> Scope:
        """The kernel on the other side of the equality."""
        given, do, moved = scope.given, scope.do, self.moved
        if self.rule is RULE_1:
            return replace(scope, given=given | moved if self.back else given & ~moved)
        if self.rule is RULE_3:
            return replace(scope, do=do | moved if self.back else do & ~moved)
        if self.back:
            return replace(scope, given=given & ~moved, do=do | moved)
        return replace(scope, given=given | moved, do=do & ~moved)

    def condition(self, graph: CausalGraph, scope: Scope) -> Separated:
        """The separation that this use of the rule needs."""
        return CONDITIONS[self.rule.name](graph, self.after(scope) if self.back else scope, self.moved)


CONDITIONS: dict[str, Callable[[CausalGraph, Scope, int], Separated]] = {
    RULE_1.name: observation_separated,
    RULE_2.name: exchange_separated,
    RULE_3.name: action_separated,
}


def moves_between(start: Scope, goal: Scope) -> tuple[Move, ...]:
    """The moves that lead from one kernel to another on the same outcomes, each kind of change one move."""
    first, last = start.given | start.do, goal.given | goal.do
    changes = (
        Move(RULE_2, start.given & goal.do, True),
        Move(RULE_3, start.do & ~last, False),
        Move(RULE_3, goal.do & ~first, True),
        Move(RULE_2, start.do & goal.given, False),
        Move(RULE_1, goal.given & ~first, True),
        Move(RULE_1, start.given & ~last, False),
    )
    return tuple(move for move in changes if move.moved)


def holds(graph: CausalGraph, condition: Separated) -> bool:
    """Whether the separation can be read from the graph after its cuts."""
    masks = (condition.first, condition.second, condition.given, condition.cut, condition.cut_out)
    return graph.separated(*map(graph.mask, masks))


def bridge(graph: CausalGraph, start: Scope, goal: Scope) -> list[Step] | None:
    """The moves from one kernel to another in an order in which every one of them is allowed; None where none is."""
    pending: list[tuple[Scope, tuple[Move, ...], tuple[Step, ...]]] = [(start, moves_between(start, goal), ())]
    while pending:
        scope, left, steps = pending.pop()
        if not left:
            return list(steps)
        for place in reversed(range(len(left))):
            move = left[place]
            condition = move.condition(graph, scope)
            if holds(graph, condition):
                after = move.after(scope)
                step = Step(move.rule, scope.kernel(graph), after.kernel(graph), (condition,))
                pending.append((after, left[:place] + left[place + 1 :], (*steps, step)))
    return None


def bridge_by(graph: CausalGraph, stops: Sequence[Scope]) -> list[Step] | None:
    """The moves along several kernels, from each to the next."""
    steps: list[Step] = []
    for start, goal in pairwise(stops):
        found = bridge(graph, start, goal)
        if found is None:
            return None
        steps.extend(found)
    return steps


# ---------------------------------------------------------------------------------------------------------------------
# Probability


def total(graph: CausalGraph, scope: Scope, more: int) -> Step:
    """P(A | C) as the sum over the variables `more` of P(A, more | C)."""
    larger = replace(scope, outcomes=scope.outcomes | more).kernel(graph)
    return Step(TOTAL, scope.kernel(graph), sum_over(graph.members(more), larger))


def product_step(graph: CausalGraph, scope: Scope, parts: Sequence[Scope]) -> Step:
    """P(A | C) as the product of its `parts`, each the conditional of a block given C and the blocks before."""
    return Step(PRODUCT_RULE, scope.kernel(graph), product(part.kernel(graph) for part in parts))


def join(graph: CausalGraph, parts: Sequence[Scope], scope: Scope) -> Step:
    """The product rule from right to left."""
    return Step(PRODUCT_RULE, product(part.kernel(graph) for part in parts), scope.kernel(graph))


def conditional(graph: CausalGraph, scope: Scope, moved: int) -> tuple[Step, Scope, Scope]:
    """P(A | moved, C) as P(A, moved | C) / P(moved | C), with the two kernels of the quotient."""
    rest = scope.given & ~moved
    above = replace(scope, outcomes=scope.outcomes | moved, given=rest)
    below = replace(scope, outcomes=moved, given=rest)
    return Step(CONDITIONAL, scope.kernel(graph), ratio(above.kernel(graph), below.kernel(graph))), above, below


def distribute(
    names: Sequence[str], inside: Sequence[Formula], outside: Sequence[Formula], mixed: Sequence[Formula]
) -> Step:
    """The sum over `names` of the product `mixed`, with its factors `outside` put in front."""
    after = product((*outside, sum_over(names, product(inside))))
    return Step(DISTRIBUTE, sum_over(names, product(mixed)), after)


def blocks_of(scope: Scope, blocks: Sequence[int]) -> Iterator[Scope]:
    """The conditionals of the blocks of a kernel's outcomes, each given those blocks that hold earlier variables.

    Blocks are intervals of the outcomes in topological order, listed in any order.
    """
    for block in blocks:
        before = scope.outcomes & ((block & -block) - 1)
        yield replace(scope, outcomes=block, given=scope.given | before)
