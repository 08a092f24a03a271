"""What a query needs of a program's model: boxes, values, mechanisms, those that domains lend among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.diagram import Diagram, Kind, live_boxes
from ..dsl.formula import Formula, kernels, node_terms, subformulas
from ..dsl.program import Domain, Mechanism, Model, Real
from ..dsl.worlds import in_world, parallel_worlds, swapped_name
from .mechanisms import finite_labels


@dataclass(frozen=True, slots=True)
class Needed:
    """What a formula depends on: boxes by name with the variable they belong to, and the variables whose values
    occur."""

    boxes: Mapping[str, str]
    variables: tuple[str, ...]


def needed(diagram: Diagram, formula: Formula) -> Needed:
    """The mechanisms and variables that evaluating the formula over the diagram touches."""
    boxes: dict[str, str] = {}
    variables = {term.variable for node in subformulas(formula) for term in node_terms(node) if term.swap is None}
    for kernel in kernels(formula):
        worlds = parallel_worlds(diagram, [in_world(term, kernel.do) for term in kernel.outcomes + kernel.given])
        live = live_boxes(worlds.diagram)
        for number in sorted(live):
            box = worlds.diagram.boxes[number]
            variables.update(worlds.diagram.types((*box.inputs, *box.outputs)))
            if box.kind is Kind.MECHANISM:
                boxes[box.name] = worlds.diagram.types(box.outputs)[0]
    order = {wire.name: place for place, wire in enumerate(diagram.wires)}
    return Needed(boxes, tuple(sorted(variables, key=lambda name: order[name])))


def labels_of(model: Model, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The labels of all the variables, or one error for all that have none."""
    found: dict[str, tuple[str, ...]] = {}
    problems: list[Diagnostic] = []
    for name in names:
        try:
            found[name] = finite_labels(model, name)
        except SutureError as error:
            problems.extend(error.diagnostics)
    if problems:
        raise SutureError(problems)
    return found


def given_mechanisms(model: Model, need: Needed, domains: Mapping[str, Domain]) -> dict[str, Mechanism]:
    """The mechanisms of the boxes that are given, those from domains under the names of their boxes."""
    lent = {
        swapped_name(variable, domain.name): domain.mechanisms.get(variable, model.mechanisms.get(variable))
        for domain in domains.values()
        for variable in need.boxes.values()
    }
    found = {name: lent.get(name, model.mechanisms.get(name)) for name in need.boxes}
    return {name: mechanism for name, mechanism in found.items() if mechanism is not None}


def missing_mechanism(model: Model, variable: str, name: str) -> Diagnostic:
    """The diagnostic (S428) of a box called `name` whose mechanism the model does not give."""
    parents = model.parents(variable)
    example = f"{variable} ~ table ({', '.join(parents)}) {{ .. }}" if parents else f"{variable} ~ {{..: 0.5, ..: 0.5}}"
    if isinstance(model.by_name[variable].values, Real):
        example = f"{variable} ~ Normal(mean, standard deviation)"
    message = f"this needs the mechanism of {name}, which model {model.name} does not give"
    hint = f"write {example}, or := and an equation; from data, use 'estimate'"
    return Diagnostic("S428", message, model.by_name[variable].span, "no mechanism", hint)
