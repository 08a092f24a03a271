"""Pages of the codes of import and export: what another tool's graph says, and what its format can hold."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S020": Page(
        "the text is not in the format",
        "The text of another tool's graph stops being in its format at the marked place, or contradicts itself there.",
        "",
        "look at the marked place; where the text is in another format, name that format.",
    ),
    "S021": Page(
        "a graph that says something a model cannot",
        "Undirected edges, pdags, mags and pags, interactions and composites do not say which variable causes which.",
        "",
        "decide what is meant, and write each edge as an arrow or as a hidden common cause.",
    ),
    "S022": Page(
        "unknown graph format",
        "No format for graphs has this name, or the text does not show which one it is in.",
        "",
        "name one of: dagitty, dot, lavaan, bif, gml.",
    ),
    "S023": Page(
        "the format cannot say this model",
        "The format has no words for something in the model, and without it the graph would be another one.",
        "",
        "change the model as the message says, or choose another format: dagitty and dot hold every graph.",
    ),
    "S024": Page(
        "not a graph",
        "The object is none of the graphs that are understood: of networkx, pgmpy, y0, Ananke, DoWhy, pyAgrum, pydot.",
        "",
        "pass a networkx DiGraph, or the text of a graph.",
    ),
}
