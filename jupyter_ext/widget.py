"""The widget: click on a variable of the string diagram to set or observe it, and watch surgery and answer change.

The kernel computes, the browser draws.  Requests carry a number, answers bring it back, and the browser keeps one
request under way and drops what is stale (`widget.js`).  Beside the widget stands a still of it, plain HTML, which the
live widget hides and which is what a saved notebook shows without a kernel.
"""

from __future__ import annotations

import html
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.display import DisplayHandle

from ..answers.answer import Answer
from .exploration import Exploration, State

HERE = Path(__file__).parent
TITLE = re.compile(r"<title>(.*?)</title>")


class Explorer(anywidget.AnyWidget):
    """A model under the reader's hands: `explore` makes one, displaying it shows it.

    `question` is what is asked at the moment, `answers` what it came to.
    """

    _esm: ClassVar[Path] = HERE / "widget.js"
    _css: ClassVar[Path] = HERE / "widget.css"
    about = traitlets.Dict().tag(sync=True)
    """What does not change: the model's name, its variables, its sliders, the key of the still."""
    view = traitlets.Dict().tag(sync=True)
    """What is shown: see `Exploration.view`; `number` is that of the request it answers."""

    def __init__(self, exploration: Exploration, state: State) -> None:
        self.exploration = exploration
        self.still = DisplayHandle()
        self._state = state
        about = {
            "model": exploration.model.name,
            "variables": exploration.variables(),
            "sliders": [exploration.slider(name) for name in exploration.sliders],
            "key": secrets.token_hex(8),
        }
        super().__init__(about=about, view={**exploration.view(state), "request": 0})
        self.on_msg(self._asked)

    @property
    def question(self) -> str:
        """The question that is shown, as the language writes it."""
        return self.exploration.question(self._state)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers to the question that is shown; raises `SutureError` where it has none."""
        return self.exploration.answers(self._state)

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A message of the browser: a new state, or that the reader has come to rest."""
        if content.get("kind") == "rest":
            self.still.update({"text/plain": self.text(), "text/html": self.html()}, raw=True)
            return
        self._state = State.from_dict(content["state"])
        self.view = {**self._view(), "request": content["request"]}

    def _view(self) -> dict[str, Any]:
        try:
            return self.exploration.view(self._state)
        except Exception as error:  # whatever went wrong, the reader hears of it and can go on
            told = f"suture failed on this question, which is a bug worth reporting: {error!r}"
            return {**self.view, "state": self._state.to_dict(), "error": told}

    # -- without a kernel

    def text(self) -> str:
        """What is shown, as text."""
        view = self.view
        return f"{view['question']}\n\n{view['error'] or view['details']}"

    def html(self) -> str:
        """What is shown, as HTML that needs no kernel."""
        return _still(self.about["key"], self.view)

    def _ipython_display_(self) -> None:
        found = self._repr_mimebundle_()
        # Where the widget cannot live it says nothing: the still says it all.
        DisplayHandle().display({**(found[0] if found else {}), "text/plain": "", "text/html": ""}, raw=True)
        self.still.display({"text/plain": self.text(), "text/html": self.html()}, raw=True)


def _still(key: str, view: Mapping[str, Any]) -> str:
    """The view as HTML; the class and key let a live widget hide it."""
    told = view["error"] or view["verdict"] or ""
    number = "" if view.get("number") is None else f"<p><strong>{view['number']:.6g}</strong></p>"
    formula = f"<p>{html.escape(view['formula'])}</p>" if view.get("formula") else ""
    details = f"<details><summary>in full</summary><pre>{html.escape(view.get('details') or '')}</pre></details>"
    head = f"<p><code>{html.escape(view['question'])}</code> {html.escape(told)}</p>"
    # An image, since JupyterLab takes drawings out of notebooks that it does not trust, and leaves images.
    drawn = b64encode(view["svg"].encode()).decode()
    titled = TITLE.search(view["svg"])
    title = "" if titled is None else titled[1].replace('"', "&quot;")
    picture = f'<p><img alt="{title}" src="data:image/svg+xml;base64,{drawn}"></p>'
    return f'<div class="suture-still" data-key="{key}">{head}{picture}{formula}{number}{details}</div>'
