"""Every network of the public repository: read, all marginals, single posteriors and interventions, as pyAgrum and
pgmpy have them, to 1e-10.  Skipped without pgmpy, whose wheel ships the networks.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from oracles.networks import (
    Tables,
    pgmpy_network,
    pgmpy_posterior,
    pyagrum_marginals,
    pyagrum_network,
    repository,
    tables_of,
)

from suture import Engine, Model
from suture.dsl.diagnostics import SutureError
from suture.semantics.budget import Budget
from suture.semantics.compute import compute
from suture.semantics.networks.marginals import all_marginals
from suture.semantics.networks.posterior import posterior
from suture.semantics.stochastic import FiniteModel

NETWORKS = repository() or {"none": Path("none")}
# Lazy propagation of these takes minutes or more memory than a laptop has; pgmpy's plans explode on the large ones.
HEAVY = {"link", "munin1"}
SMALL = {
    "alarm", "asia", "cancer", "child", "earthquake", "hailfinder", "hepar2", "insurance", "sachs", "survey",
    "win95pts",
}  # fmt: skip
CLOSE = 1e-10

pytestmark = pytest.mark.skipif(not repository(), reason="pgmpy, which ships the networks, is not installed")


LONG = {"diabetes", "link", "munin", "munin1", "munin2", "munin3", "munin4", "pigs"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in sorted(NETWORKS)],
)
def network(request: pytest.FixtureRequest) -> tuple[str, FiniteModel, Tables]:
    return request.param, *tables_of(NETWORKS[request.param])


def evidence(tables: Tables, seed: int, count: int) -> dict[str, str]:
    """Some values of a case that the network can produce."""
    generator = np.random.default_rng(seed)
    case = tables.sample(generator)
    return {str(name): case[name] for name in generator.choice(sorted(case), min(count, len(case) // 2), replace=False)}


def a_cause(tables: Tables, seed: int) -> dict[str, str]:
    """A variable with parents and children, at one of its values."""
    generator = np.random.default_rng(seed)
    causes = {parent for parents in tables.parents.values() for parent in parents}
    inner = sorted(name for name in causes if tables.parents[name]) or sorted(causes)
    name = str(generator.choice(inner))
    return {name: str(generator.choice(tables.labels[name]))}


def numbers_of(text: str) -> list[float]:
    return sorted(float(piece) for piece in text.replace(",", " ").split())


def test_every_number_of_the_file_is_there(network: tuple[str, FiniteModel, Tables]) -> None:
    """Against a reading of the text by nothing but its semicolons: each row's numbers, up to rounding."""
    name, finite, _ = network
    text = gzip.decompress(NETWORKS[name].read_bytes()).decode()
    rows = [part.rpartition(")")[2].rpartition("table")[2] for block in text.split("probability (")[1:]
            for part in block[block.index("{") + 1 :].split(";")[:-1]]  # fmt: skip
    theirs = sorted(number for row in rows for number in numbers_of(row))
    ours = sorted(float(number) for array in finite.arrays.values() for number in array.ravel())
    assert ours == pytest.approx(theirs, abs=1e-2)
    assert np.mean(np.abs(np.array(ours) - theirs)) < 1e-5
    for name, array in finite.arrays.items():
        assert array.sum(axis=-1) == pytest.approx(1.0, abs=1e-12), name


def test_all_marginals_with_evidence(network: tuple[str, FiniteModel, Tables]) -> None:
    pytest.importorskip("pyagrum")
    name, finite, tables = network
    if name in HEAVY:
        pytest.skip("pyAgrum needs minutes or more memory than there is")
    given = evidence(tables, 1, 4)
    theirs = pyagrum_marginals(pyagrum_network(tables), given, list(tables.parents))
    ours = all_marginals(finite, given)
    assert ours.keys() == theirs.keys()
    assert max(float(np.abs(ours[each].values - theirs[each]).max()) for each in theirs) < CLOSE


def test_all_marginals_after_an_intervention(network: tuple[str, FiniteModel, Tables]) -> None:
    pytest.importorskip("pyagrum")
    name, finite, tables = network
    if name in HEAVY:
        pytest.skip("pyAgrum needs minutes or more memory than there is")
    do = a_cause(tables, 2)
    cut = tables.after(do)
    given = {each: value for each, value in evidence(cut, 3, 2).items() if each not in do}
    theirs = pyagrum_marginals(pyagrum_network(cut), given, list(tables.parents))
    ours = all_marginals(finite, given, do)
    assert max(float(np.abs(ours[each].values - theirs[each]).max()) for each in theirs) < CLOSE


def test_single_posteriors_agree_with_all_of_them(network: tuple[str, FiniteModel, Tables]) -> None:
    """Two ways through the library: one question at a time, and one pass back over the whole network."""
    _, finite, tables = network
    given, do = evidence(tables, 4, 3), a_cause(tables, 5)
    given = {each: value for each, value in evidence(tables.after(do), 4, 3).items() if each not in do}
    together = all_marginals(finite, given, do)
    for name in list(tables.parents)[:: max(1, len(tables.parents) // 5)]:
        alone = posterior(finite, [name], given, do).values
        assert alone == pytest.approx(together[name].values, abs=CLOSE)
    name = list(tables.parents)[-1]
    many = Engine(finite, path="numpy").marginals(given, do, variables=[name])
    assert np.asarray(many[name].values) == pytest.approx(together[name].values, abs=CLOSE)


def test_posteriors_and_interventions_of_pgmpy(network: tuple[str, FiniteModel, Tables]) -> None:
    name, finite, tables = network
    if name not in SMALL:
        pytest.skip("pgmpy's order of elimination is too costly here")
    given, do = evidence(tables, 6, 3), a_cause(tables, 7)
    target = next(each for each in tables.parents if each not in given and each not in do)
    theirs = pgmpy_posterior(pgmpy_network(tables), given, target, tables.labels[target])
    assert posterior(finite, [target], given).values == pytest.approx(theirs, abs=CLOSE)
    theirs = pgmpy_posterior(pgmpy_network(tables.after(do)), {}, target, tables.labels[target])
    assert posterior(finite, [target], do=do).values == pytest.approx(theirs, abs=CLOSE)


def test_a_question_in_words(network: tuple[str, FiniteModel, Tables]) -> None:
    """The language gives the number that the arrays give, or refuses with an estimate."""
    name, finite, tables = network
    model = Model.from_file(NETWORKS[name])
    ((cause, value),) = a_cause(tables, 8).items()
    effect = next(each for each, parents in tables.parents.items() if cause in parents)
    quoted = f'"{value}"'
    query = model._query(f"P({effect} | do({cause} = {quoted}))")
    found = compute(query, model._resolved).values.astype(float)
    assert found == pytest.approx(posterior(finite, [effect], do={cause: value}).values, abs=CLOSE)


def test_a_small_budget_is_kept_with_an_estimate() -> None:
    finite, _ = tables_of(NETWORKS["munin1"])
    with pytest.raises(SutureError, match="S603") as caught:
        all_marginals(finite, budget=Budget(bytes=1 << 20))
    assert "of memory and" in caught.value.render()
