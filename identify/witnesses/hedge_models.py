"""Two models from a hedge: parities on its forests, carried from the roots to the outcomes.

A hedge is two sets of variables, `smaller` inside `larger`, each held together by latent wires, each leading to the
same roots, only the larger meeting what is set. Take a tree of latent coins over `smaller` and extend it over `larger`;
let every variable but the roots pass its sign on to one child in the set. In the first model every variable of the
larger set leans towards the product of its coins and of what it is passed: one term of the distribution survives, the
product of the roots, in which each coin occurs twice. In the second the smaller set ignores the rest, and the same term
survives, weighted alike. Surgery on the larger set kills the term in the first model alone.

From the roots signs travel on to the outcomes along directed paths outside the hedge; where such a path runs back into
the smaller set, the variable it meets takes the sign in (re-embedding), and the root is passed on like any other.

Where another domain has another mechanism for a member of the smaller set, that mechanism is pure noise there: every
coin of the tree is then read once somewhere, no term survives in either model, and the domain says nothing of the set.

Sources: Shpitser and Pearl (2006), theorem 4, for parities on a hedge; the hedge is made small first.  Bareinboim and
Pearl (2012), "Transportability of causal effects: completeness results", for domains that differ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...dsl.diagram import Diagram
from ..derivation import Source
from ..graph import CausalGraph, bits
from ..hedge import roots
from .characters import Character, Signal, SignModel, Wiring
from .model_pair import ConcreteModel, NoWitness

Pair = tuple[ConcreteModel, ConcreteModel]
SINGLES = 32


@dataclass(frozen=True, slots=True)
class Cut:
    """What an available distribution sets, and of which variables it is silent: those, and those that differ there."""

    done: int = 0
    silent: int = 0


OBSERVED_CUT = Cut()


def cuts_of(graph: CausalGraph, sources: Iterable[Source]) -> tuple[Cut, ...]:
    """The distinct cuts of the sources."""
    masks = ((graph.mask(source.do), graph.mask(source.differs)) for source in sources)
    return tuple(dict.fromkeys(Cut(done, done | differs) for done, differs in masks))


# ---------------------------------------------------------------------------------------------------------------------
# Small hedges


def closure(graph: CausalGraph, kernel: int, within: int) -> int:
    """The largest set around `kernel` inside `within` that is one district and leads to `kernel`."""
    first = (kernel & -kernel).bit_length() - 1
    members = within
    while True:
        part = graph.district(first, graph.ancestors(kernel, members))
        if part == members or kernel & ~part:
            return part
        members = part


def small_hedges(
    graph: CausalGraph, outcomes: int, do: int, cuts: Sequence[Cut] = (OBSERVED_CUT,), preferred: int = 0
) -> Iterator[tuple[int, int]]:
    """Hedges (larger, smaller) of an effect, made small: around single variables first, then around whole districts.

    A set of which every available distribution is silent, since each sets a member or has another mechanism for one,
    spans a hedge by itself.  `preferred` is a smaller set known to span one.
    """
    left = graph.ancestors(outcomes, graph.everything & ~do)
    parts = [part for part in graph.districts(left) if not reachable(graph, part, cuts)]
    parts.sort(key=lambda part: part != preferred)
    found: dict[tuple[int, int], None] = {}
    for part in parts:
        singles = [1 << place for place in bits(part)][-SINGLES:]
        for one in (*singles, _thinned(graph, part, do, cuts)):
            larger = _span(graph, one, do, cuts)
            if larger:
                found[_shrunk(graph, larger, one, do), one] = None
    yield from sorted(found, key=lambda pair: (pair[0].bit_count(), pair[1].bit_count(), pair))


def reachable(graph: CausalGraph, part: int, cuts: Sequence[Cut]) -> bool:
    """Whether a district's effect can be had from a distribution that is silent of none of it."""
    return any(not cut.silent & part and closure(graph, part, graph.everything & ~cut.done) == part for cut in cuts)


def _span(graph: CausalGraph, smaller: int, do: int, cuts: Sequence[Cut]) -> int:
    """A set around the smaller one that meets what is set and that no distribution cuts unless silent of that; or 0."""
    heard = [cut.done for cut in cuts if not cut.silent & smaller]
    if not heard:
        return smaller
    avoided = 0
    for cut in heard:
        avoided |= cut
    larger = closure(graph, smaller, graph.everything & ~avoided)
    return larger if larger & do else 0


def _thinned(graph: CausalGraph, smaller: int, do: int, cuts: Sequence[Cut]) -> int:
    """A part of the smaller set from which no variable can be left out."""
    changed = True
    while changed:
        changed = False
        for place in bits(smaller):
            parts = graph.districts(smaller & ~(1 << place))
            kept = next((part for part in parts if _span(graph, part, do, cuts)), 0)
            if kept:
                smaller, changed = kept, True
                break
    return smaller


def _shrunk(graph: CausalGraph, larger: int, smaller: int, do: int) -> int:
    """A part of the larger set around the smaller from which no variable can be left out."""
    changed = True
    while changed:
        changed = False
        for place in bits(larger & ~smaller):
            part = closure(graph, smaller, larger & ~(1 << place))
            if part & do:
                larger, changed = part, True
                break
    return larger


# ---------------------------------------------------------------------------------------------------------------------
# Trees, forests, paths


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What the two models use of the graph: coins between siblings, and to whom each variable passes its sign."""

    larger: int
    smaller: int
    inner: tuple[tuple[int, int], ...]
    outer: tuple[tuple[int, int], ...]
    passes: Mapping[int, int]


def skeleton(graph: CausalGraph, larger: int, smaller: int, do: int, targets: int) -> Skeleton | None:
    """The trees, forests and paths of a hedge; None where a path to the targets must run through its larger part."""
    passes = _forest(graph, larger, smaller)
    base = roots(graph, smaller)
    onward = _onward(graph, larger | do, smaller, targets)
    pending = base & ~targets
    while pending:
        place = (pending & -pending).bit_length() - 1
        pending &= pending - 1
        if place in passes:
            continue
        if place not in onward:
            return None
        child = passes[place] = onward[place]
        if not (smaller | targets) >> child & 1:
            pending |= 1 << child
    inner = tuple(_tree(graph, smaller, smaller & -smaller))
    return Skeleton(larger, smaller, inner, tuple(_tree(graph, larger, smaller)), passes)


def _tree(graph: CausalGraph, members: int, start: int) -> Iterator[tuple[int, int]]:
    """Pairs of siblings that join `start` to the rest of a district, spread over many variables where possible."""
    reached, degree = start, dict.fromkeys(bits(members), 0)
    while reached != members:
        pairs = [(one, other) for one in bits(reached) for other in bits(graph.siblings[one] & members & ~reached)]
        one, other = min(pairs, key=lambda pair: (degree[pair[0]], pair))
        degree[one] += 1
        degree[other] += 1
        reached |= 1 << other
        yield one, other


def _forest(graph: CausalGraph, larger: int, smaller: int) -> dict[int, int]:
    """For every member but the roots a child in the larger set, in the smaller for members of that."""
    passes: dict[int, int] = {}
    load = dict.fromkeys(bits(larger), 0)
    for place in reversed(list(bits(larger))):
        children = graph.children[place] & (smaller if smaller >> place & 1 else larger)
        if children:
            child = min(bits(children), key=lambda one: (load[one], one))
            passes[place] = child
            load[child] += 1
    return passes


def _onward(graph: CausalGraph, avoided: int, smaller: int, targets: int) -> dict[int, int]:
    """The next stop on a shortest way to a target or back into the smaller set; avoided variables are not passed."""
    ends = (targets & ~avoided) | smaller
    found: dict[int, int] = {}
    distance = dict.fromkeys(bits(ends), 0)
    queue = deque(bits(ends))
    while queue:
        child = queue.popleft()
        for parent in bits(graph.parents[child]):
            if parent not in found and (ends | ~avoided) >> parent & 1:
                found[parent] = child
                if parent not in distance:
                    distance[parent] = distance[child] + 1
                    queue.append(parent)
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Models


def hedge_pair(
    graph: CausalGraph, diagram: Diagram, shape: Skeleton, labels: Mapping[str, tuple[str, ...]], rows: int = 1 << 16
) -> Pair | NoWitness:
    """The two models of a skeleton, different in the tables of the smaller set alone; a refusal beyond `rows`."""
    weight = _weight(len(shape.passes) + shape.larger.bit_count())
    build = _Builder(graph, Wiring(diagram, weight), weight)
    coins = [build.coin(pair) for pair in (*shape.inner, *shape.outer)]
    carried = {place: build.passed(place, child) for place, child in sorted(shape.passes.items())}
    members, inside = set(bits(shape.larger)), set(bits(shape.smaller))
    if members == inside:
        # Every distribution cuts the set: in the first model it is noise.
        first = build.characters(set(), (), {place: one for place, one in carried.items() if one[0] not in inside})
    else:
        first = build.characters(members, coins, carried)
    own = {place: one for place, one in carried.items() if place not in members or place in inside}
    second = first | build.characters(inside, coins[: len(shape.inner)], own)
    # The term that survives in the first model has these factors more.
    extra = weight ** len(members - inside)
    for _, _, correlation in coins[len(shape.inner) :]:
        extra *= correlation
    for place in members - inside:
        extra *= carried[place][2]
    last = graph.names[max(inside)]
    second[last] = tuple(Character(part.weight * extra, part.signals) for part in second[last])
    one, other = SignModel(build.wiring, labels, first), SignModel(build.wiring, labels, second)
    most = one.most_rows()
    if most > rows:
        return NoWitness(f"a table of the parities would have {most:,} rows; models are built up to {rows:,}")
    return one.concrete("First"), other.concrete("Second")


def _weight(roles: int) -> Fraction:
    """How far each variable leans: the more factors the surviving term has, the closer to one."""
    scale = 4
    while scale < 2 * roles:
        scale *= 2
    return Fraction(scale - 1, scale)


Coin = tuple[tuple[int, Signal], tuple[int, Signal], Fraction]


class _Builder:
    """Turns pairs of siblings and passed signs into characters over one wiring."""

    def __init__(self, graph: CausalGraph, wiring: Wiring, weight: Fraction) -> None:
        self.graph = graph
        self.wiring = wiring
        self.weight = weight

    def coin(self, pair: tuple[int, int]) -> Coin:
        """A coin that two siblings share."""
        first, second, correlation = self.wiring.shared(*(self.graph.names[place] for place in pair))
        return (pair[0], first), (pair[1], second), correlation

    def passed(self, place: int, child: int) -> tuple[int, Signal, Fraction]:
        """The sign of one variable as the child it is passed to reads it."""
        signal, correlation = self.wiring.carried(self.graph.names[place], self.graph.names[child])
        return child, signal, correlation

    def characters(
        self, members: set[int], coins: Iterable[Coin], carried: Mapping[int, tuple[int, Signal, Fraction]]
    ) -> dict[str, tuple[Character, ...]]:
        """One character a variable: for members and for those that are passed a sign."""
        signals: dict[int, list[Signal]] = {place: [] for place in members}
        for first, second, _ in coins:
            for place, signal in (first, second):
                signals[place].append(signal)
        for child, signal, _ in carried.values():
            signals.setdefault(child, []).append(signal)
        return {
            self.graph.names[place]: (Character(self.weight, tuple(found)),) for place, found in sorted(signals.items())
        }
