"""Numbers, tables and bounds of an answer as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..answer_data import AnswerData
from .markup import Markup, block, code, folded, joined, table, tag

if TYPE_CHECKING:
    from ...semantics.factors import NamedTable

ROWS = 60
LONG = 40


def value_parts(answer: AnswerData) -> Iterator[Markup]:
    """What an answer came to: a number, a table, or its words."""
    value = answer.value
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        yield _number(value, answer.exact, answer.interval)
    elif answer.search is not None:
        yield from _search(answer)
    elif isinstance(value, Mapping) and set(value) == {"variables", "rows"} and not answer.program:
        what = "what the sample would have been" if answer.statement == "counterfactual" else "what it came to"
        yield _rows(value, answer.exact, what)
    elif answer.lines:
        yield block("\n".join(answer.lines), "the answer in words")
    elif value is not None and not isinstance(value, (Mapping, bool)):
        yield named_table(value, answer.exact)
    elif isinstance(answer.exact, str):
        yield tag("p", code(answer.exact), class_="suture-number")
    elif answer.exact is not None and not isinstance(answer.exact, Mapping):
        yield named_table(answer.exact)
    if answer.program is not None:
        yield folded("the model as a program", block(answer.program), open_=True)


def number_text(number: Any) -> str:
    """A number as text; what is not determined in words."""
    return "undetermined" if number is None else f"{number:.6g}" if isinstance(number, float) else str(number)


def _number(value: float, exact: Any, interval: tuple[float, float] | None) -> Markup:
    parts: list[Markup | str] = [tag("strong", number_text(value))]
    if interval is not None:
        parts.append(f" [{interval[0]:.6g}, {interval[1]:.6g}]")
    if isinstance(exact, str) and exact != number_text(value):
        shown = exact if len(exact) <= LONG else f"{exact[:LONG]}…"
        parts.append(tag("span", f" = {shown}", class_="suture-faint", title=exact))
    return tag("p", *parts, class_="suture-number")


def named_table(values: NamedTable, exact: NamedTable | Any = None) -> Markup:
    """A function of finite variables: a row for each case."""
    rows = list(values.rows())
    beside = [number for _, number in exact.rows()] if exact is not None and not isinstance(exact, str) else None
    header: list[str] = [*values.variables, "value", *(["exactly"] if beside is not None else [])]
    made = [
        [*labels, number_text(number), *([_short(beside[place])] if beside is not None else [])]
        for place, (labels, number) in enumerate(rows[:ROWS])
    ]
    more = len(rows) - len(made)
    caption = f"the value for each {', '.join(values.variables)}" if values.variables else "the value"
    caption += f"; the first {ROWS} of {len(rows)} rows" if more else ""
    return table(caption, header, made, len(values.variables))


def _short(number: Any) -> str:
    told = number_text(number)
    return told if len(told) <= LONG else f"{told[:LONG]}…"


def _rows(value: Mapping[str, Any], exact: Any, caption: str) -> Markup:
    """A sample, or several: the variables in the columns."""
    chosen = exact if isinstance(exact, Mapping) and exact.get("rows") else value
    rows = [[_short(cell) for cell in row] for row in chosen["rows"]]
    return table(caption, [str(name) for name in value["variables"]], rows)


def _search(answer: AnswerData) -> Iterator[Markup]:
    """The searched subsets in the order of their worst case, then everything in words."""
    told: Any = answer.value
    chosen = told["chosen"]
    head = joined("chosen: ", code("{" + ", ".join(chosen) + "}"), f", worst case {told['worst_case']:.6g}")
    if told.get("minimax") is not None:
        head = joined(head, f"; least worst case of any predictor {told['minimax']:.6g}")
    yield tag("p", head)
    yield table(
        "classes of subsets that predict alike, by their worst case",
        ["subset", "subsets alike", "worst case"],
        (
            [code("{" + ", ".join(each["boundary"]) + "}"), str(each["members"]), f"{each['worst_case']:.6g}"]
            for each in _first(told["classes"])
        ),
        1,
    )
    yield folded("the whole answer in words", block("\n".join(answer.lines), "the answer in words"))


def _first(classes: Sequence[Any]) -> Sequence[Any]:
    return classes[:ROWS]
