"""Replaying a do-calculus proof: every step is checked from its two sides, and used on what was reached so far.

The checker knows neither combs nor the algorithm, and reads separations another way than the algorithm does: by
connectivity of the pruned and severed diagram, after the mutilation that the rule asks for (`dsl.diagram.separated`).

- A use of rule 1, 2 or 3 is checked from its kernels: which variables moved, and what separation that needs.
- Total probability, the product rule, definitions of conditionals and distributivity are checked by their form.
- Rewrites of probabilities are checked as identities at random points of a prime field (`do_identity.py`); where the
  formula is too large for that, by rewriting again.

The steps must lead from the query to the formula, each used wherever its left side stands.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ...dsl.diagram import Diagram, cut, separated
from ...dsl.formula import (
    Formula,
    Kernel,
    Product,
    Ratio,
    Sum,
    Symbol,
    Term,
    equal,
    free_symbols,
    kernel_terms,
    kernels,
    product,
    rebuild,
    rename_symbols,
    subformulas,
)
from .. import simplify
from ..derivation import OBSERVED, Derivation, Rule, Separated, Source, Step
from ..graph import CausalGraph
from ..replay import available
from ..rules import OBSERVE, query_values
from . import do_rules
from .do_rewriting import instance, replaced, same_formula


class StepError(Exception):
    """What is wrong with a step."""


def is_do_calculus(derivation: Derivation) -> bool:
    """Whether the derivation is one for `replay_do`: every step is by a rule that it knows."""
    return all(step.rule.name in CHECKERS for step in derivation.steps)


def replay_do(
    derivation: Derivation,
    query: Formula,
    diagram: Diagram,
    formula: Formula | None = None,
    sources: Sequence[Source] = (OBSERVED,),
) -> tuple[str, ...]:
    """Why the derivation does not prove that `query` equals `formula`; nothing where it does.

    A query that is arithmetic needs a proof for each of its kernels, one after the other among the steps.  Without
    `formula` it is enough that every proof ends in distributions of the sources.
    """
    checker = _Checker(diagram, tuple(sources))
    for number, step in enumerate(derivation.steps, 1):
        try:
            checker.check(step)
        except StepError as error:
            return (f"step {number} ({step.rule.name}): {error}",)
    asked = tuple(dict.fromkeys(kernels(query)))
    ends = [tuple(_ends(kernel, derivation.steps, sources, alone=len(asked) == 1)) for kernel in asked]
    if not all(ends):
        return ("the derivation does not end in the distributions of the sources",)
    if formula is not None and not any(same_formula(found, formula) for found in _answers(query, asked, ends)):
        return ("the derivation proves another formula",)
    return ()


# How many ways to put the proofs of several kernels together are tried.
COMBINATIONS = 1000


def _ends(kernel: Kernel, steps: Sequence[Step], sources: Sequence[Source], alone: bool) -> Iterator[Formula]:
    """What the steps make of a kernel, where that is available: all of them if it is asked for alone, else any stretch
    of them that starts with a step on the kernel itself.
    """
    fixed = query_values(kernel)
    reached: Formula = kernel
    if alone:
        for step in steps:
            reached, _ = replaced(reached, step.before, step.after, fixed)
        if all(available(part, sources) for part in kernels(reached)):
            yield reached
        return
    if available(kernel, sources):
        yield kernel
    for start in (place for place, step in enumerate(steps) if instance(step.before, kernel) is not None):
        reached = kernel
        for step in steps[start:]:
            reached, count = replaced(reached, step.before, step.after, fixed)
            if count and all(available(part, sources) for part in kernels(reached)):
                yield reached


def _answers(query: Formula, asked: Sequence[Kernel], ends: Sequence[Sequence[Formula]]) -> Iterator[Formula]:
    """The query with each of its kernels replaced by something proved of it."""
    for found in islice(itertools.product(*ends), COMBINATIONS):
        proved = dict(zip(asked, found, strict=True))
        yield rebuild(query, lambda node, proved=proved: proved.get(node, node) if isinstance(node, Kernel) else node)


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise StepError(reason)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A kernel of bare variables as sets."""

    outcomes: frozenset[str]
    given: frozenset[str]
    do: frozenset[str]
    source: str | None

    @staticmethod
    def of(formula: Formula) -> _Parts:
        """The sets of a kernel; each variable may stand once, bare and in no other world."""
        if not isinstance(formula, Kernel):
            raise StepError("the rule is about a single kernel")
        terms = kernel_terms(formula)
        bare = not any(term.value is not None or term.world or term.swap for term in terms)
        _require(bare and bool(formula.outcomes), "the rule is about bare variables")
        _require(len({term.variable for term in terms}) == len(terms), "a variable stands twice")
        sets = [frozenset(map(_variable, part)) for part in (formula.outcomes, formula.given, formula.do)]
        return _Parts(sets[0], sets[1], sets[2], formula.source)


@dataclass(frozen=True, slots=True)
class _Checker:
    """Checks single steps against a diagram and the sources at hand."""

    diagram: Diagram
    sources: tuple[Source, ...]

    def check(self, step: Step) -> None:
        """Raises `StepError` where the step is no use of its rule."""
        known = CHECKERS.get(step.rule.name)
        if known is None or known[0] != step.rule:
            raise StepError("the rule is not known")
        self.observed(step)
        _require(step.rule in do_rules.DO_RULES or not step.because, "the rule has no side conditions")
        known[1](self, step)

    def observed(self, step: Step) -> None:
        """Only observed variables may be named, and no symbol may stand outside the sum that binds it."""
        shown = {wire.name for wire in self.diagram.wires if not wire.latent}
        for side in (step.before, step.after):
            named = {term.variable for kernel in kernels(side) for term in kernel_terms(kernel)}
            named |= {symbol.variable for node in subformulas(side) if isinstance(node, Sum) for symbol in node.binders}
            strange = sorted(named - shown)
            _require(not strange, f"{', '.join(strange)} is not an observed variable of the diagram")
            _require(not free_symbols(side), "a symbol stands outside its sum")
            values = [(term, term.value) for kernel in kernels(side) for term in kernel_terms(kernel)]
            fits = all(value.variable == term.variable for term, value in values if isinstance(value, Symbol))
            _require(fits, "a variable takes the values of another")

    # -- the do-calculus

    def do_rule(self, step: Step) -> None:
        """A use of rule 1, 2 or 3, in either direction."""
        before, after = _Parts.of(step.before), _Parts.of(step.after)
        needed = self.needs(step.rule, before, after) or self.needs(step.rule, after, before)
        if needed is None:
            raise StepError("the two sides do not differ as the rule says")
        _require(len(step.because) == 1, "a side condition is missing or idle")
        stated = step.because[0]
        fits = isinstance(stated, Separated) and _sets(stated) == _sets(needed)
        _require(fits, "the separation is not what the rule needs")
        _require(self.separated(needed), "the separation does not hold in the mutilated diagram")

    def needs(self, rule: Rule, larger: _Parts, smaller: _Parts) -> Separated | None:
        """The separation by which `larger` becomes `smaller`: observations or actions go, or actions are observed."""
        if larger.outcomes != smaller.outcomes or larger.source is not None or smaller.source is not None:
            return None
        outcomes, common = larger.outcomes, smaller.do & larger.do
        if rule == do_rules.RULE_1 and larger.do == smaller.do and smaller.given < larger.given:
            return _separation(outcomes, larger.given - smaller.given, common | smaller.given, common)
        moved = larger.do - smaller.do
        if not moved or not smaller.do < larger.do:
            return None
        if rule == do_rules.RULE_2 and smaller.given == larger.given | moved:
            return _separation(outcomes, moved, common | larger.given, common, moved)
        if rule == do_rules.RULE_3 and smaller.given == larger.given:
            below = moved - self.ancestors(larger.given, common)
            return _separation(outcomes, moved, common | larger.given, common | below)
        return None

    def ancestors(self, of: frozenset[str], severed: frozenset[str]) -> frozenset[str]:
        """Variables with a directed path into `of` once arrows into the `severed` ones are cut."""
        names, producer = self.diagram.wires, self.diagram.producer
        seen = {self.diagram.position[name] for name in of}
        pending = list(seen)
        while pending:
            wire = pending.pop()
            if names[wire].name not in severed and wire in producer:
                new = set(self.diagram.boxes[producer[wire]].inputs) - seen
                seen |= new
                pending.extend(new)
        return frozenset(names[wire].name for wire in seen)

    def separated(self, condition: Separated) -> bool:
        """Whether the separation holds by connectivity of the mutilated diagram."""
        mutilated = without_arrows_out(cut(self.diagram, condition.cut), condition.cut_out)
        return separated(mutilated, condition.first, condition.second, condition.given)

    # -- probability

    def total(self, step: Step) -> None:
        """The sum over b of P(A, B=b | C), for P(A | C)."""
        small, after = _Parts.of(step.before), step.after
        if not isinstance(after, Sum) or not isinstance(after.body, Kernel):
            raise StepError("the right side is not the sum of one kernel")
        values = {symbol.variable: symbol for symbol in after.binders}
        _require(len(values) == len(after.binders), "a sum binds a variable twice")
        bound = [term for term in after.body.outcomes if values.get(term.variable) == term.value is not None]
        _require({term.variable for term in bound} == values.keys(), "the sum is not over outcomes")
        rest = tuple(term for term in after.body.outcomes if term not in bound)
        _require(_Parts.of(replace(after.body, outcomes=rest)) == small, "the rest of the kernel has changed")
        named = small.outcomes | small.given | small.do
        _require(not values.keys() & named, "the sum is over a variable that the left side names")

    def product_rule(self, step: Step) -> None:
        """P(A, B | C) as P(A | C) P(B | A, C), or back."""
        if isinstance(step.before, Product):
            step = replace(step, before=step.after, after=step.before)
        whole = _Parts.of(step.before)
        factors = step.after.factors if isinstance(step.after, Product) else ()
        parts = sorted(map(_Parts.of, factors), key=lambda part: len(part.given))
        before: frozenset[str] = frozenset()
        for part in parts:
            _require((part.do, part.source) == (whole.do, whole.source), "a factor has other set variables")
            _require(part.given == whole.given | before, "a factor is not given just those before it")
            _require(not part.outcomes & before, "two factors have an outcome in common")
            before |= part.outcomes
        _require(len(parts) > 1 and before == whole.outcomes, "the factors do not make up the outcomes")

    def conditional(self, step: Step) -> None:
        """P(A | B, C) as P(A, B | C) / P(B | C)."""
        if not isinstance(step.after, Ratio):
            raise StepError("the right side is not a quotient")
        left, above, below = map(_Parts.of, (step.before, step.after.numerator, step.after.denominator))
        same = (left.do, left.source) == (above.do, above.source) == (below.do, below.source)
        _require(same and above.given == below.given, "the kernels have other conditions")
        _require(above.outcomes == left.outcomes | below.outcomes, "the numerator is not of all outcomes")
        _require(left.given == below.outcomes | below.given, "the denominator is not of the conditions")
        _require(not below.outcomes & below.given, "a condition stands twice")

    def distributivity(self, step: Step) -> None:
        """A sum of a product of kernels, as some of them times the sum of the others; no bound symbol in front."""
        factors = step.after.factors if isinstance(step.after, Product) else ()
        before, last = step.before, factors[-1] if factors else step.after
        if not isinstance(before, Sum) or not isinstance(last, Sum):
            raise StepError("the two sides are not a sum and a product that ends in one")
        symbols = {symbol.variable: symbol for symbol in before.binders}
        own = {symbol.variable: symbol for symbol in last.binders}
        _require(symbols.keys() == own.keys(), "the two sums are over other variables")
        _require(len(own) == len(last.binders) == len(before.binders), "a sum binds a variable twice")
        body = rename_symbols(last.body, {own[name]: symbols[name] for name in own})
        _require(_kernels_of(before.body) == _kernels_of(product((*factors[:-1], body))), "the factors have changed")

    def read_off(self, step: Step) -> None:
        """A kernel under surgery as the same kernel of a source that did it."""
        left, right = _Parts.of(step.before), _Parts.of(step.after)
        _require(left.source is None and replace(left, source=right.source) == right, "more than the source changed")
        own = {(source.name, frozenset(source.do)) for source in self.sources if not source.differs}
        _require((right.source, right.do) in own, "no source of the model itself shows this")

    def observe(self, step: Step) -> None:
        """A kernel without surgery as that of a source that only observed."""
        if not isinstance(step.before, Kernel) or not isinstance(step.after, Kernel):
            raise StepError("the rule is about a single kernel")
        same = replace(step.before, source=step.after.source) == step.after
        _require(same and not step.before.do and step.before.source is None, "more than the source changed")
        own = [source for source in self.sources if not source.differs]
        _require(available(step.after, own), "no source of the model itself shows this")

    # -- rewrites

    def rewrite(self, step: Step) -> None:
        """An identity of probability theory."""
        from .do_identity import identical

        holds = identical(step.before, step.after)
        if holds is None:
            rewritten = next(part for part in simplify.REWRITES if part.rule == step.rule)
            after, _ = rewritten.apply(NOTHING, step.before)
            holds = equal(after, step.after)
        _require(holds, "the two sides are not equal for all distributions")


NOTHING = CausalGraph((), (), ())


def _variable(term: Term) -> str:
    return term.variable


def _separation(
    outcomes: frozenset[str],
    moved: frozenset[str],
    given: frozenset[str],
    severed: frozenset[str],
    severed_out: frozenset[str] = frozenset(),
) -> Separated:
    first, second, third = (tuple(sorted(names)) for names in (outcomes, moved, given))
    return Separated(first, second, third, tuple(sorted(severed)), tuple(sorted(severed_out)))


def _sets(condition: Separated) -> tuple[frozenset[str], ...]:
    parts = (condition.first, condition.second, condition.given, condition.cut, condition.cut_out)
    return (*map(frozenset, parts), frozenset(f"{tail} -> {head}" for tail, head in condition.arrows))


def without_arrows_out(diagram: Diagram, names: Sequence[str]) -> Diagram:
    """The diagram in which no box reads the named wires any more."""
    severed = {diagram.position[name] for name in names}
    boxes = (replace(box, inputs=tuple(wire for wire in box.inputs if wire not in severed)) for box in diagram.boxes)
    return replace(diagram, boxes=tuple(boxes))


def _kernels_of(formula: Formula) -> Counter[tuple[frozenset[Term], ...]]:
    """The factors of a product, which must be kernels, as sets of terms, each as often as it occurs."""
    factors = formula.factors if isinstance(formula, Product) else (formula,)
    found: Counter[tuple[frozenset[Term], ...]] = Counter()
    for factor in factors:
        if not isinstance(factor, Kernel) or factor.source is not None:
            raise StepError("a factor is no kernel of the model")
        found[frozenset(factor.outcomes), frozenset(factor.given), frozenset(factor.do)] += 1
    return found


CHECKERS: Mapping[str, tuple[Rule, Callable[[_Checker, Step], None]]] = {
    **{rule.name: (rule, _Checker.do_rule) for rule in do_rules.DO_RULES},
    do_rules.TOTAL.name: (do_rules.TOTAL, _Checker.total),
    do_rules.PRODUCT_RULE.name: (do_rules.PRODUCT_RULE, _Checker.product_rule),
    do_rules.CONDITIONAL.name: (do_rules.CONDITIONAL, _Checker.conditional),
    do_rules.DISTRIBUTE.name: (do_rules.DISTRIBUTE, _Checker.distributivity),
    do_rules.READ.name: (do_rules.READ, _Checker.read_off),
    OBSERVE.name: (OBSERVE, _Checker.observe),
    **{part.rule.name: (part.rule, _Checker.rewrite) for part in simplify.REWRITES if part.rule != simplify.SEPARATION},
}
