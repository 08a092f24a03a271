"""Budgets: refused with an estimate, stopped on time, interrupted cleanly; and the plan that says so beforehand."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import suture
from suture.answers.answer import Answer
from suture.cli import main
from suture.dsl.diagram import model_diagram
from suture.dsl.program import Independent
from suture.engine import Session
from suture.semantics.budget import Budget, Meter, duration, limited, meter
from suture.semantics.factors import Factor
from suture.semantics.networks.contraction import contract
from suture.semantics.networks.posterior import posterior
from suture.semantics.random_models import random_model
from suture.terminal.progress import Progress

COIN = (
    "model Coins { X : {0, 1} ~ {0: 0.5, 1: 0.5} ; X -> Y ; "
    "Y : {0, 1} ~ table (X) { 0 => 0.9, 0.1 ; 1 => 0.2, 0.8 } }\n"
)


def wide(count: int) -> str:
    """A program that asks for the joint of many coins, each seen through a parent of all."""
    names = [f"V{n}" for n in range(count)]
    lines = [f"R -> {name} ; {name} : {{0, 1}} ~ table (R) {{ 0 => 0.9, 0.1 ; 1 => 0.2, 0.8 }}" for name in names]
    body = "\n  ".join(["R : {0, 1} ~ {0: 0.5, 1: 0.5}", *lines])
    return f"model Wide {{\n  {body}\n}}\ncompute P({', '.join(names)})\n"


@pytest.fixture
def program(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "p.suture"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_table_beyond_the_memory_is_refused_and_the_rest_answered(program, capsys) -> None:
    path = program(wide(24) + "compute P(V0)\n")
    assert main(["run", "--memory", "1M", path]) == 2
    out, err = capsys.readouterr()
    assert "0.55" in out
    assert "error[S603]" in err
    assert "more than the budget of 1.0 MiB and 1e+12" in err


def test_a_statement_out_of_time_is_stopped(program, capsys) -> None:
    assert main(["run", "--time", "0.001ms", program(COIN + "compute P(Y | do(X = 1))\n")]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        "error[S603]: this took longer than the budget of 1 us and was stopped"
    )
    assert main(["run", "--time", "5min", program(COIN + "compute P(Y | do(X = 1))\n")]) == 0


def test_amounts_that_are_none(program, capsys) -> None:
    for option, text in (("--time", "soon"), ("--memory", "0"), ("--memory", "3 apples")):
        with pytest.raises(SystemExit) as stop:
            main(["run", option, text, program(COIN)])
        assert stop.value.code == 2
        assert f"argument {option}: {text!r} is no amount; write a number and one of " in capsys.readouterr().err


def test_budgets_in_the_library() -> None:
    model = random_model(model_diagram({f"V{n}": () for n in range(30)}), np.random.default_rng(0))
    with limited(Budget(bytes=1 << 20)), pytest.raises(suture.SutureError, match=r"budget of 1\.0 MiB"):
        posterior(model, sorted(model.arrays))
    with suture.limited(suture.Budget(seconds=1e-9)), pytest.raises(suture.SutureError, match="took longer"):
        suture.Model(COIN).compute("P(Y)")
    assert suture.Model(COIN).compute("P(Y = 1)").value == pytest.approx(0.45)


def test_a_plan_that_takes_longer_than_there_is_time_is_not_started() -> None:
    factors = [Factor(("a", "b"), np.ones((2000, 2000))), Factor(("b", "c"), np.ones((2000, 2000)))]
    started = time.monotonic()
    with limited(Budget(seconds=0.5)), pytest.raises(suture.SutureError) as caught:
        contract(factors, ["a", "c"])
    assert time.monotonic() - started < 0.4
    assert caught.value.diagnostics[0].message == (
        "this evaluation needs 30.5 MiB of memory and 8.0e+09 multiplications, about 3.2 s, "
        "more than the budget of 4.0 GiB, 1e+12 and 500 ms"
    )


def test_an_inner_budget_cannot_outlast_the_outer_one() -> None:
    with limited(Budget(seconds=0.0)):
        with limited(Budget(seconds=1000.0)), pytest.raises(suture.SutureError):
            meter().tick()
        assert meter().budget.seconds == 0.0
    assert meter().deadline is None


def test_progress_is_told_between_steps() -> None:
    told: list[float] = []
    factors = [Factor((n, n + 1), np.full((2, 2), 0.5)) for n in range(20)]
    with limited(Budget(), told.append):
        contract(factors, [0])
    assert told == sorted(told)
    assert 0 <= told[0] < 0.1
    assert 0.9 < told[-1] < 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_and_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = suture.engine.read(suture.dsl.source.Source(COIN + "compute P(Y)\n")).statements[0]  # type: ignore
    monkeypatch.setattr(Progress, "PATIENCE", 0.0)
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with Progress() as progress:
            progress.started(statement)
            deadline = time.monotonic() + 5
            while shown and not stream.getvalue() and time.monotonic() < deadline:
                time.sleep(0.01)
            progress.advanced(0.5)
        assert ("answering line 2" in stream.getvalue()) is shown
        assert ("████████████░░░░░░░░░░░░  50 %" in stream.getvalue()) is shown
        if shown:
            assert stream.getvalue().endswith("\r\x1b[K")


def test_an_interrupt_in_code_in_c_is_an_interrupt(monkeypatch) -> None:
    """A function of Python that C calls, interrupted, makes of it a SystemError with the interrupt as its cause."""

    def answer(self: Session, statement: Independent) -> Answer:
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    monkeypatch.setattr(Session, "independent", answer)
    with pytest.raises(KeyboardInterrupt):
        suture.run("model M { X -> Y }\nindependent X, Y")


def test_an_interrupt_ends_the_command_with_130(program) -> None:
    """A joint of 14 variables in closed form takes minutes; it is interrupted while it runs."""
    lines = [
        f"V{n - 1} -> V{n} ; V{n} : {{0, 1}} ~ table (V{n - 1}) {{ 0 => p^{n}, 1 - p^{n} ; 1 => q, 1 - q }}"
        for n in range(1, 14)
    ]
    text = "model Slow {\n  V0 : {0, 1} ~ {0: p, 1: 1 - p}\n  " + "\n  ".join(lines) + "\n}\n"
    text += f"compute P({', '.join(f'V{n}' for n in range(14))})\n"
    command = [sys.executable, "-m", "suture.cli", "run", program(text)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        time.sleep(3)
        assert running.poll() is None, running.communicate()
        os.kill(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, "", "interrupted\n")


# ---------------------------------------------------------------------------------------------------------------------
# Plans


def test_plan_says_what_a_query_costs(program, capsys) -> None:
    """A chain of three coins, worked by hand: 2 x 2 products for each of two matrices of two rows and columns."""
    text = "model Chain { A, B, C : {0, 1} ; A -> B -> C }\n"
    assert main(["plan", program(text), "P(C)"]) == 0
    assert capsys.readouterr().out == (
        "plan in Chain\n"
        "  P(C)\n"
        "  P(C): 4 factors over 3 variables\n"
        "    multiplications  10\n"
        "    memory           32.0 B\n"
        "    largest          2 entries over 1 axis, 2^1.0\n"
        "    time             about 7.5 us in floats\n"
        "    summed out       A, B\n"
    )


def test_plan_as_json_and_refusals(program, capsys) -> None:
    path = program(wide(40).split("compute")[0] + "model Other { X -> Y }\n")
    names = ", ".join(f"V{n}" for n in range(40))
    assert main(["plan", "--json", "--in", "Wide", path, f"P({names} | do(R = 1))"]) == 0
    found = json.loads(capsys.readouterr().out)["value"]
    assert not found["within_budget"]
    assert found["contractions"][0]["largest"] == 2**40
    assert found["contractions"][0]["bytes"] >= 8 * 2**40
    assert main(["plan", path, "P(Z)", "--in", "Wide"]) == 2
    assert "unknown variable 'Z'" in capsys.readouterr().err
    assert main(["plan", path, "P(V0)"]) == 2
    assert "the program has several models: Wide, Other" in capsys.readouterr().err


def test_a_plan_from_the_library_is_the_one_that_runs() -> None:
    answer = suture.Model(COIN).plan("P(Y | do(X = 1))")
    (one,) = answer.to_dict()["value"]["contractions"]
    assert (one["probability"], one["variables"], one["order"]) == ("P(Y | do(X=1))", 1, [])
    with pytest.raises(suture.SutureError) as caught:
        suture.Model("X -> Y").plan("P(Y)")
    assert caught.value.diagnostics[0].code == "S427"


def test_durations() -> None:
    seconds = (3e-6, 0.00042, 0.75, 12, 400, 7200, 86400 * 7, 1e10, 1e15)
    assert [duration(one) for one in seconds] == [
        "3 us", "420 us", "750 ms", "12 s", "6.7 min", "2 h", "7 days", "317 years", "3e+07 years",
    ]  # fmt: skip
    Meter(Budget()).tick(0.5)
