"""What is refused of latent models of several domains, with the whole text; rewrites that are tampered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from strategies_latent import Linear, random_finite, random_linear

import suture
from suture.answers.across_domains import Families
from suture.answers.answer import Status
from suture.dsl.program import Canonicalise
from suture.dsl.source import Source
from suture.engine import read
from suture.identify.certify import CertificationError
from suture.identify.derivation import Rewrite, Shared
from suture.identify.latent.canonical_check import check_change
from suture.identify.latent.canonical_form import CanonicalForm, canonical_form
from suture.identify.latent.canonical_replay import replay_rewrites

LENS = (Path(__file__).parents[2] / "examples" / "canonical.suture").read_text(encoding="utf-8")
MODEL = LENS.split("canonicalise")[0]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        pytest.param(
            "model M { latent Z : real ; X : real := Z ; Z -> X }\ndomain d of M {}\ncounterfactual X = "
            "1 in M from d to d",
            "S460: the mechanism of Z is not given in domain d |  | write Z := and an equation; "
            "without numbers, 'canonicalise' tells what the diagram says",
            id="missing mechanism",
        ),
        pytest.param(
            "model M { latent Z : real := noise ; X : {0, 1} := if Z > 0 then 1 else 0 }\ndomain d of M "
            "{}\ncounterfactual X = 1 in M from d to d",
            "S460: X has finitely many values and Z is real |  | a domain counterfactual needs all of one kind",
            id="two kinds",
        ),
        pytest.param(
            "model M { X -> Y }\ndomain d of M {}\ncounterfactual X = 1, Y = 1 in M from d to d",
            "S460: the values of X are not given in model M |  | declare them: X : real, or X : {0, 1}",
            id="no values",
        ),
        pytest.param(
            "model M { X : {0, 1} ~ Bernoulli(0.5) ; Y : {0, 1} ~ table (X) { 0 => 0.5, 0.5 ; 1 => "
            "0.1, 0.9 } }\ndomain d of M {}\ncounterfactual X = 1, Y = 1 in M from d to d",
            "S460: the mechanism of Y is random in domain d, and names no noise that could be "
            "recovered |  | write latent E ~ .. for its noise, and Y := an equation of E",
            id="random without noise",
        ),
        pytest.param(
            "model M { latent E ~ Bernoulli(0.5) ; X : {0, 1} := E }\ndomain d of M {}\ndomain e of M { "
            "E ~ Bernoulli(0.1) }\ncounterfactual X = 1 in M from d to e",
            "S460: E is noise, and has another distribution in another domain; a counterfactual keeps "
            "the noise |  | write what differs as an equation of E",
            id="other noise",
        ),
        pytest.param(
            "model M { X : real ~ Normal(0, 1) }\ndomain d of M {}\ndomain e of M { X ~ Laplace(0, 1) "
            "}\ncounterfactual X = 1 in M from d to e",
            "S460: the noise of X has another distribution in another domain, and a counterfactual "
            "keeps noise |  | use one family in all domains",
            id="other family",
        ),
        pytest.param(
            "model M { latent A, B : real := noise ; X : real := A + B }\ndomain d of M "
            "{}\ncounterfactual X = 1 in M from d to d",
            "S461: model M has 2 noises for 1 observed variable, so that noise cannot be recovered | "
            "not invertible | noise: A, B; observed: X; there must be as many of each",
            id="too few",
        ),
        pytest.param(
            "model M { latent A, B : real := noise ; X : real := A + B ; Y : real := 2 * A + 2 * B "
            "}\ndomain d of M {}\ncounterfactual X = 1, Y = 2 in M from d to d",
            "S461: the observed variables do not tell the latents apart: they are the same along B 1, "
            "A -1 | not invertible | let them see as many directions as latents",
            id="blind",
        ),
        pytest.param(
            "model M { X : real := noise }\ndomain d of M {}\ndomain e of M { X := 0 * noise + 1 "
            "}\ncounterfactual X = 1 in M from d to e",
            "S461: in domain e the noise of X has the factor zero, so it cannot be recovered | not invertible | None",
            id="zero noise",
        ),
        pytest.param(
            "model M { X : real := noise }\ndomain d of M {}\ndomain e of M { X := 3 }\ncounterfactual X "
            "= 1 in M from d to e",
            "S460: X has noise in some domains and none in e, so its noise cannot be recovered there | "
            " | give it noise in every domain, or in none",
            id="quiet",
        ),
        pytest.param(
            "model M { latent E, F ~ Bernoulli(0.5) ; latent A : {0, 1} := E ; latent B : {0, 1} := A "
            "and F ; X : {0, 1} := A ; Y : {0, 1} := B }\ndomain d of M {}\ncounterfactual X = 1, Y = 1 "
            "in M from d to d",
            "S461: the mechanism of B in domain d is not invertible when A = 0 | F = 0 and F = 1 both "
            "give 0 | for each value of the rest, B must take each of its values once",
            id="and",
        ),
        pytest.param(
            "model M { latent E, F ~ Bernoulli(0.5) ; latent A : {0, 1} := E ; latent B : {0, 1} := F "
            "; X : 0..3 := A + B }\ndomain d of M {}\ncounterfactual X = 1 in M from d to d",
            "S461: the observed variables do not tell the latents apart | (A = 0, B = 1) and (A = 1, B "
            "= 0) both give X = 1 | each state of the latents must give another observation",
            id="finite lens",
        ),
        pytest.param(
            "model M { X : real := noise * (noise - 1) }\ndomain d of M {}\ncounterfactual X = 1 in M from d to d",
            "S461: the mechanism of X in domain d is not invertible | it turns, or stays, between "
            "noise 0.5 and 0.625 | X must rise all along with its noise, or fall all along, whatever "
            "else it reads",
            id="turns",
        ),
        pytest.param(
            "model M { X : real := noise ; Y : real := X * noise }\ndomain d of M {}\ncounterfactual X = "
            "1, Y = 1 in M from d to d",
            "S461: the mechanism of Y in domain d is not invertible everywhere | rises with noise when "
            "X = 0.00123, falls when X = -0.2741 | what multiplies noise must not change its sign, "
            "since it is zero in between",
            id="sign",
        ),
        pytest.param(
            "model M { latent E ~ Bernoulli(0.5) ; X : 0..2 := E }\ndomain d of M {}\ncounterfactual X = "
            "2 in M from d to d",
            "S464: X = 2 is never observed in domain d | impossible | a sample must be what some noise gives there",
            id="never seen",
        ),
        pytest.param(
            "model M { X : real := exp(noise) }\ndomain d of M {}\ndomain e of M { X := 2 * exp(noise) "
            "}\ncounterfactual X = -1 in M from d to e",
            "S464: X = -1 is never observed in domain d | impossible | a sample must be what some noise gives there",
            id="out of range",
        ),
        pytest.param(
            "model M { X : real := exp(noise) }\ndomain d of M {}\ndomain e of M { X := noise "
            "}\ncanonicalise M over {d, e}",
            "S465: in e, X takes values that its mechanism in d cannot give |  | name first a domain "
            "whose mechanism reaches every value",
            id="reach",
        ),
        pytest.param(
            "model M { X : real := noise + noise^3 }\ndomain d of M {}\ndomain e of M { X := noise "
            "}\ncanonicalise M over {d, e}",
            "S465: the mechanism of X in d has no inverse that the language can write |  | name first "
            "a domain whose mechanism of X is made of exp, log, tanh, odd powers and the like",
            id="no inverse",
        ),
        pytest.param(
            "model M { X : real := a * noise }\ndomain d of M {}\ncounterfactual X = 1 in M from d to d",
            "S460: the mechanism of X has the parameter a, and this needs numbers |  | give it a value",
            id="parameter",
        ),
        pytest.param(
            "model M { X : real := a * noise^3 }\ndomain d of M {}\ncounterfactual X = 1 in M from d to d",
            "S460: the parameter a has no value, and this needs numbers |  | give it a value",
            id="parameter smooth",
        ),
        pytest.param(
            "model M { X : real[3] := noise }\ndomain d of M {}\ncounterfactual X = 1 in M from d to d",
            "S460: X is a vector, and domain counterfactuals read single numbers |  | declare a "
            "variable for each component",
            id="vector",
        ),
        pytest.param(
            "model M { latent Z ; X ; Y ; Z -> X ; X <-> Y }\ndomain d of M { Z ~ any }\ncanonicalise M over {d}",
            "S460: X<->Y is a hidden common cause, so that the noises of its ends are not independent "
            "|  | declare it as a latent variable that both read",
            id="hidden",
        ),
        pytest.param(
            "model M { latent Z ; X ; Z -> X }\ndomain d of M { X ~ any }\ncanonicalise M over {d}",
            "S460: X is what is seen, and domains must share what they see through |  | change latents only",
            id="seen changes",
        ),
    ],
)
def test_what_is_refused_says_why(program: str, message: str) -> None:
    *_, answer = suture.run(program)
    assert answer.error is not None
    assert f"{answer.error.code}: {answer.error.message} | {answer.error.label} | {answer.error.help}" == message


# ---------------------------------------------------------------------------------------------------------------------
# Tampering


def form_of(program: str, model: str, domains: tuple[str, ...]) -> CanonicalForm:
    family: Any = Families(read(Source(program))).family(model, domains)
    return canonical_form(family)


def lens_form() -> CanonicalForm:
    program = read(Source(LENS))
    statement = next(s for s in program.statements if isinstance(s, Canonicalise))
    return form_of(LENS, statement.model, statement.domains)


def faults(rewrites: list[Rewrite]) -> tuple[str, ...]:
    return replay_rewrites(rewrites, ("d0", "d1", "d2"), ("Z2", "Z3"))


def test_the_rewrites_of_the_lens_replay() -> None:
    rewrites = list(lens_form().derivation.rewrites)
    assert [rewrite.rule.name for rewrite in rewrites] == ["absorb", "absorb", "swap", "swap", "normalise"]
    assert faults(rewrites) == ()


OTHER = (Shared(("Z1",), ("d0", "d1", "d2")),)
FEWER = (Shared(("Z2",), ("d0",)),)
Tamper = Callable[[list[Rewrite]], list[Rewrite]]
TAMPERINGS: list[tuple[Tamper, str]] = [
    (lambda r: [r[0], *r[2:]], "step 2 (swap): it does not start where the step before ended"),
    (lambda r: [replace(r[0], because=OTHER)], "step 1 (absorb): the mechanism of Z1 differs between domains"),
    (lambda r: [replace(r[0], because=FEWER)], "step 1 (absorb): it does not say which mechanism is shared"),
    (lambda r: [replace(r[0], after=r[1].after)], "step 1 (absorb): the right side is not what absorbing gives"),
    (lambda r: [replace(r[2], after=r[3].after)], "step 1 (swap): other boxes have moved"),
    (lambda r: [replace(r[4], before=r[0].before)], "step 1 (normalise): X1 reads what could not reach it"),
    (lambda r: [replace(r[0], rule=replace(r[0].rule, name="wish"))], "step 1 (wish): the rule is not known"),
]


@pytest.mark.parametrize(("tamper", "message"), TAMPERINGS)
def test_rewrites_tampered_with_are_refused(tamper: Tamper, message: str) -> None:
    assert faults(tamper(list(lens_form().derivation.rewrites))) == (message,)


@pytest.mark.parametrize("seed", range(6))
def test_changes_of_coordinates_tampered_with_are_refused(seed: int) -> None:
    """A number changed in the model after a move breaks g' h1 = g."""
    generator = np.random.default_rng(seed)
    model = random_linear(generator) if seed % 2 == 0 else random_finite(generator)
    count = len(model.weights) if isinstance(model, Linear) else len(model.tables)
    form = form_of(model.program(), "M", tuple(f"d{place}" for place in range(count)))
    stage = form.stages[-1]
    before = form.stages[-2].model if len(form.stages) > 1 else form.start
    assert check_change(before, stage.model, stage.change, True) == 0.0
    observation = stage.model.observation.copy()
    if isinstance(model, Linear):
        observation[0, 0] += 1
    else:
        observation[[0, 1]] = observation[[1, 0]]
    with pytest.raises(CertificationError, match="g' h1 is not g"):
        check_change(before, replace(stage.model, observation=observation), stage.change, True)


def test_moves_know_what_they_are_about() -> None:
    moved = [stage.moved.about for stage in lens_form().stages]
    assert moved == [("Z2",), ("Z3",), ("Z1", "Z2"), ("Z1", "Z3"), ()]


# ---------------------------------------------------------------------------------------------------------------------
# Not to be told from distributions


def asked(query: str, program: str = MODEL) -> suture.Answer:
    *_, answer = suture.run(f"{program}\n{query}")
    return answer


def test_a_unit_elsewhere_is_not_told_by_the_distributions() -> None:
    answer = asked(
        "identify P(X1[. ~ d1] | domain = d0, X1 = 1, X2 = 2, X3 = 3) in Lens "
        "from P(X1, X2, X3) in d0, P(X1, X2, X3) in d1"
    )
    assert answer.status is Status.NOT_IDENTIFIED
    witness = answer.to_dict()["witness"]
    assert witness["sample"] == {"X1": "1", "X2": "2", "X3": "3"}
    assert witness["images"]["Lens"] == {"X1": "-2", "X2": "-1", "X3": "2"}
    twin = MODEL.replace("Lens", "Twin").replace("1/2 * noise", "-1/2 * noise")
    moved = asked("counterfactual X1 = 1, X2 = 2, X3 = 3 in Twin from d0 to d1", twin).to_dict()["exact"]
    assert dict(zip(moved["variables"], moved["rows"][0], strict=True)) == witness["images"]["the other model"]
    found = asked("equivalent Lens, Twin over {d0, d1, d2}", f"{MODEL}\n{twin}")
    assert found.to_dict()["value"] == {"counterfactual": False, "distribution": True}


@pytest.mark.parametrize("seed", range(5))
def test_queries_and_statements_agree(seed: int) -> None:
    """`E(X[. ~ d1] | sample)` by the Gaussian semantics against `counterfactual`, exactly."""
    model = random_linear(np.random.default_rng(seed), most=3)
    sample = ", ".join(f"X{place} = {place + 1}" for place in range(model.size))
    program = model.program()
    statement = asked(f"counterfactual {sample} in M from d0 to d1", program).to_dict()["exact"]["rows"][0]
    for place in range(model.size):
        answer = asked(f"compute E(X{place}[. ~ d1] | domain = d0, {sample}) in M", program)
        assert answer.exact == statement[place]


@pytest.mark.parametrize("seed", [*range(4), pytest.param(4, marks=pytest.mark.slow)])
def test_queries_and_statements_agree_on_finite_models(seed: int) -> None:
    model = random_finite(np.random.default_rng(seed))
    program = model.program()
    for x in range(len(model.lens)):
        (image,) = asked(f"counterfactual X = {x} in M from d0 to d1", program).to_dict()["value"]["rows"][0]
        assert asked(f"compute P(X[. ~ d1] = {image} | domain = d0, X = {x}) in M", program).value == 1


# ---------------------------------------------------------------------------------------------------------------------
# Diagrams without numbers, and what readers see


SYMBOLIC = """
model M {
  latent A, B, C
  X ; Y ; Z
  A -> B -> C ; A -> C
  {A, B, C} -> X
  C -> Y
  B -> Z
}
domain d of M {}
domain e of M { B ~ any }
canonicalise M over {d, e}"""


def test_a_diagram_tells_which_moves_are_legal() -> None:
    value = asked("", SYMBOLIC).to_dict()["value"]
    assert value["program"] is None
    assert (value["intervened"], value["last"], value["absorbable"]) == (["B"], ["U_B"], ["A", "C"])
    assert value["parents"] == {"absorbed": {"B": ["A"]}, "normalised": {"U_B": ["U_A"]}}
    assert value["minimal_k"] is None


@pytest.mark.parametrize("seed", range(20))
def test_parents_after_absorbing_are_reached_by_free_paths(seed: int) -> None:
    """pa'(j): the nodes with a directed path to j whose interior avoids the intervened ones (by networkx)."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 7))
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from((i, j) for j in range(size) for i in range(j) if generator.random() < 0.5)
    fixed = [j for j in range(size) if generator.random() < 0.5] or [size - 1]
    edges = "\n".join(f"  L{i} -> L{j}" for i, j in graph.edges)
    seen = "\n".join(f"  X{j} ; L{j} -> X{j}" for j in range(size))
    latents = f"  latent {', '.join(f'L{j}' for j in range(size))}"
    changes = " ; ".join(f"L{j} ~ any" for j in fixed)
    domains = f"domain d of M {{}}\ndomain e of M {{ {changes} }}"
    program = f"model M {{\n{latents}\n{seen}\n{edges}\n}}\n{domains}"
    value = asked("canonicalise M over {d, e}", program).to_dict()["value"]
    for j in fixed:
        kept: Any = graph.subgraph([j, *(k for k in range(size) if k not in fixed)])
        reach = {k for k in kept if k != j and nx.has_path(kept, k, j)}
        direct = {i for i in fixed if i != j and any(k == j or k in reach for k in graph.successors(i))}
        assert value["parents"]["absorbed"][f"L{j}"] == [f"L{k}" for k in sorted(reach | direct)]


def test_notebooks_show_program_and_picture() -> None:
    answer = next(each for each in suture.run(LENS) if each.statement == "canonicalise")
    shown = answer._repr_html_()
    assert "model Last {" in shown
    assert "<svg" in shown
    assert "because the mechanism of {Z2} is the same in d0, d1, d2" in shown
    picture = answer._repr_svg_()
    assert picture is not None
    assert "normalise" in picture
