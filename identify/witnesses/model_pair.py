"""Two concrete models as plain data: tables of exact rationals over one diagram, and how they print as a program.

A `ModelPair` is what a reader can check of an answer "not identifiable": two models over the same diagram, the
distributions in which they agree, and one number in which they differ.  `ModelPair.program` is suture's own language,
so that running it shows both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from ...dsl.diagram import Diagram
from ...dsl.formula import Kernel, Term, terms
from ...dsl.printer import format_source
from ...dsl.source import Source
from ...dsl.syntax_text import quoted_label

LINE = 100
SHOWN_CELLS = 256


@dataclass(frozen=True, slots=True)
class ProbabilityTable:
    """The probabilities of a variable's labels: one row a combination of the labels of `reads`, the last fastest.

    `reads` are the parents on which the probabilities depend, in the order of the box's inputs; others are ignored.
    """

    reads: tuple[str, ...]
    rows: tuple[tuple[Fraction, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Parents and rows as JSON data, numbers as text."""
        return {"reads": list(self.reads), "rows": [list(map(str, row)) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class ConcreteModel:
    """A diagram with labels and a table for every variable, latent ones included."""

    name: str
    diagram: Diagram
    labels: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, ProbabilityTable]

    def parents(self, name: str) -> tuple[str, ...]:
        """The variables that the box reads, in order, each once."""
        diagram = self.diagram
        box = diagram.boxes[diagram.producer[diagram.position[name]]]
        return tuple(dict.fromkeys(diagram.wires[wire].name for wire in box.inputs))

    def combinations(self, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Every combination of labels, the last variable fastest."""
        return product(*(self.labels[name] for name in names))

    @property
    def positive(self) -> bool:
        """Whether every entry of every table is above zero."""
        return all(weight > 0 for table in self.tables.values() for row in table.rows for weight in row)

    def program(self) -> str:
        """The model in suture's language; latent variables that have no name of their own get one."""
        names = printed_names(self.diagram)
        body = "".join(self._declaration(wire.name, wire.latent, names) for wire in self.diagram.wires)
        return f"model {self.name} {{\n{body}}}\n"

    def _declaration(self, name: str, latent: bool, names: Mapping[str, str]) -> str:
        labels = ", ".join(map(quoted_label, self.labels[name]))
        return self.mechanism(name, f"  {'latent ' * latent}{names[name]} : {{{labels}}} ~ ", names)

    def mechanism(self, name: str, head: str, names: Mapping[str, str]) -> str:
        """The table of a variable as the language writes it after `head`; `names` are those of `printed_names`."""
        parents = [names[parent] for parent in self.parents(name)]
        if not parents:
            (row,) = self.tables[name].rows
            pairs = zip(self.labels[name], row, strict=True)
            return head + "{" + ", ".join(f"{quoted_label(label)}: {weight}" for label, weight in pairs) + "}\n"
        rows = list(self._rows(name))
        head += f"table ({', '.join(parents)}) {{"
        line = f"{head} {' ; '.join(rows)} }}\n"
        return line if len(line) <= LINE else head + "\n" + "".join(f"    {row}\n" for row in rows) + "  }\n"

    def _rows(self, name: str) -> Iterator[str]:
        table = self.tables[name]
        for values, weights in zip(self.combinations(table.reads), table.rows, strict=True):
            chosen = dict(zip(table.reads, map(quoted_label, values), strict=True))
            cells = ", ".join(chosen.get(parent, "_") for parent in self.parents(name))
            yield f"{cells} => {', '.join(map(str, weights))}"

    def to_dict(self) -> dict[str, Any]:
        """Names, labels and tables as JSON data, numbers as text."""
        return {
            "name": self.name,
            "variables": [
                {
                    "name": wire.name,
                    "latent": wire.latent,
                    "labels": list(self.labels[wire.name]),
                    **self.tables[wire.name].to_dict(),
                }
                for wire in self.diagram.wires
            ],
        }


def printed_names(diagram: Diagram) -> dict[str, str]:
    """Each wire's name in a program: its own, or for an anonymous latent `X<->Y` a fresh `U_X_Y`."""
    taken = {wire.name for wire in diagram.wires}
    names: dict[str, str] = {}
    for wire in diagram.wires:
        name = wire.name
        if not name.isidentifier():
            stem = "U_" + "_".join(part for part in _words(wire.name) if part)
            name, number = stem, 2
            while name in taken:
                name, number = f"{stem}_{number}", number + 1
            taken.add(name)
        names[wire.name] = name
    return names


def _question(kernel: Kernel, equals: str = " = ") -> str:
    """A kernel as a program says it: labels that are keywords there stand in quotes."""

    def events(part: tuple[Term, ...]) -> str:
        labels = ((one, None if one.value is None else quoted_label(str(one.value))) for one in part)
        return ", ".join(one.variable if label is None else f"{one.variable}{equals}{label}" for one, label in labels)

    bar = [f"domain{equals}{kernel.source}"] * (kernel.source is not None)
    bar += [f"do({events(kernel.do)})"] * bool(kernel.do) + [events(kernel.given)] * bool(kernel.given)
    return f"P({events(kernel.outcomes)}{' | ' if bar else ''}{', '.join(bar)})"


def _formula(kernel: Kernel) -> str:
    """A kernel as formulas write it, labels in quotes where a program needs them."""
    source = "" if kernel.source is None else f"[{kernel.source}]"
    return f"P{source}{_question(replace(kernel, source=None), '=')[1:]}"


def _words(name: str) -> list[str]:
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in name).split(" ")


# ---------------------------------------------------------------------------------------------------------------------
# The pair


@dataclass(frozen=True, slots=True)
class Known:
    """A distribution in which two models must agree; mechanisms of `differs` may be others where it is from.

    Where they are, `kernel.source` names the domain.
    """

    kernel: Kernel
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherDomain:
    """A domain of both models: each with these tables for its own, the same ones in both."""

    name: str
    tables: Mapping[str, ProbabilityTable]

    def of(self, model: ConcreteModel) -> ConcreteModel:
        """The model in this domain."""
        return replace(model, tables={**model.tables, **self.tables})

    def program(self, model: ConcreteModel, name: str) -> str:
        """The domain of a model in suture's language, under a name."""
        names, here = printed_names(model.diagram), self.of(model)
        body = "".join(here.mechanism(one, f"  {names[one]} ~ ", names) for one in self.tables)
        return f"domain {name} of {model.name} {{\n{body}}}\n"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A distribution in which both models were found equal, entry by entry in exact rationals.

    `checked` is the number of entries compared; variables that are independent noise in both models, in the same way,
    are left out of them and named in `noise`.
    """

    kernel: Kernel
    checked: int
    noise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Two positive models over one diagram that agree in `agreements` and differ in the number `query`.

    With `domains` they are two systems of models: an agreement whose kernel names a domain was found there.
    """

    first: ConcreteModel
    second: ConcreteModel
    query: Kernel
    first_value: Fraction
    second_value: Fraction
    agreements: tuple[Agreement, ...]
    construction: str
    domains: tuple[OtherDomain, ...] = ()

    @property
    def difference(self) -> Fraction:
        """How far the two values are apart."""
        return abs(self.second_value - self.first_value)

    @property
    def program(self) -> str:
        """Both models and the queries that show where they agree and where they differ, ready to run.

        A joint distribution too long to print is shown for its last variables.
        """
        lines = ["# two models of the domain asked about, and what differs in others\n\n"] * bool(self.domains)
        for model in (self.first, self.second):
            lines += [model.program(), "\n"]
            for domain in self.domains:
                lines += [domain.program(model, self._printed(domain.name, model)), "\n"]
        lines.append("# the same in both\n")
        for agreement in self.agreements:
            lines.extend(self._asked(self._shown(agreement)))
        return format_source(Source("".join([*lines, "\n# different\n", *self._asked(self.query)])))

    def _asked(self, kernel: Kernel) -> list[str]:
        lines: list[str] = []
        for model in (self.first, self.second):
            source = None if kernel.source is None else self._printed(kernel.source, model)
            lines.append(f"compute {_question(replace(kernel, source=source))} in {model.name}\n")
        return lines

    def _printed(self, domain: str, model: ConcreteModel) -> str:
        """The name of a model's domain in the program: both models have one of each, under names of their own."""
        stems = ["_".join(_words(one.name)) for one in self.domains]
        place = [one.name for one in self.domains].index(domain)
        again = f"_{place + 1}" * (stems.count(stems[place]) > 1)
        return f"{stems[place]}{again}_of_{model.name}"

    def _shown(self, agreement: Agreement) -> Kernel:
        """The kernel of an agreement, without variables of noise, or summed further where its table would be long."""
        kernel, labels = agreement.kernel, self.first.labels
        names = [term.variable for term in kernel.outcomes if term.variable not in agreement.noise]
        fixed = {term.variable: labels[term.variable][0] for term in kernel.do if term.variable in agreement.noise}
        do = tuple(Term(term.variable, fixed.get(term.variable, term.value)) for term in kernel.do)
        names = names or [term.variable for term in kernel.outcomes[:1]]
        rows = math.prod(len(labels[name]) for name in names)
        while rows > SHOWN_CELLS and len(names) > 1:
            rows //= len(labels[names.pop(0)])
        return Kernel(terms(names), kernel.given, do, kernel.source)

    def text(self) -> str:
        """One paragraph: where the models agree and where they differ."""
        same = ", ".join(_formula(agreement.kernel) for agreement in self.agreements)
        variants = ", ".join(domain.name for domain in self.domains)
        where = f", each with a variant for {variants}," if variants else ""
        agree = f"agree on {same}, yet" if same else "differ:"
        return (
            f"two models over the same diagram{where} {agree} {_formula(self.query)} is"
            f" {self.first_value} ({float(self.first_value):.4g}) in {self.first.name} and"
            f" {self.second_value} ({float(self.second_value):.4g}) in {self.second.name}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The pair as JSON data, numbers as text."""
        return {
            "query": _formula(self.query),
            "first": {"value": str(self.first_value), "model": self.first.to_dict()},
            "second": {"value": str(self.second_value), "model": self.second.to_dict()},
            "agree": [
                {"on": _formula(item.kernel), "entries": item.checked, "noise": list(item.noise)}
                for item in self.agreements
            ],
            "domains": [
                {"name": one.name, "tables": {name: table.to_dict() for name, table in one.tables.items()}}
                for one in self.domains
            ],
            "construction": self.construction,
            "program": self.program,
        }


@dataclass(frozen=True, slots=True)
class NoWitness:
    """Why no pair of models is shown; the hedge stands by itself."""

    reason: str

    def text(self) -> str:
        """The reason."""
        return self.reason

    def to_dict(self) -> dict[str, Any]:
        """The reason as JSON data."""
        return {"reason": self.reason}
