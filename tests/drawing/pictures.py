"""Diagrams to draw: the known graphs of the field, and random ones."""

from __future__ import annotations

import random
from collections.abc import Mapping

from suture.dsl.diagram import Box, Diagram, Kind, Wire, cut, model_diagram, open_wires, twin

FRONT_DOOR = model_diagram({"H": (), "S": ("H",), "T": ("S",), "C": ("T", "H")}, latent={"H"})
SMOKING = model_diagram({"Gene": (), "Smoke": ("Gene",), "Tar": ("Smoke",), "Cancer": ("Tar", "Gene")}, latent={"Gene"})
BOW = model_diagram({"X<->Y": (), "X": ("X<->Y",), "Y": ("X", "X<->Y")}, latent={"X<->Y"})
NAPKIN = model_diagram(
    {
        "W1<->X": (),
        "W1<->Y": (),
        "W1": ("W1<->X", "W1<->Y"),
        "W2": ("W1",),
        "X": ("W2", "W1<->X"),
        "Y": ("X", "W1<->Y"),
    },
    latent={"W1<->X", "W1<->Y"},
)
M_GRAPH = model_diagram(
    {"X<->Z": (), "Y<->Z": (), "X": ("X<->Z",), "Z": ("X<->Z", "Y<->Z"), "Y": ("X", "Y<->Z")},
    latent={"X<->Z", "Y<->Z"},
)
LONG_NAMES = model_diagram(
    {
        "SocioeconomicBackground": (),
        "Length_of_stay_in_hospital": ("SocioeconomicBackground",),
        "ReadmissionWithinThirtyDays": ("Length_of_stay_in_hospital", "SocioeconomicBackground"),
        "Größe": ("SocioeconomicBackground",),
        "α": ("Größe",),
    },
    latent={"SocioeconomicBackground"},
)
COMB = Diagram(
    (Wire("S", "S"), Wire("T", "T"), Wire("C", "C"), Wire("S'", "S"), Wire("M", "M")),
    (
        Box("S", (), (0,), Kind.UNIFORM),
        Box("g", (0,), (1,)),
        Box("f1", (), (3, 4), Kind.TOOTH),
        Box("f2", (1, 4), (2,), Kind.TOOTH),
    ),
    (),
    (0, 1, 2),
)
KNOWN: Mapping[str, Diagram] = {
    "front door": FRONT_DOOR,
    "smoking": SMOKING,
    "bow": BOW,
    "napkin": NAPKIN,
    "M": M_GRAPH,
    "long names": LONG_NAMES,
    "comb": COMB,
    "twin": twin(BOW, {"X": "1"}),
    "open": open_wires(NAPKIN, ["X"]),
    "discarded": cut(NAPKIN, {"X": "1", "Y": None}),
    "nothing": Diagram(),
    "wire": Diagram((Wire("A", "A"),), (), (0,), (0,)),
    "thrice": Diagram((Wire("A", "A"),), (), (0,), (0, 0, 0)),
    "swallowed": Diagram((Wire("A", "A"), Wire("B", "B")), (), (0, 1), (1,)),
}


def random_model(size: int, seed: int, degree: float = 1.8) -> Diagram:
    """A random model of `size` observed variables and a fifth as many latent common causes."""
    generator = random.Random(seed)
    names = [f"V{number}" for number in range(size)]
    parents: dict[str, list[str]] = {f"U{number}": [] for number in range(size // 5)}
    latent = set(parents)
    for place, name in enumerate(names):
        chance = min(1.0, 2 * degree / max(1, size - 1))
        parents[name] = [names[other] for other in range(place) if generator.random() < chance]
    for cause in sorted(latent):
        for child in generator.sample(names, min(2, size)):
            parents[child].append(cause)
    return model_diagram(parents, latent)


def random_cut(diagram: Diagram, seed: int) -> dict[str, str | None]:
    """Values for up to three of a model's observed variables."""
    generator = random.Random(seed)
    observed = [wire.name for wire in diagram.wires if not wire.latent]
    chosen = generator.sample(observed, min(len(observed), generator.randint(1, 3)))
    return {name: generator.choice(["1", "yes", "a longer value", None]) for name in chosen}
