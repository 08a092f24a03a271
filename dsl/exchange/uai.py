"""Bayesian networks in the format of the UAI inference competitions (`BAYES`): numbers alone, without names.

After the word come the number of variables, their numbers of values, the number of tables, the variables of each table
(the child last), and the tables, in which the last variable varies fastest.  Variable 3 is called V3, its values 0, 1,
and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..program import Model
from ..source import Source, Span
from ..syntax_errors import span_at
from .graph import Draft
from .network_tables import Placed, Tables, short
from .network_writing import NetworkWriter
from .reading import Word, check_length

WHAT = "a UAI network"
COMMENT = re.compile(r"#[^\n]*")
TOKEN = re.compile(r"\S+")
MOST_VARIABLES = 100_000
MOST_VALUES = 10_000


def read(source: Source) -> Draft:
    """The network of a UAI text, with its probabilities.

    Raises `SutureError`: S020 where the text is not a UAI network, S021 for one without directions (`MARKOV`), and the
    codes of values and tables.
    """
    check_length(source)
    draft = Draft(source)
    text = COMMENT.sub(lambda found: " " * len(found[0]), source.text) if "#" in source.text else source.text
    reading = _Tokens(draft, text, text.split())
    reading.start()
    count = reading.number("how many variables there are", MOST_VARIABLES)
    for place in range(count):
        values = reading.number(f"how many values V{place} has", MOST_VALUES, least=1)
        draft.node(f"V{place}", reading.span(reading.place - 1))
        draft.values(f"V{place}", map(str, range(values)))
    scopes = [reading.scope(count) for _ in range(reading.number("how many tables there are", MOST_VARIABLES))]
    tables = Tables(draft)
    for *parents, child in scopes:
        tables.start(child, parents)
        tables.take(child, parents, tables.flat(child, parents, reading.numbers()))
    reading.end()
    tables.finish()
    return draft


@dataclass
class _Tokens:
    """The words of the text, and how far they are read; places are looked up only for an error or a name."""

    draft: Draft
    text: str
    tokens: list[str]
    place: int = 0
    _found: tuple[int, int] = (0, 0)

    def span(self, number: int) -> Span:
        """The place of a word, counted on from the last one that was asked for."""
        known, start = self._found if self._found[0] <= number else (0, 0)
        for token in TOKEN.finditer(self.text, start):
            if known == number:
                self._found = (known, token.start())
                return span_at(self.text, *token.span())
            known += 1
        return span_at(self.text, len(self.text.rstrip()), len(self.text.rstrip()) + 1)

    def start(self) -> None:
        """The word that says the kind of network."""
        kind = self.tokens[0].upper() if self.tokens else ""
        if kind == "MARKOV":
            help = "its factors are no mechanisms: a model needs a network that starts with BAYES"
            raise self.draft.refuse("S021", "a Markov network has no directions", self.span(0), "undirected", help)
        if kind != "BAYES":
            raise self.draft.refuse("S020", f"this is not {WHAT}", self.span(0), "expected BAYES")
        self.place = 1

    def number(self, what: str, most: int, least: int = 0) -> int:
        """A whole number that says `what`."""
        token = self.tokens[self.place] if self.place < len(self.tokens) else ""
        if not (token.isascii() and token.isdigit()) or len(token) > 9 or not least <= int(token) <= most:
            found = f"'{short(token)}'" if token else "the end of the text"
            text = f"this is not {WHAT}: {found} does not say {what}"
            label = f"expected a whole number from {least} to {most}"
            raise self.draft.refuse("S020", text, self.span(self.place), label)
        self.place += 1
        return int(token)

    def scope(self, count: int) -> list[Word]:
        """The variables of one table."""
        size = self.number("how many variables a table has", count, least=1)
        found: list[Word] = []
        for _ in range(size):
            number = self.number("which variable it is", count - 1)
            found.append(Word(f"V{number}", self.span(self.place - 1)))
        return found

    def numbers(self) -> Placed:
        """The numbers of one table."""
        size = self.number("how many numbers a table has", len(self.tokens))
        first, self.place = self.place, min(self.place + size, len(self.tokens))
        return Placed(self.tokens[first : self.place], self.span(first))

    def end(self) -> None:
        """Nothing may be left."""
        if self.place < len(self.tokens):
            text = f"this is not {WHAT}: more follows after the last table"
            raise self.draft.refuse("S020", text, self.span(self.place), "expected the end of the text")


def write(model: Model) -> str:
    """The model in the UAI format; names of variables and values are lost.

    Raises `SutureError` (S023) as the writers of networks do, and for a missing mechanism.
    """
    return "".join(f"{line}\n" for line in _lines(model, NetworkWriter("UAI", model)))


def _lines(model: Model, writer: NetworkWriter) -> Iterator[str]:
    number = {variable.name: place for place, variable in enumerate(model.variables)}
    yield f"BAYES\n{len(number)}"
    yield " ".join(str(len(writer.labels(name))) for name in number)
    yield str(len(number))
    for name in number:
        scope = [number[each] for each in (*model.parents(name), name)]
        yield " ".join(map(str, (len(scope), *scope)))
    for name in number:
        rows = [" ".join(numbers) for _, numbers in writer.complete_rows(name)]
        yield f"\n{len(rows) * len(writer.labels(name))}"
        yield from (f" {row}" for row in rows)
