"""Bayesian networks in the Interchange Format (BIF; Cozman 1998), as bnlearn, pgmpy and pyAgrum write them.

The states of a variable are its values, and its probabilities a `table`.  In `table` the value of the child varies
slowest: first every case of the parents with the child's first value, then with its second.  A format says nothing of
latent variables; `property latent = yes ;` marks one, as does the property that pgmpy writes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod

from lark import Token, Tree

from ..builder import MAX_EXPONENT
from ..diagnostics import did_you_mean, one_of
from ..labels import find_label
from ..scope import count
from ..source import Source, Span
from .graph import Case, Distribution, Draft, listed
from .numbers import FLOATING, settled
from .reading import Word, children, parsed, together, word

NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE]([+-]?\d{1,6}))?")
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
        self.rounded: dict[str, Fraction] = {}
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
                tuple(parent.text for parent in parents), tuple(cases), child.span
            )
        for parent in parents:
            self.draft.arrow(parent.text, child.text, together(child.span, parent.span))

    def finish(self) -> None:
        """Note what was missing, and how far rows were from one."""
        missing = [name for name in self.draft.nodes if name not in self.draft.distributions]
        if missing and self.draft.distributions:
            self.draft.notes.append(f"no probabilities are given for {listed(missing)}")
        if self.rounded:
            worst = float(max(self.rounded.values()))
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

    def _cases(self, block: Tree[Token], child: Word, parents: Sequence[str]) -> list[Case]:
        domains = [self._labels(parent) for parent in parents]
        tables, rows, fallbacks = (children(block, kind) for kind in ("table", "row", "fallback"))
        if len(tables) + len(fallbacks) > 1 or (tables and rows):
            text = f"the probabilities of {child.text} are given in several ways"
            raise self.draft.refuse("S212", text, child.span, "more than one table or default")
        if tables:
            return self._table(tables[0], child, domains)
        cases = self._rows(rows, child, parents, domains)
        complete = len(cases) == prod(map(len, domains))
        if fallbacks and not complete:
            weights = self._weights(fallbacks[0], child)
            cases.append(Case((None,) * len(parents), weights, child.span))
        elif cases and not complete:
            seen = {case.cells for case in cases}
            first = next(cells for cells in product(*domains) if cells not in seen)
            text = f"the table of {child.text} does not cover every case of {', '.join(parents)}"
            raise self.draft.refuse("S203", text, child.span, "rows are missing", f"add a row for ({', '.join(first)})")
        return cases

    def _rows(
        self, rows: Sequence[Tree[Token]], child: Word, parents: Sequence[str], domains: Sequence[Sequence[str]]
    ) -> list[Case]:
        found: dict[tuple[str, ...], Case] = {}
        for row in rows:
            cells = _names(row)
            place = together(cells[0].span, cells[-1].span)
            if len(cells) != len(parents):
                text = f"this row has {count(len(cells), 'cell')} for {count(len(parents), 'parent')}"
                raise self.draft.refuse("S206", text, place, "", f"one value for each of: {one_of(parents) or 'none'}")
            labels = tuple(map(self._label, cells, parents, domains))
            if labels in found:
                raise self.draft.refuse("S212", "this row is given twice", place, "again")
            found[labels] = Case(labels, self._weights(row, child), place)
        return list(found.values())

    def _label(self, cell: Word, parent: str, labels: Sequence[str]) -> str:
        found = find_label(labels, cell.text)
        if found is None:
            text = f"{parent} has no value '{_short(cell.text)}'"
            raise self.draft.refuse("S201", text, cell.span, "not a value", f"its values are {one_of(labels)}")
        return found

    def _table(self, table: Tree[Token], child: Word, domains: Sequence[Sequence[str]]) -> list[Case]:
        numbers, place = self._numbers(table)
        own, cases = len(self._labels(child.text)), prod(map(len, domains))
        if len(numbers) != own * cases:
            given, wanted = count(len(numbers), "number"), f"{count(own, 'value')} in {count(cases, 'case')}"
            text = f"the table of {child.text} has {given} for {wanted}"
            raise self.draft.refuse("S206", text, place, f"expected {own * cases}")
        columns = [numbers[case::cases] for case in range(cases)]
        other = [numbers[own * case : own * (case + 1)] for case in range(cases)]
        if any(settled(column) is None for column in columns) and all(settled(column) for column in other):
            text = f"the table of {child.text} sums to 1 only if its numbers are read in another order"
            help = f"first every case with {child.text} = {self._labels(child.text)[0]}, then the next value, and so on"
            raise self.draft.refuse("S202", text, place, "the child's value varies slowest", help)
        return [
            Case(cells, self._settle(column, child, place), place)
            for cells, column in zip(product(*domains), columns, strict=True)
        ]

    def _weights(self, part: Tree[Token], child: Word) -> tuple[Fraction, ...]:
        numbers, place = self._numbers(part)
        own = self._labels(child.text)
        if len(numbers) != len(own):
            text = f"this row has {count(len(numbers), 'probability')} for {count(len(own), 'value')} of {child.text}"
            raise self.draft.refuse("S206", text, place, "", f"one probability for each of: {one_of(own)}")
        return self._settle(numbers, child, place)

    def _numbers(self, part: Tree[Token]) -> tuple[list[Fraction], Span]:
        tokens = [token for found in children(part, "numbers") for token in found.children if isinstance(token, Token)]
        place = word(tokens[0], tokens[0].split("\n")[0].rstrip(", \t\r\n\f")).span
        found: list[Fraction] = []
        for piece in " ".join(tokens).replace(",", " ").split():
            match = NUMBER.fullmatch(piece)
            if match is None or abs(int(match.group(1) or 0)) > MAX_EXPONENT:
                raise self.draft.refuse(
                    "S017", f"'{_short(piece)}' is no number that can be read", place, "among these"
                )
            value = Fraction(piece)
            if not 0 <= value <= 1:
                raise self.draft.refuse("S207", f"{_short(piece)} is not a probability", place, "not between 0 and 1")
            found.append(value)
        return found, place

    def _settle(self, weights: Sequence[Fraction], child: Word, place: Span) -> tuple[Fraction, ...]:
        """The weights summing to one; how far they were from it is remembered."""
        exact = settled(weights)
        off = abs(sum(weights, Fraction(0)) - 1)
        if exact is None:
            text = f"the probabilities of a row of {child.text} sum to {float(sum(weights, Fraction(0))):.6g}, not to 1"
            raise self.draft.refuse("S202", text, place, "not a distribution")
        if off > FLOATING:
            self.rounded[child.text] = max(off, self.rounded.get(child.text, off))
        return exact
