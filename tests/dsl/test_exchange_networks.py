"""Networks in XMLBIF, NET, XDSL and UAI: their orders of numbers, what goes out comes back, what other tools read."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import random_dag, seeds

from suture.dsl.diagnostics import SutureError
from suture.dsl.exchange import export_graph, guess_format, import_graph, left_out
from suture.dsl.program import Model, Table
from suture.dsl.resolve import read_model
from suture.semantics.compute import float_model
from suture.semantics.mechanisms import mechanism_array

FORMATS = ("xmlbif", "net", "xdsl", "uai")
ASIA = Path(__file__).parents[2] / "examples" / "networks" / "asia.bif"

# Three variables of 2, 3 and 2 values; P(C | A, B) with numbers that tell every cell from every other.
ROWS = {(a, b): (Fraction(10 + 3 * a + b, 100), Fraction(90 - 3 * a - b, 100)) for a, b in product(range(2), range(3))}
FLAT = " ".join(f"{float(share):g}" for row in ROWS.values() for share in row)
XMLBIF = f"""<?xml version="1.0" encoding="US-ASCII"?>
<!DOCTYPE BIF [
  <!ELEMENT BIF ( NETWORK )*>
  <!ATTLIST BIF VERSION CDATA #REQUIRED>
]>
<BIF VERSION="0.3"><NETWORK><NAME>three</NAME>
<VARIABLE TYPE="nature"><NAME>A</NAME><OUTCOME>no</OUTCOME><OUTCOME>yes</OUTCOME></VARIABLE>
<VARIABLE TYPE="nature"><NAME>B</NAME><OUTCOME>b 0</OUTCOME><OUTCOME>b&lt;1</OUTCOME><OUTCOME>2</OUTCOME>
  <PROPERTY>position = (1, 2)</PROPERTY></VARIABLE>
<VARIABLE TYPE="nature"><NAME>C</NAME><OUTCOME>c0</OUTCOME><OUTCOME>c1</OUTCOME></VARIABLE>
<DEFINITION><FOR>A</FOR><TABLE>0.25 0.75</TABLE></DEFINITION>
<DEFINITION><FOR>B</FOR><TABLE>0.2 0.3 <!-- and --> 0.5</TABLE></DEFINITION>
<DEFINITION><FOR>C</FOR><GIVEN>A</GIVEN><GIVEN>B</GIVEN><TABLE>
  {FLAT}
</TABLE></DEFINITION>
</NETWORK></BIF>"""
NET = f"""net {{ name = three; node_size = (50 50); HR_Color = "a ; b }}"; }}
node A {{ states = ("no" "yes"); label = "the first"; position = (1 2); }}
discrete node B {{ states = ("b 0" "b<1" 2); }} % three of them
node C {{ states = (c0 c1 ); }}
potential ( A ) {{ data = (0.25 0.75); }}
potential ( B | ) {{ data = ( 0.2 0.3   % the third is 0.9
   0.5 ); experience = (1 2); }}
potential ( C | A B ) {{ data = ((( {FLAT} ))); }}"""
XDSL = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<smile version="1.0" id="three" numsamples="1000" discsamples="10000"><nodes>
<cpt id="A"><state id="no" /><state id="yes" /><probabilities>0.25 0.75</probabilities></cpt>
<cpt id="B"><state id="b 0" /><state id="b&lt;1" /><state id="2" /><probabilities>0.2 0.3 0.5</probabilities></cpt>
<cpt id="C"><state id="c0" /><state id="c1" /><parents>A B</parents><probabilities>{FLAT}</probabilities></cpt>
</nodes><extensions><genie version="1.0" name="three"><node id="A"><name>the first</name></node></genie></extensions>
</smile>"""
UAI = f"""BAYES
3
2 3 2
3
1 0
1 1 # the second
3 0 1 2

2
 0.25 0.75
3
 0.2 0.3 0.5
12
 {FLAT}
"""
TEXTS = {"xmlbif": XMLBIF, "net": NET, "xdsl": XDSL, "uai": UAI}


def told(text: str, format: str) -> str:
    with pytest.raises(SutureError) as caught:
        import_graph(text, format)
    assert len(caught.value.diagnostics) == 1
    return caught.value.render()


def exact(model: Model, name: str) -> Any:
    mechanism = model.mechanisms[name]
    assert isinstance(mechanism, Table)
    return mechanism_array(model, name, mechanism)


@pytest.mark.parametrize("format", FORMATS)
def test_the_last_parent_and_the_child_vary_fastest(format: str) -> None:
    found = import_graph(TEXTS[format])
    assert guess_format(TEXTS[format]) == format
    names = ("V0", "V1", "V2") if format == "uai" else ("A", "B", "C")
    assert tuple(found.model.by_name) == names
    assert found.model.parents(names[2]) == names[:2]
    assert exact(found.model, names[0]).tolist() == [Fraction(1, 4), Fraction(3, 4)]
    assert exact(found.model, names[1]).tolist() == [Fraction(1, 5), Fraction(3, 10), Fraction(1, 2)]
    table = exact(found.model, names[2])
    for (a, b), row in ROWS.items():
        assert tuple(table[a, b]) == row
    if format != "uai":
        assert found.model.name == "three"
        assert found.model.labels("B") == ("b 0", "b<1", "2")


def test_labels_of_hugin_are_told() -> None:
    assert "A is labelled 'the first'" in import_graph(NET, "net").notes


def test_deterministic_nodes_of_genie() -> None:
    text = XDSL.replace(
        "</nodes>",
        '<deterministic id="D"><state id="x" /><state id="y" /><parents>B A</parents>'
        "<resultingstates>x y y y x x</resultingstates></deterministic></nodes>",
    )
    found = import_graph(text, "xdsl").model
    assert found.parents("D") == ("B", "A")
    assert exact(found, "D")[..., 1].tolist() == [[0, 1], [1, 1], [0, 0]]
    assert told(text.replace("x y y y", "x z y y"), "xdsl").splitlines()[0] == "error[S201]: D has no value 'z'"


def test_latent_variables_of_xmlbif() -> None:
    text = XMLBIF.replace("position = (1, 2)", "latent = yes")
    assert import_graph(text).model.latent == ("B",)
    assert import_graph(export_graph(import_graph(text).model, "xmlbif")).model.latent == ("B",)


CHANGES = {
    "xmlbif": [
        (XMLBIF.replace("0.25 0.75", "0.25 0.85"), "S202]: the probabilities of a row of A sum to 1.1, not to 1"),
        (XMLBIF.replace("0.25 0.75", "0.25"), "S206]: the table of A has 1 number for 2 values in 1 case"),
        (XMLBIF.replace("0.25 0.75", "-1 2"), "S207]: -1 is not a probability"),
        (XMLBIF.replace("0.25 0.75", "a b"), "S017]: 'a' is no number that can be read"),
        (XMLBIF.replace("<GIVEN>B</GIVEN>", "<GIVEN>Bee</GIVEN>"), "S104]: unknown variable 'Bee' in this network"),
        (XMLBIF.replace("<GIVEN>B</GIVEN>", "<GIVEN>A</GIVEN>"), "S101]: A is named twice"),
        (XMLBIF.replace("<FOR>B</FOR>", "<FOR>A</FOR>"), "S212]: the probabilities of A are given twice"),
        (XMLBIF.replace("<FOR>B</FOR>", "<FOR>B</FOR><FOR>A</FOR>"), "S021]: a joint distribution of B and A"),
        (XMLBIF.replace("<FOR>B</FOR>", ""), "S021]: a joint distribution of nothing"),
        (XMLBIF.replace("<NAME>B</NAME>", "<NAME>A</NAME>"), "S101]: the variable A is given twice"),
        (XMLBIF.replace("<NAME>B</NAME>", ""), "S020]: a variable has no name"),
        (XMLBIF.replace("<OUTCOME>no</OUTCOME><OUTCOME>yes</OUTCOME>", ""), "S020]: A has no values"),
        (XMLBIF.replace("nature", "decision", 1), "S021]: A is a node of type decision"),
        (XMLBIF.replace("</NETWORK>", ""), "S020]: this is not an XMLBIF network: mismatched tag"),
        (XMLBIF.replace("<!ELEMENT", "<!ENTITY a 'b'><!ELEMENT", 1), "S020]: this is not an XMLBIF network: it decl"),
        ("<BIF></BIF>", "S020]: this is not an XMLBIF network"),
        ("<a>" * 101 + "</a>" * 101, "S005]: elements are nested more than 100 levels deep"),
    ],
    "net": [
        (NET.replace("0.25 0.75", "0.25 0.85"), "S202]: the probabilities of a row of A sum to 1.1, not to 1"),
        (NET.replace("0.25 0.75", "0.25"), "S206]: the table of A has 1 number for 2 values in 1 case"),
        (NET.replace("0.25 0.75", "-1 2"), "S207]: -1 is not a probability"),
        (NET.replace("0.25 0.75", "1e 0"), "S017]: '1e' is no number that can be read"),
        (
            NET.replace("data = (0.25 0.75)", "data = normal(0, 1)"),
            "S021]: the probabilities of A are given by an",
        ),
        (NET.replace("( C | A B )", "( C | A Bee )"), "S104]: unknown variable 'Bee' in this network"),
        (NET.replace("( C | A B )", "( C A | B )"), "S021]: a joint distribution of C and A"),
        (NET.replace("( B | )", "( A )"), "S212]: the probabilities of A are given twice"),
        (NET.replace("experience = (1 2)", "data = (0 0 1)"), "S212]: the probabilities of B are given twice"),
        (NET.replace("discrete node", "continuous node"), "S021]: B is a continuous node"),
        (NET.replace("discrete node", "utility"), "S021]: B is a utility node"),
        (NET.replace("discrete node B", "node A"), "S101]: the variable A is given twice"),
        (NET.replace("states = (c0 c1 );", ""), "S020]: C has no values"),
        (NET.replace("potential ( A )", "potential"), "S020]: this is not a NET network: unexpected '{'"),
    ],
    "xdsl": [
        (XDSL.replace("0.25 0.75", "0.25 0.85"), "S202]: the probabilities of a row of A sum to 1.1, not to 1"),
        (XDSL.replace("<parents>A B<", "<parents>A Bee<"), "S104]: unknown variable 'Bee' in this network"),
        (XDSL.replace('<cpt id="B">', '<cpt id="A">'), "S101]: the variable A is given twice"),
        (XDSL.replace('<cpt id="A">', "<cpt>"), "S020]: a node has no id"),
        (XDSL.replace('<state id="no" /><state id="yes" />', ""), "S020]: A has no values"),
        (XDSL.replace("</nodes>", '<noisymax id="N" /></nodes>'), "S021]: N is a node of type noisymax"),
        (XDSL.replace("smile", "grin"), "S020]: this is not a GeNIe network"),
    ],
    "uai": [
        (UAI.replace("0.25 0.75", "0.25 0.85"), "S202]: the probabilities of a row of V0 sum to 1.1, not to 1"),
        (UAI.replace("2\n 0.25 0.75", "3\n 0 0 1"), "S206]: the table of V0 has 3 numbers for 2 values in 1 case"),
        (UAI.replace("BAYES", "MARKOV"), "S021]: a Markov network has no directions"),
        (UAI.replace("BAYES", "BAYES?"), "S020]: this is not a UAI network"),
        (UAI.replace("1 1 #", "1 7 #"), "S020]: this is not a UAI network: '7' does not say which variable it is"),
        (UAI.replace("1 1 #", "1 0 #"), "S212]: the probabilities of V0 are given twice"),
        (UAI.replace("2 3 2", "2 3 0"), "S020]: this is not a UAI network: '0' does not say how many values V2 has"),
        (UAI + " 1", "S020]: this is not a UAI network: more follows after the last table"),
        (UAI[: UAI.index("12\n")], "S020]: this is not a UAI network: the end of the text does not say how many"),
        (UAI[:-20], "S206]: the table of V2 has 8 numbers for 2 values in 6 cases"),
    ],
}


@pytest.mark.parametrize(
    ("format", "text", "said"), [(format, *case) for format, cases in CHANGES.items() for case in cases]
)
def test_networks_that_contradict_themselves(format: str, text: str, said: str) -> None:
    assert told(text, format).splitlines()[0].startswith(f"error[{said}")


def test_places_in_xml() -> None:
    assert told(XMLBIF.replace("0.2 0.3", "0.2 0.4"), "xmlbif") == (
        "error[S202]: the probabilities of a row of B sum to 1.1, not to 1\n"
        "  --> <text>:12:25\n"
        "   |\n"
        "12 | <DEFINITION><FOR>B</FOR><TABLE>0.2 0.4 <!-- and --> 0.5</TABLE></DEFINITION>\n"
        "   |                         ^^^^^^^ not a distribution"
    )


def test_numbers_in_the_order_of_bif_are_pointed_at() -> None:
    """As pgmpy writes UAI: the child's value varies slowest."""
    swapped = UAI.replace(FLAT, " ".join(f"{float(row[place]):g}" for place in range(2) for row in ROWS.values()))
    assert told(swapped, "uai") == (
        "error[S202]: the table of V2 sums to 1 only if its numbers are read in another order\n"
        "  --> <text>:14:2\n"
        "   |\n"
        "14 |  0.1 0.11 0.12 0.13 0.14 0.15 0.9 0.89 0.88 0.87 0.86 0.85\n"
        "   |  ^^^ the child's value varies fastest\n"
        "   = help: first every value of V2 in the first case of its parents, then in the next, and so on"
    )


def random_network(seed: int) -> Model:
    """A model with tables of decimals of four digits over a random graph."""
    generator = np.random.default_rng(seed)
    parents, latent = random_dag(generator, int(generator.integers(1, 6)))
    sizes = {name: int(generator.integers(1, 4)) for name in parents}
    lines: list[str] = []
    for name, causes in parents.items():
        rows: list[str] = []
        for case in product(*(range(sizes[cause]) for cause in causes)):
            cuts = [0, *sorted(generator.integers(0, 10_001, sizes[name] - 1).tolist()), 10_000]
            cells = ", ".join(f'"{cause} {value}"' for cause, value in zip(causes, case, strict=True))
            shares = (f"{(high - low) / 10_000}" for low, high in pairwise(cuts))
            rows.append(f"{cells} => {', '.join(shares)}")
        values = ", ".join(f'"{name} {value}"' for value in range(sizes[name]))
        head = f"{'latent ' if name in latent else ''}{name} : {{{values}}}"
        lines.append(f"{head} ~ table ({', '.join(causes)}) {{ {' ; '.join(rows)} }}")
    return read_model("model M {\n" + "\n".join(lines) + "\n}")


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=30)
@given(seeds)
def test_what_goes_out_comes_back(format: str, seed: int) -> None:
    model = random_network(seed)
    text = export_graph(model, format)
    assert guess_format(text) == format
    back = import_graph(text, format)
    assert back.notes == ()
    renamed = {name: f"V{place}" if format == "uai" else name for place, name in enumerate(model.by_name)}
    assert set(back.model.by_name) == set(renamed.values())
    for name in model.by_name:
        assert back.model.parents(renamed[name]) == tuple(renamed[parent] for parent in model.parents(name))
        assert (exact(back.model, renamed[name]) == exact(model, name)).all()
        assert format == "uai" or back.model.labels(name) == model.labels(name)
    assert format != "xmlbif" or back.model.latent == model.latent


@pytest.mark.parametrize(
    ("format", "lost"),
    [
        ("xmlbif", ("mutable marks: those of X",)),
        ("net", ("mutable marks: those of X", "latent marks: those of U")),
        ("uai", ("mutable marks: those of X", "latent marks: those of U", "names: those of X and U")),
    ],
)
def test_what_a_format_loses_is_told(format: str, lost: tuple[str, ...]) -> None:
    model = read_model("X : {0, 1} ; latent U : {0, 1} ; mutable X")
    assert left_out(model, format) == tuple(f"{format} does not hold {what}" for what in lost)


@pytest.mark.parametrize("format", ["uai", "xdsl"])
def test_a_missing_mechanism_cannot_be_said(format: str) -> None:
    with pytest.raises(SutureError) as caught:
        export_graph(read_model("X : {0, 1}"), format)
    assert caught.value.render() == (
        f"error[S023]: {format.upper()} cannot say this model: X has no mechanism\n  = help: write X ~ table .."
    )


def same_tables(ours: Model, theirs: Model, tolerance: float = 1e-12) -> None:
    """The same probabilities, whatever the order of variables and parents."""
    mine, other = float_model(ours), float_model(theirs)
    assert set(mine.arrays) == set(other.arrays)
    for name in mine.arrays:
        order = [theirs.parents(name).index(parent) for parent in ours.parents(name)]
        assert other.arrays[name].transpose([*order, len(order)]) == pytest.approx(mine.arrays[name], abs=tolerance)


def test_pyagrum_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    """Not UAI and XDSL: version 3.3.1 writes both with the first parent fastest, against their documentation."""
    gum = pytest.importorskip("pyagrum")
    ours = import_graph(XMLBIF).model
    for format, suffix, tolerance in (("xmlbif", "bifxml", 1e-6), ("net", "net", 1e-6)):
        (tmp_path / f"ours.{suffix}").write_text(export_graph(import_graph(ASIA.read_text()).model, format))
        network = gum.loadBN(str(tmp_path / f"ours.{suffix}"))
        chosen = network.cpt("Dyspnoea")[{"Bronchitis": "no", "Either": "yes"}]
        assert chosen.tolist() == pytest.approx([0.3, 0.7], abs=tolerance)
        gum.saveBN(network, str(tmp_path / f"theirs.{suffix}"))
        back = import_graph((tmp_path / f"theirs.{suffix}").read_text(), format).model
        same_tables(import_graph(ASIA.read_text()).model, back, tolerance)
    assert ours.name == "three"


def test_pgmpy_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    """Not UAI: version 1.1.2 writes it with the child slowest."""
    readwrite = pytest.importorskip("pgmpy.readwrite")
    asia = import_graph(ASIA.read_text()).model
    theirs = readwrite.BIFReader(string=export_graph(asia, "bif")).get_model()
    same_tables(asia, import_graph(str(readwrite.XMLBIFWriter(theirs)), "xmlbif").model)
    same_tables(asia, import_graph(str(readwrite.NETWriter(theirs)), "net").model)
    (tmp_path / "ours.xmlbif").write_text(export_graph(asia, "xmlbif"))
    read = readwrite.XMLBIFReader(str(tmp_path / "ours.xmlbif")).get_model()
    table = read.get_cpds("Dyspnoea")
    assert table.get_value(Dyspnoea="no", Bronchitis="no", Either="yes") == pytest.approx(0.3)
