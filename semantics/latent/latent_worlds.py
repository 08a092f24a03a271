"""A program's model and its domains read as an invertible latent model: whose noise is whose, and what is only seen.

Zhou, Bai, Kulinski, Kocaoglu, Inouye, "Towards Characterizing Domain Counterfactuals For Invertible Latent Causal
Models" (ICLR 2024), section 2: in each domain an autoregressive map takes noises to latents, and one observation that
all domains share takes latents to what is seen.  In a program

    real     a variable whose mechanism has `noise`, or a family such as `Normal(mean, deviation)`, owns that noise; one
             that differs between domains and has none owns a random root that it alone reads;
    finite   a variable owns the random roots that it alone reads, where they have as many values together as it has;
             every other random root is its own noise, moved by no mechanism.

Variables that own noise are the *nodes* (the latents of the paper, observed or not); all others are functions of them.
Functions that only observed variables use are the observation; those that a node reads belong to its mechanism.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from ...dsl import tree
from ...dsl.constants import constant
from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.program import AnyMechanism, Domain, Equation, Family, Finite, Mechanism, Model, Real, Table
from ...dsl.scope import count
from ...dsl.source import Span

ONE = tree.Number(Fraction(1), "1")


@dataclass(frozen=True, slots=True)
class Noise:
    """The law of a noise: a family in standard position (`Normal`, `Laplace`, ..), or the probabilities of values."""

    family: str
    weights: tuple[tree.Expression, ...] = ()


NORMAL = Noise("Normal")


@dataclass(frozen=True)
class LatentWorlds:
    """The reading of a model: `nodes` in an order that every domain respects, with the random roots that each owns.

    `owned` is empty where the noise has no name; a finite root that is its own noise owns itself.
    `mechanisms` are those of each domain, for every variable that is no random root; `order` is all variables.
    """

    model: Model
    domains: tuple[str, ...]
    order: tuple[str, ...]
    nodes: tuple[str, ...]
    owned: Mapping[str, tuple[str, ...]]
    laws: Mapping[str, Noise]
    mechanisms: Mapping[str, Mapping[str, Mechanism]]
    finite: bool

    def differing(self, name: str) -> bool:
        """Whether some two domains give a variable different mechanisms, as they are written."""
        first, *others = (self.mechanisms[domain].get(name) for domain in self.domains)
        return any(other != first for other in others)

    def parents(self, domain: str, name: str) -> tuple[str, ...]:
        """What a variable's mechanism reads in a domain, its own noise left out."""
        mechanism = self.mechanisms[domain].get(name)
        own = self.owned.get(name, ())
        return () if mechanism is None else tuple(parent for parent in mechanism.parents if parent not in own)


def latent_worlds(model: Model, domains: Sequence[tuple[str, Domain]]) -> LatentWorlds:
    """The model in the given domains, as an invertible latent model.

    Raises `SutureError`: S460 a mechanism that is missing, random without a noise of its own, or of the other kind
    (finite, real), S461 as many noises as observed numbers are needed and there are not.
    """
    order = tuple(model.diagram.boxes[number].name for number in model.diagram.order)
    names = tuple(name for name, _ in domains)
    mechanisms = {name: {**model.mechanisms, **domain.mechanisms} for name, domain in domains}
    finite = _kind(model, order)
    _all_given(model, order, mechanisms)
    if finite:
        return _finite(model, names, order, mechanisms)
    return _real(model, names, order, mechanisms)


def _kind(model: Model, order: Iterable[str]) -> bool:
    """Whether all variables are finite; raises S460 where some are real and some are not, or have no values."""
    kinds: dict[bool, str] = {}
    for name in order:
        values = model.by_name[name].values
        if values is None:
            hint = f"declare them: {name} : real, or {name} : {{0, 1}}"
            raise refused(f"the values of {name} are not given in model {model.name}", _place(model, name), hint)
        if isinstance(values, Real) and values.dimension != 1:
            hint = "declare a variable for each component"
            raise refused(f"{name} is a vector, and domain counterfactuals read single numbers", None, hint)
        kinds.setdefault(isinstance(values, Finite), name)
    if len(kinds) == 2:
        text = f"{kinds[True]} has finitely many values and {kinds[False]} is real"
        raise refused(text, _place(model, kinds[True]), "a domain counterfactual needs all of one kind")
    return True in kinds


def _all_given(model: Model, order: Iterable[str], mechanisms: Mapping[str, Mapping[str, Mechanism]]) -> None:
    for domain, given in mechanisms.items():
        for name in order:
            if name not in given or isinstance(given[name], AnyMechanism):
                text = f"the mechanism of {name} is not given in domain {domain}"
                hint = f"write {name} := and an equation; without numbers, 'canonicalise' tells what the diagram says"
                raise refused(text, _place(model, name), hint)


# ---------------------------------------------------------------------------------------------------------------------
# Real models


def _real(
    model: Model, domains: tuple[str, ...], order: tuple[str, ...], given: Mapping[str, Mapping[str, Mechanism]]
) -> LatentWorlds:
    noisy = tuple(name for name in order if any(_noisy(given[domain][name]) for domain in domains))
    owned = _named_noises(model, domains, order, given, noisy)
    named = {root for own in owned.values() for root in own}
    nodes = tuple(name for name in order if name in owned or (name in noisy and name not in named))
    laws: dict[str, Noise] = {}
    for name in nodes:
        source = owned[name][0] if name in owned else name
        found = [_law(given[domain][source]) for domain in domains]
        if None in found:
            quiet = domains[found.index(None)]
            text = f"{name} has noise in some domains and none in {quiet}, so its noise cannot be recovered there"
            raise refused(text, _place(model, name), "give it noise in every domain, or in none")
        if len(set(found)) > 1:
            text = f"the noise of {name} has another distribution in another domain, and a counterfactual keeps noise"
            raise refused(text, _place(model, name), "use one family in all domains")
        laws[name] = found[0] or NORMAL
    if len(nodes) != len(model.observed):
        raise _not_square(model, nodes)
    equations = {
        domain: {name: _as_equation(mechanism) for name, mechanism in own.items()} for domain, own in given.items()
    }
    return LatentWorlds(
        model, domains, order, nodes, {name: owned.get(name, ()) for name in nodes}, laws, equations, False
    )


def _named_noises(
    model: Model,
    domains: Sequence[str],
    order: Sequence[str],
    given: Mapping[str, Mapping[str, Mechanism]],
    noisy: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """Latent roots that are the noise of the one variable that reads them: one without noise, whose mechanism
    differs."""
    found: dict[str, tuple[str, ...]] = {}
    for name in order:
        mechanisms = [given[domain][name] for domain in domains]
        if name in noisy or all(mechanism == mechanisms[0] for mechanism in mechanisms):
            continue
        private = [root for root in noisy if _is_noise_of(model, domains, given, root, name)]
        if len(private) == 1:
            found[name] = (private[0],)
    return found


def _is_noise_of(
    model: Model, domains: Sequence[str], given: Mapping[str, Mapping[str, Mechanism]], root: str, reader: str
) -> bool:
    """Whether a latent root is the same in all domains and read by one variable alone."""
    own = [given[domain][root] for domain in domains]
    if not model.by_name[root].latent or own[0].parents or any(other != own[0] for other in own):
        return False
    return {name for domain in domains for name in given[domain] if root in given[domain][name].parents} == {reader}


def _noisy(mechanism: Mechanism) -> bool:
    return isinstance(mechanism, Family) or (isinstance(mechanism, Equation) and mechanism.uses_noise)


def _law(mechanism: Mechanism) -> Noise | None:
    if isinstance(mechanism, Family):
        return Noise(mechanism.name)
    return NORMAL if _noisy(mechanism) else None


def _as_equation(mechanism: Mechanism) -> Mechanism:
    """A family of location and scale as an equation of its standard noise."""
    if not isinstance(mechanism, Family):
        return mechanism
    noise = tree.Noise()
    match mechanism.name, mechanism.arguments:
        case "Uniform", (low, high):
            scale: tree.Expression = tree.Arithmetic(("-",), (high, low))
            place = low
        case "Exponential", (rate,):
            return Equation(mechanism.parents, tree.Arithmetic(("/",), (noise, rate), rate.span), True)
        case _, (place, scale):
            pass
        case _:
            return mechanism
    scaled = noise if constant(scale) == 1 else tree.Arithmetic(("*",), (scale, noise))
    zero = constant(place) == 0
    made = scaled if zero else tree.Arithmetic(("+",), (place, scaled), place.span)
    return Equation(mechanism.parents, made, True)


def _not_square(model: Model, nodes: Sequence[str]) -> SutureError:
    seen = model.observed
    made = f"{count(len(nodes), 'noise')} for {count(len(seen), 'observed variable')}"
    text = f"model {model.name} has {made}, so that noise cannot be recovered"
    hint = f"noise: {', '.join(nodes) or 'none'}; observed: {', '.join(seen) or 'none'}; there must be as many of each"
    return SutureError(Diagnostic("S461", text, model.span, "not invertible", hint))


# ---------------------------------------------------------------------------------------------------------------------
# Finite models


def _finite(
    model: Model, domains: tuple[str, ...], order: tuple[str, ...], given: Mapping[str, Mapping[str, Mechanism]]
) -> LatentWorlds:
    roots = tuple(name for name in order if any(_random(given[domain][name]) for domain in domains))
    laws = {name: _root_law(model, domains, given, name) for name in roots}
    owned = _owners(model, domains, order, given, roots)
    nodes = tuple(name for name in order if name in owned)
    functions = {
        domain: {name: mechanism for name, mechanism in own.items() if name not in roots}
        for domain, own in given.items()
    }
    return LatentWorlds(model, domains, order, nodes, owned, laws, functions, True)


def _random(mechanism: Mechanism) -> bool:
    """Whether a finite mechanism is more than a function: a table with an entry other than zero and one."""
    if not isinstance(mechanism, Table):
        return False
    return any(constant(weight) not in (0, 1) for row in mechanism.rows for weight in row.weights)


def _root_law(model: Model, domains: Sequence[str], given: Mapping[str, Mapping[str, Mechanism]], name: str) -> Noise:
    found: list[tuple[tree.Expression, ...]] = []
    for domain in domains:
        mechanism = given[domain][name]
        if not isinstance(mechanism, Table) or mechanism.parents or not _random(mechanism):
            text = f"the mechanism of {name} is random in domain {domain}, and names no noise that could be recovered"
            hint = f"write latent E ~ .. for its noise, and {name} := an equation of E"
            raise refused(text, _place(model, name), hint)
        found.append(mechanism.rows[0].weights)
    if len(set(found)) > 1:
        text = f"{name} is noise, and has another distribution in another domain; a counterfactual keeps the noise"
        raise refused(text, _place(model, name), f"write what differs as an equation of {name}")
    return Noise("finite", found[0])


def _owners(
    model: Model,
    domains: Sequence[str],
    order: Sequence[str],
    given: Mapping[str, Mapping[str, Mechanism]],
    roots: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """Which roots each node owns: those that it alone reads, where they fill its values; any other root owns itself."""
    readers: dict[str, list[str]] = {root: [] for root in roots}
    for name in order:
        read = {parent for domain in domains for parent in given[domain][name].parents}
        for root in roots:
            if root in read:
                readers[root].append(name)
    observed = set(model.observed)
    owned: dict[str, tuple[str, ...]] = {}
    for name in order:
        private = tuple(root for root in roots if readers[root] == [name] and root not in observed)
        if private and prod(_size(model, root) for root in private) == _size(model, name):
            owned[name] = private
    taken = {root for private in owned.values() for root in private}
    return owned | {root: (root,) for root in roots if root not in taken}


def _size(model: Model, name: str) -> int:
    return len(model.labels(name) or ())


# ---------------------------------------------------------------------------------------------------------------------
# What is wrong


def refused(text: str, span: Span | None, hint: str) -> SutureError:
    """The error of a model that is no invertible latent model (S460)."""
    return SutureError(Diagnostic("S460", text, span, "", hint))


def _place(model: Model, name: str) -> Span | None:
    return model.by_name[name].span
