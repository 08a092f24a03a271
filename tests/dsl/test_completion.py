"""Completion and descriptions: every word of the example programs is offered at its place, and nothing out of place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from suture.dsl.completion import Completion, Kind, complete
from suture.dsl.constants import FUNCTIONS
from suture.dsl.cursor import tokens
from suture.dsl.effects import EFFECTS
from suture.dsl.hover import describe
from suture.dsl.methods import DESIGNS, LOSSES, METHODS
from suture.dsl.program import Program
from suture.dsl.program_files import read_program
from suture.dsl.resolve_mechanisms import FAMILIES
from suture.dsl.source import Source
from suture.dsl.syntax_errors import CLAUSES, SOFT, STATEMENTS
from suture.dsl.vocabulary import WORDS, WordKind

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.suture"))
# What stands behind these words is new: a name, or the column of a file.
NEW = re.compile(r'(?:\b(?:model|domain|data|query|as)\s+|"\s*weight\s+|:\s*\{[^{}~]*)$')

PROGRAM = """model Smoking {
  latent Gene : {0, 1, "very high"}
  Smoke : {no, yes} ~ table (Gene) { 0 => 0.5, 0.5 ; _ => 0.2, 0.8 }
  Tar, Cancer : {no, yes}
  Smoke -> Tar -> Cancer
  Gene -> Cancer
  Tar <-> Cancer
  mutable Tar
}
model Other { A -> B }
domain rural of Smoking { Tar ~ any }
data survey of Smoking weight n { Smoke, Tar, Cancer, n ; no, no, no, 5 }
query effect = P(Cancer = yes | do(Smoke = yes))
"""


@pytest.fixture(scope="module")
def known() -> Program:
    return read_program(Source(PROGRAM))


def offered(text: str, known: Program) -> list[str]:
    """What is offered at the end of a text that follows the program."""
    whole = PROGRAM + text
    return [each.text for each in complete(whole, len(whole), known, {"frame"}).suggestions]


def words_of(found: Completion) -> set[str]:
    """The first word of each suggestion, without quotes and brackets."""
    return {re.split(r"[ (=]", each.text.strip('"'))[0] for each in found.suggestions}


@pytest.mark.parametrize("finished", [True, False], ids=["in a whole program", "at the end of the text"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_word_of_an_example_is_offered_at_its_place(path: Path, finished: bool) -> None:
    text = path.read_text(encoding="utf-8")
    known = read_program(Source(text), path.parent)
    missed: list[str] = []
    for token in tokens(text):
        before = text[: token.start]
        # A column of weights is read off the rows, which are not there yet at the end of the text.
        new = NEW.search(before) or (not finished and before.endswith("weight "))
        if token.kind == "word" and token.text != "_" and not new:
            found = complete(text if finished else before, token.start, known)
            if token.text not in words_of(found):
                missed.append(before.rpartition("\n")[2] + "<" + token.text)
    assert missed == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("identify P(", ["Smoke", "Tar", "Cancer", "Gene", "A", "B"]),
        ("identify P(Ca", ["Cancer"]),
        ("identify P(ca", ["Cancer"]),
        ("identify P(Cancer = ", ["no", "yes"]),
        ("identify P(Cancer | do(Smoke = ", ["no", "yes"]),
        ("compute P(Gene = ", ["0", "1", '"very high"']),
        ("compute P(Cancer[Smoke = yes] = ", ["no", "yes"]),
        ("compute P(Cancer[Tar ~ ", ["rural"]),
        ("compute P(Cancer | domain = ", ["rural"]),
        ("identify effect in ", ["Smoking", "Other"]),
        ("identify P(A) in Other from P(A) in ", ["rural"]),
        ("identify P(A | do(B)) by back", ["backdoor"]),
        ("estimate effect in Smoking from ", ["survey", "frame"]),
        ("estimate effect in Other from ", ["frame"]),
        ("data other of Smoking from ", ["frame"]),
        ("show Smoking after ", ["do("]),
        ("show Smoking after do(", ["Smoke", "Tar", "Cancer", "Gene"]),
        ("adjust Smoke -> C", ["Cancer"]),
        ("search predictor of Cancer from {Tar, ", ["Smoke", "Cancer", "Gene", "A", "B"]),
        ("search predictor of Cancer from {Tar} in Smoking minimax ", list(LOSSES)),
        ("fit Smoking from survey design ", list(DESIGNS)),
        ("canonicalise Smoking over {", ["rural"]),
        ("counterfactual Smoke = yes in Smoking from ", ["rural"]),
        ("compute ate(Smoke: ", ["no", "yes"]),
        ("domain d of Smoking { Smoke ~ table (Gene) { 0 => 1, 0 ; ", ["0", "1", '"very high"']),
        ("data d of Smoking { Smoke, Tar\n  no, ", ["no", "yes"]),
        ("data d of Smoking { Smoke, Tar, ", ["Cancer"]),
        ("model N {\n  First : {a}\n  Second -> F", ["First"]),
        ("model N {\n  X : ", ["real"]),
        ("identify effect ", ["in", "from", "by", "as"]),
        ("# identify P(", []),
        ("query new", []),
        ('data d of Smoking from "', []),
    ],
)
def test_what_is_offered(text: str, expected: list[str], known: Program) -> None:
    found = offered(text, known)
    assert sorted(found) == sorted(expected)


def test_a_suggestion_replaces_the_word_it_completes(known: Program) -> None:
    text = PROGRAM + "identify P(Cancer | do(Smo))"
    found = complete(text, len(text) - 2, known)
    assert text[found.start : found.end] == "Smo"
    assert [(each.text, each.kind, each.detail) for each in found.suggestions] == [
        ("Smoke", Kind.VARIABLE, "observed of Smoking: {no, yes}")
    ]


def test_files_of_the_folder_are_offered(known: Program, tmp_path: Path) -> None:
    for name in ("smoking.csv", "asia.bif", "notes.txt"):
        (tmp_path / name).write_text("")
    for text, expected in (('data d of Smoking from "s', ["smoking.csv"]), ('model Asia from "', ["asia.bif"])):
        whole = PROGRAM + text
        assert [each.text for each in complete(whole, len(whole), known, (), tmp_path).suggestions] == expected


def test_any_text_and_any_place_can_be_asked(known: Program) -> None:
    broken = "model M { X -> \nidentify P(Y | do(X = \n}} data (( query = \x00 \"x ' λ # \n assert"
    for place in range(len(broken) + 1):
        complete(broken, place, known)
        describe(broken, place, known)
    for place in range(len(PROGRAM)):
        complete(PROGRAM[:place], place, known)
        describe(PROGRAM, place, known)


def test_the_vocabulary_is_the_language_s() -> None:
    assert {name for name, word in WORDS.items() if word.kind is WordKind.STATEMENT} == set(STATEMENTS)
    reserved = set(STATEMENTS) | set(CLAUSES) | SOFT
    assert reserved <= WORDS.keys()
    for kind, own in (
        (WordKind.EFFECT, EFFECTS),
        (WordKind.METHOD, METHODS),
        (WordKind.LOSS, LOSSES),
        (WordKind.DESIGN, DESIGNS),
        (WordKind.FAMILY, FAMILIES),
        (WordKind.FUNCTION, FUNCTIONS),
    ):
        assert {name for name, word in WORDS.items() if word.kind is kind} == set(own)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (
            "Gene)",
            'Gene: latent variable of Smoking\n  values   {0, 1, "very high"}\n  causes   none\n'
            "  effects  Smoke, Cancer",
        ),
        (
            "Tar ~ any",
            "Tar: observed, mutable variable of Smoking\n  values                    {no, yes}\n"
            "  causes                    Smoke\n  effects                   Cancer\n  hidden common cause with  Cancer",
        ),
        (
            "Smoke :",
            "Smoke: observed variable of Smoking\n  values   {no, yes}\n  causes   Gene\n  effects  Tar\n"
            "    Smoke ~ table (Gene) {\n      0 => 0.5, 0.5\n      _ => 0.2, 0.8\n    }",
        ),
        ("yes))", "yes: value of Smoke in Smoking\n  values  {no, yes}"),
        ("effect", "effect: query about Smoking\n  asks  P(Cancer = yes | do(Smoke = yes))"),
        (
            "survey",
            "survey: data of Smoking\n  from    1 row in the program, columns Smoke, Tar, Cancer, n\n  weight  n",
        ),
        ("rural", "rural: domain of Smoking\n  differs in  Tar\n    Tar ~ any"),
        (
            "Other",
            "Other: model\n  observed    A, B\n  mechanisms  0 of 2",
        ),
        (
            "query",
            "query: statement\n  form     query q = P(Y | do(X))\n  meaning  a question with a name, to be asked later",
        ),
    ],
)
def test_what_is_said_of_a_word(place: str, expected: str, known: Program) -> None:
    found = describe(PROGRAM, PROGRAM.index(place) + 1, known)
    assert found is not None
    assert found.text == expected
    assert PROGRAM[found.start : found.end] == re.match(r"\w+", place)[0]


def test_a_description_for_editors_is_markdown(known: Program) -> None:
    found = describe(PROGRAM, PROGRAM.index("rural") + 1, known)
    assert found is not None
    assert found.markdown == "**rural: domain of Smoking**\n\n- differs in: Tar\n\n```suture\nTar ~ any\n```"
