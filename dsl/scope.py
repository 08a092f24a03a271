"""What the resolver knows while it works: the definitions so far, and every problem found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from . import tree
from .diagnostics import Diagnostic, Note, SutureError, did_you_mean, one_of
from .formula import Formula
from .labels import find_label, number
from .program import Data, Domain, Finite, Model, Real, Variable
from .source import Source, Span


@dataclass(frozen=True)
class Handed:
    """What a face hands over under names of its own: models, and tables of Python that may stand for data sets."""

    models: Mapping[str, Model] = field(default_factory=dict)
    frames: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every name."""
        return self.frames | self.models.keys()

    def without(self, names: frozenset[str]) -> Handed:
        """What is left when these names mean something else."""
        return Handed({name: each for name, each in self.models.items() if name not in names}, self.frames - names)


@dataclass
class Scope:
    """Definitions by name and the problems so far; what is `broken` was defined, but not well.

    Domains are found by model and name, `formulas` (of queries that are well) by model and query.  `derived` maps a
    name that `canonicalise` or `fit` introduces to the model it is of, and to the domains that it has.  `frames` are
    names of tables of Python that stand for data sets where nothing else has them.
    """

    source: Source
    problems: list[Diagnostic] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    domains: dict[tuple[str, str], Domain] = field(default_factory=dict)
    data: dict[str, Data] = field(default_factory=dict)
    queries: dict[str, tree.Query] = field(default_factory=dict)
    derived: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    kinds: dict[str, tuple[str, Span]] = field(default_factory=dict)
    formulas: dict[tuple[str, str], Formula] = field(default_factory=dict)
    frames: frozenset[str] = frozenset()

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        help: str | None = None,
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Note a problem, once."""
        problem = Diagnostic(code, message, span, label, help, notes)
        if problem not in self.problems:
            self.problems.append(problem)

    def take(self, error: SutureError) -> None:
        """Note the problems of an error raised further down."""
        for problem in error.diagnostics:
            if problem not in self.problems:
                self.problems.append(problem)

    def define(self, name: tree.Name, kind: str) -> bool:
        """Take a name for a definition; a name already taken is a problem (S101), and the first definition stands."""
        if name.text in self.kinds:
            before, place = self.kinds[name.text]
            what = f"{kind} '{name.text}' is defined twice"
            if before != kind:
                what = f"the name '{name.text}' is taken: it is a {before}"
            self.report("S101", what, name.span, "defined again", None, (Note(place, "first defined here"),))
            return False
        self.kinds[name.text] = (kind, name.span)
        return True

    def names_of(self, kind: str) -> list[str]:
        """Every name that the program defines as this kind of thing, broken ones included."""
        return [name for name, (own, _) in self.kinds.items() if own == kind]

    def unknown(self, code: str, kind: str, name: tree.Name, known: Iterable[str]) -> None:
        """Note that nothing of this kind has the name, unless something broken has it."""
        if name.text in self.broken:
            return
        candidates = sorted(known)
        help = did_you_mean(name.text, candidates)
        if help is None and name.text in self.kinds:
            help = f"'{name.text}' is a {self.kinds[name.text][0]}"
        if help is None and candidates:
            help = f"there is {one_of(candidates)}"
        self.report(code, f"unknown {kind} '{name.text}'", name.span, "not defined", help)

    def model_named(self, name: tree.Name) -> Model | None:
        """The model of that name (S102)."""
        if name.text in self.models:
            return self.models[name.text]
        if name.text in self.derived:
            by = self.kinds[name.text][0].rsplit(" ", 1)[-1]
            text = f"'{name.text}' is made by {by}, and this statement needs a model of the program"
            self.report("S110", text, name.span, "not here", f"it comes from {self.derived[name.text][0]}")
        else:
            self.unknown("S102", "model", name, self.models)
        return None

    def domain_named(self, name: tree.Name, model: str) -> Domain | None:
        """The domain of that name of a model (S103)."""
        found = self.domains.get((model, name.text))
        if found is None:
            self._unknown_domain(name, model)
        return found

    def _unknown_domain(self, name: tree.Name, model: str) -> None:
        known = [domain for owner, domain in self.domains if owner == model]
        owners = [owner for owner, domain in self.domains if domain == name.text]
        if owners and not known:
            text = f"domain '{name.text}' is a domain of {owners[0]}, not of {model}"
            self.report("S103", text, name.span, "another model's")
        else:
            self.unknown("S103", f"domain of {model}:", name, known)

    def known_variable(self, name: tree.Name, model: Model) -> Variable | None:
        """The variable of that name of a model (S104)."""
        found = model.by_name.get(name.text)
        if found is None:
            self.unknown_variable(name, model.name, model.by_name)
        return found

    def unknown_variable(self, name: tree.Name, model: str, known: Iterable[str]) -> None:
        """Note a variable that a model does not have."""
        shown = [variable for variable in known if "<->" not in variable]
        help = did_you_mean(name.text, shown) or (f"the variables are {one_of(shown)}" if shown else None)
        self.report("S104", f"unknown variable '{name.text}' in model {model}", name.span, "not declared", help)

    def known_label(self, label: tree.Label, variable: Variable) -> str | None:
        """The label as the variable declares it (S201); a symbolic variable has any label."""
        match variable.values:
            case None:
                return label.text
            case Real():
                if number(label.text) is None:
                    text = f"'{label.text}' is not a number, and {variable.name} is real"
                    self.report("S201", text, label.span, "not a number")
                    return None
                return label.text
            case Finite(labels):
                return self._finite_label(label, variable.name, labels)

    def _finite_label(self, label: tree.Label, variable: str, labels: Sequence[str]) -> str | None:
        found = find_label(labels, label.text)
        if found is None:
            help = did_you_mean(label.text, labels) or f"the values of {variable} are {one_of(labels)}"
            self.report("S201", f"unknown value '{label.text}' of {variable}", label.span, "not a value", help)
        return found


def count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "cell"), count(3, "probability"), count(0, "row")
    ('1 cell', '3 probabilities', 'no rows')
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number or 'no'} {noun if number == 1 else plural}"
