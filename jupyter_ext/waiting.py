"""How far long work is, in a notebook: a line that appears after a second and gives its place to the answer."""

from __future__ import annotations

import contextvars
import threading
import time
from html import escape

from IPython.display import DisplayHandle

PATIENCE = 1.0
PAUSE = 0.2


class Waiting:
    """The place of the next answer.

    Where an answer takes longer than a second, a line says what is being done; the answer then takes its place, so
    that a saved notebook holds no trace of the waiting.
    """

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()
        self._what = ""
        self._done: float | None = None
        self._last = 0.0

    def began(self, what: str) -> None:
        """Some work begins, said in words."""
        self.ended()
        self._what, self._done = what, None
        # The kernel finds the cell that an output belongs to in the context, which a thread does not inherit.
        self._timer = threading.Timer(PATIENCE, contextvars.copy_context().run, (self._show,))
        self._timer.daemon = True
        self._timer.start()

    def advanced(self, done: float) -> None:
        """The work is so far, from 0 to 1."""
        self._done = done
        now = time.monotonic()
        if self._handle is not None and now - self._last > PAUSE:
            self._last = now
            self._show()

    def ended(self) -> DisplayHandle | None:
        """The work is over; what was shown of it, for something else to take its place."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            handle, self._handle = self._handle, None
            return handle

    def _show(self) -> None:
        with self._lock:
            if self._timer is None:
                return
            if self._handle is None:
                self._handle = DisplayHandle()
                self._handle.display(self._bundle(), raw=True)
            else:
                self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        share = "" if self._done is None else f" {100 * self._done:.0f} %"
        value = "" if self._done is None else f' value="{self._done:.3f}"'
        what = escape(self._what)
        bar = f'<progress aria-label="{what}"{value}></progress>'
        return {
            "text/plain": f"… {self._what}{share}; interrupt the kernel to stop",
            "text/html": f'<div role="status">{bar} {what}{share}; interrupt the kernel to stop</div>',
        }
