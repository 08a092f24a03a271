"""Bounds judged by truths: random models with latent variables, and brute force over all functions.

For random mixed graphs of a few binary variables: does the truth of a random model lie within the bounds from its own
observed distribution, do bounds of identified queries collapse to it, do the models that are written attain them?
Prints counts, how many bounds are sharp, and CPU milliseconds; exits with 1 where anything is wrong.

    python benchmarks/bounds.py [--graphs 500] [--most 5] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.graphs import Graph, Query
from oracles.models import LatentModel, random_model_of
from strategies import diagram_of, kernel_of, random_problem

import suture
from suture.dsl.diagnostics import SutureError
from suture.identify.algorithms import identify
from suture.identify.bounding.bounds import Bounds, BoundsTable, Setting, bounds
from suture.identify.bounding.district_factors import from_table
from suture.identify.derivation import Identified, Undecided
from suture.semantics.factors import NamedTable

CLOSE = 1e-7


@dataclass
class Tally:
    """What was found."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Graph, Query, str]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def ask(self, graph: Graph, query: Query, generator: np.random.Generator) -> None:
        """One query: its table against the truth, the models of its first row run."""
        model = random_model_of(graph, generator)
        labels = tuple(("0", "1") for _ in model.observed)
        evidence = from_table(NamedTable(model.observed, labels, model.surgery()))
        start = time.process_time()
        try:
            found = bounds(kernel_of(query), diagram_of(graph), [evidence], setting=Setting(models=True))
        except SutureError as error:
            self.outcomes[error.diagnostics[0].code] += 1
            if error.diagnostics[0].code != "S603":
                self.wrong.append((graph, query, str(error)))
            return
        finally:
            self.milliseconds.append(1e3 * (time.process_time() - start))
        if isinstance(found, Undecided):
            self.outcomes["undecided"] += 1
            return
        rows = found.rows if isinstance(found, BoundsTable) else (((), found),)
        names = found.variables if isinstance(found, BoundsTable) else ()
        identified = isinstance(identify(kernel_of(query), diagram_of(graph)), Identified)
        for number, (labels_, row) in enumerate(rows):
            at = {name: int(label) for name, label in zip(names, labels_, strict=True)}
            self.judge(graph, query, row, at, model, identified)
            if number == 0:
                for program, bound in ((row.low_model, float(row.low)), (row.high_model, float(row.high))):
                    self.attains(graph, query, program, bound, at, model)

    def judge(
        self, graph: Graph, query: Query, row: Bounds, at: dict[str, int], model: LatentModel, identified: bool
    ) -> None:
        """One interval against the truth."""
        truth = model.truth(query)[tuple(at[name] for name in (*query.outcomes, *query.treatments))]
        low, high = float(row.low), float(row.high)
        self.outcomes["identified" if identified else "sharp" if row.sharp else "not known to be sharp"] += 1
        if not low - CLOSE <= truth <= high + CLOSE:
            self.wrong.append((graph, query, f"the truth {truth} is outside [{low}, {high}]"))
        if identified and high - low > CLOSE:
            self.wrong.append((graph, query, f"identified, yet [{low}, {high}]"))

    def attains(
        self, graph: Graph, query: Query, program: str | None, bound: float, at: dict[str, int], model: LatentModel
    ) -> None:
        """A model that is written, run through the language."""
        if program is None:
            self.outcomes["no model written"] += 1
            return
        outcomes, do = (
            ", ".join(f"{name} = {at[name]}" for name in names) for names in (query.outcomes, query.treatments)
        )
        asked = f"compute P({outcomes} | do({do}))\ncompute P({', '.join(model.observed)})"
        made: list[Any] = [answer.value for answer in suture.run(f"{program}\n{asked}")]
        value, joint = made
        gap = max(abs(float(share) - model.surgery()[tuple(map(int, labels))]) for labels, share in joint.rows())
        self.outcomes["models attained"] += 1
        if abs(float(value) - bound) > CLOSE or gap > CLOSE:
            self.wrong.append((graph, query, f"a model has {value} for {bound}, and misses the data by {gap}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=500)
    parser.add_argument("--most", type=int, default=5, help="observed variables at most")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generator, tally = np.random.default_rng(arguments.seed), Tally()
    for _ in range(arguments.graphs):
        graph, query = random_problem(generator, arguments.most)
        tally.ask(graph, query, generator)
    print(f"{arguments.graphs} random graphs of up to {arguments.most} variables")
    print(f"  rows           {dict(sorted(tally.outcomes.items()))}")
    print(f"  wrong answers  {len(tally.wrong)}")
    print(f"  CPU ms         median {median(tally.milliseconds):.1f}, largest {max(tally.milliseconds):.0f}")
    for graph, query, fault in tally.wrong[:5]:
        print(f"  {graph}\n  {query}\n    {fault}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
