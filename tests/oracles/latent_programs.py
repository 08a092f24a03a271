"""Programs of latent models run forwards by their text alone, in any numbers Python can compute with.

Shares nothing with the library: equations are turned into Python expressions word by word and evaluated as often as it
takes.  A counterfactual is found by brute force (finite: every noise) or by numpy (linear: the affine map from noise to
what is seen, measured at zero and at unit noises, is inverted).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

MODEL = re.compile(r"model (\w+) \{\n(.*?)\n\}", re.DOTALL)
DOMAIN = re.compile(r"domain (\w+) of (\w+) \{(.*?)\}\s*(?=\n|$)", re.DOTALL)
LINE = re.compile(r"(latent )?(\w+)\s*(?:: ([^=~]*?))?\s*(:=|~) (.*)")
INEXACT = re.compile(r"\b(?:exp|log|tanh|sqrt|sigmoid|max|min)\b|\^|~ \{")
"""Programs with these words are run in floats, or in integers where they are finite; all others in Fractions."""


@dataclass(frozen=True)
class Equation:
    """A variable's equation as Python, or its law; `reads_noise` tells whether it has noise of its own."""

    latent: bool
    python: str | None
    law: str | None

    @property
    def reads_noise(self) -> bool:
        return self.python is not None and bool(re.search(r"\bnoise\b", self.python))


@dataclass(frozen=True)
class Text:
    """A program's only model, read from its text."""

    equations: Mapping[str, Equation]
    domains: Mapping[str, Mapping[str, str]]

    @property
    def observed(self) -> list[str]:
        return [name for name, equation in self.equations.items() if not equation.latent]

    @property
    def noises(self) -> list[str]:
        """Variables that have noise, in order: `noise` in their equation, or a law."""
        return [name for name, equation in self.equations.items() if equation.reads_noise or equation.law]

    def run(self, domain: str, noise: Mapping[str, Any]) -> dict[str, Any]:
        """Every variable, from the noise of each variable that has some."""
        values: dict[str, Any] = {name: noise[name] for name in self.noises if self.equations[name].law}
        bodies = {
            name: self.domains[domain].get(name, equation.python)
            for name, equation in self.equations.items()
            if equation.python is not None
        }
        while bodies:
            ready = [name for name, body in bodies.items() if body and set(bodies).isdisjoint(words(body))]
            assert ready, "the equations form a cycle"
            for name in ready:
                given = {**FUNCTIONS, **values, "noise": noise.get(name), "F": Fraction}
                values[name] = eval(bodies.pop(name) or "", {"__builtins__": {}}, given)
        return values

    def seen(self, domain: str, noise: Mapping[str, Any]) -> tuple[Any, ...]:
        values = self.run(domain, noise)
        return tuple(values[name] for name in self.observed)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


FUNCTIONS: dict[str, Any] = {
    "exp": math.exp, "log": math.log, "tanh": math.tanh, "sqrt": math.sqrt, "sigmoid": sigmoid, "max": max, "min": min,
}  # fmt: skip


def words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text))


def read(program: str) -> Text:
    """The model and the domains of a program with one model."""
    found = MODEL.search(program)
    assert found is not None
    exact = not INEXACT.search(program)
    equations: dict[str, Equation] = {}
    for line in statements(found[2]):
        match = LINE.fullmatch(line)
        if match is None:
            assert line.startswith("mutable"), line
            continue
        latent, name, _, sign, body = match.groups()
        law = body if sign == "~" else None
        equations[name] = Equation(latent is not None, None if law else python(body, exact), law)
    domains = {
        name: {part.split(":=")[0].strip(): python(part.split(":=")[1].strip(), exact) for part in statements(inside)}
        for name, model, inside in DOMAIN.findall(program)
        if model == found[1]
    }
    return Text(equations, domains)


def statements(block: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"[;\n]", block) if part.strip()]


def python(body: str, exact: bool = True) -> str:
    """An expression of the language as Python; numbers become Fractions where `exact`."""
    text = re.sub(r"\bxor\b", "^", body.replace("^", "**"))
    if exact:
        text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)", r"F('\1')", text)
    return choices(text)


def choices(text: str) -> str:
    """`if a then b else c` as `(b if a else c)`, brackets first."""
    pieces: list[str] = []
    depth = start = 0
    for place, letter in enumerate(text):
        if letter == "(":
            if depth == 0:
                pieces.append(text[start:place])
                start = place + 1
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth == 0:
                pieces.append(choices(text[start:place]))
                start = place + 1
    pieces.append(text[start:])
    held = {f"@{place}@": f"({piece})" for place, piece in enumerate(pieces) if place % 2}
    flat = "".join(piece if place % 2 == 0 else f"@{place}@" for place, piece in enumerate(pieces))
    made = chosen(flat)
    for mark, piece in held.items():
        made = made.replace(mark, piece)
    return made


def chosen(flat: str) -> str:
    """A choice without brackets: the condition ends at the first `then`, the first branch at its own `else`."""
    head, mark, rest = flat.partition("if ")
    if not mark:
        return flat
    condition, _, rest = rest.partition(" then ")
    depth, place = 0, 0
    for match in re.finditer(r"\bif\b|\belse\b", rest):
        if match[0] == "if":
            depth += 1
        elif depth == 0:
            place = match.start()
            break
        else:
            depth -= 1
    first, second = rest[:place], rest[place + len("else ") :]
    return f"{head}(({chosen(first)}) if ({condition}) else ({chosen(second)}))"


# ---------------------------------------------------------------------------------------------------------------------
# Counterfactuals by hand


def mixing(text: Text, domain: str) -> tuple[Any, Any]:
    """The matrix and constant of the affine map from noise to what is seen, as floats."""
    zero = {name: Fraction(0) for name in text.noises}
    origin = text.seen(domain, zero)
    columns = [text.seen(domain, {**zero, name: Fraction(1)}) for name in text.noises]
    matrix = np.array([[float(a - b) for a, b in zip(column, origin, strict=True)] for column in columns]).T
    return matrix, np.array([float(value) for value in origin])


def linear_map(text: Text, start: str, end: str) -> tuple[Any, Any]:
    """The counterfactual map of a linear model, by numpy."""
    (A, a), (B, b) = mixing(text, start), mixing(text, end)
    change = B @ np.linalg.inv(A)
    return change, b - change @ a


def finite_map(text: Text, start: str, end: str, sizes: Sequence[int]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The counterfactual map of a finite model, by running every noise through both domains."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for values in product(*(range(size) for size in sizes)):
        noise = dict(zip(text.noises, values, strict=True))
        seen = tuple(int(value) for value in text.seen(start, noise))
        assert seen not in found, "what is seen does not tell noises apart"
        found[seen] = tuple(int(value) for value in text.seen(end, noise))
    return found
