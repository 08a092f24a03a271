"""Programs whose models may lie in files of their own: `model Alarm from "alarm.bif"`.

The network is read by its format's own reader, so an error in it is told at its place in that file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import tree
from .diagnostics import SutureError
from .parser import parse
from .program import Model, Program
from .resolve import resolve
from .source import Source

if TYPE_CHECKING:
    from .exchange.program_text import Imported


def read_program(source: Source, folder: str | Path | None = None) -> Program:
    """Parse and resolve; relative paths of networks are taken from `folder`, without it from the current one.

    Raises `SutureError` with every diagnostic of the phase that failed, or with what is wrong in a network's file.
    """
    return resolve(parse(source), source, networks_in(folder))


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None where it cannot be asked."""
    try:
        told = path.stat()
    except (OSError, ValueError):
        return None
    return told.st_mtime_ns, told.st_size


@lru_cache(maxsize=8)
def _imported(path: Path, name: str, _: tuple[int, int] | None) -> Imported:
    """The network of a file as it is now; a program in cells asks for it again with every cell."""
    from .exchange.network_files import import_file

    return import_file(path, name=name)


def networks_in(folder: str | Path | None) -> Callable[[tree.Model], Model]:
    """A reader of the networks that models of a program in `folder` name."""

    def network(model: tree.Model) -> Model:
        assert model.origin is not None
        try:
            path = Path(folder or ".") / model.origin.path
            found = _imported(path, model.name.text, _stamp(path))
        except SutureError as error:
            if error.source is not None:
                raise
            raise SutureError(replace(part, span=model.origin.span) for part in error.diagnostics) from None
        return replace(found.model, name=model.name.text, span=model.span)

    return network
