"""The answer to a statement, and the answers of a program: data that know how to show themselves.

`print` gives the text of the terminal; notebooks find `_repr_html_`, `_repr_latex_` and `_repr_svg_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .answer_data import VERSION, AnswerData, Estimand, Status
from .report import answer_html, answer_text

__all__ = ["Answer", "Answers", "Estimand", "Status"]


@dataclass(frozen=True)
class Answer(AnswerData):
    """What a statement came to; `to_dict` gives the JSON object of the language page."""

    def __str__(self) -> str:
        return answer_text(self)

    def _repr_html_(self) -> str:
        return answer_html(self)

    def _repr_latex_(self) -> str | None:
        return None if self.estimand is None else self.estimand.display

    def _repr_svg_(self) -> str | None:
        return self.svg()


class Answers(tuple[Answer, ...]):
    """The answers of a program, in the order of its statements."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """One JSON object: the version and the answers."""
        return {"suture": VERSION, "answers": [answer.to_dict() for answer in self]}

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    def _repr_html_(self) -> str:
        return "".join(answer_html(answer) for answer in self)
