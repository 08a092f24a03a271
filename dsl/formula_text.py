"""Formulas as text that parses back, and the same in Unicode.

`text` writes what `formula_reader.read_formula` reads: a product is juxtaposition, a sum binds everything to its right
in the same product, a quotient binds tighter than a product.

    sum{t} P(Tar=t | Smoke=yes) sum{s} P(Smoke=s) P(Cancer=yes | Smoke=s, Tar=t)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import assert_never

from .formula import (
    Constant,
    Formula,
    Kernel,
    Plus,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    ValueOf,
    canonical,
    fold,
    node_terms,
    subformulas,
)

# Labels that are read back without quotes.
PLAIN = re.compile(r"[^\W\d_]\w*|-?\d+(\.\d+)?([eE][+-]?\d+)?(/\d+)?")


class Strength(IntEnum):
    """How tightly a piece of text holds together, loosest first."""

    PLUS = 0
    SUM = 1
    PRODUCT = 2
    RATIO = 3
    ATOM = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """Text with the strength of its outermost operation."""

    text: str
    strength: Strength

    def at(self, least: Strength) -> str:
        """The text, in parentheses where it holds together less than `least`."""
        return self.text if self.strength >= least else f"({self.text})"


def text(formula: Formula) -> str:
    """The formula as ASCII text that `read_formula` reads back to an equal formula.

    >>> from suture.dsl.formula import probability, product, sum_over
    >>> text(sum_over(["Z"], product([probability(["Y"], ["X", "Z"]), probability(["Z"])])))
    'sum{z} P(Y | X, Z=z) P(Z=z)'
    """
    return fold(canonical(formula), lambda node, below: _piece(node, below, "sum{", "} ")).text


def unicode_text(formula: Formula) -> str:
    """The formula with the summation sign, for terminals.

    >>> from suture.dsl.formula import probability, sum_over
    >>> unicode_text(sum_over(["Z"], probability(["Y", "Z"])))
    '∑{z} P(Y, Z=z)'
    """
    return fold(canonical(formula), lambda node, below: _piece(node, below, "∑{", "} ")).text


def kernel_text(kernel: Kernel) -> str:
    """One kernel as it stands, binders not renamed."""
    source = f"[{kernel.source}]" if kernel.source is not None else ""
    conditions = [f"do({_list(kernel.do)})"] if kernel.do else []
    conditions += [term_text(term) for term in kernel.given]
    bar = f" | {', '.join(conditions)}" if conditions else ""
    return f"P{source}({_list(kernel.outcomes)}{bar})"


def term_text(term: Term) -> str:
    """A term: `Smoke`, `Smoke=yes`, `Age="18-25"`, `Smoke=s`, `Y[X=1]=alive`, and inside a world `Lab ~ rural`."""
    if term.swap is not None:
        return f"{term.variable} ~ {term.swap}"
    world = f"[{_list(term.world)}]" if term.world else ""
    match term.value:
        case None:
            return f"{term.variable}{world}"
        case Symbol(name, _):
            return f"{term.variable}{world}={name}"
        case str() as label:
            return f"{term.variable}{world}={label_text(label)}"
        case _:
            assert_never(term.value)


def label_text(label: str) -> str:
    """A label as it is where it reads back bare (a name, a number, a quotient of two), in quotes otherwise."""
    return label if PLAIN.fullmatch(label) else f'"{label}"'


def _list(terms: tuple[Term, ...]) -> str:
    return ", ".join(map(term_text, terms))


def constant_text(value: Fraction) -> str:
    """A number as a whole number or an exact quotient."""
    return str(value)


def _piece(node: Formula, below: tuple[Piece, ...], opening: str, closing: str) -> Piece:
    match node:
        case Constant(value):
            strength = Strength.PLUS if value < 0 else Strength.RATIO if value.denominator > 1 else Strength.ATOM
            return Piece(constant_text(value), strength)
        case ValueOf(term):
            return Piece(_value_text(term), Strength.ATOM)
        case Kernel():
            return Piece(kernel_text(node), Strength.ATOM)
        case Product():
            return _product(below)
        case Ratio():
            return Piece(f"{below[0].at(Strength.ATOM)} / {below[1].at(Strength.ATOM)}", Strength.RATIO)
        case Sum():
            binders = ", ".join(_binder(symbol, node) for symbol in node.binders)
            return Piece(f"{opening}{binders}{closing}{below[0].at(Strength.SUM)}", Strength.SUM)
        case Plus():
            return Piece(_plus(below), Strength.PLUS)
        case _:
            assert_never(node)


def _product(factors: Sequence[Piece]) -> Piece:
    """Factors side by side; only the last may be a bare sum, and a leading -1 becomes a sign."""
    if factors[0].text == "-1" and len(factors) > 1:
        rest = factors[1] if len(factors) == 2 else _product(factors[1:])
        return Piece(f"-{rest.at(Strength.SUM)}", Strength.PLUS)
    *front, last = factors
    parts = [factor.at(Strength.RATIO) for factor in front]
    parts.append(last.text if last.strength is Strength.SUM else last.at(Strength.RATIO))
    return Piece(" ".join(parts), Strength.SUM if last.strength is Strength.SUM else Strength.PRODUCT)


def _plus(summands: tuple[Piece, ...]) -> str:
    """Summands joined by signs; a sum or a sign inside any but the last is kept apart by parentheses."""
    pieces = [_summand(summand, last=place == len(summands) - 1) for place, summand in enumerate(summands)]
    joined = pieces[0]
    for piece in pieces[1:]:
        joined += f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}"
    return joined


def _summand(piece: Piece, last: bool) -> str:
    if piece.strength is Strength.PLUS:
        return piece.text if piece.text.startswith("-") and not _is_compound(piece.text) else f"({piece.text})"
    return piece.text


def _is_compound(text: str) -> bool:
    """Whether a signed text goes on with another sign outside parentheses and braces."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "({[") - (character in ")}]")
        if depth == 0 and place > 0 and character in "+-" and text[place - 1] == " ":
            return True
    return False


def _value_text(term: Term) -> str:
    """The number of a term: the symbol or the bare name alone, `value(Y=2)` otherwise."""
    if not term.world and isinstance(term.value, Symbol):
        return term.value.name
    if not term.world and term.value is None:
        return term.variable
    return f"value({term_text(term)})"


def _binder(symbol: Symbol, scope: Sum) -> str:
    """A bound symbol; with its variable where no term `Variable=symbol` in the scope shows it."""
    shown = any(
        term.value == symbol and term.variable == symbol.variable
        for node in subformulas(scope.body)
        if isinstance(node, Kernel)
        for term in node_terms(node)
    )
    return symbol.name if shown else f"{symbol.name}: {symbol.variable}"
