"""A program's latent model of invertible pieces: equations inverted where rules allow, and checked on numbers.

For every node and domain the equation must rise, or fall, with the noise whatever else it reads: where a factor of the
noise changes its sign or two noises give one value, the mechanism is named with a case.  That check is numerical, on a
grid of noises at random values of what is read; an inverse is made of the language's own functions where the rules of
`expression_inverse.py` reach, and is checked there and back; else it is found by bisection, which answers say.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...dsl import tree
from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.mechanism_expressions import references
from ...dsl.program import Equation
from ...dsl.source import Span
from .expression_inverse import inverted, substituted
from .expression_numbers import Floats, numbers
from .latent_worlds import LatentWorlds
from .linear_reading import other_lens
from .recovery import Stuck, plan
from .smooth_domains import SmoothDomains, drawn

GRID = np.linspace(-5.0, 5.0, 81)
CASES = 200
TOLERANCE = 1e-6


def smooth_domains(worlds: LatentWorlds) -> SmoothDomains:
    """The model's equations with their inverses.

    Raises `SutureError`: S460 a parameter without a value, or domains that see differently; S461 a mechanism that is
    not monotone in its noise, or an observation that cannot be undone, naming it.
    """
    equations = [_opened(worlds, domain) for domain in worlds.domains]
    differing = {name for name in equations[0] if any(own[name] != equations[0][name] for own in equations)}
    for name in worlds.model.observed:
        if name in differing and name not in worlds.nodes:
            domain = next(
                d for d, own in zip(worlds.domains, equations, strict=True) if own[name] != equations[0][name]
            )
            raise other_lens(worlds, name, domain)
    order = tuple(name for name in equations[0] if name in worlds.nodes or name not in differing)
    functions = {name: equations[0][name] for name in order if name not in worlds.nodes}
    mechanisms = tuple({node: own[node] for node in worlds.nodes} for own in equations)
    inverses = tuple(
        {node: inverted(own[node], tree.Noise(), tree.Reference(node)) for node in worlds.nodes} for own in mechanisms
    )
    try:
        parts = plan(worlds.model.observed, worlds.nodes, list(functions.items()))
    except Stuck as stuck:
        raise _hidden(worlds, stuck) from None
    laws = tuple(worlds.laws[node] for node in worlds.nodes)
    model = SmoothDomains(
        worlds.model.observed,
        worlds.nodes,
        worlds.domains,
        laws,
        order,
        mechanisms,
        inverses,
        functions,
        parts,
        worlds,
    )
    with np.errstate(all="ignore"):
        for domain in range(len(worlds.domains)):
            _check(model, domain)
    return model


def _opened(worlds: LatentWorlds, domain: str) -> dict[str, tree.Expression]:
    """A domain's equations, with named noises and functions that differ between domains written out."""
    named = {root for own in worlds.owned.values() for root in own}
    found: dict[str, tree.Expression] = {}
    opened: dict[tree.Expression, tree.Expression] = {}
    for name in worlds.order:
        mechanism = worlds.mechanisms[domain][name]
        assert isinstance(mechanism, Equation)
        expression = substituted(mechanism.expression, opened)
        if name in named or (name not in worlds.nodes and worlds.differing(name) and name not in worlds.model.observed):
            opened[tree.Reference(name)] = expression
        else:
            found[name] = expression
    return found


def _hidden(worlds: LatentWorlds, stuck: Stuck) -> SutureError:
    names = ", ".join(stuck.names)
    text = f"{names} cannot be recovered from what is observed"
    label = f"{stuck.equations} equations left for {len(stuck.names)} unknowns"
    hint = "each latent must be seen, alone or in an equation that can be solved for it"
    return SutureError(Diagnostic("S461", text, worlds.model.span, label, hint))


# ---------------------------------------------------------------------------------------------------------------------
# Checks on numbers


def _check(model: SmoothDomains, domain: int) -> None:
    noise = drawn(model.laws, CASES, 7)
    values = model.values(domain, noise)
    for node in model.nodes:
        _monotone(model, domain, node, values)
        _there_and_back(model, domain, node, values, noise)
    seen = np.stack([values[name] for name in model.observed], axis=1)
    sound = np.isfinite(seen).all(axis=1)
    if not sound.any():
        text = f"what is observed in domain {model.domains[domain]} is no number, for any of {CASES} random noises"
        hint = "look for a division by zero, or the log or root of what is negative"
        raise SutureError(Diagnostic("S461", text, model.worlds.model.span, "not a number", hint))
    again = model.noise(domain, seen[sound])
    off = np.abs(again - noise[sound])
    wrong = ~(off <= TOLERANCE * (1 + np.abs(noise[sound])))
    if wrong.mean() > 0.05:
        place = int(np.argmax(wrong.any(axis=1)))
        case = ", ".join(
            f"{name} = {value:.4g}" for name, value in zip(model.observed, seen[sound][place], strict=True)
        )
        text = f"the noise cannot be recovered from what is observed in domain {model.domains[domain]}"
        hint = "the observed equations must be one to one, and each must be solvable for one latent after another"
        raise SutureError(Diagnostic("S461", text, model.worlds.model.span, f"not from {case}", hint))


def _monotone(model: SmoothDomains, domain: int, node: str, values: Mapping[str, Floats]) -> None:
    """On a grid of noises, at every sampled value of what is read, the mechanism must rise, or fall, all along."""
    expression = model.mechanisms[domain][node]
    grid = GRID if model.laws[model.nodes.index(node)].family in ("Normal", "Laplace", "Logistic") else abs(GRID) + 0.01
    points = np.unique(grid if model.laws[model.nodes.index(node)].family != "Uniform" else grid / 6)
    rows = {name: np.repeat(values[name][:, None], len(points), axis=1) for name in _read(expression, values)}
    table = np.broadcast_to(
        numbers(expression, rows, np.broadcast_to(points, (CASES, len(points)))), (CASES, len(points))
    )
    rises = np.diff(table, axis=1)
    flat = np.isclose(table[:, 1:], table[:, :-1], rtol=1e-13, atol=1e-300)
    sense = np.where(_direction(rises) < 0, -1.0, 1.0)[:, None]
    wrong = np.isfinite(rises) & ((rises * sense < 0) & ~flat | (rises == 0) & ~_saturated(table))
    if wrong.any():
        case, step = (int(place[0]) for place in np.nonzero(wrong))
        raise _not_monotone(model, domain, node, values, case, (float(points[step]), float(points[step + 1])))
    signs = _direction(rises)
    if (signs > 0).any() and (signs < 0).any():
        up, down = int(np.argmax(signs > 0)), int(np.argmax(signs < 0))
        raise _changes_sign(model, domain, node, values, up, down)


def _direction(rises: Floats) -> Floats:
    """Whether most steps of each row rise (1) or fall (-1)."""
    return np.sign(np.nan_to_num(np.sign(rises)).sum(axis=1))


def _saturated(table: Floats) -> Floats:
    """Where a bounded function is flat in floating point, such as tanh far out: not counted as flat."""
    flat = table[:, 1:] == table[:, :-1]
    first, last = np.cumprod(flat, axis=1), np.cumprod(flat[:, ::-1], axis=1)[:, ::-1]
    return (first | last).astype(bool) & ~flat.all(axis=1)[:, None]


def _read(expression: tree.Expression, values: Mapping[str, Floats]) -> list[str]:
    return [name for name in dict.fromkeys(name.text for name in references(expression)) if name in values]


def _case(model: SmoothDomains, domain: int, node: str, values: Mapping[str, Floats], place: int) -> str:
    read = _read(model.mechanisms[domain][node], values)
    return ", ".join(f"{name} = {values[name][place]:.4g}" for name in read)


def _not_monotone(
    model: SmoothDomains,
    domain: int,
    node: str,
    values: Mapping[str, Floats],
    case: int,
    at: tuple[float, float],
) -> SutureError:
    given = _case(model, domain, node, values, case)
    where = f" when {given}" if given else ""
    text = f"the mechanism of {node} in domain {model.domains[domain]} is not invertible{where}"
    label = f"it turns, or stays, between noise {at[0]:.4g} and {at[1]:.4g}"
    hint = f"{node} must rise all along with its noise, or fall all along, whatever else it reads"
    return SutureError(Diagnostic("S461", text, _span(model, domain, node), label, hint))


def _changes_sign(
    model: SmoothDomains, domain: int, node: str, values: Mapping[str, Floats], up: int, down: int
) -> SutureError:
    text = f"the mechanism of {node} in domain {model.domains[domain]} is not invertible everywhere"
    cases = [_case(model, domain, node, values, place) for place in (up, down)]
    label = f"rises with noise when {cases[0]}, falls when {cases[1]}"
    hint = "what multiplies noise must not change its sign, since it is zero in between"
    return SutureError(Diagnostic("S461", text, _span(model, domain, node), label, hint))


def _there_and_back(model: SmoothDomains, domain: int, node: str, values: Mapping[str, Floats], noise: Floats) -> None:
    own = noise[:, model.nodes.index(node)]
    back = model.node_noise(domain, node, values)
    sound = np.isfinite(values[node])
    wrong = ~(np.abs(back - own) <= TOLERANCE * (1 + np.abs(own)))[sound]
    if len(wrong) and wrong.mean() > 0.01:
        case = _case(model, domain, node, values, int(np.flatnonzero(sound)[np.argmax(wrong)]))
        text = f"the mechanism of {node} in domain {model.domains[domain]} is not invertible"
        label = f"{len(wrong[wrong])} of {len(wrong)} noises are not recovered" + (f", one when {case}" if case else "")
        hint = f"{node} must rise all along with its noise, or fall all along, whatever else it reads"
        raise SutureError(Diagnostic("S461", text, _span(model, domain, node), label, hint))


def _span(model: SmoothDomains, domain: int, node: str) -> Span:
    return model.mechanisms[domain][node].span
