"""Named effects as formulas over kernels, treatment at `low` against `high`.

With an outcome's value y an effect is a difference of probabilities of y, without one a difference of expectations.
Probabilities of causation are Pearl's (Causality, 2009, section 9.2): pn = P(Y[low] != y | X = high, Y = y),
ps = P(Y[high] = y | X = low, Y != y), pns = P(Y[high] = y, Y[low] != y).  Natural effects are Pearl's (2001): nde holds
the mediators at their values under `low`, nie moves only them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from .expectation import Moment, expected
from .formula import ONE, Formula, Kernel, Term, negative, plus, ratio


@dataclass(frozen=True, slots=True)
class Contrast:
    """What an effect compares; `outcome` has a value or stands for its number, `other` is the other of two values."""

    treatment: str
    low: str
    high: str
    outcome: Term
    other: str | None
    mediators: tuple[Term, ...] = ()
    given: tuple[Term, ...] = ()

    def at(self, level: str) -> Term:
        """The treatment at a level."""
        return Term(self.treatment, level)

    def under(self, level: str, *more: Term) -> Term:
        """The outcome in the world where the treatment has a level."""
        return replace(self.outcome, world=(self.at(level), *more))

    def natural(self, level: str) -> tuple[Term, ...]:
        """The mediators at the values they have when the treatment has a level."""
        return tuple(Term(mediator.variable, None, (self.at(level),)) for mediator in self.mediators)

    def measure(self, outcome: Term, given: tuple[Term, ...] = (), do: tuple[Term, ...] = ()) -> Formula:
        """The probability of the outcome's value, or its expectation where it has none."""
        if outcome.value is None:
            return expected((Moment(Fraction(1), (outcome,)),), (*given, *self.given), do)
        return Kernel((outcome,), (*given, *self.given), do)


def effect_formula(kind: str, contrast: Contrast) -> Formula:
    """The formula of a named effect; `kind` is a key of `EFFECTS`."""
    return EFFECTS[kind](contrast)


def _difference(first: Formula, second: Formula) -> Formula:
    return plus((first, negative(second)))


def _ate(contrast: Contrast) -> Formula:
    high = contrast.measure(contrast.outcome, (), (contrast.at(contrast.high),))
    return _difference(high, contrast.measure(contrast.outcome, (), (contrast.at(contrast.low),)))


def _on(contrast: Contrast, level: str) -> Formula:
    """The effect on those whose treatment has a level."""
    given = (contrast.at(level),)
    high = contrast.measure(contrast.under(contrast.high), given)
    return _difference(high, contrast.measure(contrast.under(contrast.low), given))


def _ett(contrast: Contrast) -> Formula:
    return _on(contrast, contrast.high)


def _atu(contrast: Contrast) -> Formula:
    return _on(contrast, contrast.low)


def _cde(contrast: Contrast) -> Formula:
    high = contrast.measure(contrast.outcome, (), (contrast.at(contrast.high), *contrast.mediators))
    low = contrast.measure(contrast.outcome, (), (contrast.at(contrast.low), *contrast.mediators))
    return _difference(high, low)


def _nde(contrast: Contrast) -> Formula:
    direct = contrast.measure(contrast.under(contrast.high, *contrast.natural(contrast.low)))
    return _difference(direct, contrast.measure(contrast.under(contrast.low)))


def _nie(contrast: Contrast) -> Formula:
    indirect = contrast.measure(contrast.under(contrast.low, *contrast.natural(contrast.high)))
    return _difference(indirect, contrast.measure(contrast.under(contrast.low)))


def _pn(contrast: Contrast) -> Formula:
    given = (contrast.at(contrast.high), contrast.outcome, *contrast.given)
    if contrast.other is not None:
        return Kernel((replace(contrast.under(contrast.low), value=contrast.other),), given)
    return _difference(ONE, Kernel((contrast.under(contrast.low),), given))


def _ps(contrast: Contrast) -> Formula:
    low, kept = contrast.at(contrast.low), contrast.under(contrast.high)
    if contrast.other is not None:
        other = replace(contrast.outcome, value=contrast.other)
        return Kernel((kept,), (low, other, *contrast.given))
    above = _difference(Kernel((kept, low), contrast.given), Kernel((kept, contrast.outcome, low), contrast.given))
    return ratio(above, _difference(Kernel((low,), contrast.given), Kernel((contrast.outcome, low), contrast.given)))


def _pns(contrast: Contrast) -> Formula:
    kept, lost = contrast.under(contrast.high), contrast.under(contrast.low)
    if contrast.other is not None:
        return Kernel((kept, replace(lost, value=contrast.other)), contrast.given)
    return _difference(Kernel((kept,), contrast.given), Kernel((kept, lost), contrast.given))


EFFECTS: Mapping[str, Callable[[Contrast], Formula]] = {
    "ate": _ate,
    "ett": _ett,
    "atu": _atu,
    "cde": _cde,
    "nde": _nde,
    "nie": _nie,
    "pn": _pn,
    "ps": _ps,
    "pns": _pns,
}
