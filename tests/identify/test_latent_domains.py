"""Domain counterfactuals, canonical forms and equivalence on the worked examples, exactly, through the language."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from suture import run
from suture.answers.answer import Answer, Status

LENS = (
    (Path(__file__).parents[2] / "examples" / "canonical.suture").read_text(encoding="utf-8").split("canonicalise")[0]
)
SHARED = """
model M {
  latent Z0 : real := noise
  latent Z1 : real := Z0 + noise
  latent Z2 : real := 2 * Z0 + noise
  X0 : real := Z0
  X1 : real := Z1
  X2 : real := Z2
  mutable Z1, Z2
}
domain a of M {}
domain b of M { Z1 := 3 * Z0 + noise ; Z2 := 5 * Z0 + noise }
"""
BITS = """
model Bits {
  latent E0 ~ Bernoulli(0.2)
  latent E1 ~ Bernoulli(0.1)
  latent E2 ~ Bernoulli(0.3)
  latent Z0 : {0, 1} := E0
  latent Z1 : {0, 1} := Z0 xor E1
  latent Z2 : {0, 1} := Z1 xor E2
  X : 0..7 := 4 * Z0 + 2 * Z1 + Z2
}
domain d0 of Bits {}
domain d1 of Bits { Z0 := 1 - E0 }
"""


def one(program: str) -> Answer:
    *_, last = run(program)
    return last


def value(program: str) -> Any:
    answer = one(program)
    assert answer.error is None, answer.error
    return answer.to_dict()["value"]


def exact_row(program: str) -> list[Fraction]:
    answer = one(program)
    assert answer.error is None, answer.error
    return [Fraction(number) for number in answer.to_dict()["exact"]["rows"][0]]


def test_samples_of_the_lens_in_other_domains() -> None:
    sample = f"{LENS}\ncounterfactual X1 = 1, X2 = 2, X3 = 3 in Lens from d0 to"
    assert exact_row(f"{sample} d1") == [-2, -1, 2]
    assert exact_row(f"{sample} d2") == [-3, -2, Fraction(5, 3)]
    assert exact_row(f"{sample} d0") == [1, 2, 3]
    assert value(f"{sample} d2") == {"variables": ["X1", "X2", "X3"], "rows": [[-3.0, -2.0, float(Fraction(5, 3))]]}


def test_columns_of_the_counterfactual_map_of_the_lens() -> None:
    """E1: T from d0 to d1 has the rows (-1/2, 3/2, -3/2), (-3/2, 5/2, -3/2), (-1/2, 1/2, 1/2)."""
    rows = [["-1/2", "3/2", "-3/2"], ["-3/2", "5/2", "-3/2"], ["-1/2", "1/2", "1/2"]]
    for place in range(3):
        unit = ", ".join(f"X{each + 1} = {int(each == place)}" for each in range(3))
        column = exact_row(f"{LENS}\ncounterfactual {unit} in Lens from d0 to d1")
        assert column == [Fraction(row[place]) for row in rows]


def test_composition_through_a_third_domain_and_the_made_model() -> None:
    there = exact_row(f"{LENS}\ncounterfactual X1 = 1, X2 = 2, X3 = 3 in Lens from d0 to d1")
    sample = ", ".join(f"X{place + 1} = {number}" for place, number in enumerate(there))
    onward = f"{LENS}\ncanonicalise Lens over {{d0, d1, d2}} as Last\ncounterfactual {sample} in Last from d1 to d2"
    assert exact_row(onward) == [-3, -2, Fraction(5, 3)]


def test_canonical_form_of_the_lens() -> None:
    made = value(f"{LENS}\ncanonicalise Lens over {{d0, d1, d2}} as Last")
    assert made["intervened"] == ["Z1"]
    assert made["last"] == ["U_Z1"]
    assert made["minimal_k"] == 1
    lines = {line.strip() for line in made["program"].splitlines()}
    assert {
        "X1 : real := U_Z2 + 3 * U_Z1",
        "X2 : real := 2 * U_Z2 + U_Z3 + 3 * U_Z1",
        "X3 : real := U_Z2 + U_Z3 + U_Z1",
        "domain d1 of Last { U_Z1 := 1/2 * noise }",
        "domain d2 of Last { U_Z1 := 1/3 * noise }",
    } <= lines


@pytest.mark.parametrize("program", [LENS, SHARED, BITS])
def test_a_canonical_program_runs_and_is_equivalent(program: str) -> None:
    """The program that is given, pasted behind the one it came from, answers alike and has the same distributions."""
    name = "Lens" if "Lens" in program else "M" if "model M " in program else "Bits"
    over = "a, b" if name == "M" else "d0, d1"
    made = value(f"{program}\ncanonicalise {name} over {{{over}}} as Last")
    both = f"{program}\n{made['program']}\nequivalent {name}, Last over {{{over}}}"
    assert value(both) == {"counterfactual": True, "distribution": True}


def test_two_interventions_that_one_can_do() -> None:
    """E2: I = {1, 2}, T = [[1, 0, 0], [2, 1, 0], [3, 0, 1]], and one intervened latent suffices."""
    columns = [
        exact_row(f"{SHARED}\ncounterfactual X0 = {i}, X1 = {j}, X2 = {k} in M from a to b") for i, j, k in UNITS
    ]
    assert columns == [[1, 2, 3], [0, 1, 0], [0, 0, 1]]
    made = value(f"{SHARED}\ncanonicalise M over {{a, b}} as Last")
    assert made["intervened"] == ["Z1", "Z2"]
    assert made["minimal_k"] == 1
    smallest = made["minimal_program"]
    again = value(f"{smallest}\ncanonicalise LastFewest over {{a, b}}")
    assert len(again["intervened"]) == 1
    both = f"{SHARED}\n{smallest}\nequivalent M, LastFewest over {{a, b}}"
    assert value(both) == {"counterfactual": True, "distribution": True}


UNITS = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def test_bits_flipped() -> None:
    """E3: x becomes 7 - x; canonical order (e1, e2, e0)."""
    for x in range(8):
        made = value(f"{BITS}\ncounterfactual X = {x} in Bits from d0 to d1")
        assert made == {"variables": ["X"], "rows": [[7 - x]]}
    made = value(f"{BITS}\ncanonicalise Bits over {{d0, d1}} as Last")
    assert (made["intervened"], made["last"], made["minimal_k"]) == (["Z0"], ["U_Z0"], 1)
    law = ["0.504", "0.216", "0.024", "0.056", "0.014", "0.006", "0.054", "0.126"]
    for name in ("d0", "d1"):
        table = one(f"{made['program']}\ncompute P(X | domain = {name}) in Last").to_dict()
        if table["error"] is not None:
            pytest.fail(str(table["error"]))
        expected = law if name == "d0" else law[::-1]
        assert [Fraction(row[-1]) for row in table["exact"]["rows"]] == [Fraction(number) for number in expected]
    # g' of the design: the observation at each (e1, e2, e0), read off by fixing noises through their laws.
    table = {"000": 0, "010": 1, "110": 2, "100": 3, "101": 4, "111": 5, "011": 6, "001": 7}
    head = made["program"].split("X :")[0]
    rest = "X :" + made["program"].split("X :", 1)[1]
    for noises, seen in table.items():
        fixed = head
        for bit, variable in zip(noises, ("U_Z1", "U_Z2", "E_U_Z0"), strict=True):
            fair = f"latent {variable} ~ {{0: {1 - int(bit)}, 1: {bit}}}"
            fixed = re.sub(rf"latent {variable} +~ .*", fair, fixed)
        answer = one(f"{fixed}{rest}\ncompute P(X = {seen}) in Last")
        assert answer.value == 1


# ---------------------------------------------------------------------------------------------------------------------
# Negatives


def test_the_sign_of_a_noise_is_not_seen_in_the_law() -> None:
    """f1 = -id has the distribution of f1 = id and other counterfactuals."""
    program = """
model A { latent Z : real := noise ; X : real := Z }
domain d0 of A {}
domain d1 of A {}
model B { latent Z : real := noise ; X : real := Z }
domain d0 of B {}
domain d1 of B { Z := -noise }
equivalent A, B over {d0, d1}"""
    answer = one(program)
    assert answer.status is Status.FAILS
    assert answer.to_dict()["value"] == {"counterfactual": False, "distribution": True}
    witness = answer.to_dict()["witness"]
    assert witness["sample"] == {"X": "1"}
    assert witness["images"] == {"A": {"X": "1"}, "B": {"X": "-1"}}


def test_a_fair_bit_flipped_is_not_seen_in_the_law() -> None:
    program = """
model A { latent E ~ Bernoulli(0.5) ; latent Z : {0, 1} := E ; X : {0, 1} := Z }
domain d0 of A {}
domain d1 of A {}
model B { latent E ~ Bernoulli(0.5) ; latent Z : {0, 1} := E ; X : {0, 1} := Z }
domain d0 of B {}
domain d1 of B { Z := 1 - E }
equivalent A, B over {d0, d1}"""
    answer = one(program)
    assert answer.to_dict()["value"] == {"counterfactual": False, "distribution": True}
    assert answer.to_dict()["witness"]["images"] == {"A": {"X": "0"}, "B": {"X": "1"}}


def test_a_scaled_noise_keeps_counterfactuals_and_changes_the_law() -> None:
    """h2 = diag(2, 1, 1) of the lens."""
    other = LENS.replace("model Lens", "model Wide").replace(" of Lens", " of Wide")
    other = (
        other.replace("1 * noise", "2 * noise")
        .replace("1/2 * noise", "1 * noise")
        .replace("1/3 * noise", "2/3 * noise")
    )
    answer = one(f"{LENS}\n{other}\nequivalent Lens, Wide over {{d0, d1, d2}}")
    assert answer.to_dict()["value"] == {"counterfactual": True, "distribution": False}
    witness = answer.to_dict()["witness"]
    assert witness["keeps_law"] is False
    assert witness["distribution"]["domain"] == "d0"


def test_distributions_alone_do_not_tell_the_counterfactual() -> None:
    """The counterexample that canonicalise builds, written out as a program, has the laws and not the answers."""
    answer = one(f"{LENS}\ncanonicalise Lens over {{d0, d1, d2}}")
    assert answer.to_dict()["value"]["identified_from_distributions"] is False
    assert any("with the noise of Z1 reversed in d1" in note for note in answer.notes)
    other = (
        LENS.replace("model Lens", "model Twin").replace(" of Lens", " of Twin").replace("1/2 * noise", "-1/2 * noise")
    )
    found = one(f"{LENS}\n{other}\nequivalent Lens, Twin over {{d0, d1, d2}}")
    assert found.to_dict()["value"] == {"counterfactual": False, "distribution": True}
