"""Bayesian networks of GeNIe and SMILE (`.xdsl`): chance nodes with tables, and deterministic ones.

In `probabilities` the node's own state varies fastest, then that of the last parent; `resultingstates` names the state
in each case of the parents, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

from ..labels import find_label
from ..program import Model
from ..source import Source
from .graph import Draft
from .network_tables import Placed, Tables, short
from .network_writing import NetworkWriter
from .reading import Word
from .xml_text import Element, parsed_xml

WHAT = "a GeNIe network"
TABLES = ("cpt", "deterministic")


def read(source: Source) -> Draft:
    """The network of an XDSL text, with its probabilities.

    Raises `SutureError`: S020 where the text is not XDSL, S021 for nodes that have no table (noisy gates, decisions,
    utilities, equations), and the codes of values and tables.
    """
    root = parsed_xml(source, WHAT)
    draft = Draft(source)
    nodes = root.first("nodes")
    if root.tag.lower() != "smile" or nodes is None:
        raise draft.refuse("S020", f"this is not {WHAT}", root.span, "expected <smile> with <nodes> in it")
    draft.name = root.attributes.get("id")
    for node in nodes.elements:
        _take_node(draft, node)
    tables = Tables(draft)
    for node in nodes.elements:
        _take_table(draft, tables, node)
    tables.finish()
    return draft


def _take_node(draft: Draft, node: Element) -> None:
    name = node.attributes.get("id", "")
    if node.tag not in TABLES:
        text = f"{short(name)} is a node of type {node.tag}, and a model has nodes with tables alone"
        help = "in GeNIe, change it into a chance node with a table (cpt), or leave it out"
        raise draft.refuse("S021", text, node.span, "no table", help)
    if not name:
        raise draft.refuse("S020", "a node has no id", node.span, "no id")
    if name in draft.nodes:
        raise draft.refuse("S101", f"the variable {name} is given twice", node.span, "again")
    draft.node(name, node.span)
    states = [state.attributes.get("id", "") for state in node.all("state")]
    if not states:
        raise draft.refuse("S020", f"{name} has no values", node.span, "no <state>")
    draft.values(name, states, node.span)


def _take_table(draft: Draft, tables: Tables, node: Element) -> None:
    child = Word(node.attributes["id"], node.span)
    listed = node.first("parents")
    parents = [Word(name, listed.span) for name in listed.text.split()] if listed else []
    tables.start(child, parents)
    numbers, results = node.first("probabilities"), node.first("resultingstates")
    written = Placed(numbers.text.split(), numbers.span) if numbers else None
    if results is not None:
        written = Placed(_points(draft, child, tables.labels(child.text), results), results.span)
    tables.take(child, parents, tables.flat(child, parents, written) if written else None)


def _points(draft: Draft, child: Word, labels: Sequence[str], results: Element) -> list[str]:
    """A one at the state that results in each case, zeros elsewhere."""
    found: list[str] = []
    for state in results.text.split():
        label = find_label(labels, state)
        if label is None:
            text = f"{child.text} has no value '{short(state)}'"
            raise draft.refuse("S201", text, results.span, "not a value", f"its values are {', '.join(labels)}")
        found += ["1" if each == label else "0" for each in labels]
    return found


def write(model: Model) -> str:
    """The model in XDSL.  Raises `SutureError` (S023) as the writers of networks do, and for a missing mechanism."""
    return "".join(f"{line}\n" for line in _lines(model, NetworkWriter("XDSL", model)))


def _lines(model: Model, writer: NetworkWriter) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<smile version="1.0" id={quoteattr(model.name)} numsamples="1000" discsamples="10000">'
    yield "  <nodes>"
    for name in writer.causes_first():
        yield f"    <cpt id={quoteattr(name)}>"
        yield from (f"      <state id={quoteattr(label)} />" for label in writer.labels(name))
        if model.parents(name):
            yield f"      <parents>{' '.join(model.parents(name))}</parents>"
        numbers = " ".join(number for _, row in writer.complete_rows(name) for number in row)
        yield f"      <probabilities>{numbers}</probabilities>\n    </cpt>"
    yield "  </nodes>\n</smile>"
