"""The programs that an editor has open: their texts as they change, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..dsl.diagnostics import Diagnostic, Note, SutureError
from ..dsl.mending import Mended, mend
from ..dsl.occurrences import Occurrence, Symbol, occurrences, symbol_at
from ..dsl.printer import format_source
from ..dsl.program_files import networks_in
from ..dsl.source import Source, Span
from .text_positions import Text

# Beyond this an editor is told that a program is too long to be watched while it is typed.
LONGEST = 150_000


@dataclass(frozen=True)
class Document:
    """An open program: its address, its version as the editor counts, its text, and what is read from it, once."""

    uri: str
    version: int
    text: Text

    @cached_property
    def source(self) -> Source:
        """The text as the language reads it; places are the same."""
        text = self.text.text
        return Source(text if "\n" in text else text.replace("\r", "\n"), name_of(self.uri))

    @cached_property
    def mended(self) -> Mended:
        """The program as far as it can be read, with every error."""
        if len(self.text.text) > LONGEST:
            return mend(Source("", self.source.name))
        return mend(self.source, networks_in(folder_of(self.uri)))

    @cached_property
    def problems(self) -> tuple[Diagnostic, ...]:
        """Every error of the program."""
        if len(self.text.text) > LONGEST:
            message = f"this program has more than {LONGEST:,} characters and is not checked while it is typed"
            return (Diagnostic("S004", message, Span(0, 1, 1, 1), help="`suture check` reads it"),)
        return self.mended.problems

    @cached_property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """Every place where something is named."""
        queries = {name: query.model for name, query in self.mended.program.queries.items()}
        return occurrences(self.mended.tree, queries)

    def occurrence_at(self, offset: int) -> Occurrence | None:
        """What is named at a place."""
        return symbol_at(self.occurrences, offset)

    def places_of(self, symbol: Symbol) -> tuple[Occurrence, ...]:
        """Everywhere a symbol is named."""
        return tuple(each for each in self.occurrences if each.symbol == symbol)

    def formatted(self) -> str | None:
        """The program in canonical form; None where it does not parse."""
        try:
            return format_source(self.source)
        except SutureError:
            return None

    def with_text(self, version: int, text: Text) -> Document:
        """The document after a change."""
        return Document(self.uri, version, text)


@dataclass
class Documents:
    """The open documents by their addresses."""

    open: dict[str, Document] = field(default_factory=dict)

    def put(self, uri: str, version: int, text: str) -> Document:
        """A document that was opened, or whose text was sent as a whole."""
        self.open[uri] = Document(uri, version, Text(text))
        return self.open[uri]

    def get(self, uri: str) -> Document:
        """The document of an address; an empty one where it was never opened."""
        return self.open.get(uri) or Document(uri, 0, Text(""))

    def close(self, uri: str) -> None:
        """Forget a document."""
        self.open.pop(uri, None)


def path_of(uri: str) -> Path | None:
    """The file of an address; None where it is not one of a file, such as of a text that was never saved."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.path else None


def folder_of(uri: str) -> Path | None:
    """The folder that a program's paths are taken from."""
    path = path_of(uri)
    return None if path is None else path.parent


def name_of(uri: str) -> str:
    """What messages call a document."""
    path = path_of(uri)
    return uri if path is None else str(path)


def suggestion(problem: Diagnostic) -> str | None:
    """The name that a diagnostic suggests in place of what it points at, where it suggests one.

    >>> suggestion(Diagnostic("S104", "unknown variable 'Cancr'", help="did you mean 'Cancer'?"))
    'Cancer'
    """
    before, found, after = (problem.help or "").partition("did you mean ")
    if not found or before or not after.endswith("?"):
        return None
    return after[1:-2]


def related(problem: Diagnostic) -> Mapping[str, Note]:
    """The further places of a diagnostic by what is said of them."""
    return {note.label: note for note in problem.notes}
