"""Hypothesis strategies for programs: surface trees that cover every statement and every kind of expression."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from suture.dsl import tree
from suture.dsl.syntax_errors import KEYWORDS

NUMBERS = ("0", "1", "2", "0.5", "0.30", "12.75", "2.5e-3", "1E2", ".5")
FUNCTIONS = ("exp", "abs", "tanh")

words = st.sampled_from(["X", "Y", "Zed", "M1", "P", "E", "ate", "größe", "a_b", "yes", "no"])
names = st.one_of(words, st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)).filter(
    lambda n: n not in KEYWORDS
)
name = names.map(tree.Name)
quoted = st.sampled_from(["18-25", "in", "two words", "#1", "a;b", "", "{x}"])
signed = st.tuples(st.sampled_from(["", "-"]), st.sampled_from(NUMBERS)).map("".join)
fractions = st.tuples(signed, st.sampled_from(["2", "3.5", "1e3"])).map("/".join)
label = st.one_of(names, signed, fractions, quoted).map(tree.Label)
number = st.sampled_from(NUMBERS).map(lambda text: tree.Number(Fraction(text), text))


def some(strategy, least=1, most=3):
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def maybe(strategy):
    return st.one_of(st.none(), strategy)


def runs(operands, operators):
    """Operands of one precedence with the operators between them."""
    return st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            st.lists(st.sampled_from(operators), min_size=n, max_size=n).map(tuple),
            st.lists(operands, min_size=n + 1, max_size=n + 1).map(tuple),
        )
    )


def assigns(worlds):
    return st.builds(tree.Assign, name, maybe(st.one_of(label, worlds)))


swap = st.builds(tree.Swap, st.one_of(name, st.just(tree.Name("."))), name)
plain_world = st.builds(tree.World, name, some(st.one_of(st.builds(tree.Assign, name, maybe(label)), swap)))
world = st.builds(tree.World, name, some(st.one_of(assigns(plain_world), swap)))
event = st.builds(tree.Event, st.one_of(name, world), maybe(label))
do = st.builds(tree.Do, some(event))
given_part = st.one_of(event, do, st.builds(tree.InDomain, name))
given_parts = some(given_part, 0)
probability = st.builds(tree.Probability, some(st.one_of(event, do)), given_parts, maybe(name))
levels = st.one_of(st.just((None, None)), st.tuples(label, label))
effect = st.builds(
    lambda kind, treatment, ends, outcome, mediators, conditions: tree.Effect(
        kind, treatment, ends[0], ends[1], outcome, mediators, conditions
    ),
    st.sampled_from(["ate", "ett", "atu", "cde", "nde", "nie", "pn", "ps", "pns"]),
    name,
    levels,
    event,
    some(event, 0, 2),
    given_parts,
)
leaf = st.one_of(
    number,
    quoted.map(tree.Text),
    names.map(tree.Reference),
    st.just(tree.Noise()),
    world,
    probability,
    effect,
)


def larger(inner):
    arithmetic = [
        runs(inner, operators).map(lambda run: tree.Arithmetic(*run)) for operators in (("+", "-"), ("*", "/"))
    ]
    return st.one_of(
        *arithmetic,
        st.tuples(inner, inner).map(lambda pair: tree.Arithmetic(("^",), pair)),
        st.builds(tree.Unary, st.sampled_from(["-", "not"]), inner),
        st.builds(tree.Logic, st.sampled_from(["and", "or", "xor"]), some(inner, 2)),
        runs(inner, ("<=", ">=", "<", ">", "==", "!=")).map(lambda run: tree.Comparison(*run)),
        st.builds(tree.Conditional, inner, inner, inner),
        st.builds(tree.Call, st.sampled_from(FUNCTIONS).map(tree.Name), some(inner)),
        st.builds(tree.Expectation, inner, given_parts, maybe(name)),
    )


expression = st.recursive(leaf, larger, max_leaves=6)

values = st.one_of(
    some(label).map(tree.LabelSet),
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(
        lambda ends: tree.Range(tree.Label(str(ends[0])), tree.Label(str(ends[1])))
    ),
    maybe(st.integers(1, 9)).map(tree.Reals),
)
row = st.builds(tree.Row, some(maybe(label), 0), some(expression))
mechanism = st.one_of(
    st.builds(tree.TableMechanism, some(name, 0), some(row, 0)),
    some(st.tuples(label, expression)).map(tree.WeightsMechanism),
    st.builds(tree.FamilyMechanism, name, some(expression, 0)),
    st.just(tree.AnyMechanism()),
    expression.map(tree.EquationMechanism),
)
group = st.one_of(
    name.map(lambda one: tree.Group((one,), False)), some(name).map(lambda several: tree.Group(several, True))
)
edges = runs(group, ("->", "<-", "<->")).map(lambda run: tree.Edges(run[1], run[0]))
declaration = st.builds(tree.Declaration, some(name), st.booleans(), maybe(values), maybe(mechanism))
item = st.one_of(declaration, edges, some(name).map(tree.Mutable))
path = st.sampled_from(["survey.csv", "a b#c.parquet"]).map(tree.FilePath)
model = st.one_of(st.builds(tree.Model, name, some(item, 0)), st.builds(tree.Model, name, st.just(()), path))
domain = st.builds(tree.Domain, name, name, some(st.builds(tree.Replacement, name, mechanism), 0))
table = some(some(label).map(tree.DataRow), 0).map(tree.InlineTable)
data = st.builds(tree.Data, name, name, st.one_of(table, path), maybe(name), maybe(do), maybe(name))
setups = some(st.builds(tree.Setup, name, label))
source = st.one_of(name, st.builds(tree.DistributionSource, probability, maybe(name)))
identify = st.builds(tree.Identify, expression, maybe(name), some(source, 0), maybe(name), maybe(name))
statement = st.one_of(
    model,
    domain,
    data,
    st.builds(tree.Query, name, expression),
    identify,
    st.builds(tree.Estimate, expression, maybe(name), some(name, 0), maybe(name), maybe(name), maybe(number)),
    st.builds(tree.Compute, some(expression), maybe(name)),
    st.builds(tree.Bound, expression, maybe(name), some(source, 0), maybe(name)),
    st.builds(tree.Independent, name, name, some(name, 0), maybe(name)),
    st.builds(tree.Adjust, group, group, maybe(name), some(source, 0)),
    st.builds(tree.Show, name, maybe(do), maybe(expression)),
    st.builds(
        tree.Search, name, some(name), maybe(name), some(name, 0), name, maybe(number), some(name, 0), st.booleans()
    ),
    st.builds(tree.Canonicalise, name, some(name), maybe(name)),
    st.builds(tree.Equivalent, name, name, some(name)),
    st.builds(tree.Counterfactual, setups, maybe(name), name, name),
    st.builds(tree.Cause, setups, setups, maybe(name), setups),
    st.builds(tree.Assert, maybe(name), st.one_of(expression, identify)),
)
programs = some(statement, 0, 4).map(tree.Program)
