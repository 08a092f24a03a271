"""Keeps `reference.md` in step with the grammar: what stands between its marks is written from `dsl/suture.lark`.

    <!-- production: identify -->     the production, what it is made of, the errors its programs can give
    <!-- productions: data -->        all others of that section of the grammar
    <!-- reserved words -->           the words that are no names

each up to `<!-- end -->`.  Which errors a statement can give is read off the programs in `tests/dsl/bad`, each of which
has the text of its error beside it.  A statement, a part of a model or a kind of mechanism that the page does not have
is a fault (`missing`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from suture.dsl.explanations import PAGES

RULE = re.compile(r"^[?!]?(_?[a-z]\w*): *(.*(?:\n +\|.*)*)", re.MULTILINE)
TERMINAL = re.compile(r"^(_?[A-Z]\w*)(?:\.\d+)?: *(.+)$", re.MULTILINE)
SECTION = re.compile(r"^// ---- (.+?) ----$", re.MULTILINE)
PARTED = re.compile(r"_sep\* \((\w+) \(_sep\+ \1\)\* _sep\*\)\?")
TOKEN = re.compile(r'"[^"]*"|\.\.|[\w.]+|[()\[\]*+?|]|->')
MARK = re.compile(r"(<!-- (productions|production|reserved words):? ?(.*?) -->\n).*?(<!-- end -->)", re.DOTALL)
HEADED = ("statement", "item", "mechanism")
WIDTH = 100


@dataclass(frozen=True)
class Grammar:
    """Rules and terminals as they are written, and the section each rule stands in."""

    rules: dict[str, str]
    terminals: dict[str, str]
    sections: dict[str, str]

    @classmethod
    def of(cls, text: str) -> Grammar:
        """The grammar in a `.lark` file; comments part its sections."""
        headings = [(match.start(), match[1]) for match in SECTION.finditer(text)]
        rules: dict[str, str] = {}
        sections: dict[str, str] = {}
        for match in RULE.finditer(text):
            before = [title for start, title in headings if start < match.start()]
            rules[match[1]], sections[match[1]] = match[2], before[-1] if before else "programs"
        return cls(rules, dict(TERMINAL.findall(text)), sections)

    def choices(self, rule: str) -> list[str]:
        """The rules between which a rule chooses."""
        return re.findall(r"[a-z]\w*", re.sub(r"->\s*\w+|\"[^\"]*\"|\[.*?\]", "", self.rules[rule]))

    def ebnf(self, rule: str) -> str:
        """A production, readable."""
        body = PARTED.sub(r"\1*", " ".join(self.rules[rule].split()))
        tokens: list[str] = []
        skip = False
        for token in TOKEN.findall(body):
            if not skip and token != "->":
                tokens.append(self._readable(token))
            skip = token == "->"
        return wrapped(f"{rule.lstrip('_')} =", spaced(tokens))

    def _readable(self, token: str) -> str:
        if token in self.terminals:
            return literal(self.terminals[token]) or token.lstrip("_")
        return token.lstrip("_") if token in self.rules else token

    def used(self, rule: str) -> list[str]:
        """The rules that a production names, in order, each once."""
        named = [name for name in TOKEN.findall(PARTED.sub(r"\1*", self.rules[rule])) if name in self.rules]
        return list(dict.fromkeys(name for name in named if name not in (rule, "_sep")))

    def keywords(self, rule: str) -> list[str]:
        """The reserved words of a production."""
        found = [literal(self.terminals[name]) for name in TOKEN.findall(self.rules[rule]) if name in self.terminals]
        return list(dict.fromkeys(word[1:-1] for word in found if word and re.fullmatch(r'"[a-z]\w*"', word)))

    def reserved(self) -> tuple[list[str], list[str]]:
        """The words that are no names anywhere, and those that are none only in their statement."""
        every = {word[1:-1] for word in map(literal, self.terminals.values()) if word and re.match(r'"[a-z]', word)}
        refused = set(re.findall(r"[a-z]+", self.terminals["NAME"].partition(")")[0]))
        return sorted(every & refused), sorted(every - refused)


def literal(pattern: str) -> str | None:
    """What a terminal matches, where that is a fixed text or a choice of words; of two spellings the one in ASCII."""
    if pattern.startswith('"'):
        texts = [text for text in pattern.split(" | ") if text.isascii()]
        return texts[0] if len(texts) == 1 else None
    body = re.sub(r"\(\?=.*$|\\b$", "", pattern.strip("/"))
    if re.fullmatch(r"[A-Za-z]+", body):
        return f'"{body}"'
    words = re.fullmatch(r"\(\?:([a-z|]+)\)", body)
    return None if words is None else "(" + " | ".join(f'"{word}"' for word in words[1].split("|")) + ")"


def spaced(tokens: list[str]) -> str:
    """Tokens with blanks between them, none inside brackets or before a repetition."""
    text = " ".join(tokens)
    return re.sub(r"(?<=[\w)\]\"]) (?=[*+?](?: |$|\)|\]))", "", re.sub(r"([(\[]) | (?=[)\]])", r"\1", text))


def wrapped(head: str, body: str) -> str:
    """A production over several lines where one is too narrow: an alternative a line if that helps, else filled."""
    if len(head) + len(body) < WIDTH:
        return f"{head} {body}"
    alternatives = re.split(r" \| (?![^(\[]*[)\]])", body)
    if len(alternatives) > 1 and max(map(len, alternatives)) < WIDTH - 6:
        return f"{head} " + "\n    | ".join(alternatives)
    return fill(f"{head} {body}", WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


# ---------------------------------------------------------------------------------------------------------------------
# Errors


def errors_by_statement(root: Path, keywords: set[str]) -> dict[str, list[str]]:
    """The codes that the bad programs of the tests show, by the keyword of the statement they are about."""
    found: dict[str, set[str]] = defaultdict(set)
    opening = re.compile(rf"(?:^|;)[ \t]*({'|'.join(sorted(keywords))})\b", re.MULTILINE)
    for path in sorted((root / "tests" / "dsl" / "bad").glob("*.suture")):
        said = path.with_suffix(".txt").read_text(encoding="utf-8")
        program = path.read_text(encoding="utf-8")
        starts = [0, *(match.end() for match in re.finditer("\n", program))]
        for code, line, column in re.findall(r"error\[(S\d+)\].*\n *--> .*:(\d+):(\d+)", said):
            place = starts[int(line) - 1] + int(column) - 1
            before = [match[1] for match in opening.finditer(program) if match.start(1) <= place]
            if before:
                found[before[-1]].add(code)
    return {keyword: sorted(codes) for keyword, codes in found.items()}


def error_link(code: str) -> str:
    """A code with its title, linked to its page."""
    return f"[{code}](errors.md#{anchor(f'{code}: {PAGES[code].title}')}) {PAGES[code].title}"


# ---------------------------------------------------------------------------------------------------------------------
# The page


def anchor(heading: str) -> str:
    """The name by which a heading can be linked to."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def page(root: Path) -> str:
    """`reference.md` with what stands between its marks as the grammar has it now."""
    return filled((root / "docs" / "reference.md").read_text(encoding="utf-8"), root)


def filled(text: str, root: Path) -> str:
    """A page with its marks filled."""
    grammar = read(root)
    shown = dict.fromkeys(match[3] for match in MARK.finditer(text) if match[2] == "production")
    places = anchors(text, grammar, set(shown))
    statements = grammar.choices("statement")
    errors = errors_by_statement(root, {word for name in statements for word in grammar.keywords(name)[:1]})

    def fill_in(match: re.Match[str]) -> str:
        kind, what = match[2], match[3]
        if kind == "reserved words":
            body = reserved_words(grammar)
        elif kind == "productions":
            rules = [rule for rule, section in grammar.sections.items() if section == what]
            body = ebnf_block([grammar.ebnf(rule) for rule in rules if rule not in shown and rule != "_sep"])
        else:
            codes = errors.get(grammar.keywords(what)[0], []) if what in statements else []
            body = production(grammar, what, places, codes)
        return f"{match[1]}{body}{match[4]}"

    return MARK.sub(fill_in, text)


def read(root: Path) -> Grammar:
    """The grammar of the language."""
    return Grammar.of((root / "dsl" / "suture.lark").read_text(encoding="utf-8"))


def missing(root: Path) -> list[str]:
    """Forms of the language that the page does not have, and marks for what the grammar does not have."""
    grammar = read(root)
    marks = [(m[2], m[3]) for m in MARK.finditer((root / "docs" / "reference.md").read_text(encoding="utf-8"))]
    shown = {what for kind, what in marks if kind == "production"}
    sections = {what for kind, what in marks if kind == "productions"}
    asked = [name for headed in HEADED for name in grammar.choices(headed)]
    return [
        *(name for name in asked if name not in shown),
        *(name for name in sorted(shown) if name not in grammar.rules),
        *sorted(sections ^ set(grammar.sections.values())),
    ]


def anchors(text: str, grammar: Grammar, shown: set[str]) -> dict[str, str]:
    """Where on the page each rule is shown: the heading above its mark."""
    found: dict[str, str] = {}
    heading = ""
    for match in re.finditer(r"^#+ +(.+?) *$|" + MARK.pattern, text, re.MULTILINE | re.DOTALL):
        if match[1]:
            heading = anchor(match[1])
        elif match[3] == "production":
            found[match[4]] = heading
        elif match[3] == "productions":
            rules = (rule for rule, section in grammar.sections.items() if section == match[4] and rule not in shown)
            found.update(dict.fromkeys(rules, heading))
    return found


def production(grammar: Grammar, rule: str, places: dict[str, str], codes: list[str]) -> str:
    """A production, links to what it is made of, and the errors that programs of it can give."""
    made_of = [f"[{name.lstrip('_')}](#{places[name]})" for name in grammar.used(rule) if name in places]
    lines = [ebnf_block([grammar.ebnf(rule)])]
    if made_of:
        lines.append(f"Made of {', '.join(made_of)}.\n")
    about = [error_link(code) for code in codes if code >= "S100" and code in PAGES]
    if about:
        lines.append("Errors: " + ", ".join(about) + ".\n")
    return "\n".join(lines)


def ebnf_block(productions: list[str]) -> str:
    """Productions as a fenced block."""
    return "```ebnf\n" + "\n".join(productions) + "\n```\n"


def reserved_words(grammar: Grammar) -> str:
    """The reserved words, as two sentences."""
    hard, soft = ([f"`{word}`" for word in words] for words in grammar.reserved())
    reserved = fill(f"Reserved: {', '.join(hard)}.", 170, break_on_hyphens=False)
    return f"{reserved}\n\nReserved only where they stand in their statement: {', '.join(soft)}.\n"
