"""The magics `%%suture` and `%suture`: a thin door onto `engine.Session`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope
from IPython.display import display

from ..dsl.diagnostics import SutureError
from ..dsl.source import Source
from . import completing, inspecting
from .call import Call, cell_call, explained, line_call
from .failures import CellError
from .notebook import Notebook

NAMES = "suture"


@magics_class
class SutureMagics(Magics):
    """The magics of one shell, with its session."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.own = shell
        self.notebook = Notebook()
        self.undo: list[Callable[[], None]] = []

    @needs_local_scope
    @line_cell_magic
    def suture(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> None:
        """Ask causal questions: `%%suture` answers a program, `%suture STATEMENT` one statement.

        ::

            %%suture [-o NAME] [-i NAME ..] [--format FORMAT] [--time TIME] [--memory SIZE]
            model Smoking {
              latent Gene
              Gene -> Smoke -> Tar -> Cancer
              Gene -> Cancer
            }
            identify P(Cancer | do(Smoke))

            %suture [the same options] identify P(Tar | do(Smoke)) in Smoking
            %suture                 what the cells have defined so far
            %suture --reset         forget all of it
            %suture describe Smoke  what a name or a word stands for; Shift-Tab on it shows the same
            %suture explain S104    what an error is about
            %suture explore P(Cancer | do(Smoke)) in Smoking [from DATA]    a picture that answers to clicks

        What a cell defines (models, domains, data, queries) can be used in every later one; a name that is defined
        again takes the place of its former definition, so a cell can be run twice.

        -o NAME, --out NAME
            the Python variable that takes the answer, or, of several statements, the answers: `effect.value`,
            `effect.estimand.latex`, `effect.derivation.steps`, `effect.to_dict()`.  `_` has them too.
        -i NAME .., --input NAME ..
            Python variables that the program may use by name: a pandas, polars, pyarrow or DuckDB table or a dict of
            columns as data (`estimate Q from NAME`), a `suture.Model` as a model (`.. in NAME`).  They stay known in
            later cells, with the value that they have then.  `data D of M from NAME weight n` takes a table of Python
            without being told here.
        --format FORMAT
            text, html, latex, json or svg alone; without it everything the front end can show.
        --time TIME, --memory SIZE
            what one statement may cost: 90, 90s, 5min; 500M, 8G.  Interrupting the kernel stops at once.
        --reset
            forget what was defined, then read the cell.

        A cell fails where it has errors, where a statement cannot be answered or where an assertion does not hold.
        Relative paths are taken from the folder the kernel runs in, which is the notebook's.

        The statements are: model, domain, data, query, identify, estimate, compute, bound, independent, adjust, show,
        search, canonicalise, equivalent, counterfactual, fit, cause, assert.
        """
        if cell is None and line.split()[:1] == ["explain"]:
            return print(explained(line.split()[1:]))
        if cell is None and line.split()[:1] == ["describe"]:
            return self.describe(line.split()[1:])
        if cell is None and line.split()[:1] == ["explore"]:
            return self._explore(line)
        call = line_call(line) if cell is None else cell_call(line)
        if call.reset:
            self.notebook.reset()
        # A cell's text starts below the line of its mark, so that its lines are numbered as the editor numbers them.
        text = call.statement if cell is None else f"\n{cell}"
        if text.strip():
            self._run(Source(text, self._place()), call, {**self.own.user_ns, **(local_ns or {})})
        elif call.inputs:
            self._run(Source("", self._place()), call, {**self.own.user_ns, **(local_ns or {})})
        elif not call.reset:
            print(self.notebook.summary())

    def _explore(self, line: str) -> None:
        """Show the widget, which is also the last result."""
        from .exploring import explored

        session = self.notebook.session
        session.frames = self.own.user_ns
        try:
            widget = explored(line, session, self._place())
        except SutureError as error:
            raise CellError(error.diagnostics, error.source) from None
        display(widget)
        _last(self.own, widget)

    def describe(self, names: list[str]) -> None:
        """Say what names of the cells, or words of the language, stand for."""
        for name in names:
            found = inspecting.named(self.notebook, name)
            if found is None:
                raise UsageError(f"%suture describe: nothing is called {name!r}")
            print(found.text)

    def _place(self) -> str:
        """What messages call the cell: its number as IPython shows it."""
        # Versions of IPython differ in when they count a cell; all of them have noted its text before it runs.
        return f"In[{len(self.own.user_ns['In']) - 1}]"

    def _run(self, source: Source, call: Call, names: dict[str, Any]) -> None:
        found = self.notebook.run(source, call, names)
        value = found[0] if len(found) == 1 else found
        if call.out is not None:
            self.own.user_ns[call.out] = value
        if found:
            _last(self.own, value)


def _last(shell: InteractiveShell, value: Any) -> None:
    """Make a value that has been shown already the shell's last result, `_`."""
    shell.displayhook.update_user_ns(value)


def load(shell: InteractiveShell) -> None:
    """Add the magics, completion and inspection; where they are there already, nothing changes."""
    if _loaded(shell) is not None:
        return
    magics = SutureMagics(shell)
    shell.register_magics(magics)
    matcher = completing.add(shell, lambda: magics.notebook)
    stop_inspecting = inspecting.add(shell, lambda: magics.notebook)
    magics.undo = [lambda: completing.remove(shell, matcher), stop_inspecting]


def unload(shell: InteractiveShell) -> None:
    """Take everything away, and with it what the cells have defined."""
    magics = _loaded(shell)
    if magics is None:
        return
    for undo in magics.undo:
        undo()
    shell.magics_manager.registry.pop(SutureMagics.__name__, None)
    for kind in shell.magics_manager.magics.values():
        kind.pop(NAMES, None)


def _loaded(shell: InteractiveShell) -> SutureMagics | None:
    found = shell.magics_manager.registry.get(SutureMagics.__name__)
    return found if isinstance(found, SutureMagics) else None
