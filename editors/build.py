"""Writes `vscode/syntaxes/suture.tmLanguage.json`, the TextMate grammar, from the words of the language.

The colours are those of `dsl/highlighting.py` as far as regular expressions can tell them; editors with a language
server get the rest as semantic tokens.  With `--check` it only says whether the file is as it should be.  Every pattern
is one for Oniguruma and for Python alike, so that the tests can run it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from suture.dsl.syntax_errors import KEYWORDS
from suture.dsl.vocabulary import EFFECTS

FILE = Path(__file__).resolve().parent / "vscode" / "syntaxes" / "suture.tmLanguage.json"
NAME = r"[^\W\d_]\w*"
S = r"[ \t]*"
SCOPES = {
    "comment": "comment.line.number-sign.suture",
    "string": "string.quoted.double.suture",
    "number": "constant.numeric.suture",
    "keyword": "keyword.control.suture",
    "function": "support.function.suture",
    "definition": "entity.name.type.suture",
    "variable": "variable.other.suture",
    "value": "constant.other.value.suture",
    "operator": "keyword.operator.suture",
    "punctuation": "punctuation.suture",
}

Rule = dict[str, Any]


def match(pattern: str, *hues: str) -> Rule:
    """A pattern as a whole in one hue, or each of its groups in one."""
    if re.compile(pattern).groups == 0:
        return {"match": pattern, "name": SCOPES[hues[0]]}
    return {"match": pattern, "captures": captures(*hues)}


def captures(*hues: str) -> Rule:
    """The groups of a pattern in order, each with its hue; one that is empty has none, `@x` those of the rule x."""
    found: Rule = {}
    for number, hue in enumerate(hues, 1):
        if hue.startswith("@"):
            found[str(number)] = {"patterns": [use(hue[1:])]}
        elif hue:
            found[str(number)] = {"name": SCOPES[hue]}
    return found


def block(begin: str, opening: tuple[str, ...], end: str, inside: list[Rule], closing: str = "punctuation") -> Rule:
    """What stands between two patterns."""
    made: Rule = {"begin": begin, "beginCaptures": captures(*opening), "end": end, "patterns": inside}
    return {**made, "endCaptures": {"0": {"name": SCOPES[closing]}}} if closing else made


def use(name: str) -> Rule:
    """A rule of the repository."""
    return {"include": f"#{name}"}


def grammar() -> Rule:
    """The grammar as JSON-ready data."""
    words = "|".join(sorted(KEYWORDS, key=lambda word: (-len(word), word)))
    repository: dict[str, Rule] = {
        "comment": match(r"#.*$", "comment"),
        "string": match(r'"[^"\n]*"?', "string"),
        "number": match(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", "number"),
        "operator": match(r"_\|\|_|<->|->|<-|:=|=>|==|!=|<=|>=|\.\.|[-<>=+*/^|~→←↔⫫≤≥≠−·]", "operator"),
        "punctuation": match(r"[{}()\[\],;:.]", "punctuation"),
        "keyword": match(rf"\b(?:{words})\b", "keyword"),
        "wildcard": match(r"\b_\b", "value"),
        "function": match(rf"{NAME}(?={S}\()|\b[PE](?={S}\[{S}{NAME}{S}\]{S}\()", "function"),
        "variable": match(NAME, "variable"),
        "constant": match(NAME, "value"),
        "query": match(rf"\b(query){S}\s({NAME}){S}(=)", "keyword", "definition", "operator"),
        "definition": match(rf"\b(model|domain|data|query|as)[ \t]+(?!(?:{words})\b)({NAME})", "keyword", "definition"),
        "domain": match(rf"\b(domain){S}(=){S}({NAME})", "keyword", "operator", "variable"),
        "value": match(rf"(==?|!=|≠){S}(?!(?:{words})\b)({NAME})(?!{S}[\[(]|\w)", "operator", "value"),
        "fit": block(
            rf"(?:^|(?<=;)){S}(fit)(?=[ \t]+{NAME})",
            ("keyword",),
            r"$|(?=;)",
            [
                match(rf"\bdesign(?=[ \t]+{NAME})", "keyword"),
                match(r"\bk(?=[ \t]+\d)", "keyword"),
                use("expression"),
            ],
            "",
        ),
        "effect": block(
            rf"\b({'|'.join(EFFECTS)}){S}(\()",
            ("function", "punctuation"),
            r"\)",
            [
                match(
                    rf"(:){S}({NAME}){S}(->|→){S}({NAME})", "punctuation", "value", "operator", "value"
                ),
                use("round"),
                use("expression"),
            ],
        ),
        "round": block(r"(\()", ("punctuation",), r"\)", [use("round"), use("expression")]),
        "labels": block(
            rf"(:){S}(\{{)", ("punctuation", "punctuation"), r"\}", [use("weight"), use("cell")]
        ),
        "weights": block(
            rf"(~){S}(\{{)", ("operator", "punctuation"), r"\}", [use("weight"), use("cell")]
        ),
        "weight": block(r"(:)", ("punctuation",), r"(?=[,}])", [use("round"), use("expression")], ""),
        "cell": {
            "patterns": [
                *map(use, ("comment", "string", "number", "wildcard", "keyword", "constant", "operator", "punctuation"))
            ]
        },
        "table": block(
            r"\b(table)\b", ("keyword",), r"\}", [use("round"), use("comment"), use("rows")]
        ),
        "rows": block(
            r"(\{)",
            ("punctuation",),
            r"(?=\})",
            [block(r"(=>)", ("operator",), r"$|(?=[;}])", [use("round"), use("expression")], ""), use("cell")],
            "",
        ),
        "data": block(
            rf"\b(data)[ \t]+({NAME})",
            ("keyword", "definition"),
            r"(?<=\})|$",
            [use("header"), use("header_below"), use("expression")],
            "",
        ),
        "header": block(
            r"(\{)([^;}\n#]*[^;}\s#][^;}\n#]*)(;|$)", ("punctuation", "@columns", "punctuation"), r"\}", [use("cell")]
        ),
        "header_below": block(
            r"(\{)(?=[ \t]*(?:#.*)?$)",
            ("punctuation",),
            r"\}",
            [
                use("comment"),
                block(r"([^;}\n#]*[^;}\s#][^;}\n#]*)(;|$)", ("@columns", "punctuation"), r"(?=\})", [use("cell")], ""),
            ],
        ),
        "columns": {"patterns": [*map(use, ("string", "keyword", "variable", "punctuation"))]},
        "expression": {
            "patterns": [
                *map(
                    use,
                    (
                        "comment", "string", "domain", "value", "definition", "effect", "table", "labels", "weights",
                        "number", "keyword", "function", "wildcard", "variable", "operator", "punctuation",
                    ),
                )
            ]
        },
    }  # fmt: skip
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "suture",
        "scopeName": "source.suture",
        "fileTypes": ["suture"],
        "patterns": [use("comment"), use("fit"), use("data"), use("query"), use("expression")],
        "repository": repository,
    }


def main(arguments: list[str]) -> int:
    """Writes the grammar, or with `--check` compares it."""
    text = json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    return 0 if FILE.exists() and FILE.read_text(encoding="utf-8") == text else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
