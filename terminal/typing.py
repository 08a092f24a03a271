"""Typing at a prompt: lines until a statement is whole, completion by Tab, and a history that outlives the session.

The standard library's readline does it all, so nothing has to be installed; where Python was built without it, lines
are read as they come.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from ..dsl.completion import Completion
from ..dsl.recovery import OPEN_ENDED

PROMPT = "suture> "
GOES_ON = "   ...> "
LONGEST_HISTORY = 5_000
# What separates the word that readline would complete from what stands before it.
DELIMITERS = ' \t\n()[]{},;:=<>|~+-*/^"'
BRACKETS = re.compile(r'"[^"\n]*"|#[^\n]*|[(){}\[\]]')

Complete = Callable[[str, int], Completion]


def history_file() -> Path:
    """Where what was typed is kept: below the user's state folder (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME") or ""
    base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return base / "suture" / "history"


def is_whole(text: str) -> bool:
    """Whether a text is to be read as it is: no bracket is open, and no operator waits for what follows.

    >>> is_whole("model M {"), is_whole("model M { X -> Y }"), is_whole("compute P(X) +"), is_whole("show M }")
    (False, True, False, True)
    """
    depth = 0
    for match in BRACKETS.finditer(text):
        mark = match.group()
        depth += (mark in "({[") - (mark in ")}]")
        if depth < 0:
            return True
    line = text.rstrip().rsplit("\n", 1)[-1]
    return depth == 0 and not OPEN_ENDED.search(line)


class Typist:
    """Reads statements from a terminal; `complete` says what may stand at a place of the text typed so far."""

    def __init__(self, complete: Complete, commands: Sequence[str], path: Path | None = None) -> None:
        self.complete = complete
        self.commands = commands
        self.path = path
        self.before = ""
        self._offered: list[str] = []
        self._readline = _readline()

    def __enter__(self) -> Typist:
        library = self._readline
        if library is not None:
            library.set_completer(self._offer)
            library.set_completer_delims(DELIMITERS)
            editline = "libedit" in (library.__doc__ or "")
            library.parse_and_bind("bind ^I rl_complete" if editline else "tab: complete")
            library.set_history_length(LONGEST_HISTORY)
            if self.path is not None:
                with suppress(OSError):
                    library.read_history_file(str(self.path))
        return self

    def __exit__(self, *_: object) -> None:
        if self._readline is not None:
            self._readline.set_completer(None)

    def read(self) -> str:
        """The next statement or command.  Raises `EOFError` at the end, `KeyboardInterrupt` where it is given up."""
        self.before = ""
        text = input(PROMPT)
        while not text.lstrip().startswith(":") and not is_whole(text):
            self.before = text + "\n"
            text = self.before + input(GOES_ON)
        self.before = ""
        self._keep()
        return text

    def _keep(self) -> None:
        """Write the history, so that it is there even after a crash; where that cannot be, it lives for the session."""
        if self._readline is None or self.path is None:
            return
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._readline.write_history_file(str(self.path))

    def _offer(self, word: str, number: int) -> str | None:
        """The suggestion of that number for a word; None after the last."""
        if number == 0:
            try:
                self._offered = self._suggestions(word)
            except Exception:
                # An error here would vanish inside readline: no suggestion is all that it may cost.
                self._offered = []
        return self._offered[number] if number < len(self._offered) else None

    def _suggestions(self, word: str) -> list[str]:
        assert self._readline is not None
        line = self._readline.get_line_buffer()
        if not self.before and line.lstrip().startswith(":"):
            first = line.lstrip()[1:].split()
            typing = len(first) <= 1 and not line.endswith(" ")
            return [f"{name} " for name in self.commands if typing and name.startswith(word)]
        place = len(self.before) + self._readline.get_endidx()
        found = self.complete(self.before + line, place)
        begun = (self.before + line)[found.start : place]
        kept = begun[: len(begun) - len(word)] if begun.endswith(word) else ""
        return [each.text.removeprefix(kept) for each in found.suggestions if each.text.startswith(kept)]


def _readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:
        return None
    return readline
