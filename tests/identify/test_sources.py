"""Several sources: every answer against truths found without the library, what must not change it, forged proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from oracles.answers_from import domains_of, formula_faults, source_faults, step_faults
from oracles.graphs import Graph, Query
from oracles.sources import Domains, Known, follows, published_known
from strategies import diagram_of, kernel_of, seeds
from strategies_sources import KINDS, Problem, library_sources, random_known, random_sources_problem, sources_problems
from tampering import tampered, with_another_edge, with_step

from suture.dsl.formula import Formula, Kernel, Term, equal, kernels, rebuild
from suture.identify.algorithms import identify
from suture.identify.certify import CertificationError, certify
from suture.identify.derivation import (
    Derivation,
    Hedge,
    Identified,
    Invariant,
    NotIdentified,
    Obstacle,
    Outcome,
    SideCondition,
    Teeth,
    Thicket,
)
from suture.identify.replay import replay

Cases = Callable[[str], Any]


def answer(problem: Problem) -> Outcome:
    graph, query, known = problem
    return identify(kernel_of(query), diagram_of(graph), None, library_sources(known))


def proof_faults(problem: Problem, outcome: Outcome) -> tuple[str, ...]:
    """What replay says against the derivation of an answer."""
    graph, query, known = problem
    if not isinstance(outcome, Identified):
        return ()
    return replay(outcome.derivation, kernel_of(query), diagram_of(graph), outcome.formula, library_sources(known))


def all_faults(problem: Problem, outcome: Outcome, generator: np.random.Generator, models: int = 2) -> tuple[str, ...]:
    graph, query, known = problem
    worlds = domains_of(graph, known, generator, models)
    return source_faults(outcome, graph, query, known, worlds) + proof_faults(problem, outcome)


# ---------------------------------------------------------------------------------------------------------------------
# Published cases


def published(cases: Cases) -> list[tuple[str, Problem, bool]]:
    return [
        (case["name"], (Graph.of_case(case), query, published_known(case["query"])), case["identifiable"])
        for case in cases("identification.json")
        if case["kind"] in ("surrogate", "transport")
        for query in [Query(*(tuple(case["query"][part]) for part in ("outcome", "do", "given")))]
    ]


def test_every_published_case(cases: Cases) -> None:
    generator = np.random.default_rng(61)
    wrong: dict[str, object] = {}
    for name, problem, verdict in published(cases):
        outcome = answer(problem)
        found = list(all_faults(problem, outcome, generator, 3))
        if isinstance(outcome, Identified) is not verdict:
            found.append(f"published as {'' if verdict else 'not '}identifiable")
        if found:
            wrong[name] = found
    assert not wrong


def test_every_published_case_is_certified(cases: Cases) -> None:
    names = set[str]()
    for name, (graph, query, known), verdict in published(cases):
        kernel, diagram, sources = kernel_of(query), diagram_of(graph), library_sources(known)
        outcome = certify(identify(kernel, diagram, None, sources), kernel, diagram, 5, sources)
        names.add(name)
        if verdict:
            assert isinstance(outcome, Identified)
            assert outcome.check is not None, name
            assert outcome.check.max_error is not None, name
            assert outcome.check.max_error < 1e-10, name
    assert {"zid_1", "aux_effect_man", "gid_two_exp", "mz_transport_man", "meta_transport_man"} <= names


def test_the_transport_formula() -> None:
    """Covariates that differ: the experiment elsewhere, reweighted by the covariates here (Pearl, Bareinboim 2011)."""
    graph = Graph(("Z", "X", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "Y")), (("X", "Y"),))
    known = (Known(None), Known("trial", ("X",), ("Z",)))
    outcome = answer((graph, Query(("Y",), ("X",)), known))
    assert isinstance(outcome, Identified)
    assert {(kernel.source, bool(kernel.do)) for kernel in kernels(outcome.formula)} == {(None, False), ("trial", True)}
    assert all_faults((graph, Query(("Y",), ("X",)), known), outcome, np.random.default_rng(62)) == ()


def test_a_surrogate_outcome_supplies_the_mediator() -> None:
    """X -> M -> Y, X <-> M: the experiment of which Y is not what differs lends M, observation here the rest."""
    graph = Graph(("X", "M", "Y"), (("X", "M"), ("M", "Y")), (("X", "M"),))
    known = (Known(None), Known("trial", ("X",), ("Y",)))
    outcome = answer((graph, Query(("Y",), ("X",)), known))
    assert isinstance(outcome, Identified)
    lent = [kernel for kernel in kernels(outcome.formula) if kernel.source == "trial"]
    assert [[term.variable for term in kernel.outcomes] for kernel in lent] == [["M"]]
    assert all_faults((graph, Query(("Y",), ("X",)), known), outcome, np.random.default_rng(63)) == ()


# ---------------------------------------------------------------------------------------------------------------------
# Random queries


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "count", "most", "conditions"), [(64, 150, 5, 0), (65, 100, 7, 0), (66, 120, 6, 2)])
def test_random_queries_are_answered_rightly(kind: str, seed: int, count: int, most: int, conditions: int) -> None:
    generator = np.random.default_rng(seed)
    wrong: list[object] = []
    identified = only_by_sources = 0
    for _ in range(count):
        problem = random_sources_problem(generator, kind, most, conditions=conditions)
        outcome = answer(problem)
        found = all_faults(problem, outcome, generator)
        if found:
            wrong.append((problem, found))
        identified += isinstance(outcome, Identified)
        only_by_sources += isinstance(outcome, Identified) and not follows(*problem[:2], [Known(None)])
    assert not wrong
    assert 0.3 < identified / count < 0.95
    assert only_by_sources >= 3


@given(sources_problems(5))
@settings(max_examples=30)
def test_every_answer_is_certified(problem: Problem) -> None:
    graph, query, known = problem
    outcome = certify(answer(problem), kernel_of(query), diagram_of(graph), 3, library_sources(known))
    if isinstance(outcome, Identified):
        assert outcome.check is not None
        assert outcome.check.max_error is not None
        assert outcome.check.max_error < 1e-10
    else:
        assert isinstance(outcome, NotIdentified)


@given(sources_problems(6, conditions=2), seeds)
@settings(max_examples=100)
def test_fixed_values_are_put_in(problem: Problem, seed: int) -> None:
    """P(Y=1 | do(X=0)) is an entry of the table, for every step and the last one."""
    graph, query, known = problem
    kernel = kernel_of(query)
    names = (*query.outcomes, *query.treatments, *query.given)
    values = {node: str((seed >> place) % 2) for place, node in enumerate(names)}

    def fixed(part: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(replace(term, value=values[term.variable]) for term in part)

    asked = Kernel(fixed(kernel.outcomes), fixed(kernel.given), fixed(kernel.do))
    sources = library_sources(known)
    outcome = identify(asked, diagram_of(graph), None, sources)
    assert isinstance(outcome, Identified) is follows(graph, query, known)
    if isinstance(outcome, Identified):
        assert replay(outcome.derivation, asked, diagram_of(graph), outcome.formula, sources) == ()
        assert step_faults(outcome.derivation, domains_of(graph, known, np.random.default_rng(seed), 1)) == ()


# ---------------------------------------------------------------------------------------------------------------------
# What must not change a verdict


@given(sources_problems(7), seeds)
@settings(max_examples=150)
def test_another_source_never_takes_an_answer_away(problem: Problem, seed: int) -> None:
    graph, query, known = problem
    generator = np.random.default_rng(seed)
    more = [
        replace(one, name=None if one.name is None else f"more {one.name}")
        for one in random_known(generator, graph, query, KINDS[seed % 3])
    ]
    fresh = [one for one in more if (one.name, set(one.do)) not in [(old.name, set(old.do)) for old in known]]
    every = [*known, *fresh]
    mixed = tuple(every[int(place)] for place in generator.permutation(len(every)))
    before, after = answer(problem), answer((graph, query, mixed))
    assert isinstance(after, Identified) or not isinstance(before, Identified)
    assert all_faults((graph, query, mixed), after, generator, 1) == ()


@given(sources_problems(7), seeds)
@settings(max_examples=100)
def test_the_order_of_the_sources_does_not_matter(problem: Problem, seed: int) -> None:
    graph, query, known = problem
    generator = np.random.default_rng(seed)
    other = (graph, query, tuple(known[int(place)] for place in generator.permutation(len(known))))
    second = answer(other)
    assert type(answer(problem)) is type(second)
    assert all_faults(other, second, generator, 1) == ()


@given(sources_problems(7), seeds)
@settings(max_examples=100)
def test_names_do_not_matter(problem: Problem, seed: int) -> None:
    graph, query, known = problem
    generator = np.random.default_rng(seed)
    names = {
        node: f"N{place}" for node, place in zip(graph.nodes, generator.permutation(len(graph.nodes)), strict=True)
    }

    def renamed(part: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names[node] for node in part)

    asked = Query(renamed(query.outcomes), renamed(query.treatments), renamed(query.given))
    elsewhere = {None: None} | {one.name: f"z{9 - place}" for place, one in enumerate(known) if one.name is not None}
    others = tuple(Known(elsewhere[one.name], renamed(one.do), renamed(one.differs)) for one in known)
    other = (graph.renamed(names).shuffled(generator), asked, others)
    second = answer(other)
    assert type(answer(problem)) is type(second)
    assert all_faults(other, second, generator, 1) == ()


@given(sources_problems(5), seeds)
@settings(max_examples=100)
def test_superfluous_variables_do_not_matter(problem: Problem, seed: int) -> None:
    """A descendant of everything, whose mechanism differs everywhere, and a variable apart: seen, set or neither."""
    graph, query, known = problem
    generator = np.random.default_rng(seed)
    arcs = tuple(("Sink", node) for node in graph.nodes if generator.random() < 0.4)
    larger = Graph(
        ("Lone", *graph.nodes, "Sink"),
        (*graph.directed, *((node, "Sink") for node in graph.nodes)),
        (*graph.bidirected, *arcs),
    )
    spare = {one.name: ("Sink",) if one.name is not None and generator.random() < 0.5 else () for one in known}
    set_too = {one.name: ("Lone",) if generator.random() < 0.5 else () for one in known}
    others = tuple(Known(one.name, one.do + set_too[one.name], one.differs + spare[one.name]) for one in known)
    other = (larger, query, others)
    second = answer(other)
    assert type(answer(problem)) is type(second)
    assert all_faults(other, second, generator, 1) == ()


@given(sources_problems(6))
@settings(max_examples=40)
def test_the_same_question_gets_the_same_answer_twice(problem: Problem) -> None:
    assert answer(problem) == answer(problem)


# ---------------------------------------------------------------------------------------------------------------------
# Forged proofs


def resourced(formula: Formula, change: Callable[[Kernel], Kernel]) -> Formula:
    """The formula with every kernel changed."""
    return rebuild(formula, lambda node: change(node) if isinstance(node, Kernel) else node)


def other_sources(formula: Formula, names: tuple[str | None, ...]) -> Iterator[Formula]:
    """One kernel of the formula read off another source, or without its experiment, or with another."""
    for kernel in dict.fromkeys(kernels(formula)):
        changed = [replace(kernel, source=name) for name in names if name != kernel.source]
        changed += [replace(kernel, do=kernel.do[1:], given=kernel.given + kernel.do[:1])] if kernel.do else []
        changed += [replace(kernel, given=kernel.given[1:], do=kernel.do + kernel.given[:1])] if kernel.given else []
        for new in changed:
            yield resourced(formula, lambda node, old=kernel, new=new: new if node == old else node)


def other_conditions(condition: SideCondition, graph: Graph, names: tuple[str | None, ...]) -> Iterator[SideCondition]:
    """The condition said of another source."""
    match condition:
        case Invariant(source=source):
            yield from (replace(condition, source=str(name)) for name in names if name != source)
        case Teeth(source=source, do=do):
            yield from (replace(condition, source=name) for name in names if name != source)
            yield from (replace(condition, do=tuple(x for x in do if x != name)) for name in do)
            yield from (replace(condition, do=(*do, name)) for name in graph.nodes if name not in do)
        case _:
            pass


def forged(derivation: Derivation, graph: Graph, names: tuple[str | None, ...]) -> Iterator[tuple[str, Derivation]]:
    """The derivation with one mention of a source changed, on either side or in a side condition."""
    for number, step in enumerate(derivation.steps):
        for side in ("before", "after"):
            formula = step.before if side == "before" else step.after
            for other in other_sources(formula, names):
                if not equal(other, formula):
                    yield f"step {number} {side}", with_step(derivation, number, replace(step, **{side: other}))
        for place, condition in enumerate(step.because):
            for new in other_conditions(condition, graph, names):
                conditions = (*step.because[:place], new, *step.because[place + 1 :])
                yield f"step {number}: {new}", with_step(derivation, number, replace(step, because=conditions))


TRANSPORTED: Problem = (
    Graph(("Z", "X", "M", "Y"), (("Z", "X"), ("Z", "Y"), ("X", "M"), ("M", "Y")), (("X", "M"), ("X", "Y"))),
    Query(("Y",), ("X",)),
    (Known(None), Known("a", ("X",), ("Z", "Y")), Known("b", ("M",), ("Z", "X"))),
)


def test_no_forged_transport_is_accepted() -> None:
    graph, query, known = TRANSPORTED
    outcome, sources = answer(TRANSPORTED), library_sources(known)
    assert isinstance(outcome, Identified)
    assert {kernel.source for kernel in kernels(outcome.formula)} >= {"a", "b"}
    changes = [*forged(outcome.derivation, graph, (None, "a", "b")), *tampered(outcome.derivation, graph)]
    assert len(changes) > 100
    kernel, diagram = kernel_of(query), diagram_of(graph)
    accepted = [how for how, other in changes if replay(other, kernel, diagram, outcome.formula, sources) == ()]
    assert accepted == []


def identified(problem: Problem) -> Identified:
    """The answer to a problem that has one by several sources; other problems are left out."""
    outcome = answer(problem)
    if not isinstance(outcome, Identified) or not any(
        kernel.source or kernel.do for kernel in kernels(outcome.formula)
    ):
        reject()
    return outcome


def accepted_and_false(derivation: Derivation, problem: Problem, worlds: tuple[Domains, ...]) -> bool:
    """Whether replay takes the derivation for a proof of its last line although that is not what the query is."""
    graph, query, known = problem
    formula = derivation.steps[-1].after if derivation.steps else kernel_of(query)
    if replay(derivation, kernel_of(query), diagram_of(graph), formula, library_sources(known)):
        return False
    return bool(formula_faults(formula, query, known, worlds) or step_faults(derivation, worlds))


@given(sources_problems(5), seeds)
@settings(max_examples=40)
def test_no_forged_derivation_is_accepted(problem: Problem, seed: int) -> None:
    """Neither as a proof of the formula that was given nor, where it is false, of its own last line."""
    graph, query, known = problem
    generator = np.random.default_rng(seed)
    outcome, sources = identified(problem), library_sources(known)
    changes = list(forged(outcome.derivation, graph, tuple(dict.fromkeys(one.name for one in known))))
    changes += list(tampered(outcome.derivation, graph))
    chosen = [changes[int(place)] for place in generator.choice(len(changes), min(30, len(changes)), replace=False)]
    kernel, diagram = kernel_of(query), diagram_of(graph)
    worlds = domains_of(graph, known, generator, 1)
    for how, other in chosen:
        assert replay(other, kernel, diagram, outcome.formula, sources) != (), how
        assert not accepted_and_false(other, problem, worlds), how


@given(sources_problems(6), seeds)
@settings(max_examples=60)
def test_a_dropped_step_leaves_no_false_proof(problem: Problem, seed: int) -> None:
    graph, _, known = problem
    outcome = identified(problem)
    worlds = domains_of(graph, known, np.random.default_rng(seed), 1)
    for number in range(len(outcome.derivation.steps)):
        assert not accepted_and_false(with_step(outcome.derivation, number, None), problem, worlds)


@given(sources_problems(6), seeds)
@settings(max_examples=150)
def test_a_proof_from_other_sources_is_accepted_only_where_it_is_true(problem: Problem, seed: int) -> None:
    """One more mechanism differs, one more or one less variable is set, one source is gone, or an edge is changed."""
    graph, query, known = problem
    generator = np.random.default_rng(seed)
    outcome = identified(problem)
    for other in changed_known(known, graph, generator):
        changed = (graph, query, other)
        assert not accepted_and_false(outcome.derivation, changed, domains_of(graph, other, generator, 1)), other
    spoilt = with_another_edge(graph, generator)
    changed = (spoilt, query, known)
    assert not accepted_and_false(outcome.derivation, changed, domains_of(spoilt, known, generator, 1))


def changed_known(
    known: tuple[Known, ...], graph: Graph, generator: np.random.Generator
) -> Iterator[tuple[Known, ...]]:
    """The distributions with one changed; a domain differs in the same mechanisms in all of them."""
    node = graph.nodes[int(generator.integers(len(graph.nodes)))]
    for place, one in enumerate(known):
        rest = known[:place] + known[place + 1 :]
        yield rest
        if one.name is not None:
            yield tuple(
                replace(other, differs=tuple({*other.differs, node})) if other.name == one.name else other
                for other in known
            )
        do = tuple(name for name in one.do if name != node) if node in one.do else (*one.do, node)
        if (one.name, set(do)) not in [(other.name, set(other.do)) for other in rest] and len(do) < len(graph.nodes):
            yield (*rest, replace(one, do=do))


def test_what_no_source_gives_is_not_the_end_of_a_proof() -> None:
    graph, query, known = TRANSPORTED
    outcome = answer(TRANSPORTED)
    assert isinstance(outcome, Identified)
    for place in range(len(known)):
        fewer = library_sources(known[:place] + known[place + 1 :])
        assert replay(outcome.derivation, kernel_of(query), diagram_of(graph), None, fewer) != ()


# ---------------------------------------------------------------------------------------------------------------------
# Forged witnesses


def test_a_false_no_is_not_certified() -> None:
    """Z says nothing of Y, and what differs in Z elsewhere is no obstacle to the effect of X."""
    graph = Graph(("X", "Y", "Z"), (("X", "Y"),))
    query, known = Query(("Y",), ("X",)), (Known("away", (), ("Z",)),)
    outcome = answer((graph, query, known))
    assert isinstance(outcome, Identified)
    (source,) = library_sources(known)
    made_up = Thicket(("Z",), (Obstacle(source, None, "the mechanism of Z differs there"),), ("X",), ("Y",))
    cut = Derivation(outcome.derivation.steps[:1])
    assert cut.steps[0].rule.name == "cut"
    with pytest.raises(CertificationError):
        certify(NotIdentified(made_up, cut), kernel_of(query), diagram_of(graph), 3, (source,))


def test_a_wrong_thicket_is_not_certified() -> None:
    """Two experiments that each set one of two confounded causes do not give the effect of both."""
    graph = Graph(("A", "B", "Y"), (("A", "Y"), ("B", "Y")), (("A", "Y"), ("B", "Y")))
    query, known = Query(("Y",), ("A", "B")), (Known(None, ("A",)), Known(None, ("B",)))
    outcome = answer((graph, query, known))
    assert isinstance(outcome, NotIdentified)
    witness = outcome.witness
    assert isinstance(witness, Thicket)
    kernel, diagram, sources = kernel_of(query), diagram_of(graph), library_sources(known)
    assert certify(outcome, kernel, diagram, 3, sources) == outcome
    first, second = witness.obstacles
    assert isinstance(first.hedge, Hedge)
    changes = {
        "an obstacle left out": replace(witness, obstacles=(first,)),
        "the hedge of the other": replace(witness, obstacles=(replace(first, hedge=second.hedge), second)),
        "a reason instead of a hedge": replace(witness, obstacles=(replace(first, hedge=None, reason="so"), second)),
        "another component": replace(witness, component=("A",)),
        "a smaller hedge": replace(
            witness, obstacles=(replace(first, hedge=replace(first.hedge, larger=("Y",))), second)
        ),
    }
    for how, other in changes.items():
        with pytest.raises(CertificationError):
            pytest.fail(f"certified: {how}: {certify(replace(outcome, witness=other), kernel, diagram, 3, sources)}")


@given(sources_problems(6), seeds)
@settings(max_examples=100)
def test_witnesses_that_are_changed_and_wrong_are_not_certified(problem: Problem, seed: int) -> None:
    graph, query, known = problem
    outcome = answer(problem)
    if not isinstance(outcome, NotIdentified) or not isinstance(outcome.witness, Thicket):
        reject()
    worlds = domains_of(graph, known, np.random.default_rng(seed), 1)
    for witness in changed_thickets(outcome.witness, graph):
        other = replace(outcome, witness=witness)
        if source_faults(other, graph, query, known, worlds):
            with pytest.raises(CertificationError):
                certify(other, kernel_of(query), diagram_of(graph), 1, library_sources(known))


def changed_thickets(witness: Thicket, graph: Graph) -> Iterator[Thicket]:
    """The thicket with an obstacle gone, or taken from another source, or without its hedge, or with another set."""
    for place, part in enumerate(witness.obstacles):
        rest = witness.obstacles[:place] + witness.obstacles[place + 1 :]
        yield replace(witness, obstacles=rest)
        yield replace(witness, obstacles=(*rest, replace(part, hedge=None, reason="no reason")))
        for other in rest:
            yield replace(witness, obstacles=(*rest, replace(part, hedge=other.hedge)))
        if part.hedge is not None:
            for name in graph.nodes:
                larger = tuple(set(part.hedge.larger) ^ {name})
                yield replace(witness, obstacles=(*rest, replace(part, hedge=replace(part.hedge, larger=larger))))
    for name in graph.nodes:
        yield replace(witness, component=tuple(set(witness.component) ^ {name}))
