"""Conditional effects, experiments and domains judged by brute force: random queries, answers against other truths.

For random mixed graphs with many hidden causes, and random distributions at hand: is the verdict that of the published
recursions, does the formula, read off the enumerated tables of its sources, equal surgery on the queried domain, does
every step hold in random models of all domains, does the derivation replay, is a hedge or thicket one by definition?
Prints counts, how many answers needed a source beyond the observation, how many were carried over from another domain,
and CPU milliseconds; exits with 1 where anything is wrong.

    python benchmarks/queries.py [--conditional 600] [--experiments 400] [--transport 400] [--most 7] [--seed 1]
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

from oracles.answers_from import domains_of, source_faults
from oracles.sources import Known, follows
from strategies import diagram_of, kernel_of, random_problem
from strategies_sources import Problem, library_sources, random_sources_problem

from suture.dsl.formula import kernels
from suture.identify.algorithms import identify
from suture.identify.derivation import Identified
from suture.identify.replay import replay

OBSERVED = (Known(None),)


@dataclass
class Tally:
    """What was found for one kind of query."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Problem, tuple[str, ...]]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def ask(self, problem: Problem, generator: np.random.Generator, models: int) -> None:
        """One query, its time and everything that is wrong with its answer."""
        graph, query, known = problem
        diagram, kernel, sources = diagram_of(graph), kernel_of(query), library_sources(known)
        start = time.process_time()
        outcome = identify(kernel, diagram, None, sources)
        self.milliseconds.append(1e3 * (time.process_time() - start))
        found = source_faults(outcome, graph, query, known, domains_of(graph, known, generator, models))
        self.counts[type(outcome).__name__] += 1
        if isinstance(outcome, Identified):
            refused = replay(outcome.derivation, kernel, diagram, outcome.formula, sources)
            found += tuple(f"replay refuses: {reason}" for reason in refused)
            self.counts["beyond observation"] += not follows(graph, query, OBSERVED)
            used = {kernel.source for kernel in kernels(outcome.formula)}
            self.counts["carried over"] += any(one.name in used and bool(one.differs) for one in known)
        if found:
            self.wrong.append((problem, found))

    def report(self, title: str) -> None:
        asked, counts = len(self.milliseconds), self.counts
        kinds = Counter(fault.split(":")[0].split(" (")[0] for _, found in self.wrong for fault in found)
        print(f"{title}: {asked} queries, {counts['Identified'] / max(1, asked):.1%} identifiable")
        print(f"  beyond observation  {counts['beyond observation']}, from another domain {counts['carried over']}")
        print(f"  wrong verdicts      {kinds['wrong verdict']}")
        print(f"  wrong formulas      {kinds['wrong formula']}")
        print(f"  wrong steps         {sum(count for kind, count in kinds.items() if kind.startswith('wrong step'))}")
        print(f"  wrong witnesses     {kinds['wrong hedge'] + kinds['wrong thicket']}")
        print(f"  replay refusals     {kinds['replay refuses']}")
        print(f"  no verdict          {kinds['no verdict']}")
        print(f"  CPU ms              median {median(self.milliseconds):.2f}, largest {max(self.milliseconds):.1f}")
        for (graph, query, known), found in self.wrong[:5]:
            print(f"  {graph}\n  {query}\n  {known}\n    {'; '.join(found)}")


def problem_of(kind: str, generator: np.random.Generator, most: int) -> Problem:
    """A random problem of one kind; conditions are common, and domains come with experiments or without."""
    if kind == "conditional":
        graph, query = random_problem(generator, most, smallest=3, conditions=3)
        while not query.given:
            graph, query = random_problem(generator, most, smallest=3, conditions=3)
        return graph, query, OBSERVED
    conditions = 1 if generator.random() < 0.3 else 0
    form = "experiments" if kind == "experiments" else "domains" if generator.random() < 0.5 else "both"
    return random_sources_problem(generator, form, most, conditions=conditions)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conditional", type=int, default=600)
    parser.add_argument("--experiments", type=int, default=400)
    parser.add_argument("--transport", type=int, default=400)
    parser.add_argument("--most", type=int, default=7, help="observed variables at most")
    parser.add_argument("--models", type=int, default=3, help="random models (of all domains) for each answer")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wrong = 0
    for kind in ("conditional", "experiments", "transport"):
        generator, tally = np.random.default_rng(arguments.seed), Tally()
        for _ in range(getattr(arguments, kind)):
            tally.ask(problem_of(kind, generator, arguments.most), generator, arguments.models)
        if tally.milliseconds:
            tally.report(kind)
        wrong += len(tally.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
