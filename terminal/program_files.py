"""The programs and pictures that the command reads and writes: paths, `-` for stdin, files written whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .reports import FINE, WRONG

if TYPE_CHECKING:
    from ..dsl.drawing.scene import Scene
    from ..dsl.program import Program
    from ..dsl.source import Source


def source_of(name: str) -> Source:
    """The program of a path or of stdin; raises `SutureError` where it cannot be read."""
    from ..dsl.files import decode, read_file

    if name == "-":
        return decode(sys.stdin.buffer.read(), "<stdin>")
    return read_file(Path(name))


def folder_of(name: str) -> Path | None:
    """The folder that a program's paths are taken from; None for stdin."""
    return None if name == "-" else Path(name).parent


def note_changes(program: Program) -> None:
    """Tell what was changed or left out of networks that models come from."""
    for model in program.models.values():
        for note in model.notes:
            print(f"note: in {model.name}, {note}", file=sys.stderr)


def drawn(scene: Scene, output: Path | None) -> bytes:
    """The picture in the format that the file name asks for."""
    from ..dsl.diagnostics import Diagnostic, SutureError
    from ..dsl.drawing import png, svg, tikz

    suffix = ".svg" if output is None else output.suffix.lower()
    match suffix:
        case ".svg":
            return svg(scene).encode()
        case ".png":
            return png(scene)
        case ".tex":
            return tikz(scene).encode()
        case _:
            message = f"pictures are written as .svg, .png or .tex, not as '{suffix or output}'"
            raise SutureError(Diagnostic("S009", message, help="name the file after one of them"))


def write_whole(path: Path, content: bytes) -> int:
    """Write a file whole or not at all: beside it first, then in its place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        print(f"cannot write {path}: {error.strerror}", file=sys.stderr)
        return WRONG
    return FINE


def put(text: str, output: Path | None) -> int:
    """Text to a file, or to stdout."""
    if output is not None:
        return write_whole(output, text.encode())
    sys.stdout.write(text)
    return FINE
