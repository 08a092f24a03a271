"""Places counted as editors count them, judged by encoding the text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from suture.servers.text_positions import Place, Text, units

TEXTS = st.text(st.sampled_from("ab é\u2028\x0c𝕏😀\n\r"), max_size=30)


@given(TEXTS)
def test_units_are_those_of_the_encoding(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le")) // 2


@given(TEXTS, st.integers(0, 30))
def test_a_place_is_lines_and_units_before_it(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    if text[offset - 1 : offset + 1] == "\r\n":
        return  # between the two there is no place
    before = re.split(r"\r\n|\r|\n", text[:offset])
    place = Place(len(before) - 1, len(before[-1].encode("utf-16-le")) // 2)
    assert Text(text).place(offset) == place
    assert Text(text).offset(place) == offset


@given(TEXTS, st.integers(-1, 40), st.integers(-1, 40))
def test_any_place_is_in_the_text(text: str, line: int, character: int) -> None:
    assert 0 <= Text(text).offset(Place(line, character)) <= len(text)


@given(TEXTS, st.integers(0, 30), st.integers(0, 30), TEXTS)
def test_a_change_replaces_what_lies_between(text: str, first: int, last: int, new: str) -> None:
    whole = Text(text)
    start, end = whole.place(first), whole.place(last)
    low, high = sorted((whole.offset(start), whole.offset(end)))
    assert whole.replaced(start, end, new).text == text[:low] + new + text[high:]
