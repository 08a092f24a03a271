"""Exact inference in a finite model, one case or many: the engine behind `suture.Engine`.

Every question is turned into a network without values (`patterns`), its values into arrays (`preparing`), and both are
run on one of two paths: numpy, at once, case by case; or a compiled program (`compiled`), which pays where there are
many cases or a pattern comes again.  Left to itself the engine compiles once the time that numpy has taken or would
take on a pattern exceeds an estimate of the compilation, so that it never takes much more than twice the better choice.

Results have named axes: batch axes first, in the order in which they were named, then variables.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any, Literal, TypeAlias

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...dsl.formula import Term
from ...dsl.formula_text import term_text
from ..budget import Budget
from ..factors import Array, NamedTable, Places
from ..stochastic import FiniteModel
from .batches import CASE, UNSEEN, Packed, packed, settings
from .cases import cases_on_numpy
from .compiled import Form, Purpose, Result, run
from .devices import devices_named, precision, sharding
from .patterns import Network, Pattern, network_of, require_functions
from .plan import check
from .preparing import (
    Known,
    Prepared,
    codes_by_name,
    known_of,
    labels_of,
    ordered,
    pattern_of,
    prepared,
    smallness,
    term_of,
)
from .row_patterns import grouped, row_weights, weighted_sum, without

Path: TypeAlias = Literal["auto", "numpy", "jax"]
Given: TypeAlias = Any
Do: TypeAlias = "Mapping[str, Any] | Sequence[str] | None"
Parameters: TypeAlias = "Mapping[str, Any] | None"

# What the automatic choice of a path goes by, in seconds, measured on one core of a small machine.
IMPORT_SECONDS = 0.7
COMPILE_SECONDS = 0.25
COMPILE_SECONDS_A_STEP = 0.012
NUMPY_SECONDS_A_STEP = 6e-6
NUMPY_SECONDS_A_FLOP = 1e-9
MOST_NETWORKS = 512


@dataclass(frozen=True, eq=False)
class Marginals(Mapping[str, NamedTable]):
    """The table of each variable, given the evidence, by its name; `evidence` is the logarithm of its probability.

    Tables are made when they are asked for.  `side_by_side` holds them along its last axis, but for those of observed
    variables, and `spans` says from where to where; `points` has the codes of the observed ones.
    """

    side_by_side: Array
    spans: Mapping[str, tuple[int, int]]
    labels: Mapping[str, tuple[str, ...]]
    points: Mapping[str, Array]
    evidence: NamedTable

    def __getitem__(self, name: str) -> NamedTable:
        axes, places = self.evidence.variables, self.evidence.labels
        if name in self.points:
            values = np.eye(len(self.labels[name]))[self.points[name]]
            possible = np.isfinite(self.evidence.values)[..., None]
            values = np.where(possible, values, np.nan)
        else:
            start, end = self.spans[name]
            values = self.side_by_side[..., start:end]
        return NamedTable((*axes, name), (*places, self.labels[name]), values)

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Assignment:
    """The most probable values of all variables together.

    `codes` are positions among the labels, one entry a variable along the last axis, -1 where the evidence is
    impossible; `probability` is that of the whole assignment given the evidence, and `joint` the logarithm of that of
    assignment and evidence.
    """

    variables: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codes: Array
    probability: NamedTable
    joint: NamedTable

    def values(self) -> dict[str, Any]:
        """The labels by variable: a text where there is one case, else an array of texts over the batch axes."""
        found: dict[str, Any] = {}
        for place, name in enumerate(self.variables):
            texts: Any = np.array([*self.labels[place], ""], dtype=object)[self.codes[..., place]]
            found[name] = texts if self.codes.ndim > 1 else str(texts)
        return found


class FiniteEngine:
    """Exact answers from a finite model in float64.

    `path` is `auto`, `numpy` or `jax`; `device` names what compiled programs run on (`devices.devices_named`); `budget`
    bounds the memory and the multiplications of one contraction.
    """

    def __init__(
        self,
        model: FiniteModel,
        path: Path = "auto",
        device: str | Sequence[Any] | None = None,
        budget: Budget | None = None,
    ) -> None:
        if path not in ("auto", "numpy", "jax"):
            hint = "the paths are auto, numpy and jax"
            raise SutureError(Diagnostic("S487", f"there is no path '{path}'", help=hint))
        self.model = model
        self.path: Path = path
        self.device = device
        self.budget = budget
        self._networks: dict[tuple[Pattern, frozenset[str] | None], Network] = {}
        self._spent: dict[object, float] = {}
        self._resident: dict[tuple[str, int], Any] = {}
        self._bits: dict[str, float] = {}

    @cached_property
    def devices(self) -> tuple[Any, ...]:
        """The devices that compiled programs run on; raises `SutureError` S483 where there are none of that name."""
        return devices_named(self.device)

    # Questions

    def posterior(
        self,
        targets: str | Sequence[str],
        given: Given = None,
        do: Do = None,
        parameters: Parameters = None,
    ) -> NamedTable:
        """P(targets | given, do(do)), with the batch axes, the targets and the open interventions as variables.

        `given` maps variables (or counterfactual terms, `Y[X = 1]`) to a label, a `Batch` of labels or a `Likelihood`,
        or is a table with a row a case; missing values are no evidence.  `do` maps variables to a label or a `Batch`;
        one that is named alone or at None stays open, and the answer has its values as an axis.  `parameters` maps
        mechanisms to arrays (parents.., own values) or a `Batch` of them.  Cases whose evidence is impossible are nan.

        Raises `SutureError` for what does not fit the model, and S603 beyond the budget.
        """
        known = known_of(self.model, given, do, parameters)
        names = (targets,) if isinstance(targets, str) else tuple(targets)
        terms = [term_of(name, self.model) for name in names]
        pattern = pattern_of(known, terms)
        found = self.answered(self.network(pattern, known, whole=False), Purpose.CONDITIONAL, known)
        variables = [(term_text(term), labels_of(term, self.model)) for term in terms]
        variables += [(name, labels_of(Term(name), self.model)) for name in known.opened]
        return self._table(known, found.form, found.values, variables)

    def marginals(
        self,
        given: Given = None,
        do: Do = None,
        parameters: Parameters = None,
        variables: Sequence[str] | None = None,
    ) -> Marginals:
        """P(V | given, do(do)) of every variable, or of those named, in one backward pass.

        Arguments are those of `posterior`; an open intervention is one more batch axis, with the labels as its places.
        """
        known, opened = self.spread(known_of(self.model, given, do, parameters))
        return self.marginals_of(known, opened, tuple(self.model.diagram.position) if variables is None else variables)

    def marginals_of(self, known: Known, opened: Sequence[str], names: Sequence[str]) -> Marginals:
        """As `marginals`, under what is known already."""
        terms = [term_of(name, self.model) for name in names]
        network = self.network(pattern_of(known, reached=terms), known)
        found = self.answered(network, Purpose.MARGINALS, known)
        spans: dict[str, tuple[int, int]] = {}
        points: dict[str, Array] = {}
        start = 0
        for term, reached in zip(terms, network.reached, strict=True):
            if reached.slot is None:
                spans[term_text(term)] = start, start + network.sizes[reached.wire]
                start += network.sizes[reached.wire]
            else:
                codes = self._code(network, reached.slot, known, found.form)
                points[term_text(term)] = self.widened(known, found.form, codes)
        labels = {term_text(term): labels_of(term, self.model) for term in terms}
        evidence = self._table(known, found.form, found.evidence, [], opened)
        return Marginals(self.widened(known, found.form, found.values), spans, labels, points, evidence)

    def evidence(self, given: Given = None, do: Do = None, parameters: Parameters = None) -> NamedTable:
        """The logarithm of P(given | do(do)), over the batch axes and the open interventions; -inf where impossible."""
        known, opened = self.spread(known_of(self.model, given, do, parameters))
        network = self.network(pattern_of(known), known)
        found = self.answered(network, Purpose.EVIDENCE, known)
        return self._table(known, found.form, found.evidence, [], opened)

    def most_probable(self, given: Given = None, do: Do = None, parameters: Parameters = None) -> Assignment:
        """The most probable values of all variables together, latent ones included, given the evidence.

        Where several are, one of them, always the same.  Arguments are those of `marginals`.
        """
        known, opened = self.spread(known_of(self.model, given, do, parameters))
        names = tuple(self.model.diagram.position)
        terms = [Term(name) for name in names]
        network = self.network(pattern_of(known, reached=terms), known)
        best = self.answered(network, Purpose.ASSIGNMENT, known)
        total = self.answered(network, Purpose.EVIDENCE, known)
        places = []
        for reached in network.reached:
            own = reached.slot
            places.append(best.values[..., reached.wire] if own is None else self._code(network, own, known, best.form))
        codes = np.stack(np.broadcast_arrays(*places, best.evidence)[:-1], axis=-1).astype(np.int64)
        codes = np.where(np.isfinite(best.evidence)[..., None], codes, UNSEEN)
        with np.errstate(invalid="ignore"):
            probability = np.exp(best.evidence - total.evidence)
        labels = tuple(labels_of(term, self.model) for term in terms)
        return Assignment(
            names,
            labels,
            codes,
            self._table(known, best.form, probability, [], opened),
            self._table(known, best.form, best.evidence, [], opened),
        )

    def log_likelihood(
        self, data: Any, weight: str | None = None, do: Do = None, parameters: Parameters = None
    ) -> NamedTable:
        """The logarithm of the probability of a table of cases, a row a case; values that are missing are summed out.

        `weight` names the column of row counts.  The table has the axes of interventions and parameters, if any.
        Equal rows are answered once, rows with the same values missing together.  Raises `SutureError` as `posterior`
        does, S489 for weights that are none.
        """
        columns = settings(data)
        counts = row_weights(columns.pop(weight, None) if weight is not None else None, weight)
        codes = {name: self._packed(name, value) for name, value in columns.items()}
        total: NamedTable | None = None
        for rows in grouped(codes, counts):
            found = self.evidence(rows.codes, do, parameters)
            if CASE in found.variables:
                place = found.variables.index(CASE)
                summed = weighted_sum(found.values, place, rows.counts)
                found = NamedTable(without(found.variables, place), without(found.labels, place), summed)
            else:
                found = NamedTable(found.variables, found.labels, found.values * rows.counts.sum())
            total = found if total is None else replace(found, values=total.values + found.values)
        return NamedTable((), (), np.zeros(())) if total is None else total

    def _packed(self, name: str, value: Any) -> Packed:
        return packed(name, value, labels_of(term_of(name, self.model), self.model))

    # Networks and paths

    def network(self, pattern: Pattern, known: Known, whole: bool = True) -> Network:
        """The network of a pattern, kept; not `whole`: without parts of the evidence that cancel."""
        positive = None if whole else self._positive.difference(known.mechanisms)
        key = (pattern, positive)
        if key not in self._networks:
            if len(self._networks) >= MOST_NETWORKS:
                self._networks.clear()
            require_functions(self.model.deterministic.difference(known.mechanisms), self.model.diagram, pattern)
            made = network_of(self.model.diagram, self.model.labels, pattern)
            self._networks[key] = made if positive is None else made.needed(positive)
        return self._networks[key]

    @cached_property
    def _positive(self) -> frozenset[str]:
        return frozenset(name for name, array in self.model.arrays.items() if bool((array > 0).all()))

    def answered(self, network: Network, purpose: Purpose, known: Known) -> Answered:
        """The network's results on the path that is asked for, or the one that looks cheaper."""
        check(network.plan, self.budget)
        ready = prepared(network, known, self.base, self._smallness)
        found = (
            self._compiled(ready, purpose, known) if self._compile(ready, purpose) else self._at_once(ready, purpose)
        )
        return Answered(ready.form, *self._mended(ready, purpose, found))

    def _compile(self, ready: Prepared, purpose: Purpose) -> bool:
        """Whether to compile: as asked, or once numpy has taken, or would take, as long as compiling."""
        if self.path != "auto":
            return self.path == "jax"
        steps = len(ready.network.plan.steps)
        passes = 1 if purpose in (Purpose.CONDITIONAL, Purpose.EVIDENCE) else 3
        one = passes * (steps * NUMPY_SECONDS_A_STEP + ready.network.plan.flops * NUMPY_SECONDS_A_FLOP)
        price = COMPILE_SECONDS + passes * steps * COMPILE_SECONDS_A_STEP
        price += 0.0 if "jax" in sys.modules else IMPORT_SECONDS
        key = (ready.network.digest, purpose, ready.form.batch)
        if self._spent.get(key, 0.0) + ready.cases * one > price:
            self._spent[key] = float("inf")
            return True
        return False

    def _compiled(self, ready: Prepared, purpose: Purpose, known: Known) -> Result:
        """On the compiled path, the mechanisms of the model lying on the devices already."""
        arrays = list(ready.arrays)
        for place, name in enumerate(ready.network.mechanisms):
            if name not in known.mechanisms:
                arrays[place] = self._on_devices(name)
        return run(ready.network, purpose, ready.form, arrays, ready.lengths, self.devices, ready.scaled, self.budget)

    def _at_once(self, ready: Prepared, purpose: Purpose) -> Result:
        """On the numpy path, the time taken being kept for the choice of a path."""
        start = perf_counter()
        found = cases_on_numpy(ready, purpose)
        key = (ready.network.digest, purpose, ready.form.batch)
        self._spent[key] = self._spent.get(key, 0.0) + perf_counter() - start
        return found

    def _mended(self, ready: Prepared, purpose: Purpose, found: Result) -> tuple[Array, Array]:
        """Cases near the edge of float64 answered again in logarithms, which have none."""
        if not ready.scaled or bool(found.sound.all()):
            return found.values, found.evidence
        mended = cases_on_numpy(ready, purpose, found)
        return mended.values, mended.evidence

    def base(self, name: str) -> Array:
        """The array of a mechanism; raises `SutureError` S428 where the model has none."""
        if name not in self.model.arrays:
            message = f"this needs the mechanism of {name}, which the model does not give"
            raise SutureError(Diagnostic("S428", message, help="give its entries as a parameter, or in the model"))
        return self.model.arrays[name]

    def _smallness(self, name: str) -> float:
        if name not in self._bits:
            self._bits[name] = smallness(self.base(name))
        return self._bits[name]

    def _on_devices(self, name: str) -> Any:
        """A copy of a mechanism on every device."""
        import jax

        key = (name, len(self.devices))
        if key not in self._resident:
            with precision():
                self._resident[key] = jax.device_put(self.base(name), sharding(self.devices, None))
        return self._resident[key]

    # Axes

    def spread(self, known: Known) -> tuple[Known, tuple[str, ...]]:
        """Open interventions as a batch over all their values; the names of those axes."""
        if not known.opened:
            return known, ()
        fixed, found = dict(known.fixed), dict(known.lengths)
        for name in known.opened:
            count = len(labels_of(Term(name), self.model))
            fixed[name] = Packed((name,), np.arange(count, dtype=np.int32))
            found[name] = count
        return replace(known, fixed=fixed, opened=(), lengths=found), known.opened

    def _code(self, network: Network, slot: int, known: Known, form: Form) -> Array:
        """The codes of a slot, broadcast over the batch axes."""
        name, code = network.slots[slot].name, network.slots[slot].code
        shape = tuple(known.lengths[axis] for axis in form.batch)
        if code is not None:
            return np.full(shape, code)
        found = codes_by_name(known)[name]
        values = ordered(found.codes, found.axes, form.batch)
        padded = values.reshape([known.lengths[axis] if axis in found.axes else 1 for axis in form.batch])
        return np.broadcast_to(padded, shape)

    def _table(
        self,
        known: Known,
        form: Form,
        values: Array,
        variables: Sequence[tuple[str, tuple[str, ...]]],
        opened: Sequence[str] = (),
    ) -> NamedTable:
        """Values of a program with their batch axes and variables named."""
        return self.table(known, self.widened(known, form, values), variables, opened)

    def widened(self, known: Known, form: Form, values: Array) -> Array:
        """Values with every batch axis; along one that they do not depend on they are repeated."""
        inner = values.shape[len(form.batch) :]
        shape = [length if axis in form.batch else 1 for axis, length in known.lengths.items()]
        return np.broadcast_to(values.reshape([*shape, *inner]), (*known.lengths.values(), *inner))

    def table(
        self,
        known: Known,
        values: Array,
        variables: Sequence[tuple[str, tuple[str, ...]]],
        opened: Sequence[str] = (),
    ) -> NamedTable:
        """Values over every batch axis and then the variables, as a table; open interventions have labels."""
        labels: list[Sequence[str]] = [
            labels_of(Term(axis), self.model) if axis in opened else Places(length)
            for axis, length in known.lengths.items()
        ]
        names = (*known.lengths, *(name for name, _ in variables))
        return NamedTable(names, (*labels, *(own for _, own in variables)), values)

    def labels(self, name: str) -> tuple[str, ...]:
        """The labels of a variable or of a counterfactual term."""
        return labels_of(term_of(name, self.model), self.model)

    def entries(self, known: Known, mechanism: str) -> Array:
        """The entries of a mechanism, with every batch axis in front, of length one where they do not depend on it."""
        axes, values = known.mechanisms.get(mechanism, ((), None))
        if values is None:
            return self.base(mechanism).reshape([*(1 for _ in known.lengths), *self.shape_of(mechanism)])
        moved = ordered(values, axes, tuple(known.lengths))
        shape = [length if axis in axes else 1 for axis, length in known.lengths.items()]
        return moved.reshape([*shape, *moved.shape[len(axes) :]])

    def shape_of(self, mechanism: str) -> tuple[int, ...]:
        """The shape of a mechanism's array."""
        box = next(each for each in self.model.diagram.boxes if each.name == mechanism)
        return self.model.shape((*box.inputs, *box.outputs))


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Values and logarithms of the evidence, with the batch axes of `form` first."""

    form: Form
    values: Array
    evidence: Array
