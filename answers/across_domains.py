"""Answers about several domains of a latent model: `canonicalise`, `equivalent`, `counterfactual`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dsl.diagnostics import Diagnostic, SutureError
from ..dsl.formula import Formula, Kernel, Term
from ..dsl.parser import parse
from ..dsl.printer import format_source
from ..dsl.program import AnyMechanism, Canonicalise, Counterfactual, Domain, Equivalent, Fit, Model, Program, Query
from ..dsl.source import Source, Span
from ..identify.certify import CertificationError
from ..identify.derivation import Check, Comparison, Derivation
from ..identify.derivation_text import assigned, names
from ..identify.latent.canonical import Moved, Sketch, derivation, moves, new_names, normalise
from ..identify.latent.canonical_replay import replay_rewrites
from .answer import Answer
from .answer_data import Status
from .fitting import Fits

if TYPE_CHECKING:
    from ..dsl.drawing.scene import Scene
    from ..identify.latent.canonical_form import CanonicalForm
    from ..semantics.latent.domain_families import Family
    from ..semantics.latent.function_domains import FunctionDomains
    from ..semantics.latent.smooth_domains import SmoothDomains
    from ..semantics.latent.smooth_minimal import FewestSmooth

# Pictures of more boxes than this are too small to read.
MOST_DRAWN = 14
MOST_NAMED = 20


@dataclass
class Families:
    """The latent models of a program's statements, each read once, with those that other statements make."""

    program: Program
    folder: Path = field(default_factory=Path)
    frames: Mapping[str, Any] = field(default_factory=dict)
    made: dict[tuple[str, tuple[str, ...]], Family] = field(default_factory=dict)
    functions: Mapping[str, FunctionDomains] = field(default_factory=dict[str, "FunctionDomains"])
    """Models given as functions, which no program can write."""

    @cached_property
    def fits(self) -> Fits:
        """The fits of the program, each made once; paths of data are taken from `folder`."""
        return Fits(self.program, self.folder, self.frames)

    def family(self, name: str, domains: tuple[str, ...]) -> Family:
        """The latent model of that name in the given domains, in their order."""
        key = name, domains
        if key not in self.made:
            maker = self.maker(name)
            if name in self.functions:
                self.made[key] = self.functions[name].within(domains)
            elif maker is None:
                from ..semantics.latent.domain_families import family_of

                chosen = [(domain, self.domain(name, domain)) for domain in domains]
                self.made[key] = family_of(self.program.models[name], chosen)
            elif isinstance(maker, Fit):
                self.made[key] = self.fitted(maker, domains)
            else:
                from ..semantics.latent.domain_families import in_domains

                base = self.family(maker.model, maker.domains)
                self.made[key] = in_domains(canonical_family(base, maker.name or maker.model, maker.span), domains)
        return self.made[key]

    def fitted(self, maker: Fit, domains: tuple[str, ...]) -> Family:
        """The model that a fit makes, read from its own program."""
        from ..dsl.resolve import resolve
        from ..semantics.latent.domain_families import family_of

        source = Source(self.fits.text(maker))
        program = resolve(parse(source), source)
        return family_of(next(iter(program.models.values())), [(name, program.domains[name]) for name in domains])

    def maker(self, name: str) -> Canonicalise | Fit | None:
        """The statement that makes the model of that name, where one does."""
        for statement in self.program.statements:
            if isinstance(statement, (Canonicalise, Fit)) and statement.name == name:
                return statement
        return None

    def domain(self, model: str, name: str) -> Domain:
        """A domain of a model."""
        found = self.program.domains.values()
        return next(domain for domain in found if domain.model == model and domain.name == name)


def canonical_family(family: Family, name: str, span: Span) -> Family:
    """The canonical form of a latent model, as a latent model."""
    from ..identify.latent.canonical_form import canonical_form
    from ..semantics.latent.function_domains import FunctionDomains, canonical_functions
    from ..semantics.latent.smooth_domains import SmoothDomains

    if isinstance(family, FunctionDomains):
        return canonical_functions(family, new_names(family.nodes, family.observed))
    return _smooth_form(family, name, span) if isinstance(family, SmoothDomains) else canonical_form(family).model


def _smooth_form(family: SmoothDomains, name: str, span: Span) -> SmoothDomains:
    from ..semantics.latent.canonical_smooth import NoInverse, canonical_smooth

    try:
        return canonical_smooth(family, new_names(family.nodes, family.order), name)
    except NoInverse as gap:
        raise _no_inverse(family, gap.node, gap.domain, span) from None


def _no_inverse(family: SmoothDomains, node: str, domain: str | None, span: Span) -> SutureError:
    first = family.domains[0]
    if domain is None:
        text = f"the mechanism of {node} in {first} has no inverse that the language can write"
        hint = f"name first a domain whose mechanism of {node} is made of exp, log, tanh, odd powers and the like"
    else:
        text = f"in {domain}, {node} takes values that its mechanism in {first} cannot give"
        hint = "name first a domain whose mechanism reaches every value"
    return SutureError(Diagnostic("S465", text, span, "", hint))


# ---------------------------------------------------------------------------------------------------------------------
# counterfactual


def counterfactual(head: Answer, statement: Counterfactual, families: Families) -> Answer:
    """What a sample of one domain would have been in another."""
    chosen = tuple(dict.fromkeys((statement.start, statement.end)))
    maker = families.maker(statement.model)
    family = families.family(statement.model, chosen if maker is None else maker.domains)
    given = dict(statement.sample)
    sample = [_value(family, name, given[name]) for name in family.observed]
    image: tuple[Any, ...] | None = family.counterfactual(sample, statement.start, statement.end)
    if image is None:
        text = f"{assigned(statement.sample)} is never observed in domain {statement.start}"
        hint = "a sample must be what some noise gives there"
        raise SutureError(Diagnostic("S464", text, statement.span, "impossible", hint))
    there: list[Any] = list(image)
    back = family.counterfactual(there, statement.end, statement.start)
    check = Check(1, _off(sample, back), None, f"back from {statement.end} to {statement.start} it is the sample again")
    exact = all(isinstance(value, Fraction) for value in image)
    value = {"variables": list(family.observed), "rows": [[_number(value) for value in image]]}
    written = {"variables": list(family.observed), "rows": [[str(value) for value in image]]} if exact else None
    line = assigned(
        (name, str(value) if isinstance(value, (str, Fraction)) else f"{value:.10g}")
        for name, value in zip(family.observed, image, strict=True)
    )
    notes = tuple(f"inverted numerically: {what}" for what in getattr(family, "numerical", ()))
    return replace(head, value=value, exact=written, lines=(line,), check=check, notes=notes)


def _value(family: Family, name: str, text: str) -> Any:
    """A sample's value: a label, or a number, exact where it can be."""
    from ..semantics.latent.finite_domains import FiniteDomains

    if isinstance(family, FiniteDomains):
        return text
    above, _, below = text.partition("/")
    return Fraction(above) / Fraction(below) if below else Fraction(text)


def _number(value: Any) -> Any:
    """A value as JSON has it: labels that are numbers become numbers."""
    if not isinstance(value, str):
        return float(value)
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        return value


def _off(sample: Sequence[Any], back: Sequence[Any] | None) -> float:
    if back is None:
        return float("inf")
    return max((0.0 if a == b else abs(float(a) - float(b)) for a, b in zip(sample, back, strict=True)), default=0.0)


def not_from_laws(head: Answer, query: Query, program: Program) -> Answer | None:
    """The refusal of `P(Y[. ~ d1] | domain = d0, ..)` from distributions, where a second model has the same ones.

    None where the query is not of that kind, or the model not linear with normal noise in what differs.
    """
    found = _across(query.formula)
    model = program.models[query.model]
    if found is None or any(name not in {term.variable for term in found.given} for name in model.observed):
        return None
    kernel, end = found.kernel, found.end
    lent = [domain for domain in program.domains.values() if domain.model == model.name]
    start = next(
        (domain for domain in lent if domain.name == kernel.source), Domain(f"{model.name} itself", model.name, {})
    )
    target = next((domain for domain in lent if domain.name == end), None)
    if target is None or without_numbers(model, [start, target]):
        return None

    from ..identify.latent.unidentified import twin
    from ..semantics.latent.domain_families import family_of

    try:
        family = family_of(model, [(start.name, start), (target.name, target)])
    except SutureError:
        return None
    values = {term.variable: term.value for term in found.given}
    plain = [values[name] for name in model.observed]
    sample = None if None in plain else [_value(family, name, str(values[name])) for name in model.observed]
    other = twin(family, model.name, sample, found.asked)
    if other is None:
        return None
    changed = f"with the noise of {other.node} reversed in {other.domain}, every distribution stays what it is"
    note = "linear models with normal noise: a domain's distribution knows its mechanism up to an orthogonal factor"
    return replace(
        head,
        status=Status.NOT_IDENTIFIED,
        witness=Comparison(other.images, None),
        notes=(f"{changed}; graph, observation and what is intervened on do too", note),
    )


@dataclass(frozen=True)
class _Across:
    """A kernel that asks, of a unit seen in one domain, for its values in another."""

    kernel: Kernel
    given: tuple[Term, ...]
    end: str
    asked: tuple[str, ...]


def _across(formula: Formula) -> _Across | None:
    """The one kernel `P(Y[. ~ d1] | X = x)` of a formula, its conditions in the world that was seen."""
    if not isinstance(formula, Kernel) or formula.do:
        return None
    swaps = {each.swap for term in formula.outcomes for each in term.world if each.swap is not None}
    plain = all(not term.world for term in formula.given)
    only = all(term.world and all(each.variable == "." for each in term.world) for term in formula.outcomes)
    (end,) = swaps if len(swaps) == 1 else (None,)
    if end is None or not plain or not only or not formula.given:
        return None
    return _Across(formula, formula.given, end, tuple(term.variable for term in formula.outcomes))


# ---------------------------------------------------------------------------------------------------------------------
# equivalent


def equivalent_models(head: Answer, statement: Equivalent, families: Families) -> Answer:
    """Whether two models answer every domain counterfactual alike, and whether they have the same distributions."""
    from ..identify.latent.domain_equivalence import equivalent

    pair = statement.first, statement.second
    both = [families.family(name, statement.domains) for name in pair]
    shown = pair if pair[0] != pair[1] else (pair[0], f"{pair[1]} again")
    found = equivalent(both[0], both[1], shown)
    value = {"counterfactual": found.counterfactual, "distribution": found.distribution}
    lines = (
        f"counterfactuals  {'the same' if found.counterfactual else 'different'}",
        f"distributions    {'the same' if found.distribution else 'different'}",
    )
    status = Status.HOLDS if found.counterfactual else Status.FAILS
    return replace(
        head,
        status=status,
        value=value,
        lines=lines,
        witness=found.witness,
        check=found.check,
        notes=() if found.reason is None else (found.reason,),
    )


# ---------------------------------------------------------------------------------------------------------------------
# canonicalise


def canonicalised(head: Answer, statement: Canonicalise, families: Families) -> Answer:
    """An equivalent model whose interventions come last; on a diagram without numbers, which moves are legal."""
    from ..identify.latent.canonical_form import canonical_form
    from ..semantics.latent.function_domains import FunctionDomains
    from ..semantics.latent.smooth_domains import SmoothDomains

    model = families.program.models.get(statement.model)
    if model is not None:
        domains = [families.domain(statement.model, name) for name in statement.domains]
        if without_numbers(model, domains):
            return _on_diagram(head, model, statement.domains, domains)
    family = families.family(statement.model, statement.domains)
    name = statement.name or f"{statement.model}Last"
    if isinstance(family, FunctionDomains):
        return _functions_answer(head, family)
    if isinstance(family, SmoothDomains):
        return _smooth_answer(head, family, _smooth_form(family, name, statement.span), name)
    return _answer(head, canonical_form(family), name)


def _answer(head: Answer, form: CanonicalForm, name: str) -> Answer:
    from ..identify.latent.canonical_form import last_names
    from ..identify.latent.unidentified import twin

    program = formatted(program_text(form.model, name))
    smallest = None if form.minimal is None else formatted(program_text(form.minimal.model, f"{name}Fewest"))
    before, last = form.start.intervened(), last_names(form)
    fewest = form.fewest
    value: dict[str, Any] = {
        "program": program,
        "intervened": list(before),
        "last": list(last),
        "minimal_k": fewest.least if fewest.least == fewest.most else None,
        "minimal_k_bounds": [fewest.least, fewest.most],
        "minimal_program": smallest,
        "largest_orbit": fewest.orbit or None,
        "gf2_rank": fewest.gf2,
    }
    lines = [
        f"intervened on   {names(before)} of {names(form.start.nodes)}",
        f"now             {names(last)} of {names(form.model.nodes)}, the last",
        f"minimal k       {_fewest_text(form)}",
    ]
    notes: list[str] = []
    other = twin(form.start, head.model or name)
    if other is not None:
        one, two = other.images.images
        notes.append(
            f"the distributions of {', '.join(form.start.domains)} do not tell these counterfactuals: with the noise "
            f"of {other.node} reversed in {other.domain} they stay the same, and {assigned(other.images.sample)} in "
            f"{other.images.start} would have been {assigned(two)} in {other.images.end}, not {assigned(one)}"
        )
        value["identified_from_distributions"] = False
    if smallest is not None:
        kept = "and the same distributions" if form.minimal_keeps_law else "not the same distributions"
        notes.append(f"minimal_program in the JSON has {fewest.most} intervened, the same counterfactuals, {kept}")
    return replace(
        head,
        value=value,
        lines=tuple(lines),
        program=program,
        derivation=form.derivation,
        check=form.check,
        scene=_scene(form.derivation),
        notes=tuple(notes),
    )


def _fewest_text(form: CanonicalForm) -> str:
    from ..semantics.latent.linear_domains import LinearDomains

    least, most, orbit, rank = form.fewest.least, form.fewest.most, form.fewest.orbit, form.fewest.gf2
    if isinstance(form.start, LinearDomains):
        return f"{least}, the rank of [F0^-1 Fd - I | F0^-1 (bd - b0)]"
    said = f"the largest orbit has {orbit} states"
    if rank is not None:
        said += f"; {rank} among xor-linear models, the rank over GF(2)"
    return f"{least}: {said}" if least == most else f"between {least} and {most}: {said}"


def program_text(model: Any, name: str) -> str:
    """The program of a linear or finite latent model."""
    from ..semantics.latent.finite_reading import finite_program
    from ..semantics.latent.linear_domains import LinearDomains
    from ..semantics.latent.linear_reading import linear_program

    return linear_program(model, name) if isinstance(model, LinearDomains) else finite_program(model, name)


def formatted(program: str) -> str:
    """A program as `suture fmt` writes it."""
    return format_source(Source(program))


def _smooth_answer(head: Answer, start: SmoothDomains, form: SmoothDomains, name: str) -> Answer:
    from ..identify.latent.canonical_form import certify_smooth, sketch_of
    from ..semantics.latent.canonical_smooth import canonical_program
    from ..semantics.latent.smooth_minimal import fewest_smooth

    sketch, fewest = sketch_of(start), fewest_smooth(start)
    program = formatted(canonical_program(start, new_names(start.nodes, start.order), name))
    before = start.intervened()
    rewrites = _legal(sketch)
    _replayed(rewrites, sketch, start.domains)
    check = certify_smooth(start, form, new_names(start.nodes, start.order))
    value = {
        "program": program,
        "intervened": list(before),
        "last": list(form.intervened()),
        **_fewest_value(fewest),
    }
    lines = (
        f"intervened on   {names(before)} of {names(start.nodes)}",
        f"now             {names(form.intervened())}, the last",
        f"minimal k       {_fewest_words(fewest)}",
    )
    notes = tuple(f"inverted numerically: {what}" for what in start.numerical)
    made = derivation(rewrites)
    return replace(
        head,
        value=value,
        lines=lines,
        program=program,
        derivation=made,
        check=replace(check, how=f"{len(rewrites)} rewrites replayed on diagrams; {check.how}"),
        scene=_scene(made),
        notes=notes,
    )


def _functions_answer(head: Answer, start: FunctionDomains) -> Answer:
    """The canonical form of functions: composed, compared on samples, and no program."""
    from ..identify.latent.canonical_form import certify_smooth
    from ..semantics.latent.function_domains import canonical_functions
    from ..semantics.latent.smooth_minimal import fewest_smooth

    fewest = fewest_smooth(start)
    renamed = new_names(start.nodes, start.observed)
    form = canonical_functions(start, renamed)
    before, last = start.intervened(), form.intervened()
    value = {
        "program": None,
        "intervened": list(before),
        "last": list(last),
        **_fewest_value(fewest),
    }
    lines = (
        f"intervened on   {names(before)} of {names(_few(start.nodes))}",
        f"now             {names(last)}, the last",
        f"minimal k       {_fewest_words(fewest)}",
    )
    notes = (
        "which mechanisms differ was seen on random noises: evidence, not a proof",
        *(f"inverted numerically: {what}" for what in start.numerical),
    )
    return replace(head, value=value, lines=lines, check=certify_smooth(start, form, renamed), notes=notes)


def _few(nodes: Sequence[str]) -> Sequence[str]:
    """Names, the middle ones of many left out."""
    return nodes if len(nodes) <= MOST_NAMED else (*nodes[:3], "..", nodes[-1])


def _fewest_value(fewest: FewestSmooth) -> dict[str, Any]:
    exact = fewest.least if fewest.least == fewest.most else None
    return {"minimal_k": exact, "minimal_k_bounds": [fewest.least, fewest.most], "minimal_program": None}


def _fewest_words(fewest: FewestSmooth) -> str:
    found = str(fewest.least) if fewest.least == fewest.most else f"between {fewest.least} and {fewest.most}"
    return f"{found}: {fewest.why}"


# ---------------------------------------------------------------------------------------------------------------------
# On a diagram alone


def without_numbers(model: Model, domains: Sequence[Domain]) -> bool:
    """Whether some mechanism is not given, so that only the diagram speaks."""
    given = [{**model.mechanisms, **domain.mechanisms} for domain in domains]
    return any(name not in own or isinstance(own[name], AnyMechanism) for own in given for name in model.by_name)


def _on_diagram(head: Answer, model: Model, over: tuple[str, ...], domains: Sequence[Domain]) -> Answer:
    sketch = diagram_sketch(model, over, domains)
    moved = _legal(sketch)
    _replayed(moved, sketch, over)
    absorbed = next((m.sketch for m in reversed(moved[:-1])), sketch)
    last = moved[-1].sketch
    fixed = [name for name in sketch.latents if name in sketch.intervened]
    free = [name for name in sketch.latents if name not in sketch.intervened]
    lines = [
        f"intervened on   {names(fixed)} of {names(sketch.latents)}",
        f"may be absorbed {names(free)}; not {names(fixed)}, since h1 would depend on the domain",
        "parents after absorbing:",
        *(f"  {name}: {names(sketch.ordered(absorbed.parents[name]))}" for name in fixed),
        "parents after normalising, at most:",
        *(f"  {name}: {names(last.parents[name])}" for name in last.latents if name in last.intervened),
    ]
    value = {
        "program": None,
        "intervened": fixed,
        "last": [name for name in last.latents if name in last.intervened],
        "minimal_k": None,
        "minimal_k_bounds": [0, len(fixed)],
        "minimal_program": None,
        "absorbable": free,
        "parents": {
            "absorbed": {name: list(sketch.ordered(absorbed.parents[name])) for name in fixed},
            "normalised": {name: list(last.parents[name]) for name in last.latents if name in last.intervened},
        },
    }
    notes = (
        "every mechanism must be invertible in its noise, and what is seen one to one in the latents",
        f"not to be told from the diagram: the least number of intervened latents (at most {len(fixed)}), "
        "equivalence with another model, and any counterfactual; distributions alone do not tell them either",
    )
    check = Check(0, 0.0, None, f"{len(moved)} rewrites replayed on diagrams; no numbers to check them on")
    made = derivation(moved)
    return replace(head, value=value, lines=tuple(lines), derivation=made, check=check, scene=_scene(made), notes=notes)


def _legal(sketch: Sketch) -> list[Moved]:
    """All moves on a diagram, normalising last."""
    found = list(moves(sketch))
    end = found[-1].sketch if found else sketch
    return [*found, normalise(end, new_names(end.latents, end.observed))]


def _replayed(moved: Sequence[Moved], sketch: Sketch, domains: Sequence[str]) -> None:
    """Let the checker replay moves on diagrams; raises `CertificationError` where one does not hold."""
    shared = [name for name in sketch.latents if name not in sketch.intervened]
    faults = replay_rewrites([move.rewrite for move in moved], domains, shared)
    if faults:
        raise CertificationError("; ".join(faults))


def diagram_sketch(model: Model, over: tuple[str, ...], domains: Sequence[Domain]) -> Sketch:
    """Latents, what is seen and what differs, from a model's diagram; without latents, the observed ones stand for
    themselves.

    Raises `SutureError` S460 where an anonymous common cause makes noises depend on each other.
    """
    hidden = [name for name in model.latent if "<->" in name]
    if hidden:
        text = f"{hidden[0]} is a hidden common cause, so that the noises of its ends are not independent"
        hint = "declare it as a latent variable that both read"
        raise SutureError(Diagnostic("S460", text, model.by_name[hidden[0]].span, "", hint))
    order = [model.diagram.boxes[number].name for number in model.diagram.order]
    latents = [name for name in order if name in model.latent]
    rename = {name: name for name in latents} or {name: f"Z_{name}" for name in order}
    parents = {
        rename[name]: tuple(rename[parent] for parent in model.parents(name) if parent in rename)
        for name in order
        if name in rename
    }
    sees: dict[str, tuple[str, ...]] = {}
    for name in order:
        if not latents:
            sees[name] = (rename[name],)
        elif name in model.observed:
            read = [each for parent in model.parents(name) for each in sees.get(parent, (parent,))]
            sees[name] = tuple(dict.fromkeys(read))
    changed = dict.fromkeys(name for domain in domains for name in domain.mechanisms) or dict.fromkeys(model.mutable)
    seen_through = [name for name in changed if name not in rename]
    if seen_through:
        text = f"{seen_through[0]} is what is seen, and domains must share what they see through"
        raise SutureError(Diagnostic("S460", text, model.by_name[seen_through[0]].span, "", "change latents only"))
    moved = frozenset(rename[name] for name in changed)
    return Sketch(tuple(rename[n] for n in order if n in rename), model.observed, {**parents, **sees}, moved, over)


def _scene(made: Derivation) -> Scene | None:
    """The diagrams where the rule changes, side by side; None where they are too large or Graphviz is missing."""
    from ..dsl.drawing import diagram_scene, row_scene

    rewrites = made.rewrites
    if not rewrites or len(rewrites[0].before.boxes) > MOST_DRAWN:
        return None
    panels, captions = [rewrites[0].before], ["start"]
    for rewrite, following in zip(rewrites, [*rewrites[1:], None], strict=True):
        if following is None or following.rule != rewrite.rule:
            panels.append(rewrite.after)
            captions.append(rewrite.rule.name)
    try:
        scenes = [diagram_scene(panel) for panel in panels]
    except SutureError:
        return None
    return row_scene(scenes, ["↦"] * (len(scenes) - 1), captions)


def heads(statement: Canonicalise | Equivalent | Counterfactual) -> Mapping[str, str | None]:
    """The name, model and query that an answer's first line shows."""
    match statement:
        case Canonicalise(model, domains, name):
            return {"name": name, "model": model, "query": f"over {names(domains)}"}
        case Equivalent(first, second, domains):
            return {"name": None, "model": first, "query": f"{first}, {second} over {names(domains)}"}
        case Counterfactual(sample, model, start, end):
            return {"name": None, "model": model, "query": f"{assigned(sample)} from {start} to {end}"}
