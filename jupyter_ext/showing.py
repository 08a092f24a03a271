"""Answers on their way to the front end, whole or in the one format that was asked for."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from IPython.display import DisplayHandle, display

from ..answers.answer import Answer


def show(answer: Answer, form: str | None, place: DisplayHandle | None = None) -> None:
    """Show an answer, in `place` of what stands there; in a format that it does not have, nothing is shown."""
    bundle = answer.bundle() if form is None else bundle_of(answer, form)
    if place is not None:
        place.update(bundle or {"text/plain": ""}, raw=True)
    elif bundle:
        display(bundle, raw=True)


def show_note(text: str, place: DisplayHandle | None = None) -> None:
    """Show a sentence about the cell."""
    bundle = {"text/plain": f"note: {text}", "text/html": f"<p><strong>note:</strong> {escape(text)}</p>"}
    if place is not None:
        place.update(bundle, raw=True)
    else:
        display(bundle, raw=True)


def bundle_of(answer: Answer, form: str) -> dict[str, Any]:
    """The MIME bundle of an answer in one format, empty where it has nothing in it."""
    match form:
        case "text":
            return {"text/plain": str(answer)}
        case "html":
            return {"text/plain": str(answer), "text/html": answer.html()}
        case "latex":
            found = answer.estimand
            return {} if found is None else {"text/plain": found.latex, "text/latex": found.display}
        case "json":
            told = answer.to_dict()
            return {"text/plain": json.dumps(told, indent=2, ensure_ascii=False), "application/json": told}
        case "svg":
            drawn = answer.svg()
            return {} if drawn is None else {"text/plain": str(answer), "image/svg+xml": drawn}
        case _:
            raise ValueError(f"no format {form}")
