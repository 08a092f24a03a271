"""What programs resolve to: models and their diagrams, tables, formulas of queries and effects, statements."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture.dsl import program as resolved
from suture.dsl.constants import constant
from suture.dsl.coverage import hidden, uncovered
from suture.dsl.diagnostics import SutureError
from suture.dsl.effects import EFFECTS
from suture.dsl.formula import Kernel, Ratio, Term, equal
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text
from suture.dsl.parser import parse
from suture.dsl.program_files import read_program
from suture.dsl.resolve import read_model, read_query, resolve
from suture.dsl.source import Source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.suture"))


def run(program: str) -> resolved.Program:
    source = Source(program)
    return resolve(parse(source), source)


def codes(program: str) -> list[str]:
    with pytest.raises(SutureError) as caught:
        run(program)
    return [problem.code for problem in caught.value.diagnostics]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_resolve(path: Path) -> None:
    assert read_program(Source(path.read_text(encoding="utf-8")), path.parent).statements


# ---- models


def test_smoking_diagram() -> None:
    model = run((EXAMPLES[0].parent / "smoking.suture").read_text()).models["Smoking"]
    assert model.observed == ("Smoke", "Tar", "Cancer")
    assert model.latent == ("Gene",)
    assert {name: set(model.parents(name)) for name in model.by_name} == {
        "Gene": set(),
        "Smoke": {"Gene"},
        "Tar": {"Smoke"},
        "Cancer": {"Tar", "Gene"},
    }


def test_groups_chains_and_common_causes() -> None:
    model = read_model("{A, B} -> C <- D ; C <-> E <-> C ; E -> {F, A}")
    assert model.latent == ("C<->E",)
    assert {name: set(model.parents(name)) for name in model.observed} == {
        "A": {"E"}, "B": set(), "C": {"A", "B", "D", "C<->E"}, "D": set(), "E": {"C<->E"}, "F": {"E"},
    }  # fmt: skip


def test_parents_are_read_off_mechanisms_in_their_order() -> None:
    model = read_model("A, B : {0, 1} ; C : {0, 1} := if B == 1 then A else B ; A -> C")
    assert model.parents("C") == ("B", "A")


def test_values() -> None:
    model = read_model("A : -1..1 ; B : real[3] ; C ; D ~ {x: 1/2, y: 0.5} ; E ~ Bernoulli(0.1) ; F := noise")
    assert [variable.values for variable in model.variables] == [
        resolved.Finite(("-1", "0", "1")),
        resolved.Real(3),
        None,
        resolved.Finite(("x", "y")),
        resolved.Finite(("0", "1")),
        resolved.Real(1),
    ]


def test_whole_model_text() -> None:
    assert read_model("model Bow { X -> Y ; X <-> Y }").name == "Bow"
    with pytest.raises(SutureError, match="S019"):
        read_model("model A { X -> Y }\nmodel B { X -> Y }")


def test_inside_of_a_model_is_told_at_its_own_place() -> None:
    with pytest.raises(SutureError) as caught:
        read_model("X -> Y\nX => Z\n-> W ; Y ->")
    places = [(problem.span.line, problem.span.column) for problem in caught.value.diagnostics if problem.span]
    assert places == [(2, 3), (3, 12)]


def test_bernoulli_with_parents_becomes_a_table() -> None:
    table = read_model("A : 0..2 ; B : {n, y} ~ Bernoulli(1/10 + A/5)").mechanisms["B"]
    assert isinstance(table, resolved.Table)
    assert table.parents == ("A",)
    weights = {row.cells: tuple(constant(weight) for weight in row.weights) for row in table.rows}
    assert weights == {(str(a),): (1 - p, p) for a in range(3) for p in [Fraction(1, 10) + Fraction(a, 5)]}


def test_bernoulli_of_a_condition_with_a_parameter() -> None:
    table = read_model("A : {a, b} ; B : {0, 1} ~ Bernoulli(if A == a then p else 1/3)").mechanisms["B"]
    assert isinstance(table, resolved.Table)
    assert [constant(weight) for weight in table.rows[1].weights] == [Fraction(2, 3), Fraction(1, 3)]
    assert constant(table.rows[0].weights[1]) is None


@given(st.data())
def test_coverage_agrees_with_enumeration(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    labels = [tuple("abc"[:size]) for size in sizes]
    cell = st.one_of
    rows = data.draw(st.lists(st.tuples(*(cell(st.none(), st.sampled_from(own)) for own in labels)), max_size=6))

    def matches(row: tuple[str | None, ...], case: tuple[str, ...]) -> bool:
        return all(a in (None, b) for a, b in zip(row, case, strict=True))

    missing = {case for case in product(*labels) if not any(matches(row, case) for row in rows)}
    patterns = uncovered(labels, rows, 10_000)
    assert {case for case in product(*labels) if any(matches(p, case) for p in patterns)} == missing
    for place, row in enumerate(rows):
        cases = [case for case in product(*labels) if matches(row, case)]
        assert hidden(labels, rows, place) == all(any(matches(r, case) for r in rows[:place]) for case in cases)


# ---- domains and data


def test_domains_of_two_models_may_share_names() -> None:
    program = run(
        "model M { X : {0, 1} }\nmodel N { X : {0, 1} }\ndomain d of M {}\ndomain d of N {}\ndomain e of N {}"
    )
    assert set(program.domains) == {"M.d", "N.d", "e"}


def test_inline_labels_are_spelled_as_declared() -> None:
    data = run('model M { X : {0, 1} ; Y }\ndata d of M weight n { Y, n, X ; "a b", 1/4, 1.0 ; c, 2e1, 0 }').data["d"]
    assert isinstance(data.origin, resolved.Inline)
    assert data.origin.rows == (("a b", "1/4", "1"), ("c", "2e1", "0"))
    assert data.weight == "n"


def test_clauses_of_data() -> None:
    program = run('model M { X, Y : {0, 1} }\ndomain r of M {}\ndata d of M in r from "x.csv" under do(X = 1) weight n')
    data = program.data["d"]
    assert (data.origin, data.weight, data.do, data.domain) == (resolved.File("x.csv"), "n", (Term("X", "1"),), "r")


# ---- queries


MODEL = "X, M : {0, 1} ; Z : {no, yes} ; Dose, Y : 0..2 ; S ; X -> M -> Y ; X -> Y ; Z -> {X, Y} ; Dose -> Y ; S -> Y"


def formula(query: str) -> str:
    return text(read_query(query, read_model(MODEL)).formula)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(Y = 1 | do(X = 1.0), Z)", "P(Y=1 | do(X=1), Z)"),
        ("P(Y | S = whatever)", "P(Y | S=whatever)"),
        ("2 * 3 - 1 / 4", "23/4"),
        ("P(Y = 1) / 2", "1/2 P(Y=1)"),
        ("P(Y = 1)^2", "P(Y=1) P(Y=1)"),
        ("1 - P(Y = 1) - P(Y = 2)", "1 - P(Y=1) - P(Y=2)"),
        ("E(Y | do(X = 1))", "sum{y} value(Y=y) P(Y=y | do(X=1))"),
        ("E(Y[X = 1] - Y[X = 0])", "sum{y} value(Y=y) P(Y[X=1]=y) - sum{y} value(Y=y) P(Y[X=0]=y)"),
        ("E(2*X*Y + 3)", "2 sum{x, y} value(X=x) value(Y=y) P(X=x, Y=y) + 3"),
        ("E(Y^2 | Z = no)", "sum{y} value(Y=y) value(Y=y) P(Y=y | Z=no)"),
        ("ate(X -> Y)", "sum{y} value(Y=y) P(Y=y | do(X=1)) - sum{y} value(Y=y) P(Y=y | do(X=0))"),
        ("ate(X -> Z)", "P(Z=yes | do(X=1)) - P(Z=yes | do(X=0))"),
        ("ate(Dose: 0 -> 2, Y = 1 | Z = no)", "P(Y=1 | do(Dose=2), Z=no) - P(Y=1 | do(Dose=0), Z=no)"),
        ("ett(X -> Y = 1)", "P(Y[X=1]=1 | X=1) - P(Y[X=0]=1 | X=1)"),
        ("atu(X -> Y = 1)", "P(Y[X=1]=1 | X=0) - P(Y[X=0]=1 | X=0)"),
        ("cde(X -> Y = 1, M = 0)", "P(Y=1 | do(X=1, M=0)) - P(Y=1 | do(X=0, M=0))"),
        ("pn(X -> M)", "P(M[X=0]=0 | X=1, M=1)"),
        ("ps(X -> M)", "P(M[X=1]=1 | X=0, M=0)"),
        ("pns(X -> M)", "P(M[X=1]=1, M[X=0]=0)"),
        ("pn(X -> Y = 1)", "1 - P(Y[X=0]=1 | X=1, Y=1)"),
        ("pns(X -> Y = 1)", "P(Y[X=1]=1) - P(Y[X=1]=1, Y[X=0]=1)"),
    ],
)
def test_formulas(query: str, expected: str) -> None:
    found = read_query(query, read_model(MODEL)).formula
    assert equal(found, read_formula(expected)) or text(found) == expected


def test_natural_effects_nest_worlds() -> None:
    high, low = Term("X", "1"), Term("X", "0")
    model = read_model(MODEL)
    mixed = Kernel((Term("Y", "1", (high, Term("M", None, (low,)))),))
    plain = Kernel((Term("Y", "1", (low,)),))
    for query in ("nde(X -> Y = 1)", "nde(X -> Y = 1, M)", "P(Y[X = 1, M = M[X = 0]] = 1) - P(Y[X = 0] = 1)"):
        kernels = list(_kernels(read_query(query, model)))
        assert kernels == [mixed, plain]


def _kernels(query: resolved.Query) -> tuple[Kernel, ...]:
    from suture.dsl.formula import kernels

    return kernels(query.formula)


def test_ps_of_more_than_two_values_is_a_ratio() -> None:
    assert isinstance(read_query("ps(X -> Y = 1)", read_model(MODEL)).formula, Ratio)


def test_every_effect_word_is_known_to_the_grammar() -> None:
    for kind in EFFECTS:
        assert parse(Source(f"query q = {kind}(X -> Y)")).statements


def test_swapped_mechanisms_and_sources() -> None:
    program = run(
        "model M { X : {0, 1} ; Y : {0, 1} ; X -> Y }\ndomain r of M { X ~ Bernoulli(0.2) }\n"
        'data t of M from "t.csv"\nquery a = P(Y[X ~ r] | domain = r)\nquery b = P[t](Y | X)\nquery c = P(Y[. ~ r])'
    )
    assert program.queries["a"].formula == Kernel((Term("Y", None, (Term("X", swap="r"),)),), source="r")
    assert program.queries["b"].formula == Kernel((Term("Y"),), (Term("X"),), source="t")
    assert program.queries["c"].formula == Kernel((Term("Y", None, (Term(".", swap="r"),)),))


def test_named_queries_are_inlined_whatever_their_order() -> None:
    program = run("model M { X -> Y }\nidentify gap\nquery gap = a - b\nquery a = P(Y = 1)\nquery b = P(Y = 0)")
    assert text(program.queries["gap"].formula) == "P(Y=1) - P(Y=0)"
    statement = program.statements[0]
    assert isinstance(statement, resolved.Identify)
    assert (statement.query.name, statement.query.text) == ("gap", "a - b")


def test_queries_of_several_models_find_theirs() -> None:
    program = run("model M { X -> Y }\nmodel N { A -> B }\nquery q = P(B | do(A))\nidentify q in N")
    assert program.queries["q"].model == "N"


# ---- statements


def test_assertions() -> None:
    program = run(
        "model M { X : {0, 1} }\nassert not P(X = 1) < 0 and 0 <= P(X = 0) <= 1 or 1 = 1\nassert identify P(X)"
    )
    first = program.statements[0]
    assert isinstance(first, resolved.Assert)
    assert isinstance(first.claim, resolved.Boolean)
    assert first.claim.operator == "or"
    assert first.text == "not P(X = 1) < 0 and 0 <= P(X = 0) <= 1 or 1 == 1"
    assert isinstance(program.statements[1], resolved.Assert)


def test_exclusive_or_of_claims_is_spelled_out() -> None:
    claim = run("model M { X : {0, 1} }\nassert 1 < 2 xor 2 < 1").statements[0]
    assert isinstance(claim, resolved.Assert)
    assert isinstance(claim.claim, resolved.Boolean)

    def holds(node: resolved.Condition) -> bool:
        if isinstance(node, resolved.Comparison):
            left, right = (query.formula.value for query in node.operands)  # type: ignore[union-attr]
            return left < right
        parts = [holds(part) for part in node.operands]
        return {"and": all(parts), "or": any(parts), "not": not parts[0]}[node.operator]

    assert holds(claim.claim)


def test_canonical_models_can_be_used_later() -> None:
    program = run(
        "model M { latent Z : real := noise ; X : real := Z }\ndomain a of M {}\ndomain b of M { Z := 2 * noise }\n"
        "canonicalise M over {a, b} as L\nequivalent M, L over {a, b}\ncounterfactual X = 1/2 in L from a to b"
    )
    kinds = [type(statement).__name__ for statement in program.statements]
    assert kinds == ["Canonicalise", "Equivalent", "Counterfactual"]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("model M { X -> Y }\nadjust X -> Z", ["S104"]),
        ("model M { X -> Y }\nadjust X -> X", ["S402"]),
        ("model M { X -> Y }\nindependent X, Y given {Y}", ["S402"]),
        ("model M { X -> Y }\nsearch predictor of Y from {X} minimax squard_loss", ["S107"]),
        ("model M { X -> Y }\nsearch predictor of Y from {X} over {d} minimax log_loss", ["S103"]),
        ("model M { X, Y : {0, 1} }\ncause X = 2 of Y = 1 where X = 0", ["S201"]),
        ("model M { X -> Y }\ncounterfactual Z = 1 from a to b", ["S104", "S103", "S103"]),
        ("model M { X -> Y }\nbound P(Y | do(X)) from nothing", ["S106"]),
        ("model M { X -> Y }\nidentify P(Y) from P(Y | do(Z)) in d", ["S104"]),
        ("model M { X -> Y }\nshow M after do(X, X)", ["S402"]),
        ("model M { X -> Y }\nequivalent M, N over {}", ["S102"]),
    ],
)
def test_names_in_statements_are_checked(program: str, expected: list[str]) -> None:
    assert codes(program) == expected
