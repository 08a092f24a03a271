"""The language server as an editor meets it: a process, its pipes, and nothing else."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from faces.editor import URI, Editor, edited, place

import suture
from suture.dsl.explanations import explain

ROOT = Path(__file__).resolve().parents[2]
SMOKING = (ROOT / "examples" / "smoking.suture").read_text(encoding="utf-8")
SLIPS = SMOKING.replace("P(Cancer = yes | do", "P(Cancr = yes | do")
PROGRAM = """model Bow {
  latent U
  X, Y : {no, yes}
  U -> {X, Y}
  X -> Y
}
model Other { X -> Z }
query effect = P(Y = yes | do(X = yes))
identify effect in Bow
independent X, Z in Other
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def editor(cache: Path) -> Iterator[Editor]:
    running = Editor(environment={**os.environ, "XDG_CACHE_HOME": str(cache)})
    yield running
    assert running.quit() == 0


def lines_of(locations: list[dict[str, Any]]) -> list[tuple[int, int]]:
    starts = [location["range"]["start"] for location in locations]
    return [(start["line"], start["character"]) for start in starts]


def test_it_says_what_it_can(editor: Editor) -> None:
    found = editor.initialized["capabilities"]
    assert found["textDocumentSync"]["change"] == 2  # incremental
    for feature in ("definition", "references", "rename", "documentFormatting", "documentSymbol", "codeAction"):
        assert found[f"{feature}Provider"], feature
    assert editor.initialized["serverInfo"] == {"name": "suture", "version": suture.__version__}


def test_a_good_program_has_no_errors(editor: Editor) -> None:
    assert editor.open(SMOKING) == []


def test_an_error_has_its_place_its_code_and_the_page_of_it(editor: Editor, cache: Path) -> None:
    (error,) = editor.open(SLIPS)
    line, start = place(SLIPS, "Cancr")
    assert error["range"] == {
        "start": {"line": line, "character": start},
        "end": {"line": line, "character": start + 5},
    }
    assert error["code"] == "S104"
    assert error["source"] == "suture"
    assert error["severity"] == 1
    assert error["message"] == "unknown variable 'Cancr' in model Smoking\nhelp: did you mean 'Cancer'?"
    page = Path(unquote(urlsplit(error["codeDescription"]["href"]).path))
    assert page.is_relative_to(cache)
    assert page.read_text(encoding="utf-8") == f"# {explain('S104')}"


def test_a_second_place_is_told(editor: Editor) -> None:
    text = "model M {\n  X -> Y\nmodel N { A -> B }\n"
    (error,) = editor.open(text)
    (note,) = error["relatedInformation"]
    assert error["code"] == "S012"
    assert note["message"] == "this '{' is not closed"
    assert lines_of([note["location"]]) == [place(text, "{")]


def test_the_quick_fix_mends_the_program(editor: Editor) -> None:
    (error,) = editor.open(SLIPS)
    asked = {"textDocument": {"uri": URI}, "range": error["range"], "context": {"diagnostics": [error]}}
    fix, page = editor.ask("textDocument/codeAction", asked)
    assert fix["title"] == "Write 'Cancer' instead of 'Cancr'"
    assert fix["kind"] == "quickfix"
    assert fix["isPreferred"]
    assert editor.open(edited(SLIPS, fix["edit"]["changes"][URI])) == []
    assert page["command"]["arguments"] == ["S104"]
    shown = editor.ask("workspace/executeCommand", {"command": page["command"]["command"], "arguments": ["S104"]})
    assert shown == explain("S104")


def test_no_fix_is_offered_elsewhere(editor: Editor) -> None:
    editor.open(SLIPS)
    first = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
    asked = {"textDocument": {"uri": URI}, "range": first, "context": {"diagnostics": []}}
    assert editor.ask("textDocument/codeAction", asked) == []


def test_errors_follow_the_typing(editor: Editor) -> None:
    assert editor.open(SLIPS) != []
    line, start = place(SLIPS, "Cancr")
    spot = {"line": line, "character": start + 4}
    assert editor.change([{"range": {"start": spot, "end": spot}, "text": "e"}]) == []
    assert editor.change([{"text": "model M { X -> X }"}])[0]["code"] == "S205"


def test_several_changes_at_once_count_one_from_the_other(editor: Editor) -> None:
    editor.open("model M { A -> B }\nidentify P(B | do(A))\n")
    changes = [
        {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "# 😀\n"},
        {"range": {"start": {"line": 2, "character": 11}, "end": {"line": 2, "character": 12}}, "text": "Bee"},
        {"range": {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 4}}, "text": "😀😀"},
    ]
    (error,) = editor.change(changes)
    assert error["message"].startswith("unknown variable 'Bee'")
    assert error["range"]["start"] == {"line": 2, "character": 11}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_places_are_counted_in_utf16_units(editor: Editor, end: str) -> None:
    """Greek letters are one unit, mathematical ones two; what only Unicode takes for a line end is none."""
    text = end.join(["# \u2028 \x0c 😀", "model 𝔐 { 𝕏, Ψ : {no, yes} ; 𝕏 -> Ψ }", "compute P(Ψ = yep | 𝕏 = no)", ""])
    (error,) = editor.open(text)
    assert error["message"].startswith("unknown value 'yep'")
    line, start = place(text, "yep")
    assert error["range"]["start"] == {"line": line, "character": start}
    assert error["range"]["end"] == {"line": line, "character": start + 3}
    line, start = place(text, "𝕏", 2)
    assert lines_of(editor.ask("textDocument/definition", editor.at(line, start))) == [place(text, "𝕏")]
    assert lines_of(editor.ask("textDocument/definition", editor.at(line, start + 2))) == [place(text, "𝕏")]
    asked = {**editor.at(line, start), "newName": "Z"}
    edits = editor.ask("textDocument/rename", asked)["changes"][URI]
    assert edited(text, edits) == text.replace("𝕏", "Z")


# ---------------------------------------------------------------------------------------------------------------------
# Names


def test_a_name_leads_to_its_definition(editor: Editor) -> None:
    assert editor.open(PROGRAM) == []
    for wanted, nth, home in (("Y = yes", 0, ("Y :", 0)), ("effect in", 0, ("effect", 0)), ("Bow", 1, ("Bow", 0))):
        found = editor.ask("textDocument/definition", editor.at(*place(PROGRAM, wanted, nth)))
        assert lines_of(found) == [place(PROGRAM, *home)], wanted
    # X of the statement about Other is the one of Other, which its arrow introduces.
    found = editor.ask("textDocument/definition", editor.at(*place(PROGRAM, "X, Z in")))
    assert lines_of(found) == [place(PROGRAM, "X -> Z")]
    assert editor.ask("textDocument/definition", editor.at(*place(PROGRAM, "independent"))) == []


def test_references_are_those_of_one_model(editor: Editor) -> None:
    editor.open(PROGRAM)
    asked = {**editor.at(*place(PROGRAM, "X, Y")), "context": {"includeDeclaration": False}}
    found = lines_of(editor.ask("textDocument/references", asked))
    assert found == [place(PROGRAM, "X, Y", 1), place(PROGRAM, "X -> Y"), place(PROGRAM, "X = yes")]
    asked["context"]["includeDeclaration"] = True
    assert lines_of(editor.ask("textDocument/references", asked)) == [place(PROGRAM, "X, Y"), *found]
    marked = editor.ask("textDocument/documentHighlight", editor.at(*place(PROGRAM, "X, Y")))
    assert [each["kind"] for each in marked] == [3, 2, 2, 2]


def test_renaming_changes_what_is_meant_and_nothing_else(editor: Editor) -> None:
    editor.open(PROGRAM)
    spot = editor.at(*place(PROGRAM, "X -> Y"))
    assert editor.ask("textDocument/prepareRename", spot)["start"]["line"] == 4
    edits = editor.ask("textDocument/rename", {**spot, "newName": "Smoke"})["changes"][URI]
    wanted = re.sub(r"\bX\b(?=, Y|\}| -> Y| = yes)|(?<=\{)X\b", "Smoke", PROGRAM)
    assert edited(PROGRAM, edits) == wanted
    assert editor.open(wanted) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Y", "the name 'Y' is taken: it is a variable"),
        ("model", "'model' is no name: write a letter, then letters, digits and _, and no keyword"),
        ("a b", "'a b' is no name: write a letter, then letters, digits and _, and no keyword"),
        ("X {A->B} #", "'X {A->B} #' is no name: write a letter, then letters, digits and _, and no keyword"),
        ("", "'' is no name: write a letter, then letters, digits and _, and no keyword"),
    ],
)
def test_a_name_that_cannot_be_is_refused(editor: Editor, name: str, reason: str) -> None:
    editor.open(PROGRAM)
    assert editor.refusal("textDocument/rename", {**editor.at(*place(PROGRAM, "X, Y")), "newName": name}) == reason


def test_the_outline(editor: Editor) -> None:
    editor.open(PROGRAM)
    found = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": URI}})
    assert [each["name"] for each in found] == [
        "Bow", "Other", "effect", "identify effect in Bow", "independent X, Z in Other"
    ]  # fmt: skip
    assert [(each["name"], each.get("detail")) for each in found[0]["children"]] == [
        ("U", "latent"), ("X", None), ("Y", None)
    ]  # fmt: skip
    folds = editor.ask("textDocument/foldingRange", {"textDocument": {"uri": URI}})
    assert [(each["startLine"], each["endLine"]) for each in folds] == [(0, 5)]


# ---------------------------------------------------------------------------------------------------------------------
# Completion and hover


def offered(editor: Editor, text: str, spot: tuple[int, int]) -> list[dict[str, Any]]:
    editor.open(text)
    return editor.ask("textDocument/completion", editor.at(*spot))["items"]


def test_completion_knows_names_values_and_words(editor: Editor) -> None:
    unfinished = PROGRAM + "identify P(Y = ) in Bow\ncompute P( | do()) in Bow\nes"
    found = offered(editor, unfinished, place(unfinished, "Y = )", 0, 4))
    assert [item["label"] for item in found] == ["no", "yes"]
    found = offered(editor, unfinished, place(unfinished, "do()", 0, 3))
    assert {item["label"] for item in found} >= {"X", "Y"}
    assert "Z" not in {item["label"] for item in found}
    found = offered(editor, unfinished, place(unfinished, "\nes", 0, 3))
    assert [item["label"] for item in found] == ["estimate"]
    assert found[0]["documentation"]


def test_completion_replaces_the_word_that_was_begun(editor: Editor) -> None:
    text = "# 😀\nmodel 𝔐 { 𝕏𝕏, 𝕏Y : {no, yes} ; 𝕏𝕏 -> 𝕏Y }\nidentify P(𝕏Y | do(𝕏"
    line, end = place(text + " ", " ", text.count(" "))
    found = offered(editor, text, (line, end))
    assert [item["label"] for item in found] == ["𝕏𝕏", "𝕏Y"]
    whole = edited(text, [found[0]["textEdit"]])
    assert whole == text + "𝕏"
    assert editor.open(whole + "))") == []


def test_hover_tells_the_role_of_a_variable(editor: Editor) -> None:
    editor.open(PROGRAM)
    for spot in (place(PROGRAM, "Y = yes"), place(PROGRAM, "Y :")):
        found = editor.ask("textDocument/hover", editor.at(*spot))
        shown = found["contents"]["value"]
        assert "observed variable of Bow" in shown
        assert "no, yes" in shown
        assert "U, X" in shown or "X, U" in shown
        assert found["range"]["start"] == {"line": spot[0], "character": spot[1]}
    assert "latent" in editor.ask("textDocument/hover", editor.at(*place(PROGRAM, "U ->")))["contents"]["value"]
    assert "P(Y" in editor.ask("textDocument/hover", editor.at(*place(PROGRAM, "effect in")))["contents"]["value"]
    assert editor.ask("textDocument/hover", editor.at(*place(PROGRAM, "->"))) is None


def test_colours_are_those_of_the_notebook(editor: Editor) -> None:
    text = "# 😀 note\nmodel 𝔐 { 𝕏 : {no, yes} }\ncompute P(𝕏 = yes) in 𝔐\n"
    editor.open(text)
    legend = editor.initialized["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"]
    data = editor.ask("textDocument/semanticTokens/full", {"textDocument": {"uri": URI}})["data"]
    line = column = 0
    found: list[tuple[str, str]] = []
    for ahead, right, length, kind, _ in zip(*[iter(data)] * 5, strict=True):
        line, column = line + ahead, right if ahead else column + right
        row = text.split("\n")[line].encode("utf-16-le")
        found.append((row[2 * column : 2 * (column + length)].decode("utf-16-le"), legend[kind]))
    assert found == [
        ("# 😀 note", "comment"), ("model", "keyword"), ("𝔐", "class"), ("𝕏", "variable"), ("no", "enumMember"),
        ("yes", "enumMember"), ("compute", "keyword"), ("P", "function"), ("𝕏", "variable"), ("=", "operator"),
        ("yes", "enumMember"), ("in", "keyword"), ("𝔐", "variable"),
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Formatting and running


def test_formatting_gives_what_the_command_gives(editor: Editor) -> None:
    text = "model   M{A->B}   # 😀\n\n\n\nquery  q=P(B|do(A))\nidentify q\n"
    editor.open(text)
    asked = {"textDocument": {"uri": URI}, "options": {"tabSize": 2, "insertSpaces": True}}
    edits = editor.ask("textDocument/formatting", asked)
    assert edited(text, edits) == "model M { A -> B }  # 😀\n\nquery q = P(B | do(A))\nidentify q\n"
    assert all(edit["range"]["start"]["line"] != 5 for edit in edits)
    editor.open(edited(text, edits))
    assert editor.ask("textDocument/formatting", asked) == []
    editor.open("model M { A -> ")
    assert editor.ask("textDocument/formatting", asked) == []


def test_a_statement_is_run_from_its_lens(editor: Editor) -> None:
    text = "model Bow { X -> Y ; X <-> Y }\nidentify P(Y | do(X))\ncompute P(Y)\n"
    editor.open(text)
    lenses = editor.ask("textDocument/codeLens", {"textDocument": {"uri": URI}})
    assert [lens["range"]["start"]["line"] for lens in lenses] == [1, 2]
    found = editor.ask("workspace/executeCommand", lenses[0]["command"])
    assert found["answers"][0]["status"] == "not_identified"
    assert "hedge: {X, Y} around {Y}" in found["text"]
    again = editor.ask("textDocument/codeLens", {"textDocument": {"uri": URI}})
    assert [lens["command"]["title"] for lens in again] == ["not identified (run again)", "run"]
    hovered = editor.ask("textDocument/hover", editor.at(1, 3))["contents"]["value"]
    assert "hedge: {X, Y} around {Y}" in hovered
    shown = [each["params"]["message"] for each in editor.told if each["method"] == "window/showMessage"]
    assert shown[-1] == "line 2: not identified"
    failed = editor.ask("workspace/executeCommand", lenses[1]["command"])
    assert failed["answers"][0]["error"]["code"] == "S427"
    assert "= help: declare them: X : {no, yes}" in failed["text"]


def test_a_statement_that_is_cancelled_stops(editor: Editor) -> None:
    """A table of 2^26 exact numbers takes minutes; cancelled, it ends at once, and the next statement is answered."""
    names = [f"X{number}" for number in range(26)]
    model = "".join(f"  {name} : {{0, 1}} ~ Bernoulli(0.{number + 10})\n" for number, name in enumerate(names))
    text = f"model Wide {{\n{model}}}\ncompute P({', '.join(names)}) in Wide\nindependent X0, X1 in Wide\n"
    editor.open(text)
    line = text[: text.index("compute")].count("\n") + 1
    number = editor.start("workspace/executeCommand", {"command": "suture.run", "arguments": [URI, line]})
    editor.tell("$/cancelRequest", {"id": number})
    message = editor.response(number)
    assert message["error"]["code"] == -32800
    after = editor.ask("workspace/executeCommand", {"command": "suture.run", "arguments": [URI, line + 1]})
    assert after["answers"][0]["status"] == "holds"


# ---------------------------------------------------------------------------------------------------------------------
# Whatever comes


PIECES = [
    "model M {", "}", "X -> Y", "latent", "identify P(", "|", "do(", ")", "[", "]", "=", "~", "table (X) {", "=> 1/2,",
    "\n", "\r\n", "\r", " ", "😀", "𝔐", "\u2028", "\x0c", "\x00", "\ud7ff", '"', "#", ";", "data d of M {", "0..4", "é",
    "query q = ", "domain d of M", "counterfactual X = 1 in M from d to d", "{", ",", "\t", "from \"x.csv\"", "<->",
]  # fmt: skip


def test_no_text_and_no_request_brings_it_down(editor: Editor) -> None:
    chance = random.Random(7)
    requests = ("definition", "hover", "completion", "references", "documentHighlight", "prepareRename", "rename")
    whole = ("documentSymbol", "semanticTokens/full", "foldingRange", "codeLens", "formatting", "codeAction")
    editor.open("")
    for _ in range(35):
        changes: list[dict[str, Any]] = []
        for _ in range(chance.randrange(1, 4)):
            places = [{"line": chance.randrange(12), "character": chance.randrange(40)} for _ in range(2)]
            text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(8)))
            change: dict[str, Any] = {"text": text}
            if chance.random() < 0.9:
                change["range"] = {"start": places[0], "end": places[1]}
            changes.append(change)
        editor.change(changes)
        spot = editor.at(chance.randrange(12), chance.randrange(60))
        name = chance.choice(requests)
        params = {**spot, "context": {"includeDeclaration": True, "triggerKind": 1}, "newName": "N"}
        assert "id" in editor.response(editor.start(f"textDocument/{name}", params))
        name = chance.choice(whole)
        everywhere = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        asked = {
            "textDocument": {"uri": URI}, "options": {"tabSize": 4, "insertSpaces": True}, "range": everywhere,
            "context": {"diagnostics": []},
        }  # fmt: skip
        message = editor.response(editor.start(f"textDocument/{name}", asked))
        assert "error" not in message, message


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": 1}}',
        b'{"jsonrpc": "2.0", "id": 999, "method": "textDocument/hover", "params": null}',
        b'{"jsonrpc": "2.0", "id": 999, "method": "no/such", "params": {}}',
        b'{"jsonrpc": "2.0", "id": 999, "method": "workspace/executeCommand", "params": {"command": "suture.run"}}',
        b"\xff\xfe",
    ],
)
def test_a_message_that_is_none_is_passed_over(editor: Editor, message: bytes) -> None:
    editor.send(message)
    assert editor.open(SMOKING) == []


def test_a_request_that_cannot_be_read_is_answered(editor: Editor) -> None:
    for params in (None, {}, {"textDocument": {"uri": URI}, "position": {"line": -1, "character": "a"}}, [1, 2]):
        assert editor.refusal("textDocument/hover", params)
    assert editor.refusal("workspace/executeCommand", {"command": "suture.run", "arguments": [1]})
    assert editor.refusal("workspace/executeCommand", {"command": "no.such", "arguments": []})


def test_a_document_that_was_never_opened_is_empty(editor: Editor) -> None:
    uri = "untitled:never"
    spot = {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 4}}
    assert editor.ask("textDocument/definition", spot) == []
    assert editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}}) == []


def test_files_are_found_beside_the_program(editor: Editor, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "networks" / "asia.bif", tmp_path / "asia.bif")
    uri = (tmp_path / "p.suture").as_uri()
    text = 'model Asia from "asia.bif"\ncompute P(Cancer = yes | do(Smoking = no)) in Asia\n'
    assert editor.open(text, uri) == []
    (error,) = editor.open(text.replace("asia.bif", "asa.bif"), uri)
    assert error["code"] == "S001"
    assert error["range"]["start"] == {"line": 0, "character": 16}
    editor.open(text, uri)
    found = editor.ask("workspace/executeCommand", {"command": "suture.run", "arguments": [uri, 2]})
    assert found["answers"][0]["exact"] == "1/100"


def test_closing_clears_the_errors(editor: Editor) -> None:
    uri = "file:///nowhere/closed.suture"
    assert editor.open("model M { X -> X }", uri) != []
    editor.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    editor.open(SMOKING)
    told = [each["params"] for each in editor.told if each["params"].get("uri") == uri]
    assert told[-1]["diagnostics"] == []


def test_it_goes_when_its_editor_goes() -> None:
    running = Editor()
    assert running.process.stdin is not None
    running.process.stdin.close()
    assert running.process.wait(timeout=60) is not None
    assert running.process.stderr is not None
    assert "Traceback" not in running.process.stderr.read().decode()


def test_a_shut_down_server_leaves_no_process_and_no_noise() -> None:
    running = Editor()
    running.open("model M { X -> Y }\nindependent X, Y\n")
    running.ask("workspace/executeCommand", {"command": "suture.run", "arguments": [URI, 2]})
    assert json.dumps(running.initialized)
    assert running.quit() == 0
    assert running.process.stderr is not None
    assert running.process.stderr.read() == b""
