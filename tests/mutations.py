"""Mutated programs: what a slip of the hand, a bad paste or a malicious file makes of a good one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from suture.dsl.diagnostics import SutureError
from suture.dsl.parser import parse
from suture.dsl.printer import format_source
from suture.dsl.resolve import resolve
from suture.dsl.source import Source

PIECES = re.compile(r"\w+|\s+|[^\w\s]")
INSERTED = [
    "(", ")", "{", "}", "[", "]", "|", "=", "~", ":=", "->", "<-", "<->", ",", ";", "\n", "#", '"', "_", "..", "=>",
    ".", "not ", "if ", " then ", " else ", "do(", "P(", "E(", "ate(", " in ", " from ", "model ", "data ", "query ",
    "domain ", "assert ", "latent ", "table ", "noise", "0", "1e99", "1e-400", "1/0", "9" * 50, "\x00", "\ufeff", "é",
    "→", "⫫", "𝒳", "\u202e", "X", "real", "real[0]", "5..1", "0..99999", "{}", "()", "[]", "&", "|", "mutable X",
]  # fmt: skip


def mutated(text: str, chance: random.Random, others: Sequence[str]) -> str:
    """The text after one to four random changes of its pieces; `others` lend lines."""
    pieces = PIECES.findall(text)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        place = chance.randrange(len(pieces) + 1)
        end = min(len(pieces), place + chance.choice([1, 1, 1, 2, 5, 30]))
        match chance.choice([0, 1, 2, 3, 4, 5, 5, 5, 6, 7]):
            case 0:
                del pieces[place:end]
            case 1:
                pieces.insert(place, chance.choice(INSERTED))
            case 2:
                pieces[place:end] = [chance.choice(INSERTED)]
            case 3:
                pieces[place:place] = pieces[place:end]
            case 4 if pieces:
                other = chance.randrange(len(pieces))
                place = min(place, len(pieces) - 1)
                pieces[place], pieces[other] = pieces[other], pieces[place]
            case 5:
                words = [number for number, piece in enumerate(pieces) if piece[0].isalnum()]
                if words:
                    pieces[chance.choice(words)] = pieces[chance.choice(words)]
            case 6:
                pieces.insert(place, chance.choice(chance.choice(others).split("\n")) + "\n")
            case _:
                pieces = pieces[:end]
    return "".join(pieces)


def programs(seeds: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """`count` mutated programs, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield mutated(chance.choice(seeds), chance, seeds)


def survives(text: str) -> bool:
    """Read, format and resolve a program: whether it is good; a bad one must end in diagnostics that can be shown.

    Whatever else is raised is a bug and goes through.  A program that parses must format to one with the same tree.
    """
    source = Source(text, "fuzz.suture")
    try:
        tree = parse(source)
        again = Source(format_source(source))
        assert parse(again) == tree, "formatting changed the program"
        assert format_source(again) == again.text, "formatting twice differs from formatting once"
        resolve(tree, source)
    except SutureError as error:
        problem: SutureError | None = error
    else:
        problem = None
    assert problem is None or (problem.diagnostics and problem.render()), "an error that says nothing"
    return problem is None
