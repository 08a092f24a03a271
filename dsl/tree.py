"""The surface tree: what was written, node for node, each with its place.

It mirrors `suture.lark`.  Equality ignores places, so that a program and its formatted text have equal trees.  Runs of
operators of one precedence (`a + b - c`, `a and b and c`, `0 <= q <= 1`) are one node with a list of operands, so that
a long sum is a flat tree; what is nested deeper than `parser.DEPTH` is refused, hence recursion over a tree is safe.

For those who evaluate mechanisms: the expressions that may stand in a mechanism are `Number`, `Reference` (a parent, a
label or a parameter: the resolver has checked which, see `program.py`), `Text` (a quoted label), `Noise`, `Unary`,
`Arithmetic`, `Logic`, `Comparison`, `Conditional` and `Call`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from .probability_tables import Numbers
from .source import Span

NOWHERE = Span(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Label:
    """A value's label: a name (`yes`), a signed number as written (`-1`), or quoted text without its quotes."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


# ---------------------------------------------------------------------------------------------------------------------
# Expressions


@dataclass(frozen=True, slots=True)
class Number:
    """A number without sign, exact; `text` is how it was written (`0.30`, `2.5e-3`)."""

    value: Fraction
    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted label inside an expression."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A bare name: in a mechanism a parent, a label or a parameter; in arithmetic of queries another query."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Noise:
    """`noise`: the variable's own exogenous noise."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`; `operator` is `-` or `not`."""

    operator: str
    operand: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Operators of one precedence: all of `+ -`, or all of `* /`, from left to right, or one `^` (a power).

    One operand more than operators.
    """

    operators: tuple[str, ...]
    operands: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """`a and b and c`, `a or b`, `a xor b`: one operator, `and`, `or` or `xor`, between two or more operands."""

    operator: str
    operands: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a < b <= c`: every neighbouring pair compares; operators are `<= >= < > == !=` (`=` is read as `==`)."""

    operators: tuple[str, ...]
    operands: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if condition then first else second`."""

    condition: Expression
    first: Expression
    second: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`exp(x)`: a function of one or more arguments."""

    function: Name
    arguments: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Interval:
    """`[0.5, 1.5]`: any number between the ends, in a mechanism that may change."""

    low: Expression
    high: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class World:
    """`Y[X = 1, M = M[X = 0], Lab ~ rural]`: a variable in a world of one or more settings."""

    variable: Name
    settings: tuple[Setting, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Assign:
    """`X = 1` or `M = M[X = 0]` inside square brackets; without a value, `X`: a function of it."""

    variable: Name
    value: Label | World | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Swap:
    """`Lab ~ rural` inside square brackets; the variable `.` stands for every mechanism in which the domain differs."""

    variable: Name
    domain: Name
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Setting: TypeAlias = Assign | Swap


@dataclass(frozen=True, slots=True)
class Event:
    """`Y`, `Y = 1`, `Y[X = 1]` or `Y[X = 1] = 1`."""

    variable: Name | World
    value: Label | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Do:
    """`do(X = 1, Z)`."""

    events: tuple[Event, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InDomain:
    """`domain = city` after the bar."""

    domain: Name
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Given: TypeAlias = Event | Do | InDomain


@dataclass(frozen=True, slots=True)
class Probability:
    """`P(outcomes | given)` or, of a named source, `P[trial](outcomes | given)`."""

    outcomes: tuple[Event | Do, ...]
    given: tuple[Given, ...]
    source: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Expectation:
    """`E(body | given)`: the body is arithmetic over variables and worlds."""

    body: Expression
    given: tuple[Given, ...]
    source: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Effect:
    """`ate(X -> Y = y, M = m | given)`, or with levels `ate(X: low -> high, Y = y)`.

    `kind` is one of ate, ett, atu, cde, nde, nie, pn, ps, pns; `mediators` belong to cde (with values), nde and nie.
    """

    kind: str
    treatment: Name
    low: Label | None
    high: Label | None
    outcome: Event
    mediators: tuple[Event, ...]
    given: tuple[Given, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expression: TypeAlias = (
    Number
    | Text
    | Reference
    | Noise
    | Unary
    | Arithmetic
    | Logic
    | Comparison
    | Conditional
    | Call
    | Interval
    | World
    | Probability
    | Expectation
    | Effect
)

# ---------------------------------------------------------------------------------------------------------------------
# Values and mechanisms


@dataclass(frozen=True, slots=True)
class LabelSet:
    """`{no, yes}`."""

    labels: tuple[Label, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """`0..4`, both ends included; the ends are integers as written, possibly negative."""

    low: Label
    high: Label
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reals:
    """`real`, or `real[3]` for vectors; `dimension` is None where no brackets are written."""

    dimension: int | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Values: TypeAlias = LabelSet | Range | Reals


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; a cell None is the wildcard `_`."""

    cells: tuple[Label | None, ...]
    weights: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TableMechanism:
    """`~ table (A, B) { .. }`."""

    parents: tuple[Name, ...]
    rows: tuple[Row, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NumbersMechanism:
    """A table of numbers as a reader of networks makes it; in a program it is written as a `TableMechanism` is."""

    parents: tuple[Name, ...]
    numbers: Numbers
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WeightsMechanism:
    """`~ {mild: 0.7, severe: 0.3}`."""

    weights: tuple[tuple[Label, Expression], ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FamilyMechanism:
    """`~ Bernoulli(0.3)`, `~ Normal(1 + 0.5*X, 2)`."""

    family: Name
    arguments: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnyMechanism:
    """`~ any`, or `~ any in [-2, 2]`."""

    interval: Interval | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EquationMechanism:
    """`:= expression`."""

    expression: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Mechanism: TypeAlias = (
    TableMechanism | NumbersMechanism | WeightsMechanism | FamilyMechanism | AnyMechanism | EquationMechanism
)

# ---------------------------------------------------------------------------------------------------------------------
# Models and domains


@dataclass(frozen=True, slots=True)
class Declaration:
    """`latent A, B : values mechanism`; values and mechanism may be missing."""

    names: tuple[Name, ...]
    latent: bool
    values: Values | None
    mechanism: Mechanism | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """One end of an arrow: a name, or `{A, B}` (`braces` tells `{A}` from `A`)."""

    names: tuple[Name, ...]
    braces: bool
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Edges:
    """`A -> {B, C} <-> D`: one group more than arrows, each `->`, `<-` or `<->`."""

    groups: tuple[Group, ...]
    arrows: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mutable:
    """`mutable A, B`."""

    names: tuple[Name, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Item: TypeAlias = Declaration | Edges | Mutable


@dataclass(frozen=True, slots=True)
class Model:
    """`model Name { items }`, or `model Name from "file"`; `braces` spans the two braces and what is between."""

    name: Name
    items: tuple[Item, ...]
    origin: FilePath | None = None
    braces: Span = field(default=NOWHERE, compare=False, repr=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Replacement:
    """`Lab ~ table ..` or `Z1 := ..` in a domain."""

    variable: Name
    mechanism: Mechanism
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Domain:
    """`domain rural of Hospital { replacements }`."""

    name: Name
    model: Name
    replacements: tuple[Replacement, ...]
    braces: Span = field(default=NOWHERE, compare=False, repr=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


# ---------------------------------------------------------------------------------------------------------------------
# Data


@dataclass(frozen=True, slots=True)
class DataRow:
    """One row of cells; a number may be a fraction `1/4`, kept as written without blanks."""

    cells: tuple[Label, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InlineTable:
    """`{ header ; row ; row }`: the first row names the columns."""

    rows: tuple[DataRow, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FilePath:
    """`from "file.csv"`."""

    path: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Data:
    """`data survey of Smoking ..` with its clauses, each at most once; a `Name` is that of a table of Python."""

    name: Name
    model: Name
    origin: InlineTable | FilePath | Name
    weight: Name | None = None
    do: Do | None = None
    domain: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


# ---------------------------------------------------------------------------------------------------------------------
# Queries and actions


@dataclass(frozen=True, slots=True)
class Query:
    """`query effect = expression`."""

    name: Name
    expression: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DistributionSource:
    """`P(A, B | do(C)) in rural` after `from`."""

    distribution: Probability
    domain: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Identify:
    """`identify Q in M from sources by METHOD as NAME`."""

    query: Expression
    model: Name | None = None
    sources: tuple[DistributionSource | Name, ...] = ()
    method: Name | None = None
    name: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Estimate:
    """`estimate Q in M from survey by METHOD as NAME interval 0.95`."""

    query: Expression
    model: Name | None = None
    sources: tuple[Name, ...] = ()
    method: Name | None = None
    name: Name | None = None
    interval: Number | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compute:
    """`compute Q1, Q2 in M`."""

    queries: tuple[Expression, ...]
    model: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """`bound Q in M from survey as NAME`."""

    query: Expression
    model: Name | None = None
    sources: tuple[DistributionSource | Name, ...] = ()
    name: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Independent:
    """`independent A, B given {C} in M`."""

    first: Name
    second: Name
    given: tuple[Name, ...] = ()
    model: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Adjust:
    """`adjust X -> Y in M from P(X, Y, Z | S = 1), P(Z)`."""

    treatment: Group
    outcome: Group
    model: Name | None = None
    sources: tuple[DistributionSource | Name, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Show:
    """`show M after do(X = x) worlds Q`."""

    model: Name
    do: Do | None = None
    worlds: Expression | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Search:
    """`search predictor of Y from {A, B} in M from d1, d2 over {d, e} minimax LOSS within 0.1 compare`."""

    outcome: Name
    features: tuple[Name, ...]
    model: Name | None
    domains: tuple[Name, ...]
    loss: Name
    within: Expression | None = None
    sources: tuple[Name, ...] = ()
    compared: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Canonicalise:
    """`canonicalise M over {d0, d1} as NAME`."""

    model: Name
    domains: tuple[Name, ...]
    name: Name | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Equivalent:
    """`equivalent M, N over {d0, d1}`."""

    first: Name
    second: Name
    domains: tuple[Name, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fit:
    """`fit M from d0_data, d1_data design canonical k 2 as NAME`."""

    model: Name
    sources: tuple[Name, ...]
    design: Name
    k: Number | None
    name: Name | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Setup:
    """`X1 = 1` of a sample or of a cause: a variable and a signed number, fraction or label."""

    variable: Name
    value: Label
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """`counterfactual X1 = 1, X2 = 2 in M from d0 to d1`."""

    sample: tuple[Setup, ...]
    model: Name | None
    start: Name
    end: Name
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cause:
    """`cause X = 1 of Y = 1 in M where U = 1, V = 0`."""

    cause: tuple[Setup, ...]
    effect: tuple[Setup, ...]
    model: Name | None
    context: tuple[Setup, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert claim`, `assert M: claim`, or `assert identify Q in M`."""

    model: Name | None
    claim: Expression | Identify
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Action: TypeAlias = (
    Identify
    | Estimate
    | Compute
    | Bound
    | Independent
    | Adjust
    | Show
    | Search
    | Canonicalise
    | Equivalent
    | Counterfactual
    | Fit
    | Cause
    | Assert
)
Statement: TypeAlias = Model | Domain | Data | Query | Action

# ---------------------------------------------------------------------------------------------------------------------
# Programs


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` to the end of its line."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Program:
    """The statements in the order of the source; comments are kept for the formatter and do not count in equality."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
