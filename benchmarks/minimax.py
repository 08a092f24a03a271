"""Predictors that carry over: right on random models, and how far the search goes.

First, random models of a few variables with one to three mutable mechanisms: every worst case, predictor, witness,
class and winner against enumeration of all subsets and all deterministic domains, the condition's claim, and whether
the bounds on the best of all predictors meet.  Then counts of classes and CPU seconds by family of graph, and whole
searches with two mutable mechanisms where the graph alone does not settle the matter.  Exits with 1 where anything is
wrong.

    python benchmarks/minimax.py [--models 600] [--searches 6] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.invariance import random_transfer
from oracles.linear_transfer import random_linear
from transfer_check import faults, searched

from suture.dsl.diagram import model_diagram
from suture.dsl.resolve import read_model
from suture.identify.predictors.linear_search import search_linear
from suture.identify.predictors.linear_setup import linear_selection
from suture.identify.predictors.losses import SquaredLoss
from suture.identify.predictors.minimax_search import Budget, search
from suture.identify.predictors.selection_diagram import SelectionDiagram
from suture.identify.predictors.selection_model import Adversary, SelectionModel, any_row
from suture.semantics.semiring import PROBABILITY

Parents = Mapping[str, tuple[str, ...]]
LOSSES = ("squared_loss", "log_loss", "zero_one")
SIZES = (10, 15, 20)
MOST = 1 << 15
ROWS = 100_000
BINARY = ("0", "1")
STAR = 0
LARGE_PLACES = 100
"""Places that branch and bound may open among 40 features, so that a search takes seconds."""


# ---------------------------------------------------------------------------------------------------------------------
# Right


def judge(models: int, seed: int) -> int:
    """Random models, each with one of the losses; the number of faults."""
    generator = np.random.default_rng(seed)
    tally: Counter[str] = Counter()
    wrong, spent = 0, 0.0
    for number in range(models):
        transfer = random_transfer(generator)
        loss = LOSSES[number % 4 % 3]
        start = time.process_time()
        found = searched(transfer, loss)
        spent += time.process_time() - start
        for fault in faults(transfer, loss, found):
            wrong += 1
            print(f"WRONG: {fault} with {loss} of {transfer.program()}")
        tally[loss] += 1
        tally["classes"] += len(found.classes)
        tally["condition holds"] += found.condition.holds
        tally["several mutable"] += len(transfer.mutable) > 1
        tally["no subset is minimax"] += float(found.gap) > 1e-9
        tally["minimax known as a fraction"] += found.minimax is not None and found.minimax.exact
    print(f"{models} random models by enumeration: {wrong} faults, {spent / models * 1e3:.0f} ms a search")
    print("  " + ", ".join(f"{name} {count}" for name, count in tally.items()))
    return wrong


# ---------------------------------------------------------------------------------------------------------------------
# Counts of classes


def chain(size: int, _: np.random.Generator) -> tuple[Parents, str]:
    names = [*(f"V{number}" for number in range(size)), "Y"]
    return {name: (names[at - 1],) if at else () for at, name in enumerate(names)}, "Y"


def middle(size: int, _: np.random.Generator) -> tuple[Parents, str]:
    names = [f"V{number}" for number in range(size + 1)]
    return {name: (names[at - 1],) if at else () for at, name in enumerate(names)}, names[size // 2]


def below(size: int, _: np.random.Generator) -> tuple[Parents, str]:
    """A binary tree of features, its root a child of the outcome."""
    names = [f"V{number}" for number in range(size)]
    return {"Y": (), **{name: (names[(at - 1) // 2],) if at else ("Y",) for at, name in enumerate(names)}}, "Y"


def tree(size: int, _: np.random.Generator) -> tuple[Parents, str]:
    """A binary tree with the outcome at its root."""
    names = ["Y", *(f"V{number}" for number in range(size))]
    return {name: (names[(at - 1) // 2],) if at else () for at, name in enumerate(names)}, "Y"


def star(size: int, _: np.random.Generator) -> tuple[Parents, str]:
    return {"Y": (), **{f"V{number}": ("Y",) for number in range(size)}}, "Y"


def random_graph(degree: int) -> Callable[[int, np.random.Generator], tuple[Parents, str]]:
    """Every pair is joined with the probability that gives this degree on average; the outcome is any of them."""

    def made(size: int, generator: np.random.Generator) -> tuple[Parents, str]:
        names = [f"V{number}" for number in range(size + 1)]
        parents = {
            name: tuple(other for other in names[:at] if generator.random() < degree / size)
            for at, name in enumerate(names)
        }
        return parents, names[int(generator.integers(size + 1))]

    return made


FAMILIES = {
    "chain, outcome last": (chain, 1),
    "chain, outcome in the middle": (middle, 1),
    "binary tree, outcome its root": (tree, 1),
    "binary tree below outcome": (below, 1),
    "random, degree 2": (random_graph(2), 15),
    "random, degree 3": (random_graph(3), 5),
    "star": (star, 1),
}


def count_classes(seed: int) -> None:
    """Classes among the subsets of d stable features: median (largest), and CPU seconds of the median graph."""
    print(f"classes of subsets, at most {MOST:,} counted: median (largest), CPU s")
    for name, (family, graphs) in FAMILIES.items():
        cells: list[str] = []
        for size in SIZES:
            generator = np.random.default_rng(seed)
            counts: list[int] = []
            seconds: list[float] = []
            for _ in range(graphs):
                parents, outcome = family(size, generator)
                features = [other for other in parents if other != outcome]
                start = time.process_time()
                diagram = SelectionDiagram.of(model_diagram(parents), outcome, features, [])
                counts.append(sum(1 for _ in islice(diagram.classes(), MOST)))
                seconds.append(time.process_time() - start)
            cells.append(f"{median(counts):>9,.0f} ({max(counts):,}) {median(seconds):.2f} s")
        print(f"  {name:<30}" + "".join(f"{cell:<28}" for cell in cells))


# ---------------------------------------------------------------------------------------------------------------------
# Whole searches


def hard_models(size: int, degree: int, seed: int) -> Iterator[SelectionModel]:
    """Random models of `size` stable features and two mutable ones, one a child of the outcome, that need a search."""
    generator = np.random.default_rng(seed)
    while True:
        parents, _ = random_graph(degree)(size + 2, generator)
        names = list(parents)
        outcome = names[int(generator.integers(size // 2))]
        children = [name for name in names if outcome in parents[name]]
        if not children:
            continue
        first = children[int(generator.integers(len(children)))]
        others = [name for name in names if name not in (outcome, first)]
        mutable = (first, others[int(generator.integers(len(others)))])
        made = numbered(parents, outcome, mutable, generator)
        if not made.diagram.condition.holds:
            yield made


def hard_stars(size: int, seed: int) -> Iterator[SelectionModel]:
    """Stars whose leaves answer to a mutable child of the outcome as well."""
    generator = np.random.default_rng(seed)
    while True:
        parents: dict[str, tuple[str, ...]] = {"Y": (), "M": ("Y",)}
        parents |= {f"V{number}": ("Y", "M") if number % 2 else ("Y",) for number in range(size)}
        yield numbered(parents, "Y", ("M",), generator)


def numbered(
    parents: Parents, outcome: str, mutable: tuple[str, ...], generator: np.random.Generator
) -> SelectionModel:
    """Binary variables with random stable mechanisms."""
    features = [name for name in parents if name != outcome]
    diagram = SelectionDiagram.of(model_diagram(parents), outcome, features, mutable)
    stable = {name: generator.dirichlet([1, 1], size=(2,) * len(own)) for name, own in parents.items()}
    choices = {name: any_row(name, parents[name], [2] * len(parents[name]), 2, PROBABILITY) for name in mutable}
    labels = dict.fromkeys(parents, BINARY)
    kept = {name: array for name, array in stable.items() if name not in mutable}
    return SelectionModel(diagram, labels, parents, kept, (Adversary(None, choices),), (), PROBABILITY)


def whole_searches(searches: int, seed: int) -> int:
    """Searches from graph to minimax; how many of those of degree 2 and up to 20 features were not exact."""
    loss = SquaredLoss((Fraction(0), Fraction(1)))
    inexact = 0
    print("whole searches with two mutable mechanisms, squared loss")
    for degree, size in ((2, 10), (2, 15), (2, 20), (3, 20), (2, 40), (STAR, 40)):
        seconds: list[float] = []
        slack: list[float] = []
        scored: list[int] = []
        models = hard_stars(size, seed) if degree == STAR else hard_models(size, degree, seed)
        for model in islice(models, searches):
            start = time.process_time()
            found = search(model, loss, Budget() if size <= 20 else Budget(places=LARGE_PLACES))
            seconds.append(time.process_time() - start)
            slack.append(0.0 if found.complete else 1 - float(found.floor) / float(found.chosen.worst))
            scored.append(len(found.classes))
        exact = sum(part == 0 for part in slack)
        inexact += (searches - exact) * (size <= 20 and degree == 2)
        rest = f", the others within {max(slack):.1%} of the best" if exact < searches else ""
        times = f"CPU s median {median(seconds):.1f}, longest {max(seconds):.1f}"
        kind = "star" if degree == STAR else f"degree {degree}"
        print(f"  d = {size}, {kind}: {exact} of {searches} exact{rest}; {times}; most scored {max(scored):,}")
    return inexact


def linear_searches(searches: int, seed: int) -> int:
    """Linear-Gaussian models, every class scored, its risk judged by simulating wild mechanisms; the faults."""
    generator = np.random.default_rng(seed)
    wrong, spent, classes = 0, 0.0, 0
    for number in range(searches):
        transfer = random_linear(generator, 9)
        model = read_model(transfer.program())
        start = time.process_time()
        found = search_linear(linear_selection(model, transfer.outcome, transfer.features, model.mutable))
        spent += time.process_time() - start
        classes += len(found.classes)
        wild = {name: wild_mechanism(number % 3) for name in transfer.mutable}
        rows = transfer.simulate(wild, ROWS, number)
        for each in found.classes[:: max(1, len(found.classes) // 8)]:
            losses = (rows[transfer.outcome] - each.predictor.predict(rows)) ** 2
            if abs(losses.mean() - float(each.worst)) > 6 * losses.std() / ROWS**0.5 + 1e-9:
                wrong += 1
                print(f"WRONG: risk of {each.members.boundary} in {transfer.program()}")
    print(f"{searches} linear-Gaussian models, {classes:,} classes, wild mechanisms simulated: {wrong} faults")
    print(f"  {spent / searches * 1e3:.0f} ms a search, exact rationals")
    return wrong


def wild_mechanism(kind: int) -> Callable[[Mapping[str, np.ndarray], np.random.Generator], np.ndarray]:
    """Jumps, squares or sines of the parents, with heavy tails."""

    def made(parents: Mapping[str, np.ndarray], generator: np.random.Generator) -> np.ndarray:
        total = sum(parents.values(), np.zeros(ROWS))
        shape = (np.sign(total) * 40, 2 * total**2, 15 * np.sin(7 * total))[kind]
        return shape + generator.standard_cauchy(ROWS).clip(-80, 80)

    return made


def main() -> int:
    """Judge, count, search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=600)
    parser.add_argument("--searches", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = judge(options.models, options.seed)
    count_classes(options.seed)
    wrong += linear_searches(options.models // 10, options.seed)
    wrong += whole_searches(options.searches, options.seed)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
