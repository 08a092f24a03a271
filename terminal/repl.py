"""`suture repl`: statements typed one after the other, each answered at once.

Definitions stay, and may be written anew; what no longer fits is told (`dsl/cells.py`, as in the notebook).  An error
costs the statement it is in, Ctrl-C what is being typed or computed, and nothing else.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..dsl import tree
from ..dsl.cells import described, introduced
from ..dsl.completion import Completion, complete
from ..dsl.diagnostics import Diagnostic, SutureError, did_you_mean, render
from ..dsl.explanations import codes, explain
from ..dsl.files import read_file
from ..dsl.hover import describe
from ..dsl.parser import parse
from ..dsl.printer import format_program
from ..dsl.program_files import networks_in
from ..dsl.resolve import resolve
from ..dsl.scope import count
from ..dsl.source import Source
from ..engine import Session
from .pictures import Images, images_of_terminal, picture_text
from .program_files import drawn, write_whole
from .progress import Progress
from .reports import FINE, report
from .typing import Typist, history_file

if TYPE_CHECKING:
    from ..answers.answer import Answer
    from ..dsl.drawing.scene import Scene

WIDTH = 80
WELCOME = "suture {version}: statements are answered as you type them; :help, :quit"
HELP = """\
Type a statement: model M { X -> Y ; X <-> Y }, then identify P(Y | do(X)).
An open bracket goes on in the next line; Tab completes; Ctrl-C gives up what is typed or stops what is computed.

  :help [WORD]            this, or what a word or a name means
  :explain CODE           what an error code means
  :list                   what is defined
  :show [MODEL] [FILE]    draw a model, here or into a file (.svg, .png, .tex)
  :picture FILE           write the last answer's picture into a file
  :load FILE              run a program; its definitions stay
  :save FILE              write what is defined and what was asked as a program
  :reset                  forget everything
  :quit                   leave, as Ctrl-D does"""


@dataclass
class Repl:
    """A session at a terminal: what is defined, what was asked, and the picture that was made last."""

    session: Session = field(default_factory=lambda: Session.empty(Path()))
    asked: list[tree.Action] = field(default_factory=list)
    picture: Scene | None = None
    entered: int = 0
    images: Images | None = None

    # -- statements

    def enter(self, source: Source) -> int:
        """Read a text and answer its statements; the exit code that a program like it would have."""
        try:
            statements = self.session.enter(source)
        except SutureError as error:
            sys.stdout.flush()
            return report(error)
        for aside in self.session.cells.news:
            print(f"note: {aside.text}", file=sys.stderr)
        self._tell(source)
        code = FINE
        with Progress() as progress:
            self.session.progress = progress.advanced
            for statement in statements:
                progress.began(f"answering '{source.line(statement.span.line).strip()[:40]}'")
                for answer in progress.through(self.session.answer(statement)):
                    code = max(code, self._show(answer, source))
        return code

    def _tell(self, source: Source) -> None:
        """What a text has defined, in one line; what it asks is kept for `:save`."""
        read = parse(source).statements
        self.asked += [each for each in read if not any(introduced(each)) and not isinstance(each, DEFINITIONS)]
        named = [described(each) for each in read if any(introduced(each))]
        if named:
            print("defined: " + ", ".join(f"{kind} {name}" for kind, name in named))

    def _show(self, answer: Answer, source: Source) -> int:
        from ..answers.report import answer_text
        from .reports import code_of

        # A statement stands alone here: the number of its line says nothing.
        shown = replace(answer, line=None) if source.name.startswith("<") else answer
        print(answer_text(shown, min(WIDTH, max(40, shutil.get_terminal_size().columns))))
        sys.stdout.flush()
        if answer.error is not None:
            print(render(answer.error, source), file=sys.stderr)
            return code_of(answer.error.code)
        scene = answer.picture()
        if scene is not None:
            self.picture = scene
            self._draw(scene, "  :picture FILE writes the picture (.svg, .png, .tex)")
        return FINE

    def _draw(self, scene: Scene, otherwise: str) -> None:
        """A picture in the terminal; where it shows none, how to have it."""
        if self.images is None:
            self.images = images_of_terminal()
        if self.images is Images.NONE:
            print(otherwise)
            return
        from ..dsl.drawing import png

        try:
            sys.stdout.write(picture_text(png(scene, 1.5), self.images))
            sys.stdout.flush()
        except SutureError as error:
            report(error)

    # -- completion

    def complete(self, text: str, place: int) -> Completion:
        """What may stand at a place of a text that is being typed."""
        return complete(text, place, self.session.program, (), self.session.folder)

    # -- commands

    def command(self, line: str) -> bool:
        """Do what a line that starts with `:` says; whether to go on."""
        name, _, rest = line.strip()[1:].partition(" ")
        if name in ("quit", "q", "exit"):
            return False
        known = {**COMMANDS, "h": Repl.help, "": Repl.help}
        if name not in known:
            hint = did_you_mean(name, COMMANDS) or ":help lists them"
            print(f"there is no command ':{name}'; {hint}", file=sys.stderr)
            return True
        try:
            known[name](self, rest.split())
        except SutureError as error:
            sys.stdout.flush()
            report(error)
        return True

    def help(self, words: Sequence[str]) -> None:
        """`:help [WORD]`."""
        if not words:
            print(HELP)
            return
        program = self.session.program
        for text in (words[0], f"identify P({words[0]})", f"show {words[0]}"):
            found = describe(text, text.rindex(words[0]), program)
            if found is not None:
                print(found.text)
                return
        print(f"nothing is known of '{words[0]}'", file=sys.stderr)

    def explain(self, words: Sequence[str]) -> None:
        """`:explain CODE`."""
        code = words[0] if words else ""
        page = explain(code)
        if page is None:
            hint = did_you_mean(code.upper(), codes()) or "write one such as S104"
            print(f"there is no error code {code!r}; {hint}", file=sys.stderr)
        else:
            print(page.rstrip())

    def list(self, words: Sequence[str]) -> None:
        """`:list`."""
        definitions = self.session.cells.definitions
        if not definitions:
            print("nothing is defined")
        aside = {id(each.definition) for each in self.session.cells.aside}
        for definition in definitions:
            kind, name = described(definition)
            print(f"  {kind:<9}{name}{'  (set aside: it no longer fits)' if id(definition) in aside else ''}")

    def show(self, words: Sequence[str]) -> None:
        """`:show [MODEL] [FILE]`."""
        from ..answers.pictures import program_scene

        model = next((word for word in words if word in self.session.program.models), None)
        rest = [word for word in words if word != model]
        if len(rest) > 1 or (rest and "." not in rest[0]):
            known = ", ".join(self.session.program.models) or "none"
            raise SutureError(Diagnostic("S102", f"unknown model '{rest[0]}'", help=f"there is {known}"))
        scene = program_scene(replace(self.session.program, statements=()), model, False)
        self.picture = scene
        if rest:
            self._write(scene, rest[0])
        else:
            self._draw(
                scene, f"this terminal shows no pictures; :show {model or ''} FILE.svg writes one".replace("  ", " ")
            )

    def save_picture(self, words: Sequence[str]) -> None:
        """`:picture FILE`."""
        if self.picture is None:
            print("there is no picture yet: show a model first", file=sys.stderr)
        elif not words:
            print("write the name of a file: :picture FILE.svg", file=sys.stderr)
        else:
            self._write(self.picture, words[0])

    def _write(self, scene: Scene, name: str) -> None:
        path = Path(name).expanduser()
        if write_whole(path, drawn(scene, path)) == FINE:
            print(f"written: {path}")

    def load(self, words: Sequence[str]) -> None:
        """`:load FILE`."""
        if not words:
            print("write the name of a program: :load FILE.suture", file=sys.stderr)
            return
        path = Path(words[0]).expanduser()
        source = read_file(path)
        self.session.folder = path.parent
        self.enter(source)

    def save(self, words: Sequence[str]) -> None:
        """`:save FILE`."""
        if not words:
            print("write the name of a file: :save FILE.suture", file=sys.stderr)
            return
        path = Path(words[0]).expanduser()
        text, left_out = self.program_text()
        if write_whole(path, text.encode()) == FINE:
            more = f"; left out, since it no longer fits: {count(left_out, 'question')}" if left_out else ""
            print(f"written: {path}{more}")

    def program_text(self) -> tuple[str, int]:
        """What is defined and asked as a program that runs, and how many questions no longer fit what is defined."""
        aside = {id(each.definition) for each in self.session.cells.aside}
        kept: list[tree.Statement] = [each for each in self.session.cells.definitions if id(each) not in aside]
        left_out = 0
        for action in self.asked:
            program = tree.Program((*kept, action))
            try:
                resolve(program, Source(""), networks_in(self.session.folder))
            except SutureError:
                left_out += 1
            else:
                kept.append(action)
        return format_program(tree.Program(tuple(kept))), left_out

    def reset(self, words: Sequence[str]) -> None:
        """`:reset`."""
        self.session = Session.empty(self.session.folder)
        self.asked.clear()
        self.picture = None
        print("everything is forgotten")


DEFINITIONS = (tree.Model, tree.Domain, tree.Data, tree.Query)
COMMANDS: dict[str, Callable[[Repl, Sequence[str]], None]] = {
    "help": Repl.help,
    "explain": Repl.explain,
    "list": Repl.list,
    "show": Repl.show,
    "picture": Repl.save_picture,
    "load": Repl.load,
    "save": Repl.save,
    "reset": Repl.reset,
}


def main(version: str, file: str | None = None) -> int:
    """Answer statements until the end of input; `file` is a program that is run first."""
    repl = Repl()
    interactive = sys.stdin.isatty()
    if interactive:
        # A process started in the background of a script ignores Ctrl-C; one that reads from a terminal must not.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print(WELCOME.format(version=version))
    if file is not None:
        _guarded(lambda: repl.command(f":load {file}"))
    if not interactive:
        return _from_pipe(repl)
    with Typist(repl.complete, (*COMMANDS, "quit"), history_file()) as typist:
        while True:
            try:
                text = typist.read()
            except EOFError:
                print()
                return FINE
            except KeyboardInterrupt:
                print()
                continue
            if not _guarded(lambda text=text: one(repl, text)):
                return FINE


def one(repl: Repl, text: str) -> bool:
    """Answer a statement or do what a command says; whether to go on."""
    if text.lstrip().startswith(":"):
        return repl.command(text)
    if text.strip():
        repl.entered += 1
        # Bytes that are no UTF-8 come as halves of surrogates, which can be neither printed nor written.
        plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        repl.enter(Source(plain, f"<{repl.entered}>"))
    return True


def _guarded(act: Callable[[], bool]) -> bool:
    """Do something that Ctrl-C stops; whether to go on."""
    try:
        return act()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    except BrokenPipeError:
        raise
    except Exception as error:
        print(f"error: suture failed on this input ({type(error).__name__}: {error})", file=sys.stderr)
        print("  = help: this is a bug in suture, please report it; the session goes on", file=sys.stderr)
    return True


def _from_pipe(repl: Repl) -> int:
    """Answer what comes from a file or a pipe, statement by statement; the exit code of the worst."""
    from .typing import is_whole

    code, text = FINE, ""
    for line in [*sys.stdin, "\n"]:
        text += line
        if text.lstrip().startswith(":"):
            if not repl.command(text):
                return code
            text = ""
        elif is_whole(text):
            if text.strip():
                repl.entered += 1
                code = max(code, repl.enter(Source(text, f"<{repl.entered}>")))
            text = ""
    if text.strip():
        code = max(code, repl.enter(Source(text, f"<{repl.entered + 1}>")))
    return code
