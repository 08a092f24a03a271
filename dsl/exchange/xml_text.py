"""XML as a small tree with places: elements, attributes and text, and nothing that a document could use against us.

A document that declares entities is refused, as is one nested too deeply; nothing is ever fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from xml.parsers import expat

from ..diagnostics import Diagnostic, SutureError
from ..layout import LIMIT
from ..source import Source, Span
from .reading import Word, check_length


@dataclass(slots=True)
class Element:
    """An element: its name, attributes, inner elements, the text directly in it, and the place of its tag."""

    tag: str
    attributes: dict[str, str]
    span: Span
    elements: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text directly inside, without blanks around it."""
        return "".join(self.pieces).strip()

    @property
    def word(self) -> Word:
        """The text with the place of the tag."""
        return Word(self.text, self.span)

    def all(self, *tags: str) -> Iterator[Element]:
        """The inner elements with one of these names, letters compared without case."""
        wanted = {tag.lower() for tag in tags}
        return (element for element in self.elements if element.tag.lower() in wanted)

    def first(self, tag: str) -> Element | None:
        """The first inner element of that name."""
        return next(self.all(tag), None)


def parsed_xml(source: Source, what: str) -> Element:
    """The outermost element of a text that should be `what`.

    Raises `SutureError`: S004 too long, S005 nested too deeply, S020 not XML, or XML with entities of its own.
    """
    check_length(source)
    return _Reading(source, what).root()


class _Reading:
    """One run of the parser."""

    def __init__(self, source: Source, what: str) -> None:
        self.source = source
        self.what = what
        self.starts = [0, *accumulate(len(line) + 1 for line in source.text.split("\n"))]
        self.open: list[Element] = []
        self.top: Element | None = None
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity

    def root(self) -> Element:
        try:
            self.parser.Parse(self.source.text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            place = self._place(error.lineno, error.offset)
            text = f"this is not {self.what}: {expat.errors.messages[error.code]}"
            raise SutureError(Diagnostic("S020", text, place, "here the XML breaks off"), self.source) from None
        assert self.top is not None
        return self.top

    def _place(self, line: int, column: int) -> Span:
        start = min(self.starts[min(line, len(self.starts)) - 1] + column, len(self.source.text))
        end = self.source.text.find(">", start, start + 60) + 1
        return Span(start, end or start + 1, line, column + 1)

    def _here(self) -> Span:
        return self._place(self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, self._here())
        if len(self.open) >= LIMIT:
            text = f"elements are nested more than {LIMIT} levels deep"
            raise SutureError(Diagnostic("S005", text, element.span, "too deep"), self.source)
        if self.open:
            self.open[-1].elements.append(element)
        else:
            self.top = element
        self.open.append(element)

    def _end(self, tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        if self.open:
            self.open[-1].pieces.append(text)

    def _entity(self, *declaration: object) -> None:
        text = f"this is not {self.what}: it declares an entity, which no network needs"
        raise SutureError(Diagnostic("S020", text, self._here(), "an entity"), self.source)
