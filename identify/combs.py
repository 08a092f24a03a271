"""n-combs: the boxes of a set of variables as one function of what they read, and how one comb yields another.

For a set S of observed variables, Q[S] is what the boxes of S do together: the kernel P(S | do(what S reads from
elsewhere)).  A `Comb` is Q[S] written as teeth in topological order.  A tooth on the variables R has a formula for
P(R | members of S before R, do(..)), a distribution over R at every value of the rest.  The teeth leave holes, into
which the other boxes of the diagram fit.  Two operations are all there is:

- `disintegrate`: from the comb of T to the comb of a district S of T.  Because every conditional of T factorises over
  its districts, the teeth of S are those of T that lie in S; a tooth that lies partly in S is itself disintegrated.
- `discard`: from the comb of T to the comb of an ancestral subset A of T, by summing out the rest.

Every conditional is formed from the current comb, never from the joint distribution: that is the slip that makes other
tools wrong on the napkin graph.

Sources: Jacobs, Kissinger, Zanasi (2018), section 5 (2-combs); Tian and Pearl (2002), lemmas 3 and 4 (there:
Q-factors).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..dsl.formula import Formula, Kernel, free_variables, product, ratio, sum_over, terms
from .derivation import OBSERVED, Source
from .graph import CausalGraph, bits


@dataclass(frozen=True, slots=True)
class Tooth:
    """One tooth: the mask of the variables it puts out, and its formula."""

    outputs: int
    formula: Formula


@dataclass(frozen=True)
class Comb:
    """Q[members] as teeth in topological order; `domain` names the source whose mechanisms it is made of, if others."""

    members: int
    teeth: tuple[Tooth, ...]
    domain: str | None = None

    @cached_property
    def formula(self) -> Formula:
        """The product of the teeth."""
        return product(tooth.formula for tooth in self.teeth)


def surgery_kernel(graph: CausalGraph, members: int, domain: str | None = None) -> Kernel:
    """Q[members] as a kernel: what its boxes do when all they read from elsewhere is set from outside."""
    return Kernel(graph.terms(members), (), graph.terms(graph.outside_parents(members)), domain)


def disintegrate_joint(graph: CausalGraph, within: int, district: int, source: Source = OBSERVED) -> Comb:
    """The comb of a district of the ancestral set `within`, from the joint distribution of `within` in the source.

    Each variable's tooth is its conditional given its predecessors, of which only its blanket matters.
    """
    teeth = (
        Tooth(1 << position, _conditional(graph, position, graph.blanket(position, within), source))
        for position in bits(district)
    )
    return Comb(district, tuple(teeth), source.name if source.differs else None)


def _conditional(graph: CausalGraph, position: int, given: int, source: Source) -> Kernel:
    return Kernel(graph.terms(1 << position), graph.terms(given), terms(source.do), source.name)


def disintegrate(graph: CausalGraph, comb: Comb, district: int) -> Comb:
    """The comb of a district of the sub-graph on the comb's members."""
    teeth: list[Tooth] = []
    for tooth in comb.teeth:
        if tooth.outputs & ~district == 0:
            teeth.append(tooth)
        elif tooth.outputs & district:
            teeth.extend(_split(graph, tooth, district))
    return Comb(district, tuple(teeth), comb.domain)


def _split(graph: CausalGraph, tooth: Tooth, district: int) -> Iterable[Tooth]:
    """The parts of a tooth that lie in the district: each run of its variables conditioned on those before."""
    before = 0
    for run in runs(district & tooth.outputs, tooth.outputs):
        before = tooth.outputs & ((run & -run) - 1)
        after = tooth.outputs & ~before & ~run
        above = sum_over(graph.members(after), tooth.formula)
        below = sum_over(graph.members(after | run), tooth.formula)
        yield Tooth(run, ratio(above, below) if before else above)


def runs(chosen: int, among: int) -> tuple[int, ...]:
    """The maximal runs of `chosen` variables that follow one another in `among`, as masks."""
    found: list[int] = []
    current = 0
    for position in bits(among):
        if chosen >> position & 1:
            current |= 1 << position
        elif current:
            found.append(current)
            current = 0
    return (*found, current) if current else tuple(found)


def discard(graph: CausalGraph, comb: Comb, ancestral: int) -> Comb:
    """The comb of an ancestral subset of the comb's members."""
    gone = comb.members & ~ancestral
    kept = _without_dead_teeth(graph, comb.teeth, gone)
    teeth = [_merge(graph, group, gone) for group in _groups(graph, kept, gone)]
    return Comb(ancestral, tuple(teeth), comb.domain)


def mentioned(graph: CausalGraph, formula: Formula) -> int:
    """The mask of the variables a formula is a function of."""
    return graph.mask(free_variables(formula))


def _without_dead_teeth(graph: CausalGraph, teeth: Sequence[Tooth], gone: int) -> list[Tooth]:
    """Teeth without those that put out only discarded variables which no later tooth reads: they sum to one."""
    kept: list[Tooth] = []
    needed = 0
    for tooth in reversed(teeth):
        if tooth.outputs & ~gone or tooth.outputs & needed:
            kept.append(tooth)
            needed |= mentioned(graph, tooth.formula)
    return kept[::-1]


def _groups(graph: CausalGraph, teeth: Sequence[Tooth], gone: int) -> Iterable[list[Tooth]]:
    """Stretches of teeth that a discarded variable ties together, from the tooth that makes it to the last that reads
    it.
    """
    masks = [mentioned(graph, tooth.formula) for tooth in teeth]
    group: list[Tooth] = []
    last = -1
    for place, tooth in enumerate(teeth):
        if group and place > last:
            yield group
            group = []
        group.append(tooth)
        for position in bits(tooth.outputs & gone):
            readers = [later for later in range(place, len(teeth)) if masks[later] >> position & 1]
            last = max(last, *readers, place)
    if group:
        yield group


def _merge(graph: CausalGraph, group: Sequence[Tooth], gone: int) -> Tooth:
    """One tooth for a group, its discarded variables summed out; factors that do not mention them stay in front."""
    outputs = 0
    for tooth in group:
        outputs |= tooth.outputs
    summed = outputs & gone
    if not summed:
        return group[0]
    inside = [tooth.formula for tooth in group if mentioned(graph, tooth.formula) & summed]
    outside = [tooth.formula for tooth in group if not mentioned(graph, tooth.formula) & summed]
    body = sum_over(graph.members(summed), product(inside))
    return Tooth(outputs & ~gone, product((*outside, body)))
