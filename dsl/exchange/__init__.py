"""Graphs from and for other tools: text formats, and objects of Python packages."""

from .formats import FORMATS, export_graph, format_of_file, guess_format, import_graph, left_out
from .network_files import import_file
from .networks import to_networkx
from .objects import from_object
from .program_text import Imported

__all__ = [
    "FORMATS",
    "Imported",
    "export_graph",
    "format_of_file",
    "from_object",
    "guess_format",
    "import_file",
    "import_graph",
    "left_out",
    "to_networkx",
]
