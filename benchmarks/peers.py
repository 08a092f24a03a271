"""Other tools on the same random queries in one run: wrong verdicts, wrong formulas, crashes, CPU milliseconds.

Compared are whichever of y0, pyAgrum and Ananke are installed beside suture; with none of them there is nothing to do.
Formulas are translated into ours and evaluated on random models by the tests' oracles, verdicts are judged by the
tests' reference recursion.  Ananke gives verdicts only, and none with conditions.

    pip install y0 pyagrum ananke-causal; python benchmarks/peers.py [--graphs 200] [--sizes 5 8 20]
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.answers import formula_faults, models_of
from oracles.graphs import Graph, Query, random_graph, random_query
from oracles.verdict import conditionally_identifiable
from strategies import diagram_of, kernel_of

from suture.dsl.formula import ONE, ZERO, Formula, negative, plus, probability, product, ratio, sum_over
from suture.identify.algorithms import identify
from suture.identify.derivation import Identified

# Beyond this many variables a joint distribution is too large for a random model of every query.
EVALUATED = 8

# A tool's answer: a formula, or whether the query is identifiable where it gives none.
Reply: TypeAlias = Formula | bool
Ask: TypeAlias = Callable[[], Any]


@dataclass(frozen=True)
class Peer:
    """A tool: `prepare` builds its graph and returns the call to time, `read` makes its answer ours."""

    name: str
    prepare: Callable[[Graph, Query], Ask]
    read: Callable[[Any], Reply]
    conditions: bool = True


# ---------------------------------------------------------------------------------------------------------------------
# suture


def prepare_suture(graph: Graph, query: Query) -> Ask:
    diagram, kernel = diagram_of(graph), kernel_of(query)
    return lambda: identify(kernel, diagram)


def read_suture(answer: Any) -> Reply:
    return answer.formula if isinstance(answer, Identified) else False


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

    def read(answer: Any) -> Reply:
        return False if answer is None else translate(answer)

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

    return Peer("y0", prepare, read)


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

    def read(answer: Any) -> Reply:
        return translate(answer.toDict()) if answer.isIdentified() else False

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

    return Peer("pyAgrum", prepare, read)


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
# The comparison


@dataclass
class Score:
    """What one tool did."""

    milliseconds: list[float] = field(default_factory=list)
    verdicts: int = 0
    formulas: int = 0
    crashes: int = 0

    def line(self, name: str) -> str:
        if not self.milliseconds:
            return f"  {name:8} no answer, {self.crashes} crashes"
        times = f"median {median(self.milliseconds):8.2f}  largest {max(self.milliseconds):9.1f}"
        wrong = f"wrong verdicts {self.verdicts:3}  wrong formulas {self.formulas:3}  crashes {self.crashes:3}"
        return f"  {name:8} {wrong}  CPU ms {times}"


def installed() -> list[Peer]:
    """The other tools that can be imported here."""
    found: list[Peer] = []
    for name, build in (("y0", y0_peer), ("pyAgrum", pyagrum_peer), ("Ananke", ananke_peer)):
        try:
            found.append(build())
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return found


def ask(peer: Peer, graph: Graph, query: Query, score: Score, seed: int) -> None:
    """One query to one tool; an exception of any kind is a crash of the tool."""
    call = peer.prepare(graph, query)
    start = time.process_time()
    try:
        raw = call()
    except Exception:
        score.crashes += 1
        return
    score.milliseconds.append(1e3 * (time.process_time() - start))
    reply = peer.read(raw)
    expected = conditionally_identifiable(graph, query)
    if (reply is not False) is not expected:
        score.verdicts += 1
    elif not isinstance(reply, bool) and len(graph.nodes) <= EVALUATED:
        models = models_of(graph, np.random.default_rng(seed), 3)
        score.formulas += bool(formula_faults(reply, query, models))


def compare(peers: list[Peer], size: int, count: int, conditions: int) -> bool:
    """One table; whether suture made no mistake in it."""
    asked = [peer for peer in peers if peer.conditions or not conditions]
    scores = {peer.name: Score() for peer in asked}
    generator = np.random.default_rng([size, conditions])
    for seed in range(count):
        graph = random_graph(generator, size, min(0.7, 3 / size), min(0.5, 2 / size))
        query = random_query(generator, graph, 2, conditions)
        for peer in asked:
            ask(peer, graph, query, scores[peer.name], seed)
    print(f"{'P(Y | do(X), Z)' if conditions else 'P(Y | do(X))'}, {size} variables, {count} queries")
    for name, score in scores.items():
        print(score.line(name), flush=True)
    ours = scores["suture"]
    return ours.verdicts == ours.formulas == ours.crashes == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=200, help="queries a table")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 8, 20])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    peers = installed()
    if not peers:
        print("none of y0, pyAgrum and Ananke is installed: nothing to compare")
        return 0
    every = [Peer("suture", prepare_suture, read_suture), *peers]
    tables = [compare(every, size, arguments.graphs, conditions) for conditions in (0, 1) for size in arguments.sizes]
    return 0 if all(tables) else 1


if __name__ == "__main__":
    sys.exit(main())
