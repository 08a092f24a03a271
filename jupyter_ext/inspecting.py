"""What `Shift-Tab` and `?` show inside the cells: a variable with its role and mechanism, a model, a query, a word.

A kernel is asked with the cell and a place in it; what is not suture's goes to the kernel as before.  In a terminal,
where only names of Python can be asked for, `%suture describe NAME` says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from ..dsl.hover import Description, describe, describe_name
from .cell_text import part_of
from .notebook import Notebook


def described(notebook: Notebook, cell: str, place: int) -> Description | None:
    """What stands at a place of a cell, where it is suture's."""
    part = part_of(cell, place)
    if part is None or part.options is not None:
        return None
    known = notebook.known(part.text)
    # A place behind an opening bracket asks about what the bracket belongs to.
    return describe(part.text, place, known) or describe(part.text, max(place - 1, 0), known)


def named(notebook: Notebook, name: str) -> Description | None:
    """What a name of the cells, or a word of the language, stands for."""
    return describe_name(name, notebook.session.program)


def bundle(found: Description) -> dict[str, str]:
    """A description by MIME type."""
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in found.facts)
    code = f"<pre>{escape(found.code)}</pre>" if found.code else ""
    html = f"<p><strong>{escape(found.title)}</strong></p><dl>{facts}</dl>{code}"
    return {"text/plain": found.text, "text/markdown": found.markdown, "text/html": html}


def add(shell: InteractiveShell, notebook: Callable[[], Notebook]) -> Callable[[], None]:
    """Let a kernel describe what is in suture's cells; gives what takes it away again."""
    kernel: Any = getattr(shell, "kernel", None)
    if kernel is None:
        return lambda: None
    before = kernel.do_inspect

    def do_inspect(code: str, cursor_pos: int, *arguments: Any, **options: Any) -> Any:
        found = described(notebook(), code, cursor_pos)
        if found is None:
            return before(code, cursor_pos, *arguments, **options)
        return {"status": "ok", "found": True, "data": bundle(found), "metadata": {}}

    kernel.do_inspect = do_inspect
    return lambda: setattr(kernel, "do_inspect", before)
