"""CSV and Parquet files as tables, read by DuckDB; whatever is wrong with a file becomes one diagnostic."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ...dsl.diagnostics import Diagnostic, SutureError, did_you_mean
from ...dsl.source import Span
from .tables import Relation, quoted

PARQUET = (".parquet", ".pq")
SEPARATORS = (",", ";", "\t", "|")
MAGIC = b"PAR1"


def open_file(path: Path, span: Span | None = None) -> Relation:
    """The table in a CSV (plain or gzip; comma, semicolon, tab or bar) or Parquet file.

    Raises `SutureError`: S310 not found, S311 a directory or not readable, S305 a row of another length, S306 empty,
    S307 a column listed twice, S312 broken or ending in the middle, S604 where DuckDB is missing.
    """
    start = _start(path, span)
    connection = _connect()
    if path.suffix.lower() in PARQUET or start == MAGIC:
        return _parquet(path, connection, span)
    return _csv(path, connection, span)


def _start(path: Path, span: Span | None) -> bytes:
    """The first bytes of the file, once it is known that there is one with something in it."""
    if path.is_dir():
        problem = Diagnostic("S311", f"{path} is a directory, not a data file", span, "", "name a CSV or Parquet file")
        raise SutureError(problem)
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except (FileNotFoundError, NotADirectoryError):
        hint = did_you_mean(path.name, _beside(path)) or "a relative path is taken from the program's folder"
        raise SutureError(Diagnostic("S310", f"there is no file {path}", span, "not found", hint)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SutureError(Diagnostic("S311", f"{path} cannot be read: {reason}", span)) from None
    if not start:
        raise SutureError(Diagnostic("S306", f"{path} is empty", span, "no columns", _HEADER))
    return start


_HEADER = "the first row of a CSV file names its columns"


def _beside(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def _connect() -> Any:
    try:
        import duckdb
    except ImportError:
        message = "reading data files needs the package duckdb, which is not installed"
        raise SutureError(Diagnostic("S604", message, help="pip install duckdb")) from None
    return duckdb.connect(":memory:")


def _run(connection: Any, sql: str, path: Path, span: Span | None) -> list[tuple[Any, ...]]:
    """Run a query; what DuckDB objects to in the file becomes a diagnostic."""
    import duckdb

    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as error:
        raise SutureError(_broken(str(error), path, span)) from None


def _broken(said: str, path: Path, span: Span | None) -> Diagnostic:
    line = re.search(r"CSV Error on Line: (\d+)", said)
    row = f"line {line[1]} of {path}" if line else str(path)
    cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    if cells:
        hint = "the file may end in the middle of a row, or a cell with a separator in it lacks quotes"
        return Diagnostic("S305", f"{row} has {cells[2]} cells for {cells[1]} columns", span, "", hint)
    if "unicode" in said.lower() or "utf-8" in said.lower():
        return Diagnostic("S312", f"{row} is not UTF-8 text", span, "", "save the file as UTF-8")
    if "unterminated quote" in said:
        hint = "the file may end in the middle; a quote inside a quoted cell is written twice"
        return Diagnostic("S312", f"{row} opens a quote that is never closed", span, "", hint)
    if "magic bytes" in said or "too small to be a Parquet" in said:
        hint = "it may be cut off in the middle: fetch or write it again"
        return Diagnostic("S312", f"{path} is not a complete Parquet file", span, "", hint)
    first = said.splitlines()[0] if said else "unknown error"
    return Diagnostic("S312", f"{path} cannot be read as a table: {first}", span)


def _parquet(path: Path, connection: Any, span: Span | None) -> Relation:
    source = f"read_parquet({_literal(path)})"
    described = _run(connection, f"DESCRIBE SELECT * FROM {source}", path, span)
    columns = [str(row[0]) for row in described]
    _run(connection, f"CREATE VIEW rows AS SELECT * FROM {source}", path, span)
    counted = _run(connection, "SELECT count(*) FROM rows", path, span)
    if not counted[0][0]:
        raise SutureError(Diagnostic("S306", f"{path} has no rows", span, "only columns"))
    return Relation(path.name, connection, columns, partial(_broken, path=path, span=span))


def _csv(path: Path, connection: Any, span: Span | None) -> Relation:
    header, separator = _header(path, span)
    typed = ", ".join(f"{_text(column)}: 'VARCHAR'" for column in header)
    options = f"header=true, auto_detect=false, delim={_text(separator)}, quote='\"', escape='\"', strict_mode=true"
    source = f"read_csv({_literal(path)}, {options}, null_padding=false, columns={{{typed}}})"
    trimmed = ", ".join(f"trim({quoted(column)}) AS {quoted(column)}" for column in header)
    _run(connection, f"CREATE TABLE rows AS SELECT {trimmed} FROM {source}", path, span)
    if not _run(connection, "SELECT count(*) FROM rows", path, span)[0][0]:
        raise SutureError(Diagnostic("S306", f"{path} has no rows", span, "only its columns are named"))
    return Relation(path.name, connection, header, partial(_broken, path=path, span=span))


def _header(path: Path, span: Span | None) -> tuple[Sequence[str], str]:
    """The names of the columns, and the separator that most often stands between them."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            line = file.readline(1 << 20)
        separator = max(SEPARATORS, key=line.count)
        found = next(csv.reader([line], delimiter=separator), [])
    except UnicodeDecodeError:
        raise SutureError(_broken("utf-8", path, span)) from None
    except (OSError, EOFError, csv.Error) as error:
        raise SutureError(Diagnostic("S312", f"{path} cannot be read as a table: {error}", span)) from None
    columns = [cell.strip() for cell in found]
    if not any(columns):
        raise SutureError(Diagnostic("S306", f"{path} is empty", span, "no columns", _HEADER))
    for place, column in enumerate(columns):
        if column in columns[:place]:
            raise SutureError(Diagnostic("S307", f"column '{column}' is listed twice in {path}", span, "again"))
    return columns, separator


def _literal(path: Path) -> str:
    """A path in SQL; characters that would make it a pattern of several files are escaped."""
    return _text(re.sub(r"([*?\[])", r"[\1]", str(path)))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
