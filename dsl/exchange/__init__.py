"""Graphs from and for other tools: text formats, and objects of Python packages."""

from .formats import FORMATS, export_graph, format_of_file, guess_format, import_graph, left_out
from .program_text import Imported

__all__ = ["FORMATS", "Imported", "export_graph", "format_of_file", "guess_format", "import_graph", "left_out"]
