"""How a cell fails: with a message where the fault is, never a traceback, and so that "run all" stops.

IPython shows what `_render_traceback_` of an exception gives in place of a traceback.
"""

from __future__ import annotations

import os
import re

from ..dsl.diagnostics import SutureError

RED, BLUE, CYAN, BOLD, PLAIN = "\x1b[31m", "\x1b[34m", "\x1b[36m", "\x1b[1m", "\x1b[0m"
HEAD = re.compile(r"^(error\[\w+\])(:.*)$")
PLACE = re.compile(r"^(\s*(?:-->|:::))( .*)$")
MARKS = re.compile(r"^(\s*\|)( *)([\^-]+)(.*)$")
LINE = re.compile(r"^(\s*\d* ?\|)(.*)$")
HELP = re.compile(r"^(\s*=) (help:)(.*)$")


class CellError(SutureError):
    """Errors of a cell, shown at their places."""

    def _render_traceback_(self) -> list[str]:
        return coloured(self.render()).split("\n")


class Interrupted(KeyboardInterrupt):
    """A cell that was stopped, and what it was doing."""

    def _render_traceback_(self) -> list[str]:
        return [f"{_ink(BOLD)}interrupted{_ink(PLAIN)} {self}"]


def coloured(text: str) -> str:
    """Rendered diagnostics in the terminal's colours; as they are where `NO_COLOR` is set.

    >>> coloured("nothing to colour")
    'nothing to colour'
    """
    return "\n".join(map(_coloured_line, text.split("\n")))


def _coloured_line(line: str) -> str:
    plain = _ink(PLAIN)
    if found := HEAD.match(line):
        return f"{_ink(BOLD)}{_ink(RED)}{found[1]}{plain}{_ink(BOLD)}{found[2]}{plain}"
    if found := PLACE.match(line):
        return f"{_ink(BLUE)}{found[1]}{plain}{found[2]}"
    if found := HELP.match(line):
        return f"{_ink(BLUE)}{found[1]}{plain} {_ink(CYAN)}{found[2]}{plain}{found[3]}"
    if found := MARKS.match(line):
        ink = _ink(RED) if found[3].startswith("^") else _ink(BLUE)
        return f"{_ink(BLUE)}{found[1]}{plain}{found[2]}{ink}{found[3]}{found[4]}{plain}"
    if found := LINE.match(line):
        return f"{_ink(BLUE)}{found[1]}{plain}{found[2]}"
    return line


def _ink(code: str) -> str:
    return "" if os.environ.get("NO_COLOR") else code
