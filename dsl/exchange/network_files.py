"""Graphs and networks in files: found by name, unpacked where they are gzipped, decoded as they say."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from ..diagnostics import Diagnostic, SutureError
from ..files import decode, read_bytes
from ..source import Source
from .formats import format_of_file, import_graph
from .program_text import Imported
from .reading import LONGEST_NETWORK

GZIP = b"\x1f\x8b"
DECLARED = re.compile(rb"\s*<\?xml\b[^>]*\bencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.I)


def import_file(path: str | Path, format: str | None = None, name: str | None = None) -> Imported:
    """The model in a file of another tool's format, told by `format`, the file's name or its text, in this order.

    A gzipped file is unpacked.  Raises `SutureError`: S001, S002 and S003 for a file that cannot be read, and what
    `import_graph` raises, with its place in the file.
    """
    source = read_network_file(path)
    found = format or format_of_file(str(path).removesuffix(".gz"))
    return import_graph(source, found, name)


def read_network_file(path: str | Path) -> Source:
    """The text of a file.  Raises `SutureError` as `import_file` does."""
    content = read_bytes(path)
    if content.startswith(GZIP):
        content = _unpacked(content, str(path))
    declared = DECLARED.match(content[:400])
    if declared:
        try:
            return Source(content.decode(declared[1].decode()), str(path))
        except (LookupError, UnicodeDecodeError):
            message = f"{path} is not in the encoding that it names, {declared[1].decode()}"
            raise SutureError(Diagnostic("S003", message, help="save the file as UTF-8")) from None
    return decode(content, str(path))


def _unpacked(content: bytes, name: str) -> bytes:
    """The content of a gzipped file, unpacked no further than a network may be long."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(content, 4 * LONGEST_NETWORK + 1)
    except zlib.error as error:
        message = f"{name} cannot be unpacked: {error}"
        raise SutureError(Diagnostic("S002", message, help="it may be cut off: fetch or write it again")) from None
    if not unpacking.eof:
        message = f"{name} is cut off in the middle, or longer than {LONGEST_NETWORK:,} characters"
        raise SutureError(Diagnostic("S002", message, help="fetch or write it again"))
    return found
