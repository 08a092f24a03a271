"""Runs the fenced blocks of a page, in order and in one folder, and says where a page shows what does not happen.

| fence | what is done |
|---|---|
| `suture` | must read and resolve |
| `answer` | is what comes of the program before it |
| `refused` | is what the error says of the program before it, which must have one |
| `python` | runs, after the ones before it in the same namespace |
| `console` | each line `$ suture ..` runs, what follows is what it prints; `$ echo $?` shows the exit code |
| `ipython` | is a cell of a notebook, run after the ones before it in one shell; it may fail |
| `output` | is what the `python` or `ipython` before it prints |

A picture below a line `<!-- drawn by: show M after do(X) -->` is what that statement shows after the program before it,
one below `<!-- drawn by python: .. -->` the value of that expression.  Pictures are compared by what is written in
them, not by coordinates, which depend on the version of Graphviz.

On a page that starts with `<!-- one session` programs are read like the cells of a notebook: each knows what those
before it define, and the tables that Python has by name.  Elsewhere each stands for itself.

A line `...` in what is shown stands for any number of lines left out.  A fence with a file's name after its language is
written to the page's folder, in which everything runs; the examples lie there as well.  One marked `slow` may be left
out, together with what it shows: the ordinary tests do so.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import suture
from suture.answers.answer import Answers
from suture.cli import main as command
from suture.dsl.diagnostics import SutureError
from suture.dsl.program import Statement
from suture.dsl.program_files import read_program
from suture.dsl.source import Source
from suture.engine import Session

FENCE = re.compile(r"^```(\w*)(?: +([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"^<!-- drawn by( python)?: (.*?) -->\n!\[[^\]]*\]\(([^)\s]+)\)", re.MULTILINE)
WRITTEN = re.compile(r"<(?:text|title|tspan)[^>]*>([^<]*)<|aria-label=\"([^\"]*)\"")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
SESSION = "<!-- one session"
SHOWN = ("answer", "refused", "output")


@dataclass(frozen=True)
class Block:
    """A fenced block: its place among those of its page, its language, the file it is written to, its text."""

    number: int
    language: str
    file: str | None
    text: str
    slow: bool = False


@dataclass(frozen=True)
class Drawn:
    """A picture of a page: a statement or an expression that draws it, and the file that holds it."""

    code: str
    python: bool
    file: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [part for part in parts(text) if isinstance(part, Block)]


def parts(text: str) -> list[Block | Drawn]:
    """The fenced blocks and the drawn pictures of a page, in order."""
    found: list[tuple[int, Block | Drawn]] = []
    for number, match in enumerate(FENCE.finditer(text), 1):
        slow = match[2] == "slow"
        block = Block(number, match[1], None if slow else match[2], match[3], slow)
        found.append((match.start(), block))
    for match in PICTURE.finditer(FENCE.sub(lambda fence: " " * len(fence[0]), text)):
        found.append((match.start(), Drawn(match[2], bool(match[1]), match[3])))
    return [part for _, part in sorted(found, key=lambda each: each[0])]


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
    session: Session | None = None
    asked: tuple[Statement, ...] = ()
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
            case "ipython":
                self.printed = run_cell(block.text, self.names)
            case "console":
                yield from self._command(block)
            case _:
                pass

    def picture(self, drawn: Drawn) -> str | None:
        """A picture as SVG; None where nothing is drawn."""
        if drawn.python:
            value: Any = eval(drawn.code, self.names)
            return value if isinstance(value, str) else value.svg()
        if self.session is not None:
            (statement,) = self.session.enter(Source(drawn.code))
            (answer,) = self.session.answer(statement)
            return answer.svg()
        return suture.run(f"{self.program}\n{drawn.code}\n", self.folder)[-1].svg()

    def _compare(self, block: Block, whole: str) -> Iterator[str]:
        if not shows(block.text, whole):
            yield f"{self.page}, block {block.number}: this is not what happens, but:\n{whole}"

    def _read(self, block: Block) -> Iterator[str]:
        self.program = block.text
        name = f"{self.page}, block {block.number}"
        try:
            if self.session is None:
                read_program(Source(block.text, name), self.folder)
            else:
                self.session.frames = self.names
                self.asked = self.session.enter(Source(block.text, name))
        except SutureError as error:
            yield error.render()

    def _answer(self, block: Block) -> Iterator[str]:
        try:
            answers = str(self.answers())
        except SutureError as error:
            answers = error.render()
        yield from self._compare(block, answers)

    def answers(self) -> Answers:
        """The answers to the program before; raises `SutureError` where it has errors."""
        if self.session is None:
            return suture.run(self.program, self.folder)
        session = self.session
        return Answers(answer for statement in self.asked for answer in session.answer(statement))

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


def run_cell(text: str, names: dict[str, object]) -> str:
    """What a cell shows as text, and what it prints, errors included; `names` are the variables of its shell."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    if names.get("get_ipython") is None:
        InteractiveShell.clear_instance()
        config = Config()
        config.HistoryManager.enabled = False
        InteractiveShell.instance(config=config, user_ns=names)
    # Doctests leave a `_` among the builtins, and IPython then keeps off that name.
    if hasattr(builtins, "_"):
        delattr(builtins, "_")
    with capture_output() as kept:
        InteractiveShell.instance().run_cell(text, store_history=True)
    shown = [output.data.get("text/plain", "") for output in kept.outputs]
    printed = re.sub(r"^Out\[\d+\]: ", "", ANSI.sub("", kept.stdout), flags=re.MULTILINE)
    return "\n".join([*shown, printed] if printed else shown)


@contextlib.contextmanager
def standard_input(given: bytes) -> Generator[None]:
    """What a command reads from its standard input."""
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


def faults(
    page: str, text: str, examples: Path, slow: bool = True, here: Path | None = None, write: bool = False
) -> Iterator[str]:
    """What does not happen as a page shows it; the page is run in a folder of its own, beside the examples.

    Pictures lie where the page, in the folder `here`, says; with `write` they are drawn anew, else compared.
    """
    with tempfile.TemporaryDirectory(prefix="suture-page-") as name:
        folder = Path(name)
        if examples.is_dir():  # copies: a page may write a file of the same name
            shutil.copytree(examples, folder, dirs_exist_ok=True)
        run = Run(page, folder, session=Session.empty(folder) if SESSION in text[: len(SESSION)] else None)
        every = kept(parts(text), slow)
        for part, after in zip_longest(every, every[1:]):
            if isinstance(part, Drawn):
                yield from picture_faults(run, part, here, write)
            elif part.language == "suture" and isinstance(after, Block) and after.language == "refused":
                run.program = refusal(part, folder)
            else:
                yield from run.faults(part)


def kept(every: list[Block | Drawn], slow: bool) -> list[Block | Drawn]:
    """The parts of a page that are run: without `slow`, slow blocks are left out together with what they show."""
    found: list[Block | Drawn] = []
    left_out = False
    for part in every:
        shown = isinstance(part, Drawn) or part.language in SHOWN
        left_out = (left_out and shown) or (isinstance(part, Block) and part.slow and not slow)
        if not left_out:
            found.append(part)
    return found


def picture_faults(run: Run, drawn: Drawn, here: Path | None, write: bool) -> Iterator[str]:
    """What is wrong with a drawn picture of a page in the folder `here`; with `write` it is drawn anew."""
    try:
        made = run.picture(drawn)
    except Exception as error:
        yield f"{run.page}: {drawn.file} cannot be drawn: {type(error).__name__}: {error}"
        return
    if made is None:
        yield f"{run.page}: nothing is drawn by {drawn.code}"
    elif here is not None:
        file = here / drawn.file
        if write:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made if made.endswith("\n") else made + "\n", encoding="utf-8")
        elif not file.exists() or written(file.read_text(encoding="utf-8")) != written(made):
            yield f"{run.page}: {drawn.file} is not what is drawn now; run `make docs`"


def written(picture: str) -> list[str]:
    """What is written in a picture, in order of the alphabet."""
    return sorted(one or other for one, other in WRITTEN.findall(picture))


def refusal(block: Block, folder: Path) -> str:
    """What the errors of a program say; nothing where it has none."""
    try:
        read_program(Source(block.text, block.file or "program.suture"), folder)
    except SutureError as error:
        return error.render()
    return ""
