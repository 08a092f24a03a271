"""The schema of answers: it takes every answer there is, of every kind of statement, and refuses what is none."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import suture
from suture.answers.answer_data import Status
from suture.answers.schema import schema, schema_text
from suture.cli import main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.suture"))
FENCE = re.compile(r"^```suture\n(.*?)^```", re.MULTILINE | re.DOTALL)
VALIDATOR = Draft202012Validator(schema())

BOW = "model Bow { X, Y : {0, 1} ; X -> Y ; X <-> Y }\n"
GIVEN = "model M { X : {0, 1} ~ Bernoulli(1/4) ; Y : {0, 1} ~ table (X) { 0 => 0.9, 0.1 ; 1 => 0.5, 0.5 } }\n"
COUNTS = "data d of Bow weight n { X, Y, n ; 0, 0, 5 ; 0, 1, 2 ; 1, 0, 1 ; 1, 1, 4 }\n"
LINEAR = """model L {
  latent Z1 : real := noise
  latent Z2 : real := Z1 + noise
  X1 : real := Z1
  X2 : real := Z1 + Z2
}
domain old of L {}
domain new of L { Z2 := Z1 + 2*noise + 1 }
"""

PROGRAMS = {
    "identified": "model M { X -> M -> Y ; X <-> Y }\nidentify P(Y | do(X))\n",
    "hedge and two models": BOW + "identify P(Y | do(X))\n",
    "two domains": "model T { Z, X, Y : {0, 1} ; Z -> X -> Y ; X <-> Y }\ndomain r of T { Y ~ any }\n"
    "identify P(Y | do(X)) from P(Z, X, Y), P(Z, X, Y) in r\n",
    "undecided": "model M { X -> Y ; X <-> Y ; Z -> X }\nidentify P(Y | do(X)) from P(Z) \n",
    "compute": GIVEN + "compute P(Y | do(X)), P(Y = 1), P(Y | X = 1)\nassert P(Y = 1) < 1/2\nassert P(Y = 1) > 1/2\n",
    "a parameter": "model M { X : {0, 1} ~ Bernoulli(p) }\ncompute P(X = 1)\ncompute P(X)\n",
    "undetermined": "model M { X : {0, 1} ~ {0: 1, 1: 0} ; Y : {0, 1} ~ table (X) { _ => 0.5, 0.5 } }\n"
    "compute P(Y = 1 | X)\n",
    "laws": "model R { T : {no, yes} ~ {no: 1/2, yes: 1/2} ; Y : real := (if T = yes then 3 else 0) + s*noise }\n"
    "compute P(Y | do(T))\ncompute P(Y)\ncompute E(Y | do(T = yes))\n",
    "bounds": BOW + COUNTS + "bound P(Y = 1 | do(X = 1)) from d\nbound P(Y | do(X)) from d\n",
    "closed bounds": BOW + "bound P(Y = 1 | do(X = 1))\nbound P(Y | do(X = 1))\n",
    "estimate": "model Bow { X, Y : {0, 1} ; X -> Y }\n" + COUNTS + "estimate P(Y | do(X)) from d\n",
    "estimate of what cannot be": BOW + COUNTS + "estimate P(Y | do(X)) from d\n",
    "adjust": "model A { Z -> X -> Y ; Z -> Y }\nadjust X -> Y\n",
    "adjust, none": BOW + "adjust X -> Y\n",
    "adjust, selected": "model A { Z -> X -> Y ; Z -> {Y, S} ; X -> S }\nadjust X -> Y from P(X, Y, Z | S = 1), P(Z)\n"
    "adjust X -> Y from P(X, Y | S = 1)\n",
    "independent": "model I { X -> Y -> Z }\nindependent X, Z given {Y}\nindependent X, Z\n",
    "show": BOW + "show Bow\nshow Bow after do(X)\n",
    "search": "model S { Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ; Y -> M ; mutable M }\n"
    "search predictor of Y from {M} minimax squared_loss\n",
    "search by the graph": "model S { A -> Y ; Y -> M ; mutable M }\n"
    "search predictor of Y from {A, M} minimax log_loss\n",
    "search, undecided": "model S { A -> Y ; Y -> M ; mutable M }\ndomain d of S { M ~ any }\n"
    "search predictor of Y from {A, M} over {d} minimax log_loss\n",
    "search in data": "model S { Y, M : {0, 1} ; Y -> M ; mutable M }\n"
    "data a of S weight n { Y, M, n ; 0, 0, 5 ; 0, 1, 2 ; 1, 0, 1 ; 1, 1, 4 }\n"
    "data b of S weight n { Y, M, n ; 0, 0, 0.5 ; 0, 1, 0.2 ; 1, 0, 0.1 ; 1, 1, 0.2 }\n"
    "search predictor of Y from {M} from a minimax squared_loss compare\n"
    "search predictor of Y from {M} from a, b over {a} minimax zero_one\n",
    "several domains": LINEAR + "canonicalise L over {old, new} as N\nequivalent L, N over {old, new}\n"
    "counterfactual X1 = 1, X2 = 1/3 in L from old to new\n",
    "a diagram in several domains": "model D { latent A, B ; X, Y ; A -> B ; {A, B} -> X ; {A, B} -> Y }\n"
    "domain old of D {}\ndomain new of D { B ~ any }\ncanonicalise D over {old, new}\n",
    "a cause": GIVEN + "cause X = 1 of Y = 1 in M where X = 1\n",
    "an error of one statement": "model M { X : {0, 1} ; Y : {0, 1} ; X -> Y }\ncompute P(Y = 1)\n"
    "identify P(Y | do(X))\n"
    "estimate P(Y) from d\ndata d of M from \"nowhere.csv\"\nbound P(X = 1) from d\n",
}  # fmt: skip


def plain(answers: suture.Answers) -> dict[str, Any]:
    """The answers as another tool reads them: strict JSON, there and back."""
    return json.loads(json.dumps(answers.to_dict(), allow_nan=False))


@cache
def document_of(name: str) -> dict[str, Any]:
    """The answers of a program of this file, or of an example."""
    return plain(suture.run(PROGRAMS[name]) if name in PROGRAMS else suture.run_file(ROOT / "examples" / name))


NAMES = [*PROGRAMS, *(path.name for path in EXAMPLES)]


def problems(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:300]}" for error in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema_of_the_current_draft() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_object_is_closed() -> None:
    """Each object says all of its keys, or at least what the values of free ones are."""

    def objects(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for part in node.values():
                yield from objects(part)
        elif isinstance(node, list):
            for part in node:
                yield from objects(part)

    every = list(objects(schema()))
    assert len(every) > 30
    assert [node for node in every if node.get("additionalProperties", True) is True] == []


def test_every_kind_of_statement_and_status_is_among_the_answers_below() -> None:
    answers = [answer for name in PROGRAMS for answer in document_of(name)["answers"]]
    kinds = set(schema()["$defs"]["answer"]["properties"]["statement"]["enum"])
    # `plan` is a command of its own, with a test below; `fit` takes time, and is judged where it is tested.
    assert {answer["statement"] for answer in answers} == kinds - {"plan", "fit"}
    assert {answer["status"] for answer in answers} == {status.value for status in Status}


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_taken(name: str) -> None:
    document = document_of(name)
    assert document["answers"]
    assert problems(document) == []


def test_answers_of_the_pages_are_taken() -> None:
    programs = [text for page in ("README.md", "docs/language.md") for text in FENCE.findall((ROOT / page).read_text())]
    assert len(programs) > 5
    for text in programs:
        assert problems(plain(suture.run(text, ROOT / "examples"))) == []


def test_answers_of_the_library_are_taken() -> None:
    model = suture.Model("Z : {0, 1} ; X : {0, 1} ; Y : {0, 1} ; Z -> X -> Y ; Z -> Y")
    data = {"X": [0, 0, 1, 1], "Y": [0, 1, 1, 1], "Z": [0, 0, 0, 0]}
    answers = suture.Answers(
        [
            model.identify("P(Y | do(X))"),
            model.estimate("P(Y = 1 | do(X = 1))", data),
            model.adjust("X", "Y"),
            model.independent("X", "Y", ["Z"]),
            model.plan("P(Y | do(X))"),
        ]
    )
    assert problems(plain(answers)) == []


def test_a_program_that_cannot_run_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.suture"
    path.write_text("model M { X -> X }\nidentify P(Q)\n")
    assert main(["run", "--json", str(path)]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["errors"]
    assert problems(document) == []
    assert problems({**document, "answers": document_of("show")["answers"]}) != []


def test_a_plan_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--json", str(ROOT / "examples" / "asia.suture"), "P(Dyspnoea | do(Smoking))"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert problems({"suture": suture.__version__, "answers": [answer]}) == []


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of everything inside a document that is neither an object nor a list, and of every null."""
    if isinstance(node, dict):
        for key, part in node.items():
            yield from leaves(part, (*path, key))
    elif isinstance(node, list):
        for place, part in enumerate(node):
            yield from leaves(part, (*path, place))
    else:
        yield path


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


def changed(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    other = copy.deepcopy(document)
    at(other, path[:-1])[path[-1]] = value
    return other


SOMETIMES = {"models", "how", "skipped", "largest_orbit", "gf2_rank", "identified_from_distributions", "distribution"}
SMALL = ("identified", "hedge and two models", "bounds", "search", "several domains", "laws", "adjust", "independent")


@pytest.mark.parametrize("name", SMALL)
def test_an_answer_with_a_key_more_or_less_is_refused(name: str) -> None:
    document = document_of(name)

    def objects(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
        if isinstance(node, dict):
            yield path
            for key, part in node.items():
                yield from objects(part, (*path, key))
        elif isinstance(node, list):
            # Entries of one list are alike: the first stands for all.
            for place, part in enumerate(node[:1]):
                yield from objects(part, (*path, place))

    free = {"sample", "images", "tables", "parents", "distribution"}  # keys are names of the program there
    for path in objects(document, ()):
        if free & set(map(str, path[-2:])):
            continue
        assert problems(changed(document, (*path, "surprise"), 1)) != [], path
        for key in at(document, path):
            if key in SOMETIMES:
                continue
            other = copy.deepcopy(document)
            del at(other, path)[key]
            assert problems(other) != [], (path, key)


@pytest.mark.parametrize("name", SMALL)
def test_an_answer_with_a_leaf_of_another_type_is_refused(name: str) -> None:
    document = document_of(name)
    kept: list[tuple[str | int, ...]] = []
    every = list(leaves(document))
    # Tables of two models and of bounds are long, and their entries alike.
    for path in every[:: 1 + len(every) // 100]:
        if not problems(changed(document, path, {"not": "a leaf"})):
            kept.append(path)
    assert kept == []


@pytest.mark.parametrize("name", [*SMALL, "an error of one statement"])
def test_an_answer_with_the_status_of_another_kind_is_refused(name: str) -> None:
    allowed = {
        "identify": {"identified", "not_identified", "undecided"},
        "estimate": {"value", "identified", "not_identified", "undecided"},
        "compute": {"value"},
        "bound": {"bounds", "undecided"},
        "adjust": {"value", "undecided"},
        "independent": {"holds", "fails"},
        "show": {"value"},
        "search": {"value", "undecided"},
        "canonicalise": {"value", "undecided"},
        "equivalent": {"holds", "fails", "undecided"},
        "counterfactual": {"value", "undecided"},
    }
    document = document_of(name)
    for place, answer in enumerate(document["answers"]):
        for status in {each.value for each in Status} - allowed[answer["statement"]] - {answer["status"]}:
            assert problems(changed(document, ("answers", place, "status"), status)) != [], (answer, status)


def test_a_formula_without_its_certificate_is_refused() -> None:
    document = document_of("identified")
    for key in ("estimand", "check", "method"):
        assert problems(changed(document, ("answers", 0, key), None)) != []
    refused = document_of("hedge and two models")
    assert problems(changed(refused, ("answers", 0, "witness"), None)) != []
    assert problems(changed(refused, ("answers", 0, "estimand"), {"text": "P(Y | X)", "latex": "x"})) != []


# ---------------------------------------------------------------------------------------------------------------------
# Where it is found


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


def test_printing_it_loads_nothing_heavy() -> None:
    code = "import sys; from suture.cli import main; main(['schema']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "jax", "lark", "sympy"} & set(done.stderr.split())
