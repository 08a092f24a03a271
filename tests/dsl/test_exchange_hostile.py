"""Hostile and broken graphs: one diagnostic with a place, never a traceback, never a long wait."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagnostics import SutureError
from suture.dsl.exchange import FORMATS, guess_format, import_graph
from suture.dsl.parser import parse
from suture.dsl.resolve import resolve
from suture.dsl.source import Source

TEXTS = {
    "dagitty": """dag m {
bb="0,0,1,1"
"A b" [exposure,pos="1,2"] U [latent]
U -> {"A b" Y} <-> Z -> from
/* c */ Y [o] }""",
    "dot": """strict digraph "G" {
node [shape=box]; U [style="filled,dashed", label=<b>];
subgraph s { edge [dir=both] X -> Y } // c
U:p -> {X Y} -> "a\\"b" [weight=2.5]
}""",
    "lavaan": """# m
f =~ x1 + NA*x2 + c(1, NA)*x3
y ~ a*f +
  start(0.5)*z ! c
x1 ~~ 0*x2; y ~ 1
ab := a^2
u | t1""",
    "bif": """network "n" { property x; }
variable A { type discrete [ 2 ] { yes, no }; }
variable B-c { type discrete[2] { 0 1 }; property latent = yes; }
probability ( A | B-c ) { (0) 0.25, 0.75; default 1e-1 .9; } // c
probability ( B-c ) { table 0.3333333, 0.6666667; }""",
    "gml": """Creator "n"
graph [ directed 1 name "g"
node [ id 0 label "a &amp; b" x 1.5 ] # c
node [ id 1 observed "no" ]
node [ id 2 graphics [ x 1 ] ]
edge [ source 1 target 0 ] edge [ source 0 target 2 dir "both" ] ]""",
    "xmlbif": """<?xml version="1.0"?>
<!DOCTYPE BIF [ <!ELEMENT BIF (NETWORK)*> ]>
<BIF VERSION="0.3"><NETWORK><NAME>n</NAME>
<VARIABLE TYPE="nature"><NAME>A</NAME><OUTCOME>a b</OUTCOME><OUTCOME>c</OUTCOME><PROPERTY>latent = yes</PROPERTY>
</VARIABLE>
<VARIABLE><NAME>B</NAME><OUTCOME>0</OUTCOME><OUTCOME>1</OUTCOME></VARIABLE>
<DEFINITION><FOR>A</FOR><GIVEN>B</GIVEN><TABLE>0.1 0.9 <!-- c --> 1 0</TABLE></DEFINITION>
<DEFINITION><FOR>B</FOR><TABLE>0.333333 0.666666</TABLE></DEFINITION></NETWORK></BIF>""",
    "net": """net { name = "n"; node_size = (50 50); }
node A-b { states = ("a b" c); label = "the A"; position = (1 2); } % c
discrete node B { states = ("0" "1"); }
potential ( A-b | B ) { data = (( 0.1 0.9 ) % B=0
 ( 1 0 )); }
potential ( B ) { data = ( 0.25 0.75 ); }""",
    "xdsl": """<?xml version="1.0" encoding="UTF-8"?>
<smile version="1.0" id="n"><nodes>
<cpt id="B"><state id="x" /><state id="y" /><probabilities>0.25 0.75</probabilities></cpt>
<deterministic id="A"><state id="x" /><state id="y" /><parents>B</parents><resultingstates>y x</resultingstates>
</deterministic>
</nodes><extensions><genie version="1.0" /></extensions></smile>""",
    "uai": """BAYES
2 # variables
2 3
2
1 0
2 0 1
2 0.25 0.75
6 0.1 0.2 0.7
 1 0 0""",
}
STARTS = {
    "dagitty": "dag {", "dot": "digraph {", "lavaan": "y ~", "bif": "network {", "gml": "graph [", "net": "net {",
    "xmlbif": "<BIF><NETWORK>", "xdsl": "<smile><nodes>", "uai": "BAYES 2 2 2 ",
}  # fmt: skip
PIECES = (
    "->", "<->", "--", "{", "}", "[", "]", "(", ")", '"', ";", "\n", "~", "~~", "=~", "*", "+", "-", "=", ",", "|", ":",
    "#", "//", "/*", "*/", "<", ">", "0", "1e9", "A", "from", "graph", "node", "table", "default", "latent", "\x00",
    "é", "\u2028", "<TABLE>", "</TABLE>", "<!ENTITY a 'b'>", "&a;", "<GIVEN>A</GIVEN>", "potential", "data", "%",
)  # fmt: skip


def outcome(text: str, format: str | None) -> bool:
    """Whether the text is read, and then its program resolves; if it is not, that is told once, as text."""
    try:
        found = import_graph(text, format)
    except SutureError as error:
        rendered, count = error.render(), len(error.diagnostics)
    else:
        source = Source(found.program_text)
        assert resolve(parse(source), source).models[found.model.name] == found.model
        return True
    assert count == 1
    assert rendered.startswith("error[S")
    return False


@pytest.mark.parametrize("format", TEXTS)
def test_the_texts_themselves_are_read(format: str) -> None:
    assert guess_format(TEXTS[format]) == format
    assert outcome(TEXTS[format], format)


@pytest.mark.parametrize("format", TEXTS)
def test_line_ends_of_windows_make_no_difference(format: str) -> None:
    text = TEXTS[format]
    assert import_graph(text.replace("\n", "\r\n"), format).model == import_graph(text, format).model


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A text with some stretches cut, doubled, or replaced by a piece of syntax; the format as it was."""
    format = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[format]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        piece = draw(st.sampled_from(("", text[start:end] * 2, *PIECES)))
        text = text[:start] + piece + text[end:]
    return text, format


@settings(max_examples=400)
@given(mutated())
def test_mutated_texts_never_end_in_a_traceback(case: tuple[str, str]) -> None:
    outcome(*case)


@settings(max_examples=100)
@given(mutated(), st.sampled_from(sorted(FORMATS)))
def test_texts_in_the_wrong_format_never_end_in_a_traceback(case: tuple[str, str], format: str) -> None:
    outcome(case[0], format)


@settings(max_examples=200)
@given(st.text(max_size=60), st.sampled_from([*sorted(FORMATS), None]))
def test_any_text_never_ends_in_a_traceback(text: str, format: str | None) -> None:
    outcome(text, format)


@pytest.mark.slow
@settings(max_examples=20_000)
@given(mutated())
def test_many_mutated_texts(case: tuple[str, str]) -> None:
    outcome(*case)


@pytest.mark.parametrize("format", FORMATS)
def test_long_texts_are_refused(format: str) -> None:
    longest = 50_000_000 if FORMATS[format].tables else 2_000_000
    with pytest.raises(SutureError, match="S004") as caught:
        import_graph("x" * (longest + 1), format)
    assert caught.value.render().splitlines()[0] == (
        f"error[S004]: a graph has at most {longest:,} characters; this one has {longest + 1:,}"
    )


@pytest.mark.parametrize("format", FORMATS)
def test_binary_is_no_graph(format: str) -> None:
    text = bytes(range(256)).decode("latin-1") * 400
    with pytest.raises(SutureError, match="S020") as caught:
        import_graph(text, format)
    assert "\x00" not in caught.value.render().splitlines()[0]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("letter", '{[("<-~+*,;|#!/.\\=a0\n')
def test_a_letter_over_and_over_takes_no_time(format: str, letter: str) -> None:
    """A slip in a regular expression would show as time that grows with the square or worse."""
    for start in ("", STARTS[format]):
        began = time.process_time()
        outcome(start + letter * 20_000 + "\x00", format)
        assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("digraph {" + "{" * 50_000 + "}" * 50_000 + "}", "dot"),
        ("{" * 50_000, "dagitty"),
        ("graph [ directed 1 " + "a [ " * 50_000 + "]" * 50_001, "gml"),
        ("y ~ " + "c(" * 50_000 + ")" * 50_000 + "*x", "lavaan"),
        ("a" * 500_000 + " -> b", "dagitty"),
        (" + ".join(f"y{n}" for n in range(1000)) + " ~ " + " + ".join(f"x{n}" for n in range(1000)), "lavaan"),
    ],
)
def test_monsters(text: str, format: str) -> None:
    outcome(text, format)
