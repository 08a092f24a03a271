"""Random latent models of several domains, as programs, and pairs made equivalent or different on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np


def fraction(generator: np.random.Generator, zero: float = 0.3) -> Fraction:
    """A small rational, zero with some probability."""
    if generator.random() < zero:
        return Fraction(0)
    return Fraction(int(generator.integers(-6, 7)) or 1, int(generator.integers(1, 4)))


def matrix(generator: np.random.Generator, size: int, lower: bool) -> list[list[Fraction]]:
    """A random invertible matrix; lower triangular where asked for."""
    while True:
        rows = [
            [
                Fraction(0) if lower and column > row else fraction(generator, 0.0 if column == row else 0.3)
                for column in range(size)
            ]
            for row in range(size)
        ]
        if lower or abs(np.linalg.det(np.array(rows, dtype=float))) > 0.2:
            return rows


# ---------------------------------------------------------------------------------------------------------------------
# Linear models


@dataclass
class Linear:
    """z_j = sum of `weights[d][j][i] z_i` (i < j) + `scales[d][j]` noise + `shifts[d][j]`; x = `lens` z + `offset`."""

    weights: list[list[list[Fraction]]]
    scales: list[list[Fraction]]
    shifts: list[list[Fraction]]
    lens: list[list[Fraction]]
    offset: list[Fraction]

    @property
    def size(self) -> int:
        return len(self.lens)

    def equation(self, domain: int, place: int) -> str:
        """A latent's equation, with all parents that some domain reads."""
        read = {i for own in self.weights for i in range(place) if own[place][i]}
        terms = [f"({self.weights[domain][place][i]})*Z{i}" for i in sorted(read)]
        return " + ".join([*terms, f"({self.scales[domain][place]})*noise", f"({self.shifts[domain][place]})"])

    def changed(self) -> list[int]:
        """The latents whose equation differs between domains."""
        return [
            j
            for j in range(self.size)
            if any(self.equation(domain, j) != self.equation(0, j) for domain in range(len(self.weights)))
        ]

    def program(self, name: str = "M") -> str:
        lines = [f"model {name} {{"]
        lines += [f"  latent Z{j} : real := {self.equation(0, j)}" for j in range(self.size)]
        for j in range(self.size):
            terms = [f"({factor})*Z{i}" for i, factor in enumerate(self.lens[j]) if factor]
            lines.append(f"  X{j} : real := {' + '.join(terms)} + ({self.offset[j]})")
        lines.append("}")
        for domain in range(len(self.weights)):
            parts = [f"Z{j} := {self.equation(domain, j)}" for j in self.changed()] if domain else []
            lines.append(f"domain d{domain} of {name} {{ {' ; '.join(parts)} }}")
        return "\n".join(lines) + "\n"

    def mechanism(self, domain: int) -> tuple[Any, Any]:
        """F_d and b_d, in Fractions, by running the equations."""
        size = self.size
        rows: list[list[Fraction]] = []
        for j in range(size):
            row = [Fraction(0)] * size + [self.shifts[domain][j]]
            row[j] += self.scales[domain][j]
            for i in range(j):
                row = [a + self.weights[domain][j][i] * b for a, b in zip(row, rows[i], strict=True)]
            rows.append(row)
        made = np.array(rows, dtype=object)
        return made[:, :size], made[:, size]

    def rank(self) -> int:
        """The rank of [F_0^-1 F_d - I | F_0^-1 (b_d - b_0)], by SymPy."""
        import sympy

        blocks: list[Any] = []
        (F, b), *others = [self.mechanism(domain) for domain in range(len(self.weights))]
        back = sympy.Matrix(F.tolist()).inv()
        for G, c in others:
            blocks.append(back * sympy.Matrix(G.tolist()) - sympy.eye(self.size))
            blocks.append(back * sympy.Matrix((c - b).tolist()))
        return int(sympy.Matrix.hstack(*blocks).rank()) if blocks else 0


def random_linear(generator: np.random.Generator, most: int = 5, narrow: bool = False) -> Linear:
    """A random linear model; `narrow` lets interventions change only the weight on one shared parent."""
    size, domains = int(generator.integers(1 if not narrow else 3, most + 1)), int(generator.integers(2, 5))
    weights = [[fraction(generator) for _ in range(j)] for j in range(size)]
    scales = [fraction(generator, 0.0) for _ in range(size)]
    shifts = [fraction(generator, 0.5) for _ in range(size)]
    every = [([list(row) for row in weights], list(scales), list(shifts)) for _ in range(domains)]
    moved = [j for j in range(1 if narrow else 0, size) if generator.random() < 0.6 or narrow]
    for own_weights, own_scales, own_shifts in every[1:]:
        for j in moved:
            if narrow:
                own_weights[j][0] = fraction(generator, 0.0)
                continue
            own_weights[j] = [fraction(generator) for _ in range(j)]
            own_scales[j] = fraction(generator, 0.0)
            own_shifts[j] = fraction(generator, 0.3)
    lens = matrix(generator, size, False)
    offset = [fraction(generator) for _ in range(size)]
    return Linear([w for w, _, _ in every], [s for _, s, _ in every], [b for _, _, b in every], lens, offset)


def equivalent_linear(generator: np.random.Generator, model: Linear, keep_law: bool) -> Linear:
    """g' = g h1^-1, f'_d = h1 f_d h2 with random lower triangular h1, and h2 diagonal signs where the law is kept."""
    size = model.size
    h1 = np.array(matrix(generator, size, True), dtype=object)
    h2 = np.array(matrix(generator, size, True), dtype=object)
    if keep_law:
        signs = [Fraction(int(generator.choice([-1, 1]))) for _ in range(size)]
        rows = [[sign if row == column else Fraction(0) for column in range(size)] for row, sign in enumerate(signs)]
        h2 = np.array(rows, dtype=object)
    elif all(abs(h2[j, j]) == 1 and not any(h2[j, :j]) for j in range(size)):
        h2[0, 0] = Fraction(5)
    shift = np.array([fraction(generator) for _ in range(size)], dtype=object)
    made = [(h1 @ F @ h2, h1 @ b + shift) for F, b in map(model.mechanism, range(len(model.weights)))]
    back = inverse(h1)
    lens = np.array(model.lens, dtype=object) @ back
    offset = np.array(model.offset, dtype=object) - lens @ shift
    parts = [solved(F, b) for F, b in made]
    return Linear(
        [w for w, _, _ in parts], [s for _, s, _ in parts], [c for _, _, c in parts], lens.tolist(), offset.tolist()
    )


def inverse(lower: Any) -> Any:
    """The inverse of a matrix, by SymPy, in Fractions."""
    import sympy

    made = sympy.Matrix(lower.tolist()).inv()
    return np.array([[Fraction(int(e.p), int(e.q)) for e in made.row(row)] for row in range(made.rows)], dtype=object)


def solved(F: Any, b: Any) -> tuple[list[list[Fraction]], list[Fraction], list[Fraction]]:
    """Weights, scales and shifts of the equations whose solution is z = F e + b."""
    back = inverse(F)
    size = len(F)
    scales = [1 / back[j, j] for j in range(size)]
    weights = [[-back[j, i] * scales[j] for i in range(j)] for j in range(size)]
    shifts = [scales[j] * sum((back[j, i] * b[i] for i in range(j + 1)), Fraction(0)) for j in range(size)]
    return weights, scales, shifts


# ---------------------------------------------------------------------------------------------------------------------
# Finite models


@dataclass
class Finite:
    """Tables: `tables[d][j][values of 0..j-1][noise]` is the value of latent j; `lens[state]` what is seen."""

    sizes: list[int]
    tables: list[list[dict[tuple[int, ...], tuple[int, ...]]]]
    lens: list[int]
    weights: list[list[Fraction]]

    def program(self, name: str = "M") -> str:
        lines = [f"model {name} {{"]
        for j, weights in enumerate(self.weights):
            lines.append(f"  latent E{j} ~ {{{', '.join(f'{v}: {w}' for v, w in enumerate(weights))}}}")
        lines += [f"  latent Z{j} : 0..{size - 1} ~ {self.table(0, j)}" for j, size in enumerate(self.sizes)]
        states = list(product(*map(range, self.sizes)))
        reads = ", ".join(f"Z{j}" for j in range(len(self.sizes)))
        rows = " ; ".join(
            f"{', '.join(map(str, state))} => {', '.join(str(int(self.lens[place] == x)) for x in range(len(states)))}"
            for place, state in enumerate(states)
        )
        lines.append(f"  X : 0..{len(states) - 1} ~ table ({reads}) {{ {rows} }}")
        lines.append("}")
        for domain in range(len(self.tables)):
            parts = [f"Z{j} ~ {self.table(domain, j)}" for j in self.changed()] if domain else []
            lines.append(f"domain d{domain} of {name} {{ {' ; '.join(parts)} }}")
        return "\n".join(lines) + "\n"

    def table(self, domain: int, j: int) -> str:
        size = self.sizes[j]
        rows = [
            f"{', '.join(map(str, (*case, noise)))} => {', '.join(str(int(values[noise] == v)) for v in range(size))}"
            for case, values in self.tables[domain][j].items()
            for noise in range(size)
        ]
        names = ", ".join([*(f"Z{i}" for i in range(j)), f"E{j}"])
        return f"table ({names}) {{ {' ; '.join(rows)} }}"

    def changed(self) -> list[int]:
        return [j for j in range(len(self.sizes)) if any(own[j] != self.tables[0][j] for own in self.tables)]

    def latents(self, domain: int, noise: Sequence[int]) -> tuple[int, ...]:
        """f_d at one state of the noise."""
        found: tuple[int, ...] = ()
        for j, own in enumerate(noise):
            found = (*found, self.tables[domain][j][found][own])
        return found

    def seen(self, domain: int, noise: Sequence[int]) -> int:
        return self.lens[int(np.ravel_multi_index(self.latents(domain, noise), self.sizes))]

    def transport(self, end: int) -> dict[int, int]:
        """T from the first domain, by brute force."""
        return {self.seen(0, noise): self.seen(end, noise) for noise in product(*map(range, self.sizes))}

    def law(self, domain: int) -> dict[int, Fraction]:
        """The distribution of what is seen, by brute force."""
        return {
            self.seen(domain, noise): prod((self.weights[j][e] for j, e in enumerate(noise)), start=Fraction(1))
            for noise in product(*map(range, self.sizes))
        }


def random_finite(generator: np.random.Generator, binary: bool = False, most: int = 3) -> Finite:
    """A random finite model of at most `most` latents."""
    sizes = [2 if binary else int(generator.integers(2, 4)) for _ in range(int(generator.integers(1, most + 1)))]
    domains = int(generator.integers(2, 4))
    base = [_tables(generator, sizes, j) for j in range(len(sizes))]
    moved = [j for j in range(len(sizes)) if generator.random() < 0.6]
    tables = [
        [_tables(generator, sizes, j) if d and j in moved else base[j] for j in range(len(sizes))]
        for d in range(domains)
    ]
    weights = [_weights(generator, size) for size in sizes]
    return Finite(sizes, tables, [int(x) for x in generator.permutation(prod(sizes))], weights)


def _tables(generator: np.random.Generator, sizes: Sequence[int], j: int) -> dict[tuple[int, ...], tuple[int, ...]]:
    return {case: tuple(int(v) for v in generator.permutation(sizes[j])) for case in product(*map(range, sizes[:j]))}


def _weights(generator: np.random.Generator, size: int) -> list[Fraction]:
    counts = [int(count) for count in generator.integers(1, 9, size=size)]
    return [Fraction(count, sum(counts)) for count in counts]


def equivalent_finite(generator: np.random.Generator, model: Finite, keep_law: bool) -> Finite:
    """f'_d = h1 f_d h2 with random autoregressive permutations h1 and, unless the law is kept, h2."""
    sizes = model.sizes
    h1 = Finite(sizes, [[_tables(generator, sizes, j) for j in range(len(sizes))]], [], [])
    h2 = Finite(sizes, [[_tables(generator, sizes, j) for j in range(len(sizes))]], [], [])
    tables: list[list[dict[tuple[int, ...], tuple[int, ...]]]] = []
    for domain in range(len(model.tables)):
        made: list[dict[tuple[int, ...], list[int]]] = [{} for _ in sizes]
        for noise in product(*map(range, sizes)):
            old = noise if keep_law else h2.latents(0, noise)
            new = h1.latents(0, model.latents(domain, old))
            for j, size in enumerate(sizes):
                made[j].setdefault(new[:j], [-1] * size)[noise[j]] = new[j]
        tables.append([{case: tuple(values) for case, values in own.items()} for own in made])
    lens = [0] * prod(sizes)
    for state in product(*map(range, sizes)):
        place = int(np.ravel_multi_index(h1.latents(0, state), sizes))
        lens[place] = model.lens[int(np.ravel_multi_index(state, sizes))]
    return Finite(sizes, tables, lens, model.weights)


# ---------------------------------------------------------------------------------------------------------------------
# Models of invertible pieces


def random_smooth(generator: np.random.Generator, name: str = "M", most: int = 4) -> str:
    """A program of invertible pieces: leaky, cubic, exponential and coupled mechanisms, seen through layers."""
    size, domains = int(generator.integers(2, most + 1)), int(generator.integers(2, 4))
    moved = [j for j in range(size) if generator.random() < 0.6]
    base = [_mechanism(generator, j) for j in range(size)]
    lines = [f"model {name} {{"]
    lines += [f"  latent Z{j} : real := {base[j]}" for j in range(size)]
    mixing = matrix(generator, size, False)
    for j in range(size):
        terms = " + ".join(f"({float(f):.4g})*Z{i}" for i, f in enumerate(mixing[j]) if f)
        lines.append(f"  latent H{j} : real := {terms}")
    for j in range(size):
        kind = int(generator.integers(4))
        if kind == 0:
            lines.append(f"  X{j} : real := max(H{j}, H{j} / 2)")
        elif kind == 1:
            lines.append(f"  X{j} : real := H{j}^3")
        elif kind == 2 and j:
            lines.append(f"  X{j} : real := H{j} * exp(tanh(X{j - 1})) + X{j - 1}")
        else:
            lines.append(f"  X{j} : real := 2 * H{j} - 1")
    lines.append("}")
    for domain in range(domains):
        parts = [f"Z{j} := {_mechanism(generator, j)}" for j in moved] if domain else []
        lines.append(f"domain d{domain} of {name} {{ {' ; '.join(parts)} }}")
    return "\n".join(lines) + "\n"


def _mechanism(generator: np.random.Generator, j: int) -> str:
    """A mechanism onto all reals that rises or falls with noise whatever it reads; reads every latent before it."""
    a, b = (f"{value:.3g}" for value in generator.uniform(0.3, 1.5, size=2))
    rest = " + ".join(f"{generator.uniform(-1, 1):.3g} * tanh(Z{i})" for i in range(j))
    tail = f" + {rest}" if rest else ""
    gain = f"exp(0.5 * tanh(Z{int(generator.integers(j))}))" if j else "1"
    match int(generator.integers(4)):
        case 0:
            return f"{a} * noise * {gain}{tail}"
        case 1:
            return f"(if noise > 0 then {a} * noise else {b} * noise) * {gain}{tail}"
        case 2:
            return f"-(({a} * noise)^3) - {b}{tail}"
        case _:
            return f"max({a} * noise, {b} * noise){tail}"
