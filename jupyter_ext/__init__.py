"""The notebook: magics, completion and inspection of suture's language in IPython.

`%load_ext suture.jupyter_ext` adds them, `%unload_ext suture.jupyter_ext` takes them away.  Nothing here needs
JupyterLab: the magics work in any front end of IPython, in a terminal as in a notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics `%%suture` and `%suture` to a shell."""
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away what `load_ipython_extension` added."""
    from .magics import unload

    unload(shell)
