"""Named effects: treatment, outcome, levels and mediators checked before `effects.py` makes the formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import tree
from .effects import Contrast, effect_formula
from .formula import Formula, Term, kernels
from .program import Finite, Variable
from .resolve_terms import Given, TermResolver
from .syntax_text import expression_text


@dataclass
class EffectResolver(TermResolver):
    """Named effects about one model."""

    def effect(self, node: tree.Effect) -> Formula | None:
        """The formula of a named effect."""
        contrast = self._contrast(node)
        if contrast is None:
            return None
        made = effect_formula(node.kind, contrast)
        for kernel in kernels(made):
            place = Given(kernel.given, kernel.do, kernel.source)
            if self.kernel(kernel.outcomes, place, node.span) is None:
                return None
        return made

    def _contrast(self, node: tree.Effect) -> Contrast | None:
        treatment = self.scope.known_variable(node.treatment, self.model)
        outcome = self.event(node.outcome)
        mediators = [self.event(mediator) for mediator in node.mediators]
        given = self.given(node.given, None)
        levels = treatment and self._levels(node, treatment)
        if treatment is None or outcome is None or levels is None or given is None or None in mediators:
            return None
        known = tuple(mediator for mediator in mediators if mediator)
        measured = self._outcome(node, outcome)
        between = self._mediators(node, treatment.name, outcome.variable, known)
        if given.do:
            self.scope.report("S411", f"{node.kind}(..) sets {treatment.name} itself", node.span, "no do(..) here")
            return None
        if measured is None or between is None or not self._distinct(node, treatment.name, measured, between):
            return None
        return Contrast(treatment.name, levels[0], levels[1], measured, self._other(measured), between, given.terms)

    def _distinct(self, node: tree.Effect, treatment: str, outcome: Term, mediators: Sequence[Term]) -> bool:
        names = [treatment, outcome.variable, *(mediator.variable for mediator in mediators)]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            text = f"{repeated} has two roles in one effect"
            self.scope.report("S402", text, node.span, "", "treatment, outcome and mediators are different variables")
        return repeated is None

    def _levels(self, node: tree.Effect, treatment: Variable) -> tuple[str, str] | None:
        """The two values of the treatment that are compared, low first (S405 where the program does not tell)."""
        if node.low is not None and node.high is not None:
            low = self.scope.known_label(node.low, treatment)
            high = self.scope.known_label(node.high, treatment)
            return None if low is None or high is None else (low, high)
        match treatment.values:
            case Finite((low, high)):
                return low, high
            case Finite(labels):
                text = f"{treatment.name} has {len(labels)} values: say which two to compare"
                low, high = labels[0], labels[-1]
            case None:
                text = f"the values of {treatment.name} are not declared: say which two to compare"
                low, high = "0", "1"
            case _:
                text = f"{treatment.name} is real: say which two values to compare"
                low, high = "0", "1"
        outcome = expression_text(tree.Reference(_event_name(node.outcome)))
        help = f"write {node.kind}({treatment.name}: {low} -> {high}, {outcome})"
        self.scope.report("S405", text, node.treatment.span, "", help)
        return None

    def _outcome(self, node: tree.Effect, outcome: Term) -> Term | None:
        """The outcome with its value: the last of two where none is written, none where an expectation is meant."""
        variable = self.model.by_name[outcome.variable]
        if outcome.world:
            self.scope.report("S410", "a named effect has its own worlds", node.outcome.span, "a world of its own")
            return None
        if outcome.value is not None:
            return outcome
        if isinstance(variable.values, Finite) and len(variable.values.labels) == 2:
            return Term(outcome.variable, variable.values.labels[-1])
        if node.kind in ("pn", "ps", "pns"):
            text = f"{node.kind} needs an event of the outcome"
            help = f"write {node.kind}(.. -> {outcome.variable} = ..)"
            self.scope.report("S405", text, node.outcome.span, "no value", help)
            return None
        return outcome if self.numeric(variable, node.outcome.span) else None

    def _other(self, outcome: Term) -> str | None:
        """The other value of an outcome that has two."""
        labels = self.model.labels(outcome.variable)
        if labels is None or len(labels) != 2 or outcome.value is None:
            return None
        return labels[0] if outcome.value == labels[1] else labels[1]

    def _mediators(
        self, node: tree.Effect, treatment: str, outcome: str, written: tuple[Term, ...]
    ) -> tuple[Term, ...] | None:
        """The mediators of nde and nie (by default, the children of the treatment on its paths), or of cde."""
        if node.kind == "cde":
            if not written or any(mediator.value is None for mediator in written):
                text = "a controlled direct effect needs the mediators and the values they are held at"
                help = f"write cde({treatment} -> {outcome}, M = 0)"
                self.scope.report("S405", text, node.span, "", help)
                return None
            return written
        if node.kind not in ("nde", "nie"):
            if written:
                text = f"{node.kind} has no mediators"
                self.scope.report("S405", text, node.mediators[0].span, "not expected", "cde, nde and nie have")
            return None if written else ()
        for mediator, event in zip(written, node.mediators, strict=True):
            if mediator.value is not None or mediator.world:
                text = f"the mediators of {node.kind} take their natural values"
                self.scope.report("S405", text, event.span, "no value here", f"write {mediator.variable} alone")
                return None
        return written or self._natural_mediators(node, treatment, outcome)

    def _natural_mediators(self, node: tree.Effect, treatment: str, outcome: str) -> tuple[Term, ...] | None:
        causes = self._causes(outcome)
        found = tuple(
            Term(name)
            for name in self.model.observed
            if name != outcome and name in causes and treatment in self.model.parents(name)
        )
        if not found:
            text = f"no observed variable mediates between {treatment} and {outcome}"
            self.scope.report("S405", text, node.span, "", "a natural effect needs one")
        return found or None

    def _causes(self, name: str) -> set[str]:
        """A variable and all its causes, direct or not."""
        found, waiting = {name}, [name]
        while waiting:
            for cause in self.model.parents(waiting.pop()):
                if cause not in found:
                    found.add(cause)
                    waiting.append(cause)
        return found


def _event_name(event: tree.Event) -> str:
    return event.variable.text if isinstance(event.variable, tree.Name) else event.variable.variable.text
