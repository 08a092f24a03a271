"""The Pygments lexer `suture`: colours for nbconvert, Sphinx and terminals (https://pygments.org/docs/lexerdevelopment/).

Pygments finds it by its entry point, so `pygmentize -l suture` and Sphinx's `.. code-block:: suture` need no set-up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pygments import token
from pygments.lexer import Lexer

from ..dsl.highlighting import Hue, pieces

# What a theme knows: every hue is a standard token, so every style of Pygments colours it.
TOKENS: Mapping[Hue, Any] = {
    Hue.SPACE: token.Whitespace,
    Hue.MAGIC: token.Comment.Preproc,
    Hue.COMMENT: token.Comment.Single,
    Hue.STRING: token.String,
    Hue.NUMBER: token.Number,
    Hue.KEYWORD: token.Keyword,
    Hue.FUNCTION: token.Name.Builtin,
    Hue.DEFINITION: token.Name.Class,
    Hue.VARIABLE: token.Name.Variable,
    Hue.VALUE: token.Name.Constant,
    Hue.OPERATOR: token.Operator,
    Hue.PUNCTUATION: token.Punctuation,
    Hue.ERROR: token.Error,
}


class SutureLexer(Lexer):
    """Colours a program of suture, or a notebook cell that starts with `%%suture`.

    >>> [value for kind, value in SutureLexer().get_tokens("query q = P(Y)") if kind is token.Keyword]
    ['query']
    """

    name = "suture"
    aliases: ClassVar = ["suture"]
    filenames: ClassVar = ["*.suture"]
    mimetypes: ClassVar = ["text/x-suture"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """The place, token type and text of each piece."""
        return ((piece.start, TOKENS[piece.hue], piece.text) for piece in pieces(text))
