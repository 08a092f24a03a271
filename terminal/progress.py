"""How far long work is, on a terminal's stderr: what is done, and a bar while the work tells its progress."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from ..dsl.program import Statement

Item = TypeVar("Item")


class Progress:
    """A line on a terminal, once a statement takes longer than a second; elsewhere nothing at all."""

    PATIENCE = 1.0
    PAUSE = 0.1
    WIDTH = 24

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._shown = False
        self._what = ""
        self._done: float | None = None
        self._last = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def started(self, statement: Statement) -> None:
        """A statement is about to be answered."""
        self.began(f"answering line {statement.span.line}")

    def began(self, what: str) -> None:
        """Some work begins, said in words."""
        self._clear()
        self._what, self._done = what, None
        if sys.stderr.isatty():
            self._timer = threading.Timer(self.PATIENCE, self._show)
            self._timer.daemon = True
            self._timer.start()

    def through(self, found: Iterable[Item]) -> Iterator[Item]:
        """The answers, each after the line on the terminal is gone."""
        for answer in found:
            self._clear()
            yield answer

    def advanced(self, done: float) -> None:
        """The work is so far, from 0 to 1."""
        self._done = done
        now = time.monotonic()
        if self._shown and now - self._last > self.PAUSE:
            self._last = now
            self._show()

    def _show(self) -> None:
        with self._lock:
            self._shown = True
            print(f"\r\x1b[K{self.text()}", end="", file=sys.stderr, flush=True)

    def text(self) -> str:
        """The line as it is shown."""
        if self._done is None:
            return f"… {self._what}; Ctrl-C stops"
        full = round(self._done * self.WIDTH)
        bar = "█" * full + "░" * (self.WIDTH - full)
        return f"… {self._what} {bar} {100 * self._done:3.0f} %; Ctrl-C stops"

    def _clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with self._lock:
            if self._shown:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
                self._shown = False
