"""Completion inside the cells, through IPython's matchers: what the language offers, and nothing of Python.

The same matcher serves a terminal and every front end of a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from ..dsl.completion import complete
from ..library import Model
from ..semantics.data.frames import is_table
from .call import FORMATS
from .cell_text import Part, part_of
from .notebook import Notebook

OPTIONS = ("-o", "-i", "--format", "--time", "--memory", "--reset")


class Matcher:
    """Offers what may stand at the cursor of a suture cell."""

    def __init__(self, shell: InteractiveShell, notebook: Callable[[], Notebook]) -> None:
        self._shell = shell
        self._notebook = notebook

    def result(self, context: CompletionContext) -> SimpleMatcherResult:
        """The completions of a place in a cell; none where it is Python."""
        lines = context.full_text.split("\n")
        place = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        part = part_of(context.full_text, place)
        if part is None:
            return SimpleMatcherResult(completions=[])
        if part.options is not None:
            return _result(*self._options(part.options))
        return _result(*self._offered(part, place))

    def _offered(self, part: Part, place: int) -> tuple[str, list[tuple[str, str]]]:
        """What was typed of the word, and the suggestions with their kinds."""
        notebook = self._notebook()
        known = notebook.known(part.text)
        found = complete(part.text, place, known, self._tables(), Path.cwd())
        return part.text[found.start : place], [(each.text, each.kind.value) for each in found.suggestions]

    def _options(self, written: str) -> tuple[str, list[tuple[str, str]]]:
        """The options of a call, and what may follow one."""
        *before, typed = ["", *written.split(" ")] if written else ["", ""]
        last = next((word for word in reversed(before) if word.startswith("-")), "")
        if last == "--format" and before[-1] == last:
            offered = list(FORMATS)
        elif last in ("-i", "--input"):
            offered = [*self._tables(), *self._models()]
        else:
            offered = list(OPTIONS)
        return typed, [(each, "keyword") for each in offered if each.startswith(typed)]

    def _tables(self) -> list[str]:
        return self._of_python(is_table)

    def _models(self) -> list[str]:
        return self._of_python(lambda value: isinstance(value, Model))

    def _of_python(self, wanted: Callable[[Any], bool]) -> list[str]:
        """The user's own names of Python whose values are of use."""
        hidden = self._shell.user_ns_hidden
        own = {name: value for name, value in self._shell.user_ns.items() if not name.startswith("_")}
        return sorted(name for name, value in own.items() if hidden.get(name) is not value and wanted(value))


def _result(typed: str, offered: list[tuple[str, str]]) -> SimpleMatcherResult:
    """Suggestions as IPython takes them; those of Python are kept out.

    Where nothing fits what was typed, that itself is offered: a matcher that offers nothing cannot keep Python out.
    """
    chosen = offered or ([(typed, "text")] if typed else [])
    return SimpleMatcherResult(
        completions=[SimpleCompletion(text, type=kind) for text, kind in chosen],
        matched_fragment=typed,
        suppress=True,
        ordered=True,
    )


def add(shell: InteractiveShell, notebook: Callable[[], Notebook]) -> Any:
    """Add the matcher to a shell; gives it back for `remove`."""
    matcher = Matcher(shell, notebook)

    def suture_matcher(context: CompletionContext) -> SimpleMatcherResult:
        return matcher.result(context)

    made: Any = context_matcher(priority=200, identifier="suture_matcher")(suture_matcher)
    shell.Completer.custom_matchers.append(made)
    return made


def remove(shell: InteractiveShell, matcher: Any) -> None:
    """Take a matcher away."""
    found = shell.Completer.custom_matchers
    shell.Completer.custom_matchers = [each for each in found if each is not matcher]
