"""What an answer consists of: plain data with its certificate, and the JSON object that is stable across versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..dsl.diagnostics import Diagnostic
from ..dsl.diagram import Diagram
from ..dsl.formula import Formula
from ..dsl.formula_latex import latex
from ..dsl.formula_text import text, unicode_text
from ..identify.derivation import Check, Derivation, Positive, Separated, Witness
from ..identify.derivation_text import condition_text, rewrite_dict, step_dict, witness_dict

if TYPE_CHECKING:
    from ..dsl.drawing.scene import Scene
    from ..identify.environments.environment_search import EnvironmentFindings
    from ..identify.predictors.predictor_search import AnyPredictor, PredictorSearch
    from ..identify.witnesses.model_pair import ModelPair, NoWitness
    from ..semantics.factors import NamedTable

VERSION = "0.1.0"


class Status(Enum):
    """How a statement was answered."""

    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not_identified"
    UNDECIDED = "undecided"
    VALUE = "value"
    BOUNDS = "bounds"
    HOLDS = "holds"
    FAILS = "fails"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Estimand:
    """A formula with its spellings."""

    formula: Formula

    @property
    def text(self) -> str:
        """The formula as text that parses back."""
        return text(self.formula)

    @property
    def unicode(self) -> str:
        """The formula with the summation sign."""
        return unicode_text(self.formula)

    @property
    def latex(self) -> str:
        """The formula as LaTeX."""
        return latex(self.formula)

    def sympy(self, labels: Mapping[str, Sequence[str]] | None = None) -> Any:
        """The formula as a SymPy expression; with `labels` sums over those variables are written out."""
        from ..dsl.formula_sympy import to_sympy

        return to_sympy(self.formula, labels)

    @property
    def display(self) -> str:
        """The formula as LaTeX in display style, between dollars, for notebooks."""
        return f"$\\displaystyle {self.latex}$"

    def _repr_latex_(self) -> str:
        return self.display


@dataclass(frozen=True)
class AnswerData:
    """What a statement came to.

    `value` is a number, a table or None; `exact` the same in rationals or closed form where it was computed so.  What
    does not apply is None or empty.  `models` are the two models of a negative answer, `lines` the words of a value
    that is no number, `program` one in the language that belongs to it.  `notes` are facts a reader of the number
    should know; `error` goes with status `ERROR`.  `search` is all that a search for a predictor found, `environments`
    what data added to it; `diagram` is what derivation and witness are about, `asked` the query itself and
    `separation` the one asked about: pictures are drawn from them.
    """

    statement: str
    status: Status
    line: int | None = None
    name: str | None = None
    model: str | None = None
    query: str | None = None
    estimand: Estimand | None = None
    method: str | None = None
    derivation: Derivation = field(default_factory=Derivation)
    check: Check | None = None
    requires: tuple[Positive, ...] = ()
    witness: Witness | None = None
    models: ModelPair | NoWitness | None = None
    value: float | NamedTable | Mapping[str, Any] | None = None
    exact: str | NamedTable | Mapping[str, Any] | None = None
    interval: tuple[float, float] | None = None
    bounds: tuple[float, float] | None = None
    attaining: Mapping[str, str | None] | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    program: str | None = None
    scene: Scene | None = None
    source: str | None = None
    error: Diagnostic | None = None
    seconds: float = 0.0
    search: PredictorSearch | None = None
    environments: EnvironmentFindings | None = None
    diagram: Diagram | None = None
    asked: Formula | None = None
    separation: Separated | None = None

    @property
    def predictor(self) -> AnyPredictor | None:
        """The predictor that a search chose: it predicts rows of data, and has a table and a formula."""
        return None if self.search is None else self.search.chosen.predictor

    def to_dict(self) -> dict[str, Any]:
        """The answer as the JSON object of the language page."""
        return {
            "statement": self.statement,
            "name": self.name,
            "line": self.line,
            "model": self.model,
            "query": self.query,
            "status": self.status.value,
            "estimand": None if self.estimand is None else {"text": self.estimand.text, "latex": self.estimand.latex},
            "method": self.method,
            "derivation": [*map(step_dict, self.derivation.steps), *map(rewrite_dict, self.derivation.rewrites)],
            "check": check_dict(self.check),
            "requires": [condition_text(condition) for condition in self.requires],
            "witness": self._witness(),
            "value": value_dict(self.value),
            "exact": value_dict(self.exact),
            "interval": None if self.interval is None else list(self.interval),
            "bounds": None if self.bounds is None else list(self.bounds),
            "reason": self.reason,
            "notes": list(self.notes),
            "error": None if self.error is None else self.error.to_dict(),
            "seconds": round(self.seconds, 6),
        }

    def _witness(self) -> dict[str, Any] | None:
        """The witness with the two models that go with it, or the reason why there are none."""
        if self.attaining is not None:
            return {"kind": "attaining models", **self.attaining}
        if self.witness is None:
            return None
        found = witness_dict(self.witness)
        return found if self.models is None else {**found, "models": self.models.to_dict()}

    def picture(self) -> Scene | None:
        """What the answer shows, where it has a picture."""
        if self.search is None:
            return self.scene
        from ..identify.predictors.search_pictures import search_scene

        return search_scene(self.search)

    def svg(self) -> str | None:
        """The picture of the answer as SVG text, where it has one."""
        from ..dsl.drawing import svg

        scene = self.picture()
        return None if scene is None else svg(scene)


def check_dict(check: Check | None) -> dict[str, Any] | None:
    """A check as JSON-ready data; `skipped` only where it was."""
    if check is None:
        return None
    found: dict[str, Any] = {"models": check.models, "max_error": check.max_error}
    if check.how is not None:
        found["how"] = check.how
    return found if check.skipped is None else {**found, "skipped": check.skipped}


def value_dict(value: object) -> Any:
    """A number, text, table or mapping as JSON-ready data; entries that are not determined are null."""
    if value is None or isinstance(value, (float, int, str, Mapping)):
        return value
    table: Any = value
    rows = [[*labels, _entry(number)] for labels, number in table.rows()]
    return {"variables": list(table.variables), "rows": rows}


def _entry(number: Any) -> Any:
    return number if number is None or isinstance(number, (float, int)) else str(number)
