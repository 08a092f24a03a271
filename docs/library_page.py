"""Writes `library.md`: every public name of `suture` with its types and its docstring, so that the page cannot drift.

Signatures and annotations are those of the code; the examples are docstring examples, which the tests run.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import suture

NOTICE = "<!-- Written by `make docs` from the docstrings of the package; change it there. -->"
START = """\
# The library, name by name

`import suture` loads nothing heavy: each name below is imported at its first use. Nothing is printed, nothing is kept
between calls, and everything is safe to use from several threads. What cannot be used raises `SutureError`, which
carries diagnostics with code, place and help. A first look is on [the front page](../README.md); more is in
[build it into another program](howto/embed.md).
"""
GROUPS = (
    ("Models and programs", ("Model", "run", "run_file")),
    ("Answers", ("Answer", "Answers", "Status", "SutureError")),
    ("Many questions at once", ("Engine", "Batch", "Likelihood")),
    ("Several domains", ("LatentModel", "fit_domains", "fit_designs", "fit_images")),
    ("Bounds on time and memory", ("Budget", "limited")),
)


def page() -> str:
    """The page as it should be; public names that are in no group come last."""
    grouped = {name for _, names in GROUPS for name in names}
    others = tuple(name for name in suture.__all__ if name not in grouped)
    parts = [NOTICE, START]
    for title, names in (*GROUPS, *((("More", others),) if others else ())):
        parts.append(f"## {title}\n")
        parts += [section(name, getattr(suture, name)) for name in names]
    return "\n".join(parts)


def section(name: str, thing: Any) -> str:
    """One public name."""
    if not inspect.isclass(thing):
        return f"### {name}\n\n```text\nsuture.{signature(name, thing)}\n```\n\n{said(thing)}\n"
    lines = [f"### {name}\n"]
    constructor = _constructor(name, thing)
    if constructor:
        lines.append(f"```text\nsuture.{constructor}\n```\n")
    lines.append(f"{said(thing)}\n")
    lines += members(thing)
    return "\n".join(lines)


def _constructor(name: str, thing: type) -> str | None:
    """How an object is made; None where users are given it."""
    if issubclass(thing, (Enum, Exception, tuple)) or name in ("Answer", "Likelihood"):
        return None
    return signature(name, thing)


def members(thing: type) -> Iterator[str]:
    """The fields, properties and methods of a class that are no secret, those of its bases in the package included."""
    if issubclass(thing, Enum):
        yield "| value | |\n|---|---|"
        yield "\n".join(f"| `{each.name}` | `{each.value!r}` |" for each in thing) + "\n"
        return
    fields = (
        [each for each in dataclasses.fields(thing) if each.name[0] != "_"] if dataclasses.is_dataclass(thing) else []
    )
    if fields:
        yield "| field | type |\n|---|---|"
        yield "\n".join(f"| `{each.name}` | {code(_type(each.type))} |" for each in fields) + "\n"
    for owner, name in _own(thing):
        found = inspect.getattr_static(owner, name)
        if isinstance(found, property) or type(found).__name__ == "cached_property":
            getter: Any = getattr(found, "fget", None) or getattr(found, "func", None)
            kind = _type(inspect.signature(getter).return_annotation)
            yield f"**`{name}`**: {code(kind)}. {said(getter)}\n"
        elif isinstance(found, (classmethod, staticmethod)):
            yield method(f"{thing.__name__}.{name}", found.__func__, isinstance(found, classmethod))
        elif callable(found):
            yield method(f".{name}", found, True)


def _own(thing: type) -> list[tuple[type, str]]:
    """Public members in the order in which they are written, those of the class before those of its bases."""
    seen: dict[str, type] = {}
    for owner in thing.__mro__:
        if owner.__module__.split(".")[0] == "suture":
            fields = inspect.get_annotations(owner)
            for name in vars(owner):
                if name[0] != "_" and name not in fields:
                    seen.setdefault(name, owner)
    return [(owner, name) for name, owner in seen.items()]


def method(name: str, function: Callable[..., Any], bound: bool) -> str:
    """A method with its signature."""
    return f"```text\n{signature(name, function, bound)}\n```\n\n{said(function)}\n"


def signature(name: str, function: Callable[..., Any], bound: bool = False) -> str:
    """A signature with its types, a line a parameter where one line is too long."""
    whole = inspect.signature(function)
    parameters = list(whole.parameters.values())[int(bound) :]
    returned = whole.return_annotation
    arrow = "" if returned is inspect.Signature.empty or inspect.isclass(function) else f" -> {_type(returned)}"
    written = [_unquoted(str(each)) for each in parameters]
    if any(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters) and not any(
        each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters
    ):
        first = next(n for n, each in enumerate(parameters) if each.kind is inspect.Parameter.KEYWORD_ONLY)
        written.insert(first, "*")
    line = f"{name}({', '.join(written)}){arrow}"
    if len(line) <= 100:
        return line
    return f"{name}(\n" + "".join(f"    {each},\n" for each in written) + f"){arrow}"


def _type(annotation: Any) -> str:
    """A type as the code writes it."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return _unquoted(text)


def _unquoted(text: str) -> str:
    return re.sub(r"(?<=: )'([^']*)'|(?<=-> )'([^']*)'", lambda match: match[1] or match[2], text)


def code(text: str) -> str:
    """A type in a cell of a table."""
    return "`" + text.replace("|", "\\|") + "`"


def said(thing: Any) -> str:
    """A docstring: its paragraphs on one line each, its examples in a block."""
    text = inspect.cleandoc(thing.__doc__ or "")
    parts: list[str] = []
    for paragraph in re.split(r"\n{2,}", text):
        if paragraph.lstrip().startswith(">>>"):
            parts.append(f"```text\n{paragraph.rstrip()}\n```")
        elif paragraph.startswith("    "):
            parts.append(f"```text\n{inspect.cleandoc(paragraph)}\n```")
        else:
            parts.append(" ".join(paragraph.split()))
    return "\n\n".join(parts)
