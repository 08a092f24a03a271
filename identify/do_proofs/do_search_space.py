"""The distributions a do-calculus search moves between, and every use of a rule that leads from one to another.

A distribution P(A | C, do(B)) is three masks in one integer.  Rules 1, 2 and 3 move one variable at a time: by the
axioms of separation a use of a rule for a set is uses of it for the members, one after the other.  What a variable is
connected to in a mutilated graph is found once and kept, so that a use of a rule costs a look-up.

Sources: Pearl (1995), theorem 3; Tikka, Hyttinen, Karvanen (2021), "Causal effect identification from multiple
incomplete data sources: a general search-based approach", Journal of Statistical Software 99, for the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...dsl.formula import Kernel
from ..graph import CausalGraph, bits
from .do_rules import Scope


@dataclass(frozen=True, slots=True)
class Input:
    """A kernel at hand as masks, with the name of its source."""

    outcomes: int
    given: int
    do: int
    source: str | None

    @staticmethod
    def of(graph: CausalGraph, kernel: Kernel) -> Input:
        """The kernel's variables as masks over the graph."""
        sets = (kernel.outcomes, kernel.given, kernel.do)
        outcomes, given, do = (graph.mask(term.variable for term in part) for part in sets)
        return Input(outcomes, given, do, kernel.source)

    def gives(self, outcomes: int, given: int, do: int) -> bool:
        """Whether P(outcomes | given, do(do)) is a conditional of a margin of the kernel."""
        return (
            do == self.do
            and not self.given & ~given
            and not given & ~(self.given | self.outcomes)
            and not outcomes & ~self.outcomes
        )


class Space:
    """The uses of rules 1, 2 and 3 over one graph; a distribution is `outcomes | do << n | given << 2 n`."""

    def __init__(self, graph: CausalGraph) -> None:
        self.graph = graph
        self.size = len(graph.names)
        self.full = (1 << self.size) - 1
        self._connected: dict[tuple[int, int, int, int], int] = {}
        self._ancestors: dict[tuple[int, int], int] = {}

    def code(self, outcomes: int, given: int, do: int) -> int:
        """The distribution as one integer."""
        return outcomes | do << self.size | given << 2 * self.size

    def parts(self, state: int) -> tuple[int, int, int]:
        """Outcomes, conditions and set variables of a distribution."""
        return state & self.full, state >> 2 * self.size, state >> self.size & self.full

    def scope(self, state: int) -> Scope:
        """The distribution as a kernel of the do-calculus."""
        return Scope(*self.parts(state))

    def moves(self, state: int) -> Iterator[int]:
        """Distributions that one use of rule 1, 2 or 3 for one variable makes equal to this one."""
        outcomes, given, do = self.parts(state)
        for position in bits(self.full & ~outcomes):
            bit = 1 << position
            observed, acting = 1 << position + 2 * self.size, 1 << position + self.size
            rest, others = given & ~bit, do & ~bit
            apart = state & ~(observed | acting)
            if state & observed:
                if not outcomes & self.connected(position, rest, others, 0):
                    yield apart
                if not outcomes & self.connected(position, rest, others, 2):
                    yield apart | acting
            elif state & acting:
                if not outcomes & self.connected(position, rest, others, 2):
                    yield apart | observed
                if not outcomes & self.connected(position, rest, others, 1):
                    yield apart
            else:
                if not outcomes & self.connected(position, rest, others, 0):
                    yield apart | observed
                if not outcomes & self.connected(position, rest, others, 1):
                    yield apart | acting

    def connected(self, position: int, given: int, do: int, kind: int) -> int:
        """What a variable is connected to given `given` and `do`, arrows into `do` cut.

        Of kind 0 that is all (rule 1); of kind 2 arrows out of the variable are cut too (rule 2), of kind 1 arrows
        into it, unless it is an ancestor of `given` (rule 3).
        """
        key = (position, given, do, kind)
        found = self._connected.get(key)
        if found is None:
            bit = 1 << position
            into = do | bit if kind == 1 and not bit & self.ancestors(given, do) else do
            found = connected(self.graph, position, given | do, into, bit if kind == 2 else 0)
            self._connected[key] = found
        return found

    def ancestors(self, given: int, do: int) -> int:
        """Ancestors of `given` once arrows into `do` are cut."""
        found = self._ancestors.get((given, do))
        if found is None:
            found = self._ancestors[given, do] = self.graph.ancestors(given, cut=do)
        return found


def connected(graph: CausalGraph, start: int, given: int, into: int, out: int) -> int:
    """The variables that an open path joins to the one at `start`, without edges into `into` and out of `out`.

    Reachability over (variable, arrived at a tail or a head), each visited once.
    """
    opened = _opened(graph, given, into, out)
    # `tails` were arrived at against an arrow (or are the start), `heads` along one.
    tails = new_tails = 1 << start
    heads = new_heads = 0
    while new_tails or new_heads:
        if new_tails:
            low = new_tails & -new_tails
            new_tails ^= low
            if low & given:
                continue
            upward = downward = True
        else:
            low = new_heads & -new_heads
            new_heads ^= low
            upward, downward = bool(low & opened), not low & given
        position = low.bit_length() - 1
        if upward and not low & into:
            more = graph.parents[position] & ~out & ~tails
            tails, new_tails = tails | more, new_tails | more
            more = graph.siblings[position] & ~into & ~heads
            heads, new_heads = heads | more, new_heads | more
        if downward and not low & out:
            more = graph.children[position] & ~into & ~heads
            heads, new_heads = heads | more, new_heads | more
    return (tails | heads) & ~given


def _opened(graph: CausalGraph, given: int, into: int, out: int) -> int:
    """Ancestors of the conditions in the graph that is left: colliders there are open."""
    result = pending = given
    while pending:
        low = pending & -pending
        pending ^= low
        if not low & into:
            more = graph.parents[low.bit_length() - 1] & ~out & ~result
            result, pending = result | more, pending | more
    return result
