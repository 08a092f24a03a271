"""Minimisers in JAX: L-BFGS and Adam that `vmap` runs from many starts at once, and Adam on random batches.

L-BFGS is the two-loop recursion with a backtracking line search (Nocedal and Wright, Numerical Optimization, algorithms
7.4 and 3.1): a step is taken only where the objective falls, a pair of differences is kept only where its curvature is
positive.  These two run a fixed number of steps, so that starts stay in step; a start that has converged stays where it
is; call them inside `precision()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

Objective: TypeAlias = Callable[[Any], Any]

MEMORY = 12
ARMIJO = 1e-4
SHRINK = 0.4
TRIALS = 14
WARM_UP = 200
STEEPEST = 20.0


def lbfgs(objective: Objective, start: Any, steps: int) -> tuple[Any, Any]:
    """The point after so many steps of L-BFGS from `start`, a vector, and the objective there."""
    both: Any = jax.value_and_grad(objective)

    def step(state: Any, _: None) -> tuple[Any, None]:
        point, value, slope, moves, turns = state
        direction = -_two_loops(slope, moves, turns)
        along = direction @ slope
        downhill = along < 0
        direction = jnp.where(downhill, direction, -slope)
        along = jnp.where(downhill, along, -(slope @ slope))
        length, new_value, new_slope = _line_search(both, point, value, direction, along)
        falls = new_value < value
        new_point = jnp.where(falls, point + length * direction, point)
        new_value, new_slope = jnp.where(falls, new_value, value), jnp.where(falls, new_slope, slope)
        move, turn = new_point - point, new_slope - slope
        kept = move @ turn > 1e-14
        moves = jnp.where(kept, jnp.roll(moves, -1, 0).at[-1].set(move), moves)
        turns = jnp.where(kept, jnp.roll(turns, -1, 0).at[-1].set(turn), turns)
        return (new_point, new_value, new_slope, moves, turns), None

    none = jnp.zeros((MEMORY, start.shape[0]), start.dtype)
    end, _ = jax.lax.scan(step, (start, *both(start), none, none), None, length=steps)
    return end[0], end[1]


def _two_loops(slope: Any, moves: Any, turns: Any) -> Any:
    """The inverse Hessian times the gradient, from the latest moves and turns of the gradient; empty pairs are zero."""
    products = jnp.sum(moves * turns, 1)
    weights = jnp.where(products > 0, 1 / jnp.where(products > 0, products, 1), 0)

    def back(vector: Any, place: Any) -> tuple[Any, Any]:
        share = weights[place] * (moves[place] @ vector)
        return vector - share * turns[place], share

    def forth(vector: Any, pair: Any) -> tuple[Any, None]:
        place, share = pair
        return vector + (share - weights[place] * (turns[place] @ vector)) * moves[place], None

    places = jnp.arange(MEMORY)
    vector, shares = jax.lax.scan(back, slope, places[::-1])
    size = turns[-1] @ turns[-1]
    first = 1 / jnp.maximum(jnp.linalg.norm(slope), 1e-12)
    vector = vector * jnp.where(size > 0, products[-1] / jnp.where(size > 0, size, 1), first)
    vector, _ = jax.lax.scan(forth, vector, (places, shares[::-1]))
    return vector


def _line_search(both: Objective, point: Any, value: Any, direction: Any, along: Any) -> tuple[Any, Any, Any]:
    """The first of the lengths 1, SHRINK, SHRINK^2 .. at which the objective falls enough; a nan never does."""

    def goes_on(state: Any) -> Any:
        length, found, _, trials = state
        return ~(found <= value + ARMIJO * length * along) & (trials < TRIALS)

    def shorter(state: Any) -> Any:
        length, _, _, trials = state
        return (length * SHRINK, *both(point + length * SHRINK * direction), trials + 1)

    one = jnp.ones((), point.dtype)
    length, found, slope, _ = jax.lax.while_loop(goes_on, shorter, (one, *both(point + direction), 0))
    return length, found, slope


def adam(objective: Objective, start: Any, steps: int, rate: float = 0.02) -> tuple[Any, Any]:
    """The point after so many steps of Adam (Kingma and Ba) with a rate that falls to zero, and the objective there."""
    gradient: Any = jax.grad(objective)

    def step(state: Any, number: Any) -> tuple[Any, None]:
        point, mean, square = state
        slope = gradient(point)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        count = number + 1
        change = mean / (1 - 0.9**count) / (jnp.sqrt(square / (1 - 0.999**count)) + 1e-8)
        return (point - rate * (1 - number / steps) * change, mean, square), None

    none = jnp.zeros_like(start)
    (point, _, _), _ = jax.lax.scan(step, (start, none, none), jnp.arange(steps))
    return point, objective(point)


def adam_on_batches(
    objective: Callable[[Any, Any], Any],
    start: Any,
    steps: int,
    rate: float,
    seed: int,
    chunk: int,
    told: Callable[[float], None],
) -> Any:
    """The parameters, a tree of arrays, after so many steps of Adam on an objective of parameters and a random key.

    The rate rises over the first steps and falls to zero along a cosine; gradients longer than `STEEPEST` are cut.
    `told` gets the share done after each `chunk` of steps, which are compiled once.
    """
    gradient: Any = jax.grad(objective)

    def step(state: Any, number: Any) -> tuple[Any, None]:
        point, mean, square = state
        slope = gradient(point, jax.random.fold_in(jax.random.key(seed), number))
        length = jnp.sqrt(sum(jnp.sum(each**2) for each in jax.tree.leaves(slope)))
        slope = jax.tree.map(lambda each: each * jnp.minimum(1, STEEPEST / length), slope)
        mean = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, mean, slope)
        square = jax.tree.map(lambda old, new: 0.99 * old + 0.01 * new**2, square, slope)
        count = number + 1.0
        pace = rate * jnp.minimum(1, count / WARM_UP) * 0.5 * (1 + jnp.cos(jnp.pi * jnp.minimum(count / steps, 1)))

        def moved(value: Any, first: Any, second: Any) -> Any:
            return value - pace * first / (1 - 0.9**count) / (jnp.sqrt(second / (1 - 0.99**count)) + 1e-8)

        return (jax.tree.map(moved, point, mean, square), mean, square), None

    @jax.jit
    def run(state: Any, begin: Any) -> Any:
        return jax.lax.scan(step, state, begin + jnp.arange(chunk))[0]

    none = jax.tree.map(jnp.zeros_like, start)
    state = start, none, none
    for begin in range(0, steps, chunk):
        told(begin / steps)
        state = run(state, begin)
    return state[0]
