"""Exact inference beside pgmpy and pyAgrum, counting beside pandas, polars and DuckDB: the same work in the same run.

    benchmarks/semantics.py [TASK ..]        tasks: posterior, evidence, parameters, marginals, counting, memory

Times are CPU seconds (of all threads), medians of runs in which the tools take turns, so that a busy machine is busy
for all of them.  Networks are those of the public repository, from pgmpy's wheel; peers get our arrays, not files, so
that everyone works on the same numbers, and every answer is compared before it is timed.  Ratios are the best peer's
time over ours; beside each stands the goal.  A peer that is not installed is left out and named.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
from oracles.networks import (
    Tables,
    pgmpy_network,
    pyagrum_marginals,
    pyagrum_network,
    repository,
    tables_of,
)

from suture import Batch, Engine
from suture.semantics.data.tables import Columns
from suture.semantics.networks.marginals import all_marginals
from suture.semantics.networks.plan import make_plan
from suture.semantics.networks.posterior import Question, arrangement, posterior
from suture.semantics.stochastic import FiniteModel

Tools: TypeAlias = Mapping[str, Callable[[], Any]]
OURS = "suture"
RUNS = 7
PEERS = {name: find_spec(name) is not None for name in ("pgmpy", "pyagrum", "pandas", "polars", "duckdb")}


@dataclass(frozen=True)
class Result:
    """One line of the table: median seconds by tool, and how many times the best peer's time ours should fit in."""

    task: str
    seconds: Mapping[str, float]
    goal: float
    per: int = 1

    @property
    def ratio(self) -> float | None:
        """The best peer's time over ours."""
        peers = [seconds for tool, seconds in self.seconds.items() if not tool.startswith(OURS)]
        return min(peers) / self.seconds[OURS] if peers else None

    def __str__(self) -> str:
        shown = "  ".join(f"{tool} {amount(seconds / self.per)}" for tool, seconds in self.seconds.items())
        ratio = "-" if self.ratio is None else f"{self.ratio:.3g}x"
        met = "" if self.ratio is None else "" if self.ratio >= self.goal else "  MISSED"
        return f"{self.task:<44} {ratio:>8}  goal {self.goal:g}x{met}\n    {shown}"


def amount(seconds: float) -> str:
    """A time in a readable unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 0.1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def timed(tools: Tools, runs: int = RUNS, least: float = 0.02) -> dict[str, float]:
    """Median CPU seconds of each tool; in every run each takes its turn, short calls many times over."""
    found: dict[str, list[float]] = {tool: [] for tool in tools}
    times: dict[str, int] = {}
    for tool, call in tools.items():
        call()
        started = time.process_time()
        call()
        times[tool] = max(1, min(200, int(least / max(time.process_time() - started, 1e-6))))
    for _ in range(runs):
        for tool, call in tools.items():
            gc.collect()
            started = time.process_time()
            for _ in range(times[tool]):
                call()
            found[tool].append((time.process_time() - started) / times[tool])
    return {tool: median(seconds) for tool, seconds in found.items()}


def same(ours: Any, theirs: Any, what: str) -> None:
    """Refuse to time different answers."""
    worst = float(np.abs(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)).max())
    if not worst < 1e-10:
        raise SystemExit(f"{what}: answers differ by {worst:.1e}")


def some_evidence(tables: Tables, count: int, seed: int, avoid: Sequence[str] = ()) -> dict[str, str]:
    """Values of `count` variables of a case drawn from the network."""
    generator = np.random.default_rng(seed)
    case = {name: value for name, value in tables.sample(generator).items() if name not in avoid}
    return {str(name): case[str(name)] for name in generator.choice(sorted(case), count, replace=False)}


# ---------------------------------------------------------------------------------------------------------------------
# One question


def posteriors() -> Iterator[Result]:
    """One posterior given two values: the same question again, and with nothing kept from before."""
    for name in ("asia", "alarm", "hailfinder", "hepar2", "andes", "pigs"):
        finite, tables = tables_of(repository()[name])
        target = tables.order[-1]
        given = some_evidence(tables, 2, 1, avoid=[target])
        tools: dict[str, Callable[[], Any]] = {
            OURS: lambda finite=finite, target=target, given=given: posterior(finite, [target], given).values,
            "suture at first": lambda finite=finite, target=target, given=given: _cold(finite, target, given),
        }
        if PEERS["pyagrum"]:
            network = pyagrum_network(tables)
            tools["pyAgrum"] = lambda network=network, target=target, given=given: _lazy(network, target, given)
        if PEERS["pgmpy"]:
            model = pgmpy_network(tables)
            tools["pgmpy"] = lambda model=model, target=target, given=given: _eliminate(model, target, given)
        if "pyAgrum" in tools:
            same(tools[OURS](), tools["pyAgrum"](), name)
        yield Result(f"one posterior, {name}", timed(tools), 1.0)


def _cold(finite: FiniteModel, target: str, given: Mapping[str, str]) -> Any:
    """Neither the arrangement nor the plan of an earlier question is there."""
    finite.kept.clear()
    make_plan.cache_clear()
    return posterior(finite, [target], given).values


def _lazy(network: Any, target: str, given: Mapping[str, str]) -> Any:
    pyagrum = import_module("pyagrum")
    engine = pyagrum.LazyPropagation(network)
    engine.setTargets({target})
    engine.setEvidence(dict(given))
    engine.makeInference()
    return engine.posterior(target).toarray()


def _eliminate(network: Any, target: str, given: Mapping[str, str]) -> Any:
    return (
        import_module("pgmpy.inference")
        .VariableElimination(network)
        .query([target], evidence=dict(given), show_progress=False)
        .values
    )


# ---------------------------------------------------------------------------------------------------------------------
# Many evidence sets, many parameter sets


def evidence_sets(count: int = 1000, share: int = 50) -> Iterator[Result]:
    """All marginals of alarm for 1,000 rows, each with its own eight variables known; peers do every twentieth."""
    finite, tables = tables_of(repository()["alarm"])
    rows = [some_evidence(tables, 8, seed) for seed in range(count)]
    columns = {name: [row.get(name) for row in rows] for name in tables.labels}
    one = {name: [row[name] for row in (tables.sample(np.random.default_rng(n)) for n in range(count))]
           for name in ("HRBP", "CVP", "PRESS")}  # fmt: skip
    engine = Engine(finite, path="jax")
    tools: dict[str, Callable[[], Any]] = {OURS: lambda: engine.marginals(columns)}
    if PEERS["pyagrum"]:
        network = pyagrum_network(tables)
        names = list(tables.labels)
        ours = engine.marginals(columns)
        theirs = pyagrum_marginals(network, rows[0], names)
        for name in names:
            same(np.asarray(ours[name].values)[0], theirs[name], f"alarm, {name}")
        tools["pyAgrum"] = lambda: [pyagrum_marginals(network, row, names) for row in rows[:share]]
    seconds = timed(tools, runs=5)
    if "pyAgrum" in seconds:
        seconds["pyAgrum"] *= count / share
    yield Result("alarm, 1,000 evidence sets, all 37, each", seconds, 400.0, per=count)
    tools = {OURS: lambda: engine.posterior("BP", one)}
    if PEERS["pyagrum"]:
        known = [dict(zip(one, values, strict=True)) for values in zip(*one.values(), strict=True)][:share]
        network = pyagrum_network(tables)
        tools["pyAgrum"] = lambda: [_lazy(network, "BP", row) for row in known]
    seconds = timed(tools, runs=5)
    if "pyAgrum" in seconds:
        seconds["pyAgrum"] *= count / share
    yield Result("alarm, 1,000 evidence sets, one target, each", seconds, 400.0, per=count)


def parameter_sets(count: int = 1000, share: int = 10) -> Iterator[Result]:
    """P(BP | do(VENTLUNG = each)) of alarm for 1,000 draws of every table; peers do every hundredth."""
    finite, tables = tables_of(repository()["alarm"])
    generator = np.random.default_rng(0)
    drawn = {
        name: array * 0.9 + 0.1 * generator.dirichlet(np.ones(array.shape[-1]), (count, *array.shape[:-1]))
        for name, array in tables.arrays.items()
    }
    batches = {name: Batch("draw", values) for name, values in drawn.items()}
    engine = Engine(finite, path="jax")
    tools: dict[str, Callable[[], Any]] = {
        OURS: lambda: engine.posterior("BP", do=["VENTLUNG"], parameters=batches).values
    }
    if PEERS["pyagrum"]:
        theirs = [_ventilated(tables, {name: values[n] for name, values in drawn.items()}) for n in range(share)]
        ours = np.asarray(tools[OURS]())
        same(np.moveaxis(ours, 1, -1)[:share], [list(map(_marginal, networks)) for networks in theirs], "do")
        tools["pyAgrum"] = lambda: [list(map(_marginal, networks)) for networks in theirs]
    seconds = timed(tools, runs=5)
    if "pyAgrum" in seconds:
        seconds["pyAgrum"] *= count / share
    yield Result("alarm, P(BP | do(VENTLUNG)), 1,000 parameters", seconds, 1500.0)


def _ventilated(tables: Tables, arrays: Mapping[str, Any]) -> list[Any]:
    """One network for each value of the intervention; making them is not timed."""
    changed = Tables(tables.labels, tables.parents, arrays)
    return [pyagrum_network(changed.after({"VENTLUNG": value})) for value in tables.labels["VENTLUNG"]]


def _marginal(network: Any) -> Any:
    return _lazy(network, "BP", {})


# ---------------------------------------------------------------------------------------------------------------------
# All marginals


def everything(compiled: Sequence[str] = ("alarm", "hailfinder", "andes", "pigs")) -> Iterator[Result]:
    """All marginals given four values: by one pass back in numpy, and compiled where that is meant to be used."""
    for name in ("alarm", "hailfinder", "andes", "pigs", "diabetes", "water", "munin", "link"):
        finite, tables = tables_of(repository()[name])
        given = some_evidence(tables, 4, 1)
        tools: dict[str, Callable[[], Any]] = {
            OURS: lambda finite=finite, given=given: all_marginals(finite, given),
            "suture at first": lambda finite=finite, given=given: _cold_marginals(finite, given),
        }
        prior: dict[str, Callable[[], Any]] = {}
        if PEERS["pyagrum"] and name != "link":
            network, names = pyagrum_network(tables), list(tables.labels)
            ours, theirs = all_marginals(finite, given), pyagrum_marginals(network, given, names)
            for each in names:
                same(ours[each].values, theirs[each], f"{name}, {each}")
            tools["pyAgrum"] = lambda network=network, given=given, names=names: pyagrum_marginals(
                network, given, names
            )
            prior = {
                OURS: lambda finite=finite: all_marginals(finite),
                "pyAgrum": lambda network=network, names=names: pyagrum_marginals(network, {}, names),
            }
        seconds = timed(tools, runs=3 if name in ("munin", "link", "diabetes") else RUNS)
        yield Result(f"all marginals, {name}", seconds, 1.0)
        if prior:
            yield Result(f"all marginals, {name}, no evidence", timed(prior, runs=3), 1.0)
        if name in compiled:
            engine = Engine(finite, path="jax")
            both = {OURS: lambda engine=engine, given=given: engine.marginals(given)}
            both |= {tool: call for tool, call in tools.items() if tool == "pyAgrum"}
            yield Result(f"all marginals, {name}, compiled", timed(both), 10.0)


def _cold_marginals(finite: FiniteModel, given: Mapping[str, str]) -> Any:
    finite.kept.clear()
    make_plan.cache_clear()
    return all_marginals(finite, given)


# ---------------------------------------------------------------------------------------------------------------------
# Counting


def counting(rows: int = 10_000_000) -> Iterator[Result]:
    """The joint counts of eight columns of three values, as bytes and as 64-bit integers; distinct values found too."""
    generator = np.random.default_rng(0)
    small = {f"c{n}": generator.integers(0, 3, rows).astype(np.uint8) for n in range(8)}
    for kind, columns in (("bytes", small), ("int64", {name: own.astype(np.int64) for name, own in small.items()})):
        names = list(columns)
        tools: dict[str, Callable[[], Any]] = {
            OURS: lambda columns=columns, names=names: Columns("data", columns).counts(names, None),
            "numpy": lambda columns=columns: _by_numpy(list(columns.values())),
        }
        same(tools[OURS]().ravel(), tools["numpy"](), "counts")
        if PEERS["pandas"]:
            import pandas

            frame = pandas.DataFrame(columns)
            tools["pandas"] = lambda frame=frame, names=names: frame.groupby(names, sort=False).size()
        if PEERS["polars"]:
            import polars

            other = polars.DataFrame(columns)
            tools["polars"] = lambda other=other, names=names: other.group_by(names).len()
        if PEERS["duckdb"] and PEERS["pandas"]:
            tools["DuckDB"] = _by_duckdb(columns)
        yield Result(f"count 10^7 rows x 8 columns, {kind}", timed(tools, runs=3), 0.5)


def _by_numpy(columns: Sequence[Any], chunk: int = 1 << 17) -> Any:
    """The least that there is to do when columns are known to hold 0, 1 and 2."""
    counts = np.zeros(3 ** len(columns), dtype=np.int64)
    for start in range(0, len(columns[0]), chunk):
        code = columns[0][start : start + chunk].astype(np.uint16)
        for column in columns[1:]:
            code *= np.uint16(3)
            code += column[start : start + chunk].astype(np.uint16, copy=False)
        counts += np.bincount(code, minlength=len(counts))
    return counts


def _by_duckdb(columns: Mapping[str, Any]) -> Callable[[], Any]:
    import duckdb
    import pandas

    frame = pandas.DataFrame(columns)
    connection = duckdb.connect()
    connection.register("frame", frame)
    connection.execute("CREATE TABLE data AS SELECT * FROM frame")
    names = ", ".join(columns)
    return lambda: connection.execute(f"SELECT {names}, count(*) FROM data GROUP BY ALL").fetchall()


# ---------------------------------------------------------------------------------------------------------------------
# Memory


def memory() -> Iterator[str]:
    """The peak of one contraction beside the plan's own estimate, where there is something to hold."""
    for name in ("mildew", "diabetes", "munin1", "link", "barley"):
        finite, tables = tables_of(repository()[name])
        given = some_evidence(tables, 1, 3)
        found = arrangement(finite, Question((), tuple(given), (), whole=True))
        known = [tables.labels[each].index(value) for each, value in given.items()]
        part = max(found.every, key=lambda part: part.plan.peak)
        gc.collect()
        tracemalloc.start()
        part.value(known, None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        yield (
            f"memory, {name}: peak {peak / 2**20:.1f} MiB, estimate {part.plan.bytes / 2**20:.1f} MiB, "
            f"{peak / part.plan.bytes:.2f} of it  goal at most 2{'' if peak <= 2 * part.plan.bytes else '  MISSED'}"
        )


TASKS: Mapping[str, Callable[[], Iterator[Result | str]]] = {
    "posterior": posteriors,
    "evidence": evidence_sets,
    "parameters": parameter_sets,
    "marginals": everything,
    "counting": counting,
    "memory": memory,
}


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where an answer is wrong, which ends the run."""
    absent = [name for name, there in PEERS.items() if not there]
    if absent:
        print(f"not installed, and left out: {', '.join(absent)}")
    for task in arguments or list(TASKS):
        if task != "counting" and not repository():
            print(f"{task}: pgmpy, which ships the networks, is not installed")
            continue
        for line in TASKS[task]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
