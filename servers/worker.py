"""Answers computed in a process of their own, which can be stopped at any moment without harm to the server.

The worker reads tasks from its standard input and writes results to its standard output, a line of JSON each.  It
stays between tasks, so that only the first waits for imports; one that is stopped, or that dies, is started anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

# What a process needs besides the arrays of an answer: the interpreter, its packages, the stacks of their threads.
HEADROOM = 4 << 30
# How much longer than its budget a task may take before its worker is stopped: the budget itself refuses earlier.
GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Task:
    """A program to answer, within `seconds` and `bytes`; where `lines` are given, only the statements that start there.

    `folder` is where paths of the program start; `frames` are tables of columns that data sets take by name.
    """

    text: str
    name: str = "<text>"
    folder: str | None = None
    lines: Sequence[int] | None = None
    seconds: float | None = None
    bytes: int | None = None
    frames: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON-ready data."""
        return {
            "text": self.text,
            "name": self.name,
            "folder": self.folder,
            "lines": None if self.lines is None else list(self.lines),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "frames": {name: dict(columns) for name, columns in self.frames.items()},
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a task: answers as JSON and as text; `broken` is a rendered error of the whole program, with its
    diagnostics as JSON in `errors`; `failed` says that the worker did not finish, and why.
    """

    answers: tuple[dict[str, Any], ...] = ()
    texts: tuple[str, ...] = ()
    broken: str | None = None
    errors: tuple[dict[str, Any], ...] = ()
    failed: str | None = None


class Call:
    """One task on its way through a worker; `reason` is why it was stopped, where it was."""

    def __init__(self) -> None:
        self.reason: str | None = None


class Worker:
    """A process that answers programs, one at a time; safe to use from several threads."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._at_work: Call | None = None

    def run(self, task: Task, call: Call | None = None) -> Result:
        """The result of a task, at the latest some seconds after its time is up; `call` lets others stop it."""
        call = call or Call()
        with self._turn:
            with self._guard:
                if call.reason is not None:
                    return Result(failed=call.reason)
                process, self._at_work = self._started(task.bytes), call
            clock = None
            if task.seconds is not None:
                reason = f"stopped: it took longer than {task.seconds:g} seconds"
                clock = threading.Timer(task.seconds + GRACE, self.stop, (call, reason))
                clock.daemon = True
                clock.start()
            try:
                return self._answered(process, task, call)
            finally:
                if clock is not None:
                    clock.cancel()
                with self._guard:
                    self._at_work = None

    def stop(self, call: Call, reason: str = "stopped") -> None:
        """Stop a call, whether it is at work or still waits for its turn; it fails with the reason."""
        with self._guard:
            call.reason = call.reason or reason
            if self._at_work is call and self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process; what is at work fails."""
        with self._guard:
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _started(self, size: int | None) -> subprocess.Popen[bytes]:
        """The running process; a new one where there is none."""
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", __name__, *([] if size is None else [str(size)])]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def _answered(self, process: subprocess.Popen[bytes], task: Task, call: Call) -> Result:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(task.to_dict()).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            process.kill()
            process.wait()
            code = process.returncode
            return Result(failed=call.reason or f"the process that computes ended unexpectedly (code {code})")
        found = json.loads(line)
        return Result(
            tuple(found["answers"]), tuple(found["texts"]), found["broken"], tuple(found["errors"]), found["failed"]
        )


# ---------------------------------------------------------------------------------------------------------------------
# In the process


def answered(task: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a task as JSON-ready data; whatever goes wrong is said in it."""
    from ..dsl.diagnostics import SutureError

    nothing: dict[str, Any] = {"answers": [], "texts": [], "broken": None, "errors": [], "failed": None}
    try:
        return {**nothing, **_run(task)}
    except SutureError as error:
        return {**nothing, "broken": error.render(), "errors": [problem.to_dict() for problem in error.diagnostics]}
    except MemoryError:
        return {**nothing, "failed": "stopped: it needed more memory than it was given"}
    except Exception as error:
        return {**nothing, "failed": f"suture failed on this input, which is a bug: {type(error).__name__}: {error}"}


def _run(task: Mapping[str, Any]) -> dict[str, Any]:
    from ..dsl.source import Source
    from ..engine import Session, read
    from ..semantics.budget import DEFAULT_BUDGET, Budget

    folder = None if task["folder"] is None else Path(task["folder"])
    source = Source(task["text"], task["name"])
    program = read(source, folder)
    size = task["bytes"] or DEFAULT_BUDGET.bytes
    budget = Budget(size, DEFAULT_BUDGET.flops, task["seconds"])
    session = Session(program, folder, task["frames"], budget)
    lines = None if task["lines"] is None else set(task["lines"])
    chosen = [each for each in program.statements if lines is None or each.span.line in lines]
    found = [(answer, _shown(answer, source)) for each in chosen for answer in session.answer(each)]
    return {"answers": [answer.to_dict() for answer, _ in found], "texts": [text for _, text in found]}


def _shown(answer: Any, source: Any) -> str:
    """The answer as the terminal shows it, an error with its place."""
    from ..answers.report import answer_text
    from ..dsl.diagnostics import render

    return answer_text(answer) if answer.error is None else f"{answer_text(answer)}\n{render(answer.error, source)}"


def serve(tasks: IO[bytes], results: IO[bytes]) -> None:
    """Answer tasks until there are no more."""
    for line in tasks:
        results.write(json.dumps(answered(json.loads(line))).encode() + b"\n")
        results.flush()


def limit_memory(size: int) -> None:
    """Let this process have that much memory besides what any needs; where the system cannot say so, as it is."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size + HEADROOM, size + HEADROOM))
    except (ImportError, ValueError, OSError):
        pass


def main() -> None:
    """A worker on standard input and output; what libraries print goes to standard error."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if len(sys.argv) > 1:
        limit_memory(int(sys.argv[1]))
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, results)


if __name__ == "__main__":
    main()
