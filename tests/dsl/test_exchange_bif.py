"""Bayesian networks in BIF: structure, values and tables, in the several ways in which tools write them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import random_dag, seeds

from suture.dsl.constants import constant
from suture.dsl.diagnostics import SutureError
from suture.dsl.exchange import export_graph, import_graph
from suture.dsl.printer import format_source
from suture.dsl.probabilities import number_text, settled
from suture.dsl.program import Model, Table
from suture.dsl.resolve import read_model
from suture.dsl.source import Source

# The dog problem (Charniak 1991) in the old style of JavaBayes: no bar, quoted names, the child varies slowest.
DOG = """
network "Dog-Problem" { //5 variables and 5 probability distributions
 property "credal-set constant-density-bounded 1.1" ;
}
variable  "light-on" { //2 values
 type discrete[2] {  "true"  "false" };
 property "position = (218, 195)" ;
}
variable  family-out { type discrete [ 2 ] { true, false }; }
probability ( "light-on"  family-out ) { table 0.6 0.05 0.4 0.95 ; }
probability ( family-out ) { table 0.15, 0.85; }
"""


def declared(*sizes: int) -> str:
    """Variables A, B, .. with the values a0, a1, .., b0, .."""
    lines: list[str] = []
    for name, size in zip("ABCDEF", sizes, strict=False):
        values = ", ".join(f"{name.lower()}{number}" for number in range(size))
        lines.append(f"variable {name} {{ type discrete [ {size} ] {{ {values} }}; }}")
    return "\n".join(lines)


def told(text: str) -> str:
    with pytest.raises(SutureError) as caught:
        import_graph(text, "bif")
    assert len(caught.value.diagnostics) == 1
    return caught.value.render()


def weights(found: Model, name: str) -> dict[tuple[str | None, ...], list[Fraction]]:
    mechanism = found.mechanisms[name]
    assert isinstance(mechanism, Table)
    numbers = {row.cells: [constant(weight) for weight in row.weights] for row in mechanism.rows}
    assert not any(None in row for row in numbers.values())
    return {cells: [weight for weight in row if weight is not None] for cells, row in numbers.items()}


def test_old_style_is_read() -> None:
    found = import_graph(DOG)
    assert found.model == read_model("""model Dog_Problem {
      light_on   : {true, false} ~ table (family_out) { true => 0.6, 0.4 ; false => 0.05, 0.95 }
      family_out : {true, false} ~ {true: 0.15, false: 0.85}
    }""")
    assert "# 'light-on' is written light_on: a name is a letter, then letters, digits and '_'" in found.program_text
    assert format_source(Source(found.program_text)) == found.program_text


def test_rows_are_read() -> None:
    text = (
        declared(2, 3, 2)
        + """
    probability ( A | B, C ) {
      (b0, c0) 0.1, 0.9;
      (b2, c1) 1, 0;
      (b0, c1) .25 .75;
      default 5e-1 0.5;
    }
    probability ( B ) { table 0.2, 0.3, 0.5; }
    """
    )
    found = import_graph(text)
    assert weights(found.model, "A") == {
        ("b0", "c0"): [Fraction(1, 10), Fraction(9, 10)],
        ("b2", "c1"): [1, 0],
        ("b0", "c1"): [Fraction(1, 4), Fraction(3, 4)],
        (None, None): [Fraction(1, 2), Fraction(1, 2)],
    }
    assert found.model.parents("A") == ("B", "C")
    assert found.notes == ("no probabilities are given for C",)


@settings(max_examples=40)
@given(seeds)
def test_in_a_table_the_child_varies_slowest(seed: int) -> None:
    """numpy's own order of a three-way array: child, first parent, second parent."""
    generator = np.random.default_rng(seed)
    sizes = [int(size) for size in generator.integers(1, 4, 3)]
    counts = generator.integers(1, 9, sizes)
    array = [[Fraction(int(count)) for count in row] for row in counts.reshape(sizes[0], -1)]
    totals = [sum(column) for column in zip(*array, strict=True)]
    shares = [share / total for row in array for share, total in zip(row, totals, strict=True)]
    text = f"{declared(*sizes)} probability (A | B, C) {{ table {' '.join(f'{float(share)!r}' for share in shares)}; }}"
    found = weights(import_graph(text).model, "A")
    for b in range(sizes[1]):
        for c in range(sizes[2]):
            total = int(counts[:, b, c].sum())
            wanted = [float(Fraction(int(count), total)) for count in counts[:, b, c]]
            assert [float(weight) for weight in found[f"b{b}", f"c{c}"]] == pytest.approx(wanted, abs=1e-12)


def test_table_in_another_order_is_pointed_at() -> None:
    assert told(declared(2, 2) + "\nprobability (A | B) { table 0.1 0.9 0.3 0.7; }") == (
        "error[S202]: the table of A sums to 1 only if its numbers are read in another order\n"
        " --> <text>:3:29\n"
        "  |\n"
        "3 | probability (A | B) { table 0.1 0.9 0.3 0.7; }\n"
        "  |                             ^^^^^^^^^^^^^^^ the child's value varies slowest\n"
        "  = help: first every case with A = a0, then the next value, and so on"
    )


def test_latent_variables_are_marked_by_properties() -> None:
    text = """
    variable A { type discrete [ 2 ] { a, b }; property latent = yes ; }
    variable B { type discrete [ 2 ] { a, b }; property roles = {'latents'} ; }
    variable C { type discrete [ 2 ] { a, b }; property latent = no ; }
    variable D { type discrete [ 2 ] { a, b }; property "weight = 3; size" ; }
    """
    assert import_graph(text).model.latent == ("A", "B")


def test_structure_alone_is_read() -> None:
    found = import_graph(declared(2, 3) + " probability (A | B) { }").model
    assert found == read_model("model Imported { A : {a0, a1} ; B : {b0, b1, b2} ; B -> A }")


def test_rounded_rows_are_made_whole_and_told() -> None:
    text = (
        declared(3, 2) + "probability (A) { table 0.3333333 0.3333333 0.3333333; } probability (B) { table .33 .66; }"
    )
    found = import_graph(text)
    assert found.notes == ("rows of A and B sum to 1 only within 0.01; they were adjusted to sum to 1",)
    assert weights(found.model, "A") == {
        (): [Fraction(3333334, 10**7), Fraction(3333333, 10**7), Fraction(3333333, 10**7)]
    }
    assert weights(found.model, "B") == {(): [Fraction(1, 3), Fraction(2, 3)]}
    floats = import_graph(declared(2) + "probability (A) { table 0.1 0.9000000000000000001; }")
    assert floats.notes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("probability (A | B) { (b0) 0.5 0.5; }", "S203]: the table of A does not cover every case of B"),
        ("probability (A) { table 0.5 0.6; }", "S202]: the probabilities of a row of A sum to 1.1, not to 1"),
        ("probability (A | B) { (b0) -0.5 1.5; }", "S207]: -0.5 is not a probability"),
        ("probability (A | B) { (b0) 1; }", "S206]: this row has 1 probability for 2 values of A"),
        ("probability (A | B) { (b0, b1) 0 1; }", "S206]: this row has 2 cells for 1 parent"),
        ("probability (A | B) { (b9) 0 1; }", "S201]: B has no value 'b9'"),
        ("probability (A | B) { (b0) 0 1; (b0) 0 1; }", "S212]: this row is given twice"),
        ("probability (A | B) { table 0 1; }", "S206]: the table of A has 2 numbers for 2 values in 2 cases"),
        (
            "probability (A | B) { table 0 1 0 1; default 0 1; }",
            "S212]: the probabilities of A are given in several ways",
        ),
        (
            "probability (A) { table 1 0; } probability (A) { table 1 0; }",
            "S212]: the probabilities of A are given twice",
        ),
        ("probability (A) { table 1e999999999 0; }", "S017]: '1e999999999' is no number that can be read"),
        ("probability (A) { table 1.2.3 0; }", "S017]: '1.2.3' is no number that can be read"),
        ("probability (A | Bb) { }", "S104]: unknown variable 'Bb' in this network"),
        ("probability (A, B | A) { }", "S021]: a joint distribution of A and B"),
        ("probability (A | B, B) { }", "S101]: B is named twice"),
        ("probability (A | B) { } probability (B | A) { }", "S204]: the causes form a cycle: A -> B -> A"),
        ("probability (A | A) { }", "S205]: 'A' cannot be its own cause"),
        ("variable A { type discrete [ 1 ] { a }; }", "S101]: the variable A is given twice"),
        ("variable Z { type discrete [ 3 ] { a }; }", "S020]: Z should have 3 values, but lists 1 value"),
        ("variable Z { type discrete [ 2 ] { 1, 1.0 }; }", "S209]: the value '1.0' of Z is listed twice"),
        ("variable Z { type continuous; }", "S021]: Z is continuous, and only discrete variables have tables"),
        ("variable Z { }", "S020]: the variable Z has no type"),
        ("variable Z { type discrete { }; }", "S020]: Z has no values"),
        ("probability (A) { table 0.5 x; }", "S020]: this is not a BIF network: unexpected 'x'"),
    ],
)
def test_bif_that_contradicts_itself(text: str, said: str) -> None:
    assert told(f"{declared(2, 2)}\n{text}").splitlines()[0] == f"error[{said}"


def test_missing_row_of_many_parents_is_found_at_once() -> None:
    many = "\n".join(f"variable V{number} {{ type discrete [ 2 ] {{ a, b }}; }}" for number in range(60))
    parents = ", ".join(f"V{number}" for number in range(1, 60))
    assert told(f"{many}\nprobability (V0 | {parents}) {{ ({'a, ' * 59}) 0 1; }}").startswith("error[S203]")
    assert told(f"{many}\nprobability (V0 | {parents}) {{ table 0 1; }}").startswith("error[S206]")


def test_mechanisms_become_tables() -> None:
    found = read_model("""model M {
      A : {no, yes} ~ Bernoulli(0.3)
      latent B : {0, 1, 2} ~ table (A) { yes => 1/4, 1/4, 1/2 ; _ => 1, 0, 0 }
      C : {0, 1} := A = yes and B > 0
      D : {"18-25", old}
      B -> D
    }""")
    assert export_graph(found, "bif") == (
        "network M {\n}\n"
        "variable A {\n  type discrete [ 2 ] { no, yes };\n}\n"
        "variable B {\n  type discrete [ 3 ] { 0, 1, 2 };\n  property latent = yes ;\n}\n"
        "variable C {\n  type discrete [ 2 ] { 0, 1 };\n}\n"
        'variable D {\n  type discrete [ 2 ] { "18-25", old };\n}\n'
        "probability ( A ) {\n  table 0.7, 0.3;\n}\n"
        "probability ( B | A ) {\n  ( no ) 1, 0, 0;\n  ( yes ) 0.25, 0.25, 0.5;\n}\n"
        "probability ( C | A, B ) {\n"
        "  ( no, 0 ) 1, 0;\n  ( no, 1 ) 1, 0;\n  ( no, 2 ) 1, 0;\n"
        "  ( yes, 0 ) 1, 0;\n  ( yes, 1 ) 0, 1;\n  ( yes, 2 ) 0, 1;\n}\n"
        "probability ( D | B ) {\n}\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A : {0, 1} ~ Bernoulli(p)", "the mechanism of A has no exact numbers"),
        ("A : {0, 1} := noise > 0", "the mechanism of A has no exact numbers"),
        ("A : real", "A has no finite set of values"),
    ],
)
def test_mechanism_without_numbers(text: str, said: str) -> None:
    with pytest.raises(SutureError) as caught:
        export_graph(read_model(text), "bif")
    assert caught.value.render().startswith(f"error[S023]: BIF cannot say this model: {said}")


@st.composite
def tabled_models(draw: st.DrawFn) -> Model:
    """A random model with a table for each variable, its probabilities decimals of three digits."""
    generator = np.random.default_rng(draw(seeds))
    parents, latent = random_dag(generator, int(generator.integers(1, 6)))
    lines: list[str] = []
    for name, causes in parents.items():
        rows = []
        for case in range(2 ** len(causes)):
            cut = int(generator.integers(0, 1001))
            cells = ", ".join(f"x{case >> place & 1}" for place in reversed(range(len(causes))))
            rows.append(f"{cells} => {cut / 1000}, {(1000 - cut) / 1000}")
        head = f"{'latent ' if name in latent else ''}{name} : {{x0, x1}}"
        lines.append(f"{head} ~ table ({', '.join(causes)}) {{ {' ; '.join(rows)} }}")
    return read_model("model M {\n" + "\n".join(lines) + "\n}")


@settings(max_examples=40)
@given(tabled_models())
def test_what_goes_out_comes_back(found: Model) -> None:
    back = import_graph(export_graph(found, "bif"), "bif")
    assert back.notes == ()
    assert back.model.variables == found.variables
    assert back.model.diagram == found.diagram
    assert all(weights(back.model, name) == weights(found, name) for name in found.by_name)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any))
def test_settled_rows_sum_to_one(counts: list[int]) -> None:
    rounded = [Fraction(f"{count / sum(counts):.7f}") for count in counts]
    exact = settled(rounded)
    assert exact is not None
    assert sum(exact) == 1
    assert all(abs(new - old) <= Fraction(len(counts), 10**7) for new, old in zip(exact, rounded, strict=True))


@given(st.fractions(0, 1))
def test_numbers_are_read_back(value: Fraction) -> None:
    text = number_text(value)
    above, _, below = text.partition("/")
    assert Fraction(above) / Fraction(below or 1) == value


def test_rows_far_from_one_are_not_settled() -> None:
    assert settled([Fraction(1, 2), Fraction(1, 3)]) is None


def test_pyagrum_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    gum = pytest.importorskip("pyagrum")
    ours = read_model("""model M {
      B : {b0, b1, b2} ~ {b0: 0.2, b1: 0.3, b2: 0.5}
      C : {c0, c1} ~ {c0: 0.25, c1: 0.75}
      A : {a0, a1} ~ table (B, C) { b0, _ => 0.1, 0.9 ; b1, c0 => 0.6, 0.4 ; b1, c1 => 1, 0 ; b2, _ => 0.35, 0.65 }
    }""")
    (tmp_path / "ours.bif").write_text(export_graph(ours, "bif"))
    network = gum.loadBN(str(tmp_path / "ours.bif"))
    wanted = {("b0", "c0"): 0.1, ("b0", "c1"): 0.1, ("b1", "c0"): 0.6, ("b1", "c1"): 1, ("b2", "c0"): 0.35}
    for (b, c), share in wanted.items():
        assert network.cpt("A")[{"B": b, "C": c}].tolist() == pytest.approx([share, 1 - share], abs=1e-6)
    random = gum.fastBN("X{n|y}->Z[3]<-Y[3]")
    random.saveBIF(str(tmp_path / "theirs.bif"))
    theirs = import_graph((tmp_path / "theirs.bif").read_text()).model
    rows = weights(theirs, "Z")
    assert len(rows) == 6
    for cells, shares in rows.items():
        chosen = dict(zip(theirs.parents("Z"), cells, strict=True))
        assert list(map(float, shares)) == pytest.approx(random.cpt("Z")[chosen].tolist(), abs=1e-6)


def test_pgmpy_reads_what_we_write_and_we_what_it_writes() -> None:
    readwrite = pytest.importorskip("pgmpy.readwrite")
    ours = read_model("""model M {
      latent B : {b0, b1, b2} ~ {b0: 0.2, b1: 0.3, b2: 0.5}
      A : {a0, a1} ~ table (B) { b0 => 0.1, 0.9 ; b1 => 0.6, 0.4 ; b2 => 0.35, 0.65 }
    }""")
    network = readwrite.BIFReader(string=export_graph(ours, "bif")).get_model()
    table = network.get_cpds("A")
    assert [table.get_value(A="a0", B=f"b{place}") for place in range(3)] == pytest.approx([0.1, 0.6, 0.35])
    network.latents = {"B"}
    theirs = import_graph(str(readwrite.BIFWriter(network)), "bif").model
    assert weights(theirs, "A") == weights(ours, "A")
