"""Pictures of string diagrams and causal graphs: layout, then SVG, TikZ or PNG from one set of coordinates."""

from .causal_graph import causal_graph_scene
from .interval_bar import interval_scene
from .png_printer import png
from .risk_bars import Bar, risk_scene
from .scene import Scene, row_scene
from .selection_graph import selection_scene
from .separation_graph import open_path_scene, separation_scene
from .strings import diagram_scene
from .surgery import comb_scene, cut_scene, surgery_scene
from .svg_printer import svg
from .tikz_printer import tikz

__all__ = [
    "Bar",
    "Scene",
    "causal_graph_scene",
    "comb_scene",
    "cut_scene",
    "diagram_scene",
    "interval_scene",
    "open_path_scene",
    "png",
    "risk_scene",
    "row_scene",
    "selection_scene",
    "separation_scene",
    "surgery_scene",
    "svg",
    "tikz",
]
