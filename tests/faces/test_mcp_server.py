"""The tools of agents as an agent meets them: the official client, a process, its pipes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent

import suture
from suture.answers.schema import schema
from suture.servers.agent_tools import TOOLS, program_text

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).parent / "suture")
ANSWER = Draft202012Validator(
    {
        **schema(),
        "$ref": "#/$defs/answer",
        "type": "object",
        "required": [],
        "properties": {},
        "additionalProperties": True,
        "dependentSchemas": {},
    }
)
BOW = "X, Y : {0, 1} ; X -> Y ; X <-> Y"
GIVEN = "X : {0, 1} ~ Bernoulli(1/4) ; Y : {0, 1} ~ table (X) { 0 => 0.9, 0.1 ; 1 => 0.5, 0.5 }"
EQUATION = "U : {0, 1} ~ Bernoulli(1/4) ; X : {0, 1} := U ; Y : {0, 1} := X or U"
LINEAR = """model L {
  latent Z1 : real := noise
  latent Z2 : real := Z1 + noise
  X1 : real := Z1
  X2 : real := Z1 + Z2
}
domain old of L {}
domain new of L { Z2 := Z1 + 2*noise + 1 }"""


def conversation(talk: Callable[[Client], Awaitable[Any]], *options: str) -> Any:
    """What comes of talking to a server that is started for it."""

    async def run() -> Any:
        server = StdioServerParameters(command=COMMAND, args=["mcp", *options])
        async with Client(stdio_client(server)) as client:
            return await talk(client)

    return asyncio.run(run())


def shown(found: CallToolResult) -> str:
    return "\n".join(part.text for part in found.content if isinstance(part, TextContent))


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "identify": ("identify", {"model": "X -> M -> Y ; X <-> Y", "query": "P(Y | do(X))"}),
    "identify not": ("identify", {"model": BOW, "query": "P(Y | do(X))"}),
    "identify from": (
        "identify",
        {
            "model": "Z -> X -> Y ; Z <-> X ; Z <-> Y", "query": "P(Y | do(X))", "method": "combs",
            "sources": ["P(Z, X, Y)", "P(X, Y | do(Z))"],
        },
    ),
    "compute": ("compute", {"model": GIVEN, "query": "P(Y | do(X))"}),
    "counterfactual query": ("counterfactual", {"model": EQUATION, "query": "P(Y[X = 0] = 1 | X = 1, Y = 1)"}),
    "counterfactual sample": (
        "counterfactual",
        {"model": LINEAR, "sample": {"X1": 1, "X2": "1/3"}, "from_domain": "old", "to_domain": "new"},
    ),
    "adjustment": ("adjustment", {"model": "Z -> X -> Y ; Z -> Y", "treatments": ["X"], "outcomes": ["Y"]}),
    "independent": ("independent", {"model": "X -> Z -> Y", "first": "X", "second": "Y", "given": ["Z"]}),
    "dependent": ("independent", {"model": "X -> Z -> Y", "first": "X", "second": "Y"}),
    "bound": ("bound", {"model": BOW, "query": "P(Y = 1 | do(X = 1))"}),
    "estimate": (
        "estimate",
        {
            "model": "Z, X, Y : {0, 1} ; Z -> X -> Y ; Z -> Y", "query": "P(Y = 1 | do(X = 1))",
            "data": {
                "columns": {
                    "Z": [0, 0, 0, 0, 1, 1, 1, 1], "X": [0, 0, 1, 1, 0, 0, 1, 1], "Y": [0, 1, 0, 1, 0, 1, 0, 1],
                    "n": [30, 10, 10, 10, 5, 5, 10, 20],
                },
                "weight": "n",
            },
        },
    ),
    "estimate labels": (
        "estimate",
        {
            "model": "model A { X : {no, \"very much\"} ; Y : {no, yes} ; X -> Y }\nmodel B { Q -> R }", "in": "A",
            "query": "P(Y = yes | X = \"very much\")",
            "data": {"columns": {"X": ["no", "very much", "very much"], "Y": ["no", "yes", "no"]}},
        },
    ),
    "bound from data": (
        "bound",
        {
            "model": BOW, "query": "P(Y = 1 | do(X = 1))",
            "data": {"columns": {"X": [0, 0, 1, 1], "Y": [0, 1, 0, 1], "n": [4, 1, 2, 3]}, "weight": "n"},
        },
    ),
    "search": (
        "search_predictor",
        {"model": "Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ; Y -> M ; mutable M", "outcome": "Y", "features": ["M"]},
    ),
    "several models": (
        "independent",
        {"model": "model A { X -> Y }\nmodel B { X -> Z }", "first": "X", "second": "Z", "in": "B"},
    ),
    "run": ("run_program", {"program": "model Bow { X -> Y ; X <-> Y }\nidentify P(Y | do(X))\nindependent X, Y"}),
    "run, an error in one": ("run_program", {"program": "model M { X -> Y }\ncompute P(Y)\nindependent X, Y"}),
    "explain": ("explain_error", {"code": "s104"}),
    # What cannot be done
    "unknown variable": ("identify", {"model": "X -> Y", "query": "P(Yy | do(X))"}),
    "no program": ("run_program", {"program": "model M { X -> "}),
    "no mechanism": ("compute", {"model": "X, Y : {0, 1} ; X -> Y", "query": "P(Y = 1)"}),
    "two queries": ("compute", {"model": GIVEN, "query": "P(Y = 1) ; show Model"}),
    "a file": ("run_program", {"program": 'model M { X -> Y }\ndata d of M from "/etc/hosts"\nestimate P(Y) from d'}),
    "a model from a file": ("compute", {"model": 'model M from "asia.bif"', "query": "P(X)"}),
    "columns of two lengths": (
        "estimate",
        {"model": "X, Y : {0, 1} ; X -> Y", "query": "P(Y)", "data": {"columns": {"X": [0, 1], "Y": [0]}}},
    ),
    "no such value": (
        "estimate", {"model": "X : {0, 1}", "query": "P(X = 1)", "data": {"columns": {"X": [0, 1, 2]}}}
    ),
    "data of two models": (
        "estimate",
        {"model": "model A { X -> Y }\nmodel B { Q -> R }", "query": "P(Y)", "data": {"columns": {"X": [0], "Y": [0]}}},
    ),
    "no argument": ("identify", {"model": "X -> Y"}),
    "an argument too many": ("identify", {"model": "X -> Y", "query": "P(Y)", "colour": "red"}),
    "both kinds": (
        "counterfactual",
        {"model": LINEAR, "query": "P(X1)", "sample": {"X1": 1}, "from_domain": "old", "to_domain": "new"},
    ),
    "no such code": ("explain_error", {"code": "S1004"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def talk() -> dict[str, Any]:
    """One conversation in which every call of this file is made."""

    async def everything(client: Client) -> dict[str, Any]:
        found: dict[str, Any] = {"tools": (await client.list_tools()).tools, "instructions": client.instructions}
        found["schema"] = (await client.read_resource("suture://answers.schema.json")).contents[0]
        for name, (tool, arguments) in CALLS.items():
            found[name] = await client.call_tool(tool, arguments)
        return found

    return conversation(everything)


def test_every_tool_is_offered_with_its_schema(talk: dict[str, Any]) -> None:
    wanted = {"identify", "compute", "estimate", "bound", "counterfactual", "adjustment", "independent"}
    tools = {tool.name: tool for tool in talk["tools"]}
    assert wanted | {"search_predictor", "run_program", "explain_error"} == set(tools)
    for tool in tools.values():
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert len(tool.description) > 40
        assert tool.annotations.read_only_hint
        for name, part in tool.input_schema["properties"].items():
            assert part["description"], (tool.name, name)
            assert part.get("examples") or part.get("enum"), (tool.name, name)
            for example in part.get("examples", ()):
                Draft202012Validator(part).validate(example)
    assert "not_identified" in talk["instructions"]
    assert json.loads(talk["schema"].text) == schema()


@pytest.mark.parametrize(
    "name", [name for name, (tool, _) in CALLS.items() if tool not in ("run_program", "explain_error")][:12]
)
def test_an_answer_comes_with_its_certificate(talk: dict[str, Any], name: str) -> None:
    found = talk[name]
    assert not found.is_error, shown(found)
    answer = found.structured_content
    assert [error.message for error in ANSWER.iter_errors(answer)] == []
    assert answer["statement"] in shown(found)


def test_answers_are_right(talk: dict[str, Any]) -> None:
    answer = {name: talk[name].structured_content for name in CALLS}
    assert answer["identify"]["status"] == "identified"
    assert answer["identify"]["estimand"]["text"] == "sum{m} P(M=m | X) sum{x} P(X=x) P(Y | X=x, M=m)"
    assert answer["identify"]["derivation"][0]["rule"] == "cut"
    assert answer["identify"]["check"]["max_error"] < 1e-12
    assert answer["identify not"]["status"] == "not_identified"
    assert answer["identify not"]["witness"]["kind"] == "hedge"
    assert "P[" in answer["identify from"]["estimand"]["text"] or "do(Z)" in answer["identify from"]["estimand"]["text"]
    assert answer["compute"]["value"]["rows"] == [["0", "0", 0.9], ["0", "1", 0.5], ["1", "0", 0.1], ["1", "1", 0.5]]
    # Had X been 0: Y = U, and X = 1 says that U was 1.
    assert answer["counterfactual query"]["value"] == 1.0
    # Z1 = 1, Z2 = -2/3, so the noise of Z2 is -5/3; in the new domain Z2 = 1 - 10/3 + 1 and X2 = -1/3.
    assert answer["counterfactual sample"]["exact"] == {"variables": ["X1", "X2"], "rows": [["1", "-1/3"]]}
    assert answer["adjustment"]["value"] == {"sets": [["Z"]], "minimum": ["Z"], "optimal": ["Z"]}
    assert (answer["independent"]["status"], answer["dependent"]["status"]) == ("holds", "fails")
    assert answer["dependent"]["witness"] == {"kind": "open path", "path": "X -> Z -> Y"}
    # Manski's bounds: P(X = 1, Y = 1) and that plus P(X = 0).
    assert answer["bound"]["status"] == "bounds"
    assert answer["bound"]["value"]["low"]["text"] == "P(X=1, Y=1)"
    # 60 of 100 have Z = 0: 0.6 * 10/20 + 0.4 * 20/30.
    assert answer["estimate"]["value"] == pytest.approx(0.6 * 0.5 + 0.4 * 20 / 30)
    assert answer["estimate labels"]["value"] == 0.5
    assert answer["bound from data"]["bounds"] == pytest.approx([0.3, 0.8])
    assert answer["bound from data"]["witness"]["kind"] == "attaining models"
    # Without anything to go by, the best guess of a probability 0.2 errs by 0.2 * 0.8.
    assert answer["search"]["value"]["worst_case"] == 0.16
    assert answer["several models"]["status"] == "fails"


def test_a_program_has_all_its_answers(talk: dict[str, Any]) -> None:
    answers = talk["run"].structured_content["answers"]
    assert [answer["status"] for answer in answers] == ["not_identified", "fails"]
    mixed = talk["run, an error in one"]
    assert not mixed.is_error
    assert [answer["status"] for answer in mixed.structured_content["answers"]] == ["error", "fails"]
    assert "error[S427]" in shown(mixed)


def test_an_error_code_is_explained(talk: dict[str, Any]) -> None:
    assert shown(talk["explain"]).startswith("S104: unknown variable")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unknown variable", "error[S104]: unknown variable 'Yy' in model Model\n --> <call>:4:12"),
        ("unknown variable", "= help: did you mean 'Y'?"),
        ("no program", "error[S012]: missing '}' at the end of the file"),
        ("no mechanism", "error[S4"),
        ("two queries", "one query was expected"),
        ("a file", "error[S025]: files are not read here\n --> <call>:2:"),
        ("a model from a file", "error[S025]"),
        ("columns of two lengths", "error[S3"),
        ("no such value", "error[S3"),
        ("data of two models", "error[S108]: there are 2 models, and the data need one"),
        ("no argument", "the arguments do not fit: $: 'query' is a required property"),
        ("an argument too many", "Additional properties are not allowed ('colour' was unexpected)"),
        ("both kinds", "the arguments do not fit"),
        ("no such code", "there is no error code 'S1004'; did you mean 'S104'?"),
    ],
)
def test_what_cannot_be_done_is_an_error_of_the_tool(talk: dict[str, Any], name: str, message: str) -> None:
    found = talk[name]
    assert found.is_error
    assert found.structured_content is None
    assert message in shown(found)
    assert "Traceback" not in shown(found)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A conversation with a server that may read one folder, and is held to little memory and to ten minutes a call.

    It computes one call at a time: were one of those that are stopped or cancelled not, the next would wait for hours.
    """
    inside = tmp_path_factory.mktemp("inside")
    (inside / "d.csv").write_text("X,Y\n0,0\n0,1\n1,1\n1,1\n")
    (inside.parent / "outside.csv").write_text("X,Y\n0,0\n")
    (inside / "link.csv").symlink_to(inside.parent / "outside.csv")
    independent = {"model": "X -> Y", "first": "X", "second": "Y"}

    async def everything(client: Client) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("d.csv", str(inside / "d.csv"), "../outside.csv", str(inside.parent / "outside.csv"), "link.csv"):
            text = (
                f'model M {{ X, Y : {{0, 1}} ; X -> Y }}\ndata d of M from "{name}"\nestimate P(Y = 1 | X = 0) from d'
            )
            found[name.replace(str(inside.parent), "")] = await client.call_tool("run_program", {"program": text})
        found["large"] = await client.call_tool("compute", wide(28))
        found["slow"] = await client.call_tool("compute", {**deep(16), "seconds": 0.5})
        found["after slow"] = await client.call_tool("independent", independent)
        cancelled = asyncio.create_task(client.call_tool("compute", deep(16)))
        await asyncio.sleep(0.5)
        cancelled.cancel()
        found["after cancelled"] = await client.call_tool("independent", independent)
        return found

    return conversation(everything, "--folder", str(inside), "--time", "10min", "--memory", "64M")


def wide(size: int) -> dict[str, Any]:
    """A table of 2^size numbers."""
    names = [f"X{number}" for number in range(size)]
    model = " ; ".join(f"{name} : {{0, 1}} ~ Bernoulli(0.{number + 10})" for number, name in enumerate(names))
    return {"model": model, "query": f"P({', '.join(names)})"}


def deep(length: int) -> dict[str, Any]:
    """A closed form in the parameters of a chain: it has 2^length terms, and takes hours."""
    rows = "{{ 0 => 1 - a{0}, a{0} ; 1 => 1 - b{0}, b{0} }}"
    links = [f"X{n} : {{0, 1}} ~ table (X{n - 1}) {rows.format(n)}" for n in range(1, length)]
    return {"model": " ; ".join(["X0 : {0, 1} ~ Bernoulli(p)", *links]), "query": f"P(X{length - 1} = 1)"}


def test_files_are_read_inside_the_folder_alone(held: dict[str, Any]) -> None:
    names = [name for name in held if name.endswith(".csv")]
    values = {
        name: None if held[name].is_error else held[name].structured_content["answers"][0]["value"] for name in names
    }
    assert [values[name] for name in names] == [0.5, 0.5, None, None, None]
    assert all("error[S025]" in shown(held[name]) for name in names if held[name].is_error)


def test_a_call_that_would_need_more_memory_is_refused(held: dict[str, Any]) -> None:
    assert held["large"].is_error
    assert "error[S603]" in shown(held["large"])


def test_a_call_is_stopped_when_its_time_is_over_and_the_next_is_answered(held: dict[str, Any]) -> None:
    assert held["slow"].is_error
    assert "stopped" in shown(held["slow"])
    assert held["after slow"].structured_content["status"] == "fails"


def test_a_call_that_is_cancelled_is_stopped(held: dict[str, Any]) -> None:
    assert held["after cancelled"].structured_content["status"] == "fails"


def test_nothing_but_the_protocol_is_printed() -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
    }  # fmt: skip
    call = {
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": "independent", "arguments": {"model": "X -> Y", "first": "X", "second": "Y"}},
    }  # fmt: skip
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    running = subprocess.Popen([COMMAND, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdin is not None
    assert running.stdout is not None
    for message in (hello, initialized, call):
        running.stdin.write(json.dumps(message).encode() + b"\n")
        running.stdin.flush()
    lines = [json.loads(running.stdout.readline()) for _ in range(2)]
    out, err = running.communicate(timeout=60)
    assert lines[0]["result"]["serverInfo"]["version"] == suture.__version__
    assert lines[1]["result"]["structuredContent"]["status"] == "fails"
    assert (out, err, running.returncode) == (b"", b"", 0)


def test_arrows_become_a_model_and_programs_stay() -> None:
    assert program_text("# comment\nX -> Y") == "model Model {\n# comment\nX -> Y\n}\n"
    assert program_text("\n# comment\nmodel M { X -> Y }\n") == "\n# comment\nmodel M { X -> Y }\n"
    assert program_text("modelled -> Y") == "model Model {\nmodelled -> Y\n}\n"
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    done = subprocess.run([COMMAND, "mcp", "--folder", str(tmp_path / "none")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path / 'none'} is no folder\n"
