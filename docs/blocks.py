"""Runs the fenced blocks of a page, in order and in one folder, and says where a page shows what does not happen.

| fence | what is done |
|---|---|
| `suture` | must read and resolve |
| `answer` | is what comes of the program before it |
| `refused` | is what the error says of the program before it, which must have one |
| `python` | runs, after the ones before it in the same namespace |
| `console` | each line `$ suture ..` runs, what follows is what it prints; `$ echo $?` shows the exit code |
| `output` | is what the `python` before it prints |

A line `...` in what is shown stands for any number of lines left out.  A fence with a file's name after its language is
written to the page's folder, in which everything runs; the examples lie there as well.  One marked `slow` may be left
out, together with what it shows: the ordinary tests do so.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import suture
from suture.cli import main as command
from suture.dsl.diagnostics import SutureError
from suture.dsl.program_files import read_program
from suture.dsl.source import Source

FENCE = re.compile(r"^```(\w*)(?: +([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = ("answer", "refused", "output")


@dataclass(frozen=True)
class Block:
    """A fenced block: its place among those of its page, its language, the file it is written to, its text."""

    number: int
    language: str
    file: str | None
    text: str
    slow: bool = False


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    for number, match in enumerate(FENCE.finditer(text), 1):
        slow = match[2] == "slow"
        found.append(Block(number, match[1], None if slow else match[2], match[3], slow))
    return found


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", text)


def shows(excerpt: str, whole: str) -> bool:
    """Whether `excerpt` is `whole`, each line `...` in it standing for any number of lines."""
    excerpt = excerpt.rstrip("\n") + "\n"
    pieces = [re.escape(piece) for piece in re.split(r"^\.\.\.\n", excerpt, flags=re.MULTILINE)]
    return re.fullmatch(r"(?:.*\n)*?".join(pieces), whole.rstrip("\n") + "\n") is not None


@dataclass
class Run:
    """The blocks of one page as they are run: the last program, what Python printed, the names it made."""

    page: str
    folder: Path
    program: str = ""
    printed: str = ""
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "page"})

    def faults(self, block: Block) -> Iterator[str]:
        """What is wrong with a block, now that those before it have run."""
        if block.file is not None:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        match block.language:
            case "suture":
                yield from self._read(block)
            case "answer":
                yield from self._answer(block)
            case "refused":
                yield from self._compare(block, self.program)
            case "python":
                yield from self._execute(block)
            case "output":
                yield from self._compare(block, self.printed)
            case "console":
                yield from self._command(block)
            case _:
                pass

    def _compare(self, block: Block, whole: str) -> Iterator[str]:
        if not shows(block.text, whole):
            yield f"{self.page}, block {block.number}: this is not what happens, but:\n{whole}"

    def _read(self, block: Block) -> Iterator[str]:
        self.program = block.text
        try:
            read_program(Source(block.text, f"{self.page}, block {block.number}"), self.folder)
        except SutureError as error:
            yield error.render()

    def _answer(self, block: Block) -> Iterator[str]:
        try:
            answers = str(suture.run(self.program, self.folder))
        except SutureError as error:
            answers = error.render()
        yield from self._compare(block, answers)

    def _execute(self, block: Block) -> Iterator[str]:
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output), contextlib.chdir(self.folder):
                exec(compile(block.text, f"{self.page}, block {block.number}", "exec"), self.names)
        except Exception as error:
            yield f"{self.page}, block {block.number}: {type(error).__name__}: {error}"
        self.printed = output.getvalue()

    def _command(self, block: Block) -> Iterator[str]:
        code = 0
        for part in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
            if not part.startswith("$ "):
                continue
            line, _, shown = part.partition("\n")
            if line == "$ echo $?":
                printed = f"{code}\n"
            else:
                code, printed = run_command(line[2:], self.folder)
            if not shows(shown, printed) and (shown.strip() or printed.strip()):
                yield f"{self.page}, block {block.number}: '{line}' prints something else:\n{printed}"


def run_command(line: str, folder: Path) -> tuple[int, str]:
    """The exit code of a `suture` command run in a folder, and what it prints, errors included.

    `< FILE` or `> FILE` at the end of the line stands for the standard input or output, as in a shell.
    """
    words = shlex.split(line)
    target: Path | None = None
    given = b""
    if words[0] != "suture":
        return 127, f"only suture is run here, not {words[0]}\n"
    if len(words) > 2 and words[-2] in ("<", ">"):
        *words, way, name = words
        target = folder / name if way == ">" else None
        given = (folder / name).read_bytes() if way == "<" else b""
    output = io.StringIO()
    errors = output if target is None else io.StringIO()
    with contextlib.ExitStack() as around:
        around.enter_context(contextlib.redirect_stdout(output))
        around.enter_context(contextlib.redirect_stderr(errors))
        around.enter_context(contextlib.chdir(folder))
        around.enter_context(standard_input(given))
        try:
            code = command(words[1:])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    if target is None:
        return code, output.getvalue()
    target.write_text(output.getvalue(), encoding="utf-8")
    return code, errors.getvalue()


@contextlib.contextmanager
def standard_input(given: bytes) -> Iterator[None]:
    """What a command reads from its standard input."""
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


def faults(page: str, text: str, examples: Path, slow: bool = True) -> Iterator[str]:
    """What does not happen as a page shows it; the page is run in a folder of its own, beside the examples."""
    with tempfile.TemporaryDirectory(prefix="suture-page-") as name:
        folder = Path(name)
        if examples.is_dir():
            for entry in examples.iterdir():
                (folder / entry.name).symlink_to(entry)
        run = Run(page, folder)
        parts = [block for block in blocks(text) if slow or not block.slow]
        left_out = {block.number for block in blocks(text)} - {block.number for block in parts}
        parts = [each for each in parts if each.language not in SHOWN or each.number - 1 not in left_out]
        for block, after in zip_longest(parts, parts[1:]):
            if block.language == "suture" and after is not None and after.language == "refused":
                run.program = refusal(block, folder)
                continue
            yield from run.faults(block)


def refusal(block: Block, folder: Path) -> str:
    """What the errors of a program say; nothing where it has none."""
    try:
        read_program(Source(block.text, block.file or "program.suture"), folder)
    except SutureError as error:
        return error.render()
    return ""
