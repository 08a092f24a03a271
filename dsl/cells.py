"""A program written in cells: what earlier cells define can be used in later ones, and defined anew.

A name that a cell defines again takes the place of its former definition, whatever that was; running a cell twice is
the ordinary case of it.  Every definition is read again together with the new cell, so that a model may change under
its queries, data and domains.  One that no longer fits is set aside, with the reason, and comes back once it fits
again.  Places stay those of the cell in which something was written, since every span knows its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import tree
from .diagnostics import Diagnostic, Note, SutureError
from .mending import fitting, mend
from .parser import parse
from .program import Program, Statement
from .program_files import networks_in
from .resolve import resolve
from .scope import Handed
from .source import Source

EMPTY = Program(Source(""), {}, {}, {}, {}, ())


@dataclass(frozen=True, slots=True)
class Aside:
    """A definition that does not fit those of today, and why not."""

    definition: tree.Statement
    problem: Diagnostic

    @property
    def text(self) -> str:
        """What is said of it, in one sentence without a full stop."""
        kind, name = described(self.definition)
        where = self.problem.span.source.name if self.problem.span and self.problem.span.source else "an earlier cell"
        return f"{kind} '{name}' of {where} no longer fits and is set aside: {self.problem.message}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells read so far: the definitions that they made, and the program of the last one.

    `statements` are those of the last cell, to be answered; `program` holds all definitions that fit, and the
    statements of earlier cells that made a model.  `news` are the definitions that the last cell made not to fit.

    >>> cells = Cells().read(Source("model M { X -> Y }")).read(Source("identify P(Y | do(X))"))
    >>> cells.statements[0].query.model
    'M'
    """

    definitions: tuple[tree.Statement, ...] = ()
    program: Program = EMPTY
    statements: tuple[Statement, ...] = ()
    aside: tuple[Aside, ...] = ()
    news: tuple[Aside, ...] = ()
    handed: Handed = field(default_factory=Handed)

    def read(self, source: Source, folder: Path | None = None, handed: Handed | None = None) -> Cells:
        """The cells with one more.

        Raises `SutureError` with every error of the new cell.
        """
        mine = parse(source).statements
        names = frozenset(name for statement in mine for name in introduced(statement))
        given = Handed() if handed is None else handed.without(names)
        old = [each for each in self.definitions if (names | given.names).isdisjoint(introduced(each))]
        program, aside = _resolved(old, mine, source, folder, given)
        before = {id(each.definition) for each in self.aside}
        news = tuple(each for each in aside if id(each.definition) not in before)
        made = tuple(statement for statement in program.statements if statement.span.source is source)
        kept = (*old, *(each for each in mine if any(introduced(each))))
        return Cells(kept, replace(program, source=source), made, aside, news, given)

    def glance(self, source: Source, folder: Path | None = None) -> Program:
        """The program with one more cell that is still being written: of it, and of the others, all that fits."""
        mine = mend(source).tree.statements
        names = frozenset(name for statement in mine for name in introduced(statement))
        old = [each for each in self.definitions if names.isdisjoint(introduced(each))]
        return fitting(tree.Program((*old, *mine)), source, networks_in(folder), self.handed.without(names))


def introduced(statement: tree.Statement) -> Iterator[str]:
    """The name that a statement defines for later cells, where it defines one."""
    match statement:
        case tree.Model(name) | tree.Data(name) | tree.Query(name):
            yield name.text
        case tree.Domain(name, model):
            yield f"{model.text}.{name.text}"
        case tree.Canonicalise(name=tree.Name(text)) | tree.Fit(name=tree.Name(text)):
            yield text
        case _:
            pass


def described(definition: tree.Statement) -> tuple[str, str]:
    """The kind of a definition in words, and its name."""
    kind = "model" if isinstance(definition, tree.Canonicalise | tree.Fit) else type(definition).__name__.lower()
    return "data set" if kind == "data" else kind, next(introduced(definition), "")


def _resolved(
    old: Iterable[tree.Statement],
    mine: tuple[tree.Statement, ...],
    source: Source,
    folder: Path | None,
    handed: Handed,
) -> tuple[Program, tuple[Aside, ...]]:
    """The program of all definitions that fit together with the new cell, and those that do not."""
    fitting, aside = list(old), list[Aside]()
    while True:
        try:
            whole = tree.Program((*fitting, *mine))
            return resolve(whole, source, networks_in(folder), handed), tuple(aside)
        except SutureError as error:
            guilty = [(each, problem) for each in fitting for problem in error.diagnostics if _within(problem, each)]
            if not guilty:
                raise _explained(error, aside, source) from None
            for each, problem in guilty:
                if any(each is other for other in fitting):
                    fitting = [other for other in fitting if other is not each]
                    aside.append(Aside(each, problem))


def _within(problem: Diagnostic, statement: tree.Statement) -> bool:
    """Whether a problem lies in a statement."""
    place, whole = problem.span, statement.span
    return place is not None and place.source is whole.source and whole.start <= place.start < max(whole.end, 1)


def _explained(error: SutureError, aside: Iterable[Aside], source: Source) -> SutureError:
    """The errors of a cell; where one misses a definition that was set aside, it says so and shows the reason."""
    found = [problem for problem in error.diagnostics if problem.span is None or problem.span.source in (None, source)]
    return SutureError((_with_reason(problem, aside) for problem in found or error.diagnostics), error.source)


def _with_reason(problem: Diagnostic, aside: Iterable[Aside]) -> Diagnostic:
    for each in aside:
        kind, name = described(each.definition)
        short = name.rsplit(".", 1)[-1]
        if f"'{short}'" in problem.message and each.problem.span is not None:
            note = Note(each.problem.span, f"no longer fits: {each.problem.message}")
            return replace(
                problem, help=f"the {kind} '{short}' was set aside: correct it and run its cell again", notes=(note,)
            )
    return problem
