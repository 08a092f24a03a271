"""The library face: a `Model` that answers what the language can ask, with the same words and the same answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers.answer import Answer, Answers, Status
from .answers.estimate import estimated, real_note
from .answers.evidence import evidence_of_table
from .answers.pictures import chosen_model
from .dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from .dsl.diagram import Diagram
from .dsl.drawing import Scene, causal_graph_scene, diagram_scene, surgery_scene
from .dsl.files import read_file
from .dsl.formula import Kernel, variables
from .dsl.program import Adjust, Compute, Domain, Identify, Independent, Program, Query, Search
from .dsl.program import Model as ResolvedModel
from .dsl.resolve import read_domain, read_model, read_query, read_search
from .dsl.source import Source, Span
from .engine import Session, read, run

if TYPE_CHECKING:
    from .identify.environments.environment_search import Options

NOWHERE = Span(0, 0, 0, 0)


@dataclass(frozen=True)
class Picture:
    """A drawing that notebooks show by themselves and that can be saved."""

    scene: Scene

    def svg(self) -> str:
        """The picture as SVG text."""
        from .dsl.drawing import svg

        return svg(self.scene)

    def png(self, scale: float = 2.0) -> bytes:
        """The picture as PNG; raises `SutureError` where matplotlib is missing."""
        from .dsl.drawing import png

        return png(self.scene, scale)

    def tikz(self) -> str:
        """The picture as TikZ."""
        from .dsl.drawing import tikz

        return tikz(self.scene)

    def _repr_svg_(self) -> str:
        return self.svg()


class Model:
    """A causal model, from arrows (`X -> M -> Y ; X <-> Y`) or a whole `model { .. }` text.

    Raises `SutureError` where the text is not one model.

    >>> answer = Model("X -> M -> Y ; X <-> Y").identify("P(Y | do(X))")
    >>> answer.status.value, answer.estimand.text
    ('identified', 'sum{m} P(M=m | X) sum{x} P(X=x) P(Y | X=x, M=m)')
    """

    def __init__(self, text: str) -> None:
        self._resolved = read_model(text)

    @classmethod
    def of(cls, resolved: ResolvedModel) -> Model:
        """The face of a resolved model, such as one of a program."""
        model = cls.__new__(cls)
        model._resolved = resolved
        return model

    @classmethod
    def from_networkx(cls, graph: Any, latent: Sequence[str] = ()) -> Model:
        """A model from a networkx DAG; nodes named in `latent`, or with a true `latent` attribute, are hidden.

        Raises `SutureError` where the graph has a cycle.
        """
        return cls.from_object(graph, latent)

    @classmethod
    def from_object(cls, graph: Any, latent: Sequence[str] = ()) -> Model:
        """A model from a graph of another package: networkx, pgmpy, y0, Ananke, DoWhy, pyAgrum, pydot, pygraphviz.

        Recognised by what the object can do; nothing is imported.  Names that the language does not have are changed.
        Raises `SutureError` where the object is no such graph, or says what a model cannot be.
        """
        from .dsl.exchange import from_object

        return cls.of(from_object(graph, latent=latent).model)

    @classmethod
    def from_text(cls, text: str, format: str | None = None) -> Model:
        """A model from a graph or network in another tool's format, guessed where not given: dagitty, dot, lavaan, bif,
        xmlbif, net, xdsl, uai or gml.

        Raises `SutureError` where the text cannot be read or says what a model cannot be.

        >>> Model.from_text("dag { X -> M -> Y ; X <-> Y }").observed
        ('X', 'M', 'Y')
        """
        from .dsl.exchange import import_graph

        return cls.of(import_graph(text, format).model)

    @classmethod
    def from_file(cls, path: str | Path, format: str | None = None) -> Model:
        """A model from a graph or a network in a file, such as `alarm.bif` or `alarm.bif.gz`, or from a program's only
        model (`.suture`); the format is told by `format`, the file's name or its text.

        `notes` tell what was changed or left out.  Raises `SutureError` where the file cannot be read, with the place
        in it.
        """
        if format is None and str(path).endswith(".suture"):
            return cls.of(chosen_model(read(read_file(path), Path(path).parent), None))
        from .dsl.exchange import import_file

        return cls.of(import_file(path, format).model)

    def to_text(self, format: str) -> str:
        """The model's graph in another tool's format.  Raises `SutureError` for a format that cannot say it."""
        from .dsl.exchange import export_graph

        return export_graph(self._resolved, format)

    @property
    def name(self) -> str:
        """The model's name; `Model` where the text gives none."""
        return self._resolved.name

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed or left out of the graph or network that the model was read from."""
        return self._resolved.notes

    @property
    def resolved(self) -> ResolvedModel:
        """The model as the language resolves it."""
        return self._resolved

    @property
    def diagram(self) -> Diagram:
        """The model's string diagram."""
        return self._resolved.diagram

    @property
    def observed(self) -> tuple[str, ...]:
        """Names of the observed variables."""
        return self._resolved.observed

    @property
    def latent(self) -> tuple[str, ...]:
        """Names of the latent variables."""
        return self._resolved.latent

    def identify(self, query: str, by: str | None = None, sources: str | Sequence[str] = ()) -> Answer:
        """The query as a formula in the observed distribution, or in `sources`, with its derivation, or a witness.

        Raises `SutureError` where the query or a source does not fit the model.

        >>> model = Model("Z -> X -> Y ; Z -> Y ; Z -> S")
        >>> model.identify("P(Y | do(X))", sources=["P(X, Y, Z | S = 1)", "P(Z)"]).status.value
        'identified'
        """
        return self._one(Identify(self._observable(query), self._sources(sources), by, None, NOWHERE))

    def compute(self, query: str) -> Answer:
        """The query's value, where every mechanism it needs is given.

        Raises `SutureError` where the query does not fit the model, or a mechanism is missing.
        """
        return self._one(Compute((self._query(query),), NOWHERE))

    def plan(self, query: str) -> Answer:
        """What computing a query would cost, without computing it: the plan of every contraction, from shapes alone.

        `value["contractions"]` has multiplications, bytes, width, seconds and the order in which variables are summed
        out.  Raises `SutureError` where the query does not fit the model.
        """
        from .answers.planning import planned_answer

        asked = self._query(query)
        return planned_answer(self._resolved, asked.text, asked.formula, {})

    def estimate(self, query: str, data: Any, weight: str | None = None, by: str | None = None) -> Answer:
        """The query's plug-in value from `data`: a dict of columns, or a pandas, polars, pyarrow or DuckDB table; or
        such a table read before (`semantics.data.empirical.from_columns`).

        `weight` names the column of row counts.  Raises `SutureError` where query or data do not fit the model.
        """
        from .semantics.data.empirical import Empirical, from_columns

        asked = self._observable(query)
        table = data if isinstance(data, Empirical) else from_columns(data, self._resolved, weight)
        head = Answer("estimate", Status.VALUE, None, None, self.name, asked.text, source="data")
        known = evidence_of_table(self._resolved, asked.formula, table)
        return real_note(estimated(self._session().outcome, head, asked.formula, known, by), self._resolved)

    def adjust(
        self, treatments: str | Sequence[str], outcomes: str | Sequence[str], sources: str | Sequence[str] = ()
    ) -> Answer:
        """The valid adjustment sets for the effect of treatments on outcomes, or the path that no set blocks.

        `sources` are distributions: what the sample measures, `P(X, Y, Z | S = 1)` where it was selected by S, and
        what is known for everyone besides, `P(Z)`; without them everything observed is measured for everyone.
        Raises `SutureError` where a name is unknown, latent or named twice, or no source measures what is asked.

        >>> Model("A -> X -> Y ; A -> Y ; B -> Y").adjust("X", "Y").value
        {'sets': [['A']], 'minimum': ['A'], 'optimal': ['A', 'B']}
        >>> Model("X -> Y ; X -> S").adjust("X", "Y", "P(X, Y | S = 1)").estimand.text
        'P(Y | X, S=1)'
        """
        left = (treatments,) if isinstance(treatments, str) else tuple(treatments)
        right = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
        return self._one(Adjust(left, right, self._sources(sources), self.name, NOWHERE))

    def search_predictor(
        self,
        outcome: str,
        features: Sequence[str] | None = None,
        loss: str = "squared_loss",
        mutable: Sequence[str] | None = None,
        within: float | str | Fraction | None = None,
        *,
        domains: Mapping[str, str] | None = None,
        over: Sequence[str] = (),
        compare: bool = False,
        data: Mapping[str, Any] | None = None,
        weight: str | None = None,
        smoothing: float = 0.0,
        draws: int = 200,
        level: float = 0.05,
        seed: int = 0,
        curved: bool = False,
    ) -> Answer:
        """The predictor of `outcome` whose worst risk over all domains is least, among those of stable subsets.

        `features` are all other observed variables where not given; `mutable`, the variables whose mechanisms may be
        anything, are those the model declares; with `within` their probabilities may differ from the model's by at most
        that much.  `loss` is `squared_loss`, `log_loss` or `zero_one`.  The answer's
        `predictor` predicts rows of data, its `search` holds every class, worst domain and bound.

        `domains` are domains by name, what differs in each written as in the language; the search is `over` those
        named, else over all there could be.  `compare` puts other methods beside.

        `data` are tables of several environments by name, each as `estimate` takes them, with a column `weight` of row
        counts or none: mechanisms are then estimated, `smoothing` added to each count.  Where nothing is said to be
        mutable, what differs between the environments is found by tests at `level`.  `draws` bootstrap samples of the
        environments tell how sure the worst cases are; `seed` is that of all random numbers.  Mechanisms of real
        variables are straight lines, or with `curved` smooth functions, whose worst cases are lower bounds without
        intervals.  The answer's `environments` holds tests, intervals and comparison.
        Raises `SutureError` where names, numbers or data do not fit.

        >>> model = Model("Y : {0, 1} ~ Bernoulli(0.2) ; M : {0, 1} ; Y -> M ; mutable M")
        >>> model.search_predictor("Y").value["worst_case"]
        0.16
        >>> near = {"near": "M ~ table (Y) { 0 => 0.5, 0.5 ; 1 => 0.4, 0.6 }"}
        >>> round(model.search_predictor("Y", domains=near, over=["near"]).value["minimax"], 3)
        0.159
        """
        chosen = [name for name in self.observed if name != outcome] if features is None else features
        self._require(mutable or ())
        model = self._resolved if mutable is None else replace(self._resolved, mutable=tuple(mutable))
        known = [read_domain(name, text, model) for name, text in (domains or {}).items()]
        text = f"search predictor of {outcome} from {{{', '.join(chosen)}}} minimax {loss}"
        text = f"{text} compare" if compare else text
        asked = replace(read_search(text, model, known, over, tuple(data or ())), span=NOWHERE)
        if within is not None:
            radius = _radius(within)
            asked = replace(asked, within=radius, text=f"{asked.text} within {radius}")
        if data is None:
            return Model.of(model)._one(asked, {domain.name: domain for domain in known})
        from .identify.environments.environment_search import Options

        options = Options(compare, smoothing, draws, level, seed=seed, curved=curved)
        return Model.of(model)._from_environments(asked, data, weight, options)

    def _from_environments(
        self, asked: Search, data: Mapping[str, Any], weight: str | None, options: Options
    ) -> Answer:
        """The answer to a search from tables of Python; raises `SutureError` as it does."""
        from .answers.searching import searched_in_data
        from .answers.searching_data import rows_of_frames
        from .semantics.data.empirical import Empirical, from_columns

        def table(name: str) -> Empirical:
            return from_columns(data[name], self._resolved, weight, name)

        head = Answer("search", Status.VALUE, None, None, self.name, asked.text)
        rows = rows_of_frames(data, weight)
        return searched_in_data(head, asked, self._resolved, table, rows, self._session().outcome, options)

    def independent(self, first: str, second: str, given: Sequence[str] = ()) -> Answer:
        """Whether two variables are separated by others, with an open path where they are not.

        Raises `SutureError` where a name is unknown.
        """
        self._require((first, second, *given))
        return self._one(Independent(first, second, tuple(given), self.name, NOWHERE))

    def show(self, do: dict[str, str | None] | Sequence[str] = (), graph: bool = False) -> Picture:
        """The string diagram, before and after surgery on `do`, or the plain causal graph."""
        if graph:
            return Picture(causal_graph_scene(self.diagram))
        values = dict(do) if isinstance(do, dict) else dict.fromkeys(do)
        return Picture(surgery_scene(self.diagram, values) if values else diagram_scene(self.diagram))

    def _repr_svg_(self) -> str:
        return self.show().svg()

    def __repr__(self) -> str:
        return f"<suture.Model {self.name}: {', '.join(self.observed)}>"

    def _require(self, names: Sequence[str]) -> None:
        """Refuse names that are no variables (S104)."""
        for name in names:
            if name not in self._resolved.by_name:
                message = f"unknown variable '{name}' in model {self.name}"
                raise SutureError(Diagnostic("S104", message, help=did_you_mean(name, self._resolved.by_name)))

    def _query(self, text: str) -> Query:
        return read_query(text, self._resolved)

    def _observable(self, text: str) -> Query:
        """A query that data can answer; raises `SutureError` S401 where it names a latent variable."""
        query = self._query(text)
        latent = sorted(variables(query.formula) & set(self.latent))
        if latent:
            message = f"{one_of(latent)} is latent in model {self.name}, and no data tell its distribution"
            help = "'compute' can answer it where every mechanism is given"
            raise SutureError(Diagnostic("S401", message, help=help))
        return query

    def _sources(self, texts: str | Sequence[str]) -> tuple[Kernel, ...]:
        """Distributions from their texts; raises `SutureError` S406 for what is not one."""
        found: list[Kernel] = []
        for text in (texts,) if isinstance(texts, str) else texts:
            formula = self._observable(text).formula
            if not isinstance(formula, Kernel):
                raise SutureError(Diagnostic("S406", f"a source is one distribution, and {text} is not"))
            found.append(formula)
        return tuple(found)

    def _session(self, domains: Mapping[str, Domain] | None = None) -> Session:
        program = Program(Source(""), {self.name: self._resolved}, domains or {}, {}, {}, ())
        return Session(program)

    def _one(
        self,
        statement: Identify | Compute | Independent | Adjust | Search,
        domains: Mapping[str, Domain] | None = None,
    ) -> Answer:
        (answer,) = self._session(domains).answer(statement)
        if answer.error is not None:
            raise SutureError(answer.error)
        return answer


def _radius(within: float | str | Fraction) -> Fraction:
    """How far a probability may be moved; raises `SutureError` S475 for what is no number from 0 to 1."""
    try:
        radius = Fraction(str(within))
    except (ValueError, ZeroDivisionError):
        radius = Fraction(-1)
    if not 0 <= radius <= 1:
        message = f"probabilities differ by a number from 0 to 1, not by {within}"
        raise SutureError(Diagnostic("S475", message, help="write for example: within=0.1"))
    return radius


def run_file(path: str | Path) -> Answers:
    """Answer the program in a file; data paths are taken from its folder.  Raises `SutureError` as `run` does."""
    return run(read_file(path), Path(path).parent)
