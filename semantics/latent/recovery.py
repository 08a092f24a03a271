"""A plan that recovers hidden variables from seen ones, for equations given one by one.

Known at first is what is seen; each equation `v = E` then gives v where all of E is known, or the one unknown of E by
undoing E piece by piece (`expression_inverse.py`: triangular maps, affine couplings), or, together with others whose
unknowns enter through sums with constant factors, a linear system that is solved exactly (mixing matrices, also behind
functions of one variable).  What is left is solved by Newton's method, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ...dsl import tree
from ...dsl.mechanism_expressions import references
from . import exact_linear as linear
from .expression_inverse import contains, inverted, subexpressions, substituted
from .expression_numbers import Floats, numbers

Equation: TypeAlias = tuple[str, tree.Expression]
CORE = tree.Reference("(core)")
NEWTON_STEPS = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A variable as an expression of what is known."""

    name: str
    expression: tree.Expression


@dataclass(frozen=True, slots=True)
class LinearSystem:
    """Variables that solve equations affine in them: `cores[i] = sides[i]`, the sides and all factors known."""

    names: tuple[str, ...]
    cores: tuple[tree.Expression, ...]
    sides: tuple[tree.Expression, ...]


@dataclass(frozen=True, slots=True)
class Newton:
    """Variables that solve equations, found numerically; `name = expression` of each."""

    names: tuple[str, ...]
    equations: tuple[Equation, ...]


Part: TypeAlias = Piece | LinearSystem | Newton


@dataclass(frozen=True, slots=True)
class Stuck(Exception):
    """The unknowns that the equations left do not determine, as counted."""

    names: tuple[str, ...]
    equations: int


def plan(seen: Iterable[str], hidden: Sequence[str], equations: Sequence[Equation]) -> tuple[Part, ...]:
    """The parts that recover everything hidden, in order.  Raises `Stuck` where too few equations are left."""
    known, rest, made = set(seen), list(equations), list[Part]()
    wanted = [name for name in hidden if name not in known]
    unknown = [*wanted, *(name for name, _ in equations if name not in known and name not in wanted)]
    while not known.issuperset(wanted):
        part, used = _next(known, unknown, rest)
        made.append(part)
        found = (part.name,) if isinstance(part, Piece) else part.names
        known |= set(found)
        unknown = [name for name in unknown if name not in found]
        rest = [equation for equation in rest if equation not in used]
    return tuple(made)


def _next(known: set[str], unknown: Sequence[str], rest: Sequence[Equation]) -> tuple[Part, Sequence[Equation]]:
    for equation in rest:
        part = _single(known, unknown, equation)
        if part is not None:
            return part, (equation,)
    ready = [(name, expression) for name, expression in rest if name in known]
    system = _system(unknown, ready)
    if system is not None:
        return system
    left = tuple(name for name in unknown if any(name in _names(expression) for _, expression in ready))
    if len(ready) < len(left) or not left:
        raise Stuck(left or tuple(unknown), len(ready))
    return Newton(left, tuple(ready[: len(left)])), ready[: len(left)]


def _names(expression: tree.Expression) -> list[str]:
    return list(dict.fromkeys(name.text for name in references(expression)))


def _single(known: set[str], unknown: Sequence[str], equation: Equation) -> Piece | None:
    """The one unknown of an equation."""
    name, expression = equation
    open_names = [each for each in _names(expression) if each in unknown]
    if name not in known:
        return Piece(name, expression) if not open_names else None
    if len(open_names) != 1:
        return None
    found = inverted(expression, tree.Reference(open_names[0]), tree.Reference(name))
    return None if found is None else Piece(open_names[0], found)


def _system(unknown: Sequence[str], ready: Sequence[Equation]) -> tuple[LinearSystem, Sequence[Equation]] | None:
    """Equations that are affine in their unknowns, once functions of one sum are undone, and as many as unknowns."""
    found = [(equation, side) for equation in ready if (side := _affine_side(unknown, equation)) is not None]
    names = tuple(name for name in unknown if any(name in _names(core) for _, (core, _) in found))
    if not names or len(found) < len(names):
        return None
    cores = [core for _, (core, _) in found]
    generator = np.random.default_rng(5)
    known = {each for core in cores for each in _names(core)} - set(names)
    probe = {name: generator.uniform(0.5, 1.5, size=1) for name in sorted(known)}
    matrix, _ = _coefficients(cores, names, probe)
    if not np.isfinite(matrix).all():
        return None
    chosen = linear.echelon(matrix[:, :, 0].T)[1]
    if len(chosen) < len(names):
        return None
    used = [found[place] for place in chosen]
    system = LinearSystem(names, tuple(core for _, (core, _) in used), tuple(side for _, (_, side) in used))
    return system, [equation for equation, _ in used]


def _affine_side(unknown: Sequence[str], equation: Equation) -> tuple[tree.Expression, tree.Expression] | None:
    """An equation as `core = side`, where the core is affine in its unknowns and the side is known."""
    name, expression = equation
    open_names = [each for each in _names(expression) if each in unknown]
    if not open_names:
        return None
    core = _core(expression, open_names)
    undone = inverted(substituted(expression, {core: CORE}), CORE, tree.Reference(name))
    return None if undone is None or not _is_affine(core, open_names) else (core, undone)


def _is_affine(node: tree.Expression, unknown: Sequence[str]) -> bool:
    """Whether an expression is affine in the unknowns, with factors that may depend on what is known."""
    if not any(contains(node, tree.Reference(each)) for each in unknown):
        return True
    match node:
        case tree.Reference():
            return True
        case tree.Unary("-", operand):
            return _is_affine(operand, unknown)
        case tree.Arithmetic(operators, operands) if operators[0] in "+-":
            return all(_is_affine(operand, unknown) for operand in operands)
        case tree.Arithmetic(operators, operands) if operators[0] in "*/":
            open_places = [
                place
                for place, operand in enumerate(operands)
                if any(contains(operand, tree.Reference(each)) for each in unknown)
            ]
            sound = len(open_places) == 1 and ("*", *operators)[open_places[0]] == "*"
            return sound and _is_affine(operands[open_places[0]], unknown)
        case tree.Conditional(condition, first, second):
            decided = not any(contains(condition, tree.Reference(each)) for each in unknown)
            return decided and _is_affine(first, unknown) and _is_affine(second, unknown)
        case _:
            return False


def _coefficients(
    cores: Sequence[tree.Expression], names: Sequence[str], known: Mapping[str, Floats]
) -> tuple[Floats, Floats]:
    """The factors of the unknowns and the rest of affine expressions: `equations unknowns cases`, `equations cases`."""
    shape = np.shape(next(iter(known.values()))) if known else (1,)
    zero = {name: np.zeros(shape) for name in names}

    def at(values: Mapping[str, Floats]) -> Floats:
        return np.stack([np.broadcast_to(numbers(core, {**known, **values}), shape).astype(float) for core in cores])

    rest = at(zero)
    return np.stack([at({**zero, name: np.ones(shape)}) - rest for name in names], axis=1), rest


def _core(expression: tree.Expression, open_names: Sequence[str]) -> tree.Expression:
    """The largest sum, or the single unknown, through which alone the unknowns enter an expression."""
    best = expression
    for part in subexpressions(expression):
        if part == best or not all(contains(part, tree.Reference(each)) for each in open_names):
            continue
        outside = substituted(expression, {part: CORE})
        if not any(contains(outside, tree.Reference(each)) for each in open_names):
            best = part
            if isinstance(part, tree.Arithmetic) and part.operators[0] in "+-":
                return part
    return best


# ---------------------------------------------------------------------------------------------------------------------
# Carrying a plan out


def recover(parts: Sequence[Part], values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Everything hidden, from what is seen; nan where it has no value."""
    found = dict(values)
    for part in parts:
        match part:
            case Piece(name, expression):
                found[name] = _filled(numbers(expression, found), found)
            case LinearSystem(names, cores, sides):
                matrix, rest = _coefficients(cores, names, found)
                columns = np.stack([_filled(numbers(side, found), found) for side in sides]) - rest
                found |= dict(zip(names, _solutions(matrix, columns), strict=True))
            case Newton():
                found |= _newton(part, found)
    return found


def _solutions(matrix: Floats, columns: Floats) -> Floats:
    """The solution of a linear system in each case; nan where it has none."""
    tall = np.moveaxis(matrix, -1, 0)
    sound = np.isfinite(tall).all(axis=(1, 2)) & np.isfinite(columns).all(axis=0)
    sound[sound] = np.linalg.matrix_rank(tall[sound]) == len(columns)
    made = np.full(columns.shape, np.nan)
    if sound.any():
        made[:, sound] = np.linalg.solve(tall[sound], columns.T[sound][:, :, None])[:, :, 0].T
    return made


def _filled(value: Floats, found: Mapping[str, Floats]) -> Floats:
    return np.broadcast_to(value, np.shape(next(iter(found.values())))).astype(float)


def _newton(part: Newton, found: Mapping[str, Floats]) -> dict[str, Floats]:
    """Damped Newton steps from zero, in every case at once; nan where they do not settle."""
    cases = len(next(iter(found.values())))
    guess = np.zeros((len(part.names), cases))
    for _ in range(NEWTON_STEPS):
        gap = _gap(part, found, guess)
        slopes = np.stack([(_gap(part, found, _nudged(guess, row)) - gap) / 1e-7 for row in range(len(guess))], axis=1)
        steps = np.stack([_solved(slopes[:, :, case], gap[:, case]) for case in range(cases)], axis=1)
        size = np.abs(gap).max(axis=0)
        scale = np.ones(cases)
        for _ in range(20):
            worse = ~(np.abs(_gap(part, found, guess - scale * steps)).max(axis=0) <= size)
            if not worse.any():
                break
            scale = np.where(worse, scale / 2, scale)
        guess = guess - scale * steps
    settled = np.abs(_gap(part, found, guess)).max(axis=0) < 1e-9
    return dict(zip(part.names, np.where(settled, guess, np.nan), strict=True))


def _solved(slopes: Floats, gap: Floats) -> Floats:
    if not np.isfinite(slopes).all() or not np.isfinite(gap).all():
        return np.full(len(gap), np.nan)
    return np.linalg.lstsq(slopes, gap, rcond=None)[0]


def _nudged(guess: Floats, row: int) -> Floats:
    moved = guess.copy()
    moved[row] += 1e-7
    return moved


def _gap(part: Newton, found: Mapping[str, Floats], guess: Floats) -> Floats:
    values = {**found, **dict(zip(part.names, guess, strict=True))}
    return np.stack([_filled(numbers(expression, values), found) - found[name] for name, expression in part.equations])
