"""The resolved program: names, values and arities checked once, ready for algorithms.

The resolver (`resolve.py`) makes these from the surface tree.  After it nothing asks whether a variable is declared, a
label is in its domain or a row is covered.  Probabilities and equations stay surface expressions (`tree.Expression`)
with their names checked, since each semantics reads them in its own arithmetic (floats, exact rationals, SymPy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from . import tree
from .diagram import Diagram
from .formula import Formula, Kernel, Term
from .rows import Rows
from .source import Source, Span

# ---------------------------------------------------------------------------------------------------------------------
# Models


@dataclass(frozen=True, slots=True)
class Finite:
    """Finitely many values, each by its label as written (`yes`, `0`, `-1`); `0..2` has the labels 0, 1, 2."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Real:
    """Real numbers, or vectors of `dimension` of them."""

    dimension: int = 1


Values: TypeAlias = Finite | Real


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable; `values` is None where the program gives none (a symbolic variable)."""

    name: str
    values: Values | None
    latent: bool
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A finite mechanism; rows are read from the top, the first that matches counts, and every case is covered.

    The rows of a network read from a file are `NumberRows`, which keep their numbers as they came (`rows.py`).
    `~ {mild: 0.7, severe: 0.3}` and `~ Bernoulli(p)` become tables without parents.
    """

    parents: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Equation:
    """`:= expression` of the parents and, where `uses_noise`, of the variable's own noise."""

    parents: tuple[str, ...]
    expression: tree.Expression
    uses_noise: bool


@dataclass(frozen=True, slots=True)
class Family:
    """`~ Normal(mean, deviation)` and other families with parameters that may use the parents."""

    name: str
    parents: tuple[str, ...]
    arguments: tuple[tree.Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyMechanism:
    """`~ any`: some mechanism of the same shape, unknown; in a domain, a selection node.

    `~ any in [low, high]` of a real variable has values in that interval.
    """

    parents: tuple[str, ...]
    low: Fraction | None = None
    high: Fraction | None = None


Mechanism: TypeAlias = Table | Equation | Family | AnyMechanism


@dataclass(frozen=True)
class Model:
    """A causal model: its string diagram, its variables, and the mechanisms that are given (all, some or none).

    In the diagram every variable is one wire and one box of that name, latent wires are marked, and the outputs are the
    observed variables in the order of declaration.  `notes` tell what was changed or left out of a network that the
    model was read from.  `X <-> Y` is a latent variable named `X<->Y` without values.
    """

    name: str
    variables: tuple[Variable, ...]
    diagram: Diagram
    mechanisms: Mapping[str, Mechanism] = field(default_factory=dict)
    mutable: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def by_name(self) -> Mapping[str, Variable]:
        """The variables by name."""
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def observed(self) -> tuple[str, ...]:
        """Names of the observed variables, in the order of declaration."""
        return tuple(variable.name for variable in self.variables if not variable.latent)

    @cached_property
    def latent(self) -> tuple[str, ...]:
        """Names of the latent variables, in the order of declaration."""
        return tuple(variable.name for variable in self.variables if variable.latent)

    def parents(self, name: str) -> tuple[str, ...]:
        """The parents of a variable, in the order of its box's inputs."""
        diagram = self.diagram
        box = diagram.boxes[diagram.producer[diagram.position[name]]]
        return tuple(diagram.wires[wire].name for wire in box.inputs)

    def labels(self, name: str) -> tuple[str, ...] | None:
        """The labels of a finite variable; None where it is symbolic or real."""
        values = self.by_name[name].values
        return values.labels if isinstance(values, Finite) else None


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of a model: the mechanisms in which it differs."""

    name: str
    model: str
    mechanisms: Mapping[str, Mechanism]
    span: Span | None = field(default=None, compare=False)


# ---------------------------------------------------------------------------------------------------------------------
# Data


@dataclass(frozen=True, slots=True)
class Inline:
    """Rows written in the program; cells are text as written."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[Span, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class File:
    """A CSV or Parquet file; a relative path is taken from the program's folder."""

    path: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """A table of Python, handed over under this name: a data frame, or a dict of columns."""

    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Data:
    """A data set of a model; `do` lists the variables that were set in the experiment it comes from."""

    name: str
    model: str
    origin: Inline | File | Frame
    weight: str | None = None
    do: tuple[Term, ...] = ()
    domain: str | None = None
    span: Span | None = field(default=None, compare=False)


# ---------------------------------------------------------------------------------------------------------------------
# Queries and statements


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of one model: `formula` is arithmetic over kernels with `do` and worlds; `text` as formatted."""

    formula: Formula
    model: str
    text: str
    name: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Identify:
    """`identify Q in M from .. by METHOD as NAME`; `sources` are distributions or data sets, empty for the default."""

    query: Query
    sources: tuple[Kernel | str, ...]
    method: str | None
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Estimate:
    """`estimate Q in M from survey [interval 0.95]`."""

    query: Query
    sources: tuple[str, ...]
    method: str | None
    name: str | None
    interval: float | None
    span: Span


@dataclass(frozen=True, slots=True)
class Compute:
    """`compute Q1, Q2 in M`: one answer a query."""

    queries: tuple[Query, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Independent:
    """`independent A, B given {C} in M`."""

    first: str
    second: str
    given: tuple[str, ...]
    model: str
    span: Span


@dataclass(frozen=True, slots=True)
class Show:
    """`show M [after do(..)] [worlds Q]`; a `do` term without a value stands for the uniform state."""

    model: str
    do: tuple[Term, ...]
    worlds: Query | None
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """`Q1 <= Q2 < Q3` of an assertion: one operand more than operators."""

    operands: tuple[Query, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Boolean:
    """`A and B`, `A or B`, `not A` of an assertion."""

    operator: str
    operands: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Boolean


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert A` or `assert identify Q`."""

    claim: Condition | Identify
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Adjust:
    """`adjust X -> Y in M [from ..]`; either side may be a group, `sources` are as in `Identify`."""

    treatments: tuple[str, ...]
    outcomes: tuple[str, ...]
    sources: tuple[Kernel | str, ...]
    model: str
    span: Span


@dataclass(frozen=True, slots=True)
class Bound:
    """`bound Q in M from survey`; `sources` as in `Identify`, empty where the model's own distribution is meant."""

    query: Query
    sources: tuple[Kernel | str, ...]
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Search:
    """`search predictor of Y from {A, B} in M [from d1, d2] [over {d, e}] minimax LOSS [within 0.1] [compare]`.

    `changing` are the variables whose mechanisms differ between domains; where `domains` is empty, in any way that the
    model's own mechanism leaves open, or by at most `within` in each probability.  With `sources`, data sets,
    mechanisms are estimated; `environments` are the names of these, and where nothing is `changing` the data tell what
    is.  `compared` asks for other methods beside.
    """

    outcome: str
    features: tuple[str, ...]
    model: str
    domains: tuple[str, ...]
    changing: tuple[str, ...]
    loss: str
    text: str
    span: Span
    within: Fraction | None = None
    sources: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    compared: bool = False


@dataclass(frozen=True, slots=True)
class Canonicalise:
    """`canonicalise M over {d0, d1} as NAME`; `model` may be one that another `canonicalise` makes."""

    model: str
    domains: tuple[str, ...]
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Equivalent:
    """`equivalent M, N over {d0, d1}`; either model may be one that `canonicalise` makes."""

    first: str
    second: str
    domains: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """`counterfactual X1 = 1, X2 = 2 in M from d0 to d1`; a value is a label, or the text of a number."""

    sample: tuple[tuple[str, str], ...]
    model: str
    start: str
    end: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fit:
    """`fit M from d0_data, d1_data design canonical k 2 as NAME`: one data set a domain, of which it takes the name."""

    model: str
    sources: tuple[str, ...]
    domains: tuple[str, ...]
    design: str
    k: int | None
    name: str | None
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pending:
    """A statement that is read, checked and formatted, and whose algorithm is not built yet."""

    keyword: str
    model: str | None
    text: str
    span: Span


Statement: TypeAlias = (
    Identify
    | Estimate
    | Compute
    | Independent
    | Show
    | Assert
    | Adjust
    | Bound
    | Search
    | Canonicalise
    | Equivalent
    | Counterfactual
    | Fit
    | Pending
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program after resolution: definitions by name and the statements in the order of the source."""

    source: Source
    models: Mapping[str, Model]
    domains: Mapping[str, Domain]
    data: Mapping[str, Data]
    queries: Mapping[str, Query]
    statements: tuple[Statement, ...]
