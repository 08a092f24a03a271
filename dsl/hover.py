"""What is at a place of a program, in words: a variable with its role and mechanism, a model, a query, a keyword.

Editors show it at the pointer, notebooks under `Shift-Tab`.  Like completion it reads text that need not be finished.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .completion import models_meant, role, values_text
from .cursor import Situation, situation, word_at
from .cursor_clauses import Expect
from .program import AnyMechanism, Data, Domain, Equation, Family, File, Frame, Mechanism, Model, Program, Query, Table
from .scope import count
from .syntax_text import expression_text, quoted_label
from .vocabulary import EFFECTS, STATEMENTS, WORDS, Word

MOST_ROWS = 8
MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Description:
    """What stands from `start` to `end`: a line that names it, facts about it, lines of the language."""

    start: int
    end: int
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    code: str = ""

    @property
    def text(self) -> str:
        """The description for a terminal."""
        wide = max((len(name) for name, _ in self.facts), default=0)
        lines = [self.title, *(f"  {name:<{wide}}  {value}" for name, value in self.facts)]
        return "\n".join([*lines, *(f"    {line}" for line in self.code.splitlines())])

    @property
    def markdown(self) -> str:
        """The description for an editor."""
        lines = [f"**{_plain(self.title)}**", *(f"- {name}: {_plain(value)}" for name, value in self.facts)]
        code = f"\n\n```suture\n{self.code}\n```" if self.code else ""
        return lines[0] + ("\n\n" + "\n".join(lines[1:]) if len(lines) > 1 else "") + code


def describe(text: str, place: int, known: Program) -> Description | None:
    """What stands at a place of `text`, given what is known of the program, this text included; None for nothing.

    >>> from .resolve import read_model
    >>> from .source import Source
    >>> known = Program(Source(""), {"Model": read_model("Smoke -> Tar")}, {}, {}, {}, ())
    >>> describe("identify P(Tar | do(Smoke)) in Model", 22, known).title
    'Smoke: observed variable of Model'
    """
    start, end = word_at(text, place)
    word = text[start:end]
    here = situation(text, end) if word else None
    if here is None or here.start != start:
        return None
    found = _named(word, here, known) or _anything(word, here, known)
    return None if found is None else Description(start, end, found[0], found[1], found[2])


def describe_name(name: str, known: Program) -> Description | None:
    """What a name of a program, or a word of the language, stands for; None where it is neither."""
    found = _anything(name, Situation(0, len(name)), known)
    return None if found is None else Description(0, len(name), found[0], found[1], found[2])


Found = tuple[str, tuple[tuple[str, str], ...], str]


def _named(word: str, here: Situation, known: Program) -> Found | None:
    """What a word is among the things that are expected at its place."""
    for expected in here.expects:
        match expected:
            case Expect.VARIABLE:
                found = _variable(word, here, known)
            case Expect.VALUE:
                found = _value(word, here, known)
            case Expect.MODEL if word in known.models:
                found = describe_model(known.models[word])
            case Expect.DOMAIN:
                found = _domain(word, here, known)
            case Expect.DATA if word in known.data:
                found = describe_data(known.data[word])
            case Expect.EXPRESSION if word in known.queries:
                found = describe_query(known.queries[word])
            case Expect.STATEMENT if word in STATEMENTS:
                found = _word(STATEMENTS[word])
            case _:
                found = None
        if found is not None:
            return found
    return None


def _anything(word: str, here: Situation, known: Program) -> Found | None:
    """What a word is wherever it may stand: a word of the language, or a name of the program."""
    if here.head == "" and word in STATEMENTS:
        return _word(STATEMENTS[word])
    if word in known.models:
        return describe_model(known.models[word])
    if word in known.queries:
        return describe_query(known.queries[word])
    if word in known.data:
        return describe_data(known.data[word])
    found = _variable(word, here, known) or _domain(word, here, known)
    return found or (_word(WORDS[word]) if word in WORDS else None)


def _word(word: Word) -> Found:
    kind = "named effect" if word.name in EFFECTS else word.kind.value
    return f"{word.name}: {kind}", (("form", word.form), ("meaning", word.meaning)), ""


def _variable(word: str, here: Situation, known: Program) -> Found | None:
    models = models_meant(here, known)
    if here.head == "model" and here.model is not None and here.model in known.models:
        models = (known.models[here.model],)
    for model in models:
        if word in model.by_name:
            return describe_variable(model, word)
    return None


def describe_variable(model: Model, name: str) -> Found:
    """A variable: its role, values, parents, children and mechanism."""
    variable = model.by_name[name]
    facts: list[tuple[str, str]] = []
    shown = values_text(variable).removeprefix(": ")
    facts.append(("values", shown or "symbolic: none are declared"))
    parents = [each for each in model.parents(name) if "<->" not in each]
    facts.append(("causes", _names(parents)))
    facts.append(("effects", _names(_children(model, name))))
    beside = [each for each in model.parents(name) if "<->" in each]
    if beside:
        others = [part for each in beside for part in each.split("<->") if part != name]
        facts.append(("hidden common cause with", _names(others)))
    mechanism = model.mechanisms.get(name)
    code = "" if mechanism is None else "\n".join(_mechanism(model, name, mechanism))
    return f"{name}: {role(model, variable)} variable of {model.name}", tuple(facts), code


def _children(model: Model, name: str) -> list[str]:
    return [each.name for each in model.variables if name in model.parents(each.name)]


def _names(names: list[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _mechanism(model: Model, name: str, mechanism: Mechanism) -> Iterator[str]:
    """A mechanism as the language writes it, a long table cut."""
    match mechanism:
        case AnyMechanism():
            yield f"{name} ~ any"
        case Equation(_, expression):
            yield f"{name} := {expression_text(expression)}"
        case Family(family, _, arguments):
            yield f"{name} ~ {family}({', '.join(map(expression_text, arguments))})"
        case Table((), rows):
            labels = model.labels(name) or ()
            weights = zip(labels, rows[0].weights, strict=False)
            listed = ", ".join(f"{quoted_label(label)}: {expression_text(weight)}" for label, weight in weights)
            yield f"{name} ~ {{{listed}}}"
        case Table(parents, rows):
            yield f"{name} ~ table ({', '.join(parents)}) {{"
            for row in rows[:MOST_ROWS]:
                cells = ", ".join("_" if cell is None else quoted_label(cell) for cell in row.cells)
                yield f"  {cells} => {', '.join(map(expression_text, row.weights))}"
            yield "}" if len(rows) <= MOST_ROWS else f"  # {len(rows) - MOST_ROWS} more rows\n}}"


def _value(word: str, here: Situation, known: Program) -> Found | None:
    name = here.variable or ""
    for model in models_meant(here, known):
        if name in model.by_name and word in (model.labels(name) or ()):
            listed = values_text(model.by_name[name]).removeprefix(": ")
            return f"{word}: value of {name} in {model.name}", (("values", listed),), ""
    return None


def describe_model(model: Model) -> Found:
    """A model: its variables by their roles, how much of it is given."""
    hidden = [name for name in model.latent if "<->" not in name]
    facts = [("observed", _names(list(model.observed)))]
    if hidden:
        facts.append(("latent", _names(hidden)))
    if len(hidden) < len(model.latent):
        pairs = [name for name in model.latent if "<->" in name]
        facts.append(("hidden common causes", _names(pairs)))
    if model.mutable:
        facts.append(("mutable", _names(list(model.mutable))))
    given = sum(not isinstance(each, AnyMechanism) for each in model.mechanisms.values())
    facts.append(("mechanisms", "all given" if given == len(model.variables) else f"{given} of {len(model.variables)}"))
    return f"{model.name}: model", tuple(facts), ""


def _domain(word: str, here: Situation, known: Program) -> Found | None:
    models = {model.name for model in models_meant(here, known)}
    fitting = [each for each in known.domains.values() if each.name == word]
    chosen = [each for each in fitting if each.model in models] or fitting
    return describe_domain(chosen[0], known.models[chosen[0].model]) if chosen else None


def describe_domain(domain: Domain, model: Model) -> Found:
    """A domain: the mechanisms in which it differs from its model."""
    code = [line for name, each in domain.mechanisms.items() for line in _mechanism(model, name, each)]
    differs = _names(list(domain.mechanisms))
    return f"{domain.name}: domain of {domain.model}", (("differs in", differs),), "\n".join(code)


def describe_data(data: Data) -> Found:
    """A data set: where its rows come from."""
    match data.origin:
        case File(path):
            origin = f'the file "{path}"'
        case Frame(name):
            origin = f"the table of Python {name}"
        case _:
            many = count(len(data.origin.rows), "row")
            origin = f"{many} in the program, columns {', '.join(data.origin.columns)}"
    facts = [("from", origin)]
    if data.weight:
        facts.append(("weight", data.weight))
    if data.do:
        facts.append(("experiment on", ", ".join(term.variable for term in data.do)))
    if data.domain:
        facts.append(("domain", data.domain))
    return f"{data.name}: data of {data.model}", tuple(facts), ""


def describe_query(query: Query) -> Found:
    """A query: what it asks."""
    return f"{query.name}: query about {query.model}", (("asks", query.text),), ""


def _plain(text: str) -> str:
    """Text in which Markdown marks nothing."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>#|" else mark for mark in text)
