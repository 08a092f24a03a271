"""Classes of subsets and the condition on the graph, against d-separation by definition on every subset."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from strategies import random_dag

from suture.dsl.diagram import model_diagram, separated
from suture.identify.predictors.selection_diagram import SelectionDiagram


def random_selection(generator: np.random.Generator) -> tuple[SelectionDiagram, dict[str, tuple[str, ...]], set[str]]:
    while True:
        parents, latent = random_dag(generator, int(generator.integers(3, 8)))
        seen = [name for name in parents if name not in latent]
        if len(seen) < 2:
            continue
        outcome = seen[int(generator.integers(len(seen)))]
        features = [name for name in seen if name != outcome and generator.random() < 0.9]
        mutable = [name for name in features if generator.random() < 0.3]
        diagram = SelectionDiagram.of(model_diagram(parents, latent), outcome, features, mutable)
        return diagram, dict(parents), set(latent)


@pytest.mark.parametrize("seed", range(120))
def test_classes_are_the_subsets_with_one_markov_boundary(seed: int) -> None:
    diagram, parents, latent = random_selection(np.random.default_rng(seed))
    cut = model_diagram({name: () if name in diagram.mutable else own for name, own in parents.items()}, latent)

    def boundary(subset: tuple[str, ...]) -> tuple[str, ...]:
        given = (*subset, *diagram.mutable)
        return tuple(x for x in subset if not separated(cut, [diagram.outcome], [x], [z for z in given if z != x]))

    def inputs(subset: tuple[str, ...]) -> tuple[str, ...]:
        given = (*subset, *diagram.mutable)
        free = [x for x in diagram.mutable if separated(cut, [diagram.outcome], [x], [z for z in given if z != x])]
        return tuple(x for x in diagram.mutable if x not in free)

    subsets = [subset for size in range(len(diagram.stable) + 1) for subset in combinations(diagram.stable, size)]
    by_boundary: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for subset in subsets:
        by_boundary.setdefault(boundary(subset), set()).add(subset)
    classes = list(diagram.classes())
    assert {each.boundary for each in classes} == set(by_boundary)
    assert len(classes) == len(by_boundary)
    for each in classes:
        interval = {
            tuple(name for name in diagram.stable if name in (*each.boundary, *extra))
            for size in range(len(each.optional) + 1)
            for extra in combinations(each.optional, size)
        }
        assert interval == by_boundary[each.boundary]
        assert each.members == len(interval)
        assert each.inputs == inputs(each.boundary)
    assert set(classes[0].boundary) == set(boundary(diagram.stable))


# The paper's synthetic system: 256 subsets of eight stable variables, 45 classes; the condition fails through X1.
SYSTEM = {
    "Y": (),
    "X6": (),
    "X8": (),
    "X9": ("Y",),
    "X5": ("X6",),
    "X7": ("X8",),
    "X1": ("Y", "X9", "X6", "X5"),
    "X3": ("X1",),
    "X2": ("X3", "X8"),
    "X10": ("X5", "X3", "X8"),
    "X4": ("X2", "X7", "X8"),
}


def test_the_system_of_the_paper() -> None:
    features = [f"X{number}" for number in range(1, 11)]
    diagram = SelectionDiagram.of(model_diagram(SYSTEM), "Y", features, ["X9", "X10"])
    classes = list(diagram.classes())
    assert len(classes) == 45
    assert sum(each.members for each in classes) == 256
    assert not diagram.condition.holds
    assert diagram.condition.edge == "Y -> X1"


def chain(size: int, place: int) -> SelectionDiagram:
    """A chain of `size` variables and the outcome among them; nothing changes."""
    names = [f"V{number}" for number in range(size)]
    names.insert(place, "Y")
    parents = {name: names[at - 1 : at] if at else [] for at, name in enumerate(names)}
    diagram = model_diagram({name: tuple(own) for name, own in parents.items()})
    return SelectionDiagram.of(diagram, "Y", [name for name in names if name != "Y"], [])


@pytest.mark.parametrize("size", [10, 15, 20])
def test_chains_have_few_classes(size: int) -> None:
    """At the end of a chain the nearest feature counts; in the middle one on each side, or none."""
    assert len(list(chain(size, size).classes())) == size + 1
    half = size // 2
    assert len(list(chain(size, half).classes())) == (half + 1) * (size - half + 1)


def test_a_star_has_as_many_classes_as_subsets_and_is_read_lazily() -> None:
    names = [f"X{number}" for number in range(40)]
    star = model_diagram({"Y": (), **dict.fromkeys(names, ("Y",))})
    small = SelectionDiagram.of(star, "Y", names[:10], [])
    assert len(list(small.classes())) == 1 << 10
    large = SelectionDiagram.of(star, "Y", names, [])
    assert next(iter(large.classes())).boundary == tuple(names)


@pytest.mark.parametrize(
    ("parents", "latent", "mutable", "edge"),
    [
        ({"Y": (), "M": ("Y",), "X": ("Y", "M")}, [], ["M"], "Y -> X"),
        ({"Y": (), "M": ("Y",), "X": ("M",)}, [], ["M"], None),
        ({"Y": (), "M": ("Y",), "Z": ("Y",), "X": ("M",)}, [], ["M"], None),
        # A latent cause of the mutable variable and of the outcome is as good as the outcome itself.
        ({"U": (), "Y": ("U",), "M": ("U",), "X": ("Y", "M")}, ["U"], ["M"], "Y -> X"),
        ({"U": (), "Y": ("U",), "M": ("U",), "X": ("M",)}, ["U"], ["M"], None),
        ({"U": (), "M": ("U",), "X": ("M",), "Y": ("U", "X")}, ["U"], ["M"], "X -> Y"),
        # A latent cause that the mutable variable shares with something unrelated does no harm.
        ({"U": (), "Z": ("U",), "M": ("U",), "Y": ("M",)}, ["U"], ["M"], None),
        ({"Y": (), "U": (), "M": ("Y",), "X": ("M", "U"), "Z": ("Y", "U")}, ["U"], ["M"], "Z <-> X"),
    ],
)
def test_the_edge_that_breaks_the_condition(
    parents: dict[str, tuple[str, ...]], latent: list[str], mutable: list[str], edge: str | None
) -> None:
    features = [name for name in parents if name != "Y" and name not in latent]
    condition = SelectionDiagram.of(model_diagram(parents, set(latent)), "Y", features, mutable).condition
    assert condition.edge == edge
    assert condition.holds == (edge is None)
