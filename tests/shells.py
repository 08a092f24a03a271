"""An IPython shell for tests: cells are run in it, and what they show and say is kept."""

from __future__ import annotations

import builtins
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Publisher(DisplayPublisher):
    """Keeps what is displayed; an update takes the place of what it updates, as in a front end."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.shown: list[dict[str, Any]] = []
        self.places: dict[str, int] = {}

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        name = str((transient or {}).get("display_id"))
        if update:
            self.shown[self.places[name]] = data
            return
        if transient:
            self.places[name] = len(self.shown)
        self.shown.append(data)


@dataclass
class Cell:
    """What came of a cell: what it showed, in order, its error, and the error's text without colours."""

    shown: list[dict[str, Any]]
    error: BaseException | None
    told: str

    @property
    def texts(self) -> list[str]:
        return [data["text/plain"] for data in self.shown]


@dataclass
class Shell:
    """A shell with the extension loaded; `names` are its variables."""

    shell: InteractiveShell
    traces: list[list[str]] = field(default_factory=list)

    @property
    def names(self) -> dict[str, Any]:
        return self.shell.user_ns

    def run(self, text: str) -> Cell:
        """Run a cell, which may fail."""
        publisher = self.shell.display_pub
        assert isinstance(publisher, Publisher)
        publisher.shown, publisher.places = [], {}
        self.traces.clear()
        result = self.shell.run_cell(text, store_history=True)
        told = "\n".join(line for trace in self.traces for line in trace)
        return Cell(publisher.shown, result.error_before_exec or result.error_in_exec, ANSI.sub("", told))

    def good(self, text: str) -> Cell:
        """Run a cell that must succeed."""
        cell = self.run(text)
        assert cell.error is None, cell.told
        return cell


@contextmanager
def shell_with_suture() -> Generator[Shell]:
    """A fresh shell, without history or start-up files, gone afterwards."""
    # Doctests leave a `_` among the builtins, and IPython then keeps off that name.
    if hasattr(builtins, "_"):
        del builtins.__dict__["_"]
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config, display_pub_class=Publisher)
    made = Shell(shell)
    setattr(shell, "_showtraceback", lambda kind, value, trace: made.traces.append(trace))  # noqa: B010
    try:
        shell.extension_manager.load_extension("suture.jupyter_ext")
        yield made
    finally:
        InteractiveShell.clear_instance()
