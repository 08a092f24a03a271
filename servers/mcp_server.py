"""`suture mcp`: the tools of `agent_tools` over the Model Context Protocol, on stdin and stdout.

A call is computed by a `Worker`, within the limits that the server was started with; one that is cancelled is stopped.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from mcp import types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from ..answers.answer_data import VERSION
from ..answers.schema import schema_text
from ..dsl.diagnostics import SutureError, did_you_mean
from ..dsl.explanations import codes, explain
from .agent_schemas import ANSWER, ANSWERS
from .agent_tools import BY_NAME, TOOLS, Limits, Tool
from .worker import Call, Result, Worker

SCHEMA_URI = "suture://answers.schema.json"
INSTRUCTIONS = """\
suture answers causal questions about a model, and every answer carries its proof or a witness. Write the model as
arrows: X -> Y, chains X -> M -> Y, {A, B} -> C, and X <-> Y for a common cause nobody sees; separate by newlines or ;.
Declare values where numbers matter, 'X, Y : {no, yes}' or 'X : {0, 1}'; in a model that declares one variable, all must
be declared, 'latent U' for hidden ones. Mechanisms: 'X : {0, 1} ~ Bernoulli(0.3)', 'Y : {0, 1} ~ table (X) { 0 => 0.9,
0.1 ; 1 => 0.5, 0.5 }', 'Y : {0, 1} := X and not Z', 'Y : real := 2*X + noise'.
Queries: P(Y | do(X)), P(Y = yes | do(X = yes), Z), E(Y | do(X = 1)), ate(X -> Y), P(Y[X = 1] = 1 | X = 0, Y = 0).
First 'identify'. Where that says not_identified, 'bound'. With data, 'estimate'; with a fully given model, 'compute'.
Trust an answer no further than its status: 'undecided' is neither yes nor no, and notes qualify the numbers."""

Context = ServerRequestContext[Any]


class Tools:
    """The handlers of the protocol, with the worker and the limits that they share."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.worker = Worker()

    async def listed(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """All tools."""
        return types.ListToolsResult(tools=[described(tool) for tool in TOOLS])

    async def called(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """What comes of a call; whatever is wrong with it is told in the result."""
        tool = BY_NAME.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"unknown tool: {params.name}")
        arguments = params.arguments or {}
        wrong = best_match(Draft202012Validator(tool.schema).iter_errors(arguments))
        if wrong is not None:
            return failure(f"the arguments do not fit: {wrong.json_path}: {wrong.message}")
        try:
            if tool.program is None:
                return explained(arguments["code"])
            task = self.limits.task(tool.program(arguments), arguments.get("seconds"))
        except SutureError as error:
            return failure(error.render())
        call = Call()
        try:
            found = await asyncio.get_running_loop().run_in_executor(None, self.worker.run, task, call)
        except asyncio.CancelledError:
            self.worker.stop(call, "cancelled")
            raise
        return result(tool, found)

    async def resources(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """The schema of answers."""
        described = "What every answer looks like, key by key, as JSON Schema (draft 2020-12)."
        schema = types.Resource(
            uri=SCHEMA_URI, name="answers.schema.json", description=described, mime_type="application/schema+json"
        )
        return types.ListResourcesResult(resources=[schema])

    async def read(self, context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """The schema of answers."""
        if str(params.uri) != SCHEMA_URI:
            raise MCPError(types.INVALID_PARAMS, f"unknown resource: {params.uri}")
        content = types.TextResourceContents(uri=SCHEMA_URI, mime_type="application/schema+json", text=schema_text())
        return types.ReadResourceResult(contents=[content])


def described(tool: Tool) -> types.Tool:
    """A tool in the protocol's type."""
    output = None if tool.program is None else ANSWERS if tool.several else ANSWER
    hints = types.ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        output_schema=output,
        annotations=hints,
    )


def result(tool: Tool, found: Result) -> types.CallToolResult:
    """What a worker found: the answer as text and as data; an error as an error of the tool."""
    if found.failed or found.broken:
        return failure(found.failed or found.broken or "")
    shown = "\n\n".join(found.texts)
    if tool.several:
        return types.CallToolResult(content=[text(shown)], structured_content={"answers": [*found.answers]})
    if len(found.answers) != 1:
        return failure("one query was expected; a query is one expression, without ';' or line ends of statements")
    (answer,) = found.answers
    if answer["status"] == "error":
        return failure(shown)
    return types.CallToolResult(content=[text(shown)], structured_content=answer)


def explained(code: str) -> types.CallToolResult:
    """The page of an error code."""
    page = explain(code)
    if page is None:
        hint = did_you_mean(code.upper(), codes())
        return failure(f"there is no error code {code!r}{'; ' + hint if hint else ''}")
    return types.CallToolResult(content=[text(page)])


def failure(message: str) -> types.CallToolResult:
    """An error of the tool, in words."""
    return types.CallToolResult(content=[text(message)], is_error=True)


def text(content: str) -> types.TextContent:
    """A text in the protocol's type."""
    return types.TextContent(type="text", text=content)


async def served(limits: Limits) -> None:
    """Serve until the client goes away."""
    tools = Tools(limits)
    server = Server(
        "suture",
        version=VERSION,
        title="suture: causal questions",
        instructions=INSTRUCTIONS,
        on_list_tools=tools.listed,
        on_call_tool=tools.called,
        on_list_resources=tools.resources,
        on_read_resource=tools.read,
    )
    try:
        async with stdio_server() as (reads, writes):
            await server.run(reads, writes, server.create_initialization_options())
    finally:
        tools.worker.close()


def main(limits: Limits) -> None:
    """Serve an agent until it goes away."""
    logging.basicConfig(level=logging.INFO if os.environ.get("SUTURE_DEBUG") else logging.CRITICAL)
    asyncio.run(served(limits))
