"""What a string diagram means in finite stochastic matrices, by summing over the values of all its wires at once.

The table of a box depends on nothing but the box's name, kind, value and objects, so equal diagrams mean the same.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np

from suture.dsl.diagram import Box, Diagram, Kind

from .models import Array

SIZES = {"A": 2, "B": 3, "C": 2}


def size(type: str) -> int:
    """How many values an object has: two unless listed."""
    return SIZES.get(type, 2)


def table(diagram: Diagram, box: Box) -> Array:
    """The box's random kernel, axes inputs then outputs."""
    domain, codomain = diagram.types(box.inputs), diagram.types(box.outputs)
    shape_in, shape_out = [size(type) for type in domain], [size(type) for type in codomain]
    if box.kind is Kind.UNIFORM:
        return np.full(shape_out, 1 / np.prod(shape_out))
    if box.kind is Kind.POINT:
        return np.eye(shape_out[0])[int(box.value or 0)]
    seed = crc32(repr((box.name, box.kind.value, domain, codomain)).encode())
    rows = np.random.default_rng(seed).dirichlet(np.ones(int(np.prod(shape_out))), size=shape_in)
    return rows.reshape([*shape_in, *shape_out])


def meaning(diagram: Diagram) -> Array:
    """The kernel of the diagram, one axis an open input and then one an output."""
    wires = [size(wire.type) for wire in diagram.wires]
    operands: list[Any] = []
    for box in diagram.boxes:
        operands += [table(diagram, box), [*box.inputs, *box.outputs]]
    ends = [len(wires) + place for place in range(len(diagram.outputs))]
    for wire, end in zip(diagram.outputs, ends, strict=True):
        operands += [np.eye(wires[wire]), [wire, end]]
    for wire in diagram.inputs:
        operands += [np.ones(wires[wire]), [wire]]
    if not operands:
        return np.asarray(1.0)
    return np.einsum(*operands, [*diagram.inputs, *ends], optimize="greedy")
