"""Programs as tests write them: text in, values of their `compute` statements out."""

from __future__ import annotations

from typing import Any

from suture.dsl.diagnostics import SutureError
from suture.dsl.parser import parse
from suture.dsl.program import Compute, Program
from suture.dsl.resolve import resolve
from suture.dsl.source import Source
from suture.semantics.compute import compute
from suture.semantics.factors import NamedTable


def program(text: str) -> Program:
    source = Source(text, "t.suture")
    return resolve(parse(source), source)


def tables(text: str) -> list[NamedTable]:
    """The table of every query of the `compute` statements, in order."""
    made = program(text)
    return [
        compute(query, made.models[query.model], made.domains)
        for statement in made.statements
        if isinstance(statement, Compute)
        for query in statement.queries
    ]


def values(text: str) -> list[Any]:
    return [table.item() for table in tables(text)]


def message(text: str) -> str:
    """The whole rendered text of the error that computing a program gives."""
    source = Source(text, "t.suture")
    try:
        tables(text)
    except SutureError as error:
        error.source = error.source or source
        return error.render()
    raise AssertionError("no error")
