"""Syntax errors in the user's words: what was expected, what was found, what was perhaps meant."""

from __future__ import annotations

from collections.abc import Collection

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from .diagnostics import Diagnostic, did_you_mean
from .source import Span

STATEMENTS = (
    "model", "domain", "data", "query", "identify", "estimate", "compute", "bound", "independent", "adjust", "show",
    "search", "canonicalise", "equivalent", "counterfactual", "fit", "cause", "assert",
)  # fmt: skip
CLAUSES = (
    "latent", "mutable", "of", "from", "weight", "under", "do", "in", "given", "after", "worlds", "predictor", "over",
    "minimax", "as", "to", "where", "by", "interval", "table", "any", "real", "if", "then", "else", "and", "or", "not",
    "xor", "noise",
)  # fmt: skip
# Words that open a statement and are names elsewhere.
SOFT = frozenset({"fit"})
KEYWORDS = frozenset(STATEMENTS + CLAUSES) - SOFT
EXPRESSION_STARTS = {"NUMBER", "STRING", "NAME", "_PROBABILITY", "_EXPECTATION", "EFFECT", "LPAR", "_NOISE", "MINUS"}
ARROWS = {"RIGHT", "LEFT", "BOTH"}
OPERATORS = {"PLUS", "TIMES", "DIVIDE", "POWER", "COMPARE", "EQUALS", "AND", "OR", "XOR"}
WORDS = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "quoted text", "WILDCARD": "'_'",
    "_NEWLINE": "the end of the line",
    "SEMICOLON": "the end of the line", "$END": "the end of the line", "RIGHT": "'->'", "LEFT": "'<-'", "BOTH": "'<->'",
    "LPAR": "'('", "RPAR": "')'", "LBRACE": "'{'", "RBRACE": "'}'", "LSQB": "'['", "RSQB": "']'", "COMMA": "','",
    "COLON": "':'", "EQUALS": "'='", "TILDE": "'~'", "_BAR": "'|'", "DOT": "'.'", "MINUS": "'-'", "PLUS": "'+'",
    "TIMES": "'*'", "DIVIDE": "'/'", "POWER": "'^'", "COMPARE": "a comparison", "EFFECT": "a named effect",
    "_PROBABILITY": "'P('", "_EXPECTATION": "'E('", "_INDEPENDENCE": "'⫫'",
    "GIVES": "'=>'", "RANGE": "'..'", "DEFINE": "':='",
}  # fmt: skip
INSTEAD = {
    "=>": "an arrow is written '->'; '=>' stands in the rows of a table",
    "--": "an arrow is written '->', a hidden common cause '<->'",
    "'": "quoted text stands between double quotes",
    "&": "write 'and'",
    "&&": "write 'and'",
    "||": "write 'or'",
    "!": "write 'not'",
    "**": "a power is written '^'",
    "=": "a value is given by '~' (a distribution) or ':=' (an equation)",
    "|": "a bar stands inside P( ) or E( )",
}


def describe(error: UnexpectedInput, text: str, shift: int = 0, stop: int | None = None) -> Diagnostic:
    """The diagnostic of a parser's error in the part of `text` from `shift` to `stop` (the end where not given)."""
    token = _token(error, text, shift, len(text) if stop is None else stop)
    start = shift + (token.start_pos or 0)
    accepted = set(_accepts(error))
    place = span_at(text, start, start + max(1, len(token)))
    if isinstance(error, UnexpectedCharacters):
        return _bad_character(text, place, accepted)
    word = str(token)
    if word in KEYWORDS and "NAME" in accepted:
        return _reserved(word, place, quotable="STRING" in accepted)
    if "_MODEL" in accepted and token.type not in ("$END", "_NEWLINE"):
        return _not_a_statement(word, place, text[place.end :].lstrip()[:2])
    found = _found(token)
    expected = expectation(accepted)
    label = f"expected {expected}" if expected else "nothing more is expected here"
    return Diagnostic("S010", f"unexpected {found}", place, label, _suggestion(word, token, accepted, text, start))


def span_at(text: str, start: int, end: int) -> Span:
    """The span of characters `start` to `end`, cut at the end of its first line."""
    start = min(start, len(text))
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    stop = text.find("\n", start, end)
    return Span(start, end if stop < 0 else max(stop, start + 1), line, column)


def _token(error: UnexpectedInput, text: str, shift: int, stop: int) -> Token:
    """The token at which the parser stopped; at the end of the part, an empty one there."""
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        return error.token
    if isinstance(error, UnexpectedToken):
        kind = "$END" if not text[stop:].strip() else "_NEWLINE"
        return Token(kind, "", start_pos=stop - shift)
    position = max(error.pos_in_stream or 0, 0)
    return Token("CHARACTER", text[shift + position : shift + position + 1], start_pos=position)


def _accepts(error: UnexpectedInput) -> Collection[str]:
    parser = getattr(error, "interactive_parser", None)
    return parser.accepts() if parser is not None else ()


def _found(token: Token) -> str:
    if token.type in ("$END", "_NEWLINE", "SEMICOLON"):
        return "end of the line" if token.type != "$END" else "end of the program"
    shown = str(token) if len(token) <= 40 else f"{token[:37]}..."
    if shown in KEYWORDS:
        return f"keyword '{shown}'"
    kinds = {"NAME": "name ", "NUMBER": "number ", "STRING": "text "}
    quote = "" if token.type == "STRING" else "'"
    return f"{kinds.get(token.type, '')}{quote}{shown}{quote}"


def expectation(accepted: Collection[str]) -> str:
    """The accepted terminals as a short phrase: `a name, '(' or an operator`."""
    left = set(accepted)
    phrases: list[str] = []
    if len(left & EXPRESSION_STARTS) >= 5:
        phrases.append("an expression")
        left -= EXPRESSION_STARTS | {"_NOT", "_IF"}
    if len(left & ARROWS) >= 2:
        phrases.append("an arrow")
        left -= ARROWS
    if len(left & OPERATORS) >= 2:
        phrases.append("an operator")
        left -= OPERATORS | {"MINUS"}
    if "STRING" in left and "NAME" in left:
        phrases.append("a value")
        left -= {"STRING", "NAME", "NUMBER", "MINUS"}
    words = {WORDS.get(name) or f"'{name.lstrip('_').lower()}'" for name in left}
    phrases += sorted(words, key=lambda word: (word == "the end of the line", not word.startswith("a"), word))
    if len(phrases) > 7:
        return ""
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " or " + phrases[-1] if phrases else ""


def _suggestion(word: str, token: Token, accepted: Collection[str], text: str, start: int) -> str | None:
    if token.type == "NAME":
        near = did_you_mean(word, [name.lstrip("_").lower() for name in accepted if name.startswith("_")])
        if near:
            return near
    meant = _meant_by(text[:start].rsplit("\n", 1)[-1].rsplit(";", 1)[-1].strip(), word)
    if meant is not None:
        return meant
    if token.type == "_IN":
        return "'in NAME' comes before 'from', 'by' and 'as'"
    if word == "==" and "EQUALS" in accepted:
        return "write '=' for the value of a variable"
    if word == "-" and text[start - 1 : start].isalnum() and text[start + 1 : start + 2].isalnum():
        return "a value with a hyphen stands in double quotes; a name cannot hold one"
    if word == "*" and text[start - 1 : start] == "*":
        return INSTEAD["**"]
    return INSTEAD.get(text[start : start + 2]) or INSTEAD.get(word)


def _meant_by(before: str, word: str) -> str | None:
    """What was perhaps meant by a word that does not fit after the part of a statement before it."""
    keyword = before.split(" ", 1)[0]
    if keyword in ("identify", "estimate", "compute", "bound") and word == "->":
        return f"an effect is a probability: {keyword} P(Y | do(X))"
    if keyword != "adjust":
        return None
    if word in ("given", "|") and "->" in before:
        return "what a sample was selected by stands in its distribution: from P(X, Y, Z | S = 1)"
    if word == "," and "{" not in before:
        return "several treatments or outcomes stand in braces: adjust {A, B} -> Y"
    if word == "by":
        return "a formula by a method is asked for by: identify P(Y | do(X)) by METHOD"
    return "adjust names treatment and outcome: adjust X -> Y" if word in ("(", "|", "<-") else None


def _bad_character(text: str, place: Span, accepted: Collection[str]) -> Diagnostic:
    character = text[place.start : place.start + 1]
    if character == '"':
        end = text.find("\n", place.start)
        stop = len(text) if end < 0 else end
        return Diagnostic(
            "S015", "quoted text is not closed", span_at(text, place.start, stop), "no closing quote on this line"
        )
    pair = text[place.start : place.start + 2]
    advice = INSTEAD.get(pair) or INSTEAD.get(character)
    if advice is None and text[place.start - 1 : place.start].isalnum() and character in "'.$@?":
        advice = "names are made of letters, digits and '_'"
    shown = f"'{character}'" if character.isprintable() else f"U+{ord(character):04X}"
    if character == "_" and "NAME" in accepted:
        advice = "a name starts with a letter"
    return Diagnostic("S014", f"unexpected character {shown}", place, "not part of the language here", advice)


def _reserved(word: str, place: Span, quotable: bool) -> Diagnostic:
    advice = f'as a value, write "{word}" in double quotes' if quotable else f"choose another name, such as '{word}_'"
    return Diagnostic("S016", f"'{word}' is a keyword and cannot be a name", place, "reserved", advice)


def _not_a_statement(word: str, place: Span, after: str) -> Diagnostic:
    near = did_you_mean(word, STATEMENTS)
    if after in ("->", "<-"):
        near = "arrows stand inside a model: model NAME { X -> Y }"
    if near is None:
        near = "a statement starts with one of: " + ", ".join(STATEMENTS)
    shown = word if len(word) <= 40 else f"{word[:37]}..."
    return Diagnostic("S011", f"'{shown}' does not start a statement", place, "expected a statement", near)
