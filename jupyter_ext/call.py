"""What a magic is called with: options before a statement, or beside the cell's mark."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from IPython.core.error import UsageError

from ..dsl.explanations import explain
from ..dsl.syntax_errors import STATEMENTS
from ..semantics.budget import DEFAULT_BUDGET, Budget
from ..terminal.options import seconds, size

FORMATS = ("text", "html", "latex", "json", "svg")
# The first word of a statement, which no option takes as its value.
STATEMENT = re.compile(rf"(?:^|(?<=\s))(?<!-o )(?<!-i )(?:{'|'.join(STATEMENTS)})\b(?!\s*=)")


@dataclass(frozen=True, slots=True)
class Call:
    """The options of one call, and the statement of a line."""

    statement: str = ""
    out: str | None = None
    inputs: tuple[str, ...] = ()
    form: str | None = None
    budget: Budget | None = None
    reset: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog}?")


def _parser(name: str) -> _Parser:
    parser = _Parser(prog=name, add_help=False)
    parser.add_argument("-o", "--out", type=_python_name)
    parser.add_argument("-i", "--input", action="extend", nargs="+", type=_python_names, default=[])
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--time", type=seconds)
    parser.add_argument("--memory", type=size)
    parser.add_argument("--reset", action="store_true")
    return parser


def cell_call(line: str) -> Call:
    """The call of `%%suture` with the rest of its first line.

    >>> cell_call("-o answer -i frame other --time 10s").inputs
    ('frame', 'other')
    """
    return _call("%%suture", line, "")


def line_call(line: str) -> Call:
    """The call of `%suture`: options end where the first statement begins.

    >>> line_call("-o answer identify P(Y | do(X))").statement
    'identify P(Y | do(X))'
    """
    found = STATEMENT.search(line)
    start = len(line) if found is None else found.start()
    return _call("%suture", line[:start], line[start:])


def explained(codes: Sequence[str]) -> str:
    """The pages of error codes; raises `UsageError` for a code that is none."""
    pages: list[str] = []
    for code in codes or ("",):
        page = explain(code)
        if page is None:
            raise UsageError(f"%suture explain takes a code such as S104, not {code!r}")
        pages.append(page)
    return "\n\n".join(pages)


def _call(name: str, options: str, statement: str) -> Call:
    try:
        words = shlex.split(options)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    read = _parser(name).parse_args(_refused(name, words))
    budget = None
    if read.time is not None or read.memory is not None:
        budget = Budget(DEFAULT_BUDGET.bytes if read.memory is None else read.memory, DEFAULT_BUDGET.flops, read.time)
    inputs = tuple(dict.fromkeys(each for names in read.input for each in names))
    return Call(statement, read.out, inputs, read.format, budget, read.reset)


def _refused(name: str, words: Sequence[str]) -> Sequence[str]:
    """The words, unless one can only be the beginning of a statement."""
    if words and not words[0].startswith("-"):
        advice = f"a statement starts with one of: {', '.join(STATEMENTS)}"
        if name == "%%suture":
            advice = "the program stands in the lines below"
        raise UsageError(f"{name} takes options only, not {words[0]!r}: {advice}")
    return words


def _python_name(text: str) -> str:
    if not text.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is no name of Python")
    return text


def _python_names(text: str) -> list[str]:
    return [_python_name(part) for part in text.split(",") if part]
