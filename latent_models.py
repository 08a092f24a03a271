"""The library face of latent models of several domains, from a program, from matrices, or from JAX functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Self

from .answers.across_domains import Families, canonicalised, counterfactual, equivalent_models, heads
from .answers.answer import Answer, Status
from .dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from .dsl.labels import find_label, number
from .dsl.program import Canonicalise, Counterfactual, Equivalent, Program
from .dsl.source import Source, Span
from .engine import read

if TYPE_CHECKING:
    from .semantics.fitting.domain_fit import DomainFit
    from .semantics.fitting.image_fit import ImageFit
    from .semantics.latent.domain_families import Family
    from .semantics.latent.function_domains import FunctionDomains

NOWHERE = Span(0, 0, 0, 0)
Statement = Canonicalise | Equivalent | Counterfactual
Labels = Mapping[str, tuple[str, ...] | None]
"""Observed variables with the labels of their values; None for numbers."""


class LatentModel:
    """A model with its domains: what would a sample of one have been in another?

    From the text of a model and its domains, in the language.  Raises `SutureError` where that is not one model with
    domains.

    >>> lens = LatentModel('''
    ... model Lens {
    ...   latent Z : real := noise
    ...   X : real := 2 * Z + 1
    ... }
    ... domain old of Lens {}
    ... domain new of Lens { Z := 3 * noise }''')
    >>> lens.counterfactual({"X": 5}, "old", "new").exact
    {'variables': ['X'], 'rows': [['13']]}
    """

    def __init__(self, text: str) -> None:
        program = read(Source(text))
        if len(program.models) != 1 or not program.domains:
            message = "expected one model and its domains"
            raise SutureError(Diagnostic("S019", message, help="write model M { .. } and domain d of M { .. }"))
        model = next(iter(program.models.values()))
        labels = {name: model.labels(name) for name in model.observed}
        self._set(model.name, labels, tuple(domain.name for domain in program.domains.values()), Families(program))

    def _set(self, name: str, labels: Labels, domains: tuple[str, ...], families: Families) -> None:
        self._name, self._labels, self._domains, self._families = name, labels, domains, families

    @classmethod
    def from_matrices(
        cls,
        observation: Any,
        mechanisms: Mapping[str, Any],
        shifts: Mapping[str, Any] | None = None,
        offset: Any = None,
        observed: Sequence[str] | None = None,
        latents: Sequence[str] | None = None,
    ) -> LatentModel:
        """x = G z + c with z = F_d e + b_d: `observation` is G, `size size`, `mechanisms` the F_d, lower triangular.

        Entries that are ints or Fractions are kept exactly.  Raises `SutureError` S461 where a matrix is no square of
        one size, not lower triangular or not invertible, and names it.
        """
        from .semantics.latent.linear_matrices import matrix_program

        return cls(matrix_program(observation, mechanisms, shifts, offset, observed, latents))

    @classmethod
    def from_functions(
        cls,
        mechanisms: Mapping[str, Callable[[Any], Any]],
        observation: Callable[[Any], Any],
        size: int,
        recovering: Callable[[Any], Any] | None = None,
        inverses: Mapping[str, Callable[[Any], Any]] | None = None,
        observed: Sequence[str] | None = None,
        latents: Sequence[str] | None = None,
    ) -> Self:
        """A model of JAX functions: `mechanisms` map noises to latents, one a domain, `observation` latents to what is
        seen; noises are standard normal, inverses are found numerically where none is given.

        Raises `SutureError` S461, naming the latent and the domain, where a function is not invertible.
        """
        from .semantics.latent.function_domains import function_domains

        family = function_domains(mechanisms, observation, size, recovering, inverses, observed, latents)
        return cls._of_functions(family, "Functions")

    @classmethod
    def from_fit(cls, fit: DomainFit | ImageFit, name: str = "Fitted", observed: Sequence[str] | None = None) -> Self:
        """What `fit_domains` or `fit_images` found, as a model that answers everything latent models answer.

        Observed variables are named X1, X2 .. where no names are given.  Raises `SutureError` S461 where there is not
        one name for each.
        """
        from .semantics.fitting.leaky_reading import leaky_program
        from .semantics.latent.function_domains import FunctionDomains
        from .semantics.latent.linear_matrices import given_names

        family = fit.model
        if isinstance(family, FunctionDomains):
            return cls._of_functions(replace(family, observed=given_names(observed, "X", family.size)), name)
        return cls(leaky_program(family, name, given_names(observed, "X", len(family.offset))))

    @classmethod
    def _of_functions(cls, family: FunctionDomains, name: str) -> Self:
        """The face of functions, which no text can write."""
        made = cls.__new__(cls)
        families = Families(Program(Source(""), {}, {}, {}, {}, ()), functions={name: family})
        made._set(name, dict.fromkeys(family.observed), family.domains, families)
        return made

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    @property
    def observed(self) -> tuple[str, ...]:
        """Names of the observed variables."""
        return tuple(self._labels)

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of the text."""
        return self._domains

    def family(self, domains: Sequence[str] | None = None) -> Family:
        """The model in some of its domains as matrices, permutations or expressions, for computations of your own."""
        return self._families.family(self.name, self._chosen(domains))

    def counterfactual(self, sample: Mapping[str, Any], start: str, end: str) -> Answer:
        """What a sample of one domain, a value for every observed variable, would have been in another.

        Raises `SutureError` where a name is unknown, or no noise gives the sample.
        """
        self._chosen((start, end))
        wrong = [name for name in sample if name not in self.observed]
        missing = [name for name in self.observed if name not in sample]
        if wrong:
            help = did_you_mean(wrong[0], self.observed)
            raise SutureError(Diagnostic("S104", f"unknown variable '{wrong[0]}' in model {self.name}", help=help))
        if missing:
            message = f"the sample does not give {one_of(missing)}"
            raise SutureError(Diagnostic("S464", message, help=f"a sample has {one_of(list(self.observed))}"))
        given = tuple((name, self._value(name, str(sample[name]))) for name in self.observed)
        return self._one(Counterfactual(given, self.name, start, end, NOWHERE))

    def transport(self, samples: Any, start: str, end: str) -> Any:
        """Many samples at once, `cases observed`, as a numpy array of floats; nan where no noise gives a sample.

        Samples of another shape, `cases ..`, such as pictures, are moved where each holds as many numbers as are
        observed.  Raises `SutureError` S460 where the variables have finitely many values, S466 where samples have
        another size.
        """
        import numpy as np

        from .identify.latent.domain_equivalence import moved
        from .semantics.latent.finite_domains import FiniteDomains

        family = self.family((start, end) if start != end else (start,))
        if isinstance(family, FiniteDomains):
            message = f"the variables of {self.name} have labels, and an array holds numbers"
            raise SutureError(Diagnostic("S460", message, help="ask 'counterfactual' sample by sample"))
        given = np.asarray(samples, dtype=float)
        if given.ndim < 2 or np.prod(given.shape[1:]) != len(self.observed):
            message = f"samples have {len(self.observed)} values each, and this array has shape {given.shape}"
            raise SutureError(Diagnostic("S466", message, help="give an array 'cases variables'"))
        flat = given.reshape(len(given), len(self.observed))
        return moved(family, family.position(start), family.position(end), flat).reshape(given.shape)

    def canonicalise(self, domains: Sequence[str] | None = None, name: str | None = None) -> Answer:
        """An equivalent model whose interventions come last, with its derivation; all domains where none are named."""
        return self._one(Canonicalise(self.name, self._chosen(domains), name, NOWHERE))

    def canonical(self, domains: Sequence[str] | None = None, name: str | None = None) -> LatentModel:
        """The canonical form as a model of its own, read from the program that `canonicalise` gives."""
        from .answers.across_domains import canonical_family
        from .semantics.latent.function_domains import FunctionDomains

        family = self.family(domains)
        if isinstance(family, FunctionDomains):
            title = name or f"{self.name}Last"
            form = canonical_family(family, title, NOWHERE)
            assert isinstance(form, FunctionDomains)
            return self._of_functions(form, title)
        answer = self.canonicalise(domains, name)
        if answer.program is None:
            message = f"{self.name} gives no numbers, so that its canonical form is no program"
            raise SutureError(Diagnostic("S460", message, help="give every mechanism"))
        return LatentModel(answer.program)

    def equivalent(self, other: LatentModel, domains: Sequence[str] | None = None) -> Answer:
        """Whether another model answers every domain counterfactual alike, and whether its distributions agree."""
        chosen = self._chosen(domains)
        second = other.name if other.name != self.name else f"{other.name} (second)"
        families = Families(self._families.program, functions=self._families.functions)
        families.made[self.name, chosen] = self.family(chosen)
        families.made[second, chosen] = other.family(chosen)
        return self._one(Equivalent(self.name, second, chosen, NOWHERE), families)

    def __repr__(self) -> str:
        return f"<suture.LatentModel {self.name}: {', '.join(self.observed)} in {', '.join(self.domains)}>"

    def _chosen(self, domains: Sequence[str] | None) -> tuple[str, ...]:
        chosen = self.domains if domains is None else tuple(dict.fromkeys(domains))
        for name in chosen:
            if name not in self.domains:
                help = did_you_mean(name, self.domains) or f"there is {one_of(list(self.domains))}"
                raise SutureError(Diagnostic("S103", f"unknown domain of {self.name}: '{name}'", help=help))
        return chosen

    def _value(self, name: str, value: str) -> str:
        """A value as its variable spells it, or the text of a number."""
        labels = self._labels[name]
        if labels is not None:
            found = find_label(labels, value)
        else:
            found = value if number(value) is not None or _is_float(value) else None
        if found is None:
            help = None if labels is None else f"the values of {name} are {one_of(list(labels))}"
            raise SutureError(Diagnostic("S201", f"'{value}' is not a value of {name}", help=help))
        return found

    def _one(self, statement: Statement, families: Families | None = None) -> Answer:
        known = families or self._families
        head = replace(Answer(type(statement).__name__.lower(), Status.VALUE), **heads(statement))
        match statement:
            case Canonicalise():
                return canonicalised(head, statement, known)
            case Equivalent():
                return equivalent_models(head, statement, known)
            case Counterfactual():
                return counterfactual(head, statement, known)


def _is_float(text: str) -> bool:
    """Whether a text is a finite float."""
    try:
        return isfinite(float(text))
    except ValueError:
        return False
