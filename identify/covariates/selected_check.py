"""Certifying adjustment from a selected sample: proof, numbers, and that the formula only uses what is known."""

from __future__ import annotations

from ...dsl.diagram import Diagram
from ...dsl.formula import Formula, Kernel, kernels
from ..certify import MODELS, CertificationError, certify
from ..derivation import Identified, Outcome
from ..do_proofs.do_search_proof import given_by
from ..replay import replay
from .selected_steps import Samples


def certify_selected(
    outcome: Outcome, query: Kernel, diagram: Diagram, samples: Samples, models: int = MODELS
) -> Outcome:
    """The outcome with its check filled in; raises `CertificationError` where proof, sources or check do not hold."""
    if isinstance(outcome, Identified):
        _refuse(unavailable(outcome.formula, samples))
    return certify(outcome, query, diagram, models, samples.sources)


def prove_selected(outcome: Identified, query: Kernel, diagram: Diagram, samples: Samples) -> None:
    """Replay the proof alone; raises `CertificationError` where it does not hold or uses what is not known."""
    _refuse(unavailable(outcome.formula, samples))
    faults = replay(outcome.derivation, query, diagram, outcome.formula, samples.sources)
    _refuse("; ".join(faults) or None)


def _refuse(fault: str | None) -> None:
    if fault is not None:
        raise CertificationError(fault)


def unavailable(formula: Formula, samples: Samples) -> str | None:
    """Why the formula needs more than the samples show; None where it does not."""
    values = {term.variable: term.value for term in samples.sample.given}
    for kernel in kernels(formula):
        known = given_by(kernel, (samples.sample, *samples.outside))
        if known is None:
            return "a kernel of the formula is no part of what is known"
        if any(term.value != values.get(term.variable, term.value) for term in (*kernel.outcomes, *kernel.given)):
            return "a kernel of the formula is about a value by which the sample was not selected"
    return None
