"""From text to the surface tree.

A text that parses is read in one run of the LALR parser of `suture.lark`.  One that does not is cut into statements
(`recovery.py`), so that every error is told once, in the user's words (`syntax_errors.py`).
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from lark import Lark
from lark.exceptions import UnexpectedInput

from . import tree
from .builder import build
from .diagnostics import Diagnostic, SutureError
from .files import whole
from .grammar import load_parser
from .layout import LIMIT, Layout, too_deep
from .recovery import diagnose
from .source import Source, Span
from .syntax_errors import describe, span_at

DEPTH = LIMIT
LONGEST = 2_000_000
STARTS = ("program", "inside", "statement", "item", "replacement", "data_row", "question")
COMMENTS = re.compile(r'"[^"\n]*"|(?P<comment>#[^\n]*)')


def parse(source: Source) -> tree.Program:
    """The surface tree of a program.

    Raises `SutureError` with every syntax error of the program (S004 to S018).

    >>> parse(Source("model M { X -> Y }")).statements[0].name
    Name(text='M')
    """
    _check_length(source)
    try:
        program: tree.Program = _parse(source.text, "program", source)
    except (UnexpectedInput, SutureError) as error:
        raise SutureError(_every_error(source, error), source) from None
    deep = [problem for problem in map(depth_problem, program.statements) if problem]
    if deep:
        raise SutureError(deep, source)
    return replace(program, comments=comments(source.text))


def parse_inside(source: Source) -> tuple[tree.Item, ...]:
    """The items of a model written without `model NAME { }` around them.

    Raises `SutureError` with every syntax error.
    """
    _check_length(source)
    try:
        items: tuple[tree.Item, ...] = _parse(source.text, "inside", source)
    except (UnexpectedInput, SutureError) as error:
        raise SutureError(_every_error(source, error, "item"), source) from None
    deep = [problem for problem in map(depth_problem, items) if problem]
    if deep:
        raise SutureError(deep, source)
    return items


def parse_expression(source: Source) -> tree.Expression:
    """The surface tree of one expression, such as a query's.

    Raises `SutureError` with the first syntax error.
    """
    _check_length(source)
    try:
        expression: tree.Expression = _parse(source.text, "question", source)
    except UnexpectedInput as error:
        raise SutureError(describe(error, source.text), source) from None
    except SutureError as error:
        raise SutureError(error.diagnostics, source) from None
    deep = depth_problem(expression)
    if deep:
        raise SutureError(deep, source)
    return expression


def comments(text: str) -> tuple[tree.Comment, ...]:
    """Every comment of a text, in order."""
    found: list[tree.Comment] = []
    line, seen = 1, 0
    for match in COMMENTS.finditer(text):
        if match.group("comment") is None:
            continue
        start = match.start()
        line += text.count("\n", seen, start)
        seen = start
        column = start - (text.rfind("\n", 0, start) + 1) + 1
        found.append(tree.Comment(match.group().rstrip(), Span(start, match.end(), line, column)))
    return tuple(found)


@cache
def _parser() -> Lark:
    return load_parser("suture.lark", STARTS, lexer="contextual", postlex=Layout(), propagate_positions=True)


def _parse(text: str, start: str, source: Source | None = None) -> Any:
    return build(_parser().parse(text, start=start), source)


def _check_length(source: Source) -> None:
    if len(source.text) > LONGEST:
        problem = Diagnostic(
            "S004",
            f"a program has at most {LONGEST:,} characters; this one has {len(source.text):,}",
            whole(source),
            "too long",
            'keep data in a CSV or Parquet file: data NAME of MODEL from "file.csv"',
        )
        raise SutureError(problem, source)


def _every_error(
    source: Source, first: UnexpectedInput | SutureError, rule: str = "statement"
) -> tuple[Diagnostic, ...]:
    found = diagnose(source.text, lambda part, text, shift: _attempt(source.text, part, text, shift), rule)
    if found:
        return found
    return first.diagnostics if isinstance(first, SutureError) else (describe(first, source.text),)


def _attempt(text: str, rule: str, part: str, shift: int) -> Diagnostic | None:
    """What is wrong with a part of the text, which starts at `shift`, as an instance of a grammar rule."""
    try:
        _parse(part, rule)
    except UnexpectedInput as error:
        return describe(error, text, shift, shift + len(part))
    except SutureError as error:
        problem = error.diagnostics[0]
        place = problem.span
        moved = place and span_at(text, place.start + shift, place.end + shift)
        return replace(problem, span=moved)
    return None


def depth_problem(node: Any) -> Diagnostic | None:
    """The diagnostic (S005) of a tree nested deeper than `DEPTH`, else None; needs no recursion itself."""
    waiting: list[tuple[Any, int]] = [(node, 0)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend((below, depth) for below in part)
        elif is_dataclass(part) and not isinstance(
            part, Span | tree.Label | tree.Name | tree.Number | tree.InlineTable
        ):
            if depth > DEPTH:
                return too_deep(getattr(part, "span", tree.NOWHERE), DEPTH)
            waiting.extend((getattr(part, entry.name), depth + 1) for entry in fields(part))
    return None
