"""What can be read of a program that has errors, for editors: the rest is blanked out, so that places stay as they are.

A statement that does not parse is left out; of a model that does not, only the lines that do not.  Of what parses,
definitions that do not fit are left out one after the other until the others do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from . import tree
from .diagnostics import Diagnostic, SutureError
from .parser import parse, parse_inside
from .program import Model, Program
from .recovery import Chunk, chunks
from .resolve import resolve
from .scope import Handed
from .source import Source, Span

# Definitions are left out one round after the other; a program that needs more is left with none.
ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Mended:
    """A program as far as it can be read: all that parses, all of that which fits, and every error of the whole."""

    tree: tree.Program
    program: Program
    problems: tuple[Diagnostic, ...] = ()


def mend(source: Source, network: Callable[[tree.Model], Model] | None = None) -> Mended:
    """What can be read of a text, whatever it is; `network` reads models from files, as for `resolve`.

    >>> found = mend(Source("model M { X -> Y }\\nidentify P(Y | do("))
    >>> list(found.program.models), [problem.code for problem in found.problems]
    (['M'], ['S012'])
    """
    try:
        whole = parse(source)
    except SutureError as error:
        whole, problems = _parsed(source), error.diagnostics
        program, _ = _fitting(whole, source, network)
        return Mended(whole, program, problems)
    program, problems = _fitting(whole, source, network)
    return Mended(whole, program, problems)


# ---------------------------------------------------------------------------------------------------------------------
# What parses


def _parsed(source: Source) -> tree.Program:
    """The statements that parse, each at its place."""
    text = source.text
    for chunk in chunks(text):
        part = text[chunk.start : chunk.end]
        if chunk.problem is not None or not _reads(parse, part):
            text = _without(text, chunk)
    try:
        return parse(Source(text, source.name))
    except SutureError:
        return tree.Program(())


def _reads(read: Callable[[Source], object], part: str) -> bool:
    try:
        read(Source(part))
    except SutureError:
        return False
    return True


def _without(text: str, chunk: Chunk) -> str:
    """The text without a statement, or where that is a model with a brace too many or too few lines, without those."""
    whole = _blank(text, chunk.start, chunk.end)
    word = text[chunk.start : chunk.end].split(None, 1)[:1]
    if word != ["model"] or chunk.opening is None or chunk.closing is None or chunk.problem is not None:
        return whole
    mended = text
    edges = [chunk.opening, *(place for place in chunk.breaks if chunk.opening < place < chunk.closing), chunk.closing]
    for left, right in pairwise(edges):
        if not _reads(parse_inside, text[left + 1 : right]):
            mended = _blank(mended, left + 1, right)
    return mended if _reads(parse, mended[chunk.start : chunk.end]) else whole


def _blank(text: str, start: int, end: int) -> str:
    """The text with blanks in a range; its line ends stay."""
    blank = "".join(mark if mark in "\r\n" else " " for mark in text[start:end])
    return text[:start] + blank + text[end:]


# ---------------------------------------------------------------------------------------------------------------------
# What fits


def fitting(
    program: tree.Program,
    source: Source,
    network: Callable[[tree.Model], Model] | None = None,
    handed: Handed | None = None,
) -> Program:
    """The resolved program of all that fits of a tree, whose parts may come from several texts."""
    return _fitting(program, source, network, handed)[0]


def _fitting(
    program: tree.Program,
    source: Source,
    network: Callable[[tree.Model], Model] | None,
    handed: Handed | None = None,
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """The resolved program of all that fits, and what is wrong with the rest."""
    first: tuple[Diagnostic, ...] = ()
    for _ in range(ROUNDS):
        try:
            return resolve(program, source, network, handed), first
        except SutureError as error:
            first = first or _here(error, source, program)
            places = [problem.span for problem in error.diagnostics if problem.span is not None]
            smaller = _left_out(program, places if error.source in (None, source) else [])
            if smaller == program:
                break
            program = smaller
    return Program(source, {}, {}, {}, {}, ()), first


def _here(error: SutureError, source: Source, program: tree.Program) -> tuple[Diagnostic, ...]:
    """The errors of a program; one in the file of a network is told where the program names that file."""
    if error.source in (None, source):
        return error.diagnostics
    origins = (each.origin for each in program.statements if isinstance(each, tree.Model) and each.origin is not None)
    place = next(iter(origins), None)
    return tuple(
        replace(problem, span=place.span if place else None, label="", notes=()) for problem in error.diagnostics
    )


def _left_out(program: tree.Program, places: list[Span]) -> tree.Program:
    """The program without the statements in which something is wrong; of a model, without its items that are."""
    if not places:
        return tree.Program(tuple(each for each in program.statements if not _from_file(each)), program.comments)
    kept: list[tree.Statement] = []
    for statement in program.statements:
        wrong = [place for place in places if _within(place, statement.span)]
        if not wrong:
            kept.append(statement)
        elif isinstance(statement, tree.Model):
            items = tuple(item for item in statement.items if not any(_within(place, item.span) for place in wrong))
            if items and len(items) < len(statement.items):
                kept.append(replace(statement, items=items))
    return tree.Program(tuple(kept), program.comments)


def _from_file(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Model) and statement.origin is not None


def _within(place: Span, whole: Span) -> bool:
    if place.source is not None and whole.source is not None and place.source is not whole.source:
        return False
    return whole.start <= place.start < max(whole.end, whole.start + 1)
