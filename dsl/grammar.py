"""LALR parsers from the grammar files beside this module, their tables kept in a private cache.

Building the tables of `suture.lark` costs about 170 ms of CPU, loading them 15 ms, so they are kept in the user's cache
folder.  The cache is a pickle: it is used only where the folder belongs to the user and nobody else may write to it.
Where no such folder can be had, the tables are built anew; a damaged or outdated file is replaced (Lark keys it by the
grammar's text).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lark import Lark

FOLDER = Path(__file__).parent


def load_parser(file: str, start: Sequence[str], **options: Any) -> Lark:
    """The parser of the grammar in `file`, a name in this folder, for the given start rules."""
    cache = cache_folder()
    kept: str | bool = str(cache / f"{Path(file).stem}.tables") if cache else False
    text = (FOLDER / file).read_text(encoding="utf-8")
    return Lark(text, parser="lalr", start=list(start), cache=kept, maybe_placeholders=True, **options)


def cache_folder() -> Path | None:
    """The private folder for parser tables (`$XDG_CACHE_HOME/suture`), or None where there is none to trust."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(home) / "suture"
    if not folder.is_absolute():
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _private(folder.lstat()) and os.access(folder, os.W_OK | os.X_OK) else None
    except OSError:
        return None


def _private(status: os.stat_result) -> bool:
    """Whether the folder is the user's own and closed to writing by others; without user ids there is nothing to
    ask.
    """
    if not hasattr(os, "getuid"):
        return True
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
