"""The formatter: parse of print is identity, printing is idempotent, comments and blank lines stay in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from strategies_programs import programs

from suture.dsl import tree
from suture.dsl.parser import parse
from suture.dsl.printer import format_program, format_source
from suture.dsl.source import Source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.suture"))


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(programs)
def test_parsing_what_is_printed_gives_the_tree_back(program: tree.Program) -> None:
    text = format_program(program)
    assert parse(Source(text)) == program
    assert format_source(Source(text)) == text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_keep_their_meaning_and_comments(path: Path) -> None:
    source = Source(path.read_text(encoding="utf-8"))
    text = format_source(source)
    before, after = parse(source), parse(Source(text))
    assert after == before
    assert [comment.text for comment in after.comments] == [comment.text for comment in before.comments]
    assert format_source(Source(text)) == text


MESSY = """\
# top


# second
model A{ # open
     # inner

  latent U:{0,1}~Bernoulli( .5 )
  X,Y :{a , "b c"} ~table(U){ # rows
  # first
  0=>1/4,3/4 # the row
   _ => p,1-p
  } # after
  U->Y<->X;Z <- Y # both

} # closed
data d of A weight n{X,Y,n;a,"b c",10;"b c",a,2}
query q=P(X|
   Y)# tail
query longer = (-1)^2*( q+1 )/2
independent X⫫Y given{U}
"""

TIDY = """\
# top

# second
model A {  # open
  # inner

  latent U : {0, 1} ~ Bernoulli(.5)
  X, Y : {a, "b c"} ~ table (U) {  # rows
    # first
    0 => 1/4, 3/4  # the row
    _ => p,   1 - p
  }  # after
  U -> Y <-> X
  Z <- Y  # both
}  # closed
data d of A weight n {
  X,     Y,     n
  a,     "b c", 10
  "b c", a,     2
}
query q      = P(X | Y)  # tail
query longer = (-1)^2 * (q + 1) / 2
independent X, Y given {U}
"""


def test_messy_program_becomes_tidy() -> None:
    assert format_source(Source(MESSY)) == TIDY
    assert format_source(Source(TIDY)) == TIDY


def test_a_line_goes_on_around_operators() -> None:
    lines = "query q = 1 +\n  2\n  # why\n  - 3\nassert q < 1\n  and q\n  >= 0\nmodel M { X -> Y\n  -> Z ; W\n : {a} }"
    flat = "query q = 1 + 2 - 3\nassert q < 1 and q >= 0\nmodel M { X -> Y -> Z ; W : {a} }"
    assert parse(Source(lines)) == parse(Source(flat))


def test_long_sums_get_a_line_a_term() -> None:
    term = "P(Outcome = yes | do(Treatment = no, Severity = moderate))"
    text = format_source(Source(f"query q = {term} + {term} - {term}"))
    assert text == f"query q = {term}\n    + {term}\n    - {term}\n"
    assert format_source(Source(text)) == text


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_nothing_stays_nothing(text: str) -> None:
    assert format_source(Source(text)) == ""


def test_only_comments_stay() -> None:
    assert format_source(Source("# a\n\n\n  # b")) == "# a\n\n# b\n"


def test_carriage_returns_and_byte_order_mark_go() -> None:
    assert format_source(Source("\ufeffshow  M # x\r\n\r\nshow\tN\r\n")) == "show M  # x\n\nshow N\n"


def test_a_stray_byte_order_mark_changes_nothing() -> None:
    """Found by mutation: the mark between P and its bracket made a call of an unknown function of it."""
    marked = Source("query q = P\ufeff(X) + E\ufeff(X) + ate\ufeff(X -> Y)\n")
    plain = Source("query q = P(X) + E(X) + ate(X -> Y)\n")
    assert parse(marked) == parse(plain)
    assert format_source(marked) == plain.text
