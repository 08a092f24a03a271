"""A linear latent model given as matrices, written as a program: `linear_domains.py` from outside the language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from . import exact_linear as linear
from .exact_linear import Matrix, Singular
from .latent_worlds import NORMAL
from .linear_domains import LinearDomains, uniform
from .linear_reading import linear_program


def matrix_program(
    observation: Any,
    mechanisms: Mapping[str, Any],
    shifts: Mapping[str, Any] | None = None,
    offset: Any = None,
    observed: Sequence[str] | None = None,
    latents: Sequence[str] | None = None,
) -> str:
    """The program of x = G z + c, z = F_d e + b_d, one F_d and b_d a domain.

    Raises `SutureError` S461 where a matrix is not square of the one size, lower triangular or invertible, by its name.
    """
    lens = _square("the observation", observation, None)
    size = len(lens)
    own = {name: _square(f"the mechanism of {name}", each, size) for name, each in mechanisms.items()}
    for name, each in own.items():
        if any(each[row, column] != 0 for row in range(size) for column in range(row + 1, size)):
            raise _refused(
                f"the mechanism of {name} is not lower triangular", "latent j depends on noises 1 to j alone"
            )
    for name, each in (("the observation", lens), *((f"the mechanism of {name}", each) for name, each in own.items())):
        try:
            linear.inverse(each)
        except Singular:
            raise _refused(f"{name} has no inverse", None) from None
    moved = {name: _vector((shifts or {}).get(name), size) for name in own}
    model = LinearDomains(
        given_names(observed, "X", size),
        given_names(latents, "Z", size),
        tuple(own),
        lens,
        _vector(offset, size),
        tuple(own.values()),
        tuple(moved.values()),
        (NORMAL,) * size,
        (Fraction(1),) * size,
    )
    return linear_program(uniform(model), "Matrices")


def given_names(names: Sequence[str] | None, letter: str, size: int) -> tuple[str, ...]:
    """The names given, or a letter with numbers from 1; raises `SutureError` S461 where they are not `size` names."""
    made = tuple(names or (f"{letter}{place + 1}" for place in range(size)))
    if len(set(made)) != size:
        raise _refused(f"there are {len(set(made))} names for {size} variables", "give one name for each")
    return made


def _square(name: str, entries: Any, size: int | None) -> Matrix:
    rows = [[_plain(entry) for entry in row] for row in entries]
    wanted = len(rows) if size is None else size
    if len(rows) != wanted or any(len(row) != wanted for row in rows):
        raise _refused(f"{name} is not {wanted} by {wanted}", "all matrices are square and of one size")
    return linear.matrix(rows)


def _vector(entries: Any, size: int) -> Matrix:
    made = [Fraction(0)] * size if entries is None else [_plain(entry) for entry in entries]
    if len(made) != size:
        raise _refused(f"a vector has {len(made)} entries, not {size}", None)
    return linear.vector(made)


def _plain(entry: Any) -> Any:
    """Numpy's numbers as Python's."""
    return (
        int(entry) if isinstance(entry, np.integer) else entry if isinstance(entry, (int, Fraction)) else float(entry)
    )


def _refused(text: str, help: str | None) -> SutureError:
    return SutureError(Diagnostic("S461", text, None, "", help))
