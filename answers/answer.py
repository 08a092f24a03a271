"""The answer to a statement, and the answers of a program: data that know how to show themselves.

`print` gives the text of the terminal; notebooks find `_repr_html_`, `_repr_latex_` and `_repr_svg_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .answer_data import VERSION, AnswerData, Estimand, Status
from .report import answer_text

JSON_TYPE = "application/vnd.suture.answer+json"
"""The JSON object of an answer in a notebook; with a type of our own no front end shows it in place of the answer."""

__all__ = ["Answer", "Answers", "Estimand", "Status"]


@dataclass(frozen=True)
class Answer(AnswerData):
    """What a statement came to; `to_dict` gives the JSON object of the language page."""

    def __str__(self) -> str:
        return answer_text(self)

    def html(self) -> str:
        """The answer as HTML, for notebooks and pages."""
        from .rich.card import answer_html

        return answer_html(self)

    def bundle(self) -> dict[str, Any]:
        """Everything a notebook can show of the answer, by MIME type: text, HTML, LaTeX and JSON."""
        bundle: dict[str, Any] = {"text/plain": str(self), "text/html": self.html()}
        if self.estimand is not None:
            bundle["text/latex"] = self.estimand.display
        return {**bundle, JSON_TYPE: self.to_dict()}

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.bundle()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_latex_(self) -> str | None:
        return None if self.estimand is None else self.estimand.display

    def _repr_svg_(self) -> str | None:
        return self.svg()


class Answers(tuple[Answer, ...]):
    """The answers of a program, in the order of its statements."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        """The answer in a place, or of that name; a slice gives answers.  Raises `KeyError` for an unknown name."""
        if isinstance(key, str):
            for answer in self:
                if answer.name == key:
                    return answer
            raise KeyError(key)
        found = super().__getitem__(key)
        return Answers(found) if isinstance(key, slice) else found

    def to_dict(self) -> dict[str, Any]:
        """One JSON object: the version and the answers."""
        return {"suture": VERSION, "answers": [answer.to_dict() for answer in self]}

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self._repr_html_(), JSON_TYPE: self.to_dict()}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return "".join(answer.html() for answer in self)
