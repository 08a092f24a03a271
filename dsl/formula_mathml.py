"""Formulas as MathML, which browsers set and screen readers read without any script.

Every text is escaped; names longer than a letter are one identifier, digits at their end a subscript, as in LaTeX.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import assert_never

from .formula import Constant, Formula, Kernel, Plus, Product, Ratio, Sum, Symbol, Term, ValueOf, canonical, fold
from .formula_text import Piece, Strength, text

THIN = '<mspace width="0.17em"></mspace>'


def mathml(formula: Formula, block: bool = False) -> str:
    """The formula as a `math` element, in a line of its own where `block`.

    >>> from suture.dsl.formula import probability
    >>> mathml(probability(["Y"]))[:31]
    '<math aria-label="P(Y)"><mrow><'
    """
    body = fold(canonical(formula), _piece).text
    display = ' display="block"' if block else ""
    return f'<math{display} aria-label="{escape(text(formula))}"><mrow>{body}</mrow></math>'


def mathml_equation(left: Formula | None, right: Formula) -> str:
    """An equality in one line; without its left side where that was said before."""
    first = "" if left is None else fold(canonical(left), _piece).text
    said = "" if left is None else f"{text(left)} "
    second = fold(canonical(right), _piece).text
    label = escape(f"{said}= {text(right)}")
    return f'<math aria-label="{label}"><mrow>{first}{_operator("=")}{second}</mrow></math>'


def _piece(node: Formula, below: tuple[Piece, ...]) -> Piece:
    match node:
        case Constant(value):
            return _constant(str(abs(value.numerator)), str(value.denominator), value < 0)
        case ValueOf(term):
            return Piece(_term(term) if term.value is None else _value(term), Strength.ATOM)
        case Kernel():
            return Piece(_kernel(node), Strength.ATOM)
        case Product():
            return _product(below)
        case Ratio():
            return Piece(f"<mfrac><mrow>{below[0].text}</mrow><mrow>{below[1].text}</mrow></mfrac>", Strength.RATIO)
        case Sum():
            binders = _operator(",").join(_name(symbol.name) for symbol in node.binders)
            sign = f'<munder><mo movablelimits="false">∑</mo><mrow>{binders}</mrow></munder>'
            return Piece(f"{sign}{_at(below[0], Strength.SUM)}", Strength.SUM)
        case Plus():
            return Piece(_plus(below), Strength.PLUS)
        case _:
            assert_never(node)


def _constant(above: str, below: str, negative: bool) -> Piece:
    number = f"<mn>{above}</mn>"
    if below != "1":
        number = f"<mfrac><mn>{above}</mn><mn>{below}</mn></mfrac>"
    return Piece(MINUS + number, Strength.PLUS) if negative else Piece(number, Strength.ATOM)


def _operator(sign: str) -> str:
    return f"<mo>{escape(sign)}</mo>"


def _bracket(body: str) -> str:
    return f'<mo stretchy="false">(</mo>{body}<mo stretchy="false">)</mo>'


MINUS = '<mo form="prefix">−</mo>'
MINUS_ONE = f"{MINUS}<mn>1</mn>"


def _at(piece: Piece, least: Strength) -> str:
    return piece.text if piece.strength >= least else f"<mrow><mo>(</mo>{piece.text}<mo>)</mo></mrow>"


def _product(factors: Sequence[Piece]) -> Piece:
    if factors[0].text == MINUS_ONE and len(factors) > 1:
        rest = factors[1] if len(factors) == 2 else _product(factors[1:])
        return Piece(f"{MINUS}{_at(rest, Strength.SUM)}", Strength.PLUS)
    parts = [_at(factor, Strength.RATIO) for factor in factors[:-1]]
    parts.append(_at(factors[-1], Strength.SUM))
    open_ended = factors[-1].strength is Strength.SUM
    return Piece(THIN.join(parts), Strength.SUM if open_ended else Strength.PRODUCT)


def _plus(summands: tuple[Piece, ...]) -> str:
    joined = summands[0].text
    for summand in summands[1:]:
        if summand.text.startswith(MINUS):
            joined += _operator("−") + summand.text.removeprefix(MINUS)
        else:
            joined += _operator("+") + summand.text
    return joined


def _kernel(kernel: Kernel) -> str:
    letter = "<mi>P</mi>"
    if kernel.source is not None:
        letter = f"<msub>{letter}<mrow>{_name(kernel.source)}</mrow></msub>"
    conditions = [f'<mi mathvariant="normal">do</mi>{_bracket(_terms(kernel.do))}'] if kernel.do else []
    conditions += [_term(term) for term in kernel.given]
    bar = f'<mo lspace="0.28em" rspace="0.28em">|</mo>{_operator(",").join(conditions)}' if conditions else ""
    return f"{letter}{_bracket(_terms(kernel.outcomes) + bar)}"


def _terms(terms: tuple[Term, ...]) -> str:
    return _operator(",").join(map(_term, terms))


def _term(term: Term) -> str:
    if term.swap is not None:
        return f"{_name(term.variable)}{_operator('∼')}{_name(term.swap)}"
    name = _name(term.variable)
    if term.world:
        name = f"<msub><mrow>{name}</mrow><mrow>{_terms(term.world)}</mrow></msub>"
    if term.value is None:
        return name
    return f'{name}<mo lspace="0.1em" rspace="0.1em">=</mo>{_value(term)}'


def _value(term: Term) -> str:
    match term.value:
        case Symbol(name, _):
            return _name(name)
        case str() as label:
            number = label.lstrip("-").replace(".", "", 1).isdigit()
            return f"<mn>{escape(label)}</mn>" if number else f"<mtext>{escape(label)}</mtext>"
        case _:
            return ""


def _name(name: str) -> str:
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    slant = ' style="font-style:italic"' if len(stem) > 1 else ""
    body = f"<mi{slant}>{escape(stem)}</mi>"
    return (
        f"<msub>{body}<mn>{digits}</mn></msub>" if digits and stem else f"<mi>{escape(name)}</mi>" if digits else body
    )
