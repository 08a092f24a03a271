"""Checking what a do-calculus search found, by means the search knows nothing of.

`replay_search` checks every step of a proof from its two sides (`do_replay.py`, which reads separations off the
mutilated diagram) and that the formula is made of conditionals of margins of the inputs.  `certify_search` also
evaluates the formula on random models with latent variables against surgery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...dsl.diagram import Diagram
from ...dsl.formula import Formula, Kernel, kernels
from ...dsl.formula_text import text
from ..certify import MODELS, TOLERANCE, CertificationError, check_formula
from ..derivation import Derivation, Identified, Outcome, Source
from .do_replay import replay_do
from .do_search_proof import given_by


def sources_of(inputs: Sequence[Kernel]) -> tuple[Source, ...]:
    """The distributions of which the inputs are parts."""
    found = (Source(kernel.source, tuple(term.variable for term in kernel.do)) for kernel in inputs)
    return tuple(dict.fromkeys(found))


def replay_search(
    derivation: Derivation, query: Kernel, diagram: Diagram, inputs: Sequence[Kernel], formula: Formula
) -> tuple[str, ...]:
    """Why the derivation does not prove that `query` equals `formula`, made of the inputs; nothing where it does."""
    missing = next((kernel for kernel in kernels(formula) if given_by(kernel, inputs) is None), None)
    if missing is not None:
        return (f"no input gives {text(missing)}",)
    return replay_do(derivation, query, diagram, formula, sources_of(inputs))


def certify_search(
    outcome: Outcome, query: Kernel, diagram: Diagram, inputs: Sequence[Kernel], models: int = MODELS
) -> Outcome:
    """The outcome with its check filled in; raises `CertificationError` where the proof or the check fails."""
    if not isinstance(outcome, Identified):
        return outcome
    faults = replay_search(outcome.derivation, query, diagram, inputs, outcome.formula)
    check = check_formula(query, outcome.formula, diagram, models, sources_of(inputs))
    if check.max_error is not None and not check.max_error <= TOLERANCE:
        faults = (*faults, f"the formula is off by {check.max_error:g} on a random model")
    if faults:
        raise CertificationError(f"{text(query)}: {'; '.join(faults)}")
    return replace(outcome, check=check)
