"""Answers as HTML: valid, safe, readable by a keyboard, a screen reader, and where a page strips its style."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import assume, given, settings
from strategies_formulas import FORMULAS

from suture import run
from suture.answers.answer import Answer, Answers
from suture.answers.rich.style import DARK, LIGHT, style
from suture.dsl.formula import Formula, canonical
from suture.dsl.formula_mathml import mathml
from suture.dsl.formula_reader import read_formula
from suture.dsl.formula_text import text

ROOT = Path(__file__).parents[2]
EXAMPLES = ("smoking", "hospital", "vaccine", "canonical", "berkeley")
MORE = """
model Bow { X, Y : {0, 1} ; X -> Y ; X <-> Y }
data rows of Bow weight n { X, Y, n ; 0, 0, 40 ; 0, 1, 10 ; 1, 0, 20 ; 1, 1, 30 }
identify P(Y | do(X)) in Bow
bound P(Y = 1 | do(X = 1)) in Bow from rows
model Two { A -> X -> Y ; A -> Y ; W -> X ; W <-> Y }
independent W, Y given {X} in Two
independent W, A in Two
identify P(Y | do(X)) in Two by do_calculus
adjust X -> Y in Two
assert identify P(Y | do(X)) in Bow
model Numbers { X, Z : {0, 1} ~ Bernoulli(0.5) }
compute P(X, Z) in Numbers
compute P(X) in Bow
"""
NASTY = '"<script>alert(1)</script>"'
NASTY_PROGRAM = f"""
model M {{
  X : {{no, {NASTY}}} ~ {{no: 0.5, {NASTY}: 0.5}}
  Y : {{a, "&amp;</td>"}} ~ table (X) {{ no => 0.4, 0.6 ; _ => 0.9, 0.1 }}
}}
data d of M {{ X, Y ; no, a ; {NASTY}, a ; no, "&amp;</td>" ; {NASTY}, "&amp;</td>" }}
compute P(X), P(Y | do(X = {NASTY}))
identify P(Y = "&amp;</td>" | do(X = {NASTY}))
estimate P(Y | X = {NASTY}) from d
show M after do(X = {NASTY})
"""


def answers() -> Iterator[Answer]:
    for name in EXAMPLES:
        path = ROOT / "examples" / f"{name}.suture"
        yield from run(path.read_text(encoding="utf-8"), path.parent)
    yield from run(MORE)


ALL = tuple(answers())
MADE: dict[int, str] = {}


def shown(answer: Answer) -> str:
    """The HTML of one of the answers above, made once."""
    if id(answer) not in MADE:
        MADE[id(answer)] = answer.html()
    return MADE[id(answer)]


def ids(answer: Answer) -> str:
    return f"{answer.statement}-{answer.model}-{answer.line}"


def page(html: str) -> Element:
    """The page that holds some HTML; a strict parser refuses what is not valid."""
    whole = f'<!DOCTYPE html><html lang="en"><head><title>answers</title></head><body>{html}</body></html>'
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False, strict=True)
    return parser.parse(whole)


def named(tree: Element, name: str) -> list[Element]:
    return [each for each in tree.iter() if str(each.tag).rpartition("}")[2] == name]


def all_text(element: Element) -> str:
    return "".join(element.itertext())


# ---------------------------------------------------------------------------------------------------------------------
# Valid and safe


@pytest.mark.parametrize("answer", ALL, ids=ids)
def test_it_is_valid_and_can_be_read_by_structure(answer: Answer) -> None:
    tree = page(shown(answer))
    (section,) = named(tree, "section")
    assert section.get("aria-label", "").startswith(answer.statement)
    assert not [each for each in tree.iter() if each.get("id")], "two answers in a page would share it"
    assert not [each for each in tree.iter() for name in each.attrib if name.startswith("on")]
    assert named(tree, "script") == []
    headings = [each.tag for each in tree.iter() if re.fullmatch(r"h\d", str(each.tag))]
    assert headings[0] == "h4"
    assert set(headings[1:]) <= {"h5"}
    for table in named(tree, "table"):
        assert all_text(table[0]).strip(), "a table says what it is in its caption"
        assert table[0].tag == "caption"
        assert {cell.get("scope") for cell in named(table, "th")} <= {"col", "row"}
    for drawn in named(tree, "svg"):
        assert drawn.get("role") == "img"
        assert drawn.get("aria-label")
        assert drawn[0].tag.endswith("title")
    for folded in named(tree, "details"):
        assert folded[0].tag == "summary"
        assert all_text(folded[0]).strip()
    for wide in (each for each in tree.iter() if each.get("class") in ("suture-code",)):
        assert wide.get("tabindex") == "0"


def test_several_answers_make_one_valid_page() -> None:
    assert len(named(page(Answers(ALL)._repr_html_()), "section")) == len(ALL)


def test_no_label_of_a_user_is_markup() -> None:
    found = run(NASTY_PROGRAM)
    assert [answer.error for answer in found] == [None] * len(found)
    for answer in found:
        tree = page(answer.html())
        assert named(tree, "script") == []
        assert "<script" not in answer.html()
        assert "alert(1)" in all_text(tree)
    cells = [all_text(cell) for cell in named(page(found[0].html()), "td")]
    assert "0.5" in cells


def test_an_error_is_shown_as_it_is_told() -> None:
    (answer,) = run("model M { X : {0, 1} }\ncompute P(X)")
    assert answer.error is not None
    assert f"error[{answer.error.code}]: {answer.error.message}" in all_text(page(answer.html()))


# ---------------------------------------------------------------------------------------------------------------------
# What is there


def only(statement: str, **wanted: Any) -> Answer:
    return next(
        answer
        for answer in ALL
        if answer.statement == statement and all(getattr(answer, k) == v for k, v in wanted.items())
    )


def test_a_derivation_is_folded_steps_with_rule_source_reason_and_picture() -> None:
    answer = only("identify", name="effect")
    tree = page(shown(answer))
    (steps,) = [each for each in named(tree, "ol") if each.get("class") == "suture-steps"]
    assert len(steps) == len(answer.derivation.steps) == 6
    for line, step in zip(steps, answer.derivation.steps, strict=True):
        (folded,) = line
        assert folded.tag == "details"
        assert step.rule.name in all_text(folded[0])
        assert step.rule.statement in all_text(folded)
        assert step.rule.source in all_text(folded)
        assert not step.because or "because" in all_text(folded)
        assert len(named(folded, "svg")) == (step.rule.name != "discard")


def test_a_separation_shows_the_graph_it_was_read_from() -> None:
    answer = only("identify", model="Two")
    pictures = [each.get("aria-label") or "" for each in named(page(shown(answer)), "svg")]
    assert [told for told in pictures if "are separated" in told] == [
        "Causal graph in which {Y} and {X} are separated given {A, W}",
        "Causal graph in which {A, W} and {X} are separated",
    ]


def test_a_refusal_shows_two_models_with_the_numbers_that_agree_and_differ() -> None:
    answer = only("identify", model="Bow")
    tree = page(shown(answer))
    (table,) = named(tree, "table")
    rows = [[all_text(cell) for cell in row] for row in named(named(table, "tbody")[0], "tr")]
    pair: Any = answer.models
    assert rows[0][:2] == ["P(X, Y)", "the same in both"]
    assert [cell.split()[0] for cell in rows[-1][1:]] == [str(pair.first_value), str(pair.second_value)]
    programs = [all_text(each) for each in named(tree, "pre")]
    assert pair.first.program().rstrip() in programs
    assert pair.second.program().rstrip() in programs


def test_bounds_worlds_risks_and_paths_have_pictures() -> None:
    told = {
        answer.statement + str(answer.name or answer.model): [
            each.get("aria-label") or "" for each in named(page(shown(answer)), "svg")
        ]
        for answer in ALL
    }
    assert told["boundBow"][0] == "bounds from 0.3 to 0.8"
    assert told["computesaved"][0].count("Outcome") >= 1
    assert "worst" in told["searchHospital"][0] or "risk" in told["searchHospital"][0].lower()
    fails = [answer for answer in ALL if answer.statement == "independent" and answer.status.value == "fails"]
    assert "open path W <-> Y" in (named(page(shown(fails[0])), "svg")[0].get("aria-label") or "")


def test_a_table_holds_every_number() -> None:
    answer = only("compute", model="Numbers")
    rows = [[all_text(cell) for cell in row] for row in named(named(page(shown(answer)), "tbody")[0], "tr")]
    assert rows == [[x, z, "0.25", "1/4"] for x in "01" for z in "01"]


def test_it_reads_well_where_style_and_pictures_are_stripped() -> None:
    """What a sanitiser leaves of a saved notebook: text in order, the formula in the language's own spelling."""
    answer = only("identify", name="effect")
    tree = page(shown(answer))
    for parent in list(tree.iter()):
        for child in list(parent):
            if str(child.tag).rpartition("}")[2] in ("style", "svg", "math"):
                parent.remove(child)
    left = all_text(tree)
    assert answer.estimand is not None
    places = [left.index(part) for part in ("identify", "identified", answer.estimand.text, "cut", "check")]
    assert places == sorted(places)


def test_where_drawings_are_stripped_an_image_of_them_is_left() -> None:
    """What JupyterLab shows of a notebook that it does not trust has neither drawings nor style sheets, but images."""
    answer = only("identify", name="effect")
    (still,) = named(page(shown(answer)), "img")
    drawn = named(page(shown(answer)), "svg")[0]
    kind, coded = still.get("src", "").split(",")
    assert kind == "data:image/svg+xml;base64"
    picture = ElementTree.fromstring(b64decode(coded))
    assert still.get("alt") == drawn.get("aria-label") == picture.get("aria-label")
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) == len(named(drawn, "path")) > 3
    assert re.search(r"img\.suture-still\{display:none\}", shown(answer)), "hidden where the drawing is seen"


def test_a_bundle_has_every_form() -> None:
    answer = only("identify", name="effect")
    bundle = answer._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "text/html", "text/latex", "application/vnd.suture.answer+json"]
    assert bundle["text/plain"] == str(answer)
    assert bundle["application/vnd.suture.answer+json"] == answer.to_dict()


def test_the_answers_of_a_program_have_a_bundle_too() -> None:
    several = Answers(ALL[:2])
    bundle = several._repr_mimebundle_()
    assert bundle["text/plain"] == str(several)
    assert bundle["application/vnd.suture.answer+json"] == several.to_dict()


# ---------------------------------------------------------------------------------------------------------------------
# Colours


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_ink_can_be_read_on_its_paper(colours: dict[str, str]) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert {name: round(contrast(ink, colours["paper"]), 1) for name, ink in colours.items() if name != "paper"}
    assert min(contrast(ink, colours["paper"]) for name, ink in colours.items() if name != "paper") >= 4.5


def test_the_names_of_ghosts_can_be_read() -> None:
    faded = {float(found) for answer in ALL for found in re.findall(r'<text[^>]* opacity="([\d.]+)"', shown(answer))}
    assert faded
    for colours in (LIGHT, DARK):
        ink, paper = ([int(colours[name][at : at + 2], 16) for at in (1, 3, 5)] for name in ("ink", "paper"))
        for share in faded:
            mixed = [round(share * a + (1 - share) * b) for a, b in zip(ink, paper, strict=True)]
            assert contrast("#" + "".join(f"{part:02x}" for part in mixed), colours["paper"]) >= 4.5


def test_the_style_reaches_nothing_outside() -> None:
    rules = re.sub(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\}", r"\1", style())
    selectors = [each for head in re.findall(r"([^{}]+)\{", rules) for each in head.split(",")]
    assert selectors
    assert [each for each in selectors if "suture" not in each] == []


# ---------------------------------------------------------------------------------------------------------------------
# Formulas


def spelled(element: Element) -> str:
    """A formula in MathML as the text that `read_formula` reads."""
    name = str(element.tag).rpartition("}")[2]
    parts = [spelled(child) for child in element]
    match name:
        case "mfrac":
            return f"({parts[0]}) / ({parts[1]})"
        case "munder":
            return f"sum{{{parts[1]}}} "
        case "msub" if parts[0] == "P":
            return f"P[{parts[1]}]"
        case "msub" if parts[1].isdigit():
            return parts[0] + parts[1]
        case "msub":
            return f"{parts[0]}[{parts[1]}]"
        case "mspace":
            return " "
        case "mtext":
            return f'"{element.text}"'
        case _:
            return (element.text or "").replace("−", "-").replace("∼", "~") + "".join(parts)


@settings(max_examples=60)
@given(FORMULAS)
def test_a_formula_in_mathml_is_that_formula(formula: Formula) -> None:
    # Where only the text says over which variable a sum runs, the notation of the literature does not.
    assume(": " not in text(formula))
    (math,) = named(page(mathml(formula)), "math")
    assert canonical(read_formula(spelled(math))) == canonical(formula)
