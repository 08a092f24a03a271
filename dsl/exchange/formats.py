"""The text formats by name: reading any of them, writing any of them, and guessing which one a text is in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostic, SutureError, did_you_mean
from ..program import Model
from ..source import Source
from . import bif, bif_writing, dagitty, dot, gml, lavaan, net, uai, xdsl, xmlbif
from .graph import Draft, listed
from .program_text import Imported, imported


@dataclass(frozen=True, slots=True)
class Format:
    """A text format: how it is read and written, the ends of its files, and whether it holds values and tables, names,
    and which variables are latent.
    """

    read: Callable[[Source], Draft]
    write: Callable[[Model], str]
    suffixes: tuple[str, ...]
    tables: bool = False
    names: bool = True
    latent: bool = True


FORMATS: Mapping[str, Format] = {
    "dagitty": Format(dagitty.read, dagitty.write, (".dagitty", ".dag")),
    "dot": Format(dot.read, dot.write, (".dot", ".gv")),
    "lavaan": Format(lavaan.read, lavaan.write, (".lavaan", ".lav")),
    "bif": Format(bif.read, bif_writing.write, (".bif",), tables=True),
    "xmlbif": Format(xmlbif.read, xmlbif.write, (".xmlbif", ".bifxml", ".xml"), tables=True),
    "net": Format(net.read, net.write, (".net", ".hugin"), tables=True, latent=False),
    "xdsl": Format(xdsl.read, xdsl.write, (".xdsl",), tables=True, latent=False),
    "uai": Format(uai.read, uai.write, (".uai",), tables=True, names=False, latent=False),
    "gml": Format(gml.read, gml.write, (".gml",)),
}

COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*[#!][^\n]*", re.S | re.M)
SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("dagitty", re.compile(r"\s*(?:strict\s+)?(?:dag|pdag|mag|pag)\b[^{}]*\{", re.I)),
    ("dagitty", re.compile(r"\s*(?:strict\s+)?(?:di)?graph\b[^{}\[]*\{(?=[^\"]*(?:<->|<-|@))", re.I)),
    ("dot", re.compile(r"\s*(?:strict\s+)?(?:di)?graph\b[^{}\[]*\{", re.I)),
    ("gml", re.compile(r"(?:\s*[A-Za-z]\w*\s+(?:\"[^\"]*\"|[\d.]+))*\s*graph\s*\[", re.I)),
    ("xmlbif", re.compile(r"\s*(?=<)(?:(?!<smile\b)[^\0])*?<BIF\b", re.I)),
    ("xdsl", re.compile(r"\s*(?=<)(?:(?!<BIF\b)[^\0])*?<smile\b", re.I)),
    ("uai", re.compile(r"\s*(?:BAYES|MARKOV)\s+\d", re.I)),
    ("net", re.compile(r"\s*net\s*\{")),
    ("bif", re.compile(r"\s*(?:network\s+[^{]*\{|variable\s+\S+\s*\{)")),
    ("lavaan", re.compile(r"[^\n~]*(?:\n[^\n~]*){0,20}(?:=~|~~|<~|~)")),
    ("dagitty", re.compile(r"[^\n]*(?:\n[^\n]*){0,20}(?:<->|->|<-)")),
)
SEEN = 20_000


def import_graph(text: str | Source, format: str | None = None, name: str | None = None) -> Imported:
    """The model that a graph in another tool's text format says; without `format` the format is guessed.

    The model is called `name`; else as the graph is, if it has a name; else `Imported`.
    Raises `SutureError` with one diagnostic, its place in `text`: S020 and S021 for what cannot be read or said, S022
    for an unknown format, S204 for a cycle, and the codes of values and tables.

    >>> print(import_graph("dag { X [exposure] ; X -> Y ; X <-> Y }", "dagitty").program_text)
    # imported from dagitty
    # exposure: X
    model Imported {
      X, Y
      X -> Y
      X <-> Y
    }
    <BLANKLINE>
    """
    source = text if isinstance(text, Source) else Source(text)
    if not source.text.strip(" \t\r\n\f\ufeff"):
        raise SutureError(Diagnostic("S020", "the text is empty"), source)
    chosen = format or guess_format(source.text)
    if chosen is None:
        help = f"say which it is: {', '.join(FORMATS)}"
        raise SutureError(Diagnostic("S022", "it is not clear which format this text is in", help=help), source)
    form = _format(chosen)
    return imported(form.read(source), chosen, name)


def export_graph(model: Model, format: str) -> str:
    """The model in another tool's text format, as far as the format goes; `left_out` tells what it does not hold.

    Raises `SutureError`: S022 for an unknown format, S023 where the format cannot say the graph at all.
    """
    return _format(format).write(model)


def left_out(model: Model, format: str) -> tuple[str, ...]:
    """What the format cannot hold of a model, a line each.

    Raises `SutureError` (S022) for an unknown format.
    """
    form = _format(format)
    dropped: dict[str, list[str]] = {"mutable marks": list(model.mutable)}
    if not form.tables:
        valued = [variable.name for variable in model.variables if variable.values is not None]
        dropped = {"values": valued, "mechanisms": list(model.mechanisms), **dropped}
    if not form.latent:
        dropped["latent marks"] = list(model.latent)
    if not form.names:
        dropped["names"] = [variable.name for variable in model.variables]
    return tuple(f"{format} does not hold {what}: those of {listed(names)}" for what, names in dropped.items() if names)


def guess_format(text: str) -> str | None:
    """The format that a text looks to be in, or None.

    >>> guess_format("digraph { A -> B }"), guess_format("y ~ x"), guess_format("hello")
    ('dot', 'lavaan', None)
    """
    start = COMMENTS.sub(" ", text[:SEEN].lstrip("\ufeff"))
    return next((format for format, sign in SIGNS if sign.match(start)), None)


def format_of_file(name: str) -> str | None:
    """The format that a file's name tells, or None.

    >>> format_of_file("asia.bif"), format_of_file("asia.txt")
    ('bif', None)
    """
    return next((format for format, form in FORMATS.items() if name.lower().endswith(form.suffixes)), None)


def _format(name: str) -> Format:
    if name not in FORMATS:
        help = did_you_mean(name, FORMATS) or f"there is {', '.join(FORMATS)}"
        raise SutureError(Diagnostic("S022", f"there is no graph format '{name[:60]}'", help=help))
    return FORMATS[name]
