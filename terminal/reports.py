"""What the command prints of answers and errors, and what each does to its exit code.

Data go to stdout, the rest to stderr.  Exit codes: 0 fine; 1 an assertion failed, or a query is not identified under
`--strict`; 2 the program has errors or the call is wrong; 3 an optional dependency is missing; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..answers.answer import Answer
    from ..dsl.diagnostics import SutureError
    from ..dsl.source import Source

FINE, FAILED, WRONG, MISSING, INTERRUPTED = 0, 1, 2, 3, 130
# Graphviz' libraries do not load; DuckDB is not there for files; another package that something needs is not.
MISSING_DEPENDENCY = ("S601", "S604", "S605")


def print_text(found: Iterable[Answer], source: Source, strict: bool) -> int:
    """Every answer as text, each as soon as it is there."""
    from ..answers.report import answer_text

    code = FINE
    for number, answer in enumerate(found):
        if number:
            print()
        print(answer_text(answer))
        sys.stdout.flush()
        code = max(code, verdict(answer, strict))
        if answer.error is not None:
            report_answer_error(answer, source)
    return code


def print_json(found: Iterable[Answer], source: Source, strict: bool) -> int:
    """All answers as one JSON object."""
    import json

    from ..answers.answer import Answers

    every = Answers(found)
    print(json.dumps(every.to_dict(), indent=2, ensure_ascii=False))
    return max((verdict(answer, strict) for answer in every), default=FINE)


def print_latex(found: Iterable[Answer], source: Source, strict: bool) -> int:
    """The formulas as LaTeX, one a line."""
    code = FINE
    for answer in found:
        if answer.estimand is not None:
            print(answer.estimand.latex)
        code = max(code, verdict(answer, strict))
        if answer.error is not None:
            report_answer_error(answer, source)
    return code


def print_svg(found: Iterable[Answer], source: Source, strict: bool) -> int:
    """The pictures that answers have."""
    code = FINE
    for answer in found:
        drawn = answer.svg()
        if drawn is not None:
            print(drawn)
        code = max(code, verdict(answer, strict))
        if answer.error is not None:
            report_answer_error(answer, source)
    return code


PRINTERS = {"text": print_text, "json": print_json, "latex": print_latex, "svg": print_svg}


def report_assertion(answer: Answer, source: Source) -> int:
    """A failed assertion with its place; the exit code of it."""
    from ..answers.answer_data import Status

    if answer.error is not None:
        return report_answer_error(answer, source)
    if answer.status is Status.HOLDS:
        return FINE
    from ..answers.report import answer_text

    print(f"{source.name}:{answer.line}: assertion failed")
    print(answer_text(answer))
    return FAILED


def verdict(answer: Answer, strict: bool) -> int:
    """What an answer does to the exit code."""
    from ..answers.answer_data import Status

    if answer.error is not None:
        return code_of(answer.error.code)
    if answer.statement == "assert" and answer.status is not Status.HOLDS:
        return FAILED
    if strict and answer.status in (Status.NOT_IDENTIFIED, Status.UNDECIDED):
        return FAILED
    return FINE


def code_of(code: str) -> int:
    """Missing dependencies have an exit code of their own."""
    return MISSING if code in MISSING_DEPENDENCY else WRONG


def report(error: SutureError) -> int:
    """The diagnostics of an error on stderr; the exit code of it."""
    print(error.render(), file=sys.stderr)
    return max(code_of(diagnostic.code) for diagnostic in error.diagnostics)


def report_broken(error: SutureError, form: str) -> int:
    """A program that cannot be run: the diagnostics on stderr, and under --json as an object on stdout too."""
    if form == "json":
        import json

        from ..answers.answer_data import VERSION

        errors = [diagnostic.to_dict() for diagnostic in error.diagnostics]
        print(json.dumps({"suture": VERSION, "answers": [], "errors": errors}, indent=2, ensure_ascii=False))
    return report(error)


def report_answer_error(answer: Answer, source: Source) -> int:
    """The error that an answer carries, on stderr; the exit code of it."""
    from ..dsl.diagnostics import render

    assert answer.error is not None
    sys.stdout.flush()
    print(render(answer.error, source), file=sys.stderr)
    return code_of(answer.error.code)


def lacks(package: str, extra: str, what: str) -> bool:
    """Whether a package that an extra brings is missing; if so, how to get it is said on stderr."""
    from importlib.util import find_spec

    if find_spec(package) is not None:
        return False
    print(f"error: {what} needs the package {package}, which is not installed", file=sys.stderr)
    print(f"  = help: pip install 'suture[{extra}]'", file=sys.stderr)
    return True
