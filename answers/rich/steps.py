"""Derivations as HTML: a numbered list of steps, each folded around its rule, its reasons and its picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...dsl.diagram import Diagram
from ...dsl.formula import Formula
from ...dsl.formula_mathml import mathml, mathml_equation
from ...dsl.formula_text import text
from ...identify.derivation import Derivation, MoveCondition, Rewrite, Rule, SideCondition, Step
from ...identify.derivation_text import condition_text, diagram_text
from .markup import Markup, Part, code, folded, items, joined, tag
from .pictures import MOST_STEPS, figure, rewrite_picture, step_picture


def derivation_parts(derivation: Derivation, diagram: Diagram | None, asked: Formula | None) -> Iterator[Markup]:
    """The steps of a derivation; of a very long one only the first have pictures."""
    pictured = diagram if len(derivation.steps) <= MOST_STEPS else None
    steps = [_step(step, said, pictured, cut or asked) for step, said, cut in _with_former(derivation.steps)]
    steps += [_rewrite(rewrite) for rewrite in derivation.rewrites]
    if steps:
        yield items(steps, ordered=True, class_="suture-steps")


def _with_former(steps: Iterable[Step]) -> Iterator[tuple[Step, bool, Formula | None]]:
    """Each step, whether an earlier one had its left side on the right, and the query that was cut last."""
    said, cut = set[Formula](), None
    for step in steps:
        cut = step.before if step.rule.name == "cut" else cut
        yield step, step.before in said, cut
        said.add(step.after)


def _step(step: Step, said: bool, diagram: Diagram | None, asked: Formula | None) -> Markup:
    """A step; `asked` is what it is a part of: the query that was cut, or the whole one."""
    if step.before == step.after:
        shown = Markup(mathml(step.before))
    else:
        shown = Markup(mathml_equation(None if said else step.before, step.after))
    summary = joined(tag("strong", step.rule.name), " ", tag("span", shown, class_="suture-scroll"))
    picture = step_picture(diagram, asked, step)
    written = text(step.before) if step.before == step.after else f"{text(step.before)} = {text(step.after)}"
    return folded(
        summary,
        _rule(step.rule),
        _because(step.because),
        None if picture is None else figure(*picture),
        tag("p", "as text: ", code(written), class_="suture-faint"),
    )


def _rule(rule: Rule) -> Markup:
    return tag("p", rule.statement, " ", tag("span", f"({rule.source})", class_="suture-faint"))


def _because(conditions: Iterable[SideCondition | MoveCondition]) -> Part:
    told = [joined("because ", condition_text(each)) for each in conditions]
    return items(told) if told else None


def _rewrite(rewrite: Rewrite) -> Markup:
    picture = rewrite_picture(rewrite)
    summary = joined(tag("strong", rewrite.rule.name), " ", code(diagram_text(rewrite.after)))
    shown = None if picture is None else figure(*picture)
    return folded(summary, _rule(rewrite.rule), _because(rewrite.because), shown)
