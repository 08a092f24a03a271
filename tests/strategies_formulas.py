"""Random formulas: sums, products, quotients and differences of kernels whose labels need quotes now and then."""

from __future__ import annotations

from hypothesis import strategies as st

from suture.dsl.formula import (
    Constant,
    Formula,
    Kernel,
    Term,
    ValueOf,
    negative,
    plus,
    product,
    ratio,
    sum_over,
)

NAMES = ("X", "Y", "Smoke", "Tar", "W1", "größe", "x")
LABELS = ("yes", "0", "-1", "2.5", "1/2", "18-25", "a b", "x", "t", "s")


@st.composite
def terms(draw: st.DrawFn, names: tuple[str, ...] = NAMES, depth: int = 1) -> Term:
    world: tuple[Term, ...] = ()
    if depth and draw(st.integers(0, 5)) == 0:
        world = tuple(draw(st.lists(terms(depth=0), min_size=1, max_size=2)))
        if draw(st.booleans()):
            world += (Term(draw(st.sampled_from((*NAMES, "."))), swap="rural"),)
    return Term(draw(st.sampled_from(names)), draw(st.none() | st.sampled_from(LABELS)), world)


@st.composite
def kernels(draw: st.DrawFn) -> Formula:
    def several(least: int) -> tuple[Term, ...]:
        return tuple(draw(st.lists(terms(), min_size=least, max_size=2)))

    return Kernel(several(1), several(0), several(0), draw(st.none() | st.sampled_from(("trial", "survey"))))


def compound(below: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    pairs = st.tuples(below, below)
    return st.one_of(
        pairs.map(product),
        pairs.map(plus),
        pairs.map(lambda pair: ratio(*pair)),
        below.map(negative),
        st.tuples(below, st.sampled_from(NAMES)).map(lambda pair: sum_over([pair[1]], pair[0])),
        st.tuples(below, st.sampled_from(NAMES)).map(
            lambda pair: sum_over([pair[1]], product([ValueOf(Term(pair[1])), pair[0]]))
        ),
    )


NUMBERS = st.fractions(max_denominator=9).map(Constant)
FORMULAS = st.recursive(kernels() | NUMBERS | st.sampled_from(NAMES).map(lambda n: ValueOf(Term(n))), compound)
