"""A program's latent model as matrices, where every equation is affine, and matrices as a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.program import Equation
from ..real.affine import Affine, affine
from . import exact_linear as linear
from .exact_linear import Matrix
from .latent_worlds import LatentWorlds, Noise, refused
from .linear_domains import LinearDomains, agree, counts, uniform

VARIANCES: Mapping[str, Fraction] = {
    "Normal": Fraction(1), "Laplace": Fraction(2), "Uniform": Fraction(1, 12), "Exponential": Fraction(1),
}  # fmt: skip
"""Variances of the standard laws: Normal(0, 1), Laplace(0, 1), Uniform(0, 1), Exponential(1); Logistic's: pi^2 / 3."""
MEANS: Mapping[str, Fraction] = {"Uniform": Fraction(1, 2), "Exponential": Fraction(1)}
STANDARD: Mapping[str, str] = {"Laplace": "0, 1", "Logistic": "0, 1", "Uniform": "0, 1", "Exponential": "1"}


def linear_domains(worlds: LatentWorlds) -> LinearDomains:
    """The matrices of a model whose equations are affine.

    Raises `SutureError`: S450 where an equation is not, S460 where a parameter has no value or domains see differently,
    S461 where the noise cannot be recovered, naming the mechanism.
    """
    forms = {domain: _forms(worlds, domain) for domain in worlds.domains}
    variances = tuple(_variance(worlds, forms, node) for node in worlds.nodes)
    made = [_Expanded.of(worlds, domain, forms[domain], variances) for domain in worlds.domains]
    for domain, own in zip(worlds.domains, made, strict=True):
        _same_observation(worlds, domain, own, made[0])
    model = LinearDomains(
        worlds.model.observed,
        worlds.nodes,
        worlds.domains,
        made[0].observation,
        made[0].offset,
        tuple(own.mechanism for own in made),
        tuple(own.shift for own in made),
        tuple(worlds.laws[node] for node in worlds.nodes),
        tuple(law_variance(worlds.laws[node]) * scale for node, scale in zip(worlds.nodes, variances, strict=True)),
    )
    model = uniform(model)
    _invertible(worlds, model)
    return _centred(model)


def law_variance(law: Noise) -> Any:
    """The variance of a standard law."""
    return VARIANCES[law.family] if law.family in VARIANCES else float(np.pi**2 / 3)


def _forms(worlds: LatentWorlds, domain: str) -> dict[str, Affine]:
    found: dict[str, Affine] = {}
    for name in worlds.order:
        mechanism = worlds.mechanisms[domain][name]
        assert isinstance(mechanism, Equation)
        form = affine(name, mechanism.expression, mechanism.parents)
        for root in worlds.owned.get(name, ()):
            form = _with_noise(form, root, found[root])
        found[name] = form
    return found


def _with_noise(form: Affine, root: str, noise: Affine) -> Affine:
    """The form with a named noise written as `noise`."""
    factor = form.coefficient(root)
    rest = Affine(form.constant, tuple(term for term in form.coefficients if term[0] != root), form.noise)
    return rest.plus(noise.scaled(factor))


def _variance(worlds: LatentWorlds, forms: Mapping[str, Mapping[str, Affine]], node: str) -> Any:
    """The square of the noise's coefficient in the first domain where it is the root of a rational, else one.

    So that `sqrt(1/13)*noise` is a noise of variance 1/13, and everything else stays rational.
    """
    factors = [forms[domain][node].noise for domain in worlds.domains]
    if all(isinstance(factor, Fraction) for factor in factors):
        return Fraction(1)
    square = _rational(factors[0] ** 2)
    if square is None or square == 0 or any(_rational(factor / factors[0]) is None for factor in factors):
        return Fraction(1)
    return square


def _rational(number: Any) -> Fraction | None:
    """A number as a Fraction, where it is rational."""
    if isinstance(number, Fraction):
        return number
    import sympy

    simple: Any = sympy.nsimplify(sympy.radsimp(number), rational=False) if not number.free_symbols else number
    return Fraction(int(simple.p), int(simple.q)) if simple.is_Rational else None


@dataclass(frozen=True)
class _Expanded:
    """One domain's matrices: nodes in terms of noises, observed variables in terms of nodes."""

    mechanism: Matrix
    shift: Matrix
    observation: Matrix
    offset: Matrix

    @classmethod
    def of(cls, worlds: LatentWorlds, domain: str, forms: Mapping[str, Affine], variances: Sequence[Any]) -> _Expanded:
        size = len(worlds.nodes)
        in_noise: dict[str, list[Any]] = {}
        in_nodes: dict[str, list[Any]] = {}
        named = {root for own in worlds.owned.values() for root in own}
        for name in (name for name in worlds.order if name not in named):
            form, place = forms[name], worlds.nodes.index(name) if name in worlds.nodes else None
            own = [_number(worlds, name, form.constant)] + [Fraction(0)] * size
            rows = [own, list(own)]
            for parent, factor in form.coefficients:
                number = _number(worlds, name, factor)
                for row, known in zip(rows, (in_noise, in_nodes), strict=True):
                    row[:] = [a + number * b for a, b in zip(row, known[parent], strict=True)]
            if place is not None:
                rows[0][1 + place] += _noise_factor(worlds, name, form.noise, variances[place])
                rows[1] = [Fraction(0)] + [Fraction(int(other == place)) for other in range(size)]
            in_noise[name], in_nodes[name] = rows
        full = linear.matrix([in_noise[node] for node in worlds.nodes])
        seen = linear.matrix([in_nodes[name] for name in worlds.model.observed])
        return cls(full[:, 1:], full[:, 0], seen[:, 1:], seen[:, 0])


def _number(worlds: LatentWorlds, name: str, number: Any) -> Any:
    if isinstance(number, Fraction):
        return number
    if number.free_symbols:
        names = ", ".join(sorted(str(symbol) for symbol in number.free_symbols))
        text = f"the mechanism of {name} has the parameter {names}, and this needs numbers"
        raise refused(text, worlds.model.by_name[name].span, "give it a value")
    return float(number)


def _noise_factor(worlds: LatentWorlds, name: str, factor: Any, variance: Any) -> Any:
    if variance == 1:
        return _number(worlds, name, factor)
    import sympy

    ratio = _rational(factor / sympy.sqrt(sympy.Rational(variance.numerator, variance.denominator)))
    return _number(worlds, name, factor) / float(variance) ** 0.5 if ratio is None else ratio


def _same_observation(worlds: LatentWorlds, domain: str, own: _Expanded, first: _Expanded) -> None:
    for place, name in enumerate(worlds.model.observed):
        same = agree(own.observation[place], first.observation[place]) and own.offset[place] == first.offset[place]
        if not same:
            raise other_lens(worlds, name, domain)


def other_lens(worlds: LatentWorlds, name: str, domain: str) -> SutureError:
    """The error of an observation that one domain changes (S460)."""
    text = f"{name} is seen through another equation in domain {domain}, and domains must share what they see through"
    hint = f"give {name} noise of its own, or let only latent mechanisms differ"
    return refused(text, worlds.model.by_name[name].span, hint)


def _invertible(worlds: LatentWorlds, model: LinearDomains) -> None:
    """Every noise must move its node, and the observation must be one to one; names what is not."""
    for domain, mechanism in zip(model.domains, model.mechanisms, strict=True):
        for place, node in enumerate(model.nodes):
            if mechanism[place, place] == 0:
                text = f"in domain {domain} the noise of {node} has the factor zero, so it cannot be recovered"
                raise SutureError(Diagnostic("S461", text, worlds.model.by_name[node].span, "not invertible", None))
    found = linear.rank(model.observation)
    if found < model.size:
        direction = _blind(model)
        text = f"the observed variables do not tell the latents apart: they are the same along {direction}"
        span = worlds.model.span
        raise SutureError(
            Diagnostic("S461", text, span, "not invertible", "let them see as many directions as latents")
        )


def _blind(model: LinearDomains) -> str:
    """A direction of the latents that no observed variable depends on."""
    reduced, pivots = linear.echelon(model.observation)
    free = next(column for column in range(model.size) if column not in pivots)
    entries = {model.nodes[free]: reduced.dtype.type(1) if reduced.dtype != object else Fraction(1)}
    entries |= {model.nodes[pivot]: -reduced[row, free] for row, pivot in enumerate(pivots)}
    return ", ".join(f"{name} {linear.text(entry)}" for name, entry in entries.items() if entry != 0)


def _centred(model: LinearDomains) -> LinearDomains:
    """Noises with a mean of their own (uniform, exponential) enter the shifts, so that `mean` is what it says."""
    if not any(law.family in MEANS for law in model.laws):
        return model
    means = linear.vector([MEANS.get(law.family, Fraction(0)) for law in model.laws])
    if not model.exact:
        means = linear.floats(means)
    from dataclasses import replace

    return replace(model, shifts=tuple(b + F @ means for F, b in zip(model.mechanisms, model.shifts, strict=True)))


# ---------------------------------------------------------------------------------------------------------------------
# Matrices as a program


def linear_program(model: LinearDomains, name: str, lens: Sequence[str] = ()) -> str:
    """A program of the model and its domains, in the language; reading it gives the matrices back.

    `lens` are lines that stand where those of the observed variables would.
    """
    moved = set(model.intervened())
    lines = [f"model {name} {{"]
    for place, node in enumerate(model.nodes):
        family = model.laws[place].family
        if family != "Normal":
            lines.append(f"  latent {noise_name(model, place)} : real ~ {family}({STANDARD[family]})")
        lines.append(f"  latent {node} : real := {_row(model, 0, place, node in moved)}")
    plain = [
        f"{seen} : real := {affine_text(model.offset[place], model.observation[place], model.nodes)}"
        for place, seen in enumerate(model.observed)
    ]
    lines += [f"  {line}" for line in lens or plain]
    mutable = ", ".join(node for node in model.nodes if node in moved)
    lines += [f"  mutable {mutable}"] if mutable else []
    lines.append("}")
    for number, domain in enumerate(model.domains):
        changed = [
            f"{node} := {_row(model, number, place)}"
            for place, node in enumerate(model.nodes)
            if node in moved and _row(model, number, place) != _row(model, 0, place)
        ]
        inside = f"{{ {' ; '.join(changed)} }}" if changed else "{}"
        lines.append(f"domain {domain} of {name} {inside}")
    return "\n".join(lines) + "\n"


def noise_name(model: LinearDomains, place: int) -> str:
    """The name of a node's noise where it needs one, which is where it is not normal."""
    name = f"E_{model.nodes[place]}"
    while name in model.nodes or name in model.observed:
        name += "_"
    return name


def _row(model: LinearDomains, domain: int, place: int, every_parent: bool = False) -> str:
    """The equation of a node: row `place` of F_d^-1 solved for the node.

    With `every_parent` it names those that only other domains read too, with the factor zero: a domain may read what
    the model reads.
    """
    row, shift = model.inverses[domain][place], model.shifts[domain]
    noise = 1 / row[place]
    law = model.laws[place]
    mean = MEANS.get(law.family, Fraction(0))
    constant = (row @ shift) * noise - (noise * mean if mean else 0)
    others = [-entry * noise for entry in row[:place]]
    spread = model.variances[place] / law_variance(law)
    letter = "noise" if law.family == "Normal" else noise_name(model, place)
    terms = _terms(others, model.nodes[:place])
    if every_parent:
        read = [max(abs(own[place, other]) for own in model.inverses) for other in range(place)]
        idle = [not counts(factor) and counts(most) for factor, most in zip(others, read, strict=True)]
        terms = [*terms, *(f"0*{model.nodes[other]}" for other in range(place) if idle[other])]
    root = _square_root(spread)
    terms.append(
        _product(noise * root, letter) if root is not None else f"{_product(noise, f'sqrt({spread})')}*{letter}"
    )
    return _joined([*terms, *([linear.text(constant)] if counts(constant) else [])])


def affine_text(constant: Any, factors: Matrix, names: Sequence[str]) -> str:
    """`2*A - B + 1`: factors of names and a constant, as the language writes them."""
    terms = _terms(factors, names)
    return _joined([*terms, *([linear.text(constant)] if counts(constant) or not terms else [])])


def _terms(factors: Iterable[Any], names: Sequence[str]) -> list[str]:
    return [_product(factor, name) for factor, name in zip(factors, names, strict=True) if counts(factor)]


def _product(factor: Any, name: str) -> str:
    if factor == 1:
        return name
    return f"-{name}" if factor == -1 else f"{linear.text(factor)}*{name}"


def _joined(terms: Sequence[str]) -> str:
    text = " + ".join(terms) or "0"
    return text.replace("+ -", "- ")


def _square_root(number: Any) -> Any:
    """The root of a rational where it is rational, of a float always; else None."""
    if not isinstance(number, Fraction):
        return float(number) ** 0.5
    above, below = isqrt(number.numerator), isqrt(number.denominator)
    exact = above * above == number.numerator and below * below == number.denominator
    return Fraction(above, below) if exact else None
