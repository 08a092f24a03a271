"""What each clause of a statement wants, and which clauses may follow: the part of `cursor.py` outside of brackets."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

OPENING, CLOSING = "([{", ")]}"
ARROWS = frozenset({"->", "<-", "<->", "→", "←", "↔"})


class Expect(Enum):
    """A kind of thing that may stand at a place."""

    STATEMENT = "statement"
    EXPRESSION = "expression"
    DISTRIBUTION = "distribution at hand"
    MODEL = "model"
    DOMAIN = "domain"
    DATA = "data set"
    FRAME = "table of Python"
    FILE = "file"
    VARIABLE = "variable"
    VALUE = "value"
    DO = "do"
    IN_DOMAIN = "domain of a condition"
    METHOD = "method"
    LOSS = "loss"
    DESIGN = "design"
    FAMILY = "distribution"
    FUNCTION = "function"
    MECHANISM = "mechanism"
    OPERATOR = "operator"
    COLUMN = "column"
    CLAUSE = "clause"
    ITEM = "item of a model"


CLOSED = frozenset(CLOSING)
WANTING = frozenset(
    {",", "=", "+", "-", "*", "/", "^", "<", ">", "<=", ">=", "==", "!=", ":", *ARROWS, "and", "or", "not"}
)
ORDER = {
    "model": ("from",),
    "domain": ("of",),
    "data": ("of", "from", "weight", "under", "in"),
    "identify": ("in", "from", "by", "as"),
    "estimate": ("in", "from", "by", "as", "interval"),
    "compute": ("in",),
    "bound": ("in", "from", "as"),
    "independent": ("given", "in"),
    "adjust": ("in", "from"),
    "show": ("after", "worlds"),
    "search": ("predictor", "of", "from", "in", "from", "over", "minimax", "within", "compare"),
    "canonicalise": ("over", "as"),
    "equivalent": ("over",),
    "counterfactual": ("in", "from", "to"),
    "fit": ("from", "design", "k", "as"),
    "cause": ("of", "in", "where"),
    "assert": ("and", "or"),
}
"""The clauses that may follow in each statement, in their order."""
CLAUSE_WORDS = frozenset(word for words in ORDER.values() for word in words) - {"and", "or"}


def last_clause(words: list[str]) -> str:
    """The clause that the end of a statement is in: its last word of a clause outside brackets, else its head."""
    depth, found = 0, words[0]
    for word in words[1:]:
        depth += (word in OPENING) - (word in CLOSING)
        if depth == 0 and word in CLAUSE_WORDS and word in ORDER.get(words[0], ()):
            found = word
    return found


def wanted_by(head: str, clause: str, words: list[str]) -> tuple[Expect, ...]:
    """What a clause of a statement wants."""
    match head, clause:
        case (("model" | "domain" | "data" | "query"), _) if clause == head:
            return (Expect.EXPRESSION,) if head == "query" and "=" in words else ()
        case "data", "from":
            return (Expect.FRAME,)
        case "model", "from":
            return ()
        case (("data" | "domain"), "of"):
            return (Expect.MODEL,)
        case "data", "in":
            return (Expect.DOMAIN,)
        case _, "in":
            return (Expect.DOMAIN,) if of_source(words) else (Expect.MODEL,)
        case "counterfactual", ("from" | "to"):
            return (Expect.DOMAIN,)
        case "search", "from" if words.count("from") > 1:
            return (Expect.DATA,)
        case ("search", ("from" | "of")) | ("cause", ("of" | "where")):
            return (Expect.VARIABLE,)
        case "fit", "from":
            return (Expect.DATA, Expect.FRAME)
        case "estimate", "from":
            return (Expect.DATA, Expect.FRAME)
        case _, "from":
            return (Expect.DATA, Expect.FRAME, Expect.DISTRIBUTION)
        case _, "by":
            return (Expect.METHOD,)
        case _, "over":
            return (Expect.DOMAIN,)
        case _, "minimax":
            return (Expect.LOSS,)
        case _, "design":
            return (Expect.DESIGN,)
        case _, "given":
            return (Expect.VARIABLE,)
        case _, ("after" | "under"):
            return (Expect.DO,)
        case _, "worlds":
            return (Expect.EXPRESSION,)
        case _, "weight":
            return (Expect.COLUMN,)
        case _, "predictor":
            return (Expect.CLAUSE,)
        case _, ("as" | "interval" | "k" | "within" | "compare"):
            return ()
        case (("show" | "canonicalise" | "equivalent" | "fit"), _):
            return (Expect.MODEL,)
        case (("independent" | "adjust" | "counterfactual" | "cause"), _):
            return (Expect.VARIABLE,)
        case "search", _:
            return (Expect.CLAUSE,)
        case "assert", _ if words == ["assert"]:
            return (Expect.EXPRESSION, Expect.MODEL)
        case _:
            return (Expect.EXPRESSION,)


def of_source(words: Sequence[str]) -> bool:
    """Whether `in` after these words names the domain of a distribution: `from P(..) in rural`."""
    return words[0] in ("identify", "bound", "adjust") and "from" in words
