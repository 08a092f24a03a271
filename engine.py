"""The one pipeline: text -> answers.

    parse -> resolve -> choose an algorithm -> run it -> certify -> evaluate on data if asked -> Answer

The library, the command line and the notebook are thin doors onto `run`.  Nothing is printed here.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from .answers.answer import Answer, Answers, Status
from .answers.answering import as_float, hidden_note, with_models, with_outcome, with_value
from .answers.estimate import estimated, real_note
from .answers.evidence import Question, domains_of, evidence, partial, parts, question
from .dsl.cells import Cells
from .dsl.diagnostics import Diagnostic, SutureError
from .dsl.diagram import Diagram
from .dsl.formula import Formula, Kernel
from .dsl.program import (
    Adjust,
    Assert,
    Boolean,
    Bound,
    Canonicalise,
    Compute,
    Condition,
    Counterfactual,
    Equivalent,
    Estimate,
    Fit,
    Identify,
    Independent,
    Model,
    Pending,
    Program,
    Query,
    Search,
    Show,
    Statement,
)
from .dsl.program_files import read_program
from .dsl.scope import Handed
from .dsl.source import Source as SourceText
from .dsl.source import Span
from .identify.algorithms import identify_formula, keywords
from .identify.certify import CertificationError, certify
from .identify.derivation import OBSERVED, Outcome, Separated, Source, Undecided
from .identify.separation import independence
from .semantics.budget import Budget, limited, meter

if TYPE_CHECKING:
    from .answers.across_domains import Families
    from .semantics.data.empirical import Empirical
    from .semantics.evaluate import Evaluation

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


def run(
    program: str | SourceText,
    folder: str | Path | None = None,
    budget: Budget | None = None,
    frames: Mapping[str, Any] | None = None,
) -> Answers:
    """Answer every statement of a program, in order, each within the budget.

    Relative paths of data files and networks are taken from `folder`; `data NAME of MODEL from frame` takes the table
    `frames["frame"]`: a dict of columns, or a pandas, polars, pyarrow or DuckDB table.  Raises `SutureError` where the
    program has errors; an error that only running a statement shows makes that statement's answer an error, and the
    others are answered.
    """
    source = program if isinstance(program, SourceText) else SourceText(program)
    return Answers(answers(read(source, folder), folder, budget, frames=frames))


def read(source: SourceText, folder: str | Path | None = None) -> Program:
    """Parse and resolve; raises `SutureError` with every diagnostic of the phase that failed."""
    return read_program(source, folder)


def answers(
    program: Program,
    folder: str | Path | None = None,
    budget: Budget | None = None,
    started: Callable[[Statement], None] | None = None,
    progress: Callable[[float], None] | None = None,
    frames: Mapping[str, Any] | None = None,
) -> Iterator[Answer]:
    """The answers one by one, each as soon as it is there and within the budget.

    `started` is told of each statement before it is run, `progress` how far a long contraction is, from 0 to 1.
    """
    session = Session(program, Path(folder) if folder is not None else None, frames or {}, budget, progress)
    for statement in program.statements:
        if started is not None:
            started(statement)
        yield from session.answer(statement)


@dataclass
class Session:
    """Answers statements of one program; data are read once, and a question identified twice is identified once."""

    program: Program
    folder: Path | None = None
    frames: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget | None = None
    progress: Callable[[float], None] | None = None
    tables: dict[str, Empirical] = field(default_factory=dict)
    outcomes: dict[tuple[Formula, Diagram, str | None, tuple[Source, ...]], Outcome] = field(default_factory=dict)
    cells: Cells = field(default_factory=Cells)

    @classmethod
    def empty(cls, folder: Path | None = None, frames: Mapping[str, Any] | None = None) -> Session:
        """A session without a program, which `enter` gives it cell by cell."""
        return cls(Program(SourceText(""), {}, {}, {}, {}, ()), folder, frames or {})

    def enter(self, source: SourceText, handed: Handed | None = None) -> tuple[Statement, ...]:
        """Read a cell: what it defines joins the program, or takes the place of what had its name before; its other
        statements are given back, to be answered.

        `handed` are models and tables of Python that the cell may use by name.  Raises `SutureError`, and changes
        nothing, where the cell has errors.
        """
        before, fits = self.program, self.families.fits.made
        self.cells = self.cells.read(source, self.folder, handed)
        self.program = self.cells.program
        # Files and tables of Python may have changed since the last cell.
        self.tables.clear()
        del self.families
        earlier = [
            each for each in self.program.statements if isinstance(each, Fit) and each not in self.cells.statements
        ]
        self.families.fits.made.update(
            {each: fits[each] for each in earlier if each in fits and _same(each, before, self.program)}
        )
        return self.cells.statements

    def answer(self, statement: Statement) -> Iterator[Answer]:
        """The answers to a statement, timed; `compute` gives one a query, every other statement gives one."""
        found, started = self._answers(statement), time.perf_counter()
        try:
            while (answer := self._next(found)) is not None:
                yield replace(answer, seconds=time.perf_counter() - started)
                started = time.perf_counter()
        except SutureError as error:
            yield self._failed(statement, error, time.perf_counter() - started)
        except SystemError as error:
            # Ctrl-C came while code in C was calling Python, and this is what the interpreter then makes of it.
            if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            raise

    def _next(self, found: Iterator[Answer]) -> Answer | None:
        """The next answer, within the budget; None after the last."""
        force = self.budget or meter().budget
        with limited(force, self.progress) if self.budget or self.progress else nullcontext():
            return next(found, None)

    def _failed(self, statement: Statement, error: SutureError, seconds: float) -> Answer:
        diagnostic = error.diagnostics[0]
        if diagnostic.span is None:
            diagnostic = replace(diagnostic, span=statement.span)
        head = Answer(keyword(statement), Status.ERROR, statement.span.line, error=diagnostic, seconds=seconds)
        return about(head, statement)

    def _answers(self, statement: Statement) -> Iterator[Answer]:
        match statement:
            case Identify():
                yield self.identify(statement)
            case Estimate():
                yield self.estimate(statement)
            case Compute():
                for query in statement.queries:
                    yield self.compute(query, statement.span)
            case Independent():
                yield self.independent(statement)
            case Show():
                yield self.show(statement)
            case Assert():
                yield self.check(statement)
            case Adjust():
                yield self.adjust(statement)
            case Bound():
                yield self.bound(statement)
            case Search():
                yield self.search(statement)
            case Canonicalise() | Equivalent() | Counterfactual():
                yield self.across(statement)
            case Fit():
                yield self.fit(statement)
            case Pending():
                raise SutureError(not_built(keyword(statement), statement.span))
            case _:
                assert_never(statement)

    # -- identification

    def outcome(
        self,
        formula: Formula,
        diagram: Diagram,
        method: str | None = None,
        sources: tuple[Source, ...] = (OBSERVED,),
    ) -> Outcome:
        """Choose, run, certify.  A result that its own certificate refuses is reported as undecided, never given."""
        key = (formula, diagram, method, sources)
        if key not in self.outcomes:
            found = identify_formula(formula, diagram, method, sources)
            try:
                self.outcomes[key] = certify(found, formula, diagram, sources=sources)
            except CertificationError as error:
                reason = f"suture refused its own result, which is a bug worth reporting: {error}"
                self.outcomes[key] = Undecided(reason, found.derivation, found.method)
        return self.outcomes[key]

    def identify(self, statement: Identify) -> Answer:
        """Formula and derivation, or a witness."""
        _refuse_method(statement.method, statement.span)
        query, model = statement.query, self.program.models[statement.query.model]
        elsewhere = self._elsewhere(statement)
        if elsewhere is not None:
            return elsewhere
        asked = question(query.formula, self.program, query.model, statement.span)
        if partial(model, asked.formula, statement.sources):
            return self._search(statement, asked)
        known = evidence(self.program, model, asked, statement.sources, self.table, statement.span)
        found = self.outcome(asked.formula, known.diagram, statement.method, known.sources)
        name = statement.name or query.name
        head = Answer("identify", Status.UNDECIDED, statement.span.line, name, model.name, query.text)
        head = replace(head, diagram=known.diagram, asked=asked.formula)
        answer = with_outcome(head, found, asked.formula)
        answer = replace(answer, notes=(*answer.notes, *hidden_note(known)))
        return with_models(answer, found, asked.formula, model, known)

    def _elsewhere(self, statement: Identify) -> Answer | None:
        """The refusal of a unit's values in another domain, from distributions that do not tell them."""
        formula = statement.query.formula
        if not isinstance(formula, Kernel) or not any(each.swap for term in formula.outcomes for each in term.world):
            return None

        from .answers.across_domains import not_from_laws

        query = statement.query
        name = statement.name or query.name
        head = Answer("identify", Status.UNDECIDED, statement.span.line, name, query.model, query.text)
        return not_from_laws(head, query, self.program)

    def _search(self, statement: Identify, asked: Question) -> Answer:
        """Identification from parts of distributions, by a search for a do-calculus proof within a budget."""
        query, model = statement.query, self.program.models[statement.query.model]
        kernel, sources = parts(self.program, model, asked, statement.sources, self.table, statement.span)
        found = identified_from_parts(model, kernel, sources, statement.method)
        name = statement.name or query.name
        head = Answer("identify", Status.UNDECIDED, statement.span.line, name, model.name, query.text)
        return with_outcome(replace(head, diagram=model.diagram, asked=kernel), found, kernel)

    # -- numbers

    def estimate(self, statement: Estimate) -> Answer:
        """The plug-in value of the identified formula on the data."""
        _refuse_method(statement.method, statement.span)
        if statement.interval is not None:
            raise SutureError(Diagnostic("S501", "intervals are not built yet", statement.span, "asks for one"))
        query, model = statement.query, self.program.models[statement.query.model]
        asked = question(query.formula, self.program, query.model, statement.span)
        known = evidence(self.program, model, asked, statement.sources, self.table, statement.span)
        line, name = statement.span.line, statement.name or query.name
        head = Answer("estimate", Status.VALUE, line, name, model.name, query.text, source=", ".join(statement.sources))
        head = replace(head, diagram=known.diagram, asked=asked.formula)
        return real_note(estimated(self.outcome, head, asked.formula, known, statement.method), model)

    def table(self, name: str) -> Empirical:
        """The data set of that name, read at the first use."""
        if name not in self.tables:
            from .semantics.data.empirical import load

            data = self.program.data[name]
            self.tables[name] = load(data, self.program.models[data.model], self.folder or Path(), self.frames)
        return self.tables[name]

    def compute(self, query: Query, span: Span) -> Answer:
        """The value in a model whose mechanisms are given."""
        done = self.evaluation(query)
        head = Answer("compute", Status.VALUE, span.line, query.name, query.model, query.text)
        notes = tuple(f"not determined: {gap.text()}" for gap in done.gaps)
        diagram = self.program.models[query.model].diagram
        return with_value(replace(head, notes=notes + done.notes, diagram=diagram, asked=query.formula), done.table)

    def evaluation(self, query: Query) -> Evaluation:
        """A query evaluated in its model; raises `SutureError` where nothing of it is determined."""
        from .semantics.compute import compute_formula
        from .semantics.evaluate import require_determined

        done = compute_formula(query.formula, self.program.models[query.model], domains_of(self.program, query.model))
        if bool(done.table.undetermined.all()):
            require_determined(done, query.text)
        return done

    def adjust(self, statement: Adjust) -> Answer:
        """The valid adjustment sets of an effect in the whole population or in a sample of it."""
        from .answers.adjusting import adjusted

        query = f"{', '.join(statement.treatments)} -> {', '.join(statement.outcomes)}"
        head = Answer("adjust", Status.VALUE, statement.span.line, None, statement.model, query)
        head = replace(head, diagram=self.program.models[statement.model].diagram)
        return adjusted(head, statement, self.program, self.table)

    def bound(self, statement: Bound) -> Answer:
        """The least and greatest value of a query over all models that agree with the sources."""
        from .answers.bounding import bounded

        query = statement.query
        asked = question(query.formula, self.program, query.model, statement.span)
        sources = ", ".join(source for source in statement.sources if isinstance(source, str))
        name = statement.name or query.name
        head = Answer(
            "bound", Status.BOUNDS, statement.span.line, name, query.model, query.text, source=sources or None
        )
        return bounded(head, statement, asked, self.program, self.table)

    def search(self, statement: Search) -> Answer:
        """The predictor that stays best when mechanisms change, its worst domain, the best of all predictors."""
        from .answers.searching import searched

        head = Answer("search", Status.VALUE, statement.span.line, None, statement.model, statement.text)
        head = replace(head, diagram=self.program.models[statement.model].diagram)
        return searched(head, statement, self.program, self.outcome, self.table, self.folder or Path())

    def across(self, statement: Canonicalise | Equivalent | Counterfactual) -> Answer:
        """Several domains of a latent model: its canonical form, equivalence, one sample in another domain."""
        from .answers.across_domains import canonicalised, counterfactual, equivalent_models

        head = about(Answer(keyword(statement), Status.VALUE, statement.span.line), statement)
        try:
            match statement:
                case Canonicalise():
                    return canonicalised(head, statement, self.families)
                case Equivalent():
                    return equivalent_models(head, statement, self.families)
                case Counterfactual():
                    return counterfactual(head, statement, self.families)
        except CertificationError as error:
            reason = f"suture refused its own result, which is a bug worth reporting: {error}"
            return replace(head, status=Status.UNDECIDED, reason=reason)

    @cached_property
    def families(self) -> Families:
        """The latent models of the program, each read once."""
        from .answers.across_domains import Families

        return Families(self.program, self.folder or Path(), self.frames)

    def fit(self, statement: Fit) -> Answer:
        """An invertible latent model of several domains, from samples of each."""
        from .answers.fitting import fitted_answer

        head = Answer("fit", Status.VALUE, statement.span.line, source=", ".join(statement.sources))
        return fitted_answer(about(head, statement), statement, self.families.fits)

    # -- diagrams

    def independent(self, statement: Independent) -> Answer:
        """Whether two variables are separated, with an open path where they are not."""
        model = self.program.models[statement.model]
        path = independence(model.diagram, statement.first, statement.second, statement.given)
        given = f" | {', '.join(statement.given)}" if statement.given else ""
        query = f"{statement.first} _||_ {statement.second}{given}"
        status = Status.HOLDS if path is None else Status.FAILS
        asked = Separated((statement.first,), (statement.second,), statement.given)
        head = Answer("independent", status, statement.span.line, None, model.name, query, witness=path)
        return replace(head, diagram=model.diagram, separation=asked)

    def show(self, statement: Show) -> Answer:
        """The string diagram; before and after surgery where one is asked for."""
        from .answers.pictures import picture

        model = self.program.models[statement.model]
        scene = picture(model, statement)
        cuts = ", ".join(t.variable if t.value is None else f"{t.variable} = {t.value}" for t in statement.do)
        query = f"after do({cuts})" if cuts else None
        return Answer("show", Status.VALUE, statement.span.line, None, model.name, query, scene=scene)

    # -- assertions

    def check(self, statement: Assert) -> Answer:
        """Whether a claim holds."""
        head = Answer("assert", Status.HOLDS, statement.span.line, query=statement.text)
        if isinstance(statement.claim, Identify):
            found = self.identify(statement.claim)
            holds = found.status is Status.IDENTIFIED
            changed = replace(
                found, statement="assert", query=statement.text, status=Status.HOLDS if holds else Status.FAILS
            )
            return replace(changed, derivation=head.derivation, estimand=None, requires=()) if holds else changed
        values: list[str] = []
        holds = self._holds(statement.claim, values)
        return replace(head, status=Status.HOLDS if holds else Status.FAILS, notes=() if holds else tuple(values))

    def _holds(self, claim: Condition, values: list[str]) -> bool:
        """The truth of a condition; `values` collects what its queries came to."""
        if isinstance(claim, Boolean):
            parts = [self._holds(part, values) for part in claim.operands]
            return not parts[0] if claim.operator == "not" else all(parts) if claim.operator == "and" else any(parts)
        numbers = [self._number(query, values) for query in claim.operands]
        pairs = zip(claim.operators, numbers, numbers[1:], strict=False)
        return all(COMPARISONS[symbol](left, right) for symbol, left, right in pairs)

    def _number(self, query: Query, values: list[str]) -> Any:
        """The exact value of a closed query of an assertion."""
        table = self.evaluation(query).table
        if table.variables:
            message = f"{query.text} is a function of {', '.join(table.variables)}, and an assertion compares numbers"
            raise SutureError(Diagnostic("S430", message, query.span, "", "give every variable a value"))
        number = table.item()
        if not isinstance(number, (int, float, Fraction)) and as_float(number) is None:
            message = f"{query.text} is {number}, which depends on parameters, and an assertion compares numbers"
            raise SutureError(Diagnostic("S430", message, query.span, "", "give every parameter a value"))
        number = number if isinstance(number, (int, Fraction)) else float(number)
        values.append(f"{query.name or query.text} is {float(number):.6g}")
        return number


def identified_from_parts(model: Model, query: Kernel, sources: Sequence[Kernel], method: str | None) -> Outcome:
    """The certified outcome from parts of distributions: by search, and where that finds nothing by adjustment."""
    from .answers.adjusting import has_sample, identified_in_a_sample

    if method not in (None, "do_calculus", "adjustment"):
        return Undecided(f"method '{method}' needs distributions of all that is not set", method=str(method))
    try:
        if method == "adjustment":
            return identified_in_a_sample(query, model, sources)
        found = _searched(query, model, sources)
        if not isinstance(found, Undecided) or method is not None or not has_sample(query, sources):
            return found
        other = identified_in_a_sample(query, model, sources)
    except CertificationError as error:
        return Undecided(f"suture refused its own result, which is a bug worth reporting: {error}")
    if isinstance(other, Undecided):
        return replace(found, reason=f"{found.reason}; by adjustment: {other.reason}")
    return other


def _searched(query: Kernel, model: Model, sources: Sequence[Kernel]) -> Outcome:
    """Identification by a search for a do-calculus proof, what is known at one value used at that value alone."""
    from .identify.do_proofs.do_search import search
    from .identify.do_proofs.do_search_check import certify_search
    from .identify.single_values import at_all_values, at_known_values

    inputs, values = at_all_values(sources)
    found = certify_search(search(query, model.diagram, inputs), query, model.diagram, inputs)
    return at_known_values(found, query, values)


def _refuse_method(method: str | None, span: Span) -> None:
    """Methods that the language knows and no algorithm offers yet are refused by name."""
    if method is not None and method not in keywords():
        built = ", ".join(keywords())
        raise SutureError(
            Diagnostic("S501", f"method '{method}' is not built yet", span, "asks for it", f"what is built: {built}")
        )


def _same(fit: Fit, before: Program, after: Program) -> bool:
    """Whether model and data of a fit are defined as they were, so that the model fitted then still stands."""
    if before.models.get(fit.model) != after.models.get(fit.model):
        return False
    return all(before.data.get(name) == after.data.get(name) for name in fit.sources)


def keyword(statement: Statement) -> str:
    """The word a statement starts with."""
    return statement.keyword if isinstance(statement, Pending) else type(statement).__name__.lower()


def about(head: Answer, statement: Statement) -> Answer:
    """The answer with the model, name and query of its statement, as far as it has one of each."""
    match statement:
        case Identify(query, name=name) | Estimate(query, name=name) | Bound(query, name=name):
            return replace(head, model=query.model, name=name or query.name, query=query.text)
        case Compute(queries):
            return replace(head, model=queries[0].model, query=", ".join(query.text for query in queries))
        case Independent(model=model) | Show(model=model) | Adjust(model=model):
            return replace(head, model=model)
        case Canonicalise() | Equivalent() | Counterfactual():
            from .answers.across_domains import heads

            return replace(head, **heads(statement))
        case Fit(model, _, _, _, _, name):
            return replace(head, model=model, name=name)
        case Pending(model=model, text=written) | Search(model=model, text=written):
            return replace(head, model=model, query=written)
        case Assert(text=written):
            return replace(head, query=written)
        case _:
            assert_never(statement)


def not_built(name: str, span: Span) -> Diagnostic:
    """The diagnostic of a statement whose algorithm is not there yet."""
    return Diagnostic(
        "S501",
        f"'{name}' is read and checked, but its algorithm is not built yet",
        span,
        "cannot be run yet",
        "the rest of the program is answered; `suture explain S501` lists what is built",
    )
