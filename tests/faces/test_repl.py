"""The session at a prompt, typed into through a terminal: a pseudo-terminal, a process, and keys."""

from __future__ import annotations

import base64
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from suture.dsl.drawing import png
from suture.dsl.parser import parse
from suture.dsl.source import Source
from suture.engine import run
from suture.library import Model
from suture.terminal.pictures import Images, images_by_name, picture_text
from suture.terminal.repl import Repl
from suture.terminal.typing import is_whole

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).parent / "suture")
PATIENCE = 90
PROMPT = "suture> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07")
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


class Terminal:
    """A terminal with a session in it: what it shows, and keys for it."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.master, slave = pty.openpty()
        known = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "40", "XDG_STATE_HOME": str(home / "state")}
        known |= {"INPUTRC": os.devnull, "SUTURE_IMAGES": "none", **environment}
        self.process = subprocess.Popen(
            ["setsid", "--ctty", COMMAND, "repl", *arguments],  # so that Ctrl-C comes from this terminal
            stdin=slave, stdout=slave, stderr=slave, cwd=home, env=known,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def until(self, wanted: str) -> str:
        """What is shown up to and with a text, without colours and cursor movements."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in ESCAPES.sub("", self.seen):
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} was not shown after {self.seen[-1000:]!r}"
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.seen += os.read(self.master, 1 << 16).decode("utf-8", "replace")
                except OSError:
                    break
        shown = ESCAPES.sub("", self.seen)
        assert wanted in shown, shown[-1000:]
        end = shown.index(wanted) + len(wanted)
        self.seen = shown[end:]
        return shown[:end].replace("\r\n", "\n")

    def say(self, line: str) -> str:
        """Type a line; what is shown until the next prompt."""
        self.type(f"{line}\n")
        self.until("\r\n")
        return self.until(PROMPT).removesuffix(PROMPT)

    def leave(self) -> int:
        self.type(CTRL_D)
        return self.process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def terminal(home: Path) -> Iterator[Terminal]:
    running = Terminal(home)
    welcome = running.until(PROMPT)
    assert welcome.startswith("suture 0.1.0: statements are answered as you type them")
    yield running
    assert running.leave() == 0


def test_a_block_ends_when_its_braces_close(terminal: Terminal) -> None:
    terminal.type("model Front {\n")
    terminal.until("   ...> ")
    terminal.type("  X -> M -> Y\n")
    terminal.until("   ...> ")
    assert terminal.say("  X <-> Y }") == "defined: model Front\n"


def test_an_answer_fits_the_terminal(terminal: Terminal) -> None:
    shown = terminal.say("identify P(Y | do(X))")
    assert "sum{m} P(M=m | X) sum{x} P(X=x) P(Y | X=x, M=m)" in shown
    assert "identified, by comb disintegration" in shown
    assert "20 random models" in shown
    assert all(len(line) <= 80 for line in shown.split("\n"))


def test_an_error_points_at_its_place_and_the_session_goes_on(terminal: Terminal) -> None:
    shown = terminal.say("identify P(Yy | do(X))")
    assert "error[S104]: unknown variable 'Yy' in model Front" in shown
    assert "            ^^ not declared" in shown
    assert "= help: did you mean 'Y'?" in shown
    assert "fails" in terminal.say("independent X, Y").lower()


def test_a_model_is_written_anew_and_what_no_longer_fits_is_told(terminal: Terminal) -> None:
    assert terminal.say("query q = P(M | do(X))") == "defined: query q\n"
    shown = terminal.say("model Front { X -> Y }")
    assert "query 'q' of <" in shown
    assert "no longer fits and is set aside: unknown variable 'M'" in shown
    assert "set aside" in terminal.say(":list")
    terminal.say("model Front { X -> M -> Y ; X <-> Y }")
    assert "set aside" not in terminal.say(":list")
    assert "P(M | X)" in terminal.say("identify q")


def test_tab_completes(terminal: Terminal) -> None:
    terminal.say("model Long { Smoking, Tarred : {never, always} ; Smoking -> Tarred }")
    terminal.type("identify P(Tar" + TAB)
    terminal.until("Tarred")
    terminal.type(" = al" + TAB)
    terminal.until("always")
    terminal.type(" | do(Smo" + TAB)
    terminal.until("Smoking")
    terminal.type(")) in Lo" + TAB)
    terminal.until("Long")
    terminal.type("\n")
    assert "P(Tarred = always | do(Smoking))" in terminal.until(PROMPT)
    terminal.type(":expl" + TAB)
    terminal.until("explain ")
    terminal.type("S104\n")
    assert "S104: unknown variable" in terminal.until(PROMPT)


def test_ctrl_c_gives_up_what_is_typed(terminal: Terminal) -> None:
    terminal.type("model Never {\n")
    terminal.until("   ...> ")
    terminal.type(CTRL_C)
    terminal.until(PROMPT)
    assert "Never" not in terminal.say(":list")


def test_ctrl_c_stops_what_is_computed_and_nothing_else(terminal: Terminal) -> None:
    """The closed form of a chain of sixteen variables has too many terms to wait for."""
    rows = "{{ 0 => 1 - a{0}, a{0} ; 1 => 1 - b{0}, b{0} }}"
    links = " ; ".join(f"C{n} : {{0, 1}} ~ table (C{n - 1}) {rows.format(n)}" for n in range(1, 16))
    for line in f"model Deep {{ C0 : {{0, 1}} ~ Bernoulli(p) ; {links}".replace(" ; ", " ;\n").split("\n"):
        terminal.type(f"{line}\n")
        terminal.until("...> ")
    assert terminal.say("}") == "defined: model Deep\n"
    terminal.type("compute P(C15 = 1) in Deep\n")
    terminal.until("Ctrl-C stops")  # shown once it takes longer than a second
    terminal.type(CTRL_C)
    assert "interrupted" in terminal.until(PROMPT)
    assert "1 - p" in terminal.say("compute P(C0 = 0) in Deep") or "p" in terminal.say("compute P(C0 = 1) in Deep")


def test_what_was_said_is_saved_as_a_program_that_runs(terminal: Terminal, home: Path) -> None:
    terminal.say(":reset")
    assert "nothing is defined" in terminal.say(":list")
    terminal.say("model Old { X -> Y }")
    terminal.say("identify P(Y | do(X)) in Old")
    terminal.say("model M { A, B : {0, 1} ; A -> B }")
    terminal.say("independent A, B in M")
    terminal.say("model Old { X -> Z }")
    assert terminal.say(":save said.suture") == "written: said.suture; left out, since it no longer fits: 1 question\n"
    text = (home / "said.suture").read_text()
    wanted = "model M { A, B : {0, 1} ; A -> B }\nmodel Old { X -> Z }\nindependent A, B in M\n"
    assert parse(Source(text)) == parse(Source(wanted))
    assert [answer.statement for answer in run(text)] == ["independent"]
    assert "defined: model M, model Old" in terminal.say(":load said.suture")
    assert "error[S001]: none.suture does not exist" in terminal.say(":load none.suture")


def test_pictures_go_to_files(terminal: Terminal, home: Path) -> None:
    terminal.say("model M { A -> B }")
    assert ":picture FILE writes the picture" in terminal.say("show M after do(A)")
    assert terminal.say(":picture cut.svg") == "written: cut.svg\n"
    assert (home / "cut.svg").read_text().lstrip().startswith("<svg")
    assert terminal.say(":show M m.png") == "written: m.png\n"
    assert (home / "m.png").read_bytes().startswith(b"\x89PNG")
    assert "pictures are written as .svg, .png or .tex" in terminal.say(":picture cut.gif")
    assert "unknown model 'N'" in terminal.say(":show N")


def test_commands_help(terminal: Terminal) -> None:
    assert ":load FILE" in terminal.say(":help")
    assert "observed variable of M" in terminal.say(":help A")
    assert "the query as a formula" in terminal.say(":help identify")
    assert "there is no command ':lst'; did you mean 'list'?" in terminal.say(":lst")
    assert terminal.say("") == ""
    assert terminal.say("# only a comment") == ""


def test_what_was_typed_is_there_the_next_time(home: Path) -> None:
    first = Terminal(home)
    first.until(PROMPT)
    first.say("model Remembered { X -> Y }")
    assert first.leave() == 0
    second = Terminal(home)
    second.until(PROMPT)
    second.type(UP)
    second.until("model Remembered { X -> Y }")
    second.type("\n")
    second.until("defined: model Remembered")
    second.until(PROMPT)
    second.type(":quit\n")
    assert second.process.wait(timeout=PATIENCE) == 0
    history = home / "state" / "suture" / "history"
    assert "model Remembered { X -> Y }" in history.read_text()
    assert history.parent.stat().st_mode & 0o077 == 0


# ---------------------------------------------------------------------------------------------------------------------
# Pictures in the terminal


def shown_in(home: Path, **environment: str) -> bytes:
    """What a terminal is sent for a picture."""
    terminal = Terminal(home, **environment)
    terminal.until(PROMPT)
    terminal.say("model M { X -> Y }")
    terminal.type("show M\n")
    sent, deadline = b"", time.monotonic() + PATIENCE
    while not sent.rstrip().endswith(b"suture>") and time.monotonic() < deadline:
        if select.select([terminal.master], [], [], 1)[0]:
            sent += os.read(terminal.master, 1 << 16)
            if b"\x1b[c" in sent:
                sent = sent.replace(b"\x1b[c", b"")
                terminal.type("\x1b[?62;4;22c")  # a VT220 with sixels and colours
    terminal.leave()
    return sent


PICTURE = png(Model("model M { X -> Y }").show().scene, 1.5)


def test_kitty_is_sent_the_png(home: Path) -> None:
    sent = shown_in(home, TERM="xterm-kitty", SUTURE_IMAGES="")
    pieces = re.findall(rb"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", sent)
    assert pieces[0][0] == b"a=T,f=100,m=1" if len(pieces) > 1 else b"a=T,f=100,m=0"
    assert [keys for keys, _ in pieces[1:]] == [b"m=1"] * (len(pieces) - 2) + [b"m=0"] * (len(pieces) > 1)
    assert all(len(piece) <= 4096 for _, piece in pieces)
    assert base64.b64decode(b"".join(piece for _, piece in pieces)) == PICTURE


def test_a_terminal_that_says_it_has_sixels_is_sent_sixels(home: Path) -> None:
    sent = shown_in(home, SUTURE_IMAGES="")
    (found,) = re.findall(r"\x1bP.*?\x1b\\", sent.decode(), re.DOTALL)
    assert unsixeled(found).shape == pixels(PICTURE).shape


def test_iterm_is_sent_the_png() -> None:
    text = picture_text(PICTURE, Images.ITERM)
    found = re.fullmatch(r"\x1b\]1337;File=inline=1;size=(\d+);preserveAspectRatio=1:([A-Za-z0-9+/=]*)\x07\n", text)
    assert found is not None
    assert base64.b64decode(found[2]) == PICTURE
    assert int(found[1]) == len(PICTURE)


def pixels(picture: bytes) -> np.ndarray:
    """The pixels of a PNG as another library reads them: `height width 3`, from 0 to 255."""
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=int)


def unsixeled(text: str) -> np.ndarray:
    """The pixels of a sixel picture, drawn as a terminal would: `height width 3`, from 0 to 100."""
    body = text.removeprefix("\x1bP0;1q").removesuffix("\x1b\\")
    width, height = (int(number) for number in re.findall(r"\d+", body)[2:4])
    drawn, colours = np.full((height, width, 3), -1), dict[int, list[int]]()
    colour, column, top, repeat = 0, 0, 0, 1
    tokens = re.findall(r'"[\d;]+|#(\d+)(?:;2;([\d;]+))?|!(\d+)|([?-~])|([$-])', body)
    for number, share, count, mark, move in tokens:
        if number and share:
            colours[int(number)] = [int(part) for part in share.split(";")]
        elif number:
            colour = int(number)
        elif count:
            repeat = int(count)
        elif mark:
            for bit in range(6):
                if (ord(mark) - 63) >> bit & 1:
                    drawn[top + bit, column : column + repeat] = colours[colour]
            column, repeat = column + repeat, 1
        elif move:
            column, top = 0, top + 6 * (move == "-")
    return drawn


def test_sixels_have_the_colours_of_the_png() -> None:
    found = unsixeled(picture_text(PICTURE, Images.SIXEL).removesuffix("\n"))
    wanted = pixels(PICTURE) / 255 * 100
    assert found.min() >= 0  # every pixel is drawn
    assert np.abs(found - wanted).max() <= 10.5  # six levels: half a step, and a rounding


@pytest.mark.parametrize(
    ("environment", "images"),
    [
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Images.ITERM),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Images.KITTY),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, Images.KITTY),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, Images.NONE),
        ({"TERM": "tmux-256color", "SUTURE_IMAGES": "sixel"}, Images.SIXEL),
        ({}, Images.NONE),
        ({"TERM": "foot"}, None),
    ],
)
def test_terminals_are_known_by_their_environment(environment: dict[str, str], images: Images | None) -> None:
    assert images_by_name(environment) is images


# ---------------------------------------------------------------------------------------------------------------------
# Without a terminal


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("model M {", False),
        ("model M { # }", False),
        ('data d of M from "a{b"', True),
        ("query q = P(X) -", False),
        ("query q = P(X) and", False),
        ("}", True),
        ("", True),
    ],
)
def test_when_a_statement_is_whole(text: str, whole: bool) -> None:
    assert is_whole(text) is whole


def piped(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "repl", *arguments], input=text, capture_output=True, text=True, cwd=ROOT)


def test_a_pipe_is_answered_without_prompts() -> None:
    done = piped("model M {\n  X -> Y\n}\nindependent X, Y\nassert identify P(Y | do(X))\n:list\n")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("defined: model M\nindependent in M\n")
    assert PROMPT not in done.stdout
    assert done.stdout.endswith("model    M\n")


def test_errors_in_a_pipe_cost_the_exit_code() -> None:
    done = piped("model M { X -> Y }\ncompute P(Q)\nindependent X, Y\nmodel N {")
    assert done.returncode == 2
    assert done.stderr.count("error[") == 2
    assert "FAILS" in done.stdout


def test_a_program_is_run_first() -> None:
    done = piped("estimate effect from survey\n", "examples/smoking.suture")
    assert done.returncode == 0
    assert done.stdout.count("0.542297") == 2


def test_a_session_keeps_what_a_fit_or_form_has_made() -> None:
    repl = Repl(images=Images.NONE)
    text = "model L { latent Z : real := noise ; X : real := Z }\ndomain a of L {}\ndomain b of L { Z := 2*noise }\n"
    assert repl.enter(Source(text, "<1>")) == 0
    assert repl.enter(Source("canonicalise L over {a, b} as N", "<2>")) == 0
    assert repl.enter(Source("counterfactual X = 1 in N from a to b", "<3>")) == 0
