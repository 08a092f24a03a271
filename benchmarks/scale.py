"""Identification on large graphs: 50, 200 and 1,000 observed variables, single effects, CPU milliseconds.

The families are random graphs with hidden common causes, and graphs whose answers are known by how they are built:
chains, front doors and napkins end to end, and chains of hidden common causes.  Every answer is judged: the verdict
where it is known, the derivation by replay, the hedge by its definition.  Exits with 1 where an answer is wrong.

    python benchmarks/scale.py [--sizes 50 200 1000] [--queries 20]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.answers import hedge_faults
from oracles.graphs import Edge, Graph, Query
from oracles.verdict import identifiable
from strategies import diagram_of, kernel_of

from suture.identify.algorithms import identify
from suture.identify.derivation import Hedge, Identified, NotIdentified, Outcome
from suture.identify.replay import replay

# The reference recursion takes seconds beyond this size.
JUDGED = 60
Problem = tuple[Graph, Query, bool | None]


def names(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


def links(nodes: list[str]) -> list[Edge]:
    return list(pairwise(nodes))


def random_edges(generator: np.random.Generator, nodes: list[str], count: int, reach: int) -> tuple[Edge, ...]:
    """Distinct edges from earlier to later variables at most `reach` apart."""
    starts = generator.integers(len(nodes) - 1, size=count)
    ends = np.minimum(starts + generator.integers(1, reach + 1, size=count), len(nodes) - 1)
    return tuple((nodes[first], nodes[second]) for first, second in sorted(set(zip(starts, ends, strict=True))))


def random_problems(size: int, queries: int, arrows: float, arcs: float, reach: int) -> Iterator[Problem]:
    """So many edges a variable on average; the effect of a variable of the first half on one of the second."""
    generator, nodes = np.random.default_rng(size), names("V", size)
    for _ in range(queries):
        directed = random_edges(generator, nodes, round(arrows * size), reach)
        graph = Graph(tuple(nodes), directed, random_edges(generator, nodes, round(arcs * size), reach))
        treatment, outcome = int(generator.integers(size // 2)), int(generator.integers(size // 2, size))
        query = Query((nodes[outcome],), (nodes[treatment],))
        yield graph, query, identifiable(graph, query.outcomes, query.treatments) if size <= JUDGED else None


def sparse(size: int, queries: int) -> Iterator[Problem]:
    """Two arrows and half a hidden common cause a variable, between any two."""
    return random_problems(size, queries, 2, 0.5, size)


def tangled(size: int, queries: int) -> Iterator[Problem]:
    """Neighbours joined by two arrows and one hidden common cause a variable: large districts, many hedges."""
    return random_problems(size, queries, 2, 1, 5)


def chain(size: int, queries: int) -> Iterator[Problem]:
    """V0 -> V1 -> .., the effect of the first on the last."""
    nodes = names("V", size)
    yield Graph(tuple(nodes), tuple(links(nodes))), Query((nodes[-1],), (nodes[0],)), True


def front_doors(size: int, queries: int) -> Iterator[Problem]:
    """X0 -> M0 -> X1 -> M1 -> .. with X0 <-> X1 <-> X2 ..: one front door after the other."""
    nodes = names("V", size + 1 - size % 2)
    arcs = links(nodes[::2])
    yield Graph(tuple(nodes), tuple(links(nodes)), tuple(arcs)), Query((nodes[-1],), (nodes[0],)), True


def napkins(size: int, queries: int) -> Iterator[Problem]:
    """W -> Z -> X -> Y with W <-> X and W <-> Y, again and again, each Y the next W's cause."""
    blocks = [[f"{letter}{number}" for letter in "WZXY"] for number in range(size // 4)]
    nodes = [node for block in blocks for node in block]
    arcs = [arc for w, _, x, y in blocks for arc in ((w, x), (w, y))]
    treatments = tuple(block[2] for block in blocks[:2])
    yield Graph(tuple(nodes), tuple(links(nodes)), tuple(arcs)), Query((nodes[-1],), treatments), True


def confounded_chain(size: int, queries: int) -> Iterator[Problem]:
    """V0 -> V1 -> .. and V0 <-> V2 <-> V4 ..: one district of every other variable; no child of V0 in it."""
    nodes = names("V", size)
    yield Graph(tuple(nodes), tuple(links(nodes)), tuple(links(nodes[::2]))), Query((nodes[-1],), (nodes[0],)), True


def long_hedge(size: int, queries: int) -> Iterator[Problem]:
    """V0 -> V1 -> .. and V0 <-> V1 <-> ..: the whole graph is a hedge."""
    nodes = names("V", size)
    yield Graph(tuple(nodes), tuple(links(nodes)), tuple(links(nodes))), Query((nodes[-1],), (nodes[0],)), False


def many_treatments(size: int, queries: int) -> Iterator[Problem]:
    """Every third variable of a confounded chain is set, the last is asked for."""
    nodes = names("V", size)
    graph = Graph(tuple(nodes), tuple(links(nodes)), tuple(links(nodes[::2])))
    yield graph, Query((nodes[-1],), tuple(nodes[:-3:3])), True


def whole_joint(size: int, queries: int) -> Iterator[Problem]:
    """The effect of the first variable of a sparse tree of hidden causes on all others at once."""
    nodes = names("V", size)
    arrows = [(nodes[number // 2], nodes[number]) for number in range(1, size)]
    arcs = [(nodes[number], nodes[number + 5]) for number in range(1, size - 5, 7)]
    yield Graph(tuple(nodes), tuple(arrows), tuple(arcs)), Query(tuple(nodes[1:]), (nodes[0],)), True


FAMILIES: tuple[Callable[[int, int], Iterator[Problem]], ...] = (
    sparse,
    tangled,
    chain,
    front_doors,
    napkins,
    confounded_chain,
    long_hedge,
    many_treatments,
    whole_joint,
)


def judge(outcome: Outcome, problem: Problem) -> tuple[str, ...]:
    """What is wrong with an answer that is too large to evaluate."""
    graph, query, expected = problem
    found: tuple[str, ...]
    match outcome:
        case Identified(formula, derivation):
            found = replay(derivation, kernel_of(query), diagram_of(graph), formula)
        case NotIdentified(Hedge() as hedge):
            found = hedge_faults(hedge, graph, query)
        case _:
            found = (f"no verdict: {outcome}",)
    wrong = expected is not None and expected is not isinstance(outcome, Identified)
    return (*found, "wrong verdict") if wrong else found


def measure(family: Callable[[int, int], Iterator[Problem]], size: int, queries: int) -> bool:
    """Print one line for a family at a size; whether every answer was right."""
    times, verdicts, wrong = list[float](), list[bool](), list[str]()
    for problem in family(size, queries):
        graph, query, _ = problem
        diagram, kernel = diagram_of(graph), kernel_of(query)
        start = time.process_time()
        outcome = identify(kernel, diagram)
        times.append(1e3 * (time.process_time() - start))
        verdicts.append(isinstance(outcome, Identified))
        wrong += judge(outcome, problem)
    shown = f"median {median(times):9.2f}  largest {max(times):9.1f}  identified {sum(verdicts)} of {len(verdicts)}"
    print(
        f"{family.__name__:17} n = {size:5}  {shown}{'  WRONG: ' + '; '.join(wrong[:3]) if wrong else ''}", flush=True
    )
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 1_000])
    parser.add_argument("--queries", type=int, default=20, help="random graphs a size")
    arguments = parser.parse_args()
    print("CPU milliseconds for `identify`, simplification included")
    right = [measure(family, size, arguments.queries) for family in FAMILIES for size in arguments.sizes]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
