"""All distributions that the rules of the do-calculus and of probability reach from some, by their statements on sets.

Every rule is used for every set of variables, over the whole graph, until nothing new is reached: slow and plain.
Separation is that of moral graphs.  Pearl (1995), theorem 3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations

from .graphs import Graph
from .paths import morally_separated

Names = frozenset[str]


@dataclass(frozen=True, order=True)
class Distribution:
    """P(outcomes | given, do(do))."""

    outcomes: Names
    given: Names = frozenset()
    do: Names = frozenset()


def part_of(part: Distribution, whole: Distribution) -> bool:
    """Whether a margin of `whole` over its outcomes, then conditioned, is `part`."""
    kept = part.outcomes | (part.given - whole.given)
    return part.do == whole.do and whole.given <= part.given and kept <= whole.outcomes


def subsets(names: Collection[str]) -> Iterator[Names]:
    """Every subset but the empty one."""
    order = sorted(names)
    return map(frozenset, chain.from_iterable(combinations(order, size) for size in range(1, len(order) + 1)))


@dataclass
class Closure:
    """The rules over one graph, and what they reach from the distributions put in."""

    graph: Graph
    reached: set[Distribution] = field(default_factory=set)
    separations: dict[tuple[Names, ...], bool] = field(default_factory=dict)

    def separated(self, first: Names, second: Names, given: Names, into: Names, out: Names) -> bool:
        key = (first, second, given, into, out)
        if key not in self.separations:
            parents = self.graph.cut_into(into).cut_out_of(out).with_latents()
            self.separations[key] = morally_separated(parents, first, second, given)
        return self.separations[key]

    def equals(self, one: Distribution) -> Iterator[Distribution]:
        """Distributions that one use of rule 1, 2 or 3, in either direction, makes equal to this one."""
        y, w, x = one.outcomes, one.given, one.do
        nothing: Names = frozenset()
        for z in subsets(set(self.graph.nodes) - y):
            if z <= w and self.separated(y, z, x | (w - z), x, nothing):
                yield Distribution(y, w - z, x)
            if not z & (w | x) and self.separated(y, z, x | w, x, nothing):
                yield Distribution(y, w | z, x)
            if z <= x and self.separated(y, z, (x - z) | w, x - z, z):
                yield Distribution(y, w | z, x - z)
            if z <= w and self.separated(y, z, x | (w - z), x, z):
                yield Distribution(y, w - z, x | z)
            if z <= x and self.separated(y, z, (x - z) | w, (x - z) | self.below(z, w, x - z), nothing):
                yield Distribution(y, w, x - z)
            if not z & (w | x) and self.separated(y, z, x | w, x | self.below(z, w, x), nothing):
                yield Distribution(y, w, x | z)

    def below(self, z: Names, w: Names, x: Names) -> Names:
        """Z(W): the members of Z that are no ancestors of W once arrows into X are cut."""
        return z - self.graph.cut_into(x).ancestors(w)

    def follows(self, one: Distribution) -> Iterator[Distribution]:
        """Margins and conditionals of a distribution, and its products with those reached."""
        for part in subsets(one.outcomes):
            if part < one.outcomes:
                yield Distribution(part, one.given, one.do)
                yield Distribution(one.outcomes - part, one.given | part, one.do)
        for other in list(self.reached):
            if other.do == one.do:
                yield from (joined for pair in ((one, other), (other, one)) for joined in _product(*pair))

    def close(self, inputs: Iterable[Distribution]) -> set[Distribution]:
        """Everything that the rules reach."""
        pending = list(inputs)
        while pending:
            one = pending.pop()
            if one not in self.reached:
                self.reached.add(one)
                pending.extend(self.equals(one))
                pending.extend(self.follows(one))
        return self.reached


def _product(conditional: Distribution, other: Distribution) -> Iterator[Distribution]:
    """P(A, B | C) from P(A | B, C) and P(B | C)."""
    if conditional.given == other.given | other.outcomes:
        yield Distribution(conditional.outcomes | other.outcomes, other.given, other.do)
