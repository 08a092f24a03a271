"""Judges of answers about latent models: what is wrong with an answer, by computations that share no code with ours.

Programs that the library makes are run by `oracles/latent_programs.py` from their text; ranks are SymPy's, linear maps
numpy's, finite maps and laws brute force.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from oracles.latent_programs import Text, finite_map, linear_map, mixing, read
from strategies_latent import (
    Finite,
    Linear,
    equivalent_finite,
    equivalent_linear,
    random_finite,
    random_linear,
    random_smooth,
)

import suture

CLOSE = 1e-10


def answers(program: str) -> list[dict[str, Any]]:
    """The answers of a program as JSON."""
    return [answer.to_dict() for answer in suture.run(program)]


def over(domains: int) -> str:
    return f"over {{{', '.join(f'd{domain}' for domain in range(domains))}}}"


# ---------------------------------------------------------------------------------------------------------------------
# Canonical forms


def linear_form(generator: np.random.Generator, narrow: bool) -> Iterator[str]:
    """Faults of the canonical form of a random linear model: maps, laws, places of interventions, minimal k."""
    model = random_linear(generator, narrow=narrow)
    domains = len(model.weights)
    sample = [Fraction(int(v), 3) for v in generator.integers(-9, 9, size=model.size)]
    given = ", ".join(f"X{j} = {value}" for j, value in enumerate(sample))
    asked = "\n".join(f"counterfactual {given} in {name} from d0 to d{domains - 1}" for name in ("M", "L"))
    form, one, two = answers(f"{model.program()}\ncanonicalise M {over(domains)} as L\n{asked}")
    if form["error"] is not None:
        yield f"an error: {form['error']}"
        return
    value, old, new = form["value"], read(model.program()), read(form["value"]["program"])
    for domain, place in product([f"d{d}" for d in range(domains)], range(model.size + 1)):
        noise = {f"Z{j}": Fraction(int(j == place)) for j in range(model.size)}
        if old.seen(domain, noise) != new.seen(domain, {f"U_{name}": each for name, each in noise.items()}):
            yield "the same noise is seen differently"
    yield from _last(new, value["last"])
    if value["minimal_k"] != model.rank():
        yield f"minimal k is {value['minimal_k']}, the rank is {model.rank()}"
    change, constant = linear_map(old, "d0", f"d{domains - 1}")
    wanted = change @ [float(v) for v in sample] + constant
    for answer in (one, two):
        if not np.allclose(answer["value"]["rows"][0], wanted, rtol=CLOSE, atol=CLOSE):
            yield f"a counterfactual is {answer['value']['rows'][0]}, not {wanted}"
    if one["exact"] != two["exact"] or one["exact"] is None:
        yield "the exact counterfactuals differ"
    smallest = value["minimal_program"]
    if smallest is None:
        if value["minimal_k"] != len(value["intervened"]):
            yield "no smallest model is given"
        return
    yield from _smallest_linear(old, read(smallest), domains, value["minimal_k"])


def _smallest_linear(old: Text, new: Text, domains: int, wanted: int) -> Iterator[str]:
    if len({name for own in new.domains.values() for name in own}) != wanted:
        yield "the smallest model has another number of interventions"
    for domain in range(domains):
        (A, a), (B, b) = linear_map(old, "d0", f"d{domain}"), linear_map(new, "d0", f"d{domain}")
        if not (np.allclose(A, B, rtol=1e-8, atol=1e-8) and np.allclose(a, b, rtol=1e-8, atol=1e-8)):
            yield "the smallest model has other counterfactuals"
        (F, m), (G, n) = mixing(old, f"d{domain}"), mixing(new, f"d{domain}")
        scale = max(1.0, float(np.abs(F).max()) ** 2)
        if not (np.allclose(F @ F.T / scale, G @ G.T / scale, atol=1e-8) and np.allclose(m, n, rtol=1e-8, atol=1e-8)):
            yield "the smallest model has another law"


def _last(text: Text, last: list[str]) -> Iterator[str]:
    """Only the last latents are intervened on, and the first domain changes nothing."""
    moved = {name for own in text.domains.values() for name in own}
    if not moved <= set(last) or text.domains["d0"]:
        yield "interventions are not where the answer says"
    latents = [name for name, equation in text.equations.items() if equation.latent and not name.startswith("E_")]
    noises = [name for name in latents if name in text.noises or name in last or f"E_{name}" in text.noises]
    if noises[len(noises) - len(last) :] != last:
        yield "the intervened latents are not the last"


def finite_form(generator: np.random.Generator, binary: bool) -> Iterator[str]:
    """Faults of the canonical form of a random finite model: every state of the noise, in every domain."""
    model = random_finite(generator, binary)
    domains = len(model.tables)
    (form,) = answers(f"{model.program()}\ncanonicalise M {over(domains)} as L")
    if form["error"] is not None:
        yield f"an error: {form['error']}"
        return
    value, new = form["value"], read(form["value"]["program"])
    for domain in range(domains):
        for noise in product(*map(range, model.sizes)):
            given = {f"{head}U_Z{j}": each for j, each in enumerate(noise) for head in ("", "E_")}
            if int(new.seen(f"d{domain}", given)[0]) != model.seen(domain, noise):
                yield "the same noise is seen differently"
    yield from _last(new, value["last"])
    least, most = value["minimal_k_bounds"]
    largest = largest_orbit(model)
    moved = [size for j, size in enumerate(model.sizes) if f"Z{j}" in value["intervened"]]
    if largest > int(np.prod(moved)):
        yield "an orbit is larger than the intervened latents allow"
    if binary and not least == most == value["minimal_k"] == largest.bit_length() - 1:
        yield f"minimal k is {value['minimal_k']} with orbits of {largest}"
    if value["minimal_program"] is not None:
        smallest = read(value["minimal_program"])
        if len({name for own in smallest.domains.values() for name in own}) != most:
            yield "the smallest model has another number of interventions"
        for domain in range(domains):
            found = finite_map(smallest, "d0", f"d{domain}", model.sizes)
            if {a[0]: b[0] for a, b in found.items()} != model.transport(domain):
                yield "the smallest model has other counterfactuals"


def largest_orbit(model: Finite) -> int:
    """The size of the largest orbit of the counterfactual maps, by following them."""
    maps = [model.transport(domain) for domain in range(len(model.tables))]
    left, best = set(maps[0]), 1
    while left:
        orbit, waiting = set[int](), [min(left)]
        while waiting:
            state = waiting.pop()
            if state not in orbit:
                orbit.add(state)
                waiting += [each[state] for each in maps]
        left -= orbit
        best = max(best, len(orbit))
    return best


def smooth_form(generator: np.random.Generator) -> Iterator[str]:
    """Faults of the canonical form of a random model of invertible pieces, on random noise."""
    program = random_smooth(generator)
    domains = program.count("domain ")
    (form,) = answers(f"{program}\ncanonicalise M {over(domains)} as L")
    if form["error"] is not None:
        yield f"an error: {form['error']}"
        return
    old, new = read(program), read(form["value"]["program"])
    yield from _last(new, form["value"]["last"])
    seen: list[tuple[Any, ...]] = []
    for _ in range(10):
        noise = dict(zip(old.noises, map(float, generator.normal(size=len(old.noises))), strict=True))
        seen = [old.seen(f"d{domain}", noise) for domain in range(domains)]
        for domain in range(domains):
            other = new.seen(f"d{domain}", {f"U_{name}": each for name, each in noise.items()})
            if not np.allclose(seen[domain], other, rtol=CLOSE, atol=CLOSE):
                yield "the same noise is seen differently"
    given = ", ".join(f"{name} = {value!r}" for name, value in zip(old.observed, seen[0], strict=True))
    if "e" in given.replace("Z", ""):
        return
    there = f"from d0 to d{domains - 1}"
    _, one, two = answers(
        f"{program}\ncanonicalise M {over(domains)} as L\n"
        f"counterfactual {given} in M {there}\ncounterfactual {given} in L {there}"
    )
    for answer in (one, two):
        if answer["error"] is not None:
            yield f"an error: {answer['error']}"
        elif not np.allclose(answer["value"]["rows"][0], seen[-1], rtol=1e-6, atol=1e-6):
            yield f"a counterfactual is {answer['value']['rows'][0]}, not {seen[-1]}"


# ---------------------------------------------------------------------------------------------------------------------
# Equivalence


def linear_pair(generator: np.random.Generator, kind: str) -> Iterator[str]:
    """Faults of `equivalent` on a pair that is equivalent with the same law, with another law, or not at all."""
    model = random_linear(generator)
    other = equivalent_linear(generator, model, kind == "same")
    if kind == "different":
        other = _altered(generator, model)
    domains = len(model.weights)
    old, new = read(model.program()), read(other.program("N"))
    maps = [(linear_map(old, "d0", f"d{d}"), linear_map(new, "d0", f"d{d}")) for d in range(domains)]
    same = all(np.allclose(A, B, atol=1e-9) and np.allclose(a, b, atol=1e-9) for (A, a), (B, b) in maps)
    laws = [(mixing(old, f"d{d}"), mixing(new, f"d{d}")) for d in range(domains)]
    law = all(np.allclose(A @ A.T, B @ B.T, atol=1e-9) and np.allclose(a, b, atol=1e-9) for (A, a), (B, b) in laws)
    (answer,) = answers(f"{model.program()}\n{other.program('N')}\nequivalent M, N {over(domains)}")
    if answer["error"] is not None:
        yield f"an error: {answer['error']}"
        return
    if answer["value"] != {"counterfactual": same, "distribution": law}:
        yield f"{answer['value']}, where counterfactuals agree: {same}, laws: {law}"
        return
    if kind != "different" and not same:
        yield "a pair made equivalent is not"
    if not same:
        yield from _images(answer["witness"], {"M": old, "N": new})


def _altered(generator: np.random.Generator, model: Linear) -> Linear:
    other = deepcopy(model)
    domain, place = int(generator.integers(1, len(model.weights))), int(generator.integers(model.size))
    other.scales[domain][place] += 1 if model.scales[domain][place] > 0 else -1
    return other


def _images(witness: Mapping[str, Any], models: Mapping[str, Text]) -> Iterator[str]:
    """The images of a sample must be what numpy says, and differ."""
    images = {}
    for name, text in models.items():
        change, constant = linear_map(text, witness["from"], witness["to"])
        sample = np.array([float(Fraction(witness["sample"][seen])) for seen in text.observed])
        wanted = change @ sample + constant
        images[name] = np.array([float(Fraction(witness["images"][name][seen])) for seen in text.observed])
        if not np.allclose(images[name], wanted, rtol=1e-8, atol=1e-8):
            yield f"the image by {name} is {wanted}, not {images[name]}"
    if np.allclose(*images.values()):
        yield "the two images are the same"


def finite_pair(generator: np.random.Generator, kind: str) -> Iterator[str]:
    """As `linear_pair`, for finite models."""
    model = random_finite(generator)
    other = equivalent_finite(generator, model, kind == "same")
    if kind == "different":
        other = deepcopy(model)
        last = other.tables[-1][-1]
        case = next(iter(last))
        other.tables[-1] = [*other.tables[-1][:-1], {**last, case: (*last[case][1:], last[case][0])}]
    domains = len(model.tables)
    same = all(model.transport(d) == other.transport(d) for d in range(domains))
    law = all(model.law(d) == other.law(d) for d in range(domains))
    (answer,) = answers(f"{model.program()}\n{other.program('N')}\nequivalent M, N {over(domains)}")
    if answer["error"] is not None:
        yield f"an error: {answer['error']}"
    elif answer["value"] != {"counterfactual": same, "distribution": law}:
        yield f"{answer['value']}, where counterfactuals agree: {same}, laws: {law}"
    elif kind != "different" and not same:
        yield "a pair made equivalent is not"
    elif not same:
        witness = answer["witness"]
        sample, end = int(witness["sample"]["X"]), int(witness["to"][1:])
        for name, each in (("M", model), ("N", other)):
            if each.transport(end)[sample] != int(witness["images"][name]["X"]):
                yield f"the image by {name} is another"


def smooth_pair(generator: np.random.Generator, kind: str) -> Iterator[str]:
    """A model of invertible pieces beside its canonical form, or beside one with a mechanism changed."""
    program = random_smooth(generator)
    domains = program.count("domain ")
    if kind != "different":
        _, answer = answers(f"{program}\ncanonicalise M {over(domains)} as L\nequivalent M, L {over(domains)}")
        wanted = {"counterfactual": True, "distribution": True}
    else:
        other = program.replace("model M", "model N").replace(" of M", " of N")
        head, inside, tail = re.split(r"(?<=domain d1 of N \{)(.*?)(?=\})", other, maxsplit=1)
        kept = [part for part in inside.split(";") if part.strip() and not part.strip().startswith("Z0 :=")]
        changed = head + " ; ".join(["Z0 := 3 * noise + 1", *kept]) + tail
        (answer,) = answers(f"{program}\n{changed}\nequivalent M, N {over(domains)}")
        wanted = {"counterfactual": False, "distribution": False}
    if answer["error"] is not None:
        yield f"an error: {answer['error']}"
    elif answer["value"] != wanted:
        yield f"{answer['value']}, not {wanted}"
