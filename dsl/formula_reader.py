"""Reading formulas back: the inverse of `formula_text.text`.

Everything is built bottom-up while the parser reduces, so depth costs no stack.  A name on the right of `=` is a label
until the `sum{..}` around it turns it into its bound symbol; inner sums are reduced first, which is what scoping asks
for.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput

from .diagnostics import Diagnostic, SutureError
from .formula import (
    Constant,
    Formula,
    Kernel,
    Sum,
    Symbol,
    Term,
    ValueOf,
    map_terms,
    negative,
    node_terms,
    plus,
    product,
    ratio,
    rebuild,
    subformulas,
)
from .source import Source, Span


def read_formula(text: str) -> Formula:
    """The formula that `text` spells.

    Raises `SutureError` (S007) where the text is not a formula.

    >>> from suture.dsl.formula_text import text
    >>> text(read_formula("sum{t} P(Tar=t | Smoke) P(Cancer | Tar=t)"))
    'sum{t} P(Tar=t | Smoke) P(Cancer | Tar=t)'
    """
    try:
        result: Any = _parser().parse(text)
    except UnexpectedInput as error:
        raise SutureError(_diagnostic(error, text), Source(text, "<formula>")) from None
    return result


def _diagnostic(error: UnexpectedInput, text: str) -> Diagnostic:
    start = error.pos_in_stream if error.pos_in_stream is not None and error.pos_in_stream >= 0 else len(text)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Diagnostic(
        "S007",
        "this is not a formula",
        Span(start, start + 1, line, column),
        "the formula cannot go on like this" if start < len(text) else "the formula ends too early",
        "formulas look like `sum{z} P(Y | X, Z=z) P(Z=z)`",
    )


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("formula.lark").read_text(encoding="utf-8")
    return Lark(grammar, start="formula", parser="lalr", transformer=_Build())


class _Build(Transformer[Token, Formula]):
    """One method a grammar rule; names follow the grammar."""

    def single(self, items: list[Any]) -> Formula:
        return items[0]

    def negated(self, items: list[Any]) -> Formula:
        return negative(items[1])

    def added(self, items: list[Any]) -> Formula:
        return plus(items)

    def subtracted(self, items: list[Any]) -> Formula:
        return plus((items[0], negative(items[2])))

    def product(self, items: list[Any]) -> Formula:
        return product(items)

    def summation(self, items: list[Any]) -> Formula:
        *binders, body = items
        return _bind(binders, body)

    def quotient(self, items: list[Any]) -> Formula:
        return ratio(*items)

    def number(self, items: list[Token]) -> Formula:
        return Constant(Fraction(str(items[0])))

    def value_of_name(self, items: list[Token]) -> Formula:
        return ValueOf(Term(str(items[0])))

    def value_of(self, items: list[Any]) -> Formula:
        return ValueOf(items[0])

    def binder(self, items: list[Any]) -> tuple[str, str | None]:
        return str(items[0]), None if items[1] is None else str(items[1])

    def kernel(self, items: list[Any]) -> Formula:
        source, outcomes, *conditions = items
        given: list[Term] = []
        do: list[Term] = []
        for condition in conditions:
            if isinstance(condition, Term):
                given.append(condition)
            elif condition is not None:
                do.extend(condition)
        return Kernel(tuple(outcomes), tuple(given), tuple(do), None if source is None else str(source))

    def do(self, items: list[Any]) -> tuple[Term, ...]:
        return items[0]

    def terms(self, items: list[Any]) -> tuple[Term, ...]:
        return tuple(items)

    def term(self, items: list[Any]) -> Term:
        name, world, label = items
        return Term(str(name), label, world or ())

    def world(self, items: list[Any]) -> tuple[Term, ...]:
        return tuple(items)

    def swap(self, items: list[Token]) -> Term:
        return Term(str(items[0]), swap=str(items[1]))

    def label(self, items: list[Token]) -> str:
        return "".join(map(str, items)).strip('"')

    def quotient_label(self, items: list[Token]) -> str:
        *above, below = map(str, items)
        return f"{''.join(above)}/{below}"


def _bind(binders: list[tuple[str, str | None]], body: Formula) -> Formula:
    """The sum over `body` in which the labels spelled like the binders become symbols."""
    bound = {name: Symbol(name, variable or _variable_of(name, body)) for name, variable in binders}

    def change(term: Term) -> Term:
        if isinstance(term.value, str) and term.value in bound and bound[term.value].variable == term.variable:
            return replace(term, value=bound[term.value])
        return term

    def number(node: Formula) -> Formula:
        if isinstance(node, ValueOf) and node.term.value is None and node.term.variable in bound:
            symbol = bound[node.term.variable]
            return ValueOf(Term(symbol.variable, symbol))
        return node

    return Sum(tuple(bound.values()), rebuild(map_terms(body, change), number))


def _variable_of(name: str, body: Formula) -> str:
    """The variable whose value the symbol `name` stands for: the one written `Variable=name`."""
    found = {
        term.variable
        for node in subformulas(body)
        if isinstance(node, Kernel)
        for term in node_terms(node)
        if term.value == name
    }
    if len(found) == 1:
        return found.pop()
    fact = "does not say which variable it sums over" if not found else f"would sum over {' and '.join(sorted(found))}"
    raise SutureError(Diagnostic("S007", f"sum{{{name}}} {fact}", help=f"write `sum{{{name}: Variable}}`"))
