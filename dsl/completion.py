"""What may be written at a place of a program: names, values, keywords and forms, in context.

`complete` works on text that need not be finished (`cursor.py`) and on the program as far as it can be read, so that
notebooks, editors and terminals offer the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import assert_never

from .cursor import Situation, situation
from .cursor_clauses import Expect
from .program import Finite, Model, Program, Real, Variable
from .syntax_text import quoted_label
from .vocabulary import (
    CLAUSES,
    DESIGNS,
    EFFECTS,
    FAMILIES,
    FORMS,
    FUNCTIONS,
    LOSSES,
    METHODS,
    OPERATORS,
    STATEMENTS,
    Word,
)

FILES = frozenset({".csv", ".tsv", ".parquet"})
NETWORKS = frozenset({".bif", ".xml", ".xmlbif", ".net", ".xdsl", ".uai", ".dot", ".gml", ".gz", ".dag", ".lav"})
MOST_FILES = 200
MOST_VALUES = 100


class Kind(Enum):
    """What a suggestion is."""

    KEYWORD = "keyword"
    FUNCTION = "function"
    MODEL = "model"
    DOMAIN = "domain"
    DATA = "data set"
    QUERY = "query"
    VARIABLE = "variable"
    VALUE = "value"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that may be written: the text, what it is, a few words about it, and its meaning where it is a word."""

    text: str
    kind: Kind
    detail: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Suggestions for the text from `start` to `end`, the likeliest first."""

    start: int
    end: int
    suggestions: tuple[Suggestion, ...] = ()


def complete(
    text: str,
    place: int,
    known: Program,
    frames: Collection[str] = (),
    folder: Path | None = None,
) -> Completion:
    """What may be written at a place of `text`, given what is known of the program, this text included.

    `frames` are names of tables of Python that may be data, `folder` is where paths of files are taken from.

    >>> from .resolve import read_model
    >>> from .source import Source
    >>> known = Program(Source(""), {"M": read_model("Smoke -> Tar -> Cancer")}, {}, {}, {}, ())
    >>> [each.text for each in complete("identify P(Cancer | do(S", 24, known).suggestions]
    ['Smoke']
    """
    here = situation(text, place)
    if here is None:
        return Completion(place, place)
    offered = _Offer(here, known, frozenset(frames), folder)
    typed = text[here.start : place]
    found = dict.fromkeys(each for each in offered.all() if fits(each.text, typed))
    return Completion(here.start, here.end, tuple(found))


def fits(text: str, typed: str) -> bool:
    """Whether what was typed is the beginning of a text, capitals or not.

    >>> fits("Smoke", "sm"), fits('"very good"', "ver"), fits("Tar", "sm")
    (True, True, False)
    """
    return text.lstrip('"').casefold().startswith(typed.lstrip('"').casefold())


def models_meant(here: Situation, known: Program) -> tuple[Model, ...]:
    """The models that a statement can be about: the one it names, or the only one, else all."""
    if here.model is not None and here.model in known.models:
        return (known.models[here.model],)
    return () if here.head == "model" else tuple(known.models.values())


@dataclass(frozen=True, slots=True)
class _Offer:
    """Everything that may stand at a place."""

    here: Situation
    known: Program
    frames: frozenset[str]
    folder: Path | None

    def all(self) -> Iterator[Suggestion]:
        for expected in self.here.expects:
            yield from self.of(expected)

    def of(self, expected: Expect) -> Iterable[Suggestion]:
        match expected:
            case Expect.STATEMENT:
                return words(STATEMENTS)
            case Expect.EXPRESSION:
                return self.expression()
            case Expect.DISTRIBUTION:
                return [form("P", "P(")]
            case Expect.MODEL:
                return self.models()
            case Expect.DOMAIN:
                return self.domains()
            case Expect.DATA:
                return self.data()
            case Expect.FRAME:
                return [Suggestion(name, Kind.DATA, "table of Python") for name in sorted(self.frames)]
            case Expect.FILE:
                return self.files()
            case Expect.VARIABLE:
                return self.variables()
            case Expect.VALUE:
                return self.values()
            case Expect.DO:
                return [form("do", "do(")]
            case Expect.IN_DOMAIN:
                return [Suggestion("domain = ", Kind.KEYWORD, "in another domain")] if self.known.domains else []
            case Expect.CLAUSE:
                return self.clauses()
            case Expect.ITEM:
                return [word(CLAUSES["latent"]), word(CLAUSES["mutable"])]
            case Expect.OPERATOR:
                return [word(OPERATORS[name]) for name in ("and", "or", "xor", "then", "else")]
            case Expect.COLUMN:
                models = models_meant(self.here, self.known)
                own = [name for name in self.here.names if not any(name in model.by_name for model in models)]
                return [Suggestion(name, Kind.VARIABLE, "column") for name in own if name not in self.here.used]
            case Expect.MECHANISM:
                return [word(FORMS["real"])]
            case Expect.METHOD | Expect.LOSS | Expect.DESIGN | Expect.FAMILY | Expect.FUNCTION:
                return self.vocabulary(expected)
            case _:
                assert_never(expected)

    def vocabulary(self, expected: Expect) -> Iterable[Suggestion]:
        match expected:
            case Expect.METHOD:
                return words(METHODS)
            case Expect.LOSS:
                return words(LOSSES)
            case Expect.DESIGN:
                return words(DESIGNS)
            case Expect.FAMILY:
                forms = [form("table", "table "), word(FORMS["any"])]
                return [*(form(name, f"{name}(") for name in FAMILIES), *forms]
            case _:
                more = [word(FORMS["noise"]), word(OPERATORS["if"]), word(OPERATORS["not"])]
                return [*(form(name, f"{name}(") for name in FUNCTIONS), *more]

    def expression(self) -> Iterator[Suggestion]:
        for name, query in self.known.queries.items():
            yield Suggestion(name, Kind.QUERY, query.text)
        yield from (form("P", "P("), form("E", "E("))
        yield from (form(name, f"{name}(") for name in EFFECTS)
        if self.here.head == "assert":
            yield word(STATEMENTS["identify"])

    def models(self) -> Iterator[Suggestion]:
        for name, model in self.known.models.items():
            yield Suggestion(name, Kind.MODEL, f"{len(model.observed)} observed, {len(model.latent)} latent")
        for statement in self.known.statements:
            made = getattr(statement, "name", None)
            if type(statement).__name__ in ("Canonicalise", "Fit") and made is not None:
                yield Suggestion(made, Kind.MODEL, f"made by {type(statement).__name__.lower()}")

    def domains(self) -> Iterator[Suggestion]:
        models = {model.name for model in models_meant(self.here, self.known)}
        fitting = [each for each in self.known.domains.values() if each.model in models]
        for domain in fitting or self.known.domains.values():
            if domain.name not in self.here.used:
                yield Suggestion(domain.name, Kind.DOMAIN, f"domain of {domain.model}")

    def data(self) -> Iterator[Suggestion]:
        models = {model.name for model in models_meant(self.here, self.known)}
        for name, data in self.known.data.items():
            if data.model in models and name not in self.here.used:
                yield Suggestion(name, Kind.DATA, f"data of {data.model}")

    def variables(self) -> Iterator[Suggestion]:
        told: dict[str, str] = {}
        models = models_meant(self.here, self.known)
        for model in models:
            for variable in sorted(model.variables, key=lambda variable: variable.latent):
                if "<->" not in variable.name:
                    place = f" of {model.name}" if len(models) > 1 else ""
                    told.setdefault(variable.name, f"{role(model, variable)}{place}{values_text(variable)}")
        if self.here.head == "model":
            told.update(dict.fromkeys(self.here.names, "variable"))
        if self.here.head == "data" and not self.here.variable:
            told = {name: detail for name, detail in told.items() if not detail.startswith("latent")}
        yield from (Suggestion(name, Kind.VARIABLE, told[name]) for name in told if name not in self.here.used)

    def values(self) -> Iterator[Suggestion]:
        name = self.here.variable or ""
        for model in models_meant(self.here, self.known):
            labels = model.labels(name) if name in model.by_name else None
            for label in (labels or ())[:MOST_VALUES]:
                yield Suggestion(quoted_label(label), Kind.VALUE, f"value of {name}")

    def clauses(self) -> Iterator[Suggestion]:
        names = self.here.clauses or (("predictor", "of") if self.here.head == "search" else ())
        yield from (word({**CLAUSES, **OPERATORS}[name]) for name in names)

    def files(self) -> Iterator[Suggestion]:
        endings = NETWORKS if self.here.head == "model" else FILES
        folder = self.folder or Path()
        try:
            every = sorted(folder.iterdir())[:MOST_FILES]
        except OSError:
            return
        for path in every:
            if path.suffix.lower() in endings and path.is_file():
                yield Suggestion(path.name, Kind.FILE, "file")


def word(known: Word) -> Suggestion:
    """A word of the language as a suggestion."""
    return Suggestion(known.name, Kind.KEYWORD, known.form, known.meaning)


def words(known: Mapping[str, Word]) -> list[Suggestion]:
    """Words of the language as suggestions."""
    return [word(each) for each in known.values()]


def form(name: str, text: str) -> Suggestion:
    """A form that opens a bracket."""
    known = {**FORMS, **EFFECTS, **FAMILIES, **FUNCTIONS}[name]
    return Suggestion(text, Kind.FUNCTION, known.form, known.meaning)


def role(model: Model, variable: Variable) -> str:
    """What a variable is in its model: latent or observed, mutable."""
    seen = "latent" if variable.latent else "observed"
    return f"{seen}, mutable" if variable.name in model.mutable else seen


def values_text(variable: Variable) -> str:
    """The values of a variable after a colon; nothing where it is symbolic.

    >>> values_text(Variable("X", Finite(("no", "yes")), False)), values_text(Variable("X", None, False))
    (': {no, yes}', '')
    """
    match variable.values:
        case None:
            return ""
        case Real(1):
            return ": real"
        case Real(dimension):
            return f": real[{dimension}]"
        case Finite(labels) if len(labels) > 8:
            return f": {quoted_label(labels[0])} .. {quoted_label(labels[-1])} ({len(labels)} values)"
        case Finite(labels):
            return f": {{{', '.join(map(quoted_label, labels))}}}"
