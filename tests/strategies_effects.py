"""Random effects in random graphs with latent variables, and the library's view of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from oracles.covariates import Question
from oracles.graphs import Graph, random_graph
from oracles.selection import SelectionQuestion
from strategies import random_dag

from suture.dsl.diagram import model_diagram
from suture.identify.graph import CausalGraph


def random_question(generator: np.random.Generator, most: int = 6, single: bool = False) -> Question:
    """A random effect: from one to three treatments, one or two outcomes; latent variables roots or anywhere."""
    while True:
        if generator.random() < 0.4:
            parents, latent = random_dag(generator, int(generator.integers(3, most + 2)))
        else:
            graph = random_graph(
                generator, int(generator.integers(3, most + 1)), generator.uniform(0.2, 0.6), generator.uniform(0, 0.4)
            )
            parents = graph.with_latents()
            latent = frozenset(parents) - set(graph.nodes)
        seen = [name for name in parents if name not in latent]
        # Paths are enumerated: what has too many edges would take long.
        if len(seen) >= 2 and sum(map(len, parents.values())) <= 16:
            return _asked(generator, parents, latent, seen, single)


def _asked(
    generator: np.random.Generator,
    parents: dict[str, tuple[str, ...]],
    latent: frozenset[str],
    seen: list[str],
    single: bool,
) -> Question:
    order = [seen[place] for place in generator.permutation(len(seen))]
    first = 1 if single else int(generator.integers(1, min(3, len(order) - 1) + 1))
    second = 1 if single else int(generator.integers(1, min(2, len(order) - first) + 1))
    return Question(parents, latent, tuple(order[:first]), tuple(order[first : first + second]))


def mediated_question(generator: np.random.Generator, most: int = 4) -> Question:
    """A treatment and an outcome with a latent common cause, no arrow between them, and variables in between."""
    size = int(generator.integers(1, most + 1))
    inner = random_graph(generator, size, generator.uniform(0.1, 0.5), generator.uniform(0, 0.2))
    into = tuple(("X", node) for node in inner.nodes if generator.random() < 0.6)
    out = tuple((node, "Y") for node in inner.nodes if generator.random() < 0.6)
    back = tuple((node, "X") for node in inner.nodes if ("X", node) not in into and generator.random() < 0.1)
    before = {node for start, _ in back for node in inner.ancestors([start])}
    arrows = inner.directed + tuple(edge for edge in into if edge[1] not in before) + out + back
    graph = Graph((*inner.nodes, "X", "Y"), arrows, (*inner.bidirected, ("X", "Y")))
    return question_of(graph, ("X",), ("Y",))


def random_optimality_question(generator: np.random.Generator) -> tuple[Question, frozenset[str]]:
    """One treatment, one outcome that it affects, several valid sets, some variables to include.

    Latent causes join the outcome to other variables, and these among each other: only then can it be that none of
    the valid sets is best whatever the distribution.
    """
    while True:
        size = int(generator.integers(4, 7))
        graph = random_graph(generator, size, generator.uniform(0.2, 0.45), generator.uniform(0.2, 0.5))
        pairs = [(one, two) for two in graph.nodes for one in sorted(graph.ancestors([two]) - {two})]
        if not pairs:
            continue
        treatment, outcome = pairs[int(generator.integers(len(pairs)))]
        question = question_of(graph, (treatment,), (outcome,))
        if not any(outcome in edge and not {treatment} & set(edge) for edge in graph.bidirected):
            continue
        include = frozenset(name for name in question.free if generator.random() < 0.15)
        small = sum(map(len, question.parents.values())) <= 16
        if small and sum(include <= one for one in question.adjustment_sets()) > 1:
            return question, include


def random_selection_question(generator: np.random.Generator, most: int = 6) -> SelectionQuestion:
    """A random effect and one or two variables that the sample is selected by, some covariates known for everyone.

    The selection is a variable of the graph or a new one below a few others: the usual case.
    """
    while True:
        question = random_question(generator, most)
        seen = [name for name in question.parents if name not in question.latent]
        causes = tuple(name for name in seen if generator.random() < 0.35)
        if generator.random() < 0.6 and sum(map(len, question.parents.values())) + len(causes) <= 16:
            question = replace(question, parents={**question.parents, "S": causes})
            selected: tuple[str, ...] = ("S",)
        else:
            several = 1 if generator.random() < 0.8 else 2
            selected = tuple(str(name) for name in generator.permutation(question.free)[:several])
        if selected and set(selected) <= set(question.free):
            rest = [name for name in question.free if name not in selected]
            return SelectionQuestion(question, selected, frozenset(n for n in rest if generator.random() < 0.6))


def random_joint_question(generator: np.random.Generator) -> Question:
    """Two or three treatments, or two outcomes, or both; every outcome is affected and several sets are valid."""
    while True:
        kinds = [(1, 2), (2, 1), (2, 2), (3, 1)]
        treatments, outcomes = kinds[int(generator.integers(len(kinds)))]
        first, last = [f"X{n}" for n in range(treatments)], [f"Y{n}" for n in range(outcomes)]
        others = [f"V{n}" for n in range(int(generator.integers(3, 6)))]
        order = [*map(str, generator.permutation([*others, *first])), *last]
        pairs = [(order[i], order[j]) for j in range(len(order)) for i in range(j)]
        arrows = tuple(pair for pair in pairs if generator.random() < 0.35)
        # What has a latent cause in common with a treatment is seldom of use.
        arcs = tuple(pair for pair in pairs if generator.random() < (0.05 if set(pair) & set(first) else 0.35))
        question = question_of(Graph(tuple(order), arrows, arcs), tuple(first), tuple(last))
        if sum(map(len, question.parents.values())) > 18:
            continue
        reached = {path[-1] for path in question.proper_paths() if question.is_causal(path)}
        if reached == set(last) and len(question.adjustment_sets()) > 1:
            return question


def causal_graph(question: Question) -> CausalGraph:
    """The library's graph of a question."""
    return CausalGraph.of(model_diagram(question.parents, question.latent))


def question_of(graph: Graph, treatments: tuple[str, ...], outcomes: tuple[str, ...]) -> Question:
    """An effect in a mixed graph."""
    parents = graph.with_latents()
    return Question(parents, frozenset(parents) - set(graph.nodes), treatments, outcomes)


def graph_from(text: str) -> Graph:
    """A mixed graph from its edges, `A -> B, B <-> C`; variables in the order of their first mention.

    `<-` and `--` are not read.
    """
    directed, bidirected, nodes = list[tuple[str, str]](), list[tuple[str, str]](), dict[str, None]()
    for edge in text.replace("\n", ",").split(","):
        parts = edge.split()
        for before, arrow, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
            nodes |= {before: None, after: None}
            (directed if arrow == "->" else bidirected).append((before, after))
    return Graph(tuple(nodes), tuple(directed), tuple(bidirected))
