"""Pictures of string diagrams and causal graphs: layout, then SVG, TikZ or PNG from one set of coordinates."""

from .scene import Scene, row_scene
from .strings import diagram_scene
from .surgery import cut_scene, surgery_scene
from .svg_printer import svg

__all__ = ["Scene", "cut_scene", "diagram_scene", "row_scene", "surgery_scene", "svg"]
