"""Bayesian networks in Hugin's NET language, as Hugin, bnlearn, pgmpy and pyAgrum write them.

In `data` the child's value varies fastest, then that of the last parent; its parentheses only repeat that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token, Tree

from ..program import Model
from ..source import Source
from .graph import Draft, listed
from .network_tables import Placed, Tables
from .network_writing import NetworkWriter
from .reading import Word, children, parsed, word

COMMENT = re.compile(r"%[^\n]*")
EXPRESSIONS = ("data", "model_data")
BRACKETS = str.maketrans("(),", "   ")


def read(source: Source) -> Draft:
    """The network of a NET text, with its probabilities.

    Raises `SutureError`: S020 where the text is not NET, S021 for nodes that are not discrete, and the codes of values
    and tables.
    """
    draft = Draft(source)
    tree = parsed("net", source)
    for attribute in children(tree, "attribute"):
        key, *value = _words(attribute)
        if key.text == "name" and value:
            draft.name = value[0].text
    for node in children(tree, "node"):
        _take_node(draft, node)
    tables = Tables(draft)
    for potential in children(tree, "potential"):
        _take_potential(draft, tables, potential)
    tables.finish()
    return draft


def _name(part: Tree[Token]) -> Word:
    (token,) = part.children
    assert isinstance(token, Token)
    return word(token, token[1:-1] if token.type == "STRING" else None)


def _words(part: Tree[Token]) -> list[Word]:
    """The names of an attribute in their order, its own first; parentheses only group."""
    found: list[Word] = []
    waiting = list(reversed(part.children))
    while waiting:
        each = waiting.pop()
        if isinstance(each, Tree) and each.data == "name":
            found.append(_name(each))
        elif isinstance(each, Tree):
            waiting.extend(reversed(each.children))
    return found


def _take_node(draft: Draft, node: Tree[Token]) -> None:
    (name,) = [_name(part) for part in children(node, "name")]
    kind = next((str(part) for part in node.children if isinstance(part, Token)), "discrete")
    if kind != "discrete":
        text = f"{name.text} is a {kind} node, and only discrete variables have tables"
        raise draft.refuse("S021", text, name.span, f"{kind}", "leave the node out")
    if name.text in draft.nodes:
        raise draft.refuse("S101", f"the variable {name.text} is given twice", name.span, "again")
    draft.node(name.text, name.span)
    attributes = {key.text: values for key, *values in map(_words, children(node, "attribute"))}
    states = attributes.get("states", [])
    if not states:
        raise draft.refuse("S020", f"{name.text} has no values", name.span, "no states")
    draft.values(name.text, [state.text for state in states], states[0].span)
    labels = attributes.get("label", [])
    if labels and labels[0].text not in ("", name.text):
        draft.named[name.text] = labels[0].text


def _take_potential(draft: Draft, tables: Tables, potential: Tree[Token]) -> None:
    own = [_name(part) for part in children(potential, "name")]
    parents = [_name(name) for part in children(potential, "parents") for name in children(part, "name")]
    if len(own) != 1:
        text = f"a joint distribution of {listed(name.text for name in own)}"
        raise draft.refuse("S021", text, own[1].span, "a second variable", "give one variable at a time")
    tables.start(own[0], parents)
    for key, *_ in map(_words, children(potential, "attribute")):
        if key.text in EXPRESSIONS:
            text = f"the probabilities of {own[0].text} are given by an expression, not by a table"
            raise draft.refuse("S021", text, key.span, "no table", "let Hugin write the table, or leave the node out")
    found = children(potential, "data")
    if len(found) > 1:
        text = f"the probabilities of {own[0].text} are given twice"
        raise draft.refuse("S212", text, own[0].span, "more than one table")
    written = _numbers(found[0]) if found else None
    tables.take(own[0], parents, tables.flat(own[0], parents, written) if written else None)


def _numbers(data: Tree[Token]) -> Placed:
    (token,) = data.children
    assert isinstance(token, Token)
    text = COMMENT.sub("", token[token.index("=") + 1 : -1])
    first = word(token, token.split("\n")[0])
    return Placed(text.translate(BRACKETS).split(), first.span)


def write(model: Model) -> str:
    """The model in NET.  Raises `SutureError` (S023) as the writers of networks do."""
    return "".join(f"{line}\n" for line in _lines(model, NetworkWriter("NET", model)))


def _lines(model: Model, writer: NetworkWriter) -> Iterator[str]:
    yield f'net {{\n  name = "{model.name}";\n}}'
    for variable in model.variables:
        labels = " ".join(f'"{label}"' for label in writer.labels(variable.name))
        yield f"node {variable.name} {{\n  states = ({labels});\n}}"
    for variable in model.variables:
        parents = model.parents(variable.name)
        bar = f" | {' '.join(parents)}" if parents else ""
        yield f"potential ( {variable.name}{bar} ) {{"
        rows = [f"({' '.join(numbers)})" for _, numbers in writer.rows(variable.name)]
        if rows:
            data = "\n    ".join(_bracketed(rows, [len(writer.labels(parent)) for parent in parents]))
            yield f"  data = {data};"
        yield "}"


def _bracketed(rows: list[str], sizes: list[int]) -> list[str]:
    """The rows in brackets, one pair around each run over the values of a parent."""
    for size in reversed(sizes):
        rows = [f"({' '.join(rows[start : start + size])})" for start in range(0, len(rows), size)]
    return rows
