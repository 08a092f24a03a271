"""Derivations and outcomes: answers that can be checked.

A `Derivation` is a list of `Step`s.  Each step states an equality, `before = after`, that holds in every model over the
diagram, names the `Rule` it follows from, and lists the side conditions that were checked (`because`), as data.  The
left side of the first step is the query; later steps establish terms that the step called `plug` puts into it, and the
right side of the last step is the estimand.  In a derivation a kernel with `do` stands for what surgery on the model
gives, so every step can be evaluated on any model and replayed by `replay.py`, which knows nothing of the algorithm
that wrote it.

An algorithm returns an `Outcome`, never None and never prose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ..dsl.diagram import Diagram
from ..dsl.formula import Formula


@dataclass(frozen=True, slots=True)
class Rule:
    """A named inference rule: its statement in one sentence and where it is published."""

    name: str
    statement: str
    source: str


@dataclass(frozen=True, slots=True)
class Source:
    """A distribution at hand: of all observed variables, under `do`, where the mechanisms of `differs` are others.

    `name` is how kernels refer to it; None is the distribution of the model itself.  Where all mechanisms agree with
    those of the queried domain, `differs` is empty.
    """

    name: str | None = None
    do: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


OBSERVED = Source()

# ---------------------------------------------------------------------------------------------------------------------
# Side conditions: each is a fact about the diagram (or a distribution) that a checker can decide again.


@dataclass(frozen=True, slots=True)
class Ancestral:
    """`members` is closed under parents within the sub-diagram on `within`, once `cut` variables are cut."""

    members: tuple[str, ...]
    within: tuple[str, ...]
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Components:
    """The boxes of `within` fall into these groups when every observed wire is cut (the c-components)."""

    groups: tuple[tuple[str, ...], ...]
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Teeth:
    """The comb over `component` has these teeth, in topological order of `within`, its holes filled by the others.

    `source` and `do` name the distribution it is taken from, where that is not the model's own or an experiment.
    """

    component: tuple[str, ...]
    teeth: tuple[tuple[str, ...], ...]
    within: tuple[str, ...]
    source: str | None = None
    do: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Separated:
    """`first` and `second` are d-separated by `given` in the diagram after `cut` (incoming) and `cut_out`
    (outgoing), and without the single `arrows`.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    given: tuple[str, ...]
    cut: tuple[str, ...] = ()
    cut_out: tuple[str, ...] = ()
    arrows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Positive:
    """The formula is above zero at every value of its variables: it is a condition or stands below a quotient."""

    formula: Formula


@dataclass(frozen=True, slots=True)
class AnyValue:
    """The left side does not depend on these variables, so any value of theirs may stand on the right."""

    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invariant:
    """None of the mechanisms of `members` differs between the named source and the queried domain."""

    members: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """These variables are not asked about, and are treated as latent from here on."""

    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """The mechanism of each of `members`, as a function of what it reads and of its noise, is the same in `domains`."""

    members: tuple[str, ...]
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """`first` does not read `second`, and neither reads it through others: the two may change places."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class LawKept:
    """The new noises are independent with the laws that they are given; `how` says why."""

    how: str


SideCondition: TypeAlias = Ancestral | Components | Teeth | Separated | Positive | AnyValue | Invariant | Hidden
MoveCondition: TypeAlias = Shared | Unread | LawKept


@dataclass(frozen=True, slots=True)
class Step:
    """One equality with its reason; `after` may use terms that earlier steps have established."""

    rule: Rule
    before: Formula
    after: Formula
    because: tuple[SideCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One diagram of a model rewritten into another that stands for the same map from noise to what is seen.

    The boxes of mechanisms that differ between domains have a star after their name.
    """

    rule: Rule
    before: Diagram
    after: Diagram
    because: tuple[MoveCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """The steps from the query to the estimand; where models and not formulas are rewritten, the `rewrites`."""

    steps: tuple[Step, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()


# ---------------------------------------------------------------------------------------------------------------------
# Witnesses and outcomes


@dataclass(frozen=True, slots=True)
class Hedge:
    """Why an effect is not identifiable: two c-forests with the same roots, only the larger meeting the cut variables.

    `larger` and `smaller` are single c-components of their sub-diagrams, `roots` the variables of `smaller` without
    children in it; every root reaches the outcomes without passing `cut` (Shpitser and Pearl 2006, definition 6).
    """

    larger: tuple[str, ...]
    smaller: tuple[str, ...]
    roots: tuple[str, ...]
    cut: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why one source does not yield a component: a hedge in it, or a reason in words."""

    source: Source
    hedge: Hedge | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Thicket:
    """Why several sources together do not identify an effect: no source yields `component`, each for its own obstacle.

    Source: Lee, Correa, Bareinboim (2019), definition 5, whose theorem 3 says that nothing else yields it either.
    """

    component: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]
    cut: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenPath:
    """Why two variables are not separated: a path along which they depend, written with its arrows."""

    path: str


@dataclass(frozen=True, slots=True)
class WorstDomain:
    """The domain in which a predictor does worst: its mechanisms as a program, and the expected loss there.

    `name` is that of a domain of the program, None where the domain was made for the purpose.
    """

    name: str | None
    program: str
    risk: float


@dataclass(frozen=True, slots=True)
class SharedMaps:
    """Why two latent models are equivalent: g' h1 = g and f'_d = h1 f_d h2 in every domain; both maps in words."""

    latents: tuple[str, ...]
    noise: tuple[str, ...]
    keeps_law: bool


@dataclass(frozen=True, slots=True)
class Images:
    """Why two latent models are not: a sample of one domain, and what each says it would have been in another."""

    sample: tuple[tuple[str, str], ...]
    start: str
    end: str
    models: tuple[str, str]
    images: tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class OtherLaw:
    """Why the distributions of two models differ in a domain: `what`, and its value in each."""

    domain: str
    what: str
    models: tuple[str, str]
    values: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found of two latent models: on counterfactuals, and on distributions."""

    counterfactual: SharedMaps | Images | None
    distribution: OtherLaw | None


Witness: TypeAlias = Hedge | Thicket | OpenPath | WorstDomain | Comparison


@dataclass(frozen=True, slots=True)
class Check:
    """A numerical check of a formula against surgery: `models` random models, the largest absolute error over them.

    `skipped` says why no model was evaluated, or is None; `how` what was checked, where it was not random models.
    """

    models: int
    max_error: float | None
    skipped: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True)
class Identified:
    """The query equals `formula`, which only uses what is available."""

    formula: Formula
    derivation: Derivation
    method: str
    requires: tuple[Positive, ...] = ()
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class NotIdentified:
    """No formula can exist; the witness shows why."""

    witness: Hedge | Thicket
    derivation: Derivation = field(default_factory=Derivation)
    method: str = ""


@dataclass(frozen=True, slots=True)
class Undecided:
    """The algorithm is incomplete for this query or ran out of its budget; `reason` says which."""

    reason: str
    derivation: Derivation = field(default_factory=Derivation)
    method: str = ""


Outcome: TypeAlias = Identified | NotIdentified | Undecided
