"""Bayesian networks in the Interchange Format (BIF; Cozman 1998), as bnlearn, pgmpy and pyAgrum write them.

The states of a variable are its values, and its probabilities a `table`.  In `table` the value of the child varies
slowest: first every case of the parents with the child's first value, then with its second.  A format says nothing of
latent variables; `property latent = yes ;` marks one, as does the property that pgmpy writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from lark import Token, Tree

from ..builder import MAX_EXPONENT
from ..diagnostics import SutureError, did_you_mean, one_of
from ..labels import find_label
from ..probabilities import FLOATING, settled
from ..probability_tables import NotADistribution, Numbers, numbers_of_rows
from ..scope import count
from ..source import Source, Span
from .graph import Case, Distribution, Draft, listed
from .reading import Word, children, parsed, together, word

NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE]([+-]?\d{1,6}))?")
PLAIN = re.compile(r"0(?:\.\d{0,400})?(?:[eE]-?\d\d?)?|1(?:\.0{0,400})?")
CELL = re.compile(r'"([^"]*)"|([^\s,;|{}()\[\]"]+)')
LATENT = re.compile(r"\blatents?\b(?!['\"]?\s*=\s*\"?(?:no|false|0)\b)", re.I)
SHOWN = 40
NAMELESS = frozenset({"unknown", "unnamed", "anonymousBN"})


def read(source: Source) -> Draft:
    """The network of a BIF text, with its probabilities.

    Raises `SutureError`: S020 where the text is not BIF, S021 for a variable that is not discrete, S104 and S201 for
    unknown names, S202, S203 and S207 for probabilities that are none.
    """
    draft = Draft(source)
    tree = parsed("bif", source)
    names = [_name(part).text for part in children(tree, "name")]
    draft.name = next((name for name in names if name not in NAMELESS), None)
    for variable in children(tree, "variable"):
        _take_variable(draft, variable)
    reader = _Probabilities(draft)
    for probability in children(tree, "probability"):
        reader.take(probability)
    reader.finish()
    return draft


def _name(part: Tree[Token]) -> Word:
    (token,) = part.children
    assert isinstance(token, Token)
    return word(token, token[1:-1] if token.type == "STRING" else None)


def _names(part: Tree[Token]) -> list[Word]:
    return [_name(name) for name in children(part, "name")]


# ---------------------------------------------------------------------------------------------------------------------
# Variables


def _take_variable(draft: Draft, variable: Tree[Token]) -> None:
    (name,) = _names(variable)
    if name.text in draft.nodes:
        raise draft.refuse("S101", f"the variable {name.text} is given twice", name.span, "again")
    draft.node(name.text, name.span)
    properties = [part for part in variable.children if isinstance(part, Token)]
    draft.hide(name.text, any(LATENT.search(text.partition("property")[2]) for text in properties))
    types = children(variable, "type")
    if len(types) != 1:
        text = f"the variable {name.text} has {'two types' if types else 'no type'}"
        raise draft.refuse("S020", text, name.span, "expected one", "write type discrete [ 2 ] { no, yes };")
    _take_states(draft, name, types[0])


def _take_states(draft: Draft, name: Word, kind: Tree[Token]) -> None:
    sort, *states = _names(kind)
    if sort.text.lower() != "discrete":
        text = f"{name.text} is {sort.text}, and only discrete variables have tables"
        raise draft.refuse("S021", text, sort.span, "not discrete", "leave the variable out, or import its graph alone")
    for part in children(kind, "count"):
        (number,) = _names(part)
        if number.text != str(len(states)):
            text = f"{name.text} should have {_short(number.text)} values, but lists {count(len(states), 'value')}"
            raise draft.refuse("S020", text, number.span, "another number")
    if not states:
        raise draft.refuse("S020", f"{name.text} has no values", name.span, "no values")
    draft.values(name.text, [state.text for state in states], states[0].span)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


# ---------------------------------------------------------------------------------------------------------------------
# Probabilities


class _Probabilities:
    """The probability blocks of a network, read once its variables are known."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.rounded: dict[str, float] = {}
        self.given: set[str] = set()

    def take(self, block: Tree[Token]) -> None:
        """Take the distribution of one variable; without numbers, its arrows alone."""
        child, parents = self._variables(block)
        if child.text in self.given:
            raise self.draft.refuse("S212", f"the probabilities of {child.text} are given twice", child.span, "again")
        self.given.add(child.text)
        cases = self._cases(block, child, [parent.text for parent in parents])
        if cases:
            self.draft.distributions[child.text] = Distribution(
                tuple(parent.text for parent in parents), cases, child.span
            )
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

    def _variables(self, block: Tree[Token]) -> tuple[Word, list[Word]]:
        """The child and its parents; in old files no bar stands between them."""
        every = _names(block)
        after = [name for part in children(block, "parents") for name in _names(part)]
        if children(block, "parents") and len(every) > 1:
            text = f"a joint distribution of {listed(name.text for name in every)}"
            raise self.draft.refuse("S021", text, every[1].span, "a second variable", "give one variable at a time")
        child, *parents = [*every, *after]
        for place, name in enumerate((child, *parents)):
            if name.text not in self.draft.nodes:
                text = f"unknown variable '{_short(name.text)}' in this network"
                help = did_you_mean(name.text, self.draft.nodes)
                raise self.draft.refuse("S104", text, name.span, "not declared", help)
            if name.text in [parent.text for parent in parents[: max(place - 1, 0)]]:
                raise self.draft.refuse("S101", f"{name.text} is named twice", name.span, "again")
        return child, parents

    def _labels(self, name: str) -> tuple[str, ...]:
        return self.draft.nodes[name].labels or ()

    def _cases(self, block: Tree[Token], child: Word, parents: Sequence[str]) -> tuple[Case, ...] | Numbers:
        domains = [self._labels(parent) for parent in parents]
        tables, fallbacks = (children(block, kind) for kind in ("table", "fallback"))
        rows = [part for part in block.children if isinstance(part, Tree) and part.data in ("row", "quick_row")]
        if len(tables) + len(fallbacks) > 1 or (tables and rows):
            text = f"the probabilities of {child.text} are given in several ways"
            raise self.draft.refuse("S212", text, child.span, "more than one table or default")
        if tables:
            return self._table(tables[0], child, domains)
        found = self._rows(rows, child, parents, domains)
        if rows and len(found) == prod(map(len, domains)):
            return self._numbers([found[place] for place in range(len(found))], child, domains)
        if fallbacks:
            return self._with_fallback(found, fallbacks[0], child, domains)
        if rows:
            first = next(cells for place, cells in enumerate(product(*domains)) if place not in found)
            text = f"the table of {child.text} does not cover every case of {', '.join(parents)}"
            raise self.draft.refuse("S203", text, child.span, "rows are missing", f"add a row for ({', '.join(first)})")
        return ()

    def _with_fallback(
        self, found: Mapping[int, Written], fallback: Tree[Token], child: Word, domains: Sequence[Sequence[str]]
    ) -> tuple[Case, ...]:
        """The rows as they came, and below them one for every other case."""
        cases = [Case(case_at(place, domains), self._exact(row, child), row.span) for place, row in found.items()]
        rest = self._row_numbers(fallback, child)
        self._readable(rest)
        return (*cases, Case((None,) * len(domains), self._exact(rest, child), child.span))

    def _rows(
        self, rows: Sequence[Tree[Token]], child: Word, parents: Sequence[str], domains: Sequence[Sequence[str]]
    ) -> dict[int, Written]:
        """The rows by the place of their case, the last parent fastest."""
        places = [{label: place for place, label in enumerate(labels)} for labels in domains]
        width = len(self._labels(child.text))
        found: dict[int, Written] = {}
        for row in rows:
            place, written = self._quick_row(row, places, width) or self._row(row, child, parents, domains)
            if place in found:
                raise self.draft.refuse("S212", "this row is given twice", written.span, "again")
            self._readable(written)
            found[place] = written
        return found

    def _quick_row(
        self, row: Tree[Token], places: Sequence[Mapping[str, int]], width: int
    ) -> tuple[int, Written] | None:
        """A row that is one token, taken apart in bulk; None where anything about it wants a closer look."""
        if row.data != "quick_row":
            return None
        token = _row_token(row)
        inside, _, after = token[1:-1].rpartition(")")
        cells, numbers = _pieces(inside), _pieces(after)
        if len(cells) != len(places) or len(numbers) != width or '"' in inside:
            return None
        place = 0
        for cell, known in zip(cells, places, strict=True):
            if cell not in known:
                return None
            place = place * len(known) + known[cell]
        return place, Written(numbers, token, len(inside) + 2)

    def _row(
        self, row: Tree[Token], child: Word, parents: Sequence[str], domains: Sequence[Sequence[str]]
    ) -> tuple[int, Written]:
        cells = _cells(row)
        place = together(cells[0].span, cells[-1].span)
        if len(cells) != len(parents):
            text = f"this row has {count(len(cells), 'cell')} for {count(len(parents), 'parent')}"
            raise self.draft.refuse("S206", text, place, "", f"one value for each of: {one_of(parents) or 'none'}")
        number = 0
        for cell, parent, labels in zip(cells, parents, domains, strict=True):
            number = number * len(labels) + labels.index(self._label(cell, parent, labels))
        return number, self._row_numbers(row, child)

    def _label(self, cell: Word, parent: str, labels: Sequence[str]) -> str:
        found = find_label(labels, cell.text)
        if found is None:
            text = f"{parent} has no value '{_short(cell.text)}'"
            raise self.draft.refuse("S201", text, cell.span, "not a value", f"its values are {one_of(labels)}")
        return found

    def _table(self, table: Tree[Token], child: Word, domains: Sequence[Sequence[str]]) -> Numbers:
        written = _written(table)
        own, cases = len(self._labels(child.text)), prod(map(len, domains))
        if len(written.numbers) != own * cases:
            given = count(len(written.numbers), "number")
            text = f"the table of {child.text} has {given} for {count(own, 'value')} in {count(cases, 'case')}"
            raise self.draft.refuse("S206", text, written.span, f"expected {own * cases}")
        columns = [Written(written.numbers[case::cases], written.token) for case in range(cases)]
        self._readable(written)
        try:
            return self._numbers(columns, child, domains)
        except SutureError:
            other = [written.numbers[own * case : own * (case + 1)] for case in range(cases)]
            if not all(settled([Fraction(number) for number in row]) for row in other):
                raise
            text = f"the table of {child.text} sums to 1 only if its numbers are read in another order"
            help = f"first every case with {child.text} = {self._labels(child.text)[0]}, then the next value, and so on"
            raise self.draft.refuse("S202", text, written.span, "the child's value varies slowest", help) from None

    def _row_numbers(self, part: Tree[Token], child: Word) -> Written:
        written = _written(part)
        own = self._labels(child.text)
        if len(written.numbers) != len(own):
            given = count(len(written.numbers), "probability")
            text = f"this row has {given} for {count(len(own), 'value')} of {child.text}"
            raise self.draft.refuse("S206", text, written.span, "", f"one probability for each of: {one_of(own)}")
        return written

    def _readable(self, written: Written) -> None:
        """Refuse what is no number, or no probability."""
        if all(map(PLAIN.fullmatch, written.numbers)):
            return
        for number in written.numbers:
            match = NUMBER.fullmatch(number)
            if match is None or abs(int(match.group(1) or 0)) > MAX_EXPONENT:
                text = f"'{_short(number)}' is no number that can be read"
                raise self.draft.refuse("S017", text, written.span, "among these")
            if not 0 <= Fraction(number) <= 1:
                text = f"{_short(number)} is not a probability"
                raise self.draft.refuse("S207", text, written.span, "not between 0 and 1")

    def _numbers(self, rows: Sequence[Written], child: Word, domains: Sequence[Sequence[str]]) -> Numbers:
        """All rows of a variable, each summing to one; how far they were from it is remembered."""
        try:
            found, off = numbers_of_rows(domains, len(self._labels(child.text)), [row.numbers for row in rows])
        except NotADistribution as error:
            raise self._far_from_one(child, error.total, rows[error.place].span) from None
        if off > FLOATING:
            self.rounded[child.text] = off
        return found

    def _exact(self, row: Written, child: Word) -> tuple[Fraction, ...]:
        """One row, summing to one exactly; how far it was from it is remembered."""
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


def case_at(place: int, domains: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The labels of a case by its place, the last domain fastest."""
    found: list[str] = []
    for labels in reversed(domains):
        place, digit = divmod(place, len(labels))
        found.append(labels[digit])
    return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class Written:
    """Numbers as they stand in the text: in a token, from a place in it on."""

    numbers: Sequence[str]
    token: Token
    start: int = 0

    @property
    def span(self) -> Span:
        """The place of the first line of the numbers."""
        text = self.token[self.start :].split("\n")[0].rstrip(",; \t\r\n\f")
        return _part_span(self.token, self.start, self.start + len(text))


def _part_span(token: Token, start: int, end: int) -> Span:
    """The place of a part of a token."""
    before = token[:start]
    line, column = token.line or 1, token.column or 1
    if "\n" in before:
        line, column = line + before.count("\n"), start - before.rfind("\n")
    else:
        column += start
    return Span((token.start_pos or 0) + start, (token.start_pos or 0) + end, line, column)


def _row_token(row: Tree[Token]) -> Token:
    token = row.children[0]
    assert isinstance(token, Token)
    return token


def _cells(row: Tree[Token]) -> list[Word]:
    if row.data != "quick_row":
        return _names(row)
    token = _row_token(row)
    found = CELL.finditer(token, 1, token.rindex(")"))
    return [Word(each[1] or each[2] or "", _part_span(token, *each.span())) for each in found]


def _written(part: Tree[Token]) -> Written:
    if part.data == "quick_row":
        token = _row_token(part)
        start = token.rindex(")") + 1
        numbers = token[start:-1]
        return Written(_pieces(numbers), token, start + len(numbers) - len(numbers.lstrip(", \t\r\n\f")))
    tokens = [token for found in children(part, "numbers") for token in found.children if isinstance(token, Token)]
    return Written(_pieces(" ".join(tokens)), tokens[0])


def _pieces(text: str) -> list[str]:
    return text.replace(",", " ").split()
