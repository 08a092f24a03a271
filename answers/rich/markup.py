"""HTML put together from parts: text is escaped wherever it enters, so that no label of a user is ever markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

VOID = frozenset({"br", "hr", "img", "wbr"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Part = Markup | str | None


def tag(name: str, *parts: Part, **attributes: str | bool | None) -> Markup:
    """An element; plain text in it is escaped, and so are its attributes.

    An attribute's underscores are hyphens, and one at its end is left out; None and False leave the attribute out.

    >>> tag("p", "a < b", tag("b", "!"), class_="note", hidden=True)
    '<p class="note" hidden>a &lt; b<b>!</b></p>'
    """
    told = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(*parts)}</{name}>")


def joined(*parts: Part) -> Markup:
    """Parts one after the other, text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts if part is not None))


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(value)}"'


def folded(summary: Part, *parts: Part, open_: bool = False, class_: str | None = None) -> Markup:
    """A part that is folded away until its summary is chosen, by a click or a key."""
    return tag("details", tag("summary", summary), *parts, class_=class_, open=open_)


def items(parts: Iterable[Part], ordered: bool = False, class_: str | None = None) -> Markup:
    """A list."""
    return tag("ol" if ordered else "ul", *(tag("li", part) for part in parts), class_=class_)


def table(caption: Part, header: Sequence[Part], rows: Iterable[Sequence[Part]], labels: int = 0) -> Markup:
    """A table whose first `labels` cells of a row say what the others are about; these are numbers."""
    head = tag("tr", *(tag("th", cell, scope="col") for cell in header))
    body = [
        tag("tr", *(_cell(cell, place < labels, place == labels - 1) for place, cell in enumerate(row))) for row in rows
    ]
    return scrolled(tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body)))


def _cell(cell: Part, is_label: bool, heads: bool) -> Markup:
    if not is_label:
        return tag("td", cell)
    return tag("th", cell, scope="row") if heads else tag("td", cell, class_="suture-label")


def scrolled(*parts: Part, class_: str = "suture-scroll") -> Markup:
    """Something that may be too wide: it scrolls by itself, by the keyboard too."""
    return tag("div", *parts, class_=class_, tabindex="0")


def code(text: str) -> Markup:
    """A few words of the language."""
    return tag("code", text)


def block(text: str, label: str | None = None) -> Markup:
    """Lines of the language, as they are; `label` says what they are to those who cannot see them."""
    return tag(
        "pre", tag("code", text), class_="suture-code", tabindex="0", role="region", aria_label=label or "program"
    )
