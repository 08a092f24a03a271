r"""Formulas as LaTeX, in the notation of the literature: `P(y \mid \operatorname{do}(x))` spelled with full names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from .formula import Constant, Formula, Kernel, Plus, Product, Ratio, Sum, Symbol, Term, ValueOf, canonical, fold
from .formula_text import Piece, Strength


def latex(formula: Formula) -> str:
    r"""The formula as LaTeX for a display.

    >>> from suture.dsl.formula import probability, product, sum_over
    >>> latex(sum_over(["Z"], product([probability(["Y"], ["X", "Z"]), probability(["Z"])])))
    '\\sum_{z} P(Y \\mid X, Z{=}z)\\, P(Z{=}z)'
    """
    return fold(canonical(formula), _piece).text


def _piece(node: Formula, below: tuple[Piece, ...]) -> Piece:
    match node:
        case Constant(value):
            if value.denominator > 1:
                sign = "-" if value < 0 else ""
                fraction = rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
                return Piece(fraction, Strength.PLUS if value < 0 else Strength.ATOM)
            return Piece(str(value), Strength.PLUS if value < 0 else Strength.ATOM)
        case ValueOf(term):
            return Piece(_term(term) if term.value is None else _value(term), Strength.ATOM)
        case Kernel():
            return Piece(_kernel(node), Strength.ATOM)
        case Product():
            return _product(below)
        case Ratio():
            return Piece(rf"\frac{{{below[0].text}}}{{{below[1].text}}}", Strength.RATIO)
        case Sum():
            binders = ", ".join(_name(symbol.name) for symbol in node.binders)
            return Piece(rf"\sum_{{{binders}}} {_at(below[0], Strength.SUM)}", Strength.SUM)
        case Plus():
            return Piece(_plus(below), Strength.PLUS)
        case _:
            assert_never(node)


def _at(piece: Piece, least: Strength) -> str:
    return piece.text if piece.strength >= least else rf"\left({piece.text}\right)"


def _product(factors: Sequence[Piece]) -> Piece:
    if factors[0].text == "-1" and len(factors) > 1:
        rest = factors[1] if len(factors) == 2 else _product(factors[1:])
        return Piece(f"-{_at(rest, Strength.SUM)}", Strength.PLUS)
    parts = [_at(factor, Strength.RATIO) for factor in factors[:-1]]
    parts.append(_at(factors[-1], Strength.SUM))
    open_ended = factors[-1].strength is Strength.SUM
    return Piece(r"\, ".join(parts), Strength.SUM if open_ended else Strength.PRODUCT)


def _plus(summands: tuple[Piece, ...]) -> str:
    joined = summands[0].text
    for summand in summands[1:]:
        joined += f" - {summand.text[1:]}" if summand.text.startswith("-") else f" + {summand.text}"
    return joined


def _kernel(kernel: Kernel) -> str:
    source = f"_{{{_name(kernel.source)}}}" if kernel.source is not None else ""
    conditions = [rf"\operatorname{{do}}({_terms(kernel.do)})"] if kernel.do else []
    conditions += [_term(term) for term in kernel.given]
    bar = rf" \mid {', '.join(conditions)}" if conditions else ""
    return f"P{source}({_terms(kernel.outcomes)}{bar})"


def _terms(terms: tuple[Term, ...]) -> str:
    return ", ".join(map(_term, terms))


def _term(term: Term) -> str:
    if term.swap is not None:
        return rf"{_name(term.variable)} \sim {_name(term.swap)}"
    world = f"_{{{_terms(term.world)}}}" if term.world else ""
    return _name(term.variable) + world + ("" if term.value is None else f"{{=}}{_value(term)}")


def _value(term: Term) -> str:
    match term.value:
        case Symbol(name, _):
            return _name(name)
        case str() as label:
            return label if label.lstrip("-").replace(".", "", 1).isdigit() else rf"\text{{{_escape(label)}}}"
        case _:
            return ""


def _name(name: str) -> str:
    """One letter as it is, a letter with digits as a subscript, longer names upright-italic as one word."""
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    body = stem if len(stem) == 1 else rf"\mathit{{{_escape(stem)}}}"
    return f"{body}_{{{digits}}}" if digits else body


def _escape(text: str) -> str:
    """Text with the characters that LaTeX reads as commands made harmless."""
    special = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
    return "".join(special.get(c, f"\\{c}" if c in "_%&#${}" else c) for c in text)
