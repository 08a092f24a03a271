"""Answers to `adjust`: adjustment sets, and where the graph has them front-door sets and instruments.

Without sources everything observed is measured, for everyone.  With them the sets are sought for the one source that
measures treatments and outcomes: for everyone, or in a sample that a selection left, P(X, Y, Z | S = 1).  What that
source does not measure is taken as latent.  Of a selected sample other sources may tell the laws of covariates for
everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.diagram import Diagram, observe
from ..dsl.formula import Kernel, kernel_terms, probability
from ..dsl.formula_text import text
from ..dsl.program import Adjust, Model, Program
from ..dsl.source import Span
from ..identify.algorithms import identify
from ..identify.certify import CertificationError, certify
from ..identify.covariates.adjustment import adjustment_sets, braces
from ..identify.covariates.adjustment_steps import adjustment_outcome, asks_effect
from ..identify.covariates.effect import known
from ..identify.covariates.front_door import front_door
from ..identify.covariates.instruments import instruments
from ..identify.covariates.selected_adjustment import selected_adjustment
from ..identify.covariates.selected_check import certify_selected, prove_selected
from ..identify.covariates.selected_steps import Samples, pair_outcome, selected_outcome
from ..identify.derivation import Check, Identified, NotIdentified, Outcome, Undecided
from ..identify.graph import CausalGraph
from .answer import Answer, Estimand, Status
from .evidence import Question, parts

if TYPE_CHECKING:
    from ..identify.covariates.selected_adjustment import Pair, SelectedAdjustment
    from ..semantics.data.empirical import Empirical

# Instruments that are named, and sets that are written out as formulas; more say little.
SHOWN = 8


def adjusted(head: Answer, statement: Adjust, program: Program, load: Callable[[str], Empirical]) -> Answer:
    """The answer with all minimal valid sets, a smallest and the optimal one, or the path that no set blocks.

    Raises `SutureError` where no source, or more than one, measures treatments and outcomes together.
    """
    model, treatments, outcomes = program.models[statement.model], statement.treatments, statement.outcomes
    if not statement.sources:
        return _plain(head, model.diagram, treatments, outcomes)
    known(CausalGraph.of(model.diagram), (*treatments, *outcomes))
    query = probability(outcomes, (), treatments)
    _, sources = parts(program, model, Question(query, None), statement.sources, load, statement.span)
    samples, notes = samples_of(query, sources, statement.span)
    measured, diagram = seen(model, samples)
    left_out = [name for name in model.observed if name not in measured]
    if left_out:
        notes = (*notes, f"not in the sample: {', '.join(left_out)}; taken as latent")
    head = replace(head, notes=notes)
    if not samples.selected:
        return _plain(head, diagram, treatments, outcomes)
    return _selected(head, query, diagram, samples)


def _plain(head: Answer, diagram: Diagram, treatments: Sequence[str], outcomes: Sequence[str]) -> Answer:
    graph = CausalGraph.of(diagram)
    found = adjustment_sets(graph, treatments, outcomes)
    otherwise = _otherwise(diagram, treatments, outcomes) if found.sets is None else ()
    notes = (*head.notes, *_beside(graph, treatments, outcomes), *otherwise)
    return replace(head, value=found.to_dict(), lines=found.lines(), reason=found.reason, notes=notes)


def _otherwise(diagram: Diagram, treatments: Sequence[str], outcomes: Sequence[str]) -> tuple[str, ...]:
    """Where no set is valid, whether the effect can be had in another way."""
    query = probability(outcomes, (), treatments)
    found = identify(query, diagram)
    if isinstance(found, Identified):
        return (f"the effect is identifiable without adjustment: identify {text(query)}",)
    if isinstance(found, NotIdentified):
        return ("no other formula gives the effect from what is observed; 'bound' says what can be known",)
    return ()


def _beside(graph: CausalGraph, treatments: Sequence[str], outcomes: Sequence[str]) -> Iterator[str]:
    """Other ways to the effect: a front-door set, and instruments where there is one treatment and one outcome."""
    door = front_door(graph, treatments, outcomes)
    if door.minimal:
        yield f"front-door set: {{{', '.join(door.minimal)}}}"
    if len(treatments) == len(outcomes) == 1:
        found = instruments(graph, treatments[0], outcomes[0])
        if found:
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            named = ", ".join(instrument.text for instrument in found[:SHOWN])
            yield f"instruments (for linear models, and for bounds): {named}{more}"


# ---------------------------------------------------------------------------------------------------------------------
# Sources


def samples_of(query: Kernel, sources: Sequence[Kernel], span: Span | None) -> tuple[Samples, tuple[str, ...]]:
    """The source that measures what is asked, what others know for everyone, and notes on those of no use.

    Raises `SutureError` S417 where no source, or more than one, measures treatments and outcomes together.
    """
    observed = [kernel for kernel in sources if not kernel.do]
    whole = _with_all_asked(query, observed)
    if len(whole) != 1:
        raise SutureError(_no_sample(query, sources, whole, span))
    (sample,) = whole
    # In a sample of everyone nothing else is needed.
    outside = tuple(kernel for kernel in observed if not kernel.given and kernel is not sample and sample.given)
    unused = [text(kernel) for kernel in sources if kernel is not sample and kernel not in outside]
    return Samples(sample, outside), (f"of no use for adjustment: {', '.join(unused)}",) if unused else ()


def has_sample(query: Kernel, sources: Sequence[Kernel]) -> bool:
    """Whether the query is an effect, and one source measures treatments and outcomes together."""
    return asks_effect(query) and len(_with_all_asked(query, sources)) == 1


def _with_all_asked(query: Kernel, sources: Sequence[Kernel]) -> list[Kernel]:
    """The observed distributions of treatments and outcomes together, at fixed values of conditions at most."""
    asked = {term.variable for term in (*query.outcomes, *query.do)}
    return [
        kernel
        for kernel in sources
        if not kernel.do
        and asked <= {term.variable for term in kernel.outcomes}
        and all(term.value is None for term in kernel.outcomes)
        and all(isinstance(term.value, str) for term in kernel.given)
    ]


def _no_sample(query: Kernel, sources: Sequence[Kernel], whole: Sequence[Kernel], span: Span | None) -> Diagnostic:
    named = [term.variable for term in (*query.do, *query.outcomes)]
    asked = ", ".join(named)
    if whole:
        message = f"{len(whole)} sources measure {asked} together, and an adjustment is made in one sample"
        return Diagnostic("S417", message, span, "", f"name one of them: {' or '.join(map(text, whole))}")
    for kernel in sources:
        found = _fault(kernel, named)
        if found is not None:
            return Diagnostic("S417", f"{text(kernel)} {found[0]}", span, "", found[1])
    message = f"no source measures {asked} together, so there is no sample to adjust in"
    help = f"write P({asked}, ..) for everyone or P({asked}, .. | S = 1) for a sample selected by S"
    return Diagnostic("S417", message, span, "", help)


def _fault(kernel: Kernel, named: Sequence[str]) -> tuple[str, str] | None:
    """Why a distribution that names all that is asked is no sample of it, and what to do; None where it does not."""
    given = {term.variable: term.value for term in kernel.given}
    measured = {term.variable for term in kernel.outcomes}
    if not {*measured, *given} >= set(named):
        return None
    asked = ", ".join(named)
    if kernel.do:
        return "is an experiment, and adjustment is for what was only observed", "ask with: identify P(..) from .."
    for name, value in given.items():
        if name in named and isinstance(value, str):
            return (
                f"is at one value of {name}, so it does not show how {asked} go together",
                f"a sample selected by {name} itself, as in a case-control study, cannot be adjusted",
            )
        if value is None:
            shown = ", ".join(dict.fromkeys((*named, *measured)))
            return (
                f"has no value of {name}",
                f"write P({shown}) for everyone, or {name} = .. for a sample selected by it",
            )
    fixed = [term for term in kernel.outcomes if term.value is not None]
    if fixed:
        return f"fixes {fixed[0].variable} before the bar", "what a sample was selected by stands after the bar"
    return None


def identified_in_a_sample(query: Kernel, model: Model, sources: Sequence[Kernel]) -> Outcome:
    """P(Y | do(X)) by adjustment in the one source that measures what is asked, certified.

    Raises `CertificationError` where the result does not hold, `SutureError` S417 where there is no such source.
    """
    if not asks_effect(query):
        return Undecided("adjustment answers P(Y | do(X)) without conditions", method="adjustment")
    samples, _ = samples_of(query, sources, None)
    _, diagram = seen(model, samples)
    graph = CausalGraph.of(diagram)
    if samples.selected:
        return certify_selected(selected_outcome(query, graph, samples), query, diagram, samples)
    if samples.sample.source is not None:
        return Undecided("the sample is of everyone: estimate from it alone", method="adjustment")
    return certify(adjustment_outcome(query, graph), query, diagram)


def seen(model: Model, samples: Samples) -> tuple[tuple[str, ...], Diagram]:
    """What the sample measures or was selected by, and the diagram in which everything else is latent."""
    named = {term.variable for term in kernel_terms(samples.sample)}
    names = tuple(name for name in model.observed if name in named)
    return names, observe(model.diagram, names)


# ---------------------------------------------------------------------------------------------------------------------
# Selected samples


def _selected(head: Answer, query: Kernel, diagram: Diagram, samples: Samples) -> Answer:
    """The answer for a selected sample: every set with its formula, each proved, the first ones checked on numbers."""
    graph = CausalGraph.of(diagram)
    found = selected_adjustment(samples.task(graph, query))
    if found.sets is None or found.minimum is None:
        otherwise = f"identify {text(query)} from the same sources looks for other ways"
        nothing = dict.fromkeys(("sets", "minimum", "optimal", "outside", "formulas"))
        return replace(
            head,
            value=nothing,
            lines=("no valid adjustment set", str(found.reason)),
            reason=found.reason,
            notes=(*head.notes, otherwise),
        )
    pairs = dict.fromkeys((found.minimum, *found.sets))
    try:
        proved = {pair: _certified(query, diagram, samples, pair, n < SHOWN) for n, pair in enumerate(pairs)}
    except CertificationError as error:
        reason = f"suture refused its own result, which is a bug worth reporting: {error}"
        return replace(head, status=Status.UNDECIDED, reason=reason)
    best, formulas = proved[found.minimum], [text(proved[pair].formula) for pair in found.sets]
    return replace(
        head,
        value=_value(found, formulas),
        lines=tuple(_lines(found, formulas)),
        estimand=Estimand(best.formula),
        method=best.method,
        derivation=best.derivation,
        requires=best.requires,
        check=_together([outcome.check for outcome in proved.values() if outcome.check is not None]),
    )


def _certified(query: Kernel, diagram: Diagram, samples: Samples, pair: Pair, numbers: bool) -> Identified:
    """The formula of a pair, its proof replayed, and where `numbers` are wanted evaluated on random models."""
    outcome = pair_outcome(query, CausalGraph.of(diagram), samples, pair)
    if not numbers:
        prove_selected(outcome, query, diagram, samples)
        return outcome
    certified = certify_selected(outcome, query, diagram, samples)
    assert isinstance(certified, Identified)
    return certified


def _together(checks: Sequence[Check]) -> Check:
    """Several checks as one: all their models, the largest error; the first that was skipped, where one was."""
    errors = [check.max_error for check in checks if check.max_error is not None]
    skipped = next((check for check in checks if check.skipped is not None), None)
    return skipped or Check(sum(check.models for check in checks), max(errors, default=None))


def _value(found: SelectedAdjustment, formulas: Sequence[str]) -> dict[str, Any]:
    """The value of the answer as JSON-ready data; `outside` and `formulas` go with `sets`, place by place."""
    pairs, smallest = found.sets or (), found.minimum
    return {
        "sets": [list(pair.covariates) for pair in pairs],
        "minimum": None if smallest is None else list(smallest.covariates),
        "optimal": None,
        "outside": [list(pair.outside) for pair in pairs],
        "formulas": list(formulas),
    }


def _lines(found: SelectedAdjustment, formulas: Sequence[str]) -> Iterator[str]:
    """The answer in words: the number of sets, a smallest, and the formulas of the others."""
    pairs = found.sets or ()
    more = "" if found.complete else f" (the first {len(pairs)} found, there may be more)"
    sets = ", ".join(pair.text() for pair in pairs)
    yield f"{len(pairs)} minimal valid set{'' if len(pairs) == 1 else 's'}{more}: {sets}"
    if found.minimum is not None:
        yield f"minimum  {found.minimum.text()}"
    for pair, formula in list(zip(pairs, formulas, strict=True))[:SHOWN]:
        if pair != found.minimum:
            yield f"{braces(pair.covariates)}: {formula}"
    yield "no optimal set: which set is best under selection is not known in general"
