"""Covariates judged by enumeration: adjustment sets, optimal sets, front-door sets, instruments; and their speed.

For each of some hundred random effects in graphs with latent variables, every subset of the variables is judged by the
published definition on enumerated paths, and the library's sets are compared: all minimal ones, the minimum, the
verdict on every single subset.  On random latent models every valid set has to give the effect and every invalid one
has to fail; the same for every pair of a set and a part of it known for everyone, in random selected samples.  Optimal
sets are compared with the estimation variance of all valid sets in random linear models.  Prints counts and CPU
milliseconds; exits with 1 where anything is wrong.

    python benchmarks/adjustment.py [--questions 500] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.covariates import best_in_linear_models, minimal, subsets
from oracles.formulas import largest_error
from oracles.graphs import Query, random_graph
from oracles.models import random_model
from strategies import diagram_of
from strategies_effects import (
    causal_graph,
    mediated_question,
    random_joint_question,
    random_optimality_question,
    random_question,
    random_selection_question,
)

from suture.dsl.formula import Kernel, Term, probability, terms
from suture.identify.covariates.adjustment import adjustment_sets, invalidity, minimal_sets
from suture.identify.covariates.effect import effect_of
from suture.identify.covariates.front_door import front_door, front_door_faults, front_door_formula, front_door_sets
from suture.identify.covariates.instruments import instrument_faults, instruments
from suture.identify.covariates.optimal_adjustment import optimal
from suture.identify.covariates.selected_adjustment import selected_adjustment, selected_task
from suture.identify.covariates.selected_steps import Samples, selected_formula
from suture.identify.graph import CausalGraph
from suture.identify.simplify import adjustment_formula

SIZES = (10, 50, 200, 1_000)
TOLERANCE = 1e-9
Judge = Callable[[np.random.Generator], Iterator[tuple[str, bool]]]


def judge_adjustment(generator: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """One effect: what was compared, and whether it is right."""
    question = random_question(generator)
    graph, valid = causal_graph(question), question.adjustment_sets()
    answer = adjustment_sets(graph, question.treatments, question.outcomes)
    yield "verdict", (answer.sets is not None) is bool(valid)
    yield "minimal sets", {frozenset(one) for one in answer.sets or ()} == minimal(valid)
    if answer.minimum is not None:
        smallest = min(map(len, valid), default=-1)
        yield "minimum", frozenset(answer.minimum) in valid and len(answer.minimum) == smallest
    query = Query(question.outcomes, question.treatments)
    kernel = probability(query.outcomes, (), query.treatments)
    models = [random_model(question.parents, question.latent, generator) for _ in range(3)]
    for chosen in subsets(question.free):
        reasons = invalidity(graph, question.treatments, question.outcomes, chosen)
        yield "verdict on a set", (not reasons) is (chosen in valid)
        formula = adjustment_formula(graph, kernel, graph.mask(chosen))
        worst = max(largest_error(formula, model, query) for model in models)
        yield (
            "number of a valid set" if chosen in valid else "number of an invalid set",
            (worst < TOLERANCE if chosen in valid else worst > TOLERANCE),
        )


def judge_selection(generator: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """One effect in a selected sample, some covariates known for everyone: every pair of a set and a part of it."""
    question = random_selection_question(generator)
    effect, admissible = question.effect, question.admissible_pairs()
    task = selected_task(
        causal_graph(effect), effect.treatments, effect.outcomes, question.selected, [sorted(question.outside)]
    )
    graph, sets = task.effect.graph, {chosen for chosen, _ in admissible}
    answer = selected_adjustment(task)
    yield "verdict", (answer.sets is not None) is bool(sets) and bool(answer.reason) is not bool(sets)
    yield "minimal sets", {frozenset(pair.covariates) for pair in answer.sets or ()} == minimal(sets)
    for pair in answer.sets or ():
        yield "law from outside", (frozenset(pair.covariates), frozenset(pair.outside)) in admissible
    if answer.minimum is not None:
        yield "minimum", len(answer.minimum.covariates) == min(map(len, sets))
    models = [random_model(effect.parents, effect.latent, generator) for _ in range(3)]
    for chosen, part in question.pairs():
        right = (chosen, part) in admissible
        yield "verdict on a pair", task.admissible(graph.mask(chosen), graph.mask(part)) is right
        worst = max(question.error(model, chosen, part) for model in models)
        yield (
            "number of an admissible pair" if right else "number of another pair",
            worst < TOLERANCE if right else worst > TOLERANCE,
        )
    query = Query(effect.outcomes, effect.treatments)
    kernel = probability(query.outcomes, (), query.treatments)
    if answer.minimum is not None:
        sample = Kernel(terms(query.outcomes), tuple(Term(name, "1") for name in question.selected))
        formula = selected_formula(kernel, Samples(sample, (Kernel(()),)), answer.minimum)
        yield "number of the formula", largest_error(formula, models[0], query) < TOLERANCE


def judge_optimal(generator: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """One effect with several valid sets: is the optimal one best in every linear model, or none where none is?"""
    question, include = random_optimality_question(generator)
    graph, valid = causal_graph(question), {one for one in question.adjustment_sets() if include <= one}
    best = optimal(effect_of(graph, question.treatments, question.outcomes), graph.mask(include))
    left = best_in_linear_models(question, valid, generator, 100 if best.members is not None else 600)
    if best.members is not None:
        yield "optimal set", frozenset(graph.members(best.members)) in left
    else:
        yield "no optimal set", not left


def judge_joint(generator: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """One joint effect with several valid sets: is the optimal one best for every coefficient, or none where none?"""
    question = random_joint_question(generator)
    graph, valid = causal_graph(question), question.adjustment_sets()
    best = optimal(effect_of(graph, question.treatments, question.outcomes))
    left = best_in_linear_models(question, valid, generator, 60 if best.members is not None else 400)
    if best.members is not None:
        yield "optimal set of several", frozenset(graph.members(best.members)) in left
    else:
        yield "no optimal set of several", not left


def judge_front_door(generator: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """One effect with mediators."""
    question = mediated_question(generator)
    graph, valid = causal_graph(question), question.front_door_sets()
    listed = list(front_door_sets(graph, question.treatments, question.outcomes))
    yield "front-door sets", {frozenset(one) for one in listed} == valid and len(listed) == len(valid)
    answer = front_door(graph, question.treatments, question.outcomes)
    yield (
        "minimal front-door set",
        (frozenset(answer.minimal) in minimal(valid) if answer.minimal is not None else not valid),
    )
    query = Query(question.outcomes, question.treatments)
    kernel = probability(query.outcomes, (), query.treatments)
    model = random_model(question.parents, question.latent, generator)
    for chosen in subsets(question.free):
        faults = front_door_faults(graph, question.treatments, question.outcomes, chosen)
        yield "verdict on mediators", (not faults) is (chosen in valid)
        if chosen in valid:
            formula = front_door_formula(graph, kernel, graph.mask(chosen))
            yield "number of a front-door set", largest_error(formula, model, query) < TOLERANCE


def judge_instruments(generator: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """One effect and every pair of a variable and what it is conditional on."""
    question = random_question(generator, single=True)
    graph, valid = causal_graph(question), question.instruments()
    (treatment,), (outcome,) = question.treatments, question.outcomes
    found = instruments(graph, treatment, outcome)
    yield "instruments", all((one.variable, frozenset(one.given)) in valid for one in found)
    yield "some instrument", bool(found) is bool(valid)
    yield (
        "plain instruments",
        {o.variable for o in found if not o.given} == {name for name, given in valid if not given},
    )
    for name in question.free:
        for given in subsets([other for other in question.free if other != name]):
            faults = instrument_faults(graph, treatment, outcome, name, given)
            yield "verdict on an instrument", (not faults) is ((name, given) in valid)


def judged(judge: Judge, questions: int, seed: int) -> int:
    """Print how often each comparison was made and how often it failed; the number of failures."""
    made, failed = Counter[str](), Counter[str]()
    for number in range(questions):
        for what, right in judge(np.random.default_rng([seed, number])):
            made[what] += 1
            failed[what] += not right
    for what, count in made.items():
        print(f"  {what:28} {count:7} compared, {failed[what]} wrong")
    return sum(failed.values())


def speed(seed: int) -> None:
    """CPU milliseconds of each question in sparse random graphs, median and largest."""
    print("CPU ms (median, largest)".ljust(30) + "".join(f"{f'n = {size}':>18}" for size in SIZES))
    rows: dict[str, list[str]] = {}
    for size in SIZES:
        times: dict[str, list[float]] = {}
        for number in range(20 if size < 1_000 else 5):
            generator = np.random.default_rng([seed, size, number])
            graph = CausalGraph.of(diagram_of(random_graph(generator, size, 3 / size, 0.6 / size)))
            for what, work in jobs(graph, graph.names[size // 3], graph.names[-2]):
                start = time.process_time()
                work()
                times.setdefault(what, []).append(1e3 * (time.process_time() - start))
        for what, spent in times.items():
            rows.setdefault(what, []).append(f"{median(spent):9.2f} {max(spent):8.1f}")
    for what, cells in rows.items():
        print(f"  {what:28}" + "".join(cells))


def jobs(graph: CausalGraph, treatment: str, outcome: str) -> list[tuple[str, Callable[[], object]]]:
    """The questions whose time is taken."""
    return [
        ("one minimal set", lambda: next(minimal_sets(graph, [treatment], [outcome]), None)),
        ("100 sets, minimum, optimal", lambda: adjustment_sets(graph, [treatment], [outcome], limit=100)),
        ("selected, all known outside", lambda: selected(graph, treatment, outcome)),
        ("front door", lambda: front_door(graph, [treatment], [outcome])),
        ("instruments", lambda: instruments(graph, treatment, outcome)),
    ]


def selected(graph: CausalGraph, treatment: str, outcome: str) -> object:
    """The search for sets in a sample selected by the last variable, where every law is known for everyone."""
    task = selected_task(graph, [treatment], [outcome], [graph.names[-1]], [graph.names])
    return selected_adjustment(task, limit=100)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wrong = 0
    for title, judge in (
        ("adjustment", judge_adjustment),
        ("adjustment in selected samples", judge_selection),
        ("optimal sets", judge_optimal),
        ("optimal sets of joint effects", judge_joint),
        ("front door", judge_front_door),
        ("instruments", judge_instruments),
    ):
        print(f"{title}: {arguments.questions} random effects")
        wrong += judged(judge, arguments.questions, arguments.seed)
    speed(arguments.seed)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
