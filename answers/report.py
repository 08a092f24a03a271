"""Answers for readers of a terminal: text of 80 columns.  Nothing here computes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..dsl.formula_text import text, unicode_text
from ..identify.derivation import Check, Rewrite, Step
from ..identify.derivation_text import condition_text, diagram_text, witness_text
from .answer_data import AnswerData, Status

if TYPE_CHECKING:
    from ..identify.witnesses.model_pair import ModelPair, NoWitness

WIDTH = 80
LABEL = 12
ROWS = 24
PROGRAM_LINES = 40
# Quotients longer than this say nothing to a reader; they are in the JSON.
EXACT_LENGTH = 30
# A kernel or a set, with one level of brackets inside; its spaces are held together while lines are broken.
BRACKET = re.compile(r"\w*(?:\[\w+\])?[({](?:[^(){}]|[({][^(){}]*[)}])*[)}]")
HELD = "\x00"


def answer_text(answer: AnswerData, width: int = WIDTH, unicode: bool = False) -> str:
    """The answer as the terminal shows it, without colour."""
    blocks = [_head(answer, width), *_result(answer, width, unicode)]
    steps = answer.derivation.steps
    # An estimate shows formula and number; its derivation is that of `identify`, and in the JSON.
    if steps and (answer.status is not Status.VALUE or answer.statement in ("adjust", "search")):
        blocks.append("\n".join(line for number, step in enumerate(steps, 1) for line in _step(number, step, width)))
    if answer.derivation.rewrites:
        blocks.append("\n".join(_rewrites(answer.derivation.rewrites, width)))
    blocks.append("\n".join(_facts(answer, width)))
    return "\n".join(block for block in blocks if block)


def _head(answer: AnswerData, width: int) -> str:
    subject = f" {answer.name}" if answer.name else ""
    place = f" in {answer.model}" if answer.model else ""
    source = f" from {answer.source}" if answer.source else ""
    left = f"{answer.statement}{subject}{place}{source}"
    right = f"line {answer.line}" if answer.line else ""
    return _sides(left, right, width)


def _sides(left: str, right: str, width: int) -> str:
    gap = width - len(left) - len(right)
    return f"{left}{' ' * max(gap, 2)}{right}".rstrip() if right else left


def _result(answer: AnswerData, width: int, unicode: bool) -> Iterator[str]:
    """The verdict with the query, then formula, number or table, each in a block of its own."""
    if answer.error is not None:
        yield "\n".join(_wrapped(f"error[{answer.error.code}]: {answer.error.message}", "  ", width, "    "))
        return
    verdict = _verdict(answer)
    query = f"  {answer.query}" if answer.query else " "
    if len(query) + len(verdict) + 2 > width:
        yield "\n".join([*_wrapped(answer.query or "", "  ", width), *([f"  {verdict}"] if verdict else [])])
    elif verdict or answer.query:
        yield _sides(query, verdict, width)
    if answer.estimand is not None:
        spelled = unicode_text(answer.estimand.formula) if unicode else answer.estimand.text
        yield "\n" + "\n".join(_wrapped(spelled, "    ", width)) + "\n"
    yield from _value(answer)


def _kept(text: str) -> Iterable[str]:
    """A line of an answer, its own indent kept."""
    if not text:
        return [""]
    indent = "  " + " " * (len(text) - len(text.lstrip()))
    return _wrapped(text.lstrip(), indent, WIDTH, indent + "  ")


def _verdict(answer: AnswerData) -> str:
    match answer.status:
        case Status.IDENTIFIED:
            return f"identified, by {answer.method}" if answer.method else "identified"
        case Status.NOT_IDENTIFIED:
            return "not identifiable"
        case Status.UNDECIDED:
            return "undecided"
        case Status.BOUNDS:
            return f"bounds, by {answer.method}" if answer.method else "bounds"
        case Status.HOLDS:
            return "holds"
        case Status.FAILS:
            return "FAILS"
        case _:
            return ""


def _value(answer: AnswerData) -> Iterator[str]:
    if isinstance(answer.value, (float, int)):
        readable = isinstance(answer.exact, str) and len(answer.exact) <= EXACT_LENGTH
        exact = f"  = {answer.exact}" if readable else ""
        interval = f"  [{answer.interval[0]:.6g}, {answer.interval[1]:.6g}]" if answer.interval else ""
        yield f"  {answer.value:.6g}{exact}{interval}"
    elif answer.lines:
        yield "\n".join(line for text in answer.lines for line in _kept(text))
        if answer.program is not None:
            yield "\n" + "\n".join(f"    {line}".rstrip() for line in answer.program.splitlines()) + "\n"
    elif answer.value is not None:
        yield "\n".join(f"  {line}" for line in table_lines(answer.value, answer.exact))
    elif isinstance(answer.exact, str):
        yield f"  {answer.exact}"
    elif answer.exact is not None:
        yield "\n".join(f"  {line}" for line in table_lines(answer.exact))


def table_lines(table: Any, exact: Any = None, limit: int = ROWS) -> Iterator[str]:
    """A table in columns: labels, the number, and beside it the exact one where there is one that can be read."""
    exact_rows = (
        [str(number) for _, number in exact.rows()] if exact is not None and not isinstance(exact, str) else None
    )
    rows = [
        [*labels, "undetermined" if number is None else f"{number:.6g}" if isinstance(number, float) else str(number)]
        for labels, number in table.rows()
    ]
    if exact_rows is not None:
        shown = [f"= {number}" if len(number) <= EXACT_LENGTH else "" for number in exact_rows]
        rows = [[*row, number] for row, number in zip(rows, shown, strict=True)]
    header = [*table.variables, ""]
    widths = [max(len(row[place]) for row in [[*header, ""], *rows]) for place in range(len(rows[0]))]
    for row in [header, *rows[:limit]]:
        yield "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)).rstrip()
    if len(rows) > limit:
        yield f"… {len(rows) - limit} more rows (all of them with --json)"


def _step(number: int, step: Step, width: int) -> Iterator[str]:
    """A step: its number and rule, the equality, the reasons."""
    label = f"  {number} {step.rule.name}"
    pad = " " * (LABEL + 4)
    first = f"{label:<{LABEL + 4}}" if len(label) < LABEL + 4 else label + "\n" + pad
    before, after = text(step.before), text(step.after)
    if before == after:
        yield first + after
    elif step.rule.name in WHOLE:
        yield from _wrapped(f"= {after}", first, width, pad + "  ")
    else:
        yield from _wrapped(f"{before} = {after}", first, width, pad + "  ")
    for condition in step.because:
        yield from _wrapped(f"because {condition_text(condition)}", pad, width, pad + "  ")


def _rewrites(rewrites: Sequence[Rewrite], width: int) -> Iterator[str]:
    """Rewrites of a diagram: the first one as it is, then what each rule makes of it, with the reasons."""
    pad = " " * (LABEL + 4)
    yield from _wrapped(diagram_text(rewrites[0].before), f"{'  0 start':<{LABEL + 4}}", width, pad)
    for number, rewrite in enumerate(rewrites, 1):
        label = f"  {number} {rewrite.rule.name}"
        yield from _wrapped(diagram_text(rewrite.after), f"{label:<{LABEL + 4}}", width, pad)
        for condition in rewrite.because:
            yield from _wrapped(f"because {condition_text(condition)}", pad, width, pad + "  ")


# Rules that rewrite the whole formula: their left side is the right side of the step before.
WHOLE = frozenset(
    {
        "components",
        "plug",
        "fuse sums",
        "factor out",
        "marginal",
        "conditional",
        "chain rule",
        "separation",
        "back door",
    }
)


def _facts(answer: AnswerData, width: int) -> Iterator[str]:
    if answer.witness is not None:
        for line in witness_text(answer.witness):
            yield from _wrapped(line, "  ", width, "    ")
    if answer.models is not None:
        yield from _models(answer.models, width)
    if answer.reason and not answer.lines:
        yield from _wrapped(answer.reason, f"  {'reason':<{LABEL}}", width, " " * (LABEL + 2))
    if answer.check is not None:
        yield from _wrapped(check_text(answer.check), f"  {'check':<{LABEL}}", width, " " * (LABEL + 2))
    if answer.requires:
        needs = ", ".join(map(condition_text, answer.requires))
        yield from _wrapped(needs, f"  {'needs':<{LABEL}}", width, " " * (LABEL + 2))
    for note in answer.notes:
        yield from _wrapped(note, f"  {'note':<{LABEL}}", width, " " * (LABEL + 2))


def _models(models: ModelPair | NoWitness, width: int) -> Iterator[str]:
    """The pair of models in words and, where it is short enough to read, as a program."""
    from ..identify.witnesses.model_pair import NoWitness

    pad = " " * (LABEL + 2)
    if isinstance(models, NoWitness):
        yield from _wrapped(f"no two models are shown: {models.text()}", f"  {'models':<{LABEL}}", width, pad)
        return
    yield from _wrapped(models.text(), f"  {'models':<{LABEL}}", width, pad)
    program = models.program.rstrip().split("\n")
    if len(program) <= PROGRAM_LINES:
        yield from (f"      {line}".rstrip() for line in program)
    else:
        yield f"{pad}(their program, {len(program)} lines, is in the answer's JSON)"


def check_text(check: Check) -> str:
    """A check in one sentence."""
    if check.how is not None:
        error = "" if not check.max_error else f": largest error {check.max_error:.1e}"
        return f"{check.how}{error}"
    if check.skipped is not None:
        return f"not evaluated on random models: {check.skipped}"
    return f"proof replayed; {check.models} random models with latents: largest error {check.max_error:.1e}"


def _wrapped(text: str, first: str, width: int, rest: str | None = None) -> Iterable[str]:
    """Lines of at most `width`; a bracket is broken only where it is too long for a line of its own."""
    room = width - max(len(first), len(rest or first)) - 2
    held = BRACKET.sub(lambda match: match[0].replace(" ", HELD) if len(match[0]) <= room else match[0], text)
    lines = textwrap.wrap(
        held,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(HELD, " ") for line in lines]
