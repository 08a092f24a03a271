"""Do-calculus proofs: what comb disintegration identifies, shown by the three rules and probability alone.

Every answer of comb disintegration (`comb_disintegration.py`, `conditional.py`) has such a proof: the rules are
complete (Huang and Valtorta 2006; Shpitser and Pearl 2006), and the combs say which uses of them are needed.

- Surgery on P(Y | do(X)): total probability over the boxes D that are left, the product rule, and for each variable
  rules 2 and 3 from the condition on all of D before it to its own component and what that reads.
- A tooth of a comb of a joint distribution: rule 3 drops actions on later variables, rule 2 turns earlier ones into
  observations, rule 1 drops observations.
- Discarding: rule 3, total probability and the product rule.  A comb of a comb: rules 3 and 2, then the definition of a
  conditional.  Adjustment by covariates: total probability, rule 3 for the covariates, rule 2 for the outcomes.

The proof is a list of equalities in bare variables.  Used one after the other, each wherever its left side stands
(`do_rewriting.py`), they lead from the query to the estimand; `do_replay.py` checks both without the combs.

Sources: Pearl (1995), theorem 3 and its example (front door); Tian and Pearl (2002) for what is translated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...dsl.diagram import Diagram
from ...dsl.formula import Formula, Kernel, Term, kernel_terms, kernels
from .. import comb_disintegration, combs, conditional, rules, simplify
from ..derivation import (
    OBSERVED,
    Ancestral,
    Derivation,
    Hidden,
    Identified,
    Outcome,
    Separated,
    Source,
    Step,
    Teeth,
    Undecided,
)
from ..graph import CausalGraph
from ..requirements import requirements
from . import do_rules, do_teeth
from .do_rewriting import replaced, same_formula
from .do_rules import RULE_1, RULE_2, Move, Scope, bridge, bridge_by
from .do_teeth import Conditioned, Observed, Piece, Smaller, Summed, TakenOver, TracedComb

METHOD = "do-calculus"
REWRITES = tuple(rewrite.rule for rewrite in simplify.REWRITES)


class NotTranslated(Exception):
    """The derivation has no translation here; the message is the reason."""


def accepts(query: Kernel, graph: CausalGraph, sources: Sequence[Source] = (OBSERVED,)) -> bool:
    """Whether the query is an effect in the model itself, to be identified from sources of that model."""
    plain = query.source is None and bool(query.outcomes) and not any(term.world for term in kernel_terms(query))
    return plain and bool(query.do) and not any(source.differs for source in sources)


def identify(query: Kernel, graph: CausalGraph, sources: Sequence[Source] = (OBSERVED,)) -> Outcome:
    """The effect as a formula with a proof by do-calculus; what forbids one is told as comb disintegration tells it."""
    algorithm = conditional if query.given else comb_disintegration
    found = algorithm.identify(query, graph, sources)
    if not isinstance(found, Identified):
        return replace(found, method=METHOD)
    try:
        derivation, formula = _proved(found, query, graph)
    except NotTranslated as error:
        return Undecided(f"no proof by do-calculus was found: {error}", found.derivation, METHOD)
    return Identified(formula, derivation, METHOD, requirements(formula))


def derive(outcome: Identified, query: Kernel, diagram: Diagram) -> Derivation:
    """The do-calculus proof of what combs identified, ending in the same formula.

    Raises `NotTranslated` with the reason: a source of another domain, or a method that is no comb disintegration.
    """
    return derive_in(outcome, query, CausalGraph.of(diagram))


def derive_in(outcome: Identified, query: Kernel, graph: CausalGraph) -> Derivation:
    """As `derive`, over the causal graph of the diagram."""
    derivation, formula = _proved(outcome, query, graph)
    if not same_formula(formula, outcome.formula):
        raise NotTranslated("the steps lead to another form of the formula")
    return derivation


def _proved(outcome: Identified, query: Kernel, graph: CausalGraph) -> tuple[Derivation, Formula]:
    """A proof and the formula it ends in, as a rule that of the outcome.

    Where one kernel stands for teeth with two formulas, it gets the first in both places.  The rewrites of the comb
    derivation do not fit then, and the formula is simplified anew.
    """
    translation = _Translation(graph, query)
    proof = tuple(translation.proof(outcome.derivation.steps))
    steps = (*proof, *translation.rewrites(_rewrites(outcome.derivation.steps)))
    if same_formula(_reached(query, steps), outcome.formula):
        return Derivation(steps), outcome.formula
    reached = _reached(query, proof)
    more = simplify.simplification(graph, reached)
    steps = (*proof, *translation.rewrites(more))
    found = _reached(query, steps)
    return Derivation(steps), outcome.formula if same_formula(found, outcome.formula) else found


def _reached(query: Kernel, steps: Sequence[Step]) -> Formula:
    """What the steps make of the query."""
    formula: Formula = query
    for step in steps:
        formula, _ = replaced(formula, step.before, step.after, rules.query_values(query))
    return formula


def _rewrites(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The rewrites of a comb derivation that the proof has to follow: those after adjustment, where there was some."""
    adjusted = max((place for place, step in enumerate(steps) if step.rule == simplify.BACK_DOOR), default=-1)
    return tuple(step for step in steps[adjusted + 1 :] if step.rule in REWRITES)


# ---------------------------------------------------------------------------------------------------------------------
# The steps of the comb derivation, in stages


@dataclass(frozen=True, slots=True)
class _Stages:
    """A comb derivation in parts: exchanges, surgery with its combs or adjustment instead; rewrites left out."""

    exchanged: tuple[Step, ...]
    hidden: tuple[str, ...]
    surgery: tuple[Step, ...]
    adjusted: Step | None


def _staged(steps: Sequence[Step]) -> _Stages:
    """The parts of a comb derivation; raises `NotTranslated` where some step has no place in them."""
    known = (*rules.RULES, *REWRITES, simplify.BACK_DOOR)
    strange = next((step.rule.name for step in steps if step.rule not in known or step.rule == rules.TRANSPORT), None)
    if strange is not None:
        raise NotTranslated(f"the rule '{strange}' is none of the do-calculus in one domain")
    hidden = [c.variables for step in steps if step.rule == rules.HIDE for c in step.because if isinstance(c, Hidden)]
    return _Stages(
        tuple(step for step in steps if step.rule == rules.EXCHANGE),
        hidden[0] if hidden else (),
        tuple(step for step in steps if step.rule in (rules.COMB, rules.DISCARD)),
        next((step for step in reversed(steps) if step.rule == simplify.BACK_DOOR), None),
    )


@dataclass
class _Translation:
    """One translation: the whole graph, and the query it is about."""

    graph: CausalGraph
    query: Kernel

    def proof(self, steps: Sequence[Step]) -> Iterator[Step]:
        """The steps from the query to what is available, in order, without rewrites."""
        if any(step.rule == rules.OBSERVE for step in steps):
            yield from self.read_off(steps[0])
            return
        stages = _staged(steps)
        scope = self.scope(self.query)
        for step in stages.exchanged:
            move = Move(RULE_2, self.scope(step.before).given & ~self.scope(step.after).given, True)
            yield self.step(move, scope)
            scope = move.after(scope)
        if scope.given:
            step, scope, below = do_rules.conditional(self.graph, scope, scope.given)
            yield step
            yield do_rules.total(self.graph, below, scope.outcomes & ~below.outcomes)
        if stages.adjusted is not None:
            yield from self.adjustment(scope, stages.adjusted)
        else:
            yield from _Surgery(self.graph, self.smaller(stages.hidden), scope).steps(stages.surgery)

    def rewrites(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Rewrites of the comb derivation, in order."""
        for step in steps:
            yield from self.rewrite(step)

    def scope(self, formula: Formula) -> Scope:
        """The kernel of bare variables, as masks."""
        assert isinstance(formula, Kernel)
        outcomes, given, do = (self.graph.mask(term.variable for term in part) for part in _parts(formula))
        return Scope(outcomes, given, do, formula.source)

    def step(self, move: Move, scope: Scope) -> Step:
        """The step that a move makes; its separation is one that the comb derivation has checked already."""
        condition = move.condition(self.graph, scope)
        if not do_rules.holds(self.graph, condition):
            raise NotTranslated(f"{move.rule.name} does not apply")
        return Step(move.rule, scope.kernel(self.graph), move.after(scope).kernel(self.graph), (condition,))

    def smaller(self, hidden: Sequence[str]) -> Smaller:
        """The graph that the combs were taken in."""
        mask = self.graph.mask(hidden)
        return Smaller(self.graph.without(mask) if mask else self.graph, self.graph)

    def read_off(self, step: Step) -> Iterator[Step]:
        """A query without surgery, read off a named source; nothing to show where the source has no name."""
        if step.before != step.after:
            scope = self.scope(step.before)
            after = self.scope(step.after).kernel(self.graph)
            yield Step(do_rules.READ, scope.kernel(self.graph), after)

    def adjustment(self, scope: Scope, step: Step) -> Iterator[Step]:
        """The sum over covariates: those are not affected (rule 3), and given them setting is observing (rule 2)."""
        blocked = next(c for c in step.because if isinstance(c, Separated) and c.cut_out)
        source = next((part.source for part in kernels(step.after)), None)
        covariates = self.graph.mask(blocked.given)
        outcomes = replace(scope, given=covariates)
        yield from self.covariates(scope, covariates)
        for part in (outcomes, Scope(covariates, 0, scope.do)) if covariates else (outcomes,):
            goal = replace(part, given=part.given | part.do, do=0) if part == outcomes else replace(part, do=0)
            yield from self.bridged(part, goal)
            if source is not None:
                yield Step(do_rules.READ, goal.kernel(self.graph), replace(goal, source=source).kernel(self.graph))

    def covariates(self, scope: Scope, covariates: int) -> Iterator[Step]:
        """Total probability over the covariates, with the product rule."""
        if covariates:
            yield do_rules.total(self.graph, scope, covariates)
            whole = replace(scope, outcomes=scope.outcomes | covariates)
            parts = (replace(scope, given=covariates), replace(scope, outcomes=covariates))
            yield do_rules.product_step(self.graph, whole, parts)

    def bridged(self, start: Scope, goal: Scope) -> list[Step]:
        """The moves from one kernel to another."""
        found = bridge(self.graph, start, goal)
        if found is None:
            raise NotTranslated("the covariates are not admissible")
        return found

    def rewrite(self, step: Step) -> Iterator[Step]:
        """A rewrite of the comb derivation; separations become uses of rule 1.

        Kernels on the same variables lose the same conditions, in whatever order those stand: d-separation has the
        intersection property, so that Markov boundaries are unique.
        """
        if step.rule == simplify.SEPARATION:
            yield from self.deletions(step)
        else:
            yield step

    def deletions(self, step: Step) -> Iterator[Step]:
        """The uses of rule 1 that a separation step stands for."""
        for condition in step.because:
            if isinstance(condition, Separated):
                first, gone, rest = map(self.graph.mask, (condition.first, condition.second, condition.given))
                yield self.step(Move(RULE_1, gone, False), Scope(first, rest | gone))


def _parts(kernel: Kernel) -> tuple[tuple[Term, ...], ...]:
    return kernel.outcomes, kernel.given, kernel.do


# ---------------------------------------------------------------------------------------------------------------------
# Surgery


@dataclass(frozen=True, slots=True)
class _Block:
    """How one kernel is rewritten, and the kernels that come of it with the teeth they stand for."""

    steps: tuple[Step, ...]
    parts: tuple[tuple[Scope, Piece], ...]


@dataclass
class _Surgery:
    """The proof of P(outcomes | do(..)), `scope`, from the combs of its components."""

    graph: CausalGraph
    place: Smaller
    scope: Scope
    blocks: dict[Scope, _Block] = field(default_factory=dict)

    def steps(self, surgery: Sequence[Step]) -> Iterator[Step]:
        """The steps from the effect to the product of teeth."""
        known = _combs(self.place, surgery)
        root = self.root(known)
        pending = list(root.parts)
        while pending:
            scope, piece = pending.pop()
            if scope not in self.blocks:
                self.blocks[scope] = self.block(scope, piece)
                pending.extend(self.blocks[scope].parts)
        yield from root.steps
        for scope in _after_their_users(root, self.blocks):
            yield from self.blocks[scope].steps

    # -- the effect itself

    def root(self, known: dict[int, TracedComb]) -> _Block:
        """Total probability over what surgery leaves, and the product rule down to the teeth of its components."""
        small = self.place.graph
        do = small.mask(self.graph.members(self.scope.do))
        left = small.ancestors(small.mask(self.graph.members(self.scope.outcomes)), small.everything & ~do)
        read = replace(self.scope, do=self.place.lift(small.outside_parents(left)))
        steps = self.bridged([self.scope, read])
        whole = replace(read, outcomes=self.place.lift(left))
        if whole != read:
            steps.append(do_rules.total(self.graph, read, whole.outcomes & ~read.outcomes))
        pieces = [piece for group in small.districts(left) for piece in known[group].pieces]
        runs = [combs.runs(piece.scope.outcomes, whole.outcomes) for piece in pieces]
        parts = list(do_rules.blocks_of(whole, [run for found in runs for run in found]))
        if len(parts) > 1:
            steps.append(do_rules.product_step(self.graph, whole, parts))
        remaining = iter(parts)
        children: list[tuple[Scope, Piece]] = []
        for piece, found in zip(pieces, runs, strict=True):
            own = [next(remaining) for _ in found]
            steps.extend(self.joined(own, piece) if len(own) > 1 else ())
            children.append((piece.scope if len(own) > 1 else own[0], piece))
        return _Block(tuple(steps), tuple(children))

    def joined(self, parts: Sequence[Scope], piece: Piece) -> Iterator[Step]:
        """The factors of a tooth whose variables do not follow one another, brought together."""
        goals = [replace(piece.scope, outcomes=part.outcomes) for part in parts]
        earlier = 0
        for place, part in enumerate(parts):
            goals[place] = replace(goals[place], given=goals[place].given | earlier)
            whole = replace(goals[place], given=piece.before | earlier)
            yield from self.bridged([part, goals[place]], [part, whole, goals[place]])
            earlier |= part.outcomes
        yield do_rules.join(self.graph, goals, piece.scope)

    def bridged(self, *routes: Sequence[Scope]) -> list[Step]:
        """The moves along the first route that can be taken."""
        for stops in routes:
            found = bridge_by(self.graph, stops)
            if found is not None:
                return found
        raise NotTranslated("no order of the rules leads from one kernel to the next")

    # -- teeth

    def block(self, scope: Scope, piece: Piece) -> _Block:
        """From a kernel equal to a tooth's to what the tooth was made of."""
        stops = [scope, piece.scope, piece.whole]
        while isinstance(piece.making, TakenOver):
            piece = piece.making.origin
            stops += [piece.whole]
        gate = _gate(piece)
        if isinstance(piece.making, Conditioned):
            stops.append(replace(gate, given=piece.making.origin.before | piece.making.before))
        steps = self.bridged([scope, gate], [*stops, gate])
        match piece.making:
            case Conditioned():
                more, parts = self.conditioned(gate, piece.making)
            case Summed():
                more, parts = self.summed(gate, piece.making)
            case Observed(read):
                more, parts = self.read(gate, read), []
        return _Block((*steps, *more), tuple(parts))

    def read(self, gate: Scope, read: Scope) -> list[Step]:
        """The kernel of a named source."""
        return [Step(do_rules.READ, gate.kernel(self.graph), read.kernel(self.graph))] if gate != read else []

    def conditioned(self, gate: Scope, making: Conditioned) -> tuple[list[Step], list[tuple[Scope, Piece]]]:
        """The definition of a conditional within the larger tooth, and total probability."""
        steps: list[Step] = []
        marginals = [gate]
        if making.before:
            step, above, below = do_rules.conditional(self.graph, gate, making.before)
            steps, marginals = [step], [above, below]
        whole = making.origin.scope
        for scope in marginals:
            if scope != whole:
                steps.append(do_rules.total(self.graph, scope, whole.outcomes & ~scope.outcomes))
        return steps, [(whole, making.origin)]

    def summed(self, gate: Scope, making: Summed) -> tuple[list[Step], list[tuple[Scope, Piece]]]:
        """Total probability, the product rule, and in front of the sum what does not depend on it."""
        whole = replace(gate, outcomes=gate.outcomes | making.gone)
        steps = [do_rules.total(self.graph, gate, making.gone)]
        parts = list(do_rules.blocks_of(whole, [piece.scope.outcomes for piece in making.origins]))
        if len(parts) > 1:
            steps.append(do_rules.product_step(self.graph, whole, parts))
        for place, inside in enumerate(making.inside):
            if not inside:
                free = replace(parts[place], given=parts[place].given & ~making.gone)
                steps.extend(self.bridged([parts[place], free]))
                parts[place] = free
        if not all(making.inside):
            steps.append(self.distributed(parts, making))
        return steps, list(zip(parts, making.origins, strict=True))

    def distributed(self, parts: Sequence[Scope], making: Summed) -> Step:
        """Distributivity on the product of the parts."""
        factors = [part.kernel(self.graph) for part in parts]
        inside = [factor for factor, stays in zip(factors, making.inside, strict=True) if stays]
        outside = [factor for factor, stays in zip(factors, making.inside, strict=True) if not stays]
        return do_rules.distribute(self.graph.members(making.gone), inside, outside, factors)


def _gate(piece: Piece) -> Scope:
    """The kernel from which probability goes on to what the tooth was made of."""
    match piece.making:
        case Observed(scope):
            return replace(scope, source=None)
        case TakenOver():
            return piece.scope
        case Conditioned(origin, before, _):
            return Scope(piece.scope.outcomes, origin.scope.given | before, origin.scope.do)
        case Summed(origins, gone, _):
            given, outputs = 0, 0
            for origin in origins:
                given |= origin.scope.given
                outputs |= origin.scope.outcomes
            return Scope(outputs & ~gone, given & ~outputs, origins[0].scope.do)


def _combs(place: Smaller, surgery: Sequence[Step]) -> dict[int, TracedComb]:
    """The combs of the derivation by their members, each rebuilt from what it was taken from."""
    known: dict[int, TracedComb] = {}
    graph = place.graph
    for step in surgery:
        for condition in step.because:
            match condition:
                case Teeth(component, _, within, source, do):
                    masks = graph.mask(within), graph.mask(component)
                    found = _disintegrated(place, known, step, masks, Source(source, do))
                    known[masks[1]] = found
                case Ancestral(members, within) if step.rule == rules.DISCARD:
                    kept = graph.mask(members)
                    known[kept] = do_teeth.ancestral(place, known[graph.mask(within)], kept)
                case _:
                    pass
    return known


def _disintegrated(
    place: Smaller, known: dict[int, TracedComb], step: Step, masks: tuple[int, int], source: Source
) -> TracedComb:
    """The comb that the step takes, from another comb or from a joint distribution: the formula tells which."""
    within, district = masks
    if within in known and not source.do:
        found = do_teeth.of_comb(place, known[within], district)
        if found.comb.formula == step.after:
            return found
    return do_teeth.of_joint(place, within, district, source)


def _after_their_users(root: _Block, blocks: dict[Scope, _Block]) -> list[Scope]:
    """The kernels in an order in which each comes after all whose rewriting mentions it; readers go left to right."""
    order: list[Scope] = []
    seen: set[Scope] = set()
    work: list[tuple[Scope, bool]] = [(scope, False) for scope, _ in root.parts]
    while work:
        scope, done = work.pop()
        if done:
            order.append(scope)
        elif scope not in seen:
            seen.add(scope)
            work.append((scope, True))
            work.extend((part, False) for part, _ in blocks[scope].parts)
    return order[::-1]
