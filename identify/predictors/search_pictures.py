"""What a search for a predictor found, in pictures: the selection diagram, and the worst-case risks of the classes."""

from __future__ import annotations

from ...dsl.diagnostics import SutureError
from ...dsl.drawing import Bar, Scene, risk_scene, row_scene, selection_scene
from .predictor_search import Kind, PredictorSearch

MOST_BARS = 16
MOST_VERTICES = 40
AXES = {
    "squared_loss": "expected squared loss in the worst domain",
    "log_loss": "expected log loss in the worst domain, nats",
    "zero_one": "probability of a wrong value in the worst domain",
}


def search_scene(found: PredictorSearch) -> Scene:
    """Both pictures side by side; the bars alone where the graph is large, or Graphviz is missing."""
    bars = bar_scene(found)
    if len(found.model.diagram.diagram.wires) > MOST_VERTICES:
        return bars
    try:
        return row_scene([graph_scene(found), bars], [" "])
    except SutureError:
        return bars


def graph_scene(found: PredictorSearch) -> Scene:
    """The selection diagram.  Raises `SutureError` (S601, S602) where Graphviz is missing or fails."""
    selection, condition = found.model.diagram, found.condition
    affected = (*condition.affected, *condition.downstream)
    return selection_scene(selection.diagram, selection.outcome, selection.mutable, affected, condition.edge)


def bar_scene(found: PredictorSearch) -> Scene:
    """A bar a class, the best of them; marks for the domains that the program gives."""
    bars = [
        Bar(_label(each.members.boundary, each.members.members), float(each.worst), each.given, each is found.chosen)
        for each in found.classes[:MOST_BARS]
    ]
    minimax = None if found.minimax is None else float(found.minimax.lower)
    title = f"Worst-case risk of predictors of {found.model.outcome}: {bars[0].label} chosen"
    axis = AXES[found.loss]
    if any(each.kind is Kind.LOWER for each in found.classes):
        axis = f"{axis}, lower bounds by ascent"
    return risk_scene(bars, minimax, axis, title)


def _label(boundary: tuple[str, ...], members: int) -> str:
    """A subset, with the number of those that predict alike."""
    return "{" + ", ".join(boundary) + "}" + (f" ({members:,} subsets)" if members > 1 else "")
