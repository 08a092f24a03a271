"""Terms of queries: variables, values, worlds and conditions checked against one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from . import tree
from .formula import Kernel, Term
from .labels import number
from .program import Finite, Model, Variable
from .scope import Scope
from .source import Span


@dataclass(frozen=True, slots=True)
class Given:
    """What stands after the bar."""

    terms: tuple[Term, ...]
    do: tuple[Term, ...]
    source: str | None


@dataclass
class TermResolver:
    """Terms and kernels about one model; what is wrong is noted in the scope, and then the answer is None."""

    scope: Scope
    model: Model

    def kernel(self, outcomes: Sequence[Term], given: Given, place: Span) -> Kernel | None:
        """The kernel, once no variable of one world stands in it twice (S402)."""
        seen: set[tuple[str, tuple[Term, ...]]] = set()
        fixed = {(term.variable, ()) for term in given.do}
        for term in (*given.do, *given.terms, *outcomes):
            key = (term.variable, term.world)
            if key in seen:
                where = "set by do(..) and asked for" if key in fixed else "named"
                text = f"{term.variable} is {where} twice in one query"
                if key in fixed:
                    text = f"{term.variable} is set by do(..), and cannot also be asked for or given"
                self.scope.report("S402", text, place, "", "leave one of the two out")
                return None
            seen.add(key)
        return Kernel(tuple(outcomes), given.terms, given.do, given.source)

    def given(self, parts: Sequence[tree.Given], source: tree.Name | None) -> Given | None:
        """What stands after the bar, with the source that a kernel names."""
        terms: list[Term | None] = []
        do: list[Term | None] = []
        names = [part.domain for part in parts if isinstance(part, tree.InDomain)]
        for part in parts:
            match part:
                case tree.Event():
                    terms.append(self.event(part))
                case tree.Do(events):
                    do.extend(self.do_term(event) for event in events)
                case tree.InDomain():
                    continue
                case _:
                    assert_never(part)
        origin, sound = self._source(source, names)
        if not sound or None in terms or None in do:
            return None
        return Given(tuple(term for term in terms if term), tuple(term for term in do if term), origin)

    def _source(self, source: tree.Name | None, domains: Sequence[tree.Name]) -> tuple[str | None, bool]:
        """The named source of a kernel, and whether all is well with it."""
        if len(domains) + (source is not None) > 1:
            place = domains[-1].span
            self.scope.report("S412", "a probability has one source", place, "a second one", "leave one of them out")
            return None, False
        if source is not None:
            return source.text, self._known_source(source)
        if domains:
            return domains[0].text, self.scope.domain_named(domains[0], self.model.name) is not None
        return None, True

    def _known_source(self, source: tree.Name) -> bool:
        if (self.model.name, source.text) in self.scope.domains:
            return True
        data = self.scope.data.get(source.text)
        if data is None:
            known = [*self.scope.data, *(name for owner, name in self.scope.domains if owner == self.model.name)]
            self.scope.unknown("S106", "data set or domain", source, known)
        elif data.model != self.model.name:
            text = f"'{source.text}' is data of model {data.model}, not of {self.model.name}"
            self.scope.report("S407", text, source.span, "another model's")
        return data is not None and data.model == self.model.name

    # -- terms

    def event(self, event: tree.Event) -> Term | None:
        """The term of an event, its variable, value and worlds checked."""
        name = event.variable.variable if isinstance(event.variable, tree.World) else event.variable
        variable = self.scope.known_variable(name, self.model)
        world = self.world(event.variable) if isinstance(event.variable, tree.World) else ()
        if variable is None or world is None:
            return None
        value = None if event.value is None else self.scope.known_label(event.value, variable)
        return None if event.value is not None and value is None else Term(name.text, value, world)

    def do_term(self, event: tree.Event) -> Term | None:
        """The term of an intervention: a plain variable of this world."""
        if isinstance(event.variable, tree.World):
            text = "do(..) sets variables of this world"
            self.scope.report("S410", text, event.span, "a variable of another world", "set it in the brackets instead")
            return None
        return self.event(event)

    def world(self, world: tree.World) -> tuple[Term, ...] | None:
        """The interventions of a world."""
        settings = [self._setting(setting) for setting in world.settings]
        known = [setting for setting in settings if setting is not None]
        if len(known) < len(settings):
            return None
        names = [setting.variable for setting in known]
        for name, term, setting in zip(names, known, world.settings, strict=True):
            own = name == world.variable.text and term.swap is None
            if names.count(name) > 1 or own:
                what = "set twice in one world" if names.count(name) > 1 else "asked for in a world that sets it"
                self.scope.report("S402", f"{name} is {what}", setting.span, "", "leave this out")
                return None
        return tuple(known)

    def _setting(self, setting: tree.Setting) -> Term | None:
        match setting:
            case tree.Swap(variable, domain):
                known = variable.text == "." or self.scope.known_variable(variable, self.model) is not None
                found = self.scope.domain_named(domain, self.model.name)
                return Term(variable.text, swap=domain.text) if known and found else None
            case tree.Assign(name, tree.World() as nested):
                return self._nested(name, nested)
            case tree.Assign(name, None):
                return Term(name.text) if self.scope.known_variable(name, self.model) else None
            case tree.Assign(name, tree.Label() as value):
                variable = self.scope.known_variable(name, self.model)
                label = self.scope.known_label(value, variable) if variable else None
                return None if label is None else Term(name.text, label)
            case _:
                raise AssertionError(setting)

    def _nested(self, name: tree.Name, nested: tree.World) -> Term | None:
        if nested.variable.text != name.text:
            text = f"{name.text} can only take the value that {name.text} itself has in another world"
            help = f"write {name.text} = {name.text}[..]"
            self.scope.report("S410", text, nested.span, f"this is {nested.variable.text}", help)
            return None
        variable = self.scope.known_variable(name, self.model)
        world = self.world(nested)
        return None if variable is None or world is None else Term(name.text, None, world)

    def numeric(self, variable: Variable, place: Span) -> bool:
        """Whether a variable's values are numbers (S404)."""
        if not isinstance(variable.values, Finite):
            return True
        strange = [label for label in variable.values.labels if number(label) is None]
        if strange:
            last = variable.values.labels[-1]
            text = f"the values of {variable.name} are not numbers: {', '.join(strange[:4])}"
            help = f"ask for a probability, P({variable.name} = {last})"
            self.scope.report("S404", text, place, "has no expectation", help)
        return not strange
