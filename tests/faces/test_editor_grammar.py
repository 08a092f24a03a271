"""The TextMate grammar: made from the words of the language, and colouring programs as the notebook does.

`Engine` does what TextMate's does with the patterns that the grammar uses (https://macromates.com/manual/en/language_grammars):
the leftmost match wins, among equals the first rule, and before all the end of the block that is open.  The engine of
Visual Studio Code was seen to give the same on every example and every page.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from suture.dsl.highlighting import Hue, pieces
from suture.dsl.syntax_errors import KEYWORDS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "editors" / "vscode"
GRAMMAR: dict[str, Any] = json.loads((FOLDER / "syntaxes" / "suture.tmLanguage.json").read_text(encoding="utf-8"))
EXAMPLES = sorted((ROOT / "examples").glob("*.suture"))
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
FENCE = re.compile(r"^```suture\n(.*?)^```", re.MULTILINE | re.DOTALL)
HUES = {
    "comment.line": Hue.COMMENT, "string.quoted": Hue.STRING, "constant.numeric": Hue.NUMBER,
    "keyword.control": Hue.KEYWORD, "support.function": Hue.FUNCTION, "entity.name": Hue.DEFINITION,
    "variable.other": Hue.VARIABLE, "constant.other": Hue.VALUE, "keyword.operator": Hue.OPERATOR,
    "punctuation.suture": Hue.PUNCTUATION,
}  # fmt: skip

Rule = Mapping[str, Any]


class Engine:
    """Colours of a text, a scope or None for every character."""

    def __init__(self, grammar: Rule) -> None:
        self.grammar = grammar

    def scopes(self, text: str) -> list[str | None]:
        stack: list[Rule] = [{"patterns": self.grammar["patterns"]}]
        found: list[str | None] = []
        for line in text.split("\n"):
            scopes: list[str | None] = [None] * len(line)
            stack = self.walk(line, stack, scopes, 0, len(line))
            found += [*scopes, None]
        return found

    def rules(self, patterns: Sequence[Rule]) -> Iterator[Rule]:
        """The rules of a list, those that it includes in their place."""
        for rule in patterns:
            if "include" in rule:
                yield from self.rules([self.grammar["repository"][rule["include"].removeprefix("#")]])
            elif "match" in rule or "begin" in rule:
                yield rule
            else:
                yield from self.rules(rule["patterns"])

    def walk(self, line: str, stack: list[Rule], scopes: list[str | None], place: int, stop: int) -> list[Rule]:
        """Colour a line from a place on; the blocks that are open at its end."""
        stack = list(stack)
        for _ in range(10 * len(line) + 100):
            end = stack[-1].get("end")
            match = re.compile(end).search(line, place, stop) if end else None
            chosen: Rule | None = None
            for rule in self.rules(stack[-1]["patterns"]):
                other = re.compile(rule.get("begin") or rule["match"]).search(line, place, stop)
                if other is not None and (match is None or other.start() < match.start()):
                    match, chosen = other, rule
            if match is None:
                return stack
            if chosen is None:
                self.paint(match, stack.pop().get("endCaptures", {}), scopes)
            elif "begin" in chosen:
                self.paint(match, chosen.get("beginCaptures", {}), scopes)
                stack.append(chosen)
            else:
                named = {"0": {"name": chosen["name"]}} if "name" in chosen else {}
                self.paint(match, {**named, **chosen.get("captures", {})}, scopes)
            place = match.end()
        raise AssertionError(f"the grammar goes round in circles on {line!r}")

    def paint(self, match: re.Match[str], captures: Rule, scopes: list[str | None]) -> None:
        for number, capture in captures.items():
            start, end = match.span(int(number))
            if "name" in capture:
                scopes[start:end] = [capture["name"]] * (end - start)
            elif start >= 0:
                self.walk(match.string, [{"patterns": capture["patterns"]}], scopes, start, end)


def differences(text: str) -> list[tuple[int, str, str, set[str | None]]]:
    """The pieces of a text that have another colour in the notebook."""
    scopes = Engine(GRAMMAR).scopes(text)
    found: list[tuple[int, str, str, set[str | None]]] = []
    for piece in pieces(text):
        own = set(scopes[piece.start : piece.start + len(piece.text)])
        hues = {HUES.get(".".join((scope or "").split(".")[:2])) for scope in own}
        if piece.hue is not Hue.SPACE and hues != {piece.hue}:
            found.append((text[: piece.start].count("\n") + 1, piece.text, piece.hue.value, own))
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_coloured_as_in_the_notebook(path: Path) -> None:
    assert differences(path.read_text(encoding="utf-8")) == []


def test_programs_of_the_pages_are_coloured_as_in_the_notebook() -> None:
    programs = [text for page in PAGES for text in FENCE.findall(page.read_text(encoding="utf-8"))]
    assert len(programs) > 50
    assert [found for text in programs for found in differences(text)] == []


def test_every_keyword_has_its_colour() -> None:
    for word in KEYWORDS:
        scopes = Engine(GRAMMAR).scopes(f"{word} 1")
        assert set(scopes[: len(word)]) == {"keyword.control.suture"}, word


def test_half_a_program_is_coloured_without_end() -> None:
    text = EXAMPLES[-1].read_text(encoding="utf-8")
    for end in range(0, len(text), 37):
        Engine(GRAMMAR).scopes(text[:end])
    for hard in ('"', "{{{{", "table table (", "data d {", "data d {\n}", ":", "ate(", "query = = =", "\\", "~{", "=>"):
        Engine(GRAMMAR).scopes(hard)


def test_the_grammar_is_the_one_of_the_language() -> None:
    command = [sys.executable, str(ROOT / "editors" / "build.py"), "--check"]
    assert subprocess.run(command).returncode == 0, "run `python editors/build.py`"


def test_the_extension_names_files_that_are_there() -> None:
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    named = [package["main"], package["contributes"]["grammars"][0]["path"]]
    named.append(package["contributes"]["languages"][0]["configuration"])
    assert all((FOLDER / name).is_file() for name in named)
    assert package["contributes"]["grammars"][0]["scopeName"] == GRAMMAR["scopeName"]
    assert json.loads((FOLDER / "language-configuration.json").read_text())["comments"] == {"lineComment": "#"}
