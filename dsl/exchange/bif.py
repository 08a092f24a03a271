"""Bayesian networks in the Interchange Format (BIF; Cozman 1998), as bnlearn, pgmpy and pyAgrum write them.

The states of a variable are its values, and its probabilities a `table`.  In `table` the value of the child varies
slowest: first every case of the parents with the child's first value, then with its second.  A format says nothing of
latent variables; `property latent = yes ;` marks one, as does the property that pgmpy writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from lark import Token, Tree

from ..diagnostics import one_of
from ..labels import find_label
from ..probability_tables import Numbers
from ..scope import count
from ..source import Source, Span
from .graph import Case, Draft, listed
from .network_tables import Tables, short
from .reading import Word, children, parsed, together, word

CELL = re.compile(r'"([^"]*)"|([^\s,;|{}()\[\]"]+)')
LATENT = re.compile(r"\blatents?\b(?!['\"]?\s*=\s*\"?(?:no|false|0)\b)", re.I)
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
    reader.tables.finish()
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
            text = f"{name.text} should have {short(number.text)} values, but lists {count(len(states), 'value')}"
            raise draft.refuse("S020", text, number.span, "another number")
    if not states:
        raise draft.refuse("S020", f"{name.text} has no values", name.span, "no values")
    draft.values(name.text, [state.text for state in states], states[0].span)


# ---------------------------------------------------------------------------------------------------------------------
# Probabilities


class _Probabilities:
    """The probability blocks of a network."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.tables = Tables(draft)

    def take(self, block: Tree[Token]) -> None:
        """Take the distribution of one variable; without numbers, its arrows alone."""
        child, parents = self._variables(block)
        self.tables.start(child, parents)
        self.tables.take(child, parents, self._cases(block, child, parents))

    def _variables(self, block: Tree[Token]) -> tuple[Word, list[Word]]:
        """The child and its parents; in old files no bar stands between them."""
        every = _names(block)
        after = [name for part in children(block, "parents") for name in _names(part)]
        if children(block, "parents") and len(every) > 1:
            text = f"a joint distribution of {listed(name.text for name in every)}"
            raise self.draft.refuse("S021", text, every[1].span, "a second variable", "give one variable at a time")
        child, *parents = [*every, *after]
        return child, parents

    def _cases(self, block: Tree[Token], child: Word, parents: Sequence[Word]) -> tuple[Case, ...] | Numbers:
        domains = [self.tables.labels(parent.text) for parent in parents]
        names = [parent.text for parent in parents]
        tables, fallbacks = (children(block, kind) for kind in ("table", "fallback"))
        rows = [part for part in block.children if isinstance(part, Tree) and part.data in ("row", "quick_row")]
        if len(tables) + len(fallbacks) > 1 or (tables and rows):
            text = f"the probabilities of {child.text} are given in several ways"
            raise self.draft.refuse("S212", text, child.span, "more than one table or default")
        if tables:
            return self.tables.flat(child, parents, _written(tables[0]), slowest=True)
        found = self._rows(rows, child, names, domains)
        if rows and len(found) == prod(map(len, domains)):
            return self.tables.rows(child, domains, [found[place] for place in range(len(found))])
        if fallbacks:
            return self._with_fallback(found, fallbacks[0], child, domains)
        if rows:
            first = next(cells for place, cells in enumerate(product(*domains)) if place not in found)
            text = f"the table of {child.text} does not cover every case of {', '.join(names)}"
            raise self.draft.refuse("S203", text, child.span, "rows are missing", f"add a row for ({', '.join(first)})")
        return ()

    def _with_fallback(
        self, found: Mapping[int, RowNumbers], fallback: Tree[Token], child: Word, domains: Sequence[Sequence[str]]
    ) -> tuple[Case, ...]:
        """The rows as they came, and below them one for every other case."""
        cases = [Case(case_at(place, domains), self.tables.exact(child, row), row.span) for place, row in found.items()]
        rest = self._row_numbers(fallback, child)
        self.tables.readable(rest)
        return (*cases, Case((None,) * len(domains), self.tables.exact(child, rest), child.span))

    def _rows(
        self, rows: Sequence[Tree[Token]], child: Word, parents: Sequence[str], domains: Sequence[Sequence[str]]
    ) -> dict[int, RowNumbers]:
        """The rows by the place of their case, the last parent fastest."""
        places = [{label: place for place, label in enumerate(labels)} for labels in domains]
        width = len(self.tables.labels(child.text))
        found: dict[int, RowNumbers] = {}
        for row in rows:
            place, written = self._quick_row(row, places, width) or self._row(row, child, parents, domains)
            if place in found:
                raise self.draft.refuse("S212", "this row is given twice", written.span, "again")
            self.tables.readable(written)
            found[place] = written
        return found

    def _quick_row(
        self, row: Tree[Token], places: Sequence[Mapping[str, int]], width: int
    ) -> tuple[int, RowNumbers] | None:
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
        return place, RowNumbers(numbers, token, len(inside) + 2)

    def _row(
        self, row: Tree[Token], child: Word, parents: Sequence[str], domains: Sequence[Sequence[str]]
    ) -> tuple[int, RowNumbers]:
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
            text = f"{parent} has no value '{short(cell.text)}'"
            raise self.draft.refuse("S201", text, cell.span, "not a value", f"its values are {one_of(labels)}")
        return found

    def _row_numbers(self, part: Tree[Token], child: Word) -> RowNumbers:
        written = _written(part)
        own = self.tables.labels(child.text)
        if len(written.numbers) != len(own):
            given = count(len(written.numbers), "probability")
            text = f"this row has {given} for {count(len(own), 'value')} of {child.text}"
            raise self.draft.refuse("S206", text, written.span, "", f"one probability for each of: {one_of(own)}")
        return written


def case_at(place: int, domains: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The labels of a case by its place, the last domain fastest."""
    found: list[str] = []
    for labels in reversed(domains):
        place, digit = divmod(place, len(labels))
        found.append(labels[digit])
    return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class RowNumbers:
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


def _written(part: Tree[Token]) -> RowNumbers:
    if part.data == "quick_row":
        token = _row_token(part)
        start = token.rindex(")") + 1
        numbers = token[start:-1]
        return RowNumbers(_pieces(numbers), token, start + len(numbers) - len(numbers.lstrip(", \t\r\n\f")))
    tokens = [token for found in children(part, "numbers") for token in found.children if isinstance(token, Token)]
    return RowNumbers(_pieces(" ".join(tokens)), tokens[0])


def _pieces(text: str) -> list[str]:
    return text.replace(",", " ").split()
