"""The notebook: magics, completion and inspection of suture's language in IPython.

`%load_ext suture.jupyter_ext` adds them, `%unload_ext suture.jupyter_ext` takes them away.  Nothing here needs
JupyterLab: the magics work in any front end of IPython, in a terminal as in a notebook.  `explore` shows a model that
answers to clicks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .exploring import explore

__all__ = ["explore", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    """`explore`, imported at its first use."""
    if name == "explore":
        from .exploring import explore

        return explore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics `%%suture` and `%suture` to a shell."""
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away what `load_ipython_extension` added."""
    from .magics import unload

    unload(shell)
