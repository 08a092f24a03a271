"""What a question may be answered from: the sources after `from`, as distributions and, for numbers, as tables.

A source is the observed distribution (the default), an experiment, a domain, or a named data set of one of these.  A
single data set that only observed the queried domain is not named by the kernels of the answer; of several each is, so
that a formula says which source supplies each factor.  Variables that some data set does not measure, or that none of
the written sources names, are taken as latent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.diagram import Diagram, observe
from ..dsl.formula import Formula, Kernel, Term, kernels, node_terms, rebuild, subformulas, terms, variables
from ..dsl.formula_text import term_text
from ..dsl.program import Domain, Model, Program
from ..dsl.source import Span
from ..identify.derivation import OBSERVED, Source
from ..identify.single_values import SeveralValues, at_all_values

if TYPE_CHECKING:
    from ..semantics.data.empirical import Empirical
    from ..semantics.distribution import Distribution


@dataclass(frozen=True)
class Evidence:
    """Sources, the diagram whose outputs are what they all measure, what that hides, and the tables by name."""

    sources: tuple[Source, ...]
    diagram: Diagram
    hidden: tuple[str, ...] = ()
    tables: Mapping[str, Empirical] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether all there is is the observed distribution of the queried domain."""
        return self.sources == (OBSERVED,)

    @property
    def measured(self) -> tuple[str, ...]:
        """The variables that every source measures."""
        return tuple(self.diagram.wires[wire].name for wire in self.diagram.outputs)

    def distribution(self) -> Distribution:
        """What formulas over the sources are evaluated against; exact only where every table is."""
        from ..semantics.distribution import Sources
        from ..semantics.semiring import PROBABILITY

        tables = list(self.tables.values())
        if len({table.semiring for table in tables}) > 1:
            tables = [replace(table, semiring=PROBABILITY, _tables={}) for table in tables]
        return tables[0] if self.plain else Sources(dict(zip(self.tables, tables, strict=True)), tables[0])


@dataclass(frozen=True, slots=True)
class Question:
    """A query with its domain put aside: `formula` is about `domain`, None for the model itself."""

    formula: Formula
    domain: str | None


def question(formula: Formula, program: Program, model: str, span: Span | None) -> Question:
    """Split the queried domain off a formula; raises `SutureError` where its kernels are about several."""
    known = domains_of(program, model)
    domains = {kernel.source for kernel in kernels(formula) if kernel.do or kernel.source in known}
    if len(domains) > 1 and any(domains):
        message = "one identification is about one domain, and the query compares several"
        raise SutureError(Diagnostic("S501", message, span, "identify the parts one by one"))
    (domain,) = domains or {None}
    if domain is None:
        return Question(formula, None)

    def own(node: Formula) -> Formula:
        return replace(node, source=None) if isinstance(node, Kernel) and node.source == domain else node

    return Question(rebuild(formula, own), domain)


def domains_of(program: Program, model: str) -> dict[str, Domain]:
    """The domains of a model by the names the program gives them; two models may share such a name."""
    return {domain.name: domain for domain in program.domains.values() if domain.model == model}


def differing(program: Program, model: str, first: str | None, second: str | None) -> tuple[str, ...]:
    """The variables whose mechanisms may differ between two domains of a model, latent ones among them."""
    if first == second:
        return ()
    known = domains_of(program, model)
    sets = [known[name].mechanisms for name in (first, second) if name is not None and name in known]
    return tuple(dict.fromkeys(name for names in sets for name in names))


def reached(diagram: Diagram, names: Iterable[str], seen: Sequence[str]) -> tuple[str, ...]:
    """The seen variables whose mechanisms differ where those of `names` do: those that are not seen pass it on.

    A latent mechanism that differs shows in every seen variable it reaches through variables that are not seen.
    """
    found: set[str] = set()
    done: set[int] = set()
    stack = [diagram.position[name] for name in names]
    while stack:
        wire = stack.pop()
        if wire in done:
            continue
        done.add(wire)
        if diagram.wires[wire].name in seen:
            found.add(diagram.wires[wire].name)
        else:
            stack += [output for box in diagram.consumers[wire] for output in diagram.boxes[box].outputs]
    return tuple(name for name in seen if name in found)


def evidence(
    program: Program,
    model: Model,
    asked: Question,
    sources: Sequence[Kernel | str],
    load: Callable[[str], Empirical],
    span: Span | None = None,
) -> Evidence:
    """The evidence of a statement; data sets are loaded, since what they measure decides what can be identified.

    Raises `SutureError` for data that do not fit, for variables asked about that no source measures, and for partial
    distributions, which are not built yet.
    """
    if not sources:
        own = OBSERVED if asked.domain is None else Source(asked.domain)
        return Evidence((own,), model.diagram)
    tables = {name: load(name) for name in sources if isinstance(name, str)}
    alone, named = len(sources) == 1, _named(model, sources)
    made = tuple(_source(program, model, asked, source, named, alone, span) for source in sources)
    lacking = _lacking(model, made, [tables.get(source) if isinstance(source, str) else None for source in sources])
    hidden = tuple(name for name in model.observed if name in lacking or name not in named)
    _require_measured(asked.formula, hidden, [str(source) for source in sources if isinstance(source, str)], span)
    seen = [name for name in model.observed if name not in hidden]
    made = tuple(replace(source, differs=reached(model.diagram, source.differs, seen)) for source in made)
    return Evidence(made, observe(model.diagram, seen), hidden, tables)


def evidence_of_table(model: Model, formula: Formula, table: Empirical) -> Evidence:
    """The evidence of one table that observed the model; raises `SutureError` where it lacks what is asked about."""
    hidden = tuple(name for name in model.observed if name not in table.variables)
    _require_measured(formula, hidden, [table.name], None)
    seen = [name for name in model.observed if name not in hidden]
    return Evidence((OBSERVED,), observe(model.diagram, seen), hidden, {table.name: table})


def _source(
    program: Program,
    model: Model,
    asked: Question,
    source: Kernel | str,
    named: frozenset[str],
    alone: bool,
    span: Span | None,
) -> Source:
    if isinstance(source, Kernel):
        _require_whole(source, named, span)
        do = _set_freely(source.do, span)
        return Source(source.source, do, differing(program, model.name, asked.domain, source.source))
    data = program.data[source]
    do, differs = _set_freely(data.do, span), differing(program, model.name, asked.domain, data.domain)
    return OBSERVED if alone and not do and not differs else Source(source, do, differs)


def _set_freely(do: Sequence[Term], span: Span | None) -> tuple[str, ...]:
    """The variables an experiment set, at whatever values: one known at a single value says nothing of others."""
    fixed = [term for term in do if term.value is not None]
    if fixed:
        message = f"an experiment at one value, do({term_text(fixed[0])}), is no source yet"
        hint = f"write do({fixed[0].variable}) where it was done at all values; rows of data say at which"
        raise SutureError(Diagnostic("S501", message, span, "names one", hint))
    return tuple(term.variable for term in do)


def partial(model: Model, formula: Formula, sources: Sequence[Kernel | str]) -> bool:
    """Whether some source is a part of a distribution: with conditions, at one value, or without a variable that the
    query or another source names.
    """
    named = _named(model, sources)
    whole = all(isinstance(source, str) or _is_whole(source, named) for source in sources)
    return not whole or not variables(formula) & set(model.observed) <= named


def _named(model: Model, sources: Sequence[Kernel | str]) -> frozenset[str]:
    """The variables that written sources name: what none of them names is latent.  Data sets speak for themselves."""
    if not sources or any(isinstance(source, str) for source in sources):
        return frozenset(model.observed)
    kernels = (source for source in sources if isinstance(source, Kernel))
    return frozenset(term.variable for kernel in kernels for term in (*kernel.outcomes, *kernel.do))


def parts(
    program: Program,
    model: Model,
    asked: Question,
    sources: Sequence[Kernel | str],
    load: Callable[[str], Empirical],
    span: Span | None,
) -> tuple[Kernel, tuple[Kernel, ...]]:
    """The query and its sources as kernels, for a search; data sets stand for what they measure.

    Raises `SutureError` for arithmetic queries, for sources of domains that differ and for sources at several values of
    one variable, which are not searched.
    """
    if not isinstance(asked.formula, Kernel):
        message = "from parts of distributions one probability at a time is identified"
        raise SutureError(Diagnostic("S501", message, span, "", "identify the parts of the query one by one"))
    inputs: list[Kernel] = []
    for source in sources:
        if isinstance(source, Kernel):
            kernel, domain = source, source.source
        else:
            data, table = program.data[source], load(source)
            do = _set_freely(data.do, span)
            seen = [name for name in table.variables if name not in do]
            kernel, domain = Kernel(terms(seen), (), terms(do), source), data.domain
        if differing(program, model.name, asked.domain, domain):
            message = "parts of distributions of other domains are not searched yet"
            raise SutureError(Diagnostic("S501", message, span, f"{domain} is another"))
        inputs.append(kernel)
    try:
        at_all_values(inputs)
    except SeveralValues as error:
        raise SutureError(Diagnostic("S501", f"sources at several values of one variable: {error}", span)) from None
    return asked.formula, tuple(inputs)


def _is_whole(source: Kernel, named: Collection[str]) -> bool:
    """Whether a source is of all the named variables, at all values of those that it sets."""
    everywhere = all(term.value is None for term in source.do)
    return not source.given and everywhere and {term.variable for term in (*source.outcomes, *source.do)} == set(named)


def _require_whole(source: Kernel, named: frozenset[str], span: Span | None) -> None:
    """Only distributions of everything that is not set are sources so far."""
    if not _is_whole(source, named):
        missing = sorted(named - {term.variable for term in (*source.outcomes, *source.do)})
        fact = f"it leaves out {', '.join(missing)}" if missing else "it has conditions"
        message = f"identification from part of a distribution is not built yet: {fact}"
        raise SutureError(Diagnostic("S501", message, span, "", "name every observed variable that is not set"))


def _lacking(model: Model, sources: Iterable[Source], tables: Iterable[Empirical | None]) -> set[str]:
    """Observed variables that some table lacks."""
    lacking: set[str] = set()
    for source, table in zip(sources, tables, strict=True):
        if table is not None:
            lacking |= set(model.observed) - set(table.variables) - set(source.do)
    return lacking


def _require_measured(formula: Formula, hidden: Sequence[str], names: Sequence[str], span: Span | None) -> None:
    asked = {term.variable for node in subformulas(formula) for term in node_terms(node)}
    missing = [name for name in hidden if name in asked]
    if missing:
        where = " or ".join(names) or "the data"
        message = f"{where} has no column {missing[0]}, which the query asks about"
        raise SutureError(Diagnostic("S316", message, span, "", "estimate from data that measure it"))
