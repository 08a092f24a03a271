"""`suture fmt`: a program in canonical form, comments kept.

The text is made of lines, each with the place it came from.  Comments of the source are put back between them: one at
the end of a line stays at the end of that line, one on a line of its own goes before the line that follows it.  One
blank line is kept where the source has some.  Columns of tables and data are aligned, and so are the heads of
neighbouring declarations and queries, and the comments at the ends of neighbouring lines.  A block that was written on
one line and fits stays there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from . import tree
from .parser import parse
from .rows import written_out
from .source import Source, Span
from .statement_text import (
    data_head,
    declaration_head,
    item_text,
    mechanism_head,
    row_text,
    statement_text,
    values_clause,
)
from .syntax_text import expression_text, label_text, operand_text

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output: `head` and `body` (aligned with neighbours of one `kind`), and the place it came from."""

    indent: int
    head: str
    body: str
    start: int
    end: int
    kind: str = ""
    comment: str = ""

    @property
    def text(self) -> str:
        """The line without its comment."""
        return " " * self.indent + (f"{self.head} {self.body}" if self.body else self.head).rstrip()


def format_source(source: Source) -> str:
    """The program in canonical form, ending in one newline; the empty text for a program without lines.

    Raises `SutureError` where the program does not parse.

    >>> print(format_source(Source("model M{X->Y}")), end="")
    model M { X -> Y }
    """
    program = parse(source)
    return format_program(program, source.text)


def format_program(program: tree.Program, text: str = "") -> str:
    """A tree as text; where `text` is the source of the tree, its comments and blank lines are kept."""
    lines = [line for statement in program.statements for line in _statement_lines(statement, text)]
    lines = _with_comments(lines, program.comments, text)
    lines = _with_blanks(lines, text)
    aligned = _aligned(_aligned_heads(lines))
    return "".join(f"{line}\n" for line in aligned)


# ---------------------------------------------------------------------------------------------------------------------
# Lines of statements


def _statement_lines(statement: tree.Statement, text: str) -> list[Line]:
    match statement:
        case tree.Model():
            return _model_lines(statement, text)
        case tree.Domain():
            return _domain_lines(statement, text)
        case tree.Data():
            return _data_lines(statement)
        case tree.Query():
            return _query_lines(statement)
        case _:
            return [Line(0, statement_text(statement), "", statement.span.start, statement.span.end)]


def _query_lines(query: tree.Query) -> list[Line]:
    """A definition on one line; a sum too long for one, on a line a term."""
    head, expression, place = f"query {query.name.text}", query.expression, query.span
    body = f"= {expression_text(expression)}"
    sum_of = isinstance(expression, tree.Arithmetic) and expression.operators[0] in ("+", "-")
    if len(head) + len(body) < WIDTH or not sum_of or not isinstance(expression, tree.Arithmetic):
        return [Line(0, head, body, place.start, place.end, "query")]
    terms = [operand_text(expression, operand) for operand in expression.operands]
    first = Line(0, head, f"= {terms[0]}", place.start, expression.operands[0].span.end, "query")
    rest = zip(expression.operators, terms[1:], expression.operands[1:], strict=True)
    return [first, *(Line(4, f"{sign} {term}", "", part.span.start, part.span.end) for sign, term, part in rest)]


def _model_lines(model: tree.Model, text: str) -> list[Line]:
    if model.origin is not None:
        return [Line(0, f'model {model.name.text} from "{model.origin.path}"', "", model.span.start, model.span.end)]
    head = f"model {model.name.text} {{"
    inside = [line for item in model.items for line in _item_lines(item, text)]
    return _block(head, inside, len(model.items), model.braces, model.span, text)


def _domain_lines(domain: tree.Domain, text: str) -> list[Line]:
    head = f"domain {domain.name.text} of {domain.model.text} {{"
    inside = [
        line
        for part in domain.replacements
        for line in _mechanism_lines(f"{part.variable.text}", "", part.mechanism, part.span, "", text)
    ]
    return _block(head, inside, len(domain.replacements), domain.braces, domain.span, text)


def _block(head: str, inside: list[Line], items: int, braces: Span, place: Span, text: str) -> list[Line]:
    """A block on one line where it was so written and fits, else one item a line."""
    if items == 0 and "#" not in text[braces.start : braces.end]:
        return [Line(0, head + "}", "", place.start, place.end)]
    if len(inside) == items and "\n" not in text[braces.start : braces.end]:
        one = f"{head} {' ; '.join(line.text.strip() for line in inside)} }}"
        if len(one) <= WIDTH and text:
            return [Line(0, one, "", place.start, place.end)]
    opening = Line(0, head, "", place.start, braces.start + 1)
    closing = Line(0, "}", "", max(braces.end - 1, 0), braces.end)
    return [opening, *inside, closing]


def _item_lines(item: tree.Item, text: str) -> list[Line]:
    if not isinstance(item, tree.Declaration):
        return [Line(2, item_text(item), "", item.span.start, item.span.end)]
    head = declaration_head(item)
    kind = "latent" if item.latent else "declaration"
    values = values_clause(item.values)
    if item.mechanism is None:
        return [Line(2, head, values, item.span.start, item.span.end, kind if values else "")]
    return _mechanism_lines(head, values, item.mechanism, item.span, kind, text)


def _mechanism_lines(
    head: str, values: str, mechanism: tree.Mechanism, place: Span, kind: str, text: str
) -> list[Line]:
    """A declaration with its mechanism: a table on one line where it was so written and fits, else a line a row."""
    body = f"{values} {mechanism_head(mechanism)}".strip()
    if isinstance(mechanism, tree.NumbersMechanism):
        mechanism = written_out(mechanism)
    if not isinstance(mechanism, tree.TableMechanism):
        return [Line(2, head, body, place.start, place.end, kind)]
    rows = " ; ".join(map(row_text, mechanism.rows))
    written = text[mechanism.span.start : mechanism.span.end]
    one = f"{body} {{ {rows} }}" if rows else f"{body} {{}}"
    if "\n" not in written and "#" not in written and len(head) + len(one) + 3 <= WIDTH + 40:
        return [Line(2, head, one, place.start, place.end, kind)]
    return _table_lines(head, body, mechanism, place, kind)


def _table_lines(head: str, body: str, table: tree.TableMechanism, place: Span, kind: str) -> list[Line]:
    cells = [[label_text(cell) if cell else "_" for cell in row.cells] for row in table.rows]
    weights = [[expression_text(weight) for weight in row.weights] for row in table.rows]
    left, right = _columns(cells), _columns(weights)
    wide = max(map(len, left), default=0)
    first = table.rows[0].span.start if table.rows else place.end - 1
    opening = Line(2, head, f"{body} {{", place.start, max(place.start, first - 1), kind)
    rows = [
        Line(4, f"{a.ljust(wide)} => {b}".strip(), "", row.span.start, row.span.end)
        for a, b, row in zip(left, right, table.rows, strict=True)
    ]
    return [opening, *rows, Line(2, "}", "", max(place.end - 1, 0), place.end)]


def _data_lines(data: tree.Data) -> list[Line]:
    head = data_head(data)
    if not isinstance(data.origin, tree.InlineTable):
        return [Line(0, head, "", data.span.start, data.span.end)]
    rows = data.origin.rows
    if not rows:
        return [Line(0, f"{head} {{}}", "", data.span.start, data.span.end)]
    texts = _columns([[label_text(cell) for cell in row.cells] for row in rows])
    opening = Line(0, f"{head} {{", "", data.span.start, data.origin.span.start + 1)
    inside = [Line(2, text, "", row.span.start, row.span.end) for text, row in zip(texts, rows, strict=True)]
    return [opening, *inside, Line(0, "}", "", max(data.span.end - 1, 0), data.span.end)]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells between commas, each column as wide as its widest cell."""
    count = max(map(len, rows), default=0)
    widths = [max((len(row[place]) for row in rows if place < len(row)), default=0) for place in range(count)]
    return [", ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The cells with the blanks behind the comma, so that commas stand at their cells."""
    pad = ""
    for cell, width in zip(row, widths, strict=False):
        yield pad + cell
        pad = " " * (width - len(cell))


# ---------------------------------------------------------------------------------------------------------------------
# Comments and blank lines


def _with_comments(lines: Sequence[Line], comments: Sequence[tree.Comment], text: str) -> list[Line]:
    """The lines with the comments of the source put back: after the line they end, or before the line they precede."""
    made: list[Line] = []
    left = list(comments)[::-1]
    for line in lines:
        while left and left[-1].span.start < line.start:
            _place_comment(made, left.pop(), line.indent + (2 if line.head == "}" else 0), text)
        made.append(line)
        inner = line.indent + (2 if line.text.endswith("{") else 0)
        while left and left[-1].span.start < line.end:
            _place_comment(made, left.pop(), inner, text)
    while left:
        _place_comment(made, left.pop(), 0, text)
    return made


def _place_comment(made: list[Line], comment: tree.Comment, indent: int, text: str) -> None:
    """Put a comment at the end of the last line, if it stood there and the place is free, else on a line of its own."""
    start = comment.span.start
    before = text[text.rfind("\n", 0, start) + 1 : start]
    if before.strip(" \t;\ufeff") and made and not made[-1].comment and made[-1].kind != "comment":
        made[-1] = replace(made[-1], comment=comment.text)
        return
    made.append(Line(indent, comment.text, "", start, comment.span.end, "comment"))


def _with_blanks(lines: Sequence[Line], text: str) -> list[Line]:
    """A blank line where the source had some, but none after an opening or before a closing brace."""
    made: list[Line] = []
    last = 0
    for place, line in enumerate(lines):
        between = text[last : line.start] if place else ""
        inner = made and (made[-1].text.endswith("{") or line.head.startswith("}"))
        if between.count("\n") > 1 and _has_blank(between) and not inner:
            made.append(Line(0, "", "", last, last, "blank"))
        made.append(line)
        last = max(last, line.end)
    return made


def _has_blank(between: str) -> bool:
    """Whether a line between two places is blank."""
    return any(not part.strip() for part in between.split("\n")[1:-1])


# ---------------------------------------------------------------------------------------------------------------------
# Alignment


def _aligned_heads(lines: Sequence[Line]) -> list[Line]:
    """The heads of neighbouring declarations and queries padded to one width; rows of tables do not part neighbours."""
    made: list[Line] = []
    for kind, group in groupby(lines, key=lambda line: line.kind):
        run = list(group)
        if kind in ("query", "declaration", "latent"):
            width = max(len(line.head) for line in run)
            run = [replace(line, head=line.head.ljust(width)) for line in run]
        made += run
    return made


def _aligned(lines: Sequence[Line]) -> Iterator[str]:
    """The text of each line, comments at the ends of neighbouring lines in one column."""
    for (commented, _), group in groupby(lines, key=lambda line: (bool(line.comment), line.indent)):
        run = list(group)
        width = max((len(line.text) for line in run), default=0)
        for line in run:
            yield f"{line.text.ljust(width)}  {line.comment}" if commented else line.text
