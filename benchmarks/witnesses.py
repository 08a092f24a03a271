"""Witnesses of non-identifiability: how many queries that cannot be identified get two verified models, and how fast.

Random graphs and queries that a plain recursion calls not identifiable: effects, conditional effects, both with
experiments beside (or instead of) the observed distribution, and both from several domains, observed or under
experiments; then larger graphs, whose queries are made to be stuck by a latent cause of treatment and outcome.  Prints
the share with a witness, what the rest say, how they were built, the smallest difference, and CPU milliseconds.  Exits
with 1 where a share is below 95 %.

    python benchmarks/witnesses.py [--queries 500] [--most 7] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.graphs import Graph, Query, random_graph
from oracles.sources import Known, follows
from oracles.verdict import conditionally_identifiable
from strategies import diagram_of, kernel_of, random_problem
from strategies_sources import library_sources, random_sources_problem

from suture.identify.witnesses.model_pair import NoWitness
from suture.identify.witnesses.witness_domains import witness_of_domains

LEAST_SHARE = 0.95


@dataclass
class Tally:
    """What was found for one kind of query."""

    title: str
    built: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    smallest: Fraction = Fraction(1)

    def ask(self, graph: Graph, query: Query, known: Sequence[Known] = (Known(None),)) -> None:
        """One query, which is known not to follow."""
        diagram, kernel = diagram_of(graph), kernel_of(query)
        start = time.process_time()
        found = witness_of_domains(None, kernel, diagram, library_sources(known))
        self.milliseconds.append(1e3 * (time.process_time() - start))
        if isinstance(found, NoWitness):
            self.missing[found.reason] += 1
        else:
            self.built[found.construction] += 1
            self.smallest = min(self.smallest, found.difference)

    @property
    def share(self) -> float:
        """The share of queries with a witness."""
        return sum(self.built.values()) / len(self.milliseconds)

    def report(self) -> None:
        print(
            f"{self.title}: {len(self.milliseconds)} queries that cannot be identified, {self.share:.1%} with a witness"
        )
        print(f"  CPU ms   median {median(self.milliseconds):.2f}, largest {max(self.milliseconds):.0f}")
        print(f"  smallest difference {float(self.smallest):.2g}")
        for name, count in (*self.built.most_common(), *self.missing.most_common()):
            print(f"  {count:5} {name}")


def plain(generator: np.random.Generator, queries: int, most: int, conditions: int, title: str) -> Tally:
    """Effects from the observed distribution."""
    tally = Tally(title)
    while len(tally.milliseconds) < queries:
        graph, query = random_problem(generator, most, conditions=conditions)
        if not conditionally_identifiable(graph, query):
            tally.ask(graph, query)
    return tally


def experimental(generator: np.random.Generator, queries: int, most: int, conditions: int, title: str) -> Tally:
    """Effects from one to three experiments, in seven of ten cases with the observed distribution."""
    tally = Tally(title)
    while len(tally.milliseconds) < queries:
        graph, query = random_problem(generator, most, smallest=3, conditions=conditions)
        experiments = [
            frozenset(map(str, generator.choice(graph.nodes, size=generator.integers(1, 3), replace=False)))
            for _ in range(generator.integers(1, 4))
        ]
        if generator.random() < 0.7:
            experiments.append(frozenset())
        known = [Known(None, tuple(sorted(cut))) for cut in experiments]
        if not follows(graph, query, known):
            tally.ask(graph, query, known)
    return tally


def transported(generator: np.random.Generator, queries: int, most: int, conditions: int, title: str) -> Tally:
    """Effects from one to four distributions of several domains, in half of the cases with experiments everywhere."""
    tally = Tally(title)
    while len(tally.milliseconds) < queries:
        kind = ("domains", "both")[len(tally.milliseconds) % 2]
        graph, query, known = random_sources_problem(generator, kind, most, conditions=conditions)
        if not follows(graph, query, known):
            tally.ask(graph, query, known)
    return tally


def large(generator: np.random.Generator, queries: int, size: int) -> Tally:
    """Sparse graphs of many variables; a latent cause joins the treatment to a child of it upstream of the outcome."""
    tally = Tally(f"{size} variables")
    while len(tally.milliseconds) < queries:
        graph = random_graph(generator, size, 2.5 / size, 1 / size)
        treatment, child = graph.directed[int(generator.integers(len(graph.directed)))]
        below = [node for node in graph.nodes if child in graph.cut_into([treatment]).ancestors([node])]
        outcome = below[int(generator.integers(len(below)))]
        pair = (min(treatment, child), max(treatment, child))
        stuck = Graph(graph.nodes, graph.directed, tuple(dict.fromkeys((*graph.bidirected, pair))))
        tally.ask(stuck, Query((outcome,), (treatment,)))
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--most", type=int, default=7, help="observed variables at most")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    low = False
    for build, conditions, title in (
        (plain, 0, "P(Y | do(X))"),
        (plain, 2, "P(Y | do(X), Z)"),
        (experimental, 0, "P(Y | do(X)) from experiments"),
        (experimental, 2, "P(Y | do(X), Z) from experiments"),
        (transported, 0, "P(Y | do(X)) from several domains"),
        (transported, 2, "P(Y | do(X), Z) from several domains"),
    ):
        tally = build(np.random.default_rng(arguments.seed), arguments.queries, arguments.most, conditions, title)
        tally.report()
        low = low or tally.share < LEAST_SHARE
    for size in (10, 20, 50, 200):
        large(np.random.default_rng(arguments.seed), max(1, arguments.queries // 20), size).report()
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
