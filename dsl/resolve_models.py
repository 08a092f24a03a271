"""Models and domains: variables, their values, arrows and mechanisms, and the string diagram they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from . import tree
from .diagnostics import Note
from .diagram import model_diagram
from .labels import find_label
from .mechanism_expressions import mechanism_names, uses_noise
from .program import Domain, Finite, Mechanism, Model, Real, Values, Variable
from .resolve_mechanisms import MechanismResolver
from .scope import Scope
from .source import Span

MOST_VALUES = 10_000


def resolve_model(scope: Scope, model: tree.Model) -> Model | None:
    """The checked model, or None with its problems noted."""
    before = len(scope.problems)
    resolver = _ModelResolver(scope, model)
    made = resolver.resolve()
    return made if len(scope.problems) == before else None


@dataclass
class _ModelResolver:
    """The variables and arrows of one model as they are read."""

    scope: Scope
    model: tree.Model
    variables: dict[str, Variable] = field(default_factory=dict)
    mechanisms: dict[str, tree.Mechanism] = field(default_factory=dict)
    arrows: dict[tuple[str, str], Span] = field(default_factory=dict)
    hidden: dict[frozenset[str], tuple[str, str]] = field(default_factory=dict)
    undeclared: set[str] = field(default_factory=set)

    def resolve(self) -> Model | None:
        declarations = [item for item in self.model.items if isinstance(item, tree.Declaration)]
        for declaration in declarations:
            self._declare(declaration)
        for item in self.model.items:
            if isinstance(item, tree.Edges):
                self._edges(item, strict=bool(declarations))
        self._common_causes()
        mechanisms = self._mechanisms()
        parents = self._parents(mechanisms)
        mutable = self._mutable()
        if self._cycle(parents):
            return None
        latent = {variable.name for variable in self.variables.values() if variable.latent}
        return Model(
            self.model.name.text,
            tuple(self.variables.values()),
            model_diagram(parents, latent),
            mechanisms,
            mutable,
            self.model.span,
        )

    # -- variables

    def _declare(self, declaration: tree.Declaration) -> None:
        values = self._values(declaration)
        for name in declaration.names:
            if name.text in self.variables:
                first = self.variables[name.text].span or name.span
                text = f"variable '{name.text}' is declared twice in model {self.model.name.text}"
                self.scope.report("S101", text, name.span, "declared again", None, (Note(first, "first here"),))
                continue
            self.variables[name.text] = Variable(name.text, values, declaration.latent, name.span)
            if declaration.mechanism is not None:
                self.mechanisms[name.text] = declaration.mechanism

    def _values(self, declaration: tree.Declaration) -> Values | None:
        if declaration.values is not None:
            return resolve_values(self.scope, declaration.values)
        match declaration.mechanism:
            case tree.WeightsMechanism(weights):
                return _finite(self.scope, [label for label, _ in weights])
            case tree.FamilyMechanism(family, _):
                return Finite(("0", "1")) if family.text == "Bernoulli" else Real()
            case tree.EquationMechanism(expression) if uses_noise(expression):
                return Real()
            case _:
                return None

    def _mutable(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for item in self.model.items:
            for name in item.names if isinstance(item, tree.Mutable) else ():
                if self._known(name, declared=True):
                    found[name.text] = None
        return tuple(found)

    def _known(self, name: tree.Name, declared: bool) -> bool:
        """Whether a name is a variable; where nothing is declared, arrows introduce it."""
        if name.text in self.variables:
            return True
        if declared:
            self._undeclared(name)
            return False
        self.variables[name.text] = Variable(name.text, None, False, name.span)
        return True

    def _undeclared(self, name: tree.Name) -> None:
        """Note a name that a model with declarations does not declare, each once; all at once where none is seen."""
        if name.text in self.undeclared:
            return
        edges = [item for item in self.model.items if isinstance(item, tree.Edges)]
        mentioned = dict.fromkeys(other.text for item in edges for group in item.groups for other in group.names)
        missing = [other for other in mentioned if other not in self.variables]
        if name.text not in missing or any(not variable.latent for variable in self.variables.values()):
            self.undeclared.add(name.text)
            self.scope.unknown_variable(name, self.model.name.text, self.variables)
            return
        self.undeclared.update(missing)
        text = f"unknown variable '{name.text}' in model {self.model.name.text}, which declares latent variables alone"
        help = f"a model that declares one variable declares all; add: {', '.join(missing)}"
        self.scope.report("S104", text, name.span, "not declared", help)

    # -- arrows

    def _edges(self, edges: tree.Edges, strict: bool) -> None:
        known = {name.text for group in edges.groups for name in group.names if self._known(name, strict)}
        for (left, right), arrow in zip(pairwise(edges.groups), edges.arrows, strict=True):
            for first, second in product(left.names, right.names):
                if first.text in known and second.text in known:
                    self._arrow(first, arrow, second)

    def _arrow(self, first: tree.Name, arrow: str, second: tree.Name) -> None:
        place = first.span.to(second.span)
        if first.text == second.text:
            text = f"{first.text} cannot be its own cause"
            self.scope.report("S205", text, place, "an arrow to itself")
        elif arrow == "<->":
            self.hidden.setdefault(frozenset((first.text, second.text)), (first.text, second.text))
            self.arrows.setdefault((f"{first.text}<->{second.text}", first.text), place)
        else:
            cause, effect = (first, second) if arrow == "->" else (second, first)
            self.arrows.setdefault((cause.text, effect.text), place)

    def _common_causes(self) -> None:
        """`X <-> Y` becomes a latent variable `X<->Y` with an arrow to each."""
        places = {cause: place for (cause, _), place in self.arrows.items() if "<->" in cause}
        self.arrows = {(cause, effect): place for (cause, effect), place in self.arrows.items() if "<->" not in cause}
        for first, second in self.hidden.values():
            name = f"{first}<->{second}"
            self.variables[name] = Variable(name, None, True, places[name])
            self.arrows[name, first] = self.arrows[name, second] = places[name]

    # -- mechanisms and the diagram

    def _mechanisms(self) -> dict[str, Mechanism]:
        resolver = MechanismResolver(self.scope, self.model.name.text, self.variables)
        made: dict[str, Mechanism] = {}
        for name, mechanism in self.mechanisms.items():
            drawn = tuple(cause for cause, effect in self.arrows if effect == name)
            resolved = resolver.resolve(name, mechanism, drawn)
            if resolved is not None:
                made[name] = resolved
                self._agreement(name, mechanism, resolved)
        return made

    def _agreement(self, name: str, written: tree.Mechanism, mechanism: Mechanism) -> None:
        """An arrow into a variable whose mechanism does not read its source contradicts the mechanism."""
        for (cause, effect), place in self.arrows.items():
            if effect != name or cause in mechanism.parents:
                continue
            text = f"the mechanism of {name} does not use {cause}, yet an arrow says it does"
            if "<->" in cause:
                text = f"{name} has a mechanism, so '{cause}' cannot add a hidden cause to it"
            note = Note(written.span, "the mechanism")
            help = f"leave the arrow out, or let the mechanism of {name} read {cause}"
            if "<->" in cause:
                help = "declare the common cause as a latent variable and let the mechanism read it"
            self.scope.report("S211", text, place, "disagrees with the mechanism", help, (note,))

    def _parents(self, mechanisms: Mapping[str, Mechanism]) -> dict[str, tuple[str, ...]]:
        drawn: dict[str, list[str]] = {name: [] for name in self.variables}
        for cause, effect in self.arrows:
            drawn[effect].append(cause)
        return {name: self._box_inputs(name, drawn[name], mechanisms) for name in self.variables}

    def _box_inputs(self, name: str, drawn: Sequence[str], mechanisms: Mapping[str, Mechanism]) -> tuple[str, ...]:
        """The parents of a variable: those its mechanism names, in its order, else those of its arrows."""
        if name in mechanisms:
            return mechanisms[name].parents
        written = self.mechanisms.get(name)
        named = [own.text for own in mechanism_names(written)] if written else []
        return tuple(dict.fromkeys([*(text for text in named if text in self.variables and text != name), *drawn]))

    def _cycle(self, parents: Mapping[str, Sequence[str]]) -> bool:
        cycle = find_cycle(parents)
        if cycle is None:
            return False
        text = f"the causes form a cycle: {' -> '.join((*cycle, cycle[0]))}"
        place = self.arrows.get((cycle[-1], cycle[0])) or self._mechanism_place(cycle[0])
        self.scope.report("S204", text, place, "closes the cycle", "a variable cannot be a cause of itself")
        return True

    def _mechanism_place(self, name: str) -> Span:
        written = self.mechanisms.get(name)
        return written.span if written else self.model.name.span


def find_cycle(parents: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """A cycle of variables, each a cause of the next, or None; needs no recursion.

    >>> find_cycle({"A": ["C"], "B": ["A"], "C": ["B"]})
    ('A', 'B', 'C')
    """
    left = {name: set(causes) for name, causes in parents.items()}
    effects: dict[str, list[str]] = {name: [] for name in parents}
    for name, causes in parents.items():
        for cause in causes:
            effects[cause].append(name)
    ready = [name for name, causes in left.items() if not causes]
    while ready:
        gone = ready.pop()
        left.pop(gone)
        for effect in effects[gone]:
            left[effect].discard(gone)
            if not left[effect]:
                ready.append(effect)
    if not left:
        return None
    return _walk_back(parents, left)


def _walk_back(parents: Mapping[str, Sequence[str]], left: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Every variable left over has a cause left over, so walking back from the first one meets itself."""
    path: list[str] = []
    here = next(name for name in parents if name in left)
    while here not in path:
        path.append(here)
        here = next(cause for cause in parents[here] if cause in left)
    cycle = path[path.index(here) :][::-1]
    first = min(range(len(cycle)), key=lambda place: list(parents).index(cycle[place]))
    return tuple(cycle[first:] + cycle[:first])


# ---------------------------------------------------------------------------------------------------------------------
# Values


def resolve_values(scope: Scope, values: tree.Values) -> Values | None:
    """The values a variable may take; None with a problem noted (S209)."""
    match values:
        case tree.Reals(dimension):
            return Real(dimension or 1)
        case tree.LabelSet(labels):
            return _finite(scope, labels)
        case tree.Range(low, high):
            first, last = int(low.text), int(high.text)
            if first > last:
                text = f"the range {first}..{last} is empty"
                scope.report("S209", text, values.span, "", f"the smaller end comes first: {last}..{first}")
                return None
            if last - first >= MOST_VALUES:
                text = f"the range {first}..{last} has more than {MOST_VALUES:,} values"
                scope.report("S209", text, values.span, "too many", "for numbers without end, write 'real'")
                return None
            return Finite(tuple(str(value) for value in range(first, last + 1)))


def _finite(scope: Scope, labels: Sequence[tree.Label]) -> Finite | None:
    """A set of labels without repeats."""
    found: list[str] = []
    for label in labels:
        if find_label(found, label.text) is not None:
            scope.report("S209", f"the value '{label.text}' is listed twice", label.span, "again")
        else:
            found.append(label.text)
    return Finite(tuple(found))


# ---------------------------------------------------------------------------------------------------------------------
# Domains


def resolve_domain(scope: Scope, domain: tree.Domain) -> Domain | None:
    """The checked domain, or None with its problems noted."""
    before = len(scope.problems)
    model = scope.model_named(domain.model)
    if model is None:
        return None
    resolver = MechanismResolver(scope, model.name, model.by_name)
    mechanisms: dict[str, Mechanism] = {}
    for replacement in domain.replacements:
        made = _replacement(scope, domain, model, resolver, replacement)
        if made is not None and replacement.variable.text in mechanisms:
            text = f"the mechanism of {replacement.variable.text} is given twice in domain {domain.name.text}"
            scope.report("S212", text, replacement.span, "again")
        elif made is not None:
            mechanisms[replacement.variable.text] = made
    return Domain(domain.name.text, model.name, mechanisms, domain.span) if len(scope.problems) == before else None


def _replacement(
    scope: Scope, domain: tree.Domain, model: Model, resolver: MechanismResolver, replacement: tree.Replacement
) -> Mechanism | None:
    variable = scope.known_variable(replacement.variable, model)
    if variable is None:
        return None
    if model.mutable and variable.name not in model.mutable:
        text = f"the mechanism of {variable.name} is not mutable in model {model.name}"
        help = f"write 'mutable {', '.join((*model.mutable, variable.name))}' in the model"
        scope.report("S215", text, replacement.variable.span, "cannot differ between domains", help)
        return None
    parents = model.parents(variable.name)
    made = resolver.resolve(variable.name, replacement.mechanism, parents)
    strangers = [] if made is None else [parent for parent in made.parents if parent not in parents]
    for stranger in strangers:
        text = f"in a domain, {variable.name} may read only its parents in the model, and {stranger} is none"
        names = ", ".join(parents) or "none"
        scope.report("S211", text, replacement.span, "another shape", f"the parents of {variable.name}: {names}")
    return None if strangers else made
