"""The tools that `peers.py` compares: how each is given a random query, and what its answer says in our terms.

Hidden common causes are explicit unobserved roots for DoWhy and pgmpy, whose graphs have no bidirected arcs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.graphs import Edge, Graph, Query
from strategies import diagram_of, kernel_of

from suture.dsl.formula import ONE, ZERO, Formula, negative, plus, probability, product, ratio, sum_over
from suture.identify.algorithms import identify
from suture.identify.derivation import Identified
from suture.identify.graph import CausalGraph

Ask: TypeAlias = Callable[[], Any]


def everything(graph: Graph, query: Query) -> bool:
    """No query is beyond the tool."""
    return True


def single(graph: Graph, query: Query) -> bool:
    """Only one treatment and one outcome can be asked."""
    return len(query.treatments) == len(query.outcomes) == 1


@dataclass(frozen=True)
class Peer:
    """A tool: `prepare` builds its graph and returns the call to time, `verdict` and `formula` read what that returns.

    `formula` is None where the tool writes none; `accepts` says which queries the tool is made for, `conditions`
    whether these may have conditions.  `complete` is False where a no says only that the tool's own criteria fail.
    """

    name: str
    prepare: Callable[[Graph, Query], Ask]
    verdict: Callable[[Any], bool]
    formula: Callable[[Any, Query], Formula] | None = None
    accepts: Callable[[Graph, Query], bool] = everything
    conditions: bool = True
    complete: bool = True


def installed() -> list[Peer]:
    """The other tools that can be imported here; says which are left out and why."""
    found: list[Peer] = []
    for name, build in BUILDERS:
        try:
            found.append(build())
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return found


# ---------------------------------------------------------------------------------------------------------------------
# suture


def prepare_suture(graph: Graph, query: Query) -> Ask:
    diagram, kernel = diagram_of(graph), kernel_of(query)
    # The diagram keeps its causal graph, as pyAgrum's causal model keeps its own.
    CausalGraph.of(diagram)
    return lambda: identify(kernel, diagram)


def suture_peer() -> Peer:
    return Peer(
        "suture",
        prepare_suture,
        lambda answer: isinstance(answer, Identified),
        lambda answer, query: answer.formula,
    )


# ---------------------------------------------------------------------------------------------------------------------
# y0


def y0_peer() -> Peer:
    dsl, graphs = import_module("y0.dsl"), import_module("y0.graph")
    algorithm = import_module("y0.algorithm.identify")

    def prepare(graph: Graph, query: Query) -> Ask:
        variables = {name: dsl.Variable(name) for name in graph.nodes}

        def edges(pairs: tuple[tuple[str, str], ...]) -> list[tuple[Any, Any]]:
            return [(variables[first], variables[second]) for first, second in pairs]

        mixed = graphs.NxMixedGraph.from_edges(
            nodes=list(variables.values()), directed=edges(graph.directed), undirected=edges(graph.bidirected)
        )
        treatments, outcomes, given = (
            {variables[name] for name in part} for part in (query.treatments, query.outcomes, query.given)
        )
        return lambda: algorithm.identify_outcomes(
            mixed, treatments=treatments, outcomes=outcomes, conditions=given or None
        )

    def translate(node: Any) -> Formula:
        match type(node).__name__:
            case "Probability":
                return probability(
                    [child.name for child in node.distribution.children],
                    [parent.name for parent in node.distribution.parents],
                )
            case "Product":
                return product(map(translate, node.expressions))
            case "Sum":
                return sum_over(sorted(variable.name for variable in node.ranges), translate(node.expression))
            case "Fraction":
                return ratio(translate(node.numerator), translate(node.denominator))
            case "One":
                return ONE
            case "Zero":
                return ZERO
            case other:
                raise ValueError(f"an expression of the unknown kind {other}")

    return Peer("y0", prepare, lambda answer: answer is not None, lambda answer, query: translate(answer))


# ---------------------------------------------------------------------------------------------------------------------
# pyAgrum


def pyagrum_peer() -> Peer:
    gum = import_module("pyagrum")
    causal = import_module("pyagrum.causal_model.cmcpp")

    def prepare(graph: Graph, query: Query) -> Ask:
        net = gum.BayesNet()
        for name in graph.nodes:
            net.add(gum.LabelizedVariable(name, name, 2))
        for tail, head in graph.directed:
            net.addArc(tail, head)
        hidden = [(f"U{number}", list(ends)) for number, ends in enumerate(graph.bidirected)]
        model = causal.CausalModel(net, hidden, True)
        sets = {"on": set(query.outcomes), "doing": set(query.treatments)}
        if query.given:
            sets["knowing"] = set(query.given)
        return lambda: causal.CausalImpact(model, **sets)

    def translate(node: Mapping[str, Any]) -> Formula:
        match node["op"]:
            case "P":
                return probability(node["vars"], node.get("knowing", ()))
            case "sum":
                return sum_over([node["var"]], translate(node["term"]))
            case "*":
                return product((translate(node["op1"]), translate(node["op2"])))
            case "/":
                return ratio(translate(node["op1"]), translate(node["op2"]))
            case "+":
                return plus((translate(node["op1"]), translate(node["op2"])))
            case "-":
                return plus((translate(node["op1"]), negative(translate(node["op2"]))))
            case other:
                raise ValueError(f"an expression of the unknown kind {other}")

    return Peer(
        "pyAgrum",
        prepare,
        lambda answer: bool(answer.isIdentified()),
        lambda answer, query: translate(answer.toDict()),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Ananke


def ananke_peer() -> Peer:
    graphs, identification = import_module("ananke.graphs"), import_module("ananke.identification")

    def prepare(graph: Graph, query: Query) -> Ask:
        mixed = graphs.ADMG(list(graph.nodes), di_edges=list(graph.directed), bi_edges=list(graph.bidirected))
        treatments, outcomes = list(query.treatments), list(query.outcomes)
        return lambda: identification.OneLineID(graph=mixed, treatments=treatments, outcomes=outcomes).id()

    return Peer("Ananke", prepare, bool, conditions=False)


# ---------------------------------------------------------------------------------------------------------------------
# Tools that look for an adjustment or front-door set


def explicit(graph: Graph) -> tuple[list[Edge], list[str]]:
    """The arrows once every bidirected arc is a root of its own, and the names of these roots."""
    hidden = [f"U{number}" for number in range(len(graph.bidirected))]
    arrows = [(root, end) for root, ends in zip(hidden, graph.bidirected, strict=True) for end in ends]
    return [*graph.directed, *arrows], hidden


def adjusted(query: Query, covariates: Iterable[str]) -> Formula:
    """The sum over z of P(y | x, z) P(z)."""
    names = sorted(covariates)
    given = probability(query.outcomes, (*query.treatments, *names))
    return sum_over(names, product((given, probability(names)))) if names else given


def through(query: Query, mediators: Iterable[str]) -> Formula:
    """The sum over z of P(z | x) times the sum over x' of P(y | x', z) P(x')."""
    names, treatments = sorted(mediators), query.treatments
    inner = product((probability(query.outcomes, (*treatments, *names)), probability(treatments)))
    return sum_over(names, product((probability(names, treatments), sum_over(treatments, inner))))


@dataclass(frozen=True)
class Found:
    """A set that a tool claims to be valid, and the formula that goes with it."""

    formula: Callable[[Query, Iterable[str]], Formula]
    names: frozenset[str]


def found_formula(answer: Found, query: Query) -> Formula:
    return answer.formula(query, answer.names)


def unaffected(query: Query, nothing: Iterable[str]) -> Formula:
    """P(y), for the claim that the treatments do not reach the outcome."""
    return probability(query.outcomes)


# ---------------------------------------------------------------------------------------------------------------------
# DoWhy


def dowhy_peer() -> Peer:
    """`identify_effect`: a back-door or front-door set (an instrument alone is no identification without a form).

    Its estimands are written for the first outcome only, so it is asked about one.
    """
    networkx, identifier = import_module("networkx"), import_module("dowhy.causal_identifier")
    if not hasattr(networkx.algorithms, "d_separated"):
        raise ImportError("identify_effect calls networkx.algorithms.d_separated, gone since networkx 3.5")

    def prepare(graph: Graph, query: Query) -> Ask:
        arrows, hidden = explicit(graph)
        net = networkx.DiGraph(arrows)
        net.add_nodes_from((*graph.nodes, *hidden))
        treatments, outcomes, observed = list(query.treatments), list(query.outcomes), list(graph.nodes)
        return lambda: read(identifier.identify_effect(net, treatments, outcomes, observed))

    def read(estimand: Any) -> Found | None:
        if estimand.no_directed_path:
            return Found(unaffected, frozenset())
        if estimand.estimands["backdoor"] is not None:
            return Found(adjusted, frozenset(estimand.get_backdoor_variables()))
        if estimand.estimands["frontdoor"] is not None:
            return Found(through, frozenset(estimand.get_frontdoor_variables()))
        return None

    return Peer(
        "DoWhy",
        prepare,
        lambda answer: answer is not None,
        found_formula,
        accepts=lambda graph, query: len(query.outcomes) == 1,
        conditions=False,
        complete=False,
    )


def dowhy_id_peer() -> Peer:
    """`identify_effect_id`: its graphs have to be acyclic and all their nodes observed, so no hidden causes."""
    networkx, identifier = import_module("networkx"), import_module("dowhy.causal_identifier.id_identifier")

    def prepare(graph: Graph, query: Query) -> Ask:
        net = networkx.DiGraph(graph.directed)
        net.add_nodes_from(graph.nodes)
        treatments, outcomes = list(query.treatments), list(query.outcomes)
        return lambda: identifier.identify_effect_id(net, treatments, outcomes)

    def translate(node: Any) -> Formula:
        if isinstance(node, Mapping):
            return probability(list(node["outcome_vars"]), list(node["condition_vars"]))
        return sum_over(sorted(node.get_val("sum")), product(map(translate, node.get_val("prod"))))

    return Peer(
        "DoWhy ID",
        prepare,
        lambda answer: answer is not None,
        lambda answer, query: translate(answer),
        accepts=lambda graph, query: not graph.bidirected,
        conditions=False,
    )


# ---------------------------------------------------------------------------------------------------------------------
# pgmpy


def pgmpy_graph() -> Callable[[Graph], Any]:
    """What makes a graph pgmpy's object for causal questions."""
    networks, inference = import_module("pgmpy.models"), import_module("pgmpy.inference")

    def build(graph: Graph) -> Any:
        arrows, hidden = explicit(graph)
        net = networks.BayesianNetwork(arrows, latents=set(hidden))
        net.add_nodes_from(graph.nodes)
        return inference.CausalInference(net)

    return build


def pgmpy_peer() -> Peer:
    """All minimal back-door sets and, where there is none, all front-door sets."""
    build = pgmpy_graph()

    def search(model: Any, treatment: str, outcome: str) -> Found | None:
        try:
            sets = model.get_all_backdoor_adjustment_sets(treatment, outcome)
            return Found(adjusted, min(sets, key=sorted, default=frozenset()))
        except ValueError as error:
            if "No valid adjustment set" not in str(error):
                raise
        sets = model.get_all_frontdoor_adjustment_sets(treatment, outcome)
        return Found(through, min(sets, key=sorted)) if sets else None

    return pgmpy("pgmpy", build, search)


def pgmpy_minimal_peer() -> Peer:
    """`get_minimal_adjustment_set` alone."""
    build = pgmpy_graph()

    def search(model: Any, treatment: str, outcome: str) -> Found | None:
        try:
            chosen = model.get_minimal_adjustment_set(treatment, outcome)
        except ValueError as error:
            if "No possible separators" not in str(error):
                raise
            return None
        return None if chosen is None else Found(adjusted, frozenset(chosen))

    return pgmpy("pgmpy min", build, search)


def pgmpy(name: str, build: Callable[[Graph], Any], search: Callable[[Any, str, str], Found | None]) -> Peer:
    """One search of pgmpy as a tool."""

    def prepare(graph: Graph, query: Query) -> Ask:
        model = build(graph)
        return lambda: search(model, query.treatments[0], query.outcomes[0])

    return Peer(
        name,
        prepare,
        lambda answer: answer is not None,
        found_formula,
        accepts=single,
        conditions=False,
        complete=False,
    )


BUILDERS: tuple[tuple[str, Callable[[], Peer]], ...] = (
    ("y0", y0_peer),
    ("pyAgrum", pyagrum_peer),
    ("Ananke", ananke_peer),
    ("DoWhy", dowhy_peer),
    ("DoWhy ID", dowhy_id_peer),
    ("pgmpy", pgmpy_peer),
    ("pgmpy min", pgmpy_minimal_peer),
)
