"""Reading a program's text from a file, with a diagnostic for whatever is in the way."""

from __future__ import annotations

from pathlib import Path

from .diagnostics import Diagnostic, SutureError
from .source import Source, Span


def read_file(path: str | Path) -> Source:
    """The program in a file.

    Raises `SutureError`: S001 not found, S002 not a readable file, S003 not UTF-8 (with the place of the first wrong
    byte).
    """
    return decode(read_bytes(path), str(path))


def read_bytes(path: str | Path) -> bytes:
    """The content of a file; raises `SutureError` (S001, S002) as `read_file` does."""
    name = str(path)
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SutureError(_missing(Path(path))) from None
    except IsADirectoryError:
        raise SutureError(Diagnostic("S002", f"{name} is a directory, not a file", help="name a file")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SutureError(Diagnostic("S002", f"{name} cannot be read: {reason}")) from None


def decode(content: bytes, name: str) -> Source:
    """The program in `content`: UTF-8, with or without a byte order mark, with any line ends.

    Raises `SutureError` (S003) where the bytes are not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SutureError(_not_utf8(content, error, name), Source("", name)) from None
    return Source(text if "\n" in text else text.replace("\r", "\n"), name)


def _missing(path: Path) -> Diagnostic:
    from .diagnostics import did_you_mean

    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    return Diagnostic("S001", f"{path} does not exist", help=did_you_mean(path.name, beside))


def _not_utf8(content: bytes, error: UnicodeDecodeError, name: str) -> Diagnostic:
    before = content[: error.start]
    line = before.count(b"\n") + 1
    utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    advice = "it looks like UTF-16: " if utf16 else ""
    return Diagnostic(
        "S003",
        f"{name} is not UTF-8 text: byte 0x{content[error.start]:02x} at offset {error.start}, line {line}",
        help=f"{advice}save the file as UTF-8",
    )


def whole(source: Source) -> Span:
    """The first character of a program, for what concerns all of it."""
    return Span(0, min(1, len(source.text)), 1, 1)
