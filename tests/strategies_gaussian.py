"""Random linear models, units of them, and finite switches that choose between their equations."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st
from oracles.gaussian import Equation, LinearModel

NUMBERS = st.sampled_from([Fraction(n, d) for n in (-3, -2, -1, 1, 2, 3) for d in (1, 2)])
NAMES = ("U", "A", "B", "X", "Y", "Z")


@st.composite
def linear_models(draw: st.DrawFn, least: int = 2, most: int = 5, noisy: bool = False) -> LinearModel:
    """A model of a few variables in causal order; some equations have no noise unless `noisy`."""
    names = NAMES[: draw(st.integers(least, most))]
    equations: list[Equation] = []
    for place, name in enumerate(names):
        parents = [parent for parent in names[:place] if draw(st.booleans())]
        coefficients = {parent: draw(NUMBERS) for parent in parents}
        silent = not noisy and place > 0 and draw(st.integers(0, 3)) == 0
        spread = Fraction(0) if silent else abs(draw(NUMBERS))
        equations.append(
            Equation(name, draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(-5, 2)])), coefficients, spread)
        )
    return LinearModel(tuple(equations))


def noises(model: LinearModel) -> st.SearchStrategy[dict[str, Fraction]]:
    """The noises of one unit."""
    return st.fixed_dictionaries(dict.fromkeys(model.names, NUMBERS))
