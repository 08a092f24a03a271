"""One predictor's inputs and the adversary in one table: what every risk, worst case and mixture is computed from.

The table is P(inputs, outcome, what the changing mechanisms read and make | do(changing)); a domain multiplies it by
its mechanisms, a predictor by its losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError
from ...semantics.budget import amount
from ...semantics.factors import Axis
from ...semantics.semiring import PROBABILITY, Array, Semiring
from .adversary import Decision, Policy, Rewards
from .selection_model import Adversary, Choice, SelectionModel

MOST_CELLS = 1 << 22


@dataclass(frozen=True, eq=False)
class Arena:
    """`values` over `axes`, which begin with the `inputs` and the outcome; `decisions` are the changing mechanisms that
    matter.
    """

    model: SelectionModel
    inputs: tuple[str, ...]
    axes: tuple[str, ...]
    decisions: tuple[str, ...]
    values: Array
    semiring: Semiring

    @staticmethod
    def of(model: SelectionModel, inputs: Sequence[str]) -> Arena:
        """The arena of predictors over these inputs.  Raises `SutureError` S603 where its table is too large."""
        head = (*inputs, model.outcome)
        decisions = model.decisions(head)
        read = [parent for name in decisions for parent in model.parents[name]]
        axes = (*head, *(name for name in model.sorted((*decisions, *read)) if name not in head))
        cells = model.size(axes)
        if cells > MOST_CELLS:
            message = f"the worst case of a predictor of {len(inputs)} inputs needs a table of {amount(cells * 8)}"
            help_text = f"at most {amount(MOST_CELLS * 8)}: search over fewer features"
            raise SutureError(Diagnostic("S603", message, help=help_text))
        return Arena(model, tuple(inputs), axes, decisions, model.joint(axes), model.semiring)

    @cached_property
    def as_floats(self) -> Arena:
        """The arena in float64."""
        return Arena(self.model, self.inputs, self.axes, self.decisions, self.values.astype(np.float64), PROBABILITY)

    @cached_property
    def shape(self) -> tuple[int, int]:
        """The number of cells (cases of the inputs) and of values of the outcome."""
        return self.model.size(self.inputs), len(self.model.labels[self.model.outcome])

    @cached_property
    def stable_table(self) -> Array:
        """P(outcome, stable inputs | do(mutable inputs)) up to a factor in each cell."""
        rest = tuple(range(len(self.inputs) + 1, len(self.axes)))
        return self._flat(self.values.sum(axis=rest) if rest else self.values)

    def _flat(self, values: Array) -> Array:
        return np.asarray(values).reshape(self.shape)

    # -- domains

    def table(self, adversary: Adversary, policy: Policy | None) -> Array:
        """P(inputs, outcome) in a domain: that of a policy, or of all options drawn alike where it is None."""
        values = self.values
        for name in self.decisions:
            choice = adversary.choices[name]
            mechanism = choice.mixed() if policy is None else choice.mechanism(_policy(choice, policy))
            if not self.semiring.exact:
                mechanism = mechanism.astype(np.float64)
            values = values * spread(mechanism, (*choice.parents, name), self.axes)
        rest = tuple(range(len(self.inputs) + 1, len(self.axes)))
        return self._flat(values.sum(axis=rest) if rest else values)

    def rewards(self, adversary: Adversary, costs: Array) -> Rewards:
        """What the adversary gets from a predictor with these losses in each cell at each value of the outcome."""
        head = tuple(len(self.model.labels[name]) for name in self.axes[: len(self.inputs) + 1])
        spread = costs.reshape(head + (1,) * (len(self.axes) - len(head)))
        values, axes = self.values * spread, tuple[Axis, ...](self.axes)
        choices = [adversary.choices[name] for name in self.decisions]
        kept = {axis for choice in choices if not choice.fixed for axis in (*choice.parents, choice.axis)}
        for choice in choices:
            values, axes = self._chosen(choice, values, axes)
        gone = tuple(place for place, axis in enumerate(axes) if axis not in kept)
        values = np.asarray(values.sum(axis=gone) if gone else values)
        made = tuple(Decision(each.axis, tuple(each.parents), each.allowed) for each in choices if not each.fixed)
        return Rewards(tuple(axis for axis in axes if axis in kept), values, made, self.semiring)

    def _chosen(self, choice: Choice, values: Array, axes: tuple[Axis, ...]) -> tuple[Array, tuple[Axis, ...]]:
        """The rewards times a mechanism; its options become an axis unless they are the values themselves."""
        if choice.free:
            return values, axes
        rows = choice.rows if self.semiring.exact else choice.rows.astype(np.float64)
        wider = axes if choice.fixed else (*axes, choice.axis)
        if choice.fixed:
            own = spread(rows[..., 0, :], (*choice.parents, choice.variable), axes)
            return values * own, axes
        allowed = np.where(choice.allowed[..., None], rows, rows * 0)
        own = spread(allowed, (*choice.parents, choice.axis, choice.variable), wider)
        return values[..., None] * own, wider


def _policy(choice: Choice, policy: Policy) -> NDArray[np.intp]:
    """The options of a policy; the first where it says nothing, as where there is nothing to choose."""
    found = policy.get(choice.axis)
    return np.asarray(choice.allowed.argmax(axis=-1), dtype=np.intp) if found is None else found


def spread(values: Array, axes: Sequence[Axis], wanted: Sequence[Axis]) -> Array:
    """The values with axes in the order wanted, of length one where they have none."""
    present = [axis for axis in wanted if axis in axes]
    moved = values.transpose([list(axes).index(axis) for axis in present])
    sizes: Mapping[Axis, int] = dict(zip(present, moved.shape, strict=True))
    return moved.reshape([sizes.get(axis, 1) for axis in wanted])
