"""Adversaries by gradient ascent in JAX: all classes and all starts in one `vmap`.

The mechanism of a mutable variable with values in [low, high] is middle + half tanh(z), or high where z >= 0 and else
low, with z = v.tanh(W x + b) + u.x + d a small network of its parents x.  The risk of a predictor, an average over
fixed standard draws, is a smooth function of the networks; Adam climbs it from several starts.  From where it ends,
mechanisms with few parents are made best steps in turn (`simulated_steps`).  A risk is convex in each value of a
mechanism where the predictor's residual is affine in it, not in general, so what is found is a lower bound; it is
measured on draws that neither the search nor the choice among its results has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...semantics.environments.fourier_regression import FourierFit
from .linear_selection import AnyValue
from .simulated_selection import Given, SimulatedAdversary, SimulatedSelection
from .simulated_steps import Played, stepped

Floats = NDArray[np.float64]
HIDDEN = 4
ALL_STARTS = 32
STARTS = (2, 8)
"""Starts of all predictors together, and the fewest and most of one."""
STEPS = 120
RATE = 0.1
CLIMBED = 512
CHOSEN = 2_000
MEASURED = 40_000
DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """z = outer.tanh(inner x + shift) + slope.x + start of the parents x; shapes: hidden by parents, hidden, parents.

    Where it is `hard`, the variable jumps between its ends.
    """

    choice: AnyValue
    inner: Floats
    shift: Floats
    outer: Floats
    slope: Floats
    start: float
    hard: bool

    def value(self, rows: Mapping[str, Any], count: int) -> Floats:
        """The variable in every row."""
        own = [rows[name] for name in self.choice.parents]
        x = np.stack(own, axis=1) if own else np.empty((count, 0))
        z = np.tanh(x @ self.inner.T + self.shift) @ self.outer + x @ self.slope + self.start
        middle, half = float(self.choice.middle), float(self.choice.half)
        return middle + half * (np.where(z >= 0, 1.0, -1.0) if self.hard else np.tanh(z))

    @property
    def text(self) -> str:
        """The mechanism in the language."""
        names = self.choice.parents
        terms = [_term(weight, name) for weight, name in zip(self.slope, names, strict=True)]
        if names:
            for row, shift, outer in zip(self.inner, self.shift, self.outer, strict=True):
                inside = [_term(weight, name) for weight, name in zip(row, names, strict=True)]
                terms.append(_term(outer, f"tanh({_joined([*inside, f'{shift:.{DIGITS}g}'])})"))
        z = _joined([*terms, f"{self.start:.{DIGITS}g}"])
        if self.hard:
            return f":= if {z} >= 0 then {self.choice.high} else {self.choice.low}"
        return f":= {self.choice.middle} + {self.choice.half}*tanh({z})"


def _term(weight: float, name: str) -> str:
    return f"{weight:.{DIGITS}g}*{name}"


def _joined(terms: Sequence[str]) -> str:
    return terms[0] + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Climbed:
    """The risk that an adversary attains against a predictor, its standard error, and the mechanisms."""

    risk: float
    error: float
    mechanisms: tuple[tuple[str, str], ...]


def climb(
    model: SimulatedSelection,
    adversary: SimulatedAdversary,
    inputs: Sequence[Sequence[str]],
    fits: Sequence[FourierFit],
) -> list[Climbed]:
    """For each predictor (its inputs and its fit) the best that the ascent finds."""
    own = [(names, fit) for names, fit in zip(inputs, fits, strict=True)]
    if not adversary.free:
        return [_measured(model, adversary, names, fit, {}) for names, fit in own]
    parameters = _ascended(model, adversary, own)
    found: list[Climbed] = []
    scales = scales_of(model)
    chosen = Sample(CHOSEN, 21)
    for (names, fit), starts in zip(own, parameters, strict=True):
        tried = [_networks(model, adversary, scales, start, hard) for start in starts for hard in (True, False)]

        def reached(played: Mapping[str, Played], names: Sequence[str] = names, fit: FourierFit = fit) -> float:
            return float(chosen.losses(model, adversary, played, names, fit).mean())

        def losses(rows: Mapping[str, Floats], names: Sequence[str] = names, fit: FourierFit = fit) -> Floats:
            return squared_losses(rows, model.outcome, names, fit)

        climbed = max(tried, key=reached)
        best = max((climbed, stepped(model, adversary, climbed, losses)), key=reached)
        found.append(_measured(model, adversary, names, fit, best))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Standard draws for a number of rows."""

    count: int
    stream: int

    def losses(
        self,
        model: SimulatedSelection,
        adversary: SimulatedAdversary,
        played: Mapping[str, Played],
        names: Sequence[str],
        fit: FourierFit,
    ) -> Floats:
        """The squared losses of a predictor in the domain that mechanisms make."""
        rows = model.in_domain(
            adversary, self.count, self.stream, lambda name, rows: played[name].value(rows, self.count)
        )
        return squared_losses(rows, model.outcome, names, fit)


def squared_losses(rows: Mapping[str, Floats], outcome: str, names: Sequence[str], fit: FourierFit) -> Floats:
    """The squared losses of a fitted predictor."""
    count = len(rows[outcome])
    inputs = np.stack([rows[name] for name in names], axis=1) if names else np.empty((count, 0))
    return (rows[outcome] - fit.predict(inputs)) ** 2


def _measured(
    model: SimulatedSelection,
    adversary: SimulatedAdversary,
    names: Sequence[str],
    fit: FourierFit,
    played: Mapping[str, Played],
) -> Climbed:
    losses = Sample(MEASURED, 22).losses(model, adversary, played, names, fit)
    texts: list[tuple[str, str]] = []
    for name, choice in adversary.choices.items():
        texts.append((name, choice.text if isinstance(choice, Given) else played[name].text))
    return Climbed(float(losses.mean()), float(losses.std() / len(losses) ** 0.5), tuple(texts))


# ---------------------------------------------------------------------------------------------------------------------
# The ascent


def _ascended(
    model: SimulatedSelection, adversary: SimulatedAdversary, own: Sequence[tuple[Sequence[str], FourierFit]]
) -> Floats:
    """Parameters after the ascent, of shape predictors by starts by parameters."""
    import jax
    import jax.numpy as jnp

    from ...semantics.fitting.descent import adam

    generator = np.random.default_rng((model.seed, 23))
    size = sum(_size(len(model.parents[name])) for name in adversary.free)
    each = int(np.clip(ALL_STARTS // len(own), *STARTS))
    starts = generator.normal(size=(len(own), each, size)) * np.linspace(0.5, 2.5, each)[:, None]
    predictors = _stacked(model, own)
    objective = _objective(model, adversary)

    def ended(predictor: Any, start: Any) -> Any:
        return adam(lambda at: -objective(at, predictor), start, STEPS, RATE)[0]

    both: Any = jax.jit(jax.vmap(jax.vmap(ended, in_axes=(None, 0))))
    moved = {key: jnp.asarray(value) for key, value in predictors.items()}
    return np.asarray(both(moved, jnp.asarray(starts)), dtype=np.float64)


def _size(parents: int) -> int:
    return HIDDEN * parents + 2 * HIDDEN + parents + 1


def _stacked(model: SimulatedSelection, own: Sequence[tuple[Sequence[str], FourierFit]]) -> dict[str, Floats]:
    """Fits as functions of all features: those that one does not read have coefficients of zero."""
    features = (*model.diagram.stable, *model.diagram.mutable)
    most = max(fit.frequencies.shape[1] for _, fit in own)
    frequencies = np.zeros((len(own), len(features), most))
    phases, waves = np.zeros((len(own), most)), np.zeros((len(own), most))
    slopes, constant = np.zeros((len(own), len(features))), np.zeros(len(own))
    for number, (names, fit) in enumerate(own):
        places, count = [features.index(name) for name in names], fit.frequencies.shape[1]
        scaled = fit.frequencies / fit.scale.deviation[:, None]
        frequencies[number, places, :count] = scaled
        phases[number, :count] = fit.phases - fit.scale.mean @ scaled
        waves[number, :count] = fit.coefficients[1 + len(names) :]
        straight = fit.coefficients[1 : 1 + len(names)] / fit.scale.deviation
        slopes[number, places] = straight
        constant[number] = fit.coefficients[0] - straight @ fit.scale.mean
    return {"frequencies": frequencies, "phases": phases, "waves": waves, "slopes": slopes, "constant": constant}


def _objective(model: SimulatedSelection, adversary: SimulatedAdversary) -> Callable[[Any, Any], Any]:
    """The risk of a predictor where networks are the free mechanisms, on fixed draws."""
    import jax.numpy as jnp

    draws = {name: jnp.asarray(values) for name, values in model.draws(CLIMBED, 24).items()}
    features = (*model.diagram.stable, *model.diagram.mutable)
    scales = scales_of(model)

    def risk(parameters: Any, predictor: Any) -> Any:
        pieces = _split(parameters, model, adversary)

        def chosen(name: str, rows: Mapping[str, Any]) -> Any:
            choice = adversary.choices[name]
            if isinstance(choice, Given):
                return choice.value(rows, draws[name], jnp)
            inner, shift, outer, slope, start = pieces[name]
            own = [(rows[parent] - scales[parent][0]) / scales[parent][1] for parent in choice.parents]
            x = jnp.stack(own, axis=1) if own else jnp.zeros((CLIMBED, 0))
            z = jnp.tanh(x @ inner.T + shift) @ outer + x @ slope + start
            return float(choice.middle) + float(choice.half) * jnp.tanh(z)

        rows = model.made(draws, chosen, jnp)
        inputs = jnp.stack([rows[name] for name in features], axis=1)
        waves = jnp.cos(inputs @ predictor["frequencies"] + predictor["phases"]) @ predictor["waves"]
        predicted = predictor["constant"] + inputs @ predictor["slopes"] + waves
        return jnp.mean((rows[model.outcome] - predicted) ** 2)

    return risk


def scales_of(model: SimulatedSelection) -> dict[str, tuple[float, float]]:
    """Mean and deviation of every variable where mutable ones are set at random."""
    rows = model.set_at_random(2_000, 25)
    return {name: (float(np.mean(values)), float(np.std(values)) or 1.0) for name, values in rows.items()}


def _split(parameters: Any, model: SimulatedSelection, adversary: SimulatedAdversary) -> dict[str, Any]:
    """The parameters of each network: inner, shift, outer, slope, start."""
    found: dict[str, Any] = {}
    at = 0
    for name in adversary.free:
        parents = len(model.parents[name])
        edges = np.cumsum([at, HIDDEN * parents, HIDDEN, HIDDEN, parents, 1])
        inner, shift, outer, slope, start = (parameters[edges[place] : edges[place + 1]] for place in range(5))
        found[name] = (inner.reshape(HIDDEN, parents), shift, outer, slope, start[0])
        at = int(edges[-1])
    return found


def _networks(
    model: SimulatedSelection,
    adversary: SimulatedAdversary,
    scales: Mapping[str, tuple[float, float]],
    parameters: Floats,
    hard: bool,
) -> dict[str, Network]:
    """The networks of a start in the units of the variables, rounded to what is printed."""
    found: dict[str, Network] = {}
    for name, (inner, shift, outer, slope, start) in _split(parameters, model, adversary).items():
        choice = adversary.choices[name]
        assert isinstance(choice, AnyValue)
        mean = np.array([scales[parent][0] for parent in choice.parents])
        deviation = np.array([scales[parent][1] for parent in choice.parents])
        own, straight = inner / deviation, slope / deviation
        found[name] = Network(
            choice,
            _rounded(own),
            _rounded(shift - own @ mean),
            _rounded(outer),
            _rounded(straight),
            float(_rounded(np.array(start - straight @ mean))),
            hard,
        )
    return found


def _rounded(values: Floats) -> Floats:
    """The values to the digits that are printed."""
    flat = [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, dtype=np.float64).reshape(-1)]
    return np.array(flat).reshape(np.shape(values))
