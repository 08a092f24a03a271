"""Minimisers in JAX that `vmap` runs from many starts at once: L-BFGS and Adam.

L-BFGS is the two-loop recursion with a backtracking line search (Nocedal and Wright, Numerical Optimization, algorithms
7.4 and 3.1): a step is taken only where the objective falls, a pair of differences is kept only where its curvature is
positive.  Both run a fixed number of steps, so that starts stay in step; a start that has converged stays where it is.
Call them inside `precision()`.
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
