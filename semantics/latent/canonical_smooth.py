"""The canonical form of a latent model of invertible pieces, written in the language with the model's own expressions.

With U_j the noise that makes z_j in the first domain, z = f_0(U) in every domain, so that the model's equations stay as
they are, with U_j in place of the noise, and are shared; and U_j = [f_0^-1]_j(z_1 .., [f_d]_j(z_1 .., e_j)), which is
e_j unless the mechanism of z_j differs in d.  So only the U_j of intervened nodes differ between domains, and they can
stand last; nothing grows, whatever the model's depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...dsl import tree
from ...dsl.mechanism_expressions import references
from ...dsl.parser import parse
from ...dsl.resolve import resolve
from ...dsl.source import Source
from ...dsl.syntax_text import expression_text
from .expression_inverse import substituted
from .latent_worlds import latent_worlds
from .linear_reading import STANDARD
from .smooth_domains import SmoothDomains, drawn
from .smooth_reading import CASES, smooth_domains


@dataclass(frozen=True, slots=True)
class NoInverse(Exception):
    """A mechanism of the first domain has no inverse in the language, or does not reach what it does in `domain`."""

    node: str
    domain: str | None = None


def canonical_smooth(model: SmoothDomains, names: Mapping[str, str], name: str = "Canonical") -> SmoothDomains:
    """The canonical form, read back from its program.  Raises `NoInverse`."""
    _within_reach(model)
    source = Source(canonical_program(model, names, name))
    program = resolve(parse(source), source)
    domains = [(domain, program.domains[domain]) for domain in model.domains]
    return smooth_domains(latent_worlds(program.models[name], domains))


def _within_reach(model: SmoothDomains) -> None:
    """Every value that a node takes in some domain, the first domain's mechanism must be able to give it."""
    noise = drawn(model.laws, CASES, 3)
    for place, domain in enumerate(model.domains):
        values = model.values(place, noise)
        for node in model.intervened():
            taken = np.isfinite(values[node])
            if not np.isfinite(model.node_noise(0, node, values)[taken]).all():
                raise NoInverse(node, domain)


def canonical_program(model: SmoothDomains, names: Mapping[str, str], name: str) -> str:
    """The program of the canonical form, its latents named as `names` says.  Raises `NoInverse`."""
    moved = set(model.intervened())
    order = [*(n for n in model.nodes if n not in moved), *(n for n in model.nodes if n in moved)]
    lines = [f"model {name} {{"]
    for node in order:
        lines += _latent(model, names, node, node in moved)
    for each in model.order:
        hidden = "" if each in model.observed else "latent "
        if each in model.nodes:
            body = substituted(model.mechanisms[0][each], {tree.Noise(): tree.Reference(names[each])})
        else:
            body = model.functions[each]
        lines.append(f"  {hidden}{each} : real := {expression_text(body)}")
    lines += [f"  mutable {', '.join(names[node] for node in order if node in moved)}"] if moved else []
    lines.append("}")
    for place, domain in enumerate(model.domains):
        changes = [
            f"{names[node]} := {expression_text(_with_noise(model, names, node, _seen_from_first(model, node, place)))}"
            for node in order
            if node in moved and model.mechanisms[place][node] != model.mechanisms[0][node]
        ]
        inside = " ; ".join(changes)
        lines.append(f"domain {domain} of {name} {f'{{ {inside} }}' if inside else '{}'}")
    return "\n".join(lines) + "\n"


def _latent(model: SmoothDomains, names: Mapping[str, str], node: str, moved: bool) -> list[str]:
    family = model.laws[model.nodes.index(node)].family
    law = "" if family == "Normal" else f"{family}({STANDARD[family]})"
    if not moved:
        return [f"  latent {names[node]} : real {'~ ' + law if law else ':= noise'}"]
    # A domain may read what the model reads, so the model names what its domains read, with the factor zero.
    read = dict.fromkeys(
        each for place in range(len(model.domains)) for each in _reads(_seen_from_first(model, node, place), model)
    )
    idle = "".join(f" + 0*{each}" for each in read)
    own = [f"  latent E_{names[node]} : real ~ {law}"] if law else []
    return [
        *own,
        f"  latent {names[node]} : real := {expression_text(_with_noise(model, names, node, tree.Noise()))}{idle}",
    ]


def _reads(expression: tree.Expression, model: SmoothDomains) -> list[str]:
    return [name.text for name in references(expression) if name.text in model.order]


def _with_noise(
    model: SmoothDomains, names: Mapping[str, str], node: str, expression: tree.Expression
) -> tree.Expression:
    """The expression with a noise that is not normal under its own name."""
    if model.laws[model.nodes.index(node)].family == "Normal":
        return expression
    return substituted(expression, {tree.Noise(): tree.Reference(f"E_{names[node]}")})


def _seen_from_first(model: SmoothDomains, node: str, domain: int) -> tree.Expression:
    """[f_0^-1]_j after [f_d]_j, as an expression of the noise."""
    own, first = model.mechanisms[domain][node], model.mechanisms[0][node]
    if own == first:
        return tree.Noise()
    back = model.inverses[0][node]
    if back is None:
        raise NoInverse(node)
    return substituted(back, {tree.Reference(node): own})
