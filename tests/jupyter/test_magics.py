"""The magics in a shell: what cells define stays, what they are asked comes out, and what is wrong fails the cell."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from shells import Shell, shell_with_suture

import suture
from suture.answers.answer import Answers, Status
from suture.engine import Session
from suture.jupyter_ext import waiting
from suture.semantics.budget import DEFAULT_BUDGET, Budget, meter

SMOKING = """%%suture
model Smoking {
  latent Gene
  Smoke, Tar, Cancer : {no, yes}
  Gene -> Smoke -> Tar -> Cancer
  Gene -> Cancer
}"""
SURVEY = {
    "Smoke": ["no"] * 4 + ["yes"] * 4,
    "Tar": ["no", "no", "yes", "yes"] * 2,
    "Cancer": ["no", "yes"] * 4,
    "n": [50, 10, 1, 2, 10, 5, 2, 20],
}
# Jacobs, Kissinger and Zanasi (2021), section 4: what smoking would do were everybody made to smoke.
EFFECT = 4013 / 7400


@pytest.fixture
def shell() -> Iterator[Shell]:
    with shell_with_suture() as made:
        yield made


# ---------------------------------------------------------------------------------------------------------------------
# What stays from cell to cell


def test_what_a_cell_defines_can_be_used_in_later_ones(shell: Shell) -> None:
    assert shell.good(SMOKING).shown == []
    shell.good("%%suture\nquery effect = P(Cancer = yes | do(Smoke = yes))")
    shell.names["frame"] = SURVEY
    shell.good("%%suture\ndata survey of Smoking from frame weight n")
    shell.good("%suture -o effect estimate effect from survey")
    assert shell.names["effect"].value == pytest.approx(EFFECT, abs=1e-12)
    assert shell.names["_"] is shell.names["effect"]


def test_a_cell_can_be_run_twice_and_changed(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X -> Y }\nquery q = P(Y | do(X))")
    shell.good("%%suture -o before\nidentify q")
    again = "%%suture\nmodel M { X -> Y ; X <-> Y }\nquery q = P(Y | do(X))"
    shell.good(again)
    shell.good(again)
    shell.good("%suture -o after identify q")
    assert shell.names["before"].status is Status.IDENTIFIED
    assert shell.names["after"].status is Status.NOT_IDENTIFIED


def test_a_name_of_another_kind_is_replaced(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X -> Y }\nquery q = P(Y)")
    shell.good("%%suture\nmodel q { A -> B }")
    shell.good("%suture -o found identify P(B | do(A)) in q")
    assert shell.names["found"].model == "q"


def test_a_definition_that_no_longer_fits_is_set_aside_and_comes_back(shell: Shell) -> None:
    shell.good(SMOKING)
    shell.good("%suture query effect = P(Cancer = yes | do(Smoke = yes))")
    changed = shell.good("%%suture\nmodel Smoking { Smoke -> Lung }")
    reason = "unknown variable 'Cancer' in model Smoking"
    assert changed.texts == [f"note: query 'effect' of In[2] no longer fits and is set aside: {reason}"]
    missed = shell.run("%suture identify effect")
    assert missed.told == (
        "error[S105]: unknown query 'effect'\n"
        " --> In[4]:1:10\n"
        "  |\n"
        "1 | identify effect\n"
        "  |          ^^^^^^ not defined\n"
        " ::: In[2]:1:18\n"
        "  |\n"
        "1 | query effect = P(Cancer = yes | do(Smoke = yes))\n"
        "  |                  ------ no longer fits: unknown variable 'Cancer' in model Smoking\n"
        "  = help: the query 'effect' was set aside: correct it and run its cell again"
    )
    shell.good(SMOKING)
    shell.good("%suture identify effect")


def test_a_cell_with_errors_defines_nothing(shell: Shell) -> None:
    shell.run("%%suture\nmodel M { X -> Y }\nquery q = P(Z)")
    assert shell.run("%suture identify P(Y) in M").told.startswith("error[S102]: unknown model 'M'")


def test_the_only_model_of_a_cell_is_meant(shell: Shell) -> None:
    shell.good("%%suture\nmodel First { X -> Y }")
    shell.good("%%suture -o found\nmodel Second { X -> Y ; X <-> Y }\nidentify P(Y | do(X))")
    assert shell.names["found"].model == "Second"
    several = shell.run("%suture identify P(Y | do(X))")
    assert several.told.startswith("error[S108]: there are several models, and this does not say which")


def test_a_model_that_a_statement_makes_is_there_later(shell: Shell) -> None:
    shell.good(
        "%%suture\nmodel M { latent Z1 : real := 2*noise ; latent Z2 : real := Z1 + noise\n"
        "X1 : real := Z1 ; X2 : real := Z1 + Z2 }\n"
        "domain old of M {}\ndomain new of M { Z1 := noise }\n"
        "canonicalise M over {old, new} as Canonical"
    )
    shell.good("%suture -o before counterfactual X1 = 1, X2 = 2 in M from old to new")
    shell.good("%suture -o after counterfactual X1 = 1, X2 = 2 in Canonical from old to new")
    assert shell.names["before"].to_dict()["value"] == shell.names["after"].to_dict()["value"]


def test_reset_forgets(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X -> Y }")
    shell.good("%suture --reset")
    assert "unknown model 'M'" in shell.run("%suture show M").told
    shell.good("%%suture --reset\nmodel N { X -> Y }\nidentify P(Y | do(X))")


# ---------------------------------------------------------------------------------------------------------------------
# Python's tables, models and results


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pl.DataFrame, pa.table])
def test_tables_of_python_are_data(shell: Shell, make: Any) -> None:
    shell.good(SMOKING)
    shell.names["frame"] = make(SURVEY)
    shell.good(
        "%%suture -o found\ndata survey of Smoking from frame weight n\n"
        "estimate P(Cancer = yes | do(Smoke = yes)) from survey"
    )
    assert shell.names["found"].value == pytest.approx(EFFECT, abs=1e-12)


def test_a_table_that_is_handed_over_needs_no_definition(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X, Y : {0, 1} ; X -> Y }")
    shell.names["frame"] = pd.DataFrame({"X": [0, 0, 1, 1], "Y": [0, 1, 1, 1]})
    missed = shell.run("%suture estimate P(Y = 1 | do(X = 0)) from frame")
    assert missed.told.endswith(
        "= help: it is a table of Python: %%suture -i frame, or define data NAME of MODEL from frame"
    )
    shell.good("%suture -i frame -o found estimate P(Y = 1 | do(X = 0)) from frame")
    assert shell.names["found"].value == 0.5


def test_a_table_that_changed_is_read_again(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X : {0, 1} }")
    shell.names["frame"] = frame = pd.DataFrame({"X": [0, 0, 1, 1]})
    shell.good("%suture -i frame -o found estimate P(X = 1) from frame")
    assert shell.names["found"].value == 0.5
    frame.loc[0, "X"] = 1
    shell.good("%suture -o found estimate P(X = 1) from frame")
    assert shell.names["found"].value == 0.75


def test_a_program_s_data_set_is_not_hidden_by_a_table_of_python(shell: Shell) -> None:
    shell.names["survey"] = {"X": [1, 1, 1, 1]}
    shell.good(
        "%%suture -o found\nmodel M { X : {0, 1} }\ndata survey of M { X ; 0 ; 1 }\nestimate P(X = 1) from survey"
    )
    assert shell.names["found"].value == 0.5


def test_models_of_python_are_handed_over(shell: Shell) -> None:
    shell.names["imported"] = suture.Model.from_text("dag { X -> M -> Y ; X <-> Y }")
    told = shell.run("%suture identify P(Y | do(X)) in imported").told
    assert told.endswith("= help: it is a model of Python: %%suture -i imported")
    shell.good("%suture -i imported -o found identify P(Y | do(X)) in imported")
    assert shell.names["found"].status is Status.IDENTIFIED
    shell.good("%suture identify P(M | do(X)) in imported")


def test_what_cannot_be_handed_over_is_said(shell: Shell) -> None:
    shell.names["number"] = 3
    told = str(shell.run("%%suture -i number\nmodel M { X -> Y }").error)
    assert told.startswith("-i number: 'number' is a int;")
    assert "there is no Python variable 'nothing'" in str(shell.run("%suture -i nothing").error)


def test_several_answers_come_together(shell: Shell) -> None:
    cell = shell.good("%%suture -o found\nmodel M { X -> Y }\nidentify P(Y | do(X)) as effect\nindependent X, Y")
    found = shell.names["found"]
    assert isinstance(found, Answers)
    assert [answer.statement for answer in found] == ["identify", "independent"]
    assert found["effect"].estimand.text == "P(Y | X)"
    assert cell.texts == [str(answer) for answer in found]


# ---------------------------------------------------------------------------------------------------------------------
# What is wrong


def test_an_error_points_into_its_cell_and_fails_it(shell: Shell) -> None:
    shell.good(SMOKING)
    cell = shell.run("%%suture\n\n# a comment\nidentify P(Cancr | do(Smoke))")
    assert isinstance(cell.error, suture.SutureError)
    assert cell.told == (
        "error[S104]: unknown variable 'Cancr' in model Smoking\n"
        " --> In[2]:4:12\n"
        "  |\n"
        "4 | identify P(Cancr | do(Smoke))\n"
        "  |            ^^^^^ not declared\n"
        "  = help: did you mean 'Cancer'?"
    )


def test_an_error_of_an_earlier_cell_s_definition_points_there(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X : {0, 1} }\ndata survey of M from missing")
    cell = shell.run("%suture estimate P(X = 1) from survey")
    assert cell.told.startswith("error[S315]: no table of Python was handed over as 'missing'\n --> In[1]:3:23\n")


def test_the_other_statements_are_answered_before_the_cell_fails(shell: Shell) -> None:
    cell = shell.run("%%suture -o found\nmodel M { X, Y : {0, 1} ; X -> Y }\ncompute P(X = 1)\nidentify P(Y | do(X))")
    assert "error[S" in cell.told
    assert [text.split()[0] for text in cell.texts] == ["identify"]
    assert "found" not in shell.names


def test_an_assertion_that_fails_fails_the_cell(shell: Shell) -> None:
    cell = shell.run("%%suture\nmodel M { X : {0, 1} ~ Bernoulli(0.3) }\nassert P(X = 1) > 0.5")
    assert cell.told == (
        "error[S432]: this assertion does not hold\n"
        " --> In[1]:3:1\n"
        "  |\n"
        "3 | assert P(X = 1) > 0.5\n"
        "  | ^^^^^^^^^^^^^^^^^^^^^ fails\n"
        "  = help: P(X = 1) is 0.3; 0.5 is 0.5"
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("%suture foo", "%suture takes options only, not 'foo': a statement starts with one of: model,"),
        (
            "%%suture identify P(Y)\nmodel M { X -> Y }",
            "%%suture takes options only, not 'identify': the program stands",
        ),
        ("%suture --format pdf identify P(Y)", "argument --format: invalid choice: 'pdf'"),
        ("%suture --time long identify P(Y)", "argument --time: 'long' is no amount; write a number and one of s, ms"),
        ("%suture -o 2x identify P(Y)", "argument -o/--out: '2x' is no name of Python; see %suture?"),
        ("%suture explain S000", "%suture explain takes a code such as S104, not 'S000'"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(shell: Shell, call: str, told: str) -> None:
    cell = shell.run(call)
    assert type(cell.error).__name__ == "UsageError"
    assert str(cell.error).startswith(told)


def test_an_interrupt_stops_cleanly_and_says_so(shell: Shell) -> None:
    class Slow(Session):
        def independent(self, statement: Any) -> Any:
            threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
            threading.Event().wait(60)

    magics: Any = shell.shell.magics_manager.registry["SutureMagics"]
    magics.notebook.session = Slow(magics.notebook.session.program)
    cell = shell.run("%%suture\nmodel N { X -> Y }\nidentify P(Y | do(X))\nindependent X, Y")
    assert isinstance(cell.error, KeyboardInterrupt)
    assert cell.told.startswith("interrupted after 0.")
    assert cell.told.endswith(" s, answering line 4: independent; the answers before it stand")
    assert [text.split()[0] for text in cell.texts] == ["identify"]
    shell.good("%suture show N")


def test_long_work_shows_how_far_it_is_and_the_answer_takes_its_place(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    monkeypatch.setattr(waiting, "PAUSE", 0.0)
    publisher: Any = shell.shell.display_pub
    seen: list[str] = []

    class Slow(Session):
        def independent(self, statement: Any) -> Any:
            while not publisher.shown:
                threading.Event().wait(0.01)
            seen.append(publisher.shown[0]["text/plain"])
            meter().tick(0.5)
            seen.append(publisher.shown[0]["text/html"])
            return super().independent(statement)

    magics: Any = shell.shell.magics_manager.registry["SutureMagics"]
    magics.notebook.session = Slow(magics.notebook.session.program)
    cell = shell.good("%%suture\nmodel M { X -> Y }\nindependent X, Y")
    assert seen[0] == "… answering line 3: independent; interrupt the kernel to stop"
    assert seen[1].startswith('<div role="status"><progress aria-label="answering line 3: independent" value="0.500">')
    assert [text.split()[0] for text in cell.texts] == ["independent"]


# ---------------------------------------------------------------------------------------------------------------------
# Formats, budgets, documentation


def test_formats(shell: Shell) -> None:
    shell.good("%%suture\nmodel M { X -> Y }")
    kinds = {
        form: [list(data) for data in shell.good(f"%suture --format {form} identify P(Y | do(X)) in M").shown]
        for form in ("text", "html", "latex", "json", "svg")
    }
    assert kinds == {
        "text": [["text/plain"]],
        "html": [["text/plain", "text/html"]],
        "latex": [["text/plain", "text/latex"]],
        "json": [["text/plain", "application/json"]],
        "svg": [],
    }
    assert list(shell.good("%suture --format svg show M").shown[0]) == ["text/plain", "image/svg+xml"]


def test_a_budget_is_in_force(shell: Shell) -> None:
    found: list[Budget] = []

    class Watching(Session):
        def independent(self, statement: Any) -> Any:
            found.append(meter().budget)
            return super().independent(statement)

    magics: Any = shell.shell.magics_manager.registry["SutureMagics"]
    magics.notebook.session = Watching(magics.notebook.session.program)
    shell.good("%%suture --memory 2k --time 5min\nmodel M { X -> Y }\nindependent X, Y")
    shell.good("%suture independent X, Y")
    assert found == [Budget(2048, DEFAULT_BUDGET.flops, 300.0), DEFAULT_BUDGET]


def test_answers_of_the_library_are_shown_as_text_in_a_terminal(shell: Shell) -> None:
    found = suture.run("model M { X -> Y }\nidentify P(Y | do(X))")
    for value in (found, found[0]):
        formatter: Any = shell.shell.display_formatter
        data, _ = formatter.format(value)
        assert data["text/plain"] == str(found[0])


def test_the_magic_documents_itself(shell: Shell) -> None:
    found = shell.shell.object_inspect("%%suture")
    assert found["found"]
    assert found["docstring"].startswith("Ask causal questions")
    for option in ("-o NAME", "-i NAME ..", "--format FORMAT", "--time TIME", "--memory SIZE", "--reset"):
        assert option in found["docstring"]


def test_the_extension_unloads(shell: Shell) -> None:
    shell.good("%unload_ext suture.jupyter_ext")
    assert shell.run("%suture show M").error is not None
    assert "suture" not in shell.shell.magics_manager.magics["line"]
    shell.good("%load_ext suture.jupyter_ext")
    shell.good("%suture")
