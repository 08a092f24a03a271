"""Derivations in words: steps, side conditions and witnesses as a reader of the terminal sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from ..dsl.diagram import Diagram
from ..dsl.formula_text import text
from .derivation import (
    Ancestral,
    AnyValue,
    Comparison,
    Components,
    Hedge,
    Hidden,
    Images,
    Invariant,
    LawKept,
    MoveCondition,
    Obstacle,
    OpenPath,
    OtherLaw,
    Positive,
    Rewrite,
    Separated,
    Shared,
    SharedMaps,
    SideCondition,
    Source,
    Step,
    Teeth,
    Thicket,
    Unread,
    Witness,
    WorstDomain,
)


def names(members: Iterable[str]) -> str:
    """A set of variables in braces."""
    return "{" + ", ".join(members) + "}"


def condition_text(condition: SideCondition | MoveCondition) -> str:
    """A side condition as one sentence without a full stop.

    >>> condition_text(Separated(("Y",), ("X",), ("Z",), cut_out=("X",)))
    '{Y} _||_ {X} | {Z} without the arrows out of {X}'
    """
    match condition:
        case Ancestral(members, _, ()):
            return f"no box of {names(members)} reads a wire that is discarded"
        case Ancestral(members, _, cut):
            return f"once {names(cut)} is cut, the outcomes depend on the boxes of {names(members)} alone"
        case Components(groups, _):
            return _components(groups)
        case Teeth():
            return _teeth(condition)
        case Separated():
            return _separated(condition)
        case Positive(formula):
            return f"{text(formula)} > 0"
        case Invariant(members, source):
            return f"no mechanism of {names(members)} differs in {source}"
        case Hidden(variables):
            return f"the outcomes do not need {', '.join(variables)} to be observed"
        case AnyValue(variables):
            return f"any value of {', '.join(variables)} will do: the left side does not depend on it"
        case Shared(members, domains):
            return f"the mechanism of {names(members)} is the same in {', '.join(domains)}"
        case Unread(first, second):
            return f"{first} does not read {second}"
        case LawKept(how):
            return how
        case _:
            assert_never(condition)


def _components(groups: tuple[tuple[str, ...], ...]) -> str:
    if len(groups) == 1:
        return f"{names(groups[0])} hangs together by latent wires" if len(groups[0]) > 1 else "one box is left"
    return f"no latent wire joins {' and '.join(map(names, groups))}"


def _teeth(condition: Teeth) -> str:
    taken = f", in {source_text(Source(condition.source, condition.do))}" if condition.source or condition.do else ""
    if len(condition.component) == 1:
        return f"{names(condition.component)} shares no latent wire with the others{taken}: its comb has one tooth"
    listed = ", ".join(map(names, condition.teeth))
    together = f"{names(condition.component)} hangs together by latent wires and to nothing else{taken}"
    return f"{together}: its comb has the {'tooth' if len(condition.teeth) == 1 else 'teeth'} {listed}"


def source_text(source: Source) -> str:
    """A source as a distribution of everything: `P(..)`, `P[trial](.. | do(Z))`."""
    name = f"[{source.name}]" if source.name is not None else ""
    return f"P{name}(.. | do({', '.join(source.do)}))" if source.do else f"P{name}(..)"


def _separated(condition: Separated) -> str:
    given = f" | {names(condition.given)}" if condition.given else ""
    cuts = [f"into {names(condition.cut)}"] if condition.cut else []
    cuts += [f"out of {names(condition.cut_out)}"] if condition.cut_out else []
    cuts += [", ".join(f"{tail} -> {head}" for tail, head in condition.arrows)] if condition.arrows else []
    without = f" without the arrows {' and '.join(cuts)}" if cuts else ""
    return f"{names(condition.first)} _||_ {names(condition.second)}{given}{without}"


def witness_text(witness: Witness) -> tuple[str, ...]:
    """A witness in sentences, one a line."""
    match witness:
        case Hedge(larger, smaller, roots, cut, _):
            return (
                f"hedge: {names(larger)} around {names(smaller)}, roots {names(roots)}",
                f"both hang together by latent wires and lead to the roots; only the larger holds {names(cut)},",
                f"which is set: what is observed does not say how {names(smaller)} behaves when it is",
            )
        case Thicket(component, obstacles, _, _):
            head = f"no source says how {names(component)} behaves under the intervention:"
            return (head, *map(_obstacle, obstacles))
        case OpenPath(path):
            return (f"open path: {path}",)
        case WorstDomain(_, program, risk):
            return (f"worst domain, expected loss {risk:.6g}:", *(f"  {line}" for line in program.split("\n")))
        case Comparison():
            return tuple(_comparison(witness))
        case _:
            assert_never(witness)


def _comparison(found: Comparison) -> Iterator[str]:
    match found.counterfactual:
        case SharedMaps(latents, noise, keeps_law):
            yield "witness: g' h1 = g and f'[d] = h1 f[d] h2 in every domain, where"
            yield from (f"  h1: {line}" for line in latents)
            yield from (f"  h2: {line}" for line in noise)
            yield f"h2 {'keeps' if keeps_law else 'changes'} the law of the noise"
        case Images(sample, start, end, models, images):
            yield f"sample of {start}: {assigned(sample)}"
            yield from (f"  in {end}, by {model}: {assigned(own)}" for model, own in zip(models, images, strict=True))
        case None:
            pass
    if found.distribution is not None:
        domain, what, models, values = (
            found.distribution.domain,
            found.distribution.what,
            found.distribution.models,
            found.distribution.values,
        )
        shown = ", ".join(f"{value} by {model}" for model, value in zip(models, values, strict=True))
        yield f"distribution of {domain}: {what} is {shown}"


def assigned(values: Iterable[tuple[str, str]]) -> str:
    """Values of variables in one line."""
    return ", ".join(f"{name} = {value}" for name, value in values)


def diagram_text(diagram: Diagram) -> str:
    """A model's diagram in one line: each box with what it reads.

    >>> from suture.dsl.diagram import model_diagram
    >>> diagram_text(model_diagram({"Z": (), "X": ("Z",)}))
    'Z X(Z)'
    """
    boxes = [(box.name, ", ".join(diagram.wires[wire].name for wire in box.inputs)) for box in diagram.boxes]
    return " ".join(f"{name}({reads})" if reads else name for name, reads in boxes)


def _obstacle(part: Obstacle) -> str:
    if part.hedge is None:
        return f"  {source_text(part.source)}: {part.reason}"
    return f"  {source_text(part.source)}: hedge {names(part.hedge.larger)} around {names(part.hedge.smaller)}"


def step_dict(step: Step) -> dict[str, object]:
    """A step as JSON-ready data."""
    return {
        "rule": step.rule.name,
        "statement": step.rule.statement,
        "source": step.rule.source,
        "before": text(step.before),
        "after": text(step.after),
        "because": [condition_text(condition) for condition in step.because],
    }


def rewrite_dict(rewrite: Rewrite) -> dict[str, object]:
    """A rewrite of diagrams as JSON-ready data."""
    return {
        "rule": rewrite.rule.name,
        "statement": rewrite.rule.statement,
        "source": rewrite.rule.source,
        "before": diagram_text(rewrite.before),
        "after": diagram_text(rewrite.after),
        "because": [condition_text(condition) for condition in rewrite.because],
    }


def witness_dict(witness: Witness) -> dict[str, object]:
    """A witness as JSON-ready data."""
    match witness:
        case Hedge(larger, smaller, roots, cut, outcomes):
            return {
                "kind": "hedge",
                "larger": list(larger),
                "smaller": list(smaller),
                "roots": list(roots),
                "cut": list(cut),
                "outcomes": list(outcomes),
            }
        case Thicket(component, obstacles, cut, outcomes):
            return {
                "kind": "thicket",
                "component": list(component),
                "obstacles": [
                    {
                        "source": source_text(part.source),
                        "hedge": None if part.hedge is None else witness_dict(part.hedge),
                        "reason": part.reason,
                    }
                    for part in obstacles
                ],
                "cut": list(cut),
                "outcomes": list(outcomes),
            }
        case OpenPath(path):
            return {"kind": "open path", "path": path}
        case WorstDomain(name, program, risk):
            return {"kind": "worst domain", "name": name, "program": program, "risk": risk}
        case Comparison(counterfactual, distribution):
            found = {} if counterfactual is None else _maps_dict(counterfactual)
            return {**found, **({} if distribution is None else {"distribution": _law_dict(distribution)})}
        case _:
            assert_never(witness)


def _maps_dict(found: SharedMaps | Images) -> dict[str, object]:
    match found:
        case SharedMaps(latents, noise, keeps_law):
            return {"kind": "maps", "h1": list(latents), "h2": list(noise), "keeps_law": keeps_law}
        case Images(sample, start, end, models, images):
            shown = {model: dict(own) for model, own in zip(models, images, strict=True)}
            return {"kind": "sample", "sample": dict(sample), "from": start, "to": end, "images": shown}


def _law_dict(found: OtherLaw) -> dict[str, object]:
    return {"domain": found.domain, "what": found.what, **dict(zip(found.models, found.values, strict=True))}
