"""Identification judged by brute force: random graphs and queries, answers against truths found without the library.

For each of some thousand random mixed graphs of up to eight variables, with several treatments and outcomes: is the
verdict that of Shpitser and Pearl's recursion, does the formula equal surgery on random models with latent variables,
does every step of the derivation hold there, does the derivation replay, is the hedge a hedge?  Prints counts, the
share of identifiable queries and CPU milliseconds; exits with 1 where anything is wrong.

    python benchmarks/identification.py [--graphs 2000] [--most 8] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.answers import faults, models_of
from oracles.graphs import Graph, Query
from strategies import diagram_of, kernel_of, random_problem

from suture.identify.algorithms import identify
from suture.identify.derivation import Identified
from suture.identify.replay import replay


@dataclass
class Tally:
    """What was found for one kind of query."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Graph, Query, tuple[str, ...]]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def ask(self, graph: Graph, query: Query, generator: np.random.Generator, models: int) -> None:
        """One query, its time and everything that is wrong with its answer."""
        diagram, kernel = diagram_of(graph), kernel_of(query)
        start = time.process_time()
        outcome = identify(kernel, diagram)
        self.milliseconds.append(1e3 * (time.process_time() - start))
        self.outcomes[type(outcome).__name__] += 1
        found = faults(outcome, graph, query, models_of(graph, generator, models))
        if isinstance(outcome, Identified):
            found += replay(outcome.derivation, kernel, diagram, outcome.formula)
        if found:
            self.wrong.append((graph, query, found))

    def report(self, title: str) -> None:
        asked = len(self.milliseconds)
        kinds = Counter(fault.split(":")[0].split(" (")[0] for *_, found in self.wrong for fault in found)
        print(f"{title}: {asked} queries, {self.outcomes['Identified'] / asked:.1%} identifiable")
        print(f"  wrong answers  {len(self.wrong)}  {dict(kinds) if kinds else ''}")
        print(f"  CPU ms         median {median(self.milliseconds):.2f}, largest {max(self.milliseconds):.1f}")
        for graph, query, found in self.wrong[:5]:
            print(f"  {graph}\n  {query}\n    {'; '.join(found)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=2_000)
    parser.add_argument("--most", type=int, default=8, help="observed variables at most")
    parser.add_argument("--models", type=int, default=3, help="random models for each answer")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wrong = 0
    for title, conditions in (("P(Y | do(X))", 0), ("P(Y | do(X), Z)", 2)):
        generator, tally = np.random.default_rng(arguments.seed), Tally()
        for _ in range(arguments.graphs):
            graph, query = random_problem(generator, arguments.most, conditions=conditions)
            tally.ask(graph, query, generator, arguments.models)
        tally.report(title)
        wrong += len(tally.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
