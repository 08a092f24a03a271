"""Graphs of Python packages: those installed themselves, the others by objects with the same attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import networkx as nx
import numpy as np
import pygraphviz
import pytest
from hypothesis import given, settings
from strategies import random_dag, seeds

from suture.dsl.constants import constant
from suture.dsl.diagnostics import SutureError
from suture.dsl.exchange import from_object, to_networkx
from suture.dsl.program import Model, Table
from suture.dsl.resolve import read_model


def model(graph: Any) -> Model:
    """The imported model under the name that `read_model` gives one."""
    return from_object(graph, "Model").model


def told(graph: Any, **options: Any) -> str:
    with pytest.raises(SutureError) as caught:
        from_object(graph, **options)
    assert len(caught.value.diagnostics) == 1
    return caught.value.render()


def row(found: Model, name: str, *cells: str) -> list[Fraction | None]:
    mechanism = found.mechanisms[name]
    assert isinstance(mechanism, Table)
    (weights,) = [row.weights for row in mechanism.rows if row.cells == cells]
    return [constant(weight) for weight in weights]


# ---------------------------------------------------------------------------------------------------------------------
# networkx


def test_networkx_is_read() -> None:
    graph = nx.DiGraph(name="Smoking")
    graph.add_node("U", observed="no")
    graph.add_edges_from([("U", "X"), ("U", "Y"), ("X", "Y")])
    found = from_object(graph)
    assert found.program_text == (
        "# imported from networkx\nmodel Smoking {\n  latent U\n  X, Y\n  U -> X\n  {U, X} -> Y\n}\n"
    )


@pytest.mark.parametrize(
    "attributes", [{"latent": True}, {"hidden": 1}, {"unobserved": "yes"}, {"observed": False}, {"observed": "No"}]
)
def test_networkx_latent_nodes(attributes: dict[str, Any]) -> None:
    graph = nx.DiGraph([("U", "X")])
    graph.nodes["U"].update(attributes)
    assert model(graph) == read_model("latent U ; X ; U -> X")


def test_networkx_latent_by_name() -> None:
    graph = nx.DiGraph([("U", "X")])
    assert from_object(graph, "Model", latent=["U"]).model == read_model("latent U ; X ; U -> X")
    assert told(graph, latent=["W"]) == "error[S104]: unknown variable 'W' in this graph"


def test_networkx_bidirected_edges() -> None:
    graph = nx.MultiDiGraph()
    graph.add_edge("X", "Y")
    graph.add_edge("X", "Y", dir="both")
    assert model(graph) == read_model("X -> Y ; X <-> Y")


def test_networkx_names_of_any_kind() -> None:
    found = from_object(nx.DiGraph([(1, (2, "b")), ("light-on", 1)]))
    assert found.model.observed == ("V1", "V2_b", "light_on")
    assert "# '1' is written V1: a name is a letter, then letters, digits and '_'" in found.program_text
    assert told(nx.DiGraph([(1, "1")])) == "error[S101]: two nodes of the graph are both called '1'"


def test_networkx_graphs_that_are_not_causal() -> None:
    assert told(nx.Graph([("X", "Y")])) == (
        "error[S021]: a graph of type Graph does not say of every edge which end is the cause\n  = help: pass a DiGraph"
    )
    assert told(nx.DiGraph([("X", "Y"), ("Y", "X")])).splitlines()[0] == (
        "error[S204]: the causes form a cycle: X -> Y -> X"
    )
    assert told(nx.DiGraph([("X", "X")])).splitlines()[0] == "error[S205]: 'X' cannot be its own cause"


@pytest.mark.parametrize("thing", [3, None, {"X": ["Y"]}, object(), SimpleNamespace(graph=3)])
def test_what_is_no_graph(thing: Any) -> None:
    assert told(thing) == (
        f"error[S024]: an object of type {type(thing).__name__} is not a graph\n"
        "  = help: pass a networkx DiGraph, or the text of a graph"
    )


def test_text_is_read_as_text() -> None:
    assert model("dag { X -> Y }") == read_model("X -> Y")


@settings(max_examples=60)
@given(seeds)
def test_networkx_out_and_back(seed: int) -> None:
    generator = np.random.default_rng(seed)
    parents, latent = random_dag(generator, int(generator.integers(1, 8)))
    lines = [f"{'latent ' if name in latent else ''}{name}" for name in parents]
    lines += [f"{parent} -> {name}" for name in parents for parent in parents[name]]
    lines += [f"{a} <-> {b}" for a, b in combinations(parents, 2) if generator.random() < 0.3]
    found = read_model("\n".join(lines))
    graph = to_networkx(found)
    assert nx.is_directed_acyclic_graph(graph)
    assert {node for node, hidden in graph.nodes(data="latent") if hidden} == set(found.latent)
    back = model(graph)
    assert back.variables == found.variables
    # networkx lists edges by their tails, so the order among the causes of a variable is not kept.
    assert all(sorted(back.parents(name)) == sorted(found.parents(name)) for name in found.by_name)


def test_a_name_like_a_common_cause_that_is_none() -> None:
    graph = nx.DiGraph([("X<->Y", "X"), ("X<->Y", "Y"), ("X<->Y", "Z")])
    graph.nodes["X<->Y"]["latent"] = True
    assert from_object(graph).model.latent == ("X_Y",)


def test_drawing_of_pygraphviz() -> None:
    drawing = pygraphviz.AGraph(directed=True)
    drawing.add_node("U", style="dashed")
    drawing.add_edges_from([("U", "X"), ("X", "light-on")])
    assert model(drawing) == read_model("latent U ; X, light_on ; U -> X -> light_on")


# ---------------------------------------------------------------------------------------------------------------------
# Objects with the attributes of y0, Ananke, DoWhy, pgmpy, pyAgrum


@dataclass(frozen=True)
class Variable:
    """As a variable of y0: its text is not its name."""

    name: str


def test_mixed_graph_as_of_y0() -> None:
    x, y, z = map(Variable, "XYZ")
    graph = SimpleNamespace(directed=nx.DiGraph([(x, y)]), undirected=nx.Graph([(x, y)]))
    graph.directed.add_node(z)
    assert model(graph) == read_model("X, Y, Z ; X -> Y ; X <-> Y")


def test_mixed_graph_as_of_ananke() -> None:
    graph = SimpleNamespace(
        vertices={"A": object(), "B": object(), "C": object()},
        di_edges={("A", "C"), ("B", "C"), ("A", "B")},
        bi_edges={("B", "C")},
        ud_edges=set(),
    )
    assert model(graph) == read_model("A, B, C ; A -> {B, C} ; B -> C ; B <-> C")
    graph.ud_edges = {("A", "B")}
    assert told(graph) == "error[S021]: the edge between A and B does not say which is the cause"


def test_graph_and_model_as_of_dowhy() -> None:
    graph: Any = nx.DiGraph([("U", "X"), ("U", "Y"), ("X", "Y")])
    for name, seen in {"U": "no", "X": "yes", "Y": "yes"}.items():
        graph.nodes[name]["observed"] = seen
    expected = read_model("latent U ; X, Y ; U -> X ; {U, X} -> Y")
    assert model(SimpleNamespace(_graph=graph)) == expected
    assert model(SimpleNamespace(_graph=SimpleNamespace(_graph=graph))) == expected
    assert model(SimpleNamespace(graph=graph)) == expected
    assert from_object(SimpleNamespace(graph=graph)).program_text.startswith("# imported from DoWhy\n")


@dataclass
class Cpd:
    """As a `TabularCPD` of pgmpy: the child is the first axis."""

    variables: list[str]
    state_names: dict[str, list[Any]]
    values: Any

    def get_values(self) -> Any:
        return np.array(self.values)


class Network(nx.DiGraph):  # type: ignore[type-arg]
    """As a network of pgmpy."""

    latents: set[str] = set()  # noqa: RUF012
    cpds: list[Any] = []  # noqa: RUF012

    def get_cpds(self) -> list[Any]:
        return self.cpds


def network() -> Network:
    graph = Network([("A", "B"), ("C", "B")])
    graph.latents = {"C"}
    names = {"A": ["n", "y"], "B": [0, 1], "C": ["lo", "hi"]}
    graph.cpds = [
        Cpd(["A"], {"A": names["A"]}, [[0.2], [0.8]]),
        Cpd(["B", "A", "C"], names, [[0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6]]),
        Cpd(["C"], {"C": names["C"]}, [[1 / 3], [2 / 3]]),
    ]
    return graph


def test_network_as_of_pgmpy() -> None:
    found = from_object(network())
    assert found.program_text.splitlines()[:4] == [
        "# imported from pgmpy",
        "model Imported {",
        "  A : {n, y} ~ {n: 0.2, y: 0.8}",
        "  B : {0, 1} ~ table (A, C) { n, lo => 0.1, 0.9 ; n, hi => 0.2, 0.8 ; y, lo => 0.3, 0.7 ; y, hi => 0.4, 0.6 }",
    ]
    assert found.model.latent == ("C",)
    assert float(row(found.model, "C")[0] or 0) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0.2], [0.9]], "S202]: the probabilities of a row of A sum to 1.1, not to 1"),
        ([[-0.2], [1.2]], "S207]: a table"),
    ],
)
def test_network_whose_table_is_none(values: Any, said: str) -> None:
    graph = network()
    graph.cpds[0].values = values
    assert told(graph).startswith(f"error[{said}")


def test_network_with_distributions_that_are_no_tables() -> None:
    graph = Network([("A", "B")])
    graph.cpds = [SimpleNamespace(variable="A")]
    assert from_object(graph).notes == ("left out, since a model does not hold them: distributions that are no tables",)


@pytest.mark.parametrize("kind", ["PDAG", "MAG", "CPDAG"])
def test_classes_of_graphs_are_refused(kind: str) -> None:
    graph = type(kind, (nx.DiGraph,), {})([("A", "B")])
    assert told(graph).startswith(f"error[S021]: a graph of type {kind} does not say")


@dataclass
class Tensor:
    """As a tensor of pyAgrum, indexed by the labels of the parents."""

    names: tuple[str, ...]
    rows: dict[tuple[str, ...], list[float]]

    def __getitem__(self, chosen: dict[str, str]) -> Any:
        return np.array(self.rows[tuple(chosen[name] for name in self.names[1:])])

    def tolist(self) -> list[float]:
        return self.rows[()]


@dataclass
class BayesNet:
    """As a network of pyAgrum: nodes are numbers."""

    names: tuple[str, ...] = ("A", "B")
    labels: tuple[tuple[str, ...], ...] = (("n", "y"), ("0", "1", "2"))
    tables: dict[int, Tensor] = field(
        default_factory=lambda: {
            0: Tensor(("A",), {(): [0.25, 0.75]}),
            1: Tensor(("B", "A"), {("n",): [0.1, 0.2, 0.7], ("y",): [1, 0, 0]}),
        }
    )

    def nodes(self) -> set[int]:
        return {1, 0}

    def arcs(self) -> set[tuple[int, int]]:
        return {(0, 1)}

    def variable(self, which: int | str) -> Any:
        number = which if isinstance(which, int) else self.names.index(which)
        return SimpleNamespace(name=lambda: self.names[number], labels=lambda: self.labels[number])

    def cpt(self, number: int) -> Tensor:
        return self.tables[number]


def test_network_as_of_pyagrum() -> None:
    assert from_object(BayesNet()).program_text == (
        "# imported from pyAgrum\n"
        "model Imported {\n"
        "  A : {n, y} ~ {n: 0.25, y: 0.75}\n"
        "  B : {0, 1, 2} ~ table (A) { n => 0.1, 0.2, 0.7 ; y => 1, 0, 0 }\n"
        "}\n"
    )


def test_causal_model_as_of_pyagrum() -> None:
    dag = SimpleNamespace(nodes=lambda: {0, 1, 2}, arcs=lambda: {(2, 0), (2, 1), (0, 1)})
    graph = SimpleNamespace(
        latentVariablesIds=lambda: {2},
        causalDAG=lambda: dag,
        observationalBN=BayesNet,
        nameFromId=lambda number: "ABU"[number],
    )
    found = from_object(graph, "Model")
    assert found.model == read_model("A : {n, y} ; B : {0, 1, 2} ; latent U ; {U} -> A ; {A, U} -> B")
    assert found.notes == ("the tables describe what is observed, not the mechanisms, and are left out",)


# ---------------------------------------------------------------------------------------------------------------------
# The packages themselves, where they are installed


def test_y0_itself() -> None:
    graph, dsl = pytest.importorskip("y0.graph"), pytest.importorskip("y0.dsl")
    mixed = graph.NxMixedGraph.from_edges(directed=[(dsl.X, dsl.Y)], undirected=[(dsl.X, dsl.Z)])
    assert model(mixed) == read_model("X, Y, Z ; X -> Y ; X <-> Z")


def test_ananke_itself() -> None:
    graphs = pytest.importorskip("ananke.graphs")
    assert model(graphs.ADMG(["A", "B", "C"], [("A", "B")], [("B", "C")])) == read_model("A, B, C ; A -> B ; B <-> C")


def test_dowhy_itself() -> None:
    graphs = pytest.importorskip("dowhy.causal_graph")
    text = 'digraph { X -> Y; U [observed="no"]; U -> X; U -> Y }'
    found = model(graphs.CausalGraph("X", "Y", graph=text, observed_node_names=["X", "Y"]))
    assert (set(found.latent), set(found.parents("Y"))) == ({"U"}, {"X", "U"})


def test_pgmpy_itself() -> None:
    models, factors = pytest.importorskip("pgmpy.models"), pytest.importorskip("pgmpy.factors.discrete")
    graph = models.DiscreteBayesianNetwork([("A", "B"), ("C", "B")], latents={"C"})
    names = {"A": ["n", "y"], "B": ["no", "yes"], "C": ["lo", "hi"]}
    table = factors.TabularCPD("B", 2, [[0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6]], ["A", "C"], [2, 2], names)
    graph.add_cpds(table, factors.TabularCPD("A", 2, [[0.2], [0.8]], state_names={"A": names["A"]}))
    found = model(graph)
    assert found.latent == ("C",)
    wanted = table.get_value(B="yes", A="y", C="lo")
    assert float(row(found, "B", "y", "lo")[1] or 0) == pytest.approx(wanted) == pytest.approx(0.7)


def test_pyagrum_itself() -> None:
    gum = pytest.importorskip("pyagrum")
    network = gum.fastBN("A{n|y}->B[3]<-C")
    found = model(network)
    chosen = gum.Instantiation(network.cpt("B"))
    for a, b, c in np.ndindex(2, 3, 2):
        chosen.fromdict({"A": "ny"[a], "B": str(b), "C": str(c)})
        assert float(row(found, "B", "ny"[a], str(c))[b] or 0) == pytest.approx(network.cpt("B").get(chosen))
