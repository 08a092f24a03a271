"""Graphs of other tools in text: what is read, what is told, what goes out and comes back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pygraphviz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import random_dag, seeds

from suture.dsl.diagnostics import SutureError
from suture.dsl.exchange import FORMATS, export_graph, format_of_file, guess_format, import_graph, left_out
from suture.dsl.printer import format_source
from suture.dsl.program import Model
from suture.dsl.resolve import read_model
from suture.dsl.source import Source

GRAPHS = ("dagitty", "dot", "gml")


def model(text: str, format: str | None = None) -> Model:
    """The imported model under the name that `read_model` gives one."""
    return import_graph(text, format, "Model").model


def told(text: str, format: str | None = None) -> str:
    with pytest.raises(SutureError) as caught:
        import_graph(text, format)
    assert len(caught.value.diagnostics) == 1
    return caught.value.render()


def arrows_of(found: Model) -> set[tuple[str, str]]:
    return {(parent, name) for name in found.by_name for parent in found.parents(name)}


# ---------------------------------------------------------------------------------------------------------------------
# dagitty


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dag { X -> Y }", "X, Y ; X -> Y"),
        ("dag{X->M->Y X<->Y}", "X, M, Y ; X -> M ; M -> Y ; X <-> Y"),
        ("X <- Z -> Y", "X, Z, Y ; Z -> X ; Z -> Y"),
        ("dag { {A B} -> {C D} }", "A, B, C, D ; {A, B} -> C ; {A, B} -> D"),
        ("dag { A -> {B -> C} -> D }", "A, B, C, D ; B -> C ; A -> {B, C} ; {B, C} -> D"),
        ("graph {x [e]\nx <- a -> m <- b -> y\na <-> b}", "x, a, m, b, y ; a -> x ; {a, b} -> m ; b -> y ; a <-> b"),
        ('dag { bb="0,0,1,1"\n U [latent,pos="1,2"] U -> X }', "latent U ; X ; U -> X"),
        ("dag { U [l] W [u=1] V [unobserved] U -> V }", "latent U, W, V ; U -> V"),
        ("strict DAG g { X Y ; Z \n Q }", "X, Y, Z, Q"),
        ('dag { "X" + "1" -> Y /* no */ // no\n # no\n}', "X1, Y ; X1 -> Y"),
    ],
)  # fmt: skip
def test_dagitty_is_read(text: str, expected: str) -> None:
    assert model(text, "dagitty") == read_model(expected)


def test_dagitty_roles_become_notes() -> None:
    found = import_graph(
        'dag { bb="-4,-3,1,1"\nE [exposure,pos="-2,-1"]\nD [outcome]\nA [adjusted]\nS [selected]\n'
        'E -> D [beta=".5"]\nA -> D -> S }',
        "dagitty",
    )
    assert found.program_text == (
        "# imported from dagitty\n"
        "# exposure: E\n"
        "# outcome: D\n"
        "# adjusted: A\n"
        "# selected: S\n"
        "# the effect to ask for: P(D | do(E))\n"
        "# the data were selected by S: condition on it in the queries\n"
        "# left out, since a model does not hold them: beta\n"
        "model Imported {\n  E, D, A, S\n  {E, A} -> D\n  D -> S\n}\n"
    )
    assert f"# {found.notes[0]}\n" in found.program_text


def test_dagitty_hyphen_is_not_cut() -> None:
    assert told("dag {\n  light-on -> bark\n}", "dagitty") == (
        "error[S020]: this is not a dagitty graph: unexpected '-'\n"
        " --> <text>:2:8\n"
        "  |\n"
        "2 |   light-on -> bark\n"
        "  |        ^ not part of the format here\n"
        "  = help: a name that holds a hyphen or a blank stands in double quotes"
    )


def test_dagitty_quoted_names_are_changed_visibly() -> None:
    found = import_graph('dag { "light-on" -> "2nd dose" -> from -> light_on }', "dagitty")
    assert found.program_text == (
        "# imported from dagitty\n"
        "# 'light-on' is written light_on_2: a name is a letter, then letters, digits and '_'\n"
        "# '2nd dose' is written V2nd_dose: a name is a letter, then letters, digits and '_'\n"
        "# 'from' is written from_: it is a keyword of the language\n"
        "model Imported {\n"
        "  light_on_2, V2nd_dose, from_, light_on\n"
        "  light_on_2 -> V2nd_dose\n"
        "  V2nd_dose -> from_\n"
        "  from_ -> light_on\n"
        "}\n"
    )


@pytest.mark.parametrize("kind", ["pdag", "mag", "PAG"])
def test_dagitty_classes_of_graphs_are_refused(kind: str) -> None:
    assert told(f"{kind} {{ X -> Y }}", "dagitty").startswith(f"error[S021]: a {kind.lower()} is not a causal graph: a")


def test_dagitty_undirected_edge() -> None:
    assert told("dag { X -> Y\n Y -- Z }", "dagitty") == (
        "error[S021]: the edge Y -- Z does not say which is the cause\n"
        " --> <text>:2:4\n"
        "  |\n"
        "2 |  Y -- Z }\n"
        "  |    ^^ neither an arrow nor a hidden cause\n"
        "  = help: write '->', '<-', or '<->' for a hidden common cause"
    )


@pytest.mark.parametrize("arrow", ["@->", "<-@", "@-@", "@--", "--@"])
def test_dagitty_partial_edges_are_refused(arrow: str) -> None:
    assert told(f"dag {{ X {arrow} Y }}", "dagitty").startswith(f"error[S021]: the edge X {arrow} Y does not say")


def test_cycle_is_pointed_at() -> None:
    assert told("dag {\n  X -> Y -> Z\n  Z -> X\n}", "dagitty") == (
        "error[S204]: the causes form a cycle: X -> Y -> Z -> X\n"
        " --> <text>:3:3\n"
        "  |\n"
        "3 |   Z -> X\n"
        "  |   ^^^^^^ closes the cycle\n"
        "  = help: a variable cannot cause itself"
    )


def test_edge_to_itself() -> None:
    assert told("dag { X <-> X }", "dagitty").splitlines()[0] == "error[S205]: 'X' cannot be its own cause"


def test_missing_brace() -> None:
    assert told("dag { X -> Y", "dagitty").splitlines()[0] == (
        "error[S020]: this is not a dagitty graph: unexpected end of the text"
    )


# ---------------------------------------------------------------------------------------------------------------------
# DOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digraph { X -> Y; }", "X, Y ; X -> Y"),
        ("strict digraph G { rankdir=LR; node [shape=box]; X -> Y -> Z [color=red] }", "X, Y, Z ; X -> Y ; Y -> Z"),
        ("DIGRAPH { X -> Y [dir=both style=dashed] ; Y -> Z [dir=back] }", "X, Y, Z ; Z -> Y ; X <-> Y"),
        ("digraph { U [style=\"filled,dashed\"]; U -> {X Y} }", "latent U ; X, Y ; U -> {X, Y}"),
        ('digraph { U [observed="no"]; V [observed=yes]; U -> V }', "latent U ; V ; U -> V"),
        ("digraph { node [latent=true]; U; node [latent=false]; X; U -> X }", "latent U ; X ; U -> X"),
        ("digraph { X; node [style=dashed]; X -> Y }", "X ; latent Y ; X -> Y"),
        ("digraph { subgraph cluster_a { edge [dir=both]; X -> Y } Y -> Z }", "X, Y, Z ; Y -> Z ; X <-> Y"),
        ("digraph { subgraph { X Y } -> Z:port:n }", "X, Y, Z ; {X, Y} -> Z"),
        ("digraph { X [label=<<b>x</b>>]; /* c */ X -> Y // d\n# e\n}", "X, Y ; X -> Y"),
    ],
)  # fmt: skip
def test_dot_is_read(text: str, expected: str) -> None:
    assert model(text, "dot") == read_model(expected)


def test_dot_labels_are_kept_as_notes() -> None:
    found = import_graph('digraph Asia { U [label="Unobserved \\"U\\"", observed="no"]; U -> X [weight=2, foo=1] }')
    assert found.notes == ("U is labelled 'Unobserved \"U\"'", "left out, since a model does not hold them: foo")
    assert found.model.name == "Asia"


def test_dot_undirected_is_refused() -> None:
    assert told("graph { A -- B }") == (
        "error[S021]: an undirected graph does not say what causes what\n"
        " --> <text>:1:1\n"
        "  |\n"
        "1 | graph { A -- B }\n"
        "  | ^^^^^ undirected\n"
        "  = help: a causal graph is a digraph { A -> B }"
    )


def test_dot_two_way_arrow_is_explained() -> None:
    assert told("digraph { A <-> B }", "dot").endswith(
        "= help: in DOT an edge points to the right, A -> B; a bidirected one is A -> B [dir=both]"
    )


def test_dot_hyphen_before_a_number_is_not_two_nodes() -> None:
    assert told("digraph { A -> light-5 }").startswith("error[S020]: this is not a DOT graph: unexpected '-'")


def test_two_arrows_between_two_are_a_cycle_with_a_hint() -> None:
    assert told("digraph { A -> B; B -> A }").endswith("= help: a cause that both share is a bidirected edge")


def test_groups_nest_within_limits() -> None:
    deep = "digraph { " + "{" * 99 + "A" + "}" * 99 + " -> B }"
    assert model(deep) == read_model("A, B ; A -> B")
    assert told("digraph { " + "{" * 3000 + "}" * 3000 + " }").startswith("error[S005]")


def test_groups_draw_edges_within_limits() -> None:
    group = " ".join(f"A{number}" for number in range(600))
    assert told(f"dag {{ {{{group}}} -> {{{group.replace('A', 'B')}}} }}").startswith(
        "error[S004]: a graph has at most"
    )


@settings(max_examples=40)
@given(seeds)
def test_dot_of_graphviz_is_read(seed: int) -> None:
    """What pygraphviz writes of a random graph is read as that graph, and it reads what we write."""
    parents, latent = random_dag(np.random.default_rng(seed), 6)
    drawing = pygraphviz.AGraph(directed=True, name="G")
    for name in parents:
        drawing.add_node(name, style="dashed" if name in latent else "filled")
    drawing.add_edges_from((parent, name) for name in parents for parent in parents[name])
    found = model(drawing.to_string(), "dot")
    assert arrows_of(found) == {(parent, name) for name in parents for parent in parents[name]}
    assert set(found.latent) == latent
    back: Any = pygraphviz.AGraph(string=export_graph(found, "dot"))
    assert {tuple(map(str, edge)) for edge in back.edges()} == arrows_of(found)
    assert {str(node) for node in back.nodes() if node.attr["observed"] == "no"} == latent


# ---------------------------------------------------------------------------------------------------------------------
# lavaan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ x", "y, x ; x -> y"),
        ("y ~ x + z\nx ~~ z", "y, x, z ; {x, z} -> y ; x <-> z"),
        ("y1 + y2 ~ x ; y1 ~~ y1", "y1, y2, x ; x -> {y1, y2}"),
        ("f =~ a + b\nf ~ x", "latent f ; a, b, x ; f -> {a, b} ; x -> f"),
        ("# a model\ny ~ b1*x +\n  start(0.5)*z   ! more\n\n  + w\nb := b1^2\nb1 > 0", "y, x, z, w ; {x, z, w} -> y"),
        ("y ~ 0*x + NA*z + c(a, NA, 0.3)*w", "y, x, z, w ; {z, w} -> y"),
        ("x ~~ 0*y", "x, y"),
        ("y ~ 1 + x\nu | t1 + t2\nu ~*~ u", "y, x, u ; x -> y"),
        ('y ~ equal("f =~ a")*x + prior("normal(0,1)")*z', "y, x, z ; {x, z} -> y"),
    ],
)
def test_lavaan_is_read(text: str, expected: str) -> None:
    assert model(text, "lavaan") == read_model(expected)


def test_lavaan_silent_covariances_are_told() -> None:
    notes = import_graph("y ~ x + z\nw ~ x", "lavaan").notes
    assert notes == (
        "lavaan lets x and z covary; here they are independent unless an arrow or <-> joins them",
        "lavaan lets y and w covary beyond their causes; here they do not unless <-> joins them",
    )
    assert import_graph("y ~ x + z ; x ~~ 0*z ; w ~ x ; y ~~ w", "lavaan").notes == (
        "left out, since a model does not hold them: coefficients and labels",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y ~ x:z", "an interaction cannot stand for a variable here"),
        ("y ~ log(x)", "a function cannot stand for a variable here"),
        ("f <~ a + b", "f is a composite, defined by its indicators"),
        ("group: 1\ny ~ x", "a model with groups or levels is several models"),
    ],
)
def test_lavaan_beyond_arrows_is_refused(text: str, said: str) -> None:
    assert told(text, "lavaan").splitlines()[0] == f"error[S021]: {said}"


def test_lavaan_hyphen_is_no_name() -> None:
    assert told("y ~ light-on", "lavaan").endswith("= help: a name with a hyphen is no name in R")


def test_lavaan_arrow_is_another_format() -> None:
    assert told("y <- x", "lavaan").startswith("error[S020]: this is not a lavaan model: unexpected")


# ---------------------------------------------------------------------------------------------------------------------
# GML

DOWHY = """graph[directed 1node[ id "X" label "X"]node[ id "Y" label "light on"]
node[ id "U" label "Unobserved Confounders" observed "no"]
edge[source "X" target "Y"]edge[source "U" target "X"]edge[source "U" target "Y"]]"""


def test_gml_of_dowhy_is_read() -> None:
    expected = "X, light_on ; latent U ; U -> X ; {X, U} -> light_on".replace("U", "Unobserved_Confounders")
    assert model(DOWHY) == read_model(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("graph [ node [ id 0 ] ]", "error[S021]: an undirected graph does not say what causes what"),
        ("graph [ directed 1 node [ label 0 ] ]", "error[S020]: a node without an id"),
        ("graph [ directed 1 node [ id 0 ] node [ id 0 ] ]", "error[S101]: the node 0 is given twice"),
        ("graph [ directed 1 node [ id 0 ] edge [ source 0 ] ]", "error[S020]: an edge without a target"),
        ("graph [ directed 1 node [ id 0 ] edge [ source 0 target 1 ] ]", "error[S104]: no node has the id 1"),
        ("node [ id 0 ]", "error[S020]: expected one graph [ .. ], found 0"),
    ],
)
def test_gml_that_is_no_causal_graph(text: str, said: str) -> None:
    assert told(text, "gml").splitlines()[0] == said


@settings(max_examples=60)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1), min_size=1, unique=True
    )
)
def test_any_names_stay_apart(names: list[str]) -> None:
    """Names of any letters, written by networkx, become as many names of the language, edges kept."""
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    nx.add_path(graph, names)
    found = model("\n".join(nx.generate_gml(graph)), "gml")
    order = list(found.by_name)
    assert len(order) == len(names)
    assert arrows_of(found) == set(itertools.pairwise(order))
    back = nx.parse_gml(export_graph(found, "gml"))
    assert set(back.edges) == arrows_of(found)


# ---------------------------------------------------------------------------------------------------------------------
# Every format


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("dag { X -> Y }", "dagitty"),
        ("# a comment\nPDAG { X -- Y }", "dagitty"),
        ("graph { X <-> Y }", "dagitty"),
        ("X -> Y", "dagitty"),
        ("digraph G { X -> Y }", "dot"),
        ("/* by hand */ strict digraph { }", "dot"),
        ("graph { X -- Y }", "dot"),
        ('Creator "networkx"\ngraph [ directed 1 ]', "gml"),
        ("network unknown {\n}", "bif"),
        ("variable A { }", "bif"),
        ("# model\ny ~ x", "lavaan"),
        ("f =~ a + b", "lavaan"),
        ("hello", None),
        ("", None),
    ],
)
def test_format_is_guessed(text: str, format: str | None) -> None:
    assert guess_format(text) == format


def test_format_of_a_file() -> None:
    assert [format_of_file(name) for name in ("a.bif", "B.DOT", "c.gv", "d")] == ["bif", "dot", "dot", None]


def test_unknown_format() -> None:
    assert (
        told("X -> Y", "dagity") == "error[S022]: there is no graph format 'dagity'\n  = help: did you mean 'dagitty'?"
    )
    assert told("hello") == (
        "error[S022]: it is not clear which format this text is in\n"
        " --> <text>\n"
        "  = help: say which it is: dagitty, dot, lavaan, bif, xmlbif, net, xdsl, uai, gml"
    )


@pytest.mark.parametrize("format", FORMATS)
def test_empty_text_is_no_graph(format: str) -> None:
    assert told(" \n", format) == "error[S020]: the text is empty\n --> <text>"


def test_name_of_the_model() -> None:
    assert import_graph("dag { X }").model.name == "Imported"
    assert import_graph('digraph "my graph" { X }').model.name == "my_graph"
    found = import_graph("dag { X }", name="query")
    assert (found.model.name, found.notes) == ("query_", ("the model 'query' is called query_",))


def test_diagnostics_name_the_file() -> None:
    with pytest.raises(SutureError) as caught:
        import_graph(Source("dag {", "g.txt"), "dagitty")
    assert " --> g.txt:1:6\n" in caught.value.render()


ROOMY = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=6)


@st.composite
def mixed_models(draw: st.DrawFn) -> Model:
    """A random model over an acyclic graph with named latent variables and nameless common causes."""
    parents, latent = random_dag(np.random.default_rng(draw(seeds)), draw(st.integers(1, 8)))
    names = list(parents)
    lines = [f"{'latent ' if name in latent else ''}{name}" for name in names]
    lines += [f"{parent} -> {name}" for name in names for parent in parents[name]]
    pairs = {tuple(sorted((a % len(names), b % len(names)))) for a, b in draw(ROOMY)}
    lines += [f"{names[a]} <-> {names[b]}" for a, b in sorted(pairs) if a != b]
    return read_model("\n".join(lines))


@pytest.mark.parametrize("format", GRAPHS)
@settings(max_examples=60)
@given(found=mixed_models())
def test_what_goes_out_comes_back(format: str, found: Model) -> None:
    back = import_graph(export_graph(found, format), format, "Model")
    assert back.model == found
    assert back.notes == ()
    assert guess_format(export_graph(found, format)) == format


@settings(max_examples=60)
@given(mixed_models())
def test_lavaan_comes_back_up_to_order(found: Model) -> None:
    effects = {name for name in found.latent if any(name in found.parents(child) for child in found.by_name)}
    if set(found.latent) != effects:
        with pytest.raises(SutureError, match="S023"):
            export_graph(found, "lavaan")
        return
    back = model(export_graph(found, "lavaan"), "lavaan")
    # A pair has no first and second in lavaan either, but ours keeps the order in which it was written.
    assert arrows_of(back) == arrows_of(found)
    assert (set(back.observed), set(back.latent)) == (set(found.observed), set(found.latent))


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("dag { X -> {A B} ; U [latent] ; U -> X ; A <-> B }", "dagitty"),
        ("y ~ x\nf =~ y + z", "lavaan"),
        (DOWHY, "gml"),
    ],
)
def test_program_text_is_as_the_formatter_writes_it(text: str, format: str) -> None:
    program = import_graph(text, format).program_text
    assert format_source(Source(program)) == program
    assert read_model(program.split("\n", program.count("#"))[-1]) == import_graph(text, format).model


def test_wide_declarations_are_broken() -> None:
    names = [f"Variable{number}" for number in range(60)]
    program = import_graph("dag { {" + " ".join(names) + "} -> Y }").program_text
    assert max(map(len, program.splitlines())) <= 100
    assert read_model(program.split("\n", 1)[1]).parents("Y") == tuple(names)


def test_what_a_format_does_not_hold_is_told() -> None:
    found = read_model("X : {0, 1} ~ Bernoulli(0.5)\nY : real := X + noise\nmutable Y")
    assert left_out(found, "dot") == (
        "dot does not hold values: those of X and Y",
        "dot does not hold mechanisms: those of X and Y",
        "dot does not hold mutable marks: those of Y",
    )
    assert left_out(found, "bif") == ("bif does not hold mutable marks: those of Y",)


@pytest.mark.parametrize(
    ("text", "format", "said"),
    [
        ("graph -> Y", "dagitty", "dagitty has no variable called 'graph': the word is its own"),
        ("TRUE -> Y", "lavaan", "lavaan has no variable called 'TRUE': the word is its own"),
        ("latent U ; X", "lavaan", "lavaan cannot say that U is latent: it has no effect in the model"),
        ("X -> Y", "bif", "BIF cannot say this model: X has no finite set of values"),
        ("X <-> Y", "bif", "BIF cannot say this model: X <-> Y has no values"),
    ],
)
def test_format_that_cannot_say_a_model(text: str, format: str, said: str) -> None:
    with pytest.raises(SutureError) as caught:
        export_graph(read_model(text), format)
    assert caught.value.render().splitlines()[0] == f"error[S023]: {said}"


def test_names_that_are_keywords_elsewhere_are_quoted() -> None:
    found = read_model("node -> edge ; edge -> Straße")
    assert model(export_graph(found, "dot"), "dot") == found
    assert '"node" -> "edge"' in export_graph(found, "dot")
    other = read_model("dag -> Straße")
    assert model(export_graph(other, "dagitty"), "dagitty") == other


Writer = Callable[[int], str]


@pytest.mark.parametrize(
    ("format", "write"),
    [
        ("dagitty", lambda size: "dag {" + " -> ".join(f"V{n}" for n in range(size)) + "}"),
        ("dot", lambda size: "digraph {" + ";".join(f"V{n} -> V{n + 1}" for n in range(size)) + "}"),
        ("lavaan", lambda size: "\n".join(f"V{n} ~ V{n + 1}" for n in range(size))),
    ],
)
def test_large_graphs_are_read(format: str, write: Writer) -> None:
    assert len(model(write(3000), format).variables) >= 3000
