"""The do-calculus search judged by truths: random models with latent variables, and verdicts of another algorithm.

For random mixed graphs of 4 to 10 variables and random queries, from three kinds of inputs: the whole distribution, the
same cut into conditionals of blocks, and random parts P(A | C, do(B)).  For the first two the verdict is known; every
formula is replayed and evaluated.  Prints, by kind and size, the shares of formulas, of searches that ended without and
of those that ran out of their budget, and CPU milliseconds; exits with 1 where anything is wrong.

    python benchmarks/do_search.py [--queries 40] [--least 4] [--most 10] [--seconds 30] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.formulas import largest_error
from oracles.graphs import Graph, Query, random_graph, random_query
from oracles.models import random_model_of
from oracles.verdict import conditionally_identifiable
from strategies import diagram_of, kernel_of
from strategies_inputs import random_distribution

from suture.dsl.formula import Kernel, probability
from suture.dsl.formula_text import text
from suture.identify.derivation import Identified, Outcome, Undecided
from suture.identify.do_proofs.do_search import SearchBudget, search
from suture.identify.do_proofs.do_search_check import replay_search

CLOSE = 1e-8
KINDS = ("whole", "factors", "parts")


def inputs_of(kind: str, graph: Graph, generator: np.random.Generator) -> tuple[Kernel, ...]:
    """The distributions at hand."""
    if kind == "whole":
        return (probability(graph.nodes),)
    if kind == "factors":
        return tuple(factors(graph, generator))
    return tuple(
        probability(*(sorted(part) for part in (one.outcomes, one.given, one.do)))
        for one in (random_distribution(generator, graph) for _ in range(int(generator.integers(2, 5))))
    )


def factors(graph: Graph, generator: np.random.Generator) -> Iterator[Kernel]:
    """P(V) as the product of conditionals of blocks, each given all variables of the blocks before."""
    order = [graph.nodes[int(place)] for place in generator.permutation(len(graph.nodes))]
    cuts = sorted({0, len(order), *(int(place) for place in generator.integers(1, len(order), size=2))})
    for start, end in pairwise(cuts):
        yield probability(order[start:end], order[:start])


@dataclass
class Tally:
    """What was found for one kind of inputs and one size."""

    ends: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ask(self, kind: str, size: int, budget: SearchBudget, generator: np.random.Generator) -> None:
        """One random query."""
        graph = random_graph(generator, size, generator.uniform(0.2, 0.6), generator.uniform(0.05, 0.4))
        query = random_query(generator, graph, most=2, conditions=2)
        inputs = inputs_of(kind, graph, generator)
        start = time.process_time()
        outcome = search(kernel_of(query), diagram_of(graph), inputs, budget)
        self.milliseconds.append(1e3 * (time.process_time() - start))
        end = ended(outcome)
        self.ends[end] += 1
        expected = None if kind == "parts" else conditionally_identifiable(graph, query)
        found = list(self.faults(outcome, graph, query, inputs, generator))
        if end != "budget" and expected is not None and expected is not (end == "formula"):
            found.append(f"the verdict should be {expected}")
        self.wrong += [f"{graph} {query} from {', '.join(map(text, inputs))}: {fault}" for fault in found]

    def faults(
        self, outcome: Outcome, graph: Graph, query: Query, inputs: Sequence[Kernel], generator: np.random.Generator
    ) -> Iterator[str]:
        """What is wrong with a formula and its proof."""
        if isinstance(outcome, Identified):
            yield from replay_search(outcome.derivation, kernel_of(query), diagram_of(graph), inputs, outcome.formula)
            error = largest_error(outcome.formula, random_model_of(graph, generator), query)
            if not error < CLOSE:
                yield f"{text(outcome.formula)} is off by {error:.2g}"

    def row(self) -> str:
        """Shares and times on one line."""
        count = len(self.milliseconds)
        shares = "  ".join(f"{100 * self.ends[end] / count:5.0f} %" for end in ("formula", "no proof", "budget"))
        return f"{shares}  {median(self.milliseconds):10.1f}  {max(self.milliseconds):10.1f}  {len(self.wrong):5}"


def ended(outcome: Outcome) -> str:
    """How a search ended."""
    if isinstance(outcome, Identified):
        return "formula"
    assert isinstance(outcome, Undecided)
    return "budget" if "at its budget of" in outcome.reason else "no proof"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for option, default in (("queries", 40), ("least", 4), ("most", 10), ("seconds", 30), ("seed", 1)):
        parser.add_argument(f"--{option}", type=int, default=default)
    options = parser.parse_args()
    wrong: list[str] = []
    print(f"{'inputs':8}  {'n':>3}  formula  no proof  budget   median ms      max ms  wrong")
    for kind in KINDS:
        for size in range(options.least, options.most + 1):
            tally, generator = Tally(), np.random.default_rng([options.seed, size, KINDS.index(kind)])
            for _ in range(options.queries):
                tally.ask(kind, size, SearchBudget(seconds=options.seconds), generator)
            print(f"{kind:8}  {size:3}  {tally.row()}", flush=True)
            wrong += tally.wrong
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
