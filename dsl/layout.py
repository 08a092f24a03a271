"""Layout: which newlines separate statements and which are mere space.

A newline inside parentheses, square brackets or the braces of a set is dropped, and so is one after an operator; in
the braces of a block (of a model, a domain, a table, inline data) it separates.  (One before an operator never reaches
this pass: the grammar ignores it.)  A brace opens a block exactly when a name, a closing parenthesis or the word
`table` stands before it.  Brackets nested deeper than `LIMIT` are refused here, before any tree is built.
"""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from .diagnostics import Diagnostic, SutureError
from .source import Source, Span

LIMIT = 100
BLOCK_OPENERS = {"NAME", "RPAR", "_TABLE"}
OPEN_ENDED = {
    "PLUS", "MINUS", "TIMES", "DIVIDE", "POWER", "COMPARE", "EQUALS", "AND", "OR", "XOR", "_NOT", "_IF", "_THEN",
    "_ELSE", "COMMA", "RIGHT", "LEFT", "BOTH", "_BAR", "TILDE", "DEFINE", "COLON", "GIVES",
}  # fmt: skip


class Layout:
    """The pass between lexer and parser; it keeps no state between programs."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens without the newlines that do not matter.

        Raises `SutureError` (S005) where brackets nest too deeply.
        """
        free: list[bool] = []
        before = ""
        for token in stream:
            kind = token.type
            if kind == "_NEWLINE" and (before in OPEN_ENDED or (free and free[-1])):
                continue
            if kind in ("LPAR", "LSQB"):
                free.append(True)
            elif kind == "LBRACE":
                free.append(before not in BLOCK_OPENERS)
            elif kind in ("RPAR", "RSQB", "RBRACE") and free:
                free.pop()
            if len(free) > LIMIT:
                raise SutureError(too_deep(token_span(token), LIMIT))
            before = kind
            yield token


def token_span(token: Token, source: Source | None = None) -> Span:
    """Where a token stands, in `source` where that is given."""
    start = token.start_pos or 0
    return Span(start, token.end_pos or start + len(token), token.line or 1, token.column or 1, source)


def too_deep(span: Span, limit: int) -> Diagnostic:
    """What is said of brackets or expressions nested beyond `limit`."""
    return Diagnostic(
        "S005",
        f"nested more than {limit} levels deep",
        span,
        "too deep",
        "name the inner part in a 'query' of its own, or leave out superfluous brackets",
    )
