"""The picture of a string diagram, read from the bottom to the top.

Every rank of the arrangement is a horizontal band in which wires run upright: their labels stand there, beside the
wires, where nothing else may come.  Between two bands wires bend, as cubics with upright ends, and cross only there.
So labels, boxes and wires keep clear of each other by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..diagram import Box, Diagram
from .layers import Arrangement, Route, arrange
from .scene import (
    DOT_RADIUS,
    GROUND_BARS,
    Anchor,
    Dot,
    Ground,
    Mark,
    Piece,
    Plate,
    Point,
    Role,
    Scene,
    Strand,
    Text,
    Tone,
    Triangle,
    framed,
)
from .shapes import LABEL_GAP, PLATE_HEIGHT, Outline, Shape, box_title, box_tone
from .skeleton import End, Figure, Joint, Part, figure, skeleton
from .typeface import written

LABEL_STRIP = 16.0
BARE_STRIP = 5.0
END_LABEL = 20.0
GAP_LEAST = 14.0
GAP_MOST = 72.0
BOWL_MARGIN = 14.0


@dataclass(frozen=True, slots=True)
class Band:
    """A rank's share of the height: its joints stand on `base`, its boxes reach up to `crown`; heights grow upwards."""

    bottom: float
    base: float
    crown: float
    top: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A figure with everything placed."""

    figure: Figure
    arrangement: Arrangement
    bands: tuple[Band, ...]

    def joint(self, end: End) -> Joint:
        """The joint an end belongs to."""
        return self.arrangement.joints[end.joint]

    def shape(self, joint: Joint) -> Shape:
        """The shape of a box's joint."""
        return self.figure.shapes[joint.number]


def diagram_scene(diagram: Diagram, *, ghosts: Sequence[Box] = ()) -> Scene:
    """The picture of a string diagram.

    `ghosts` are boxes shown faintly, with their input wires, as no longer there: dead boxes of the diagram, or boxes it
    has lost, whose `inputs` and `outputs` are positions in the diagram's wires.

    Raises `SutureError` (S601, S602) where Graphviz is missing or fails.
    """
    return painted(planned(diagram, ghosts), diagram_title(diagram))


def planned(diagram: Diagram, ghosts: Sequence[Box] = ()) -> Plan:
    """Everything of the picture of a diagram with its place.

    Raises `SutureError` (S601, S602) where Graphviz is missing or fails.
    """
    drawn = figure(diagram, ghosts)
    arrangement = arrange(skeleton(drawn))
    return Plan(drawn, arrangement, _bands(drawn, arrangement))


def painted(plan: Plan, title: str) -> Scene:
    """The marks of a plan."""
    return framed([*_strands(plan), *_boxes(plan), *_knots(plan), *_texts(plan)], title)


def diagram_title(diagram: Diagram) -> str:
    """A string diagram in words.

    >>> from suture.dsl.diagram import model_diagram
    >>> diagram_title(model_diagram({"X": (), "Y": ("X",)}))
    'String diagram of X, Y'
    """
    names = [diagram.wires[wire].name for wire in diagram.outputs]
    inputs = [diagram.wires[wire].name for wire in diagram.inputs]
    said = f"String diagram of {', '.join(names) or 'nothing'}"
    return f"{said} given {', '.join(inputs)}" if inputs else said


# ---------------------------------------------------------------------------------------------------------------------
# Heights


def _bands(drawn: Figure, arrangement: Arrangement) -> tuple[Band, ...]:
    ranks: dict[int, list[Joint]] = {}
    for joint in arrangement.joints.values():
        ranks.setdefault(joint.rank, []).append(joint)
    reach = _sideways(drawn, arrangement)
    bands: list[Band] = []
    height = 0.0
    for rank in sorted(ranks):
        tallest = max((_stature(drawn, joint) for joint in ranks[rank]), default=0.0)
        rooms = [_upright_room(drawn, joint, tallest) for joint in ranks[rank]]
        base = height + max(below for below, _ in rooms)
        top = base + max(above for _, above in rooms)
        bands.append(Band(height, base, base + tallest, top))
        height = top + min(GAP_MOST, GAP_LEAST + 0.2 * reach.get(rank, 0.0))
    return tuple(bands)


def _stature(drawn: Figure, joint: Joint) -> float:
    """The height of a box above its rank's base; tall states let their tips hang below it."""
    return min(PLATE_HEIGHT, drawn.shapes[joint.number].height) if joint.part is Part.BOX else 0.0


def _upright_room(drawn: Figure, joint: Joint, crown: float) -> tuple[float, float]:
    """How far a joint and its labels reach below and above its base, boxes hanging from `crown`."""
    match joint.part:
        case Part.INPUT:
            return END_LABEL, 2.0
        case Part.OUTPUT:
            return 2.0, END_LABEL
        case Part.DOT:
            return DOT_RADIUS + 2.0, DOT_RADIUS + 2.0
        case Part.GROUND:
            return 2.0, GROUND_BARS[-1][1] + 4.0
        case Part.BEND:
            return 0.0, 0.0
        case Part.BOX:
            shape = drawn.shapes[joint.number]
            below = shape.height - crown + (18.0 if shape.below else 0.0)
            return max(2.0, below), crown + (LABEL_STRIP if any(shape.tags) else BARE_STRIP)


def _sideways(drawn: Figure, arrangement: Arrangement) -> dict[int, float]:
    """The farthest that a wire moves sideways between each rank and the next."""
    reach: dict[int, float] = {}
    for route in arrangement.routes:
        for tail, head in pairwise(route.stops):
            start = _across(drawn, arrangement, tail, upper=True)
            end = _across(drawn, arrangement, head, upper=False)
            rank = arrangement.joints[tail.joint].rank
            reach[rank] = max(reach.get(rank, 0.0), abs(end - start))
    return reach


def _across(drawn: Figure, arrangement: Arrangement, end: End, upper: bool) -> float:
    """The x coordinate at which a wire meets the upper or the lower side of a joint."""
    joint = arrangement.joints[end.joint]
    if joint.part is not Part.BOX:
        return arrangement.across[end.joint]
    shape = drawn.shapes[joint.number]
    ports = shape.outputs if upper else shape.inputs
    return arrangement.across[end.joint] + (ports[end.port] if ports else 0.0)


# ---------------------------------------------------------------------------------------------------------------------
# Marks, with y downwards from the base line of the lowest rank


def _strands(plan: Plan) -> list[Mark]:
    """The wires, ghosts first so that real ones are painted over them."""
    seen = (route for route in plan.arrangement.routes if not route.link.seam)
    ordered = sorted(seen, key=lambda route: not route.link.ghost)
    return [_strand(plan, route) for route in ordered]


def _strand(plan: Plan, route: Route) -> Strand:
    wire = plan.figure.diagram.wires[route.link.wire]
    tone = Tone.GHOST if route.link.ghost else Tone.LATENT if wire.latent else Tone.PLAIN
    first = route.stops[0]
    start = (_across(plan.figure, plan.arrangement, first, upper=True), -_leaving(plan, first))
    pieces: list[Piece] = []
    for tail, head in pairwise(route.stops):
        pieces += _step(plan, tail, head)
    return Strand(start, _merged(start, pieces), tone, wire.name)


def _leaving(plan: Plan, end: End) -> float:
    """The height at which a wire leaves a joint."""
    joint = plan.joint(end)
    band = plan.bands[joint.rank]
    return band.crown if joint.part is Part.BOX else band.base


def _step(plan: Plan, tail: End, head: End) -> list[Piece]:
    """From the upper side of one joint to the lower side of the next one above; through a bend up to its band's top."""
    below, above = plan.joint(tail), plan.joint(head)
    x = _across(plan.figure, plan.arrangement, tail, upper=True)
    target = _across(plan.figure, plan.arrangement, head, upper=False)
    low, high = plan.bands[below.rank].top, plan.bands[above.rank].bottom
    if below.part is Part.DOT and _bowl_is_free(plan, below, x, target):
        pieces = [_bowl((x, plan.bands[below.rank].base), (target, high))]
    else:
        pieces = [((x, low),), _bend((x, low), (target, high))]
    band = plan.bands[above.rank]
    pieces.append(((target, band.top if above.part is Part.BEND else band.base),))
    return [tuple((px, -py) for px, py in piece) for piece in pieces]


def _bend(start: Point, end: Point) -> Piece:
    """A cubic with upright ends, or a straight line where nothing bends."""
    middle = (start[1] + end[1]) / 2
    return (end,) if abs(start[0] - end[0]) < 0.5 else ((start[0], middle), (end[0], middle), end)


def _bowl(start: Point, end: Point) -> Piece:
    """A branch that leaves a copy dot sideways and arrives upright."""
    rise = end[1] - start[1]
    return (start[0] + 0.55 * (end[0] - start[0]), start[1] + 0.14 * rise), (end[0], start[1] + 0.4 * rise), end


def _bowl_is_free(plan: Plan, dot: Joint, start: float, end: float) -> bool:
    """Whether a branch may leave a dot sideways: far enough to show, and no other dot or ground in its way."""
    if abs(end - start) < 8.0:
        return False
    low, high = min(start, end) - BOWL_MARGIN, max(start, end) + BOWL_MARGIN
    rivals = (joint for joint in plan.arrangement.joints.values() if joint.rank == dot.rank and joint is not dot)
    return not any(joint.part is not Part.BEND and low < plan.arrangement.across[joint.name] < high for joint in rivals)


def _merged(start: Point, pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The pieces without empty ones, upright lines in a row joined into one."""
    merged: list[Piece] = []
    here = start
    for piece in pieces:
        if len(piece) == 1 and piece[0] == here:
            continue
        before = merged[-2][-1] if len(merged) > 1 else start
        if merged and len(piece) == len(merged[-1]) == 1 and abs(piece[0][0] - before[0]) < 0.5:
            merged.pop()
        merged.append(piece)
        here = piece[-1]
    return tuple(merged)


def _boxes(plan: Plan) -> list[Mark]:
    marks: list[Mark] = []
    for joint in plan.arrangement.joints.values():
        if joint.part is Part.BOX:
            marks += _box(plan, joint)
    return marks


def _box(plan: Plan, joint: Joint) -> list[Mark]:
    box, shape = plan.figure.boxes[joint.number], plan.shape(joint)
    ghost = joint.number in plan.figure.ghosts
    tone = Tone.GHOST if ghost else box_tone(box)
    title = box_title(plan.figure.diagram, box, ghost)
    x, top = plan.arrangement.across[joint.name], -plan.bands[joint.rank].crown
    marks: list[Mark] = []
    if shape.outline is Outline.PLATE:
        marks.append(Plate(x - shape.width / 2, top, shape.width, shape.height, tone, title))
    else:
        marks.append(Triangle(x, top, shape.width, shape.height, tone, title))
    if shape.label:
        drop = 19.5 if shape.outline is Outline.PLATE else 14.5
        marks.append(Text(x, top + drop, shape.label, Role.NAME, tone=_ink(tone)))
    if shape.below:
        marks.append(Text(x, top + shape.height + 13.5, shape.below, Role.NAME, tone=_ink(tone)))
    return marks


def _ink(tone: Tone) -> Tone:
    return tone if tone in (Tone.GHOST, Tone.CUT) else Tone.PLAIN


def _knots(plan: Plan) -> list[Mark]:
    """The copy dots and the grounds."""
    tones = _knot_tones(plan)
    marks: list[Mark] = []
    for joint in plan.arrangement.joints.values():
        if joint.part not in (Part.DOT, Part.GROUND):
            continue
        x, y = plan.arrangement.across[joint.name], -plan.bands[joint.rank].base
        name = plan.figure.diagram.wires[joint.number].name
        if joint.part is Part.DOT:
            marks.append(Dot(x, y, tones[joint.name], f"copy of {name}"))
        else:
            marks.append(Ground(x, y, tones[joint.name], f"{name} discarded"))
    return marks


def _knot_tones(plan: Plan) -> Mapping[str, Tone]:
    """A dot is a ghost where fewer than two real branches are left, a ground where its wire is one."""
    real: dict[str, int] = {}
    for route in plan.arrangement.routes:
        for end, part in ((route.link.tail, Part.DOT), (route.link.head, Part.GROUND)):
            if plan.joint(end).part is part:
                real[end.joint] = real.get(end.joint, 0) + (0 if route.link.ghost else 3 if part is Part.GROUND else 1)
    return {name: Tone.PLAIN if count > 1 else Tone.GHOST for name, count in real.items()}


def _texts(plan: Plan) -> list[Mark]:
    """The labels of wires where they leave their boxes, and of open ends."""
    drawn, across = plan.figure, plan.arrangement.across
    marks: list[Mark] = []
    for joint in plan.arrangement.joints.values():
        base = plan.bands[joint.rank].base
        if joint.part is Part.BOX and not drawn.lost(joint.number):
            marks += _wire_labels(plan, joint)
        elif joint.part in (Part.INPUT, Part.OUTPUT):
            ends = drawn.diagram.inputs if joint.part is Part.INPUT else drawn.diagram.outputs
            y = -base + 14.0 if joint.part is Part.INPUT else -base - 6.0
            marks.append(Text(across[joint.name], y, written(drawn.diagram.wires[ends[joint.number]].name), Role.END))
    return marks


def _wire_labels(plan: Plan, joint: Joint) -> list[Mark]:
    drawn, shape = plan.figure, plan.shape(joint)
    y = -plan.bands[joint.rank].crown - 6.0
    x = plan.arrangement.across[joint.name]
    tone = Tone.GHOST if joint.number in drawn.ghosts else Tone.LATENT
    return [
        Text(x + offset + LABEL_GAP, y, tag, Role.WIRE, Anchor.START, tone)
        for offset, tag in zip(shape.outputs, shape.tags, strict=True)
        if tag
    ]
