"""The witness of a query that is not identifiable: two models equal on what is known, different on what is asked.

`witness` builds two concrete positive models over the diagram, from the parities of a hedge where that suffices and by
search where it does not, enumerates every distribution on which they must agree in exact rationals, and the query; only
a pair that passes is returned.  Otherwise `NoWitness` says why, and the hedge stands by itself.

Sources: Shpitser and Pearl (2006), theorem 4, for hedges; for conditional queries "Identification of conditional
interventional distributions" (2006), theorem 6.  The search for conditional queries and for several sources is not
complete.  Several domains: `witness_domains`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction

from ...dsl.diagnostics import SutureError
from ...dsl.diagram import Diagram
from ...dsl.formula import Kernel, kernel_terms, probability
from ..conditional import exchanges
from ..derivation import Hedge, Source, Thicket
from ..graph import CausalGraph
from .characters import spread
from .hedge_models import cuts_of, hedge_pair, skeleton, small_hedges
from .model_pair import ConcreteModel, Known, ModelPair, NoWitness, OtherDomain, ProbabilityTable
from .model_pair_check import agreement, cells, noise, widest
from .witness_search import search_pairs


@dataclass(frozen=True, slots=True)
class WitnessBudget:
    """What a witness may cost: entries of an enumerated distribution, and random models of the search.

    `table_rows` bounds the rows of one table with every parent counted, `searched_inputs` the inputs of the diagram's
    boxes up to which a search is tried at all.
    """

    entries: int = 1 << 16
    attempts: int = 24
    table_rows: int = 1 << 16
    searched_inputs: int = 80


DEFAULT_BUDGET = WitnessBudget()
VISIBLE = Fraction(1, 20)
PARITIES = "parities along the hedge"
SEARCH = "one mechanism changed where nothing observed sees it"
Pair = tuple[ConcreteModel, ConcreteModel]


def witness(
    hedge: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    budget: WitnessBudget = DEFAULT_BUDGET,
    labels: Mapping[str, tuple[str, ...]] | None = None,
    sources: tuple[Kernel, ...] = (),
    observed: bool = True,
) -> ModelPair | NoWitness:
    """Two verified models for a query P(Y | do(X), Z) that cannot be identified, or why there are none.

    The hedge or thicket only says where to look first; what the result claims is enumerated, not inferred.  The models
    agree on P(V), unless `observed` is false, and on every one of `sources`.  Observed variables have the given labels,
    else those the query mentions and one more, else "0" and "1"; latent ones as many states as needed.

    >>> from ...dsl.diagram import model_diagram
    >>> bow = model_diagram({"U": (), "X": ("U",), "Y": ("X", "U")}, ["U"])
    >>> pair = witness(None, probability(["Y"], do=["X"]), bow)
    >>> pair.first_value, pair.second_value
    (Fraction(1, 2), Fraction(113, 128))
    """
    kernels = (probability(CausalGraph.of(diagram).names),) * observed + sources
    return verified_pair(hedge, query, diagram, [Known(kernel) for kernel in kernels], budget, labels)


def verified_pair(
    hedge: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    known: Sequence[Known],
    budget: WitnessBudget = DEFAULT_BUDGET,
    labels: Mapping[str, tuple[str, ...]] | None = None,
) -> ModelPair | NoWitness:
    """Two verified models that agree on all that is known and differ on the query, or why there are none.

    Distributions of other domains, where some mechanisms differ, are agreed on in those domains; see
    `witness_of_domains`.
    """
    if query.source is not None or any(term.world for term in kernel_terms(query)):
        return NoWitness("witnesses are built for queries P(Y | do(X), Z) of one world, without a source of their own")
    named = _labels(diagram, (query, *(one.kernel for one in known)), labels or {})
    reason = _refusal(query, diagram, named, budget)
    if reason is not None:
        return NoWitness(reason)
    best: ModelPair | None = None
    reasons: dict[str, str] = {}
    for candidate in _candidates(hedge, query, diagram, named, known, budget):
        found = _judged(candidate, query, known, budget)
        if isinstance(found, NoWitness):
            reasons[candidate.construction] = found.reason
        elif found is not None and (best is None or found.difference > best.difference):
            best = found
        if best is not None and best.difference >= VISIBLE * max(best.first_value, best.second_value):
            break
    reasons.setdefault(SEARCH, f"no pair of models was found in {budget.attempts} random models")
    return best or NoWitness("; ".join(reasons.values()))


def verified(
    first: ConcreteModel,
    second: ConcreteModel,
    query: Kernel,
    kernels: Sequence[Kernel],
    construction: str,
    domains: tuple[OtherDomain, ...] = (),
) -> ModelPair | None:
    """The pair with its numbers, if it is positive, agrees on all kernels and differs on the query; None otherwise.

    A kernel whose source is one of the domains is compared there.  Everything is enumerated in exact rationals.
    Raises `SutureError` S603 beyond the budget of enumeration.
    """
    pairs = _in_domains(first, second, domains)
    if not all(model.positive for pair in pairs.values() for model in pair):
        return None
    found = widest(first, second, query)
    if found is None:
        return None
    same = tuple(one for kernel in kernels if (one := agreement(*pairs[kernel.source], kernel)) is not None)
    if len(same) != len(kernels):
        return None
    return ModelPair(first, second, *found, same, construction, domains)


def _in_domains(first: ConcreteModel, second: ConcreteModel, domains: Sequence[OtherDomain]) -> dict[str | None, Pair]:
    """Both models in every domain, None for the one asked about."""
    return {None: (first, second)} | {domain.name: (domain.of(first), domain.of(second)) for domain in domains}


# ---------------------------------------------------------------------------------------------------------------------
# Candidates


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Two models to be judged, and the variables of which other domains may have to be silent; or why there are none.

    Outside `changed` the models have the same tables.
    """

    construction: str
    pair: Pair | NoWitness
    changed: frozenset[str] = frozenset()


def _judged(
    candidate: _Candidate, query: Kernel, known: Sequence[Known], budget: WitnessBudget
) -> ModelPair | NoWitness | None:
    """The verified pair, None where it is none, or why that cannot be said."""
    if isinstance(candidate.pair, NoWitness):
        return candidate.pair
    first, second = candidate.pair
    domains, kernels = _other_domains(first, known, candidate.changed), [one.kernel for one in known]
    size = _largest(_in_domains(first, second, domains), kernels)
    if size > budget.entries:
        fact = f"the models have {size:,} combinations of values, and up to {budget.entries:,} are enumerated"
        return NoWitness(fact)
    try:
        return verified(first, second, query, kernels, candidate.construction, domains)
    except SutureError as error:
        return NoWitness(error.diagnostics[0].message)


def _other_domains(model: ConcreteModel, known: Sequence[Known], changed: frozenset[str]) -> tuple[OtherDomain, ...]:
    """Each domain that is known of: noise where a changed mechanism is another one there, else as in the model."""
    found: dict[str, OtherDomain] = {}
    for one in known:
        if one.kernel.source is not None:
            tables = {name: _noise(model, name) if name in changed else model.tables[name] for name in one.differs}
            found[one.kernel.source] = OtherDomain(one.kernel.source, tables)
    return tuple(found.values())


def _noise(model: ConcreteModel, name: str) -> ProbabilityTable:
    """A fair sign that reads nothing."""
    return ProbabilityTable((), (spread(Fraction(0), len(model.labels[name])),))


def _candidates(
    hedge: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    known: Sequence[Known],
    budget: WitnessBudget,
) -> Iterator[_Candidate]:
    """Pairs of models in the order in which they are tried."""
    yield from _from_hedges(hedge, query, diagram, labels, known, budget.table_rows)
    inputs = sum(len(box.inputs) for box in diagram.boxes)
    if inputs > budget.searched_inputs:
        limit = f"random models are searched up to {budget.searched_inputs} arrows, latent ones included"
        yield _Candidate(SEARCH, NoWitness(f"{limit}, and the diagram has {inputs}"))
        return
    for name, pair in search_pairs(query, diagram, labels, known, budget.attempts, _whole(labels.keys(), known)):
        yield _Candidate(SEARCH, pair, frozenset((name,)))


def _sources(known: Sequence[Known]) -> tuple[Source, ...]:
    """What the known distributions set, and what differs where they are from."""
    return tuple(
        Source(one.kernel.source, tuple(term.variable for term in one.kernel.do), one.differs) for one in known
    )


def _whole(observed: Set[str], known: Sequence[Known]) -> tuple[Source, ...] | None:
    """The sources, where all that is known is whole distributions P(V | do(Z)) at every value of Z; else None."""
    whole = all(
        {term.variable for term in (*one.kernel.outcomes, *one.kernel.do)} == observed
        and not one.kernel.given
        and all(term.value is None for term in kernel_terms(one.kernel))
        for one in known
    )
    return _sources(known) if whole else None


def _from_hedges(
    hedge: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    known: Sequence[Known],
    rows: int,
) -> Iterator[_Candidate]:
    """The pairs of every small hedge of the query's joint effect, signs carried to the outcomes first."""
    graph = CausalGraph.of(diagram)
    _, reduced = exchanges(graph, query)
    outcomes, given, do = (
        graph.mask(term.variable for term in part) for part in (reduced.outcomes, reduced.given, reduced.do)
    )
    members = hedge.smaller if isinstance(hedge, Hedge) else hedge.component if hedge else ()
    cuts = cuts_of(graph, _sources(known))
    for larger, smaller in small_hedges(graph, outcomes | given, do, cuts, graph.mask(members)):
        for targets in dict.fromkeys((outcomes, outcomes | given)):
            shape = skeleton(graph, larger, smaller, do, targets)
            if shape is not None:
                pair = hedge_pair(graph, diagram, shape, labels, rows)
                yield _Candidate(PARITIES, pair, frozenset(graph.members(smaller)))


def _largest(pairs: Mapping[str | None, Pair], kernels: Sequence[Kernel]) -> int:
    """The most entries of any distribution to be enumerated."""
    idle = {name: noise(*pair) for name, pair in pairs.items()}
    return max(
        (
            cells(
                pairs[kernel.source][0],
                [term.variable for term in kernel_terms(kernel) if term.variable not in idle[kernel.source]],
            )
            for kernel in kernels
        ),
        default=0,
    )


def _labels(
    diagram: Diagram, kernels: tuple[Kernel, ...], given: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Labels of every observed variable."""
    mentioned: dict[str, dict[str, None]] = {}
    for term in (term for kernel in kernels for term in kernel_terms(kernel)):
        if isinstance(term.value, str):
            mentioned.setdefault(term.variable, {})[term.value] = None
    return {
        wire.name: given.get(wire.name) or _completed(tuple(mentioned.get(wire.name, ())))
        for wire in diagram.wires
        if not wire.latent
    }


def _completed(mentioned: tuple[str, ...]) -> tuple[str, ...]:
    """Two labels at least: "0" and "1" where those do, else the ones mentioned and one more."""
    if set(mentioned) <= {"0", "1"}:
        return ("0", "1")
    return mentioned if len(mentioned) > 1 else (*mentioned, "other" if mentioned != ("other",) else "another")


def _refusal(
    query: Kernel, diagram: Diagram, labels: Mapping[str, tuple[str, ...]], budget: WitnessBudget
) -> str | None:
    """Why no pair is sought, or None."""
    single = sorted(term.variable for term in kernel_terms(query) if len(labels[term.variable]) < 2)
    if single:
        return f"{single[0]} has a single value, so that two models cannot differ by it"
    for box in diagram.boxes:
        rows = 1
        for wire in box.inputs:
            rows *= len(labels.get(diagram.wires[wire].name, "01"))
        if rows > budget.table_rows:
            return f"the table of {box.name} would have {rows:,} rows; models are built up to {budget.table_rows:,}"
    return None
