"""The pictures of an answer: what it is about, and beside each step what the step did or where it was read from."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from ...dsl.diagnostics import SutureError
from ...dsl.diagram import Diagram
from ...dsl.drawing import (
    Scene,
    cut_scene,
    diagram_scene,
    interval_scene,
    open_path_scene,
    row_scene,
    separation_scene,
    surgery_scene,
    svg,
)
from ...dsl.formula import Formula, Kernel, Term, kernels
from ...identify.comb_diagram import comb_diagram, teeth_diagram
from ...identify.derivation import Components, OpenPath, Rewrite, Separated, SideCondition, Step, Teeth
from ..pictures import surgery_with_combs, worlds_scene
from .markup import Markup, tag

if TYPE_CHECKING:
    from ..answer_data import AnswerData

# Diagrams of more boxes than this are too small to read beside a text.
MOST_BOXES = 14
MOST_IN_STEPS = 10
MOST_STEPS = 24


def figure(scene: Scene, caption: str | None = None) -> Markup:
    """A picture with its caption; what it shows is said in words for those who do not see it."""
    said = None if caption is None else tag("figcaption", caption)
    return tag("figure", Markup(svg(scene, inside=True)), said)


def lasting_figure(scene: Scene, caption: str | None = None) -> Markup:
    """The same with a still beside it, for notebooks that are not trusted.

    JupyterLab takes drawings and style sheets out of what a stranger's notebook has saved, and leaves images.  The
    style sheet hides the still, so it is seen exactly where the drawing is not; it has its own paper, light or dark.
    """
    coded = b64encode(svg(scene).encode()).decode()
    still = tag("img", class_="suture-still", alt=scene.title, src=f"data:image/svg+xml;base64,{coded}")
    return tag(
        "figure", still, Markup(svg(scene, inside=True)), None if caption is None else tag("figcaption", caption)
    )


def drawn(make: Callable[[], Scene | None]) -> Scene | None:
    """A picture, or None where there is none or it cannot be drawn: the answer stands without it."""
    try:
        return make()
    except (SutureError, ValueError):
        return None


def main_picture(answer: AnswerData) -> tuple[Scene, str] | None:
    """What an answer shows first, with a caption."""
    own = answer.picture()
    if own is not None:
        return own, ""
    if answer.bounds is not None and answer.bounds[0] <= answer.bounds[1]:
        low, high = answer.bounds
        return interval_scene(low, high, f"bounds from {low:.6g} to {high:.6g}"), "the sharp bounds"
    diagram = answer.diagram
    if diagram is None or len(diagram.boxes) > MOST_BOXES:
        return None
    scene = drawn(lambda: _asked_picture(answer, diagram))
    return None if scene is None else (scene, "")


def _asked_picture(answer: AnswerData, diagram: Diagram) -> Scene | None:
    if answer.separation is not None:
        first, second, given = answer.separation.first, answer.separation.second, answer.separation.given
        if isinstance(answer.witness, OpenPath):
            return open_path_scene(diagram, answer.witness.path, given)
        return separation_scene(diagram, first, second, given)
    if answer.asked is None:
        return None
    if any(term.world for kernel in kernels(answer.asked) for term in (*kernel.outcomes, *kernel.given)):
        return worlds_scene(diagram, answer.asked)
    done = set_values(answer.asked)
    return surgery_with_combs(diagram, done) if done else None


def set_values(formula: Formula) -> dict[str, str | None]:
    """What a query sets; where its parts set a variable to different values, no value is named."""
    found: dict[str, str | None] = {}
    for kernel in kernels(formula):
        for term in kernel.do:
            value = term.value if isinstance(term.value, str) else None
            found[term.variable] = value if found.get(term.variable, value) == value else None
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Steps


def step_picture(diagram: Diagram | None, asked: Formula | None, step: Step) -> tuple[Scene, str] | None:
    """The picture of a step with its caption: surgery, a comb, or the graph in which a separation was read."""
    if diagram is None or len(diagram.boxes) > MOST_IN_STEPS:
        return None
    condition = next((each for each in step.because if isinstance(each, Separated | Teeth | Components)), None)
    return _step_picture(diagram, asked, step.rule.name, step.before, condition)


@lru_cache(maxsize=256)
def _step_picture(
    diagram: Diagram, asked: Formula | None, rule: str, before: Formula, condition: SideCondition | None
) -> tuple[Scene, str] | None:
    done = set_values(before if rule == "cut" or asked is None else asked)
    match condition:
        case Separated(first, second, given, cut, cut_out, arrows):
            scene = drawn(lambda: separation_scene(diagram, first, second, given, cut, cut_out, arrows))
            return (
                None
                if scene is None
                else (scene, "the graph in which the separation is read: dotted is cut, square is given")
            )
        case Teeth():
            scene = drawn(lambda: _comb(diagram, condition))
            return (
                None if scene is None else (scene, f"the comb of {{{', '.join(condition.component)}}}, its holes open")
            )
        case Components(groups, _) if done:
            scene = drawn(lambda: cut_scene(diagram, done))
            together = ", ".join(f"{{{', '.join(group)}}}" for group in groups)
            return None if scene is None else (scene, f"what latent wires hold together: {together}")
        case _:
            pass
    if rule == "cut" and done:
        scene = drawn(lambda: surgery_scene(diagram, done))
        return None if scene is None else (scene, "before and after surgery")
    if rule == "plug" and len(done) == 1:
        scene = drawn(lambda: _plugged(diagram, *next(iter(done.items()))))
        return None if scene is None else (scene, "the combs with their holes filled")
    return None


def _comb(diagram: Diagram, condition: Teeth) -> Scene:
    from ...dsl.drawing import comb_scene

    return comb_scene(teeth_diagram(diagram, condition.teeth))


def _plugged(diagram: Diagram, variable: str, value: str | None) -> Scene | None:
    from ...dsl.drawing import comb_scene

    combs = comb_diagram(diagram, variable, value)
    return None if combs is None else comb_scene(combs)


def rewrite_picture(rewrite: Rewrite) -> tuple[Scene, str] | None:
    """The diagrams before and after a rewrite, side by side."""
    if max(len(rewrite.before.boxes), len(rewrite.after.boxes)) > MOST_BOXES:
        return None
    scene = drawn(
        lambda: row_scene([diagram_scene(rewrite.before), diagram_scene(rewrite.after)], ["="], ["before", "after"])
    )
    return None if scene is None else (scene, "")


def asks_of_several_worlds(formula: Formula) -> bool:
    """Whether a query names variables of more than one world."""
    worlds: set[tuple[Term, ...]] = set()
    for node in kernels(formula):
        assert isinstance(node, Kernel)
        worlds |= {term.world for term in (*node.outcomes, *node.given)}
    return len(worlds) > 1
