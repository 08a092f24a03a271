"""The canonical form of a latent model of several domains, interventions last, as rewrites of its diagram.

Zhou, Bai, Kulinski, Kocaoglu, Inouye, "Towards Characterizing Domain Counterfactuals For Invertible Latent Causal
Models" (ICLR 2024): every invertible latent model has a counterfactually equivalent one in which only its last latents
are intervened on, and in which the first domain's map is the identity.  Four moves lead there, each of the form
g' = g h1^-1, f'_d = h1 f_d h2 with maps h1, h2 that no domain changes, so that every T_{d->e} stays what it is:

    absorb     v not intervened on: h1 recovers v's noise by its shared mechanism, and every child reads what v read and
               v's noise in place of v; v becomes a root
    swap       two neighbours of which neither reads the other change places, and so do their noises
    normalise  h1 is the inverse of the first domain's map: every latent becomes the noise that made it there
    rotate     noises and latents are turned by one orthogonal map, so that fewer latents are intervened on

Absorbing an intervened latent is not legal, since h1 would depend on the domain.  The moves are read off the diagram
alone; where the model has numbers, each is carried out on them as well and checked (`canonical_check.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...dsl.diagram import Box, Diagram, model_diagram
from ..derivation import Derivation, LawKept, Rewrite, Rule, Shared, Unread

SOURCE = "Zhou et al. (ICLR 2024)"
ABSORB = Rule("absorb", "a shared mechanism slides through the copy into every box that reads it", SOURCE)
SWAP = Rule("swap", "boxes of which neither reads the other change places (interchange law)", SOURCE)
NORMALISE = Rule("normalise", "all domains are precomposed with the inverse of the first one's map", SOURCE)
ROTATE = Rule("rotate", "noises are turned by one orthogonal map, and latents back, in all domains", "this library")
RELABEL = Rule("relabel", "states of all noises are renamed by one permutation, and latents back", "this library")
STAR = "*"


@dataclass(frozen=True)
class Sketch:
    """What the moves read: the latents in order with what each reads, what is seen with what it reads, and which
    latents some domain changes.
    """

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    parents: Mapping[str, tuple[str, ...]]
    intervened: frozenset[str]
    domains: tuple[str, ...]

    def diagram(self) -> Diagram:
        """The string diagram, with a star at the boxes that differ between domains."""
        order = [*self.latents, *(name for name in self.observed if name not in self.latents)]
        parents = {name: self.ordered(self.parents[name]) for name in order}
        plain = model_diagram(parents, [name for name in self.latents if name not in self.observed], self.observed)
        return replace(plain, boxes=tuple(map(self._starred, plain.boxes)))

    def _starred(self, box: Box) -> Box:
        return replace(box, name=box.name + STAR) if box.name in self.intervened else box

    def ordered(self, names: Sequence[str]) -> tuple[str, ...]:
        """Latents in this order of them."""
        return tuple(sorted(names, key=self.latents.index))

    def children(self, name: str) -> tuple[str, ...]:
        """What reads a latent."""
        return tuple(child for child, read in self.parents.items() if name in read)

    def ancestors(self, names: Sequence[str]) -> tuple[str, ...]:
        """The latents that some of these depend on, themselves included, in order."""
        found, waiting = set[str](), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.parents[name])
        return self.ordered(tuple(found))


@dataclass(frozen=True)
class Moved:
    """A move: the rewrite, the sketch it leads to, and what it is about (latents by name)."""

    rewrite: Rewrite
    sketch: Sketch
    about: tuple[str, ...] = field(default=())


def absorb(sketch: Sketch, name: str) -> Moved:
    """Absorb a latent that no domain changes.  Raises `ValueError` where some domain does."""
    if name in sketch.intervened:
        raise ValueError(f"{name} differs between domains")
    own = sketch.parents[name]
    parents = {
        child: tuple(dict.fromkeys([*read, *own])) if name in read else read for child, read in sketch.parents.items()
    }
    after = replace(sketch, parents={**parents, name: ()})
    because = (Shared((name,), sketch.domains),)
    return Moved(Rewrite(ABSORB, sketch.diagram(), after.diagram(), because), after, (name,))


def swap(sketch: Sketch, place: int) -> Moved:
    """Let the latents at `place` and `place + 1` change places.  Raises `ValueError` where the second reads the
    first."""
    first, second = sketch.latents[place : place + 2]
    if first in sketch.parents[second]:
        raise ValueError(f"{second} reads {first}")
    order = (*sketch.latents[:place], second, first, *sketch.latents[place + 2 :])
    after = replace(sketch, latents=order)
    return Moved(Rewrite(SWAP, sketch.diagram(), after.diagram(), (Unread(second, first),)), after, (first, second))


def normalise(sketch: Sketch, rename: Mapping[str, str], reads: Mapping[str, tuple[str, ...]] | None = None) -> Moved:
    """Precompose with the inverse of the first domain's map; latents get new names, since they are noises now.

    On a diagram alone a latent reads what may reach it: the ancestors of what it read.  With numbers, `reads` (by the
    new names) tells what it does read, which is never more.
    """
    most = {
        name: () if name not in sketch.intervened and name in sketch.latents else _above(sketch, name)
        for name in sketch.parents
    }
    parents = {
        rename.get(name, name): tuple(rename[read] for read in above if rename[read] != rename.get(name, name))
        for name, above in most.items()
    }
    after = replace(
        sketch,
        latents=tuple(rename[name] for name in sketch.latents),
        parents=parents if reads is None else dict(reads),
        intervened=frozenset(rename[name] for name in sketch.intervened),
    )
    moving = tuple(name for name in sketch.latents if name not in sketch.intervened)
    because = (Shared(moving, sketch.domains),) if moving else ()
    return Moved(Rewrite(NORMALISE, sketch.diagram(), after.diagram(), because), after)


def _above(sketch: Sketch, name: str) -> tuple[str, ...]:
    return sketch.ancestors(sketch.parents[name])


def turn(sketch: Sketch, rule: Rule, after: Sketch, how: str) -> Moved:
    """A change of all coordinates at once, towards a sketch that the numbers give."""
    return Moved(Rewrite(rule, sketch.diagram(), after.diagram(), (LawKept(how),)), after)


# ---------------------------------------------------------------------------------------------------------------------
# The derivation


def moves(sketch: Sketch) -> Iterator[Moved]:
    """The moves that put interventions last: absorb what reads and is not intervened on, then swap neighbours."""
    for name in sketch.latents:
        if name not in sketch.intervened and sketch.parents[name]:
            moved = absorb(sketch, name)
            yield moved
            sketch = moved.sketch
    while (place := _inversion(sketch)) is not None:
        moved = swap(sketch, place)
        yield moved
        sketch = moved.sketch


def _inversion(sketch: Sketch) -> int | None:
    """The first place where an intervened latent stands right before one that is not."""
    for place, (first, second) in enumerate(zip(sketch.latents, sketch.latents[1:], strict=False)):
        if first in sketch.intervened and second not in sketch.intervened:
            return place
    return None


def new_names(latents: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Names for the noises of latents: `U_Z1` for Z1, with more letters where that is taken."""
    found: dict[str, str] = {}
    for name in latents:
        new = name if name.startswith("U_") else f"U_{name}"
        while new in taken or new in found.values():
            new += "_"
        found[name] = new
    return found


def derivation(moved: Sequence[Moved]) -> Derivation:
    """The rewrites of some moves."""
    return Derivation(rewrites=tuple(move.rewrite for move in moved))
