"""One notebook's session: cells are read, answered and shown, and their models, queries and data stay."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError

from ..answers.answer import Answer, Answers, Status
from ..dsl.cells import described, introduced
from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.program import Assert, Compute, Program, Statement
from ..dsl.scope import Handed
from ..dsl.source import Source
from ..engine import Session, keyword
from ..library import Model
from ..semantics.data.frames import is_table
from .call import Call
from .failures import CellError, Interrupted
from .showing import show, show_note
from .waiting import Waiting


@dataclass
class Notebook:
    """The session of one notebook; `inputs` are the Python names that cells were handed with `-i`."""

    session: Session = field(default_factory=Session.empty)
    inputs: tuple[str, ...] = ()

    def reset(self) -> None:
        """Forget everything that cells have defined."""
        self.session, self.inputs = Session.empty(), ()

    def run(self, source: Source, call: Call, names: Mapping[str, Any]) -> Answers:
        """Read a cell, answer it and show the answers as they come; `names` are those of Python.

        Raises `CellError` where the cell has errors; and once all of it is answered, where an answer is an error or an
        assertion does not hold.  Raises `Interrupted` where it was stopped.
        """
        try:
            self._enter(source, call, names)
        except KeyboardInterrupt:
            raise Interrupted("while the cell was read; nothing of it was taken") from None
        self.session.budget = call.budget
        found: list[Answer] = []
        failures: list[Diagnostic] = []
        for statement, answer in self._answers(call):
            found.append(answer)
            if answer.error is not None:
                failures.append(_of_python(answer.error, names))
            elif isinstance(statement, Assert) and answer.status is not Status.HOLDS:
                failures.append(_not_held(statement, answer))
        if failures:
            raise CellError(failures, source)
        return Answers(found)

    def _enter(self, source: Source, call: Call, names: Mapping[str, Any]) -> None:
        """Read the cell into the session, with what it may use of Python."""
        handed = _handed((*self.inputs, *call.inputs), call.inputs, names)
        self.session.frames, self.session.folder = names, Path.cwd()
        try:
            self.session.enter(source, handed)
        except SutureError as error:
            raise CellError((_of_python(each, names) for each in error.diagnostics), error.source) from None
        self.inputs = tuple(sorted(self.session.cells.handed.names))
        for each in self.session.cells.news:
            show_note(each.text)

    def _answers(self, call: Call) -> Iterator[tuple[Statement, Answer]]:
        """The answers, each shown as soon as it is there; an error is not, since it is told at the end."""
        waiting = Waiting()
        self.session.progress = waiting.advanced
        for statement in self.session.cells.statements:
            what = f"answering line {statement.span.line}: {keyword(statement)}"
            waiting.began(what)
            started = time.monotonic()
            try:
                for answer in self.session.answer(statement):
                    place = waiting.ended()
                    if answer.error is None:
                        show(answer, call.form, place)
                    elif place is not None:
                        show_note(f"{what}: see the error below", place)
                    yield statement, answer
                    if isinstance(statement, Compute):
                        waiting.began(what)
            except KeyboardInterrupt:
                place = waiting.ended()
                if place is not None:
                    show_note(f"{what}: stopped", place)
                stopped = f"after {time.monotonic() - started:.1f} s, {what}; the answers before it stand"
                raise Interrupted(stopped) from None
            finally:
                place = waiting.ended()
                if place is not None:
                    place.update({"text/plain": ""}, raw=True)

    def known(self, text: str) -> Program:
        """What is known of the program while a cell is written, as far as the cell can be read."""
        return self.session.cells.glance(Source(text), Path.cwd())

    def summary(self) -> str:
        """What the cells have defined, a line each."""
        cells = self.session.cells
        lines = [_line(statement) for statement in cells.definitions if any(introduced(statement))]
        lines += [f"{name:<14}handed over from Python" for name in self.inputs]
        return "\n".join(lines) or "nothing is defined yet; `%%suture?` tells how to begin"


def _line(definition: Any) -> str:
    kind, name = described(definition)
    place = definition.span
    return f"{name:<14}{kind}, {place.source.name} line {place.line}" if place.source else f"{name:<14}{kind}"


def _handed(inputs: Iterable[str], new: Iterable[str], names: Mapping[str, Any]) -> Handed:
    """What stands behind the names that cells were handed; raises `UsageError` for a new name that is of no use."""
    models: dict[str, Any] = {}
    frames: set[str] = set()
    for name in inputs:
        value = names.get(name)
        if isinstance(value, Model):
            models[name] = replace(value.resolved, name=name)
        elif is_table(value):
            frames.add(name)
        elif name in new:
            what = f"'{name}' is a {type(value).__name__}" if name in names else f"there is no Python variable '{name}'"
            raise UsageError(f"-i {name}: {what}; a cell takes data frames, dicts of columns and suture.Model objects")
    return Handed(models, frozenset(frames))


def _of_python(problem: Diagnostic, names: Mapping[str, Any]) -> Diagnostic:
    """An unknown data set or model that is a table or a model of Python: the help says how to hand it over."""
    if problem.code not in ("S102", "S106") or problem.span is None or problem.span.source is None:
        return problem
    word = problem.span.source.text[problem.span.start : problem.span.end]
    value = names.get(word)
    if problem.code == "S106" and is_table(value):
        told = f"it is a table of Python: %%suture -i {word}, or define data NAME of MODEL from {word}"
    elif problem.code == "S102" and isinstance(value, Model):
        told = f"it is a model of Python: %%suture -i {word}"
    else:
        return problem
    return replace(problem, help=told)


def _not_held(statement: Assert, answer: Answer) -> Diagnostic:
    """What is said of an assertion that does not hold, which fails the cell."""
    said = "; ".join(answer.notes) or answer.reason
    return Diagnostic("S432", "this assertion does not hold", statement.span, "fails", said)
