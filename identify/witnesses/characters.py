"""Models of signs: every observed variable is a sign that leans towards products of other signs.

A variable has the sign +1 at its first label, -1 at its second, and so on in turn; given the sign, its label is
uniform.  A `Character` is a weight times a product of signals; the chance that a variable's sign is s is (1 + s f) / 2,
where f is the sum of its characters.  A latent variable is a tuple of bits: each is a fair coin, or a noisy copy of a
signal above, so that a latent variable may pass on what its own causes say.  Weights below one keep every entry above
zero.

In such a model the distribution of signs is a sum over sets A of variables of the product over A of each sign and one
of its characters; a coin that occurs an odd number of times makes the term vanish (Fourier analysis on the cube).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from ...dsl.diagram import Diagram
from .model_pair import ConcreteModel, ProbabilityTable

HALF = Fraction(1, 2)
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True, order=True)
class Signal:
    """The sign of an observed variable (`bit` is -1), or one bit of a latent variable."""

    wire: str
    bit: int = -1


@dataclass(frozen=True, slots=True)
class Character:
    """A weight times the product of signals."""

    weight: Fraction
    signals: tuple[Signal, ...] = ()


class Wiring:
    """The bits of the latent variables of a diagram, added as they are asked for.

    `fidelity` is the correlation of a copied bit with its origin.
    """

    def __init__(self, diagram: Diagram, fidelity: Fraction) -> None:
        self.diagram = diagram
        self.fidelity = fidelity
        names = [wire.name for wire in diagram.wires]
        self.latent = {wire.name for wire in diagram.wires if wire.latent}
        self.inputs = {names[box.outputs[0]]: [names[wire] for wire in box.inputs] for box in diagram.boxes}
        self.rank = {names[diagram.boxes[box].outputs[0]]: place for place, box in enumerate(diagram.order)}
        self.bits: dict[str, list[Signal | None]] = {name: [] for name in names if name in self.latent}

    def shared(self, first: str, second: str) -> tuple[Signal, Signal, Fraction]:
        """A fair coin that both variables read, as each reads it, and the correlation of the two readings."""
        left, right = self._above(first), self._above(second)
        # Below the last common cause the two ways down are disjoint.
        origin = max(left.keys() & right.keys(), key=lambda name: self.rank[name])
        coin = self._add(origin, None)
        ends = [self._down(coin, origin, way, end) for way, end in ((left, first), (right, second))]
        return ends[0][0], ends[1][0], ends[0][1] * ends[1][1]

    def carried(self, parent: str, child: str) -> tuple[Signal, Fraction]:
        """The sign of an observed cause as the variable reads it: directly, or through latent variables between."""
        if parent in self.inputs[child]:
            return Signal(parent), Fraction(1)
        way = self._above(child)
        start = min((name for name in way if parent in self.inputs[name]), key=lambda name: self.rank[name])
        return self._down(self._add(start, Signal(parent)), start, way, child, self.fidelity)

    def _above(self, name: str) -> dict[str, str]:
        """Each latent variable with a latent way down to `name`, and the next stop on a shortest one."""
        found: dict[str, str] = {}
        queue = deque([name])
        while queue:
            below = queue.popleft()
            for above in self.inputs[below]:
                if above in self.latent and above not in found:
                    found[above] = below
                    queue.append(above)
        return found

    def _add(self, latent: str, copied: Signal | None) -> Signal:
        self.bits[latent].append(copied)
        return Signal(latent, len(self.bits[latent]) - 1)

    def _down(
        self, signal: Signal, start: str, way: Mapping[str, str], end: str, correlation: Fraction = Fraction(1)
    ) -> tuple[Signal, Fraction]:
        """Copy a bit from latent variable to latent variable until `end` reads it."""
        here = way[start]
        while here != end:
            signal, correlation, here = self._add(here, signal), correlation * self.fidelity, way[here]
        return signal, correlation

    def latent_labels(self, name: str) -> tuple[str, ...]:
        """The states of a latent variable: two of an unused one, else one a combination of its bits."""
        return tuple(map(str, range(2 ** max(1, len(self.bits[name])))))


@dataclass
class SignModel:
    """The characters of each observed variable over a wiring; variables without any are uniform noise."""

    wiring: Wiring
    labels: Mapping[str, tuple[str, ...]]
    characters: dict[str, tuple[Character, ...]] = field(default_factory=dict)

    def concrete(self, name: str) -> ConcreteModel:
        """The tables of every variable."""
        diagram = self.wiring.diagram
        labels = {
            wire.name: self.wiring.latent_labels(wire.name) if wire.latent else self.labels[wire.name]
            for wire in diagram.wires
        }
        tables = {
            wire.name: self._latent(wire.name, labels) if wire.latent else self._observed(wire.name, labels)
            for wire in diagram.wires
        }
        return ConcreteModel(name, diagram, labels, tables)

    def most_rows(self) -> int:
        """The rows of the longest table."""
        sizes = {name: 2 ** max(1, len(bits)) for name, bits in self.wiring.bits.items()}
        sizes |= {name: len(labels) for name, labels in self.labels.items()}
        reads = [{signal.wire for part in own for signal in part.signals} for own in self.characters.values()]
        return max((math.prod(sizes[name] for name in names) for names in (*reads, *self._latent_reads())), default=1)

    def _latent_reads(self) -> list[set[str]]:
        """Each latent variable with what its bits copy: the states of it count as entries of a row."""
        return [{name, *(bit.wire for bit in bits if bit is not None)} for name, bits in self.wiring.bits.items()]

    def _observed(self, name: str, labels: Mapping[str, tuple[str, ...]]) -> ProbabilityTable:
        own = self.characters.get(name, ())
        return sign_table(name, self._reads(name, (s for part in own for s in part.signals)), own, labels)

    def _reads(self, name: str, signals: Iterable[Signal]) -> tuple[str, ...]:
        used = {signal.wire for signal in signals}
        return tuple(dict.fromkeys(wire for wire in self.wiring.inputs[name] if wire in used))

    def _latent(self, name: str, labels: Mapping[str, tuple[str, ...]]) -> ProbabilityTable:
        bits = self.wiring.bits[name] or [None]
        reads = self._reads(name, (bit for bit in bits if bit is not None))
        rows = []
        for values in product(*(range(len(labels[parent])) for parent in reads)):
            state = dict(zip(reads, values, strict=True))
            leans = [ZERO if bit is None else self.wiring.fidelity * sign(bit, state) for bit in bits]
            rows.append(tuple(_chance(leans, place) for place in range(len(labels[name]))))
        return ProbabilityTable(reads, tuple(rows))


def sign(signal: Signal, state: Mapping[str, int]) -> int:
    """The sign of a signal where variables stand at the given places of their labels."""
    place = state[signal.wire]
    return -1 if (place if signal.bit < 0 else place >> signal.bit) & 1 else 1


def _chance(leans: Sequence[Fraction], place: int) -> Fraction:
    chance = Fraction(1)
    for bit, lean in enumerate(leans):
        chance *= (1 - lean if place >> bit & 1 else 1 + lean) / 2
    return chance


def sign_table(
    name: str, reads: tuple[str, ...], characters: Sequence[Character], labels: Mapping[str, tuple[str, ...]]
) -> ProbabilityTable:
    """The table of a variable with the given characters, reading the given parents."""
    rows = []
    for values in product(*(range(len(labels[parent])) for parent in reads)):
        state = dict(zip(reads, values, strict=True))
        lean = ZERO
        for part in characters:
            term = part.weight
            for signal in part.signals:
                term *= sign(signal, state)
            lean += term
        rows.append(spread(lean, len(labels[name])))
    return ProbabilityTable(reads, tuple(rows))


def spread(lean: Fraction, count: int) -> tuple[Fraction, ...]:
    """The chances of `count` labels whose sign leans by `lean`: uniform among the labels of one sign."""
    if count == 1:
        return (Fraction(1),)
    return tuple((1 - lean if place & 1 else 1 + lean) / 2 / _of_sign(count, place & 1) for place in range(count))


def _of_sign(count: int, odd: int) -> int:
    return count // 2 if odd else (count + 1) // 2
