"""The witness of a query that does not follow from several domains: two systems of models, equal where data are.

A system has a model of the domain asked about and one of each other domain; its models share every mechanism but those
that may differ there.  The two systems agree on what each source distribution says in its own domain, and differ on the
query in the domain asked about.

Where a mechanism that the two systems disagree about may be another one in a source's domain, it is pure noise there,
in both systems; so that source is silent, and what is left is a witness from the other sources.  Everything else is as
in the domain asked about.  Domains in which the same mechanism differs share what it is instead, which is always
allowed: one data set more of the same domain does not harm.

Sources: Bareinboim and Pearl (2012), "Transportability of causal effects: completeness results"; Lee, Correa and
Bareinboim (2020), "General transportability", theorem 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...dsl.diagram import Diagram
from ...dsl.formula import Kernel, terms
from ..derivation import Hedge, Source, Thicket
from ..graph import CausalGraph
from .model_pair import Known, ModelPair, NoWitness
from .witness import DEFAULT_BUDGET, WitnessBudget, verified_pair


def witness_of_domains(
    witness: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    sources: Sequence[Source],
    budget: WitnessBudget = DEFAULT_BUDGET,
    labels: Mapping[str, tuple[str, ...]] | None = None,
    unnamed: str = "other",
) -> ModelPair | NoWitness:
    """Two verified systems of models for a query P(Y | do(X), Z) that does not follow from the sources, or why not.

    The models of the pair are of the domain asked about; `ModelPair.domains` has the others.  A source without a name
    whose mechanisms differ is called `unnamed`.

    >>> from ...dsl.diagram import model_diagram
    >>> from ...dsl.formula import probability
    >>> chain = model_diagram({"X": (), "Y": ("X",)})
    >>> sources = (Source("trial", ("X",), ("Y",)),)
    >>> pair = witness_of_domains(None, probability(["Y"], do=["X"]), chain, sources)
    >>> pair.first_value, pair.second_value
    (Fraction(1, 2), Fraction(7, 8))
    >>> print(pair.text().partition(", yet")[0])
    two models over the same diagram, each with a variant for trial, agree on P[trial](Y | do(X))
    """
    names = CausalGraph.of(diagram).names
    known = dict.fromkeys(_known(source, names, unnamed) for source in sources)
    return verified_pair(witness, query, diagram, tuple(known), budget, labels)


def _known(source: Source, names: Sequence[str], unnamed: str) -> Known:
    """A source as the kernel of everything it measures, in a domain of its own where mechanisms differ."""
    differs = tuple(name for name in names if name in source.differs)
    domain = (source.name or unnamed) if differs else None
    return Known(Kernel(terms(name for name in names if name not in source.do), (), terms(source.do), domain), differs)
