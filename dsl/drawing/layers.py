"""Where the joints of a picture stand: their order on each rank and their x coordinates, by `dot`.

Every rank that a link crosses gets a bend of its own, so that Graphviz keeps a column free for it; boxes are records
with one port a wire, so that crossings are counted at the ports; an invisible chain keeps open ends in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from .graphviz import place
from .skeleton import End, Joint, Link, Part, Skeleton

BEND_ROOM = 6.0
JOINT_SPACING = 15.0
CROWD = 4000
"""So many joints are too many for Graphviz to look for the best order and the straightest wires without a limit."""


@dataclass(frozen=True, slots=True)
class Route:
    """A link with every joint it passes from its tail to its head."""

    link: Link
    stops: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Joints by name with ranks counted without gaps, the x coordinate of each, and the route of each link."""

    joints: Mapping[str, Joint]
    across: Mapping[str, float]
    routes: tuple[Route, ...]


def arrange(bones: Skeleton) -> Arrangement:
    """Order the joints of a skeleton on their ranks and give them x coordinates."""
    used = sorted({joint.rank for joint in bones.joints.values()})
    dense = {rank: number for number, rank in enumerate(used)}
    joints = {name: replace(joint, rank=dense[joint.rank]) for name, joint in bones.joints.items()}
    routes = []
    for number, link in enumerate(bones.links):
        bends = _bends(number, joints[link.tail.joint].rank, joints[link.head.joint].rank)
        joints.update({bend.name: bend for bend in bends})
        routes.append(Route(link, (link.tail, *(End(bend.name) for bend in bends), link.head)))
    placed = place(_program(joints, routes)).nodes if joints else {}
    return Arrangement(joints, {name: x for name, (x, _) in placed.items()}, tuple(routes))


def _bends(link: int, low: int, high: int) -> list[Joint]:
    return [Joint(f"bend{link}_{rank}", Part.BEND, link, rank, BEND_ROOM) for rank in range(low + 1, high)]


def _program(joints: Mapping[str, Joint], routes: Iterable[Route]) -> str:
    """The layered graph in the DOT language."""
    limits = f"nslimit=.1; mclimit={CROWD / 2 / len(joints):.4f};" if len(joints) > CROWD else ""
    lines = [
        f"digraph {{ {limits} rankdir=BT; splines=false; nodesep={JOINT_SPACING / 72:.4f}; ranksep=.2;",
        'node [shape=box, fixedsize=true, height=.1, label=""];',
    ]
    lines += [_node(joint) for joint in joints.values()]
    ranks: dict[int, list[Joint]] = {}
    for joint in joints.values():
        ranks.setdefault(joint.rank, []).append(joint)
    for rank in sorted(ranks):
        lines.append(f"{{ rank=same; {' '.join(joint.name for joint in ranks[rank])} }}")
    for route in routes:
        lines += [_edge(joints, tail, head, route.link.seam) for tail, head in pairwise(route.stops)]
    linked = {joints[tail.joint].rank for route in routes for tail in route.stops[:-1]}
    lines += _spine(ranks, linked)
    for part in (Part.INPUT, Part.OUTPUT):
        chain = [joint.name for joint in joints.values() if joint.part is part]
        lines += [f"{left} -> {right} [style=invis, weight=1];" for left, right in pairwise(chain)]
    return "\n".join([*lines, "}"])


def _spine(ranks: Mapping[int, list[Joint]], linked: set[int]) -> list[str]:
    """Invisible edges between neighbouring ranks that no link joins, to hold them one above the other."""
    gaps = [(low, high) for low, high in pairwise(sorted(ranks)) if low not in linked]
    return [f"{ranks[low][0].name} -> {ranks[high][0].name} [style=invis, weight=0];" for low, high in gaps]


def _node(joint: Joint) -> str:
    width = f"width={joint.room / 72:.4f}"
    if joint.part is not Part.BOX:
        return f"{joint.name} [{width}];"
    rows = ["|".join(f"<{side}{port}>" for port in range(count)) for side, count in _sides(joint) if count]
    return f'{joint.name} [shape=record, {width}, label="{{{"|".join(f"{{{row}}}" for row in rows)}}}"];'


def _sides(joint: Joint) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("o", joint.ports_out), ("i", joint.ports_in)


def _edge(joints: Mapping[str, Joint], tail: End, head: End, seam: bool) -> str:
    below, above = joints[tail.joint], joints[head.joint]
    weight = 8 if seam else _weight(below.part, above.part)
    start = f"{tail.joint}:o{tail.port}:n" if below.part is Part.BOX else tail.joint
    end = f"{head.joint}:i{head.port}:s" if above.part is Part.BOX and not seam else head.joint
    return f"{start} -> {end} [weight={weight}];"


def _weight(below: Part, above: Part) -> int:
    """How much Graphviz should want this step straight: long wires most, branches of a copy least."""
    if below is Part.BEND and above is Part.BEND:
        return 8
    if above in (Part.DOT, Part.GROUND):
        return 6
    return 2 if Part.BEND in (below, above) else 3
