"""The JSON Schema (draft 2020-12) of answers: what `suture run --json` prints and `to_dict` gives, key by key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def schema_text() -> str:
    """The schema as it is shipped."""
    return Path(__file__).with_name("answer.schema.json").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """The schema of the answers of a program; that of one answer is below `$defs`, by the name `answer`.

    >>> sorted(schema()["required"]), "answer" in schema()["$defs"]
    (['answers', 'suture'], True)
    """
    return json.loads(schema_text())
