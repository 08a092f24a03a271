"""Answers of `fit`: an invertible latent model of several domains, fitted to samples of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dsl.printer import format_source
from ..dsl.program import Fit, Program
from ..dsl.source import Source
from ..identify.derivation import Check
from .answer import Answer

if TYPE_CHECKING:
    from ..semantics.fitting.domain_fit import DomainFit
    from ..semantics.fitting.real_rows import Floats

NEGLIGIBLE = 1e-6
WORDS = ("the same", "another constant", "other weights", "all of it")
"""What differs between domains, for each way of sharing a mechanism."""


@dataclass
class Fits:
    """The fits of a program's statements, each made once; paths of data are taken from `folder`."""

    program: Program
    folder: Path
    frames: Mapping[str, Any] = field(default_factory=dict)
    made: dict[Fit, DomainFit] = field(default_factory=dict)

    def fit(self, statement: Fit) -> DomainFit:
        """What the statement fits."""
        if statement not in self.made:
            from ..semantics.fitting.domain_fit import fit_domains

            observed = self.program.models[statement.model].observed
            pairs = zip(statement.domains, statement.sources, strict=True)
            samples = {domain: self.sample(name, observed) for domain, name in pairs}
            self.made[statement] = fit_domains(samples, statement.design, statement.k)
        return self.made[statement]

    def sample(self, name: str, observed: Sequence[str]) -> Floats:
        """The rows of a data set, `rows columns`."""
        from ..semantics.fitting.real_rows import real_rows

        return real_rows(self.program.data[name], observed, self.folder, self.frames)

    def text(self, statement: Fit) -> str:
        """The fitted model as a program, as `suture fmt` writes it."""
        from ..semantics.fitting.leaky_reading import leaky_program

        name = statement.name or f"{statement.model}Fitted"
        observed = self.program.models[statement.model].observed
        return format_source(Source(leaky_program(self.fit(statement).model, name, observed)))


def fitted_answer(head: Answer, statement: Fit, fits: Fits) -> Answer:
    """The fitted model as a program, beside the two trivial maps, with the laws of its maps checked."""
    found = fits.fit(statement)
    gaps = found.distances
    pairs = (("as fitted", gaps.model), ("shift by means", gaps.shift), ("left as it is", gaps.identity))
    worst = max(gaps.round_trip, gaps.composition)
    lines = (
        f"design          {found.design}, {found.k} of {len(found.structure.order)} mechanisms differ",
        *_differing(found),
        f"log-likelihood  {found.likelihood[0]:.4f} a sample, {found.likelihood[1]:.4f} of those held out",
        "energy distance of moved samples to the domain they are moved to:",
        *(f"  {name:<14}{value:10.4f}" for name, value in pairs),
    )
    check = Check(1, worst, None, "there and back, and by way of a third domain, on samples held out")
    return replace(
        head,
        value=_value(found),
        lines=lines,
        program=fits.text(statement),
        check=check,
        notes=(*_notes(found),),
    )


def _differing(found: DomainFit) -> list[str]:
    """What differs, a line for each mechanism that does, in causal order of the latents."""
    size = len(found.structure.order)
    places = [place for place, shared in enumerate(found.structure.sharing) if shared]
    return [f"  mechanism {place + 1} of {size}: {WORDS[found.structure.sharing[place]]}" for place in places]


def _value(found: DomainFit) -> dict[str, Any]:
    gaps = found.distances
    return {
        "design": found.design,
        "k": found.k,
        "differs": [WORDS[shared] for shared in found.structure.sharing],
        "bic": list(found.scores),
        "log_likelihood": {"training": found.likelihood[0], "held_out": found.likelihood[1]},
        "energy_distance": {"fitted": gaps.model, "shift_by_means": gaps.shift, "identity": gaps.identity},
        "doubtful": found.doubtful,
        "round_trip": gaps.round_trip,
        "composition": gaps.composition,
        "starts": [{"loss": start.loss, "held_out": start.validation} for start in found.starts],
    }


def _notes(found: DomainFit) -> list[str]:
    notes = [
        "samples tell a counterfactual only as far as the model holds: normal noises, a leaky ReLU behind a matrix, "
        "and mechanisms that change as little as they can"
    ]
    if found.design == "dense":
        notes.append("a dense design fits the distributions in any order of latents, each with other counterfactuals")
    if found.doubtful is not None and found.doubtful > NEGLIGIBLE:
        notes.append(
            "the samples do not tell the order of two mechanisms that both change; in the other order "
            f"counterfactuals are {found.doubtful:.3g} away, as the root of the mean square"
        )
    if found.distances.shift < found.distances.model:
        notes.append("adding the difference of the means comes closer to the other domain than the fitted map")
    return notes
