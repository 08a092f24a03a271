"""Latent models of several domains judged by computations that share no code with the library.

Random linear, finite and smooth models: does the canonical form show the same for every noise (which keeps all
counterfactuals and all laws), are interventions last, is the least number of intervened latents the rank (linear), the
largest orbit (bits)?  Pairs made equivalent by random (h1, h2), with and without the same law, and pairs made
different: is equivalence decided rightly, are the images of the witness what numpy and brute force say?  Prints counts
and CPU milliseconds; exits with 1 where anything is wrong.

    python benchmarks/latent_domains.py [--linear 500] [--finite 200] [--smooth 100] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from latent_judges import finite_form, finite_pair, linear_form, linear_pair, smooth_form, smooth_pair

Judge = Callable[[np.random.Generator], Iterator[str]]
KINDS = ("same", "other law", "different")


def judged(title: str, count: int, seed: int, judge: Judge) -> int:
    """Judge a number of random cases; the number of faulty ones."""
    wrong, spent = 0, []
    for place in range(count):
        start = time.process_time()
        faults = list(judge(np.random.default_rng([seed, place])))
        spent.append(1e3 * (time.process_time() - start))
        wrong += bool(faults)
        for fault in faults[:3]:
            print(f"  case {place}: {fault[:300]}")
    print(f"{title:<40} {count - wrong:>5} of {count} right   {median(spent or [0.0]):8.0f} ms a case")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linear", type=int, default=500)
    parser.add_argument("--finite", type=int, default=200)
    parser.add_argument("--smooth", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    wrong = judged("linear: canonical form, minimal k", asked.linear, asked.seed, lambda g: linear_form(g, False))
    wrong += judged(
        "linear, one shared weight: minimal k", asked.linear // 5, asked.seed, lambda g: linear_form(g, True)
    )
    wrong += judged("finite: canonical form", asked.finite, asked.seed, lambda g: finite_form(g, False))
    wrong += judged("bits: canonical form, largest orbit", asked.finite, asked.seed, lambda g: finite_form(g, True))
    wrong += judged("smooth: canonical form", asked.smooth, asked.seed, smooth_form)
    for kind in KINDS:
        wrong += judged(f"linear pairs, {kind}", asked.linear, asked.seed, lambda g, k=kind: linear_pair(g, k))
        wrong += judged(f"finite pairs, {kind}", asked.finite, asked.seed, lambda g, k=kind: finite_pair(g, k))
        if kind != "other law":
            wrong += judged(f"smooth pairs, {kind}", asked.smooth, asked.seed, lambda g, k=kind: smooth_pair(g, k))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
