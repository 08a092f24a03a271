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


# ---------------------------------------------------------------------------------------------------------------------
# Queries of every shape, sensible or not

EVERYTHING = """model All {
  latent U : real ~ Normal(0, 1)
  T : {0, 1} ~ Bernoulli(0.3)
  L : {0, 1} := T
  K : {0, 1, 2} ~ table (T) { 0 => 0, 1/2, 1/2 ; 1 => 1/4, 3/4, 0 }
  X : real := U + T + noise
  W : real := 2*X + 1
  Y : real := if L = 1 then 2*X - U + noise else 3 + K*noise
  N : real ~ Normal(Y, 2)
  V : real[2] := X + noise
  G : real := exp(X)
  B : {0, 1} := X > 0
  Q : real := a*X + noise
}"""
FINITE = ("T", "L", "K", "B")
VARIABLES = ("U", *FINITE, "X", "W", "Y", "N", "V", "G", "Q")


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Text of a probability, an expectation or arithmetic of two, about the model EVERYTHING."""
    first = draw(_kernels())
    if draw(st.integers(0, 3)):
        return first
    return f"{first} {draw(st.sampled_from('+-*/'))} {draw(_kernels())}"


@st.composite
def _kernels(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(VARIABLES), min_size=1, max_size=4, unique=True))
    count = draw(st.integers(1, min(2, len(names))))
    outcomes, rest = names[:count], names[count:]
    cut = draw(st.integers(0, len(rest)))
    bar = [f"do({', '.join(draw(_settings(name)) for name in rest[:cut])})"] if cut else []
    bar += [draw(_terms(name, valued=draw(st.integers(0, 6)) > 0)) for name in rest[cut:]]
    given = f" | {', '.join(bar)}" if bar else ""
    if draw(st.booleans()):
        joined = draw(st.sampled_from(["*", " + ", " - "])).join(draw(_terms(name, False)) for name in outcomes)
        return f"E({joined}{given})"
    return f"P({', '.join(draw(_terms(name, draw(st.booleans()))) for name in outcomes)}{given})"


@st.composite
def _settings(draw: st.DrawFn, name: str) -> str:
    value = draw(st.sampled_from(["0", "1"] if name in FINITE else ["0", "1", "-2.5", "1/3"]))
    return name if draw(st.integers(0, 5)) == 0 else f"{name} = {value}"


@st.composite
def _terms(draw: st.DrawFn, name: str, valued: bool) -> str:
    others = [other for other in VARIABLES if other != name]
    world = ""
    if draw(st.integers(0, 2)) == 0:
        chosen = draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True))
        world = f"[{', '.join(draw(_nested(other)) for other in chosen)}]"
    value = draw(st.sampled_from(["0", "1"] if name in FINITE else ["0", "1", "-2.5", "1/3"]))
    return f"{name}{world}{f' = {value}' if valued else ''}"


@st.composite
def _nested(draw: st.DrawFn, name: str) -> str:
    if draw(st.integers(0, 4)):
        return draw(_settings(name))
    other = draw(st.sampled_from([other for other in VARIABLES if other != name]))
    return f"{name} = {name}[{other} = 1]"
