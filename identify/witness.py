"""The witness of a query that is not identifiable: two models equal on what is known, different on what is asked.

`witness` builds two concrete positive models over the diagram, from the parities of a hedge where that suffices and by
search where it does not, enumerates every distribution on which they must agree in exact rationals, and the query; only
a pair that passes is returned.  Otherwise `NoWitness` says why, and the hedge stands by itself.

Sources: Shpitser and Pearl (2006), theorem 4, for hedges; for conditional queries "Identification of conditional
interventional distributions" (2006), theorem 6.  The search for conditional queries and for several sources is not
complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from fractions import Fraction

from ..dsl.diagnostics import SutureError
from ..dsl.diagram import Diagram
from ..dsl.formula import Kernel, kernel_terms, probability
from .conditional import exchanges
from .derivation import Hedge, Thicket
from .graph import CausalGraph
from .hedge_models import hedge_pair, skeleton, small_hedges
from .model_pair import ConcreteModel, ModelPair, NoWitness
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

    >>> from ..dsl.diagram import model_diagram
    >>> bow = model_diagram({"U": (), "X": ("U",), "Y": ("X", "U")}, ["U"])
    >>> pair = witness(None, probability(["Y"], do=["X"]), bow)
    >>> pair.first_value, pair.second_value
    (Fraction(1, 2), Fraction(113, 128))
    """
    if query.source is not None or any(term.world for term in kernel_terms(query)):
        return NoWitness("witnesses are built for queries P(Y | do(X), Z) of one world, without a source of their own")
    known = _labels(diagram, (query, *sources), labels or {})
    reason = _refusal(query, diagram, known, budget)
    if reason is not None:
        return NoWitness(reason)
    kernels = (probability(CausalGraph.of(diagram).names),) * observed + sources
    best: ModelPair | None = None
    reason = f"no pair of models was found in {budget.attempts} random models"
    for construction, first, second in _candidates(hedge, query, diagram, known, kernels, budget):
        size = _largest(first, second, kernels)
        if size > budget.entries:
            reason = f"the models have {size:,} combinations of values, and up to {budget.entries:,} are enumerated"
            continue
        try:
            found = verified(first, second, query, kernels, construction)
        except SutureError as error:
            reason = error.diagnostics[0].message
            continue
        if found is not None and (best is None or found.difference > best.difference):
            best = found
        if best is not None and best.difference >= VISIBLE * max(best.first_value, best.second_value):
            break
    return best or NoWitness(reason)


def verified(
    first: ConcreteModel, second: ConcreteModel, query: Kernel, kernels: tuple[Kernel, ...], construction: str
) -> ModelPair | None:
    """The pair with its numbers, if it is positive, agrees on all kernels and differs on the query; None otherwise.

    Everything is enumerated in exact rationals.  Raises `SutureError` S603 beyond the budget of enumeration.
    """
    if not (first.positive and second.positive):
        return None
    found = widest(first, second, query)
    if found is None:
        return None
    same = tuple(one for kernel in kernels if (one := agreement(first, second, kernel)) is not None)
    if len(same) != len(kernels):
        return None
    return ModelPair(first, second, *found, same, construction)


def _candidates(
    hedge: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    kernels: tuple[Kernel, ...],
    budget: WitnessBudget,
) -> Iterator[tuple[str, ConcreteModel, ConcreteModel]]:
    """Pairs of models in the order in which they are tried, with the name of the construction."""
    for pair in _from_hedges(hedge, query, diagram, labels, kernels, budget.table_rows):
        yield "parities along the hedge", *pair
    if sum(len(box.inputs) for box in diagram.boxes) <= budget.searched_inputs:
        experiments = _experiments(labels.keys(), kernels)
        for pair in search_pairs(query, diagram, labels, kernels, budget.attempts, experiments):
            yield "one mechanism changed where nothing observed sees it", *pair


def _experiments(observed: Set[str], kernels: tuple[Kernel, ...]) -> tuple[frozenset[str], ...] | None:
    """What each kernel sets, where all of them are whole distributions P(V | do(Z)) at every value of Z; else None."""
    whole = all(
        {term.variable for term in (*kernel.outcomes, *kernel.do)} == observed
        and not kernel.given
        and all(term.value is None for term in kernel_terms(kernel))
        for kernel in kernels
    )
    return tuple(frozenset(term.variable for term in kernel.do) for kernel in kernels) if whole else None


def _from_hedges(
    hedge: Hedge | Thicket | None,
    query: Kernel,
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    kernels: tuple[Kernel, ...],
    rows: int,
) -> Iterator[tuple[ConcreteModel, ConcreteModel]]:
    """The pairs of every small hedge of the query's joint effect, signs carried to the outcomes first."""
    graph = CausalGraph.of(diagram)
    _, reduced = exchanges(graph, query)
    outcomes, given, do = (
        graph.mask(term.variable for term in part) for part in (reduced.outcomes, reduced.given, reduced.do)
    )
    known = hedge.smaller if isinstance(hedge, Hedge) else hedge.component if hedge else ()
    cuts = sorted({graph.mask(term.variable for term in kernel.do) for kernel in kernels})
    for larger, smaller in small_hedges(graph, outcomes | given, do, cuts, graph.mask(known)):
        for targets in dict.fromkeys((outcomes, outcomes | given)):
            shape = skeleton(graph, larger, smaller, do, targets)
            pair = hedge_pair(graph, diagram, shape, labels, rows) if shape is not None else None
            if pair is not None:
                yield pair


def _largest(first: ConcreteModel, second: ConcreteModel, kernels: tuple[Kernel, ...]) -> int:
    """The most entries of any distribution to be enumerated."""
    idle = noise(first, second)
    named = ([term.variable for term in kernel_terms(kernel) if term.variable not in idle] for kernel in kernels)
    return max((cells(first, names) for names in named), default=0)


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
