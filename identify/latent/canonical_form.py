"""The canonical form of a linear or finite latent model, move by move, each carried out on its numbers and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...semantics.latent import finite_domains as finite
from ...semantics.latent import linear_domains as linear
from ...semantics.latent.binary_minimal import binary_minimal
from ...semantics.latent.finite_domains import Fewest, FiniteDomains, Relabelling
from ...semantics.latent.function_domains import FunctionDomains
from ...semantics.latent.linear_domains import Change, LinearDomains
from ...semantics.latent.smooth_domains import SmoothDomains, drawn
from ..certify import CertificationError
from ..derivation import Check, Derivation
from .canonical import ABSORB, RELABEL, ROTATE, SWAP, Moved, Sketch, derivation, moves, new_names, normalise, turn
from .canonical_check import check_change, check_maps
from .canonical_replay import replay_rewrites

Numbers: TypeAlias = LinearDomains | FiniteDomains
Coordinates: TypeAlias = Change | Relabelling
Smooth: TypeAlias = SmoothDomains | FunctionDomains

# Beyond this many states the smallest model of bits is counted, not built.
MOST_BUILT = 1 << 12
SAMPLES = 500


@dataclass(frozen=True)
class Stage:
    """A move, the model it leads to, and the change of coordinates that it is."""

    moved: Moved
    model: Numbers
    change: Coordinates


@dataclass(frozen=True)
class CanonicalForm:
    """A model with interventions last, the moves that lead there from `start`, and one with the fewest interventions.

    `minimal` is None where the canonical form itself has the fewest, or none with fewer could be built; `fewest` says
    between which numbers the least lies.  `minimal_keeps_law` says whether it has the same distributions.
    """

    start: Numbers
    stages: tuple[Stage, ...]
    model: Numbers
    fewest: Fewest
    minimal: Stage | None
    minimal_keeps_law: bool
    check: Check

    @property
    def derivation(self) -> Derivation:
        """The moves to the canonical form, and on to the fewest interventions where there is such a step."""
        last = () if self.minimal is None else (self.minimal,)
        return derivation([stage.moved for stage in (*self.stages, *last)])


def canonical_form(model: Numbers) -> CanonicalForm:
    """The canonical form with its derivation; every move is replayed on diagrams and on numbers before it is given.

    Raises `CertificationError` where a check fails, which would be an error in this library.
    """
    sketch = sketch_of(model)
    stages = tuple(_stages(model, sketch))
    last = stages[-1].model
    fewest = fewest_of(last)
    minimal = _minimal(last, stages[-1].moved.sketch, fewest)
    error = _certify(model, sketch, (*stages, *([] if minimal is None else [minimal])))
    how = f"{len(stages) + (minimal is not None)} rewrites replayed on diagrams, and on the model"
    exact = isinstance(model, FiniteDomains) or model.exact
    check = Check(1, error, None, f"{how}, exactly" if exact else f"{how} in floating point")
    keeps = minimal is not None and isinstance(model, LinearDomains) and _all_normal(model)
    return CanonicalForm(model, stages, last, fewest, minimal, keeps, check)


def sketch_of(model: Numbers | SmoothDomains) -> Sketch:
    """What each latent reads and what is seen, from its mechanisms: an arrow where some domain depends on it.

    A latent that is observed as it is appears twice: as `Z_X`, and as X that reads it.
    """
    names = _latent_names(model)
    latents = tuple(names[node] for node in model.nodes)
    reads = {latents[place]: tuple(latents[other] for other in own) for place, own in enumerate(model.reads())}
    sees = {
        name: tuple(latents[place] for place in own) for name, own in zip(model.observed, model.sees(), strict=True)
    }
    moved = frozenset(names[node] for node in model.intervened())
    return Sketch(latents, model.observed, {**reads, **sees}, moved, model.domains)


def _latent_names(model: Numbers | SmoothDomains) -> Mapping[str, str]:
    taken = {*model.nodes, *model.observed}
    found: dict[str, str] = {}
    for node in model.nodes:
        name = f"Z_{node}" if node in model.observed else node
        while name != node and name in taken:
            name += "_"
        found[node] = name
    return found


def _stages(model: Numbers, sketch: Sketch) -> Iterator[Stage]:
    current = model.renamed(sketch.latents)
    for moved in moves(sketch):
        current, change = _carried_out(moved, current)
        yield Stage(moved, current, change)
        sketch = moved.sketch
    names = new_names(sketch.latents, model.observed)
    if isinstance(current, LinearDomains):
        after, change = linear.normalised(current)
    else:
        after, change = finite.normalised(current)
    after = after.renamed(tuple(names[node] for node in current.nodes))
    yield Stage(normalise(sketch, names, sketch_of(after).parents), after, change)


def _carried_out(moved: Moved, model: Numbers) -> tuple[Numbers, Coordinates]:
    """An absorption or a swap on the numbers."""
    place = model.nodes.index(moved.about[0])
    if moved.rewrite.rule == ABSORB:
        return linear.absorbed(model, place) if isinstance(model, LinearDomains) else finite.absorbed(model, place)
    assert moved.rewrite.rule == SWAP
    order = list(range(len(model.nodes)))
    order[place : place + 2] = place + 1, place
    return linear.permuted(model, order) if isinstance(model, LinearDomains) else finite.permuted(model, order)


# ---------------------------------------------------------------------------------------------------------------------
# The fewest interventions


def fewest_of(model: Numbers) -> Fewest:
    """How few intervened latents will do."""
    if isinstance(model, LinearDomains):
        least = linear.minimal_k(model)
        return Fewest(least, least, 0, None)
    return finite.fewest(model)


def _minimal(model: Numbers, sketch: Sketch, fewest: Fewest) -> Stage | None:
    if fewest.most >= len(model.intervened()):
        return None
    if isinstance(model, LinearDomains):
        after, change = linear.minimal(model)
        how = "an orthogonal change of normal noises leaves them normal and independent"
        if not _all_normal(model):
            how = "the law of the noise changes, since some of it is not normal: counterfactuals stay, laws do not"
        return Stage(turn(sketch, ROTATE, _fresh(after), how), after, change)
    if model.states > MOST_BUILT:
        return None
    after, change = binary_minimal(model)
    how = "the law of the noise changes: counterfactuals stay, laws do not"
    return Stage(turn(sketch, RELABEL, _fresh(after), how), after, change)


def _fresh(model: Numbers) -> Sketch:
    return sketch_of(model)


def _all_normal(model: LinearDomains) -> bool:
    return all(law.family == "Normal" for law in model.laws)


# ---------------------------------------------------------------------------------------------------------------------
# Checks


def _certify(start: Numbers, sketch: Sketch, stages: tuple[Stage, ...]) -> float:
    """The largest error of any move; raises `CertificationError` where one does not hold."""
    shared = [name for name in sketch.latents if name not in sketch.intervened]
    faults = list(replay_rewrites([stage.moved.rewrite for stage in stages], start.domains, shared))
    if faults:
        raise CertificationError("; ".join(faults))
    worst = 0.0
    before: Numbers = start
    for stage in stages:
        keeps = stage.moved.rewrite.rule != RELABEL and not _law_free(stage)
        worst = max(worst, check_change(before, stage.model, stage.change, keeps))
        before = stage.model
    return max(worst, check_maps(start, before))


def _law_free(stage: Stage) -> bool:
    """Whether a rotation was allowed to change the law of the noise."""
    if stage.moved.rewrite.rule != ROTATE:
        return False
    assert isinstance(stage.model, LinearDomains)
    return any("laws do not" in str(condition) for condition in stage.moved.rewrite.because)


def last_names(form: CanonicalForm) -> tuple[str, ...]:
    """The intervened latents of the canonical form, which are its last."""
    moved = set(form.model.intervened())
    return tuple(node for node in form.model.nodes if node in moved)


def certify_smooth(start: Smooth, form: Smooth, names: Mapping[str, str]) -> Check:
    """The largest error over random samples of every counterfactual map, and of what is seen from the same noise.

    `names` says which node of the form carries the noise of each node.  Raises `CertificationError` where they do not
    agree.
    """
    noise = drawn(start.laws, SAMPLES, 41)
    origins = {new: old for old, new in names.items()}
    order = [start.nodes.index(origins[node]) for node in form.nodes]
    with np.errstate(all="ignore"):
        worst = _worst(start, form, noise, order)
    if worst > 1e-6:
        raise CertificationError(f"the canonical form differs by {worst:.2g}")
    pairs = len(start.domains) ** 2
    return Check(1, worst, None, f"{pairs} counterfactual maps and {len(start.domains)} laws on {SAMPLES} samples")


def _worst(start: Smooth, form: Smooth, noise: Any, order: list[int]) -> float:
    """The largest difference in what is seen of the same noise, and of any counterfactual of it."""
    worst = 0.0
    for first in range(len(start.domains)):
        seen = start.seen(first, noise)
        gaps = [_relative(seen, form.seen(first, noise[:, order]))]
        for second in range(len(start.domains)):
            gaps.append(_relative(start.transport(first, second, seen), form.transport(first, second, seen)))
        worst = max(worst, *gaps)
    return worst


def _relative(first: Any, second: Any) -> float:
    """The 98th percentile of relative differences, where both are numbers: rounding grows in the tails."""
    sound = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    if sound.mean() < 0.9 * np.isfinite(first).all(axis=1).mean():
        return float("inf")
    gaps = np.abs(first - second)[sound] / (1 + np.abs(first[sound]))
    return float(np.quantile(gaps.max(axis=1), 0.98)) if len(gaps) else 0.0
