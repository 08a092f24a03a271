"""Response types: how the units of a district may answer, coarsened to what the data and the query can tell apart.

In a model over finite variables the mechanism of X is, for one unit, a function from the values of X's parents to a
value of X.  What a unit answers to all of them is its response type; the latent wires of a district say how the types
of its variables go together, and nothing else.  So the unknown is one probability vector over the types of each
district (Balke and Pearl 1997, section 3; Rosset, Gisin, Wolfe 2018 for the number of latent values that suffices).

A `Response` is one argument of one such function, an `Event` a conjunction of responses at values.  Everything the data
say of a district and everything a query asks is the probability of events.  Types are enumerated by asking for
responses only as a question needs them, so a type here is a function restricted to the arguments that matter, and the
questions that share no response fall into components with types of their own, since any coupling of them is allowed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

from ...dsl.diagram import Diagram, Wire, model_diagram
from ..graph import CausalGraph, bits

Response: TypeAlias = tuple[int, tuple[int, ...]]
Event: TypeAlias = tuple[tuple[Response, int], ...]
Type: TypeAlias = Mapping[Response, int]


@dataclass(frozen=True)
class Layout:
    """A causal graph with the labels of its variables and its facets: the sets of variables that one latent reaches.

    `turned` names the variables whose only latent was replaced by arrows from them, which changes nothing observed.
    """

    graph: CausalGraph
    facets: tuple[int, ...]
    labels: tuple[tuple[str, ...], ...]
    turned: tuple[str, ...] = ()

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each variable."""
        return tuple(map(len, self.labels))

    @cached_property
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each variable's parents, in causal order."""
        return tuple(tuple(bits(mask)) for mask in self.graph.parents)

    @cached_property
    def districts(self) -> tuple[int, ...]:
        """The districts of the whole graph."""
        return self.graph.districts(self.graph.everything)

    @cached_property
    def plain(self) -> Diagram:
        """The diagram of the variables alone; a unit is one point of it, so its boxes are functions."""
        names = self.graph.names
        return model_diagram(
            {name: self.graph.members(mask) for name, mask in zip(names, self.graph.parents, strict=True)}
        )

    @cached_property
    def diagram(self) -> Diagram:
        """The diagram with one latent wire a pair of siblings, as the identification algorithms read it."""
        return diagram_of(self.graph)

    def response(self, position: int, values: Mapping[int, int]) -> Response:
        """What is asked of a variable where its parents have the given values."""
        return position, tuple(values[parent] for parent in self.parents[position])

    def free(self, district: int) -> bool:
        """Whether one latent reaches the whole district, so that its types may go together in any way."""
        return district & (district - 1) == 0 or any(district & ~facet == 0 for facet in self.facets)


def layout_of(
    diagram: Diagram, labels: Mapping[str, tuple[str, ...]], fixed: Iterable[str] = (), hidden: Iterable[str] = ()
) -> Layout:
    """The layout of a model's diagram, `hidden` variables among the latent ones.

    `fixed` are the variables that a query or an experiment sets; a root outside them that shares a latent with others
    and has no other latent becomes a parent of those others: whatever the latent tells of it, it tells itself, and it
    is the same in every world (Evans 2016, proposition 5).
    """
    unseen = set(hidden)
    wires = tuple(Wire(wire.name, wire.type, wire.latent or wire.name in unseen) for wire in diagram.wires)
    outputs = tuple(wire for wire in diagram.outputs if not wires[wire].latent)
    shown = Diagram(wires, diagram.boxes, diagram.inputs, outputs)
    graph = CausalGraph.of(shown)
    facets = _facets(shown, graph)
    made = Layout(graph, facets, tuple(labels[name] for name in graph.names))
    held = graph.mask(name for name in fixed if name in graph.index)
    return _turned(made, held)


def _facets(diagram: Diagram, graph: CausalGraph) -> tuple[int, ...]:
    """The largest sets of observed variables that one latent wire reaches through latent wires alone."""
    reach = [0] * len(diagram.wires)
    for number in reversed(diagram.order):
        for wire in diagram.boxes[number].outputs:
            for consumer in diagram.consumers[wire]:
                for child in diagram.boxes[consumer].outputs:
                    seen = diagram.wires[child]
                    reach[wire] |= reach[child] if seen.latent else 1 << graph.index[seen.name]
    groups = {reach[place] for place, wire in enumerate(diagram.wires) if wire.latent and reach[place].bit_count() > 1}
    return tuple(sorted(group for group in groups if not any(group & ~other == 0 for other in groups - {group})))


def _turned(layout: Layout, fixed: int) -> Layout:
    """Roots with one latent only made parents of the variables they share it with, where that frees a district."""
    graph, facets, turned = layout.graph, set(layout.facets), list[str]()
    parents = list(graph.parents)
    for position in range(len(graph.names)):
        around = [facet for facet in facets if facet >> position & 1]
        own = 1 << position
        if len(around) != 1 or parents[position] or fixed & own or layout.free(_district(facets, own)):
            continue
        rest = around[0] & ~own
        facets.remove(around[0])
        facets |= {rest} if rest.bit_count() > 1 and not any(rest & ~other == 0 for other in facets) else set()
        for child in bits(rest):
            parents[child] |= own
        turned.append(graph.names[position])
    return _sorted(layout, parents, facets, tuple(turned)) if turned else layout


def _district(facets: Iterable[int], start: int) -> int:
    found, grown = 0, start
    while found != grown:
        found = grown
        grown = found | sum_of(facet for facet in facets if facet & found)
    return found


def sum_of(masks: Iterable[int]) -> int:
    """The union of masks."""
    result = 0
    for mask in masks:
        result |= mask
    return result


def _sorted(layout: Layout, parents: Sequence[int], facets: Iterable[int], turned: tuple[str, ...]) -> Layout:
    """The layout over changed parents and facets, its variables in causal order again."""
    names = layout.graph.names
    latents = {f"latent {number}": facet for number, facet in enumerate(sorted(facets))}
    above: dict[str, tuple[str, ...]] = dict.fromkeys(latents, ())
    for position, name in enumerate(names):
        shared = [latent for latent, facet in latents.items() if facet >> position & 1]
        above[name] = (*layout.graph.members(parents[position]), *shared)
    diagram = model_diagram(above, set(latents))
    graph = CausalGraph.of(diagram)
    labels = dict(zip(names, layout.labels, strict=True))
    return Layout(graph, _facets(diagram, graph), tuple(labels[name] for name in graph.names), turned)


def diagram_of(graph: CausalGraph, cut: int = 0, hidden: int = 0) -> Diagram:
    """A diagram that projects to the graph, with the `cut` variables as roots and the `hidden` ones latent."""
    names = graph.names
    latents = {
        f"{names[one]}<->{names[other]}": (one, other)
        for one in bits(graph.everything & ~cut)
        for other in bits(graph.siblings[one] & ~cut)
        if one < other
    }
    parents: dict[str, tuple[str, ...]] = dict.fromkeys(latents, ())
    for position, name in enumerate(names):
        shared = [latent for latent, pair in latents.items() if position in pair]
        parents[name] = () if cut >> position & 1 else (*graph.members(graph.parents[position]), *shared)
    return model_diagram(parents, {*latents, *graph.members(hidden)})


# ---------------------------------------------------------------------------------------------------------------------
# Questions


@dataclass(frozen=True, slots=True)
class Question:
    """Which values `members` (in causal order) take together where what they read from outside is `given`."""

    members: tuple[int, ...]
    given: tuple[tuple[int, int], ...]

    def missing(self, layout: Layout, known: Type) -> Response | None:
        """The first response needed and not known; None where the question has its answer."""
        values = dict(self.given)
        for member in self.members:
            response = layout.response(member, values)
            if response not in known:
                return response
            values[member] = known[response]
        return None

    def answer(self, layout: Layout, known: Type) -> tuple[int, ...]:
        """The values of the members."""
        values = dict(self.given)
        for member in self.members:
            values[member] = known[layout.response(member, values)]
        return tuple(values[member] for member in self.members)

    def responses(self, layout: Layout) -> set[Response]:
        """Every response that some type needs."""
        values, inside = dict(self.given), set(self.members)
        found: set[Response] = set()
        for member in self.members:
            choices = [
                range(layout.sizes[parent]) if parent in inside else (values[parent],)
                for parent in layout.parents[member]
            ]
            found.update((member, case) for case in product(*choices))
        return found


def missing_of_event(event: Event, known: Type) -> Response | None:
    """The first response that decides an event and is not known."""
    for response, value in event:
        if response not in known:
            return response
        if known[response] != value:
            return None
    return None


def holds(event: Event, known: Type) -> bool:
    """Whether a type is of the event."""
    return all(known.get(response) == value for response, value in event)


Ask: TypeAlias = Callable[[Type], "Response | None"]


def asks(layout: Layout, questions: Iterable[Question], events: Iterable[Event]) -> tuple[Ask, ...]:
    """Questions and events as functions from what is known of a type to the next response needed."""

    def ask(question: Question) -> Ask:
        return lambda known: question.missing(layout, known)

    def ask_event(event: Event) -> Ask:
        return lambda known: missing_of_event(event, known)

    return (*map(ask, questions), *map(ask_event, events))


def enumerate_types(layout: Layout, asked: Sequence[Ask], most: int) -> tuple[Type, ...] | None:
    """Every type, as far as the questions can tell; None where there are more than `most`."""
    types: list[dict[Response, int]] = [{}]
    for ask in asked:
        done, work = list[dict[Response, int]](), types[::-1]
        while work:
            known = work.pop()
            response = ask(known)
            if response is None:
                done.append(known)
            else:
                sizes = reversed(range(layout.sizes[response[0]]))
                work.extend({**known, response: value} for value in sizes)
            if len(done) + len(work) > most:
                return None
        types = done
    return tuple(types)


def estimate_types(layout: Layout, asked: Sequence[Ask], probes: int = 64) -> float:
    """About how many types there are, from random descents through the tree of questions (Knuth 1975); repeatable."""
    generator, total = random.Random(0), 0.0
    for _ in range(probes):
        known: dict[Response, int] = {}
        weight = 1.0
        for ask in asked:
            while (response := ask(known)) is not None:
                size = layout.sizes[response[0]]
                weight *= size
                known[response] = generator.randrange(size)
        total += weight / probes
    return total
