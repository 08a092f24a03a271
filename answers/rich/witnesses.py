"""What proves a negative answer, as HTML: the hedge, the open path, two models that agree and differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ...dsl.formula_text import text
from ...identify.derivation import Comparison, Images, OpenPath, OtherLaw, SharedMaps, Witness, WorstDomain
from ...identify.derivation_text import witness_text
from ...identify.witnesses.model_pair import ModelPair, NoWitness
from .markup import Markup, Part, block, code, folded, items, table, tag


def witness_parts(witness: Witness | None, models: ModelPair | NoWitness | None) -> Iterator[Markup]:
    """A witness, and the two models that go with it or the reason why there are none."""
    if witness is not None:
        yield from _witness(witness)
    if isinstance(models, NoWitness):
        yield tag("p", f"No two models are shown: {models.text()}.")
    elif models is not None:
        yield from _pair(models)


def _witness(witness: Witness) -> Iterator[Markup]:
    match witness:
        case OpenPath(path):
            yield tag("p", "open path: ", code(path))
        case WorstDomain(_, program, risk):
            yield tag("p", f"In this domain the expected loss is {risk:.6g}, the worst of all:")
            yield block(program, "the worst domain")
        case Comparison():
            yield from _comparison(witness)
        case _:
            first, *rest = witness_text(witness)
            yield tag("p", first)
            if rest:
                yield tag("p", " ".join(rest))


def _comparison(found: Comparison) -> Iterator[Markup]:
    match found.counterfactual:
        case SharedMaps(latents, noise, keeps_law):
            told = "; h2 keeps the law of the noise" if keeps_law else ""
            yield tag(
                "p",
                "The same in every domain: ",
                code("g' h1 = g"),
                " and ",
                code("f'[d] = h1 f[d] h2"),
                f", where{told}",
            )
            yield items([*(_map("h1", line) for line in latents), *(_map("h2", line) for line in noise)])
        case Images():
            yield _images(found.counterfactual)
        case None:
            pass
    if found.distribution is not None:
        yield _law(found.distribution)


def _map(name: str, line: str) -> Part:
    return code(f"{name}: {line}")


def _images(found: Images) -> Markup:
    """A sample, and what each model says it would have been."""
    names = [name for name, _ in found.sample]
    rows = [[f"observed in {found.start}", *(value for _, value in found.sample)]]
    for model, image in zip(found.models, found.images, strict=True):
        values = dict(image)
        rows.append([f"{model}: in {found.end}", *(values.get(name, "") for name in names)])
    return table("a sample on which the two models differ", ["", *names], rows, 1)


def _law(found: OtherLaw) -> Markup:
    rows = [[model, value] for model, value in zip(found.models, found.values, strict=True)]
    return table(f"{found.what} in {found.domain}", ["model", found.what], rows, 1)


def _pair(pair: ModelPair) -> Iterator[Markup]:
    """Two models side by side, below a table of what is the same in both and what is not."""
    first, second = pair.first, pair.second
    rows: list[list[Part]] = [
        [code(text(agreement.kernel)), tag("em", "the same in both"), f"{agreement.checked} entries compared"]
        for agreement in pair.agreements
    ]
    rows.append([code(text(pair.query)), _value(pair.first_value), _value(pair.second_value)])
    caption = "two models over the same diagram: where they agree, and where they differ"
    yield table(caption, ["distribution", f"in {first.name}", f"in {second.name}"], rows, 1)
    told = f"the models {first.name} and {second.name}, side by side"
    yield side_by_side(told, [(f"the model {model.name}", model.program().rstrip()) for model in (first, second)])
    yield folded("both as one program that shows it", block(pair.program.rstrip()))


def side_by_side(summary: str, programs: Iterable[tuple[str, str]]) -> Markup:
    """Programs beside each other where there is room, each with what it is."""
    parts = (tag("div", tag("p", label, class_="suture-faint"), block(program, label)) for label, program in programs)
    return folded(summary, tag("div", *parts, class_="suture-pair"))


def _value(number: Fraction) -> Markup:
    return tag("span", tag("strong", str(number)), f" ({float(number):.4g})")
