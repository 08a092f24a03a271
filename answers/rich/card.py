"""An answer as a card: what was asked, the verdict, the formula or number, its proof or its witness.

It is one `section` with headings, tables with captions and folded parts, so that a keyboard and a screen reader find
their way, and it reads from top to bottom where a page strips its style and its pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostics import render
from ...dsl.formula_mathml import mathml
from ...identify.derivation_text import condition_text
from ..answer_data import AnswerData, Status
from ..report import check_text
from .markup import Markup, Part, block, code, folded, joined, scrolled, tag
from .pictures import lasting_figure, main_picture
from .steps import derivation_parts
from .style import style
from .values import value_parts
from .witnesses import side_by_side, witness_parts

VERDICTS = {
    Status.IDENTIFIED: ("identified", "good"),
    Status.NOT_IDENTIFIED: ("not identifiable", "bad"),
    Status.UNDECIDED: ("undecided", "open"),
    Status.VALUE: ("", ""),
    Status.BOUNDS: ("bounds", "open"),
    Status.HOLDS: ("holds", "good"),
    Status.FAILS: ("fails", "bad"),
    Status.ERROR: ("error", "bad"),
}


def answer_html(answer: AnswerData) -> str:
    """The answer as HTML with its own style: one `section` that may stand anywhere in a page."""
    parts = [*_head(answer), *_body(answer)]
    verdict = VERDICTS[answer.status][0] or "answered"
    label = f"{answer.statement} {answer.name or ''}: {verdict}".replace(" :", ":")
    sheet = tag("style", Markup(style()))
    return tag("section", sheet, *parts, class_="suture-answer", aria_label=label)


def _head(answer: AnswerData) -> Iterator[Markup]:
    """What was asked of which model, and the verdict."""
    subject = f" {answer.name}" if answer.name else ""
    place = f" in {answer.model}" if answer.model else ""
    source = f" from {answer.source}" if answer.source else ""
    told, kind = VERDICTS[answer.status]
    verdict = None if not told else tag("span", told, class_=f"suture-verdict suture-{kind}")
    method = f" by {answer.method}" if answer.method and told else ""
    heading = tag("span", answer.statement, tag("span", f"{subject}{place}{source}", class_="suture-faint"))
    yield tag("h4", heading, " · " if verdict else None, verdict, tag("span", method, class_="suture-faint"))
    if answer.query:
        yield scrolled(code(answer.query))


def _body(answer: AnswerData) -> Iterator[Part]:
    if answer.error is not None:
        yield block(render(answer.error, None), "the error")
        return
    yield from value_parts(answer)
    if answer.estimand is not None:
        yield scrolled(Markup(mathml(answer.estimand.formula, block=True)))
        yield folded(
            tag("span", "the formula as text and as LaTeX", class_="suture-faint"),
            block(answer.estimand.text, "the formula as text"),
            block(answer.estimand.latex, "the formula as LaTeX"),
        )
    shown = main_picture(answer)
    if shown is not None:
        yield lasting_figure(shown[0], shown[1] or None)
    if answer.attaining is not None:
        sides = [(f"attains the {side} bound", program) for side, program in answer.attaining.items() if program]
        yield side_by_side("two models that attain the bounds", sides) if sides else None
    yield from _section(
        "Why not" if answer.status is not Status.VALUE else "Witness", witness_parts(answer.witness, answer.models)
    )
    steps = derivation_parts(answer.derivation, answer.diagram, answer.asked)
    yield from _section(_derivation_title(answer), steps)
    yield _facts(answer)


def _derivation_title(answer: AnswerData) -> str:
    if answer.derivation.rewrites:
        return "Derivation, diagram by diagram"
    count = len(answer.derivation.steps)
    if answer.status is Status.NOT_IDENTIFIED:
        return "How far it goes"
    return f"Derivation in {count} step{'s' if count != 1 else ''}"


def _section(title: str, parts: Iterator[Markup]) -> Iterator[Markup]:
    """A heading and what stands below it; nothing at all where that is nothing."""
    found = list(parts)
    if found:
        yield tag("h5", title)
        yield from found


def _facts(answer: AnswerData) -> Part:
    """What a reader of the answer should know: the check, what it needs, notes."""
    facts: list[tuple[str, Part]] = []
    if answer.reason and not answer.lines:
        facts.append(("reason", answer.reason))
    if answer.check is not None:
        facts.append(("check", check_text(answer.check)))
    if answer.requires:
        needs = [code(condition_text(each)) for each in answer.requires]
        facts.append(("needs", joined(needs[0], *(joined(", ", each) for each in needs[1:]))))
    facts += [("note", note) for note in answer.notes]
    if not facts:
        return None
    return tag("dl", *(joined(tag("dt", name), tag("dd", value)) for name, value in facts))
