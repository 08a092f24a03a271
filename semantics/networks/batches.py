"""Batches: values along named axes, and their packing into codes.

A `Batch` holds one value for each place of a named axis: labels where evidence or an intervention is meant, arrays
where a mechanism is.  Batches that share the name of an axis go together place by place; batches of different axes are
combined as a product.  An answer has the batch axes first, in the order in which they were named.

Packing turns labels into positions among a variable's values, whole columns at a time: text is compared array by array,
anything else by its distinct values.  A missing value in evidence is not evidence, and has the code `UNSEEN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ..data.coding import Coded
from ..data.empirical import label_text, matched
from ..data.frames import column_of, columns_of
from ..data.tables import missing
from ..factors import Array

CASE = "case"
UNSEEN = -1
_UNKNOWN = -2

AxisNames: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Values along a named axis, or along several: `values` has one leading dimension an axis.

    For evidence and interventions the values are labels (`None` or a missing value is no evidence), for a mechanism
    its arrays, of shape (axes.., parents.., own values).
    """

    axis: str | AxisNames
    values: Any

    @property
    def axes(self) -> AxisNames:
        """The names of the axes."""
        return (self.axis,) if isinstance(self.axis, str) else tuple(self.axis)


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Soft evidence on a variable: a weight of each of its values, proportional to P(what was seen | value).

    `weights` has the shape (axes.., values); without `axis` it is one vector.
    """

    weights: Any
    axis: str | AxisNames = ()

    @property
    def axes(self) -> AxisNames:
        """The names of the axes."""
        return (self.axis,) if isinstance(self.axis, str) else tuple(self.axis)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Codes of a variable along some axes (int32, without axes where one value holds for all)."""

    axes: AxisNames
    codes: NDArray[np.int32]

    @property
    def complete(self) -> bool:
        """Whether every place has a value."""
        return not self.codes.size or int(self.codes.min()) >= 0


def cases(table: Any, axis: str = CASE) -> dict[str, Batch]:
    """Evidence or interventions from a table of Python, a row a case: each column along the axis.

    Raises `SutureError` S314 for what is no table.
    """
    return {name: Batch(axis, values) for name, values in columns_of(table).items()}


def settings(given: Any) -> dict[str, Any]:
    """Evidence as a dict: given as one, or as a table with a row a case."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    return dict(cases(given))


def packed(variable: str, value: Any, labels: tuple[str, ...]) -> Packed:
    """A label, a column of labels (along the axis `case`) or a `Batch`, as codes; what is packed stays so.

    Raises `SutureError` S420 for a value that the variable does not have, S482 for the wrong number of dimensions.
    """
    if isinstance(value, Packed):
        return value
    if isinstance(value, Batch):
        return Packed(value.axes, _column(variable, value.values, labels, len(value.axes)))
    if isinstance(value, str):
        code = _code(variable, value, labels)
        return Packed((), np.asarray(code, dtype=np.int32))
    if isinstance(value, list | tuple | np.ndarray) or hasattr(value, "to_numpy"):
        return Packed((CASE,), _column(variable, value, labels, 1))
    return Packed((), np.asarray(_code(variable, value, labels), dtype=np.int32))


def weights_of(variable: str, value: Likelihood, labels: tuple[str, ...]) -> tuple[AxisNames, Array]:
    """Soft evidence, checked: a vector of weights of at least zero a place, not all of them zero.

    Raises `SutureError` S481 otherwise.
    """
    weights = np.asarray(value.weights, dtype=np.float64)
    if weights.ndim != len(value.axes) + 1 or weights.shape[-1] != len(labels):
        wanted = ", ".join([*value.axes, str(len(labels))])
        message = f"the weights of {variable} have the shape {weights.shape}, not ({wanted})"
        raise SutureError(Diagnostic("S481", message, help=f"give one weight for each of {one_of(labels)}"))
    if not np.isfinite(weights).all() or (weights < 0).any() or not (weights > 0).any(axis=-1).all():
        message = f"the weights of {variable} are not a likelihood"
        raise SutureError(Diagnostic("S481", message, help="give numbers of at least 0, one of them above it"))
    return value.axes, weights


def lengths(parts: Iterable[tuple[str, AxisNames, Sequence[int]]]) -> dict[str, int]:
    """The length of every axis, in the order they are named; parts are a name, its axes and its shape.

    Raises `SutureError` S480 where two parts disagree.
    """
    found: dict[str, int] = {}
    owner: dict[str, str] = {}
    for name, axes, shape in parts:
        for axis, length in zip(axes, shape, strict=False):
            if found.setdefault(axis, length) != length:
                message = f"axis '{axis}' has {found[axis]} places in {owner[axis]} and {length} in {name}"
                hint = "batches on one axis go together place by place; name another axis to combine them all"
                raise SutureError(Diagnostic("S480", message, help=hint))
            owner.setdefault(axis, name)
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Labels to codes


def _column(variable: str, values: Any, labels: tuple[str, ...], dimensions: int) -> NDArray[np.int32]:
    """Codes of many labels, in the shape they are given in."""
    if not isinstance(values, np.ndarray | list | tuple | Coded):
        found = column_of(values)
        values = values if found is None else found
    if isinstance(values, Coded) and dimensions == 1:
        places = [_code(variable, value, labels) for value in values.values]
        return np.array(places, dtype=np.int32)[values.codes()]
    raw = values if isinstance(values, np.ndarray | list | tuple) else np.asarray(values)
    if isinstance(raw, list | tuple) and dimensions > 1:
        raw = np.asarray(raw, dtype=object)
    elif isinstance(raw, list | tuple) and raw and isinstance(raw[0], int | float):
        raw = np.asarray(raw)
    if isinstance(raw, np.ndarray):
        if raw.ndim != dimensions:
            message = f"the values of {variable} have {raw.ndim} dimensions for {dimensions} named axes"
            raise SutureError(Diagnostic("S482", message, help="give one dimension for each axis, in their order"))
        return _array(variable, raw.reshape(-1), labels).reshape(raw.shape)
    return _objects(variable, raw, labels)


def _array(variable: str, raw: Array, labels: tuple[str, ...]) -> NDArray[np.int32]:
    """Text is compared label by label; numbers and truth values go by their distinct values."""
    match raw.dtype.kind:
        case "U":
            codes = np.full(raw.shape, _UNKNOWN, dtype=np.int32)
            for blank in ("", "nan", "None"):
                codes[raw == blank] = UNSEEN
            for place, label in enumerate(labels):
                codes[raw == label] = place
            return _resolved(variable, raw, codes, labels)
        case "i" | "u" | "f" | "b":
            distinct, inverse = np.unique(raw, return_inverse=True)
            known = np.array([_code(variable, value, labels) for value in distinct.tolist()], dtype=np.int32)
            return known[inverse] if len(known) else np.zeros(raw.shape, dtype=np.int32)
        case _:
            return _objects(variable, raw.tolist(), labels)


def _objects(variable: str, values: Sequence[Any], labels: tuple[str, ...]) -> NDArray[np.int32]:
    """Python objects by one dictionary."""
    known: dict[Any, int] = {None: UNSEEN, "": UNSEEN, np.nan: UNSEEN}
    known |= {label: place for place, label in enumerate(labels)}
    try:
        found = map(known.get, values, repeat(_UNKNOWN))
        codes = np.fromiter(found, dtype=np.int32, count=len(values))
    except TypeError:
        codes = np.full(len(values), _UNKNOWN, dtype=np.int32)
    return _resolved(variable, values, codes, labels)


def _resolved(
    variable: str, values: Sequence[Any] | Array, codes: NDArray[np.int32], labels: tuple[str, ...]
) -> NDArray[np.int32]:
    """What is no label as it is written: other spellings, missing values; anything else is refused."""
    known: dict[str, int] = {}
    for place in np.flatnonzero(codes == _UNKNOWN).tolist():
        value = values[place]
        text = str(value)
        if text not in known:
            known[text] = _code(variable, value.item() if isinstance(value, np.generic) else value, labels)
        codes[place] = known[text]
    return codes


def _code(variable: str, value: Any, labels: tuple[str, ...]) -> int:
    """The code of one value; raises `SutureError` S420."""
    place = matched(labels, value)
    if place is not None:
        return place
    if missing(value):
        return UNSEEN
    text = label_text(value)
    hint = did_you_mean(text, labels) or f"the values of {variable} are {one_of(labels)}"
    raise SutureError(Diagnostic("S420", f"{variable} has no value '{text}'", help=hint))
