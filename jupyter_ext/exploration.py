"""What the widget shows, as plain data: the question that clicks have made, its picture, its answer.

Nothing here knows of widgets: a state, as the browser sends it, gives a view, as the browser draws it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from ..answers.answer import Answer, Status
from ..answers.pictures import surgery_with_combs
from ..answers.report import answer_text
from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.drawing import Scene, diagram_scene, svg
from ..dsl.drawing.scene import Plate, Triangle
from ..dsl.formula import Formula, Kernel, Term
from ..dsl.formula_text import text
from ..dsl.parameters import parameters, probability_parameters, with_parameters
from ..dsl.program import Finite, Model, Real
from ..identify.derivation_text import witness_text
from ..library import Model as Face
from ..semantics.budget import Budget, limited

# Longer than this, and a click would seem to have done nothing.
PATIENCE = Budget(seconds=20.0)
CLOSED_FORM = Budget(seconds=3.0)
STARTS = ("1/2", "1/4", "1/10", "1/100")


@dataclass(frozen=True, slots=True)
class State:
    """What has been clicked: the events asked for, observed and set; None is each value, as a bare name is."""

    asked: Mapping[str, str | None]
    given: Mapping[str, str | None] = field(default_factory=dict)
    do: Mapping[str, str | None] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The state as the browser has it."""
        parts = {"asked": self.asked, "given": self.given, "do": self.do, "parameters": self.parameters}
        return {name: dict(part) for name, part in parts.items()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> State:
        """The state that the browser sent."""
        return cls(**{name: dict(told.get(name, {})) for name in ("asked", "given", "do", "parameters")})


@dataclass
class Exploration:
    """A model that questions are put to, by `data` where there are any, else by its mechanisms where all are given."""

    model: Model
    data: Any = None
    source: str = "data"
    """What the data are called in an answer."""
    patience: Budget = PATIENCE
    """What an answer may cost."""
    extra: Budget = CLOSED_FORM
    """What a closed form beside it may cost."""
    forms: dict[str, str | None] = field(default_factory=dict)
    """Closed forms found so far, by question; None where there is none in reasonable time."""

    @cached_property
    def complete(self) -> bool:
        """Whether every mechanism is given."""
        return set(self.model.mechanisms) >= {variable.name for variable in self.model.variables}

    @cached_property
    def sliders(self) -> tuple[str, ...]:
        """The parameters that move the answer: those of the model, where its mechanisms answer."""
        return parameters(self.model) if self.complete and self.data is None else ()

    def start(self, query: Kernel, values: Mapping[str, float]) -> State:
        """The state that a query and values of parameters begin with."""
        asked, given, do = (
            {term.variable: term.value if isinstance(term.value, str) else None for term in terms}
            for terms in (query.outcomes, query.given, query.do)
        )
        return State(asked, given, do, {**self._first_parameters(), **values})

    def _first_parameters(self) -> dict[str, float]:
        """Values at which every row is a distribution, as far as the same value for all can be one."""
        for start in STARTS:
            try:
                with_parameters(self.model, dict.fromkeys(self.sliders, Fraction(start)))
            except SutureError:
                continue
            return dict.fromkeys(self.sliders, float(Fraction(start)))
        return dict.fromkeys(self.sliders, float(Fraction(STARTS[-1])))

    # -- the question and its answers

    def question(self, state: State) -> str:
        """The question as the language writes it."""
        return text(Kernel(_terms(state.asked), _terms(state.given), _terms(state.do)))

    def at(self, state: State) -> Model:
        """The model at the state's values of the parameters; raises `SutureError` where they are not allowed."""
        values = {name: Fraction(str(value)) for name, value in state.parameters.items()}
        return with_parameters(self.model, values) if values else self.model

    def identified(self, state: State) -> Answer:
        """The question as a formula in what is observed, or the refusal."""
        return Face.of(self.model).identify(self.question(state))

    def number(self, state: State) -> Answer | None:
        """The question's value: from data, or else from the mechanisms; None where there are neither."""
        if self.data is not None:
            return replace(Face.of(self.model).estimate(self.question(state), self.data), source=self.source)
        return Face.of(self.at(state)).compute(self.question(state)) if self.complete else None

    def closed_form(self, state: State) -> str | None:
        """The value as a formula in the parameters, where one is found in a few seconds."""
        question = self.question(state)
        if question not in self.forms:
            try:
                with limited(self.extra):
                    found = Face.of(self.model).compute(question)
                self.forms[question] = found.exact if isinstance(found.exact, str) else None
            except SutureError:
                self.forms[question] = None
        return self.forms[question]

    # -- the view

    def view(self, state: State) -> dict[str, Any]:
        """Everything the browser draws, by name; an error is told in words and leaves the picture standing."""
        shown: dict[str, Any] = {"state": state.to_dict(), "question": self.question(state), "error": None}
        shown |= self.picture(state)
        try:
            with limited(self.patience):
                answers = self.answers(state)
        except SutureError as error:
            told = "; ".join(f"{each.message} ({each.code})" for each in error.diagnostics)
            return {**shown, **_told(()), "error": told}
        form = self.closed_form(state) if self.sliders else None
        return {**shown, **_told(answers), "form": form}

    def answers(self, state: State) -> tuple[Answer, ...]:
        """The identification, and the number where there is one."""
        formula = self.identified(state)
        if self.data is not None and formula.status is not Status.IDENTIFIED:
            return (formula,)
        number = self.number(state)
        return (formula,) if number is None else (formula, number)

    def picture(self, state: State) -> dict[str, Any]:
        """The diagram, before and after surgery where something is set, and which of its marks are whose."""
        scene = surgery_with_combs(self.model.diagram, state.do) if state.do else diagram_scene(self.model.diagram)
        return {"svg": svg(scene), "places": _places(scene, self.model.observed)}

    def variables(self) -> list[dict[str, Any]]:
        """The observed variables, each with its labels: null where it is symbolic, an empty list where it is real."""
        return [{"name": name, "labels": _labels(self.model, name)} for name in self.model.observed]

    def slider(self, name: str) -> dict[str, Any]:
        """A slider of the browser: where it begins and ends."""
        if name in probability_parameters(self.model):
            return {"name": name, "low": 0.0, "high": 1.0, "step": 0.01}
        return {"name": name, "low": -10.0, "high": 10.0, "step": 0.1}


def one_kernel(formula: Formula, written: str) -> Kernel:
    """The formula, where it is one distribution of one world; raises `SutureError` S611 where it is not."""
    if isinstance(formula, Kernel) and formula.source is None:
        terms = (*formula.outcomes, *formula.given, *formula.do)
        if not any(term.world or term.swap for term in terms):
            return formula
    help = "explore one distribution such as P(Y | do(X), Z)"
    raise SutureError(Diagnostic("S611", f"{written} is not one distribution of one world", help=help))


def _terms(events: Mapping[str, str | None]) -> tuple[Term, ...]:
    return tuple(Term(name, value) for name, value in events.items())


def _labels(model: Model, name: str) -> list[str] | None:
    match model.by_name[name].values:
        case Finite(labels):
            return list(labels)
        case Real():
            return []
        case None:
            return None


def _places(scene: Scene, observed: Sequence[str]) -> dict[str, str]:
    """The boxes, states and cuts of observed variables, by the titles that the picture gives them."""
    found: dict[str, str] = {}
    for mark in scene.marks:
        if isinstance(mark, (Plate, Triangle)):
            owner = mark.title.split(":")[0].removesuffix(" cut")
            if owner in observed:
                found[mark.title] = owner
    return found


def _told(answers: Sequence[Answer]) -> dict[str, Any]:
    """What is said of the answers: the verdict, the formula, the number, and all of it as text."""
    told: dict[str, Any] = dict.fromkeys(("verdict", "formula", "number", "rows", "reason", "form"))
    told |= {"status": None, "details": "\n\n".join(answer_text(answer, unicode=True) for answer in answers)}
    if answers:
        formula = answers[0]
        told["status"] = formula.status.value
        told["verdict"] = _verdict(formula)
        told["formula"] = None if formula.estimand is None else formula.estimand.unicode
        told["reason"] = formula.reason or _witnessed(formula)
    if len(answers) > 1:
        told |= _value(answers[1])
    return told


def _witnessed(answer: Answer) -> str | None:
    """What forbids a formula, in its first sentence; the two models that prove it are told in full."""
    return None if answer.witness is None else next(iter(witness_text(answer.witness)), None)


def _verdict(answer: Answer) -> str:
    match answer.status:
        case Status.IDENTIFIED:
            return f"identified, by {answer.method}" if answer.method else "identified"
        case Status.NOT_IDENTIFIED:
            return "not identifiable from what is observed"
        case _:
            return answer.status.value.replace("_", " ")


def _value(answer: Answer) -> dict[str, Any]:
    """A number, rows of a table, or the words of a value that is neither."""
    value: Any = answer.value
    if isinstance(value, (int, float)):
        return {"number": float(value)}
    if value is not None and hasattr(value, "rows"):
        rows = [[*labels, None if entry is None else float(entry)] for labels, entry in value.rows()]
        return {"rows": {"variables": list(value.variables), "rows": rows}}
    return {"reason": "\n".join(answer.lines) or None}
