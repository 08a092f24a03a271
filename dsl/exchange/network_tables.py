"""The probabilities of a network, whatever its format: checked against the values of their variables, made to sum to
one, and what was adjusted or missing told.

Readers of the formats hand over numbers as text, so that nothing is lost between a file and an exact rational.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Protocol

from ..builder import MAX_EXPONENT
from ..diagnostics import SutureError, did_you_mean
from ..probabilities import FLOATING, settled
from ..probability_tables import NotADistribution, Numbers, numbers_of_rows
from ..scope import count
from ..source import Span
from .graph import Case, Distribution, Draft, listed
from .reading import Word, together

NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE]([+-]?\d{1,6}))?")
PLAIN = re.compile(r"0(?:\.\d{0,400})?(?:[eE]-?\d\d?)?|1(?:\.0{0,400})?")
SHOWN = 40


class Written(Protocol):
    """Numbers as they stand in a text, and where."""

    @property
    def numbers(self) -> Sequence[str]:
        """The numbers, each as text."""
        ...

    @property
    def span(self) -> Span:
        """Their place."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """Numbers with the place they were read from."""

    numbers: Sequence[str]
    span: Span


def short(text: str) -> str:
    """A piece of text for a message, cut where it is long."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class Tables:
    """The distributions of a network as they are read, once its variables are known."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.rounded: dict[str, float] = {}
        self.given: set[str] = set()

    def labels(self, name: str) -> tuple[str, ...]:
        """The values of a variable; none where the text gave none."""
        return self.draft.nodes[name].labels or ()

    def start(self, child: Word, parents: Sequence[Word]) -> None:
        """Refuse unknown names (S104), a name twice (S101) and a variable whose probabilities came before (S212)."""
        for place, name in enumerate((child, *parents)):
            if name.text not in self.draft.nodes:
                text = f"unknown variable '{short(name.text)}' in this network"
                raise self.draft.refuse(
                    "S104", text, name.span, "not declared", did_you_mean(name.text, self.draft.nodes)
                )
            if name.text in [parent.text for parent in parents[: max(place - 1, 0)]]:
                raise self.draft.refuse("S101", f"{name.text} is named twice", name.span, "again")
        if child.text in self.given:
            raise self.draft.refuse("S212", f"the probabilities of {child.text} are given twice", child.span, "again")
        self.given.add(child.text)

    def take(self, child: Word, parents: Sequence[Word], cases: tuple[Case, ...] | Numbers | None) -> None:
        """Take the distribution of a variable; without numbers, its arrows alone."""
        if cases:
            names = tuple(parent.text for parent in parents)
            self.draft.distributions[child.text] = Distribution(names, cases, child.span)
        for parent in parents:
            self.draft.arrow(parent.text, child.text, together(child.span, parent.span))

    def finish(self) -> None:
        """Note what was missing, and how far rows were from one."""
        missing = [name for name in self.draft.nodes if name not in self.draft.distributions]
        if missing and self.draft.distributions:
            self.draft.notes.append(f"no probabilities are given for {listed(missing)}")
        if self.rounded:
            worst = max(self.rounded.values())
            text = f"rows of {listed(self.rounded)} sum to 1 only within {worst:.1g}; they were adjusted to sum to 1"
            self.draft.notes.append(text)

    # -- numbers

    def readable(self, written: Written) -> None:
        """Refuse what is no number (S017), or no probability (S207)."""
        if all(map(PLAIN.fullmatch, written.numbers)):
            return
        for number in written.numbers:
            match = NUMBER.fullmatch(number)
            if match is None or abs(int(match.group(1) or 0)) > MAX_EXPONENT:
                text = f"'{short(number)}' is no number that can be read"
                raise self.draft.refuse("S017", text, written.span, "among these")
            if not 0 <= Fraction(number) <= 1:
                text = f"{short(number)} is not a probability"
                raise self.draft.refuse("S207", text, written.span, "not between 0 and 1")

    def flat(self, child: Word, parents: Sequence[Word], written: Written, slowest: bool = False) -> Numbers:
        """A table given as all its numbers: the last parent varies faster than the others, the child fastest or
        slowest of all.

        Raises `SutureError`: S206 for too many or too few, S202 where they are no distributions in this order.
        """
        domains = [self.labels(parent.text) for parent in parents]
        own, cases = len(self.labels(child.text)), prod(map(len, domains))
        if len(written.numbers) != own * cases:
            given = count(len(written.numbers), "number")
            text = f"the table of {child.text} has {given} for {count(own, 'value')} in {count(cases, 'case')}"
            raise self.draft.refuse("S206", text, written.span, f"expected {own * cases}")
        self.readable(written)
        orders = [
            [written.numbers[own * case : own * (case + 1)] for case in range(cases)],
            [written.numbers[case::cases] for case in range(cases)],
        ]
        try:
            return self.rows(child, domains, [Placed(row, written.span) for row in orders[slowest]])
        except SutureError:
            if not all(settled([Fraction(number) for number in row]) for row in orders[not slowest]):
                raise
        first = self.labels(child.text)[0]
        help = f"first every case with {child.text} = {first}, then the next value, and so on"
        if not slowest:
            help = f"first every value of {child.text} in the first case of its parents, then in the next, and so on"
        text = f"the table of {child.text} sums to 1 only if its numbers are read in another order"
        label = f"the child's value varies {'slowest' if slowest else 'fastest'}"
        raise self.draft.refuse("S202", text, written.span, label, help)

    def rows(self, child: Word, domains: Sequence[Sequence[str]], rows: Sequence[Written]) -> Numbers:
        """All rows of a variable, each made to sum to one; how far they were from it is remembered."""
        try:
            found, off = numbers_of_rows(domains, len(self.labels(child.text)), [row.numbers for row in rows])
        except NotADistribution as error:
            raise self._far_from_one(child, error.total, rows[error.place].span) from None
        if off > FLOATING:
            self.rounded[child.text] = off
        return found

    def exact(self, child: Word, row: Written) -> tuple[Fraction, ...]:
        """One row, made to sum to one exactly; how far it was from it is remembered."""
        weights = [Fraction(number) for number in row.numbers]
        exact, total = settled(weights), sum(weights, Fraction(0))
        if exact is None:
            raise self._far_from_one(child, total, row.span)
        off = float(abs(total - 1))
        if off > FLOATING:
            self.rounded[child.text] = max(off, self.rounded.get(child.text, off))
        return exact

    def _far_from_one(self, child: Word, total: Fraction, place: Span) -> SutureError:
        text = f"the probabilities of a row of {child.text} sum to {float(total):.6g}, not to 1"
        return self.draft.refuse("S202", text, place, "not a distribution")
