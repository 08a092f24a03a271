"""Compiled contractions: the network of a pattern as one XLA program, batched over named axes.

A program is made once for a network, a `Purpose` and the batch axes of its inputs, and then serves every set of values.
Inside it the plan runs on `jax.numpy` through the one evaluator (`contraction.execute`), and `vmap` carries it over the
batch axes, so that what does not depend on an axis is computed once for all its places.

All marginals come from one pass back over the plan (`backward`), compiled with the pass forward; derivatives by the
mechanisms' entries are JAX's own.

Scales.  Where the product of the smallest entries cannot leave the range of float64, nothing underflows and steps are
not scaled.  Elsewhere each step is scaled by a power of two, which a gradient takes for a constant, and the program
says whether any result came near the edge (`sound` false): such a case is not answered from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, TypeAlias, assert_never

import numpy as np

from ..budget import Budget, meter
from ..semiring import PROBABILITY, TROPICAL, Array
from .backward import forward, marginals
from .compile_cache import kept
from .contraction import Watch, execute, run_step
from .devices import precision, sharding
from .patterns import Entry, Network, Source
from .plan import BYTES, Plan, check

LEAST_PIECE = 256
PIECE_CELLS = 1 << 22
ROUND = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
Axes: TypeAlias = tuple[str, ...]


class Purpose(Enum):
    """What a program computes of a network, a case."""

    CONDITIONAL = "conditional"
    """The open axes given the evidence: over the targets, each column of open interventions sums to one."""
    EVIDENCE = "evidence"
    """The logarithm of the evidence's probability."""
    MARGINALS = "marginals"
    """Every reached variable that is not sliced, given the evidence, one after the other."""
    GRADIENT = "gradient"
    """The evidence's probability and its derivative by every mechanism's entries, one after the other."""
    ASSIGNMENT = "assignment"
    """The most probable codes of all axes together."""


@dataclass(frozen=True, slots=True)
class Form:
    """The batch axes of a program's inputs, each as its leading dimensions in the order of `batch`.

    Inputs are the mechanisms in the order of `network.mechanisms`, then codes, one array for the slots that share their
    axes, then weights likewise.
    """

    batch: Axes = ()
    mechanisms: tuple[Axes, ...] = ()
    codes: tuple[tuple[Axes, tuple[int, ...]], ...] = ()
    weights: tuple[tuple[Axes, tuple[str, ...]], ...] = ()

    @property
    def axes(self) -> tuple[Axes, ...]:
        """The batch axes of every input."""
        return (*self.mechanisms, *(axes for axes, _ in self.codes), *(axes for axes, _ in self.weights))


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a program gives, batch axes first: its values, the logarithm of the evidence's probability, and for which
    cases that can be relied on."""

    values: Array
    evidence: Array
    sound: Array


# ---------------------------------------------------------------------------------------------------------------------
# Operands


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The values of one case by name: codes by slot."""

    mechanisms: Mapping[str, Any]
    codes: Mapping[int, Any]
    weights: Mapping[str, Any]


def operands(network: Network, given: Given, space: Any) -> list[Any]:
    """The arrays of a network's operands, sliced at the codes."""
    return [_operand(entry, network, given, space) for entry in network.entries]


def _operand(entry: Entry, network: Network, given: Given, space: Any) -> Any:
    codes = [None if slot is None else given.codes[slot] for slot in entry.taken]
    shape = tuple(network.sizes[axis] for axis in entry.axes)
    match entry.source:
        case Source.MECHANISM:
            return sliced(given.mechanisms[entry.name], codes)
        case Source.WEIGHTS:
            return sliced(given.weights[entry.name], codes)
        case Source.ONES:
            return space.ones(shape)
        case Source.UNIFORM:
            return space.full(shape, 1.0 / entry.length)
        case Source.POINT:
            return (space.arange(shape[0]) == codes[0]).astype(np.float64)
        case Source.TIE:
            return space.eye(shape[0])
        case Source.MATCH:
            return space.asarray(codes[0] == codes[1]).astype(np.float64)
        case _:
            assert_never(entry.source)


def sliced(array: Any, codes: Sequence[Any]) -> Any:
    """An array at codes along some of its axes: one row of a table, so that a batch of codes is one gather."""
    places = [place for place, code in enumerate(codes) if code is not None]
    if not places:
        return array
    rest = [place for place in range(array.ndim) if place not in places]
    row: Any = 0
    for place in places:
        row = row * array.shape[place] + codes[place]
    table = array.transpose([*places, *rest])
    return table.reshape((-1, *table.shape[len(places) :]))[row]


def given_of(network: Network, form: Form, arrays: Sequence[Any]) -> Given:
    """One case's inputs by name and slot."""
    mechanisms = dict(zip(network.mechanisms, arrays, strict=False))
    rest = iter(arrays[len(mechanisms) :])
    codes: dict[int, Any] = {n: slot.code for n, slot in enumerate(network.slots) if slot.code is not None}
    for _, slots in form.codes:
        values = next(rest)
        codes.update({slot: values[place] for place, slot in enumerate(slots)})
    weights: dict[str, Any] = {}
    for _, names in form.weights:
        values, start = next(rest), 0
        for name in names:
            weights[name] = values[start : start + network.weighted[name]]
            start += network.weighted[name]
    return Given(mechanisms, codes, weights)


# ---------------------------------------------------------------------------------------------------------------------
# Programs of one case


def case_program(network: Network, purpose: Purpose, form: Form, scaled: bool) -> Callable[..., tuple[Any, Any, Any]]:
    """The function of one case's inputs that is compiled: values, logarithm of the evidence, whether it is sound."""

    def program(*arrays: Any) -> tuple[Any, Any, Any]:
        given = given_of(network, form, arrays)
        match purpose:
            case Purpose.CONDITIONAL:
                return _conditional(network, given, scaled)
            case Purpose.EVIDENCE:
                evidence, sound = _evidence(network, given, scaled)
                return evidence, evidence, sound
            case Purpose.MARGINALS:
                return _marginals(network, given, scaled)
            case Purpose.GRADIENT:
                return _gradient(network, given, scaled)
            case Purpose.ASSIGNMENT:
                return _assignment(network, given)
            case _:
                assert_never(purpose)

    return program


def _contracted(network: Network, arrays: Sequence[Any], scaled: bool) -> tuple[Any, Any, Any]:
    """The value over the open axes, its exponent, and whether both are sound."""
    import jax.numpy as jnp

    watch = Watch(space=jnp)
    value, exponent = execute(network.plan, arrays, PROBABILITY, jnp, scaled, watch if scaled else None)
    return value, jnp.asarray(exponent, dtype=np.float64), jnp.asarray(watch.sound)


def _conditional(network: Network, given: Given, scaled: bool) -> tuple[Any, Any, Any]:
    import jax.numpy as jnp

    value, exponent, sound = _contracted(network, operands(network, given, jnp), scaled)
    outcomes = tuple(range(len(network.pattern.targets)))
    total = value.sum(axis=outcomes, keepdims=True)
    return value / total, jnp.log(total.squeeze(outcomes)) + exponent * np.log(2.0), sound


def _evidence(network: Network, given: Given, scaled: bool) -> tuple[Any, Any]:
    import jax.numpy as jnp

    value, exponent, sound = _contracted(network, operands(network, given, jnp), scaled)
    return jnp.log(value) + exponent * np.log(2.0), sound


def _marginals(network: Network, given: Given, scaled: bool) -> tuple[Any, Any, Any]:
    """One pass forward and one back; each table over its sum, which is nan where the evidence is impossible."""
    import jax.numpy as jnp

    watch = Watch(space=jnp)
    trace = forward(network.plan, operands(network, given, jnp), PROBABILITY, jnp, scaled, watch)
    found = marginals(trace, PROBABILITY, jnp)
    pieces = [found[reached.wire] for reached in network.reached if reached.slot is None]
    values = jnp.concatenate([piece / piece.sum() for piece in pieces]) if pieces else jnp.zeros(0)
    evidence = jnp.log(trace.operands[-1]) + jnp.asarray(trace.exponent, dtype=np.float64) * np.log(2.0)
    return values, evidence, jnp.asarray(watch.sound)


def _gradient(network: Network, given: Given, scaled: bool) -> tuple[Any, Any, Any]:
    """The value and its derivative by the mechanisms, both to be multiplied by two to the power of the `evidence`."""
    import jax
    import jax.numpy as jnp

    def value(mechanisms: dict[str, Any]) -> tuple[Any, tuple[Any, Any]]:
        found, exponent, sound = _contracted(
            network, operands(network, replace(given, mechanisms=mechanisms), jnp), scaled
        )
        return found, (exponent, sound)

    chosen = {name: given.mechanisms[name] for name in network.mechanisms}
    (found, (exponent, sound)), slopes = jax.value_and_grad(value, has_aux=True)(chosen)
    pieces = [slopes[name].reshape(-1) for name in network.mechanisms]
    return jnp.concatenate([found.reshape(1), *pieces]), exponent, sound


def _assignment(network: Network, given: Given) -> tuple[Any, Any, Any]:
    """The largest product by max and plus over logarithms, then the plan read backwards: each step's lost axes take
    the values at which it was reached.  Logarithms cannot underflow."""
    import jax.numpy as jnp

    plan = network.plan
    results: list[Any] = [TROPICAL.of(array, jnp) for array in operands(network, given, jnp)]
    axes: list[tuple[int, ...]] = list(plan.operands)
    for step in plan.steps:
        results.append(run_step(step, results, TROPICAL, jnp))
        axes.append(step.axes)
    codes = best_codes(plan, results, axes, jnp)
    every = [codes.get(axis, 0) for axis in range(len(network.sizes))]
    return jnp.stack([jnp.asarray(code, dtype=np.int32) for code in every]), results[-1], jnp.asarray(True)


def best_codes(plan: Plan, results: Sequence[Any], axes: Sequence[tuple[int, ...]], space: Any) -> dict[int, Any]:
    """The codes at which a plan without open axes, run in a maximum's semiring with every result kept, has its value.

    Where several do, a step takes the first in the order of its axes.
    """
    codes: dict[int, Any] = {}
    for step in reversed(plan.steps):
        used = [step.left.number] if step.right is None else [step.left.number, step.right.number]
        lost = list(dict.fromkeys(axis for number in used for axis in axes[number] if axis not in codes))
        if not lost:
            continue
        total: Any = 0.0
        for number in used:
            own = axes[number]
            values = sliced(results[number], [codes.get(axis) for axis in own])
            rest = [axis for axis in own if axis not in codes]
            present = [axis for axis in lost if axis in rest]
            moved = values.transpose([rest.index(axis) for axis in present])
            total = total + moved.reshape([plan.sizes[axis] if axis in rest else 1 for axis in lost])
        shape = tuple(plan.sizes[axis] for axis in lost)
        best = space.argmax(space.broadcast_to(total, shape).reshape(-1))
        codes.update(zip(lost, space.unravel_index(best, shape), strict=True))
    return codes


# ---------------------------------------------------------------------------------------------------------------------
# Compiling and running


def batched(network: Network, purpose: Purpose, form: Form, scaled: bool) -> Callable[..., tuple[Any, Any, Any]]:
    """The program of one case carried over the batch axes, the first axis outermost."""
    import jax

    program = case_program(network, purpose, form, scaled)
    for axis in reversed(form.batch):
        program = jax.vmap(program, in_axes=tuple(0 if axis in axes else None for axes in form.axes))
    return program


@lru_cache(maxsize=256)
def _compiled(request: Request) -> Any:
    """The compiled program of a request: kept in memory, and on disk between processes."""
    import jax

    def build() -> Any:
        structures = [
            jax.ShapeDtypeStruct(shape, np.dtype(kind), sharding=sharding(request.devices, dimension))
            for shape, kind, dimension in request.inputs
        ]
        program = batched(request.network, request.purpose, request.form, request.scaled)
        return jax.jit(program).lower(*structures).compile()

    key = repr((request.network.digest, request.purpose.value, request.form, request.inputs, request.scaled))
    return kept(key, request.devices, build)


@dataclass(frozen=True)
class Request:
    """A program to compile: what it computes, and of its inputs the shapes, types and split dimensions."""

    network: Network
    purpose: Purpose
    form: Form
    inputs: tuple[tuple[tuple[int, ...], str, int | None], ...]
    scaled: bool
    devices: tuple[Any, ...]

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """What makes two requests one."""
        return (self.network.digest, self.purpose, self.form, self.inputs, self.scaled, self.devices)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and self.identity == other.identity


def run(
    network: Network,
    purpose: Purpose,
    form: Form,
    arrays: Sequence[Any],
    lengths: Mapping[str, int],
    devices: tuple[Any, ...],
    scaled: bool,
    budget: Budget | None = None,
) -> Result:
    """The program's results over all places of the batch axes, computed in pieces that fit the budget.

    The longest axis is split over the devices and into pieces; its length is rounded up, so that few lengths are
    compiled, by repeating its last place.  Raises `SutureError` S603 where one case is beyond the budget.
    """
    budget = meter().budget if budget is None else budget
    check(network.plan, budget)
    if not form.batch:
        return _called(network, purpose, form, arrays, None, devices, scaled)
    split = max(form.batch, key=lambda axis: lengths[axis])
    others = math.prod(lengths[axis] for axis in form.batch if axis != split)
    piece = _piece(network, purpose, others, lengths[split], len(devices), budget)
    made: list[Result] = []
    for start in range(0, lengths[split], piece):
        meter().tick(start / lengths[split])
        count = min(piece, lengths[split] - start)
        padded = -(-rounded(min(count, piece)) // len(devices)) * len(devices)
        chosen = [
            _cut(array, axes.index(split), start, count, padded) if split in axes else array
            for array, axes in zip(arrays, form.axes, strict=True)
        ]
        found = _called(network, purpose, form, chosen, split, devices, scaled)
        made.append(_shortened(found, form.batch.index(split), count, padded))
    return made[0] if len(made) == 1 else _joined(made, form.batch.index(split))


def rounded(length: int) -> int:
    """A length rounded up to a round one, in tens or in twos, so that few shapes are compiled.

    >>> [rounded(length) for length in (1, 7, 17, 1000, 1024, 1025)]
    [1, 7, 20, 1000, 1024, 1200]
    """
    tens = 10 ** max(0, len(str(length)) - 2)
    decimal = next(each * tens for each in ROUND if each * tens >= length) if length > 10 else length
    return min(decimal, 1 << (length - 1).bit_length())


def _piece(network: Network, purpose: Purpose, others: int, length: int, devices: int, budget: Budget) -> int:
    """How many places of the split axis are computed at once: a backward pass keeps every result of the forward one."""
    plan = network.plan
    every = sum(math.prod(step.shape) for step in plan.steps) + sum(map(math.prod, _shapes(network)))
    cells = plan.peak if purpose in (Purpose.CONDITIONAL, Purpose.EVIDENCE) else 2 * every
    fitting = budget.bytes // (BYTES * max(1, cells) * others)
    most = max(1, min(fitting, max(LEAST_PIECE, PIECE_CELLS // max(1, cells * others))))
    whole = max(1, most * devices)
    return -(-length // -(-length // whole))


def _shapes(network: Network) -> Iterator[tuple[int, ...]]:
    for entry in network.entries:
        yield tuple(network.sizes[axis] for axis in entry.axes)


def _cut(array: Any, dimension: int, start: int, count: int, padded: int) -> Any:
    """Places of an axis, the last one repeated up to the padded length."""
    if start == 0 and count == array.shape[dimension] == padded:
        return array
    if count == padded:
        return np.asarray(array)[(*([slice(None)] * dimension), slice(start, start + count))]
    places = np.minimum(np.arange(start, start + padded), start + count - 1)
    return np.take(np.asarray(array), places, axis=dimension)


def _called(
    network: Network,
    purpose: Purpose,
    form: Form,
    arrays: Sequence[Any],
    split: str | None,
    devices: tuple[Any, ...],
    scaled: bool,
) -> Result:
    """One call of the compiled program, its results as numpy arrays."""
    import jax

    with precision():
        dimensions = [axes.index(split) if split in axes else None for axes in form.axes]
        inputs = tuple(
            (tuple(array.shape), array.dtype.char, dimension)
            for array, dimension in zip(arrays, dimensions, strict=True)
        )
        compiled = _compiled(Request(network, purpose, form, inputs, scaled, devices))
        placed = arrays
        if devices != (jax.devices()[0],):
            placed = [
                jax.device_put(array, sharding(devices, dimension))
                for array, dimension in zip(arrays, dimensions, strict=True)
            ]
        values, evidence, sound = compiled(*placed)
        return Result(np.asarray(values), np.asarray(evidence), np.asarray(sound))


def _shortened(found: Result, dimension: int, count: int, padded: int) -> Result:
    if count == padded:
        return found
    kept_places = (*([slice(None)] * dimension), slice(0, count))
    return Result(found.values[kept_places], found.evidence[kept_places], found.sound[kept_places])


def _joined(made: Sequence[Result], dimension: int) -> Result:
    return Result(
        np.concatenate([each.values for each in made], axis=dimension),
        np.concatenate([each.evidence for each in made], axis=dimension),
        np.concatenate([each.sound for each in made], axis=dimension),
    )
