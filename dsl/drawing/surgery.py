"""Surgery in pictures: the diagram before and after a cut, and combs.

After the cut, whatever it removed is shown as a ghost: the box that gave way, and every box that the normal form then
drops because nothing reads it any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..diagnostics import Diagnostic, SutureError, did_you_mean
from ..diagram import Box, Diagram, Kind, cut, live_boxes, prune
from .scene import Scene, row_scene
from .strings import diagram_scene, diagram_title


def surgery_scene(diagram: Diagram, do: Mapping[str, str | None]) -> Scene:
    """The diagram before and after surgery, side by side; `do` maps each cut variable to its value, None for uniform.

    Raises `SutureError` (S104) where a variable is unknown.
    """
    before = prune(diagram)
    said = intervention(do)
    title = f"{diagram_title(before)}, before and after {said}"
    return row_scene([diagram_scene(before), cut_scene(diagram, do)], ["↦"], ["before", f"after {said}"], title)


def cut_scene(diagram: Diagram, do: Mapping[str, str | None]) -> Scene:
    """The diagram after surgery alone, with the ghosts of what the cut removed.

    Raises `SutureError` (S104) where a variable is unknown.
    """
    _known(diagram, do)
    before = prune(diagram) if _all_live(diagram, do) else diagram
    after = cut(before, do)
    return diagram_scene(after, ghosts=_removed(before, after))


def intervention(do: Mapping[str, str | None]) -> str:
    """A cut as the language writes it.

    >>> intervention({"Smoke": "yes", "Diet": None})
    'do(Smoke = yes, Diet)'
    """
    return f"do({', '.join(name if value is None else f'{name} = {value}' for name, value in do.items())})"


def _known(diagram: Diagram, do: Mapping[str, str | None]) -> None:
    names = [wire.name for wire in diagram.wires]
    unknown = [name for name in do if name not in names]
    if unknown:
        raise SutureError(
            Diagnostic("S104", f"unknown variable {name!r} in the diagram", help=did_you_mean(name, names))
            for name in unknown
        )


def _all_live(diagram: Diagram, do: Mapping[str, str | None]) -> bool:
    names = {wire.name for wire in prune(diagram).wires}
    return all(name in names for name in do)


def _removed(before: Diagram, after: Diagram) -> tuple[Box, ...]:
    """The boxes of `before` that `after` has lost, and those it still has but nothing reads any more."""
    live = live_boxes(after)
    replaced = [old for old, new in zip(before.boxes, after.boxes, strict=True) if old != new]
    dead = [box for number, box in enumerate(after.boxes) if number not in live and box.kind is Kind.MECHANISM]
    return (*replaced, *dead)
