"""The `suture` command: a thin door onto `engine.run`.

Data go to stdout, the rest to stderr.  Exit codes: 0 fine; 1 an assertion failed, or a query is not identified under
`--strict`; 2 the program has errors or the call is wrong; 3 an optional dependency is missing; 130 interrupted.

Everything beyond argparse is imported by the command that needs it, so that `suture --version` stays quick.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .terminal.options import evidence, seconds, setting, size
from .terminal.program_files import drawn, folder_of, note_changes, put, source_of, write_whole
from .terminal.reports import (
    FAILED,
    FINE,
    INTERRUPTED,
    MISSING,
    PRINTERS,
    WRONG,
    lacks,
    report,
    report_assertion,
    report_broken,
)

if TYPE_CHECKING:
    from .dsl.exchange import Imported
    from .dsl.program import Domain, Model
    from .semantics.budget import Budget


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = parser().parse_args(arguments)
    # Starting a thread a core costs numpy a third of its import, and one-shot contractions are too small to use them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away; what is left to write goes nowhere, and that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except Exception as error:
        return _report_bug(error)
    return code


def _report_bug(error: Exception) -> int:
    """The last resort: an error that is ours, said as such; the traceback is shown where SUTURE_DEBUG is set."""
    if os.environ.get("SUTURE_DEBUG"):
        raise error
    print(f"error: suture failed on this input ({type(error).__name__}: {error})", file=sys.stderr)
    print("  = help: this is a bug in suture; SUTURE_DEBUG=1 shows where, please report it", file=sys.stderr)
    return WRONG


def parser() -> argparse.ArgumentParser:
    """The options of every command."""
    from . import __version__

    top = argparse.ArgumentParser(
        prog="suture", description="Causal questions in a small language, answered with a proof for every answer."
    )
    top.add_argument("--version", action="version", version=f"suture {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="answer every statement of a program"))
    _add_plan(commands.add_parser("plan", help="say what computing a query would cost, without computing it"))
    _add_infer(commands.add_parser("infer", help="compute the probabilities of variables, case by case from a table"))
    _add_files(commands.add_parser("check", help="find what is wrong with programs, without running them"), check)
    formatter = commands.add_parser("fmt", help="format programs in place; '-' formats stdin to stdout")
    formatter.add_argument("--check", action="store_true", help="only say which files would change (exit 1)")
    _add_files(formatter, fmt)
    _add_files(commands.add_parser("test", help="run the assertions of programs"), test)
    _add_show(commands.add_parser("show", help="draw the diagrams that a program shows, or its models"))
    _add_import(commands.add_parser("import", help="turn another tool's graph into a program"))
    _add_export(commands.add_parser("export", help="write a model in another tool's graph format"))
    explain_parser = commands.add_parser("explain", help="explain an error code")
    explain_parser.add_argument("code", nargs="?", help="such as S104; without it, all codes are listed")
    explain_parser.set_defaults(run=explain)
    repl_parser = commands.add_parser("repl", help="answer statements one by one, as they are typed")
    repl_parser.add_argument("file", nargs="?", help="a program to run first")
    repl_parser.set_defaults(run=repl)
    commands.add_parser("lsp", help="serve an editor: the language server, on stdin and stdout").set_defaults(run=lsp)
    _add_mcp(
        commands.add_parser("mcp", help="serve an agent: tools over the Model Context Protocol, on stdin and stdout")
    )
    commands.add_parser("schema", help="print the JSON Schema of answers").set_defaults(run=schema)
    commands.add_parser("doctor", help="say what is installed and what is missing").set_defaults(run=doctor)
    return top


def _add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="a program, or '-' for stdin")
    form = command.add_mutually_exclusive_group()
    for name, text in FORMS.items():
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)
    command.add_argument("--strict", action="store_true", help="exit 1 where a query is not identified")
    _add_budget(command, "each statement")
    command.set_defaults(run=run, form="text")


def _add_plan(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="a program, a network such as alarm.bif, or '-' for a program on stdin")
    command.add_argument("query", help='such as "P(Y | do(X = 1), Z)"')
    command.add_argument("--in", dest="model", help="which model, where there are several")
    command.add_argument(
        "--json", dest="form", action="store_const", const="json", help="the answer as one JSON object"
    )
    _add_budget(command, "the query")
    command.set_defaults(run=plan, form="text")


def _add_infer(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="a program, a network such as alarm.bif, or '-' for a program on stdin")
    command.add_argument("variables", nargs="*", metavar="VARIABLE", help="what to print; all where none is named")
    command.add_argument("--in", dest="model", help="which model, where there are several")
    command.add_argument("--cases", metavar="TABLE", help="a CSV or Parquet file of evidence, a row a case")
    command.add_argument("--given", action="append", type=evidence, metavar="X=x", default=[], help="evidence")
    command.add_argument("--do", action="append", type=setting, metavar="X[=x]", default=[], help="an intervention")
    command.add_argument("--path", choices=("auto", "numpy", "jax"), default="auto", help="at once, or compiled")
    command.add_argument("--device", help="what compiled programs run on: cpu, gpu, cpu:1, all")
    _add_budget(command, "the whole table")
    command.set_defaults(run=infer)


def _add_mcp(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", type=Path, help="let programs read files inside this folder; none without it")
    _add_budget(command, "each call (1 minute)")
    command.set_defaults(run=mcp)


def _add_budget(command: argparse.ArgumentParser, what: str) -> None:
    """The options `--time` and `--memory`, which `_budget` reads."""
    command.add_argument("--time", type=seconds, metavar="TIME", help=f"at most so long for {what}: 90, 90s, 5min, 2h")
    command.add_argument("--memory", type=size, metavar="SIZE", help="at most so much in arrays: 500M, 8G (4G)")


def _budget(options: argparse.Namespace) -> Budget:
    """The budget that the options ask for; where they are silent, the ordinary one."""
    from .semantics.budget import DEFAULT_BUDGET, Budget

    memory = DEFAULT_BUDGET.bytes if options.memory is None else options.memory
    return Budget(memory, DEFAULT_BUDGET.flops, options.time)


FORMS = {
    "text": "answers for a terminal (the default)",
    "json": "one JSON object, stable across versions",
    "latex": "the formulas as LaTeX, one a line",
    "svg": "the pictures that 'show' statements ask for",
}


def _add_files(command: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    command.add_argument("files", nargs="+", metavar="FILE", help="programs, or '-' for stdin")
    command.set_defaults(run=action)


def _add_show(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="a program, or '-' for stdin")
    command.add_argument("model", nargs="?", help="only this model, as it is")
    command.add_argument("-o", "--output", type=Path, help="write to FILE.svg, .png or .tex; without it SVG to stdout")
    command.add_argument("--graph", action="store_true", help="draw the plain causal graph, not the string diagram")
    command.set_defaults(run=show)


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="a graph, or '-' for stdin")
    command.add_argument(
        "--from", dest="format", help="dagitty, dot, lavaan, bif, xmlbif, net, xdsl, uai or gml; guessed where left out"
    )
    command.add_argument("--name", help="what to call the model")
    command.add_argument("-o", "--output", type=Path, help="write the program to a file; without it to stdout")
    command.set_defaults(run=import_)


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="a program, or '-' for stdin")
    command.add_argument("model", nargs="?", help="which model, where there are several")
    command.add_argument(
        "--to", dest="format", required=True, help="dagitty, dot, lavaan, bif, xmlbif, net, xdsl, uai or gml"
    )
    command.add_argument("-o", "--output", type=Path, help="write to a file; without it to stdout")
    command.set_defaults(run=export)


# ---------------------------------------------------------------------------------------------------------------------
# Commands


def run(options: argparse.Namespace) -> int:
    """`suture run FILE|-`."""
    from .dsl.diagnostics import SutureError
    from .engine import answers, read
    from .terminal.progress import Progress

    try:
        source = source_of(options.file)
        program = read(source, folder_of(options.file))
    except SutureError as error:
        return report_broken(error, options.form)
    if not program.statements:
        print(f"{source.name} asks nothing: it has no statement to answer", file=sys.stderr)
    printer = PRINTERS[options.form]
    note_changes(program)
    folder = folder_of(options.file)
    with Progress() as progress:
        found = progress.through(answers(program, folder, _budget(options), progress.started, progress.advanced))
        return printer(found, source, options.strict)


def plan(options: argparse.Namespace) -> int:
    """`suture plan FILE QUERY [--in MODEL] [--json]`: what computing a query would cost, without computing it."""
    from .answers.planning import planned_answer
    from .dsl.diagnostics import SutureError
    from .dsl.resolve import read_query
    from .semantics.budget import limited

    try:
        model, domains = _model_of(options.file, options.model)
        query = read_query(options.query, model)
        with limited(_budget(options)):
            answer = planned_answer(model, query.text, query.formula, domains)
    except SutureError as error:
        return report_broken(error, options.form)
    if options.form == "json":
        import json

        print(json.dumps(answer.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(answer)
    return FINE


def infer(options: argparse.Namespace) -> int:
    """`suture infer FILE [VARIABLE ..] [--cases TABLE] [--given X=x] [--do X=x]`: a line of probabilities a case."""
    from .dsl.diagnostics import SutureError
    from .inference import Engine
    from .library import Model as Face
    from .semantics.budget import limited
    from .terminal.casewise import Cases, read_columns, write_probabilities
    from .terminal.progress import Progress

    try:
        model, _ = _model_of(options.file, options.model)
        columns = {} if options.cases is None else read_columns(options.cases)
        cases = Cases(dict(options.given), dict(options.do), columns)
        engine = Engine(Face.of(model), options.path, options.device)
        with limited(_budget(options)), Progress() as progress:
            if not sys.stdout.isatty():
                progress.began("computing probabilities")
            impossible = write_probabilities(engine, cases, options.variables, sys.stdout, progress.advanced)
    except SutureError as error:
        return report(error)
    if impossible:
        shown = ", ".join(map(str, impossible[:10])) + (", .." if len(impossible) > 10 else "")
        print(f"note: the evidence of {len(impossible)} case(s) has probability 0: {shown}", file=sys.stderr)
    return FINE


def _model_of(file: str, name: str | None) -> tuple[Model, dict[str, Domain]]:
    """A model of a program with its domains, or the one in another tool's file."""
    from .answers.evidence import domains_of
    from .answers.pictures import chosen_model
    from .dsl.exchange import format_of_file, import_file
    from .engine import read

    if file != "-" and format_of_file(file.removesuffix(".gz")) is not None:
        return import_file(file).model, {}
    program = read(source_of(file), folder_of(file))
    model = chosen_model(program, name)
    return model, domains_of(program, model.name)


def check(options: argparse.Namespace) -> int:
    """`suture check FILE ..`."""
    from .dsl.diagnostics import SutureError
    from .dsl.program_files import read_program

    code = FINE
    for name in options.files:
        try:
            note_changes(read_program(source_of(name), folder_of(name)))
        except SutureError as error:
            code = max(code, report(error))
    return code


def fmt(options: argparse.Namespace) -> int:
    """`suture fmt [--check] FILE ..`; a file with errors is left as it is."""
    from .dsl.diagnostics import SutureError
    from .dsl.printer import format_source

    code = FINE
    for name in options.files:
        try:
            source = source_of(name)
            formatted = format_source(source)
        except SutureError as error:
            code = max(code, report(error))
            continue
        if options.check:
            if formatted != source.text:
                print(f"would reformat {source.name}")
                code = max(code, FAILED)
        elif name == "-":
            sys.stdout.write(formatted)
        elif formatted != source.text:
            code = max(code, write_whole(Path(name), formatted.encode()))
    return code


def test(options: argparse.Namespace) -> int:
    """`suture test FILE ..`: the assertions alone, a line each, and a summary."""
    from .answers.answer_data import Status
    from .dsl.diagnostics import SutureError
    from .dsl.program import Assert
    from .engine import Session, read

    code, passed, failed = FINE, 0, 0
    for name in options.files:
        try:
            source = source_of(name)
            program = read(source, folder_of(name))
        except SutureError as error:
            code = max(code, report(error))
            continue
        session = Session(program, folder_of(name))
        for statement in program.statements:
            if isinstance(statement, Assert):
                for answer in session.answer(statement):
                    good = answer.status is Status.HOLDS
                    passed, failed = passed + good, failed + (not good)
                    code = max(code, report_assertion(answer, source))
    print(f"{passed} passed, {failed} failed")
    return code


def show(options: argparse.Namespace) -> int:
    """`suture show FILE [MODEL] [-o PICTURE] [--graph]`."""
    from .answers.pictures import program_scene
    from .dsl.diagnostics import SutureError
    from .engine import read

    try:
        program = read(source_of(options.file), folder_of(options.file))
        scene = program_scene(program, options.model, options.graph)
        content = drawn(scene, options.output)
    except SutureError as error:
        return report(error)
    if options.output is None:
        sys.stdout.write(content.decode())
        return FINE
    return write_whole(options.output, content)


def import_(options: argparse.Namespace) -> int:
    """`suture import FILE [--from FORMAT]`: the program on stdout, what was changed or left out on stderr."""
    from .dsl.diagnostics import SutureError

    try:
        found = _imported(options)
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)
        text = found.program_text
    except SutureError as error:
        return report(error)
    return put(text, options.output)


def _imported(options: argparse.Namespace) -> Imported:
    from .dsl.exchange import import_file, import_graph

    if options.file == "-":
        return import_graph(source_of(options.file), options.format, options.name)
    return import_file(options.file, options.format, options.name)


def export(options: argparse.Namespace) -> int:
    """`suture export FILE [MODEL] --to FORMAT`."""
    from .answers.pictures import chosen_model
    from .dsl.diagnostics import SutureError
    from .dsl.exchange import export_graph, left_out
    from .engine import read

    try:
        model = chosen_model(read(source_of(options.file), folder_of(options.file)), options.model)
        text, dropped = export_graph(model, options.format), left_out(model, options.format)
    except SutureError as error:
        return report(error)
    for note in dropped:
        print(f"note: {note}", file=sys.stderr)
    return put(text, options.output)


def explain(options: argparse.Namespace) -> int:
    """`suture explain [CODE]`."""
    from .dsl.diagnostics import did_you_mean
    from .dsl.explanations import codes, explain

    if options.code is None:
        print("\n".join((explain(code) or "").split("\n")[0] for code in codes()))
        return FINE
    page = explain(options.code)
    if page is None:
        hint = did_you_mean(options.code.upper(), codes())
        print(f"there is no error code {options.code!r}{'; ' + hint if hint else ''}", file=sys.stderr)
        return WRONG
    print(page)
    return FINE


def repl(options: argparse.Namespace) -> int:
    """`suture repl [FILE]`: a session at the terminal."""
    from . import __version__
    from .terminal.repl import main as converse

    return converse(__version__, options.file)


def lsp(options: argparse.Namespace) -> int:
    """`suture lsp`: the language server; editors start it."""
    del options
    if lacks("pygls", "lsp", "the language server"):
        return MISSING
    from .servers.language_server import main as serve

    return serve()


def mcp(options: argparse.Namespace) -> int:
    """`suture mcp [--folder DIR] [--time TIME] [--memory SIZE]`: the tools of an agent; agents start it."""
    if lacks("mcp", "mcp", "the server of agents' tools"):
        return MISSING
    from .servers.agent_tools import Limits
    from .servers.mcp_server import main as serve

    if options.folder is not None and not options.folder.is_dir():
        print(f"error: {options.folder} is no folder", file=sys.stderr)
        return WRONG
    chosen = {"seconds": options.time, "bytes": options.memory, "folder": options.folder and options.folder.resolve()}
    serve(Limits(**{name: value for name, value in chosen.items() if value is not None}))
    return FINE


def schema(options: argparse.Namespace) -> int:
    """`suture schema`: the JSON Schema that the output of `suture run --json` keeps to."""
    from .answers.schema import schema_text

    del options
    sys.stdout.write(schema_text())
    return FINE


def doctor(options: argparse.Namespace) -> int:
    """`suture doctor`: what is installed, and how to get what is not."""
    from .terminal.doctor import findings

    del options
    found = list(findings())
    width = max(len(finding.name) for finding in found)
    for finding in found:
        print(f"{'ok     ' if finding.good else 'missing'} {finding.name:<{width}}  {finding.detail}")
    return MISSING if any(finding.needed and not finding.good for finding in found) else FINE


if __name__ == "__main__":
    sys.exit(main())
