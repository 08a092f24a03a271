"""Identification from parts of distributions, P(A | C, do(B)) of any sets, by a search for a do-calculus proof.

Forward from the inputs, cheapest first: from every distribution reached, rules 1, 2 and 3, margins, conditionals and
products with what was reached before.  The cost of a distribution counts the kernels of its formula, so the first
formula found for a distribution is a shortest one (Knuth 1977, a generalization of Dijkstra's algorithm).

The rules are sound; whether they are complete for partial inputs is not known.  So a search that has reached all it can
reach says that no proof by these rules exists, never that the query cannot be identified.  There are 4^n - 3^n
distributions over n variables: in the worst case nine variables are searched through in ten seconds, and ten are not
within the budget of thirty; formulas are found over more where few distributions are cheaper than the query.

Source: Tikka, Hyttinen, Karvanen (2021), "Causal effect identification from multiple incomplete data sources: a general
search-based approach", Journal of Statistical Software 99.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...dsl.diagram import Diagram
from ...dsl.formula import Kernel, Symbol, kernel_terms
from ..derivation import Identified, Outcome, Undecided
from ..graph import CausalGraph, bits
from ..requirements import requirements
from .do_search_proof import Origin, Reason, proof
from .do_search_space import Input, Space

METHOD = "do-calculus search"


@dataclass(frozen=True, slots=True)
class SearchBudget:
    """What a search may cost: distributions expanded, distributions stored (some 500 bytes each), CPU seconds.

    A search over more than `variables` of them is not started.
    """

    expanded: int = 1_000_000
    stored: int = 1_000_000
    seconds: float = 30.0
    variables: int = 14


BUDGET = SearchBudget()


def search(query: Kernel, diagram: Diagram, inputs: Sequence[Kernel], budget: SearchBudget = BUDGET) -> Outcome:
    """The query as a formula in conditionals of margins of the inputs, with its proof, or why the search found none.

    Inputs are kernels of bare variables of one diagram; `source` names the data they stand for.  Variables that neither
    the query nor an input names, and those that act on nothing that is asked, given or set, are taken as latent.
    """
    whole = CausalGraph.of(diagram)
    refused = _refusal(query, inputs, whole)
    if refused is None:
        kept = _kept(whole, query, inputs)
        refused = _size_refusal(kept.bit_count(), budget) or _never_an_outcome(query, inputs)
        if refused is None:
            return _searched(query, whole.without(whole.everything & ~kept), inputs, budget)
    return Undecided(refused, method=METHOD)


def distributions(variables: int) -> int:
    """How many distributions P(A | C, do(B)) there are over so many variables: the most a search may reach."""
    return 4**variables - 3**variables


def _margins(graph: CausalGraph, inputs: Sequence[Kernel]) -> Iterator[Input]:
    """The inputs as distributions of the variables that the search is about."""
    for kernel in inputs:
        outcomes = tuple(term for term in kernel.outcomes if term.variable in graph.index)
        if outcomes:
            yield Input.of(graph, replace(kernel, outcomes=outcomes))


def _searched(query: Kernel, graph: CausalGraph, inputs: Sequence[Kernel], budget: SearchBudget) -> Outcome:
    space = Space(graph)
    goal = Input.of(graph, query)
    run = _Run(space, tuple(_margins(graph, inputs)), budget)
    ended = run.until(space.code(goal.outcomes, goal.given, goal.do))
    if ended is not None:
        return Undecided(ended, method=METHOD)
    formula, derivation = proof(space, run.origins, run.rank, query, inputs)
    return Identified(formula, derivation, METHOD, requirements(formula))


# ---------------------------------------------------------------------------------------------------------------------
# What is not searched for


def _refusal(query: Kernel, inputs: Sequence[Kernel], graph: CausalGraph) -> str | None:
    """Why the question is none for this search."""
    if query.source is not None:
        return "the query names a source that is not among those it is to be identified from"
    for kernel in (query, *inputs):
        terms = kernel_terms(kernel)
        names = [term.variable for term in terms]
        strange = next((name for name in names if name not in graph.index), None)
        if strange is not None:
            return f"{strange} is not an observed variable of the model"
        if any(term.world or term.swap for term in terms) or any(isinstance(term.value, Symbol) for term in terms):
            return "a search by do-calculus is about one world"
        if len(set(names)) < len(names) or not kernel.outcomes:
            return "a distribution has one outcome or more, and names every variable once"
        if kernel is not query and any(term.value is not None for term in terms):
            return "an input is known at one value of a variable only; a search needs it at all of them"
    return None


def _size_refusal(variables: int, budget: SearchBudget) -> str | None:
    if variables <= budget.variables:
        return None
    return (
        f"the search by do-calculus would be among {distributions(variables):.1e} distributions over {variables} "
        f"variables; it is not started beyond {budget.variables} variables"
    )


def _never_an_outcome(query: Kernel, inputs: Sequence[Kernel]) -> str | None:
    """Outcomes come from the inputs alone: no rule makes one of a condition or a set variable."""
    known = {term.variable for kernel in inputs for term in kernel.outcomes}
    missing = next((term.variable for term in query.outcomes if term.variable not in known), None)
    return None if missing is None else f"{missing} is no outcome of any input, so nothing is known of how it varies"


def _kept(graph: CausalGraph, query: Kernel, inputs: Sequence[Kernel]) -> int:
    """The variables a search is about: of those named, the ancestors of what is asked about, given or set.

    A variable of which the inputs tell and that acts on none of these can be struck from every step of a proof: to
    condition on a variable without children opens paths and blocks none, and a sum over it is a margin of the inputs.
    """
    fixed = [term.variable for kernel in inputs for term in (*kernel.given, *kernel.do)]
    asked = [term.variable for term in kernel_terms(query)]
    named = [term.variable for kernel in inputs for term in kernel.outcomes]
    return graph.mask((*asked, *fixed, *named)) & graph.ancestors(graph.mask((*asked, *fixed)))


# ---------------------------------------------------------------------------------------------------------------------
# The search

# What a formula costs: a kernel read off an input, one use of a rule, a sum, a product, a quotient.
LEAF, MOVE, TOTAL, PRODUCT, QUOTIENT = 20, 1, 2, 2, 4
# How many distributions are expanded between two looks at the clock.
PATIENCE = 256


class _Run:
    """One search: the cheapest way found so far to each distribution, and those whose way is final.

    Nothing outside the object changes, so that an interrupt leaves nothing behind.
    """

    def __init__(self, space: Space, inputs: tuple[Input, ...], budget: SearchBudget) -> None:
        self.space = space
        self.inputs = inputs
        self.budget = budget
        self.costs: dict[int, int] = {}
        self.origins: dict[int, Origin] = {}
        # The order in which distributions were expanded; a proof uses only what came before.
        self.rank: dict[int, int] = {}
        self.queue: list[tuple[int, int, int]] = []
        # Outcomes of the distributions expanded, by their conditions and set variables.
        self.beside: dict[int, list[int]] = {}

    def until(self, goal: int) -> str | None:
        """Search until the goal is reached; otherwise why the search has ended."""
        start = time.process_time()
        for one in self.inputs:
            self.reach(self.space.code(one.outcomes, one.given, one.do), 0, Origin(Reason.INPUT))
        while self.queue:
            state = heapq.heappop(self.queue)[2]
            if state in self.rank:
                continue
            self.rank[state] = len(self.rank)
            if state == goal:
                return None
            if len(self.rank) % PATIENCE == 0 or len(self.costs) > self.budget.stored:
                spent = self.spent(time.process_time() - start)
                if spent is not None:
                    return None if self.settle(goal) else spent
            self.expand(state)
        return (
            f"no proof by do-calculus exists from these inputs: all {len(self.rank)} distributions that the rules "
            f"reach were searched, which does not show that the query cannot be identified"
        )

    def settle(self, goal: int) -> bool:
        """Whether a way to the goal is known, if not the cheapest one; it counts as expanded from here on."""
        if goal in self.costs:
            self.rank[goal] = len(self.rank)
        return goal in self.costs

    def spent(self, seconds: float) -> str | None:
        """Which budget ran out, and how far the search came; None while there is some left."""
        limits = (
            (len(self.rank) >= self.budget.expanded, f"{self.budget.expanded} distributions expanded"),
            (len(self.costs) > self.budget.stored, f"{self.budget.stored} distributions stored"),
            (seconds >= self.budget.seconds, f"{self.budget.seconds:g} s of CPU time"),
        )
        spent = next((limit for over, limit in limits if over), None)
        if spent is None:
            return None
        return (
            f"the search by do-calculus ended at its budget of {spent}: {len(self.rank)} of at most "
            f"{distributions(self.space.size)} distributions were searched"
        )

    def reach(self, state: int, cost: int, origin: Origin) -> None:
        """Keep this way to a distribution where it is the cheapest so far; what an input gives costs one kernel."""
        if state in self.rank:
            return
        known = self.costs.get(state)
        if known is None:
            parts = self.space.parts(state)
            if any(one.gives(*parts) for one in self.inputs):
                cost, origin = LEAF, Origin(Reason.INPUT)
        elif known <= cost:
            return
        self.costs[state], self.origins[state] = cost, origin
        heapq.heappush(self.queue, (cost, len(self.costs), state))

    def expand(self, state: int) -> None:
        """Everything that follows from a distribution and those expanded before it."""
        cost = self.costs[state]
        for other in self.space.moves(state):
            self.reach(other, cost + MOVE, Origin(Reason.RULE, state))
        self.margins_and_conditionals(state, cost)
        self.products(state, cost)

    def margins_and_conditionals(self, state: int, cost: int) -> None:
        """P(A | C) and P(A | B, C) from P(A, B | C)."""
        outcomes, given, do = self.space.parts(state)
        if outcomes.bit_count() < 2:
            return
        for position in bits(outcomes):
            margin = self.space.code(outcomes & ~(1 << position), given, do)
            self.reach(margin, cost + TOTAL, Origin(Reason.MARGIN, state))
        moved = outcomes & outcomes - 1
        while moved:
            conditional = self.space.code(outcomes & ~moved, given | moved, do)
            self.reach(conditional, 2 * cost + QUOTIENT, Origin(Reason.CONDITIONAL, state))
            moved = moved - 1 & outcomes

    def products(self, state: int, cost: int) -> None:
        """P(A, B | C) from P(A | B, C) and P(B | C), where this distribution is one of them."""
        outcomes, given, do = self.space.parts(state)
        moved = given
        while moved:
            other = self.space.code(moved, given & ~moved, do)
            if other in self.rank:
                both = self.space.code(outcomes | moved, given & ~moved, do)
                self.reach(both, cost + self.costs[other] + PRODUCT, Origin(Reason.PRODUCT, state, other))
            moved = moved - 1 & given
        for others in self.beside.get(self.space.code(0, given | outcomes, do), ()):
            other = self.space.code(others, given | outcomes, do)
            both = self.space.code(outcomes | others, given, do)
            self.reach(both, cost + self.costs[other] + PRODUCT, Origin(Reason.PRODUCT, other, state))
        self.beside.setdefault(self.space.code(0, given, do), []).append(outcomes)
