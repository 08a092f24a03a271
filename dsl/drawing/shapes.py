"""What each box of a diagram looks like: its outline, its label, its ports and the room it needs.

A box with inputs is a rounded plate; a state, a box with one output and no input, is a triangle standing on its tip.  A
state that surgery put there is a smaller triangle with a heavier outline, and its value stands below the tip.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..diagram import Box, Diagram, Kind
from .scene import SIZE, Role, Tone
from .typeface import text_width, written

PLATE_HEIGHT = 30.0
PLATE_WIDTH = 34.0
PORT_SPACING = 25.0
STATE_WIDTH = 34.0
STATE_HEIGHT = 33.6
STATE_LABEL_MAX = 46.0
CUT_WIDTH = 22.0
CUT_HEIGHT = 16.0
SHORT = 3
"""Names of up to so many letters count as short."""
LABEL_GAP = 6.0
"""Room between a wire and its label."""


class Outline(Enum):
    """The form of a box."""

    PLATE = "plate"
    TRIANGLE = "triangle"


@dataclass(frozen=True, slots=True)
class Shape:
    """A box's outline and label; `below` is a label that stands under the outline instead of inside it.

    Ports are offsets from the middle; `tags` are the labels of the wires at the output ports, empty for none; `room` is
    the width to keep free, tags included.
    """

    outline: Outline
    width: float
    height: float
    label: str
    below: str
    inputs: tuple[float, ...]
    outputs: tuple[float, ...]
    tags: tuple[str, ...]
    room: float


def box_shape(diagram: Diagram, box: Box, labels: tuple[str, ...]) -> Shape:
    """The shape of a box whose output wires carry the given labels (empty for none).

    Where names are long, a box that bears the name of its wire says it for both.
    """
    doubled = _bears_its_wire(diagram, box) and "<->" not in box.name and not _terse(diagram)
    tags = ("",) if doubled else labels
    if box.inputs or len(box.outputs) != 1 or box.kind is Kind.TOOTH:
        return _plate(diagram, box, tags)
    return _cut_state(box, tags[0]) if box.kind in (Kind.UNIFORM, Kind.POINT) else _state(diagram, box, tags[0])


def _terse(diagram: Diagram) -> bool:
    """Whether the diagram's names are short, so that papers' habit fits: boxes in small letters, every wire named."""
    return all(len(wire.name) <= SHORT or "<->" in wire.name for wire in diagram.wires)


def _bears_its_wire(diagram: Diagram, box: Box) -> bool:
    """Whether the box bears the name of the one variable it makes."""
    return box.kind is Kind.MECHANISM and len(box.outputs) == 1 and box.name == diagram.wires[box.outputs[0]].name


def _plate(diagram: Diagram, box: Box, tags: tuple[str, ...]) -> Shape:
    label = box_label(diagram, box)
    hanging = [label_width(text) for text in tags]
    spacing = max([PORT_SPACING, *(width + 4.0 for width in hanging[:-1])])
    across = max(len(box.inputs) * PORT_SPACING, len(box.outputs) * spacing)
    ports = across if max(len(box.inputs), len(box.outputs)) > 1 else 0.0
    width = max(PLATE_WIDTH, ports, text_width(label, SIZE[Role.NAME]) + 16.0)
    outputs = _spread(len(box.outputs), width)
    reach = [offset + width_of for offset, width_of in zip(outputs, hanging, strict=True)]
    inputs = _spread(len(box.inputs), width)
    return Shape(Outline.PLATE, width, PLATE_HEIGHT, label, "", inputs, outputs, tags, _room(width, reach))


def _state(diagram: Diagram, box: Box, wire_label: str) -> Shape:
    label = box_label(diagram, box)
    if not label:
        return _triangle(CUT_WIDTH, CUT_HEIGHT, "", "", wire_label)
    text = text_width(label, SIZE[Role.NAME])
    if text > STATE_LABEL_MAX:
        return _triangle(STATE_WIDTH * 0.8, STATE_HEIGHT * 0.8, "", label, wire_label)
    return _triangle(max(STATE_WIDTH, 1.8 * text + 8.0), STATE_HEIGHT, label, "", wire_label)


def _cut_state(box: Box, wire_label: str) -> Shape:
    return _triangle(CUT_WIDTH, CUT_HEIGHT, "", written(box.value or ""), wire_label)


def _triangle(width: float, height: float, label: str, below: str, wire_label: str) -> Shape:
    room = _room(max(width, text_width(below, SIZE[Role.NAME])), [label_width(wire_label)])
    return Shape(Outline.TRIANGLE, width, height, label, below, (), (0.0,), (wire_label,), room)


def label_width(text: str) -> float:
    """Room to the right of a wire for its label, none for an empty one."""
    return text_width(text, SIZE[Role.WIRE]) + LABEL_GAP if text else 0.0


def _spread(count: int, width: float) -> tuple[float, ...]:
    return tuple(width * ((place + 0.5) / count - 0.5) for place in range(count))


def _room(width: float, reach: list[float]) -> float:
    return max([width, *(2.0 * far for far in reach)])


def box_label(diagram: Diagram, box: Box) -> str:
    """The text in a box: in small letters where names are short, nothing for an unnamed common cause."""
    if len(box.outputs) != 1 or box.kind is Kind.TOOTH or box.name != diagram.wires[box.outputs[0]].type:
        return written(box.name)
    if "<->" in box.name:
        return ""
    small = box.name.lower()
    taken = any(wire.name == small for wire in diagram.wires)
    return written(small if _terse(diagram) and not taken else box.name)


def box_tone(box: Box) -> Tone:
    """How a box is inked."""
    if box.kind in (Kind.UNIFORM, Kind.POINT):
        return Tone.CUT
    if box.kind is Kind.TOOTH:
        return Tone.TOOTH
    return Tone.PLAIN if box.inputs or len(box.outputs) != 1 else Tone.STATE


def box_title(diagram: Diagram, box: Box, ghost: bool = False) -> str:
    """A box in words, for those who hear the picture or point at it."""
    made = " and ".join(diagram.wires[wire].name for wire in box.outputs) or "nothing"
    parents = ", ".join(diagram.wires[wire].name for wire in box.inputs)
    match box.kind:
        case Kind.UNIFORM:
            return f"{made} cut: the uniform state"
        case Kind.POINT:
            return f"{made} cut: set to {box.value}"
        case Kind.TOOTH:
            said = f"tooth {box.name} of a comb, from {parents or 'nothing'} to {made}"
        case Kind.MECHANISM:
            said = f"{box.name}: mechanism of {made}" + (f" given {parents}" if parents else "")
    return f"{said} (removed)" if ghost else said
