"""Surgery in pictures: the diagram before and after a cut, side by side.

After the cut, whatever it removed is shown as a ghost: the box that gave way to a state, which now stands above it, and
every box that the normal form then drops because nothing reads it any more.  Both pictures have one layout, that of the
later one, so that nothing moves and the eye falls on what the cut changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..diagnostics import Diagnostic, SutureError, did_you_mean
from ..diagram import Box, Diagram, Kind, cut, live_boxes, prune
from .layers import Arrangement, Route
from .scene import Scene, row_scene
from .skeleton import End, Figure, Part
from .strings import Plan, diagram_title, painted, planned


def surgery_scene(diagram: Diagram, do: Mapping[str, str | None], combs: Diagram | None = None) -> Scene:
    """The diagram before and after surgery; `do` maps each cut variable to its value, None for the uniform state.

    With `combs`, a diagram of teeth that equals the one after surgery, that is the third picture of the row.
    Raises `SutureError` (S104) where a variable is unknown.
    """
    before = _relevant(diagram, do)
    plan = _cut_plan(before, do)
    said = intervention(do)
    title = f"{diagram_title(before)}, before and after {said}"
    scenes = [painted(_uncut(plan, before), diagram_title(before)), painted(plan, title)]
    if combs is None:
        return row_scene(scenes, ["↦"], ["before", f"after {said}"], title)
    captions = ["before", f"after {said}", "the same as combs"]
    return row_scene([*scenes, comb_scene(combs)], ["↦", "="], captions, f"{title}, and as combs")


def cut_scene(diagram: Diagram, do: Mapping[str, str | None]) -> Scene:
    """The diagram after surgery alone, with the ghosts of what the cut removed.

    Raises `SutureError` (S104) where a variable is unknown.
    """
    before = _relevant(diagram, do)
    return painted(_cut_plan(before, do), f"{diagram_title(before)} after {intervention(do)}")


def intervention(do: Mapping[str, str | None]) -> str:
    """A cut as the language writes it.

    >>> intervention({"Smoke": "yes", "Diet": None})
    'do(Smoke = yes, Diet)'
    """
    return f"do({', '.join(name if value is None else f'{name} = {value}' for name, value in do.items())})"


def _relevant(diagram: Diagram, do: Mapping[str, str | None]) -> Diagram:
    """The diagram without its dead boxes, unless one of those is to be cut."""
    names = [wire.name for wire in diagram.wires]
    unknown = [name for name in do if name not in names]
    if unknown:
        raise SutureError(
            Diagnostic("S104", f"unknown variable {name!r} in the diagram", help=did_you_mean(name, names))
            for name in unknown
        )
    pruned = prune(diagram)
    return pruned if set(do) <= {wire.name for wire in pruned.wires} else diagram


def _cut_plan(before: Diagram, do: Mapping[str, str | None]) -> Plan:
    after = cut(before, do)
    return planned(after, _removed(before, after))


def _removed(before: Diagram, after: Diagram) -> tuple[Box, ...]:
    """The boxes of `before` that `after` has lost, and those it still has but nothing reads any more."""
    live = live_boxes(after)
    replaced = [old for old, new in zip(before.boxes, after.boxes, strict=True) if old != new]
    dead = [box for number, box in enumerate(after.boxes) if number not in live and box.kind is Kind.MECHANISM]
    return (*replaced, *dead)


def _uncut(plan: Plan, before: Diagram) -> Plan:
    """The plan of the diagram before the cut, everything in the same place.

    Ghosts are boxes again, and where a state stood the wire of the box below it passes through.
    """
    drawn, seams = plan.figure, {}
    joints = dict(plan.arrangement.joints)
    for route in plan.arrangement.routes:
        if route.link.seam:
            state = route.link.head.joint
            seams[state] = route.stops[:-1]
            joints[state] = replace(joints[state], part=Part.BEND)
    whole = [_whole(route, seams) for route in plan.arrangement.routes if not route.link.seam]
    figure = Figure(before, drawn.boxes, frozenset(), drawn.shapes)
    return Plan(figure, Arrangement(joints, plan.arrangement.across, tuple(whole)), plan.bands)


def _whole(route: Route, seams: Mapping[str, tuple[End, ...]]) -> Route:
    """The route as it was: one that starts at a state started at the other end of its seam."""
    stops = (*seams.get(route.link.tail.joint, ()), *route.stops)
    return Route(replace(route.link, tail=stops[0], ghost=False), stops)


def comb_scene(diagram: Diagram) -> Scene:
    """The picture of a comb: a diagram whose boxes of kind `TOOTH` are the teeth that comb disintegration made.

    Teeth differ from other boxes by their double outline; wires from tooth to tooth are the comb's memory.

    Raises `ValueError` where the diagram has no tooth.
    """
    teeth = [box.name for box in diagram.boxes if box.kind is Kind.TOOTH]
    if not teeth:
        raise ValueError("a comb needs at least one box of kind TOOTH")
    others = [box.name for box in diagram.boxes if box.kind is Kind.MECHANISM]
    filled = f" with {', '.join(others)} in its holes" if others else ""
    title = f"{diagram_title(diagram)}, as a comb of teeth {', '.join(teeth)}{filled}"
    return painted(planned(diagram), title)
