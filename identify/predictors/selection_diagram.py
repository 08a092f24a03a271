"""Selection diagrams read as graphs: what is stable, what is mutable, and what a predictor of the outcome may rely on.

The mechanisms of the mutable variables M differ between domains, all others are the same everywhere.  So P(y, x_S |
do(x_M)) is the same in every domain, and with it the predictor E[Y | x_S', do(x_M)] of every subset S' of the stable
features S.  Everything here is read off the graph in which the arrows into M are cut.

Two questions are answered.  Which subsets give the same predictor: S' ~ S'' where the outcome is separated from the
rest by a common part; a class is the interval between its Markov boundary T and T + R, and `expand` enumerates the
classes by a recursion that visits fewer than twice as many places as there are classes.  And whether the whole stable
set is minimax by its graph alone (`condition`).

Variables that are no feature are hidden: they are projected out first, as latent ones are.  Source: Liu, Zheng, Sun,
Fang, Wang (ICML 2023), "Which invariance should we transfer?", sections 3 and 4; Richardson and Spirtes (2002),
theorem 4.2, for adjacency by inducing paths, which replaces their exponential tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ...dsl.diagram import Diagram
from ..graph import CausalGraph, bits


@dataclass(frozen=True, slots=True)
class Reached:
    """Where open walks from the outcome arrive: at the tail or at the head of their last edge."""

    tails: int
    heads: int

    @property
    def either(self) -> int:
        """All variables reached."""
        return self.tails | self.heads


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether the whole stable set is minimax by the graph alone.

    `affected` are the mutable variables that answer to the outcome (M0), `downstream` what descends from them without
    being among them (K); `edge` is what lets the predictor depend on these, None where nothing does.
    """

    holds: bool
    edge: str | None
    affected: tuple[str, ...]
    downstream: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvariantClass:
    """All subsets between `boundary` and `boundary + optional` give one predictor, a function of `boundary` and
    `inputs`.

    `inputs` are the mutable variables it depends on.
    """

    boundary: tuple[str, ...]
    optional: tuple[str, ...]
    inputs: tuple[str, ...]

    @property
    def members(self) -> int:
        """The number of subsets."""
        return 1 << len(self.optional)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the enumeration, as masks: features left out for good, and features taken for good."""

    out: int = 0
    taken: int = 0


@dataclass(frozen=True)
class SelectionDiagram:
    """A model's graph with an outcome, stable features and mutable ones.

    `whole` is the graph with every variable, hidden ones too; `graph` its projection on outcome and features.
    """

    diagram: Diagram
    whole: CausalGraph
    graph: CausalGraph
    outcome: str
    stable: tuple[str, ...]
    mutable: tuple[str, ...]

    @staticmethod
    def of(diagram: Diagram, outcome: str, features: Sequence[str], mutable: Sequence[str]) -> SelectionDiagram:
        """The selection diagram of a model in which the mechanisms of `mutable` differ.

        Mutable variables that are no feature are hidden like the rest.
        """
        seen = replace(diagram, wires=tuple(replace(wire, latent=False) for wire in diagram.wires))
        return SelectionDiagram._on(diagram, CausalGraph.of(seen), outcome, features, mutable)

    def restricted(self, features: Sequence[str]) -> SelectionDiagram:
        """The diagram when only some of its features are seen."""
        return SelectionDiagram._on(self.diagram, self.whole, self.outcome, features, self.mutable)

    @staticmethod
    def _on(
        diagram: Diagram, whole: CausalGraph, outcome: str, features: Sequence[str], mutable: Sequence[str]
    ) -> SelectionDiagram:
        graph = whole.without(whole.everything & ~whole.mask((outcome, *features)))
        stable = tuple(name for name in features if name not in mutable)
        return SelectionDiagram(
            diagram, whole, graph, outcome, stable, tuple(name for name in features if name in mutable)
        )

    @cached_property
    def start(self) -> int:
        """The position of the outcome."""
        return self.graph.index[self.outcome]

    @cached_property
    def stable_mask(self) -> int:
        """The stable features."""
        return self.graph.mask(self.stable)

    @cached_property
    def mutable_mask(self) -> int:
        """The mutable features."""
        return self.graph.mask(self.mutable)

    @cached_property
    def _cut(self) -> CausalGraph:
        """The graph without the arrows into mutable features."""
        cut = self.mutable_mask
        parents = [0 if cut >> place & 1 else mask for place, mask in enumerate(self.graph.parents)]
        siblings = [0 if cut >> place & 1 else mask & ~cut for place, mask in enumerate(self.graph.siblings)]
        return CausalGraph(self.graph.names, tuple(parents), tuple(siblings))

    @cached_property
    def _mixed(self) -> CausalGraph:
        """The graph when a domain is drawn at random: all mutable features answer to the draw."""
        mutable = self.mutable_mask
        siblings = [
            mask | (mutable & ~(1 << place) if mutable >> place & 1 else 0)
            for place, mask in enumerate(self.graph.siblings)
        ]
        return CausalGraph(self.graph.names, self.graph.parents, tuple(siblings))

    # -- what the outcome hangs together with

    def reached(self, through: int, opened: int, graph: CausalGraph | None = None) -> Reached:
        """Walks from the outcome whose colliders lie in `opened` and whose other inner variables in `through`."""
        within = graph or self._cut
        tails, heads = within.parents[self.start], within.children[self.start] | within.siblings[self.start]
        went_tails = went_heads = went_colliders = 0
        while True:
            up, down = tails & through & ~went_tails, heads & through & ~(went_heads | went_tails)
            collide = heads & opened & ~(went_colliders | went_tails)
            if not up | down | collide:
                return Reached(tails, heads)
            went_tails |= up
            went_heads |= down
            went_colliders |= collide
            for place in bits(up | collide):
                tails |= within.parents[place]
                heads |= within.siblings[place]
            for place in bits(up | down):
                heads |= within.children[place]

    def relevant(self, taken: int) -> int:
        """What the outcome still depends on, given the taken stable features and all mutable ones."""
        opened = self._cut.ancestors(taken | 1 << self.start)
        reached = self.reached(self.stable_mask & ~taken, opened)
        return reached.either & (taken | self.mutable_mask)

    @cached_property
    def blanket(self) -> tuple[str, ...]:
        """The features that any predictor needs: the boundary of the outcome when domains are drawn at random."""
        features = self.stable_mask | self.mutable_mask
        reached = self.reached(0, self._mixed.ancestors(features | 1 << self.start), self._mixed)
        return self.graph.members(reached.either & features)

    # -- the classes

    def adjacent(self, place: Place) -> int:
        """The features that no set with `taken` in it separates from the outcome once `out` are hidden.

        By inducing paths: inner variables are hidden, or colliders above an end or a taken one.
        """
        left = self.stable_mask & ~(place.out | place.taken)
        opened = self._cut.ancestors(place.taken | 1 << self.start)
        found = self.reached(place.out, opened).either & left
        unsure = self.reached(place.out, self.graph.everything).either & left & ~found
        for feature in bits(unsure):
            bit = 1 << feature
            if self.reached(place.out, opened | self._cut.ancestors(bit)).either & bit:
                found |= bit
        return found

    def expand(self, place: Place) -> InvariantClass | tuple[Place, Place]:
        """The class at a place, or the two places below it."""
        near = self.adjacent(place)
        if not near:
            return self.class_of(place.taken, self.stable_mask & ~(place.out | place.taken))
        # Hiding or taking one neighbour of the outcome leaves the others its neighbours, so one at a time is enough.
        first = near & -near
        return (Place(place.out, place.taken | first), Place(place.out | first, place.taken))

    def class_of(self, boundary: int, optional: int) -> InvariantClass:
        """The class with these masks."""
        inputs = self.relevant(boundary) & self.mutable_mask
        return InvariantClass(self._stable(boundary), self._stable(optional), self._named(inputs, self.mutable))

    def class_with(self, subset: int) -> InvariantClass:
        """The class that a subset of the stable features belongs to."""
        boundary = self.relevant(subset) & self.stable_mask
        others = bits(self.stable_mask & ~boundary)
        optional = [bit for bit in (1 << place for place in others) if self._leaves(boundary, bit)]
        return self.class_of(boundary, sum(optional))

    def _leaves(self, boundary: int, bit: int) -> bool:
        """Whether one more feature leaves the boundary as it is."""
        return self.relevant(boundary | bit) & self.stable_mask == boundary

    def _stable(self, mask: int) -> tuple[str, ...]:
        return self._named(mask, self.stable)

    def _named(self, mask: int, order: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in order if mask >> self.graph.index[name] & 1)

    def classes(self) -> Iterator[InvariantClass]:
        """Every class, lazily; that of the whole stable set first."""
        pending = [Place()]
        while pending:
            found = self.expand(pending.pop())
            if isinstance(found, InvariantClass):
                yield found
            else:
                pending.extend(reversed(found))

    # -- the condition

    @cached_property
    def condition(self) -> Condition:
        """Whether making the affected mechanisms ignore the outcome changes neither the full predictor nor its risk."""
        graph, start = self.graph, self.start
        everything = self.stable_mask | self.mutable_mask
        reached = self.reached(0, self._cut.ancestors(everything | 1 << start))
        answering = graph.children[start] | graph.siblings[start]
        for place in bits(reached.heads & ~self.mutable_mask):
            answering |= graph.siblings[place]
        affected = answering & self.mutable_mask
        below = graph.descendants(affected) & ~affected
        used = reached.either & (affected | below)
        edge = self._edge(used, reached) if used else None
        return Condition(not used, edge, graph.members(affected), graph.members(below))

    def _edge(self, used: int, reached: Reached) -> str:
        """The edge by which the predictor comes to depend on `used`."""
        graph, start = self.graph, self.start
        for masks, arrow in ((graph.children, "->"), (graph.siblings, "<->")):
            near = masks[start] & used & ~self.mutable_mask
            if near:
                return f"{self.outcome} {arrow} {graph.names[bits(near)[0]]}"
        for place in bits(reached.heads & ~self.mutable_mask):
            near = graph.siblings[place] & used
            if near:
                return f"{graph.names[place]} <-> {graph.names[bits(near)[0]]}"
        direct = bits(used & graph.parents[start] or used)[0]
        return f"{graph.names[direct]} -> {self.outcome}"
