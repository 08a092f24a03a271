"""The tools that agents are offered: their names, what they take, and the program that each call becomes.

Every call becomes a program in the language, its last statement the question, so that an agent gets the same answers,
the same certificates and the same errors as anybody.  Nothing here speaks a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..dsl import tree
from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.methods import LOSSES, METHODS
from ..dsl.parser import parse
from ..dsl.source import Source, Span
from ..dsl.syntax_text import quoted_label
from .agent_schemas import (
    DATA,
    IN_MODEL,
    MODEL,
    QUERY,
    SAMPLE,
    SECONDS,
    SOURCES,
    Schema,
    listed,
    schema_of,
    text_of,
)
from .worker import Task

Arguments = Mapping[str, Any]
TABLE = "columns_given"
DATASET = "data_given"
STATEMENTS = ("model", "domain", "data", "query")


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as a program; the statements that start on `lines` are to be answered, all where there are none named."""

    text: str
    lines: tuple[int, ...] | None = None
    frames: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its name, what it is for, the schema of its arguments, and the program that a call becomes."""

    name: str
    title: str
    description: str
    schema: Schema
    program: Callable[[Arguments], Asked] | None = None
    several: bool = False


# ---------------------------------------------------------------------------------------------------------------------
# From arguments to programs


def program_text(model: str) -> str:
    """The definitions that a call gives: a program as it is, arrows alone as the inside of a model named Model.

    >>> program_text("X -> Y")
    'model Model {\\nX -> Y\\n}\\n'
    """
    lines = (line.strip() for line in model.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    if first.split(None, 1)[:1] and first.split(None, 1)[0] in STATEMENTS:
        return f"{model.rstrip()}\n"
    return f"model Model {{\n{model.strip()}\n}}\n"


def _asked(arguments: Arguments, statement: str, frames: Mapping[str, Any] | None = None) -> Asked:
    """The definitions of a call and one statement after them."""
    before = program_text(arguments["model"]) + (_data_line(arguments) if frames else "")
    return Asked(f"{before}{statement}\n", (before.count("\n") + 1,), frames or {})


def _one_line(text: str) -> str:
    """A piece of a statement, on one line."""
    return " ".join(text.split())


def _in(arguments: Arguments) -> str:
    return f" in {_one_line(arguments['in'])}" if arguments.get("in") else ""


def _from(arguments: Arguments) -> str:
    sources = ", ".join(map(_one_line, arguments.get("sources") or ()))
    return f" from {sources}" if sources else ""


def _set(names: Sequence[str]) -> str:
    return "{" + ", ".join(map(_one_line, names)) + "}"


def _group(names: Sequence[str]) -> str:
    return _one_line(names[0]) if len(names) == 1 else _set(names)


def _data_line(arguments: Arguments) -> str:
    """The data set that takes the columns of a call, of the model that is asked about."""
    weight = arguments["data"].get("weight")
    return f"data {DATASET} of {_model_of(arguments)} from {TABLE}{f' weight {_one_line(weight)}' if weight else ''}\n"


def _model_of(arguments: Arguments) -> str:
    """The model that is asked about: the one named, or the only one of the program."""
    if arguments.get("in"):
        return _one_line(arguments["in"])
    program = parse(Source(program_text(arguments["model"])))
    found = [each.name.text for each in program.statements if isinstance(each, tree.Model)]
    if len(found) != 1:
        message = f"there are {len(found)} models, and the data need one"
        raise SutureError(Diagnostic("S108", message, help="say which by the argument 'in'"))
    return found[0]


def _frames(arguments: Arguments) -> dict[str, Any]:
    return {TABLE: arguments["data"]["columns"]}


def _identify(arguments: Arguments) -> Asked:
    by = f" by {_one_line(arguments['method'])}" if arguments.get("method") else ""
    return _asked(arguments, f"identify {_one_line(arguments['query'])}{_in(arguments)}{_from(arguments)}{by}")


def _compute(arguments: Arguments) -> Asked:
    return _asked(arguments, f"compute {_one_line(arguments['query'])}{_in(arguments)}")


def _estimate(arguments: Arguments) -> Asked:
    query = _one_line(arguments["query"])
    return _asked(arguments, f"estimate {query}{_in(arguments)} from {DATASET}", _frames(arguments))


def _bound(arguments: Arguments) -> Asked:
    frames = _frames(arguments) if arguments.get("data") else None
    source = f" from {DATASET}" if frames else _from(arguments)
    return _asked(arguments, f"bound {_one_line(arguments['query'])}{_in(arguments)}{source}", frames)


def _counterfactual(arguments: Arguments) -> Asked:
    if arguments.get("query"):
        return _compute(arguments)
    sample = ", ".join(f"{_one_line(name)} = {_value(value)}" for name, value in arguments["sample"].items())
    start, end = _one_line(arguments["from_domain"]), _one_line(arguments["to_domain"])
    return _asked(arguments, f"counterfactual {sample}{_in(arguments)} from {start} to {end}")


def _value(value: float | str) -> str:
    """A value of a sample as the language writes it."""
    return quoted_label(value) if isinstance(value, str) else repr(value)


def _adjustment(arguments: Arguments) -> Asked:
    left, right = _group(arguments["treatments"]), _group(arguments["outcomes"])
    return _asked(arguments, f"adjust {left} -> {right}{_in(arguments)}{_from(arguments)}")


def _independent(arguments: Arguments) -> Asked:
    given = f" given {_set(arguments['given'])}" if arguments.get("given") else ""
    first, second = _one_line(arguments["first"]), _one_line(arguments["second"])
    return _asked(arguments, f"independent {first}, {second}{given}{_in(arguments)}")


def _search(arguments: Arguments) -> Asked:
    over = f" over {_set(arguments['domains'])}" if arguments.get("domains") else ""
    head = f"search predictor of {_one_line(arguments['outcome'])} from {_set(arguments['features'])}"
    return _asked(arguments, f"{head}{_in(arguments)}{over} minimax {arguments.get('loss') or 'squared_loss'}")


def _run(arguments: Arguments) -> Asked:
    return Asked(arguments["program"])


# ---------------------------------------------------------------------------------------------------------------------
# The tools

CERTIFIED = "The answer carries its certificate; 'status' says how it ended."
COMMON = {"model": MODEL, "query": QUERY, "in": IN_MODEL, "seconds": SECONDS}

TOOLS = (
    Tool(
        "identify",
        "Identify a causal effect",
        "Decide whether a causal query can be computed from what is observed (or from given experiments and domains), "
        "and by which formula. 'identified' comes with the formula, a derivation whose every step was replayed by a "
        "separate checker, and a numerical check on random models; 'not_identified' comes with a hedge and two models "
        "that agree on everything observed and differ on the query.",
        schema_of(
            {
                **COMMON,
                "sources": SOURCES,
                "method": text_of("The method; the first that applies where left out.", METHODS),
            },
            ("model", "query"),
        ),
        _identify,
    ),
    Tool(
        "compute",
        "Compute a query in a given model",
        "The exact value of an observational, interventional or counterfactual query in a model whose mechanisms are "
        "all given: a number, a table, or the law of real variables; closed forms where there are parameters.",
        schema_of(COMMON, ("model", "query")),
        _compute,
    ),
    Tool(
        "estimate",
        "Estimate an effect from data",
        "Identify a query, then put the observed shares of the data into the formula: a number, or a table where the "
        "query has free variables. There is no confidence interval.",
        schema_of({**COMMON, "data": DATA}, ("model", "query", "data")),
        _estimate,
    ),
    Tool(
        "bound",
        "Bound an effect that is not identifiable",
        "Sharp lower and upper bounds of a query over all models that agree with the data, with two models that attain "
        "them; without data the bounds in closed form. The variables need values.",
        schema_of({**COMMON, "data": DATA, "sources": SOURCES}, ("model", "query")),
        _bound,
    ),
    Tool(
        "counterfactual",
        "What would have been",
        "Either a counterfactual query in a fully given model, such as P(Y[X = 1] = 1 | X = 0, Y = 0) ('query'); or "
        "what one sample seen in one domain would have been in another ('sample', 'from_domain', 'to_domain').",
        schema_of(
            {
                **COMMON,
                "sample": SAMPLE,
                "from_domain": text_of("The domain in which the sample was seen.", examples=["old"]),
                "to_domain": text_of("The domain that is asked about.", examples=["new"]),
            },
            ("model",),
            {"oneOf": [{"required": ["query"]}, {"required": ["sample", "from_domain", "to_domain"]}]},
        ),
        _counterfactual,
    ),
    Tool(
        "adjustment",
        "Find adjustment sets",
        "All minimal valid adjustment sets for the effect of treatments on outcomes, a smallest, and the optimal one; "
        "or the path that no set blocks. Front-door sets and instruments are told in the notes.",
        schema_of(
            {
                "model": MODEL,
                "treatments": listed("The variables that are set.", ["X"]),
                "outcomes": listed("The variables that are affected.", ["Y"]),
                "sources": SOURCES,
                "in": IN_MODEL,
                "seconds": SECONDS,
            },
            ("model", "treatments", "outcomes"),
        ),
        _adjustment,
    ),
    Tool(
        "independent",
        "Ask for an independence",
        "Whether the graph makes two variables independent given others (d-separation); if not, an open path.",
        schema_of(
            {
                "model": MODEL,
                "first": text_of("A variable.", examples=["X"]),
                "second": text_of("Another variable.", examples=["Y"]),
                "given": listed("The variables that are known.", ["Z"], least=0),
                "in": IN_MODEL,
                "seconds": SECONDS,
            },
            ("model", "first", "second"),
        ),
        _independent,
    ),
    Tool(
        "search_predictor",
        "Find a predictor that carries over",
        "The features whose prediction of an outcome has the least expected loss in its worst domain, when mechanisms "
        "declared 'mutable' (or given anew by domains) change; with that worst domain as a program.",
        schema_of(
            {
                "model": MODEL,
                "outcome": text_of("The variable to predict.", examples=["Y"]),
                "features": listed("The variables that may be used; the mutable ones must be among them.", ["A", "M"]),
                "loss": text_of("The loss; squared_loss where left out.", LOSSES),
                "domains": listed(
                    "Domains of the program; any change of the mutable mechanisms where left out.", ["new"]
                ),
                "in": IN_MODEL,
                "seconds": SECONDS,
            },
            ("model", "outcome", "features"),
        ),
        _search,
    ),
    Tool(
        "run_program",
        "Run a program",
        "Answer every statement of a whole program in suture's language.",
        schema_of(
            {
                "program": text_of(
                    "The program.", examples=["model Bow { X -> Y ; X <-> Y }\nidentify P(Y | do(X))\nshow Bow"]
                ),
                "seconds": SECONDS,
            },
            ("program",),
        ),
        _run,
        True,
    ),
    Tool(
        "explain_error",
        "Explain an error code",
        "What an error code such as S104 means, a program that makes it, and how to mend it.",
        schema_of({"code": text_of("The code.", examples=["S104"])}, ("code",)),
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}


# ---------------------------------------------------------------------------------------------------------------------
# What a call may read and cost


@dataclass(frozen=True, slots=True)
class Limits:
    """What every call is held to: its seconds, its bytes of arrays, and the one folder it may read files from."""

    seconds: float = 60.0
    bytes: int = 2 << 30
    folder: Path | None = None

    def task(self, asked: Asked, seconds: float | None) -> Task:
        """The task of a call.  Raises `SutureError` S025 where its program names a file that it may not read."""
        self._refuse_files(Source(asked.text, "<call>"))
        time = self.seconds if seconds is None else min(seconds, self.seconds)
        folder = None if self.folder is None else str(self.folder)
        return Task(asked.text, "<call>", folder, asked.lines, time, self.bytes, asked.frames)

    def _refuse_files(self, source: Source) -> None:
        for path, span in _files(source):
            if self.folder is None:
                help = "pass data as columns; the server was started without --folder"
                raise SutureError(Diagnostic("S025", "files are not read here", span, "names a file", help), source)
            whole = (self.folder / path).resolve()
            if not whole.is_relative_to(self.folder.resolve()):
                message = f"'{path}' lies outside the folder from which files are read"
                raise SutureError(Diagnostic("S025", message, span, "names a file", f"inside {self.folder}"), source)


def _files(source: Source) -> list[tuple[str, Span]]:
    """The files that a program names; none where it does not parse, since it is not run either."""
    try:
        statements = parse(source).statements
    except SutureError:
        return []
    origins = [each.origin for each in statements if isinstance(each, tree.Model | tree.Data)]
    return [(origin.path, origin.span) for origin in origins if isinstance(origin, tree.FilePath)]
