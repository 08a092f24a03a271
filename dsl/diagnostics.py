"""What is said to a user whose input is wrong: one fact, one place, one suggestion.

A `Diagnostic` is plain data; `render` prints it in the manner of rustc; `SutureError` carries one or several of them
upwards.  Nothing else is an error message: a traceback that reaches a user is a bug.  Every code has a page
(`suture explain S104`), kept in `explanations.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .source import Source, Span

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that helps to understand a diagnostic, such as an opening brace."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong: `code` and `message` state the fact, `span` and `label` the place, `help` what to do."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    help: str | None = None
    notes: tuple[Note, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The diagnostic as JSON-ready data, the form answers with status `error` carry."""
        return {
            "code": self.code,
            "message": self.message,
            "line": self.span.line if self.span else None,
            "column": self.span.column if self.span else None,
            "label": self.label or None,
            "help": self.help,
        }


class SutureError(Exception):
    """Input that cannot be used, with its diagnostics in the order of the source."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic], source: Source | None = None) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (
            (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        )
        self.source = source
        super().__init__("; ".join(f"[{d.code}] {d.message}" for d in self.diagnostics))

    def render(self) -> str:
        """Every diagnostic as the terminal shows it."""
        return "\n\n".join(render(diagnostic, self.source) for diagnostic in self.diagnostics)


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A help line that names the candidate nearest to `name`, or None where none is near.

    >>> did_you_mean("Cancr", ["Smoke", "Cancer"])
    "did you mean 'Cancer'?"
    """
    ordered = sorted(set(candidates))
    near = difflib.get_close_matches(name, ordered, n=1, cutoff=0.6)
    if not near:
        near = [candidate for candidate in ordered if candidate.lower() == name.lower()]
    return f"did you mean {near[0]!r}?" if near else None


def one_of(candidates: Sequence[str], limit: int = 8) -> str:
    """The candidates as a short readable list, cut after `limit`."""
    shown = ", ".join(candidates[:limit])
    return shown if len(candidates) <= limit else f"{shown}, … ({len(candidates)} in all)"


def render(diagnostic: Diagnostic, source: Source | None) -> str:
    """The diagnostic as text: header, place, the line with carets, notes, help.

    A place that knows the text it is in is shown there, any other in `source`.
    """
    lines = [f"error[{diagnostic.code}]: {diagnostic.message}"]
    margin = " "
    here = diagnostic.span.source or source if diagnostic.span is not None else source
    if diagnostic.span is not None and here is not None:
        places = [(diagnostic.span, diagnostic.label, "^")]
        places += [(note.span, note.label, "-") for note in diagnostic.notes]
        margin = " " * len(str(max(span.line for span, _, _ in places)))
        lines.append(f"{margin}--> {here.name}:{diagnostic.span.line}:{diagnostic.span.column}")
        lines.append(f"{margin} |")
        near = [place for place in places if (place[0].source or here) == here]
        for place in sorted(near, key=lambda place: place[0].start):
            lines += _shown(here, *place, margin)
        for place in places:
            elsewhere = place[0].source
            if elsewhere is not None and elsewhere != here:
                lines.append(f"{margin}::: {elsewhere.name}:{place[0].line}:{place[0].column}")
                lines += [f"{margin} |", *_shown(elsewhere, *place, margin)]
    elif here is not None:
        lines.append(f"{margin}--> {here.name}")
    if diagnostic.help:
        lines.append(f"{margin} = help: {diagnostic.help}")
    return "\n".join(lines)


def _shown(source: Source, span: Span, label: str, mark: str, margin: str) -> tuple[str, str]:
    """A line of a text, and below it the marks of a place in it with their label."""
    text, indent, width = _excerpt(source.line(span.line), span)
    marks = f"{margin} | {' ' * indent}{mark * width}{' ' + label if label else ''}".rstrip()
    return f"{span.line:>{len(margin)}} | {text}", marks


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """The part of `line` worth showing, with the caret's indent and width in it: a very long line is cut around it."""
    start = min(span.column - 1, len(line))
    width = max(1, min(span.end - span.start, len(line) - start))
    text = line.replace("\t", " ")
    if len(text) <= WIDTH * 2:
        return text, start, width
    first = max(0, start - WIDTH // 2)
    piece = text[first : first + WIDTH]
    prefix, suffix = ("…" if first else ""), ("…" if first + WIDTH < len(text) else "")
    indent = start - first + len(prefix)
    return prefix + piece + suffix, indent, max(1, min(width, len(piece) - (start - first)))
