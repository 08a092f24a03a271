"""The causal graph of a diagram: what the observed boxes read, and which of them latent wires hold together.

`CausalGraph.of` is Verma's latent projection.  Sets of variables are bit masks over one fixed topological order, so
that set operations cost a machine word per 64 variables and nothing here recurses: a thousand variables are no special
case.  The diagram stays the model; this is an index over it.

Sources: Verma (1993) for the projection; Tian and Pearl (2002) for districts (there: c-components); Richardson (2003)
for the local Markov property of a district.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..dsl.diagram import Diagram
from ..dsl.formula import Term, terms


def bits(mask: int) -> list[int]:
    """Positions of the ones in a mask, lowest first."""
    found: list[int] = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def union(masks: Sequence[int], chosen: int) -> int:
    """The union of the masks at the chosen positions."""
    result = 0
    while chosen:
        low = chosen & -chosen
        result |= masks[low.bit_length() - 1]
        chosen ^= low
    return result


@dataclass(frozen=True)
class CausalGraph:
    """An acyclic directed mixed graph over `names`, which stand in topological order.

    `parents[i]` and `siblings[i]` are masks: variables with an arrow into i, and variables that share a latent cause
    with i.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    siblings: tuple[int, ...]

    @staticmethod
    def of(diagram: Diagram) -> CausalGraph:
        """The latent projection of a model's diagram on its observed wires, worked out once a diagram."""
        kept = diagram.views.get(CausalGraph)
        if not isinstance(kept, CausalGraph):
            kept = diagram.views[CausalGraph] = CausalGraph._projected(diagram)
        return kept

    @staticmethod
    def _projected(diagram: Diagram) -> CausalGraph:
        wires, names, parents = diagram.wires, list[str](), list[int]()
        # For each wire what a reader of it depends on: the observed variables, and the latent wires in between.
        shown: dict[int, int] = {}
        origins: dict[int, int] = {}
        touched: dict[int, int] = {}
        for number in diagram.order:
            box = diagram.boxes[number]
            wire, read, latent = box.outputs[0], 0, 0
            for source in box.inputs:
                read |= shown[source]
                latent |= origins[source]
            if wires[wire].latent:
                shown[wire], origins[wire] = read, latent | 1 << wire
                continue
            shown[wire], origins[wire] = 1 << len(names), 0
            for origin in bits(latent):
                touched[origin] = touched.get(origin, 0) | shown[wire]
            names.append(wires[wire].name)
            parents.append(read)
        siblings = [0] * len(names)
        for group in touched.values():
            for position in bits(group):
                siblings[position] |= group & ~(1 << position)
        return CausalGraph(tuple(names), tuple(parents), tuple(siblings))

    def without(self, hidden: int) -> CausalGraph:
        """The latent projection when the `hidden` variables are not observed: paths through them stay."""
        parents, siblings = list(self.parents), list(self.siblings)
        for position in bits(hidden):
            bit = 1 << position
            children = [child for child in range(position + 1, len(self.names)) if parents[child] & bit]
            reached = 0
            for child in children:
                parents[child] = (parents[child] & ~bit) | parents[position]
                reached |= 1 << child
            joined = reached | siblings[position]
            for child in children:
                siblings[child] |= joined
            for sibling in bits(siblings[position]):
                siblings[sibling] |= reached
            siblings = [mask & ~bit & ~(1 << place) for place, mask in enumerate(siblings)]
        return self._kept(self.everything & ~hidden, parents, siblings)

    def without_arrows(self, arrows: Iterable[tuple[str, str]]) -> CausalGraph:
        """The graph without some single arrows, each from the first name to the second; others are not touched."""
        parents = list(self.parents)
        for tail, head in arrows:
            parents[self.index[head]] &= ~(1 << self.index[tail])
        return CausalGraph(self.names, tuple(parents), self.siblings)

    def _kept(self, kept: int, parents: Sequence[int], siblings: Sequence[int]) -> CausalGraph:
        """The graph on the kept positions, renumbered."""
        place = {old: new for new, old in enumerate(bits(kept))}

        def renumbered(mask: int) -> int:
            result = 0
            for old in bits(mask & kept):
                result |= 1 << place[old]
            return result

        return CausalGraph(
            tuple(self.names[old] for old in place),
            tuple(renumbered(parents[old]) for old in place),
            tuple(renumbered(siblings[old]) for old in place),
        )

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each name."""
        return {name: position for position, name in enumerate(self.names)}

    @cached_property
    def everything(self) -> int:
        """The mask of all variables."""
        return (1 << len(self.names)) - 1

    @cached_property
    def children(self) -> tuple[int, ...]:
        """For each variable the mask of those it has an arrow into."""
        found = [0] * len(self.names)
        for child, mask in enumerate(self.parents):
            for parent in bits(mask):
                found[parent] |= 1 << child
        return tuple(found)

    def mask(self, names: Iterable[str]) -> int:
        """The mask of the given names."""
        result = 0
        for name in names:
            result |= 1 << self.index[name]
        return result

    def members(self, mask: int) -> tuple[str, ...]:
        """The names in a mask, in topological order."""
        return tuple([self.names[position] for position in bits(mask)])

    def terms(self, mask: int) -> tuple[Term, ...]:
        """The variables in a mask as bare terms, in topological order; kept, since a derivation repeats its sets."""
        found = self._terms.get(mask)
        if found is None:
            found = self._terms[mask] = terms(self.members(mask))
        return found

    @cached_property
    def _terms(self) -> dict[int, tuple[Term, ...]]:
        return {}

    def parents_of(self, mask: int) -> int:
        """Parents of any member, members among them included."""
        return union(self.parents, mask)

    def outside_parents(self, mask: int) -> int:
        """Parents of the set that are not in it: what its boxes read from elsewhere."""
        return self.parents_of(mask) & ~mask

    def ancestors(self, mask: int, within: int | None = None, cut: int = 0) -> int:
        """The set with its ancestors in the sub-graph on `within`, arrows into `cut` variables removed."""
        space = self.everything if within is None else within
        result = mask & space
        # One sweep against the topological order reaches every ancestor.
        pending = result
        while pending:
            position = pending.bit_length() - 1
            pending ^= 1 << position
            if not cut >> position & 1:
                new = self.parents[position] & space & ~result
                result |= new
                pending |= new
        return result

    def descendants(self, mask: int, within: int | None = None, cut: int = 0) -> int:
        """The set with its descendants in the sub-graph on `within`, arrows into `cut` variables removed."""
        space = self.everything if within is None else within
        result = pending = mask & space
        while pending:
            low = pending & -pending
            pending ^= low
            new = self.children[low.bit_length() - 1] & space & ~cut & ~result
            result |= new
            pending |= new
        return result

    def district(self, position: int, within: int) -> int:
        """The variables of `within` that latent wires hold together with the one at `position`."""
        result = pending = 1 << position
        while pending:
            low = pending & -pending
            pending ^= low
            new = self.siblings[low.bit_length() - 1] & within & ~result
            result |= new
            pending |= new
        return result

    def districts(self, within: int) -> tuple[int, ...]:
        """The partition of `within` into districts, ordered by their first variable."""
        found, rest = [], within
        while rest:
            part = self.district((rest & -rest).bit_length() - 1, within)
            found.append(part)
            rest &= ~part
        return tuple(found)

    def blanket(self, position: int, within: int) -> int:
        """What the variable at `position` depends on among its predecessors in the ancestral set `within`.

        Its district in the sub-graph on predecessors and itself, with the parents of that district (Richardson 2003).
        """
        before = within & ((2 << position) - 1)
        part = self.district(position, before)
        return (part | self.parents_of(part)) & before & ~(1 << position)

    def separated(self, first: int, second: int, given: int, cut: int = 0, cut_out: int = 0) -> bool:
        """m-separation of `first` and `second` by `given`, without edges into `cut` and out of `cut_out`.

        Reachability over (variable, arrived at a head or a tail), all that is new in one step, linear in the graph.
        """
        if first & second & ~given:
            return False
        opened = self._ancestors_cut(given, cut, cut_out)
        at_tail = new_at_tail = first & ~given
        at_head = new_at_head = 0
        while new_at_tail or new_at_head:
            if (new_at_tail | new_at_head) & second & ~given:
                return False
            upward = (new_at_tail & ~given | new_at_head & opened) & ~cut
            downward = (new_at_tail | new_at_head) & ~given & ~cut_out
            new_at_tail = union(self.parents, upward) & ~cut_out & ~at_tail
            new_at_head = (union(self.siblings, upward) | union(self.children, downward)) & ~cut & ~at_head
            at_tail |= new_at_tail
            at_head |= new_at_head
        return True

    def _ancestors_cut(self, mask: int, cut: int, cut_out: int) -> int:
        result = pending = mask
        while pending:
            position = pending.bit_length() - 1
            pending ^= 1 << position
            if not cut >> position & 1:
                new = self.parents[position] & ~cut_out & ~result
                result |= new
                pending |= new
        return result
