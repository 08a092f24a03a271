"""Other tools on the same random queries in one run: wrong verdicts, wrong formulas, crashes, time-outs, CPU times.

Compared are whichever of y0, pyAgrum, Ananke, DoWhy and pgmpy are installed beside suture; with none of them there is
nothing to do.  Verdicts are judged by the tests' reference recursion; up to eight variables formulas are translated
into ours and evaluated on random models by the tests' oracles.  What each tool is asked:

    suture, y0, pyAgrum  every query, for a formula
    Ananke               queries without conditions, for a verdict
    DoWhy                one outcome, no conditions: identify_effect; a back-door or front-door set is a yes, and so is
                         its finding that no directed path leads there (the effect is zero)
    DoWhy ID             graphs without hidden causes: identify_effect_id
    pgmpy                one treatment, one outcome: all back-door sets, where there is none all front-door sets
    pgmpy min            the same queries: get_minimal_adjustment_set

A "wrong yes" claims an effect that is not identifiable.  A "missed" says no of one that is: an error of a complete
tool, and in brackets for DoWhy and pgmpy, which know only adjustment and the front door.  "wrong formulas" are out of
the formulas evaluated.

Each tool answers in a process of its own, which the kernel ends where one query takes more CPU time than the limit,
native code included: a time-out, which counts with the limit as its time.  So does a call that waits without an end and
uses no CPU time.  A tool with too many time-outs in a table is asked no more there.  Building the tool's own graph is
not timed.  A quick answer is asked for three times, each time of a graph built anew, and the least time counts.

    pip install y0 pyagrum ananke-causal dowhy pgmpy "networkx<3.5" "scipy<1.14"   (in an environment of their own)
    python benchmarks/peers.py [--graphs 100] [--sizes 5 10 20 50 200] [--limit 2] [--patience 3] [--only pyAgrum]
"""

from __future__ import annotations

import argparse
import gc
import logging
import multiprocessing
import resource
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracles.answers import formula_faults, models_of
from oracles.graphs import Graph, Query, random_graph, random_query
from oracles.models import LatentModel
from oracles.verdict import conditionally_identifiable
from peer_tools import Peer, installed, suture_peer

# Beyond this many variables a joint distribution is too large for a random model of every query.
EVALUATED = 8
# Answers that take less than so many seconds are timed three times.
QUICK = 0.1
# A tool that is silent for so many seconds of real time hangs: DoWhy ID waits for ever for a full queue of its own.
SILENCE = 15


@dataclass(frozen=True)
class Trial:
    """One query with what is known of it: the right verdict, and random models where formulas are evaluated."""

    graph: Graph
    query: Query
    identifiable: bool
    models: Sequence[LatentModel]


@dataclass(frozen=True)
class Table:
    """What the queries of one table are like."""

    heading: str
    conditions: int = 0
    hidden: bool = True

    def trials(self, size: int, count: int) -> list[Trial]:
        """Sparse random graphs, each with a query of up to two treatments and two outcomes."""
        generator = np.random.default_rng([size, self.conditions, self.hidden])
        found: list[Trial] = []
        for _ in range(count):
            graph = random_graph(generator, size, min(0.7, 3 / size), min(0.5, 2 / size) if self.hidden else 0)
            query = random_query(generator, graph, 2, self.conditions)
            models = models_of(graph, generator, 3) if size <= EVALUATED else ()
            found.append(Trial(graph, query, conditionally_identifiable(graph, query), models))
        return found


TABLES = (
    Table("P(Y | do(X))"),
    Table("P(Y | do(X)) without hidden causes", hidden=False),
    Table("P(Y | do(X), Z)", conditions=1),
)

# What every tool answers so often before it is timed, so that nothing is loaded or copied into its process later.
WARMING = 50
FIRST = Trial(Graph(("X", "Y"), (("X", "Y"),), ()), Query(("Y",), ("X",), ()), True, ())


# ---------------------------------------------------------------------------------------------------------------------
# One tool at work


@dataclass(frozen=True)
class Reply:
    """What came of one query: CPU seconds, the verdict, None for a crash, and whether the formula was right, if any."""

    seconds: float
    verdict: bool | None = None
    formula: bool | None = None


def ask(peer: Peer, trial: Trial, limit: int) -> Reply:
    """One query to one tool; an exception of any kind is a crash of the tool."""
    answer, seconds = timed(peer, trial, limit)
    for _ in range(2):
        if seconds < QUICK and not isinstance(answer, Exception):
            answer, again = timed(peer, trial, limit)
            seconds = min(seconds, again)
    if isinstance(answer, Exception):
        return Reply(seconds)
    verdict = peer.verdict(answer)
    if not (verdict and trial.identifiable and trial.models and peer.formula is not None):
        return Reply(seconds, verdict)
    return Reply(seconds, verdict, not formula_faults(peer.formula(answer, trial.query), trial.query, trial.models))


def timed(peer: Peer, trial: Trial, limit: int) -> tuple[Any, float]:
    """What the tool returns, an exception included, and the CPU seconds that it took."""
    call = peer.prepare(trial.graph, trial.query)
    allow(limit)
    start = time.thread_time()
    try:
        answer = call()
    except Exception as error:
        answer = error
    seconds = time.thread_time() - start
    allow(None)
    return answer, seconds


def allow(seconds: int | None) -> None:
    """Let this process use so many seconds of CPU time from here on, rounded up to a whole one; None is no limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = hard if seconds is None else ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def work(peer: Peer, limit: int, line: Connection, inherited: Sequence[Connection]) -> None:
    """Answer query after query, once everything that this takes is loaded; what the process of a `Worker` does.

    It ends with the process that asks: copies of that one's ends of the lines, which would keep this open, are closed.
    """
    for other in inherited:
        other.close()
    for _ in range(WARMING):
        ask(peer, FIRST, limit)
    while True:
        try:
            line.send(ask(peer, line.recv(), limit))
        except EOFError:
            return


class Worker:
    """A tool in a process of its own, started again when it was ended; `lines` are those to all workers."""

    def __init__(self, peer: Peer, limit: int, lines: dict[str, Connection]) -> None:
        self.peer, self.limit, self.lines = peer, limit, lines
        self.start()

    def start(self) -> None:
        """A new process; it inherits what is loaded here."""
        context = multiprocessing.get_context("fork")
        self.line, there = context.Pipe()
        self.lines[self.peer.name] = self.line
        inherited = tuple(self.lines.values())
        self.process = context.Process(target=work, args=(self.peer, self.limit, there, inherited), daemon=True)
        self.process.start()
        there.close()

    def reply(self, trial: Trial) -> Reply | None:
        """The tool's reply, None for a time-out; native code that ends the process is a crash like any other."""
        try:
            self.line.send(trial)
            if self.line.poll(SILENCE):
                return self.line.recv()
            self.process.kill()
        except (EOFError, ConnectionError):
            pass
        self.process.join()
        ended = self.process.exitcode
        self.start()
        return None if ended in (-signal.SIGXCPU, -signal.SIGKILL) else Reply(0.0)


# ---------------------------------------------------------------------------------------------------------------------
# The comparison


@dataclass
class Score:
    """What one tool did in one table."""

    complete: bool
    milliseconds: list[float] = field(default_factory=list[float])
    wrong_yes: int = 0
    missed: int = 0
    formulas: int = 0
    wrong_formulas: int = 0
    crashes: int = 0
    timeouts: int = 0

    def add(self, trial: Trial, reply: Reply | None, limit: int) -> None:
        """Count one reply."""
        if reply is None:
            self.timeouts += 1
            self.milliseconds.append(1e3 * limit)
        elif reply.verdict is None:
            self.crashes += 1
        else:
            self.wrong_yes += reply.verdict and not trial.identifiable
            self.missed += trial.identifiable and not reply.verdict
            self.formulas += reply.formula is not None
            self.wrong_formulas += reply.formula is False
            self.milliseconds.append(1e3 * reply.seconds)

    @property
    def faults(self) -> int:
        return self.wrong_yes + self.missed + self.wrong_formulas + self.crashes + self.timeouts

    def line(self, name: str) -> str:
        missed = str(self.missed) if self.complete else f"({self.missed})"
        formulas = f"{self.wrong_formulas}/{self.formulas}" if self.formulas else "-"
        counts = f"{len(self.milliseconds) + self.crashes:5} {self.wrong_yes:9} {missed:>6} {formulas:>14}"
        times = f"{median(self.milliseconds):9.2f} {max(self.milliseconds):9.1f}" if self.milliseconds else ""
        return f"  {name:9} {counts} {self.crashes:7} {self.timeouts:9} {times}"


HEADER = "  tool      asked wrong yes missed wrong formulas crashes time-outs median ms   largest"


def compare(workers: Sequence[Worker], table: Table, size: int, arguments: argparse.Namespace) -> Score:
    """One table, printed; returns suture's score, which comes first."""
    trials = table.trials(size, arguments.graphs)
    print(f"{table.heading}, {size} variables, {len(trials)} queries\n{HEADER}", flush=True)
    scores: list[Score] = []
    for worker in workers:
        peer, score = worker.peer, Score(worker.peer.complete)
        scores.append(score)
        for trial in trials if peer.conditions or not table.conditions else ():
            if peer.accepts(trial.graph, trial.query) and score.timeouts < arguments.patience:
                score.add(trial, worker.reply(trial), arguments.limit)
        if score.milliseconds or score.crashes:
            print(score.line(peer.name), flush=True)
    return scores[0]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=100, help="queries a table")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 20, 50, 200], help="variables")
    parser.add_argument("--limit", type=int, default=2, help="CPU seconds a query")
    parser.add_argument("--patience", type=int, default=3, help="time-outs in a table before a tool is asked no more")
    parser.add_argument("--only", nargs="+", help="the tools to compare, by the names in the tables")
    return parser.parse_args()


def main() -> int:
    arguments = options()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    peers = [peer for peer in installed() if not arguments.only or peer.name in arguments.only]
    if not peers:
        print("none of y0, pyAgrum, Ananke, DoWhy and pgmpy is installed: nothing to compare")
        return 0
    # Nothing that is loaded by now is garbage: what the workers collect need not go through it.
    gc.freeze()
    lines: dict[str, Connection] = {}
    workers = [Worker(peer, arguments.limit, lines) for peer in (suture_peer(), *peers)]
    scores = [compare(workers, table, size, arguments) for table in TABLES for size in arguments.sizes]
    return 1 if any(score.faults for score in scores) else 0


if __name__ == "__main__":
    sys.exit(main())
