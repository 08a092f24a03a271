"""Bayesian networks in XMLBIF 0.3 (Cozman 1998), as JavaBayes, Weka, SamIam, pgmpy and pyAgrum (`.bifxml`) write them.

In a `TABLE` the child's value varies fastest, then that of the last `GIVEN`.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from ..program import Model
from ..source import Source
from .graph import Draft, listed
from .network_tables import Placed, Tables
from .network_writing import NetworkWriter
from .reading import Word
from .xml_text import Element, parsed_xml

WHAT = "an XMLBIF network"


def read(source: Source) -> Draft:
    """The network of an XMLBIF text, with its probabilities.

    Raises `SutureError`: S020 where the text is not XMLBIF, S021 for decisions and utilities, and the codes of values
    and tables.
    """
    root = parsed_xml(source, WHAT)
    draft = Draft(source)
    network = root.first("NETWORK")
    if root.tag.upper() != "BIF" or network is None:
        raise draft.refuse("S020", f"this is not {WHAT}", root.span, "expected <BIF> with a <NETWORK> in it")
    name = network.first("NAME")
    draft.name = name.text if name else None
    for variable in network.all("VARIABLE"):
        _take_variable(draft, variable)
    tables = Tables(draft)
    for definition in network.all("DEFINITION", "PROBABILITY"):
        _take_definition(draft, tables, definition)
    tables.finish()
    return draft


def _take_variable(draft: Draft, variable: Element) -> None:
    name = _name(draft, variable)
    kind = variable.attributes.get("TYPE", "nature")
    if kind.lower() != "nature":
        text = f"{name.text} is a node of type {kind}, and a model has variables of nature alone"
        raise draft.refuse("S021", text, variable.span, "not a variable", "leave the node out")
    if name.text in draft.nodes:
        raise draft.refuse("S101", f"the variable {name.text} is given twice", name.span, "again")
    draft.node(name.text, name.span)
    outcomes = [outcome.text for outcome in variable.all("OUTCOME", "VALUE")]
    if not outcomes:
        raise draft.refuse("S020", f"{name.text} has no values", name.span, "no <OUTCOME>")
    draft.values(name.text, outcomes, variable.span)
    for part in variable.all("PROPERTY"):
        key, _, value = (piece.strip() for piece in part.text.partition("="))
        if key in ("latent", "roles"):
            draft.hide(name.text, value.lower() in ("yes", "true", "1") or "latents" in value)


def _name(draft: Draft, variable: Element) -> Word:
    name = variable.first("NAME")
    if name is None or not name.text:
        raise draft.refuse("S020", "a variable has no name", variable.span, "no <NAME>")
    return name.word


def _take_definition(draft: Draft, tables: Tables, definition: Element) -> None:
    children = [part.word for part in definition.all("FOR")]
    parents = [part.word for part in definition.all("GIVEN")]
    if len(children) != 1:
        text = f"a joint distribution of {listed(child.text for child in children) or 'nothing'}"
        raise draft.refuse("S021", text, definition.span, "not one variable", "give one variable at a time")
    tables.start(children[0], parents)
    numbers = definition.first("TABLE")
    written = Placed(numbers.text.split(), numbers.span) if numbers else None
    tables.take(children[0], parents, tables.flat(children[0], parents, written) if written else None)


def write(model: Model) -> str:
    """The model in XMLBIF.  Raises `SutureError` (S023) as the writers of networks do."""
    return "".join(f"{line}\n" for line in _lines(model, NetworkWriter("XMLBIF", model)))


def _lines(model: Model, writer: NetworkWriter) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<BIF VERSION="0.3">'
    yield f"<NETWORK>\n<NAME>{escape(model.name)}</NAME>"
    for variable in model.variables:
        yield f'<VARIABLE TYPE="nature">\n  <NAME>{escape(variable.name)}</NAME>'
        yield from (f"  <OUTCOME>{escape(label)}</OUTCOME>" for label in writer.labels(variable.name))
        if variable.latent:
            yield "  <PROPERTY>latent = yes</PROPERTY>"
        yield "</VARIABLE>"
    for variable in model.variables:
        yield f"<DEFINITION>\n  <FOR>{escape(variable.name)}</FOR>"
        yield from (f"  <GIVEN>{escape(parent)}</GIVEN>" for parent in model.parents(variable.name))
        rows = [" ".join(numbers) for _, numbers in writer.rows(variable.name)]
        if rows:
            yield "  <TABLE>\n    {}\n  </TABLE>".format("\n    ".join(rows))
        yield "</DEFINITION>"
    yield "</NETWORK>\n</BIF>"
