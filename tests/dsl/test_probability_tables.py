"""Tables kept as numbers: the same rows, the same exact probabilities, and floats that agree with them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.exchange import import_graph
from suture.dsl.parser import parse
from suture.dsl.probabilities import settled
from suture.dsl.probability_tables import NotADistribution, Numbers, numbers_of_rows
from suture.dsl.program import Table
from suture.dsl.resolve import resolve
from suture.dsl.rows import NumberRows
from suture.dsl.source import Source
from suture.semantics.compute import float_model
from suture.semantics.mechanisms import mechanism_array

counts = st.lists(st.integers(0, 10**6), min_size=2, max_size=5).filter(any)


def rounded(row: list[int], digits: int) -> list[str]:
    return [f"{count / sum(row):.{digits}f}" for count in row]


@given(counts, st.integers(2, 9))
def test_floats_agree_with_exact_numbers(row: list[int], digits: int) -> None:
    written = rounded(row, digits)
    exact = settled([Fraction(number) for number in written])
    if exact is None:
        with pytest.raises(NotADistribution):
            numbers_of_rows([], len(row), [written])
        return
    table, off = numbers_of_rows([], len(row), [written])
    assert table.exact(0) == exact
    assert np.frombuffer(table.floats) == pytest.approx([float(weight) for weight in exact], abs=1e-15)
    assert off == pytest.approx(float(abs(sum(map(Fraction, written)) - 1)), abs=1e-15)


@pytest.mark.parametrize("row", [["0.333333", "0.333333", "0.333333"], ["0.49", "0.25", "0.25"], ["0.500001", "0.5"]])
def test_a_sum_at_the_limit_is_settled_as_the_exact_one(row: list[str]) -> None:
    """A millionth or a hundredth off, to the last digit: floats alone could take either side."""
    exact = settled([Fraction(number) for number in row])
    assert exact is not None
    table, _ = numbers_of_rows([], len(row), [row])
    assert np.frombuffer(table.floats).tolist() == [float(weight) for weight in exact]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 3), min_size=0, max_size=3), st.integers(1, 3), st.integers(0, 10**6))
def test_rows_run_over_the_cases_with_the_last_parent_fastest(sizes: list[int], width: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    domains = [[f"v{number}" for number in range(size)] for size in sizes]
    written = [rounded(generator.integers(1, 50, width).tolist(), 8) for _ in product(*domains)]
    table, _ = numbers_of_rows(domains, width, written)
    rows = NumberRows(table)
    assert [row.cells for row in rows] == list(product(*domains))
    assert len(rows) == len(written)
    assert rows[-1] == list(rows)[-1]
    assert rows[:2] == tuple(rows)[:2]
    assert rows == tuple(rows)
    assert hash(rows) == hash(tuple(rows))
    assert rows != tuple(rows)[1:]


NETWORK = """
variable A { type discrete [ 2 ] { no, yes }; }
variable B { type discrete [ 3 ] { "a b", 1/2, -1 }; }
variable C { type discrete [ 2 ] { c0, c1 }; }
probability (A) { table 0.25, 0.75; }
probability (B) { table 0.2, 0.3, 0.5; }
probability (C | A, B) {
  (yes, -1) 0.125, 0.875; // a comment
  (no, "a b") 0.1, 0.9;
  (no, -1.0) 0.333333, 0.666666;
  (yes, "a b") 1.0, 0.0; (yes, 1/2) 1e-3 .999;
  (no, /* half */ 1/2)
     0.3,
     0.7;
}
"""


def test_numbers_and_the_program_that_says_them_are_one_model() -> None:
    found = import_graph(NETWORK, "bif", "M")
    table = found.model.mechanisms["C"]
    assert isinstance(table, Table)
    assert isinstance(table.rows, NumberRows)
    again = resolve(parse(Source(found.program_text)), Source(found.program_text)).models["M"]
    assert again == found.model
    written = again.mechanisms["C"]
    assert isinstance(written, Table)
    assert isinstance(written.rows, tuple)
    exact = mechanism_array(found.model, "C", table)
    assert exact is not None
    assert (exact == mechanism_array(again, "C", written)).all()
    assert float_model(found.model).arrays["C"] == pytest.approx(exact.astype(float), abs=1e-16)
    assert exact[0, 2].tolist() == [Fraction(333333, 10**6), Fraction(666667, 10**6)]
    assert exact[1, 1].tolist() == [Fraction(1, 1000), Fraction(999, 1000)]


def test_numbers_of_other_values_are_refused() -> None:
    from suture.dsl import tree
    from suture.dsl.tree import Declaration, Label, LabelSet, Model, Name, Program

    numbers = Numbers((("a", "b"),), 2, ("1 0", "0 1"), np.eye(2).tobytes())
    two = LabelSet((Label("a"), Label("c")))
    made = Model(
        Name("M"),
        (
            Declaration((Name("X"),), False, two, None),
            Declaration((Name("Y"),), False, two, tree.NumbersMechanism((Name("X"),), numbers)),
        ),
    )
    with pytest.raises(ValueError, match="the numbers of Y are for other values"):
        resolve(Program((made,)), Source(""))


def test_a_row_that_is_one_token_is_told_of_at_its_place() -> None:
    from suture.dsl.diagnostics import SutureError

    text = NETWORK.replace("(no, -1.0) 0.333333", "(no,\n  -1.5) 0.333333")
    with pytest.raises(SutureError) as caught:
        import_graph(text, "bif")
    assert caught.value.render() == (
        "error[S201]: B has no value '-1.5'\n"
        "  --> <text>:11:3\n"
        "   |\n"
        "11 |   -1.5) 0.333333, 0.666666;\n"
        "   |   ^^^^ not a value\n"
        "   = help: its values are a b, 1/2, -1"
    )
    with pytest.raises(SutureError) as caught:
        import_graph(NETWORK.replace("0.1, 0.9;", "0.1, 0.7;"), "bif")
    assert caught.value.render() == (
        "error[S202]: the probabilities of a row of C sum to 0.8, not to 1\n"
        " --> <text>:9:15\n"
        "  |\n"
        '9 |   (no, "a b") 0.1, 0.7;\n'
        "  |               ^^^^^^^^ not a distribution"
    )
